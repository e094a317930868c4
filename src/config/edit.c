/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/edit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/curly.h"
#include "config/words.h"

#define BAD_LINE_MAX 1024 /* bytes of a line without end that are looked at for an interface */

/* The place that `words` name below `at`. */
static int resolve(struct config_path *path, const struct config_path *at, char *const *words, size_t n,
		   bool check, struct text *out)
{
	int r = config_path_copy(path, at);

	return r < 0 ? r : config_path_append(path, words, n, check, out);
}

static int too_large(int r, struct text *out)
{
	if (r == -E2BIG)
		text_add(out, "The configuration is too large\n");
	return r;
}

int edit_set(struct config_tree *tree, const struct config_path *at, char *const *words, size_t n,
	     struct text *out)
{
	_cleanup_path_ struct config_path path = { 0 };

	if (n == 0) {
		text_add(out, "Need to specify the config node to set\n");
		return -EINVAL;
	}
	int r = resolve(&path, at, words, n, true, out);
	if (r < 0)
		return r;
	if (config_path_lacks_value(&path)) {
		text_add(out, "Configuration path: [");
		config_path_print(&path, out);
		text_add(out, "] requires a value\n");
		return -EINVAL;
	}
	r = config_path_make(&path, tree, NULL);
	if (r == 0) {
		text_add(out, "Configuration path: [");
		config_path_print(&path, out);
		text_add(out, "] already exists\n");
	}
	return too_large(r, out);
}

int edit_delete(struct config_tree *tree, const struct config_path *at, char *const *words, size_t n,
		struct text *out)
{
	_cleanup_path_ struct config_path path = { 0 };
	struct config_node *node;

	if (n == 0) {
		text_add(out, "Need to specify the config node to delete\n");
		return -EINVAL;
	}
	int r = resolve(&path, at, words, n, false, out);
	if (r < 0)
		return r;
	node = config_path_find(&path, tree);
	if (!node) {
		bool value = path.steps[path.n - 1].value && config_path_schema(&path)->kind == SCHEMA_LEAF;
		text_addf(out, "Nothing to delete (the specified %s does not exist)\n",
			  value ? "value" : "node");
		return 0;
	}
	/* A tag or leaf without value means all of them: they stand side by side, `node` first. */
	if (config_path_lacks_value(&path)) {
		struct config_node *parent = node->parent;
		size_t first = 0, last = parent->n_children;
		while (parent->children[first] != node)
			first++;
		while (parent->children[last - 1]->schema != node->schema)
			last--;
		while (last > first + 1)
			config_node_remove(tree, parent->children[--last]);
	}
	config_node_remove_prune(tree, node);
	return 1;
}

static int check_comment(const struct config_path *path, const struct config_node *node, const char *comment,
			 struct text *out)
{
	const struct schema *schema = config_path_schema(path);

	if (path->n == 0 || (config_path_lacks_value(path) && (schema->kind == SCHEMA_TAG || schema->multi)))
		text_add(out, "Cannot add comment at this level\n");
	else if (schema->kind == SCHEMA_LEAF && !schema->multi && path->steps[path->n - 1].value)
		text_add(out, "Cannot comment on config values\n");
	else if (!node)
		text_add(out, "The specified config node does not exist\n");
	else if (strchr(comment, '*'))
		text_add(out, "Cannot use the '*' character in a comment\n");
	else if (strlen(comment) > CONFIG_COMMENT_MAX)
		text_addf(out, "Comment too long (limit %u bytes)\n", CONFIG_COMMENT_MAX);
	else
		return 0;
	return -EINVAL;
}

int edit_comment(struct config_tree *tree, const struct config_path *at, char *const *words, size_t n,
		 struct text *out)
{
	_cleanup_path_ struct config_path path = { 0 };

	if (n < 2) {
		text_add(out, "Need to specify the config node and the comment\n");
		return -EINVAL;
	}
	int r = resolve(&path, at, words, n - 1, false, out);
	if (r < 0)
		return r;
	const char *comment = words[n - 1] + strspn(words[n - 1], " ");
	struct config_node *node = config_path_find(&path, tree);
	r = check_comment(&path, node, comment, out);
	if (r < 0)
		return r;
	const char *before = node->comment ? node->comment : "";
	if (strcmp(before, comment) == 0)
		return 0;
	r = config_node_set_comment(tree, node, comment);
	return r < 0 ? too_large(r, out) : 1;
}

