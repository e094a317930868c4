/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netconf/netconf.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "base/random.h"
#include "netconf/dns/queue.h"
#include "netconf/nft.h"
#include "netconf/observe.h"
#include "netconf/record.h"
#include "netconf/sysctl.h"

#define ROUNDS_MAX  6 /* a plan that does not come to rest is fought over with somebody */
#define RECOVER_MAX 1024

/* What is known of one interface between calls. */
struct interface {
	struct interface *next;
	char name[IFNAMSIZ];
	uint32_t ifindex;
	struct net_record record;
	/* While resolvers are being taken back: where they still are, so that a crash does not forget them.
	 */
	struct net_record dns_before;
	bool dns_pending;
	bool dns_failed;	    /* the last change: try again at the next occasion */
	struct failure dns_failure; /* why the last one that has ended has failed */
	bool server_route_refused;  /* in the present call */
	bool in_use;		    /* by a call that is not finished */
	/* What the file says, so that it is not written again and again. */
	struct net_record stored;
	uint32_t stored_ifindex;
	bool stored_known;
};

struct netconf {
	char *dir; /* RUN_DIR/net */
	char *resolv_conf, *resolv_lock;
	uint64_t netns;
	struct observer observer;
	struct dns_queue *dns;
	struct interface *interfaces;
	struct net_observed observed;
	struct net_plan plan;
	struct rtnl route, netfilter;
	struct route_cache routes;
	bool monitored;
};

/* --- life -------------------------------------------------------------------------------------------------
 */

/* Without a place for the record nothing may be changed: that is better told before a password is asked for.
 */
static int make_directories(const char *run_dir, const char *dir, struct failure *failure)
{
	int r = 0;

	if (mkdir(run_dir, 0755) < 0 && errno != EEXIST)
		r = -errno;
	else if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		r = -errno;
	else if (access(dir, W_OK | X_OK) < 0)
		r = -errno;
	if (r < 0)
		failure_set(failure, r == -EPERM || r == -EACCES ? CAUSE_NO_PRIVILEGE : CAUSE_FILE_UNWRITABLE,
			    "the run directory %s: %s; --run-dir chooses another", run_dir, strerror(-r));
	return r;
}

static int set_up(struct netconf *nc, const struct netconf_options *options, struct failure *failure)
{
	const char *run_dir = options->run_dir ? options->run_dir : NETCONF_RUN_DIR;

	nc->resolv_conf = strdup(options->resolv_conf ? options->resolv_conf : NETCONF_RESOLV_CONF);
	if (!nc->resolv_conf || asprintf(&nc->dir, "%s/net", run_dir) < 0 ||
	    asprintf(&nc->resolv_lock, "%s/resolv.lock", run_dir) < 0)
		return -ENOMEM;
	int r = make_directories(run_dir, nc->dir, failure);
	if (r < 0)
		return r;
	nc->monitored = options->monitored;
	nc->netns = record_netns();
	r = rtnl_open(&nc->route, NETLINK_ROUTE);
	if (r < 0) {
		failure_set(failure, cause_unless_limit(CAUSE_KERNEL_CONFIG, r), "rtnetlink: %s",
			    strerror(-r));
		return r;
	}
	nc->observer = (struct observer){ .route = &nc->route,
					  .resolv_conf = nc->resolv_conf,
					  .routes = &nc->routes,
					  .dns_backend = options->dns_backend };
	if (rtnl_open(&nc->netfilter, NETLINK_NETFILTER) == 0)
		nc->observer.netfilter = &nc->netfilter;
	return dns_queue_new(nc->resolv_conf, nc->resolv_lock, NETCONF_DNS_TIMEOUT_MS, &nc->dns);
}

int netconf_new(const struct netconf_options *options, struct netconf **ret, struct failure *failure)
{
	_cleanup_(netconf_freep) struct netconf *nc = calloc(1, sizeof(*nc));
	int r = nc ? set_up(nc, options, failure) : -ENOMEM;

	if (r < 0) {
		failure_set(failure, cause_unless_limit(CAUSE_INTERNAL, r), "network configuration: %s",
			    strerror(-r));
		return r;
	}
	*ret = TAKE_PTR(nc);
	return 0;
}

