/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Randomness is handed to the engines, so that tests and fuzzers can choose it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct random_source {
	void (*fill)(void *ctx, void *out, size_t len); /* never fails */
	void *ctx;
};

static inline void random_fill(const struct random_source *r, void *out, size_t len)
{
	r->fill(r->ctx, out, len);
}

/* getrandom(2); aborts the process if the kernel has none, which does not happen after boot. */
extern const struct random_source random_system;
