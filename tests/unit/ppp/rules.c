/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits, timers and refusals: whatever a server does or does not do ends in time, at a stage, by a cause. */
#include "crypto/hash.h"
#include "rig.h"

/* Lets time pass, and the server be silent, until the link is down. */
static usec_t wait_for_the_end(struct rig *r)
{
	usec_t start = r->now;

	while (!r->raised[PPP_EVENT_DOWN] && rig_wait(r, start + 1000 * SEC))
		hush(r);
	return r->now - start;
}

static void silence_ends_in_each_stage(void)
{
	struct rig *r = rig_begin(PPP_AUTH_MSCHAPV2);

	check_int(ppp_stage(&r->p), STAGE_LCP);
	check_int(wait_for_the_end(r), 25 * SEC);
	check_int(r->failure.cause, CAUSE_LCP_TIMEOUT);
	check_str(r->failure.detail, "nothing was heard");

	r = rig_lcp_opened(PPP_AUTH_MSCHAPV2);
	check_int(ppp_stage(&r->p), STAGE_AUTH);
	check_int(wait_for_the_end(r), 60 * SEC);
	check_int(r->failure.cause, CAUSE_AUTH_TIMEOUT);
	check_str(r->failure.detail, "MS-CHAPv2: no challenge");

	r = rig_lcp_opened(PPP_AUTH_CHAP_MD5);
	hears(r, "ff03c223 012a0018 10 101112131415161718191a1b1c1d1e1f 737276");
	check_int(wait_for_the_end(r), 60 * SEC);
	check_int(r->failure.cause, CAUSE_AUTH_TIMEOUT);
	check_str(r->failure.detail, "CHAP-MD5: no answer to the login");

	r = rig_lcp_opened(PPP_AUTH_PAP);
	check_int(wait_for_the_end(r), 60 * SEC);
	check_int(r->failure.cause, CAUSE_AUTH_TIMEOUT);

	r = rig_network();
	check_int(ppp_stage(&r->p), STAGE_IPCP);
	check_int(wait_for_the_end(r), 25300 * MSEC); /* ten requests */
	check_int(r->failure.cause, CAUSE_IPCP_TIMEOUT);
	check_str(r->failure.detail, "no answer to 10 Configure-Requests");
	check_int(ppp_stage(&r->p), STAGE_IPCP);

	r = rig_up();
	check_int(ppp_stage(&r->p), STAGE_UP);
	check(ppp_deadline(&r->p) == USEC_NEVER);
}

static void configured_times_are_kept(void)
{
	struct rig *r = new_rig();
	struct ppp_config config = rig_config(r, PPP_AUTH_PAP);

	config.lcp_time = 2 * SEC;
	config.auth_time = 3 * SEC;
	config.ipcp_time = 4 * SEC;
	rig_begin_config(r, &config);
	check_int(wait_for_the_end(r), 2 * SEC);
	rig_begin_config(r, &config);
	r->raised[PPP_EVENT_DOWN] = 0;
	hears_ack_of(r, r->first_request);
	hears(r, "ff03c021 01010008 0304c023");
	check_int(wait_for_the_end(r), 3 * SEC);
	check_int(r->failure.cause, CAUSE_AUTH_TIMEOUT);
	rig_begin_config(r, &config);
	r->raised[PPP_EVENT_DOWN] = 0;
	hears_ack_of(r, r->first_request);
	hears(r, "ff03c021 01010008 0304c023");
	hears(r, "ff03c023 02010005 00");
	check_int(wait_for_the_end(r), 4 * SEC);
	check_int(r->failure.cause, CAUSE_IPCP_TIMEOUT);
}

/* A call that is never confirmed must not hang either. */
static void an_unconfirmed_call_ends(void)
{
	struct rig *r = rig_lcp_opened(PPP_AUTH_PAP);
	const uint8_t ack[] = { 0xff, 0x03, 0xc0, 0x23, 2, 1, 0, 5, 0 };

	(void)input(&r->p, ack, sizeof(ack), r->now);
	while (ppp_event(&r->p).type != PPP_EVENT_NONE) /* the session does not allow the network */
		;
	hush(r);
	hears(r, "ff038021 0101000a 0306c0000201");
	check_str(says(r), ""); /* not before it is allowed */
	check_int(wait_for_the_end(r), 30 * SEC);
	check_int(r->failure.cause, CAUSE_IPCP_TIMEOUT);
	check_str(r->failure.detail, "the call was not confirmed");
}

static void a_login_is_resent_every_three_seconds(void)
{
	struct rig *r = rig_lcp_opened(PPP_AUTH_PAP);
	usec_t start = r->now;
	char request[4096];

	(void)snprintf(request, sizeof(request), "%s", says(r));
	for (usec_t i = 1; i < 10; i++) {
		check(rig_wait(r, start + 60 * SEC));
		check_int(r->now - start, i * 3 * SEC);
		check_str(says(r), request);
		check_str(says(r), "");
	}
}

static void a_repeated_challenge_gets_the_same_response_and_a_new_one_another(void)
{
	struct rig *r = rig_lcp_opened(PPP_AUTH_MSCHAPV2);
	char first[4096];

	hears(r, "ff03c223 01000018 10 000102030405060708090a0b0c0d0e0f 737276");
	(void)snprintf(first, sizeof(first), "%s", says(r));
	check(strncmp(first, "ff03c2230200003b31", 18) == 0); /* identifier 0 */
	hears(r, "ff03c223 01000018 10 000102030405060708090a0b0c0d0e0f 737276");
	check_str(says(r), first);
	hears(r, "ff03c223 01010018 10 000102030405060708090a0b0c0d0e0f 737276");
	check(strncmp(says(r), "ff03c2230201003b31", 18) == 0);
	check(strcmp(r->hex + 18, first + 18) != 0); /* a fresh peer challenge */
	hears(r, "ff03c223 04000004");		     /* a Failure for the old one */
	check_int(r->raised[PPP_EVENT_DOWN], 0);
}

