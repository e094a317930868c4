/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/uio.h>

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "base/secret.h"
#include "tls/internal.h"

/* Messages (tickets, KeyUpdate, warnings), and empty records, that a peer may send without a byte of data
 * between them. */
#define MESSAGES_MAX 32

int tls_library_init(void)
{
	/* The texts of errors take 130 KB of heap for good: explain.c loads what it needs when there is an
	 * error. */
	const uint64_t options = OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT |
				 OPENSSL_INIT_NO_LOAD_SSL_STRINGS | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS;

	return OPENSSL_init_ssl(options, NULL) ? 0 : -ENOMEM;
}

/* --- ciphers --- */

static bool cpu_has_aes(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_cpu_init();
	return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
#elif defined(__aarch64__) && defined(__linux__)
	unsigned long caps = getauxval(AT_HWCAP);
	return (caps & HWCAP_AES) && (caps & HWCAP_PMULL);
#else
	return false;
#endif
}

#define SUITES_AES    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"
#define SUITES_CHACHA "TLS_CHACHA20_POLY1305_SHA256"
#define LIST_AES                                                     \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
#define LIST_CHACHA "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
/* Windows Server 2012 R2 has ECDHE only with CBC; RouterOS and small boxes may know nothing but RSA. */
#define LIST_OLD                                                                       \
	"DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:"                         \
	"ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA384:" \
	"ECDHE-RSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"         \
	"ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:AES128-GCM-SHA256:"               \
	"AES256-GCM-SHA384:AES128-SHA256:AES256-SHA256:AES128-SHA:AES256-SHA"

/* Their order is by what this CPU does in hardware. 0 or -ENOMEM. */
static int set_ciphers(SSL_CTX *ctx)
{
	bool aes = cpu_has_aes();
	const char *suites = aes ? SUITES_AES ":" SUITES_CHACHA : SUITES_CHACHA ":" SUITES_AES;
	const char *list = aes ? LIST_AES ":" LIST_CHACHA ":" LIST_OLD
			       : LIST_CHACHA ":" LIST_AES ":" LIST_OLD;

	return SSL_CTX_set_ciphersuites(ctx, suites) && SSL_CTX_set_cipher_list(ctx, list) ? 0 : -ENOMEM;
}

/* --- contexts --- */

static int protocol_number(enum tls_version v, int any)
{
	switch (v) {
	case TLS_ANY:
		return any;
	case TLS_1_2:
		return TLS1_2_VERSION;
	case TLS_1_3:
		return TLS1_3_VERSION;
	}
	return any;
}

