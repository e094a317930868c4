/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in a PEM file, told by `sstpc-tunnel --inspect`: certificates are parsed in its sandbox, not here.
 */
#pragma once

#include <stddef.h>

#include "base/text.h"

/*
 * Waits for the program (5 s at most). 0: `out` has a line per certificate, tab-separated: line number, kind
 * ("ca", "self", "leaf"), not before, not after (seconds since 1970), SHA-256 (hex), subject, issuer.
 * -EINVAL: the certificates cannot be used, `out` says why in one line. Other negative errno: the program
 * cannot be run.
 */
int inspect_pem(const char *program, const char *pem, size_t len, struct text *out);
