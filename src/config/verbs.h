/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands of configuration mode; private to session.c, verbs.c and offer.c. */
#pragma once

#include "config/complete.h"
#include "config/session.h"
#include "config/words.h"

/* A line being carried out. */
struct command {
	struct config_session *s;
	char *const *words; /* behind the command's name */
	size_t n;
	const struct words *line;
	const char *format; /* "commands" or "json" behind a pipe, NULL for none */
	struct session_result *r;
	struct text *out; /* r->out */
};

struct verb {
	const char *name, *help;
	enum session_status (*run)(struct command *c);
	/* Offers what `prefix` can become behind c->words. */
	void (*complete)(struct command *c, const char *prefix, struct completions *to);
	bool pipes;
};

/* Sorted by name, up to a row without. */
extern const struct verb config_session_verbs[];

/* Puts the session on the running configuration, with `candidate` (taken over) as what the user wants. */
void config_session_stand_on_running(struct config_session *s, struct config_tree *candidate);
/*
 * Joins what others committed meanwhile. With conflicts: lists them, and follows only if `force`. 0, or
 * -EBUSY if there were conflicts, or -ENOMEM.
 */
int config_session_join_running(struct config_session *s, bool force, struct config_errors *conflicts);

/* offer.c: what can stand behind the words of a command. */
void offer_commit(struct command *c, const char *prefix, struct completions *to);
void offer_commit_confirm(struct command *c, const char *prefix, struct completions *to);
void offer_compare(struct command *c, const char *prefix, struct completions *to);
void offer_edit(struct command *c, const char *prefix, struct completions *to);
void offer_enter(struct command *c, const char *prefix, struct completions *to);
void offer_existing(struct command *c, const char *prefix, struct completions *to);
void offer_exit(struct command *c, const char *prefix, struct completions *to);
void offer_file(struct command *c, const char *prefix, struct completions *to);
void offer_rename(struct command *c, const char *prefix, struct completions *to);
void offer_rollback(struct command *c, const char *prefix, struct completions *to);
void offer_set(struct command *c, const char *prefix, struct completions *to);
/* Adds every line of the message two columns in. */
void verb_add_indented(struct text *out, const char *message);
