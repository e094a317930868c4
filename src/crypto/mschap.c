/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crypto/mschap.h"

#include <errno.h>
#include <string.h>

#include "base/wire.h"
#include "crypto/hash.h"

#define UTF16_MAX (2 * SECRET_MAX) /* a byte of UTF-8 gives at most two of UTF-16 */

/* One code point of strict UTF-8 (RFC 3629): no overlong form, no surrogate. */
static int utf8_next(struct wire_reader *r, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	uint8_t first = wire_u8(r);
	unsigned more = first < 0x80 ? 0 : (first & 0xe0) == 0xc0 ? 1 : (first & 0xf0) == 0xe0 ? 2 : 3;
	uint32_t c = first;

	if (more > 0)
		c = first & (0x3fu >> more);
	if (more == 3 && (first & 0xf8) != 0xf0)
		return -EILSEQ;
	for (unsigned i = 0; i < more; i++) {
		uint8_t next = wire_u8(r);

		if ((next & 0xc0) != 0x80)
			return -EILSEQ;
		c = c << 6 | (next & 0x3fu);
	}
	if (r->error || c < least[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return -EILSEQ;
	*ret = c;
	return 0;
}

static void put_u16le(struct wire_writer *w, uint32_t v)
{
	wire_put_u8(w, (uint8_t)v);
	wire_put_u8(w, (uint8_t)(v >> 8));
}

int mschap_nt_hash(const struct secret *password, uint8_t ret[static MSCHAP_NT_HASH_LEN])
{
	uint8_t utf16[UTF16_MAX];
	struct wire_reader r = wire_reader(password->data, password->len);
	struct wire_writer w = wire_writer(utf16, sizeof(utf16));
	int error = 0;

	while (wire_left(&r) > 0 && error == 0) {
		uint32_t c = 0;

		error = utf8_next(&r, &c);
		if (c >= 0x10000) {
			put_u16le(&w, 0xd800 + ((c - 0x10000) >> 10));
			c = 0xdc00 + ((c - 0x10000) & 0x3ff);
		}
		put_u16le(&w, c);
	}
	if (error == 0)
		hash(HASH_MD4, ret, CHUNK(utf16, w.len));
	wipe(utf16, sizeof(utf16));
	return error;
}

void mschap_challenge_hash(const uint8_t peer_challenge[static MSCHAP_CHALLENGE_LEN],
			   const uint8_t authenticator_challenge[static MSCHAP_CHALLENGE_LEN],
			   const char *user, uint8_t ret[static 8])
{
	const char *backslash = strrchr(user, '\\');
	uint8_t digest[SHA1_LEN];

	if (backslash)
		user = backslash + 1;
	hash(HASH_SHA1, digest, CHUNK(peer_challenge, MSCHAP_CHALLENGE_LEN),
	     CHUNK(authenticator_challenge, MSCHAP_CHALLENGE_LEN), CHUNK(user, strlen(user)));
	memcpy(ret, digest, 8);
}

void mschap_nt_response(const uint8_t challenge_hash[static 8],
			const uint8_t nt_hash[static MSCHAP_NT_HASH_LEN],
			uint8_t ret[static MSCHAP_RESPONSE_LEN])
{
	uint8_t padded[21] = { 0 }, key[DES_BLOCK_LEN];

	memcpy(padded, nt_hash, MSCHAP_NT_HASH_LEN);
	for (size_t i = 0; i < 3; i++) {
		des_expand_key(key, padded + 7 * i);
		des_block(ret + DES_BLOCK_LEN * i, key, challenge_hash);
	}
	wipe(padded, sizeof(padded));
	wipe(key, sizeof(key));
}

void mschap_authenticator(const uint8_t nt_hash[static MSCHAP_NT_HASH_LEN],
			  const uint8_t nt_response[static MSCHAP_RESPONSE_LEN],
			  const uint8_t challenge_hash[static 8],
			  uint8_t ret[static MSCHAP_AUTHENTICATOR_LEN])
{
	static const char magic1[] = "Magic server to client signing constant";
	static const char magic2[] = "Pad to make it do more than one iteration";
	uint8_t hash_hash[MD4_LEN], digest[SHA1_LEN];

	hash(HASH_MD4, hash_hash, CHUNK(nt_hash, MSCHAP_NT_HASH_LEN));
	hash(HASH_SHA1, digest, CHUNK(hash_hash, sizeof(hash_hash)), CHUNK(nt_response, MSCHAP_RESPONSE_LEN),
	     CHUNK(magic1, strlen(magic1)));
	hash(HASH_SHA1, ret, CHUNK(digest, sizeof(digest)), CHUNK(challenge_hash, 8),
	     CHUNK(magic2, strlen(magic2)));
	wipe(hash_hash, sizeof(hash_hash));
	wipe(digest, sizeof(digest));
}

/* RFC 3079 §3.4, GetAsymmetricStartKey. */
static void start_key(const uint8_t master_key[static MSCHAP_KEY_LEN], const char *magic,
		      uint8_t ret[static MSCHAP_KEY_LEN])
{
	uint8_t pad1[40] = { 0 }, pad2[40], digest[SHA1_LEN];

	memset(pad2, 0xf2, sizeof(pad2));
	hash(HASH_SHA1, digest, CHUNK(master_key, MSCHAP_KEY_LEN), CHUNK(pad1, sizeof(pad1)),
	     CHUNK(magic, strlen(magic)), CHUNK(pad2, sizeof(pad2)));
	memcpy(ret, digest, MSCHAP_KEY_LEN);
	wipe(digest, sizeof(digest));
}

void mschap_start_keys(const uint8_t nt_hash[static MSCHAP_NT_HASH_LEN],
		       const uint8_t nt_response[static MSCHAP_RESPONSE_LEN],
		       uint8_t ret_send[static MSCHAP_KEY_LEN], uint8_t ret_receive[static MSCHAP_KEY_LEN])
{
	static const char magic1[] = "This is the MPPE Master Key";
	static const char magic2[] = "On the client side, this is the send key; "
				     "on the server side, it is the receive key.";
	static const char magic3[] = "On the client side, this is the receive key; "
				     "on the server side, it is the send key.";
	uint8_t hash_hash[MD4_LEN], master_key[SHA1_LEN];

	hash(HASH_MD4, hash_hash, CHUNK(nt_hash, MSCHAP_NT_HASH_LEN));
	hash(HASH_SHA1, master_key, CHUNK(hash_hash, sizeof(hash_hash)),
	     CHUNK(nt_response, MSCHAP_RESPONSE_LEN), CHUNK(magic1, strlen(magic1)));
	start_key(master_key, magic2, ret_send);
	start_key(master_key, magic3, ret_receive);
	wipe(hash_hash, sizeof(hash_hash));
	wipe(master_key, sizeof(master_key));
}

int mschap_v2(const struct secret *password, const char *user,
	      const uint8_t authenticator_challenge[static MSCHAP_CHALLENGE_LEN],
	      const uint8_t peer_challenge[static MSCHAP_CHALLENGE_LEN], struct mschap_result *ret)
{
	uint8_t nt_hash[MSCHAP_NT_HASH_LEN], challenge_hash[8];
	int error = mschap_nt_hash(password, nt_hash);

	if (error < 0)
		return error;
	mschap_challenge_hash(peer_challenge, authenticator_challenge, user, challenge_hash);
	mschap_nt_response(challenge_hash, nt_hash, ret->nt_response);
	mschap_authenticator(nt_hash, ret->nt_response, challenge_hash, ret->authenticator);
	mschap_start_keys(nt_hash, ret->nt_response, ret->keys, ret->keys + MSCHAP_KEY_LEN);
	wipe(nt_hash, sizeof(nt_hash));
	return 0;
}
