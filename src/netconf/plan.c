/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netconf/plan.h"

#include <linux/rtnetlink.h>
#include <string.h>

#define WANTED_ROUTES_MAX (4 + NET_DNS_MAX)

/* One planning: the inputs, the plan that grows, and what follows from the inputs at once. */
struct planner {
	const struct net_desired *want;
	const struct net_observed *have;
	struct net_plan *plan;
	struct net_record *record; /* what will be ours; a claim is made with claim() */
	bool teardown;
	bool live;	    /* the interface may carry addresses and routes */
	bool carrier;	    /* … and traffic */
	bool ipv4, ipv6;    /* … of this family; ipv6: a link-local address belongs on it */
	bool ipv6_global;   /* router advertisements gave it an address */
	bool solicit_again; /* a changed setting needs a new router advertisement to have an effect */
};

static const struct net_addr any4 = { .family = AF_INET };
static const struct net_addr any6 = { .family = AF_INET6 };

static struct net_addr addr4(struct in_addr in)
{
	return (struct net_addr){ .family = AF_INET, .in = in };
}

static struct net_addr addr6(struct in6_addr in6)
{
	return (struct net_addr){ .family = AF_INET6, .in6 = in6 };
}

static struct net_op *add(struct planner *p, enum net_op_kind kind)
{
	/* NET_OPS_MAX covers every observed object and every wish; the last slot only guards memory. */
	size_t i = MIN(p->plan->n_ops, NET_OPS_MAX - 1);
	struct net_op *op = &p->plan->ops[i];

	p->plan->n_ops = i + 1;
	*op = (struct net_op){ .kind = kind };
	return op;
}

static void add_value(struct planner *p, enum net_op_kind kind, uint32_t value)
{
	add(p, kind)->value = value;
}

/* --- sysctl -----------------------------------------------------------------------------------------------
 */

/* The value that the interface would have without us. */
static uint32_t own_value(const struct planner *p, enum net_sysctl key)
{
	const struct net_sysctl_record *r = &p->record->sysctl[key];

	return r->held ? r->old : p->have->sysctl[key].value;
}

/* Writing `all` has reset every interface: what we noted before is no more the system's value. */
static void follow_reset(const struct planner *p, enum net_sysctl key)
{
	struct net_sysctl_record *r = &p->record->sysctl[key];
	const struct net_sysctl_value *all = &p->have->sysctl[NET_SYSCTL_ALL_FORWARDING];

	if (key == NET_SYSCTL_FORWARDING && r->held && all->present && all->value != r->base)
		r->old = r->base = all->value;
}

static bool sysctl_write(struct planner *p, enum net_sysctl key, uint32_t value)
{
	if (p->have->sysctl[key].value == value)
		return false;
	struct net_op *op = add(p, NET_OP_SYSCTL);
	op->sysctl = key;
	op->value = value;
	return true;
}

/* True if a write was planned. */
static bool sysctl_hold(struct planner *p, enum net_sysctl key, uint32_t value)
{
	struct net_sysctl_record *r = &p->record->sysctl[key];
	const struct net_sysctl_value *v = &p->have->sysctl[key];

	bool fixed = p->have->sysctl_read_only && key >= _NET_SYSCTL_IPV6;
	if (fixed && v->present && v->value != value)
		p->plan->notices |= NET_NOTICE_SYSCTL_READ_ONLY;
	if (!v->present || fixed) {
		*r = (struct net_sysctl_record){ 0 };
		return false;
	}
	follow_reset(p, key);
	/* A value that is neither ours nor noted was set by somebody else: give that back later. */
	if (!r->held || v->value != r->ours)
		r->old = v->value;
	r->held = true;
	r->ours = value;
	r->base = p->have->sysctl[NET_SYSCTL_ALL_FORWARDING].value;
	p->plan->claim.sysctl[key] = *r;
	return sysctl_write(p, key, value);
}

static bool sysctl_release(struct planner *p, enum net_sysctl key)
{
	struct net_sysctl_record *r = &p->record->sysctl[key];
	const struct net_sysctl_value *v = &p->have->sysctl[key];
	bool written = false;

	if (!r->held)
		return false;
	follow_reset(p, key);
	if (v->present && v->value == r->ours)
		written = sysctl_write(p, key, r->old);
	*r = (struct net_sysctl_record){ 0 };
	return written;
}

