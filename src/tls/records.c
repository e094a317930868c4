/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of an established session, TLS 1.3 (RFC 8446 §5) or 1.2 with an AEAD cipher (RFC 5246 §6.2), with
 * the keys that OpenSSL negotiated and its ciphers, but without its buffers: what kernel TLS does, in user
 * space. SSL_read() and SSL_write() copy every byte three times on its way through both ends; here a record
 * is decrypted from where recv(2) put it to where the packet path wants it, and encrypted straight into what
 * send(2) takes. And the SSL and SSL_CTX objects are not needed any more.
 *
 * What can come after a handshake is little: data, alerts, and handshake messages (the table below). TLS 1.3
 * has KeyUpdate, and session tickets, which are passed over (no session is ever resumed); TLS 1.2 the wish to
 * negotiate again, which is refused. All else is a violation. Sections without an RFC are of RFC 8446.
 */
#include "tls/records.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/wire.h"
#include "tls/internal.h"
#include "tls/traffic.h"

#define CIPHERTEXT_MAX (TLS_RECORD_MAX + 256u) /* §5.2 */
#define MESSAGE_MAX    65535u		       /* a generous bound for what is only passed over */
#define MESSAGE_HEADER 4u

#define HELLO_REQUEST	   0
#define CLIENT_HELLO	   1
#define NEW_SESSION_TICKET 4
#define KEY_UPDATE	   24

/* The handshake messages that have a place here. */
static const struct message {
	uint8_t type;
	bool tls13, to_client, to_server;
	size_t min, max;
} messages[] = {
	{ NEW_SESSION_TICKET, true, true, false, 0, MESSAGE_MAX },
	{ KEY_UPDATE, true, true, true, 1, 1 },
	{ HELLO_REQUEST, false, true, false, 0, 0 },
	{ CLIENT_HELLO, false, false, true, 0, MESSAGE_MAX },
};

struct records {
	struct traffic in, out;
	/* Plaintext for which the caller had no room; it was decrypted where it lay. */
	const uint8_t *rest;
	size_t rest_len;
	/* The handshake message that is being received. */
	uint8_t message[MESSAGE_HEADER];
	size_t message_len; /* bytes of its header */
	size_t message_left;
	bool shut; /* the last alert was sent */
};

int records_new(const struct traffic_secrets *secrets, bool server, struct records **ret)
{
	struct records *r = calloc(1, sizeof(*r));
	int error;

	if (!r)
		return -ENOMEM;
	error = traffic_init(&r->in, secrets, !server, false);
	if (error == 0)
		error = traffic_init(&r->out, secrets, server, true);
	if (error < 0) {
		records_free(r);
		return error;
	}
	*ret = r;
	return 0;
}

void records_free(struct records *r)
{
	if (!r)
		return;
	traffic_clear(&r->in);
	traffic_clear(&r->out);
	wipe(r, sizeof(*r));
	free(r);
}

/* --- writing --- */

static int add_record(struct tls *t, uint8_t type, const uint8_t *data, size_t len)
{
	size_t size = traffic_sealed_len(&t->records->out, len);
	uint8_t *place;

	if (t->wire.write_error)
		return t->wire.write_error;
	int error = wire_reserve_queue(&t->wire, size, &place);
	if (error == 0 && !traffic_seal(&t->records->out, type, data, len, place))
		error = -EIO;
	if (error < 0)
		return wire_give_up(&t->wire, error);
	t->wire.len += size;
	return 0;
}

int records_write(struct tls *t, const uint8_t *data, size_t len)
{
	return add_record(t, SSL3_RT_APPLICATION_DATA, data, len);
}

static void send_alert(struct tls *t, uint8_t level, uint8_t alert)
{
	if (!t->records->shut && add_record(t, SSL3_RT_ALERT, (uint8_t[]){ level, alert }, 2) == 0)
		(void)wire_flush(&t->wire);
}

