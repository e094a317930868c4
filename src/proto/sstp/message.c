/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/sstp/message.h"

#include "base/macro.h"

#define LENGTH_MASK 0x0fff /* the upper four bits are reserved */
#define MAC_LEN	    32

static const char *const message_names[] = {
	[SSTP_CALL_CONNECT_REQUEST] = "CALL_CONNECT_REQUEST",
	[SSTP_CALL_CONNECT_ACK] = "CALL_CONNECT_ACK",
	[SSTP_CALL_CONNECT_NAK] = "CALL_CONNECT_NAK",
	[SSTP_CALL_CONNECTED] = "CALL_CONNECTED",
	[SSTP_CALL_ABORT] = "CALL_ABORT",
	[SSTP_CALL_DISCONNECT] = "CALL_DISCONNECT",
	[SSTP_CALL_DISCONNECT_ACK] = "CALL_DISCONNECT_ACK",
	[SSTP_ECHO_REQUEST] = "ECHO_REQUEST",
	[SSTP_ECHO_RESPONSE] = "ECHO_RESPONSE",
};

static const char *const attribute_names[] = {
	[SSTP_ATTRIBUTE_NONE] = "none",
	[SSTP_ENCAPSULATED_PROTOCOL_ID] = "ENCAPSULATED_PROTOCOL_ID",
	[SSTP_STATUS_INFO] = "STATUS_INFO",
	[SSTP_CRYPTO_BINDING] = "CRYPTO_BINDING",
	[SSTP_CRYPTO_BINDING_REQUEST] = "CRYPTO_BINDING_REQ",
};

static const char *const status_names[] = {
	[SSTP_STATUS_NO_ERROR] = "NO_ERROR",
	[SSTP_STATUS_DUPLICATE_ATTRIBUTE] = "DUPLICATE_ATTRIBUTE",
	[SSTP_STATUS_UNRECOGNIZED_ATTRIBUTE] = "UNRECOGNIZED_ATTRIBUTE",
	[SSTP_STATUS_INVALID_ATTRIB_VALUE_LENGTH] = "INVALID_ATTRIB_VALUE_LENGTH",
	[SSTP_STATUS_VALUE_NOT_SUPPORTED] = "VALUE_NOT_SUPPORTED",
	[SSTP_STATUS_UNACCEPTED_FRAME_RECEIVED] = "UNACCEPTED_FRAME_RECEIVED",
	[SSTP_STATUS_RETRY_COUNT_EXCEEDED] = "RETRY_COUNT_EXCEEDED",
	[SSTP_STATUS_INVALID_FRAME_RECEIVED] = "INVALID_FRAME_RECEIVED",
	[SSTP_STATUS_NEGOTIATION_TIMEOUT] = "NEGOTIATION_TIMEOUT",
	[SSTP_STATUS_ATTRIB_NOT_SUPPORTED_IN_MSG] = "ATTRIB_NOT_SUPPORTED_IN_MSG",
	[SSTP_STATUS_REQUIRED_ATTRIBUTE_MISSING] = "REQUIRED_ATTRIBUTE_MISSING",
	[SSTP_STATUS_STATUS_INFO_NOT_SUPPORTED_IN_MSG] = "STATUS_INFO_NOT_SUPPORTED_IN_MSG",
};

static const char *name_of(const char *const *names, size_t count, uint32_t number)
{
	return number < count && names[number] ? names[number] : "unknown";
}

const char *sstp_message_name(unsigned type)
{
	return name_of(message_names, ARRAY_SIZE(message_names), type);
}

const char *sstp_attribute_name(unsigned id)
{
	return name_of(attribute_names, ARRAY_SIZE(attribute_names), id);
}

const char *sstp_status_name(uint32_t status)
{
	return name_of(status_names, ARRAY_SIZE(status_names), status);
}

