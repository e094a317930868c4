/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses of a point-to-point device, by the classic ioctls: all that the server's end of a tunnel needs.
 */
#pragma once

#include <netinet/in.h>
#include <stdint.h>

/* Sets addresses and MTU and brings `name` up. 0 or negative errno. */
int device_configure(const char *name, struct in_addr local, struct in_addr peer, uint16_t mtu);
/* Adds the link-local address of an IPV6CP interface identifier. */
int device_add_link_local(uint32_t ifindex, const uint8_t id[static 8]);
