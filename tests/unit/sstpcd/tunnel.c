/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The supervisor with real workers (tests/integration/fake-worker.c), but without a kernel: the functions of
 * netconf and io/tun.h that it calls are replaced below, and what it wishes for is looked at.
 */
#include "sstpcd/tunnel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netconf/sysctl.h"
#include "test.h"

/* The replaced kernel */

static struct kernel {
	struct net_desired wish;
	unsigned created, reconciled, removed, deleted, drained;
	bool deleted_by_others, refuse_device;
	unsigned refused;
	uint32_t ifindex; /* of the last call to netconf */
	bool carrier_when_drained;
	bool refuse;
	bool resolver_busy;
	struct underlay path; /* ifindex 0: no path */
	uint32_t source;      /* the only address of the host */
	bool strict_filter;
} kernel;

int tun_create(const struct tun_options *options, struct tun *ret, struct failure *failure)
{
	if (kernel.refuse_device) {
		kernel.refused++;
		failure_set(failure, CAUSE_NAME_IN_USE, "%s exists already", options->name);
		return -EBUSY;
	}
	kernel.created++;
	kernel.deleted_by_others = false;
	*ret = (struct tun){ .fd = open("/dev/null", O_RDWR | O_CLOEXEC),
			     .ifindex = 76 + kernel.created,
			     .vnet_hdr = true };
	(void)snprintf(ret->name, sizeof(ret->name), "%s", options->name);
	return ret->fd < 0 ? -errno : 0;
}

bool tun_is_attached(const struct tun *tun)
{
	return tun->fd >= 0 && !kernel.deleted_by_others;
}

void tun_close(struct tun *tun)
{
	tun->fd = close_fd(tun->fd);
}

unsigned tun_drain(int fd, unsigned limit)
{
	(void)fd;
	(void)limit;
	kernel.drained++;
	kernel.carrier_when_drained |= kernel.wish.carrier;
	return 0;
}

int netconf_reconcile(struct netconf *nc, uint32_t ifindex, const struct net_desired *desired,
		      struct net_report *ret)
{
	kernel.ifindex = ifindex;
	(void)nc;
	bool changed = memcmp(&kernel.wish, desired, sizeof(*desired)) != 0;
	kernel.wish = *desired;
	kernel.reconciled++;
	*ret = (struct net_report){ .changed = changed };
	if (!kernel.refuse || !desired->carrier)
		return 0;
	ret->n_failed = 1;
	failure_set(&ret->failure, CAUSE_KERNEL_CONFIG, "address add: refused");
	return -EINVAL;
}

int netconf_remove(struct netconf *nc, uint32_t ifindex, const char *name, struct net_report *ret)
{
	kernel.ifindex = ifindex;
	(void)nc;
	(void)name;
	*ret = (struct net_report){ .changed = true };
	kernel.removed++;
	return 0;
}

int underlay_find(const struct net_addr *server, underlay_is_tunnel_fn is_tunnel, void *ctx,
		  struct underlay *ret)
{
	(void)server;
	if (kernel.path.ifindex == 0 ||
	    (is_tunnel && is_tunnel(ctx, kernel.path.device, kernel.path.ifindex)))
		return -ENETUNREACH;
	*ret = kernel.path;
	return 0;
}

int underlay_device(const struct net_addr *server, char device[static IFNAMSIZ])
{
	(void)server;
	memcpy(device, kernel.path.device, IFNAMSIZ);
	return kernel.path.ifindex ? 0 : -ENETUNREACH;
}

void netconf_delete_devices(struct netconf *nc, const uint32_t *ifindex, size_t n)
{
	(void)nc;
	(void)ifindex;
	kernel.deleted += (unsigned)n;
}

struct net_addr underlay_source(const char *device, const struct net_addr *server)
{
	(void)device;
	(void)server;
	return (struct net_addr){ .family = AF_INET, .in.s_addr = htonl(kernel.source) };
}

bool underlay_has_address(const char *device, const struct net_addr *addr)
{
	(void)device;
	return addr->in.s_addr == htonl(kernel.source);
}

bool sysctl_filters_strictly(const char *ifname)
{
	(void)ifname;
	return kernel.strict_filter;
}

bool netconf_resolver_is_busy(const struct netconf *nc, const char *name)
{
	(void)nc;
	(void)name;
	return kernel.resolver_busy;
}

bool is_sstpc_name(const char *name)
{
	return strncmp(name, "sstpc", 5) == 0;
}

/* The world of one test */

struct world {
	char dir[64];
	struct loop loop;
	struct logger log;
	struct tunnel_host host;
	struct config_interface config;
	struct tunnel *t;
	char notes[256];
	size_t n_notes;
	unsigned closed; /* how often that was told */
};

static void on_note(void *ctx, struct tunnel *t, enum tunnel_note note)
{
	static const char letters[] = {
		[TUNNEL_NOTE_STATE] = 's',  [TUNNEL_NOTE_STAGE] = 'g', [TUNNEL_NOTE_VERIFIED] = 'v',
		[TUNNEL_NOTE_KERNEL] = 'k', [TUNNEL_NOTE_STATS] = 'c', [TUNNEL_NOTE_FAILURE] = 'F',
		[TUNNEL_NOTE_CLOSED] = 'C'
	};
	struct world *w = ctx;

	(void)t;
	if (w->n_notes + 1 < sizeof(w->notes))
		w->notes[w->n_notes++] = letters[note];
	w->closed += note == TUNNEL_NOTE_CLOSED;
}

static void in_dir(const struct world *w, const char *name, char *out, size_t size)
{
	(void)snprintf(out, size, "%s/%s", w->dir, name);
}

static void write_file(const struct world *w, const char *name, const char *text)
{
	char path[128];

	in_dir(w, name, path, sizeof(path));
	FILE *f = fopen(path, "w");
	if (!f || fputs(text, f) < 0)
		abort();
	(void)fclose(f);
}

static void read_file(const struct world *w, const char *name, char *out, size_t size)
{
	char path[128];

	in_dir(w, name, path, sizeof(path));
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(out, 1, size - 1, f) : 0;
	out[n] = 0;
	if (f)
		(void)fclose(f);
}

static unsigned workers_started(const struct world *w)
{
	char text[1024];
	unsigned n = 0;

	read_file(w, "count", text, sizeof(text));
	for (const char *p = text; *p; p++)
		n += *p == '\n';
	return n;
}

