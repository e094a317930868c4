/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "data/segment.h"

/* The pseudo header without its length (RFC 793 §3.1, RFC 8200 §8.1). */
static uint64_t pseudo_sum(const struct ip_packet *ip, const uint8_t *p)
{
	uint64_t addresses = ip->version == 4 ? csum_short(p + IP4_SOURCE, 8)
					      : csum_short(p + IP6_SOURCE, 32);

	return addresses + htons(ip->protocol);
}

/*
 * The sum that all segments share. The kernel has put the sum of the pseudo header, its length included, into
 * the checksum field: that is right also behind a routing header, where the addresses of the IP header are
 * not.
 */
static uint64_t shared_sum(const struct segments *s, const struct ip_packet *ip, const uint8_t *p,
			   bool needs_csum)
{
	const uint8_t *l4 = p + s->l4;
	uint64_t sum;

	if (needs_csum)
		sum = (uint64_t)get_raw16(p + s->check) + (uint16_t)~htons((uint16_t)(s->len - s->l4));
	else
		sum = pseudo_sum(ip, p);
	sum += csum_short(l4, 4); /* the ports */
	if (s->kind == SEGMENTS_TCP)
		sum += (uint64_t)csum_short(l4 + TCP_ACK, 4) + get_raw16(l4 + TCP_WINDOW) +
		       get_raw16(l4 + TCP_URGENT) +
		       csum_short(l4 + TCP_HEADER_LEN, s->header_len - s->l4 - TCP_HEADER_LEN);
	return sum;
}

/* One packet: with a checksum to be finished, or as it is. */
static int init_single(struct segments *s, const struct vnet_header *vnet)
{
	if (!vnet || !(vnet->flags & VNET_NEEDS_CSUM)) {
		s->kind = SEGMENTS_WHOLE;
	} else {
		uint32_t check = (uint32_t)vnet->csum_start + vnet->csum_offset;

		if (vnet->csum_start < s->l4 || check + 2 > s->len)
			return -EBADMSG;
		s->kind = SEGMENTS_CSUM;
		s->l4 = vnet->csum_start;
		s->check = (uint16_t)check;
	}
	s->size = (uint16_t)s->len;
	return 0;
}

/* The transport header of a super-packet: where it ends and where its checksum is. */
static int read_transport(struct segments *s, const struct ip_packet *ip, const uint8_t *data)
{
	size_t left = s->len - s->l4, header;

	if (s->kind == SEGMENTS_TCP) {
		if (ip->protocol != IPPROTO_TCP || left < TCP_HEADER_LEN)
			return -EBADMSG;
		header = (size_t)(data[s->l4 + TCP_FLAGS] >> 4) * 4;
		if (header < TCP_HEADER_LEN || header > left)
			return -EBADMSG;
		s->check = (uint16_t)(s->l4 + TCP_CHECK);
	} else {
		if (ip->protocol != IPPROTO_UDP || left < UDP_HEADER_LEN)
			return -EBADMSG;
		header = UDP_HEADER_LEN;
		s->check = (uint16_t)(s->l4 + UDP_CHECK);
	}
	s->header_len = (uint16_t)(s->l4 + header);
	return 0;
}

static int init_super(struct segments *s, const struct ip_packet *ip, const struct vnet_header *vnet,
		      const uint8_t *data)
{
	bool needs_csum = vnet->flags & VNET_NEEDS_CSUM;
	int r;

	if (ip->fragment || vnet->gso_size == 0)
		return -EBADMSG;
	r = read_transport(s, ip, data);
	if (r < 0)
		return r;
	if (needs_csum ? vnet->csum_start != s->l4 || s->l4 + vnet->csum_offset != s->check : !ip->plain)
		return -EBADMSG;
	if (s->len - s->header_len <= vnet->gso_size) { /* the kernel, too, takes it for a single packet */
		s->header_len = 0;
		return init_single(s, vnet);
	}
	s->size = vnet->gso_size;
	s->sum = shared_sum(s, ip, data, needs_csum);
	if (!needs_csum && s->kind == SEGMENTS_UDP && get_raw16(data + s->check) == 0)
		s->check = 0;
	if (s->version == 4)
		s->ip_sum = (uint32_t)csum_fold(csum_short(data, s->l4)) +
			    (uint16_t)~get_raw16(data + IP4_LEN) + (uint16_t)~get_raw16(data + IP4_ID) +
			    (uint16_t)~get_raw16(data + IP4_CHECK);
	return 0;
}

