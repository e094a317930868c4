/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a process that moves packets shares the processors with others. While it is busy, and need not wait for
 * its own turn, it does not interrupt them, so that more has come when its turn is; and it stays on that
 * processor. The scheduler places who is woken where it was or beside who woke it: two ends of a tunnel then
 * take turns on one processor while another is idle. While it is not busy it stays on the processor that
 * receives its connection's packets: the scheduler would wake it on another, which has gone to sleep. What
 * all that is worth: docs/performance.md.
 */
#pragma once

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct turns {
	/* private */
	int wait_file; /* /proc/thread-self/schedstat; -1: not to be had */
	usec_t due;
	usec_t at, used; /* when it was last judged, and the processor time until then */
	usec_t waited;	 /* for a processor, until then */
	bool batch;
	unsigned crowded_turns; /* one after the other, while busy */
	cpu_set_t allowed;	/* where it may run by itself */
	cpu_set_t confined;	/* where this lets it run */
	bool is_confined, stays;
	unsigned place;			 /* of who stays */
	usec_t stays_until, left, pause; /* who is busy */
	usec_t free_until;		 /* who is not */
};

/* Of the calling thread, before it enters a sandbox. Without /proc it will not stay anywhere. */
void turns_init(struct turns *t);

/* To be called while there is traffic, as often as one likes: it judges after 20 ms of processor time, or
 * 80 ms. `socket`: the connection whose packets wake it. */
void turns_judge(struct turns *t, int socket, usec_t now);

/* The scheduler has it again, on the processors that it had: those that came into use meanwhile are not among
 * them. For the end of a session; who only falls silent is left where he is until the next call of
 * turns_judge(). */
void turns_rest(struct turns *t);
/* The same, and closes the file. */
void turns_done(struct turns *t);
