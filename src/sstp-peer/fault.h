/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scripted faults: a filter over the packets that the server is about to send. Each fault names an action,
 * the class of packet that it acts on, and an argument:
 *
 *     mute:CLASS            never send packets of this class
 *     drop:CLASS:PERCENT    lose some of them
 *     close:CLASS           close the TCP connection instead of sending the first one
 *     replace:CLASS:HEX     send these bytes instead of the first one
 *     after:CLASS:HEX       send these bytes right behind the first one
 *     garbage:CLASS:N       send N random bytes instead of the first one
 *     delay:CLASS:MS        hold everything back for this long when the first one is due
 *     split:all:N           hand the stream to TLS in pieces of N bytes, a record each
 *
 * CLASS is http, ack (CALL_CONNECT_ACK), control (any other SSTP control packet), lcp, auth, ipcp, ipv6cp,
 * ppp (other PPP control), ip, or all.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/random.h"

#define FAULTS_MAX	8
#define FAULT_BYTES_MAX 4096

enum fault_action {
	FAULT_MUTE,
	FAULT_DROP,
	FAULT_CLOSE,
	FAULT_REPLACE,
	FAULT_AFTER,
	FAULT_GARBAGE,
	FAULT_DELAY,
	FAULT_SPLIT,
};

struct fault {
	enum fault_action action;
	unsigned classes; /* bit set of enum fault_class */
	uint32_t number;
	uint8_t *bytes;
	size_t len;
	bool done; /* once-only actions that have acted */
};

struct faults {
	struct fault faults[FAULTS_MAX];
	unsigned count;
};

/* Adds one. -EINVAL if it cannot be understood, -E2BIG if there are too many, -ENOMEM. */
int faults_add(struct faults *f, const char *text);
/* A copy for one connection, whose `done` marks are its own; the byte strings stay shared. */
struct faults faults_for_connection(const struct faults *f);
void faults_done(struct faults *f);

struct fault_result {
	bool close;	   /* close TCP once what is in `out` was sent */
	usec_t hold_until; /* nothing may be sent before; 0 = at once */
};

/*
 * Filters whole packets (or, while `http`, the HTTP answer) from `in` to `out`, which must have room for
 * `len` + FAULT_BYTES_MAX × FAULTS_MAX. Returns the bytes written.
 */
size_t faults_filter(struct faults *f, bool http, const uint8_t *in, size_t len, uint8_t *out, usec_t now,
		     const struct random_source *random, struct fault_result *ret);
/* The largest piece to hand to TLS at once; SIZE_MAX for no limit. */
size_t faults_split(const struct faults *f);
