/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PAP, RFC 1334 §2. */
#include <string.h>

#include "base/wire.h"
#include "proto/ppp/auth.h"

enum { PAP_REQUEST = 1, PAP_ACK, PAP_NAK };

#define PAP_ID	      1
#define PAP_FIELD_MAX 255

static void send_request(struct auth *a, usec_t now)
{
	const struct credentials *c = a->credentials;
	uint8_t body[2 + 2 * PAP_FIELD_MAX];
	struct wire_writer w = wire_writer(body, sizeof(body));
	size_t user_len = strlen(c->user);

	if (!c->known)
		return;
	if (c->password.len > PAP_FIELD_MAX) {
		auth_fail(a, CAUSE_AUTH_FAILED, "the password is too long for PAP");
		return;
	}
	wire_put_u8(&w, (uint8_t)user_len);
	wire_put(&w, c->user, user_len);
	wire_put_u8(&w, (uint8_t)c->password.len);
	wire_put(&w, c->password.data, c->password.len);
	(void)frame_queue_push(a->queue, FRAME_OWN, PPP_PROTO_PAP, PAP_REQUEST, PAP_ID, body, w.len);
	wipe(body, sizeof(body));
	auth_sent(a, now);
}

static void start(struct auth *a, usec_t now)
{
	if (a->config->role == PPP_CLIENT)
		send_request(a, now);
}

static void timeout(struct auth *a, usec_t now)
{
	a->deadline = USEC_NEVER;
	start(a, now);
}

/* The text is optional in practice: some servers leave even its length out, others put it behind the packet.
 */
static void read_message(struct auth *a, const struct packet *p)
{
	struct wire_reader r = wire_reader(p->data, p->len);
	size_t len = wire_u8(&r);
	const uint8_t *text = wire_bytes(&r, len);

	if (text)
		printable(a->message, sizeof(a->message), text, len);
}

static void client_input(struct auth *a, const struct packet *p)
{
	if (a->sends == 0 || p->id != PAP_ID || a->status != AUTH_RUNNING)
		return;
	read_message(a, p);
	if (p->code == PAP_ACK)
		auth_succeed(a);
	else if (p->code == PAP_NAK)
		auth_fail(a, CAUSE_AUTH_FAILED, "PAP%s%s", a->message[0] ? ": " : "", a->message);
}

static void answer(struct auth *a, uint8_t code, uint8_t id, const char *text)
{
	uint8_t body[64];
	struct wire_writer w = wire_writer(body, sizeof(body));

	wire_put_u8(&w, (uint8_t)strlen(text));
	wire_put(&w, text, strlen(text));
	(void)frame_queue_push(a->queue, FRAME_ANSWER, PPP_PROTO_PAP, code, id, body, w.len);
}

static void server_input(struct auth *a, const struct packet *p)
{
	_cleanup_secret_ struct secret password = { 0 };
	struct wire_reader r = wire_reader(p->data, p->len);
	size_t user_len = wire_u8(&r);
	const uint8_t *user = wire_bytes(&r, user_len);
	size_t given_len = wire_u8(&r);
	const uint8_t *given = wire_bytes(&r, given_len);

	if (p->code != PAP_REQUEST || r.error)
		return;
	if (a->status == AUTH_SUCCEEDED) { /* our Ack was lost */
		answer(a, PAP_ACK, p->id, "Login ok");
		return;
	}
	if (auth_copy_user(a->user, user, user_len) && auth_find_password(a, a->user, &password) &&
	    password.len == given_len && equal_constant_time(password.data, given, given_len)) {
		answer(a, PAP_ACK, p->id, "Login ok");
		auth_succeed(a);
		return;
	}
	answer(a, PAP_NAK, p->id, "Authentication failed");
	auth_fail(a, CAUSE_AUTH_FAILED, "PAP, user %s", a->user);
}

static void input(struct auth *a, const struct packet *p, usec_t now)
{
	(void)now;
	if (a->config->role == PPP_CLIENT)
		client_input(a, p);
	else
		server_input(a, p);
}

const struct auth_method auth_pap = {
	.protocol = PPP_PROTO_PAP,
	.start = start,
	.input = input,
	.timeout = timeout,
};
