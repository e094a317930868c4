/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pki.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	printf("Bail out! %s\n", what);
	ERR_print_errors_fp(stdout);
	exit(99);
}

static void add_extension(X509 *x, const X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;

	if (!value)
		return;
	X509V3_set_ctx(&ctx, (X509 *)(uintptr_t)issuer, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(e && X509_add_ext(x, e, -1), value);
	X509_EXTENSION_free(e);
}

static void add_name_with_nul(X509 *x, const char *part)
{
	static const char suffix[] = "\0.evil.example";
	char text[128];
	size_t n = strlen(part);

	memcpy(text, part, n);
	memcpy(text + n, suffix, sizeof(suffix) - 1);
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *s = ASN1_IA5STRING_new();
	must(names && name && s && ASN1_STRING_set(s, text, (int)(n + sizeof(suffix) - 1)), "name");
	GENERAL_NAME_set0_value(name, GEN_DNS, s);
	must(sk_GENERAL_NAME_push(names, name) > 0, "names");
	must(X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1, "SAN");
	GENERAL_NAMES_free(names);
}

static void add_padding(X509 *x, size_t size)
{
	char *text = malloc(size + 1);

	must(text != NULL, "memory");
	memset(text, 'x', size);
	text[size] = 0;
	ASN1_IA5STRING *s = ASN1_IA5STRING_new();
	must(s && ASN1_STRING_set(s, text, (int)size), "comment");
	must(X509_add1_ext_i2d(x, NID_netscape_comment, s, 0, X509V3_ADD_DEFAULT) == 1, "comment");
	ASN1_STRING_free(s);
	free(text);
}

struct identity identity_new(const struct identity_spec *spec)
{
	const bool dated = spec->from_days != 0 || spec->to_days != 0;
	struct identity id = { .cert = X509_new() };
	const struct identity *issuer = spec->issuer ? spec->issuer : &id;
	unsigned char serial[8];

	id.key = spec->rsa_bits ? EVP_RSA_gen((size_t)spec->rsa_bits) : EVP_EC_gen("P-256");
	must(id.key && id.cert, "key");
	must(RAND_bytes(serial, sizeof(serial)) == 1, "serial");
	serial[0] = (unsigned char)((serial[0] & 0x7f) | 1);
	BIGNUM *bn = BN_bin2bn(serial, sizeof(serial), NULL);
	must(bn && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(id.cert)), "serial");
	BN_free(bn);

	must(X509_set_version(id.cert, X509_VERSION_3) && X509_set_pubkey(id.cert, id.key), "certificate");
	X509_gmtime_adj(X509_getm_notBefore(id.cert), (dated ? spec->from_days : -1) * 86400L);
	X509_gmtime_adj(X509_getm_notAfter(id.cert), (dated ? spec->to_days : 1) * 86400L);
	X509_NAME *subject = X509_get_subject_name(id.cert);
	if (spec->cn)
		must(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)spec->cn,
						-1, -1, 0),
		     "subject");
	must(X509_set_issuer_name(id.cert, X509_get_subject_name(issuer->cert)), "issuer");
	add_extension(id.cert, issuer->cert, NID_basic_constraints,
		      spec->ca ? "critical,CA:TRUE" : "CA:FALSE");
	add_extension(id.cert, issuer->cert, NID_subject_alt_name, spec->san);
	add_extension(id.cert, issuer->cert, NID_key_usage, spec->ku);
	add_extension(id.cert, issuer->cert, NID_ext_key_usage, spec->eku);
	if (spec->dns_with_nul)
		add_name_with_nul(id.cert, spec->dns_with_nul);
	if (spec->padding)
		add_padding(id.cert, spec->padding);
	must(X509_sign(id.cert, issuer->key, spec->sha1 ? EVP_sha1() : EVP_sha256()) > 0, "signature");
	return id;
}

void identity_free(struct identity *id)
{
	X509_free(id->cert);
	EVP_PKEY_free(id->key);
	*id = (struct identity){ 0 };
}

static char *text_of(BIO *bio)
{
	char *data, *text;
	long len = BIO_get_mem_data(bio, &data);

	text = strndup(data, (size_t)len);
	must(text != NULL, "memory");
	BIO_free(bio);
	return text;
}

char *pem_of_certs(X509 *const *certs)
{
	BIO *bio = BIO_new(BIO_s_mem());

	for (; *certs; certs++)
		must(PEM_write_bio_X509(bio, *certs) == 1, "PEM");
	return text_of(bio);
}

char *pem_of_key(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	must(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1, "PEM");
	return text_of(bio);
}
