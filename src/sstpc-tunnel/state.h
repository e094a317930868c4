/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the worker share, and how they call each other: dial.c finds the server and proves who it
 * is, carry.c runs the session, report.c tells the daemon, worker.c has its orders and the end.
 */
#pragma once

#include "base/secret.h"
#include "connect.h"
#include "data/rdnss.h"
#include "io/loop.h"
#include "ipc/worker.h"
#include "pump/pump.h"
#include "session/session.h"
#include "tls/tls.h"

enum step {
	STEP_WAITING,
	STEP_RESOLVING,
	STEP_ROUTING,
	STEP_CONNECTING,
	STEP_TLS,
	STEP_SESSION,
	STEP_CLOSING
};

struct worker {
	struct loop loop;
	int ipc;
	struct ipc_monitor monitor;
	enum worker_phase phase;
	enum step step;
	struct loop_fd ipc_source, socket_source, tun_source;
	struct loop_timer step_timer;	 /* the present step has taken too long, see worker_enter() */
	struct loop_timer session_timer; /* STEP_SESSION: the next turn of the packet path */
	struct loop_timer stop_timer;	 /* the end that was asked for has taken too long */
	struct loop_signals signals;

	struct worker_config config;
	struct secret password;
	bool password_known;
	void *ca;
	size_t ca_len;
	int tun, keylog, socket;

	struct resolver resolver;
	struct addresses addresses;
	struct connector connector;
	unsigned reached; /* the target that answered */
	struct tls *tls;
	struct session *session;
	struct pump pump;
	struct turns turns;
	bool ipv6_reported;
	bool advert_noted;
	struct rdnss rdnss;
	struct worker_rdnss rdnss_reported;
	struct loop_timer rdnss_timer; /* the end of the first of them */
	struct failure failure;
	uint8_t message[IPC_MAX];
};

/* worker.c */

/* The next step, and what is called if it takes longer than `time`; the former step's limit is gone. NULL: it
 * has a limit of its own. */
void worker_enter(struct worker *w, enum step step, void (*too_long)(void *), usec_t time);
/* The end: tells the daemon of w->failure, or that nothing failed. */
void worker_finish(struct worker *w);
/* The same, with a failure, if it is the first one. */
void worker_fail(struct worker *w, const struct failure *failure);
void worker_fail_with(struct worker *w, enum cause cause, const char *format, ...) _printf_(3, 4);

/* dial.c. Each fails with worker_fail() once it has begun. */

/* From the name in the configuration to a verified server, then carry_start(). 0 or negative errno. */
int dial_start(struct worker *w);
/* Goes on with the devices that lead to w->addresses; NULL: all through the configured one. */
void dial_through(struct worker *w, const struct worker_routes *routes);

/* carry.c */

/* The session begins on the verified connection. 0 or negative errno. */
int carry_start(struct worker *w, const struct tls_peer *peer);
/* Hands the password over as soon as there is both it and a session. */
void carry_give_password(struct worker *w);
/* One turn of the packet path, then what came of it. */
void carry_run(struct worker *w);

/* report.c: what the daemon learns. A message that cannot be delivered ends the loop. */

/* A line for the log. */
void report_line(struct worker *w, enum log_level level, const char *format, ...) _printf_(3, 4);
void report_stage(struct worker *w, enum stage stage, const char *detail);
/* Asks which device leads to each of w->addresses. */
void report_addresses(struct worker *w);
void report_verified(struct worker *w, const struct tls_peer *peer);
void report_link(struct worker *w);
void report_up(struct worker *w);
/* IPv6 has come up or gone down under a session that is up. */
void report_ipv6(struct worker *w, bool up);
/* Resolvers that router advertisements have told. */
void report_resolvers(struct worker *w);
void report_stats(struct worker *w);
/* What the packet path did, for whoever looks into a slow tunnel. */
void report_counts(struct worker *w);
/* The last message. */
void report_end(struct worker *w);
