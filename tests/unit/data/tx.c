/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "data/tx.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "packets.h"
#include "test.h"

#define MTU	  1500
#define VNET	  10
#define READ_SIZE (VNET + 65536)
#define MS	  USEC_PER_MSEC

static struct tx *new_tx(bool vnet_hdr, size_t limit)
{
	struct tx *tx = NULL;

	if (tx_new(&(struct tx_config){ .vnet_hdr = vnet_hdr, .mtu = MTU, .limit = limit, .hash_key = 5 },
		   &tx) < 0)
		abort();
	return tx;
}

/* A plain UDP or TCP flow over IPv4; flows differ in their port. */
static struct flow_spec flow(uint8_t protocol, uint16_t port)
{
	return (struct flow_spec){ .version = 4,
				   .protocol = protocol,
				   .source = { 10, 0, 0, 1 },
				   .destination = { 10, 0, 0, 2 },
				   .ports = { port, 80 },
				   .ttl = 64,
				   .df = true,
				   .flags = 0x10 };
}

static int put(struct tx *tx, const uint8_t *data, size_t len, usec_t now)
{
	size_t size;
	uint8_t *p = tx_reserve(tx, &size);

	if (len > size)
		abort();
	memcpy(p, data, len);
	return tx_commit(tx, len, now);
}

/* One packet without virtio header. */
static void send_packet(struct tx *tx, struct flow_spec *f, size_t payload, usec_t now)
{
	struct rng rng = { f->id };
	uint8_t packet[4096];

	(void)put(tx, packet, flow_packet(f, &rng, payload, packet), now);
	f->id++;
	f->seq += (uint32_t)payload;
}

/* A TSO super-packet of `segments` full segments. Returns its length. */
static size_t super_packet(struct flow_spec *f, unsigned segments, uint8_t *out)
{
	struct rng rng = { f->id };
	uint16_t fields[4] = { 0, 1460, 20, 16 };

	out[0] = 1;
	out[1] = 1;
	memcpy(out + 2, fields, sizeof(fields));
	size_t len = flow_packet(f, &rng, 1460 * (size_t)segments, out + VNET);
	ref_set_partial(out + VNET, len);
	return VNET + len;
}

static void send_super(struct tx *tx, struct flow_spec *f, unsigned segments, usec_t now)
{
	static uint8_t read[READ_SIZE];

	(void)put(tx, read, super_packet(f, segments, read), now);
	f->id = (uint16_t)(f->id + segments);
	f->seq += 1460 * segments;
}

static unsigned port_of(const struct blob *packet)
{
	return packet->data[20] * 256u + packet->data[21];
}

/* One record of at most `space` bytes. */
static void fill(struct tx *tx, size_t space, usec_t now, struct list *out)
{
	uint8_t *record = malloc(space);
	size_t n;

	if (!record)
		abort();
	n = tx_fill(tx, record, space, now);
	if (n > space || !unframe(record, n, out))
		abort();
	free(record);
}

static void drain(struct tx *tx, usec_t now, struct list *out)
{
	while (tx_backlog(tx) > 0)
		fill(tx, 16384, now, out);
}

static void empty(struct tx *tx)
{
	struct list out = { 0 };

	while (tx_backlog(tx) > 0) {
		fill(tx, 16384, 0, &out);
		list_clear(&out);
	}
}

/* -- framing ----------------------------------------------------------------------------------- */

static void writes_sstp_data_packets(void)
{
	struct tx *tx = new_tx(false, 0);
	struct flow_spec four = flow(17, 1), six = flow(17, 1);
	struct rng rng = { 1 };
	uint8_t packet[128], out[256];

	size_t n = flow_packet(&four, &rng, 30, packet);
	check_int(put(tx, packet, n, 0), 0);
	check_int(tx_backlog(tx), n);
	check_int(tx_fill(tx, out, sizeof(out), 0), n + 8);
	check_mem(out, 8, "\x10\x00\x00\x42\xff\x03\x00\x21", 8);
	check_mem(out + 8, n, packet, n);
	check_int(tx_backlog(tx), 0);
	check_int(tx_fill(tx, out, sizeof(out), 0), 0);

	six.version = 6;
	n = flow_packet(&six, &rng, 1, packet);
	packet[n] = 0xee; /* padding is not sent */
	check_int(put(tx, packet, n + 1, 0), 0);
	check_int(tx_fill(tx, out, sizeof(out), 0), n + 8);
	check_mem(out, 8, "\x10\x00\x00\x39\xff\x03\x00\x57", 8);
	check_mem(out + 8, n, packet, n);
	tx_free(tx);
}

static void only_whole_packets_are_written(void)
{
	struct tx *tx = new_tx(true, 0);
	struct flow_spec f = flow(6, 1);
	struct list out = { 0 };
	uint8_t record[16384];

	send_super(tx, &f, 44, 0);
	check_int(tx_fill(tx, record, 1507, 0), 0);
	check_int(tx_fill(tx, record, 1508, 0), 1508);
	check_int(tx_backlog(tx), 40 + 43 * 1460);
	check_int(tx_fill(tx, record, 2 * 1508 + 1507, 0), 2 * 1508);
	check_int(tx_fill(tx, record, sizeof(record), 0), 10 * 1508);
	drain(tx, 0, &out);
	check_int(out.count, 44 - 13);
	check_int(tx_stats(tx)->packets, 44);
	check_int(tx_stats(tx)->bytes, 44 * 1500);
	check_int(tx_stats(tx)->reads, 1);
	list_clear(&out);
	tx_free(tx);
}

