/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two sessions, client and server, through arrays and on a virtual clock: no descriptor, no TLS. */
#include "session/session.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "test.h"

struct pair {
	struct session client, server;
	usec_t now;
	size_t piece;	   /* the stream is handed over in pieces of this size */
	bool mute_server;  /* nothing of the server arrives any more */
	bool nobody_looks; /* at the events */
	uint8_t to_server[1 << 16], to_client[1 << 16];
	size_t to_server_len, to_client_len;
	struct session_event client_end, server_end;
	unsigned client_up, server_up, client_ipv6, down;
	enum stage last_stage;
	uint8_t client_packet[5000], server_packet[5000]; /* the last that came out */
	size_t client_packet_len, server_packet_len;
	unsigned client_packets, server_packets;
};

static int password_of_alice(void *ctx, const char *user, struct secret *ret)
{
	(void)ctx;
	return strcmp(user, "alice") == 0 ? secret_set(ret, "s3cret", 6) : -2;
}

static struct session_config client_config(void)
{
	struct session_config c = { .role = SSTP_CLIENT,
				    .host = "vpn.example.test",
				    .random = random_system,
				    .sstp = { .random = random_system },
				    .ppp = { .auth = PPP_AUTH_MSCHAPV2,
					     .ipv4 = true,
					     .ipv6 = true,
					     .want_dns = true,
					     .random = random_system },
				    .tx = { .mtu = 1500 } };

	memset(c.sstp.cert_sha1, 1, sizeof(c.sstp.cert_sha1));
	memset(c.sstp.cert_sha256, 2, sizeof(c.sstp.cert_sha256));
	return c;
}

static struct session_config server_config(void)
{
	struct session_config c = client_config();

	c.role = SSTP_SERVER;
	c.ppp.server.password = password_of_alice;
	c.ppp.server.name = "server";
	(void)inet_pton(AF_INET, "10.9.0.1", &c.ppp.server.address);
	(void)inet_pton(AF_INET, "10.9.0.2", &c.ppp.server.peer_address);
	(void)inet_pton(AF_INET, "9.9.9.9", &c.ppp.server.dns[0]);
	return c;
}

static struct pair *pair_new(const struct session_config *client, const struct session_config *server)
{
	struct pair *p = calloc(1, sizeof(*p));

	if (!p || session_init(&p->client, client) < 0 || session_init(&p->server, server) < 0)
		abort();
	p->now = 1000 * USEC_PER_SEC;
	p->piece = SIZE_MAX;
	session_start(&p->client, p->now);
	session_start(&p->server, p->now);
	return p;
}

static void pair_free(struct pair *p)
{
	session_done(&p->client);
	session_done(&p->server);
	free(p);
}

static void login(struct pair *p, const char *user, const char *password)
{
	struct secret s = { 0 };

	(void)secret_set(&s, password, strlen(password));
	(void)session_set_credentials(&p->client, user, &s, p->now);
}

static void take_packets(struct session *s, uint8_t *last, size_t *last_len, unsigned *count)
{
	struct iovec iov[RX_IOV_MAX];
	int n;

	while ((n = session_tun_next(s, iov)) > 0) {
		*last_len = 0;
		for (int i = 0; i < n; i++) {
			memcpy(last + *last_len, iov[i].iov_base, iov[i].iov_len);
			*last_len += iov[i].iov_len;
		}
		++*count;
	}
}

/* Hands the waiting bytes over, a piece at a time. */
static void deliver(struct pair *p, struct session *to, uint8_t *bytes, size_t *len, uint8_t *last,
		    size_t *last_len, unsigned *count)
{
	size_t start = 0, end = 0;

	while (end < *len) {
		end = p->piece < *len - end ? end + p->piece : *len;
		for (size_t n = 1; n > 0 && start < end;) {
			n = session_input(to, bytes + start, end - start, p->now);
			take_packets(to, last, last_len, count);
			start += n;
		}
	}
	memmove(bytes, bytes + start, *len - start);
	*len -= start;
}

