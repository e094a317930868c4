/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "crypto/binding.h"

#include "call.h"

static const uint8_t zero_hlak[SSTP_HLAK_LEN];

/* --- CALL_CONNECT_REQUEST --- */

static void an_ack_offers_what_is_configured(void)
{
	static const uint8_t offers[] = { SSTP_HASH_SHA1, SSTP_HASH_SHA256, SSTP_HASH_SHA1 | SSTP_HASH_SHA256,
					  0, 0xff };

	for (size_t i = 0; i < ARRAY_SIZE(offers); i++) {
		struct sstp_config config = call_config(SSTP_SERVER);
		struct call c;

		config.hashes = offers[i];
		call_open(&c, &config);
		check_int(c.out_len, 0);
		CALL_FEED(&c, pkt_request);
		check_int(c.events, EVENT(LOWER_UP));
		check_int(c.out_len, 48);
		check_int(c.out[15], offers[i] > 0 && offers[i] < 3 ? offers[i] : 3);
		check_mem(c.out, 15, "\x10\x01\x00\x30\x00\x02\x00\x01\x00\x04\x00\x28\x00\x00\x00", 15);
		check_mem(c.out + 16, 32, call_nonce, 32);
	}
}

/* The request's attributes → the Status Infos of the NAK, [MS-SSTP] 3.3.5.2.2. */
static void a_nak_names_each_refused_attribute(void)
{
	/* clang-format off */
	static const struct {
		const char *name;
		const char *attributes; size_t len; unsigned count;
		const char *infos; size_t infos_len; unsigned infos_count;
	} rows[] = {
#define BYTES(s) s, sizeof(s) - 1
		{ "another protocol", BYTES("\0\1\0\6\0\2"), 1, BYTES("\0\2\0\x0e\0\0\0\1\0\0\0\4\0\2"), 1 },
		{ "nothing", BYTES(""), 0, BYTES("\0\2\0\x0c\0\0\0\1\0\0\0\x0a"), 1 },
		{ "short value", BYTES("\0\1\0\5\0"), 1, BYTES("\0\2\0\x0d\0\0\0\1\0\0\0\3\0"), 1 },
		{ "twice", BYTES("\0\1\0\6\0\1\0\1\0\6\0\1"), 2, BYTES("\0\2\0\x0e\0\0\0\1\0\0\0\1\0\1"), 1 },
		{ "unknown", BYTES("\0\1\0\6\0\1\0\x55\0\6xy"), 2, BYTES("\0\2\0\x0c\0\0\0\x55\0\0\0\2"), 1 },
		{ "unknown alone", BYTES("\0\x55\0\4"), 1,
		  BYTES("\0\2\0\x0c\0\0\0\x55\0\0\0\2\0\2\0\x0c\0\0\0\1\0\0\0\x0a"), 2 },
		{ "a status", BYTES("\0\1\0\6\0\1\0\2\0\x0c\0\0\0\1\0\0\0\4"), 2,
		  BYTES("\0\2\0\x14\0\0\0\2\0\0\0\x0b\0\0\0\1\0\0\0\4"), 1 },
#undef BYTES
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sstp_config config = call_config(SSTP_SERVER);
		uint8_t packet[64], expected[128];
		struct wire_writer w = wire_writer(packet, sizeof(packet));
		struct wire_writer e = wire_writer(expected, sizeof(expected));
		struct call c;

		size_t start = sstp_message_begin(&w, SSTP_CALL_CONNECT_REQUEST);
		wire_put(&w, rows[i].attributes, rows[i].len);
		sstp_message_end(&w, start, (uint16_t)rows[i].count);
		start = sstp_message_begin(&e, SSTP_CALL_CONNECT_NAK);
		wire_put(&e, rows[i].infos, rows[i].infos_len);
		sstp_message_end(&e, start, (uint16_t)rows[i].infos_count);

		call_open(&c, &config);
		check_int(call_feed(&c, packet, w.len, NULL), w.len);
		check_mem(c.out, c.out_len, expected, e.len);
		check_int(c.events, 0);
		/* A better request is still welcome. */
		CALL_FEED(&c, pkt_request);
		check_int(c.events, EVENT(LOWER_UP));
	}
}

