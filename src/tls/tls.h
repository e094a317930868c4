/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One TLS session on a connected socket, client or server role, and the decision whether a server is the one
 * that was meant. TLS 1.2 and 1.3 by OpenSSL, except the records of an established session (records.c; those
 * of a CBC cipher are OpenSSL's, too); no resumption, no renegotiation, no compression, no anonymous suites,
 * never a KeyUpdate unasked. The OpenSSL configuration file and environment are ignored, so that what is
 * accepted depends on the policy alone.
 *
 * Who is trusted, decided once here:
 *   - No pins: the chain must lead to a configured CA (or the system's store), every certificate in it must
 * be in its time and fit for its purpose (leaf: serverAuth or anyExtendedKeyUsage, [MS-SSTP] 3.2.4.1), and
 *     the leaf's subjectAltName must hold the expected name or address (RFC 6125: a wildcard is the whole
 *     leftmost label and covers exactly one; the common name is never looked at).
 *   - Pins: the leaf's public key must equal one of them, and that alone decides, as a known_hosts entry of
 *     SSH does: the handshake proves possession of the key, and a key has neither name nor expiry. A CA given
 *     besides has no effect. A key that matches no pin is refused even when a CA vouches for it.
 * There is no switch that turns verification off.
 *
 * The socket stays the caller's: it must be a stream socket, outlive the session, and is closed by the
 * caller. It is never blocked on. All functions are for one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cause.h"
#include "base/macro.h"

#define TLS_RECORD_MAX 16384u	      /* plaintext of one record, RFC 8446 §5.1 */
#define TLS_CHAIN_MAX  (100u * 1024u) /* bytes of certificates that a server may send */
#define TLS_NAME_MAX   254u

enum tls_version {
	TLS_ANY = 0, /* as a minimum: TLS 1.2; as a maximum: the newest */
	TLS_1_2,
	TLS_1_3,
};

/* --- pins --- */

#define TLS_PINS_MAX 8
#define TLS_PIN_TEXT 52 /* "sha256:" + 44 characters + NUL */

/* SHA-256 of a certificate's SubjectPublicKeyInfo (DER), RFC 7469 §2.4. */
struct tls_pin {
	uint8_t sha256[32];
};

/* Writes "sha256:" and base64, which the configuration takes. */
void tls_pin_format(const struct tls_pin *pin, char out[static TLS_PIN_TEXT]);

/* --- sessions --- */

struct tls_policy {
	const char *host;	 /* name or address literal, as the user gave it */
	const char *server_name; /* verify this name or address instead; NULL = `host` */
	const char *sni;	 /* NULL: the verified name unless an address; "": none; else this */
	enum tls_version min, max;
	const void *ca_pem; /* trust these CAs only; NULL = the system's store */
	size_t ca_pem_len;
	/* With `ca_pem`: certificates that may stand between the server's and a trusted one, as if the server
	 * had sent them. They are not trusted; one that cannot be read is passed over. */
	const void *other_pem;
	size_t other_pem_len;
	struct tls_pin pins[TLS_PINS_MAX];
	size_t pin_count;
	int keylog_fd; /* NSS key log lines go there; 0 or negative = none. Borrowed. */
	/* Tests: another directory in place of the system's store; a bundle file in it is
	 * "ca-certificates.crt".
	 */
	const char *system_dir;
};

struct tls_server_config {
	const void *cert_pem; /* leaf first, then its chain */
	size_t cert_pem_len;
	const void *key_pem; /* unencrypted */
	size_t key_pem_len;
	enum tls_version min, max;
	int keylog_fd; /* as above */
};

struct tls;	   /* one session */
struct tls_server; /* certificate and settings for many sessions */

/*
 * A client session on `fd`; nothing is sent yet. `policy` and its strings need not outlive the call. On error
 * (-EINVAL, -ENOMEM) `f` names the cause: CA_INVALID, USAGE or INTERNAL. With the system's store, files are
 * opened during tls_handshake() too (tls_system_paths()).
 */
int tls_client_new(const struct tls_policy *policy, int fd, struct tls **ret, struct failure *f);

int tls_server_new(const struct tls_server_config *config, struct tls_server **ret, struct failure *f);
/* Hashes of the leaf certificate's DER, for the crypto binding ([MS-SSTP] 2.2.7). */
void tls_server_fingerprints(const struct tls_server *server, uint8_t sha1[static 20],
			     uint8_t sha256[static 32]);
/* A session with the client at the other end of `fd`. `server` must outlive it. -ENOMEM. */
int tls_server_accept(struct tls_server *server, int fd, struct tls **ret);
void tls_server_free(struct tls_server *server);

void tls_free(struct tls *t);
static inline void tls_freep(struct tls **t)
{
	tls_free(*t);
	*t = NULL;
}
#define _cleanup_tls_ _cleanup_(tls_freep)

/* What a sandbox must let tls_handshake() read when no CA is given: directories, ends with NULL. */
const char *const *tls_system_paths(void);

/*
 * Goes on with the handshake. 0 when done: the peer is verified. -EAGAIN: call again when the socket is
 * readable, or writable if tls_wants_write(). Any other value is final, and tls_failure() says why; an alert
 * has been sent where the protocol has one.
 */
int tls_handshake(struct tls *t);

/* True while encrypted bytes wait for room in the socket: poll for writing, then tls_flush(). */
bool tls_wants_write(const struct tls *t);

/*
 * Reads what has arrived: as many records as one recv(2) brought and `size` holds. Give room for several
 * records (64 KiB). Returns the count of bytes, 0 after the peer's close_notify, -EAGAIN when nothing is
 * there (or `size` is 0), -ECONNRESET if the connection ended without close_notify, -EPROTO if the peer broke
 * the protocol or sent a fatal alert, or the socket's error; tls_failure() then says what. Errors come after
 * the data before them. Poll the socket level-triggered: there may be more in it after -EAGAIN.
 */
ssize_t tls_read(struct tls *t, void *buf, size_t size);

/* True if tls_read() has data or the end without the socket being readable: the caller must not sleep. */
bool tls_pending(const struct tls *t);
/* True if the last tls_read() has taken all that had arrived: no need to try again before the socket is
 * ready. */
bool tls_drained(const struct tls *t);

/*
 * Encrypts up to `len` bytes, in records of up to 16 KiB, and takes them: what it returns (> 0) is never to
 * be given again. With `more`, records wait for those of the next call, so that several leave in one send(2);
 * the last call of a burst has `more` false, or tls_flush() follows. Otherwise all goes to the socket at
 * once, and what finds no room there stays queued (tls_wants_write()). -EAGAIN: the queue is full, nothing
 * was taken. -EPIPE: after tls_shutdown(). Any other error: the connection is broken for writing;
 * go on with tls_read() until it ends, as the peer may have said why. Never call it before tls_handshake()
 * returned 0.
 */
ssize_t tls_write(struct tls *t, const void *data, size_t len, bool more);

/* Sends what is queued. 0 when nothing is left, -EAGAIN, or an error as for tls_write(). */
int tls_flush(struct tls *t);

/* Queues and sends close_notify, without waiting for the peer's. 0, or -EAGAIN if tls_flush() has to follow.
 */
int tls_shutdown(struct tls *t);

/* Why the session failed; cause NONE while it has not. */
const struct failure *tls_failure(const struct tls *t);

/* What the handshake agreed on and who the peer is. Text is printable ASCII, cut to its field. */
struct tls_peer {
	const char *version; /* "TLSv1.3" */
	const char *cipher;  /* "TLS_AES_128_GCM_SHA256" */
	/* The leaf certificate; all zero in the server role. */
	char subject[256], issuer[256];
	char names[512];	       /* subjectAltName: "a.example, *.b.example, 192.0.2.1" */
	int64_t not_before, not_after; /* seconds since 1970 */
	struct tls_pin pin;
	uint8_t sha1[20], sha256[32]; /* of the certificate's DER, for [MS-SSTP] 2.2.7 */
};

/* -ENOTCONN before the handshake is done. */
int tls_peer(const struct tls *t, struct tls_peer *ret);

/* --- looking into CA files --- */

#define TLS_INSPECT_MAX 1024 /* certificates in one file */

struct tls_certificate {
	char subject[256], issuer[256];
	int64_t not_before, not_after; /* seconds since 1970 */
	bool is_ca;
	bool self_signed;
	uint8_t sha256[32]; /* of the DER */
	unsigned line;	    /* where its block begins, from 1 */
};

/*
 * Reads all certificates of a PEM file. Text between blocks is allowed, as in the bundles of distributions; a
 * damaged block, another kind of block or bytes after the certificate inside its block are not. On success
 * the caller frees *ret. -EINVAL with CA_INVALID and the line in `f`, -E2BIG, -ENOMEM.
 */
int tls_inspect(const void *pem, size_t len, struct tls_certificate **ret, size_t *ret_count,
		struct failure *f);

/*
 * Whether these can serve as trust anchors: at least one must be a CA, or be self-signed (a server's own
 * certificate). Says "not a CA" in `f` and returns -EINVAL otherwise.
 */
int tls_inspect_anchors(const struct tls_certificate *certificates, size_t count, struct failure *f);
