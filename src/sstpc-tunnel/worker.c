/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_tun.h>
#include <linux/tcp.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connect.h"
#include "data/rdnss.h"
#include "ipc/worker.h"
#include "pump/pump.h"
#include "resolve.h"
#include "sandbox/sandbox.h"

#ifndef TUN_F_USO4 /* Linux 6.2 */
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

#define WORKER_UID   65534 /* nobody: the worker owns no file */
#define RESOLVE_TIME (20 * USEC_PER_SEC)
#define ROUTE_TIME   (10 * USEC_PER_SEC) /* the daemon answers at once, or never */
#define TLS_TIME     (20 * USEC_PER_SEC)
#define STOP_TIME    (3 * USEC_PER_SEC) /* an orderly end must not keep the user waiting */
#define CLOSE_TIME   (1 * USEC_PER_SEC)

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
	struct loop_fd ipc_source, resolver_source, socket_source, tun_source;
	struct loop_child resolver;
	struct loop_timer timer; /* of the present step, then the session's deadline */
	struct loop_timer stop_timer;
	struct loop_signals signals;

	struct worker_config config;
	struct secret password;
	bool password_known;
	void *ca;
	size_t ca_len;
	int tun, keylog, resolver_fd, socket;

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

static void run_session(struct worker *w);

/* ---- memory
 * -------------------------------------------------------------------------------------------------- */

/* Large buffers come from mmap(2): what of them is never used then costs nothing, whatever was freed before.
 */
static void keep_memory_small(void)
{
#ifdef __GLIBC__
	(void)mallopt(M_MMAP_THRESHOLD, 32 * 1024);
#endif
}

/* Half of the heap was needed for the handshake and the sandbox only. */
static void give_back_memory(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}

/* ---- telling the daemon
 * ------------------------------------------------------------------------------------- */

static void _printf_(3, 4) note(struct worker *w, enum log_level level, const char *format, ...)
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

/* A message that cannot be delivered means that the daemon is gone or stuck: nothing is left to work for. */
static void must_send(struct worker *w, int result)
{
	if (result < 0)
		loop_stop(&w->loop, 1);
}

static void begin_stage(struct worker *w, enum stage stage, const char *detail)
{
	struct worker_stage s = { .stage = stage, .at = clock_now() };

	printable(s.detail, sizeof(s.detail), detail, strlen(detail));
	must_send(w, worker_send_stage(w->ipc, &s));
}

/* The last message. */
static void finish(struct worker *w)
{
	loop_fd_remove(&w->tun_source);
	if (w->phase != WORKER_PHASE_ENDED)
		must_send(w, w->failure.cause == CAUSE_NONE ? worker_send_plain(w->ipc, WORKER_CLOSED)
							    : worker_send_failed(w->ipc, &w->failure));
	w->phase = WORKER_PHASE_ENDED;
	loop_stop(&w->loop, 0);
}

static void fail(struct worker *w, const struct failure *failure)
{
	if (w->failure.cause == CAUSE_NONE)
		w->failure = *failure;
	finish(w);
}

static void _printf_(3, 4) fail_with(struct worker *w, enum cause cause, const char *format, ...)
{
	struct failure f = { 0 };
	char text[sizeof(f.detail)];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	failure_set(&f, cause, "%s", text);
	fail(w, &f);
}

static void set_timer(struct worker *w, void (*fn)(void *), usec_t after)
{
	loop_timer_clear(&w->timer);
	w->timer = (struct loop_timer){ .fn = fn, .ctx = w };
	loop_timer_set(&w->loop, &w->timer, loop_now(&w->loop) + after);
}

/* ---- the session
 * -------------------------------------------------------------------------------------------- */

static void report_link(struct worker *w)
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

static void report_up(struct worker *w)
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

/* Again where the server has negotiated other addresses: the packet path goes on as it is. */
static void on_up(struct worker *w)
{
	if (!loop_fd_is_added(&w->tun_source)) {
		/* The device follows when the daemon knows. */
		session_set_mtu(w->session, MIN(w->config.mtu, session_params(w->session)->peer_mru));
		w->tun_source = (struct loop_fd){ .fn = w->tun_source.fn, .ctx = w };
		int r = loop_fd_add(&w->loop, &w->tun_source, w->tun, EPOLLIN);
		if (r < 0) {
			fail_with(w, CAUSE_INTERNAL, "watching the TUN: %s", strerror(-r));
			return;
		}
	}
	report_up(w);
	if (w->phase == WORKER_PHASE_VERIFIED) {
		w->phase = WORKER_PHASE_UP;
		give_back_memory();
	}
}

