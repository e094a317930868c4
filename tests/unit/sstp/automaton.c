/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every cell of the state tables of [MS-SSTP] 3.2 and 3.3: each event in each state, for both roles. */
#include <errno.h>

#include "call.h"

enum stimulus {
	PACKET,	       /* bytes, whole packets */
	AUTHENTICATED, /* the upper layer calls … */
	DISCONNECT,
	TIMER, /* the deadline has come */
	LOST,
};

/*
 * A cell says what is sent, the state that follows, and how long its timer runs:
 *
 *   -   nothing: nothing sent, same state, same timer      .   nothing sent, the hello timer starts again
 *   aN  CALL_ABORT with status N → AP, 3 s                 at  CALL_ABORT without status → AT, 1 s
 *   AT  nothing sent → AT, 1 s                             dt  CALL_DISCONNECT_ACK → DT, 1 s
 *   dp  CALL_DISCONNECT → DP, 5 s                          up  client: → ACKR, 60 s; server: CALL_CONNECT_ACK
 * as well rq  CALL_CONNECT_REQUEST, same state, 60 s             nk  CALL_CONNECT_NAK, same state, same timer
 *   er  ECHO_RESPONSE, hello starts again if connected     ec  ECHO_REQUEST, same state, 60 s
 *   co  client: CALL_CONNECTED → CONN, 60 s                cv  → CONN, 60 s
 *   fr  the frame is handed on                             en  ended, nothing sent
 *   XX  -EBADMSG, ended, nothing sent
 */
struct row {
	const char *name;
	const char *cells; /* REQ ACKR CONN AP AT DP DT */
	enum stimulus stimulus;
	const void *data;
	size_t len;
	bool strict_echo;
};

#define P(bytes) .stimulus = PACKET, .data = bytes, .len = sizeof(bytes) - 1

static const char ack[] = "\x10\x01\x00\x30\x00\x02\x00\x01\x00\x04\x00\x28\x00\x00\x00\x03"
			  "0123456789abcdefghijklmnopqrstuv";
static const char ack_no_hash[] = "\x10\x01\x00\x30\x00\x02\x00\x01\x00\x04\x00\x28\x00\x00\x00\x04"
				  "0123456789abcdefghijklmnopqrstuv";
static const char ack_empty[] = "\x10\x01\x00\x08\x00\x02\x00\x00";
static const char ack_broken[] = "\x10\x01\x00\x0c\x00\x02\x00\x01\x00\x04\x00\x00";
static const char nak[] = "\x10\x01\x00\x14\x00\x03\x00\x01\x00\x02\x00\x0c\x00\x00\x00\x01\x00\x00\x00\x04";
static const char nak_accel[] =
	"\x10\x01\x00\x16\x00\x03\x00\x01\x00\x02\x00\x0c\x00\x00\x00\x01\x00\x00\x00\x04\x00\x00";
static const char abort_status[] =
	"\x10\x01\x00\x14\x00\x05\x00\x01\x00\x02\x00\x0c\x00\x00\x00\x02\x00\x00\x00\x07";
static const char abort_plain[] = "\x10\x01\x00\x08\x00\x05\x00\x00";
static const char abort_broken[] = "\x10\x01\x00\x0c\x00\x05\x00\x05\x00\x02\x0f\xff";
static const char disconnect[] =
	"\x10\x01\x00\x14\x00\x06\x00\x01\x00\x02\x00\x0c\x00\x00\x00\x00\x00\x00\x00\x00";
