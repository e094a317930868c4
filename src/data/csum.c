/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "data/csum.h"

#include "data/csum-impl.h"

/*
 * The portable form: two 64-bit lanes (SSE2, NEON, or whatever the compiler makes of them) collect the 32-bit
 * words of the data. A lane holds 2³² of them, so nothing overflows.
 */
typedef uint64_t lanes __attribute__((vector_size(16)));
#define LANES_LOW ((lanes){ UINT32_MAX, UINT32_MAX })

static uint64_t sum_portable(const void *data, size_t len)
{
	const uint8_t *p = data;
	lanes a = { 0 }, b = { 0 };

	for (; len >= 2 * sizeof(lanes); len -= 2 * sizeof(lanes), p += 2 * sizeof(lanes)) {
		lanes v, w;

		memcpy(&v, p, sizeof(v));
		memcpy(&w, p + sizeof(lanes), sizeof(w));
		a += (v & LANES_LOW) + (w & LANES_LOW);
		b += (v >> 32) + (w >> 32);
	}
	a += b;
	return csum_tail(p, len, a[0] + a[1]);
}

static uint64_t copy_portable(void *restrict out, const void *restrict data, size_t len)
{
	const uint8_t *p = data;
	uint8_t *q = out;
	lanes a = { 0 }, b = { 0 };

	for (; len >= 2 * sizeof(lanes);
	     len -= 2 * sizeof(lanes), p += 2 * sizeof(lanes), q += 2 * sizeof(lanes)) {
		lanes v, w;

		memcpy(&v, p, sizeof(v));
		memcpy(&w, p + sizeof(lanes), sizeof(w));
		memcpy(q, &v, sizeof(v));
		memcpy(q + sizeof(lanes), &w, sizeof(w));
		a += (v & LANES_LOW) + (w & LANES_LOW);
		b += (v >> 32) + (w >> 32);
	}
	a += b;
	return csum_copy_tail(q, p, len, a[0] + a[1]);
}

static const struct csum_ops portable = { .name = "portable", .sum = sum_portable, .copy = copy_portable };

#ifdef CSUM_HAVE_AVX2
static const struct csum_ops avx2 = { .name = "avx2", .sum = csum_sum_avx2, .copy = csum_copy_avx2 };
static const struct csum_ops *const with_avx2[] = { &portable, &avx2, NULL };
#endif
static const struct csum_ops *const without[] = { &portable, NULL };

const struct csum_ops *const *csum_implementations(void)
{
#ifdef CSUM_HAVE_AVX2
	if (__builtin_cpu_supports("avx2"))
		return with_avx2;
#endif
	return without;
}

const struct csum_ops *csum_best(void)
{
	const struct csum_ops *const *ops = csum_implementations();

	while (ops[1])
		ops++;
	return *ops;
}
