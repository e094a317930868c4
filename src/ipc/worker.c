/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipc/worker.h"

#include <arpa/inet.h>

#include "base/macro.h"

/* Large enough for every message below; START is the largest with about 1.5 KiB. */
#define SCRATCH 4096

#define IN(phase) (1u << WORKER_PHASE_##phase)
#define LIVE	  (IN(DIALLING) | IN(VERIFIED) | IN(UP) | IN(STOPPING))

/*
 * What passes when the daemon has just sent STOP may have been under way before: STOPPING accepts it. A
 * server may negotiate LCP, IPCP and IPV6CP again, so their results come more than once.
 */
static const struct ipc_rule daemon_rules[] = {
	{ WORKER_STAGE, "stage", LIVE, false, 0, 0, SCRATCH },
	{ WORKER_ROUTE_QUERY, "route-query", IN(DIALLING) | IN(STOPPING), true, 0, 0, SCRATCH },
	{ WORKER_VERIFIED, "verified", IN(DIALLING) | IN(STOPPING), true, 0, 0, SCRATCH },
	{ WORKER_LINK, "link", IN(VERIFIED) | IN(STOPPING), false, 0, 0, SCRATCH },
	{ WORKER_UP, "up", IN(VERIFIED) | IN(UP) | IN(STOPPING), false, 0, 0, SCRATCH },
	{ WORKER_IPV6_UP, "ipv6-up", IN(UP) | IN(STOPPING), false, 0, 0, SCRATCH },
	{ WORKER_IPV6_DOWN, "ipv6-down", IN(UP) | IN(STOPPING), false, 0, 0, 0 },
	{ WORKER_RDNSS, "rdnss", IN(UP) | IN(STOPPING), false, 0, 0, SCRATCH },
	{ WORKER_STATS, "stats", LIVE, false, 0, 0, SCRATCH },
	{ WORKER_LOG, "log", LIVE | IN(ENDED), false, 0, 0, SCRATCH },
	{ WORKER_FAILED, "failed", LIVE, true, 0, 0, SCRATCH },
	{ WORKER_CLOSED, "closed", IN(STOPPING), true, 0, 0, 0 },
};

static const struct ipc_rule worker_rules[] = {
	{ WORKER_START, "start", IN(NEW), true, 1, 3, SCRATCH },
	{ WORKER_ROUTE_REPLY, "route-reply", IN(DIALLING), true, 0, 0, SCRATCH },
	{ WORKER_PASSWORD, "password", IN(VERIFIED), true, 0, 0, SCRATCH },
	{ WORKER_STOP, "stop", IN(NEW) | LIVE | IN(ENDED), true, 0, 0, 0 },
	{ WORKER_SET_MTU, "set-mtu", LIVE | IN(ENDED), false, 0, 0, SCRATCH },
	{ WORKER_QUERY_STATS, "query-stats", LIVE | IN(ENDED), false, 0, 0, 0 },
};

struct ipc_monitor worker_monitor_of_daemon(void)
{
	return (struct ipc_monitor){ .rules = daemon_rules, .n_rules = ARRAY_SIZE(daemon_rules) };
}

struct ipc_monitor worker_monitor_of_worker(void)
{
	return (struct ipc_monitor){ .rules = worker_rules, .n_rules = ARRAY_SIZE(worker_rules) };
}

static void bad(struct wire_reader *r)
{
	r->error = r->error ? r->error : -EBADMSG;
}

static struct in_addr get_in_addr(struct wire_reader *r)
{
	struct in_addr a;

	wire_copy(r, &a, sizeof(a));
	return a;
}

static void get_device(struct wire_reader *r, char out[static IFNAMSIZ])
{
	ipc_get_text(r, out, IFNAMSIZ);
	if (out[0] && !is_interface_name(out))
		bad(r);
}

static uint16_t get_mtu(struct wire_reader *r)
{
	uint16_t mtu = wire_u16(r);

	if (mtu < WORKER_MTU_MIN || mtu > WORKER_MTU_MAX)
		bad(r);
	return mtu;
}

static bool is_log_level(unsigned level)
{
	return level >= LOG_LEVEL_ERROR && level <= LOG_LEVEL_DEBUG;
}

/* Messages without fields */

