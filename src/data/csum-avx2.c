/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "data/csum-impl.h"

#ifdef CSUM_HAVE_AVX2

#include <immintrin.h>

#define AVX2  __attribute__((target("avx2")))
#define BLOCK (4 * sizeof(__m256i))

/* Eight 32-bit words as two sums of 64-bit lanes: 2³² additions fit without a carry. */
#define ADD_WORDS(a, b, v)                                               \
	do {                                                             \
		(a) = _mm256_add_epi64((a), _mm256_and_si256((v), low)); \
		(b) = _mm256_add_epi64((b), _mm256_srli_epi64((v), 32)); \
	} while (0)

static inline AVX2 __m256i load(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

static inline AVX2 void store(uint8_t *p, __m256i v)
{
	_mm256_storeu_si256((__m256i *)(void *)p, v);
}

static inline AVX2 uint64_t across(__m256i a)
{
	__m128i half = _mm_add_epi64(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));

	return (uint64_t)_mm_extract_epi64(half, 0) + (uint64_t)_mm_extract_epi64(half, 1);
}

AVX2 uint64_t csum_sum_avx2(const void *data, size_t len)
{
	const __m256i low = _mm256_set1_epi64x(UINT32_MAX);
	__m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
	const uint8_t *p = data;

	for (; len >= BLOCK; len -= BLOCK, p += BLOCK) {
		ADD_WORDS(a, b, load(p));
		ADD_WORDS(c, d, load(p + 32));
		ADD_WORDS(a, b, load(p + 64));
		ADD_WORDS(c, d, load(p + 96));
	}
	for (; len >= sizeof(__m256i); len -= sizeof(__m256i), p += sizeof(__m256i))
		ADD_WORDS(a, b, load(p));
	a = _mm256_add_epi64(_mm256_add_epi64(a, b), _mm256_add_epi64(c, d));
	return csum_tail(p, len, across(a));
}

AVX2 uint64_t csum_copy_avx2(void *restrict out, const void *restrict data, size_t len)
{
	const __m256i low = _mm256_set1_epi64x(UINT32_MAX);
	__m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
	const uint8_t *p = data;
	uint8_t *q = out;

	for (; len >= BLOCK; len -= BLOCK, p += BLOCK, q += BLOCK) {
		__m256i v = load(p), w = load(p + 32), x = load(p + 64), y = load(p + 96);

		store(q, v);
		store(q + 32, w);
		store(q + 64, x);
		store(q + 96, y);
		ADD_WORDS(a, b, v);
		ADD_WORDS(c, d, w);
		ADD_WORDS(a, b, x);
		ADD_WORDS(c, d, y);
	}
	for (; len >= sizeof(__m256i); len -= sizeof(__m256i), p += sizeof(__m256i), q += sizeof(__m256i)) {
		__m256i v = load(p);

		store(q, v);
		ADD_WORDS(a, b, v);
	}
	a = _mm256_add_epi64(_mm256_add_epi64(a, b), _mm256_add_epi64(c, d));
	return csum_copy_tail(q, p, len, across(a));
}

#endif
