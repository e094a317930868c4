/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The option negotiation automaton of RFC 1661 §4, once for LCP, IPCP and IPV6CP. What differs between them
 * (the options) is behind a small table of callbacks; what they mean for the link is decided by the owner,
 * who takes the signals after each call.
 *
 * Beyond the RFC, because real servers need it:
 *  - The first two resends of a request come early (300 ms, 1 s), as long as nothing was heard from the peer:
 *    servers lose what arrives before their PPP runs. They are early enough to be harmless: a resend that
 *    leaves before the peer was heard also leaves before our Ack, so that it cannot reach an opened peer and
 *    throw it back into negotiation.
 *  - A client resends a request without answer once when a request of the peer arrives, in front of its Ack.
 *  - A repetition of the request in force is acknowledged in Opened and changes nothing. Servers repeat with
 *    the identifier they had or, soon after, with another one; later another identifier means that the peer
 *    negotiates anew, with the same wishes for itself (and perhaps another address for us).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/wire.h"
#include "proto/ppp/frame.h"
#include "proto/ppp/options.h"

/* RFC 1661 §4.2, in its order. */
enum fsm_state {
	FSM_INITIAL,
	FSM_STARTING,
	FSM_CLOSED,
	FSM_STOPPED,
	FSM_CLOSING,
	FSM_STOPPING,
	FSM_REQ_SENT,
	FSM_ACK_RCVD,
	FSM_ACK_SENT,
	FSM_OPENED,
	_FSM_STATES,
};

/* RFC 1661 §4.3. */
enum fsm_event {
	FSM_UP,
	FSM_DOWN,
	FSM_OPEN,
	FSM_CLOSE,
	FSM_TO_PLUS,
	FSM_TO_MINUS,
	FSM_RCR_PLUS,
	FSM_RCR_MINUS,
	FSM_RCA,
	FSM_RCN,
	FSM_RTR,
	FSM_RTA,
	FSM_RUC,
	FSM_RXJ_PLUS,
	FSM_RXJ_MINUS,
	FSM_RXR,
	_FSM_EVENTS,
};

/* RFC 1661 §4.4, in the order in which the actions of one cell are done. */
#define FSM_TLD 0x0001u /* this layer down */
#define FSM_IRC 0x0002u /* initialize restart counter */
#define FSM_ZRC 0x0004u /* zero restart counter */
#define FSM_SCR 0x0008u /* send Configure-Request */
#define FSM_STR 0x0010u /* send Terminate-Request */
#define FSM_SCA 0x0020u /* send Configure-Ack */
#define FSM_SCN 0x0040u /* send Configure-Nak or -Reject */
#define FSM_STA 0x0080u /* send Terminate-Ack */
#define FSM_SCJ 0x0100u /* send Code-Reject */
#define FSM_SER 0x0200u /* send Echo-Reply */
#define FSM_TLU 0x0400u /* this layer up */
#define FSM_TLS 0x0800u /* this layer started */
#define FSM_TLF 0x1000u /* this layer finished */

struct fsm_transition {
	uint16_t actions;
	uint8_t next;
	bool possible; /* false for the cells "-" of the RFC: the event does not occur in this state */
};
struct fsm_transition fsm_transition(enum fsm_state state, enum fsm_event event);

/* Why a layer went down or finished. */
enum fsm_reason {
	FSM_REASON_NONE,
	FSM_REASON_TIMEOUT,	  /* Max-Configure requests without an answer */
	FSM_REASON_TERMINATED,	  /* Terminate-Request, or an unsolicited Terminate-Ack */
	FSM_REASON_CODE_REJECTED, /* the peer does not know a code of RFC 1661 */
	FSM_REASON_PROTOCOL_REJECTED /* the peer does not know the protocol */,
	FSM_REASON_NO_AGREEMENT, /* too many Naks and Rejects of our requests */
	FSM_REASON_FLOOD,	 /* too many Configure-Requests without agreement */
	FSM_REASON_RENEGOTIATED, /* another request in Opened, of a layer that is locked */
	FSM_REASON_LAYER,	 /* a callback refused */
};