static void zero_udp_checksum_is_sent_as_ffff(void)
{
	struct tx *tx = new_tx(true, 0);
	struct flow_spec f = flow(17, 1);
	struct rng rng = { 1 };
	uint8_t read[128] = { 1 }, out[128];
	uint16_t start = 20, offset = 6;
	size_t n = flow_packet(&f, &rng, 2, read + VNET);

	/* The payload word makes up for all the rest, so that the sum is FFFF and its complement 0. */
	memcpy(read + 6, &start, 2);
	memcpy(read + 8, &offset, 2);
	memset(read + VNET + 28, 0, 2);
	ref_set_checksums(read + VNET, n);
	memcpy(read + VNET + 28, read + VNET + 26, 2);
	ref_set_partial(read + VNET, n);

	check_int(put(tx, read, VNET + n, 0), 0);
	check_int(tx_fill(tx, out, sizeof(out), 0), n + 8);
	check_mem(out + 8 + 26, 2, "\xff\xff", 2);
	check(ref_checksums_right(out + 8, n));
	tx_free(tx);
}

/* Zero means "no checksum" in UDP only; in TCP FFFF would be right by arithmetic, but zero is the sum (RFC
 * 1624 §3): in a single packet with a partial checksum, and in a segment of a super-packet. */
static void zero_tcp_checksum_stays_zero(void)
{
	struct tx *tx = new_tx(true, 0);
	struct flow_spec f = flow(6, 1);
	struct rng rng = { 1 };
	uint8_t read[VNET + 128] = { 1 }, out[4096];
	static uint8_t super[READ_SIZE];
	uint16_t start = 20, offset = 16;
	size_t n = flow_packet(&f, &rng, 2, read + VNET);
	uint8_t *payload = read + VNET + 40;

	/* As above: the first word of the payload makes up for all the rest. */
	memcpy(read + 6, &start, 2);
	memcpy(read + 8, &offset, 2);
	memset(payload, 0, 2);
	ref_set_checksums(read + VNET, n);
	memcpy(payload, read + VNET + 36, 2);
	ref_set_partial(read + VNET, n);
	check_int(put(tx, read, VNET + n, 0), 0);
	check_int(tx_fill(tx, out, sizeof(out), 0), n + 8);
	check_mem(out + 8 + 36, 2, "\0\0", 2);
	check(ref_checksums_right(out + 8, n));

	n = super_packet(&f, 2, super);
	payload = super + VNET + 40;
	memset(payload, 0, 2);
	check_int(put(tx, super, n, 0), 0);
	check_int(tx_fill(tx, out, sizeof(out), 0), 2 * 1508);
	memcpy(payload, out + 8 + 36, 2);
	check_int(put(tx, super, n, 0), 0);
	check_int(tx_fill(tx, out, sizeof(out), 0), 2 * 1508);
	check_mem(out + 8 + 36, 2, "\0\0", 2);
	check(ref_checksums_right(out + 8, 1500));
	tx_free(tx);
}

/* -- what is refused --------------------------------------------------------------------------- */

struct hostile {
	const char *what;
	size_t at; /* of the read */
	uint8_t value[2];
	size_t count; /* bytes of value */
	size_t len;   /* of the read; 0: all */
};

static void put_host16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

static void refuses_hostile_reads(void)
{
	static const struct hostile cases[] = {
		{ "sound", 0, { 1 }, 1, 0 },
		{ "shorter than the virtio header", 0, { 1 }, 1, 9 },
		{ "virtio header alone", 0, { 1 }, 1, 10 },
		{ "half an IP header", 0, { 1 }, 1, 29 },
		{ "shorter than its IP length", 0, { 1 }, 1, 2000 },
		{ "unknown offload type", 1, { 2 }, 1, 0 },
		{ "UFO", 1, { 3 }, 1, 0 },
		{ "IPv6 offload of an IPv4 packet", 1, { 4 }, 1, 0 },
		{ "UDP offload of a TCP packet", 1, { 5 }, 1, 0 },
		{ "segments of size 0", 4, { 0, 0 }, 2, 0 },
		{ "checksum starts in the IP header", 6, { 19, 0 }, 2, 0 },
		{ "checksum starts in the payload", 6, { 60, 0 }, 2, 0 },
		{ "checksum field elsewhere", 8, { 6, 0 }, 2, 0 },
		{ "checksum field far outside", 8, { 0xff, 0xff }, 2, 0 },
		{ "version 5", VNET, { 0x55 }, 1, 0 },
		{ "IP header of 16 bytes", VNET, { 0x44 }, 1, 0 },
		{ "IP header longer than the packet", VNET + 2, { 0, 19 }, 2, 0 },
		{ "a fragment", VNET + 6, { 0x20 }, 1, 0 },
		{ "later fragment", VNET + 7, { 1 }, 1, 0 },
		{ "not TCP", VNET + 9, { 17 }, 1, 0 },
		{ "UDP offload with its checksum field, of a TCP packet", 1, { 5 }, 1, 0 },
		{ "checksum elsewhere, no offload of segments", 1, { 0 }, 1, 0 },
		{ "checksum in the IP header, no offload of segments", 1, { 0 }, 1, 0 },
		{ "no partial checksum behind IP options", 0, { 0 }, 1, 0 },
		{ "TCP header of 16 bytes", VNET + 32, { 0x40 }, 1, 0 },
		{ "TCP header beyond the packet", VNET + 2, { 0, 45 }, 2, 0 },
	};
	static uint8_t read[READ_SIZE], out[4096];
	struct flow_spec f = flow(6, 1);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tx *tx = new_tx(true, 0);
		size_t len = super_packet(&f, 2, read);
		int r;

		if (strcmp(cases[i].what, "TCP header beyond the packet") == 0)
			read[VNET + 32] = 0xf0;
		if (strcmp(cases[i].what, "UDP offload with its checksum field, of a TCP packet") == 0)
			read[8] = 6;
		if (strcmp(cases[i].what, "checksum elsewhere, no offload of segments") == 0)
			put_host16(read + 8,
				   (uint16_t)(len - VNET - 20 - 1)); /* half of the field is outside */
		if (strcmp(cases[i].what, "checksum in the IP header, no offload of segments") == 0)
			put_host16(read + 6, 8);
		if (strcmp(cases[i].what, "no partial checksum behind IP options") == 0) {
			struct flow_spec options = f;

			options.extension_len = 4;
			len = super_packet(&options, 2, read);
		}
		memcpy(read + cases[i].at, cases[i].value, cases[i].count);
		r = put(tx, read, cases[i].len ? cases[i].len : len, 0);
		if (r != (i == 0 ? 0 : -EBADMSG))
			printf("# %s\n", cases[i].what);
		check_int(r, i == 0 ? 0 : -EBADMSG);
		check_int(tx_stats(tx)->invalid, i == 0 ? 0 : 1);
		check_int(tx_fill(tx, out, sizeof(out), 0), i == 0 ? 2 * 1508 : 0);
		tx_free(tx);
	}
}

