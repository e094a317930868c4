/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pump/pump.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/sockopt.h"

/*
 * One turn moves at most this much per direction, so that neither starves the other or the control socket.
 * The TUN is drained as far as the fair queue has room: what waits in its ring cannot be overtaken by a
 * sparse flow, and drops at the tail. With 4 reads per turn, the 95th percentile of a ping beside an upload
 * was 15 ms, with these it is 3 to 4, and a stream of small packets fills its records: 105,000 packets/s
 * instead of 80,000.
 */
#define TUN_READS_PER_TURN 128
#define TUN_BYTES_PER_TURN (1024u * 1024u)
#define WRITES_PER_TURN	   4
#define READS_PER_TURN	   2

/* What is handed to TLS at once takes about this long on the wire: a packet behind it waits no longer. */
#define BURST_TIME   (1 * USEC_PER_MSEC)
#define BURST_START  TLS_RECORD_MAX	 /* until the rate is known */
#define UNSENT_TIME  (2 * USEC_PER_MSEC) /* of data that the kernel has but TCP has not sent yet */
#define UNSENT_MIN   2u			 /* segments: EPOLLOUT comes when the last whole one is gone */
#define SPARE_MAX    8u			 /* segments more, see note_gap() */
#define UNSENT_START (64u * 1024u)	 /* until the rate is known */
#define UNSENT_MAX   (1024u * 1024u)
/* Below this the kernel's own limit is too coarse: it looks at it once per buffer of up to 64 KiB. */
#define UNSENT_FINE (128u * 1024u)
/* So long the end of a long packet waits for the next one to fill its segment, see tail_time(). */
#define TAIL_TIME_MAX	(10 * USEC_PER_MSEC)
#define TAIL_TIME_MIN	(1 * USEC_PER_MSEC) /* a timer is no finer */
#define RECORD_EXTRA	21u		    /* what a record adds to its content, at least */
#define STREAM_SEGMENTS 4u		    /* under way: more than a short request, so more will follow */
/* The rate is looked at so often; a fast path is filled within milliseconds. */
#define ADAPT_EVERY (50 * USEC_PER_MSEC)
#define ADAPT_BYTES (1024u * 1024u)
/* Memory that a burst needed is given back so late, or when something happens for the second time after
 * that. */
#define SPARE_EVERY USEC_PER_SEC
/* The queue may be as long as what the path, or one processor, carries in a round trip and this time. */
#define QUEUE_TIME   (3 * USEC_PER_MSEC)
#define CPU_WINDOW   (20 * USEC_PER_MSEC) /* some kernels count processor time in ticks of 4 ms */
#define RATE_UNKNOWN UINT32_MAX		  /* bytes per second of a processor: more than any has */

_Static_assert(BURST_TIME <= TX_SLOW_BURST, "a path is slow where a burst is longer because a packet is");

static void set_unsent_limit(struct pump *p, uint32_t bytes)
{
	if (sockopt_set_int(p->socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, (int)bytes) == 0)
		p->notsent_lowat = bytes;
}

int pump_init(struct pump *p, struct session *session, struct tls *tls, int socket, int tun)
{
	*p = (struct pump){ .session = session,
			    .tls = tls,
			    .socket = socket,
			    .tun = tun,
			    .burst = BURST_START,
			    .cpu_rate = RATE_UNKNOWN,
			    .measured_cpu = clock_cpu() };
	p->in = malloc(PUMP_IN_SIZE);
	p->out = malloc(PUMP_OUT_SIZE);
	if (!p->in || !p->out) {
		pump_done(p);
		return -ENOMEM;
	}
	set_unsent_limit(p, UNSENT_START);
	return 0;
}

void pump_done(struct pump *p)
{
	if (p->turns)
		turns_rest(p->turns);
	if (p->out)
		wipe(p->out, TLS_RECORD_MAX); /* what was not sent may be a password */
	free(p->in);
	free(p->out);
	p->in = p->out = NULL;
}

/*
 * Where processes and not the path are the limit, they take turns of hundreds of microseconds, and a queue
 * that is short for that loses packets while a processor is idle: a flow at 10 Gbit/s needs three times the
 * bytes of one at 3. What passes at present would tell only what the queue allows, so it goes by what a
 * processor can carry.
 */
