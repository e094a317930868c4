/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration: a tree whose every node is an instance of a row of the schema. A tag is a node per name, a
 * leaf a node per value, so that all are alike. Children are kept in the order of the schema, tags and the
 * values of a leaf with several in natural order (sstpc2 before sstpc10), so that equal configurations are
 * equal trees.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config/schema.h"

#define CONFIG_NODES_MAX   200000u     /* nodes of one tree */
#define CONFIG_BYTES_MAX   (16u << 20) /* values and comments of one tree */
#define CONFIG_VALUE_MAX   65535u
#define CONFIG_COMMENT_MAX 1024u

struct config_node {
	const struct schema *schema;
	struct config_node *parent; /* NULL: the root */
	char *value;		    /* of a tag or leaf; NULL otherwise */
	char *comment;		    /* NULL = none */
	unsigned line, column;	    /* where a file that was read has it; 0 = nowhere, or not known */
	struct config_node **children;
	size_t n_children, size;
};

struct config_tree {
	struct config_node root;
	size_t nodes, bytes;
	unsigned references; /* who shares a tree does not change it */
};

/* An empty tree; NULL without memory. */
struct config_tree *config_tree_new(void);
struct config_tree *config_tree_copy(const struct config_tree *tree);
/* One more owner. */
struct config_tree *config_tree_share(struct config_tree *tree);
/* Lets go; the last one frees everything, and values of secrets are wiped. NULL is fine. */
void config_tree_free(struct config_tree *tree);
static inline void config_tree_freep(struct config_tree **tree)
{
	config_tree_free(*tree);
	*tree = NULL;
}
#define _cleanup_tree_ _cleanup_(config_tree_freep)

/* The child with this row and value (any value if NULL: the first); NULL if there is none. */
struct config_node *config_node_find(const struct config_node *parent, const struct schema *schema,
				     const char *value);
/* By exact name, for readers: config_node_get(node, "ssl"). The first if there are several. */
struct config_node *config_node_get(const struct config_node *parent, const char *name);
/* The value of a leaf below `parent`, NULL if it is not set. */
const char *config_node_value(const struct config_node *parent, const char *name);

/*
 * Makes sure that the child exists and returns it in *ret (may be NULL). `value` has been checked. The value
 * of a single-valued leaf is replaced. 0 if it was there already, 1 if something changed, -E2BIG at a limit,
 * -ENOMEM.
 */
int config_node_add(struct config_tree *tree, struct config_node *parent, const struct schema *schema,
		    const char *value, struct config_node **ret);
/* Copies `from` with everything below it into `parent`, over what is there; `value` renames a tag (NULL
 * keeps). */
int config_node_add_copy(struct config_tree *tree, struct config_node *parent, const struct config_node *from,
			 const char *value, struct config_node **ret);
/* Removes the node with everything below it. */
void config_node_remove(struct config_tree *tree, struct config_node *node);
/* Removes the node, and every ancestor that is a plain node left empty by it and bears no comment. */
void config_node_remove_prune(struct config_tree *tree, struct config_node *node);
/* Sets, or with "" or NULL removes, the comment. What is not printable becomes a blank; blanks around it go.
 */
int config_node_set_comment(struct config_tree *tree, struct config_node *node, const char *comment);

/* Same row, value, comment and children. */
bool config_node_equal(const struct config_node *a, const struct config_node *b);
/* The order of siblings: negative, 0 or positive. 0 for two different values of a leaf that has only one. */
int config_node_compare(const struct config_node *a, const struct config_node *b);
/* Digits by their number, all else by byte: sstpc2 before sstpc10. */
int natural_compare(const char *a, const char *b);

/* Adds "interfaces sstpc sstpc0 mtu" (without the value of a leaf) for the node. */
void config_node_path(const struct config_node *node, struct text *out);

/* Walks the children of two nodes side by side (either may be NULL): what has the same key comes as a pair.
 */
struct config_pair {
	const struct config_node *a, *b; /* one of them is NULL where the other has no partner */
	size_t i, j;			 /* zero at the start */
};
bool config_pair_next(struct config_pair *pair, const struct config_node *a, const struct config_node *b);
