/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CA files, whole and damaged. */
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

#include "pki.h"
#include "test.h"
#include "tls/tls.h"

/* Made once by main(): PEM text, each ends with a newline. */
static struct identity root, leaf, box;
static char *root_pem, *leaf_pem, *box_pem, *key_pem;

/* Joins texts; the caller frees. */
static char *join(const char *a, const char *b, const char *c)
{
	size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
	char *s = malloc(size);

	if (s)
		(void)snprintf(s, size, "%s%s%s", a, b, c);
	return s;
}

struct seen {
	int result;
	struct tls_certificate *list;
	size_t count;
	struct failure f;
};

static struct seen look(const char *pem, size_t len)
{
	struct seen s = { 0 };

	/* A copy without a terminator, so that a sanitizer sees every byte read too much. */
	char *exact = malloc(len ? len : 1);
	memcpy(exact, pem, len);
	s.result = tls_inspect(exact, len, &s.list, &s.count, &s.f);
	free(exact);
	return s;
}

static bool reads_well(const char *pem, size_t len)
{
	struct seen s = look(pem, len);
	bool well = s.result == 0 && s.count == 1 && strcmp(s.list[0].subject, "CN=Test Root") == 0;

	free(s.list);
	return well;
}

static void one_certificate(void)
{
	struct seen s = look(root_pem, strlen(root_pem));
	unsigned char *der = NULL, hash[32];

	check_int(s.result, 0);
	check_int(s.count, 1);
	check_str(s.list[0].subject, "CN=Test Root");
	check_str(s.list[0].issuer, "CN=Test Root");
	check(s.list[0].is_ca);
	check(s.list[0].self_signed);
	check_int(s.list[0].line, 1);
	check_int(s.list[0].not_after - s.list[0].not_before, 2 * 86400);
	int len = i2d_X509(root.cert, &der);
	EVP_Digest(der, (size_t)len, hash, NULL, EVP_sha256(), NULL);
	check_mem(s.list[0].sha256, 32, hash, 32);
	check_int(tls_inspect_anchors(s.list, s.count, &s.f), 0);
	OPENSSL_free(der);
	free(s.list);
}

static void a_bundle_with_remarks(void)
{
	_cleanup_free_ char *first = join("# My CAs\n\nTest Root\n=========\n", root_pem, "\r\n  between\n");
	_cleanup_free_ char *all = join(first, leaf_pem, box_pem);
	struct seen s = look(all, strlen(all));
	unsigned lines = 0;

	check_int(s.result, 0);
	check_int(s.count, 3);
	check_int(s.list[0].line, 5);
	for (const char *p = all; p < strstr(all, leaf_pem); p++)
		lines += *p == '\n';
	check_int(s.list[1].line, lines + 1);
	check_str(s.list[1].subject, "CN=leaf");
	check(!s.list[1].is_ca);
	check(!s.list[1].self_signed);
	check_str(s.list[1].issuer, "CN=Test Root");
	check(!s.list[2].is_ca);
	check(s.list[2].self_signed);
	free(s.list);
}

static void other_spellings_of_pem(void)
{
	/* CRLF, blanks at line ends, no newline at the end, one long line: all seen in the wild. */
	char crlf[8192], one[8192];
	size_t n = 0, m = 0;

	for (const char *p = root_pem; *p; p++) {
		if (*p == '\n') {
			crlf[n++] = ' ';
			crlf[n++] = '\r';
		}
		crlf[n++] = *p;
	}
	const char *body = strchr(root_pem, '\n') + 1, *end = strstr(root_pem, "-----END");
	for (const char *p = root_pem; *p; p++)
		if (*p != '\n' || p < body || p + 1 >= end)
			one[m++] = *p;
	check(reads_well(crlf, n));
	check(reads_well(one, m));
	check(reads_well(root_pem, strlen(root_pem) - 1));
}

