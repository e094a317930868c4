/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reader of HTTP requests: whole and in pieces it must come to the same judgement. */
#include <stdlib.h>
#include <string.h>

#include "proto/http/http.h"

#define MUST(what)               \
	do {                     \
		if (!(what))     \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static size_t read_in_pieces(struct http_request *r, const uint8_t *data, size_t len, size_t piece)
{
	bool done = false;
	size_t pos = 0;

	http_request_init(r);
	while (pos < len && !done) {
		size_t n = len - pos < piece ? len - pos : piece;
		size_t taken = http_request_input(r, data + pos, n, &done);

		MUST(taken > 0 && taken <= n && (done || taken == n));
		pos += taken;
	}
	MUST(done == (r->status != 0));
	MUST(pos <= HTTP_HEAD_MAX + 1);
	for (const char *p = r->host; *p; p++)
		MUST(*p >= ' ' && *p <= '~');
	for (const char *p = r->correlation_id; *p; p++)
		MUST(*p >= ' ' && *p <= '~');
	return pos;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct http_request whole, pieces;

	MUST(read_in_pieces(&whole, data, len, len) == read_in_pieces(&pieces, data, len, len % 5 + 1));
	MUST(whole.status == pieces.status && strcmp(whole.host, pieces.host) == 0);
	return 0;
}
