/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small kernel for the plan: it holds one interface and the routes of others, applies operations as Linux
 * does, with the side effects that the plan has to reckon with, and refuses what Linux refuses.
 */
#pragma once

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "netconf/plan.h"
#include "test.h"

#define OURS	9  /* ifindex */
#define FOREIGN 2  /* eth0 */
#define VRF	30 /* "red", table 1000 */

struct sim {
	struct net_observed kernel;
	struct net_record record;
	struct net_plan plan;
	struct net_route server; /* ifindex 0: none */
	unsigned refused;	 /* operations that Linux would refuse */
	unsigned trespass;	 /* operations on what is not ours */
	unsigned rounds;
	char ops[4096]; /* all operations of the last settle(), "; " between them */
};

static inline struct net_addr ip(const char *s)
{
	struct net_addr a = { .family = strchr(s, ':') ? AF_INET6 : AF_INET };

	(void)inet_pton(a.family, s, &a.in6);
	return a;
}

static inline void sim_ipv6_sysctls(struct net_observed *k, bool present)
{
	static const struct {
		enum net_sysctl key;
		uint32_t value;
	} defaults[] = { { NET_SYSCTL_IGNORE_LINKDOWN6, 0 }, { NET_SYSCTL_ACCEPT_RA, 1 },
			 { NET_SYSCTL_ACCEPT_RA_DEFRTR, 1 }, { NET_SYSCTL_RA_DEFRTR_METRIC, 1024 },
			 { NET_SYSCTL_RA_RTR_PREF, 1 },	     { NET_SYSCTL_IPV6_MTU, 65535 },
			 { NET_SYSCTL_DISABLE_IPV6, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		k->sysctl[defaults[i].key] = (struct net_sysctl_value){ .present = present,
									.value = present ? defaults[i].value
											 : 0 };
}

static inline void sim_init(struct sim *s)
{
	struct net_observed *k = &s->kernel;

	memset(s, 0, sizeof(*s));
	k->exists = true;
	k->ifindex = OURS;
	k->mtu = 1500;
	k->table = RT_TABLE_MAIN;
	k->dns_backend = NET_DNS_FILE;
	for (int i = 0; i < _NET_SYSCTL_MAX; i++)
		k->sysctl[i].present = true;
	sim_ipv6_sysctls(k, true);
}

static inline bool sim_is_foreign(const struct net_route *r)
{
	return r->ifindex != OURS || (r->protocol != NET_ROUTE_PROTOCOL && r->protocol != RTPROT_RA);
}

static inline void sim_drop_routes(struct net_observed *k, int family)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n_routes; i++)
		if (k->routes[i].ifindex != OURS || (family && k->routes[i].dst.family != family))
			k->routes[n++] = k->routes[i];
	k->n_routes = n;
}

static inline void sim_drop_addrs(struct net_observed *k, int family)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n_addrs; i++)
		if (k->addrs[i].family != family)
			k->addrs[n++] = k->addrs[i];
	k->n_addrs = n;
}

static inline bool sim_has_ipv6(const struct net_observed *k)
{
	return k->mtu >= NET_IPV6_MTU_MIN && k->sysctl[NET_SYSCTL_DISABLE_IPV6].present &&
	       k->sysctl[NET_SYSCTL_DISABLE_IPV6].value == 0;
}

static inline void sim_set_mtu(struct net_observed *k, uint32_t mtu)
{
	bool had = k->mtu >= NET_IPV6_MTU_MIN, has = mtu >= NET_IPV6_MTU_MIN;

	k->mtu = mtu;
	if (had == has)
		return;
	sim_ipv6_sysctls(k, has);
	sim_drop_addrs(k, AF_INET6);
	sim_drop_routes(k, AF_INET6);
}

static inline void sim_set_admin(struct net_observed *k, bool up)
{
	if (k->admin_up && !up) {
		sim_drop_routes(k, 0);
		sim_drop_addrs(k, AF_INET6);
	}
	k->admin_up = up;
}

/* A route behind those of the same destination with a metric that is not greater, as NLM_F_APPEND does. */
static inline bool sim_add_route(struct net_observed *k, struct net_route r)
{
	size_t at = k->n_routes;

	for (size_t i = k->n_routes; i-- > 0;) {
		const struct net_route *o = &k->routes[i];

		if (o->prefix_len != r.prefix_len || o->table != r.table || !net_addr_equal(&o->dst, &r.dst))
			continue;
		if (o->ifindex == r.ifindex && o->metric == r.metric && o->protocol == r.protocol)
			return false;
		if (o->metric > r.metric)
			at = i;
	}
	if (k->n_routes == NET_OBSERVED_ROUTES_MAX)
		return false;
	memmove(&k->routes[at + 1], &k->routes[at], (k->n_routes - at) * sizeof(k->routes[0]));
	k->routes[at] = r;
	k->n_routes++;
	return true;
}

