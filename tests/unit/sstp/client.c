/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "call.h"

/* --- crypto binding --- */

/* A client that gets this ACK, and this key from PPP, must send exactly this CALL_CONNECTED. */
static void check_connected(struct vector_bytes ack, struct vector_bytes hlak, uint8_t hashes, int hash,
			    struct vector_bytes connected)
{
	struct sstp_config config = { .role = SSTP_CLIENT, .hashes = hashes };
	struct call c;

	memcpy(config.cert_sha1, connected.data + 48, sizeof(config.cert_sha1));
	memcpy(config.cert_sha256, connected.data + 48, sizeof(config.cert_sha256));
	call_open(&c, &config);
	check_mem(c.out, c.out_len, pkt_request, sizeof(pkt_request));
	check_int(call_feed(&c, ack.data, ack.len, NULL), ack.len);
	check_int(c.events, EVENT(LOWER_UP));
	check_int(sstp_hash(&c.s), hash);
	check(!sstp_is_connected(&c.s));
	sstp_authenticated(&c.s, hlak.data, c.now);
	call_drain(&c);
	check_int(c.events, EVENT(CONNECTED));
	check(sstp_is_connected(&c.s));
	check_mem(c.out, c.out_len, connected.data, connected.len);
}

static void call_connected_has_the_published_bytes(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors_binding_published); i++) {
		const struct vector_binding_published *v = &vectors_binding_published[i];

		check_connected(v->connect_ack, v->hlak, 0, v->hash_protocol, v->call_connected);
	}
}

static void call_connected_has_the_chosen_bytes(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors_binding_chosen); i++) {
		const struct vector_binding_chosen *v = &vectors_binding_chosen[i];

		check_connected(v->connect_ack, v->hlak, 0, v->hash_protocol, v->call_connected);
	}
}

static void call_connected_is_what_real_servers_accepted(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors_server_accepted); i++) {
		const struct vector_server_accepted *v = &vectors_server_accepted[i];

		/* The servers offer both; one probe was told to use SHA-1 only. */
		check_connected(v->connect_ack, v->hlak, v->hash_protocol == 1 ? SSTP_HASH_SHA1 : 0,
				v->hash_protocol, v->connected);
	}
}

static void the_strongest_common_hash_is_chosen(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors_hash_choice); i++) {
		const struct vector_hash_choice *v = &vectors_hash_choice[i];
		struct sstp_config config = call_config(SSTP_CLIENT);
		unsigned mask = (unsigned)((v->name[0] <= '9' ? v->name[0] - '0' : v->name[0] - 'a' + 10)
						   << 4 |
					   (v->name[1] <= '9' ? v->name[1] - '0' : v->name[1] - 'a' + 10));
		struct call c;

		call_open(&c, &config);
		call_feed_ack(&c, (uint8_t)mask);
		if (strcmp(v->value, "abort") == 0) {
			check_int(sstp_state(&c.s), SSTP_STATE_ABORT_PENDING);
			check_int(c.failure.cause, CAUSE_SSTP_BINDING_UNSUPPORTED);
		} else {
			check_int(sstp_hash(&c.s), v->value[0] - '0');
			check_int(c.events, EVENT(LOWER_UP));
		}
	}
}

static void a_forbidden_hash_is_not_used(void)
{
	struct sstp_config config = call_config(SSTP_CLIENT);
	struct call c;

	config.hashes = SSTP_HASH_SHA256;
	call_open(&c, &config);
	call_feed_ack(&c, SSTP_HASH_SHA1);
	check_mem(c.out, c.out_len,
		  "\x10\x01\x00\x14\x00\x05\x00\x01\x00\x02\x00\x0c\x00\x00\x00\x04\x00\x00\x00\x04", 20);
	check_int(c.failure.cause, CAUSE_SSTP_BINDING_UNSUPPORTED);
	check_str(c.failure.detail, "the server offers hash bits 0x01, we accept 0x02 (1 SHA-1, 2 SHA-256)");
	config.hashes = SSTP_HASH_SHA1;
	call_open(&c, &config);
	call_feed_ack(&c, SSTP_HASH_SHA1 | SSTP_HASH_SHA256);
	check_int(sstp_hash(&c.s), SSTP_HASH_SHA1);
}

