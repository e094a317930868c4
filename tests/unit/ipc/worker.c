/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipc/worker.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/macro.h"
#include "test.h"

/* A pair, and what was last received from it. */
struct wire {
	int fd[2];
	uint8_t buf[IPC_MAX];
	struct ipc_message m;
};

static int wire_open(struct wire *w)
{
	w->m.n_fds = 0;
	return ipc_pair(w->fd);
}

static void wire_close(struct wire *w)
{
	ipc_message_done(&w->m);
	(void)close_fd(w->fd[0]);
	(void)close_fd(w->fd[1]);
}

static int get(struct wire *w)
{
	ipc_message_done(&w->m);
	return ipc_receive(w->fd[1], w->buf, sizeof(w->buf), &w->m);
}

#define _cleanup_wire_ _cleanup_(wire_close)

static struct worker_config example(void)
{
	struct worker_config c = {
		.host = "vpn.example.com",
		.port = 8443,
		.bind_device = "eth0",
		.tls_name = "sstp.example",
		.sni = "sni.example",
		.n_pins = 2,
		.ca_given = true,
		.ca_anchors_len = 70000,
		.keylog = true,
		.user = "DOM\\\xc3\xa4lice",
		.auth = 4,
		.mtu = 1400,
		.mru = 1500,
		.ipv6 = true,
		.want_dns = true,
		.vnet_hdr = true,
		.offloads = 7,
		.hello_seconds = 20,
		.log_level = LOG_LEVEL_DEBUG,
	};
	memset(c.pins[0], 0xaa, 32);
	memset(c.pins[1], 0xbb, 32);
	return c;
}

static void start_carries_the_whole_configuration_and_its_descriptors(void)
{
	_cleanup_wire_ struct wire w;
	struct worker_config in = example(), out;
	int tun = -1, ca = -1, keylog = -1;

	check_int(wire_open(&w), 0);
	check_int(worker_send_start(w.fd[0], &in, 0, 1, 2), 0);
	check_int(get(&w), 1);
	check_int(w.m.n_fds, 3);
	struct ipc_monitor monitor = worker_monitor_of_worker();
	check_int(ipc_permit(&monitor, &w.m, WORKER_PHASE_NEW), 0);
	check_int(worker_decode_start(&w.m, &out, &tun, &ca, &keylog), 0);
	check(tun >= 0 && ca >= 0 && keylog >= 0);
	check_mem(&out, sizeof(out), &in, sizeof(in));
	(void)close_fd(tun);
	(void)close_fd(ca);
	(void)close_fd(keylog);

	/* Each combination of the optional descriptors. */
	in.ca_given = false;
	in.ca_anchors_len = 0;
	check_int(worker_send_start(w.fd[0], &in, 0, -1, 2), 0);
	check_int(get(&w), 1);
	check_int(worker_decode_start(&w.m, &out, &tun, &ca, &keylog), 0);
	check(tun >= 0 && ca == -1 && keylog >= 0);
	(void)close_fd(tun);
	(void)close_fd(keylog);

	/* Fewer descriptors than the configuration promises. */
	in.ca_given = true;
	check_int(worker_send_start(w.fd[0], &in, 0, 1, 2), 0);
	check_int(get(&w), 1);
	(void)close_fd(w.m.fds[2]);
	w.m.n_fds = 2;
	check_int(worker_decode_start(&w.m, &out, &tun, &ca, &keylog), -EBADMSG);
}

static void start_refuses_values_outside_their_bounds(void)
{
	struct worker_config bad[] = { example(), example(), example(), example(),
				       example(), example(), example() };
	bad[0].mtu = WORKER_MTU_MIN - 1;
	bad[1].mru = WORKER_MTU_MAX + 1;
	bad[2].host[0] = 0;
	bad[3].port = 0;
	(void)snprintf(bad[4].bind_device, sizeof(bad[4].bind_device), "a/b");
	bad[5].tls_name[0] = 0;
	bad[6].ca_given = false; /* and yet a part of it is trusted */

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_wire_ struct wire w;
		struct worker_config out;
		int tun, ca, keylog;
		check_int(wire_open(&w), 0);
		check_int(worker_send_start(w.fd[0], &bad[i], 0, 1, 2), 0);
		check_int(get(&w), 1);
		check_int(worker_decode_start(&w.m, &out, &tun, &ca, &keylog), -EBADMSG);
	}
}

