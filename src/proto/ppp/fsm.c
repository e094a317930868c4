/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/ppp/fsm.h"

#include <string.h>

#include "base/macro.h"

/* The first resends, while the peer was not heard; then FSM_RESTART_TIME. */
static const usec_t early[] = { 300 * USEC_PER_MSEC, USEC_PER_SEC };
#define TERMINATE_TIME USEC_PER_SEC
#define FLOOD_QUIET    (10 * USEC_PER_SEC)

/* RFC 1661 §4.1, one row per event. T(actions, next); an empty cell is impossible. */
#define T(a, n)                                                         \
	{                                                               \
		.actions = (a), .next = (uint8_t)(n), .possible = true, \
	}
#define NONE 0u

static const struct fsm_transition transitions[_FSM_EVENTS][_FSM_STATES] = {
	[FSM_UP] = {
		[FSM_INITIAL] = T(NONE, FSM_CLOSED),
		[FSM_STARTING] = T(FSM_IRC | FSM_SCR, FSM_REQ_SENT),
	},
	[FSM_DOWN] = {
		[FSM_CLOSED] = T(NONE, FSM_INITIAL),
		[FSM_STOPPED] = T(FSM_TLS, FSM_STARTING),
		[FSM_CLOSING] = T(NONE, FSM_INITIAL),
		[FSM_STOPPING] = T(NONE, FSM_STARTING),
		[FSM_REQ_SENT] = T(NONE, FSM_STARTING),
		[FSM_ACK_RCVD] = T(NONE, FSM_STARTING),
		[FSM_ACK_SENT] = T(NONE, FSM_STARTING),
		[FSM_OPENED] = T(FSM_TLD, FSM_STARTING),
	},
	[FSM_OPEN] = {
		[FSM_INITIAL] = T(FSM_TLS, FSM_STARTING),
		[FSM_STARTING] = T(NONE, FSM_STARTING),
		[FSM_CLOSED] = T(FSM_IRC | FSM_SCR, FSM_REQ_SENT),
		[FSM_STOPPED] = T(NONE, FSM_STOPPED),
		[FSM_CLOSING] = T(NONE, FSM_STOPPING),
		[FSM_STOPPING] = T(NONE, FSM_STOPPING),
		[FSM_REQ_SENT] = T(NONE, FSM_REQ_SENT),
		[FSM_ACK_RCVD] = T(NONE, FSM_ACK_RCVD),
		[FSM_ACK_SENT] = T(NONE, FSM_ACK_SENT),
		[FSM_OPENED] = T(NONE, FSM_OPENED),
	},
	[FSM_CLOSE] = {
		[FSM_INITIAL] = T(NONE, FSM_INITIAL),
		[FSM_STARTING] = T(FSM_TLF, FSM_INITIAL),
		[FSM_CLOSED] = T(NONE, FSM_CLOSED),
		[FSM_STOPPED] = T(NONE, FSM_CLOSED),
		[FSM_CLOSING] = T(NONE, FSM_CLOSING),
		[FSM_STOPPING] = T(NONE, FSM_CLOSING),
		[FSM_REQ_SENT] = T(FSM_IRC | FSM_STR, FSM_CLOSING),
		[FSM_ACK_RCVD] = T(FSM_IRC | FSM_STR, FSM_CLOSING),
		[FSM_ACK_SENT] = T(FSM_IRC | FSM_STR, FSM_CLOSING),
		[FSM_OPENED] = T(FSM_TLD | FSM_IRC | FSM_STR, FSM_CLOSING),
	},
	[FSM_TO_PLUS] = {
		[FSM_CLOSING] = T(FSM_STR, FSM_CLOSING),
		[FSM_STOPPING] = T(FSM_STR, FSM_STOPPING),
		[FSM_REQ_SENT] = T(FSM_SCR, FSM_REQ_SENT),
		[FSM_ACK_RCVD] = T(FSM_SCR, FSM_REQ_SENT),
		[FSM_ACK_SENT] = T(FSM_SCR, FSM_ACK_SENT),
	},
	[FSM_TO_MINUS] = {
		[FSM_CLOSING] = T(FSM_TLF, FSM_CLOSED),
		[FSM_STOPPING] = T(FSM_TLF, FSM_STOPPED),
		[FSM_REQ_SENT] = T(FSM_TLF, FSM_STOPPED),
		[FSM_ACK_RCVD] = T(FSM_TLF, FSM_STOPPED),
		[FSM_ACK_SENT] = T(FSM_TLF, FSM_STOPPED),
	},
	[FSM_RCR_PLUS] = {
		[FSM_CLOSED] = T(FSM_STA, FSM_CLOSED),
		[FSM_STOPPED] = T(FSM_IRC | FSM_SCR | FSM_SCA, FSM_ACK_SENT),
		[FSM_CLOSING] = T(NONE, FSM_CLOSING),
		[FSM_STOPPING] = T(NONE, FSM_STOPPING),
		[FSM_REQ_SENT] = T(FSM_SCA, FSM_ACK_SENT),
		[FSM_ACK_RCVD] = T(FSM_SCA | FSM_TLU, FSM_OPENED),
		[FSM_ACK_SENT] = T(FSM_SCA, FSM_ACK_SENT),
		[FSM_OPENED] = T(FSM_TLD | FSM_SCR | FSM_SCA, FSM_ACK_SENT),
	},
	[FSM_RCR_MINUS] = {
		[FSM_CLOSED] = T(FSM_STA, FSM_CLOSED),
		[FSM_STOPPED] = T(FSM_IRC | FSM_SCR | FSM_SCN, FSM_REQ_SENT),
		[FSM_CLOSING] = T(NONE, FSM_CLOSING),
		[FSM_STOPPING] = T(NONE, FSM_STOPPING),
		[FSM_REQ_SENT] = T(FSM_SCN, FSM_REQ_SENT),
		[FSM_ACK_RCVD] = T(FSM_SCN, FSM_ACK_RCVD),
		[FSM_ACK_SENT] = T(FSM_SCN, FSM_REQ_SENT),
		[FSM_OPENED] = T(FSM_TLD | FSM_SCR | FSM_SCN, FSM_REQ_SENT),
	},
	[FSM_RCA] = {
		[FSM_CLOSED] = T(FSM_STA, FSM_CLOSED),
		[FSM_STOPPED] = T(FSM_STA, FSM_STOPPED),
		[FSM_CLOSING] = T(NONE, FSM_CLOSING),
		[FSM_STOPPING] = T(NONE, FSM_STOPPING),
		[FSM_REQ_SENT] = T(FSM_IRC, FSM_ACK_RCVD),
		[FSM_ACK_RCVD] = T(FSM_SCR, FSM_REQ_SENT),
		[FSM_ACK_SENT] = T(FSM_IRC | FSM_TLU, FSM_OPENED),
		[FSM_OPENED] = T(FSM_TLD | FSM_SCR, FSM_REQ_SENT),
	},
	[FSM_RCN] = {
		[FSM_CLOSED] = T(FSM_STA, FSM_CLOSED),
		[FSM_STOPPED] = T(FSM_STA, FSM_STOPPED),
		[FSM_CLOSING] = T(NONE, FSM_CLOSING),
		[FSM_STOPPING] = T(NONE, FSM_STOPPING),
		[FSM_REQ_SENT] = T(FSM_IRC | FSM_SCR, FSM_REQ_SENT),
		[FSM_ACK_RCVD] = T(FSM_SCR, FSM_REQ_SENT),
		[FSM_ACK_SENT] = T(FSM_IRC | FSM_SCR, FSM_ACK_SENT),
		[FSM_OPENED] = T(FSM_TLD | FSM_SCR, FSM_REQ_SENT),
	},
	[FSM_RTR] = {
		[FSM_CLOSED] = T(FSM_STA, FSM_CLOSED),
		[FSM_STOPPED] = T(FSM_STA, FSM_STOPPED),
		[FSM_CLOSING] = T(FSM_STA, FSM_CLOSING),
		[FSM_STOPPING] = T(FSM_STA, FSM_STOPPING),
		[FSM_REQ_SENT] = T(FSM_STA, FSM_REQ_SENT),
		[FSM_ACK_RCVD] = T(FSM_STA, FSM_REQ_SENT),
		[FSM_ACK_SENT] = T(FSM_STA, FSM_REQ_SENT),
		[FSM_OPENED] = T(FSM_TLD | FSM_ZRC | FSM_STA, FSM_STOPPING),
	},
	[FSM_RTA] = {
		[FSM_CLOSED] = T(NONE, FSM_CLOSED),
		[FSM_STOPPED] = T(NONE, FSM_STOPPED),
		[FSM_CLOSING] = T(FSM_TLF, FSM_CLOSED),
		[FSM_STOPPING] = T(FSM_TLF, FSM_STOPPED),
		[FSM_REQ_SENT] = T(NONE, FSM_REQ_SENT),
		[FSM_ACK_RCVD] = T(NONE, FSM_REQ_SENT),
		[FSM_ACK_SENT] = T(NONE, FSM_ACK_SENT),
		[FSM_OPENED] = T(FSM_TLD | FSM_SCR, FSM_REQ_SENT),
	},
	[FSM_RUC] = {
		[FSM_CLOSED] = T(FSM_SCJ, FSM_CLOSED),
		[FSM_STOPPED] = T(FSM_SCJ, FSM_STOPPED),
		[FSM_CLOSING] = T(FSM_SCJ, FSM_CLOSING),
		[FSM_STOPPING] = T(FSM_SCJ, FSM_STOPPING),
		[FSM_REQ_SENT] = T(FSM_SCJ, FSM_REQ_SENT),
		[FSM_ACK_RCVD] = T(FSM_SCJ, FSM_ACK_RCVD),
		[FSM_ACK_SENT] = T(FSM_SCJ, FSM_ACK_SENT),
		[FSM_OPENED] = T(FSM_SCJ, FSM_OPENED),
	},
	[FSM_RXJ_PLUS] = {
		[FSM_CLOSED] = T(NONE, FSM_CLOSED),
		[FSM_STOPPED] = T(NONE, FSM_STOPPED),
		[FSM_CLOSING] = T(NONE, FSM_CLOSING),
		[FSM_STOPPING] = T(NONE, FSM_STOPPING),
		[FSM_REQ_SENT] = T(NONE, FSM_REQ_SENT),
		[FSM_ACK_RCVD] = T(NONE, FSM_REQ_SENT),
		[FSM_ACK_SENT] = T(NONE, FSM_ACK_SENT),
		[FSM_OPENED] = T(NONE, FSM_OPENED),
	},
	[FSM_RXJ_MINUS] = {
		[FSM_CLOSED] = T(FSM_TLF, FSM_CLOSED),
		[FSM_STOPPED] = T(FSM_TLF, FSM_STOPPED),
		[FSM_CLOSING] = T(FSM_TLF, FSM_CLOSED),
		[FSM_STOPPING] = T(FSM_TLF, FSM_STOPPED),
		[FSM_REQ_SENT] = T(FSM_TLF, FSM_STOPPED),
		[FSM_ACK_RCVD] = T(FSM_TLF, FSM_STOPPED),
		[FSM_ACK_SENT] = T(FSM_TLF, FSM_STOPPED),
		[FSM_OPENED] = T(FSM_TLD | FSM_IRC | FSM_STR, FSM_STOPPING),
	},
	[FSM_RXR] = {
		[FSM_CLOSED] = T(NONE, FSM_CLOSED),
		[FSM_STOPPED] = T(NONE, FSM_STOPPED),
		[FSM_CLOSING] = T(NONE, FSM_CLOSING),
		[FSM_STOPPING] = T(NONE, FSM_STOPPING),
		[FSM_REQ_SENT] = T(NONE, FSM_REQ_SENT),
		[FSM_ACK_RCVD] = T(NONE, FSM_ACK_RCVD),
		[FSM_ACK_SENT] = T(NONE, FSM_ACK_SENT),
		[FSM_OPENED] = T(FSM_SER, FSM_OPENED),
	},
};

