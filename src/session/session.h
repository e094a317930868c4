/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One tunnel from the first HTTP byte to the last: HTTP, SSTP, PPP and the packet path composed, still
 * without a descriptor. The caller moves bytes between TLS and session_input()/session_output(), and packets
 * between the TUN and session_tun_*(). Both roles: the worker is a client, sstp-peer a server.
 *
 * The same contract as the engines (sstp.h): pull events after each call, call session_timeout() at the
 * deadline.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/cause.h"
#include "base/clock.h"
#include "data/rx.h"
#include "data/tx.h"
#include "proto/http/http.h"
#include "proto/ppp/ppp_state.h"
#include "proto/sstp/sstp_state.h"

/* No control packet is larger than this with its SSTP header; session_output() never needs more room. */
#define SESSION_CONTROL_MAX SSTP_PACKET_MAX

struct session_config {
	enum sstp_role role;
	char host[256]; /* client: for the Host header */
	struct sstp_config sstp;
	struct ppp_config ppp;
	struct tx_config tx;
	struct rx_config rx;
	struct random_source random;
	usec_t http_time; /* 0 = 60 s, [MS-SSTP] 4.1 */
	/* Server: the Date of the HTTP answer, "" for none. */
	char date[40];
};

enum session_event_type {
	SESSION_EVENT_NONE,
	SESSION_EVENT_STAGE, /* a stage is over: `stage` (HTTP, SSTP, LCP, AUTH, IPCP) */
	/* IPv4 (or, where IPv4 is not wanted, IPv6) may flow; session_params() is complete. Comes again when
	 * the peer has negotiated IPCP anew, perhaps with other addresses. */
	SESSION_EVENT_UP,
	SESSION_EVENT_IPV6_UP, /* may come before or after UP */
	SESSION_EVENT_IPV6_DOWN,
	SESSION_EVENT_DOWN,  /* no packet may flow any more, after UP; the closing exchange goes on */
	SESSION_EVENT_ENDED, /* send what session_output() still has, then close; `failure` says why */
};

struct session_event {
	enum session_event_type type;
	enum stage stage;
	struct failure failure;
};

#define SESSION_EVENTS_MAX 16

enum session_phase { SESSION_PHASE_HTTP, SESSION_PHASE_CALL, SESSION_PHASE_ENDED };

struct session {
	/*
	 * To be asked what they have counted and agreed on, and tx to be told of the path: tx_set_path(),
	 * tx_set_limit(), tx_spare(). All that passes, and what may pass, is the session's affair.
	 */
	struct tx *tx;
	struct rx *rx;
	struct sstp sstp;
	/* private */
	struct session_config config;
	enum session_phase phase;
	usec_t http_deadline;
	struct http_response response;
	struct http_request request;
	struct ppp ppp;
	unsigned rx_room; /* packets that the join takes before it must be drained */
	size_t control_len, control_pos;
	unsigned event_first, event_count;
	struct failure failure; /* the first cause that was seen; it wins over its consequences */
	bool flowing;		/* packets may flow */
	bool up_told;		/* UP has been taken, and no DOWN since */
	bool sstp_was_up;	/* the call was accepted */
	/* Nothing is in these but what the counts above say. */
	struct session_event events[SESSION_EVENTS_MAX];
	uint8_t control[8192]; /* control packets in the order in which they were caused */
};

/* -ENOMEM, or -EINVAL for a host that cannot stand in a header. */
int session_init(struct session *s, const struct session_config *config);
void session_done(struct session *s);

/* TLS is up. The client queues its request. */
void session_start(struct session *s, usec_t now);

/*
 * Takes decrypted bytes and returns how many were consumed. Packets for the TUN are kept by reference into
 * `data`: drain session_tun_next() before it moves. If session_tun_is_full(), drain and call again with the
 * rest; otherwise what is left is less than one packet and must be presented with more behind it. Once the
 * session has ended everything is consumed.
 */
size_t session_input(struct session *s, const uint8_t *data, size_t len, usec_t now);
/* The transport has ended, orderly or not; `how` goes into the failure ("reset by the other side"). */
void session_transport_lost(struct session *s, const char *how, usec_t now);

/*
 * Fills `out` with bytes to send: control packets first, then data packets. Only control packets of more than
 * `space` bytes together are cut, and go on in the next call. Returns the number of bytes, 0 if there is
 * nothing to send. `space` ≥ session_packet_max(); a control packet may leave in pieces.
 */
size_t session_output(struct session *s, uint8_t *out, size_t space, usec_t now);
/* A lower or higher MTU of the tunnel from now on. */
void session_set_mtu(struct session *s, uint16_t mtu);
/* The bytes that session_output() needs for the largest data packet. */
size_t session_packet_max(const struct session *s);

/* A buffer for one read of the TUN; never NULL. */
static inline uint8_t *session_tun_reserve(struct session *s, size_t *ret_size)
{
	return tx_reserve(s->tx, ret_size);
}
/* `len` bytes were read into it. Dropped unless the session is up for this kind of packet. */
static inline void session_tun_commit(struct session *s, size_t len, usec_t now)
{
	(void)tx_commit(s->tx, len, now);
}
/* The next write to the TUN: the number of iovecs filled, 0 if there is none. */
int session_tun_next(struct session *s, struct iovec iov[static RX_IOV_MAX]);
/* No more packets are taken before that has returned 0. */
static inline bool session_tun_is_full(const struct session *s)
{
	return s->rx_room == 0;
}
/* See rx_hold() and rx_moved(): before the drain and after it. Where no more packets can come nothing is
 * held.
 */
static inline const uint8_t *session_tun_hold(struct session *s, const uint8_t *end)
{
	return s->flowing ? rx_hold(s->rx, end) : NULL;
}
static inline void session_tun_moved(struct session *s, const uint8_t *to)
{
	rx_moved(s->rx, to);
}

/* The client's credentials; see ppp_set_credentials(). */
int session_set_credentials(struct session *s, const char *user, const struct secret *password, usec_t now);
/* Server: other addresses for the client, see ppp_renumber(). */
void session_renumber(struct session *s, const struct ppp_server_config *server, usec_t now);
/* Ends in order: LCP Terminate-Request, CALL_DISCONNECT. `failure` may be NULL (asked for). */
void session_stop(struct session *s, const struct failure *failure, usec_t now);

struct session_event session_event(struct session *s);
usec_t session_deadline(const struct session *s);
void session_timeout(struct session *s, usec_t now);
const struct ppp_params *session_params(const struct session *s);
/* The stage that is being waited for. */
enum stage session_stage(const struct session *s);
bool session_is_open(const struct session *s);
