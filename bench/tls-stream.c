/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bare TLS stream: what one connection can carry with nothing but OpenSSL. 16 KiB writes for --seconds;
 * each end prints one line of JSON, the receiver's count is the one that counts:
 *
 *     tls-stream serve 192.0.2.1 4433 --congestion cubic
 *     tls-stream connect 192.0.2.1 4433 --congestion cubic --seconds 5
 *     {"role":"receiver","cipher":"TLS_AES_128_GCM_SHA256","bytes":…,"seconds":…,"mbit":…,"cpu_s":…,"cpu_s_per_gib":…}
 *
 * --omit (to the receiver) leaves the first seconds uncounted, except for processor time; --download (to both
 * ends) turns the direction round; --plain leaves TLS out, and writes 128 KiB at once, as iperf3 does.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bare-tls.h"
#include "base/macro.h"

#define TLS_WRITE_SIZE	 16384
#define PLAIN_WRITE_SIZE (128 * 1024)

static uint64_t send_all(const struct connection *c, usec_t until)
{
	static uint8_t data[PLAIN_WRITE_SIZE];
	const size_t size = c->ssl ? TLS_WRITE_SIZE : PLAIN_WRITE_SIZE;
	uint64_t bytes = 0;

	memset(data, 0x5a, sizeof(data));
	do {
		/* The clock is looked at every MiB. */
		for (size_t i = 0; i < (1u << 20) / size; i++)
			connection_write(c, data, size);
		bytes += 1u << 20;
	} while (clock_now() < until);
	connection_finish(c);
	/* The other end closes when it has counted all. */
	while (connection_read(c, data, sizeof(data)) > 0)
		;
	return bytes;
}

/* Counts from `start` on; what comes earlier is read and forgotten. */
static uint64_t receive_all(const struct connection *c, usec_t start)
{
	static uint8_t data[PLAIN_WRITE_SIZE];
	uint64_t bytes = 0;
	size_t n;

	while (clock_now() < start && connection_read(c, data, sizeof(data)) > 0)
		;
	while ((n = connection_read(c, data, sizeof(data))) > 0)
		bytes += n;
	return bytes;
}

int main(int argc, char **argv)
{
	struct options o = parse_options(argc, argv);
	struct connection c = connection_open(&o);
	bool sends = o.server == o.download;

	double cpu = cpu_seconds();
	usec_t start = clock_now() + (sends ? 0 : o.omit * USEC_PER_SEC);
	uint64_t bytes = sends ? send_all(&c, start + o.seconds * USEC_PER_SEC) : receive_all(&c, start);
	double seconds = (double)(clock_now() - start) / (double)USEC_PER_SEC;
	cpu = cpu_seconds() - cpu;
	if (!sends)
		connection_finish(&c);
	printf("{\"role\":\"%s\",\"cipher\":\"%s\",\"bytes\":%" PRIu64 ",\"seconds\":%.3f,\"mbit\":%.1f,"
	       "\"cpu_s\":%.3f,\"cpu_s_per_gib\":%.4f}\n",
	       sends ? "sender" : "receiver", connection_cipher(&c), bytes, seconds,
	       (double)bytes * 8 / seconds / 1e6, cpu,
	       bytes ? cpu / ((double)bytes / (double)(1u << 30)) : 0.0);
	connection_close(&c);
	return 0;
}
