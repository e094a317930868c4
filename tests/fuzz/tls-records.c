/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client's session without its handshake, whose peer has the keys and no manners. Input is a script, for
 * TLS 1.2 behind a byte 255, else for TLS 1.3:
 *
 *     0 LEN bytes                a part of the stream as it is        5          the peer uses its next keys
 *     1 TYPE PADDING LEN bytes   a record                             6          the peer takes what came
 *     2 LEN2                     a record of so much data             7 MORE     all is flushed, or sent so
 *     3 SIZE2                    we read with so much room            8          we say goodbye
 *     4 LEN2                     we write as much                     9 KIND     KeyUpdate, and its next keys
 *                                                                     10         the connection is cut
 *
 * In TLS 1.2 there are no next keys, and 9 is a HelloRequest.
 *
 * Whatever comes: what we read is what was sealed as data, in order, and all of it if nothing was wrong; ends
 * are final; what we send is what we wrote, under the right keys, and what waits is bounded.
 */
#include <errno.h>
#include <openssl/tls1.h>
#include <string.h>
#include <sys/socket.h>

#include "base/wire.h"
#include "sealer.h"
#include "tls/internal.h"

#define SUITE_13   TLS1_3_CK_AES_128_GCM_SHA256
#define SUITE_12   TLS1_CK_ECDHE_RSA_WITH_AES_128_GCM_SHA256
#define STREAM_MAX (2u << 20) /* bytes of data either way */
#define RECORD_MAX (SEALED_EXTRA + 65535u)
#define HEARD_MAX  (QUEUE_MAX + (1u << 20)) /* a queue and a socket */

#define REQUIRE(x)               \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct machine {
	struct tls *t;
	bool tls13;
	int fds[2]; /* ours, the peer's */
	struct sealer to, from;
	size_t sealed, got;    /* bytes of data that the peer sealed, that we read */
	size_t written, heard; /* that we wrote, that the peer opened */
	uint8_t *ahead;	       /* HEARD_MAX bytes: received by the peer and not opened */
	size_t ahead_len;
	ssize_t end; /* of our reading: 1 while it goes on */
	bool wrong;  /* something is, with the peer's stream */
	bool cut;
	bool goodbye;	/* we said it */
	bool heard_end; /* an alert of ours */
};

static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 31 + i / 251);
}

/* --- our side --- */

static void machine_read(struct machine *m, size_t size)
{
	static uint8_t data[1 << 16];
	_cleanup_free_ uint8_t *out = malloc(MAX(size, 1u)); /* of exact size, for the sanitizer */
	REQUIRE(out);
	ssize_t n = tls_read(m->t, out, size);
	REQUIRE(n <= (ssize_t)size);
	REQUIRE(m->end == 1 || n == m->end); /* the end is final */
	REQUIRE(n > 0 || n == -EAGAIN || n == 0 || n == -EPROTO || n == -ECONNRESET);
	REQUIRE((n < 0 && n != -EAGAIN) == (tls_failure(m->t)->cause != CAUSE_NONE) || n > 0);
	if (n <= 0 && n != -EAGAIN)
		m->end = n;
	REQUIRE(n > 0 || size == 0 || !tls_pending(m->t));
	for (ssize_t i = 0; i < n; i++)
		data[i] = pattern(m->got + (size_t)i);
	if (n > 0) {
		REQUIRE(memcmp(out, data, (size_t)n) == 0);
		m->got += (size_t)n;
		REQUIRE(m->got <= m->sealed);
	}
	REQUIRE(wire_unsent(&m->t->wire) <= QUEUE_MAX);
}

static void machine_write(struct machine *m, size_t len, bool more)
{
	static uint8_t data[1 << 16];

	len = MIN(len, STREAM_MAX - m->written);
	for (size_t i = 0; i < len; i++)
		data[i] = pattern(m->written + i);
	ssize_t n = tls_write(m->t, data, len, more);
	REQUIRE(n <= (ssize_t)len);
	REQUIRE(n >= 0 || n == -EAGAIN || n == m->t->error || n == m->t->wire.write_error ||
		(m->goodbye && n == -EPIPE));
	m->written += (size_t)MAX(n, 0);
	REQUIRE(wire_unsent(&m->t->wire) <= QUEUE_MAX);
}

/* --- the peer --- */

