/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network configuration on its own, driven by lines on standard input, one answer line "ok …" or "error
 * …" for each, so that a script can look at the kernel in between. The interface lives as long as this
 * process.
 *
 *     create sstpc0            set mtu 1400         set local 10.0.0.2      set dns 10.0.0.53 10.0.0.54
 *     reconcile                remove               recover                 events
 *     underlay 192.0.2.1       plain                drain                   quit
 *
 * `plain` makes a TUN without virtio headers. After the server of `underlay`: the only device that may lead
 * there.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "io/tun.h"
#include "netconf/monitor.h"
#include "netconf/netconf.h"
#include "netconf/underlay.h"

#define WORDS_MAX 16

struct tool {
	struct netconf *nc;
	struct net_monitor monitor;
	struct net_desired want;
	struct tun tun;
	uint32_t ifindex; /* 0 = whichever has the name */
	bool plain;
};

static void answer(int r, const char *text)
{
	printf("%s%s%s\n", r < 0 ? "error" : "ok", text[0] ? " " : "", text);
	fflush(stdout);
}

static bool parse_address(const char *s, struct net_addr *ret)
{
	*ret = (struct net_addr){ .family = AF_INET };
	if (inet_pton(AF_INET, s, &ret->in) == 1)
		return true;
	*ret = (struct net_addr){ .family = AF_INET6 };
	return inet_pton(AF_INET6, s, &ret->in6) == 1;
}

static uint32_t number(const char *s)
{
	uint32_t n = 0;

	(void)parse_u32(s, 0, UINT32_MAX, &n);
	return n;
}

static bool set_choice(struct net_desired *w, const char *key, const char *value)
{
	if (strcmp(key, "default") == 0)
		w->default_route = strcmp(value, "none") == 0	  ? NET_DEFAULT_NONE
				   : strcmp(value, "halves") == 0 ? NET_DEFAULT_HALVES
								  : NET_DEFAULT_METRIC;
	else if (strcmp(key, "mss") == 0)
		w->mss = strcmp(value, "none") == 0    ? NET_MSS_NONE
			 : strcmp(value, "clamp") == 0 ? NET_MSS_CLAMP
						       : NET_MSS_VALUE;
	else if (strcmp(key, "sv") == 0)
		w->source_validation = strcmp(value, "strict") == 0    ? NET_SV_STRICT
				       : strcmp(value, "loose") == 0   ? NET_SV_LOOSE
				       : strcmp(value, "disable") == 0 ? NET_SV_DISABLE
								       : NET_SV_UNSET;
	else
		return false;
	if (w->mss == NET_MSS_VALUE && strcmp(key, "mss") == 0)
		w->mss_value = (uint16_t)number(value);
	return true;
}

static bool set_number(struct net_desired *w, const char *key, uint32_t n)
{
	if (strcmp(key, "up") == 0)
		w->admin_up = n;
	else if (strcmp(key, "carrier") == 0)
		w->carrier = n;
	else if (strcmp(key, "mtu") == 0)
		w->mtu = n;
	else if (strcmp(key, "metric") == 0)
		w->metric = n;
	else if (strcmp(key, "peer-dns") == 0)
		w->use_peer_dns = n;
	else if (strcmp(key, "no-forwarding") == 0)
		w->disable_forwarding = n;
	else
		return false;
	return true;
}

static bool set_address(struct net_desired *w, const char *key, const char *value)
{
	struct net_addr a = { .family = AF_INET };

	if (strcmp(value, "none") != 0 && !parse_address(value, &a))
		return false;
	if (strcmp(key, "local") == 0)
		w->local = a.in;
	else if (strcmp(key, "peer") == 0)
		w->peer = a.in;
	else if (strcmp(key, "link-local") == 0)
		w->link_local = a.family == AF_INET6 ? a.in6 : in6addr_any;
	else
		return false;
	return true;
}

