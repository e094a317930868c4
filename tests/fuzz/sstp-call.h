/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drives one end of an SSTP call by a script: a byte below 0xf0 lets that many of the following bytes arrive,
 * the bytes above it are what the upper layer and the clock do. Whatever comes, the engine must keep its
 * word.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "proto/sstp/message.h"
#include "proto/sstp/sstp.h"
#include "proto/sstp/sstp_state.h"

enum { OP_FETCH = 0xf0, OP_AUTHENTICATED, OP_TIMER, OP_DISCONNECT, OP_LOST = 0xf5, OP_WAIT, OP_DATA };

/* The certificate of tests/vectors/vectors.json, so that a corpus can hold valid bindings. */
static const uint8_t cert_sha1[20] = { 0x95, 0xdc, 0x07, 0x51, 0x40, 0x00, 0x1b, 0x9f, 0xf6, 0x71,
				       0x20, 0x0a, 0x0c, 0xee, 0x11, 0xc3, 0x86, 0x2b, 0xc7, 0x50 };
static const uint8_t cert_sha256[32] = { 0x4b, 0x06, 0x07, 0xcf, 0xca, 0x39, 0x96, 0x1f, 0xb6, 0x95, 0xfb,
					 0x3d, 0x37, 0x61, 0x3d, 0x92, 0x84, 0xb0, 0x94, 0x36, 0x73, 0x7a,
					 0x40, 0xef, 0xe5, 0x87, 0x7e, 0x6b, 0x12, 0x54, 0x6c, 0x02 };

struct script {
	struct sstp s;
	usec_t now;
	uint8_t in[2 * SSTP_PACKET_MAX];
	size_t in_len;
	int last_event;
};

#define MUST(what)               \
	do {                     \
		if (!(what))     \
			abort(); \
	} while (0)

static void script_random(void *ctx, void *out, size_t len)
{
	(void)ctx;
	for (size_t i = 0; i < len; i++)
		((uint8_t *)out)[i] = (uint8_t)(0x40 + i);
}

/* Takes what has arrived. */
static void script_input(struct script *t)
{
	size_t pos = 0;

	while (pos < t->in_len) {
		enum sstp_state before = sstp_state(&t->s);
		struct sstp_input input;
		ssize_t n = sstp_input(&t->s, t->in + pos, t->in_len - pos, t->now, &input);

		MUST(n <= (ssize_t)(t->in_len - pos));
		if (n < 0)
			MUST(n == -EBADMSG && sstp_state(&t->s) == SSTP_STATE_ENDED && t->s.queued == 0);
		if (n <= 0)
			break;
		if (input.frame) {
			MUST(before == SSTP_STATE_ACK_RECEIVED || before == SSTP_STATE_CONNECTED);
			MUST(input.frame == t->in + pos + SSTP_HEADER_LEN);
			MUST(input.frame_len == (size_t)n - SSTP_HEADER_LEN && input.frame_len > 0);
		}
		pos += (size_t)n;
	}
	memmove(t->in, t->in + pos, t->in_len - pos);
	t->in_len -= pos;
}

/* What is sent is always a sequence of well-formed control packets. */
static void script_output(struct script *t)
{
	uint8_t out[SSTP_QUEUE_SIZE];
	size_t len = sstp_output(&t->s, out, sizeof(out)), pos = 0;

	while (pos < len) {
		size_t packet = (size_t)(out[pos + 2] << 8 | out[pos + 3]);

		MUST(len - pos >= packet && packet >= SSTP_CONTROL_MIN);
		struct sstp_message m = sstp_message_read(out + pos, packet);
		MUST(out[pos] == SSTP_VERSION && out[pos + 1] == 1 && m.well_formed);
		MUST(m.type >= SSTP_CALL_CONNECT_REQUEST && m.type <= SSTP_ECHO_RESPONSE);
		pos += packet;
	}
}

/* Events come once, in order, and ENDED is the last. */
static void script_events(struct script *t)
{
	struct sstp_event e;

	while ((e = sstp_event(&t->s)).type != SSTP_EVENT_NONE) {
		MUST((int)e.type > t->last_event);
		MUST((e.failure.cause == CAUSE_NONE) == (e.failure.detail[0] == 0));
		t->last_event = (int)e.type;
	}
	MUST((sstp_state(&t->s) == SSTP_STATE_ENDED) == (t->last_event == SSTP_EVENT_ENDED));
	MUST((sstp_state(&t->s) == SSTP_STATE_ENDED) == (sstp_deadline(&t->s) == USEC_NEVER));
	MUST(t->s.queued <= sizeof(t->s.queue));
}

static void script_run(enum sstp_role role, const uint8_t *data, size_t len)
{
	static const uint8_t zero[SSTP_HLAK_LEN];
	struct sstp_config config = { .role = role, .random = { .fill = script_random } };
	struct script t = { .now = USEC_PER_SEC };

	memcpy(config.cert_sha1, cert_sha1, sizeof(cert_sha1));
	memcpy(config.cert_sha256, cert_sha256, sizeof(cert_sha256));
	sstp_init(&t.s, &config);
	sstp_start(&t.s, t.now);
	for (size_t pos = 0; pos < len;) {
		uint8_t op = data[pos++];

		switch (op) {
		case OP_FETCH:
			script_output(&t);
			break;
		case OP_AUTHENTICATED:
			sstp_authenticated(&t.s, zero, t.now);
			break;
		case OP_TIMER:
			if (sstp_deadline(&t.s) != USEC_NEVER)
				t.now = sstp_deadline(&t.s);
			sstp_timeout(&t.s, t.now);
			break;
		case OP_DISCONNECT:
			sstp_disconnect(&t.s, NULL, t.now);
			break;
		case OP_LOST:
			sstp_transport_lost(&t.s, t.now);
			break;
		case OP_WAIT:
			t.now += USEC_PER_SEC;
			break;
		case OP_DATA:
			sstp_data_received(&t.s, t.now);
			break;
		default: {
			size_t n = len - pos;

			if (n > op)
				n = op;
			memcpy(t.in + t.in_len, data + pos, n);
			t.in_len += n;
			pos += n;
			script_input(&t);
			/* Less than a packet is left over, unless the call is over. */
			if (t.in_len >= SSTP_PACKET_MAX)
				t.in_len = 0;
			break;
		}
		}
		script_events(&t);
	}
	/* However it stands: with nobody talking it comes to its end. */
	for (int i = 0; i < 5 && sstp_state(&t.s) != SSTP_STATE_ENDED; i++) {
		t.now = sstp_deadline(&t.s);
		sstp_timeout(&t.s, t.now);
		script_events(&t);
	}
	script_output(&t);
	MUST(sstp_state(&t.s) == SSTP_STATE_ENDED);
}
