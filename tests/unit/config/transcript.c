/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plays the sessions of tests/golden/config/NAME.session and compares every line of output. A line "alice#
 * command" is typed by alice (a session per name); what follows up to the next such line is the expected
 * answer. The level is shown before each command as "[edit …]" of the user's. "alice? line" asks for help,
 * "alice< file | content" loads a file, with '\n' for line ends, "(kernel fails)", "(kernel works)" and "(N
 * seconds pass)" happen. With UPDATE_GOLDEN=1 the files are written anew: read the difference before you
 * commit it.
 */
#include <dirent.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/parse.h"
#include "test.h"
#include "world.h"

#define USERS_MAX 4

struct play {
	struct world world;
	struct {
		char name[16];
		struct config_session session;
	} users[USERS_MAX];
	size_t n_users;
	struct text out;
};

static struct config_session *user_session(struct play *p, const char *name)
{
	for (size_t i = 0; i < p->n_users; i++)
		if (strcmp(p->users[i].name, name) == 0)
			return &p->users[i].session;
	if (p->n_users == USERS_MAX)
		abort();
	(void)snprintf(p->users[p->n_users].name, sizeof(p->users[0].name), "%s", name);
	if (config_session_init(&p->users[p->n_users].session, &p->world.system, name, "cli") < 0)
		abort();
	return &p->users[p->n_users++].session;
}

static void play_result(struct play *p, struct session_result *r)
{
	text_add(&p->out, text_str(&r->out));
	switch (r->status) {
	case SESSION_OK:
	case SESSION_FAILED:
		break;
	case SESSION_EXIT:
		text_add(&p->out, "(leaves)\n");
		break;
	case SESSION_RUN:
		text_addf(&p->out, "(runs from column %zu)\n", r->run_at);
		break;
	case SESSION_READ_FILE:
		text_addf(&p->out, "(reads %s%s)\n", r->file, r->merge ? " to merge" : "");
		break;
	case SESSION_WRITE_FILE:
		text_addf(&p->out, "(writes %s)\n", r->file);
		break;
	}
	config_session_result_done(r);
}

static void play_help(struct play *p, struct config_session *s, const char *line)
{
	_cleanup_completions_ struct completions c = { 0 };
	size_t start;

	bool run = config_session_complete(s, line, strlen(line), &c, &start);
	text_add(&p->out, text_str(&c.help));
	text_addf(&p->out, "(%s%zu words from column %zu:", run ? "operational, " : "", c.n, start);
	for (size_t i = 0; i < c.n; i++)
		text_addf(&p->out, " %s", c.words[i]);
	text_add(&p->out, ")\n");
}

/* "name | content\n…" */
static void play_load(struct play *p, struct config_session *s, char *line)
{
	struct session_result r = { 0 };
	char *bar = strstr(line, " | "), *to;

	if (!bar)
		abort();
	*bar = 0;
	char *content = bar + 3;
	to = content;
	for (char *from = content; *from; from++)
		if (from[0] == '\\' && from[1] == 'n') {
			*to++ = '\n';
			from++;
		} else {
			*to++ = *from;
		}
	config_session_load(s, false, line, content, (size_t)(to - content), &r);
	*bar = ' ';
	play_result(p, &r);
}

/* "(N seconds pass)" */
static bool seconds_pass(const char *line, uint32_t *ret)
{
	char number[16];
	size_t len = strspn(line + 1, "0123456789");

	if (len >= sizeof(number) || strcmp(line + 1 + len, " seconds pass)") != 0)
		return false;
	(void)snprintf(number, sizeof(number), "%.*s", (int)len, line + 1);
	return parse_u32(number, 0, UINT32_MAX, ret) == 0;
}

