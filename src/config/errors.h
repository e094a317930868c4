/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A list of what is wrong with a configuration, in the order in which it was found, with the place of each.
 */
#pragma once

#include <stddef.h>

#include "base/macro.h"
#include "base/text.h"

#define CONFIG_ERRORS_MAX 100 /* more are only counted */

struct config_error {
	unsigned line, column; /* 1-based, 0 = no place in a file */
	char *path;	       /* "interfaces sstpc sstpc0", "" if none */
	char *message;	       /* lines; the last without newline */
};

struct config_errors {
	struct config_error *items;
	size_t n, size;
	size_t dropped; /* beyond the limit, or for lack of memory */
};

void config_errors_done(struct config_errors *e);
#define _cleanup_errors_ _cleanup_(config_errors_done)

static inline size_t config_errors_count(const struct config_errors *e)
{
	return e->n + e->dropped;
}

/* A newline at the end of the message is cut off. */
void config_errors_add(struct config_errors *e, unsigned line, unsigned column, const char *path,
		       const char *format, ...) _printf_(5, 6);

/* "FILE:3:14: message" per error, and how many more there are. The lines of one message are joined by "; ".
 */
void config_errors_print(const struct config_errors *e, const char *file, struct text *out);
/* As VyOS's commit prints them: per path "[ path ]", its messages, "[[path]] failed". */
void config_errors_print_commit(const struct config_errors *e, struct text *out);