static inline void sim_foreign_route(struct sim *s, const char *dst, uint8_t prefix_len, uint32_t metric,
				     const char *via)
{
	struct net_route r = { .dst = ip(dst),
			       .prefix_len = prefix_len,
			       .table = RT_TABLE_MAIN,
			       .metric = metric,
			       .protocol = RTPROT_DHCP,
			       .type = RTN_UNICAST,
			       .ifindex = FOREIGN,
			       .via = ip(via),
			       .device = "eth0" };

	(void)sim_add_route(&s->kernel, r);
}

/* What the kernel makes of a router advertisement. */
static inline void sim_router_advertisement(struct sim *s)
{
	struct net_observed *k = &s->kernel;
	bool link_local = false;

	for (size_t i = 0; i < k->n_addrs; i++)
		link_local |= k->addrs[i].family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&k->addrs[i].local.in6);
	if (!link_local || !k->carrier || k->sysctl[NET_SYSCTL_ACCEPT_RA].value == 0)
		return;
	for (size_t i = 0; i < k->n_addrs; i++)
		if (k->addrs[i].dynamic)
			return;
	k->addrs[k->n_addrs++] = (struct net_observed_addr){ .family = AF_INET6,
							     .local = ip("2001:db8::2"),
							     .peer = ip("2001:db8::2"),
							     .prefix_len = 64,
							     .dynamic = true };
	k->sysctl[NET_SYSCTL_IPV6_MTU].value = NET_IPV6_MTU_MIN;
	if (k->sysctl[NET_SYSCTL_ACCEPT_RA_DEFRTR].value)
		(void)sim_add_route(
			k, (struct net_route){ .dst = ip("::"),
					       .table = k->table,
					       .metric = k->sysctl[NET_SYSCTL_RA_DEFRTR_METRIC].value,
					       .protocol = RTPROT_RA,
					       .type = RTN_UNICAST,
					       .ifindex = OURS,
					       .via = ip("fe80::1"),
					       .device = "sstpc0" });
}

/* In order: of several addresses of a peer the first is the primary one. */
static inline void sim_remove_addr(struct net_observed *k, size_t i)
{
	k->n_addrs--;
	memmove(&k->addrs[i], &k->addrs[i + 1], (k->n_addrs - i) * sizeof(k->addrs[0]));
}

/* With the primary one of several addresses of a peer the kernel deletes those that came after it, if it does
 * not promote them. */
static inline void sim_drop_secondaries(struct net_observed *k, const struct net_op *op)
{
	for (size_t i = k->n_addrs; i-- > 0;)
		if (k->addrs[i].family == AF_INET && net_addr_equal(&k->addrs[i].peer, &op->peer) &&
		    !k->sysctl[NET_SYSCTL_PROMOTE].value)
			sim_remove_addr(k, i);
}

static inline bool sim_addr_op(struct net_observed *k, const struct net_op *op)
{
	for (size_t i = 0; i < k->n_addrs; i++) {
		struct net_observed_addr *a = &k->addrs[i];

		if (!net_addr_equal(&a->local, &op->addr) || !net_addr_equal(&a->peer, &op->peer))
			continue;
		if (op->kind == NET_OP_ADDR_ADD)
			return false;
		bool is4 = a->family == AF_INET, primary = is4;
		for (size_t n = 0; n < i && primary; n++)
			primary = k->addrs[n].family != AF_INET ||
				  !net_addr_equal(&k->addrs[n].peer, &op->peer);
		sim_remove_addr(k, i);
		if (primary)
			sim_drop_secondaries(k, op);
		size_t v4 = 0;
		for (size_t n = 0; n < k->n_addrs; n++)
			v4 += k->addrs[n].family == AF_INET;
		if (is4 && v4 == 0)
			sim_drop_routes(k, AF_INET);
		return true;
	}
	if (op->kind == NET_OP_ADDR_DEL || k->n_addrs == NET_OBSERVED_ADDRS_MAX)
		return false;
	if (op->addr.family == AF_INET6 && !sim_has_ipv6(k))
		return false;
	k->addrs[k->n_addrs++] = (struct net_observed_addr){
		.family = op->addr.family, .local = op->addr, .peer = op->peer, .prefix_len = op->prefix_len
	};
	return true;
}

static inline bool sim_route_del(struct sim *s, const struct net_op *op)
{
	struct net_observed *k = &s->kernel;

	s->trespass += sim_is_foreign(&op->route);
	for (size_t i = 0; i < k->n_routes; i++) {
		const struct net_route *r = &k->routes[i];

		if (r->ifindex != op->route.ifindex || r->metric != op->route.metric ||
		    r->prefix_len != op->route.prefix_len || r->table != op->route.table ||
		    r->protocol != op->route.protocol || !net_addr_equal(&r->dst, &op->route.dst))
			continue;
		memmove(&k->routes[i], &k->routes[i + 1], (k->n_routes - i - 1) * sizeof(*r));
		k->n_routes--;
		return true;
	}
	return false;
}

/* The one route of ours that is not on our interface. */
static inline bool sim_is_to_server(const struct net_route *r)
{
	return r->ifindex != OURS && r->prefix_len == 32 && r->protocol == NET_ROUTE_PROTOCOL;
}

