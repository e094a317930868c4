/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpcd/quick.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sstpcd/password.h"

#define PROMPTS_MAX	 3   /* for a password that is not empty */
#define EXIT_INTERRUPTED 130 /* stopped before there was a session */

struct quick {
	struct manager manager;
	struct tunnel *tunnel;
	struct display display;
	struct loop_signals signals;
	struct loop_timer end_timer; /* what an observer must not do itself */
	unsigned stops;		     /* signals so far */
	struct failure failure;	     /* why the first attempt failed */
};

/* Everything that the options name is looked at before anything is made. */

static int read_ca(const char *path, struct config_interface *config, struct failure *failure)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t len = 0;

	if (fd < 0 || fstat(fd, &st) < 0) {
		failure_set(failure, CAUSE_FILE_UNREADABLE, "CA file %s: %s", path, strerror(errno));
		return -EINVAL;
	}
	if (!S_ISREG(st.st_mode)) {
		failure_set(failure, CAUSE_FILE_UNREADABLE, "CA file %s: not a regular file", path);
		return -EINVAL;
	}
	if (st.st_size > (off_t)WORKER_CA_MAX) {
		failure_set(failure, CAUSE_CA_INVALID, "%s is larger than 1 MiB", path);
		return -EINVAL;
	}
	text = malloc(WORKER_CA_MAX + 1);
	while (text && len < WORKER_CA_MAX) {
		ssize_t n = read(fd, text + len, WORKER_CA_MAX - len);
		if (n < 0) {
			failure_set(failure, CAUSE_FILE_UNREADABLE, "CA file %s: %s", path, strerror(errno));
			return -EINVAL;
		}
		if (n == 0)
			break;
		len += (size_t)n;
	}
	if (!text) {
		failure_set(failure, CAUSE_INTERNAL, "out of memory");
		return -ENOMEM;
	}
	text[len] = 0;
	if (memchr(text, 0, len) || !strstr(text, "-----BEGIN CERTIFICATE-----")) {
		failure_set(failure, CAUSE_CA_INVALID, "%s holds no PEM certificate", path);
		return -EINVAL;
	}
	/* All of it is trusted. */
	config->ca_pem = TAKE_PTR(text);
	config->ca_anchors_len = len;
	return 0;
}

static int open_keylog(const char *path, int *ret, struct failure *failure)
{
	_cleanup_close_ int fd = open(
		path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		failure_set(failure, CAUSE_FILE_UNWRITABLE, "key log %s: %s", path, strerror(errno));
		return -EINVAL;
	}
	/* In a directory for everybody, such as /tmp, the name may be somebody's trap: no link is followed.
	 */
	if (!S_ISREG(st.st_mode)) {
		failure_set(failure, CAUSE_FILE_UNWRITABLE, "key log %s: not a regular file", path);
		return -EINVAL;
	}
	*ret = TAKE_FD(fd);
	return 0;
}

/* <(pass show vpn), /dev/stdin: whoever waits for it here is the user, and nobody else. */
static int open_pipe(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISFIFO(st.st_mode) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
}

static int read_password(struct quick_options *o, struct failure *failure)
{
	bool exposed = false;

	if (o->password_fd >= 0)
		return password_from_fd(o->password_fd, &o->config.password, failure);
	if (!o->config.password_file[0])
		return 0;
	_cleanup_close_ int fd = open_pipe(o->config.password_file);
	if (fd >= 0) {
		o->config.password_file[0] = 0;
		return password_from_fd(fd, &o->config.password, failure);
	}
	int r = password_from_file(o->config.password_file, &o->config.password, &exposed, failure);
	if (r == 0 && exposed)
		(void)fprintf(stderr, "sstpcd quick: warning: %s can be read by users other than its owner\n",
			      o->config.password_file);
	o->config.password_file[0] = 0; /* it is read once */
	return r;
}

/* -ECANCELED: the user does not want to. */
static int ask_password(struct quick_options *o, struct failure *failure)
{
	char prompt[CONFIG_USERNAME_MAX + HOST_MAX + 32], user[CONFIG_USERNAME_MAX + 1];

	printable(user, sizeof(user), o->config.username, strlen(o->config.username));
	(void)snprintf(prompt, sizeof(prompt), "Password of %s at %s: ", user, o->config.server);
	int r = 0;

	/* A server counts a login without password like any other that is wrong. */
	for (unsigned i = 0; r == 0 && o->config.password.len == 0; i++) {
		if (i == PROMPTS_MAX) {
			failure_set(failure, CAUSE_USAGE, "no password was typed, %d times", PROMPTS_MAX);
			return -ENODATA;
		}
		r = password_from_terminal(prompt, &o->config.password);
	}
	if (r == -ENXIO)
		failure_set(
			failure, CAUSE_USAGE,
			"there is no terminal to ask for the password: use --password-file or --password-fd");
	else if (r < 0 && r != -ECANCELED)
		failure_set(failure, CAUSE_USAGE, "the password cannot be read: %s", strerror(-r));
	return r;
}

/* Running */

static void on_end_timer(void *ctx)
{
	struct quick *q = ctx;

	tunnel_close(q->tunnel);
}