/* The server may ask again at any time; a wrong proof then ends the session, as at the first time. */
static void a_later_challenge_is_answered_and_judged(void)
{
	struct rig *r = rig_lcp_opened(PPP_AUTH_CHAP_MD5);
	uint8_t hlak[32] = { 0 };

	hears(r, "ff03c223 012a0018 10 101112131415161718191a1b1c1d1e1f 737276");
	hears(r, "ff03c223 032a0004");
	check_int(r->raised[PPP_EVENT_AUTHENTICATED], 1);
	hush(r);
	hears(r, "ff03c223 012b0018 10 101112131415161718191a1b1c1d1e1f 737276");
	check(strncmp(says(r), "ff03c223022b001a10", 18) == 0);
	hears(r, "ff03c223 032b0004");
	check_int(r->raised[PPP_EVENT_AUTHENTICATED], 1);
	check_mem(ppp_params(&r->p)->hlak, 32, hlak, 32);
	hears(r, "ff03c223 012c0018 10 101112131415161718191a1b1c1d1e1f 737276");
	hears(r, "ff03c223 042c0004");
	check_int(r->failure.cause, CAUSE_AUTH_FAILED);
}

/* U6: MS-CHAPv2 was agreed on; nothing else is listened to. */
static void a_change_of_the_method_is_ignored(void)
{
	struct rig *r = rig_lcp_opened(PPP_AUTH_MSCHAPV2);

	hears(r, "ff03c023 02010005 00");	   /* PAP: welcome */
	hears(r, "ff03c227 03010004");		   /* EAP: success */
	hears(r, "ff03c227 01010005 01");	   /* EAP: who are you? */
	hears(r, "ff03c223 03010004");		   /* CHAP: success, unasked */
	hears(r, "ff03c223 02010007 01 aa 62 63"); /* CHAP: a response, as if we were the server */
	check_str(says(r), "");
	check_int(r->raised[PPP_EVENT_AUTHENTICATED] + r->raised[PPP_EVENT_DOWN], 0);
	r = rig_lcp_opened(PPP_AUTH_PAP);
	hush(r);
	hears(r, "ff03c223 01010018 10 000102030405060708090a0b0c0d0e0f 737276");
	check_str(says(r), "");
}

static void names_of_any_length_in_a_challenge_do_no_harm(void)
{
	static uint8_t frame[4091];
	struct rig *r = rig_lcp_opened(PPP_AUTH_MSCHAPV2);

	(void)unhex("ff03c223 01010ff7 10 000102030405060708090a0b0c0d0e0f", frame, sizeof(frame));
	hears_bytes(r, frame, sizeof(frame));
	check(strncmp(says(r), "ff03c2230201003b31", 18) == 0);
}

static void a_password_that_is_not_utf8_says_so(void)
{
	struct rig *r = rig_lcp_opened(PPP_AUTH_MSCHAPV2);
	struct secret secret = secret_of("p\xe4ss");

	check_int(ppp_set_credentials(&r->p, "alice", &secret), 0);
	hears(r, "ff03c223 01010018 10 000102030405060708090a0b0c0d0e0f 737276");
	check_int(r->failure.cause, CAUSE_AUTH_FAILED);
	check_str(r->failure.detail, "the password is not valid UTF-8");
}

static void our_own_magic_number_is_a_loop_only_when_it_keeps_coming(void)
{
	struct rig *r = rig_begin(PPP_AUTH_MSCHAPV2);
	char request[4096];
	unsigned naks = 0;

	(void)snprintf(request, sizeof(request), "%s", r->first_request);

	for (int i = 0; i < 10 && !r->raised[PPP_EVENT_DOWN]; i++) {
		/* what we sent comes back, and so does our answer to it */
		hears(r, request);
		for (const char *said = says(r); said[0]; said = says(r)) {
			if (strncmp(said, "ff03c02103", 10) == 0) {
				char nak[4096];
				naks++;
				(void)snprintf(nak, sizeof(nak), "%s", said);
				hears(r, nak);
			} else if (strncmp(said, "ff03c02101", 10) == 0) {
				(void)snprintf(request, sizeof(request), "%s", said);
			}
		}
	}
	check_int(r->failure.cause, CAUSE_LCP_LOOPBACK);
	check_int(naks, 2);

	r = rig_begin(PPP_AUTH_MSCHAPV2); /* once is an accident */
	hears(r, r->first_request);
	(void)says(r);
	check(strncmp(says(r), "ff03c0210301000a0506", 20) == 0);
	check(strcmp(r->hex + 20, r->first_request + 20) != 0);
	check_int(r->raised[PPP_EVENT_DOWN], 0);
	hears(r, "ff03c021 0102000a 050600000000"); /* and 0 is none */
	check(strncmp(says(r), "ff03c0210302000a0506", 20) == 0);
	check(strcmp(r->hex + 20, "00000000") != 0);
}

static void an_echoed_magic_number_is_no_loop(void)
{
	struct rig *r = rig_up();
	char echo[4096];

	(void)snprintf(echo, sizeof(echo), "ff03c02109070008%s", r->first_request + 20); /* ours */
	hears(r, echo);
	check(strncmp(says(r), "ff03c0210a", 10) == 0);
	memcpy(echo + 8, "0a", 2);
	hears(r, echo);
	check_int(r->raised[PPP_EVENT_DOWN], 0);
}

