/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state.h"

#include <inttypes.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/sockopt.h"

/* A message that cannot be delivered means that the daemon is gone or stuck: nothing is left to work for. */
static void must_send(struct worker *w, int result)
{
	if (result < 0)
		loop_stop(&w->loop, 1);
}

void report_line(struct worker *w, enum log_level level, const char *format, ...)
{
	char line[sizeof(((struct worker_log *)0)->line)], clean[sizeof(line)];
	va_list ap;

	if (level > w->config.log_level)
		return;
	va_start(ap, format);
	(void)vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	printable(clean, sizeof(clean), line, strlen(line));
	(void)worker_send_log(w->ipc, level, clean);
}

void report_stage(struct worker *w, enum stage stage, const char *detail)
{
	struct worker_stage s = { .stage = stage, .at = clock_now() };

	printable(s.detail, sizeof(s.detail), detail, strlen(detail));
	must_send(w, worker_send_stage(w->ipc, &s));
}

static void to_in6(const union address *a, struct in6_addr *ret)
{
	*ret = (struct in6_addr){ 0 };
	if (a->any.sa_family == AF_INET6) {
		*ret = a->in6.sin6_addr;
		return;
	}
	ret->s6_addr[10] = ret->s6_addr[11] = 0xff;
	memcpy(&ret->s6_addr[12], &a->in.sin_addr, 4);
}

void report_addresses(struct worker *w)
{
	struct worker_addresses query = { .n = w->addresses.count };

	for (unsigned i = 0; i < w->addresses.count; i++)
		to_in6(&w->addresses.list[i], &query.address[i]);
	must_send(w, worker_send_route_query(w->ipc, &query));
}

void report_verified(struct worker *w, const struct tls_peer *peer)
{
	const struct connect_target *t = &w->connector.targets[w->reached];
	struct worker_verified v = { .port = w->config.port,
				     .by_pin = w->config.n_pins > 0,
				     .not_after = peer->not_after };
	char text[ADDRESS_TEXT];

	address_format(&t->address, text);
	(void)snprintf(v.server, sizeof(v.server), "%.*s", (int)sizeof(v.server) - 1, text);
	memcpy(v.device, t->device, sizeof(v.device));
	(void)snprintf(v.tls_version, sizeof(v.tls_version), "%s", peer->version);
	(void)snprintf(v.cipher, sizeof(v.cipher), "%s", peer->cipher);
	(void)snprintf(v.certificate, sizeof(v.certificate), "%.*s", (int)sizeof(v.certificate) - 1,
		       peer->subject);
	(void)snprintf(v.issuer, sizeof(v.issuer), "%.*s", (int)sizeof(v.issuer) - 1, peer->issuer);
	memcpy(v.pin, peer->pin.sha256, sizeof(v.pin));
	must_send(w, worker_send_verified(w->ipc, &v));
}

void report_link(struct worker *w)
{
	const struct ppp_params *p = session_params(w->session);
	struct worker_link l = { .peer_mru = p->peer_mru, .mru = p->mru, .auth = p->auth };

	must_send(w, worker_send_link(w->ipc, &l));
}

/* The daemon forgets the resolvers of router advertisements together with IPv6. */
static void ipv6_is_reported(struct worker *w, bool up)
{
	w->ipv6_reported = up;
	if (up)
		return;
	w->rdnss.n = w->rdnss_reported.n = 0;
	loop_timer_clear(&w->rdnss_timer);
}

void report_up(struct worker *w)
{
	const struct ppp_params *p = session_params(w->session);
	struct worker_up u = { .local = p->local,
			       .peer = p->peer,
			       .ipv6 = p->ipv6_up,
			       .peer_mru = p->peer_mru,
			       .auth = p->auth,
			       .binding_hash = sstp_hash(&w->session->sstp) };

	memcpy(u.dns, p->dns, sizeof(u.dns));
	memcpy(u.nbns, p->nbns, sizeof(u.nbns));
	memcpy(u.local_id, p->local_id, sizeof(u.local_id));
	memcpy(u.peer_id, p->peer_id, sizeof(u.peer_id));
	printable(u.message, sizeof(u.message), p->peer_message, strlen(p->peer_message));
	ipv6_is_reported(w, u.ipv6);
	must_send(w, worker_send_up(w->ipc, &u));
}

