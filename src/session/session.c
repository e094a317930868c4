/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "session/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HTTP_TIME_DEFAULT (60 * USEC_PER_SEC)

/* What the caller learns */

static struct session_event *event_at(struct session *s, unsigned i)
{
	return &s->events[(s->event_first + i) % SESSION_EVENTS_MAX];
}

static bool replaces(const struct session_event *old, const struct session_event *new)
{
	bool both_ipv6 = (old->type == SESSION_EVENT_IPV6_UP || old->type == SESSION_EVENT_IPV6_DOWN) &&
			 (new->type == SESSION_EVENT_IPV6_UP || new->type == SESSION_EVENT_IPV6_DOWN);

	return both_ipv6 || (old->type == new->type && old->stage == new->stage);
}

/*
 * A peer can negotiate LCP, IPCP and IPV6CP over and over between two pulls. What waits already is not told
 * twice, and of IPv6 the last state counts: so there are never more events than places, and ENDED always has
 * one.
 */
static void push_event(struct session *s, enum session_event_type type, enum stage stage)
{
	struct session_event e = { .type = type, .stage = stage };
	unsigned i = 0;

	if (type == SESSION_EVENT_ENDED)
		e.failure = s->failure;
	while (i < s->event_count && !replaces(event_at(s, i), &e))
		i++;
	if (i == SESSION_EVENTS_MAX)
		return;
	if (i == s->event_count)
		s->event_count++;
	*event_at(s, i) = e;
}

struct session_event session_event(struct session *s)
{
	struct session_event e = { .type = SESSION_EVENT_NONE };

	if (s->event_count > 0) {
		e = *event_at(s, 0);
		s->event_first = (s->event_first + 1) % SESSION_EVENTS_MAX;
		s->event_count--;
	}
	s->up_told |= e.type == SESSION_EVENT_UP;
	return e;
}

static void drop_events(struct session *s, enum session_event_type type)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < s->event_count; i++)
		if (event_at(s, i)->type != type)
			*event_at(s, kept++) = *event_at(s, i);
	s->event_count = kept;
}

static void note_failure(struct session *s, const struct failure *failure)
{
	if (!failure || failure->cause == CAUSE_NONE || s->failure.cause != CAUSE_NONE)
		return;
	s->failure = *failure;
	if (s->failure.stage == STAGE_SETUP)
		s->failure.stage = session_stage(s);
}

static bool may_flow(const struct session *s, int protocol)
{
	const struct ppp_params *params = ppp_params(&s->ppp);

	return s->flowing && (protocol == PPP_PROTO_IPV4 ? params->ipv4_up : params->ipv6_up);
}

/* Tells the queue which packets may come; all others are dropped where they enter. */
static void tell_queue(struct session *s)
{
	tx_set_families(s->tx, may_flow(s, PPP_PROTO_IPV4), may_flow(s, PPP_PROTO_IPV6));
}

/* That it was up is not told any more if nobody has looked since: the parameters go with it. */
static void close_path(struct session *s)
{
	drop_events(s, SESSION_EVENT_UP);
	drop_events(s, SESSION_EVENT_IPV6_UP);
	if (s->up_told)
		push_event(s, SESSION_EVENT_DOWN, STAGE_UP);
	s->flowing = s->up_told = false;
}

static void end(struct session *s)
{
	if (s->phase == SESSION_PHASE_ENDED)
		return;
	close_path(s);
	ppp_lower_down(&s->ppp);
	s->phase = SESSION_PHASE_ENDED;
	push_event(s, SESSION_EVENT_ENDED, STAGE_UP);
}

/* Control packets */

static uint8_t *control_space(struct session *s, size_t *ret_space)
{
	if (s->control_pos > 0) {
		memmove(s->control, s->control + s->control_pos, s->control_len - s->control_pos);
		s->control_len -= s->control_pos;
		wipe(s->control + s->control_len, s->control_pos);
		s->control_pos = 0;
	}
	*ret_space = sizeof(s->control) - s->control_len;
	return s->control + s->control_len;
}

static bool call_carries_ppp(const struct session *s)
{
	enum sstp_state state = sstp_state(&s->sstp);

	return state == SSTP_STATE_ACK_RECEIVED || state == SSTP_STATE_CONNECTED;
}

