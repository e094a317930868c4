/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EAP (RFC 3748) with one method, EAP-MSCHAPv2 (draft-kamath-pppext-eap-mschapv2, [MS-CHAP] 2.2): the
 * messages of MS-CHAPv2 in requests and responses. Its MSK begins with the two keys that MS-CHAPv2 gives, so
 * the HLAK is the same.
 */
#include <stdio.h>
#include <string.h>

#include "base/wire.h"
#include "crypto/hash.h"
#include "proto/ppp/auth.h"

enum { EAP_REQUEST = 1, EAP_RESPONSE, EAP_SUCCESS, EAP_FAILURE };

enum {
	TYPE_IDENTITY = 1,
	TYPE_NOTIFICATION = 2,
	TYPE_NAK = 3,
	TYPE_MSCHAPV2 = 26,

};

/* Of EAP-MSCHAPv2. */
enum { OP_CHALLENGE = 1, OP_RESPONSE, OP_SUCCESS, OP_FAILURE };

#define METHOD_HEADER_LEN 4 /* opcode, MS-CHAPv2-ID, MS-Length */

static void push(struct auth *a, enum frame_priority priority, uint8_t code, const void *data, size_t len)
{
	(void)frame_queue_push(a->queue, priority, PPP_PROTO_EAP, code, a->eap.id, data, len);
}

/* A client answers, a server asks: each sends only the one code, and keeps what it sent. */
static void send_again(struct auth *a, enum frame_priority priority)
{
	const struct eap_data *sent = &a->eap.sent;

	push(a, priority, a->config->role == PPP_CLIENT ? EAP_RESPONSE : EAP_REQUEST, sent->bytes, sent->len);
}

static struct wire_writer begin(struct auth *a, uint8_t type)
{
	struct wire_writer w = wire_writer(a->eap.sent.bytes, sizeof(a->eap.sent.bytes));

	wire_put_u8(&w, type);
	return w;
}

static void finish(struct auth *a, const struct wire_writer *w)
{
	a->eap.sent.len = w->len;
	send_again(a, a->config->role == PPP_CLIENT ? FRAME_ANSWER : FRAME_OWN);
}

/* A message of EAP-MSCHAPv2: a value if it has one, then text. */
static void send_method(struct auth *a, uint8_t op, struct chunk value, const char *text)
{
	struct wire_writer w = begin(a, TYPE_MSCHAPV2);
	size_t text_len = strlen(text);

	wire_put_u8(&w, op);
	wire_put_u8(&w, a->eap.challenge_id);
	wire_put_u16(&w, (uint16_t)(METHOD_HEADER_LEN + (value.len ? 1 + value.len : 0) + text_len));
	if (value.len) {
		wire_put_u8(&w, (uint8_t)value.len);
		wire_put(&w, value.data, value.len);
	}
	wire_put(&w, text, text_len);
	finish(a, &w);
}

/* Opcode, identifier and what follows them; -EBADMSG where MS-Length is not the length. */
static int read_method(struct wire_reader *r, uint8_t *ret_op, uint8_t *ret_id)
{
	size_t len = wire_left(r);

	*ret_op = wire_u8(r);
	*ret_id = wire_u8(r);
	return wire_u16(r) == len && !r->error ? 0 : -EBADMSG;
}

/* The value of a Challenge or Response, and the name behind it. NULL where they do not fit. */
static const uint8_t *read_value(struct wire_reader *r, size_t len, const uint8_t **ret_name,
				 size_t *ret_name_len)
{
	const uint8_t *value = wire_u8(r) == len ? wire_bytes(r, len) : NULL;

	*ret_name_len = wire_left(r);
	*ret_name = wire_bytes(r, *ret_name_len);
	return value;
}

