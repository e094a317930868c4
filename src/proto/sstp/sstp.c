/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Framing, queue, timers, echo and the closing sequences, which are alike for client and server:
 * [MS-SSTP] 3.1. */
#include "proto/sstp/sstp.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/binding.h"
#include "proto/sstp/engine.h"

/* [MS-SSTP] 3.1.2, 3.2.2, 3.3.2, notes 6 and 12 */
#define HELLO_TIME	    (60 * USEC_PER_SEC)
#define NEGOTIATION_TIME    (60 * USEC_PER_SEC)
#define ABORT_TIME_1	    (3 * USEC_PER_SEC)
#define ABORT_TIME_2	    (1 * USEC_PER_SEC)
#define DISCONNECT_TIME_1   (5 * USEC_PER_SEC)
#define DISCONNECT_TIME_2   (1 * USEC_PER_SEC)
#define BINDING_ANSWER_TIME (5 * USEC_PER_SEC) /* an ABORT within it is about the crypto binding */

static_assert(SSTP_HLAK_LEN == BINDING_HLAK_LEN && SSTP_CALL_CONNECTED_LEN == BINDING_PACKET_LEN,
	      "the crypto layer works on the same packet");

void sstp_init(struct sstp *s, const struct sstp_config *config)
{
	*s = (struct sstp){ .config = *config, .state = SSTP_STATE_IDLE, .deadline = USEC_NEVER };
	s->config.hashes &= SSTP_HASH_SHA1 | SSTP_HASH_SHA256;
	if (s->config.hashes == 0)
		s->config.hashes = SSTP_HASH_SHA1 | SSTP_HASH_SHA256;
	if (s->config.hello_interval == 0)
		s->config.hello_interval = HELLO_TIME;
	if (s->config.negotiation_time == 0)
		s->config.negotiation_time = NEGOTIATION_TIME;
}

void sstp_start(struct sstp *s, usec_t now)
{
	if (s->state != SSTP_STATE_IDLE)
		return;
	switch (s->config.role) {
	case SSTP_CLIENT:
		sstp_client_start(s, now);
		break;
	case SSTP_SERVER:
		sstp_server_start(s, now);
		break;
	}
}

/* --- state, events, failure --- */

void sstp_enter(struct sstp *s, enum sstp_state state, usec_t deadline)
{
	s->state = state;
	s->deadline = deadline;
}

usec_t sstp_negotiation_deadline(const struct sstp *s, usec_t now)
{
	return now + s->config.negotiation_time;
}

/* Something has come: the hello timer starts again, whatever it was. */
static void touch(struct sstp *s, usec_t now)
{
	s->deadline = now + s->config.hello_interval;
	s->probing = false;
}

void sstp_enter_connected(struct sstp *s, usec_t now)
{
	sstp_enter(s, SSTP_STATE_CONNECTED, USEC_NEVER);
	touch(s, now);
	s->connected_at = now;
	sstp_raise(s, SSTP_EVENT_CONNECTED);
}

void sstp_raise(struct sstp *s, enum sstp_event_type type)
{
	unsigned bit = 1u << type;

	s->events |= bit & ~s->raised; /* a goodbye that crosses ours stops nothing again */
	s->raised |= bit;
}

struct sstp_event sstp_event(struct sstp *s)
{
	struct sstp_event event = {};

	/* No event happens twice, and they can only happen in the order of their numbers. */
	for (enum sstp_event_type type = SSTP_EVENT_LOWER_UP; type <= SSTP_EVENT_ENDED; type++) {
		if (!(s->events & 1u << type))
			continue;
		s->events &= ~(1u << type);
		event.type = type;
		if (type == SSTP_EVENT_STOPPING || type == SSTP_EVENT_ENDED)
			event.failure = s->failure;
		break;
	}
	return event;
}

/* The reason of the end; what comes after the first one is its consequence. */
static void settle(struct sstp *s, enum cause cause, const char *detail)
{
	if (!s->closing && cause != CAUSE_NONE)
		failure_set(&s->failure, cause, "%s", detail);
	s->closing = true;
}