static void a_password_may_hold_any_byte(void)
{
	_cleanup_wire_ struct wire w;
	struct secret in, out = { .len = 0 };

	check_int(wire_open(&w), 0);
	for (size_t len = 0; len <= SECRET_MAX; len += SECRET_MAX / 4) {
		char bytes[SECRET_MAX];
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (char)i;
		check_int(secret_set(&in, bytes, len), 0);
		check_int(worker_send_password(w.fd[0], &in), 0);
		check_int(get(&w), 1);
		check_int(worker_decode_password(&w.m, &out), 0);
		check_mem(out.data, out.len, in.data, in.len);
	}
	/* Cut off. */
	w.m.body.len--;
	check_int(worker_decode_password(&w.m, &out), -EBADMSG);
}

static struct in_addr ip4(const char *s)
{
	struct in_addr a = { 0 };
	(void)inet_pton(AF_INET, s, &a);
	return a;
}

static struct worker_up example_up(void)
{
	return (struct worker_up){
		.local = ip4("10.0.0.2"),
		.peer = ip4("10.0.0.1"),
		.dns = { ip4("192.0.2.53"), ip4("192.0.2.54") },
		.nbns = { ip4("192.0.2.1"), { 0 } },
		.ipv6 = true,
		.local_id = { 1, 2, 3, 4, 5, 6, 7, 8 },
		.peer_id = { 8, 7, 6, 5, 4, 3, 2, 1 },
		.peer_mru = 1400,
		.auth = 4,
		.binding_hash = 2,
		.message = "Welcome!",
	};
}

static void reports_arrive_as_they_were_sent(void)
{
	_cleanup_wire_ struct wire w;
	check_int(wire_open(&w), 0);

	struct worker_up up = example_up(), up2;
	check_int(worker_send_up(w.fd[0], &up), 0);
	check_int(get(&w), 1);
	check_int(worker_decode_up(&w.m, &up2), 0);
	check_mem(&up2.local, sizeof(up2.local), &up.local, sizeof(up.local));
	check_mem(up2.dns, sizeof(up2.dns), up.dns, sizeof(up.dns));
	check_mem(up2.nbns, sizeof(up2.nbns), up.nbns, sizeof(up.nbns));
	check_mem(up2.local_id, 8, up.local_id, 8);
	check_mem(up2.peer_id, 8, up.peer_id, 8);
	check(up2.ipv6 && up2.peer_mru == 1400 && up2.auth == 4 && up2.binding_hash == 2);
	check_str(up2.message, "Welcome!");

	struct worker_verified v = { .server = "2001:db8::5",
				     .port = 443,
				     .device = "eth0",
				     .tls_version = "TLSv1.3",
				     .cipher = "TLS_AES_128_GCM_SHA256",
				     .certificate = "vpn.example.com",
				     .issuer = "Example CA",
				     .by_pin = true,
				     .not_after = 1893456000 };
	struct worker_verified v2;
	memset(v.pin, 0x5a, sizeof(v.pin));
	check_int(worker_send_verified(w.fd[0], &v), 0);
	check_int(get(&w), 1);
	check_int(worker_decode_verified(&w.m, &v2), 0);
	check_str(v2.server, "2001:db8::5");
	check_str(v2.issuer, "Example CA");
	check_mem(v2.pin, 32, v.pin, 32);
	check(v2.by_pin && v2.not_after == 1893456000 && v2.port == 443);

	struct worker_stats s, s2;
	uint64_t *counters = (uint64_t *)&s;
	for (size_t i = 0; i < sizeof(s) / sizeof(uint64_t); i++)
		counters[i] = (uint64_t)(i + 1) << 40 | i;
	check_int(worker_send_stats(w.fd[0], &s), 0);
	check_int(get(&w), 1);
	check_int(worker_decode_stats(&w.m, &s2), 0);
	check_mem(&s2, sizeof(s2), &s, sizeof(s));

	struct worker_stage st = { STAGE_TLS, 123456789012345, "192.0.2.1 port 443" }, st2;
	check_int(worker_send_stage(w.fd[0], &st), 0);
	check_int(get(&w), 1);
	check_int(worker_decode_stage(&w.m, &st2), 0);
	check_int(st2.stage, STAGE_TLS);
	check_int(st2.at, 123456789012345);
	check_str(st2.detail, "192.0.2.1 port 443");

	struct worker_link l = { 1400, 1500, 4 }, l2;
	check_int(worker_send_link(w.fd[0], &l), 0);
	check_int(get(&w), 1);
	check_int(worker_decode_link(&w.m, &l2), 0);
	check(l2.peer_mru == 1400 && l2.mru == 1500 && l2.auth == 4);

	struct worker_routes routes = { .n = 2, .device = { "eth0", "" } }, routes2;
	check_int(worker_send_route_reply(w.fd[0], &routes), 0);
	check_int(get(&w), 1);
	check_int(worker_decode_route_reply(&w.m, &routes2), 0);
	check_int(routes2.n, 2);
	check_str(routes2.device[0], "eth0");
	check_str(routes2.device[1], "");

	struct worker_addresses a = { .n = 2 }, a2;
	check_int(inet_pton(AF_INET6, "2001:db8::1", &a.address[0]), 1);
	check_int(inet_pton(AF_INET6, "::ffff:192.0.2.1", &a.address[1]), 1);
	check_int(worker_send_route_query(w.fd[0], &a), 0);
	check_int(get(&w), 1);
	check_int(worker_decode_route_query(&w.m, &a2), 0);
	check_mem(a2.address, 32, a.address, 32);
}

