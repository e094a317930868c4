/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crypto/binding.h"

#include <string.h>

#include "base/secret.h"

static const char cmk_seed[] = "SSTP inner method derived CMK";

void prf_plus(enum hash h, uint8_t *out, size_t len, const void *key, size_t key_len, const void *seed,
	      size_t seed_len)
{
	const uint8_t len_le[2] = { (uint8_t)len, (uint8_t)(len >> 8) };
	uint8_t t[HASH_LEN_MAX];
	size_t t_len = 0; /* T1 has no predecessor */

	for (uint8_t n = 1; len > 0; n++) {
		hmac(h, t, key, key_len, CHUNK(t, t_len), CHUNK(seed, seed_len), CHUNK(len_le, 2),
		     CHUNK(&n, 1));
		t_len = hash_len(h);

		size_t take = MIN(t_len, len);
		memcpy(out, t, take);
		out += take;
		len -= take;
	}
	wipe(t, sizeof(t));
}

void binding_cmk(enum hash h, uint8_t *out, const uint8_t hlak[static BINDING_HLAK_LEN])
{
	prf_plus(h, out, hash_len(h), hlak, BINDING_HLAK_LEN, cmk_seed, strlen(cmk_seed));
}

void binding_mac(enum hash h, uint8_t out[static BINDING_MAC_SPACE],
		 const uint8_t hlak[static BINDING_HLAK_LEN], const uint8_t packet[static BINDING_PACKET_LEN])
{
	static const uint8_t zero[BINDING_MAC_SPACE];
	uint8_t cmk[HASH_LEN_MAX];

	binding_cmk(h, cmk, hlak);
	memset(out, 0, BINDING_MAC_SPACE);
	hmac(h, out, cmk, hash_len(h), CHUNK(packet, BINDING_MAC_AT), CHUNK(zero, sizeof(zero)));
	wipe(cmk, sizeof(cmk));
}
