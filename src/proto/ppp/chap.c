/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CHAP (RFC 1994) with the algorithms MD5 and MS-CHAPv2 (RFC 2759). */
#include <string.h>

#include "base/wire.h"
#include "crypto/hash.h"
#include "proto/ppp/auth.h"

enum { CHAP_CHALLENGE = 1, CHAP_RESPONSE, CHAP_SUCCESS, CHAP_FAILURE };

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

/* Client */

static void compute_md5(struct auth *a, const struct secret *password)
{
	struct chap *c = &a->chap;

	hash(HASH_MD5, c->value, CHUNK(&c->id, 1), CHUNK(password->data, password->len),
	     CHUNK(c->challenge, c->challenge_len));
	c->value_len = MD5_LEN;
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
		} else if (mschapv2_respond(&a->mschapv2, c->challenge, a->credentials, &a->config->random,
					    c->value) < 0) {
			auth_fail(a, CAUSE_AUTH_FAILED, "the password is not valid UTF-8");
			return;
		} else {
			c->value_len = MSCHAPV2_VALUE_LEN;
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

static void receive_success(struct auth *a, const struct packet *p)
{
	a->chap.waiting = false;
	if (!is_mschap(a)) {
		printable(a->message, sizeof(a->message), p->data, p->len);
		auth_succeed(a);
	} else if (mschapv2_accept(a, p->data, p->len)) {
		auth_succeed_with_keys(a);
	}
}

static void receive_failure(struct auth *a, const struct packet *p)
{
	a->chap.waiting = false;
	if (is_mschap(a)) {
		mschapv2_refused(a, p->data, p->len);
		return;
	}
	printable(a->message, sizeof(a->message), p->data, p->len);
	auth_fail(a, CAUSE_AUTH_FAILED, "%s%s%s", ppp_auth_name(a->type), a->message[0] ? ": " : "",
		  a->message);
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

static void send_success(struct auth *a)
{
	char text[MSCHAPV2_TEXT_MAX] = "Authentication succeeded";

	push(a, FRAME_ANSWER, CHAP_SUCCESS, text,
	     is_mschap(a) ? mschapv2_success(&a->mschapv2, text) : strlen(text));
}

static void send_failure(struct auth *a)
{
	char text[MSCHAPV2_TEXT_MAX] = "Authentication failed";

	push(a, FRAME_ANSWER, CHAP_FAILURE, text,
	     is_mschap(a) ? mschapv2_failure(a->chap.challenge, text) : strlen(text));
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
	bool good = is_mschap(a)
			    ? mschapv2_verify(&a->mschapv2, a->chap.challenge, &password, a->user, value, len)
			    : verify_md5(a, &password, value, len);
	if (known && good) {
		send_success(a);
		if (is_mschap(a))
			auth_succeed_with_keys(a);
		else
			auth_succeed(a);
		return;
	}
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
