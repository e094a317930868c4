/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report.h"

#include <stdarg.h>

#include "base/clock.h"

static void write_string(FILE *f, const char *s)
{
	(void)fputc('"', f);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			(void)fprintf(f, "\\%c", *s);
		else if ((unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7f)
			(void)fprintf(f, "\\u%04x", (unsigned char)*s);
		else
			(void)fputc(*s, f);
	}
	(void)fputc('"', f);
}

static void write_json(const struct report *r, const char *event, va_list ap)
{
	const char *name;

	(void)fprintf(r->json, "{\"time\":%.6f,\"connection\":%u,\"event\":", (double)clock_now() / 1e6,
		      r->number);
	write_string(r->json, event);
	while ((name = va_arg(ap, const char *))) {
		(void)fputc(',', r->json);
		write_string(r->json, name);
		(void)fputc(':', r->json);
		write_string(r->json, va_arg(ap, const char *));
	}
	(void)fputs("}\n", r->json);
	(void)fflush(r->json);
}

static void write_text(const struct report *r, const char *event, va_list ap)
{
	const char *name;

	(void)fprintf(stderr, "[%u] %s", r->number, event);
	while ((name = va_arg(ap, const char *)))
		(void)fprintf(stderr, " %s=%s", name, va_arg(ap, const char *));
	(void)fputc('\n', stderr);
}

void report(const struct report *r, const char *event, ...)
{
	va_list ap;

	if (r->json) {
		va_start(ap, event);
		write_json(r, event, ap);
		va_end(ap);
	}
	if (r->verbose) {
		va_start(ap, event);
		write_text(r, event, ap);
		va_end(ap);
	}
}
