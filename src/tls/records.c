/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS 1.3 records of an established session (RFC 8446 §5), with the keys that OpenSSL negotiated and its
 * ciphers, but without its buffers: what kernel TLS does, in user space. SSL_read() and SSL_write() copy
 * every byte three times on its way through both ends; here a record is decrypted from where recv(2) put it
 * to where the packet path wants it, and encrypted straight into what send(2) takes. And the SSL and SSL_CTX
 * objects, a third of an idle worker's memory, are not needed any more.
 *
 * What can come after a handshake is little: data, KeyUpdate (§4.6.3), session tickets, which are passed over
 * (no session is ever resumed), and alerts (§6). All else is a violation.
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
#define TICKET_MAX     65535u		       /* a generous bound for what is only passed over */
#define MESSAGE_HEADER 4u

#define NEW_SESSION_TICKET 4
#define KEY_UPDATE	   24

struct records {
	struct traffic in, out;
	/* Plaintext for which the caller had no room; it was decrypted where it lay. */
	const uint8_t *rest;
	size_t rest_len;
	/* The handshake message that is being received. */
	uint8_t message[MESSAGE_HEADER];
	size_t message_len; /* bytes of its header */
	size_t message_left;
	bool shut; /* close_notify was sent */
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
	if (t->records->shut) /* nothing follows close_notify, §6.1 */
		return -EPIPE;
	return add_record(t, SSL3_RT_APPLICATION_DATA, data, len);
}

static void send_alert(struct tls *t, uint8_t level, uint8_t alert)
{
	if (t->records->shut || add_record(t, SSL3_RT_ALERT, (uint8_t[]){ level, alert }, 2) < 0)
		return;
	t->records->shut = true;
	(void)wire_flush(&t->wire);
}

void records_shutdown(struct tls *t)
{
	send_alert(t, SSL3_AL_WARNING, SSL_AD_CLOSE_NOTIFY);
}

/* --- reading --- */

/* The peer broke the protocol: tells it, and the user. Returns the error of the session. */
static int violation(struct tls *t, uint8_t alert, const char *what)
{
	char text[48];

	ERR_clear_error();
	send_alert(t, SSL3_AL_FATAL, alert);
	alert_text(alert, text, sizeof(text));
	failure_set(&t->failure, CAUSE_CONNECTION_LOST, "TLS: %s: %s", what, text);
	return t->error = -EPROTO;
}

static int out_of_memory(struct tls *t)
{
	ERR_clear_error();
	(void)wire_give_up(&t->wire, -ENOMEM); /* nothing may leave under half of a new key */
	failure_set(&t->failure, CAUSE_CONNECTION_LOST, "TLS: out of memory for new keys");
	return t->error = -EPROTO;
}

/* §4.6.3. The answer goes out before anything that is written later. */
static int on_key_update(struct tls *t, uint8_t request)
{
	struct records *r = t->records;

	if (request > 1)
		return violation(t, SSL_AD_ILLEGAL_PARAMETER, "a key update of unknown kind");
	if (traffic_update(&r->in) < 0)
		return out_of_memory(t);
	if (request == 0 || r->shut)
		return 0;
	if (add_record(t, SSL3_RT_HANDSHAKE, (uint8_t[]){ KEY_UPDATE, 0, 0, 1, 0 }, 5) < 0)
		return 0; /* the connection is broken for writing; the reading goes on */
	if (traffic_update(&r->out) < 0)
		return out_of_memory(t);
	(void)wire_flush(&t->wire);
	return 0;
}

/* The header of a message is complete. */
static int on_message_header(struct tls *t)
{
	struct records *r = t->records;
	struct wire_reader in = wire_reader(r->message, sizeof(r->message));
	uint32_t word = wire_u32(&in), type = word >> 24;

	r->message_left = word & 0xffffff;
	if (type != KEY_UPDATE && (type != NEW_SESSION_TICKET || t->server))
		return violation(t, SSL_AD_UNEXPECTED_MESSAGE, "a handshake message that has no place here");
	if (type == KEY_UPDATE ? r->message_left != 1 : r->message_left > TICKET_MAX)
		return violation(t, SSL_AD_DECODE_ERROR, "a handshake message of wrong length");
	return tls_note_message(t);
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

/* Messages may be cut across records, and several may be in one (§5.1). */
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

static int take_alert(struct tls *t, struct wire_reader *in)
{
	if (wire_left(in) == 0) /* §5.4 */
		return violation(t, SSL_AD_UNEXPECTED_MESSAGE, "an empty alert record");
	wire_skip(in,
		  1); /* the level says nothing any more: what is not an end by agreement is fatal, §6.2 */
	uint8_t alert = wire_u8(in);

	if (wire_finish(in) < 0)
		return violation(t, SSL_AD_DECODE_ERROR, "an alert of odd length");
	if (alert == SSL_AD_CLOSE_NOTIFY) {
		t->closed = true;
		return 0;
	}
	if (alert == SSL_AD_USER_CANCELLED) /* close_notify follows, §6.1 */
		return tls_note_message(t);
	t->alert = alert;
	return explain_session(t);
}

/* Anything but data, decrypted. */
static int take_control(struct tls *t, uint8_t type, const uint8_t *p, size_t len)
{
	struct wire_reader in = wire_reader(p, len);

	if (type != SSL3_RT_HANDSHAKE && t->records->message_len > 0)
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
	const struct wire *w = &t->wire;
	struct wire_reader in = wire_reader(w->ahead + w->ahead_at, wire_ahead(w));
	uint8_t type = wire_u8(&in), major = wire_u8(&in);

	wire_skip(&in, 1); /* the minor version says nothing (§5.1); the major one must be that of the header
			      that was authenticated */
	uint16_t len = wire_u16(&in);
	if (in.error)
		return 0;
	if (type != SSL3_RT_APPLICATION_DATA || major != SSL3_VERSION_MAJOR)
		return violation(t, SSL_AD_UNEXPECTED_MESSAGE, "a record that is not encrypted");
	if (len > CIPHERTEXT_MAX)
		return violation(t, SSL_AD_RECORD_OVERFLOW, "a record longer than allowed");
	if (len < TAG_LEN + 1)
		return violation(t, SSL_AD_BAD_RECORD_MAC, "a record without content");
	return wire_left(&in) < len ? 0 : (ssize_t)len;
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
	size_t n = (size_t)len - TAG_LEN;
	bool direct = n <= size;
	uint8_t *plain = direct ? out : record + HEADER_LEN;
	t->wire.ahead_at += HEADER_LEN + (size_t)len;
	if (!traffic_open(&r->in, record, (size_t)len, plain))
		return violation(t, SSL_AD_BAD_RECORD_MAC, "a record that is not authentic");
	while (n > 0 && plain[n - 1] == 0) /* padding, §5.4 */
		n--;
	if (n == 0)
		return violation(t, SSL_AD_UNEXPECTED_MESSAGE, "a record without a type");
	uint8_t type = plain[--n];
	if (n > TLS_RECORD_MAX)
		return violation(t, SSL_AD_RECORD_OVERFLOW, "a record longer than allowed");
	if (type != SSL3_RT_APPLICATION_DATA || n == 0 || r->message_len > 0)
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
	if (n == -EAGAIN && got == 0 && t->wire.write_error)
		n = explain_session(t); /* nobody will learn of it by writing */
	t->blocked = n < 0 || t->closed;
	*ret_end = (int)MIN(n, 0);
	return got;
}
