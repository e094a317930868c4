/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The automaton against the table that RFC 1661 prints, cell by cell, and what goes beyond the table. */
#include "link.h"

/* RFC 1661 §4.1 as printed; r, p and x mark options that are not taken. */
static const struct {
	const char *event;
	enum fsm_event number;
	const char *cells[_FSM_STATES];
} rfc[] = {
	{ "Up", FSM_UP, { "2", "irc,scr/6", "-", "-", "-", "-", "-", "-", "-", "-" } },
	{ "Down", FSM_DOWN, { "-", "-", "0", "tls/1", "0", "1", "1", "1", "1", "tld/1" } },
	{ "Open", FSM_OPEN, { "tls/1", "1", "irc,scr/6", "3r", "5r", "5r", "6", "7", "8", "9r" } },
	{ "Close",
	  FSM_CLOSE,
	  { "0", "tlf/0", "2", "2", "4", "4", "irc,str/4", "irc,str/4", "irc,str/4", "tld,irc,str/4" } },
	{ "TO+", FSM_TO_PLUS, { "-", "-", "-", "-", "str/4", "str/5", "scr/6", "scr/6", "scr/8", "-" } },
	{ "TO-", FSM_TO_MINUS, { "-", "-", "-", "-", "tlf/2", "tlf/3", "tlf/3p", "tlf/3p", "tlf/3p", "-" } },
	{ "RCR+",
	  FSM_RCR_PLUS,
	  { "-", "-", "sta/2", "irc,scr,sca/8", "4", "5", "sca/8", "sca,tlu/9", "sca/8", "tld,scr,sca/8" } },
	{ "RCR-",
	  FSM_RCR_MINUS,
	  { "-", "-", "sta/2", "irc,scr,scn/6", "4", "5", "scn/6", "scn/7", "scn/6", "tld,scr,scn/6" } },
	{ "RCA",
	  FSM_RCA,
	  { "-", "-", "sta/2", "sta/3", "4", "5", "irc/7", "scr/6x", "irc,tlu/9", "tld,scr/6x" } },
	{ "RCN",
	  FSM_RCN,
	  { "-", "-", "sta/2", "sta/3", "4", "5", "irc,scr/6", "scr/6x", "irc,scr/8", "tld,scr/6x" } },
	{ "RTR",
	  FSM_RTR,
	  { "-", "-", "sta/2", "sta/3", "sta/4", "sta/5", "sta/6", "sta/6", "sta/6", "tld,zrc,sta/5" } },
	{ "RTA", FSM_RTA, { "-", "-", "2", "3", "tlf/2", "tlf/3", "6", "6", "8", "tld,scr/6" } },
	{ "RUC",
	  FSM_RUC,
	  { "-", "-", "scj/2", "scj/3", "scj/4", "scj/5", "scj/6", "scj/7", "scj/8", "scj/9" } },
	{ "RXJ+", FSM_RXJ_PLUS, { "-", "-", "2", "3", "4", "5", "6", "6", "8", "9" } },
	{ "RXJ-",
	  FSM_RXJ_MINUS,
	  { "-", "-", "tlf/2", "tlf/3", "tlf/2", "tlf/3", "tlf/3", "tlf/3", "tlf/3", "tld,irc,str/5" } },
	{ "RXR", FSM_RXR, { "-", "-", "2", "3", "4", "5", "6", "7", "8", "ser/9" } },
};

static const struct {
	const char *name;
	unsigned bit;
	uint8_t code; /* of the packet that it sends, 0 if none */
} actions[] = {
	{ "tld", FSM_TLD, 0 },
	{ "irc", FSM_IRC, 0 },
	{ "zrc", FSM_ZRC, 0 },
	{ "scr", FSM_SCR, CONFIGURE_REQUEST },
	{ "str", FSM_STR, TERMINATE_REQUEST },
	{ "sca", FSM_SCA, CONFIGURE_ACK },
	{ "scn", FSM_SCN, CONFIGURE_NAK },
	{ "sta", FSM_STA, TERMINATE_ACK },
	{ "scj", FSM_SCJ, CODE_REJECT },
	{ "ser", FSM_SER, ECHO_REPLY },
	{ "tlu", FSM_TLU, 0 },
	{ "tls", FSM_TLS, 0 },
	{ "tlf", FSM_TLF, 0 },
};

static unsigned actions_of(const char *cell)
{
	unsigned bits = 0;

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (strstr(cell, actions[i].name))
			bits |= actions[i].bit;
	return bits;
}