static const char *type_name(uint8_t type, char out[static 16])
{
	static const struct {
		uint8_t type;
		const char *name;
	} names[] = { { 4, "EAP-MD5" },	  { 6, "EAP-GTC" }, { 13, "EAP-TLS" },
		      { 21, "EAP-TTLS" }, { 25, "PEAP" },   { 43, "EAP-FAST" } };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].type == type)
			return names[i].name;
	(void)snprintf(out, 16, "EAP type %u", type);
	return out;
}

/* Client */

static void send_identity(struct auth *a)
{
	struct wire_writer w = begin(a, TYPE_IDENTITY);

	wire_put(&w, a->credentials->user, strlen(a->credentials->user));
	finish(a, &w);
}

/* RFC 3748 §5.2: to be acknowledged. */
static void receive_notification(struct auth *a, struct wire_reader *r)
{
	size_t len = wire_left(r);

	printable(a->message, sizeof(a->message), wire_bytes(r, len), len);
	struct wire_writer w = begin(a, TYPE_NOTIFICATION);
	finish(a, &w);
}

/* RFC 3748 §5.3.1: any other method is answered by the one that we have. */
static void decline(struct auth *a, uint8_t type)
{
	struct wire_writer w = begin(a, TYPE_NAK);

	a->eap.foreign_type = type;
	wire_put_u8(&w, TYPE_MSCHAPV2);
	finish(a, &w);
}

static void answer_challenge(struct auth *a, const uint8_t challenge[static MSCHAP_CHALLENGE_LEN])
{
	uint8_t value[MSCHAPV2_VALUE_LEN];

	a->eap.foreign_type = 0;
	if (mschapv2_respond(&a->mschapv2, challenge, a->credentials, &a->config->random, value) < 0) {
		auth_fail(a, CAUSE_AUTH_FAILED, "the password is not valid UTF-8");
		return;
	}
	a->eap.step = EAP_CHALLENGE;
	a->sends++;
	send_method(a, OP_RESPONSE, CHUNK(value, sizeof(value)), a->credentials->user);
}

/* The response to a Success or Failure is the opcode alone. */
static void confirm(struct auth *a, uint8_t op)
{
	struct wire_writer w = begin(a, TYPE_MSCHAPV2);

	wire_put_u8(&w, op);
	finish(a, &w);
}

/* What does not belong where the conversation is, is left unanswered ([MS-CHAP] 3.2.5). */
static void receive_method(struct auth *a, struct wire_reader *r)
{
	struct eap *e = &a->eap;
	const uint8_t *name, *value, *text;
	size_t name_len;
	uint8_t op, id;

	if (read_method(r, &op, &id) < 0)
		return;
	if (op == OP_CHALLENGE) {
		value = read_value(r, MSCHAP_CHALLENGE_LEN, &name, &name_len);
		if (!value)
			return;
		e->challenge_id = id;
		answer_challenge(a, value);
		return;
	}
	size_t len = wire_left(r);
	text = wire_bytes(r, len);
	if (e->step != EAP_CHALLENGE || !text)
		return;
	if (op == OP_SUCCESS && mschapv2_accept(a, text, len)) {
		e->step = EAP_PROVEN;
		confirm(a, OP_SUCCESS);
	} else if (op == OP_FAILURE) {
		confirm(a, OP_FAILURE);
		mschapv2_refused(a, text, len);
	}
}

static void answer_request(struct auth *a, const uint8_t *data, size_t len)
{
	struct wire_reader r = wire_reader(data, len);
	uint8_t type = wire_u8(&r);

	switch (type) {
	case TYPE_IDENTITY:
		send_identity(a);
		break;
	case TYPE_NOTIFICATION:
		receive_notification(a, &r);
		break;
	case TYPE_NAK: /* only a response */
		break;
	case TYPE_MSCHAPV2:
		receive_method(a, &r);
		break;
	default:
		decline(a, type);
		break;
	}
}

/*
 * One that comes again gets the answer that it got before (RFC 3748 §4.1). It is told by all of it, not by
 * its identifier alone: that begins anew after 255.
 */
