/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of src/tls: the keys of one direction, and records sealed and opened with them, see traffic.c. */
#pragma once

#include <openssl/evp.h>
#include <openssl/ssl3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/fast-gcm.h"

#define HEADER_LEN	   5u
#define TAG_LEN		   FAST_GCM_TAG /* of all ciphers here */
#define NONCE_LEN	   FAST_GCM_NONCE
#define TRAFFIC_KEY_MAX	   32
#define TRAFFIC_SECRET_MAX 48 /* SHA-384 */

/* What a handshake leaves to make traffic keys of. */
struct traffic_secrets {
	int version;	      /* as SSL_version() has it */
	int cipher;	      /* as SSL_CIPHER_get_cipher_nid() has it */
	const EVP_MD *digest; /* as SSL_CIPHER_get_handshake_digest() has it */
	/* TLS 1.3, the application traffic secrets (RFC 8446 §7.1): the client's, the server's. */
	uint8_t secret[2][TRAFFIC_SECRET_MAX];
	size_t len[2]; /* 0: not known */
	/* TLS 1.2 (RFC 5246 §6.3), likewise. */
	uint8_t master[SSL3_MASTER_SECRET_SIZE], random[2][SSL3_RANDOM_SIZE];
};

/* Keeps what a line of OpenSSL's key log callback says of them; that is its public way to tell. */
bool traffic_note_secret(struct traffic_secrets *s, const char *line);

/* One direction. */
struct traffic {
	bool encrypts;
	bool tls13;
	const struct traffic_cipher *cipher;
	const EVP_MD *digest;
	EVP_CIPHER_CTX *ctx;
	struct fast_gcm *fast; /* in its place, where there is one */
	size_t before_fast;    /* bytes until that is looked for; 0: it was */
	uint64_t sequence;     /* of the next record */
	size_t explicit_len;   /* bytes of its nonce that a record carries */
	uint8_t key[TRAFFIC_KEY_MAX], iv[NONCE_LEN];
	uint8_t secret[TRAFFIC_SECRET_MAX]; /* TLS 1.3 */
};

/* `t`: all zero. `server`: it is the server who sends. -EOPNOTSUPP if this is not done for the cipher or
 * version, or -ENOMEM; traffic_clear() follows in any case. */
int traffic_init(struct traffic *t, const struct traffic_secrets *secrets, bool server, bool encrypts);
void traffic_clear(struct traffic *t);
/* TLS 1.3: the next generation of keys, RFC 8446 §7.2. 0 or -ENOMEM. */
int traffic_update(struct traffic *t);

/* How long the record is that holds `len` bytes. */
static inline size_t traffic_sealed_len(const struct traffic *t, size_t len)
{
	return HEADER_LEN + t->explicit_len + len + t->tls13 + TAG_LEN;
}
/* How long what is sealed is, of a record with `len` bytes behind its header. TLS 1.3 has type and padding in
 * it. */
static inline size_t traffic_inner_len(const struct traffic *t, size_t len)
{
	return len - t->explicit_len - TAG_LEN;
}
/* Writes a whole record. False: the cipher failed. */
bool traffic_seal(struct traffic *t, uint8_t type, const uint8_t *data, size_t len, uint8_t *out);
/* Decrypts a record of `len` bytes behind its header to `out`, or in its own place if that is NULL. Returns
 * where it is; NULL: it is not authentic, and what is there must not be used. */
const uint8_t *traffic_open(struct traffic *t, uint8_t *record, size_t len, uint8_t *out);