static void a_commit_without_a_place_is_refused(void)
{
	struct tx *tx = new_tx(false, 0);
	struct flow_spec f = flow(17, 1);

	check_int(tx_commit(tx, 60, 0), -EBADMSG);
	send_packet(tx, &f, 10, 0);
	check_int(tx_commit(tx, 60, 0), -EBADMSG);
	check_int(tx_backlog(tx), 38);
	tx_free(tx);
}

static void nothing_above_the_mtu_goes_out(void)
{
	struct tx *tx = new_tx(false, 0), *super = new_tx(true, 0);
	struct flow_spec f = flow(17, 1), g = flow(6, 1);
	struct rng rng = { 1 };
	uint8_t packet[2048];
	static uint8_t read[READ_SIZE];
	struct list out = { 0 };

	check_int(put(tx, packet, flow_packet(&f, &rng, MTU - 28 + 1, packet), 0), -EMSGSIZE);
	check_int(put(tx, packet, flow_packet(&f, &rng, MTU - 28, packet), 0), 0);
	check_int(tx_stats(tx)->too_big, 1);
	/* What waits is judged again. */
	tx_set_mtu(tx, MTU - 1);
	send_packet(tx, &f, 100, 0);
	fill(tx, 8192, 0, &out);
	check_int(out.count, 1);
	check_int(out.items[0].len, 128);
	check_int(tx_backlog(tx), 0);
	check_int(tx_stats(tx)->too_big, 2);

	tx_set_mtu(super, MTU - 1);
	check_int(put(super, read, super_packet(&g, 3, read), 0), -EMSGSIZE);
	tx_set_mtu(super, MTU);
	check_int(put(super, read, super_packet(&g, 3, read), 0), 0);
	list_clear(&out);
	tx_free(tx);
	tx_free(super);
}

static void a_closed_family_is_not_sent(void)
{
	struct tx *tx = new_tx(false, 0);
	struct flow_spec four = flow(17, 1), six = flow(17, 1);
	struct rng rng = { 1 };
	uint8_t a[128], b[128], out[512];

	six.version = 6;
	size_t m = flow_packet(&four, &rng, 10, a), n = flow_packet(&six, &rng, 10, b);
	tx_set_families(tx, true, false);
	check_int(put(tx, a, m, 0), 0);
	check_int(put(tx, b, n, 0), -EPROTONOSUPPORT);
	tx_set_families(tx, false, true);
	check_int(put(tx, a, m, 0), -EPROTONOSUPPORT);
	check_int(put(tx, b, n, 0), 0);
	check_int(tx_stats(tx)->closed, 2);
	/* What waited before is not sent either. */
	check_int(tx_fill(tx, out, sizeof(out), 0), n + TX_OVERHEAD);
	check_int(out[SSTP_HEADER_LEN + 3], PPP_PROTO_IPV6);
	check_int(tx_stats(tx)->closed, 3);
	check_int(tx_backlog(tx), 0);
	tx_free(tx);
}

static void the_configuration_is_checked(void)
{
	struct tx *tx = NULL;

	check_int(tx_new(&(struct tx_config){ .mtu = 67 }, &tx), -EINVAL);
	check_int(tx_new(&(struct tx_config){ .mtu = 4088 }, &tx), -EINVAL);
	check_int(tx_new(&(struct tx_config){ .mtu = 1500, .limit = 1000 }, &tx), -EINVAL);
	check(tx == NULL);
}

/* -- the fair queue ---------------------------------------------------------------------------- */

static void a_sparse_flow_passes_bulk_flows(void)
{
	struct tx *tx = new_tx(true, 0);
	struct flow_spec ping = flow(17, 2);
	struct list out = { 0 };
	static uint8_t read[VNET + 200];

	for (uint16_t i = 0; i < 5; i++) {
		struct flow_spec bulk = flow(6, (uint16_t)(10 + i));

		send_super(tx, &bulk, 44, 0);
		send_super(tx, &bulk, 44, 0);
	}
	fill(tx, 32768, 0, &out); /* the bulk flows are no longer new */
	list_clear(&out);
	for (int round = 0; round < 5; round++) {
		struct rng rng = { 1 };
		size_t n = flow_packet(&ping, &rng, 56, read + VNET);

		check_int(put(tx, read, VNET + n, 0), 0);
		fill(tx, 16384, 0, &out);
		/* At most one packet of the others goes first. */
		check(port_of(&out.items[0]) == 2 || port_of(&out.items[1]) == 2);
		list_clear(&out);
	}
	tx_free(tx);
}

/* A flow that sends the next packet whenever its queue has run empty is not sparse: RFC 8290 §4.2. */
static void coming_back_at_once_does_not_starve_others(void)
{
	struct tx *tx = new_tx(false, 0);
	struct flow_spec greedy = flow(17, 1), bulk = flow(17, 2);
	struct list out = { 0 };
	size_t of_bulk = 0;

	for (int i = 0; i < 200; i++)
		send_packet(tx, &bulk, 1400, 0);
	send_packet(tx, &greedy, 1400, 0);
	fill(tx, 3 * 1436, 0, &out); /* the bulk flow is no longer new, and the other one is empty */
	list_clear(&out);
	for (int i = 0; i < 100; i++) {
		send_packet(tx, &greedy, 1400, 0);
		fill(tx, 1436, 0, &out);
	}
	for (size_t i = 0; i < out.count; i++)
		of_bulk += port_of(&out.items[i]) == 2;
	check(of_bulk > 40);
	list_clear(&out);
	tx_free(tx);
}

