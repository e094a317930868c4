/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "device.h"

#define TLS_TIME    (20 * USEC_PER_SEC)
#define CLOSE_TIME  (2 * USEC_PER_SEC)
#define STAGED_SIZE (TLS_RECORD_MAX + FAULTS_MAX * FAULT_BYTES_MAX)

static void run(struct connection *c);

static void end(struct connection *c)
{
	loop_timer_clear(&c->step_timer);
	loop_timer_clear(&c->session_timer);
	loop_fd_remove(&c->socket_source);
	loop_fd_remove(&c->tun_source);
	c->ended(c->ctx, c);
}

static void on_close_timeout(void *ctx)
{
	end(ctx);
}

/* Faults between the session and TLS */

static size_t take_staged(struct connection *c, uint8_t *out, size_t space)
{
	size_t n = MIN(MIN(space, c->staged_len - c->staged_pos), faults_split(&c->faults));

	memcpy(out, c->staged + c->staged_pos, n);
	c->staged_pos += n;
	return n;
}

/* Stands in for session_output() where faults are wanted. */
static size_t faulty_output(void *ctx, uint8_t *out, size_t space, usec_t now)
{
	struct connection *c = ctx;
	uint8_t packets[TLS_RECORD_MAX];
	struct fault_result result;

	if (now < c->hold_until)
		return 0;
	if (c->staged_pos < c->staged_len)
		return take_staged(c, out, space);
	if (c->drop_link)
		return 0;
	/* The HTTP answer is the first output; it comes alone, since the client must wait for it. */
	size_t n = session_output(c->session, packets, sizeof(packets), now);
	if (n == 0)
		return 0;
	c->staged_pos = 0;
	c->staged_len = faults_filter(&c->faults, !c->http_done, packets, n, c->staged, now, &random_system,
				      &result);
	c->http_done = true;
	c->hold_until = result.hold_until;
	c->drop_link = result.close;
	return now < c->hold_until ? 0 : take_staged(c, out, space);
}

/* Events */

static void text_of(struct in_addr a, char out[static INET_ADDRSTRLEN])
{
	(void)inet_ntop(AF_INET, &a, out, INET_ADDRSTRLEN);
}

static const char *hash_name(uint8_t hash)
{
	return hash == SSTP_HASH_SHA256 ? "sha256" : hash == SSTP_HASH_SHA1 ? "sha1" : "none";
}

static void on_tun(void *ctx, uint32_t events)
{
	struct connection *c = ctx;

	(void)events;
	pump_tun_ready(&c->pump);
	run(c);
}

static int open_tun(struct connection *c, const struct ppp_params *p)
{
	uint16_t mtu = MIN(MIN(c->options->mtu, p->peer_mru), (uint16_t)PPP_IP_MAX);
	int r = device_configure(c->tun.name, p->local, p->peer, mtu);

	if (r < 0 || loop_fd_is_added(&c->tun_source)) /* later only the addresses change */
		return r;
	(void)tun_drain(c->tun.fd, TUN_RING);
	r = tun_set_carrier(c->tun.fd, true);
	if (r < 0)
		return r;
	session_set_mtu(c->session, mtu);
	c->tun_source = (struct loop_fd){ .fn = on_tun, .ctx = c };
	return loop_fd_add(c->loop, &c->tun_source, c->tun.fd, EPOLLIN);
}

/* Whichever is the later of IPCP and IPV6CP: on a device that is down the kernel makes no multicast route,
 * and a router could not send its advertisements. */
static void add_link_local(struct connection *c)
{
	const struct ppp_params *p = session_params(c->session);

	if (!p->ipv6_up || !loop_fd_is_added(&c->tun_source))
		return;
	int r = device_add_link_local(c->tun.ifindex, p->local_id);
	report(&c->report, "ipv6-up", "device", c->tun.name, "result", r < 0 ? strerror(-r) : "ok", NULL);
}

static void on_up(struct connection *c)
{
	const struct ppp_params *p = session_params(c->session);
	char address[INET_ADDRSTRLEN];
	int r = open_tun(c, p);

	text_of(p->peer, address);
	if (r < 0)
		report(&c->report, "tun-failed", "device", c->tun.name, "error", strerror(-r), NULL);
	report(&c->report, "up", "user", p->user, "auth", ppp_auth_name(p->auth), "address", address,
	       "device", c->tun.name, "hash", hash_name(sstp_hash(&c->session->sstp)), NULL);
	add_link_local(c);
}