static void receive_request(struct auth *a, const struct packet *p, usec_t now)
{
	struct eap *e = &a->eap;
	uint8_t heard[SHA1_LEN];

	if (p->len == 0 || !rate_limit_pass(&e->answers, now))
		return;
	hash(HASH_SHA1, heard, CHUNK(&p->id, 1), CHUNK(p->data, p->len));
	e->id = p->id;
	if (e->sent.len > 0 && memcmp(heard, e->heard, sizeof(heard)) == 0) {
		send_again(a, FRAME_ANSWER);
		return;
	}
	e->sent.len = 0;
	memcpy(e->heard, heard, sizeof(heard));
	if (a->credentials->known) {
		answer_request(a, p->data, p->len);
	} else if (p->len <= sizeof(e->waits.bytes)) {
		memcpy(e->waits.bytes, p->data, p->len);
		e->waits.len = p->len;
	}
}

/* Before the server has proven itself this would be a login that anybody can grant. */
static void receive_success(struct auth *a)
{
	struct eap *e = &a->eap;

	if (e->step == EAP_DONE)
		return;
	if (e->step != EAP_PROVEN) {
		auth_fail(a, CAUSE_AUTH_SERVER_UNPROVEN, "EAP-Success without a proof");
		return;
	}
	e->step = EAP_DONE;
	auth_succeed_with_keys(a);
}

/* From a server that has proven itself this is as good as an EAP-Success, which may get lost (RFC 3748 §4.2),
 * and which pppd never sends. */
static void network_began(struct auth *a)
{
	if (a->config->role == PPP_CLIENT && a->eap.step == EAP_PROVEN)
		receive_success(a);
}

static void receive_failure(struct auth *a)
{
	struct eap *e = &a->eap;
	const char *colon = a->message[0] ? ": " : "";
	char name[16];

	if (e->foreign_type)
		auth_fail(a, CAUSE_AUTH_UNSUPPORTED, "the server asks for %s, and refuses EAP-MSCHAPv2%s%s",
			  type_name(e->foreign_type, name), colon, a->message);
	else
		auth_fail(a, CAUSE_AUTH_FAILED, "EAP: %s%s%s",
			  a->sends > 0 ? "the login was refused"
				       : "the user was refused before any challenge",
			  colon, a->message);
}

static void client_input(struct auth *a, const struct packet *p, usec_t now)
{
	if (p->code == EAP_REQUEST)
		receive_request(a, p, now);
	else if (p->code == EAP_SUCCESS)
		receive_success(a);
	else if (p->code == EAP_FAILURE)
		receive_failure(a);
}

/* Server */

static void ask_identity(struct auth *a, usec_t now)
{
	struct wire_writer w = begin(a, TYPE_IDENTITY);

	finish(a, &w);
	auth_sent(a, now);
}

/* The next request has a new identifier. */
static void ask(struct auth *a, enum eap_step step, uint8_t op, struct chunk value, const char *text,
		usec_t now)
{
	a->eap.step = step;
	a->eap.id++;
	a->sends = 0;
	send_method(a, op, value, text);
	auth_sent(a, now);
}

static void receive_identity(struct auth *a, struct wire_reader *r, usec_t now)
{
	const char *name = a->config->server.name;
	size_t len = wire_left(r);

	if (!auth_copy_user(a->user, wire_bytes(r, len), len))
		return;
	random_fill(&a->config->random, a->eap.challenge, sizeof(a->eap.challenge));
	a->eap.challenge_id = (uint8_t)(a->eap.id + 1);
	ask(a, EAP_CHALLENGE, OP_CHALLENGE, CHUNK(a->eap.challenge, sizeof(a->eap.challenge)),
	    name ? name : "", now);
}

