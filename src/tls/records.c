/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS 1.3 records of an established session (RFC 8446 §5), with the keys that OpenSSL negotiated and its
 * ciphers, but without its buffers: what kernel TLS does, in user space. SSL_read() and SSL_write() copy
 * every byte three times on its way through both ends; here a record is decrypted from where recv(2) put it
 * to where the packet path wants it, and encrypted straight into what send(2) takes. And the SSL and SSL_CTX
 * objects, a third of an idle worker's memory, are not needed any more.
 *
 * What can come after a handshake is little: data, KeyUpdate (§4.6.3), session tickets, which are passed over
 * (no session is ever resumed), and alerts (§6). All else is a violation.
 */
#include "tls/records.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/secret.h"
#include "base/wire.h"
#include "tls/fast-gcm.h"
#include "tls/internal.h"

#define HEADER_LEN 5u
#define TAG_LEN	   FAST_GCM_TAG /* of all three ciphers */
#define NONCE_LEN  FAST_GCM_NONCE
/* So much goes by before a faster cipher is looked for: it takes half a millisecond and 200 KB for a moment.
 */
#define FAST_AFTER     (1u << 20)
#define CIPHERTEXT_MAX (TLS_RECORD_MAX + 256u) /* §5.2 */
#define TICKET_MAX     65535u		       /* a generous bound for what is only passed over */
#define MESSAGE_HEADER 4u

#define NEW_SESSION_TICKET 4
#define KEY_UPDATE	   24

static const struct suite {
	uint32_t id; /* as SSL_CIPHER_get_id() has it */
	const char *cipher, *digest;
	size_t key_len, secret_len;
	bool fast; /* fast-gcm.h may have it */
} suites[] = {
	{ TLS1_3_CK_AES_128_GCM_SHA256, "AES-128-GCM", "SHA256", 16, 32, true },
	{ TLS1_3_CK_AES_256_GCM_SHA384, "AES-256-GCM", "SHA384", 32, 48, true },
	{ TLS1_3_CK_CHACHA20_POLY1305_SHA256, "ChaCha20-Poly1305", "SHA256", 32, 32, false },
};

/* One direction. */
struct traffic {
	bool encrypts;
	EVP_CIPHER_CTX *ctx;
	struct fast_gcm *fast; /* in its place, where there is one */
	size_t before_fast;    /* bytes until that is looked for; 0: it was */
	uint64_t sequence;     /* of the next record, §5.3 */
	uint8_t iv[NONCE_LEN];
	uint8_t secret[TRAFFIC_SECRET_MAX];
};

struct records {
	const struct suite *suite;
	struct traffic in, out;
	/* Plaintext for which the caller had no room; it was decrypted where it lay. */
	const uint8_t *rest;
	size_t rest_len;
	/* The handshake message that is being received. */
	uint8_t message[MESSAGE_HEADER];
	size_t message_len; /* bytes of its header */
	size_t message_left;
	bool shut; /* close_notify was sent */
};

/* --- keys --- */

/* HKDF-Expand-Label(secret, label, "", len), §7.1. */
static int expand(const struct suite *suite, uint8_t *secret, const char *label, uint8_t *out, size_t len)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS13-KDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_MODE, (char[]){ "EXPAND_ONLY" }, 0),
		OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, (void *)(uintptr_t)suite->digest, 0),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, secret, suite->secret_len),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_PREFIX, (char[]){ "tls13 " }, 6),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_LABEL, (void *)(uintptr_t)label, strlen(label)),
		OSSL_PARAM_END,
	};
	bool done = ctx && EVP_KDF_derive(ctx, out, len, params) == 1;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return done ? 0 : -ENOMEM;
}

