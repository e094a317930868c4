/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Client and server engine talk through arrays under a virtual clock, over perfect and over bad lines. */
#include "link.h"

#define LINE_MAX 512

/* Frames on their way to one side. */
struct line {
	struct {
		usec_t at;
		uint64_t order;
		size_t len;
		uint8_t data[1504];
	} frames[LINE_MAX];
	size_t count;
};

struct world {
	struct dice dice;
	struct ppp client, server;
	struct line to_client, to_server;
	usec_t now, delay;
	uint64_t order;
	/* per thousand frames */
	unsigned lost, doubled, reordered;
	bool client_authenticated, server_authenticated, client_down, server_down;
	bool ipv4[2], ipv6[2];
	struct failure client_failure, server_failure;
	unsigned sent;
};

static int password(void *ctx, const char *user, struct secret *ret)
{
	(void)ctx;
	if (strcmp(user, "alice") != 0 && strcmp(user, "CORP\\alice") != 0)
		return -ENOENT;
	*ret = secret_of("s3cret");
	return 0;
}

static struct ppp_config client_config(struct world *w)
{
	return (struct ppp_config){ .role = PPP_CLIENT,
				    .auth = PPP_AUTH_MSCHAPV2,
				    .ipv4 = true,
				    .ipv6 = true,
				    .want_dns = true,
				    .random = dice_source(&w->dice) };
}

static struct ppp_config server_config(struct world *w)
{
	return (struct ppp_config){ .role = PPP_SERVER,
				    .auth = PPP_AUTH_MSCHAPV2 | PPP_AUTH_CHAP_MD5 | PPP_AUTH_PAP,
				    .ipv4 = true,
				    .ipv6 = true,
				    .random = dice_source(&w->dice),
				    .server = { .address = ipv4("10.0.0.1"),
						.peer_address = ipv4("10.0.0.7"),
						.dns = { ipv4("9.9.9.9"), ipv4("9.9.9.10") },
						.name = "srv",
						.password = password } };
}

static void put(struct world *w, struct line *line, const uint8_t *data, size_t len)
{
	usec_t at = w->now + w->delay;

	if (line->count == LINE_MAX)
		return;
	if (roll(&w->dice) % 1000 < w->reordered)
		at += roll(&w->dice) % (200 * MSEC);
	line->frames[line->count].at = at;
	line->frames[line->count].order = w->order++;
	line->frames[line->count].len = len;
	memcpy(line->frames[line->count++].data, data, len);
}

static void pump_output(struct world *w, struct ppp *from, struct line *line)
{
	uint8_t frame[1504];
	size_t len;

	while ((len = ppp_output(from, frame, sizeof(frame))) > 0) {
		w->sent++;
		if (roll(&w->dice) % 1000 >= w->lost)
			put(w, line, frame, len);
		if (roll(&w->dice) % 1000 < w->doubled)
			put(w, line, frame, len);
	}
}

static void take_events(struct world *w, struct ppp *p, bool server)
{
	struct ppp_event e;

	while ((e = ppp_event(p)).type != PPP_EVENT_NONE) {
		switch (e.type) {
		case PPP_EVENT_AUTHENTICATED:
			*(server ? &w->server_authenticated : &w->client_authenticated) = true;
			ppp_network_allowed(p, w->now);
			break;
		case PPP_EVENT_IPCP_UP:
			w->ipv4[server] = true;
			break;
		case PPP_EVENT_IPV6CP_UP:
			w->ipv6[server] = true;
			break;
		case PPP_EVENT_IPV6CP_DOWN:
			w->ipv6[server] = false;
			break;
		case PPP_EVENT_DOWN:
			*(server ? &w->server_down : &w->client_down) = true;
			*(server ? &w->server_failure : &w->client_failure) = e.failure;
			break;
		case PPP_EVENT_LCP_UP:
		case PPP_EVENT_NONE:
			break;
		}
	}
}

/* The frame that arrives next, or -1. */
static int next_frame(const struct line *line)
{
	int best = -1;

	for (size_t i = 0; i < line->count; i++)
		if (best < 0 || line->frames[i].at < line->frames[best].at ||
		    (line->frames[i].at == line->frames[best].at &&
		     line->frames[i].order < line->frames[best].order))
			best = (int)i;
	return best;
}

static bool deliver(struct world *w, struct line *line, struct ppp *to)
{
	int i = next_frame(line);

	if (i < 0 || line->frames[i].at > w->now)
		return false;
	(void)input(to, line->frames[i].data, line->frames[i].len, w->now);
	line->frames[i] = line->frames[--line->count];
	return true;
}

