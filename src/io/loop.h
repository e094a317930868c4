/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small event loop on epoll for single-threaded programs: descriptors, one-shot timers, signals, children,
 * resume from suspend.
 *
 * Sources are members of the caller's own structs and never allocated here: zero-initialise, add, and remove
 * before the memory goes away. Removing is allowed anywhere, also from the source's own callback or from
 * that of another source that is ready in the same round: what was removed is not called any more. One round
 * (loop_step) calls ready descriptors in the order of the kernel, then due timers in the order of their
 * deadlines (equal deadlines: in the order in which they were set).
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/types.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/exit-watch.h"

#define LOOP_BATCH 32 /* events taken from the kernel per round */

struct loop_fd {
	/* `events` are EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP as epoll reports them. */
	void (*fn)(void *ctx, uint32_t events);
	void *ctx;
	/* private */
	struct loop *loop;
	struct loop_fd *next_dirty;
	int fd;
	uint32_t wanted, armed;
	bool dirty;
};

struct loop_timer {
	void (*fn)(void *ctx);
	void *ctx;
	/* private */
	struct loop *loop; /* NULL while not set */
	usec_t deadline;
	struct loop_timer *prev, *next;
};

struct loop_signals {
	void (*fn)(void *ctx, const struct signalfd_siginfo *info);
	void *ctx;
	/* private */
	struct loop_fd source;
	sigset_t before;
};

struct loop_child {
	/* The child has ended and was reaped; the source is already removed. `info` as waitid(2) fills it. */
	void (*fn)(void *ctx, const siginfo_t *info);
	void *ctx;
	pid_t pid; /* 0 while none is watched */
	/* private */
	struct exit_watch watch;
	struct loop_fd source;
};

struct loop_resume {
	/* The machine was suspended for `asleep` (CLOCK_BOOTTIME ran on, CLOCK_MONOTONIC did not). */
	void (*fn)(void *ctx, usec_t asleep);
	void *ctx;
	/* private */
	struct loop_fd source;
	usec_t offset;
};

struct loop {
	/* private */
	int epoll;
	usec_t now;
	bool stopped;
	int result;
	struct loop_timer *first, *last; /* by deadline */
	struct loop_fd *dirty;
	struct epoll_event batch[LOOP_BATCH];
	int batch_len, batch_pos;
};

/* 0 or negative errno. loop_done() closes what the loop itself opened; sources must be removed before. */
int loop_init(struct loop *l);
void loop_done(struct loop *l);

/* The time at which the current round woke up: the `now` for everything that is called from the loop. */
usec_t loop_now(const struct loop *l);
/* Makes that the present: for who was busy for long before the loop runs. */
void loop_refresh(struct loop *l);

/*
 * One round: waits until something is ready, a timer is due, or `max_wait` microseconds have passed
 * (USEC_NEVER: no limit, 0: do not wait), then calls back. Returns 0 or negative errno.
 */
int loop_step(struct loop *l, usec_t max_wait);
/* Rounds until loop_stop(); returns its result, or a negative errno. */
int loop_run(struct loop *l);
/* Ends loop_run() after the current callback. The first result counts. */
void loop_stop(struct loop *l, int result);
bool loop_stopped(const struct loop *l);

/*
 * Watches `fd`, which stays the caller's, level-triggered for `events` (0: only errors and hang-up, which
 * epoll always reports). 0 or negative errno: -EPERM for a descriptor that cannot be watched (plain files).
 */
int loop_fd_add(struct loop *l, struct loop_fd *s, int fd, uint32_t events);
/* Changes what is waited for. Told to the kernel before the next sleep and only if it differs by then. */
void loop_fd_set(struct loop_fd *s, uint32_t events);
/* Call before the descriptor is closed. Harmless for a source that is not added. */
void loop_fd_remove(struct loop_fd *s);
static inline bool loop_fd_is_added(const struct loop_fd *s)
{
	return s->loop != NULL;
}

/* Calls `t->fn` once when `deadline` (CLOCK_MONOTONIC) has come; replaces an earlier deadline. USEC_NEVER
 * clears. A deadline in the past is due at once, but a timer that is set by a timer's callback is not called
 * in the same round. */
void loop_timer_set(struct loop *l, struct loop_timer *t, usec_t deadline);
void loop_timer_clear(struct loop_timer *t);
static inline bool loop_timer_is_set(const struct loop_timer *t)
{
	return t->loop != NULL;
}
/* When it is due; USEC_NEVER while not set. */
static inline usec_t loop_timer_deadline(const struct loop_timer *t)
{
	return t->loop ? t->deadline : USEC_NEVER;
}

/*
 * Blocks the signals of `set` in this process and delivers them through the loop. Removing restores the
 * former mask. Children inherit the mask: give posix_spawn(3) an empty one (POSIX_SPAWN_SETSIGMASK).
 */
int loop_signals_add(struct loop *l, struct loop_signals *s, const sigset_t *set);
void loop_signals_remove(struct loop_signals *s);

/* Watches a child of this process and reaps it when it has ended. -ESRCH if there is no such child. */
int loop_child_add(struct loop *l, struct loop_child *c, pid_t pid);
/* Forgets the child without waiting for it. */
void loop_child_remove(struct loop_child *c);
/* Sends a signal to a watched child; never to another process that has got its pid. */
int loop_child_kill(const struct loop_child *c, int signal);

/* Kills and reaps the child now, without a callback: for where it is of no more use, or waitid(2) will soon
 * not be allowed. A killed child ends at once; one that the kernel holds back is left after a second. */
void loop_child_end(struct loop_child *c);

/* Watches for the end of a suspend. 0 or negative errno. */
int loop_resume_add(struct loop *l, struct loop_resume *r);
void loop_resume_remove(struct loop_resume *r);