static bool sysctl_set(struct planner *p, enum net_sysctl key, bool hold, uint32_t value)
{
	return hold ? sysctl_hold(p, key, value) : sysctl_release(p, key);
}

/*
 * With the peer of the old address the new one is secondary to it, and goes with it, and then all routes,
 * also those that others have made: unless the kernel is told to keep it.
 */
static bool is_renumbered(const struct planner *p)
{
	const struct net_record *r = p->record;

	return p->ipv4 && r->local.s_addr != INADDR_ANY && r->local.s_addr != p->want->local.s_addr &&
	       r->peer.s_addr == p->want->peer.s_addr;
}

static void plan_sysctls(struct planner *p)
{
	const struct net_desired *w = p->want;
	bool ipv6 = !IN6_IS_ADDR_UNSPECIFIED(&w->link_local);
	bool may_route = !p->teardown && (w->admin_up || p->have->admin_up);
	bool changed = false;

	/* As long as it can have routes, they must not attract traffic while the carrier is off. */
	sysctl_set(p, NET_SYSCTL_IGNORE_LINKDOWN4, may_route, 1);
	sysctl_set(p, NET_SYSCTL_IGNORE_LINKDOWN6, may_route, 1);
	sysctl_set(p, NET_SYSCTL_PROMOTE, may_route && is_renumbered(p), 1);
	sysctl_set(p, NET_SYSCTL_FORWARDING, w->disable_forwarding, 0);
	sysctl_set(p, NET_SYSCTL_RP_FILTER, w->source_validation != NET_SV_UNSET, 0);
	/* 2: the peer is our router even where this host forwards. An administrator's 0 stays. */
	sysctl_set(p, NET_SYSCTL_ACCEPT_RA, ipv6 && own_value(p, NET_SYSCTL_ACCEPT_RA) != 0, 2);
	changed |= sysctl_set(p, NET_SYSCTL_ACCEPT_RA_DEFRTR, ipv6 && w->default_route != NET_DEFAULT_METRIC,
			      0);
	changed |= sysctl_set(p, NET_SYSCTL_RA_DEFRTR_METRIC, ipv6 && w->default_route == NET_DEFAULT_METRIC,
			      w->metric);
	/* RFC 4191: an advertisement may neither say that its default route is better than the distance makes
	 * it, nor bring other routes. */
	sysctl_set(p, NET_SYSCTL_RA_RTR_PREF, ipv6, 0);
	p->solicit_again = changed && w->default_route == NET_DEFAULT_METRIC;

	uint32_t all = p->have->sysctl[NET_SYSCTL_ALL_RP_FILTER].value;
	if ((w->source_validation == NET_SV_DISABLE && all != 0) ||
	    (w->source_validation == NET_SV_LOOSE && all == 1))
		p->plan->notices |= NET_NOTICE_RP_FILTER_OVERRIDES;
}

/* --- link -------------------------------------------------------------------------------------------------
 */

/* True if the interface has to change its VRF first. */
static bool plan_master(struct planner *p)
{
	uint32_t master = 0;

	if (p->want->vrf[0] && p->have->vrf_exists)
		master = p->have->vrf_ifindex;
	if (master == p->have->master)
		return false;
	add_value(p, NET_OP_MASTER, master);
	return true;
}

/* True if the change made IPv6 of the interface come or go. */
static bool plan_mtu(struct planner *p)
{
	uint32_t mtu = p->want->mtu, before = p->have->mtu;

	if (mtu == 0 || mtu == before)
		return false;
	add_value(p, NET_OP_MTU, mtu);
	return (mtu < NET_IPV6_MTU_MIN) != (before < NET_IPV6_MTU_MIN);
}

/* --- nft --------------------------------------------------------------------------------------------------
 */

static void plan_nft(struct planner *p)
{
	struct net_nft nft = { .mss = p->want->mss,
			       .mss_value = p->want->mss == NET_MSS_VALUE ? p->want->mss_value : 0,
			       .source_validation = p->want->source_validation,
			       .in_vrf = p->want->vrf[0] && p->have->vrf_exists };
	char tag[NET_NFT_TAG_MAX];

	net_nft_tag(&nft, tag);
	if (tag[0]) {
		p->record->nft = p->plan->claim.nft = true;
		if (!p->have->nft || strcmp(tag, p->have->nft_tag) != 0)
			add(p, NET_OP_NFT_SET)->nft = nft;
	} else {
		p->record->nft = false;
		if (p->have->nft)
			add(p, NET_OP_NFT_DELETE);
	}
}

