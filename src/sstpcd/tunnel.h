/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The supervisor of one interface: it keeps the TUN device, runs one worker after another on it, checks what
 * they report, and has the kernel configured accordingly. One table, state × event, in tunnel.c.
 *
 *     tunnel.c    the table and its actions
 *     attempt.c   what a worker reports, checked and remembered
 *     kernel.c    what the kernel should look like, and which path the outer connection takes
 *
 * Everything runs in the loop of `struct tunnel_host`; nothing here blocks but rtnetlink.
 */
#pragma once

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>

#include "base/cause.h"
#include "base/log.h"
#include "base/random.h"
#include "config/model.h"
#include "io/loop.h"
#include "io/tun.h"
#include "ipc/worker.h"
#include "netconf/monitor.h"
#include "netconf/netconf.h"
#include "netconf/underlay.h"
#include "sstpcd/process.h"

enum tunnel_state {
	TUNNEL_DISABLED,    /* administratively down */
	TUNNEL_HELD,	    /* not connected on request, or not connected yet */
	TUNNEL_WAITING,	    /* for the next attempt */
	TUNNEL_DIALLING,    /* a worker runs, the server is not verified yet */
	TUNNEL_NEGOTIATING, /* the server is verified and gets the password */
	TUNNEL_UP,
	TUNNEL_STOPPING, /* the worker ends; what follows is decided */
	_TUNNEL_STATE_MAX,
};
const char *tunnel_state_name(enum tunnel_state state); /* "waiting" */

enum tunnel_event {
	TUNNEL_EVENT_NONE,
	TUNNEL_EVENT_CONNECT,	 /* a user asks for a connection now */
	TUNNEL_EVENT_DISCONNECT, /* a user wants none until TUNNEL_EVENT_CONNECT */
	TUNNEL_EVENT_DISABLE,	 /* configuration: `disable` set … */
	TUNNEL_EVENT_ENABLE,	 /* … and taken away */
	TUNNEL_EVENT_REDIAL,	 /* configuration: a change that needs a new session */
	TUNNEL_EVENT_NETWORK,	 /* there is another path to the server than at the last attempt */
	TUNNEL_EVENT_PATH_LOST, /* the device that the session is bound to cannot reach the server any more */
	TUNNEL_EVENT_DELETED,	/* another program has deleted the interface */
	TUNNEL_EVENT_TIMER,	/* the deadline of the state */
	TUNNEL_EVENT_VERIFIED,	/* the worker: the server is who it should be */
	TUNNEL_EVENT_UP,	/* the worker: packets can flow, or: the server has given other addresses */
	TUNNEL_EVENT_FAILED,	/* the worker has told its end, or was found to be wrong: `failure` is set */
	TUNNEL_EVENT_GONE,	/* the worker process has ended */
	_TUNNEL_EVENT_MAX,
};

struct tunnel;

/* What observers are told. They read the rest from the tunnel. */
enum tunnel_note {
	TUNNEL_NOTE_STATE,    /* `state` has changed */
	TUNNEL_NOTE_STAGE,    /* attempt->stage has begun */
	TUNNEL_NOTE_VERIFIED, /* attempt->verified is known */
	TUNNEL_NOTE_KERNEL,   /* report is new: the kernel was changed, or something new is to be said */
	TUNNEL_NOTE_STATS,    /* attempt->stats is new */
	TUNNEL_NOTE_FAILURE,  /* an attempt or a session has failed: `failure` */
	TUNNEL_NOTE_CLOSED,   /* tunnel_close() is done: the owner calls tunnel_free() */
};

/* What all tunnels of a program share. */
struct tunnel_host {
	struct loop *loop;
	struct netconf *netconf;
	struct dns_watch *dns_watch; /* told when we have made a file that it may not see yet; may be NULL */
	const char *worker_path;     /* of sstpc-tunnel */
	const struct logger *log;
	struct random_source random;
	/* May be NULL. Called in the middle of things: it may read the tunnel, stop the loop and set timers,
	 * but gives no commands to the tunnel. */
	void (*observe)(void *ctx, struct tunnel *t, enum tunnel_note note);
	void *observe_ctx;
};

struct tunnel_options {
	bool halves;	    /* the default route in two halves, that beat every other (`quick`) */
	bool strict_kernel; /* a kernel that refuses a part of the configuration ends the session */
	int keylog_fd;	    /* -1 = none; the tunnel takes it over */
	bool no_vnet_hdr;   /* plain packets */
};

