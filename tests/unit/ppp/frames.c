/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every PPP vector: frames as they are on the wire, logins byte by byte, and each malformed case. */
#include "rig.h"
#include "vectors.h"

static const struct vector_bytes *frame_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors_ppp_frame); i++)
		if (strcmp(vectors_ppp_frame[i].name, name) == 0)
			return &vectors_ppp_frame[i].value;
	printf("# no vector %s\n", name);
	abort();
}

static const char *hex_of(const struct vector_bytes *v)
{
	static char hex[2 * 4096 + 1];

	hex[0] = 0;
	for (size_t i = 0; i < v->len && i < 4096; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", v->data[i]);
	return hex;
}

static const char *frame(const char *name)
{
	return hex_of(frame_named(name));
}

static void hears_frame(struct rig *r, const char *name)
{
	const struct vector_bytes *v = frame_named(name);

	hears_bytes(r, v->data, v->len);
}

static void all_four_header_forms_carry_ip(void)
{
	static const struct vector_bytes *const packet = &vectors_ppp[0].ipv4_packet;
	struct rig *r = rig_up();

	check_int(ARRAY_SIZE(vectors_ipv4_header_form), 4);
	for (size_t i = 0; i < ARRAY_SIZE(vectors_ipv4_header_form); i++) {
		const struct vector_bytes *v = &vectors_ipv4_header_form[i].value;
		const uint8_t *ip = NULL;
		size_t len = 0;

		check_int(ppp_input(&r->p, v->data + 4, v->len - 4, r->now, &ip, &len), PPP_PROTO_IPV4);
		check(ip > v->data && ip + len == v->data + v->len); /* in place */
		check_mem(ip, len, packet->data, packet->len);
	}
}

static void all_four_header_forms_carry_control(void)
{
	static const char *const forms[] = { "ff03c021 0907000c c0ffee42 70696e67",
					     "c021 0907000c c0ffee42 70696e67" };

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct rig *r = rig_up();

		hears(r, forms[i]);
		check(strncmp(says(r), "ff03c0210a07000c", 16) == 0);
	}
}

static void lcp_frames_get_their_answers(void)
{
	struct rig *r = rig_begin(PPP_AUTH_MSCHAPV2);
	char magic[9] = { 0 };

	memcpy(magic, r->first_request + 20, 8); /* ff03c021 0101000a 0506 */
	check(strncmp(r->first_request, "ff03c0210101000a0506", 20) == 0);
	hears_frame(r, "lcp_confreq_server_rras");
	check_str(says(r), r->first_request); /* it was not answered yet */
	check_str(says(r), frame("lcp_confrej_callback_mrru_ed"));
	hears_frame(r, "lcp_confreq_server_eap");
	check_str(says(r), frame("lcp_confnak_want_mschapv2"));
	hears_frame(r, "lcp_confreq_server_mschapv2");
	check_str(says(r), "ff03c021020500090305c22381");
	check_str(says(r), "");
	hears_ack_of(r, r->first_request);
	check_int(r->raised[PPP_EVENT_LCP_UP], 1);

	hears_frame(r, "lcp_echo_request");
	char expected[64];
	(void)snprintf(expected, sizeof(expected), "ff03c0210a07000c%s70696e67", magic);
	check_str(says(r), expected);
	hears_frame(r, "lcp_echo_reply");
	hears_frame(r, "lcp_discard_request");
	hears_frame(r, "lcp_identification");
	hears_frame(r, "lcp_code_reject");
	hears_frame(r, "lcp_protocol_reject_ccp");
	check_str(says(r), "");
	hears_frame(r, "ccp_confreq_mppe");
	/* all but the identifier */
	check_str(says(r) + 12, frame("lcp_protocol_reject_ccp") + 12);
	hears_frame(r, "cbcp_request_none");
	check_str(says(r), frame("cbcp_response_none"));
	check_int(r->raised[PPP_EVENT_DOWN], 0);
	hears_frame(r, "lcp_terminate_request");
	check_str(says(r), frame("lcp_terminate_ack"));
	check_int(r->failure.cause, CAUSE_LCP_TERMINATED);
	check_str(r->failure.detail, "during authentication: User request");
}