static void world_init(struct world *w, const char *script)
{
	struct failure failure = { .cause = CAUSE_NONE };

	kernel = (struct kernel){ .path = { .ifindex = 2, .device = "eth0" } };
	*w = (struct world){ .log = { .max = LOG_LEVEL_ERROR, .fd = 2 } };
	(void)snprintf(w->dir, sizeof(w->dir), "/tmp/sstpcd-test.XXXXXX");
	if (!mkdtemp(w->dir) || loop_init(&w->loop) < 0 || setenv("FAKE_WORKER", w->dir, 1) < 0)
		abort();
	write_file(w, "script", script);
	w->host = (struct tunnel_host){ .loop = &w->loop,
					.worker_path = FAKE_WORKER,
					.log = &w->log,
					.random = random_system,
					.observe = on_note,
					.observe_ctx = w };
	config_interface_init(&w->config, "sstpc9");
	(void)snprintf(w->config.server, sizeof(w->config.server), "vpn.example.com");
	(void)snprintf(w->config.username, sizeof(w->config.username), "alice");
	(void)secret_set(&w->config.password, "pass word", 9);
	if (tunnel_new(&w->host, &w->config, NULL, &w->t, &failure) < 0)
		abort();
}

static void world_done(struct world *w)
{
	char command[128];

	if (w->t)
		tunnel_free(w->t);
	config_interface_done(&w->config);
	loop_done(&w->loop);
	static const char *const names[] = { "script",	 "script.1", "script.2", "script.3", "count",
					     "password", "routes",   "go",	 "mtu",	     "auth" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		in_dir(w, names[i], command, sizeof(command));
		(void)unlink(command);
	}
	(void)rmdir(w->dir);
}
#define _cleanup_world_ _cleanup_(world_done)

/* Rounds of the loop until the tunnel is in `state`; false after 20 s. */
static bool reach(struct world *w, enum tunnel_state state)
{
	usec_t end = clock_now() + 20 * USEC_PER_SEC;

	while (w->t->state != state && clock_now() < end)
		if (loop_step(&w->loop, 100 * USEC_PER_MSEC) < 0)
			return false;
	if (w->t->state != state)
		printf("# is %s\n", tunnel_state_name(w->t->state));
	return w->t->state == state;
}

/* Rounds until a file is there. */
static bool reach_file(struct world *w, const char *name)
{
	char path[128];
	usec_t end = clock_now() + 20 * USEC_PER_SEC;

	in_dir(w, name, path, sizeof(path));
	while (access(path, F_OK) < 0 && clock_now() < end)
		if (loop_step(&w->loop, 10 * USEC_PER_MSEC) < 0)
			return false;
	return access(path, F_OK) == 0;
}

static usec_t wait_of(const struct world *w)
{
	return tunnel_next_attempt(w->t) - loop_now(&w->loop);
}

#define UP                                     \
	"stage resolve\nquery 192.0.2.7\n"     \
	"stage connect 192.0.2.7\nstage TLS\n" \
	"verified 192.0.2.7 eth0\npassword\n"  \
	"stage LCP\nlink 1400 1500 4\n"        \
	"up 10.0.0.2 10.0.0.1 192.0.2.53 192.0.2.54 1400 4\n"

static void a_session_comes_up_and_goes(void)
{
	_cleanup_world_ struct world w;
	char text[64];
	struct in_addr a;

	world_init(&w, UP "stop\n");
	check_int(w.t->state, TUNNEL_HELD);
	check(kernel.wish.admin_up && !kernel.wish.carrier && kernel.wish.mtu == 1500);
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check_int(w.t->state, TUNNEL_DIALLING);
	check(reach(&w, TUNNEL_UP));
	check_int(kernel.drained, 1);
	check(!kernel.carrier_when_drained);
	read_file(&w, "password", text, sizeof(text));
	check_str(text, "pass word");
	read_file(&w, "routes", text, sizeof(text));
	check_str(text, "eth0\n");
	check(kernel.wish.carrier && kernel.wish.mtu == 1400);
	check_int(inet_pton(AF_INET, "10.0.0.2", &a), 1);
	check_int(kernel.wish.local.s_addr, a.s_addr);
	check_int(inet_pton(AF_INET, "10.0.0.1", &a), 1);
	check_int(kernel.wish.peer.s_addr, a.s_addr);
	check_int(kernel.wish.n_dns, 2);
	check_int(kernel.wish.default_route, NET_DEFAULT_METRIC);
	check_int(kernel.wish.metric, 210);
	check_int(w.t->attempt->stage, STAGE_UP);
	check(w.t->attempt->has_link && w.t->attempt->link.mru == 1500);

	tunnel_event(w.t, TUNNEL_EVENT_DISCONNECT);
	check_int(w.t->state, TUNNEL_STOPPING);
	check(!kernel.wish.carrier); /* at once, before the worker has ended */
	check(reach(&w, TUNNEL_HELD));
	check_int(kernel.wish.local.s_addr, 0);
	check_int(kernel.wish.mtu, 1500);
	check(!process_is_alive(&w.t->process));
	check_int(w.t->failure.cause, CAUSE_NONE);
}

/* A session of the same interface after a drop: addresses stay, the carrier does not, and the next is
 * dialled. */
static void a_lost_session_is_dialled_again_and_the_address_stays(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, UP "stop\n");
	write_file(&w, "script.1", UP "await go\nfail connection-lost reset by peer\nexit 0\n");
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_UP));
	write_file(&w, "go", "");
	check(reach(&w, TUNNEL_WAITING));
	check(!kernel.wish.carrier && kernel.wish.local.s_addr != 0 && kernel.wish.n_dns == 0);
	check_int(kernel.wish.mtu, 1400);
	check_int(w.t->failure.cause, CAUSE_CONNECTION_LOST);
	check_str(w.t->failure.detail, "reset by peer");
	check_int(w.t->failure.stage, STAGE_UP);
	check(wait_of(&w) >= USEC_PER_SEC - 200000 && wait_of(&w) <= 2 * USEC_PER_SEC);
	check(reach(&w, TUNNEL_UP)); /* by itself, after 1 to 2 s */
	check_int(w.t->sessions, 2);
	check_int(workers_started(&w), 2);
	check_int(kernel.drained, 2);
	check(!kernel.carrier_when_drained);
}

/* The resolvers of the session that is over cannot be asked any more. */
static void a_lookup_waits_until_the_resolver_is_the_hosts_again(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, UP "stop\n");
	kernel.resolver_busy = true;
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check_int(w.t->state, TUNNEL_DIALLING);
	check(!process_is_alive(&w.t->process));
	tunnel_resolver_changed(w.t); /* of this interface, but not the last change */
	check(!process_is_alive(&w.t->process));
	kernel.resolver_busy = false;
	tunnel_resolver_changed(w.t);
	check(process_is_alive(&w.t->process));
	check(reach(&w, TUNNEL_UP));
	tunnel_resolver_changed(w.t); /* its own are set now */
	check_int(w.t->state, TUNNEL_UP);
	tunnel_event(w.t, TUNNEL_EVENT_DISCONNECT);
	check(reach(&w, TUNNEL_HELD));
	/* A disconnect in between. */
	kernel.resolver_busy = true;
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	tunnel_event(w.t, TUNNEL_EVENT_DISCONNECT);
	check_int(w.t->state, TUNNEL_HELD);
	tunnel_resolver_changed(w.t);
	check_int(workers_started(&w), 1);
	/* A program that hangs does not keep us for long. */
	usec_t begin = clock_now();
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_UP));
	check(clock_now() - begin >= 3 * USEC_PER_SEC);
	tunnel_event(w.t, TUNNEL_EVENT_DISCONNECT);
	check(reach(&w, TUNNEL_HELD));
	/* An address is not looked up. */
	(void)snprintf(w.config.server, sizeof(w.config.server), "192.0.2.7");
	check_int(tunnel_configure(w.t, &w.config), 0);
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(process_is_alive(&w.t->process));
}