static void a_status_info_without_error_is_no_reason_to_refuse(void)
{
	static const uint8_t packet[] = { 0x10, 1, 0, 26, 0,  1, 0, 2, 0, 1, 0, 6, 0,
					  1,	0, 2, 0,  12, 0, 0, 0, 0, 0, 0, 0, 0 };
	struct sstp_config config = call_config(SSTP_SERVER);
	struct call c;

	call_open(&c, &config);
	CALL_FEED(&c, packet);
	check_int(c.events, EVENT(LOWER_UP));
}

static void a_thousand_bad_attributes_get_a_short_answer(void)
{
	static uint8_t packet[SSTP_PACKET_MAX];
	struct sstp_config config = call_config(SSTP_SERVER);
	struct wire_writer w = wire_writer(packet, sizeof(packet));
	uint16_t count = 0;
	struct call c;

	size_t start = sstp_message_begin(&w, SSTP_CALL_CONNECT_REQUEST);
	while (w.len + 6 <= sizeof(packet)) {
		wire_put(&w, "\0\1\0\6\0\2", 6);
		count++;
	}
	sstp_message_end(&w, start, count);
	call_open(&c, &config);
	check_int(call_feed(&c, packet, w.len, NULL), w.len);
	struct sstp_message m = sstp_message_read(c.out, c.out_len);
	check_int(m.type, SSTP_CALL_CONNECT_NAK);
	check(m.well_formed);
	check(c.out_len < 200);
}

static void the_fourth_bad_request_ends_the_call(void)
{
	static const uint8_t bad[] = { 0x10, 1, 0, 14, 0, 1, 0, 1, 0, 1, 0, 6, 0, 2 };
	struct sstp_config config = call_config(SSTP_SERVER);
	uint8_t flood[5 * sizeof(bad)];
	struct call c;

	call_open(&c, &config);
	usec_t deadline = sstp_deadline(&c.s);
	for (int i = 0; i < 3; i++) {
		c.now += USEC_PER_SEC;
		CALL_FEED(&c, bad);
		check_int(c.out[5], SSTP_CALL_CONNECT_NAK);
	}
	check_int(sstp_deadline(&c.s), deadline); /* the minute is not prolonged */
	CALL_FEED(&c, bad);
	check_mem(c.out, c.out_len,
		  "\x10\x01\x00\x14\x00\x05\x00\x01\x00\x02\x00\x0c\x00\x00\x00\x02\x00\x00\x00\x06", 20);
	check_str(c.failure.detail, "CALL_CONNECT_REQUEST refused 4 times: VALUE_NOT_SUPPORTED (4)");

	/* In one go, without our answers being fetched: 3 NAKs and the ABORT. */
	for (size_t i = 0; i < 5; i++)
		memcpy(flood + i * sizeof(bad), bad, sizeof(bad));
	call_open(&c, &config);
	CALL_FEED(&c, flood);
	check_int(c.out_len, 3 * 22 + 20);
}

/* --- CALL_CONNECTED --- */

static void open_for(struct call *c, struct sstp_config *config, int hash, const struct vector_bytes *nonce)
{
	*config = call_config(SSTP_SERVER);
	config->hashes = (uint8_t)hash;
	config->random.ctx = (void *)nonce->data;
	call_open(c, config);
	CALL_FEED(c, pkt_request);
}

static void bindings_are_accepted_before_and_after_authentication(void)
{
	for (size_t i = 0; i < 2 * ARRAY_SIZE(vectors_binding_chosen); i++) {
		const struct vector_binding_chosen *v = &vectors_binding_chosen[i / 2];
		struct sstp_config config;
		struct call c;

		open_for(&c, &config, v->hash_protocol, &v->nonce);
		check_mem(c.out, c.out_len, v->connect_ack.data, v->connect_ack.len);
		if (i % 2) {
			sstp_authenticated(&c.s, v->hlak.data, c.now);
			call_drain(&c);
			check_int(c.events, 0);
			call_feed(&c, v->call_connected.data, v->call_connected.len, NULL);
		} else {
			/* The client saw the end of authentication first: accel-ppp and we defer. */
			call_feed(&c, v->call_connected.data, v->call_connected.len, NULL);
			check_int(c.events, 0);
			check_int(sstp_state(&c.s), SSTP_STATE_ACK_RECEIVED);
			CALL_FEED(&c, pkt_ip);
			sstp_authenticated(&c.s, v->hlak.data, c.now);
			call_drain(&c);
		}
		check_int(c.events, EVENT(CONNECTED));
		check_int(c.out_len, 0);
		check_int(sstp_hash(&c.s), v->hash_protocol);
		check(sstp_is_connected(&c.s));
	}
}

