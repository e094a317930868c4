/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a worker is told, and what it reports: checked, remembered, turned into events of the supervisor. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "proto/ppp/ppp.h"
#include "sstpcd/password.h"
#include "sstpcd/tunnel.h"

/* A worker may tell this much; then it is told to be quiet by not listening. */
#define LOG_LINES_MAX 2000

static void make_config(const struct tunnel *t, struct worker_config *w)
{
	const struct config_interface *c = &t->config;
	const char *tls_name = c->server_name[0] ? c->server_name : c->server;

	*w = (struct worker_config){ .port = c->port,
				     .n_pins = c->n_pins,
				     .ca_given = c->ca_pem != NULL,
				     .ca_anchors_len = (uint32_t)c->ca_anchors_len,
				     .keylog = t->options.keylog_fd >= 0,
				     .auth = c->auth | (t->eap_first ? PPP_AUTH_EAP_FIRST : 0),
				     .mtu = c->mtu,
				     .mru = (uint16_t)CLAMP(c->mtu, 1500, WORKER_MTU_MAX),
				     .ipv6 = true,
				     .want_dns = true, /* no-peer-dns may be deleted in the session */
				     .vnet_hdr = t->tun.vnet_hdr,
				     .offloads = tun_offload_flags(t->tun.offloads),
				     .log_level = t->log.max };
	memcpy(w->host, c->server, sizeof(w->host));
	memcpy(w->tls_name, tls_name, sizeof(w->tls_name));
	/* An address is no server name, RFC 6066 §3. */
	if (!is_address(tls_name))
		memcpy(w->sni, tls_name, sizeof(w->sni));
	for (size_t i = 0; i < c->n_pins; i++)
		memcpy(w->pins[i], c->pins[i].sha256, sizeof(w->pins[i]));
	_Static_assert(sizeof(c->username) <= sizeof(w->user), "a name has its end, too");
	memcpy(w->user, c->username, sizeof(c->username));
}

int attempt_start(struct tunnel *t, struct failure *failure)
{
	_cleanup_close_ int ca = -1;
	struct worker_config config;

	make_config(t, &config);
	if (config.ca_given) {
		ca = process_memory_file("ca", t->config.ca_pem, strlen(t->config.ca_pem));
		if (ca < 0) {
			failure_set(failure, cause_unless_limit(CAUSE_INTERNAL, ca), "memory for the CA: %s",
				    strerror(-ca));
			return ca;
		}
	}
	int r = process_start(&t->process, t->host->worker_path);
	if (r < 0) {
		failure_set(failure, cause_unless_fork_limit(CAUSE_INTERNAL, r), "cannot start %s: %s",
			    t->host->worker_path, strerror(-r));
		return r;
	}
	r = worker_send_start(t->process.fd, &config, t->tun.fd, ca, t->options.keylog_fd);
	if (r < 0) {
		failure_set(failure, CAUSE_INTERNAL, "cannot reach the new worker: %s", strerror(-r));
		return r;
	}
	t->process.phase = WORKER_PHASE_DIALLING;
	return 0;
}

/* A worker that has ended has left word of why: it is read next, and counts more than that we came too late.
 */
static int unless_ended(int r)
{
	return r == -EPIPE || r == -ECONNRESET ? 0 : r;
}

int attempt_send_password(struct tunnel *t, struct failure *failure)
{
	_cleanup_secret_ struct secret read = { .len = 0 };
	const struct secret *password = &t->config.password;
	bool exposed = false;

	if (!t->config.username[0]) {
		failure_set(failure, CAUSE_AUTH_NO_LOGIN, "interface %s", t->config.name);
		return -EINVAL;
	}
	if (t->config.password_file[0]) {
		int r = password_from_file(t->config.password_file, &read, &exposed, failure);
		if (r < 0)
			return r;
		if (exposed)
			log_warning(&t->log, "%s can be read by users other than its owner",
				    t->config.password_file);
		password = &read;
	}
	int r = unless_ended(worker_send_password(t->process.fd, password));
	if (r < 0)
		failure_set(failure, CAUSE_WORKER_DIED, "it does not accept the password: %s", strerror(-r));
	return r;
}

/* Reports */

static int on_stage(struct tunnel *t, const struct ipc_message *m)
{
	struct tunnel_attempt *a = t->attempt;
	struct worker_stage s;

	int r = worker_decode_stage(m, &s);
	if (r < 0)
		return r;
	/* Stages follow one another; who goes back, or knows the future, is lying. */
	if (s.stage < a->stage || s.at < a->started || s.at > clock_now())
		return -EBADMSG;
	a->stage = s.stage;
	if (a->stage_at[s.stage] == 0)
		a->stage_at[s.stage] = s.at;
	memcpy(a->stage_detail, s.detail, sizeof(a->stage_detail));
	log_debug(&t->log, "%s%s%s", stage_name(s.stage), s.detail[0] ? ": " : "", s.detail);
	tunnel_note(t, TUNNEL_NOTE_STAGE);
	return 0;
}

