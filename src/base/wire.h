/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounded big-endian reader and writer with a sticky error.
 *
 * Every byte that a stranger sent is read through a `struct wire_reader`. A read past the end sets `error` to
 * -EBADMSG, returns zero and makes every later read return zero too, so that a caller reads all fields and
 * checks once. A writer that runs out of space sets -ENOBUFS likewise and writes nothing more.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wire_reader {
	const uint8_t *data;
	size_t len, pos;
	int error; /* 0 or negative errno, sticky */
};

static inline struct wire_reader wire_reader(const void *data, size_t len)
{
	return (struct wire_reader){ .data = data, .len = len };
}

/* Bytes not read yet; 0 after an error. */
static inline size_t wire_left(const struct wire_reader *r)
{
	return r->error ? 0 : r->len - r->pos;
}

/* `n` bytes in place, or NULL (and the sticky error) where fewer are left. Valid as long as the input is. */
static inline const uint8_t *wire_bytes(struct wire_reader *r, size_t n)
{
	if (r->error || n > r->len - r->pos) {
		if (!r->error)
			r->error = -EBADMSG;
		return NULL;
	}
	const uint8_t *p = r->data + r->pos;
	r->pos += n;
	return p;
}

static inline void wire_skip(struct wire_reader *r, size_t n)
{
	(void)wire_bytes(r, n);
}

/* Copies `n` bytes to `out`; zero-fills `out` on error. */
static inline void wire_copy(struct wire_reader *r, void *out, size_t n)
{
	const uint8_t *p = wire_bytes(r, n);
	if (p)
		memcpy(out, p, n);
	else
		memset(out, 0, n);
}

static inline uint8_t wire_u8(struct wire_reader *r)
{
	const uint8_t *p = wire_bytes(r, 1);
	return p ? p[0] : 0;
}

static inline uint16_t wire_u16(struct wire_reader *r)
{
	const uint8_t *p = wire_bytes(r, 2);
	return p ? (uint16_t)((unsigned)p[0] << 8 | p[1]) : (uint16_t)0;
}

static inline uint32_t wire_u32(struct wire_reader *r)
{
	const uint8_t *p = wire_bytes(r, 4);
	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint64_t wire_u64(struct wire_reader *r)
{
	uint64_t high = wire_u32(r);
	return high << 32 | wire_u32(r);
}

/* A child over the next `n` bytes, which the parent skips. On error both carry it. */
static inline struct wire_reader wire_child(struct wire_reader *r, size_t n)
{
	const uint8_t *p = wire_bytes(r, n);
	return p ? wire_reader(p, n) : (struct wire_reader){ .error = -EBADMSG };
}

/* 0 if all was read without error, -EBADMSG if a read failed or bytes are left over. */
static inline int wire_finish(const struct wire_reader *r)
{
	return r->error ? r->error : r->pos == r->len ? 0 : -EBADMSG;
}

struct wire_writer {
	uint8_t *data;
	size_t size, len;
	int error; /* 0 or negative errno, sticky */
};

static inline struct wire_writer wire_writer(void *data, size_t size)
{
	return (struct wire_writer){ .data = data, .size = size };
}

/* Room for `n` bytes to be filled by the caller, or NULL (and the sticky error). */
static inline uint8_t *wire_reserve(struct wire_writer *w, size_t n)
{
	if (w->error || n > w->size - w->len) {
		if (!w->error)
			w->error = -ENOBUFS;
		return NULL;
	}
	uint8_t *p = w->data + w->len;
	w->len += n;
	return p;
}

static inline void wire_put(struct wire_writer *w, const void *data, size_t n)
{
	uint8_t *p = wire_reserve(w, n);
	if (p && n > 0)
		memcpy(p, data, n);
}

static inline void wire_put_zero(struct wire_writer *w, size_t n)
{
	uint8_t *p = wire_reserve(w, n);
	if (p && n > 0)
		memset(p, 0, n);
}

static inline void wire_put_u8(struct wire_writer *w, uint8_t v)
{
	wire_put(w, &v, 1);
}

static inline void wire_put_u16(struct wire_writer *w, uint16_t v)
{
	wire_put(w, (uint8_t[]){ (uint8_t)(v >> 8), (uint8_t)v }, 2);
}

static inline void wire_put_u32(struct wire_writer *w, uint32_t v)
{
	wire_put(w, (uint8_t[]){ (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v }, 4);
}

static inline void wire_put_u64(struct wire_writer *w, uint64_t v)
{
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(v >> (56 - 8 * i));
	wire_put(w, bytes, sizeof(bytes));
}

/* Overwrites an earlier 16-bit field, for lengths that are known last. `at` is an offset into the output. */
static inline void wire_patch_u16(struct wire_writer *w, size_t at, uint16_t v)
{
	if (w->error)
		return;
	if (at + 2 > w->len) {
		w->error = -EINVAL;
		return;
	}
	w->data[at] = (uint8_t)(v >> 8);
	w->data[at + 1] = (uint8_t)v;
}
