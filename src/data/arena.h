/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of src/data: memory for packets of any length up to 64 KiB, in units, found first fit from the low
 * end, so that a short queue lives in a small and warm part of it. Unit 0 is never given out: 0 means "none".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARENA_UNIT 256u

struct arena {
	uint8_t *base;	  /* aligned to ARENA_UNIT */
	uint64_t *used;	  /* one bit for each unit */
	uint32_t units;	  /* a multiple of 64 */
	uint32_t high;	  /* the end of what was taken since the last arena_spare() */
	uint32_t touched; /* the end of what was ever taken and has not been spare */
};

int arena_init(struct arena *a, size_t bytes); /* rounded up; 0 or -ENOMEM */
void arena_done(struct arena *a);

/* The first run of at least `units` (64 or more) free units; 0 if there is none. Takes nothing. */
uint32_t arena_find(const struct arena *a, uint32_t units);
void arena_take(struct arena *a, uint32_t at, uint32_t units);
void arena_give(struct arena *a, uint32_t at, uint32_t units);
/*
 * What was used before, and not since the last call, if that is more than the rest, and 256 KiB: *ret and its
 * bytes, which need not keep what is in them. 0: nothing.
 */
size_t arena_spare(struct arena *a, void **ret);
/* The first unit in use from `at` on; 0 if there is none. */
uint32_t arena_next_used(const struct arena *a, uint32_t at);

static inline void *arena_at(const struct arena *a, uint32_t at)
{
	return a->base + (size_t)at * ARENA_UNIT;
}