static void two_binding_requests_are_one_too_many(void)
{
	struct sstp_config config = call_config(SSTP_CLIENT);
	uint8_t packet[88];
	struct wire_writer w = wire_writer(packet, sizeof(packet));
	struct call c;

	size_t start = sstp_message_begin(&w, SSTP_CALL_CONNECT_ACK);
	sstp_put_binding_request(&w, SSTP_HASH_SHA256, call_nonce);
	sstp_put_binding_request(&w, SSTP_HASH_SHA256, call_nonce);
	sstp_message_end(&w, start, 2);
	call_open(&c, &config);
	CALL_FEED(&c, packet);
	check_int(c.out[19], SSTP_STATUS_INVALID_FRAME_RECEIVED);
	check_str(c.failure.detail, "CALL_CONNECT_ACK with two crypto binding requests");
}

/* --- malformed input --- */

static enum sstp_state state_of(const char *name)
{
	return strcmp(name, "request_sent") == 0   ? SSTP_STATE_REQUEST_SENT
	       : strcmp(name, "ack_received") == 0 ? SSTP_STATE_ACK_RECEIVED
	       : strcmp(name, "connected") == 0	   ? SSTP_STATE_CONNECTED
						   : SSTP_STATE_IDLE;
}

static bool sent_only(const struct call *c, unsigned type)
{
	return c->out_len >= 8 && (size_t)(c->out[2] << 8 | c->out[3]) == c->out_len && c->out[5] == type;
}

/* Data packets: whatever PPP makes of them, the call goes on and sends nothing. */
static bool is_data(const struct vector_malformed *v)
{
	return v->hex.len >= 4 && v->hex.data[0] == 0x10 && !(v->hex.data[1] & 1) &&
	       (size_t)((v->hex.data[2] & 0x0f) << 8 | v->hex.data[3]) >= 4;
}

static void check_data(const struct vector_malformed *v, struct call *c, enum sstp_state before)
{
	struct sstp_input input;

	check_int(call_feed(c, v->hex.data, v->hex.len, &input), v->hex.len);
	check_int(sstp_state(&c->s), before);
	check_int(c->out_len, 0);
	check_int(c->events, 0);
	if (before == SSTP_STATE_REQUEST_SENT)
		check(!input.frame);
	/* What is handed on lies within the packet. */
	if (input.frame)
		check(input.frame == v->hex.data + 4 && input.frame_len == v->hex.len - 4);
}

static void check_malformed(const struct vector_malformed *v)
{
	struct sstp_config config = call_config(SSTP_CLIENT);
	enum sstp_state before = state_of(v->state);
	const char *e = v->expect;
	struct call c;

	config.strict_echo = true; /* the list is the standard's view */
	call_bring(&c, &config, before);
	check_int(sstp_state(&c.s), before);
	if (is_data(v)) {
		check_data(v, &c, before);
		return;
	}
	ssize_t n = call_feed(&c, v->hex.data, v->hex.len, NULL);
	if (strcmp(e, "close_silently") == 0) {
		check_int(n, -EBADMSG);
		check_int(c.events, EVENT(ENDED));
		check_int(c.out_len, 0);
		check_int(c.failure.cause,
			  before == SSTP_STATE_REQUEST_SENT ? CAUSE_HTTP_NOT_SSTP : CAUSE_SSTP_PROTOCOL);
		return;
	}
	if (strcmp(e, "transport_lost") == 0) {
		check_int(n, 0);
		check_int(c.events, 0);
		sstp_transport_lost(&c.s, c.now);
		call_drain(&c);
		check_int(c.events, EVENT(ENDED));
		check_int(c.failure.cause, CAUSE_CONNECTION_LOST);
		check_int(c.out_len, 0);
		return;
	}
	check_int(n, v->hex.len); /* a whole packet */
	if (strncmp(e, "abort:", 6) == 0) {
		check(sent_only(&c, SSTP_CALL_ABORT));
		check_int(c.out_len, 20);
		check_int(c.out[19], e[6] - '0');
		check_int(sstp_state(&c.s), SSTP_STATE_ABORT_PENDING);
		check_int(c.events, EVENT(STOPPING));
		check(c.failure.cause != CAUSE_NONE && c.failure.detail[0]);
	} else if (strncmp(e, "accept", 6) == 0) {
		check_int(c.events, EVENT(LOWER_UP));
		check_int(sstp_hash(&c.s), strcmp(e, "accept_sha1") == 0 ? SSTP_HASH_SHA1 : SSTP_HASH_SHA256);
	} else if (strcmp(e, "resend_or_abort") == 0) {
		check_mem(c.out, c.out_len, pkt_request, sizeof(pkt_request));
		check_int(sstp_state(&c.s), SSTP_STATE_REQUEST_SENT);
	} else if (strcmp(e, "abort_reply_then_close") == 0) {
		check(sent_only(&c, SSTP_CALL_ABORT));
		check_int(sstp_state(&c.s), SSTP_STATE_ABORT_TIMEOUT);
	} else if (strcmp(e, "disconnect_ack_then_close") == 0) {
		check(sent_only(&c, SSTP_CALL_DISCONNECT_ACK));
		check_int(sstp_state(&c.s), SSTP_STATE_DISCONNECT_TIMEOUT);
	} else if (strcmp(e, "echo_response") == 0) {
		check(sent_only(&c, SSTP_ECHO_RESPONSE));
		check_int(sstp_state(&c.s), SSTP_STATE_CONNECTED);
	} else {
		printf("# no such reaction: %s\n", e);
		check(false);
	}
}