static bool collect(struct session *from, uint8_t *bytes, size_t size, size_t *len, usec_t now)
{
	bool any = false;
	size_t n;

	while (size - *len >= SESSION_CONTROL_MAX &&
	       (n = session_output(from, bytes + *len, size - *len, now)) > 0) {
		*len += n;
		any = true;
	}
	return any;
}

static void events(struct pair *p)
{
	struct session_event e;

	if (p->nobody_looks)
		return;
	while ((e = session_event(&p->client)).type != SESSION_EVENT_NONE) {
		if (e.type == SESSION_EVENT_ENDED)
			p->client_end = e;
		if (e.type == SESSION_EVENT_STAGE)
			p->last_stage = e.stage;
		p->client_up += e.type == SESSION_EVENT_UP;
		p->client_ipv6 += e.type == SESSION_EVENT_IPV6_UP;
		p->down += e.type == SESSION_EVENT_DOWN;
	}
	while ((e = session_event(&p->server)).type != SESSION_EVENT_NONE) {
		if (e.type == SESSION_EVENT_ENDED)
			p->server_end = e;
		p->server_up += e.type == SESSION_EVENT_UP;
	}
}

/* Runs both until they are quiet, then to the next deadlines, for at most `time`. */
static void run(struct pair *p, usec_t time)
{
	usec_t until = p->now + time;

	for (;;) {
		bool any;

		do {
			any = collect(&p->client, p->to_server, sizeof(p->to_server), &p->to_server_len,
				      p->now);
			any |= collect(&p->server, p->to_client, sizeof(p->to_client), &p->to_client_len,
				       p->now);
			if (p->mute_server)
				p->to_client_len = 0;
			deliver(p, &p->server, p->to_server, &p->to_server_len, p->server_packet,
				&p->server_packet_len, &p->server_packets);
			deliver(p, &p->client, p->to_client, &p->to_client_len, p->client_packet,
				&p->client_packet_len, &p->client_packets);
			events(p);
		} while (any);
		usec_t next = MIN(session_deadline(&p->client), session_deadline(&p->server));
		if (next > until)
			break;
		p->now = MAX(p->now, next);
		if (session_deadline(&p->client) <= p->now)
			session_timeout(&p->client, p->now);
		if (session_deadline(&p->server) <= p->now)
			session_timeout(&p->server, p->now);
		events(p);
	}
	p->now = until;
}

static void send_packet(struct session *from, const void *packet, size_t len, usec_t now)
{
	size_t size;
	uint8_t *buffer = session_tun_reserve(from, &size);

	memcpy(buffer, packet, len);
	session_tun_commit(from, len, now);
}

/* 10.9.0.2 → 10.9.0.1, ICMP echo, checksums right (vectors.json ppp_frames.ipv4_packet has the same form). */
static const uint8_t ipv4_packet[] = { 0x45, 0, 0,  28, 0, 0, 0x40, 0, 0x40, 1,	   0x26, 0xca, 10, 8,
				       0,    7, 10, 8,	0, 1, 8,    0, 0xf7, 0xfd, 0,	 1,    0,  0,
				       /* id, seq */ };

static void a_session_comes_up_and_carries_packets(void)
{
	struct session_config c = client_config(), s = server_config();
	struct pair *p = pair_new(&c, &s);

	login(p, "alice", "s3cret");
	run(p, USEC_PER_SEC);
	check_int(p->client_up, 1);
	check_int(p->server_up, 1);
	check_int(p->client_ipv6, 1);
	check_int(p->last_stage, STAGE_IPCP);
	char text[INET_ADDRSTRLEN];
	const struct ppp_params *params = session_params(&p->client);
	check_str(inet_ntop(AF_INET, &params->local, text, sizeof(text)), "10.9.0.2");
	check_str(inet_ntop(AF_INET, &params->peer, text, sizeof(text)), "10.9.0.1");
	check_str(inet_ntop(AF_INET, &params->dns[0], text, sizeof(text)), "9.9.9.9");
	check_int(sstp_hash(&p->client.sstp), SSTP_HASH_SHA256);

	send_packet(&p->client, ipv4_packet, sizeof(ipv4_packet), p->now);
	send_packet(&p->server, ipv4_packet, sizeof(ipv4_packet), p->now);
	run(p, 0);
	check_mem(p->server_packet, p->server_packet_len, ipv4_packet, sizeof(ipv4_packet));
	check_mem(p->client_packet, p->client_packet_len, ipv4_packet, sizeof(ipv4_packet));
	pair_free(p);
}