void netconf_free(struct netconf *nc)
{
	if (!nc)
		return;
	dns_queue_free(nc->dns);
	while (nc->interfaces) {
		struct interface *i = nc->interfaces;

		nc->interfaces = i->next;
		free(i);
	}
	rtnl_close(&nc->route);
	rtnl_close(&nc->netfilter);
	free(nc->routes.routes);
	free(nc->resolv_conf);
	free(nc->resolv_lock);
	free(nc->dir);
	free(nc);
}

int netconf_check_vrf(struct netconf *nc, const char *name)
{
	struct rtnl_link link;

	int r = rtnl_link_get(&nc->route, name, 0, &link);
	if (r < 0)
		return r;
	return link.is_vrf ? 0 : -ENOTSUP;
}

struct vrf_reader {
	void (*add)(void *ctx, const char *name);
	void *ctx;
};

static void add_if_vrf(void *ctx, const struct nlmsghdr *message)
{
	const struct vrf_reader *reader = ctx;
	struct rtnl_link link;

	if (rtnl_link_parse(message, &link) == 0 && link.is_vrf)
		reader->add(reader->ctx, link.name);
}

int netconf_list_vrfs(struct netconf *nc, void (*add)(void *ctx, const char *name), void *ctx)
{
	struct vrf_reader reader = { .add = add, .ctx = ctx };

	return rtnl_link_dump(&nc->route, add_if_vrf, &reader);
}

/* --- the record -------------------------------------------------------------------------------------------
 */

/* A corrupt record still says that something was done: look in every place that is cheap to look into. */
static void assume_worst(const struct netconf *nc, struct net_record *record)
{
	*record = (struct net_record){ .nft = true };
	record->dns_backend = nc->observer.dns_backend != NET_DNS_NONE ? nc->observer.dns_backend
								       : dns_probe(nc->resolv_conf);
}

static void load_record(struct netconf *nc, struct interface *i)
{
	struct record_owner owner = { 0 };

	int r = record_load(nc->dir, i->name, &i->record, &owner);
	if (r == -EBADMSG)
		assume_worst(nc, &i->record);
	else if (r == 0 && owner.netns != nc->netns)
		i->record = (struct net_record){ 0 };
	i->ifindex = owner.ifindex;
	i->stored = i->record;
	i->stored_ifindex = i->ifindex;
	i->stored_known = r == -ENOENT || (r == 0 && owner.netns == nc->netns);
	/* Records do not survive a reboot, but the file does: with the resolvers of a session that is over.
	 */
	if (r == -ENOENT && dns_file_has(nc->resolv_conf, i->name))
		i->record.dns_backend = NET_DNS_FILE;
}

static struct interface *find_interface(struct netconf *nc, const char *name)
{
	for (struct interface *i = nc->interfaces; i; i = i->next)
		if (strcmp(i->name, name) == 0)
			return i;
	return NULL;
}

static struct interface *get_interface(struct netconf *nc, const char *name)
{
	struct interface *i = find_interface(nc, name);

	if (i)
		return i;
	i = calloc(1, sizeof(*i));
	if (!i)
		return NULL;
	(void)snprintf(i->name, sizeof(i->name), "%s", name);
	load_record(nc, i);
	i->next = nc->interfaces;
	nc->interfaces = i;
	return i;
}

/* The device was made anew: what was on the old one is gone with it. */
static void follow_device(struct interface *i, const struct net_observed *observed)
{
	if (observed->exists && i->ifindex != observed->ifindex) {
		memset(i->record.sysctl, 0, sizeof(i->record.sysctl));
		i->record.local = i->record.peer = (struct in_addr){ INADDR_ANY };
		i->record.link_local = in6addr_any;
		i->ifindex = observed->ifindex;
	}
}

static void copy_dns(struct net_record *to, const struct net_record *from)
{
	to->dns_backend = from->dns_backend;
	to->n_dns = from->n_dns;
	memcpy(to->dns, from->dns, sizeof(to->dns));
}

