/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel should look like for a tunnel, and the path that its outer connection takes. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "netconf/dns/watch.h"
#include "netconf/sysctl.h"
#include "sstpcd/tunnel.h"

/* Changing the kernel makes the kernel tell of changes. Somebody who fights us for a setting gets no more
 * than one answer in this time. */
#define RECONCILE_PAUSE USEC_PER_SEC
/* What is refused may be accepted later (a disk that was full, a module that was missing), and nobody tells:
 * 1 s, 2 s, 4 s, … */
#define RETRY_PAUSE	USEC_PER_SEC
#define RETRY_PAUSE_MAX (60 * USEC_PER_SEC)
/* Changes by the server, in one session, that are followed at once. */
#define CHANGES_MAX 4
/* RFC 4861 §6.3.7: a host waits up to 1 s before it asks for routers, and 4 s for the answer. */
#define ROUTER_TIME (5 * USEC_PER_SEC)
/* A bound device may flap, or its route be replaced, without harm to the session. */
#define PATH_LOSS_TIME (3 * USEC_PER_SEC)

static bool is_connected(const struct tunnel *t)
{
	return t->state == TUNNEL_UP;
}

static enum net_source_validation source_validation(enum config_source_validation v)
{
	switch (v) {
	case CONFIG_RPF_UNSET:
		return NET_SV_UNSET;
	case CONFIG_RPF_DISABLE:
		return NET_SV_DISABLE;
	case CONFIG_RPF_LOOSE:
		return NET_SV_LOOSE;
	case CONFIG_RPF_STRICT:
		return NET_SV_STRICT;
	}
	return NET_SV_UNSET;
}

/* RFC 5072 §5: fe80::/64 and the negotiated interface identifier. */
static struct in6_addr link_local(const uint8_t id[static 8])
{
	struct in6_addr a = { .s6_addr = { 0xfe, 0x80 } };

	memcpy(&a.s6_addr[8], id, 8);
	return a;
}

static void add_dns(struct net_desired *d, struct net_addr a)
{
	for (size_t i = 0; i < d->n_dns; i++)
		if (net_addr_equal(&d->dns[i], &a))
			return;
	if (d->n_dns < ARRAY_SIZE(d->dns))
		d->dns[d->n_dns++] = a;
}

/* underlay_is_tunnel_fn: every device but the one named in `ctx` is out of the question. */
static bool is_other_device(void *ctx, const char *name, uint32_t ifindex)
{
	(void)ifindex;
	return strcmp(ctx, name) != 0;
}

/* Where the device below wants a route back to each sender: the default one may lead into a tunnel, this one
 * or another. */
static void desire_server(const struct tunnel *t, struct net_desired *d)
{
	struct tunnel_attempt *a = t->attempt;
	char device[IFNAMSIZ];
	struct underlay path;

	memcpy(device, a->has_verified ? a->verified.device : t->path.device, sizeof(device));
	if (a->server.family != AF_INET || !device[0] || !sysctl_filters_strictly(device) ||
	    underlay_find(&a->server, is_other_device, device, &path) < 0)
		return;
	/* The metric is the tunnel's own, so that two to one server do not share a route. */
	d->server = (struct net_server_route){
		.dst = a->server, .via = path.via, .ifindex = path.ifindex, .metric = t->tun.ifindex
	};
}

/* The part of the wish that comes from the session. */
static void desire_session(const struct tunnel *t, struct net_desired *d)
{
	const struct tunnel_attempt *a = t->attempt;

	d->carrier = true;
	if (a->has_ipv6)
		d->link_local = link_local(a->ipv6.local_id);
	for (size_t i = 0; i < ARRAY_SIZE(a->up.dns); i++)
		if (a->up.dns[i].s_addr != 0)
			add_dns(d, (struct net_addr){ .family = AF_INET, .in = a->up.dns[i] });
	for (size_t i = 0; i < a->rdnss.n; i++)
		add_dns(d, (struct net_addr){ .family = AF_INET6, .in6 = a->rdnss.address[i] });
}

static void desire(const struct tunnel *t, struct net_desired *d)
{
	const struct config_interface *c = &t->config;

	*d = (struct net_desired){ .admin_up = t->state != TUNNEL_DISABLED,
				   .mtu = tunnel_mtu(t, NULL),
				   .local = t->local,
				   .peer = t->peer,
				   .default_route = c->no_default_route ? NET_DEFAULT_NONE
						    : t->options.halves ? NET_DEFAULT_HALVES
									: NET_DEFAULT_METRIC,
				   .metric = c->distance,
				   .use_peer_dns = !c->no_peer_dns,
				   .mss = c->adjust_mss == CONFIG_MSS_UNSET   ? NET_MSS_NONE
					  : c->adjust_mss == CONFIG_MSS_CLAMP ? NET_MSS_CLAMP
									      : NET_MSS_VALUE,
				   .mss_value = c->adjust_mss > CONFIG_MSS_CLAMP ? c->adjust_mss
										 : (uint16_t)0,
				   .disable_forwarding = c->disable_forwarding,
				   .source_validation = source_validation(c->source_validation) };
	memcpy(d->name, t->tun.name, sizeof(d->name));
	memcpy(d->description, c->description, sizeof(d->description));
	memcpy(d->vrf, c->vrf, sizeof(d->vrf));
	if (is_connected(t))
		desire_session(t, d);
	if (t->attempt && tunnel_is_live(t))
		desire_server(t, d);
}