static void settle(struct world *w)
{
	do {
		take_events(w, &w->client, false);
		take_events(w, &w->server, true);
		pump_output(w, &w->client, &w->to_server);
		pump_output(w, &w->server, &w->to_client);
	} while (deliver(w, &w->to_server, &w->server) || deliver(w, &w->to_client, &w->client));
}

/* Runs to the next thing that happens. False if nothing ever will. */
static bool advance(struct world *w)
{
	usec_t next = MIN(ppp_deadline(&w->client), ppp_deadline(&w->server));
	int a = next_frame(&w->to_client), b = next_frame(&w->to_server);

	if (a >= 0)
		next = MIN(next, w->to_client.frames[a].at);
	if (b >= 0)
		next = MIN(next, w->to_server.frames[b].at);
	if (next == USEC_NEVER)
		return false;
	w->now = MAX(w->now, next);
	ppp_timeout(&w->client, w->now);
	ppp_timeout(&w->server, w->now);
	settle(w);
	return true;
}

static bool is_up(const struct world *w)
{
	return w->ipv4[0] && w->ipv4[1] && w->ipv6[0] && w->ipv6[1];
}

static bool is_over(const struct world *w)
{
	return w->client_down && w->server_down;
}

static void begin(struct world *w, const struct ppp_config *client, const struct ppp_config *server,
		  const char *user, const char *secret)
{
	ppp_init(&w->client, client);
	ppp_init(&w->server, server);
	if (user) {
		struct secret s = secret_of(secret);
		(void)ppp_set_credentials(&w->client, user, &s);
	}
	ppp_lower_up(&w->server, w->now);
	ppp_lower_up(&w->client, w->now);
	settle(w);
}

static void run(struct world *w, bool (*until)(const struct world *w), usec_t limit)
{
	while (!until(w) && w->now < limit && advance(w))
		;
}

static struct world *new_world(uint64_t seed)
{
	static struct world w;

	w = (struct world){ .dice.state = seed, .now = 1000 * SEC, .delay = MSEC };
	return &w;
}

static void mschapv2_session_comes_up_and_ends(void)
{
	struct world *w = new_world(1);
	struct ppp_config c = client_config(w), s = server_config(w);
	usec_t start = w->now;

	c.mru = 4000;
	begin(w, &c, &s, "CORP\\alice", "s3cret");
	run(w, is_up, start + 60 * SEC);
	check(is_up(w));
	check(w->now - start < 30 * MSEC); /* no timer was needed */
	const struct ppp_params *a = ppp_params(&w->client), *b = ppp_params(&w->server);
	check_int(a->auth, PPP_AUTH_MSCHAPV2);
	check_mem(a->hlak, 32, b->hlak, 32);
	uint8_t zero[32] = { 0 };
	check(memcmp(a->hlak, zero, 32) != 0);
	check_int(a->local.s_addr, ipv4("10.0.0.7").s_addr);
	check_int(a->peer.s_addr, ipv4("10.0.0.1").s_addr);
	check_int(a->dns[0].s_addr, ipv4("9.9.9.9").s_addr);
	check_int(a->dns[1].s_addr, ipv4("9.9.9.10").s_addr);
	check_int(a->mru, 4000);
	check_int(b->peer_mru, 4000);
	check_int(a->peer_mru, 1500);
	check_mem(a->local_id, 8, b->peer_id, 8);
	check_mem(b->local_id, 8, a->peer_id, 8);
	check_str(b->user, "CORP\\alice");
	check_int(ppp_stage(&w->client), STAGE_UP);
	check(ppp_can_send(&w->client, PPP_PROTO_IPV4) && ppp_can_send(&w->client, PPP_PROTO_IPV6));
	check(ppp_deadline(&w->client) == USEC_NEVER);
	check(ppp_deadline(&w->server) == USEC_NEVER);

	ppp_terminate(&w->client, w->now);
	settle(w);
	run(w, is_over, w->now + 10 * SEC);
	check(w->client_down && w->server_down);
	check_int(w->client_failure.cause, CAUSE_NONE);
	check_int(w->server_failure.cause, CAUSE_PEER_DISCONNECT);
	check(!ppp_can_send(&w->client, PPP_PROTO_IPV4));
}

int main(void)
{
	return run_tests((struct test[]){ TEST(mschapv2_session_comes_up_and_ends), {} });
}
