/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "advert.h"

#include "base/macro.h"
#include "csum.h"

#define HOP_LIMIT	  255u /* the only one that a receiver takes (RFC 4861 §6.1.2) */
#define ROUTER_ADVERT	  134u
#define ADVERT_LEN	  16u /* in front of the options */
#define OPTION_LEN_MIN	  8u
#define OPTION_PREFIX	  3u /* RFC 4861 §4.6.2: type, length, length of the prefix, flags */
#define PREFIX_ON_LINK	  0x80u
#define PREFIX_LEN_MIN	  64u
#define OPTION_PREFIX_LEN 32u
#define OPTION_RDNSS	  25u /* RFC 8106 §5.1: type, length, reserved, lifetime, addresses */
#define RDNSS_LIFETIME	  4u
#define RDNSS_ADDRESSES	  8u

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

/* RFC 4861 §6.1.2: from the neighbour, whole, and unharmed. */
static bool is_valid(const uint8_t *p, const struct ip_packet *ip)
{
	size_t len = (size_t)ip->len - ip->l4, size;

	if (ip->version != 6 || ip->protocol != IPPROTO_ICMPV6 || ip->fragment || len < ADVERT_LEN ||
	    p[IP6_HOP_LIMIT] != HOP_LIMIT || p[IP6_SOURCE] != 0xfe || (p[IP6_SOURCE + 1] & 0xc0) != 0x80 ||
	    p[ip->l4] != ROUTER_ADVERT || p[ip->l4 + 1] != 0)
		return false;
	for (size_t at = ip->l4 + ADVERT_LEN; at < ip->len; at += size) {
		if (at + OPTION_LEN_MIN > ip->len)
			return false;
		size = p[at + 1] * 8u;
		if (size == 0 || at + size > ip->len)
			return false;
	}
	uint64_t sum = csum_short(p + IP6_SOURCE, 2 * sizeof(struct in6_addr)) + htons((uint16_t)len) +
		       htons(IPPROTO_ICMPV6) + csum_short(p + ip->l4, len);
	return csum_finish(sum) == 0;
}

static bool is_resolver(const struct in6_addr *a)
{
	return !IN6_IS_ADDR_UNSPECIFIED(a) && !IN6_IS_ADDR_LOOPBACK(a) && !IN6_IS_ADDR_MULTICAST(a) &&
	       !IN6_IS_ADDR_V4MAPPED(a) && !IN6_IS_ADDR_V4COMPAT(a) && !IN6_IS_ADDR_LINKLOCAL(a);
}

static void add_resolvers(struct advert_rdnss *r, const uint8_t *option, size_t size)
{
	uint32_t lifetime = get_u32(option + RDNSS_LIFETIME);
	struct in6_addr a;

	for (size_t at = RDNSS_ADDRESSES; lifetime > 0 && at + sizeof(a) <= size; at += sizeof(a)) {
		memcpy(&a, option + at, sizeof(a));
		if (r->n == ADVERT_RDNSS_MAX || !is_resolver(&a))
			continue;
		r->lifetime = r->n > 0 ? MIN(r->lifetime, lifetime) : lifetime;
		r->address[r->n++] = a;
	}
}

bool advert_read_rdnss(const uint8_t *p, const struct ip_packet *ip, struct advert_rdnss *ret)
{
	struct advert_rdnss r = { .n = 0 };
	bool found = false;

	if (!is_valid(p, ip))
		return false;
	for (size_t at = ip->l4 + ADVERT_LEN; at < ip->len; at += p[at + 1] * 8u)
		if (p[at] == OPTION_RDNSS) {
			found = true;
			add_resolvers(&r, p + at, p[at + 1] * 8u);
		}
	if (found)
		*ret = r;
	return found;
}
