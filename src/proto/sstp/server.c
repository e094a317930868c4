/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server's half of the automaton, [MS-SSTP] 3.3. */
#include <string.h>

#include "base/secret.h"
#include "proto/sstp/engine.h"

#define NAK_ATTRIBUTES_MAX 8 /* refused attributes that one NAK names; a hostile request has a thousand */

/* Offsets in CALL_CONNECTED, [MS-SSTP] 2.2.11. */
#define AT_HASH	     15
#define AT_NONCE     16
#define AT_CERT_HASH 48
#define AT_MAC	     80

void sstp_server_start(struct sstp *s, usec_t now)
{
	sstp_enter(s, SSTP_STATE_REQUEST_SENT, sstp_negotiation_deadline(s, now));
}

static void send_ack(struct sstp *s, usec_t now)
{
	random_fill(&s->config.random, s->nonce, sizeof(s->nonce));

	struct wire_writer w = sstp_queue_begin(s);
	size_t start = sstp_message_begin(&w, SSTP_CALL_CONNECT_ACK);
	sstp_put_binding_request(&w, s->config.hashes, s->nonce);
	sstp_message_end(&w, start, 1);
	sstp_queue_end(s, &w);
	sstp_enter(s, SSTP_STATE_ACK_RECEIVED, sstp_negotiation_deadline(s, now));
	sstp_raise(s, SSTP_EVENT_LOWER_UP);
}

/* What is wrong with an attribute of CALL_CONNECT_REQUEST; SSTP_STATUS_NO_ERROR if nothing is. */
static enum sstp_status judge(const struct sstp_attribute *a, bool seen)
{
	struct wire_reader r = wire_reader(a->value, a->len);

	switch (a->id) {
	case SSTP_ENCAPSULATED_PROTOCOL_ID:
		if (seen)
			return SSTP_STATUS_DUPLICATE_ATTRIBUTE;
		if (a->len != SSTP_PROTOCOL_ID_LEN)
			return SSTP_STATUS_INVALID_ATTRIB_VALUE_LENGTH;
		return wire_u16(&r) == SSTP_PROTOCOL_PPP ? SSTP_STATUS_NO_ERROR
							 : SSTP_STATUS_VALUE_NOT_SUPPORTED;
	case SSTP_STATUS_INFO:
		wire_skip(&r, 4);
		if (wire_u32(&r) != SSTP_STATUS_NO_ERROR)
			return SSTP_STATUS_STATUS_INFO_NOT_SUPPORTED_IN_MSG;
		return r.error ? SSTP_STATUS_INVALID_ATTRIB_VALUE_LENGTH : SSTP_STATUS_NO_ERROR;
	default:
		return SSTP_STATUS_UNRECOGNIZED_ATTRIBUTE;
	}
}

/* [MS-SSTP] 3.3.5.2.2: PPP is acknowledged, everything else is refused attribute by attribute. */
static void receive_request(struct sstp *s, const struct sstp_message *m, usec_t now)
{
	struct wire_reader attributes = m->attributes;
	struct sstp_attribute a;
	enum sstp_status first = SSTP_STATUS_NO_ERROR;
	bool have_protocol = false;
	uint16_t refused = 0;

	struct wire_writer nak = sstp_queue_begin(s);
	size_t start = sstp_message_begin(&nak, SSTP_CALL_CONNECT_NAK);
	while (refused < NAK_ATTRIBUTES_MAX && sstp_attribute_next(&attributes, &a)) {
		enum sstp_status status = judge(&a, have_protocol);
		bool understood = status != SSTP_STATUS_UNRECOGNIZED_ATTRIBUTE;

		have_protocol |= a.id == SSTP_ENCAPSULATED_PROTOCOL_ID;
		if (status == SSTP_STATUS_NO_ERROR)
			continue;
		/* A value that is not understood is not repeated, [MS-SSTP] 2.2.8. */
		sstp_put_status_info(&nak, a.id, status, a.value, understood ? a.len : 0);
		first = refused++ == 0 ? status : first;
	}
	if (!have_protocol && refused < NAK_ATTRIBUTES_MAX) {
		sstp_put_status_info(&nak, SSTP_ENCAPSULATED_PROTOCOL_ID,
				     SSTP_STATUS_REQUIRED_ATTRIBUTE_MISSING, NULL, 0);
		first = refused++ == 0 ? SSTP_STATUS_REQUIRED_ATTRIBUTE_MISSING : first;
	}
	if (refused == 0) {
		send_ack(s, now);
		return;
	}
	if (s->naks++ >= SSTP_RETRY_MAX) {
		sstp_violation(s, SSTP_STATUS_INFO, SSTP_STATUS_RETRY_COUNT_EXCEEDED, CAUSE_SSTP_PROTOCOL,
			       now, "CALL_CONNECT_REQUEST refused %u times: %s (%u)", s->naks,
			       sstp_status_name(first), first);
		return;
	}
	sstp_message_end(&nak, start, refused);
	sstp_queue_end(s, &nak);
}

