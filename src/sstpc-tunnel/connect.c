/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "connect.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/macro.h"

/* The silence that ends a connection below SSTP's own hello timer: 30 s idle, then 3 probes 10 s apart. */
#define KEEPALIVE_IDLE	   30
#define KEEPALIVE_INTERVAL 10
#define KEEPALIVE_COUNT	   3
#define USER_TIMEOUT_MS	   60000

static void start_next(struct connector *c);

static void give_up_attempts(struct connector *c)
{
	loop_timer_clear(&c->stagger);
	loop_timer_clear(&c->deadline);
	for (unsigned i = 0; i < c->next; i++) {
		loop_fd_remove(&c->attempts[i].source);
		c->attempts[i].fd = close_fd(c->attempts[i].fd);
	}
}

static void finish(struct connector *c, int fd, unsigned index)
{
	give_up_attempts(c);
	c->done(c->ctx, fd, index, &c->failure);
}

static void note_error(struct connector *c, const struct connect_target *target, int error)
{
	char text[ADDRESS_TEXT];
	enum cause cause = error == ECONNREFUSED ? CAUSE_CONNECT_REFUSED
			   : error == ETIMEDOUT	 ? CAUSE_CONNECT_TIMEOUT
			   : error == ENETUNREACH || error == EHOSTUNREACH || error == ENODEV ||
					   error == EADDRNOTAVAIL
				   ? CAUSE_CONNECT_NO_ROUTE
				   : CAUSE_CONNECT_FAILED;

	/* A family that leads nowhere says little where the other one got further. */
	if (c->failure.cause == CAUSE_CONNECT_NO_ROUTE && cause != CAUSE_CONNECT_NO_ROUTE)
		c->failure = (struct failure){ .cause = CAUSE_NONE };
	address_format(&target->address, text);
	failure_set(&c->failure, cause, "%s port %u%s%s: %s", text, ntohs(target->address.in.sin_port),
		    target->device[0] ? " through " : "", target->device, strerror(error));
}

static void attempt_failed(struct connector *c, unsigned index, int error)
{
	bool waiting = false;

	loop_fd_remove(&c->attempts[index].source);
	c->attempts[index].fd = close_fd(c->attempts[index].fd);
	note_error(c, &c->targets[index], error);
	for (unsigned i = 0; i < c->next; i++)
		waiting |= c->attempts[i].fd >= 0;
	if (c->next < c->count)
		start_next(c);
	else if (!waiting)
		finish(c, -1, 0);
}

static void on_ready(void *ctx, uint32_t events)
{
	struct connect_attempt *a = ctx;
	struct connector *c = a->connector;
	unsigned index = (unsigned)(a - c->attempts);
	int error = 0;
	socklen_t len = sizeof(error);

	(void)events;
	if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error) {
		attempt_failed(c, index, error);
		return;
	}
	loop_fd_remove(&a->source);
	finish(c, TAKE_FD(a->fd), index);
}

static int open_socket(const struct connect_target *t)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE },
		{ IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL },
		{ IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS },
	};
	_cleanup_close_ int fd = socket(t->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
					0);

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int)) < 0)
			return -errno;
	if (t->device[0] &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, t->device, (socklen_t)strlen(t->device) + 1) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static void start_next(struct connector *c)
{
	unsigned index = c->next++;
	struct connect_attempt *a = &c->attempts[index];
	const struct connect_target *t = &c->targets[index];
	int r;

	loop_timer_clear(&c->stagger); /* a failure may have called before its time */
	*a = (struct connect_attempt){ .connector = c,
				       .source = { .fn = on_ready, .ctx = a },
				       .fd = open_socket(t) };
	r = a->fd < 0 ? a->fd : 0;
	if (r == 0 && connect(a->fd, &t->address.any, address_len(&t->address)) < 0 && errno != EINPROGRESS)
		r = -errno;
	if (r == 0)
		r = loop_fd_add(c->loop, &a->source, a->fd, EPOLLOUT);
	if (r == 0) {
		if (c->next < c->count)
			loop_timer_set(c->loop, &c->stagger, loop_now(c->loop) + CONNECT_STAGGER);
		return;
	}
	attempt_failed(c, index, -r);
}

static void on_stagger(void *ctx)
{
	start_next(ctx);
}

static void on_deadline(void *ctx)
{
	struct connector *c = ctx;
	unsigned i;

	for (i = 0; i + 1 < c->next && c->attempts[i].fd < 0; i++)
		;
	note_error(c, &c->targets[i], ETIMEDOUT); /* of the first one that has not answered */
	finish(c, -1, 0);
}

void connector_start(struct connector *c)
{
	c->stagger = (struct loop_timer){ .fn = on_stagger, .ctx = c };
	c->deadline = (struct loop_timer){ .fn = on_deadline, .ctx = c };
	loop_timer_set(c->loop, &c->deadline, loop_now(c->loop) + CONNECT_TIME);
	start_next(c);
}
