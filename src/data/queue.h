/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of src/data: the fair queue, FQ-CoDel (RFC 8290) over super-packets.
 *
 * Packets lie in the arena, each behind its struct packet. A flow is a list of packets; flows with something
 * to send are in one of two rings, new before old, and so are, for a while, those that have just run empty.
 * What is scheduled, marked and dropped are segments.
 */
#pragma once

#include "base/clock.h"
#include "base/macro.h"
#include "data/arena.h"
#include "data/segment.h"

#define QUEUE_FLOWS 1024u

/* In front of every packet. Arena units stand for pointers, because packets may be moved. */
struct packet {
	struct segments segments;
	usec_t enqueued;
	uint32_t next, prev; /* of the flow */
	uint16_t units;
	uint16_t flow;
};

/* From the start of the units to the IP header. */
#define PACKET_HEADROOM 128u
_Static_assert(sizeof(struct packet) + sizeof(struct vnet_header) <= PACKET_HEADROOM,
	       "both must fit in front");

enum flow_ring { RING_NONE, RING_NEW, RING_OLD };

struct codel {
	usec_t first_above; /* when the delay will have been above the target for one interval; 0: it is below
			     */
	usec_t drop_next;
	uint32_t count, last_count;
	bool dropping;
};

struct flow {
	uint32_t head, tail;
	uint32_t held;	  /* bytes of arena */
	uint32_t backlog; /* bytes of IP packets */
	int32_t deficit;  /* bytes it may still send in this turn; 0 or less: none, it owes them */
	uint16_t next;	  /* in its ring */
	uint8_t ring;
	struct codel codel;
};

struct ring {
	uint16_t head, tail; /* flows; head is only meaningful where count > 0 */
	uint16_t count;
};

struct queue {
	struct arena arena;
	struct flow *flows;
	struct ring new_flows, old_flows;
	size_t held, backlog; /* over all flows */
	int32_t quantum; /* bytes that a flow may send in its first turn; its last packet may exceed them */
	int32_t longest_turn; /* and in a later one, if there are few flows */
	uint32_t mtu;	      /* CoDel leaves a queue of one packet alone; and no flow owes more */
	usec_t target, interval;
};

int queue_init(struct queue *q, size_t arena_bytes, uint16_t mtu); /* 0 or -ENOMEM */
void queue_done(struct queue *q);

static inline struct packet *queue_packet(const struct queue *q, uint32_t at)
{
	return arena_at(&q->arena, at);
}

static inline uint8_t *packet_data(struct packet *p)
{
	return (uint8_t *)p + PACKET_HEADROOM;
}

/* A place for a packet of `units`; packets are moved together if need be. 0 if there is no such room at all.
 */
uint32_t queue_reserve(struct queue *q, uint32_t units);
/* Appends the packet at `at`, which is filled but for its links, to its flow. */
void queue_push(struct queue *q, uint32_t at);
/* The flow whose turn it is, NULL if nothing waits. */
struct flow *queue_turn(struct queue *q);
/* `f` has sent a packet of `bytes` in its turn. */
static inline void queue_charge(const struct queue *q, struct flow *f, size_t bytes)
{
	/* The bound is for a flow that was alone and so sent without turns: it owes no more than others ever
	 * do. */
	f->deficit = MAX(f->deficit - (int32_t)bytes, -(int32_t)q->mtu);
}
/* The head of `f` has lost `bytes` of its backlog, sent or dropped; gives the packet back where nothing is
 * left. */
void queue_advance(struct queue *q, struct flow *f, size_t bytes);
/* Drops the head packet of `f`; returns how many segments that were. */
uint32_t queue_drop_head(struct queue *q, struct flow *f);
/* The flow that holds most of the arena. The queue is not empty. */
struct flow *queue_fattest(struct queue *q);
/* CoDel: is the head of `f`, about to be sent, to be dropped or marked? */
bool queue_signals(const struct queue *q, struct flow *f, const struct packet *head, usec_t now);
