/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Client and server engine talk through arrays under a virtual clock, over perfect and over bad lines. */
#include "link.h"

#define LINE_MAX 64

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
		case PPP_EVENT_IPCP_DOWN:
			w->ipv4[server] = false;
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

/* Runs to the next thing that happens. False if nothing will before `limit`. */
static bool advance(struct world *w, usec_t limit)
{
	usec_t next = MIN(ppp_deadline(&w->client), ppp_deadline(&w->server));
	int a = next_frame(&w->to_client), b = next_frame(&w->to_server);

	if (a >= 0)
		next = MIN(next, w->to_client.frames[a].at);
	if (b >= 0)
		next = MIN(next, w->to_server.frames[b].at);
	if (next >= limit)
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
	while (!until(w) && advance(w, limit))
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
	check_int((a->local_id[0] | b->local_id[0]) & 2,
		  0); /* random ones are not universal: RFC 5072 §4.1 */
	check_str(b->user, "CORP\\alice");
	check_int(ppp_stage(&w->client), STAGE_UP);
	check(ppp_params(&w->client)->ipv4_up && ppp_params(&w->client)->ipv6_up);
	check(ppp_deadline(&w->client) == USEC_NEVER);
	check(ppp_deadline(&w->server) == USEC_NEVER);

	ppp_terminate(&w->client, w->now);
	settle(w);
	run(w, is_over, w->now + 10 * SEC);
	check(w->client_down && w->server_down);
	check_int(w->client_failure.cause, CAUSE_NONE);
	check_int(w->server_failure.cause, CAUSE_PEER_DISCONNECT);
	check(!ppp_params(&w->client)->ipv4_up);
}

/* Every method gives the same result on both sides; only MS-CHAPv2, in EAP or not, makes keys. */
static void every_method_logs_in(void)
{
	static const unsigned methods[] = { PPP_AUTH_MSCHAPV2, PPP_AUTH_EAP, PPP_AUTH_CHAP_MD5,
					    PPP_AUTH_PAP };
	static const uint8_t zero[32];

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		struct world *w = new_world(2 + i);
		struct ppp_config c = client_config(w), s = server_config(w);

		s.auth = c.auth = methods[i];
		begin(w, &c, &s, "alice", "s3cret");
		run(w, is_up, w->now + 60 * SEC);
		check(is_up(w));
		check_int(ppp_params(&w->client)->auth, methods[i]);
		check_int(ppp_params(&w->server)->auth, methods[i]);
		check_str(ppp_params(&w->server)->user, "alice");
		check_mem(ppp_params(&w->client)->hlak, 32, ppp_params(&w->server)->hlak, 32);
		check_int(memcmp(ppp_params(&w->client)->hlak, zero, 32) != 0,
			  methods[i] == PPP_AUTH_MSCHAPV2 || methods[i] == PPP_AUTH_EAP);
	}
}

static void a_wrong_password_or_user_fails_both_sides(void)
{
	static const unsigned methods[] = { PPP_AUTH_MSCHAPV2, PPP_AUTH_EAP, PPP_AUTH_CHAP_MD5,
					    PPP_AUTH_PAP };
	static const char *const logins[][2] = { { "alice", "s3creT" },
						 { "mallory", "s3cret" },
						 { "mallory", "" },
						 { "alice", "" },
						 { "alice", "s3cret1" } };
	static const uint8_t zero[32];

	for (size_t i = 0; i < ARRAY_SIZE(methods) * ARRAY_SIZE(logins); i++) {
		const char *const *login = logins[i % ARRAY_SIZE(logins)];
		struct world *w = new_world(20 + i);
		struct ppp_config c = client_config(w), s = server_config(w);

		s.auth = c.auth = methods[i / ARRAY_SIZE(logins)];
		begin(w, &c, &s, login[0], login[1]);
		run(w, is_over, w->now + 60 * SEC);
		check_int(w->client_failure.cause, CAUSE_AUTH_FAILED);
		check_int(w->server_failure.cause, CAUSE_AUTH_FAILED);
		check(strstr(ppp_params(&w->client)->peer_message, "Authentication failed") != NULL);
		check(strstr(w->client_failure.detail, "Authentication failed") != NULL);
		check(!w->client_authenticated && !w->server_authenticated);
		check_mem(ppp_params(&w->client)->hlak, 32, zero, 32);
		check_mem(ppp_params(&w->server)->hlak, 32, zero, 32);
	}
}

