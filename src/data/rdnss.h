/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Resolvers of router advertisements, each for as long as it was told (RFC 8106 §5.1, §6.1). */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

#define RDNSS_MAX	4  /* in force */
#define RDNSS_HEARD_MAX 16 /* taken from the advertisements of one turn */

/* What advertisements have told since it was last looked at; a lifetime of 0 takes a resolver back. */
struct rdnss_heard {
	struct {
		struct in6_addr address;
		uint32_t lifetime; /* seconds; UINT32_MAX for ever */
	} item[RDNSS_HEARD_MAX];
	size_t n;
};

/* Notes an address; the last word on one counts. More than there is room for are left out. */
void rdnss_hear(struct rdnss_heard *heard, const struct in6_addr *address, uint32_t lifetime);

/* The resolvers in force. */
struct rdnss {
	struct {
		struct in6_addr address;
		usec_t until;
	} item[RDNSS_MAX];
	size_t n;
};

/* Follows what was heard. Where there is no room, the one that ends first gives way to one that lasts longer.
 */
void rdnss_follow(struct rdnss *r, const struct rdnss_heard *heard, usec_t now);
/* Forgets those whose time is over; returns when the next one ends, or USEC_NEVER. */
usec_t rdnss_expire(struct rdnss *r, usec_t now);