static void adapt_queue(struct pump *p, uint64_t path_rate, usec_t rtt)
{
	uint64_t bytes = p->stats.tx_bytes + p->stats.rx_bytes;
	usec_t cpu = clock_cpu();

	if (cpu - p->measured_cpu >= CPU_WINDOW) {
		p->cpu_rate = (bytes - p->measured_bytes) * USEC_PER_SEC / (cpu - p->measured_cpu);
		p->measured_bytes = bytes;
		p->measured_cpu = cpu;
	}
	tx_set_limit(p->session->tx, MIN(p->cpu_rate, path_rate) * (QUEUE_TIME + rtt) / USEC_PER_SEC);
}

/* That of the path when it was empty; 0: not known yet. */
static usec_t least_round_trip(const struct tcp_info *info)
{
	return info->tcpi_min_rtt == UINT32_MAX ? 0 : info->tcpi_min_rtt;
}

/*
 * Sizes bursts and the unsent part of the socket buffer by the rate: what waits in the kernel cannot be
 * overtaken by a sparse flow any more, so it should be no more than keeps the link busy
 * (docs/performance.md). The rate is what TCP may have under way in a round trip. The delivery rate says
 * nothing about the path while there is little to send, which on a slow one is what the kernel takes for
 * granted as long as we hold back.
 */
static void adapt_to_rate(struct pump *p, const struct tcp_info *info)
{
	uint64_t window = (uint64_t)info->tcpi_snd_cwnd * info->tcpi_snd_mss;
	uint64_t rate = window * USEC_PER_SEC / MAX(info->tcpi_rtt, 1u); /* bytes per second */
	usec_t min_rtt = least_round_trip(info);

	if (rate == 0)
		return;
	uint64_t least = (UNSENT_MIN + 2ull * p->spare) * info->tcpi_snd_mss;
	uint32_t unsent = (uint32_t)CLAMP(rate * UNSENT_TIME / USEC_PER_SEC, least, UNSENT_MAX);
	p->spare -= p->spare > 0; /* for this time; it is noted again if need be */
	p->burst = (size_t)CLAMP(rate * BURST_TIME / USEC_PER_SEC, session_packet_max(p->session),
				 PUMP_OUT_SIZE);
	tx_set_path(p->session->tx, (uint32_t)p->burst, (usec_t)(p->burst * USEC_PER_SEC / rate), min_rtt);
	adapt_queue(p, rate, MIN(min_rtt, USEC_PER_SEC));
	p->tail_time = MIN(MAX(info->tcpi_snd_mss * USEC_PER_SEC / rate, info->tcpi_rtt / 8), TAIL_TIME_MAX);
	if (unsent > p->notsent_lowat + p->notsent_lowat / 4 ||
	    unsent < p->notsent_lowat - p->notsent_lowat / 4)
		set_unsent_limit(p, unsent);
}

/*
 * Acknowledgements may come in bunches (Wi-Fi, cable, coarse timers). Each lets more go at once than we had
 * left with the kernel, and TCP does not widen a window that was not used up: that cost a third on a lossy
 * path. So as many segments more are kept there, up to what goes out in a quarter of a round trip, because
 * nothing overtakes them; and not if the path has a queue of its own, which is not emptied by that.
 */
static void note_gap(struct pump *p, const struct tcp_info *info)
{
	uint32_t away = info->tcpi_unacked + info->tcpi_retrans - info->tcpi_sacked - info->tcpi_lost;
	uint32_t gap = info->tcpi_snd_cwnd > away ? info->tcpi_snd_cwnd - away : 0;
	usec_t min_rtt = least_round_trip(info);

	if (gap > 1 && info->tcpi_rtt < min_rtt + min_rtt / 4)
		p->spare = MIN(p->spare + gap, MIN(SPARE_MAX, info->tcpi_snd_cwnd / 4));
}

/*
 * Has the kernel enough to send? The condition is that of EPOLLOUT: half of the limit. It is asked
 * only where what was written or sent since the last answer can have changed it; on a fast path, and without
 * a limit, the kernel's word at send(2) will do.
 */
