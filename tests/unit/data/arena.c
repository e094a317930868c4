/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "data/arena.h"

#include <stdlib.h>

#include "packets.h"
#include "test.h"

#define UNITS 1024u

/* The first run of free units, found one by one. */
static uint32_t slow_find(const bool *used, uint32_t units)
{
	for (uint32_t at = 1, run = 0; at < UNITS; at++) {
		run = used[at] ? 0 : run + 1;
		if (run == units)
			return at + 1 - units;
	}
	return 0;
}

static void finds_what_a_search_one_by_one_finds(void)
{
	struct arena a;
	struct rng rng = { 1 };
	bool used[UNITS] = { true };
	struct {
		uint32_t at, units;
	} taken[UNITS];
	size_t n = 0, found = 0;

	check_int(arena_init(&a, (size_t)UNITS * ARENA_UNIT), 0);
	check_int(a.units, UNITS);
	for (int step = 0; step < 20000; step++) {
		uint32_t units = 64 + rng_below(&rng, 130), at = arena_find(&a, units);

		check_int(at, slow_find(used, units));
		found += at != 0;
		if (at && rng_one_in(&rng, 2)) {
			units = 1 + rng_below(&rng, units); /* reads are shorter than their place */
			arena_take(&a, at, units);
			memset(used + at, true, units);
			taken[n].at = at;
			taken[n++].units = units;
		} else if (n > 0) {
			size_t i = rng_below(&rng, (uint32_t)n);

			arena_give(&a, taken[i].at, taken[i].units);
			memset(used + taken[i].at, false, taken[i].units);
			taken[i] = taken[--n];
		}
		uint32_t from = rng_below(&rng, UNITS), next = from;
		while (next < UNITS && !used[next])
			next++;
		check_int(arena_next_used(&a, from), next == UNITS ? 0 : next);
	}
	check(found > 1000 && found < 19000);
	arena_done(&a);
}

/* The end of what a burst touched; the rest is told when nothing needed it from one call to the next. */
static void what_a_burst_needed_is_spare_after_it(void)
{
	const uint32_t all = 16 * UNITS, most = all - 64, kept = 100;
	struct arena a;
	void *spare = NULL;

	check_int(arena_init(&a, (size_t)all * ARENA_UNIT), 0);
	check_int(arena_spare(&a, &spare), 0);
	arena_take(&a, 1, most);
	check_int(arena_spare(&a, &spare), 0); /* it was needed just now */
	arena_give(&a, 1 + kept, most - kept);
	check_int(arena_spare(&a, &spare), 0);
	arena_take(&a, 200, 300); /* but this is now */
	check_int(arena_spare(&a, &spare), (size_t)(1 + most - 500) * ARENA_UNIT);
	check(spare == arena_at(&a, 500));
	check_int(arena_spare(&a, &spare), 0); /* told once */
	/* It is used again, and again not. */
	arena_take(&a, 500, 5000);
	arena_give(&a, 500, 5000);
	check_int(arena_spare(&a, &spare), 0);
	check_int(arena_spare(&a, &spare), 5000u * ARENA_UNIT);
	check(spare == arena_at(&a, 500));
	arena_done(&a);
}

static void a_little_is_not_spare(void)
{
	struct arena a;
	void *spare = NULL;

	check_int(arena_init(&a, (size_t)16 * UNITS * ARENA_UNIT), 0);
	arena_take(&a, 1, 1020);
	arena_give(&a, 1, 1020);
	for (int i = 0; i < 3; i++)
		check_int(arena_spare(&a, &spare), 0);
	/* Nor is less than what goes on being used. */
	arena_take(&a, 1, 4000);
	arena_take(&a, 4001, 3000);
	arena_give(&a, 4001, 3000);
	for (int i = 0; i < 3; i++)
		check_int(arena_spare(&a, &spare), 0);
	arena_done(&a);
}

int main(void)
{
	return run_tests((struct test[]){ TEST(finds_what_a_search_one_by_one_finds),
					  TEST(what_a_burst_needed_is_spare_after_it),
					  TEST(a_little_is_not_spare),
					  {} });
}
