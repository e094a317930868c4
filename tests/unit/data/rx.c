/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "data/rx.h"
#include "data/rdnss.h"

#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"
#include "data/csum.h"
#include "packets.h"
#include "test.h"

#define VNET 10

static struct rx *new_rx(bool vnet_hdr, bool udp)
{
	struct rx *rx = NULL;

	if (rx_new(&(struct rx_config){ .vnet_hdr = vnet_hdr, .udp = udp }, &rx) < 0)
		abort();
	return rx;
}

static struct flow_spec flow(int version, uint8_t protocol, uint16_t port)
{
	return (struct flow_spec){ .version = version,
				   .protocol = protocol,
				   .source = { 10, 0, 0, 1 },
				   .destination = { 10, 0, 0, 2 },
				   .ports = { port, 80 },
				   .ttl = 64,
				   .df = true,
				   .id = 100,
				   .seq = 1000,
				   .ack = 7,
				   .window = 500,
				   .flags = 0x10 };
}

/* Appends the next packet of the flow. */
static void add(struct list *l, struct flow_spec *f, size_t payload)
{
	struct rng rng = { f->seq };
	uint8_t packet[4200];

	list_add(l, packet, flow_packet(f, &rng, payload, packet));
	f->seq += (uint32_t)payload;
	f->id++;
}

static unsigned host16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, 2);
	return v;
}

/* Joins and checks that the kernel takes each write and makes the same packets of it. Returns the number of
 * writes, −1 on failure. */
static int writes_of(struct rx *rx, const struct list *packets)
{
	struct list writes = { 0 }, cut = { 0 };
	const char *why = NULL;
	int n;

	run_join(rx, packets, &writes);
	n = (int)writes.count;
	for (size_t i = 0; i < writes.count; i++)
		if (!ref_kernel_accepts(writes.items[i].data, writes.items[i].len) ||
		    !ref_split(writes.items[i].data, writes.items[i].len, &cut))
			n = -1;
	if (!same_packets(packets, &cut, ORDER_STRICT, &why)) {
		printf("# %s\n", why);
		n = -1;
	}
	list_clear(&writes);
	list_clear(&cut);
	return n;
}

/* -- joining ----------------------------------------------------------------------------------- */

static void consecutive_segments_become_one_write(void)
{
	struct rx *rx = new_rx(true, true);

	for (int version = 4; version <= 6; version += 2) {
		struct flow_spec f = flow(version, 6, 1);
		struct list in = { 0 }, writes = { 0 };
		unsigned ip = version == 4 ? 20 : 40;

		memcpy(f.options, "\1\1\10\12\1\2\3\4\5\6\7\10", 12);
		f.options_len = 12;
		for (int i = 0; i < 44; i++)
			add(&in, &f, 1448);
		add(&in, &f, 100);
		run_join(rx, &in, &writes);
		check_int(writes.count, 1);

		const uint8_t *w = writes.items[0].data;
		check_int(writes.items[0].len, VNET + ip + 32 + 44 * 1448 + 100);
		check_int(w[0], 1);		       /* NEEDS_CSUM */
		check_int(w[1], version == 4 ? 1 : 4); /* TCPV4, TCPV6 */
		check_int(host16(w + 2), ip + 32);
		check_int(host16(w + 4), 1448);
		check_int(host16(w + 6), ip);
		check_int(host16(w + 8), 16);
		check(ref_kernel_accepts(w, writes.items[0].len));
		check_int(writes_of(rx, &in), 1);
		list_clear(&in);
		list_clear(&writes);
	}
	check_int(rx_stats(rx)->packets, 4 * 45);
	check_int(rx_stats(rx)->writes, 4);
	rx_free(rx);
}

static void udp_is_joined_only_where_the_device_can(void)
{
	for (int udp = 0; udp < 2; udp++) {
		struct rx *rx = new_rx(true, udp);

		for (int version = 4; version <= 6; version += 2) {
			struct flow_spec f = flow(version, 17, 1);
			struct list in = { 0 };

			for (int i = 0; i < 64; i++)
				add(&in, &f, 64);
			check_int(writes_of(rx, &in), udp ? 1 : 64);
			add(&in, &f, 64); /* one more than a kernel may cut */
			check_int(writes_of(rx, &in), udp ? 2 : 65);
			list_clear(&in);
		}
		rx_free(rx);
	}
}

static void payloads_are_referred_to_not_copied(void)
{
	struct rx *rx = new_rx(true, true);
	struct flow_spec f = flow(4, 6, 1), g = flow(4, 6, 2);
	struct list in = { 0 };
	struct iovec iov[RX_IOV_MAX];

	for (int i = 0; i < 3; i++)
		add(&in, &f, 1000);
	add(&in, &g, 1000);
	for (size_t i = 0; i < in.count; i++)
		check_int(rx_add(rx, PPP_PROTO_IPV4, in.items[i].data, in.items[i].len), 0);
	check_int(rx_next(rx, iov), 4);
	check_int(iov[0].iov_len, VNET + 40);
	for (size_t i = 0; i < 3; i++) {
		check(iov[1 + i].iov_base == in.items[i].data + 40);
		check_int(iov[1 + i].iov_len, 1000);
	}
	check_int(rx_next(rx, iov), 2);
	check_int(iov[0].iov_len, VNET);
	check_mem(iov[0].iov_base, VNET, "\0\0\0\0\0\0\0\0\0\0", VNET);
	check(iov[1].iov_base == in.items[3].data);
	check_int(rx_next(rx, iov), 0);
	list_clear(&in);
	rx_free(rx);
}