static void every_cause_passes_by_name(void)
{
	_cleanup_wire_ struct wire w;
	check_int(wire_open(&w), 0);

	for (enum cause c = CAUSE_NONE + 1; c < _CAUSE_MAX; c++) {
		struct failure f = { .cause = c, .detail = "what was seen" }, f2;
		check_int(worker_send_failed(w.fd[0], &f), 0);
		check_int(get(&w), 1);
		check_int(worker_decode_failed(&w.m, &f2), 0);
		check_int(f2.cause, c);
		check_str(f2.detail, "what was seen");
	}
	/* "none" is no way to fail. */
	struct failure none = { .cause = CAUSE_NONE }, f2;
	check_int(worker_send_failed(w.fd[0], &none), 0);
	check_int(get(&w), 1);
	check_int(worker_decode_failed(&w.m, &f2), -EBADMSG);
}

static void log_lines_are_cleaned_and_cut(void)
{
	_cleanup_wire_ struct wire w;
	struct worker_log log;
	char line[2000];

	check_int(wire_open(&w), 0);
	memset(line, 'x', sizeof(line));
	line[0] = '\x1b';
	line[sizeof(line) - 1] = 0;
	check_int(worker_send_log(w.fd[0], LOG_LEVEL_WARNING, line), 0);
	check_int(get(&w), 1);
	check_int(worker_decode_log(&w.m, &log), 0);
	check_int(strlen(log.line), sizeof(log.line) - 1);
	check_int(log.line[0], '.');
	check_int(log.level, LOG_LEVEL_WARNING);
}

static void facts_that_no_kernel_may_get_are_refused(void)
{
	static const char *const bad_locals[] = { "0.0.0.0",	    "0.1.2.3",	       "127.0.0.1",
						  "224.0.0.1",	    "239.255.255.255", "240.0.0.1",
						  "255.255.255.255" };
	struct worker_up u = example_up();

	check(worker_up_check(&u, 4) == NULL);
	for (size_t i = 0; i < ARRAY_SIZE(bad_locals); i++) {
		u = example_up();
		u.local = ip4(bad_locals[i]);
		check(worker_up_check(&u, 4) != NULL);
		u = example_up();
		u.peer = ip4(bad_locals[i]);
		check_int(worker_up_check(&u, 4) != NULL, u.peer.s_addr != 0);
		u = example_up();
		u.dns[1] = ip4(bad_locals[i]);
		check_int(worker_up_check(&u, 4) != NULL, u.dns[1].s_addr != 0);
		u = example_up();
		u.nbns[0] = ip4(bad_locals[i]);
		check_int(worker_up_check(&u, 4) != NULL, u.nbns[0].s_addr != 0);
	}
	u = example_up();
	u.local = ip4("223.255.255.254");
	check(worker_up_check(&u, 4) == NULL);
	u.peer = u.local;
	check(worker_up_check(&u, 4) != NULL);
	u = example_up();
	u.peer_mru = WORKER_MTU_MIN - 1;
	check(worker_up_check(&u, 4) != NULL);
	u = example_up();
	u.auth = 1; /* PAP, which was not allowed */
	check(worker_up_check(&u, 4) != NULL);
	check(worker_up_check(&u, 5) == NULL);
	u.auth = 5;
	check(worker_up_check(&u, 5) != NULL);
	u = example_up();
	memset(u.local_id, 0, 8);
	check(worker_up_check(&u, 4) != NULL);
	u.ipv6 = false;
	check(worker_up_check(&u, 4) == NULL);
	u = example_up();
	memcpy(u.peer_id, u.local_id, 8);
	check(worker_up_check(&u, 4) != NULL);
}

