/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for sstpc-tunnel in tests of the supervisor: speaks ipc/worker.h, but touches no network. What it
 * does is written in $FAKE_WORKER/script.N for the N-th worker, or else in $FAKE_WORKER/script, one command
 * in a line:
 *
 *     stage NAME [DETAIL]          query ADDRESS…             verified SERVER DEVICE
 *     password                     (waits for it, writes it to $FAKE_WORKER/password)
 *     up LOCAL PEER DNS DNS MRU AUTH                           ipv6 LOCAL-ID PEER-ID
 *     rdnss ADDRESS SECONDS        link PEER-MRU MRU AUTH      fail CAUSE [DETAIL]
 *     auth                         (writes the methods that it may use to $FAKE_WORKER/auth)
 *     await FILE                   (until $FAKE_WORKER/FILE exists; a STOP or a question is answered
 * meanwhile) stop                         (waits for STOP)            deaf (ignores STOP from now on) raw HEX
 * flood N                     exit N          kill SIGNAL       hang
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/macro.h"
#include "ipc/worker.h"

struct fake {
	const char *dir;
	struct worker_config config;
	struct worker_routes routes;
	struct secret password;
	bool deaf, stopped, have_routes, have_password;
};

static _Noreturn void _printf_(1, 2) die(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)fprintf(stderr, "fake-worker: ");
	(void)vfprintf(stderr, format, ap);
	(void)fprintf(stderr, "\n");
	va_end(ap);
	_exit(99);
}

static void must(int r, const char *what)
{
	if (r < 0)
		die("%s: %s", what, strerror(-r));
}

static FILE *open_in(const struct fake *f, const char *name, const char *mode)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	return fopen(path, mode);
}

static bool exists_in(const struct fake *f, const char *name)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	return access(path, F_OK) == 0;
}

static void finish(void)
{
	(void)worker_send_plain(WORKER_FD, WORKER_CLOSED);
	_exit(0);
}

/* Takes messages for at most `ms`. */
static void listen_for(struct fake *f, int ms)
{
	struct pollfd p = { .fd = WORKER_FD, .events = POLLIN };
	uint8_t buf[IPC_MAX];
	struct ipc_message m;
	struct worker_stats stats = { .rx_packets = 1, .tx_packets = 2 };
	int tun, ca, keylog;

	if (poll(&p, 1, ms) <= 0)
		return;
	int r = ipc_receive(WORKER_FD, buf, sizeof(buf), &m);
	if (r == 0 && f->deaf)
		pause();
	if (r == 0)
		_exit(0); /* the daemon went away */
	must(r, "receive");
	switch ((enum worker_message)m.type) {
	case WORKER_START:
		must(worker_decode_start(&m, &f->config, &tun, &ca, &keylog), "start");
		break;
	case WORKER_ROUTE_REPLY:
		must(worker_decode_route_reply(&m, &f->routes), "route reply");
		f->have_routes = true;
		break;
	case WORKER_PASSWORD:
		must(worker_decode_password(&m, &f->password), "password");
		f->have_password = true;
		break;
	case WORKER_STOP:
		f->stopped = true;
		if (!f->deaf)
			finish();
		break;
	case WORKER_QUERY_STATS:
		must(worker_send_stats(WORKER_FD, &stats), "stats");
		break;
	case WORKER_SET_MTU: {
		uint16_t mtu;
		must(worker_decode_set_mtu(&m, &mtu), "set-mtu");
		FILE *out = open_in(f, "mtu", "w");
		(void)fprintf(out, "%u\n", (unsigned)mtu);
		(void)fclose(out);
		break;
	}
	case WORKER_STAGE:
	case WORKER_ROUTE_QUERY:
	case WORKER_VERIFIED:
	case WORKER_LINK:
	case WORKER_UP:
	case WORKER_IPV6_UP:
	case WORKER_IPV6_DOWN:
	case WORKER_RDNSS:
	case WORKER_STATS:
	case WORKER_LOG:
	case WORKER_FAILED:
	case WORKER_CLOSED:
		die("a message of ours came back");
	}
}

static unsigned number(const char *s)
{
	uint32_t v;

	if (!s || parse_u32(s, 0, UINT32_MAX, &v) < 0)
		die("not a number: %s", s ? s : "nothing");
	return v;
}

