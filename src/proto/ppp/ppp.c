/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/ppp/ppp.h"

#include <string.h>

#include "proto/ppp/link.h"
#include "proto/ppp/network.h"

#define LCP_TIME (25 * USEC_PER_SEC)
/* As the call has ([MS-SSTP] 3.2.2): somebody may have to confirm a login on a telephone. */
#define AUTH_TIME (60 * USEC_PER_SEC)
/* Two tries of a second, and room for a peer that is slow to answer the second. */
#define TERMINATE_TIME (3 * USEC_PER_SEC)

static usec_t or_default(usec_t configured, usec_t otherwise)
{
	return configured ? configured : otherwise;
}

bool ppp_runs(const struct ppp *p)
{
	return p->phase != PPP_DEAD && p->phase != PPP_ENDED;
}

const char *ppp_peer_name(const struct ppp *p)
{
	return p->config.role == PPP_CLIENT ? "server" : "client";
}

/* Events and ends */

void ppp_raise(struct ppp *p, enum ppp_event_type type)
{
	unsigned limit = type == PPP_EVENT_DOWN ? PPP_EVENTS_MAX : PPP_EVENTS_MAX - 1;

	if (p->event_count < limit)
		p->events[p->event_count++] = type;
}

struct ppp_event ppp_event(struct ppp *p)
{
	struct ppp_event event = { .type = PPP_EVENT_NONE };

	if (p->event_count == 0)
		return event;
	event.type = p->events[0];
	if (event.type == PPP_EVENT_DOWN)
		event.failure = p->failure;
	p->event_count--;
	memmove(p->events, p->events + 1, p->event_count * sizeof(p->events[0]));
	return event;
}

void ppp_end(struct ppp *p, usec_t now)
{
	if (p->phase == PPP_ENDED)
		return;
	fsm_event(&p->lcp_fsm, FSM_CLOSE, now);
	network_down(p);
	auth_reset(&p->auth);
	p->phase = PPP_ENDED;
	p->deadline = USEC_NEVER;
	ppp_raise(p, PPP_EVENT_DOWN);
}

void ppp_fail_with(struct ppp *p, const struct failure *failure, usec_t now)
{
	if (p->failure.cause == CAUSE_NONE)
		p->failure = *failure;
	ppp_end(p, now);
}

/* Authentication */

static void authenticated(struct ppp *p, usec_t now)
{
	memcpy(p->params.hlak, p->auth.hlak, sizeof(p->params.hlak));
	memcpy(p->params.user, p->auth.user, sizeof(p->params.user));
	/* The crypto binding is made once: LCP cannot be negotiated again from here on. */
	p->lcp_fsm.locked = true;
	p->phase = PPP_NETWORK;
	p->deadline = now + network_time(p);
	ppp_raise(p, PPP_EVENT_AUTHENTICATED);
	network_start(p, now);
}

static void auth_progress(struct ppp *p, usec_t now)
{
	switch (p->auth.status) {
	case AUTH_IDLE:
	case AUTH_RUNNING:
		break;
	case AUTH_SUCCEEDED:
		memcpy(p->params.peer_message, p->auth.message, sizeof(p->params.peer_message));
		if (p->phase == PPP_AUTHENTICATE)
			authenticated(p, now);
		break;
	case AUTH_FAILED:
		memcpy(p->params.peer_message, p->auth.message, sizeof(p->params.peer_message));
		if (p->auth.type != PPP_AUTH_EAP)
			lcp_consider_eap(&p->lcp, &p->auth.failure);
		ppp_fail_with(p, &p->auth.failure, now);
		break;
	}
}

/* The link */

