/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crypto/binding.h"

#include "test.h"
#include "vectors.h"

static void prf_plus_beyond_one_round(void)
{
	uint8_t out[128];

	for (size_t i = 0; i < ARRAY_SIZE(vectors_prf_plus); i++) {
		const struct vector_prf_plus *v = &vectors_prf_plus[i];
		enum hash h = strcmp(v->hash, "sha1") == 0 ? HASH_SHA1 : HASH_SHA256;

		check(v->length > (int)hash_len(h) && v->length <= (int)sizeof(out));
		prf_plus(h, out, (size_t)v->length, v->key.data, v->key.len, v->seed_ascii.data,
			 v->seed_ascii.len);
		check_mem(out, (size_t)v->length, v->output.data, v->output.len);
	}
}

static void check_binding(int protocol, struct vector_bytes hlak, struct vector_bytes cmk,
			  struct vector_bytes mac, struct vector_bytes packet)
{
	enum hash h = protocol == 1 ? HASH_SHA1 : HASH_SHA256;
	uint8_t key[HASH_LEN_MAX], out[BINDING_MAC_SPACE];

	check_int(packet.len, BINDING_PACKET_LEN);
	check_int(hlak.len, BINDING_HLAK_LEN);
	if (cmk.len > 0) {
		binding_cmk(h, key, hlak.data);
		check_mem(key, hash_len(h), cmk.data, cmk.len);
	}
	binding_mac(h, out, hlak.data, packet.data);
	if (mac.len > 0)
		check_mem(out, hash_len(h), mac.data, mac.len);
	check_mem(out, sizeof(out), packet.data + BINDING_MAC_AT, BINDING_MAC_SPACE);
}

static void published_in_the_standard(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors_binding_published); i++) {
		const struct vector_binding_published *v = &vectors_binding_published[i];

		check_binding(v->hash_protocol, v->hlak, v->cmk, v->compound_mac, v->call_connected);
	}
}

static void chosen_keys(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors_binding_chosen); i++) {
		const struct vector_binding_chosen *v = &vectors_binding_chosen[i];

		check_binding(v->hash_protocol, v->hlak, v->cmk, v->compound_mac, v->call_connected);
	}
}

static void accepted_by_real_servers(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors_server_accepted); i++) {
		const struct vector_server_accepted *v = &vectors_server_accepted[i];

		check_binding(v->hash_protocol, v->hlak, (struct vector_bytes){}, (struct vector_bytes){},
			      v->connected);
	}
}

int main(void)
{
	return run_tests((struct test[]){ TEST(prf_plus_beyond_one_round),
					  TEST(published_in_the_standard),
					  TEST(chosen_keys),
					  TEST(accepted_by_real_servers),
					  {} });
}
