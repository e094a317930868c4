/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fair queue under any sequence of events: input is a list of commands of two bytes. Every packet that
 * goes in comes out or is counted as dropped, per flow in order, bounded in bytes, and a drain leaves
 * nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "packets.h"

#define FLOWS	8
#define LIMIT	(256u << 10)
#define SEGMENT 60
#define HEADERS 40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct state {
	struct tx *tx;
	struct flow_spec flows[FLOWS];
	uint32_t last_seq[FLOWS];
	uint64_t in, out;
	usec_t now;
};

static void put(struct state *s, unsigned which, unsigned segments)
{
	struct flow_spec *f = &s->flows[which % FLOWS];
	struct rng rng = { 1 };
	uint16_t fields[4] = { 0, SEGMENT, 20, 16 };
	size_t size;
	uint8_t *p = tx_reserve(s->tx, &size);

	memset(p, 0, 10);
	p[0] = 1;
	p[1] = segments > 1 ? 1 : 0;
	memcpy(p + 2, fields, sizeof(fields));
	size_t n = flow_packet(f, &rng, (size_t)segments * SEGMENT, p + 10);
	if (tx_commit(s->tx, 10 + n, s->now) < 0)
		abort();
	f->seq += segments * SEGMENT;
	s->in += segments;
	if (tx_backlog(s->tx) > LIMIT)
		abort();
}

static void take(struct state *s, size_t space)
{
	static uint8_t out[65536];
	struct list packets = { 0 };

	if (!unframe(out, tx_fill(s->tx, out, space, s->now), &packets))
		abort();
	for (size_t i = 0; i < packets.count; i++) {
		const uint8_t *p = packets.items[i].data;
		unsigned which = p[21] % FLOWS;
		uint32_t seq = (uint32_t)p[24] << 24 | (uint32_t)p[25] << 16 | (uint32_t)p[26] << 8 | p[27];

		if (packets.items[i].len != HEADERS + SEGMENT || seq <= s->last_seq[which])
			abort();
		s->last_seq[which] = seq;
	}
	s->out += packets.count;
	list_clear(&packets);
}

static uint64_t waiting(struct state *s)
{
	const struct tx_stats *stats = tx_stats(s->tx);

	return s->in - s->out - stats->dropped - stats->overlimit - stats->too_big;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct state s = { .now = 1 };

	if (tx_new(&(struct tx_config){ .vnet_hdr = true, .mtu = 1500, .limit = LIMIT, .hash_key = 9 },
		   &s.tx) < 0)
		abort();
	for (unsigned i = 0; i < FLOWS; i++)
		s.flows[i] = (struct flow_spec){ .version = 4,
						 .protocol = 6,
						 .ports = { (uint16_t)i, 80 },
						 .seq = 1,
						 .tos = (uint8_t)(i % 2),
						 .flags = 0x10 };
	for (size_t i = 0; i + 1 < len && i < 800; i += 2) {
		unsigned command = data[i] % 8, value = data[i + 1];

		switch (command) {
		case 0:
		case 1:
			put(&s, value, 1);
			break;
		case 2:
			put(&s, value, 1 + value / 2);
			break;
		case 3:
		case 4:
			take(&s, value * 64u);
			break;
		case 5:
			s.now += value * USEC_PER_MSEC;
			break;
		case 6:
			tx_set_mtu(s.tx, value % 4 ? 1500 : 80); /* all that waits is too big now */
			take(&s, 0);
			tx_set_mtu(s.tx, 1500);
			break;
		default:
			tx_set_path(s.tx, value * 1024u, value % 8 * USEC_PER_MSEC, 0);
			break;
		}
		if ((waiting(&s) == 0) != (tx_backlog(s.tx) == 0))
			abort();
	}
	while (tx_backlog(s.tx) > 0)
		take(&s, 16384);
	if (waiting(&s) != 0)
		abort();
	tx_free(s.tx);
	return 0;
}
