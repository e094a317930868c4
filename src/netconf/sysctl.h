/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The values below /proc/sys/net. */
#pragma once

#include "netconf/model.h"

/* Fills the table for one interface; what does not exist is not present. */
void sysctl_read_all(const char *ifname, struct net_sysctl_value ret[static _NET_SYSCTL_MAX]);
/* Does this interface drop what comes from where no route leads out of it? max(all, interface) is 1 then. */
bool sysctl_filters_strictly(const char *ifname);
/* -EROFS in most containers. */
int sysctl_write_value(const char *ifname, enum net_sysctl key, uint32_t value);
/* "ipv4/conf/sstpc0/forwarding" */
void sysctl_path(const char *ifname, enum net_sysctl key, char *out, size_t size);
/* The name in the record: "ignore_routes_with_linkdown4". */
const char *sysctl_key_name(enum net_sysctl key);
/* Its number in IFLA_INET_CONF; only for the rows before _NET_SYSCTL_IPV6. */
uint16_t sysctl_ipv4_index(enum net_sysctl key);
/* Is /proc/sys mounted read-only? */
bool sysctl_is_read_only(void);