static bool kernel_has_enough(struct pump *p, usec_t now)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	bool adapt = now >= p->next_adapt || p->stats.tx_bytes >= p->adapt_bytes;

	if (!adapt && (p->notsent_lowat >= UNSENT_FINE || (!p->drained && 2 * p->unsent < p->notsent_lowat)))
		return false;
	if (sockopt_get(p->socket, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return false;
	p->unsent = info.tcpi_notsent_bytes;
	p->segment = info.tcpi_snd_mss;
	if (p->drained)
		note_gap(p, &info);
	p->drained = false;
	p->streams = info.tcpi_unacked >= STREAM_SEGMENTS;
	if (adapt) {
		p->next_adapt = now + ADAPT_EVERY;
		p->adapt_bytes = p->stats.tx_bytes + ADAPT_BYTES;
		adapt_to_rate(p, &info);
	}
	return p->notsent_lowat > 0 && p->notsent_lowat < UNSENT_FINE && 2 * p->unsent >= p->notsent_lowat;
}

static void write_packets(struct pump *p)
{
	struct iovec iov[RX_IOV_MAX];
	int n;

	while ((n = session_tun_next(p->session, iov)) > 0)
		if (p->tun >= 0 && writev(p->tun, iov, n) < 0)
			p->stats.tun_write_errors++;
}

/* What a user can make of the end of the connection. */
static const char *end_of_connection(const struct pump *p, ssize_t result)
{
	if (result == 0)
		return "closed by the other side";
	if (result == -ECONNRESET)
		return "reset by the other side";
	return tls_failure(p->tls)->detail[0] ? tls_failure(p->tls)->detail
					      : cause_summary(tls_failure(p->tls)->cause);
}

/*
 * All packets in the first `used` bytes of the buffer go to the TUN. Only where more has arrived already, the
 * last super-packet waits for it, if it may still grow: a fifth of all would be cut where a read ends, and
 * each costs both ends of its stream an acknowledgement.
 */
static void deliver(struct pump *p, size_t used)
{
	const uint8_t *open = p->socket_ready ? session_tun_hold(p->session, p->in + used) : NULL;
	size_t from = open ? (size_t)(open - p->in) : used;

	write_packets(p);
	p->in_len -= from;
	p->held = used - from;
	memmove(p->in, p->in + from, p->in_len);
	if (open)
		session_tun_moved(p->session, p->in);
}

static void receive(struct pump *p, usec_t now)
{
	ssize_t n = tls_read(p->tls, p->in + p->in_len, PUMP_IN_SIZE - p->in_len);
	size_t used = p->held;

	p->socket_ready = n > 0 && !tls_drained(p->tls);
	p->read_closed = n <= 0 && n != -EAGAIN;
	if (p->read_closed) {
		/* TLS 1.3 refuses a login without certificate only after the handshake. */
		if (tls_failure(p->tls)->cause == CAUSE_TLS_CLIENT_CERTIFICATE)
			session_stop(p->session, tls_failure(p->tls), now);
		session_transport_lost(p->session, end_of_connection(p, n), now);
	}
	if (n > 0) {
		p->stats.rx_bytes += (uint64_t)n;
		p->in_len += (size_t)n;
		used += session_input(p->session, p->in + used, p->in_len - used, now);
		while (session_tun_is_full(p->session)) {
			write_packets(p);
			used += session_input(p->session, p->in + used, p->in_len - used, now);
		}
	}
	deliver(p, used);
}

/* Returns the bytes that were read, 0 if there was no packet. */
static size_t read_packet(struct pump *p, usec_t now)
{
	size_t size;
	uint8_t *buffer = session_tun_reserve(p->session, &size);
	ssize_t n = read(p->tun, buffer, size);

	if (n > 0) {
		session_tun_commit(p->session, (size_t)n, now);
		return (size_t)n;
	}
	p->tun_ready = false;
	p->tun_lost = n < 0 && errno == EBADFD;
	return 0;
}

static void read_tun(struct pump *p, usec_t now)
{
	size_t bytes = 0;

	for (int i = 0; i < TUN_READS_PER_TURN && bytes < TUN_BYTES_PER_TURN && p->tun_ready; i++)
		bytes += read_packet(p, now);
}

/*
 * The next bytes for TLS: at full rate several records, so that packets may lie across their borders and none
 * is left part empty; on a slow link a part of one, which holds at least one packet.
 */
static size_t next_output(struct pump *p, usec_t now)
{
	size_t space = MAX(p->burst, session_packet_max(p->session)); /* the MTU may have grown since */

	return p->output ? p->output(p->output_ctx, p->out, space, now)
			 : session_output(p->session, p->out, space, now);
}

/*
 * How long the kernel may keep what is left of these bytes after whole segments. A record of one packet is a
 * little longer than a segment, and a stream whose packets come one by one, each after an acknowledgement,
 * would leave one that is next to empty behind every full one: the congestion window counts packets, and a
 * lossy path carried a fifth less. A short packet by itself does not wait, nor what comes before a stream is
 * under way; the end of a burst may be late by this.
 */
static usec_t tail_time(const struct pump *p, size_t bytes)
{
	bool wanted = p->streams && bytes + RECORD_EXTRA > p->segment && p->notsent_lowat < UNSENT_FINE;

	return wanted && p->tail_time >= TAIL_TIME_MIN ? p->tail_time : 0;
}

/* Returns true if there is more to write without waiting. */
static bool write_output(struct pump *p, usec_t now, bool last)
{
	int r;

	p->full &= !last;
	if (p->full)
		return false;
	if (tls_wants_write(p->tls) && (r = tls_flush(p->tls)) < 0) {
		p->socket_ready |= r != -EAGAIN; /* a failure shows at the next read */
		return false;
	}
	for (int i = 0; i < WRITES_PER_TURN; i++) {
		if (tls_wants_write(p->tls))
			return false;
		/* Without packets there can only be control, which is short and does not wait. */
		p->full = !last && tx_backlog(p->session->tx) > 0 && kernel_has_enough(p, now);
		if (p->full)
			return false;
		if (p->out_pos == p->out_len) {
			p->out_pos = 0;
			p->out_len = next_output(p, now);
		}
		if (p->out_len == 0)
			return false;
		ssize_t n = tls_write(p->tls, p->out + p->out_pos, p->out_len - p->out_pos, false);
		if (n <= 0) {
			p->socket_ready |= n != -EAGAIN;
			return false;
		}
		p->stats.tx_bytes += (uint64_t)n;
		p->unsent += (size_t)n;
		p->tail_until = now + tail_time(p, (size_t)n);
		if (!session_is_open(p->session))
			wipe(p->out + p->out_pos, (size_t)n); /* PAP sends the password itself */
		p->out_pos += (size_t)n;
	}
	return true;
}

/* While packets wait for the kernel, or are expected (tail_time()), the end of its last segment waits for
 * them.
 */
static void hold_last_segment(struct pump *p, bool hold)
{
	if (hold != p->corked && sockopt_set_int(p->socket, IPPROTO_TCP, TCP_CORK, hold) == 0)
		p->corked = hold;
}

/* As write_output(). `last`: all that is left, and the kernel may have as much of it as it takes. */
static bool send_output(struct pump *p, usec_t now, bool last)
{
	bool more = write_output(p, now, last);

	hold_last_segment(p, p->full || (p->tail_until > now && !last));
	return more;
}

static void give_memory_back(struct pump *p, usec_t now)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	void *spare;

	if (now < p->next_spare)
		return;
	p->next_spare = now + SPARE_EVERY;
	size_t size = tx_spare(p->session->tx, &spare);
	if (size == 0)
		return;
	uintptr_t from = ((uintptr_t)spare + page - 1) & -page, to = ((uintptr_t)spare + size) & -page;
	if (from < to)
		(void)madvise((void *)from, to - from, MADV_DONTNEED);
}

