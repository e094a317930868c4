/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/ppp/ipcp.h"

#include <string.h>

#define VALUE_LEN 4

static const uint8_t types[_IPCP_VALUES] = {
	[IPCP_ADDRESS] = 0x03, [IPCP_DNS1] = 0x81,  [IPCP_DNS2] = 0x83,
	[IPCP_NBNS1] = 0x82,   [IPCP_NBNS2] = 0x84,
};

/* _IPCP_VALUES for everything else: VJ compression, the old IP-Addresses option, … */
static enum ipcp_value value_of_type(uint8_t type)
{
	int v = 0;

	while (v < _IPCP_VALUES && types[v] != type)
		v++;
	return (enum ipcp_value)v;
}

static struct in_addr read_address(const struct option *o)
{
	struct in_addr a;

	memcpy(&a, o->value, sizeof(a)); /* network order on both sides */
	return a;
}

bool ipcp_is_host_address(struct in_addr a)
{
	uint32_t net = ntohl(a.s_addr) >> 24;

	return net != 0 && net != 127 && net < 224;
}

void ipcp_init(struct ipcp *i, const struct ppp_config *config)
{
	*i = (struct ipcp){ .role = config->role, .server = &config->server };
	if (config->role == PPP_SERVER) {
		i->value[IPCP_ADDRESS] = config->server.address;
		i->ask[IPCP_ADDRESS] = config->server.address.s_addr != 0;
		return;
	}
	i->ask[IPCP_ADDRESS] = true;
	i->ask[IPCP_DNS1] = i->ask[IPCP_DNS2] = config->want_dns;
	i->ask[IPCP_NBNS1] = i->ask[IPCP_NBNS2] = config->want_nbns;
}

bool ipcp_check(struct ipcp *i)
{
	if (i->role == PPP_SERVER || ipcp_is_host_address(i->value[IPCP_ADDRESS]))
		return true;
	failure_set(&i->failure, CAUSE_IPCP_NO_ADDRESS, "the server acknowledged 0.0.0.0");
	return false;
}

static void request(void *layer, struct wire_writer *w)
{
	struct ipcp *i = layer;

	for (int v = 0; v < _IPCP_VALUES; v++)
		if (i->ask[v])
			option_put(w, types[v], &i->value[v], VALUE_LEN);
}

static void peer_begin(void *layer)
{
	struct ipcp *i = layer;

	i->peer.s_addr = 0;
	i->peer_told_address = false;
}

/* What the server has for a client; 0.0.0.0: nothing. */
static struct in_addr assigned(const struct ipcp *i, enum ipcp_value v)
{
	switch (v) {
	case IPCP_ADDRESS:
		return i->server->peer_address;
	case IPCP_DNS1:
		return i->server->dns[0];
	case IPCP_DNS2:
		return i->server->dns[1];
	case IPCP_NBNS1:
		return i->server->nbns[0];
	case IPCP_NBNS2:
		return i->server->nbns[1];
	case _IPCP_VALUES:
		break;
	}
	return (struct in_addr){ 0 };
}

static enum fsm_verdict judge_client(struct ipcp *i, enum ipcp_value v, const struct option *o,
				     const struct fsm_request *q)
{
	struct in_addr have = assigned(i, v), asked = read_address(o);

	if (v == IPCP_ADDRESS)
		i->peer_told_address = true;
	if (have.s_addr == 0)
		return FSM_REJECT;
	if (asked.s_addr == have.s_addr) {
		if (v == IPCP_ADDRESS)
			i->peer = asked;
		return FSM_ACK;
	}
	option_put(q->nak, o->type, &have, VALUE_LEN);
	return FSM_NAK;
}

static enum fsm_verdict peer_option(void *layer, const struct option *o, const struct fsm_request *q)
{
	struct ipcp *i = layer;
	enum ipcp_value v = value_of_type(o->type);

	if (v == _IPCP_VALUES || o->len != VALUE_LEN)
		return FSM_REJECT;
	if (i->role == PPP_SERVER)
		return judge_client(i, v, o, q);
	/* A server tells its address. It cannot get one, or name servers, from us. */
	if (v != IPCP_ADDRESS || read_address(o).s_addr == 0)
		return FSM_REJECT;
	if (ipcp_is_host_address(read_address(o)))
		i->peer = read_address(o);
	return FSM_ACK;
}

/* A client that names no address is told to take the one it has been assigned. */
static void peer_end(void *layer, const struct fsm_request *q)
{
	struct ipcp *i = layer;
	struct in_addr have = assigned(i, IPCP_ADDRESS);

	if (i->role == PPP_SERVER && !i->peer_told_address && have.s_addr != 0)
		option_put(q->nak, types[IPCP_ADDRESS], &have, VALUE_LEN);
}

static bool naked(void *layer, const struct option *o)
{
	struct ipcp *i = layer;
	enum ipcp_value v = value_of_type(o->type);
	struct in_addr a;

	if (i->role == PPP_SERVER || v == _IPCP_VALUES || !i->ask[v] || o->len != VALUE_LEN)
		return true;
	a = read_address(o);
	if (ipcp_is_host_address(a)) {
		i->value[v] = a;
		return true;
	}
	if (v != IPCP_ADDRESS) { /* a name server that cannot be one: do without */
		i->ask[v] = false;
		return true;
	}
	if (a.s_addr == 0) /* none yet, a DHCP behind it may be slow: ask again, within FSM_MAX_ROUNDS */
		return true;
	failure_set(&i->failure, CAUSE_IPCP_NO_ADDRESS, "the server assigned %u.%u.%u.%u", o->value[0],
		    o->value[1], o->value[2], o->value[3]);
	return false;
}

static bool rejected(void *layer, const struct option *o)
{
	struct ipcp *i = layer;
	enum ipcp_value v = value_of_type(o->type);

	if (v == _IPCP_VALUES)
		return true;
	i->ask[v] = false;
	i->value[v].s_addr = 0;
	if (v != IPCP_ADDRESS || i->role == PPP_SERVER)
		return true;
	failure_set(&i->failure, CAUSE_IPCP_NO_ADDRESS, "the server rejected the request for an address");
	return false;
}

const struct fsm_ops ipcp_ops = {
	.protocol = PPP_PROTO_IPCP,
	.request = request,
	.peer_begin = peer_begin,
	.peer_option = peer_option,
	.peer_end = peer_end,
	.naked = naked,
	.rejected = rejected,
};
