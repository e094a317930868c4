/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpcd/manager.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A burst of changes is looked at once. */
#define NETWORK_SETTLE (200 * USEC_PER_MSEC)
/* A worker whose daemon is gone ends its session within 3 s, usually at once. */
#define NAME_LOOK_MS  50
#define NAME_LOOKS    100
#define REMOVE_BATCH  64
#define RECOVER_PAUSE USEC_PER_SEC

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* Beside this program, beside it in the build tree, or where it is installed. */
static int find_worker(char *out, size_t size)
{
	static const char *const places[] = { "", "/../sstpc-tunnel" };
	char self[4000];

	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n > 0) {
		self[n] = 0;
		char *slash = strrchr(self, '/');
		if (slash)
			*slash = 0;
		for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
			(void)snprintf(out, size, "%s%s/sstpc-tunnel", self, places[i]);
			if (is_program(out))
				return 0;
		}
	}
	(void)snprintf(out, size, "%s/sstpc-tunnel", SSTPCD_LIBEXECDIR);
	return is_program(out) ? 0 : -ENOENT;
}

/* News of the kernel */

static bool is_ours(const struct manager *m, uint32_t ifindex)
{
	for (size_t i = 0; i < m->n_tunnels; i++)
		if (m->tunnels[i]->tun.ifindex == ifindex)
			return true;
	return false;
}

static void network_changed_soon(struct manager *m)
{
	if (!loop_timer_is_set(&m->network_timer))
		loop_timer_set(&m->loop, &m->network_timer, loop_now(&m->loop) + NETWORK_SETTLE);
}

/* Of a program of ours, living or crashed: there is a record of what it did to the interface, or a trace. */
static bool is_recorded(const struct manager *m, const char *name)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/net/%s", m->run_dir, name);
	return access(path, F_OK) == 0 || dns_file_has(m->resolv_conf, name);
}

static void recover(struct manager *m)
{
	loop_timer_clear(&m->recover_timer);
	int cleaned = netconf_recover(m->netconf);
	if (cleaned > 0)
		log_notice(&m->log, "removed what %d interface%s of a crashed process had left", cleaned,
			   cleaned == 1 ? "" : "s");
}

static void on_recover_timer(void *ctx)
{
	recover(ctx);
}

/*
 * The worker of a crashed daemon keeps its interface until it has said goodbye to the server. Whoever lives
 * takes away by himself what belongs to his.
 */
static void look_for_leftovers(struct manager *m, const struct net_event *event)
{
	bool gone = event->kind == NET_EVENT_LINK_GONE && !is_ours(m, event->ifindex) &&
		    is_recorded(m, event->name);

	if ((gone || event->kind == NET_EVENT_OVERRUN) && !loop_timer_is_set(&m->recover_timer))
		loop_timer_set(&m->loop, &m->recover_timer, loop_now(&m->loop) + RECOVER_PAUSE);
}

static void on_net_event(void *ctx, const struct net_event *event)
{
	struct manager *m = ctx;

	netconf_event(m->netconf, event);
	for (size_t i = 0; i < m->n_tunnels; i++)
		tunnel_kernel_event(m->tunnels[i], event);
	if (event->ifindex == 0 || !is_ours(m, event->ifindex))
		network_changed_soon(m);
	look_for_leftovers(m, event);
}

static void on_monitor(void *ctx, uint32_t events)
{
	struct manager *m = ctx;

	(void)events;
	int r = net_monitor_read(&m->monitor, on_net_event, m);
	if (r < 0) {
		log_error(&m->log, "the kernel's messages can no longer be read: %s", strerror(-r));
		loop_fd_remove(&m->monitor_source);
	}
}

static void on_resolv_conf(void *ctx, uint32_t events)
{
	struct manager *m = ctx;

	(void)events;
	if (!dns_watch_read(&m->dns_watch))
		return;
	for (size_t i = 0; i < m->n_tunnels; i++)
		tunnel_resolv_conf_changed(m->tunnels[i]);
}

static void on_network_timer(void *ctx)
{
	struct manager *m = ctx;
	usec_t asleep = m->asleep;

	m->asleep = 0;
	for (size_t i = 0; i < m->n_tunnels; i++)
		tunnel_network_changed(m->tunnels[i], asleep);
}

static void on_resume(void *ctx, usec_t asleep)
{
	struct manager *m = ctx;

	log_info(&m->log, "the machine was asleep for %llu s", (unsigned long long)(asleep / USEC_PER_SEC));
	m->asleep = asleep;
	network_changed_soon(m);
}

