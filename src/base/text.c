/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_DEFAULT_MAX (64u << 20)

void text_done(struct text *t)
{
	free(t->data);
	*t = (struct text){ 0 };
}

/* Makes room for `extra` bytes and a NUL. */
static bool grow(struct text *t, size_t extra)
{
	size_t max = t->max ? t->max : TEXT_DEFAULT_MAX;

	if (t->error)
		return false;
	if (extra > max || t->len > max - extra) {
		t->error = -E2BIG;
		return false;
	}
	size_t need = t->len + extra + 1;
	if (need <= t->size)
		return true;
	size_t size = MAX(need, t->size ? t->size * 2 : 256);
	char *data = realloc(t->data, size);
	if (!data) {
		t->error = -ENOMEM;
		return false;
	}
	t->data = data;
	t->size = size;
	return true;
}

void text_add_len(struct text *t, const char *s, size_t len)
{
	if (!grow(t, len))
		return;
	memcpy(t->data + t->len, s, len);
	t->len += len;
	t->data[t->len] = 0;
}

void text_add(struct text *t, const char *s)
{
	text_add_len(t, s, strlen(s));
}

void text_addf(struct text *t, const char *format, ...)
{
	va_list ap, again;

	va_start(ap, format);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (n >= 0 && grow(t, (size_t)n)) {
		(void)vsnprintf(t->data + t->len, (size_t)n + 1, format, again);
		t->len += (size_t)n;
	}
	va_end(again);
}

const char *text_str(const struct text *t)
{
	return t->data ? t->data : "";
}

char *text_take(struct text *t)
{
	if (!grow(t, 0))
		return NULL;
	t->data[t->len] = 0;
	char *data = TAKE_PTR(t->data);
	*t = (struct text){ 0 };
	return data;
}
