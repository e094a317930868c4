/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates in a PEM file (RFC 7468), read strictly: a damaged trust file must not be half understood. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "tls/internal.h"

#define BEGIN "-----BEGIN "
#define END   "-----END "
#define DASH  "-----"

struct line {
	const char *text;
	size_t len;
	unsigned number;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next line without its end and the blanks before that; false at the end of the file. */
static bool next_line(struct pem_reader *r, struct line *ret)
{
	if (r->pos >= r->len)
		return false;
	const char *start = r->data + r->pos;
	const char *end = memchr(start, '\n', r->len - r->pos);
	size_t len = end ? (size_t)(end - start) : r->len - r->pos;

	r->pos += len + (end ? 1 : 0);
	*ret = (struct line){ .text = start, .len = len, .number = r->line++ };
	while (ret->len > 0 && is_blank(start[ret->len - 1]))
		ret->len--;
	return true;
}

/* For "-----BEGIN X-----" and prefix "-----BEGIN ": true and X. */
static bool boundary(const struct line *l, const char *prefix, const char **ret_label, size_t *ret_len)
{
	size_t p = strlen(prefix), d = strlen(DASH);

	if (l->len < p + d || memcmp(l->text, prefix, p) != 0 || memcmp(l->text + l->len - d, DASH, d) != 0)
		return false;
	*ret_label = l->text + p;
	*ret_len = l->len - p - d;
	return true;
}

static bool is_certificate(const char *label, size_t len)
{
	static const char *const names[] = { "CERTIFICATE", "X509 CERTIFICATE" }; /* RFC 7468 §5.1 */

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == len && memcmp(names[i], label, len) == 0)
			return true;
	return false;
}

static void encode_ctx_freep(EVP_ENCODE_CTX **ctx)
{
	EVP_ENCODE_CTX_free(*ctx);
}

/* Reads base64 up to the end line of the block that begins in line `begin`. */
static int read_body(struct pem_reader *r, unsigned begin, const char *label, size_t label_len, uint8_t *out,
		     size_t *ret_len, struct failure *f)
{
	_cleanup_(encode_ctx_freep) EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
	const char *end_label;
	size_t end_len, total = 0;
	struct line l;
	int n;

	if (!ctx)
		return -ENOMEM;
	EVP_DecodeInit(ctx);
	while (next_line(r, &l)) {
		if (boundary(&l, END, &end_label, &end_len)) {
			if (end_len != label_len || memcmp(end_label, label, label_len) != 0)
				break;
			if (EVP_DecodeFinal(ctx, out + total, &n) < 0) {
				failure_set(f, CAUSE_CA_INVALID,
					    "line %u: the base64 of the block is cut off", l.number);
				return -EINVAL;
			}
			*ret_len = total + (size_t)n;
			return 0;
		}
		/* Nothing that the decoder would take for white space or an end of data of its own. */
		bool odd = memchr(l.text, '-', l.len) != NULL || l.len > 4096;
		if (odd || EVP_DecodeUpdate(ctx, out + total, &n, (const uint8_t *)l.text, (int)l.len) < 0) {
			failure_set(f, CAUSE_CA_INVALID, "line %u: not base64", l.number);
			return -EINVAL;
		}
		total += (size_t)n;
	}
	failure_set(f, CAUSE_CA_INVALID, "line %u: the block that begins here has no end line", begin);
	return -EINVAL;
}

static int parse_der(const uint8_t *der, size_t len, unsigned line, X509 **ret, struct failure *f)
{
	const uint8_t *p = der;
	_cleanup_x509_ X509 *x = len <= TLS_CHAIN_MAX ? d2i_X509(NULL, &p, (long)len) : NULL;

	ERR_clear_error();
	if (!x) {
		failure_set(f, CAUSE_CA_INVALID, "line %u: the block holds no certificate", line);
		return -EINVAL;
	}
	if (p != der + len) {
		failure_set(f, CAUSE_CA_INVALID, "line %u: %zu bytes of garbage behind the certificate", line,
			    (size_t)(der + len - p));
		return -EINVAL;
	}
	*ret = TAKE_PTR(x);
	return 1;
}

int pem_next(struct pem_reader *r, X509 **ret, unsigned *ret_line, struct failure *f)
{
	const char *label;
	size_t label_len;
	struct line l;

	while (next_line(r, &l)) {
		if (!boundary(&l, BEGIN, &label, &label_len))
			continue;
		if (!is_certificate(label, label_len)) {
			char name[32];

			if (r->skip_others)
				continue;
			printable(name, sizeof(name), label, label_len);
			failure_set(f, CAUSE_CA_INVALID,
				    "line %u: a block \"%s\" does not belong in a file of certificates",
				    l.number, name);
			return -EINVAL;
		}

		/* Base64 shrinks: the rest of the file is always room enough, and is bounded by the file. */
		size_t room = MIN(r->len - r->pos, (size_t)TLS_CHAIN_MAX * 2) + 64, len = 0;
		size_t stop = MIN(r->len, r->pos + room - 64);
		struct pem_reader body = { .data = r->data, .len = stop, .pos = r->pos, .line = r->line };
		_cleanup_free_ uint8_t *der = malloc(room);
		if (!der)
			return -ENOMEM;
		int error = read_body(&body, l.number, label, label_len, der, &len, f);
		if (error < 0)
			return error;
		r->pos = body.pos;
		r->line = body.line;
		if (ret_line)
			*ret_line = l.number;
		return parse_der(der, len, l.number, ret, f);
	}
	return 0;
}
