/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processor time is this process's own; the time is a number, and so is what it waited. */
#include "pump/turns.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/macro.h"
#include "test.h"

#define WORK (25 * USEC_PER_MSEC)

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(99);
}

/* What the kernel says: ran, waited, turns. */
static void has_waited(struct turns *t, usec_t waited)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "1 %llu 1\n", (unsigned long long)waited * 1000);

	must(pwrite(t->wait_file, text, (size_t)n, 0) == n, "pwrite");
}

static struct turns start(void)
{
	struct turns t;

	turns_init(&t);
	must(t.wait_file >= 0, "schedstat");
	(void)close_fd(t.wait_file);
	t.wait_file = memfd_create("schedstat", MFD_CLOEXEC);
	must(t.wait_file >= 0, "memfd_create");
	has_waited(&t, 0);
	return t;
}

static void work(void)
{
	for (usec_t until = clock_cpu() + WORK; clock_cpu() < until;)
		;
}

/* It worked for a part of `time`. */
static void works(struct turns *t, usec_t *now, usec_t time)
{
	work();
	*now += time;
	turns_judge(t, *now);
}

static int processors(void)
{
	cpu_set_t set;

	must(sched_getaffinity(0, sizeof(set), &set) == 0, "sched_getaffinity");
	return CPU_COUNT(&set);
}

static void who_is_busy_lets_others_finish_their_turns(void)
{
	struct turns t = start();
	usec_t now = t.at;
	int all = processors();

	works(&t, &now, 2 * WORK);
	check_int(sched_getscheduler(0), SCHED_BATCH);
	works(&t, &now, USEC_PER_SEC);
	check_int(sched_getscheduler(0), SCHED_OTHER);
	works(&t, &now, 2 * WORK);
	check_int(sched_getscheduler(0), SCHED_BATCH);
	turns_rest(&t);
	check_int(sched_getscheduler(0), SCHED_OTHER);
	check_int(processors(), all);
	turns_done(&t);
}

static void the_policy_that_somebody_has_chosen_stays(void)
{
	struct turns t = start();
	usec_t now = t.at;

	must(sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ 0 }) == 0, "SCHED_BATCH");
	works(&t, &now, 2 * WORK);
	works(&t, &now, USEC_PER_SEC);
	check_int(sched_getscheduler(0), SCHED_BATCH);
	turns_done(&t);
	check_int(sched_getscheduler(0), SCHED_BATCH);
	must(sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){ 0 }) == 0, "SCHED_OTHER");
}

static void the_processor_that_somebody_has_chosen_stays(void)
{
	struct turns t = start();
	usec_t now = t.at;
	cpu_set_t all, other, after;
	unsigned cpu = 0;

	must(sched_getaffinity(0, sizeof(all), &all) == 0, "sched_getaffinity");
	if (CPU_COUNT(&all) < 2) { /* nothing to choose */
		turns_done(&t);
		return;
	}
	works(&t, &now, 2 * WORK);
	check_int(processors(), 1);
	while (!CPU_ISSET(cpu, &all) || cpu == t.place)
		cpu++;
	CPU_ZERO(&other);
	CPU_SET(cpu, &other);
	must(sched_setaffinity(0, sizeof(other), &other) == 0, "sched_setaffinity");
	turns_done(&t);
	must(sched_getaffinity(0, sizeof(after), &after) == 0, "sched_getaffinity");
	check(CPU_EQUAL(&after, &other));
	must(sched_setaffinity(0, sizeof(all), &all) == 0, "sched_setaffinity");
}

static void it_stays_where_it_need_not_wait(void)
{
	struct turns t = start();
	usec_t now = t.at;
	int all = processors();

	works(&t, &now, 2 * WORK);
	check_int(processors(), 1);
	has_waited(&t, WORK); /* as long as it ran */
	works(&t, &now, 2 * WORK);
	check_int(processors(), all);
	check_int(sched_getscheduler(0), SCHED_OTHER);
	works(&t, &now, 2 * WORK);
	check_int(processors(), 1);
	check_int(sched_getscheduler(0), SCHED_BATCH);
	works(&t, &now, USEC_PER_SEC); /* idle */
	check_int(processors(), all);
	turns_done(&t);
}

static void it_looks_for_a_better_place_now_and_then(void)
{
	struct turns t = start();
	usec_t now = t.at;
	int all = processors();

	works(&t, &now, 2 * WORK);
	if (all > 1)
		check_int(t.bound_until - now, 10 * USEC_PER_SEC);
	now = t.due = t.at = t.bound_until - 5 * WORK; /* as if it had been busy meanwhile */
	works(&t, &now, 4 * WORK);
	check_int(processors(), 1);
	works(&t, &now, 4 * WORK);
	check_int(processors(), all);
	turns_done(&t);
}

static void without_the_kernels_word_it_stays_nowhere(void)
{
	struct turns t = start();
	usec_t now = t.at;
	int all = processors();

	t.wait_file = close_fd(t.wait_file);
	works(&t, &now, 2 * WORK);
	check_int(processors(), all);
	turns_done(&t);
}

int main(void)
{
	return run_tests((struct test[]){ TEST(who_is_busy_lets_others_finish_their_turns),
					  TEST(the_policy_that_somebody_has_chosen_stays),
					  TEST(the_processor_that_somebody_has_chosen_stays),
					  TEST(it_stays_where_it_need_not_wait),
					  TEST(it_looks_for_a_better_place_now_and_then),
					  TEST(without_the_kernels_word_it_stays_nowhere),
					  {} });
}