static void every_split_of_the_stream_is_the_same(void)
{
	for (size_t piece = 1; piece < 40; piece += piece < 10 ? 1 : 7) {
		struct session_config c = client_config(), s = server_config();
		struct pair *p = pair_new(&c, &s);

		p->piece = piece;
		login(p, "alice", "s3cret");
		run(p, USEC_PER_SEC);
		check_int(p->client_up, 1);
		send_packet(&p->server, ipv4_packet, sizeof(ipv4_packet), p->now);
		run(p, 0);
		check_int(p->client_packets, 1);
		pair_free(p);
	}
}

static void more_packets_than_a_batch_all_arrive(void)
{
	struct session_config c = client_config(), s = server_config();
	struct pair *p = pair_new(&c, &s);

	login(p, "alice", "s3cret");
	run(p, USEC_PER_SEC);
	for (int i = 0; i < 1600; i++)
		send_packet(&p->client, ipv4_packet, sizeof(ipv4_packet), p->now);
	run(p, 0);
	check_int(p->server_packets, 1600);
	pair_free(p);
}

/* The server gives other addresses in the running session: nothing of IPv4 flows until both have agreed. */
static void a_running_session_is_renumbered(void)
{
	struct session_config c = client_config(), s = server_config();
	struct pair *p = pair_new(&c, &s);
	char text[INET_ADDRSTRLEN];

	login(p, "alice", "s3cret");
	run(p, 20 * USEC_PER_SEC); /* what comes soon with the server's old wishes may be a repetition */
	(void)inet_pton(AF_INET, "10.9.7.2", &s.ppp.server.peer_address);
	(void)inet_pton(AF_INET, "9.9.9.10", &s.ppp.server.dns[0]);
	session_renumber(&p->server, &s.ppp.server, p->now);
	(void)collect(&p->server, p->to_client, sizeof(p->to_client), &p->to_client_len, p->now);
	deliver(p, &p->client, p->to_client, &p->to_client_len, p->client_packet, &p->client_packet_len,
		&p->client_packets);
	check_int(p->client.ppp.params.ipv4_up, false);
	send_packet(&p->client, ipv4_packet, sizeof(ipv4_packet), p->now);
	run(p, USEC_PER_SEC);
	check_int(p->server_packets, 0);
	check_int(p->client_up, 2);
	check_int(p->server_up, 2);
	check_int(p->down, 0);
	const struct ppp_params *params = session_params(&p->client);
	check_str(inet_ntop(AF_INET, &params->local, text, sizeof(text)), "10.9.7.2");
	check_str(inet_ntop(AF_INET, &params->peer, text, sizeof(text)), "10.9.0.1");
	check_str(inet_ntop(AF_INET, &params->dns[0], text, sizeof(text)), "9.9.9.10");
	send_packet(&p->client, ipv4_packet, sizeof(ipv4_packet), p->now);
	send_packet(&p->server, ipv4_packet, sizeof(ipv4_packet), p->now);
	run(p, 0);
	check_int(p->server_packets, 1);
	check_int(p->client_packets, 1);
	pair_free(p);
}

static void a_wrong_password_ends_both_with_the_cause(void)
{
	struct session_config c = client_config(), s = server_config();
	struct pair *p = pair_new(&c, &s);

	login(p, "alice", "wrong");
	run(p, 20 * USEC_PER_SEC);
	check_int(p->client_up, 0);
	check_int(p->client_end.type, SESSION_EVENT_ENDED);
	check_int(p->client_end.failure.cause, CAUSE_AUTH_FAILED);
	check_int(p->server_end.type, SESSION_EVENT_ENDED);
	pair_free(p);
}

