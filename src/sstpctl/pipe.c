/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpctl/pipe.h"

#include <errno.h>
#include <string.h>

#include "config/words.h"
#include "sstpctl/private.h"

const struct pipe_help pipe_words[] = {
	{ "commands", "Convert config to set commands" },
	{ "count", "Count the number of lines in the output" },
	{ "json", "Convert config to JSON" },
	{ "match", "Only output lines that match specified pattern" },
	{ "more", "Paginate the output" },
	{ "no-match", "Only output lines that do not match specified pattern" },
	{ "no-more", "Do not paginate the output" },
	{ "strip-private", "Remove private information from the config" },
	{ 0 },
};

static bool has_pattern(const struct pipe_stage *stage)
{
	return stage->kind == PIPE_MATCH || stage->kind == PIPE_NO_MATCH;
}

void pipe_done(struct pipe *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (has_pattern(&p->stages[i]))
			regfree(&p->stages[i].pattern);
	text_done(&p->line);
	*p = (struct pipe){ 0 };
}

/* The word of the table that `word` is a unique beginning of, NULL if there is none. */
static const char *find_word(const char *word)
{
	const char *found = NULL;
	size_t matches = 0;

	for (const struct pipe_help *w = pipe_words; w->name; w++) {
		if (strcmp(w->name, word) == 0)
			return w->name;
		if (strncmp(w->name, word, strlen(word)) == 0) {
			found = w->name;
			matches++;
		}
	}
	return matches == 1 ? found : NULL;
}

enum pipe_next pipe_next(char *const *words, size_t n)
{
	const char *word = n > 0 ? find_word(words[0]) : NULL;

	if (n == 0)
		return PIPE_NEXT_WORD;
	if (!word)
		return PIPE_NEXT_WRONG;
	bool pattern = strcmp(word, "match") == 0 || strcmp(word, "no-match") == 0;
	if (n == 1 && pattern)
		return PIPE_NEXT_PATTERN;
	return n == (pattern ? 2 : 1) ? PIPE_NEXT_END : PIPE_NEXT_WRONG;
}

static int add_pattern(struct pipe *p, enum pipe_kind kind, const struct words *w, struct text *out)
{
	struct pipe_stage *stage = &p->stages[p->n];
	char error[128];

	if (w->n != 2) {
		text_addf(out, "\n  Incomplete command: | %s <pattern>\n\n",
			  kind == PIPE_MATCH ? "match" : "no-match");
		return -EINVAL;
	}
	int r = regcomp(&stage->pattern, w->v[1], REG_EXTENDED | REG_NOSUB);
	if (r != 0) {
		(void)regerror(r, NULL, error, sizeof(error));
		text_addf(out, "\n  Invalid pattern: %s: %s\n\n", w->v[1], error);
		return -EINVAL;
	}
	stage->kind = kind;
	p->n++;
	return 0;
}

static int add_stage(struct pipe *p, const struct words *w, struct text *out)
{
	const char *word = w->n ? find_word(w->v[0]) : NULL;

	if (w->n == 0) {
		text_add(out, "\n  Incomplete command: |\n\n");
		return -EINVAL;
	}
	if (!word || w->open_quote) {
		text_addf(out, "\n  Invalid command: | [%s]\n\n", w->v[0]);
		return -EINVAL;
	}
	if (p->n == PIPE_STAGES_MAX) {
		text_add(out, "\n  Invalid command: too many pipes\n\n");
		return -EINVAL;
	}
	if (strcmp(word, "match") == 0)
		return add_pattern(p, PIPE_MATCH, w, out);
	if (strcmp(word, "no-match") == 0)
		return add_pattern(p, PIPE_NO_MATCH, w, out);
	if (w->n != 1) {
		text_addf(out, "\n  Invalid command: | %s [%s]\n\n", word, w->v[1]);
		return -EINVAL;
	}
	if (strcmp(word, "count") == 0)
		p->stages[p->n++] = (struct pipe_stage){ .kind = PIPE_COUNT };
	else if (strcmp(word, "strip-private") == 0)
		p->stages[p->n++] = (struct pipe_stage){ .kind = PIPE_STRIP };
	else if (strcmp(word, "more") == 0)
		p->paging = 1;
	else if (strcmp(word, "no-more") == 0)
		p->paging = -1;
	else
		p->format = word;
	return 0;
}

