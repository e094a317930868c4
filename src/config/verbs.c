/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/secret.h"
#include "config/diff.h"
#include "config/edit.h"
#include "config/print.h"
#include "config/utf8.h"

/* Messages of the commands that edit stand in a frame: so, with blank lines around. */
static void add_framed(struct text *out, const char *message)
{
	text_add(out, "\n");
	verb_add_indented(out, message);
	text_add(out, "\n");
}

/* The end of a command that edits: 1 and 0 are fine, an error ends in "<Op> failed". */
static enum session_status finish_edit(struct command *c, int r, struct text *message, const char *op)
{
	if (r == -ENOMEM)
		text_add(message, "Out of memory\n");
	if (r < 0)
		text_addf(message, "%s failed\n", op);
	if (message->len > 0)
		add_framed(c->out, text_str(message));
	return r < 0 ? SESSION_FAILED : SESSION_OK;
}

static enum session_status fail_framed(struct command *c, const char *message)
{
	add_framed(c->out, message);
	return SESSION_FAILED;
}

static enum session_status fail_plain(struct command *c, const char *message)
{
	text_add(c->out, message);
	return SESSION_FAILED;
}

static enum session_status run_set(struct command *c)
{
	_cleanup_text_ struct text message = { 0 };
	int r = edit_set(c->s->candidate, &c->s->level, c->words, c->n, &message);

	return finish_edit(c, r, &message, "Set");
}

static enum session_status run_delete(struct command *c)
{
	_cleanup_text_ struct text message = { 0 };
	int r = edit_delete(c->s->candidate, &c->s->level, c->words, c->n, &message);

	return finish_edit(c, r, &message, "Delete");
}

static enum session_status run_comment(struct command *c)
{
	_cleanup_text_ struct text message = { 0 };
	int r = edit_comment(c->s->candidate, &c->s->level, c->words, c->n, &message);

	return finish_edit(c, r, &message, "Comment");
}

static enum session_status run_rename(struct command *c)
{
	_cleanup_text_ struct text message = { 0 };
	int r = edit_rename(c->s->candidate, &c->s->level, c->words, c->n, false, &message);

	return finish_edit(c, r, &message, "Rename");
}

static enum session_status run_copy(struct command *c)
{
	_cleanup_text_ struct text message = { 0 };
	int r = edit_rename(c->s->candidate, &c->s->level, c->words, c->n, true, &message);

	return finish_edit(c, r, &message, "Copy");
}

static enum session_status run_edit(struct command *c)
{
	_cleanup_text_ struct text message = { 0 };
	_cleanup_path_ struct config_path level = { 0 };

	if (c->n == 0)
		return fail_framed(c, "The \"edit\" command cannot be issued at the specified level\n");
	int r = config_path_copy(&level, &c->s->level);
	if (r == 0)
		r = config_path_append(&level, c->words, c->n, true, &message);
	if (r == 0 && (!schema_is_inner(config_path_schema(&level)) || config_path_lacks_value(&level)))
		return fail_framed(c, "The \"edit\" command cannot be issued at the specified level\n");
	if (r == 0)
		r = config_path_make(&level, c->s->candidate, NULL);
	if (r >= 0) {
		config_path_done(&c->s->level);
		c->s->level = level;
		level = (struct config_path){ 0 };
	}
	return finish_edit(c, r, &message, "Edit");
}

static enum session_status run_up(struct command *c)
{
	struct config_path *level = &c->s->level;

	if (c->n > 0)
		return fail_framed(c, "Invalid up command\n");
	if (level->n == 0)
		return fail_framed(c, "Already at the top level\n");
	free(level->steps[--level->n].value);
	return SESSION_OK;
}

static enum session_status run_top(struct command *c)
{
	if (c->n > 0)
		return fail_framed(c, "Invalid top command\n");
	if (c->s->level.n == 0)
		return fail_framed(c, "Already at the top level\n");
	config_path_done(&c->s->level);
	return SESSION_OK;
}

static void print_row_commands(const struct config_node *parent, const struct schema *row, struct text *out)
{
	for (size_t i = 0; parent && i < parent->n_children; i++)
		if (parent->children[i]->schema == row)
			config_print_node_commands(parent->children[i], out);
}

static enum session_status run_show(struct command *c)
{
	_cleanup_path_ struct config_path path = { 0 };
	_cleanup_text_ struct text why = { 0 };
	const struct schema *row = NULL; /* a leaf, or all tags of a kind: shown from the node above */