static int next_of(const char *cell)
{
	const char *slash = strchr(cell, '/');
	const char *digit = slash ? slash + 1 : cell;

	return *digit - '0';
}

static void every_cell_is_as_printed(void)
{
	check_int(ARRAY_SIZE(rfc), _FSM_EVENTS);
	for (size_t e = 0; e < ARRAY_SIZE(rfc); e++) {
		for (int s = 0; s < _FSM_STATES; s++) {
			const char *cell = rfc[e].cells[s];
			struct fsm_transition t = fsm_transition((enum fsm_state)s, rfc[e].number);

			printf("# %s in %d: %s\n", rfc[e].event, s, cell);
			check_int(t.possible, cell[0] != '-');
			if (!t.possible)
				continue;
			check_int(t.next, next_of(cell));
			check_int(t.actions, actions_of(cell));
		}
	}
}

/* A layer with one option: type 1 is good, type 2 is answered by a Nak, type 3 by a Reject. */
static void toy_request(void *layer, struct wire_writer *w)
{
	unsigned *generation = layer;

	option_put_u16(w, 1, (uint16_t)*generation);
}

static void toy_begin(void *layer)
{
	(void)layer;
}

static enum fsm_verdict toy_option(void *layer, const struct option *o, const struct fsm_request *q)
{
	(void)layer;
	if (o->type == 2)
		option_put_u16(q->nak, 2, 7);
	return o->type == 1 ? FSM_ACK : o->type == 2 ? FSM_NAK : FSM_REJECT;
}

static bool toy_refused(void *layer, const struct option *o)
{
	unsigned *generation = layer;

	(void)o;
	++*generation;
	return true;
}

static const struct fsm_ops toy = {
	.protocol = 0x8021,
	.request = toy_request,
	.peer_begin = toy_begin,
	.peer_option = toy_option,
	.naked = toy_refused,
	.rejected = toy_refused,
};

struct bench {
	struct fsm f;
	struct frame_queue queue;
	unsigned generation;
};

static void bench_init(struct bench *b, bool client, usec_t restart_time)
{
	struct fsm_config config = { .ops = &toy,
				     .layer = &b->generation,
				     .queue = &b->queue,
				     .restart_time = restart_time,
				     .client = client };

	b->queue.len = 0;
	b->generation = 0;
	fsm_init(&b->f, &config);
}

static void receive(struct bench *b, uint8_t code, uint8_t id, const char *data, usec_t now)
{
	uint8_t bytes[2000];
	struct packet p = { .code = code, .id = id, .data = bytes };

	p.len = unhex(data, bytes, sizeof(bytes));
	fsm_input(&b->f, &p, now);
}

/* The code of the next frame sent; 0 if there is none. */
static uint8_t sent(struct bench *b, uint8_t frame[static 1504])
{
	return frame_queue_pop(&b->queue, frame, 1504) ? frame[4] : 0;
}

#define PROBE_COUNT 3

/* Puts the automaton into a state and lets an event happen as it does in life: by a packet, a call, a timer.
 */
static void cause_event(struct bench *b, enum fsm_state state, enum fsm_event event)
{
	static const uint8_t echo[] = { 0, 0, 0, 0 };
	const usec_t now = 100 * SEC;

	bench_init(b, false, 0);
	b->f.state = state;
	b->f.restart_count = event == FSM_TO_MINUS ? 0 : PROBE_COUNT;
	b->f.deadline = state >= FSM_CLOSING && state <= FSM_ACK_SENT ? now : USEC_NEVER;
	if (event == FSM_RCA || event == FSM_RCN) {
		b->f.outstanding = true;
		b->f.request_id = 9;
		b->f.request_len = unhex("01040000", b->f.request, sizeof(b->f.request));
	}
	switch (event) {
	case FSM_UP:
	case FSM_DOWN:
	case FSM_OPEN:
	case FSM_CLOSE:
		fsm_event(&b->f, event, now);
		break;
	case FSM_TO_PLUS:
	case FSM_TO_MINUS:
		fsm_timeout(&b->f, now);
		break;
	case FSM_RCR_PLUS:
		receive(b, CONFIGURE_REQUEST, 5, "01040001", now);
		break;
	case FSM_RCR_MINUS:
		receive(b, CONFIGURE_REQUEST, 5, "02040001", now);
		break;
	case FSM_RCA:
		receive(b, CONFIGURE_ACK, 9, "01040000", now);
		break;
	case FSM_RCN:
		receive(b, CONFIGURE_NAK, 9, "01040007", now);
		break;
	case FSM_RTR:
		receive(b, TERMINATE_REQUEST, 5, "", now);
		break;
	case FSM_RTA:
		receive(b, TERMINATE_ACK, 5, "", now);
		break;
	case FSM_RUC:
		receive(b, 77, 5, "0102", now);
		break;
	case FSM_RXJ_PLUS:
		receive(b, CODE_REJECT, 5, "0d050004", now);
		break;
	case FSM_RXJ_MINUS:
		receive(b, CODE_REJECT, 5, "01050004", now);
		break;
	case FSM_RXR:
		fsm_echo_reply(&b->f, 5, echo, sizeof(echo), now);
		break;
	case _FSM_EVENTS:
		break;
	}
}

