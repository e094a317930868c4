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

/* Memory that a burst needed is given back so late, or when something happens for the second time after
 * that. */
#define SPARE_EVERY USEC_PER_SEC

static void set_unsent_limit(struct pump *p)
{
	uint32_t bytes = p->rate.unsent_limit;

	if (bytes != p->rate.notsent_lowat &&
	    sockopt_set_int(p->socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, (int)bytes) == 0)
		p->rate.notsent_lowat = bytes;
}

int pump_init(struct pump *p, struct session *session, struct tls *tls, int socket, int tun)
{
	*p = (struct pump){ .session = session, .tls = tls, .socket = socket, .tun = tun };
	rate_init(&p->rate, TLS_RECORD_MAX, clock_cpu());
	p->in = malloc(PUMP_IN_SIZE);
	p->out = malloc(PUMP_OUT_SIZE);
	if (!p->in || !p->out) {
		pump_done(p);
		return -ENOMEM;
	}
	set_unsent_limit(p);
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

static void adapt_to_rate(struct pump *p, const struct tcp_info *info, usec_t now)
{
	struct rate *r = &p->rate;
	struct rate_sample sample = { .now = now,
				      .cpu = clock_cpu(),
				      .sent = p->stats.tx_bytes,
				      .moved = p->stats.tx_bytes + p->stats.rx_bytes,
				      .burst_min = session_packet_max(p->session),
				      .burst_max = PUMP_OUT_SIZE };

	if (!rate_adapt(r, info, &sample))
		return;
	tx_set_path(p->session->tx, (uint32_t)r->burst, r->burst_time, r->min_rtt);
	tx_set_limit(p->session->tx, r->queue_limit);
	set_unsent_limit(p);
}

static bool kernel_has_enough(struct pump *p, usec_t now)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	bool due = rate_is_due(&p->rate, now, p->stats.tx_bytes);

	if (!due && !rate_is_in_doubt(&p->rate))
		return false;
	if (sockopt_get(p->socket, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return false;
	rate_look(&p->rate, &info);
	if (due)
		adapt_to_rate(p, &info, now);
	return rate_kernel_has_enough(&p->rate);
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
	const struct failure *f = tls_failure(p->tls);

	if (result == 0)
		return "closed by the other side";
	return f->detail[0] ? f->detail : cause_summary(f->cause);
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
	size_t space = MAX(p->rate.burst, session_packet_max(p->session)); /* the MTU may have grown since */

	return p->output ? p->output(p->output_ctx, p->out, space, now)
			 : session_output(p->session, p->out, space, now);
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
		p->tail_until = now + rate_sent(&p->rate, (size_t)n);
		if (!session_is_open(p->session))
			wipe(p->out + p->out_pos, (size_t)n); /* PAP sends the password itself */
		p->out_pos += (size_t)n;
	}
	return true;
}

/* While packets wait for the kernel, or are expected (rate_sent()), the end of its last segment waits for
 * them. */
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
