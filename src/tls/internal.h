/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of this folder share; nobody else includes it. */
#pragma once

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "tls/records.h"
#include "tls/tls.h"
#include "tls/traffic.h"

/* --- bio.c: the socket below OpenSSL --- */

/* A record on the wire: header, the longest expansion that any suite has, plaintext. */
#define RECORD_WIRE_MAX (SSL3_RT_HEADER_LENGTH + SSL3_RT_MAX_ENCRYPTED_OVERHEAD + TLS_RECORD_MAX)
/* Encrypted bytes that wait for one send(2), when the caller has more. More records gain nothing. */
#define QUEUE_TARGET (8 * RECORD_WIRE_MAX)
/* What may ever wait: a server's flight with its chain, or records and the answers to a peer's messages. */
#define QUEUE_MAX (QUEUE_TARGET + 2 * TLS_CHAIN_MAX)

/*
 * What one recv(2) may bring, or bring beyond what OpenSSL asked for: several records. OpenSSL's own
 * read-ahead is not used, because it moves all that is left in its buffer to the front for every record
 * (ssl3_read_n() of 3.0): with 16 records that is eight copies of every byte.
 */
#define READ_AHEAD (16 * RECORD_WIRE_MAX)

/* Writes never fail for lack of room in the socket: what does not fit is queued here, so that OpenSSL never
 * has half a record in its hands and no call must be repeated with the same arguments. */
struct wire {
	int fd;
	bool more;	 /* hold writes back: others follow at once */
	bool no_recv;	 /* act as if nothing had arrived */
	bool drained;	 /* the last recv(2) got less than it asked for */
	bool eof;	 /* the peer closed its side of the connection */
	int read_error;	 /* negative errno of the socket, sticky */
	int write_error; /* likewise; what is written later is lost, so that reading can go on */
	uint8_t *queue;
	size_t head, len; /* bytes sent already, bytes in the queue altogether */
	size_t size;
	uint8_t *ahead; /* READ_AHEAD bytes: received, and not yet taken */
	size_t ahead_at, ahead_len;
	uint8_t first[64]; /* the first bytes that the peer ever sent, for explain.c */
	size_t first_len;
};

BIO_METHOD *wire_bio_method(void);
int wire_flush(struct wire *w);
/* Room for `len` bytes at the end of the queue; w->len grows by as many once they are there. -ENOMEM, or
 * -ENOBUFS where the peer reads nothing. */
int wire_reserve_queue(struct wire *w, size_t len, uint8_t **ret);
/* Whatever is written from now on is lost: the connection is. Returns `error`. */
int wire_give_up(struct wire *w, int error);
/* One recv(2) behind what is left in w->ahead. 0, -EAGAIN, -ECONNRESET at the end (w->eof), or the socket's
 * error. */
int wire_receive(struct wire *w);
static inline size_t wire_unsent(const struct wire *w)
{
	return w->len - w->head;
}
static inline size_t wire_ahead(const struct wire *w)
{
	return w->ahead_len - w->ahead_at;
}

/* --- the session --- */

struct tls {
	/* NULL once `records` has taken over */
	SSL_CTX *ctx;
	SSL *ssl;
	struct records *records; /* NULL: OpenSSL carries the data, too */
	struct traffic_secrets secrets;
	BIO_METHOD *bio_method;
	struct wire wire;
	bool server;
	bool established;
	bool shut;		/* tls_shutdown() was called */
	bool blocked;		/* the last read found no whole record */
	bool closed;		/* close_notify received */
	bool end_unsaid;	/* the end was found behind data, and waits for the next read */
	int error;		/* negative errno, sticky */
	int alert;		/* the last alert received, -1 for none */
	bool certificate_asked; /* of us, by the server */
	unsigned messages;	/* messages, warnings and empty records since application data arrived */
	int keylog_fd;
	STACK_OF(X509) * others; /* not trusted: they may complete the server's chain */
	size_t pin_count;
	struct tls_pin pins[TLS_PINS_MAX];
	char verify_name[TLS_NAME_MAX];
	bool verify_address;  /* it is an address literal */
	struct tls_peer peer; /* since `established` */
	struct failure failure;
};

/* Counts a message, or an empty record, that the peer sends without data. 0, or the session's error when
 * there were too many. */
int tls_note_message(struct tls *t);

/* Initialises OpenSSL without its configuration file. */
int tls_library_init(void);
/* A context with everything that is the same for both roles. NULL: out of memory. */
SSL_CTX *tls_context_new(const SSL_METHOD *method, enum tls_version min, enum tls_version max);

/* --- pem.c --- */

struct pem_reader {
	const char *data;
	size_t len, pos;
	unsigned line;	  /* of the byte at `pos`, from 1 */
	bool skip_others; /* pass over blocks that are no certificates, instead of refusing them */
};

/*
 * The next certificate of a file: 1 and *ret (the caller's) and the line its block begins in, 0 at the end,
 * -EINVAL with CA_INVALID in `f`, -ENOMEM.
 */
int pem_next(struct pem_reader *r, X509 **ret, unsigned *ret_line, struct failure *f);

/* --- certificate.c --- */

static inline void x509_freep(X509 **x)
{
	X509_free(*x);
	*x = NULL;
}
#define _cleanup_x509_ _cleanup_(x509_freep)

int certificate_pin(const X509 *x, struct tls_pin *ret);
void certificate_name(const X509_NAME *name, char *out, size_t size);
/* Writes the dNSName and iPAddress entries, "" if there are none. */
void certificate_alt_names(const X509 *x, char *out, size_t size);
int64_t certificate_time(const ASN1_TIME *time);
/* "2026-11-23 06:45 UTC" */
#define TIME_TEXT 32
void time_text(int64_t t, char out[static TIME_TEXT]);

/* --- verify.c --- */

/* Sets up who is trusted and which name is expected. 0 or negative errno with `f`. */
int verify_init(struct tls *t, const struct tls_policy *policy, struct failure *f);
/* Sets `f` for a certificate that OpenSSL refused at `depth` with X509_V_ERR_`error`. `now`: seconds since
 * 1970. */
void verify_explain(int error, int depth, X509 *failed, X509 *leaf, const char *name, int64_t now,
		    struct failure *f);

/* --- explain.c --- */

/* Sets t->failure after a failed handshake, from what the peer sent and OpenSSL's error queue. */
void explain_handshake(struct tls *t);
/* The same for an established session whose reading came to an end. Returns the error for the caller. */
int explain_session(struct tls *t);
/* OpenSSL's words for an error of its queue, "protocol error" where it has none. */
const char *reason_text(unsigned long code);
/* "handshake_failure (40)" */
void alert_text(int alert, char *out, size_t size);
