/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A system in memory for tests of sessions: files, archive and clock are variables, apply can be told to
 * fail. */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/print.h"
#include "config/session.h"
#include "config/store.h"
#include "config/system.h"

#define WORLD_REVISIONS 32

struct world {
	struct config_system system;
	int64_t wall;
	uint64_t steady;
	char *saved;
	char *revisions[WORLD_REVISIONS]; /* oldest first */
	struct config_revision meta[WORLD_REVISIONS];
	size_t n_revisions;
	char *confirm; /* the way back; NULL: none */
	int apply_result;
	unsigned applied, committed;
	char applied_text[65536]; /* the last tree that was applied, as a file */
};

static int64_t world_wall(void *ctx)
{
	return ((struct world *)ctx)->wall;
}

static void world_format_time(void *ctx, int64_t seconds, char *out, size_t size)
{
	(void)ctx;
	store_format_time(seconds, out, size);
}

static uint64_t world_steady(void *ctx)
{
	return ((struct world *)ctx)->steady;
}

/* Knows two VRFs: red and blue. */
static void world_check_node(const struct config_node *node, struct config_errors *errors)
{
	if (strcmp(node->schema->name ? node->schema->name : "", "vrf") == 0 &&
	    strcmp(node->value, "red") != 0 && strcmp(node->value, "blue") != 0) {
		_cleanup_text_ struct text path = { 0 };
		config_node_path(node->parent, &path);
		config_errors_add(errors, 0, 0, text_str(&path), "VRF \"%s\" does not exist!", node->value);
	}
	for (size_t i = 0; i < node->n_children; i++)
		world_check_node(node->children[i], errors);
}

static void world_check(void *ctx, const struct config_tree *running, const struct config_tree *next,
			struct config_errors *errors)
{
	(void)ctx;
	(void)running;
	world_check_node(&next->root, errors);
}

static int world_apply(void *ctx, const struct config_tree *running, const struct config_tree *next,
		       struct text *out)
{
	struct world *w = ctx;
	_cleanup_text_ struct text file = { 0 };

	(void)running;
	w->applied++;
	if (w->apply_result < 0) {
		text_add(out, "sstpc0: the kernel said no\n");
		return w->apply_result;
	}
	config_print(&next->root, CONFIG_FORM_FILE, false, &file);
	(void)snprintf(w->applied_text, sizeof(w->applied_text), "%s", text_str(&file));
	return 0;
}

static void world_committed(void *ctx, const struct config_revision *revision)
{
	(void)revision;
	((struct world *)ctx)->committed++;
}

static const char *world_saved_name(void *ctx)
{
	(void)ctx;
	return "/etc/sstpcd/config.boot";
}

static int world_save(void *ctx, const char *data, size_t len)
{
	struct world *w = ctx;

	free(w->saved);
	w->saved = strndup(data, len);
	return w->saved ? 0 : -ENOMEM;
}

static int world_give(const char *text, char **ret_data, size_t *ret_len)
{
	if (!text)
		return -ENOENT;
	*ret_data = strdup(text);
	*ret_len = strlen(text);
	return *ret_data ? 0 : -ENOMEM;
}

static int world_load(void *ctx, char **ret_data, size_t *ret_len)
{
	return world_give(((struct world *)ctx)->saved, ret_data, ret_len);
}

static int world_revision_add(void *ctx, const struct config_revision *revision, const char *data, size_t len)
{
	struct world *w = ctx;

	if (w->n_revisions == WORLD_REVISIONS)
		return -ENOSPC;
	w->meta[w->n_revisions] = *revision;
	w->revisions[w->n_revisions] = strndup(data, len);
	return w->revisions[w->n_revisions++] ? 0 : -ENOMEM;
}

static int world_revision_list(void *ctx, struct config_revision *list, size_t max)
{
	struct world *w = ctx;
	size_t n = 0;

	for (; n < w->n_revisions && n < max; n++)
		list[n] = w->meta[w->n_revisions - 1 - n];
	return (int)n;
}

static int world_revision_load(void *ctx, unsigned number, char **ret_data, size_t *ret_len)
{
	struct world *w = ctx;

	return world_give(number < w->n_revisions ? w->revisions[w->n_revisions - 1 - number] : NULL,
			  ret_data, ret_len);
}

static int world_confirm_store(void *ctx, int64_t deadline, const char *data, size_t len)
{
	struct world *w = ctx;

	(void)deadline;
	free(w->confirm);
	w->confirm = data ? strndup(data, len) : NULL;
	return 0;
}

static void world_offer_names(void *ctx, const char *kind, const char *prefix, struct completions *to)
{
	(void)ctx;
	if (strcmp(kind, "vrf") == 0) {
		completions_add(to, prefix, "", "red", "", NULL);
		completions_add(to, prefix, "", "blue", "", NULL);
	}
}

static const struct config_effects world_effects = {
	.wall_seconds = world_wall,
	.format_time = world_format_time,
	.steady_seconds = world_steady,
	.check = world_check,
	.offer_names = world_offer_names,
	.apply = world_apply,
	.committed = world_committed,
	.saved_name = world_saved_name,
	.save = world_save,
	.load = world_load,
	.revision_add = world_revision_add,
	.revision_list = world_revision_list,
	.revision_load = world_revision_load,
	.confirm_store = world_confirm_store,
};

static inline void world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->wall = 1729535046; /* 2024-10-21 18:24:06 UTC */
	w->steady = 1000;
	config_system_init(&w->system, &world_effects, w, config_tree_new());
}

static inline void world_done(struct world *w)
{
	config_system_done(&w->system);
	free(w->saved);
	free(w->confirm);
	for (size_t i = 0; i < w->n_revisions; i++)
		free(w->revisions[i]);
}
