/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which entries of `pki ca` belong to one chain, told by the names in their certificates. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CONFIG_CHAIN_MAX 16 /* certificates that are handed on together */

struct config_node;
struct text;

/* Two names of a certificate, as DER stands in it; they point into the certificate. */
struct chain_names {
	const uint8_t *issuer, *subject;
	size_t issuer_len, subject_len;
};

/* Finds the names in a certificate (RFC 5280 §4.1), of which nothing else is looked at. 0 or -EBADMSG. */
int chain_read_names(const uint8_t *der, size_t len, struct chain_names *ret);

/*
 * Adds the certificate of the entry `ca` (which has one) as PEM, then the CAs above it as far as they are
 * among its siblings, then those that any of these has issued: a server may leave out the intermediate CA
 * that it has its certificate from. At most CONFIG_CHAIN_MAX in all. An entry whose names cannot be read
 * stands alone.
 */
void chain_add_pem(const struct config_node *pki, const struct config_node *ca, struct text *out);
