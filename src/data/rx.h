/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the TLS stream to the TUN: IP packets of one batch are joined to super-packets (GRO).
 *
 *     for each data packet in the decrypted buffer:
 *             while (rx_add(rx, protocol, ip, len) == -ENOBUFS)
 *                     drain();
 *     held = rx_hold(rx, end);                     if more is about to come
 *     drain();                                     before the buffer is used again
 *     rx_moved(rx, to);                            if `held`, and what it points to was moved
 *
 *     drain: while ((n = rx_next(rx, iov)) > 0)
 *                    (void)writev(tun, iov, n);
 *
 * What a group becomes under the kernel's segmentation is, byte for byte, the packets that were joined. So
 * only neighbours of one TCP or UDP flow are joined that have right checksums, consecutive sequence numbers
 * and IP identifications, and are equal in all else; the rules stand in rx.c. All other packets pass as they
 * are, for the kernel to judge. Packets of one flow are never reordered.
 *
 * Packets are referred to, not copied (but short ones, and router advertisements, which are changed on the
 * way: data/advert.h): what was added must stay in place until rx_next() has returned 0, and longer if it is
 * held.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "proto/ppp/ppp.h"

#define RX_BATCH_MAX 1024u /* packets between two drains */
#define RX_GROUP_MAX 128u  /* packets in one super-packet; 64 for UDP, the limit of older kernels */
#define RX_IOV_MAX   (RX_GROUP_MAX + 1)
#define RX_HOLD_MAX  (72u * 1024u) /* bytes: a super-packet, and what frames its packets */

struct rx_config {
	bool vnet_hdr; /* writes to the TUN start with struct virtio_net_hdr (10 bytes); without it nothing is
			  joined */
	bool udp;      /* the kernel takes VIRTIO_NET_HDR_GSO_UDP_L4 (TUNSETOFFLOAD accepted TUN_F_USO4 |
			  TUN_F_USO6) */
};

struct rx_stats {
	uint64_t packets; /* IP packets taken */
	uint64_t bytes;	  /* their bytes, IP header included, padding not */
	uint64_t writes;  /* yielded by rx_next(): packets / writes is what joining gives */
	uint64_t dropped; /* not what the PPP protocol says, shorter than its header says, or too long */
	uint64_t adverts; /* what may be router advertisements in pieces (data/advert.h): dropped, too */
	uint64_t rdnss;	  /* router advertisements with resolvers */
};

struct rx;
struct rdnss_heard;

/* 0 or -ENOMEM. Nothing is allocated after this. */
int rx_new(const struct rx_config *config, struct rx **ret);
void rx_free(struct rx *rx); /* NULL is fine */
static inline void rx_freep(struct rx **rx)
{
	rx_free(*rx);
}

/*
 * Adds one IP packet: `protocol` is PPP_PROTO_IPV4 or PPP_PROTO_IPV6, `len` may count padding behind it,
 * which is trimmed. Returns 0 (taken), -EBADMSG (dropped, counted, nothing to be done) or -ENOBUFS (not
 * taken: drain, then add it again).
 */
int rx_add(struct rx *rx, int protocol, const uint8_t *ip, size_t len);

/*
 * The next write for the TUN: fills `iov` and returns how many are used; 0 when all has been yielded but what
 * is held, and only then rx_add() may be called again. `iov` is valid until the next call.
 */
int rx_next(struct rx *rx, struct iovec iov[static RX_IOV_MAX]);

/*
 * Right before a drain, if more will come in the same buffer: keeps the last group back if that may still
 * grow. `end` is that of what was consumed of the buffer. Returns where the group begins: from there to
 * `end`, RX_HOLD_MAX bytes at most, all must stay in place or be moved together. NULL: there is no such
 * group, everything is yielded. The next drain yields it, unless it is held again.
 */
const uint8_t *rx_hold(struct rx *rx, const uint8_t *end);
/* What rx_hold() returned the place of is at `to` now; after the drain. */
void rx_moved(struct rx *rx, const uint8_t *to);

const struct rx_stats *rx_stats(const struct rx *rx);
/* What router advertisements have told of resolvers since the last call (data/rdnss.h); false if nothing. */
bool rx_take_rdnss(struct rx *rx, struct rdnss_heard *ret);
