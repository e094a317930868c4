/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The name lookup, in a child of its own: getaddrinfo() opens files, sockets and libraries and parses answers
 * of strangers, so it runs in a process without secrets and without the TUN, which returns addresses and
 * ends.
 */
#pragma once

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/cause.h"

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

/* Starts the lookup. The answer is one message on *ret_fd, the caller's; the child is reaped by the caller.
 */
int resolve_start(const char *host, int *ret_fd, pid_t *ret_pid);
/* Reads the answer once *ret_fd is readable. 0 with at least one address, or -ENOENT with `failure` set. */
int resolve_finish(int fd, const char *host, uint16_t port, struct addresses *ret, struct failure *failure);
