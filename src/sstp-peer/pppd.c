/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pppd.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "hdlc.h"
#include "proto/http/http.h"
#include "proto/sstp/sstp_state.h"
#include "snoop.h"

#define STREAM_SIZE   65536
#define PPPD_ARGS_MAX 64
#define START_TIME    (60 * USEC_PER_SEC) /* from accept to the end of the HTTP request */

struct relay {
	struct relay_config config;
	int fd, pty;
	struct tls *tls;
	struct http_request request;
	struct sstp sstp;
	struct snoop snoop;
	struct hdlc_decoder decoder;
	struct loop_fd socket_source, pty_source;
	struct loop_timer timer;
	struct loop_child pppd;
	bool tls_up, http_done;
	uint8_t in[STREAM_SIZE], out[STREAM_SIZE]; /* of the TLS stream */
	size_t in_len, out_len;
};

extern char **environ;

static void run(struct relay *r);

/* `r` is freed by it: nothing may follow. */
static void end(struct relay *r, const char *cause, const char *detail)
{
	report(&r->config.report, "ended", "cause", cause, "detail", detail, NULL);
	r->config.ended(r->config.ctx, r, r->config.place);
}

/* Pppd */

/* Towards the client: a frame in an SSTP data packet. Dropped where there is no room, as a line would. */
static void send_frame(struct relay *r, const uint8_t *frame, size_t len)
{
	uint8_t hlak[32];

	bool authenticated = snoop_from_pppd(&r->snoop, frame, len, hlak);
	bool network = len >= 4 && frame[2] < 0x80;
	if (network && !sstp_is_connected(&r->sstp))
		return;
	if (len <= SSTP_PAYLOAD_MAX && r->out_len + SSTP_HEADER_LEN + len <= sizeof(r->out)) {
		sstp_data_header(r->out + r->out_len, len);
		memcpy(r->out + r->out_len + SSTP_HEADER_LEN, frame, len);
		r->out_len += SSTP_HEADER_LEN + len;
	}
	if (authenticated) {
		report(&r->config.report, "authenticated", "user", r->snoop.user, NULL);
		sstp_authenticated(&r->sstp, hlak, clock_now());
	}
	wipe(hlak, sizeof(hlak));
}

static void write_to_pppd(struct relay *r, const uint8_t *frame, size_t len)
{
	uint8_t encoded[2 * SSTP_PAYLOAD_MAX + 8];

	snoop_from_client(&r->snoop, frame, len);
	size_t n = hdlc_encode(frame, len, encoded);
	/* A full terminal loses the frame, as a serial line would; PPP and TCP are made for that. */
	if (r->pty >= 0)
		(void)!write(r->pty, encoded, n);
}

static void on_pty(void *ctx, uint32_t events)
{
	struct relay *r = ctx;
	uint8_t bytes[4096];
	ssize_t n = read(r->pty, bytes, sizeof(bytes));

	(void)events;
	for (ssize_t i = 0; i < n; i++) {
		size_t len = hdlc_input(&r->decoder, bytes[i]);

		if (len > 0)
			send_frame(r, r->decoder.frame, len);
	}
	if (n <= 0 && errno != EAGAIN)
		loop_fd_remove(&r->pty_source); /* pppd has gone; its end is told by on_pppd_ended() */
	run(r);
}

static void on_pppd_ended(void *ctx, const siginfo_t *info)
{
	struct relay *r = ctx;
	char status[16];

	(void)snprintf(status, sizeof(status), "%d", info->si_status);
	report(&r->config.report, "pppd-ended", "status", status, NULL);
	sstp_disconnect(&r->sstp, NULL, clock_now());
	run(r);
}

