/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reader of HTTP answers: whole and in pieces it must say the same, and never print what it should not.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/http/http.h"

#define MUST(what)               \
	do {                     \
		if (!(what))     \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must_be_printable(const char *text, size_t size)
{
	MUST(memchr(text, 0, size));
	for (; *text; text++)
		MUST(*text >= ' ' && *text <= '~');
}

/* Returns the bytes taken, -1 after an error; *ret_done as the reader says. */
static ssize_t read_in_pieces(const uint8_t *data, size_t len, size_t piece, bool *ret_done)
{
	struct failure failure = {};
	struct http_response r;
	size_t pos = 0;

	*ret_done = false;
	http_response_init(&r);
	while (pos < len && !*ret_done) {
		size_t n = len - pos < piece ? len - pos : piece;
		ssize_t taken = http_response_input(&r, data + pos, n, ret_done, &failure);

		must_be_printable(r.reason, sizeof(r.reason));
		must_be_printable(r.server, sizeof(r.server));
		must_be_printable(r.location, sizeof(r.location));
		if (taken < 0) {
			MUST(failure.cause != CAUSE_NONE && failure.detail[0]);
			must_be_printable(failure.detail, sizeof(failure.detail));
			return -1;
		}
		MUST(taken > 0 && (size_t)taken <= n && (*ret_done || (size_t)taken == n));
		pos += (size_t)taken;
	}
	MUST(!*ret_done || r.status == 200);
	MUST(pos <= HTTP_HEAD_MAX);
	return (ssize_t)pos;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	bool whole_done, pieces_done;
	ssize_t whole = read_in_pieces(data, len, len, &whole_done);
	ssize_t pieces = read_in_pieces(data, len, len % 7 + 1, &pieces_done);

	MUST(whole == pieces && whole_done == pieces_done);
	return 0;
}