static void mrus_are_clamped(void)
{
	static const struct {
		const char *mru;
		unsigned result; /* 0: a Nak */
	} rows[] = { { "0000", 0 },    { "0001", 0 },	 { "007f", 0 },	   { "0080", 128 }, { "0500", 1280 },
		     { "05dc", 1500 }, { "0ff7", 4087 }, { "0ff8", 4087 }, { "ffff", 4087 } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rig *r = rig_begin(PPP_AUTH_MSCHAPV2);
		char request[64];

		hears_ack_of(r, r->first_request);
		(void)snprintf(request, sizeof(request), "ff03c021 0101000d 0104%s 0305c22381", rows[i].mru);
		hears(r, request);
		check(strncmp(says(r), rows[i].result ? "ff03c02102" : "ff03c02103", 10) == 0);
		check_int(r->raised[PPP_EVENT_LCP_UP], rows[i].result != 0);
		if (rows[i].result)
			check_int(ppp_params(&r->p)->peer_mru, rows[i].result);
	}
}

static void absurd_wishes_for_our_mru_are_not_taken(void)
{
	static const char *const wishes[] = { "0000", "0100", "023f", "0ff8", "ffff" };
	struct rig *r = rig_begin(PPP_AUTH_MSCHAPV2);

	for (size_t i = 0; i < ARRAY_SIZE(wishes); i++) {
		char nak[64];

		(void)snprintf(nak, sizeof(nak), "ff03c021 03%02zx0008 0104%s", i + 1, wishes[i]);
		hears(r, nak);
		check(strncmp(says(r) + 8, "01", 2) == 0);
		check(strncmp(r->hex + 16, "0506", 4) == 0); /* still no MRU in it */
	}
}

/* What a new request means depends on whether the crypto binding can still be made. */
static void renegotiation_before_the_login_starts_again_and_after_it_ends(void)
{
	struct rig *r = rig_lcp_opened(PPP_AUTH_MSCHAPV2);

	hears(r, "ff03c223 01010018 10 000102030405060708090a0b0c0d0e0f 737276");
	(void)says(r);
	hears(r, "ff03c021 0107000f 0305c22381 050611223344");
	check_int(ppp_stage(&r->p), STAGE_LCP);
	check(strncmp(says(r), "ff03c02101", 10) == 0);
	char request[4096];
	(void)snprintf(request, sizeof(request), "%s", r->hex);
	check_str(says(r), "ff03c0210207000f0305c22381050611223344");
	hears(r, "ff03c223 03010004"); /* of the login that is no more */
	check_int(r->raised[PPP_EVENT_DOWN], 0);
	hears_ack_of(r, request);
	check_int(r->raised[PPP_EVENT_LCP_UP], 2);
	check_int(ppp_stage(&r->p), STAGE_AUTH);

	r = rig_up();
	hears(r, "ff03c021 01090008 0304c023"); /* the same as at first: acknowledged */
	check_str(says(r), "ff03c021020900080304c023");
	check_int(r->raised[PPP_EVENT_DOWN], 0);
	check(ppp_params(&r->p)->ipv4_up);
	hears(r, "ff03c021 010a000e 0304c023 050611223344");
	check_int(r->failure.cause, CAUSE_LCP_TERMINATED);
	check_str(r->failure.detail, "the server renegotiates LCP after the login");
	check(strncmp(says(r), "ff03c02105", 10) == 0);
	check(!ppp_params(&r->p)->ipv4_up);
}

/* However often it is renegotiated, the time for the login is one. */
static void endless_renegotiation_ends(void)
{
	struct rig *r = rig_lcp_opened(PPP_AUTH_MSCHAPV2);
	usec_t start = r->now;
	char request[64], ack[4096];

	for (unsigned i = 0; !r->raised[PPP_EVENT_DOWN] && r->now < start + 100 * SEC; i++) {
		(void)snprintf(request, sizeof(request), "ff03c021 0101000f 0305c22381 0506%08x", i + 1);
		hears(r, request);
		(void)snprintf(ack, sizeof(ack), "%s", says(r));
		hush(r);
		hears_ack_of(r, ack);
		r->now += 4 * SEC;
		ppp_timeout(&r->p, r->now);
		rig_events(r);
	}
	check_int(r->failure.cause, CAUSE_AUTH_TIMEOUT);
	check_int(r->now - start, 60 * SEC);
}

static void ipcp_may_be_renegotiated(void)
{
	struct rig *r = rig_up();

	hears(r, "ff038021 0108000a 0306c0000202");
	check_int(r->raised[PPP_EVENT_IPCP_DOWN], 1);
	check(!ppp_params(&r->p)->ipv4_up && ppp_params(&r->p)->ipv6_up);
	check_str(says(r), "ff0380210103001603060a08000781060a080001830609090909");
	check_str(says(r), "ff0380210208000a0306c0000202");
	check(ppp_deadline(&r->p) != USEC_NEVER);
	hears(r, "ff038021 02030016 03060a080007 81060a080001 830609090909");
	check_int(r->raised[PPP_EVENT_IPCP_UP], 2);
	check_int(ppp_params(&r->p)->peer.s_addr, ipv4("192.0.2.2").s_addr);
	check(ppp_params(&r->p)->ipv4_up);
	check(ppp_deadline(&r->p) == USEC_NEVER);
	hears(r, "ff038021 0109000a 0306c0000203");
	check_int(wait_for_the_end(r), 30 * SEC);
	check_int(r->failure.cause, CAUSE_IPCP_TIMEOUT);
}

