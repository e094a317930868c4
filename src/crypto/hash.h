/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hashes, HMACs and the block cipher that SSTP and PPP authentication need: a thin layer over nettle. It
 * needs no run-time modules, so it works inside the sandbox. MD4, MD5, SHA-1 and DES are what the protocols
 * prescribe, not a choice; nothing here is meant for other uses.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

enum hash { HASH_MD4, HASH_MD5, HASH_SHA1, HASH_SHA256 };

#define MD4_LEN	      16
#define MD5_LEN	      16
#define SHA1_LEN      20
#define SHA256_LEN    32
#define HASH_LEN_MAX  32
#define DES_BLOCK_LEN 8

/* The length of a digest in bytes. */
size_t hash_len(enum hash h);

/* A piece of the input; the pieces are hashed one behind the other. */
struct chunk {
	const void *data;
	size_t len;
};
#define CHUNK(data_, len_)                     \
	(struct chunk)                         \
	{                                      \
		.data = (data_), .len = (len_) \
	}

/* Writes hash_len(h) bytes of H(parts[0] | parts[1] | …) to `out`. Leaves no copy of the input behind. */
void hash_chunks(enum hash h, uint8_t *out, const struct chunk *parts, size_t count);
/* The same for a handful of pieces: hash(HASH_SHA1, out, CHUNK(a, 16), CHUNK(b, 8)). */
#define hash(h, out, ...)                                              \
	hash_chunks((h), (out), (const struct chunk[]){ __VA_ARGS__ }, \
		    ARRAY_SIZE(((const struct chunk[]){ __VA_ARGS__ })))

/* RFC 2104. Writes hash_len(h) bytes of HMAC-H(key, parts…) to `out`; any hash of the list, any key length.
 */
void hmac_chunks(enum hash h, uint8_t *out, const void *key, size_t key_len, const struct chunk *parts,
		 size_t count);
#define hmac(h, out, key, key_len, ...)                                                  \
	hmac_chunks((h), (out), (key), (key_len), (const struct chunk[]){ __VA_ARGS__ }, \
		    ARRAY_SIZE(((const struct chunk[]){ __VA_ARGS__ })))

/* One block of DES in ECB mode. The parity bits of the key do not matter; weak keys are used like any other,
 * as MS-CHAP demands. */
void des_block(uint8_t out[static DES_BLOCK_LEN], const uint8_t key[static 8],
	       const uint8_t in[static DES_BLOCK_LEN]);
/* RFC 2759 §8.6: spreads 56 bits over eight bytes and sets odd parity. */
void des_expand_key(uint8_t out[static 8], const uint8_t key[static 7]);
