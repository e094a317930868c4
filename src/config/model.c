/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/base64.h"
#include "config/schema.h"
#include "config/tree.h"

_Static_assert(SECRET_MAX >= 128, "a password of the schema must fit");

/* The row of `interfaces sstpc`. */
static const struct schema *interface_schema(void)
{
	return schema_child(schema_child(&schema_root, "interfaces"), "sstpc");
}

int config_parse_auth(const char *s, unsigned *ret)
{
	if (strcmp(s, "pap") == 0)
		*ret = CONFIG_AUTH_PAP;
	else if (strcmp(s, "chap") == 0)
		*ret = CONFIG_AUTH_CHAP;
	else if (strcmp(s, "mschap-v2") == 0)
		*ret = CONFIG_AUTH_MSCHAPV2 | CONFIG_AUTH_EAP;
	else if (strcmp(s, "eap") == 0)
		*ret = CONFIG_AUTH_EAP;
	else
		return -EINVAL;
	return 0;
}

int config_parse_pin(const char *s, struct config_pin *ret)
{
	struct config_pin pin;
	char hex[2 * CONFIG_PIN_LEN + 1];
	size_t n = 0;

	if (strncmp(s, "sha256//", 8) == 0)
		s += 8;
	else if (strncmp(s, "sha256:", 7) == 0)
		s += 7;
	if (strlen(s) == 44 && base64_decode(s, pin.sha256, sizeof(pin.sha256)) == CONFIG_PIN_LEN) {
		*ret = pin;
		return 0;
	}
	bool colons = strlen(s) == 3 * CONFIG_PIN_LEN - 1;
	for (size_t i = 0; s[i]; i++) {
		if (colons && i % 3 == 2 && s[i] == ':')
			continue;
		if (n == sizeof(hex) - 1)
			return -EINVAL;
		hex[n++] = s[i];
	}
	hex[n] = 0;
	if (parse_hex(hex, pin.sha256, sizeof(pin.sha256)) < 0)
		return -EINVAL;
	*ret = pin;
	return 0;
}

static int store_number(const struct schema *s, void *at, const char *value)
{
	uint32_t number;
	int r = parse_u32(value, s->min, s->max, &number);

	if (r < 0)
		return -EINVAL;
	if (s->field == FIELD_U8)
		*(uint8_t *)at = (uint8_t)number;
	else
		*(uint16_t *)at = (uint16_t)number;
	return 0;
}

static int store_rpf(void *at, const char *value)
{
	enum config_source_validation *rpf = at;

	if (strcmp(value, "strict") == 0)
		*rpf = CONFIG_RPF_STRICT;
	else if (strcmp(value, "loose") == 0)
		*rpf = CONFIG_RPF_LOOSE;
	else if (strcmp(value, "disable") == 0)
		*rpf = CONFIG_RPF_DISABLE;
	else
		return -EINVAL;
	return 0;
}

/* Puts one value of the leaf into the structure. `first`: the leaf's first value, which replaces the default.
 */
static int store(const struct schema *s, struct config_interface *c, const char *value, bool first)
{
	void *at = (char *)c + s->offset;
	unsigned auth;
	int r;

	switch (s->field) {
	case FIELD_NONE:
		return 0;
	case FIELD_TEXT:
		if (strlen(value) >= s->size)
			return -EINVAL;
		memcpy(at, value, strlen(value) + 1);
		return 0;
	case FIELD_BOOL:
		*(bool *)at = true;
		return 0;
	case FIELD_U8:
	case FIELD_U16:
		return store_number(s, at, value);
	case FIELD_SECRET:
		return secret_set(at, value, strlen(value)) < 0 ? -EINVAL : 0;
	case FIELD_AUTH:
		r = config_parse_auth(value, &auth);
		if (r == 0)
			*(unsigned *)at = (first ? 0 : *(unsigned *)at) | auth;
		return r;
	case FIELD_PINS:
		if (c->n_pins == CONFIG_PINS_MAX)
			return -EINVAL;
		r = config_parse_pin(value, &c->pins[c->n_pins]);
		c->n_pins += r == 0;
		return r;
	case FIELD_MSS:
		if (strcmp(value, "clamp-mss-to-pmtu") != 0)
			return store_number(s, at, value);
		*(uint16_t *)at = CONFIG_MSS_CLAMP;
		return 0;
	case FIELD_RPF:
		return store_rpf(at, value);
	}
	return -EINVAL;
}

/* Sets the defaults of every leaf below `parent`. */
static void set_defaults(const struct schema *parent, struct config_interface *c)
{
	for (const struct schema *s = parent->children; s && s->name; s++) {
		if (schema_is_inner(s))
			set_defaults(s, c);
		else if (s->preset)
			(void)store(s, c, s->preset, true); /* a test reads them all */
	}
}

void config_interface_init(struct config_interface *c, const char *name)
{
	memset(c, 0, sizeof(*c));
	(void)snprintf(c->name, sizeof(c->name), "%s", name);
	set_defaults(interface_schema(), c);
}

