/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state behind ppp.h, for those who embed it. Members are private to src/proto/ppp. */
#pragma once

#include "proto/ppp/auth.h"
#include "proto/ppp/fsm.h"
#include "proto/ppp/ipcp.h"
#include "proto/ppp/ipv6cp.h"
#include "proto/ppp/lcp.h"
#include "proto/ppp/ppp.h"

/* RFC 1661 §3.2 */
enum ppp_phase {
	PPP_DEAD,
	PPP_ESTABLISH,
	PPP_AUTHENTICATE,
	PPP_NETWORK,
	PPP_TERMINATE, /* asked for: waits for the Terminate-Ack */
	PPP_ENDED,     /* PPP_EVENT_DOWN was raised */
};

#define PPP_EVENTS_MAX 16

/* Ends the authentication; waits for ppp_network_allowed(). What is longer is sent again. */
struct early_packet {
	uint16_t protocol;
	size_t len; /* 0: none */
	uint8_t bytes[64];
};

struct ppp {
	struct ppp_config config;
	struct credentials credentials;
	enum ppp_phase phase;
	bool network_allowed, network_started, auth_began, ipv6_reported_down;
	usec_t deadline; /* of the phase */
	struct fsm lcp_fsm, ipcp_fsm, ipv6cp_fsm;
	struct lcp lcp;
	struct ipcp ipcp;
	struct ipv6cp ipv6cp;
	struct auth auth;
	struct early_packet early;
	struct rate_limit rejects;
	struct frame_queue queue;
	struct ppp_params params;
	struct failure failure;
	enum ppp_event_type events[PPP_EVENTS_MAX];
	unsigned event_count;
};
