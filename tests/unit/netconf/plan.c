/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim.h"

/* An interface whose session is up: the base that the tests vary. */
static struct net_desired connected(void)
{
	return (struct net_desired){ .name = "sstpc0",
				     .admin_up = true,
				     .mtu = 1400,
				     .carrier = true,
				     .local = ip("10.9.0.2").in,
				     .peer = ip("10.9.0.1").in,
				     .link_local = ip("fe80::1234").in6,
				     .default_route = NET_DEFAULT_METRIC,
				     .metric = 210,
				     .dns = { ip("10.9.0.53") },
				     .n_dns = 1,
				     .use_peer_dns = true };
}

static struct sim up(const struct net_desired *w)
{
	struct sim s;

	sim_init(&s);
	settle(&s, w);
	return s;
}

/* Settling was possible, touched nothing of others, and is complete. */
#define check_settled(s)                       \
	do {                                   \
		check_int((s)->refused, 0);    \
		check_int((s)->trespass, 0);   \
		check_int((s)->plan.n_ops, 0); \
		check((s)->rounds <= 4);       \
	} while (0)

static void bring_up_order(void)
{
	struct net_desired w = connected();
	struct sim s = up(&w);

	check_settled(&s);
	/* Routes before the carrier, so that no packet leaves by another way; the link-local address behind
	 * it, so that the router solicitation goes out; resolvers last. */
	check_str(s.ops,
		  "link mtu 1400; sysctl ipv4/ignore_routes_with_linkdown=1; "
		  "sysctl ipv6/ignore_routes_with_linkdown=1; sysctl ipv6/accept_ra=2; "
		  "sysctl ipv6/ra_defrtr_metric=210; sysctl ipv6/accept_ra_rtr_pref=0; "
		  "link up; address add 10.9.0.2 peer 10.9.0.1/32; "
		  "route add default dev sstpc0 metric 210; link carrier on; address add fe80::1234/64; "
		  "resolvers set");
	check_int(s.plan.notices, 0);
}

static void a_filtered_underlay_has_a_route_to_the_server(void)
{
	struct net_desired w = connected();
	struct sim s;

	w.server = (struct net_server_route){
		.dst = ip("203.0.113.1"), .via = ip("192.0.2.1"), .ifindex = 3, .metric = 77
	};
	s = up(&w);
	check_settled(&s);
	const char *server = strstr(s.ops, "route add 203.0.113.1"),
		   *ours = strstr(s.ops, "route add default");
	check(server && ours && server < ours);
	check_int(s.server.ifindex, 3);
	/* Another path: the new route comes first. */
	w.server.via = ip("192.0.2.9");
	settle(&s, &w);
	check_settled(&s);
	check(strncmp(s.ops, "route add 203.0.113.1", 21) == 0 && strstr(s.ops, "; route del 203.0.113.1"));
	check(net_addr_equal(&s.server.via, &w.server.via));
	/* Somebody takes it away. */
	s.server.ifindex = 0;
	settle(&s, &w);
	check_settled(&s);
	check_int(s.server.ifindex, 3);
	/* Also while the server is dialled; without that it would lead where the path was. */
	w.carrier = false;
	settle(&s, &w);
	check_settled(&s);
	check_int(s.server.ifindex, 3);
	w.server.dst.family = AF_UNSPEC;
	settle(&s, &w);
	check_settled(&s);
	check_int(s.server.ifindex, 0);
	w.server.dst.family = AF_INET;
	settle(&s, &w);
	check_int(s.server.ifindex, 3);
	/* Refused: the tunnel goes on without, and says so. */
	s.server.ifindex = 0;
	struct net_observed refused = s.kernel;
	refused.server_route_refused = true;
	s.record.server = (struct net_server_route){ .ifindex = 0 };
	net_plan(&w, &refused, &s.record, &s.plan);
	check_int(s.plan.n_ops, 0);
	check_int(s.plan.notices, NET_NOTICE_SERVER_FILTERED);
	w.carrier = true;
	settle(&s, &w);
	check_int(s.server.ifindex, 3);
	s.kernel.exists = false; /* a crash */
	settle(&s, NULL);
	check_int(s.server.ifindex, 0);
	check(net_record_is_empty(&s.record));
}

static void nothing_to_do_means_no_operation(void)
{
	struct net_desired w = connected();
	struct sim s = up(&w);

	settle(&s, &w);
	check_str(s.ops, "");
	check_int(s.rounds, 0);
}

static void carrier_loss_keeps_address_and_routes(void)
{
	struct net_desired w = connected();
	struct sim s = up(&w);

	w.carrier = false;
	settle(&s, &w);
	check_settled(&s);
	check_str(s.ops, "link carrier off; address del fe80::1234/64; resolvers clear");
	w.carrier = true;
	settle(&s, &w);
	check_settled(&s);
	check_str(s.ops, "link carrier on; address add fe80::1234/64; resolvers set");
}

static void teardown_leaves_nothing(void)
{
	struct net_desired w = connected();
	struct sim s = up(&w), before;

	sim_init(&before);
	settle(&s, NULL);
	check_settled(&s);
	check(net_record_is_empty(&s.record));
	check_int(s.kernel.n_addrs, 0);
	check_int(s.kernel.n_routes, 0);
	check_mem(&s.kernel.sysctl, sizeof(s.kernel.sysctl), &before.kernel.sysctl,
		  sizeof(before.kernel.sysctl));
	check(!s.kernel.carrier && !s.kernel.admin_up && !s.kernel.nft && !s.kernel.dns_intact);
}

