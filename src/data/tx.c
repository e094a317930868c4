/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "data/tx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "data/csum.h"
#include "data/packet.h"
#include "data/queue.h"
#include "data/segment.h"

/* Units that one read may need: headroom and 64 KiB. */
#define READ_UNITS ((PACKET_HEADROOM + IP_MAX + ARENA_UNIT) / ARENA_UNIT)
#define READ_SIZE  (READ_UNITS * ARENA_UNIT)
#define LIMIT_MIN  (256u << 10)
#define LIMIT_MAX  (256u << 20)

/* Bytes per turn (RFC 8290 §5.2.4) on a slow path: a flow that has sent a long packet waits for several
 * turns, so short packets of others go first. */
#define SLOW_QUANTUM 300

#define ECN_CE 0x03

struct tx {
	struct queue queue;
	const struct csum_ops *csum;
	struct tx_stats stats;
	size_t limit, least_limit, most_limit;
	uint64_t hash_key;
	uint32_t reserved; /* the place of the next read; 0: none yet */
	uint16_t mtu;
	bool vnet_hdr, ipv4, ipv6;
	uint32_t burst; /* bytes, see tx_set_path() */
	bool slow;	/* see TX_SLOW_BURST */
};

/*
 * Packets take more of the arena than their bytes: short ones a whole unit, super-packets their place until
 * the last of them has gone. And a part of it is always free, so that few need to be moved for a read.
 */
static size_t held_max(const struct tx *tx)
{
	return tx->limit + tx->least_limit / 8;
}

int tx_new(const struct tx_config *config, struct tx **ret)
{
	size_t limit = config->limit ? config->limit : TX_LIMIT_DEFAULT;
	struct tx *tx;

	if (config->mtu < TX_MTU_MIN || config->mtu > PPP_IP_MAX || limit < LIMIT_MIN || limit > LIMIT_MAX)
		return -EINVAL;
	tx = malloc(sizeof(*tx));
	if (!tx)
		return -ENOMEM;
	*tx = (struct tx){ .csum = csum_best(),
			   .limit = limit,
			   .least_limit = limit,
			   .most_limit = MAX(limit, TX_LIMIT_FASTEST),
			   .hash_key = config->hash_key,
			   .mtu = config->mtu,
			   .vnet_hdr = config->vnet_hdr,
			   .ipv4 = true,
			   .ipv6 = true };
	if (queue_init(&tx->queue, tx->most_limit + tx->most_limit / 7 + READ_SIZE + ARENA_UNIT,
		       config->mtu) < 0) {
		free(tx);
		return -ENOMEM;
	}
	tx_set_path(tx, 0, 0, 0);
	*ret = tx;
	return 0;
}

void tx_free(struct tx *tx)
{
	if (!tx)
		return;
	queue_done(&tx->queue);
	free(tx);
}

static void set_turns(struct tx *tx)
{
	tx->queue.quantum = tx->slow ? MIN(SLOW_QUANTUM, tx->mtu) : tx->mtu;
	tx->queue.longest_turn = tx->slow ? tx->queue.quantum : (int32_t)MAX(tx->mtu, tx->burst);
}

void tx_set_mtu(struct tx *tx, uint16_t mtu)
{
	tx->mtu = (uint16_t)CLAMP(mtu, TX_MTU_MIN, PPP_IP_MAX);
	tx->queue.mtu = tx->mtu;
	set_turns(tx);
}

void tx_set_families(struct tx *tx, bool ipv4, bool ipv6)
{
	tx->ipv4 = ipv4;
	tx->ipv6 = ipv6;
}

void tx_set_path(struct tx *tx, uint32_t burst, usec_t burst_time, usec_t rtt)
{
	usec_t grain = MIN(burst_time, USEC_PER_SEC) * 3 / 2;
	usec_t target = MAX(MAX(TX_TARGET, grain), MIN(2 * rtt, TX_TARGET_RTT_MAX));

	tx->queue.target = target;
	tx->queue.interval = MAX(TX_INTERVAL + target - TX_TARGET, 2 * target);
	tx->burst = MIN(burst, TX_BURST_MAX);
	tx->slow = burst_time > TX_SLOW_BURST;
	set_turns(tx);
}

