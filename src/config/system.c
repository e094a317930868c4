/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/system.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "config/check.h"
#include "config/edit.h"
#include "config/print.h"

#define FILE_FOOTER "\n\n// Warning: Do not remove the following line.\n// sstpcd-config-version: \"1\"\n"

void config_file_print(const struct config_tree *tree, struct text *out)
{
	config_print(&tree->root, CONFIG_FORM_FILE, false, out);
	text_add(out, FILE_FOOTER);
}

struct config_tree *config_file_parse(const char *data, size_t len, struct config_errors *errors)
{
	_cleanup_tree_ struct config_tree *tree = config_tree_new();

	if (!tree || config_parse(tree, data, len, errors) < 0 || config_errors_count(errors) > 0)
		return NULL;
	return TAKE_PTR(tree);
}

static void free_secret_text(struct text *t)
{
	if (t->data)
		wipe(t->data, t->size);
	text_done(t);
}

/* Parses what an effect has loaded; frees it. */
static struct config_tree *parse_loaded(char *data, size_t len, const char *name, struct text *out)
{
	_cleanup_errors_ struct config_errors errors = { 0 };
	struct config_tree *tree = config_file_parse(data, len, &errors);

	if (!tree)
		config_errors_print(&errors, name, out);
	wipe(data, len);
	free(data);
	return tree;
}

struct config_tree *config_system_revision(struct config_system *s, unsigned number, struct text *out)
{
	char name[32], *data;
	size_t len;

	(void)snprintf(name, sizeof(name), "revision %u", number);
	int r = s->effects->revision_load(s->ctx, number, &data, &len);
	if (r == -ENOENT) {
		text_addf(out, "Invalid revision number %u\n", number);
		return NULL;
	}
	if (r < 0) {
		text_addf(out, "Cannot read %s: %s\n", name, strerror(-r));
		return NULL;
	}
	return parse_loaded(data, len, name, out);
}

struct config_tree *config_system_saved(struct config_system *s, struct text *out)
{
	char *data;
	size_t len;
	int r = s->effects->load(s->ctx, &data, &len);

	if (r == -ENOENT)
		return config_tree_new();
	if (r < 0) {
		text_addf(out, "Cannot read '%s': %s\n", s->effects->saved_name(s->ctx), strerror(-r));
		return NULL;
	}
	return parse_loaded(data, len, s->effects->saved_name(s->ctx), out);
}

static void fill_revision(struct config_system *s, struct config_revision *revision, const char *user,
			  const char *via, const char *comment)
{
	*revision = (struct config_revision){ .time = s->effects->wall_seconds(s->ctx) };
	(void)snprintf(revision->user, sizeof(revision->user), "%s", user);
	(void)snprintf(revision->via, sizeof(revision->via), "%s", via);
	(void)snprintf(revision->comment, sizeof(revision->comment), "%s", comment ? comment : "");
}

/* Adds the running configuration to the archive. It is only a record: a failure is told, and stops nothing.
 */
static void archive(struct config_system *s, const struct config_revision *revision, struct text *out)
{
	_cleanup_(free_secret_text) struct text file = { 0 };

	config_file_print(s->running, &file);
	int r = file.error ? file.error
			   : s->effects->revision_add(s->ctx, revision, text_str(&file), file.len);
	if (r < 0)
		text_addf(out, "Warning: the commit could not be archived%s%s: %s\n",
			  s->effects->archive_name ? " in " : "",
			  s->effects->archive_name ? s->effects->archive_name(s->ctx) : "", strerror(-r));
}

/* Is the tree the same as the one of a file? */
static bool same_as(const struct config_tree *tree, struct config_tree *other)
{
	bool same = other && config_node_equal(&tree->root, &other->root);

	config_tree_free(other);
	return same;
}

void config_system_init(struct config_system *s, const struct config_effects *effects, void *ctx,
			struct config_tree *running)
{
	_cleanup_text_ struct text ignored = { 0 };

	*s = (struct config_system){ .effects = effects, .ctx = ctx, .running = running, .revision = 1 };
	fill_revision(s, &s->last, "root", "init", "");
	if (!same_as(running, config_system_revision(s, 0, &ignored)))
		archive(s, &s->last, &ignored);
	s->unsaved = !same_as(running, config_system_saved(s, &ignored));
}

void config_system_done(struct config_system *s)
{
	config_tree_free(s->running);
	config_tree_free(s->confirm_previous);
	*s = (struct config_system){ 0 };
}

/* Puts the previous configuration where a restarted daemon finds it. */
static int store_confirm(struct config_system *s, unsigned minutes)
{
	_cleanup_(free_secret_text) struct text file = { 0 };

	config_file_print(s->running, &file);
	if (file.error)
		return file.error;
	return s->effects->confirm_store(s->ctx, s->effects->wall_seconds(s->ctx) + (int64_t)minutes * 60,
					 text_str(&file), file.len);
}

/* Applies `next` and makes it the running one; `previous` (may be NULL) receives the old one, else it is
 * freed. `back_to`: what to go back to on failure, or NULL, see config_effects. */
static int replace_running(struct config_system *s, const struct config_tree *back_to,
			   struct config_tree **next, struct config_tree **previous, struct text *out)
{
	int r = s->effects->apply(s->ctx, back_to, *next, out);