static void end(struct sstp *s)
{
	sstp_enter(s, SSTP_STATE_ENDED, USEC_NEVER);
	wipe(s->hlak, sizeof(s->hlak));
	sstp_raise(s, SSTP_EVENT_ENDED);
}

/* Nothing more is sent, not even what was queued. */
static void end_silently(struct sstp *s, enum cause cause, const char *detail)
{
	settle(s, cause, detail);
	s->queued = 0;
	end(s);
}

static bool is_open(const struct sstp *s)
{
	switch (s->state) {
	case SSTP_STATE_REQUEST_SENT:
	case SSTP_STATE_ACK_RECEIVED:
	case SSTP_STATE_CONNECTED:
		return true;
	case SSTP_STATE_IDLE:
	case SSTP_STATE_ABORT_PENDING:
	case SSTP_STATE_ABORT_TIMEOUT:
	case SSTP_STATE_DISCONNECT_PENDING:
	case SSTP_STATE_DISCONNECT_TIMEOUT:
	case SSTP_STATE_ENDED:
		return false;
	}
	return false;
}

enum sstp_state sstp_state(const struct sstp *s)
{
	return s->state;
}

bool sstp_is_connected(const struct sstp *s)
{
	return s->state == SSTP_STATE_CONNECTED;
}

uint8_t sstp_hash(const struct sstp *s)
{
	return s->hash;
}

const char *sstp_state_name(const struct sstp *s)
{
	bool client = s->config.role == SSTP_CLIENT;

	switch (s->state) {
	case SSTP_STATE_IDLE:
	case SSTP_STATE_ENDED:
		return client ? "Client_Call_Disconnected" : "Server_Call_Disconnected";
	case SSTP_STATE_REQUEST_SENT:
		return client ? "Client_Connect_Request_Sent" : "Server_Connect_Request_Pending";
	case SSTP_STATE_ACK_RECEIVED:
		return client ? "Client_Connect_Ack_Received" : "Server_Call_Connected_Pending";
	case SSTP_STATE_CONNECTED:
		return client ? "Client_Call_Connected" : "Server_Call_Connected";
	case SSTP_STATE_ABORT_PENDING:
		return "Call_Abort_Pending";
	case SSTP_STATE_ABORT_TIMEOUT:
		return "Call_Abort_Timeout_Pending";
	case SSTP_STATE_DISCONNECT_PENDING:
		return "Call_Disconnect_Ack_Pending";
	case SSTP_STATE_DISCONNECT_TIMEOUT:
		return "Call_Disconnect_Timeout_Pending";
	}
	return "unknown";
}

/* --- sending --- */

struct wire_writer sstp_queue_begin(struct sstp *s)
{
	return wire_writer(s->queue + s->queued, sizeof(s->queue) - s->queued);
}

void sstp_queue_end(struct sstp *s, const struct wire_writer *w)
{
	if (!w->error)
		s->queued += w->len;
}

size_t sstp_output(struct sstp *s, uint8_t *out, size_t space)
{
	size_t n = 0;

	while (n < s->queued) {
		size_t len = (size_t)(s->queue[n + 2] << 8 | s->queue[n + 3]);

		if (len > space - n)
			break;
		n += len;
	}
	memcpy(out, s->queue, n);
	s->queued -= n;
	memmove(s->queue, s->queue + n, s->queued);
	return n;
}

static void send_plain(struct sstp *s, enum sstp_message_type type)
{
	struct wire_writer w = sstp_queue_begin(s);
	size_t start = sstp_message_begin(&w, type);

	sstp_message_end(&w, start, 0);
	sstp_queue_end(s, &w);
}

static void send_status(struct sstp *s, enum sstp_message_type type, uint8_t attribute, uint32_t status)
{
	struct wire_writer w = sstp_queue_begin(s);
	size_t start = sstp_message_begin(&w, type);

	sstp_put_status_info(&w, attribute, status, NULL, 0);
	sstp_message_end(&w, start, 1);
	sstp_queue_end(s, &w);
}

/* A peer that asks faster than the transport carries our answers is not answered each time. */
static void send_echo(struct sstp *s, enum sstp_message_type type)
{
	if (s->queued < SSTP_ECHO_QUEUE_MAX)
		send_plain(s, type);
}

