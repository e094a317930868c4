/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker.h"

#include <errno.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sandbox/sandbox.h"
#include "state.h"

#define WORKER_USER "sstpcd-worker"    /* dist/systemd/sstpcd.sysusers */
#define NOBODY	    65534	       /* where there is no such user */
#define STOP_TIME   (3 * USEC_PER_SEC) /* an orderly end must not keep the user waiting */

/* Large buffers come from mmap(2): what of them is never used then costs nothing, whatever was freed before.
 */
static void keep_memory_small(void)
{
#ifdef __GLIBC__
	(void)mallopt(M_MMAP_THRESHOLD, 32 * 1024);
#endif
}

void worker_enter(struct worker *w, enum step step, void (*too_long)(void *), usec_t time)
{
	w->step = step;
	loop_timer_clear(&w->step_timer);
	w->step_timer = (struct loop_timer){ .fn = too_long, .ctx = w };
	if (too_long)
		loop_timer_set(&w->loop, &w->step_timer, loop_now(&w->loop) + time);
}

void worker_finish(struct worker *w)
{
	loop_fd_remove(&w->tun_source);
	if (w->phase != WORKER_PHASE_ENDED)
		report_end(w);
	w->phase = WORKER_PHASE_ENDED;
	loop_stop(&w->loop, 0);
}

void worker_fail(struct worker *w, const struct failure *failure)
{
	if (w->failure.cause == CAUSE_NONE)
		w->failure = *failure;
	worker_finish(w);
}

void worker_fail_with(struct worker *w, enum cause cause, const char *format, ...)
{
	struct failure f = { 0 };
	char text[sizeof(f.detail)];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	failure_set(&f, cause, "%s", text);
	worker_fail(w, &f);
}

/* The daemon's messages */

static int read_ca(struct worker *w, int fd)
{
	size_t size = WORKER_CA_MAX + 1, len = 0;
	ssize_t n = 1;

	w->ca = malloc(size);
	if (!w->ca)
		return -ENOMEM;
	while (len < size && (n = read(fd, (uint8_t *)w->ca + len, size - len)) > 0)
		len += (size_t)n;
	w->ca_len = len;
	if (n < 0)
		return -errno;
	return len == size ? -EFBIG : len < w->config.ca_anchors_len ? -EBADMSG : 0;
}

/*
 * A user of our own, that shares nothing with what else runs as nobody. By the file alone, where system users
 * are: getpwnam() may ask a server, and this process is root still.
 */
static void find_user(uid_t *ret_uid, gid_t *ret_gid)
{
	const struct passwd *entry;

	*ret_uid = *ret_gid = NOBODY;
	FILE *f = fopen("/etc/passwd", "re");
	while (f && (entry = fgetpwent(f)))
		if (strcmp(entry->pw_name, WORKER_USER) == 0 && entry->pw_uid != 0 && entry->pw_gid != 0) {
			*ret_uid = entry->pw_uid;
			*ret_gid = entry->pw_gid;
			break;
		}
	if (f)
		(void)fclose(f);
}

int worker_drop_privileges(struct failure *failure)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (uid == 0)
		find_user(&uid, &gid);
	int r = sandbox_drop_privileges(uid, gid);

	if (r == SANDBOX_IDS_KEPT && !sandbox_has_landlock()) {
		failure_set(failure, CAUSE_NO_PRIVILEGE,
			    "the tunnel process cannot leave root: CAP_SETUID and CAP_SETGID are missing, or "
			    "user %u of the user namespace is, and this kernel has no Landlock to confine it",
			    (unsigned)uid);
		return -EPERM;
	}
	if (r < 0)
		failure_set(failure, CAUSE_INTERNAL, "giving up privileges: %s", strerror(-r));
	return MIN(r, 0);
}

static int on_start(struct worker *w, struct ipc_message *m)
{
	struct failure failure = { .cause = CAUSE_NONE };
	_cleanup_close_ int ca = -1;
	int r = worker_decode_start(m, &w->config, &w->tun, &ca, &w->keylog);

	if (r < 0)
		return r;
	w->phase = WORKER_PHASE_DIALLING;
	r = ca >= 0 ? read_ca(w, ca) : 0;
	if (r < 0) {
		worker_fail_with(w, CAUSE_CA_INVALID, "reading it: %s", strerror(-r));
		return 0;
	}
	r = worker_drop_privileges(&failure);
	if (r < 0) {
		worker_fail(w, &failure);
		return 0;
	}
	r = dial_start(w);
	if (r < 0)
		worker_fail_with(w, cause_unless_fork_limit(CAUSE_INTERNAL, r), "starting: %s", strerror(-r));
	return 0;
}

static int on_route_reply(struct worker *w, const struct ipc_message *m)
{
	struct worker_routes routes;
	int r = worker_decode_route_reply(m, &routes);

	if (r < 0 || w->step != STEP_ROUTING || routes.n != w->addresses.count)
		return r < 0 ? r : -EBADMSG;
	dial_through(w, &routes);
	return 0;
}

