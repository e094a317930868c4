/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpcd/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_PADDING 2 /* a column is at least so much wider than its header */

void table_init(struct table *t, const char *const *headers, const bool *numeric)
{
	*t = (struct table){ .headers = headers, .numeric = numeric };
	while (headers[t->columns] && t->columns < TABLE_COLUMNS_MAX)
		t->columns++;
}

void table_done(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct table){ 0 };
}

void table_add(struct table *t, const char *cell)
{
	if (t->n == t->size) {
		size_t size = t->size ? t->size * 2 : 64;
		char **cells = reallocarray(t->cells, size, sizeof(*cells));
		if (!cells) {
			t->error = -ENOMEM;
			return;
		}
		t->cells = cells;
		t->size = size;
	}
	t->cells[t->n] = strdup(cell);
	if (t->cells[t->n])
		t->n++;
	else
		t->error = -ENOMEM;
}

/* Line `number` of a cell, NULL if it has no such line. */
static const char *cell_line(const char *cell, size_t number, size_t *ret_len)
{
	while (number-- > 0) {
		cell = strchr(cell, '\n');
		if (!cell)
			return NULL;
		cell++;
	}
	*ret_len = strcspn(cell, "\n");
	return cell;
}

/* Columns that a text takes: its characters, not its bytes. */
static size_t text_width(const char *s, size_t len)
{
	size_t width = 0;

	for (size_t i = 0; i < len; i++)
		width += ((unsigned char)s[i] & 0xc0) != 0x80;
	return width;
}

static size_t column_width(const struct table *t, size_t column)
{
	size_t width = strlen(t->headers[column]) + HEADER_PADDING, len;

	for (size_t i = column; i < t->n; i += t->columns)
		for (size_t line = 0;; line++) {
			const char *s = cell_line(t->cells[i], line, &len);
			if (!s)
				break;
			width = MAX(width, text_width(s, len));
		}
	return width;
}

static void add_padded(struct text *out, const char *s, size_t len, size_t width, bool right)
{
	size_t blanks = width - MIN(width, text_width(s, len));

	if (right)
		text_addf(out, "%*s", (int)blanks, "");
	text_add_len(out, s, len);
	if (!right)
		text_addf(out, "%*s", (int)blanks, "");
}

/* Ends a line; blanks at its end go. */
static void end_line(struct text *out)
{
	while (out->len > 0 && out->data[out->len - 1] == ' ')
		out->data[--out->len] = 0;
	text_add(out, "\n");
}

static void print_row(const struct table *t, const char *const *cells, const size_t *widths, struct text *out)
{
	bool more = true;

	for (size_t line = 0; more; line++) {
		more = false;
		for (size_t c = 0; c < t->columns; c++) {
			size_t len = 0, next;
			const char *s = cell_line(cells[c], line, &len);
			text_add(out, c ? "  " : "");
			add_padded(out, s ? s : "", s ? len : 0, widths[c], t->numeric && t->numeric[c]);
			more = more || cell_line(cells[c], line + 1, &next);
		}
		end_line(out);
	}
}

void table_print(const struct table *t, struct text *out)
{
	size_t widths[TABLE_COLUMNS_MAX];

	for (size_t c = 0; c < t->columns; c++)
		widths[c] = column_width(t, c);
	print_row(t, t->headers, widths, out);
	for (size_t c = 0; c < t->columns; c++) {
		text_add(out, c ? "  " : "");
		for (size_t i = 0; i < widths[c]; i++)
			text_add(out, "-");
	}
	end_line(out);
	for (size_t i = 0; i + t->columns <= t->n; i += t->columns)
		print_row(t, (const char *const *)t->cells + i, widths, out);
}