/*
 * Moves what the engines have queued behind what is waiting already: PPP first, so that a Terminate-Ack
 * leaves before the CALL_DISCONNECT that it leads to. Where there is no room it stays in the engines, which
 * are bounded.
 */
static void collect_control(struct session *s)
{
	size_t space, n;
	uint8_t *out;

	while (call_carries_ppp(s)) {
		out = control_space(s, &space);
		if (space <= SSTP_HEADER_LEN)
			return;
		n = ppp_output(&s->ppp, out + SSTP_HEADER_LEN,
			       MIN(space, (size_t)SSTP_PACKET_MAX) - SSTP_HEADER_LEN);
		if (n == 0)
			break;
		sstp_data_header(out, n);
		s->control_len += SSTP_HEADER_LEN + n;
	}
	out = control_space(s, &space);
	s->control_len += sstp_output(&s->sstp, out, space);
}

/* Events of the engines */

/*
 * An end that SSTP tells, in terms of what PPP was doing. The negotiation timer of the call ([MS-SSTP] 3.2.2)
 * also runs while PPP negotiates, and a server that gets no login to its taste just goes.
 */
static void refine(const struct session *s, struct failure *failure)
{
	struct failure ppp = { .cause = CAUSE_NONE };

	if (s->config.role != SSTP_CLIENT || !s->sstp_was_up)
		return;
	enum stage stage = ppp_stage(&s->ppp);
	if (failure->cause == CAUSE_SSTP_TIMEOUT && (stage == STAGE_LCP || stage == STAGE_AUTH))
		ppp_explain_hang(&s->ppp, &ppp);
	else if (failure->cause != CAUSE_NONE)
		(void)ppp_login_was_refused(&s->ppp, &ppp);
	if (ppp.cause != CAUSE_NONE)
		*failure = ppp;
}

static void on_sstp_event(struct session *s, struct sstp_event *e, usec_t now)
{
	switch (e->type) {
	case SSTP_EVENT_NONE:
		break;
	case SSTP_EVENT_LOWER_UP:
		s->sstp_was_up = true;
		push_event(s, SESSION_EVENT_STAGE, STAGE_SSTP);
		ppp_lower_up(&s->ppp, now);
		break;
	case SSTP_EVENT_CONNECTED:
		ppp_network_allowed(&s->ppp, now);
		break;
	case SSTP_EVENT_STOPPING:
		refine(s, &e->failure);
		note_failure(s, &e->failure);
		close_path(s);
		ppp_lower_down(&s->ppp);
		break;
	case SSTP_EVENT_ENDED:
		refine(s, &e->failure);
		note_failure(s, &e->failure);
		end(s);
		break;
	}
}

static void on_ppp_event(struct session *s, const struct ppp_event *e, usec_t now)
{
	const struct ppp_params *params = ppp_params(&s->ppp);
	bool first;

	switch (e->type) {
	case PPP_EVENT_NONE:
	case PPP_EVENT_IPCP_DOWN: /* nobody is told: it comes up again, or the link ends */
		break;
	case PPP_EVENT_LCP_UP:
		push_event(s, SESSION_EVENT_STAGE, STAGE_LCP);
		break;
	case PPP_EVENT_AUTHENTICATED:
		push_event(s, SESSION_EVENT_STAGE, STAGE_AUTH);
		sstp_authenticated(&s->sstp, params->hlak, now);
		break;
	case PPP_EVENT_IPCP_UP:
		sstp_binding_accepted(&s->sstp); /* or it would not have answered */
		if (!s->flowing)
			push_event(s, SESSION_EVENT_STAGE, STAGE_IPCP);
		s->flowing = true;
		push_event(s, SESSION_EVENT_UP, STAGE_UP);
		break;
	case PPP_EVENT_IPV6CP_UP:
		sstp_binding_accepted(&s->sstp);
		first = !s->flowing && !s->config.ppp.ipv4;
		push_event(s, SESSION_EVENT_IPV6_UP, STAGE_UP);
		if (first) {
			s->flowing = true;
			push_event(s, SESSION_EVENT_UP, STAGE_UP);
		}
		break;
	case PPP_EVENT_IPV6CP_DOWN:
		push_event(s, SESSION_EVENT_IPV6_DOWN, STAGE_UP);
		break;
	case PPP_EVENT_DOWN:
		note_failure(s, &e->failure);
		close_path(s);
		collect_control(s); /* our last PPP packets leave before the call ends */
		sstp_disconnect(&s->sstp, &s->failure, now);
		break;
	}
}

