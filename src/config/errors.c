/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/errors.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void config_errors_done(struct config_errors *e)
{
	for (size_t i = 0; i < e->n; i++) {
		free(e->items[i].path);
		free(e->items[i].message);
	}
	free(e->items);
	*e = (struct config_errors){ 0 };
}

static bool grow(struct config_errors *e)
{
	if (e->n < e->size)
		return true;
	if (e->n >= CONFIG_ERRORS_MAX)
		return false;
	size_t size = MIN(e->size ? e->size * 2 : 8, (size_t)CONFIG_ERRORS_MAX);
	struct config_error *items = reallocarray(e->items, size, sizeof(*items));
	if (!items)
		return false;
	e->items = items;
	e->size = size;
	return true;
}

void config_errors_add(struct config_errors *e, unsigned line, unsigned column, const char *path,
		       const char *format, ...)
{
	_cleanup_free_ char *copy = NULL, *message = NULL;
	va_list ap;

	va_start(ap, format);
	int n = vasprintf(&message, format, ap);
	va_end(ap);
	if (n < 0)
		message = NULL;
	copy = strdup(path);
	if (!copy || !message || !grow(e)) {
		e->dropped++;
		return;
	}
	while (n > 0 && message[n - 1] == '\n')
		message[--n] = 0;
	e->items[e->n++] = (struct config_error){
		.line = line, .column = column, .path = TAKE_PTR(copy), .message = TAKE_PTR(message)
	};
}

/* The lines of a message in one. */
static void add_joined(struct text *out, const char *message)
{
	while (*message) {
		size_t len = strcspn(message, "\n");
		text_add_len(out, message, len);
		message += len;
		message += strspn(message, "\n");
		if (*message)
			text_add(out, "; ");
	}
}

void config_errors_print(const struct config_errors *e, const char *file, struct text *out)
{
	for (size_t i = 0; i < e->n; i++) {
		const struct config_error *item = &e->items[i];
		text_add(out, file);
		if (item->line)
			text_addf(out, ":%u:%u", item->line, item->column);
		text_add(out, ": ");
		if (item->path[0])
			text_addf(out, "[%s] ", item->path);
		add_joined(out, item->message);
		text_add(out, "\n");
	}
	if (e->dropped)
		text_addf(out, "%s: and %zu more errors\n", file, e->dropped);
}

static bool is_first_of_path(const struct config_errors *e, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (strcmp(e->items[j].path, e->items[i].path) == 0)
			return false;
	return true;
}

void config_errors_print_commit(const struct config_errors *e, struct text *out)
{
	for (size_t i = 0; i < e->n; i++) {
		const char *path = e->items[i].path;
		if (!is_first_of_path(e, i))
			continue;
		text_addf(out, "[ %s ]\n", path);
		for (size_t j = i; j < e->n; j++)
			if (strcmp(e->items[j].path, path) == 0)
				text_addf(out, "%s\n", e->items[j].message);
		text_addf(out, "\n[[%s]] failed\n", path);
	}
	if (e->dropped)
		text_addf(out, "and %zu more errors\n", e->dropped);
}
