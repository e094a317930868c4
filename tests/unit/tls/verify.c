/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is let in and who is not: each row is a server's certificate, what the user asked for, and the verdict.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/text.h"
#include "pump.h"
#include "test.h"
#include "tls/internal.h"

/* The cast, made once: identity[0] is the root, [1] the intermediate, … */
enum who {
	ROOT,
	INTERMEDIATE,
	EXPIRED_INTERMEDIATE,
	CLIENT_INTERMEDIATE,
	ANY_INTERMEDIATE,
	OTHER_ROOT,
	GOOD,
	GOOD_RSA,
	BY_INTERMEDIATE,
	BY_EXPIRED_INTERMEDIATE,
	BY_CLIENT_INTERMEDIATE,
	BY_ANY_INTERMEDIATE,
	BY_OTHER_ROOT,
	BY_LEAF,
	WILDCARD,
	PARTIAL_WILDCARD,
	TOP_WILDCARD,
	ADDRESSES,
	ADDRESS_AS_NAME,
	NAME_IN_CN,
	EXPIRED,
	NOT_YET,
	CLIENT_ONLY,
	ANY_PURPOSE,
	NO_PURPOSE,
	WRONG_USAGE,
	WITH_NUL,
	SELF_SIGNED,
	SELF_SIGNED_EXPIRED,
	WEAK_KEY,
	WEAK_HASH,
	MANY_NAMES,
	_WHO_MAX,
};

/* Filled by main() before the tests run. */
static struct identity cast[_WHO_MAX];

#define NAME	"vpn.example.com"
#define BY(who) .issuer = &cast[who]

static const struct identity_spec specs[_WHO_MAX] = {
	[ROOT] = { .cn = "Test Root", .ca = true, .ku = "critical,keyCertSign,cRLSign" },
	[INTERMEDIATE] = { .cn = "Test Intermediate", .ca = true, BY(ROOT) },
	[EXPIRED_INTERMEDIATE] = { .cn = "Old Intermediate",
				   .ca = true,
				   .from_days = -9,
				   .to_days = -2,
				   BY(ROOT) },
	[CLIENT_INTERMEDIATE] = { .cn = "Client Intermediate", .ca = true, .eku = "clientAuth", BY(ROOT) },
	[ANY_INTERMEDIATE] = { .cn = "Any Intermediate", .ca = true, .eku = "anyExtendedKeyUsage", BY(ROOT) },
	[OTHER_ROOT] = { .cn = "Other Root", .ca = true },
	[GOOD] = { .cn = "a", .san = "DNS:" NAME ",DNS:alt.example.com", .eku = "serverAuth", BY(ROOT) },
	[GOOD_RSA] = { .cn = "a",
		       .san = "DNS:" NAME,
		       .rsa_bits = 2048,
		       .ku = "digitalSignature,keyEncipherment",
		       BY(ROOT) },
	[BY_INTERMEDIATE] = { .cn = "leaf", .san = "DNS:" NAME, .eku = "serverAuth", BY(INTERMEDIATE) },
	[BY_EXPIRED_INTERMEDIATE] = { .cn = "leaf", .san = "DNS:" NAME, BY(EXPIRED_INTERMEDIATE) },
	[BY_CLIENT_INTERMEDIATE] = { .cn = "leaf", .san = "DNS:" NAME, BY(CLIENT_INTERMEDIATE) },
	[BY_ANY_INTERMEDIATE] = { .cn = "leaf", .san = "DNS:" NAME, BY(ANY_INTERMEDIATE) },
	[BY_OTHER_ROOT] = { .cn = "leaf", .san = "DNS:" NAME, BY(OTHER_ROOT) },
	[BY_LEAF] = { .cn = "forged", .san = "DNS:" NAME, BY(GOOD) },
	[WILDCARD] = { .cn = NAME, .san = "DNS:*.example.com", BY(ROOT) },
	[PARTIAL_WILDCARD] = { .cn = NAME, .san = "DNS:v*.example.com", BY(ROOT) },
	[TOP_WILDCARD] = { .cn = NAME, .san = "DNS:*.com,DNS:*", BY(ROOT) },
	[ADDRESSES] = { .cn = "a", .san = "IP:192.0.2.7,IP:2001:db8::7", BY(ROOT) },
	[ADDRESS_AS_NAME] = { .cn = "192.0.2.7", .san = "DNS:192.0.2.7,DNS:2001:db8::7", BY(ROOT) },
	[NAME_IN_CN] = { .cn = NAME, BY(ROOT) },
	[EXPIRED] = { .cn = "a", .san = "DNS:" NAME, .from_days = -30, .to_days = -3, BY(ROOT) },
	[NOT_YET] = { .cn = "a", .san = "DNS:" NAME, .from_days = 3, .to_days = 30, BY(ROOT) },
	[CLIENT_ONLY] = { .cn = "a", .san = "DNS:" NAME, .eku = "clientAuth", BY(ROOT) },
	[ANY_PURPOSE] = { .cn = "a", .san = "DNS:" NAME, .eku = "clientAuth,anyExtendedKeyUsage", BY(ROOT) },
	[NO_PURPOSE] = { .cn = "a", .san = "DNS:" NAME, BY(ROOT) },
	[WRONG_USAGE] = { .cn = "a",
			  .san = "DNS:" NAME,
			  .ku = "critical,cRLSign",
			  .eku = "anyExtendedKeyUsage",
			  BY(ROOT) },
	[WITH_NUL] = { .cn = "a", .dns_with_nul = NAME, BY(ROOT) },
	[SELF_SIGNED] = { .cn = "box", .san = "DNS:" NAME },
	[SELF_SIGNED_EXPIRED] = { .cn = "box", .from_days = -9, .to_days = -2 },
	[WEAK_KEY] = { .cn = "a", .san = "DNS:" NAME, .rsa_bits = 1024, BY(ROOT) },
	[WEAK_HASH] = { .cn = "a", .san = "DNS:" NAME, .sha1 = true, BY(ROOT) },
	[MANY_NAMES] = { .cn = "a",
			 .san = "DNS:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example,"
				"DNS:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.example,"
				"DNS:ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc.example",
			 BY(ROOT) },
};

