/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The computations of MS-CHAPv2 (RFC 2759 §8) and of the keys that come out of it (RFC 3079 §3). They are the
 * same in CHAP and in EAP.
 */
#pragma once

#include <stdint.h>

#include "base/secret.h"

#define MSCHAP_CHALLENGE_LEN	 16
#define MSCHAP_NT_HASH_LEN	 16
#define MSCHAP_RESPONSE_LEN	 24
#define MSCHAP_AUTHENTICATOR_LEN 20
#define MSCHAP_KEY_LEN		 16

/* What one exchange of challenges and a password give. Wipe it. */
struct mschap_result {
	uint8_t nt_response[MSCHAP_RESPONSE_LEN];
	uint8_t authenticator[MSCHAP_AUTHENTICATOR_LEN]; /* the 20 bytes behind "S=" */
	/* The client's MasterSendKey and MasterReceiveKey: the HLAK of [MS-SSTP] 3.2.5.2.2, equal on both
	 * sides. A use before the peer was verified is a mistake. */
	uint8_t keys[2 * MSCHAP_KEY_LEN];
};

/*
 * `user` as typed: what stands up to the last backslash is a domain and not hashed (RFC 2759 §8.2 and all
 * servers). `password` is UTF-8. -EILSEQ if it is not.
 */
int mschap_v2(const struct secret *password, const char *user,
	      const uint8_t authenticator_challenge[static MSCHAP_CHALLENGE_LEN],
	      const uint8_t peer_challenge[static MSCHAP_CHALLENGE_LEN], struct mschap_result *ret);

/* The steps, in the names of RFC 2759 §8 and RFC 3079 §3. */
int mschap_nt_hash(const struct secret *password, uint8_t ret[static MSCHAP_NT_HASH_LEN]);
void mschap_challenge_hash(const uint8_t peer_challenge[static MSCHAP_CHALLENGE_LEN],
			   const uint8_t authenticator_challenge[static MSCHAP_CHALLENGE_LEN],
			   const char *user, uint8_t ret[static 8]);
void mschap_nt_response(const uint8_t challenge_hash[static 8],
			const uint8_t nt_hash[static MSCHAP_NT_HASH_LEN],
			uint8_t ret[static MSCHAP_RESPONSE_LEN]);
void mschap_authenticator(const uint8_t nt_hash[static MSCHAP_NT_HASH_LEN],
			  const uint8_t nt_response[static MSCHAP_RESPONSE_LEN],
			  const uint8_t challenge_hash[static 8],
			  uint8_t ret[static MSCHAP_AUTHENTICATOR_LEN]);
/* The 128-bit start keys in the client's view. */
void mschap_start_keys(const uint8_t nt_hash[static MSCHAP_NT_HASH_LEN],
		       const uint8_t nt_response[static MSCHAP_RESPONSE_LEN],
		       uint8_t ret_send[static MSCHAP_KEY_LEN], uint8_t ret_receive[static MSCHAP_KEY_LEN]);