/* A server of several methods is brought to the best one that the client allows; its own order does not
 * count. */
static void the_best_allowed_method_is_taken(void)
{
	static const struct {
		unsigned client, server, result; /* result 0: no agreement */
	} rows[] = {
		{ PPP_AUTH_MSCHAPV2 | PPP_AUTH_PAP, PPP_AUTH_MSCHAPV2 | PPP_AUTH_PAP, PPP_AUTH_MSCHAPV2 },
		{ PPP_AUTH_CHAP_MD5 | PPP_AUTH_PAP, 0x07, PPP_AUTH_CHAP_MD5 },
		{ PPP_AUTH_PAP, 0x07, PPP_AUTH_PAP },
		{ PPP_AUTH_CHAP_MD5, 0x07, PPP_AUTH_CHAP_MD5 },
		{ 0x07, PPP_AUTH_PAP, PPP_AUTH_PAP },
		{ PPP_AUTH_MSCHAPV2 | PPP_AUTH_EAP, PPP_AUTH_EAP | PPP_AUTH_MSCHAPV2, PPP_AUTH_MSCHAPV2 },
		{ PPP_AUTH_MSCHAPV2 | PPP_AUTH_EAP, PPP_AUTH_EAP, PPP_AUTH_EAP },
		{ PPP_AUTH_EAP, 0x0f, PPP_AUTH_EAP },
		{ PPP_AUTH_EAP, PPP_AUTH_MSCHAPV2, 0 },
		{ PPP_AUTH_MSCHAPV2, PPP_AUTH_PAP | PPP_AUTH_CHAP_MD5, 0 },
		{ PPP_AUTH_PAP, PPP_AUTH_MSCHAPV2, 0 },
		{ PPP_AUTH_NONE, PPP_AUTH_MSCHAPV2, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct world *w = new_world(50 + i);
		struct ppp_config c = client_config(w), s = server_config(w);

		printf("# row %zu\n", i);
		c.auth = rows[i].client;
		s.auth = rows[i].server;
		begin(w, &c, &s, "alice", "s3cret");
		run(w, rows[i].result ? is_up : is_over, w->now + 60 * SEC);
		check_int(is_up(w), rows[i].result != 0);
		if (rows[i].result) {
			check_int(ppp_params(&w->client)->auth, rows[i].result);
		} else {
			check(w->client_failure.cause == CAUSE_AUTH_METHOD ||
			      w->server_failure.cause == CAUSE_AUTH_METHOD);
			check(!w->client_authenticated);
		}
	}
}

static void no_authentication_only_where_allowed(void)
{
	struct world *w = new_world(70);
	struct ppp_config c = client_config(w), s = server_config(w);

	s.auth = PPP_AUTH_NONE;
	c.auth |= PPP_AUTH_NONE;
	begin(w, &c, &s, "alice", "s3cret");
	run(w, is_up, w->now + 60 * SEC);
	check(is_up(w));
	check_int(ppp_params(&w->client)->auth, PPP_AUTH_NONE);

	w = new_world(71);
	c = client_config(w);
	s = server_config(w);
	s.auth = PPP_AUTH_NONE;
	begin(w, &c, &s, "alice", "s3cret");
	run(w, is_over, w->now + 60 * SEC);
	check_int(w->client_failure.cause, CAUSE_AUTH_UNSUPPORTED);
	check_str(w->client_failure.detail, "the server asks for no authentication, allowed is MS-CHAPv2");
	check(!w->client_authenticated);
}

static void ipv6_refused_leaves_ipv4_up(void)
{
	struct world *w = new_world(80);
	struct ppp_config c = client_config(w), s = server_config(w);
	bool told_down = false;

	s.ipv6 = false;
	begin(w, &c, &s, "alice", "s3cret");
	w->ipv6[0] = true; /* goes false when the event comes */
	for (int i = 0; i < 100 && advance(w, USEC_NEVER); i++)
		told_down |= !w->ipv6[0];
	check(told_down);
	check(w->ipv4[0] && w->ipv4[1]);
	check(!w->client_down && !w->server_down);
	check(ppp_params(&w->client)->ipv4_up && !ppp_params(&w->client)->ipv6_up);
}

static bool is_ipv6_up(const struct world *w)
{
	return w->ipv6[0] && w->ipv6[1];
}

static void ipv6_alone_is_a_session(void)
{
	struct world *w = new_world(81);
	struct ppp_config c = client_config(w), s = server_config(w);

	c.ipv4 = false;
	s.ipv4 = false;
	begin(w, &c, &s, "alice", "s3cret");
	run(w, is_ipv6_up, w->now + 60 * SEC);
	check(w->ipv6[0] && w->ipv6[1] && !w->ipv4[0]);
	check(ppp_deadline(&w->client) == USEC_NEVER);
	check_int(ppp_stage(&w->client), STAGE_UP);

	w = new_world(82);
	s.ipv4 = true;
	s.ipv6 = false;
	begin(w, &c, &s, "alice", "s3cret");
	run(w, is_over, w->now + 60 * SEC);
	check_int(w->client_failure.cause, CAUSE_IPCP_NO_ADDRESS);
}

static void ipv4_refused_ends_the_session(void)
{
	struct world *w = new_world(83);
	struct ppp_config c = client_config(w), s = server_config(w);

	s.ipv4 = false;
	begin(w, &c, &s, "alice", "s3cret");
	run(w, is_over, w->now + 60 * SEC);
	check_int(w->client_failure.cause, CAUSE_IPCP_REJECTED);
	check_str(w->client_failure.detail, "the server does not know IPCP");
}

/* A server without name servers rejects the options; the address still comes. */
static void name_servers_are_optional(void)
{
	struct world *w = new_world(84);
	struct ppp_config c = client_config(w), s = server_config(w);

	c.want_nbns = true;
	memset(s.server.dns, 0, sizeof(s.server.dns));
	s.server.nbns[0] = ipv4("10.0.0.9");
	begin(w, &c, &s, "alice", "s3cret");
	run(w, is_up, w->now + 60 * SEC);
	check(is_up(w));
	check_int(ppp_params(&w->client)->dns[0].s_addr, 0);
	check_int(ppp_params(&w->client)->nbns[0].s_addr, ipv4("10.0.0.9").s_addr);
	check_int(ppp_params(&w->client)->nbns[1].s_addr, 0);
	check_int(ppp_params(&w->client)->local.s_addr, ipv4("10.0.0.7").s_addr);
}

static bool never(const struct world *w)
{
	(void)w;
	return false;
}

static void late_credentials_are_used_at_once(void)
{
	static const unsigned methods[] = { PPP_AUTH_MSCHAPV2, PPP_AUTH_CHAP_MD5, PPP_AUTH_PAP };

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		struct world *w = new_world(90 + i);
		struct ppp_config c = client_config(w), s = server_config(w);
		struct secret secret = secret_of("s3cret");
		usec_t start = w->now;

		c.auth = s.auth = methods[i];
		begin(w, &c, &s, NULL, NULL);
		run(w, never,
		    start + 2 * SEC); /* the clock stands at the server's next resend at the latest */
		check_int(ppp_stage(&w->client), STAGE_AUTH);
		check(!w->server_authenticated && !w->server_down);
		w->now = start + 20 * SEC;
		check_int(ppp_set_credentials(&w->client, "alice", &secret), 0);
		check_int(ppp_deadline(&w->client), 0);
		run(w, is_up, start + 60 * SEC);
		check(is_up(w));
		check(w->now < start + 20 * SEC + 50 * MSEC);
	}
}

