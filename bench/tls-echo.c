/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Round trips through bare TLS: the client sends --count messages of --size bytes, each after the answer to
 * the one before and --pause microseconds, and prints their times:
 *
 *     tls-echo serve 192.0.2.1 4433
 *     tls-echo connect 192.0.2.1 4433 --count 10000
 *     {"count":10000,"size":64,"cipher":"…","min_us":…,"p50_us":…,"p95_us":…,"p99_us":…,"max_us":…}
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bare-tls.h"
#include "base/macro.h"

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void serve(const struct connection *c)
{
	static uint8_t data[65536];
	size_t n;

	while ((n = connection_read(c, data, sizeof(data))) > 0)
		connection_write(c, data, n);
	connection_finish(c);
}

static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* In microseconds; `times` is sorted. */
static double percentile(const uint64_t *times, uint32_t count, unsigned percent)
{
	return (double)times[(uint64_t)(count - 1) * percent / 100] / 1e3;
}

static int measure(const struct connection *c, const struct options *o)
{
	_cleanup_free_ uint64_t *times = calloc(o->count, sizeof(*times));
	static uint8_t data[16384];
	const struct timespec pause = { .tv_sec = (time_t)(o->pause_us / 1000000),
					.tv_nsec = (long)(o->pause_us % 1000000) * 1000 };

	if (!times)
		return 1;
	for (uint32_t i = 0; i < o->count; i++) {
		uint64_t start = now_ns();
		connection_write(c, data, o->size);
		for (size_t got = 0, n; got < o->size; got += n)
			if ((n = connection_read(c, data, sizeof(data))) == 0)
				return 1;
		times[i] = now_ns() - start;
		if (o->pause_us > 0)
			(void)nanosleep(&pause, NULL);
	}
	connection_finish(c);
	qsort(times, o->count, sizeof(*times), by_value);
	printf("{\"count\":%" PRIu32 ",\"size\":%" PRIu32
	       ",\"cipher\":\"%s\",\"min_us\":%.1f,\"p50_us\":%.1f,"
	       "\"p95_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f}\n",
	       o->count, o->size, connection_cipher(c), percentile(times, o->count, 0),
	       percentile(times, o->count, 50), percentile(times, o->count, 95),
	       percentile(times, o->count, 99), percentile(times, o->count, 100));
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = parse_options(argc, argv);
	struct connection c = connection_open(&o);
	int result = 0;

	if (o.server)
		serve(&c);
	else
		result = measure(&c, &o);
	connection_close(&c);
	return result;
}
