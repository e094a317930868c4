/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "sandbox/sandbox.h"

/* Sanitizers and debuggers need more from the kernel than the program does. */
#if defined(__SANITIZE_ADDRESS__) || defined(SANDBOX_SANITIZED)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/*
 * From now on files may be read below `paths` only (NULL: nowhere), and nothing in the file system be written
 * or executed. Returns the ABI of the kernel's Landlock, 0 if it has none, or a negative errno.
 */
int landlock_read_only(const char *const *paths);

/* The ABI, 0 or a negative errno. */
int landlock_abi(void);

enum filter_role {
	FILTER_RESOLVER,
	FILTER_RESOLVER_ROOT, /* root's unix sockets are open to it: no such sockets */
	FILTER_WORKER,	      /* with files */
	FILTER_WORKER_NOFILE, /* without */
	FILTER_ESTABLISHED,   /* on top of FILTER_WORKER */
};
int filter_load(enum filter_role role);
