/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state.h"

#include <errno.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/tun.h"

#define CLOSE_TIME (1 * USEC_PER_SEC)

/* Half of the heap was needed for the handshake and the sandbox only. */
static void give_back_memory(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}

/* Again where the server has negotiated other addresses: the packet path goes on as it is. */
static void on_up(struct worker *w)
{
	if (!loop_fd_is_added(&w->tun_source)) {
		/* The device follows when the daemon knows. */
		session_set_mtu(w->session, MIN(w->config.mtu, session_params(w->session)->peer_mru));
		int r = loop_fd_add(&w->loop, &w->tun_source, w->tun, EPOLLIN);
		if (r < 0) {
			worker_fail_with(w, CAUSE_INTERNAL, "watching the TUN: %s", strerror(-r));
			return;
		}
	}
	report_up(w);
	if (w->phase == WORKER_PHASE_VERIFIED) {
		w->phase = WORKER_PHASE_UP;
		give_back_memory();
	}
}

static void on_stage_over(struct worker *w, enum stage stage)
{
	switch (stage) {
	case STAGE_HTTP:
		report_stage(w, STAGE_SSTP, "");
		break;
	case STAGE_SSTP:
		report_stage(w, STAGE_LCP, "");
		break;
	case STAGE_LCP:
		report_link(w);
		report_stage(w, STAGE_AUTH, ppp_auth_name(session_params(w->session)->auth));
		break;
	case STAGE_AUTH:
		report_stage(w, STAGE_IPCP, "");
		break;
	case STAGE_SETUP:
	case STAGE_RESOLVE:
	case STAGE_CONNECT:
	case STAGE_TLS:
	case STAGE_IPCP:
	case STAGE_UP:
	case _STAGE_MAX:
		break;
	}
}

static void on_close_timeout(void *ctx)
{
	worker_finish(ctx);
}

static void on_session_event(struct worker *w, const struct session_event *e)
{
	switch (e->type) {
	case SESSION_EVENT_NONE:
		break;
	case SESSION_EVENT_STAGE:
		on_stage_over(w, e->stage);
		break;
	case SESSION_EVENT_UP:
		on_up(w);
		break;
	case SESSION_EVENT_IPV6_UP:
	case SESSION_EVENT_IPV6_DOWN:
		report_ipv6(w, e->type == SESSION_EVENT_IPV6_UP);
		break;
	case SESSION_EVENT_DOWN:
		loop_fd_remove(&w->tun_source);
		break;
	case SESSION_EVENT_ENDED:
		report_counts(w);
		w->failure = e->failure;
		if (w->phase != WORKER_PHASE_STOPPING)
			failure_set(&w->failure, CAUSE_PEER_DISCONNECT, "without a reason");
		loop_timer_clear(&w->session_timer);
		worker_enter(w, STEP_CLOSING, on_close_timeout, CLOSE_TIME);
		break;
	}
}

void carry_run(struct worker *w)
{
	struct session_event e;
	uint32_t socket_events, tun_events;
	bool more;

	if (w->phase == WORKER_PHASE_ENDED)
		return;
	more = pump_run(&w->pump, loop_now(&w->loop));
	if (!w->advert_noted && rx_stats(w->session->rx)->adverts > 0) {
		w->advert_noted = true;
		report_line(w, LOG_LEVEL_WARNING,
			    "router advertisements in fragments are dropped (RFC 6980), and what may be one");
	}
	if (pump_tun_lost(&w->pump) && loop_fd_is_added(&w->tun_source)) {
		struct failure lost = { .cause = CAUSE_INTERFACE_LOST };

		loop_fd_remove(&w->tun_source);
		session_stop(w->session, &lost, loop_now(&w->loop));
		more = true;
	}
	while ((e = session_event(w->session)).type != SESSION_EVENT_NONE)
		on_session_event(w, &e);
	report_resolvers(w);
	if (w->step == STEP_CLOSING && pump_close(&w->pump, loop_now(&w->loop))) {
		worker_finish(w);
		return;
	}
	pump_wants(&w->pump, &socket_events, &tun_events);
	loop_fd_set(&w->socket_source, socket_events);
	if (loop_fd_is_added(&w->tun_source))
		loop_fd_set(&w->tun_source, tun_events);
	if (w->step == STEP_SESSION)
		loop_timer_set(&w->loop, &w->session_timer,
			       more ? 0 : MIN(session_deadline(w->session), pump_deadline(&w->pump)));
}

