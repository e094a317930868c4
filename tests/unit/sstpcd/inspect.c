/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates are inspected one after another, and nobody is kept waiting. */
#include "sstpcd/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "config/edit.h"
#include "test.h"

struct world {
	struct loop loop;
	struct inspector *inspector;
	char directory[32], program[64];
	unsigned settled;
};

static void on_settled(void *ctx)
{
	((struct world *)ctx)->settled++;
}

/* The program's script; its first line is given. */
static void world_init(struct world *w, const char *script)
{
	*w = (struct world){ .directory = "/tmp/sstpcd-inspect-XXXXXX" };
	if (loop_init(&w->loop) < 0 || !mkdtemp(w->directory))
		abort();
	(void)snprintf(w->program, sizeof(w->program), "%s/program", w->directory);
	FILE *f = fopen(w->program, "we");
	if (!f || fprintf(f, "#!/bin/sh\n%s\n", script) < 0 || fclose(f) != 0 ||
	    chmod(w->program, 0700) < 0 ||
	    inspector_new(&w->loop, w->program, on_settled, w, &w->inspector) < 0)
		abort();
}

static void world_done(struct world *w)
{
	inspector_free(w->inspector);
	(void)unlink(w->program);
	(void)rmdir(w->directory);
	loop_done(&w->loop);
}
#define _cleanup_world_ _cleanup_(world_done)

static struct config_tree *tree_of(const char *commands)
{
	_cleanup_errors_ struct config_errors errors = { 0 };
	struct config_tree *tree = config_tree_new();

	if (!tree || config_parse(tree, commands, strlen(commands), &errors) < 0 ||
	    config_errors_count(&errors) > 0)
		abort();
	return tree;
}

/* Until it has settled; at most 20 s, longer than the inspector waits for a program. */
static bool settle(struct world *w)
{
	for (usec_t end = clock_now() + 20 * USEC_PER_SEC; w->settled == 0 && clock_now() < end;)
		if (loop_step(&w->loop, USEC_PER_SEC) < 0)
			return false;
	return w->settled == 1;
}

static void each_certificate_is_told_once(void)
{
	_cleanup_world_ struct world w;
	_cleanup_tree_ struct config_tree *tree = tree_of("set pki ca a certificate MAEA\n"
							  "set pki ca b certificate MAEB\n"
							  "set pki ca c certificate MAEA\n"
							  "set pki ca d description none\n");

	world_init(&w, "grep -q MAEA && echo good || { echo 'bad\033[1m'; echo more; exit 1; }");
	check_int(inspector_prepare(w.inspector, tree, NULL), 0);
	check_int(inspector_prepare(w.inspector, tree, NULL), 0); /* somebody else asks meanwhile */
	check(inspector_is_busy(w.inspector));
	check(!inspector_find(w.inspector, "MAEA"));
	check(settle(&w));
	check(!inspector_is_busy(w.inspector));
	check_int(inspector_prepare(w.inspector, tree, NULL), 1);
	const struct inspection *a = inspector_find(w.inspector, "MAEA"),
				*b = inspector_find(w.inspector, "MAEB");
	check(a && b && !inspector_find(w.inspector, "MAEC"));
	check_int(a->result, 0);
	check_str(a->text, "good\n");
	check_int(b->result, -EINVAL);
	check_str(b->text, "bad.[1m");
}

static void what_runs_already_is_not_inspected(void)
{
	_cleanup_world_ struct world w;
	_cleanup_tree_ struct config_tree *running = tree_of("set pki ca a certificate MAEA\n");
	_cleanup_tree_ struct config_tree *same = tree_of("set pki ca a certificate MAEA\n"
							  "set pki ca a description x\n");
	_cleanup_tree_ struct config_tree *other = tree_of("set pki ca a certificate MAEB\n");

	world_init(&w, "echo good");
	check_int(inspector_prepare(w.inspector, running, running), 1);
	check_int(inspector_prepare(w.inspector, same, running), 1);
	check_int(inspector_prepare(w.inspector, other, running), 0);
	check(settle(&w));
	check(inspector_find(w.inspector, "MAEB") && !inspector_find(w.inspector, "MAEA"));
}

/* A program that is missing, says too much, is killed or cannot be run: each ends, is told, and is not tried
 * again at once. */
static void a_program_that_fails_is_no_fault_of_the_certificate(void)
{
	static const struct {
		const char *script;
		bool missing;
		int result;
	} cases[] = { { "", true, -ENOENT },
		      { "while :; do echo too much to be read; done", false, -E2BIG },
		      { "kill -9 $$", false, -EIO },
		      { "exit 127", false, -EIO } };
	_cleanup_tree_ struct config_tree *tree = tree_of("set pki ca a certificate MAEA\n"
							  "set pki ca b certificate MAEB\n");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_world_ struct world w;
		world_init(&w, cases[i].script);
		if (cases[i].missing)
			check_int(unlink(w.program), 0);
		check_int(inspector_prepare(w.inspector, tree, NULL), 0);
		check(settle(&w));
		check_int(inspector_prepare(w.inspector, tree, NULL), 1);
		check(inspector_find(w.inspector, "MAEB"));
		check_int(inspector_find(w.inspector, "MAEB")->result, cases[i].result);
	}
}

/* The last of several is given up long after the first: they are all known then. */
static void one_that_hangs_is_ended(void)
{
	_cleanup_world_ struct world w;
	_cleanup_tree_ struct config_tree *tree = tree_of("set pki ca a certificate MAEA\n"
							  "set pki ca b certificate MAEB\n");

	world_init(&w, "exec sleep 60");
	check_int(inspector_prepare(w.inspector, tree, NULL), 0);
	check(settle(&w));
	check_int(inspector_find(w.inspector, "MAEA")->result, -ETIMEDOUT);
	check_int(inspector_find(w.inspector, "MAEB")->result, -ETIMEDOUT);
	check_int(inspector_prepare(w.inspector, tree, NULL), 1);
}

static void it_may_be_freed_at_any_time(void)
{
	_cleanup_world_ struct world w;
	_cleanup_tree_ struct config_tree *tree = tree_of("set pki ca a certificate MAEA\n");

	world_init(&w, "exec sleep 60");
	check_int(inspector_prepare(w.inspector, tree, NULL), 0);
}

int main(void)
{
	return run_tests((struct test[]){
		TEST(each_certificate_is_told_once),
		TEST(what_runs_already_is_not_inspected),
		TEST(a_program_that_fails_is_no_fault_of_the_certificate),
		TEST(one_that_hangs_is_ended),
		TEST(it_may_be_freed_at_any_time),
		{},
	});
}