static void transient_failures_wait_longer_and_longer(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, "stage connect\nfail connection-refused\nexit 0\n");
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	for (unsigned i = 0; i < 8; i++) {
		usec_t top = MIN(2u << i, 60u) * USEC_PER_SEC;
		check(reach(&w, TUNNEL_WAITING));
		usec_t set = tunnel_next_attempt(w.t) - w.t->state_since;
		check(set >= top / 2 && set <= top);
		check_int(w.t->failures, i + 1);
		check_int(w.t->failure.stage, STAGE_CONNECT);
		tunnel_event(w.t, TUNNEL_EVENT_TIMER);
	}
}

static void jitter_spreads_the_attempts(void)
{
	_cleanup_world_ struct world w;
	usec_t first = 0;
	bool differ = false;

	world_init(&w, "fail connection-refused\nexit 0\n");
	for (int i = 0; i < 6; i++) {
		tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
		check(reach(&w, TUNNEL_WAITING));
		usec_t set = tunnel_next_attempt(w.t) - w.t->state_since;
		differ |= first != 0 && set != first;
		first = set;
	}
	check(differ);
}

static void a_wrong_password_is_not_hammered(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, "fail authentication-failed E=691\nexit 0\n");
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_WAITING));
	check_int(tunnel_next_attempt(w.t) - w.t->state_since, 600 * USEC_PER_SEC);
	/* Another network does not make it right … */
	kernel.path.ifindex = 3;
	tunnel_network_changed(w.t, 0);
	check(wait_of(&w) > 590 * USEC_PER_SEC);
	/* … but a user may know better. */
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check_int(w.t->state, TUNNEL_DIALLING);
	check(reach(&w, TUNNEL_WAITING));
	check_int(workers_started(&w), 2);
}

/* The server may still hold the session that was lost. */
static void a_password_that_has_worked_is_tried_again(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, "fail authentication-failed E=691\nexit 0\n");
	write_file(&w, "script.1", UP "await go\nfail connection-lost reset by peer\nexit 0\n");
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_UP));
	write_file(&w, "go", "");
	check(reach(&w, TUNNEL_WAITING));
	for (usec_t minutes = 1; minutes <= 2; minutes++) {
		tunnel_event(w.t, TUNNEL_EVENT_TIMER);
		check(reach(&w, TUNNEL_WAITING));
		check_int(w.t->failure.cause, CAUSE_AUTH_FAILED);
		check_int(tunnel_next_attempt(w.t) - w.t->state_since, minutes * 60 * USEC_PER_SEC);
		kernel.path.ifindex++; /* another network does not make it right */
		tunnel_network_changed(w.t, 0);
		check(wait_of(&w) > 50 * USEC_PER_SEC);
	}
}

/* Directories lock an account after a few wrong passwords within half an hour, also one that was changed
 * while the tunnel was up. */
static void a_wrong_password_does_not_lock_the_account(void)
{
	for (int proven = 0; proven < 2; proven++) {
		_cleanup_world_ struct world w;

		world_init(&w, "fail authentication-failed E=691\nexit 0\n");
		w.t->proven = proven;
		tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
		for (int i = 1; i <= 6; i++) {
			check(reach(&w, TUNNEL_WAITING));
			usec_t wait = tunnel_next_attempt(w.t) - w.t->state_since;
			check(wait >= (i < 3 ? 60 : 1800) * USEC_PER_SEC);
			tunnel_event(w.t, TUNNEL_EVENT_TIMER);
		}
	}
}

/* One that has no policy for the user says that it does not take MS-CHAPv2, and then refuses the name in EAP.
 * The policy that it gets later may be for MS-CHAPv2. */
static void eap_is_tried_at_once_and_not_for_good(void)
{
	_cleanup_world_ struct world w;
	char text[64];

	world_init(&w, "auth\nfail connection-refused\nexit 0\n");
	write_file(&w, "script.1", "fail authentication-eap E=812\nexit 0\n");
	write_file(&w, "script.2", "auth\nfail connection-lost\nexit 0\n");
	write_file(&w, "script.3", "auth\nfail authentication-failed\nexit 0\n");
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach_file(&w, "auth")); /* by the second attempt, for which nothing was waited */
	check(reach(&w, TUNNEL_WAITING));
	check_int(workers_started(&w), 2);
	read_file(&w, "auth", text, sizeof(text));
	check_str(text, "0x4c\n");
	tunnel_event(w.t, TUNNEL_EVENT_TIMER);
	check(reach(&w, TUNNEL_WAITING));
	read_file(&w, "auth", text, sizeof(text));
	check_str(text, "0x4c\n");
	check_int(w.t->failure.cause, CAUSE_AUTH_FAILED);
	check_int(tunnel_next_attempt(w.t) - w.t->state_since, 600 * USEC_PER_SEC);
	tunnel_event(w.t, TUNNEL_EVENT_TIMER);
	check(reach(&w, TUNNEL_WAITING));
	read_file(&w, "auth", text, sizeof(text));
	check_str(text, "0xc\n");
}

/* Or a worker that somebody has taken over would be started again and again without a wait. */
static void a_worker_that_took_eap_first_cannot_ask_for_it(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, "auth\nfail authentication-eap E=812\nexit 0\n");
	write_file(&w, "script.1", "fail authentication-eap E=812\nexit 0\n");
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach_file(&w, "auth"));
	check(reach(&w, TUNNEL_WAITING));
	check_int(workers_started(&w), 2);
	check_int(w.t->failure.cause, CAUSE_WORKER_BROKEN);
	check(tunnel_next_attempt(w.t) - w.t->state_since >= 2 * USEC_PER_SEC);
}