#define NOBODY _WHO_MAX

struct verdict {
	enum who server;
	enum who chain;		 /* sent along, or NOBODY */
	enum who ca;		 /* what the user trusts, or NOBODY: an empty system store */
	const char *host;	 /* what the user typed */
	const char *server_name; /* --server-name */
	enum who pin;		 /* a pin of this key, or NOBODY */
	enum cause cause;
	const char *detail; /* must be part of it */
};

static const struct verdict verdicts[] = {
	/* let in */
	{ GOOD, NOBODY, ROOT, NAME, NULL, NOBODY, CAUSE_NONE, "" },
	{ GOOD, NOBODY, ROOT, "VPN.Example.COM", NULL, NOBODY, CAUSE_NONE, "" },
	{ GOOD, NOBODY, ROOT, NAME ".", NULL, NOBODY, CAUSE_NONE, "" },
	{ GOOD, NOBODY, ROOT, "alt.example.com", NULL, NOBODY, CAUSE_NONE, "" },
	{ GOOD, NOBODY, ROOT, "192.0.2.1", NAME, NOBODY, CAUSE_NONE, "" },
	{ GOOD_RSA, NOBODY, ROOT, NAME, NULL, NOBODY, CAUSE_NONE, "" },
	{ BY_INTERMEDIATE, INTERMEDIATE, ROOT, NAME, NULL, NOBODY, CAUSE_NONE, "" },
	{ BY_INTERMEDIATE, NOBODY, INTERMEDIATE, NAME, NULL, NOBODY, CAUSE_NONE, "" },
	{ BY_ANY_INTERMEDIATE, ANY_INTERMEDIATE, ROOT, NAME, NULL, NOBODY, CAUSE_NONE, "" },
	{ WILDCARD, NOBODY, ROOT, NAME, NULL, NOBODY, CAUSE_NONE, "" },
	{ ADDRESSES, NOBODY, ROOT, "192.0.2.7", NULL, NOBODY, CAUSE_NONE, "" },
	{ ADDRESSES, NOBODY, ROOT, "2001:db8:0::7", NULL, NOBODY, CAUSE_NONE, "" },
	{ ADDRESSES, NOBODY, ROOT, "2001:db8::7%eth0", NULL, NOBODY, CAUSE_NONE, "" },
	{ ANY_PURPOSE, NOBODY, ROOT, NAME, NULL, NOBODY, CAUSE_NONE, "" },
	{ NO_PURPOSE, NOBODY, ROOT, NAME, NULL, NOBODY, CAUSE_NONE, "" },
	{ SELF_SIGNED, NOBODY, SELF_SIGNED, NAME, NULL, NOBODY, CAUSE_NONE, "" },

	/* names */
	{ GOOD, NOBODY, ROOT, "other.example.com", NULL, NOBODY, CAUSE_TLS_NAME_MISMATCH,
	  "expected other.example.com; it is for vpn.example.com, alt.example.com" },
	{ GOOD, NOBODY, ROOT, NAME, "other.example.com", NOBODY, CAUSE_TLS_NAME_MISMATCH, "expected other" },
	{ GOOD, NOBODY, ROOT, "x." NAME, NULL, NOBODY, CAUSE_TLS_NAME_MISMATCH, "" },
	{ GOOD, NOBODY, ROOT, "example.com", NULL, NOBODY, CAUSE_TLS_NAME_MISMATCH, "" },
	{ GOOD, NOBODY, ROOT, "192.0.2.1", NULL, NOBODY, CAUSE_TLS_NAME_MISMATCH, "expected 192.0.2.1" },
	{ SELF_SIGNED, NOBODY, SELF_SIGNED, "other.example", NULL, NOBODY, CAUSE_TLS_NAME_MISMATCH, "" },
	{ WILDCARD, NOBODY, ROOT, "a.b.example.com", NULL, NOBODY, CAUSE_TLS_NAME_MISMATCH, "*.example.com" },
	{ WILDCARD, NOBODY, ROOT, "example.com", NULL, NOBODY, CAUSE_TLS_NAME_MISMATCH, "" },
	{ PARTIAL_WILDCARD, NOBODY, ROOT, NAME, NULL, NOBODY, CAUSE_TLS_NAME_MISMATCH, "" },
	{ TOP_WILDCARD, NOBODY, ROOT, "example.com", NULL, NOBODY, CAUSE_TLS_NAME_MISMATCH, "" },
	{ ADDRESSES, NOBODY, ROOT, "192.0.2.8", NULL, NOBODY, CAUSE_TLS_NAME_MISMATCH,
	  "it is for 192.0.2.7, 2001:db8::7" },
	{ ADDRESS_AS_NAME, NOBODY, ROOT, "192.0.2.7", NULL, NOBODY, CAUSE_TLS_NAME_MISMATCH, "" },
	{ ADDRESS_AS_NAME, NOBODY, ROOT, "2001:db8::7", NULL, NOBODY, CAUSE_TLS_NAME_MISMATCH, "" },
	{ NAME_IN_CN, NOBODY, ROOT, NAME, NULL, NOBODY, CAUSE_TLS_NAME_MISMATCH, "no subjectAltName" },
	{ WITH_NUL, NOBODY, ROOT, NAME, NULL, NOBODY, CAUSE_TLS_NAME_MISMATCH,
	  "vpn.example.com..evil.example" },
	{ MANY_NAMES, NOBODY, ROOT, NAME, NULL, NOBODY, CAUSE_TLS_NAME_MISMATCH, " ..." },

	/* times */
	{ EXPIRED, NOBODY, ROOT, NAME, NULL, NOBODY, CAUSE_TLS_EXPIRED, "expired on 20" },
	{ NOT_YET, NOBODY, ROOT, NAME, NULL, NOBODY, CAUSE_TLS_NOT_YET_VALID, "valid from 20" },
	{ BY_EXPIRED_INTERMEDIATE, EXPIRED_INTERMEDIATE, ROOT, NAME, NULL, NOBODY, CAUSE_TLS_EXPIRED,
	  "its CA, CN=Old Intermediate: expired on 20" },

	/* purposes */
	{ CLIENT_ONLY, NOBODY, ROOT, NAME, NULL, NOBODY, CAUSE_TLS_PURPOSE, "lacks serverAuth" },
	{ WRONG_USAGE, NOBODY, ROOT, NAME, NULL, NOBODY, CAUSE_TLS_PURPOSE, "" },
	{ BY_CLIENT_INTERMEDIATE, CLIENT_INTERMEDIATE, ROOT, NAME, NULL, NOBODY, CAUSE_TLS_PURPOSE,
	  "its CA, CN=Client Intermediate" },

	/* trust */
	{ BY_OTHER_ROOT, NOBODY, ROOT, NAME, NULL, NOBODY, CAUSE_TLS_UNTRUSTED,
	  "signed by CN=Other Root, which is unknown here and not sent along: its pin is sha256:" },
	{ BY_OTHER_ROOT, OTHER_ROOT, ROOT, NAME, NULL, NOBODY, CAUSE_TLS_UNTRUSTED,
	  "its CA, CN=Other Root, is unknown here: its pin is sha256:" },
	{ BY_INTERMEDIATE, NOBODY, ROOT, NAME, NULL, NOBODY, CAUSE_TLS_UNTRUSTED, "CN=Test Intermediate" },
	{ BY_LEAF, GOOD, ROOT, NAME, NULL, NOBODY, CAUSE_TLS_UNTRUSTED, "its pin is sha256:" },
	{ SELF_SIGNED, NOBODY, ROOT, NAME, NULL, NOBODY, CAUSE_TLS_UNTRUSTED,
	  "CN=box is self-signed: its pin is sha256:" },

	/* pins: the key alone decides */
	{ SELF_SIGNED, NOBODY, NOBODY, NAME, NULL, SELF_SIGNED, CAUSE_NONE, "" },
	{ SELF_SIGNED_EXPIRED, NOBODY, NOBODY, "192.0.2.1", NULL, SELF_SIGNED_EXPIRED, CAUSE_NONE, "" },
	{ CLIENT_ONLY, NOBODY, NOBODY, "other.example", NULL, CLIENT_ONLY, CAUSE_NONE, "" },
	{ GOOD, NOBODY, ROOT, NAME, NULL, GOOD, CAUSE_NONE, "" },
	{ BY_OTHER_ROOT, NOBODY, ROOT, NAME, NULL, BY_OTHER_ROOT, CAUSE_NONE, "" },
	{ GOOD, NOBODY, ROOT, NAME, NULL, SELF_SIGNED, CAUSE_TLS_PIN_MISMATCH, "its pin is sha256:" },
	{ SELF_SIGNED, NOBODY, NOBODY, NAME, NULL, GOOD, CAUSE_TLS_PIN_MISMATCH, "" },
	/* A pin of the CA's key is not a pin of the server's. */
	{ GOOD, ROOT, ROOT, NAME, NULL, ROOT, CAUSE_TLS_PIN_MISMATCH, "" },
};

