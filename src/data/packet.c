/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "data/packet.h"

#define EXTENSIONS_MAX 8 /* no sound packet has more */

void ip6_walk(const uint8_t *p, struct ip_packet *ip)
{
	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		size_t left = (size_t)ip->len - ip->l4, size;

		switch (ip->protocol) {
		case IPPROTO_FRAGMENT:
			ip->fragment = true;
			return;
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
			size = left < 2 ? 8 : (p[ip->l4 + 1] + 1u) * 8;
			if (size > left)
				break;
			ip->protocol = p[ip->l4];
			ip->l4 = (uint16_t)(ip->l4 + size);
			continue;
		default:
			return;
		}
		break;
	}
	ip->protocol = IP_OPAQUE;
}