int worker_send_plain(int fd, enum worker_message type)
{
	uint8_t buf[IPC_HEADER_LEN];
	struct wire_writer w = ipc_begin(buf, sizeof(buf), (uint16_t)type);

	return ipc_send(fd, &w, NULL, 0);
}

int worker_decode_plain(const struct ipc_message *m)
{
	return wire_finish(&m->body);
}

/* Daemon to worker */

int worker_send_start(int fd, const struct worker_config *c, int tun, int ca, int keylog)
{
	uint8_t buf[SCRATCH];
	struct wire_writer w = ipc_begin(buf, sizeof(buf), WORKER_START);
	int fds[3] = { tun };
	size_t n_fds = 1;

	ipc_put_text(&w, c->host);
	wire_put_u16(&w, c->port);
	ipc_put_text(&w, c->bind_device);
	ipc_put_text(&w, c->tls_name);
	ipc_put_text(&w, c->sni);
	wire_put_u8(&w, (uint8_t)c->n_pins);
	wire_put(&w, c->pins, c->n_pins * sizeof(c->pins[0]));
	wire_put_u8(&w, c->ca_given);
	wire_put_u8(&w, c->keylog);
	ipc_put_text(&w, c->user);
	wire_put_u32(&w, c->auth);
	wire_put_u16(&w, c->mtu);
	wire_put_u16(&w, c->mru);
	wire_put_u8(&w, c->ipv6);
	wire_put_u8(&w, c->want_dns);
	wire_put_u8(&w, c->vnet_hdr);
	wire_put_u32(&w, c->offloads);
	wire_put_u32(&w, c->hello_seconds);
	wire_put_u8(&w, (uint8_t)c->log_level);
	wire_put_u32(&w, c->ca_anchors_len);
	if (c->ca_given)
		fds[n_fds++] = ca;
	if (c->keylog)
		fds[n_fds++] = keylog;
	return ipc_send(fd, &w, fds, n_fds);
}

int worker_decode_start(struct ipc_message *m, struct worker_config *ret, int *ret_tun, int *ret_ca,
			int *ret_keylog)
{
	struct wire_reader r = m->body;
	struct worker_config c = { .port = 0 };

	ipc_get_text(&r, c.host, sizeof(c.host));
	c.port = wire_u16(&r);
	get_device(&r, c.bind_device);
	ipc_get_text(&r, c.tls_name, sizeof(c.tls_name));
	ipc_get_text(&r, c.sni, sizeof(c.sni));
	c.n_pins = wire_u8(&r);
	if (c.n_pins > WORKER_PINS_MAX)
		return -EBADMSG;
	wire_copy(&r, c.pins, c.n_pins * sizeof(c.pins[0]));
	c.ca_given = ipc_get_bool(&r);
	c.keylog = ipc_get_bool(&r);
	ipc_get_bytes_text(&r, c.user, sizeof(c.user));
	c.auth = wire_u32(&r);
	c.mtu = get_mtu(&r);
	c.mru = get_mtu(&r);
	c.ipv6 = ipc_get_bool(&r);
	c.want_dns = ipc_get_bool(&r);
	c.vnet_hdr = ipc_get_bool(&r);
	c.offloads = wire_u32(&r);
	c.hello_seconds = wire_u32(&r);
	c.log_level = (enum log_level)wire_u8(&r);
	c.ca_anchors_len = wire_u32(&r);
	if (wire_finish(&r) < 0 || !c.host[0] || !c.tls_name[0] || c.port == 0 ||
	    !is_log_level(c.log_level) || (!c.ca_given && c.ca_anchors_len > 0) ||
	    m->n_fds != 1u + c.ca_given + c.keylog)
		return -EBADMSG;

	size_t next = 0;
	*ret_tun = TAKE_FD(m->fds[next]);
	next++;
	*ret_ca = c.ca_given ? TAKE_FD(m->fds[next]) : -1;
	next += c.ca_given;
	*ret_keylog = c.keylog ? TAKE_FD(m->fds[next]) : -1;
	*ret = c;
	return 0;
}

int worker_send_password(int fd, const struct secret *password)
{
	uint8_t buf[IPC_HEADER_LEN + 2 + SECRET_MAX];
	struct wire_writer w = ipc_begin(buf, sizeof(buf), WORKER_PASSWORD);

	wire_put_u16(&w, (uint16_t)password->len);
	wire_put(&w, password->data, password->len);
	int r = ipc_send(fd, &w, NULL, 0);
	wipe(buf, sizeof(buf));
	return r;
}