static void published_bindings_are_accepted(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors_binding_published); i++) {
		const struct vector_binding_published *v = &vectors_binding_published[i];
		struct sstp_config config = call_config(SSTP_SERVER);
		struct call c;

		config.random.ctx = (void *)v->nonce.data;
		memcpy(v->hash_protocol == 1 ? config.cert_sha1 : config.cert_sha256, v->cert_hash.data,
		       v->cert_hash.len);
		call_open(&c, &config);
		CALL_FEED(&c, pkt_request);
		sstp_authenticated(&c.s, v->hlak.data, c.now);
		call_feed(&c, v->call_connected.data, v->call_connected.len, NULL);
		check_int(c.events, EVENT(CONNECTED));
	}
}

/* Refused with status 4 for the Crypto Binding, [MS-SSTP] 3.3.5.2.3. */
static void check_refused(struct call *c, const char *detail)
{
	check_mem(c->out, c->out_len,
		  "\x10\x01\x00\x14\x00\x05\x00\x01\x00\x02\x00\x0c\x00\x00\x00\x03\x00\x00\x00\x04", 20);
	check_int(sstp_state(&c->s), SSTP_STATE_ABORT_PENDING);
	check_int(c->events, EVENT(STOPPING));
	if (detail)
		check_str(c->failure.detail, detail);
}

static void the_listed_bindings_are_refused(void)
{
	const struct vector_binding_chosen *good = &vectors_binding_chosen[0];
	static const char *const details[] = { "crypto binding refused: wrong compound MAC",
					       "crypto binding refused: wrong nonce" };

	check_int(ARRAY_SIZE(vectors_server_must_refuse), ARRAY_SIZE(details));
	for (size_t i = 0; i < 2 * ARRAY_SIZE(vectors_server_must_refuse); i++) {
		const struct vector_server_must_refuse *v = &vectors_server_must_refuse[i / 2];
		struct sstp_config config;
		struct call c;

		open_for(&c, &config, good->hash_protocol, &good->nonce);
		if (i % 2)
			sstp_authenticated(&c.s, good->hlak.data, c.now);
		call_feed(&c, v->call_connected.data, v->call_connected.len, NULL);
		if (i % 2 == 0) {
			sstp_authenticated(&c.s, good->hlak.data, c.now);
			call_drain(&c);
		}
		check_refused(&c, details[i / 2]);
	}
}

static void every_flipped_bit_is_refused(void)
{
	for (size_t i = 0; i < 2; i++) { /* SHA-256 and SHA-1, paddings included */
		const struct vector_binding_chosen *v = &vectors_binding_chosen[i];

		for (size_t bit = 12 * 8; bit < 112 * 8; bit++) {
			uint8_t packet[112];
			struct sstp_config config;
			struct call c;

			memcpy(packet, v->call_connected.data, sizeof(packet));
			packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
			open_for(&c, &config, v->hash_protocol, &v->nonce);
			sstp_authenticated(&c.s, v->hlak.data, c.now);
			call_feed(&c, packet, sizeof(packet), NULL);
			check_refused(&c, NULL);
		}
	}
}

static void another_key_certificate_or_hash_is_refused(void)
{
	const struct vector_binding_chosen *v = &vectors_binding_chosen[0];
	struct sstp_config config;
	struct call c;

	open_for(&c, &config, v->hash_protocol, &v->nonce);
	sstp_authenticated(&c.s, zero_hlak, c.now);
	call_feed(&c, v->call_connected.data, v->call_connected.len, NULL);
	check_refused(&c, "crypto binding refused: wrong compound MAC");

	config = call_config(SSTP_SERVER);
	config.cert_sha256[31] ^= 1;
	call_open(&c, &config);
	CALL_FEED(&c, pkt_request);
	sstp_authenticated(&c.s, v->hlak.data, c.now);
	call_feed(&c, v->call_connected.data, v->call_connected.len, NULL);
	check_refused(&c, "crypto binding refused: wrong certificate hash");

	open_for(&c, &config, SSTP_HASH_SHA1, &v->nonce); /* SHA-256 was not offered */
	sstp_authenticated(&c.s, v->hlak.data, c.now);
	call_feed(&c, v->call_connected.data, v->call_connected.len, NULL);
	check_refused(&c, "crypto binding refused: wrong hash protocol");
}