/* Nak for PAP first, although another option of the same request is fine. */
static void a_weaker_offer_is_answered_by_the_wish_for_mschapv2(void)
{
	struct rig *r = rig_begin(PPP_AUTH_MSCHAPV2);

	hears_frame(r, "lcp_confreq_server_pap");
	check_str(says(r), r->first_request);
	check_str(says(r), frame("lcp_confnak_want_mschapv2"));
	hears_frame(r, "lcp_confreq_server_chap_md5");
	check_str(says(r), frame("lcp_confnak_want_mschapv2"));
}

static void a_server_reads_the_request_of_windows(void)
{
	struct rig *r = new_rig();
	struct ppp_config config = rig_config(r, PPP_AUTH_MSCHAPV2);

	config.role = PPP_SERVER;
	ppp_init(&r->p, &config);
	ppp_lower_up(&r->p, r->now);
	check(strncmp(says(r), "ff03c0210101000f0305c223810506", 30) == 0);
	hears_frame(r, "lcp_confreq_windows7_style");
	check_str(says(r), "ff03c021040000070d0306");
	hears_frame(r, "lcp_confreq_mru_magic");
	check(strncmp(says(r), "ff03c0210201000e010405dc0506c0ffee42", 36) == 0);
}

static void ipcp_frames_get_their_answers(void)
{
	struct rig *r = rig_lcp_opened(PPP_AUTH_PAP);

	hears(r, "ff03c023 02010005 00");
	(void)says(r); /* the PAP request */
	check_str(says(r), frame("ipcp_confreq_all_zero"));
	check(strncmp(says(r), "ff0380570101000e010a", 20) == 0);
	hears_frame(r, "ipcp_server_confreq_vj");
	check_str(says(r), frame("ipcp_confreq_all_zero")); /* once more, not answered yet */
	check_str(says(r), "ff0380210405000a0206002d0f01");
	hears_frame(r, "ipcp_server_confreq");
	check_str(says(r), "ff0380210205000a0306c0000201");
	hears_frame(r, "ipcp_confnak_assigned");
	check_str(says(r), frame("ipcp_confreq_assigned"));
	check_int(r->raised[PPP_EVENT_IPCP_UP], 0);
	hears_frame(r, "ipcp_confack");
	check_int(r->raised[PPP_EVENT_IPCP_UP], 1);
	const struct ppp_params *params = ppp_params(&r->p);
	check_int(params->local.s_addr, ipv4("10.8.0.7").s_addr);
	check_int(params->peer.s_addr, ipv4("192.0.2.1").s_addr);
	check_int(params->dns[0].s_addr, ipv4("10.8.0.1").s_addr);
	check_int(params->dns[1].s_addr, ipv4("9.9.9.9").s_addr);
	check(params->ipv4_up && !params->ipv6_up);

	hears_frame(r, "ipv6cp_confreq_zero");
	check(strncmp(says(r), "ff0380570101000e010a", 20) == 0);
	const char *nak = says(r);
	check(strncmp(nak, "ff0380570301000e010a", 20) == 0);
	check(strcmp(nak + 20, "0000000000000000") != 0);
	hears_frame(r, "ipv6cp_confreq");
	check_str(says(r), "ff0380570201000e010a021122fffe334455");
	hears_frame(r, "ipv6cp_confnak");
	check_str(says(r), "ff0380570102000e010a0000000000000002");
	hears(r, "ff0380570202000e010a0000000000000002");
	check_int(r->raised[PPP_EVENT_IPV6CP_UP], 1);
	check_mem(params->local_id, 8, ((uint8_t[8]){ [7] = 2 }), 8);
	check_mem(params->peer_id, 8, ((uint8_t[]){ 2, 0x11, 0x22, 0xff, 0xfe, 0x33, 0x44, 0x55 }), 8);
}

static void rejected_name_servers_are_not_asked_for_again(void)
{
	struct rig *r = rig_network();

	hears_frame(r, "ipcp_confrej_dns");
	check_str(says(r), "ff0380210102000a030600000000");
}

/* LCP opened for a login as `user` with the peer challenge of a vector. */
static struct rig *login(unsigned auth, const struct vector_bytes *user, const struct vector_bytes *password,
			 const struct vector_bytes *peer_challenge)
{
	struct rig *r = rig_lcp_opened(auth);
	struct secret secret = { 0 };

	r->peer_challenge = peer_challenge ? peer_challenge->data : NULL;
	(void)secret_set(&secret, password->data, password->len);
	(void)ppp_set_credentials(&r->p, (const char *)user->data, &secret);
	return r;
}