static void a_login_method_that_is_not_allowed_is_the_cause(void)
{
	static const unsigned methods[] = { PPP_AUTH_PAP, PPP_AUTH_CHAP_MD5 };
	struct session_config c = client_config(), s = server_config();

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		s.ppp.auth = methods[i];
		struct pair *p = pair_new(&c, &s);
		login(p, "alice", "s3cret");
		run(p, 20 * USEC_PER_SEC);
		check_int(p->client_end.failure.cause, CAUSE_AUTH_METHOD);
		pair_free(p);
	}
}

static void the_server_refuses_another_certificate(void)
{
	struct session_config c = client_config(), s = server_config();

	c.sstp.cert_sha256[5] ^= 1; /* somebody in the middle presented another one */
	struct pair *p = pair_new(&c, &s);
	login(p, "alice", "s3cret");
	run(p, 20 * USEC_PER_SEC);
	check_int(p->client_up, 0);
	check_int(p->client_end.failure.cause, CAUSE_SSTP_ABORTED);
	pair_free(p);
}

static void no_packet_flows_before_the_session_is_up(void)
{
	struct session_config c = client_config(), s = server_config();
	struct pair *p = pair_new(&c, &s);

	run(p, USEC_PER_SEC); /* no credentials yet: it waits in authentication */
	check_int(session_stage(&p->client), STAGE_AUTH);
	send_packet(&p->client, ipv4_packet, sizeof(ipv4_packet), p->now);
	login(p, "alice", "s3cret");
	run(p, USEC_PER_SEC);
	check_int(p->client_up, 1);
	check_int(p->server_packets, 0);
	pair_free(p);
}

static void a_stop_is_orderly_on_both_sides(void)
{
	struct session_config c = client_config(), s = server_config();
	struct pair *p = pair_new(&c, &s);

	login(p, "alice", "s3cret");
	run(p, USEC_PER_SEC);
	session_stop(&p->client, NULL, p->now);
	run(p, 0); /* nobody waits for a timer */
	check_int(p->down, 1);
	check_int(p->client_end.type, SESSION_EVENT_ENDED);
	check_int(p->client_end.failure.cause, CAUSE_NONE);
	check_int(p->server_end.type, SESSION_EVENT_ENDED);
	check(p->server_end.failure.cause == CAUSE_LCP_TERMINATED ||
	      p->server_end.failure.cause == CAUSE_PEER_DISCONNECT);
	pair_free(p);
}

/* RFC 1661 §3.7: the link is being terminated, and whoever receives a packet now must throw it away. */
static void nothing_is_sent_while_it_is_stopped(void)
{
	struct session_config c = client_config(), s = server_config();
	struct pair *p = pair_new(&c, &s);

	login(p, "alice", "s3cret");
	run(p, USEC_PER_SEC);
	send_packet(&p->client, ipv4_packet, sizeof(ipv4_packet), p->now);
	session_stop(&p->client, NULL, p->now);
	send_packet(&p->client, ipv4_packet, sizeof(ipv4_packet), p->now);
	p->mute_server = true; /* the Terminate-Ack is long in coming */
	run(p, 0);
	check_int(p->server_packets, 0);
	check_int(tx_stats(p->client.tx)->packets, 0);
	check_int(tx_stats(p->client.tx)->closed, 2);
	pair_free(p);
}

/* A server that falls silent at some moment: the client ends by itself, and names the stage. */
static enum cause cause_of_silence(usec_t after, const char *password)
{
	struct session_config c = client_config(), s = server_config();
	struct pair *p = pair_new(&c, &s);

	if (password)
		login(p, "alice", password);
	run(p, after);
	p->mute_server = true;
	run(p, 200 * USEC_PER_SEC);
	enum cause cause = p->client_end.type == SESSION_EVENT_ENDED ? p->client_end.failure.cause
								     : CAUSE_NONE;
	pair_free(p);
	return cause;
}

static void silence_ends_in_a_named_stage(void)
{
	struct session_config c = client_config(), s = server_config();
	struct pair *p = pair_new(&c, &s);

	p->mute_server = true; /* from the first byte */
	run(p, 100 * USEC_PER_SEC);
	check_int(p->client_end.failure.cause, CAUSE_HTTP_TIMEOUT);
	pair_free(p);
	check_int(cause_of_silence(USEC_PER_SEC, "s3cret"), CAUSE_PEER_SILENT);

	/* The timer of SSTP is over first; what is missing PPP knows. */
	p = pair_new(&c, &s);
	run(p, USEC_PER_SEC);
	p->mute_server = true;
	run(p, 100 * USEC_PER_SEC);
	check_int(p->client_end.failure.cause, CAUSE_AUTH_TIMEOUT);
	check_str(p->client_end.failure.detail, "MS-CHAPv2: no user name and password were given");
	pair_free(p);
}