static void malformed_input_gets_the_named_reaction(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors_malformed); i++) {
		bool failed = test_failed;

		test_failed = false;
		check_malformed(&vectors_malformed[i]);
		if (test_failed)
			printf("# case \"%s\"\n", vectors_malformed[i].name);
		test_failed |= failed;
	}
}

/* --- framing --- */

static void the_largest_packet_is_handed_on_whole(void)
{
	static uint8_t packet[SSTP_PACKET_MAX + 1] = { 0x10, 0x00, 0xff, 0xff }; /* reserved bits set */
	struct sstp_config config = call_config(SSTP_CLIENT);
	struct sstp_input input;
	struct call c;

	call_bring(&c, &config, SSTP_STATE_CONNECTED);
	for (size_t len = 1; len < SSTP_PACKET_MAX; len += 97) {
		check_int(sstp_input(&c.s, packet, len, c.now, &input), 0);
		check(!input.frame);
	}
	check_int(sstp_input(&c.s, packet, sizeof(packet), c.now, &input), SSTP_PACKET_MAX);
	check(input.frame == packet + 4);
	check_int(input.frame_len, SSTP_PAYLOAD_MAX);
}

static void one_packet_is_taken_per_call(void)
{
	struct sstp_config config = call_config(SSTP_CLIENT);
	uint8_t bytes[sizeof(pkt_lcp) + sizeof(pkt_ip)];
	struct sstp_input input;
	struct call c;

	memcpy(bytes, pkt_lcp, sizeof(pkt_lcp));
	memcpy(bytes + sizeof(pkt_lcp), pkt_ip, sizeof(pkt_ip));
	call_bring(&c, &config, SSTP_STATE_CONNECTED);
	check_int(sstp_input(&c.s, bytes, sizeof(bytes), c.now, &input), sizeof(pkt_lcp));
	check(input.frame == bytes + 4);
	check_int(sstp_input(&c.s, bytes + sizeof(pkt_lcp), sizeof(pkt_ip), c.now, &input), sizeof(pkt_ip));
	check(input.frame == bytes + sizeof(pkt_lcp) + 4);
}

/* Before CALL_CONNECTED only what is surely a control protocol passes. */
static void odd_protocol_numbers_do_not_pass_early(void)
{
	static const uint8_t protocols[][2] = {
		{ 0x81, 0x23 }, { 0xc0, 0x20 }, { 0x40, 0x21 }, { 0xff, 0xff }
	};
	struct sstp_config config = call_config(SSTP_CLIENT);
	struct sstp_input input;
	struct call c;

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		uint8_t packet[] = { 0x10, 0, 0, 12, 0xff, 3, protocols[i][0], protocols[i][1], 1, 1, 0, 4 };

		call_bring(&c, &config, SSTP_STATE_ACK_RECEIVED);
		check_int(call_feed(&c, packet, sizeof(packet), &input), sizeof(packet));
		check(!input.frame);
		check_int(c.out_len, 0);
	}
}