static int on_route_query(struct tunnel *t, const struct ipc_message *m)
{
	struct worker_addresses addresses;
	struct worker_routes routes;

	int r = worker_decode_route_query(m, &addresses);
	if (r < 0)
		return r;
	t->attempt->queried = addresses;
	kernel_find_devices(t, &addresses, &routes);
	return unless_ended(worker_send_route_reply(t->process.fd, &routes));
}

/* A route may be made to it, so it must be one of the name's. Not known are these where nobody asked for the
 * way to them, and after a re-exec. */
static bool was_queried(const struct worker_addresses *queried, const struct net_addr *server)
{
	struct in6_addr a = server->in6;

	if (server->family == AF_INET) {
		a = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
		memcpy(&a.s6_addr[12], &server->in, sizeof(server->in));
	}
	for (size_t i = 0; i < queried->n; i++)
		if (memcmp(&queried->address[i], &a, sizeof(a)) == 0)
			return true;
	return queried->n == 0;
}

static int on_verified(struct tunnel *t, const struct ipc_message *m)
{
	struct tunnel_attempt *a = t->attempt;
	struct net_addr server = { .family = AF_INET };

	int r = worker_decode_verified(m, &a->verified);
	if (r < 0)
		return r;
	if (inet_pton(AF_INET, a->verified.server, &server.in) != 1) {
		server.family = AF_INET6;
		(void)inet_pton(AF_INET6, a->verified.server, &server.in6);
	}
	if (!was_queried(&a->queried, &server))
		return -EBADMSG;
	a->server = server;
	a->source = underlay_source(a->verified.device, &server);
	a->has_verified = true;
	t->process.phase = WORKER_PHASE_VERIFIED;
	log_debug(&t->log, "server %s port %u is %s, %s %s", a->verified.server, (unsigned)a->verified.port,
		  a->verified.certificate, a->verified.tls_version, a->verified.cipher);
	tunnel_note(t, TUNNEL_NOTE_VERIFIED);
	tunnel_event(t, TUNNEL_EVENT_VERIFIED);
	return 0;
}

static int on_link(struct tunnel *t, const struct ipc_message *m)
{
	int r = worker_decode_link(m, &t->attempt->link);

	t->attempt->has_link = r == 0;
	return r;
}

/* What the tunnel has already, though it was negotiated anew. */
static bool is_in_force(const struct tunnel_attempt *a, const struct worker_up *up)
{
	const struct worker_up *old = &a->up;

	return a->has_up && old->local.s_addr == up->local.s_addr && old->peer.s_addr == up->peer.s_addr &&
	       old->peer_mru == up->peer_mru && memcmp(old->dns, up->dns, sizeof(old->dns)) == 0 &&
	       memcmp(old->nbns, up->nbns, sizeof(old->nbns)) == 0 && a->has_ipv6 == up->ipv6 &&
	       memcmp(a->ipv6.local_id, up->local_id, sizeof(up->local_id)) == 0 &&
	       memcmp(a->ipv6.peer_id, up->peer_id, sizeof(up->peer_id)) == 0;
}

static int on_up(struct tunnel *t, const struct ipc_message *m)
{
	struct tunnel_attempt *a = t->attempt;
	struct worker_up up;

	int r = worker_decode_up(m, &up);
	if (r < 0)
		return r;
	const char *wrong = worker_up_check(&up, t->config.auth);
	if (wrong) {
		tunnel_fail(t, CAUSE_IPCP_NO_ADDRESS, "%s", wrong);
		return 0;
	}
	if (!t->config.vrf[0] && a->server.family == AF_INET && a->server.in.s_addr == up.local.s_addr) {
		tunnel_fail(t, CAUSE_IPCP_NO_ADDRESS,
			    "it gave its own address, %s: it could not be reached any more",
			    a->verified.server);
		return 0;
	}
	if (is_in_force(a, &up))
		return 0;
	t->process.phase = WORKER_PHASE_UP;
	a->up = up;
	a->has_up = true;
	a->has_ipv6 = up.ipv6;
	if (!up.ipv6)
		a->rdnss.n = 0;
	memcpy(a->ipv6.local_id, up.local_id, sizeof(up.local_id));
	memcpy(a->ipv6.peer_id, up.peer_id, sizeof(up.peer_id));
	tunnel_event(t, TUNNEL_EVENT_UP);
	return 0;
}

static int on_ipv6_up(struct tunnel *t, const struct ipc_message *m)
{
	struct worker_ipv6 ipv6;

	int r = worker_decode_ipv6_up(m, &ipv6);
	if (r < 0 || worker_ipv6_check(&ipv6))
		return -EBADMSG;
	t->attempt->ipv6 = ipv6;
	t->attempt->has_ipv6 = true;
	kernel_follow_server(t);
	return 0;
}

