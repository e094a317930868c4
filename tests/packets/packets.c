/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "packets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VNET 10

/* -- random numbers and lists ------------------------------------------------------------------ */

uint32_t rng_next(struct rng *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((z ^ z >> 31) >> 16);
}

uint32_t rng_below(struct rng *r, uint32_t n)
{
	return rng_next(r) % n;
}

bool rng_one_in(struct rng *r, uint32_t n)
{
	return rng_below(r, n) == 0;
}

void rng_bytes(struct rng *r, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)rng_next(r);
}

void list_add(struct list *l, const uint8_t *data, size_t len)
{
	if (l->count == l->size) {
		l->size = l->size ? 2 * l->size : 16;
		l->items = realloc(l->items, l->size * sizeof(*l->items));
		if (!l->items)
			abort();
	}
	uint8_t *copy = malloc(len ? len : 1); /* of exact size: the sanitizer sees a read past the end */
	if (!copy)
		abort();
	if (len > 0)
		memcpy(copy, data, len);
	l->items[l->count++] = (struct blob){ copy, len };
}

void list_drop_last(struct list *l)
{
	free(l->items[--l->count].data);
}

void list_clear(struct list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->items[i].data);
	free(l->items);
	*l = (struct list){ 0 };
}

/* -- the slow implementation ------------------------------------------------------------------- */

static unsigned be16(const uint8_t *p)
{
	return (unsigned)p[0] * 256 + p[1];
}

static void set16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v / 256);
	p[1] = (uint8_t)(v % 256);
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)be16(p) * 65536 + be16(p + 2);
}

static void set32(uint8_t *p, uint32_t v)
{
	set16(p, v / 65536);
	set16(p + 2, v % 65536);
}

/* virtio fields are in the byte order of the host */
static unsigned host16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, 2);
	return v;
}

static void set_host16(uint8_t *p, unsigned v)
{
	uint16_t w = (uint16_t)v;

	memcpy(p, &w, 2);
}

/* One's complement sum, end-around carry after each word. */
static uint32_t ref_sum(const uint8_t *data, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 ? data[i] : data[i] * 256u;
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return sum;
}

uint16_t ref_checksum(const uint8_t *data, size_t len, uint32_t seed)
{
	return (uint16_t)(0xffff - ref_sum(data, len, seed));
}

struct ref_ip {
	int version;
	int protocol; /* −1: none that can be told */
	size_t l4, len;
	bool fragment;
};

static bool ref_parse(const uint8_t *p, size_t len, struct ref_ip *ret)
{
	*ret = (struct ref_ip){ .version = len > 0 ? p[0] / 16 : 0 };
	if (ret->version == 4 && len >= 20) {
		ret->l4 = (p[0] % 16) * 4u;
		ret->len = be16(p + 2);
		ret->protocol = p[9];
		ret->fragment = be16(p + 6) % 0x4000 != 0;
		return ret->l4 >= 20 && ret->l4 <= ret->len && ret->len <= len;
	}
	if (ret->version == 6 && len >= 40) {
		ret->l4 = 40;
		ret->len = 40 + be16(p + 4);
		ret->protocol = p[6];
		if (ret->len > len || ret->len > 65535)
			return false;
		for (int n = 0; ret->protocol == 0 || ret->protocol == 43 || ret->protocol == 60; n++) {
			if (n == 8 || ret->len - ret->l4 < 8 ||
			    ret->len - ret->l4 < 8 + p[ret->l4 + 1] * 8u) {
				ret->protocol = -1;
				return true;
			}
			ret->protocol = p[ret->l4];
			ret->l4 += 8 + p[ret->l4 + 1] * 8u;
		}
		ret->fragment = ret->protocol == 44;
		return true;
	}
	return false;
}

static uint32_t ref_pseudo(const uint8_t *p, const struct ref_ip *ip, size_t l4_len)
{
	uint32_t sum = ip->version == 4 ? ref_sum(p + 12, 8, 0) : ref_sum(p + 8, 32, 0);
	uint8_t rest[4] = { 0, (uint8_t)ip->protocol, (uint8_t)(l4_len / 256), (uint8_t)(l4_len % 256) };

	return ref_sum(rest, 4, sum);
}

