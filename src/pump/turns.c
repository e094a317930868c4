/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pump/turns.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/sockopt.h"

#define WINDOW	   (20 * USEC_PER_MSEC)	 /* some kernels count processor time in ticks of 4 ms */
#define BUSY_PART  4			 /* busy is who uses, or waits for, a fourth of a processor */
#define WAIT_PART  2			 /* and crowded if it waits longer than half of what it uses */
#define WAIT_TIMES 8			 /* others: eight times as long, because waking up counts, too */
#define FREE_TURNS 12			 /* judged ones, a second or as many packets */
#define PAUSE_MIN  (100 * USEC_PER_MSEC) /* between leaving a processor and leaving another */
#define PAUSE_MAX  (10 * USEC_PER_SEC)	 /* after many times */
#define STAY_TIME  (10 * USEC_PER_SEC)	 /* then the scheduler may find a better place */

void turns_init(struct turns *t)
{
	*t = (struct turns){ .at = clock_now(), .used = clock_cpu(), .place = -1 };
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

/*
 * Gives back what this has taken, unless somebody else has chosen meanwhile. That is said again then: kernels
 * since 6.2 remember what was asked for, and would come back to it when a cpuset grows.
 */
static void release(struct turns *t)
{
	cpu_set_t present;

	if (t->is_confined && sched_getaffinity(0, sizeof(present), &present) == 0)
		(void)sched_setaffinity(0, sizeof(present),
					CPU_EQUAL(&present, &t->confined) ? &t->allowed : &present);
	t->is_confined = false;
	t->place = -1;
}

/* It is released. Is there a choice then, with this processor in it? `cpu` may be negative: not known. */
static bool regain_choice(struct turns *t, int cpu)
{
	release(t);
	return cpu >= 0 && cpu < CPU_SETSIZE && sched_getaffinity(0, sizeof(t->allowed), &t->allowed) == 0 &&
	       CPU_COUNT(&t->allowed) > 1 && CPU_ISSET((unsigned)cpu, &t->allowed);
}

static void confine(struct turns *t)
{
	t->is_confined = sched_setaffinity(0, sizeof(t->confined), &t->confined) == 0;
}

static void stay(struct turns *t, int cpu, usec_t until)
{
	if (!regain_choice(t, cpu))
		return;
	CPU_ZERO(&t->confined);
	CPU_SET((unsigned)cpu, &t->confined);
	confine(t);
	t->place = t->is_confined ? cpu : -1;
	t->stays_until = until;
}

/* It may have gone from one crowd to another: who leaves again and again does so ever more rarely. */
static void leave(struct turns *t, int cpu, usec_t now)
{
	if (!regain_choice(t, cpu))
		return;
	t->confined = t->allowed;
	CPU_CLR((unsigned)cpu, &t->confined);
	confine(t);
	t->pause = now < t->left + 2 * PAUSE_MAX ? CLAMP(2 * t->pause, PAUSE_MIN, PAUSE_MAX) : PAUSE_MIN;
	t->left = now;
	t->crowded_turns = 0;
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

	return sockopt_get(socket, SOL_SOCKET, SO_INCOMING_CPU, &cpu, &len) == 0 ? cpu : -1;
}

/* To have waited once may be chance. */
static void place_busy(struct turns *t, bool crowded, usec_t now)
{
	t->crowded_turns = crowded ? t->crowded_turns + 1 : 0;
	if (t->crowded_turns == 1)
		return;
	if (crowded) {
		t->free_turns = FREE_TURNS; /* once it is idle: its packets may come in just here */
		if (now >= t->left + t->pause)
			leave(t, sched_getcpu(), now);
		else
			release(t);
	} else if (t->place < 0) {
		stay(t, sched_getcpu(), now + STAY_TIME);
	} else if (now >= t->stays_until) {
		release(t);
	}
}

/*
 * To be crowded once is enough: a packet has waited. Where both ends of a connection are on this machine,
 * each is where the packets of the other come in: they would change places for ever, did not chance decide
 * whether to go. The place is for as long as it is not busy.
 */
static void place_idle(struct turns *t, bool crowded, int socket, usec_t now)
{
	int cpu = incoming_cpu(socket);
	bool chance = now % 2;

	t->crowded_turns = 0;
	if (crowded && t->place >= 0)
		t->free_turns = FREE_TURNS;
	if (t->free_turns > 0 || cpu < 0)
		release(t);
	else if (t->place < 0 || (cpu != t->place && chance))
		stay(t, cpu, now);
	t->free_turns -= t->free_turns > 0;
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
	bool known = read_waited(t, &waited);
	usec_t wait = known ? waited - t->waited : 0;
	bool busy = (turn + wait) * BUSY_PART >= time;
	bool crowded = busy ? wait * WAIT_PART > turn : wait > turn * WAIT_TIMES;

	choose_policy(t, busy && !crowded);
	if (known && busy)
		place_busy(t, crowded, now);
	else if (known)
		place_idle(t, crowded, socket, now);
	else
		release(t);
	t->at = now;
	t->used = used;
	t->waited = known ? waited : t->waited;
}

void turns_rest(struct turns *t)
{
	choose_policy(t, false);
	release(t);
}

void turns_done(struct turns *t)
{
	turns_rest(t);
	t->wait_file = close_fd(t->wait_file);
}