static struct in_addr ip4(const char *s)
{
	struct in_addr a;

	if (!s || inet_pton(AF_INET, s, &a) != 1)
		die("not an address: %s", s ? s : "nothing");
	return a;
}

static void set_text(char *out, size_t size, const char *s)
{
	(void)snprintf(out, size, "%s", s ? s : "");
}

static void do_stage(const char *name, const char *detail)
{
	struct worker_stage s = { .at = clock_now() };

	for (enum stage i = 0; i < _STAGE_MAX; i++)
		if (strcasecmp(stage_name(i), name) == 0)
			s.stage = i;
	set_text(s.detail, sizeof(s.detail), detail);
	must(worker_send_stage(WORKER_FD, &s), "stage");
}

static void do_query(struct fake *f, char **arg)
{
	struct worker_addresses a = { .n = 0 };

	for (; *arg; arg++) {
		char text[64];
		(void)snprintf(text, sizeof(text), "%s%s", strchr(*arg, ':') ? "" : "::ffff:", *arg);
		if (inet_pton(AF_INET6, text, &a.address[a.n++]) != 1)
			die("not an address: %s", text);
	}
	must(worker_send_route_query(WORKER_FD, &a), "query");
	while (!f->have_routes)
		listen_for(f, -1);
	FILE *out = open_in(f, "routes", "w");
	for (size_t i = 0; i < f->routes.n; i++)
		(void)fprintf(out, "%s\n", f->routes.device[i]);
	(void)fclose(out);
}

static void do_verified(const char *server, const char *device)
{
	struct worker_verified v = { .port = 443,
				     .tls_version = "TLSv1.3",
				     .cipher = "TLS_AES_128_GCM_SHA256",
				     .certificate = "vpn.example.com",
				     .issuer = "Example CA",
				     .not_after = 1893456000 };

	set_text(v.server, sizeof(v.server), server);
	set_text(v.device, sizeof(v.device), device);
	must(worker_send_verified(WORKER_FD, &v), "verified");
}

static void do_password(struct fake *f)
{
	while (!f->have_password)
		listen_for(f, -1);
	FILE *out = open_in(f, "password", "w");
	(void)fwrite(f->password.data, 1, f->password.len, out);
	(void)fclose(out);
}

static void do_up(char **arg)
{
	struct worker_up u = { .local = ip4(arg[0]),
			       .peer = ip4(arg[1]),
			       .dns = { ip4(arg[2]), ip4(arg[3]) },
			       .peer_mru = (uint16_t)number(arg[4]),
			       .auth = number(arg[5]),
			       .binding_hash = 2,
			       .message = "Welcome" };

	must(worker_send_up(WORKER_FD, &u), "up");
}

static void do_ipv6(char **arg)
{
	struct worker_ipv6 v;

	if (!arg[0] || !arg[1] || parse_hex(arg[0], v.local_id, 8) < 0 || parse_hex(arg[1], v.peer_id, 8) < 0)
		die("not an identifier");
	must(worker_send_ipv6_up(WORKER_FD, &v), "ipv6");
}

static void do_rdnss(char **arg)
{
	struct worker_rdnss r = { .n = 1, .lifetime = number(arg[1]) };

	if (inet_pton(AF_INET6, arg[0], &r.address[0]) != 1)
		die("not an address: %s", arg[0]);
	must(worker_send_rdnss(WORKER_FD, &r), "rdnss");
}

static void do_fail(const char *cause, const char *detail)
{
	struct failure failure = { .cause = CAUSE_NONE };

	for (enum cause c = CAUSE_NONE; c < _CAUSE_MAX; c++)
		if (strcmp(cause_name(c), cause) == 0)
			failure.cause = c;
	set_text(failure.detail, sizeof(failure.detail), detail);
	must(worker_send_failed(WORKER_FD, &failure), "failed");
}

static void do_auth(const struct fake *f)
{
	FILE *out = open_in(f, "auth", "w");

	if (!out || fprintf(out, "%#x\n", f->config.auth) < 0 || fclose(out) != 0)
		die("auth: %s", strerror(errno));
}