/* --- crypto binding --- */

static enum hash binding_hash(uint8_t hash)
{
	return hash == SSTP_HASH_SHA1 ? HASH_SHA1 : HASH_SHA256;
}

void sstp_cert_hash(const struct sstp *s, uint8_t hash, uint8_t out[static 32])
{
	memset(out, 0, 32);
	if (hash == SSTP_HASH_SHA1)
		memcpy(out, s->config.cert_sha1, sizeof(s->config.cert_sha1));
	else
		memcpy(out, s->config.cert_sha256, sizeof(s->config.cert_sha256));
}

void sstp_compound_mac(uint8_t hash, uint8_t out[static 32], const uint8_t hlak[static SSTP_HLAK_LEN],
		       const uint8_t packet[static SSTP_CALL_CONNECTED_LEN])
{
	binding_mac(binding_hash(hash), out, hlak, packet);
}

void sstp_authenticated(struct sstp *s, const uint8_t hlak[static SSTP_HLAK_LEN], usec_t now)
{
	if (s->state != SSTP_STATE_ACK_RECEIVED)
		return;
	switch (s->config.role) {
	case SSTP_CLIENT:
		sstp_client_authenticated(s, hlak, now);
		break;
	case SSTP_SERVER:
		sstp_server_authenticated(s, hlak, now);
		break;
	}
}

/* --- closing --- */

static void abort_call(struct sstp *s, uint8_t attribute, uint32_t status, enum cause cause,
		       const char *detail, usec_t now)
{
	settle(s, cause, detail);
	send_status(s, SSTP_CALL_ABORT, attribute, status);
	sstp_enter(s, SSTP_STATE_ABORT_PENDING, now + ABORT_TIME_1);
	sstp_raise(s, SSTP_EVENT_STOPPING);
}

void sstp_violation(struct sstp *s, uint8_t attribute, enum sstp_status status, enum cause cause, usec_t now,
		    const char *detail_format, ...)
{
	char detail[sizeof(s->failure.detail)];
	va_list ap;

	va_start(ap, detail_format);
	(void)vsnprintf(detail, sizeof(detail), detail_format, ap);
	va_end(ap);
	abort_call(s, attribute, status, cause, detail, now);
}

void sstp_unaccepted(struct sstp *s, unsigned type, usec_t now)
{
	sstp_violation(s, SSTP_STATUS_INFO, SSTP_STATUS_UNACCEPTED_FRAME_RECEIVED, CAUSE_SSTP_PROTOCOL, now,
		       "unexpected %s in state %s", sstp_message_name(type), sstp_state_name(s));
}

void sstp_disconnect(struct sstp *s, const struct failure *failure, usec_t now)
{
	enum cause cause = failure ? failure->cause : CAUSE_NONE;
	const char *detail = failure ? failure->detail : "";

	if (s->state == SSTP_STATE_IDLE) {
		end_silently(s, cause, detail);
	} else if (is_open(s)) {
		settle(s, cause, detail);
		send_status(s, SSTP_CALL_DISCONNECT, SSTP_ATTRIBUTE_NONE, SSTP_STATUS_NO_ERROR);
		s->disconnecting = true;
		sstp_enter(s, SSTP_STATE_DISCONNECT_PENDING, now + DISCONNECT_TIME_1);
		sstp_raise(s, SSTP_EVENT_STOPPING);
	}
}

/* There is no answer to a crypto binding but what the server does next. */
static bool binding_is_in_doubt(const struct sstp *s, usec_t now)
{
	return s->config.role == SSTP_CLIENT && !s->binding_accepted &&
	       now - s->connected_at < BINDING_ANSWER_TIME;
}

void sstp_binding_accepted(struct sstp *s)
{
	s->binding_accepted = true;
}