static void missing_interface_is_cleaned_elsewhere(void)
{
	struct net_desired w = connected();

	w.mss = NET_MSS_CLAMP;
	struct sim s = up(&w);
	s.kernel.exists = false;
	settle(&s, &w);
	check_str(s.ops, "resolvers clear; nft delete");
	check(net_record_is_empty(&s.record));
	check_int(s.plan.notices, NET_NOTICE_MISSING);
	settle(&s, NULL);
	check_int(s.plan.notices, 0);
}

static void disable_is_admin_down(void)
{
	struct net_desired w = connected();
	struct sim s = up(&w);
	struct net_desired off = { .name = "sstpc0", .mtu = 1400, .description = "kept" };

	settle(&s, &off);
	check_settled(&s);
	check(!s.kernel.admin_up && !s.kernel.carrier);
	check_int(s.kernel.n_addrs, 0);
	check_int(s.kernel.n_routes, 0);
	check_str(s.kernel.description, "kept");
	check(!s.kernel.dns_intact);
}

static void description(void)
{
	struct net_desired w = connected();
	struct sim s = up(&w);

	snprintf(w.description, sizeof(w.description), "uplink");
	settle(&s, &w);
	check_str(s.ops, "link alias");
	w.description[0] = 0;
	settle(&s, &w);
	check_str(s.ops, "link alias");
	check_str(s.kernel.description, "");
}

/* --- addresses --------------------------------------------------------------------------------------------
 */

static void new_address_before_the_old_goes(void)
{
	struct net_desired w = connected();
	struct sim s = up(&w);

	w.local = ip("10.9.0.7").in;
	w.peer = ip("10.9.7.1").in;
	settle(&s, &w);
	check_settled(&s);
	check_str(s.ops, "address add 10.9.0.7 peer 10.9.7.1/32; address del 10.9.0.2 peer 10.9.0.1/32");
}

/* Without its last address the interface loses the routes that an administrator has made there, too. */
static void new_address_of_the_same_peer_keeps_foreign_routes(void)
{
	struct net_desired w = connected();
	struct sim s = up(&w);
	struct net_route mine = { .dst = ip("10.20.0.0"),
				  .prefix_len = 16,
				  .table = RT_TABLE_MAIN,
				  .type = RTN_UNICAST,
				  .ifindex = OURS };

	mine.protocol = RTPROT_BOOT;
	check(sim_add_route(&s.kernel, mine));
	size_t routes = s.kernel.n_routes;
	w.local = ip("10.9.0.7").in;
	settle(&s, &w);
	check_settled(&s);
	check_int(s.kernel.n_routes, routes);
	check_str(s.ops, "sysctl ipv4/promote_secondaries=1; address add 10.9.0.7 peer 10.9.0.1/32; "
			 "address del 10.9.0.2 peer 10.9.0.1/32; sysctl ipv4/promote_secondaries=0");
}

static void peer_that_was_not_told(void)
{
	struct net_desired w = connected();

	w.peer = (struct in_addr){ INADDR_ANY };
	struct sim s = up(&w);
	check_settled(&s);
	check(strstr(s.ops, "address add 10.9.0.2/32;"));
}

static void foreign_address_stays(void)
{
	struct net_desired w = connected();
	struct sim s = up(&w);

	s.kernel.addrs[s.kernel.n_addrs++] = (struct net_observed_addr){
		.family = AF_INET, .local = ip("172.16.0.1"), .peer = ip("172.16.0.1"), .prefix_len = 24
	};
	s.kernel.addrs[s.kernel.n_addrs++] = (struct net_observed_addr){
		.family = AF_INET6, .local = ip("fd00::1"), .peer = ip("fd00::1"), .prefix_len = 64
	};
	settle(&s, &w);
	check_str(s.ops, "");
	w.local = ip("10.9.0.3").in;
	settle(&s, &w);
	settle(&s, NULL);
	check_settled(&s);
	/* IPv6 goes by itself when the link goes down. */
	check_int(s.kernel.n_addrs, 1);
	check(net_addr_equal(&s.kernel.addrs[0].local,
			     &(struct net_addr){ .family = AF_INET, .in = ip("172.16.0.1").in }));
}

/* --- default routes ---------------------------------------------------------------------------------------
 */

static bool has_route(const struct sim *s, const char *text)
{
	char line[256];

	for (size_t i = 0; i < s->kernel.n_routes; i++) {
		net_route_format(&s->kernel.routes[i], line, sizeof(line));
		if (strcmp(line, text) == 0)
			return true;
	}
	return false;
}

