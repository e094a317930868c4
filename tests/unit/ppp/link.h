/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers for the PPP tests: deterministic randomness, frames as hex, and an engine under a virtual clock. */
#pragma once

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>

#include "base/parse.h"
#include "proto/ppp/ppp_state.h"
#include "test.h"

#define MSEC USEC_PER_MSEC
#define SEC  USEC_PER_SEC

/* A small generator with a state of its own (SplitMix64): every run of a test is the same. */
struct dice {
	uint64_t state;
};

static inline uint64_t roll(struct dice *d)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static inline void dice_fill(void *ctx, void *out, size_t len)
{
	uint8_t *p = out;

	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)roll(ctx);
}

static inline struct random_source dice_source(struct dice *d)
{
	return (struct random_source){ .fill = dice_fill, .ctx = d };
}

/* "ff03 c021 01" → bytes; blanks are ignored. */
static inline size_t unhex(const char *text, uint8_t *out, size_t size)
{
	size_t n = 0;

	for (; *text && n < size; text++) {
		if (*text == ' ')
			continue;
		char digits[3] = { text[0], text[1], 0 };
		if (parse_hex(digits, &out[n++], 1) < 0)
			abort();
		text++;
	}
	return n;
}

static inline struct secret secret_of(const char *text)
{
	struct secret s = { 0 };

	(void)secret_set(&s, text, strlen(text));
	return s;
}

static inline struct in_addr ipv4(const char *text)
{
	struct in_addr a = { 0 };

	(void)inet_pton(AF_INET, text, &a);
	return a;
}

/* Hands a frame over in a copy of exact size, so that the sanitizer sees a read past its end. */
static inline int input(struct ppp *p, const uint8_t *frame, size_t len, usec_t now)
{
	uint8_t *copy = malloc(len ? len : 1);
	const uint8_t *ip = NULL;
	size_t ip_len = 0;

	if (!copy)
		abort();
	memcpy(copy, frame, len);
	int protocol = ppp_input(p, copy, len, now, &ip, &ip_len);
	free(copy);
	return protocol;
}

static inline int input_hex(struct ppp *p, const char *hex, usec_t now)
{
	uint8_t frame[5000];

	return input(p, frame, unhex(hex, frame, sizeof(frame)), now);
}

/* The next frame as hex, "" where there is none. */
static inline const char *output_hex(struct ppp *p, char out[static 4096])
{
	uint8_t frame[1504];
	size_t len = ppp_output(p, frame, sizeof(frame));

	out[0] = 0;
	for (size_t i = 0; i < len; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", frame[i]);
	return out;
}
