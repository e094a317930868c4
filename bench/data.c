/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the packet path costs on this processor, without any system call: checksum, splitting of
 * super-packets, joining, small packets. Each figure is the best of many short rounds, so that a busy
 * neighbour does not count.
 *
 *     bench-data [name]       all, or those whose name contains the word
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/macro.h"
#include "data/csum.h"
#include "data/packet.h"
#include "data/rx.h"
#include "data/tx.h"

#define ROUNDS	    1000
#define ROUND_TIME  2e5 /* ns: shorter than a time slice */
#define MTU	    1500
#define SEGMENTS    44
#define PAYLOAD	    (MTU - IP6_HEADER_LEN - 32) /* beside TCP with a timestamp */
#define UDP_HEADERS 28
#define UDP_PAYLOAD 64
#define SMALL_BATCH 64
#define OUTPUT_SIZE 16384

static double now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

struct bench {
	struct tx *tx;
	struct rx *rx;
	const struct csum_ops *csum;
	size_t len;
	uint8_t *data, *out;
	int version;
	volatile uint64_t sink; /* keeps results alive */
};

/* Runs `f` often enough and returns the nanoseconds of one call in the best round. */
static double measure(void (*f)(struct bench *), struct bench *b)
{
	double best = 1e18;

	for (int round = 0; round < ROUNDS; round++) {
		double start = now_ns(), end;
		int n = 0;

		do {
			for (int i = 0; i < 16; i++)
				f(b);
			n += 16;
			end = now_ns();
		} while (end - start < ROUND_TIME);
		best = MIN(best, (end - start) / n);
	}
	return best;
}

static void report(const char *name, double ns, size_t bytes, int packets)
{
	printf("%-44s %9.0f ns %8.2f GB/s", name, ns, (double)bytes / ns);
	if (packets > 1)
		printf(" %8.1f ns/packet", ns / packets);
	printf("\n");
}

/* -- packets ----------------------------------------------------------------------------------- */

/* IPv4 or IPv6 header; returns its length. */
static size_t put_ip(uint8_t *p, int version, uint8_t protocol, size_t l4_len, uint16_t id)
{
	static const uint8_t addresses[] = { 192, 0, 2, 1, 198, 51, 100, 7 };

	if (version == 6) {
		memset(p, 0, IP6_HEADER_LEN);
		p[0] = 0x60;
		put_u16(p + IP6_LEN, (uint16_t)l4_len);
		p[IP6_NEXT] = protocol;
		p[7] = 64;
		p[IP6_SOURCE] = p[IP6_SOURCE + 16] = 0x20;
		return IP6_HEADER_LEN;
	}
	memset(p, 0, IP4_HEADER_LEN);
	p[0] = 0x45;
	put_u16(p + IP4_LEN, (uint16_t)(IP4_HEADER_LEN + l4_len));
	put_u16(p + IP4_ID, id);
	p[IP4_FRAGMENT] = 0x40;
	p[IP4_TTL] = 64;
	p[9] = protocol;
	memcpy(p + IP4_SOURCE, addresses, sizeof(addresses));
	put_raw16(p + IP4_CHECK, csum_finish(csum_short(p, IP4_HEADER_LEN)));
	return IP4_HEADER_LEN;
}

/* The sum of the pseudo header, as a partial checksum holds it. */
static uint64_t pseudo(const uint8_t *p, int version, uint8_t protocol, size_t l4_len)
{
	uint64_t addresses = version == 6 ? csum_short(p + IP6_SOURCE, 32) : csum_short(p + IP4_SOURCE, 8);

	return addresses + htons(protocol) + htons((uint16_t)l4_len);
}

/* A TCP packet or super-packet with a partial checksum, or a whole one. Returns its length. */
static size_t put_tcp(uint8_t *p, int version, size_t payload, uint16_t id, uint32_t seq, bool partial)
{
	size_t l4_len = 32 + payload, l4 = put_ip(p, version, IPPROTO_TCP, l4_len, id);
	uint8_t *tcp = p + l4;

	memset(tcp, 0, 32);
	put_u16(tcp, 5201);
	put_u16(tcp + 2, 40000);
	put_u32(tcp + TCP_SEQ, seq);
	put_u16(tcp + TCP_FLAGS, 0x8010);
	put_u16(tcp + TCP_WINDOW, 1000);
	tcp[20] = tcp[21] = 1;
	tcp[22] = 8;
	tcp[23] = 10;
	for (size_t i = 0; i < payload; i++)
		tcp[32 + i] = (uint8_t)(i * 7 + (i >> 8));
	put_raw16(tcp + TCP_CHECK, csum_fold(pseudo(p, version, IPPROTO_TCP, l4_len)));
	if (!partial)
		put_raw16(tcp + TCP_CHECK, csum_finish(csum_best()->sum(tcp, l4_len)));
	return l4 + l4_len;
}