static void start_closing(struct connection *c, const struct failure *failure)
{
	c->closing = true;
	loop_fd_remove(&c->tun_source);
	report(&c->report, "ended", "cause", cause_name(failure->cause), "stage",
	       stage_name(failure_stage(failure)), "detail", failure->detail, NULL);
	loop_timer_clear(&c->session_timer);
	c->step_timer = (struct loop_timer){ .fn = on_close_timeout, .ctx = c };
	loop_timer_set(c->loop, &c->step_timer, loop_now(c->loop) + CLOSE_TIME);
}

static void on_session_event(struct connection *c, const struct session_event *e)
{
	switch (e->type) {
	case SESSION_EVENT_NONE:
		break;
	case SESSION_EVENT_STAGE:
		report(&c->report, "stage", "over", stage_name(e->stage), NULL);
		break;
	case SESSION_EVENT_UP:
		on_up(c);
		break;
	case SESSION_EVENT_IPV6_UP:
		add_link_local(c);
		break;
	case SESSION_EVENT_IPV6_DOWN:
		break;
	case SESSION_EVENT_DOWN:
		loop_fd_remove(&c->tun_source);
		break;
	case SESSION_EVENT_ENDED:
		start_closing(c, &e->failure);
		break;
	}
}

static void on_session_timer(void *ctx)
{
	struct connection *c = ctx;
	usec_t now = loop_now(c->loop);

	if (now >= session_deadline(c->session))
		session_timeout(c->session, now);
	run(c);
}

static void run(struct connection *c)
{
	struct session_event e;
	uint32_t socket_events, tun_events;
	bool more = pump_run(&c->pump, loop_now(c->loop));

	if (pump_tun_lost(&c->pump))
		loop_fd_remove(&c->tun_source);
	while ((e = session_event(c->session)).type != SESSION_EVENT_NONE)
		on_session_event(c, &e);
	if (c->drop_link && c->staged_pos == c->staged_len && !tls_wants_write(c->tls)) {
		report(&c->report, "ended", "cause", "fault", NULL);
		end(c);
		return;
	}
	if (c->closing && pump_close(&c->pump, loop_now(c->loop))) {
		end(c);
		return;
	}
	pump_wants(&c->pump, &socket_events, &tun_events);
	loop_fd_set(&c->socket_source, socket_events);
	if (loop_fd_is_added(&c->tun_source))
		loop_fd_set(&c->tun_source, tun_events);
	if (!c->closing) {
		usec_t due = MIN(MIN(session_deadline(c->session), pump_deadline(&c->pump)),
				 c->hold_until > loop_now(c->loop) ? c->hold_until : USEC_NEVER);
		loop_timer_set(c->loop, &c->session_timer, more ? 0 : due);
	}
}

static void on_socket(void *ctx, uint32_t events)
{
	struct connection *c = ctx;

	pump_socket_ready(&c->pump, events);
	run(c);
}

/* The way there */

static struct in_addr renumbered(const struct connection *c, struct in_addr a, unsigned offset)
{
	return (struct in_addr){ .s_addr = a.s_addr ? htonl(ntohl(a.s_addr) + (c->renumbered << 8) + offset)
						    : 0 };
}

static struct ppp_server_config assignment(const struct connection *c)
{
	const struct server_options *o = c->options;

	return (struct ppp_server_config){
		.address = renumbered(c, o->address, 0),
		.peer_address = renumbered(c, o->pool_first, c->place),
		.dns = { renumbered(c, o->dns[0], 0), renumbered(c, o->dns[1], 0) },
		.name = "sstp-peer",
		.password = users_password,
		.password_ctx = o->users,
	};
}

void connection_renumber(struct connection *c)
{
	struct ppp_server_config server;

	c->renumbered++;
	if (!c->session || c->closing)
		return;
	server = assignment(c);
	session_renumber(c->session, &server, loop_now(c->loop));
	run(c);
}

static struct session_config session_config(const struct connection *c)
{
	const struct server_options *o = c->options;
	struct session_config config = {
		.role = SSTP_SERVER,
		.random = random_system,
		.sstp = { .hashes = o->hashes,
			  .hello_interval = o->hello * USEC_PER_SEC,
			  .random = random_system },
		.ppp = { .auth = o->auth,
			 .mru = o->mru,
			 .ipv4 = true,
			 .ipv6 = o->ipv6,
			 .random = random_system,
			 .server = assignment(c) },
		.tx = { .vnet_hdr = c->tun.vnet_hdr, .mtu = o->mtu },
		.rx = { .vnet_hdr = c->tun.vnet_hdr, .udp = (c->tun.offloads & TUN_OFFLOAD_USO) != 0 },
	};

