/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the TUN to the TLS stream: IP packets are queued by flow and come out as whole SSTP data packets.
 *
 *     while (tx_backlog(tx) < …) {
 *             uint8_t *p = tx_reserve(tx, &size);
 *             n = read(tun, p, size);              until EAGAIN
 *             (void)tx_commit(tx, n, now);
 *     }
 *     n = tx_fill(tx, out, sizeof(out), now);      then SSL_write(out, n)
 *
 * With a virtio header in front (IFF_VNET_HDR) a read gives up to 64 KiB that stand for many packets. Such a
 * super-packet stays as it was read until tx_fill() cuts it (TSO, USO), straight into the output, copying and
 * summing in one pass. Nothing is copied before that.
 *
 * The queue is FQ-CoDel (RFC 8290) on segments, not on super-packets: flows that do not build a queue go
 * first, the others share by deficit round robin; a standing queue of a flow is answered by marking (ECT) or
 * dropping single segments. Over the limit in bytes the fattest flow loses. Packets of one flow are never
 * reordered. SSTP and LCP control is not in here: the session sends it first.
 *
 * Memory: one arena, allocated at once, touched from its low end only as far as the queue is long.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "proto/ppp/ppp.h"
#include "proto/sstp/sstp.h"

#define TX_MTU_MIN	  68u		      /* RFC 791 §3.1 */
#define TX_LIMIT_DEFAULT  (1u << 20)	      /* bytes */
#define TX_LIMIT_FASTEST  (9u << 18)	      /* bytes: what tx_set_limit() may raise that to */
#define TX_TARGET	  (5 * USEC_PER_MSEC) /* CoDel: accepted standing delay (RFC 8289 §4.2) */
#define TX_SLOW_BURST	  (1 * USEC_PER_MSEC) /* see tx_set_path() */
#define TX_BURST_MAX	  (1u << 20)	      /* bytes */
#define TX_TARGET_RTT_MAX (100 * USEC_PER_MSEC)
#define TX_INTERVAL	  (100 * USEC_PER_MSEC) /* CoDel: a worst expected round trip */
/* What a data packet adds to an IP packet: 8 bytes. */
#define TX_OVERHEAD (SSTP_HEADER_LEN + PPP_HEADER_LEN)

struct tx_config {
	bool vnet_hdr; /* every read from the TUN starts with struct virtio_net_hdr (10 bytes) */
	uint16_t mtu;  /* the largest IP packet to send, TX_MTU_MIN … PPP_IP_MAX */
	size_t limit;  /* bytes of packets that may wait, 256 KiB … 256 MiB; 0 = TX_LIMIT_DEFAULT. At worst
			  they take an eighth more memory, and a seventh with the holes. */
	uint64_t hash_key; /* random, so that nobody can make flows collide on purpose */
};

struct tx_stats {
	uint64_t packets; /* IP packets written by tx_fill(), segments counted singly */
	uint64_t bytes;	  /* their bytes, IP header included */
	uint64_t reads;	  /* TUN reads taken into the queue: packets / reads is what TSO gives */
	uint64_t invalid; /* reads refused: not IP, lengths or offload fields that make no sense */
	uint64_t too_big; /* packets above the MTU, refused or, after tx_set_mtu(), dropped */
	uint64_t closed;  /* reads refused, and packets dropped: tx_set_families() does not allow this kind */
	uint64_t overlimit; /* IP packets dropped over the limit in bytes */
	uint64_t dropped;   /* IP packets dropped by CoDel */
	uint64_t marked;    /* IP packets marked CE by CoDel instead */
};

struct tx;

/* 0, -EINVAL (mtu or limit out of range) or -ENOMEM. Nothing is allocated after this. */
int tx_new(const struct tx_config *config, struct tx **ret);
void tx_free(struct tx *tx); /* NULL is fine */
static inline void tx_freep(struct tx **tx)
{
	tx_free(*tx);
}

/* Another MTU from now on (clamped); what waits already and no longer fits is dropped by tx_fill(). */
void tx_set_mtu(struct tx *tx, uint16_t mtu);
/* Which packets are taken and sent; both at first. For a family whose NCP is not open: what waits of it is
 * dropped by tx_fill(). */
void tx_set_families(struct tx *tx, bool ipv4, bool ipv6);
/*
 * How many bytes are sent at once, how long they take at the present rate, and the round trip of the empty
 * path. CoDel must not take for a queue what is only the grain of the link: its target is never less than one
 * and a half of that time. And one flow alone keeps the path busy only if there is enough in the queue for
 * the time that it sends less after a drop, or that the connection below sends more: two round trips (it
 * waits for itself, nobody else does).
 *
 * With up to six flows a turn is as long as a burst, with more of them shorter, so that a round takes no
 * more than six (or a packet of each): what arrives together is joined at the other end, and a super-packet
 * costs a slow machine no more than a packet, nor does its acknowledgement. The price: a flow that sends more
 * than once in a round waits up to that long, as with any number of flows it did for a packet of each. Where
 * one packet already takes longer than TX_SLOW_BURST, turns are shorter, so that short packets pass long
 * ones.
 */
void tx_set_path(struct tx *tx, uint32_t burst, usec_t burst_time, usec_t rtt);
/* Another limit from now on: at least that of tx_config, at most that or TX_LIMIT_FASTEST. It falls as the
 * queue does. */
void tx_set_limit(struct tx *tx, uint64_t bytes);
/* Memory that a burst needed, but nothing since the last call: *ret and its bytes, which the caller may give
 * back to the kernel, but not between tx_reserve() and tx_commit(). 0: none. */
size_t tx_spare(struct tx *tx, void **ret);

/*
 * Where to put one read from the TUN; *ret_size (more than 64 KiB) is how much may be put there. Never NULL:
 * there is always room, because tx_commit() has dropped what was over the limit. The place is good until the
 * next tx_reserve() or tx_commit(); a read that fails needs nothing to be undone.
 */
uint8_t *tx_reserve(struct tx *tx, size_t *ret_size);
/*
 * Takes the `len` bytes at the reserved place into the queue. Returns 0, or -EBADMSG (not sound), -EMSGSIZE
 * (above the MTU), -EPROTONOSUPPORT (family closed): then they are dropped and counted, and nothing is to be
 * done.
 */
int tx_commit(struct tx *tx, size_t len, usec_t now);

/*
 * Writes whole SSTP data packets (10 00 length | FF 03 00 21 or 57 | IP packet) to `out`. Returns the bytes
 * written: 0 if nothing waits or the next packet needs more than `space` (TX_OVERHEAD + mtu always suffices).
 */
size_t tx_fill(struct tx *tx, uint8_t *out, size_t space, usec_t now);

/* Bytes of IP packets that wait. A super-packet counts for what is left of it, headers once. */
size_t tx_backlog(const struct tx *tx);
const struct tx_stats *tx_stats(const struct tx *tx);