struct fsm_transition fsm_transition(enum fsm_state state, enum fsm_event event)
{
	return transitions[event][state];
}

void fsm_init(struct fsm *f, const struct fsm_config *config)
{
	*f = (struct fsm){ .config = *config, .state = FSM_INITIAL, .deadline = USEC_NEVER, .next_id = 1 };
}

uint8_t fsm_next_id(struct fsm *f)
{
	return f->next_id++;
}

unsigned fsm_take_signals(struct fsm *f)
{
	unsigned signals = f->signals;

	f->signals = 0;
	return signals;
}

static bool send(struct fsm *f, enum frame_priority priority, uint8_t code, uint8_t id, const void *data,
		 size_t len)
{
	return frame_queue_push(f->config.queue, priority, f->config.ops->protocol, code, id, data, len);
}

static usec_t restart_time(const struct fsm *f)
{
	if (f->config.restart_time)
		return f->config.restart_time;
	if (f->heard || f->transmissions == 0 || f->transmissions > ARRAY_SIZE(early))
		return FSM_RESTART_TIME;
	return early[f->transmissions - 1];
}

static void count_transmission(struct fsm *f, usec_t interval, usec_t now)
{
	if (f->restart_count > 0)
		f->restart_count--;
	f->sent = now;
	f->deadline = now + interval;
}