/* The background work of netconf */

static void process_netconf(struct manager *m)
{
	struct failure failure = { .cause = CAUSE_NONE };
	char name[IFNAMSIZ] = "";

	if (netconf_process(m->netconf, clock_now(), &failure, name) <= 0)
		return;
	for (size_t i = 0; i < m->n_tunnels; i++)
		if (strcmp(m->tunnels[i]->tun.name, name) == 0) {
			kernel_resolvers_done(m->tunnels[i], &failure);
			return;
		}
	if (failure.cause != CAUSE_NONE) {
		struct logger log = m->log;
		log.tag = name;
		log_error(&log, "%s: %s", cause_summary(failure.cause), failure.detail);
	}
}

static void on_netconf(void *ctx, uint32_t events)
{
	(void)events;
	process_netconf(ctx);
}

static void on_netconf_timer(void *ctx)
{
	process_netconf(ctx);
}

/* netconf's descriptor and deadline change with every call into it, which happen anywhere below us. */
static void watch_netconf(struct manager *m)
{
	int fd = netconf_fd(m->netconf);

	if (!loop_fd_is_added(&m->netconf_source) || m->netconf_source.fd != fd) {
		loop_fd_remove(&m->netconf_source);
		if (fd >= 0)
			(void)loop_fd_add(&m->loop, &m->netconf_source, fd, EPOLLIN);
	}
	loop_timer_set(&m->loop, &m->netconf_timer, netconf_deadline(m->netconf));
}

/* Any call into netconf may have ended a change of the resolver, of another interface, too. */
static void follow_resolver(struct manager *m)
{
	for (size_t i = m->n_tunnels; i-- > 0;)
		tunnel_resolver_changed(m->tunnels[i]);
}

int manager_run(struct manager *m)
{
	while (!loop_stopped(&m->loop)) {
		watch_netconf(m);
		int r = loop_step(&m->loop, USEC_NEVER);
		if (r < 0)
			return r;
		follow_resolver(m);
	}
	return loop_run(&m->loop); /* the result */
}

/* Life */

static int open_netconf(struct manager *m, const struct manager_options *options, struct failure *failure)
{
	struct netconf_options nc = { .run_dir = options->run_dir,
				      .resolv_conf = options->resolv_conf,
				      .monitored = true };

	return netconf_new(&nc, &m->netconf, failure);
}

int manager_init(struct manager *m, const struct manager_options *options, const struct logger *log,
		 struct failure *failure)
{
	*m = (struct manager){ .log = *log,
			       .run_dir = options->run_dir ? options->run_dir : NETCONF_RUN_DIR,
			       .resolv_conf = options->resolv_conf ? options->resolv_conf
								   : NETCONF_RESOLV_CONF,
			       .patience = NAME_LOOKS,
			       .dns_watch = { .fd = -1 },
			       .monitor = { .fd = -1, .rtnl = -1, .nft = -1 } };
	int r = loop_init(&m->loop);
	if (r < 0) {
		failure_set(failure, cause_unless_limit(CAUSE_INTERNAL, r), "no event loop: %s",
			    strerror(-r));
		return r;
	}
	r = open_netconf(m, options, failure);
	if (r < 0)
		goto fail;
	if (options->worker_path)
		(void)snprintf(m->worker_path, sizeof(m->worker_path), "%s", options->worker_path);
	r = options->worker_path ? is_program(m->worker_path) ? 0 : -ENOENT
				 : find_worker(m->worker_path, sizeof(m->worker_path));
	if (r < 0) {
		failure_set(failure, CAUSE_FILE_UNREADABLE, "the program %s is missing", m->worker_path);
		goto fail;
	}
	r = net_monitor_open(&m->monitor);
	m->monitor_source = (struct loop_fd){ .fn = on_monitor, .ctx = m };
	if (r == 0)
		r = loop_fd_add(&m->loop, &m->monitor_source, m->monitor.fd, EPOLLIN);
	m->resume = (struct loop_resume){ .fn = on_resume, .ctx = m };
	if (r == 0)
		r = loop_resume_add(&m->loop, &m->resume);
	dns_watch_open(&m->dns_watch, m->resolv_conf);
	m->dns_source = (struct loop_fd){ .fn = on_resolv_conf, .ctx = m };
	if (r == 0 && m->dns_watch.fd >= 0)
		r = loop_fd_add(&m->loop, &m->dns_source, m->dns_watch.fd, EPOLLIN);
	if (r < 0) {
		failure_set(failure, cause_unless_limit(CAUSE_INTERNAL, r),
			    "the kernel's messages cannot be read: %s", strerror(-r));
		goto fail;
	}
	m->recover_timer = (struct loop_timer){ .fn = on_recover_timer, .ctx = m };
	recover(m); /* what goes from now on is told */
	m->netconf_source = (struct loop_fd){ .fn = on_netconf, .ctx = m };
	m->netconf_timer = (struct loop_timer){ .fn = on_netconf_timer, .ctx = m };
	m->network_timer = (struct loop_timer){ .fn = on_network_timer, .ctx = m };
	m->host = (struct tunnel_host){ .loop = &m->loop,
					.netconf = m->netconf,
					.dns_watch = &m->dns_watch,
					.worker_path = m->worker_path,
					.log = &m->log,
					.random = random_system };
	return 0;
fail:
	manager_done(m);
	return r;
}

