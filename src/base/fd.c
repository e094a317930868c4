/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "base/macro.h"

int close_fd(int fd)
{
	if (fd >= 0) {
		int saved = errno;
		(void)close(fd);
		errno = saved;
	}
	return -1;
}
