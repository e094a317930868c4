/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Record protection: the keys of one direction, from what a handshake left, and single records sealed and
 * opened. Where the versions and ciphers differ:
 *
 *                     behind the header       nonce                 authenticated besides
 *   TLS 1.3           content, type; tag      IV xor count          header
 *   TLS 1.2 AES-GCM   8 bytes, content, tag   salt, those 8 bytes   count, header
 *   TLS 1.2 ChaCha20  content, tag            IV xor count          count, header
 *
 * RFC 8446 §5.2 and §5.3; RFC 5246 §6.2.3.3 with RFC 5288 §3 and RFC 7905 §2. The header that TLS 1.2
 * authenticates has the length of the content in place of the record's. Its 8 bytes must differ from record
 * to record; here they are the count, which makes a salt and zeros the IV of the other two.
 */
#include "tls/traffic.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/ssl.h>
#include <string.h>

#include "base/parse.h"
#include "base/secret.h"
#include "base/wire.h"

/* So much goes by before a faster cipher is looked for: it takes half a millisecond and 200 KB for a moment.
 */
#define FAST_AFTER (1u << 20)
#define SALT_LEN   4u
#define AAD_MAX	   (8u + HEADER_LEN)

static const struct traffic_cipher {
	int nid; /* as SSL_CIPHER_get_cipher_nid() has it */
	const char *name;
	size_t key_len;
	bool gcm;
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

static OSSL_PARAM octets_param(const char *name, const void *data, size_t len)
{
	return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)data, len);
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
		octets_param(OSSL_KDF_PARAM_KEY, t->secret, digest_len(t->digest)),
		octets_param(OSSL_KDF_PARAM_PREFIX, "tls13 ", 6),
		octets_param(OSSL_KDF_PARAM_LABEL, label, strlen(label)),
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

/*
 * RFC 5246 §6.3: the key block has both keys, and then both IVs. The Finished was the first record under
 * them. OpenSSL gave that one 8 random bytes as its part of the nonce; the count comes to the same ones with
 * a probability of 2^-64 for each record.
 */
