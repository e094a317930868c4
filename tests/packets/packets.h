/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of the packet path share: generated packets, and a slow second implementation of checksums
 * and segmentation, written from the RFCs, that shares no code with src/data.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/rx.h"
#include "data/tx.h"

/* Random numbers that are the same on every machine. */
struct rng {
	uint64_t state;
};
uint32_t rng_next(struct rng *r);
uint32_t rng_below(struct rng *r, uint32_t n); /* 0 … n − 1 */
bool rng_one_in(struct rng *r, uint32_t n);
void rng_bytes(struct rng *r, uint8_t *out, size_t len);

/* A list of byte strings, owned. */
struct blob {
	uint8_t *data;
	size_t len;
};
struct list {
	struct blob *items;
	size_t count, size;
};
void list_add(struct list *l, const uint8_t *data, size_t len);
void list_drop_last(struct list *l);
void list_clear(struct list *l);

/* -- the slow implementation ------------------------------------------------------------------- */

/* RFC 1071 §4.1, the checksum to be put into a packet; `seed` is added (a pseudo header's sum). */
uint16_t ref_checksum(const uint8_t *data, size_t len, uint32_t seed);
/* Sets the checksums of IP header and TCP, UDP header of a packet; UDP zero becomes FFFF. */
void ref_set_checksums(uint8_t *ip, size_t len);
/* The checksum field of TCP or UDP as checksum offload has it: the sum of the pseudo header. */
void ref_set_partial(uint8_t *ip, size_t len);
/* Are those of IP header and of TCP or UDP right? UDP zero counts as right. */
bool ref_checksums_right(const uint8_t *ip, size_t len);
/*
 * Cuts a write or read with virtio header in front into the packets that it stands for (RFC 9293 §3.1, RFC
 * 768, RFC 791, virtio 1.2 §5.1.6.2). The input has to be sound: anything else is a failure. Returns false
 * then.
 */
bool ref_split(const uint8_t *data, size_t len, struct list *out);
/* Would the kernel take this write (drivers/net/tun.c, include/linux/virtio_net.h)? */
bool ref_kernel_accepts(const uint8_t *data, size_t len);
/* Those that a receiver takes, without padding: lengths are sound, and not too long for SSTP. */
void ref_receivable(const struct list *in, struct list *out);
/*
 * Must the first of these packets stay before the second? Yes in a flow; ORDER_STRICT also if one is a
 * fragment between the same hosts. A fair queue cannot promise that: only the first fragment has the ports.
 */
enum order { ORDER_STRICT, ORDER_QUEUE };
bool ref_ordered(const struct blob *a, const struct blob *b, enum order order);

/* -- generated packets ------------------------------------------------------------------------- */

struct flow_spec {
	int version;
	uint8_t protocol;
	uint8_t source[16], destination[16];
	uint16_t ports[2];
	uint8_t tos, ttl;
	bool df;
	uint16_t id, window;
	uint32_t seq, ack;
	uint16_t flags;	       /* TCP */
	uint8_t options[40];   /* TCP */
	size_t options_len;    /* a multiple of 4 */
	uint8_t extension[64]; /* IPv4 options or IPv6 extension headers */
	size_t extension_len;  /* a multiple of 4 or 8 */
	uint16_t mss;
};

/* A random flow whose full packets are at most `mtu` long. */
void flow_random(struct rng *r, struct flow_spec *f, uint16_t mtu);
/* Writes a packet of the flow with random payload to `out`; right checksums; returns its length. Counts
 * nothing up. */
size_t flow_packet(const struct flow_spec *f, struct rng *r, size_t payload, uint8_t *out);
/* Packets of these flows, interleaved, with changes that forbid joining; `sound`: with right checksums and
 * lengths. */
void random_flow_packets(struct rng *r, struct flow_spec *flows, size_t n, bool sound, struct list *out,
			 size_t count);
/* A list of packets of a few interleaved flows, sound and unsound, of every kind that matters to joining. */
void random_packets(struct rng *r, struct list *out, size_t count, uint16_t mtu);
/* A TUN read: virtio header and a super-packet or a packet with or without partial checksum, as the kernel
 * writes it. */
void random_read(struct rng *r, struct list *out, uint16_t mtu);

/* -- the code under test, driven --------------------------------------------------------------- */

/* All packets through rx: what would be written to the TUN. */
void run_join(struct rx *rx, const struct list *packets, struct list *ret_writes);
/* The same as they arrive, up to `most` at a time, with what may still grow held until the rest is there.
 * Every time all lie in another buffer. */
void run_join_in_pieces(struct rx *rx, const struct list *packets, struct rng *r, uint32_t most,
			struct list *ret_writes);
/* All reads through tx, drained after each `batch` reads. Packets without SSTP and PPP header. False if
 * framing is wrong.
 */
bool run_split(struct tx *tx, const struct list *reads, size_t batch, struct list *ret_packets);
/* Takes SSTP data packets apart. */
bool unframe(const uint8_t *data, size_t len, struct list *ret_packets);

/* Is `got` the same packets as `expected`, in an order that ref_ordered() allows? Says what is wrong
 * otherwise. */
bool same_packets(const struct list *expected, const struct list *got, enum order order,
		  const char **ret_why);
