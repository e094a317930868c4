/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netconf/underlay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

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

/* Longest prefix, then lowest metric, then the kernel's order. */
static bool is_better(const struct lookup *l, const struct net_route *r)
{
	return !l->found || r->prefix_len > l->route.prefix_len ||
	       (r->prefix_len == l->route.prefix_len && r->metric < l->route.metric);
}

/* Beside the tunnels. Of several next hops each is a path of its own: a connection is bound to one of them.
 */
static void take_candidate(void *ctx, const struct nlmsghdr *message)
{
	struct lookup *l = ctx;
	struct net_route r;

	if (message->nlmsg_type != RTM_NEWROUTE)
		return;
	for (unsigned n = 0; rtnl_route_parse_hop(message, n, &r) == 0; n++) {
		if (r.type != RTN_UNICAST || r.table != RT_TABLE_MAIN || r.protocol == NET_ROUTE_PROTOCOL ||
		    !prefix_matches(&r, l->server) || !is_better(l, &r))
			return;
		if (r.dead || r.ifindex == 0 || !if_indextoname(r.ifindex, r.device) ||
		    l->is_tunnel(l->ctx, r.device, r.ifindex))
			continue;
		l->found = true;
		l->route = r;
	}
}

/* `flags`: with RTM_F_FIB_MATCH the answer is the route itself, not what comes of it. */
static int ask_kernel(struct rtnl *rtnl, unsigned flags, struct lookup *l)
{
	char buffer[512] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	size_t size = l->server->family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);

	nlh->nlmsg_type = RTM_GETROUTE;
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = (uint8_t)l->server->family;
	rtm->rtm_dst_len = (uint8_t)(size * 8);
	rtm->rtm_flags = flags;
	mnl_attr_put(nlh, RTA_DST, size, &l->server->in6);
	int r = rtnl_request(rtnl, nlh, take_answer, l);
	if (r == 0 && l->found && !if_indextoname(l->route.ifindex, l->route.device))
		return -ENODEV;
	return r;
}

/* A route of ours to the server tells where the path was when it was made (struct net_server_route). */
static bool is_route_of_ours(struct rtnl *rtnl, const struct net_addr *server)
{
	struct lookup l = { .server = server };

	return server->family == AF_INET && ask_kernel(rtnl, RTM_F_FIB_MATCH, &l) == 0 && l.found &&
	       l.route.protocol == NET_ROUTE_PROTOCOL;
}

static int search(struct rtnl *rtnl, struct lookup *l)
{
	int r = ask_kernel(rtnl, 0, l);
	bool no_path = r == -ENETUNREACH || r == -EHOSTUNREACH || r == -EACCES || r == -EINVAL;

	if (r < 0 && !no_path)
		return r;
	if (r == 0 && l->found && !l->is_tunnel(l->ctx, l->route.device, l->route.ifindex) &&
	    !is_route_of_ours(rtnl, l->server))
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

int underlay_device(const struct net_addr *server, char device[static IFNAMSIZ])
{
	struct lookup l = { .server = server };

	_cleanup_free_ struct rtnl *rtnl = calloc(1, sizeof(*rtnl));
	if (!rtnl)
		return -ENOMEM;
	int r = rtnl_open(rtnl, NETLINK_ROUTE);
	if (r < 0)
		return r;
	r = ask_kernel(rtnl, 0, &l);
	rtnl_close(rtnl);
	if (r == 0)
		memcpy(device, l.route.device, IFNAMSIZ);
	return r < 0 ? r : l.found ? 0 : -ENETUNREACH;
}

/* A socket address; 0 for a family that is none. */
static socklen_t to_sockaddr(const struct net_addr *a, uint16_t port, struct sockaddr_storage *ret)
{
	*ret = (struct sockaddr_storage){ .ss_family = (sa_family_t)a->family };
	if (a->family == AF_INET) {
		*(struct sockaddr_in *)ret = (struct sockaddr_in){ .sin_family = AF_INET,
								   .sin_addr = a->in,
								   .sin_port = htons(port) };
		return sizeof(struct sockaddr_in);
	}
	if (a->family == AF_INET6) {
		*(struct sockaddr_in6 *)ret = (struct sockaddr_in6){ .sin6_family = AF_INET6,
								     .sin6_addr = a->in6,
								     .sin6_port = htons(port) };
		return sizeof(struct sockaddr_in6);
	}
	return 0;
}

static int bind_to_device(int fd, const char *device)
{
	return device[0] ? setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device) + 1)
			 : 0;
}

/* connect(2) of a datagram socket sends nothing, and chooses the address. */
struct net_addr underlay_source(const char *device, const struct net_addr *server)
{
	struct sockaddr_storage to, from = { .ss_family = AF_UNSPEC };
	socklen_t len = to_sockaddr(server, 9, &to), from_len = sizeof(from);
	_cleanup_close_ int fd = len ? socket(server->family, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;

	if (fd < 0 || bind_to_device(fd, device) < 0 || connect(fd, (struct sockaddr *)&to, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&from, &from_len) < 0)
		return (struct net_addr){ .family = AF_UNSPEC };
	if (from.ss_family == AF_INET)
		return (struct net_addr){ .family = AF_INET, .in = ((struct sockaddr_in *)&from)->sin_addr };
	return (struct net_addr){ .family = AF_INET6, .in6 = ((struct sockaddr_in6 *)&from)->sin6_addr };
}

/* Bound to the device, because an address of a VRF is one only there. */
bool underlay_has_address(const char *device, const struct net_addr *addr)
{
	struct sockaddr_storage own;
	socklen_t len = to_sockaddr(addr, 0, &own);
	_cleanup_close_ int fd = len ? socket(addr->family, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;

	/* Whatever else goes wrong is no reason to take it for gone. */
	return fd < 0 || bind_to_device(fd, device) < 0 || bind(fd, (struct sockaddr *)&own, len) == 0 ||
	       errno != EADDRNOTAVAIL;
}