void config_interface_done(struct config_interface *c)
{
	free(c->ca_pem);
	wipe(c, sizeof(*c));
}

int config_interface_copy(struct config_interface *to, const struct config_interface *from)
{
	char *pem = NULL;

	if (from->ca_pem) {
		pem = strdup(from->ca_pem);
		if (!pem) {
			memset(to, 0, sizeof(*to));
			return -ENOMEM;
		}
	}
	*to = *from;
	to->ca_pem = pem;
	return 0;
}

static int load_children(const struct config_node *parent, struct config_interface *c)
{
	for (size_t i = 0; i < parent->n_children; i++) {
		const struct config_node *node = parent->children[i];
		bool first = i == 0 || parent->children[i - 1]->schema != node->schema;
		int r = schema_is_inner(node->schema)
				? load_children(node, c)
				: store(node->schema, c, node->value ? node->value : "", first);
		if (r < 0)
			return r;
	}
	return 0;
}

void config_add_pem(const char *base64, struct text *out)
{
	size_t len = strlen(base64);

	text_add(out, "-----BEGIN CERTIFICATE-----\n");
	for (size_t i = 0; i < len; i += 64) {
		text_add_len(out, base64 + i, MIN(len - i, (size_t)64));
		text_add(out, "\n");
	}
	text_add(out, "-----END CERTIFICATE-----\n");
}

/* The certificate of each other entry; those that there is no room for are left out. */
static void add_other_cas(const struct config_node *pki, const struct config_node *ca, struct text *out)
{
	for (size_t i = 0; i < pki->n_children; i++) {
		const char *certificate = config_node_value(pki->children[i], "certificate");
		_cleanup_text_ struct text pem = { 0 };
		if (pki->children[i] == ca || !certificate)
			continue;
		config_add_pem(certificate, &pem);
		if (out->len + pem.len <= CONFIG_CA_PEM_MAX)
			text_add_len(out, text_str(&pem), pem.len);
	}
}

static int load_ca(const struct config_tree *tree, struct config_interface *c)
{
	const struct config_node *pki = config_node_get(&tree->root, "pki");
	const struct config_node *ca = pki ? config_node_find(pki, schema_child(pki->schema, "ca"),
							      c->ca_name)
					   : NULL;
	_cleanup_text_ struct text pem = { 0 };

	if (!ca || !config_node_get(ca, "certificate"))
		return -EINVAL;
	config_add_pem(config_node_value(ca, "certificate"), &pem);
	c->ca_anchors_len = pem.len;
	add_other_cas(pki, ca, &pem);
	c->ca_pem = text_take(&pem);
	return c->ca_pem ? 0 : -ENOMEM;
}

int config_interface_load(const struct config_tree *tree, const char *name, struct config_interface *ret)
{
	_cleanup_config_interface_ struct config_interface c = { 0 };
	const struct config_node *interfaces = config_node_get(&tree->root, "interfaces");
	const struct config_node *node = interfaces ? config_node_find(interfaces, interface_schema(), name)
						    : NULL;

	if (!node)
		return -ENOENT;
	config_interface_init(&c, name);
	int r = load_children(node, &c);
	if (r == 0 && c.ca_name[0])
		r = load_ca(tree, &c);
	if (r < 0)
		return r;
	*ret = c;
	c.ca_pem = NULL; /* handed over */
	return 0;
}

static bool same_field(const struct schema *s, const void *a, const void *b)
{
	if (s->field == FIELD_TEXT)
		return strcmp(a, b) == 0;
	return s->field == FIELD_NONE || memcmp(a, b, s->size) == 0;
}

static enum config_cost compare_leaves(const struct schema *parent, const struct config_interface *a,
				       const struct config_interface *b)
{
	enum config_cost cost = CONFIG_COST_NONE;

	for (const struct schema *s = parent->children; s && s->name; s++) {
		if (schema_is_inner(s))
			cost = MAX(cost, compare_leaves(s, a, b));
		else if (!same_field(s, (const char *)a + s->offset, (const char *)b + s->offset))
			cost = MAX(cost, s->cost);
	}
	return cost;
}

enum config_cost config_interface_compare(const struct config_interface *a, const struct config_interface *b)
{
	const char *x = a->ca_pem ? a->ca_pem : "", *y = b->ca_pem ? b->ca_pem : "";

	/* The same CA name with another certificate is another trust. */
	if (a->ca_anchors_len != b->ca_anchors_len || strncmp(x, y, a->ca_anchors_len) != 0)
		return CONFIG_COST_REDIAL;
	/* A pin of zeros is a pin. */
	if (a->n_pins != b->n_pins)
		return CONFIG_COST_REDIAL;
	/* The other CAs are for the next time. */
	enum config_cost cost = strcmp(x, y) != 0 ? CONFIG_COST_LIVE : CONFIG_COST_NONE;
	return MAX(cost, compare_leaves(interface_schema(), a, b));
}
