/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "netconf/rtnl.h"

/* What observing needs besides the names. */
struct observer {
	struct rtnl *route;	/* NETLINK_ROUTE */
	struct rtnl *netfilter; /* NETLINK_NETFILTER; NULL where the kernel has none */
	const char *resolv_conf;
	enum net_dns_backend dns_backend; /* NET_DNS_NONE = probe */
};

/* Reads the state of `ifname`. `vrf` is the VRF that is wished for ("" = none); `record` tells what to look
 * after in the resolver. Negative errno where the kernel does not answer; a missing interface is a state, not
 * an error. */
int net_observe(const struct observer *o, const char *ifname, const char *vrf,
		const struct net_record *record, struct net_observed *ret);