int worker_decode_password(const struct ipc_message *m, struct secret *ret)
{
	struct wire_reader r = m->body;
	size_t len = wire_u16(&r);
	const uint8_t *p = len <= SECRET_MAX ? wire_bytes(&r, len) : NULL;

	if (!p || wire_finish(&r) < 0)
		return -EBADMSG;
	return secret_set(ret, p, len);
}

int worker_send_set_mtu(int fd, uint16_t mtu)
{
	uint8_t buf[IPC_HEADER_LEN + 2];
	struct wire_writer w = ipc_begin(buf, sizeof(buf), WORKER_SET_MTU);

	wire_put_u16(&w, mtu);
	return ipc_send(fd, &w, NULL, 0);
}

int worker_decode_set_mtu(const struct ipc_message *m, uint16_t *ret)
{
	struct wire_reader r = m->body;
	uint16_t mtu = get_mtu(&r);

	if (wire_finish(&r) < 0)
		return -EBADMSG;
	*ret = mtu;
	return 0;
}

int worker_send_route_reply(int fd, const struct worker_routes *routes)
{
	uint8_t buf[SCRATCH];
	struct wire_writer w = ipc_begin(buf, sizeof(buf), WORKER_ROUTE_REPLY);

	wire_put_u8(&w, (uint8_t)routes->n);
	for (size_t i = 0; i < routes->n; i++)
		ipc_put_text(&w, routes->device[i]);
	return ipc_send(fd, &w, NULL, 0);
}

int worker_decode_route_reply(const struct ipc_message *m, struct worker_routes *ret)
{
	struct wire_reader r = m->body;
	struct worker_routes routes = { .n = wire_u8(&r) };

	if (routes.n > WORKER_ADDRESSES_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < routes.n; i++)
		get_device(&r, routes.device[i]);
	if (wire_finish(&r) < 0)
		return -EBADMSG;
	*ret = routes;
	return 0;
}

/* Worker to daemon */

int worker_send_route_query(int fd, const struct worker_addresses *a)
{
	uint8_t buf[SCRATCH];
	struct wire_writer w = ipc_begin(buf, sizeof(buf), WORKER_ROUTE_QUERY);

	wire_put_u8(&w, (uint8_t)a->n);
	wire_put(&w, a->address, a->n * sizeof(a->address[0]));
	return ipc_send(fd, &w, NULL, 0);
}

int worker_decode_route_query(const struct ipc_message *m, struct worker_addresses *ret)
{
	struct wire_reader r = m->body;
	struct worker_addresses a = { .n = wire_u8(&r) };

	if (a.n == 0 || a.n > WORKER_ADDRESSES_MAX)
		return -EBADMSG;
	wire_copy(&r, a.address, a.n * sizeof(a.address[0]));
	if (wire_finish(&r) < 0)
		return -EBADMSG;
	*ret = a;
	return 0;
}

int worker_send_stage(int fd, const struct worker_stage *s)
{
	uint8_t buf[SCRATCH];
	struct wire_writer w = ipc_begin(buf, sizeof(buf), WORKER_STAGE);

	wire_put_u8(&w, (uint8_t)s->stage);
	wire_put_u64(&w, s->at);
	ipc_put_text(&w, s->detail);
	return ipc_send(fd, &w, NULL, 0);
}

int worker_decode_stage(const struct ipc_message *m, struct worker_stage *ret)
{
	struct wire_reader r = m->body;
	unsigned stage = wire_u8(&r);
	struct worker_stage s = { .at = wire_u64(&r) };

	ipc_get_text(&r, s.detail, sizeof(s.detail));
	if (wire_finish(&r) < 0 || stage >= _STAGE_MAX)
		return -EBADMSG;
	s.stage = (enum stage)stage;
	*ret = s;
	return 0;
}

void worker_put_verified(struct wire_writer *w, const struct worker_verified *v)
{
	ipc_put_text(w, v->server);
	wire_put_u16(w, v->port);
	ipc_put_text(w, v->device);
	ipc_put_text(w, v->tls_version);
	ipc_put_text(w, v->cipher);
	ipc_put_text(w, v->certificate);
	ipc_put_text(w, v->issuer);
	wire_put(w, v->pin, sizeof(v->pin));
	wire_put_u8(w, v->by_pin);
	wire_put_u64(w, (uint64_t)v->not_after);
}

