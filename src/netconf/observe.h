/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "netconf/plan.h"
#include "netconf/rtnl.h"

/*
 * The routes that matter to any interface of ours: default routes and their halves, and those with our tag,
 * of every table, in the kernel's order of preference. The kernel finds them only by going through all that
 * it has, which can be a million: that is done once for all interfaces, and again when something has changed.
 */
struct route_cache {
	bool valid;
	bool cut; /* not all of them found room */
	struct net_route *routes;
	size_t n, size;
};

/* What observing needs besides the names. */
struct observer {
	struct rtnl *route;	/* NETLINK_ROUTE */
	struct rtnl *netfilter; /* NETLINK_NETFILTER; NULL where the kernel has none */
	const char *resolv_conf;
	enum net_dns_backend dns_backend; /* NET_DNS_NONE = probe */
	struct route_cache *routes;
};

/* Reads the state of `ifname`, the device `ifindex` (0 = whichever has the name), of which `needs` (enum
 * net_need) tells the parts. `vrf` is the VRF that is wished for ("" = none); `record` tells what to look
 * after in the resolver. Negative errno where the kernel does not answer; a missing interface is a state, not
 * an error, and so is another's that has the name. */
int net_observe(const struct observer *o, const char *ifname, uint32_t ifindex, const char *vrf,
		unsigned needs, const struct net_record *record, struct net_observed *ret);