static const char disconnect_broken[] = "\x10\x01\x00\x10\x00\x06\x00\x01\x00\x00\x00\x08\x00\x00\x00\x00";
static const char disconnect_ack[] = "\x10\x01\x00\x08\x00\x07\x00\x00";
static const char disconnect_ack_odd[] = "\x10\x01\x00\x0c\x00\x07\x00\x01\x00\x02\x00\x04";
static const char echo_request[] = "\x10\x01\x00\x08\x00\x08\x00\x00";
static const char echo_request_odd[] = "\x10\x01\x00\x0c\x00\x08\x00\x01\x00\x02\x00\x04";
static const char echo_response[] = "\x10\x01\x00\x08\x00\x09\x00\x00";
static const char request[] = "\x10\x01\x00\x0e\x00\x01\x00\x01\x00\x01\x00\x06\x00\x01";
static const char request_not_ppp[] = "\x10\x01\x00\x0e\x00\x01\x00\x01\x00\x01\x00\x06\x00\x02";
static const char request_broken[] = "\x10\x01\x00\x0c\x00\x01\x00\x01\x00\x01\x00\x06";
static const char unknown_type[] = "\x10\x01\x00\x08\x00\x0a\x00\x00";
static const char too_short[] = "\x10\x01\x00\x06\x00\x08";
static const char lcp[] = "\x10\x00\x00\x0c\xff\x03\xc0\x21\x01\x01\x00\x04";
static const char chap_bare[] = "\x10\x00\x00\x0a\xc2\x23\x01\x01\x00\x04"; /* no FF 03: RRAS after ACFC */
static const char ipv4[] = "\x10\x00\x00\x0c\xff\x03\x00\x21\x45\x00\x00\x04";
static const char ipv4_bare[] = "\x10\x00\x00\x09\x21\x45\x00\x00\x04";
static const char data_empty[] = "\x10\x00\x00\x04";
static const char data_half[] = "\x10\x00\x00\x07\xff\x03\xc0";
static const char version_2[] = "\x20\x01\x00\x08\x00\x08\x00\x00";
static const char length_3[] = "\x10\x01\x00\x03";

/* clang-format off */
static const struct row client_rows[] = {
	/*					   REQ ACKR CONN AP AT DP DT */
	{ "ACK valid",				  "up a5 a5 - - - -", P(ack) },
	{ "ACK without usable hash",		  "a4 a5 a5 - - - -", P(ack_no_hash) },
	{ "ACK without attribute",		  "a9 a5 a5 - - - -", P(ack_empty) },
	{ "ACK malformed",			  "a7 a7 a7 - - - -", P(ack_broken) },
	{ "NAK",				  "rq a5 a5 - - - -", P(nak) },
	{ "NAK with stray bytes",		  "rq a5 a5 - - - -", P(nak_accel) },
	{ "ABORT",				  "at at at AT - at -", P(abort_status) },
	{ "ABORT without attribute",		  "at at at AT - at -", P(abort_plain) },
	{ "ABORT malformed",			  "at at at AT - at -", P(abort_broken) },
	{ "DISCONNECT",				  "dt dt dt - - dt -", P(disconnect) },
	{ "DISCONNECT malformed",		  "dt dt dt - - dt -", P(disconnect_broken) },
	{ "DISCONNECT_ACK",			  "a5 a5 a5 - - en -", P(disconnect_ack) },
	{ "DISCONNECT_ACK with an attribute",	  "a7 a7 a7 - - en -", P(disconnect_ack_odd) },
	{ "ECHO_REQUEST",			  "a5 er er - - - -", P(echo_request) },
	{ "ECHO_REQUEST, strict",		  "a5 a5 er - - - -", P(echo_request), .strict_echo = true },
	{ "ECHO_REQUEST with an attribute",	  "a7 a7 a7 - - - -", P(echo_request_odd) },
	{ "ECHO_RESPONSE",			  "a5 a5 . - - - -", P(echo_response) },
	{ "CALL_CONNECT_REQUEST",		  "a5 a5 a5 - - - -", P(request) },
	{ "unknown type",			  "a7 a7 a7 - - - -", P(unknown_type) },
	{ "control packet too short",		  "a7 a7 a7 - - - -", P(too_short) },
	{ "PPP control",			  "- fr fr - - - -", P(lcp) },
	{ "PPP control, compressed header",	  "- fr fr - - - -", P(chap_bare) },
	{ "PPP data",				  "- - fr - - - -", P(ipv4) },
	{ "PPP data, compressed header",	  "- - fr - - - -", P(ipv4_bare) },
	{ "PPP, half a protocol number",	  "- - fr - - - -", P(data_half) },
	{ "empty data packet",			  "- - . - - - -", P(data_empty) },
	{ "wrong version",			  "XX XX XX XX XX XX XX", P(version_2) },
	{ "length below 4",			  "XX XX XX XX XX XX XX", P(length_3) },
	{ "authentication completed",		  "- co - - - - -", .stimulus = AUTHENTICATED },
	{ "stop",				  "dp dp dp - - - -", .stimulus = DISCONNECT },
	{ "timer",				  "a8 a8 ec en en en en", .stimulus = TIMER },
	{ "transport lost",			  "en en en en en en en", .stimulus = LOST },
};