void sstp_transport_lost(struct sstp *s, usec_t now)
{
	const char *detail = "";

	switch (s->state) {
	case SSTP_STATE_IDLE:
		detail = "before the SSTP call was started";
		break;
	case SSTP_STATE_REQUEST_SENT:
		if (s->nak_text[0]) { /* there is no need to wait for our next request */
			end_silently(s, CAUSE_SSTP_NAK, s->nak_text);
			return;
		}
		detail = s->config.role == SSTP_CLIENT ? "while waiting for CALL_CONNECT_ACK"
						       : "while waiting for CALL_CONNECT_REQUEST";
		break;
	case SSTP_STATE_ACK_RECEIVED:
		detail = "during PPP negotiation or authentication";
		break;
	case SSTP_STATE_CONNECTED:
		detail = binding_is_in_doubt(s, now)
				 ? "right after CALL_CONNECTED; the crypto binding may have been refused"
				 : "without a goodbye";
		break;
	case SSTP_STATE_ABORT_PENDING:
	case SSTP_STATE_ABORT_TIMEOUT:
	case SSTP_STATE_DISCONNECT_PENDING:
	case SSTP_STATE_DISCONNECT_TIMEOUT:
		break; /* many servers just close: a normal end, the failure is settled */
	case SSTP_STATE_ENDED:
		return;
	}
	end_silently(s, CAUSE_CONNECTION_LOST, detail);
}

/* When the peer's goodbye came, for people. */
static const char *moment(const struct sstp *s, unsigned type, usec_t now)
{
	if (s->state == SSTP_STATE_REQUEST_SENT)
		return "in answer to CALL_CONNECT_REQUEST";
	if (s->state == SSTP_STATE_ACK_RECEIVED)
		return "during PPP negotiation or authentication";
	if (binding_is_in_doubt(s, now))
		return type == SSTP_CALL_ABORT
			       ? "right after CALL_CONNECTED, so the crypto binding was probably refused"
			       : "right after CALL_CONNECTED";
	return "in the running session";
}

static void settle_goodbye(struct sstp *s, const struct sstp_message *m, enum cause cause, usec_t now)
{
	char detail[sizeof(s->failure.detail)];
	const char *when = moment(s, m->type, now);
	uint32_t status;
	uint8_t attribute;

	if (!sstp_message_status(m, &status, &attribute))
		(void)snprintf(detail, sizeof(detail), "%s without a status, %s", sstp_message_name(m->type),
			       when);
	else if (status == SSTP_STATUS_NO_ERROR)
		(void)snprintf(detail, sizeof(detail), "%s, %s", sstp_message_name(m->type), when);
	else
		(void)snprintf(detail, sizeof(detail), "%s with status %u %s, attribute %s, %s",
			       sstp_message_name(m->type), status, sstp_status_name(status),
			       sstp_attribute_name(attribute), when);
	settle(s, cause, detail);
}

/* [MS-SSTP] 3.2.5.3.4, 3.3.5.2.4. Obeyed whatever its attributes look like. */
static void receive_abort(struct sstp *s, const struct sstp_message *m, usec_t now)
{
	if (is_open(s) || s->state == SSTP_STATE_DISCONNECT_PENDING) {
		settle_goodbye(s, m, CAUSE_SSTP_ABORTED, now);
		send_plain(s, SSTP_CALL_ABORT); /* we have nothing to complain about */
		sstp_enter(s, SSTP_STATE_ABORT_TIMEOUT, now + ABORT_TIME_2);
		sstp_raise(s, SSTP_EVENT_STOPPING);
	} else if (s->state == SSTP_STATE_ABORT_PENDING) {
		sstp_enter(s, SSTP_STATE_ABORT_TIMEOUT, now + ABORT_TIME_2);
	}
}

/* [MS-SSTP] 3.2.5.3.5, 3.3.5.2.5 */
static void receive_disconnect(struct sstp *s, const struct sstp_message *m, usec_t now)
{
	if (!is_open(s) && s->state != SSTP_STATE_DISCONNECT_PENDING)
		return;
	/* Before the call is up this is a server that does not want us, not the end of a session. */
	bool early = s->config.role == SSTP_CLIENT && s->state < SSTP_STATE_CONNECTED;
	settle_goodbye(s, m, early ? CAUSE_SSTP_ABORTED : CAUSE_PEER_DISCONNECT, now);
	send_plain(s, SSTP_CALL_DISCONNECT_ACK);
	sstp_enter(s, SSTP_STATE_DISCONNECT_TIMEOUT, now + DISCONNECT_TIME_2);
	sstp_raise(s, SSTP_EVENT_STOPPING);
}

