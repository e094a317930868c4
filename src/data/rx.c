/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of joining. Two neighbours of a flow become one only if the kernel, when it cuts the result
 * again, gives back the very same bytes: split(join(list)) = list. So everything in the headers must be
 * equal, except
 *   - lengths: all payloads are as long as the first one, only the last may be shorter;
 *   - the IPv4 identification, which must count up by one, and the TCP sequence number, which must follow;
 *   - FIN and PSH, which end the group, and CWR, which only the first may have;
 *   - checksums, which must be right and, of the two forms of zero, have the one that the kernel writes:
 *     FFFF for UDP, 0000 elsewhere.
 * Never joined: SYN, RST, URG, fragments, IP options, extension headers, empty payloads, UDP without
 * checksum.
 */
#include "data/rx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "data/advert.h"
#include "data/csum.h"
#include "data/packet.h"
#include "data/rdnss.h"

#define SLOTS	      16u /* flows with an open group */
#define UDP_GROUP_MAX 64u /* UDP_MAX_SEGMENTS up to Linux 6.9 */
/* A short packet is copied behind its virtio header: one piece is cheaper to write than two. */
#define COPY_MAX   512u
#define HEADER_MAX (IP6_HEADER_LEN + 60)

/* Flags that keep a segment out of any group, and those that end one. */
#define TCP_NEVER (TCP_SYN | TCP_RST | TCP_URG)
#define TCP_LAST  (TCP_FIN | TCP_PSH)

struct piece {
	const uint8_t *data;
	uint16_t len;
	uint16_t next; /* of the group; index + 1, 0: the last */
};

/* One write to the TUN: a packet, or several that are joined. */
struct group {
	const uint8_t *packet; /* the first one */
	uint32_t next_seq;     /* TCP */
	uint16_t len;	       /* IP length of all together */
	uint16_t packets;
	uint16_t header_len, l4;	  /* 0: cannot be joined with anything */
	uint16_t size;			  /* payload of every packet but the last */
	uint16_t next_id;		  /* IPv4 */
	uint16_t first_piece, last_piece; /* payloads behind the first one */
	uint8_t version, protocol;
	uint8_t last_flags; /* TCP_LAST bits of the last packet */
	bool verified;	    /* checksums of the first packet are right */
	bool advert;	    /* a router advertisement, to be tamed */
};

/* The open group of a flow. */
struct slot {
	uint32_t hash;
	uint16_t group; /* index + 1; 0: none */
};

/* A packet that might be joined. */
struct candidate {
	const uint8_t *packet;
	struct ip_packet ip;
	uint32_t hash;
	uint16_t header_len, payload;
	uint16_t flags; /* TCP */
};

struct rx {
	struct rx_config config;
	const struct csum_ops *csum;
	struct rx_stats stats;
	struct rdnss_heard rdnss;
	struct slot slots[SLOTS];
	uint32_t last_slot; /* that was found or filled: mostly it is the next one, too */
	uint32_t groups_used, groups_yielded, pieces_used;
	struct slot held; /* the last group, not to be yielded with the others; group 0: none */
	uint8_t head[sizeof(struct vnet_header) + PPP_IP_MAX]; /* of the write that was yielded last */
	struct group groups[RX_BATCH_MAX];
	struct piece pieces[RX_BATCH_MAX];
};
_Static_assert(PPP_IP_MAX >= COPY_MAX && COPY_MAX >= HEADER_MAX, "all are written to the same place");

int rx_new(const struct rx_config *config, struct rx **ret)
{
	struct rx *rx = calloc(1, sizeof(*rx));

	if (!rx)
		return -ENOMEM;
	rx->config = *config;
	rx->csum = csum_best();
	*ret = rx;
	return 0;
}

void rx_free(struct rx *rx)
{
	free(rx);
}

/* -- which packets may be joined --------------------------------------------------------------- */

/* Enough to tell the flows of one batch apart; who makes his flows collide only loses the joining. */
static uint32_t flow_hash(const uint8_t *p, const struct ip_packet *ip)
{
	uint32_t from, to, ports;

	memcpy(&from, p + (ip->version == 4 ? IP4_SOURCE : IP6_SOURCE + 12), sizeof(from));
	memcpy(&to, p + (ip->version == 4 ? IP4_SOURCE + 4 : IP6_SOURCE + 28), sizeof(to));
	memcpy(&ports, p + ip->l4, sizeof(ports));
	return (ports ^ from * 5 ^ to * 3 ^ ip->protocol) * UINT32_C(0x9e3779b1);
}