	int r = config_path_copy(&path, &c->s->level);
	if (r == 0)
		r = config_path_append(&path, c->words, c->n, false, &why);
	if (r < 0)
		return fail_plain(c, "Specified configuration path is not valid\n");
	if (path.n && (!schema_is_inner(config_path_schema(&path)) || config_path_lacks_value(&path))) {
		row = config_path_schema(&path);
		free(path.steps[--path.n].value);
	}
	const struct config_node *old = config_path_find(&path, c->s->base);
	const struct config_node *new = config_path_find(&path, c->s->candidate);
	size_t before = c->out->len;
	bool there = row ? (new &&config_node_find(new, row, NULL)) : new &&new->n_children > 0;
	if (!c->format)
		config_diff_show(old, new, row, c->out);
	else if (there && strcmp(c->format, "json") == 0)
		row ? config_print_json_row(new, row, c->out) : config_print_json(new, c->out);
	else if (there)
		row ? print_row_commands(new, row, c->out) : config_print_commands(new, c->out);
	if (c->out->len == before)
		text_add(c->out, "Configuration under specified path is empty\n");
	return SESSION_OK;
}

/* One side of `compare`: a revision's number. Puts the tree into *ret. */
static bool compare_revision(struct command *c, const char *word, struct config_tree **ret)
{
	uint32_t number;

	if (parse_u32(word, 0, CONFIG_REVISIONS_MAX - 1, &number) < 0) {
		text_addf(c->out, "Invalid revision number %s\n", word);
		return false;
	}
	*ret = config_system_revision(c->s->system, number, c->out);
	return *ret != NULL;
}

static enum session_status run_compare(struct command *c)
{
	_cleanup_tree_ struct config_tree *first = NULL, *second = NULL;
	_cleanup_text_ struct text none = { 0 };
	const struct config_tree *from = c->s->base, *to = c->s->candidate;
	bool commands = c->n && strcmp(c->words[c->n - 1], "commands") == 0;
	size_t n = c->n - commands, before = c->out->len;

	if (c->format && strcmp(c->format, "json") == 0)
		return fail_framed(
			c, "Invalid command: | [json] (the output of this command has no such form)\n");
	text_add(&none, "No changes between working and active configurations.\n");
	if (n == 1 && strcmp(c->words[0], "saved") == 0) {
		first = config_system_saved(c->s->system, c->out);
		if (!first)
			return SESSION_FAILED;
		from = first;
		none.len = 0;
		text_add(&none, "No changes between working and saved configurations.\n");
	} else if (n == 1 || n == 2) {
		if (!compare_revision(c, c->words[0], &first))
			return SESSION_FAILED;
		from = first;
		none.len = 0;
		text_addf(&none, "No changes between working and revision %s configurations.\n", c->words[0]);
	} else if (n > 2) {
		return fail_plain(c, "Invalid compare command\n");
	}
	if (n == 2) {
		if (!compare_revision(c, c->words[1], &second))
			return SESSION_FAILED;
		from = second;
		to = first;
		none.len = 0;
		text_addf(&none, "No changes between revisions %s and %s configurations.\n", c->words[1],
			  c->words[0]);
	}
	before = c->out->len;
	if (commands || c->format)
		config_diff_commands(&from->root, &to->root, c->out);
	else
		config_diff_compare(&from->root, &to->root, false, c->out);
	if (c->out->len == before)
		text_add(c->out, text_str(&none));
	return SESSION_OK;
}

static bool has_password_file(const struct config_node *node, const char *path)
{
	const char *value = config_node_value(node, "password-file");
	bool found = value && strcmp(value, path) == 0;

	for (size_t i = 0; i < node->n_children && !found; i++)
		found = has_password_file(node->children[i], path);
	return found;
}

static bool is_printable(const char *text)
{
	for (size_t len; *text; text += len) {
		len = printable_length(text);
		if (len == 0)
			return false;
	}
	return true;
}

/* The first password file of `node` and below that `known` does not have anywhere; NULL: none. */
static const char *new_password_file(const struct config_node *node, const struct config_node *known)
{
	const char *path = config_node_value(node, "password-file"), *found = NULL;

	if (path && !has_password_file(known, path))
		return path;
	for (size_t i = 0; i < node->n_children && !found; i++)
		found = new_password_file(node->children[i], known);
	return found;
}

