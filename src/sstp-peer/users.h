/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The users file of sstp-peer: a `user:password` per line; '#' starts a comment line. */
#pragma once

#include "base/secret.h"

struct users;

/* 0, or a negative errno with *ret_line set to the line that cannot be understood (0: the file itself). */
int users_load(const char *path, struct users **ret, unsigned *ret_line);
void users_free(struct users *users);
/* The password of `user`; -ENOENT if there is none. Shape of ppp_server_config.password; ctx is struct users.
 */
int users_password(void *ctx, const char *user, struct secret *ret);