/*
 * Fills *ret where the packet belongs to a TCP or UDP flow. Returns 1 if it may be part of a group, 0 if it
 * may not but must keep its place among others of the flow, -1 if it belongs to no such flow.
 */
static int classify(const struct rx *rx, const uint8_t *p, const struct ip_packet *ip, struct candidate *ret)
{
	size_t l4_len = (size_t)ip->len - ip->l4;
	const uint8_t *l4 = p + ip->l4;
	bool joins = ip->plain;

	ret->packet = p;
	ret->ip = *ip;
	if (ip->fragment) {
		return -1;
	} else if (ip->protocol == IPPROTO_TCP && l4_len >= TCP_HEADER_LEN) {
		size_t header = (size_t)(l4[TCP_FLAGS] >> 4) * 4;

		ret->flags = get_u16(l4 + TCP_FLAGS);
		ret->header_len = (uint16_t)(ip->l4 + header);
		joins = joins && header >= TCP_HEADER_LEN && header < l4_len && !(ret->flags & TCP_NEVER);
	} else if (ip->protocol == IPPROTO_UDP && l4_len >= UDP_HEADER_LEN) {
		ret->flags = 0;
		ret->header_len = (uint16_t)(ip->l4 + UDP_HEADER_LEN);
		joins = joins && rx->config.udp && l4_len > UDP_HEADER_LEN && get_u16(l4 + UDP_LEN) == l4_len;
	} else {
		return -1;
	}
	ret->payload = (uint16_t)(ip->len - ret->header_len);
	ret->hash = flow_hash(p, ip);
	return joins;
}

/* All but lengths, identification and checksums equal in the IP header? */
static bool same_ip(const struct group *g, const uint8_t *p)
{
	const uint8_t *q = g->packet;

	if (g->version == 6)
		return memcmp(p, q, IP6_LEN) == 0 &&
		       memcmp(p + IP6_NEXT, q + IP6_NEXT, IP6_HEADER_LEN - IP6_NEXT) == 0;
	return memcmp(p, q, IP4_LEN) == 0 && get_u16(p + IP4_ID) == g->next_id &&
	       memcmp(p + IP4_FRAGMENT, q + IP4_FRAGMENT, IP4_CHECK - IP4_FRAGMENT) == 0 &&
	       memcmp(p + IP4_SOURCE, q + IP4_SOURCE, IP4_HEADER_LEN - IP4_SOURCE) == 0;
}

static bool same_tcp(const struct group *g, const struct candidate *c)
{
	const uint8_t *p = c->packet + g->l4, *q = g->packet + g->l4;
	unsigned differ = (unsigned)(c->flags ^ get_u16(q + TCP_FLAGS)) & ~(TCP_LAST | TCP_CWR);

	return differ == 0 && !(c->flags & TCP_CWR) && get_u32(p + TCP_SEQ) == g->next_seq &&
	       memcmp(p, q, TCP_SEQ) == 0 && memcmp(p + TCP_ACK, q + TCP_ACK, 4) == 0 &&
	       memcmp(p + TCP_WINDOW, q + TCP_WINDOW, 2) == 0 &&
	       memcmp(p + TCP_URGENT, q + TCP_URGENT, (size_t)(g->header_len - g->l4) - TCP_URGENT) == 0;
}

static bool fits(const struct group *g, const struct candidate *c)
{
	bool tcp = g->protocol == IPPROTO_TCP;

	return g->version == c->ip.version && g->protocol == c->ip.protocol &&
	       g->header_len == c->header_len && c->payload <= g->size &&
	       (size_t)g->len + c->payload <= IP_MAX && g->packets < (tcp ? RX_GROUP_MAX : UDP_GROUP_MAX) &&
	       same_ip(g, c->packet) &&
	       (tcp ? same_tcp(g, c) : memcmp(c->packet + g->l4, g->packet + g->l4, UDP_LEN) == 0);
}

