/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "data/arena.h"

#include <stdlib.h>
#include <sys/mman.h>

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

/* Of the arena's pages, how many the kernel has given. */
static size_t resident(const struct arena *a)
{
	unsigned char pages[UNITS * 16 * ARENA_UNIT / 4096 + 1];
	uintptr_t from = (uintptr_t)a->base & ~(uintptr_t)4095;
	size_t n = 0, bytes = (uintptr_t)arena_at(a, a->units) - from;

	memset(pages, 0, sizeof(pages));
	if (mincore((void *)from, bytes, pages) < 0)
		return 0;
	for (size_t i = 0; i < sizeof(pages); i++)
		n += pages[i] & 1;
	return n;
}

static void what_a_burst_needed_is_given_back(void)
{
	const uint32_t all = 16 * UNITS, most = all - 64, kept = 100;
	struct arena a;

	check_int(arena_init(&a, (size_t)all * ARENA_UNIT), 0);
	size_t before = resident(&a);
	arena_take(&a, 1, most);
	memset(arena_at(&a, 1), 'x', (size_t)most * ARENA_UNIT);
	size_t full = resident(&a);
	check(full > before + 900);
	arena_trim(&a); /* it was needed just now */
	check_int(resident(&a), full);
	arena_give(&a, 1 + kept, most - kept);
	arena_trim(&a);
	check_int(resident(&a), full);
	arena_trim(&a); /* and not since */
	check(resident(&a) < before + 20);
	for (uint32_t i = 0; i < kept * ARENA_UNIT; i++)
		if (((const char *)arena_at(&a, 1))[i] != 'x')
			check(false);
	arena_take(&a, 200, 300); /* and can be had again */
	memset(arena_at(&a, 200), 'y', 300 * ARENA_UNIT);
	arena_trim(&a);
	check_int(((const char *)arena_at(&a, 499))[0], 'y');
	arena_done(&a);
}

int main(void)
{
	return run_tests((struct test[]){
		TEST(finds_what_a_search_one_by_one_finds), TEST(what_a_burst_needed_is_given_back), {} });
}
