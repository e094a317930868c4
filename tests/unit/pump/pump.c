/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two pumps with TLS on a TCP connection of this host. As in the worker a pump runs only where it said that
 * there is more to do, or where poll(2) has news of what it wants; so what it leaves lying stays there. The
 * clock stands still: no packet is ever late.
 */
#include "pump/pump.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/macro.h"
#include "packets.h"
#include "pki.h"
#include "test.h"

#define NOW	    (1000 * USEC_PER_SEC)
#define PACKETS	    600u
#define PACKET_LEN  1400u
#define TURNS_MAX   20000
#define PATIENCE_MS 5000
#define LITTLE	    16384 /* a receive buffer */
#define MUCH	    (4 << 20)
#define PAYLOAD	    400u /* what is read at once is no multiple of RX_GROUP_MAX of these */

struct end {
	struct session session;
	struct tls *tls;
	struct pump pump;
	int socket, feed; /* feed: where the test writes what the pump reads from its TUN */
	bool more;
	usec_t now;
	unsigned turns, fed;
};

struct pair {
	struct identity id;
	struct tls_server *server_tls;
	struct end client, server;
};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(99);
}

/* `sndbuf` of the sender, 0: as it is. MUCH for the receiver takes root. */
static void tcp_pair(int fds[static 2], int sndbuf, int rcvbuf)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(a);
	_cleanup_close_ int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(listener >= 0 && bind(listener, (struct sockaddr *)&a, sizeof(a)) == 0, "bind");
	must(setsockopt(listener, SOL_SOCKET, rcvbuf == MUCH ? SO_RCVBUFFORCE : SO_RCVBUF, &rcvbuf,
			sizeof(rcvbuf)) == 0,
	     "SO_RCVBUF");
	must(listen(listener, 1) == 0 && getsockname(listener, (struct sockaddr *)&a, &len) == 0, "listen");
	fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(fds[0] >= 0, "socket");
	if (sndbuf)
		must(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof(sndbuf)) == 0, "SO_SNDBUF");
	must(connect(fds[0], (struct sockaddr *)&a, sizeof(a)) == 0, "connect");
	fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	must(fds[1] >= 0, "accept");
}

static int password_of_alice(void *ctx, const char *user, struct secret *ret)
{
	(void)ctx;
	return strcmp(user, "alice") == 0 ? secret_set(ret, "s3cret", 6) : -ENOENT;
}

static struct session_config config_of(enum sstp_role role)
{
	struct session_config c = {
		.role = role,
		.host = "vpn.example.test",
		.random = random_system,
		.sstp = { .random = random_system },
		.ppp = { .auth = PPP_AUTH_MSCHAPV2, .ipv4 = true, .random = random_system },
		.tx = { .mtu = 1500 }
	};

	if (role == SSTP_SERVER) {
		c.ppp.server.password = password_of_alice;
		c.ppp.server.name = "server";
		c.rx.vnet_hdr = true;
		must(inet_pton(AF_INET, "10.9.0.1", &c.ppp.server.address) == 1 &&
			     inet_pton(AF_INET, "10.9.0.2", &c.ppp.server.peer_address) == 1,
		     "inet_pton");
	}
	return c;
}

static void end_open(struct end *e, enum sstp_role role)
{
	struct session_config config = config_of(role);
	int tun[2];

	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, tun) == 0, "socketpair");
	e->feed = tun[1];
	must(session_init(&e->session, &config) == 0, "session");
	must(pump_init(&e->pump, &e->session, e->tls, e->socket, tun[0]) == 0, "pump");
	e->pump.rate.next_time = USEC_NEVER; /* no path is as fast as this one: keep the limit of the start */
	e->now = NOW;
	session_start(&e->session, e->now);
	e->more = true;
}

static void end_close(struct end *e)
{
	pump_done(&e->pump);
	session_done(&e->session);
	tls_free(e->tls);
	(void)close_fd(e->pump.tun);
	(void)close_fd(e->feed);
	(void)close_fd(e->socket);
}