static void lcp_up(struct ppp *p, usec_t now)
{
	unsigned auth = p->config.role == PPP_CLIENT ? p->lcp.peer_auth : p->lcp.auth_asked;

	p->params.auth = auth ? auth : PPP_AUTH_NONE;
	p->params.peer_mru = p->lcp.peer_mru;
	p->params.mru = p->lcp.mru;
	p->phase = PPP_AUTHENTICATE;
	if (!p->auth_began) /* one span for all of it, however often the link is renegotiated meanwhile */
		p->deadline = now + or_default(p->config.auth_time, AUTH_TIME);
	p->auth_began = true;
	ppp_raise(p, PPP_EVENT_LCP_UP);
	if (auth) {
		auth_start(&p->auth, auth, now);
		auth_progress(p, now);
	} else if (p->config.role == PPP_SERVER || (p->config.auth & PPP_AUTH_NONE)) {
		authenticated(p, now);
	} else {
		lcp_set_auth_failure(&p->lcp, &p->failure);
		ppp_end(p, now);
	}
}

static void lcp_failed(struct ppp *p, usec_t now)
{
	switch (p->lcp_fsm.reason) {
	case FSM_REASON_LAYER:
		ppp_fail_with(p, &p->lcp.failure, now);
		break;
	case FSM_REASON_NONE:
	case FSM_REASON_TIMEOUT:
		ppp_fail(p, now, CAUSE_LCP_TIMEOUT, "no answer to %d Configure-Requests", FSM_MAX_CONFIGURE);
		break;
	case FSM_REASON_CODE_REJECTED:
		ppp_fail(p, now, CAUSE_LCP_FAILED, "the %s rejected a basic LCP code", ppp_peer_name(p));
		break;
	case FSM_REASON_PROTOCOL_REJECTED:
		ppp_fail(p, now, CAUSE_LCP_FAILED, "the %s rejected LCP itself", ppp_peer_name(p));
		break;
	case FSM_REASON_NO_AGREEMENT:
		ppp_fail(p, now, CAUSE_LCP_FAILED, "no agreement after %d rounds", FSM_MAX_ROUNDS);
		break;
	case FSM_REASON_FLOOD:
		ppp_fail(p, now, CAUSE_LCP_FAILED, "more than %d Configure-Requests", FSM_MAX_REQUESTS);
		break;
	case FSM_REASON_RENEGOTIATED:
		ppp_fail(p, now, CAUSE_LCP_TERMINATED, "the %s renegotiates LCP after the login",
			 ppp_peer_name(p));
		break;
	case FSM_REASON_TERMINATED:
		ppp_fail(p, now, CAUSE_LCP_TERMINATED, "Terminate-Ack without a request");
		break;
	}
}

static void lcp_progress(struct ppp *p, usec_t now)
{
	unsigned signals = fsm_take_signals(&p->lcp_fsm);

	if (!ppp_runs(p))
		return;
	if (p->phase == PPP_TERMINATE) {
		if (signals & FSM_SIGNAL_FINISHED)
			ppp_end(p, now);
		return;
	}
	if ((signals & FSM_SIGNAL_FINISHED) || p->lcp_fsm.reason != FSM_REASON_NONE) {
		lcp_failed(p, now);
		return;
	}
	if (signals & FSM_SIGNAL_DOWN) { /* renegotiation before the login is complete */
		auth_reset(&p->auth);
		p->phase = PPP_ESTABLISH;
	}
	if (signals & FSM_SIGNAL_UP)
		lcp_up(p, now);
}

bool ppp_login_was_refused(const struct ppp *p, struct failure *failure)
{
	if (p->phase != PPP_ESTABLISH || !p->lcp.auth_nakked || p->lcp.peer_auth)
		return false;
	lcp_set_auth_failure(&p->lcp, failure);
	return true;
}

