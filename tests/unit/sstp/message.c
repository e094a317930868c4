/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/sstp/message.h"

#include "base/macro.h"
#include "test.h"
#include "vectors.h"

/* Writes the message that a vector is named after. */
static size_t write_named(const char *name, uint8_t *out, size_t size)
{
	static const struct {
		const char *name;
		enum sstp_message_type type;
		int attribute; /* of the Status Info; -1: no attribute at all */
		uint32_t status;
		uint16_t value; /* 0: none */
	} rows[] = {
		{ "call_connect_nak_proto_not_supported", SSTP_CALL_CONNECT_NAK, 1, 4, 1 },
		{ "call_connect_nak_required_attribute_missing", SSTP_CALL_CONNECT_NAK, 1, 10, 0 },
		{ "call_abort_no_attr", SSTP_CALL_ABORT, -1, 0, 0 },
		{ "call_disconnect", SSTP_CALL_DISCONNECT, 0, 0, 0 },
		{ "call_disconnect_no_attr", SSTP_CALL_DISCONNECT, -1, 0, 0 },
		{ "call_disconnect_ack", SSTP_CALL_DISCONNECT_ACK, -1, 0, 0 },
		{ "echo_request", SSTP_ECHO_REQUEST, -1, 0, 0 },
		{ "echo_response", SSTP_ECHO_RESPONSE, -1, 0, 0 },
		{ "call_abort_value_not_supported", SSTP_CALL_ABORT, SSTP_CRYPTO_BINDING_REQUEST,
		  SSTP_STATUS_VALUE_NOT_SUPPORTED, 0 },
		{ "call_abort_unaccepted_frame", SSTP_CALL_ABORT, 2, SSTP_STATUS_UNACCEPTED_FRAME_RECEIVED,
		  0 },
		{ "call_abort_retry_count_exceeded", SSTP_CALL_ABORT, 2, SSTP_STATUS_RETRY_COUNT_EXCEEDED,
		  0 },
		{ "call_abort_invalid_frame", SSTP_CALL_ABORT, 2, SSTP_STATUS_INVALID_FRAME_RECEIVED, 0 },
		{ "call_abort_negotiation_timeout", SSTP_CALL_ABORT, 2, SSTP_STATUS_NEGOTIATION_TIMEOUT, 0 },
		{ "call_abort_attrib_not_supported_in_msg", SSTP_CALL_ABORT, 2,
		  SSTP_STATUS_ATTRIB_NOT_SUPPORTED_IN_MSG, 0 },
	};
	struct wire_writer w = wire_writer(out, size);

	if (strcmp(name, "call_connect_request") == 0) {
		size_t start = sstp_message_begin(&w, SSTP_CALL_CONNECT_REQUEST);

		sstp_put_protocol_id(&w, SSTP_PROTOCOL_PPP);
		sstp_message_end(&w, start, 1);
		return w.len;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(name, rows[i].name) != 0)
			continue;
		const uint8_t value[2] = { (uint8_t)(rows[i].value >> 8), (uint8_t)rows[i].value };
		size_t start = sstp_message_begin(&w, rows[i].type);
		bool has = rows[i].attribute >= 0;

		if (has)
			sstp_put_status_info(&w, (uint8_t)rows[i].attribute, rows[i].status, value,
					     rows[i].value ? sizeof(value) : 0);
		sstp_message_end(&w, start, has ? 1 : 0);
		return w.len;
	}
	return 0;
}

static void messages_have_the_published_bytes(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors_sstp_message); i++) {
		const struct vector_sstp_message *v = &vectors_sstp_message[i];
		uint8_t out[64];

		check_mem(out, write_named(v->name, out, sizeof(out)), v->value.data, v->value.len);
		check(sstp_message_read(v->value.data, v->value.len).well_formed);
	}
}

