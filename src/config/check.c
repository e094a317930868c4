/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/check.h"

#include <string.h>

#include "base/parse.h"
#include "config/base64.h"

#define IPV6_MTU_MIN 1280

static const struct config_node *find_ca(const struct config_tree *tree, const char *name)
{
	const struct config_node *pki = tree ? config_node_get(&tree->root, "pki") : NULL;

	return pki ? config_node_find(pki, schema_child(pki->schema, "ca"), name) : NULL;
}

static void check_ca(const struct config_tree *old, const struct config_tree *new,
		     const struct config_node *interface, const char *path, struct config_errors *errors)
{
	const char *name = config_node_value(config_node_get(interface, "ssl"), "ca-certificate");
	const struct config_node *ca = name ? find_ca(new, name) : NULL;

	if (!name)
		return;
	if (!ca && find_ca(old, name))
		config_errors_add(errors, interface->line, interface->column, path,
				  "PKI object \"%s\" still in use by \"%s ssl ca-certificate\"", name, path);
	else if (!ca)
		config_errors_add(errors, interface->line, interface->column, path,
				  "CA Certificate \"%s\" not found in configuration!", name);
	else if (!config_node_get(ca, "certificate"))
		config_errors_add(errors, interface->line, interface->column, path,
				  "PEM CA certificate for \"%s\" missing in configuration!", name);
}

static void check_interface(const struct config_tree *old, const struct config_tree *new,
			    const struct config_node *node, struct config_errors *errors)
{
	const struct config_node *authentication = config_node_get(node, "authentication");
	const struct config_node *ssl = config_node_get(node, "ssl");
	_cleanup_text_ struct text path = { 0 };
	size_t pins = 0;

	config_node_path(node, &path);
	bool password = config_node_get(authentication, "password");
	bool file = config_node_get(authentication, "password-file");
	if (authentication && (!config_node_get(authentication, "username") || (!password && !file)))
		config_errors_add(errors, node->line, node->column, text_str(&path),
				  "Authentication requires both username and password to be set!");
	if (password && file)
		config_errors_add(errors, node->line, node->column, text_str(&path),
				  "Authentication: set either password or password-file, not both!");
	if (!config_node_get(node, "server"))
		config_errors_add(errors, node->line, node->column, text_str(&path),
				  "Remote SSTP server must be specified!");
	check_ca(old, new, node, text_str(&path), errors);
	for (size_t i = 0; ssl && i < ssl->n_children; i++)
		pins += strcmp(ssl->children[i]->schema->name, "pin") == 0;
	if (pins > CONFIG_PINS_MAX)
		config_errors_add(errors, node->line, node->column, text_str(&path),
				  "At most %d pins may be set!", CONFIG_PINS_MAX);
}

/* Is it one DER SEQUENCE, neither cut nor followed by anything? What is inside, the sandbox looks at. */
static bool is_der_sequence(const char *base64)
{
	static const size_t header_max = 4;
	uint8_t der[CONFIG_CERTIFICATE_MAX];
	ssize_t len = base64_decode(base64, der, sizeof(der));
	size_t n = 0, length = 0;

	if (len < (ssize_t)header_max || der[0] != 0x30)
		return false;
	if (der[1] < 0x80)
		return (size_t)len == 2u + der[1];
	n = der[1] & 0x7fu;
	if (n < 1 || n > 2)
		return false;
	for (size_t i = 0; i < n; i++)
		length = length << 8 | der[2 + i];
	return (size_t)len == 2 + n + length;
}

static void check_pki(const struct config_node *ca, struct config_errors *errors)
{
	const char *certificate = config_node_value(ca, "certificate");
	_cleanup_text_ struct text path = { 0 };

	if (!certificate || is_der_sequence(certificate))
		return;
	config_node_path(ca, &path);
	config_errors_add(errors, ca->line, ca->column, text_str(&path),
			  "Invalid certificate on CA certificate \"%s\"", ca->value);
}

void config_check(const struct config_tree *old, const struct config_tree *new, struct config_errors *errors)
{
	const struct config_node *interfaces = config_node_get(&new->root, "interfaces");
	const struct config_node *pki = config_node_get(&new->root, "pki");

	if (pki && pki->n_children > CONFIG_CAS_MAX)
		config_errors_add(errors, pki->line, pki->column, "pki", "At most %d CAs may be set!",
				  CONFIG_CAS_MAX);
	for (size_t i = 0; pki && i < pki->n_children; i++)
		check_pki(pki->children[i], errors);
	for (size_t i = 0; interfaces && i < interfaces->n_children; i++)
		check_interface(old, new, interfaces->children[i], errors);
}

static void warn_about_mtu(const struct config_node *old, const struct config_node *new, struct text *out)
{
	const char *was = config_node_value(old, "mtu"), *is = config_node_value(new, "mtu");
	uint32_t mtu;

	if (is && (!was || strcmp(was, is) != 0) && parse_u32(is, 0, IPV6_MTU_MIN - 1, &mtu) == 0)
		text_addf(out, "Warning: %s: no IPv6 with an MTU below %d\n", new->value, IPV6_MTU_MIN);
}

/* A pin alone decides: a CA beside it has no effect. */
static void warn_about_pins(const struct config_node *old, const struct config_node *new, struct text *out)
{
	const struct config_node *was = config_node_get(old, "ssl"), *is = config_node_get(new, "ssl");
	bool changed = is && (!was || !config_node_equal(was, is));

	if (changed && config_node_get(is, "pin") && config_node_get(is, "ca-certificate"))
		text_addf(out, "Warning: %s: ssl pin decides alone, ssl ca-certificate has no effect\n",
			  new->value);
}

/* Manual pages have it as optional, and servers do not. */
static void warn_about_login(const struct config_node *old, const struct config_node *new, struct text *out)
{
	bool had = !old || config_node_get(old, "authentication");

	if (had && !config_node_get(new, "authentication"))
		text_addf(out,
			  "Warning: %s: no authentication, but SSTP servers ask for a user name and a "
			  "password\n",
			  new->value);
}

void config_warnings(const struct config_tree *old, const struct config_tree *new, struct text *out)
{
	const struct config_node *before = old ? config_node_get(&old->root, "interfaces") : NULL;
	const struct config_node *after = config_node_get(&new->root, "interfaces");
	struct config_pair pair = { 0 };

	while (config_pair_next(&pair, before, after)) {
		if (!pair.b)
			continue;
		warn_about_mtu(pair.a, pair.b, out);
		warn_about_pins(pair.a, pair.b, out);
		warn_about_login(pair.a, pair.b, out);
	}
}
