/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of csum.c: the AVX2 form, and the end of the data, which all forms treat alike. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "data/csum.h"

#if defined(__x86_64__)
#define CSUM_HAVE_AVX2
/* Only for processors that have it. */
uint64_t csum_sum_avx2(const void *data, size_t len);
uint64_t csum_copy_avx2(void *restrict out, const void *restrict data, size_t len);
#endif

/* The end of the data, less than a vector: adds it to `sum`. */
static inline uint64_t csum_tail(const uint8_t *p, size_t len, uint64_t sum)
{
	uint32_t word, last = 0;

	for (; len >= sizeof(word); len -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		sum += word;
	}
	for (size_t i = 0; i < len; i++)
		((uint8_t *)&last)[i] = p[i];
	return sum + last;
}

/* The same with a copy. */
static inline uint64_t csum_copy_tail(uint8_t *restrict q, const uint8_t *restrict p, size_t len,
				      uint64_t sum)
{
	uint32_t word, last = 0;

	for (; len >= sizeof(word); len -= sizeof(word), p += sizeof(word), q += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		memcpy(q, &word, sizeof(word));
		sum += word;
	}
	for (size_t i = 0; i < len; i++)
		((uint8_t *)&last)[i] = q[i] = p[i];
	return sum + last;
}
