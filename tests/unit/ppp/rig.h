/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client engine and a hand that plays its server, frame by frame. */
#pragma once

#include "link.h"

struct rig {
	struct ppp p;
	struct dice dice;
	const uint8_t *peer_challenge; /* what 16 random bytes are; NULL: the dice's */
	usec_t now;
	char hex[4096];
	struct failure failure; /* of the last DOWN */
	unsigned raised[PPP_EVENT_DOWN + 1];
	char first_request[4096];
};

static inline void rig_random(void *ctx, void *out, size_t len)
{
	struct rig *r = ctx;

	if (r->peer_challenge && len == MSCHAP_CHALLENGE_LEN)
		memcpy(out, r->peer_challenge, len);
	else
		dice_fill(&r->dice, out, len);
}

static inline struct ppp_config rig_config(struct rig *r, unsigned auth)
{
	return (struct ppp_config){ .role = PPP_CLIENT,
				    .auth = auth,
				    .ipv4 = true,
				    .ipv6 = true,
				    .want_dns = true,
				    .random = { .fill = rig_random, .ctx = r } };
}

/* Takes all events; the session's part of them is played too. */
static inline void rig_events(struct rig *r)
{
	struct ppp_event e;

	while ((e = ppp_event(&r->p)).type != PPP_EVENT_NONE) {
		r->raised[e.type]++;
		if (e.type == PPP_EVENT_AUTHENTICATED)
			ppp_network_allowed(&r->p, r->now);
		if (e.type == PPP_EVENT_DOWN)
			r->failure = e.failure;
	}
}

/* The client's next frame as hex; "" for none. */
static inline const char *says(struct rig *r)
{
	rig_events(r);
	return output_hex(&r->p, r->hex);
}

static inline void hears(struct rig *r, const char *hex)
{
	(void)input_hex(&r->p, hex, r->now);
	rig_events(r);
}

static inline void hears_bytes(struct rig *r, const uint8_t *frame, size_t len)
{
	(void)input(&r->p, frame, len, r->now);
	rig_events(r);
}

/* Answers a Configure-Request of the client by the Ack to it. */
static inline void hears_ack_of(struct rig *r, const char *request)
{
	char ack[4096];

	(void)snprintf(ack, sizeof(ack), "%s", request);
	memcpy(ack + 8, "02", 2);
	hears(r, ack);
}

/* Moves the clock to the next deadline, or to `limit`; false where there is none before it. */
static inline bool rig_wait(struct rig *r, usec_t limit)
{
	usec_t next = ppp_deadline(&r->p);

	if (next >= limit) {
		r->now = limit;
		return false;
	}
	r->now = MAX(r->now, next);
	ppp_timeout(&r->p, r->now);
	rig_events(r);
	return true;
}

static inline void hush(struct rig *r)
{
	while (says(r)[0])
		;
}

static inline void rig_begin_config(struct rig *r, const struct ppp_config *config)
{
	struct secret secret = secret_of("s3cret");

	ppp_init(&r->p, config);
	(void)ppp_set_credentials(&r->p, "alice", &secret);
	ppp_lower_up(&r->p, r->now);
	(void)snprintf(r->first_request, sizeof(r->first_request), "%s", says(r));
}

static inline struct rig *new_rig(void)
{
	static struct rig r;

	r = (struct rig){ .dice.state = 42, .now = 1000 * SEC };
	return &r;
}

static inline struct rig *rig_begin(unsigned auth)
{
	struct rig *r = new_rig();
	struct ppp_config config = rig_config(r, auth);

	rig_begin_config(r, &config);
	return r;
}

/* Up to an opened LCP; the server asks for the first method of `auth`. */
static inline struct rig *rig_lcp_opened(unsigned auth)
{
	struct rig *r = rig_begin(auth);

	hears_ack_of(r, r->first_request);
	hears(r, auth & PPP_AUTH_MSCHAPV2   ? "ff03c021 01010009 0305c22381"
		 : auth & PPP_AUTH_CHAP_MD5 ? "ff03c021 01010009 0305c22305"
		 : auth & PPP_AUTH_PAP	    ? "ff03c021 01010008 0304c023"
					    : "ff03c021 01010004");
	(void)says(r); /* the Ack */
	return r;
}

/* Up to the network phase, IPCP and IPV6CP requests sent and dropped. */
static inline struct rig *rig_network(void)
{
	struct rig *r = rig_lcp_opened(PPP_AUTH_PAP);

	hears(r, "ff03c023 02010005 00");
	hush(r);
	return r;
}

static inline struct rig *rig_up(void)
{
	struct rig *r = rig_network();

	hears(r, "ff038021 0101000a 0306c0000201");
	hears(r, "ff038021 03010016 03060a080007 81060a080001 830609090909");
	hears(r, "ff038021 02020016 03060a080007 81060a080001 830609090909");
	hears(r, "ff038057 0101000e 010a021122fffe334455");
	hears(r, "ff038057 0301000e 010a0000000000000002");
	hears(r, "ff038057 0202000e 010a0000000000000002");
	hush(r);
	return r;
}
