/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last log lines, bounded in bytes; the oldest are dropped. Fed as the second reader of a struct logger.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

#define JOURNAL_SIZE (256u << 10)

struct journal_line {
	uint64_t number; /* grows by one with every line since the start */
	int64_t time;	 /* wall clock, seconds */
	enum log_level level;
	const char *tag; /* interface, "" = the daemon itself; valid until the next line is written */
	const char *text;
};

struct journal {
	/* Called for each new line, may be NULL (`monitor log`). */
	void (*follow)(void *ctx, const struct journal_line *line);
	void *follow_ctx;
	/* private */
	char *ring;
	size_t first, len; /* bytes in use, from `first` on, in whole records that may wrap */
	uint64_t next_number;
};

/* 0 or -ENOMEM. */
int journal_init(struct journal *j);
void journal_done(struct journal *j);
/* A line of another time: of the program before a re-exec. */
void journal_add(struct journal *j, int64_t when, enum log_level level, const char *tag, const char *line);
/* struct logger.sink. */
void journal_sink(void *journal, enum log_level level, const char *tag, const char *line);
/* Calls `fn`, which must not log, for the kept lines, oldest first; `tag` NULL = all. */
void journal_each(struct journal *j, const char *tag, void (*fn)(void *ctx, const struct journal_line *line),
		  void *ctx);