enum fsm_verdict { FSM_ACK, FSM_NAK, FSM_REJECT, FSM_FATAL };

/* A Configure-Request of the peer while its options are judged. */
struct fsm_request {
	uint8_t id;
	bool last; /* Max-Failure Naks were sent: what is not acceptable now is rejected */
	struct wire_writer *nak;
};

struct fsm_ops {
	uint16_t protocol;
	/* Writes the options of our next Configure-Request. */
	void (*request)(void *layer, struct wire_writer *w);
	/* A request of the peer begins; forget what the previous one said. */
	void (*peer_begin)(void *layer);
	/* Judges one option. With FSM_NAK it has written the value wanted to q->nak. */
	enum fsm_verdict (*peer_option)(void *layer, const struct option *o, const struct fsm_request *q);
	/* May append options to q->nak that the peer left out; not called with q->last. May be NULL. */
	void (*peer_end)(void *layer, const struct fsm_request *q);
	/* One option of the peer's Nak or Reject of our request. False: the link or protocol cannot go on. */
	bool (*naked)(void *layer, const struct option *o);
	bool (*rejected)(void *layer, const struct option *o);
};

#define FSM_MAX_CONFIGURE 10
#define FSM_MAX_TERMINATE 2
#define FSM_MAX_FAILURE	  5
#define FSM_MAX_ROUNDS	  10		      /* Naks and Rejects of ours until Opened */
#define FSM_MAX_REQUESTS  20		      /* of the peer, without ten seconds of silence among them */
#define FSM_REPEAT_TIME	  (10 * USEC_PER_SEC) /* in which another identifier may be a repetition */
#define FSM_RESTART_TIME  (3 * USEC_PER_SEC)
#define FSM_OPTIONS_MAX	  64 /* longest options field of our requests */

#define FSM_SIGNAL_UP	    0x1u
#define FSM_SIGNAL_DOWN	    0x2u
#define FSM_SIGNAL_FINISHED 0x4u

struct fsm_config {
	const struct fsm_ops *ops;
	void *layer; /* handed to the callbacks */
	struct frame_queue *queue;
	usec_t restart_time; /* 0: the early schedule */
	bool client;
};

struct fsm {
	struct fsm_config config;
	enum fsm_state state;
	enum fsm_reason reason;
	unsigned signals; /* taken by fsm_take_signals() */
	/* A layer above depends on this one for good: a changed request in Opened ends it. */
	bool locked;
	usec_t deadline;
	/* private */
	unsigned restart_count, transmissions, naks, rounds, requests;
	bool heard, resent, outstanding;
	uint8_t next_id, request_id;
	uint8_t request[FSM_OPTIONS_MAX];
	size_t request_len;
	/* The peer's last request that we acknowledged. No honest one is longer: then nothing repeats it. */
	uint8_t in_force[256];
	size_t in_force_len; /* SIZE_MAX: longer */
	uint8_t in_force_id;
	usec_t in_force_since;
	usec_t sent, last_request;
	struct rate_limit rejects;
};

void fsm_init(struct fsm *f, const struct fsm_config *config);
/* Up, Down, Open and Close of the layers around it. */
void fsm_event(struct fsm *f, enum fsm_event event, usec_t now);
/* A packet of codes 1 to 7, or of a code that the owner does not know (answered by a Code-Reject). */
void fsm_input(struct fsm *f, const struct packet *p, usec_t now);
/* RXR: queues `len` bytes as an Echo-Reply if the layer is opened. */
void fsm_echo_reply(struct fsm *f, uint8_t id, const uint8_t *data, size_t len, usec_t now);
/* Ends the layer as a catastrophic reject (RXJ-) would. */
void fsm_fail(struct fsm *f, enum fsm_reason reason, usec_t now);
void fsm_timeout(struct fsm *f, usec_t now);
/* FSM_SIGNAL_* since the last call. A DOWN is older than an UP or FINISHED beside it. */
unsigned fsm_take_signals(struct fsm *f);
/* The identifier of the next packet that we begin. */
uint8_t fsm_next_id(struct fsm *f);

static inline bool fsm_is_opened(const struct fsm *f)
{
	return f->state == FSM_OPENED;
}