/* Splits "TAG OLD to TAG NEW" and finds both places. */
static int rename_places(const struct config_path *at, char *const *words, size_t n, const char *verb,
			 struct config_path *from, struct config_path *to, struct text *out)
{
	size_t split = 0;

	while (split < n && strcmp(words[split], "to") != 0)
		split++;
	if (split < 2 || n != split + 3) {
		text_addf(out,
			  "Invalid %s command\nExpected: %s TAG OLD to TAG NEW, as in sstpc sstpc0 to sstpc "
			  "sstpc1\n",
			  verb, verb);
		return -EINVAL;
	}
	int r = resolve(from, at, words, split, false, out);
	if (r < 0)
		return r;
	const struct schema *schema = config_path_schema(from);
	if (schema->kind != SCHEMA_TAG || config_path_lacks_value(from)) {
		text_addf(out, "Cannot %s under \"%s\"\n", verb, from->steps[0].schema->name);
		return -EINVAL;
	}
	/* The new name stands beside the old one. */
	struct config_path parent = *from;
	parent.n--;
	r = resolve(to, &parent, words + split + 1, 2, true, out);
	if (r == 0 && config_path_schema(to) != schema) {
		text_addf(out, "Cannot %s from \"%s\" to \"%s\"\n", verb, schema->name,
			  config_path_schema(to)->name);
		return -EINVAL;
	}
	return r;
}

int edit_rename(struct config_tree *tree, const struct config_path *at, char *const *words, size_t n,
		bool keep, struct text *out)
{
	_cleanup_path_ struct config_path from = { 0 }, to = { 0 };
	int r = rename_places(at, words, n, keep ? "copy" : "rename", &from, &to, out);

	if (r < 0)
		return r;
	const char *name = config_path_schema(&from)->name;
	struct config_node *node = config_path_find(&from, tree);
	if (!node) {
		text_addf(out, "Configuration \"%s %s\" does not exist\n", name,
			  from.steps[from.n - 1].value);
		return -EINVAL;
	}
	const char *value = to.steps[to.n - 1].value;
	if (config_path_find(&to, tree)) {
		text_addf(out, "Configuration \"%s %s\" already exists\n", name, value);
		return -EINVAL;
	}
	r = config_node_add_copy(tree, node->parent, node, value, NULL);
	if (r < 0)
		return too_large(r, out);
	if (!keep)
		config_node_remove(tree, config_path_find(&from, tree));
	return 1;
}

static int parse_command(struct config_tree *tree, const char *line, size_t len, struct text *why)
{
	static const struct config_path top = { 0 };
	_cleanup_words_ struct words w = { 0 };
	int r = words_split(&w, line, len);

	if (r == -ENOMEM)
		return r;
	if (r < 0 || w.open_quote || w.has_pipe) {
		text_add(why, r == -EINVAL   ? "NUL byte: the file is damaged\n"
			      : r < 0	     ? "the line is too long\n"
			      : w.open_quote ? "quote is not closed\n"
					     : "'|' must stand in quotes\n");
		return -EINVAL;
	}
	if (w.n == 0)
		return 0;
	if (strcmp(w.v[0], "set") == 0)
		return edit_set(tree, &top, w.v + 1, w.n - 1, why);
	if (strcmp(w.v[0], "delete") == 0)
		return edit_delete(tree, &top, w.v + 1, w.n - 1, why);
	if (strcmp(w.v[0], "comment") == 0)
		return edit_comment(tree, &top, w.v + 1, w.n - 1, why);
	text_add(why, "expected set, delete or comment\n");
	return -EINVAL;
}