SSL_CTX *tls_context_new(const SSL_METHOD *method, enum tls_version min, enum tls_version max)
{
	SSL_CTX *ctx = tls_library_init() == 0 ? SSL_CTX_new(method) : NULL;

	if (!ctx)
		return NULL;
	SSL_CTX_set_security_level(ctx, 2); /* 112 bits, whatever the distribution's default */
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_max_cert_list(ctx, TLS_CHAIN_MAX);
	if (!SSL_CTX_set_min_proto_version(ctx, protocol_number(min, TLS1_2_VERSION)) ||
	    !SSL_CTX_set_max_proto_version(ctx, protocol_number(max, 0)) || set_ciphers(ctx) < 0) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

static void info_callback(const SSL *ssl, int where, int value)
{
	struct tls *t = SSL_get_app_data(ssl);

	if (where == SSL_CB_READ_ALERT && value >> 8 == SSL3_AL_FATAL)
		t->alert = value & 0xff;
}

static void message_callback(int sent, int version, int type, const void *data, size_t len, SSL *ssl,
			     void *arg)
{
	struct tls *t = arg;

	(void)version;
	(void)ssl;
	if (type != SSL3_RT_HANDSHAKE || sent)
		return;
	t->messages++;
	t->certificate_asked |= len > 0 && *(const uint8_t *)data == SSL3_MT_CERTIFICATE_REQUEST;
}

static void keylog_callback(const SSL *ssl, const char *line)
{
	struct tls *t = SSL_get_app_data(ssl);
	struct iovec iov[] = {
		{ .iov_base = (void *)(uintptr_t)line, .iov_len = strlen(line) },
		{ .iov_base = (char[]){ '\n' }, .iov_len = 1 },
	};

	(void)traffic_note_secret(&t->secrets, line);
	/* A debugging aid: a full disk must not end the session. */
	if (t->keylog_fd > 0)
		(void)!writev(t->keylog_fd, iov, ARRAY_SIZE(iov));
}

/* The session on top of t->ctx. */
static int attach(struct tls *t, int fd, int keylog_fd)
{
	t->alert = -1;
	t->keylog_fd = keylog_fd;
	t->wire.fd = fd;
	t->wire.ahead = malloc(READ_AHEAD);
	t->bio_method = wire_bio_method();
	t->ssl = SSL_new(t->ctx);
	BIO *bio = t->bio_method ? BIO_new(t->bio_method) : NULL;
	if (!t->ssl || !bio || !t->wire.ahead) {
		BIO_free(bio);
		ERR_clear_error();
		return -ENOMEM;
	}
	BIO_set_data(bio, &t->wire);
	SSL_set_bio(t->ssl, bio, bio);
	SSL_set_app_data(t->ssl, t);
	SSL_set_info_callback(t->ssl, info_callback);
	SSL_set_msg_callback(t->ssl, message_callback);
	SSL_set_msg_callback_arg(t->ssl, t);
	return 0;
}

/* --- client --- */

static int set_sni(struct tls *t, const struct tls_policy *policy, struct failure *f)
{
	const char *sni = policy->sni ? policy->sni : t->verify_name;

	if ((!policy->sni && t->verify_address) || !*sni)
		return 0;
	if (strlen(sni) >= TLS_NAME_MAX || !SSL_set_tlsext_host_name(t->ssl, sni)) {
		failure_set(f, CAUSE_USAGE, "\"%.100s\" cannot be sent as server name", sni);
		return -EINVAL;
	}
	return 0;
}

int tls_client_new(const struct tls_policy *policy, int fd, struct tls **ret, struct failure *f)
{
	_cleanup_tls_ struct tls *t = calloc(1, sizeof(*t));
	int error = -ENOMEM;

	if (t && (t->ctx = tls_context_new(TLS_client_method(), policy->min, policy->max))) {
		SSL_CTX_set_keylog_callback(t->ctx, keylog_callback);
		error = attach(t, fd, policy->keylog_fd);
		if (error == 0)
			error = verify_init(t, policy, f);
		if (error == 0)
			error = set_sni(t, policy, f);
	}
	ERR_clear_error();
	if (error < 0) {
		failure_set(f, CAUSE_INTERNAL, "TLS cannot be set up: %s", strerror(-error));
		return error;
	}
	SSL_set_connect_state(t->ssl);
	*ret = TAKE_PTR(t);
	return 0;
}

/* --- server --- */

struct tls_server {
	SSL_CTX *ctx;
	int keylog_fd;
};

static int load_chain(SSL_CTX *ctx, const struct tls_server_config *config, struct failure *f)
{
	struct pem_reader r = {
		.data = config->cert_pem, .len = config->cert_pem_len, .line = 1, .skip_others = true
	};
	bool leaf = true;

	for (;;) {
		_cleanup_x509_ X509 *x = NULL;

		int n = pem_next(&r, &x, NULL, f);
		if (n == 0 && leaf) {
			failure_set(f, CAUSE_USAGE, "no certificate found in the server's certificate file");
			return -EINVAL;
		}
		if (n <= 0)
			return n;
		if (!(leaf ? SSL_CTX_use_certificate(ctx, x) : (int)SSL_CTX_add1_chain_cert(ctx, x))) {
			failure_set(f, CAUSE_USAGE, "the server's certificate cannot be used: %s",
				    reason_text(ERR_peek_last_error()));
			return -EINVAL;
		}
		leaf = false;
	}
}

static int load_key(SSL_CTX *ctx, const struct tls_server_config *config, struct failure *f)
{
	BIO *bio = config->key_pem_len <= INT32_MAX
			   ? BIO_new_mem_buf(config->key_pem, (int)config->key_pem_len)
			   : NULL;
	/* An empty pass phrase, so that OpenSSL never asks the terminal for one. */
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)(uintptr_t) "") : NULL;
	int ok = key && SSL_CTX_use_PrivateKey(ctx, key) && SSL_CTX_check_private_key(ctx);

	if (!ok)
		failure_set(f, CAUSE_USAGE, "the server's private key %s",
			    key ? "does not belong to its certificate" : "cannot be read");
	EVP_PKEY_free(key);
	BIO_free(bio);
	return ok ? 0 : -EINVAL;
}

