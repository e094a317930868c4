/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the client and the server automaton share; private to proto/sstp. */
#pragma once

#include "base/macro.h"
#include "base/wire.h"
#include "proto/sstp/message.h"
#include "proto/sstp/sstp.h"
#include "proto/sstp/sstp_state.h"

#define SSTP_RETRY_MAX 3 /* NAKs that are answered or sent, [MS-SSTP] notes 10 and 16 */

/* The state and its timer change together. USEC_NEVER: no timer. */
void sstp_enter(struct sstp *s, enum sstp_state state, usec_t deadline);
void sstp_enter_connected(struct sstp *s, usec_t now);
void sstp_raise(struct sstp *s, enum sstp_event_type type);
/* `deadline` of the negotiation timer that starts now. */
usec_t sstp_negotiation_deadline(const struct sstp *s, usec_t now);

/* A writer over the free part of the queue, and its end: a packet that does not fit is dropped whole. */
struct wire_writer sstp_queue_begin(struct sstp *s);
void sstp_queue_end(struct sstp *s, const struct wire_writer *w);

/* The peer broke the protocol: records the failure, sends CALL_ABORT and waits for the answer. */
void sstp_violation(struct sstp *s, uint8_t attribute, enum sstp_status status, enum cause cause, usec_t now,
		    const char *detail_format, ...) _printf_(6, 7);
/* A well-known message that this state does not take. */
void sstp_unaccepted(struct sstp *s, unsigned type, usec_t now);
const char *sstp_state_name(const struct sstp *s);

/* The digest of the server's certificate in the hash of the binding, padded with zeros to 32 bytes. */
void sstp_cert_hash(const struct sstp *s, uint8_t hash, uint8_t out[static 32]);
/* The compound MAC over a CALL_CONNECTED. */
void sstp_compound_mac(uint8_t hash, uint8_t out[static 32], const uint8_t hlak[static SSTP_HLAK_LEN],
		       const uint8_t packet[static SSTP_CALL_CONNECTED_LEN]);

/* Role parts. They see only messages of the states REQUEST_SENT, ACK_RECEIVED and CONNECTED that are not
 * handled alike by both roles (ABORT, DISCONNECT, ECHO …). */
void sstp_client_start(struct sstp *s, usec_t now);
void sstp_client_message(struct sstp *s, const struct sstp_message *m, usec_t now);
void sstp_client_authenticated(struct sstp *s, const uint8_t hlak[static SSTP_HLAK_LEN], usec_t now);

void sstp_server_start(struct sstp *s, usec_t now);
void sstp_server_message(struct sstp *s, const struct sstp_message *m, const uint8_t *packet, size_t len,
			 usec_t now);
void sstp_server_authenticated(struct sstp *s, const uint8_t hlak[static SSTP_HLAK_LEN], usec_t now);