static void interleaved_flows_are_told_apart(void)
{
	struct rx *rx = new_rx(true, true);
	struct flow_spec flows[8];
	struct list in = { 0 };

	for (int i = 0; i < 8; i++) {
		flows[i] = flow(i % 2 ? 4 : 6, i % 3 ? 6 : 17, (uint16_t)(100 + i));
		flows[i].source[3] = (uint8_t)i;
	}
	for (int round = 0; round < 15; round++)
		for (int i = 0; i < 8; i++)
			add(&in, &flows[i], 700);
	check_int(writes_of(rx, &in), 8);
	list_clear(&in);
	rx_free(rx);
}

static void a_super_packet_is_at_most_65535_bytes(void)
{
	struct rx *rx = new_rx(true, true);
	struct flow_spec f = flow(4, 6, 1);
	struct list in = { 0 };

	f.seq = UINT32_MAX - 5000; /* and sequence numbers wrap */
	f.id = 65530;
	for (int i = 0; i < 46; i++)
		add(&in, &f, 1460);
	check_int(writes_of(rx, &in), 2); /* 44 · 1460 + 40 fit */
	list_clear(&in);

	for (int i = 0; i < (int)RX_GROUP_MAX + 1; i++)
		add(&in, &f, 28);
	check_int(writes_of(rx, &in), 2);
	list_clear(&in);
	rx_free(rx);
}

static void a_shorter_segment_ends_a_group_a_longer_one_starts_one(void)
{
	struct rx *rx = new_rx(true, true);
	struct flow_spec f = flow(4, 6, 1);
	struct list in = { 0 };

	add(&in, &f, 1000);
	add(&in, &f, 1000);
	add(&in, &f, 999);
	add(&in, &f, 999);
	check_int(writes_of(rx, &in), 2);
	list_clear(&in);

	add(&in, &f, 999);
	add(&in, &f, 1000);
	add(&in, &f, 1000);
	check_int(writes_of(rx, &in), 2);
	list_clear(&in);
	rx_free(rx);
}

static void fin_and_psh_end_a_group(void)
{
	static const uint16_t flags[] = { 0x01, 0x08, 0x09 };
	struct rx *rx = new_rx(true, true);

	for (size_t i = 0; i < 3; i++) {
		struct flow_spec f = flow(4, 6, 1);
		struct list in = { 0 };

		add(&in, &f, 500);
		f.flags |= flags[i];
		add(&in, &f, 500);
		f.flags = 0x10;
		add(&in, &f, 500);
		add(&in, &f, 500);
		check_int(writes_of(rx, &in), 2);
		list_clear(&in);
	}
	rx_free(rx);
}

static void cwr_starts_a_group(void)
{
	struct rx *rx = new_rx(true, true);
	struct flow_spec f = flow(4, 6, 1);
	struct list in = { 0 }, writes = { 0 };

	add(&in, &f, 500);
	add(&in, &f, 500);
	f.flags |= 0x80;
	add(&in, &f, 500);
	f.flags = 0x10;
	add(&in, &f, 500);
	check_int(writes_of(rx, &in), 2);
	run_join(rx, &in, &writes);
	check_int(writes.items[0].data[1], 1);
	check_int(writes.items[1].data[1], 0x81); /* VIRTIO_NET_HDR_GSO_ECN */
	list_clear(&in);
	list_clear(&writes);
	rx_free(rx);
}

/* -- what is not joined ------------------------------------------------------------------------ */

struct change {
	const char *what;
	int version;
	uint8_t protocol;
	size_t at; /* byte of the second packet */
	uint8_t bits;
	bool keep_checksums; /* leave them as they were: wrong now */
};

