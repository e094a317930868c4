/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/ppp/ipv6cp.h"

#include <string.h>

#define OPTION_INTERFACE_ID 1

static bool is_zero(const uint8_t id[static INTERFACE_ID_LEN])
{
	static const uint8_t zero[INTERFACE_ID_LEN];

	return memcmp(id, zero, sizeof(zero)) == 0;
}

/* Random, not zero, and with the "universal" bit clear, as RFC 5072 §4.1 asks for. */
static void make_id(const struct ipv6cp *v, uint8_t id[static INTERFACE_ID_LEN])
{
	do {
		random_fill(&v->random, id, INTERFACE_ID_LEN);
		id[0] &= (uint8_t)~0x02u;
	} while (is_zero(id));
}

void ipv6cp_init(struct ipv6cp *v, const struct ppp_config *config)
{
	*v = (struct ipv6cp){ .random = config->random, .ask = true };
	memcpy(v->id, config->interface_id, sizeof(v->id));
	if (is_zero(v->id))
		make_id(v, v->id);
}

static void request(void *layer, struct wire_writer *w)
{
	struct ipv6cp *v = layer;

	if (v->ask)
		option_put(w, OPTION_INTERFACE_ID, v->id, sizeof(v->id));
}

static void peer_begin(void *layer)
{
	struct ipv6cp *v = layer;

	memset(v->peer_id, 0, sizeof(v->peer_id));
}

static enum fsm_verdict peer_option(void *layer, const struct option *o, const struct fsm_request *q)
{
	struct ipv6cp *v = layer;

	if (o->type != OPTION_INTERFACE_ID || o->len != INTERFACE_ID_LEN)
		return FSM_REJECT;
	if (!is_zero(o->value) && memcmp(o->value, v->id, INTERFACE_ID_LEN) != 0) {
		memcpy(v->peer_id, o->value, INTERFACE_ID_LEN);
		return FSM_ACK;
	}
	uint8_t suggestion[INTERFACE_ID_LEN];
	make_id(v, suggestion);
	option_put(q->nak, OPTION_INTERFACE_ID, suggestion, sizeof(suggestion));
	return FSM_NAK;
}

static bool naked(void *layer, const struct option *o)
{
	struct ipv6cp *v = layer;

	if (o->type != OPTION_INTERFACE_ID || o->len != INTERFACE_ID_LEN || is_zero(o->value))
		return true;
	/* Its own, which we have acknowledged already: both ends must differ (RFC 5072 §4.1). */
	if (memcmp(o->value, v->peer_id, INTERFACE_ID_LEN) == 0)
		make_id(v, v->id);
	else
		memcpy(v->id, o->value, INTERFACE_ID_LEN);
	return true;
}

static bool rejected(void *layer, const struct option *o)
{
	struct ipv6cp *v = layer;

	(void)o; /* there is only one that we ask for */
	v->ask = false;
	return true;
}

const struct fsm_ops ipv6cp_ops = {
	.protocol = PPP_PROTO_IPV6CP,
	.request = request,
	.peer_begin = peer_begin,
	.peer_option = peer_option,
	.naked = naked,
	.rejected = rejected,
};
