/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "connection.h"
#include "pppd.h"

struct server {
	struct loop *loop;
	int listener;
	const struct server_options *options;
	struct loop_fd source;
	struct connection *places[PEER_CLIENTS_MAX]; /* by place in the pool */
	struct relay *relays[PEER_CLIENTS_MAX];	     /* the same where a pppd is behind */
	unsigned places_count, active, accepted;
	bool stopping;
};

static void one_less(struct server *s)
{
	s->active--;
	if (s->options->once || (s->stopping && s->active == 0))
		loop_stop(s->loop, 0);
}

static void on_ended(void *ctx, struct connection *c)
{
	struct server *s = ctx;

	s->places[c->place] = NULL;
	connection_done(c);
	free(c);
	one_less(s);
}

static void on_relay_ended(void *ctx, struct relay *r, unsigned place)
{
	struct server *s = ctx;

	s->relays[place] = NULL;
	relay_free(r);
	one_less(s);
}

static int start_connection(struct server *s, int fd, unsigned place, const struct report *report)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (!c) {
		(void)close_fd(fd);
		return -ENOMEM;
	}
	c->loop = s->loop;
	c->options = s->options;
	c->report = *report;
	c->place = place;
	c->ended = on_ended;
	c->ctx = s;
	int r = connection_start(c, fd);
	if (r < 0) {
		connection_done(c);
		free(c);
		return r;
	}
	s->places[place] = c;
	return 0;
}

static int start_relay(struct server *s, int fd, unsigned place, const struct report *report)
{
	struct relay_config config = { .loop = s->loop,
				       .options = s->options,
				       .report = *report,
				       .place = place,
				       .ended = on_relay_ended,
				       .ctx = s };

	return relay_start(&config, fd, &s->relays[place]);
}

static void on_connection(void *ctx, uint32_t events)
{
	struct server *s = ctx;
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	int fd = accept4(s->listener, (struct sockaddr *)&from, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	unsigned place = 0;

	(void)events;
	if (fd < 0)
		return;
	struct report r = { .json = s->options->log,
			    .verbose = s->options->verbose,
			    .number = ++s->accepted };
	while (place < s->places_count && (s->places[place] || s->relays[place]))
		place++;
	if (place == s->places_count) {
		report(&r, "refused", "reason", "the address pool is used up", NULL);
		(void)close_fd(fd);
		return;
	}
	report(&r, "accepted", NULL);
	int result = s->options->pppd ? start_relay(s, fd, place, &r) : start_connection(s, fd, place, &r);
	if (result < 0)
		report(&r, "refused", "reason", strerror(-result), NULL);
	else
		s->active++;
	if (s->options->once)
		loop_fd_remove(&s->source);
}

int server_new(struct loop *loop, int listener, const struct server_options *options, struct server **ret)
{
	struct server *s = calloc(1, sizeof(*s));
	uint32_t size = ntohl(options->pool_last.s_addr) - ntohl(options->pool_first.s_addr) + 1;

	if (!s)
		return -ENOMEM;
	s->loop = loop;
	s->listener = listener;
	s->options = options;
	s->places_count = MIN(size, (uint32_t)PEER_CLIENTS_MAX);
	s->source = (struct loop_fd){ .fn = on_connection, .ctx = s };
	int r = loop_fd_add(loop, &s->source, listener, EPOLLIN);
	if (r < 0) {
		free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void server_free(struct server *s)
{
	if (!s)
		return;
	loop_fd_remove(&s->source);
	for (unsigned i = 0; i < s->places_count; i++) {
		if (s->places[i]) {
			connection_done(s->places[i]);
			free(s->places[i]);
		}
		relay_free(s->relays[i]);
	}
	free(s);
}

void server_renumber(struct server *s)
{
	for (unsigned i = 0; i < s->places_count; i++)
		if (s->places[i])
			connection_renumber(s->places[i]);
}

void server_stop(struct server *s)
{
	s->stopping = true;
	loop_fd_remove(&s->source);
	for (unsigned i = 0; i < s->places_count; i++) {
		if (s->places[i])
			connection_stop(s->places[i]);
		if (s->relays[i])
			relay_stop(s->relays[i]);
	}
	if (s->active == 0)
		loop_stop(s->loop, 0);
}
