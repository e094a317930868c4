/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/complete.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HELP_COLUMN 24

void completions_done(struct completions *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->words[i]);
	free(c->words);
	text_done(&c->help);
	*c = (struct completions){ 0 };
}

void completions_add_word(struct completions *c, const char *word)
{
	if (c->n == c->size) {
		size_t size = c->size ? c->size * 2 : 16;
		char **words = reallocarray(c->words, size, sizeof(*words));
		if (!words) {
			c->error = -ENOMEM;
			return;
		}
		c->words = words;
		c->size = size;
	}
	c->words[c->n] = strdup(word);
	if (c->words[c->n])
		c->n++;
	else
		c->error = -ENOMEM;
}

void completions_add_help(struct completions *c, const char *marker, const char *name, const char *help,
			  const char *preset)
{
	int indent = c->operational ? 2 : 3, width = HELP_COLUMN - indent;

	if (c->help.len == 0)
		text_add(&c->help, "Possible completions:\n");
	if (!help[0]) {
		text_addf(&c->help, "%-*s%s\n", indent, marker, name);
		return;
	}
	if ((int)strlen(name) < width)
		text_addf(&c->help, "%-*s%-*s%s", indent, marker, width, name, help);
	else
		text_addf(&c->help, "%-*s%s\n%*s%s", indent, marker, name, HELP_COLUMN, "", help);
	if (preset)
		text_addf(&c->help, " (default: %s)", preset);
	text_add(&c->help, "\n");
}

void completions_add(struct completions *c, const char *prefix, const char *marker, const char *name,
		     const char *help, const char *preset)
{
	if (strncmp(name, prefix, strlen(prefix)) != 0)
		return;
	completions_add_help(c, marker, name, help, preset);
	completions_add_word(c, name);
}

void completions_add_enter(struct completions *c, const char *prefix)
{
	if (!*prefix)
		completions_add_help(c, "", "<Enter>", "Execute the current command", NULL);
}

static void add_row(struct completions *c, const struct schema *s, const char *prefix)
{
	const char *marker = s->kind == SCHEMA_TAG    ? "+> "
			     : s->kind == SCHEMA_NODE ? " > "
			     : s->multi		      ? "+  "
						      : "";

	completions_add(c, prefix, marker, s->name, s->help, s->preset);
}

static bool leads_to_tag(const struct schema *s)
{
	for (const struct schema *child = s->children; child && child->name; child++)
		if (leads_to_tag(child))
			return true;
	return s->kind == SCHEMA_TAG;
}

static bool row_is_wanted(const struct schema *s, const struct config_node *node, enum complete_mode mode)
{
	switch (mode) {
	case COMPLETE_SET:
		return true;
	case COMPLETE_EXISTING:
		return node && config_node_find(node, s, NULL);
	case COMPLETE_EDIT:
		return schema_is_inner(s);
	case COMPLETE_RENAME:
		return node && leads_to_tag(s) && config_node_find(node, s, NULL);
	}
	return false;
}

/* The values that are there: of the tag or leaf `s` below `parent`. Secrets are not offered. */
static void add_existing(struct completions *c, const struct config_node *parent, const struct schema *s,
			 const char *prefix)
{
	for (size_t i = 0; parent && !s->secret && i < parent->n_children; i++)
		if (parent->children[i]->schema == s)
			completions_add(c, prefix, "", parent->children[i]->value, "", NULL);
}

/* The names of the tags that the values of `s` refer to, as "pki ca". */
static void add_referred(struct completions *c, struct config_tree *tree, const struct schema *s,
			 const char *prefix)
{
	const char *blank = s->refers_to ? strchr(s->refers_to, ' ') : NULL;
	char name[64];

	if (!blank || (size_t)(blank - s->refers_to) >= sizeof(name))
		return;
	memcpy(name, s->refers_to, (size_t)(blank - s->refers_to));
	name[blank - s->refers_to] = 0;
	const struct config_node *parent = config_node_get(&tree->root, name);
	if (parent)
		add_existing(c, parent, schema_child(parent->schema, blank + 1), prefix);
}

static bool is_word(const struct schema *s, const char *format)
{
	for (const char *const *w = s->words; w && *w; w++)
		if (strcmp(*w, format) == 0)
			return true;
	return false;
}

void complete_values(struct completions *c, const struct schema *s, const char *prefix)
{
	for (const struct schema_value *v = s->values; v && v->format; v++) {
		_cleanup_text_ struct text format = { 0 };
		if (is_word(s, v->format)) {
			completions_add(c, prefix, "", v->format, v->help, NULL);
			continue;
		}
		schema_format_value(v->format, &format);
		completions_add_help(c, "", text_str(&format), v->help, NULL);
	}
}

void complete_path(struct completions *c, const struct config_path *path, struct config_tree *tree,
		   enum complete_mode mode, const char *prefix)
{
	const struct schema *at = config_path_schema(path);
	const struct config_node *node = config_path_find(path, tree);

	if (mode == COMPLETE_EDIT && !schema_is_inner(at))
		return;
	if (config_path_lacks_value(path)) {
		struct config_path above = { .n = path->n - 1 };
		memcpy(above.steps, path->steps, sizeof(above.steps)); /* only looked at */
		const struct config_node *parent = config_path_find(&above, tree);
		if (mode == COMPLETE_EXISTING)
			completions_add_enter(c, prefix);
		else if (mode != COMPLETE_RENAME)
			complete_values(c, at, prefix);
		if (at->kind == SCHEMA_TAG || mode == COMPLETE_EXISTING)
			add_existing(c, parent, at, prefix);
		else
			add_referred(c, tree, at, prefix);
		return;
	}
	if (path->n && mode != COMPLETE_RENAME && (mode != COMPLETE_SET || at->kind != SCHEMA_NODE))
		completions_add_enter(c, prefix);
	for (const struct schema *s = at->children; s && s->name; s++)
		if (row_is_wanted(s, node, mode))
			add_row(c, s, prefix);
}

void complete_names(const struct schema *parent, const char *prefix, struct text *out)
{
	_cleanup_completions_ struct completions c = { 0 };

	for (const struct schema *s = parent->children; s && s->name; s++)
		add_row(&c, s, prefix);
	text_add(out, text_str(&c.help));
}
