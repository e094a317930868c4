/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpcd/process.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
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

int process_memory_file(const char *name, const char *data, size_t len)
{
	_cleanup_close_ int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	int r = write_all(fd, data, len);
	if (r < 0)
		return r;
	if (lseek(fd, 0, SEEK_SET) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* The descriptors of the child. The socket first: its number may be one of those that are opened or closed.
 */
static int set_descriptors(posix_spawn_file_actions_t *actions, const struct process_fds *fds)
{
	int r = fds->socket >= 0 ? posix_spawn_file_actions_adddup2(actions, fds->socket, WORKER_FD) : 0;

	if (r == 0)
		r = fds->in >= 0 ? posix_spawn_file_actions_adddup2(actions, fds->in, 0)
				 : posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = fds->out >= 0 ? posix_spawn_file_actions_adddup2(actions, fds->out, 1)
				  : posix_spawn_file_actions_addopen(actions, 1, "/dev/null", O_WRONLY, 0);
	if (r == 0 && fds->error >= 0)
		r = posix_spawn_file_actions_adddup2(actions, fds->error, 2);
	if (r == 0)
		r = posix_spawn_file_actions_addclosefrom_np(actions, fds->socket >= 0 ? WORKER_FD + 1 : 3);
	return r;
}

/* A session of its own (no Ctrl-C of our terminal reaches it), no blocked or ignored signal. */
static int set_attributes(posix_spawnattr_t *attr)
{
	sigset_t none, all;
	int r;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	if ((r = posix_spawnattr_setsigmask(attr, &none)) == 0 &&
	    (r = posix_spawnattr_setsigdefault(attr, &all)) == 0)
		r = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
							   POSIX_SPAWN_SETSIGDEF);
	return r;
}

int process_spawn(const char *path, const char *option, const struct process_fds *fds, pid_t *ret)
{
	const char *const argv[] = { "sstpc-tunnel", option, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int r;

	/* posix_spawn(3) need not tell it otherwise than by the child's exit status. */
	if (access(path, X_OK) < 0)
		return -errno;
	r = posix_spawn_file_actions_init(&actions);
	if (r != 0)
		return -r;
	r = posix_spawnattr_init(&attr);
	if (r == 0) {
		if ((r = set_descriptors(&actions, fds)) == 0 && (r = set_attributes(&attr)) == 0)
			r = posix_spawn(ret, path, &actions, &attr, (char *const *)argv, environ);
		(void)posix_spawnattr_destroy(&attr);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return -r;
}

void process_reap(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int process_start(struct process *p, const char *path)
{
	int pair[2];
	pid_t pid;

	int r = ipc_pair(pair);
	if (r < 0)
		return r;
	_cleanup_close_ int ours = pair[0], theirs = pair[1];
	const struct process_fds fds = { .in = -1, .out = -1, .error = -1, .socket = theirs };
	r = process_spawn(path, NULL, &fds, &pid);
	if (r < 0)
		return r;
	r = process_adopt(p, pid, ours, WORKER_PHASE_NEW, 0);
	if (r < 0) {
		process_reap(pid);
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