/* After bytes that are no packet nothing is sent, not even what was waiting. */
static void a_silent_end_drops_the_queue(void)
{
	struct sstp_config config = call_config(SSTP_CLIENT);
	struct sstp_input input;
	struct call c;

	call_bring(&c, &config, SSTP_STATE_CONNECTED);
	check_int(sstp_input(&c.s, pkt_echo_request, sizeof(pkt_echo_request), c.now, &input), 8);
	check_int(sstp_input(&c.s, (const uint8_t *)"x", 1, c.now, &input), -EBADMSG);
	call_drain(&c);
	check_int(c.events, EVENT(ENDED));
	check_int(c.out_len, 0);
}

static void a_second_start_does_nothing(void)
{
	struct sstp_config config = call_config(SSTP_CLIENT);
	struct call c;

	call_bring(&c, &config, SSTP_STATE_ACK_RECEIVED);
	sstp_start(&c.s, c.now);
	call_drain(&c);
	check_int(c.out_len, 0);
	check_int(sstp_state(&c.s), SSTP_STATE_ACK_RECEIVED);
}

static void a_web_page_is_named_as_such(void)
{
	static const char page[] = "<html><body>It works!</body></html>";
	struct sstp_config config = call_config(SSTP_CLIENT);
	struct call c;

	call_open(&c, &config);
	check_int(call_feed(&c, page, sizeof(page), NULL), -EBADMSG);
	check_int(c.failure.cause, CAUSE_HTTP_NOT_SSTP);
	check_str(c.failure.detail, "what follows the HTTP answer is no SSTP packet: 3c68746d, \"<html><b\"");
}

/* --- NAK --- */

static void a_nak_is_retried_three_times(void)
{
	static const uint8_t nak_accel[] = { 0x10, 1, 0, 22, 0, 3, 0, 1, 0, 2, 0,
					     12,   0, 0, 0,  1, 0, 0, 0, 4, 0, 0 };
	struct sstp_config config = call_config(SSTP_CLIENT);
	struct call c;

	call_open(&c, &config);
	for (int i = 0; i < 3; i++) {
		c.now += 50 * USEC_PER_SEC;
		CALL_FEED(&c, nak_accel);
		check_mem(c.out, c.out_len, pkt_request, sizeof(pkt_request));
		check_int(sstp_deadline(&c.s), c.now + 60 * USEC_PER_SEC);
	}
	CALL_FEED(&c, nak_accel);
	check(sent_only(&c, SSTP_CALL_ABORT));
	check_int(c.out[19], SSTP_STATUS_RETRY_COUNT_EXCEEDED);
	check_int(c.failure.cause, CAUSE_SSTP_NAK);
	check_str(c.failure.detail,
		  "CALL_CONNECT_NAK, 4 times: VALUE_NOT_SUPPORTED (4), attribute ENCAPSULATED_PROTOCOL_ID");
}

/* --- timers --- */

static void timeouts_of_the_negotiation(void)
{
	struct sstp_config config = call_config(SSTP_CLIENT);
	struct call c;

	call_open(&c, &config);
	c.now += 60 * USEC_PER_SEC - 1;
	sstp_timeout(&c.s, c.now);
	call_drain(&c);
	check_int(c.out_len, 0);
	c.now++;
	sstp_timeout(&c.s, c.now);
	call_drain(&c);
	check_int(c.out[19], SSTP_STATUS_NEGOTIATION_TIMEOUT);
	check_int(c.failure.cause, CAUSE_SSTP_TIMEOUT);
	check_str(c.failure.detail, "no CALL_CONNECT_ACK within 60 s");

	/* The second minute starts with the ACK, and PPP packets do not prolong it. */
	call_open(&c, &config);
	c.now += 59 * USEC_PER_SEC;
	call_feed_ack(&c, SSTP_HASH_SHA256);
	c.now += 59 * USEC_PER_SEC;
	CALL_FEED(&c, pkt_lcp);
	check_int(sstp_deadline(&c.s), c.now + USEC_PER_SEC);
	c.now += USEC_PER_SEC;
	sstp_timeout(&c.s, c.now);
	call_drain(&c);
	check_str(c.failure.detail, "no successful authentication within 60 s");
	/* No answer to the ABORT: three seconds later it is over. */
	c.now += 3 * USEC_PER_SEC;
	sstp_timeout(&c.s, c.now);
	call_drain(&c);
	check_int(c.events, EVENT(ENDED));
	check_int(c.failure.cause, CAUSE_SSTP_TIMEOUT);
}