/* One line of the file; true if it was typed (or happened). */
static bool play_line(struct play *p, char *line)
{
	struct session_result r = { 0 };
	uint32_t seconds;
	char name[16];

	if (line[0] == '(') {
		bool known = true;
		if (strcmp(line, "(kernel fails)") == 0)
			p->world.apply_result = -EBUSY;
		else if (strcmp(line, "(kernel works)") == 0)
			p->world.apply_result = 0;
		else if (seconds_pass(line, &seconds)) {
			p->world.steady += seconds;
			p->world.wall += seconds;
			text_addf(&p->out, "%s\n", line);
			if (config_system_tick(&p->world.system, &p->out))
				text_add(&p->out, "(rolled back)\n");
			return true;
		} else
			known = false;
		if (known)
			text_addf(&p->out, "%s\n", line);
		return known;
	}
	size_t len = strspn(line, "abcdefghijklmnopqrstuvwxyz");
	char kind = line[len];
	if (len == 0 || len >= sizeof(name) || !kind || !strchr("#?<", kind) ||
	    (line[len + 1] && line[len + 1] != ' '))
		return false;
	(void)snprintf(name, sizeof(name), "%.*s", (int)len, line);
	struct config_session *s = user_session(p, name);
	char *typed = line + len + (line[len + 1] ? 2 : 1);
	if (s->level.n) {
		text_add(&p->out, "[");
		config_session_level(s, &p->out);
		text_add(&p->out, "]\n");
	}
	text_addf(&p->out, "%s\n", line);
	if (kind == '#') {
		config_session_execute(s, typed, strlen(typed), &r);
		play_result(p, &r);
	} else if (kind == '?') {
		play_help(p, s, typed);
	} else {
		play_load(p, s, typed);
	}
	return true;
}

/* The whole file played anew. */
static char *play(char *content)
{
	static struct play p;
	char *save = NULL;

	memset(&p, 0, sizeof(p));
	world_init(&p.world);
	bool begun = false;
	for (char *line = strtok_r(content, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (play_line(&p, line))
			begun = true;
		else if (!begun) /* the words in front say what it is about */
			text_addf(&p.out, "%s\n", line);
	}
	for (size_t i = 0; i < p.n_users; i++)
		config_session_done(&p.users[i].session);
	world_done(&p.world);
	return text_take(&p.out);
}

static char *read_whole(const char *path)
{
	static char data[1 << 20];
	FILE *f = fopen(path, "rb");

	if (!f)
		return NULL;
	size_t n = fread(data, 1, sizeof(data) - 1, f);
	(void)fclose(f);
	data[n] = 0;
	return strdup(data);
}

/* Prints the first line that differs. */
static void show_difference(const char *name, const char *is, const char *expected)
{
	unsigned line = 1;

	while (*is && *is == *expected) {
		line += *is == '\n';
		is++;
		expected++;
	}
	printf("# %s:%u: \"%.*s\", expected \"%.*s\"\n", name, line, (int)strcspn(is, "\n"), is,
	       (int)strcspn(expected, "\n"), expected);
}

static bool play_file(const char *name)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s", GOLDEN, name);
	char *expected = read_whole(path), *typed = expected ? strdup(expected) : NULL;
	if (!typed)
		abort();
	char *is = play(typed);
	bool same = strcmp(is, expected) == 0;
	if (!same && getenv("UPDATE_GOLDEN")) {
		FILE *f = fopen(path, "wb");
		if (!f || fputs(is, f) < 0 || fclose(f) != 0)
			abort();
		same = true;
	} else if (!same) {
		show_difference(name, is, expected);
	}
	free(expected);
	free(typed);
	free(is);
	return same;
}

int main(void)
{
	struct dirent **names;
	int n = scandir(GOLDEN, &names, NULL, alphasort), count = 0, failed = 0;

	(void)setenv("TZ", "UTC", 1);
	for (int i = 0; i < n; i++) {
		const char *dot = strrchr(names[i]->d_name, '.');
		if (dot && strcmp(dot, ".session") == 0) {
			bool good = play_file(names[i]->d_name);
			printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, names[i]->d_name);
			failed += !good;
		}
		free(names[i]);
	}
	free(n > 0 ? names : NULL);
	if (count == 0)
		printf("not ok %d - no sessions in %s\n", ++count, GOLDEN);
	printf("1..%d\n", count);
	return failed || n <= 0;
}