/* --- addresses --------------------------------------------------------------------------------------------
 */

static void add_addr(struct planner *p, enum net_op_kind kind, struct net_addr addr, struct net_addr peer)
{
	struct net_op *op = add(p, kind);

	op->addr = addr;
	op->peer = peer;
	op->prefix_len = addr.family == AF_INET ? 32 : 64;
}

static bool has_addr(const struct net_observed *have, struct net_addr local, struct net_addr peer)
{
	for (size_t i = 0; i < have->n_addrs; i++)
		if (net_addr_equal(&have->addrs[i].local, &local) &&
		    net_addr_equal(&have->addrs[i].peer, &peer))
			return true;
	return false;
}

/*
 * The new address comes before the routes that need it, the old one goes behind them: with its last address
 * the interface loses all IPv4 routes.
 */
static void plan_new_ipv4(struct planner *p)
{
	struct net_record *r = p->record;

	r->local = r->peer = (struct in_addr){ INADDR_ANY };
	if (!p->ipv4)
		return;
	r->local = p->plan->claim.local = p->want->local;
	r->peer = p->plan->claim.peer = p->want->peer.s_addr != INADDR_ANY ? p->want->peer : p->want->local;
	if (!has_addr(p->have, addr4(r->local), addr4(r->peer)))
		add_addr(p, NET_OP_ADDR_ADD, addr4(r->local), addr4(r->peer));
}

static void plan_old_ipv4(struct planner *p, struct in_addr local, struct in_addr peer)
{
	bool same = local.s_addr == p->record->local.s_addr && peer.s_addr == p->record->peer.s_addr;

	if (!same && local.s_addr != INADDR_ANY && has_addr(p->have, addr4(local), addr4(peer)))
		add_addr(p, NET_OP_ADDR_DEL, addr4(local), addr4(peer));
}

/*
 * The link-local address belongs to a session: adding it is what makes the kernel solicit routers, so it is
 * set after the carrier and goes with it.
 */
static void plan_link_local(struct planner *p)
{
	struct net_record *r = p->record;
	struct net_addr old = addr6(r->link_local), new = addr6(p->want->link_local);
	bool have_old = !IN6_IS_ADDR_UNSPECIFIED(&r->link_local) && has_addr(p->have, old, old);
	bool have_new = has_addr(p->have, new, new);
	bool renew = have_new && net_addr_equal(&old, &new) && (p->solicit_again || !p->have->carrier);

	if (have_old && (!p->ipv6 || renew || !net_addr_equal(&old, &new)))
		add_addr(p, NET_OP_ADDR_DEL, old, old);
	r->link_local = in6addr_any;
	if (!p->ipv6)
		return;
	r->link_local = p->plan->claim.link_local = p->want->link_local;
	if (!have_new || renew)
		add_addr(p, NET_OP_ADDR_ADD, new, new);
}

/*
 * Is what router advertisements brought of a session that is over? During an outage it stays, as the IPv4
 * address does, for open sockets; the next session, or the end of trying, takes it away: another prefix would
 * be chosen as the source of packets that nobody answers.
 */
static bool ra_is_over(const struct planner *p)
{
	bool begins = p->carrier && !p->have->carrier, outage = p->ipv4 && !p->carrier;

	return begins || (!p->ipv6 && !outage);
}

static void plan_stale_ipv6(struct planner *p)
{
	const struct net_sysctl_value *mtu = &p->have->sysctl[NET_SYSCTL_IPV6_MTU];

	if (!ra_is_over(p))
		return;
	/* With another MTU of the device the kernel does it. */
	if (mtu->present && mtu->value < p->have->mtu && !p->have->sysctl_read_only &&
	    (p->want->mtu == 0 || p->want->mtu == p->have->mtu))
		(void)sysctl_write(p, NET_SYSCTL_IPV6_MTU, p->have->mtu);
	for (size_t i = 0; i < p->have->n_addrs; i++) {
		const struct net_observed_addr *a = &p->have->addrs[i];

		if (a->family == AF_INET6 && a->dynamic) {
			add_addr(p, NET_OP_ADDR_DEL, a->local, a->peer);
			p->plan->ops[p->plan->n_ops - 1].prefix_len = a->prefix_len;
		}
	}
}

