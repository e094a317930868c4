/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes of the resolver, done one after the other in the background. Each interface has at most one change
 * waiting: a newer wish replaces it.
 */
#pragma once

#include "base/cause.h"
#include "base/clock.h"
#include "netconf/dns/dns.h"

struct dns_queue;

/* `lock_path`: see dns_file_set(). 0 or negative errno. */
int dns_queue_new(const char *resolv_conf, const char *lock_path, int timeout_ms, struct dns_queue **ret);
/* Waits for what runs (bounded); what waits is dropped. */
void dns_queue_free(struct dns_queue *q);

int dns_queue_set(struct dns_queue *q, enum net_dns_backend backend, const struct dns_servers *dns);
int dns_queue_clear(struct dns_queue *q, enum net_dns_backend backend, const char *ifname);
/* True while a change for the interface waits or runs. */
bool dns_queue_is_busy(const struct dns_queue *q, const char *ifname);

/* Readable when a program has ended; the same descriptor for the queue's whole life. */
int dns_queue_fd(const struct dns_queue *q);
bool dns_queue_is_running(const struct dns_queue *q);
usec_t dns_queue_deadline(const struct dns_queue *q);

struct dns_result {
	char ifname[IFNAMSIZ];
	bool set;		/* false: taken back */
	struct failure failure; /* CAUSE_NONE = done */
};
/* 1 = a change has ended, told in `ret`; 0 = nothing to tell. */
int dns_queue_process(struct dns_queue *q, usec_t now, struct dns_result *ret);