static void any_difference_keeps_packets_apart(void)
{
	static const struct change changes[] = {
		{ "nothing", 4, 6, 0, 0, false },
		{ "TOS", 4, 6, 1, 0x10, false },
		{ "ECN", 4, 6, 1, 0x03, false },
		{ "identification", 4, 6, 5, 0x01, false },
		{ "DF", 4, 6, 6, 0x40, false },
		{ "reserved bit", 4, 6, 6, 0x80, false },
		{ "TTL", 4, 6, 8, 0x01, false },
		{ "source", 4, 6, 15, 0x01, false },
		{ "destination", 4, 6, 19, 0x01, false },
		{ "source port", 4, 6, 21, 0x01, false },
		{ "destination port", 4, 6, 23, 0x01, false },
		{ "sequence number", 4, 6, 27, 0x01, false },
		{ "acknowledgement", 4, 6, 31, 0x01, false },
		{ "reserved flags", 4, 6, 32, 0x02, false },
		{ "AE flag", 4, 6, 32, 0x01, false },
		{ "SYN", 4, 6, 33, 0x02, false },
		{ "RST", 4, 6, 33, 0x04, false },
		{ "ACK", 4, 6, 33, 0x10, false },
		{ "URG", 4, 6, 33, 0x20, false },
		{ "ECE", 4, 6, 33, 0x40, false },
		{ "CWR", 4, 6, 33, 0x80, false },
		{ "window", 4, 6, 35, 0x01, false },
		{ "urgent pointer", 4, 6, 39, 0x01, false },
		{ "option", 4, 6, 43, 0x01, false },
		{ "IP checksum", 4, 6, 10, 0x01, true },
		{ "TCP checksum", 4, 6, 36, 0x01, true },
		{ "payload", 4, 6, 99, 0x01, true },
		{ "nothing", 6, 6, 0, 0, false },
		{ "traffic class", 6, 6, 0, 0x01, false },
		{ "ECN", 6, 6, 1, 0x30, false },
		{ "flow label", 6, 6, 3, 0x01, false },
		{ "hop limit", 6, 6, 7, 0x01, false },
		{ "source", 6, 6, 23, 0x01, false },
		{ "destination", 6, 6, 39, 0x01, false },
		{ "TCP checksum", 6, 6, 56, 0x01, true },
		{ "nothing", 4, 17, 0, 0, false },
		{ "source port", 4, 17, 20, 0x01, false },
		{ "UDP checksum", 4, 17, 27, 0x01, true },
		{ "identification", 4, 17, 4, 0x01, false },
		{ "nothing", 6, 17, 0, 0, false },
		{ "destination port", 6, 17, 43, 0x01, false },
		{ "payload", 6, 17, 99, 0x01, true },
	};
	struct rx *rx = new_rx(true, true);

	/* The changed packet comes second, and then first. */
	for (size_t i = 0; i < 2 * sizeof(changes) / sizeof(changes[0]); i++) {
		const struct change *c = &changes[i / 2];
		struct flow_spec f = flow(c->version, c->protocol, 1);
		struct list in = { 0 };
		int n;

		memcpy(f.options, "\1\1\10\12\1\2\3\4\5\6\7\10", 12);
		f.options_len = 12;
		add(&in, &f, 200);
		add(&in, &f, 200);
		struct blob *p = &in.items[1 - i % 2];
		p->data[c->at] ^= c->bits;
		if (!c->keep_checksums)
			ref_set_checksums(p->data, p->len);
		n = writes_of(rx, &in);
		/* CWR is allowed in the first packet, FIN and PSH in the last. */
		int expected = c->bits == 0 || (i % 2 == 1 && strcmp(c->what, "CWR") == 0) ? 1 : 2;
		if (n != expected)
			printf("# %s, %s packet\n", c->what, i % 2 ? "first" : "second");
		check_int(n, expected);
		list_clear(&in);
	}
	rx_free(rx);
}

/* SYN, RST and URG keep packets apart even where all have them. */
static void some_flags_are_never_joined(void)
{
	static const uint16_t flags[] = { 0x02, 0x04, 0x20 };
	struct rx *rx = new_rx(true, true);

	for (size_t i = 0; i < 3; i++) {
		struct flow_spec f = flow(4, 6, 1);
		struct list in = { 0 };

		f.flags |= flags[i];
		add(&in, &f, 100);
		add(&in, &f, 100);
		check_int(writes_of(rx, &in), 2);
		list_clear(&in);
	}
	rx_free(rx);
}

/* Flows of different IP versions whose hashes are the same, the packets of one shorter than the headers of
 * the other. */
static void a_collision_of_flows_does_no_harm(void)
{
	struct rx *rx = new_rx(true, true);
	struct flow_spec four = flow(4, 17, 1), six = flow(6, 17, 1);
	struct list in = { 0 };

	memset(six.source, 0, 16);
	memset(six.destination, 0, 16);
	memcpy(six.source + 12, four.source, 4);
	memcpy(six.destination + 12, four.destination, 4);
	for (int i = 0; i < 4; i++) {
		add(&in, &six, 1);
		add(&in, &four, 1);
	}
	check(writes_of(rx, &in) >= 2);
	list_clear(&in);
	rx_free(rx);
}

/* Where the two forms of zero are both right, only the one that the kernel would write may be joined. */
static void the_other_zero_is_not_joined(void)
{
	struct rx *rx = new_rx(true, true);

	for (int i = 0; i < 3; i++) {
		struct flow_spec f = flow(4, i == 1 ? 17 : 6, 1);
		size_t at = i == 0 ? 36 : i == 1 ? 26 : 10;
		struct list in = { 0 };

		add(&in, &f, 200);
		add(&in, &f, 200);
		uint8_t *p = in.items[1].data;
		/* Make the checksum zero by the last word of the payload, or by the identification of both.
		 */
		if (i < 2) {
			memset(p + in.items[1].len - 2, 0, 2);
			ref_set_checksums(p, in.items[1].len);
			memcpy(p + in.items[1].len - 2, p + at, 2);
		} else {
			memset(p + 4, 0, 2);
			ref_set_checksums(p, in.items[1].len);
			memcpy(p + 4, p + 10, 2);
			uint16_t id = (uint16_t)(p[4] * 256 + p[5] - 1);
			in.items[0].data[4] = (uint8_t)(id >> 8);
			in.items[0].data[5] = (uint8_t)id;
			ref_set_checksums(in.items[0].data, in.items[0].len);
		}
		ref_set_checksums(p, in.items[1].len);
		check(p[at] == p[at + 1] && p[at] == (i == 1 ? 0xff : 0));
		check_int(writes_of(rx, &in), 1);
		p[at] = p[at + 1] = (uint8_t)~p[at];
		check(ref_checksums_right(p, in.items[1].len));
		check_int(writes_of(rx, &in), 2);
		list_clear(&in);
	}
	rx_free(rx);
}