static bool set(struct tool *t, char **words, size_t n, const char *line)
{
	struct net_desired *w = &t->want;
	const char *key = n > 1 ? words[1] : "", *value = n > 2 ? words[2] : "";

	if (strcmp(key, "description") == 0) {
		const char *text = strstr(line, "description");
		(void)snprintf(w->description, sizeof(w->description), "%s", n > 2 ? text + 12 : "");
		return true;
	}
	if (strcmp(key, "vrf") == 0) {
		(void)snprintf(w->vrf, sizeof(w->vrf), "%s", value);
		return true;
	}
	if (strcmp(key, "dns") == 0) {
		w->n_dns = 0;
		for (size_t i = 2; i < n && w->n_dns < NET_DNS_MAX; i++)
			if (!parse_address(words[i], &w->dns[w->n_dns++]))
				return false;
		return true;
	}
	return set_choice(w, key, value) || set_number(w, key, number(value)) || set_address(w, key, value);
}

static void report(int r, const struct net_report *rep, const struct failure *dns)
{
	char text[2048];
	int n = snprintf(text, sizeof(text), "changed=%d installed=%d active=%d mtu=%u table=%u dns=%s",
			 rep->changed, rep->default_installed, rep->default_active, rep->mtu, rep->table,
			 net_dns_backend_name(rep->dns_backend));

	for (unsigned i = 0; i < NET_NOTICE_COUNT; i++)
		if (rep->notices & 1u << i)
			n += snprintf(text + n, sizeof(text) - (size_t)n, " notice={%s}", rep->text[i]);
	if (rep->failure.cause != CAUSE_NONE)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " failure={%s}", rep->failure.detail);
	if (rep->resolvers.cause != CAUSE_NONE)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " dns-failure={%s}", rep->resolvers.detail);
	else if (dns->cause != CAUSE_NONE)
		(void)snprintf(text + n, sizeof(text) - (size_t)n, " dns-failure={%s}", dns->detail);
	answer(r, text);
}

static void do_create(struct tool *t, const char *name)
{
	struct tun_options options = { .name = name, .offloads = TUN_OFFLOAD_ALL, .no_vnet_hdr = t->plain };
	struct failure failure = { .cause = CAUSE_NONE };
	char text[400];

	int r = tun_create(&options, &t->tun, &failure);
	if (r < 0) {
		(void)snprintf(text, sizeof(text), "%s: %s", cause_name(failure.cause), failure.detail);
		answer(r, text);
		return;
	}
	(void)snprintf(t->want.name, sizeof(t->want.name), "%s", name);
	(void)snprintf(text, sizeof(text), "ifindex=%u vnet=%d offloads=%#x", t->tun.ifindex, t->tun.vnet_hdr,
		       t->tun.offloads);
	answer(0, text);
}

static void print_event(void *ctx _unused_, const struct net_event *e)
{
	static const char *const names[] = { "link",	   "link-gone",	 "addr",     "default-route",
					     "route-gone", "forwarding", "nft-gone", "overrun" };

	printf("event %s %u %s%s\n", names[e->kind], e->ifindex, e->name, e->up ? " up" : "");
}

/* Tells what has happened, at the latest after two seconds. */
static void do_events(struct tool *t)
{
	struct pollfd p = { .fd = t->monitor.fd, .events = POLLIN };

	(void)poll(&p, 1, 2000);
	answer(net_monitor_read(&t->monitor, print_event, NULL), "");
}

/* underlay_is_tunnel_fn */
static bool is_other_device(void *ctx, const char *name, uint32_t ifindex _unused_)
{
	return strcmp(ctx, name) != 0;
}

static void do_underlay(const char *server, char *device)
{
	struct net_addr address;
	struct underlay u;
	char source[INET6_ADDRSTRLEN], via[INET6_ADDRSTRLEN], text[200];

	int r = parse_address(server, &address)
			? underlay_find(&address, device ? is_other_device : NULL, device, &u)
			: -EINVAL;
	if (r < 0)
		(void)snprintf(text, sizeof(text), "%s", strerror(-r));
	else
		(void)snprintf(text, sizeof(text), "dev %s via %s src %s mtu %u", u.device,
			       net_addr_format(&u.via, via), net_addr_format(&u.source, source), u.mtu);
	answer(r, text);
}

