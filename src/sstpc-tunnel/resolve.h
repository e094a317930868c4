/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The name lookup, in a child of its own: getaddrinfo() opens files, sockets and libraries and parses answers
 * of strangers, so it runs in a process without secrets and without the TUN, which returns addresses and
 * ends. If it takes long, two more ask for one family each.
 */
#pragma once

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/cause.h"
#include "io/loop.h"

#define ADDRESSES_MAX 16

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct addresses {
	union address list[ADDRESSES_MAX]; /* in the order to be tried: families alternate, RFC 8305 §4 */
	unsigned count;
};

/* "192.0.2.1" or "2001:db8::1", without the port. */
#define ADDRESS_TEXT 64
void address_format(const union address *a, char out[static ADDRESS_TEXT]);
socklen_t address_len(const union address *a);

/* Fills `ret` if `host` is an address literal; -EINVAL if it is not. */
int addresses_from_literal(const char *host, uint16_t port, struct addresses *ret);

/* One question: for the addresses of one family, or of both. */
struct lookup {
	struct resolver *resolver;
	int family; /* AF_UNSPEC: both */
	int fd;	    /* the answer comes here; -1: not asked, or answered */
	struct loop_fd source;
	struct loop_child process;
};

struct resolver {
	struct loop *loop;
	const char *host; /* stays the caller's */
	uint16_t port;
	/* Called once, with at least one address, or with none and the reason. */
	void (*done)(void *ctx, const struct addresses *found, const struct failure *failure);
	void *ctx;
	/* private */
	struct lookup lookups[3];
	struct loop_timer slow, delay, deadline;
	struct addresses ipv4, ipv6;
	bool ipv4_first; /* as the resolver has it (RFC 6724) */
	struct failure failure;
};

/* Starts. `r->loop`, host, port, done and ctx are set by the caller, the rest is zero. Negative errno if no
 * process can be made. */
int resolver_start(struct resolver *r);
/* Ends and reaps the processes that have not ended yet. Nothing if it was
 * never started, or has ended already. */
void resolver_end(struct resolver *r);
