/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/ppp/lcp.h"

#include <stdio.h>

enum {
	OPTION_MRU = 1,
	OPTION_ACCM = 2,
	OPTION_AUTH = 3,
	OPTION_MAGIC = 5,
	OPTION_PFC = 7,
	OPTION_ACFC = 8,
};

#define NAK_MRU_MIN 576 /* what we let a Nak of our MRU talk us into */
#define LOOPS_MAX   3

/* The best first: this is the order of preference, of offers and of counter-offers. */
static const struct auth_encoding {
	unsigned auth;
	struct lcp_auth_offer offer;
} encodings[] = {
	{ PPP_AUTH_MSCHAPV2, { PPP_PROTO_CHAP, 0x81 } },
	{ PPP_AUTH_EAP, { PPP_PROTO_EAP, -1 } },
	{ PPP_AUTH_CHAP_MD5, { PPP_PROTO_CHAP, 0x05 } },
	{ PPP_AUTH_PAP, { PPP_PROTO_PAP, -1 } },
};

static unsigned best_auth(unsigned set)
{
	for (size_t i = 0; i < ARRAY_SIZE(encodings); i++)
		if (set & encodings[i].auth)
			return encodings[i].auth;
	return 0;
}

/* 0 for what we do not know. */
static unsigned auth_of_offer(const struct lcp_auth_offer *offer)
{
	for (size_t i = 0; i < ARRAY_SIZE(encodings); i++)
		if (offer->protocol == encodings[i].offer.protocol &&
		    offer->algorithm == encodings[i].offer.algorithm)
			return encodings[i].auth;
	return 0;
}

static struct lcp_auth_offer read_offer(const struct option *o)
{
	struct wire_reader r = wire_reader(o->value, o->len);
	struct lcp_auth_offer offer = { .protocol = wire_u16(&r), .algorithm = -1 };

	if (wire_left(&r) > 0 && offer.protocol == PPP_PROTO_CHAP)
		offer.algorithm = wire_u8(&r);
	if (wire_finish(&r) < 0)
		return (struct lcp_auth_offer){ 0 };
	return offer;
}

static void put_auth(struct wire_writer *w, unsigned auth)
{
	for (size_t i = 0; i < ARRAY_SIZE(encodings); i++) {
		const struct lcp_auth_offer *offer = &encodings[i].offer;
		uint8_t value[3] = { (uint8_t)(offer->protocol >> 8), (uint8_t)offer->protocol,
				     (uint8_t)offer->algorithm };

		if (encodings[i].auth == auth)
			option_put(w, OPTION_AUTH, value, offer->algorithm < 0 ? 2 : 3);
	}
}

const char *ppp_auth_name(unsigned auth)
{
	switch (auth) {
	case PPP_AUTH_PAP:
		return "PAP";
	case PPP_AUTH_CHAP_MD5:
		return "CHAP-MD5";
	case PPP_AUTH_MSCHAPV2:
		return "MS-CHAPv2";
	case PPP_AUTH_EAP:
		return "EAP-MSCHAPv2";
	case PPP_AUTH_NONE:
	case 0:
		return "none";
	default:
		return "unknown";
	}
}

static void offer_name(const struct lcp_auth_offer *offer, char *out, size_t size)
{
	unsigned auth = auth_of_offer(offer);

	if (offer->protocol == PPP_PROTO_EAP) /* by which method is not known yet */
		(void)snprintf(out, size, "EAP");
	else if (auth)
		(void)snprintf(out, size, "%s", ppp_auth_name(auth));
	else if (offer->protocol == PPP_PROTO_CHAP && offer->algorithm == 0x80)
		(void)snprintf(out, size, "MS-CHAPv1");
	else if (offer->protocol == 0)
		(void)snprintf(out, size, "no authentication");
	else if (offer->algorithm < 0)
		(void)snprintf(out, size, "protocol %04x", offer->protocol);
	else
		(void)snprintf(out, size, "protocol %04x algorithm %d", offer->protocol, offer->algorithm);
}