int worker_send_verified(int fd, const struct worker_verified *v)
{
	uint8_t buf[SCRATCH];
	struct wire_writer w = ipc_begin(buf, sizeof(buf), WORKER_VERIFIED);

	worker_put_verified(&w, v);
	return ipc_send(fd, &w, NULL, 0);
}

int worker_get_verified(struct wire_reader *r, struct worker_verified *ret)
{
	struct worker_verified v = { .port = 0 };

	ipc_get_text(r, v.server, sizeof(v.server));
	v.port = wire_u16(r);
	get_device(r, v.device);
	ipc_get_text(r, v.tls_version, sizeof(v.tls_version));
	ipc_get_text(r, v.cipher, sizeof(v.cipher));
	ipc_get_text(r, v.certificate, sizeof(v.certificate));
	ipc_get_text(r, v.issuer, sizeof(v.issuer));
	wire_copy(r, v.pin, sizeof(v.pin));
	v.by_pin = ipc_get_bool(r);
	v.not_after = (int64_t)wire_u64(r);
	if (r->error || !is_address(v.server))
		return -EBADMSG;
	*ret = v;
	return 0;
}

int worker_decode_verified(const struct ipc_message *m, struct worker_verified *ret)
{
	struct wire_reader r = m->body;
	struct worker_verified v;

	if (worker_get_verified(&r, &v) < 0 || wire_finish(&r) < 0)
		return -EBADMSG;
	*ret = v;
	return 0;
}

void worker_put_link(struct wire_writer *w, const struct worker_link *l)
{
	wire_put_u16(w, l->peer_mru);
	wire_put_u16(w, l->mru);
	wire_put_u32(w, l->auth);
}

int worker_send_link(int fd, const struct worker_link *l)
{
	uint8_t buf[SCRATCH];
	struct wire_writer w = ipc_begin(buf, sizeof(buf), WORKER_LINK);

	worker_put_link(&w, l);
	return ipc_send(fd, &w, NULL, 0);
}

int worker_get_link(struct wire_reader *r, struct worker_link *ret)
{
	struct worker_link l = { .peer_mru = wire_u16(r), .mru = 0 };

	l.mru = wire_u16(r);
	l.auth = wire_u32(r);
	if (r->error)
		return -EBADMSG;
	*ret = l;
	return 0;
}

int worker_decode_link(const struct ipc_message *m, struct worker_link *ret)
{
	struct wire_reader r = m->body;
	struct worker_link v;

	if (worker_get_link(&r, &v) < 0 || wire_finish(&r) < 0)
		return -EBADMSG;
	*ret = v;
	return 0;
}

void worker_put_up(struct wire_writer *w, const struct worker_up *u)
{
	wire_put(w, &u->local, sizeof(u->local));
	wire_put(w, &u->peer, sizeof(u->peer));
	wire_put(w, u->dns, sizeof(u->dns));
	wire_put(w, u->nbns, sizeof(u->nbns));
	wire_put_u8(w, u->ipv6);
	wire_put(w, u->local_id, sizeof(u->local_id));
	wire_put(w, u->peer_id, sizeof(u->peer_id));
	wire_put_u16(w, u->peer_mru);
	wire_put_u32(w, u->auth);
	wire_put_u8(w, u->binding_hash);
	ipc_put_text(w, u->message);
}

int worker_send_up(int fd, const struct worker_up *u)
{
	uint8_t buf[SCRATCH];
	struct wire_writer w = ipc_begin(buf, sizeof(buf), WORKER_UP);

	worker_put_up(&w, u);
	return ipc_send(fd, &w, NULL, 0);
}

int worker_get_up(struct wire_reader *r, struct worker_up *ret)
{
	struct worker_up u = { .local = get_in_addr(r) };

	u.peer = get_in_addr(r);
	for (size_t i = 0; i < ARRAY_SIZE(u.dns); i++)
		u.dns[i] = get_in_addr(r);
	for (size_t i = 0; i < ARRAY_SIZE(u.nbns); i++)
		u.nbns[i] = get_in_addr(r);
	u.ipv6 = ipc_get_bool(r);
	wire_copy(r, u.local_id, sizeof(u.local_id));
	wire_copy(r, u.peer_id, sizeof(u.peer_id));
	u.peer_mru = wire_u16(r);
	u.auth = wire_u32(r);
	u.binding_hash = wire_u8(r);
	ipc_get_text(r, u.message, sizeof(u.message));
	if (r->error)
		return -EBADMSG;
	*ret = u;
	return 0;
}

