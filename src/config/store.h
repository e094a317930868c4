/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of the configuration; the only part of this library that makes system calls.
 *
 *     FILE                    saved configuration, 0600
 *     FILE.damaged-TIME       a copy of one that could not be read whole, untouched
 *     STATE/archive/N.boot    revisions: the file with "// commit: …" as its first line
 *     STATE/commit-confirm    the way back from a commit that was not confirmed
 *
 * Every file is written whole: a temporary file beside it, fsync, rename, fsync of the directory. Whoever
 * reads sees the old one or the new one.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "config/errors.h"
#include "config/system.h"
#include "config/tree.h"

#define STORE_FILE_DEFAULT  "/etc/sstpcd/config.boot"
#define STORE_STATE_DEFAULT "/var/lib/sstpcd"

struct store {
	const char *file;  /* owned by the caller, as the next */
	const char *state; /* directory, made when needed */
};

/* Any file: written whole or not at all, 0600; read if it is a regular one of at most CONFIG_TEXT_MAX bytes.
 */
int store_write_file(const char *path, const char *data, size_t len);
int store_read_file(const char *path, char **ret_data, size_t *ret_len);

/* All return 0 or a negative errno. What is loaded is malloc'ed and has a NUL behind its end. A saved file
 * that cannot be read is not replaced. */
int store_save(const struct store *s, const char *data, size_t len);
int store_load(const struct store *s, char **ret_data, size_t *ret_len);

int store_revision_add(const struct store *s, const struct config_revision *revision, const char *data,
		       size_t len);
int store_revision_list(const struct store *s, struct config_revision *list, size_t max);
int store_revision_load(const struct store *s, unsigned number, char **ret_data, size_t *ret_len);

/* "2024-10-21 18:24:06" in local time, "" if there is no such time. */
void store_format_time(int64_t wall_seconds, char *out, size_t size);

/* The way back: `data` until `wall_deadline`; NULL data removes it. */
int store_confirm(const struct store *s, int64_t wall_deadline, const char *data, size_t len);
int store_confirm_load(const struct store *s, int64_t *ret_wall_deadline, char **ret_data, size_t *ret_len);

/*
 * The configuration to start with: never fails for what a file holds. A commit that was not confirmed is
 * undone here (its record is removed by store_confirm() once the result runs). A file with errors is kept
 * aside, and what of it is whole is used; `report` then has a line for each error, "FILE:3:14: …", and where
 * the copy is. NULL: no memory.
 */
struct config_tree *store_boot(const struct store *s, bool *ret_rolled_back, struct text *report);
/* Adds a warning with the first error if the saved configuration has any, and where the copy of it is that a
 * start has made: somebody is about to replace the file. Likewise if it cannot be read. */
void store_warn_damaged(const struct store *s, struct text *out);
