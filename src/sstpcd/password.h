/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where passwords come from: a file, a descriptor, a terminal. Never from arguments or the environment. */
#pragma once

#include <stdbool.h>

#include "base/cause.h"
#include "base/secret.h"

/*
 * The first line of a regular file, without its end. Never waits (a FIFO is refused). On failure `failure`
 * is FILE_UNREADABLE with the reason. *ret_exposed (may be NULL): others than the owner may read the file.
 */
int password_from_file(const char *path, struct secret *ret, bool *ret_exposed, struct failure *failure);
/* The first line from a descriptor, which may be a pipe. Reads to its end. */
int password_from_fd(int fd, struct secret *ret, struct failure *failure);
/*
 * Asks on the controlling terminal without echo. -ENXIO: there is none; -ECANCELED: Ctrl-C or Ctrl-D. The
 * terminal is restored in every case, also when a signal ends the question.
 */
int password_from_terminal(const char *prompt, struct secret *ret);