int segments_init(struct segments *ret, struct ip_packet *ret_ip, const struct vnet_header *vnet,
		  const uint8_t *data, size_t len)
{
	struct ip_packet ip;
	int r = ip_parse(data, len, &ip);

	if (r < 0)
		return r;

	struct segments s = { .len = ip.len, .l4 = ip.l4, .version = ip.version };
	switch (vnet ? vnet->gso_type & ~VNET_GSO_ECN : VNET_GSO_NONE) {
	case VNET_GSO_NONE:
		r = init_single(&s, vnet);
		break;
	case VNET_GSO_TCP4:
	case VNET_GSO_TCP6:
		s.kind = SEGMENTS_TCP;
		if ((vnet->gso_type & ~VNET_GSO_ECN) != (ip.version == 4 ? VNET_GSO_TCP4 : VNET_GSO_TCP6))
			return -EBADMSG;
		r = init_super(&s, &ip, vnet, data);
		break;
	case VNET_GSO_UDP:
		s.kind = SEGMENTS_UDP;
		r = init_super(&s, &ip, vnet, data);
		break;
	default:
		return -EBADMSG;
	}
	if (r < 0)
		return r;
	*ret = s;
	*ret_ip = ip;
	return 0;
}

static void write_ip(const struct segments *s, const uint8_t *data, uint8_t *out, uint16_t len)
{
	if (s->version == 6) {
		put_u16(out + IP6_LEN, (uint16_t)(len - IP6_HEADER_LEN));
		return;
	}
	uint16_t id = (uint16_t)(get_u16(data + IP4_ID) + s->index);
	put_u16(out + IP4_LEN, len);
	put_u16(out + IP4_ID, id);
	put_raw16(out + IP4_CHECK, csum_finish((uint64_t)s->ip_sum + htons(len) + htons(id)));
}

static void write_super(const struct segments *s, const uint8_t *data, const struct csum_ops *csum,
			uint8_t *out, uint16_t len)
{
	uint16_t payload = (uint16_t)(len - s->header_len), l4_len = (uint16_t)(len - s->l4);
	const uint8_t *l4 = data + s->l4;
	uint8_t *out_l4 = out + s->l4;
	uint64_t sum = s->sum + htons(l4_len);

	memcpy(out, data, s->header_len);
	write_ip(s, data, out, len);
	sum += csum->copy(out + s->header_len, data + s->header_len + s->at, payload);
	if (s->kind == SEGMENTS_TCP) {
		uint32_t seq = get_u32(l4 + TCP_SEQ) + s->at;
		unsigned flags = get_u16(l4 + TCP_FLAGS);

		if (s->at > 0)
			flags &= ~TCP_CWR;
		if (payload < segments_left(s))
			flags &= ~(TCP_FIN | TCP_PSH);
		put_u32(out_l4 + TCP_SEQ, seq);
		put_u16(out_l4 + TCP_FLAGS, (uint16_t)flags);
		sum += (uint64_t)htonl(seq) + htons((uint16_t)flags);
		put_raw16(out + s->check, csum_finish(sum));
	} else {
		put_u16(out_l4 + UDP_LEN, l4_len);
		if (s->check)
			put_raw16(out + s->check, csum_finish_udp(sum + htons(l4_len)));
	}
}

void segments_write(struct segments *s, const uint8_t *data, const struct csum_ops *csum, uint8_t *out)
{
	size_t len = segments_next_len(s);
	uint64_t sum;

	switch ((enum segments_kind)s->kind) {
	case SEGMENTS_WHOLE:
		memcpy(out, data, len);
		break;
	case SEGMENTS_CSUM:
		/* The field holds the pseudo header's sum already. Zero means "none" in UDP and is sent as
		 * FFFF; in all others FFFF would be right by arithmetic, but zero is the sum (RFC 1624 §3).
		 */
		memcpy(out, data, s->l4);
		sum = csum->copy(out + s->l4, data + s->l4, len - s->l4);
		put_raw16(out + s->check,
			  s->check == s->l4 + UDP_CHECK ? csum_finish_udp(sum) : csum_finish(sum));
		break;
	case SEGMENTS_TCP:
	case SEGMENTS_UDP:
		write_super(s, data, csum, out, (uint16_t)len);
		break;
	}
	segments_skip(s);
}
