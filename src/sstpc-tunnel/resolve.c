/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/macro.h"
#include "sandbox/sandbox.h"

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

static void look_up(const char *host, struct answer *answer)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
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

static _Noreturn void child(const char *host, int fd, pid_t parent)
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
	look_up(host, &answer);
	_exit(write(3, &answer, sizeof(answer)) == (ssize_t)sizeof(answer) ? 0 : 1);
}

int resolve_start(const char *host, int *ret_fd, pid_t *ret_pid)
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
		child(host, fds[1], parent);
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

/* The resolver's order (RFC 6724) within each family, the families in turn, the first one's family first. */
static void interleave(const struct answer *answer, uint16_t port, struct addresses *ret)
{
	bool used[ADDRESSES_MAX] = { false };
	uint16_t family = answer->addresses[0].family;

	while (ret->count < answer->count) {
		unsigned i;

		for (i = 0; i < answer->count && (used[i] || answer->addresses[i].family != family); i++)
			;
		family = family == AF_INET ? AF_INET6 : AF_INET;
		if (i == answer->count)
			continue;
		used[i] = true;
		union address *a = &ret->list[ret->count++];
		if (answer->addresses[i].family == AF_INET) {
			a->in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
			memcpy(&a->in.sin_addr, answer->addresses[i].bytes, 4);
		} else {
			a->in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
							.sin6_port = htons(port),
							.sin6_scope_id = answer->addresses[i].scope };
			memcpy(&a->in6.sin6_addr, answer->addresses[i].bytes, 16);
		}
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

int resolve_finish(int fd, const char *host, uint16_t port, struct addresses *ret, struct failure *failure)
{
	struct answer answer;
	struct addresses found = { 0 };

	if (read(fd, &answer, sizeof(answer)) != (ssize_t)sizeof(answer)) {
		failure_set(failure, CAUSE_RESOLVE_FAILED, "%s: the lookup process ended without an answer",
			    host);
		return -ENOENT;
	}
	if (answer.error != 0 || !is_sound(&answer)) {
		explain(host, answer.error ? answer.error : EAI_NODATA, failure);
		return -ENOENT;
	}
	interleave(&answer, port, &found);
	*ret = found;
	return 0;
}
