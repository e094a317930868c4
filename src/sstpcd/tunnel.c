/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpcd/tunnel.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Each stage has a limit of its own in the worker; this one is for a worker that hangs. */
#define DIAL_TIME	(240 * USEC_PER_SEC)
#define RESOLVER_TIME	(3 * USEC_PER_SEC)  /* for the programs that manage the host's resolver */
#define STOP_TIME	(12 * USEC_PER_SEC) /* Terminate twice, CALL_DISCONNECT, and some */
#define EXIT_TIME	(3 * USEC_PER_SEC)  /* from FAILED to the end of the process */
#define WATCHDOG_PERIOD (60 * USEC_PER_SEC)
#define WATCHDOG_TIME	(30 * USEC_PER_SEC) /* to answer */
#define PERMANENT_WAIT	(600 * USEC_PER_SEC)
#define DOUBT_WAIT	(60 * USEC_PER_SEC)
#define DOUBT_FAILURES	5
#define DOUBT_LOGINS	2
#define LOGIN_WAIT	(31 * 60 * USEC_PER_SEC) /* directories count what is wrong within 30 minutes */
#define BACKOFF_MAX	(60 * USEC_PER_SEC)
#define STABLE_TIME	(30 * USEC_PER_SEC) /* a session of this length forgives earlier failures */
#define RENEW_PAUSE	USEC_PER_SEC	    /* somebody may delete the device whenever it comes */
#define ASLEEP_TOO_LONG (60 * USEC_PER_SEC) /* the server has given up a session by then */

static const char *const state_names[_TUNNEL_STATE_MAX] = {
	[TUNNEL_DISABLED] = "disabled",	      [TUNNEL_HELD] = "disconnected",
	[TUNNEL_WAITING] = "waiting",	      [TUNNEL_DIALLING] = "connecting",
	[TUNNEL_NEGOTIATING] = "negotiating", [TUNNEL_UP] = "up",
	[TUNNEL_STOPPING] = "disconnecting",
};

const char *tunnel_state_name(enum tunnel_state state)
{
	return (unsigned)state < _TUNNEL_STATE_MAX ? state_names[state] : "unknown";
}

void tunnel_note(struct tunnel *t, enum tunnel_note note)
{
	if (t->host->observe)
		t->host->observe(t->host->observe_ctx, t, note);
}

void tunnel_server_format(const struct tunnel *t, char *out, size_t size)
{
	bool v6 = strchr(t->config.server, ':') != NULL;

	(void)snprintf(out, size, v6 ? "[%s]:%u" : "%s:%u", t->config.server, (unsigned)t->config.port);
}

uint16_t tunnel_mtu(const struct tunnel *t, const char **ret_why)
{
	uint16_t configured = MIN(t->config.mtu, (uint16_t)CONFIG_MTU_MAX);
	bool peer = t->peer_mru != 0 && t->peer_mru < configured;

	if (ret_why)
		*ret_why = peer ? "the server's MRU" : "configured";
	return peer ? t->peer_mru : configured;
}

usec_t tunnel_next_attempt(const struct tunnel *t)
{
	return t->state == TUNNEL_WAITING ? loop_timer_deadline(&t->timer) : USEC_NEVER;
}

bool tunnel_is_live(const struct tunnel *t)
{
	return t->state == TUNNEL_DIALLING || t->state == TUNNEL_NEGOTIATING || t->state == TUNNEL_UP;
}

/* Every transition passes here. `deadline` is that of the new state. */
static void change_state(struct tunnel *t, enum tunnel_state state, usec_t deadline)
{
	log_debug(&t->log, "%s -> %s", tunnel_state_name(t->state), tunnel_state_name(state));
	loop_timer_set(t->host->loop, &t->timer, deadline);
	loop_timer_clear(&t->path_timer);
	if (t->state == state)
		return;
	t->state = state;
	t->state_since = loop_now(t->host->loop);
	t->state_since_boot = clock_boot();
}