static size_t ref_check_at(const struct ref_ip *ip)
{
	size_t left = ip->len - ip->l4;

	if (ip->fragment)
		return 0;
	if (ip->protocol == 6 && left >= 20)
		return ip->l4 + 16;
	if (ip->protocol == 17 && left >= 8)
		return ip->l4 + 6;
	return 0;
}

void ref_set_checksums(uint8_t *p, size_t len)
{
	struct ref_ip ip;
	size_t at;

	if (!ref_parse(p, len, &ip))
		abort();
	if (ip.version == 4) {
		set16(p + 10, 0);
		set16(p + 10, ref_checksum(p, ip.l4, 0));
	}
	at = ref_check_at(&ip);
	if (at) {
		set16(p + at, 0);
		unsigned check = ref_checksum(p + ip.l4, ip.len - ip.l4, ref_pseudo(p, &ip, ip.len - ip.l4));
		set16(p + at, ip.protocol == 17 && check == 0 ? 0xffff : check);
	}
}

void ref_set_partial(uint8_t *p, size_t len)
{
	struct ref_ip ip;

	if (!ref_parse(p, len, &ip) || !ref_check_at(&ip))
		abort();
	set16(p + ref_check_at(&ip), ref_pseudo(p, &ip, ip.len - ip.l4));
}

bool ref_checksums_right(const uint8_t *p, size_t len)
{
	struct ref_ip ip;
	size_t at;

	if (!ref_parse(p, len, &ip))
		return false;
	if (ip.version == 4 && ref_checksum(p, ip.l4, 0) != 0)
		return false;
	at = ref_check_at(&ip);
	if (!at || (ip.protocol == 17 && be16(p + at) == 0))
		return true;
	return ref_checksum(p + ip.l4, ip.len - ip.l4, ref_pseudo(p, &ip, ip.len - ip.l4)) == 0;
}

/* One segment of a super-packet. */
static void ref_segment(const uint8_t *p, const struct ref_ip *ip, size_t header, size_t from, size_t n,
			unsigned index, struct list *out)
{
	uint8_t seg[8192];
	bool first = from == 0, last = header + from + n == ip->len;

	if (header + n > sizeof(seg))
		abort();
	memcpy(seg, p, header);
	memcpy(seg + header, p + header + from, n);
	if (ip->version == 4) {
		set16(seg + 2, (unsigned)(header + n));
		set16(seg + 4, (be16(p + 4) + index) % 65536);
	} else {
		set16(seg + 4, (unsigned)(header + n - 40));
	}
	if (ip->protocol == 6) {
		set32(seg + ip->l4 + 4, be32(p + ip->l4 + 4) + (uint32_t)from);
		if (!first)
			seg[ip->l4 + 13] &= 0x7f; /* CWR */
		if (!last)
			seg[ip->l4 + 13] &= 0xf6; /* FIN, PSH */
		ref_set_checksums(seg, header + n);
	} else {
		bool none = be16(p + ip->l4 + 6) == 0;

		set16(seg + ip->l4 + 4, (unsigned)(header + n - ip->l4));
		ref_set_checksums(seg, header + n);
		if (none)
			set16(seg + ip->l4 + 6, 0);
	}
	list_add(out, seg, header + n);
}

bool ref_split(const uint8_t *data, size_t len, struct list *out)
{
	const uint8_t *p = data + VNET;
	unsigned flags = data[0], gso = data[1] & 0x7f, size = host16(data + 4), start = host16(data + 6),
		 offset = host16(data + 8);
	struct ref_ip ip;

	if (len < VNET || !ref_parse(p, len - VNET, &ip))
		return false;
	size_t header = gso == 0 ? 0 : ip.l4 + (ip.protocol == 6 ? (p[ip.l4 + 12] / 16) * 4u : 8);
	if (gso != 0 && ip.len - header > size) {
		unsigned index = 0;

		for (size_t from = 0; header + from < ip.len; from += size, index++) {
			size_t n = ip.len - header - from < size ? ip.len - header - from : size;

			ref_segment(p, &ip, header, from, n, index, out);
		}
		return true;
	}
	list_add(out, p, ip.len);
	if (flags & 1) {
		uint8_t *q = out->items[out->count - 1].data;
		unsigned check = ref_checksum(q + start, ip.len - start, 0);

		set16(q + start + offset,
		      check == 0 && offset == 6 ? 0xffff : check); /* 6: UDP has no zero */
	}
	return true;
}