/* It becomes part of a line of the archive, and of the log. */
static enum session_status check_comment(struct command *c, const char *comment)
{
	if (strlen(comment) > CONFIG_COMMIT_COMMENT_MAX)
		return fail_plain(c, "Commit comment too long (limit 255 bytes)\n");
	if (!is_printable(comment))
		return fail_plain(c, "Commit comment: only printable characters of UTF-8 in one line\n");
	return SESSION_OK;
}

/* Takes what others have committed into the candidate; fails where that was changed here, too. */
static enum session_status join_running(struct command *c)
{
	_cleanup_errors_ struct config_errors conflicts = { 0 };
	const struct config_system *system = c->s->system;

	if (c->s->base_revision == system->revision)
		return SESSION_OK;
	int r = config_session_join_running(c->s, true, &conflicts);
	if (r >= 0)
		return SESSION_OK;
	if (r == -ENOMEM)
		return fail_plain(c, "Out of memory\nCommit failed\n");
	text_add(c->out,
		 "The running configuration was changed in the meantime, where you have changed it too:\n");
	for (size_t i = 0; i < conflicts.n; i++)
		text_addf(c->out, "    [%s] %s\n", conflicts.items[i].path, conflicts.items[i].message);
	text_addf(c->out,
		  "Last change by user '%s' via '%s'. Your changes are kept: use 'compare' to see what\n"
		  "they do to the configuration that runs now, then 'commit' again to put yours in its\n"
		  "place, or 'discard' to leave it as it is.\n"
		  "Commit failed\n",
		  system->last.user, system->last.via);
	return SESSION_FAILED;
}

/* The daemon reads a password file as root, so only root may choose one. */
static enum session_status check_password_files(struct command *c)
{
	const struct config_session *s = c->s;
	const char *file = s->unprivileged ? new_password_file(&s->candidate->root, &s->system->running->root)
					   : NULL;

	if (!file)
		return SESSION_OK;
	text_addf(c->out,
		  "password-file %s: only root may choose a file, because the daemon reads it as root.\n"
		  "Use 'password', or ask root to commit this.\n"
		  "Commit failed\n",
		  file);
	return SESSION_FAILED;
}

/* Whoever made the commit that waits expects it to be taken back at its time: no other one moves that. */
static enum session_status fail_pending(struct command *c)
{
	const struct config_system *system = c->s->system;
	uint64_t now = system->effects->steady_seconds(system->ctx),
		 deadline = config_system_deadline(system);
	uint64_t left = deadline > now ? deadline - now : 0;
	bool minutes = left > 120;

	if (minutes)
		left = (left + 59) / 60;
	text_addf(c->out,
		  "Another confirm is pending: 'confirm' it, or wait until it is taken back in %u %s%s\n",
		  (unsigned)left, minutes ? "minute" : "second", left == 1 ? "" : "s");
	return SESSION_FAILED;
}

/* Commits the candidate. `minutes` > 0: to be confirmed. */
static enum session_status commit(struct command *c, const char *comment, unsigned minutes)
{
	_cleanup_tree_ struct config_tree *next = NULL;
	struct config_session *s = c->s;
	enum session_status status = comment ? check_comment(c, comment) : SESSION_OK;

	if (status != SESSION_OK)
		return status;
	if (!config_session_is_modified(s)) {
		text_add(c->out, "No configuration changes to commit\n");
		return SESSION_OK;
	}
	if (s->system->confirm_previous)
		return fail_pending(c);
	status = join_running(c);
	if (status == SESSION_OK)
		status = check_password_files(c);
	if (status != SESSION_OK)
		return status;
	next = config_tree_copy(s->candidate);
	if (!next)
		return fail_plain(c, "Out of memory\nCommit failed\n");
	if (config_system_commit(s->system, &next, s->user, s->via, comment, minutes, c->out) < 0)
		return fail_plain(c, "Commit failed\n");
	config_tree_free(s->base);
	s->base = config_tree_share(s->system->running);
	s->base_revision = s->seen_revision = s->system->revision;
	return SESSION_OK;
}

/* "[comment TEXT]" at the end of the words. True if that is all there is. */
static bool take_commit_comment(char *const *words, size_t n, const char **ret)
{
	*ret = n == 2 ? words[1] : NULL;
	return n == 0 || (n == 2 && strcmp(words[0], "comment") == 0);
}