static void the_end_of_ipcp_is_the_end_of_the_session(void)
{
	struct rig *r = rig_up();

	hears(r, "ff038021 05090004");
	check_int(r->failure.cause, CAUSE_IPCP_REJECTED);
	check_str(r->failure.detail, "the server ended IPCP");
	r = rig_network();
	hears(r, "ff038021 05090004");
	check_int(r->failure.cause, CAUSE_IPCP_REJECTED);
	r = rig_network();
	hears(r, "ff03c021 08060006 8021");
	check_int(r->failure.cause, CAUSE_IPCP_REJECTED);
	check_str(r->failure.detail, "the server does not know IPCP");
	r = rig_lcp_opened(PPP_AUTH_MSCHAPV2); /* nothing of IPCP was sent yet */
	hears(r, "ff03c021 08060006 8021");
	check_int(r->raised[PPP_EVENT_DOWN], 0);
}

static void the_end_of_ipv6cp_is_not(void)
{
	static const char *const ends[] = { "ff038057 05090004", "ff03c021 08060006 8057",
					    "ff038057 07090008 01010004" };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct rig *r = rig_up();

		check(ppp_params(&r->p)->ipv6_up);
		hears(r, ends[i]);
		check_int(r->raised[PPP_EVENT_IPV6CP_DOWN], 1);
		check(!ppp_params(&r->p)->ipv6_up && ppp_params(&r->p)->ipv4_up);
		while (rig_wait(r, r->now + 100 * SEC))
			hush(r);
		check_int(r->raised[PPP_EVENT_IPV6CP_DOWN], 1);
		check_int(r->raised[PPP_EVENT_DOWN], 0);
	}
	struct rig *r = rig_network(); /* a server that knows nothing of it, and does not say so */
	hears(r, "ff038021 0101000a 0306c0000201");
	hears(r, "ff038021 02010016 030600000000 810600000000 830600000000");
	check_int(r->failure.cause, CAUSE_IPCP_NO_ADDRESS);
	check_str(r->failure.detail, "the server acknowledged 0.0.0.0");
}

static void unanswered_ipv6cp_gives_up_and_may_come_later(void)
{
	struct rig *r = rig_network();

	hears(r, "ff038021 0101000a 0306c0000201");
	hears(r, "ff038021 03010016 03060a080007 81060a080001 830609090909");
	hears(r, "ff038021 02020016 03060a080007 81060a080001 830609090909");
	while (rig_wait(r, r->now + 100 * SEC))
		hush(r);
	check_int(r->raised[PPP_EVENT_IPV6CP_DOWN], 1);
	check(ppp_params(&r->p)->ipv4_up);
	hears(r, "ff038057 0101000e 010a021122fffe334455");
	hears_ack_of(r, says(r));
	check_int(r->raised[PPP_EVENT_IPV6CP_UP], 1);
}

static void equal_interface_identifiers_are_told_apart(void)
{
	struct rig *r = new_rig();
	struct ppp_config config = rig_config(r, PPP_AUTH_PAP);

	memcpy(config.interface_id, "\x02\x11\x22\xff\xfe\x33\x44\x55", 8);
	rig_begin_config(r, &config);
	hears_ack_of(r, r->first_request);
	hears(r, "ff03c021 01010008 0304c023");
	hears(r, "ff03c023 02010005 00");
	hush(r);
	hears(r, "ff038057 0101000e 010a021122fffe334455");
	check_str(says(r), "ff0380570101000e010a021122fffe334455"); /* ours, as configured */
	check(strncmp(says(r), "ff0380570301000e010a", 20) == 0);
	check(strcmp(r->hex + 20, "021122fffe334455") != 0);
	hears(r, "ff038057 04010004"); /* an empty Reject: nothing was rejected, ask again */
	check_str(says(r), "ff0380570102000e010a021122fffe334455");
	hears(r, "ff038057 0402000e 010a021122fffe334455");
	check_str(says(r), "ff03805701030004"); /* rejected: go without the option */
	hears(r, "ff038057 02030004");
	hears(r, "ff038057 01020004");
	check_int(r->raised[PPP_EVENT_IPV6CP_UP], 1);
	check_mem(ppp_params(&r->p)->local_id, 8, config.interface_id, 8);
}

static void a_server_cannot_give_us_its_own_interface_identifier(void)
{
	struct rig *r = rig_network();

	hears(r, "ff038057 0101000e 010a021122fffe334455");
	check(strncmp(says(r), "ff0380570101000e010a", 20) == 0);
	check_str(says(r), "ff0380570201000e010a021122fffe334455");
	hears(r, "ff038057 0301000e 010a021122fffe334455");
	const char *request = says(r);
	check(strncmp(request, "ff0380570102000e010a", 20) == 0);
	check(strcmp(request + 20, "021122fffe334455") != 0);
	check(strcmp(request + 20, "0000000000000000") != 0);
}

static void addresses_that_no_host_can_have_are_refused(void)
{
	static const char *const bad[] = { "00000001", "7f000001", "e0000001", "f0000001", "ffffffff" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct rig *r = rig_network();
		char nak[64];

		(void)snprintf(nak, sizeof(nak), "ff038021 0301000a 0306%s", bad[i]);
		hears(r, nak);
		check_int(r->failure.cause, CAUSE_IPCP_NO_ADDRESS);
		if (i == 1)
			check_str(r->failure.detail, "the server assigned 127.0.0.1");
		/* as a name server: that one is done without */
		r = rig_network();
		(void)snprintf(nak, sizeof(nak), "ff038021 03010010 03060a080007 8106%s", bad[i]);
		hears(r, nak);
		check_str(says(r), "ff0380210102001003060a080007830600000000");
		/* as the peer's: acknowledged, and not used */
		(void)snprintf(nak, sizeof(nak), "ff038021 0101000a 0306%s", bad[i]);
		hears(r, nak);
		hush(r);
		hears(r, "ff038021 02020010 03060a080007 830600000000");
		check_int(r->raised[PPP_EVENT_IPCP_UP], 1);
		check_int(ppp_params(&r->p)->peer.s_addr, 0);
	}
}

