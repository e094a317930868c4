/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CHAP (RFC 1994) with the algorithms MD5 and MS-CHAPv2 (RFC 2759). */
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/wire.h"
#include "crypto/hash.h"
#include "proto/ppp/auth.h"

enum { CHAP_CHALLENGE = 1, CHAP_RESPONSE, CHAP_SUCCESS, CHAP_FAILURE };

#define RESPONSE_LEN 49 /* of MS-CHAPv2: peer challenge, 8 zero bytes, NT-Response, flags */
#define HEX_LEN	     (2 * MSCHAP_AUTHENTICATOR_LEN)

static bool is_mschap(const struct auth *a)
{
	return a->type == PPP_AUTH_MSCHAPV2;
}

static void push(struct auth *a, enum frame_priority priority, uint8_t code, const void *data, size_t len)
{
	(void)frame_queue_push(a->queue, priority, PPP_PROTO_CHAP, code, a->chap.id, data, len);
}

/* A Challenge or Response: value size, value, name. */
static void push_value(struct auth *a, enum frame_priority priority, uint8_t code, const uint8_t *value,
		       size_t len, const char *name)
{
	uint8_t body[1 + 255 + PPP_USER_MAX];
	struct wire_writer w = wire_writer(body, sizeof(body));

	wire_put_u8(&w, (uint8_t)len);
	wire_put(&w, value, len);
	wire_put(&w, name, strnlen(name, PPP_USER_MAX - 1));
	push(a, priority, code, body, w.len);
}

static void hex(char *out, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		(void)snprintf(out + 2 * i, 3, "%02X", data[i]);
}

/* Client */

static void compute_md5(struct auth *a, const struct secret *password)
{
	struct chap *c = &a->chap;

	hash(HASH_MD5, c->value, CHUNK(&c->id, 1), CHUNK(password->data, password->len),
	     CHUNK(c->challenge, c->challenge_len));
	c->value_len = MD5_LEN;
}

static int compute_mschap(struct auth *a, const struct credentials *credentials)
{
	struct chap *c = &a->chap;
	struct wire_writer w = wire_writer(c->value, sizeof(c->value));
	struct mschap_result result = { 0 };
	uint8_t peer_challenge[MSCHAP_CHALLENGE_LEN];
	int error;

	random_fill(&a->config->random, peer_challenge, sizeof(peer_challenge));
	error = mschap_v2(&credentials->password, credentials->user, c->challenge, peer_challenge, &result);
	if (error < 0)
		return error;
	wire_put(&w, peer_challenge, sizeof(peer_challenge));
	wire_put_zero(&w, 8);
	wire_put(&w, result.nt_response, sizeof(result.nt_response));
	wire_put_u8(&w, 0);
	c->value_len = w.len;
	memcpy(c->authenticator, result.authenticator, sizeof(c->authenticator));
	memcpy(c->keys, result.keys, sizeof(c->keys));
	wipe(&result, sizeof(result));
	return 0;
}

/* Answers the challenge at hand, or waits for the credentials. */
static void respond(struct auth *a, enum frame_priority priority, usec_t now)
{
	struct chap *c = &a->chap;

	if (!a->credentials->known || c->challenge_len == 0)
		return;
	if (c->value_len == 0) {
		if (!is_mschap(a)) {
			compute_md5(a, &a->credentials->password);
		} else if (compute_mschap(a, a->credentials) < 0) {
			auth_fail(a, CAUSE_AUTH_FAILED, "the password is not valid UTF-8");
			return;
		}
	}
	push_value(a, priority, CHAP_RESPONSE, c->value, c->value_len, a->credentials->user);
	c->waiting = true;
	auth_sent(a, now);
}

/* May come at any time again (RFC 1994 §2). A repeated one gets the answer that it got before. */
static void receive_challenge(struct auth *a, const struct packet *p, usec_t now)
{
	struct chap *c = &a->chap;
	struct wire_reader r = wire_reader(p->data, p->len);
	size_t len = wire_u8(&r);
	const uint8_t *value = wire_bytes(&r, len);

	if (!value || len == 0 || (is_mschap(a) && len != MSCHAP_CHALLENGE_LEN))
		return;
	if (p->id != c->id || len != c->challenge_len || memcmp(value, c->challenge, len) != 0) {
		c->id = p->id;
		memcpy(c->challenge, value, len);
		c->challenge_len = len;
		c->value_len = 0;
		a->sends = 0;
	}
	respond(a, FRAME_ANSWER, now);
}