/*
 * Eight uploads, each of which sends its next packet when the last one is acknowledged: none of them builds a
 * queue, and yet a ping must not wait for one packet of each.
 */
static void on_a_slow_link_a_ping_passes_short_queues(void)
{
	enum { STREAMS = 8, ROUND_TRIP = 3 };
	struct tx *tx = new_tx(false, 0);
	struct flow_spec ping = flow(17, 1), streams[STREAMS];
	struct flow_spec *acknowledged[ROUND_TRIP] = { NULL };
	struct list out = { 0 };
	size_t at = 0, worst = 0, pings = 0;

	tx_set_path(tx, 0, 6 * MS, 20 * MS);
	for (int i = 0; i < STREAMS; i++) {
		streams[i] = flow(17, (uint16_t)(10 + i));
		send_packet(tx, &streams[i], 1400, 0);
	}
	for (size_t step = 0; step < 400; step++) {
		if (step >= 50 && step % 10 == 0) { /* the streams are no longer new */
			send_packet(tx, &ping, 56, 0);
			at = step;
		}
		struct flow_spec **due = &acknowledged[step % ROUND_TRIP];
		if (*due)
			send_packet(tx, *due, 1400, 0);
		*due = NULL;
		fill(tx, 1436, 0, &out);
		for (size_t i = 0; i < out.count; i++) {
			if (port_of(&out.items[i]) == 1) {
				worst = MAX(worst, step - at);
				pings++;
			} else
				*due = &streams[port_of(&out.items[i]) - 10];
		}
		check(out.count > 0);
		list_clear(&out);
	}
	check_int(worst, 0);
	check_int(pings, 35);
	tx_free(tx);
}

/* What a flow sent while it was alone is not held against it. */
static void a_flow_that_was_alone_owes_nothing(void)
{
	struct tx *tx = new_tx(true, 0);
	struct flow_spec first = flow(6, 1), second = flow(6, 2);
	struct list out = { 0 };
	size_t of_first = 0;

	for (int i = 0; i < 10; i++) {
		send_super(tx, &first, 40, 0);
		fill(tx, 30 * 1508, 0, &out);
	}
	list_clear(&out);
	send_super(tx, &second, 44, 0);
	fill(tx, 20 * 1508, 0, &out);
	for (size_t i = 0; i < out.count; i++)
		of_first += port_of(&out.items[i]) == 1;
	check(of_first >= 8 && of_first <= 12);
	list_clear(&out);
	tx_free(tx);
}

/* Only the first fragment has the ports, yet all go the same way. */
static void fragments_keep_their_order(void)
{
	struct tx *tx = new_tx(false, 0);
	struct list in = { 0 }, out = { 0 };
	const char *why = "";

	for (uint16_t i = 0; i < 64; i++) {
		struct flow_spec f = flow(17, (uint16_t)(1000 + i));
		struct rng rng = { i };
		uint8_t packet[1500];

		for (int part = 0; part < 3; part++) {
			size_t n = flow_packet(&f, &rng, part == 2 ? 52 : 1452, packet);

			packet[6] = (uint8_t)(part == 2 ? 0 : 0x20);
			packet[7] = (uint8_t)(part * 182);
			if (part > 0)
				packet[20] = (uint8_t)(i * 7); /* payload, no port */
			ref_set_checksums(packet, n);
			list_add(&in, packet, n);
			check_int(put(tx, packet, n, 0), 0);
		}
	}
	drain(tx, 0, &out);
	(void)same_packets(&in, &out, ORDER_STRICT, &why);
	check_str(why ? why : "the same", "the same");
	list_clear(&in);
	list_clear(&out);
	tx_free(tx);
}

static void share_by_bytes(usec_t record_time)
{
	struct tx *tx = new_tx(false, 0);
	struct flow_spec flows[3] = { flow(17, 1), flow(17, 2), flow(17, 3) };
	static const size_t sizes[3] = { 1472, 700, 100 };
	size_t bytes[4] = { 0 };
	struct list out = { 0 };

	tx_set_path(tx, 0, record_time, 0);
	for (int i = 0; i < 3; i++)
		for (size_t sent = 0; sent < 100000; sent += sizes[i] + 28)
			send_packet(tx, &flows[i], sizes[i], 0);
	while (out.count < 600)
		fill(tx, 16384, 0, &out);
	for (size_t i = 0; i < out.count; i++)
		bytes[port_of(&out.items[i])] += out.items[i].len;
	for (int i = 1; i <= 3; i++) {
		check(bytes[i] > 30000);
		check(bytes[i] + 2 * MTU >= bytes[1] && bytes[1] + 2 * MTU >= bytes[i]);
	}
	list_clear(&out);
	tx_free(tx);
}

static void bulk_flows_share_by_bytes(void)
{
	share_by_bytes(0);
	share_by_bytes(6 * MS);
}

/* `flows` bulk flows, numbered from 1, of so many packets of 1500 bytes each. */
static void bulk(struct tx *tx, uint16_t flows, int packets)
{
	for (uint16_t id = 1; id <= flows; id++) {
		struct flow_spec f = flow(17, id);

		for (int i = 0; i < packets; i++)
			send_packet(tx, &f, 1472, 0);
	}
}

/* The longest and the shortest run of packets of one flow, but for the last one, after so many packets. */
static void runs(const struct list *out, size_t after, size_t *ret_longest, size_t *ret_shortest)
{
	*ret_longest = 0;
	*ret_shortest = SIZE_MAX;
	for (size_t i = after, run = 1; i + 1 < out->count; i++, run++)
		if (port_of(&out->items[i]) != port_of(&out->items[i + 1])) {
			*ret_longest = MAX(*ret_longest, run);
			*ret_shortest = MIN(*ret_shortest, run);
			run = 0;
		}
}