/* The peer's Terminate-Request, in any state: it was acknowledged, and there is nothing to wait for. */
static void lcp_terminated(struct ppp *p, const struct packet *packet, usec_t now)
{
	char said[96];

	printable(said, sizeof(said), packet->data, packet->len);
	const char *colon = said[0] ? ": " : "";
	if (p->phase == PPP_TERMINATE)
		; /* both at once: that is the end that was asked for */
	else if (ppp_login_was_refused(p, &p->failure))
		; /* told */
	else if (p->phase == PPP_ESTABLISH)
		failure_set(&p->failure, CAUSE_LCP_TERMINATED, "during the negotiation%s%s", colon, said);
	else if (p->phase == PPP_AUTHENTICATE && p->auth.type == PPP_AUTH_PAP && p->auth.sends > 0)
		/* SoftEther's way to refuse a password */
		failure_set(&p->failure, CAUSE_AUTH_FAILED,
			    "PAP: the link was ended instead of an answer%s%s", colon, said);
	else if (p->phase == PPP_AUTHENTICATE)
		failure_set(&p->failure, CAUSE_LCP_TERMINATED, "during authentication%s%s", colon, said);
	else if (p->params.ipv4_up || p->params.ipv6_up)
		failure_set(&p->failure, CAUSE_PEER_DISCONNECT, "LCP Terminate-Request%s%s", colon, said);
	else
		failure_set(&p->failure, CAUSE_LCP_TERMINATED, "before an address was agreed%s%s", colon,
			    said);
	fsm_event(&p->lcp_fsm, FSM_DOWN, now); /* no Terminate-Request of ours behind the Ack */
	ppp_end(p, now);
}

static void protocol_reject(struct ppp *p, uint16_t protocol, const uint8_t *info, size_t len, usec_t now)
{
	uint8_t body[PACKET_DATA_MAX];
	struct wire_writer w = wire_writer(body, MIN(sizeof(body), (size_t)p->params.peer_mru - 4));

	if (!rate_limit_pass(&p->rejects, now))
		return;
	wire_put_u16(&w, protocol);
	wire_put(&w, info, MIN(len, w.size - w.len));
	(void)frame_queue_push(&p->queue, FRAME_ANSWER, PPP_PROTO_LCP, PROTOCOL_REJECT,
			       fsm_next_id(&p->lcp_fsm), body, w.len);
}

static void receive_protocol_reject(struct ppp *p, const struct packet *packet, usec_t now)
{
	struct wire_reader r = wire_reader(packet->data, packet->len);
	uint16_t protocol = wire_u16(&r);

	if (r.error || !fsm_is_opened(&p->lcp_fsm))
		return;
	if (protocol == PPP_PROTO_LCP) {
		fsm_fail(&p->lcp_fsm, FSM_REASON_PROTOCOL_REJECTED, now);
	} else if (protocol == PPP_PROTO_IPCP || protocol == PPP_PROTO_IPV6CP) {
		network_rejected(p, protocol, now);
	} else if (p->phase == PPP_AUTHENTICATE && p->auth.method && protocol == p->auth.method->protocol) {
		ppp_fail(p, now, CAUSE_AUTH_METHOD, "the %s agreed on %s and then rejected it",
			 ppp_peer_name(p), ppp_auth_name(p->auth.type));
	}
}

/* Our magic number, and the rest as it came. What the peer put in the place of its own is not looked at. */
static void answer_echo(struct ppp *p, const struct packet *packet, usec_t now)
{
	uint8_t body[PACKET_DATA_MAX];
	struct wire_writer w = wire_writer(body, sizeof(body));

	if (packet->len < 4 || packet->len > sizeof(body))
		return;
	wire_put_u32(&w, p->lcp.magic);
	wire_put(&w, packet->data + 4, packet->len - 4);
	fsm_echo_reply(&p->lcp_fsm, packet->id, body, w.len, now);
}

static void lcp_input(struct ppp *p, const struct packet *packet, usec_t now)
{
	switch (packet->code) {
	case PROTOCOL_REJECT:
		receive_protocol_reject(p, packet, now);
		break;
	case ECHO_REQUEST:
		answer_echo(p, packet, now);
		break;
	case ECHO_REPLY:
	case DISCARD_REQUEST:
	case IDENTIFICATION:
	case TIME_REMAINING:
		break;
	case TERMINATE_REQUEST:
		fsm_input(&p->lcp_fsm, packet, now);
		lcp_terminated(p, packet, now);
		return;
	default:
		fsm_input(&p->lcp_fsm, packet, now);
		break;
	}
	lcp_progress(p, now);
}

