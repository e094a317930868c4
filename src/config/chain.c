/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/chain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/wire.h"
#include "config/base64.h"
#include "config/model.h"
#include "config/tree.h"

#define DER_INTEGER    0x02
#define DER_SEQUENCE   0x30
#define DER_EXPLICIT_0 0xa0

/* The content of the next element, which must have this tag. */
static struct wire_reader der_enter(struct wire_reader *r, uint8_t tag)
{
	uint8_t found = wire_u8(r);
	size_t len = wire_u8(r);

	if (len == 0x81)
		len = wire_u8(r);
	else if (len == 0x82)
		len = wire_u16(r);
	else if (len >= 0x80)
		r->error = -EBADMSG;
	if (found != tag && !r->error)
		r->error = -EBADMSG;
	return wire_child(r, len);
}

static const uint8_t *der_name(struct wire_reader *r, size_t *ret_len)
{
	struct wire_reader name = der_enter(r, DER_SEQUENCE);

	*ret_len = name.len;
	return name.data;
}

int chain_read_names(const uint8_t *der, size_t len, struct chain_names *ret)
{
	struct wire_reader all = wire_reader(der, len);
	struct wire_reader certificate = der_enter(&all, DER_SEQUENCE);
	struct wire_reader r = der_enter(&certificate, DER_SEQUENCE);
	struct chain_names names;

	if (wire_left(&r) > 0 && r.data[r.pos] == DER_EXPLICIT_0)
		(void)der_enter(&r, DER_EXPLICIT_0);
	(void)der_enter(&r, DER_INTEGER);  /* serial number */
	(void)der_enter(&r, DER_SEQUENCE); /* signature algorithm */
	names.issuer = der_name(&r, &names.issuer_len);
	(void)der_enter(&r, DER_SEQUENCE); /* validity */
	names.subject = der_name(&r, &names.subject_len);
	if (r.error)
		return r.error;
	*ret = names;
	return 0;
}

/* One entry of `pki ca`. */
struct entry {
	const char *base64;
	uint8_t *der; /* NULL if its names cannot be read */
	struct chain_names names;
	bool taken;
};

static void read_entry(const struct config_node *node, struct entry *e)
{
	e->base64 = config_node_value(node, "certificate");
	size_t size = e->base64 ? strlen(e->base64) : 0;

	e->der = size > 0 ? malloc(size) : NULL;
	if (!e->der)
		return;
	ssize_t len = base64_decode(e->base64, e->der, size);
	if (len < 0 || chain_read_names(e->der, (size_t)len, &e->names) < 0) {
		free(e->der);
		e->der = NULL;
	}
}

static bool has_issued(const struct entry *ca, const struct entry *e)
{
	return ca->der && e->der && ca->names.subject_len == e->names.issuer_len &&
	       memcmp(ca->names.subject, e->names.issuer, e->names.issuer_len) == 0;
}

struct chain {
	struct entry *entries; /* all there are */
	size_t n_entries;
	struct entry *member[CONFIG_CHAIN_MAX];
	size_t n;
};

static void take(struct chain *chain, struct entry *e)
{
	if (e->taken || chain->n == CONFIG_CHAIN_MAX)
		return;
	e->taken = true;
	chain->member[chain->n++] = e;
}

/* Takes what has issued a member, or what a member has issued, until there is no more of it. */
static void extend(struct chain *chain, bool upwards)
{
	for (size_t i = 0; i < chain->n; i++)
		for (size_t j = 0; j < chain->n_entries; j++) {
			struct entry *member = chain->member[i], *other = &chain->entries[j];
			if (upwards ? has_issued(other, member) : has_issued(member, other))
				take(chain, other);
		}
}

void chain_add_pem(const struct config_node *pki, const struct config_node *ca, struct text *out)
{
	struct chain chain = { .entries = calloc(pki->n_children, sizeof(struct entry)) };

	if (!chain.entries) {
		out->error = -ENOMEM;
		return;
	}
	chain.n_entries = pki->n_children;
	for (size_t i = 0; i < chain.n_entries; i++) {
		read_entry(pki->children[i], &chain.entries[i]);
		if (pki->children[i] == ca)
			take(&chain, &chain.entries[i]);
	}
	extend(&chain, true);
	extend(&chain, false);
	for (size_t i = 0; i < chain.n; i++)
		config_add_pem(chain.member[i]->base64, out);
	for (size_t i = 0; i < chain.n_entries; i++)
		free(chain.entries[i].der);
	free(chain.entries);
}
