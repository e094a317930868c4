/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macro.h"
#include "sandbox/sandbox.h"

#define RESOLVE_TIME (20 * USEC_PER_SEC)
#define SLOW_TIME    (2 * USEC_PER_SEC)	  /* then each family is asked for by itself */
#define DELAY_TIME   (50 * USEC_PER_MSEC) /* RFC 8305 §3: for the other family's answer */

/* What the child answers: fixed size, so that the parent parses nothing. */
struct answer {
	int32_t error; /* 0 or EAI_* */
	uint32_t count;
	struct {
		uint16_t family;
		uint32_t scope;
		uint8_t bytes[16];
	} addresses[ADDRESSES_MAX];
};

void address_format(const union address *a, char out[static ADDRESS_TEXT])
{
	const void *bytes = a->any.sa_family == AF_INET ? (const void *)&a->in.sin_addr : &a->in6.sin6_addr;

	if (!inet_ntop(a->any.sa_family, bytes, out, ADDRESS_TEXT))
		out[0] = 0;
}

socklen_t address_len(const union address *a)
{
	return a->any.sa_family == AF_INET ? sizeof(a->in) : sizeof(a->in6);
}

int addresses_from_literal(const char *host, uint16_t port, struct addresses *ret)
{
	union address a = { 0 };

	if (inet_pton(AF_INET, host, &a.in.sin_addr) == 1) {
		a.in.sin_family = AF_INET;
		a.in.sin_port = htons(port);
	} else if (inet_pton(AF_INET6, host, &a.in6.sin6_addr) == 1) {
		a.in6.sin6_family = AF_INET6;
		a.in6.sin6_port = htons(port);
	} else {
		return -EINVAL;
	}
	*ret = (struct addresses){ .list = { a }, .count = 1 };
	return 0;
}

static void look_up(const char *host, int family, struct answer *answer)
{
	struct addrinfo hints = { .ai_family = family,
				  .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *list = NULL;

	answer->error = getaddrinfo(host, NULL, &hints, &list);
	for (struct addrinfo *i = list; answer->error == 0 && i && answer->count < ADDRESSES_MAX;
	     i = i->ai_next) {
		if (i->ai_family == AF_INET) {
			const struct sockaddr_in *in = (const void *)i->ai_addr;
			memcpy(answer->addresses[answer->count].bytes, &in->sin_addr, 4);
		} else if (i->ai_family == AF_INET6) {
			const struct sockaddr_in6 *in6 = (const void *)i->ai_addr;
			memcpy(answer->addresses[answer->count].bytes, &in6->sin6_addr, 16);
			answer->addresses[answer->count].scope = in6->sin6_scope_id;
		} else {
			continue;
		}
		answer->addresses[answer->count++].family = (uint16_t)i->ai_family;
	}
	if (list)
		freeaddrinfo(list);
}

static _Noreturn void child(const char *host, int family, int fd, pid_t parent)
{
	struct answer answer = { 0 };

	/* It is of no use without the parent, and getaddrinfo() may wait for minutes. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	/* Nothing of the parent but the pipe and the standard descriptors. */
	if (dup2(fd, 3) < 0 || close_range(4, ~0u, 0) < 0)
		_exit(1);
	if (sandbox_resolver(&(struct sandbox_result){ 0 }) < 0)
		_exit(1);
	look_up(host, family, &answer);
	_exit(write(3, &answer, sizeof(answer)) == (ssize_t)sizeof(answer) ? 0 : 1);
}

static int start_child(const char *host, int family, int *ret_fd, pid_t *ret_pid)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid_t parent = getpid(), pid = fork();
	if (pid < 0) {
		int r = -errno;
		(void)close_fd(fds[0]);
		(void)close_fd(fds[1]);
		return r;
	}
	if (pid == 0)
		child(host, family, fds[1], parent);
	(void)close_fd(fds[1]);
	*ret_fd = fds[0];
	*ret_pid = pid;
	return 0;
}

static void explain(const char *host, int error, struct failure *failure)
{
	switch (error) {
	case EAI_NONAME:
	case EAI_NODATA:
	case EAI_ADDRFAMILY:
		failure_set(failure, CAUSE_RESOLVE_NOT_FOUND, "%s", host);
		break;
	default:
		failure_set(failure, CAUSE_RESOLVE_FAILED, "%s: %s", host, gai_strerror(error));
		break;
	}
}

static bool is_sound(const struct answer *answer)
{
	if (answer->count == 0 || answer->count > ADDRESSES_MAX)
		return false;
	for (unsigned i = 0; i < answer->count; i++)
		if (answer->addresses[i].family != AF_INET && answer->addresses[i].family != AF_INET6)
			return false;
	return true;
}

static void take_addresses(struct resolver *r, const struct answer *answer)
{
	for (unsigned i = 0; i < answer->count; i++) {
		bool is_ipv6 = answer->addresses[i].family == AF_INET6;
		struct addresses *to = is_ipv6 ? &r->ipv6 : &r->ipv4;

		if (to->count == ADDRESSES_MAX)
			continue;
		union address *a = &to->list[to->count++];
		if (is_ipv6) {
			a->in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
							.sin6_port = htons(r->port),
							.sin6_scope_id = answer->addresses[i].scope };
			memcpy(&a->in6.sin6_addr, answer->addresses[i].bytes, 16);
		} else {
			a->in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(r->port) };
			memcpy(&a->in.sin_addr, answer->addresses[i].bytes, 4);
		}
	}
}

static void add_address(struct addresses *to, const struct addresses *from, unsigned i)
{
	if (i < from->count && to->count < ADDRESSES_MAX)
		to->list[to->count++] = from->list[i];
}

