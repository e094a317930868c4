/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MS-CHAPv2 against RFC 2759, RFC 3079, chosen vectors, and what three real servers accepted. */
#include <errno.h>

#include "base/macro.h"
#include "crypto/mschap.h"
#include "test.h"
#include "vectors.h"

static struct secret secret_of(const struct vector_bytes *v)
{
	struct secret s = { 0 };

	(void)secret_set(&s, v->data, v->len);
	return s;
}

static void authenticator_text(char out[static 43], const uint8_t a[static MSCHAP_AUTHENTICATOR_LEN])
{
	(void)snprintf(out, 3, "S=");
	for (size_t i = 0; i < MSCHAP_AUTHENTICATOR_LEN; i++)
		(void)snprintf(out + 2 + 2 * i, 3, "%02X", a[i]);
}

static void every_step_matches_the_vectors(void)
{
	check(ARRAY_SIZE(vectors_mschapv2) >= 4);
	for (size_t i = 0; i < ARRAY_SIZE(vectors_mschapv2); i++) {
		const struct vector_mschapv2 *v = &vectors_mschapv2[i];
		struct secret password = secret_of(&v->password);
		const char *user = (const char *)v->user.data;
		uint8_t nt_hash[16], challenge_hash[8], response[24], authenticator[20], send[16],
			receive[16];
		char text[43];

		check_int(mschap_nt_hash(&password, nt_hash), 0);
		check_mem(nt_hash, 16, v->nt_password_hash.data, v->nt_password_hash.len);
		mschap_challenge_hash(v->peer_challenge.data, v->authenticator_challenge.data, user,
				      challenge_hash);
		check_mem(challenge_hash, 8, v->challenge_hash.data, v->challenge_hash.len);
		mschap_nt_response(challenge_hash, nt_hash, response);
		check_mem(response, 24, v->nt_response.data, v->nt_response.len);
		mschap_authenticator(nt_hash, response, challenge_hash, authenticator);
		authenticator_text(text, authenticator);
		check_str(text, (const char *)v->authenticator_response.data);
		mschap_start_keys(nt_hash, response, send, receive);
		check_mem(send, 16, v->client_master_send_key.data, v->client_master_send_key.len);
		check_mem(receive, 16, v->client_master_receive_key.data, v->client_master_receive_key.len);
	}
}

static void the_whole_matches_the_vectors(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors_mschapv2); i++) {
		const struct vector_mschapv2 *v = &vectors_mschapv2[i];
		struct secret password = secret_of(&v->password);
		struct mschap_result result;

		check_int(mschap_v2(&password, (const char *)v->user.data, v->authenticator_challenge.data,
				    v->peer_challenge.data, &result),
			  0);
		check_mem(result.nt_response, 24, v->nt_response.data, v->nt_response.len);
		check_mem(result.keys, 32, v->hlak_client.data, v->hlak_client.len);
	}
}

/* The order of send and receive key, from a third source. */
static void the_order_of_the_keys_is_that_of_a_client(void)
{
	const struct vector_mppe_order_check *v = &vectors_mppe_order_check[0];
	struct secret password = secret_of(&v->password);
	uint8_t nt_hash[16], send[16], receive[16];

	check_int(mschap_nt_hash(&password, nt_hash), 0);
	mschap_start_keys(nt_hash, v->nt_response.data, send, receive);
	check_mem(send, 16, v->client_master_send_key.data, v->client_master_send_key.len);
	check_mem(receive, 16, v->client_master_receive_key.data, v->client_master_receive_key.len);
}

