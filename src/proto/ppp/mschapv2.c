/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/ppp/mschapv2.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/wire.h"
#include "proto/ppp/auth.h"

#define NT_RESPONSE_AT (MSCHAP_CHALLENGE_LEN + 8)
#define HEX_LEN	       (2 * MSCHAP_AUTHENTICATOR_LEN)

static void hex(char *out, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		(void)snprintf(out + 2 * i, 3, "%02X", data[i]);
}

/* Client */

int mschapv2_respond(struct mschapv2 *m, const uint8_t challenge[static MSCHAP_CHALLENGE_LEN],
		     const struct credentials *credentials, const struct random_source *random,
		     uint8_t ret_value[static MSCHAPV2_VALUE_LEN])
{
	struct wire_writer w = wire_writer(ret_value, MSCHAPV2_VALUE_LEN);
	struct mschap_result result = { 0 };
	uint8_t peer_challenge[MSCHAP_CHALLENGE_LEN];

	random_fill(random, peer_challenge, sizeof(peer_challenge));
	int error = mschap_v2(&credentials->password, credentials->user, challenge, peer_challenge, &result);
	if (error < 0)
		return error;
	wire_put(&w, peer_challenge, sizeof(peer_challenge));
	wire_put_zero(&w, 8);
	wire_put(&w, result.nt_response, sizeof(result.nt_response));
	wire_put_u8(&w, 0);
	memcpy(m->authenticator, result.authenticator, sizeof(m->authenticator));
	memcpy(m->keys, result.keys, sizeof(m->keys));
	wipe(&result, sizeof(result));
	return 0;
}

/* "S=" and 40 hexadecimal digits of either case, then maybe " M=text". RFC 2759 §5 */
static bool is_authentic(const struct mschapv2 *m, const uint8_t *text, size_t len)
{
	struct wire_reader r = wire_reader(text, len);
	uint8_t authenticator[MSCHAP_AUTHENTICATOR_LEN];
	char digits[HEX_LEN + 1] = { 0 };

	if (wire_u8(&r) != 'S' || wire_u8(&r) != '=')
		return false;
	wire_copy(&r, digits, HEX_LEN);
	return !r.error && parse_hex(digits, authenticator, sizeof(authenticator)) == 0 &&
	       equal_constant_time(authenticator, m->authenticator, sizeof(authenticator));
}

/* What stands behind "M=", up to the end; many servers have none, and some have nothing but text. */
static void keep_message(struct auth *a, const uint8_t *text, size_t len)
{
	size_t start = 0;

	if (len >= 2 && text[1] == '=') {
		start = len;
		for (size_t i = 0; i + 1 < len && start == len; i++)
			if (text[i] == 'M' && text[i + 1] == '=')
				start = i + 2;
	}
	printable(a->message, sizeof(a->message), text + start, len - start);
}

bool mschapv2_accept(struct auth *a, const uint8_t *text, size_t len)
{
	keep_message(a, text, len);
	if (is_authentic(&a->mschapv2, text, len))
		return true;
	auth_fail(a, CAUSE_AUTH_SERVER_UNPROVEN, "%s",
		  len < 2 + HEX_LEN ? "its Success carries no proof" : "the proof in its Success is wrong");
	return false;
}

/* The number of "E=nnn" at the start of a Failure, RFC 2759 §6; 0 where there is none. */
static unsigned failure_code(const uint8_t *text, size_t len)
{
	unsigned code = 0;

	if (len < 3 || text[0] != 'E' || text[1] != '=')
		return 0;
	for (size_t i = 2; i < len && text[i] >= '0' && text[i] <= '9' && code < 10000; i++)
		code = code * 10 + (unsigned)(text[i] - '0');
	return code;
}

void mschapv2_refused(struct auth *a, const uint8_t *text, size_t len)
{
	static const struct {
		unsigned code;
		enum cause cause;
		const char *text;
	} meanings[] = {
		{ 646, CAUSE_AUTH_DISABLED, ", logon hours are restricted" },
		{ 647, CAUSE_AUTH_DISABLED, ", the account is disabled" },
		{ 648, CAUSE_AUTH_EXPIRED, "" },
		{ 649, CAUSE_AUTH_DISABLED, ", no permission to dial in" },
		/* RRAS, where the policy of its RADIUS server wants another method (ERROR_SERVER_POLICY) */
		{ 812, CAUSE_AUTH_METHOD, ", the server's policy does not allow this method" },
		{ 942, CAUSE_AUTH_FAILED, ", the password must be set anew on the server for MS-CHAPv2" },
	};
	unsigned code = failure_code(text, len);
	enum cause cause = CAUSE_AUTH_FAILED;
	const char *meaning = "", *colon;

	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		if (code == meanings[i].code) {
			cause = meanings[i].cause;
			meaning = meanings[i].text;
		}
	}
	keep_message(a, text, len);
	colon = a->message[0] ? ": " : "";
	if (code)
		auth_fail(a, cause, "%s error %u%s%s%s", ppp_auth_name(a->type), code, meaning, colon,
			  a->message);
	else
		auth_fail(a, cause, "%s%s%s", ppp_auth_name(a->type), colon, a->message);
}

/* Server */

bool mschapv2_verify(struct mschapv2 *m, const uint8_t challenge[static MSCHAP_CHALLENGE_LEN],
		     const struct secret *password, const char *user, const uint8_t *value, size_t len)
{
	struct mschap_result result = { 0 };
	bool good = len == MSCHAPV2_VALUE_LEN && mschap_v2(password, user, challenge, value, &result) == 0 &&
		    equal_constant_time(result.nt_response, value + NT_RESPONSE_AT,
					sizeof(result.nt_response));

	if (good) {
		memcpy(m->authenticator, result.authenticator, sizeof(m->authenticator));
		memcpy(m->keys, result.keys, sizeof(m->keys));
	}
	wipe(&result, sizeof(result));
	return good;
}

size_t mschapv2_success(const struct mschapv2 *m, char out[static MSCHAPV2_TEXT_MAX])
{
	char digits[HEX_LEN + 1];

	hex(digits, m->authenticator, sizeof(m->authenticator));
	return (size_t)snprintf(out, MSCHAPV2_TEXT_MAX, "S=%s M=Authentication succeeded", digits);
}

size_t mschapv2_failure(const uint8_t challenge[static MSCHAP_CHALLENGE_LEN],
			char out[static MSCHAPV2_TEXT_MAX])
{
	char digits[2 * MSCHAP_CHALLENGE_LEN + 1];

	hex(digits, challenge, MSCHAP_CHALLENGE_LEN);
	return (size_t)snprintf(out, MSCHAPV2_TEXT_MAX, "E=691 R=0 C=%s V=3 M=Authentication failed", digits);
}
