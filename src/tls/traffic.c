/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Record protection of TLS 1.3, RFC 8446 §5.2: keys, nonces, and single records sealed and opened. */
#include "tls/traffic.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/ssl.h>
#include <string.h>

#include "base/parse.h"
#include "base/secret.h"

/* So much goes by before a faster cipher is looked for: it takes half a millisecond and 200 KB for a moment.
 */
#define FAST_AFTER (1u << 20)

static const struct traffic_cipher {
	int nid; /* as SSL_CIPHER_get_cipher_nid() has it */
	const char *name;
	size_t key_len;
	bool gcm; /* fast-gcm.h may have it */
} ciphers[] = {
	{ NID_aes_128_gcm, "AES-128-GCM", 16, true },
	{ NID_aes_256_gcm, "AES-256-GCM", 32, true },
	{ NID_chacha20_poly1305, "ChaCha20-Poly1305", 32, false },
};

/* --- keys --- */

/* "LABEL client_random secret", as a key log has it. */
bool traffic_note_secret(struct traffic_secrets *s, const char *line)
{
	static const char *const labels[] = { "CLIENT_TRAFFIC_SECRET_0 ", "SERVER_TRAFFIC_SECRET_0 " };

	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		const char *hex = strrchr(line, ' ');
		size_t len = hex ? strlen(hex + 1) / 2 : 0;

		if (strncmp(line, labels[i], strlen(labels[i])) != 0 || len == 0 ||
		    len > TRAFFIC_SECRET_MAX || parse_hex(hex + 1, s->secret[i], len) < 0)
			continue;
		s->len[i] = len;
		return true;
	}
	return false;
}

static size_t digest_len(const EVP_MD *digest)
{
	return (size_t)EVP_MD_get_size(digest);
}

static OSSL_PARAM digest_param(const EVP_MD *digest)
{
	return OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
						(void *)(uintptr_t)EVP_MD_get0_name(digest), 0);
}

static int derive(const char *name, const OSSL_PARAM *params, uint8_t *out, size_t len)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, name, NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	bool done = ctx && EVP_KDF_derive(ctx, out, len, params) == 1;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return done ? 0 : -ENOMEM;
}

/* HKDF-Expand-Label(secret, label, "", len), RFC 8446 §7.1. */
static int expand(struct traffic *t, const char *label, uint8_t *out, size_t len)
{
	OSSL_PARAM params[] = {
		digest_param(t->digest),
		OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_MODE, (char[]){ "EXPAND_ONLY" }, 0),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, t->secret, digest_len(t->digest)),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_PREFIX, (char[]){ "tls13 " }, 6),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_LABEL, (void *)(uintptr_t)label, strlen(label)),
		OSSL_PARAM_END,
	};

	return derive("TLS13-KDF", params, out, len);
}

/* Takes t->key into use. */
static int use_key(struct traffic *t)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, t->cipher->name, NULL);
	bool done = cipher && EVP_CipherInit_ex2(t->ctx, cipher, t->key, NULL, t->encrypts, NULL);

	EVP_CIPHER_free(cipher);
	fast_gcm_free(t->fast);
	t->fast = NULL;
	t->before_fast = t->cipher->gcm ? FAST_AFTER : 0;
	return done ? 0 : -ENOMEM;
}

/* Key and IV of the present secret; the count of records begins anew (RFC 8446 §7.3). */
static int use_secret(struct traffic *t)
{
	int r = expand(t, "key", t->key, t->cipher->key_len);

	if (r == 0)
		r = expand(t, "iv", t->iv, sizeof(t->iv));
	t->sequence = 0;
	return r == 0 ? use_key(t) : r;
}

int traffic_update(struct traffic *t)
{
	uint8_t next[TRAFFIC_SECRET_MAX];
	int r = expand(t, "traffic upd", next, digest_len(t->digest));

	if (r == 0) {
		memcpy(t->secret, next, digest_len(t->digest));
		r = use_secret(t);
	}
	wipe(next, sizeof(next));
	return r;
}