bool ref_kernel_accepts(const uint8_t *data, size_t len)
{
	struct ref_ip ip;

	if (len < VNET || !ref_parse(data + VNET, len - VNET, &ip) || ip.len != len - VNET)
		return false;
	unsigned flags = data[0], gso = data[1], hdr_len = host16(data + 2), size = host16(data + 4),
		 start = host16(data + 6), offset = host16(data + 8), transport = 0;

	if (flags > 1 || hdr_len > ip.len)
		return false;
	if (gso == 0)
		return flags == 0 && hdr_len == 0 && size == 0 && start == 0 && offset == 0;
	if (gso & 0x80 && (gso == 0x85 || !(data[VNET + ip.l4 + 13] & 0x80)))
		return false;
	switch (gso & 0x7f) {
	case 1:
	case 4:
		if (ip.version != ((gso & 0x7f) == 1 ? 4 : 6) || ip.protocol != 6 || offset != 16)
			return false;
		transport = (data[VNET + ip.l4 + 12] / 16) * 4u;
		break;
	case 5:
		transport = 8;
		if (ip.protocol != 17 || offset != 6 || ip.len - ip.l4 - 8 > size * 64u ||
		    be16(data + VNET + ip.l4 + 4) != ip.len - ip.l4)
			return false;
		break;
	default:
		return false;
	}
	/* The field holds the sum of the pseudo header, not inverted, its length that of the whole. */
	return flags == 1 && start == ip.l4 && size > 0 && ip.len - ip.l4 - transport > size &&
	       hdr_len == ip.l4 + transport &&
	       be16(data + VNET + start + offset) == ref_pseudo(data + VNET, &ip, ip.len - ip.l4) % 0x10000 &&
	       (ip.version == 6 || ref_checksum(data + VNET, ip.l4, 0) == 0);
}

void ref_receivable(const struct list *in, struct list *out)
{
	struct ref_ip ip;

	for (size_t i = 0; i < in->count; i++)
		if (ref_parse(in->items[i].data, in->items[i].len, &ip) && ip.len <= 4087)
			list_add(out, in->items[i].data, ip.len);
}

bool ref_ordered(const struct blob *a, const struct blob *b, enum order order)
{
	struct ref_ip x, y;

	if (!ref_parse(a->data, a->len, &x) || !ref_parse(b->data, b->len, &y) || x.version != y.version)
		return false;
	if (memcmp(a->data + (x.version == 4 ? 12 : 8), b->data + (x.version == 4 ? 12 : 8),
		   x.version == 4 ? 8 : 32) != 0)
		return false;
	if (order == ORDER_STRICT && (x.fragment || y.fragment))
		return true;
	if (x.protocol != y.protocol || x.fragment != y.fragment)
		return false;
	if (x.fragment || (x.protocol != 6 && x.protocol != 17))
		return true;
	bool ports = x.len - x.l4 >= 4;
	return ports == (y.len - y.l4 >= 4) && (!ports || memcmp(a->data + x.l4, b->data + y.l4, 4) == 0);
}

/* -- generated packets ------------------------------------------------------------------------- */

/* Every kind of TCP option (RFC 9293, 7323, 2018, 5925, 7413, 8684, unknown ones), padded with NOPs. */
static void random_options(struct rng *r, struct flow_spec *f)
{
	static const uint8_t kinds[][2] = { { 2, 4 },  { 3, 3 },  { 4, 2 },   { 5, 10 },
					    { 5, 18 }, { 8, 10 }, { 19, 18 }, { 29, 16 },
					    { 34, 6 }, { 30, 8 }, { 253, 4 }, { 254, 7 } };
	size_t len = 0;

	while (!rng_one_in(r, 3)) {
		const uint8_t *kind = kinds[rng_below(r, sizeof(kinds) / 2)];

		if (len + kind[1] > sizeof(f->options))
			break;
		f->options[len] = kind[0];
		f->options[len + 1] = kind[1];
		rng_bytes(r, f->options + len + 2, kind[1] - 2u);
		len += kind[1];
	}
	while (len % 4)
		f->options[len++] = (uint8_t)rng_below(r, 2); /* NOP or end of list */
	f->options_len = len;
}