static size_t put_udp(uint8_t *p, int version, size_t payload, uint16_t id, bool partial)
{
	size_t l4_len = UDP_HEADER_LEN + payload, l4 = put_ip(p, version, IPPROTO_UDP, l4_len, id);
	uint8_t *udp = p + l4;

	put_u16(udp, 5201);
	put_u16(udp + 2, 40000);
	put_u16(udp + UDP_LEN, (uint16_t)l4_len);
	memset(udp + UDP_HEADER_LEN, 0x5a, payload);
	put_raw16(udp + UDP_CHECK, csum_fold(pseudo(p, version, IPPROTO_UDP, l4_len)));
	if (!partial)
		put_raw16(udp + UDP_CHECK, csum_finish_udp(csum_best()->sum(udp, l4_len)));
	return l4 + l4_len;
}

/* -- what is measured -------------------------------------------------------------------------- */

static void run_sum(struct bench *b)
{
	b->sink += b->csum->sum(b->data, b->len);
}

static void run_copy(struct bench *b)
{
	b->sink += b->csum->copy(b->out, b->data, b->len);
}

static void run_memcpy(struct bench *b)
{
	memcpy(b->out, b->data, b->len);
	__asm__ volatile("" : : "r"(b->out) : "memory");
}

/* The packet lies in the arena already, as after read(): only its headers are written again. */
static void split(struct bench *b, uint8_t gso)
{
	struct vnet_header vnet = { .flags = VNET_NEEDS_CSUM,
				    .gso_type = gso,
				    .csum_start = b->version == 6 ? IP6_HEADER_LEN : IP4_HEADER_LEN,
				    .csum_offset = gso == VNET_GSO_UDP ? UDP_CHECK : TCP_CHECK,
				    .gso_size = PAYLOAD };
	size_t size, n;
	uint8_t *p = tx_reserve(b->tx, &size);

	memcpy(p, &vnet, sizeof(vnet));
	memcpy(p + sizeof(vnet), b->data, 128);
	if (tx_commit(b->tx, sizeof(vnet) + b->len, 1) < 0)
		abort();
	while ((n = tx_fill(b->tx, b->out, OUTPUT_SIZE, 1)) > 0)
		b->sink += n;
}

static void run_split_tcp(struct bench *b)
{
	split(b, b->version == 6 ? VNET_GSO_TCP6 : VNET_GSO_TCP4);
}

static void run_split_udp(struct bench *b)
{
	split(b, VNET_GSO_UDP);
}

/* A burst of single packets with partial checksums, then one drain; the copy stands for read(). */
static void run_send_small(struct bench *b)
{
	struct vnet_header vnet = { .flags = VNET_NEEDS_CSUM,
				    .csum_start = IP4_HEADER_LEN,
				    .csum_offset = UDP_CHECK };
	size_t size, n;

	for (int i = 0; i < SMALL_BATCH; i++) {
		uint8_t *p = tx_reserve(b->tx, &size);

		memcpy(p, &vnet, sizeof(vnet));
		memcpy(p + sizeof(vnet), b->data, UDP_HEADERS + UDP_PAYLOAD);
		if (tx_commit(b->tx, sizeof(vnet) + UDP_HEADERS + UDP_PAYLOAD, 1) < 0)
			abort();
	}
	while ((n = tx_fill(b->tx, b->out, OUTPUT_SIZE, 1)) > 0)
		b->sink += n;
}

/* Packets of `len` bytes that lie one behind the other, as in a decrypted record. */
static void join(struct bench *b, int count)
{
	struct iovec iov[RX_IOV_MAX];
	int protocol = b->version == 6 ? PPP_PROTO_IPV6 : PPP_PROTO_IPV4, n;

	for (int i = 0; i < count; i++)
		if (rx_add(b->rx, protocol, b->data + (size_t)i * (b->len + TX_OVERHEAD), b->len) < 0)
			abort();
	while ((n = rx_next(b->rx, iov)) > 0)
		b->sink += (uint64_t)n + iov[0].iov_len;
}