static void missing_credentials_end_in_a_named_cause(void)
{
	struct world *w = new_world(95);
	struct ppp_config c = client_config(w), s = server_config(w);
	usec_t start = w->now;

	c.auth_time = 10 * SEC;
	begin(w, &c, &s, NULL, NULL);
	run(w, is_over, start + 60 * SEC);
	check_int(w->client_failure.cause, CAUSE_AUTH_TIMEOUT);
	check_str(w->client_failure.detail, "MS-CHAPv2: no user name and password were given");
	check(w->now <= start + 11 * SEC);
	check_int(w->server_failure.cause, CAUSE_LCP_TERMINATED); /* the client said goodbye */
}

static void empty_or_endless_user_names_are_refused(void)
{
	struct world *w = new_world(96);
	struct ppp_config c = client_config(w);
	struct secret secret = secret_of("s3cret");
	char name[PPP_USER_MAX + 1];

	ppp_init(&w->client, &c);
	memset(name, 'a', sizeof(name));
	name[PPP_USER_MAX] = 0;
	check_int(ppp_set_credentials(&w->client, name, &secret), -EINVAL);
	check_int(ppp_set_credentials(&w->client, "", &secret), -EINVAL);
	name[PPP_USER_MAX - 1] = 0;
	check_int(ppp_set_credentials(&w->client, name, &secret), 0);
}