static void random_extension(struct rng *r, struct flow_spec *f)
{
	if (f->version == 4) {
		f->extension_len = 4 + 4 * (size_t)rng_below(r, 10);
		rng_bytes(r, f->extension, f->extension_len);
		return;
	}
	static const uint8_t next[] = { 0, 43, 60 };
	size_t n = 1 + rng_below(r, 2);

	f->extension_len = 0;
	for (size_t i = 0; i < n; i++) {
		size_t len = 8 + 8 * (size_t)rng_below(r, 3);
		uint8_t *at = f->extension + f->extension_len;

		/* at[0], the kind of what follows, is set by flow_packet() for the last one */
		rng_bytes(r, at, len);
		at[0] = next[rng_below(r, 3)];
		at[1] = (uint8_t)(len / 8 - 1);
		f->extension_len += len;
	}
}

static size_t header_len(const struct flow_spec *f)
{
	return (f->version == 4 ? 20u : 40u) + f->extension_len +
	       (f->protocol == 6    ? 20 + f->options_len
		: f->protocol == 17 ? 8
				    : 4);
}

void flow_random(struct rng *r, struct flow_spec *f, uint16_t mtu)
{
	*f = (struct flow_spec){
		.version = rng_one_in(r, 2) ? 4 : 6,
		.protocol = rng_one_in(r, 3) ? 17 : 6,
		.tos = (uint8_t)rng_next(r),
		.ttl = (uint8_t)rng_next(r),
		.df = rng_one_in(r, 2),
		.id = rng_one_in(r, 3) ? (uint16_t)(65536 - rng_below(r, 50)) : (uint16_t)rng_next(r),
		.window = (uint16_t)rng_next(r),
		.seq = rng_one_in(r, 3) ? (uint32_t) - (int32_t)rng_below(r, 65536) : rng_next(r),
		.ack = rng_next(r),
		.flags = 0x10
	};
	if (rng_one_in(r, 20))
		f->protocol = (uint8_t)(rng_one_in(r, 2) ? 47 : f->version == 4 ? 1 : 58);
	/* Few addresses and ports, so that flows resemble each other. */
	rng_bytes(r, f->source, 1);
	f->source[15] = f->destination[3] = (uint8_t)rng_below(r, 3);
	for (int i = 0; i < 2; i++)
		f->ports[i] = (uint16_t)(1000 + rng_below(r, 3));
	if (rng_one_in(r, 2))
		random_options(r, f);
	if (rng_one_in(r, 10))
		random_extension(r, f);
	if (header_len(f) + 1 > mtu)
		f->options_len = f->extension_len = 0;
	if (header_len(f) + 1 > mtu)
		abort();
	f->mss = (uint16_t)(mtu - header_len(f));
	if (rng_one_in(r, 3))
		f->mss = (uint16_t)(1 + rng_below(r, f->mss));
}

size_t flow_packet(const struct flow_spec *f, struct rng *r, size_t payload, uint8_t *out)
{
	size_t len = header_len(f) + payload, ip = f->version == 4 ? 20 : 40;
	uint8_t *p = out;

	memset(out, 0, header_len(f));
	if (f->version == 4) {
		p[0] = (uint8_t)(0x40 + (20 + f->extension_len) / 4);
		p[1] = f->tos;
		set16(p + 2, (unsigned)len);
		set16(p + 4, f->id);
		p[6] = f->df ? 0x40 : 0;
		p[8] = f->ttl;
		p[9] = f->protocol;
		memcpy(p + 12, f->source, 4);
		memcpy(p + 16, f->destination, 4);
	} else {
		p[0] = (uint8_t)(0x60 + f->tos / 16);
		p[1] = (uint8_t)(f->tos * 16);
		p[3] = (uint8_t)f->ports[0]; /* the flow label */
		set16(p + 4, (unsigned)(len - 40));
		p[6] = f->protocol;
		p[7] = f->ttl;
		memcpy(p + 8, f->source, 16);
		memcpy(p + 24, f->destination, 16);
	}
	memcpy(p + ip, f->extension, f->extension_len);
	if (f->version == 6 && f->extension_len > 0) {
		size_t at = ip;

		p[6] = 60;
		while (at + p[at + 1] * 8u + 8 < ip + f->extension_len)
			at += p[at + 1] * 8u + 8;
		p[at] = f->protocol;
	}
	p += ip + f->extension_len;
	set16(p, f->ports[0]);
	set16(p + 2, f->ports[1]);
	if (f->protocol == 6) {
		set32(p + 4, f->seq);
		set32(p + 8, f->ack);
		set16(p + 12, (unsigned)((20 + f->options_len) / 4 * 4096 + f->flags));
		set16(p + 14, f->window);
		memcpy(p + 20, f->options, f->options_len);
		p += 20 + f->options_len;
	} else if (f->protocol == 17) {
		set16(p + 4, (unsigned)(8 + payload));
		p += 8;
	} else {
		p += 4;
	}
	rng_bytes(r, p, payload);
	ref_set_checksums(out, len);
	return len;
}

