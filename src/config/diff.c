/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/diff.h"

#include <errno.h>
#include <string.h>

#include "config/words.h"

static bool same_string(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_comment(const struct config_node *a, const struct config_node *b)
{
	return same_string(a->comment, b->comment);
}

static void show_indent(struct text *out, char mark, unsigned depth)
{
	text_addf(out, "%c%*s", mark, (int)(4 * depth), "");
}

static void show_children(const struct config_node *old, const struct config_node *new,
			  const struct schema *only, unsigned depth, struct text *out)
{
	struct config_pair pair = { 0 };

	while (config_pair_next(&pair, old, new)) {
		const struct config_node *a = pair.a, *b = pair.b;
		if (only && (a ? a : b)->schema != only)
			continue;
		if (!a || !b) {
			config_print_node(a ? a : b, CONFIG_FORM_SHOW, false, a ? "-" : "+", depth, out);
			continue;
		}
		if (!same_comment(a, b)) {
			show_indent(out, a->comment && b->comment ? '>' : a->comment ? '-' : '+', depth);
			text_addf(out, "/* %s */\n", b->comment ? b->comment : a->comment);
		} else if (b->comment) {
			show_indent(out, ' ', depth);
			text_addf(out, "/* %s */\n", b->comment);
		}
		show_indent(out, same_string(a->value, b->value) ? ' ' : '>', depth);
		text_add(out, b->schema->name);
		if (schema_has_value(b->schema)) {
			text_add(out, " ");
			config_print_value(b->value, CONFIG_FORM_SHOW, out);
		}
		if (schema_is_inner(b->schema)) {
			text_add(out, " {\n");
			show_children(a, b, NULL, depth + 1, out);
			show_indent(out, ' ', depth);
			text_add(out, "}");
		}
		text_add(out, "\n");
	}
}

void config_diff_show(const struct config_node *old, const struct config_node *new, const struct schema *only,
		      struct text *out)
{
	show_children(old, new, only, 0, out);
}

struct compare {
	struct text *out;
	bool mask;
	const struct config_node *place; /* of the last header */
};

/* "[path]" if it is not the place of the line before. */
static void compare_header(struct compare *c, const struct config_node *parent)
{
	if (c->place == parent)
		return;
	c->place = parent;
	if (!parent->parent)
		return;
	text_add(c->out, "[");
	config_node_path(parent, c->out);
	text_add(c->out, "]\n");
}

static void compare_line(struct compare *c, const struct config_node *parent, const char *mark,
			 const struct config_node *node)
{
	compare_header(c, parent);
	config_print_node(node, CONFIG_FORM_FILE, c->mask, mark, 0, c->out);
}

static void compare_comment(struct compare *c, const struct config_node *parent, const char *mark,
			    const struct config_node *node)
{
	if (!node->comment)
		return;
	compare_header(c, parent);
	text_addf(c->out, "%s/* %s */\n", mark, node->comment);
}

/* `place` is the node that headers name: the one of the new tree, so that both trees have the same. */
static void compare_children(struct compare *c, const struct config_node *old, const struct config_node *new)
{
	const struct config_node *place = new ? new : old;
	struct config_pair pair = { 0 };

	while (config_pair_next(&pair, old, new)) {
		const struct config_node *a = pair.a, *b = pair.b;
		if (!b) {
			compare_line(c, place, "- ", a);
		} else if (!a) {
			compare_line(c, place, "+ ", b);
		} else if (!same_string(a->value, b->value)) {
			compare_line(c, place, "- ", a);
			compare_line(c, place, "+ ", b);
		} else {
			if (!same_comment(a, b)) {
				compare_comment(c, place, "- ", a);
				compare_comment(c, place, "+ ", b);
			}
			compare_children(c, a, b);
		}
	}
}

void config_diff_compare(const struct config_node *old, const struct config_node *new, bool mask,
			 struct text *out)
{
	struct compare c = { .out = out, .mask = mask };

	compare_children(&c, old, new);
}

static void delete_commands(const struct config_node *old, const struct config_node *new, struct text *out)
{
	struct config_pair pair = { 0 };

	while (config_pair_next(&pair, old, new)) {
		if (!pair.a)
			continue;
		if (!pair.b || !same_string(pair.a->value, pair.b->value)) {
			text_add(out, "delete ");
			config_print_path(pair.a, out);
			text_add(out, "\n");
		} else {
			delete_commands(pair.a, pair.b, out);
		}
	}
}

static void comment_command(const struct config_node *node, struct text *out)
{
	text_add(out, "comment ");
	if (node->schema->kind == SCHEMA_LEAF && !node->schema->multi)
		config_node_path(node, out);
	else
		config_print_path(node, out);
	text_add(out, " ");
	words_quote(out, node->comment ? node->comment : "", true);
	text_add(out, "\n");
}

static void set_commands(const struct config_node *old, const struct config_node *new, struct text *out)
{
	struct config_pair pair = { 0 };

	while (config_pair_next(&pair, old, new)) {
		const struct config_node *a = pair.a, *b = pair.b;
		if (!b)
			continue;
		if (!a || !same_string(a->value, b->value)) {
			config_print_node_commands(b, out);
			continue;
		}
		if (a->n_children > 0 && b->n_children == 0 && b->schema->kind == SCHEMA_NODE) {
			text_add(out, "set "); /* the deletions above took the emptied node with them */
			config_print_path(b, out);
			text_add(out, "\n");
		}
		set_commands(a, b, out);
		if (!same_comment(a, b))
			comment_command(b, out);
	}
}

void config_diff_commands(const struct config_node *old, const struct config_node *new, struct text *out)
{
	delete_commands(old, new, out);
	set_commands(old, new, out);
}

/* The three versions of one place; NULL where it does not exist. */
struct place {
	const struct config_node *base, *ours, *theirs;
};

static bool same_node(const struct config_node *a, const struct config_node *b)
{
	return a == b || (a && b && config_node_equal(a, b));
}

static const struct config_node *partner(const struct config_node *parent, const struct config_node *node)
{
	/* Single values are found by row alone: config_node_find() ignores what it is not told. */
	bool by_value = node->schema->kind == SCHEMA_TAG || node->schema->multi;

	return parent ? config_node_find(parent, node->schema, by_value ? node->value : NULL) : NULL;
}

/* Are its members joined one by one? Those of a plain node, and of a tag that is not new on both sides: two
 * that were invented under one name are not the same. */
static bool groups(struct place p)
{
	return p.ours && p.theirs &&
	       (p.ours->schema->kind == SCHEMA_NODE || (p.ours->schema->kind == SCHEMA_TAG && p.base));
}

static void add_conflict(struct config_errors *conflicts, const struct config_node *node, const char *what)
{
	_cleanup_text_ struct text path = { 0 };

	config_node_path(node, &path);
	config_errors_add(conflicts, 0, 0, text_str(&path), "%s", what);
}

static int merge_children(struct config_tree *tree, struct config_node *parent, struct place in,
			  struct config_errors *conflicts);

static int merge_place(struct config_tree *tree, struct config_node *parent, struct place p,
		       struct config_errors *conflicts)
{
	const struct config_node *take = p.ours;

	if (same_node(p.ours, p.base)) {
		take = p.theirs;
	} else if (groups(p)) {
		const char *before = p.base ? p.base->comment : NULL;
		struct config_node *node;
		bool ours = !same_string(p.ours->comment, before);
		if (ours && !same_string(p.theirs->comment, before) &&
		    !same_string(p.ours->comment, p.theirs->comment))
			add_conflict(conflicts, p.ours, "its comment was changed here and meanwhile");
		int r = config_node_add(tree, parent, p.ours->schema, p.ours->value, &node);
		if (r >= 0)
			r = config_node_set_comment(tree, node, ours ? p.ours->comment : p.theirs->comment);
		if (r == 0)
			r = merge_children(tree, node, p, conflicts);
		/* Each has deleted a part of it, and nothing is left. */
		bool empty = r == 0 && node->n_children == 0 && !node->comment && !node->value &&
			     p.ours->n_children > 0 && p.theirs->n_children > 0;
		if (empty)
			config_node_remove(tree, node);
		return r;
	} else if (!same_node(p.theirs, p.base) && !same_node(p.ours, p.theirs)) {
		add_conflict(conflicts,
			     p.ours	? p.ours
			     : p.theirs ? p.theirs
					: p.base,
			     !p.ours	 ? "deleted here, changed meanwhile"
			     : !p.theirs ? "changed here, deleted meanwhile"
					 : "changed here and meanwhile");
	}
	return take ? config_node_add_copy(tree, parent, take, NULL, NULL) : 0;
}

static int merge_children(struct config_tree *tree, struct config_node *parent, struct place in,
			  struct config_errors *conflicts)
{
	struct config_pair pair = { 0 };

	while (config_pair_next(&pair, in.ours, in.theirs)) {
		const struct config_node *any = pair.a ? pair.a : pair.b;
		struct place p = { .base = partner(in.base, any), .ours = pair.a, .theirs = pair.b };
		int r = merge_place(tree, parent, p, conflicts);
		if (r < 0)
			return r;
	}
	return 0;
}

int config_merge3(const struct config_tree *base, const struct config_tree *ours,
		  const struct config_tree *theirs, struct config_tree **ret, struct config_errors *conflicts)
{
	_cleanup_tree_ struct config_tree *tree = config_tree_new();

	if (!tree)
		return -ENOMEM;
	int r = merge_children(
		tree, &tree->root,
		(struct place){ .base = &base->root, .ours = &ours->root, .theirs = &theirs->root },
		conflicts);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(tree);
	return 0;
}