static void empty_payloads_are_not_joined(void)
{
	struct rx *rx = new_rx(true, true);
	struct flow_spec f = flow(4, 6, 1), g = flow(4, 17, 1);
	struct list in = { 0 };

	add(&in, &f, 0);
	add(&in, &f, 0);
	add(&in, &g, 0);
	add(&in, &g, 0);
	check_int(writes_of(rx, &in), 4);
	list_clear(&in);

	/* A pure acknowledgement between data stays between them. */
	add(&in, &f, 100);
	add(&in, &f, 0);
	add(&in, &f, 100);
	check_int(writes_of(rx, &in), 3);
	list_clear(&in);
	rx_free(rx);
}

static void options_extensions_and_fragments_are_not_joined(void)
{
	struct rx *rx = new_rx(true, true);
	struct flow_spec f = flow(4, 6, 1), g = flow(6, 6, 1);
	struct list in = { 0 };

	f.extension_len = 4;
	memcpy(f.extension, "\1\1\1\0", 4);
	g.extension_len = 8;
	memcpy(g.extension, "\6\0\1\4\0\0\0\0", 8);
	for (int i = 0; i < 2; i++) {
		add(&in, &f, 100);
		add(&in, &g, 100);
	}
	check_int(writes_of(rx, &in), 4);
	list_clear(&in);

	/* A packet with options belongs to the flow all the same: it is not overtaken. */
	f.extension_len = 0;
	add(&in, &f, 100);
	f.extension_len = 4;
	add(&in, &f, 100);
	f.extension_len = 0;
	add(&in, &f, 100);
	check_int(writes_of(rx, &in), 3);
	list_clear(&in);

	/* A fragment may be of any flow. */
	f = flow(4, 17, 1);
	add(&in, &f, 100);
	add(&in, &f, 100);
	add(&in, &f, 100);
	in.items[1].data[7] = 20; /* the bytes behind its IP header are payload, not ports */
	memset(in.items[1].data + 20, 0x33, 8);
	ref_set_checksums(in.items[1].data, in.items[1].len);
	list_drop_last(&in); /* what follows would join the first one */
	f.id = 101;
	add(&in, &f, 100);
	add(&in, &f, 100);
	check_int(writes_of(rx, &in), 3);
	list_clear(&in);

	/* So may a packet whose extension headers end outside of it. */
	g = flow(6, 6, 1);
	add(&in, &g, 100);
	g.extension_len = 8;
	memcpy(g.extension, "\6\77\1\4\0\0\0\0", 8);
	struct rng rng = { 1 };
	uint8_t packet[600] = { 0 };
	(void)flow_packet(&g, &rng, 100, packet);
	packet[4] = 0;
	packet[5] = 40;
	list_add(&in, packet, 80);
	g.extension_len = 0;
	add(&in, &g, 100);
	check_int(writes_of(rx, &in), 3);
	list_clear(&in);
	rx_free(rx);
}

/* -- bounds ------------------------------------------------------------------------------------ */

static void drops_what_is_not_ip(void)
{
	struct rx *rx = new_rx(true, true);
	struct flow_spec four = flow(4, 17, 1), six = flow(6, 17, 1);
	struct rng rng = { 1 };
	struct iovec iov[RX_IOV_MAX];
	uint8_t p[4200], q[4200];
	size_t m = flow_packet(&four, &rng, 4087 - 28, p), n = flow_packet(&six, &rng, 10, q);

	check_int(rx_add(rx, PPP_PROTO_IPV6, p, m), -EBADMSG);
	check_int(rx_add(rx, PPP_PROTO_IPV4, q, n), -EBADMSG);
	check_int(rx_add(rx, PPP_PROTO_IPV4, p, m - 1), -EBADMSG);
	check_int(rx_add(rx, PPP_PROTO_IPV6, q, n - 1), -EBADMSG);
	check_int(rx_add(rx, PPP_PROTO_IPV4, p, 19), -EBADMSG);
	check_int(rx_add(rx, PPP_PROTO_IPV6, q, 39), -EBADMSG);
	check_int(rx_add(rx, PPP_PROTO_IPV4, p, 0), -EBADMSG);
	check_int(rx_add(rx, 0x002d, p, m), -EBADMSG);
	check_int(rx_stats(rx)->dropped, 8);
	check_int(rx_next(rx, iov), 0);
	check_int(rx_add(rx, PPP_PROTO_IPV4, p, m), 0);
	m = flow_packet(&four, &rng, 4088 - 28, p);
	check_int(rx_add(rx, PPP_PROTO_IPV4, p, m), -EBADMSG);
	check_int(rx_stats(rx)->packets, 1);
	rx_free(rx);
}

/* −1 if rx_add() refuses an ICMPv6 message of 16 bytes and these options, behind some extension headers, 0 if
 * it takes it. */
static int add_icmp6(uint8_t type, uint8_t hop_limit, unsigned extensions, const uint8_t *options, size_t len)
{
	struct rx *rx = new_rx(true, true);
	size_t at = 40;
	uint8_t p[400] = { 0x60, [6] = 58, [7] = hop_limit, [8] = 0xfe, 0x80, [24] = 0xff, 0x02, [39] = 1 };

	for (unsigned i = 0; i < extensions; i++, at += 8) {
		p[i == 0 ? 6 : at - 8] = 60; /* destination options */
		p[at] = 58;
	}
	p[at] = type;
	memcpy(p + at + 16, options, len);
	at += 16 + len;
	p[5] = (uint8_t)(at - 40);
	int r = rx_add(rx, PPP_PROTO_IPV6, p, at);
	uint64_t refused = rx_stats(rx)->adverts;
	rx_free(rx);
	return r == 0 ? 0 : refused == 1 ? -1 : r;
}

