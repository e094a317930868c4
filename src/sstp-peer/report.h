/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens on a connection, as JSON lines for programs and as text for people. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/macro.h"

struct report {
	FILE *json;	 /* NULL = none */
	bool verbose;	 /* text on stderr */
	unsigned number; /* of the connection */
};

/*
 * One event with fields given as name, value pairs of strings, ending with NULL:
 *     report(r, "up", "user", user, "address", text, NULL);
 */
void report(const struct report *r, const char *event, ...) __attribute__((sentinel));