static unsigned expected_count(unsigned a)
{
	unsigned count = a & FSM_ZRC ? 0 : !(a & FSM_IRC) ? PROBE_COUNT : a & FSM_STR ? 2 : 10;

	return a & (FSM_SCR | FSM_STR) ? count - 1 : count;
}

/* Not the table but what the automaton does: packets, in order, signals, counter, timer. */
static void every_cell_acts_as_printed(void)
{
	static struct bench b;

	for (size_t e = 0; e < ARRAY_SIZE(rfc); e++) {
		for (int s = 0; s < _FSM_STATES; s++) {
			const char *cell = rfc[e].cells[s];
			uint8_t frame[1504];
			unsigned a = actions_of(cell);

			printf("# %s in %d: %s\n", rfc[e].event, s, cell);
			cause_event(&b, (enum fsm_state)s, rfc[e].number);
			if (cell[0] == '-') {
				check_int(b.f.state, s);
				check_int(b.queue.len, 0);
				check_int(b.f.signals, 0);
				continue;
			}
			check_int(b.f.state, next_of(cell));
			for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
				if ((a & actions[i].bit) && actions[i].code)
					check_int(sent(&b, frame), actions[i].code);
			}
			check_int(b.queue.len, 0);
			check_int(fsm_take_signals(&b.f), (a & FSM_TLU ? FSM_SIGNAL_UP : 0) |
								  (a & FSM_TLD ? FSM_SIGNAL_DOWN : 0) |
								  (a & FSM_TLF ? FSM_SIGNAL_FINISHED : 0));
			if (rfc[e].number != FSM_TO_MINUS)
				check_int(b.f.restart_count, expected_count(a));
			bool timer = b.f.state >= FSM_CLOSING && b.f.state <= FSM_ACK_SENT;
			check_int(b.f.deadline != USEC_NEVER, timer);
			if (a & (FSM_SCR | FSM_STR | FSM_ZRC))
				check(b.f.deadline > 100 * SEC);
		}
	}
}

/* Every resend of a request nobody answers, and the end after Max-Configure of them. */
static void unanswered_requests_are_resent_early_then_slowly(void)
{
	static const unsigned at_ms[] = { 0, 300, 1300, 4300, 7300, 10300, 13300, 16300, 19300, 22300 };
	static struct bench b;
	uint8_t frame[1504], first[1504];
	usec_t start = 7 * SEC;

	bench_init(&b, true, 0);
	fsm_event(&b.f, FSM_OPEN, start);
	fsm_event(&b.f, FSM_UP, start);
	for (size_t i = 0; i < ARRAY_SIZE(at_ms); i++) {
		if (i > 0) {
			check_int(b.f.deadline - start, at_ms[i] * MSEC);
			fsm_timeout(&b.f, b.f.deadline - 1); /* too early: nothing */
			check_int(b.queue.len, 0);
			fsm_timeout(&b.f, b.f.deadline);
		}
		check_int(sent(&b, i ? frame : first), CONFIGURE_REQUEST);
		if (i > 0)
			check_mem(frame, 12, first, 12); /* identifier and all */
	}
	check_int(b.f.deadline - start, 25300 * MSEC);
	fsm_timeout(&b.f, b.f.deadline);
	check_int(b.f.state, FSM_STOPPED);
	check_int(fsm_take_signals(&b.f), FSM_SIGNAL_FINISHED);
	check_int(b.f.reason, FSM_REASON_TIMEOUT);
}