	if (r < 0)
		return r;
	if (previous)
		*previous = s->running;
	else
		config_tree_free(s->running);
	s->running = TAKE_PTR(*next);
	s->revision++;
	s->unsaved = true;
	return 0;
}

void config_system_check(const struct config_system *s, const struct config_tree *next,
			 struct config_errors *errors)
{
	config_check(s->running, next, errors);
	s->effects->check(s->ctx, s->running, next, errors);
}

int config_system_commit(struct config_system *s, struct config_tree **next, const char *user,
			 const char *via, const char *comment, unsigned confirm_minutes, struct text *out)
{
	_cleanup_errors_ struct config_errors errors = { 0 };
	int r;

	config_system_check(s, *next, &errors);
	if (config_errors_count(&errors) > 0) {
		config_errors_print_commit(&errors, out);
		return -EINVAL;
	}
	if (confirm_minutes) {
		/* Before the change: if we die in its middle, the next start finds the way back. */
		r = store_confirm(s, confirm_minutes);
		if (r < 0) {
			text_addf(out, "Cannot store the configuration to go back to: %s\n", strerror(-r));
			return r;
		}
	}
	config_warnings(s->running, *next, out);
	r = replace_running(s, s->running, next, confirm_minutes ? &s->confirm_previous : NULL, out);
	if (r < 0) {
		if (confirm_minutes)
			(void)s->effects->confirm_store(s->ctx, 0, NULL, 0);
		return r;
	}
	if (confirm_minutes)
		s->confirm_deadline = s->effects->steady_seconds(s->ctx) + (uint64_t)confirm_minutes * 60;
	fill_revision(s, &s->last, user, via, comment);
	archive(s, &s->last, out);
	s->effects->committed(s->ctx, &s->last);
	return 0;
}

int config_system_confirm(struct config_system *s)
{
	if (!s->confirm_previous)
		return -ENOENT;
	config_tree_free(s->confirm_previous);
	s->confirm_previous = NULL;
	return s->effects->confirm_store(s->ctx, 0, NULL, 0);
}

uint64_t config_system_deadline(const struct config_system *s)
{
	return s->confirm_previous ? s->confirm_deadline : UINT64_MAX;
}

void config_system_resume_confirm(struct config_system *s, struct config_tree *previous, uint64_t seconds)
{
	config_tree_free(s->confirm_previous);
	s->confirm_previous = previous;
	s->confirm_deadline = s->effects->steady_seconds(s->ctx) + seconds;
}

bool config_system_tick(struct config_system *s, struct text *out)
{
	if (!s->confirm_previous || s->effects->steady_seconds(s->ctx) < s->confirm_deadline)
		return false;
	int r = replace_running(s, NULL, &s->confirm_previous, NULL, out);
	if (r < 0) {
		/* What ran before cannot be refused for good: try again soon rather than stay where nobody
		 * confirmed. */
		text_addf(out, "Going back to the previous configuration failed: %s\n", strerror(-r));
		s->confirm_deadline = s->effects->steady_seconds(s->ctx) + 10;
		return false;
	}
	(void)s->effects->confirm_store(s->ctx, 0, NULL, 0);
	fill_revision(s, &s->last, "root", "commit-confirm", "not confirmed in time: rolled back");
	archive(s, &s->last, out);
	s->effects->committed(s->ctx, &s->last);
	return true;
}

int config_system_save(struct config_system *s, struct text *out)
{
	_cleanup_(free_secret_text) struct text file = { 0 };

	if (s->confirm_previous) {
		text_add(out, "The last commit waits for its confirmation: 'confirm' it before 'save'\n");
		return -EBUSY;
	}
	text_addf(out, "Saving configuration to '%s'...\n", s->effects->saved_name(s->ctx));
	config_file_print(s->running, &file);
	int r = file.error ? file.error : s->effects->save(s->ctx, text_str(&file), file.len);
	if (r < 0) {
		text_addf(out, "Cannot save: %s\n", strerror(-r));
		return r;
	}
	s->unsaved = false;
	text_add(out, "Done\n");
	return 0;
}

void config_revision_print(const struct config_system *s, const struct config_revision *revision,
			   struct text *out)
{
	char stamp[32] = "";

	s->effects->format_time(s->ctx, revision->time, stamp, sizeof(stamp));
	text_addf(out, "%s by %s via %s", stamp, revision->user, revision->via);
}

void config_system_show_commits(struct config_system *s, struct text *out)
{
	struct config_revision *list = calloc(CONFIG_REVISIONS_MAX, sizeof(*list));
	int n = list ? s->effects->revision_list(s->ctx, list, CONFIG_REVISIONS_MAX) : -ENOMEM;

	if (n < 0)
		text_addf(out, "Cannot read the archive: %s\n", strerror(-n));
	if (n == 0)
		text_add(out, "commit log is empty or stale:\n");
	for (int i = 0; i < n; i++) {
		text_addf(out, "%-3d ", i);
		config_revision_print(s, &list[i], out);
		text_add(out, "\n");
		if (list[i].comment[0])
			text_addf(out, "    %s\n", list[i].comment);
	}
	free(list);
}