/*
 * What arrives together can be joined. 12,500 bytes take a millisecond at 100 Mbit/s: a turn of one of a few
 * flows; with more of them a round of all is six of those, with many a packet of each. A flow that is new
 * sends one packet.
 */
static void few_flows_take_long_turns(void)
{
	static const struct {
		uint16_t flows;
		size_t turn;
	} rows[] = { { 2, 9 }, { 6, 9 }, { 8, 7 }, { 40, 2 }, { 60, 1 } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tx *tx = new_tx(false, 4 << 20);
		uint16_t flows = rows[i].flows;
		struct list out = { 0 };
		size_t longest, shortest;

		tx_set_path(tx, 12500, 1 * MS, 0);
		bulk(tx, flows, 3 * (int)rows[i].turn + 1);
		fill(tx, flows * (2 * rows[i].turn + 1) * 1508, 0, &out);
		check_int(port_of(&out.items[0]), 1);
		check_int(port_of(&out.items[1]), 2);
		runs(&out, flows, &longest, &shortest);
		check(shortest >= rows[i].turn - 1);
		check(longest <= rows[i].turn);
		list_clear(&out);
		tx_free(tx);
	}
}

/* A ping, each time it comes, is before all of them; who comes more than once in a round waits that long at
 * worst. */
static void long_turns_do_not_hold_up_a_ping(void)
{
	static const struct {
		uint16_t flows;
		size_t every, packets,
			before; /* a packet of ours every so many others, and those before it at worst */
	} rows[] = { { 8, 70, 5, 0 }, { 8, 8, 50, 50 }, { 2, 20, 10, 0 }, { 2, 8, 50, 18 } };

	for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
		struct tx *tx = new_tx(false, 4 << 20);
		struct flow_spec ping = flow(17, 1000);
		struct list out = { 0 };
		size_t worst = 0, pings = 0, sent[50];

		tx_set_path(tx, 12500, 1 * MS, 0);
		bulk(tx, rows[r].flows, 400);
		fill(tx, 70 * 1508, 0, &out);
		for (size_t n = 0; n < rows[r].packets; n++) {
			sent[n] = out.count;
			send_packet(tx, &ping, 56, 0);
			fill(tx, rows[r].every * 1508, 0, &out);
		}
		for (size_t i = 70; i < out.count; i++)
			if (port_of(&out.items[i]) == 1000) {
				worst = MAX(worst, i - sent[pings]);
				pings++;
			}
		check(worst <= rows[r].before);
		check(pings + (rows[r].before + rows[r].every - 1) / rows[r].every >= rows[r].packets);
		list_clear(&out);
		tx_free(tx);
	}
}

/* 128 KiB are a moment on a fast path, and seconds for all who wait on a slow one. */
static void long_turns_end_where_the_path_becomes_slow(void)
{
	struct tx *tx = new_tx(false, 4 << 20);
	struct list out = { 0 };
	size_t longest, shortest;

	tx_set_path(tx, 128u << 10, 100, 0);
	bulk(tx, 2, 400);
	fill(tx, 20 * 1508, 0, &out);
	runs(&out, 2, &longest, &shortest);
	check_int(shortest, SIZE_MAX); /* the turn goes on */
	list_clear(&out);
	tx_set_path(tx, 1500, 6 * MS, 0);
	fill(tx, 20 * 1508, 0, &out);
	runs(&out, 0, &longest, &shortest);
	check_int(longest, 1);
	list_clear(&out);
	tx_free(tx);
}

/* Sequence numbers of one flow in the order of their coming out. */
static bool in_order(const struct list *out, unsigned port)
{
	uint32_t last = 0;

	for (size_t i = 0; i < out->count; i++) {
		uint32_t seq;

		if (port_of(&out->items[i]) != port)
			continue;
		memcpy(&seq, out->items[i].data + 24, 4);
		seq = ntohl(seq);
		if (seq <= last)
			return false;
		last = seq;
	}
	return true;
}

static void over_the_limit_the_fattest_flow_loses(void)
{
	struct tx *tx = new_tx(true, 256u << 10);
	struct flow_spec fat = flow(6, 1), thin = flow(6, 2);
	struct list out = { 0 };
	size_t got[3] = { 0 };

	fat.seq = thin.seq = 1;
	for (int i = 0; i < 40; i++) {
		send_super(tx, &fat, 40, 0);
		if (i % 10 == 0)
			send_super(tx, &thin, 4, 0);
		check(tx_backlog(tx) <= 256u << 10);
	}
	check(tx_stats(tx)->overlimit > 0);
	check_int(tx_stats(tx)->overlimit % 40, 0);
	drain(tx, 0, &out);
	for (size_t i = 0; i < out.count; i++)
		got[port_of(&out.items[i])]++;
	check_int(got[2], 4 * 4);
	check_int(got[1], 40 * 40 - tx_stats(tx)->overlimit);
	check(got[1] >= 3 * 40);
	check(in_order(&out, 1) && in_order(&out, 2));
	list_clear(&out);
	tx_free(tx);
}

/* Super-packets that wait before the first is lost. */
static size_t room(struct tx *tx)
{
	struct flow_spec f = flow(6, 1);
	size_t n = 0;

	empty(tx);
	for (uint64_t lost = tx_stats(tx)->overlimit; tx_stats(tx)->overlimit == lost; n++)
		send_super(tx, &f, 40, 0);
	return n - 1;
}