/* Key and IV of the present secret; the count of records begins anew (§7.3). */
static int start_traffic(const struct suite *suite, struct traffic *t)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, suite->cipher, NULL);
	uint8_t key[32];
	int r = expand(suite, t->secret, "key", key, suite->key_len);

	if (r == 0)
		r = expand(suite, t->secret, "iv", t->iv, sizeof(t->iv));
	if (r == 0 && (!cipher || !EVP_CipherInit_ex2(t->ctx, cipher, key, NULL, t->encrypts, NULL)))
		r = -ENOMEM;
	t->sequence = 0;
	fast_gcm_free(t->fast);
	t->fast = NULL;
	t->before_fast = suite->fast ? FAST_AFTER : 0;
	EVP_CIPHER_free(cipher);
	wipe(key, sizeof(key));
	return r;
}

/* `len` bytes are about to go by. */
static void note_bytes(const struct suite *suite, struct traffic *t, size_t len)
{
	uint8_t key[32];

	if (t->before_fast == 0)
		return;
	t->before_fast -= MIN(t->before_fast, len);
	if (t->before_fast == 0 && expand(suite, t->secret, "key", key, suite->key_len) == 0)
		t->fast = fast_gcm_new(key, suite->key_len);
	wipe(key, sizeof(key));
}

/* The next generation of keys, §7.2. */
static int update_traffic(const struct suite *suite, struct traffic *t)
{
	uint8_t next[TRAFFIC_SECRET_MAX];
	int r = expand(suite, t->secret, "traffic upd", next, suite->secret_len);

	if (r == 0) {
		memcpy(t->secret, next, suite->secret_len);
		r = start_traffic(suite, t);
	}
	wipe(next, sizeof(next));
	return r;
}

/* "LABEL client_random secret", as a key log has it. */
bool records_note_secret(struct traffic_secrets *s, const char *line)
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

int records_new(uint32_t cipher, const struct traffic_secrets *secrets, bool server, struct records **ret)
{
	const struct suite *suite = NULL;
	struct records *r;
	int error;

	for (size_t i = 0; i < ARRAY_SIZE(suites); i++)
		if (suites[i].id == cipher)
			suite = &suites[i];
	if (!suite || secrets->len[0] != suite->secret_len || secrets->len[1] != suite->secret_len)
		return -EOPNOTSUPP;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->suite = suite;
	r->out.encrypts = true;
	r->in.ctx = EVP_CIPHER_CTX_new();
	r->out.ctx = EVP_CIPHER_CTX_new();
	memcpy(r->out.secret, secrets->secret[server], suite->secret_len);
	memcpy(r->in.secret, secrets->secret[!server], suite->secret_len);
	error = r->in.ctx && r->out.ctx ? start_traffic(suite, &r->in) : -ENOMEM;
	if (error == 0)
		error = start_traffic(suite, &r->out);
	if (error < 0) {
		records_free(r);
		return error;
	}
	*ret = r;
	return 0;
}

void records_free(struct records *r)
{
	if (!r)
		return;
	EVP_CIPHER_CTX_free(r->in.ctx);
	EVP_CIPHER_CTX_free(r->out.ctx);
	fast_gcm_free(r->in.fast);
	fast_gcm_free(r->out.fast);
	wipe(r, sizeof(*r));
	free(r);
}

/* --- one record --- */

/* §5.3: the sequence number, padded on the left, xor the IV. */
static void next_nonce(struct traffic *t, uint8_t out[static NONCE_LEN])
{
	memcpy(out, t->iv, NONCE_LEN);
	for (unsigned i = 0; i < 8; i++)
		out[NONCE_LEN - 1 - i] ^= (uint8_t)(t->sequence >> (8 * i));
	t->sequence++;
}

