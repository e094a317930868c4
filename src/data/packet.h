/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of src/data: IP, TCP and UDP headers as offsets, and the header that the TUN puts in front of them.
 *
 * The packet path reads its headers at fixed offsets behind one length check by ip_parse(), instead of field
 * by field through a wire_reader: that check is the whole cost of a 64-byte packet.
 */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* struct virtio_net_hdr (virtio 1.2 §5.1.6, drivers/net/tun.c); all fields in the byte order of the host. */
struct vnet_header {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t header_len; /* a hint of how much to keep together; not to be trusted when read */
	uint16_t gso_size;
	uint16_t csum_start, csum_offset;
};
_Static_assert(sizeof(struct vnet_header) == 10, "the kernel's layout");

#define VNET_NEEDS_CSUM 0x01
#define VNET_GSO_NONE	0x00
#define VNET_GSO_TCP4	0x01
#define VNET_GSO_TCP6	0x04
#define VNET_GSO_UDP	0x05 /* VIRTIO_NET_HDR_GSO_UDP_L4, since Linux 6.2 */
#define VNET_GSO_ECN	0x80 /* a flag: CWR is set, for the first segment only */

#define IP4_HEADER_LEN 20u
#define IP4_TOS	       1
#define IP4_LEN	       2
#define IP4_ID	       4
#define IP4_FRAGMENT   6 /* DF, MF, offset */
#define IP4_TTL	       8
#define IP4_CHECK      10
#define IP4_SOURCE     12

#define IP6_HEADER_LEN 40u
#define IP6_LEN	       4
#define IP6_NEXT       6
#define IP6_HOP_LIMIT  7
#define IP6_SOURCE     8

#define TCP_HEADER_LEN 20u
#define TCP_SEQ	       4
#define TCP_ACK	       8
#define TCP_FLAGS      12 /* 16 bits: data offset, reserved, flags */
#define TCP_WINDOW     14
#define TCP_CHECK      16
#define TCP_URGENT     18
#define TCP_FIN	       0x0001u
#define TCP_SYN	       0x0002u
#define TCP_RST	       0x0004u
#define TCP_PSH	       0x0008u
#define TCP_URG	       0x0020u
#define TCP_CWR	       0x0080u

#define UDP_HEADER_LEN 8u
#define UDP_LEN	       4
#define UDP_CHECK      6

#define IP_MAX 65535u /* a packet, and a super-packet too */

static inline uint16_t get_u16(const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return ntohs(v);
}

static inline uint32_t get_u32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return ntohl(v);
}

static inline void put_u16(uint8_t *p, uint16_t v)
{
	v = htons(v);
	memcpy(p, &v, sizeof(v));
}

static inline void put_u32(uint8_t *p, uint32_t v)
{
	v = htonl(v);
	memcpy(p, &v, sizeof(v));
}

/* 16 bits as they stand in memory, for sums. */
static inline uint16_t get_raw16(const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static inline void put_raw16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

struct ip_packet {
	uint8_t version;  /* 4 or 6 */
	uint8_t protocol; /* of the layer above; IP_OPAQUE if it cannot be told */
	bool fragment;	  /* part of a datagram: `l4` is not a header, or not the whole of it */
	bool plain;	  /* no IP options, no extension headers, not a fragment */
	uint16_t l4;	  /* where the layer above starts */
	uint16_t len;	  /* by the header; at most what was handed in */
};

#define IP_OPAQUE 255 /* "reserved" in IANA's list of protocol numbers */

/* The upper protocol behind IPv6 extension headers (RFC 8200 §4), for ip_parse(). */
void ip6_walk(const uint8_t *p, struct ip_packet *ip);

/*
 * What kind of packet is it? 0, or -EBADMSG where it is not IP, or shorter than its header says. The layer
 * above is not looked at: there are ip->len - ip->l4 bytes of it, maybe none.
 */
static inline int ip_parse(const uint8_t *p, size_t len, struct ip_packet *ip)
{
	if (len >= IP4_HEADER_LEN && p[0] >> 4 == 4) {
		unsigned header = (p[0] & 0x0fu) * 4;

		*ip = (struct ip_packet){ .version = 4,
					  .protocol = p[9],
					  .fragment = (get_u16(p + IP4_FRAGMENT) & 0x3fff) != 0,
					  .l4 = (uint16_t)header,
					  .len = get_u16(p + IP4_LEN) };
		ip->plain = header == IP4_HEADER_LEN && !ip->fragment;
		return header < IP4_HEADER_LEN || ip->len < header || ip->len > len ? -EBADMSG : 0;
	}
	if (len >= IP6_HEADER_LEN && p[0] >> 4 == 6) {
		size_t total = IP6_HEADER_LEN + get_u16(p + IP6_LEN);

		if (total > len || total > IP_MAX)
			return -EBADMSG;
		*ip = (struct ip_packet){
			.version = 6, .protocol = p[IP6_NEXT], .l4 = IP6_HEADER_LEN, .len = (uint16_t)total
		};
		ip->plain = ip->protocol == IPPROTO_TCP || ip->protocol == IPPROTO_UDP;
		if (!ip->plain)
			ip6_walk(p, ip);
		return 0;
	}
	return -EBADMSG;
}
