/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nftables table of one interface: `inet sstpcd_sstpc0`. It holds only what is asked for, is replaced in
 * one transaction, and is deleted as a whole. Its comment tells what it does, so that looking needs no
 * program.
 */
#pragma once

#include "base/text.h"
#include "netconf/plan.h"
#include "netconf/rtnl.h"

#define NFT_TABLE_PREFIX "sstpcd_"
#define NFT_TABLE_MAX	 64

/* "sstpcd_sstpc0"; characters that nft's names cannot have are written as /XX. */
void nft_table_name(const char *ifname, char out[static NFT_TABLE_MAX]);
/* The interface of a table of ours; -EINVAL if it is none. */
int nft_table_interface(const char *table, char ret[static IFNAMSIZ]);

/* The input for `nft -f -`. Pure. -EINVAL for a name that cannot be quoted there. */
int nft_ruleset(const char *ifname, const struct net_nft *nft, struct text *out);

/* Replaces or deletes the table; `error` tells why not. */
int nft_set(const char *ifname, const struct net_nft *nft, char *error, size_t size);
int nft_delete(const char *ifname, char *error, size_t size);

/* Looks for the table. 1 = there, its comment in `ret_tag`; 0 = not there; negative errno: cannot tell. */
int nft_get(struct rtnl *netfilter, const char *ifname, char ret_tag[static NET_NFT_TAG_MAX]);
/* Calls `fn` with the interface name of every table of ours. */
int nft_list(struct rtnl *netfilter, void (*fn)(void *ctx, const char *ifname), void *ctx);