static struct tls_pin pin_of_key(EVP_PKEY *key)
{
	struct tls_pin pin = { 0 };
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);

	(void)EVP_Digest(der, (size_t)len, pin.sha256, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
	return pin;
}

static struct tls_pin pin_of(enum who who)
{
	return pin_of_key(cast[who].key);
}

static struct failure judge(const struct verdict *v, enum tls_version version)
{
	X509 *const ca[] = { v->ca != NOBODY ? cast[v->ca].cert : NULL, NULL };
	X509 *const chain[] = { v->chain != NOBODY ? cast[v->chain].cert : NULL, NULL };
	_cleanup_free_ char *ca_pem = v->ca != NOBODY ? pem_of_certs(ca) : NULL;
	struct tls_policy policy = { .host = v->host,
				     .server_name = v->server_name,
				     .ca_pem = ca_pem,
				     .ca_pem_len = ca_pem ? strlen(ca_pem) : 0,
				     .system_dir = "/nonexistent" };
	struct failure f = { 0 };
	struct link l;

	if (v->pin != NOBODY)
		policy.pins[policy.pin_count++] = pin_of(v->pin);
	link_open(&l, &policy, &cast[v->server], chain, version, version);
	if (!l.client) {
		f = l.setup;
	} else {
		link_handshake(&l);
		if (l.client_result < 0)
			f = *tls_failure(l.client);
		/* Whoever is refused has seen no byte of ours, and learns of it by an alert. */
		else if (l.server_result != 0)
			failure_set(&f, CAUSE_INTERNAL, "the server is not done: %s",
				    tls_failure(l.server)->detail);
		if (l.client_result < 0 && tls_failure(l.server)->cause != CAUSE_TLS_ALERT &&
		    tls_peer(l.server, &(struct tls_peer){ 0 }) < 0)
			failure_set(&f, CAUSE_INTERNAL, "the server got no alert");
	}
	link_close(&l);
	return f;
}

