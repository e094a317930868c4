/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration as text. What is printed can be read back, except where secrets are masked and in JSON. */
#pragma once

#include <stdbool.h>

#include "base/text.h"
#include "config/tree.h"

enum config_form {
	CONFIG_FORM_FILE, /* every value in double quotes: saved files, `show configuration` */
	CONFIG_FORM_SHOW, /* quotes only where needed: `show` while configuring */
};

/* What stands below `node`, in curly syntax. `mask`: values of secrets as asterisks. */
void config_print(const struct config_node *node, enum config_form form, bool mask, struct text *out);
/* The node itself with what stands below it. `prefix` begins each line, before `depth` × 4 blanks. */
void config_print_node(const struct config_node *node, enum config_form form, bool mask, const char *prefix,
		       unsigned depth, struct text *out);
/* The `set` and `comment` commands that make what stands below `node`. */
void config_print_commands(const struct config_node *node, struct text *out);
/* The commands that make the node itself and what stands below it. */
void config_print_node_commands(const struct config_node *node, struct text *out);
/* What stands below `node` as one JSON object and a newline. Flags are {}, leaves with several values lists.
 */
void config_print_json(const struct config_node *node, struct text *out);
/* The same of the children of one row only: {"mtu": "1400"}. */
void config_print_json_row(const struct config_node *parent, const struct schema *row, struct text *out);

/* Adds the path of a node as a command takes it, with the value of a leaf in single quotes. */
void config_print_path(const struct config_node *node, struct text *out);
/* Adds a value in curly syntax, as `form` wants it. */
void config_print_value(const char *value, enum config_form form, struct text *out);
/* Adds `s` as a JSON string, with its quotes. */
void json_string(struct text *out, const char *s);
