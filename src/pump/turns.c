/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pump/turns.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/macro.h"

#define WINDOW	   (20 * USEC_PER_MSEC) /* some kernels count processor time in ticks of 4 ms */
#define BUSY_PART  4			/* busy is who uses more than a fourth of a processor */
#define WAIT_PART  2			/* and crowded if it waits longer than half of that */
#define WAIT_TIMES 8			/* others: eight times as long, because waking up counts, too */
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

/* `cpu` may be negative: not known. */
static void stay(struct turns *t, int cpu, usec_t now)
{
	cpu_set_t here;

	if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof(t->allowed), &t->allowed) < 0 ||
	    CPU_COUNT(&t->allowed) < 2 || !CPU_ISSET((unsigned)cpu, &t->allowed))
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

/* socket(7): the processor that the last packet came in on; -1: not known. */
static int incoming_cpu(int socket)
{
	int cpu;
	socklen_t len = sizeof(cpu);

	return getsockopt(socket, SOL_SOCKET, SO_INCOMING_CPU, &cpu, &len) == 0 ? cpu : -1;
}

static void place_busy(struct turns *t, bool crowded, usec_t now)
{
	if (t->bound && (crowded || now >= t->bound_until))
		release(t);
	else if (!t->bound && !crowded)
		stay(t, sched_getcpu(), now);
}

static void place_idle(struct turns *t, bool crowded, int socket, usec_t now)
{
	int cpu = incoming_cpu(socket);

	if (crowded)
		t->free_until = now + BOUND_TIME;
	if (t->bound && (crowded || cpu != (int)t->place))
		release(t);
	if (!t->bound && now >= t->free_until)
		stay(t, cpu, now);
}

void turns_judge(struct turns *t, int socket, usec_t now)
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
	usec_t wait = waited - t->waited;
	bool crowded = known && (busy ? wait * WAIT_PART > turn : wait > turn * WAIT_TIMES);

	choose_policy(t, busy && !crowded);
	if (known && busy)
		place_busy(t, crowded, now);
	else if (known)
		place_idle(t, crowded, socket, now);
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