/* An early resend behind our Ack could reach an opened peer and throw it back. */
static void no_early_resend_once_the_peer_was_heard(void)
{
	static struct bench b;
	uint8_t frame[1504];

	bench_init(&b, false, 0);
	fsm_event(&b.f, FSM_OPEN, 0);
	fsm_event(&b.f, FSM_UP, 0);
	check_int(sent(&b, frame), CONFIGURE_REQUEST);
	receive(&b, CONFIGURE_REQUEST, 1, "01040001", 100 * MSEC);
	check_int(sent(&b, frame), CONFIGURE_ACK);
	check_int(b.f.deadline, 3 * SEC);
	fsm_timeout(&b.f, 300 * MSEC);
	check_int(b.queue.len, 0);
}

static void the_configured_restart_time_is_kept(void)
{
	static struct bench b;
	uint8_t frame[1504];

	bench_init(&b, true, 5 * SEC);
	fsm_event(&b.f, FSM_OPEN, 0);
	fsm_event(&b.f, FSM_UP, 0);
	check_int(b.f.deadline, 5 * SEC);
	fsm_timeout(&b.f, 5 * SEC);
	check_int(b.f.deadline, 10 * SEC);
	(void)sent(&b, frame);
	fsm_event(&b.f, FSM_CLOSE, 6 * SEC);
	check_int(b.f.deadline, 11 * SEC);
}

/* Servers lose a request that comes before their protocol runs; their own request says that it runs now. */
static void an_unanswered_request_is_repeated_once_in_front_of_the_ack(void)
{
	static struct bench b;
	uint8_t frame[1504], first[1504];

	bench_init(&b, true, 0);
	fsm_event(&b.f, FSM_OPEN, 0);
	fsm_event(&b.f, FSM_UP, 0);
	check_int(sent(&b, first), CONFIGURE_REQUEST);
	receive(&b, CONFIGURE_REQUEST, 1, "01040001", 10 * MSEC);
	check_int(sent(&b, frame), CONFIGURE_REQUEST);
	check_mem(frame, 12, first, 12);
	check_int(sent(&b, frame), CONFIGURE_ACK);
	check_int(b.f.deadline, 3 * SEC + 10 * MSEC);
	receive(&b, CONFIGURE_REQUEST, 1, "01040001", 20 * MSEC);
	check_int(sent(&b, frame), CONFIGURE_ACK);
	check_int(b.queue.len, 0);
}

static void open_pair(struct bench *b)
{
	uint8_t frame[1504];

	bench_init(b, true, 0);
	fsm_event(&b->f, FSM_OPEN, 0);
	fsm_event(&b->f, FSM_UP, 0);
	receive(b, CONFIGURE_ACK, 1, "01040000", 0);
	receive(b, CONFIGURE_REQUEST, 1, "01040001", 0);
	while (sent(b, frame))
		;
	(void)fsm_take_signals(&b->f);
}

static void a_repeated_request_in_opened_is_acknowledged_and_changes_nothing(void)
{
	static struct bench b;
	uint8_t frame[1504];

	open_pair(&b);
	check_int(b.f.state, FSM_OPENED);
	receive(&b, CONFIGURE_REQUEST, 3, "01040001", SEC);
	check_int(sent(&b, frame), CONFIGURE_ACK);
	check_int(frame[5], 3);
	check_int(b.f.state, FSM_OPENED);
	check_int(fsm_take_signals(&b.f), 0);
	receive(&b, CONFIGURE_ACK, 1, "01040000", SEC); /* the Ack of a repetition */
	check_int(b.f.state, FSM_OPENED);
	receive(&b, CONFIGURE_REQUEST, 4, "01040002", SEC);
	check_int(b.f.state, FSM_ACK_SENT);
	check_int(fsm_take_signals(&b.f), FSM_SIGNAL_DOWN);
}

/* Only a repetition of the same identifier says nothing new for ever. */
static void the_same_wishes_long_after_are_a_new_negotiation(void)
{
	static struct bench b;
	uint8_t frame[1504];

	open_pair(&b);
	receive(&b, CONFIGURE_REQUEST, 1, "01040001", 100 * SEC);
	receive(&b, CONFIGURE_REQUEST, 2, "01040001", FSM_REPEAT_TIME - 1);
	check_int(b.f.state, FSM_OPENED);
	receive(&b, CONFIGURE_REQUEST, 2, "01040001", 200 * SEC);
	check_int(b.f.state, FSM_ACK_SENT);
	check_int(fsm_take_signals(&b.f), FSM_SIGNAL_DOWN);
	check_int(sent(&b, frame), CONFIGURE_ACK);

	open_pair(&b);
	b.f.locked = true; /* by a login, which cannot be made again */
	receive(&b, CONFIGURE_REQUEST, 2, "01040001", 200 * SEC);
	check_int(b.f.state, FSM_OPENED);
}