static void advertisements_in_pieces_are_refused(void)
{
	/* MTU */
	uint8_t option[8] = { 5, 1 };

	check_int(add_icmp6(134, 255, 0, option, sizeof(option)), 0);
	check_int(add_icmp6(134, 255, 1, option, sizeof(option)), 0);
	/* behind more headers than we walk; what the kernel makes nothing of is its own affair */
	check_int(add_icmp6(134, 255, 20, option, sizeof(option)), -1);
	check_int(add_icmp6(134, 64, 20, option, sizeof(option)), 0);

	/* A first fragment, of options and an advertisement; it is refused unless it is of something else. */
	static const struct {
		uint8_t at, value;
		int result;
	} cases[] = { { 40, 58, -1 }, { 7, 64, 0 },  { 43, 8, 0 },   { 43, 1, -1 }, { 48, 135, 0 },
		      { 40, 6, 0 },   { 40, 60, 0 }, { 40, 44, -1 }, { 40, 43, 0 }, { 5, 8, -1 } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t p[80] = { 0x60,	       [5] = 40, [6] = 44, [7] = 255, [8] = 0xfe, 0x80,
				  [24] = 0xff, 0x02,	 [39] = 1, [40] = 58, [48] = 134 };
		struct rx *rx = new_rx(true, true);

		p[cases[i].at] = cases[i].value;
		int r = rx_add(rx, PPP_PROTO_IPV6, p, sizeof(p));
		check_int(r, cases[i].result < 0 ? -EBADMSG : 0);
		check_int(rx_stats(rx)->adverts, cases[i].result < 0);
		rx_free(rx);
	}
	/* Its type may stand behind options of the whole. */
	uint8_t p[80] = {
		0x60, [5] = 40, [6] = 44, [7] = 255, [24] = 0xff, [40] = 60, [48] = 58, [56] = 134
	};
	struct rx *rx = new_rx(true, true);
	check_int(rx_add(rx, PPP_PROTO_IPV6, p, sizeof(p)), -EBADMSG);
	rx_free(rx);
}

/* An advertisement from `source`, with these options; its checksum is off by `error`. */
static size_t make_advert(uint8_t out[static 300], uint8_t source, const uint8_t *options, size_t len,
			  uint8_t error)
{
	uint8_t head[56] = { 0x60, [6] = 58, [7] = 255, [8] = source, 0x80, [24] = 0xff, 0x02, [40] = 134 };
	size_t total = sizeof(head) + len;

	memcpy(out, head, sizeof(head));
	memcpy(out + sizeof(head), options, len);
	out[5] = (uint8_t)(total - 40);
	uint16_t sum = csum_finish(csum_short(out + 8, total - 8) + htons((uint16_t)(total - 40)) +
				   htons(IPPROTO_ICMPV6));
	memcpy(out + 42, &sum, sizeof(sum));
	out[43] = (uint8_t)(out[43] + error);
	return total;
}

/* What the kernel gets of an advertisement with these options. */
static size_t advert_arrives(bool vnet, uint8_t out[static 300], const uint8_t *options, size_t len,
			     uint8_t error)
{
	struct rx *rx = new_rx(vnet, true);
	struct iovec iov[RX_IOV_MAX];
	uint8_t p[300], copy[300];
	size_t n = make_advert(p, 0xfe, options, len, error), skip = vnet ? VNET : 0, arrived = 0;

	memcpy(copy, p, n);
	if (rx_add(rx, PPP_PROTO_IPV6, p, n) == 0 && rx_next(rx, iov) == 1 && iov[0].iov_len == skip + n &&
	    memcmp(p, copy, n) == 0) {
		memcpy(out, (const uint8_t *)iov[0].iov_base + skip, n);
		arrived = n;
	}
	rx_free(rx);
	return arrived;
}

static bool icmp6_is_right(const uint8_t *p, size_t len)
{
	return csum_finish(csum_short(p + 8, len - 8) + htons((uint16_t)(len - 40)) +
			   htons(IPPROTO_ICMPV6)) == 0;
}

static void an_advertisement_cannot_take_traffic(void)
{
	/* MTU; two prefixes, on-link and for addresses; a route */
	uint8_t options[8 + 32 + 32 + 16] = { 5,    1,		 [3] = 0x80, [8] = 3,  4,   0,
					      0xc0, [24] = 0x20, 0x01,	     [40] = 3, 4,   128,
					      0x80, [72] = 24,	 2,	     1,	       0x88 };
	uint8_t expected[300], p[300];

	for (int vnet = 0; vnet < 2; vnet++) {
		for (unsigned length = 0; length <= 128; length++) {
			options[10] = (uint8_t)length;
			size_t n = advert_arrives(vnet, p, options, sizeof(options), 0);
			uint8_t tamed[sizeof(options)];

			memcpy(tamed, options, sizeof(options));
			tamed[11] = 0x40;
			tamed[43] = 0;
			check_int(make_advert(expected, 0xfe, tamed, sizeof(tamed), 0), n);
			check(icmp6_is_right(p, n));
			memcpy(p + 42, expected + 42, 2); /* the other zero */
			check_mem(p, n, expected, n);
		}
		/* a wrong checksum stays wrong */
		size_t n = advert_arrives(vnet, p, options, sizeof(options), 1);
		check(n > 0 && !icmp6_is_right(p, n) && p[56 + 11] == 0x40);
		/* options that are none, or end outside */
		for (unsigned size = 0; size <= sizeof(options); size++)
			check_int(advert_arrives(vnet, p, options, size, 0), 56 + size);
		options[1] = 0;
		check_int(advert_arrives(vnet, p, options, sizeof(options), 0), 56 + sizeof(options));
		options[1] = 1;
	}
}