static void endless_naks_of_an_address_end(void)
{
	struct rig *r = rig_network();

	for (unsigned i = 1; i < 100 && !r->raised[PPP_EVENT_DOWN]; i++) {
		char nak[64];

		(void)snprintf(nak, sizeof(nak), "ff038021 03%02x000a 0306000000%02x", i, 0);
		hears(r, nak);
		hush(r);
		check(i <= FSM_MAX_ROUNDS);
	}
	check_int(r->failure.cause, CAUSE_IPCP_NO_ADDRESS);
	check_str(r->failure.detail, "no agreement after 10 rounds");
}

static void unknown_protocols_are_rejected_when_lcp_is_open_and_not_too_often(void)
{
	struct rig *r = rig_begin(PPP_AUTH_MSCHAPV2);
	unsigned rejects = 0;

	hears(r, "ff0380fd 0101000a 120601000001");
	check_str(says(r), "");
	r = rig_lcp_opened(PPP_AUTH_MSCHAPV2);
	hears(r, "ff0380fd 0101000a 120601000001");
	check_str(says(r), "ff03c0210802001080fd0101000a120601000001");
	hears(r, "ff03002d 4500"); /* VJ-compressed data */
	check_str(says(r), "ff03c02108030008002d4500");
	for (int i = 0; i < 100; i++) {
		hears(r, "ff0380fd 0101000a 120601000001");
		rejects += strncmp(says(r), "ff03c02108", 10) == 0;
	}
	check_int(rejects, 8);
	r->now += 11 * SEC;
	hears(r, "ff0380fd 0101000a 120601000001");
	check(strncmp(says(r), "ff03c02108", 10) == 0);
}

static void a_protocol_reject_fits_the_peers_mru(void)
{
	static uint8_t frame[4091] = { 0xff, 0x03, 0x80, 0xfd };
	struct rig *r = rig_begin(PPP_AUTH_MSCHAPV2);

	hears_ack_of(r, r->first_request);
	hears(r, "ff03c021 0101000d 01040080 0305c22381");
	(void)says(r);
	hears_bytes(r, frame, sizeof(frame));
	check_int(strlen(says(r)) / 2, 4 + 128);
	check(strncmp(r->hex, "ff03c0210802008080fd", 20) == 0);
}

/* P5: nobody answers a reject with a reject. */
static void rejects_are_never_answered(void)
{
	static const char *const rejects[] = {
		"ff03c021 0801000a 80fd0101 0004",
		"ff03c021 08010006 1234",
		"ff03c021 07010008 63010004",
		"ff03c021 07010005 00",
		"ff03c021 08010004",
		"ff038021 07010008 63010004",
	};
	struct rig *r = rig_up();

	for (size_t i = 0; i < ARRAY_SIZE(rejects); i++) {
		hears(r, rejects[i]);
		check_str(says(r), "");
	}
	check_int(r->raised[PPP_EVENT_DOWN], 0);
}

static void terminate_requests_are_acknowledged_in_every_phase(void)
{
	struct rig *(*const phases[])(void) = { rig_network, rig_up };
	struct rig *r = rig_begin(PPP_AUTH_MSCHAPV2);

	hears(r, "ff03c021 05550008 62796500");
	check_str(says(r), "ff03c02106550004");
	check_str(says(r), "");
	check_int(r->failure.cause, CAUSE_LCP_TERMINATED);
	check_str(r->failure.detail, "during the negotiation: bye.");
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
		r = phases[i]();
		hears(r, "ff03c021 05560004");
		check_str(says(r), "ff03c02106560004");
		check_int(r->failure.cause, i ? CAUSE_PEER_DISCONNECT : CAUSE_LCP_TERMINATED);
	}
}

static void a_flood_of_anything_is_bounded(void)
{
	static const char *const packets[] = {
		"ff03c021 09010008 00000000", "ff03c021 05010004",	    "ff03c021 63010004",
		"ff0380fd 01010004",	      "ff03c021 01010008 0304c023", "ff038021 0101000a 0306c0000201",
		"ff03c029 01010006 0102",     "ff038057 01010004",	    "ff03c023 01010004",
	};

	for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
		struct rig *r = rig_up();

		for (int k = 0; k < 5000; k++) {
			(void)input_hex(&r->p, packets[i], r->now);
			check(r->p.queue.len <= FRAME_QUEUE_SIZE);
		}
		rig_events(r);
		hush(r);
	}
}

static void nothing_is_heard_or_said_after_the_end(void)
{
	struct rig *r = rig_up();

	hears(r, "ff03c021 05560004");
	hush(r);
	hears(r, "ff03c021 0101000a 0506c0ffee42");
	hears(r, "ff03c021 05560004");
	check_int(input_hex(&r->p, "21 4500001c00004000400126ca0a0800070a0800010800f7fd00010001", r->now), 0);
	check_str(says(r), "");
	check(ppp_deadline(&r->p) == USEC_NEVER);
	ppp_terminate(&r->p, r->now);
	ppp_timeout(&r->p, r->now + 100 * SEC);
	ppp_network_allowed(&r->p, r->now);
	check_str(says(r), "");
	check_int(r->raised[PPP_EVENT_DOWN], 1);
}

static void what_was_not_taken_before_the_carrier_went_is_gone(void)
{
	struct rig *r = rig_lcp_opened(PPP_AUTH_PAP);
	const uint8_t ack[] = { 0xff, 0x03, 0xc0, 0x23, 2, 1, 0, 5, 0 };

	(void)input(&r->p, ack, sizeof(ack), r->now);
	ppp_lower_down(&r->p);
	ppp_lower_up(&r->p, r->now);
	check_int(ppp_event(&r->p).type, PPP_EVENT_NONE);
	check_int(ppp_stage(&r->p), STAGE_LCP);
}