/* scr: a request without a valid answer is repeated as it was, identifier included (RFC 1661 §5.1). */
static void send_configure_request(struct fsm *f, usec_t now)
{
	if (!f->outstanding) {
		struct wire_writer w = wire_writer(f->request, sizeof(f->request));

		f->config.ops->request(f->config.layer, &w);
		f->request_len = w.len;
		f->request_id = fsm_next_id(f);
		f->outstanding = true;
		f->resent = false;
	}
	(void)send(f, FRAME_OWN, CONFIGURE_REQUEST, f->request_id, f->request, f->request_len);
	f->transmissions++;
	count_transmission(f, restart_time(f), now);
}

/* scj: the body is the rejected packet, cut to what a frame holds. */
static void send_code_reject(struct fsm *f, const struct packet *in)
{
	uint8_t body[PACKET_DATA_MAX];
	struct wire_writer w = wire_writer(body, sizeof(body));

	wire_put_u8(&w, in->code);
	wire_put_u8(&w, in->id);
	wire_put_u16(&w, (uint16_t)(in->len + 4));
	wire_put(&w, in->data, MIN(in->len, sizeof(body) - 4));
	(void)send(f, FRAME_ANSWER, CODE_REJECT, fsm_next_id(f), body, w.len);
}

static bool has_timer(enum fsm_state state)
{
	return state >= FSM_CLOSING && state <= FSM_ACK_SENT;
}

