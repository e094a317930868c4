/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "data/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROUND_TURNS 6

int queue_init(struct queue *q, size_t arena_bytes, uint16_t mtu)
{
	*q = (struct queue){ .mtu = mtu, .quantum = mtu, .longest_turn = mtu };
	q->flows = calloc(QUEUE_FLOWS, sizeof(*q->flows));
	if (!q->flows || arena_init(&q->arena, arena_bytes) < 0) {
		queue_done(q);
		return -ENOMEM;
	}
	return 0;
}

void queue_done(struct queue *q)
{
	arena_done(&q->arena);
	free(q->flows);
	*q = (struct queue){ 0 };
}

/* -- rings of flows ---------------------------------------------------------------------------- */

static void ring_append(struct queue *q, struct ring *ring, struct flow *f, enum flow_ring name)
{
	uint16_t index = (uint16_t)(f - q->flows);

	if (ring->count++ > 0)
		q->flows[ring->tail].next = index;
	else
		ring->head = index;
	ring->tail = index;
	f->ring = (uint8_t)name;
}

static struct flow *ring_take(struct queue *q, struct ring *ring)
{
	struct flow *f = &q->flows[ring->head];

	ring->head = f->next;
	ring->count--;
	f->ring = RING_NONE;
	return f;
}

/* Bytes of a turn when so many flows take turns: a round is no longer than ROUND_TURNS of the longest, unless
 * there is a packet of each. */
static int32_t turn_length(const struct queue *q, int32_t flows)
{
	return CLAMP(q->longest_turn * ROUND_TURNS / flows, q->quantum, q->longest_turn);
}

/*
 * RFC 8290 §4.2: a flow that is through with its share, or has run empty while it was new, goes to the end of
 * the old flows; one that has run empty there leaves, but not before its share is its own again: a stream
 * that sends a packet per acknowledgement would come back as new each time. A flow that is alone needs no
 * turns.
 */
struct flow *queue_turn(struct queue *q)
{
	for (;;) {
		struct ring *ring = q->new_flows.count > 0 ? &q->new_flows : &q->old_flows;

		if (ring->count == 0)
			return NULL;
		struct flow *f = &q->flows[ring->head];
		bool alone = q->new_flows.count + q->old_flows.count == 1;

		f->deficit = MIN(f->deficit, q->longest_turn); /* the path may have become slow */
		if (f->head && (f->deficit > 0 || alone))
			return f;
		(void)ring_take(q, ring);
		if (f->deficit <= 0 && !alone) { /* where nobody waits, nothing is owed */
			ring_append(q, &q->old_flows, f, RING_OLD);
			f->deficit += turn_length(q, q->new_flows.count + q->old_flows.count);
		} else if (ring == &q->new_flows && q->old_flows.count > 0) {
			ring_append(q, &q->old_flows, f, RING_OLD);
		}
	}
}

/* -- packets ----------------------------------------------------------------------------------- */

/*
 * Moves packets towards the low end of the arena, in their order, until so many units are free between them.
 * Returns where, 0 if that are not as many in all.
 */
static uint32_t make_room(struct queue *q, uint32_t wanted)
{
	uint32_t to = 1;

	for (uint32_t at = 1; (at = arena_next_used(&q->arena, at)) != 0 && at - to < wanted;) {
		struct packet *p = queue_packet(q, at);
		uint32_t units = p->units;

		if (at != to) {
			arena_give(&q->arena, at, units);
			memmove(queue_packet(q, to), p, PACKET_HEADROOM + p->segments.len);
			arena_take(&q->arena, to, units);
			p = queue_packet(q, to);
			*(p->prev ? &queue_packet(q, p->prev)->next : &q->flows[p->flow].head) = to;
			*(p->next ? &queue_packet(q, p->next)->prev : &q->flows[p->flow].tail) = to;
		}
		to += units;
		at += units;
	}
	return arena_find(&q->arena, wanted);
}

uint32_t queue_reserve(struct queue *q, uint32_t units)
{
	uint32_t at = arena_find(&q->arena, units);

	return at ? at : make_room(q, units);
}

