/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "data/arena.h"

#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"

#define BITS	  64u
#define SPARE_MIN 1024u /* units; less is not worth a system call and the page faults */

int arena_init(struct arena *a, size_t bytes)
{
	size_t align = (size_t)ARENA_UNIT * BITS, size = (bytes + align - 1) / align * align;

	if (bytes > UINT32_MAX)
		return -ENOMEM;
	*a = (struct arena){ .units = (uint32_t)(size / ARENA_UNIT) };
	a->base = aligned_alloc(ARENA_UNIT, size);
	a->used = calloc(a->units / BITS, sizeof(*a->used));
	if (!a->base || !a->used) {
		arena_done(a);
		return -ENOMEM;
	}
	arena_take(a, 0, 1);
	return 0;
}

void arena_done(struct arena *a)
{
	free(a->base);
	free(a->used);
	*a = (struct arena){ 0 };
}

/*
 * A run of 64 units or more covers at least the end of one word of bits, whole words, and the start of
 * another: free units that lie between used ones of the same word need no look.
 */
uint32_t arena_find(const struct arena *a, uint32_t units)
{
	uint32_t run = 0;

	for (uint32_t i = 0; i < a->units / BITS; i++) {
		uint64_t used = a->used[i];

		if (used == 0) {
			run += BITS;
		} else {
			run += (uint32_t)__builtin_ctzll(used);
			if (run < units) {
				run = (uint32_t)__builtin_clzll(used);
				continue;
			}
			return i * BITS + (uint32_t)__builtin_ctzll(used) - run;
		}
		if (run >= units)
			return (i + 1) * BITS - run;
	}
	return 0;
}

/* The bits of a word that belong to units `at` … `end`; moves `*at` to the next word. */
static uint64_t word_mask(uint32_t *at, uint32_t end)
{
	uint32_t first = *at % BITS, n = BITS - first;
	uint64_t mask = UINT64_MAX;

	if (n > end - *at)
		n = end - *at;
	if (n < BITS)
		mask = ((UINT64_C(1) << n) - 1) << first;
	*at += n;
	return mask;
}

void arena_take(struct arena *a, uint32_t at, uint32_t units)
{
	uint32_t end = at + units;

	a->high = MAX(a->high, end);
	while (at < end) {
		uint64_t *word = &a->used[at / BITS];
		*word |= word_mask(&at, end);
	}
}

void arena_give(struct arena *a, uint32_t at, uint32_t units)
{
	for (uint32_t end = at + units; at < end;) {
		uint64_t *word = &a->used[at / BITS];
		*word &= ~word_mask(&at, end);
	}
}

/* The end of the last unit in use. */
static uint32_t used_end(const struct arena *a)
{
	uint32_t i = a->units / BITS - 1; /* unit 0 is always in use */

	while (a->used[i] == 0)
		i--;
	return (i + 1) * BITS - (uint32_t)__builtin_clzll(a->used[i]);
}

size_t arena_spare(struct arena *a, void **ret)
{
	uint32_t from = a->high;

	a->touched = MAX(a->touched, from);
	uint32_t units = a->touched - from;
	bool much = units >= SPARE_MIN && from < units;

	a->high = used_end(a);
	if (!much)
		return 0;
	a->touched = from;
	*ret = arena_at(a, from);
	return (size_t)units * ARENA_UNIT;
}

uint32_t arena_next_used(const struct arena *a, uint32_t at)
{
	for (uint32_t i = at / BITS; i < a->units / BITS; i++) {
		uint64_t used = a->used[i];

		if (i == at / BITS)
			used &= UINT64_MAX << (at % BITS);
		if (used)
			return i * BITS + (uint32_t)__builtin_ctzll(used);
	}
	return 0;
}
