/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netconf/underlay.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/parse.h"
#include "netconf/rtnl.h"

bool is_sstpc_name(const char *name)
{
	uint32_t n;

	return strncmp(name, "sstpc", 5) == 0 && parse_u32(name + 5, 0, UINT32_MAX, &n) == 0;
}

static bool is_sstpc(void *ctx _unused_, const char *name, uint32_t ifindex _unused_)
{
	return is_sstpc_name(name);
}

struct lookup {
	const struct net_addr *server;
	underlay_is_tunnel_fn is_tunnel;
	void *ctx;
	bool found;
	struct net_route route;
	struct net_addr source;
};

static int note_source(const struct nlattr *attr, void *ctx)
{
	struct lookup *l = ctx;
	size_t size = l->server->family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);

	if (mnl_attr_get_type(attr) == RTA_PREFSRC && mnl_attr_get_payload_len(attr) >= size) {
		l->source.family = l->server->family;
		memcpy(&l->source.in6, mnl_attr_get_payload(attr), size);
	}
	return MNL_CB_OK;
}

/* The kernel's answer to "where does this address go?". */
static void take_answer(void *ctx, const struct nlmsghdr *message)
{
	struct lookup *l = ctx;
	struct net_route r;

	if (message->nlmsg_type != RTM_NEWROUTE || rtnl_route_parse(message, &r) < 0 || r.ifindex == 0)
		return;
	l->found = true;
	l->route = r;
	(void)mnl_attr_parse(message, sizeof(struct rtmsg), note_source, l);
}

static bool prefix_matches(const struct net_route *r, const struct net_addr *a)
{
	const uint8_t *x = (const uint8_t *)&r->dst.in6, *y = (const uint8_t *)&a->in6;
	unsigned bytes = r->prefix_len / 8, bits = r->prefix_len % 8;

	if (r->dst.family != a->family || r->prefix_len > (a->family == AF_INET ? 32 : 128))
		return false;
	return memcmp(x, y, bytes) == 0 &&
	       (bits == 0 || ((x[bytes] ^ y[bytes]) & (uint8_t)(0xff << (8 - bits))) == 0);
}

/* Beside the tunnels: longest prefix, then lowest metric, then the kernel's order. */
static void take_candidate(void *ctx, const struct nlmsghdr *message)
{
	struct lookup *l = ctx;
	struct net_route r;

	if (message->nlmsg_type != RTM_NEWROUTE || rtnl_route_parse(message, &r) < 0 ||
	    r.type != RTN_UNICAST || r.table != RT_TABLE_MAIN || r.dead || r.ifindex == 0 ||
	    !prefix_matches(&r, l->server))
		return;
	if (l->found && (r.prefix_len < l->route.prefix_len ||
			 (r.prefix_len == l->route.prefix_len && r.metric >= l->route.metric)))
		return;
	if (!if_indextoname(r.ifindex, r.device) || l->is_tunnel(l->ctx, r.device, r.ifindex))
		return;
	l->found = true;
	l->route = r;
}

static int ask_kernel(struct rtnl *rtnl, struct lookup *l)
{
	char buffer[512] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	size_t size = l->server->family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);

	nlh->nlmsg_type = RTM_GETROUTE;
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = (uint8_t)l->server->family;
	rtm->rtm_dst_len = (uint8_t)(size * 8);
	mnl_attr_put(nlh, RTA_DST, size, &l->server->in6);
	int r = rtnl_request(rtnl, nlh, take_answer, l);
	if (r == 0 && l->found && !if_indextoname(l->route.ifindex, l->route.device))
		return -ENODEV;
	return r;
}

static int search(struct rtnl *rtnl, struct lookup *l)
{
	int r = ask_kernel(rtnl, l);
	bool no_path = r == -ENETUNREACH || r == -EHOSTUNREACH || r == -EACCES || r == -EINVAL;

	if (r < 0 && !no_path)
		return r;
	if (r == 0 && l->found && !l->is_tunnel(l->ctx, l->route.device, l->route.ifindex))
		return 0;
	l->found = false;
	l->source = (struct net_addr){ 0 };
	r = rtnl_route_dump(rtnl, l->server->family, RT_TABLE_MAIN, take_candidate, l);
	if (r < 0 && r != -EINTR)
		return r;
	return l->found ? 0 : -ENETUNREACH;
}

int underlay_find(const struct net_addr *server, underlay_is_tunnel_fn is_tunnel, void *ctx,
		  struct underlay *ret)
{
	struct lookup l = { .server = server, .is_tunnel = is_tunnel ? is_tunnel : is_sstpc, .ctx = ctx };
	struct rtnl_link link;

	if (server->family != AF_INET && server->family != AF_INET6)
		return -EAFNOSUPPORT;
	_cleanup_free_ struct rtnl *rtnl = calloc(1, sizeof(*rtnl));
	if (!rtnl)
		return -ENOMEM;
	int r = rtnl_open(rtnl, NETLINK_ROUTE);
	if (r < 0)
		return r;
	r = search(rtnl, &l);
	if (r == 0)
		r = rtnl_link_get(rtnl, NULL, l.route.ifindex, &link);
	rtnl_close(rtnl);
	if (r < 0)
		return r;
	*ret = (struct underlay){
		.ifindex = l.route.ifindex, .source = l.source, .via = l.route.via, .mtu = link.mtu
	};
	memcpy(ret->device, l.route.device, sizeof(ret->device));
	return 0;
}