static void a_lost_transport_tells_where(void)
{
	struct session_config c = client_config(), s = server_config();
	struct pair *p = pair_new(&c, &s);

	session_transport_lost(&p->client, "closed by the other side", p->now);
	events(p);
	check_int(p->client_end.failure.cause, CAUSE_HTTP_CLOSED);
	pair_free(p);

	p = pair_new(&c, &s);
	run(p, USEC_PER_SEC);
	session_transport_lost(&p->client, "reset by the other side", p->now);
	events(p);
	check_int(p->client_end.failure.cause, CAUSE_CONNECTION_LOST);
	check_int(failure_stage(&p->client_end.failure), STAGE_AUTH);
	check_str(p->client_end.failure.detail, "reset by the other side");
	pair_free(p);

	p = pair_new(&c, &s);
	login(p, "alice", "s3cret");
	run(p, USEC_PER_SEC);
	session_transport_lost(&p->client, "closed by the other side", p->now);
	events(p);
	check_int(p->client_end.failure.cause, CAUSE_CONNECTION_LOST);
	check_int(failure_stage(&p->client_end.failure), STAGE_UP);
	check_str(p->client_end.failure.detail, "closed by the other side, without a goodbye");
	pair_free(p);
}

static void a_refusal_that_is_cut_off_is_a_refusal(void)
{
	static const struct {
		const char *answer;
		enum cause cause;
		const char *detail;
	} cases[] = {
		{ "HTTP/1.1 403 Forbidden\r\nServer: Micro", CAUSE_HTTP_REFUSED,
		  "HTTP status 403 Forbidden" },
		{ "HTTP/1.1 405 No\r\n", CAUSE_HTTP_NOT_SSTP, "HTTP status 405 No" },
		{ "HTTP/1.1 200 OK\r\n", CAUSE_HTTP_CLOSED, "closed, in the middle of the HTTP answer" },
		{ "HTTP/1.1 4", CAUSE_HTTP_CLOSED, "closed, in the middle of the HTTP answer" },
		{ "HTTP/1.1 100 Continue\r\n", CAUSE_HTTP_CLOSED,
		  "closed, in the middle of the HTTP answer" },
	};
	struct session_config c = client_config(), s = server_config();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pair *p = pair_new(&c, &s);

		(void)session_input(&p->client, (const uint8_t *)cases[i].answer, strlen(cases[i].answer),
				    p->now);
		session_transport_lost(&p->client, "closed", p->now);
		events(p);
		check_int(p->client_end.failure.cause, cases[i].cause);
		check_str(p->client_end.failure.detail, cases[i].detail);
		pair_free(p);
	}
}

#define IPV6CP_OFFSET (SSTP_HEADER_LEN + PPP_HEADER_LEN)

/* A server that negotiates IPV6CP once more: its Configure-Request, and the Ack of the client's. */
static void negotiate_ipv6_again(struct session *client, uint8_t id, usec_t now)
{
	uint8_t request[] = { 0x10, 0, 0,  22, 0xff, 3, 0x80, 0x57, 1, id, 0,
			      14,   1, 10, 2,  0,    0, 0,    0,    0, 0,  id };
	uint8_t out[8192];

	(void)session_input(client, request, sizeof(request), now);
	size_t len = session_output(client, out, sizeof(out), now);
	for (size_t at = 0, n; at < len; at += n) {
		n = (size_t)out[at + 2] << 8 | out[at + 3];
		if (out[at + 6] != 0x80 || out[at + 7] != 0x57 || out[at + IPV6CP_OFFSET] != 1)
			continue;
		out[at + IPV6CP_OFFSET] = 2;
		(void)session_input(client, out + at, n, now);
	}
}

