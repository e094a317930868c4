/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which device carries the outer connection. The worker binds its socket to that device, so that the tunnel
 * can never swallow its own outer packets.
 */
#pragma once

#include <net/if.h>

#include "netconf/model.h"

struct underlay {
	uint32_t ifindex;
	char device[IFNAMSIZ];
	struct net_addr source; /* preferred source; AF_UNSPEC = none told */
	struct net_addr via;	/* gateway; AF_UNSPEC = on the link */
	uint32_t mtu;		/* of the device */
};

/* True for a device that must not carry an outer connection (`name` is ours, or of the same kind). */
typedef bool (*underlay_is_tunnel_fn)(void *ctx, const char *name, uint32_t ifindex);

/*
 * Asks the kernel's routing (RTM_GETROUTE), as a connect() would. Where the best path leads into a device for
 * which `is_tunnel` is true, the best path beside it is looked for in the table main. `is_tunnel` NULL:
 * devices named sstpc<number>. Routes of ours (NET_ROUTE_PROTOCOL) do not count. -ENETUNREACH: no path;
 * -EAFNOSUPPORT; other negative errno from netlink.
 */
int underlay_find(const struct net_addr *server, underlay_is_tunnel_fn is_tunnel, void *ctx,
		  struct underlay *ret);

/* The device, a tunnel or not, through which the kernel would send to an address (AF_INET or AF_INET6). 0, or
 * negative errno: there is none. */
int underlay_device(const struct net_addr *server, char device[static IFNAMSIZ]);

/* The address of this host that a connection to `server` through `device` ("" = any) has; AF_UNSPEC: there is
 * no way. */
struct net_addr underlay_source(const char *device, const struct net_addr *server);
/* Whether this host has the address, as far as `device` ("" = any) is concerned. */
bool underlay_has_address(const char *device, const struct net_addr *addr);

/* True for sstpc0 … sstpc4294967295. */
bool is_sstpc_name(const char *name);