static void another_path_is_tried_at_once(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, "fail connect-timeout\nexit 0\n");
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_WAITING));
	for (int i = 0; i < 5; i++) { /* far back */
		tunnel_event(w.t, TUNNEL_EVENT_TIMER);
		check(reach(&w, TUNNEL_WAITING));
	}
	usec_t planned = tunnel_next_attempt(w.t);
	tunnel_network_changed(w.t, 0); /* something changed, but not the path */
	check(tunnel_next_attempt(w.t) == planned);
	kernel.path.ifindex = 0; /* no path is no reason */
	tunnel_network_changed(w.t, 0);
	check(tunnel_next_attempt(w.t) == planned);
	kernel.path = (struct underlay){ .ifindex = 2, .device = "eth0" }; /* the old one came back */
	tunnel_network_changed(w.t, 0);
	check(wait_of(&w) <= USEC_PER_SEC);
	check(tunnel_next_attempt(w.t) >= w.t->attempt->started + USEC_PER_SEC); /* once a second at most */
}

static void a_resumed_machine_tries_at_once(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, UP "stop\n");
	write_file(&w, "script.1", "fail connect-timeout\nexit 0\n");
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_WAITING));
	tunnel_network_changed(w.t, 5 * USEC_PER_SEC);
	check(wait_of(&w) <= USEC_PER_SEC);
	check(reach(&w, TUNNEL_UP));
	/* A nap harms no session, a night does. */
	tunnel_network_changed(w.t, 5 * USEC_PER_SEC);
	check_int(w.t->state, TUNNEL_UP);
	tunnel_network_changed(w.t, 3600 * USEC_PER_SEC);
	check_int(w.t->state, TUNNEL_STOPPING);
	check(reach(&w, TUNNEL_UP));
	check_int(workers_started(&w), 3);
}

/* It was verified and refused at once: by the time the password is sent nobody is there to take it. */
static void a_worker_that_ended_before_it_was_answered_is_heard(void)
{
	_cleanup_world_ struct world w;
	siginfo_t ended;

	world_init(&w, "stage tls\nverified 192.0.2.1 eth0\nstage http\nfail not-sstp noise\nexit 0\n");
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check_int(waitid(P_PID, (id_t)w.t->process.child.pid, &ended, WEXITED | WNOWAIT), 0);
	check(reach(&w, TUNNEL_WAITING));
	check_int(w.t->failure.cause, CAUSE_HTTP_NOT_SSTP);
	check_str(w.t->failure.detail, "noise");
}

static void a_worker_that_dies_without_a_word_is_replaced(void)
{
	static const char *const ends[] = { UP "kill 9\n", UP "exit 3\n", "exit 3\n",
					    "stage TLS\nkill 15\n" };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		_cleanup_world_ struct world w;
		world_init(&w, ends[i]);
		tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
		check(reach(&w, TUNNEL_WAITING));
		check_int(w.t->failure.cause, CAUSE_WORKER_DIED);
		check(strstr(w.t->failure.detail, i % 3 == 0 ? "signal" : "exit status 3") != NULL);
		check(!kernel.wish.carrier);
		check(!process_is_alive(&w.t->process));
	}
}

static void a_worker_that_lies_is_ended(void)
{
	static const struct {
		const char *script;
		enum cause cause;
	} lies[] = {
		/* before its time, twice, malformed, foreign */
		{ "up 10.0.0.2 10.0.0.1 0.0.0.0 0.0.0.0 1400 4\nstop\n", CAUSE_WORKER_BROKEN },
		{ "verified 192.0.2.7 eth0\npassword\nverified 192.0.2.7 eth0\nstop\n", CAUSE_WORKER_BROKEN },
		{ "raw 0100002363\nstop\n", CAUSE_WORKER_BROKEN },
		{ "raw 00\nstop\n", CAUSE_WORKER_BROKEN },
		{ "raw 0100ffff\nstop\n", CAUSE_WORKER_BROKEN },
		{ "raw 01000001\nstop\n", CAUSE_WORKER_BROKEN }, /* one of ours */
		{ "stage TLS\nstage resolve\nstop\n", CAUSE_WORKER_BROKEN },
		{ "raw 0100002b\nstop\n", CAUSE_WORKER_BROKEN }, /* CLOSED, which nobody asked for */
		/* addresses that no kernel may get */
		{ "verified 192.0.2.7 eth0\nup 127.0.0.1 10.0.0.1 0.0.0.0 0.0.0.0 1400 4\nstop\n",
		  CAUSE_IPCP_NO_ADDRESS },
		{ UP "up 127.0.0.1 10.0.0.1 0.0.0.0 0.0.0.0 1400 4\nstop\n", CAUSE_IPCP_NO_ADDRESS },
		{ "verified 192.0.2.7 eth0\nup 10.0.0.2 224.0.0.1 0.0.0.0 0.0.0.0 1400 4\nstop\n",
		  CAUSE_IPCP_NO_ADDRESS },
		{ "verified 192.0.2.7 eth0\nup 10.0.0.2 10.0.0.1 255.255.255.255 0.0.0.0 1400 4\nstop\n",
		  CAUSE_IPCP_NO_ADDRESS },
		{ "verified 192.0.2.7 eth0\nup 10.0.0.2 10.0.0.1 0.0.0.0 0.0.0.0 40 4\nstop\n",
		  CAUSE_IPCP_NO_ADDRESS },
		/* PAP was not allowed */
		{ "verified 192.0.2.7 eth0\nup 10.0.0.2 10.0.0.1 0.0.0.0 0.0.0.0 1400 1\nstop\n",
		  CAUSE_IPCP_NO_ADDRESS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		_cleanup_world_ struct world w;
		world_init(&w, lies[i].script);
		printf("# lie %zu\n", i);
		tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
		check(reach(&w, TUNNEL_WAITING));
		check_int(w.t->failure.cause, lies[i].cause);
		check(!process_is_alive(&w.t->process));
		check(!kernel.wish.carrier);
	}
}

static void a_flooding_worker_does_not_stop_the_loop(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, "flood 200000\nhang\n");
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	while (w.t->attempt->log_lines < 3000)
		check_int(loop_step(&w.loop, USEC_PER_SEC), 0);
	/* In the middle of it, one command is enough to end it. */
	tunnel_event(w.t, TUNNEL_EVENT_DISCONNECT);
	tunnel_hurry(w.t);
	check(reach(&w, TUNNEL_HELD));
}

static void a_worker_that_does_not_stop_is_killed(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, "deaf\n" UP "hang\n");
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_UP));
	tunnel_event(w.t, TUNNEL_EVENT_REDIAL);
	check_int(w.t->state, TUNNEL_STOPPING);
	check(loop_timer_deadline(&w.t->timer) - loop_now(&w.loop) <= 12 * USEC_PER_SEC);
	/* No second worker beside it on the same TUN, whatever is asked for. */
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	tunnel_event(w.t, TUNNEL_EVENT_NETWORK);
	check_int(workers_started(&w), 1);
	tunnel_event(w.t, TUNNEL_EVENT_TIMER);
	check(reach(&w, TUNNEL_UP));
	check_int(workers_started(&w), 2);
}

