/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "base/macro.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_ascii(const char *s)
{
	while (*s && (unsigned char)*s < 0x80)
		s++;
	return !*s;
}

int parse_u32(const char *s, uint32_t min, uint32_t max, uint32_t *ret)
{
	uint64_t v = 0;

	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		if (!is_digit(*s))
			return -EINVAL;
		v = v * 10 + (uint64_t)(*s - '0');
		if (v > UINT32_MAX)
			v = (uint64_t)UINT32_MAX +
			    1; /* too large, but go on: it may yet prove not a number */
	}
	if (v < min || v > max)
		return -ERANGE;
	*ret = (uint32_t)v;
	return 0;
}

static int hex_digit(char c)
{
	return is_digit(c)	      ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

int parse_hex(const char *s, uint8_t *ret, size_t len)
{
	if (strlen(s) != 2 * len)
		return -EINVAL;
	for (size_t i = 0; i < 2 * len; i++)
		if (hex_digit(s[i]) < 0)
			return -EINVAL;
	for (size_t i = 0; i < len; i++)
		ret[i] = (uint8_t)(hex_digit(s[2 * i]) << 4 | hex_digit(s[2 * i + 1]));
	return 0;
}

bool is_host_name(const char *s)
{
	size_t len = strlen(s), label = 0;
	bool numeric = true;

	if (len > 0 && s[len - 1] == '.')
		len--;
	if (len == 0 || len > 253)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '.') {
			if (label == 0 || s[i - 1] == '-')
				return false;
			label = 0;
			numeric = true;
			continue;
		}
		if (!is_alnum(s[i]) && !(s[i] == '-' && label > 0))
			return false;
		if (!is_digit(s[i]))
			numeric = false;
		if (++label > 63)
			return false;
	}
	return label > 0 && s[len - 1] != '-' && !numeric;
}

bool is_address(const char *s)
{
	struct in6_addr address;

	return inet_pton(AF_INET, s, &address) == 1 || inet_pton(AF_INET6, s, &address) == 1;
}

bool is_interface_name(const char *s)
{
	static const char *const taken[] = { ".", "..", "all", "default" };
	size_t len = strlen(s);

	if (len == 0 || len >= IFNAMSIZ)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		if (strcmp(s, taken[i]) == 0)
			return false;
	for (; *s; s++)
		if (*s <= ' ' || *s > '~' || *s == '/' || *s == ':')
			return false;
	return true;
}

/* Copies `len` bytes as the host and decides what it is. */
static int set_host(struct host_port *hp, const char *s, size_t len)
{
	if (len == 0 || len >= sizeof(hp->host))
		return -EINVAL;
	memcpy(hp->host, s, len);
	hp->host[len] = 0;
	hp->is_address = is_address(hp->host);
	return hp->is_address || is_host_name(hp->host) ? 0 : -EINVAL;
}

int parse_host_port(const char *s, uint16_t default_port, struct host_port *ret)
{
	struct host_port hp = { .port = default_port };
	const char *port = NULL;
	uint32_t number;
	int r;

	if (s[0] == '[') {
		const char *end = strchr(s, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		r = set_host(&hp, s + 1, (size_t)(end - s - 1));
		if (r == 0 && (!hp.is_address || !strchr(hp.host, ':')))
			r = -EINVAL;
		port = end[1] ? end + 2 : NULL;
	} else {
		const char *colon = strchr(s, ':');
		bool one_colon = colon && !strchr(colon + 1, ':'); /* more than one: an IPv6 address */
		r = set_host(&hp, s, one_colon ? (size_t)(colon - s) : strlen(s));
		port = one_colon ? colon + 1 : NULL;
	}
	if (r < 0)
		return r;
	if (port) {
		if (parse_u32(port, 1, 65535, &number) < 0)
			return -ERANGE;
		hp.port = (uint16_t)number;
	}
	*ret = hp;
	return 0;
}