static void damage_is_named_with_its_line(void)
{
	_cleanup_free_ char *cut = strndup(root_pem, strlen(root_pem) / 2);
	_cleanup_free_ char *two = join("x\n", cut, leaf_pem);
	_cleanup_free_ char *with_key = join(root_pem, key_pem, "");
	_cleanup_free_ char *ends_otherwise = strdup(root_pem);
	_cleanup_free_ char *bad_letter = strdup(root_pem);
	_cleanup_free_ char *short_line = strdup(root_pem);

	memcpy(strstr(ends_otherwise, "END CERT"), "END CARD", 8);
	bad_letter[100] = '!';
	char *tail = strstr(short_line, "\n-----END");
	memmove(tail - 1, tail, strlen(tail) + 1);

	const struct {
		const char *pem, *detail;
	} rows[] = {
		{ "", "no certificate found: it is empty" },
		{ "hello\nworld\n", "no certificate found: no line" },
		{ "MIIBszCCAVmgAwIBAgIU\n", "no certificate found: no line" },
		{ cut, "line 1: the block that begins here has no end line" },
		{ two, "not base64" },
		{ ends_otherwise, "line 1: the block that begins here has no end line" },
		{ bad_letter, "line 3: not base64" },
		{ short_line, "the base64 of the block is cut off" },
		{ with_key, "a block \"PRIVATE KEY\" does not belong in a file of certificates" },
		{ "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
		  "line 1: the block holds no certificate" },
		{ "\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		  "line 2: the block holds no certificate" },
		{ "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END CERTIFICATE-----\n",
		  "line 2: not base64" },
		{ "-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----\n",
		  "a block \"TRUSTED CERTIFICATE\"" },
		{ "-----BEGIN \x1b[2J-----\n", "a block \".[2J\"" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct seen s = look(rows[i].pem, strlen(rows[i].pem));
		if (!strstr(s.f.detail, rows[i].detail))
			printf("# row %zu: \"%s\"\n", i, s.f.detail);
		check_int(s.result, -EINVAL);
		check_int(s.f.cause, CAUSE_CA_INVALID);
		check(strstr(s.f.detail, rows[i].detail) != NULL);
		check(s.list == NULL);
	}
}

static void garbage_behind_the_certificate(void)
{
	unsigned char *der = NULL, longer[4096], text[8192];
	char pem[8300];

	int len = i2d_X509(root.cert, &der);
	memcpy(longer, der, (size_t)len);
	memcpy(longer + len, "abc", 3);
	OPENSSL_free(der);
	EVP_EncodeBlock(text, longer, len + 3);
	/* Lines of 64 are not asked for: see other_spellings_of_pem. */
	(void)snprintf(pem, sizeof(pem), "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n",
		       (const char *)text);
	struct seen s = look(pem, strlen(pem));
	check_int(s.result, -EINVAL);
	check_str(s.f.detail, "line 1: 3 bytes of garbage behind the certificate");
}

static void anchors_must_be_cas(void)
{
	struct seen s = look(leaf_pem, strlen(leaf_pem));
	struct failure f = { 0 };

	check_int(s.result, 0);
	check_int(tls_inspect_anchors(s.list, s.count, &f), -EINVAL);
	check_int(f.cause, CAUSE_CA_INVALID);
	check_str(f.detail, "CN=leaf is not a CA certificate");
	free(s.list);

	_cleanup_free_ char *both = join(leaf_pem, root_pem, "");
	s = look(both, strlen(both));
	f = (struct failure){ 0 };
	check_int(tls_inspect_anchors(s.list, s.count, &f), 0);
	free(s.list);

	s = look(box_pem, strlen(box_pem)); /* a server's own, self-signed: may be trusted as it is */
	check_int(tls_inspect_anchors(s.list, s.count, &f), 0);
	free(s.list);
}

static void the_number_is_bounded(void)
{
	size_t each = strlen(root_pem);
	_cleanup_free_ char *many = malloc(each * (TLS_INSPECT_MAX + 1));

	for (size_t i = 0; i <= TLS_INSPECT_MAX; i++)
		memcpy(many + i * each, root_pem, each);
	struct seen s = look(many, each * TLS_INSPECT_MAX);
	check_int(s.result, 0);
	check_int(s.count, TLS_INSPECT_MAX);
	free(s.list);
	s = look(many, each * (TLS_INSPECT_MAX + 1));
	check_int(s.result, -E2BIG);
	check_int(s.f.cause, CAUSE_CA_INVALID);
}

static void the_bundle_of_this_system(void)
{
	FILE *f = fopen("/etc/ssl/certs/ca-certificates.crt", "re");
	_cleanup_free_ char *text = malloc(4 << 20);

	check(f != NULL);
	size_t n = fread(text, 1, 4 << 20, f);
	(void)fclose(f);
	size_t blocks = 0;
	text[MIN(n, (4u << 20) - 1)] = 0;
	for (const char *p = text; (p = strstr(p, "-----BEGIN CERTIFICATE-----")); p++)
		blocks++;
	struct seen s = look(text, n);
	check_int(s.result, 0);
	check_int(s.count, blocks);
	for (size_t i = 0; i < s.count; i++)
		check(s.list[i].is_ca && s.list[i].subject[0]);
	free(s.list);
}

int main(void)
{
	root = identity_new(&(struct identity_spec){ .cn = "Test Root", .ca = true });
	leaf = identity_new(&(struct identity_spec){ .cn = "leaf", .san = "DNS:a.example", .issuer = &root });
	box = identity_new(&(struct identity_spec){ .cn = "box" });
	root_pem = pem_of_certs((X509 *[]){ root.cert, NULL });
	leaf_pem = pem_of_certs((X509 *[]){ leaf.cert, NULL });
	box_pem = pem_of_certs((X509 *[]){ box.cert, NULL });
	key_pem = pem_of_key(leaf.key);
	int result = run_tests((struct test[]){ TEST(one_certificate),
						TEST(a_bundle_with_remarks),
						TEST(other_spellings_of_pem),
						TEST(damage_is_named_with_its_line),
						TEST(garbage_behind_the_certificate),
						TEST(anchors_must_be_cas),
						TEST(the_number_is_bounded),
						TEST(the_bundle_of_this_system),
						{} });
	free(root_pem);
	free(leaf_pem);
	free(box_pem);
	free(key_pem);
	identity_free(&root);
	identity_free(&leaf);
	identity_free(&box);
	return result;
}
