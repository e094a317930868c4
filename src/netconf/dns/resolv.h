/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /etc/resolv.conf with our resolvers in it, and without them again: pure functions on the file's text. No
 * backup is kept that could grow stale: our lines stand between marks, the host's own resolvers become
 * comments, and taking ours away gives the original back byte for byte. Where somebody has rewritten the file
 * meanwhile there are no marks, and nothing is taken away.
 *
 *     # sstpcd: begin sstpc0
 *     nameserver 10.0.0.53
 *     # sstpcd: end sstpc0
 *     #sstpcd# nameserver 192.168.1.1
 *     search lan
 */
#pragma once

#include "base/text.h"
#include "netconf/model.h"

#define RESOLV_CONF_MAX (256 * 1024) /* a longer file is left alone */

/* Text with a block for `ifname` first, in place of an older one. `created`: there was no file. Errors:
 * out->error. */
void resolv_install(const char *text, const char *ifname, const struct net_addr *dns, size_t n_dns,
		    bool created, struct text *out);
/* Text without the block of `ifname`. True if there was one. `ret_unlink`: we had created the file, and
 * nothing else is in it. */
bool resolv_remove(const char *text, const char *ifname, struct text *out, bool *ret_unlink);
/* True if there is a block of `ifname`, whatever is in it. */
bool resolv_has(const char *text, const char *ifname);
/*
 * Text without the blocks of those that `is_gone` says are gone; that many were there. The file is not ours
 * alone: of so many marks at most is looked at.
 */
#define RESOLV_BLOCKS_MAX 64
typedef bool resolv_gone_fn(void *ctx, const char *ifname);
size_t resolv_remove_gone(const char *text, resolv_gone_fn *is_gone, void *ctx, struct text *out,
			  bool *ret_unlink);
/* True if the block of `ifname` is there with exactly these resolvers. */
bool resolv_is_installed(const char *text, const char *ifname, const struct net_addr *dns, size_t n_dns);