void lcp_set_auth_failure(const struct lcp *l, struct failure *f)
{
	char asked[48], allowed[48] = "";

	offer_name(&l->offer, asked, sizeof(asked));
	for (size_t i = 0; i < ARRAY_SIZE(encodings); i++) {
		size_t n = strlen(allowed);

		if (l->auth & encodings[i].auth)
			(void)snprintf(allowed + n, sizeof(allowed) - n, "%s%s", n > 0 ? ", " : "",
				       ppp_auth_name(encodings[i].auth));
	}
	if (l->eap_declined)
		failure_set(f, CAUSE_AUTH_EAP, "it asked for EAP, and not for MS-CHAPv2 instead");
	else if (l->role == PPP_SERVER)
		failure_set(f, CAUSE_AUTH_METHOD, "the client accepts none of %s", allowed);
	else
		failure_set(f, auth_of_offer(&l->offer) ? CAUSE_AUTH_METHOD : CAUSE_AUTH_UNSUPPORTED,
			    "the server asks for %s, allowed is %s", asked, allowed[0] ? allowed : "none");
}

void lcp_consider_eap(const struct lcp *l, struct failure *f)
{
	if (l->eap_declined && f->cause == CAUSE_AUTH_METHOD)
		f->cause = CAUSE_AUTH_EAP;
}

static uint32_t new_magic(const struct lcp *l)
{
	uint32_t magic = 0;

	while (magic == 0)
		random_fill(&l->random, &magic, sizeof(magic));
	return magic;
}

void lcp_init(struct lcp *l, const struct ppp_config *config)
{
	*l = (struct lcp){ .role = config->role, .auth = config->auth, .random = config->random };
	l->mru = config->mru ? config->mru : PPP_MRU_DEFAULT;
	l->ask_mru = l->mru != PPP_MRU_DEFAULT;
	l->ask_magic = true;
	l->magic = new_magic(l);
	l->auth_asked = l->role == PPP_SERVER ? best_auth(l->auth) : 0;
}

static void request(void *layer, struct wire_writer *w)
{
	struct lcp *l = layer;

	if (l->ask_mru)
		option_put_u16(w, OPTION_MRU, l->mru);
	if (l->auth_asked)
		put_auth(w, l->auth_asked);
	if (l->ask_magic)
		option_put_u32(w, OPTION_MAGIC, l->magic);
}

static void peer_begin(void *layer)
{
	struct lcp *l = layer;

	l->peer_mru = PPP_MRU_DEFAULT;
	l->peer_auth = 0;
	l->offer = (struct lcp_auth_offer){ 0 };
}

/*
 * RRAS and SoftEther ask for EAP first wherever they have it, RRAS even where the policy allows no EAP at all
 * (its default). Both take MS-CHAPv2 when asked. Who asks for EAP again means it; not so who repeats a
 * request that crossed our Nak, or came in one read with the first on a slow line: it has its identifier.
 */
static bool is_better_without_eap(const struct lcp *l, unsigned asked, uint8_t id)
{
	return asked == PPP_AUTH_EAP && (l->auth & PPP_AUTH_MSCHAPV2) && !(l->auth & PPP_AUTH_EAP_FIRST) &&
	       (!l->eap_declined || l->declined_id == id);
}

/*
 * An allowed method is taken as it comes, otherwise the best allowed one is asked for by Nak. To ask for a
 * better one than an allowed one would be safe with servers that go through a list, but pppd has no list:
 * after a Nak it asks for no authentication at all and hangs up. Who allows a weak method does it for a
 * server that has no other. (To a pppd that wants EAP the next attempt goes with PPP_AUTH_EAP_FIRST.)
 */
static enum fsm_verdict judge_auth(struct lcp *l, const struct option *o, const struct fsm_request *q)
{
	unsigned asked, wanted = best_auth(l->auth);

	if (l->role == PPP_SERVER)
		return FSM_REJECT;
	l->offer = read_offer(o);
	asked = auth_of_offer(&l->offer) & l->auth;
	if (asked && (q->last || !is_better_without_eap(l, asked, q->id))) {
		l->peer_auth = asked;
		return FSM_ACK;
	}
	if (asked == PPP_AUTH_EAP) {
		l->eap_declined = true;
		l->declined_id = q->id;
	}
	if (!wanted || q->last) {
		lcp_set_auth_failure(l, &l->failure);
		return FSM_FATAL;
	}
	l->auth_nakked = true;
	put_auth(q->nak, wanted);
	return FSM_NAK;
}

