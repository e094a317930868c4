/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/curly.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cause.h"
#include "base/secret.h"

enum token {
	TOKEN_END,
	TOKEN_LINE_END, /* or ';' */
	TOKEN_WORD,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_BAD, /* `message` says why; the reader stands behind it */
};

struct parser {
	const char *data;
	size_t len, pos;
	unsigned line, column; /* of data[pos] */

	enum token token;
	unsigned at_line, at_column; /* of the token */
	struct text word;
	const char *message;
	bool hopeless; /* no sense in reading on */
	bool unclosed; /* a missing brace was reported */
	char *comment; /* the last one, for the next node */

	struct config_tree *tree;
	struct config_tree *bad; /* the tags that were left out, to be known again */
	struct config_errors *errors;
	int error; /* out of memory or over a limit: ends everything */
};

static int peek(const struct parser *p, size_t ahead)
{
	return p->pos + ahead < p->len ? (unsigned char)p->data[p->pos + ahead] : -1;
}

static int take(struct parser *p)
{
	int c = peek(p, 0);

	if (c < 0)
		return c;
	p->pos++;
	p->column++;
	if (c == '\n') {
		p->line++;
		p->column = 1;
	}
	return c;
}

static void add_char(struct parser *p, int c)
{
	char byte = (char)c;

	text_add_len(&p->word, &byte, 1);
}

static void bad_token(struct parser *p, const char *message)
{
	p->token = TOKEN_BAD;
	p->message = message;
}

/* At a NUL, wherever it stands: a string of C would lose what is behind it. */
static void bad_nul(struct parser *p)
{
	p->at_line = p->line;
	p->at_column = p->column;
	bad_token(p, "NUL byte: the file is damaged");
	p->hopeless = true;
}

/* Behind "/" "*". The text becomes the comment of the next node. False if it has no end, or a NUL. */
static bool read_comment(struct parser *p)
{
	size_t start = p->pos, end;

	while (peek(p, 0) > 0 && !(peek(p, 0) == '*' && peek(p, 1) == '/'))
		(void)take(p);
	if (peek(p, 0) == 0) {
		bad_nul(p);
		return false;
	}
	if (peek(p, 0) < 0) {
		bad_token(p, "comment is not closed");
		return false;
	}
	end = p->pos;
	(void)take(p);
	(void)take(p);
	while (start < end && strchr(" \t\r\n", p->data[start]))
		start++;
	while (end > start && strchr(" \t\r\n", p->data[end - 1]))
		end--;
	free(p->comment);
	p->comment = strndup(p->data + start, MIN(end - start, (size_t)CONFIG_COMMENT_MAX));
	if (!p->comment)
		p->error = -ENOMEM;
	return true;
}

/* Behind a backslash within quotes. The byte, or -1. */
static int read_escape(struct parser *p)
{
	static const char from[] = "\"'\\/ntrb", to[] = "\"'\\/\n\t\r\b";
	int c = take(p), value = 0;

	if (c < 0)
		return -1;
	if (c < '0' || c > '9') {
		const char *at = strchr(from, c);
		return c && at ? to[at - from] : -1;
	}
	for (int i = 0; i < 3; i++) {
		if (i > 0)
			c = take(p);
		if (c < '0' || c > '9')
			return -1;
		value = value * 10 + c - '0';
	}
	return value >= 1 && value <= 255 ? value : -1;
}

static void read_string(struct parser *p, int quote)
{
	p->token = TOKEN_WORD;
	for (;;) {
		int c = peek(p, 0);
		if (c < 0 || c == '\n') {
			bad_token(p, "string is not closed");
			return;
		}
		if (c == 0) {
			bad_nul(p);
			return;
		}
		(void)take(p);
		if (c == quote)
			return;
		if (c == '\\') {
			c = read_escape(p);
			if (c < 0) {
				bad_token(p, "unknown escape in a string");
				return;
			}
		}
		add_char(p, c);
	}
}

/* Blanks and comments; the token begins behind them. False if a comment is damaged: that is the token. */
static bool skip_blanks(struct parser *p)
{
	for (;;) {
		int c = peek(p, 0);

		p->at_line = p->line;
		p->at_column = p->column;
		if (c == '/' && peek(p, 1) == '/') {
			while (peek(p, 0) > 0 && peek(p, 0) != '\n')
				(void)take(p);
		} else if (c == '/' && peek(p, 1) == '*') {
			(void)take(p);
			(void)take(p);
			if (!read_comment(p))
				return false;
		} else if (c == ' ' || c == '\t' || c == '\r') {
			(void)take(p);
		} else {
			return true;
		}
	}
}