static void mschapv2_logins_are_byte_for_byte(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors_mschapv2); i++) {
		const struct vector_mschapv2 *v = &vectors_mschapv2[i];
		struct rig *r = login(PPP_AUTH_MSCHAPV2, &v->user, &v->password, &v->peer_challenge);
		static const uint8_t zero[32];

		hears_bytes(r, v->success_frame.data, v->success_frame.len); /* before there is a response */
		check_int(r->raised[PPP_EVENT_AUTHENTICATED], 0);
		hears_bytes(r, v->challenge_frame.data, v->challenge_frame.len);
		check_str(says(r), hex_of(&v->response_frame));
		check_mem(ppp_params(&r->p)->hlak, 32, zero, 32); /* no keys before the proof */
		hears_bytes(r, v->success_frame.data, v->success_frame.len);
		check_int(r->raised[PPP_EVENT_AUTHENTICATED], 1);
		check_str(ppp_params(&r->p)->peer_message, "OK");
		check_mem(ppp_params(&r->p)->hlak, 32, v->hlak_client.data, v->hlak_client.len);
		hears_bytes(r, v->success_frame.data, v->success_frame.len); /* twice */
		check_int(r->raised[PPP_EVENT_AUTHENTICATED], 1);
		check_int(r->raised[PPP_EVENT_DOWN], 0);

		r = login(PPP_AUTH_MSCHAPV2, &v->user, &v->password, &v->peer_challenge);
		hears_bytes(r, v->challenge_frame.data, v->challenge_frame.len);
		(void)says(r);
		hears_bytes(r, v->failure_frame.data, v->failure_frame.len); /* with R=1: no second try */
		check_int(r->failure.cause, CAUSE_AUTH_FAILED);
		check_str(r->failure.detail, "MS-CHAPv2 error 691: Access denied");
		check_str(ppp_params(&r->p)->peer_message, "Access denied");
		check(strncmp(says(r), "ff03c02105", 10) == 0); /* Terminate-Request, no Response */
		check_str(says(r), "");
	}
}

static void lower_case_digits_prove_as_well(void)
{
	const struct vector_mschapv2 *v = &vectors_mschapv2[0];
	struct rig *r = login(PPP_AUTH_MSCHAPV2, &v->user, &v->password, &v->peer_challenge);
	uint8_t success[64];

	hears_bytes(r, v->challenge_frame.data, v->challenge_frame.len);
	memcpy(success, v->success_frame.data, v->success_frame.len);
	for (size_t i = 10; i < 50; i++)
		success[i] = (uint8_t)tolower(success[i]);
	hears_bytes(r, success, v->success_frame.len);
	check_int(r->raised[PPP_EVENT_AUTHENTICATED], 1);
}

static void each_wrong_digit_of_the_proof_is_seen(void)
{
	const struct vector_mschapv2 *v = &vectors_mschapv2[0];

	for (size_t i = 8; i < 50; i++) { /* "S=" and 40 digits */
		struct rig *r = login(PPP_AUTH_MSCHAPV2, &v->user, &v->password, &v->peer_challenge);
		uint8_t success[64];

		hears_bytes(r, v->challenge_frame.data, v->challenge_frame.len);
		memcpy(success, v->success_frame.data, v->success_frame.len);
		success[i] = success[i] == '7' ? '8' : '7';
		hears_bytes(r, success, v->success_frame.len);
		check_int(r->raised[PPP_EVENT_AUTHENTICATED], 0);
		check_int(r->failure.cause, CAUSE_AUTH_SERVER_UNPROVEN);
	}
}

static void real_servers_logins_give_the_hlak_they_accepted(void)
{
	unsigned used = 0;

	for (size_t i = 0; i < ARRAY_SIZE(vectors_server_accepted); i++) {
		const struct vector_server_accepted *v = &vectors_server_accepted[i];
		char challenge[128], response[256], success[256];

		if (v->auth_challenge.len == 0)
			continue;
		used++;
		struct rig *r = login(PPP_AUTH_MSCHAPV2, &v->user, &v->password, &v->peer_challenge);
		(void)snprintf(challenge, sizeof(challenge), "ff03c223%s", hex_of(&v->chap_challenge_packet));
		(void)snprintf(response, sizeof(response), "ff03c223%s", hex_of(&v->chap_response_packet));
		hears(r, challenge);
		check_str(says(r), response);
		(void)snprintf(success, sizeof(success), "ff03c22303%02x%04zx%s",
			       v->chap_challenge_packet.data[1], v->authenticator_response.len + 4,
			       hex_of(&v->authenticator_response));
		hears(r, success); /* without M=, as SoftEther sends it */
		check_int(r->raised[PPP_EVENT_AUTHENTICATED], 1);
		check_mem(ppp_params(&r->p)->hlak, 32, v->hlak.data, v->hlak.len);
		check_str(ppp_params(&r->p)->peer_message, "");
	}
	check_int(used, 5);
}

