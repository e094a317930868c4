/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a re-exec keeps of a tunnel: all of it comes back, and no cut or changed record does harm. */
#include "sstpcd/resume.c"

#include <arpa/inet.h>
#include <stdlib.h>

#include "test.h"

static struct tunnel_attempt attempt_example(void)
{
	struct tunnel_attempt a = {
		.started = 11,
		.stage = STAGE_UP,
		.stage_detail = "10.0.0.2",
		.has_verified = true,
		.has_link = true,
		.has_up = true,
		.has_ipv6 = true,
		.verified = { .server = "2001:db8::5",
			      .port = 443,
			      .device = "eth0",
			      .tls_version = "TLSv1.3",
			      .cipher = "TLS_AES_128_GCM_SHA256",
			      .certificate = "CN=vpn",
			      .issuer = "CN=ca",
			      .by_pin = true,
			      .not_after = 1893456000 },
		.link = { .peer_mru = 1400, .mru = 1500, .auth = 4 },
		.up = { .local.s_addr = 1,
			.peer.s_addr = 2,
			.dns = { { 3 }, { 4 } },
			.peer_mru = 1400,
			.auth = 4,
			.binding_hash = 2,
			.message = "Welcome" },
		.ipv6 = { .local_id = { 1 }, .peer_id = { 2 } },
		.rdnss = { .n = 1, .lifetime = 600 },
		.server = { .family = AF_INET6 },
		.log_lines = 5,
	};

	for (size_t i = 0; i < _STAGE_MAX; i++)
		a.stage_at[i] = 100 + i;
	(void)inet_pton(AF_INET6, "2001:db8::53", &a.rdnss.address[0]);
	(void)inet_pton(AF_INET6, "2001:db8::5", &a.server.in6);
	return a;
}

static struct tunnel tunnel_example(struct tunnel_attempt *a)
{
	struct tunnel t = {
		.config.name = "sstpc3",
		.tun = { .fd = 9, .offloads = 7 },
		.state = TUNNEL_UP,
		.next = TUNNEL_WAITING,
		.held = true,
		.state_since = 77,
		.state_since_boot = 88,
		.process = { .fd = 12, .phase = WORKER_PHASE_UP, .child.pid = 4711, .monitor.seen = 0x55 },
		.failure = { .cause = CAUSE_CONNECTION_LOST, .detail = "reset by peer" },
		.failure.stage = STAGE_UP,
		.failure_at = 1699999999,
		.failures = 3,
		.refused = 2,
		.proven = true,
		.eap_first = true,
		.sessions = 4,
		.local.s_addr = 1,
		.peer.s_addr = 2,
		.peer_mru = 1400,
		.attempt = a,
	};
	return t;
}

static size_t save_example(uint8_t *buf, size_t size)
{
	struct tunnel_attempt a = attempt_example();
	struct tunnel t = tunnel_example(&a);
	struct wire_writer w = wire_writer(buf, size);

	put_tunnel(&w, &t);
	return w.error ? 0 : w.len;
}

static void everything_comes_back(void)
{
	uint8_t buf[RECORD_MAX];
	struct saved s = { .tun_fd = -1 };
	struct tunnel t = { .attempt = NULL };
	struct tunnel_attempt a = attempt_example();
	struct wire_reader r = wire_reader(buf, save_example(buf, sizeof(buf)));

	get_head(&r, &s);
	check_str(s.name, "sstpc3");
	check(s.tun_fd == 9 && s.offloads == 7);
	check_int(get_tunnel(&r, &s, &t), 0);
	check(s.alive && s.pid == 4711 && s.socket == 12 && s.phase == WORKER_PHASE_UP && s.seen == 0x55);
	check(s.deadline == USEC_NEVER);
	check(t.state == TUNNEL_UP && t.next == TUNNEL_WAITING && t.held);
	check(t.state_since == 77 && t.state_since_boot == 88);
	check_int(t.failure.cause, CAUSE_CONNECTION_LOST);
	check_str(t.failure.detail, "reset by peer");
	check(t.failure.stage == STAGE_UP && t.failure_at == 1699999999 && t.failures == 3 &&
	      t.refused == 2 && t.sessions == 4);
	check(t.proven && t.eap_first);
	check(t.local.s_addr == 1 && t.peer.s_addr == 2 && t.peer_mru == 1400);
	check(t.attempt != NULL);
	check_int(t.attempt->started, 11);
	check_int(t.attempt->stage, STAGE_UP);
	check_mem(t.attempt->stage_at, sizeof(a.stage_at), a.stage_at, sizeof(a.stage_at));
	check_str(t.attempt->stage_detail, "10.0.0.2");
	check_str(t.attempt->verified.server, "2001:db8::5");
	check_int(t.attempt->verified.not_after, 1893456000);
	check_int(t.attempt->link.mru, 1500);
	check_str(t.attempt->up.message, "Welcome");
	check_int(t.attempt->up.dns[1].s_addr, 4);
	check(t.attempt->has_ipv6 && t.attempt->ipv6.local_id[0] == 1 && t.attempt->ipv6.peer_id[0] == 2);
	check_int(t.attempt->rdnss.n, 1);
	check(net_addr_equal(&t.attempt->server, &a.server));
	check_int(t.attempt->log_lines, 5);
	free(t.attempt);
}

