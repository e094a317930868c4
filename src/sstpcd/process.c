/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpcd/process.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"

/* Larger than any message of a worker: what does not fit is refused by ipc_receive(). */
#define MESSAGE_MAX 8192
/* A flooding worker gets no more than this per round, so that it harms only itself. */
#define MESSAGES_PER_ROUND 32

static void close_socket(struct process *p)
{
	loop_fd_remove(&p->source);
	p->fd = close_fd(p->fd);
}

/* Takes one message. False when there is none, now or for ever. */
static bool take_message(struct process *p)
{
	uint8_t buf[MESSAGE_MAX];
	_cleanup_(ipc_message_done) struct ipc_message m = { .n_fds = 0 };

	int r = ipc_receive(p->fd, buf, sizeof(buf), &m);
	if (r == -EAGAIN)
		return false;
	if (r <= 0 && r != -EBADMSG) {
		/* The end of the connection: what follows is the end of the process. */
		close_socket(p);
		return false;
	}
	if (r > 0)
		r = ipc_permit(&p->monitor, &m, p->phase);
	if (r < 0) {
		char what[96];
		(void)snprintf(what, sizeof(what), "%s message '%s'",
			       r == -EPERM	? "an untimely"
			       : r == -EALREADY ? "a repeated"
						: "a malformed",
			       ipc_type_name(&p->monitor, m.type));
		close_socket(p);
		p->violation(p->ctx, what);
		return false;
	}
	p->message(p->ctx, &m);
	return p->fd >= 0;
}

static void on_readable(void *ctx, uint32_t events)
{
	struct process *p = ctx;

	(void)events;
	for (int i = 0; i < MESSAGES_PER_ROUND; i++)
		if (!take_message(p))
			return;
}

static void on_gone(void *ctx, const siginfo_t *info)
{
	struct process *p = ctx;

	/* The kernel bounds what can still be in the socket. */
	while (p->fd >= 0 && take_message(p))
		;
	close_socket(p);
	p->gone(p->ctx, info);
}

int process_adopt(struct process *p, pid_t pid, int fd, enum worker_phase phase, uint64_t seen)
{
	p->monitor = worker_monitor_of_daemon();
	p->monitor.seen = seen;
	p->phase = phase;
	p->source = (struct loop_fd){ .fn = on_readable, .ctx = p };
	p->child = (struct loop_child){ .fn = on_gone, .ctx = p };
	int r = loop_child_add(p->loop, &p->child, pid);
	if (r < 0)
		return r;
	r = loop_fd_add(p->loop, &p->source, fd, EPOLLIN);
	if (r < 0) {
		loop_child_remove(&p->child);
		return r;
	}
	p->fd = fd;
	return 0;
}

/*
 * A session of its own (no Ctrl-C of our terminal reaches it), nothing open but standard error and the
 * socket, no blocked or ignored signal.
 */
static int spawn(const char *path, int socket, pid_t *ret)
{
	char *const argv[] = { (char[]){ "sstpc-tunnel" }, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	pid_t pid;
	int r;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	r = posix_spawn_file_actions_init(&actions);
	if (r != 0)
		return -r;
	r = posix_spawnattr_init(&attr);
	if (r != 0) {
		(void)posix_spawn_file_actions_destroy(&actions);
		return -r;
	}
	/* The socket first: its number may be one of those that are opened or closed below. */
	if ((r = posix_spawn_file_actions_adddup2(&actions, socket, WORKER_FD)) != 0 ||
	    (r = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)) != 0 ||
	    (r = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)) != 0 ||
	    (r = posix_spawn_file_actions_addclosefrom_np(&actions, WORKER_FD + 1)) != 0 ||
	    (r = posix_spawnattr_setsigmask(&attr, &none)) != 0 ||
	    (r = posix_spawnattr_setsigdefault(&attr, &all)) != 0 ||
	    (r = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
							 POSIX_SPAWN_SETSIGDEF)) != 0)
		goto out;
	r = posix_spawn(&pid, path, &actions, &attr, argv, environ);
	if (r == 0)
		*ret = pid;
out:
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&actions);
	return -r;
}

int process_start(struct process *p, const char *path)
{
	int pair[2];
	pid_t pid;

	/* posix_spawn(3) need not tell it otherwise than by the child's exit status. */
	if (access(path, X_OK) < 0)
		return -errno;
	int r = ipc_pair(pair);
	if (r < 0)
		return r;
	_cleanup_close_ int ours = pair[0], theirs = pair[1];
	r = spawn(path, theirs, &pid);
	if (r < 0)
		return r;
	r = process_adopt(p, pid, ours, WORKER_PHASE_NEW, 0);
	if (r < 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		return r;
	}
	(void)TAKE_FD(ours);
	return 0;
}

void process_end(struct process *p)
{
	loop_child_end(&p->child);
	close_socket(p);
}

void process_kill(struct process *p)
{
	(void)loop_child_kill(&p->child, SIGKILL);
}

void process_end_format(const siginfo_t *info, char *out, size_t size)
{
	if (info->si_code == CLD_EXITED)
		(void)snprintf(out, size, "exit status %d", info->si_status);
	else if (info->si_code == CLD_KILLED || info->si_code == CLD_DUMPED)
		(void)snprintf(out, size, "signal %d (%s)", info->si_status, strsignal(info->si_status));
	else
		(void)snprintf(out, size, "unknown end");
}