void tx_set_limit(struct tx *tx, uint64_t bytes)
{
	size_t limit = (size_t)CLAMP(bytes, tx->least_limit, tx->most_limit);

	/* Downwards no faster than the queue gets shorter: what it took in is not dropped by the hundred.
	 * What it holds is never less than its packets' bytes, and is limited, too. */
	tx->limit = MAX(limit, MIN(tx->limit, tx->queue.held));
}

size_t tx_spare(struct tx *tx, void **ret)
{
	return arena_spare(&tx->queue.arena, ret);
}

/* -- in ---------------------------------------------------------------------------------------- */

uint8_t *tx_reserve(struct tx *tx, size_t *ret_size)
{
	size_t headroom = PACKET_HEADROOM - (tx->vnet_hdr ? sizeof(struct vnet_header) : 0);

	tx->reserved = queue_reserve(&tx->queue, READ_UNITS);
	*ret_size = READ_SIZE - headroom;
	return (uint8_t *)queue_packet(&tx->queue, tx->reserved) + headroom;
}

static bool is_open(const struct tx *tx, unsigned version)
{
	return version == 4 ? tx->ipv4 : tx->ipv6;
}

/* Every bit of both makes a difference to every bit. Of 32-bit factors: 128 bits are not known everywhere. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t a_high = a >> 32, a_low = a & UINT32_MAX, b_high = b >> 32, b_low = b & UINT32_MAX;
	uint64_t inner = a_high * b_low, outer = a_low * b_high;

	return (inner >> 32 | inner << 32) ^ (outer >> 32 | outer << 32) ^ a_high * b_high ^ a_low * b_low;
}

static uint64_t get_raw64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/*
 * The flow of a packet: addresses, protocol and ports. Fragments go by addresses and protocol alone, because
 * only the first one has the ports.
 */
static uint16_t flow_of(const struct tx *tx, const struct ip_packet *ip, const uint8_t *p)
{
	bool ports = (ip->protocol == IPPROTO_TCP || ip->protocol == IPPROTO_UDP) && !ip->fragment &&
		     ip->len >= ip->l4 + 4u;
	uint64_t hash = tx->hash_key ^ ip->protocol;
	uint32_t both = 0;

	if (ports)
		memcpy(&both, p + ip->l4, sizeof(both));
	hash = mix(hash ^ (uint64_t)both << 8, UINT64_C(0x9e3779b97f4a7c15));
	if (ip->version == 4) {
		hash = mix(hash ^ get_raw64(p + IP4_SOURCE), tx->hash_key | 1);
	} else {
		hash = mix(hash ^ get_raw64(p + IP6_SOURCE), get_raw64(p + IP6_SOURCE + 8) ^ tx->hash_key);
		hash = mix(hash ^ get_raw64(p + IP6_SOURCE + 16),
			   get_raw64(p + IP6_SOURCE + 24) ^ tx->hash_key);
	}
	return (uint16_t)(hash % QUEUE_FLOWS);
}

/* Reads the headers at the reserved place into *ret. 0 or the error of tx_commit(). */
static int examine(struct tx *tx, const uint8_t *data, size_t len, struct segments *ret,
		   struct ip_packet *ret_ip)
{
	struct vnet_header vnet;

	if (tx->vnet_hdr) {
		if (len < sizeof(vnet))
			return -EBADMSG;
		len -= sizeof(vnet);
		memcpy(&vnet, data - sizeof(vnet), sizeof(vnet));
	}
	if (len > READ_SIZE - PACKET_HEADROOM ||
	    segments_init(ret, ret_ip, tx->vnet_hdr ? &vnet : NULL, data, len) < 0)
		return -EBADMSG;
	if (!is_open(tx, ret->version))
		return -EPROTONOSUPPORT;
	return segments_next_len(ret) > tx->mtu ? -EMSGSIZE : 0;
}

