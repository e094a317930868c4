/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is different between two configurations, for people and for the one who has to join them. */
#pragma once

#include <stdbool.h>

#include "base/text.h"
#include "config/errors.h"
#include "config/print.h"
#include "config/tree.h"

/*
 * `show` while configuring: what stands below the two nodes (the same place in `old` and `new`; either may be
 * NULL), each line with '+' (new), '-' (gone), '>' (changed) or a blank in front. `only`: of this row alone.
 */
void config_diff_show(const struct config_node *old, const struct config_node *new, const struct schema *only,
		      struct text *out);

/* `compare`: "[path]" where the place changes, then "- " and "+ " lines. Nothing if all is equal. `mask`:
 * values of secrets as asterisks. */
void config_diff_compare(const struct config_node *old, const struct config_node *new, bool mask,
			 struct text *out);

/* `compare commands`: the `delete` commands, then the `set` commands that lead from `old` to `new`. */
void config_diff_commands(const struct config_node *old, const struct config_node *new, struct text *out);

/*
 * Joins the changes base → ours and base → theirs into *ret (new tree). The unit is the leaf, as in VyOS: one
 * that both changed, differently, is a conflict; so is a node that one side deleted and the other changed,
 * and an interface (or CA) of one name that both made. Conflicts are listed with their path, and *ret then
 * holds our version of them. 0 or -ENOMEM.
 */
int config_merge3(const struct config_tree *base, const struct config_tree *ours,
		  const struct config_tree *theirs, struct config_tree **ret,
		  struct config_errors *conflicts);