static unsigned judge_all(enum tls_version version)
{
	unsigned bad = 0;

	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		const struct verdict *v = &verdicts[i];
		/* OpenSSL's server finds no cipher for such a certificate before we can refuse it. */
		if (v->server == WRONG_USAGE && version == TLS_1_2)
			continue;
		struct failure f = judge(v, version);
		if (f.cause == v->cause && strstr(f.detail, v->detail))
			continue;
		printf("# row %zu (%s): %s (%s), expected %s (%s)\n", i, v->host, cause_name(f.cause),
		       f.detail, cause_name(v->cause), v->detail);
		bad++;
	}
	return bad;
}

static void every_verdict_with_tls_1_3(void)
{
	check_int(judge_all(TLS_1_3), 0);
}

static void every_verdict_with_tls_1_2(void)
{
	check_int(judge_all(TLS_1_2), 0);
}

/* The pin that an error prints is the pin that lets the server in. */
static void the_printed_pin_works(void)
{
	struct verdict v = { SELF_SIGNED, NOBODY, ROOT, NAME, NULL, NOBODY, CAUSE_NONE, "" };
	struct failure f = judge(&v, TLS_ANY);
	struct tls_pin pin = pin_of(SELF_SIGNED);
	char text[TLS_PIN_TEXT];

	tls_pin_format(&pin, text);
	check(strstr(f.detail, text) != NULL);

	v.pin = GOOD;
	f = judge(&v, TLS_ANY);
	check_int(f.cause, CAUSE_TLS_PIN_MISMATCH);
	check(strstr(f.detail, text) != NULL);
}

