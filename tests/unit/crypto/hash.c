/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crypto/hash.h"

#include "test.h"
#include "vectors.h"

static void md4_digests_of_rfc1320(void)
{
	uint8_t out[MD4_LEN];

	for (size_t i = 0; i < ARRAY_SIZE(vectors_md4); i++) {
		const struct vector_md4 *v = &vectors_md4[i];

		hash(HASH_MD4, out, CHUNK(v->ascii.data, v->ascii.len));
		check_mem(out, sizeof(out), v->digest.data, v->digest.len);
	}
}

/* The pieces of a message are hashed as one, wherever it is cut. */
static void pieces_are_joined(void)
{
	static const char text[] = "The quick brown fox jumps over the lazy dog";
	static const uint8_t md5[MD5_LEN] = { 0x9e, 0x10, 0x7d, 0x9d, 0x37, 0x2b, 0xb6, 0x82,
					      0x6b, 0xd8, 0x1d, 0x35, 0x42, 0xa4, 0x19, 0xd6 };
	size_t len = strlen(text);
	uint8_t out[HASH_LEN_MAX];

	for (size_t cut = 0; cut <= len; cut++) {
		hash(HASH_MD5, out, CHUNK(text, cut), CHUNK(NULL, 0), CHUNK(text + cut, len - cut));
		check_mem(out, hash_len(HASH_MD5), md5, sizeof(md5));
	}
}

static void certificate_digests(void)
{
	const struct vector_certificate *v = vectors_certificate;
	uint8_t out[HASH_LEN_MAX];

	hash(HASH_SHA1, out, CHUNK(v->der.data, v->der.len));
	check_mem(out, hash_len(HASH_SHA1), v->sha1.data, v->sha1.len);
	hash(HASH_SHA256, out, CHUNK(v->der.data, v->der.len));
	check_mem(out, hash_len(HASH_SHA256), v->sha256.data, v->sha256.len);
}

/* RFC 2202 §2 and §3, RFC 4231 §4: short key, key of one block and more. */
static void hmac_of_rfc2202_and_rfc4231(void)
{
	uint8_t out[HASH_LEN_MAX], long_key[131];

	memset(long_key, 0xaa, sizeof(long_key));
	hmac(HASH_SHA1, out, "Jefe", 4, CHUNK("what do ya want ", 16), CHUNK("for nothing?", 12));
	check_mem(out, SHA1_LEN,
		  "\xef\xfc\xdf\x6a\xe5\xeb\x2f\xa2\xd2\x74\x16\xd5\xf1\x84\xdf\x9c\x25\x9a\x7c\x79", 20);
	hmac(HASH_MD5, out, "Jefe", 4, CHUNK("what do ya want for nothing?", 28));
	check_mem(out, MD5_LEN, "\x75\x0c\x78\x3e\x6a\xb0\xb5\x03\xea\xa8\x6e\x31\x0a\x5d\xb7\x38", 16);
	hmac(HASH_SHA1, out, long_key, 80,
	     CHUNK("Test Using Larger Than Block-Size Key - Hash Key First", 54));
	check_mem(out, SHA1_LEN,
		  "\xaa\x4a\xe5\xe1\x52\x72\xd0\x0e\x95\x70\x56\x37\xce\x8a\x3b\x55\xed\x40\x21\x12", 20);
	hmac(HASH_SHA256, out, long_key, sizeof(long_key),
	     CHUNK("Test Using Larger Than Block-Size Key - Hash Key First", 54));
	check_mem(out, SHA256_LEN,
		  "\x60\xe4\x31\x59\x1e\xe0\xb6\x7f\x0d\x8a\x26\xaa\xcb\xf5\xb7\x7f\x8e\x0b\xc6\x21\x37\x28"
		  "\xc5\x14"
		  "\x05\x46\x04\x0f\x0e\xe3\x7f\x54",
		  32);
}

/* A key of exactly one block is used as it is, not hashed. Computed with another implementation. */
static void hmac_with_a_block_of_key(void)
{
	uint8_t out[HASH_LEN_MAX], key[64];

	memset(key, 0xaa, sizeof(key));
	hmac(HASH_SHA256, out, key, sizeof(key), CHUNK("block-sized key", 15));
	check_mem(out, SHA256_LEN,
		  "\x8b\x7c\x10\x56\x01\xc4\x2c\x66\x78\x60\x73\xa7\xec\xf5\xbc\x2c\xb5\x53\x7e\x91\x5d\x74"
		  "\x06\x67\xa9\x27\x5a\xd0\xf6\x67\xca\xc5",
		  32);
}

static void des_blocks(void)
{
	uint8_t out[DES_BLOCK_LEN];

	for (size_t i = 0; i < ARRAY_SIZE(vectors_des); i++) {
		const struct vector_des *v = &vectors_des[i];

		des_block(out, v->key.data, v->plain.data);
		check_mem(out, sizeof(out), v->cipher.data, v->cipher.len);
	}
}

static void des_keys_are_spread_with_odd_parity(void)
{
	uint8_t out[8];

	for (size_t i = 0; i < ARRAY_SIZE(vectors_des_key); i++) {
		des_expand_key(out, vectors_des_key[i].key7.data);
		check_mem(out, sizeof(out), vectors_des_key[i].key8.data, vectors_des_key[i].key8.len);
	}
}

int main(void)
{
	return run_tests((struct test[]){ TEST(md4_digests_of_rfc1320),
					  TEST(pieces_are_joined),
					  TEST(certificate_digests),
					  TEST(hmac_of_rfc2202_and_rfc4231),
					  TEST(hmac_with_a_block_of_key),
					  TEST(des_blocks),
					  TEST(des_keys_are_spread_with_odd_parity),
					  {} });
}