/* An unknown user costs the same time as a wrong password. */
static void receive_answer(struct auth *a, struct wire_reader *r, usec_t now)
{
	_cleanup_secret_ struct secret password = { 0 };
	char text[MSCHAPV2_TEXT_MAX];
	const uint8_t *name;
	size_t name_len;
	const uint8_t *value = read_value(r, MSCHAPV2_VALUE_LEN, &name, &name_len);

	if (!value)
		return;
	bool known = auth_copy_user(a->user, name, name_len) && auth_find_password(a, a->user, &password);
	bool good = mschapv2_verify(&a->mschapv2, a->eap.challenge, &password, a->user, value,
				    MSCHAPV2_VALUE_LEN);
	if (known && good) {
		(void)mschapv2_success(&a->mschapv2, text);
		ask(a, EAP_PROVEN, OP_SUCCESS, CHUNK(NULL, 0), text, now);
	} else {
		(void)mschapv2_failure(a->eap.challenge, text);
		ask(a, EAP_REFUSED, OP_FAILURE, CHUNK(NULL, 0), text, now);
	}
}

static void refuse(struct auth *a, enum cause cause, const char *why)
{
	push(a, FRAME_ANSWER, EAP_FAILURE, NULL, 0);
	auth_fail(a, cause, "%s, user %s", why, a->user);
}

/* A response to the challenge has all its fields, one to our proof or refusal is its opcode alone. */
static void receive_method_response(struct auth *a, struct wire_reader *r, usec_t now)
{
	struct eap *e = &a->eap;
	uint8_t op = 0, id = 0;

	if (e->step == EAP_CHALLENGE) {
		if (read_method(r, &op, &id) == 0 && op == OP_RESPONSE && id == e->challenge_id)
			receive_answer(a, r, now);
		return;
	}
	op = wire_u8(r);
	if (e->step == EAP_REFUSED && op == OP_FAILURE) {
		refuse(a, CAUSE_AUTH_FAILED, "EAP-MSCHAPv2");
	} else if (op == OP_SUCCESS && (e->step == EAP_PROVEN || e->step == EAP_DONE)) {
		e->step = EAP_DONE;
		push(a, FRAME_ANSWER, EAP_SUCCESS, NULL, 0);
		auth_succeed_with_keys(a);
	}
}

static void server_input(struct auth *a, const struct packet *p, usec_t now)
{
	struct wire_reader r = wire_reader(p->data, p->len);
	uint8_t type = wire_u8(&r);

	if (p->code != EAP_RESPONSE || p->id != a->eap.id || r.error)
		return;
	if (type == TYPE_IDENTITY && a->eap.step == EAP_IDENTITY)
		receive_identity(a, &r, now);
	else if (type == TYPE_MSCHAPV2)
		receive_method_response(a, &r, now);
	else if (type == TYPE_NAK && a->eap.step == EAP_CHALLENGE)
		refuse(a, CAUSE_AUTH_METHOD, "the client does not want EAP-MSCHAPv2");
}

/* Both */

static void start(struct auth *a, usec_t now)
{
	if (a->config->role == PPP_CLIENT)
		return;
	random_fill(&a->config->random, &a->eap.id, 1);
	ask_identity(a, now);
}

/* Client: the credentials have come. It sends nothing of itself (RFC 3748 §4.1). */
static void timeout(struct auth *a, usec_t now)
{
	struct eap_data *waits = &a->eap.waits;

	a->deadline = USEC_NEVER;
	if (a->config->role == PPP_SERVER) {
		send_again(a, FRAME_OWN);
		auth_sent(a, now);
	} else if (waits->len > 0) {
		answer_request(a, waits->bytes, waits->len);
		waits->len = 0;
	}
}

static void input(struct auth *a, const struct packet *p, usec_t now)
{
	if (a->config->role == PPP_CLIENT)
		client_input(a, p, now);
	else
		server_input(a, p, now);
}

const struct auth_method auth_eap = {
	.protocol = PPP_PROTO_EAP,
	.start = start,
	.input = input,
	.timeout = timeout,
	.network_began = network_began,
};
