/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pump/turns.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"

#define WINDOW	   (20 * USEC_PER_MSEC) /* some kernels count processor time in ticks of 4 ms */
#define BUSY_PART  4			/* busy is who uses more than a fourth of a processor */
#define WAIT_PART  2			/* and crowded who waits longer than half of that */
#define BOUND_TIME (10 * USEC_PER_SEC)	/* then the scheduler may find a better place */

void turns_init(struct turns *t)
{
	*t = (struct turns){ .at = clock_now(), .used = clock_cpu() };
	t->wait_file = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
}

/* Only what this set is changed again: what somebody else has chosen stays. */
static void choose_policy(struct turns *t, bool batch)
{
	int present = t->batch ? SCHED_BATCH : SCHED_OTHER, wanted = batch ? SCHED_BATCH : SCHED_OTHER;

	if (batch != t->batch && sched_getscheduler(0) == present &&
	    sched_setscheduler(0, wanted, &(struct sched_param){ 0 }) == 0)
		t->batch = batch;
}

static void stay(struct turns *t, usec_t now)
{
	int cpu = sched_getcpu();
	cpu_set_t here;

	if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof(t->allowed), &t->allowed) < 0 ||
	    CPU_COUNT(&t->allowed) < 2)
		return;
	CPU_ZERO(&here);
	CPU_SET((unsigned)cpu, &here);
	if (sched_setaffinity(0, sizeof(here), &here) < 0)
		return;
	t->bound = true;
	t->place = (unsigned)cpu;
	t->bound_until = now + BOUND_TIME;
}

static void release(struct turns *t)
{
	cpu_set_t present;

	if (sched_getaffinity(0, sizeof(present), &present) == 0 && CPU_COUNT(&present) == 1 &&
	    CPU_ISSET(t->place, &present))
		(void)sched_setaffinity(0, sizeof(t->allowed), &t->allowed);
	t->bound = false;
}

/* proc(5): "the time spent waiting on a runqueue (in nanoseconds)" is the second of three numbers. */
static bool read_waited(const struct turns *t, usec_t *ret)
{
	char text[96];
	uint64_t value = 0;
	ssize_t n = t->wait_file >= 0 ? pread(t->wait_file, text, sizeof(text) - 1, 0) : -1;

	if (n <= 0)
		return false;
	text[n] = '\0';
	for (const char *p = strchr(text, ' '); p && p[1] >= '0' && p[1] <= '9'; p++)
		value = value * 10 + (uint64_t)(p[1] - '0');
	*ret = value / 1000;
	return true;
}

void turns_judge(struct turns *t, usec_t now)
{
	if (now < t->due)
		return;
	usec_t used = clock_cpu(), waited = 0;
	usec_t turn = used - t->used, time = now - t->at;

	t->due = now + WINDOW;
	if (turn < WINDOW && time < BUSY_PART * WINDOW)
		return;
	bool busy = turn * BUSY_PART >= time;
	bool known = read_waited(t, &waited);
	bool crowded = known && (waited - t->waited) * WAIT_PART > turn;

	choose_policy(t, busy && !crowded);
	if (t->bound && (!busy || crowded || now >= t->bound_until))
		release(t);
	else if (!t->bound && busy && known && !crowded)
		stay(t, now);
	t->at = now;
	t->used = used;
	t->waited = waited;
}

void turns_rest(struct turns *t)
{
	choose_policy(t, false);
	if (t->bound)
		release(t);
}

void turns_done(struct turns *t)
{
	turns_rest(t);
	t->wait_file = close_fd(t->wait_file);
}