/* Bytes that differ in padding alone only cost a write. */
static bool is_stored(const struct interface *i, const struct net_record *record)
{
	return i->stored_known && memcmp(&i->stored, record, sizeof(*record)) == 0 &&
	       (i->stored_ifindex == i->ifindex || net_record_is_empty(record));
}

/* Our device has gone, and who waited for its name has one already: what is on record is theirs. */
static bool has_heir(const struct netconf *nc, const struct interface *i)
{
	struct record_owner owner = { 0 };
	struct net_record record;
	uint32_t now = if_nametoindex(i->name);

	return i->ifindex != 0 && now != 0 && now != i->ifindex &&
	       record_load(nc->dir, i->name, &record, &owner) == 0 && owner.netns == nc->netns &&
	       owner.ifindex == now;
}

static int save(struct netconf *nc, struct interface *i, const struct net_record *record)
{
	struct record_owner owner = { .netns = nc->netns, .ifindex = i->ifindex };
	struct net_record out = *record;

	if (i->dns_pending && out.dns_backend == NET_DNS_NONE)
		copy_dns(&out, &i->dns_before);
	if (is_stored(i, &out) || has_heir(nc, i))
		return 0;
	int r = net_record_is_empty(&out) ? record_delete(nc->dir, i->name)
					  : record_save(nc->dir, i->name, &out, &owner);
	i->stored = out;
	i->stored_ifindex = i->ifindex;
	i->stored_known = r == 0;
	return r;
}

/* Forgets an interface that holds nothing of ours any more. */
static void forget_if_empty(struct netconf *nc, struct interface *i)
{
	struct interface **at = &nc->interfaces;

	if (i->in_use || i->dns_pending || !net_record_is_empty(&i->record))
		return;
	while (*at != i)
		at = &(*at)->next;
	*at = i->next;
	free(i);
}

/* --- the resolver -----------------------------------------------------------------------------------------
 */

static void finish_dns(struct netconf *nc, const struct dns_result *result)
{
	struct interface *i = find_interface(nc, result->ifname);

	if (!i || dns_queue_is_busy(nc->dns, i->name))
		return;
	i->dns_pending = false;
	i->dns_failed = result->failure.cause != CAUSE_NONE;
	i->dns_failure = result->failure;
	/* What could not be taken back is ours still. */
	if (i->dns_failed && !result->set && i->record.dns_backend == NET_DNS_NONE)
		copy_dns(&i->record, &i->dns_before);
	(void)save(nc, i, &i->record);
	forget_if_empty(nc, i);
}

/* Starts what waits; changes that need no program are complete afterwards. */
static void kick_dns(struct netconf *nc)
{
	struct dns_result result;

	while (!dns_queue_is_running(nc->dns) && dns_queue_process(nc->dns, clock_now(), &result) == 1)
		finish_dns(nc, &result);
}

bool netconf_resolver_is_busy(const struct netconf *nc, const char *name)
{
	return dns_queue_is_busy(nc->dns, name);
}

int netconf_fd(const struct netconf *nc)
{
	return dns_queue_fd(nc->dns);
}

usec_t netconf_deadline(const struct netconf *nc)
{
	return dns_queue_deadline(nc->dns);
}

int netconf_process(struct netconf *nc, usec_t now, struct failure *ret, char *ret_name)
{
	struct dns_result result;

	if (dns_queue_process(nc->dns, now, &result) == 0)
		return 0;
	finish_dns(nc, &result);
	if (ret)
		*ret = result.failure;
	if (ret_name)
		memcpy(ret_name, result.ifname, IFNAMSIZ);
	return 1;
}

int netconf_flush(struct netconf *nc, struct failure *ret)
{
	while (netconf_deadline(nc) != USEC_NEVER) {
		struct pollfd p = { .fd = netconf_fd(nc), .events = POLLIN };
		struct failure failure = { .cause = CAUSE_NONE };
		usec_t now = clock_now(), deadline = netconf_deadline(nc);

		if (p.fd >= 0 && deadline > now)
			(void)poll(&p, 1, (int)((deadline - now) / USEC_PER_MSEC) + 1);
		(void)netconf_process(nc, clock_now(), &failure, NULL);
		if (failure.cause != CAUSE_NONE && ret)
			failure_set(ret, failure.cause, "%s", failure.detail);
	}
	return ret && ret->cause != CAUSE_NONE ? -EIO : 0;
}

