/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logging for programs; libraries return errors instead. One line per event on stderr: "<N>" priority
 * prefixes where stderr is the journal, plain text elsewhere. Control characters never reach the terminal.
 */
#pragma once

#include <stdbool.h>

#include "base/macro.h"

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7
};

struct logger {
	enum log_level max; /* what is more detailed is dropped */
	const char *tag;    /* "sstpc0", or NULL */
	int fd;		    /* usually 2 */
	/* Optional second reader of every line that passes `max` (the daemon's log ring). */
	void (*sink)(void *ctx, enum log_level level, const char *tag, const char *line);
	void *sink_ctx;
};

void log_line(const struct logger *log, enum log_level level, const char *format, ...) _printf_(3, 4);

#define log_error(log, ...)   log_line(log, LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(log, ...) log_line(log, LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(log, ...)  log_line(log, LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(log, ...)    log_line(log, LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(log, ...)   log_line(log, LOG_LEVEL_DEBUG, __VA_ARGS__)
