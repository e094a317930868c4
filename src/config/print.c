/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/print.h"

#include <string.h>

#include "config/words.h"

#define MASK "****************"

/* Can the value stand in a file without quotes? VyOS quotes blanks and *}{; the others are ours. */
static bool needs_quotes(const char *value)
{
	return !*value || strpbrk(value, "*}{; \t\"'\\") || strncmp(value, "//", 2) == 0;
}

void config_print_value(const char *value, enum config_form form, struct text *out)
{
	if (form == CONFIG_FORM_SHOW && !needs_quotes(value)) {
		text_add(out, value);
		return;
	}
	text_add(out, "\"");
	while (*value) {
		size_t len = strcspn(value, "\"\\");
		text_add_len(out, value, len);
		value += len;
		if (*value) {
			text_add(out, "\\");
			text_add_len(out, value++, 1);
		}
	}
	text_add(out, "\"");
}

static void indent(struct text *out, const char *prefix, unsigned depth)
{
	text_add(out, prefix);
	for (unsigned i = 0; i < depth; i++)
		text_add(out, "    ");
}

void config_print_node(const struct config_node *node, enum config_form form, bool mask, const char *prefix,
		       unsigned depth, struct text *out)
{
	const struct schema *schema = node->schema;

	if (node->comment) {
		indent(out, prefix, depth);
		text_addf(out, "/* %s */\n", node->comment);
	}
	indent(out, prefix, depth);
	text_add(out, schema->name);
	if (schema->kind == SCHEMA_TAG)
		text_addf(out, " %s", node->value); /* a name needs no quotes */
	if (schema_is_inner(schema)) {
		text_add(out, " {\n");
		for (size_t i = 0; i < node->n_children; i++)
			config_print_node(node->children[i], form, mask, prefix, depth + 1, out);
		indent(out, prefix, depth);
		text_add(out, "}");
	} else if (schema->kind == SCHEMA_LEAF) {
		text_add(out, " ");
		if (mask && schema->secret)
			text_add(out, form == CONFIG_FORM_FILE ? "\"" MASK "\"" : MASK);
		else
			config_print_value(node->value, form, out);
	}
	text_add(out, "\n");
}

void config_print(const struct config_node *node, enum config_form form, bool mask, struct text *out)
{
	for (size_t i = 0; i < node->n_children; i++)
		config_print_node(node->children[i], form, mask, "", 0, out);
}

void config_print_path(const struct config_node *node, struct text *out)
{
	if (node->parent && node->parent->parent) {
		config_print_path(node->parent, out);
		text_add(out, " ");
	}
	if (!node->parent)
		return;
	text_add(out, node->schema->name);
	if (schema_has_value(node->schema)) {
		text_add(out, " ");
		words_quote(out, node->value, node->schema->kind == SCHEMA_LEAF);
	}
}

void config_print_node_commands(const struct config_node *node, struct text *out)
{
	if (node->n_children == 0) {
		text_add(out, "set ");
		config_print_path(node, out);
		text_add(out, "\n");
	}
	config_print_commands(node, out);
	if (node->comment) {
		text_add(out, "comment ");
		if (node->schema->kind == SCHEMA_LEAF && !node->schema->multi)
			config_node_path(node, out); /* its value is not part of its name */
		else
			config_print_path(node, out);
		text_add(out, " ");
		words_quote(out, node->comment, true);
		text_add(out, "\n");
	}
}

void config_print_commands(const struct config_node *node, struct text *out)
{
	for (size_t i = 0; i < node->n_children; i++)
		config_print_node_commands(node->children[i], out);
}

void json_string(struct text *out, const char *s)
{
	text_add(out, "\"");
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			text_addf(out, "\\%c", *s);
		else if ((unsigned char)*s < ' ')
			text_addf(out, "\\u%04x", (unsigned)*s);
		else
			text_add_len(out, s, 1);
	}
	text_add(out, "\"");
}

static void json_node(const struct config_node *node, struct text *out);

/* All children of one row, from children[i]; returns the first of the next row. */
static size_t json_row(const struct config_node *parent, size_t i, struct text *out)
{
	const struct schema *schema = parent->children[i]->schema;
	const char *between = "";

	json_string(out, schema->name);
	text_add(out, ": ");
	if (schema->kind == SCHEMA_TAG)
		text_add(out, "{");
	else if (schema->multi)
		text_add(out, "[");
	for (; i < parent->n_children && parent->children[i]->schema == schema; i++) {
		const struct config_node *node = parent->children[i];
		text_add(out, between);
		between = ", ";
		if (schema->kind == SCHEMA_LEAF) {
			json_string(out, node->value);
			continue;
		}
		if (schema->kind == SCHEMA_TAG) {
			json_string(out, node->value);
			text_add(out, ": ");
		}
		json_node(node, out);
	}
	if (schema->kind == SCHEMA_TAG)
		text_add(out, "}");
	else if (schema->multi)
		text_add(out, "]");
	return i;
}

static void json_node(const struct config_node *node, struct text *out)
{
	text_add(out, "{");
	for (size_t i = 0; i < node->n_children;) {
		if (i > 0)
			text_add(out, ", ");
		i = json_row(node, i, out);
	}
	text_add(out, "}");
}

void config_print_json(const struct config_node *node, struct text *out)
{
	json_node(node, out);
	text_add(out, "\n");
}

void config_print_json_row(const struct config_node *parent, const struct schema *row, struct text *out)
{
	size_t i = 0;

	while (i < parent->n_children && parent->children[i]->schema != row)
		i++;
	text_add(out, "{");
	if (i < parent->n_children)
		(void)json_row(parent, i, out);
	text_add(out, "}\n");
}
