/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The curly syntax, in:
 *
 *     interfaces {
 *         // to the head office
 *         sstpc sstpc0 {
 *             server "vpn.example.com"
 *             disable
 *         }
 *     }
 *
 * Words, "strings" and 'strings' (escapes \" \' \\ \/ \n \t \r \b and \ddd, decimal), line comments from //.
 * A line end or ';' ends a leaf. For the way out see print.h.
 */
#pragma once

#include <stddef.h>

#include "config/errors.h"
#include "config/tree.h"

#define CONFIG_TEXT_MAX (16u << 20) /* bytes of a file */

/*
 * Adds what the text says to `tree`. Goes on after an error, so that all are reported and the rest can still
 * be used; but an interface (or other tag) with an error in it is left out whole, with every other block of
 * its name: half of one could connect to the right server with the wrong trust. 0 (also with errors listed),
 * -E2BIG, -ENOMEM.
 */
int config_parse_curly(struct config_tree *tree, const char *data, size_t len, struct config_errors *errors);