static usec_t in(const struct tunnel *t, usec_t time)
{
	return loop_now(t->host->loop) + time;
}

/* 1–2 s, 2–4 s, … 30–60 s: many clients of a server that comes back do not come back all at once. */
static usec_t backoff(struct tunnel *t)
{
	usec_t range = MIN((2 * USEC_PER_SEC) << MIN(t->failures - 1, 5u), BACKOFF_MAX);
	uint32_t random;

	random_fill(&t->host->random, &random, sizeof(random));
	return range / 2 + random % (range / 2);
}

/*
 * What has worked with this very configuration may work again: a network that asks for a login first shows a
 * certificate of its own.
 */
static bool may_pass(const struct tunnel *t)
{
	return t->proven && t->failures <= DOUBT_FAILURES;
}

/*
 * A server also refuses a second session until it misses the one that was lost, after two minutes ([MS-SSTP]
 * 3.3.2.1): the third attempt is for that. But a directory locks an account, not only for us, when a few
 * passwords were wrong, often five: those after it are too rare to be counted together.
 */
static usec_t refused_login_wait(const struct tunnel *t)
{
	if (t->refused > DOUBT_LOGINS)
		return LOGIN_WAIT;
	return t->proven ? t->refused * DOUBT_WAIT : PERMANENT_WAIT;
}

static usec_t retry_wait(struct tunnel *t)
{
	if (t->failure.cause == CAUSE_AUTH_EAP) /* not twice in a row: see on_failed() */
		return 0;
	if (cause_class(t->failure.cause) != CAUSE_PERMANENT)
		return backoff(t);
	if (t->failure.cause == CAUSE_AUTH_FAILED)
		return refused_login_wait(t);
	return may_pass(t) ? DOUBT_WAIT : PERMANENT_WAIT;
}

/* Actions. Each is called in the states that the table names it for. */

static void dial(struct tunnel *t);

static int create_device(const struct config_interface *config, const struct tunnel_options *options,
			 struct tun *ret, struct failure *failure)
{
	struct tun_options tun_options = { .name = config->name,
					   .offloads = TUN_OFFLOAD_ALL,
					   .no_vnet_hdr = options && options->no_vnet_hdr };

	return tun_create(&tun_options, ret, failure);
}

/* Where another program has deleted the device it is made anew. Not under a worker: it holds the old one. */
static int ensure_device(struct tunnel *t, struct failure *failure)
{
	struct tun tun;

	if (t->closing || tun_is_attached(&t->tun))
		return 0;
	int r = create_device(&t->config, &t->options, &tun, failure);
	if (r < 0)
		return r;
	tun_close(&t->tun);
	t->tun = tun;
	t->renewed = loop_now(t->host->loop);
	log_notice(&t->log, "the interface was deleted by another program: recreated");
	(void)kernel_reconcile(t);
	return 0;
}

static void renew_device(struct tunnel *t)
{
	struct failure failure = { .cause = CAUSE_NONE };

	if (loop_now(t->host->loop) < t->renewed + RENEW_PAUSE)
		loop_timer_set(t->host->loop, &t->renew_timer, t->renewed + RENEW_PAUSE);
	else if (ensure_device(t, &failure) < 0)
		log_error(&t->log, "%s: %s", cause_summary(failure.cause), failure.detail);
}

/* Nothing of a former session stays. */
static void forget_addresses(struct tunnel *t)
{
	t->local = t->peer = (struct in_addr){ 0 };
	t->peer_mru = 0;
}