bool sstp_attribute_next(struct wire_reader *attributes, struct sstp_attribute *ret)
{
	if (wire_left(attributes) == 0)
		return false;

	wire_skip(attributes, 1); /* reserved */
	uint8_t id = wire_u8(attributes);
	size_t len = wire_u16(attributes) & LENGTH_MASK;
	if (len < 4) {
		if (!attributes->error)
			attributes->error = -EBADMSG;
		return false;
	}
	const uint8_t *value = wire_bytes(attributes, len - 4);
	if (!value)
		return false;
	*ret = (struct sstp_attribute){ .id = id, .value = value, .len = len - 4 };
	return true;
}

struct sstp_message sstp_message_read(const uint8_t *packet, size_t len)
{
	struct wire_reader r = wire_reader(packet, len);
	struct sstp_message m = {};
	struct sstp_attribute a;

	wire_skip(&r, 4);
	m.type = wire_u16(&r);
	uint16_t count = wire_u16(&r);
	m.attributes = r;
	while (count > 0 && sstp_attribute_next(&r, &a))
		count--;
	m.well_formed = wire_finish(&r) == 0 && count == 0;
	return m;
}

bool sstp_message_status(const struct sstp_message *m, uint32_t *ret_status, uint8_t *ret_attribute)
{
	struct wire_reader attributes = m->attributes;
	struct sstp_attribute a;

	while (sstp_attribute_next(&attributes, &a)) {
		struct wire_reader r = wire_reader(a.value, a.len);
		uint32_t first = wire_u32(&r), status = wire_u32(&r);

		if (a.id != SSTP_STATUS_INFO || a.len < 4)
			continue;
		if (a.len < SSTP_STATUS_INFO_MIN) { /* sorz/sstp-server: only the status itself */
			*ret_attribute = SSTP_ATTRIBUTE_NONE;
			*ret_status = first;
		} else {
			*ret_attribute = (uint8_t)first;
			*ret_status = status;
		}
		return true;
	}
	return false;
}

size_t sstp_message_begin(struct wire_writer *w, enum sstp_message_type type)
{
	size_t start = w->len;

	wire_put(w, (uint8_t[]){ SSTP_VERSION, 1, 0, 0 }, 4);
	wire_put_u16(w, (uint16_t)type);
	wire_put_u16(w, 0);
	return start;
}

void sstp_message_end(struct wire_writer *w, size_t start, uint16_t attributes)
{
	wire_patch_u16(w, start + 2, (uint16_t)(w->len - start));
	wire_patch_u16(w, start + 6, attributes);
}

static void put_attribute(struct wire_writer *w, enum sstp_attribute_id id, size_t value_len)
{
	wire_put_u8(w, 0);
	wire_put_u8(w, (uint8_t)id);
	wire_put_u16(w, (uint16_t)(value_len + 4));
}

void sstp_put_protocol_id(struct wire_writer *w, uint16_t protocol)
{
	put_attribute(w, SSTP_ENCAPSULATED_PROTOCOL_ID, SSTP_PROTOCOL_ID_LEN);
	wire_put_u16(w, protocol);
}

void sstp_put_status_info(struct wire_writer *w, uint8_t attribute, uint32_t status, const uint8_t *value,
			  size_t len)
{
	len = MIN(len, SSTP_STATUS_VALUE_MAX);
	put_attribute(w, SSTP_STATUS_INFO, SSTP_STATUS_INFO_MIN + len);
	wire_put_u32(w, attribute);
	wire_put_u32(w, status);
	wire_put(w, value, len);
}

void sstp_put_binding_request(struct wire_writer *w, uint8_t hashes, const uint8_t nonce[static 32])
{
	put_attribute(w, SSTP_CRYPTO_BINDING_REQUEST, SSTP_BINDING_REQUEST_LEN);
	wire_put_u32(w, hashes);
	wire_put(w, nonce, 32);
}

void sstp_put_binding(struct wire_writer *w, uint8_t hash, const uint8_t nonce[static 32],
		      const uint8_t cert_hash[static 32])
{
	put_attribute(w, SSTP_CRYPTO_BINDING, SSTP_BINDING_LEN);
	wire_put_u32(w, hash);
	wire_put(w, nonce, 32);
	wire_put(w, cert_hash, 32);
	wire_put_zero(w, MAC_LEN);
}