static int apply_dns(struct netconf *nc, struct interface *i, bool set)
{
	struct dns_servers dns = { .n = nc->plan.record.n_dns };

	i->dns_pending = true;
	i->dns_failed = false;
	if (!set) {
		i->dns_before = i->record;
		return dns_queue_clear(nc->dns, i->record.dns_backend, i->name);
	}
	memcpy(dns.ifname, i->name, sizeof(dns.ifname));
	memcpy(dns.servers, nc->plan.record.dns, sizeof(dns.servers));
	return dns_queue_set(nc->dns, nc->plan.record.dns_backend, &dns);
}

/* --- applying ---------------------------------------------------------------------------------------------
 */

/* Also by the way: without its last address, or down, an interface loses its routes. */
static bool changes_routes(enum net_op_kind kind)
{
	switch (kind) {
	case NET_OP_SYSCTL:
	case NET_OP_MASTER:
	case NET_OP_MTU:
	case NET_OP_ADMIN:
	case NET_OP_CARRIER:
	case NET_OP_ADDR_ADD:
	case NET_OP_ADDR_DEL:
	case NET_OP_ROUTE_ADD:
	case NET_OP_ROUTE_DEL:
		return true;
	case NET_OP_ALIAS:
	case NET_OP_NFT_SET:
	case NET_OP_NFT_DELETE:
	case NET_OP_DNS_SET:
	case NET_OP_DNS_CLEAR:
	case _NET_OP_KIND_MAX:
		break;
	}
	return false;
}

/* `error` is set where the reason is not rtnetlink's. */
static int apply(struct netconf *nc, struct interface *i, const struct net_op *op, const char *description,
		 char *error, size_t size)
{
	switch (op->kind) {
	case NET_OP_SYSCTL: {
		int r = sysctl_write_value(i->name, op->sysctl, op->value);
		if (r == -EROFS && op->sysctl < _NET_SYSCTL_IPV6)
			return rtnl_link_set_ipv4(&nc->route, i->ifindex, sysctl_ipv4_index(op->sysctl),
						  op->value);
		if (r < 0)
			(void)snprintf(error, size, "%s", strerror(-r));
		return r;
	}
	case NET_OP_ALIAS:
		return rtnl_link_set_alias(&nc->route, i->ifindex, description);
	case NET_OP_MASTER:
		return rtnl_link_set_master(&nc->route, i->ifindex, op->value);
	case NET_OP_MTU:
		return rtnl_link_set_mtu(&nc->route, i->ifindex, op->value);
	case NET_OP_ADMIN:
		return rtnl_link_set_up(&nc->route, i->ifindex, op->value);
	case NET_OP_CARRIER:
		return rtnl_link_set_carrier(&nc->route, i->ifindex, op->value);
	case NET_OP_ADDR_ADD:
	case NET_OP_ADDR_DEL:
		return rtnl_addr_change(&nc->route, op->kind == NET_OP_ADDR_ADD, i->ifindex, &op->addr,
					&op->peer, op->prefix_len);
	case NET_OP_ROUTE_ADD:
	case NET_OP_ROUTE_DEL:
		return rtnl_route_change(&nc->route, op->kind == NET_OP_ROUTE_ADD, &op->route);
	case NET_OP_NFT_SET:
		return nft_set(i->name, &op->nft, error, size);
	case NET_OP_NFT_DELETE:
		return nft_delete(i->name, error, size);
	case NET_OP_DNS_SET:
	case NET_OP_DNS_CLEAR:
		return apply_dns(nc, i, op->kind == NET_OP_DNS_SET);
	case _NET_OP_KIND_MAX:
		break;
	}
	return -EINVAL;
}

