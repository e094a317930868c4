/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SSTP call: packet framing, the client and server automata, timers and crypto binding of [MS-SSTP].
 *
 * Sans-I/O: bytes that arrived behind the HTTP exchange go into sstp_input(), control packets to be sent come
 * out of sstp_output(), the caller calls sstp_timeout() when sstp_deadline() has come, and pulls sstp_event()
 * after each of these. No allocation, no clock, no log. After a peer's violation the engine has already
 * queued the protocol's own answer (CALL_ABORT …): the caller goes on pumping output until SSTP_EVENT_ENDED.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cause.h"
#include "base/clock.h"
#include "base/random.h"

#define SSTP_HEADER_LEN	 4
#define SSTP_PACKET_MAX	 4095 /* [MS-SSTP] 2.2.1: 12-bit length, header included */
#define SSTP_PAYLOAD_MAX (SSTP_PACKET_MAX - SSTP_HEADER_LEN)
#define SSTP_HLAK_LEN	 32
#define SSTP_NONCE_LEN	 32

enum sstp_role { SSTP_CLIENT, SSTP_SERVER };

/* Hash protocol bits of the Crypto Binding Request, [MS-SSTP] 2.2.6. */
#define SSTP_HASH_SHA1	 0x01
#define SSTP_HASH_SHA256 0x02

enum sstp_state {
	SSTP_STATE_IDLE,
	SSTP_STATE_REQUEST_SENT, /* client: Client_Connect_Request_Sent; server: waiting for the request */
	SSTP_STATE_ACK_RECEIVED, /* client: Client_Connect_Ack_Received; server: ACK sent */
	SSTP_STATE_CONNECTED,	 /* Call_Connected */
	SSTP_STATE_ABORT_PENDING,
	SSTP_STATE_ABORT_TIMEOUT,
	SSTP_STATE_DISCONNECT_PENDING,
	SSTP_STATE_DISCONNECT_TIMEOUT,
	SSTP_STATE_ENDED,
};

struct sstp_config {
	enum sstp_role role;
	uint8_t hashes;	       /* SSTP_HASH_*: accepted (client) or offered (server); 0 = both */
	bool strict_echo;      /* client, tests: ABORT on an early ECHO_REQUEST; a server always does */
	uint8_t cert_sha1[20]; /* of the server's leaf certificate (DER) */
	uint8_t cert_sha256[32];
	usec_t hello_interval;	 /* 0 = 60 s */
	usec_t negotiation_time; /* 0 = 60 s */
	struct random_source random;
	/* Server, tests only: accept a wrong binding. */
	bool ignore_binding;
};

/* Each comes at most once, and in this order. */
enum sstp_event_type {
	SSTP_EVENT_NONE,
	SSTP_EVENT_LOWER_UP,  /* ACK received (client) or sent (server): PPP may start */
	SSTP_EVENT_CONNECTED, /* client: CALL_CONNECTED was queued; server: the binding was verified */
	SSTP_EVENT_STOPPING,  /* the call is ending (sent or received ABORT or DISCONNECT); PPP is down from
				 here on */
	SSTP_EVENT_ENDED, /* flush the output, then close TLS; `failure` says why (CAUSE_NONE: asked for) */
};

struct sstp_event {
	enum sstp_event_type type;
	struct failure failure;
};

/* The result of sstp_input(): at most one packet is taken per call. */
struct sstp_input {
	const uint8_t
		*frame; /* a PPP frame for the PPP engine, in place in the caller's bytes; NULL if none */
	size_t frame_len;
};

struct sstp; /* sstp_state.h holds the definition, so that a session can embed it; members are private */

/* Prepares an idle call. Nothing is sent. */
void sstp_init(struct sstp *s, const struct sstp_config *config);
/* Client: queues CALL_CONNECT_REQUEST. Server: starts to wait for it. Call when the HTTP exchange is over. */
void sstp_start(struct sstp *s, usec_t now);

/*
 * Takes at most one packet from `data`. Returns the bytes consumed, 0 where the packet is not complete yet,
 * or -EBADMSG where packet borders cannot be found ([MS-SSTP] 3.1.5.1): then only ENDED follows, nothing is
 * sent. `ret` holds a PPP frame that may be handed on in this state (the rules of protocol.md 1.7 for control
 * and data).
 */
ssize_t sstp_input(struct sstp *s, const uint8_t *data, size_t len, usec_t now, struct sstp_input *ret);

/* The transport has ended (EOF, reset). Leads to ENDED; that is a normal end in the closing states. */
void sstp_transport_lost(struct sstp *s, usec_t now);

/* PPP authentication has succeeded. Client: queues CALL_CONNECTED. Server: the HLAK to check the peer's
 * against. */
void sstp_authenticated(struct sstp *s, const uint8_t hlak[static SSTP_HLAK_LEN], usec_t now);

/* Ends the call: CALL_DISCONNECT, and ENDED after its ACK or 5 s. `failure` (may be NULL) is what ENDED
 * reports. */
void sstp_disconnect(struct sstp *s, const struct failure *failure, usec_t now);

/* Client: the server goes on after CALL_CONNECTED, so it has found the crypto binding good; what ends the
 * call from here on has another reason. */
void sstp_binding_accepted(struct sstp *s);
/* True where IP packets may be exchanged. The packet path asks before it takes the short cut past
 * sstp_input(). */
bool sstp_is_connected(const struct sstp *s);
/* The packet path has taken data packets itself: the hello timer starts again. */
void sstp_data_received(struct sstp *s, usec_t now);

/* Moves whole queued control packets to `out`; returns the bytes written (0: none, or no room for the next
 * one). */
size_t sstp_output(struct sstp *s, uint8_t *out, size_t space);
/* The next event; SSTP_EVENT_NONE if there is none. */
struct sstp_event sstp_event(struct sstp *s);
/* When sstp_timeout() must be called; USEC_NEVER for never. */
usec_t sstp_deadline(const struct sstp *s);
void sstp_timeout(struct sstp *s, usec_t now);

enum sstp_state sstp_state(const struct sstp *s);
/* The hash chosen for the crypto binding: SSTP_HASH_SHA1, SSTP_HASH_SHA256 or 0 while unknown. */
uint8_t sstp_hash(const struct sstp *s);

/* Writes the header of a data packet with `payload_len` bytes of PPP behind it. */
static inline void sstp_data_header(uint8_t out[static SSTP_HEADER_LEN], size_t payload_len)
{
	size_t len = payload_len + SSTP_HEADER_LEN;

	out[0] = 0x10;
	out[1] = 0;
	out[2] = (uint8_t)(len >> 8);
	out[3] = (uint8_t)len;
}
