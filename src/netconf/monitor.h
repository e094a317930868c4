/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens in the kernel, told coarsely: enough to know when to reconcile and when the network that
 * carries the outer connections has changed. Groups: LINK, IPv4/IPv6 ADDR and ROUTE, IPv4/IPv6 NETCONF; and
 * nftables, of which only deletions wake the reader up.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"

enum net_event_kind {
	NET_EVENT_LINK,	     /* name, ifindex: flags, carrier, MTU, master or name changed, or it is new */
	NET_EVENT_LINK_GONE, /* name, ifindex */
	NET_EVENT_ADDR,	     /* ifindex: an address came, went or became usable */
	NET_EVENT_DEFAULT_ROUTE, /* ifindex: a default route of any table came or went */
	NET_EVENT_ROUTE_GONE,	 /* ifindex: a route with our tag went */
	NET_EVENT_FORWARDING,	 /* ifindex, 0 = all: forwarding, rp_filter or linkdown setting changed */
	NET_EVENT_NFT_GONE,	 /* something was deleted from nftables, perhaps our table */
	NET_EVENT_OVERRUN,	 /* events were lost: treat everything as changed */
};

struct net_event {
	enum net_event_kind kind;
	uint32_t ifindex;
	char name[IFNAMSIZ]; /* LINK and LINK_GONE */
	bool up;	     /* LINK: admin up and carrier */
	bool is_vrf;	     /* LINK: a VRF device */
};

struct net_monitor {
	int fd; /* an epoll descriptor over both sockets: readable when there is something */
	int rtnl;
	int nft; /* -1 where the kernel has no nftables */
};

/* Opens the sockets. Negative errno. */
int net_monitor_open(struct net_monitor *ret);
void net_monitor_close(struct net_monitor *m);

typedef void (*net_event_fn)(void *ctx, const struct net_event *event);

/* Reads what is there (bounded, never blocks) and tells each event; equal neighbours are told once. 0 or
 * negative errno; -EAGAIN is not an error and is not returned. */
int net_monitor_read(struct net_monitor *m, net_event_fn fn, void *ctx);

/* The parser on its own: one datagram of NETLINK_ROUTE. For tests. */
void net_monitor_parse(const void *data, size_t len, net_event_fn fn, void *ctx);
