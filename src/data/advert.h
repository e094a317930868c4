/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of src/data: router advertisements (RFC 4861 §4.2) on their way to the kernel. */
#pragma once

#include "packet.h"

/*
 * True for one that is not to reach the kernel: it calls a prefix shorter than 64 bits on-link. The kernel
 * makes a route of it, with a metric of its own choice, so that a server could take ::/1 and 8000::/1, and
 * with them all traffic, from a user who wants no default route of it, or a distant one. A prefix for
 * addresses has 64 bits (RFC 4862 §5.5.3). What else an advertisement can do is limited by sysctls
 * (netconf/plan.c).
 */
bool advert_is_refused(const uint8_t *p, const struct ip_packet *ip);

#define ADVERT_RDNSS_MAX 4 /* resolvers taken from an advertisement */

/* Resolvers by RFC 8106 §5.1. */
struct advert_rdnss {
	struct in6_addr address[ADVERT_RDNSS_MAX];
	size_t n;
	uint32_t lifetime; /* seconds, the shortest of those that count; UINT32_MAX for ever, 0 with n = 0 */
};

/*
 * Reads the resolvers of an advertisement that a receiver would take (RFC 4861 §6.1.2, RFC 6980). False if it
 * is none, or tells of no resolvers. Those with a lifetime of 0 are left out, n may be 0 then; so are
 * addresses that no resolver can have, and link-local ones, which not every resolver library can be told.
 */
bool advert_read_rdnss(const uint8_t *p, const struct ip_packet *ip, struct advert_rdnss *ret);
