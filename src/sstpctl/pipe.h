/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands behind '|': filters of the output, run here, where a wild pattern hurts nobody else. */
#pragma once

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

#define PIPE_STAGES_MAX 8

enum pipe_kind { PIPE_MATCH, PIPE_NO_MATCH, PIPE_COUNT, PIPE_STRIP };

struct pipe_stage {
	enum pipe_kind kind;
	regex_t pattern; /* of MATCH and NO_MATCH */
	unsigned long count;
};

struct pipe {
	struct pipe_stage stages[PIPE_STAGES_MAX];
	size_t n;
	const char *format; /* "commands" or "json": for the daemon */
	int paging;	    /* 1 `more`, −1 `no-more`, 0 not said */
	struct text line;   /* the beginning of a line whose end has not come yet */
};

/*
 * Reads the pipes of a line. *ret_head: the length of the command in front of them. 0, or -EINVAL with what
 * is wrong in `out`.
 */
int pipe_parse(struct pipe *p, const char *line, size_t len, size_t *ret_head, struct text *out);
void pipe_done(struct pipe *p);
#define _cleanup_pipe_ _cleanup_(pipe_done)

/* Text goes in in any pieces; whole lines that pass come out. Once p->line.error is set, nothing does. */
void pipe_push(struct pipe *p, const char *data, size_t len, struct text *out);
/* The end: a last line without end, and the counts. */
void pipe_finish(struct pipe *p, struct text *out);

/* How many rows the text takes on a screen of so many columns, where longer lines go on in the next row. */
size_t pipe_screen_rows(const char *text, size_t len, unsigned columns);

/* What can stand behind '|', for help. */
struct pipe_help {
	const char *name, *help;
};
extern const struct pipe_help pipe_words[];
/* What stands behind the `n` whole words of a stage: those, a pattern (to be typed), or nothing more. */
enum pipe_next { PIPE_NEXT_WORD, PIPE_NEXT_PATTERN, PIPE_NEXT_END, PIPE_NEXT_WRONG };
enum pipe_next pipe_next(char *const *words, size_t n);