static int use_master(struct traffic *t, const struct traffic_secrets *s, bool server)
{
	const size_t key_len = t->cipher->key_len, iv_len = NONCE_LEN - t->explicit_len;
	const size_t block_len = 2 * (key_len + iv_len);
	uint8_t block[2 * (TRAFFIC_KEY_MAX + NONCE_LEN)];
	OSSL_PARAM params[] = {
		digest_param(t->digest),
		octets_param(OSSL_KDF_PARAM_SECRET, s->master, sizeof(s->master)),
		octets_param(OSSL_KDF_PARAM_SEED, "key expansion", strlen("key expansion")),
		octets_param(OSSL_KDF_PARAM_SEED, s->random[1], sizeof(s->random[1])),
		octets_param(OSSL_KDF_PARAM_SEED, s->random[0], sizeof(s->random[0])),
		OSSL_PARAM_END,
	};
	int r = derive("TLS1-PRF", params, block, block_len);

	if (r == 0) {
		memcpy(t->key, block + server * key_len, key_len);
		memcpy(t->iv, block + 2 * key_len + server * iv_len, iv_len);
		t->sequence = 1;
		r = use_key(t);
	}
	wipe(block, sizeof(block));
	return r;
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
	t->encrypts = encrypts;
	t->tls13 = secrets->version == TLS1_3_VERSION;
	t->digest = secrets->digest;
	bool known = t->tls13 ? secrets->len[server] == digest_len(t->digest)
			      : secrets->version == TLS1_2_VERSION;
	if (!t->cipher || !known)
		return -EOPNOTSUPP;
	t->explicit_len = t->cipher->gcm && !t->tls13 ? NONCE_LEN - SALT_LEN : 0;
	t->ctx = EVP_CIPHER_CTX_new();
	if (!t->ctx)
		return -ENOMEM;
	if (!t->tls13)
		return use_master(t, secrets, server);
	memcpy(t->secret, secrets->secret[server], sizeof(t->secret));
	return use_secret(t);
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

/* What a cipher is given besides key and content. */
struct inputs {
	uint8_t nonce[NONCE_LEN], aad[AAD_MAX];
	size_t aad_len;
};

/* Those of the next record, with `len` bytes of content. */
static struct inputs next_inputs(struct traffic *t, const uint8_t *header, size_t len)
{
	struct inputs in;
	struct wire_writer w = wire_writer(in.aad, sizeof(in.aad));

	memcpy(in.nonce, t->iv, NONCE_LEN);
	for (unsigned i = 0; i < 8; i++)
		in.nonce[NONCE_LEN - 1 - i] ^= (uint8_t)(t->sequence >> (8 * i));
	if (t->tls13) {
		wire_put(&w, header, HEADER_LEN);
	} else {
		wire_put_u64(&w, t->sequence);
		wire_put(&w, header, HEADER_LEN - 2);
		wire_put_u16(&w, (uint16_t)len);
	}
	in.aad_len = w.len;
	t->sequence++;
	return in;
}

bool traffic_seal(struct traffic *t, uint8_t type, const uint8_t *data, size_t len, uint8_t *out)
{
	const size_t body = traffic_sealed_len(t, len) - HEADER_LEN;
	const size_t tail = t->tls13; /* the type, behind the content */
	uint8_t *p = out + HEADER_LEN + t->explicit_len;
	int n;

	note_bytes(t, len);
	memcpy(out,
	       (uint8_t[]){ t->tls13 ? SSL3_RT_APPLICATION_DATA : type, 3, 3, (uint8_t)(body >> 8),
			    (uint8_t)body },
	       HEADER_LEN);
	struct inputs in = next_inputs(t, out, len);
	memcpy(out + HEADER_LEN, in.nonce + SALT_LEN, t->explicit_len);
	if (t->fast) {
		fast_gcm_seal(t->fast, in.nonce, in.aad, in.aad_len, data, len, &type, tail, p);
		return true;
	}
	return EVP_EncryptInit_ex2(t->ctx, NULL, NULL, in.nonce, NULL) &&
	       EVP_EncryptUpdate(t->ctx, NULL, &n, in.aad, (int)in.aad_len) &&
	       (len == 0 || EVP_EncryptUpdate(t->ctx, p, &n, data, (int)len)) &&
	       (tail == 0 || EVP_EncryptUpdate(t->ctx, p + len, &n, &type, 1)) &&
	       EVP_EncryptFinal_ex(t->ctx, p + len + tail, &n) &&
	       EVP_CIPHER_CTX_ctrl(t->ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, p + len + tail);
}

const uint8_t *traffic_open(struct traffic *t, uint8_t *record, size_t len, uint8_t *out)
{
	uint8_t *p = record + HEADER_LEN + t->explicit_len, *to = out ? out : p;
	size_t inner = traffic_inner_len(t, len);
	bool authentic;
	int n;

	note_bytes(t, inner);
	struct inputs in = next_inputs(t, record, inner);
	memcpy(in.nonce + SALT_LEN, record + HEADER_LEN, t->explicit_len);
	if (t->fast)
		authentic = fast_gcm_open(t->fast, in.nonce, in.aad, in.aad_len, p, inner, to);
	else
		authentic = EVP_DecryptInit_ex2(t->ctx, NULL, NULL, in.nonce, NULL) &&
			    EVP_CIPHER_CTX_ctrl(t->ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, p + inner) &&
			    EVP_DecryptUpdate(t->ctx, NULL, &n, in.aad, (int)in.aad_len) &&
			    (inner == 0 || EVP_DecryptUpdate(t->ctx, to, &n, p, (int)inner)) &&
			    EVP_DecryptFinal_ex(t->ctx, to + inner, &n);
	return authentic ? to : NULL;
}
