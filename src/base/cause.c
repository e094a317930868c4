/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cause.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

struct cause_row {
	const char *name, *summary, *remedy;
	enum stage stage;
	enum cause_class class;
	int exit_code;
};

static const struct cause_row causes[_CAUSE_MAX] = {
#define CAUSE_ROW(id, name_, stage_, class_, code, summary_, remedy_) \
	[CAUSE_##id] = { .name = name_,                               \
			 .summary = summary_,                         \
			 .remedy = remedy_,                           \
			 .stage = STAGE_##stage_,                     \
			 .class = CAUSE_##class_,                     \
			 .exit_code = code },
	CAUSE_TABLE(CAUSE_ROW)
#undef CAUSE_ROW
};

static const char *const stages[_STAGE_MAX] = {
	[STAGE_SETUP] = "setup", [STAGE_RESOLVE] = "resolve",	  [STAGE_CONNECT] = "connect",
	[STAGE_TLS] = "TLS",	 [STAGE_HTTP] = "HTTP",		  [STAGE_SSTP] = "SSTP",
	[STAGE_LCP] = "LCP",	 [STAGE_AUTH] = "authentication", [STAGE_IPCP] = "IPCP",
	[STAGE_UP] = "up",
};

static const struct cause_row *row(enum cause cause)
{
	return &causes[(unsigned)cause < _CAUSE_MAX ? cause : CAUSE_INTERNAL];
}

const char *stage_name(enum stage stage)
{
	return (unsigned)stage < _STAGE_MAX ? stages[stage] : "unknown";
}

const char *cause_name(enum cause cause)
{
	return row(cause)->name;
}

const char *cause_summary(enum cause cause)
{
	return row(cause)->summary;
}

const char *cause_remedy(enum cause cause)
{
	return row(cause)->remedy;
}

enum stage cause_stage(enum cause cause)
{
	return row(cause)->stage;
}

enum cause_class cause_class(enum cause cause)
{
	return row(cause)->class;
}

int cause_exit_code(enum cause cause)
{
	return row(cause)->exit_code;
}

enum cause cause_unless_limit(enum cause cause, int error)
{
	return error == -EMFILE || error == -ENFILE ? CAUSE_LIMIT : cause;
}

enum cause cause_unless_fork_limit(enum cause cause, int error)
{
	return error == -EAGAIN ? CAUSE_LIMIT : cause_unless_limit(cause, error);
}

enum stage failure_stage(const struct failure *f)
{
	enum stage stage = cause_stage(f->cause);

	return stage == STAGE_UP && f->stage != STAGE_SETUP ? f->stage : stage;
}

void failure_set(struct failure *f, enum cause cause, const char *detail_format, ...)
{
	char detail[sizeof(f->detail)];
	va_list ap;

	if (f->cause != CAUSE_NONE)
		return;
	va_start(ap, detail_format);
	int n = vsnprintf(detail, sizeof(detail), detail_format, ap);
	va_end(ap);
	f->cause = cause;
	printable(f->detail, sizeof(f->detail), detail, n < 0 ? 0 : MIN((size_t)n, sizeof(detail) - 1));
}

void failure_format(const struct failure *f, const char *where, char *out, size_t size)
{
	const char *remedy = cause_remedy(f->cause);

	(void)snprintf(out, size, "%s%s%s: %s%s%s%s%s%s", stage_name(failure_stage(f)), where ? " " : "",
		       where ? where : "", cause_summary(f->cause), f->detail[0] ? " (" : "", f->detail,
		       f->detail[0] ? ")" : "", remedy[0] ? "; " : "", remedy);
}

void printable(char *out, size_t size, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t n = 0;

	if (size == 0)
		return;
	for (; n < len && n + 1 < size; n++)
		out[n] = p[n] >= 0x20 && p[n] < 0x7f ? (char)p[n] : '.';
	out[n] = 0;
}
