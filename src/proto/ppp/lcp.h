/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of LCP (RFC 1661 §6): MRU, magic number, and who has to authenticate by what. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cause.h"
#include "proto/ppp/fsm.h"
#include "proto/ppp/ppp.h"

/* An authentication protocol as it stands in the option: protocol, and for CHAP the algorithm. */
struct lcp_auth_offer {
	uint16_t protocol;
	int algorithm; /* −1: none given */
};

struct lcp {
	enum ppp_role role;
	unsigned auth; /* PPP_AUTH_*: allowed to ask for (server) or to be asked for (client) */
	struct random_source random;
	/* ours */
	uint16_t mru;
	bool ask_mru, ask_magic;
	uint32_t magic;	     /* 0 if the peer rejected it */
	unsigned auth_asked; /* server: the one in our request, 0 for none */
	unsigned auth_refused;
	bool auth_asked_again;
	/* the peer's, as of its last request */
	uint16_t peer_mru;
	unsigned peer_auth;  /* client: the one we acknowledge; 0 if none was asked for */
	bool auth_nakked;    /* client: another method was asked for */
	bool eap_declined;   /* client: EAP, which is allowed, was answered by a Nak with MS-CHAPv2 */
	uint8_t declined_id; /* … in the request with this identifier */
	struct lcp_auth_offer offer;
	uint8_t loops;
	struct failure failure; /* set where a callback gave up */
};

extern const struct fsm_ops lcp_ops;

void lcp_init(struct lcp *l, const struct ppp_config *config);
/* Sets `f` to "the server asks for EAP, allowed is MS-CHAPv2". */
void lcp_set_auth_failure(const struct lcp *l, struct failure *f);
/* Client: the login failed. Where it might have been EAP that was wanted, the cause says so. */
void lcp_consider_eap(const struct lcp *l, struct failure *f);