static bool is_one_hash(uint8_t hash)
{
	return hash == SSTP_HASH_SHA1 || hash == SSTP_HASH_SHA256;
}

/* What differs in a CALL_CONNECTED from what we expect; NULL if nothing does. */
static const char *check_binding(const struct sstp *s, const uint8_t *packet)
{
	uint8_t hash = packet[AT_HASH], cert_hash[32], mac[32];

	if (!is_one_hash(hash) || !(hash & s->config.hashes))
		return "hash protocol";
	if (!equal_constant_time(packet + AT_NONCE, s->nonce, sizeof(s->nonce)))
		return "nonce";
	sstp_cert_hash(s, hash, cert_hash);
	if (!equal_constant_time(packet + AT_CERT_HASH, cert_hash, sizeof(cert_hash)))
		return "certificate hash";
	sstp_compound_mac(hash, mac, s->hlak, packet);
	bool equal = equal_constant_time(packet + AT_MAC, mac, sizeof(mac));
	wipe(mac, sizeof(mac));
	return equal ? NULL : "compound MAC";
}

/* Both the key and the CALL_CONNECTED are here. */
static void verify(struct sstp *s, usec_t now)
{
	const char *wrong = s->config.ignore_binding ? NULL : check_binding(s, s->binding);

	wipe(s->hlak, sizeof(s->hlak));
	if (wrong) {
		sstp_violation(s, SSTP_CRYPTO_BINDING, SSTP_STATUS_VALUE_NOT_SUPPORTED, CAUSE_SSTP_PROTOCOL,
			       now, "crypto binding refused: wrong %s", wrong);
		return;
	}
	s->hash = is_one_hash(s->binding[AT_HASH]) ? s->binding[AT_HASH] : 0;
	sstp_enter_connected(s, now);
}

/* [MS-SSTP] 3.3.5.2.3 */
static void receive_connected(struct sstp *s, const struct sstp_message *m, const uint8_t *packet, size_t len,
			      usec_t now)
{
	struct wire_reader attributes = m->attributes;
	struct sstp_attribute a;

	if (s->have_binding) {
		sstp_unaccepted(s, m->type, now);
		return;
	}
	bool alone = sstp_attribute_next(&attributes, &a) && wire_left(&attributes) == 0;
	if (!alone || a.id != SSTP_CRYPTO_BINDING || a.len != SSTP_BINDING_LEN) {
		sstp_violation(s, SSTP_STATUS_INFO, SSTP_STATUS_ATTRIB_NOT_SUPPORTED_IN_MSG,
			       CAUSE_SSTP_PROTOCOL, now,
			       "CALL_CONNECTED with something else than one crypto binding");
		return;
	}
	memcpy(s->binding, packet, MIN(len, sizeof(s->binding))); /* the two lengths are equal now */
	s->have_binding = true;
	/* The client may have seen the end of authentication before our own side reported it. */
	if (s->have_hlak)
		verify(s, now);
}

void sstp_server_message(struct sstp *s, const struct sstp_message *m, const uint8_t *packet, size_t len,
			 usec_t now)
{
	if (s->state == SSTP_STATE_REQUEST_SENT && m->type == SSTP_CALL_CONNECT_REQUEST)
		receive_request(s, m, now);
	else if (s->state == SSTP_STATE_ACK_RECEIVED && m->type == SSTP_CALL_CONNECTED)
		receive_connected(s, m, packet, len, now);
	else
		sstp_unaccepted(s, m->type, now);
}

void sstp_server_authenticated(struct sstp *s, const uint8_t hlak[static SSTP_HLAK_LEN], usec_t now)
{
	if (s->have_hlak)
		return;
	memcpy(s->hlak, hlak, sizeof(s->hlak));
	s->have_hlak = true;
	if (s->have_binding)
		verify(s, now);
}