int worker_decode_up(const struct ipc_message *m, struct worker_up *ret)
{
	struct wire_reader r = m->body;
	struct worker_up v;

	if (worker_get_up(&r, &v) < 0 || wire_finish(&r) < 0)
		return -EBADMSG;
	*ret = v;
	return 0;
}

/* An address that one host can have: not 0/8, 127/8, 224/4, 240/4. */
static bool is_unicast(struct in_addr a)
{
	uint32_t host = ntohl(a.s_addr);
	uint32_t net = host >> 24;

	return net != 0 && net != 127 && net < 224;
}

static bool is_unicast_or_none(struct in_addr a)
{
	return a.s_addr == 0 || is_unicast(a);
}

static const char *check_ids(const uint8_t local[static 8], const uint8_t peer[static 8])
{
	static const uint8_t zero[8];

	if (memcmp(local, zero, 8) == 0)
		return "the IPv6 interface identifier is zero";
	if (memcmp(local, peer, 8) == 0)
		return "both ends have the same IPv6 interface identifier";
	return NULL;
}

const char *worker_up_check(const struct worker_up *u, unsigned auth)
{
	if (!is_unicast(u->local))
		return "the local address is not a unicast address";
	if (!is_unicast_or_none(u->peer))
		return "the peer's address is not a unicast address";
	if (u->peer.s_addr == u->local.s_addr)
		return "both ends have the same address";
	for (size_t i = 0; i < ARRAY_SIZE(u->dns); i++)
		if (!is_unicast_or_none(u->dns[i]) || !is_unicast_or_none(u->nbns[i]))
			return "a name server's address is not a unicast address";
	if (u->peer_mru < WORKER_MTU_MIN)
		return "the peer's MRU is too small";
	if (u->auth == 0 || (u->auth & (u->auth - 1)) != 0 || !(u->auth & auth))
		return "the authentication method was not allowed";
	return u->ipv6 ? check_ids(u->local_id, u->peer_id) : NULL;
}

int worker_send_ipv6_up(int fd, const struct worker_ipv6 *v)
{
	uint8_t buf[SCRATCH];
	struct wire_writer w = ipc_begin(buf, sizeof(buf), WORKER_IPV6_UP);

	wire_put(&w, v->local_id, sizeof(v->local_id));
	wire_put(&w, v->peer_id, sizeof(v->peer_id));
	return ipc_send(fd, &w, NULL, 0);
}

int worker_decode_ipv6_up(const struct ipc_message *m, struct worker_ipv6 *ret)
{
	struct wire_reader r = m->body;
	struct worker_ipv6 v;

	wire_copy(&r, v.local_id, sizeof(v.local_id));
	wire_copy(&r, v.peer_id, sizeof(v.peer_id));
	if (wire_finish(&r) < 0)
		return -EBADMSG;
	*ret = v;
	return 0;
}

const char *worker_ipv6_check(const struct worker_ipv6 *v)
{
	return check_ids(v->local_id, v->peer_id);
}

void worker_put_rdnss(struct wire_writer *w, const struct worker_rdnss *rdnss)
{
	wire_put_u8(w, (uint8_t)rdnss->n);
	wire_put(w, rdnss->address, rdnss->n * sizeof(rdnss->address[0]));
	wire_put_u32(w, rdnss->lifetime);
}

int worker_send_rdnss(int fd, const struct worker_rdnss *rdnss)
{
	uint8_t buf[SCRATCH];
	struct wire_writer w = ipc_begin(buf, sizeof(buf), WORKER_RDNSS);

	worker_put_rdnss(&w, rdnss);
	return ipc_send(fd, &w, NULL, 0);
}