/* Longer than what is remembered of a request: nothing else is mistaken for it. */
static void nothing_repeats_an_overlong_request(void)
{
	static struct bench b;
	static char options[8 * 70 + 1];

	open_pair(&b);
	for (size_t i = 0; i < 70; i++)
		memcpy(options + 8 * i, "01040001", 9);
	receive(&b, CONFIGURE_REQUEST, 2, options, SEC);
	receive(&b, CONFIGURE_ACK, 2, "01040000", SEC);
	check_int(b.f.state, FSM_OPENED);
	(void)fsm_take_signals(&b.f);
	receive(&b, CONFIGURE_REQUEST, 2, "", SEC);
	check_int(fsm_take_signals(&b.f), FSM_SIGNAL_DOWN);
}

static void a_locked_layer_ends_when_renegotiated(void)
{
	static struct bench b;
	uint8_t frame[1504];

	open_pair(&b);
	b.f.locked = true;
	receive(&b, CONFIGURE_REQUEST, 4, "01040002", SEC);
	check_int(sent(&b, frame), TERMINATE_REQUEST);
	check_int(fsm_take_signals(&b.f), FSM_SIGNAL_DOWN);
	check_int(b.f.reason, FSM_REASON_RENEGOTIATED);
}

static void answers_that_do_not_match_the_request_are_dropped(void)
{
	static const struct {
		uint8_t code, id;
		const char *data;
	} bad[] = {
		{ CONFIGURE_ACK, 2, "01040000" },	/* identifier */
		{ CONFIGURE_ACK, 1, "01040001" },	/* value */
		{ CONFIGURE_ACK, 1, "" },		/* nothing */
		{ CONFIGURE_ACK, 1, "0104000001" },	/* longer */
		{ CONFIGURE_NAK, 2, "01040007" },	/* identifier */
		{ CONFIGURE_NAK, 1, "010400" },		/* cut off */
		{ CONFIGURE_NAK, 1, "0104000702" },	/* trailing byte */
		{ CONFIGURE_REJECT, 1, "05040000" },	/* never sent */
		{ CONFIGURE_REJECT, 0, "01040000" },	/* identifier */
		{ CONFIGURE_REJECT, 1, "01010000" },	/* option length 1 */
		{ CONFIGURE_REJECT, 1, "01000000" },	/* option length 0 */
		{ CONFIGURE_REQUEST, 1, "0100" },	/* the same in a request */
		{ CONFIGURE_REQUEST, 1, "0101" },	/* … */
		{ CONFIGURE_REQUEST, 1, "01040001ff" }, /* … */
		{ CODE_REJECT, 1, "" },
	};
	static struct bench b;
	uint8_t frame[1504];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		bench_init(&b, false, 0);
		fsm_event(&b.f, FSM_OPEN, 0);
		fsm_event(&b.f, FSM_UP, 0);
		(void)sent(&b, frame);
		printf("# row %zu\n", i);
		receive(&b, bad[i].code, bad[i].id, bad[i].data, 0);
		check_int(b.f.state, FSM_REQ_SENT);
		check_int(b.queue.len, 0);
		check_int(b.generation, 0);
	}
}

static void a_new_request_has_a_new_identifier(void)
{
	static struct bench b;
	uint8_t frame[1504];

	bench_init(&b, false, 0);
	fsm_event(&b.f, FSM_OPEN, 0);
	fsm_event(&b.f, FSM_UP, 0);
	(void)sent(&b, frame);
	receive(&b, CONFIGURE_NAK, 1, "01040007", 0);
	check_int(sent(&b, frame), CONFIGURE_REQUEST);
	check_int(frame[5], 2);
	check_int(frame[11], 1);		      /* and the layer's new value */
	receive(&b, CONFIGURE_NAK, 1, "01040007", 0); /* the old one's answer, again */
	check_int(b.queue.len, 0);
}

