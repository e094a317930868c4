/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One direction of TLS 1.3's record protection, written from RFC 8446 alone to judge src/tls/records.c: keys
 * by HMAC, one record after the other by EVP. What OpenSSL refuses ends the program.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tls;
struct traffic_secrets;

#define SEALED_EXTRA 22u /* header, type and tag: what a record is longer than its content and padding */

struct sealer {
	const struct sealer_suite *suite;
	uint8_t secret[48], key[32], iv[12];
	uint64_t sequence; /* of the next record */
};

/* `suite`: as SSL_CIPHER_get_id() has it. `secret` is of the length of its hash. */
void sealer_init(struct sealer *s, uint32_t suite, const uint8_t *secret);
/* The next generation of keys, §7.2. */
void sealer_update(struct sealer *s);
/* Writes a record with this content, its true type and `padding` zeros. Returns its length; §5.2's limits are
 * the caller's affair. */
size_t sealer_seal(struct sealer *s, uint8_t type, const void *content, size_t len, size_t padding,
		   uint8_t *out);
/* The length of the record that begins at `data`; 0 if not all of it is there. */
size_t sealed_length(const uint8_t *data, size_t len);
/* Opens one whole record to `out`, which has room for `len` bytes. Returns the length of its content and the
 * type, or -EBADMSG: not authentic, or no record of TLS 1.3. */
ssize_t sealer_open(struct sealer *s, const uint8_t *record, size_t len, uint8_t *ret_type, uint8_t *out);

/* A session of ours on `fd` that had no handshake: it has these secrets. Ends the program on failure. */
struct tls *session_with_secrets(uint32_t suite, const struct traffic_secrets *secrets, bool server, int fd);