static void configured_times_are_kept(void)
{
	struct sstp_config config = call_config(SSTP_CLIENT);
	struct call c;

	config.negotiation_time = 7 * USEC_PER_SEC;
	config.hello_interval = 9 * USEC_PER_SEC;
	call_open(&c, &config);
	check_int(sstp_deadline(&c.s), c.now + 7 * USEC_PER_SEC);
	call_bring(&c, &config, SSTP_STATE_CONNECTED);
	check_int(sstp_deadline(&c.s), c.now + 9 * USEC_PER_SEC);
}

static void fire(struct call *c)
{
	c->now = sstp_deadline(&c->s);
	sstp_timeout(&c->s, c->now);
	call_drain(c);
}

static void a_silent_server_is_given_up_after_a_probe(void)
{
	struct sstp_config config = call_config(SSTP_CLIENT);
	struct call c;

	call_bring(&c, &config, SSTP_STATE_CONNECTED);
	usec_t start = c.now;
	fire(&c);
	check_int(c.now - start, 60 * USEC_PER_SEC);
	check_mem(c.out, c.out_len, pkt_echo_request, sizeof(pkt_echo_request));
	fire(&c);
	check_int(c.now - start, 120 * USEC_PER_SEC);
	check_int(c.out_len, 0); /* no ABORT */
	check_int(c.events, EVENT(ENDED));
	check_int(c.failure.cause, CAUSE_PEER_SILENT);
	check_str(c.failure.detail, "nothing received for 120 s, not even an answer to ECHO_REQUEST");
}

/* SoftEther never answers an ECHO_REQUEST: any packet that comes is life. */
static void any_packet_is_life(void)
{
	static const uint8_t empty[] = { 0x10, 0, 0, 4 };
	static const struct {
		const uint8_t *data;
		size_t len;
	} rows[] = {
		{ pkt_echo_response, sizeof(pkt_echo_response) },
		{ pkt_echo_request, sizeof(pkt_echo_request) },
		{ pkt_lcp, sizeof(pkt_lcp) },
		{ pkt_ip, sizeof(pkt_ip) },
		{ empty, sizeof(empty) },
		{ NULL, 0 }, /* taken by the packet path */
	};
	struct sstp_config config = call_config(SSTP_CLIENT);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct call c;

		call_bring(&c, &config, SSTP_STATE_CONNECTED);
		for (int round = 0; round < 5; round++) {
			fire(&c);
			check(sent_only(&c, SSTP_ECHO_REQUEST));
			c.now += 59 * USEC_PER_SEC;
			if (rows[i].data)
				call_feed(&c, rows[i].data, rows[i].len, NULL);
			else
				sstp_data_received(&c.s, c.now);
			check_int(sstp_deadline(&c.s), c.now + 60 * USEC_PER_SEC);
			check(sstp_is_connected(&c.s));
		}
	}
}

static void half_a_packet_is_no_life(void)
{
	struct sstp_config config = call_config(SSTP_CLIENT);
	struct sstp_input input;
	struct call c;

	call_bring(&c, &config, SSTP_STATE_CONNECTED);
	usec_t deadline = sstp_deadline(&c.s);
	c.now += USEC_PER_SEC;
	check_int(sstp_input(&c.s, pkt_lcp, sizeof(pkt_lcp) - 1, c.now, &input), 0);
	check_int(sstp_deadline(&c.s), deadline);
}

/* --- echo --- */

