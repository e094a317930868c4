/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a program with tunnels needs: the loop, the kernel's configuration, its news, and the list of tunnels.
 */
#pragma once

#include "netconf/dns/dns.h"
#include "netconf/dns/watch.h"
#include "sstpcd/tunnel.h"

struct manager_options {
	const char *run_dir;	 /* NULL = /run/sstpcd */
	const char *resolv_conf; /* NULL = /etc/resolv.conf */
	const char *worker_path; /* NULL = looked for */
};

struct manager {
	struct loop loop;
	struct logger log;
	struct tunnel_host host; /* `observe` is the program's to set */
	struct tunnel **tunnels;
	size_t n_tunnels;
	/* How often manager_add() may still look whether the worker of a crashed predecessor, which ends by
	 * itself, has let go of an interface's name. A daemon has none left once it runs. */
	unsigned patience;
	/* private */
	const char *run_dir, *resolv_conf;
	struct netconf *netconf;
	struct net_monitor monitor;
	struct dns_watch dns_watch;
	struct loop_fd monitor_source, netconf_source, dns_source;
	struct loop_timer netconf_timer, network_timer, recover_timer;
	struct loop_resume resume;
	usec_t asleep;
	char worker_path[4096];
};

/* Cleans up after a crashed predecessor, too. On failure nothing stays open and `failure` tells why. */
int manager_init(struct manager *m, const struct manager_options *options, const struct logger *log,
		 struct failure *failure);
/* Frees the tunnels, and with them what is in the kernel; waits (bounded) for the resolver programs. */
void manager_done(struct manager *m);

int manager_add(struct manager *m, const struct config_interface *config,
		const struct tunnel_options *options, struct tunnel **ret, struct failure *failure);
/* tunnel_adopt() into the list. */
int manager_adopt(struct manager *m, const struct config_interface *config, const struct tun *tun,
		  struct tunnel **ret);
/* tunnel_free() and out of the list. */
void manager_remove(struct manager *m, struct tunnel *t);
/* The same for a batch of the tunnels that are `due`: the kernel takes as long for it as for one, some 50 ms
 * in which nobody is answered. True if there may be more. */
bool manager_remove_due(struct manager *m, bool (*due)(const struct tunnel *t));
struct tunnel *manager_find(const struct manager *m, const char *name);

/* loop_run() with the background work of netconf. */
int manager_run(struct manager *m);