/*
 * One step of the automaton. `in` is the packet that caused the event, `reply` the Ack, Nak, Reject or
 * Echo-Reply to it if the cell says to send one; NULL where there is none.
 */
static void step(struct fsm *f, enum fsm_event event, const struct packet *in, const struct packet *reply,
		 usec_t now)
{
	struct fsm_transition t = transitions[event][f->state];

	if (!t.possible)
		return;
	f->state = (enum fsm_state)t.next;
	if (t.actions & FSM_TLD)
		f->signals |= FSM_SIGNAL_DOWN;
	if (t.actions & FSM_IRC)
		f->restart_count = t.actions & FSM_STR ? FSM_MAX_TERMINATE : FSM_MAX_CONFIGURE;
	if (t.actions & FSM_ZRC) {
		f->restart_count = 0;
		f->deadline = now + TERMINATE_TIME;
	}
	if (t.actions & FSM_SCR)
		send_configure_request(f, now);
	if (t.actions & FSM_STR) {
		(void)send(f, FRAME_OWN, TERMINATE_REQUEST, fsm_next_id(f), NULL, 0);
		count_transmission(f, f->config.restart_time ? f->config.restart_time : TERMINATE_TIME, now);
	}
	if (t.actions & (FSM_SCA | FSM_SCN | FSM_SER))
		(void)send(f, FRAME_ANSWER, reply->code, reply->id, reply->data, reply->len);
	if (t.actions & FSM_STA)
		(void)send(f, FRAME_ANSWER, TERMINATE_ACK, in->id, NULL, 0);
	if ((t.actions & FSM_SCJ) && rate_limit_pass(&f->rejects, now))
		send_code_reject(f, in);
	if (t.actions & FSM_TLU) {
		f->signals |= FSM_SIGNAL_UP;
		f->rounds = f->naks = 0; /* not the requests: opening again and again is a flood, too */
		f->reason = FSM_REASON_NONE;
	}
	if (t.actions & FSM_TLF)
		f->signals |= FSM_SIGNAL_FINISHED;
	if (!has_timer(f->state))
		f->deadline = USEC_NEVER;
}

void fsm_event(struct fsm *f, enum fsm_event event, usec_t now)
{
	if (event == FSM_UP || event == FSM_DOWN) {
		f->heard = f->outstanding = f->locked = false;
		f->transmissions = f->rounds = f->requests = f->naks = 0;
		f->in_force_len = 0;
	}
	step(f, event, NULL, NULL, now);
}

void fsm_fail(struct fsm *f, enum fsm_reason reason, usec_t now)
{
	/* RFC 1661 §5.7: nothing more may be sent of a rejected protocol, not even a Terminate-Request. */
	bool mute = reason == FSM_REASON_PROTOCOL_REJECTED && f->state == FSM_OPENED;

	f->reason = reason;
	step(f, mute ? FSM_DOWN : FSM_RXJ_MINUS, NULL, NULL, now);
}

