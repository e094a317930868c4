/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netconf/observe.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "netconf/dns/dns.h"
#include "netconf/nft.h"
#include "netconf/sysctl.h"

#define OURS_MAX  (NET_OBSERVED_ROUTES_MAX / 2) /* so that many foreign routes cannot hide ours */
#define CACHE_MAX 65536
#define DUMPS_MAX 3 /* a dump that changed under our eyes is read again */

struct addr_parser {
	struct net_observed_addr addr;
	uint32_t flags;
};

static int take_addr_attr(const struct nlattr *attr, void *ctx)
{
	struct addr_parser *p = ctx;
	size_t size = p->addr.family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
	size_t len = mnl_attr_get_payload_len(attr);
	struct net_addr *to = NULL;

	if (mnl_attr_get_type(attr) == IFA_LOCAL)
		to = &p->addr.local;
	else if (mnl_attr_get_type(attr) == IFA_ADDRESS)
		to = &p->addr.peer;
	else if (mnl_attr_get_type(attr) == IFA_FLAGS && len >= sizeof(p->flags))
		p->flags = mnl_attr_get_u32(attr);
	if (to && len >= size) {
		to->family = p->addr.family;
		memcpy(&to->in6, mnl_attr_get_payload(attr), size);
	}
	return MNL_CB_OK;
}

static void take_addr(void *ctx, const struct nlmsghdr *message)
{
	struct net_observed *obs = ctx;
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(message);

	if (message->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(message) < sizeof(*ifa) ||
	    ifa->ifa_index != obs->ifindex || obs->n_addrs >= NET_OBSERVED_ADDRS_MAX ||
	    (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6))
		return;
	struct addr_parser p = { .flags = ifa->ifa_flags };
	struct net_observed_addr *addr = &p.addr;

	addr->family = ifa->ifa_family;
	addr->prefix_len = ifa->ifa_prefixlen;
	(void)mnl_attr_parse(message, sizeof(*ifa), take_addr_attr, &p);
	/* IPv6 without a peer has the address in IFA_ADDRESS alone. */
	if (addr->local.family == AF_UNSPEC)
		addr->local = addr->peer;
	if (addr->peer.family == AF_UNSPEC)
		addr->peer = addr->local;
	/* Not what a DHCPv6 client set: the kernel marks its own. */
	addr->dynamic = addr->family == AF_INET6 && !(p.flags & IFA_F_PERMANENT) &&
			p.flags & (IFA_F_MANAGETEMPADDR | IFA_F_TEMPORARY) &&
			!IN6_IS_ADDR_LINKLOCAL(&addr->local.in6);
	obs->addrs[obs->n_addrs++] = *addr;
}

/* True for the destinations of default routes and of their halves. */
static bool is_wide(const struct net_route *r)
{
	return r->prefix_len <= 1;
}

static struct net_route *add_route(struct route_cache *c)
{
	if (c->n == c->size) {
		size_t size = c->size ? c->size * 2 : 64;
		struct net_route *routes = size <= CACHE_MAX ? reallocarray(c->routes, size, sizeof(*routes))
							     : NULL;
		if (!routes)
			return NULL;
		c->routes = routes;
		c->size = size;
	}
	return &c->routes[c->n++];
}

static void take_route(void *ctx, const struct nlmsghdr *message)
{
	struct route_cache *cache = ctx;
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(message);
	struct net_route r, *to;

	/* Most are of no interest: looked at before anything of them is taken apart. */
	if (message->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(message) < sizeof(*rtm) ||
	    (rtm->rtm_dst_len > 1 && rtm->rtm_protocol != NET_ROUTE_PROTOCOL) ||
	    (rtm->rtm_type != RTN_UNICAST && rtm->rtm_type != RTN_BLACKHOLE &&
	     rtm->rtm_type != RTN_UNREACHABLE && rtm->rtm_type != RTN_PROHIBIT &&
	     rtm->rtm_type != RTN_THROW) ||
	    rtnl_route_parse(message, &r) < 0)
		return;
	to = add_route(cache);
	if (to)
		*to = r;
	else
		cache->cut = true;
}