/* No worker runs any more: on to what was decided. */
static void settle(struct tunnel *t)
{
	/* The attempt that has just found the name taken needs no second. */
	if (t->next != TUNNEL_WAITING || t->failure.cause != CAUSE_NAME_IN_USE)
		renew_device(t);
	switch (t->next) {
	case TUNNEL_DIALLING:
		dial(t);
		return;
	case TUNNEL_WAITING:
		change_state(t, TUNNEL_WAITING, in(t, retry_wait(t)));
		log_info(&t->log, "next attempt in %llu s",
			 (unsigned long long)((loop_timer_deadline(&t->timer) - loop_now(t->host->loop)) /
					      USEC_PER_SEC));
		break;
	case TUNNEL_DISABLED:
		forget_addresses(t);
		change_state(t, TUNNEL_DISABLED, USEC_NEVER);
		break;
	case TUNNEL_HELD:
	case TUNNEL_NEGOTIATING:
	case TUNNEL_UP:
	case TUNNEL_STOPPING:
	case _TUNNEL_STATE_MAX:
		forget_addresses(t);
		change_state(t, TUNNEL_HELD, USEC_NEVER);
		break;
	}
	(void)kernel_reconcile(t);
	tunnel_note(t, t->closing ? TUNNEL_NOTE_CLOSED : TUNNEL_NOTE_STATE);
}

/* Ends the worker, then settles. The carrier goes off at once, so that nothing is sent into the void. */
static void stop(struct tunnel *t, enum tunnel_state next, usec_t patience)
{
	t->next = next;
	if (!process_is_alive(&t->process)) {
		settle(t);
		return;
	}
	if (t->process.phase < WORKER_PHASE_STOPPING) {
		t->process.phase = WORKER_PHASE_STOPPING;
		if (worker_send_plain(t->process.fd, WORKER_STOP) < 0)
			process_kill(&t->process);
	}
	change_state(t, TUNNEL_STOPPING, in(t, patience));
	(void)kernel_reconcile(t);
	tunnel_note(t, TUNNEL_NOTE_STATE);
}

static void start_worker(struct tunnel *t)
{
	struct failure failure = { .cause = CAUSE_NONE };

	t->attempt->waits_for_resolver = false;
	loop_timer_set(t->host->loop, &t->timer, in(t, DIAL_TIME));
	if (ensure_device(t, &failure) < 0 || attempt_start(t, &failure) < 0)
		tunnel_fail(t, failure.cause, "%s", failure.detail);
}

/*
 * The peer's DNS servers may still be in the way: they are being taken back, by a program, and cannot be
 * reached without the session. Whoever looks a name up there waits for seconds.
 */
static bool resolver_is_in_the_way(const struct tunnel *t)
{
	return !is_address(t->config.server) && netconf_resolver_is_busy(t->host->netconf, t->tun.name);
}

static void dial(struct tunnel *t)
{
	if (!t->attempt)
		t->attempt = malloc(sizeof(*t->attempt));
	if (!t->attempt) {
		t->next = TUNNEL_WAITING;
		t->failures++;
		settle(t);
		return;
	}
	*t->attempt = (struct tunnel_attempt){ .started = loop_now(t->host->loop) };
	kernel_remember_path(t);
	/* The former worker has gone and the carrier is off: what is in the ring is of before an outage. */
	(void)tun_drain(t->tun.fd, TUN_RING);
	t->attempt->waits_for_resolver = resolver_is_in_the_way(t);
	change_state(t, TUNNEL_DIALLING, in(t, RESOLVER_TIME));
	tunnel_note(t, TUNNEL_NOTE_STATE);
	if (!t->attempt->waits_for_resolver)
		start_worker(t);
}

void tunnel_resolver_changed(struct tunnel *t)
{
	if (t->state == TUNNEL_DIALLING && t->attempt->waits_for_resolver && !resolver_is_in_the_way(t))
		start_worker(t);
}

static void dial_anew(struct tunnel *t)
{
	t->held = false;
	t->failures = t->refused = 0;
	t->failure = (struct failure){ .cause = CAUSE_NONE };
	dial(t);
}

static void dial_soon(struct tunnel *t)
{
	/* Not for wrong passwords: another network does not make them right. Not more often than each second.
	 */
	if (t->failure.cause == CAUSE_AUTH_FAILED ||
	    (cause_class(t->failure.cause) == CAUSE_PERMANENT && !may_pass(t)))
		return;
	usec_t deadline = t->attempt ? MAX(loop_now(t->host->loop), t->attempt->started + USEC_PER_SEC) : 0;
	if (deadline < loop_timer_deadline(&t->timer)) {
		log_info(&t->log, "the network has changed, trying again");
		loop_timer_set(t->host->loop, &t->timer, deadline);
	}
}