/* Nothing follows this one, §6.1; RFC 5246 §7.2.1. */
static void send_last_alert(struct tls *t, uint8_t level, uint8_t alert)
{
	send_alert(t, level, alert);
	t->records->shut = true;
}

void records_shutdown(struct tls *t)
{
	send_last_alert(t, SSL3_AL_WARNING, SSL_AD_CLOSE_NOTIFY);
}

/* --- reading --- */

/* The peer broke the protocol: tells it, and the user. Returns the error of the session. */
static int violation(struct tls *t, uint8_t alert, const char *what)
{
	char text[48];

	ERR_clear_error();
	send_last_alert(t, SSL3_AL_FATAL, alert);
	alert_text(alert, text, sizeof(text));
	failure_set(&t->failure, CAUSE_CONNECTION_LOST, "TLS: %s: %s", what, text);
	return t->error = -EPROTO;
}

/* §4.6.3. The answer goes out before anything that is written later. */
static int on_key_update(struct tls *t, uint8_t request)
{
	struct records *r = t->records;

	if (request > 1)
		return violation(t, SSL_AD_ILLEGAL_PARAMETER, "a key update of unknown kind");
	if (traffic_update(&r->in) < 0)
		return violation(t, SSL_AD_INTERNAL_ERROR, "no memory for new keys");
	if (request == 0 || r->shut)
		return 0;
	if (add_record(t, SSL3_RT_HANDSHAKE, (uint8_t[]){ KEY_UPDATE, 0, 0, 1, 0 }, 5) < 0)
		return 0;		   /* the connection is broken for writing; the reading goes on */
	if (traffic_update(&r->out) < 0) { /* nothing may leave under half of a new key */
		(void)wire_give_up(&t->wire, -ENOMEM);
		return violation(t, SSL_AD_INTERNAL_ERROR, "no memory for new keys");
	}
	(void)wire_flush(&t->wire);
	return 0;
}

static const struct message *find_message(const struct tls *t, uint32_t type)
{
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++)
		if (messages[i].type == type && messages[i].tls13 == t->records->in.tls13 &&
		    (t->server ? messages[i].to_server : messages[i].to_client))
			return &messages[i];
	return NULL;
}

/* The header of a message is complete. */
static int on_message_header(struct tls *t)
{
	struct records *r = t->records;
	struct wire_reader in = wire_reader(r->message, sizeof(r->message));
	uint32_t word = wire_u32(&in);
	const struct message *m = find_message(t, word >> 24);

	r->message_left = word & 0xffffff;
	if (!m)
		return violation(t, SSL_AD_UNEXPECTED_MESSAGE, "a handshake message that has no place here");
	if (r->message_left < m->min || r->message_left > m->max)
		return violation(t, SSL_AD_DECODE_ERROR, "a handshake message of wrong length");
	int error = tls_note_message(t);
	if (error == 0 && !r->in.tls13) /* RFC 5246 §7.2.2; what the peer makes of that is its affair */
		send_alert(t, SSL3_AL_WARNING, SSL_AD_NO_RENEGOTIATION);
	return error;
}

/* The one byte of a KeyUpdate. What followed it in this record would be under the old keys (§5.1). */
static int take_key_update(struct tls *t, struct wire_reader *in)
{
	uint8_t request = wire_u8(in);

	t->records->message_left = 0;
	if (wire_left(in) > 0)
		return violation(t, SSL_AD_UNEXPECTED_MESSAGE, "a record that spans a change of keys");
	return on_key_update(t, request);
}