static enum fsm_verdict judge_magic(struct lcp *l, const struct option *o, const struct fsm_request *q)
{
	uint32_t magic = option_u32(o);

	if (magic != 0 && (magic != l->magic || !l->ask_magic))
		return FSM_ACK;
	if (magic != 0 && ++l->loops >= LOOPS_MAX) {
		failure_set(&l->failure, CAUSE_LCP_LOOPBACK, "%u requests came back with our magic number",
			    l->loops);
		return FSM_FATAL;
	}
	option_put_u32(q->nak, OPTION_MAGIC, new_magic(l));
	return FSM_NAK;
}

static enum fsm_verdict peer_option(void *layer, const struct option *o, const struct fsm_request *q)
{
	struct lcp *l = layer;

	switch (o->type) {
	case OPTION_MRU:
		if (o->len != 2)
			return FSM_REJECT;
		if (option_u16(o) < PPP_MRU_MIN) {
			option_put_u16(q->nak, OPTION_MRU, PPP_MRU_DEFAULT);
			return FSM_NAK;
		}
		l->peer_mru = MIN(option_u16(o), PPP_IP_MAX);
		return FSM_ACK;
	case OPTION_ACCM: /* has no meaning without a serial line */
		return o->len == 4 ? FSM_ACK : FSM_REJECT;
	case OPTION_AUTH:
		return judge_auth(l, o, q);
	case OPTION_MAGIC:
		return o->len == 4 ? judge_magic(l, o, q) : FSM_REJECT;
	case OPTION_PFC: /* permits us to compress headers, which we never do */
	case OPTION_ACFC:
		return o->len == 0 ? FSM_ACK : FSM_REJECT;
	default: /* callback, multilink, link quality, … */
		return FSM_REJECT;
	}
}

/*
 * Server: the client proposes another method, so it gets that or the next of ours. A Nak is a wish: who has
 * refused all of them is asked once more, and may then take what it would rather not.
 */
static bool auth_naked(struct lcp *l, const struct option *o)
{
	struct lcp_auth_offer offer = read_offer(o);
	unsigned left, proposed = auth_of_offer(&offer);

	if (!l->auth_asked)
		return true;
	l->auth_refused |= l->auth_asked;
	if (!best_auth(l->auth & ~l->auth_refused) && !l->auth_asked_again) {
		l->auth_asked_again = true;
		l->auth_refused = 0;
	}
	left = l->auth & ~l->auth_refused;
	l->auth_asked = proposed & left ? proposed : best_auth(left);
	if (!l->auth_asked)
		lcp_set_auth_failure(l, &l->failure);
	return l->auth_asked != 0;
}

static bool naked(void *layer, const struct option *o)
{
	struct lcp *l = layer;

	switch (o->type) {
	case OPTION_MRU:
		if (o->len == 2 && option_u16(o) >= NAK_MRU_MIN && option_u16(o) <= PPP_IP_MAX) {
			l->mru = option_u16(o);
			l->ask_mru = true;
		}
		return true;
	case OPTION_AUTH:
		return auth_naked(l, o);
	case OPTION_MAGIC:
		l->magic = new_magic(l);
		return true;
	default:
		return true;
	}
}

static bool rejected(void *layer, const struct option *o)
{
	struct lcp *l = layer;

	switch (o->type) {
	case OPTION_MRU:
		l->mru = PPP_MRU_DEFAULT;
		l->ask_mru = false;
		return true;
	case OPTION_AUTH: /* only a server has asked */
		lcp_set_auth_failure(l, &l->failure);
		return false;
	case OPTION_MAGIC:
		l->magic = 0;
		l->ask_magic = false;
		return true;
	default:
		return true;
	}
}

const struct fsm_ops lcp_ops = {
	.protocol = PPP_PROTO_LCP,
	.request = request,
	.peer_begin = peer_begin,
	.peer_option = peer_option,
	.naked = naked,
	.rejected = rejected,
};