int tls_server_new(const struct tls_server_config *config, struct tls_server **ret, struct failure *f)
{
	struct tls_server *s = calloc(1, sizeof(*s));
	int error = -ENOMEM;

	if (s && (s->ctx = tls_context_new(TLS_server_method(), config->min, config->max))) {
		SSL_CTX_set_num_tickets(s->ctx, 0);
		s->keylog_fd = config->keylog_fd;
		SSL_CTX_set_keylog_callback(s->ctx, keylog_callback);
		error = load_chain(s->ctx, config, f);
		if (error == 0)
			error = load_key(s->ctx, config, f);
	}
	ERR_clear_error();
	if (error < 0) {
		failure_set(f, CAUSE_INTERNAL, "TLS cannot be set up: %s", strerror(-error));
		tls_server_free(s);
		return error;
	}
	*ret = s;
	return 0;
}

void tls_server_fingerprints(const struct tls_server *server, uint8_t sha1[static 20],
			     uint8_t sha256[static 32])
{
	const X509 *leaf = SSL_CTX_get0_certificate(server->ctx);

	(void)X509_digest(leaf, EVP_sha1(), sha1, NULL);
	(void)X509_digest(leaf, EVP_sha256(), sha256, NULL);
}

void tls_server_free(struct tls_server *server)
{
	if (!server)
		return;
	SSL_CTX_free(server->ctx);
	free(server);
}

int tls_server_accept(struct tls_server *server, int fd, struct tls **ret)
{
	_cleanup_tls_ struct tls *t = calloc(1, sizeof(*t));

	if (!t || !SSL_CTX_up_ref(server->ctx))
		return -ENOMEM;
	t->ctx = server->ctx;
	t->server = true;
	int error = attach(t, fd, server->keylog_fd);
	if (error < 0)
		return error;
	SSL_set_accept_state(t->ssl);
	*ret = TAKE_PTR(t);
	return 0;
}

/* --- both --- */

/* All that only the handshake needs. */
static void free_handshake(struct tls *t)
{
	SSL_free(t->ssl);
	t->ssl = NULL;
	SSL_CTX_free(t->ctx);
	t->ctx = NULL;
	BIO_meth_free(t->bio_method);
	t->bio_method = NULL;
	sk_X509_pop_free(t->others, X509_free);
	t->others = NULL;
	wipe(&t->secrets, sizeof(t->secrets));
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	free_handshake(t);
	records_free(t->records);
	free(t->wire.queue);
	free(t->wire.ahead);
	free(t);
}

/* Notes who the peer is. */
static int describe_peer(const struct tls *t, struct tls_peer *ret)
{
	const X509 *x = t->server ? NULL : SSL_get0_peer_certificate(t->ssl);
	struct tls_peer p = { 0 };

	p.version = SSL_get_version(t->ssl);
	p.cipher = SSL_get_cipher_name(t->ssl);
	if (x) {
		certificate_name(X509_get_subject_name(x), p.subject, sizeof(p.subject));
		certificate_name(X509_get_issuer_name(x), p.issuer, sizeof(p.issuer));
		certificate_alt_names(x, p.names, sizeof(p.names));
		p.not_before = certificate_time(X509_get0_notBefore(x));
		p.not_after = certificate_time(X509_get0_notAfter(x));
		if (certificate_pin(x, &p.pin) < 0 || !X509_digest(x, EVP_sha1(), p.sha1, NULL) ||
		    !X509_digest(x, EVP_sha256(), p.sha256, NULL))
			return -ENOMEM;
	}
	*ret = p;
	return 0;
}

