/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of a link share: its events and its end. Private to src/proto/ppp; in ppp.c. */
#pragma once

#include "proto/ppp/ppp_state.h"

bool ppp_runs(const struct ppp *p);
/* How details name the other side. */
const char *ppp_peer_name(const struct ppp *p);

/* The last place is kept for DOWN. More than that only happens if nobody takes them. */
void ppp_raise(struct ppp *p, enum ppp_event_type type);

/* Ends the link for p->failure. Where LCP is not over by itself the peer gets one Terminate-Request. */
void ppp_end(struct ppp *p, usec_t now);
/* The first failure stands. */
void ppp_fail_with(struct ppp *p, const struct failure *failure, usec_t now);
#define ppp_fail(p, now, ...)                            \
	do {                                             \
		failure_set(&(p)->failure, __VA_ARGS__); \
		ppp_end(p, now);                         \
	} while (0)
