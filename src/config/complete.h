/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What could be typed next: the words for TAB and the text for '?'. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "config/path.h"
#include "config/schema.h"
#include "config/tree.h"

struct completions {
	char **words; /* that the current word can become; sorted as they were added */
	size_t n, size;
	struct text help; /* "Possible completions:" and a line for each, as VyOS lays it out */
	bool operational; /* two columns of indentation instead of three */
	bool file;	  /* the word is the name of a file: the client completes it */
	int error;	  /* -ENOMEM, sticky */
};

void completions_done(struct completions *c);
#define _cleanup_completions_ _cleanup_(completions_done)

/* A line of help. `marker`: " > " node, "+> " tag, "+  " several values, "" leaf. `preset` NULL: none to
 * tell. */
void completions_add_help(struct completions *c, const char *marker, const char *name, const char *help,
			  const char *preset);
/* A word with its line of help, if it begins with `prefix`. */
void completions_add(struct completions *c, const char *prefix, const char *marker, const char *name,
		     const char *help, const char *preset);
/* A word alone. */
void completions_add_word(struct completions *c, const char *word);
/* "<Enter>  Execute the current command", where nothing was typed of the next word. */
void completions_add_enter(struct completions *c, const char *prefix);

enum complete_mode {
	COMPLETE_SET,	   /* everything that the schema allows */
	COMPLETE_EXISTING, /* what is there */
	COMPLETE_EDIT,	   /* as set, but only what can be entered */
	COMPLETE_RENAME,   /* the tags that are there, and what leads to them */
};

/* What `prefix` can become after `path`, in the tree that is edited. */
void complete_path(struct completions *c, const struct config_path *path, struct config_tree *tree,
		   enum complete_mode mode, const char *prefix);

/* What kinds of value the leaf or tag takes. */
void complete_values(struct completions *c, const struct schema *s, const char *prefix);
/* "Possible completions:" for the rows of `parent` that begin with `prefix`, for the message "is ambiguous".
 */
void complete_names(const struct schema *parent, const char *prefix, struct text *out);