static int spawn_pppd(struct relay *r, const char *tty)
{
	_cleanup_free_ char *copy = strdup(r->config.options->pppd);
	char *arguments[PPPD_ARGS_MAX + 1], *rest = copy, *word;
	const char *first[] = { r->config.options->pppd_path, tty, "nodetach", "local" };
	size_t n = ARRAY_SIZE(first);
	pid_t pid;

	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		arguments[i] = (char *)(uintptr_t)first[i];
	while ((word = strsep(&rest, " ")) && n < PPPD_ARGS_MAX)
		if (word[0])
			arguments[n++] = word;
	arguments[n] = NULL;
	int result = -posix_spawn(&pid, r->config.options->pppd_path, NULL, NULL, arguments, environ);
	if (result < 0)
		return result;
	r->pppd = (struct loop_child){ .fn = on_pppd_ended, .ctx = r };
	return loop_child_add(r->config.loop, &r->pppd, pid);
}

static int start_pppd(struct relay *r)
{
	struct termios raw;
	char tty[64];

	r->pty = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (r->pty < 0 || grantpt(r->pty) < 0 || unlockpt(r->pty) < 0 ||
	    ptsname_r(r->pty, tty, sizeof(tty)) != 0)
		return -errno;
	if (tcgetattr(r->pty, &raw) == 0) {
		cfmakeraw(&raw); /* no echo of what comes before pppd has set it up itself */
		(void)tcsetattr(r->pty, TCSANOW, &raw);
	}
	int result = spawn_pppd(r, tty);
	if (result < 0)
		return result;
	r->pty_source = (struct loop_fd){ .fn = on_pty, .ctx = r };
	return loop_fd_add(r->config.loop, &r->pty_source, r->pty, EPOLLIN);
}

/* The stream */

static void on_sstp_event(struct relay *r, const struct sstp_event *e)
{
	int result;

	switch (e->type) {
	case SSTP_EVENT_NONE:
		break;
	case SSTP_EVENT_LOWER_UP:
		result = start_pppd(r);
		if (result < 0) {
			report(&r->config.report, "pppd-failed", "error", strerror(-result), NULL);
			sstp_disconnect(&r->sstp, NULL, clock_now());
		}
		break;
	case SSTP_EVENT_CONNECTED:
		report(&r->config.report, "connected", "user", r->snoop.user, NULL);
		break;
	case SSTP_EVENT_STOPPING:
		if (r->pppd.pid > 0)
			(void)loop_child_kill(&r->pppd, SIGTERM);
		break;
	case SSTP_EVENT_ENDED:
		(void)tls_shutdown(r->tls);
		end(r, cause_name(e->failure.cause), e->failure.detail);
		break;
	}
}

static size_t take_http(struct relay *r)
{
	bool done = false;
	size_t n = http_request_input(&r->request, r->in, r->in_len, &done);

	if (done) {
		ssize_t m = http_write_response((char *)r->out + r->out_len, sizeof(r->out) - r->out_len,
						r->request.status, NULL);

		r->out_len += m > 0 ? (size_t)m : 0;
		r->http_done = true;
		if (r->request.status == 200)
			sstp_start(&r->sstp, clock_now());
		else
			sstp_disconnect(&r->sstp, NULL, clock_now()); /* not started: ends at once */
	}
	return n;
}

static void take_input(struct relay *r)
{
	size_t used = 0;

	if (!r->http_done)
		used = take_http(r);
	while (r->http_done && used < r->in_len) {
		struct sstp_input in = { 0 };
		ssize_t n = sstp_input(&r->sstp, r->in + used, r->in_len - used, clock_now(), &in);

		if (n <= 0)
			break;
		used += (size_t)n;
		if (in.frame)
			write_to_pppd(r, in.frame, in.frame_len);
	}
	r->in_len -= used;
	memmove(r->in, r->in + used, r->in_len);
}

/* Returns false where there is no more to read. */
static bool read_stream(struct relay *r)
{
	ssize_t n = tls_read(r->tls, r->in + r->in_len, sizeof(r->in) - r->in_len);

	if (n > 0) {
		r->in_len += (size_t)n;
		take_input(r);
	} else if (n != -EAGAIN) {
		r->http_done = true; /* it will not come any more: SSTP has the end to tell */
		sstp_transport_lost(&r->sstp, clock_now());
	}
	return n > 0 && tls_pending(r->tls) && r->in_len < sizeof(r->in);
}