static bool is_news(const struct failure *fresh, const struct failure *known)
{
	return fresh->cause != CAUSE_NONE && strcmp(fresh->detail, known->detail) != 0;
}

/* Says what is new: each notice once, until it has gone away. */
static void log_report(struct tunnel *t, const struct net_report *fresh)
{
	const struct net_report *known = &t->report;

	for (unsigned i = 0; i < NET_NOTICE_COUNT; i++)
		if (fresh->notices & ~known->notices & 1u << i)
			log_warning(&t->log, "%s", fresh->text[i]);
	if (fresh->n_failed > 0 && is_news(&fresh->failure, &known->failure))
		log_error(&t->log, "%s: %s", cause_summary(fresh->failure.cause), fresh->failure.detail);
	if (is_news(&fresh->resolvers, &known->resolvers))
		log_warning(&t->log, "%s: %s", cause_summary(fresh->resolvers.cause),
			    fresh->resolvers.detail);
}

const struct failure *kernel_refused(const struct tunnel *t)
{
	const struct net_report *r = &t->report;

	return r->n_failed > 0 ? &r->failure : r->resolvers.cause != CAUSE_NONE ? &r->resolvers : NULL;
}

static void retry_later(struct tunnel *t)
{
	if (!kernel_refused(t)) {
		if (t->retry_pause > 0)
			log_notice(&t->log, "nothing of the configuration is refused any more");
		loop_timer_clear(&t->retry_timer);
		t->retry_pause = 0;
	} else if (!loop_timer_is_set(&t->retry_timer)) {
		t->retry_pause = MIN(MAX(2 * t->retry_pause, RETRY_PAUSE), RETRY_PAUSE_MAX);
		loop_timer_set(t->host->loop, &t->retry_timer, loop_now(t->host->loop) + t->retry_pause);
	}
}

static void take_report(struct tunnel *t, const struct net_report *fresh)
{
	const struct net_report *known = &t->report;
	bool news = fresh->changed || fresh->notices != known->notices ||
		    fresh->default_active != known->default_active ||
		    fresh->default6_active != known->default6_active ||
		    fresh->resolvers.cause != known->resolvers.cause ||
		    fresh->failure.cause != known->failure.cause;

	log_report(t, fresh);
	t->report = *fresh;
	if (fresh->changed && fresh->dns_backend == NET_DNS_FILE && t->host->dns_watch)
		dns_watch_follow(t->host->dns_watch);
	retry_later(t);
	if (news)
		tunnel_note(t, TUNNEL_NOTE_KERNEL);
}

/* When the interface comes up no router of the tunnel can have been heard yet. */
static void give_router_time(struct tunnel *t, struct net_report *report)
{
	usec_t until = t->state_since + ROUTER_TIME;

	if (!(report->notices & NET_NOTICE_IPV6_BYPASSES) || loop_now(t->host->loop) >= until)
		return;
	report->notices &= ~(unsigned)NET_NOTICE_IPV6_BYPASSES;
	loop_timer_set(t->host->loop, &t->router_timer, until);
}

int kernel_reconcile(struct tunnel *t)
{
	struct net_desired desired;
	struct net_report report = { .changed = false };

	loop_timer_clear(&t->reconcile_timer);
	desire(t, &desired);
	int r = netconf_reconcile(t->host->netconf, t->tun.ifindex, &desired, &report);
	if (report.changed)
		t->reconciled = loop_now(t->host->loop);
	give_router_time(t, &report);
	take_report(t, &report);
	return r;
}

void kernel_resolvers_done(struct tunnel *t, const struct failure *failure)
{
	struct net_report report = t->report;

	report.changed = false;
	report.resolvers = *failure;
	if (failure->cause != CAUSE_NONE)
		report.dns_backend = NET_DNS_NONE;
	else if (t->report.resolvers.cause != CAUSE_NONE)
		tunnel_kernel_event(t, NULL); /* which says where they are now */
	take_report(t, &report);
}

bool kernel_follow_server(struct tunnel *t)
{
	bool at_once = t->attempt->changes++ < CHANGES_MAX;

	if (at_once)
		(void)kernel_reconcile(t);
	else
		tunnel_kernel_event(t, NULL);
	return at_once;
}

