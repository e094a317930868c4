/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

void words_done(struct words *w)
{
	if (w->storage) {
		for (size_t i = 0; i < w->n; i++)
			wipe(w->v[i], strlen(w->v[i]));
		free(w->storage);
	}
	memset(w, 0, sizeof(*w));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

/* Copies one word from *pos to `out`; returns the end of the copy. */
static char *take_word(const char *line, size_t len, size_t *pos, char *out, char *ret_quote)
{
	size_t i = *pos;
	char quote = 0;

	for (; i < len; i++) {
		char c = line[i], next = i + 1 < len ? line[i + 1] : 0;
		if (quote) {
			if (c == quote)
				quote = 0;
			else if (quote == '"' && c == '\\' && is_one_of(next, "\"\\"))
				*out++ = line[++i];
			else
				*out++ = c;
		} else if (c == '\'' || c == '"') {
			quote = c;
		} else if (c == '\\' && is_one_of(next, "'\"\\ \t|#")) {
			*out++ = line[++i];
		} else if (is_blank(c) || c == '|') {
			break;
		} else {
			*out++ = c;
		}
	}
	*pos = i;
	*ret_quote = quote;
	*out++ = 0;
	return out;
}

int words_split(struct words *w, const char *line, size_t len)
{
	struct words words = { 0 };
	int r = 0;

	if (len > WORDS_LEN_MAX)
		return -E2BIG;
	if (memchr(line, 0, len))
		return -EINVAL;
	words.storage = malloc(len + WORDS_MAX +
			       1); /* every word is at most as long as its source, and a NUL */
	if (!words.storage)
		return -ENOMEM;
	char *out = words.storage;
	for (size_t i = 0; i < len;) {
		if (is_blank(line[i])) {
			i++;
			continue;
		}
		if (line[i] == '#')
			break;
		if (line[i] == '|') {
			words.has_pipe = true;
			words.pipe = i;
			break;
		}
		if (words.n == WORDS_MAX) {
			r = -E2BIG;
			break;
		}
		words.v[words.n] = out;
		words.start[words.n++] = i;
		out = take_word(line, len, &i, out, &words.open_quote);
		words.open_word = i == len;
	}
	if (r < 0) {
		words_done(&words);
		return r;
	}
	*w = words;
	return 0;
}

/* Can the word stand without quotes, in both syntaxes? */
static bool is_bare(const char *word)
{
	if (!*word)
		return false;
	for (const char *p = word; *p; p++) {
		bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			     (*p >= '0' && *p <= '9') || strchr("_-.:,+@%=/", *p);
		if (!plain)
			return false;
	}
	return true;
}

void words_quote(struct text *out, const char *word, bool always)
{
	if (!always && is_bare(word)) {
		text_add(out, word);
		return;
	}
	text_add(out, "'");
	while (*word) {
		size_t len = strcspn(word, "'");
		text_add_len(out, word, len);
		word += len;
		if (*word) {
			text_add(out, "'\\''");
			word++;
		}
	}
	text_add(out, "'");
}