/* Names of a stranger never push the pin out of the message. */
static void long_names_leave_room_for_the_pin(void)
{
	const char *cn = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";
	struct identity root = identity_new(&(struct identity_spec){ .cn = cn, .ca = true });
	struct identity leaf = identity_new(&(struct identity_spec){ .cn = cn, .issuer = &root });
	const int errors[] = { X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
			       X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
			       X509_V_ERR_PATH_LENGTH_EXCEEDED };
	struct tls_pin pin = pin_of_key(leaf.key);
	char text[TLS_PIN_TEXT];

	tls_pin_format(&pin, text);
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		struct failure f = { 0 };
		verify_explain(errors[i], 0, leaf.cert, leaf.cert, NAME, 0, &f);
		check_int(f.cause, CAUSE_TLS_UNTRUSTED);
		check(strstr(f.detail, text) != NULL);
	}
	identity_free(&leaf);
	identity_free(&root);
}

static void one_of_several_pins_is_enough(void)
{
	struct tls_policy policy = { .host = NAME, .system_dir = "/nonexistent" };
	struct link l;

	for (int i = 0; i < TLS_PINS_MAX; i++)
		policy.pins[policy.pin_count++] = pin_of(i == TLS_PINS_MAX - 1 ? SELF_SIGNED : GOOD);
	link_open(&l, &policy, &cast[SELF_SIGNED], NULL, TLS_ANY, TLS_ANY);
	link_handshake(&l);
	check_int(l.client_result, 0);
	link_close(&l);

	policy.pin_count = TLS_PINS_MAX - 1;
	link_open(&l, &policy, &cast[SELF_SIGNED], NULL, TLS_ANY, TLS_ANY);
	link_handshake(&l);
	check_int(tls_failure(l.client)->cause, CAUSE_TLS_PIN_MISMATCH);
	link_close(&l);

	policy.pin_count = TLS_PINS_MAX + 1;
	link_open(&l, &policy, &cast[SELF_SIGNED], NULL, TLS_ANY, TLS_ANY);
	check_int(l.setup.cause, CAUSE_USAGE);
	link_close(&l);
}

static void every_byte_of_a_pin_counts(void)
{
	struct tls_policy policy = { .host = NAME, .system_dir = "/nonexistent", .pin_count = 1 };
	struct link l;

	for (size_t i = 0; i < sizeof(policy.pins[0].sha256); i++) {
		policy.pins[0] = pin_of(SELF_SIGNED);
		policy.pins[0].sha256[i] ^= 1;
		link_open(&l, &policy, &cast[SELF_SIGNED], NULL, TLS_ANY, TLS_ANY);
		link_handshake(&l);
		check_int(tls_failure(l.client)->cause, CAUSE_TLS_PIN_MISMATCH);
		link_close(&l);
	}
}

