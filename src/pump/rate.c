/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pump/rate.h"

#include <linux/tcp.h>

#include "base/macro.h"
#include "data/tx.h"

/* What is handed to TLS at once takes about this long on the wire: a packet behind it waits no longer. */
#define BURST_TIME   (1 * USEC_PER_MSEC)
#define UNSENT_TIME  (2 * USEC_PER_MSEC) /* of data that the kernel has but TCP has not sent yet */
#define UNSENT_MIN   2u			 /* segments: EPOLLOUT comes when the last whole one is gone */
#define SPARE_MAX    8u			 /* segments more, see note_gap() */
#define UNSENT_START (64u * 1024u)	 /* until the rate is known */
#define UNSENT_MAX   (1024u * 1024u)
/* So long the end of a long packet waits for the next one to fill its segment, see rate_sent(). */
#define TAIL_TIME_MAX	(10 * USEC_PER_MSEC)
#define TAIL_TIME_MIN	(1 * USEC_PER_MSEC) /* a timer is no finer */
#define RECORD_EXTRA	21u		    /* what a record adds to its content, at least */
#define STREAM_SEGMENTS 4u		    /* under way: more than a short request, so more will follow */
/* The rate is looked at so often; a fast path is filled within milliseconds. */
#define ADAPT_EVERY (50 * USEC_PER_MSEC)
#define ADAPT_BYTES (1024u * 1024u)
/* The queue may be as long as what the path, or one processor, carries in a round trip and this time. */
#define QUEUE_TIME   (3 * USEC_PER_MSEC)
#define CPU_WINDOW   (20 * USEC_PER_MSEC) /* some kernels count processor time in ticks of 4 ms */
#define RATE_UNKNOWN UINT32_MAX		  /* bytes per second of a processor: more than any has */

_Static_assert(BURST_TIME <= TX_SLOW_BURST, "a path is slow where a burst is longer because a packet is");

void rate_init(struct rate *r, size_t burst, usec_t cpu)
{
	*r = (struct rate){
		.burst = burst, .unsent_limit = UNSENT_START, .cpu_rate = RATE_UNKNOWN, .measured_cpu = cpu
	};
}

/*
 * A record of one packet is a little longer than a segment, and a stream whose packets come one by one, each
 * after an acknowledgement, would leave one that is next to empty behind every full one: the congestion
 * window counts packets, and a lossy path carried a fifth less. A short packet by itself does not wait, nor
 * what comes before a stream is under way; the end of a burst may be late by this.
 */
usec_t rate_sent(struct rate *r, size_t bytes)
{
	bool wanted = r->streams && bytes + RECORD_EXTRA > r->segment && r->notsent_lowat < RATE_UNSENT_FINE;

	r->unsent += bytes;
	return wanted && r->tail_time >= TAIL_TIME_MIN ? r->tail_time : 0;
}

/* That of the path when it was empty; 0: not known yet. */
static usec_t least_round_trip(const struct tcp_info *info)
{
	return info->tcpi_min_rtt == UINT32_MAX ? 0 : info->tcpi_min_rtt;
}

/*
 * Acknowledgements may come in bunches (Wi-Fi, cable, coarse timers). Each lets more go at once than we had
 * left with the kernel, and TCP does not widen a window that was not used up: that cost a third on a lossy
 * path. So as many segments more are kept there, up to what goes out in a quarter of a round trip, because
 * nothing overtakes them; and not if the path has a queue of its own, which is not emptied by that.
 */
static void note_gap(struct rate *r, const struct tcp_info *info)
{
	uint32_t away = info->tcpi_unacked + info->tcpi_retrans - info->tcpi_sacked - info->tcpi_lost;
	uint32_t gap = info->tcpi_snd_cwnd > away ? info->tcpi_snd_cwnd - away : 0;
	usec_t min_rtt = least_round_trip(info);

	if (gap > 1 && info->tcpi_rtt < min_rtt + min_rtt / 4)
		r->spare = MIN(r->spare + gap, MIN(SPARE_MAX, info->tcpi_snd_cwnd / 4));
}

void rate_look(struct rate *r, const struct tcp_info *info)
{
	r->unsent = info->tcpi_notsent_bytes;
	r->segment = info->tcpi_snd_mss;
	r->streams = info->tcpi_unacked >= STREAM_SEGMENTS;
	if (r->drained)
		note_gap(r, info);
	r->drained = false;
}

/*
 * Where processes and not the path are the limit, they take turns of hundreds of microseconds, and a queue
 * that is short for that loses packets while a processor is idle: a flow at 10 Gbit/s needs three times the
 * bytes of one at 3. What passes at present would tell only what the queue allows, so it goes by what a
 * processor can carry.
 */
static void measure_processor(struct rate *r, const struct rate_sample *s)
{
	if (s->cpu - r->measured_cpu < CPU_WINDOW)
		return;
	r->cpu_rate = (s->moved - r->measured_bytes) * USEC_PER_SEC / (s->cpu - r->measured_cpu);
	r->measured_bytes = s->moved;
	r->measured_cpu = s->cpu;
}

/* A little more or less is not worth a system call. */
static void choose_unsent_limit(struct rate *r, uint32_t wanted)
{
	if (wanted > r->notsent_lowat + r->notsent_lowat / 4 ||
	    wanted < r->notsent_lowat - r->notsent_lowat / 4)
		r->unsent_limit = wanted;
}

/*
 * The rate is what TCP may have under way in a round trip. The delivery rate says nothing about the path
 * while there is little to send, which on a slow one is what the kernel takes for granted as long as we hold
 * back.
 */
bool rate_adapt(struct rate *r, const struct tcp_info *info, const struct rate_sample *s)
{
	uint64_t window = (uint64_t)info->tcpi_snd_cwnd * info->tcpi_snd_mss;
	uint64_t rate = window * USEC_PER_SEC / MAX(info->tcpi_rtt, 1u); /* bytes per second */

	r->next_time = s->now + ADAPT_EVERY;
	r->next_bytes = s->sent + ADAPT_BYTES;
	if (rate == 0)
		return false;
	uint64_t least = (UNSENT_MIN + 2ull * r->spare) * info->tcpi_snd_mss;
	r->spare -= r->spare > 0; /* for this time; it is noted again if need be */
	choose_unsent_limit(r, (uint32_t)CLAMP(rate * UNSENT_TIME / USEC_PER_SEC, least, UNSENT_MAX));
	r->min_rtt = least_round_trip(info);
	r->burst = (size_t)CLAMP(rate * BURST_TIME / USEC_PER_SEC, s->burst_min, s->burst_max);
	r->burst_time = r->burst * USEC_PER_SEC / rate;
	r->tail_time = MIN(MAX(info->tcpi_snd_mss * USEC_PER_SEC / rate, info->tcpi_rtt / 8), TAIL_TIME_MAX);
	measure_processor(r, s);
	r->queue_limit = MIN(r->cpu_rate, rate) * (QUEUE_TIME + MIN(r->min_rtt, USEC_PER_SEC)) / USEC_PER_SEC;
	return true;
}
