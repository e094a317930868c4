/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/base64.h"

#include <errno.h>
#include <string.h>

static int digit(char c)
{
	return c >= 'A' && c <= 'Z'   ? c - 'A'
	       : c >= 'a' && c <= 'z' ? c - 'a' + 26
	       : c >= '0' && c <= '9' ? c - '0' + 52
	       : c == '+'	      ? 62
	       : c == '/'	      ? 63
				      : -1;
}

ssize_t base64_decode(const char *s, uint8_t *out, size_t size)
{
	size_t len = strlen(s), padding = 0, n = 0;
	uint32_t bits = 0;
	unsigned held = 0; /* how many bits wait in `bits` */

	if (len % 4 != 0)
		return -EINVAL;
	while (padding < 2 && padding < len && s[len - 1 - padding] == '=')
		padding++;
	for (size_t i = 0; i < len - padding; i++) {
		int v = digit(s[i]);
		if (v < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)v;
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		if (n >= size)
			return -ENOBUFS;
		if (out)
			out[n] = (uint8_t)(bits >> held);
		n++;
		bits &= (1u << held) - 1;
	}
	return bits ? -EINVAL : (ssize_t)n;
}
