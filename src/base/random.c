/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

static void system_fill(void *ctx, void *out, size_t len)
{
	uint8_t *p = out;

	(void)ctx;
	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			abort();
		}
		p += n;
		len -= (size_t)n;
	}
}

const struct random_source random_system = { .fill = system_fill };
