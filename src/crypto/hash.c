/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crypto/hash.h"

#include <nettle/des.h>
#include <nettle/md4.h>
#include <nettle/md5.h>
#include <nettle/nettle-meta.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

#define BLOCK_LEN 64 /* the input block of all four hashes */

union context {
	struct md4_ctx md4;
	struct md5_ctx md5;
	struct sha1_ctx sha1;
	struct sha256_ctx sha256;
};

static const struct nettle_hash *algorithm(enum hash h)
{
	switch (h) {
	case HASH_MD4:
		return &nettle_md4;
	case HASH_MD5:
		return &nettle_md5;
	case HASH_SHA1:
		return &nettle_sha1;
	case HASH_SHA256:
		return &nettle_sha256;
	}
	abort();
}

size_t hash_len(enum hash h)
{
	return algorithm(h)->digest_size;
}

static void update(const struct nettle_hash *a, union context *c, const struct chunk *parts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (parts[i].len > 0)
			a->update(c, parts[i].len, parts[i].data);
}

void hash_chunks(enum hash h, uint8_t *out, const struct chunk *parts, size_t count)
{
	const struct nettle_hash *a = algorithm(h);
	union context c;

	a->init(&c);
	update(a, &c, parts, count);
	a->digest(&c, a->digest_size, out);
	wipe(&c, sizeof(c));
}

void hmac_chunks(enum hash h, uint8_t *out, const void *key, size_t key_len, const struct chunk *parts,
		 size_t count)
{
	const struct nettle_hash *a = algorithm(h);
	uint8_t pad[BLOCK_LEN] = {}, inner[HASH_LEN_MAX];
	union context c;

	if (key_len > BLOCK_LEN)
		hash(h, pad, CHUNK(key, key_len));
	else if (key_len > 0)
		memcpy(pad, key, key_len);

	for (size_t i = 0; i < BLOCK_LEN; i++)
		pad[i] ^= 0x36;
	a->init(&c);
	a->update(&c, BLOCK_LEN, pad);
	update(a, &c, parts, count);
	a->digest(&c, a->digest_size, inner);

	for (size_t i = 0; i < BLOCK_LEN; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	a->init(&c);
	a->update(&c, BLOCK_LEN, pad);
	a->update(&c, a->digest_size, inner);
	a->digest(&c, a->digest_size, out);

	wipe(&c, sizeof(c));
	wipe(pad, sizeof(pad));
	wipe(inner, sizeof(inner));
}

void des_block(uint8_t out[static DES_BLOCK_LEN], const uint8_t key[static 8],
	       const uint8_t in[static DES_BLOCK_LEN])
{
	struct des_ctx c;

	(void)des_set_key(&c, key); /* 0 only says "weak key" */
	nettle_des_encrypt(&c, DES_BLOCK_LEN, out, in);
	wipe(&c, sizeof(c));
}

void des_expand_key(uint8_t out[static 8], const uint8_t key[static 7])
{
	uint64_t bits = 0;

	for (int i = 0; i < 7; i++)
		bits = bits << 8 | key[i];
	for (int i = 0; i < 8; i++) {
		unsigned seven = (unsigned)(bits >> (49 - 7 * i)) & 0x7fu;
		unsigned parity = (unsigned)__builtin_parity(seven) ^ 1u;

		out[i] = (uint8_t)(seven << 1 | parity);
	}
	wipe(&bits, sizeof(bits));
}