static void tls_open(struct pair *p)
{
	struct failure f = { 0 };
	_cleanup_free_ char *cert = pem_of_certs((X509 *[]){ p->id.cert, NULL });
	_cleanup_free_ char *key = pem_of_key(p->id.key);
	struct tls_server_config config = {
		.cert_pem = cert, .cert_pem_len = strlen(cert), .key_pem = key, .key_pem_len = strlen(key)
	};
	struct tls_policy policy = { .host = "vpn.example.test", .ca_pem = cert, .ca_pem_len = strlen(cert) };
	int client = -EAGAIN, server = -EAGAIN;

	must(tls_server_new(&config, &p->server_tls, &f) == 0, "server");
	must(tls_server_accept(p->server_tls, p->server.socket, &p->server.tls) == 0, "session");
	must(tls_client_new(&policy, p->client.socket, &p->client.tls, &f) == 0, "client");
	for (int i = 0; i < TURNS_MAX && (client == -EAGAIN || server == -EAGAIN); i++) {
		client = client == -EAGAIN ? tls_handshake(p->client.tls) : client;
		server = server == -EAGAIN ? tls_handshake(p->server.tls) : server;
		if (client == -EAGAIN)
			(void)poll(&(struct pollfd){ p->client.socket, POLLIN, 0 }, 1, 10);
	}
	must(client == 0 && server == 0, "handshake");
}

/* Fills the TUN as far as it goes. */
static void feed(struct end *e, unsigned packets)
{
	uint8_t p[PACKET_LEN] = { 0x45, [2] = PACKET_LEN >> 8, PACKET_LEN & 0xff, [8] = 64, 1, [12] = 10, 9 };

	while (e->fed < packets && write(e->feed, p, sizeof(p)) == (ssize_t)sizeof(p))
		e->fed++;
}

static short events_of(uint32_t events)
{
	return (short)((events & EPOLLIN ? POLLIN : 0) | (events & EPOLLOUT ? POLLOUT : 0));
}

/* What one end waits for. */
static void wants(const struct end *e, struct pollfd f[static 2])
{
	uint32_t socket, tun;

	pump_wants(&e->pump, &socket, &tun);
	f[0] = (struct pollfd){ e->socket, events_of(socket), 0 };
	f[1] = (struct pollfd){ tun ? e->pump.tun : -1, events_of(tun), 0 };
}

static void turn(struct end *e, const struct pollfd f[static 2])
{
	struct session_event event;

	if (f[0].revents)
		pump_socket_ready(&e->pump, (f[0].revents & POLLIN ? EPOLLIN : 0u) |
						    (f[0].revents & POLLOUT ? EPOLLOUT : 0u));
	if (f[1].revents)
		pump_tun_ready(&e->pump);
	if (!e->more && !f[0].revents && !f[1].revents)
		return;
	e->turns++;
	e->more = pump_run(&e->pump, e->now);
	while ((event = session_event(&e->session)).type != SESSION_EVENT_NONE)
		e->more = true;
}

/* Lets both ends, or only the first, go on. False if there is nothing to wait for but time. */
static bool run(struct end *a, struct end *b, int patience_ms)
{
	struct pollfd f[4];

	wants(a, f);
	if (b)
		wants(b, f + 2);
	if (poll(f, b ? 4 : 2, a->more || (b && b->more) ? 0 : patience_ms) == 0 && !a->more &&
	    !(b && b->more))
		return false;
	turn(a, f);
	if (b)
		turn(b, f + 2);
	return true;
}

static uint64_t received(const struct end *e)
{
	return rx_stats(e->session.rx)->packets;
}

static struct pair *pair_new(int sndbuf, int rcvbuf)
{
	struct pair *p = calloc(1, sizeof(*p));
	_cleanup_(secret_wipe) struct secret password = { 0 };
	int fds[2];

	must(p, "memory");
	p->id = identity_new(
		&(struct identity_spec){ .cn = "test", .san = "DNS:vpn.example.test", .ca = true });
	tcp_pair(fds, sndbuf, rcvbuf);
	p->client.socket = fds[0];
	p->server.socket = fds[1];
	tls_open(p);
	end_open(&p->client, SSTP_CLIENT);
	end_open(&p->server, SSTP_SERVER);
	(void)secret_set(&password, "s3cret", 6);
	must(session_set_credentials(&p->client.session, "alice", &password, NOW) == 0, "password");
	for (int i = 0;
	     i < TURNS_MAX && !(session_is_open(&p->client.session) && session_is_open(&p->server.session));
	     i++)
		must(run(&p->client, &p->server, PATIENCE_MS), "the session comes up");
	must(session_is_open(&p->client.session) && session_is_open(&p->server.session), "it is up");
	return p;
}