static bool strips(const struct pipe *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->stages[i].kind == PIPE_STRIP)
			return true;
	return false;
}

int pipe_parse(struct pipe *p, const char *line, size_t len, size_t *ret_head, struct text *out)
{
	size_t head = len;
	bool first = true;

	*p = (struct pipe){ 0 };
	for (size_t at = 0;;) {
		_cleanup_words_ struct words w = { 0 };
		int r = words_split(&w, line + at, len - at);
		if (r == 0 && !first)
			r = add_stage(p, &w, out);
		else if (r < 0 && first)
			r = 0; /* the daemon says what is wrong with the command itself */
		if (r < 0)
			return r;
		if (first && w.has_pipe)
			head = w.pipe;
		if (!w.has_pipe)
			break;
		first = false;
		at += w.pipe + 1;
	}
	/* It reads lines of words. */
	if (p->format && strcmp(p->format, "json") == 0 && strips(p)) {
		text_add(out, "\n  Invalid command: | strip-private cannot read JSON\n\n");
		return -EINVAL;
	}
	*ret_head = head;
	return 0;
}

/* One line, without its end, through all stages. */
static void filter_line(struct pipe *p, const char *line, struct text *out)
{
	_cleanup_text_ struct text stripped = { 0 };

	for (size_t i = 0; i < p->n; i++) {
		struct pipe_stage *stage = &p->stages[i];
		switch (stage->kind) {
		case PIPE_COUNT:
			stage->count++;
			return;
		case PIPE_STRIP:
			if (stripped.data)
				break;
			private_strip(line, &stripped);
			line = text_str(&stripped);
			break;
		case PIPE_MATCH:
		case PIPE_NO_MATCH:
			if ((regexec(&stage->pattern, line, 0, NULL, 0) == 0) != (stage->kind == PIPE_MATCH))
				return;
			break;
		}
	}
	text_add(out, line);
	text_add(out, "\n");
}

void pipe_push(struct pipe *p, const char *data, size_t len, struct text *out)
{
	if (p->n == 0) {
		text_add_len(out, data, len);
		return;
	}
	while (len > 0) {
		const char *end = memchr(data, '\n', len);
		size_t n = end ? (size_t)(end - data) + 1 : len;
		text_add_len(&p->line, data, n);
		data += n;
		len -= n;
		/* A line that finds no room is left out, with all behind it: the error stays. */
		if (end && !p->line.error) {
			p->line.data[p->line.len - 1] = 0;
			filter_line(p, text_str(&p->line), out);
			p->line.len = 0;
		}
	}
}

void pipe_finish(struct pipe *p, struct text *out)
{
	if (p->line.len > 0 && !p->line.error)
		filter_line(p, text_str(&p->line), out);
	p->line.len = 0;
	for (size_t i = 0; i < p->n; i++) {
		struct pipe_stage *stage = &p->stages[i];
		if (stage->kind != PIPE_COUNT)
			continue;
		text_addf(out, "%lu\n", stage->count);
		stage->count = 0;
		return;
	}
}

size_t pipe_screen_rows(const char *text, size_t len, unsigned columns)
{
	size_t rows = 0, column = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];
		if (byte == '\n') {
			rows++;
			column = 0;
			continue;
		}
		if ((byte & 0xc0) == 0x80) /* within a character of UTF-8 */
			continue;
		if (columns && column >= columns) {
			rows++;
			column = 0;
		}
		column += byte == '\t' ? 8 - column % 8 : 1;
	}
	return rows + (column > 0);
}
