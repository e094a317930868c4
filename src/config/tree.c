/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "config/utf8.h"

static void node_done(struct config_tree *tree, struct config_node *node);

struct config_tree *config_tree_new(void)
{
	struct config_tree *tree = calloc(1, sizeof(*tree));

	if (tree) {
		tree->root.schema = &schema_root;
		tree->references = 1;
	}
	return tree;
}

struct config_tree *config_tree_share(struct config_tree *tree)
{
	tree->references++;
	return tree;
}

void config_tree_free(struct config_tree *tree)
{
	if (!tree || --tree->references > 0)
		return;
	node_done(tree, &tree->root);
	free(tree);
}

static void string_free(struct config_tree *tree, char *s, bool secret)
{
	if (!s)
		return;
	tree->bytes -= strlen(s);
	if (secret)
		wipe(s, strlen(s));
	free(s);
}

/* A copy of `s` that counts against the limit of the tree; 0 or negative. */
static int string_set(struct config_tree *tree, char **to, const char *s, bool secret)
{
	char *copy = NULL;

	if (s) {
		size_t len = strlen(s);
		if (len > CONFIG_VALUE_MAX || tree->bytes > CONFIG_BYTES_MAX - len)
			return -E2BIG;
		copy = strdup(s);
		if (!copy)
			return -ENOMEM;
		tree->bytes += len;
	}
	string_free(tree, *to, secret);
	*to = copy;
	return 0;
}

/* Frees what the node holds, but not the node. The depth is bounded by the schema. */
static void node_done(struct config_tree *tree, struct config_node *node)
{
	for (size_t i = 0; i < node->n_children; i++) {
		node_done(tree, node->children[i]);
		free(node->children[i]);
		tree->nodes--;
	}
	free(node->children);
	string_free(tree, node->value, node->schema->secret);
	string_free(tree, node->comment, false);
	node->children = NULL;
	node->value = node->comment = NULL;
	node->n_children = node->size = 0;
}

int natural_compare(const char *a, const char *b)
{
	const char *x = a, *y = b;

	while (*x && *y) {
		if (*x >= '0' && *x <= '9' && *y >= '0' && *y <= '9') {
			x += strspn(x, "0");
			y += strspn(y, "0");
			size_t nx = strspn(x, "0123456789"), ny = strspn(y, "0123456789");
			if (nx != ny)
				return nx < ny ? -1 : 1;
			int r = memcmp(x, y, nx);
			if (r)
				return r;
			x += nx;
			y += ny;
		} else if (*x != *y) {
			return (unsigned char)*x < (unsigned char)*y ? -1 : 1;
		} else {
			x++;
			y++;
		}
	}
	if (*x || *y)
		return *x ? 1 : -1;
	return strcmp(a, b); /* 01 and 1: equal numbers, different names */
}

static int compare_key(const struct config_node *node, const struct schema *schema, const char *value)
{
	if (node->schema != schema) /* rows of one table: their order is the alphabet */
		return node->schema < schema ? -1 : 1;
	if ((schema->kind == SCHEMA_TAG || schema->multi) && value)
		return natural_compare(node->value, value);
	return 0; /* the one value of a leaf is not part of its name */
}

int config_node_compare(const struct config_node *a, const struct config_node *b)
{
	return compare_key(a, b->schema, b->value);
}