/* The longest of everything still fits. */
static void long_names_and_passwords_work(void)
{
	static const unsigned methods[] = { PPP_AUTH_MSCHAPV2, PPP_AUTH_CHAP_MD5, PPP_AUTH_PAP };
	char name[PPP_USER_MAX], secret[256];

	memset(name, 'n', sizeof(name));
	name[PPP_USER_MAX - 1] = 0;
	memset(secret, 's', sizeof(secret));
	secret[255] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		struct world *w = new_world(97 + i);
		struct ppp_config c = client_config(w), s = server_config(w);

		c.auth = s.auth = methods[i];
		begin(w, &c, &s, name, secret);
		run(w, is_over, w->now + 60 * SEC);
		check_int(w->client_failure.cause,
			  CAUSE_AUTH_FAILED); /* an answer came: it is no such user */
		check_str(ppp_params(&w->server)->user, "");
		check(strstr(w->server_failure.detail, "user nnnn") != NULL);
	}
}

static void ending_is_bounded_when_the_peer_is_gone(void)
{
	struct world *w = new_world(100);
	struct ppp_config c = client_config(w), s = server_config(w);

	begin(w, &c, &s, "alice", "s3cret");
	run(w, is_up, w->now + 60 * SEC);
	w->lost = 1000;
	usec_t start = w->now;
	unsigned sent = w->sent;
	ppp_terminate(&w->client, w->now);
	settle(w);
	check(!ppp_params(&w->client)->ipv4_up);
	while (!w->client_down && advance(w, USEC_NEVER))
		;
	check(w->client_down);
	check_int(w->client_failure.cause, CAUSE_NONE);
	check_int(w->now - start, 2 * SEC);
	check_int(w->sent - sent, 2); /* two Terminate-Requests */
}

/* Both sides end at once: nobody waits for the other. */
static void crossing_ends_are_quick(void)
{
	struct world *w = new_world(101);
	struct ppp_config c = client_config(w), s = server_config(w);

	begin(w, &c, &s, "alice", "s3cret");
	run(w, is_up, w->now + 60 * SEC);
	usec_t start = w->now;
	ppp_terminate(&w->client, w->now);
	ppp_terminate(&w->server, w->now);
	settle(w);
	run(w, is_over, w->now + 60 * SEC);
	check(is_over(w));
	check(w->now - start < 10 * MSEC);
	check_int(w->client_failure.cause, CAUSE_NONE);
	check_int(w->server_failure.cause, CAUSE_NONE);
}

static void a_link_that_lost_its_carrier_is_silent_and_can_begin_again(void)
{
	struct world *w = new_world(102);
	struct ppp_config c = client_config(w), s = server_config(w);
	uint8_t frame[1504];

	begin(w, &c, &s, "alice", "s3cret");
	ppp_lower_down(&w->client);
	check_int(ppp_output(&w->client, frame, sizeof(frame)), 0);
	check(ppp_deadline(&w->client) == USEC_NEVER);
	(void)input_hex(&w->client, "ff03c0210101000a0506c0ffee42", w->now);
	check_int(ppp_output(&w->client, frame, sizeof(frame)), 0);
	ppp_lower_down(&w->server);
	w->to_client.count = w->to_server.count = 0;
	ppp_lower_up(&w->server, w->now);
	ppp_lower_up(&w->client, w->now);
	settle(w);
	run(w, is_up, w->now + 60 * SEC);
	check(is_up(w));
}

struct statistics {
	unsigned runs, up, failed, hung;
	usec_t total, worst;
	uint64_t sent;
};