static void secrets_are_wiped(void)
{
	struct rig *r = rig_lcp_opened(PPP_AUTH_MSCHAPV2);
	const uint8_t *bytes = (const uint8_t *)&r->p;

	hears(r, "ff03c223 01010018 10 000102030405060708090a0b0c0d0e0f 737276");
	ppp_done(&r->p);
	for (size_t i = 0; i < sizeof(r->p); i++)
		check_int(bytes[i], 0);
}

/* Of a login that was sent nothing stays in the queue. */
static void a_frame_that_was_sent_is_wiped(void)
{
	struct rig *r = rig_lcp_opened(PPP_AUTH_PAP);

	check(strstr(says(r), "73336372" /* s3cr */) != NULL);
	hush(r);
	for (size_t i = 0; i < sizeof(r->p.queue.data); i++)
		check_int(r->p.queue.data[i], 0);
}

static void ip_packets_are_checked_at_the_door(void)
{
	static const struct {
		int protocol;
		size_t len;
		uint8_t first;
		bool passes;
	} rows[] = {
		{ PPP_PROTO_IPV4, 20, 0x45, true },   { PPP_PROTO_IPV4, 19, 0x45, false },
		{ PPP_PROTO_IPV4, 20, 0x65, false },  { PPP_PROTO_IPV4, 4087, 0x4f, true },
		{ PPP_PROTO_IPV4, 0, 0x45, false },   { PPP_PROTO_IPV6, 40, 0x60, true },
		{ PPP_PROTO_IPV6, 39, 0x60, false },  { PPP_PROTO_IPV6, 40, 0x45, false },
		{ PPP_PROTO_IPV6, 4087, 0x6f, true }, { PPP_PROTO_IPV6, 40, 0x06, false },
		{ PPP_PROTO_IPV4, 40, 0x04, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t frame[4091] = { 0xff, 0x03, 0, (uint8_t)rows[i].protocol, rows[i].first };
		struct rig *r = rig_up();

		check_int(input(&r->p, frame, 4 + rows[i].len, r->now),
			  rows[i].passes ? rows[i].protocol : 0);
		r = rig_network(); /* and not before the protocol is open */
		check_int(input(&r->p, frame, 4 + rows[i].len, r->now), 0);
		check_str(says(r), "");
	}
}

/* L13: what belongs to an open link is dropped before. */
static void a_protocol_reject_before_the_link_is_open_is_dropped(void)
{
	struct rig *r = rig_begin(PPP_AUTH_MSCHAPV2);

	hears(r, "ff03c021 08010006 c021");
	check_int(r->raised[PPP_EVENT_DOWN], 0);
	check_str(says(r), "");
	r = rig_lcp_opened(PPP_AUTH_MSCHAPV2);
	hears(r, "ff03c021 08010006 c223");
	check_int(r->failure.cause, CAUSE_AUTH_METHOD);
	check_str(r->failure.detail, "the server agreed on MS-CHAPv2 and then rejected it");
}

/* What was never sent cannot be rejected: the stray answer must not end IPCP once that begins. */
static void a_protocol_reject_of_ipcp_before_it_begins_is_ignored(void)
{
	struct rig *r = rig_lcp_opened(PPP_AUTH_PAP);

	hears(r, "ff03c021 08010006 8021");
	hears(r, "ff03c023 02010005 00");
	hears(r, "ff038021 01010004");
	check_int(r->raised[PPP_EVENT_AUTHENTICATED], 1);
	check_int(r->raised[PPP_EVENT_DOWN], 0);
	check_int(r->failure.cause, CAUSE_NONE);
}

static void a_failure_behind_the_success_is_ignored(void)
{
	struct rig *r = rig_lcp_opened(PPP_AUTH_CHAP_MD5);

	hears(r, "ff03c223 012a0018 10 101112131415161718191a1b1c1d1e1f 737276");
	hears(r, "ff03c223 032a0004");
	hears(r, "ff03c223 042a0004");
	check_int(r->raised[PPP_EVENT_DOWN], 0);
	r = rig_lcp_opened(PPP_AUTH_CHAP_MD5);
	hears(r, "ff03c223 012a0018 ff 101112131415161718191a1b1c1d1e1f 737276"); /* longer than the packet */
	check_str(says(r), "");
	r = rig_lcp_opened(PPP_AUTH_PAP);
	hush(r);
	hears(r, "ff03c023 02010005 00");
	hears(r, "ff03c023 03010005 00");
	check_int(r->raised[PPP_EVENT_DOWN], 0);
}

static void an_offer_with_a_stray_byte_is_not_that_method(void)
{
	static const char *const offers[] = { "0305c02300", "0306c2238100", "0305c02381", "0305c22380" };

	for (size_t i = 0; i < ARRAY_SIZE(offers); i++) {
		struct rig *r = rig_begin(PPP_AUTH_MSCHAPV2 | PPP_AUTH_PAP);
		char request[64];

		(void)snprintf(request, sizeof(request), "ff03c021 0101%04zx %s", 4 + strlen(offers[i]) / 2,
			       offers[i]);
		hears(r, request);
		(void)says(r);
		check_str(says(r), "ff03c021030100090305c22381");
	}
}

static void a_rejected_mru_is_not_asked_for_again(void)
{
	struct rig *r = new_rig();
	struct ppp_config config = rig_config(r, PPP_AUTH_PAP);

	config.mru = 4000;
	rig_begin_config(r, &config);
	hears(r, "ff03c021 04010008 01040fa0");
	check(strncmp(says(r), "ff03c0210102000a0506", 20) == 0);
	hears_ack_of(r, r->hex);
	hears(r, "ff03c021 01010008 0304c023");
	check_int(r->raised[PPP_EVENT_LCP_UP], 1);
	check_int(ppp_params(&r->p)->mru, 1500);
}

static void a_password_too_long_for_pap_says_so(void)
{
	struct rig *r = rig_begin(PPP_AUTH_PAP);
	struct secret secret = { .len = SECRET_MAX };

	check_int(ppp_set_credentials(&r->p, "alice", &secret), 0);
	hears_ack_of(r, r->first_request);
	hears(r, "ff03c021 01010008 0304c023");
	check_int(r->failure.cause, CAUSE_AUTH_FAILED);
	check_str(r->failure.detail, "the password is too long for PAP");
}

/* The server's side */

static int password(void *ctx, const char *user, struct secret *ret)
{
	(void)ctx;
	*ret = secret_of("s3cret");
	return strcmp(user, "alice") == 0 ? 0 : -ENOENT;
}

static struct rig *server_begin(unsigned auth)
{
	struct rig *r = new_rig();
	struct ppp_config config = rig_config(r, auth);

	config.role = PPP_SERVER;
	config.server = (struct ppp_server_config){ .address = ipv4("10.0.0.1"),
						    .peer_address = ipv4("10.0.0.7"),
						    .dns = { ipv4("9.9.9.9") },
						    .name = "srv",
						    .password = password };
	rig_begin_config(r, &config);
	hears_ack_of(r, r->first_request);
	hears(r, "ff03c021 01010004");
	(void)says(r);
	return r;
}

static void a_server_repeats_its_challenge_and_its_verdict(void)
{
	struct rig *r = server_begin(PPP_AUTH_CHAP_MD5);
	char challenge[4096], response[128] = "ff03c223 02";
	uint8_t bytes[64], digest[16];
	usec_t start = r->now;

	(void)snprintf(challenge, sizeof(challenge), "%s", says(r));
	check(strncmp(challenge, "ff03c22301", 10) == 0);
	check_str(challenge + 12 + 4 + 2 + 32, "737276");
	check(rig_wait(r, start + 10 * SEC));
	check_int(r->now - start, 3 * SEC);
	check_str(says(r), challenge);
	(void)unhex(challenge, bytes, sizeof(bytes));
	hash(HASH_MD5, digest, CHUNK(bytes + 5, 1), CHUNK("s3cret", 6), CHUNK(bytes + 9, 16));
	(void)snprintf(response + strlen(response), 16, "%02x001a10", bytes[5]);
	for (size_t i = 0; i < 16; i++)
		(void)snprintf(response + strlen(response), 3, "%02x", digest[i]);
	(void)snprintf(response + strlen(response), 16, "616c696365");
	hears(r, response);
	check_int(r->raised[PPP_EVENT_AUTHENTICATED], 1);
	check(strncmp(says(r), "ff03c22303", 10) == 0);
	hush(r);
	hears(r, response); /* the Success was lost */
	check(strncmp(says(r), "ff03c22303", 10) == 0);
	check_int(r->raised[PPP_EVENT_AUTHENTICATED], 1);
	check_str(ppp_params(&r->p)->user, "alice");
}

static void a_server_drops_broken_responses(void)
{
	static const char *const broken[] = { "0004", "0005 10", "0005 00", "0009 05 61 62 63 64" };

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		struct rig *r = server_begin(PPP_AUTH_CHAP_MD5);
		char challenge[4096], response[64];
		bool whole = i == 2;

		(void)snprintf(challenge, sizeof(challenge), "%s", says(r));
		(void)snprintf(response, sizeof(response), "ff03c223 02%.2s%s", challenge + 10, broken[i]);
		hears(r, response);
		check_int(r->raised[PPP_EVENT_AUTHENTICATED], 0);
		check_int(r->failure.cause,
			  whole ? CAUSE_AUTH_FAILED : CAUSE_NONE); /* an empty value is an answer */
	}
}