static inline bool sim_server_op(struct sim *s, const struct net_op *op)
{
	bool is = net_addr_equal(&s->server.dst, &op->route.dst) && s->server.ifindex == op->route.ifindex &&
		  net_addr_equal(&s->server.via, &op->route.via) && s->server.metric == op->route.metric;

	if (op->kind == NET_OP_ROUTE_DEL) {
		if (is)
			s->server = (struct net_route){ .ifindex = 0 };
		return true; /* the new one may have replaced it here, where there is room for one */
	}
	s->server = op->route;
	return !is;
}

static inline bool sim_apply(struct sim *s, const struct net_op *op, const struct net_desired *want)
{
	struct net_observed *k = &s->kernel;

	switch (op->kind) {
	case NET_OP_SYSCTL:
		if (!k->sysctl[op->sysctl].present || op->sysctl >= _NET_SYSCTL_WRITTEN)
			return false;
		k->sysctl[op->sysctl].value = op->value;
		return true;
	case NET_OP_ALIAS:
		(void)snprintf(k->description, sizeof(k->description), "%s", want ? want->description : "");
		return true;
	case NET_OP_MASTER:
		k->master = op->value;
		k->table = op->value ? k->vrf_table : RT_TABLE_MAIN;
		sim_drop_routes(k, 0);
		sim_drop_addrs(k, AF_INET6);
		return true;
	case NET_OP_MTU:
		if (op->value < 68)
			return false;
		sim_set_mtu(k, op->value);
		return true;
	case NET_OP_ADMIN:
		sim_set_admin(k, op->value);
		return true;
	case NET_OP_CARRIER:
		k->carrier = op->value;
		return true;
	case NET_OP_ADDR_ADD:
	case NET_OP_ADDR_DEL:
		return sim_addr_op(k, op);
	case NET_OP_ROUTE_ADD:
		if (sim_is_to_server(&op->route))
			return sim_server_op(s, op);
		if (!k->admin_up || op->route.ifindex != OURS || op->route.protocol != NET_ROUTE_PROTOCOL ||
		    op->route.table != k->table)
			return false;
		return sim_add_route(k, op->route);
	case NET_OP_ROUTE_DEL:
		return sim_is_to_server(&op->route) ? sim_server_op(s, op) : sim_route_del(s, op);
	case NET_OP_NFT_SET:
		k->nft = true;
		net_nft_tag(&op->nft, k->nft_tag);
		return k->nft_tag[0];
	case NET_OP_NFT_DELETE: {
		bool there = k->nft;
		k->nft = false;
		k->nft_tag[0] = 0;
		return there;
	}
	case NET_OP_DNS_SET:
		k->dns_intact = true;
		return s->plan.record.n_dns > 0 && s->plan.record.dns_backend == k->dns_backend;
	case NET_OP_DNS_CLEAR:
		k->dns_intact = false;
		return s->record.dns_backend != NET_DNS_NONE;
	case _NET_OP_KIND_MAX:
		break;
	}
	return false;
}

/* Only what the plan says that it needs. */
static inline struct net_observed sim_observe(const struct sim *s, unsigned needs)
{
	struct net_observed seen = s->kernel;

	if (!(needs & NET_NEED_ADDRS))
		seen.n_addrs = 0;
	if (!(needs & NET_NEED_ROUTES))
		seen.n_routes = 0;
	seen.server_route_there = needs & NET_NEED_ROUTES && s->server.ifindex != 0 &&
				  net_addr_equal(&s->server.dst, &s->record.server.dst) &&
				  net_addr_equal(&s->server.via, &s->record.server.via) &&
				  s->server.ifindex == s->record.server.ifindex;
	if (!(needs & NET_NEED_SYSCTL))
		memset(seen.sysctl, 0, sizeof(seen.sysctl));
	if (!(needs & NET_NEED_NFT)) {
		seen.nft = false;
		seen.nft_tag[0] = 0;
	}
	if (!(needs & NET_NEED_DNS)) {
		seen.dns_backend = NET_DNS_NONE;
		seen.dns_intact = false;
	}
	return seen;
}

/* Observes, plans and applies until there is nothing to do. The last plan is left in s->plan. */
static inline void settle(struct sim *s, const struct net_desired *want)
{
	char text[256];
	size_t len = 0;

	s->ops[0] = 0;
	for (s->rounds = 0; s->rounds < 8; s->rounds++) {
		struct net_observed seen = sim_observe(s, net_plan_needs(want, &s->record));

		net_plan(want, &seen, &s->record, &s->plan);
		for (size_t i = 0; i < s->plan.n_ops; i++) {
			net_op_format(&s->plan.ops[i], text, sizeof(text));
			len += (size_t)snprintf(s->ops + len, sizeof(s->ops) - len, "%s%s", len ? "; " : "",
						text);
			len = MIN(len, sizeof(s->ops) - 1);
			if (!sim_apply(s, &s->plan.ops[i], want)) {
				s->refused++;
				printf("# refused: %s\n", text);
			}
		}
		s->record = s->plan.record;
		if (s->plan.n_ops == 0)
			return;
	}
}