static struct statistics measure(unsigned runs, uint64_t seed, usec_t delay, unsigned lost, unsigned doubled,
				 unsigned reordered)
{
	struct statistics stat = { .runs = runs };

	for (unsigned i = 0; i < runs; i++) {
		struct world *w = new_world(seed + i);
		struct ppp_config c = client_config(w), s = server_config(w);
		usec_t start = w->now;

		w->delay = delay;
		w->lost = lost;
		w->doubled = doubled;
		w->reordered = reordered;
		begin(w, &c, &s, "alice", "s3cret");
		while (!is_up(w) && !w->client_down && !w->server_down && advance(w, start + 200 * SEC))
			;
		stat.sent += w->sent;
		if (w->client_failure.cause != CAUSE_NONE || w->server_failure.cause != CAUSE_NONE) {
			stat.failed++;
		} else if (w->ipv4[0] && w->ipv4[1]) { /* one side may have given IPv6 up */
			stat.up++;
			stat.total += w->now - start;
			stat.worst = MAX(stat.worst, w->now - start);
		} else {
			stat.hung++;
		}
	}
	printf("# delay %u ms lost %u doubled %u reordered %u: %u up, %u failed, %u hung; mean %u ms, worst "
	       "%u ms, "
	       "%u frames\n",
	       (unsigned)(delay / MSEC), lost, doubled, reordered, stat.up, stat.failed, stat.hung,
	       stat.up ? (unsigned)(stat.total / MSEC / stat.up) : 0, (unsigned)(stat.worst / MSEC),
	       (unsigned)(stat.sent / runs));
	return stat;
}

/* TLS loses nothing, but servers do. Whatever happens: up, or a named failure, and never a hang. */
static void bad_lines_end_in_a_session_or_a_cause(void)
{
	struct statistics s;

	s = measure(200, 1000, MSEC, 0, 200, 0);
	check_int(s.up, 200);
	check(s.worst < 50 * MSEC);
	s = measure(200, 2000, 20 * MSEC, 50, 0, 0);
	check_int(s.hung, 0);
	check(s.up >= 198);
	s = measure(200, 3000, 20 * MSEC, 150, 50, 0);
	check_int(s.hung, 0);
	check(s.up >= 170);
	s = measure(200, 4000, 20 * MSEC, 0, 100, 300);
	check_int(s.hung, 0);
	check(s.up >= 190);
	s = measure(200, 5000, 20 * MSEC, 400, 100, 300);
	check_int(s.hung, 0);
}

/* Early resends must not throw a slow but sound line back into negotiation. */
static void slow_lines_come_up_without_renegotiation(void)
{
	static const unsigned one_way_ms[] = { 1, 50, 149, 150, 151, 300, 500, 649, 650, 651, 900, 1400 };

	for (size_t i = 0; i < ARRAY_SIZE(one_way_ms); i++) {
		struct statistics s = measure(5, 6000, one_way_ms[i] * MSEC, 0, 0, 0);

		check_int(s.up, 5);
		/* LCP 1 round trip, MS-CHAPv2 1.5, IPCP 2, and up to one second for a lost start */
		check(s.worst <= 13 * one_way_ms[i] * MSEC);
	}
}

int main(void)
{
	return run_tests((struct test[]){ TEST(mschapv2_session_comes_up_and_ends),
					  TEST(every_method_logs_in),
					  TEST(a_wrong_password_or_user_fails_both_sides),
					  TEST(the_best_allowed_method_is_taken),
					  TEST(no_authentication_only_where_allowed),
					  TEST(ipv6_refused_leaves_ipv4_up),
					  TEST(ipv6_alone_is_a_session),
					  TEST(ipv4_refused_ends_the_session),
					  TEST(name_servers_are_optional),
					  TEST(late_credentials_are_used_at_once),
					  TEST(missing_credentials_end_in_a_named_cause),
					  TEST(empty_or_endless_user_names_are_refused),
					  TEST(long_names_and_passwords_work),
					  TEST(ending_is_bounded_when_the_peer_is_gone),
					  TEST(crossing_ends_are_quick),
					  TEST(a_link_that_lost_its_carrier_is_silent_and_can_begin_again),
					  TEST(bad_lines_end_in_a_session_or_a_cause),
					  TEST(slow_lines_come_up_without_renegotiation),
					  {} });
}