static void chap_md5_logins_are_byte_for_byte(void)
{
	const struct vector_chap_md5 *v = &vectors_chap_md5[0];
	static const uint8_t zero[32];
	struct rig *r = login(PPP_AUTH_CHAP_MD5, &v->name_ascii, &v->secret_ascii, NULL);

	hears_bytes(r, v->challenge_frame.data, v->challenge_frame.len);
	check_str(says(r), hex_of(&v->response_frame));
	hears_bytes(r, v->challenge_frame.data, v->challenge_frame.len); /* again: the same answer */
	check_str(says(r), hex_of(&v->response_frame));
	hears_bytes(r, v->success_frame.data, v->success_frame.len);
	check_int(r->raised[PPP_EVENT_AUTHENTICATED], 1);
	check_str(ppp_params(&r->p)->peer_message, "Welcome");
	check_mem(ppp_params(&r->p)->hlak, 32, zero, 32);

	r = login(PPP_AUTH_CHAP_MD5, &v->name_ascii, &v->secret_ascii, NULL);
	hears_bytes(r, v->challenge_frame.data, v->challenge_frame.len);
	hears_bytes(r, v->failure_frame.data, v->failure_frame.len);
	check_int(r->failure.cause, CAUSE_AUTH_FAILED);
}

static void pap_logins_are_byte_for_byte(void)
{
	const struct vector_pap *v = &vectors_pap[0];
	const struct vector_bytes *acks[] = { &v->ack_frame, &v->ack_frame_short_with_trailer_mikrotik };

	for (size_t i = 0; i < ARRAY_SIZE(acks); i++) {
		struct rig *r = rig_lcp_opened(PPP_AUTH_PAP);

		check_str(says(r), hex_of(&v->request_frame));
		hears_bytes(r, acks[i]->data, acks[i]->len);
		check_int(r->raised[PPP_EVENT_AUTHENTICATED], 1);
	}
	struct rig *r = rig_lcp_opened(PPP_AUTH_PAP);
	hears(r, "ff03c023 02010004"); /* SoftEther: no length of a text at all */
	check_int(r->raised[PPP_EVENT_AUTHENTICATED], 1);
	r = rig_lcp_opened(PPP_AUTH_PAP);
	hears(r, "ff03c023 02020005 00"); /* another identifier */
	check_int(r->raised[PPP_EVENT_AUTHENTICATED], 0);
	hears_bytes(r, v->nak_frame.data, v->nak_frame.len);
	check_int(r->failure.cause, CAUSE_AUTH_FAILED);
	check_str(r->failure.detail, "PAP: denied");
}

/* The reaction to each malformed case of the vectors. */
enum where { BEFORE, LCP, AUTH, ANSWERED, PAP, NETWORK, UP };