static int fill_cache(const struct observer *o)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct route_cache *c = o->routes;

	bool whole = true;

	c->n = 0;
	c->cut = false;
	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		size_t before = c->n;
		int r = -EINTR;

		for (int i = 0; r == -EINTR && i < DUMPS_MAX; i++) {
			c->n = before;
			r = rtnl_route_dump(o->route, families[f], RT_TABLE_UNSPEC, take_route, c);
		}
		/* A kernel without IPv6 has no such table. */
		if (r < 0 && r != -EINTR && r != -EAFNOSUPPORT && r != -EOPNOTSUPP)
			return r;
		whole &= r != -EINTR;
	}
	/* What is not whole serves this reading alone. */
	c->valid = whole && !c->cut;
	return 0;
}

static void pick_route(const struct net_route *r, struct net_observed *obs)
{
	bool ours = r->ifindex == obs->ifindex &&
		    (r->protocol == NET_ROUTE_PROTOCOL || (r->protocol == RTPROT_RA && is_wide(r)));
	bool foreign = r->ifindex != obs->ifindex && is_wide(r);
	size_t limit = ours ? NET_OBSERVED_ROUTES_MAX : OURS_MAX;

	if (r->table == obs->table && (ours || foreign) && obs->n_routes < limit)
		obs->routes[obs->n_routes++] = *r;
}

static int read_addrs(const struct observer *o, struct net_observed *obs)
{
	int r = -EINTR;

	for (int i = 0; r == -EINTR && i < DUMPS_MAX; i++) {
		obs->n_addrs = 0;
		r = rtnl_addr_dump(o->route, obs->ifindex, take_addr, obs);
	}
	return r == -EINTR ? 0 : r;
}

static bool is_to_server(const struct net_route *r, const struct net_server_route *server)
{
	const struct net_server_route is = {
		.dst = r->dst, .via = r->via, .ifindex = r->ifindex, .metric = r->metric
	};

	return r->protocol == NET_ROUTE_PROTOCOL && r->prefix_len == 32 && r->table == RT_TABLE_MAIN &&
	       net_server_route_equal(&is, server);
}

static int read_routes(const struct observer *o, const struct net_record *record, struct net_observed *obs)
{
	int r = o->routes->valid ? 0 : fill_cache(o);

	for (size_t i = 0; r == 0 && i < o->routes->n; i++) {
		pick_route(&o->routes->routes[i], obs);
		obs->server_route_there |= is_to_server(&o->routes->routes[i], &record->server);
	}
	for (size_t i = 0; i < obs->n_routes; i++)
		if (obs->routes[i].ifindex)
			(void)if_indextoname(obs->routes[i].ifindex, obs->routes[i].device);
	return r;
}

/* The walk through the rules of one family, as far as our table. */
struct rule_walk {
	const struct route_cache *routes;
	const struct net_observed *obs;
	const struct net_route *ours;
	const struct net_route *found;
	bool done;
};

static void take_rule(void *ctx, const struct nlmsghdr *message)
{
	struct rule_walk *w = ctx;
	struct rtnl_rule rule;

	if (w->done || message->nlmsg_type != RTM_NEWRULE || rtnl_rule_parse(message, &rule) < 0 ||
	    rule.selective || rule.table == RT_TABLE_UNSPEC)
		return;
	if (rule.table == w->obs->table) {
		w->done = w->ours->prefix_len > rule.suppress_len;
		return;
	}
	for (size_t i = 0; i < w->routes->n && !w->done; i++) {
		const struct net_route *r = &w->routes->routes[i];

		if (r->table == rule.table && r->dst.family == w->ours->dst.family && is_wide(r) &&
		    r->prefix_len > rule.suppress_len && !r->dead) {
			if (r->type == RTN_THROW)
				return; /* go on with the next rule */
			w->found = r->ifindex != w->obs->ifindex ? r : NULL;
			w->done = true;
		}
	}
}