static enum session_status run_commit(struct command *c)
{
	const char *comment;

	if (c->n && strcmp(c->words[0], "confirm") == 0)
		return fail_plain(c, "Use commit-confirm command\n");
	if (!take_commit_comment(c->words, c->n, &comment))
		return fail_plain(c, "Invalid commit command\n");
	return commit(c, comment, 0);
}

static enum session_status run_commit_confirm(struct command *c)
{
	uint32_t minutes = CONFIG_CONFIRM_DEFAULT;
	size_t used = c->n && strcmp(c->words[0], "comment") != 0;
	const char *comment;

	if (used && parse_u32(c->words[0], 1, CONFIG_CONFIRM_MAX, &minutes) < 0)
		return fail_plain(c, "Invalid commit-confirm command: minutes must be between 1 and 65535\n");
	if (!take_commit_comment(c->words + used, c->n - used, &comment))
		return fail_plain(c, "Invalid commit-confirm command\n");
	if (c->s->system->confirm_previous) /* also with nothing to commit: it would seem to wait anew */
		return fail_pending(c);
	enum session_status status = commit(c, comment, minutes);
	const char *plural = minutes == 1 ? "" : "s";
	if (status == SESSION_OK && c->s->system->confirm_previous) /* there was something to commit */
		text_addf(c->out,
			  "commit-confirm will automatically reload previous config in %u minute%s\n"
			  "unless changes are confirmed.\n"
			  "Initialized commit-confirm; %u minute%s to confirm before reload\n",
			  minutes, plural, minutes, plural);
	return status;
}

static enum session_status run_confirm(struct command *c)
{
	int r = config_system_confirm(c->s->system);

	if (r == -ENOENT)
		return fail_plain(c, "No confirm pending\n");
	text_add(c->out, "Reload timer stopped\n");
	if (r < 0)
		text_addf(c->out, "Warning: its record could not be removed: %s\n", strerror(-r));
	return SESSION_OK;
}

static enum session_status run_discard(struct command *c)
{
	if (c->n > 0)
		return fail_framed(c, "Invalid discard command\n");
	bool modified = config_session_is_modified(c->s);
	struct config_tree *candidate = config_tree_copy(c->s->system->running);
	if (!candidate)
		return fail_framed(c, "Out of memory\n");
	config_session_stand_on_running(c->s, candidate);
	add_framed(c->out, modified ? "Changes have been discarded\n" : "No changes have been discarded\n");
	return SESSION_OK;
}

static enum session_status take_file(struct command *c, enum session_status status)
{
	c->r->file = strdup(c->words[0]);
	return c->r->file ? status : fail_plain(c, "Out of memory\n");
}

static enum session_status run_save(struct command *c)
{
	if (c->n > 1)
		return fail_plain(c, "Invalid save command\n");
	if (c->n == 1) {
		config_file_print(c->s->system->running, c->out);
		return take_file(c, SESSION_WRITE_FILE);
	}
	if (config_session_is_modified(c->s))
		text_add(c->out, "Warning: you have uncommitted changes that will not be saved.\n\n");
	return config_system_save(c->s->system, c->out) < 0 ? SESSION_FAILED : SESSION_OK;
}

static enum session_status load_or_merge(struct command *c, bool merge)
{
	if (c->n > 1)
		return fail_plain(c, merge ? "Invalid merge command\n" : "Invalid load command\n");
	if (config_session_is_modified(c->s)) {
		text_addf(c->out,
			  "Cannot %s: configuration modified.\n"
			  "Commit or discard the changes before %s a config file.\n",
			  merge ? "merge" : "load", merge ? "merging" : "loading");
		return SESSION_FAILED;
	}
	c->r->merge = merge;
	if (c->n == 1)
		return take_file(c, SESSION_READ_FILE);

	const struct config_system *system = c->s->system;
	char *data;
	size_t len;
	int r = system->effects->load(system->ctx, &data, &len);
	if (r < 0) {
		text_addf(c->out, r == -ENOENT ? "No such file '%s'\n" : "Failed to open '%s'\n",
			  system->effects->saved_name(system->ctx));
		return SESSION_FAILED;
	}
	config_session_load(c->s, merge, system->effects->saved_name(system->ctx), data, len, c->r);
	wipe(data, len);
	free(data);
	return c->r->status;
}

