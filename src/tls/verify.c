/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is this server the one that was meant? The rules stand at the top of tls.h. */
#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"
#include "tls/internal.h"

/* 2026-01-01: a clock before the year this was written in has lost its battery or never asked for the time.
 */
#define CLOCK_SANE 1767225600

/* No real chain is longer; each link costs a signature check. */
#define DEPTH_MAX 10

/* Where distributions keep their trust: directories with hash links first, then what else they point into. */
static const char *const system_paths[] = {
	"/etc/ssl/certs",	      /* Debian, SUSE, Arch, Alpine; on Fedora a link to the next */
	"/etc/pki/tls/certs",	      /* Fedora, RHEL */
	"/etc/pki/ca-trust",	      /* Fedora: where the bundle really is */
	"/var/lib/ca-certificates",   /* SUSE: likewise */
	"/usr/share/ca-certificates", /* Debian: what the hash links point to */
	"/usr/local/share/ca-certificates",
	"/etc/ca-certificates", /* Arch */
	NULL,
};

static const char *const bundles[] = {
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/ssl/ca-bundle.pem",
	"/etc/ssl/cert.pem",
};

const char *const *tls_system_paths(void)
{
	return system_paths;
}

/* "1a2b3c4d.0", as `openssl rehash` makes them. */
static bool is_hash_link(const char *name)
{
	return strlen(name) >= 10 && strspn(name, "0123456789abcdef") == 8 && name[8] == '.' &&
	       name[9] >= '0' && name[9] <= '9';
}

static bool has_hash_links(const char *path)
{
	DIR *dir = opendir(path);
	bool found = false;

	if (!dir)
		return false;
	for (const struct dirent *e; !found && (e = readdir(dir));)
		found = is_hash_link(e->d_name);
	(void)closedir(dir);
	return found;
}

/*
 * The directory costs nothing until a certificate is looked up in it; the bundle is parsed whole (21 ms and
 * 0.9 MB with Debian's), so it is only the second choice.
 */
static int trust_system(X509_STORE *store, const char *dir, struct failure *f)
{
	char own_bundle[512];
	X509_LOOKUP *lookup;

	if (has_hash_links(dir ? dir : system_paths[0])) {
		lookup = X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir());
		if (!lookup || !X509_LOOKUP_add_dir(lookup, dir ? dir : system_paths[0], X509_FILETYPE_PEM))
			return -ENOMEM;
		return 0;
	}
	lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
	if (!lookup)
		return -ENOMEM;
	(void)snprintf(own_bundle, sizeof(own_bundle), "%s/ca-certificates.crt", dir ? dir : "");
	for (size_t i = 0; i < (dir ? 1 : ARRAY_SIZE(bundles)); i++)
		if (X509_LOOKUP_load_file(lookup, dir ? own_bundle : bundles[i], X509_FILETYPE_PEM) > 0)
			return 0;
	ERR_clear_error();
	failure_set(f, CAUSE_CA_INVALID,
		    "this system has no trusted certificates (%s is empty); "
		    "install the package ca-certificates",
		    dir ? dir : system_paths[0]);
	return -EINVAL;
}

static int trust_pem(X509_STORE *store, const void *pem, size_t len, struct failure *f)
{
	struct pem_reader r = { .data = pem, .len = len, .line = 1 };
	_cleanup_free_ struct tls_certificate *list = NULL;
	size_t count;

	/* First all of the file is read as `--inspect` reads it, so that both refuse the same files. */
	int n = tls_inspect(pem, len, &list, &count, f);
	if (n == 0)
		n = tls_inspect_anchors(list, count, f);
	while (n >= 0) {
		_cleanup_x509_ X509 *x = NULL;

		n = pem_next(&r, &x, NULL, f);
		if (n == 0)
			return 0;
		if (n > 0 && !X509_STORE_add_cert(store, x))
			n = -ENOMEM;
	}
	return n;
}

