/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EAP-MSCHAPv2 as a client: the known answers, and what a server may do wrong. */
#include "rig.h"
#include "vectors.h"

#define CHALLENGE "1a0121001810101112131415161718191a1b1c1d1e1f737276"

static const struct vector_eap *const plain = &vectors_eap[0];
static const struct vector_eap_mschapv2 *const method = &vectors_eap_mschapv2[0];

static void hears_vector(struct rig *r, struct vector_bytes frame)
{
	hears_bytes(r, frame.data, frame.len);
}

static void check_says(struct rig *r, struct vector_bytes frame)
{
	uint8_t said[2048];
	size_t len = unhex(says(r), said, sizeof(said));

	check_mem(said, len, frame.data, frame.len);
}

static void exchange(struct rig *r, struct vector_bytes request, struct vector_bytes response)
{
	hears_vector(r, request);
	check_says(r, response);
}

/* Up to an opened LCP with EAP, as the user of the vectors. */
static struct rig *eap_rig(bool knows_password)
{
	struct rig *r = new_rig();
	struct ppp_config config = rig_config(r, PPP_AUTH_EAP);
	const struct vector_mschapv2 *v = &vectors_mschapv2[1];
	struct secret secret = secret_of((const char *)v->password.data);

	r->peer_challenge = v->peer_challenge.data;
	ppp_init(&r->p, &config);
	if (knows_password)
		(void)ppp_set_credentials(&r->p, (const char *)v->user.data, &secret);
	ppp_lower_up(&r->p, r->now);
	(void)snprintf(r->first_request, sizeof(r->first_request), "%s", says(r));
	hears_ack_of(r, r->first_request);
	hears(r, "ff03c021 01010008 0304c227");
	if (strcmp(says(r), "ff03c021020100080304c227") != 0)
		abort();
	return r;
}

static struct rig *challenged(void)
{
	struct rig *r = eap_rig(true);

	hears_vector(r, plain->identity_request);
	hears_vector(r, method->challenge_request);
	hush(r);
	return r;
}

static void a_login_is_byte_for_byte(void)
{
	struct rig *r = eap_rig(true);

	exchange(r, plain->identity_request, plain->identity_response);
	exchange(r, method->challenge_request, method->challenge_response);
	exchange(r, method->success_request, method->success_response);
	check_int(r->raised[PPP_EVENT_AUTHENTICATED], 0);
	hears_vector(r, plain->success);
	check_int(r->raised[PPP_EVENT_AUTHENTICATED], 1);
	check_int(ppp_params(&r->p)->auth, PPP_AUTH_EAP);
	check_mem(ppp_params(&r->p)->hlak, 32, method->hlak.data, method->hlak.len);
	check_str(ppp_params(&r->p)->peer_message, "OK");
}

/* pppd sends no EAP-Success, but begins with IPCP; other servers may lose theirs. */
static void ipcp_from_a_proven_server_is_success(void)
{
	struct rig *r = challenged();

	hears(r, "ff038021 0101000a 03060a090001");
	check_int(r->raised[PPP_EVENT_AUTHENTICATED], 0);
	hears_vector(r, method->success_request);
	hush(r);
	hears(r, "ff038021 0101000a 03060a090001");
	check_int(r->raised[PPP_EVENT_AUTHENTICATED], 1);
	check_mem(ppp_params(&r->p)->hlak, 32, method->hlak.data, method->hlak.len);
	bool answered = false;
	for (const char *said = says(r); said[0]; said = says(r))
		answered |= strcmp(said, "ff0380210201000a03060a090001") == 0;
	check(answered);
	hears_vector(r, plain->success); /* late, or lost and repeated */
	check_int(r->raised[PPP_EVENT_AUTHENTICATED], 1);
	check_int(r->raised[PPP_EVENT_DOWN], 0);
}