static const struct reaction {
	const char *name;
	enum where where;
	const char *frame; /* sent, beside repetitions of our own first request; NULL: nothing */
	enum cause cause;
	enum ppp_event_type event;
	int protocol; /* of an IP packet handed on */
} reactions[] = {
	{ "empty data packet (length 4)", .where = UP },
	{ "length 4095 of zeros (largest)", .where = UP },
	{ "LCP before ACK", .where = BEFORE },
	{ "IP data before authentication", .where = AUTH },
	{ "PPP payload 1 byte 0xff", .where = UP },
	{ "PPP payload ff03 and half a protocol", .where = UP },
	{ "PPP address ff, control 00", .where = UP },
	{ "PPP protocol with both low bits wrong (0x0020)", .where = UP },
	{ "LCP header 3 bytes", .where = LCP },
	{ "LCP length 3", .where = LCP },
	{ "LCP length over the frame", .where = LCP },
	{ "LCP option length 0", .where = LCP },
	{ "LCP option length 1", .where = LCP },
	{ "LCP option overruns", .where = LCP },
	{ "LCP MRU length 3", .where = LCP, .frame = "ff03c02104010007010305" },
	{ "LCP MRU 0", .where = LCP, .frame = "ff03c02103010008010405dc" },
	{ "LCP auth option length 2", .where = LCP, .frame = "ff03c021030100090305c22381" },
	{ "LCP auth CHAP without algorithm", .where = LCP, .frame = "ff03c021030100090305c22381" },
	/* the refusal follows when LCP opens: pair.c, no_authentication_only_where_allowed */
	{ "LCP confreq, no options", .where = LCP, .frame = "ff03c02102010004" },
	{ "LCP confack, wrong identifier", .where = LCP },
	{ "LCP echo request before opened", .where = LCP },
	{ "LCP echo request without magic", .where = UP },
	{ "LCP code 0", .where = UP, .frame = "ff03c0210702000800010004" },
	{ "LCP code-reject of Configure-Request", .where = LCP, .cause = CAUSE_LCP_FAILED },
	{ "LCP protocol-reject of LCP", .where = UP, .cause = CAUSE_LCP_FAILED },
	{ "LCP protocol-reject of IPCP", .where = UP, .frame = "ff03c02105020004",
	  .cause = CAUSE_IPCP_REJECTED },
	{ "LCP protocol-reject, 1 byte", .where = UP },
	{ "CHAP challenge value size 0", .where = AUTH },
	{ "CHAP challenge value size over packet", .where = AUTH },
	{ "MS-CHAPv2 challenge value size 17", .where = AUTH },
	{ "CHAP success before response", .where = AUTH },
	{ "MS-CHAPv2 success, wrong S=", .where = ANSWERED, .frame = "ff03c02105020004",
	  .cause = CAUSE_AUTH_SERVER_UNPROVEN },
	{ "MS-CHAPv2 success, S= too short", .where = ANSWERED, .frame = "ff03c02105020004",
	  .cause = CAUSE_AUTH_SERVER_UNPROVEN },
	/* not these digits, but that case does not matter: lower_case_digits_prove_as_well */
	{ "MS-CHAPv2 success, lower-case hex", .where = ANSWERED, .frame = "ff03c02105020004",
	  .cause = CAUSE_AUTH_SERVER_UNPROVEN },
	{ "MS-CHAPv2 failure, no fields", .where = ANSWERED, .frame = "ff03c02105020004",
	  .cause = CAUSE_AUTH_FAILED },
	{ "MS-CHAPv2 failure, E= overflow", .where = ANSWERED, .frame = "ff03c02105020004",
	  .cause = CAUSE_AUTH_FAILED },
	{ "PAP ack, length 4, trailing bytes", .where = PAP, .event = PPP_EVENT_AUTHENTICATED },
	{ "PAP ack, message length over packet", .where = PAP, .event = PPP_EVENT_AUTHENTICATED },
	/* EAP is not agreed on here: all of it is dropped */
	{ "EAP length 4 request (no type)", .where = AUTH },
	{ "EAP length over frame", .where = AUTH },
	{ "EAP length under 4", .where = AUTH },
	{ "EAP response from server", .where = AUTH },
	{ "EAP unknown type 99", .where = AUTH },
	{ "EAP early success", .where = AUTH },
	{ "EAP-MSCHAPv2 value size 255", .where = AUTH },
	{ "EAP-MSCHAPv2 opcode only", .where = AUTH },
	{ "EAP-TLS L bit, no length", .where = AUTH },
	{ "IPCP address option length 2", .where = NETWORK, .frame = "ff038021040100060302" },
	{ "IPCP Nak with 0.0.0.0 address", .where = NETWORK,
	  .frame = "ff03802101020016030600000000810600000000830600000000" },
	{ "IPCP Nak with multicast address", .where = NETWORK, .frame = "ff03c02105020004",
	  .cause = CAUSE_IPCP_NO_ADDRESS },
	{ "IPCP reject of the address option", .where = NETWORK, .frame = "ff03c02105020004",
	  .cause = CAUSE_IPCP_NO_ADDRESS },
	{ "IPCP reject of an option not sent", .where = NETWORK },
	{ "IPV6CP identifier length 9", .where = NETWORK, .frame = "ff0380570401000d010900000000000000" },
	{ "IPv4 data, version nibble 6", .where = UP },
	{ "IPv4 data, empty", .where = UP },
	{ "IPv4 data larger than the tunnel MTU", .where = UP, .protocol = PPP_PROTO_IPV4 },
};

