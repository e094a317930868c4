/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client and a server that talk to each other through arrays, under one virtual clock. */
#include "call.h"

struct side {
	struct sstp s;
	uint8_t in[8192]; /* received, not yet taken */
	size_t in_len;
	unsigned events;
	struct failure failure;
	uint8_t frames[64]; /* the last byte of each PPP frame handed on */
	size_t frame_count;
};

struct pair {
	struct side client, server;
	usec_t now;
	size_t piece;	  /* bytes that arrive at once */
	bool cut, broken; /* the path is cut; an engine misbehaved */
};

static const uint8_t hlak[SSTP_HLAK_LEN] = { 1, 2, 3 };

static void pair_open(struct pair *p, size_t piece)
{
	struct sstp_config client = call_config(SSTP_CLIENT), server = call_config(SSTP_SERVER);

	*p = (struct pair){ .now = USEC_PER_SEC, .piece = piece };
	sstp_init(&p->client.s, &client);
	sstp_init(&p->server.s, &server);
	sstp_start(&p->server.s, p->now);
	sstp_start(&p->client.s, p->now);
}

/* Lets a side take what has arrived. */
static void take(struct pair *p, struct side *to)
{
	size_t pos = 0;

	for (;;) {
		struct sstp_input input;
		ssize_t n = sstp_input(&to->s, to->in + pos, to->in_len - pos, p->now, &input);

		if (n <= 0) {
			p->broken |= n < 0;
			break;
		}
		pos += (size_t)n;
		if (input.frame && to->frame_count < sizeof(to->frames))
			to->frames[to->frame_count++] = input.frame[input.frame_len - 1];
		if (pos == to->in_len)
			break;
	}
	memmove(to->in, to->in + pos, to->in_len - pos);
	to->in_len -= pos;
}

static void deliver(struct pair *p, struct side *to, const uint8_t *data, size_t len)
{
	for (size_t pos = 0; pos < len && !p->cut; pos += p->piece) {
		size_t n = MIN(p->piece, len - pos);

		memcpy(to->in + to->in_len, data + pos, n);
		to->in_len += n;
		take(p, to);
	}
}

static void pull(struct side *side)
{
	struct sstp_event e;

	while ((e = sstp_event(&side->s)).type != SSTP_EVENT_NONE) {
		side->events |= 1u << e.type;
		if (e.type == SSTP_EVENT_ENDED)
			side->failure = e.failure;
	}
}

/* Carries packets until both are quiet. */
static void settle(struct pair *p)
{
	for (int round = 0; round < 20; round++) {
		uint8_t out[SSTP_QUEUE_SIZE];
		size_t c = sstp_output(&p->client.s, out, sizeof(out));

		deliver(p, &p->server, out, c);
		size_t s = sstp_output(&p->server.s, out, sizeof(out));
		deliver(p, &p->client, out, s);
		pull(&p->client);
		pull(&p->server);
		if (c + s == 0)
			return;
	}
	p->broken = true;
}

/* Moves the clock to the next deadline of either side. */
static void advance(struct pair *p)
{
	usec_t c = sstp_deadline(&p->client.s), s = sstp_deadline(&p->server.s);

	p->now = MIN(c, s);
	sstp_timeout(&p->client.s, p->now);
	sstp_timeout(&p->server.s, p->now);
	settle(p);
}

static void connect_pair(struct pair *p, size_t piece, bool server_first)
{
	pair_open(p, piece);
	settle(p);
	sstp_authenticated(server_first ? &p->server.s : &p->client.s, hlak, p->now);
	settle(p);
	sstp_authenticated(server_first ? &p->client.s : &p->server.s, hlak, p->now);
	settle(p);
}

static void they_connect_however_the_stream_is_cut(void)
{
	for (size_t piece = 1; piece <= 130; piece++) {
		struct pair p;

		connect_pair(&p, piece, piece % 2);
		check(!p.broken);
		check_int(p.client.events, EVENT(LOWER_UP) | EVENT(CONNECTED));
		check_int(p.server.events, EVENT(LOWER_UP) | EVENT(CONNECTED));
		check_int(sstp_hash(&p.client.s), SSTP_HASH_SHA256);
		check_int(sstp_hash(&p.server.s), SSTP_HASH_SHA256);
	}
}

static void frames_pass_whole_and_in_order(void)
{
	for (size_t piece = 1; piece <= 60; piece++) {
		uint8_t stream[512];
		size_t len = 0;
		struct pair p;

		connect_pair(&p, piece, true);
		for (uint8_t i = 0; i < 20; i++) {
			size_t payload = 4 + i % 5;

			sstp_data_header(stream + len, payload);
			memcpy(stream + len + 4, "\xff\x03\x00\x21zzzz", payload);
			stream[len + 4 + payload - 1] = i;
			len += 4 + payload;
		}
		deliver(&p, &p.server, stream, len);
		check(!p.broken);
		check_int(p.server.frame_count, 20);
		for (uint8_t i = 0; i < 20; i++)
			check_int(p.server.frames[i], i);
		check_int(p.server.in_len, 0);
	}
}

