/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time, processor time and what it waited are numbers; policy and processors are the kernel's. */
#include "pump/turns.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
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

/* It worked for a part of `time`, without a connection. */
static void works(struct turns *t, usec_t *now, usec_t time)
{
	t->used -= WORK;
	*now += time;
	turns_judge(t, -1, *now);
}

/* The same, and had to wait as long. */
static void waits(struct turns *t, usec_t *now)
{
	has_waited(t, t->waited + WORK);
	works(t, now, 2 * WORK);
}

static int processors(void)
{
	cpu_set_t set;

	must(sched_getaffinity(0, sizeof(set), &set) == 0, "sched_getaffinity");
	return CPU_COUNT(&set);
}

static cpu_set_t only(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return set;
}

/* A connection to itself: what is written at [0] arrives at [1]. */
static void connect_pair(int pair[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	pair[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(bind(listener, (struct sockaddr *)&address, len) == 0 && listen(listener, 1) == 0 &&
		     getsockname(listener, (struct sockaddr *)&address, &len) == 0 &&
		     connect(pair[0], (struct sockaddr *)&address, len) == 0,
	     "connect");
	pair[1] = accept(listener, NULL, NULL);
	must(pair[1] >= 0, "accept");
	(void)close_fd(listener);
}

/* A packet comes in on this processor: on the loopback that is where it was sent. */
static void receive_on(const int pair[2], unsigned cpu)
{
	cpu_set_t here = only(cpu), before;
	char byte = 0;

	must(sched_getaffinity(0, sizeof(before), &before) == 0, "sched_getaffinity");
	must(sched_setaffinity(0, sizeof(here), &here) == 0, "sched_setaffinity");
	must(write(pair[0], &byte, 1) == 1 && read(pair[1], &byte, 1) == 1, "a byte");
	must(sched_setaffinity(0, sizeof(before), &before) == 0, "sched_setaffinity");
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
	if (CPU_COUNT(&all) < 2) {
		test_skipped = "there is one processor: nothing to choose";
		turns_done(&t);
		return;
	}
	works(&t, &now, 2 * WORK);
	check_int(processors(), 1);
	while (!CPU_ISSET(cpu, &all) || cpu == (unsigned)t.place)
		cpu++;
	CPU_ZERO(&other);
	CPU_SET(cpu, &other);
	must(sched_setaffinity(0, sizeof(other), &other) == 0, "sched_setaffinity");
	turns_done(&t);
	must(sched_getaffinity(0, sizeof(after), &after) == 0, "sched_getaffinity");
	check(CPU_EQUAL(&after, &other));
	must(sched_setaffinity(0, sizeof(all), &all) == 0, "sched_setaffinity");
}

static bool may_run_on(unsigned cpu)
{
	cpu_set_t set;

	must(sched_getaffinity(0, sizeof(set), &set) == 0, "sched_getaffinity");
	return CPU_ISSET(cpu, &set);
}

static void it_stays_where_it_need_not_wait(void)
{
	struct turns t = start();
	usec_t now = t.at;
	int all = processors();

	works(&t, &now, 2 * WORK);
	check_int(processors(), 1);
	check_int(sched_getscheduler(0), SCHED_BATCH);
	waits(&t, &now); /* once may be chance */
	check_int(processors(), 1);
	check_int(sched_getscheduler(0), SCHED_OTHER);
	works(&t, &now, 2 * WORK);
	waits(&t, &now);
	check_int(processors(), 1);
	works(&t, &now, USEC_PER_SEC); /* idle */
	check_int(processors(), all);
	turns_done(&t);
}

static void it_leaves_where_it_must_wait(void)
{
	struct turns t = start();
	usec_t now = t.at;
	int all = processors();

	works(&t, &now, 2 * WORK);
	unsigned place = (unsigned)t.place;
	waits(&t, &now);
	waits(&t, &now);
	if (all > 1) {
		check(!may_run_on(place));
		check_int(processors(), all - 1);
	}
	works(&t, &now, 2 * WORK);
	check_int(processors(), 1);
	if (all > 1)
		check(!may_run_on(place));
	turns_done(&t);
	check_int(processors(), all);
}

/* Nine workers on one processor have a ninth of it each. */
static void who_gets_little_because_others_take_it_leaves(void)
{
	struct turns t = start();
	usec_t now = t.at;
	int all = processors();

	works(&t, &now, 2 * WORK);
	unsigned place = (unsigned)t.place;
	for (int i = 0; i < 2; i++) {
		has_waited(&t, t.waited + 8 * WORK);
		works(&t, &now, 9 * WORK);
	}
	if (all > 1)
		check(!may_run_on(place));
	turns_done(&t);
}

static void to_wait_now_and_then_is_chance(void)
{
	struct turns t = start();
	usec_t now = t.at;

	for (int i = 0; i < 3; i++) {
		works(&t, &now, 2 * WORK);
		check_int(processors(), 1);
		waits(&t, &now);
		check_int(processors(), 1);
		works(&t, &now, USEC_PER_SEC); /* idle */
		waits(&t, &now);
		works(&t, &now, 2 * WORK);
		check_int(processors(), 1);
	}
	turns_done(&t);
}

/* As it is where all processors are taken: it may not jump to and fro, nor be kept where it is. */
static void where_all_must_wait_it_leaves_ever_more_rarely(void)
{
	struct turns t = start();
	usec_t now = t.at, last = 0;
	int all = processors(), confined = 0;

	for (int i = 0, jumps = 0; i < 2000 && all > 1; i++) { /* 100 s */
		waits(&t, &now);
		confined += processors() < all;
		if (t.left == last)
			continue;
		if (jumps++ > 0)
			check(t.left - last >= MIN(50 * USEC_PER_MSEC << (jumps - 1), 10 * USEC_PER_SEC));
		last = t.left;
		check(jumps < 18);
	}
	check(confined < 100);
	now += 30 * USEC_PER_SEC;
	waits(&t, &now);
	waits(&t, &now);
	waits(&t, &now);
	if (all > 1)
		check_int(t.pause, 100 * USEC_PER_MSEC); /* all is forgotten */
	turns_done(&t);
}

static void it_looks_for_a_better_place_now_and_then(void)
{
	struct turns t = start();
	usec_t now = t.at;
	int all = processors();

	works(&t, &now, 2 * WORK);
	if (all > 1)
		check_int(t.stays_until - now, 10 * USEC_PER_SEC);
	now = t.due = t.at = t.stays_until - 5 * WORK; /* as if it had been busy meanwhile */
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

static bool runs_only_on(unsigned cpu)
{
	return processors() == 1 && may_run_on(cpu);
}

/* Of two that follow each other not both may do so always: whether this does tells the time. */
static void who_is_not_busy_follows_its_packets_every_other_time(void)
{
	struct turns t = start();
	usec_t now = t.at + t.at % 2;
	cpu_set_t all;
	unsigned place = 0;
	int pair[2];

	must(sched_getaffinity(0, sizeof(all), &all) == 0, "sched_getaffinity");
	while (!CPU_ISSET(place, &all))
		place++;
	connect_pair(pair);
	receive_on(pair, place);
	turns_judge(&t, pair[1], now += USEC_PER_SEC);
	check(runs_only_on(place));
	for (unsigned cpu = place + 1; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		receive_on(pair, cpu);
		turns_judge(&t, pair[1], now += USEC_PER_SEC);
		check(runs_only_on(place));
		turns_judge(&t, pair[1], now += USEC_PER_SEC + 1);
		check(runs_only_on(cpu));
		now++;
		place = cpu;
	}
	close_fd(pair[0]);
	close_fd(pair[1]);
	turns_done(&t);
	check_int(processors(), CPU_COUNT(&all));
}

/* A packet or two, within a second or so; it ran 2 ms and waited this many times as long. */
static void carries(struct turns *t, int socket, usec_t *now, usec_t times)
{
	t->used -= 2 * USEC_PER_MSEC;
	has_waited(t, t->waited + 2 * times * USEC_PER_MSEC);
	turns_judge(t, socket, *now += USEC_PER_SEC);
}

static void it_leaves_its_packets_if_it_must_wait_for_them(void)
{
	struct turns t = start();
	usec_t now = t.at;
	int all = processors(), pair[2];

	connect_pair(pair); /* with packets of its own */
	carries(&t, pair[1], &now, 0);
	check_int(processors(), 1);
	carries(&t, pair[1], &now, 4); /* waking up takes time */
	check_int(processors(), 1);
	for (int i = 0; i < 12; i++) {
		carries(&t, pair[1], &now, 100);
		check_int(processors(), all);
	}
	carries(&t, pair[1], &now, 0);
	check_int(processors(), 1);
	close_fd(pair[0]);
	close_fd(pair[1]);
	turns_done(&t);
	check_int(processors(), all);
}

/* The place of who is not busy was not chosen for work: the scheduler looks first. */
static void who_becomes_busy_does_not_stay_with_its_packets(void)
{
	struct turns t = start();
	usec_t now = t.at;
	int all = processors(), pair[2];

	connect_pair(pair);
	carries(&t, pair[1], &now, 0);
	check_int(processors(), 1);
	works(&t, &now, 2 * WORK);
	check_int(processors(), all);
	works(&t, &now, 2 * WORK);
	check_int(processors(), 1);
	waits(&t, &now);
	waits(&t, &now); /* it leaves, and does not come back at once when it has less to do */
	carries(&t, pair[1], &now, 0);
	check_int(processors(), all);
	close_fd(pair[0]);
	close_fd(pair[1]);
	turns_done(&t);
}

int main(void)
{
	return run_tests((struct test[]){ TEST(who_is_busy_lets_others_finish_their_turns),
					  TEST(the_policy_that_somebody_has_chosen_stays),
					  TEST(the_processor_that_somebody_has_chosen_stays),
					  TEST(it_stays_where_it_need_not_wait),
					  TEST(it_leaves_where_it_must_wait),
					  TEST(where_all_must_wait_it_leaves_ever_more_rarely),
					  TEST(who_gets_little_because_others_take_it_leaves),
					  TEST(to_wait_now_and_then_is_chance),
					  TEST(it_looks_for_a_better_place_now_and_then),
					  TEST(without_the_kernels_word_it_stays_nowhere),
					  TEST(who_is_not_busy_follows_its_packets_every_other_time),
					  TEST(it_leaves_its_packets_if_it_must_wait_for_them),
					  TEST(who_becomes_busy_does_not_stay_with_its_packets),
					  {} });
}