/* Are the checksums right, and in the form that the kernel would give them? */
static bool verify(const struct rx *rx, const uint8_t *p, const struct ip_packet *ip)
{
	size_t l4_len = (size_t)ip->len - ip->l4;
	const uint8_t *l4 = p + ip->l4;
	bool tcp = ip->protocol == IPPROTO_TCP;
	uint16_t check = get_raw16(l4 + (tcp ? TCP_CHECK : UDP_CHECK));
	uint64_t sum = (uint64_t)htons((uint16_t)l4_len) + htons(ip->protocol);

	if (check == (tcp ? 0xffff : 0))
		return false;
	if (ip->version == 4) {
		if (get_raw16(p + IP4_CHECK) == 0xffff || csum_fold(csum_short(p, IP4_HEADER_LEN)) != 0xffff)
			return false;
		sum += csum_short(p + IP4_SOURCE, 8);
	} else {
		sum += csum_short(p + IP6_SOURCE, 32);
	}
	return csum_fold(sum + rx->csum->sum(l4, l4_len)) == 0xffff;
}

/* -- in ---------------------------------------------------------------------------------------- */

/* A group of one packet. */
static struct group *new_group(struct rx *rx, const uint8_t *p, const struct ip_packet *ip)
{
	struct group *g = &rx->groups[rx->groups_used++];

	*g = (struct group){ .packet = p, .len = ip->len, .packets = 1, .version = ip->version };
	return g;
}

/* Makes the group one that others of its flow can join. */
static void open_group(struct group *g, const struct candidate *c)
{
	g->protocol = c->ip.protocol;
	g->l4 = c->ip.l4;
	g->header_len = c->header_len;
	g->size = c->payload;
	if (g->version == 4)
		g->next_id = (uint16_t)(get_u16(c->packet + IP4_ID) + 1);
	if (g->protocol == IPPROTO_TCP)
		g->next_seq = get_u32(c->packet + c->ip.l4 + TCP_SEQ) + c->payload;
}

/* Puts the packet into the group if it belongs there. */
static bool join(struct rx *rx, struct group *g, const struct candidate *c)
{
	if (!fits(g, c) || rx->pieces_used == RX_BATCH_MAX)
		return false;
	if (!g->verified) {
		struct ip_packet first = { .version = g->version,
					   .protocol = g->protocol,
					   .l4 = g->l4,
					   .len = (uint16_t)(g->header_len + g->size) };

		g->verified = verify(rx, g->packet, &first);
	}
	if (!g->verified || !verify(rx, c->packet, &c->ip))
		return false;

	struct piece *piece = &rx->pieces[rx->pieces_used++];
	*piece = (struct piece){ .data = c->packet + c->header_len, .len = c->payload };
	if (g->last_piece)
		rx->pieces[g->last_piece - 1].next = (uint16_t)rx->pieces_used;
	else
		g->first_piece = (uint16_t)rx->pieces_used;
	g->last_piece = (uint16_t)rx->pieces_used;
	g->packets++;
	g->len = (uint16_t)(g->len + c->payload);
	g->next_seq += c->payload;
	g->next_id++;
	g->last_flags = c->flags & TCP_LAST;
	return true;
}

/* May more follow behind this one, once it is the last of its group? */
static bool stays_open(const struct group *g, const struct candidate *c)
{
	return c->payload == g->size && !(c->flags & TCP_LAST);
}

/* The slot of the flow; NULL if none of its groups is open. */
static struct slot *find_slot(struct rx *rx, uint32_t hash)
{
	for (uint32_t n = 0, i = rx->last_slot; n < SLOTS; n++, i = (i + 1) % SLOTS)
		if (rx->slots[i].hash == hash && rx->slots[i].group) {
			rx->last_slot = i;
			return &rx->slots[i];
		}
	return NULL;
}

