/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words as a place in the configuration. Names may be shortened to a unique beginning, values may not. What
 * is wrong is said with VyOS's words.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "config/tree.h"

struct config_step {
	const struct schema *schema;
	char *value; /* of a tag or leaf, owned; NULL: not given */
};

struct config_path {
	struct config_step steps[SCHEMA_DEPTH_MAX];
	size_t n;
};

void config_path_done(struct config_path *path);
#define _cleanup_path_ _cleanup_(config_path_done)
int config_path_copy(struct config_path *to, const struct config_path *from);

/* The row of the last step; the root's for an empty path. */
const struct schema *config_path_schema(const struct config_path *path);
/* True if the last step is a tag or leaf whose value is missing. */
bool config_path_lacks_value(const struct config_path *path);

/*
 * Adds what the words name to `path`. With `check`, values must be ones that may be set, and are stored in
 * their normal form; without, they are taken as they are. -EINVAL with the reason in `why`, -ENOMEM; `path`
 * is then unchanged. The path to be added to must not lack a value.
 */
int config_path_append(struct config_path *path, char *const *words, size_t n, bool check, struct text *why);

/* The node at the path, NULL if there is none. Without a last value: the first such tag or leaf. */
struct config_node *config_path_find(const struct config_path *path, struct config_tree *tree);
/* Makes the nodes of the path. 0 if all were there with these values, 1 if something changed, negative. */
int config_path_make(const struct config_path *path, struct config_tree *tree, struct config_node **ret);

/* "interfaces sstpc sstpc0 mtu 1400", values as they are. */
void config_path_print(const struct config_path *path, struct text *out);