static void an_absurd_clock_is_named(void)
{
	struct failure f = { 0 };

	verify_explain(X509_V_ERR_CERT_NOT_YET_VALID, 0, cast[GOOD].cert, cast[GOOD].cert, NAME, 86400, &f);
	check_int(f.cause, CAUSE_TLS_NOT_YET_VALID);
	check(strstr(f.detail, "this host's clock says 1970-01-02 00:00 UTC, which cannot be right") != NULL);

	struct failure g = { 0 };
	verify_explain(X509_V_ERR_CERT_NOT_YET_VALID, 0, cast[GOOD].cert, cast[GOOD].cert, NAME, 1800000000,
		       &g);
	check(strstr(g.detail, "clock says 2027-01-15") != NULL);
	check(strstr(g.detail, "cannot be right") == NULL);
}

static void a_tampered_certificate_is_refused(void)
{
	/* The certificate of another CA of the same name: everything fits but the signature. */
	struct identity twin = identity_new(&specs[ROOT]);
	struct identity leaf = identity_new(
		&(struct identity_spec){ .cn = "a", .san = "DNS:" NAME, .issuer = &twin });
	_cleanup_free_ char *ca = pem_of_certs((X509 *[]){ cast[ROOT].cert, NULL });
	struct tls_policy policy = { .host = NAME, .ca_pem = ca, .ca_pem_len = strlen(ca) };
	struct link l;

	link_open(&l, &policy, &leaf, NULL, TLS_ANY, TLS_ANY);
	link_handshake(&l);
	check_int(tls_failure(l.client)->cause, CAUSE_TLS_UNTRUSTED);
	link_close(&l);
	identity_free(&leaf);
	identity_free(&twin);
}

/* The verdict about a server that sends its certificate and `sent` (or NULL). */
static struct failure with_others(const struct identity *server, X509 *sent, const char *ca,
				  const char *others)
{
	struct tls_policy policy = { .host = NAME,
				     .ca_pem = ca,
				     .ca_pem_len = strlen(ca),
				     .other_pem = others,
				     .other_pem_len = strlen(others) };
	struct failure f;
	struct link l;

	link_open(&l, &policy, server, (X509 *[]){ sent, NULL }, TLS_ANY, TLS_ANY);
	if (l.client)
		link_handshake(&l);
	f = l.client ? *tls_failure(l.client) : l.setup;
	link_close(&l);
	return f;
}

static void others_complete_the_chain(void)
{
	_cleanup_free_ char *root = pem_of_certs((X509 *[]){ cast[ROOT].cert, NULL });
	_cleanup_free_ char *intermediate = pem_of_certs((X509 *[]){ cast[INTERMEDIATE].cert, NULL });
	_cleanup_free_ char *expired = pem_of_certs((X509 *[]){ cast[EXPIRED_INTERMEDIATE].cert, NULL });
	_cleanup_text_ struct text mixed = { 0 };
	const struct identity *server = &cast[BY_INTERMEDIATE];

	check_int(with_others(server, NULL, root, intermediate).cause, CAUSE_NONE);
	check_int(with_others(server, NULL, intermediate, root).cause, CAUSE_NONE);
	/* Others that are no certificates are no obstacle. */
	text_addf(&mixed,
		  "-----BEGIN CERTIFICATE-----\nMAEA\n-----END CERTIFICATE-----\n"
		  "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"
		  "-----BEGIN KEY-----\n%s-----BEGIN CERTIFICATE-----\nMAEA\n",
		  intermediate);
	check_int(with_others(server, NULL, root, text_str(&mixed)).cause, CAUSE_NONE);
	/* They are checked like the server's own. */
	check_int(with_others(&cast[BY_EXPIRED_INTERMEDIATE], NULL, root, expired).cause, CAUSE_TLS_EXPIRED);
}