/* Whatever is wrong with one of these is no reason to refuse the others, or the CA. */
static int read_others(STACK_OF(X509) * others, const void *pem, size_t len)
{
	struct pem_reader r = { .data = pem, .len = len, .line = 1 };

	for (int n = 1; n != 0;) {
		_cleanup_x509_ X509 *x = NULL;
		struct failure ignored = { 0 };

		n = pem_next(&r, &x, NULL, &ignored);
		if (n == -ENOMEM || (n > 0 && !sk_X509_push(others, x)))
			return -ENOMEM;
		if (n > 0)
			x = NULL; /* it is theirs now */
	}
	return 0;
}

/* Name or address, without what only this host understands of it: a zone, or the dot of an absolute name. */
static int expected_name(const struct tls_policy *policy, char ret[static TLS_NAME_MAX], bool *ret_address,
			 struct failure *f)
{
	const char *name = policy->server_name ? policy->server_name : policy->host;

	size_t len = strcspn(name, "%");
	if (name[len] == 0 && len > 0 && name[len - 1] == '.')
		len--;
	if (len > 0 && len < TLS_NAME_MAX) {
		memcpy(ret, name, len);
		ret[len] = 0;
		*ret_address = is_address(ret);
		if (*ret_address || (name[len] != '%' && is_host_name(ret)))
			return 0;
	}
	failure_set(f, CAUSE_USAGE, "\"%.100s\" is neither a host name nor an address to verify", name);
	return -EINVAL;
}

/* X509_V_ERR_INVALID_PURPOSE of a certificate for any purpose: OpenSSL looks for serverAuth only. */
static bool fits_any_purpose(X509 *x, int depth)
{
	const uint32_t for_tls = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT;
	uint32_t flags = X509_get_extension_flags(x);

	if ((flags & EXFLAG_INVALID) || !(flags & EXFLAG_XKUSAGE) ||
	    !(X509_get_extended_key_usage(x) & XKU_ANYEKU))
		return false;
	return depth > 0 ? X509_check_ca(x) > 0 : (X509_get_key_usage(x) & for_tls) != 0;
}

static int chain_callback(int ok, X509_STORE_CTX *ctx)
{
	if (ok || X509_STORE_CTX_get_error(ctx) != X509_V_ERR_INVALID_PURPOSE)
		return ok;
	if (!fits_any_purpose(X509_STORE_CTX_get_current_cert(ctx), X509_STORE_CTX_get_error_depth(ctx)))
		return 0;
	X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return 1;
}

static bool check_pins(struct tls *t, const X509 *leaf)
{
	char text[TLS_PIN_TEXT];
	struct tls_pin pin;

	if (certificate_pin(leaf, &pin) < 0) {
		failure_set(&t->failure, CAUSE_INTERNAL, "the server's public key cannot be read");
		return false;
	}
	for (size_t i = 0; i < t->pin_count; i++)
		if (memcmp(pin.sha256, t->pins[i].sha256, sizeof(pin.sha256)) == 0)
			return true;
	tls_pin_format(&pin, text);
	failure_set(&t->failure, CAUSE_TLS_PIN_MISMATCH, "its pin is %s", text);
	return false;
}

/* What the server has sent comes first: where both have a certificate of one name, its own is the right one.
 */
static int verify_chain(const struct tls *t, X509_STORE_CTX *ctx)
{
	STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(ctx), *all = NULL;
	int result = -1;

	if (!t->others)
		return X509_verify_cert(ctx);
	all = sent ? sk_X509_dup(sent) : sk_X509_new_null();
	bool complete = all != NULL;
	for (int i = 0; complete && i < sk_X509_num(t->others); i++)
		complete = sk_X509_push(all, sk_X509_value(t->others, i)) > 0;
	if (complete) {
		X509_STORE_CTX_set0_untrusted(ctx, all);
		result = X509_verify_cert(ctx);
		X509_STORE_CTX_set0_untrusted(ctx, sent);
	}
	sk_X509_free(all);
	return result;
}