static void on_session_timer(void *ctx)
{
	struct worker *w = ctx;
	usec_t now = loop_now(&w->loop);

	if (now >= session_deadline(w->session))
		session_timeout(w->session, now);
	carry_run(w);
}

static void on_session_socket(void *ctx, uint32_t events)
{
	struct worker *w = ctx;

	pump_socket_ready(&w->pump, events);
	carry_run(w);
}

static void on_tun(void *ctx, uint32_t events)
{
	struct worker *w = ctx;

	(void)events;
	pump_tun_ready(&w->pump);
	carry_run(w);
}

void carry_give_password(struct worker *w)
{
	if (!w->password_known || !w->session)
		return;
	int r = session_set_credentials(w->session, w->config.user, &w->password, loop_now(&w->loop));
	secret_wipe(&w->password);
	if (r < 0)
		worker_fail_with(w, CAUSE_USAGE, "user name or password is too long");
}

int carry_start(struct worker *w, const struct tls_peer *peer)
{
	const struct worker_config *c = &w->config;
	struct session_config config = {
		.role = SSTP_CLIENT,
		.random = random_system,
		.sstp = { .random = random_system, .hello_interval = c->hello_seconds * USEC_PER_SEC },
		.ppp = { .auth = c->auth,
			 .mru = c->mru,
			 .ipv4 = true,
			 .ipv6 = c->ipv6,
			 .want_dns = c->want_dns,
			 .random = random_system },
		.tx = { .vnet_hdr = c->vnet_hdr, .mtu = c->mtu },
		.rx = { .vnet_hdr = c->vnet_hdr, .udp = (c->offloads & (TUN_F_USO4 | TUN_F_USO6)) != 0 },
	};

	random_fill(&random_system, &config.tx.hash_key, sizeof(config.tx.hash_key));
	/* A server that is chosen by name compares both with its own: TLS's and HTTP's (accel-ppp's
	 * host-name). */
	(void)snprintf(config.host, sizeof(config.host), "%s", c->tls_name);
	memcpy(config.sstp.cert_sha1, peer->sha1, sizeof(peer->sha1));
	memcpy(config.sstp.cert_sha256, peer->sha256, sizeof(peer->sha256));
	w->session = calloc(1, sizeof(*w->session));
	if (!w->session)
		return -ENOMEM;
	int r = session_init(w->session, &config);
	if (r < 0)
		return r;
	r = pump_init(&w->pump, w->session, w->tls, w->socket, w->tun);
	if (r < 0)
		return r;
	w->pump.turns = &w->turns;
	worker_enter(w, STEP_SESSION, NULL, 0);
	w->tun_source = (struct loop_fd){ .fn = on_tun, .ctx = w };
	loop_fd_remove(&w->socket_source);
	w->socket_source = (struct loop_fd){ .fn = on_session_socket, .ctx = w };
	r = loop_fd_add(&w->loop, &w->socket_source, w->socket, EPOLLIN);
	if (r < 0)
		return r;
	w->session_timer = (struct loop_timer){ .fn = on_session_timer, .ctx = w };
	report_stage(w, STAGE_HTTP, "");
	session_start(w->session, loop_now(&w->loop));
	carry_give_password(w);
	pump_socket_ready(&w->pump, EPOLLIN);
	carry_run(w);
	return 0;
}