/* Writes header, ciphertext and tag: HEADER_LEN + len + 1 + TAG_LEN bytes. False: the cipher failed. */
static bool seal(struct traffic *t, uint8_t type, const uint8_t *data, size_t len, uint8_t *out)
{
	size_t body = len + 1 + TAG_LEN;
	uint8_t nonce[NONCE_LEN], *p = out + HEADER_LEN;
	int n;

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

/* Decrypts a record of `len` bytes behind its header to `out`, which may be its own place. False: it is not
 * authentic, and what is at `out` must not be used. */
static bool open_record(struct traffic *t, uint8_t *record, size_t len, uint8_t *out)
{
	uint8_t nonce[NONCE_LEN], *p = record + HEADER_LEN;
	size_t inner = len - TAG_LEN;
	int n;

	next_nonce(t, nonce);
	if (t->fast)
		return fast_gcm_open(t->fast, nonce, record, HEADER_LEN, p, inner, out);
	return EVP_DecryptInit_ex2(t->ctx, NULL, NULL, nonce, NULL) &&
	       EVP_CIPHER_CTX_ctrl(t->ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, p + inner) &&
	       EVP_DecryptUpdate(t->ctx, NULL, &n, record, HEADER_LEN) &&
	       EVP_DecryptUpdate(t->ctx, out, &n, p, (int)inner) &&
	       EVP_DecryptFinal_ex(t->ctx, out + inner, &n);
}

/* --- writing --- */

static int add_record(struct tls *t, uint8_t type, const uint8_t *data, size_t len)
{
	size_t size = HEADER_LEN + len + 1 + TAG_LEN;
	uint8_t *place;

	if (t->wire.write_error)
		return t->wire.write_error;
	int error = wire_reserve_queue(&t->wire, size, &place);
	if (error == 0 && !seal(&t->records->out, type, data, len, place))
		error = -EIO;
	if (error < 0)
		return wire_give_up(&t->wire, error);
	t->wire.len += size;
	return 0;
}

int records_write(struct tls *t, const uint8_t *data, size_t len)
{
	if (t->records->shut) /* nothing follows close_notify, §6.1 */
		return -EPIPE;
	note_bytes(t->records->suite, &t->records->out, len);
	return add_record(t, SSL3_RT_APPLICATION_DATA, data, len);
}

static void send_alert(struct tls *t, uint8_t level, uint8_t alert)
{
	if (t->records->shut || add_record(t, SSL3_RT_ALERT, (uint8_t[]){ level, alert }, 2) < 0)
		return;
	t->records->shut = true;
	(void)wire_flush(&t->wire);
}

void records_shutdown(struct tls *t)
{
	send_alert(t, SSL3_AL_WARNING, SSL_AD_CLOSE_NOTIFY);
}

/* --- reading --- */

/* The peer broke the protocol: tells it, and the user. Returns the error of the session. */
static int violation(struct tls *t, uint8_t alert, const char *what)
{
	char text[48];

	ERR_clear_error();
	send_alert(t, SSL3_AL_FATAL, alert);
	alert_text(alert, text, sizeof(text));
	failure_set(&t->failure, CAUSE_CONNECTION_LOST, "TLS: %s: %s", what, text);
	return t->error = -EPROTO;
}

static int out_of_memory(struct tls *t)
{
	ERR_clear_error();
	(void)wire_give_up(&t->wire, -ENOMEM); /* nothing may leave under half of a new key */
	failure_set(&t->failure, CAUSE_CONNECTION_LOST, "TLS: out of memory for new keys");
	return t->error = -EPROTO;
}

/* §4.6.3. The answer goes out before anything that is written later. */
static int on_key_update(struct tls *t, uint8_t request)
{
	struct records *r = t->records;

	if (request > 1)
		return violation(t, SSL_AD_ILLEGAL_PARAMETER, "a key update of unknown kind");
	if (update_traffic(r->suite, &r->in) < 0)
		return out_of_memory(t);
	if (request == 0 || r->shut)
		return 0;
	if (add_record(t, SSL3_RT_HANDSHAKE, (uint8_t[]){ KEY_UPDATE, 0, 0, 1, 0 }, 5) < 0)
		return 0; /* the connection is broken for writing; the reading goes on */
	if (update_traffic(r->suite, &r->out) < 0)
		return out_of_memory(t);
	(void)wire_flush(&t->wire);
	return 0;
}

/* The header of a message is complete. */
static int on_message_header(struct tls *t)
{
	struct records *r = t->records;
	struct wire_reader in = wire_reader(r->message, sizeof(r->message));
	uint32_t word = wire_u32(&in), type = word >> 24;

	r->message_left = word & 0xffffff;
	if (type != KEY_UPDATE && (type != NEW_SESSION_TICKET || t->server))
		return violation(t, SSL_AD_UNEXPECTED_MESSAGE, "a handshake message that has no place here");
	if (type == KEY_UPDATE ? r->message_left != 1 : r->message_left > TICKET_MAX)
		return violation(t, SSL_AD_DECODE_ERROR, "a handshake message of wrong length");
	return tls_note_message(t);
}

/* The one byte of a KeyUpdate. What followed it in this record would be under the old keys (§5.1). */
static int take_key_update(struct tls *t, struct wire_reader *in)
{
	uint8_t request = wire_u8(in);

	t->records->message_left = 0;
	if (wire_left(in) > 0)
		return violation(t, SSL_AD_UNEXPECTED_MESSAGE, "a record that spans a change of keys");
	return on_key_update(t, request);
}

/* Messages may be cut across records, and several may be in one (§5.1). */
static int take_handshake(struct tls *t, struct wire_reader *in)
{
	struct records *r = t->records;
	int error = 0;

	if (wire_left(in) == 0)
		return violation(t, SSL_AD_UNEXPECTED_MESSAGE, "an empty handshake record");
	while (wire_left(in) > 0 && error == 0) {
		if (r->message_len < MESSAGE_HEADER) {
			r->message[r->message_len++] = wire_u8(in);
			if (r->message_len == MESSAGE_HEADER)
				error = on_message_header(t);
		} else if (r->message[0] == KEY_UPDATE) {
			error = take_key_update(t, in);
		} else {
			size_t n = MIN(wire_left(in), r->message_left);
			r->message_left -= n;
			wire_skip(in, n);
		}
		if (r->message_len == MESSAGE_HEADER && r->message_left == 0)
			r->message_len = 0;
	}
	return error;
}

static int take_alert(struct tls *t, struct wire_reader *in)
{
	if (wire_left(in) == 0) /* §5.4 */
		return violation(t, SSL_AD_UNEXPECTED_MESSAGE, "an empty alert record");
	wire_skip(in,
		  1); /* the level says nothing any more: what is not an end by agreement is fatal, §6.2 */
	uint8_t alert = wire_u8(in);

	if (wire_finish(in) < 0)
		return violation(t, SSL_AD_DECODE_ERROR, "an alert of odd length");
	if (alert == SSL_AD_CLOSE_NOTIFY) {
		t->closed = true;
		return 0;
	}
	if (alert == SSL_AD_USER_CANCELLED) /* close_notify follows, §6.1 */
		return tls_note_message(t);
	t->alert = alert;
	return explain_session(t);
}

/* Anything but data, decrypted. */
static int take_control(struct tls *t, uint8_t type, const uint8_t *p, size_t len)
{
	struct wire_reader in = wire_reader(p, len);

	if (type != SSL3_RT_HANDSHAKE && t->records->message_len > 0)
		return violation(t, SSL_AD_UNEXPECTED_MESSAGE, "a handshake message was interrupted");
	switch (type) {
	case SSL3_RT_HANDSHAKE:
		return take_handshake(t, &in);
	case SSL3_RT_ALERT:
		return take_alert(t, &in);
	case SSL3_RT_APPLICATION_DATA: /* empty, against traffic analysis: nothing to be done, but not for
					  ever */
		return tls_note_message(t);
	default:
		return violation(t, SSL_AD_UNEXPECTED_MESSAGE, "a record of unknown type");
	}
}

/* What follows the header of the record at the front, once all of it is there. 0 if not yet, or the session's
 * error. */
static ssize_t record_length(struct tls *t)
{
	const struct wire *w = &t->wire;
	struct wire_reader in = wire_reader(w->ahead + w->ahead_at, wire_ahead(w));
	uint8_t type = wire_u8(&in), major = wire_u8(&in);

	wire_skip(&in, 1); /* the minor version says nothing (§5.1); the major one must be that of the header
			      that was authenticated */
	uint16_t len = wire_u16(&in);
	if (in.error)
		return 0;
	if (type != SSL3_RT_APPLICATION_DATA || major != SSL3_VERSION_MAJOR)
		return violation(t, SSL_AD_UNEXPECTED_MESSAGE, "a record that is not encrypted");
	if (len > CIPHERTEXT_MAX)
		return violation(t, SSL_AD_RECORD_OVERFLOW, "a record longer than allowed");
	if (len < TAG_LEN + 1)
		return violation(t, SSL_AD_BAD_RECORD_MAC, "a record without content");
	return wire_left(&in) < len ? 0 : (ssize_t)len;
}

/*
 * Takes the record at the front of what has arrived: its data goes to `out`, or where there is not enough
 * room stays where it is. Returns the bytes put at `out`, -EAGAIN if it is not all there, or the session's
 * error.
 */
static ssize_t take_record(struct tls *t, uint8_t *out, size_t size)
{
	struct records *r = t->records;
	uint8_t *record = t->wire.ahead + t->wire.ahead_at;
	ssize_t len = record_length(t);

	if (len <= 0)
		return len < 0 ? len : -EAGAIN;
	size_t n = (size_t)len - TAG_LEN;
	bool direct = n <= size;
	uint8_t *plain = direct ? out : record + HEADER_LEN;
	t->wire.ahead_at += HEADER_LEN + (size_t)len;
	note_bytes(r->suite, &r->in, n);
	if (!open_record(&r->in, record, (size_t)len, plain))
		return violation(t, SSL_AD_BAD_RECORD_MAC, "a record that is not authentic");
	while (n > 0 && plain[n - 1] == 0) /* padding, §5.4 */
		n--;
	if (n == 0)
		return violation(t, SSL_AD_UNEXPECTED_MESSAGE, "a record without a type");
	uint8_t type = plain[--n];
	if (n > TLS_RECORD_MAX)
		return violation(t, SSL_AD_RECORD_OVERFLOW, "a record longer than allowed");
	if (type != SSL3_RT_APPLICATION_DATA || n == 0 || r->message_len > 0)
		return take_control(t, type, plain, n);
	t->messages = 0;
	if (direct)
		return (ssize_t)n;
	r->rest = plain;
	r->rest_len = n;
	return 0;
}

size_t records_rest(const struct records *r)
{
	return r->rest_len;
}

static size_t take_rest(struct records *r, uint8_t *out, size_t size)
{
	size_t n = MIN(size, r->rest_len);

	memcpy(out, r->rest, n);
	r->rest += n;
	r->rest_len -= n;
	return n;
}

/* One recv(2). 0, -EAGAIN, or the session's error. */
static int receive(struct tls *t)
{
	int error = wire_receive(&t->wire);

	return error == 0 || error == -EAGAIN ? error : explain_session(t);
}

size_t records_read(struct tls *t, uint8_t *out, size_t size, int *ret_end)
{
	bool received = false; /* once: latency, and a chance for the others */
	size_t got = 0;
	ssize_t n = 0;

	while (got < size && !t->closed && n >= 0) {
		if (t->records->rest_len > 0)
			n = (ssize_t)take_rest(t->records, out + got, size - got);
		else
			n = take_record(t, out + got, size - got);
		got += (size_t)MAX(n, 0);
		if (n == -EAGAIN && got == 0 && !received) {
			received = true;
			n = receive(t);
		}
	}
	if (n == -EAGAIN && got == 0 && t->wire.write_error)
		n = explain_session(t); /* nobody will learn of it by writing */
	t->blocked = n < 0 || t->closed;
	*ret_end = (int)MIN(n, 0);
	return got;
}