void fsm_timeout(struct fsm *f, usec_t now)
{
	if (now < f->deadline)
		return;
	if (f->restart_count > 0) {
		step(f, FSM_TO_PLUS, NULL, NULL, now);
		return;
	}
	if (f->reason == FSM_REASON_NONE)
		f->reason = FSM_REASON_TIMEOUT;
	step(f, FSM_TO_MINUS, NULL, NULL, now);
}

void fsm_echo_reply(struct fsm *f, uint8_t id, const uint8_t *data, size_t len, usec_t now)
{
	struct packet reply = { .code = ECHO_REPLY, .id = id, .data = data, .len = len };

	step(f, FSM_RXR, NULL, &reply, now);
}

/* True where more requests come than any honest negotiation has. */
static bool is_flood(struct fsm *f, usec_t now)
{
	if (now - f->last_request > FLOOD_QUIET)
		f->requests = 0;
	f->last_request = now;
	return ++f->requests > FSM_MAX_REQUESTS;
}

/*
 * Judges the options and makes the answer: a Reject of all that is unknown, else a Nak of all that is not
 * acceptable, else an Ack, which repeats the request byte for byte. Returns false where the layer gives up.
 */
static bool judge(struct fsm *f, const struct packet *p, struct packet *reply, struct wire_writer *nak,
		  struct wire_writer *reject)
{
	const struct fsm_ops *ops = f->config.ops;
	struct fsm_request q = { .id = p->id, .last = f->naks >= FSM_MAX_FAILURE, .nak = nak };
	struct wire_reader r = wire_reader(p->data, p->len);
	struct option o;

	ops->peer_begin(f->config.layer);
	while (option_next(&r, &o)) {
		enum fsm_verdict verdict = ops->peer_option(f->config.layer, &o, &q);

		if (verdict == FSM_FATAL)
			return false;
		if (verdict == FSM_REJECT || (verdict == FSM_NAK && q.last))
			wire_put(reject, o.raw, o.raw_len); /* whole or, at the end of the room, not at all */
	}
	if (ops->peer_end && !q.last)
		ops->peer_end(f->config.layer, &q);
	if (reject->len > 0)
		*reply = (struct packet){ CONFIGURE_REJECT, p->id, reject->data, reject->len };
	else if (nak->len > 0 && !q.last)
		*reply = (struct packet){ CONFIGURE_NAK, p->id, nak->data, nak->len };
	else
		*reply = (struct packet){ CONFIGURE_ACK, p->id, p->data, p->len };
	return true;
}

/* Where the layer is locked nothing else can be meant. */
static bool is_repetition(const struct fsm *f, const struct packet *p, usec_t now)
{
	if (f->state != FSM_OPENED || p->len != f->in_force_len || memcmp(p->data, f->in_force, p->len) != 0)
		return false;
	return f->locked || p->id == f->in_force_id || now - f->in_force_since < FSM_REPEAT_TIME;
}

static void put_in_force(struct fsm *f, const struct packet *p, usec_t now)
{
	f->in_force_len = p->len <= sizeof(f->in_force) ? p->len : SIZE_MAX;
	if (p->len <= sizeof(f->in_force))
		memcpy(f->in_force, p->data, p->len);
	f->in_force_id = p->id;
	f->in_force_since = now;
}

static void receive_configure_request(struct fsm *f, const struct packet *p, usec_t now)
{
	uint8_t nak_data[PACKET_DATA_MAX], reject_data[PACKET_DATA_MAX];
	struct wire_writer nak = wire_writer(nak_data, sizeof(nak_data));
	struct wire_writer reject = wire_writer(reject_data, sizeof(reject_data));
	struct packet reply = { 0 };

	if (p->len > PACKET_DATA_MAX || !options_valid(p->data, p->len))
		return;
	if (f->state == FSM_CLOSED || f->state == FSM_CLOSING || f->state == FSM_STOPPING) {
		step(f, FSM_RCR_PLUS, p, NULL, now); /* not judged: the cells of RCR+ and RCR- are equal */
		return;
	}
	if (is_flood(f, now)) {
		fsm_fail(f, FSM_REASON_FLOOD, now);
		return;
	}
	if (is_repetition(f, p, now)) {
		(void)send(f, FRAME_ANSWER, CONFIGURE_ACK, p->id, p->data, p->len);
		return;
	}
	if (f->state == FSM_OPENED && f->locked) {
		fsm_fail(f, FSM_REASON_RENEGOTIATED, now);
		return;
	}
	if (!judge(f, p, &reply, &nak, &reject)) {
		fsm_fail(f, FSM_REASON_LAYER, now);
		return;
	}
	if (f->config.client && f->outstanding && !f->resent &&
	    (f->state == FSM_REQ_SENT || f->state == FSM_ACK_SENT)) {
		f->resent = true;
		send_configure_request(f, now);
	}
	if (reply.code != CONFIGURE_ACK) {
		f->naks += reply.code == CONFIGURE_NAK;
		step(f, FSM_RCR_MINUS, p, &reply, now);
		return;
	}
	f->naks = 0;
	put_in_force(f, p, now);
	step(f, FSM_RCR_PLUS, p, &reply, now);
}

