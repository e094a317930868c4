/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key derivation of the SSTP crypto binding, [MS-SSTP] 3.2.5.2. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "crypto/hash.h"

#define BINDING_HLAK_LEN   32
#define BINDING_PACKET_LEN 112 /* CALL_CONNECTED, [MS-SSTP] 2.2.11 */
#define BINDING_MAC_AT	   80  /* offset of the compound MAC in it */
#define BINDING_MAC_SPACE  32  /* a SHA-1 MAC is followed by 12 zero bytes */

/*
 * PRF+ of IKEv2 with a 16-bit little-endian length mixed in, [MS-SSTP] 3.2.5.2.2: T1 = HMAC(K, S | LEN | 1),
 * Tn = HMAC(K, Tn-1 | S | LEN | n). `len` ≤ 255 digests.
 */
void prf_plus(enum hash h, uint8_t *out, size_t len, const void *key, size_t key_len, const void *seed,
	      size_t seed_len);

/* The compound MAC key of a higher-layer authentication key. Writes hash_len(h) bytes. `h`: SHA-1 or SHA-256.
 */
void binding_cmk(enum hash h, uint8_t *out, const uint8_t hlak[static BINDING_HLAK_LEN]);

/*
 * The compound MAC of a CALL_CONNECTED packet. What stands in the packet's MAC field does not matter: it
 * counts as zero. Writes BINDING_MAC_SPACE bytes, padded with zeros behind a SHA-1 MAC, as the field has it.
 */
void binding_mac(enum hash h, uint8_t out[static BINDING_MAC_SPACE],
		 const uint8_t hlak[static BINDING_HLAK_LEN],
		 const uint8_t packet[static BINDING_PACKET_LEN]);