/* "S=" and 40 hexadecimal digits of either case, then maybe " M=text". RFC 2759 §5 */
static bool is_authentic(const struct chap *c, const struct packet *p)
{
	struct wire_reader r = wire_reader(p->data, p->len);
	uint8_t authenticator[MSCHAP_AUTHENTICATOR_LEN];
	char digits[HEX_LEN + 1] = { 0 };

	if (wire_u8(&r) != 'S' || wire_u8(&r) != '=')
		return false;
	wire_copy(&r, digits, HEX_LEN);
	return !r.error && parse_hex(digits, authenticator, sizeof(authenticator)) == 0 &&
	       equal_constant_time(authenticator, c->authenticator, sizeof(authenticator));
}

/* MD5: all of it is text. MS-CHAPv2: what stands behind "M=", up to the end; many servers have none, and some
 * have nothing but text. */
static void keep_message(struct auth *a, const struct packet *p)
{
	bool fields = p->len >= 2 && p->data[1] == '=';
	size_t start = 0;

	if (is_mschap(a) && fields) {
		start = p->len;
		for (size_t i = 0; i + 1 < p->len && start == p->len; i++)
			if (p->data[i] == 'M' && p->data[i + 1] == '=')
				start = i + 2;
	}
	printable(a->message, sizeof(a->message), p->data + start, p->len - start);
}

static void receive_success(struct auth *a, const struct packet *p)
{
	struct chap *c = &a->chap;

	c->waiting = false;
	keep_message(a, p);
	if (is_mschap(a) && !is_authentic(c, p)) {
		auth_fail(a, CAUSE_AUTH_SERVER_UNPROVEN, "%s",
			  p->len < 2 + HEX_LEN ? "its Success carries no proof"
					       : "the proof in its Success is wrong");
		return;
	}
	if (is_mschap(a) && a->status != AUTH_SUCCEEDED)
		memcpy(a->hlak, c->keys, sizeof(a->hlak));
	auth_succeed(a);
}

/* The number of "E=nnn" at the start of a Failure, RFC 2759 §6; 0 where there is none. */
static unsigned failure_code(const struct packet *p)
{
	unsigned code = 0;

	if (p->len < 3 || p->data[0] != 'E' || p->data[1] != '=')
		return 0;
	for (size_t i = 2; i < p->len && p->data[i] >= '0' && p->data[i] <= '9' && code < 10000; i++)
		code = code * 10 + (unsigned)(p->data[i] - '0');
	return code;
}

/* Every Failure is final, whatever it says about retries: there is no other password to try. */
static void receive_failure(struct auth *a, const struct packet *p)
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
		{ 942, CAUSE_AUTH_FAILED, ", the password must be set anew on the server for MS-CHAPv2" },
	};
	unsigned code = is_mschap(a) ? failure_code(p) : 0;
	enum cause cause = CAUSE_AUTH_FAILED;
	const char *text = "", *colon;

	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		if (code == meanings[i].code) {
			cause = meanings[i].cause;
			text = meanings[i].text;
		}
	}
	a->chap.waiting = false;
	keep_message(a, p);
	colon = a->message[0] ? ": " : "";
	if (code)
		auth_fail(a, cause, "MS-CHAPv2 error %u%s%s%s", code, text, colon, a->message);
	else
		auth_fail(a, cause, "%s%s%s", ppp_auth_name(a->type), colon, a->message);
}

static void client_input(struct auth *a, const struct packet *p, usec_t now)
{
	if (p->code == CHAP_CHALLENGE) {
		receive_challenge(a, p, now);
		return;
	}
	if (!a->chap.waiting || p->id != a->chap.id)
		return;
	if (p->code == CHAP_SUCCESS)
		receive_success(a, p);
	else if (p->code == CHAP_FAILURE)
		receive_failure(a, p);
}

/* Server */

static void send_challenge(struct auth *a, usec_t now)
{
	const char *name = a->config->server.name;

	push_value(a, FRAME_OWN, CHAP_CHALLENGE, a->chap.challenge, a->chap.challenge_len, name ? name : "");
	auth_sent(a, now);
}