static void others_are_not_trusted(void)
{
	struct identity twin = identity_new(&specs[ROOT]),
			twin_intermediate = identity_new(&specs[INTERMEDIATE]);
	struct identity server = identity_new(
		&(struct identity_spec){ .cn = "a", .san = "DNS:" NAME, .issuer = &twin });
	_cleanup_free_ char *root = pem_of_certs((X509 *[]){ cast[ROOT].cert, NULL });
	_cleanup_free_ char *other_root = pem_of_certs((X509 *[]){ cast[OTHER_ROOT].cert, NULL });
	_cleanup_free_ char *intermediate = pem_of_certs((X509 *[]){ cast[INTERMEDIATE].cert, NULL });
	_cleanup_free_ char *of_twin = pem_of_certs((X509 *[]){ twin.cert, NULL });
	_cleanup_free_ char *of_twin_intermediate = pem_of_certs((X509 *[]){ twin_intermediate.cert, NULL });

	/* Two CAs of one name: each refuses the other's server, whatever that sends along, */
	check_int(with_others(&server, NULL, root, of_twin).cause, CAUSE_TLS_UNTRUSTED);
	check_int(with_others(&server, twin.cert, root, of_twin).cause, CAUSE_TLS_UNTRUSTED);
	check_int(with_others(&cast[GOOD], NULL, of_twin, root).cause, CAUSE_TLS_UNTRUSTED);
	check_int(with_others(&cast[GOOD], cast[ROOT].cert, of_twin, root).cause, CAUSE_TLS_UNTRUSTED);
	/* and lets its own in. */
	check_int(with_others(&server, NULL, of_twin, root).cause, CAUSE_NONE);
	check_int(with_others(&cast[GOOD], NULL, root, of_twin).cause, CAUSE_NONE);
	/* Neither one of another name, nor what is above the one that is named. */
	check_int(with_others(&cast[BY_OTHER_ROOT], NULL, root, other_root).cause, CAUSE_TLS_UNTRUSTED);
	check_int(with_others(&cast[GOOD], NULL, intermediate, root).cause, CAUSE_TLS_UNTRUSTED);
	/* What the server sends is preferred to another of the same name. */
	check_int(with_others(&cast[BY_INTERMEDIATE], cast[INTERMEDIATE].cert, root, of_twin_intermediate)
			  .cause,
		  CAUSE_NONE);
	identity_free(&server);
	identity_free(&twin_intermediate);
	identity_free(&twin);
}

/* Our own server would refuse to show such a certificate. */
static enum cause shown_by_raw_server(enum who server, char *detail, size_t size)
{
	_cleanup_free_ char *ca = pem_of_certs((X509 *[]){ cast[ROOT].cert, NULL });
	struct tls_policy policy = { .host = NAME, .ca_pem = ca, .ca_pem_len = strlen(ca) };
	struct failure f = { 0 };
	struct tls *client = NULL;
	struct raw_server raw;
	int fds[2];

	make_pair(fds);
	raw_open(&raw, fds[1], &cast[server], TLS1_2_VERSION, TLS1_3_VERSION, "DEFAULT@SECLEVEL=0");
	(void)tls_client_new(&policy, fds[0], &client, &f);
	(void)raw_handshake(&raw, client, NULL);
	f = *tls_failure(client);
	(void)snprintf(detail, size, "%s", f.detail);
	tls_free(client);
	raw_close(&raw);
	close_fd(fds[0]);
	close_fd(fds[1]);
	return f.cause;
}

static void weak_certificates_are_refused(void)
{
	char detail[256];

	check_int(shown_by_raw_server(GOOD, detail, sizeof(detail)), CAUSE_NONE);
	check_int(shown_by_raw_server(WEAK_KEY, detail, sizeof(detail)), CAUSE_TLS_WEAK);
	check(strstr(detail, "key too weak") != NULL);
	check_int(shown_by_raw_server(WEAK_HASH, detail, sizeof(detail)), CAUSE_TLS_WEAK);
	check(strstr(detail, "too weak") != NULL);
}

/* --- the system's store --- */

static bool write_file(const char *dir, const char *name, const char *text)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "we");
	bool ok = f && fputs(text, f) >= 0;
	if (f)
		ok &= fclose(f) == 0;
	return ok;
}

static void remove_file(const char *dir, const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	(void)(remove(path));
}

static enum cause against_store(const char *dir, enum who server)
{
	struct tls_policy policy = { .host = NAME, .system_dir = dir };
	struct link l;

	link_open(&l, &policy, &cast[server], NULL, TLS_ANY, TLS_ANY);
	if (l.client)
		link_handshake(&l);
	enum cause cause = l.client ? tls_failure(l.client)->cause : l.setup.cause;
	link_close(&l);
	return cause;
}