/* Lasting changes of a flow, as they happen in life; each alone forbids joining over it. */
static void disturb(struct rng *r, struct flow_spec *f)
{
	switch (rng_below(r, 10)) {
	case 0:
		f->ack += 1 + rng_below(r, 3000);
		break;
	case 1:
		f->tos ^= (uint8_t)(1u << rng_below(r, 8));
		break;
	case 2:
		f->ttl++;
		break;
	case 3:
		f->df = !f->df;
		break;
	case 4:
		f->id = (uint16_t)(f->id + 1 + rng_below(r, 3));
		break;
	case 5:
		f->window++;
		break;
	case 6:
		f->seq += rng_below(r, 2) ? 1 : (uint32_t)-1;
		break;
	case 7:
		if (f->options_len > 0)
			f->options[rng_below(r, (uint32_t)f->options_len)] ^= 1;
		break;
	case 8:
		f->flags ^= (uint16_t)(1u << (rng_one_in(r, 2) ? 6 : rng_below(r, 12))); /* ECE often */
		break;
	default:
		if (f->mss > 1)
			f->mss--;
		break;
	}
}

/* Damage or oddity of one packet. Returns its length. */
static size_t damage(struct rng *r, uint8_t *p, size_t len)
{
	struct ref_ip ip;
	size_t at;

	if (!ref_parse(p, len, &ip))
		return len;
	at = ref_check_at(&ip);
	switch (rng_below(r, 8)) {
	case 0: /* any bit */
		p[rng_below(r, (uint32_t)len)] ^= (uint8_t)(1u << rng_below(r, 8));
		break;
	case 1: /* checksum of the transport header */
		if (at)
			p[at + rng_below(r, 2)] ^= 0x10;
		break;
	case 2: /* none, or the other zero */
		if (at)
			set16(p + at, rng_one_in(r, 2) ? 0 : 0xffff);
		break;
	case 3: /* of the IP header */
		if (ip.version == 4)
			set16(p + 10, rng_one_in(r, 2) ? 0xffff : be16(p + 10) ^ 1);
		break;
	case 4: /* a fragment */
		if (ip.version == 4) {
			set16(p + 6, rng_one_in(r, 2) ? 0x2000 : 1 + rng_below(r, 100));
			set16(p + 10, 0);
			set16(p + 10, ref_checksum(p, ip.l4, 0));
		} else if (len >= 48) {
			p[6] = 44;
		}
		break;
	case 5: /* UDP length */
		if (ip.protocol == 17) {
			set16(p + ip.l4 + 4, rng_below(r, 70));
			ref_set_checksums(p, len);
		}
		break;
	case 6: /* the payload makes the checksum zero: 0000 for TCP, FFFF for UDP */
		if (at && ip.len - at >= 6 && (ip.len - ip.l4) % 2 == 0 && at + 4 < len - 2) {
			set16(p + len - 2, 0);
			ref_set_checksums(p, len);
			set16(p + len - 2, be16(p + at) == 0xffff ? 0 : be16(p + at));
			ref_set_checksums(p, len);
		}
		break;
	default: /* data offset */
		if (ip.protocol == 6 && ip.len - ip.l4 >= 20) {
			p[ip.l4 + 12] = (uint8_t)(p[ip.l4 + 12] % 16 + rng_below(r, 16) * 16);
			ref_set_checksums(p, len);
		}
		break;
	}
	return len;
}

