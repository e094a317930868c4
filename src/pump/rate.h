/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much to hand over at once, to TLS, to the kernel and to our own queue, at the rate of the connection.
 * What waits in the kernel cannot be overtaken by a sparse flow any more, so it should be no more than keeps
 * the link busy (docs/performance.md). It computes only: the pump asks TCP and the clocks, and does as it is
 * told here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

/* From here on the kernel's own limit does: it looks at it once per buffer of up to 64 KiB. */
#define RATE_UNSENT_FINE (128u * 1024u)

struct tcp_info; /* <linux/tcp.h>, which does not go with <netinet/tcp.h> */

struct rate {
	/* Results, as of the last rate_adapt(); sizes in bytes. */
	size_t burst;	       /* to be handed to TLS at once */
	usec_t burst_time;     /* it takes so long on the wire */
	usec_t min_rtt;	       /* round trip of the empty path; 0: not known */
	uint64_t queue_limit;  /* for our own queue */
	uint32_t unsent_limit; /* what TCP_NOTSENT_LOWAT shall be */
	/* What it is. 0: this kernel has no such limit. The caller's. */
	uint32_t notsent_lowat;
	/* private */
	size_t unsent;	  /* at most that much TCP has not sent yet */
	bool drained;	  /* EPOLLOUT has come, and nobody has looked how much is missing */
	uint32_t spare;	  /* segments that the kernel shall have above the least */
	uint32_t segment; /* bytes of TCP's segments */
	bool streams;	  /* more than a few segments were under way */
	usec_t tail_time; /* about as long as it takes until the next segment may follow */
	usec_t next_time; /* the rate is adapted to then, or after so many bytes */
	uint64_t next_bytes;
	usec_t measured_cpu; /* processor time, and bytes, when cpu_rate was measured */
	uint64_t measured_bytes;
	uint64_t cpu_rate; /* bytes per second of processor time */
};

/* What rate_adapt() needs to know beside what TCP says. */
struct rate_sample {
	usec_t now, cpu;      /* the time, and the processor time of this process */
	uint64_t sent, moved; /* bytes so far: sent; of both directions */
	size_t burst_min, burst_max;
};

/* `burst`: until the rate is known. `cpu`: the processor time of this process. */
void rate_init(struct rate *r, size_t burst, usec_t cpu);

/* EPOLLOUT has come: TCP has sent what it had, but for half of the limit. */
static inline void rate_drained(struct rate *r)
{
	r->drained = true;
}

/* `bytes` more were given to TCP. Returns how long it may keep what is left of them after whole segments. */
usec_t rate_sent(struct rate *r, size_t bytes);

/* Whether it is time for rate_adapt(), `sent` bytes having been sent so far. */
static inline bool rate_is_due(const struct rate *r, usec_t now, uint64_t sent)
{
	return now >= r->next_time || sent >= r->next_bytes;
}

/*
 * Whether it must be looked what TCP has not sent yet: only where what was written or sent since the last
 * look can have changed the answer of rate_kernel_has_enough(). On a fast path, and without a limit, the
 * kernel's word at send(2) will do.
 */
static inline bool rate_is_in_doubt(const struct rate *r)
{
	return r->notsent_lowat > 0 && r->notsent_lowat < RATE_UNSENT_FINE &&
	       (r->drained || 2 * r->unsent >= r->notsent_lowat);
}

/* What TCP_INFO says. */
void rate_look(struct rate *r, const struct tcp_info *info);

/* Has the kernel enough to send? The condition is that of EPOLLOUT: half of the limit. */
static inline bool rate_kernel_has_enough(const struct rate *r)
{
	return r->notsent_lowat > 0 && r->notsent_lowat < RATE_UNSENT_FINE &&
	       2 * r->unsent >= r->notsent_lowat;
}

/* Computes the results anew, after rate_look(). False: TCP does not know the rate yet, nothing has changed.
 */
bool rate_adapt(struct rate *r, const struct tcp_info *info, const struct rate_sample *sample);
