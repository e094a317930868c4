/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "data/rdnss.h"

#include "base/macro.h"

void rdnss_hear(struct rdnss_heard *heard, const struct in6_addr *address, uint32_t lifetime)
{
	size_t i = 0;

	while (i < heard->n && !IN6_ARE_ADDR_EQUAL(&heard->item[i].address, address))
		i++;
	if (i == RDNSS_HEARD_MAX)
		return;
	heard->n = MAX(heard->n, i + 1);
	heard->item[i].address = *address;
	heard->item[i].lifetime = lifetime;
}

/* The place of an address: its own, a free one, or that of the one that ends first. */
static size_t place_of(const struct rdnss *r, const struct in6_addr *address)
{
	size_t first = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (IN6_ARE_ADDR_EQUAL(&r->item[i].address, address))
			return i;
		if (r->item[i].until < r->item[first].until)
			first = i;
	}
	return r->n < RDNSS_MAX ? r->n : first;
}

void rdnss_follow(struct rdnss *r, const struct rdnss_heard *heard, usec_t now)
{
	for (size_t h = 0; h < heard->n; h++) {
		const struct in6_addr *address = &heard->item[h].address;
		uint32_t lifetime = heard->item[h].lifetime;
		usec_t until = lifetime == UINT32_MAX ? USEC_NEVER : now + lifetime * USEC_PER_SEC;
		size_t i = place_of(r, address);

		if (i == r->n && lifetime > 0)
			r->n++;
		else if (i == r->n ||
			 (!IN6_ARE_ADDR_EQUAL(&r->item[i].address, address) && r->item[i].until >= until))
			continue;
		r->item[i].address = *address;
		r->item[i].until = until;
	}
	(void)rdnss_expire(r, now);
}

usec_t rdnss_expire(struct rdnss *r, usec_t now)
{
	usec_t next = USEC_NEVER;
	size_t kept = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (r->item[i].until <= now)
			continue;
		next = MIN(next, r->item[i].until);
		r->item[kept++] = r->item[i];
	}
	r->n = kept;
	return next;
}
