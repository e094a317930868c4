/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One end of an SSTP call under a virtual clock, for the tests of proto/sstp. */
#pragma once

#include "base/macro.h"
#include "proto/sstp/message.h"
#include "proto/sstp/sstp.h"
#include "proto/sstp/sstp_state.h"

#include "test.h"
#include "vectors.h"

#define EVENT(type) (1u << SSTP_EVENT_##type)

struct call {
	struct sstp s;
	usec_t now;
	/* What call_drain() has found. */
	uint8_t out[SSTP_QUEUE_SIZE];
	size_t out_len;
	unsigned events;
	struct failure failure;
};

static const uint8_t call_nonce[SSTP_NONCE_LEN] = {
	0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f,
	0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x5b, 0x5c, 0x5d, 0x5e, 0x5f,
};

/* Packets that many tests need. */
static const uint8_t pkt_request[] = { 0x10, 1, 0, 14, 0, 1, 0, 1, 0, 1, 0, 6, 0, 1 };
static const uint8_t pkt_abort[] = { 0x10, 1, 0, 20, 0, 5, 0, 1, 0, 2, 0, 12, 0, 0, 0, 2, 0, 0, 0, 7 };
static const uint8_t pkt_abort_plain[] = { 0x10, 1, 0, 8, 0, 5, 0, 0 };
static const uint8_t pkt_disconnect[] = { 0x10, 1, 0, 20, 0, 6, 0, 1, 0, 2, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t pkt_disconnect_ack[] = { 0x10, 1, 0, 8, 0, 7, 0, 0 };
static const uint8_t pkt_echo_request[] = { 0x10, 1, 0, 8, 0, 8, 0, 0 };
static const uint8_t pkt_echo_response[] = { 0x10, 1, 0, 8, 0, 9, 0, 0 };
static const uint8_t pkt_unknown[] = { 0x10, 1, 0, 8, 0, 10, 0, 0 };
static const uint8_t pkt_lcp[] = { 0x10, 0, 0, 12, 0xff, 3, 0xc0, 0x21, 1, 1, 0, 4 };
static const uint8_t pkt_ip[] = { 0x10, 0, 0, 12, 0xff, 3, 0, 0x21, 0x45, 0, 0, 4 };

/* The random source of a test: `ctx` is what it yields, as long as it is asked for 32 bytes. */
static inline void call_random(void *ctx, void *out, size_t len)
{
	memcpy(out, ctx, MIN(len, (size_t)SSTP_NONCE_LEN));
}

/* A configuration with the certificate and the nonce of the chosen vectors. */
static inline struct sstp_config call_config(enum sstp_role role)
{
	struct sstp_config c = { .role = role, .random = { .fill = call_random, .ctx = (void *)call_nonce } };

	memcpy(c.cert_sha1, vectors_certificate->sha1.data, sizeof(c.cert_sha1));
	memcpy(c.cert_sha256, vectors_certificate->sha256.data, sizeof(c.cert_sha256));
	return c;
}

/* Takes what is queued and what has happened. */
static inline void call_drain(struct call *c)
{
	struct sstp_event e;

	c->out_len = sstp_output(&c->s, c->out, sizeof(c->out));
	c->events = 0;
	c->failure = (struct failure){};
	while ((e = sstp_event(&c->s)).type != SSTP_EVENT_NONE) {
		c->events |= 1u << e.type;
		if (e.failure.cause != CAUSE_NONE)
			c->failure = e.failure;
	}
}

static inline void call_open(struct call *c, const struct sstp_config *config)
{
	*c = (struct call){ .now = 1000 * USEC_PER_SEC };
	sstp_init(&c->s, config);
	sstp_start(&c->s, c->now);
	call_drain(c);
}

/* Feeds all of `data`, then drains. Returns the last result of sstp_input(). */
static inline ssize_t call_feed(struct call *c, const void *data, size_t len, struct sstp_input *ret)
{
	const uint8_t *p = data;
	struct sstp_input input = {};
	ssize_t n = 0;

	for (size_t pos = 0; pos < len; pos += (size_t)n) {
		n = sstp_input(&c->s, p + pos, len - pos, c->now, &input);
		if (n <= 0)
			break;
	}
	call_drain(c);
	if (ret)
		*ret = input;
	return n;
}
#define CALL_FEED(c, packet) call_feed((c), (packet), sizeof(packet), NULL)

/* The valid ACK of our nonce with these hash bits. */
static inline ssize_t call_feed_ack(struct call *c, uint8_t hashes)
{
	uint8_t packet[48];
	struct wire_writer w = wire_writer(packet, sizeof(packet));
	size_t start = sstp_message_begin(&w, SSTP_CALL_CONNECT_ACK);

	sstp_put_binding_request(&w, hashes, call_nonce);
	sstp_message_end(&w, start, 1);
	return call_feed(c, packet, w.len, NULL);
}

/* The CALL_CONNECTED that answers our nonce with a zero higher-layer key, SHA-256. */
static inline struct vector_bytes call_connected_packet(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors_binding_chosen); i++) {
		const struct vector_binding_chosen *v = &vectors_binding_chosen[i];

		if (v->hash_protocol == SSTP_HASH_SHA256 && strncmp(v->case_, "no keys", 7) == 0)
			return v->call_connected;
	}
	return (struct vector_bytes){};
}

/* Brings a fresh call into a state by the shortest way, drained. */
static inline void call_bring(struct call *c, const struct sstp_config *config, enum sstp_state state)
{
	static const uint8_t zero[SSTP_HLAK_LEN];
	bool client = config->role == SSTP_CLIENT;

	call_open(c, config);
	if (state == SSTP_STATE_REQUEST_SENT)
		return;
	if (client)
		call_feed_ack(c, SSTP_HASH_SHA256);
	else
		CALL_FEED(c, pkt_request);
	if (state == SSTP_STATE_ACK_RECEIVED)
		return;
	sstp_authenticated(&c->s, zero, c->now);
	if (!client)
		call_feed(c, call_connected_packet().data, call_connected_packet().len, NULL);
	call_drain(c);
	switch (state) {
	case SSTP_STATE_ABORT_PENDING:
		CALL_FEED(c, pkt_unknown);
		break;
	case SSTP_STATE_ABORT_TIMEOUT:
		CALL_FEED(c, pkt_abort);
		break;
	case SSTP_STATE_DISCONNECT_PENDING:
		sstp_disconnect(&c->s, NULL, c->now);
		break;
	case SSTP_STATE_DISCONNECT_TIMEOUT:
		CALL_FEED(c, pkt_disconnect);
		break;
	case SSTP_STATE_IDLE:
	case SSTP_STATE_REQUEST_SENT:
	case SSTP_STATE_ACK_RECEIVED:
	case SSTP_STATE_CONNECTED:
	case SSTP_STATE_ENDED:
		break;
	}
	call_drain(c);
}