static void add_with_joining(struct rx *rx, const uint8_t *p, const struct ip_packet *ip)
{
	struct candidate c;
	int kind = classify(rx, p, ip, &c);

	if (kind < 0) {
		/* A fragment may be of any flow, so nothing that comes later may overtake it. */
		if (ip->fragment || ip->protocol == IP_OPAQUE || ip->protocol == IPPROTO_TCP ||
		    ip->protocol == IPPROTO_UDP)
			memset(rx->slots, 0, sizeof(rx->slots));
		(void)new_group(rx, p, ip);
		return;
	}

	struct slot *slot = find_slot(rx, c.hash);
	if (slot) {
		struct group *g = &rx->groups[slot->group - 1];

		if (kind > 0 && join(rx, g, &c)) {
			if (!stays_open(g, &c))
				slot->group = 0;
			return;
		}
		slot->group = 0;
	}
	struct group *g = new_group(rx, p, ip);
	if (kind > 0) {
		open_group(g, &c);
		if (stays_open(g, &c)) {
			if (!slot) /* take the place of the flow that was first to come, more or less */
				slot = &rx->slots[rx->last_slot = (rx->last_slot + 1) % SLOTS];
			*slot = (struct slot){ .hash = c.hash, .group = (uint16_t)rx->groups_used };
		}
	}
}

int rx_add(struct rx *rx, int protocol, const uint8_t *p, size_t len)
{
	struct ip_packet ip;

	if (rx->groups_used == RX_BATCH_MAX || rx->groups_yielded > 0)
		return -ENOBUFS;
	if (ip_parse(p, len, &ip) < 0 || ip.len > PPP_IP_MAX ||
	    protocol != (ip.version == 4 ? PPP_PROTO_IPV4 : PPP_PROTO_IPV6)) {
		rx->stats.dropped++;
		return -EBADMSG;
	}
	if (advert_is_refused(p, &ip)) {
		rx->stats.adverts++;
		return -EBADMSG;
	}
	rx->stats.packets++;
	rx->stats.bytes += ip.len;
	if (advert_is_one(p, &ip)) {
		rx->stats.rdnss += advert_read_rdnss(p, &ip, &rx->rdnss);
		new_group(rx, p, &ip)->advert = true;
	} else if (rx->config.vnet_hdr)
		add_with_joining(rx, p, &ip);
	else
		(void)new_group(rx, p, &ip);
	return 0;
}

/* -- out --------------------------------------------------------------------------------------- */

/* The headers of a super-packet, with what the kernel needs to cut it or to check nothing of it. */
static size_t write_headers(const struct group *g, uint8_t *out)
{
	bool tcp = g->protocol == IPPROTO_TCP;
	uint8_t *ip = out + sizeof(struct vnet_header), *l4 = ip + g->l4;
	uint16_t l4_len = (uint16_t)(g->len - g->l4);
	uint64_t pseudo = (uint64_t)htons(l4_len) + htons(g->protocol);
	struct vnet_header vnet = { .flags = VNET_NEEDS_CSUM,
				    .header_len = g->header_len,
				    .gso_size = g->size,
				    .csum_start = g->l4,
				    .csum_offset = tcp ? TCP_CHECK : UDP_CHECK };

	memcpy(ip, g->packet, g->header_len);
	if (g->version == 4) {
		put_u16(ip + IP4_LEN, g->len);
		put_raw16(ip + IP4_CHECK, 0);
		put_raw16(ip + IP4_CHECK, csum_finish(csum_short(ip, IP4_HEADER_LEN)));
		pseudo += csum_short(ip + IP4_SOURCE, 8);
	} else {
		put_u16(ip + IP6_LEN, (uint16_t)(g->len - IP6_HEADER_LEN));
		pseudo += csum_short(ip + IP6_SOURCE, 32);
	}
	if (tcp) {
		uint16_t flags = get_u16(l4 + TCP_FLAGS);

		vnet.gso_type = g->version == 4 ? VNET_GSO_TCP4 : VNET_GSO_TCP6;
		if (flags & TCP_CWR)
			vnet.gso_type |= VNET_GSO_ECN;
		put_u16(l4 + TCP_FLAGS, flags | g->last_flags);
	} else {
		vnet.gso_type = VNET_GSO_UDP;
		put_u16(l4 + UDP_LEN, l4_len);
	}
	put_raw16(l4 + vnet.csum_offset, csum_fold(pseudo));
	memcpy(out, &vnet, sizeof(vnet));
	return sizeof(vnet) + g->header_len;
}