static void a_server_assigns_what_it_has(void)
{
	struct rig *r = server_begin(PPP_AUTH_PAP);

	hears(r, "ff03c023 01010011 05616c696365 06733363726574");
	check_str(says(r), "ff03c0230201000d084c6f67696e206f6b");
	check_int(r->raised[PPP_EVENT_AUTHENTICATED], 1);
	check_str(says(r), "ff0380210101000a03060a000001");
	hush(r);
	hears(r, "ff038021 0101001c 030600000000 810600000000 830600000000 820600000000");
	check_str(says(r), "ff03802104010010830600000000820600000000");
	hears(r, "ff038021 0102000a 810600000000"); /* no address asked for: it is told one */
	check_str(says(r), "ff038021030200108106"
			   "09090909"
			   "03060a000007");
	hears(r, "ff038021 01030010 03060a000007 810609090909");
	check_str(says(r), "ff0380210203001003060a000007810609090909");
	hears(r, "ff038021 0301000a 03060a0000fe"); /* our own address is not negotiable */
	check_str(says(r), "ff0380210102000a03060a000001");
	hears(r, "ff038021 0202000a 03060a000001");
	check_int(r->raised[PPP_EVENT_IPCP_UP], 1);
	check_int(ppp_params(&r->p)->local.s_addr, ipv4("10.0.0.1").s_addr);
	check_int(ppp_params(&r->p)->peer.s_addr, ipv4("10.0.0.7").s_addr);
}