bool pump_run(struct pump *p, usec_t now)
{
	for (int i = 0; i < READS_PER_TURN && p->socket_ready && !p->read_closed; i++)
		receive(p, now);
	read_tun(p, now);
	bool more = send_output(p, now, false);
	give_memory_back(p, now);
	if (p->turns)
		turns_judge(p->turns, p->socket, now);
	return more || (p->socket_ready && !p->read_closed) || p->tun_ready;
}

void pump_wants(const struct pump *p, uint32_t *ret_socket, uint32_t *ret_tun)
{
	*ret_socket = (p->read_closed ? 0 : EPOLLIN) | (p->full || tls_wants_write(p->tls) ? EPOLLOUT : 0);
	/* What cannot be sent yet may as well wait where its sender sees that it waits. */
	*ret_tun = session_is_open(p->session) && !p->full ? EPOLLIN : 0;
}

usec_t pump_deadline(const struct pump *p)
{
	return p->corked && !p->full ? p->tail_until : USEC_NEVER;
}

bool pump_close(struct pump *p, usec_t now)
{
	while (send_output(p, now, true))
		;
	if (tls_wants_write(p->tls) && !p->read_closed)
		return false;
	if (!p->shut && p->out_pos == p->out_len) {
		p->shut = true;
		(void)tls_shutdown(p->tls);
	}
	return p->read_closed || !tls_wants_write(p->tls);
}