void random_flow_packets(struct rng *r, struct flow_spec *flows, size_t n, bool sound, struct list *out,
			 size_t count)
{
	uint8_t packet[8192];
	size_t f = 0;
	uint32_t calm = 5 + rng_below(r, 60); /* how rarely something happens */

	for (size_t i = 0; i < count; i++) {
		if (rng_one_in(r, 3))
			f = rng_below(r, (uint32_t)n);
		struct flow_spec *flow = &flows[f], now;
		size_t payload = rng_one_in(r, calm) ? rng_below(r, flow->mss + 1u) : flow->mss;

		if (rng_one_in(r, calm))
			disturb(r, flow);
		now = *flow;
		if (rng_one_in(r, calm))
			now.flags |= (uint16_t)(1u << rng_below(r, 12));
		if (rng_one_in(r, calm))
			now.flags |= rng_one_in(r, 2) ? 0x08 : 0x80;
		size_t len = flow_packet(&now, r, payload, packet);
		flow->seq += (uint32_t)payload;
		flow->id++;
		if (!sound && rng_one_in(r, calm))
			len = damage(r, packet, len);
		list_add(out, packet, len);
	}
}

void random_packets(struct rng *r, struct list *out, size_t count, uint16_t mtu)
{
	struct flow_spec flows[6];
	size_t n = 1 + rng_below(r, 6);

	for (size_t i = 0; i < n; i++)
		flow_random(r, &flows[i], mtu);
	random_flow_packets(r, flows, n, false, out, count);
}

void random_read(struct rng *r, struct list *out, uint16_t mtu)
{
	uint8_t read[VNET + 65536] = { 0 };
	struct flow_spec f;
	struct ref_ip ip;

	do {
		flow_random(r, &f, mtu);
	} while (f.protocol != 6 && f.protocol != 17);
	f.flags |= (uint16_t)(rng_next(r) & 0xff);

	size_t room = 65535 - header_len(&f), payload = rng_below(r, (uint32_t)room);
	bool gso = !rng_one_in(r, 3), csum = gso || rng_one_in(r, 2);
	if (rng_one_in(r, 3))
		payload = rng_below(r, f.mss * 3u);
	if (!gso && payload > f.mss)
		payload = f.mss;
	if (payload > f.mss * 300u) /* comparing lists of packets is slow */
		payload = f.mss * 300u;
	if (payload > room)
		payload = room;
	size_t len = flow_packet(&f, r, payload, read + VNET);
	if (!ref_parse(read + VNET, len, &ip))
		abort();
	size_t at = ref_check_at(&ip);
	set_host16(read + 2, rng_next(r) % 65536); /* a hint that means nothing */
	if (gso) {
		read[1] = f.protocol == 17 ? 5 : f.version == 4 ? 1 : 4;
		if (f.protocol == 6 && f.flags & 0x80)
			read[1] |= 0x80;
		set_host16(read + 4, f.mss);
		/* Without NEEDS_CSUM the fields are not to be used; it is legal for headers without
		 * extensions. */
		if (f.extension_len == 0 && rng_one_in(r, 8) && payload > f.mss)
			csum = false;
	}
	if (csum) {
		read[0] = 1;
		set_host16(read + 6, (unsigned)ip.l4);
		set_host16(read + 8, (unsigned)(at - ip.l4));
		ref_set_partial(read + VNET, len);
	} else {
		set_host16(read + 6, rng_next(r) % 65536);
		if (f.protocol == 17 && f.version == 4 && rng_one_in(r, 4))
			set16(read + VNET + at, 0);
	}
	list_add(out, read, VNET + len);
}

/* -- the code under test, driven --------------------------------------------------------------- */

static void drain(struct rx *rx, struct list *ret_writes)
{
	struct iovec iov[RX_IOV_MAX];
	int n;

	while ((n = rx_next(rx, iov)) > 0) {
		uint8_t write[VNET + 65536];
		size_t len = 0;

		for (int i = 0; i < n; i++) {
			if (len + iov[i].iov_len > sizeof(write))
				abort();
			memcpy(write + len, iov[i].iov_base, iov[i].iov_len);
			len += iov[i].iov_len;
		}
		list_add(ret_writes, write, len);
	}
}

static void add(struct rx *rx, const uint8_t *data, size_t len, struct list *ret_writes)
{
	int protocol = len > 0 && data[0] / 16 == 6 ? PPP_PROTO_IPV6 : PPP_PROTO_IPV4;

	while (rx_add(rx, protocol, data, len) == -ENOBUFS)
		drain(rx, ret_writes);
}

void run_join(struct rx *rx, const struct list *packets, struct list *ret_writes)
{
	for (size_t i = 0; i < packets->count; i++)
		add(rx, packets->items[i].data, packets->items[i].len, ret_writes);
	drain(rx, ret_writes);
}

