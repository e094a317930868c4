/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests to the kernel by netlink: one socket, one request at a time, the kernel's own words for its
 * errors. */
#pragma once

#include <libmnl/libmnl.h>

#include "netconf/model.h"

#define RTNL_BUFFER_SIZE 32768 /* what one datagram of a dump can be */

struct rtnl {
	struct mnl_socket *socket;
	uint32_t seq;
	char error[192]; /* of the last request: text of the errno, and the kernel's extended ack if it gave
			    one */
	char buffer[RTNL_BUFFER_SIZE] __attribute__((aligned(8)));
};

/* `bus` is NETLINK_ROUTE or NETLINK_NETFILTER. 0 or negative errno. */
int rtnl_open(struct rtnl *rtnl, int bus);
void rtnl_close(struct rtnl *rtnl);

/* The next whole message of a datagram; NULL at its end, and where a length is not possible (libmnl's own
 * check takes a length of 2 GiB and more for a negative one). */
const struct nlmsghdr *rtnl_next_message(const uint8_t **data, size_t *len);

/* Sends `request` (NLM_F_ACK is added) and waits for the answer; every message of an answer or dump goes to
 * `fn` (may be NULL). 0 or the kernel's negative errno; -EIO if it does not answer. */
typedef void (*rtnl_message_fn)(void *ctx, const struct nlmsghdr *message);
int rtnl_request(struct rtnl *rtnl, struct nlmsghdr *request, rtnl_message_fn fn, void *ctx);

/* Values of one link, by name or (name NULL) by index. */
struct rtnl_link {
	uint32_t ifindex, flags, mtu, master, group;
	bool carrier;
	char name[IFNAMSIZ];
	char alias[NET_DESCRIPTION_MAX + 1];
	bool is_vrf;
	uint32_t vrf_table;
};
/* 0 or as rtnl_request(): -ENODEV if there is none. */
int rtnl_link_get(struct rtnl *rtnl, const char *name, uint32_t ifindex, struct rtnl_link *ret);
/* Every link, as RTM_NEWLINK. As rtnl_request(). */
int rtnl_link_dump(struct rtnl *rtnl, rtnl_message_fn fn, void *ctx);
/* Reads a RTM_NEWLINK or RTM_DELLINK message. 0, or -EBADMSG for one that is damaged. */
int rtnl_link_parse(const struct nlmsghdr *message, struct rtnl_link *ret);
/* The same of a RTM_NEWROUTE or RTM_DELROUTE message; `device` is not filled in. The first living hop of
 * several stands for the route. */
int rtnl_route_parse(const struct nlmsghdr *message, struct net_route *ret);
/* The route by its hop `n`, alive or not; -ENOENT: there is no such hop. */
int rtnl_route_parse_hop(const struct nlmsghdr *message, unsigned n, struct net_route *ret);

struct rtnl_rule {
	uint32_t table;	  /* to search; RT_TABLE_UNSPEC = another action */
	int suppress_len; /* routes with a prefix of this length or less do not count; -1 = all do */
	bool selective;	  /* not for all that this host sends: a mark, an address, a user … */
};
/* Reads a RTM_NEWRULE message. 0, or -EBADMSG for one that is damaged. */
int rtnl_rule_parse(const struct nlmsghdr *message, struct rtnl_rule *ret);
/* Every rule of a family in the kernel's order, as RTM_NEWRULE. As rtnl_request(). */
int rtnl_rule_dump(struct rtnl *rtnl, int family, rtnl_message_fn fn, void *ctx);

/* Each of the following is one request and returns what rtnl_request() does: 0 or the kernel's negative
 * errno, whose words are in rtnl->error. -ENODEV: the link is gone. */
int rtnl_link_set_alias(struct rtnl *rtnl, uint32_t ifindex, const char *alias);
int rtnl_link_set_master(struct rtnl *rtnl, uint32_t ifindex, uint32_t master);
int rtnl_link_set_mtu(struct rtnl *rtnl, uint32_t ifindex, uint32_t mtu);
/* A value of /proc/sys/net/ipv4/conf/X, by its number IPV4_DEVCONF_…: where /proc/sys is read-only. */
int rtnl_link_set_ipv4(struct rtnl *rtnl, uint32_t ifindex, uint16_t index, uint32_t value);
int rtnl_link_set_up(struct rtnl *rtnl, uint32_t ifindex, bool up);
int rtnl_link_set_carrier(struct rtnl *rtnl, uint32_t ifindex, bool on);
int rtnl_link_set_group(struct rtnl *rtnl, uint32_t ifindex, uint32_t group);
int rtnl_link_delete(struct rtnl *rtnl, uint32_t ifindex);
/* All members of the group at once. */
int rtnl_link_delete_group(struct rtnl *rtnl, uint32_t group);

int rtnl_addr_dump(struct rtnl *rtnl, uint32_t ifindex, rtnl_message_fn fn, void *ctx);
/* -EEXIST and -EADDRNOTAVAIL mean that it is there, or gone, already. */
int rtnl_addr_change(struct rtnl *rtnl, bool add, uint32_t ifindex, const struct net_addr *addr,
		     const struct net_addr *peer, uint8_t prefix_len);

/* `table` RT_TABLE_UNSPEC = all. */
int rtnl_route_dump(struct rtnl *rtnl, int family, uint32_t table, rtnl_message_fn fn, void *ctx);
/* Adds behind routes of the same destination and metric, never in place of one. */
int rtnl_route_change(struct rtnl *rtnl, bool add, const struct net_route *route);