/* The first child that is not before the key. */
static size_t lower_bound(const struct config_node *parent, const struct schema *schema, const char *value)
{
	size_t low = 0, high = parent->n_children;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_key(parent->children[middle], schema, value) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct config_node *config_node_find(const struct config_node *parent, const struct schema *schema,
				     const char *value)
{
	size_t at = lower_bound(parent, schema, value);
	struct config_node *node = at < parent->n_children ? parent->children[at] : NULL;

	if (!node || compare_key(node, schema, value) != 0 ||
	    (value && (!node->value || strcmp(node->value, value) != 0)))
		return NULL;
	return node;
}

struct config_node *config_node_get(const struct config_node *parent, const char *name)
{
	const struct schema *schema = parent ? schema_child(parent->schema, name) : NULL;

	return schema ? config_node_find(parent, schema, NULL) : NULL;
}

const char *config_node_value(const struct config_node *parent, const char *name)
{
	const struct config_node *node = config_node_get(parent, name);

	return node ? node->value : NULL;
}

static int insert_child(struct config_tree *tree, struct config_node *parent, size_t at,
			const struct schema *schema, const char *value, struct config_node **ret)
{
	if (tree->nodes >= CONFIG_NODES_MAX)
		return -E2BIG;
	if (parent->n_children == parent->size) {
		size_t size = parent->size ? parent->size * 2 : 4;
		struct config_node **children = reallocarray(parent->children, size, sizeof(*children));
		if (!children)
			return -ENOMEM;
		parent->children = children;
		parent->size = size;
	}
	struct config_node *node = calloc(1, sizeof(*node));
	if (!node)
		return -ENOMEM;
	node->schema = schema;
	node->parent = parent;
	int r = string_set(tree, &node->value, value, schema->secret);
	if (r < 0) {
		free(node);
		return r;
	}
	memmove(parent->children + at + 1, parent->children + at,
		(parent->n_children - at) * sizeof(*parent->children));
	parent->children[at] = node;
	parent->n_children++;
	tree->nodes++;
	*ret = node;
	return 1;
}

int config_node_add(struct config_tree *tree, struct config_node *parent, const struct schema *schema,
		    const char *value, struct config_node **ret)
{
	bool single = schema->kind == SCHEMA_LEAF && !schema->multi;
	struct config_node *node = config_node_find(parent, schema, single ? NULL : value);
	int r = 0;

	if (!node) {
		r = insert_child(tree, parent, lower_bound(parent, schema, value), schema, value, &node);
	} else if (single && strcmp(node->value, value) != 0) {
		r = string_set(tree, &node->value, value, schema->secret);
		r = r < 0 ? r : 1;
	}
	if (r >= 0 && ret)
		*ret = node;
	return r;
}

int config_node_add_copy(struct config_tree *tree, struct config_node *parent, const struct config_node *from,
			 const char *value, struct config_node **ret)
{
	struct config_node *node;
	int changed = config_node_add(tree, parent, from->schema, value ? value : from->value, &node);

	if (changed < 0)
		return changed;
	if (from->comment && (!node->comment || strcmp(node->comment, from->comment) != 0)) {
		int r = string_set(tree, &node->comment, from->comment, false);
		if (r < 0)
			return r;
		changed = 1;
	}
	for (size_t i = 0; i < from->n_children; i++) {
		int r = config_node_add_copy(tree, node, from->children[i], NULL, NULL);
		if (r < 0)
			return r;
		changed |= r;
	}
	if (ret)
		*ret = node;
	return changed;
}

struct config_tree *config_tree_copy(const struct config_tree *tree)
{
	_cleanup_tree_ struct config_tree *copy = config_tree_new();

	for (size_t i = 0; copy && i < tree->root.n_children; i++)
		if (config_node_add_copy(copy, &copy->root, tree->root.children[i], NULL, NULL) < 0)
			return NULL;
	return TAKE_PTR(copy);
}

void config_node_remove(struct config_tree *tree, struct config_node *node)
{
	struct config_node *parent = node->parent;
	size_t i = 0;

	while (parent->children[i] != node)
		i++;
	node_done(tree, node);
	free(node);
	tree->nodes--;
	parent->n_children--;
	memmove(parent->children + i, parent->children + i + 1,
		(parent->n_children - i) * sizeof(*parent->children));
}

void config_node_remove_prune(struct config_tree *tree, struct config_node *node)
{
	for (;;) {
		struct config_node *parent = node->parent;
		config_node_remove(tree, node);
		if (!parent->parent || parent->n_children > 0 || parent->schema->kind != SCHEMA_NODE ||
		    parent->comment)
			return;
		node = parent;
	}
}

int config_node_set_comment(struct config_tree *tree, struct config_node *node, const char *comment)
{
	char clean[CONFIG_COMMENT_MAX + 1], *from = clean;
	size_t len = comment ? strlen(comment) : 0;

	if (len > CONFIG_COMMENT_MAX)
		return -E2BIG;
	memcpy(clean, comment ? comment : "", len + 1);
	for (size_t i = 0, step; i < len; i += step ? step : 1) {
		step = printable_length(clean + i);
		if (step == 0)
			clean[i] = ' ';
	}
	while (len > 0 && clean[len - 1] == ' ')
		clean[--len] = 0;
	from += strspn(from, " ");
	return string_set(tree, &node->comment, *from ? from : NULL, false);
}

static bool same_string(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool config_node_equal(const struct config_node *a, const struct config_node *b)
{
	if (a->schema != b->schema || !same_string(a->value, b->value) ||
	    !same_string(a->comment, b->comment) || a->n_children != b->n_children)
		return false;
	for (size_t i = 0; i < a->n_children; i++)
		if (!config_node_equal(a->children[i], b->children[i]))
			return false;
	return true;
}

void config_node_path(const struct config_node *node, struct text *out)
{
	if (!node->parent)
		return;
	if (node->parent->parent) {
		config_node_path(node->parent, out);
		text_add(out, " ");
	}
	text_add(out, node->schema->name);
	if (node->schema->kind == SCHEMA_TAG && node->value) {
		text_add(out, " ");
		text_add(out, node->value);
	}
}

bool config_pair_next(struct config_pair *pair, const struct config_node *a, const struct config_node *b)
{
	const struct config_node *x = a && pair->i < a->n_children ? a->children[pair->i] : NULL;
	const struct config_node *y = b && pair->j < b->n_children ? b->children[pair->j] : NULL;
	int order = x && y ? config_node_compare(x, y) : 0;

	pair->a = order <= 0 ? x : NULL;
	pair->b = order >= 0 ? y : NULL;
	pair->i += pair->a != NULL;
	pair->j += pair->b != NULL;
	return pair->a || pair->b;
}
