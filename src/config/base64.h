/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Base64 by RFC 4648 §4, strict: padding where it belongs, no blanks, no bits left over. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Decodes up to `size` bytes into `out` (NULL: only counts). The length, -EINVAL, or -ENOBUFS if it does not
 * fit. */
ssize_t base64_decode(const char *s, uint8_t *out, size_t size);