static void a_worker_that_hangs_in_a_session_is_found_out(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, UP "stop\n");
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_UP));
	tunnel_event(w.t, TUNNEL_EVENT_TIMER); /* asks */
	check(w.t->attempt->stats_asked != 0);
	while (w.t->attempt->stats_asked != 0)
		check_int(loop_step(&w.loop, USEC_PER_SEC), 0);
	check(loop_timer_deadline(&w.t->timer) - loop_now(&w.loop) > 50 * USEC_PER_SEC);
	check_int(w.t->attempt->stats.tx_packets, 2);
	check_int(kill(process_pid(&w.t->process), SIGSTOP), 0);
	tunnel_event(w.t, TUNNEL_EVENT_TIMER);
	check_int(w.t->state, TUNNEL_UP);
	tunnel_event(w.t, TUNNEL_EVENT_TIMER); /* too early to judge */
	check_int(w.t->state, TUNNEL_UP);
	w.t->attempt->stats_asked -= 31 * USEC_PER_SEC;
	tunnel_event(w.t, TUNNEL_EVENT_TIMER);
	check(reach(&w, TUNNEL_WAITING));
	check_int(w.t->failure.cause, CAUSE_WORKER_BROKEN);
	check(!process_is_alive(&w.t->process));
}

static void a_dead_path_is_left_for_a_living_one(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, UP "deaf\nhang\n");
	write_file(&w, "script.2", UP "stop\n");
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_UP));
	kernel.path.ifindex = 0; /* none at all: wait */
	tunnel_network_changed(w.t, 0);
	check(!loop_timer_is_set(&w.t->path_timer));
	kernel.path = (struct underlay){ .ifindex = 3, .device = "wlan0" };
	tunnel_network_changed(w.t, 0);
	check(loop_timer_is_set(&w.t->path_timer));
	kernel.path = (struct underlay){ .ifindex = 2, .device = "eth0" }; /* only a flap */
	tunnel_network_changed(w.t, 0);
	check(!loop_timer_is_set(&w.t->path_timer));
	kernel.path = (struct underlay){ .ifindex = 3, .device = "wlan0" };
	tunnel_network_changed(w.t, 0);
	tunnel_event(w.t, TUNNEL_EVENT_PATH_LOST); /* what the timer does */
	check_int(w.t->failure.cause, CAUSE_DEVICE_LOST);
	check_int(w.t->state, TUNNEL_STOPPING);
	check(loop_timer_deadline(&w.t->timer) - loop_now(&w.loop) <= USEC_PER_SEC);
	check(reach(&w, TUNNEL_UP)); /* at once, without a wait */
	check_int(workers_started(&w), 2);
}

static void an_address_that_goes_is_waited_for_and_then_left(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, UP "deaf\nhang\n");
	write_file(&w, "script.2", UP "stop\n");
	kernel.source = 0xc0000202;
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_UP));
	check(!loop_timer_is_set(&w.t->path_timer));
	kernel.source = 0xc0000402; /* on the same device */
	tunnel_network_changed(w.t, 0);
	check(loop_timer_is_set(&w.t->path_timer));
	kernel.source = 0xc0000202; /* it was only renewed */
	tunnel_network_changed(w.t, 0);
	check(!loop_timer_is_set(&w.t->path_timer));
	kernel.source = 0xc0000402;
	tunnel_network_changed(w.t, 0);
	tunnel_event(w.t, TUNNEL_EVENT_PATH_LOST); /* what the timer does */
	check_int(w.t->failure.cause, CAUSE_DEVICE_LOST);
	check_str(w.t->failure.detail, "the address 192.0.2.2 is gone");
	check(reach(&w, TUNNEL_UP));
}

/* Its reverse path would be the tunnel (RFC 3704 §2.2). */
static void a_device_that_filters_gets_a_route_to_the_server(void)
{
	for (int strict = 0; strict < 2; strict++) {
		_cleanup_world_ struct world w;

		world_init(&w, UP "stop\n");
		kernel.strict_filter = strict;
		tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
		check(reach(&w, TUNNEL_UP));
		check_int(kernel.wish.server.dst.family, strict ? AF_INET : AF_UNSPEC);
		if (!strict)
			continue;
		check_int(kernel.wish.server.ifindex, kernel.path.ifindex);
		check_int(kernel.wish.server.metric, w.t->tun.ifindex);
		tunnel_event(w.t, TUNNEL_EVENT_DISCONNECT);
		check(reach(&w, TUNNEL_HELD));
		check_int(kernel.wish.server.dst.family, AF_UNSPEC);
	}
}

/* There is a route to one of them at a time, and one may be dead. */
static void each_attempt_has_a_route_to_another_address(void)
{
	_cleanup_world_ struct world w;
	struct worker_addresses a = { .n = 3 };
	struct worker_routes routes;

	world_init(&w, UP "stop\n");
	(void)inet_pton(AF_INET6, "2001:db8::1", &a.address[0]);
	(void)inet_pton(AF_INET6, "::ffff:203.0.113.1", &a.address[1]);
	(void)inet_pton(AF_INET6, "::ffff:203.0.113.2", &a.address[2]);
	kernel.strict_filter = true;
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	for (unsigned failures = 0; failures < 3; failures++) {
		w.t->failures = failures;
		kernel_find_devices(w.t, &a, &routes);
		check_int(routes.n, 3);
		check_int(ntohl(kernel.wish.server.dst.in.s_addr), 0xcb007101 + failures % 2);
	}
}

/* Our own write, and that it has failed, is told like that of anybody else. */
static void a_failed_write_of_the_resolver_is_not_its_own_reason(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, UP "stop\n");
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_UP));
	for (int failed = 0; failed < 2; failed++) {
		w.t->report.dns_backend = NET_DNS_FILE;
		w.t->report.resolvers.cause = failed ? CAUSE_RESOLVERS : CAUSE_NONE;
		loop_timer_clear(&w.t->reconcile_timer);
		tunnel_resolv_conf_changed(w.t);
		check_int(loop_timer_is_set(&w.t->reconcile_timer), !failed);
	}
}

/* Nothing is known of a new password, whatever else has changed with it. */
static void another_login_is_not_proven(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, UP "stop\n");
	w.t->proven = true;
	(void)secret_set(&w.config.password, "another", 7);
	w.config.disable = true;
	check_int(tunnel_configure(w.t, &w.config), 0);
	check(w.t->proven);
	tunnel_follow_up(w.t, true);
	check(!w.t->proven);
}