int tls_peer(const struct tls *t, struct tls_peer *ret)
{
	if (!t->established)
		return -ENOTCONN;
	*ret = t->peer;
	return 0;
}

/* Whether OpenSSL only waits for more bytes. */
static bool wants_read(const struct tls *t, int result)
{
	return SSL_get_error(t->ssl, result) == SSL_ERROR_WANT_READ;
}

/* True when done. What the handshake wrote is queued. */
static bool handshake_step(struct tls *t)
{
	t->wire.more = true; /* one send per flight */
	int r = SSL_do_handshake(t->ssl);
	t->wire.more = false;
	if (r != 1 && !wants_read(t, r)) {
		(void)wire_flush(&t->wire); /* the alert, if there is room */
		explain_handshake(t);
	}
	return r == 1;
}

/* All that traffic keys are made of, but the secrets of TLS 1.3, which the key log has told. */
static void note_secrets(const SSL *ssl, struct traffic_secrets *s)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);

	s->cipher = SSL_CIPHER_get_cipher_nid(cipher);
	s->digest = SSL_CIPHER_get_handshake_digest(cipher);
	/* Without all of them no version is known, and OpenSSL carries on. */
	if ((SSL_version(ssl) == TLS1_3_VERSION ||
	     SSL_SESSION_get_master_key(SSL_get_session(ssl), s->master, sizeof(s->master)) ==
		     sizeof(s->master)) &&
	    SSL_get_client_random(ssl, s->random[0], sizeof(s->random[0])) == sizeof(s->random[0]) &&
	    SSL_get_server_random(ssl, s->random[1], sizeof(s->random[1])) == sizeof(s->random[1]))
		s->version = SSL_version(ssl);
}

/*
 * The data is ours to carry from here on, if it can be. Records of the peer that came with the end of the
 * handshake are still in wire.ahead: OpenSSL reads no further than the record it needs.
 */
static void finish_handshake(struct tls *t)
{
	if (describe_peer(t, &t->peer) < 0) {
		failure_set(&t->failure, CAUSE_INTERNAL, "out of memory after the handshake");
		t->error = -ENOMEM;
		return;
	}
	t->established = true;
	note_secrets(t->ssl, &t->secrets);
	if (!SSL_has_pending(t->ssl) && records_new(&t->secrets, t->server, &t->records) == 0)
		free_handshake(t);
	ERR_clear_error();
}

int tls_handshake(struct tls *t)
{
	if (t->error)
		return t->error;
	if (!t->established && handshake_step(t))
		finish_handshake(t);
	if (t->error)
		return t->error;
	int error = wire_flush(&t->wire);
	if (error == -EAGAIN)
		return -EAGAIN;
	if (error < 0) {
		/* The peer hung up; what it said before that is the better explanation. */
		if (!t->established)
			(void)handshake_step(t);
		if (!t->error)
			explain_handshake(t);
		t->established = false;
		return t->error;
	}
	t->messages = 0;
	return t->established ? 0 : -EAGAIN;
}

bool tls_wants_write(const struct tls *t)
{
	return wire_unsent(&t->wire) > 0;
}

static int end_flood(struct tls *t)
{
	failure_set(&t->failure, CAUSE_CONNECTION_LOST, "a flood of TLS messages without data");
	return t->error = -EPROTO;
}

int tls_note_message(struct tls *t)
{
	return ++t->messages <= MESSAGES_MAX ? 0 : end_flood(t);
}

/* What a read without data means: -EAGAIN, 0 for the peer's end, or a final error. */
static int no_data(struct tls *t, int result)
{
	int code = SSL_get_error(t->ssl, result);

	t->blocked = true;
	if (code == SSL_ERROR_ZERO_RETURN) {
		t->closed = true;
		return 0;
	}
	if (code != SSL_ERROR_WANT_READ || t->wire.write_error)
		return explain_session(t);
	return t->messages <= MESSAGES_MAX ? -EAGAIN : end_flood(t);
}