/* Each packet has 8 bytes before it, as in the stream. */
void run_join_in_pieces(struct rx *rx, const struct list *packets, struct rng *r, uint32_t most,
			struct list *ret_writes)
{
	uint8_t *buffer = NULL;
	const uint8_t *held = NULL;
	size_t held_len = 0;

	for (size_t i = 0; i < packets->count;) {
		size_t end = i + 1 + rng_below(r, most), size = held_len;
		if (end > packets->count)
			end = packets->count;
		for (size_t j = i; j < end; j++)
			size += 8 + packets->items[j].len;

		uint8_t *next = malloc(size), *at = next + held_len;
		if (!next)
			abort();
		if (held) {
			memcpy(next, held, held_len);
			rx_moved(rx, next);
		}
		free(buffer);
		buffer = next;
		for (; i < end; i++) {
			const struct blob *p = &packets->items[i];

			memset(at, 0, 8);
			memcpy(at + 8, p->data, p->len);
			add(rx, at + 8, p->len, ret_writes);
			at += 8 + p->len;
		}
		held = rx_hold(rx, at);
		drain(rx, ret_writes);
		held_len = held ? (size_t)(at - held) : 0;
		if (held_len > RX_HOLD_MAX)
			abort();
	}
	drain(rx, ret_writes);
	free(buffer);
}

bool unframe(const uint8_t *data, size_t len, struct list *ret_packets)
{
	while (len > 0) {
		if (len < 8 || data[0] != 0x10 || data[1] != 0 || data[4] != 0xff || data[5] != 3)
			return false;
		size_t n = be16(data + 2);
		if (n < 8 || n > len || n > 4095 || be16(data + 6) != (data[8] / 16 == 4 ? 0x21 : 0x57))
			return false;
		list_add(ret_packets, data + 8, n - 8);
		data += n;
		len -= n;
	}
	return true;
}

bool run_split(struct tx *tx, const struct list *reads, size_t batch, struct list *ret_packets)
{
	uint8_t out[16384];

	for (size_t i = 0; i < reads->count; i++) {
		size_t size, n;
		uint8_t *p = tx_reserve(tx, &size);

		if (reads->items[i].len > size)
			abort();
		memcpy(p, reads->items[i].data, reads->items[i].len);
		(void)tx_commit(tx, reads->items[i].len, 0);
		if ((i + 1) % batch && i + 1 < reads->count)
			continue;
		while ((n = tx_fill(tx, out, sizeof(out), 0)) > 0)
			if (!unframe(out, n, ret_packets))
				return false;
		if (tx_backlog(tx) != 0)
			return false;
	}
	return true;
}

static bool equal(const struct blob *a, const struct blob *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static void print_packet(const char *what, const struct blob *b)
{
	printf("# %s, %zu bytes:", what, b->len);
	for (size_t i = 0; i < b->len && i < 120; i++)
		printf("%s%02x", i % 4 ? "" : " ", b->data[i]);
	printf("\n");
}

bool same_packets(const struct list *expected, const struct list *got, enum order order, const char **ret_why)
{
	size_t *place = calloc(expected->count + 1, sizeof(*place));
	bool *taken = calloc(got->count + 1, sizeof(*taken));
	size_t first = 0; /* that is not taken */

	*ret_why = NULL;
	if (!place || !taken)
		abort();
	for (size_t i = 0; i < expected->count && !*ret_why; i++) {
		while (first < got->count && taken[first])
			first++;
		size_t j = first;
		while (j < got->count && (taken[j] || !equal(&expected->items[i], &got->items[j])))
			j++;
		if (j == got->count) {
			*ret_why = "a packet is lost or changed";
			print_packet("expected", &expected->items[i]);
			if (first < got->count)
				print_packet("at its place", &got->items[first]);
			break;
		}
		taken[j] = true;
		place[i] = j;
	}
	for (size_t i = 0; i < expected->count && !*ret_why; i++)
		for (size_t j = i + 1; j < expected->count; j++)
			if (place[j] < place[i] &&
			    ref_ordered(&expected->items[i], &expected->items[j], order))
				*ret_why = "a flow is reordered";
	if (!*ret_why && expected->count != got->count)
		*ret_why = "there are packets from nowhere";
	free(place);
	free(taken);
	return !*ret_why;
}