/* A kernel without policy routing refuses to tell rules, and has none. */
static void read_rules(const struct observer *o, struct net_observed *obs)
{
	static const int families[] = { AF_INET, AF_INET6 };

	for (size_t f = 0; f < ARRAY_SIZE(families) && obs->table == RT_TABLE_MAIN; f++) {
		struct rule_walk w = { .routes = o->routes, .obs = obs };

		for (size_t i = 0; i < obs->n_routes && !w.ours; i++)
			if (obs->routes[i].ifindex == obs->ifindex && is_wide(&obs->routes[i]) &&
			    obs->routes[i].dst.family == families[f])
				w.ours = &obs->routes[i];
		if (!w.ours || rtnl_rule_dump(o->route, families[f], take_rule, &w) < 0 || !w.found)
			continue;
		obs->by_rule[f] = *w.found;
		(void)if_indextoname(w.found->ifindex, obs->by_rule[f].device);
	}
}

static void read_vrf(const struct observer *o, const char *vrf, struct net_observed *obs)
{
	struct rtnl_link link;

	if (vrf[0] && rtnl_link_get(o->route, vrf, 0, &link) == 0 && link.is_vrf) {
		obs->vrf_exists = true;
		obs->vrf_ifindex = link.ifindex;
		obs->vrf_table = link.vrf_table;
	}
	obs->table = RT_TABLE_MAIN;
	if (obs->master && rtnl_link_get(o->route, NULL, obs->master, &link) == 0 && link.is_vrf)
		obs->table = link.vrf_table;
}

static void read_dns(const struct observer *o, const char *ifname, const struct net_record *record,
		     struct net_observed *obs)
{
	struct dns_servers dns = { .n = record->n_dns };

	obs->dns_backend = o->dns_backend != NET_DNS_NONE ? o->dns_backend : dns_probe(o->resolv_conf);
	strncpy(dns.ifname, ifname, sizeof(dns.ifname) - 1);
	memcpy(dns.servers, record->dns, sizeof(dns.servers));
	obs->dns_intact = dns_is_installed(record->dns_backend, o->resolv_conf, obs->ifindex, &dns);
}

int net_observe(const struct observer *o, const char *ifname, uint32_t ifindex, const char *vrf,
		unsigned needs, const struct net_record *record, struct net_observed *ret)
{
	struct rtnl_link link;

	memset(ret, 0, sizeof(*ret));
	int r = rtnl_link_get(o->route, ifname, 0, &link);
	if (r < 0 && r != -ENODEV)
		return r;
	ret->exists = r == 0 && (ifindex == 0 || link.ifindex == ifindex);
	if (o->netfilter && needs & NET_NEED_NFT)
		ret->nft = nft_get(o->netfilter, ifname, ret->nft_tag) == 1;
	if (ret->exists) {
		ret->ifindex = link.ifindex;
		memcpy(ret->description, link.alias, sizeof(ret->description));
		ret->admin_up = link.flags & IFF_UP;
		ret->carrier = link.carrier;
		ret->mtu = link.mtu;
		ret->master = link.master;
		read_vrf(o, vrf, ret);
		if (needs & NET_NEED_SYSCTL) {
			sysctl_read_all(ifname, ret->sysctl);
			ret->sysctl_read_only = sysctl_is_read_only();
		}
		if (needs & NET_NEED_ADDRS)
			r = read_addrs(o, ret);
		if (r == 0 && needs & NET_NEED_ROUTES)
			r = read_routes(o, record, ret);
		if (r == 0 && needs & NET_NEED_ROUTES)
			read_rules(o, ret);
		if (r < 0)
			return r;
	}
	if (needs & NET_NEED_DNS)
		read_dns(o, ifname, record, ret);
	return 0;
}