/* The resolvers that it tells: how many, −1 if none are spoken of. */
static int rdnss_of(const uint8_t *packet, size_t len, struct rdnss_heard *ret)
{
	struct rx *rx = new_rx(true, true);
	int n = -1;

	*ret = (struct rdnss_heard){ .n = 0 };
	if (rx_add(rx, PPP_PROTO_IPV6, packet, len) == 0 && rx_stats(rx)->rdnss == 1)
		n = rx_take_rdnss(rx, ret) ? (int)ret->n : 0;
	if (rx_take_rdnss(rx, ret))
		n = -2; /* once is enough */
	rx_free(rx);
	return n;
}

static void resolvers_of_advertisements_are_read(void)
{
	/* two of 600 s, one of 300 s, and behind it one that is taken back; each has a number in its last
	 * byte */
	uint8_t options[40 + 24 + 24] = {
		25, 5,	      [6] = 2, 0x58, 0x20, 0x01,     [23] = 1, 0x20, 0x01,	  [39] = 2, 25,
		3,  [46] = 1, 0x2c,    0x20, 0x01, [63] = 3, 25,       3,    [72] = 0x20, 0x01,	    [87] = 4
	};
	static const uint32_t lifetimes[] = { 600, 600, 300, 0 };
	uint8_t *second = options + 40, *third = options + 64, p[300],
		big[8 + 5 * 16] = { 25, 11, [4] = 0xff, 0xff, 0xff, 0xff };
	struct rdnss_heard r;
	size_t len = make_advert(p, 0xfe, options, sizeof(options), 0);

	check_int(rdnss_of(p, len, &r), 4);
	for (size_t i = 0; i < 4; i++) {
		check_int(r.item[i].address.s6_addr[15], i + 1);
		check_int(r.item[i].lifetime, lifetimes[i]);
	}
	/* no address fits, an odd length */
	check_int(rdnss_of(p, make_advert(p, 0xfe, (uint8_t[8]){ 25, 1, [7] = 9 }, 8, 0), &r), 0);
	check_int(rdnss_of(p, make_advert(p, 0xfe, (uint8_t[16]){ 25, 2, [7] = 9 }, 16, 0), &r), 0);
	/* none is spoken of */
	check_int(rdnss_of(p, make_advert(p, 0xfe, (uint8_t[8]){ 5, 1 }, 8, 0), &r), -1);
	check_int(rdnss_of(p, make_advert(p, 0xfe, options, 0, 0), &r), -1);
	/* who is no neighbour, or was harmed on the way */
	check_int(rdnss_of(p, make_advert(p, 0x20, options, sizeof(options), 0), &r), -1);
	check_int(rdnss_of(p, make_advert(p, 0xfe, options, sizeof(options), 1), &r), -1);
	len = make_advert(p, 0xfe, options, sizeof(options), 0);
	p[7] = 254;
	check_int(rdnss_of(p, len, &r), -1);
	/* one bad option spoils all */
	third[1] = 0;
	check_int(rdnss_of(p, make_advert(p, 0xfe, options, sizeof(options), 0), &r), -1);
	third[1] = 4;
	check_int(rdnss_of(p, make_advert(p, 0xfe, options, sizeof(options), 0), &r), -1);
	/* addresses that cannot be a resolver's, or not everywhere */
	static const uint8_t bad[][2] = { { 0xff, 0x02 }, { 0xfe, 0x80 }, { 0, 0 } };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		memcpy(second + 8, bad[i], 2);
		check_int(rdnss_of(p, make_advert(p, 0xfe, second, 24, 0), &r), 0);
	}
	for (size_t i = 8; i < sizeof(big); i += 16)
		big[i] = 0x20;
	/* five times the same */
	check_int(rdnss_of(p, make_advert(p, 0xfe, big, sizeof(big), 0), &r), 1);
	check_int(r.item[0].lifetime, UINT32_MAX);
}

static void hear(struct rdnss *r, const char *addresses, uint32_t lifetime, usec_t seconds)
{
	struct rdnss_heard heard = { .n = 0 };
	struct in6_addr a = { .s6_addr = { 0x20 } };

	for (; *addresses; addresses++) {
		a.s6_addr[15] = (uint8_t)*addresses;
		rdnss_hear(&heard, &a, lifetime);
	}
	rdnss_follow(r, &heard, seconds * USEC_PER_SEC);
}

static const char *in_force(const struct rdnss *r, char out[static RDNSS_MAX + 1])
{
	for (size_t i = 0; i < r->n; i++)
		out[i] = (char)r->item[i].address.s6_addr[15];
	out[r->n] = 0;
	return out;
}

