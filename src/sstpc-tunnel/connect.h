/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The outer TCP connection: the addresses in turn, 250 ms apart, the first that answers wins (RFC 8305 §5).
 */
#pragma once

#include "base/cause.h"
#include "io/loop.h"
#include "resolve.h"

#define CONNECT_STAGGER (250 * USEC_PER_MSEC)
#define CONNECT_TIME	(20 * USEC_PER_SEC)
#define DEVICE_NAME_MAX 16

struct connect_target {
	union address address;
	char device[DEVICE_NAME_MAX]; /* SO_BINDTODEVICE; "" for none */
};

struct connector;

struct connect_attempt {
	struct connector *connector;
	struct loop_fd source;
	int fd; /* -1 while not under way */
};

struct connector {
	struct loop *loop;
	struct connect_target targets[ADDRESSES_MAX];
	unsigned count, next;
	struct connect_attempt attempts[ADDRESSES_MAX];
	struct loop_timer stagger, deadline;
	/* Of the first attempt that failed, for the preferred address says most; of one without a route only
	 * if there was no other. */
	struct failure failure;
	/* Called once. `fd` is the callee's; `index` tells the target. On failure fd is -1. */
	void (*done)(void *ctx, int fd, unsigned index, const struct failure *failure);
	void *ctx;
};

/* Starts. `c->loop`, targets, count (≥ 1), done and ctx are set by the caller, the rest is zero. */
void connector_start(struct connector *c);
