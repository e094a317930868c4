/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command line as words, and words as a command line.
 *
 * Words are separated by blanks. 'single quotes' take everything literally; in "double quotes" a backslash
 * escapes '"' and '\'; outside of quotes it escapes quotes, blanks, '|', '#' and itself, and is an ordinary
 * character otherwise, so that CORP\alice stays what it is. An unquoted '|' separates a pipe, an unquoted '#'
 * at the beginning of a word starts a comment.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/macro.h"
#include "base/text.h"

#define WORDS_MAX     64
#define WORDS_LEN_MAX (128u << 10) /* of a line */

struct words {
	char *v[WORDS_MAX + 1];	 /* NULL after the last */
	size_t start[WORDS_MAX]; /* where each begins in the line */
	size_t n;
	char *storage;
	char open_quote; /* the quote that was not closed, 0 if all were */
	bool open_word;	 /* the line ends within the last word: TAB completes it */
	bool has_pipe;
	size_t pipe; /* offset of the first '|' that separates; the words before it were taken */
};

/*
 * Splits `len` bytes. 0, -EINVAL for a NUL byte, -E2BIG for too many words or bytes, -ENOMEM. An open quote
 * is not an error here (the last word is what follows it); who executes the line checks `open_quote`.
 */
int words_split(struct words *w, const char *line, size_t len);
void words_done(struct words *w); /* wipes: a word may be a password */
#define _cleanup_words_ _cleanup_(words_done)

/* Adds `word` so that words_split() gives it back: bare where possible (and not `always`), else in single
 * quotes. */
void words_quote(struct text *out, const char *word, bool always);