static void hold(struct tunnel *t)
{
	t->held = true;
	t->next = TUNNEL_HELD;
	settle(t);
}

static void disable(struct tunnel *t)
{
	t->next = TUNNEL_DISABLED;
	settle(t);
}

static void enable(struct tunnel *t)
{
	if (t->held) {
		hold(t);
		return;
	}
	/* Admin up first: the carrier of a device that is down cannot be set. */
	change_state(t, TUNNEL_HELD, USEC_NEVER);
	(void)kernel_reconcile(t);
	dial_anew(t);
}

static void stop_and_hold(struct tunnel *t)
{
	log_notice(&t->log, "disconnecting");
	t->held = true;
	stop(t, TUNNEL_HELD, STOP_TIME);
}

static void stop_and_disable(struct tunnel *t)
{
	log_notice(&t->log, "disabled");
	stop(t, TUNNEL_DISABLED, STOP_TIME);
}

static void stop_and_redial(struct tunnel *t)
{
	t->failures = 0;
	stop(t, TUNNEL_DIALLING, STOP_TIME);
}

static void rather_hold(struct tunnel *t)
{
	t->held = true;
	if (t->next != TUNNEL_DISABLED)
		t->next = TUNNEL_HELD;
}

/* While disabled: remembered for the time after it. */
static void keep_held(struct tunnel *t)
{
	t->held = true;
}

static void rather_disable(struct tunnel *t)
{
	t->next = TUNNEL_DISABLED;
}

static void rather_dial(struct tunnel *t)
{
	if (t->closing)
		return;
	t->held = false;
	t->failures = t->refused = 0;
	t->next = TUNNEL_DIALLING;
}

/* Only out of `disable`: who was disconnected stays so. */
static void rather_enable(struct tunnel *t)
{
	if (t->next == TUNNEL_DISABLED)
		t->next = t->held ? TUNNEL_HELD : TUNNEL_DIALLING;
}

static void redial_after_stop(struct tunnel *t)
{
	if (t->next == TUNNEL_WAITING)
		rather_dial(t);
}

/* Perhaps only now: as long as another device had the name, dialling was of no use. */
static void renew_and_dial(struct tunnel *t)
{
	renew_device(t);
	if (t->failure.cause == CAUSE_NAME_IN_USE && tun_is_attached(&t->tun))
		dial_anew(t);
}

/* The device comes back when the worker that holds the old one has ended. */
static void lose_device(struct tunnel *t)
{
	tunnel_fail(t, CAUSE_INTERFACE_LOST, "by another program");
}

static void path_lost(struct tunnel *t)
{
	const struct tunnel_attempt *a = t->attempt;
	char source[INET6_ADDRSTRLEN];

	if (a->source.family != AF_UNSPEC && !underlay_has_address(a->verified.device, &a->source))
		tunnel_fail(t, CAUSE_DEVICE_LOST, "the address %s is gone",
			    net_addr_format(&a->source, source));
	else
		tunnel_fail(t, CAUSE_DEVICE_LOST, "%s no longer leads to the server", a->verified.device);
	/* A goodbye is of no use on a path that is not there, and the new one is there already. */
	t->next = TUNNEL_DIALLING;
	loop_timer_set(t->host->loop, &t->timer, in(t, USEC_PER_SEC));
}

static void log_in(struct tunnel *t)
{
	struct failure failure = { .cause = CAUSE_NONE };
	usec_t deadline = loop_timer_deadline(&t->timer);

	change_state(t, TUNNEL_NEGOTIATING, deadline);
	if (attempt_send_password(t, &failure) < 0)
		tunnel_fail(t, failure.cause, "%s", failure.detail);
	else
		tunnel_note(t, TUNNEL_NOTE_STATE);
}

