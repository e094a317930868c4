/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watches for the end of a child process by a descriptor. That is a pidfd; where pidfd_open(2) is not
 * implemented, as under valgrind 3.19 and in some sandboxes (every kernel that we support has it), a timer
 * that makes its owner look some times a second. The child is this process's own and reaped by nobody else,
 * so that its pid stays its own until exit_watch_look() has told.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <sys/wait.h>

struct exit_watch {
	pid_t pid; /* 0 while none is watched */
	int fd;	   /* readable: exit_watch_look() may have news; -1 while none is watched */
	bool ticks;
};
#define EXIT_WATCH_NONE ((struct exit_watch){ .fd = -1 })

/* 0 or negative errno: -ESRCH if there is no such process. */
int exit_watch_open(struct exit_watch *w, pid_t pid);
/* Forgets the child without waiting for it. Harmless where none is watched. */
void exit_watch_close(struct exit_watch *w);

/*
 * 1: the child has ended and was reaped, `info` as waitid(2) fills it (si_pid 0 if somebody else has reaped
 * it). 0: it still runs. The watch stays open. Wakes nobody and waits for nothing.
 */
int exit_watch_look(const struct exit_watch *w, siginfo_t *info);
/* The same, but waits up to `timeout_ms`; a signal does not end the wait. */
int exit_watch_wait(const struct exit_watch *w, int timeout_ms, siginfo_t *info);
/* Sends a signal. 0 or negative errno: -ESRCH if it has ended or none is watched. */
int exit_watch_kill(const struct exit_watch *w, int signal);
