/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From what the peer sent, or OpenSSL made of it, to a cause that a person can act on. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <stdio.h>
#include <string.h>

#include "base/wire.h"
#include "tls/internal.h"

static const struct {
	int number;
	const char *name;
} alerts[] = {
	/* RFC 8446 §6, RFC 5246 §7.2, RFC 6066 */
	{ 0, "close_notify" },
	{ 10, "unexpected_message" },
	{ 20, "bad_record_mac" },
	{ 21, "decryption_failed" },
	{ 22, "record_overflow" },
	{ 30, "decompression_failure" },
	{ 40, "handshake_failure" },
	{ 42, "bad_certificate" },
	{ 43, "unsupported_certificate" },
	{ 44, "certificate_revoked" },
	{ 45, "certificate_expired" },
	{ 46, "certificate_unknown" },
	{ 47, "illegal_parameter" },
	{ 48, "unknown_ca" },
	{ 49, "access_denied" },
	{ 50, "decode_error" },
	{ 51, "decrypt_error" },
	{ 60, "export_restriction" },
	{ 70, "protocol_version" },
	{ 71, "insufficient_security" },
	{ 80, "internal_error" },
	{ 86, "inappropriate_fallback" },
	{ 90, "user_canceled" },
	{ 100, "no_renegotiation" },
	{ 109, "missing_extension" },
	{ 110, "unsupported_extension" },
	{ 111, "certificate_unobtainable" },
	{ 112, "unrecognized_name" },
	{ 113, "bad_certificate_status_response" },
	{ 115, "unknown_psk_identity" },
	{ 116, "certificate_required" },
	{ 120, "no_application_protocol" },
};

void alert_text(int alert, char *out, size_t size)
{
	const char *name = "unknown";

	for (size_t i = 0; i < ARRAY_SIZE(alerts); i++)
		if (alerts[i].number == alert)
			name = alerts[i].name;
	(void)snprintf(out, size, "%s (%d)", name, alert);
}

/* Deprecated in favour of OPENSSL_init_ssl(), which does it at the start or never. */
static void load_texts(void)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
	(void)ERR_load_SSL_strings();
#pragma GCC diagnostic pop
}

const char *reason_text(unsigned long code)
{
	load_texts();
	const char *text = code ? ERR_reason_error_string(code) : NULL;

	return text ? text : "protocol error";
}

/* A record header by RFC 8446 §5.1: a known type and major version 3. Judged by as much as came. */
static bool looks_like_tls(const struct wire *w)
{
	const uint8_t *p = w->first;

	if (w->first_len >= 1 && (p[0] < SSL3_RT_CHANGE_CIPHER_SPEC || p[0] > SSL3_RT_APPLICATION_DATA))
		return false;
	return w->first_len < 2 || p[1] == SSL3_VERSION_MAJOR;
}

/* The version of a ServerHello older than TLS 1.2, "" if the peer did not begin with one. */
static const char *old_version(const struct wire *w)
{
	struct wire_reader r = wire_reader(w->first, w->first_len);

	uint8_t type = wire_u8(&r);
	wire_skip(&r, 4); /* version and length of the record */
	uint8_t message = wire_u8(&r);
	wire_skip(&r, 3); /* length of the message */
	uint16_t version = wire_u16(&r);
	if (r.error || type != SSL3_RT_HANDSHAKE || message != SSL3_MT_SERVER_HELLO)
		return "";
	return version == TLS1_1_VERSION ? "TLS 1.1"
	       : version == TLS1_VERSION ? "TLS 1.0"
	       : version == SSL3_VERSION ? "SSL 3.0"
					 : "";
}

static const char *peer_name(const struct tls *t)
{
	return t->server ? "the client" : "the server";
}

/* TLS 1.2 has no alert of its own for it (RFC 5246 §7.4.6), and TLS 1.3 tells it after our handshake. */
static bool misses_certificate(const struct tls *t)
{
	return t->alert == SSL_AD_CERTIFICATE_REQUIRED ||
	       (t->certificate_asked &&
		(t->alert == SSL_AD_HANDSHAKE_FAILURE || t->alert == SSL_AD_BAD_CERTIFICATE));
}

