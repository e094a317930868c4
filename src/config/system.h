/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The running configuration and its history: what all sessions share. Everything that reaches outside goes
 * through `struct config_effects`, so that the daemon, the tests and the fuzzers each bring their own world.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "config/complete.h"
#include "config/errors.h"
#include "config/tree.h"

#define CONFIG_REVISIONS_MAX	  100 /* kept in the archive */
#define CONFIG_CONFIRM_DEFAULT	  10  /* minutes */
#define CONFIG_CONFIRM_MAX	  65535
#define CONFIG_WHO_MAX		  64
#define CONFIG_COMMIT_COMMENT_MAX 255

/* One entry of the archive; number 0 is the newest. */
struct config_revision {
	int64_t time; /* seconds since 1970 */
	char user[CONFIG_WHO_MAX];
	char via[CONFIG_WHO_MAX]; /* "cli", "init", "commit-confirm" … */
	char comment[CONFIG_COMMIT_COMMENT_MAX + 1];
};

struct config_effects {
	int64_t (*wall_seconds)(void *ctx); /* for the records */
	/* "2024-10-21 18:24:06", local time. */
	void (*format_time)(void *ctx, int64_t wall_seconds, char *out, size_t size);
	uint64_t (*steady_seconds)(void *ctx); /* never jumps, goes on in suspend: for commit-confirm */

	/* Adds what only the system knows to be wrong with `next` (a VRF that does not exist, a broken
	 * certificate). */
	void (*check)(void *ctx, const struct config_tree *running, const struct config_tree *next,
		      struct config_errors *errors);
	/* Offers what the system has of a kind ("vrf") and begins with `prefix`. */
	void (*offer_names)(void *ctx, const char *kind, const char *prefix, struct completions *to);
	/*
	 * Makes the system follow `next`. On a negative result it has gone back to `running`. If that is NULL
	 * there is no way back: as much of `next` is taken as the system takes. Lines in `out` are shown: why
	 * it failed, or what is worth knowing.
	 */
	int (*apply)(void *ctx, const struct config_tree *running, const struct config_tree *next,
		     struct text *out);
	/* `running` was replaced (already visible in the system); for the log and other users. */
	void (*committed)(void *ctx, const struct config_revision *revision);

	/* The saved configuration. `name` is for messages. */
	const char *(*saved_name)(void *ctx);
	int (*save)(void *ctx, const char *data, size_t len);
	int (*load)(void *ctx, char **ret_data, size_t *ret_len); /* -ENOENT: never saved */

	/* The archive. The name of what holds it is for messages, and may be missing. */
	const char *(*archive_name)(void *ctx);
	int (*revision_add)(void *ctx, const struct config_revision *revision, const char *data, size_t len);
	/* Up to `max` entries, newest first; how many, or negative. */
	int (*revision_list)(void *ctx, struct config_revision *list, size_t max);
	int (*revision_load)(void *ctx, unsigned number, char **ret_data, size_t *ret_len);

	/* The configuration to go back to if a commit is not confirmed; survives the process. NULL:
	 * confirmed. */
	int (*confirm_store)(void *ctx, int64_t wall_deadline, const char *data, size_t len);
};

struct config_system {
	const struct config_effects *effects;
	void *ctx;
	struct config_tree *running;
	uint64_t revision;	     /* grows with every change of `running` */
	bool unsaved;		     /* running differs from what was saved */
	struct config_revision last; /* who changed it last */

	struct config_tree *confirm_previous; /* commit-confirm pends; NULL: none */
	uint64_t confirm_deadline;	      /* steady seconds */
};

/* `running` is taken over: what the system already follows. It is recorded as the first revision where the
 * archive does not end with it. */
void config_system_init(struct config_system *s, const struct config_effects *effects, void *ctx,
			struct config_tree *running);
void config_system_done(struct config_system *s);

/* What a commit of `next` would be refused for, with its places in the file that it was read from. */
void config_system_check(const struct config_system *s, const struct config_tree *next,
			 struct config_errors *errors);
/*
 * Checks and applies `next`, which is taken over on success. `confirm_minutes` > 0: it is taken back unless
 * config_system_confirm() is called in time. 0; -EINVAL if the check found errors, and other negative ones:
 * then nothing has changed and `out` tells why.
 */
int config_system_commit(struct config_system *s, struct config_tree **next, const char *user,
			 const char *via, const char *comment, unsigned confirm_minutes, struct text *out);
/* Keeps the commit that waits for it. -ENOENT if none does. */
int config_system_confirm(struct config_system *s);
/* Takes an unconfirmed commit back if its time is over; true if it did. Call at config_system_deadline(). */
bool config_system_tick(struct config_system *s, struct text *out);
/* Steady seconds of the next config_system_tick(); UINT64_MAX if none is due. */
uint64_t config_system_deadline(const struct config_system *s);
/* After a re-exec: a commit still waits, with `seconds` left. `previous` is taken over. */
void config_system_resume_confirm(struct config_system *s, struct config_tree *previous, uint64_t seconds);

/* Writes `running` to the saved configuration. -EBUSY while a commit waits for its confirmation. */
int config_system_save(struct config_system *s, struct text *out);

/* The text of a saved file: curly, with the version as its last line. */
void config_file_print(const struct config_tree *tree, struct text *out);
/* Reads a saved file or revision. NULL with the errors (or none: no memory). */
struct config_tree *config_file_parse(const char *data, size_t len, struct config_errors *errors);
/* Loads revision `number` of the archive; NULL with the reason in `out`. */
struct config_tree *config_system_revision(struct config_system *s, unsigned number, struct text *out);
/* Loads the saved configuration (an empty one if there is none); NULL with the reason in `out`. */
struct config_tree *config_system_saved(struct config_system *s, struct text *out);
/* "2024-10-21 18:24:06 by vyos via cli" */
void config_revision_print(const struct config_system *s, const struct config_revision *revision,
			   struct text *out);
/* `show system commit`: a line per revision. */
void config_system_show_commits(struct config_system *s, struct text *out);