static void what_is_asked_again_is_answered_again(void)
{
	struct rig *r = challenged();

	exchange(r, method->challenge_request, method->challenge_response);
	exchange(r, method->success_request, method->success_response);
	exchange(r, method->success_request, method->success_response);
	hears_vector(r, plain->success);
	hush(r);
	hears_vector(r, plain->success);
	check_int(r->raised[PPP_EVENT_AUTHENTICATED], 1);
	check_int(r->raised[PPP_EVENT_DOWN], 0);
}

static void a_request_waits_for_the_credentials(void)
{
	struct rig *r = eap_rig(false);
	const struct vector_mschapv2 *v = &vectors_mschapv2[1];
	struct secret secret = secret_of((const char *)v->password.data);

	hears_vector(r, plain->identity_request);
	check_str(says(r), "");
	(void)ppp_set_credentials(&r->p, (const char *)v->user.data, &secret);
	check(ppp_deadline(&r->p) <= r->now);
	ppp_timeout(&r->p, r->now);
	check_says(r, plain->identity_response);
}

/* A server may ask again at any time, as pppd does with eap-interval: it is answered, also where it says no
 * more than its proof, and ends the session only by a refusal. */
static void a_login_in_a_session_is_answered(void)
{
	struct rig *r = challenged();

	hears_vector(r, method->success_request);
	hears_vector(r, plain->success);
	hush(r);
	for (unsigned i = 0; i < 2; i++) {
		r->now += 10 * SEC;
		exchange(r, plain->identity_request, plain->identity_response);
		exchange(r, method->challenge_request, method->challenge_response);
		exchange(r, method->success_request, method->success_response);
	}
	check_int(r->raised[PPP_EVENT_AUTHENTICATED], 1);
	check_mem(ppp_params(&r->p)->hlak, 32, method->hlak.data, method->hlak.len);
	check_int(r->raised[PPP_EVENT_DOWN], 0);
	hears_vector(r, plain->identity_request);
	hears_vector(r, plain->failure);
	check_int(r->failure.cause, CAUSE_AUTH_FAILED);
}

/* There are servers that know who calls. */
static void a_challenge_needs_no_identity_before(void)
{
	struct rig *r = eap_rig(true);

	exchange(r, method->challenge_request, method->challenge_response);
}

static void success_needs_the_proof(void)
{
	struct rig *r = eap_rig(true);

	hears_vector(r, plain->success);
	check_int(r->failure.cause, CAUSE_AUTH_SERVER_UNPROVEN);

	r = challenged();
	hears_vector(r, plain->success);
	check_int(r->failure.cause, CAUSE_AUTH_SERVER_UNPROVEN);

	r = challenged();
	uint8_t wrong[256];
	memcpy(wrong, method->success_request.data, method->success_request.len);
	wrong[20] ^= 1; /* a digit of S= */
	hears_bytes(r, wrong, method->success_request.len);
	check_int(r->failure.cause, CAUSE_AUTH_SERVER_UNPROVEN);
	check_int(r->raised[PPP_EVENT_AUTHENTICATED], 0);
}

static void a_refusal_is_acknowledged_and_final(void)
{
	struct rig *r = challenged();

	exchange(r, method->failure_request, method->failure_response);
	check_int(r->failure.cause, CAUSE_AUTH_FAILED);
	check_str(r->failure.detail, "EAP-MSCHAPv2 error 691: no");

	r = challenged();
	hears_vector(r, plain->failure); /* SoftEther says no more */
	check_int(r->failure.cause, CAUSE_AUTH_FAILED);
	check_str(r->failure.detail, "EAP: the login was refused");

	r = eap_rig(true);
	hears_vector(r, plain->identity_request);
	hears_vector(r, plain->failure);
	check_int(r->failure.cause, CAUSE_AUTH_FAILED);
	check_str(r->failure.detail, "EAP: the user was refused before any challenge");
}