static void real_servers_accepted_the_same_bytes(void)
{
	unsigned used = 0;

	for (size_t i = 0; i < ARRAY_SIZE(vectors_server_accepted); i++) {
		const struct vector_server_accepted *v = &vectors_server_accepted[i];
		struct secret password = secret_of(&v->password);
		struct mschap_result result;
		char text[43];

		if (v->auth_challenge.len == 0) /* PAP or CHAP-MD5 */
			continue;
		used++;
		check_int(mschap_v2(&password, (const char *)v->user.data, v->auth_challenge.data,
				    v->peer_challenge.data, &result),
			  0);
		check_mem(result.nt_response, 24, v->nt_response.data, v->nt_response.len);
		check_mem(result.keys, 32, v->hlak.data, v->hlak.len);
		authenticator_text(text, result.authenticator);
		check_str(text, (const char *)v->authenticator_response.data);
	}
	check_int(used, 5);
}

/* NT hashes of passwords beyond Latin-1, computed with iconv and openssl's legacy MD4. */
static void passwords_become_utf16(void)
{
	static const struct {
		const char *utf8;
		uint8_t nt_hash[16];
	} good[] = {
		{ "",
		  { 0x31, 0xd6, 0xcf, 0xe0, 0xd1, 0x6a, 0xe9, 0x31, 0xb7, 0x3c, 0x59, 0xd7, 0xe0, 0xc0, 0x89,
		    0xc0 } },
		{ "\160\141\163\163",
		  { 0x36, 0xaa, 0x83, 0xbd, 0xca, 0xb3, 0xc9, 0xfd, 0xaf, 0x32, 0x1c, 0xa4, 0x2a, 0x31, 0xc3,
		    0xfc } },
		{ "\346\227\245\346\234\254\350\252\236\343\203\221\343\202\271\343\203\257\343\203\274\343"
		  "\203\211",
		  { 0x3e, 0xb3, 0x12, 0xb3, 0xdf, 0x06, 0xdb, 0xdc, 0xf8, 0x38, 0x27, 0x5e, 0x37, 0x6a, 0xf3,
		    0xdb } },
		{ "\360\237\224\221\040\153\145\171\040\364\217\277\277",
		  { 0xbd, 0xb6, 0xaa, 0x9e, 0x95, 0xfe, 0x90, 0xc3, 0x38, 0xe6, 0x1a, 0xca, 0x0b, 0x8d, 0x94,
		    0x68 } },
		{ "\340\240\200\357\277\277\337\277\177",
		  { 0x0b, 0x02, 0xf8, 0x0b, 0xbc, 0xd1, 0xaf, 0xa8, 0x4d, 0x9e, 0x93, 0xa5, 0x31, 0x84, 0x04,
		    0xae } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct secret s = { 0 };
		uint8_t nt_hash[16];

		check_int(secret_set(&s, good[i].utf8, strlen(good[i].utf8)), 0);
		check_int(mschap_nt_hash(&s, nt_hash), 0);
		check_mem(nt_hash, 16, good[i].nt_hash, 16);
	}
}

static void what_is_not_utf8_is_refused(void)
{
	static const char *const bad[] = {
		"\x80",
		"a\xff",
		"\xc3",
		"\xc3(",
		"\xc0\xaf",
		"\xe2\x82",
		"\xe0\x80\xaf",
		"\xed\xa0\x80",
		"\xed\xbf\xbf",
		"\xf0\x80\x80\xaf",
		"\xf0\x9f\x92",
		"\xf4\x90\x80\x80",
		"\xf8\x88\x80\x80\x80",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct secret s = { 0 };
		struct mschap_result result;
		uint8_t challenge[16] = { 0 };

		check_int(secret_set(&s, bad[i], strlen(bad[i])), 0);
		check_int(mschap_v2(&s, "x", challenge, challenge, &result), -EILSEQ);
	}
}

int main(void)
{
	return run_tests((struct test[]){ TEST(every_step_matches_the_vectors),
					  TEST(the_whole_matches_the_vectors),
					  TEST(the_order_of_the_keys_is_that_of_a_client),
					  TEST(real_servers_accepted_the_same_bytes),
					  TEST(passwords_become_utf16),
					  TEST(what_is_not_utf8_is_refused),
					  {} });
}
