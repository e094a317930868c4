/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long the configuration takes with many interfaces: one line of JSON. `bench-config [N]`, default 1000.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"
#include "config/check.h"
#include "config/edit.h"
#include "config/session.h"
#include "config/store.h"

static double seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int64_t no_wall(void *ctx)
{
	(void)ctx;
	return 0;
}
static uint64_t no_steady(void *ctx)
{
	(void)ctx;
	return 0;
}
static void no_time(void *ctx, int64_t wall, char *out, size_t size)
{
	(void)ctx;
	store_format_time(wall, out, size);
}
static void no_check(void *ctx, const struct config_tree *a, const struct config_tree *b,
		     struct config_errors *e)
{
	(void)ctx;
	(void)a;
	(void)b;
	(void)e;
}
static int no_apply(void *ctx, const struct config_tree *a, const struct config_tree *b, struct text *out)
{
	(void)ctx;
	(void)a;
	(void)b;
	(void)out;
	return 0;
}
static void no_committed(void *ctx, const struct config_revision *revision)
{
	(void)ctx;
	(void)revision;
}
static const char *no_name(void *ctx)
{
	(void)ctx;
	return "-";
}
static int no_save(void *ctx, const char *data, size_t len)
{
	(void)ctx;
	(void)data;
	return len ? 0 : -1;
}
static int no_load(void *ctx, char **data, size_t *len)
{
	(void)ctx;
	(void)data;
	(void)len;
	return -2; /* -ENOENT */
}
static int no_revision_add(void *ctx, const struct config_revision *r, const char *data, size_t len)
{
	(void)r;
	return no_save(ctx, data, len);
}
static int no_revision_list(void *ctx, struct config_revision *list, size_t max)
{
	(void)ctx;
	(void)list;
	(void)max;
	return 0;
}
static int no_revision_load(void *ctx, unsigned n, char **data, size_t *len)
{
	(void)n;
	return no_load(ctx, data, len);
}
static int no_confirm(void *ctx, int64_t deadline, const char *data, size_t len)
{
	(void)ctx;
	(void)deadline;
	(void)data;
	(void)len;
	return 0;
}

static const struct config_effects effects = {
	.wall_seconds = no_wall,
	.format_time = no_time,
	.steady_seconds = no_steady,
	.check = no_check,
	.apply = no_apply,
	.committed = no_committed,
	.saved_name = no_name,
	.save = no_save,
	.load = no_load,
	.revision_add = no_revision_add,
	.revision_list = no_revision_list,
	.revision_load = no_revision_load,
	.confirm_store = no_confirm,
};

/* Milliseconds that the line takes. */
static double timed(struct config_session *s, const char *line)
{
	_cleanup_session_result_ struct session_result r = { 0 };
	double start = seconds();

	config_session_execute(s, line, strlen(line), &r);
	double end = seconds();
	if (r.status != SESSION_OK) {
		(void)fprintf(stderr, "%s: %s", line, text_str(&r.out));
		exit(1);
	}
	return (end - start) * 1e3;
}

int main(int argc, char **argv)
{
	_cleanup_text_ struct text file = { 0 };
	_cleanup_errors_ struct config_errors errors = { 0 };
	_cleanup_completions_ struct completions c = { 0 };
	struct config_system system;
	struct config_session s;
	uint32_t n = 1000;
	size_t at;

	if (argc > 1 && parse_u32(argv[1], 1, 20000, &n) < 0)
		return 2;
	text_add(&file, "interfaces {\n");
	for (uint32_t i = 0; i < n; i++)
		text_addf(
			&file,
			"sstpc sstpc%u {\nauthentication {\nusername u%u\npassword p%u\n}\ndescription "
			"\"number %u\"\n"
			"disable\nip {\nadjust-mss clamp-mss-to-pmtu\nsource-validation strict\n}\nmtu 1400\n"
			"server s%u.example\n}\n",
			i, i, i, i, i);
	text_add(&file, "}\n");

	double start = seconds();
	struct config_tree *tree = config_file_parse(text_str(&file), file.len, &errors);
	double parse = (seconds() - start) * 1e3;
	if (!tree)
		return 1;
	config_system_init(&system, &effects, NULL, config_tree_new());
	if (config_session_init(&s, &system, "bench", "cli") < 0)
		return 1;
	config_tree_free(s.candidate);
	s.candidate = tree;
	double commit = timed(&s, "commit"), set = timed(&s, "set interfaces sstpc sstpc7 mtu 1300");
	double compare = timed(&s, "compare"), commit_one = timed(&s, "commit"), show = timed(&s, "show");
	double json = timed(&s, "show | json"), commands = timed(&s, "show | commands");
	static const char partial[] = "set interfaces sstpc ";
	start = seconds();
	(void)config_session_complete(&s, partial, strlen(partial), &c, &at);
	double complete = (seconds() - start) * 1e3;
	printf("{\"interfaces\": %u, \"parse_ms\": %.2f, \"commit_ms\": %.2f, \"commit_one_ms\": %.2f, "
	       "\"set_ms\": %.3f, "
	       "\"compare_ms\": %.2f, \"show_ms\": %.2f, \"json_ms\": %.2f, \"commands_ms\": %.2f, "
	       "\"completion_ms\": %.2f}\n",
	       n, parse, commit, commit_one, set, compare, show, json, commands, complete);
	config_session_done(&s);
	config_system_done(&system);
	return c.n == n ? 0 : 1;
}
