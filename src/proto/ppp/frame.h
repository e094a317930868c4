/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PPP frames and control packets: the header forms on receipt, and the bounded queue of what is to be sent.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

/* Protocol numbers beside the two of ppp.h (IANA, PPP DLL Protocol Numbers). */
#define PPP_PROTO_IPCP	 0x8021
#define PPP_PROTO_IPV6CP 0x8057
#define PPP_PROTO_LCP	 0xc021
#define PPP_PROTO_PAP	 0xc023
#define PPP_PROTO_CBCP	 0xc029
#define PPP_PROTO_CHAP	 0xc223
#define PPP_PROTO_EAP	 0xc227

#define PPP_MRU_DEFAULT 1500
#define PPP_MRU_MIN	128

/* Codes of LCP and, up to CODE_REJECT, of every NCP. RFC 1661 §5, RFC 1570. */
enum packet_code {
	CONFIGURE_REQUEST = 1,
	CONFIGURE_ACK,
	CONFIGURE_NAK,
	CONFIGURE_REJECT,
	TERMINATE_REQUEST,
	TERMINATE_ACK,
	CODE_REJECT,
	PROTOCOL_REJECT,
	ECHO_REQUEST,
	ECHO_REPLY,
	DISCARD_REQUEST,
	IDENTIFICATION,
	TIME_REMAINING,
};

/*
 * Reads the header of a frame: [FF 03] and a protocol of one or two bytes, in all four forms, negotiated or
 * not. Returns the protocol and sets the information field, which may be empty; -EBADMSG for anything else.
 * On the packet path: kept small and inline.
 */
static inline int frame_parse(const uint8_t *frame, size_t len, const uint8_t **ret_info, size_t *ret_len)
{
	if (len >= 2 && frame[0] == 0xff && frame[1] == 0x03) {
		frame += 2;
		len -= 2;
	}
	if (len < 1 || frame[0] == 0xff) /* no protocol begins with FF: an address without its control */
		return -EBADMSG;
	if (frame[0] & 1) {
		*ret_info = frame + 1;
		*ret_len = len - 1;
		return frame[0];
	}
	if (len < 2 || !(frame[1] & 1))
		return -EBADMSG;
	*ret_info = frame + 2;
	*ret_len = len - 2;
	return frame[0] << 8 | frame[1];
}

/* Code, identifier, length, data: the form of all control protocols. */
struct packet {
	uint8_t code, id;
	const uint8_t *data; /* in place */
	size_t len;	     /* of data */
};

/*
 * Reads a control packet from an information field. What follows its own length is padding and left out
 * (RFC 1661 §5). -EBADMSG where the length is under 4 or over the field.
 */
int packet_parse(const uint8_t *info, size_t len, struct packet *ret);

/* The longest data of a packet that we send: a frame then fits a peer that told no MRU. */
#define PACKET_DATA_MAX (PPP_MRU_DEFAULT - 4)

#define FRAME_QUEUE_SIZE 8192

/* What waits for ppp_output(), oldest first: each frame behind two bytes of length. */
struct frame_queue {
	size_t len;
	uint8_t data[FRAME_QUEUE_SIZE];
};

enum frame_priority {
	FRAME_ANSWER, /* to whatever the peer sends: may use half of the queue, so that no flood … */
	FRAME_OWN,    /* … crowds out what the automaton sends of itself */
};

/* Queues a packet with FF 03 and its protocol in front. False (and nothing queued) where it has no room or
 * is longer than PACKET_DATA_MAX: PPP treats that as a lost frame. */
bool frame_queue_push(struct frame_queue *q, enum frame_priority priority, uint16_t protocol, uint8_t code,
		      uint8_t id, const void *data, size_t len);
/* Moves the oldest frame to `out`; 0 where there is none or it is longer than `space`. */
size_t frame_queue_pop(struct frame_queue *q, uint8_t *out, size_t space);

/* Lets ten pass in any ten seconds. For answers to packets that should not come at all. */
struct rate_limit {
	usec_t start;
	unsigned count;
};
bool rate_limit_pass(struct rate_limit *l, usec_t now);