static void pair_free(struct pair *p)
{
	end_close(&p->client);
	end_close(&p->server);
	tls_server_free(p->server_tls);
	identity_free(&p->id);
	free(p);
}

/* All packets, from one end to the other. */
static bool all_arrive(struct end *from, struct end *to)
{
	for (int i = 0; i < TURNS_MAX && received(to) < PACKETS; i++) {
		feed(from, PACKETS);
		if (!run(from, to, PATIENCE_MS))
			break;
	}
	return received(to) == PACKETS && rx_stats(to->session.rx)->bytes == PACKETS * PACKET_LEN;
}

static bool nothing_lies_in(const struct end *e)
{
	return tx_backlog(e->session.tx) == 0 && e->pump.out_pos == e->pump.out_len &&
	       !tls_wants_write(e->tls) && e->pump.in_len == 0;
}

/* Loopback is a path so fast that the kernel's limit is left to the kernel; of one that is not known yet it
 * is ours. */
static void forget_the_rate(struct end *e, uint32_t limit)
{
	must(setsockopt(e->socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &limit, sizeof(limit)) == 0,
	     "TCP_NOTSENT_LOWAT");
	e->pump.rate.notsent_lowat = limit;
	e->pump.rate.next_time = USEC_NEVER;
	e->pump.rate.next_bytes = UINT64_MAX;
}

static void the_kernel_says_when_it_has_not_enough_any_more(void)
{
	struct pair *p = pair_new(0, LITTLE);
	struct end *client = &p->client;
	uint32_t socket, tun;

	forget_the_rate(client, 65536);
	/* The server reads nothing. */
	for (int i = 0; i < TURNS_MAX && !client->pump.full; i++) {
		feed(client, PACKETS);
		check(run(client, NULL, PATIENCE_MS));
	}
	check(client->pump.full);
	check(tx_backlog(client->session.tx) > 0);
	pump_wants(&client->pump, &socket, &tun);
	check(socket & EPOLLOUT);
	check_int(tun, 0);
	/* It waits, and does not turn in circles. */
	for (int i = 0; i < 100 && run(client, NULL, 20); i++)
		;
	check(client->pump.full);
	check(!client->more);
	unsigned turns = client->turns;
	check(!run(client, NULL, 20));
	check_int(client->turns, turns);

	check(all_arrive(client, &p->server));
	while (run(client, &p->server, 20))
		;
	check(!client->pump.full);
	check(!client->pump.corked);
	check(nothing_lies_in(client));
	check(nothing_lies_in(&p->server));
	pump_wants(&client->pump, &socket, &tun);
	check_int(socket, EPOLLIN);
	check_int(tun, EPOLLIN);
	pair_free(p);
}

/* Then it is not the limit that ends a write, but the buffer, and TLS keeps the rest. */
static void all_arrives_through_a_small_buffer(void)
{
	struct pair *p = pair_new(4096, LITTLE);
	bool waited = false;

	for (int i = 0; i < 100 && !waited; i++) {
		feed(&p->client, PACKETS);
		(void)run(&p->client, NULL, 20);
		waited = tls_wants_write(p->client.tls);
	}
	check(waited);
	check(all_arrive(&p->client, &p->server));
	check(nothing_lies_in(&p->client));
	pair_free(p);
}

/* One packet, sent by an end that knows these of its path. Returns when the kernel may keep its end until. */
static usec_t send_one(struct end *e, uint32_t segment, bool streams)
{
	e->pump.rate.tail_time = 5 * USEC_PER_MSEC;
	e->pump.rate.segment = segment;
	e->pump.rate.streams = streams;
	e->fed = 0;
	feed(e, 1);
	uint64_t before = tx_stats(e->session.tx)->packets;
	for (int i = 0; i < TURNS_MAX && tx_stats(e->session.tx)->packets == before; i++)
		must(run(e, NULL, PATIENCE_MS), "it goes on");
	return pump_deadline(&e->pump);
}

static void in_a_stream_the_end_of_a_segment_waits_for_more(void)
{
	struct pair *p = pair_new(0, LITTLE);
	struct end *client = &p->client;

	forget_the_rate(client, 65536);
	check_int(send_one(client, PACKET_LEN / 2, true), client->now + 5 * USEC_PER_MSEC);
	check(client->pump.corked);
	client->now += 5 * USEC_PER_MSEC;
	client->more = true;
	check(run(client, NULL, 0));
	check(!client->pump.corked);
	check_int(pump_deadline(&client->pump), USEC_NEVER);
	while (received(&p->server) < 1)
		must(run(client, &p->server, PATIENCE_MS), "it arrives");
	/* Neither does a short packet wait, nor what is no stream. */
	check_int(send_one(client, 2 * PACKET_LEN, true), USEC_NEVER);
	check_int(send_one(client, PACKET_LEN / 2, false), USEC_NEVER);
	check(!client->pump.corked);
	pair_free(p);
}

