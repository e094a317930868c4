/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/exit-watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/pidfd.h>
#include <sys/timerfd.h>

#include "base/clock.h"
#include "base/macro.h"

#define TICK_NSEC 50000000L

static int open_ticker(pid_t pid)
{
	const struct itimerspec every = { { .tv_nsec = TICK_NSEC }, { .tv_nsec = TICK_NSEC } };
	siginfo_t info;

	/* pidfd_open(2) would have found out, too, that there is none. */
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return errno == ECHILD ? -ESRCH : -errno;
	_cleanup_close_ int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (fd < 0 || timerfd_settime(fd, 0, &every, NULL) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int exit_watch_open(struct exit_watch *w, pid_t pid)
{
	int fd = pidfd_open(pid, 0);
	bool ticks = fd < 0 && errno == ENOSYS;

	if (ticks)
		fd = open_ticker(pid);
	else if (fd < 0)
		fd = -errno;
	if (fd < 0)
		return fd;
	*w = (struct exit_watch){ .pid = pid, .fd = fd, .ticks = ticks };
	return 0;
}

void exit_watch_close(struct exit_watch *w)
{
	if (w->pid > 0)
		(void)close_fd(w->fd);
	*w = EXIT_WATCH_NONE;
}

int exit_watch_look(const struct exit_watch *w, siginfo_t *info)
{
	uint64_t ticks;

	if (w->ticks)
		(void)!read(w->fd, &ticks, sizeof(ticks));
	*info = (siginfo_t){ .si_pid = 0 };
	return waitid(P_PID, (id_t)w->pid, info, WEXITED | WNOHANG) < 0 || info->si_pid != 0;
}

int exit_watch_wait(const struct exit_watch *w, int timeout_ms, siginfo_t *info)
{
	usec_t now = clock_now(), end = now + (usec_t)timeout_ms * USEC_PER_MSEC;
	struct pollfd p = { .fd = w->fd, .events = POLLIN };

	for (;; now = clock_now()) {
		int r = exit_watch_look(w, info);
		if (r != 0 || now >= end)
			return r;
		(void)poll(&p, 1, (int)((end - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC));
	}
}

int exit_watch_kill(const struct exit_watch *w, int signal)
{
	if (w->pid <= 0)
		return -ESRCH;
	int r = w->ticks ? kill(w->pid, signal) : pidfd_send_signal(w->fd, signal, NULL, 0);
	return r < 0 ? -errno : 0;
}