	random_fill(&random_system, &config.tx.hash_key, sizeof(config.tx.hash_key));
	tls_server_fingerprints(o->tls, config.sstp.cert_sha1, config.sstp.cert_sha256);
	return config;
}

static int start_session(struct connection *c)
{
	char name[IFNAMSIZ];
	struct tls_peer peer;
	struct failure failure = { 0 };
	int r = tls_peer(c->tls, &peer);

	if (r < 0)
		return r;
	(void)snprintf(name, sizeof(name), "%.8s%u", c->options->tun, c->place);
	struct tun_options tun = { .name = name,
				   .no_vnet_hdr = c->options->plain_tun,
				   .offloads = TUN_OFFLOAD_ALL };
	r = tun_create(&tun, &c->tun, &failure);
	if (r < 0) {
		report(&c->report, "tun-failed", "device", name, "error", failure.detail, NULL);
		return r;
	}
	struct session_config config = session_config(c);
	c->session = calloc(1, sizeof(*c->session));
	if (!c->session)
		return -ENOMEM;
	r = session_init(c->session, &config);
	if (r == 0)
		r = pump_init(&c->pump, c->session, c->tls, c->fd, c->tun.fd);
	if (r < 0)
		return r;
	c->pump.turns = c->options->turns;
	if (c->faults.count > 0) {
		c->staged = malloc(STAGED_SIZE);
		if (!c->staged)
			return -ENOMEM;
		c->pump.output = faulty_output;
		c->pump.output_ctx = c;
	}
	report(&c->report, "tls", "version", peer.version, "cipher", peer.cipher, NULL);
	loop_timer_clear(&c->step_timer);
	c->session_timer = (struct loop_timer){ .fn = on_session_timer, .ctx = c };
	loop_fd_remove(&c->socket_source);
	c->socket_source = (struct loop_fd){ .fn = on_socket, .ctx = c };
	r = loop_fd_add(c->loop, &c->socket_source, c->fd, EPOLLIN);
	if (r < 0)
		return r;
	session_start(c->session, loop_now(c->loop));
	pump_socket_ready(&c->pump, EPOLLIN);
	run(c);
	return 0;
}

static void give_up(struct connection *c, const char *what)
{
	report(&c->report, "ended", "cause", what, "detail", tls_failure(c->tls)->detail, NULL);
	end(c);
}

static void on_handshake(void *ctx, uint32_t events)
{
	struct connection *c = ctx;
	int r = tls_handshake(c->tls);

	(void)events;
	if (r == -EAGAIN) {
		loop_fd_set(&c->socket_source, tls_wants_write(c->tls) ? EPOLLOUT : EPOLLIN);
		return;
	}
	if (r < 0) {
		give_up(c, cause_name(tls_failure(c->tls)->cause));
		return;
	}
	r = start_session(c);
	if (r < 0)
		give_up(c, strerror(-r));
}

static void on_tls_timeout(void *ctx)
{
	give_up(ctx, "tls-timeout");
}

int connection_start(struct connection *c, int fd)
{
	int r = tls_server_accept(c->options->tls, fd, &c->tls);

	c->fd = fd;
	c->tun.fd = -1;
	c->faults = faults_for_connection(&c->options->faults);
	if (r < 0)
		return r;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	c->step_timer = (struct loop_timer){ .fn = on_tls_timeout, .ctx = c };
	loop_timer_set(c->loop, &c->step_timer, loop_now(c->loop) + TLS_TIME);
	c->socket_source = (struct loop_fd){ .fn = on_handshake, .ctx = c };
	return loop_fd_add(c->loop, &c->socket_source, fd, EPOLLIN);
}

void connection_stop(struct connection *c)
{
	if (!c->session) {
		give_up(c, "stopped");
		return;
	}
	session_stop(c->session, NULL, loop_now(c->loop));
	run(c);
}

void connection_done(struct connection *c)
{
	loop_timer_clear(&c->step_timer);
	loop_timer_clear(&c->session_timer);
	loop_fd_remove(&c->socket_source);
	loop_fd_remove(&c->tun_source);
	if (c->session) {
		pump_done(&c->pump);
		session_done(c->session);
		free(c->session);
	}
	tls_free(c->tls);
	free(c->staged);
	if (c->tun.fd >= 0)
		tun_close(&c->tun);
	c->fd = close_fd(c->fd);
}