/* Where the kernel has no such limit, its word at send(2) is all there is. */
static void without_a_limit_nothing_is_full(void)
{
	struct pair *p = pair_new(0, LITTLE);

	forget_the_rate(&p->client, 0);
	for (int i = 0; i < 100; i++) {
		feed(&p->client, PACKETS);
		(void)run(&p->client, NULL, 0);
		check(!p->client.pump.full);
	}
	check(all_arrive(&p->client, &p->server));
	pair_free(p);
}

/* The end comes with the last data, in one recv(2): nothing but the pump knows that there is more to read. */
static void what_was_received_is_read_to_its_end(void)
{
	struct pair *p = pair_new(0, LITTLE);
	struct end *client = &p->client, *server = &p->server;

	check(all_arrive(server, client));
	server->fed = 0;
	feed(server, 3);
	for (int i = 0; i < TURNS_MAX && tx_stats(server->session.tx)->packets < PACKETS + 3; i++)
		check(run(server, NULL, PATIENCE_MS));
	check_int(tls_shutdown(server->tls), 0);
	while (!client->pump.read_closed && run(client, NULL, 500))
		;
	check_int(received(client), PACKETS + 3);
	check(client->pump.read_closed);
	pair_free(p);
}

/* TCP packets of one stream, with right checksums. */
static void feed_stream(struct end *e, struct list *packets, size_t count)
{
	struct flow_spec f = { .version = 4,
			       .protocol = 6,
			       .source = { 10, 9, 0, 2 },
			       .destination = { 10, 9, 0, 1 },
			       .ports = { 1, 2 },
			       .ttl = 64,
			       .df = true,
			       .window = 500,
			       .flags = 0x10 };
	struct rng rng = { 1 };
	uint8_t packet[40 + PAYLOAD];

	for (size_t i = 0; i < count; i++, f.id++, f.seq += PAYLOAD)
		list_add(packets, packet, flow_packet(&f, &rng, PAYLOAD, packet));
	for (size_t i = 0; i < count;) {
		const struct blob *p = &packets->items[i];

		if (write(e->feed, p->data, p->len) == (ssize_t)p->len)
			i++;
		else
			must(run(e, NULL, PATIENCE_MS), "the pump takes them");
	}
}

/* What the pump has written to its TUN. */
static void read_writes(struct end *e, struct list *ret)
{
	static uint8_t write[10 + 65535];
	ssize_t n;

	while ((n = read(e->feed, write, sizeof(write))) > 0)
		list_add(ret, write, (size_t)n);
}

/* A client and a server that has room for all that comes, and joins it; NULL without root. */
static struct pair *pair_with_room(void)
{
	struct pair *p;

	if (geteuid() != 0) {
		test_skipped = "a receive buffer of 4 MiB takes root";
		return NULL;
	}
	p = pair_new(0, MUCH);
	must(setsockopt(p->server.pump.tun, SOL_SOCKET, SO_SNDBUFFORCE, &(int){ MUCH }, sizeof(int)) == 0,
	     "SO_SNDBUFFORCE");
	return p;
}

/* The server has written these packets, in so many writes. */
static bool has_written(struct end *server, const struct list *in, size_t writes_expected)
{
	struct list writes = { 0 }, out = { 0 };
	const char *why = "a write that the kernel would not take";
	bool sound = true;

	read_writes(server, &writes);
	for (size_t i = 0; i < writes.count; i++)
		sound = sound && ref_split(writes.items[i].data, writes.items[i].len, &out);
	bool same = sound && same_packets(in, &out, ORDER_STRICT, &why);
	if (!same)
		printf("# %s\n", why);
	else if (writes.count != writes_expected)
		printf("# %zu writes instead of %zu\n", writes.count, writes_expected);
	same = same && writes.count == writes_expected;
	list_clear(&writes);
	list_clear(&out);
	return same;
}