static void rejects_go_before_naks_and_keep_order_and_bytes(void)
{
	static struct bench b;
	char hex[4096];
	uint8_t frame[1504];

	bench_init(&b, false, 0);
	fsm_event(&b.f, FSM_OPEN, 0);
	fsm_event(&b.f, FSM_UP, 0);
	(void)sent(&b, frame);
	receive(&b, CONFIGURE_REQUEST, 0, "09030a 02040001 01040003 0802", 0);
	size_t len = frame_queue_pop(&b.queue, frame, sizeof(frame));
	for (size_t i = 0; i < len; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", frame[i]);
	check_str(hex, "ff03802104000009"
		       "09030a0802");
	receive(&b, CONFIGURE_REQUEST, 1, "02040001 01040003", 0);
	len = frame_queue_pop(&b.queue, frame, sizeof(frame));
	for (size_t i = 0; i < len; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", frame[i]);
	check_str(hex, "ff03802103010008"
		       "02040007");
}

/* L5: unknown options up to the brim; the Reject ends at the border of an option. */
static void a_long_reject_ends_at_an_option_border(void)
{
	static struct bench b;
	static char hex[3200];
	uint8_t frame[1504];
	size_t options = PACKET_DATA_MAX / 7;

	bench_init(&b, false, 0);
	fsm_event(&b.f, FSM_OPEN, 0);
	fsm_event(&b.f, FSM_UP, 0);
	(void)sent(&b, frame);
	for (size_t i = 0; i < options; i++)
		memcpy(hex + 14 * i, "77070102030405", 15);
	receive(&b, CONFIGURE_REQUEST, 0, hex, 0);
	size_t len = frame_queue_pop(&b.queue, frame, sizeof(frame));
	check_int(len, 8 + 7 * options);
	check_int(frame[4], CONFIGURE_REJECT);
	check_int(frame[6] << 8 | frame[7], 4 + 7 * options);
}

static void naks_become_rejects_after_max_failure(void)
{
	static struct bench b;
	uint8_t frame[1504];

	bench_init(&b, false, 0);
	fsm_event(&b.f, FSM_OPEN, 0);
	fsm_event(&b.f, FSM_UP, 0);
	(void)sent(&b, frame);
	for (uint8_t i = 0; i < FSM_MAX_FAILURE; i++) {
		receive(&b, CONFIGURE_REQUEST, i, "02040001", 0);
		check_int(sent(&b, frame), CONFIGURE_NAK);
	}
	receive(&b, CONFIGURE_REQUEST, 9, "02040001", 0);
	check_int(sent(&b, frame), CONFIGURE_REJECT);
	check_mem(frame + 8, 4, ((uint8_t[]){ 2, 4, 0, 1 }), 4);
	receive(&b, CONFIGURE_REQUEST, 10, "01040001", 0); /* an Ack starts the count again */
	check_int(sent(&b, frame), CONFIGURE_ACK);
	receive(&b, CONFIGURE_REQUEST, 11, "02040001", 0);
	check_int(sent(&b, frame), CONFIGURE_NAK);
}

static void endless_naks_of_our_requests_end_the_layer(void)
{
	static struct bench b;
	uint8_t frame[1504];
	uint8_t id = 1;

	bench_init(&b, false, 0);
	fsm_event(&b.f, FSM_OPEN, 0);
	fsm_event(&b.f, FSM_UP, 0);
	while (b.f.state == FSM_REQ_SENT && id < 100) {
		check_int(sent(&b, frame), CONFIGURE_REQUEST);
		check_int(frame[5], id);
		receive(&b, CONFIGURE_NAK, id++, "01040007", 0);
	}
	check_int(id - 1, FSM_MAX_ROUNDS);
	check_int(b.f.reason, FSM_REASON_NO_AGREEMENT);
	check_int(b.f.state, FSM_STOPPED);
}

static void a_flood_of_requests_ends_the_layer(void)
{
	static struct bench b;
	uint8_t frame[1504];
	unsigned n = 0;

	bench_init(&b, false, 0);
	fsm_event(&b.f, FSM_OPEN, 0);
	fsm_event(&b.f, FSM_UP, 0);
	(void)sent(&b, frame);
	while (b.f.state == FSM_REQ_SENT && n < 100) {
		receive(&b, CONFIGURE_REQUEST, (uint8_t)n++, "09020902", 0);
		(void)sent(&b, frame);
	}
	check_int(n, FSM_MAX_REQUESTS + 1);
	check_int(b.f.reason, FSM_REASON_FLOOD);
}

/* To open in between does not make it another thing. */
static void opening_again_and_again_is_a_flood(void)
{
	static struct bench b;
	uint8_t frame[1504];
	char options[16];
	unsigned n = 0;

	open_pair(&b);
	for (; b.f.reason == FSM_REASON_NONE && n < 100; n++) {
		(void)snprintf(options, sizeof(options), "0104%04x", n + 2);
		receive(&b, CONFIGURE_REQUEST, (uint8_t)(n + 2), options, n * SEC);
		receive(&b, CONFIGURE_ACK, (uint8_t)(n + 2), "01040000", n * SEC);
		while (sent(&b, frame))
			;
	}
	check_int(n, FSM_MAX_REQUESTS); /* the first one was in open_pair() */
	check_int(b.f.reason, FSM_REASON_FLOOD);
}

/* A server that repeats its request from time to time does not do so too often. */
static void slow_repetitions_in_opened_are_no_flood(void)
{
	static struct bench b;
	uint8_t frame[1504];

	open_pair(&b);
	for (unsigned i = 0; i < 100; i++) {
		receive(&b, CONFIGURE_REQUEST, 1, "01040001", i * 11 * SEC);
		check_int(sent(&b, frame), CONFIGURE_ACK);
	}
	check_int(b.f.state, FSM_OPENED);
}

static void code_rejects_are_rate_limited_and_cut(void)
{
	static struct bench b;
	static char hex[3800];
	uint8_t frame[1504];
	unsigned answers = 0;

	open_pair(&b);
	memset(hex, '5', sizeof(hex) - 2);
	receive(&b, 99, 1, hex, SEC);
	check_int(frame_queue_pop(&b.queue, frame, sizeof(frame)), 8 + PACKET_DATA_MAX);
	check_int(frame[4], CODE_REJECT);
	check_int(frame[8], 99);
	for (int i = 0; i < 100; i++) {
		receive(&b, 99, 1, "", SEC);
		answers += sent(&b, frame) == CODE_REJECT;
	}
	check_int(answers, 9);
	receive(&b, 99, 1, "", 12 * SEC);
	check_int(sent(&b, frame), CODE_REJECT);
}

/* A full queue never keeps out what the automaton itself has to say. */
static void answers_leave_room_for_our_own_packets(void)
{
	static struct bench b;
	uint8_t frame[1504];
	bool terminated = false;

	open_pair(&b);
	for (int i = 0; i < 10000; i++)
		receive(&b, TERMINATE_REQUEST, (uint8_t)i, "", SEC);
	check(b.queue.len <= FRAME_QUEUE_SIZE / 2);
	open_pair(&b);
	for (int i = 0; i < 10000; i++)
		fsm_echo_reply(&b.f, 1, (const uint8_t *)"\0\0\0", 4, SEC);
	fsm_event(&b.f, FSM_CLOSE, SEC);
	for (uint8_t code; (code = sent(&b, frame));)
		terminated = code == TERMINATE_REQUEST;
	check(terminated);
}

int main(void)
{
	return run_tests(
		(struct test[]){ TEST(every_cell_is_as_printed),
				 TEST(every_cell_acts_as_printed),
				 TEST(unanswered_requests_are_resent_early_then_slowly),
				 TEST(no_early_resend_once_the_peer_was_heard),
				 TEST(the_configured_restart_time_is_kept),
				 TEST(an_unanswered_request_is_repeated_once_in_front_of_the_ack),
				 TEST(a_repeated_request_in_opened_is_acknowledged_and_changes_nothing),
				 TEST(the_same_wishes_long_after_are_a_new_negotiation),
				 TEST(nothing_repeats_an_overlong_request),
				 TEST(a_locked_layer_ends_when_renegotiated),
				 TEST(opening_again_and_again_is_a_flood),
				 TEST(answers_that_do_not_match_the_request_are_dropped),
				 TEST(a_new_request_has_a_new_identifier),
				 TEST(rejects_go_before_naks_and_keep_order_and_bytes),
				 TEST(a_long_reject_ends_at_an_option_border),
				 TEST(naks_become_rejects_after_max_failure),
				 TEST(endless_naks_of_our_requests_end_the_layer),
				 TEST(a_flood_of_requests_ends_the_layer),
				 TEST(slow_repetitions_in_opened_are_no_flood),
				 TEST(code_rejects_are_rate_limited_and_cut),
				 TEST(answers_leave_room_for_our_own_packets),
				 {} });
}