static void a_server_tells_a_wrong_login_and_ends(void)
{
	struct rig *r = server_begin(PPP_AUTH_PAP);

	hears(r, "ff03c023 01010012 05616c696365 0773336372657474");
	check_str(says(r), "ff03c0230301001a1541757468656e7469636174696f6e206661696c6564");
	check(strncmp(says(r), "ff03c02105", 10) == 0);
	check_int(r->failure.cause, CAUSE_AUTH_FAILED);
	check_str(r->failure.detail, "PAP, user alice");

	r = server_begin(PPP_AUTH_MSCHAPV2);
	char challenge[4096], response[256];
	(void)snprintf(challenge, sizeof(challenge), "%s", says(r));
	(void)snprintf(response, sizeof(response), "ff03c22302%.2s003b31%098d616c696365", challenge + 10, 0);
	hears(r, response);
	const char *failure = says(r);
	check(strncmp(failure, "ff03c22304", 10) == 0);
	check(strstr(failure, "453d36393120523d3020433d") != NULL); /* E=691 R=0 C= */
	check(strstr(failure, "20563d33204d3d") != NULL);	    /*  V=3 M= */
	check_int(strlen(failure) / 2, 8 + strlen("E=691 R=0 C= V=3 M=Authentication failed") + 32);
}

static void a_server_takes_only_whole_answers_to_its_own_challenge(void)
{
	struct rig *r = server_begin(PPP_AUTH_CHAP_MD5);
	char challenge[4096], response[128];
	uint8_t bytes[64], digest[16];

	(void)snprintf(challenge, sizeof(challenge), "%s", says(r));
	(void)unhex(challenge, bytes, sizeof(bytes));
	hash(HASH_MD5, digest, CHUNK(bytes + 5, 1), CHUNK("s3cret", 6), CHUNK(bytes + 9, 16));
	(void)snprintf(response, sizeof(response), "ff03c22302%02x001b11", bytes[5]);
	for (size_t i = 0; i < 16; i++)
		(void)snprintf(response + strlen(response), 3, "%02x", digest[i]);
	(void)snprintf(response + strlen(response), 16, "00616c696365");
	memcpy(response + 10, bytes[5] == 1 ? "02" : "01", 2); /* another identifier: not for us */
	hears(r, response);
	check_int(r->raised[PPP_EVENT_AUTHENTICATED] + r->raised[PPP_EVENT_DOWN], 0);
	(void)snprintf(challenge, sizeof(challenge), "%02x", bytes[5]);
	memcpy(response + 10, challenge, 2); /* 17 bytes that begin well */
	hears(r, response);
	check_int(r->failure.cause, CAUSE_AUTH_FAILED);

	r = server_begin(PPP_AUTH_PAP);
	hears(r, "ff03c023 01010011 05616c696365 07733363726574"); /* the password runs over the end */
	hears(r, "ff03c023 02010011 05616c696365 06733363726574"); /* no request */
	hears(r, "ff03c023 01010005 05");
	check_str(says(r), "");
	check_int(r->raised[PPP_EVENT_AUTHENTICATED] + r->raised[PPP_EVENT_DOWN], 0);
}

int main(void)
{
	return run_tests(
		(struct test[]){ TEST(silence_ends_in_each_stage),
				 TEST(configured_times_are_kept),
				 TEST(an_unconfirmed_call_ends),
				 TEST(a_login_is_resent_every_three_seconds),
				 TEST(a_repeated_challenge_gets_the_same_response_and_a_new_one_another),
				 TEST(a_later_challenge_is_answered_and_judged),
				 TEST(a_change_of_the_method_is_ignored),
				 TEST(names_of_any_length_in_a_challenge_do_no_harm),
				 TEST(a_password_that_is_not_utf8_says_so),
				 TEST(our_own_magic_number_is_a_loop_only_when_it_keeps_coming),
				 TEST(an_echoed_magic_number_is_no_loop),
				 TEST(mrus_are_clamped),
				 TEST(absurd_wishes_for_our_mru_are_not_taken),
				 TEST(renegotiation_before_the_login_starts_again_and_after_it_ends),
				 TEST(endless_renegotiation_ends),
				 TEST(ipcp_may_be_renegotiated),
				 TEST(the_end_of_ipcp_is_the_end_of_the_session),
				 TEST(the_end_of_ipv6cp_is_not),
				 TEST(unanswered_ipv6cp_gives_up_and_may_come_later),
				 TEST(equal_interface_identifiers_are_told_apart),
				 TEST(a_server_cannot_give_us_its_own_interface_identifier),
				 TEST(addresses_that_no_host_can_have_are_refused),
				 TEST(endless_naks_of_an_address_end),
				 TEST(unknown_protocols_are_rejected_when_lcp_is_open_and_not_too_often),
				 TEST(a_protocol_reject_fits_the_peers_mru),
				 TEST(rejects_are_never_answered),
				 TEST(terminate_requests_are_acknowledged_in_every_phase),
				 TEST(a_flood_of_anything_is_bounded),
				 TEST(nothing_is_heard_or_said_after_the_end),
				 TEST(what_was_not_taken_before_the_carrier_went_is_gone),
				 TEST(secrets_are_wiped),
				 TEST(a_frame_that_was_sent_is_wiped),
				 TEST(ip_packets_are_checked_at_the_door),
				 TEST(a_protocol_reject_before_the_link_is_open_is_dropped),
				 TEST(a_protocol_reject_of_ipcp_before_it_begins_is_ignored),
				 TEST(a_failure_behind_the_success_is_ignored),
				 TEST(an_offer_with_a_stray_byte_is_not_that_method),
				 TEST(a_rejected_mru_is_not_asked_for_again),
				 TEST(a_password_too_long_for_pap_says_so),
				 TEST(a_server_repeats_its_challenge_and_its_verdict),
				 TEST(a_server_drops_broken_responses),
				 TEST(a_server_assigns_what_it_has),
				 TEST(a_server_tells_a_wrong_login_and_ends),
				 TEST(a_server_takes_only_whole_answers_to_its_own_challenge),
				 {} });
}