static void do_raw(const char *hex)
{
	uint8_t bytes[256];
	size_t len = strlen(hex) / 2;

	if (parse_hex(hex, bytes, len) < 0 || send(WORKER_FD, bytes, len, 0) < 0)
		die("raw: %s", strerror(errno));
}

static void do_flood(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		while (worker_send_log(WORKER_FD, LOG_LEVEL_INFO, "flood") == -EAGAIN)
			(void)poll(&(struct pollfd){ .fd = WORKER_FD, .events = POLLOUT }, 1, -1);
}

static void run(struct fake *f, char **arg)
{
	const char *verb = arg[0];

	if (strcmp(verb, "stage") == 0)
		do_stage(arg[1], arg[2]);
	else if (strcmp(verb, "query") == 0)
		do_query(f, arg + 1);
	else if (strcmp(verb, "verified") == 0)
		do_verified(arg[1], arg[2]);
	else if (strcmp(verb, "password") == 0)
		do_password(f);
	else if (strcmp(verb, "up") == 0)
		do_up(arg + 1);
	else if (strcmp(verb, "ipv6") == 0)
		do_ipv6(arg + 1);
	else if (strcmp(verb, "rdnss") == 0)
		do_rdnss(arg + 1);
	else if (strcmp(verb, "link") == 0)
		must(worker_send_link(WORKER_FD, &(struct worker_link){ .peer_mru = (uint16_t)number(arg[1]),
									.mru = (uint16_t)number(arg[2]),
									.auth = number(arg[3]) }),
		     "link");
	else if (strcmp(verb, "fail") == 0)
		do_fail(arg[1], arg[2]);
	else if (strcmp(verb, "auth") == 0)
		do_auth(f);
	else if (strcmp(verb, "await") == 0)
		while (!exists_in(f, arg[1]))
			listen_for(f, 10);
	else if (strcmp(verb, "stop") == 0)
		while (!f->stopped)
			listen_for(f, -1);
	else if (strcmp(verb, "deaf") == 0)
		f->deaf = true;
	else if (strcmp(verb, "raw") == 0)
		do_raw(arg[1]);
	else if (strcmp(verb, "flood") == 0)
		do_flood(number(arg[1]));
	else if (strcmp(verb, "exit") == 0)
		_exit((int)number(arg[1]));
	else if (strcmp(verb, "kill") == 0)
		(void)raise((int)number(arg[1]));
	else if (strcmp(verb, "hang") == 0)
		for (;;)
			(void)pause();
	else
		die("%s?", verb);
}

/* The script of this worker; counts the workers in the file `count`. */
static FILE *open_script(const struct fake *f)
{
	char name[32];
	unsigned n = 0;

	FILE *count = open_in(f, "count", "r");
	if (count) {
		int c;
		while ((c = fgetc(count)) != EOF)
			n += c == '\n';
		(void)fclose(count);
	}
	count = open_in(f, "count", "a");
	(void)fprintf(count, "%d\n", (int)getpid());
	(void)fclose(count);
	(void)snprintf(name, sizeof(name), "script.%u", n + 1);
	FILE *script = open_in(f, name, "r");
	return script ? script : open_in(f, "script", "r");
}

int main(void)
{
	struct fake f = { .dir = getenv("FAKE_WORKER") };
	char line[512];

	if (!f.dir)
		die("FAKE_WORKER is not set");
	FILE *script = open_script(&f);
	if (!script)
		die("no script in %s", f.dir);
	while (f.config.port == 0)
		listen_for(&f, -1);
	while (fgets(line, sizeof(line), script)) {
		char *arg[16] = { NULL }, *save = NULL;
		size_t n = 0;
		for (char *word = strtok_r(line, " \n", &save); word && n + 1 < ARRAY_SIZE(arg);
		     word = strtok_r(NULL, " \n", &save)) {
			arg[n++] = word;
			/* The rest of the line is one text. */
			if (n == 2 && (strcmp(arg[0], "stage") == 0 || strcmp(arg[0], "fail") == 0))
				arg[n++] = strtok_r(NULL, "\n", &save);
		}
		if (n > 0 && arg[0][0] != '#')
			run(&f, arg);
	}
	for (;;)
		listen_for(&f, -1);
}
