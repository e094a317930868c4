/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conversations with real servers, as they were captured: what they say, in their order, with their quirks.
 */
#include "rig.h"

#define CHALLENGE "94fa896520dd234c3ad98025bce0e263"

/* The Success that a server which knows the password sends to this response. */
static void hears_success(struct rig *r, const char *response, const char *header, const char *text)
{
	uint8_t bytes[256], challenge[16];
	struct mschap_result result;
	struct secret secret = secret_of("s3cret");
	char frame[512], message[256];
	size_t len = unhex(response, bytes, sizeof(bytes));

	if (len < 9 + 49)
		abort();
	(void)unhex(CHALLENGE, challenge, sizeof(challenge));
	(void)mschap_v2(&secret, "alice", challenge, bytes + 9, &result);
	(void)snprintf(message, sizeof(message), "S=");
	for (size_t i = 0; i < 20; i++)
		(void)snprintf(message + 2 + 2 * i, 3, "%02X", result.authenticator[i]);
	(void)snprintf(message + 42, sizeof(message) - 42, "%s", text);
	(void)snprintf(frame, sizeof(frame), "%s03%02x%04zx", header, bytes[5], strlen(message) + 4);
	for (size_t i = 0; message[i]; i++)
		(void)snprintf(frame + strlen(frame), 3, "%02x", (uint8_t)message[i]);
	hears(r, frame);
}

/* accel-ppp from Connect Ack to authentication. */
static struct rig *accel_authenticated(void)
{
	struct rig *r = rig_begin(PPP_AUTH_MSCHAPV2);
	char response[4096];

	hears(r, "ff03c021 013a0013 0305c22381 01040578 050664a552d3");
	(void)says(r);
	if (strcmp(says(r), "ff03c021023a00130305c2238101040578050664a552d3") != 0)
		abort();
	hears_ack_of(r, r->first_request);
	hears(r, "ff03c223 01010015 10" CHALLENGE); /* no name */
	(void)snprintf(response, sizeof(response), "%s", says(r));
	hears_success(r, response, "ff03c223", " M=Authentication succeeded");
	return r;
}

static void accel_with_its_race_on_ipcp_needs_no_timer(void)
{
	struct rig *r = accel_authenticated();
	usec_t start = r->now;
	char request[4096];

	check_int(r->raised[PPP_EVENT_AUTHENTICATED], 1);
	check_int(ppp_params(&r->p)->peer_mru, 1400);
	check_str(ppp_params(&r->p)->peer_message, "Authentication succeeded");
	/* Both first requests fall into the gap before accel's IPCP runs. */
	(void)snprintf(request, sizeof(request), "%s", says(r));
	check_str(request, "ff03802101010016030600000000810600000000830600000000");
	check(strncmp(says(r), "ff0380570101000e", 16) == 0);
	r->now += 2 * MSEC;
	hears(r, "ff038021 0107000a 03060a0b0001");
	check_str(says(r), request);
	check_str(says(r), "ff0380210207000a03060a0b0001");
	hears(r, "ff038057 0109000e 010a0000000000000001");
	(void)snprintf(request, sizeof(request), "%s", says(r));
	check(strncmp(request, "ff0380570101000e", 16) == 0);
	check_str(says(r), "ff0380570209000e010a0000000000000001");
	hears(r, "ff038021 03010016 03060a0b0002 81060a0b0001 830609090909");
	check_str(says(r), "ff0380210102001603060a0b000281060a0b0001830609090909");
	hears(r, "ff038021 02020016 03060a0b0002 81060a0b0001 830609090909");
	hears_ack_of(r, request);
	check_int(r->raised[PPP_EVENT_IPCP_UP], 1);
	check_int(r->raised[PPP_EVENT_IPV6CP_UP], 1);
	check_int(r->now - start, 2 * MSEC);
	check_int(ppp_params(&r->p)->local.s_addr, ipv4("10.11.0.2").s_addr);
	check_int(ppp_params(&r->p)->peer.s_addr, ipv4("10.11.0.1").s_addr);
	check_int(ppp_params(&r->p)->dns[0].s_addr, ipv4("10.11.0.1").s_addr);
	check_int(ppp_params(&r->p)->dns[1].s_addr, ipv4("9.9.9.9").s_addr);
	check_str(says(r), "");

	hears(r, "ff03c021 053b0004"); /* "terminate soft" */
	check_str(says(r), "ff03c021063b0004");
	check_str(says(r), "");
	check_int(r->failure.cause, CAUSE_PEER_DISCONNECT);
}