static const struct row server_rows[] = {
	/*					   WAIT ACKED CONN AP AT DP DT */
	{ "REQUEST",				  "up a5 a5 - - - -", P(request) },
	{ "REQUEST for another protocol",	  "nk a5 a5 - - - -", P(request_not_ppp) },
	{ "REQUEST malformed",			  "a7 a7 a7 - - - -", P(request_broken) },
	{ "ACK",				  "a5 a5 a5 - - - -", P(ack) },
	{ "NAK",				  "a5 a5 a5 - - - -", P(nak) },
	{ "ABORT",				  "at at at AT - at -", P(abort_status) },
	{ "ABORT malformed",			  "at at at AT - at -", P(abort_broken) },
	{ "DISCONNECT",				  "dt dt dt - - dt -", P(disconnect) },
	{ "DISCONNECT malformed",		  "dt dt dt - - dt -", P(disconnect_broken) },
	{ "DISCONNECT_ACK",			  "a5 a5 a5 - - en -", P(disconnect_ack) },
	{ "ECHO_REQUEST",			  "a5 a5 er - - - -", P(echo_request) },
	{ "ECHO_RESPONSE",			  "a5 a5 . - - - -", P(echo_response) },
	{ "unknown type",			  "a7 a7 a7 - - - -", P(unknown_type) },
	{ "control packet too short",		  "a7 a7 a7 - - - -", P(too_short) },
	{ "PPP control",			  "- fr fr - - - -", P(lcp) },
	{ "PPP data",				  "- - fr - - - -", P(ipv4) },
	{ "empty data packet",			  "- - . - - - -", P(data_empty) },
	{ "wrong version",			  "XX XX XX XX XX XX XX", P(version_2) },
	{ "length below 4",			  "XX XX XX XX XX XX XX", P(length_3) },
	{ "authentication completed",		  "- - - - - - -", .stimulus = AUTHENTICATED },
	{ "stop",				  "dp dp dp - - - -", .stimulus = DISCONNECT },
	{ "timer",				  "a8 a8 ec en en en en", .stimulus = TIMER },
	{ "transport lost",			  "en en en en en en en", .stimulus = LOST },
};

/* clang-format on */
static const struct {
	const char *code;
	int type;	      /* of the one packet sent; 0 = none */
	enum sstp_state next; /* IDLE = the same */
	unsigned seconds;     /* of its timer; 0 = as before */
	unsigned events;
} cells[] = {
	{ "-", 0, SSTP_STATE_IDLE, 0, 0 },
	{ ".", 0, SSTP_STATE_IDLE, 60, 0 },
	{ "fr", 0, SSTP_STATE_IDLE, 0, 0 },
	{ "at", SSTP_CALL_ABORT, SSTP_STATE_ABORT_TIMEOUT, 1, EVENT(STOPPING) },
	{ "AT", 0, SSTP_STATE_ABORT_TIMEOUT, 1, 0 },
	{ "dt", SSTP_CALL_DISCONNECT_ACK, SSTP_STATE_DISCONNECT_TIMEOUT, 1, EVENT(STOPPING) },
	{ "dp", SSTP_CALL_DISCONNECT, SSTP_STATE_DISCONNECT_PENDING, 5, EVENT(STOPPING) },
	{ "rq", SSTP_CALL_CONNECT_REQUEST, SSTP_STATE_IDLE, 60, 0 },
	{ "nk", SSTP_CALL_CONNECT_NAK, SSTP_STATE_IDLE, 0, 0 },
	{ "er", SSTP_ECHO_RESPONSE, SSTP_STATE_IDLE, 0, 0 },
	{ "ec", SSTP_ECHO_REQUEST, SSTP_STATE_IDLE, 60, 0 },
	{ "co", SSTP_CALL_CONNECTED, SSTP_STATE_CONNECTED, 60, EVENT(CONNECTED) },
	{ "en", 0, SSTP_STATE_ENDED, 0, EVENT(ENDED) },
	{ "XX", 0, SSTP_STATE_ENDED, 0, EVENT(ENDED) },
};

