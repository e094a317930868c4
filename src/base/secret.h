/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Passwords and keys. Wiped when they go out of scope, compared in constant time, never printed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

#define SECRET_MAX 256

struct secret {
	size_t len;
	char data[SECRET_MAX]; /* not NUL-terminated; any byte may occur */
};

/* Copies `len` bytes. -E2BIG where they do not fit; `s` is then empty. */
int secret_set(struct secret *s, const void *data, size_t len);

/* Overwrites `len` bytes in a way that the compiler keeps. */
void wipe(void *p, size_t len);
void secret_wipe(struct secret *s);
#define _cleanup_secret_ _cleanup_(secret_wipe)

/* True if equal; takes the same time wherever they differ. */
bool equal_constant_time(const void *a, const void *b, size_t len);