static void accel_refusing_the_login(void)
{
	struct rig *r = rig_lcp_opened(PPP_AUTH_MSCHAPV2);

	hears(r, "ff03c223 01010015 10" CHALLENGE);
	(void)says(r);
	/* E=691 R=0 V=3 M=Authentication failure */
	hears(r, "ff03c223 0401002a "
		 "453d36393120523d3020563d33204d3d41757468656e7469636174696f6e206661696c757265");
	check_int(r->failure.cause, CAUSE_AUTH_FAILED);
	check_str(r->failure.detail, "MS-CHAPv2 error 691: Authentication failure");
	hears(r, "ff03c021 053b0004"); /* comes anyway; the first cause stands */
	check_int(r->failure.cause, CAUSE_AUTH_FAILED);
	check_int(r->raised[PPP_EVENT_DOWN], 1);
}

/* accel goes through its own list: the Nak is repeated until the method comes. */
static void accel_is_asked_again_until_the_allowed_method_comes(void)
{
	struct rig *r = rig_begin(PPP_AUTH_CHAP_MD5);

	hears(r, "ff03c021 01010009 0305c22381");
	(void)says(r);
	check_str(says(r), "ff03c021030100090305c22305");
	hears(r, "ff03c021 01020008 0304c023");
	check_str(says(r), "ff03c021030200090305c22305");
	hears(r, "ff03c021 01030009 0305c22305");
	check_str(says(r), "ff03c021020300090305c22305");
}

/* pppd answers a Nak by asking for no authentication, and hangs up: what is allowed is not argued about. */
static void an_allowed_method_is_taken_as_it_comes(void)
{
	struct rig *r = rig_begin(PPP_AUTH_MSCHAPV2 | PPP_AUTH_CHAP_MD5);

	hears(r, "ff03c021 01010008 0304c023"); /* not allowed */
	(void)says(r);
	check_str(says(r), "ff03c021030100090305c22381");
	hears(r, "ff03c021 01020009 0305c22305");
	check_str(says(r), "ff03c021020200090305c22305");
}

static void a_server_without_an_allowed_method_ends_in_that_cause(void)
{
	struct rig *r = rig_begin(PPP_AUTH_MSCHAPV2);

	for (int i = 0; i < FSM_MAX_FAILURE; i++) {
		char request[64];

		(void)snprintf(request, sizeof(request), "ff03c021 01%02x0008 0304c023", i);
		hears(r, request);
		check_int(r->raised[PPP_EVENT_DOWN], 0);
	}
	hears(r, "ff03c021 01990008 0304c023");
	check_int(r->failure.cause, CAUSE_AUTH_METHOD);
	check_str(r->failure.detail, "the server asks for PAP, allowed is MS-CHAPv2");
}

