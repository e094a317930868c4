/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An IPv6 packet whose ICMPv6 checksum is set right, because no fuzzer finds it: resolvers that are read from
 * it stand in it; once it is tamed no prefix is on-link, and the checksum is right. */
#include <stdlib.h>
#include <string.h>

#include "data/advert.h"
#include "data/csum.h"
#include "data/rdnss.h"

#define PACKET_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint16_t checksum(const uint8_t *p, const struct ip_packet *ip)
{
	size_t icmp = (size_t)ip->len - ip->l4;

	return csum_finish(csum_short(p + IP6_SOURCE, 32) + htons((uint16_t)icmp) + htons(IPPROTO_ICMPV6) +
			   csum_short(p + ip->l4, icmp & ~(size_t)1) +
			   (icmp % 2 ? (uint64_t)htons((uint16_t)(p[ip->len - 1] << 8)) : 0));
}

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check_tamed(uint8_t *p, const struct ip_packet *ip)
{
	advert_tame(p, ip);
	require(checksum(p, ip) == 0);
	for (size_t at = ip->l4 + 16u; at + 8 <= ip->len && p[at + 1] > 0; at += p[at + 1] * 8u)
		require(p[at] != 3 || !(p[at + 3] & 0x80));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct rdnss_heard r = { .n = 0 };
	struct ip_packet ip;

	if (len == 0 || len > PACKET_MAX)
		return 0;
	uint8_t *p = malloc(len);
	require(p);
	memcpy(p, data, len);
	if (ip_parse(p, len, &ip) == 0) {
		(void)advert_is_refused(p, &ip);
		if (advert_is_one(p, &ip)) {
			memset(p + ip.l4 + 2, 0, 2);
			put_raw16(p + ip.l4 + 2, checksum(p, &ip));
			(void)advert_read_rdnss(p, &ip, &r);
			require(r.n <= RDNSS_HEARD_MAX);
			for (size_t i = 0; i < r.n; i++)
				require(memmem(p, len, &r.item[i].address, sizeof(r.item[i].address)));
			check_tamed(p, &ip);
		}
	}
	free(p);
	return 0;
}