static void the_limit_follows_the_rate_between_its_bounds(void)
{
	struct tx *tx = new_tx(true, 0);
	size_t least = room(tx), most;

	check_int(least, TX_LIMIT_DEFAULT / (40 * 1460 + 40));
	tx_set_limit(tx, UINT64_MAX);
	most = room(tx);
	check_int(most, TX_LIMIT_FASTEST / (40 * 1460 + 40));
	empty(tx);
	tx_set_limit(tx, TX_LIMIT_DEFAULT * 3 / 2);
	size_t between = room(tx);
	check(between > least && between < most);
	empty(tx);
	tx_set_limit(tx, 0);
	check_int(room(tx), least);
	/* What waits when the limit falls is not dropped for that; the limit follows it down. */
	tx_set_limit(tx, UINT64_MAX);
	(void)room(tx);
	uint64_t lost = tx_stats(tx)->overlimit;
	size_t backlog = tx_backlog(tx);
	tx_set_limit(tx, 0);
	struct flow_spec f = flow(6, 1);
	send_super(tx, &f, 40, 0);
	check_int(tx_stats(tx)->overlimit, lost + 40);
	check(tx_backlog(tx) <= backlog);
	tx_free(tx);
}

/* Super-packets keep their place until the last of them has gone: what is half sent is not dropped for that.
 */
static void the_limit_falls_with_what_is_held(void)
{
	struct tx *tx = new_tx(true, 0);
	struct list out = { 0 };

	tx_set_limit(tx, UINT64_MAX);
	for (uint16_t i = 1; i <= 32; i++) {
		struct flow_spec f = flow(6, i);
		send_super(tx, &f, 40, 0);
	}
	while (tx_backlog(tx) > TX_LIMIT_DEFAULT)
		fill(tx, 60000, 0, &out);
	tx_set_limit(tx, 0);
	struct flow_spec f = flow(6, 33);
	send_super(tx, &f, 1, 0);
	check_int(tx_stats(tx)->overlimit, 0);
	list_clear(&out);
	tx_free(tx);
}

/*
 * Reads of all sizes from many flows, drained bit by bit at random, with a queue mostly near its limit: the
 * arena gets full of holes and packets are moved. Nothing may be lost or reordered.
 */
static void below_the_limit_nothing_is_lost(void)
{
	enum { FLOWS = 12, LIMIT = 1 << 20 };
	struct tx *tx = new_tx(true, LIMIT);
	struct flow_spec flows[FLOWS];
	struct rng rng = { 77 };
	static uint8_t read[READ_SIZE];
	struct list in = { 0 }, out = { 0 };
	size_t reads = 0;

	for (int i = 0; i < FLOWS; i++) {
		flows[i] = flow(i % 3 ? 6 : 17, (uint16_t)(i + 1));
		flows[i].seq = 1;
	}
	while (reads < 3000) {
		struct flow_spec *f = &flows[rng_below(&rng, FLOWS)];

		if (tx_backlog(tx) < LIMIT / 2) {
			size_t segments = f->protocol == 17 || rng_one_in(&rng, 2) ? 0
										   : 2 + rng_below(&rng, 43),
			       before = in.count, n;

			memset(read, 0, VNET);
			if (segments)
				n = super_packet(f, (unsigned)segments, read);
			else
				n = VNET + flow_packet(f, &rng, 1 + rng_below(&rng, 1400), read + VNET);
			check(ref_split(read, n, &in));
			check_int(put(tx, read, n, 0), 0);
			for (size_t i = before; i < in.count; i++)
				f->seq += (uint32_t)(in.items[i].len - 40);
			f->id = (uint16_t)(f->id + in.count - before);
			reads++;
		}
		if (rng_one_in(&rng, 3) || tx_backlog(tx) >= LIMIT / 2)
			fill(tx, 1508 + rng_below(&rng, 30000), 0, &out);
		if (in.count > 3000) {
			const char *why = "";

			drain(tx, 0, &out);
			if (!same_packets(&in, &out, ORDER_QUEUE, &why))
				printf("# %s: %zu %zu over %zu backlog %zu\n", why, in.count, out.count,
				       (size_t)tx_stats(tx)->overlimit, tx_backlog(tx));
			check(why == NULL);
			list_clear(&in);
			list_clear(&out);
		}
	}
	check_int(tx_stats(tx)->overlimit, 0);
	check_int(tx_stats(tx)->dropped, 0);
	list_clear(&in);
	list_clear(&out);
	tx_free(tx);
}

/*
 * Packets of one flow are dropped from between those of another, round after round, until the arena consists
 * of holes that are too small for a read: what waits has to be moved, and must come out whole and in order.
 */
static void packets_are_moved_together_when_the_arena_is_full_of_holes(void)
{
	struct tx *tx = new_tx(false, 1 << 20);
	struct flow_spec kept = flow(6, 1), dropped = flow(17, 2);
	struct rng rng = { 5 };
	struct list in = { 0 }, out = { 0 };
	uint8_t packet[2048];
	const char *why = "";

	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < 10; i++) {
			size_t n = flow_packet(&kept, &rng, 960, packet);

			list_add(&in, packet, n);
			check_int(put(tx, packet, n, 0), 0);
			kept.seq += 960;
			check_int(put(tx, packet, flow_packet(&dropped, &rng, 1472, packet), 0), 0);
		}
		tx_set_mtu(tx, 1200);
		fill(tx, 2 * 1008, 0, &out);
		tx_set_mtu(tx, MTU);
		check_int(tx_backlog(tx), 1000 * (in.count - out.count));
	}
	check_int(tx_stats(tx)->too_big, 1000);
	drain(tx, 0, &out);
	(void)same_packets(&in, &out, ORDER_QUEUE, &why);
	check_str(why ? why : "the same", "the same");
	list_clear(&in);
	list_clear(&out);
	tx_free(tx);
}

/* Small packets take more memory than their bytes say; that is bounded as well. */
static void tiny_packets_do_not_fill_the_memory(void)
{
	struct tx *tx = new_tx(false, 256u << 10);
	struct flow_spec flows[4] = { flow(17, 1), flow(17, 2), flow(17, 3), flow(17, 4) };
	struct list out = { 0 };

	for (int i = 0; i < 5000; i++)
		send_packet(tx, &flows[i % 4], 1, 0);
	check(tx_stats(tx)->overlimit > 0);
	drain(tx, 0, &out);
	check_int(out.count, 5000 - tx_stats(tx)->overlimit);
	check(out.count > 1000);
	list_clear(&out);
	tx_free(tx);
}