static int yield_joined(struct rx *rx, const struct group *g, struct iovec *iov)
{
	int n = 0;

	iov[n++] = (struct iovec){ rx->head, write_headers(g, rx->head) };
	iov[n++] = (struct iovec){ (void *)(uintptr_t)(g->packet + g->header_len), g->size };
	for (uint16_t i = g->first_piece; i; i = rx->pieces[i - 1].next)
		iov[n++] = (struct iovec){ (void *)(uintptr_t)rx->pieces[i - 1].data, rx->pieces[i - 1].len };
	return n;
}

/* A copy, because what was added is not ours to change. */
static int yield_advert(struct rx *rx, const struct group *g, struct iovec *iov)
{
	size_t vnet = rx->config.vnet_hdr ? sizeof(struct vnet_header) : 0;
	struct ip_packet ip;

	memset(rx->head, 0, vnet);
	memcpy(rx->head + vnet, g->packet, g->len);
	if (ip_parse(rx->head + vnet, g->len, &ip) == 0)
		advert_tame(rx->head + vnet, &ip);
	iov[0] = (struct iovec){ rx->head, vnet + g->len };
	return 1;
}

static int yield_single(struct rx *rx, const struct group *g, struct iovec *iov)
{
	int n = 0;

	if (rx->config.vnet_hdr) {
		size_t len = sizeof(struct vnet_header);

		memset(rx->head, 0, len);
		if (g->len <= COPY_MAX) {
			memcpy(rx->head + len, g->packet, g->len);
			iov[0] = (struct iovec){ rx->head, len + g->len };
			return 1;
		}
		iov[n++] = (struct iovec){ rx->head, len };
	}
	iov[n++] = (struct iovec){ (void *)(uintptr_t)g->packet, g->len };
	return n;
}

/* Only the group of the packet that was added last; `end` bounds what else lies behind its first one. */
const uint8_t *rx_hold(struct rx *rx, const uint8_t *end)
{
	const struct slot *slot = &rx->slots[rx->last_slot];

	if (rx->groups_used == 0 || slot->group != rx->groups_used)
		return NULL;
	const struct group *g = &rx->groups[slot->group - 1];
	if ((size_t)(end - g->packet) > RX_HOLD_MAX)
		return NULL;
	rx->held = *slot;
	return g->packet;
}

/* The group that was held is the first one of the next batch, and its pieces are the first. */
static void keep_held(struct rx *rx)
{
	struct group *g = &rx->groups[0];
	uint16_t n = 0;

	*g = rx->groups[rx->held.group - 1];
	for (uint16_t i = g->first_piece; i; n++) {
		struct piece piece = rx->pieces[i - 1];

		i = piece.next;
		piece.next = i ? (uint16_t)(n + 2) : 0;
		rx->pieces[n] = piece;
	}
	g->first_piece = n > 0;
	g->last_piece = n;
	rx->last_slot = 0;
	rx->slots[0] = (struct slot){ .hash = rx->held.hash, .group = 1 };
	rx->groups_used = 1;
	rx->pieces_used = n;
	rx->held.group = 0;
}

void rx_moved(struct rx *rx, const uint8_t *to)
{
	struct group *g = &rx->groups[0];

	for (uint32_t i = 0; i < rx->pieces_used; i++)
		rx->pieces[i].data = to + (rx->pieces[i].data - g->packet);
	g->packet = to;
}

int rx_next(struct rx *rx, struct iovec iov[static RX_IOV_MAX])
{
	if (rx->groups_yielded == 0)
		memset(rx->slots, 0, sizeof(rx->slots));
	if (rx->groups_yielded + (rx->held.group > 0) == rx->groups_used) {
		rx->groups_used = rx->groups_yielded = rx->pieces_used = 0;
		if (rx->held.group > 0)
			keep_held(rx);
		return 0;
	}
	const struct group *g = &rx->groups[rx->groups_yielded++];
	rx->stats.writes++;
	if (g->advert)
		return yield_advert(rx, g, iov);
	return g->packets > 1 ? yield_joined(rx, g, iov) : yield_single(rx, g, iov);
}

const struct rx_stats *rx_stats(const struct rx *rx)
{
	return &rx->stats;
}

bool rx_take_rdnss(struct rx *rx, struct rdnss_heard *ret)
{
	if (rx->rdnss.n == 0)
		return false;
	*ret = rx->rdnss;
	rx->rdnss.n = 0;
	return true;
}
