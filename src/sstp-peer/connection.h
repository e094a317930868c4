/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One client of the server, from accept to close. */
#pragma once

#include "io/loop.h"
#include "io/tun.h"
#include "pump/pump.h"
#include "report.h"
#include "server.h"

struct connection {
	struct loop *loop;
	const struct server_options *options;
	struct report report;
	unsigned place; /* in the pool */
	int fd;
	struct tls *tls;
	struct session *session;
	struct pump pump;
	struct tun tun;
	struct faults faults;
	usec_t hold_until;   /* by a fault */
	bool drop_link;	     /* by a fault: close TCP */
	unsigned renumbered; /* times */
	bool http_done, closing;
	uint8_t *staged; /* what faults made of the output */
	size_t staged_len, staged_pos;
	struct loop_fd socket_source, tun_source;
	struct loop_timer step_timer;	 /* the TLS handshake, or the end, takes too long */
	struct loop_timer session_timer; /* between them: the next turn of the packet path */
	/* Called once, from the loop, when it is over: the callee frees. */
	void (*ended)(void *ctx, struct connection *c);
	void *ctx;
};

/* Takes `fd` over. `c` is zero but for loop, options, report, place, ended and ctx. */
int connection_start(struct connection *c, int fd);
/* Asks the client to go: LCP Terminate-Request, CALL_DISCONNECT. */
void connection_stop(struct connection *c);
/* Gives the client other addresses in the running session, each 256 further: ours, its own, the DNS servers.
 */
void connection_renumber(struct connection *c);
/* Releases everything, at whatever point. */
void connection_done(struct connection *c);