/* -- CoDel on a virtual clock ------------------------------------------------------------------ */

/* A link with a bulk sender that never listens, and one voice packet every 20 ms. */
struct link {
	struct tx *tx;
	size_t rate;	   /* bytes of output per millisecond */
	size_t standing;   /* bytes that the sender keeps in the queue, at least */
	unsigned segments; /* that it sends at once */
	struct flow_spec bulk;
	usec_t now, voice_wait; /* the longest */
	struct list out;
};

static void link_init(struct link *l, size_t rate, size_t standing, uint8_t tos)
{
	*l = (struct link){
		.tx = new_tx(true, 0), .rate = rate, .standing = standing, .segments = 22, .bulk = flow(6, 1)
	};
	l->bulk.tos = tos;
	l->bulk.seq = 1;
}

static void link_done(struct link *l)
{
	list_clear(&l->out);
	tx_free(l->tx);
}

static void link_run(struct link *l, usec_t duration)
{
	struct flow_spec voice = flow(17, 2);
	static uint8_t read[VNET + 300];
	usec_t sent_at = l->now;

	for (usec_t end = l->now + duration; l->now < end; l->now += MS) {
		size_t before = l->out.count;

		while (tx_backlog(l->tx) < l->standing)
			send_super(l->tx, &l->bulk, l->segments, l->now);
		if (l->now % (20 * MS) == 0) {
			struct rng rng = { 1 };

			(void)put(l->tx, read, VNET + flow_packet(&voice, &rng, 160, read + VNET), l->now);
			sent_at = l->now;
		}
		fill(l->tx, l->rate, l->now, &l->out);
		for (size_t i = before; i < l->out.count; i++)
			if (port_of(&l->out.items[i]) == 2 && l->now - sent_at > l->voice_wait)
				l->voice_wait = l->now - sent_at;
	}
}

static void a_short_queue_is_left_alone(void)
{
	struct link l;

	/* 25 kB per ms and at most 92 kB waiting: below 5 ms. */
	link_init(&l, 25000, 60000, 0x02);
	link_run(&l, 2000 * MS);
	check_int(tx_stats(l.tx)->dropped, 0);
	check_int(tx_stats(l.tx)->marked, 0);
	check(l.voice_wait <= MS);
	link_done(&l);
}

/* Where less than one full packet waits, however long, there is no queue that dropping could shorten (RFC
 * 8289 §4.4). */
static void less_than_a_packet_is_left_alone(void)
{
	struct tx *tx = new_tx(false, 0);
	struct flow_spec f = flow(17, 1);
	struct list out = { 0 };

	for (usec_t now = 0; now < 2000 * MS; now += 10 * MS) {
		send_packet(tx, &f, 100, now);
		if (now >= 60 * MS)
			fill(tx, 136, now, &out);
	}
	check_int(out.count, 194);
	check_int(tx_stats(tx)->dropped, 0);
	list_clear(&out);
	tx_free(tx);
}

static void a_standing_queue_is_answered_by_drops(void)
{
	struct link l;

	/* 2.6 kB per ms (20 Mbit/s), 200 kB waiting: some 80 ms. */
	link_init(&l, 2600, 200000, 0);
	link_run(&l, 99 * MS);
	check_int(tx_stats(l.tx)->dropped, 0); /* one interval above the target is a burst */
	link_run(&l, 900 * MS);
	/* RFC 8289 §3: after n drops the next comes interval/√n later: about 20 in this time. */
	check(tx_stats(l.tx)->dropped >= 15 && tx_stats(l.tx)->dropped <= 30);
	check_int(tx_stats(l.tx)->marked, 0);
	check(l.voice_wait <= 2 * MS); /* voice overtakes */
	link_done(&l);
}

/* RFC 8289 §5.4: a queue that comes back is met with the rate that held it before. */
static void a_queue_that_comes_back_is_remembered(void)
{
	struct link l;

	link_init(&l, 2600, 200000, 0);
	link_run(&l, 1000 * MS);
	uint64_t first = tx_stats(l.tx)->dropped;
	link_run(&l, 2000 * MS);
	l.standing = 0;
	link_run(&l, 200 * MS);
	l.standing = 200000;
	uint64_t before = tx_stats(l.tx)->dropped;
	link_run(&l, 1000 * MS);
	check(tx_stats(l.tx)->dropped - before > first * 3 / 2);
	link_done(&l);
}

static void single_segments_are_dropped_not_super_packets(void)
{
	struct link l;
	uint32_t next = 1;
	size_t holes = 0;

	link_init(&l, 2600, 200000, 0);
	link_run(&l, 1000 * MS);
	for (size_t i = 0; i < l.out.count; i++) {
		const struct blob *p = &l.out.items[i];
		uint32_t seq;

		if (port_of(p) != 1)
			continue;
		memcpy(&seq, p->data + 24, 4);
		seq = ntohl(seq);
		check(seq == next || seq == next + 1460);
		holes += seq != next;
		next = seq + 1460;
		check(ref_checksums_right(p->data, p->len));
	}
	check_int(holes, tx_stats(l.tx)->dropped);
	check(holes > 0);
	link_done(&l);
}

static void ect_packets_are_marked_instead(void)
{
	static const uint8_t ect[] = { 0x01, 0x02 };

	for (size_t e = 0; e < 2; e++) {
		struct link l;
		size_t marks = 0, bulk = 0;

		link_init(&l, 2600, 200000, ect[e]);
		link_run(&l, 1000 * MS);
		for (size_t i = 0; i < l.out.count; i++) {
			const uint8_t *p = l.out.items[i].data;

			if (port_of(&l.out.items[i]) != 1)
				continue;
			bulk++;
			check(p[1] == 3 || p[1] == ect[e]);
			marks += p[1] == 3;
			check(ref_checksums_right(p, l.out.items[i].len));
		}
		check(marks >= 10 && marks < bulk / 4);
		check_int(marks, tx_stats(l.tx)->marked);
		check_int(tx_stats(l.tx)->dropped, 0);
		check(in_order(&l.out, 1));
		link_done(&l);
	}
}