static void take_addresses(struct tunnel *t)
{
	const struct worker_up *up = &t->attempt->up;

	t->local = up->local;
	t->peer = up->peer;
	t->peer_mru = up->peer_mru;
}

static void log_up(struct tunnel *t, const char *what)
{
	const struct worker_up *up = &t->attempt->up;
	struct net_addr local = { .family = AF_INET, .in = up->local };
	struct net_addr peer = { .family = up->peer.s_addr ? AF_INET : AF_UNSPEC, .in = up->peer };
	char a[INET6_ADDRSTRLEN], b[INET6_ADDRSTRLEN];

	log_notice(&t->log, "%s: address %s, peer %s, MTU %u", what, net_addr_format(&local, a),
		   net_addr_format(&peer, b), (unsigned)tunnel_mtu(t, NULL));
}

static void come_up(struct tunnel *t)
{
	take_addresses(t);
	t->attempt->stage = STAGE_UP;
	t->failure = (struct failure){ .cause = CAUSE_NONE };
	t->refused = 0;
	change_state(t, TUNNEL_UP, in(t, WATCHDOG_PERIOD));
	int r = kernel_reconcile(t);
	if (r < 0 && t->options.strict_kernel) {
		tunnel_fail(t, t->report.failure.cause, "%s", t->report.failure.detail);
		return;
	}
	t->sessions++;
	log_up(t, "up");
	kernel_check_bound_path(t);
	tunnel_note(t, TUNNEL_NOTE_STATE);
}

/* The server has negotiated IPCP anew in the running session. */
static void renumber(struct tunnel *t)
{
	take_addresses(t);
	if (!kernel_follow_server(t))
		return;
	log_up(t, "renumbered by the server");
	tunnel_note(t, TUNNEL_NOTE_STATE);
}

/* A worker that runs but does not answer carries nothing either. */
static void watch(struct tunnel *t)
{
	usec_t now = loop_now(t->host->loop), asked = t->attempt->stats_asked;

	if (asked == 0) {
		(void)tunnel_query_stats(t); /* a full socket is no answer either */
		t->attempt->stats_asked = asked = now;
	}
	if (now - asked >= WATCHDOG_TIME) {
		tunnel_fail(t, CAUSE_WORKER_BROKEN, "no answer for %llu s",
			    (unsigned long long)(WATCHDOG_TIME / USEC_PER_SEC));
		process_kill(&t->process);
		return;
	}
	loop_timer_set(t->host->loop, &t->timer, asked + WATCHDOG_TIME);
}

void tunnel_answered(struct tunnel *t)
{
	if (t->state == TUNNEL_UP)
		loop_timer_set(t->host->loop, &t->timer, in(t, WATCHDOG_PERIOD));
}

static void dial_timeout(struct tunnel *t)
{
	if (t->attempt->waits_for_resolver) {
		log_warning(&t->log,
			    "the host's resolver is still being changed: the server is looked up now");
		start_worker(t);
		return;
	}
	tunnel_fail(t, CAUSE_WORKER_BROKEN, "the attempt made no progress for %llu s, in stage %s",
		    (unsigned long long)(DIAL_TIME / USEC_PER_SEC), stage_name(t->attempt->stage));
	process_kill(&t->process);
}

static void lose_patience(struct tunnel *t)
{
	log_warning(&t->log, "the worker does not end, killing it");
	process_kill(&t->process);
}

/* `failure` is set. The worker has ended its session by itself, or must be stopped. */
static void end_failed(struct tunnel *t)
{
	bool told = t->process.phase == WORKER_PHASE_ENDED;

	tunnel_note(t, TUNNEL_NOTE_FAILURE);
	stop(t, TUNNEL_WAITING, told ? EXIT_TIME : STOP_TIME);
}

static void gone(struct tunnel *t)
{
	/* Without a word: process.gone has set the failure by tunnel_fail() and we are in STOPPING. */
	settle(t);
}

