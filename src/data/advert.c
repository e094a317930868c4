/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "advert.h"

#define HOP_LIMIT	  255u /* the only one that a receiver takes (RFC 4861 §6.1.2) */
#define ROUTER_ADVERT	  134u
#define ADVERT_LEN	  16u /* in front of the options */
#define OPTION_LEN_MIN	  8u
#define OPTION_PREFIX	  3u /* RFC 4861 §4.6.2: type, length, length of the prefix, flags */
#define PREFIX_ON_LINK	  0x80u
#define PREFIX_LEN_MIN	  64u
#define OPTION_PREFIX_LEN 32u

static bool is_greedy(const uint8_t *option, size_t size)
{
	return option[0] == OPTION_PREFIX && size >= OPTION_PREFIX_LEN && option[2] < PREFIX_LEN_MIN &&
	       option[3] & PREFIX_ON_LINK;
}

bool advert_is_refused(const uint8_t *p, const struct ip_packet *ip)
{
	size_t at = ip->l4 + ADVERT_LEN, size;

	if (ip->version != 6 || p[IP6_HOP_LIMIT] != HOP_LIMIT)
		return false;
	/* Behind more extension headers than we walk there may be anything. */
	if (ip->protocol == IP_OPAQUE)
		return true;
	if (ip->protocol != IPPROTO_ICMPV6 || at > ip->len || p[ip->l4] != ROUTER_ADVERT)
		return false;
	for (; at + OPTION_LEN_MIN <= ip->len; at += size) {
		size = p[at + 1] * 8u;
		if (size == 0 || at + size > ip->len)
			return false; /* the kernel refuses the whole */
		if (is_greedy(p + at, size))
			return true;
	}
	return false;
}