/* Somebody was faster: the object is as wished already. */
static bool is_done_already(const struct net_op *op, int error)
{
	switch (op->kind) {
	case NET_OP_ADDR_ADD:
	case NET_OP_ROUTE_ADD:
		return error == -EEXIST;
	case NET_OP_ADDR_DEL:
		return error == -EADDRNOTAVAIL;
	case NET_OP_ROUTE_DEL:
		return error == -ESRCH;
	case NET_OP_SYSCTL:
	case NET_OP_ALIAS:
	case NET_OP_MASTER:
	case NET_OP_MTU:
	case NET_OP_ADMIN:
	case NET_OP_CARRIER:
	case NET_OP_NFT_SET:
	case NET_OP_NFT_DELETE:
	case NET_OP_DNS_SET:
	case NET_OP_DNS_CLEAR:
	case _NET_OP_KIND_MAX:
		break;
	}
	return false;
}

static void apply_all(struct netconf *nc, struct interface *i, const char *description,
		      struct net_report *report)
{
	for (size_t n = 0; n < nc->plan.n_ops; n++) {
		const struct net_op *op = &nc->plan.ops[n];
		char text[192], error[200] = "";

		nc->route.error[0] = 0;
		nc->routes.valid &= !changes_routes(op->kind);
		int r = apply(nc, i, op, description, error, sizeof(error));
		if (r >= 0 || is_done_already(op, r))
			continue;
		if (op->to_server) {
			i->server_route_refused = true;
			nc->plan.record.server = (struct net_server_route){ .ifindex = 0 };
			continue;
		}
		net_op_format(op, text, sizeof(text));
		if (!error[0])
			(void)snprintf(error, sizeof(error), "%s",
				       nc->route.error[0] ? nc->route.error : strerror(-r));
		report->n_failed++;
		failure_set(&report->failure, r == -EPERM ? CAUSE_NO_PRIVILEGE : CAUSE_KERNEL_CONFIG,
			    "%s: %s: %s", i->name, text, error);
	}
}

static void fail(struct net_report *report, const char *name, const char *what, int error)
{
	report->n_failed++;
	failure_set(&report->failure, error == -EPERM ? CAUSE_NO_PRIVILEGE : CAUSE_KERNEL_CONFIG,
		    "%s: %s: %s", name, what, strerror(-error));
}

static void fail_record(const struct netconf *nc, const char *name, int error, struct net_report *report)
{
	report->n_failed++;
	failure_set(&report->failure, CAUSE_FILE_UNWRITABLE, "%s: the record of its configuration, %s/%s: %s",
		    name, nc->dir, name, strerror(-error));
}

/* One observation and its plan. */
static int look(struct netconf *nc, struct interface *i, uint32_t ifindex, const struct net_desired *desired,
		struct net_report *report)
{
	int r = net_observe(&nc->observer, i->name, ifindex, desired ? desired->vrf : "",
			    net_plan_needs(desired, &i->record), &i->record, &nc->observed);
	if (r < 0) {
		fail(report, i->name, "reading the state of the kernel", r);
		return r;
	}
	follow_device(i, &nc->observed);
	if (i->dns_failed)
		nc->observed.dns_intact = false;
	else if (dns_queue_is_busy(nc->dns, i->name))
		nc->observed.dns_intact = true; /* on its way */
	nc->observed.server_route_refused = i->server_route_refused;
	net_plan(desired, &nc->observed, &i->record, &nc->plan);
	return 0;
}

