/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The schema of the configuration: one table (schema.c) from which parsing, checking, completion, help,
 * printing, comparison, the typed model, the documentation and the cost of a change are made. A new leaf is a
 * new row there, and nothing else, unless it has a type of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "config/model.h"

enum schema_kind {
	SCHEMA_NODE, /* holds other nodes: `ssl { … }` */
	SCHEMA_TAG,  /* as above, but named and any number of them: `sstpc sstpc0 { … }` */
	SCHEMA_LEAF, /* has a value, or several if `multi` */
	SCHEMA_FLAG, /* is there or not: `disable` */
};

/* How model.c stores the value of a leaf in struct config_interface. */
enum schema_field {
	FIELD_NONE,
	FIELD_TEXT, /* char[size] */
	FIELD_BOOL,
	FIELD_U8,
	FIELD_U16,
	FIELD_SECRET,
	FIELD_AUTH, /* unsigned, CONFIG_AUTH_* */
	FIELD_PINS, /* struct config_pin[], with n_pins */
	FIELD_MSS,  /* uint16_t, CONFIG_MSS_* */
	FIELD_RPF,  /* enum config_source_validation */
};

/* One line of the help on what may be typed: a format ("txt", "u32:1-255", "ipv4", a literal word) and its
 * text. */
struct schema_value {
	const char *format, *help;
};

struct schema {
	const char *name;
	enum schema_kind kind;
	bool multi;
	bool secret;		/* masked by `show configuration` */
	enum config_cost cost;	/* of a change */
	const char *help;	/* one line */
	const char *preset;	/* the default value, NULL if there is none */
	const char *constraint; /* what VyOS says when a value is refused, lines; NULL: "Invalid value", and
				   `values` are named */
	const struct schema_value *values;

	/* A value is good if it passes any of these; every value is good where there are none. */
	uint32_t min, max;		  /* a number (max > 0) */
	const char *const *words;	  /* one of these words */
	bool (*check)(const char *value); /* anything else */
	char *(*normalize)(
		const char *value); /* before the check: the value to store, malloc'ed; NULL = no memory */
	const char *refers_to;	    /* values are names of the tags "NODE TAG", for completion and checks */
	const char *system_names;   /* values are names of what the system has of this kind, for completion */
	size_t max_len;		    /* longest value; 0 = 255 */

	enum schema_field field;
	size_t offset, size; /* of the member in struct config_interface */

	const struct schema *children; /* sorted by name, up to a row without name */
};

/* The table's root: a node without name. */
extern const struct schema schema_root;

#define SCHEMA_DEPTH_MAX 8 /* steps of the longest path, values not counted */

static inline bool schema_has_value(const struct schema *s)
{
	return s->kind == SCHEMA_TAG || s->kind == SCHEMA_LEAF;
}
/* May be entered by `edit`. */
static inline bool schema_is_inner(const struct schema *s)
{
	return s->kind == SCHEMA_NODE || s->kind == SCHEMA_TAG;
}

/* The child of exactly this name, NULL if there is none. */
const struct schema *schema_child(const struct schema *parent, const char *name);
/*
 * The child that `word` names or is a unique beginning of. NULL if there is none; *ret_matches then tells how
 * many names begin so (0: unknown, more: ambiguous).
 */
const struct schema *schema_match(const struct schema *parent, const char *word, size_t *ret_matches);

/*
 * Checks a value (or the name of a tag) as it is typed, and returns what is to be stored in *ret (malloc'ed).
 * -EINVAL with VyOS's lines in `why` (each ends in a newline; the last is the constraint message), -ENOMEM.
 */
int schema_check_value(const struct schema *s, const char *value, char **ret, struct text *why);

/* How a value format is shown in help: "u32:1-255" as "<1-255>", "txt" as "<text>", a word as itself. */
void schema_format_value(const char *format, struct text *out);
