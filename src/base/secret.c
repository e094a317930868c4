/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/secret.h"

#include <errno.h>
#include <string.h>

void wipe(void *p, size_t len)
{
	explicit_bzero(p, len);
}

void secret_wipe(struct secret *s)
{
	if (s)
		wipe(s, sizeof(*s));
}

int secret_set(struct secret *s, const void *data, size_t len)
{
	secret_wipe(s);
	if (len > SECRET_MAX)
		return -E2BIG;
	if (len > 0)
		memcpy(s->data, data, len);
	s->len = len;
	return 0;
}

bool equal_constant_time(const void *a, const void *b, size_t len)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t diff = 0;

	for (size_t i = 0; i < len; i++)
		diff |= (uint8_t)(x[i] ^ y[i]);
	return diff == 0;
}