static void on_signal(void *ctx, const struct signalfd_siginfo *info)
{
	struct quick *q = ctx;

	(void)info;
	if (++q->stops == 1)
		tunnel_close(q->tunnel);
	else
		tunnel_hurry(q->tunnel);
}

static void on_note(void *ctx, struct tunnel *t, enum tunnel_note note)
{
	struct quick *q = ctx;

	/* A server that was never reached is the user's to think about; a session that was lost is ours. So
	 * is one that only wants to be asked in another way. */
	if (note == TUNNEL_NOTE_FAILURE && t->sessions == 0 && q->failure.cause == CAUSE_NONE &&
	    t->failure.cause != CAUSE_AUTH_EAP) {
		q->failure = t->failure;
		loop_timer_set(&q->manager.loop, &q->end_timer, 0);
	}
	if (note == TUNNEL_NOTE_CLOSED)
		loop_stop(&q->manager.loop, 0);
	else if (note != TUNNEL_NOTE_STATE || q->failure.cause == CAUSE_NONE)
		display_note(&q->display, t, note);
}

/* All that people and terminals send to end a program. Without a clean-up the host would go on asking the
 * resolver of a tunnel that is gone. */
static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static int watch_signals(struct quick *q, struct failure *failure)
{
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
		(void)sigaddset(&set, ending[i]);
	q->signals = (struct loop_signals){ .fn = on_signal, .ctx = q };
	int r = loop_signals_add(&q->manager.loop, &q->signals, &set);
	if (r < 0)
		failure_set(failure, cause_unless_limit(CAUSE_INTERNAL, r), "no signals: %s", strerror(-r));
	return r;
}

/* The clean-up is not to be interrupted any more. */
static void forget_signals(struct quick *q)
{
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
		(void)signal(ending[i], SIG_IGN);
	loop_signals_remove(&q->signals);
}

/* From the first thing that is made in the kernel to the last that is taken away. */
static int run(struct quick *q, struct quick_options *o, int keylog_fd, struct failure *failure)
{
	struct tunnel_options options = {
		.halves = true, .strict_kernel = true, .keylog_fd = -1, .no_vnet_hdr = o->plain_tun
	};

	q->manager.host.observe = on_note;
	q->manager.host.observe_ctx = q;
	q->end_timer = (struct loop_timer){ .fn = on_end_timer, .ctx = q };
	int r = manager_add(&q->manager, &o->config, &options, &q->tunnel, failure);
	if (r < 0)
		return r;
	/* Only now: whoever may not do this at all should not have to type the password first. */
	if (o->config.password.len == 0)
		r = ask_password(o, failure);
	if (r == 0)
		r = secret_set(&q->tunnel->config.password, o->config.password.data, o->config.password.len);
	secret_wipe(&o->config.password);
	if (r < 0)
		return r;
	if (keylog_fd >= 0)
		q->tunnel->options.keylog_fd = fcntl(keylog_fd, F_DUPFD_CLOEXEC, 3);
	loop_refresh(&q->manager.loop); /* typing a password takes its time */
	tunnel_event(q->tunnel, TUNNEL_EVENT_CONNECT);
	r = manager_run(&q->manager);
	loop_timer_clear(&q->end_timer);
	if (r < 0)
		failure_set(failure, CAUSE_INTERNAL, "event loop: %s", strerror(-r));
	return r;
}

static int exit_code(const struct quick *q, int r, const struct failure *failure)
{
	if (failure->cause != CAUSE_NONE)
		return cause_exit_code(failure->cause);
	if (q->failure.cause != CAUSE_NONE)
		return cause_exit_code(q->failure.cause);
	return r < 0 || !q->display.was_up ? EXIT_INTERRUPTED : 0;
}

static int quick(struct quick_options *o)
{
	struct quick q = { .display.terminal = isatty(STDOUT_FILENO) == 1 };
	struct failure failure = { .cause = CAUSE_NONE };
	struct logger log = { .max = o->verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR, .fd = STDERR_FILENO };
	_cleanup_close_ int keylog_fd = -1;
	int r = 0;

	if (o->ca_file)
		r = read_ca(o->ca_file, &o->config, &failure);
	if (r == 0 && o->keylog_file)
		r = open_keylog(o->keylog_file, &keylog_fd, &failure);
	if (r == 0)
		r = read_password(o, &failure);
	if (r == 0)
		r = manager_init(&q.manager, &o->manager, &log, &failure);
	if (r == 0) {
		r = watch_signals(&q, &failure);
		if (r == 0)
			r = run(&q, o, keylog_fd, &failure);
		forget_signals(&q);
		manager_done(&q.manager);
	}
	if (failure.cause != CAUSE_NONE)
		display_failure(&q.display, &failure, NULL);
	return exit_code(&q, r, &failure);
}

int quick_main(int argc, char **argv)
{
	struct failure failure = { .cause = CAUSE_NONE };
	struct quick_options o;

	int r = quick_parse(argc, argv, &o, &failure);
	if (r < 0) {
		struct display d = { .terminal = false };
		display_failure(&d, &failure, NULL);
		r = cause_exit_code(failure.cause);
	} else if (r > 0) {
		r = quick(&o);
	}
	quick_options_done(&o);
	return r;
}