/* All of it, unless nobody listens any more. */
static void machine_send(struct machine *m, const uint8_t *data, size_t len)
{
	size_t sent = 0;

	while (sent < len && !m->cut) {
		ssize_t n = send(m->fds[1], data + sent, len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		size_t before = m->got;
		sent += (size_t)MAX(n, 0);
		if (n <= 0) {
			machine_read(m, 1 << 16);
			if (m->got == before && m->end != 1)
				break;
		}
	}
	m->wrong |= sent < len;
}

static void machine_seal(struct machine *m, uint8_t type, const uint8_t *content, size_t len, size_t padding)
{
	static uint8_t record[RECORD_MAX];

	machine_send(m, record, sealer_seal(&m->to, type, content, len, padding, record));
}

static void machine_seal_data(struct machine *m, size_t len)
{
	static uint8_t data[1 << 16];

	len = MIN(len, 65535u - SEALED_EXTRA);
	if (m->sealed + len > STREAM_MAX)
		return;
	for (size_t i = 0; i < len; i++)
		data[i] = pattern(m->sealed + i);
	m->sealed += len;
	machine_seal(m, SSL3_RT_APPLICATION_DATA, data, len, 0);
}

/* The message that a version has for it. */
static void machine_demand(struct machine *m, uint8_t kind)
{
	if (m->tls13) {
		machine_seal(m, SSL3_RT_HANDSHAKE, (uint8_t[]){ 24, 0, 0, 1, kind }, 5, 0);
		sealer_update(&m->to);
	} else {
		machine_seal(m, SSL3_RT_HANDSHAKE, (uint8_t[]){ 0, 0, 0, 0 }, 4, 0);
	}
}

/* A record that we sent. */
static void machine_open(struct machine *m, const uint8_t *record, size_t len)
{
	static uint8_t content[RECORD_MAX];
	uint8_t type = 0;
	ssize_t n = sealer_open(&m->from, record, len, &type, content);

	REQUIRE(n > 0 && n <= (ssize_t)TLS_RECORD_MAX);
	REQUIRE(!m->heard_end); /* nothing follows an alert of ours */
	switch (type) {
	case SSL3_RT_APPLICATION_DATA:
		for (ssize_t i = 0; i < n; i++)
			REQUIRE(content[i] == pattern(m->heard++));
		REQUIRE(m->heard <= m->written);
		break;
	case SSL3_RT_HANDSHAKE:
		REQUIRE(m->tls13 && n == 5 && memcmp(content, "\x18\x00\x00\x01\x00", 5) == 0);
		sealer_update(&m->from);
		break;
	case SSL3_RT_ALERT:
		REQUIRE(n == 2);
		if (!m->tls13 && content[0] == SSL3_AL_WARNING && content[1] == SSL_AD_NO_RENEGOTIATION)
			break;
		REQUIRE(content[0] == SSL3_AL_FATAL || content[1] == SSL_AD_CLOSE_NOTIFY);
		m->heard_end = true;
		break;
	default:
		abort();
	}
}

static void machine_hear(struct machine *m)
{
	size_t at = 0, record;
	ssize_t n;

	while ((n = recv(m->fds[1], m->ahead + m->ahead_len, HEARD_MAX - m->ahead_len, MSG_DONTWAIT)) > 0)
		m->ahead_len += (size_t)n;
	while ((record = sealed_length(m->ahead + at, m->ahead_len - at)) > 0) {
		machine_open(m, m->ahead + at, record);
		at += record;
	}
	m->ahead_len -= at;
	memmove(m->ahead, m->ahead + at, m->ahead_len);
}

/* --- the script --- */

static void machine_step(struct machine *m, struct wire_reader *r)
{
	uint8_t type, padding;
	const uint8_t *bytes;
	size_t len;

	switch (wire_u8(r) % 11) {
	case 0:
		len = wire_u8(r);
		len = MIN(len, wire_left(r));
		m->wrong |= len > 0;
		bytes = wire_bytes(r, len);
		machine_send(m, bytes, len);
		break;
	case 1:
		type = wire_u8(r);
		padding = wire_u8(r);
		len = wire_u8(r);
		len = MIN(len, wire_left(r));
		bytes = wire_bytes(r, len);
		/* Data comes from 2 alone; the type 0 would be padding, and the last byte the type. */
		if (type == SSL3_RT_APPLICATION_DATA || type == 0)
			len = 0;
		machine_seal(m, type, bytes, len, padding);
		break;
	case 2:
		machine_seal_data(m, wire_u16(r));
		break;
	case 3:
		machine_read(m, wire_u16(r));
		break;
	case 4:
		machine_write(m, wire_u16(r), true);
		break;
	case 5:
		if (!m->tls13)
			break;
		sealer_update(&m->to);
		m->wrong = true;
		break;
	case 6:
		machine_hear(m);
		break;
	case 7:
		if (wire_u8(r) % 2)
			machine_write(m, 1, false);
		else
			(void)tls_flush(m->t);
		break;
	case 8:
		(void)tls_shutdown(m->t);
		m->goodbye = true;
		break;
	case 9:
		machine_demand(m, wire_u8(r));
		break;
	default:
		m->cut = true;
		(void)shutdown(m->fds[1], SHUT_WR);
		break;
	}
}

/* What is left arrives. */
static void machine_finish(struct machine *m)
{
	size_t got;

	do {
		got = m->got;
		machine_read(m, 1 << 16);
	} while (m->got > got);
	while (tls_flush(m->t) == -EAGAIN)
		machine_hear(m);
	machine_hear(m);
	if (m->end == 1 && !m->wrong)
		REQUIRE(m->got == m->sealed);
	if (m->end == 1 && !m->t->wire.write_error)
		REQUIRE(m->heard == m->written && m->ahead_len == 0);
	REQUIRE(m->end != -ECONNRESET || m->cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct wire_reader r = wire_reader(data, len);
	static uint8_t ahead[HEARD_MAX];
	struct machine m = { .ahead = ahead, .end = 1, .tls13 = len == 0 || data[0] != 255 };
	const uint32_t suite = m.tls13 ? SUITE_13 : SUITE_12;
	struct traffic_secrets secrets = sealer_secrets(suite);

	wire_skip(&r, m.tls13 ? 0 : 1);
	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, m.fds) == 0);
	m.t = session_with_secrets(&secrets, false, m.fds[0]);
	sealer_init(&m.from, suite, &secrets, false);
	sealer_init(&m.to, suite, &secrets, true);
	while (wire_left(&r) > 0)
		machine_step(&m, &r);
	machine_finish(&m);
	tls_free(m.t);
	close_fd(m.fds[0]);
	close_fd(m.fds[1]);
	return 0;
}
