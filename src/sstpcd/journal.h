/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last log lines, bounded in bytes; the oldest are dropped. Fed as the second reader of a struct logger.
 * In a file that is mapped they outlive the program, however it ends.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

#define JOURNAL_SIZE (256u << 10)

struct journal_line {
	uint64_t number; /* grows by one with every line */
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
	struct journal_ring *ring;
	int fd; /* of the file that is mapped, or -1 */
};

/* In memory. 0 or -ENOMEM. */
int journal_init(struct journal *j);
/* From now on in a file, behind the lines of a former program there. It is made where there is none, and
 * begun anew where it is damaged. Negative errno: the journal stays in memory. */
int journal_keep(struct journal *j, const char *path);
void journal_done(struct journal *j);
/* struct logger.sink. */
void journal_sink(void *journal, enum log_level level, const char *tag, const char *line);
/* Calls `fn`, which must not log, for the kept lines, oldest first; `tag` NULL = all. */
void journal_each(struct journal *j, const char *tag, void (*fn)(void *ctx, const struct journal_line *line),
		  void *ctx);
