/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network layer of a link: IPCP and IPV6CP side by side. What becomes of them is told as events of it. */
#pragma once

#include "proto/ppp/ppp_state.h"

/* How long it may take to an address, from authentication. */
usec_t network_time(const struct ppp *p);

/* Begins, once, where authentication is done and the session allows it. */
void network_start(struct ppp *p, usec_t now);
void network_down(struct ppp *p);
/* After anything that its automaton was given: takes what has come of it. */
void ipcp_progress(struct ppp *p, usec_t now);
void ipv6cp_progress(struct ppp *p, usec_t now);
/* The peer's Protocol-Reject. What was not sent yet cannot be rejected: that is somebody else's answer, and
 * ends nothing. */
void network_rejected(struct ppp *p, uint16_t protocol, usec_t now);