static void an_echo_flood_does_not_grow_the_queue(void)
{
	struct sstp_config config = call_config(SSTP_CLIENT);
	struct sstp_input input;
	struct call c;

	call_bring(&c, &config, SSTP_STATE_CONNECTED);
	for (int i = 0; i < 10000; i++)
		check_int(sstp_input(&c.s, pkt_echo_request, sizeof(pkt_echo_request), c.now, &input), 8);
	/* The goodbye still fits behind it. */
	sstp_disconnect(&c.s, NULL, c.now);
	call_drain(&c);
	check_int(c.out_len, 64 * 8 + 20);
	check_mem(c.out + 64 * 8, 20, pkt_disconnect, sizeof(pkt_disconnect));
}

static void output_comes_in_whole_packets(void)
{
	struct sstp_config config = call_config(SSTP_CLIENT);
	struct sstp_input input;
	uint8_t out[64];
	struct call c;

	call_bring(&c, &config, SSTP_STATE_CONNECTED);
	check_int(sstp_input(&c.s, pkt_echo_request, sizeof(pkt_echo_request), c.now, &input), 8);
	check_int(sstp_input(&c.s, pkt_echo_request, sizeof(pkt_echo_request), c.now, &input), 8);
	sstp_disconnect(&c.s, NULL, c.now);
	check_int(sstp_output(&c.s, out, 0), 0);
	check_int(sstp_output(&c.s, out, 7), 0);
	check_int(sstp_output(&c.s, out, 15), 8);
	check_mem(out, 8, pkt_echo_response, sizeof(pkt_echo_response));
	check_int(sstp_output(&c.s, out, 27), 8);
	check_int(sstp_output(&c.s, out, sizeof(out)), 20);
	check_mem(out, 20, pkt_disconnect, sizeof(pkt_disconnect));
	check_int(sstp_output(&c.s, out, sizeof(out)), 0);
}

/* --- the end, and its reasons --- */

static void a_stop_ends_without_failure_however_the_server_takes_it(void)
{
	struct sstp_config config = call_config(SSTP_CLIENT);
	struct call c;

	for (int way = 0; way < 5; way++) {
		call_bring(&c, &config, SSTP_STATE_CONNECTED);
		sstp_disconnect(&c.s, NULL, c.now);
		call_drain(&c);
		check_mem(c.out, c.out_len, pkt_disconnect, sizeof(pkt_disconnect));
		check_int(c.events, EVENT(STOPPING));
		check(!sstp_is_connected(&c.s));
		switch (way) {
		case 0:
			CALL_FEED(&c, pkt_disconnect_ack);
			break;
		case 1:
			sstp_transport_lost(&c.s, c.now);
			break;
		case 2:
			fire(&c); /* no answer for 5 s */
			break;
		case 3: /* both at once */
			CALL_FEED(&c, pkt_disconnect);
			check_mem(c.out, c.out_len, pkt_disconnect_ack, sizeof(pkt_disconnect_ack));
			fire(&c);
			break;
		case 4:
			CALL_FEED(&c, pkt_abort);
			check_mem(c.out, c.out_len, pkt_abort_plain, sizeof(pkt_abort_plain));
			fire(&c);
			break;
		}
		call_drain(&c);
		check_int(sstp_state(&c.s), SSTP_STATE_ENDED);
		check_int(c.failure.cause, CAUSE_NONE);
	}
}

static void a_reason_given_with_the_stop_is_reported(void)
{
	struct sstp_config config = call_config(SSTP_CLIENT);
	struct failure failure = {};
	struct call c;

	failure_set(&failure, CAUSE_AUTH_FAILED, "E=691");
	call_bring(&c, &config, SSTP_STATE_ACK_RECEIVED);
	sstp_disconnect(&c.s, &failure, c.now);
	/* What follows is the consequence, not the reason. */
	CALL_FEED(&c, pkt_abort);
	fire(&c);
	check_int(c.events, EVENT(ENDED));
	check_int(c.failure.cause, CAUSE_AUTH_FAILED);
	check_str(c.failure.detail, "E=691");
}