/* CBCP, which we reject as an LCP option: whoever asks nevertheless is told "no callback". */
static void answer_callback(struct ppp *p, const struct packet *packet, usec_t now)
{
	static const uint8_t no_callback[] = { 1, 2 };

	if (packet->code == 1 && rate_limit_pass(&p->rejects, now))
		(void)frame_queue_push(&p->queue, FRAME_ANSWER, PPP_PROTO_CBCP, 2, packet->id, no_callback,
				       sizeof(no_callback));
}

/* True where the packet was the word for "you are authenticated": then it waits for its layer. */
static bool network_began(struct ppp *p, uint16_t protocol, const uint8_t *info, size_t len, usec_t now)
{
	if (p->phase != PPP_AUTHENTICATE || (protocol != PPP_PROTO_IPCP && protocol != PPP_PROTO_IPV6CP))
		return false;
	auth_network_began(&p->auth);
	auth_progress(p, now);
	if (p->phase != PPP_NETWORK || len > sizeof(p->early.bytes))
		return false;
	p->early.protocol = protocol;
	p->early.len = len;
	memcpy(p->early.bytes, info, len);
	return true;
}

static void control_input(struct ppp *p, uint16_t protocol, const uint8_t *info, size_t len, usec_t now)
{
	struct packet packet;
	bool is_packet = packet_parse(info, len, &packet) == 0;
	bool ready = p->phase == PPP_NETWORK && p->network_started;

	if (protocol == PPP_PROTO_LCP) {
		if (is_packet)
			lcp_input(p, &packet, now);
		return;
	}
	if (!fsm_is_opened(&p->lcp_fsm) || network_began(p, protocol, info, len, now))
		return;
	if (protocol == PPP_PROTO_PAP || protocol == PPP_PROTO_CHAP || protocol == PPP_PROTO_EAP) {
		/* What was not agreed on is dropped: a server does not change its mind. */
		if (is_packet && p->auth.method && p->auth.method->protocol == protocol) {
			p->auth.method->input(&p->auth, &packet, now);
			auth_progress(p, now);
		}
	} else if (protocol == PPP_PROTO_IPCP && p->config.ipv4) {
		if (is_packet && ready) {
			fsm_input(&p->ipcp_fsm, &packet, now);
			ipcp_progress(p, now);
		}
	} else if (protocol == PPP_PROTO_IPV6CP && p->config.ipv6) {
		if (is_packet && ready) {
			fsm_input(&p->ipv6cp_fsm, &packet, now);
			ipv6cp_progress(p, now);
		}
	} else if (protocol == PPP_PROTO_CBCP && p->config.role == PPP_CLIENT) {
		if (is_packet)
			answer_callback(p, &packet, now);
	} else { /* CCP above all: some servers hold IPCP back until they know */
		protocol_reject(p, protocol, info, len, now);
	}
}

/* The interface */

int ppp_input(struct ppp *p, const uint8_t *frame, size_t len, usec_t now, const uint8_t **ret_ip,
	      size_t *ret_ip_len)
{
	const uint8_t *info = NULL;
	size_t info_len = 0;
	int protocol = frame_parse(frame, len, &info, &info_len);

	if (protocol == PPP_PROTO_IPV4) {
		if (!p->params.ipv4_up || info_len < 20 || info[0] >> 4 != 4)
			return 0;
	} else if (protocol == PPP_PROTO_IPV6) {
		if (!p->params.ipv6_up || info_len < 40 || info[0] >> 4 != 6)
			return 0;
	} else {
		if (protocol > 0 && p->phase != PPP_DEAD && p->phase != PPP_ENDED)
			control_input(p, (uint16_t)protocol, info, info_len, now);
		return 0;
	}
	*ret_ip = info;
	*ret_ip_len = info_len;
	return protocol;
}

