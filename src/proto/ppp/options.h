/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration options: type, length, value, one behind the other (RFC 1661 §6). */
#pragma once

#include "base/wire.h"

struct option {
	uint8_t type;
	const uint8_t *raw; /* the whole option, in place */
	size_t raw_len;
	const uint8_t *value; /* what follows type and length */
	size_t len;
};

/* The next option. False at the end, and with r->error set where it is cut off or its length is under 2. */
static inline bool option_next(struct wire_reader *r, struct option *ret)
{
	struct option o = { .raw_len = wire_left(r) };

	if (o.raw_len == 0)
		return false;
	o.raw = r->data + r->pos;
	o.type = wire_u8(r);
	o.raw_len = wire_u8(r);
	if (!r->error && o.raw_len < 2)
		r->error = -EBADMSG;
	if (r->error)
		return false;
	o.len = o.raw_len - 2;
	o.value = wire_bytes(r, o.len);
	if (!o.value)
		return false;
	*ret = o;
	return true;
}

/* True where the whole field consists of well-formed options. An empty one does. */
static inline bool options_valid(const uint8_t *data, size_t len)
{
	struct wire_reader r = wire_reader(data, len);
	struct option o;

	while (option_next(&r, &o))
		;
	return r.error == 0;
}

/* Writes one option, whole or not at all. */
static inline void option_put(struct wire_writer *w, uint8_t type, const void *value, size_t len)
{
	uint8_t *p = wire_reserve(w, len + 2);

	if (!p)
		return;
	p[0] = type;
	p[1] = (uint8_t)(len + 2);
	if (len > 0)
		memcpy(p + 2, value, len);
}

static inline void option_put_u16(struct wire_writer *w, uint8_t type, uint16_t value)
{
	option_put(w, type, (uint8_t[]){ (uint8_t)(value >> 8), (uint8_t)value }, 2);
}

static inline void option_put_u32(struct wire_writer *w, uint8_t type, uint32_t value)
{
	option_put(w, type,
		   (uint8_t[]){ (uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
				(uint8_t)value },
		   4);
}

static inline uint16_t option_u16(const struct option *o)
{
	struct wire_reader r = wire_reader(o->value, o->len);
	return wire_u16(&r);
}

static inline uint32_t option_u32(const struct option *o)
{
	struct wire_reader r = wire_reader(o->value, o->len);
	return wire_u32(&r);
}