static void the_servers_goodbye_is_told_with_its_moment(void)
{
	static const uint8_t binding[] = { 0x10, 1, 0, 20, 0, 5, 0, 1, 0, 2, 0, 12, 0, 0, 0, 3, 0, 0, 0, 4 };
	static const uint8_t sorz[] = { 0x10, 1, 0, 16, 0, 5, 0, 1, 0, 2, 0, 8, 0, 0, 0, 7 };
	static const struct {
		enum sstp_state state;
		unsigned seconds; /* since the state was entered */
		const uint8_t *data;
		size_t len;
		enum cause cause;
		const char *detail;
	} rows[] = {
		{ SSTP_STATE_CONNECTED, 0, binding, sizeof(binding), CAUSE_SSTP_ABORTED,
		  "CALL_ABORT with status 4 VALUE_NOT_SUPPORTED, attribute CRYPTO_BINDING, right after "
		  "CALL_CONNECTED, so the crypto binding was probably refused" },
		{ SSTP_STATE_CONNECTED, 30, sorz, sizeof(sorz), CAUSE_SSTP_ABORTED,
		  "CALL_ABORT with status 7 INVALID_FRAME_RECEIVED, attribute none, in the running session" },
		{ SSTP_STATE_ACK_RECEIVED, 0, pkt_abort_plain, sizeof(pkt_abort_plain), CAUSE_SSTP_ABORTED,
		  "CALL_ABORT without a status, during PPP negotiation or authentication" },
		{ SSTP_STATE_CONNECTED, 0, pkt_disconnect, sizeof(pkt_disconnect), CAUSE_PEER_DISCONNECT,
		  "CALL_DISCONNECT, right after CALL_CONNECTED" },
		{ SSTP_STATE_REQUEST_SENT, 0, pkt_disconnect, sizeof(pkt_disconnect), CAUSE_SSTP_ABORTED,
		  "CALL_DISCONNECT, in answer to CALL_CONNECT_REQUEST" },
		{ SSTP_STATE_CONNECTED, 3600, pkt_disconnect, sizeof(pkt_disconnect), CAUSE_PEER_DISCONNECT,
		  "CALL_DISCONNECT, in the running session" },
	};
	struct sstp_config config = call_config(SSTP_CLIENT);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct call c;

		call_bring(&c, &config, rows[i].state);
		c.now += rows[i].seconds * USEC_PER_SEC;
		call_feed(&c, rows[i].data, rows[i].len, NULL);
		check_int(c.failure.cause, rows[i].cause);
		check_str(c.failure.detail, rows[i].detail);
		/* A close instead of more is normal now. */
		sstp_transport_lost(&c.s, c.now);
		call_drain(&c);
		check_int(c.events, EVENT(ENDED));
		check_int(c.failure.cause, rows[i].cause);
	}
}

static void a_lost_connection_is_told_with_its_moment(void)
{
	static const struct {
		enum sstp_state state;
		unsigned seconds;
		const char *detail;
	} rows[] = {
		{ SSTP_STATE_REQUEST_SENT, 0, "while waiting for CALL_CONNECT_ACK" },
		{ SSTP_STATE_ACK_RECEIVED, 0, "during PPP negotiation or authentication" },
		{ SSTP_STATE_CONNECTED, 1,
		  "right after CALL_CONNECTED; the crypto binding may have been refused" },
		{ SSTP_STATE_CONNECTED, 10, "without a goodbye" },
	};
	struct call accepted;
	struct sstp_config config = call_config(SSTP_CLIENT);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct call c;

		call_bring(&c, &config, rows[i].state);
		c.now += rows[i].seconds * USEC_PER_SEC;
		sstp_transport_lost(&c.s, c.now);
		call_drain(&c);
		check_int(c.events, EVENT(ENDED));
		check_int(c.failure.cause, CAUSE_CONNECTION_LOST);
		check_str(c.failure.detail, rows[i].detail);
	}
	call_bring(&accepted, &config, SSTP_STATE_CONNECTED);
	sstp_binding_accepted(&accepted.s);
	sstp_transport_lost(&accepted.s, accepted.now);
	call_drain(&accepted);
	check_str(accepted.failure.detail, "without a goodbye");
}