static void the_end_is_told_however_much_happened_before(void)
{
	struct session_config c = client_config(), s = server_config();
	struct pair *p = pair_new(&c, &s);
	struct session_event e, last = { .type = SESSION_EVENT_NONE };
	unsigned ipv6 = 0;

	login(p, "alice", "s3cret");
	run(p, USEC_PER_SEC);
	for (uint8_t id = 100; id < 119; id++) /* nobody looks meanwhile */
		negotiate_ipv6_again(&p->client, id, p->now);
	check(session_params(&p->client)->ipv6_up);
	check_int(session_params(&p->client)->peer_id[7], 118);
	while ((e = session_event(&p->client)).type != SESSION_EVENT_NONE)
		ipv6 += e.type == SESSION_EVENT_IPV6_UP || e.type == SESSION_EVENT_IPV6_DOWN;
	check_int(ipv6, 1);
	for (uint8_t id = 120; id < 139; id++)
		negotiate_ipv6_again(&p->client, id, p->now);
	session_transport_lost(&p->client, "closed", p->now);
	while ((e = session_event(&p->client)).type != SESSION_EVENT_NONE)
		last = e;
	check_int(last.type, SESSION_EVENT_ENDED);
	check_int(last.failure.cause, CAUSE_CONNECTION_LOST);
	pair_free(p);
}

/* Both come with what one recv(2) brings, and the end takes the parameters with it. */
static void what_was_up_and_is_over_is_not_told(void)
{
	struct session_config c = client_config(), s = server_config();
	struct pair *p = pair_new(&c, &s);
	struct session_event e;
	unsigned told = 0;

	login(p, "alice", "s3cret");
	p->nobody_looks = true;
	run(p, USEC_PER_SEC);
	check(session_is_open(&p->client));
	session_transport_lost(&p->client, "closed", p->now);
	while ((e = session_event(&p->client)).type != SESSION_EVENT_NONE) {
		told |= 1u << e.type;
		p->client_end = e;
	}
	check(!(told & (1u << SESSION_EVENT_UP | 1u << SESSION_EVENT_DOWN | 1u << SESSION_EVENT_IPV6_UP)));
	check_int(p->client_end.type, SESSION_EVENT_ENDED);
	check_int(p->client_end.failure.cause, CAUSE_CONNECTION_LOST);
	pair_free(p);
}

static void a_web_server_is_not_an_sstp_server(void)
{
	static const char page[] =
		"HTTP/1.1 405 Method Not Allowed\r\nServer: nginx\r\nContent-Length: 5\r\n\r\nsorry";
	struct session_config c = client_config();
	struct session *s = calloc(1, sizeof(*s));
	struct session_event e;

	check(s && session_init(s, &c) == 0);
	session_start(s, 1);
	check_int(session_input(s, (const uint8_t *)page, sizeof(page) - 1, 2), sizeof(page) - 1);
	e = session_event(s);
	check_int(e.type, SESSION_EVENT_ENDED);
	check_int(cause_stage(e.failure.cause), STAGE_HTTP);
	check(strstr(e.failure.detail, "405"));
	session_done(s);
	free(s);
}

int main(void)
{
	return run_tests((struct test[]){ TEST(a_session_comes_up_and_carries_packets),
					  TEST(every_split_of_the_stream_is_the_same),
					  TEST(more_packets_than_a_batch_all_arrive),
					  TEST(a_running_session_is_renumbered),
					  TEST(a_wrong_password_ends_both_with_the_cause),
					  TEST(a_login_method_that_is_not_allowed_is_the_cause),
					  TEST(the_server_refuses_another_certificate),
					  TEST(no_packet_flows_before_the_session_is_up),
					  TEST(a_stop_is_orderly_on_both_sides),
					  TEST(nothing_is_sent_while_it_is_stopped),
					  TEST(silence_ends_in_a_named_stage),
					  TEST(a_lost_transport_tells_where),
					  TEST(a_refusal_that_is_cut_off_is_a_refusal),
					  TEST(the_end_is_told_however_much_happened_before),
					  TEST(what_was_up_and_is_over_is_not_told),
					  TEST(a_web_server_is_not_an_sstp_server),
					  {} });
}