/* --- routes -----------------------------------------------------------------------------------------------
 */

static bool same_destination(const struct net_route *a, const struct net_route *b)
{
	return a->prefix_len == b->prefix_len && a->table == b->table && net_addr_equal(&a->dst, &b->dst);
}

static bool same_route(const struct net_route *a, const struct net_route *b)
{
	return same_destination(a, b) && a->metric == b->metric && a->via.family == AF_UNSPEC &&
	       b->via.family == AF_UNSPEC;
}

static bool is_default(const struct net_route *r)
{
	return r->prefix_len == 0;
}

/*
 * The route that the kernel prefers to `ours`, or NULL. The observed routes are in its order of preference,
 * and we append, so with an equal metric the one that was there first wins. Before all of them is what rules
 * have the kernel find in another table.
 */
static const struct net_route *rival_of(const struct planner *p, const struct net_route *ours)
{
	const struct net_route *by_rule = &p->have->by_rule[ours->dst.family == AF_INET6];

	if (by_rule->type != RTN_UNSPEC)
		return by_rule;
	for (size_t i = 0; i < p->have->n_routes; i++) {
		const struct net_route *r = &p->have->routes[i];

		if (!same_destination(r, ours) || r->dead)
			continue;
		if (r->ifindex == p->have->ifindex && r->metric == ours->metric)
			return NULL;
		if (r->ifindex != p->have->ifindex && r->metric <= ours->metric)
			return r;
	}
	return NULL;
}

struct wanted {
	struct net_route routes[WANTED_ROUTES_MAX];
	size_t n;
};

static struct net_route make_route(const struct planner *p, struct net_addr dst, uint8_t prefix_len)
{
	struct net_route r = { .dst = dst,
			       .prefix_len = prefix_len,
			       .table = p->have->table,
			       .metric = p->want->metric,
			       .protocol = NET_ROUTE_PROTOCOL,
			       .type = RTN_UNICAST,
			       .ifindex = p->have->ifindex };

	memcpy(r.device, p->want->name, sizeof(r.device));
	return r;
}

static void want_route(struct planner *p, struct wanted *w, struct net_addr dst, uint8_t prefix_len)
{
	w->routes[w->n++] = make_route(p, dst, prefix_len);
}

/* Both halves of the address space of one family. */
static void want_halves(struct planner *p, struct wanted *w, struct net_addr any)
{
	struct net_addr upper = any;

	if (any.family == AF_INET)
		upper.in.s_addr = htonl(0x80000000);
	else
		upper.in6.s6_addr[0] = 0x80;
	want_route(p, w, any, 1);
	want_route(p, w, upper, 1);
}

/* A default route from a router advertisement that the present session or settings would not have made. */
static bool is_stale_ra_route(const struct planner *p, const struct net_route *r)
{
	if (r->protocol != RTPROT_RA || !is_default(r))
		return false;
	if (p->want->default_route != NET_DEFAULT_METRIC || ra_is_over(p))
		return true;
	/* Where the metric cannot be set, every advertisement would bring back what was taken away. */
	return !p->have->sysctl_read_only && p->have->sysctl[NET_SYSCTL_RA_DEFRTR_METRIC].present &&
	       r->metric != p->want->metric;
}

/* The IPv6 default route is the kernel's, made from a router advertisement. NULL while there is none. */
static const struct net_route *ra_default(const struct planner *p)
{
	for (size_t i = 0; i < p->have->n_routes; i++) {
		const struct net_route *r = &p->have->routes[i];

		if (r->protocol == RTPROT_RA && r->ifindex == p->have->ifindex && is_default(r) &&
		    !is_stale_ra_route(p, r))
			return r;
	}
	return NULL;
}

/* True if traffic to anywhere in this family goes into the tunnel. */
static bool default_is_ours(const struct planner *p, int family)
{
	switch (p->want->default_route) {
	case NET_DEFAULT_NONE:
		return false;
	case NET_DEFAULT_HALVES:
		return true;
	case NET_DEFAULT_METRIC:
		break;
	}
	struct net_route ipv4 = make_route(p, any4, 0);
	const struct net_route *r = family == AF_INET ? &ipv4 : ra_default(p);
	return r && !rival_of(p, r);
}