static enum session_status run_load(struct command *c)
{
	return load_or_merge(c, false);
}

static enum session_status run_merge(struct command *c)
{
	return load_or_merge(c, true);
}

static int count_revisions(struct config_session *s)
{
	struct config_revision *list = calloc(CONFIG_REVISIONS_MAX, sizeof(*list));
	int n = list ? s->system->effects->revision_list(s->system->ctx, list, CONFIG_REVISIONS_MAX) : 0;

	free(list);
	return MAX(n, 0);
}

static enum session_status run_rollback(struct command *c)
{
	uint32_t number;

	if (c->n != 1)
		return fail_plain(c, "Error: must include a revision # to rollback to\n");
	int n = count_revisions(c->s);
	if (parse_u32(c->words[0], 1, (uint32_t)MAX(n - 1, 0), &number) < 0) {
		text_addf(c->out, "Invalid revision number %s: must be 0 < rev < %d\n", c->words[0], n);
		return SESSION_FAILED;
	}
	struct config_tree *tree = config_system_revision(c->s->system, number, c->out);
	if (!tree)
		return SESSION_FAILED;
	config_tree_free(c->s->candidate);
	c->s->candidate = tree;
	text_add(c->out, "Rollback diff has been applied.\n"
			 "Use \"compare\" to review the changes or \"commit\" to apply them.\n");
	return SESSION_OK;
}

static enum session_status run_run(struct command *c)
{
	if (c->n == 0)
		return fail_framed(c, "Incomplete command: run\n");
	c->r->run_at = c->line->start[1];
	return SESSION_RUN;
}

static enum session_status run_exit(struct command *c)
{
	bool discard = c->n == 1 && strcmp(c->words[0], "discard") == 0;

	if (c->n > 0 && !discard) {
		text_addf(c->out, "Invalid argument \"%s\" for 'exit'\n", c->words[0]);
		return SESSION_FAILED;
	}
	if (!discard && c->s->level.n > 0) {
		config_path_done(&c->s->level);
		return SESSION_OK;
	}
	if (!discard && config_session_is_modified(c->s))
		return fail_plain(c, "Cannot exit: configuration modified.\n"
				     "Use 'exit discard' to discard the changes and exit.\n");
	if (c->s->system->unsaved)
		text_add(c->out, "Warning: configuration changes have not been saved.\n");
	return SESSION_EXIT;
}

/* The help is VyOS's. */
const struct verb config_session_verbs[] = {
	{ "comment", "Add comment to this configuration element", run_comment, offer_existing, false },
	{ "commit", "Commit the current set of changes", run_commit, offer_commit, false },
	{ "commit-confirm", "Commit the current set of changes with 'confirm' required", run_commit_confirm,
	  offer_commit_confirm, false },
	{ "compare", "Compare configuration revisions", run_compare, offer_compare, true },
	{ "confirm", "Confirm prior commit-confirm", run_confirm, offer_enter, false },
	{ "copy", "Copy a configuration element", run_copy, offer_rename, false },
	{ "delete", "Delete a configuration element", run_delete, offer_existing, false },
	{ "discard", "Discard uncommitted changes", run_discard, offer_enter, false },
	{ "edit", "Edit a sub-element", run_edit, offer_edit, false },
	{ "exit", "Exit from this configuration level", run_exit, offer_exit, false },
	{ "load", "Load configuration from a file and replace running configuration", run_load, offer_file,
	  false },
	{ "merge", "Load configuration from a file and merge running configuration", run_merge, offer_file,
	  false },
	{ "rename", "Rename a configuration element", run_rename, offer_rename, false },
	{ "rollback", "Rollback to a prior config revision", run_rollback, offer_rollback, false },
	{ "rollback-soft", "Rollback to a prior config revision", run_rollback, offer_rollback, false },
	{ "run", "Run an operational-mode command", run_run, NULL, true },
	{ "save", "Save configuration to a file", run_save, offer_file, false },
	{ "set", "Set the value of a parameter or create a new element", run_set, offer_set, false },
	{ "show", "Show the configuration (default values may be suppressed)", run_show, offer_existing,
	  true },
	{ "top", "Set the edit level to the root", run_top, offer_enter, false },
	{ "up", "Set the edit level up one level", run_up, offer_enter, false },
	{ 0 }
};