/* --- receiving --- */

static void receive_echo(struct sstp *s, const struct sstp_message *m, usec_t now)
{
	/* sorz/sstp-server probes from the moment of the TCP connection, also before CALL_CONNECTED. */
	bool early = s->state == SSTP_STATE_ACK_RECEIVED && s->config.role == SSTP_CLIENT &&
		     !s->config.strict_echo && m->type == SSTP_ECHO_REQUEST;

	if (s->state != SSTP_STATE_CONNECTED && !early)
		sstp_unaccepted(s, m->type, now);
	else if (m->type == SSTP_ECHO_REQUEST)
		send_echo(s, SSTP_ECHO_RESPONSE);
}

/* The syntax of a message, [MS-SSTP] 3.2.5.3.1. A NAK counts as one however broken it is. */
static bool is_valid(const struct sstp_message *m)
{
	switch ((enum sstp_message_type)m->type) {
	case SSTP_CALL_CONNECT_NAK:
		return true;
	case SSTP_CALL_CONNECT_REQUEST:
	case SSTP_CALL_CONNECT_ACK:
	case SSTP_CALL_CONNECTED:
	case SSTP_CALL_ABORT:
	case SSTP_CALL_DISCONNECT:
		return m->well_formed;
	case SSTP_CALL_DISCONNECT_ACK:
	case SSTP_ECHO_REQUEST:
	case SSTP_ECHO_RESPONSE:
		return m->well_formed && wire_left(&m->attributes) == 0;
	}
	return false;
}

static void receive_control(struct sstp *s, const uint8_t *packet, size_t len, usec_t now)
{
	struct sstp_message m = sstp_message_read(packet, len);

	if (m.type == SSTP_CALL_ABORT) {
		receive_abort(s, &m, now);
	} else if (m.type == SSTP_CALL_DISCONNECT) {
		receive_disconnect(s, &m, now);
	} else if (m.type == SSTP_CALL_DISCONNECT_ACK &&
		   (s->state == SSTP_STATE_DISCONNECT_PENDING ||
		    (s->state == SSTP_STATE_DISCONNECT_TIMEOUT && s->disconnecting))) {
		end(s); /* goodbyes that crossed are both acknowledged: there is nothing to wait for */
	} else if (!is_open(s)) {
		return; /* [MS-SSTP] ignores all else while closing */
	} else if (!is_valid(&m)) {
		sstp_violation(s, SSTP_STATUS_INFO, SSTP_STATUS_INVALID_FRAME_RECEIVED, CAUSE_SSTP_PROTOCOL,
			       now, "malformed control packet: type %u (%s), %zu bytes", m.type,
			       sstp_message_name(m.type), len);
	} else if (m.type == SSTP_ECHO_REQUEST || m.type == SSTP_ECHO_RESPONSE) {
		receive_echo(s, &m, now);
	} else {
		switch (s->config.role) {
		case SSTP_CLIENT:
			sstp_client_message(s, &m, now);
			break;
		case SSTP_SERVER:
			sstp_server_message(s, &m, packet, len, now);
			break;
		}
	}
}

/* LCP, authentication and NCPs, by any of the four forms of the PPP header (protocol.md 3.1). */
static bool is_ppp_control(const uint8_t *frame, size_t len)
{
	if (len >= 2 && frame[0] == 0xff && frame[1] == 0x03) {
		frame += 2;
		len -= 2;
	}
	/* A protocol number's first byte is even and its last one odd; control protocols start at 0x8000. */
	return len >= 2 && (frame[0] & 0x81) == 0x80 && (frame[1] & 1);
}

/* The bytes at hand cannot begin a packet. */
static void lose_borders(struct sstp *s, const uint8_t *data, size_t len)
{
	bool web = s->config.role == SSTP_CLIENT && s->state == SSTP_STATE_REQUEST_SENT;
	char text[9], detail[128];
	size_t n = MIN(len, sizeof(text) - 1);

	printable(text, sizeof(text), data, n);
	(void)snprintf(detail, sizeof(detail), "%s: %02x%02x%02x%02x, \"%s\"",
		       web ? "what follows the HTTP answer is no SSTP packet" : "no SSTP packet", data[0],
		       n > 1 ? data[1] : 0, n > 2 ? data[2] : 0, n > 3 ? data[3] : 0, text);
	end_silently(s, web ? CAUSE_HTTP_NOT_SSTP : CAUSE_SSTP_PROTOCOL, detail);
}

