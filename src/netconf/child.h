/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs that do a part of the work: nft, resolvectl, resolvconf. No shell, a fixed PATH and environment,
 * input and error output in memory files, so that nothing can block on a pipe. The caller of this module must
 * not reap foreign children (waitpid(-1)).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/exit-watch.h"

#define CHILD_ARGS_MAX 12

struct child {
	struct exit_watch watch; /* its descriptor is readable when child_wait() may have news */
	int error_fd;
};
#define CHILD_NONE ((struct child){ .watch = EXIT_WATCH_NONE, .error_fd = -1 })

/* True if the program is found on our PATH. */
bool child_program_exists(const char *program);
/* `argv` ends with NULL; `input` NULL = empty. Negative errno: -ENOENT if there is no such program. */
int child_start(const char *const argv[], const char *input, struct child *ret);
/* Waits up to `timeout_ms` (0 = only looks). 1 = still running; else it is gone: 0, or -EIO with its status
 * and last words in `error`. */
int child_wait(struct child *child, int timeout_ms, char *error, size_t size);
/* Ends the child and what it has started, and waits for it. */
void child_kill(struct child *child);
/* Start, wait, kill when it takes too long (-ETIMEDOUT). */
int child_run(const char *const argv[], const char *input, int timeout_ms, char *error, size_t size);