/* One connection attempt and its session: what is known of it, while it lasts and until the next one. */
struct tunnel_attempt {
	usec_t started;
	bool waits_for_resolver;     /* no worker yet: the host's resolver is being changed */
	enum stage stage;	     /* the present one, or the one that it ended in */
	usec_t stage_at[_STAGE_MAX]; /* when each began; 0 = not reached */
	char stage_detail[128];	     /* of `stage` */
	bool has_verified, has_link, has_up, has_ipv6;
	struct worker_verified verified;
	struct worker_link link;
	struct worker_up up;
	struct worker_ipv6 ipv6;
	struct worker_rdnss rdnss;
	struct worker_stats stats;
	usec_t stats_asked;	/* when; 0 = no answer is awaited */
	struct net_addr server; /* the first address that was tried, later the one that was reached */
	struct worker_addresses
		queried;	/* what the worker may connect to; none where it was not asked here */
	struct net_addr source; /* ours, of the connection; AF_UNSPEC = not known */
	unsigned log_lines;	/* taken from this worker */
	unsigned changes;	/* of addresses, told by this worker in its session */
};

/* Members may be read by everybody and written by tunnel.c, attempt.c and kernel.c. */
struct tunnel {
	struct tunnel_host *host;
	struct tunnel_options options;
	struct config_interface config;
	struct logger log;
	struct tun tun;
	bool fresh;	/* the owner's: made by a commit that is being applied */
	bool unstarted; /* the owner's: to be connected when nobody is in the way */

	enum tunnel_state state;
	usec_t state_since;	 /* CLOCK_MONOTONIC */
	usec_t state_since_boot; /* CLOCK_BOOTTIME */
	enum tunnel_state next;	 /* STOPPING: HELD, DISABLED, DIALLING (at once) or WAITING (by `failure`) */
	bool held;		 /* `disconnect`: until `connect` */
	bool closing;		 /* tunnel_close() was called */
	struct loop_timer timer; /* the deadline of the state */

	struct process process;
	struct tunnel_attempt *attempt; /* NULL before the first */

	struct failure failure; /* the last one; CAUSE_NONE = none since the last success or command */
	int64_t failure_at;	/* wall clock */
	unsigned failures;	/* in a row: determines the wait */
	unsigned refused;	/* logins, since a session was up or somebody has changed something */
	enum tunnel_event due;	/* for tunnel_follow_up() … */
	bool due_unproven;	/* … another server, user, or what it is trusted by */
	bool proven;		/* a session of this configuration was up and was lost */
	bool eap_first;		/* the server was found to take no MS-CHAPv2 but in EAP */
	unsigned sessions;	/* that came up */

	/* What stays on the interface while a session is being replaced. */
	struct in_addr local, peer;
	uint16_t peer_mru; /* 0 = unknown */

	struct underlay path;	      /* as it was at the last attempt; ifindex 0 = there was none */
	struct loop_timer path_timer; /* runs while the bound device has no path but another one has */
	struct loop_timer reconcile_timer;
	usec_t reconciled;		/* when the kernel was last changed */
	struct loop_timer router_timer; /* runs while a router of the tunnel may still be heard */
	struct loop_timer renew_timer;
	usec_t renewed;		       /* when the device was last made anew */
	struct loop_timer retry_timer; /* runs while something of the configuration is refused */
	usec_t retry_pause;	       /* 0 = nothing is */
	struct net_report report;
};

/*
 * Makes the interface (admin up unless `disable`) without dialling; state HELD or DISABLED. `config` is
 * copied. On failure nothing is left and `failure` tells why. `options` may be NULL.
 */
int tunnel_new(struct tunnel_host *host, const struct config_interface *config,
	       const struct tunnel_options *options, struct tunnel **ret, struct failure *failure);
/* The same for a device that exists: of a tunnel that another program of this process has run (re-exec). It
 * changes nothing in the kernel, and takes the device over on success. */
int tunnel_adopt(struct tunnel_host *host, const struct config_interface *config,
		 const struct tunnel_options *options, const struct tun *tun, struct tunnel **ret);
/* Ends the session in order; TUNNEL_NOTE_CLOSED follows, perhaps from inside this call. */
void tunnel_close(struct tunnel *t);
/* Takes everything of ours from the kernel and the interface away. A worker that still runs is killed. */
void tunnel_free(struct tunnel *t);

