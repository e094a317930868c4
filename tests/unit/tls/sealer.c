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
	int version;
	const EVP_CIPHER *(*cipher)(void);
	const EVP_MD *(*digest)(void);
	size_t key_len, secret_len;
	size_t explicit_len; /* of the nonce, in each record */
} suites[] = {
	{ TLS1_3_CK_AES_128_GCM_SHA256, TLS1_3_VERSION, EVP_aes_128_gcm, EVP_sha256, 16, 32, 0 },
	{ TLS1_3_CK_AES_256_GCM_SHA384, TLS1_3_VERSION, EVP_aes_256_gcm, EVP_sha384, 32, 48, 0 },
	{ TLS1_3_CK_CHACHA20_POLY1305_SHA256, TLS1_3_VERSION, EVP_chacha20_poly1305, EVP_sha256, 32, 32, 0 },
	{ TLS1_CK_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS1_2_VERSION, EVP_aes_128_gcm, EVP_sha256, 16, 48, 8 },
	{ TLS1_CK_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS1_2_VERSION, EVP_aes_256_gcm, EVP_sha384, 32, 48, 8 },
	{ TLS1_CK_ECDHE_RSA_WITH_CHACHA20_POLY1305, TLS1_2_VERSION, EVP_chacha20_poly1305, EVP_sha256, 32, 48,
	  0 },
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

/* Of the secret. */
static size_t hmac(const struct sealer *s, const uint8_t *data, size_t len, uint8_t *out)
{
	unsigned n = 0;

	must(HMAC(s->suite->digest(), s->secret, (int)s->suite->secret_len, data, len, out, &n) != NULL,
	     "HMAC");
	return n;
}

/* HKDF-Expand-Label(secret, label, "", len) of RFC 8446 §7.1, by the first block of RFC 5869 §2.3, which is
 * as long as whatever is asked for here. */
static void expand_label(const struct sealer *s, const char *label, uint8_t *out, size_t len)
{
	uint8_t info[64], block[EVP_MAX_MD_SIZE];
	struct wire_writer w = wire_writer(info, sizeof(info));

	wire_put_u16(&w, (uint16_t)len);
	wire_put_u8(&w, (uint8_t)(6 + strlen(label)));
	wire_put(&w, "tls13 ", 6);
	wire_put(&w, label, strlen(label));
	wire_put_u8(&w, 0); /* no context */
	wire_put_u8(&w, 1); /* the number of the block */
	must(!w.error, "label");
	must(hmac(s, info, w.len, block) >= len, "one block");
	memcpy(out, block, len);
}

/* PRF(master, "key expansion", the server's random, the client's), RFC 5246 §5 and §6.3. */
static void key_block(const struct sealer *s, const struct traffic_secrets *secrets, uint8_t *out, size_t len)
{
	uint8_t a[EVP_MAX_MD_SIZE], part[EVP_MAX_MD_SIZE], input[EVP_MAX_MD_SIZE + 77];
	struct wire_writer seed = wire_writer(input + EVP_MAX_MD_SIZE, 77);
	uint8_t *before_seed;
	size_t n;

	wire_put(&seed, "key expansion", 13);
	wire_put(&seed, secrets->random[1], 32);
	wire_put(&seed, secrets->random[0], 32);
	n = hmac(s, seed.data, seed.len, a); /* A(1) */
	before_seed = seed.data - n;
	for (size_t done = 0; done < len; done += n) {
		memcpy(before_seed, a, n);
		(void)hmac(s, before_seed, n + seed.len, part);
		memcpy(out + done, part, MIN(n, len - done));
		(void)hmac(s, before_seed, n, a); /* A(i + 1) */
	}
}

static void make_keys_of_tls12(struct sealer *s, const struct traffic_secrets *secrets, bool server)
{
	const size_t key_len = s->suite->key_len, iv_len = NONCE - s->suite->explicit_len;
	uint8_t block[2 * (32 + NONCE)];
	struct wire_reader r = wire_reader(block, sizeof(block));

	key_block(s, secrets, block, 2 * (key_len + iv_len));
	wire_skip(&r, server ? key_len : 0);
	wire_copy(&r, s->key, key_len);
	wire_skip(&r, server ? 0 : key_len);
	wire_skip(&r, server ? iv_len : 0);
	wire_copy(&r, s->iv, iv_len);
	s->sequence = 1; /* after the Finished */
}

static void make_keys(struct sealer *s)
{
	expand_label(s, "key", s->key, s->suite->key_len);
	expand_label(s, "iv", s->iv, sizeof(s->iv));
	s->sequence = 0;
}

struct traffic_secrets sealer_secrets(uint32_t id)
{
	const struct sealer_suite *suite = suite_of(id);
	struct traffic_secrets s = {
		.version = suite->version,
		.cipher = EVP_CIPHER_get_nid(suite->cipher()),
		.digest = suite->digest(),
	};

	for (int i = 0; i < 2; i++) {
		s.len[i] = suite->version == TLS1_3_VERSION ? suite->secret_len : 0;
		memset(s.secret[i], i ? 0x5e : 0xc1, s.len[i]);
		memset(s.random[i], i ? 0x5e : 0xc1, sizeof(s.random[i]));
	}
	memset(s.master, 0x3a, sizeof(s.master));
	return s;
}

void sealer_init(struct sealer *s, uint32_t suite, const struct traffic_secrets *secrets, bool server)
{
	*s = (struct sealer){ .suite = suite_of(suite) };
	if (s->suite->version == TLS1_3_VERSION) {
		memcpy(s->secret, secrets->secret[server], s->suite->secret_len);
		make_keys(s);
	} else {
		memcpy(s->secret, secrets->master, s->suite->secret_len);
		make_keys_of_tls12(s, secrets, server);
	}
}

void sealer_update(struct sealer *s)
{
	uint8_t next[sizeof(s->secret)];

	expand_label(s, "traffic upd", next, s->suite->secret_len);
	memcpy(s->secret, next, s->suite->secret_len);
	make_keys(s);
}

static bool is_tls13(const struct sealer *s)
{
	return s->suite->version == TLS1_3_VERSION;
}

/*
 * Begins a record with this header and `len` bytes to be encrypted; `explicit_nonce`: what it carries. RFC
 * 8446 §5.2 and §5.3; RFC 5246 §6.2.3.3, RFC 5288 §3, RFC 7905 §2.
 */
static EVP_CIPHER_CTX *start_record(struct sealer *s, bool encrypt, const uint8_t *header, size_t len,
				    uint64_t explicit_nonce)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t nonce[NONCE] = { 0 }, aad[8 + HEADER];
	struct wire_writer w = wire_writer(nonce, sizeof(nonce)), a = wire_writer(aad, sizeof(aad));
	int n;

	wire_put_u32(&w, 0);
	wire_put_u64(&w, s->suite->explicit_len ? explicit_nonce : s->sequence);
	for (unsigned i = 0; i < NONCE; i++)
		nonce[i] ^= s->iv[i];
	if (!is_tls13(s))
		wire_put_u64(&a, s->sequence);
	wire_put(&a, header, HEADER);
	if (!is_tls13(s))
		wire_patch_u16(&a, a.len - 2, (uint16_t)len);
	s->sequence++;
	must(ctx && EVP_CipherInit_ex(ctx, s->suite->cipher(), NULL, s->key, nonce, encrypt) == 1 &&
		     EVP_CipherUpdate(ctx, NULL, &n, aad, (int)a.len) == 1,
	     "cipher");
	return ctx;
}