/* Messages may be cut across records, and several may be in one (§5.1; RFC 5246 §6.2.1). */
static int take_handshake(struct tls *t, struct wire_reader *in)
{
	struct records *r = t->records;
	int error = 0;

	if (wire_left(in) == 0)
		return violation(t, SSL_AD_UNEXPECTED_MESSAGE, "an empty handshake record");
	while (wire_left(in) > 0 && error == 0) {
		if (r->message_len < MESSAGE_HEADER) {
			r->message[r->message_len++] = wire_u8(in);
			if (r->message_len == MESSAGE_HEADER)
				error = on_message_header(t);
		} else if (r->message[0] == KEY_UPDATE) {
			error = take_key_update(t, in);
		} else {
			size_t n = MIN(wire_left(in), r->message_left);
			r->message_left -= n;
			wire_skip(in, n);
		}
		if (r->message_len == MESSAGE_HEADER && r->message_left == 0)
			r->message_len = 0;
	}
	return error;
}

/* In TLS 1.2 the level says whether it can go on (RFC 5246 §7.2). Since TLS 1.3 it says nothing any more, and
 * what is not an end by agreement, nor announces it, is fatal (§6). */
static bool is_survivable(const struct records *r, uint8_t level, uint8_t alert)
{
	return r->in.tls13 ? alert == SSL_AD_USER_CANCELLED : level == SSL3_AL_WARNING;
}

static int take_alert(struct tls *t, struct wire_reader *in)
{
	if (wire_left(in) == 0) /* §5.4; RFC 5246 §6.2.1 */
		return violation(t, SSL_AD_UNEXPECTED_MESSAGE, "an empty alert record");
	uint8_t level = wire_u8(in), alert = wire_u8(in);

	if (wire_finish(in) < 0)
		return violation(t, SSL_AD_DECODE_ERROR, "an alert of odd length");
	if (alert == SSL_AD_CLOSE_NOTIFY) {
		t->closed = true;
		return 0;
	}
	if (is_survivable(t->records, level, alert))
		return tls_note_message(t);
	t->alert = alert;
	return explain_session(t);
}

/* Where a handshake message has begun, TLS 1.3 lets no other record come before its end (§5.1); TLS 1.2 does
 * (RFC 5246 §6.2.1). */
static bool interrupts_message(const struct records *r, uint8_t type)
{
	return r->in.tls13 && r->message_len > 0 && type != SSL3_RT_HANDSHAKE;
}

/* Anything but data, decrypted. */
static int take_control(struct tls *t, uint8_t type, const uint8_t *p, size_t len)
{
	struct wire_reader in = wire_reader(p, len);

	if (interrupts_message(t->records, type))
		return violation(t, SSL_AD_UNEXPECTED_MESSAGE, "a handshake message was interrupted");
	switch (type) {
	case SSL3_RT_HANDSHAKE:
		return take_handshake(t, &in);
	case SSL3_RT_ALERT:
		return take_alert(t, &in);
	case SSL3_RT_APPLICATION_DATA: /* empty, against traffic analysis: nothing to be done, but not for
					  ever */
		return tls_note_message(t);
	default:
		return violation(t, SSL_AD_UNEXPECTED_MESSAGE, "a record of unknown type");
	}
}

/* What follows the header of the record at the front, once all of it is there. 0 if not yet, or the session's
 * error. */
static ssize_t record_length(struct tls *t)
{
	const struct traffic *keys = &t->records->in;
	const struct wire *w = &t->wire;
	struct wire_reader in = wire_reader(w->ahead + w->ahead_at, wire_ahead(w));
	uint8_t type = wire_u8(&in), major = wire_u8(&in);
	/* TLS 1.3 has room for padding; RFC 5246 §6.2.3 for more than an AEAD cipher needs. */
	size_t shortest = traffic_sealed_len(keys, 0) - HEADER_LEN;
	size_t longest = keys->tls13 ? CIPHERTEXT_MAX : shortest + TLS_RECORD_MAX;

	wire_skip(&in, 1); /* the minor version says nothing (§5.1), and is authenticated */
	uint16_t len = wire_u16(&in);
	if (in.error)
		return 0;
	if ((keys->tls13 && type != SSL3_RT_APPLICATION_DATA) || major != SSL3_VERSION_MAJOR)
		return violation(t, SSL_AD_UNEXPECTED_MESSAGE, "a record that is not encrypted");
	if (len > longest)
		return violation(t, SSL_AD_RECORD_OVERFLOW, "a record longer than allowed");
	if (len < shortest)
		return violation(t, SSL_AD_BAD_RECORD_MAC, "a record shorter than an empty one");
	return wire_left(&in) < len ? 0 : (ssize_t)len;
}

