/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands that change a tree: set, delete, comment, rename, copy. Each takes the words after the command
 * and the level that they are relative to (`at`, an `edit` level), changes `tree`, and says with VyOS's words
 * what is wrong or worth knowing. 1: changed; 0: nothing to do; -EINVAL: refused; -E2BIG: over a limit;
 * -ENOMEM.
 */
#pragma once

#include "base/text.h"
#include "config/errors.h"
#include "config/path.h"
#include "config/tree.h"

int edit_set(struct config_tree *tree, const struct config_path *at, char *const *words, size_t n,
	     struct text *out);
int edit_delete(struct config_tree *tree, const struct config_path *at, char *const *words, size_t n,
		struct text *out);
/* The last word is the comment; "" removes it. */
int edit_comment(struct config_tree *tree, const struct config_path *at, char *const *words, size_t n,
		 struct text *out);
/* "TAG OLD to TAG NEW"; `keep` the old one to copy. */
int edit_rename(struct config_tree *tree, const struct config_path *at, char *const *words, size_t n,
		bool keep, struct text *out);

/*
 * Reads a whole text in either syntax, told by its first word: set, delete and comment commands (a line each,
 * '#' comments), or curly. Adds to `tree`; every error is listed with its line. An interface (or other tag)
 * that an error is about is left out whole, see curly.h. 0 (also with errors listed) or negative.
 */
int config_parse(struct config_tree *tree, const char *data, size_t len, struct config_errors *errors);
