/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drives a PPP engine by a script of bytes: what the peer sends, what the session does, and how time goes.
 * Then lets time run out and demands that the link is over or up: there is no way to make it hang.
 *
 *     0 LEN2 bytes   a frame            5        network allowed
 *     1 LEN bytes    the same, short    6        credentials
 *     2              the next deadline  7        echo
 *     3 MS2          so many ms         8        terminate
 *     4              Ack of the last    9        down and up again
 *                    Configure-Request
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "proto/ppp/ppp_state.h"

#define REQUIRE(x)               \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

struct machine {
	struct ppp ppp;
	uint64_t random;
	usec_t now;
	uint8_t request[1504]; /* the last Configure-Request that it sent */
	size_t request_len;
	unsigned downs;
	bool authenticated;
};

static void machine_random(void *ctx, void *out, size_t len)
{
	struct machine *m = ctx;
	uint8_t *p = out;

	for (size_t i = 0; i < len; i++) {
		m->random = m->random * 6364136223846793005u + 1442695040888963407u;
		p[i] = (uint8_t)(m->random >> 56);
	}
}

/* What we send must be well-formed whatever we were sent. */
static void machine_check_frame(struct machine *m, const uint8_t *frame, size_t len)
{
	const uint8_t *info = NULL;
	size_t info_len = 0;
	struct packet packet;
	int protocol = frame_parse(frame, len, &info, &info_len);

	REQUIRE(len >= 8 && len <= 1504 && frame[0] == 0xff && frame[1] == 0x03);
	REQUIRE(protocol == PPP_PROTO_LCP || protocol == PPP_PROTO_PAP || protocol == PPP_PROTO_CHAP ||
		protocol == PPP_PROTO_EAP || protocol == PPP_PROTO_IPCP || protocol == PPP_PROTO_IPV6CP ||
		protocol == PPP_PROTO_CBCP);
	REQUIRE(packet_parse(info, info_len, &packet) == 0 && packet.len + 4 == info_len);
	if (protocol == PPP_PROTO_PAP || protocol == PPP_PROTO_CHAP || protocol == PPP_PROTO_EAP ||
	    protocol == PPP_PROTO_CBCP)
		return;
	if (packet.code >= CONFIGURE_REQUEST && packet.code <= CONFIGURE_REJECT)
		REQUIRE(options_valid(packet.data, packet.len));
	if (packet.code == CONFIGURE_REQUEST) {
		memcpy(m->request, frame, len);
		m->request_len = len;
	}
}

static void machine_settle(struct machine *m)
{
	uint8_t frame[1504];
	struct ppp_event e;
	size_t len;

	while ((len = ppp_output(&m->ppp, frame, sizeof(frame))) > 0)
		machine_check_frame(m, frame, len);
	REQUIRE(m->ppp.queue.len == 0);
	while ((e = ppp_event(&m->ppp)).type != PPP_EVENT_NONE) {
		REQUIRE(m->downs == 0); /* nothing comes after it */
		m->downs += e.type == PPP_EVENT_DOWN;
		m->authenticated |= e.type == PPP_EVENT_AUTHENTICATED;
	}
}

static void machine_input(struct machine *m, const uint8_t *frame, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	const uint8_t *ip = NULL;
	size_t ip_len = 0;

	REQUIRE(copy);
	memcpy(copy, frame, len);
	int protocol = ppp_input(&m->ppp, copy, len, m->now, &ip, &ip_len);
	if (protocol) {
		REQUIRE(ip >= copy && ip + ip_len == copy + len && m->authenticated);
		REQUIRE(ip[0] >> 4 == (protocol == PPP_PROTO_IPV4 ? 4 : 6));
		REQUIRE(protocol == PPP_PROTO_IPV4 ? m->ppp.params.ipv4_up : m->ppp.params.ipv6_up);
	}
	free(copy);
}

static bool machine_wait(struct machine *m, usec_t limit)
{
	usec_t next = ppp_deadline(&m->ppp);

	if (next > limit)
		return false;
	m->now = MAX(m->now, next);
	ppp_timeout(&m->ppp, m->now);
	machine_settle(m);
	return true;
}

static void machine_credentials(struct machine *m)
{
	struct secret secret = { 0 };

	(void)secret_set(&secret, "s3cret", 6);
	(void)ppp_set_credentials(&m->ppp, "alice", &secret);
}

static void machine_step(struct machine *m, struct wire_reader *r)
{
	const uint8_t *bytes;
	size_t len;

	switch (wire_u8(r) % 10) {
	case 0:
		len = wire_u16(r);
		len = MIN(len, wire_left(r));
		bytes = wire_bytes(r, len);
		if (bytes)
			machine_input(m, bytes, len);
		break;
	case 1:
		len = wire_u8(r);
		len = MIN(len, wire_left(r));
		bytes = wire_bytes(r, len);
		if (bytes)
			machine_input(m, bytes, len);
		break;
	case 2:
		(void)machine_wait(m, m->now + 100 * USEC_PER_SEC);
		break;
	case 3: {
		usec_t until = m->now + wire_u16(r) * USEC_PER_MSEC;
		while (machine_wait(m, until))
			;
		m->now = until;
		break;
	}
	case 4:
		if (m->request_len > 0) {
			uint8_t ack[sizeof(m->request)];
			memcpy(ack, m->request, m->request_len);
			ack[4] = CONFIGURE_ACK;
			machine_input(m, ack, m->request_len);
		}
		break;
	case 5:
		ppp_network_allowed(&m->ppp, m->now);
		break;
	case 6:
		machine_credentials(m);
		break;
	case 7: /* free: the corpus counts on the other numbers */
		break;
	case 8:
		ppp_terminate(&m->ppp, m->now);
		break;
	case 9:
		ppp_lower_down(&m->ppp);
		machine_settle(m);
		ppp_lower_up(&m->ppp, m->now);
		m->authenticated = false;
		m->downs = 0;
		break;
	}
	machine_settle(m);
}

/* Returns the machine after the script; static, because it is large. */
/* The methods of a byte of choices. */
static unsigned choice_auth(uint8_t choice)
{
	unsigned auth = (choice & 7u) | (choice & 128 ? PPP_AUTH_EAP : 0);

	return auth ? auth : PPP_AUTH_NONE;
}

static const struct machine *machine_run(struct ppp_config *config, struct wire_reader *r)
{
	static struct machine m;

	m = (struct machine){ .random = 1, .now = 1000 * USEC_PER_SEC };
	config->random = (struct random_source){ .fill = machine_random, .ctx = &m };
	ppp_init(&m.ppp, config);
	ppp_lower_up(&m.ppp, m.now);
	machine_settle(&m);
	while (wire_left(r) > 0)
		machine_step(&m, r);
	usec_t end = m.now + 200 * USEC_PER_SEC;
	for (unsigned n = 0; machine_wait(&m, end); n++)
		REQUIRE(n < 1000);
	REQUIRE(ppp_deadline(&m.ppp) == USEC_NEVER);
	REQUIRE(m.downs == 1 || m.ppp.params.ipv4_up || (!config->ipv4 && m.ppp.params.ipv6_up));
	REQUIRE(m.downs == 0 || (!m.ppp.params.ipv4_up && !m.ppp.params.ipv6_up));
	REQUIRE(!m.ppp.params.ipv4_up || m.authenticated);
	return &m;
}