/*
 * Lets the engines react to each other until nothing is left to do. Every event is made once, so this ends.
 * Whatever moves an engine calls it, so that here, and nowhere else, the queue learns what PPP lets pass: no
 * packet of a family follows its NCP's end, nor any a Terminate-Request (RFC 1661 §3.7).
 */
static void settle(struct session *s, usec_t now)
{
	bool more = true;

	while (more && s->phase == SESSION_PHASE_CALL) {
		struct sstp_event se;
		struct ppp_event pe;

		more = false;
		collect_control(s);
		while ((se = sstp_event(&s->sstp)).type != SSTP_EVENT_NONE) {
			on_sstp_event(s, &se, now);
			more = true;
		}
		while (s->phase == SESSION_PHASE_CALL && (pe = ppp_event(&s->ppp)).type != PPP_EVENT_NONE) {
			on_ppp_event(s, &pe, now);
			more = true;
		}
	}
	collect_control(s);
	tell_queue(s);
}

/* Life cycle */

int session_init(struct session *s, const struct session_config *config)
{
	int r;

	memset(s, 0, offsetof(struct session, events));
	s->config = *config;
	s->http_deadline = USEC_NEVER;
	s->config.sstp.role = config->role;
	s->config.ppp.role = config->role == SSTP_CLIENT ? PPP_CLIENT : PPP_SERVER;
	s->rx_room = RX_BATCH_MAX;
	r = tx_new(&config->tx, &s->tx);
	if (r < 0)
		return r;
	r = rx_new(&config->rx, &s->rx);
	if (r < 0) {
		tx_free(s->tx);
		s->tx = NULL; /* session_done() may follow */
		return r;
	}
	http_response_init(&s->response);
	http_request_init(&s->request);
	sstp_init(&s->sstp, &s->config.sstp);
	ppp_init(&s->ppp, &s->config.ppp);
	tell_queue(s);
	return 0;
}

void session_done(struct session *s)
{
	ppp_done(&s->ppp);
	tx_free(s->tx);
	rx_free(s->rx);
	wipe(s, sizeof(*s)); /* keys and passwords of several layers, and login frames that wait */
}

void session_start(struct session *s, usec_t now)
{
	s->http_deadline = now + (s->config.http_time ? s->config.http_time : HTTP_TIME_DEFAULT);
	if (s->config.role == SSTP_SERVER)
		return;
	uint8_t guid[16];
	random_fill(&s->config.random, guid, sizeof(guid));
	ssize_t n = http_write_request((char *)s->control, sizeof(s->control), s->config.host, guid);
	if (n < 0) {
		failure_set(&s->failure, CAUSE_USAGE, "\"%s\" cannot be sent as a host name", s->config.host);
		end(s);
		return;
	}
	s->control_len = (size_t)n;
}

static void start_call(struct session *s, usec_t now)
{
	s->http_deadline = USEC_NEVER;
	s->phase = SESSION_PHASE_CALL;
	push_event(s, SESSION_EVENT_STAGE, STAGE_HTTP);
	sstp_start(&s->sstp, now);
	settle(s, now);
}

/* Server: answers the request; anything but 200 also ends the session. */
static void answer_request(struct session *s, usec_t now)
{
	size_t space;
	uint8_t *out = control_space(s, &space);
	ssize_t n = http_write_response((char *)out, space, s->request.status,
					s->config.date[0] ? s->config.date : NULL);

	if (n > 0)
		s->control_len += (size_t)n;
	if (s->request.status == 200) {
		start_call(s, now);
		return;
	}
	failure_set(&s->failure, CAUSE_HTTP_NOT_SSTP, "request answered with status %d", s->request.status);
	end(s);
}