/* Resolvers that the default route does not lead to need a way of their own. */
static void want_resolver_routes(struct planner *p, struct wanted *w)
{
	for (size_t i = 0; i < p->want->n_dns && p->want->use_peer_dns; i++) {
		const struct net_addr *dns = &p->want->dns[i];

		if (default_is_ours(p, dns->family))
			continue;
		/* The kernel's own route leads to the peer. */
		if (dns->family == AF_INET && p->ipv4 && dns->in.s_addr != p->record->peer.s_addr)
			want_route(p, w, *dns, 32);
		else if (dns->family == AF_INET6 && p->ipv6_global && !IN6_IS_ADDR_LINKLOCAL(&dns->in6))
			want_route(p, w, *dns, 128);
	}
}

static void plan_routes(struct planner *p)
{
	struct wanted wanted = { .n = 0 };
	bool there[WANTED_ROUTES_MAX] = { false };

	if (p->ipv4 && p->want->default_route == NET_DEFAULT_METRIC)
		want_route(p, &wanted, any4, 0);
	if (p->ipv4 && p->want->default_route == NET_DEFAULT_HALVES)
		want_halves(p, &wanted, any4);
	if (p->ipv6_global && p->want->default_route == NET_DEFAULT_HALVES)
		want_halves(p, &wanted, any6);
	want_resolver_routes(p, &wanted);

	for (size_t i = 0; i < p->have->n_routes; i++) {
		const struct net_route *r = &p->have->routes[i];
		bool keep = false;

		if (r->ifindex != p->have->ifindex)
			continue;
		for (size_t j = 0; j < wanted.n && r->protocol == NET_ROUTE_PROTOCOL; j++)
			if (same_route(r, &wanted.routes[j]))
				keep = there[j] = true;
		if (!keep && (r->protocol == NET_ROUTE_PROTOCOL || is_stale_ra_route(p, r)))
			add(p, NET_OP_ROUTE_DEL)->route = *r;
	}
	for (size_t j = 0; j < wanted.n; j++)
		if (!there[j])
			add(p, NET_OP_ROUTE_ADD)->route = wanted.routes[j];

	for (size_t j = 0; j < wanted.n && wanted.routes[j].prefix_len <= 1; j++) {
		const struct net_route *rival = rival_of(p, &wanted.routes[j]);

		if (!rival || !p->carrier)
			continue;
		if (rival->dst.family == AF_INET) {
			p->plan->notices |= NET_NOTICE_DEFAULT_NOT_ACTIVE;
			p->plan->rival = *rival;
		} else {
			p->plan->notices |= NET_NOTICE_IPV6_DEFAULT_NOT_ACTIVE;
			p->plan->rival6 = *rival;
		}
	}
}

static struct net_route route_of(const struct net_server_route *s)
{
	return (struct net_route){ .dst = s->dst,
				   .prefix_len = 32,
				   .table = RT_TABLE_MAIN,
				   .metric = s->metric,
				   .protocol = NET_ROUTE_PROTOCOL,
				   .type = RTN_UNICAST,
				   .ifindex = s->ifindex,
				   .via = s->via };
}

static void forget_server(struct planner *p)
{
	struct net_server_route *old = &p->record->server;

	if (old->dst.family != AF_UNSPEC)
		add(p, NET_OP_ROUTE_DEL)->route = route_of(old);
	*old = (struct net_server_route){ .ifindex = 0 };
}

/* The new one first: what comes in between would be dropped. */
static void plan_server(struct planner *p)
{
	const struct net_server_route *want = &p->want->server;
	bool refused = p->have->server_route_refused;
	bool wanted = p->live && want->dst.family != AF_UNSPEC && !refused;
	bool same = wanted && net_server_route_equal(&p->record->server, want);

	if (wanted && !(same && p->have->server_route_there)) {
		struct net_op *op = add(p, NET_OP_ROUTE_ADD);
		op->route = route_of(want);
		op->to_server = true;
	}
	if (!same)
		forget_server(p);
	if (wanted)
		p->record->server = p->plan->claim.server = *want;
	if (refused)
		p->plan->notices |= NET_NOTICE_SERVER_FILTERED;
}

static void notice_ipv6_rival(struct planner *p)
{
	const struct net_route *ours = ra_default(p), *rival = ours ? rival_of(p, ours) : NULL;

	if (!rival || !p->ipv6 || p->want->default_route != NET_DEFAULT_METRIC)
		return;
	p->plan->notices |= NET_NOTICE_IPV6_DEFAULT_NOT_ACTIVE;
	p->plan->rival6 = *rival;
}