static struct rig *rig_at(enum where where)
{
	struct rig *r = NULL;

	switch (where) {
	case BEFORE:
		r = rig_begin(PPP_AUTH_MSCHAPV2);
		ppp_lower_down(&r->p);
		return r;
	case LCP:
		return rig_begin(PPP_AUTH_MSCHAPV2);
	case AUTH:
		return rig_lcp_opened(PPP_AUTH_MSCHAPV2);
	case ANSWERED:
		r = rig_lcp_opened(PPP_AUTH_MSCHAPV2);
		hears(r, "ff03c223 01010018 10 000102030405060708090a0b0c0d0e0f 737276");
		(void)says(r);
		return r;
	case PAP:
		r = rig_lcp_opened(PPP_AUTH_PAP);
		(void)says(r);
		return r;
	case NETWORK:
		return rig_network();
	case UP:
		return rig_up();
	}
	return r;
}

static bool is_repetition(const char *hex)
{
	return strncmp(hex, "ff03c0210101", 12) == 0 || strncmp(hex, "ff0380210101", 12) == 0 ||
	       strncmp(hex, "ff0380570101", 12) == 0;
}

static void every_malformed_case_has_its_reaction(void)
{
	unsigned met = 0;

	for (size_t i = 0; i < ARRAY_SIZE(vectors_malformed); i++) {
		const struct vector_malformed *v = &vectors_malformed[i];
		const struct reaction *want = NULL;
		unsigned events = 0;

		/* whole SSTP data packets are what reaches PPP */
		if (v->hex.len < 4 || v->hex.data[0] != 0x10 || v->hex.data[1] & 1 || v->hex.data[3] < 4)
			if (v->hex.len != 4095)
				continue;
		for (size_t k = 0; k < ARRAY_SIZE(reactions); k++)
			if (strcmp(reactions[k].name, v->name) == 0)
				want = &reactions[k];
		if (!want)
			printf("# %s: no row\n", v->name);
		check(want != NULL);
		met++;
		struct rig *r = rig_at(want->where);
		memset(r->raised, 0, sizeof(r->raised));
		int protocol = input(&r->p, v->hex.data + 4, v->hex.len - 4, r->now);
		rig_events(r);
		const char *said = says(r);
		while (is_repetition(said) && (!want->frame || strcmp(said, want->frame) != 0))
			said = says(r);
		if (strcmp(said, want->frame ? want->frame : "") != 0 || r->failure.cause != want->cause ||
		    protocol != want->protocol)
			printf("# case: %s\n", v->name);
		check_int(protocol, want->protocol);
		check_str(said, want->frame ? want->frame : "");
		check_int(r->failure.cause, want->cause);
		for (int e = PPP_EVENT_LCP_UP; e <= PPP_EVENT_DOWN; e++)
			events += r->raised[e];
		check_int(events, want->cause != CAUSE_NONE || want->event != PPP_EVENT_NONE);
		check_int(r->raised[PPP_EVENT_DOWN], want->cause != CAUSE_NONE);
		if (want->event != PPP_EVENT_NONE)
			check_int(r->raised[want->event], 1);
	}
	check_int(met, ARRAY_SIZE(reactions));
}

int main(void)
{
	return run_tests((struct test[]){ TEST(all_four_header_forms_carry_ip),
					  TEST(all_four_header_forms_carry_control),
					  TEST(lcp_frames_get_their_answers),
					  TEST(a_weaker_offer_is_answered_by_the_wish_for_mschapv2),
					  TEST(a_server_reads_the_request_of_windows),
					  TEST(ipcp_frames_get_their_answers),
					  TEST(rejected_name_servers_are_not_asked_for_again),
					  TEST(mschapv2_logins_are_byte_for_byte),
					  TEST(lower_case_digits_prove_as_well),
					  TEST(each_wrong_digit_of_the_proof_is_seen),
					  TEST(real_servers_logins_give_the_hlak_they_accepted),
					  TEST(chap_md5_logins_are_byte_for_byte),
					  TEST(pap_logins_are_byte_for_byte),
					  TEST(every_malformed_case_has_its_reaction),
					  {} });
}