int worker_get_rdnss(struct wire_reader *r, struct worker_rdnss *ret)
{
	struct worker_rdnss rdnss = { .n = wire_u8(r) };

	if (rdnss.n > WORKER_RDNSS_MAX)
		return -EBADMSG;
	wire_copy(r, rdnss.address, rdnss.n * sizeof(rdnss.address[0]));
	rdnss.lifetime = wire_u32(r);
	if (r->error)
		return -EBADMSG;
	for (size_t i = 0; i < rdnss.n; i++) {
		const struct in6_addr *a = &rdnss.address[i];
		if (IN6_IS_ADDR_UNSPECIFIED(a) || IN6_IS_ADDR_LOOPBACK(a) || IN6_IS_ADDR_MULTICAST(a) ||
		    IN6_IS_ADDR_V4MAPPED(a) || IN6_IS_ADDR_V4COMPAT(a))
			return -EBADMSG;
	}
	*ret = rdnss;
	return 0;
}

int worker_decode_rdnss(const struct ipc_message *m, struct worker_rdnss *ret)
{
	struct wire_reader r = m->body;
	struct worker_rdnss v;

	if (worker_get_rdnss(&r, &v) < 0 || wire_finish(&r) < 0)
		return -EBADMSG;
	*ret = v;
	return 0;
}

/* The counters in the order of the message. */
#define STATS_FIELDS(X, s)     \
	X((s)->rx_packets)     \
	X((s)->rx_bytes)       \
	X((s)->tx_packets)     \
	X((s)->tx_bytes)       \
	X((s)->rx_dropped)     \
	X((s)->tx_dropped)     \
	X((s)->queue_bytes)    \
	X((s)->outer_rx_bytes) \
	X((s)->outer_tx_bytes) \
	X((s)->rtt_usec)

int worker_send_stats(int fd, const struct worker_stats *s)
{
	uint8_t buf[SCRATCH];
	struct wire_writer w = ipc_begin(buf, sizeof(buf), WORKER_STATS);

#define PUT(field) wire_put_u64(&w, field);
	STATS_FIELDS(PUT, s)
#undef PUT
	return ipc_send(fd, &w, NULL, 0);
}

int worker_decode_stats(const struct ipc_message *m, struct worker_stats *ret)
{
	struct wire_reader r = m->body;
	struct worker_stats s;

#define GET(field) field = wire_u64(&r);
	STATS_FIELDS(GET, &s)
#undef GET
	if (wire_finish(&r) < 0)
		return -EBADMSG;
	*ret = s;
	return 0;
}

int worker_send_log(int fd, enum log_level level, const char *line)
{
	uint8_t buf[SCRATCH];
	char text[sizeof(((struct worker_log *)NULL)->line)];
	struct wire_writer w = ipc_begin(buf, sizeof(buf), WORKER_LOG);

	printable(text, sizeof(text), line, strlen(line));
	wire_put_u8(&w, (uint8_t)level);
	ipc_put_text(&w, text);
	return ipc_send(fd, &w, NULL, 0);
}

int worker_decode_log(const struct ipc_message *m, struct worker_log *ret)
{
	struct wire_reader r = m->body;
	struct worker_log log = { .level = (enum log_level)wire_u8(&r) };

	ipc_get_text(&r, log.line, sizeof(log.line));
	if (wire_finish(&r) < 0 || !is_log_level(log.level))
		return -EBADMSG;
	*ret = log;
	return 0;
}

int worker_send_failed(int fd, const struct failure *f)
{
	uint8_t buf[SCRATCH];
	struct wire_writer w = ipc_begin(buf, sizeof(buf), WORKER_FAILED);

	/* By name: the numbers of the catalogue are no wire format. */
	ipc_put_text(&w, cause_name(f->cause));
	ipc_put_text(&w, f->detail);
	return ipc_send(fd, &w, NULL, 0);
}

int worker_decode_failed(const struct ipc_message *m, struct failure *ret)
{
	struct wire_reader r = m->body;
	struct failure f = { .cause = CAUSE_NONE };
	char name[64];

	ipc_get_text(&r, name, sizeof(name));
	ipc_get_text(&r, f.detail, sizeof(f.detail));
	if (wire_finish(&r) < 0)
		return -EBADMSG;
	for (enum cause c = CAUSE_NONE + 1; c < _CAUSE_MAX; c++)
		if (strcmp(cause_name(c), name) == 0)
			f.cause = c;
	if (f.cause == CAUSE_NONE)
		return -EBADMSG;
	*ret = f;
	return 0;
}