static int on_ipv6_down(struct tunnel *t, const struct ipc_message *m)
{
	int r = worker_decode_plain(m);

	if (r < 0)
		return r;
	t->attempt->has_ipv6 = false;
	t->attempt->rdnss.n = 0;
	kernel_follow_server(t);
	return 0;
}

static int on_rdnss(struct tunnel *t, const struct ipc_message *m)
{
	struct worker_rdnss rdnss;

	int r = worker_decode_rdnss(m, &rdnss);
	if (r < 0)
		return r;
	if (rdnss.lifetime == 0)
		rdnss.n = 0;
	bool same = rdnss.n == t->attempt->rdnss.n &&
		    memcmp(rdnss.address, t->attempt->rdnss.address, sizeof(rdnss.address[0]) * rdnss.n) == 0;
	t->attempt->rdnss = rdnss;
	if (!same)
		kernel_follow_server(t);
	return 0;
}

static int on_stats(struct tunnel *t, const struct ipc_message *m)
{
	int r = worker_decode_stats(m, &t->attempt->stats);

	if (r < 0)
		return r;
	t->attempt->stats_asked = 0;
	tunnel_answered(t);
	tunnel_note(t, TUNNEL_NOTE_STATS);
	return 0;
}

static int on_log(struct tunnel *t, const struct ipc_message *m)
{
	struct worker_log log;

	int r = worker_decode_log(m, &log);
	if (r < 0)
		return r;
	if (t->attempt->log_lines < LOG_LINES_MAX)
		log_line(&t->log, log.level, "worker: %s", log.line);
	else if (t->attempt->log_lines == LOG_LINES_MAX)
		log_warning(&t->log, "the worker logs too much, the rest is dropped");
	t->attempt->log_lines++;
	return 0;
}

static int on_failed(struct tunnel *t, const struct ipc_message *m)
{
	struct failure failure;
	char device[IFNAMSIZ];

	int r = worker_decode_failed(m, &failure);
	if (r < 0)
		return r;
	/* For this nothing is waited. Who was to take EAP first has not asked for MS-CHAPv2 instead. */
	if (failure.cause == CAUSE_AUTH_EAP && t->eap_first)
		return -EBADMSG;
	t->process.phase = WORKER_PHASE_ENDED;
	if (failure.cause == CAUSE_CONNECT_NO_ROUTE && kernel_leads_into_tunnel(t, device))
		tunnel_fail(t, failure.cause, "%s: only through %s, and no tunnel is carried by another",
			    failure.detail, device);
	else
		tunnel_fail(t, failure.cause, "%s", failure.detail);
	return 0;
}

static int on_closed(struct tunnel *t, const struct ipc_message *m)
{
	int r = worker_decode_plain(m);

	if (r == 0)
		t->process.phase = WORKER_PHASE_ENDED;
	return r;
}

void attempt_message(void *ctx, struct ipc_message *m)
{
	struct tunnel *t = ctx;
	int r = -EBADMSG;

	/* Of a worker that is to end only the end matters. */
	if (t->state == TUNNEL_STOPPING && m->type != WORKER_FAILED && m->type != WORKER_CLOSED &&
	    m->type != WORKER_LOG)
		return;
	switch ((enum worker_message)m->type) {
	case WORKER_STAGE:
		r = on_stage(t, m);
		break;
	case WORKER_ROUTE_QUERY:
		r = on_route_query(t, m);
		break;
	case WORKER_VERIFIED:
		r = on_verified(t, m);
		break;
	case WORKER_LINK:
		r = on_link(t, m);
		break;
	case WORKER_UP:
		r = on_up(t, m);
		break;
	case WORKER_IPV6_UP:
		r = on_ipv6_up(t, m);
		break;
	case WORKER_IPV6_DOWN:
		r = on_ipv6_down(t, m);
		break;
	case WORKER_RDNSS:
		r = on_rdnss(t, m);
		break;
	case WORKER_STATS:
		r = on_stats(t, m);
		break;
	case WORKER_LOG:
		r = on_log(t, m);
		break;
	case WORKER_FAILED:
		r = on_failed(t, m);
		break;
	case WORKER_CLOSED:
		r = on_closed(t, m);
		break;
	case WORKER_START:
	case WORKER_ROUTE_REPLY:
	case WORKER_PASSWORD:
	case WORKER_STOP:
	case WORKER_SET_MTU:
	case WORKER_QUERY_STATS:
		break; /* not in the table of what a worker may say */
	}
	if (r < 0)
		t->process.violation(t, r == -EBADMSG ? "a message with invalid values"
						      : "it no longer accepts messages");
}