/* TLS 1.3 has the true type behind the content, and zeros behind that (§5.4). False: zeros alone. */
static bool take_type(const uint8_t *plain, size_t *n, uint8_t *ret)
{
	while (*n > 0 && plain[*n - 1] == 0)
		--*n;
	if (*n == 0)
		return false;
	*ret = plain[--*n];
	return true;
}

/*
 * Takes the record at the front of what has arrived: its data goes to `out`, or where there is not enough
 * room stays where it is. Returns the bytes put at `out`, -EAGAIN if it is not all there, or the session's
 * error.
 */
static ssize_t take_record(struct tls *t, uint8_t *out, size_t size)
{
	struct records *r = t->records;
	uint8_t *record = t->wire.ahead + t->wire.ahead_at;
	ssize_t len = record_length(t);

	if (len <= 0)
		return len < 0 ? len : -EAGAIN;
	t->wire.ahead_at += HEADER_LEN + (size_t)len;
	size_t n = traffic_inner_len(&r->in, (size_t)len);
	bool direct = n <= size;
	const uint8_t *plain = traffic_open(&r->in, record, (size_t)len, direct ? out : NULL);
	if (!plain)
		return violation(t, SSL_AD_BAD_RECORD_MAC, "a record that is not authentic");
	uint8_t type = record[0];
	if (r->in.tls13 && !take_type(plain, &n, &type))
		return violation(t, SSL_AD_UNEXPECTED_MESSAGE, "a record without a type");
	/* §5.4 would count the padding, too; the content alone is what we have to bound, and OpenSSL's way.
	 */
	if (n > TLS_RECORD_MAX)
		return violation(t, SSL_AD_RECORD_OVERFLOW, "a record longer than allowed");
	if (type != SSL3_RT_APPLICATION_DATA || n == 0 || interrupts_message(r, type))
		return take_control(t, type, plain, n);
	t->messages = 0;
	if (direct)
		return (ssize_t)n;
	r->rest = plain;
	r->rest_len = n;
	return 0;
}

size_t records_rest(const struct records *r)
{
	return r->rest_len;
}

static size_t take_rest(struct records *r, uint8_t *out, size_t size)
{
	size_t n = MIN(size, r->rest_len);

	memcpy(out, r->rest, n);
	r->rest += n;
	r->rest_len -= n;
	return n;
}

/* One recv(2). 0, -EAGAIN, or the session's error. */
static int receive(struct tls *t)
{
	int error = wire_receive(&t->wire);

	return error == 0 || error == -EAGAIN ? error : explain_session(t);
}

size_t records_read(struct tls *t, uint8_t *out, size_t size, int *ret_end)
{
	bool received = false; /* once: latency, and a chance for the others */
	size_t got = 0;
	ssize_t n = 0;

	while (got < size && !t->closed && n >= 0) {
		if (t->records->rest_len > 0)
			n = (ssize_t)take_rest(t->records, out + got, size - got);
		else
			n = take_record(t, out + got, size - got);
		got += (size_t)MAX(n, 0);
		if (n == -EAGAIN && got == 0 && !received) {
			received = true;
			n = receive(t);
		}
	}
	/* Nobody will learn of it by writing; but first comes what the peer has said. */
	if (n == -EAGAIN && t->wire.write_error && (got == 0 || t->wire.drained))
		n = explain_session(t);
	t->blocked = n < 0 || t->closed;
	*ret_end = (int)MIN(n, 0);
	return got;
}