typedef void (*action)(struct tunnel *t);
#define S(name) [TUNNEL_##name]
#define E(name) [TUNNEL_EVENT_##name]

/* What is not in the table does nothing. */
static const action table[_TUNNEL_STATE_MAX][_TUNNEL_EVENT_MAX] = {
	S(DISABLED) = { E(ENABLE) = enable, E(DISCONNECT) = keep_held, E(DELETED) = renew_device },
	S(HELD) = { E(CONNECT) = dial_anew, E(DISCONNECT) = keep_held, E(DISABLE) = disable,
		    E(DELETED) = renew_device },
	S(WAITING) = { E(CONNECT) = dial_anew, E(DISCONNECT) = hold, E(DISABLE) = disable,
		       E(REDIAL) = dial_anew, E(NETWORK) = dial_soon, E(DELETED) = renew_and_dial,
		       E(TIMER) = dial },
	S(DIALLING) = { E(DISCONNECT) = stop_and_hold, E(DISABLE) = stop_and_disable,
			E(REDIAL) = stop_and_redial, E(DELETED) = lose_device, E(TIMER) = dial_timeout,
			E(VERIFIED) = log_in, E(FAILED) = end_failed },
	S(NEGOTIATING) = { E(DISCONNECT) = stop_and_hold, E(DISABLE) = stop_and_disable,
			   E(REDIAL) = stop_and_redial, E(PATH_LOST) = path_lost, E(DELETED) = lose_device,
			   E(TIMER) = dial_timeout, E(UP) = come_up, E(FAILED) = end_failed },
	S(UP) = { E(DISCONNECT) = stop_and_hold, E(DISABLE) = stop_and_disable, E(REDIAL) = stop_and_redial,
		  E(PATH_LOST) = path_lost, E(DELETED) = lose_device, E(TIMER) = watch, E(UP) = renumber,
		  E(FAILED) = end_failed },
	S(STOPPING) = { E(CONNECT) = rather_dial, E(DISCONNECT) = rather_hold, E(DISABLE) = rather_disable,
			E(ENABLE) = rather_enable, E(REDIAL) = redial_after_stop, E(TIMER) = lose_patience,
			E(GONE) = gone },
};

void tunnel_event(struct tunnel *t, enum tunnel_event event)
{
	action act = table[t->state][event];

	if (act)
		act(t);
}

void tunnel_fail(struct tunnel *t, enum cause cause, const char *detail_format, ...)
{
	char detail[sizeof(t->failure.detail)], server[HOST_MAX + 16], text[640];
	va_list ap;

	if (!tunnel_is_live(t))
		return;
	va_start(ap, detail_format);
	(void)vsnprintf(detail, sizeof(detail), detail_format, ap);
	va_end(ap);
	if (t->state == TUNNEL_UP && loop_now(t->host->loop) - t->state_since >= STABLE_TIME)
		t->failures = 0;
	t->proven |= t->state == TUNNEL_UP;
	t->failures++;
	t->refused += cause == CAUSE_AUTH_FAILED;
	/* After a refusal it is asked anew: RRAS says E=812 also to a user for whom it has no policy (yet),
	 * and then refuses the name in EAP. The policy that lets the user in may be one for MS-CHAPv2. */
	if (cause == CAUSE_AUTH_EAP)
		t->eap_first = true;
	else if (cause_class(cause) == CAUSE_PERMANENT)
		t->eap_first = false;
	t->failure = (struct failure){ .stage = t->attempt->stage };
	failure_set(&t->failure, cause, "%s", detail);
	t->failure_at = (int64_t)time(NULL);
	tunnel_server_format(t, server, sizeof(server));
	failure_format(&t->failure, server, text, sizeof(text));
	log_warning(&t->log, "%s", text);
	tunnel_event(t, TUNNEL_EVENT_FAILED);
}

/* Callbacks of the loop and the process */