/* Both bits at once are no hash protocol, even with the MAC that would fit. */
static void a_binding_names_one_hash(void)
{
	struct sstp_config config = call_config(SSTP_SERVER);
	uint8_t packet[SSTP_CALL_CONNECTED_LEN];
	struct call c;

	memcpy(packet, call_connected_packet().data, sizeof(packet));
	packet[15] = SSTP_HASH_SHA1 | SSTP_HASH_SHA256;
	binding_mac(HASH_SHA256, packet + 80, zero_hlak, packet);
	call_open(&c, &config);
	CALL_FEED(&c, pkt_request);
	sstp_authenticated(&c.s, zero_hlak, c.now);
	CALL_FEED(&c, packet);
	check_refused(&c, "crypto binding refused: wrong hash protocol");
}

/* The key is not kept any longer than it is needed. */
static void the_key_is_wiped(void)
{
	const struct vector_binding_chosen *v = &vectors_binding_chosen[0];

	for (int way = 0; way < 2; way++) {
		struct sstp_config config;
		struct call c;

		open_for(&c, &config, v->hash_protocol, &v->nonce);
		sstp_authenticated(&c.s, v->hlak.data, c.now);
		check(memmem(&c.s, sizeof(c.s), v->hlak.data, v->hlak.len));
		if (way == 0)
			call_feed(&c, v->call_connected.data, v->call_connected.len, NULL);
		else
			sstp_transport_lost(&c.s, c.now);
		check(!memmem(&c.s, sizeof(c.s), v->hlak.data, v->hlak.len));
	}
}

static void a_test_server_can_ignore_the_binding(void)
{
	const struct vector_bytes bad = vectors_server_must_refuse[0].call_connected;
	struct sstp_config config = call_config(SSTP_SERVER);
	struct call c;

	config.ignore_binding = true;
	call_open(&c, &config);
	CALL_FEED(&c, pkt_request);
	sstp_authenticated(&c.s, zero_hlak, c.now);
	call_feed(&c, bad.data, bad.len, NULL);
	check_int(c.events, EVENT(CONNECTED));
}

static void a_call_connected_of_wrong_shape_gets_status_9(void)
{
	static const char *const rows[][2] = {
		{ "no attribute", "\x10\x01\x00\x08\x00\x04\x00\x00" },
		{ "wrong length", "\x10\x01\x00\x0c\x00\x04\x00\x01\x00\x03\x00\x04" },
		{ "wrong attribute", "\x10\x01\x00\x0c\x00\x04\x00\x01\x00\x04\x00\x04" },
	};
	struct sstp_config config = call_config(SSTP_SERVER);
	uint8_t two[112 + 12];

	for (size_t i = 0; i <= ARRAY_SIZE(rows); i++) {
		const uint8_t *packet = i < ARRAY_SIZE(rows) ? (const uint8_t *)rows[i][1] : two;
		struct call c;

		/* The right binding, and a Status Info behind it. */
		memcpy(two, vectors_binding_chosen[0].call_connected.data, 112);
		memcpy(two + 112, "\x00\x02\x00\x0c\x00\x00\x00\x03\x00\x00\x00\x04", 12);
		two[3] = sizeof(two);
		two[7] = 2;
		call_open(&c, &config);
		CALL_FEED(&c, pkt_request);
		call_feed(&c, packet, packet[3], NULL);
		check_mem(c.out, c.out_len,
			  "\x10\x01\x00\x14\x00\x05\x00\x01\x00\x02\x00\x0c\x00\x00\x00\x02\x00\x00\x00\x09",
			  20);
	}
}

static void a_second_call_connected_is_unaccepted(void)
{
	const struct vector_bytes v = call_connected_packet();
	struct sstp_config config = call_config(SSTP_SERVER);
	struct call c;

	call_open(&c, &config);
	CALL_FEED(&c, pkt_request);
	call_feed(&c, v.data, v.len, NULL);
	check_int(c.out_len, 0);
	call_feed(&c, v.data, v.len, NULL); /* while the first one is deferred */
	check_int(c.out[19], SSTP_STATUS_UNACCEPTED_FRAME_RECEIVED);
	/* Too late now. */
	sstp_authenticated(&c.s, zero_hlak, c.now);
	call_drain(&c);
	check_int(c.events, 0);
}