/* The next token; comments are taken on the way. */
static void next(struct parser *p)
{
	if (p->word.data)
		wipe(p->word.data, p->word.len);
	p->word.len = 0;
	if (!skip_blanks(p))
		return;

	if (peek(p, 0) == 0) {
		bad_nul(p);
		return;
	}
	int c = take(p);
	switch (c) {
	case -1:
		p->token = TOKEN_END;
		return;
	case '\n':
	case ';':
		p->token = TOKEN_LINE_END;
		return;
	case '{':
		p->token = TOKEN_OPEN;
		return;
	case '}':
		p->token = TOKEN_CLOSE;
		return;
	case '"':
	case '\'':
		read_string(p, c);
		text_add_len(&p->word, "", 0); /* an empty string is a word too */
		break;
	default:
		p->token = TOKEN_WORD;
		add_char(p, c);
		while (peek(p, 0) > 0 && !strchr(" \t\r\n;{}", peek(p, 0)))
			add_char(p, take(p));
	}
	if (p->word.data)
		p->word.data[p->word.len] = 0;
	if (p->word.error == -E2BIG) {
		p->word.error = 0;
		bad_token(p, "word is too long");
	}
	if (p->error == 0)
		p->error = p->word.error;
}

/* Reports at the current token. What a NUL cuts short is not told: the NUL is, at the end. */
_printf_(3, 4) static void report(struct parser *p, const struct config_node *where, const char *format, ...)
{
	_cleanup_text_ struct text path = { 0 };
	_cleanup_free_ char *message = NULL;
	va_list ap;

	if (p->hopeless && p->token == TOKEN_BAD)
		return;
	va_start(ap, format);
	if (vasprintf(&message, format, ap) < 0)
		message = NULL;
	va_end(ap);
	if (where)
		config_node_path(where, &path);
	config_errors_add(p->errors, p->at_line, p->at_column, text_str(&path), "%s",
			  message ? message : format);
}

/* What the current token is, for a message. */
static const char *token_text(const struct parser *p)
{
	switch (p->token) {
	case TOKEN_END:
		return "end of file";
	case TOKEN_LINE_END:
		return "end of line";
	case TOKEN_WORD:
		return "word";
	case TOKEN_OPEN:
		return "{";
	case TOKEN_CLOSE:
		return "}";
	case TOKEN_BAD:
		return p->message;
	}
	return "";
}

static bool stopped(const struct parser *p)
{
	return p->error < 0 || p->hopeless;
}

/* Skips the rest of a statement, with its block if it has one. Afterwards its end is the current token. */
static void skip_statement(struct parser *p)
{
	size_t depth = 0;

	while (!stopped(p) && p->token != TOKEN_END) {
		if (depth == 0 && (p->token == TOKEN_LINE_END || p->token == TOKEN_CLOSE))
			return;
		if (p->token == TOKEN_OPEN)
			depth++;
		if (p->token == TOKEN_CLOSE && --depth == 0) {
			next(p);
			return;
		}
		next(p);
	}
}

/* A statement in `parent`: opens its node and returns it in *ret if a block follows. True if it was good. */
static bool read_statement(struct parser *p, struct config_node *parent, struct config_node **ret);
static bool read_block(struct parser *p, struct config_node *node, bool outermost);
static void leave_out(struct parser *p, struct config_node *tag);

/* The value of a tag or leaf, checked; NULL after an error. */
static char *read_value(struct parser *p, const struct config_node *parent, const struct schema *schema)
{
	_cleanup_text_ struct text why = { 0 };
	char *value = NULL;

	next(p);
	if (p->token != TOKEN_WORD) {
		report(p, parent, "\"%s\" requires a value, found %s", schema->name, token_text(p));
		return NULL;
	}
	int r = schema_check_value(schema, text_str(&p->word), &value, &why);
	if (r == -ENOMEM)
		p->error = r;
	else if (r < 0)
		report(p, parent, "\"%s\": %s", schema->name, text_str(&why));
	return r < 0 ? NULL : value;
}

static bool add_node(struct parser *p, struct config_node *parent, const struct schema *schema,
		     const char *value, struct config_node **ret)
{
	if (!schema_is_inner(schema) && !schema->multi && config_node_find(parent, schema, NULL)) {
		report(p, parent, "Node \"%s%s%s\" has two children named \"%s\"", parent->schema->name,
		       parent->value ? " " : "", parent->value ? parent->value : "", schema->name);
		return false;
	}
	int r = config_node_add(p->tree, parent, schema, value, ret);
	if (r >= 0 && p->comment)
		r = config_node_set_comment(p->tree, *ret, p->comment);
	free(TAKE_PTR(p->comment));
	if (r == -E2BIG) {
		report(p, parent, "the configuration is too large");
		p->hopeless = true;
	} else if (r < 0) {
		p->error = r;
	}
	return r >= 0;
}

/* The tag that was closed last, in `node` or below. */
static struct config_node *last_tag(struct config_node *node)
{
	while (node->n_children > 0) {
		node = node->children[node->n_children - 1];
		if (node->schema->kind == SCHEMA_TAG)
			return node;
	}
	return NULL;
}

/*
 * At an unknown word: a part of the tag before, that a brace too many has cut off, or a part of a tag whose
 * kind is misspelt. What is whole of such a tag could be the wrong half: without `ssl` the system's CAs are
 * trusted.
 */
