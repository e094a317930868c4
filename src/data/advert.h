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