static void ipv6_is_marked_in_its_traffic_class(void)
{
	struct tx *tx = new_tx(false, 0);
	struct flow_spec f = flow(6, 1);
	struct list out = { 0 };
	size_t marks = 0;

	f.version = 6;
	f.tos = 0xa6; /* ECT(0) behind other bits */
	for (usec_t now = 0; now < 500 * MS; now += MS) {
		while (tx_backlog(tx) < 100000)
			send_packet(tx, &f, 1000, now);
		fill(tx, 2600, now, &out);
	}
	for (size_t i = 0; i < out.count; i++) {
		const uint8_t *p = out.items[i].data;

		check(p[0] == 0x6a && (p[1] == 0x60 || p[1] == 0x70));
		marks += p[1] == 0x70;
	}
	check(marks > 3);
	check_int(marks, tx_stats(tx)->marked);
	list_clear(&out);
	tx_free(tx);
}

static void long_records_are_not_taken_for_a_queue(void)
{
	static const usec_t record_times[] = { 12 * MS, 8 * MS };

	/* 3 kB per ms and 45 to 51 kB waiting: 15 to 17 ms. The target is one and a half record times. */
	for (int i = 0; i < 2; i++) {
		struct link l;

		link_init(&l, 3100, 45000, 0);
		l.segments = 4;
		tx_set_path(l.tx, 0, record_times[i], 0);
		link_run(&l, 1000 * MS);
		check((tx_stats(l.tx)->dropped == 0) == (i == 0));
		link_done(&l);
	}
}

/* A flow that is alone may keep two round trips waiting, up to a limit. */
static void on_a_long_path_the_queue_may_be_longer(void)
{
	static const usec_t round_trips[] = { 10 * MS, 5 * MS };

	/* As above: 15 to 17 ms wait. */
	for (int i = 0; i < 2; i++) {
		struct link l;

		link_init(&l, 3100, 45000, 0);
		l.segments = 4;
		tx_set_path(l.tx, 0, 0, round_trips[i]);
		link_run(&l, 1000 * MS);
		check((tx_stats(l.tx)->dropped == 0) == (i == 0));
		link_done(&l);
	}
	struct link l;

	/* 3 kB per ms and 360 kB: 120 ms, whatever the round trip is. */
	link_init(&l, 3100, 360000, 0);
	l.segments = 4;
	tx_set_path(l.tx, 0, 0, 2000 * MS);
	link_run(&l, 1000 * MS);
	check(tx_stats(l.tx)->dropped > 0);
	link_done(&l);
}

/* The time that a queue may stand grows with the target. */
static void on_a_very_slow_link_the_interval_is_longer(void)
{
	struct link l;

	/* 1.6 kB per 4 ms and 160 kB waiting: 400 ms; target 300 ms, interval 600 ms. */
	link_init(&l, 1600, 160000, 0);
	l.segments = 4;
	tx_set_path(l.tx, 0, 200 * MS, 0);
	for (usec_t t = 0; t < 850 * MS; t += 4 * MS) {
		link_run(&l, MS);
		l.now += 3 * MS;
	}
	check_int(tx_stats(l.tx)->dropped, 0);
	for (usec_t t = 0; t < 500 * MS; t += 4 * MS) {
		link_run(&l, MS);
		l.now += 3 * MS;
	}
	check(tx_stats(l.tx)->dropped > 0);
	link_done(&l);
}

int main(void)
{
	return run_tests((struct test[]){ TEST(writes_sstp_data_packets),
					  TEST(only_whole_packets_are_written),
					  TEST(zero_udp_checksum_is_sent_as_ffff),
					  TEST(zero_tcp_checksum_stays_zero),
					  TEST(refuses_hostile_reads),
					  TEST(a_commit_without_a_place_is_refused),
					  TEST(nothing_above_the_mtu_goes_out),
					  TEST(a_closed_family_is_not_sent),
					  TEST(the_configuration_is_checked),
					  TEST(a_sparse_flow_passes_bulk_flows),
					  TEST(coming_back_at_once_does_not_starve_others),
					  TEST(on_a_slow_link_a_ping_passes_short_queues),
					  TEST(a_flow_that_was_alone_owes_nothing),
					  TEST(fragments_keep_their_order),
					  TEST(bulk_flows_share_by_bytes),
					  TEST(few_flows_take_long_turns),
					  TEST(long_turns_do_not_hold_up_a_ping),
					  TEST(long_turns_end_where_the_path_becomes_slow),
					  TEST(over_the_limit_the_fattest_flow_loses),
					  TEST(the_limit_follows_the_rate_between_its_bounds),
					  TEST(the_limit_falls_with_what_is_held),
					  TEST(below_the_limit_nothing_is_lost),
					  TEST(packets_are_moved_together_when_the_arena_is_full_of_holes),
					  TEST(tiny_packets_do_not_fill_the_memory),
					  TEST(a_short_queue_is_left_alone),
					  TEST(less_than_a_packet_is_left_alone),
					  TEST(a_standing_queue_is_answered_by_drops),
					  TEST(a_queue_that_comes_back_is_remembered),
					  TEST(single_segments_are_dropped_not_super_packets),
					  TEST(ect_packets_are_marked_instead),
					  TEST(ipv6_is_marked_in_its_traffic_class),
					  TEST(long_records_are_not_taken_for_a_queue),
					  TEST(on_a_long_path_the_queue_may_be_longer),
					  TEST(on_a_very_slow_link_the_interval_is_longer),
					  {} });
}