static void another_method_is_answered_by_ours(void)
{
	struct rig *r = eap_rig(true);

	hears(r, "ff03c227 01200006 0d20"); /* EAP-TLS */
	check_says(r, plain->nak_response_want_mschapv2);
	hears(r, "ff03c227 01230006 1920"); /* PEAP */
	check_str(says(r), "ff03c22702230006031a");
	hears(r, "ff03c227 04230004");
	check_int(r->failure.cause, CAUSE_AUTH_UNSUPPORTED);
	check_str(r->failure.detail, "the server asks for PEAP, and refuses EAP-MSCHAPv2");

	/* One that gives in. */
	r = eap_rig(true);
	hears(r, "ff03c227 01220006 0d20");
	hush(r);
	exchange(r, method->challenge_request, method->challenge_response);
	hears_vector(r, plain->failure);
	check_int(r->failure.cause, CAUSE_AUTH_FAILED);
}

static void a_notification_is_acknowledged_and_told(void)
{
	struct rig *r = eap_rig(true);

	exchange(r, plain->notification_request, plain->notification_response);
	hears_vector(r, plain->failure);
	check_str(r->failure.detail, "EAP: the user was refused before any challenge: hello");
}

static void what_is_malformed_or_out_of_place_is_dropped(void)
{
	static const char *const frames[] = {
		"ff03c227 01300004",	  /* no type */
		"ff03c227 01300005 03",	  /* a Nak as a request */
		"ff03c227 02300006 1a03", /* a response */
		"ff03c227 00300005 01",	  /* no such code */
		"ff03c227 05300005 01",	  /* … */
		"ff03c227 01300005 1a",	  /* no opcode */
		"ff03c227 01300006 1a01", /* no length */
		"ff03c227 0130001d 1a01210019"
		"10"
		"101112131415161718191a1b1c1d1e1f737276", /* MS-Length + 1 */
		"ff03c227 0130001d 1a01210018"
		"11"
		"101112131415161718191a1b1c1d1e1f737276", /* value of 17 */
		"ff03c227 01300019 1a01210014"
		"10"
		"101112131415161718191a1b1c1d1e", /* value cut */
		"ff03c227 01300009 1a07210004",	  /* change of password: not asked for */
		"ff03c227 01300009 1a02210004",	  /* a response in a request */
		"ff03c227 0130000c 1a032100075333",
		"ff03c227 0130000b 1a0321000653", /* success, not challenged */
	};
	struct rig *r = eap_rig(true);

	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		printf("# frame %zu\n", i);
		r->now += 10 * SEC; /* not more often than answers are given */
		if (r->now >= 1050 * SEC) {
			r = eap_rig(true);
		}
		hears(r, frames[i]);
		check_str(says(r), "");
		check_int(r->raised[PPP_EVENT_DOWN], 0);
	}
	hears(r, "ff03c227 0121001d" CHALLENGE);
	check_says(r, method->challenge_response);
}

static void a_flood_gets_few_answers(void)
{
	struct rig *r = eap_rig(true);
	unsigned answers = 0;
	char request[64];

	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(request, sizeof(request), "ff03c227 01%02x0005 01", i);
		hears(r, request);
		while (says(r)[0])
			answers++;
	}
	check(answers > 0 && answers <= 10);
}

/* What a server does with our wish for MS-CHAPv2. */

#define BOTH	    (PPP_AUTH_MSCHAPV2 | PPP_AUTH_EAP)
#define EAP_REQUEST "ff03c021 01010008 0304c227"
#define WISH	    "ff03c021030100090305c22381"

static void eap_is_taken_from_who_insists(void)
{
	struct rig *r = rig_begin(BOTH);

	hears_ack_of(r, r->first_request);
	hears(r, EAP_REQUEST);
	check_str(says(r), WISH);
	hears(r, "ff03c021 01020008 0304c227");
	check_str(says(r), "ff03c021020200080304c227");
	check_int(ppp_params(&r->p)->auth, PPP_AUTH_EAP);
}