static void on_timer(void *ctx)
{
	tunnel_event(ctx, TUNNEL_EVENT_TIMER);
}

/* Not everything that brings a path back is told. */
static void on_path_timer(void *ctx)
{
	if (kernel_has_lost_path(ctx))
		tunnel_event(ctx, TUNNEL_EVENT_PATH_LOST);
}

static void on_renew_timer(void *ctx)
{
	struct tunnel *t = ctx;

	if (!tun_is_attached(&t->tun))
		tunnel_event(t, TUNNEL_EVENT_DELETED);
}

static void on_violation(void *ctx, const char *what)
{
	struct tunnel *t = ctx;

	tunnel_fail(t, CAUSE_WORKER_BROKEN, "%s", what);
	process_kill(&t->process);
}

static void on_gone(void *ctx, const siginfo_t *info)
{
	struct tunnel *t = ctx;
	char how[64];

	process_end_format(info, how, sizeof(how));
	log_debug(&t->log, "worker ended: %s", how);
	/* Live: without a word. That sets it to STOPPING, and then to what follows, as no worker is left. */
	if (tunnel_is_live(t))
		tunnel_fail(t, CAUSE_WORKER_DIED, "%s", how);
	else
		tunnel_event(t, TUNNEL_EVENT_GONE);
}

/* Life */

int tunnel_adopt(struct tunnel_host *host, const struct config_interface *config,
		 const struct tunnel_options *options, const struct tun *tun, struct tunnel **ret)
{
	struct tunnel *t = calloc(1, sizeof(*t));

	if (!t || config_interface_copy(&t->config, config) < 0) {
		free(t);
		return -ENOMEM;
	}
	t->host = host;
	t->tun = *tun;
	t->options = options ? *options : (struct tunnel_options){ .keylog_fd = -1 };
	t->log = *host->log;
	t->log.tag = t->tun.name;
	t->timer = (struct loop_timer){ .fn = on_timer, .ctx = t };
	t->path_timer = (struct loop_timer){ .fn = on_path_timer, .ctx = t };
	t->renew_timer = (struct loop_timer){ .fn = on_renew_timer, .ctx = t };
	t->reconcile_timer = (struct loop_timer){ .fn = kernel_reconcile_soon, .ctx = t };
	t->router_timer = (struct loop_timer){ .fn = kernel_reconcile_soon, .ctx = t };
	t->retry_timer = (struct loop_timer){ .fn = kernel_reconcile_soon, .ctx = t };
	t->process = (struct process){ .loop = host->loop,
				       .ctx = t,
				       .message = attempt_message,
				       .violation = on_violation,
				       .gone = on_gone,
				       .fd = -1 };
	t->state = config->disable ? TUNNEL_DISABLED : TUNNEL_HELD;
	t->state_since = loop_now(host->loop);
	t->state_since_boot = clock_boot();
	*ret = t;
	return 0;
}

int tunnel_new(struct tunnel_host *host, const struct config_interface *config,
	       const struct tunnel_options *options, struct tunnel **ret, struct failure *failure)
{
	struct tun tun;
	struct tunnel *t;

	int r = create_device(config, options, &tun, failure);
	if (r < 0)
		return r;
	r = tunnel_adopt(host, config, options, &tun, &t);
	if (r < 0) {
		failure_set(failure, CAUSE_INTERNAL, "out of memory");
		tun_close(&tun);
		return r;
	}
	r = kernel_reconcile(t);
	if (r < 0 && t->options.strict_kernel) {
		failure_set(failure, t->report.failure.cause, "%s", t->report.failure.detail);
		tunnel_free(t);
		return r;
	}
	*ret = t;
	return 0;
}

void tunnel_close(struct tunnel *t)
{
	/* Nothing to wait for, and nothing that settle() is called for, which tells it otherwise. */
	bool closed = t->state == TUNNEL_DISABLED ||
		      (t->state == TUNNEL_HELD && !process_is_alive(&t->process));

	t->closing = true;
	tunnel_event(t, TUNNEL_EVENT_DISCONNECT);
	if (closed)
		tunnel_note(t, TUNNEL_NOTE_CLOSED);
}

