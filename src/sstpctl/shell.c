/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpctl/shell.h"

#include <errno.h>
#include <glob.h>
#include <histedit.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/secret.h"
#include "config/words.h"
#include "sstpctl/pipe.h"

#define HISTORY_MAX 1000

#define RECONNECT_TRIES 50
#define RECONNECT_USEC	100000

struct shell {
	struct client *client;
	EditLine *edit;
	History *history;
	char prompt[192];
	char user[64], host[65];
	bool abandoned; /* Ctrl-C: the line is not to be carried out */
};

static char *get_prompt(EditLine *edit)
{
	struct shell *s;

	(void)el_get(edit, EL_CLIENTDATA, &s);
	return s->prompt;
}

static bool configures(const struct shell *s)
{
	return s->client->last.mode == CONTROL_CONFIGURE;
}

/* The line above the prompt is ours, not the prompt's: the editor would count it as part of its line. */
static void print_level(const struct shell *s)
{
	if (configures(s))
		printf("[%s]\n", s->client->last.level);
	(void)fflush(stdout);
}

static void set_prompt(struct shell *s)
{
	(void)snprintf(s->prompt, sizeof(s->prompt), configures(s) ? "%s@%s# " : "%s@%s:~$ ", s->user,
		       s->host);
}

/* --- keys -------------------------------------------------------------------------------------------------
 */

static void offer_stage(const struct words *w, size_t whole, struct completions *to)
{
	const char *prefix = whole < w->n ? w->v[whole] : "";

	switch (pipe_next(w->v, whole)) {
	case PIPE_NEXT_WORD:
		for (const struct pipe_help *p = pipe_words; p->name; p++)
			completions_add(to, prefix, "", p->name, p->help, NULL);
		break;
	case PIPE_NEXT_PATTERN:
		completions_add_help(to, "", "<text>", "Extended regular expression", NULL);
		break;
	case PIPE_NEXT_END:
		completions_add_enter(to, prefix);
		break;
	case PIPE_NEXT_WRONG:
		break;
	}
}

/* What can stand behind the last '|' of the line; these words are ours, not the daemon's. */
static bool complete_pipe(const char *line, size_t len, struct completions *to, size_t *ret_start)
{
	size_t at = 0;
	bool behind = false;

	for (;;) {
		_cleanup_words_ struct words w = { 0 };
		if (words_split(&w, line + at, len - at) < 0)
			return false;
		if (w.has_pipe) {
			behind = true;
			at += w.pipe + 1;
			continue;
		}
		if (!behind)
			return false;
		size_t whole = w.n - (w.open_word && w.n > 0);
		*ret_start = whole < w.n ? at + w.start[whole] : len;
		to->operational = true;
		offer_stage(&w, whole, to);
		return true;
	}
}

