/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Internet checksum (RFC 1071): vectorised sums, with and without a copy, chosen at run time.
 *
 * A sum is kept as 64 bits that stand for a one's complement sum of 16-bit words in the byte order of memory;
 * because of RFC 1071 §2(B) no byte is ever swapped. It is a sum of 32-bit words, so it stays far below 2⁶⁴
 * for anything that is a packet, and sums of pieces are simply added, as long as every piece but the last has
 * an even length. csum_fold() gives the two bytes as they belong into the packet.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct csum_ops {
	const char *name;
	/* The sum of `len` bytes; an odd last byte counts as if a zero followed. */
	uint64_t (*sum)(const void *data, size_t len);
	/* Copies `len` bytes, which may not overlap, and returns their sum: one pass over the memory. */
	uint64_t (*copy)(void *restrict out, const void *restrict data, size_t len);
};

/* The fastest for this processor. Keep the pointer: the choice is made anew each time. */
const struct csum_ops *csum_best(void);
/* All that run on this processor, ended by NULL; the portable one is first. For tests and benchmarks. */
const struct csum_ops *const *csum_implementations(void);

/* 64 bits to 16, not inverted: the form that a field of a partial checksum holds. */
static inline uint16_t csum_fold(uint64_t sum)
{
	uint32_t folded = (uint32_t)(sum >> 32), low = (uint32_t)sum;

	folded += low;
	folded += folded < low;
	folded = (folded & 0xffff) + (folded >> 16);
	folded = (folded & 0xffff) + (folded >> 16);
	return (uint16_t)folded;
}

/* What belongs into a checksum field: the complement of csum_fold(). */
static inline uint16_t csum_finish(uint64_t sum)
{
	return (uint16_t)~csum_fold(sum);
}

/* The same for UDP, where zero means "no checksum" and is sent as FFFF (RFC 768). */
static inline uint16_t csum_finish_udp(uint64_t sum)
{
	uint16_t check = csum_finish(sum);
	return check ? check : 0xffff;
}

/* A sum of short data of even length: headers and addresses. `len` is a multiple of 2. */
static inline uint64_t csum_short(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t sum = 0;
	uint32_t word;
	uint16_t half;

	for (; len >= sizeof(word); len -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		sum += word;
	}
	if (len >= sizeof(half)) {
		memcpy(&half, p, sizeof(half));
		sum += half;
	}
	return sum;
}

/* `check` after a 16-bit word of the data changed from `from` to `to`, all as in memory (RFC 1624 §3). */
static inline uint16_t csum_update(uint16_t check, uint16_t from, uint16_t to)
{
	return csum_finish((uint64_t)(uint16_t)~check + (uint16_t)~from + to);
}