static void every_resolver_has_its_own_lifetime(void)
{
	struct rdnss r = { .n = 0 };
	char text[RDNSS_MAX + 1];

	hear(&r, "ab", 600, 0);
	hear(&r, "c", 10, 0);
	check_str(in_force(&r, text), "abc");
	check_int(rdnss_expire(&r, 0), 10 * USEC_PER_SEC);
	check_int(rdnss_expire(&r, 10 * USEC_PER_SEC), 600 * USEC_PER_SEC);
	check_str(in_force(&r, text), "ab");
	/* one is taken back, the other stays; who is not there cannot be taken back */
	hear(&r, "ax", 0, 20);
	check_str(in_force(&r, text), "b");
	/* the last word counts, for longer and for shorter */
	hear(&r, "b", 1000, 20);
	check_int(rdnss_expire(&r, 20), 1020 * USEC_PER_SEC);
	hear(&r, "b", 10, 20);
	check_int(rdnss_expire(&r, 20), 30 * USEC_PER_SEC);
	hear(&r, "b", UINT32_MAX, 20);
	check(rdnss_expire(&r, UINT64_MAX - 1) == USEC_NEVER);
	check_str(in_force(&r, text), "b");
	/* nothing changes where more are told than there is room for, again and again */
	hear(&r, "b", 0, 20);
	for (usec_t s = 30; s < 33; s++) {
		hear(&r, "abcdef", 100, s);
		check_str(in_force(&r, text), "abcd");
	}
	/* new ones, which last longer, take the places of the old */
	hear(&r, "xy", 0, 40);
	check_str(in_force(&r, text), "abcd");
	hear(&r, "ef", 100, 40);
	check_str(in_force(&r, text), "efcd");
	hear(&r, "gh", 50, 40);
	check_str(in_force(&r, text), "efcd");
	check_int(rdnss_expire(&r, 140 * USEC_PER_SEC), UINT64_MAX);
	check_int(r.n, 0);
}

static void padding_is_trimmed(void)
{
	struct flow_spec f = flow(4, 17, 1);
	struct rng rng = { 1 };
	struct iovec iov[RX_IOV_MAX];
	uint8_t p[100] = { 0 };
	size_t n = flow_packet(&f, &rng, 10, p);

	for (int vnet = 0; vnet < 2; vnet++) {
		struct rx *rx = new_rx(vnet, true);

		check_int(rx_add(rx, PPP_PROTO_IPV4, p, sizeof(p)), 0);
		check_int(rx_next(rx, iov), 1);
		check_int(iov[0].iov_len, n + (vnet ? VNET : 0));
		check_int(rx_stats(rx)->bytes, n);
		rx_free(rx);
	}
}

static void a_full_batch_asks_to_be_drained(void)
{
	struct rx *rx = new_rx(true, true);
	struct flow_spec f = flow(4, 6, 1);
	struct rng rng = { 1 };
	struct iovec iov[RX_IOV_MAX];
	uint8_t p[100];
	size_t n = flow_packet(&f, &rng, 10, p);

	/* The same packet again and again: nothing can be joined. */
	for (unsigned i = 0; i < RX_BATCH_MAX; i++)
		check_int(rx_add(rx, PPP_PROTO_IPV4, p, n), 0);
	check_int(rx_add(rx, PPP_PROTO_IPV4, p, n), -ENOBUFS);
	for (unsigned i = 0; i < RX_BATCH_MAX; i++) {
		check_int(rx_next(rx, iov), 1);
		check_int(rx_add(rx, PPP_PROTO_IPV4, p, n), -ENOBUFS); /* not before the end */
	}
	check_int(rx_next(rx, iov), 0);
	check_int(rx_add(rx, PPP_PROTO_IPV4, p, n), 0);
	check_int(rx_next(rx, iov), 1);
	check_int(rx_next(rx, iov), 0);
	check_int(rx_stats(rx)->packets, RX_BATCH_MAX + 1);

	/* Nor may a packet join a group that has been yielded. */
	struct list in = { 0 };
	for (int i = 0; i < 2; i++)
		add(&in, &f, 10);
	f.ports[0]++;
	add(&in, &f, 10);
	check_int(rx_add(rx, PPP_PROTO_IPV4, in.items[0].data, in.items[0].len), 0);
	check_int(rx_add(rx, PPP_PROTO_IPV4, in.items[2].data, in.items[2].len), 0);
	check_int(rx_next(rx, iov), 1);
	check_int(rx_add(rx, PPP_PROTO_IPV4, in.items[1].data, in.items[1].len), -ENOBUFS);
	check_int(rx_next(rx, iov), 1);
	check_int(rx_next(rx, iov), 0);
	list_clear(&in);
	rx_free(rx);
}

/* What a read of the stream cuts becomes one write all the same. */
static void a_held_group_goes_on_with_the_next_packets(void)
{
	struct rx *rx = new_rx(true, true);
	struct rng rng = { 1 };

	for (int protocol = 6; protocol <= 17; protocol += 11) {
		struct flow_spec f = flow(4, (uint8_t)protocol, 1);
		struct list in = { 0 }, writes = { 0 };

		for (int i = 0; i < 80; i++)
			add(&in, &f, 1400);
		run_join_in_pieces(rx, &in, &rng, 7, &writes);
		check_int(writes.count, 2); /* of 64 KiB at most */
		check_int(writes.items[0].len, VNET + (protocol == 6 ? 40 : 28) + 46 * 1400);
		list_clear(&in);
		list_clear(&writes);
	}
	rx_free(rx);
}