/* It crossed our Nak: SoftEther and RRAS repeat after 3 s, and with the same identifier. */
static void a_repeated_request_does_not_insist(void)
{
	struct rig *r = rig_begin(BOTH);

	hears_ack_of(r, r->first_request);
	hears(r, EAP_REQUEST);
	hears(r, EAP_REQUEST);
	check_str(says(r), WISH);
	check_str(says(r), WISH);
	hears(r, "ff03c021 01020009 0305c22381");
	check_str(says(r), "ff03c021020200090305c22381");
	check_int(ppp_params(&r->p)->auth, PPP_AUTH_MSCHAPV2);

	/* Nor does it hang with one that numbers nothing. */
	r = rig_begin(BOTH);
	hears_ack_of(r, r->first_request);
	for (unsigned i = 0; i < 5; i++) {
		hears(r, EAP_REQUEST);
		check_str(says(r), WISH);
	}
	hears(r, EAP_REQUEST);
	check_str(says(r), "ff03c021020100080304c227");
}

static void eap_first_is_taken_at_once(void)
{
	struct rig *r = rig_begin(BOTH | PPP_AUTH_EAP_FIRST);

	hears_ack_of(r, r->first_request);
	hears(r, EAP_REQUEST);
	check_str(says(r), "ff03c021020100080304c227");
	/* But MS-CHAPv2 just as well. */
	r = rig_begin(BOTH | PPP_AUTH_EAP_FIRST);
	hears_ack_of(r, r->first_request);
	hears(r, "ff03c021 01010009 0305c22381");
	check_str(says(r), "ff03c021020100090305c22381");
}

/* The next attempt takes EAP. */
static void who_goes_over_the_wish_is_told_by_a_cause(void)
{
	struct rig *r = rig_begin(BOTH);

	hears_ack_of(r, r->first_request);
	hears(r, EAP_REQUEST);
	check_str(says(r), WISH);
	hears(r, "ff03c021 01020004"); /* pppd: then nothing */
	check_int(r->failure.cause, CAUSE_AUTH_EAP);

	r = rig_begin(BOTH);
	hears(r, EAP_REQUEST);
	hears(r, "ff03c021 05020004");
	check_int(r->failure.cause, CAUSE_AUTH_EAP);
	check_str(r->failure.detail, "it asked for EAP, and not for MS-CHAPv2 instead");

	/* RRAS, whose policy allows EAP alone: E=812 R=0 */
	r = rig_begin(BOTH);
	hears_ack_of(r, r->first_request);
	hears(r, EAP_REQUEST);
	hears(r, "ff03c021 01020009 0305c22381");
	hears(r, "ff03c223 01010015 10 101112131415161718191a1b1c1d1e1f");
	hush(r);
	hears(r, "ff03c223 0401000d 453d383132 20523d30");
	check_int(r->failure.cause, CAUSE_AUTH_EAP);
	check_str(r->failure.detail, "MS-CHAPv2 error 812, the server's policy does not allow this method");

	/* Who never asked for EAP is not tried with it. */
	r = rig_begin(BOTH);
	hears_ack_of(r, r->first_request);
	hears(r, "ff03c021 01020009 0305c22381");
	hears(r, "ff03c223 01010015 10 101112131415161718191a1b1c1d1e1f");
	hush(r);
	hears(r, "ff03c223 0401000d 453d383132 20523d30");
	check_int(r->failure.cause, CAUSE_AUTH_METHOD);
}

int main(void)
{
	return run_tests((struct test[]){ TEST(a_login_is_byte_for_byte),
					  TEST(ipcp_from_a_proven_server_is_success),
					  TEST(what_is_asked_again_is_answered_again),
					  TEST(a_request_waits_for_the_credentials),
					  TEST(a_login_in_a_session_is_answered),
					  TEST(a_challenge_needs_no_identity_before),
					  TEST(success_needs_the_proof),
					  TEST(a_refusal_is_acknowledged_and_final),
					  TEST(another_method_is_answered_by_ours),
					  TEST(a_notification_is_acknowledged_and_told),
					  TEST(what_is_malformed_or_out_of_place_is_dropped),
					  TEST(a_flood_gets_few_answers),
					  TEST(eap_is_taken_from_who_insists),
					  TEST(a_repeated_request_does_not_insist),
					  TEST(eap_first_is_taken_at_once),
					  TEST(who_goes_over_the_wish_is_told_by_a_cause),
					  {} });
}
