/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netconf/dns/queue.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

/* What is to be done for one interface: take back what stands in `clear`, then set. */
struct change {
	struct change *next;
	unsigned clear; /* 1 << enum net_dns_backend */
	enum net_dns_backend set;
	struct dns_servers dns;
	/* While it runs: */
	enum net_dns_backend backend; /* of the program that runs */
	bool setting, was_set;
	unsigned step;
	bool may_fail;
	char program[64];
	struct failure failure;
};

struct dns_queue {
	char *resolv_conf, *lock_path;
	int timeout_ms;
	struct change *waiting; /* first in, first out */
	struct change *running;
	struct child child;
	usec_t deadline;
	int epoll; /* watches the child: a number that comes and goes would be mistaken for the last one */
};

int dns_queue_new(const char *resolv_conf, const char *lock_path, int timeout_ms, struct dns_queue **ret)
{
	struct dns_queue *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	q->child = CHILD_NONE;
	q->timeout_ms = timeout_ms;
	q->epoll = epoll_create1(EPOLL_CLOEXEC);
	q->resolv_conf = strdup(resolv_conf);
	q->lock_path = strdup(lock_path);
	if (q->epoll < 0 || !q->resolv_conf || !q->lock_path) {
		int r = q->epoll < 0 ? -errno : -ENOMEM;

		dns_queue_free(q);
		return r;
	}
	*ret = q;
	return 0;
}

void dns_queue_free(struct dns_queue *q)
{
	char error[8];

	if (!q)
		return;
	if (q->running && child_wait(&q->child, q->timeout_ms, error, sizeof(error)) == 1)
		child_kill(&q->child);
	free(q->running);
	while (q->waiting) {
		struct change *c = q->waiting;

		q->waiting = c->next;
		free(c);
	}
	q->epoll = close_fd(q->epoll);
	free(q->resolv_conf);
	free(q->lock_path);
	free(q);
}

/* The waiting change of the interface, a new one if there is none. */
static struct change *change_for(struct dns_queue *q, const char *ifname)
{
	struct change **at = &q->waiting;

	for (; *at; at = &(*at)->next)
		if (strcmp((*at)->dns.ifname, ifname) == 0)
			return *at;
	struct change *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	(void)snprintf(c->dns.ifname, sizeof(c->dns.ifname), "%s", ifname);
	*at = c;
	return c;
}

int dns_queue_set(struct dns_queue *q, enum net_dns_backend backend, const struct dns_servers *dns)
{
	struct change *c = change_for(q, dns->ifname);

	if (!c)
		return -ENOMEM;
	c->clear &= ~(1u << backend);
	c->set = backend;
	c->dns = *dns;
	return 0;
}

int dns_queue_clear(struct dns_queue *q, enum net_dns_backend backend, const char *ifname)
{
	struct change *c = change_for(q, ifname);

	if (!c)
		return -ENOMEM;
	c->clear |= 1u << backend;
	c->set = NET_DNS_NONE;
	return 0;
}

bool dns_queue_is_busy(const struct dns_queue *q, const char *ifname)
{
	if (q->running && strcmp(q->running->dns.ifname, ifname) == 0)
		return true;
	for (const struct change *c = q->waiting; c; c = c->next)
		if (strcmp(c->dns.ifname, ifname) == 0)
			return true;
	return false;
}

int dns_queue_fd(const struct dns_queue *q)
{
	return q->epoll;
}

bool dns_queue_is_running(const struct dns_queue *q)
{
	return q->running;
}

usec_t dns_queue_deadline(const struct dns_queue *q)
{
	if (q->running)
		return q->deadline;
	return q->waiting ? 0 : USEC_NEVER;
}

/* --- running ----------------------------------------------------------------------------------------------
 */

static void fail(struct change *c, const char *what, const char *why)
{
	failure_set(&c->failure, CAUSE_RESOLVERS, "%s resolvers of %s by %s: %s",
		    c->setting ? "setting" : "taking back", c->dns.ifname, what, why);
}

static void change_file(struct dns_queue *q, struct change *c)
{
	int r = c->setting ? dns_file_set(q->resolv_conf, q->lock_path, &c->dns)
			   : dns_file_clear(q->resolv_conf, q->lock_path, c->dns.ifname);

	if (r < 0)
		fail(c, q->resolv_conf, strerror(-r));
}

/* Chooses the next backend to work on: everything to take back, then what to set. False when all is done. */
static bool next_backend(struct change *c)
{
	c->step = 0;
	for (enum net_dns_backend b = NET_DNS_NONE + 1; b < _NET_DNS_BACKEND_MAX; b++)
		if (c->clear & 1u << b) {
			c->clear &= ~(1u << b);
			c->backend = b;
			return true;
		}
	c->backend = c->set;
	c->setting = c->backend != NET_DNS_NONE;
	c->was_set |= c->setting;
	c->set = NET_DNS_NONE;
	return c->setting;
}

static int start(struct dns_queue *q, const struct dns_command *command)
{
	struct epoll_event event = { .events = EPOLLIN };

	int r = child_start(command->argv, command->input, &q->child);
	if (r < 0)
		return r;
	if (epoll_ctl(q->epoll, EPOLL_CTL_ADD, q->child.watch.fd, &event) < 0) {
		r = -errno;
		child_kill(&q->child);
	}
	return r;
}

/* Goes on until a program runs (true) or the change is complete (false). */
static bool advance(struct dns_queue *q, struct change *c, usec_t now)
{
	struct dns_command command;

	for (;;) {
		while (dns_command(c->backend, c->setting, c->step, &c->dns, &command)) {
			c->step++;
			int r = start(q, &command);
			if (r == 0) {
				c->may_fail = command.may_fail;
				(void)snprintf(c->program, sizeof(c->program), "%s %s", command.argv[0],
					       command.argv[1]);
				q->deadline = now + (usec_t)q->timeout_ms * USEC_PER_MSEC;
				return true;
			}
			if (!command.may_fail) {
				fail(c, command.argv[0], strerror(-r));
				return false;
			}
		}
		if (!next_backend(c))
			return false;
		if (c->backend == NET_DNS_FILE)
			change_file(q, c);
	}
}

/* Looks after the program that runs. True when it is gone. */
static bool look_after(struct dns_queue *q, struct change *c, usec_t now)
{
	char error[200];

	int r = child_wait(&q->child, 0, error, sizeof(error));
	if (r == 1 && now < q->deadline)
		return false;
	if (r == 1) {
		child_kill(&q->child);
		(void)snprintf(error, sizeof(error), "no end within %d ms", q->timeout_ms);
		fail(c, c->program, error);
	} else if (r < 0 && !c->may_fail) {
		fail(c, c->program, error);
	}
	return true;
}

int dns_queue_process(struct dns_queue *q, usec_t now, struct dns_result *ret)
{
	struct change *c = q->running;

	if (c) {
		if (!look_after(q, c, now))
			return 0;
	} else {
		c = q->waiting;
		if (!c)
			return 0;
		q->waiting = c->next;
		q->running = c;
		c->next = NULL;
		c->setting = false;
		c->backend = NET_DNS_NONE;
	}
	/* After a failure the rest of the setting makes no sense. */
	if (c->failure.cause == CAUSE_NONE && advance(q, c, now))
		return 0;
	q->running = NULL;
	memcpy(ret->ifname, c->dns.ifname, sizeof(ret->ifname));
	ret->set = c->was_set;
	ret->failure = c->failure;
	free(c);
	return 1;
}