/* Takes the packets and `more` bytes that are none; what can be held is. Returns where it begins, -1:
 * nowhere. */
static int hold(struct rx *rx, const struct list *in, size_t more)
{
	static uint8_t buffer[2 * RX_HOLD_MAX];
	struct iovec iov[RX_IOV_MAX];
	uint8_t *at = buffer;

	for (size_t i = 0; i < in->count; i++) {
		memcpy(at, in->items[i].data, in->items[i].len);
		if (rx_add(rx, PPP_PROTO_IPV4, at, in->items[i].len) < 0)
			abort();
		at += in->items[i].len;
	}
	const uint8_t *held = rx_hold(rx, at + more);
	while (rx_next(rx, iov) > 0)
		continue;
	return held ? (int)(held - buffer) : -1;
}

/* Nothing waits that cannot grow, nor what others wait behind. */
static void only_the_group_of_the_last_packet_is_held(void)
{
	struct rx *rx = new_rx(true, true);
	struct flow_spec f = flow(4, 6, 1), ping = flow(4, 1, 0), pushed = flow(4, 6, 2);
	struct list in = { 0 };
	struct iovec iov[RX_IOV_MAX];

	check_int(hold(rx, &in, 0), -1);

	add(&in, &pushed, 1000);
	add(&in, &f, 1000);
	add(&in, &f, 1000);
	check_int(hold(rx, &in, 0), 1040);
	check_int(rx_stats(rx)->writes, 1);
	check_int(rx_next(rx, iov), 3); /* the next drain has it */
	check_int(rx_next(rx, iov), 0);

	add(&in, &ping, 56);
	check_int(hold(rx, &in, 0), -1);
	check_int(rx_stats(rx)->writes, 5);
	list_clear(&in);

	pushed.flags = 0x18;
	add(&in, &pushed, 1000);
	check_int(hold(rx, &in, 0), -1);
	list_clear(&in);

	add(&in, &f, 1000);
	add(&in, &f, 500); /* shorter than the first: the last one */
	check_int(hold(rx, &in, 0), -1);
	check_int(rx_next(rx, iov), 0);
	list_clear(&in);
	rx_free(rx);
}

/* Three streams have begun before that of the first packet that would be held, and go on behind it; or what
 * comes behind it is not for the TUN at all. */
static void what_is_held_is_bounded(void)
{
	static const struct {
		int others;
		size_t more;
		int held;
	} rows[] = { { 0, 0, 3 * 1040 },
		     { 0, RX_HOLD_MAX - 2 * 1040, 3 * 1040 },
		     { 0, RX_HOLD_MAX - 2 * 1040 + 1, -1 },
		     { 13, 0, 3 * 1040 },
		     { 30, 0, -1 } };

	for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
		struct rx *rx = new_rx(true, true);
		struct flow_spec f[4] = { flow(4, 6, 1), flow(4, 6, 2), flow(4, 6, 3), flow(4, 6, 4) };
		struct list in = { 0 };

		for (int i = 0; i < 4; i++)
			add(&in, &f[i], 1000);
		for (int i = 0; i < 3 * rows[r].others; i++)
			add(&in, &f[i % 3], 1000);
		add(&in, &f[3], 1000);
		check_int(hold(rx, &in, rows[r].more), rows[r].held);
		check_int(rx_stats(rx)->writes, rows[r].held < 0 ? 4 : 3);
		list_clear(&in);
		rx_free(rx);
	}
}

static void a_full_batch_of_one_flow_is_not_lost(void)
{
	struct rx *rx = new_rx(true, true);
	struct flow_spec f = flow(4, 6, 1);
	struct list in = { 0 };

	for (int i = 0; i < 3000; i++)
		add(&in, &f, 20);
	check(writes_of(rx, &in) >= 3000 / (int)RX_GROUP_MAX);
	list_clear(&in);
	rx_free(rx);
}

int main(void)
{
	return run_tests((struct test[]){ TEST(consecutive_segments_become_one_write),
					  TEST(udp_is_joined_only_where_the_device_can),
					  TEST(payloads_are_referred_to_not_copied),
					  TEST(interleaved_flows_are_told_apart),
					  TEST(a_super_packet_is_at_most_65535_bytes),
					  TEST(a_shorter_segment_ends_a_group_a_longer_one_starts_one),
					  TEST(fin_and_psh_end_a_group),
					  TEST(cwr_starts_a_group),
					  TEST(any_difference_keeps_packets_apart),
					  TEST(some_flags_are_never_joined),
					  TEST(a_collision_of_flows_does_no_harm),
					  TEST(the_other_zero_is_not_joined),
					  TEST(empty_payloads_are_not_joined),
					  TEST(options_extensions_and_fragments_are_not_joined),
					  TEST(drops_what_is_not_ip),
					  TEST(an_advertisement_cannot_take_traffic),
					  TEST(advertisements_in_pieces_are_refused),
					  TEST(every_resolver_has_its_own_lifetime),
					  TEST(resolvers_of_advertisements_are_read),
					  TEST(padding_is_trimmed),
					  TEST(a_full_batch_asks_to_be_drained),
					  TEST(a_full_batch_of_one_flow_is_not_lost),
					  TEST(a_held_group_goes_on_with_the_next_packets),
					  TEST(only_the_group_of_the_last_packet_is_held),
					  TEST(what_is_held_is_bounded),
					  {} });
}