static void on_stop_timeout(void *ctx)
{
	worker_finish(ctx);
}

/* `failure` is why, NULL if the daemon has asked for it. */
static void worker_stop(struct worker *w, const struct failure *failure)
{
	if (w->phase >= WORKER_PHASE_STOPPING || loop_timer_is_set(&w->stop_timer))
		return;
	if (!failure)
		w->phase = WORKER_PHASE_STOPPING;
	else if (w->failure.cause == CAUSE_NONE)
		w->failure = *failure;
	if (!w->session) {
		worker_finish(w);
		return;
	}
	w->stop_timer = (struct loop_timer){ .fn = on_stop_timeout, .ctx = w };
	loop_timer_set(&w->loop, &w->stop_timer, loop_now(&w->loop) + STOP_TIME);
	session_stop(w->session, failure, loop_now(&w->loop));
	carry_run(w);
}

static int dispatch(struct worker *w, struct ipc_message *m)
{
	uint16_t mtu;
	int r = 0;

	switch ((enum worker_message)m->type) {
	case WORKER_START:
		return on_start(w, m);
	case WORKER_ROUTE_REPLY:
		return on_route_reply(w, m);
	case WORKER_PASSWORD:
		r = worker_decode_password(m, &w->password);
		w->password_known = r == 0;
		wipe(w->message, sizeof(w->message));
		if (r == 0)
			carry_give_password(w);
		if (r == 0 && w->step == STEP_SESSION)
			carry_run(w);
		return r;
	case WORKER_STOP:
		worker_stop(w, NULL);
		return 0;
	case WORKER_SET_MTU:
		r = worker_decode_set_mtu(m, &mtu);
		if (r == 0 && w->session)
			session_set_mtu(w->session, mtu);
		return r;
	case WORKER_QUERY_STATS:
		report_stats(w);
		return 0;
	case WORKER_STAGE:
	case WORKER_ROUTE_QUERY:
	case WORKER_VERIFIED:
	case WORKER_LINK:
	case WORKER_UP:
	case WORKER_IPV6_UP:
	case WORKER_IPV6_DOWN:
	case WORKER_RDNSS:
	case WORKER_STATS:
	case WORKER_LOG:
	case WORKER_FAILED:
	case WORKER_CLOSED:
		break;
	}
	return -EBADMSG;
}

static void on_ipc(void *ctx, uint32_t events)
{
	struct worker *w = ctx;
	struct ipc_message m;
	int r = ipc_receive(w->ipc, w->message, sizeof(w->message), &m);

	(void)events;
	if (r == -EAGAIN)
		return;
	if (r <= 0) { /* the daemon is gone: say goodbye to the server */
		loop_fd_remove(&w->ipc_source);
		worker_stop(w, NULL);
		return;
	}
	r = ipc_permit(&w->monitor, &m, w->phase);
	if (r == 0)
		r = dispatch(w, &m);
	ipc_message_done(&m);
	if (r < 0)
		worker_fail_with(w, CAUSE_INTERNAL, "message %s of the daemon: %s",
				 ipc_type_name(&w->monitor, m.type), strerror(-r));
}

static void on_signal(void *ctx, const struct signalfd_siginfo *info)
{
	struct failure failure = { .cause = CAUSE_NONE };

	failure_set(&failure, CAUSE_WORKER_DIED, "ended by signal %u of process %u", info->ssi_signo,
		    info->ssi_pid);
	worker_stop(ctx, &failure);
}

/* Life */

static int watch(struct worker *w)
{
	sigset_t set;
	int r = loop_init(&w->loop);

	if (r < 0)
		return r;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	w->signals = (struct loop_signals){ .fn = on_signal, .ctx = w };
	r = loop_signals_add(&w->loop, &w->signals, &set);
	if (r < 0)
		return r;
	w->ipc_source = (struct loop_fd){ .fn = on_ipc, .ctx = w };
	return loop_fd_add(&w->loop, &w->ipc_source, w->ipc, EPOLLIN);
}

static void done(struct worker *w)
{
	secret_wipe(&w->password);
	resolver_end(&w->resolver); /* nobody else reaps a lookup that still waits */
	if (w->session) {
		pump_done(&w->pump);
		session_done(w->session);
		free(w->session);
	}
	turns_done(&w->turns);
	tls_free(w->tls);
	free(w->ca);
	(void)close_fd(w->socket);
	(void)close_fd(w->tun);
	(void)close_fd(w->keylog);
}

int worker_run(int ipc)
{
	int r;

	keep_memory_small();
	struct worker *w = calloc(1, sizeof(*w));
	if (!w)
		return 1;
	/* The daemon says when to stop. No Ctrl-C gets here, in a session of our own, only a stray signal. */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	w->ipc = ipc;
	w->tun = w->keylog = w->socket = -1;
	turns_init(&w->turns);
	w->monitor = worker_monitor_of_worker();
	r = watch(w);
	if (r == 0)
		r = loop_run(&w->loop);
	done(w);
	free(w);
	return r == 0 ? 0 : 1;
}