static void explain_alert(const struct tls *t, struct failure *f)
{
	bool version = t->alert == SSL_AD_PROTOCOL_VERSION || t->alert == SSL_AD_INSUFFICIENT_SECURITY ||
		       t->alert == SSL_AD_INAPPROPRIATE_FALLBACK;
	char text[48];

	alert_text(t->alert, text, sizeof(text));
	failure_set(f,
		    version		    ? CAUSE_TLS_VERSION
		    : misses_certificate(t) ? CAUSE_TLS_CLIENT_CERTIFICATE
					    : CAUSE_TLS_ALERT,
		    "alert %s", text);
}

static void explain_garbage(const struct tls *t, struct failure *f)
{
	char text[sizeof(t->wire.first) + 1];
	size_t len = 0;

	while (len < t->wire.first_len && t->wire.first[len] != '\r' && t->wire.first[len] != '\n')
		len++;
	printable(text, sizeof(text), t->wire.first, len);
	failure_set(f, CAUSE_TLS_NOT_TLS, "it answered \"%s\"", text);
}

static void explain_reason(const struct tls *t, unsigned long code, struct failure *f)
{
	const char *text = reason_text(code);
	int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;

	switch (reason) {
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_WRONG_SSL_VERSION:
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_VERSION_TOO_LOW:
	case SSL_R_NO_SHARED_CIPHER:
	case SSL_R_WRONG_CIPHER_RETURNED:
	case SSL_R_UNKNOWN_CIPHER_RETURNED:
	case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
	case SSL_R_WRONG_SIGNATURE_TYPE:
	case SSL_R_DH_KEY_TOO_SMALL:
	case SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED: {
		const char *old = t->server ? "" : old_version(&t->wire);
		failure_set(f, CAUSE_TLS_VERSION, "%s%s", old[0] ? "the server chose " : text,
			    old[0] ? old : "");
		break;
	}
	case SSL_R_EXCESSIVE_MESSAGE_SIZE:
		failure_set(f, CAUSE_TLS_FAILED, "%s sent a message longer than %u KiB", peer_name(t),
			    TLS_CHAIN_MAX / 1024);
		break;
	default:
		failure_set(f, CAUSE_TLS_FAILED, "%s", text);
		break;
	}
}

void explain_handshake(struct tls *t)
{
	struct failure *f = &t->failure;
	int socket_error = t->wire.read_error ? t->wire.read_error : t->wire.write_error;

	if (f->cause != CAUSE_NONE)
		; /* verify.c knew */
	else if (!looks_like_tls(&t->wire))
		explain_garbage(t, f);
	else if (t->alert >= 0)
		explain_alert(t, f);
	else if (t->wire.eof || socket_error == -ECONNRESET || socket_error == -EPIPE)
		failure_set(f, CAUSE_TLS_FAILED, "%s %s the connection %s", peer_name(t),
			    socket_error == -ECONNRESET ? "reset" : "closed",
			    t->wire.first_len == 0 ? "without an answer" : "during the handshake");
	else if (socket_error)
		failure_set(f, CAUSE_TLS_FAILED, "%s", strerror(-socket_error));
	else
		explain_reason(t, ERR_peek_last_error(), f);
	ERR_clear_error();
	t->error = -EPROTO;
}

int explain_session(struct tls *t)
{
	struct failure *f = &t->failure;
	int socket_error = t->wire.read_error ? t->wire.read_error : t->wire.write_error;
	char alert[48];

	t->error = -EPROTO;
	if (t->alert >= 0) {
		alert_text(t->alert, alert, sizeof(alert));
		failure_set(f, misses_certificate(t) ? CAUSE_TLS_CLIENT_CERTIFICATE : CAUSE_CONNECTION_LOST,
			    "%s sent the TLS alert %s", peer_name(t), alert);
	} else if (t->wire.write_error == -ENOBUFS) {
		failure_set(f, CAUSE_CONNECTION_LOST, "%s sends requests but does not read the answers",
			    peer_name(t));
	} else if (socket_error && socket_error != -EPIPE) {
		t->error = socket_error;
		failure_set(f, CAUSE_CONNECTION_LOST, "%s",
			    socket_error == -ECONNRESET ? "reset by the other side"
							: strerror(-socket_error));
	} else if (t->wire.eof || socket_error) {
		t->error = -ECONNRESET;
		failure_set(f, CAUSE_CONNECTION_LOST, "%s closed it without close_notify", peer_name(t));
	} else {
		failure_set(f, CAUSE_CONNECTION_LOST, "TLS: %s", reason_text(ERR_peek_last_error()));
	}
	ERR_clear_error();
	return t->error;
}
