/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of an SSTP call, for those who embed one. The members are the engine's own. */
#pragma once

#include "proto/sstp/sstp.h"

#define SSTP_QUEUE_SIZE		2048
#define SSTP_ECHO_QUEUE_MAX	(64 * 8) /* echo packets are dropped while more than this is queued */
#define SSTP_CALL_CONNECTED_LEN 112

struct sstp {
	struct sstp_config config;
	enum sstp_state state;
	unsigned events;    /* to be pulled, lowest first: a bit per enum sstp_event_type */
	unsigned raised;    /* no event happens twice */
	bool disconnecting; /* our CALL_DISCONNECT was sent */
	bool closing;	    /* `failure` is settled */
	struct failure failure;

	usec_t deadline;     /* of the one timer that each state has */
	usec_t connected_at; /* when CONNECTED was entered */
	bool probing;	     /* an ECHO_REQUEST is out, and nothing has come since */
	uint8_t naks;	     /* received (client) or sent (server) */
	char nak_text[128];  /* client: what the last one said */
	bool binding_accepted;

	uint8_t hash; /* SSTP_HASH_* of the binding; 0 = not known */
	uint8_t nonce[SSTP_NONCE_LEN];

	/* Server: the higher-layer key and the CALL_CONNECTED, whichever came first. */
	bool have_hlak, have_binding;
	uint8_t hlak[SSTP_HLAK_LEN];
	uint8_t binding[SSTP_CALL_CONNECTED_LEN];

	uint8_t queue[SSTP_QUEUE_SIZE]; /* whole control packets */
	size_t queued;
};
