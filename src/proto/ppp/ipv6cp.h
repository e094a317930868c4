/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one option of IPV6CP that is in use: the interface identifier (RFC 5072 §4.1). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include "proto/ppp/fsm.h"
#include "proto/ppp/ppp.h"

#define INTERFACE_ID_LEN 8

struct ipv6cp {
	struct random_source random;
	bool ask; /* false once the peer rejected the option; ours is used nevertheless */
	uint8_t id[INTERFACE_ID_LEN];
	uint8_t peer_id[INTERFACE_ID_LEN]; /* zero if it told none */
};

extern const struct fsm_ops ipv6cp_ops;

void ipv6cp_init(struct ipv6cp *v, const struct ppp_config *config);
