/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people and pins need to know of a certificate. */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"
#include "base/text.h"
#include "tls/internal.h"

int certificate_pin(const X509 *x, struct tls_pin *ret)
{
	uint8_t *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
	struct tls_pin pin;
	int ok = len > 0 && EVP_Digest(der, (size_t)len, pin.sha256, NULL, EVP_sha256(), NULL);

	OPENSSL_free(der);
	if (!ok) {
		ERR_clear_error();
		return -ENOMEM;
	}
	*ret = pin;
	return 0;
}

void certificate_name(const X509_NAME *name, char *out, size_t size)
{
	/* "C=NL, O=Example, CN=vpn.example.com", everything beyond ASCII escaped. */
	const unsigned long flags = ASN1_STRFLGS_RFC2253 | XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN;
	BIO *bio = BIO_new(BIO_s_mem());
	char *data = NULL;
	long len = 0;

	if (bio && X509_NAME_print_ex(bio, name, 0, flags) >= 0)
		len = BIO_get_mem_data(bio, &data);
	printable(out, size, data, (size_t)MAX(len, 0));
	BIO_free(bio);
	ERR_clear_error();
}

/* An address must be an entry of its own kind (RFC 9110 §4.3.5); among the names it looks right, and is not.
 */
static void name_entry(char *out, size_t size, const unsigned char *data, size_t len)
{
	printable(out, size, data, len);
	if (is_address(out)) {
		len = strlen(out);
		(void)snprintf(out + len, size - len, " (as a name, not as an address)");
	}
}

/* Adds one entry to a list "a, b". Returns false for kinds of names that no client connects to. */
static bool add_alt_name(struct text *out, const GENERAL_NAME *name)
{
	char entry[TLS_NAME_MAX + 40];
	int kind;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &kind);

	if (kind != GEN_DNS && kind != GEN_IPADD)
		return false;
	const unsigned char *data = ASN1_STRING_get0_data(value);
	int len = ASN1_STRING_length(value);
	if (kind == GEN_DNS)
		name_entry(entry, sizeof(entry), data, (size_t)MAX(len, 0));
	else if ((len != 4 && len != 16) ||
		 !inet_ntop(len == 4 ? AF_INET : AF_INET6, data, entry, sizeof(entry)))
		return false;
	text_addf(out, "%s%s", out->len > 0 ? ", " : "", entry);
	return true;
}

void certificate_alt_names(const X509 *x, char *out, size_t size)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	_cleanup_text_ struct text list = { .max = 16384 };

	for (int i = 0; names && i < sk_GENERAL_NAME_num(names) && list.len < size; i++)
		(void)add_alt_name(&list, sk_GENERAL_NAME_value(names, i));
	GENERAL_NAMES_free(names);
	ERR_clear_error();
	printable(out, size, list.data, list.len);
}

int64_t certificate_time(const ASN1_TIME *time)
{
	struct tm tm;

	if (!ASN1_TIME_to_tm(time, &tm)) {
		ERR_clear_error();
		return 0;
	}
	return (int64_t)timegm(&tm);
}

void time_text(int64_t t, char out[static TIME_TEXT])
{
	time_t seconds = (time_t)t;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || strftime(out, TIME_TEXT, "%Y-%m-%d %H:%M UTC", &tm) == 0)
		(void)snprintf(out, TIME_TEXT, "an impossible date");
}

static int describe(X509 *x, unsigned line, struct tls_certificate *ret, struct failure *f)
{
	struct tls_certificate c = { .line = line };

	if (X509_get_extension_flags(x) & EXFLAG_INVALID) {
		failure_set(f, CAUSE_CA_INVALID, "line %u: the certificate's extensions are damaged", line);
		return -EINVAL;
	}
	certificate_name(X509_get_subject_name(x), c.subject, sizeof(c.subject));
	certificate_name(X509_get_issuer_name(x), c.issuer, sizeof(c.issuer));
	c.not_before = certificate_time(X509_get0_notBefore(x));
	c.not_after = certificate_time(X509_get0_notAfter(x));
	c.is_ca = X509_check_ca(x) > 0;
	c.self_signed = (X509_get_extension_flags(x) & EXFLAG_SS) != 0;
	if (!X509_digest(x, EVP_sha256(), c.sha256, NULL))
		return -ENOMEM;
	*ret = c;
	return 0;
}

int tls_inspect(const void *pem, size_t len, struct tls_certificate **ret, size_t *ret_count,
		struct failure *f)
{
	struct pem_reader r = { .data = pem, .len = len, .line = 1 };
	_cleanup_free_ struct tls_certificate *list = NULL;
	size_t count = 0, size = 0;

	int error = tls_library_init();
	if (error < 0)
		return error;
	for (;;) {
		_cleanup_x509_ X509 *x = NULL;
		unsigned line;

		int n = pem_next(&r, &x, &line, f);
		if (n < 0)
			return n;
		if (n == 0)
			break;
		if (count == TLS_INSPECT_MAX) {
			failure_set(f, CAUSE_CA_INVALID, "more than %u certificates", TLS_INSPECT_MAX);
			return -E2BIG;
		}
		if (count == size) {
			size_t more = size ? 2 * size : 4;
			struct tls_certificate *grown = reallocarray(list, more, sizeof(*list));
			if (!grown)
				return -ENOMEM;
			list = grown;
			size = more;
		}
		error = describe(x, line, &list[count], f);
		if (error < 0)
			return error;
		count++;
	}
	if (count == 0) {
		failure_set(f, CAUSE_CA_INVALID, "no certificate found: %s",
			    len == 0 ? "it is empty" : "no line \"-----BEGIN CERTIFICATE-----\"");
		return -EINVAL;
	}
	*ret = TAKE_PTR(list);
	*ret_count = count;
	return 0;
}

int tls_inspect_anchors(const struct tls_certificate *certificates, size_t count, struct failure *f)
{
	for (size_t i = 0; i < count; i++)
		if (certificates[i].is_ca || certificates[i].self_signed)
			return 0;
	failure_set(f, CAUSE_CA_INVALID, "%s%.120s is not a CA certificate",
		    count > 1 ? "none of them is a CA; " : "", count > 0 ? certificates[0].subject : "it");
	return -EINVAL;
}