static const struct {
	const char *name;
	enum sstp_state state;
} columns[] = {
	{ "REQ", SSTP_STATE_REQUEST_SENT },	 { "ACKR", SSTP_STATE_ACK_RECEIVED },
	{ "CONN", SSTP_STATE_CONNECTED },	 { "AP", SSTP_STATE_ABORT_PENDING },
	{ "AT", SSTP_STATE_ABORT_TIMEOUT },	 { "DP", SSTP_STATE_DISCONNECT_PENDING },
	{ "DT", SSTP_STATE_DISCONNECT_TIMEOUT },
};

static ssize_t apply(struct call *c, const struct row *row, struct sstp_input *ret)
{
	static const uint8_t zero[SSTP_HLAK_LEN];
	ssize_t n = 0;

	*ret = (struct sstp_input){};
	switch (row->stimulus) {
	case PACKET:
		return call_feed(c, row->data, row->len, ret);
	case AUTHENTICATED:
		sstp_authenticated(&c->s, zero, c->now);
		break;
	case DISCONNECT:
		sstp_disconnect(&c->s, NULL, c->now);
		break;
	case TIMER:
		c->now = sstp_deadline(&c->s);
		sstp_timeout(&c->s, c->now);
		break;
	case LOST:
		sstp_transport_lost(&c->s, c->now);
		break;
	}
	call_drain(c);
	return n;
}

#define expect(what, is, should)                                                                      \
	do {                                                                                          \
		long long _is = (long long)(is), _should = (long long)(should);                       \
		if (_is != _should) {                                                                 \
			printf("# %s, state %s, cell \"%s\": %s is %lld, expected %lld\n", row->name, \
			       columns[column].name, code, what, _is, _should);                       \
			test_failed = true;                                                           \
			return;                                                                       \
		}                                                                                     \
	} while (0)

