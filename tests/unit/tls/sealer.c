/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sealer.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/tls1.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "tls/internal.h"

#define HEADER 5u
#define TAG    16u
#define NONCE  12u

static const struct sealer_suite {
	uint32_t id;
	const EVP_CIPHER *(*cipher)(void);
	const EVP_MD *(*digest)(void);
	size_t key_len, secret_len;
} suites[] = {
	{ TLS1_3_CK_AES_128_GCM_SHA256, EVP_aes_128_gcm, EVP_sha256, 16, 32 },
	{ TLS1_3_CK_AES_256_GCM_SHA384, EVP_aes_256_gcm, EVP_sha384, 32, 48 },
	{ TLS1_3_CK_CHACHA20_POLY1305_SHA256, EVP_chacha20_poly1305, EVP_sha256, 32, 32 },
};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	printf("Bail out! %s\n", what);
	abort();
}

static const struct sealer_suite *suite_of(uint32_t id)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(suites) && suites[i].id != id)
		i++;
	must(i < ARRAY_SIZE(suites), "suite");
	return &suites[i];
}

/* HKDF-Expand-Label(secret, label, "", len) of RFC 8446 §7.1, by the first block of RFC 5869 §2.3, which is
 * as long as whatever is asked for here. */
static void expand_label(const struct sealer *s, const char *label, uint8_t *out, size_t len)
{
	uint8_t info[64], block[EVP_MAX_MD_SIZE];
	struct wire_writer w = wire_writer(info, sizeof(info));
	unsigned block_len = 0;

	wire_put_u16(&w, (uint16_t)len);
	wire_put_u8(&w, (uint8_t)(6 + strlen(label)));
	wire_put(&w, "tls13 ", 6);
	wire_put(&w, label, strlen(label));
	wire_put_u8(&w, 0); /* no context */
	wire_put_u8(&w, 1); /* the number of the block */
	must(!w.error, "label");
	must(HMAC(s->suite->digest(), s->secret, (int)s->suite->secret_len, info, w.len, block, &block_len) &&
		     len <= block_len,
	     "HMAC");
	memcpy(out, block, len);
}

static void make_keys(struct sealer *s)
{
	expand_label(s, "key", s->key, s->suite->key_len);
	expand_label(s, "iv", s->iv, sizeof(s->iv));
	s->sequence = 0;
}

void sealer_init(struct sealer *s, uint32_t suite, const uint8_t *secret)
{
	*s = (struct sealer){ .suite = suite_of(suite) };
	memcpy(s->secret, secret, s->suite->secret_len);
	make_keys(s);
}

void sealer_update(struct sealer *s)
{
	uint8_t next[sizeof(s->secret)];

	expand_label(s, "traffic upd", next, s->suite->secret_len);
	memcpy(s->secret, next, s->suite->secret_len);
	make_keys(s);
}

/* §5.3 */
static EVP_CIPHER_CTX *start_record(struct sealer *s, bool encrypt)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t nonce[NONCE] = { 0 };
	struct wire_writer w = wire_writer(nonce, sizeof(nonce));

	wire_put_u32(&w, 0);
	wire_put_u64(&w, s->sequence++);
	for (unsigned i = 0; i < NONCE; i++)
		nonce[i] ^= s->iv[i];
	must(ctx && EVP_CipherInit_ex(ctx, s->suite->cipher(), NULL, s->key, nonce, encrypt) == 1, "cipher");
	return ctx;
}

size_t sealer_seal(struct sealer *s, uint8_t type, const void *content, size_t len, size_t padding,
		   uint8_t *out)
{
	const size_t inner = len + 1 + padding, size = HEADER + inner + TAG;
	struct wire_writer w = wire_writer(out, size);
	EVP_CIPHER_CTX *ctx = start_record(s, true);
	uint8_t *body = out + HEADER;
	int n;

	wire_put_u8(&w, SSL3_RT_APPLICATION_DATA);
	wire_put_u16(&w, TLS1_2_VERSION);
	wire_put_u16(&w, (uint16_t)(inner + TAG));
	wire_put(&w, content, len);
	wire_put_u8(&w, type);
	wire_put_zero(&w, padding);
	must(EVP_EncryptUpdate(ctx, NULL, &n, out, HEADER) &&
		     EVP_EncryptUpdate(ctx, body, &n, body, (int)inner) &&
		     EVP_EncryptFinal_ex(ctx, body + inner, &n) &&
		     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, body + inner),
	     "encryption");
	EVP_CIPHER_CTX_free(ctx);
	return size;
}

size_t sealed_length(const uint8_t *data, size_t len)
{
	struct wire_reader r = wire_reader(data, len);

	wire_skip(&r, 3);
	wire_skip(&r, wire_u16(&r));
	return r.error ? 0 : r.pos;
}

ssize_t sealer_open(struct sealer *s, const uint8_t *record, size_t len, uint8_t *ret_type, uint8_t *out)
{
	struct wire_reader r = wire_reader(record, len);
	uint8_t type = wire_u8(&r);
	uint16_t version = wire_u16(&r);
	size_t inner = wire_u16(&r);
	int n;

	if (type != SSL3_RT_APPLICATION_DATA || version != TLS1_2_VERSION || inner != wire_left(&r) ||
	    inner < TAG)
		return -EBADMSG;
	inner -= TAG;
	EVP_CIPHER_CTX *ctx = start_record(s, false);
	bool ok = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG,
				      (void *)(uintptr_t)(record + HEADER + inner)) &&
		  EVP_DecryptUpdate(ctx, NULL, &n, record, HEADER) &&
		  EVP_DecryptUpdate(ctx, out, &n, record + HEADER, (int)inner) &&
		  EVP_DecryptFinal_ex(ctx, out + inner, &n);
	EVP_CIPHER_CTX_free(ctx);
	while (inner > 0 && out[inner - 1] == 0)
		inner--;
	if (!ok || inner == 0)
		return -EBADMSG;
	*ret_type = out[inner - 1];
	return (ssize_t)inner - 1;
}

struct tls *session_with_secrets(uint32_t suite, const struct traffic_secrets *secrets, bool server, int fd)
{
	struct traffic_secrets all = *secrets;
	struct tls *t = calloc(1, sizeof(*t));

	all.cipher = EVP_CIPHER_get_nid(suite_of(suite)->cipher());
	all.digest = suite_of(suite)->digest();
	must(t && tls_library_init() == 0, "session");
	t->server = server;
	t->alert = -1;
	t->established = true;
	t->wire.fd = fd;
	t->wire.ahead = malloc(READ_AHEAD);
	must(t->wire.ahead && records_new(&all, server, &t->records) == 0, "records");
	return t;
}