static void the_system_store_by_hash_or_bundle(void)
{
	_cleanup_free_ char *root = pem_of_certs((X509 *[]){ cast[ROOT].cert, NULL });
	char dir[] = "/tmp/test-verify-XXXXXX", link_name[32];

	check(mkdtemp(dir) != NULL);
	check_int(against_store(dir, GOOD), CAUSE_CA_INVALID); /* empty */

	check(write_file(dir, "ca-certificates.crt", root));
	check_int(against_store(dir, GOOD), CAUSE_NONE);
	check_int(against_store(dir, BY_OTHER_ROOT), CAUSE_TLS_UNTRUSTED);
	check_int(against_store(dir, SELF_SIGNED), CAUSE_TLS_UNTRUSTED);
	check_int(against_store(dir, EXPIRED), CAUSE_TLS_EXPIRED);

	(void)snprintf(link_name, sizeof(link_name), "%08lx.0",
		       X509_NAME_hash_ex(X509_get_subject_name(cast[ROOT].cert), NULL, NULL, NULL));
	check(write_file(dir, link_name, root));
	remove_file(dir, "ca-certificates.crt");
	check_int(against_store(dir, GOOD), CAUSE_NONE);
	check_int(against_store(dir, BY_OTHER_ROOT), CAUSE_TLS_UNTRUSTED);
	remove_file(dir, link_name);
	check_int(remove(dir), 0);
}

static void this_systems_store_can_be_used(void)
{
	struct tls_policy policy = { .host = NAME };
	struct link l;

	link_open(&l, &policy, &cast[GOOD], NULL, TLS_ANY, TLS_ANY);
	check(l.client != NULL);
	link_handshake(&l);
	check_int(tls_failure(l.client)->cause, CAUSE_TLS_UNTRUSTED);
	link_close(&l);
}

/* --- bad settings --- */

static void bad_settings_are_refused_at_once(void)
{
	static const char *const names[] = { "",	  ".",	  "a b",	   "-x",    "x..y", "%eth0",
					     "host%eth0", "a\nb", "*.example.com", "1.2.3", "[::1]" };
	_cleanup_free_ char *ca = pem_of_certs((X509 *[]){ cast[ROOT].cert, NULL });
	int fds[2];

	make_pair(fds);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct tls_policy policy = { .host = names[i], .ca_pem = ca, .ca_pem_len = strlen(ca) };
		struct failure f = { 0 };
		struct tls *t = NULL;
		if (tls_client_new(&policy, fds[0], &t, &f) != -EINVAL)
			printf("# taken: \"%s\"\n", names[i]);
		check(t == NULL);
		check_int(f.cause, CAUSE_USAGE);
	}

	static const char *const cas[] = { "", "hello\n",
					   "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" };
	for (size_t i = 0; i < ARRAY_SIZE(cas); i++) {
		struct tls_policy policy = { .host = NAME, .ca_pem = cas[i], .ca_pem_len = strlen(cas[i]) };
		struct failure f = { 0 };
		struct tls *t = NULL;
		check_int(tls_client_new(&policy, fds[0], &t, &f), -EINVAL);
		check_int(f.cause, CAUSE_CA_INVALID);
	}

	_cleanup_free_ char *leaf = pem_of_certs((X509 *[]){ cast[GOOD].cert, NULL });
	struct tls_policy policy = { .host = NAME, .ca_pem = leaf, .ca_pem_len = strlen(leaf) };
	struct failure f = { 0 };
	struct tls *t = NULL;
	check_int(tls_client_new(&policy, fds[0], &t, &f), -EINVAL);
	check_int(f.cause, CAUSE_CA_INVALID);
	check(strstr(f.detail, "not a CA") != NULL);
	close_fd(fds[0]);
	close_fd(fds[1]);
}

int main(void)
{
	for (enum who w = 0; w < _WHO_MAX; w++)
		cast[w] = identity_new(&specs[w]);
	int result = run_tests((struct test[]){ TEST(every_verdict_with_tls_1_3),
						TEST(every_verdict_with_tls_1_2),
						TEST(the_printed_pin_works),
						TEST(long_names_leave_room_for_the_pin),
						TEST(one_of_several_pins_is_enough),
						TEST(every_byte_of_a_pin_counts),
						TEST(an_absurd_clock_is_named),
						TEST(a_tampered_certificate_is_refused),
						TEST(others_complete_the_chain),
						TEST(others_are_not_trusted),
						TEST(weak_certificates_are_refused),
						TEST(the_system_store_by_hash_or_bundle),
						TEST(this_systems_store_can_be_used),
						TEST(bad_settings_are_refused_at_once),
						{} });
	for (enum who w = 0; w < _WHO_MAX; w++)
		identity_free(&cast[w]);
	return result;
}