/* Checks one packet of the expected type, or none. */
static void check_cell(const struct row *row, enum sstp_role role, size_t column, const char *code)
{
	enum sstp_state before = columns[column].state;
	struct sstp_config config = call_config(role);
	struct sstp_input input;
	struct call c;

	config.strict_echo = row->strict_echo;
	call_bring(&c, &config, before);
	expect("state before", sstp_state(&c.s), before);
	c.now += USEC_PER_SEC / 2;
	usec_t deadline = sstp_deadline(&c.s);
	ssize_t n = apply(&c, row, &input);

	bool aborts = code[0] == 'a' && code[1] >= '0' && code[1] <= '9';
	bool starts = strcmp(code, "up") == 0, broken = strcmp(code, "XX") == 0,
	     frame = strcmp(code, "fr") == 0;
	int type = 0;
	enum sstp_state next = before;
	unsigned seconds = 0, events = 0;

	if (aborts) {
		type = SSTP_CALL_ABORT;
		next = SSTP_STATE_ABORT_PENDING;
		seconds = 3;
		events = EVENT(STOPPING);
	} else if (starts) {
		type = role == SSTP_SERVER ? SSTP_CALL_CONNECT_ACK : 0;
		next = SSTP_STATE_ACK_RECEIVED;
		seconds = 60;
		events = EVENT(LOWER_UP);
	} else {
		size_t i = 0;

		while (i < ARRAY_SIZE(cells) && strcmp(cells[i].code, code) != 0)
			i++;
		expect("cell known", i < ARRAY_SIZE(cells), true);
		type = cells[i].type;
		next = cells[i].next == SSTP_STATE_IDLE ? before : cells[i].next;
		seconds = cells[i].seconds;
		events = cells[i].events;
		if (before == SSTP_STATE_CONNECTED && (frame || type == SSTP_ECHO_RESPONSE))
			seconds = 60; /* every packet starts the hello timer again */
		if (before == SSTP_STATE_DISCONNECT_PENDING)
			events &= ~EVENT(STOPPING); /* it was told when it went there */
	}

	expect("state", sstp_state(&c.s), next);
	expect("events", c.events, events);
	if (next == SSTP_STATE_ENDED)
		expect("deadline", sstp_deadline(&c.s), USEC_NEVER);
	else
		expect("deadline", sstp_deadline(&c.s), seconds ? c.now + seconds * USEC_PER_SEC : deadline);
	if (row->stimulus == PACKET)
		expect("result", n, broken ? -EBADMSG : (ssize_t)row->len);
	expect("frame handed on", input.frame != NULL, frame);
	if (frame) {
		expect("frame in place", input.frame - (const uint8_t *)row->data, SSTP_HEADER_LEN);
		expect("frame length", input.frame_len, row->len - SSTP_HEADER_LEN);
	}

	if (type == 0) {
		expect("bytes sent", c.out_len, 0);
		return;
	}
	struct sstp_message m = sstp_message_read(c.out, c.out_len);
	uint32_t status = 0;
	uint8_t attribute;
	expect("packets sent", (size_t)(c.out[2] << 8 | c.out[3]), c.out_len);
	expect("well-formed", m.well_formed, true);
	expect("type sent", m.type, type);
	if (type == SSTP_CALL_ABORT) {
		expect("status sent", sstp_message_status(&m, &status, &attribute), aborts);
		expect("status", status, aborts ? code[1] - '0' : 0);
	}
}

static void check_rows(const struct row *rows, size_t count, enum sstp_role role)
{
	for (size_t i = 0; i < count; i++) {
		char text[64], *next = text, *code;
		size_t column = 0;

		(void)snprintf(text, sizeof(text), "%s", rows[i].cells);
		while ((code = strsep(&next, " ")))
			check_cell(&rows[i], role, column++, code);
		check_int(column, ARRAY_SIZE(columns));
	}
}

static void every_cell_of_the_client(void)
{
	check_rows(client_rows, ARRAY_SIZE(client_rows), SSTP_CLIENT);
}

static void every_cell_of_the_server(void)
{
	check_rows(server_rows, ARRAY_SIZE(server_rows), SSTP_SERVER);
}

/* Before the start and after the end nothing is sent, and nothing but an end happens. */
static void idle_and_ended_calls_are_quiet(void)
{
	static const enum sstp_role roles[] = { SSTP_CLIENT, SSTP_SERVER };

	for (size_t r = 0; r < ARRAY_SIZE(roles); r++) {
		struct sstp_config config = call_config(roles[r]);

		for (size_t i = 0; i < ARRAY_SIZE(client_rows); i++) {
			const struct row *row = &client_rows[i];
			struct sstp_input input;
			struct call c;

			if (row->stimulus == TIMER)
				continue;
			call_bring(&c, &config, SSTP_STATE_CONNECTED);
			sstp_transport_lost(&c.s, c.now);
			call_drain(&c);
			apply(&c, row, &input);
			check_int(sstp_state(&c.s), SSTP_STATE_ENDED);
			check_int(c.out_len, 0);
			check_int(c.events, 0);
			check(!input.frame);

			c = (struct call){ .now = USEC_PER_SEC };
			sstp_init(&c.s, &config);
			apply(&c, row, &input);
			check_int(c.out_len, 0);
			check(!input.frame);
			check_int(c.events & ~EVENT(ENDED), 0);
		}
	}
}

int main(void)
{
	return run_tests((struct test[]){ TEST(every_cell_of_the_client),
					  TEST(every_cell_of_the_server),
					  TEST(idle_and_ended_calls_are_quiet),
					  {} });
}