/* The detail names what the server wants, known or not. */
static void the_detail_names_the_method_of_the_server(void)
{
	static const struct {
		const char *option, *detail;
		enum cause cause;
	} rows[] = {
		{ "0304c227", "the server asks for EAP, allowed is MS-CHAPv2", CAUSE_AUTH_METHOD },
		{ "0305c22380", "the server asks for MS-CHAPv1, allowed is MS-CHAPv2",
		  CAUSE_AUTH_UNSUPPORTED },
		{ "0305c22305", "the server asks for CHAP-MD5, allowed is MS-CHAPv2", CAUSE_AUTH_METHOD },
		{ "0304c123", "the server asks for protocol c123, allowed is MS-CHAPv2",
		  CAUSE_AUTH_UNSUPPORTED },
		{ "0305c22399", "the server asks for protocol c223 algorithm 153, allowed is MS-CHAPv2",
		  CAUSE_AUTH_UNSUPPORTED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rig *r = rig_begin(PPP_AUTH_MSCHAPV2);
		char request[64];

		for (unsigned k = 0; k <= FSM_MAX_FAILURE; k++) {
			(void)snprintf(request, sizeof(request), "ff03c021 01%02x%04zx %s", k,
				       4 + strlen(rows[i].option) / 2, rows[i].option);
			hears(r, request);
		}
		check_int(r->failure.cause, rows[i].cause);
		check_str(r->failure.detail, rows[i].detail);
	}
}

static void a_server_that_hangs_up_over_the_method_ends_in_that_cause(void)
{
	struct rig *r = rig_begin(PPP_AUTH_CHAP_MD5);

	hears(r, "ff03c021 01000008 0304c227");
	hears(r, "ff03c021 01010008 0304c023");
	hears(r, "ff03c021 05020004"); /* SoftEther has no third one */
	check_int(r->failure.cause, CAUSE_AUTH_METHOD);
	check_str(r->failure.detail, "the server asks for PAP, allowed is CHAP-MD5");
}

static void accel_talks_our_mru_down(void)
{
	struct rig *r = new_rig();
	struct ppp_config config = rig_config(r, PPP_AUTH_MSCHAPV2);

	config.mru = 4000;
	rig_begin_config(r, &config);
	check(strncmp(r->first_request, "ff03c0210101000e01040fa00506", 28) == 0);
	hears(r, "ff03c021 03010008 010405ac");
	check(strncmp(says(r), "ff03c0210102000e010405ac0506", 28) == 0);
	hears_ack_of(r, r->hex);
	hears(r, "ff03c021 01010009 0305c22381");
	check_int(ppp_params(&r->p)->mru, 1452);
	check_int(ppp_params(&r->p)->peer_mru, 1500);
}

#define SE_ECHO "00000000 41686f2042616b61204d616e756b6500"

static void softether_from_its_first_byte_to_an_address(void)
{
	struct rig *r = rig_begin(PPP_AUTH_MSCHAPV2);
	char rejected[64] = "ff03c0210401000a", response[4096];
	usec_t start = r->now;

	hears(r, "ff03c021 01000008 0304c227"); /* EAP, identifier 0 */
	check_str(says(r), r->first_request);
	check_str(says(r), "ff03c021030000090305c22381");
	hears(r, "ff03c021 09000018" SE_ECHO); /* before LCP is open: no answer */
	check_str(says(r), "");
	(void)snprintf(rejected + 16, sizeof(rejected) - 16, "%s", r->first_request + 16);
	hears(r, rejected); /* our magic number */
	check_str(says(r), "ff03c02101020004");
	hears(r, "ff03c021 01010009 0305c22381");
	check_str(says(r), "ff03c0210102000"
			   "4"); /* still not answered: once more */
	check_str(says(r), "ff03c021020100090305c22381");
	hears(r, "ff03c021 02020004");
	check_int(r->raised[PPP_EVENT_LCP_UP], 1);
	check_int(ppp_params(&r->p)->peer_mru, 1500);
	hears(r, "ff03c021 09000018" SE_ECHO); /* now; our magic number is 0 */
	check_str(says(r), "ff03c0210a0000180000000041686f2042616b61204d616e756b6500");

	r->now += 600 * MSEC;
	hears(r, "ff03c223 01020017 10" CHALLENGE "766d");
	(void)snprintf(response, sizeof(response), "%s", says(r));
	check(strncmp(response, "ff03c2230202003b31", 18) == 0);
	hears_success(r, response, "ff03c223", ""); /* no M= */
	check_int(r->raised[PPP_EVENT_AUTHENTICATED], 1);
	hush(r);

	r->now = start + 5 * SEC; /* DHCP on the hub is slow, its answers come on its own wake-ups */
	hears(r, "ff038021 0101000a 0306c0a81e01");
	hush(r);
	hears(r, "ff038021 03010016 0306c0a81e0a 8106c0a81e01 830609090909");
	check_str(says(r), "ff038021010200160306c0a81e0a8106c0a81e01830609090909");
	usec_t resent = 0; /* meanwhile IPV6CP repeats itself too */
	while (rig_wait(r, start + 9 * SEC))
		for (const char *said = says(r); said[0]; said = says(r))
			if (strncmp(said, "ff0380210102", 12) == 0)
				resent = r->now;
	check_int(resent, start + 8 * SEC);
	hears(r, "ff038021 0101000a 0306c0a81e01"); /* again, although it was acknowledged */
	hears(r, "ff038021 02020016 0306c0a81e0a 8106c0a81e01 830609090909");
	hears(r, "ff038021 02020016 0306c0a81e0a 8106c0a81e01 830609090909"); /* to the repetition */
	hears(r, "ff038021 0101000a 0306c0a81e01");
	check_int(r->raised[PPP_EVENT_IPCP_UP], 1);
	check(ppp_params(&r->p)->ipv4_up);
	check_int(ppp_params(&r->p)->local.s_addr, ipv4("192.168.30.10").s_addr);
	hush(r);

	ppp_terminate(&r->p, r->now);
	check_str(says(r), "ff03c02105030004");
	hears(r, "ff03c021 0603000c 5465726d61746521"); /* its Ack carries data */
	check_int(r->raised[PPP_EVENT_DOWN], 1);
	check_int(r->failure.cause, CAUSE_NONE);
}

static void softether_refusing_logins(void)
{
	struct rig *r = rig_lcp_opened(PPP_AUTH_MSCHAPV2);

	hears(r, "ff03c223 01020017 10" CHALLENGE "766d");
	/* E=691 R=0 C=<32 digits> V=3, no M= */
	hears(r, "ff03c223 04020034 453d36393120523d3020433d"
		 "3934464138393635323044443233344333414439383032354243453045323633 20563d33");
	check_int(r->failure.cause, CAUSE_AUTH_FAILED);
	check_str(r->failure.detail, "MS-CHAPv2 error 691");

	r = rig_lcp_opened(PPP_AUTH_PAP); /* no Nak at all: the link just ends */
	(void)says(r);
	hears(r, "ff03c021 05030004");
	check_str(says(r), "ff03c02106030004");
	check_int(r->failure.cause, CAUSE_AUTH_FAILED);
}

static void pppd_behind_sorz_loses_the_first_request(void)
{
	struct rig *r = rig_begin(PPP_AUTH_MSCHAPV2);
	usec_t start = r->now;
	char response[4096];

	check(rig_wait(r, start + SEC));
	check_int(r->now - start, 300 * MSEC);
	check_str(says(r), r->first_request);
	r->now += 20 * MSEC; /* pppd runs now */
	hears(r, "ff03c021 0101001d 01040578 020600000000 0305c22381 0506d00df00d 0702 0802");
	check_str(says(r), r->first_request);
	check_str(says(r), "ff03c0210201001d010405780206000000000305c223810506d00df00d07020802");
	hears_ack_of(r, r->first_request);
	hears_ack_of(r, r->first_request); /* it got two */
	check_int(r->raised[PPP_EVENT_LCP_UP], 1);
	check_int(ppp_params(&r->p)->peer_mru, 1400);
	hears(r, "ff03c021 09000008 d00df00d"); /* pppd's echo before the challenge */
	check(strncmp(says(r), "ff03c0210a000008", 16) == 0);
	hears(r, "ff03c223 0166001a 10" CHALLENGE "736f727a61");
	(void)snprintf(response, sizeof(response), "%s", says(r));
	hears_success(r, response, "ff03c223", " M=Access granted");
	check_str(ppp_params(&r->p)->peer_message, "Access granted");
	hush(r);
	hears(r, "ff038021 01010010 0206002d0f01 03060a0b0001"); /* VJ compression */
	(void)says(r);
	check_str(says(r), "ff0380210401000a0206002d0f01");
	hears(r, "ff038021 0102000a 03060a0b0001");
	check_str(says(r), "ff0380210202000a03060a0b0001");
	check(r->now - start < 500 * MSEC);
}

static void pppd_refusing_a_login_with_a_retry_is_final(void)
{
	struct rig *r = rig_lcp_opened(PPP_AUTH_MSCHAPV2);

	hears(r, "ff03c223 0166001a 10" CHALLENGE "736f727a61");
	(void)says(r);
	/* E=691 R=1 C=… V=0 M=Access denied */
	hears(r, "ff03c223 04660044 453d36393120523d3120433d"
		 "3934464138393635323044443233344333414439383032354243453045323633 20563d30"
		 "204d3d4163636573732064656e696564");
	check_int(r->failure.cause, CAUSE_AUTH_FAILED);
	check_str(r->failure.detail, "MS-CHAPv2 error 691: Access denied");
	check(strncmp(says(r), "ff03c02105", 10) == 0);
	check_str(says(r), "");
}

static void the_error_code_decides_the_cause(void)
{
	static const struct {
		const char *text;
		enum cause cause;
		const char *says;
	} rows[] = {
		{ "E=646 R=0 V=3", CAUSE_AUTH_DISABLED, NULL },
		{ "E=647 R=0 V=3", CAUSE_AUTH_DISABLED, NULL },
		{ "E=648 R=0 V=3", CAUSE_AUTH_EXPIRED, NULL },
		{ "E=648 R=1 V=3", CAUSE_AUTH_EXPIRED, NULL },
		{ "E=649 R=0 V=3", CAUSE_AUTH_DISABLED, NULL },
		{ "E=691 R=1 V=3", CAUSE_AUTH_FAILED, NULL },
		{ "E=709 R=0 V=3", CAUSE_AUTH_FAILED, NULL },
		{ "E=942 R=0 V=3", CAUSE_AUTH_FAILED, NULL },
		{ "E=", CAUSE_AUTH_FAILED, NULL },
		{ "E", CAUSE_AUTH_FAILED, NULL },
		{ "E=x647", CAUSE_AUTH_FAILED, NULL },
		{ "M=E=647", CAUSE_AUTH_FAILED, NULL },
		{ "E=64", CAUSE_AUTH_FAILED, NULL },
		{ "E=6470", CAUSE_AUTH_FAILED, NULL },
		{ "R=2 E=647", CAUSE_AUTH_FAILED, NULL },
		{ "E=691 R=2 C=abc \x1b[31m", CAUSE_AUTH_FAILED, NULL },
		{ "Call the help desk", CAUSE_AUTH_FAILED, "MS-CHAPv2: Call the help desk" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rig *r = rig_lcp_opened(PPP_AUTH_MSCHAPV2);
		char frame[256];

		hears(r, "ff03c223 0166001a 10" CHALLENGE "736f727a61");
		(void)snprintf(frame, sizeof(frame), "ff03c223 0466%04zx", strlen(rows[i].text) + 4);
		for (size_t k = 0; rows[i].text[k]; k++)
			(void)snprintf(frame + strlen(frame), 3, "%02x", (uint8_t)rows[i].text[k]);
		hears(r, frame);
		printf("# %zu: %s\n", i, r->failure.detail);
		check_int(r->failure.cause, rows[i].cause);
		if (rows[i].says)
			check_str(r->failure.detail, rows[i].says);
		check(!strchr(r->failure.detail, 0x1b));
	}
}

/* protocol.md 8.1, a Windows server: EAP first, callback and multilink offered, headers shortened. */
static void rras_as_captured(void)
{
	struct rig *r = rig_begin(PPP_AUTH_MSCHAPV2);
	char response[4096], request[4096];
	usec_t start;

	hears(r, "ff03c021 01000034 01040ffb 0304c227 050611223344 0702 0802 0d0306 1104064e "
		 "1317010102030405060708090a0b0c0d0e0f1011121314");
	(void)says(r);
	check_str(says(r), "ff03c021040000220d03061104064e1317010102030405060708090a0b0c0d0e0f1011121314");
	hears_ack_of(r, r->first_request);
	hears(r, "ff03c021 01010016 01040ffb 0304c227 050611223344 0702 0802");
	check_str(says(r), "ff03c021030100090305c22381");
	hears(r, "ff03c021 01020017 01040ffb 0305c22381 050611223344 0702 0802");
	check_str(says(r), "ff03c0210202001701040ffb0305c2238105061122334407020802");
	check_int(r->raised[PPP_EVENT_LCP_UP], 1);
	check_int(ppp_params(&r->p)->peer_mru, 4087);		  /* 4091 would not fit behind the headers */
	hears(r, "c021 0c030012 11223344 4d535241535635 2e3230"); /* Identification, without FF 03 */
	check_str(says(r), "");

	hears(r, "c223 0100001e 10" CHALLENGE "57494e2d535256313230");
	(void)snprintf(response, sizeof(response), "%s", says(r));
	check(strncmp(response, "ff03c2230200", 12) == 0);
	hears_success(r, response, "c223", "");
	check_int(r->raised[PPP_EVENT_AUTHENTICATED], 1);
	start = r->now;

	hears(r, "c029 0101000a 0102 0302 0a00"); /* CBCP, although it was rejected */
	check_str(says(r), "ff0380210101001603060000000081060000000083060000"
			   "0000");
	(void)says(r); /* IPV6CP */
	check_str(says(r), "ff03c029020100060102");
	while (rig_wait(r, start + 3400 * MSEC)) /* it answers after 3.4 s */
		hush(r);
	hears(r, "80fd 0104000a 120601000001");
	check_str(says(r), "ff03c0210802001080fd0104000a120601000001");
	hears(r, "8021 0105000a 0306c0000201");
	check_str(says(r), "ff03802101010016030600000000810600000000830600000000");
	check_str(says(r), "ff0380210205000a0306c0000201");
	hears(r, "8021 03010016 03060a000005 81060a000001 830600000000"); /* one name server only */
	(void)snprintf(request, sizeof(request), "%s", says(r));
	check_str(request, "ff0380210102001003060a00000581060a000001");
	hears(r, "c021 08060014 8057 0101000e 010a0011223344556677");
	check_int(r->raised[PPP_EVENT_IPV6CP_DOWN], 1);
	hears_ack_of(r, request);
	check_int(r->raised[PPP_EVENT_IPCP_UP], 1);
	check_int(ppp_params(&r->p)->dns[1].s_addr, 0);
	check_int(input_hex(&r->p, "21 4500001c00004000400126ca0a0800070a0800010800f7fd00010001", r->now),
		  PPP_PROTO_IPV4);
	check_int(r->raised[PPP_EVENT_DOWN], 0);
}

/* Its MLD reports come although IPV6CP is not open. */
static void stray_ipv6_data_is_ignored(void)
{
	struct rig *r = rig_network();

	check_int(input_hex(&r->p,
			    "ff030057 6000000000240001fe800000000000000000000000000001"
			    "ff020000000000000000000000000016 3a000502 00000000",
			    r->now),
		  0);
	check_str(says(r), "");
	check_int(r->raised[PPP_EVENT_DOWN], 0);
}

int main(void)
{
	return run_tests((struct test[]){ TEST(accel_with_its_race_on_ipcp_needs_no_timer),
					  TEST(accel_refusing_the_login),
					  TEST(accel_is_asked_again_until_the_allowed_method_comes),
					  TEST(an_allowed_method_is_taken_as_it_comes),
					  TEST(a_server_without_an_allowed_method_ends_in_that_cause),
					  TEST(the_detail_names_the_method_of_the_server),
					  TEST(a_server_that_hangs_up_over_the_method_ends_in_that_cause),
					  TEST(accel_talks_our_mru_down),
					  TEST(softether_from_its_first_byte_to_an_address),
					  TEST(softether_refusing_logins),
					  TEST(pppd_behind_sorz_loses_the_first_request),
					  TEST(pppd_refusing_a_login_with_a_retry_is_final),
					  TEST(the_error_code_decides_the_cause),
					  TEST(rras_as_captured),
					  TEST(stray_ipv6_data_is_ignored),
					  {} });
}
