/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways to give a host its resolvers. Who manages /etc/resolv.conf decides which one is used:
 *   it links to (or copies) systemd-resolved's stub         → resolvectl dns/domain/default-route, revert
 *   it links to Debian's resolvconf                         → resolvconf -a/-d vpn.IFACE
 *   openresolv is installed                                 → the same
 *   else                                                    → the file itself, in place (it may be a bind
 * mount)
 *
 * dns_file_set() and dns_file_clear() return 0, also where there is nothing of ours to take out, or the
 * negative errno of the file, -EFBIG where it is too large, -EINVAL for a NUL in it, -ENOMEM or -E2BIG. What
 * cannot be read holds nothing of ours: dns_file_is_installed().
 */
#pragma once

#include "base/text.h"
#include "netconf/child.h"
#include "netconf/model.h"

struct dns_servers {
	char ifname[IFNAMSIZ];
	struct net_addr servers[NET_DNS_MAX];
	size_t n;
};

/* Which way it is on this host, by what is there now. It looks only, and does not fail: NET_DNS_FILE where
 * nobody else manages the file, also where there is none. */
enum net_dns_backend dns_probe(const char *resolv_conf);

/* True if what was put there by `backend` is still there. */
bool dns_is_installed(enum net_dns_backend backend, const char *resolv_conf, uint32_t ifindex,
		      const struct dns_servers *dns);

/* Programs to run, one after the other, to set (`set`) or take back. */
struct dns_command {
	const char *argv[CHILD_ARGS_MAX];
	char words[NET_DNS_MAX + 1][INET6_ADDRSTRLEN]; /* what argv points to */
	char input[NET_DNS_MAX * (INET6_ADDRSTRLEN + IFNAMSIZ + 16)];
	bool may_fail; /* taking back what is gone is fine */
};
/* The step-th command of a backend that works by programs; false behind the last one (and for NET_DNS_FILE).
 */
bool dns_command(enum net_dns_backend backend, bool set, unsigned step, const struct dns_servers *dns,
		 struct dns_command *ret);

/* NET_DNS_FILE. `lock_path`: a file that nobody but us can open. Negative errno. */
int dns_file_set(const char *resolv_conf, const char *lock_path, const struct dns_servers *dns);
int dns_file_clear(const char *resolv_conf, const char *lock_path, const char *ifname);
/* The same for all of whose interface `is_gone` says so. The number of those, or a negative errno. */
int dns_file_clear_gone(const char *resolv_conf, const char *lock_path,
			bool (*is_gone)(void *ctx, const char *ifname), void *ctx);
/* True if there is something of ours for the interface. */
bool dns_file_has(const char *resolv_conf, const char *ifname);
bool dns_file_is_installed(const char *resolv_conf, const struct dns_servers *dns);
