/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An IPv6 packet whose ICMPv6 checksum is set right, because no fuzzer finds it: resolvers that are read from
 * it stand in it. */
#include <stdlib.h>
#include <string.h>

#include "data/advert.h"
#include "data/csum.h"

#define PACKET_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void set_checksum(uint8_t *p, const struct ip_packet *ip)
{
	size_t icmp = (size_t)ip->len - ip->l4;

	if (ip->version != 6 || ip->protocol != IPPROTO_ICMPV6 || icmp < 4)
		return;
	memset(p + ip->l4 + 2, 0, 2);
	put_raw16(p + ip->l4 + 2, csum_finish(csum_short(p + IP6_SOURCE, 32) + htons((uint16_t)icmp) +
					      htons(IPPROTO_ICMPV6) + csum_short(p + ip->l4, icmp)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct advert_rdnss r;
	struct ip_packet ip;

	if (len == 0 || len > PACKET_MAX)
		return 0;
	uint8_t *p = malloc(len);
	if (!p)
		abort();
	memcpy(p, data, len);
	if (ip_parse(p, len, &ip) == 0) {
		set_checksum(p, &ip);
		(void)advert_is_refused(p, &ip);
		if (advert_read_rdnss(p, &ip, &r)) {
			if (r.n > ADVERT_RDNSS_MAX || (r.n == 0) != (r.lifetime == 0))
				abort();
			for (size_t i = 0; i < r.n; i++)
				if (!memmem(p, len, &r.address[i], sizeof(r.address[i])))
					abort();
		}
	}
	free(p);
	return 0;
}