/* Where all traffic is meant to go into the tunnel: does IPv6 go around it? */
static void notice_bypass(struct planner *p)
{
	struct net_route ours = make_route(p, any6, 0);

	if (p->want->default_route != NET_DEFAULT_HALVES || !p->carrier || p->ipv6_global)
		return;
	for (size_t i = 0; i < p->have->n_routes; i++) {
		const struct net_route *r = &p->have->routes[i];

		if (!same_destination(r, &ours) || r->ifindex == p->have->ifindex || r->dead)
			continue;
		if (r->type == RTN_UNICAST)
			p->plan->notices |= NET_NOTICE_IPV6_BYPASSES;
		return; /* the kernel takes the first */
	}
}

/* --- resolvers --------------------------------------------------------------------------------------------
 */

static bool dns_equal(const struct net_record *a, const struct net_record *b)
{
	if (a->dns_backend != b->dns_backend || a->n_dns != b->n_dns)
		return false;
	for (size_t i = 0; i < a->n_dns; i++)
		if (!net_addr_equal(&a->dns[i], &b->dns[i]))
			return false;
	return true;
}

static void dns_copy(struct net_record *to, const struct net_record *from)
{
	to->dns_backend = from->dns_backend;
	to->n_dns = from->n_dns;
	memcpy(to->dns, from->dns, sizeof(to->dns));
}

static void plan_dns(struct planner *p)
{
	struct net_record *r = p->record, wanted = { .dns_backend = NET_DNS_NONE };

	for (size_t i = 0; i < p->want->n_dns; i++)
		if (p->want->dns[i].family == AF_INET ? p->ipv4 : p->ipv6_global)
			wanted.dns[wanted.n_dns++] = p->want->dns[i];
	if (!p->carrier || !p->want->use_peer_dns)
		wanted.n_dns = 0;
	if (wanted.n_dns > 0 && p->want->vrf[0]) {
		p->plan->notices |= NET_NOTICE_DNS_IN_VRF;
		wanted.n_dns = 0;
	}
	if (wanted.n_dns > 0)
		wanted.dns_backend = p->have->dns_backend;

	bool moved = r->dns_backend != NET_DNS_NONE && r->dns_backend != wanted.dns_backend;
	if (moved)
		add(p, NET_OP_DNS_CLEAR);
	if (wanted.dns_backend != NET_DNS_NONE) {
		if (moved || !dns_equal(r, &wanted) || !p->have->dns_intact)
			add(p, NET_OP_DNS_SET);
		dns_copy(&p->plan->claim, &wanted);
	} else {
		memset(wanted.dns, 0, sizeof(wanted.dns));
	}
	dns_copy(r, &wanted);
}

/* --- the whole --------------------------------------------------------------------------------------------
 */

/* The interface is gone, and with it everything that was on it; what lives elsewhere is left to clean. */
static void plan_missing(struct planner *p)
{
	forget_server(p);
	if (p->record->dns_backend != NET_DNS_NONE)
		add(p, NET_OP_DNS_CLEAR);
	if (p->have->nft)
		add(p, NET_OP_NFT_DELETE);
	*p->record = (struct net_record){ 0 };
	if (!p->teardown)
		p->plan->notices |= NET_NOTICE_MISSING;
}

static void judge(struct planner *p)
{
	const struct net_desired *w = p->want;
	const struct net_observed *h = p->have;
	bool vrf_missing = w->vrf[0] && !h->vrf_exists;
	bool wants_ipv6 = !IN6_IS_ADDR_UNSPECIFIED(&w->link_local);
	uint32_t mtu = w->mtu ? w->mtu : h->mtu;
	const struct net_sysctl_value *disabled = &h->sysctl[NET_SYSCTL_DISABLE_IPV6];

	if (vrf_missing)
		p->plan->notices |= NET_NOTICE_VRF_MISSING;
	/* Without its VRF the interface must not leak its routes into the main table. */
	p->live = w->admin_up && !vrf_missing;
	p->carrier = p->live && w->carrier;
	p->ipv4 = p->live && w->local.s_addr != INADDR_ANY;
	p->ipv6 = p->carrier && wants_ipv6;
	if (p->ipv6 && mtu < NET_IPV6_MTU_MIN) {
		p->plan->notices |= NET_NOTICE_MTU_NO_IPV6;
		p->ipv6 = false;
	} else if (p->ipv6 && (!disabled->present || disabled->value != 0)) {
		/* An interface that comes back from a small MTU has no IPv6 until that is done. */
		if (h->mtu >= NET_IPV6_MTU_MIN)
			p->plan->notices |= NET_NOTICE_IPV6_DISABLED;
		p->ipv6 = false;
	}
	for (size_t i = 0; i < h->n_addrs; i++)
		p->ipv6_global |= h->addrs[i].family == AF_INET6 &&
				  !IN6_IS_ADDR_LINKLOCAL(&h->addrs[i].local.in6);
	p->ipv6_global &= p->live && wants_ipv6 && mtu >= NET_IPV6_MTU_MIN;
}