static bool verify_md5(struct auth *a, const struct secret *password, const uint8_t *value, size_t len)
{
	const struct chap *c = &a->chap;
	uint8_t expected[MD5_LEN];

	if (len != sizeof(expected))
		return false;
	hash(HASH_MD5, expected, CHUNK(&c->id, 1), CHUNK(password->data, password->len),
	     CHUNK(c->challenge, c->challenge_len));
	return equal_constant_time(expected, value, sizeof(expected));
}

static bool verify_mschap(struct auth *a, const struct secret *password, const uint8_t *value, size_t len)
{
	struct mschap_result result = { 0 };
	bool good = len == RESPONSE_LEN &&
		    mschap_v2(password, a->user, a->chap.challenge, value, &result) == 0 &&
		    equal_constant_time(result.nt_response, value + MSCHAP_CHALLENGE_LEN + 8,
					sizeof(result.nt_response));

	if (good) {
		memcpy(a->chap.authenticator, result.authenticator, sizeof(a->chap.authenticator));
		memcpy(a->hlak, result.keys, sizeof(a->hlak));
	}
	wipe(&result, sizeof(result));
	return good;
}

static void send_success(struct auth *a)
{
	static const char text[] = "Authentication succeeded";
	char digits[HEX_LEN + 1], body[128];
	int n;

	hex(digits, a->chap.authenticator, sizeof(a->chap.authenticator));
	n = is_mschap(a) ? snprintf(body, sizeof(body), "S=%s M=%s", digits, text)
			 : snprintf(body, sizeof(body), "%s", text);
	push(a, FRAME_ANSWER, CHAP_SUCCESS, body, (size_t)n);
}

static void send_failure(struct auth *a)
{
	static const char text[] = "Authentication failed";
	char digits[2 * MSCHAP_CHALLENGE_LEN + 1], body[128];
	int n;

	hex(digits, a->chap.challenge, MSCHAP_CHALLENGE_LEN);
	n = is_mschap(a) ? snprintf(body, sizeof(body), "E=691 R=0 C=%s V=3 M=%s", digits, text)
			 : snprintf(body, sizeof(body), "%s", text);
	push(a, FRAME_ANSWER, CHAP_FAILURE, body, (size_t)n);
}

static void server_input(struct auth *a, const struct packet *p)
{
	_cleanup_secret_ struct secret password = { 0 };
	struct wire_reader r = wire_reader(p->data, p->len);
	size_t len = wire_u8(&r);
	const uint8_t *value = wire_bytes(&r, len);
	size_t name_len = wire_left(&r);
	const uint8_t *name = wire_bytes(&r, name_len);

	if (p->code != CHAP_RESPONSE || p->id != a->chap.id || r.error)
		return;
	if (a->status == AUTH_SUCCEEDED) { /* our Success was lost */
		send_success(a);
		return;
	}
	/* An unknown user costs the same time as a wrong password. */
	bool known = auth_copy_user(a->user, name, name_len) && auth_find_password(a, a->user, &password);
	bool good = is_mschap(a) ? verify_mschap(a, &password, value, len)
				 : verify_md5(a, &password, value, len);
	if (known && good) {
		send_success(a);
		auth_succeed(a);
		return;
	}
	wipe(a->hlak, sizeof(a->hlak));
	send_failure(a);
	auth_fail(a, CAUSE_AUTH_FAILED, "%s, user %s", ppp_auth_name(a->type), a->user);
}

/* Both */

static void start(struct auth *a, usec_t now)
{
	if (a->config->role == PPP_CLIENT)
		return;
	random_fill(&a->config->random, &a->chap.id, 1);
	a->chap.challenge_len = MSCHAP_CHALLENGE_LEN;
	random_fill(&a->config->random, a->chap.challenge, a->chap.challenge_len);
	send_challenge(a, now);
}

static void timeout(struct auth *a, usec_t now)
{
	a->deadline = USEC_NEVER;
	if (a->config->role == PPP_CLIENT)
		respond(a, FRAME_OWN, now);
	else
		send_challenge(a, now);
}

static void input(struct auth *a, const struct packet *p, usec_t now)
{
	if (a->config->role == PPP_CLIENT)
		client_input(a, p, now);
	else
		server_input(a, p);
}

const struct auth_method auth_chap = {
	.protocol = PPP_PROTO_CHAP,
	.start = start,
	.input = input,
	.timeout = timeout,
};