void report_ipv6(struct worker *w, bool up)
{
	const struct ppp_params *p = session_params(w->session);
	struct worker_ipv6 v;

	if (w->phase != WORKER_PHASE_UP || up == w->ipv6_reported)
		return; /* UP will tell, or has told */
	ipv6_is_reported(w, up);
	memcpy(v.local_id, p->local_id, sizeof(v.local_id));
	memcpy(v.peer_id, p->peer_id, sizeof(v.peer_id));
	must_send(w, up ? worker_send_ipv6_up(w->ipc, &v) : worker_send_plain(w->ipc, WORKER_IPV6_DOWN));
}

/* Tells the daemon of other resolvers; it takes them only while IPv6 is up. */
static void report_rdnss(struct worker *w)
{
	/* For ever: the time is kept here. */
	struct worker_rdnss is = { .n = w->rdnss.n, .lifetime = w->rdnss.n > 0 ? UINT32_MAX : 0 };
	struct worker_rdnss *was = &w->rdnss_reported;

	_Static_assert(RDNSS_MAX <= WORKER_RDNSS_MAX, "all of them can be told");
	for (size_t i = 0; i < is.n; i++)
		is.address[i] = w->rdnss.item[i].address;
	if (w->phase != WORKER_PHASE_UP || !w->ipv6_reported ||
	    (is.n == was->n && memcmp(is.address, was->address, is.n * sizeof(is.address[0])) == 0))
		return;
	*was = is;
	must_send(w, worker_send_rdnss(w->ipc, &is));
}

static void expire_rdnss(void *ctx)
{
	struct worker *w = ctx;

	loop_timer_set(&w->loop, &w->rdnss_timer, rdnss_expire(&w->rdnss, loop_now(&w->loop)));
	report_rdnss(w);
}

void report_resolvers(struct worker *w)
{
	struct rdnss_heard heard;

	if (rx_take_rdnss(w->session->rx, &heard)) {
		w->rdnss_timer.fn = expire_rdnss;
		w->rdnss_timer.ctx = w;
		rdnss_follow(&w->rdnss, &heard, loop_now(&w->loop));
		expire_rdnss(w);
	} else {
		report_rdnss(w);
	}
}

void report_counts(struct worker *w)
{
	const struct tx_stats *tx = tx_stats(w->session->tx);
	const struct rx_stats *rx = rx_stats(w->session->rx);

	report_line(w, LOG_LEVEL_DEBUG,
		    "sent %" PRIu64 " packets from %" PRIu64 " reads; dropped %" PRIu64 " by delay, %" PRIu64
		    " by size, marked %" PRIu64 ", refused %" PRIu64,
		    tx->packets, tx->reads, tx->dropped, tx->overlimit, tx->marked,
		    tx->invalid + tx->too_big + tx->closed);
	report_line(w, LOG_LEVEL_DEBUG,
		    "received %" PRIu64 " packets, %" PRIu64 " writes; dropped %" PRIu64 ", refused %" PRIu64,
		    rx->packets, rx->writes, rx->dropped, w->pump.stats.tun_write_errors);
}

void report_stats(struct worker *w)
{
	struct worker_stats s = { 0 };
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	if (w->session) {
		const struct tx_stats *tx = tx_stats(w->session->tx);
		const struct rx_stats *rx = rx_stats(w->session->rx);

		s = (struct worker_stats){ .rx_packets = rx->packets,
					   .rx_bytes = rx->bytes,
					   .tx_packets = tx->packets,
					   .tx_bytes = tx->bytes,
					   .rx_dropped = rx->dropped + w->pump.stats.tun_write_errors,
					   .tx_dropped = tx->invalid + tx->too_big + tx->closed +
							 tx->overlimit + tx->dropped,
					   .queue_bytes = tx_backlog(w->session->tx) };
	}
	if (w->socket >= 0 && sockopt_get(w->socket, IPPROTO_TCP, TCP_INFO, &info, &len) == 0) {
		s.outer_rx_bytes = info.tcpi_bytes_received;
		s.outer_tx_bytes = info.tcpi_bytes_acked;
		s.rtt_usec = info.tcpi_rtt;
	}
	must_send(w, worker_send_stats(w->ipc, &s));
}

void report_end(struct worker *w)
{
	must_send(w, w->failure.cause == CAUSE_NONE ? worker_send_plain(w->ipc, WORKER_CLOSED)
						    : worker_send_failed(w->ipc, &w->failure));
}
