/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client's half of the automaton, [MS-SSTP] 3.2. */
#include <stdio.h>
#include <string.h>

#include "proto/sstp/engine.h"

static void send_request(struct sstp *s, usec_t now)
{
	struct wire_writer w = sstp_queue_begin(s);
	size_t start = sstp_message_begin(&w, SSTP_CALL_CONNECT_REQUEST);

	sstp_put_protocol_id(&w, SSTP_PROTOCOL_PPP);
	sstp_message_end(&w, start, 1);
	sstp_queue_end(s, &w);
	sstp_enter(s, SSTP_STATE_REQUEST_SENT, sstp_negotiation_deadline(s, now));
}

void sstp_client_start(struct sstp *s, usec_t now)
{
	send_request(s, now);
}

/* [MS-SSTP] 3.2.5.3.2 */
static void receive_ack(struct sstp *s, const struct sstp_message *m, usec_t now)
{
	struct wire_reader attributes = m->attributes;
	struct sstp_attribute a;
	const uint8_t *value = NULL;

	while (sstp_attribute_next(&attributes, &a)) {
		if (a.id != SSTP_CRYPTO_BINDING_REQUEST) {
			sstp_violation(s, SSTP_STATUS_INFO, SSTP_STATUS_ATTRIB_NOT_SUPPORTED_IN_MSG,
				       CAUSE_SSTP_PROTOCOL, now, "CALL_CONNECT_ACK with attribute %u (%s)",
				       a.id, sstp_attribute_name(a.id));
			return;
		}
		if (value || a.len != SSTP_BINDING_REQUEST_LEN) {
			sstp_violation(s, SSTP_STATUS_INFO, SSTP_STATUS_INVALID_FRAME_RECEIVED,
				       CAUSE_SSTP_PROTOCOL, now, "CALL_CONNECT_ACK with %s",
				       value ? "two crypto binding requests"
					     : "a crypto binding request of wrong length");
			return;
		}
		value = a.value;
	}
	if (!value) {
		sstp_violation(s, SSTP_STATUS_INFO, SSTP_STATUS_ATTRIB_NOT_SUPPORTED_IN_MSG,
			       CAUSE_SSTP_PROTOCOL, now, "CALL_CONNECT_ACK without crypto binding request");
		return;
	}

	uint8_t offered = value[3], usable = offered & s->config.hashes; /* 3 reserved bytes before it */
	if (usable == 0) {
		sstp_violation(s, SSTP_CRYPTO_BINDING_REQUEST, SSTP_STATUS_VALUE_NOT_SUPPORTED,
			       CAUSE_SSTP_BINDING_UNSUPPORTED, now,
			       "the server offers hash bits 0x%02x, we accept 0x%02x (1 SHA-1, 2 SHA-256)%s",
			       offered, s->config.hashes,
			       offered == 0 ? "; a server that does not know its certificate offers none"
					    : "");
		return;
	}
	s->hash = usable & SSTP_HASH_SHA256 ? SSTP_HASH_SHA256 : SSTP_HASH_SHA1;
	memcpy(s->nonce, value + 4, sizeof(s->nonce));
	sstp_enter(s, SSTP_STATE_ACK_RECEIVED, sstp_negotiation_deadline(s, now));
	sstp_raise(s, SSTP_EVENT_LOWER_UP);
}

static void note_nak(struct sstp *s, const struct sstp_message *m)
{
	const char *times = s->naks == 1 ? "time" : "times";
	uint32_t status;
	uint8_t attribute;

	if (sstp_message_status(m, &status, &attribute))
		(void)snprintf(s->nak_text, sizeof(s->nak_text),
			       "CALL_CONNECT_NAK, %u %s: %s (%u), attribute %s", s->naks, times,
			       sstp_status_name(status), status, sstp_attribute_name(attribute));
	else
		(void)snprintf(s->nak_text, sizeof(s->nak_text), "CALL_CONNECT_NAK, %u %s, without a status",
			       s->naks, times);
}

/* [MS-SSTP] 3.2.5.3.3. Whatever the NAK says, our only request is the one that it refuses: the content
 * matters to people alone, and real servers get it wrong. */
static void receive_nak(struct sstp *s, const struct sstp_message *m, usec_t now)
{
	s->naks++;
	note_nak(s, m);
	if (s->naks <= SSTP_RETRY_MAX)
		send_request(s, now);
	else
		sstp_violation(s, SSTP_STATUS_INFO, SSTP_STATUS_RETRY_COUNT_EXCEEDED, CAUSE_SSTP_NAK, now,
			       "%s", s->nak_text);
}

void sstp_client_message(struct sstp *s, const struct sstp_message *m, usec_t now)
{
	if (s->state != SSTP_STATE_REQUEST_SENT)
		sstp_unaccepted(s, m->type, now);
	else if (m->type == SSTP_CALL_CONNECT_ACK)
		receive_ack(s, m, now);
	else if (m->type == SSTP_CALL_CONNECT_NAK)
		receive_nak(s, m, now);
	else
		sstp_unaccepted(s, m->type, now);
}

/* [MS-SSTP] 3.2.7.1: the crypto binding, at once after authentication and before any NCP. */
void sstp_client_authenticated(struct sstp *s, const uint8_t hlak[static SSTP_HLAK_LEN], usec_t now)
{
	uint8_t cert_hash[32];

	sstp_cert_hash(s, s->hash, cert_hash);

	struct wire_writer w = sstp_queue_begin(s);
	size_t start = sstp_message_begin(&w, SSTP_CALL_CONNECTED);
	sstp_put_binding(&w, s->hash, s->nonce, cert_hash);
	sstp_message_end(&w, start, 1);
	if (!w.error) {
		uint8_t *packet = w.data + start, mac[32];

		sstp_compound_mac(s->hash, mac, hlak, packet);
		memcpy(packet + SSTP_CALL_CONNECTED_LEN - sizeof(mac), mac, sizeof(mac));
	}
	sstp_queue_end(s, &w);
	sstp_enter_connected(s, now);
}