void queue_push(struct queue *q, uint32_t at)
{
	struct packet *p = queue_packet(q, at);
	struct flow *f = &q->flows[p->flow];
	uint32_t bytes = p->units * ARENA_UNIT;

	arena_take(&q->arena, at, p->units);
	p->prev = f->tail;
	p->next = 0;
	*(f->tail ? &queue_packet(q, f->tail)->next : &f->head) = at;
	f->tail = at;
	f->held += bytes;
	f->backlog += p->segments.len;
	q->held += bytes;
	q->backlog += p->segments.len;
	if (f->ring == RING_NONE) {
		f->deficit = q->quantum;
		ring_append(q, &q->new_flows, f, RING_NEW);
	}
}

static void pop(struct queue *q, struct flow *f)
{
	struct packet *p = queue_packet(q, f->head);
	uint32_t bytes = p->units * ARENA_UNIT;

	arena_give(&q->arena, f->head, p->units);
	f->head = p->next;
	*(f->head ? &queue_packet(q, f->head)->prev : &f->tail) = 0;
	f->held -= bytes;
	q->held -= bytes;
	if (!f->head) {
		f->codel.first_above = 0;
		f->codel.dropping = false;
	}
}

void queue_advance(struct queue *q, struct flow *f, size_t bytes)
{
	const struct packet *p = queue_packet(q, f->head);
	bool done = segments_left(&p->segments) == 0;

	if (done) /* the headers were counted once */
		bytes += p->segments.header_len;
	f->backlog -= (uint32_t)bytes;
	q->backlog -= bytes;
	if (done)
		pop(q, f);
}

uint32_t queue_drop_head(struct queue *q, struct flow *f)
{
	struct packet *p = queue_packet(q, f->head);
	uint32_t left = segments_left(&p->segments), n = (left + p->segments.size - 1) / p->segments.size;

	p->segments.at += left;
	queue_advance(q, f, left);
	return n;
}

struct flow *queue_fattest(struct queue *q)
{
	struct flow *fattest = NULL;
	const struct ring *rings[] = { &q->new_flows, &q->old_flows };

	for (size_t r = 0; r < ARRAY_SIZE(rings); r++) {
		struct flow *f = &q->flows[rings[r]->head];

		for (uint16_t i = 0; i < rings[r]->count; i++, f = &q->flows[f->next])
			if (!fattest || f->held > fattest->held)
				fattest = f;
	}
	return fattest;
}

/* -- CoDel (RFC 8289) -------------------------------------------------------------------------- */

static uint32_t square_root(uint32_t n)
{
	uint32_t root = 0;

	for (uint32_t bit = UINT32_C(1) << 15; bit; bit >>= 1)
		if ((root + bit) * (root + bit) <= n)
			root += bit;
	return root;
}

/* interval / √count, to 1/256 */
static usec_t control_law(const struct queue *q, uint32_t count)
{
	return q->interval * 256 / square_root(MIN(count, UINT16_MAX) << 16);
}

bool queue_signals(const struct queue *q, struct flow *f, const struct packet *head, usec_t now)
{
	struct codel *c = &f->codel;

	if (now < head->enqueued + q->target || f->backlog <= q->mtu) {
		c->first_above = 0;
		c->dropping = false;
		return false;
	}
	if (c->first_above == 0) {
		c->first_above = now + q->interval;
		return false;
	}
	if (now < c->first_above)
		return false;
	if (c->dropping) {
		if (now < c->drop_next)
			return false;
		c->count++;
		c->drop_next += control_law(q, c->count);
		return true;
	}
	/* A queue that comes back soon is met with the rate that held it before (RFC 8289 §5.4). */
	uint32_t delta = c->count - c->last_count;
	c->count = delta > 1 && now - c->drop_next < 16 * q->interval ? delta : 1;
	c->last_count = c->count;
	c->drop_next = now + control_law(q, c->count);
	c->dropping = true;
	return true;
}
