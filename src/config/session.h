/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One user who configures: a candidate tree, the place where he stands in it, and the commands of the manual.
 *
 * The candidate follows the running configuration: when somebody else commits, his changes are joined in
 * before the next command is carried out. Where both have changed the same leaf (see config_merge3()), the
 * candidate stays as it is, and `commit` refuses once: it then stands on the new running configuration, with
 * the user's version of what is in conflict, so that `compare` shows what he would overwrite and a second
 * `commit` does it knowingly.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "config/complete.h"
#include "config/path.h"
#include "config/system.h"
#include "config/tree.h"

struct config_session {
	struct config_system *system;
	struct config_tree *base; /* the running configuration that the candidate stands on, shared */
	struct config_tree *candidate;
	uint64_t base_revision, seen_revision; /* seen: the user has been told */
	struct config_path level;	       /* of `edit` */
	char user[CONFIG_WHO_MAX], via[CONFIG_WHO_MAX];
	bool unprivileged; /* may not make the daemon read files that its user could not */
};

enum session_status {
	SESSION_OK,
	SESSION_FAILED, /* `out` says why */
	SESSION_EXIT,	/* leave configuration mode */
	SESSION_RUN,	/* carry out the operational command at `run_at` of the line */
	/* The client reads or writes `file` with its user's rights, never the daemon with its own: */
	SESSION_READ_FILE,  /* then config_session_load() with its content */
	SESSION_WRITE_FILE, /* `out` is what to write */
};

struct session_result {
	enum session_status status;
	struct text out;
	size_t run_at;
	char *file; /* owned */
	bool merge; /* for config_session_load() */
};
void config_session_result_done(struct session_result *r);
#define _cleanup_session_result_ _cleanup_(config_session_result_done)

/* 0 or -ENOMEM. `user` and `via` are for the records. Whose user is not root's equal sets `unprivileged`
 * then. */
int config_session_init(struct config_session *s, struct config_system *system, const char *user,
			const char *via);
void config_session_done(struct config_session *s);

/* Carries out one line. `r` must be empty. */
void config_session_execute(struct config_session *s, const char *line, size_t len, struct session_result *r);
/* The second half of `load FILE` and `merge FILE`. */
void config_session_load(struct config_session *s, bool merge, const char *name, const char *data, size_t len,
			 struct session_result *r);
/*
 * What the last word of the line can become. *ret_start: where it begins in the line. A line that begins with
 * `run` is the operational mode's: then true is returned, and *ret_start is where its command begins.
 */
bool config_session_complete(struct config_session *s, const char *line, size_t len, struct completions *c,
			     size_t *ret_start);
/* "edit interfaces sstpc sstpc0", as the line above the prompt shows it in brackets. */
void config_session_level(const struct config_session *s, struct text *out);
/* Does the candidate differ from the running configuration? */
bool config_session_is_modified(const struct config_session *s);
