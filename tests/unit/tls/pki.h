/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys and certificates made at test time, good ones and every kind of bad one. */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

struct identity {
	EVP_PKEY *key;
	X509 *cert;
};

struct identity_spec {
	const char *cn;		  /* NULL: an empty subject */
	const char *san;	  /* as in openssl.cnf: "DNS:a.example,IP:192.0.2.1"; NULL: none */
	const char *dns_with_nul; /* a dNSName "PART.\0SUFFIX": this is PART, SUFFIX is ".evil.example" */
	const char *ku, *eku;	  /* as in openssl.cnf; NULL: none */
	bool ca;		  /* basicConstraints CA:TRUE */
	int from_days, to_days;	  /* from today; both 0: yesterday to tomorrow */
	int rsa_bits;		  /* 0: an EC key on P-256 */
	bool sha1;		  /* signed with SHA-1 */
	const struct identity *issuer; /* NULL: self-signed */
	size_t padding;		       /* bytes of a comment, to make it large */
};

/* Ends the test program when OpenSSL fails: a test cannot go on without. */
struct identity identity_new(const struct identity_spec *spec);
void identity_free(struct identity *id);

/* Text that the caller frees. `certs` ends with NULL. */
char *pem_of_certs(X509 *const *certs);
char *pem_of_key(EVP_PKEY *key);