/* Authentication cannot be reported twice with another key. */
static void the_first_key_counts(void)
{
	const struct vector_binding_chosen *v = &vectors_binding_chosen[0];
	struct sstp_config config;
	struct call c;

	open_for(&c, &config, v->hash_protocol, &v->nonce);
	sstp_authenticated(&c.s, v->hlak.data, c.now);
	sstp_authenticated(&c.s, zero_hlak, c.now);
	call_feed(&c, v->call_connected.data, v->call_connected.len, NULL);
	check_int(c.events, EVENT(CONNECTED));
}

/* --- data and timers --- */

static void no_data_passes_before_the_binding_is_verified(void)
{
	const struct vector_bytes v = call_connected_packet();
	struct sstp_config config = call_config(SSTP_SERVER);
	struct sstp_input input;
	struct call c;

	call_open(&c, &config);
	CALL_FEED(&c, pkt_request);
	call_feed(&c, v.data, v.len, NULL); /* deferred */
	call_feed(&c, pkt_ip, sizeof(pkt_ip), &input);
	check(!input.frame);
	call_feed(&c, pkt_lcp, sizeof(pkt_lcp), &input);
	check(input.frame);
	sstp_authenticated(&c.s, zero_hlak, c.now);
	call_feed(&c, pkt_ip, sizeof(pkt_ip), &input);
	check(input.frame);
}

static void a_slow_client_is_aborted(void)
{
	const struct vector_bytes v = call_connected_packet();
	static const char *const details[] = { "no CALL_CONNECT_REQUEST within 60 s",
					       "no successful authentication within 60 s",
					       "no CALL_CONNECTED within 60 s",
					       "no successful authentication within 60 s" };
	struct sstp_config config = call_config(SSTP_SERVER);

	for (int stage = 0; stage < 4; stage++) {
		struct call c;

		call_open(&c, &config);
		if (stage > 0) {
			c.now += 30 * USEC_PER_SEC;
			CALL_FEED(&c, pkt_request);
		}
		if (stage == 2)
			sstp_authenticated(&c.s, zero_hlak, c.now);
		if (stage == 3) /* deferred for ever */
			call_feed(&c, v.data, v.len, NULL);
		check_int(sstp_deadline(&c.s), c.now + 60 * USEC_PER_SEC);
		c.now = sstp_deadline(&c.s);
		sstp_timeout(&c.s, c.now);
		call_drain(&c);
		check_int(c.out[5], SSTP_CALL_ABORT);
		check_int(c.out[19], SSTP_STATUS_NEGOTIATION_TIMEOUT);
		check_int(c.failure.cause, CAUSE_SSTP_TIMEOUT);
		check_str(c.failure.detail, details[stage]);
		c.now = sstp_deadline(&c.s);
		sstp_timeout(&c.s, c.now);
		call_drain(&c);
		check_int(c.events, EVENT(ENDED));
	}
}

int main(void)
{
	return run_tests((struct test[]){ TEST(an_ack_offers_what_is_configured),
					  TEST(a_nak_names_each_refused_attribute),
					  TEST(a_status_info_without_error_is_no_reason_to_refuse),
					  TEST(a_thousand_bad_attributes_get_a_short_answer),
					  TEST(the_fourth_bad_request_ends_the_call),
					  TEST(bindings_are_accepted_before_and_after_authentication),
					  TEST(published_bindings_are_accepted),
					  TEST(the_listed_bindings_are_refused),
					  TEST(every_flipped_bit_is_refused),
					  TEST(another_key_certificate_or_hash_is_refused),
					  TEST(a_binding_names_one_hash),
					  TEST(the_key_is_wiped),
					  TEST(a_test_server_can_ignore_the_binding),
					  TEST(a_call_connected_of_wrong_shape_gets_status_9),
					  TEST(a_second_call_connected_is_unaccepted),
					  TEST(the_first_key_counts),
					  TEST(no_data_passes_before_the_binding_is_verified),
					  TEST(a_slow_client_is_aborted),
					  {} });
}
