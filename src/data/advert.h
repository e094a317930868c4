/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of src/data: router advertisements (RFC 4861 §4.2) on their way to the kernel. */
#pragma once

#include "packet.h"

/* True for one that a receiver might take: it comes from the neighbour (RFC 4861 §6.1.2), in one piece. */
bool advert_is_one(const uint8_t *p, const struct ip_packet *ip);

/*
 * True for what is, or may be, a router advertisement that we cannot read: in fragments, which nobody may
 * take (RFC 6980 §5), but the kernel does if suppress_frag_ndisc is 0, or behind more extension headers than
 * we walk. It is not to reach the kernel.
 */
bool advert_is_refused(const uint8_t *p, const struct ip_packet *ip);

/*
 * Changes one that advert_is_one(): no prefix is on-link. The kernel makes a route of every one that is, with
 * a metric of its own choice, so that a server could take the traffic to any network from a user who wants no
 * default route of it, or a distant one. Nothing is a neighbour on a tunnel anyway, and addresses do not
 * depend on it (RFC 4862 §5.5.3). What else an advertisement can do is limited by sysctls (netconf/plan.c).
 * The checksum follows: one that was wrong stays wrong.
 */
void advert_tame(uint8_t *p, const struct ip_packet *ip);

/*
 * Adds the resolvers of an advertisement, with a right checksum, that a receiver would take (RFC 4861 §6.1.2,
 * RFC 6980) to those that were heard before. False if it is none, or tells of no resolvers. Left out are
 * addresses that no resolver can have, and link-local ones, which not every resolver library can be told.
 */
struct rdnss_heard;
bool advert_read_rdnss(const uint8_t *p, const struct ip_packet *ip, struct rdnss_heard *heard);