static size_t http_input(struct session *s, const uint8_t *data, size_t len, usec_t now)
{
	struct failure failure = { 0 };
	bool done = false;
	ssize_t n;

	if (s->config.role == SSTP_CLIENT) {
		n = http_response_input(&s->response, data, len, &done, &failure);
		if (n >= 0 && done)
			start_call(s, now);
	} else {
		n = (ssize_t)http_request_input(&s->request, data, len, &done);
		if (done)
			answer_request(s, now);
	}
	if (n < 0) {
		note_failure(s, &failure);
		end(s);
		return len;
	}
	return (size_t)n;
}

/* Packets */

static void add_packet(struct session *s, int protocol, const uint8_t *ip, size_t len)
{
	if (rx_add(s->rx, protocol, ip, len) == 0)
		s->rx_room--;
}

/*
 * The short cut for what nearly every packet is: a data packet with an uncompressed PPP header and IP in it.
 * Returns its length, 0 where the packet has to take the long way.
 */
static size_t take_ip_packet(struct session *s, const uint8_t *p, size_t left)
{
	if (left < SSTP_HEADER_LEN + PPP_HEADER_LEN || p[0] != 0x10 || p[1] != 0 || p[4] != 0xff ||
	    p[5] != 0x03 || p[6] != 0)
		return 0;
	size_t len = (size_t)(p[2] & 0x0f) << 8 | p[3];
	if (len <= SSTP_HEADER_LEN + PPP_HEADER_LEN || len > left ||
	    (p[7] != PPP_PROTO_IPV4 && p[7] != PPP_PROTO_IPV6) || !may_flow(s, p[7]))
		return 0;
	add_packet(s, p[7], p + SSTP_HEADER_LEN + PPP_HEADER_LEN, len - SSTP_HEADER_LEN - PPP_HEADER_LEN);
	return len;
}

/* Any other packet. Returns its length, 0 if it is incomplete, or a negative errno when the stream is
 * unusable. */
static ssize_t take_packet(struct session *s, const uint8_t *p, size_t left, usec_t now)
{
	struct sstp_input in = { 0 };
	const uint8_t *ip;
	size_t ip_len;
	ssize_t n = sstp_input(&s->sstp, p, left, now, &in);

	if (n > 0 && in.frame) {
		int protocol = ppp_input(&s->ppp, in.frame, in.frame_len, now, &ip, &ip_len);
		if (protocol && may_flow(s, protocol))
			add_packet(s, protocol, ip, ip_len);
	}
	if (n != 0)
		settle(s, now);
	return n;
}

size_t session_input(struct session *s, const uint8_t *data, size_t len, usec_t now)
{
	size_t used = 0;
	bool data_seen = false;

	while (s->phase == SESSION_PHASE_HTTP) {
		used += http_input(s, data + used, len - used, now);
		if (used == len)
			return used;
	}
	while (s->phase == SESSION_PHASE_CALL && used < len && s->rx_room > 0) {
		size_t n = s->flowing ? take_ip_packet(s, data + used, len - used) : 0;

		if (n > 0) {
			data_seen = true;
			used += n;
			continue;
		}
		ssize_t m = take_packet(s, data + used, len - used, now);
		if (m <= 0)
			break;
		used += (size_t)m;
	}
	if (data_seen)
		sstp_data_received(&s->sstp, now);
	return s->phase == SESSION_PHASE_ENDED ? len : used;
}

/* How the transport ended is what we know; what it may mean knows SSTP. */
static void lose_call(struct session *s, const char *how, usec_t now)
{
	bool connected = sstp_is_connected(&s->sstp);
	struct failure failure = { 0 };
	struct sstp_event e;

	sstp_transport_lost(&s->sstp, now);
	while ((e = sstp_event(&s->sstp)).type != SSTP_EVENT_NONE) {
		/* While the call is being closed the end of the transport is part of it, and no failure. */
		if (e.failure.cause == CAUSE_CONNECTION_LOST && s->config.role == SSTP_CLIENT &&
		    !s->sstp_was_up && http_response_was_page(&s->response, &failure)) {
			e.failure = failure;
		} else if (e.failure.cause == CAUSE_CONNECTION_LOST) {
			failure_set(&failure, e.failure.cause, "%s%s%s", how, connected ? ", " : "",
				    connected ? e.failure.detail : "");
			e.failure = failure;
		}
		on_sstp_event(s, &e, now);
	}
	settle(s, now);
}

