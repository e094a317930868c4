/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of src/data: what one read from the TUN stands for, packet after packet (TSO, USO, checksum
 * offload).
 *
 * The rules are those of the kernel's own segmentation (net/ipv4/tcp_offload.c, udp_offload.c): every segment
 * repeats the headers; lengths and checksums are its own; the IP identification counts up; the TCP sequence
 * number grows; FIN and PSH stay in the last segment only, CWR in the first only.
 */
#pragma once

#include "data/csum.h"
#include "data/packet.h"

enum segments_kind {
	SEGMENTS_WHOLE, /* one packet, as it is */
	SEGMENTS_CSUM,	/* one packet whose checksum is still a partial one */
	SEGMENTS_TCP,
	SEGMENTS_UDP,
};

struct segments {
	uint64_t sum;	     /* TCP, UDP: pseudo header and header, but for what differs between segments */
	uint32_t len;	     /* all bytes, from the IP header */
	uint32_t at;	     /* payload bytes that are behind us */
	uint32_t ip_sum;     /* IPv4: the header without length, identification and checksum */
	uint16_t header_len; /* what every segment repeats; 0 for single packets */
	uint16_t size;	     /* payload bytes of a segment, all but the last */
	uint16_t l4;	     /* where the transport header starts; CSUM: where the sum starts */
	uint16_t check;	     /* where the checksum field is; 0: UDP without checksum */
	uint16_t index;	     /* of the next segment */
	uint8_t kind;	     /* enum segments_kind */
	uint8_t version;     /* IP */
};

/*
 * Looks at `len` bytes of one read; `vnet` is NULL where the TUN has no such header. Returns 0 and fills
 * *ret, or -EBADMSG where it is not IP, or the offload fields do not fit to it. *ret_ip is the parsed IP
 * header.
 */
int segments_init(struct segments *ret, struct ip_packet *ret_ip, const struct vnet_header *vnet,
		  const uint8_t *data, size_t len);

/* Payload bytes not written yet; the headers count where they belong to a single packet. 0 at the end. */
static inline uint32_t segments_left(const struct segments *s)
{
	return s->len - s->header_len - s->at;
}

/* IP length of the next segment. */
static inline size_t segments_next_len(const struct segments *s)
{
	uint32_t left = segments_left(s);

	return s->header_len + (left < s->size ? left : s->size);
}

/* Passes over the next segment. */
static inline void segments_skip(struct segments *s)
{
	s->at += (uint32_t)segments_next_len(s) - s->header_len;
	s->index++;
}

/* Writes the next segment, segments_next_len() bytes, and passes over it. `data` as at segments_init(). */
void segments_write(struct segments *s, const uint8_t *data, const struct csum_ops *csum, uint8_t *out);