void kernel_reconcile_soon(void *ctx)
{
	(void)kernel_reconcile(ctx);
}

/* Told of our device, or of another that had its name: then ours could not be made until now. */
static bool device_is_gone(const struct tunnel *t, const struct net_event *event)
{
	bool concerns = event &&
			(event->kind == NET_EVENT_OVERRUN ||
			 (event->kind == NET_EVENT_LINK_GONE &&
			  (event->ifindex == t->tun.ifindex || strcmp(event->name, t->tun.name) == 0)));

	return concerns && !tun_is_attached(&t->tun);
}

void tunnel_kernel_event(struct tunnel *t, const struct net_event *event)
{
	if (device_is_gone(t, event)) {
		tunnel_event(t, TUNNEL_EVENT_DELETED);
		return;
	}
	/* Default routes of others decide whether ours is the active one; VRFs may be waited for. */
	bool concerns = !event || event->ifindex == t->tun.ifindex ||
			(event->ifindex == 0 && event->kind != NET_EVENT_DEFAULT_ROUTE) ||
			event->kind == NET_EVENT_NFT_GONE || event->kind == NET_EVENT_OVERRUN ||
			((event->kind == NET_EVENT_ROUTE_GONE || event->kind == NET_EVENT_DEFAULT_ROUTE) &&
			 tunnel_is_live(t)) ||
			((event->kind == NET_EVENT_LINK || event->kind == NET_EVENT_LINK_GONE) &&
			 t->config.vrf[0] && strcmp(event->name, t->config.vrf) == 0);
	usec_t now = loop_now(t->host->loop);

	if (!concerns || loop_timer_is_set(&t->reconcile_timer))
		return;
	loop_timer_set(t->host->loop, &t->reconcile_timer,
		       MAX(now + 50 * USEC_PER_MSEC, t->reconciled + RECONCILE_PAUSE));
}

void tunnel_resolv_conf_changed(struct tunnel *t)
{
	bool failed = t->report.resolvers.cause != CAUSE_NONE;

	/* A write of ours that failed is told, too: the next one has its time, see retry_later(). */
	if (t->report.dns_backend == NET_DNS_FILE && !failed)
		tunnel_kernel_event(t, NULL);
}

/* The path of the outer connection */

static struct net_addr from_in6(const struct in6_addr *a)
{
	struct net_addr addr = { .family = AF_INET6, .in6 = *a };

	if (IN6_IS_ADDR_V4MAPPED(a)) {
		addr.family = AF_INET;
		memcpy(&addr.in, &a->s6_addr[12], sizeof(addr.in));
	}
	return addr;
}

/* underlay_is_tunnel_fn: a tunnel must not be carried by a tunnel, least of all by itself. */
static bool is_tunnel(void *ctx, const char *name, uint32_t ifindex)
{
	const struct tunnel *t = ctx;

	return ifindex == t->tun.ifindex || is_sstpc_name(name);
}

/* The path to the server if its address is known, otherwise to addresses that only a default route leads to
 * (RFC 5737, RFC 3849). */
static int find_path(struct tunnel *t, struct underlay *ret)
{
	const struct net_addr v4 = { .family = AF_INET, .in.s_addr = htonl(0xc0000201) };
	const struct net_addr v6 = { .family = AF_INET6, .in6.s6_addr = { 0x20, 0x01, 0x0d, 0xb8 } };

	if (t->attempt && t->attempt->server.family != AF_UNSPEC)
		return underlay_find(&t->attempt->server, is_tunnel, t, ret);
	int r = underlay_find(&v4, is_tunnel, t, ret);
	return r < 0 ? underlay_find(&v6, is_tunnel, t, ret) : r;
}

void kernel_remember_path(struct tunnel *t)
{
	struct underlay path;

	t->path = find_path(t, &path) < 0 ? (struct underlay){ .ifindex = 0 } : path;
}

bool kernel_path_is_new(struct tunnel *t)
{
	struct underlay path;

	if (find_path(t, &path) < 0) {
		t->path = (struct underlay){ .ifindex = 0 };
		return false;
	}
	/* The source is not known where the kernel's own answer is not the one that counts. */
	bool both = path.source.family != AF_UNSPEC && t->path.source.family != AF_UNSPEC;
	return path.ifindex != t->path.ifindex || !net_addr_equal(&path.via, &t->path.via) ||
	       (both && !net_addr_equal(&path.source, &t->path.source));
}

/* As after a change of Wi-Fi network: TCP would go on sending from an address that nobody answers to. */
static bool source_is_gone(const struct tunnel_attempt *a)
{
	return a->source.family != AF_UNSPEC && !underlay_has_address(a->verified.device, &a->source) &&
	       underlay_source(a->verified.device, &a->server).family != AF_UNSPEC;
}