static void fill_report(const struct netconf *nc, const struct interface *i,
			const struct net_desired *desired, struct net_report *report)
{
	static const struct net_desired nothing = { .admin_up = false };
	const struct net_observed *o = &nc->observed;

	report->notices = nc->plan.notices;
	for (unsigned bit = 0; bit < NET_NOTICE_COUNT; bit++)
		if (report->notices & 1u << bit)
			net_notice_format((enum net_notice)(1u << bit), &nc->plan,
					  desired ? desired : &nothing, o, report->text[bit],
					  sizeof(report->text[bit]));
	report->ifindex = o->ifindex;
	report->mtu = o->mtu;
	report->table = o->table;
	for (size_t n = 0; n < o->n_routes; n++) {
		/* Ours, or one that a router advertisement brought: others are not observed on our device. */
		bool ours = o->routes[n].ifindex == o->ifindex && o->routes[n].prefix_len <= 1;
		report->default_installed |= ours && o->routes[n].dst.family == AF_INET;
		report->default6_installed |= ours && o->routes[n].dst.family == AF_INET6;
	}
	report->default_active = report->default_installed && o->carrier &&
				 !(report->notices & NET_NOTICE_DEFAULT_NOT_ACTIVE);
	report->default6_active = report->default6_installed && o->carrier &&
				  !(report->notices & NET_NOTICE_IPV6_DEFAULT_NOT_ACTIVE);
	for (size_t n = 0; n < o->n_addrs; n++)
		report->ipv6_global |= o->addrs[n].family == AF_INET6 &&
				       !IN6_IS_ADDR_LINKLOCAL(&o->addrs[n].local.in6);
	report->resolvers = i->dns_failure;
	report->dns_backend = i->dns_failure.cause == CAUSE_NONE ? i->record.dns_backend : NET_DNS_NONE;
}

/* What has failed in one round is not better in the next. */
static bool only_resolvers_again(const struct netconf *nc, const struct interface *i, unsigned round)
{
	if (round == 0 || !i->dns_failed)
		return false;
	for (size_t n = 0; n < nc->plan.n_ops; n++)
		if (nc->plan.ops[n].kind != NET_OP_DNS_SET && nc->plan.ops[n].kind != NET_OP_DNS_CLEAR)
			return false;
	return true;
}

static int reconcile(struct netconf *nc, struct interface *i, uint32_t ifindex,
		     const struct net_desired *desired, struct net_report *report)
{
	i->server_route_refused = false;
	for (unsigned round = 0;; round++) {
		int r = look(nc, i, ifindex, desired, report);
		if (r < 0)
			return r;
		if (nc->plan.n_ops == 0 || round == ROUNDS_MAX || report->n_failed > 0 ||
		    only_resolvers_again(nc, i, round))
			break;
		report->changed = true;
		r = save(nc, i, &nc->plan.claim);
		if (r < 0) {
			/* Without a record nothing could be taken back after a crash. */
			fail_record(nc, i->name, r, report);
			return r;
		}
		apply_all(nc, i, desired ? desired->description : "", report);
		i->record = nc->plan.record;
		kick_dns(nc);
	}
	/* The last plan may have noted values without writing any; one that is not carried out notes nothing.
	 */
	if (nc->plan.n_ops == 0)
		i->record = nc->plan.record;
	fill_report(nc, i, desired, report);
	return 0;
}

static int reconcile_name(struct netconf *nc, uint32_t ifindex, const char *name,
			  const struct net_desired *desired, struct net_report *ret)
{
	struct net_report report = { .changed = false };

	if (!is_interface_name(name))
		return -EINVAL;
	struct interface *i = get_interface(nc, name);
	if (!i)
		return -ENOMEM;
	i->in_use = true;
	nc->routes.valid &= nc->monitored;
	int r = reconcile(nc, i, ifindex, desired, &report);
	i->in_use = false;
	int saved = save(nc, i, &i->record);
	if (r == 0 && saved < 0)
		fail_record(nc, name, saved, &report);
	forget_if_empty(nc, i);
	if (ret)
		*ret = report;
	return r < 0 ? r : report.n_failed > 0 ? -EIO : 0;
}

int netconf_reconcile(struct netconf *nc, uint32_t ifindex, const struct net_desired *desired,
		      struct net_report *ret)
{
	return reconcile_name(nc, ifindex, desired->name, desired, ret);
}

int netconf_remove(struct netconf *nc, uint32_t ifindex, const char *name, struct net_report *ret)
{
	return reconcile_name(nc, ifindex, name, NULL, ret);
}

void netconf_event(struct netconf *nc, const struct net_event *event)
{
	switch (event->kind) {
	case NET_EVENT_LINK: /* IPv4 routes go with their device or address without a word */
	case NET_EVENT_LINK_GONE:
	case NET_EVENT_ADDR:
	case NET_EVENT_DEFAULT_ROUTE:
	case NET_EVENT_ROUTE_GONE:
	case NET_EVENT_OVERRUN:
	case NET_EVENT_FORWARDING: /* a linkdown setting, perhaps */
		nc->routes.valid = false;
		break;
	case NET_EVENT_NFT_GONE:
		break;
	}
}

