/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions and the system behind them, where a transcript cannot show it. */
#include "test.h"
#include "world.h"

static struct session_result execute(struct config_session *s, const char *line)
{
	struct session_result r = { 0 };

	config_session_execute(s, line, strlen(line), &r);
	return r;
}

static enum session_status status_of(struct config_session *s, const char *line)
{
	struct session_result r = execute(s, line);
	enum session_status status = r.status;

	config_session_result_done(&r);
	return status;
}

static void rollback_restores_byte_for_byte(void)
{
	static struct world w;
	struct config_session s;
	static const char *const nasty[] = {
		"set interfaces sstpc sstpc0 server a.example",
		"set interfaces sstpc sstpc0 description '\"{x}\" \\ it'\\''s /* # */'",
		"comment interfaces sstpc sstpc0 'a \"comment\" {'",
		"set interfaces sstpc sstpc0 authentication username 'CORP\\a'",
		"set interfaces sstpc sstpc0 authentication password '; }\\\"'"
	};

	world_init(&w);
	check_int(config_session_init(&s, &w.system, "alice", "cli"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(nasty); i++)
		check_int(status_of(&s, nasty[i]), SESSION_OK);
	check_int(status_of(&s, "commit"), SESSION_OK);
	check_int(status_of(&s, "save"), SESSION_OK);
	_cleanup_free_ char *first = strdup(w.saved);
	check_int(status_of(&s, "delete interfaces"), SESSION_OK);
	check_int(status_of(&s, "commit"), SESSION_OK);
	check_int(status_of(&s, "save"), SESSION_OK);
	check(strcmp(w.saved, first) != 0);
	check_int(status_of(&s, "rollback 1"), SESSION_OK);
	check_int(status_of(&s, "commit"), SESSION_OK);
	check_int(status_of(&s, "save"), SESSION_OK);
	check_str(w.saved, first);
	check_str(w.revisions[w.n_revisions - 1], first);
	config_session_done(&s);
	world_done(&w);
}

static void a_commit_that_fails_changes_nothing(void)
{
	static struct world w;
	struct config_session s;

	world_init(&w);
	check_int(config_session_init(&s, &w.system, "alice", "cli"), 0);
	check_int(status_of(&s, "set interfaces sstpc sstpc0 server a.example"), SESSION_OK);
	check_int(status_of(&s, "set interfaces sstpc sstpc1 mtu 1400"), SESSION_OK);
	check_int(status_of(&s, "commit"), SESSION_FAILED); /* sstpc1 has no server */
	check_int(w.applied, 0);
	check_int(status_of(&s, "set interfaces sstpc sstpc1 server a.example"), SESSION_OK);
	w.apply_result = -EBUSY;
	check_int(status_of(&s, "commit-confirm"), SESSION_FAILED);
	check_int(w.applied, 1);
	check_int(w.committed, 0);
	check_int(w.n_revisions, 1);
	check(!w.confirm);
	check_int(w.system.running->root.n_children, 0);
	w.apply_result = 0;
	check_int(status_of(&s, "commit"), SESSION_OK);
	check_int(w.committed, 1);
	check_int(w.n_revisions, 2);
	config_session_done(&s);
	world_done(&w);
}

static bool says(struct config_session *s, const char *line, const char *what)
{
	struct session_result r = execute(s, line);
	bool found = strstr(text_str(&r.out), what) != NULL;

	config_session_result_done(&r);
	return found;
}

/* Its line in the archive would end early, and what follows be taken for configuration. */
static void a_commit_comment_stays_in_its_line(void)
{
	static struct world w;
	struct config_session s;

	world_init(&w);
	check_int(config_session_init(&s, &w.system, "alice", "cli"), 0);
	check_int(status_of(&s, "set interfaces sstpc sstpc0 server a.example"), SESSION_OK);
	check_int(status_of(&s, "commit comment 'a\nb'"), SESSION_FAILED);
	check_int(status_of(&s, "commit comment 'a\x1b[2J'"), SESSION_FAILED);
	check_int(w.applied, 0);
	check_int(status_of(&s, "commit comment 'caf\u00e9'"), SESSION_OK);
	check_str(w.system.last.comment, "caf\u00e9");
	config_session_done(&s);
	world_done(&w);
}

static void nothing_to_commit_is_nothing_to_confirm(void)
{
	static struct world w;
	struct config_session s;

	world_init(&w);
	check_int(config_session_init(&s, &w.system, "alice", "cli"), 0);
	check(!says(&s, "commit-confirm 5", "5 minutes"));
	check_int(status_of(&s, "set interfaces sstpc sstpc0 server a.example"), SESSION_OK);
	check(says(&s, "commit-confirm 5", "5 minutes"));
	config_session_done(&s);
	world_done(&w);
}

/* The daemon reads the file as root, and sends it to a server of the user's choice. */
static void only_root_chooses_a_password_file(void)
{
	static struct world w;
	struct config_session root, user;

	world_init(&w);
	check_int(config_session_init(&root, &w.system, "root", "cli"), 0);
	check_int(config_session_init(&user, &w.system, "alice", "cli"), 0);
	user.unprivileged = true;
	check_int(status_of(&user, "set interfaces sstpc sstpc0 server a.example"), SESSION_OK);
	check_int(status_of(&user, "set interfaces sstpc sstpc0 authentication username u"), SESSION_OK);
	check_int(status_of(&user, "set interfaces sstpc sstpc0 authentication password-file /etc/shadow"),
		  SESSION_OK);
	check(says(&user, "commit", "password-file /etc/shadow: only root"));
	check_int(w.applied, 0);
	check_int(status_of(&user, "discard"), SESSION_OK);
	check_int(status_of(&root, "set interfaces sstpc sstpc0 server a.example"), SESSION_OK);
	check_int(status_of(&root, "set interfaces sstpc sstpc0 authentication username u"), SESSION_OK);
	check_int(status_of(&root, "set interfaces sstpc sstpc0 authentication password-file /etc/p"),
		  SESSION_OK);
	check_int(status_of(&root, "commit"), SESSION_OK);
	check_int(status_of(&user, "set interfaces sstpc sstpc0 mtu 1400"), SESSION_OK);
	check_int(status_of(&user, "commit"), SESSION_OK); /* what root chose may stay */
	config_session_done(&root);
	config_session_done(&user);
	world_done(&w);
}

static void an_unconfirmed_commit_goes_back_even_if_that_fails_first(void)
{
	static struct world w;
	struct config_session s;
	_cleanup_text_ struct text out = { 0 };

	world_init(&w);
	check_int(config_session_init(&s, &w.system, "alice", "cli"), 0);
	check_int(status_of(&s, "set interfaces sstpc sstpc0 server a.example"), SESSION_OK);
	check(config_system_deadline(&w.system) == UINT64_MAX);
	check_int(status_of(&s, "commit-confirm 1"), SESSION_OK);
	check(w.confirm && !strstr(w.confirm, "sstpc0")); /* the way back is stored */
	check_int(config_system_deadline(&w.system), w.steady + 60);
	w.wall += 100000; /* somebody sets the clock: no matter */
	check(!config_system_tick(&w.system, &out));
	w.steady += 60;
	w.apply_result = -EBUSY;
	check(!config_system_tick(&w.system, &out));
	check(w.confirm);
	check(strstr(w.applied_text, "sstpc0"));
	w.steady += 10;
	w.apply_result = 0;
	check(config_system_tick(&w.system, &out));
	check(!w.confirm);
	check_str(w.applied_text, "");
	check(config_system_deadline(&w.system) == UINT64_MAX);
	config_session_done(&s);
	world_done(&w);
}

static void a_reexecuted_daemon_still_waits(void)
{
	static struct world w;
	_cleanup_text_ struct text out = { 0 };

	world_init(&w);
	config_system_resume_confirm(&w.system, config_tree_new(), 30);
	check_int(config_system_deadline(&w.system), w.steady + 30);
	w.steady += 30;
	check(config_system_tick(&w.system, &out));
	world_done(&w);
}

/* 1,000 interfaces: nothing here may be quadratic. The figures are in bench/; this only has to end. */
static void a_thousand_interfaces(void)
{
	static struct world w;
	struct config_session s;
	char line[128];

	world_init(&w);
	check_int(config_session_init(&s, &w.system, "alice", "cli"), 0);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(line, sizeof(line), "set interfaces sstpc sstpc%d server a%d.example", i, i);
		check_int(status_of(&s, line), SESSION_OK);
		(void)snprintf(line, sizeof(line), "set interfaces sstpc sstpc%d disable", i);
		check_int(status_of(&s, line), SESSION_OK);
	}
	check_int(status_of(&s, "commit"), SESSION_OK);
	_cleanup_completions_ struct completions c = { 0 };
	size_t start;
	check(!config_session_complete(&s, "set interfaces sstpc ", 21, &c, &start));
	check_int(c.n, 1000);
	check_str(c.words[999], "sstpc999");
	config_session_done(&s);
	world_done(&w);
}

int main(void)
{
	return run_tests((struct test[]){ TEST(rollback_restores_byte_for_byte),
					  TEST(a_commit_that_fails_changes_nothing),
					  TEST(a_commit_comment_stays_in_its_line),
					  TEST(nothing_to_commit_is_nothing_to_confirm),
					  TEST(only_root_chooses_a_password_file),
					  TEST(an_unconfirmed_commit_goes_back_even_if_that_fails_first),
					  TEST(a_reexecuted_daemon_still_waits),
					  TEST(a_thousand_interfaces),
					  {} });
}