/* A server is being dialled, or a session runs. */
bool tunnel_is_live(const struct tunnel *t);

/* Commands. */
void tunnel_event(struct tunnel *t, enum tunnel_event event);
/*
 * A new configuration: only what differs is done, and what becomes of the session is left to
 * tunnel_follow_up(), so that a commit can be taken back without one lost. 0, or -ENOMEM: the old one stays.
 */
int tunnel_configure(struct tunnel *t, const struct config_interface *config);
/* What configurations since the last call want of the session: that it ends, begins, or is dialled again. Not
 * `wanted`: the first configuration is back. */
void tunnel_follow_up(struct tunnel *t, bool wanted);
/* Ends a stopping worker at once (a second Ctrl-C). */
void tunnel_hurry(struct tunnel *t);
/* Asks the worker for its counters; TUNNEL_NOTE_STATS follows. -ENOTCONN without a session. */
int tunnel_query_stats(struct tunnel *t);

/* Something has changed in the kernel: `event` of the monitor, or NULL for "much". Cheap. */
void tunnel_kernel_event(struct tunnel *t, const struct net_event *event);
/* The network has changed, or the machine has slept for `asleep`: is now a better moment to dial, is the path
 * still there? Called once for a burst of events. */
void tunnel_network_changed(struct tunnel *t, usec_t asleep);

/* Somebody, perhaps ourselves, has changed resolv.conf. */
void tunnel_resolv_conf_changed(struct tunnel *t);
/* A change of the host's resolver may have ended, well or not. */
void tunnel_resolver_changed(struct tunnel *t);

/* When the next attempt will be made; USEC_NEVER if none is planned. */
usec_t tunnel_next_attempt(const struct tunnel *t);
/* The MTU in force, and (may be NULL) who determines it: "configured" or "the server's MRU". */
uint16_t tunnel_mtu(const struct tunnel *t, const char **ret_why);
/* "vpn.example.com:443" */
void tunnel_server_format(const struct tunnel *t, char *out, size_t size);

/* Between the files of the supervisor. */

/* Counts a failure of the present attempt (the first one stands) and gives the event. */
void tunnel_fail(struct tunnel *t, enum cause cause, const char *detail_format, ...) _printf_(3, 4);
void tunnel_note(struct tunnel *t, enum tunnel_note note);
/* The worker is alive: the watchdog waits anew. */
void tunnel_answered(struct tunnel *t);

/* attempt.c */
int attempt_start(struct tunnel *t, struct failure *failure); /* starts a worker and sends START */
int attempt_send_password(struct tunnel *t, struct failure *failure);
void attempt_message(void *ctx, struct ipc_message *m); /* struct process callback */

/* kernel.c */
/* Brings the kernel to what the present state wants. Failures are logged and kept in `report`. */
int kernel_reconcile(struct tunnel *t);
/* The same for what the server can change as often as it likes: at once the first few times in a session
 * (then true), later after a pause. */
bool kernel_follow_server(struct tunnel *t);
/* A program that changes the host's resolvers for this tunnel has ended, well if `failure` is CAUSE_NONE. */
void kernel_resolvers_done(struct tunnel *t, const struct failure *failure);
/* What of it is refused, by the kernel or by the host's resolver; NULL = nothing. */
const struct failure *kernel_refused(const struct tunnel *t);
void kernel_reconcile_soon(void *ctx); /* struct loop_timer callback */
/* True if there is a path to the server (or, unknown yet, to anywhere) and it is not the one of the last
 * attempt. */
bool kernel_path_is_new(struct tunnel *t);
void kernel_remember_path(struct tunnel *t);
/* Has the session's connection lost its path, while there is another one? */
bool kernel_has_lost_path(struct tunnel *t);
/* Watches the path of the session's bound device; sets path_timer. */
void kernel_check_bound_path(struct tunnel *t);
/* Whether the way to an address that the worker has asked for leads into a tunnel (`device`), which no other
 * one may use. */
bool kernel_leads_into_tunnel(struct tunnel *t, char device[static IFNAMSIZ]);
/* Answers a worker that asks which device leads to each address. */
void kernel_find_devices(struct tunnel *t, const struct worker_addresses *a, struct worker_routes *ret);
