/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of src/tls: AES-GCM by Intel's IPsec-MB library, for processors with vector AES (VAES, AVX-512).
 * OpenSSL before 3.1 has no code for them: on one that encrypts 6 GB/s with it, this does 15. Where the
 * library or the processor is missing, or OpenSSL is new enough, fast_gcm_new() returns NULL and OpenSSL does
 * it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAST_GCM_NONCE 12u
#define FAST_GCM_TAG   16u

struct fast_gcm;

#ifdef HAVE_IPSEC_MB

/* `key_len`: 16 or 32. NULL: not faster here, or out of memory. */
struct fast_gcm *fast_gcm_new(const uint8_t *key, size_t key_len);
void fast_gcm_free(struct fast_gcm *g); /* wipes the key; NULL is fine */
/* Encrypts `len` bytes, and `tail` behind them, to `out`, and writes the tag behind that. */
void fast_gcm_seal(struct fast_gcm *g, const uint8_t nonce[static FAST_GCM_NONCE], const uint8_t *aad,
		   size_t aad_len, const uint8_t *data, size_t len, const uint8_t *tail, size_t tail_len,
		   uint8_t *out);
/* Decrypts `len` bytes with the tag behind them to `out`, which may be their own place. False: not authentic.
 */
bool fast_gcm_open(struct fast_gcm *g, const uint8_t nonce[static FAST_GCM_NONCE], const uint8_t *aad,
		   size_t aad_len, const uint8_t *data, size_t len, uint8_t *out);

#else

static inline struct fast_gcm *fast_gcm_new(const uint8_t *key, size_t key_len)
{
	(void)key;
	(void)key_len;
	return NULL;
}
static inline void fast_gcm_free(struct fast_gcm *g)
{
	(void)g;
}
static inline void fast_gcm_seal(struct fast_gcm *g, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
				 const uint8_t *data, size_t len, const uint8_t *tail, size_t tail_len,
				 uint8_t *out)
{
	(void)g;
	(void)nonce;
	(void)aad;
	(void)aad_len;
	(void)data;
	(void)len;
	(void)tail;
	(void)tail_len;
	(void)out;
}
static inline bool fast_gcm_open(struct fast_gcm *g, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
				 const uint8_t *data, size_t len, uint8_t *out)
{
	(void)g;
	(void)nonce;
	(void)aad;
	(void)aad_len;
	(void)data;
	(void)len;
	(void)out;
	return false;
}

#endif
