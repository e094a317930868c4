/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moves bytes between a TLS session, a tunnel session and a TUN. The one place where the packet path meets
 * descriptors; used by the worker and by sstp-peer. It never blocks and never sleeps: the caller polls for
 * what pump_wants() says, calls pump_run(), then looks at the session's events and deadline.
 *
 * Cost of a bulk packet towards the server: 1/44 of a read(2) of the TUN (one super-packet of up to 64 KiB),
 * one copy with checksum into a record, encryption, and a share of one send(2) for several records. From the
 * server: a share of one recv(2), decryption, one checksum pass, 1/44 of a writev(2).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "pump/rate.h"
#include "pump/turns.h"
#include "session/session.h"
#include "tls/tls.h"

/* Several records in one pass let the join build super-packets of up to 64 KiB out of what one recv(2)
 * brought. */
#define PUMP_IN_SIZE (288u * 1024u)
/* What one send(2) carries at full rate: more makes the copies miss the cache, less costs system calls. */
#define PUMP_OUT_SIZE (8u * TLS_RECORD_MAX)

struct pump_stats {
	uint64_t rx_bytes, tx_bytes; /* plaintext of the TLS stream */
	uint64_t tun_write_errors;   /* packets that the kernel refused */
};

struct pump {
	struct session *session;
	struct tls *tls;
	int socket, tun; /* tun: -1 while there is none */
	struct pump_stats stats;
	/*
	 * Optional stand-in for session_output(), for faults. May return 0 to hold everything back, and
	 * write less than `space`.
	 */
	size_t (*output)(void *ctx, uint8_t *out, size_t space, usec_t now);
	void *output_ctx;
	struct turns *turns; /* optional, the process's: judged while there is traffic */
	/* private */
	uint8_t *in, *out;
	size_t in_len; /* bytes at the start of `in`: of packets that are held, of one that is incomplete */
	size_t held;   /* those of packets that may be joined with what comes next */
	size_t out_pos, out_len; /* plaintext that TLS has not taken yet */
	struct rate rate;	 /* of the connection, and what follows from it */
	usec_t next_spare;
	usec_t tail_until;	      /* the end of a segment may wait so long for what fills it */
	bool corked;		      /* the kernel sends whole segments only */
	bool full;		      /* the kernel has enough to send, until EPOLLOUT */
	bool socket_ready, tun_ready; /* false from an EAGAIN to the next word of epoll */
	bool shut;		      /* close_notify is queued */
	bool read_closed;
	bool tun_lost; /* the device behind the TUN was deleted */
};

/* `session` and `tls` stay the caller's, as do the descriptors, which must be non-blocking. -ENOMEM. */
int pump_init(struct pump *p, struct session *session, struct tls *tls, int socket, int tun);
void pump_done(struct pump *p);

/* What epoll says of the socket. */
static inline void pump_socket_ready(struct pump *p, uint32_t events)
{
	if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		p->socket_ready = true;
	if (events & EPOLLOUT && p->full) {
		p->full = false;
		rate_drained(&p->rate);
		p->tun_ready = true; /* nobody has looked meanwhile */
	}
}
/* epoll says that the TUN can be read. */
static inline void pump_tun_ready(struct pump *p)
{
	p->tun_ready = true;
}

/* True once the device behind the TUN is no more: stop watching it (it reports errors for ever). */
static inline bool pump_tun_lost(const struct pump *p)
{
	return p->tun_lost;
}

/* Does what can be done now, within a budget. Returns true if there is more to do without waiting. */
bool pump_run(struct pump *p, usec_t now);

/* The epoll events to wait for on the socket and on the TUN. */
void pump_wants(const struct pump *p, uint32_t *ret_socket, uint32_t *ret_tun);

/* When pump_run() is due though nothing has happened; USEC_NEVER: not by itself. */
usec_t pump_deadline(const struct pump *p);

/*
 * After SESSION_EVENT_ENDED: sends what is left and close_notify. True when all is in the socket (or cannot
 * be sent any more): the caller may close it.
 */
bool pump_close(struct pump *p, usec_t now);
