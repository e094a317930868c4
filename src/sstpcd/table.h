/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables as VyOS prints them: headers, dashes, columns as wide as their widest cell. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

#define TABLE_COLUMNS_MAX 10

struct table {
	const char *const *headers; /* up to NULL */
	const bool *numeric;	    /* right-aligned columns; NULL: none */
	size_t columns;
	char **cells; /* rows × columns; a cell may have several lines */
	size_t n, size;
	int error;
};

void table_init(struct table *t, const char *const *headers, const bool *numeric);
void table_done(struct table *t);
#define _cleanup_table_ _cleanup_(table_done)
/* Adds the next cell, copied. */
void table_add(struct table *t, const char *cell);
void table_print(const struct table *t, struct text *out);
