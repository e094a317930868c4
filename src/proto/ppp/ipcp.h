/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of IPCP: addresses (RFC 1332) and name servers (RFC 1877). */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>

#include "base/cause.h"
#include "proto/ppp/fsm.h"
#include "proto/ppp/ppp.h"

enum ipcp_value { IPCP_ADDRESS, IPCP_DNS1, IPCP_DNS2, IPCP_NBNS1, IPCP_NBNS2, _IPCP_VALUES };

struct ipcp {
	enum ppp_role role;
	const struct ppp_server_config *server;
	/* what our request asks for, and the values so far; the server asks for its own address only */
	bool ask[_IPCP_VALUES];
	struct in_addr value[_IPCP_VALUES];
	struct in_addr peer;	/* the peer's address, 0.0.0.0 if it told none that can be used */
	bool peer_told_address; /* server: its request had the option */
	struct failure failure; /* set where a callback gave up */
};

extern const struct fsm_ops ipcp_ops;

/* `config` must live as long as `i`. */
void ipcp_init(struct ipcp *i, const struct ppp_config *config);
/* Opened: checks what was agreed. False with `failure` set where a client got no usable address. */
bool ipcp_check(struct ipcp *i);
/* An address that a host on a point-to-point link, or a name server, can have. */
bool ipcp_is_host_address(struct in_addr a);