static bool is_any(const struct tunnel *t)
{
	(void)t;
	return true;
}

void manager_done(struct manager *m)
{
	struct failure failure = { .cause = CAUSE_NONE };

	while (manager_remove_due(m, is_any))
		;
	free(m->tunnels);
	m->tunnels = NULL;
	loop_resume_remove(&m->resume);
	loop_fd_remove(&m->netconf_source);
	loop_fd_remove(&m->monitor_source);
	loop_fd_remove(&m->dns_source);
	dns_watch_close(&m->dns_watch);
	net_monitor_close(&m->monitor);
	if (loop_timer_is_set(&m->recover_timer))
		recover(m);
	if (m->netconf && netconf_flush(m->netconf, &failure) < 0)
		log_error(&m->log, "%s: %s", cause_summary(failure.cause), failure.detail);
	netconf_free(m->netconf);
	m->netconf = NULL;
	loop_done(&m->loop);
}

static int grow(struct manager *m)
{
	struct tunnel **tunnels = reallocarray(m->tunnels, m->n_tunnels + 1, sizeof(*tunnels));

	if (!tunnels)
		return -ENOMEM;
	m->tunnels = tunnels;
	return 0;
}

static void await_name(struct manager *m, const char *name)
{
	while (m->patience > 0 && is_recorded(m, name) && if_nametoindex(name) != 0) {
		(void)poll(NULL, 0, NAME_LOOK_MS);
		m->patience--;
	}
}

int manager_add(struct manager *m, const struct config_interface *config,
		const struct tunnel_options *options, struct tunnel **ret, struct failure *failure)
{
	struct tunnel *t;

	int r = grow(m);
	if (r < 0) {
		failure_set(failure, CAUSE_INTERNAL, "out of memory");
		return r;
	}
	await_name(m, config->name);
	r = tunnel_new(&m->host, config, options, &t, failure);
	if (r < 0)
		return r;
	m->tunnels[m->n_tunnels++] = t;
	*ret = t;
	return 0;
}

int manager_adopt(struct manager *m, const struct config_interface *config, const struct tun *tun,
		  struct tunnel **ret)
{
	int r = grow(m);

	if (r == 0)
		r = tunnel_adopt(&m->host, config, NULL, tun, ret);
	if (r == 0)
		m->tunnels[m->n_tunnels++] = *ret;
	return r;
}

void manager_remove(struct manager *m, struct tunnel *t)
{
	for (size_t i = 0; i < m->n_tunnels; i++)
		if (m->tunnels[i] == t) {
			m->tunnels[i] = m->tunnels[--m->n_tunnels];
			tunnel_free(t);
			return;
		}
}

bool manager_remove_due(struct manager *m, bool (*due)(const struct tunnel *t))
{
	struct tunnel *batch[REMOVE_BATCH];
	uint32_t devices[REMOVE_BATCH];
	size_t n = 0, n_devices = 0;

	for (size_t i = 0; i < m->n_tunnels && n < REMOVE_BATCH; i++)
		if (due(m->tunnels[i]))
			batch[n++] = m->tunnels[i];
	for (size_t i = 0; i < n; i++)
		if (tun_is_attached(&batch[i]->tun))
			devices[n_devices++] = batch[i]->tun.ifindex;
	if (n_devices > 0)
		netconf_delete_devices(m->netconf, devices, n_devices);
	for (size_t i = 0; i < n; i++)
		manager_remove(m, batch[i]);
	return n == REMOVE_BATCH;
}

struct tunnel *manager_find(const struct manager *m, const char *name)
{
	for (size_t i = 0; i < m->n_tunnels; i++)
		if (strcmp(m->tunnels[i]->config.name, name) == 0)
			return m->tunnels[i];
	return NULL;
}