void ppp_init(struct ppp *p, const struct ppp_config *config)
{
	*p = (struct ppp){ .config = *config, .deadline = USEC_NEVER };
	ppp_lower_down(p);
}

void ppp_done(struct ppp *p)
{
	wipe(p, sizeof(*p));
}

int ppp_set_credentials(struct ppp *p, const char *user, const struct secret *password)
{
	size_t len = strnlen(user, PPP_USER_MAX);

	if (len == 0 || len >= PPP_USER_MAX)
		return -EINVAL;
	memcpy(p->credentials.user, user, len + 1);
	p->credentials.password = *password;
	p->credentials.known = true;
	auth_credentials_known(&p->auth);
	return 0;
}

/* Brings everything below the credentials back to the start. */
static void reset(struct ppp *p)
{
	struct fsm_config config = { .queue = &p->queue,
				     .restart_time = p->config.restart_time,
				     .client = p->config.role == PPP_CLIENT };

	config.ops = &lcp_ops;
	config.layer = &p->lcp;
	fsm_init(&p->lcp_fsm, &config);
	lcp_init(&p->lcp, &p->config);
	config.ops = &ipcp_ops;
	config.layer = &p->ipcp;
	fsm_init(&p->ipcp_fsm, &config);
	ipcp_init(&p->ipcp, &p->config);
	config.ops = &ipv6cp_ops;
	config.layer = &p->ipv6cp;
	fsm_init(&p->ipv6cp_fsm, &config);
	ipv6cp_init(&p->ipv6cp, &p->config);
	auth_init(&p->auth, &p->config, &p->credentials, &p->queue);
	p->queue.len = 0;
	p->event_count = 0;
	p->network_allowed = p->network_started = p->auth_began = p->ipv6_reported_down = false;
	p->deadline = USEC_NEVER;
	p->failure = (struct failure){ 0 };
	p->early.len = 0;
	wipe(&p->params, sizeof(p->params));
}

void ppp_lower_up(struct ppp *p, usec_t now)
{
	reset(p);
	p->phase = PPP_ESTABLISH;
	p->deadline = now + or_default(p->config.lcp_time, LCP_TIME);
	fsm_event(&p->lcp_fsm, FSM_OPEN, now);
	fsm_event(&p->lcp_fsm, FSM_UP, now);
}

void ppp_lower_down(struct ppp *p)
{
	p->phase = PPP_DEAD;
	reset(p);
}

void ppp_terminate(struct ppp *p, usec_t now)
{
	if (p->phase == PPP_ENDED || p->phase == PPP_TERMINATE)
		return;
	if (p->phase == PPP_DEAD) {
		ppp_end(p, now);
		return;
	}
	p->phase = PPP_TERMINATE;
	p->deadline = now + TERMINATE_TIME;
	network_down(p);
	auth_reset(&p->auth);
	fsm_event(&p->lcp_fsm, FSM_CLOSE, now);
	lcp_progress(p, now);
}

void ppp_network_allowed(struct ppp *p, usec_t now)
{
	struct early_packet early = p->early;

	p->network_allowed = true;
	p->early.len = 0;
	network_start(p, now);
	if (early.len > 0)
		control_input(p, early.protocol, early.bytes, early.len, now);
}

void ppp_renumber(struct ppp *p, const struct ppp_server_config *server, usec_t now)
{
	p->config.server = *server;
	if (p->phase != PPP_NETWORK || !p->network_started || !p->config.ipv4)
		return;
	ipcp_init(&p->ipcp, &p->config);
	fsm_event(&p->ipcp_fsm, FSM_DOWN, now);
	fsm_event(&p->ipcp_fsm, FSM_UP, now);
	ipcp_progress(p, now);
}

