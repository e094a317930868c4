/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is in the certificates of a configuration, told by `sstpc-tunnel --inspect`: they are parsed in its
 * sandbox, not here, one after another while the loop goes on. Who needs the answers prepares a tree, and
 * asks when the inspector has settled.
 */
#pragma once

#include "config/tree.h"
#include "io/loop.h"

struct inspection {
	/* 0: `text` has a line, tab-separated: line number, kind ("ca", "self", "leaf"), not before, not
	 * after (seconds since 1970), SHA-256 (hex), subject, issuer. -EINVAL: the certificate cannot be
	 * used, `text` says why in one line. Other negative errno: the program cannot be run. */
	int result;
	char *text;
};

struct inspector;

/* `settled` is called from the loop whenever all that was asked for is known. 0 or -ENOMEM. */
int inspector_new(struct loop *loop, const char *program, void (*settled)(void *ctx), void *ctx,
		  struct inspector **ret);
void inspector_free(struct inspector *i); /* NULL is fine */

/*
 * Has the CAs of `tree` inspected that `running` (may be NULL) does not have. 1 if they are known; 0:
 * `settled` is called when they are, or have taken too long: 5 s each. -ENOMEM: they will not be known.
 */
int inspector_prepare(struct inspector *i, const struct config_tree *tree, const struct config_tree *running);
bool inspector_is_busy(const struct inspector *i);
/* Of a certificate as the configuration has it; NULL if it is not known. */
const struct inspection *inspector_find(const struct inspector *i, const char *certificate);

/* The value of `certificate` of a `pki ca` entry if it is not in `running` (may be NULL) under the same name,
 * otherwise NULL. */
const char *inspect_new_certificate(const struct config_node *ca, const struct config_tree *running);