int tx_commit(struct tx *tx, size_t len, usec_t now)
{
	struct queue *q = &tx->queue;
	struct packet *p;
	struct ip_packet ip;
	int r;

	if (!tx->reserved)
		return -EBADMSG;
	p = queue_packet(q, tx->reserved);
	r = examine(tx, packet_data(p), len, &p->segments, &ip);
	if (r < 0) {
		tx->stats.invalid += r == -EBADMSG;
		tx->stats.too_big += r == -EMSGSIZE;
		tx->stats.closed += r == -EPROTONOSUPPORT;
		return r;
	}
	tx->stats.reads++;
	p->enqueued = now;
	p->units = (uint16_t)((PACKET_HEADROOM + p->segments.len + ARENA_UNIT - 1) / ARENA_UNIT);
	p->flow = flow_of(tx, &ip, packet_data(p));
	queue_push(q, tx->reserved);
	tx->reserved = 0;
	while (q->backlog > tx->limit || q->held > held_max(tx))
		tx->stats.overlimit += queue_drop_head(q, queue_fattest(q));
	return 0;
}

/* -- out --------------------------------------------------------------------------------------- */

/* Is the transport ECN-capable (RFC 3168 §5)? The traffic class of IPv6 is its second and third nibble. */
static bool is_ect(const uint8_t *ip, unsigned version)
{
	return version == 4 ? ip[IP4_TOS] & ECN_CE : ip[1] & ECN_CE << 4;
}

/* Sets "congestion experienced". */
static void mark_ce(uint8_t *ip, unsigned version)
{
	uint16_t before = get_raw16(ip);

	if (version == 6) {
		ip[1] |= ECN_CE << 4;
		return;
	}
	ip[IP4_TOS] |= ECN_CE;
	put_raw16(ip + IP4_CHECK, csum_update(get_raw16(ip + IP4_CHECK), before, get_raw16(ip)));
}

/* The next segment as an SSTP data packet. */
static void write_data_packet(struct tx *tx, struct packet *p, uint8_t *out, size_t len)
{
	sstp_data_header(out, PPP_HEADER_LEN + len);
	put_u16(out + SSTP_HEADER_LEN, 0xff03);
	put_u16(out + SSTP_HEADER_LEN + 2, p->segments.version == 4 ? PPP_PROTO_IPV4 : PPP_PROTO_IPV6);
	segments_write(&p->segments, packet_data(p), tx->csum, out + TX_OVERHEAD);
}

size_t tx_fill(struct tx *tx, uint8_t *out, size_t space, usec_t now)
{
	struct queue *q = &tx->queue;
	size_t used = 0;
	struct flow *f;

	while ((f = queue_turn(q))) {
		struct packet *p = queue_packet(q, f->head);
		size_t len = segments_next_len(&p->segments), payload = len - p->segments.header_len;
		bool ect = is_ect(packet_data(p), p->segments.version);

		if (!is_open(tx, p->segments.version)) { /* it was closed meanwhile */
			tx->stats.closed += queue_drop_head(q, f);
			continue;
		}
		if (len > tx->mtu) { /* it was lowered meanwhile */
			tx->stats.too_big += queue_drop_head(q, f);
			continue;
		}
		if (len + TX_OVERHEAD > space - used)
			break;
		bool signal = queue_signals(q, f, p, now);
		if (signal && !ect) {
			tx->stats.dropped++;
			segments_skip(&p->segments);
			queue_advance(q, f, payload);
			continue;
		}
		write_data_packet(tx, p, out + used, len);
		if (signal) {
			tx->stats.marked++;
			mark_ce(out + used + TX_OVERHEAD, p->segments.version);
		}
		used += len + TX_OVERHEAD;
		tx->stats.packets++;
		tx->stats.bytes += len;
		queue_charge(q, f, len);
		queue_advance(q, f, payload);
	}
	return used;
}

size_t tx_backlog(const struct tx *tx)
{
	return tx->queue.backlog;
}

const struct tx_stats *tx_stats(const struct tx *tx)
{
	return &tx->stats;
}