static void a_message_is_well_formed_only_if_its_attributes_fill_it(void)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool well_formed;
	} rows[] = {
		{ "\x10\x01\x00\x08\x00\x08\x00\x00", 8, true },
		{ "\x10\x01\x00\x08\x00\x08\x00\x01", 8, false },		   /* one missing */
		{ "\x10\x01\x00\x0c\x00\x08\x00\x00\x00\x02\x00\x04", 12, false }, /* one too many */
		{ "\x10\x01\x00\x0c\x00\x08\x00\x01\x00\x02\x00\x04", 12, true },  /* empty value */
		{ "\x10\x01\x00\x0c\x00\x08\x00\x01\xff\x02\xf0\x04", 12, true },  /* reserved bits */
		{ "\x10\x01\x00\x0c\x00\x08\x00\x01\x00\x02\x00\x03", 12, false }, /* shorter than a header */
		{ "\x10\x01\x00\x0c\x00\x08\x00\x01\x00\x02\x00\x05", 12, false }, /* beyond the end */
		{ "\x10\x01\x00\x0d\x00\x08\x00\x01\x00\x02\x00\x04\x00", 13, false }, /* a stray byte */
		{ "\x10\x01\x00\x07\x00\x08\x00", 7, false },
		{ "\x10\x01\x00\x04", 4, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sstp_message m = sstp_message_read((const uint8_t *)rows[i].bytes, rows[i].len);

		check_int(m.type, rows[i].len >= 6 ? 8 : 0);
		check_int(m.well_formed, rows[i].well_formed);
	}
}

/* The goodbyes of real servers: accel-ppp, SoftEther, sorz/sstp-server. */
static void a_status_is_found_however_a_server_cuts_it(void)
{
	static const struct {
		const char *bytes;
		size_t len;
		int status, attribute;
	} rows[] = {
		{ "\x10\x01\x00\x14\x00\x05\x00\x01\x00\x02\x00\x0c\x00\x00\x00\x02\x00\x00\x00\x07", 20, 7,
		  2 },
		{ "\x10\x01\x00\x08\x00\x05\x00\x00", 8, -1, -1 },
		{ "\x10\x01\x00\x10\x00\x05\x00\x01\x00\x02\x00\x08\x00\x00\x00\x07", 16, 7, 0 },
		{ "\x10\x01\x00\x10\x00\x06\x00\x01\x00\x00\x00\x08\x00\x00\x00\x00", 16, -1, -1 },
		{ "\x10\x01\x00\x16\x00\x03\x00\x01\x00\x02\x00\x0c\x00\x00\x00\x01\x00\x00\x00\x04\x00\x00",
		  22, 4, 1 },
		{ "\x10\x01\x00\x0c\x00\x05\x00\x01\x00\x02\x0f\xff", 12, -1, -1 },
		{ "\x10\x01\x00\x0e\x00\x05\x00\x01\x00\x02\x00\x06\x00\x00", 14, -1, -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sstp_message m = sstp_message_read((const uint8_t *)rows[i].bytes, rows[i].len);
		uint32_t status = 99;
		uint8_t attribute = 99;

		check_int(sstp_message_status(&m, &status, &attribute), rows[i].status >= 0);
		check_int(status, rows[i].status >= 0 ? rows[i].status : 99);
		check_int(attribute, rows[i].status >= 0 ? rows[i].attribute : 99);
	}
}

static void a_refused_value_is_cut_to_64_bytes(void)
{
	uint8_t value[100] = { 1 }, out[128];
	struct wire_writer w = wire_writer(out, sizeof(out));

	sstp_put_status_info(&w, 1, 4, value, sizeof(value));
	check_int(w.len, 12 + 64);
	check_int(out[3], 12 + 64);
}

static void numbers_have_names(void)
{
	check_str(sstp_message_name(SSTP_CALL_CONNECT_ACK), "CALL_CONNECT_ACK");
	check_str(sstp_message_name(0), "unknown");
	check_str(sstp_message_name(10), "unknown");
	check_str(sstp_attribute_name(SSTP_CRYPTO_BINDING), "CRYPTO_BINDING");
	check_str(sstp_attribute_name(5), "unknown");
	check_str(sstp_status_name(0), "NO_ERROR");
	check_str(sstp_status_name(4), "VALUE_NOT_SUPPORTED");
	check_str(sstp_status_name(11), "STATUS_INFO_NOT_SUPPORTED_IN_MSG");
	check_str(sstp_status_name(12), "unknown");
	check_str(sstp_status_name(UINT32_MAX), "unknown");
}

int main(void)
{
	return run_tests((struct test[]){ TEST(messages_have_the_published_bytes),
					  TEST(a_message_is_well_formed_only_if_its_attributes_fill_it),
					  TEST(a_status_is_found_however_a_server_cuts_it),
					  TEST(a_refused_value_is_cut_to_64_bytes),
					  TEST(numbers_have_names),
					  {} });
}
