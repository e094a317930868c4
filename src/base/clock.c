/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"

#include <time.h>

static usec_t read_clock(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return (usec_t)ts.tv_sec * USEC_PER_SEC + (usec_t)ts.tv_nsec / 1000;
}

usec_t clock_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

usec_t clock_boot(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

usec_t clock_wall(void)
{
	return read_clock(CLOCK_REALTIME);
}

usec_t clock_cpu(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}