static void write_stream(struct relay *r)
{
	r->out_len += sstp_output(&r->sstp, r->out + r->out_len, sizeof(r->out) - r->out_len);
	if (r->out_len == 0)
		return;
	ssize_t n = tls_write(r->tls, r->out, r->out_len, false);
	if (n > 0) {
		r->out_len -= (size_t)n;
		memmove(r->out, r->out + n, r->out_len);
	}
}

static void run(struct relay *r)
{
	struct sstp_event e;

	while ((e = sstp_event(&r->sstp)).type != SSTP_EVENT_NONE) {
		if (e.type == SSTP_EVENT_ENDED)
			write_stream(r);
		on_sstp_event(r, &e);
		if (e.type == SSTP_EVENT_ENDED)
			return; /* freed */
	}
	write_stream(r);
	loop_fd_set(&r->socket_source, EPOLLIN | (r->out_len > 0 || tls_wants_write(r->tls) ? EPOLLOUT : 0));
	if (r->http_done)
		loop_timer_set(r->config.loop, &r->timer, sstp_deadline(&r->sstp));
}

static void on_timer(void *ctx)
{
	struct relay *r = ctx;

	if (!r->http_done) {
		end(r, "timeout", "no HTTP request");
		return;
	}
	sstp_timeout(&r->sstp, clock_now());
	run(r);
}

static void start_call(struct relay *r)
{
	struct sstp_config config = { .role = SSTP_SERVER,
				      .hashes = r->config.options->hashes,
				      .hello_interval = r->config.options->hello * USEC_PER_SEC,
				      .random = random_system };

	tls_server_fingerprints(r->config.options->tls, config.cert_sha1, config.cert_sha256);
	http_request_init(&r->request);
	sstp_init(&r->sstp, &config);
	r->tls_up = true;
}

static void on_socket(void *ctx, uint32_t events)
{
	struct relay *r = ctx;

	if (!r->tls_up) {
		int result = tls_handshake(r->tls);

		if (result == -EAGAIN) {
			loop_fd_set(&r->socket_source, tls_wants_write(r->tls) ? EPOLLOUT : EPOLLIN);
			return;
		}
		if (result < 0) {
			end(r, cause_name(tls_failure(r->tls)->cause), tls_failure(r->tls)->detail);
			return;
		}
		start_call(r);
	}
	(void)tls_flush(r->tls);
	if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) {
		while (read_stream(r))
			;
	}
	run(r);
}

/* Life */

int relay_start(const struct relay_config *config, int fd, struct relay **ret)
{
	struct relay *r = calloc(1, sizeof(*r));
	int result;

	if (!r) {
		(void)close_fd(fd);
		return -ENOMEM;
	}
	r->config = *config;
	r->fd = fd;
	r->pty = -1;
	r->snoop.users = config->options->users;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	r->timer = (struct loop_timer){ .fn = on_timer, .ctx = r };
	loop_timer_set(config->loop, &r->timer, loop_now(config->loop) + START_TIME);
	r->socket_source = (struct loop_fd){ .fn = on_socket, .ctx = r };
	result = tls_server_accept(config->options->tls, fd, &r->tls);
	if (result == 0)
		result = loop_fd_add(config->loop, &r->socket_source, fd, EPOLLIN);
	if (result < 0) {
		relay_free(r);
		return result;
	}
	*ret = r;
	return 0;
}

void relay_stop(struct relay *r)
{
	if (!r->http_done) {
		end(r, "stopped", "");
		return;
	}
	sstp_disconnect(&r->sstp, NULL, clock_now());
	run(r);
}

void relay_free(struct relay *r)
{
	if (!r)
		return;
	loop_timer_clear(&r->timer);
	loop_fd_remove(&r->socket_source);
	loop_fd_remove(&r->pty_source);
	if (r->pppd.pid > 0) {
		(void)loop_child_kill(&r->pppd, SIGTERM);
		loop_child_remove(&r->pppd);
	}
	tls_free(r->tls);
	(void)close_fd(r->pty);
	(void)close_fd(r->fd);
	wipe(&r->snoop, sizeof(r->snoop));
	free(r);
}