static void run(struct tool *t, char **words, size_t n, const char *line)
{
	struct net_report rep = { .changed = false };
	struct failure dns = { .cause = CAUSE_NONE };
	const char *argument = n > 1 ? words[1] : "";
	char text[32];

	if (strcmp(words[0], "set") == 0) {
		answer(set(t, words, n, line) ? 0 : -EINVAL, "");
	} else if (strcmp(words[0], "create") == 0) {
		do_create(t, argument);
	} else if (strcmp(words[0], "name") == 0) {
		(void)snprintf(t->want.name, sizeof(t->want.name), "%s", argument);
		answer(0, "");
	} else if (strcmp(words[0], "ifindex") == 0) {
		answer(parse_u32(argument, 0, UINT32_MAX, &t->ifindex), "");
	} else if (strcmp(words[0], "plain") == 0) {
		t->plain = true;
		answer(0, "");
	} else if (strcmp(words[0], "reconcile") == 0 || strcmp(words[0], "remove") == 0) {
		int r = words[0][2] == 'c' ? netconf_reconcile(t->nc, t->ifindex, &t->want, &rep)
					   : netconf_remove(t->nc, t->ifindex, t->want.name, &rep);
		/* Not the last one that has ended: the one that runs counts. */
		if (netconf_resolver_is_busy(t->nc, t->want.name))
			rep.resolvers.cause = CAUSE_NONE;
		/* "reconcile now" leaves the resolver's programs running. */
		int f = argument[0] ? 0 : netconf_flush(t->nc, &dns);
		report(r < 0 ? r : rep.resolvers.cause != CAUSE_NONE ? -EIO : f, &rep, &dns);
	} else if (strcmp(words[0], "recover") == 0) {
		int r = netconf_recover(t->nc);
		(void)netconf_flush(t->nc, NULL);
		(void)snprintf(text, sizeof(text), "%d", r);
		answer(r, text);
	} else if (strcmp(words[0], "drain") == 0) {
		(void)snprintf(text, sizeof(text), "%u", tun_drain(t->tun.fd, 10000));
		answer(0, text);
	} else if (strcmp(words[0], "events") == 0) {
		do_events(t);
	} else if (strcmp(words[0], "underlay") == 0) {
		do_underlay(argument, n > 2 ? words[2] : NULL);
	} else {
		answer(-EINVAL, words[0]);
	}
}

int main(int argc, char **argv)
{
	struct netconf_options options = { .run_dir = argc > 1 ? argv[1] : NULL,
					   .resolv_conf = argc > 2 ? argv[2] : NULL };
	struct tool t = { .tun = { .fd = -1 }, .want = { .metric = NET_METRIC_DEFAULT } };
	char line[1024], copy[sizeof(line)], *words[WORDS_MAX];

	struct failure failure = { .cause = CAUSE_NONE };
	int r = netconf_new(&options, &t.nc, &failure);
	if (r == 0)
		r = net_monitor_open(&t.monitor);
	if (r < 0) {
		fprintf(stderr, "netconf-tool: %s\n", strerror(-r));
		return 1;
	}
	while (fgets(line, sizeof(line), stdin)) {
		char *save = NULL;
		size_t n = 0;

		line[strcspn(line, "\n")] = 0;
		memcpy(copy, line, sizeof(copy));
		for (char *w = strtok_r(copy, " ", &save); w && n < WORDS_MAX; w = strtok_r(NULL, " ", &save))
			words[n++] = w;
		if (n > 0 && strcmp(words[0], "quit") == 0)
			break;
		if (n > 0)
			run(&t, words, n, line);
	}
	net_monitor_close(&t.monitor);
	netconf_free(t.nc);
	tun_close(&t.tun);
	return 0;
}