/* As records_read(), by OpenSSL. */
static size_t ssl_read(struct tls *t, uint8_t *buf, size_t size, int *ret_end)
{
	size_t got = 0, n;

	while (got < size) {
		int r = SSL_read_ex(t->ssl, buf + got, size - got, &n);
		if (r != 1) {
			*ret_end = no_data(t, r);
			break;
		}
		got += n;
		t->messages = 0;
		t->wire.no_recv = true; /* only what one recv brought: latency, and a chance for the others */
	}
	t->wire.no_recv = false;
	return got;
}

ssize_t tls_read(struct tls *t, void *buf, size_t size)
{
	int end = 0;

	if (t->error || t->closed) {
		t->end_unsaid = false;
		return t->error;
	}
	if (size == 0)
		return -EAGAIN; /* 0 would mean the end */
	t->blocked = t->end_unsaid = false;
	size_t got = t->records ? records_read(t, buf, size, &end) : ssl_read(t, buf, size, &end);
	t->end_unsaid = got > 0 && (t->error || t->closed);
	return got > 0 ? (ssize_t)got : end;
}

/* Bytes that came and were not read, encrypted or not. */
static bool has_input(const struct tls *t)
{
	return wire_ahead(&t->wire) > 0 ||
	       (t->records ? records_rest(t->records) > 0 : SSL_has_pending(t->ssl));
}

bool tls_pending(const struct tls *t)
{
	return t->end_unsaid || (!t->blocked && !t->error && !t->closed && has_input(t));
}

bool tls_drained(const struct tls *t)
{
	return t->blocked && t->wire.drained && !t->end_unsaid;
}

int tls_flush(struct tls *t)
{
	int r = wire_flush(&t->wire); /* an alert, too, which may wait since the error */

	return t->error ? t->error : r;
}

/* Room for one more record behind those that wait? After an error of the socket: yes, for nothing. */
static bool has_room(struct tls *t)
{
	if (wire_unsent(&t->wire) + RECORD_WIRE_MAX > QUEUE_TARGET)
		(void)wire_flush(&t->wire);
	return wire_unsent(&t->wire) + RECORD_WIRE_MAX <= QUEUE_TARGET;
}

static int ssl_write(struct tls *t, const uint8_t *data, size_t len, bool flush)
{
	size_t n;

	t->wire.more = !flush;
	int r = SSL_write_ex(t->ssl, data, len, &n);
	t->wire.more = false;
	return r == 1 ? 0 : explain_session(t);
}

ssize_t tls_write(struct tls *t, const void *data, size_t len, bool more)
{
	size_t done = 0;

	if (t->error || t->wire.write_error)
		return t->error ? t->error : t->wire.write_error;
	if (t->shut) /* nothing follows close_notify: RFC 8446 §6.1, RFC 5246 §7.2.1 */
		return -EPIPE;
	while (done < len && has_room(t)) {
		size_t part = MIN(len - done, (size_t)TLS_RECORD_MAX);
		bool flush = !more && done + part == len;
		int error = t->records ? records_write(t, (const uint8_t *)data + done, part)
				       : ssl_write(t, (const uint8_t *)data + done, part, flush);
		if (error < 0)
			return error;
		if (flush)
			(void)wire_flush(&t->wire);
		done += part;
	}
	if (t->wire.write_error)
		return t->wire.write_error;
	return done > 0 || len == 0 ? (ssize_t)done : -EAGAIN;
}

int tls_shutdown(struct tls *t)
{
	if (t->error || !t->established)
		return 0; /* nobody to say goodbye to */
	t->shut = true;
	if (t->records)
		records_shutdown(t);
	else
		(void)SSL_shutdown(t->ssl);
	ERR_clear_error();
	return wire_flush(&t->wire) == -EAGAIN ? -EAGAIN : 0;
}

const struct failure *tls_failure(const struct tls *t)
{
	return &t->failure;
}