void session_transport_lost(struct session *s, const char *how, usec_t now)
{
	struct failure failure = { 0 };

	switch (s->phase) {
	case SESSION_PHASE_HTTP:
		if (s->config.role == SSTP_CLIENT)
			http_response_closed(&s->response, how, &failure);
		else
			failure_set(&failure, CAUSE_CONNECTION_LOST, "%s", how);
		note_failure(s, &failure);
		end(s);
		break;
	case SESSION_PHASE_CALL:
		lose_call(s, how, now);
		break;
	case SESSION_PHASE_ENDED:
		break;
	}
}

int session_tun_next(struct session *s, struct iovec iov[static RX_IOV_MAX])
{
	int n = rx_next(s->rx, iov);

	if (n == 0)
		s->rx_room = RX_BATCH_MAX - 1; /* one may have been held */
	return n;
}

size_t session_output(struct session *s, uint8_t *out, size_t space, usec_t now)
{
	size_t n = MIN(space, s->control_len - s->control_pos);

	memcpy(out, s->control + s->control_pos, n);
	wipe(s->control + s->control_pos, n); /* a login may be in it */
	s->control_pos += n;
	if (s->control_pos < s->control_len)
		return n;
	s->control_pos = s->control_len = 0;
	collect_control(s); /* what found no room before */
	if (s->control_len == 0 && s->flowing)
		n += tx_fill(s->tx, out + n, space - n, now);
	return n;
}

void session_set_mtu(struct session *s, uint16_t mtu)
{
	s->config.tx.mtu = mtu;
	tx_set_mtu(s->tx, mtu);
}

size_t session_packet_max(const struct session *s)
{
	return TX_OVERHEAD + s->config.tx.mtu;
}

/* Requests and time */

int session_set_credentials(struct session *s, const char *user, const struct secret *password, usec_t now)
{
	int r = ppp_set_credentials(&s->ppp, user, password);

	if (r == 0) {
		ppp_timeout(&s->ppp, now); /* the peer may be waiting for them */
		settle(s, now);
	}
	return r;
}

void session_stop(struct session *s, const struct failure *failure, usec_t now)
{
	note_failure(s, failure);
	switch (s->phase) {
	case SESSION_PHASE_HTTP:
		end(s);
		break;
	case SESSION_PHASE_CALL:
		if (call_carries_ppp(s))
			ppp_terminate(&s->ppp, now);
		else
			sstp_disconnect(&s->sstp, &s->failure, now);
		settle(s, now);
		break;
	case SESSION_PHASE_ENDED:
		break;
	}
}

void session_renumber(struct session *s, const struct ppp_server_config *server, usec_t now)
{
	s->config.ppp.server = *server;
	ppp_renumber(&s->ppp, server, now);
	settle(s, now);
}

usec_t session_deadline(const struct session *s)
{
	switch (s->phase) {
	case SESSION_PHASE_HTTP:
		return s->http_deadline;
	case SESSION_PHASE_CALL:
		return MIN(sstp_deadline(&s->sstp), ppp_deadline(&s->ppp));
	case SESSION_PHASE_ENDED:
		break;
	}
	return USEC_NEVER;
}

void session_timeout(struct session *s, usec_t now)
{
	if (s->phase == SESSION_PHASE_HTTP && now >= s->http_deadline) {
		failure_set(&s->failure, CAUSE_HTTP_TIMEOUT, "waited %u s",
			    (unsigned)((s->config.http_time ? s->config.http_time : HTTP_TIME_DEFAULT) /
				       USEC_PER_SEC));
		end(s);
	} else if (s->phase == SESSION_PHASE_CALL) {
		if (now >= sstp_deadline(&s->sstp))
			sstp_timeout(&s->sstp, now);
		if (now >= ppp_deadline(&s->ppp))
			ppp_timeout(&s->ppp, now);
		settle(s, now);
	}
}

const struct ppp_params *session_params(const struct session *s)
{
	return ppp_params(&s->ppp);
}

enum stage session_stage(const struct session *s)
{
	if (s->phase == SESSION_PHASE_HTTP)
		return STAGE_HTTP;
	return s->sstp_was_up ? ppp_stage(&s->ppp) : STAGE_SSTP;
}

bool session_is_open(const struct session *s)
{
	return s->flowing;
}