static void disconnect_holds_until_connect(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, UP "stop\n");
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_UP));
	tunnel_event(w.t, TUNNEL_EVENT_DISCONNECT);
	check(reach(&w, TUNNEL_HELD));
	static const enum tunnel_event nothing[] = { TUNNEL_EVENT_NETWORK, TUNNEL_EVENT_TIMER,
						     TUNNEL_EVENT_REDIAL, TUNNEL_EVENT_ENABLE,
						     TUNNEL_EVENT_PATH_LOST };
	for (size_t i = 0; i < ARRAY_SIZE(nothing); i++) {
		tunnel_event(w.t, nothing[i]);
		check_int(w.t->state, TUNNEL_HELD);
	}
	/* Also across disable and its end. */
	tunnel_event(w.t, TUNNEL_EVENT_DISABLE);
	check_int(w.t->state, TUNNEL_DISABLED);
	check(!kernel.wish.admin_up);
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check_int(w.t->state, TUNNEL_DISABLED);
	tunnel_event(w.t, TUNNEL_EVENT_ENABLE);
	check_int(w.t->state, TUNNEL_HELD);
	check(kernel.wish.admin_up);
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_UP));
	/* Who was connected is connected again after it. */
	tunnel_event(w.t, TUNNEL_EVENT_DISABLE);
	check(reach(&w, TUNNEL_DISABLED));
	check_int(kernel.wish.local.s_addr, 0);
	tunnel_event(w.t, TUNNEL_EVENT_ENABLE);
	check(reach(&w, TUNNEL_UP));
}

static void commands_while_a_worker_ends_decide_what_follows(void)
{
	static const struct {
		enum tunnel_event first, then, last;
		enum tunnel_state end;
		unsigned workers;
	} rows[] = {
		{ TUNNEL_EVENT_DISCONNECT, TUNNEL_EVENT_CONNECT, TUNNEL_EVENT_NETWORK, TUNNEL_UP, 2 },
		{ TUNNEL_EVENT_REDIAL, TUNNEL_EVENT_DISCONNECT, TUNNEL_EVENT_REDIAL, TUNNEL_HELD, 1 },
		{ TUNNEL_EVENT_DISCONNECT, TUNNEL_EVENT_DISABLE, TUNNEL_EVENT_DISCONNECT, TUNNEL_DISABLED,
		  1 },
		{ TUNNEL_EVENT_DISABLE, TUNNEL_EVENT_ENABLE, TUNNEL_EVENT_NETWORK, TUNNEL_UP, 2 },
		{ TUNNEL_EVENT_DISABLE, TUNNEL_EVENT_DISCONNECT, TUNNEL_EVENT_ENABLE, TUNNEL_HELD, 1 },
		{ TUNNEL_EVENT_DISCONNECT, TUNNEL_EVENT_ENABLE, TUNNEL_EVENT_REDIAL, TUNNEL_HELD, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_world_ struct world w;
		world_init(&w, UP "stop\n");
		printf("# row %zu\n", i);
		tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
		check(reach(&w, TUNNEL_UP));
		tunnel_event(w.t, rows[i].first);
		check_int(w.t->state, TUNNEL_STOPPING);
		tunnel_event(w.t, rows[i].then);
		tunnel_event(w.t, rows[i].last);
		check_int(w.t->state, TUNNEL_STOPPING);
		check(reach(&w, rows[i].end));
		check_int(workers_started(&w), rows[i].workers);
	}
}

static void a_change_costs_what_the_schema_says(void)
{
	_cleanup_world_ struct world w;
	char text[16];

	world_init(&w, UP "stop\n");
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_UP));
	(void)snprintf(w.config.description, sizeof(w.config.description), "to the office");
	w.config.no_default_route = true;
	w.config.mtu = 1300;
	check_int(tunnel_configure(w.t, &w.config), 0);
	tunnel_follow_up(w.t, true);
	check_int(w.t->state, TUNNEL_UP);
	check_str(kernel.wish.description, "to the office");
	check_int(kernel.wish.default_route, NET_DEFAULT_NONE);
	check_int(kernel.wish.mtu, 1300);
	check(reach_file(&w, "mtu"));
	read_file(&w, "mtu", text, sizeof(text));
	check_str(text, "1300\n");
	check_int(workers_started(&w), 1);

	(void)secret_set(&w.config.password, "another", 7);
	check_int(tunnel_configure(w.t, &w.config), 0);
	check_int(w.t->state, TUNNEL_UP); /* it may still be taken back */
	tunnel_follow_up(w.t, true);
	check_int(w.t->state, TUNNEL_STOPPING);
	check(reach(&w, TUNNEL_UP));
	read_file(&w, "password", text, sizeof(text));
	check_str(text, "another");

	/* More than the MRU that was asked for cannot come in without asking anew. */
	w.config.mtu = 1600;
	check_int(tunnel_configure(w.t, &w.config), 0);
	tunnel_follow_up(w.t, true);
	check_int(w.t->state, TUNNEL_STOPPING);
	check(reach(&w, TUNNEL_UP));
	check_int(workers_started(&w), 3);

	w.config.disable = true;
	check_int(tunnel_configure(w.t, &w.config), 0);
	tunnel_follow_up(w.t, true);
	check(reach(&w, TUNNEL_DISABLED));
	w.config.disable = false;
	check_int(tunnel_configure(w.t, &w.config), 0);
	tunnel_follow_up(w.t, true);
	check(reach(&w, TUNNEL_UP));
}

static void what_is_taken_back_costs_no_session(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, UP "stop\n");
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_UP));
	(void)snprintf(w.config.description, sizeof(w.config.description), "refused");
	w.config.disable = true;
	check_int(tunnel_configure(w.t, &w.config), 0);
	w.config.description[0] = 0;
	w.config.disable = false;
	check_int(tunnel_configure(w.t, &w.config), 0);
	tunnel_follow_up(w.t, false);
	check_int(w.t->state, TUNNEL_UP);
	tunnel_follow_up(w.t, true); /* of the next commit: nothing is left of this one */
	check_int(w.t->state, TUNNEL_UP);
	check_int(workers_started(&w), 1);
}

static void ipv6_comes_and_goes_within_a_session(void)
{
	_cleanup_world_ struct world w;
	static const uint8_t id[] = { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8 };

	world_init(&w, UP "ipv6 0102030405060708 1112131415161718\nrdnss 2001:db8::53 600\nawait go\n"
			  "raw 01000026\nstop\n");
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_UP));
	while (kernel.wish.n_dns < 3)
		check_int(loop_step(&w.loop, USEC_PER_SEC), 0);
	check_mem(&kernel.wish.link_local, 16, id, 16);
	check_int(kernel.wish.dns[2].family, AF_INET6);
	write_file(&w, "go", "");
	while (w.t->attempt->has_ipv6)
		check_int(loop_step(&w.loop, USEC_PER_SEC), 0);
	check(IN6_IS_ADDR_UNSPECIFIED(&kernel.wish.link_local));
	check_int(kernel.wish.n_dns, 2);
	check_int(w.t->state, TUNNEL_UP);
}