size_t sealer_seal(struct sealer *s, uint8_t type, const void *content, size_t len, size_t padding,
		   uint8_t *out)
{
	const size_t before = HEADER + s->suite->explicit_len, inner = is_tls13(s) ? len + 1 + padding : len;
	const size_t size = before + inner + TAG;
	const uint64_t nonce = s->sequence * 7 + 0x5eed0000; /* anything but what is used here */
	struct wire_writer w = wire_writer(out, size);
	uint8_t *body = out + before;
	int n;

	wire_put_u8(&w, is_tls13(s) ? SSL3_RT_APPLICATION_DATA : type);
	wire_put_u16(&w, TLS1_2_VERSION);
	wire_put_u16(&w, (uint16_t)(size - HEADER));
	if (s->suite->explicit_len)
		wire_put_u64(&w, nonce);
	wire_put(&w, content, len);
	if (is_tls13(s)) {
		wire_put_u8(&w, type);
		wire_put_zero(&w, padding);
	}
	EVP_CIPHER_CTX *ctx = start_record(s, true, out, inner, nonce);
	must(EVP_EncryptUpdate(ctx, body, &n, body, (int)inner) &&
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
	bool whole = wire_u16(&r) == wire_left(&r);
	uint64_t nonce = s->suite->explicit_len ? wire_u64(&r) : 0;
	int n;

	if (version != TLS1_2_VERSION || !whole || wire_left(&r) < TAG ||
	    (is_tls13(s) && type != SSL3_RT_APPLICATION_DATA) ||
	    (s->suite->explicit_len && nonce <= s->last_nonce))
		return -EBADMSG;
	s->last_nonce = nonce;
	size_t inner = wire_left(&r) - TAG;
	const uint8_t *body = wire_bytes(&r, inner), *tag = wire_bytes(&r, TAG);
	EVP_CIPHER_CTX *ctx = start_record(s, false, record, inner, nonce);
	bool ok = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, (void *)(uintptr_t)tag) &&
		  EVP_DecryptUpdate(ctx, out, &n, body, (int)inner) &&
		  EVP_DecryptFinal_ex(ctx, out + inner, &n);
	EVP_CIPHER_CTX_free(ctx);
	if (is_tls13(s)) {
		while (inner > 0 && out[inner - 1] == 0)
			inner--;
		ok = ok && inner > 0;
		type = ok ? out[--inner] : 0;
	}
	if (!ok)
		return -EBADMSG;
	*ret_type = type;
	return (ssize_t)inner;
}

struct tls *session_with_secrets(const struct traffic_secrets *secrets, bool server, int fd)
{
	struct tls *t = calloc(1, sizeof(*t));

	must(t && tls_library_init() == 0, "session");
	t->server = server;
	t->alert = -1;
	t->established = true;
	t->wire.fd = fd;
	t->wire.ahead = malloc(READ_AHEAD);
	must(t->wire.ahead && records_new(secrets, server, &t->records) == 0, "records");
	return t;
}