/* Also of one that never connected, and of one without a failure. */
static void an_empty_tunnel_comes_back(void)
{
	uint8_t buf[RECORD_MAX];
	struct tunnel in = { .config.name = "sstpc0", .tun.fd = 3, .state = TUNNEL_HELD },
		      out = { .attempt = NULL };
	struct wire_writer w = wire_writer(buf, sizeof(buf));
	struct saved s = { .tun_fd = -1 };

	put_tunnel(&w, &in);
	check_int(w.error, 0);
	struct wire_reader r = wire_reader(buf, w.len);
	get_head(&r, &s);
	check_int(get_tunnel(&r, &s, &out), 0);
	check(!s.alive && !out.attempt && out.state == TUNNEL_HELD && out.failure.cause == CAUSE_NONE);
}

static void a_damaged_record_is_refused(void)
{
	uint8_t buf[RECORD_MAX];
	size_t len = save_example(buf, sizeof(buf));

	check(len > 0);
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1);
		struct saved s = { .tun_fd = -1 };
		struct tunnel t = { .attempt = NULL };
		check(copy != NULL);
		memcpy(copy, buf, cut);
		struct wire_reader r = wire_reader(copy, cut);
		get_head(&r, &s);
		int result = get_tunnel(&r, &s, &t);
		free(t.attempt);
		free(copy);
		check_int(result, -EBADMSG);
	}
}

/* A state of a daemon without tunnels: `version` and `file` as the running configuration. */
static int check_state(uint32_t version, const char *file)
{
	_cleanup_text_ struct text state = { .max = RESUME_MAX };
	_cleanup_close_ int fd = memfd_create("state", MFD_CLOEXEC);
	uint8_t buf[RECORD_MAX];
	struct wire_writer w = wire_writer(buf, sizeof(buf));

	wire_put_u32(&w, version);
	wire_put_u32(&w, 0);
	wire_put_u8(&w, false);
	wire_put_u64(&w, UINT64_MAX);
	wire_put_u32(&w, 3);
	add_record(&state, &w);
	w.len = 0;
	wire_put(&w, file, strlen(file));
	add_record(&state, &w);
	w.len = 0;
	add_record(&state, &w); /* no previous configuration */
	return write(fd, state.data, state.len) == (ssize_t)state.len ? resume_check(fd) : -EIO;
}

static void a_foreign_state_is_recognized(void)
{
	check_int(check_state(RESUME_VERSION, "interfaces {\n}\n"), 0);
	check_int(check_state(RESUME_VERSION + 1, "interfaces {\n}\n"), -EPROTO);
	check_int(check_state(RESUME_VERSION, "interfaces {\n"), -EBADMSG);
	check_int(check_state(RESUME_VERSION, ""), -EBADMSG);
	check_int(resume_check(-1), -EBADF);
}

int main(void)
{
	return run_tests((struct test[]){
		TEST(everything_comes_back),
		TEST(an_empty_tunnel_comes_back),
		TEST(a_damaged_record_is_refused),
		TEST(a_foreign_state_is_recognized),
		{},
	});
}