/* Replaces X509_verify_cert() for the server's chain. */
static int verify_callback(X509_STORE_CTX *ctx, void *arg)
{
	struct tls *t = arg;
	X509 *leaf = X509_STORE_CTX_get0_cert(ctx);

	if (t->pin_count > 0) {
		bool match = leaf && check_pins(t, leaf);
		X509_STORE_CTX_set_error(ctx, match ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
		return match;
	}
	X509_STORE_CTX_set_verify_cb(ctx, chain_callback);
	if (verify_chain(t, ctx) > 0)
		return 1;
	int error = X509_STORE_CTX_get_error(ctx);
	if (error == X509_V_OK) /* out of memory before anything was checked */
		X509_STORE_CTX_set_error(ctx, error = X509_V_ERR_OUT_OF_MEM);
	verify_explain(error, X509_STORE_CTX_get_error_depth(ctx), X509_STORE_CTX_get_current_cert(ctx), leaf,
		       t->verify_name, (int64_t)time(NULL), &t->failure);
	ERR_clear_error();
	return 0;
}

int verify_init(struct tls *t, const struct tls_policy *policy, struct failure *f)
{
	X509_STORE *store = SSL_CTX_get_cert_store(t->ctx);
	X509_VERIFY_PARAM *param = SSL_get0_param(t->ssl);

	int error = expected_name(policy, t->verify_name, &t->verify_address, f);
	if (error < 0)
		return error;
	if (policy->pin_count > TLS_PINS_MAX) {
		failure_set(f, CAUSE_USAGE, "more than %d pins", TLS_PINS_MAX);
		return -EINVAL;
	}
	t->pin_count = policy->pin_count;
	memcpy(t->pins, policy->pins, sizeof(t->pins));

	SSL_set_verify(t->ssl, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(t->ctx, verify_callback, t);
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
						       X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	X509_VERIFY_PARAM_set_depth(param, DEPTH_MAX);
	if (!X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER) ||
	    !(t->verify_address ? X509_VERIFY_PARAM_set1_ip_asc(param, t->verify_name)
				: X509_VERIFY_PARAM_set1_host(param, t->verify_name, 0)))
		return -ENOMEM;

	/* With a pin nobody else is asked. */
	if (policy->pin_count > 0)
		return 0;
	if (!policy->ca_pem)
		return trust_system(store, policy->system_dir, f);
	/* What the user names is the anchor, also if it is an intermediate CA; nothing else may get into the
	 * store. */
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
	error = trust_pem(store, policy->ca_pem, policy->ca_pem_len, f);
	if (error < 0 || policy->other_pem_len == 0)
		return error;
	t->others = sk_X509_new_null();
	return t->others ? read_others(t->others, policy->other_pem, policy->other_pem_len) : -ENOMEM;
}

/* --- explaining --- */

/* Names of strangers are cut so that the pin behind them always fits. */
#define NAME_SHOWN 64

static void pin_of(X509 *leaf, char out[static TLS_PIN_TEXT])
{
	struct tls_pin pin;

	out[0] = 0;
	if (certificate_pin(leaf, &pin) == 0)
		tls_pin_format(&pin, out);
}

/* A key or a signature that could be forged, whoever has signed it. */
static bool is_weak(int error)
{
	return error == X509_V_ERR_EE_KEY_TOO_SMALL || error == X509_V_ERR_CA_KEY_TOO_SMALL ||
	       error == X509_V_ERR_CA_MD_TOO_WEAK;
}

static void explain_untrusted(int error, X509 *failed, X509 *leaf, struct failure *f)
{
	char subject[NAME_SHOWN], issuer[NAME_SHOWN], pin_text[TLS_PIN_TEXT];

	certificate_name(X509_get_subject_name(failed), subject, sizeof(subject));
	certificate_name(X509_get_issuer_name(failed), issuer, sizeof(issuer));
	pin_of(leaf, pin_text);

	switch (error) {
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		failure_set(f, CAUSE_TLS_UNTRUSTED, "%s is self-signed: its pin is %s", subject, pin_text);
		break;
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		failure_set(f, CAUSE_TLS_UNTRUSTED, "its CA, %s, is unknown here: its pin is %s", subject,
			    pin_text);
		break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		failure_set(f, CAUSE_TLS_UNTRUSTED,
			    "%s is signed by %s, which is unknown here and not sent along: its pin is %s",
			    subject, issuer, pin_text);
		break;
	default:
		failure_set(f, is_weak(error) ? CAUSE_TLS_WEAK : CAUSE_TLS_UNTRUSTED,
			    "%s: %.60s: its pin is %s", subject, X509_verify_cert_error_string(error),
			    pin_text);
		break;
	}
}

/* "its CA, CN=x: " above the leaf, else "". */
static void whose(int depth, const X509 *failed, char out[static NAME_SHOWN + 16])
{
	char subject[NAME_SHOWN];

	out[0] = 0;
	if (depth == 0)
		return;
	certificate_name(X509_get_subject_name(failed), subject, sizeof(subject));
	(void)snprintf(out, NAME_SHOWN + 16, "its CA, %s: ", subject);
}

static void explain_time(bool expired, int depth, const X509 *failed, int64_t now, struct failure *f)
{
	char limit[TIME_TEXT], clock[TIME_TEXT], ca[NAME_SHOWN + 16];

	time_text(certificate_time(expired ? X509_get0_notAfter(failed) : X509_get0_notBefore(failed)),
		  limit);
	time_text(now, clock);
	whose(depth, failed, ca);
	if (expired)
		failure_set(f, CAUSE_TLS_EXPIRED, "%sexpired on %s; this host's clock says %s", ca, limit,
			    clock);
	else
		failure_set(f, CAUSE_TLS_NOT_YET_VALID, "%svalid from %s; this host's clock says %s%s", ca,
			    limit, clock, now < CLOCK_SANE ? ", which cannot be right" : "");
}

static void explain_purpose(int depth, X509 *failed, struct failure *f)
{
	bool by_extended_usage = (X509_get_extension_flags(failed) & EXFLAG_XKUSAGE) &&
				 !(X509_get_extended_key_usage(failed) & XKU_SSL_SERVER);
	char ca[NAME_SHOWN + 16];

	whose(depth, failed, ca);
	failure_set(f, CAUSE_TLS_PURPOSE, "%s%s", ca,
		    by_extended_usage ? "its extended key usage lacks serverAuth"
				      : "its key usage does not fit a TLS server");
}

static void explain_name(X509 *leaf, const char *name, struct failure *f)
{
	char names[96], subject[NAME_SHOWN], pin[TLS_PIN_TEXT];

	certificate_alt_names(leaf, names, sizeof(names));
	certificate_name(X509_get_subject_name(leaf), subject, sizeof(subject));
	pin_of(leaf, pin);
	if (names[0])
		failure_set(f, CAUSE_TLS_NAME_MISMATCH, "expected %.50s; it is for %s%s: its pin is %s", name,
			    names, strlen(names) == sizeof(names) - 1 ? " ..." : "", pin);
	else
		failure_set(f, CAUSE_TLS_NAME_MISMATCH,
			    "expected %.50s; it has no subjectAltName, and its common name does not count "
			    "(%s): its pin is %s",
			    name, subject, pin);
}

void verify_explain(int error, int depth, X509 *failed, X509 *leaf, const char *name, int64_t now,
		    struct failure *f)
{
	if (!failed)
		failed = leaf;
	switch (error) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		explain_name(leaf, name, f);
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		explain_time(true, depth, failed, now, f);
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		explain_time(false, depth, failed, now, f);
		break;
	case X509_V_ERR_INVALID_PURPOSE:
		explain_purpose(depth, failed, f);
		break;
	case X509_V_ERR_OUT_OF_MEM:
		failure_set(f, CAUSE_INTERNAL, "out of memory while verifying the certificate");
		break;
	default:
		explain_untrusted(error, failed, leaf, f);
		break;
	}
}
