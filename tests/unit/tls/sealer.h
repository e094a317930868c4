/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One direction of record protection, written from RFC 8446, and for TLS 1.2 from RFC 5246, 5288 and 7905,
 * alone to judge src/tls: keys by HMAC, one record after the other by EVP. What OpenSSL refuses ends the
 * program.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tls/traffic.h"

struct tls;

#define SEALED_EXTRA 29u /* what a record is longer than its content and padding, at most */

struct sealer {
	const struct sealer_suite *suite;
	uint8_t secret[48], key[32], iv[12];
	uint64_t sequence;   /* of the next record */
	uint64_t last_nonce; /* that a record of TLS 1.2 carried */
};

/* Secrets for a session with this suite, as SSL_CIPHER_get_id() has it, made up. */
struct traffic_secrets sealer_secrets(uint32_t suite);
/* `server`: for what the server sends. */
void sealer_init(struct sealer *s, uint32_t suite, const struct traffic_secrets *secrets, bool server);
/* The next generation of keys, RFC 8446 §7.2. */
void sealer_update(struct sealer *s);
/* Writes a record with this content, its true type and, in TLS 1.3, `padding` zeros. Returns its length; the
 * limits are the caller's affair. */
size_t sealer_seal(struct sealer *s, uint8_t type, const void *content, size_t len, size_t padding,
		   uint8_t *out);
/* The length of the record that begins at `data`; 0 if not all of it is there. */
size_t sealed_length(const uint8_t *data, size_t len);
/* Opens one whole record to `out`, which has room for `len` bytes. Returns the length of its content and the
 * type, or -EBADMSG: not authentic, no record of this version, or one with a nonce that is not new. */
ssize_t sealer_open(struct sealer *s, const uint8_t *record, size_t len, uint8_t *ret_type, uint8_t *out);

/* A session of ours on `fd` that had no handshake: it has these secrets. Ends the program on failure. */
struct tls *session_with_secrets(const struct traffic_secrets *secrets, bool server, int fd);