void tunnel_free(struct tunnel *t)
{
	struct net_report report;

	/* The device lives as long as anybody holds it. */
	process_end(&t->process);
	loop_timer_clear(&t->timer);
	loop_timer_clear(&t->path_timer);
	loop_timer_clear(&t->reconcile_timer);
	loop_timer_clear(&t->renew_timer);
	loop_timer_clear(&t->retry_timer);
	loop_timer_clear(&t->router_timer);
	/* What is on the device goes with it. */
	if (tun_is_attached(&t->tun))
		netconf_delete_devices(t->host->netconf, &t->tun.ifindex, 1);
	if (netconf_remove(t->host->netconf, t->tun.ifindex, t->tun.name, &report) < 0)
		log_error(&t->log, "%s: %s", cause_summary(report.failure.cause), report.failure.detail);
	if (report.resolvers.cause != CAUSE_NONE)
		log_error(&t->log, "%s: %s", cause_summary(report.resolvers.cause), report.resolvers.detail);
	tun_close(&t->tun);
	(void)close_fd(t->options.keylog_fd);
	config_interface_done(&t->config);
	free(t->attempt);
	free(t);
}

int tunnel_configure(struct tunnel *t, const struct config_interface *config)
{
	enum config_cost cost = config_interface_compare(&t->config, config);
	bool disable_changed = t->config.disable != config->disable;
	struct config_interface copy;

	if (cost == CONFIG_COST_NONE)
		return 0;
	if (config_interface_copy(&copy, config) < 0)
		return -ENOMEM;
	config_interface_done(&t->config);
	t->config = copy;

	/* A larger MTU than the MRU that we asked for in this session can only be had by asking again. */
	bool larger = t->attempt && t->attempt->has_link && t->config.mtu > 1500 &&
		      t->config.mtu > t->attempt->link.mru;
	t->due_unproven |= cost == CONFIG_COST_REDIAL;
	if (disable_changed)
		t->due = t->config.disable ? TUNNEL_EVENT_DISABLE : TUNNEL_EVENT_ENABLE;
	else if (cost == CONFIG_COST_REDIAL || larger)
		t->due = TUNNEL_EVENT_REDIAL;
	if (t->state == TUNNEL_UP)
		(void)worker_send_set_mtu(t->process.fd, tunnel_mtu(t, NULL));
	(void)kernel_reconcile(t);
	return 0;
}

void tunnel_follow_up(struct tunnel *t, bool wanted)
{
	enum tunnel_event due = t->due;

	if (wanted && t->due_unproven) {
		t->proven = t->eap_first = false;
		t->refused = 0;
	}
	t->due = TUNNEL_EVENT_NONE;
	t->due_unproven = false;
	if (wanted && due != TUNNEL_EVENT_NONE)
		tunnel_event(t, due);
}

void tunnel_hurry(struct tunnel *t)
{
	if (t->state == TUNNEL_STOPPING)
		process_kill(&t->process);
}

int tunnel_query_stats(struct tunnel *t)
{
	if (t->state != TUNNEL_UP)
		return -ENOTCONN;
	int r = worker_send_plain(t->process.fd, WORKER_QUERY_STATS);
	if (r == 0 && t->attempt->stats_asked == 0)
		t->attempt->stats_asked = loop_now(t->host->loop);
	return r;
}

void tunnel_network_changed(struct tunnel *t, usec_t asleep)
{
	if (t->state == TUNNEL_WAITING && (asleep > 0 || kernel_path_is_new(t)))
		tunnel_event(t, TUNNEL_EVENT_NETWORK);
	else if (tunnel_is_live(t) && asleep >= ASLEEP_TOO_LONG)
		tunnel_event(t, TUNNEL_EVENT_REDIAL);
	else if (tunnel_is_live(t))
		kernel_check_bound_path(t);
}