static void report_ipv6(struct worker *w, bool up)
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

/* Resolvers that router advertisements have told. */
static void follow_rdnss(struct worker *w)
{
	struct rdnss_heard heard;

	if (rx_take_rdnss(w->session->rx, &heard)) {
		rdnss_follow(&w->rdnss, &heard, loop_now(&w->loop));
		expire_rdnss(w);
	} else {
		report_rdnss(w);
	}
}

static void on_stage_over(struct worker *w, enum stage stage)
{
	switch (stage) {
	case STAGE_HTTP:
		begin_stage(w, STAGE_SSTP, "");
		break;
	case STAGE_SSTP:
		begin_stage(w, STAGE_LCP, "");
		break;
	case STAGE_LCP:
		report_link(w);
		begin_stage(w, STAGE_AUTH, ppp_auth_name(session_params(w->session)->auth));
		break;
	case STAGE_AUTH:
		begin_stage(w, STAGE_IPCP, "");
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

/* What the packet path did, for whoever looks into a slow tunnel. */
static void note_counts(struct worker *w)
{
	const struct tx_stats *tx = tx_stats(w->session->tx);
	const struct rx_stats *rx = rx_stats(w->session->rx);

	note(w, LOG_LEVEL_DEBUG,
	     "sent %" PRIu64 " packets from %" PRIu64 " reads; dropped %" PRIu64 " by delay, %" PRIu64
	     " by size, marked %" PRIu64 ", refused %" PRIu64,
	     tx->packets, tx->reads, tx->dropped, tx->overlimit, tx->marked,
	     tx->invalid + tx->too_big + tx->closed);
	note(w, LOG_LEVEL_DEBUG,
	     "received %" PRIu64 " packets, %" PRIu64 " writes; dropped %" PRIu64 ", refused %" PRIu64,
	     rx->packets, rx->writes, rx->dropped, w->pump.stats.tun_write_errors);
}

static void on_close_timeout(void *ctx)
{
	finish(ctx);
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
		note_counts(w);
		w->step = STEP_CLOSING;
		w->failure = e->failure;
		if (w->phase != WORKER_PHASE_STOPPING)
			failure_set(&w->failure, CAUSE_PEER_DISCONNECT, "without a reason");
		set_timer(w, on_close_timeout, CLOSE_TIME);
		break;
	}
}

static void on_session_timer(void *ctx)
{
	struct worker *w = ctx;
	usec_t now = loop_now(&w->loop);

	if (now >= session_deadline(w->session))
		session_timeout(w->session, now);
	run_session(w);
}

/* One turn of the packet path, then what came of it. */
static void run_session(struct worker *w)
{
	struct session_event e;
	uint32_t socket_events, tun_events;
	bool more;

	if (w->phase == WORKER_PHASE_ENDED)
		return;
	more = pump_run(&w->pump, loop_now(&w->loop));
	if (!w->advert_noted && rx_stats(w->session->rx)->adverts > 0) {
		w->advert_noted = true;
		note(w, LOG_LEVEL_WARNING,
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
	follow_rdnss(w);
	if (w->step == STEP_CLOSING && pump_close(&w->pump, loop_now(&w->loop))) {
		finish(w);
		return;
	}
	pump_wants(&w->pump, &socket_events, &tun_events);
	loop_fd_set(&w->socket_source, socket_events);
	if (loop_fd_is_added(&w->tun_source))
		loop_fd_set(&w->tun_source, tun_events);
	if (w->step == STEP_SESSION)
		loop_timer_set(&w->loop, &w->timer,
			       more ? 0 : MIN(session_deadline(w->session), pump_deadline(&w->pump)));
}

static void on_session_socket(void *ctx, uint32_t events)
{
	struct worker *w = ctx;

	pump_socket_ready(&w->pump, events);
	run_session(w);
}

static void on_tun(void *ctx, uint32_t events)
{
	struct worker *w = ctx;

	(void)events;
	pump_tun_ready(&w->pump);
	run_session(w);
}

static void give_password(struct worker *w)
{
	if (!w->password_known || !w->session)
		return;
	int r = session_set_credentials(w->session, w->config.user, &w->password, loop_now(&w->loop));
	secret_wipe(&w->password);
	if (r < 0)
		fail_with(w, CAUSE_USAGE, "user name or password is too long");
}

static int start_session(struct worker *w, const struct tls_peer *peer)
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
	(void)snprintf(config.host, sizeof(config.host), "%s", c->host);
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
	w->step = STEP_SESSION;
	w->tun_source.fn = on_tun;
	loop_fd_remove(&w->socket_source);
	w->socket_source = (struct loop_fd){ .fn = on_session_socket, .ctx = w };
	r = loop_fd_add(&w->loop, &w->socket_source, w->socket, EPOLLIN);
	if (r < 0)
		return r;
	loop_timer_clear(&w->timer);
	w->timer = (struct loop_timer){ .fn = on_session_timer, .ctx = w };
	begin_stage(w, STAGE_HTTP, "");
	session_start(w->session, loop_now(&w->loop));
	give_password(w);
	pump_socket_ready(&w->pump, EPOLLIN);
	run_session(w);
	return 0;
}

/* ---- TLS
 * ---------------------------------------------------------------------------------------------------- */

static void report_verified(struct worker *w, const struct tls_peer *peer)
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
	if (w->phase == WORKER_PHASE_DIALLING)
		w->phase = WORKER_PHASE_VERIFIED;
}

/* Only then files are opened after the sandbox was entered, and the second stage is there to be entered. */
static bool uses_system_store(const struct worker *w)
{
	return !w->config.ca_given && w->config.n_pins == 0;
}

static void on_handshake(void *ctx, uint32_t events)
{
	struct worker *w = ctx;
	struct tls_peer peer;
	int r = tls_handshake(w->tls);

	(void)events;
	if (r == -EAGAIN) {
		loop_fd_set(&w->socket_source, tls_wants_write(w->tls) ? EPOLLOUT : EPOLLIN);
		return;
	}
	if (r == 0)
		r = tls_peer(w->tls, &peer);
	if (r < 0) {
		if (tls_failure(w->tls)->cause != CAUSE_NONE)
			fail(w, tls_failure(w->tls));
		else
			fail_with(w, CAUSE_TLS_FAILED, "%s", strerror(-r));
		return;
	}
	r = uses_system_store(w) ? sandbox_worker_established() : 0;
	if (r == 0) {
		report_verified(w, &peer);
		r = start_session(w, &peer);
	}
	if (r < 0)
		fail_with(w, CAUSE_INTERNAL, "starting the session: %s", strerror(-r));
}

static void on_tls_timeout(void *ctx)
{
	fail_with(ctx, CAUSE_TLS_TIMEOUT, "waited %u s", (unsigned)(TLS_TIME / USEC_PER_SEC));
}

/* From here on the process can open nothing any more, and only now reads the first byte of a stranger. */
static int enter_sandbox(struct worker *w)
{
	struct sandbox_worker_config config = { .read_paths = uses_system_store(w) ? tls_system_paths()
										   : NULL,
						.writes_files = w->keylog >= 0 };
	struct sandbox_result result = { 0 };

	/* It has answered, but may not have ended yet; in the sandbox it could not be reaped any more. */
	loop_child_end(&w->resolver);
	int r = sandbox_worker(&config, &result);

	if (r == 0 && result.landlock_abi == 0)
		note(w, LOG_LEVEL_DEBUG,
		     "this kernel has no Landlock; seccomp alone confines the tunnel process");
	return r;
}

static int start_tls(struct worker *w, struct failure *failure)
{
	const struct worker_config *c = &w->config;
	struct tls_policy policy = { .host = c->host,
				     .server_name = c->tls_name,
				     .sni = c->sni,
				     .min = TLS_1_2,
				     .ca_pem = w->ca,
				     .ca_pem_len = c->ca_anchors_len,
				     .other_pem = w->ca ? (const char *)w->ca + c->ca_anchors_len : NULL,
				     .other_pem_len = w->ca_len - c->ca_anchors_len,
				     .pin_count = c->n_pins,
				     .keylog_fd = w->keylog };

	for (size_t i = 0; i < c->n_pins; i++)
		memcpy(policy.pins[i].sha256, c->pins[i], sizeof(policy.pins[i].sha256));
	int r = tls_client_new(&policy, w->socket, &w->tls, failure);
	if (r < 0)
		return r;
	w->step = STEP_TLS;
	w->socket_source = (struct loop_fd){ .fn = on_handshake, .ctx = w };
	r = loop_fd_add(&w->loop, &w->socket_source, w->socket, EPOLLOUT);
	if (r < 0)
		return r;
	set_timer(w, on_tls_timeout, TLS_TIME);
	begin_stage(w, STAGE_TLS, c->tls_name);
	return 0;
}

static void on_connected(void *ctx, int fd, unsigned index, const struct failure *failure)
{
	struct worker *w = ctx;
	struct failure why = { 0 };

	if (fd < 0) {
		fail(w, failure);
		return;
	}
	w->socket = fd;
	w->reached = index;
	int r = enter_sandbox(w);
	if (r < 0) {
		fail_with(w, CAUSE_INTERNAL, "entering the sandbox: %s", strerror(-r));
		return;
	}
	r = start_tls(w, &why);
	if (r < 0) {
		failure_set(&why, CAUSE_INTERNAL, "preparing TLS: %s", strerror(-r));
		fail(w, &why);
	}
}

/* ---- name, route, connection
 * -------------------------------------------------------------------------------- */

static void start_connecting(struct worker *w, const struct worker_routes *routes)
{
	struct connector *c = &w->connector;
	char detail[128], text[ADDRESS_TEXT];

	loop_timer_clear(&w->timer);
	*c = (struct connector){ .loop = &w->loop, .done = on_connected, .ctx = w };
	for (unsigned i = 0; i < w->addresses.count; i++) {
		const char *device = routes ? routes->device[i] : w->config.bind_device;

		if (!device[0])
			continue; /* no route */
		struct connect_target *t = &c->targets[c->count++];
		t->address = w->addresses.list[i];
		(void)snprintf(t->device, sizeof(t->device), "%s", device);
	}
	if (c->count == 0) {
		address_format(&w->addresses.list[0], text);
		fail_with(w, CAUSE_CONNECT_NO_ROUTE, "%s", text);
		return;
	}
	w->step = STEP_CONNECTING;
	address_format(&c->targets[0].address, text);
	(void)snprintf(detail, sizeof(detail), "%s port %u through %s", text, w->config.port,
		       c->targets[0].device);
	begin_stage(w, STAGE_CONNECT, detail);
	connector_start(c);
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

static void on_route_timeout(void *ctx)
{
	fail_with(ctx, CAUSE_INTERNAL, "the daemon does not say which device leads to the server");
}

static void find_routes(struct worker *w)
{
	struct worker_addresses query = { .n = w->addresses.count };

	if (w->config.bind_device[0]) {
		start_connecting(w, NULL);
		return;
	}
	w->step = STEP_ROUTING;
	for (unsigned i = 0; i < w->addresses.count; i++)
		to_in6(&w->addresses.list[i], &query.address[i]);
	must_send(w, worker_send_route_query(w->ipc, &query));
	set_timer(w, on_route_timeout, ROUTE_TIME);
}

static void end_lookup(struct worker *w)
{
	loop_timer_clear(&w->timer);
	loop_fd_remove(&w->resolver_source);
	w->resolver_fd = close_fd(w->resolver_fd);
}

static void on_resolved(void *ctx, uint32_t events)
{
	struct worker *w = ctx;
	struct failure failure = { 0 };
	int r = resolve_finish(w->resolver_fd, w->config.host, w->config.port, &w->addresses, &failure);

	(void)events;
	end_lookup(w);
	if (r < 0)
		fail(w, &failure);
	else
		find_routes(w);
}

static void on_resolve_timeout(void *ctx)
{
	struct worker *w = ctx;

	end_lookup(w);
	(void)loop_child_kill(&w->resolver, SIGKILL);
	fail_with(w, CAUSE_RESOLVE_FAILED, "%s: no answer from DNS in %u s", w->config.host,
		  (unsigned)(RESOLVE_TIME / USEC_PER_SEC));
}

static void on_resolver_ended(void *ctx, const siginfo_t *info)
{
	(void)ctx;
	(void)info; /* its answer, or the end of the pipe without one, says all */
}

static int start_resolving(struct worker *w)
{
	pid_t pid;
	int r;

	begin_stage(w, STAGE_RESOLVE, w->config.host);
	if (addresses_from_literal(w->config.host, w->config.port, &w->addresses) == 0) {
		find_routes(w);
		return 0;
	}
	w->step = STEP_RESOLVING;
	r = resolve_start(w->config.host, &w->resolver_fd, &pid);
	if (r < 0)
		return r;
	w->resolver = (struct loop_child){ .fn = on_resolver_ended, .ctx = w };
	r = loop_child_add(&w->loop, &w->resolver, pid);
	if (r < 0)
		return r;
	w->resolver_source = (struct loop_fd){ .fn = on_resolved, .ctx = w };
	r = loop_fd_add(&w->loop, &w->resolver_source, w->resolver_fd, EPOLLIN);
	set_timer(w, on_resolve_timeout, RESOLVE_TIME);
	return r;
}

/* ---- the daemon's messages
 * ---------------------------------------------------------------------------------- */

static int read_ca(struct worker *w, int fd)
{
	size_t size = WORKER_CA_MAX + 1, len = 0;
	ssize_t n = 1;

	w->ca = malloc(size);
	if (!w->ca)
		return -ENOMEM;
	while (len < size && (n = read(fd, (uint8_t *)w->ca + len, size - len)) > 0)
		len += (size_t)n;
	w->ca_len = len;
	if (n < 0)
		return -errno;
	return len == size ? -EFBIG : len < w->config.ca_anchors_len ? -EBADMSG : 0;
}

int worker_drop_privileges(void)
{
	return geteuid() == 0 ? sandbox_drop_privileges(WORKER_UID, WORKER_UID)
			      : sandbox_drop_privileges(geteuid(), getegid());
}

static int on_start(struct worker *w, struct ipc_message *m)
{
	_cleanup_close_ int ca = -1;
	int r = worker_decode_start(m, &w->config, &w->tun, &ca, &w->keylog);

	if (r < 0)
		return r;
	w->phase = WORKER_PHASE_DIALLING;
	r = ca >= 0 ? read_ca(w, ca) : 0;
	if (r < 0) {
		fail_with(w, CAUSE_CA_INVALID, "reading it: %s", strerror(-r));
		return 0;
	}
	r = worker_drop_privileges();
	if (r == 0)
		r = start_resolving(w);
	if (r < 0)
		fail_with(w, CAUSE_INTERNAL, "starting: %s", strerror(-r));
	return 0;
}

static int on_route_reply(struct worker *w, const struct ipc_message *m)
{
	struct worker_routes routes;
	int r = worker_decode_route_reply(m, &routes);

	if (r < 0 || w->step != STEP_ROUTING || routes.n != w->addresses.count)
		return r < 0 ? r : -EBADMSG;
	start_connecting(w, &routes);
	return 0;
}

static void send_stats(struct worker *w)
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
	if (w->socket >= 0 && getsockopt(w->socket, IPPROTO_TCP, TCP_INFO, &info, &len) == 0) {
		s.outer_rx_bytes = info.tcpi_bytes_received;
		s.outer_tx_bytes = info.tcpi_bytes_acked;
		s.rtt_usec = info.tcpi_rtt;
	}
	must_send(w, worker_send_stats(w->ipc, &s));
}

static void on_stop_timeout(void *ctx)
{
	finish(ctx);
}

/* `failure` is why, NULL if the daemon has asked for it. */
static void stop(struct worker *w, const struct failure *failure)
{
	if (w->phase >= WORKER_PHASE_STOPPING || loop_timer_is_set(&w->stop_timer))
		return;
	if (!failure)
		w->phase = WORKER_PHASE_STOPPING;
	else if (w->failure.cause == CAUSE_NONE)
		w->failure = *failure;
	if (!w->session) {
		finish(w);
		return;
	}
	w->stop_timer = (struct loop_timer){ .fn = on_stop_timeout, .ctx = w };
	loop_timer_set(&w->loop, &w->stop_timer, loop_now(&w->loop) + STOP_TIME);
	session_stop(w->session, failure, loop_now(&w->loop));
	run_session(w);
}

static int dispatch(struct worker *w, struct ipc_message *m)
{
	uint16_t mtu;
	int r = 0;

	switch ((enum worker_message)m->type) {
	case WORKER_START:
		return on_start(w, m);
	case WORKER_ROUTE_REPLY:
		return on_route_reply(w, m);
	case WORKER_PASSWORD:
		r = worker_decode_password(m, &w->password);
		w->password_known = r == 0;
		wipe(w->message, sizeof(w->message));
		if (r == 0)
			give_password(w);
		if (r == 0 && w->step == STEP_SESSION)
			run_session(w);
		return r;
	case WORKER_STOP:
		stop(w, NULL);
		return 0;
	case WORKER_SET_MTU:
		r = worker_decode_set_mtu(m, &mtu);
		if (r == 0 && w->session)
			session_set_mtu(w->session, mtu);
		return r;
	case WORKER_QUERY_STATS:
		send_stats(w);
		return 0;
	case WORKER_STAGE:
	case WORKER_ROUTE_QUERY:
	case WORKER_VERIFIED:
	case WORKER_LINK:
	case WORKER_UP:
	case WORKER_IPV6_UP:
	case WORKER_IPV6_DOWN:
	case WORKER_RDNSS:
	case WORKER_STATS:
	case WORKER_LOG:
	case WORKER_FAILED:
	case WORKER_CLOSED:
		break;
	}
	return -EBADMSG;
}

static void on_ipc(void *ctx, uint32_t events)
{
	struct worker *w = ctx;
	struct ipc_message m;
	int r = ipc_receive(w->ipc, w->message, sizeof(w->message), &m);

	(void)events;
	if (r == -EAGAIN)
		return;
	if (r <= 0) { /* the daemon is gone: say goodbye to the server */
		loop_fd_remove(&w->ipc_source);
		stop(w, NULL);
		return;
	}
	r = ipc_permit(&w->monitor, &m, w->phase);
	if (r == 0)
		r = dispatch(w, &m);
	ipc_message_done(&m);
	if (r < 0)
		fail_with(w, CAUSE_INTERNAL, "message %s of the daemon: %s",
			  ipc_type_name(&w->monitor, m.type), strerror(-r));
}

static void on_signal(void *ctx, const struct signalfd_siginfo *info)
{
	struct failure failure = { .cause = CAUSE_NONE };

	failure_set(&failure, CAUSE_WORKER_DIED, "ended by signal %u of process %u", info->ssi_signo,
		    info->ssi_pid);
	stop(ctx, &failure);
}

/* ---- life
 * --------------------------------------------------------------------------------------------------- */

static int watch(struct worker *w)
{
	sigset_t set;
	int r = loop_init(&w->loop);

	if (r < 0)
		return r;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	w->signals = (struct loop_signals){ .fn = on_signal, .ctx = w };
	r = loop_signals_add(&w->loop, &w->signals, &set);
	if (r < 0)
		return r;
	w->ipc_source = (struct loop_fd){ .fn = on_ipc, .ctx = w };
	return loop_fd_add(&w->loop, &w->ipc_source, w->ipc, EPOLLIN);
}

static void done(struct worker *w)
{
	secret_wipe(&w->password);
	if (w->session) {
		pump_done(&w->pump);
		session_done(w->session);
		free(w->session);
	}
	turns_done(&w->turns);
	tls_free(w->tls);
	free(w->ca);
	(void)close_fd(w->socket);
	(void)close_fd(w->tun);
	(void)close_fd(w->keylog);
	(void)close_fd(w->resolver_fd);
}

int worker_run(int ipc)
{
	int r;

	keep_memory_small();
	struct worker *w = calloc(1, sizeof(*w));
	if (!w)
		return 1;
	/* The terminal's Ctrl-C is for the daemon, which tells us to stop. */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	w->ipc = ipc;
	w->tun = w->keylog = w->resolver_fd = w->socket = -1;
	turns_init(&w->turns);
	w->monitor = worker_monitor_of_worker();
	w->rdnss_timer = (struct loop_timer){ .fn = expire_rdnss, .ctx = w };
	r = watch(w);
	if (r == 0)
		r = loop_run(&w->loop);
	done(w);
	free(w);
	return r == 0 ? 0 : 1;
}