static void end_lookup(struct lookup *l)
{
	loop_fd_remove(&l->source);
	l->fd = close_fd(l->fd);
}

/* Who still asks is of no use any more. The loop reaps him, or resolver_end(). */
static void finish(struct resolver *r)
{
	struct addresses found = { 0 };
	const struct addresses *first = r->ipv4_first ? &r->ipv4 : &r->ipv6,
			       *second = r->ipv4_first ? &r->ipv6 : &r->ipv4;

	loop_timer_clear(&r->slow);
	loop_timer_clear(&r->delay);
	loop_timer_clear(&r->deadline);
	for (size_t i = 0; i < ARRAY_SIZE(r->lookups); i++)
		if (r->lookups[i].fd >= 0) {
			end_lookup(&r->lookups[i]);
			(void)loop_child_kill(&r->lookups[i].process, SIGKILL);
		}
	for (unsigned i = 0; i < MAX(first->count, second->count); i++) {
		add_address(&found, first, i);
		add_address(&found, second, i);
	}
	r->done(r->ctx, &found, &r->failure);
}

static void on_delay(void *ctx)
{
	finish(ctx);
}

static void on_deadline(void *ctx)
{
	struct resolver *r = ctx;

	failure_set(&r->failure, CAUSE_RESOLVE_FAILED, "%s: no answer from DNS in %u s", r->host,
		    (unsigned)(RESOLVE_TIME / USEC_PER_SEC));
	finish(r);
}

/* Both families were asked for together, and that is all there is to know; unless one of them, by itself, has
 * brought something before. */
static void on_both(struct resolver *r, const struct answer *answer, bool found)
{
	if (found) {
		r->ipv4 = r->ipv6 = (struct addresses){ 0 };
		r->ipv4_first = answer->addresses[0].family == AF_INET;
		take_addresses(r, answer);
	} else if (r->ipv4.count + r->ipv6.count == 0) {
		explain(r->host, answer->error ? answer->error : EAI_NODATA, &r->failure);
	}
	finish(r);
}

/* One family by itself: the other one gets a moment more, RFC 8305 §3. A "no" says nothing of the other. */
static void on_one(struct resolver *r, const struct answer *answer, bool found)
{
	bool alone = true;

	if (found)
		take_addresses(r, answer);
	for (size_t i = 0; i < ARRAY_SIZE(r->lookups); i++)
		alone &= r->lookups[i].family == AF_UNSPEC || r->lookups[i].fd < 0;
	if (r->ipv4.count + r->ipv6.count == 0)
		return;
	if (alone)
		finish(r);
	else
		loop_timer_set(r->loop, &r->delay, loop_now(r->loop) + DELAY_TIME);
}

static void on_answer(void *ctx, uint32_t events)
{
	struct lookup *l = ctx;
	struct answer answer;
	bool whole = read(l->fd, &answer, sizeof(answer)) == (ssize_t)sizeof(answer);

	(void)events;
	if (!whole)
		answer = (struct answer){ .error = EAI_SYSTEM };
	end_lookup(l);
	bool found = answer.error == 0 && is_sound(&answer);
	if (l->family != AF_UNSPEC) {
		on_one(l->resolver, &answer, found);
		return;
	}
	if (!whole)
		failure_set(&l->resolver->failure, CAUSE_RESOLVE_FAILED,
			    "%s: the lookup process ended without an answer", l->resolver->host);
	on_both(l->resolver, &answer, found);
}

static void on_ended(void *ctx, const siginfo_t *info)
{
	(void)ctx;
	(void)info; /* its answer, or the end of the pipe without one, says all */
}

static int start_lookup(struct resolver *r, struct lookup *l)
{
	pid_t pid;
	int result = start_child(r->host, l->family, &l->fd, &pid);

	if (result < 0)
		return result;
	l->source = (struct loop_fd){ .fn = on_answer, .ctx = l };
	l->process = (struct loop_child){ .fn = on_ended, .ctx = l };
	result = loop_child_add(r->loop, &l->process, pid);
	if (result < 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	} else {
		result = loop_fd_add(r->loop, &l->source, l->fd, EPOLLIN);
		if (result < 0)
			loop_child_end(&l->process);
	}
	if (result < 0)
		l->fd = close_fd(l->fd);
	return result;
}

/*
 * Where a DNS server never answers for one of the families, which old ones do, the lookup of both takes 10 to
 * 15 s, and of a missing answer for IPv4 glibc makes a failure of the whole.
 */
static void on_slow(void *ctx)
{
	struct resolver *r = ctx;

	for (size_t i = 0; i < ARRAY_SIZE(r->lookups); i++)
		if (r->lookups[i].family != AF_UNSPEC)
			(void)start_lookup(r, &r->lookups[i]); /* the first one goes on */
}

int resolver_start(struct resolver *r)
{
	static const int families[] = { AF_UNSPEC, AF_INET6, AF_INET };

	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		r->lookups[i] = (struct lookup){ .resolver = r, .family = families[i], .fd = -1 };
	r->slow = (struct loop_timer){ .fn = on_slow, .ctx = r };
	r->delay = (struct loop_timer){ .fn = on_delay, .ctx = r };
	r->deadline = (struct loop_timer){ .fn = on_deadline, .ctx = r };
	int result = start_lookup(r, &r->lookups[0]);
	if (result < 0)
		return result;
	loop_timer_set(r->loop, &r->slow, loop_now(r->loop) + SLOW_TIME);
	loop_timer_set(r->loop, &r->deadline, loop_now(r->loop) + RESOLVE_TIME);
	return 0;
}

void resolver_end(struct resolver *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(r->lookups); i++) {
		if (r->lookups[i].resolver)
			loop_child_end(&r->lookups[i].process);
		r->lookups[i].resolver = NULL;
	}
}
