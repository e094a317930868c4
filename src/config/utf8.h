/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may be printed on a terminal without harm. */
#pragma once

#include <stddef.h>

/*
 * The length of the printable character at `text`: 1 for ASCII, 2–4 for well-formed UTF-8 (RFC 3629); 0 for a
 * control character (C0, DEL, C1), a byte that is not UTF-8, and the final NUL.
 */
size_t printable_length(const char *text);
