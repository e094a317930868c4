/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A growing text with a limit and a sticky error, for everything that is printed for people or files. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/macro.h"

struct text {
	char *data; /* NUL-terminated, or NULL while nothing was added */
	size_t len, size;
	size_t max; /* limit of len; 0 = 64 MiB */
	int error;  /* 0, -ENOMEM or -E2BIG, sticky */
};

/* Frees it; empty and without an error afterwards. */
void text_done(struct text *t);
#define _cleanup_text_ _cleanup_(text_done)

/* What does not fit, or finds no memory, is left out as a whole and sets `error`; after that nothing is added
 * any more. So add everything, and look at `error` once. */
void text_add(struct text *t, const char *s);
void text_add_len(struct text *t, const char *s, size_t len);
void text_addf(struct text *t, const char *format, ...) _printf_(2, 3);
/* The text so far; "" while empty. Valid until the next call. */
const char *text_str(const struct text *t);
/* Hands the buffer over (never NULL on success); the caller frees it. NULL if `error` is set. */
char *text_take(struct text *t);