static void run_join(struct bench *b)
{
	join(b, SEGMENTS);
}

static void run_receive_small(struct bench *b)
{
	join(b, SMALL_BATCH);
}

/* -- the list ---------------------------------------------------------------------------------- */

static void bench_csum(struct bench *b)
{
	static const size_t sizes[] = { 64, PAYLOAD, 65536 };
	char name[64];

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		b->len = sizes[i];
		for (const struct csum_ops *const *ops = csum_implementations(); *ops; ops++) {
			b->csum = *ops;
			(void)snprintf(name, sizeof(name), "csum sum %s %zu", b->csum->name, b->len);
			report(name, measure(run_sum, b), b->len, 1);
			(void)snprintf(name, sizeof(name), "csum copy %s %zu", b->csum->name, b->len);
			report(name, measure(run_copy, b), b->len, 1);
		}
		(void)snprintf(name, sizeof(name), "memcpy %zu", b->len);
		report(name, measure(run_memcpy, b), b->len, 1);
	}
}

static void bench_split(struct bench *b)
{
	size_t size, payload = (size_t)SEGMENTS * PAYLOAD;

	for (b->version = 4; b->version <= 6; b->version += 2) {
		b->len = put_tcp(b->data, b->version, payload, 1, 1, true);
		memcpy(tx_reserve(b->tx, &size) + sizeof(struct vnet_header), b->data, b->len);
		report(b->version == 6 ? "split TSO6 64 KiB into 44" : "split TSO4 64 KiB into 44",
		       measure(run_split_tcp, b), b->len, SEGMENTS);
		b->len = put_udp(b->data, b->version, payload, 1, true);
		memcpy(tx_reserve(b->tx, &size) + sizeof(struct vnet_header), b->data, b->len);
		report(b->version == 6 ? "split USO6 64 KiB into 44" : "split USO4 64 KiB into 44",
		       measure(run_split_udp, b), b->len, SEGMENTS);
	}
	b->version = 4;
	b->len = put_udp(b->data, 4, UDP_PAYLOAD, 1, true);
	report("send UDP of 64 bytes, bursts of 64", measure(run_send_small, b), b->len * SMALL_BATCH,
	       SMALL_BATCH);
}

static void bench_join(struct bench *b)
{
	for (b->version = 4; b->version <= 6; b->version += 2) {
		uint8_t *p = b->data;

		for (uint16_t i = 0; i < SEGMENTS; i++, p += b->len + TX_OVERHEAD)
			b->len = put_tcp(p, b->version, PAYLOAD, i, 1u + i * PAYLOAD, false);
		report(b->version == 6 ? "join TCP over IPv6, 44 packets" : "join TCP over IPv4, 44 packets",
		       measure(run_join, b), b->len * SEGMENTS, SEGMENTS);
	}
	b->version = 4;
	for (uint16_t same = 0; same < 2; same++) {
		uint8_t *p = b->data;

		for (uint16_t i = 0; i < SMALL_BATCH; i++, p += b->len + TX_OVERHEAD)
			b->len = put_udp(p, 4, UDP_PAYLOAD, same ? 0 : i, false);
		report(same ? "receive UDP of 64 bytes, not joined" : "receive UDP of 64 bytes, joined",
		       measure(run_receive_small, b), b->len * SMALL_BATCH, SMALL_BATCH);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct bench *);
	} benches[] = { { "csum", bench_csum }, { "split", bench_split }, { "join", bench_join } };
	_cleanup_(tx_freep) struct tx *tx = NULL;
	_cleanup_(rx_freep) struct rx *rx = NULL;
	_cleanup_free_ uint8_t *data = aligned_alloc(64, 2 << 16), *out = aligned_alloc(64, 2 << 16);
	struct bench b = { .data = data, .out = out };

	if (!data || !out ||
	    tx_new(&(struct tx_config){ .vnet_hdr = true, .mtu = MTU, .hash_key = 1 }, &tx) < 0 ||
	    rx_new(&(struct rx_config){ .vnet_hdr = true, .udp = true }, &rx) < 0)
		return 1;
	memset(data, 1, 2 << 16);
	memset(out, 1, 2 << 16);
	b.tx = tx;
	b.rx = rx;
	printf("checksum: %s\n", csum_best()->name);
	for (size_t i = 0; i < ARRAY_SIZE(benches); i++)
		if (argc < 2 || strstr(benches[i].name, argv[1]))
			benches[i].run(&b);
	return 0;
}