size_t ppp_output(struct ppp *p, uint8_t *out, size_t space)
{
	return frame_queue_pop(&p->queue, out, space);
}

usec_t ppp_deadline(const struct ppp *p)
{
	usec_t deadline = MIN(p->deadline, p->lcp_fsm.deadline);

	if (!ppp_runs(p))
		return USEC_NEVER;
	if (p->phase == PPP_NETWORK)
		deadline = MIN(deadline, MIN(p->ipcp_fsm.deadline, p->ipv6cp_fsm.deadline));
	return MIN(deadline, p->auth.deadline);
}

void ppp_explain_hang(const struct ppp *p, struct failure *f)
{
	const char *method = ppp_auth_name(p->auth.type);

	switch (p->phase) {
	case PPP_ESTABLISH:
		failure_set(f, CAUSE_LCP_TIMEOUT, "%s",
			    p->lcp_fsm.heard ? "the negotiation does not come to an end"
					     : "nothing was heard");
		break;
	case PPP_AUTHENTICATE:
		if (p->config.role == PPP_CLIENT && !p->credentials.known)
			failure_set(f, CAUSE_AUTH_TIMEOUT, "%s: no user name and password were given",
				    method);
		else
			failure_set(f, CAUSE_AUTH_TIMEOUT, "%s: no %s", method,
				    p->config.role == PPP_SERVER ? "login"
				    : p->auth.sends == 0	 ? "challenge"
								 : "answer to the login");
		break;
	case PPP_NETWORK:
		failure_set(f, CAUSE_IPCP_TIMEOUT, "%s",
			    !p->network_started	  ? "the call was not confirmed"
			    : p->ipcp_fsm.heard	  ? "the negotiation does not come to an end"
			    : p->ipv6cp_fsm.heard ? "only IPv6 is answered"
						  : "nothing was heard");
		break;
	case PPP_ENDED: /* its own time was over in this moment */
		*f = p->failure;
		break;
	case PPP_DEAD:
	case PPP_TERMINATE:
		break;
	}
}

/* The time of a phase is over. */
static void phase_timeout(struct ppp *p, usec_t now)
{
	ppp_explain_hang(p, &p->failure);
	ppp_end(p, now);
}

void ppp_timeout(struct ppp *p, usec_t now)
{
	if (ppp_runs(p) && now >= p->deadline)
		phase_timeout(p, now);
	if (ppp_runs(p) && now >= p->lcp_fsm.deadline) {
		fsm_timeout(&p->lcp_fsm, now);
		lcp_progress(p, now);
	}
	if (ppp_runs(p) && now >= p->auth.deadline) {
		p->auth.method->timeout(&p->auth, now);
		auth_progress(p, now);
	}
	if (p->phase == PPP_NETWORK && now >= p->ipcp_fsm.deadline) {
		fsm_timeout(&p->ipcp_fsm, now);
		ipcp_progress(p, now);
	}
	if (p->phase == PPP_NETWORK && now >= p->ipv6cp_fsm.deadline) {
		fsm_timeout(&p->ipv6cp_fsm, now);
		ipv6cp_progress(p, now);
	}
}

const struct ppp_params *ppp_params(const struct ppp *p)
{
	return &p->params;
}

enum stage ppp_stage(const struct ppp *p)
{
	switch (p->phase) {
	case PPP_DEAD:
	case PPP_ESTABLISH:
		return STAGE_LCP;
	case PPP_AUTHENTICATE:
		return STAGE_AUTH;
	case PPP_NETWORK:
	case PPP_TERMINATE:
	case PPP_ENDED:
		break;
	}
	if (p->failure.cause != CAUSE_NONE)
		return cause_stage(p->failure.cause);
	return p->params.ipv4_up || p->params.ipv6_up || p->phase != PPP_NETWORK ? STAGE_UP : STAGE_IPCP;
}