static void different_keys_do_not_connect(void)
{
	static const uint8_t other[SSTP_HLAK_LEN] = { 1, 2, 4 };
	struct pair p;

	pair_open(&p, 1000);
	settle(&p);
	sstp_authenticated(&p.server.s, other, p.now);
	sstp_authenticated(&p.client.s, hlak, p.now);
	settle(&p);
	check(!(p.server.events & EVENT(CONNECTED)));
	while (sstp_state(&p.client.s) != SSTP_STATE_ENDED || sstp_state(&p.server.s) != SSTP_STATE_ENDED)
		advance(&p);
	check_int(p.client.failure.cause, CAUSE_SSTP_ABORTED);
	check(strstr(p.client.failure.detail, "crypto binding was probably refused"));
	check_str(p.server.failure.detail, "crypto binding refused: wrong compound MAC");
}

/* Both ends probe an idle call, and it lives for hours. */
static void an_idle_call_lives_on(void)
{
	struct pair p;

	connect_pair(&p, 3, true);
	usec_t start = p.now;
	while (p.now < start + 4 * 3600 * USEC_PER_SEC) {
		advance(&p);
		check(!p.broken);
		check(sstp_is_connected(&p.client.s) && sstp_is_connected(&p.server.s));
	}
}

static void a_cut_path_is_noticed_by_both(void)
{
	struct pair p;

	connect_pair(&p, 100, true);
	p.cut = true;
	usec_t start = p.now;
	while (sstp_state(&p.client.s) != SSTP_STATE_ENDED || sstp_state(&p.server.s) != SSTP_STATE_ENDED)
		advance(&p);
	check_int(p.now - start, 120 * USEC_PER_SEC);
	check_int(p.client.failure.cause, CAUSE_PEER_SILENT);
	check_int(p.server.failure.cause, CAUSE_PEER_SILENT);
}

static void either_side_can_end_it(void)
{
	for (int who = 0; who < 2; who++) {
		struct pair p;

		connect_pair(&p, 5, true);
		struct side *ends = who ? &p.server : &p.client, *hears = who ? &p.client : &p.server;
		usec_t start = p.now;
		sstp_disconnect(&ends->s, NULL, p.now);
		settle(&p);
		while (sstp_state(&hears->s) != SSTP_STATE_ENDED || sstp_state(&ends->s) != SSTP_STATE_ENDED)
			advance(&p);
		check(!p.broken);
		check_int(p.now - start, USEC_PER_SEC); /* the second timers */
		check_int(ends->failure.cause, CAUSE_NONE);
		check_int(hears->failure.cause, CAUSE_PEER_DISCONNECT);
		check(ends->events & EVENT(STOPPING) && hears->events & EVENT(STOPPING));
	}
}

static void a_collision_of_goodbyes_ends_well(void)
{
	struct pair p;

	connect_pair(&p, 100, true);
	sstp_disconnect(&p.client.s, NULL, p.now);
	sstp_disconnect(&p.server.s, NULL, p.now);
	settle(&p);
	while (sstp_state(&p.client.s) != SSTP_STATE_ENDED || sstp_state(&p.server.s) != SSTP_STATE_ENDED)
		advance(&p);
	check(!p.broken);
	check_int(p.client.failure.cause, CAUSE_NONE);
	check_int(p.server.failure.cause, CAUSE_NONE);
}

/* The client's authentication never ends: both abort after a minute, and both come to their end. */
static void a_stuck_authentication_ends(void)
{
	struct pair p;

	pair_open(&p, 100);
	settle(&p);
	while (sstp_state(&p.client.s) != SSTP_STATE_ENDED || sstp_state(&p.server.s) != SSTP_STATE_ENDED)
		advance(&p);
	check_int(p.now, 62 * USEC_PER_SEC);
	check_int(p.client.failure.cause, CAUSE_SSTP_TIMEOUT);
	check_int(p.server.failure.cause, CAUSE_SSTP_TIMEOUT);
}

int main(void)
{
	return run_tests((struct test[]){ TEST(they_connect_however_the_stream_is_cut),
					  TEST(frames_pass_whole_and_in_order),
					  TEST(different_keys_do_not_connect),
					  TEST(an_idle_call_lives_on),
					  TEST(a_cut_path_is_noticed_by_both),
					  TEST(either_side_can_end_it),
					  TEST(a_collision_of_goodbyes_ends_well),
					  TEST(a_stuck_authentication_ends),
					  {} });
}
