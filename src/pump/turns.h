/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a process that moves packets shares the processors with others; what it is worth: docs/performance.md.
 *
 * While it is busy, and need not wait for its own turn, it does not interrupt others, so that more has come
 * when its turn is; and it stays on that processor. Where it must wait it leaves for any other. The scheduler
 * places who is woken where it was or beside who woke it: two ends of a tunnel then take turns on one
 * processor while another is idle.
 *
 * While it is not busy it stays on the processor that receives its connection's packets: the scheduler would
 * wake it on another, which has gone to sleep. Where it must wait there it is free for a while.
 *
 * A real-time thread that takes the whole of its processor starves it, because it cannot run to see that.
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
	cpu_set_t allowed;  /* where it may run by itself */
	cpu_set_t confined; /* where this lets it run */
	bool is_confined;
	int place; /* the only one where it lets it run; -1: there is none */

	/* who is busy */
	unsigned crowded_turns; /* one after the other */
	usec_t stays_until, left, pause;
	/* who is not */
	unsigned free_turns; /* to come */
};

/* Of the calling thread, before it enters a sandbox. Without /proc it will not stay anywhere. */
void turns_init(struct turns *t);

/* To be called while there is traffic, as often as one likes: it judges after 20 ms of processor time, or
 * 80 ms. `socket`: the connection whose packets woke it, one of them if there are several. */
void turns_judge(struct turns *t, int socket, usec_t now);

/* The scheduler has it again, on the processors that it had: those that came into use since it was confined
 * are not among them. For the end of a session; who only falls silent is left where he is until the next call
 * of turns_judge(). */
void turns_rest(struct turns *t);
/* The same, and closes the file. */
void turns_done(struct turns *t);