/* Where a read of the socket ends matters neither to the packets nor to the number of writes. */
static void what_a_read_cuts_is_joined_with_what_comes_next(void)
{
	enum { COUNT = 2400 };
	struct pair *p = pair_with_room();
	struct list in = { 0 };

	if (!p)
		return;
	feed_stream(&p->client, &in, COUNT);
	for (int i = 0; i < TURNS_MAX && run(&p->client, NULL, 100); i++)
		continue;
	check_int(tx_stats(p->client.session.tx)->packets, COUNT);
	check(nothing_lies_in(&p->client));

	while (received(&p->server) < COUNT && run(&p->server, NULL, PATIENCE_MS))
		continue;
	while (p->server.more)
		(void)run(&p->server, NULL, 0);
	check(has_written(&p->server, &in, (COUNT + RX_GROUP_MAX - 1) / RX_GROUP_MAX));
	check(nothing_lies_in(&p->server));
	list_clear(&in);
	pair_free(p);
}

struct noise {
	struct end *end;
	size_t left;
};

/* What the session has to send, and then what is no SSTP packet. */
static size_t output_and_noise(void *ctx, uint8_t *out, size_t space, usec_t now)
{
	struct noise *noise = ctx;
	size_t n = session_output(&noise->end->session, out, space, now);

	if (n > 0 || tx_backlog(noise->end->session.tx) > 0)
		return n;
	n = MIN(space, noise->left);
	memset(out, 0xff, n);
	noise->left -= n;
	return n;
}

/* Nor is anything of it kept for what does not come any more. */
static void what_came_before_the_end_of_the_session_is_delivered(void)
{
	enum { COUNT = 1100 }; /* a little less than what is read in one turn of the pump */
	struct pair *p = pair_with_room();
	struct list in = { 0 };

	if (!p)
		return;
	feed_stream(&p->client, &in, COUNT);
	struct noise noise = { &p->client, 2 * PUMP_IN_SIZE };
	p->client.pump.output = output_and_noise;
	p->client.pump.output_ctx = &noise;
	p->client.more = true;
	for (int i = 0; i < TURNS_MAX && run(&p->client, NULL, 100); i++)
		continue;
	check_int(noise.left, 0);

	/* It ends in the last read of a turn, with more to come. */
	while (session_is_open(&p->server.session) && run(&p->server, NULL, PATIENCE_MS))
		continue;
	check(!session_is_open(&p->server.session));
	check(p->server.pump.socket_ready &&
	      p->server.pump.stats.rx_bytes < COUNT * (PAYLOAD + 48) + RX_HOLD_MAX / 2);
	(void)pump_close(&p->server.pump, NOW);
	check(has_written(&p->server, &in, (COUNT + RX_GROUP_MAX - 1) / RX_GROUP_MAX));
	list_clear(&in);
	pair_free(p);
}

/* A firewall resets, a server that dies does not: who looks for the cause wants to know. */
static void an_end_is_told_as_it_came(void)
{
	static const struct {
		struct linger linger; /* of 0 s: RST instead of FIN */
		const char *detail;
	} ends[] = {
		{ { 0 }, "the server closed it without close_notify, without a goodbye" },
		{ { .l_onoff = 1 }, "reset by the other side, without a goodbye" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct pair *p = pair_new(0, LITTLE);

		while (run(&p->client, &p->server, 10))
			continue;
		must(setsockopt(p->server.socket, SOL_SOCKET, SO_LINGER, &ends[i].linger,
				sizeof(ends[i].linger)) == 0,
		     "SO_LINGER");
		p->server.socket = close_fd(p->server.socket);
		while (session_is_open(&p->client.session) && run(&p->client, NULL, PATIENCE_MS))
			continue;
		check_int(p->client.session.failure.cause, CAUSE_CONNECTION_LOST);
		check_str(p->client.session.failure.detail, ends[i].detail);
		pair_free(p);
	}
}

int main(void)
{
	return run_tests((struct test[]){ TEST(the_kernel_says_when_it_has_not_enough_any_more),
					  TEST(all_arrives_through_a_small_buffer),
					  TEST(in_a_stream_the_end_of_a_segment_waits_for_more),
					  TEST(without_a_limit_nothing_is_full),
					  TEST(what_was_received_is_read_to_its_end),
					  TEST(what_a_read_cuts_is_joined_with_what_comes_next),
					  TEST(what_came_before_the_end_of_the_session_is_delivered),
					  TEST(an_end_is_told_as_it_came),
					  {} });
}