/* Where a line has gone wrong before it named a tag, any of the words behind may be that of one. */
static int note_any(struct config_tree *bad, const struct config_path *at, char *const *words, size_t n)
{
	_cleanup_text_ struct text ignored = { 0 };
	int r = 0;

	for (const struct schema *s = config_path_schema(at)->children; s && s->name && r == 0; s++)
		for (size_t i = 0; s->kind == SCHEMA_TAG && i < n && r == 0; i++) {
			_cleanup_path_ struct config_path path = { 0 };
			char *const tag[] = { (char *)(uintptr_t)s->name, words[i] };

			r = config_path_copy(&path, at);
			if (r == 0 && config_path_append(&path, tag, 2, true, &ignored) == 0)
				r = MIN(config_path_make(&path, bad, NULL), 0);
		}
	return r;
}

/* The interface, or other tag, that a line which cannot be carried out speaks of goes into `bad`. */
static int note_bad(struct config_tree *bad, const char *line, size_t len)
{
	_cleanup_words_ struct words w = { 0 };
	_cleanup_path_ struct config_path path = { 0 };
	_cleanup_text_ struct text ignored = { 0 };
	int r = words_split(&w, line, len);

	if (r == -EINVAL || r == -E2BIG) /* its beginning will do */
		r = words_split(&w, line, strnlen(line, MIN(len, (size_t)BAD_LINE_MAX)));
	for (size_t i = 1; r == 0 && i < w.n; i++) {
		r = config_path_append(&path, &w.v[i], 1, false, &ignored);
		if (r == 0 && config_path_schema(&path)->kind == SCHEMA_TAG &&
		    !config_path_lacks_value(&path))
			return config_path_make(&path, bad, NULL);
		if (r == -EINVAL)
			return note_any(bad, &path, w.v + i, w.n - i);
	}
	return r == -ENOMEM ? r : 0;
}

/* Removes the tags that `bad` has, too. */
static void leave_out(struct config_tree *tree, struct config_node *parent, const struct config_node *bad)
{
	for (size_t i = 0; i < bad->n_children; i++) {
		const struct config_node *b = bad->children[i];
		struct config_node *node = config_node_find(parent, b->schema, b->value);
		if (node && b->schema->kind == SCHEMA_TAG)
			config_node_remove(tree, node);
		else if (node)
			leave_out(tree, node, b);
	}
}

static int parse_commands(struct config_tree *tree, const char *data, size_t len,
			  struct config_errors *errors)
{
	_cleanup_tree_ struct config_tree *bad = config_tree_new();
	unsigned line = 0;

	if (!bad)
		return -ENOMEM;
	for (size_t pos = 0; pos < len;) {
		_cleanup_text_ struct text why = { 0 };
		const char *end = memchr(data + pos, '\n', len - pos);
		size_t n = end ? (size_t)(end - data) - pos : len - pos;
		int r = parse_command(tree, data + pos, n, &why);
		line++;
		if (r < 0 && r != -ENOMEM) {
			config_errors_add(errors, line, 1, "", "%s", text_str(&why));
			if (note_bad(bad, data + pos, n) < 0)
				r = -ENOMEM;
		}
		if (r == -ENOMEM)
			return r;
		if (r == -E2BIG)
			break;
		pos += n + 1;
	}
	leave_out(tree, &tree->root, &bad->root);
	return 0;
}

static bool begins_with_word(const char *data, size_t len, const char *word)
{
	size_t n = strlen(word);

	return len > n && memcmp(data, word, n) == 0 && (data[n] == ' ' || data[n] == '\t');
}

int config_parse(struct config_tree *tree, const char *data, size_t len, struct config_errors *errors)
{
	size_t at = 0;

	if (len > CONFIG_TEXT_MAX) {
		config_errors_add(errors, 0, 0, "", "the file is too large");
		return -E2BIG;
	}
	/* The byte order mark of some editors. */
	if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
		data += 3;
		len -= 3;
	}
	/* The first word behind blanks and '#' lines. */
	while (at < len && strchr(" \t\r\n#", data[at]) && data[at]) {
		const char *end = data[at] == '#' ? memchr(data + at, '\n', len - at) : data + at;
		at = end ? (size_t)(end - data) + 1 : len;
	}
	if (begins_with_word(data + at, len - at, "set") || begins_with_word(data + at, len - at, "delete") ||
	    begins_with_word(data + at, len - at, "comment"))
		return parse_commands(tree, data, len, errors);
	return config_parse_curly(tree, data, len, errors);
}