static void complete_file(const char *prefix, struct completions *to)
{
	_cleanup_text_ struct text pattern = { 0 };
	glob_t found;

	for (const char *p = prefix; *p; p++) {
		if (strchr("*?[\\", *p))
			text_add(&pattern, "\\");
		text_add_len(&pattern, p, 1);
	}
	text_add(&pattern, "*");
	if (glob(text_str(&pattern), GLOB_MARK, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc && i < 200; i++)
		completions_add(to, prefix, "", found.gl_pathv[i], "", NULL);
	globfree(&found);
}

/* Everything about what can stand at the cursor. *ret_prefix: what is there of it. */
static int find_completions(struct shell *s, struct completions *to, char *prefix, size_t size)
{
	const LineInfo *info = el_line(s->edit);
	size_t len = (size_t)(info->cursor - info->buffer), start = len;
	int r = 0;

	if (!complete_pipe(info->buffer, len, to, &start))
		r = client_complete(s->client, info->buffer, len, to, &start);
	(void)snprintf(prefix, size, "%.*s", start <= len ? (int)(len - start) : 0,
		       info->buffer + MIN(start, len));
	if (to->file)
		complete_file(prefix, to);
	return r;
}

static unsigned char lost(struct shell *s)
{
	(void)printf("\n");
	s->abandoned = true;
	return CC_NEWLINE;
}

static unsigned char print_help(struct shell *s, const struct completions *c)
{
	(void)printf("\n%s", c->help.len ? text_str(&c->help) : "");
	if (c->help.len == 0)
		(void)printf("  No possible completions\n");
	(void)printf("\n");
	print_level(s);
	return CC_REDISPLAY;
}

/* What all words begin with, beyond the `len` bytes that are there. */
static size_t common_length(const struct completions *c)
{
	size_t len = strlen(c->words[0]);

	for (size_t i = 1; i < c->n; i++) {
		size_t same = 0;
		while (same < len && c->words[i][same] == c->words[0][same])
			same++;
		len = same;
	}
	while (len > 0 && ((unsigned char)c->words[0][len] & 0xc0) == 0x80)
		len--; /* not within a character of UTF-8 */
	return len;
}

static unsigned char on_tab(EditLine *edit, int key)
{
	_cleanup_completions_ struct completions c = { 0 };
	_cleanup_text_ struct text more = { 0 };
	char prefix[CONTROL_NAME_MAX];
	struct shell *s;

	(void)key;
	(void)el_get(edit, EL_CLIENTDATA, &s);
	if (find_completions(s, &c, prefix, sizeof(prefix)) < 0)
		return lost(s);
	size_t there = strlen(prefix), common = c.n ? common_length(&c) : 0;
	if (c.n == 0 || common < there || strncmp(c.words[0], prefix, there) != 0)
		return print_help(s, &c);
	text_add_len(&more, c.words[0] + there, common - there);
	bool directory = common > 0 && c.words[0][common - 1] == '/' && c.file;
	if (c.n == 1 && !directory)
		text_add(&more, " ");
	if (more.len == 0)
		return print_help(s, &c);
	return el_insertstr(edit, text_str(&more)) == 0 ? CC_REFRESH : CC_ERROR;
}

static unsigned char on_question(EditLine *edit, int key)
{
	_cleanup_completions_ struct completions c = { 0 };
	_cleanup_words_ struct words w = { 0 };
	char prefix[CONTROL_NAME_MAX];
	struct shell *s;

	(void)key;
	(void)el_get(edit, EL_CLIENTDATA, &s);
	const LineInfo *info = el_line(edit);
	/* Within quotes it is a character like any other. */
	if (words_split(&w, info->buffer, (size_t)(info->cursor - info->buffer)) == 0 && w.open_quote)
		return el_insertstr(edit, "?") == 0 ? CC_REFRESH : CC_ERROR;
	if (find_completions(s, &c, prefix, sizeof(prefix)) < 0)
		return lost(s);
	return print_help(s, &c);
}

static unsigned char on_interrupt(EditLine *edit, int key)
{
	struct shell *s;

	(void)key;
	(void)el_get(edit, EL_CLIENTDATA, &s);
	(void)printf("^C\n");
	(void)fflush(stdout);
	s->abandoned = true;
	return CC_NEWLINE;
}

/* Ctrl-D: deletes, and leaves at an empty line; but never from configuration mode, where it would cost the
 * changes. */
static unsigned char on_end(EditLine *edit, int key)
{
	const LineInfo *info = el_line(edit);
	struct shell *s;

	(void)key;
	(void)el_get(edit, EL_CLIENTDATA, &s);
	if (info->lastchar != info->buffer) {
		if (info->cursor == info->lastchar)
			return CC_ERROR;
		(void)el_cursor(edit, 1);
		el_deletestr(edit, 1);
		return CC_REFRESH;
	}
	if (!configures(s))
		return CC_EOF;
	(void)printf("\nUse \"exit\" to leave configuration mode.\n");
	print_level(s);
	return CC_REDISPLAY;
}

/* --- the loop ---------------------------------------------------------------------------------------------
 */

static bool shell_init(struct shell *s, struct client *c)
{
	const struct passwd *user = getpwuid(getuid());
	HistEvent event;

	*s = (struct shell){ .client = c };
	(void)snprintf(s->user, sizeof(s->user), "%s", user ? user->pw_name : "user");
	if (gethostname(s->host, sizeof(s->host) - 1) < 0)
		(void)snprintf(s->host, sizeof(s->host), "localhost");
	s->host[strcspn(s->host, ".")] = 0;
	s->edit = el_init("sstpctl", stdin, stdout, stderr);
	s->history = history_init();
	if (!s->edit || !s->history)
		return false;
	(void)history(s->history, &event, H_SETSIZE, HISTORY_MAX);
	(void)history(s->history, &event, H_SETUNIQUE, 1);
	(void)el_set(s->edit, EL_CLIENTDATA, s);
	(void)el_set(s->edit, EL_PROMPT, get_prompt);
	(void)el_set(s->edit, EL_EDITOR, "emacs");
	(void)el_set(s->edit, EL_HIST, history, s->history);
	(void)el_set(s->edit, EL_SIGNAL, 1); /* the size of the window */
	/* Wide, because the editor never frees the copies that it makes of others. */
	(void)el_wset(s->edit, EL_ADDFN, L"sstp-tab", L"complete", on_tab);
	(void)el_wset(s->edit, EL_ADDFN, L"sstp-help", L"help", on_question);
	(void)el_wset(s->edit, EL_ADDFN, L"sstp-interrupt", L"give the line up", on_interrupt);
	(void)el_wset(s->edit, EL_ADDFN, L"sstp-end", L"delete, or leave", on_end);
	(void)el_set(s->edit, EL_BIND, "^I", "sstp-tab", NULL);
	(void)el_set(s->edit, EL_BIND, "?", "sstp-help", NULL);
	(void)el_set(s->edit, EL_BIND, "^C", "sstp-interrupt", NULL);
	(void)el_set(s->edit, EL_BIND, "^D", "sstp-end", NULL);
	(void)el_set(s->edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
	/* While a line is edited Ctrl-C is a key; while a command runs it is a signal. */
	(void)el_set(s->edit, EL_SETTY, "-d", "-isig", NULL);
	return true;
}

static void shell_done(struct shell *s)
{
	if (s->history)
		history_end(s->history);
	if (s->edit)
		el_end(s->edit);
}

/* Adds further lines while a quote is open. False at the end of the input. */
static bool read_line(struct shell *s, struct text *line)
{
	for (;;) {
		_cleanup_words_ struct words w = { 0 };
		int count = 0;
		s->abandoned = false;
		const char *typed = el_gets(s->edit, &count);
		if (s->abandoned) { /* also where nothing was typed: that is no end of the input */
			line->len = 0;
			return true;
		}
		if (!typed || count <= 0)
			return false;
		text_add_len(line, typed, (size_t)count);
		if (words_split(&w, text_str(line), line->len) < 0 || !w.open_quote)
			return true;
		(void)snprintf(s->prompt, sizeof(s->prompt), "> ");
	}
}

/* The daemon may have been upgraded or restarted: it is back in a moment, and the shell goes on. */
static bool reconnect(struct client *c)
{
	const char *path = c->path;
	bool configured = c->last.mode == CONTROL_CONFIGURE;

	(void)fprintf(stderr, "sstpctl: the connection to sstpcd was lost\n");
	client_close(c);
	for (int i = 0; i < RECONNECT_TRIES && !client_may_connect(path); i++)
		(void)usleep(RECONNECT_USEC);
	if (client_open(c, path) != 0)
		return false;
	(void)fprintf(stderr, "sstpctl: connected again%s\n",
		      configured ? "; what was not committed is gone" : "");
	return true;
}

int shell_run(struct client *c)
{
	struct shell s;
	int code = 0;

	if (!shell_init(&s, c)) {
		shell_done(&s);
		(void)fprintf(stderr, "sstpctl: the line editor cannot be started\n");
		return 1;
	}
	/* It ends a command, a pager, a line: never the shell, and with it what was not committed. */
	(void)signal(SIGINT, SIG_IGN);
	while (!c->last.leave) {
		_cleanup_text_ struct text line = { 0 };
		HistEvent event;
		print_level(&s);
		set_prompt(&s);
		if (!read_line(&s, &line)) {
			(void)printf("exit\n");
			break;
		}
		while (line.len > 0 && line.data[line.len - 1] == '\n')
			line.data[--line.len] = 0;
		if (line.len == 0)
			continue;
		(void)history(s.history, &event, H_ENTER, text_str(&line));
		code = client_execute(c, text_str(&line), line.len);
		wipe(line.data, line.size);
		if (code == -EPIPE) {
			code = 1;
			if (!reconnect(c))
				break;
		}
	}
	shell_done(&s);
	return code;
}
