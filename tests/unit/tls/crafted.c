/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crafted.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "pump.h"

static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 31 + i / 251);
}

void pattern_fill(uint8_t *out, size_t at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = pattern(at + i);
}

bool pattern_matches(const uint8_t *data, size_t at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (data[i] != pattern(at + i))
			return false;
	return true;
}

void crafted_open_with(struct crafted *c, uint32_t suite, bool server, const struct traffic_secrets *secrets)
{
	const int room = 1 << 20;

	memset(c, 0, sizeof(*c));
	make_pair(c->fds);
	(void)setsockopt(c->fds[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	c->t = session_with_secrets(secrets, server, c->fds[0]);
	sealer_init(&c->to, suite, secrets, !server);
	sealer_init(&c->from, suite, secrets, server);
}

void crafted_open(struct crafted *c, uint32_t suite, bool server)
{
	struct traffic_secrets secrets = sealer_secrets(suite);

	crafted_open_with(c, suite, server, &secrets);
}

void crafted_close(struct crafted *c)
{
	tls_free(c->t);
	close_fd(c->fds[0]);
	close_fd(c->fds[1]);
}

void crafted_add(struct crafted *c, uint8_t type, const void *content, size_t len)
{
	c->len += sealer_seal(&c->to, type, content, len, 0, c->stream + c->len);
}

void crafted_add_pattern(struct crafted *c, size_t at, size_t len)
{
	static uint8_t data[TLS_RECORD_MAX];

	pattern_fill(data, at, len);
	crafted_add(c, SSL3_RT_APPLICATION_DATA, data, len);
}

bool crafted_deliver(struct crafted *c)
{
	ssize_t n = send(c->fds[1], c->stream, c->len, 0);
	bool all = n == (ssize_t)c->len;

	c->len = 0;
	return all;
}

ssize_t crafted_hear(struct crafted *c, uint8_t *ret_type, uint8_t *out, size_t size)
{
	uint8_t record[1000];
	ssize_t n = recv(c->fds[1], record, sizeof(record), MSG_PEEK);

	if (n < 0)
		return -errno;
	size_t len = sealed_length(record, (size_t)n);
	if (len == 0 || len > size || recv(c->fds[1], record, len, 0) != (ssize_t)len)
		return -EBADMSG;
	return sealer_open(&c->from, record, len, ret_type, out);
}

bool crafted_hears_alert(struct crafted *c, int alert)
{
	uint8_t type = 0, content[1000];
	ssize_t n = crafted_hear(c, &type, content, sizeof(content));

	if (alert == 0)
		return n == -EAGAIN;
	return n == 2 && type == SSL3_RT_ALERT && content[0] == SSL3_AL_FATAL && content[1] == alert &&
	       crafted_hear(c, &type, content, sizeof(content)) == -EAGAIN;
}