static void default_route_beside_foreign_ones(void)
{
	static const struct {
		uint32_t metric;
		bool active;
		const char *notice;
	} cases[] = {
		{ 0, false,
		  "default route installed, not active: default via 192.0.2.1 dev eth0 metric 0 is "
		  "preferred" },
		{ 209, false,
		  "default route installed, not active: default via 192.0.2.1 dev eth0 metric 209 is "
		  "preferred" },
		{ 210, false,
		  "default route installed, not active: default via 192.0.2.1 dev eth0 metric 210 is "
		  "preferred" },
		{ 211, true, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct net_desired w = connected();
		struct sim s;
		char text[192];

		sim_init(&s);
		sim_foreign_route(&s, "0.0.0.0", 0, cases[i].metric, "192.0.2.1");
		settle(&s, &w);
		check_settled(&s);
		check(has_route(&s, "default dev sstpc0 metric 210"));
		check_int(s.plan.notices, cases[i].active ? 0 : NET_NOTICE_DEFAULT_NOT_ACTIVE);
		if (!cases[i].active) {
			net_notice_format(NET_NOTICE_DEFAULT_NOT_ACTIVE, &s.plan, &w, &s.kernel, text,
					  sizeof(text));
			check_str(text, cases[i].notice);
		}
		/* The resolver needs a way of its own exactly where the default route does not lead to it. */
		check_int(has_route(&s, "10.9.0.53/32 dev sstpc0 metric 210"), !cases[i].active);
		settle(&s, NULL);
		check_settled(&s);
		check_int(s.kernel.n_routes, 1);
		check_int(s.kernel.routes[0].ifindex, FOREIGN);
	}
}

static void equal_metric_that_came_later_does_not_win(void)
{
	struct net_desired w = connected();
	struct sim s = up(&w);

	sim_foreign_route(&s, "0.0.0.0", 0, 210, "192.0.2.1"); /* appended behind ours */
	settle(&s, &w);
	check_str(s.ops, "");
	check_int(s.plan.notices, 0);
}

static void dead_rival_is_no_rival(void)
{
	struct net_desired w = connected();
	struct sim s;

	sim_init(&s);
	sim_foreign_route(&s, "0.0.0.0", 0, 0, "192.0.2.1");
	s.kernel.routes[0].dead = true;
	settle(&s, &w);
	check_int(s.plan.notices, 0);
	check(!has_route(&s, "10.9.0.53/32 dev sstpc0 metric 210"));
}

static void no_default_route(void)
{
	struct net_desired w = connected();
	struct sim s = up(&w);

	w.default_route = NET_DEFAULT_NONE;
	settle(&s, &w);
	check_settled(&s);
	check_str(s.ops,
		  "sysctl ipv6/accept_ra_defrtr=0; sysctl ipv6/ra_defrtr_metric=1024; "
		  "route del default dev sstpc0 metric 210; route add 10.9.0.53/32 dev sstpc0 metric 210");
	w.use_peer_dns = false;
	settle(&s, &w);
	check_str(s.ops, "route del 10.9.0.53/32 dev sstpc0 metric 210; resolvers clear");
	w.default_route = NET_DEFAULT_METRIC;
	settle(&s, &w);
	check_settled(&s);
	check(strstr(s.ops, "route add default dev sstpc0 metric 210"));
	check_int(s.kernel.sysctl[NET_SYSCTL_ACCEPT_RA_DEFRTR].value, 1);
}

static void distance_changes_the_metric(void)
{
	struct net_desired w = connected();
	struct sim s = up(&w);

	w.metric = 5;
	settle(&s, &w);
	check_settled(&s);
	check(has_route(&s, "default dev sstpc0 metric 5"));
	check(!has_route(&s, "default dev sstpc0 metric 210"));
	check_int(s.kernel.sysctl[NET_SYSCTL_RA_DEFRTR_METRIC].value, 5);
}

static void route_without_our_tag_stays(void)
{
	struct net_desired w = connected();
	struct sim s = up(&w);
	struct net_route mine = { .dst = ip("0.0.0.0"),
				  .table = RT_TABLE_MAIN,
				  .metric = 50,
				  .protocol = RTPROT_STATIC,
				  .type = RTN_UNICAST,
				  .ifindex = OURS,
				  .device = "sstpc0" };

	check(sim_add_route(&s.kernel, mine));
	w.default_route = NET_DEFAULT_NONE;
	settle(&s, &w);
	check_settled(&s);
	check(has_route(&s, "default dev sstpc0 metric 50"));
}

static void our_vanished_route_returns(void)
{
	struct net_desired w = connected();
	struct sim s = up(&w);

	sim_drop_routes(&s.kernel, 0);
	settle(&s, &w);
	check_settled(&s);
	check_str(s.ops, "route add default dev sstpc0 metric 210");
}

static void resolver_that_is_the_peer_needs_no_route(void)
{
	struct net_desired w = connected();

	w.default_route = NET_DEFAULT_NONE;
	w.dns[0] = ip("10.9.0.1");
	struct sim s = up(&w);
	check_settled(&s);
	check_int(s.kernel.n_routes, 0);
	check(s.kernel.dns_intact);
}

static void halves(void)
{
	struct net_desired w = connected();
	struct sim s;

	w.default_route = NET_DEFAULT_HALVES;
	w.metric = 1;
	sim_init(&s);
	sim_foreign_route(&s, "0.0.0.0", 0, 0, "192.0.2.1");
	settle(&s, &w);
	check_settled(&s);
	check(has_route(&s, "0.0.0.0/1 dev sstpc0 metric 1"));
	check(has_route(&s, "128.0.0.0/1 dev sstpc0 metric 1"));
	check(!has_route(&s, "default dev sstpc0 metric 1"));
	check_int(s.plan.notices, 0);
	check_int(s.kernel.n_routes, 3);

	/* IPv6 as soon as there is an address to use it with. */
	sim_router_advertisement(&s);
	settle(&s, &w);
	check_settled(&s);
	check_str(s.ops, "route add ::/1 dev sstpc0 metric 1; route add 8000::/1 dev sstpc0 metric 1");
}

static void ipv6_that_goes_around_is_told(void)
{
	struct net_desired w = connected();
	struct sim s;

	w.default_route = NET_DEFAULT_HALVES;
	sim_init(&s);
	sim_foreign_route(&s, "::", 0, 1024, "fe80::99");
	settle(&s, &w);
	check_int(s.plan.notices, NET_NOTICE_IPV6_BYPASSES);

	/* "ip -6 route add unreachable default": it goes nowhere. */
	s.kernel.routes[0].type = RTN_UNREACHABLE;
	settle(&s, &w);
	check_int(s.plan.notices, 0);
	s.kernel.routes[0].type = RTN_UNICAST;
	sim_router_advertisement(&s);
	settle(&s, &w);
	check_settled(&s);
	check_int(s.plan.notices, 0);
}

static void somebodys_half_beats_ours(void)
{
	struct net_desired w = connected();
	struct sim s;

	w.default_route = NET_DEFAULT_HALVES;
	sim_init(&s);
	sim_foreign_route(&s, "128.0.0.0", 1, 50, "192.0.2.1");
	settle(&s, &w);
	check_settled(&s);
	check_int(s.plan.notices, NET_NOTICE_DEFAULT_NOT_ACTIVE);
	check_int(s.plan.rival.prefix_len, 1);
}

/* --- IPv6 -------------------------------------------------------------------------------------------------
 */

static void small_mtu_has_no_ipv6_and_it_returns(void)
{
	struct net_desired w = connected();
	struct sim s = up(&w);

	w.mtu = 1279;
	settle(&s, &w);
	check_settled(&s);
	check_int(s.plan.notices, NET_NOTICE_MTU_NO_IPV6);
	check_int(s.kernel.n_addrs, 1);
	w.mtu = 1280;
	settle(&s, &w);
	check_settled(&s);
	check_int(s.plan.notices, 0);
	check_int(s.kernel.n_addrs, 2);
	check_int(s.kernel.sysctl[NET_SYSCTL_ACCEPT_RA].value, 2);
	check_int(s.kernel.sysctl[NET_SYSCTL_IGNORE_LINKDOWN6].value, 1);
}

static void disabled_ipv6_is_respected(void)
{
	struct net_desired w = connected();
	struct sim s;

	sim_init(&s);
	s.kernel.sysctl[NET_SYSCTL_DISABLE_IPV6].value = 1;
	settle(&s, &w);
	check_settled(&s);
	check_int(s.plan.notices, NET_NOTICE_IPV6_DISABLED);
	check_int(s.kernel.n_addrs, 1);
}

static void administrators_accept_ra_0_stays(void)
{
	struct net_desired w = connected();
	struct sim s;

	sim_init(&s);
	s.kernel.sysctl[NET_SYSCTL_ACCEPT_RA].value = 0;
	settle(&s, &w);
	check_settled(&s);
	check_int(s.kernel.sysctl[NET_SYSCTL_ACCEPT_RA].value, 0);
}

static void in_a_container_ipv6_follows_the_system(void)
{
	struct net_desired w = connected();
	struct sim s;

	sim_init(&s);
	s.kernel.sysctl_read_only = true;
	settle(&s, &w);
	check_settled(&s);
	check(s.plan.notices & NET_NOTICE_SYSCTL_READ_ONLY);
	check_int(s.kernel.sysctl[NET_SYSCTL_IGNORE_LINKDOWN4].value, 1); /* rtnetlink can */
	check_int(s.kernel.sysctl[NET_SYSCTL_IGNORE_LINKDOWN6].value, 0);
	check_int(s.kernel.sysctl[NET_SYSCTL_ACCEPT_RA].value, 1);
	check(!s.record.sysctl[NET_SYSCTL_ACCEPT_RA].held);
}

/* The kernel gives it a metric of its own then, and would bring it back as often as it were taken away. */
static void in_a_container_the_ipv6_default_stays(void)
{
	static const char route[] = "default via fe80::1 dev sstpc0 metric 1024";
	struct net_desired w = connected();
	struct sim s;

	sim_init(&s);
	s.kernel.sysctl_read_only = true;
	settle(&s, &w);
	sim_router_advertisement(&s);
	check(has_route(&s, route));
	settle(&s, &w);
	check_settled(&s);
	check(has_route(&s, route));
	check(!(s.plan.notices & NET_NOTICE_IPV6_DEFAULT_NOT_ACTIVE));
	/* It is judged by the metric that it has. */
	sim_foreign_route(&s, "::", 0, 1023, "2001:db8:1::1");
	settle(&s, &w);
	check(s.plan.notices & NET_NOTICE_IPV6_DEFAULT_NOT_ACTIVE);
	w.default_route = NET_DEFAULT_NONE;
	settle(&s, &w);
	check_settled(&s);
	check(!has_route(&s, route));
}

static void ipv6_default_beside_others(void)
{
	static const struct {
		uint32_t metric;
		bool active;
	} cases[] = { { 209, false }, { 210, false }, { 211, true } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct net_desired w = connected();
		struct sim s;
		char text[192];

		sim_init(&s);
		sim_foreign_route(&s, "::", 0, cases[i].metric, "2001:db8:1::1");
		settle(&s, &w);
		check_settled(&s);
		check_int(s.plan.notices, 0); /* no router has advertised itself */
		sim_router_advertisement(&s);
		settle(&s, &w);
		check_settled(&s);
		check_int(s.plan.notices, cases[i].active ? 0 : NET_NOTICE_IPV6_DEFAULT_NOT_ACTIVE);
		if (cases[i].active)
			continue;
		net_notice_format(NET_NOTICE_IPV6_DEFAULT_NOT_ACTIVE, &s.plan, &w, &s.kernel, text,
				  sizeof(text));
		check(strstr(text, "IPv6 default route installed, not active: default via 2001:db8:1::1 dev "
				   "eth0 metric 2"));
		w.default_route = NET_DEFAULT_NONE;
		settle(&s, &w);
		check_int(s.plan.notices, 0);
	}
}

static void ipv6_default_follows_the_wish(void)
{
	struct net_desired w = connected();
	struct sim s = up(&w);

	sim_router_advertisement(&s);
	check(has_route(&s, "default via fe80::1 dev sstpc0 metric 210"));
	w.default_route = NET_DEFAULT_NONE;
	settle(&s, &w);
	check_settled(&s);
	check(!has_route(&s, "default via fe80::1 dev sstpc0 metric 210"));
	/* Back again: the kernel must be made to ask, for advertisements are rare. */
	w.default_route = NET_DEFAULT_METRIC;
	w.metric = 7;
	settle(&s, &w);
	check_settled(&s);
	check(strstr(s.ops, "address del fe80::1234/64; address add fe80::1234/64"));
	/* A new distance: the old route goes, the kernel asks. */
	sim_add_route(&s.kernel, (struct net_route){ .dst = ip("::"),
						     .table = RT_TABLE_MAIN,
						     .metric = 7,
						     .protocol = RTPROT_RA,
						     .ifindex = OURS,
						     .via = ip("fe80::1"),
						     .device = "sstpc0" });
	w.metric = 8;
	settle(&s, &w);
	check_settled(&s);
	check(strstr(s.ops, "route del default via fe80::1 dev sstpc0 metric 7"));
	check(strstr(s.ops, "address del fe80::1234/64; address add fe80::1234/64"));
}

static void foreign_router_advertisement_routes_stay(void)
{
	struct net_desired w = connected();
	struct sim s;

	sim_init(&s);
	sim_foreign_route(&s, "::", 0, 1024, "fe80::99");
	s.kernel.routes[0].protocol = RTPROT_RA;
	w.default_route = NET_DEFAULT_NONE;
	settle(&s, &w);
	settle(&s, NULL);
	check_settled(&s);
	check_int(s.kernel.n_routes, 1);
}

static void session_without_ipv6_takes_the_old_away(void)
{
	struct net_desired w = connected();
	struct sim s = up(&w);

	sim_router_advertisement(&s);
	w.carrier = false;
	settle(&s, &w);
	check_settled(&s);
	check_int(s.kernel.n_addrs, 2); /* open sockets survive a reconnection */
	w.carrier = true;
	w.link_local = in6addr_any;
	settle(&s, &w);
	check_settled(&s);
	check_int(s.kernel.n_addrs, 1);
	check(!has_route(&s, "default via fe80::1 dev sstpc0 metric 210"));
}

static void next_session_begins_without_what_the_last_was_told(void)
{
	struct net_desired w = connected();
	struct sim s = up(&w);

	sim_router_advertisement(&s);
	w.carrier = false;
	settle(&s, &w);
	check(has_route(&s, "default via fe80::1 dev sstpc0 metric 210"));
	w.carrier = true;
	w.link_local = ip("fe80::9").in6;
	settle(&s, &w);
	check_settled(&s);
	check_int(s.kernel.sysctl[NET_SYSCTL_IPV6_MTU].value, 1400);
	/* Gone before the kernel asks for new ones, which may be the same. */
	check(strstr(s.ops, "address del 2001:db8::2/64; address add fe80::9/64"));
	check(strstr(s.ops, "route del default via fe80::1 dev sstpc0 metric 210"));
	sim_router_advertisement(&s);
	settle(&s, &w);
	check_settled(&s);
	check_int(s.kernel.n_addrs, 3);
	/* Disconnected by the user: no outage that would end. */
	w.carrier = false;
	w.local = w.peer = (struct in_addr){ INADDR_ANY };
	w.link_local = in6addr_any;
	settle(&s, &w);
	check_settled(&s);
	check_int(s.kernel.n_addrs, 0);
	check_int(s.kernel.n_routes, 0);
}

static void new_identifier_replaces_the_link_local_address(void)
{
	struct net_desired w = connected();
	struct sim s = up(&w);

	w.link_local = ip("fe80::9").in6;
	settle(&s, &w);
	check_settled(&s);
	check_str(s.ops, "address del fe80::1234/64; address add fe80::9/64");
}

/* --- VRF --------------------------------------------------------------------------------------------------
 */

static void vrf_joins_moves_and_leaves(void)
{
	struct net_desired w = connected();
	struct sim s = up(&w);

	snprintf(w.vrf, sizeof(w.vrf), "red");
	s.kernel.vrf_exists = true;
	s.kernel.vrf_ifindex = VRF;
	s.kernel.vrf_table = 1000;
	settle(&s, &w);
	check_settled(&s);
	check(has_route(&s, "default dev sstpc0 metric 210 table 1000"));
	check_int(s.kernel.n_routes, 1);
	check_int(s.kernel.n_addrs, 2); /* the link-local address that enslaving dropped is back */
	check_int(s.plan.notices, NET_NOTICE_DNS_IN_VRF);
	check(!s.kernel.dns_intact);

	s.kernel.vrf_ifindex = VRF + 1;
	s.kernel.vrf_table = 1001;
	settle(&s, &w);
	check_settled(&s);
	check(has_route(&s, "default dev sstpc0 metric 210 table 1001"));

	w.vrf[0] = 0;
	settle(&s, &w);
	check_settled(&s);
	check_int(s.kernel.master, 0);
	check(has_route(&s, "default dev sstpc0 metric 210"));
	check(s.kernel.dns_intact);
}

static void missing_vrf_leaks_nothing_and_is_joined_when_it_appears(void)
{
	struct net_desired w = connected();

	snprintf(w.vrf, sizeof(w.vrf), "red");
	struct sim s = up(&w);
	check_settled(&s);
	check_int(s.plan.notices, NET_NOTICE_VRF_MISSING);
	check_int(s.kernel.n_routes, 0);
	check_int(s.kernel.n_addrs, 0);
	check(!s.kernel.dns_intact && !s.kernel.carrier);

	s.kernel.vrf_exists = true;
	s.kernel.vrf_ifindex = VRF;
	s.kernel.vrf_table = 1000;
	settle(&s, &w);
	check_settled(&s);
	check_int(s.kernel.master, VRF);
	check(has_route(&s, "default dev sstpc0 metric 210 table 1000"));
}

static void default_of_main_does_not_rival_in_a_vrf(void)
{
	struct net_desired w = connected();
	struct sim s;

	snprintf(w.vrf, sizeof(w.vrf), "red");
	sim_init(&s);
	s.kernel.vrf_exists = true;
	s.kernel.vrf_ifindex = VRF;
	s.kernel.vrf_table = 1000;
	sim_foreign_route(&s, "0.0.0.0", 0, 0, "192.0.2.1");
	settle(&s, &w);
	check_settled(&s);
	check(!(s.plan.notices & NET_NOTICE_DEFAULT_NOT_ACTIVE));
}

/* --- nft --------------------------------------------------------------------------------------------------
 */

static void nft_leaves(void)
{
	struct net_desired w = connected();
	struct sim s = up(&w);

	w.mss = NET_MSS_VALUE;
	w.mss_value = 1300;
	settle(&s, &w);
	check_str(s.ops, "nft mss=1300");
	w.mss_value = 1200;
	settle(&s, &w);
	check_str(s.ops, "nft mss=1200");
	w.mss = NET_MSS_CLAMP;
	settle(&s, &w);
	check_str(s.ops, "nft mss=clamp");
	w.source_validation = NET_SV_STRICT;
	settle(&s, &w);
	check_str(s.ops, "nft mss=clamp rpf=strict");
	w.mss = NET_MSS_NONE;
	w.source_validation = NET_SV_LOOSE;
	settle(&s, &w);
	check_str(s.ops, "nft rpf=loose");
	w.source_validation = NET_SV_DISABLE;
	settle(&s, &w);
	check_str(s.ops, "nft delete");
	w.source_validation = NET_SV_LOOSE;
	settle(&s, &w);
	/* `nft flush ruleset` by somebody */
	s.kernel.nft = false;
	settle(&s, &w);
	check_str(s.ops, "nft rpf=loose");
	w.source_validation = NET_SV_UNSET;
	settle(&s, &w);
	check_settled(&s);
	check_str(s.ops, "nft delete");
	check(!s.record.nft);
}

static void source_validation_and_the_sysctl(void)
{
	struct net_desired w = connected();
	struct sim s;

	sim_init(&s);
	s.kernel.sysctl[NET_SYSCTL_RP_FILTER].value = 2;
	settle(&s, &w);
	check_int(s.kernel.sysctl[NET_SYSCTL_RP_FILTER].value, 2);
	w.source_validation = NET_SV_DISABLE;
	settle(&s, &w);
	check_str(s.ops, "sysctl ipv4/rp_filter=0");
	/* udev applies the system's settings to new devices: ours again, and theirs is what returns. */
	s.kernel.sysctl[NET_SYSCTL_RP_FILTER].value = 1;
	settle(&s, &w);
	check_str(s.ops, "sysctl ipv4/rp_filter=0");
	w.source_validation = NET_SV_UNSET;
	settle(&s, &w);
	check_settled(&s);
	check_str(s.ops, "sysctl ipv4/rp_filter=1");
}

static void stricter_system_is_told(void)
{
	static const struct {
		enum net_source_validation sv;
		uint32_t all;
		bool told;
	} cases[] = { { NET_SV_DISABLE, 0, false }, { NET_SV_DISABLE, 1, true }, { NET_SV_DISABLE, 2, true },
		      { NET_SV_LOOSE, 0, false },   { NET_SV_LOOSE, 1, true },	 { NET_SV_LOOSE, 2, false },
		      { NET_SV_STRICT, 1, false },  { NET_SV_STRICT, 2, false }, { NET_SV_UNSET, 1, false } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct net_desired w = connected();
		struct sim s;

		w.source_validation = cases[i].sv;
		sim_init(&s);
		s.kernel.sysctl[NET_SYSCTL_ALL_RP_FILTER].value = cases[i].all;
		settle(&s, &w);
		check_settled(&s);
		check_int(s.plan.notices, cases[i].told ? NET_NOTICE_RP_FILTER_OVERRIDES : 0);
	}
}

/* --- forwarding -------------------------------------------------------------------------------------------
 */

static void write_ip_forward(struct sim *s, uint32_t value)
{
	if (s->kernel.sysctl[NET_SYSCTL_ALL_FORWARDING].value != value)
		s->kernel.sysctl[NET_SYSCTL_FORWARDING].value = value; /* inet_forward_change() */
	s->kernel.sysctl[NET_SYSCTL_ALL_FORWARDING].value = value;
}

static void forwarding_is_asserted_and_given_back(void)
{
	struct net_desired w = connected();
	struct sim s;

	sim_init(&s);
	write_ip_forward(&s, 1);
	w.disable_forwarding = true;
	settle(&s, &w);
	check(strstr(s.ops, "sysctl ipv4/forwarding=0"));
	write_ip_forward(&s, 0);
	write_ip_forward(&s, 1);
	settle(&s, &w);
	check_str(s.ops, "sysctl ipv4/forwarding=0");
	w.disable_forwarding = false;
	settle(&s, &w);
	check_settled(&s);
	check_str(s.ops, "sysctl ipv4/forwarding=1");
}

static void forwarding_never_makes_a_router(void)
{
	struct net_desired w = connected();
	struct sim s;

	/* The system forwarded when we wrote, and does not any more when we give back. */
	sim_init(&s);
	write_ip_forward(&s, 1);
	w.disable_forwarding = true;
	settle(&s, &w);
	write_ip_forward(&s, 0);
	settle(&s, &w);
	check_str(s.ops, "");
	w.disable_forwarding = false;
	settle(&s, &w);
	check_settled(&s);
	check_int(s.kernel.sysctl[NET_SYSCTL_FORWARDING].value, 0);

	/* The other way round. */
	w.disable_forwarding = true;
	settle(&s, &w);
	write_ip_forward(&s, 1);
	settle(&s, &w);
	check_int(s.kernel.sysctl[NET_SYSCTL_FORWARDING].value, 0);
	settle(&s, NULL);
	check_settled(&s);
	check_int(s.kernel.sysctl[NET_SYSCTL_FORWARDING].value, 1);
}

static void value_that_somebody_changed_is_left(void)
{
	struct net_desired w = connected();
	struct sim s = up(&w);

	s.kernel.sysctl[NET_SYSCTL_RA_DEFRTR_METRIC].value = 512;
	settle(&s, NULL);
	check_settled(&s);
	check_int(s.kernel.sysctl[NET_SYSCTL_RA_DEFRTR_METRIC].value, 512);
}

/* --- resolvers --------------------------------------------------------------------------------------------
 */

static void resolvers_change(void)
{
	struct net_desired w = connected();
	struct sim s = up(&w);

	w.dns[w.n_dns++] = ip("10.9.0.54");
	settle(&s, &w);
	check_str(s.ops, "resolvers set");
	check_int(s.record.n_dns, 2);
	s.kernel.dns_intact = false; /* somebody rewrote the file */
	settle(&s, &w);
	check_str(s.ops, "resolvers set");
	s.kernel.dns_backend = NET_DNS_RESOLVED; /* somebody started resolved */
	settle(&s, &w);
	check_str(s.ops, "resolvers clear; resolvers set");
	check_int(s.record.dns_backend, NET_DNS_RESOLVED);
	w.use_peer_dns = false;
	settle(&s, &w);
	check_settled(&s);
	check_str(s.ops, "resolvers clear");
}

static void ipv6_resolvers_need_ipv6(void)
{
	struct net_desired w = connected();

	w.dns[0] = ip("2001:db8::53");
	struct sim s = up(&w);
	check(!s.kernel.dns_intact);
	sim_router_advertisement(&s);
	settle(&s, &w);
	check_settled(&s);
	check_str(s.ops, "resolvers set");
	w.default_route = NET_DEFAULT_NONE;
	settle(&s, &w);
	check_settled(&s);
	check(has_route(&s, "2001:db8::53/128 dev sstpc0 metric 210"));
}

/* The claim is saved before anything is done: whatever a crash leaves is in it or in the record of before. */
static void claim_covers_old_and_new(void)
{
	struct net_desired w = connected();
	struct sim s;

	sim_init(&s);
	w.disable_forwarding = true;
	w.mss = NET_MSS_CLAMP;
	net_plan(&w, &s.kernel, &s.record, &s.plan); /* the MTU does not end this plan */
	check(s.plan.claim.nft && s.plan.claim.sysctl[NET_SYSCTL_FORWARDING].held);
	check_int(s.plan.claim.dns_backend, NET_DNS_FILE);
	check_int(s.plan.claim.local.s_addr, w.local.s_addr);
	settle(&s, &w);
	net_plan(NULL, &s.kernel, &s.record, &s.plan);
	check(s.plan.claim.nft && s.plan.claim.sysctl[NET_SYSCTL_FORWARDING].held);
	check_int(s.plan.claim.dns_backend, NET_DNS_FILE);
	check(net_record_is_empty(&s.plan.record));
}

/* --- anything ---------------------------------------------------------------------------------------------
 */

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void random_wish(uint32_t *seed, struct net_desired *w)
{
	static const uint32_t mtus[] = { 68, 1279, 1280, 1400, 1500, 4087 };

	w->admin_up = next(seed) % 8 > 0;
	w->carrier = next(seed) % 4 > 0;
	w->mtu = mtus[next(seed) % ARRAY_SIZE(mtus)];
	w->local = ip(next(seed) % 2 ? "10.9.0.2" : "10.9.0.3").in;
	w->peer = ip(next(seed) % 2 ? "10.9.0.1" : "1.0.0.1").in;
	if (next(seed) % 6 == 0)
		w->local.s_addr = INADDR_ANY;
	w->link_local = next(seed) % 4 ? ip(next(seed) % 2 ? "fe80::1234" : "fe80::9").in6 : in6addr_any;
	w->default_route = (enum net_default_route)(next(seed) % 3);
	w->metric = next(seed) % 2 ? 210 : 5;
	w->n_dns = next(seed) % 3;
	w->dns[0] = ip("10.9.0.53");
	w->dns[1] = ip("2001:db8::53");
	w->use_peer_dns = next(seed) % 4 > 0;
	w->mss = (enum net_mss)(next(seed) % 3);
	w->mss_value = 1300;
	w->disable_forwarding = next(seed) % 2;
	w->source_validation = (enum net_source_validation)(next(seed) % 4);
	(void)snprintf(w->vrf, sizeof(w->vrf), "%s", next(seed) % 3 ? "" : "red");
	(void)snprintf(w->description, sizeof(w->description), "%s", next(seed) % 2 ? "" : "text");
}

/* What the world does between two reconciliations. */
static void random_event(uint32_t *seed, struct sim *s)
{
	struct net_observed *k = &s->kernel;

	switch (next(seed) % 9) {
	case 0:
		write_ip_forward(s, next(seed) % 2);
		break;
	case 1:
		sim_set_admin(k, !k->admin_up);
		break;
	case 2:
		sim_set_mtu(k, next(seed) % 2 ? 1000 : 1500);
		break;
	case 3:
		sim_drop_routes(k, next(seed) % 2 ? AF_INET : AF_INET6);
		break;
	case 4:
		k->nft = false;
		k->nft_tag[0] = 0;
		break;
	case 5:
		k->vrf_exists = !k->vrf_exists;
		k->vrf_ifindex = VRF;
		k->vrf_table = 1000;
		if (!k->vrf_exists && k->master) {
			k->master = 0;
			k->table = RT_TABLE_MAIN;
			sim_drop_routes(k, 0);
			sim_drop_addrs(k, AF_INET6);
		}
		break;
	case 6:
		k->dns_intact = false;
		break;
	case 7:
		k->carrier = !k->carrier;
		break;
	default:
		break;
	}
	sim_router_advertisement(s);
}

static void any_history_settles_and_ends_in_nothing(void)
{
	struct sim before;

	sim_init(&before);
	for (uint32_t history = 1; history <= 400; history++) {
		uint32_t seed = history;
		struct net_desired w = { .name = "sstpc0" };
		struct sim s;

		sim_init(&s);
		sim_foreign_route(&s, "0.0.0.0", 0, next(&seed) % 2 ? 210 : 0, "192.0.2.1");
		sim_foreign_route(&s, "::", 0, 1024, "fe80::99");
		for (int step = 0; step < 12; step++) {
			random_wish(&seed, &w);
			settle(&s, &w);
			if (s.refused || s.trespass || s.plan.n_ops || s.rounds > 5)
				printf("# history %u step %d: %s\n", history, step, s.ops);
			check_int(s.refused, 0);
			check_int(s.trespass, 0);
			check_int(s.plan.n_ops, 0);
			check(s.rounds <= 5);
			random_event(&seed, &s);
		}
		settle(&s, NULL);
		check_int(s.refused, 0);
		check_int(s.trespass, 0);
		check(net_record_is_empty(&s.record));
		check_int(s.kernel.n_routes, 2);
		check_int(s.kernel.n_addrs, 0);
		check(!s.kernel.nft && !s.kernel.dns_intact && !s.kernel.master);
		check_int(s.kernel.sysctl[NET_SYSCTL_FORWARDING].value,
			  s.kernel.sysctl[NET_SYSCTL_ALL_FORWARDING].value);
		check_int(s.kernel.sysctl[NET_SYSCTL_IGNORE_LINKDOWN4].value, 0);
		check_int(s.kernel.sysctl[NET_SYSCTL_RP_FILTER].value, 0);
	}
}

/* What is not looked at makes no difference. */
static void a_plan_needs_no_more_than_it_says(void)
{
	static struct net_plan with_all, with_needed;
	uint32_t seed = 2;

	for (unsigned history = 0; history < 200; history++) {
		struct sim s;
		struct net_desired w = { .name = "sstpc0" };
		sim_init(&s);
		for (int step = 0; step < 12; step++) {
			random_wish(&seed, &w);
			struct net_observed seen = sim_observe(&s, net_plan_needs(&w, &s.record));
			net_plan(&w, &s.kernel, &s.record, &with_all);
			net_plan(&w, &seen, &s.record, &with_needed);
			check_int(with_needed.n_ops, with_all.n_ops);
			check_mem(with_needed.ops, with_needed.n_ops * sizeof(with_needed.ops[0]),
				  with_all.ops, with_all.n_ops * sizeof(with_all.ops[0]));
			check_int(with_needed.notices, with_all.notices);
			settle(&s, &w);
			random_event(&seed, &s);
		}
	}
}

/* There may be a thousand of them. */
static void a_disabled_interface_needs_only_its_link(void)
{
	struct net_desired w = { .name = "sstpc0", .mtu = 1400, .use_peer_dns = true };
	struct sim s;

	sim_init(&s);
	(void)snprintf(w.description, sizeof(w.description), "spare");
	check_int(net_plan_needs(&w, &s.record), 0);
	settle(&s, &w);
	check_str(s.ops, "link alias; link mtu 1400");
	check(net_record_is_empty(&s.record));
}

int main(void)
{
	return run_tests((struct test[]){
		TEST(bring_up_order),
		TEST(a_plan_needs_no_more_than_it_says),
		TEST(a_disabled_interface_needs_only_its_link),
		TEST(a_filtered_underlay_has_a_route_to_the_server),
		TEST(nothing_to_do_means_no_operation),
		TEST(carrier_loss_keeps_address_and_routes),
		TEST(teardown_leaves_nothing),
		TEST(missing_interface_is_cleaned_elsewhere),
		TEST(disable_is_admin_down),
		TEST(description),
		TEST(new_address_before_the_old_goes),
		TEST(new_address_of_the_same_peer_keeps_foreign_routes),
		TEST(peer_that_was_not_told),
		TEST(foreign_address_stays),
		TEST(default_route_beside_foreign_ones),
		TEST(equal_metric_that_came_later_does_not_win),
		TEST(dead_rival_is_no_rival),
		TEST(no_default_route),
		TEST(distance_changes_the_metric),
		TEST(route_without_our_tag_stays),
		TEST(our_vanished_route_returns),
		TEST(resolver_that_is_the_peer_needs_no_route),
		TEST(halves),
		TEST(ipv6_that_goes_around_is_told),
		TEST(somebodys_half_beats_ours),
		TEST(small_mtu_has_no_ipv6_and_it_returns),
		TEST(disabled_ipv6_is_respected),
		TEST(administrators_accept_ra_0_stays),
		TEST(in_a_container_ipv6_follows_the_system),
		TEST(in_a_container_the_ipv6_default_stays),
		TEST(ipv6_default_beside_others),
		TEST(ipv6_default_follows_the_wish),
		TEST(foreign_router_advertisement_routes_stay),
		TEST(session_without_ipv6_takes_the_old_away),
		TEST(next_session_begins_without_what_the_last_was_told),
		TEST(new_identifier_replaces_the_link_local_address),
		TEST(vrf_joins_moves_and_leaves),
		TEST(missing_vrf_leaks_nothing_and_is_joined_when_it_appears),
		TEST(default_of_main_does_not_rival_in_a_vrf),
		TEST(nft_leaves),
		TEST(source_validation_and_the_sysctl),
		TEST(stricter_system_is_told),
		TEST(forwarding_is_asserted_and_given_back),
		TEST(forwarding_never_makes_a_router),
		TEST(value_that_somebody_changed_is_left),
		TEST(resolvers_change),
		TEST(ipv6_resolvers_need_ipv6),
		TEST(claim_covers_old_and_new),
		TEST(any_history_settles_and_ends_in_nothing),
		{},
	});
}