/* IPv4 that is negotiated anew, and IPv6 gone meanwhile: UP says both. */
static void resolvers_of_advertisements_go_with_ipv6(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, UP "ipv6 0102030405060708 1112131415161718\nrdnss 2001:db8::53 600\nawait go\n"
			  "up 10.0.7.2 10.0.7.1 192.0.2.55 0.0.0.0 1400 4\nstop\n");
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_UP));
	while (kernel.wish.n_dns < 3)
		check_int(loop_step(&w.loop, USEC_PER_SEC), 0);
	write_file(&w, "go", "");
	while (w.t->attempt->has_ipv6)
		check_int(loop_step(&w.loop, USEC_PER_SEC), 0);
	check_int(kernel.wish.n_dns, 1);
	check_int(w.t->attempt->rdnss.n, 0);
}

/* Addresses that the server changes in a running session are followed, at once or, where they never rest,
 * after a while. */
static void a_renumbered_session_goes_on(void)
{
	_cleanup_world_ struct world w;
	struct in_addr a;

	world_init(&w, UP "await go\nup 10.0.7.2 10.0.7.1 192.0.2.55 0.0.0.0 1400 4\nstop\n");
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_UP));
	write_file(&w, "go", "");
	check_int(inet_pton(AF_INET, "10.0.7.2", &a), 1);
	while (w.t->state == TUNNEL_UP && kernel.wish.local.s_addr != a.s_addr)
		(void)loop_step(&w.loop, 100 * USEC_PER_MSEC);
	check_int(w.t->state, TUNNEL_UP);
	check_int(inet_pton(AF_INET, "10.0.7.1", &a), 1);
	check_int(kernel.wish.peer.s_addr, a.s_addr);
	check_int(kernel.wish.n_dns, 1);
	check(kernel.wish.carrier);
	check_int(w.t->sessions, 1);
	check_int(workers_started(&w), 1);
}

/* A server may negotiate IPCP again and come to the same end. */
static void the_same_addresses_again_are_no_news(void)
{
	_cleanup_world_ struct world w;
	struct in_addr a;
	unsigned told = 0;

	world_init(&w, UP "await go\nup 10.0.0.2 10.0.0.1 192.0.2.53 192.0.2.54 1400 4\n"
			  "up 10.0.7.2 10.0.7.1 192.0.2.55 0.0.0.0 1400 4\nstop\n");
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_UP));
	w.n_notes = 0;
	write_file(&w, "go", "");
	check_int(inet_pton(AF_INET, "10.0.7.2", &a), 1);
	while (w.t->state == TUNNEL_UP && kernel.wish.local.s_addr != a.s_addr)
		(void)loop_step(&w.loop, 100 * USEC_PER_MSEC);
	check_int(w.t->state, TUNNEL_UP);
	for (size_t i = 0; i < w.n_notes; i++)
		told += w.notes[i] == 's';
	check_int(told, 1);
}

static void endless_renumbering_costs_little(void)
{
	_cleanup_world_ struct world w;
	char script[4096] = UP;
	struct in_addr last;

	for (unsigned i = 0; i < 50; i++)
		(void)snprintf(script + strlen(script), sizeof(script) - strlen(script),
			       "up 10.0.7.%u 10.0.0.1 0.0.0.0 0.0.0.0 1400 4\n", i + 2);
	(void)snprintf(script + strlen(script), sizeof(script) - strlen(script), "stop\n");
	check_int(inet_pton(AF_INET, "10.0.7.51", &last), 1);
	world_init(&w, script);
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_UP));
	unsigned before = kernel.reconciled;
	while (w.t->state == TUNNEL_UP && kernel.wish.local.s_addr != last.s_addr)
		(void)loop_step(&w.loop, 100 * USEC_PER_MSEC);
	check_int(w.t->state, TUNNEL_UP);
	check(kernel.reconciled - before <= 6);
}

static void delete_device(struct world *w)
{
	struct net_event event = { .kind = NET_EVENT_LINK_GONE, .ifindex = w->t->tun.ifindex };

	kernel.deleted_by_others = true;
	tunnel_kernel_event(w->t, &event);
}

static void a_deleted_interface_is_made_anew(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, UP "stop\n");
	delete_device(&w);
	check_int(w.t->state, TUNNEL_HELD);
	check_int(kernel.created, 2);
	check_int(w.t->tun.ifindex, 78);
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_UP));
	w.t->renewed = 0; /* long ago */
	delete_device(&w);
	check_int(w.t->failure.cause, CAUSE_INTERFACE_LOST);
	check_int(w.t->state, TUNNEL_STOPPING);
	check_int(kernel.created, 2); /* not before the worker has let go */
	check(reach(&w, TUNNEL_WAITING));
	check_int(kernel.created, 3);
	check(reach(&w, TUNNEL_UP));
	check_int(workers_started(&w), 2);
	tunnel_event(w.t, TUNNEL_EVENT_DISCONNECT);
	check(reach(&w, TUNNEL_HELD));
	w.t->closing = true;
	delete_device(&w); /* it leaves anyway */
	check_int(kernel.created, 3);
}

/* By a program that deletes it whenever it comes: an answer a second. */
static void a_device_that_is_deleted_again_is_not_made_at_once(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, UP "stop\n");
	delete_device(&w);
	check_int(kernel.created, 2);
	for (int i = 0; i < 3; i++)
		delete_device(&w);
	check_int(kernel.created, 2);
	usec_t end = clock_now() + 10 * USEC_PER_SEC;
	while (kernel.created == 2 && clock_now() < end)
		check(loop_step(&w.loop, 100 * USEC_PER_MSEC) >= 0);
	check_int(kernel.created, 3);
	check(tun_is_attached(&w.t->tun));
}

/* Somebody else's device has the name: ours comes when that has gone. */
static void a_name_that_was_taken_is_taken_back_when_free(void)
{
	_cleanup_world_ struct world w;
	struct net_event freed = { .kind = NET_EVENT_LINK_GONE, .ifindex = 5, .name = "sstpc9" };

	world_init(&w, UP "stop\n");
	kernel.refuse_device = true;
	delete_device(&w);
	check_int(kernel.created, 1);
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_WAITING));
	check_int(w.t->failure.cause, CAUSE_NAME_IN_USE);
	check_int(workers_started(&w), 0);
	check_int(kernel.refused, 2);  /* once for each reason to try */
	check_int(kernel.ifindex, 77); /* what netconf is told of is not the other device */
	kernel.refuse_device = false;
	tunnel_kernel_event(w.t, &freed);
	check_int(kernel.created, 2);
	check(reach(&w, TUNNEL_UP)); /* without a wait: that was the reason */
}

static void a_kernel_that_refuses_ends_the_session_only_where_asked_for(void)
{
	for (int strict = 0; strict < 2; strict++) {
		_cleanup_world_ struct world w;
		world_init(&w, UP "stop\n");
		w.t->log.fd = w.t->tun.fd; /* /dev/null */
		kernel.refuse = true;
		w.t->options.strict_kernel = strict;
		tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
		check(reach(&w, strict ? TUNNEL_WAITING : TUNNEL_UP));
		check_int(w.t->failure.cause, strict ? CAUSE_KERNEL_CONFIG : CAUSE_NONE);
		check_int(w.t->report.n_failed, strict ? 0 : 1);
	}
}

