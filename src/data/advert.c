/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "advert.h"

#include "base/macro.h"
#include "csum.h"
#include "rdnss.h"

#define HOP_LIMIT	255u /* the only one that a receiver takes (RFC 4861 §6.1.2) */
#define ROUTER_ADVERT	134u
#define ICMP6_CHECK	2u
#define ADVERT_LEN	16u /* in front of the options */
#define OPTION_LEN_MIN	8u
#define OPTION_PREFIX	3u /* RFC 4861 §4.6.2: type, length, length of the prefix, flags */
#define PREFIX_FLAGS	3u
#define PREFIX_ON_LINK	0x80u
#define OPTION_RDNSS	25u /* RFC 8106 §5.1: type, length, reserved, lifetime, addresses */
#define RDNSS_LIFETIME	4u
#define RDNSS_ADDRESSES 8u
#define FRAGMENT_LEN	8u /* RFC 8200 §4.5: next header, reserved, offset and flags, identification */
#define FRAGMENT_OFFSET 2u

bool advert_is_one(const uint8_t *p, const struct ip_packet *ip)
{
	return ip->version == 6 && ip->protocol == IPPROTO_ICMPV6 && p[IP6_HOP_LIMIT] == HOP_LIMIT &&
	       (size_t)ip->len - ip->l4 >= ADVERT_LEN && p[ip->l4] == ROUTER_ADVERT;
}

/* Is it the first fragment of what may be an advertisement? Without the first one the others are nothing. */
static bool begins_advert(const uint8_t *p, const struct ip_packet *ip)
{
	struct ip_packet whole = *ip;

	if ((size_t)ip->len - ip->l4 < FRAGMENT_LEN || get_u16(p + ip->l4 + FRAGMENT_OFFSET) >> 3 != 0)
		return false;
	whole.protocol = p[ip->l4];
	whole.l4 = (uint16_t)(ip->l4 + FRAGMENT_LEN);
	ip6_walk(p, &whole);
	return whole.protocol == IP_OPAQUE || whole.protocol == IPPROTO_FRAGMENT ||
	       (whole.protocol == IPPROTO_ICMPV6 && (whole.l4 == whole.len || p[whole.l4] == ROUTER_ADVERT));
}

bool advert_is_refused(const uint8_t *p, const struct ip_packet *ip)
{
	if (ip->version != 6 || p[IP6_HOP_LIMIT] != HOP_LIMIT)
		return false;
	return ip->fragment ? begins_advert(p, ip) : ip->protocol == IP_OPAQUE;
}

void advert_tame(uint8_t *p, const struct ip_packet *ip)
{
	uint8_t *check = p + ip->l4 + ICMP6_CHECK;

	for (size_t at = ip->l4 + ADVERT_LEN, size; at + OPTION_LEN_MIN <= ip->len; at += size) {
		uint8_t *flags = p + at + PREFIX_FLAGS, *word = flags - 1;
		uint16_t before = get_raw16(word);

		size = p[at + 1] * 8u;
		if (size == 0)
			return; /* the kernel refuses the whole */
		if (p[at] != OPTION_PREFIX)
			continue;
		*flags &= (uint8_t)~PREFIX_ON_LINK;
		put_raw16(check, csum_update(get_raw16(check), before, get_raw16(word)));
	}
}

/* RFC 4861 §6.1.2: from the neighbour, whole, and unharmed. */
static bool is_valid(const uint8_t *p, const struct ip_packet *ip)
{
	size_t len = (size_t)ip->len - ip->l4, size;

	if (!advert_is_one(p, ip) || p[IP6_SOURCE] != 0xfe || (p[IP6_SOURCE + 1] & 0xc0) != 0x80 ||
	    p[ip->l4 + 1] != 0)
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

static void add_resolvers(struct rdnss_heard *heard, const uint8_t *option, size_t size)
{
	struct in6_addr a;

	for (size_t at = RDNSS_ADDRESSES; at + sizeof(a) <= size; at += sizeof(a)) {
		memcpy(&a, option + at, sizeof(a));
		if (is_resolver(&a))
			rdnss_hear(heard, &a, get_u32(option + RDNSS_LIFETIME));
	}
}

bool advert_read_rdnss(const uint8_t *p, const struct ip_packet *ip, struct rdnss_heard *heard)
{
	bool found = false;

	if (!is_valid(p, ip))
		return false;
	for (size_t at = ip->l4 + ADVERT_LEN; at < ip->len; at += p[at + 1] * 8u)
		if (p[at] == OPTION_RDNSS) {
			found = true;
			add_resolvers(heard, p + at, p[at + 1] * 8u);
		}
	return found;
}