/* A server that hangs up behind its NAK: that one counts, not the end of the connection. */
static void a_nak_and_the_end_is_a_refusal(void)
{
	static const uint8_t nak[] = {
		0x10, 1, 0, 22, 0, 3, 0, 1, 0, 2, 0, 14, 0, 0, 0, 1, 0, 0, 0, 4, 0, 1
	};
	struct sstp_config config = call_config(SSTP_CLIENT);
	struct call c;

	call_bring(&c, &config, SSTP_STATE_REQUEST_SENT);
	CALL_FEED(&c, nak);
	sstp_transport_lost(&c.s, c.now);
	call_drain(&c);
	check_int(c.events, EVENT(ENDED));
	check_int(c.failure.cause, CAUSE_SSTP_NAK);
	check(strstr(c.failure.detail, "CALL_CONNECT_NAK, 1 time: VALUE_NOT_SUPPORTED (4)"));
}

static void a_violation_is_told_with_message_and_state(void)
{
	struct sstp_config config = call_config(SSTP_CLIENT);
	struct call c;

	call_bring(&c, &config, SSTP_STATE_CONNECTED);
	call_feed_ack(&c, SSTP_HASH_SHA256);
	check_int(c.failure.cause, CAUSE_SSTP_PROTOCOL);
	check_str(c.failure.detail, "unexpected CALL_CONNECT_ACK in state Client_Call_Connected");
	call_bring(&c, &config, SSTP_STATE_CONNECTED);
	CALL_FEED(&c, pkt_unknown);
	check_str(c.failure.detail, "malformed control packet: type 10 (unknown), 8 bytes");
}

/* An ABORT storm, and a DISCONNECT after it: one answer only. */
static void one_goodbye_is_answered_once(void)
{
	struct sstp_config config = call_config(SSTP_CLIENT);
	struct call c;

	call_bring(&c, &config, SSTP_STATE_CONNECTED);
	CALL_FEED(&c, pkt_abort);
	check_mem(c.out, c.out_len, pkt_abort_plain, sizeof(pkt_abort_plain));
	usec_t deadline = sstp_deadline(&c.s);
	for (int i = 0; i < 100; i++) {
		c.now += 1000;
		CALL_FEED(&c, pkt_abort);
		check_int(c.out_len, 0);
		CALL_FEED(&c, pkt_disconnect);
		check_int(c.out_len, 0);
	}
	check_int(sstp_deadline(&c.s), deadline); /* nor does it prolong the end */
}

int main(void)
{
	return run_tests((struct test[]){ TEST(call_connected_has_the_published_bytes),
					  TEST(call_connected_has_the_chosen_bytes),
					  TEST(call_connected_is_what_real_servers_accepted),
					  TEST(the_strongest_common_hash_is_chosen),
					  TEST(a_forbidden_hash_is_not_used),
					  TEST(two_binding_requests_are_one_too_many),
					  TEST(malformed_input_gets_the_named_reaction),
					  TEST(the_largest_packet_is_handed_on_whole),
					  TEST(one_packet_is_taken_per_call),
					  TEST(odd_protocol_numbers_do_not_pass_early),
					  TEST(a_silent_end_drops_the_queue),
					  TEST(a_second_start_does_nothing),
					  TEST(a_web_page_is_named_as_such),
					  TEST(a_nak_is_retried_three_times),
					  TEST(a_nak_and_the_end_is_a_refusal),
					  TEST(timeouts_of_the_negotiation),
					  TEST(configured_times_are_kept),
					  TEST(a_silent_server_is_given_up_after_a_probe),
					  TEST(any_packet_is_life),
					  TEST(half_a_packet_is_no_life),
					  TEST(an_echo_flood_does_not_grow_the_queue),
					  TEST(output_comes_in_whole_packets),
					  TEST(a_stop_ends_without_failure_however_the_server_takes_it),
					  TEST(a_reason_given_with_the_stop_is_reported),
					  TEST(the_servers_goodbye_is_told_with_its_moment),
					  TEST(a_lost_connection_is_told_with_its_moment),
					  TEST(a_violation_is_told_with_message_and_state),
					  TEST(one_goodbye_is_answered_once),
					  {} });
}