static void closing_waits_for_the_worker_and_removing_cleans_up(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, UP "stop\n");
	tunnel_close(w.t);
	check_int(w.closed, 1); /* nothing ran */
	w.closed = 0;
	w.t->closing = false;
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_UP));
	tunnel_close(w.t);
	check_int(w.closed, 0);
	while (!w.closed)
		check_int(loop_step(&w.loop, USEC_PER_SEC), 0);
	check_int(w.closed, 1);
	check(!process_is_alive(&w.t->process));
	check_int(kernel.removed, 0);
	tunnel_free(w.t);
	w.t = NULL;
	check_int(kernel.removed, 1);
}

static void closing_while_the_next_attempt_is_waited_for_is_told_once(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, "");
	w.host.worker_path = "/nonexistent/sstpc-tunnel";
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_WAITING));
	tunnel_close(w.t);
	check_int(w.closed, 1);
}

static void a_missing_program_is_a_failure_like_any_other(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, "");
	w.host.worker_path = "/nonexistent/sstpc-tunnel";
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check_int(w.t->state, TUNNEL_WAITING);
	check_int(w.t->failure.cause, CAUSE_INTERNAL);
	check(strstr(w.t->failure.detail, "/nonexistent/sstpc-tunnel") != NULL);
}

/* The worker inherits nothing but its socket and the three standard descriptors. */
static void observers_see_the_order_of_things(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, UP "fail disconnected-by-server\nexit 0\n");
	w.n_notes = 0;
	memset(w.notes, 0, sizeof(w.notes));
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_WAITING));
	/* dialling, stages, verified, negotiating, stage, kernel, up; failure, kernel, stopping, waiting */
	check_str(w.notes, "sgggvsgksFkss");
}

/* The kernel tells nobody when it would accept what it has refused. */
static void what_is_refused_is_tried_again(void)
{
	_cleanup_world_ struct world w;

	world_init(&w, UP "stop\n");
	kernel.refuse = true;
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_UP));
	check(kernel_refused(w.t) && kernel_refused(w.t)->cause == CAUSE_KERNEL_CONFIG);
	usec_t end = clock_now() + 20 * USEC_PER_SEC;
	for (unsigned more = kernel.reconciled + 1; kernel.reconciled < more && clock_now() < end;)
		check(loop_step(&w.loop, USEC_PER_SEC) == 0);
	check_int(w.t->retry_pause, 2 * USEC_PER_SEC);
	kernel.refuse = false;
	while (kernel_refused(w.t) && clock_now() < end)
		check(loop_step(&w.loop, USEC_PER_SEC) == 0);
	check_int(w.t->retry_pause, 0);
	check(!loop_timer_is_set(&w.t->retry_timer));
}

/* A tunnel without the server's resolvers is of use; a session must not end for them. */
static void resolvers_that_cannot_be_changed_end_no_session(void)
{
	struct failure failure = { .cause = CAUSE_RESOLVERS, .detail = "no end" },
		       none = { .cause = CAUSE_NONE };
	_cleanup_world_ struct world w;

	world_init(&w, UP "stop\n");
	w.t->options.strict_kernel = true;
	tunnel_event(w.t, TUNNEL_EVENT_CONNECT);
	check(reach(&w, TUNNEL_UP));
	kernel_resolvers_done(w.t, &failure);
	check_int(w.t->state, TUNNEL_UP);
	check(kernel_refused(w.t) && kernel_refused(w.t)->cause == CAUSE_RESOLVERS);
	check_int(w.t->report.dns_backend, NET_DNS_NONE);
	check(loop_timer_is_set(&w.t->retry_timer));
	kernel_resolvers_done(w.t, &none);
	check(!kernel_refused(w.t));
	check(!loop_timer_is_set(&w.t->retry_timer));
}

int main(void)
{
	return run_tests((struct test[]){
		TEST(a_session_comes_up_and_goes),
		TEST(a_lost_session_is_dialled_again_and_the_address_stays),
		TEST(a_lookup_waits_until_the_resolver_is_the_hosts_again),
		TEST(transient_failures_wait_longer_and_longer),
		TEST(jitter_spreads_the_attempts),
		TEST(a_wrong_password_is_not_hammered),
		TEST(a_password_that_has_worked_is_tried_again),
		TEST(a_wrong_password_does_not_lock_the_account),
		TEST(eap_is_tried_at_once_and_not_for_good),
		TEST(a_worker_that_took_eap_first_cannot_ask_for_it),
		TEST(another_path_is_tried_at_once),
		TEST(a_resumed_machine_tries_at_once),
		TEST(a_worker_that_ended_before_it_was_answered_is_heard),
		TEST(a_worker_that_dies_without_a_word_is_replaced),
		TEST(a_worker_that_lies_is_ended),
		TEST(a_flooding_worker_does_not_stop_the_loop),
		TEST(a_worker_that_does_not_stop_is_killed),
		TEST(a_worker_that_hangs_in_a_session_is_found_out),
		TEST(a_dead_path_is_left_for_a_living_one),
		TEST(an_address_that_goes_is_waited_for_and_then_left),
		TEST(a_device_that_filters_gets_a_route_to_the_server),
		TEST(disconnect_holds_until_connect),
		TEST(commands_while_a_worker_ends_decide_what_follows),
		TEST(a_change_costs_what_the_schema_says),
		TEST(what_is_taken_back_costs_no_session),
		TEST(another_login_is_not_proven),
		TEST(each_attempt_has_a_route_to_another_address),
		TEST(a_failed_write_of_the_resolver_is_not_its_own_reason),
		TEST(ipv6_comes_and_goes_within_a_session),
		TEST(resolvers_of_advertisements_go_with_ipv6),
		TEST(a_renumbered_session_goes_on),
		TEST(the_same_addresses_again_are_no_news),
		TEST(endless_renumbering_costs_little),
		TEST(a_deleted_interface_is_made_anew),
		TEST(a_device_that_is_deleted_again_is_not_made_at_once),
		TEST(a_name_that_was_taken_is_taken_back_when_free),
		TEST(a_kernel_that_refuses_ends_the_session_only_where_asked_for),
		TEST(closing_waits_for_the_worker_and_removing_cleans_up),
		TEST(closing_while_the_next_attempt_is_waited_for_is_told_once),
		TEST(a_missing_program_is_a_failure_like_any_other),
		TEST(observers_see_the_order_of_things),
		TEST(what_is_refused_is_tried_again),
		TEST(resolvers_that_cannot_be_changed_end_no_session),
		{},
	});
}
