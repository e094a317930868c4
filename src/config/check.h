/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must hold between the leaves of a configuration before it may run. */
#pragma once

#include "base/text.h"
#include "config/errors.h"
#include "config/tree.h"

/*
 * Lists every error of `new`, with VyOS's words and the path that it belongs to. `old` is the running
 * configuration (NULL: none), to say of a CA that it is deleted while in use. What only the system knows
 * (VRFs, certificates inside) is checked by the daemon.
 */
void config_check(const struct config_tree *old, const struct config_tree *new, struct config_errors *errors);

/* What works, but perhaps not as meant: a line per warning. Only about what differs from `old`. */
void config_warnings(const struct config_tree *old, const struct config_tree *new, struct text *out);