ssize_t sstp_input(struct sstp *s, const uint8_t *data, size_t len, usec_t now, struct sstp_input *ret)
{
	*ret = (struct sstp_input){};
	if (s->state == SSTP_STATE_ENDED)
		return (ssize_t)len; /* nobody listens any more */
	if (len == 0)
		return 0;
	if (data[0] != SSTP_VERSION) {
		lose_borders(s, data, len);
		return -EBADMSG;
	}
	if (len < SSTP_HEADER_LEN)
		return 0;

	size_t packet_len = ((size_t)data[2] << 8 | data[3]) & SSTP_PACKET_MAX;
	if (packet_len < SSTP_HEADER_LEN) {
		lose_borders(s, data, len);
		return -EBADMSG;
	}
	if (len < packet_len)
		return 0;

	if (s->state == SSTP_STATE_CONNECTED)
		touch(s, now);
	if (data[1] & 1) {
		receive_control(s, data, packet_len, now);
		return (ssize_t)packet_len;
	}

	const uint8_t *frame = data + SSTP_HEADER_LEN;
	size_t frame_len = packet_len - SSTP_HEADER_LEN;
	if (frame_len > 0 && (s->state == SSTP_STATE_CONNECTED ||
			      (s->state == SSTP_STATE_ACK_RECEIVED && is_ppp_control(frame, frame_len))))
		*ret = (struct sstp_input){ .frame = frame, .frame_len = frame_len };
	return (ssize_t)packet_len;
}

void sstp_data_received(struct sstp *s, usec_t now)
{
	if (s->state == SSTP_STATE_CONNECTED)
		touch(s, now);
}

/* --- timers --- */

usec_t sstp_deadline(const struct sstp *s)
{
	return s->deadline;
}

static void negotiation_timeout(struct sstp *s, usec_t now)
{
	const char *missing = "no successful authentication";

	if (s->state == SSTP_STATE_REQUEST_SENT)
		missing = s->config.role == SSTP_CLIENT ? "no CALL_CONNECT_ACK" : "no CALL_CONNECT_REQUEST";
	else if (s->config.role == SSTP_SERVER && s->have_hlak)
		missing = "no CALL_CONNECTED";
	sstp_violation(s, SSTP_STATUS_INFO, SSTP_STATUS_NEGOTIATION_TIMEOUT, CAUSE_SSTP_TIMEOUT, now,
		       "%s within %u s", missing, (unsigned)(s->config.negotiation_time / USEC_PER_SEC));
}

static void hello_timeout(struct sstp *s, usec_t now)
{
	char detail[80];

	if (s->probing) {
		(void)snprintf(detail, sizeof(detail),
			       "nothing received for %u s, not even an answer to ECHO_REQUEST",
			       (unsigned)(2 * s->config.hello_interval / USEC_PER_SEC));
		end_silently(s, CAUSE_PEER_SILENT, detail);
		return;
	}
	send_echo(s, SSTP_ECHO_REQUEST);
	s->probing = true;
	s->deadline = now + s->config.hello_interval;
}

void sstp_timeout(struct sstp *s, usec_t now)
{
	if (now < s->deadline)
		return;
	switch (s->state) {
	case SSTP_STATE_REQUEST_SENT:
	case SSTP_STATE_ACK_RECEIVED:
		negotiation_timeout(s, now);
		break;
	case SSTP_STATE_CONNECTED:
		hello_timeout(s, now);
		break;
	case SSTP_STATE_ABORT_PENDING:
	case SSTP_STATE_ABORT_TIMEOUT:
	case SSTP_STATE_DISCONNECT_PENDING:
	case SSTP_STATE_DISCONNECT_TIMEOUT:
		end(s);
		break;
	case SSTP_STATE_IDLE:
	case SSTP_STATE_ENDED:
		break;
	}
}
