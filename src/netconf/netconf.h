/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's and the resolver's configuration, brought to what is desired and kept there.
 *
 * One `struct netconf` serves all interfaces of a process. rtnetlink, sysctl and nft are done when a call
 * returns (nft is a child process, waited for at most NETCONF_NFT_TIMEOUT_MS, usually 10 ms). The resolver is
 * changed by programs that may hang (resolvectl, resolvconf), so that is done in the background: poll
 * netconf_fd(), call netconf_process(). Operations on the resolver run one at a time, the newest wish wins.
 */
#pragma once

#include "base/cause.h"
#include "base/clock.h"
#include "netconf/monitor.h"
#include "netconf/plan.h"

#define NETCONF_RUN_DIR	       "/run/sstpcd"
#define NETCONF_RESOLV_CONF    "/etc/resolv.conf"
#define NETCONF_NFT_TIMEOUT_MS 3000
#define NETCONF_DNS_TIMEOUT_MS 5000 /* for each program; then it is killed and its failure reported */

struct netconf_options {
	const char *run_dir;	 /* NULL = NETCONF_RUN_DIR; records are kept in RUN_DIR/net, RUN_DIR/dns */
	const char *resolv_conf; /* NULL = NETCONF_RESOLV_CONF */
	enum net_dns_backend dns_backend; /* NET_DNS_NONE = probe at each use */
	bool monitored; /* netconf_event() will be called; otherwise the routes are read at each
			   reconciliation */
};

struct netconf;

/* Opens the sockets and makes the directories. The strings of `options` are copied. 0 or a negative errno,
 * and `failure` tells what: NO_PRIVILEGE, FILE_UNWRITABLE of the run directory, KERNEL_CONFIG, INTERNAL. */
int netconf_new(const struct netconf_options *options, struct netconf **ret, struct failure *failure);
/* Ends a running resolver program by waiting for it (bounded). Leaves the kernel as it is. */
void netconf_free(struct netconf *nc);
static inline void netconf_freep(struct netconf **nc)
{
	netconf_free(*nc);
}

/* What came out of a reconciliation. */
struct net_report {
	bool changed;			  /* at least one operation was done */
	unsigned notices;		  /* enum net_notice */
	char text[NET_NOTICE_COUNT][192]; /* the line for each set bit: text[bit number] */
	struct failure failure; /* the first operation that failed: KERNEL_CONFIG or NO_PRIVILEGE with
				   operation, object, error and the kernel's own words; FILE_UNWRITABLE:
				   what was to be done cannot be recorded, so nothing was */
	unsigned n_failed;
	/* RESOLVERS: the last change of the host's resolvers has failed. It is none of n_failed, for without
	 * it the interface is as desired. It is tried again at the next call. */
	struct failure resolvers;
	/* In force now, for `show`. */
	uint32_t ifindex, mtu, table;
	bool default_installed, default_active;	  /* IPv4 */
	bool default6_installed, default6_active; /* IPv6 */
	bool ipv6_global;			  /* the interface has a global IPv6 address */
	enum net_dns_backend dns_backend; /* where our resolvers are (being) put; NET_DNS_NONE = nowhere */
};

/*
 * `ifindex` in what follows is the caller's device: another that has taken the name is left alone, as if
 * there was none. 0 = whichever has the name.
 *
 * Makes the interface as desired; what is right already is not touched, so it may be called at any time.
 * One failing operation does not stop the others. 0, or the negative errno of the first failure; `ret` (may
 * be NULL) is filled either way.
 */
int netconf_reconcile(struct netconf *nc, uint32_t ifindex, const struct net_desired *desired,
		      struct net_report *ret);

/* Takes away everything of ours from the interface, whether it still exists or not. */
int netconf_remove(struct netconf *nc, uint32_t ifindex, const char *name, struct net_report *ret);

/*
 * Deletes devices of the caller's, many at the cost of one: closing a TUN takes the kernel 17 ms, for it
 * waits until nobody can see the device any more. What cannot be deleted goes when it is closed.
 */
void netconf_delete_devices(struct netconf *nc, const uint32_t *ifindex, size_t n);

/* What a monitor (netconf/monitor.h) has told. */
void netconf_event(struct netconf *nc, const struct net_event *event);

/*
 * At the start, and when an interface of another process goes: removes what a crashed process left for
 * interfaces that do not exist any more (resolvers, nft tables; resolvers in the file also where /run, and
 * the record in it, is gone). Interfaces that exist belong to a living process, or to one that is about to
 * end, and are left alone. Returns how many were cleaned.
 */
int netconf_recover(struct netconf *nc);

/* 0: there is a VRF of this name. -ENODEV: no interface; -ENOTSUP: one of another kind; other negative errno.
 */
int netconf_check_vrf(struct netconf *nc, const char *name);
/* Calls `add` with the name of each VRF. 0 or negative errno. */
int netconf_list_vrfs(struct netconf *nc, void (*add)(void *ctx, const char *name), void *ctx);

/* True while resolvers of this interface are being set or taken back. */
bool netconf_resolver_is_busy(const struct netconf *nc, const char *name);

/* For poll(): POLLIN → netconf_process(). The same descriptor for the whole life. */
int netconf_fd(const struct netconf *nc);
/* When netconf_process() must be called even without POLLIN. USEC_NEVER while nothing runs. */
usec_t netconf_deadline(const struct netconf *nc);
/* Takes the result of a finished (or overdue) resolver program and starts the next. `ret` (may be NULL) gets
 * the failure of what has finished, as net_report.resolvers has it from then on; its interface is in
 * `ret_name` (IFNAMSIZ bytes, may be NULL). 1 if something finished, 0 if not. */
int netconf_process(struct netconf *nc, usec_t now, struct failure *ret, char *ret_name);
/* Waits until no resolver program runs (bounded): at the end of a program, and in tests. */
int netconf_flush(struct netconf *nc, struct failure *ret);