/* --- devices ----------------------------------------------------------------------------------------------
 */

struct group_search {
	uint32_t group;
	bool found;
};

static void look_for_group(void *ctx, const struct nlmsghdr *message)
{
	struct group_search *s = ctx;
	struct rtnl_link link;

	if (rtnl_link_parse(message, &link) == 0 && link.group == s->group)
		s->found = true;
}

/* A number that no device on this system has for its group: iproute2 and the kernel take 31 bits. */
static uint32_t unused_group(struct netconf *nc)
{
	struct group_search s = { .found = false };

	random_fill(&random_system, &s.group, sizeof(s.group));
	s.group = (s.group & INT32_MAX) | 1u << 30;
	int r = rtnl_link_dump(&nc->route, look_for_group, &s);
	return r == 0 && !s.found ? s.group : 0;
}

void netconf_delete_devices(struct netconf *nc, const uint32_t *ifindex, size_t n)
{
	uint32_t group = n > 1 ? unused_group(nc) : 0;

	nc->routes.valid = false;
	for (size_t i = 0; i < n; i++)
		if (group == 0)
			(void)rtnl_link_delete(&nc->route, ifindex[i]);
		else
			(void)rtnl_link_set_group(&nc->route, ifindex[i], group);
	if (group != 0)
		(void)rtnl_link_delete_group(&nc->route, group);
}

/* --- after a crash ----------------------------------------------------------------------------------------
 */

struct names {
	struct netconf *nc;
	char (*name)[IFNAMSIZ];
	size_t n;
};

static void note_missing(void *ctx, const char *ifname)
{
	struct names *names = ctx;

	if (names->n == RECOVER_MAX || find_interface(names->nc, ifname) || if_nametoindex(ifname) != 0)
		return;
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->name[i], ifname) == 0)
			return;
	(void)snprintf(names->name[names->n++], IFNAMSIZ, "%s", ifname);
}

static void note_records(struct netconf *nc, struct names *names)
{
	DIR *dir = opendir(nc->dir);

	if (!dir)
		return;
	for (struct dirent *e; (e = readdir(dir));) {
		struct net_record record;
		struct record_owner owner = { 0 };

		if (!is_interface_name(e->d_name)) {
			record_delete_half(nc->dir, e->d_name, nc->netns);
			continue;
		}
		int r = record_load(nc->dir, e->d_name, &record, &owner);
		if (r == -EBADMSG || (r == 0 && owner.netns == nc->netns))
			note_missing(names, e->d_name);
	}
	(void)closedir(dir);
}

/* What another network namespace has on record lives there, perhaps; and what cannot be read is not judged.
 */
static bool is_gone(void *ctx, const char *ifname)
{
	struct netconf *nc = ctx;
	struct net_record record;
	struct record_owner owner = { 0 };

	if (find_interface(nc, ifname) || if_nametoindex(ifname) != 0 || errno != ENODEV)
		return false;
	int r = record_load(nc->dir, ifname, &record, &owner);
	return r == -ENOENT || (r == 0 && owner.netns == nc->netns);
}

int netconf_recover(struct netconf *nc)
{
	_cleanup_free_ char(*list)[IFNAMSIZ] = calloc(RECOVER_MAX, IFNAMSIZ);
	struct names names = { .nc = nc, .name = list };
	int cleaned = 0;

	if (!list)
		return -ENOMEM;
	note_records(nc, &names);
	if (nc->observer.netfilter)
		(void)nft_list(nc->observer.netfilter, note_missing, &names);
	for (size_t i = 0; i < names.n; i++)
		if (netconf_remove(nc, 0, names.name[i], NULL) == 0)
			cleaned++;
	/* The file outlives the records, which are in memory: without this the host would ask the resolver of
	 * a tunnel for the address of that tunnel's server, for ever. */
	int blocks = dns_file_clear_gone(nc->resolv_conf, nc->resolv_lock, is_gone, nc);
	return cleaned + MAX(blocks, 0);
}