/* What has become of the path of the session's connection, and which other one there is. */
enum path_state { PATH_GOOD, PATH_NONE, PATH_ELSEWHERE, PATH_MOVED };

static enum path_state judge_path(struct tunnel *t, struct underlay *ret_other)
{
	struct tunnel_attempt *a = t->attempt;
	struct underlay path;

	if ((t->state != TUNNEL_UP && t->state != TUNNEL_NEGOTIATING) || !a->has_verified ||
	    !a->verified.device[0])
		return PATH_GOOD;
	if (underlay_find(&a->server, is_other_device, a->verified.device, &path) == 0)
		return source_is_gone(a) ? PATH_MOVED : PATH_GOOD;
	return underlay_find(&a->server, is_tunnel, t, ret_other) == 0 ? PATH_ELSEWHERE : PATH_NONE;
}

bool kernel_has_lost_path(struct tunnel *t)
{
	struct underlay other;
	enum path_state state = judge_path(t, &other);

	return state == PATH_ELSEWHERE || state == PATH_MOVED;
}

void kernel_check_bound_path(struct tunnel *t)
{
	struct tunnel_attempt *a = t->attempt;
	const unsigned long long wait = PATH_LOSS_TIME / USEC_PER_SEC;
	char source[INET6_ADDRSTRLEN];
	struct underlay other;
	enum path_state state = judge_path(t, &other);

	switch (state) {
	case PATH_GOOD:
		if (loop_timer_is_set(&t->path_timer))
			log_info(&t->log, "%s leads to the server again", a->verified.device);
		loop_timer_clear(&t->path_timer);
		return;
	case PATH_NONE: /* there is nothing better than to wait: TCP survives that */
		loop_timer_clear(&t->path_timer);
		return;
	case PATH_ELSEWHERE:
	case PATH_MOVED:
		break;
	}
	if (if_nametoindex(a->verified.device) == 0) {
		loop_timer_set(t->host->loop, &t->path_timer, loop_now(t->host->loop));
		return;
	}
	if (loop_timer_is_set(&t->path_timer))
		return;
	if (state == PATH_MOVED)
		log_info(&t->log, "the address %s is gone: waiting %llu s for it",
			 net_addr_format(&a->source, source), wait);
	else
		log_info(&t->log, "%s no longer leads to the server, but %s does: waiting %llu s for %s",
			 a->verified.device, other.device, wait, a->verified.device);
	loop_timer_set(t->host->loop, &t->path_timer, loop_now(t->host->loop) + PATH_LOSS_TIME);
}

/* Of several addresses of IPv4 another one at each attempt: there is a route to one at a time. */
static void choose_server(struct tunnel *t, const struct worker_addresses *a)
{
	struct net_addr servers[WORKER_ADDRESSES_MAX];
	struct underlay path;
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++) {
		servers[n] = from_in6(&a->address[i]);
		n += servers[n].family == AF_INET;
	}
	if (n == 0 || underlay_find(&servers[t->failures % n], is_tunnel, t, &path) < 0)
		return;
	t->attempt->server = servers[t->failures % n];
	t->path = path;
}

bool kernel_leads_into_tunnel(struct tunnel *t, char device[static IFNAMSIZ])
{
	const struct worker_addresses *a = &t->attempt->queried;
	bool into = false;

	for (size_t i = 0; i < a->n; i++) {
		struct net_addr server = from_in6(&a->address[i]);
		struct underlay path;

		if (underlay_find(&server, is_tunnel, t, &path) == 0)
			return false; /* that was the way, and it leads nowhere */
		into = into || (underlay_device(&server, device) == 0 && is_sstpc_name(device));
	}
	return into;
}

void kernel_find_devices(struct tunnel *t, const struct worker_addresses *a, struct worker_routes *ret)
{
	*ret = (struct worker_routes){ .n = a->n };
	for (size_t i = 0; i < a->n; i++) {
		struct net_addr server = from_in6(&a->address[i]);
		struct underlay path;
		char text[INET6_ADDRSTRLEN];
		int r = underlay_find(&server, is_tunnel, t, &path);
		if (i == 0) {
			t->attempt->server = server;
			t->path = r == 0 ? path : (struct underlay){ .ifindex = 0 };
		}
		if (r == 0)
			memcpy(ret->device[i], path.device, sizeof(ret->device[i]));
		log_debug(&t->log, "path to %s: %s", net_addr_format(&server, text),
			  r == 0 ? path.device : strerror(-r));
	}
	/* Another tunnel may have the default route already, and this device filters the answers to a SYN. */
	if (t->path.ifindex != 0 && sysctl_filters_strictly(t->path.device)) {
		choose_server(t, a);
		(void)kernel_reconcile(t);
	}
}