static void leave_out_torn(struct parser *p, struct config_node *parent)
{
	struct config_node *tag = last_tag(parent);

	if (tag && schema_child(tag->schema, text_str(&p->word))) {
		leave_out(p, tag);
		return;
	}
	next(p);
	for (size_t i = parent->n_children; p->token == TOKEN_WORD && i-- > 0;) {
		tag = parent->children[i];
		if (tag->schema->kind == SCHEMA_TAG && strcmp(tag->value, text_str(&p->word)) == 0)
			leave_out(p, tag);
	}
}

static bool read_statement(struct parser *p, struct config_node *parent, struct config_node **ret)
{
	const struct schema *schema = schema_child(parent->schema, text_str(&p->word));
	unsigned line = p->at_line, column = p->at_column;
	_cleanup_free_ char *value = NULL;

	if (!schema) {
		char name[64];
		printable(name, sizeof(name), text_str(&p->word), p->word.len);
		report(p, parent, "\"%s\" is not valid here", name);
		leave_out_torn(p, parent);
		return false;
	}
	if (schema_has_value(schema)) {
		value = read_value(p, parent, schema);
		if (!value)
			return false;
	}
	bool added = add_node(p, parent, schema, value, ret);
	if (value && schema->secret)
		wipe(value, strlen(value));
	if (!added)
		return false;
	if (!(*ret)->line) {
		(*ret)->line = line;
		(*ret)->column = column;
	}
	next(p);
	if (p->token == TOKEN_OPEN && schema_is_inner(schema))
		return true;
	if (p->token != TOKEN_LINE_END && p->token != TOKEN_CLOSE && p->token != TOKEN_END) {
		report(p, parent, "unexpected %s after \"%s\"", token_text(p), schema->name);
		return false;
	}
	return true;
}

/* What stands for `node` in the tree of bad tags; made where it is not. NULL after an error. */
static struct config_node *bad_place(struct parser *p, const struct config_node *node)
{
	struct config_node *parent = node->parent ? bad_place(p, node->parent) : &p->bad->root,
			   *place = parent;

	if (!node->parent || !parent)
		return parent;
	int r = config_node_add(p->bad, parent, node->schema, node->value, &place);
	if (r >= 0)
		return place;
	if (r == -E2BIG)
		report(p, node->parent, "the configuration is too large");
	p->hopeless = true;
	p->error = r == -E2BIG ? 0 : r;
	return NULL;
}

static struct config_node *find_bad(const struct parser *p, const struct config_node *node)
{
	struct config_node *parent = node->parent ? find_bad(p, node->parent) : &p->bad->root;

	return parent && node->parent ? config_node_find(parent, node->schema, node->value) : parent;
}

/* Leaves the tag out, and what another block says of the same name: alone it could be the wrong half. */
static void leave_out(struct parser *p, struct config_node *tag)
{
	(void)bad_place(p, tag);
	config_node_remove(p->tree, tag);
}

/* Statements up to the closing brace (or the end of the file). False if there was an error within. */
static bool read_block(struct parser *p, struct config_node *node, bool outermost)
{
	bool good = true;

	for (next(p); !stopped(p);) {
		struct config_node *child = NULL;
		if (p->token == TOKEN_LINE_END) {
			next(p);
			continue;
		}
		if (p->token == TOKEN_END || p->token == TOKEN_CLOSE) {
			free(TAKE_PTR(p->comment));
			if ((p->token == TOKEN_END) == outermost)
				return good;
			if (!p->unclosed)
				report(p, node, outermost ? "\"}\" without \"{\"" : "\"}\" is missing");
			p->unclosed = p->token == TOKEN_END;
			good = false;
			if (!outermost)
				return false;
			next(p);
			continue;
		}
		bool fine = false;
		if (p->token == TOKEN_WORD)
			fine = read_statement(p, node, &child);
		else
			report(p, node, p->token == TOKEN_BAD ? "%s" : "unexpected %s", token_text(p));
		if (fine && p->token == TOKEN_OPEN) {
			fine = read_block(p, child, false);
			if (p->token == TOKEN_CLOSE)
				next(p);
		} else if (!fine) {
			skip_statement(p);
		}
		free(TAKE_PTR(p->comment));
		if (child && child->schema->kind == SCHEMA_TAG && (!fine || find_bad(p, child))) {
			leave_out(p, child);
			continue; /* the damage is contained */
		}
		good = good && fine;
	}
	return false;
}

int config_parse_curly(struct config_tree *tree, const char *data, size_t len, struct config_errors *errors)
{
	struct parser p = {
		.data = data, .len = len, .line = 1, .column = 1, .tree = tree, .errors = errors
	};

	if (len > CONFIG_TEXT_MAX) {
		config_errors_add(errors, 0, 0, "", "the file is too large");
		return -E2BIG;
	}
	p.bad = config_tree_new();
	if (!p.bad)
		return -ENOMEM;
	p.word.max = CONFIG_VALUE_MAX;
	(void)read_block(&p, &tree->root, true);
	if (p.hopeless && p.token == TOKEN_BAD)
		config_errors_add(errors, p.at_line, p.at_column, "", "%s", p.message);
	if (p.word.data)
		wipe(p.word.data, p.word.size);
	text_done(&p.word);
	free(p.comment);
	config_tree_free(p.bad);
	return p.error;
}