static void receive_configure_ack(struct fsm *f, const struct packet *p, usec_t now)
{
	if (!f->outstanding || p->id != f->request_id || p->len != f->request_len ||
	    memcmp(p->data, f->request, p->len) != 0)
		return;
	f->outstanding = false;
	step(f, FSM_RCA, p, NULL, now);
}

static bool was_requested(const struct fsm *f, uint8_t type)
{
	struct wire_reader r = wire_reader(f->request, f->request_len);
	struct option o;

	while (option_next(&r, &o))
		if (o.type == type)
			return true;
	return false;
}

/* A Reject may only name what was asked for; the values are not compared, some servers change them. */
static bool is_plausible_reject(const struct fsm *f, const struct packet *p)
{
	struct wire_reader r = wire_reader(p->data, p->len);
	struct option o;

	while (option_next(&r, &o))
		if (!was_requested(f, o.type))
			return false;
	return true;
}

static void receive_configure_nak(struct fsm *f, const struct packet *p, usec_t now)
{
	const struct fsm_ops *ops = f->config.ops;
	bool rejected = p->code == CONFIGURE_REJECT;
	struct wire_reader r = wire_reader(p->data, p->len);
	struct option o;

	if (!f->outstanding || p->id != f->request_id || !options_valid(p->data, p->len) ||
	    (rejected && !is_plausible_reject(f, p)))
		return;
	f->outstanding = false;
	while (option_next(&r, &o)) {
		if (!(rejected ? ops->rejected : ops->naked)(f->config.layer, &o)) {
			fsm_fail(f, FSM_REASON_LAYER, now);
			return;
		}
	}
	if (++f->rounds >= FSM_MAX_ROUNDS) {
		fsm_fail(f, FSM_REASON_NO_AGREEMENT, now);
		return;
	}
	step(f, FSM_RCN, p, NULL, now);
}

static void receive_code_reject(struct fsm *f, const struct packet *p, usec_t now)
{
	if (p->len < 1)
		return;
	if (p->data[0] >= CONFIGURE_REQUEST && p->data[0] <= CODE_REJECT)
		fsm_fail(f, FSM_REASON_CODE_REJECTED, now);
	else
		step(f, FSM_RXJ_PLUS, p, NULL, now);
}

/* Early resends are for a peer that does not hear us yet; from here on it does. */
static void mark_heard(struct fsm *f)
{
	if (f->heard)
		return;
	f->heard = true;
	if (f->outstanding && f->deadline != USEC_NEVER)
		f->deadline = f->sent + restart_time(f);
}

void fsm_input(struct fsm *f, const struct packet *p, usec_t now)
{
	if (f->state == FSM_INITIAL || f->state == FSM_STARTING)
		return;
	mark_heard(f);
	switch (p->code) {
	case CONFIGURE_REQUEST:
		receive_configure_request(f, p, now);
		break;
	case CONFIGURE_ACK:
		receive_configure_ack(f, p, now);
		break;
	case CONFIGURE_NAK:
	case CONFIGURE_REJECT:
		receive_configure_nak(f, p, now);
		break;
	case TERMINATE_REQUEST:
		f->reason = FSM_REASON_TERMINATED;
		step(f, FSM_RTR, p, NULL, now);
		break;
	case TERMINATE_ACK:
		if (f->state == FSM_OPENED)
			f->reason = FSM_REASON_TERMINATED;
		step(f, FSM_RTA, p, NULL, now);
		break;
	case CODE_REJECT:
		receive_code_reject(f, p, now);
		break;
	default:
		step(f, FSM_RUC, p, NULL, now);
		break;
	}
}
