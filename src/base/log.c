/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include "base/cause.h"

void log_line(const struct logger *log, enum log_level level, const char *format, ...)
{
	int saved = errno;
	char raw[1024], line[1024], prefix[64];
	va_list ap;

	if (level > log->max)
		return;
	va_start(ap, format);
	int n = vsnprintf(raw, sizeof(raw), format, ap);
	va_end(ap);
	printable(line, sizeof(line), raw, n < 0 ? 0 : MIN((size_t)n, sizeof(raw) - 1));

	/* sd-daemon(3): JOURNAL_STREAM is set where stderr is the journal. */
	bool journal = getenv("JOURNAL_STREAM") != NULL;
	int p = journal ? snprintf(prefix, sizeof(prefix), "<%d>%s%s", (int)level, log->tag ? log->tag : "",
				   log->tag ? ": " : "")
			: snprintf(prefix, sizeof(prefix), "%s%s", log->tag ? log->tag : "",
				   log->tag ? ": " : "");
	struct iovec iov[] = { { prefix, (size_t)MIN(p, (int)sizeof(prefix) - 1) },
			       { line, strlen(line) },
			       { (char[]){ '\n' }, 1 } };
	(void)!writev(log->fd, iov, (int)ARRAY_SIZE(iov));
	if (log->sink)
		log->sink(log->sink_ctx, level, log->tag, line);
	errno = saved;
}
