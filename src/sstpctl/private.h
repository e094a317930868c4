/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `| strip-private`: makes output fit to be shown to strangers. */
#pragma once

#include "base/text.h"

/*
 * Adds the line to `out` without what VyOS's strip-private takes away too: passwords, user names, servers,
 * keys and certificates to the end of the line, and all but the end of every address.
 */
void private_strip(const char *line, struct text *out);