static bool holds_sysctls(const struct net_record *record)
{
	for (size_t i = 0; i < _NET_SYSCTL_WRITTEN; i++)
		if (record->sysctl[i].held)
			return true;
	return false;
}

/* Nothing but a session brings addresses and routes. */
static bool wants_session(const struct net_desired *w)
{
	return w->carrier || w->local.s_addr != INADDR_ANY || !IN6_IS_ADDR_UNSPECIFIED(&w->link_local);
}

static bool had_session(const struct net_record *record)
{
	return record->local.s_addr != INADDR_ANY || !IN6_IS_ADDR_UNSPECIFIED(&record->link_local) ||
	       record->server.dst.family != AF_UNSPEC || record->sysctl[NET_SYSCTL_ACCEPT_RA].held;
}

unsigned net_plan_needs(const struct net_desired *desired, const struct net_record *record)
{
	const struct net_desired *w = desired;
	unsigned needs = 0;

	if (!w)
		return NET_NEED_ADDRS | NET_NEED_ROUTES | NET_NEED_SYSCTL | NET_NEED_NFT | NET_NEED_DNS;
	if (wants_session(w) || had_session(record))
		needs |= NET_NEED_ADDRS | NET_NEED_ROUTES;
	if (w->admin_up || wants_session(w) || w->disable_forwarding ||
	    w->source_validation != NET_SV_UNSET || holds_sysctls(record))
		needs |= NET_NEED_SYSCTL;
	if (w->mss != NET_MSS_NONE || w->source_validation != NET_SV_UNSET || record->nft)
		needs |= NET_NEED_NFT;
	if (w->n_dns > 0 || record->dns_backend != NET_DNS_NONE)
		needs |= NET_NEED_DNS;
	return needs;
}

void net_plan(const struct net_desired *desired, const struct net_observed *observed,
	      const struct net_record *record, struct net_plan *ret)
{
	static const struct net_desired nothing = { .admin_up = false };
	struct planner p = { .want = desired ? desired : &nothing,
			     .have = observed,
			     .plan = ret,
			     .record = &ret->record,
			     .teardown = !desired };

	ret->n_ops = 0;
	ret->notices = 0;
	ret->rival = ret->rival6 = (struct net_route){ 0 };
	ret->record = ret->claim = *record;
	if (!observed->exists) {
		plan_missing(&p);
		return;
	}
	judge(&p);

	/* Stop attracting traffic before anything else changes. */
	if (!p.carrier && observed->carrier)
		add_value(&p, NET_OP_CARRIER, 0);
	if (strcmp(p.want->description, observed->description) != 0)
		add(&p, NET_OP_ALIAS);
	if (plan_master(&p) || plan_mtu(&p))
		return; /* what they make the kernel drop is seen when it is observed anew */
	plan_sysctls(&p);
	plan_nft(&p);
	if (p.want->admin_up && !observed->admin_up)
		add_value(&p, NET_OP_ADMIN, 1);
	plan_server(&p);
	plan_new_ipv4(&p);
	plan_routes(&p);
	plan_old_ipv4(&p, record->local, record->peer);
	if (p.carrier && !observed->carrier)
		add_value(&p, NET_OP_CARRIER, 1);
	plan_stale_ipv6(&p); /* before the router is asked for new ones */
	plan_link_local(&p);
	plan_dns(&p);
	notice_ipv6_rival(&p);
	notice_bypass(&p);
	if (!p.want->admin_up && observed->admin_up)
		add_value(&p, NET_OP_ADMIN, 0);
}
