/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/ppp/network.h"

#include <string.h>

#include "proto/ppp/link.h"

#define IPCP_TIME (30 * USEC_PER_SEC)

usec_t network_time(const struct ppp *p)
{
	return p->config.ipcp_time ? p->config.ipcp_time : IPCP_TIME;
}

void network_down(struct ppp *p)
{
	p->params.ipv4_up = p->params.ipv6_up = false;
}

void network_start(struct ppp *p, usec_t now)
{
	if (p->phase != PPP_NETWORK || !p->network_allowed || p->network_started)
		return;
	p->network_started = true;
	if (p->config.ipv4) {
		fsm_event(&p->ipcp_fsm, FSM_OPEN, now);
		fsm_event(&p->ipcp_fsm, FSM_UP, now);
	}
	if (p->config.ipv6) {
		fsm_event(&p->ipv6cp_fsm, FSM_OPEN, now);
		fsm_event(&p->ipv6cp_fsm, FSM_UP, now);
	}
}

static void ipcp_failed(struct ppp *p, usec_t now)
{
	switch (p->ipcp_fsm.reason) {
	case FSM_REASON_LAYER:
		ppp_fail_with(p, &p->ipcp.failure, now);
		break;
	case FSM_REASON_NONE:
	case FSM_REASON_TIMEOUT:
		ppp_fail(p, now, CAUSE_IPCP_TIMEOUT, "no answer to %d Configure-Requests", FSM_MAX_CONFIGURE);
		break;
	case FSM_REASON_CODE_REJECTED:
	case FSM_REASON_PROTOCOL_REJECTED:
		ppp_fail(p, now, CAUSE_IPCP_REJECTED, "the %s does not know IPCP", ppp_peer_name(p));
		break;
	case FSM_REASON_TERMINATED:
		ppp_fail(p, now, CAUSE_IPCP_REJECTED, "the %s ended IPCP", ppp_peer_name(p));
		break;
	case FSM_REASON_NO_AGREEMENT:
		ppp_fail(p, now, CAUSE_IPCP_NO_ADDRESS, "no agreement after %d rounds", FSM_MAX_ROUNDS);
		break;
	case FSM_REASON_FLOOD:
	case FSM_REASON_RENEGOTIATED:
		ppp_fail(p, now, CAUSE_IPCP_NO_ADDRESS, "more than %d Configure-Requests", FSM_MAX_REQUESTS);
		break;
	}
}

static void ipcp_up(struct ppp *p, usec_t now)
{
	struct ppp_params *params = &p->params;

	if (!ipcp_check(&p->ipcp)) {
		ppp_fail_with(p, &p->ipcp.failure, now);
		return;
	}
	params->local = p->ipcp.value[IPCP_ADDRESS];
	params->peer = p->ipcp.peer;
	params->dns[0] = p->ipcp.value[IPCP_DNS1];
	params->dns[1] = p->ipcp.value[IPCP_DNS2];
	params->nbns[0] = p->ipcp.value[IPCP_NBNS1];
	params->nbns[1] = p->ipcp.value[IPCP_NBNS2];
	params->ipv4_up = true;
	p->deadline = USEC_NEVER;
	ppp_raise(p, PPP_EVENT_IPCP_UP);
}

void ipcp_progress(struct ppp *p, usec_t now)
{
	unsigned signals = fsm_take_signals(&p->ipcp_fsm);

	if (!ppp_runs(p))
		return;
	if ((signals & FSM_SIGNAL_FINISHED) || p->ipcp_fsm.reason != FSM_REASON_NONE) {
		ipcp_failed(p, now);
		return;
	}
	if (signals & FSM_SIGNAL_DOWN) {
		p->params.ipv4_up = false;
		p->deadline = now + network_time(p);
		ppp_raise(p, PPP_EVENT_IPCP_DOWN);
	}
	if (signals & FSM_SIGNAL_UP)
		ipcp_up(p, now);
}

static void ipv6cp_down(struct ppp *p, usec_t now)
{
	p->params.ipv6_up = false;
	if (!p->ipv6_reported_down)
		ppp_raise(p, PPP_EVENT_IPV6CP_DOWN);
	p->ipv6_reported_down = true;
	if (!p->config.ipv4)
		ppp_fail(p, now, CAUSE_IPCP_NO_ADDRESS, "IPv6 is not to be had, and IPv4 is not wanted");
}

static void ipv6cp_up(struct ppp *p)
{
	memcpy(p->params.local_id, p->ipv6cp.id, INTERFACE_ID_LEN);
	memcpy(p->params.peer_id, p->ipv6cp.peer_id, INTERFACE_ID_LEN);
	p->params.ipv6_up = true;
	p->ipv6_reported_down = false;
	if (!p->config.ipv4)
		p->deadline = USEC_NEVER;
	ppp_raise(p, PPP_EVENT_IPV6CP_UP);
}

void ipv6cp_progress(struct ppp *p, usec_t now)
{
	unsigned signals = fsm_take_signals(&p->ipv6cp_fsm);

	if (!ppp_runs(p))
		return;
	if (signals & (FSM_SIGNAL_DOWN | FSM_SIGNAL_FINISHED))
		ipv6cp_down(p, now);
	else if (signals & FSM_SIGNAL_UP)
		ipv6cp_up(p);
}

void network_rejected(struct ppp *p, uint16_t protocol, usec_t now)
{
	if (!p->network_started)
		return;
	if (protocol == PPP_PROTO_IPCP && p->config.ipv4) {
		fsm_fail(&p->ipcp_fsm, FSM_REASON_PROTOCOL_REJECTED, now);
		ipcp_progress(p, now);
	} else if (protocol == PPP_PROTO_IPV6CP && p->config.ipv6) {
		fsm_fail(&p->ipv6cp_fsm, FSM_REASON_PROTOCOL_REJECTED, now);
		ipv6cp_progress(p, now);
	}
}
