/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which CAs of the configuration go together. */
#include "config/chain.h"

#include <errno.h>

#include "base/wire.h"
#include "config/edit.h"
#include "config/model.h"
#include "config/tree.h"
#include "test.h"

/* As much of a certificate as matters here, names of one letter: issuer and subject. */
static size_t make_der(uint8_t out[static 64], const char *names, bool version_3)
{
	static const uint8_t version[] = { 0xa0, 3, 2, 1, 2 }, serial_and_algorithm[] = { 2, 1, 7, 0x30, 0 },
			     validity[] = { 0x30, 0 };
	struct wire_writer w = wire_writer(out, 64);
	uint8_t inner = (uint8_t)(sizeof(serial_and_algorithm) + sizeof(validity) + 6 +
				  (version_3 ? sizeof(version) : 0));

	wire_put(&w, (uint8_t[]){ 0x30, (uint8_t)(inner + 2), 0x30, inner }, 4);
	if (version_3)
		wire_put(&w, version, sizeof(version));
	wire_put(&w, serial_and_algorithm, sizeof(serial_and_algorithm));
	wire_put(&w, (uint8_t[]){ 0x30, 1, (uint8_t)names[0] }, 3);
	wire_put(&w, validity, sizeof(validity));
	wire_put(&w, (uint8_t[]){ 0x30, 1, (uint8_t)names[1] }, 3);
	return w.len;
}

static void encode(const uint8_t *data, size_t len, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		uint32_t v = (uint32_t)data[i] << 16 | (i + 1 < len ? (uint32_t)data[i + 1] << 8 : 0) |
			     (i + 2 < len ? data[i + 2] : 0u);
		*out++ = digits[v >> 18];
		*out++ = digits[v >> 12 & 63];
		*out++ = i + 1 < len ? digits[v >> 6 & 63] : '=';
		*out++ = i + 2 < len ? digits[v & 63] : '=';
	}
	*out = 0;
}

/* A configuration with a CA for each word of `cas`; its name is the word, so are its issuer and subject. */
static struct config_tree *tree_of(const char *cas, const char *named)
{
	_cleanup_errors_ struct config_errors errors = { 0 };
	_cleanup_text_ struct text commands = { 0 };
	struct config_tree *tree = config_tree_new();

	for (const char *ca = cas; *ca; ca += 2 + (ca[2] == ' ')) {
		uint8_t der[64];
		char base64[128];
		encode(der, make_der(der, ca, ca[0] != ca[1]), base64);
		text_addf(&commands, "set pki ca %.2s certificate %s\n", ca, base64);
	}
	text_addf(&commands, "set interfaces sstpc sstpc0 ssl ca-certificate %s\n", named);
	if (tree && (config_parse(tree, text_str(&commands), commands.len, &errors) < 0 ||
		     config_errors_count(&errors) > 0)) {
		config_tree_free(tree);
		return NULL;
	}
	return tree;
}

/* The CAs that a session with the CA `named` gets, in their order. */
static const char *chain_of(const char *cas, const char *named, char out[static 256])
{
	_cleanup_tree_ struct config_tree *tree = tree_of(cas, named);
	_cleanup_config_interface_ struct config_interface c = { 0 };

	out[0] = 0;
	if (!tree || config_interface_load(tree, "sstpc0", &c) < 0)
		return NULL;
	for (const char *at = c.ca_pem; *at;) {
		for (const char *ca = cas; *ca; ca += 2 + (ca[2] == ' ')) {
			_cleanup_text_ struct text pem = { 0 };
			uint8_t der[64];
			char base64[128];
			encode(der, make_der(der, ca, ca[0] != ca[1]), base64);
			config_add_pem(base64, &pem);
			if (strncmp(at, text_str(&pem), pem.len) != 0)
				continue;
			at += pem.len;
			(void)snprintf(out + strlen(out), 256 - strlen(out), "%s%.2s", out[0] ? " " : "", ca);
			break;
		}
	}
	return out;
}

static void chains_are_joined_by_their_names(void)
{
	char out[256];

	check_str(chain_of("RR", "RR", out), "RR");
	/* what is above it, as in VyOS, */
	check_str(chain_of("AB RA RR XX", "AB", out), "AB RA RR");
	/* what is below it, */
	check_str(chain_of("AB RA RR XX", "RR", out), "RR RA AB");
	/* and what is beside it */
	check_str(chain_of("RA RB RR", "RA", out), "RA RR RB");
	check_str(chain_of("RA XX", "RA", out), "RA");
	/* two that have issued each other */
	check_str(chain_of("AB BA", "BA", out), "BA AB");
}

static void a_chain_has_an_end(void)
{
	char cas[256] = "", out[256];

	for (char c = 'B'; c <= 'Z'; c++)
		(void)snprintf(cas + strlen(cas), sizeof(cas) - strlen(cas), "%sA%c", cas[0] ? " " : "", c);
	(void)snprintf(cas + strlen(cas), sizeof(cas) - strlen(cas), " AA");
	check_str(chain_of(cas, "AA", out), "AA AB AC AD AE AF AG AH AI AJ AK AL AM AN AO AP");
}

static void names_are_found_or_refused(void)
{
	uint8_t der[64];
	struct chain_names names;
	size_t len = make_der(der, "RA", true);

	check_int(chain_read_names(der, len, &names), 0);
	check_mem(names.issuer, names.issuer_len, "R", 1);
	check_mem(names.subject, names.subject_len, "A", 1);
	for (size_t n = 0; n < len; n++)
		check_int(chain_read_names(der, n, &names), -EBADMSG);
	der[1] = 0x80; /* an indefinite length is not DER */
	check_int(chain_read_names(der, len, &names), -EBADMSG);
}

/* What the check of the form lets pass, and whose names cannot be read, stands alone. */
static void what_is_no_certificate_stands_alone(void)
{
	static const char commands[] = "set pki ca a certificate MAEA\nset pki ca b certificate MAEB\n"
				       "set interfaces sstpc sstpc0 ssl ca-certificate a\n";
	_cleanup_errors_ struct config_errors errors = { 0 };
	_cleanup_tree_ struct config_tree *tree = config_tree_new();
	_cleanup_config_interface_ struct config_interface c = { 0 };

	check_int(config_parse(tree, commands, sizeof(commands) - 1, &errors), 0);
	check_int(config_interface_load(tree, "sstpc0", &c), 0);
	check_str(c.ca_pem, "-----BEGIN CERTIFICATE-----\nMAEA\n-----END CERTIFICATE-----\n");
}

int main(void)
{
	return run_tests((struct test[]){
		TEST(chains_are_joined_by_their_names),
		TEST(a_chain_has_an_end),
		TEST(names_are_found_or_refused),
		TEST(what_is_no_certificate_stands_alone),
		{},
	});
}
