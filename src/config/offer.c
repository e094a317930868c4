/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/verbs.h"

void verb_add_indented(struct text *out, const char *message)
{
	while (*message) {
		size_t len = strcspn(message, "\n");
		text_add(out, "  ");
		text_add_len(out, message, len);
		text_add(out, "\n");
		message += len + (message[len] == '\n');
	}
}

static void complete_set(struct command *c, const char *prefix, struct completions *to,
			 enum complete_mode mode)
{
	_cleanup_path_ struct config_path path = { 0 };
	_cleanup_text_ struct text why = { 0 };

	if (config_path_copy(&path, &c->s->level) < 0)
		return;
	/* What may be set must be right so far; of what is there, nothing is asked. */
	if (config_path_append(&path, c->words, c->n, mode != COMPLETE_EXISTING, &why) < 0) {
		verb_add_indented(&to->help, text_str(&why));
		return;
	}
	complete_path(to, &path, c->s->candidate, mode, prefix);
	const struct schema *at = config_path_schema(&path);
	if (at->system_names && mode == COMPLETE_SET && config_path_lacks_value(&path))
		c->s->system->effects->offer_names(c->s->system->ctx, at->system_names, prefix, to);
}

void offer_set(struct command *c, const char *prefix, struct completions *to)
{
	complete_set(c, prefix, to, COMPLETE_SET);
}

void offer_existing(struct command *c, const char *prefix, struct completions *to)
{
	complete_set(c, prefix, to, COMPLETE_EXISTING);
}

void offer_edit(struct command *c, const char *prefix, struct completions *to)
{
	complete_set(c, prefix, to, COMPLETE_EDIT);
}

/* Behind "TAG OLD to": TAG, and a name that it may have. */
static void offer_new_name(const struct schema *tag, char *const *words, size_t n, const char *prefix,
			   struct completions *to)
{
	_cleanup_text_ struct text why = { 0 };
	_cleanup_free_ char *name = NULL;

	if (n == 0)
		completions_add(to, prefix, "", tag->name, tag->help, NULL);
	else if (n == 1)
		complete_values(to, tag, prefix);
	else if (n == 2 && schema_check_value(tag, words[1], &name, &why) == 0)
		completions_add_enter(to, prefix);
	verb_add_indented(&to->help, text_str(&why));
}

void offer_rename(struct command *c, const char *prefix, struct completions *to)
{
	_cleanup_path_ struct config_path path = { 0 };
	_cleanup_text_ struct text why = { 0 };
	size_t split = 0;

	while (split < c->n && strcmp(c->words[split], "to") != 0)
		split++;
	if (config_path_copy(&path, &c->s->level) < 0)
		return;
	if (config_path_append(&path, c->words, split, false, &why) < 0) {
		verb_add_indented(&to->help, text_str(&why));
		return;
	}
	const struct schema *tag = config_path_schema(&path);
	bool named = split >= 2 && tag->kind == SCHEMA_TAG && !config_path_lacks_value(&path);
	if (split < c->n && named)
		offer_new_name(tag, c->words + split + 1, c->n - split - 1, prefix, to);
	else if (split == c->n && named)
		completions_add(to, prefix, "", "to", "The new name follows", NULL);
	else if (split == c->n)
		complete_path(to, &path, c->s->candidate, COMPLETE_RENAME, prefix);
}

void offer_enter(struct command *c, const char *prefix, struct completions *to)
{
	if (c->n == 0)
		completions_add_enter(to, prefix);
}

void offer_exit(struct command *c, const char *prefix, struct completions *to)
{
	offer_enter(c, prefix, to);
	if (c->n == 0)
		completions_add(to, prefix, "", "discard", "Discard any changes", NULL);
}

void offer_commit(struct command *c, const char *prefix, struct completions *to)
{
	offer_enter(c, prefix, to);
	if (c->n == 0)
		completions_add(to, prefix, "", "comment", "Comment for commit log", NULL);
	else if (c->n == 1)
		completions_add_help(to, "", "<text>", "Comment for commit log", NULL);
}

void offer_commit_confirm(struct command *c, const char *prefix, struct completions *to)
{
	bool minutes = c->n && strcmp(c->words[0], "comment") != 0;
	struct command rest = { .s = c->s, .words = c->words + minutes, .n = c->n - minutes };

	offer_commit(&rest, prefix, to);
	if (c->n == 0)
		completions_add_help(to, "", "<1-65535>", "Minutes until the changes are taken back", "10");
}

/* The revisions of the archive from number `first` on. */
static void offer_revisions(struct command *c, const char *prefix, int first, struct completions *to)
{
	struct config_system *system = c->s->system;
	struct config_revision *list = calloc(CONFIG_REVISIONS_MAX, sizeof(*list));
	int n = list ? system->effects->revision_list(system->ctx, list, CONFIG_REVISIONS_MAX) : 0;

	for (int i = first; i < n; i++) {
		_cleanup_text_ struct text help = { 0 };
		char number[16];
		(void)snprintf(number, sizeof(number), "%d", i);
		config_revision_print(system, &list[i], &help);
		completions_add(to, prefix, "", number, text_str(&help), NULL);
	}
	free(list);
}

void offer_compare(struct command *c, const char *prefix, struct completions *to)
{
	if (c->n && strcmp(c->words[c->n - 1], "commands") == 0)
		return;
	completions_add_enter(to, prefix);
	completions_add(to, prefix, "", "commands", "Compare as commands", NULL);
	if (c->n == 0)
		completions_add(to, prefix, "", "saved", "Compare working & saved configurations", NULL);
	if (c->n == 0 || (c->n == 1 && strcmp(c->words[0], "saved") != 0))
		offer_revisions(c, prefix, 0, to);
}

void offer_rollback(struct command *c, const char *prefix, struct completions *to)
{
	if (c->n == 0)
		offer_revisions(c, prefix, 1, to);
}

void offer_file(struct command *c, const char *prefix, struct completions *to)
{
	if (c->n > 0)
		return;
	completions_add_enter(to, prefix);
	completions_add_help(to, "", "<file>", "Name of a file on this host", NULL);
	to->file = true;
}
