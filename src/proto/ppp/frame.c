/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/ppp/frame.h"

#include <string.h>

#include "base/secret.h"
#include "base/wire.h"

#define LENGTH_LEN 2 /* in front of each queued frame */

int packet_parse(const uint8_t *info, size_t len, struct packet *ret)
{
	struct wire_reader r = wire_reader(info, len);
	struct packet p;

	p.code = wire_u8(&r); /* not in an initialiser: those have no order */
	p.id = wire_u8(&r);
	size_t whole = wire_u16(&r);

	if (r.error || whole < 4)
		return -EBADMSG;
	p.len = whole - 4;
	p.data = wire_bytes(&r, p.len);
	if (!p.data)
		return -EBADMSG;
	*ret = p;
	return 0;
}

bool frame_queue_push(struct frame_queue *q, enum frame_priority priority, uint16_t protocol, uint8_t code,
		      uint8_t id, const void *data, size_t len)
{
	size_t limit = priority == FRAME_OWN ? sizeof(q->data) : sizeof(q->data) / 2;

	if (len > PACKET_DATA_MAX || q->len + LENGTH_LEN + 8 + len > limit)
		return false;
	struct wire_writer w = wire_writer(q->data + q->len, sizeof(q->data) - q->len);
	wire_put_u16(&w, (uint16_t)(8 + len));
	wire_put_u16(&w, 0xff03);
	wire_put_u16(&w, protocol);
	wire_put_u8(&w, code);
	wire_put_u8(&w, id);
	wire_put_u16(&w, (uint16_t)(4 + len));
	wire_put(&w, data, len);
	q->len += w.len;
	return true;
}

size_t frame_queue_pop(struct frame_queue *q, uint8_t *out, size_t space)
{
	if (q->len == 0)
		return 0;
	struct wire_reader r = wire_reader(q->data, q->len);
	size_t len = wire_u16(&r);
	const uint8_t *frame = wire_bytes(&r, len);
	if (!frame || len > space)
		return 0;
	memcpy(out, frame, len);
	q->len -= LENGTH_LEN + len;
	memmove(q->data, q->data + LENGTH_LEN + len, q->len);
	wipe(q->data + q->len, LENGTH_LEN + len); /* it may have been a password */
	return len;
}

bool rate_limit_pass(struct rate_limit *l, usec_t now)
{
	if (now - l->start >= 10 * USEC_PER_SEC) {
		l->start = now;
		l->count = 0;
	}
	return l->count++ < 10;
}