static void resolvers_that_cannot_be_are_refused(void)
{
	static const struct {
		const char *address;
		int result;
	} cases[] = { { "2001:db8::53", 0 },	  { "fe80::1", 0 },	   { "::", -EBADMSG },
		      { "::1", -EBADMSG },	  { "ff02::1", -EBADMSG }, { "::ffff:192.0.2.1", -EBADMSG },
		      { "::192.0.2.1", -EBADMSG } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_wire_ struct wire w;
		struct worker_rdnss in = { .n = 1, .lifetime = 600 }, out;
		check_int(wire_open(&w), 0);
		check_int(inet_pton(AF_INET6, cases[i].address, &in.address[0]), 1);
		check_int(worker_send_rdnss(w.fd[0], &in), 0);
		check_int(get(&w), 1);
		check_int(worker_decode_rdnss(&w.m, &out), cases[i].result);
	}
}

/* What a side may say in each phase, once or often; everything else ends the connection. */
struct order {
	enum worker_message type;
	const char *phases; /* N new, D dialling, V verified, U up, S stopping, E ended */
	bool once;
};

static void check_order(struct ipc_monitor monitor, const struct order *rows, size_t n)
{
	static const char letters[] = "NDVUSE";
	static const uint8_t nothing[1];

	for (size_t i = 0; i < n; i++)
		for (unsigned phase = 0; phase <= WORKER_PHASE_ENDED; phase++) {
			struct ipc_monitor m = monitor;
			struct ipc_message msg = { .type = (uint16_t)rows[i].type,
						   .n_fds = rows[i].type == WORKER_START,
						   .body = wire_reader(nothing, 0) };
			bool allowed = strchr(rows[i].phases, letters[phase]) != NULL;
			check_int(ipc_permit(&m, &msg, phase) == 0, allowed);
			if (allowed)
				check_int(ipc_permit(&m, &msg, phase), rows[i].once ? -EALREADY : 0);
		}
}

static void the_order_of_reports_is_enforced(void)
{
	static const struct order rows[] = {
		{ WORKER_STAGE, "DVUS", false },   { WORKER_ROUTE_QUERY, "DS", true },
		{ WORKER_VERIFIED, "DS", true },   { WORKER_LINK, "VS", false },
		{ WORKER_UP, "VUS", false },	   { WORKER_IPV6_UP, "US", false },
		{ WORKER_IPV6_DOWN, "US", false }, { WORKER_RDNSS, "US", false },
		{ WORKER_STATS, "DVUS", false },   { WORKER_LOG, "DVUSE", false },
		{ WORKER_FAILED, "DVUS", true },   { WORKER_CLOSED, "S", true },
		{ WORKER_START, "", false },	   { WORKER_PASSWORD, "", false },
	};

	check_order(worker_monitor_of_daemon(), rows, ARRAY_SIZE(rows));
}

/* Above all: a worker takes the password only after it has verified the server. */
static void the_order_of_orders_is_enforced(void)
{
	static const struct order rows[] = {
		{ WORKER_START, "N", true },	    { WORKER_ROUTE_REPLY, "D", true },
		{ WORKER_PASSWORD, "V", true },	    { WORKER_STOP, "NDVUSE", true },
		{ WORKER_SET_MTU, "DVUSE", false }, { WORKER_QUERY_STATS, "DVUSE", false },
		{ WORKER_VERIFIED, "", false },	    { WORKER_UP, "", false },
	};

	check_order(worker_monitor_of_worker(), rows, ARRAY_SIZE(rows));
}

static void left_over_bytes_are_refused(void)
{
	_cleanup_wire_ struct wire w;
	struct worker_up up = example_up(), out;

	check_int(wire_open(&w), 0);
	check_int(worker_send_up(w.fd[0], &up), 0);
	check_int(get(&w), 1);
	w.m.body.len++; /* inside the buffer */
	check_int(worker_decode_up(&w.m, &out), -EBADMSG);
	w.m.body.len -= 2;
	check_int(worker_decode_up(&w.m, &out), -EBADMSG);
	check_int(worker_send_plain(w.fd[0], WORKER_STOP), 0);
	check_int(get(&w), 1);
	check_int(worker_decode_plain(&w.m), 0);
	w.m.body.len++;
	check_int(worker_decode_plain(&w.m), -EBADMSG);
}

int main(void)
{
	return run_tests((struct test[]){
		TEST(start_carries_the_whole_configuration_and_its_descriptors),
		TEST(start_refuses_values_outside_their_bounds),
		TEST(a_password_may_hold_any_byte),
		TEST(reports_arrive_as_they_were_sent),
		TEST(every_cause_passes_by_name),
		TEST(log_lines_are_cleaned_and_cut),
		TEST(facts_that_no_kernel_may_get_are_refused),
		TEST(resolvers_that_cannot_be_are_refused),
		TEST(the_order_of_reports_is_enforced),
		TEST(the_order_of_orders_is_enforced),
		TEST(left_over_bytes_are_refused),
		{},
	});
}
