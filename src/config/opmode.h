/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands of operational mode: one table for parsing, abbreviation, completion and help. What they do is
 * the daemon's.
 */
#pragma once

#include <stddef.h>

#include "base/text.h"
#include "config/complete.h"
#include "config/tree.h"
#include "config/words.h"

enum op_command {
	OP_NONE, /* not a whole command */
	OP_CLEAR_COUNTERS,
	OP_CONFIGURE,
	OP_CONNECT, /* interface */
	OP_DISCONNECT,
	OP_EXIT,
	OP_MONITOR_LOG,	    /* [interface] */
	OP_MONITOR_TRAFFIC, /* interface, then what the user typed */
	OP_RESET,	    /* interface */
	OP_SHOW_COMMITS,
	OP_SHOW_COMMIT_DIFF, /* number */
	OP_SHOW_COMMIT_FILE, /* number */
	OP_SHOW_CONFIGURATION,
	OP_SHOW_CONFIGURATION_COMMANDS,
	OP_SHOW_CONFIGURATION_JSON,
	OP_SHOW_INTERFACES,
	OP_SHOW_INTERFACES_COUNTERS,
	OP_SHOW_INTERFACES_DETAIL,
	OP_SHOW_INTERFACES_SUMMARY,
	OP_SHOW_LOG,	/* [interface] */
	OP_SHOW_PKI_CA, /* [name] */
	OP_SHOW_SSTPC,
	OP_SHOW_SSTPC_DETAIL,
	OP_SHOW_SSTPC_ONE,	  /* interface */
	OP_SHOW_SSTPC_STATISTICS, /* interface */
	OP_SHOW_VERSION,
};

#define OP_ARGS_MAX 16

/* The options of `monitor traffic interface`, each of which is one or two of tcpdump's. Sorted, up to a row
 * without name. */
struct op_traffic_option {
	const char *name, *help;
	const char *argument[2];
	const char *value; /* what it takes, as help shows it; NULL = nothing */
};
extern const struct op_traffic_option op_traffic_options[];
/* The option that `word` is a unique beginning of; NULL if there is none. */
const struct op_traffic_option *op_traffic_option(const char *word);

/* What was typed, understood. */
struct op_request {
	enum op_command command;
	const char *args[OP_ARGS_MAX + 1]; /* values in the order of the command; NULL after the last */
	size_t n_args;
	bool no_wait;		   /* connect */
	const char *format;	   /* "json" or "commands" behind a pipe, NULL for none */
	struct words words, stage; /* where the strings are */
};
void op_request_done(struct op_request *r);
#define _cleanup_op_request_ _cleanup_(op_request_done)

/* Understands a line. 0; -ENODATA for an empty one; -EINVAL with what is wrong in `out`; -ENOMEM. */
int op_parse(struct op_request *r, const char *line, size_t len, struct text *out);

/* Every whole command with its help, for the manual. Values stand as "<interface>". */
void op_each_command(void (*fn)(void *ctx, const char *path, const char *help), void *ctx);

/* What the last word can become; *ret_start as in config_session_complete(). Names are those of `running`. */
void op_complete(const char *line, size_t len, const struct config_tree *running, struct completions *c,
		 size_t *ret_start);