int traffic_init(struct traffic *t, const struct traffic_secrets *secrets, bool server, bool encrypts)
{
	for (size_t i = 0; i < ARRAY_SIZE(ciphers); i++)
		if (ciphers[i].nid == secrets->cipher)
			t->cipher = &ciphers[i];
	if (!t->cipher || secrets->len[server] != digest_len(secrets->digest))
		return -EOPNOTSUPP;
	t->encrypts = encrypts;
	t->digest = secrets->digest;
	memcpy(t->secret, secrets->secret[server], sizeof(t->secret));
	t->ctx = EVP_CIPHER_CTX_new();
	return t->ctx ? use_secret(t) : -ENOMEM;
}

void traffic_clear(struct traffic *t)
{
	EVP_CIPHER_CTX_free(t->ctx);
	fast_gcm_free(t->fast);
	wipe(t, sizeof(*t));
}

/* --- one record --- */

/* `len` bytes are about to go by. */
static void note_bytes(struct traffic *t, size_t len)
{
	if (t->before_fast == 0)
		return;
	t->before_fast -= MIN(t->before_fast, len);
	if (t->before_fast == 0)
		t->fast = fast_gcm_new(t->key, t->cipher->key_len);
}

/* §5.3: the sequence number, padded on the left, xor the IV. */
static void next_nonce(struct traffic *t, uint8_t out[static NONCE_LEN])
{
	memcpy(out, t->iv, NONCE_LEN);
	for (unsigned i = 0; i < 8; i++)
		out[NONCE_LEN - 1 - i] ^= (uint8_t)(t->sequence >> (8 * i));
	t->sequence++;
}

size_t traffic_sealed_len(const struct traffic *t, size_t len)
{
	(void)t;
	return HEADER_LEN + len + 1 + TAG_LEN;
}

bool traffic_seal(struct traffic *t, uint8_t type, const uint8_t *data, size_t len, uint8_t *out)
{
	size_t body = len + 1 + TAG_LEN;
	uint8_t nonce[NONCE_LEN], *p = out + HEADER_LEN;
	int n;

	note_bytes(t, len);
	memcpy(out, (uint8_t[]){ SSL3_RT_APPLICATION_DATA, 3, 3, (uint8_t)(body >> 8), (uint8_t)body },
	       HEADER_LEN);
	next_nonce(t, nonce);
	if (t->fast) {
		fast_gcm_seal(t->fast, nonce, out, HEADER_LEN, data, len, type, p);
		return true;
	}
	return EVP_EncryptInit_ex2(t->ctx, NULL, NULL, nonce, NULL) &&
	       EVP_EncryptUpdate(t->ctx, NULL, &n, out, HEADER_LEN) &&
	       (len == 0 || EVP_EncryptUpdate(t->ctx, p, &n, data, (int)len)) &&
	       EVP_EncryptUpdate(t->ctx, p + len, &n, &type, 1) &&
	       EVP_EncryptFinal_ex(t->ctx, p + len + 1, &n) &&
	       EVP_CIPHER_CTX_ctrl(t->ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, p + len + 1);
}

bool traffic_open(struct traffic *t, uint8_t *record, size_t len, uint8_t *out)
{
	uint8_t nonce[NONCE_LEN], *p = record + HEADER_LEN;
	size_t inner = len - TAG_LEN;
	int n;

	note_bytes(t, inner);
	next_nonce(t, nonce);
	if (t->fast)
		return fast_gcm_open(t->fast, nonce, record, HEADER_LEN, p, inner, out);
	return EVP_DecryptInit_ex2(t->ctx, NULL, NULL, nonce, NULL) &&
	       EVP_CIPHER_CTX_ctrl(t->ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, p + inner) &&
	       EVP_DecryptUpdate(t->ctx, NULL, &n, record, HEADER_LEN) &&
	       EVP_DecryptUpdate(t->ctx, out, &n, p, (int)inner) &&
	       EVP_DecryptFinal_ex(t->ctx, out + inner, &n);
}
