/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `show pki ca`: the certificates were parsed by the worker's program in its sandbox (inspect.h); here are
 * only its lines. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "config/print.h"
#include "sstpcd/show.h"
#include "sstpcd/table.h"

#define CAS_MAX CONFIG_CAS_MAX

struct ca {
	const char *name;
	char subject[256], issuer[256];
	int64_t not_before, not_after;
	char sha256[72];
	bool readable;
};

/* The next tab-separated field of a line, cut to what fits. */
static const char *take_field(const char *line, char *out, size_t size)
{
	size_t len = strcspn(line, "\t\n");

	(void)snprintf(out, size, "%.*s", (int)len, line);
	return line[len] == '\t' ? line + len + 1 : line + len;
}

/* Seconds since 1970, or 0. */
static int64_t to_seconds(const char *text)
{
	int64_t value = 0;

	for (; *text >= '0' && *text <= '9' && value < INT64_MAX / 100; text++)
		value = value * 10 + (*text - '0');
	return *text ? 0 : value;
}

/* The first line that the inspection gave. */
static void read_line(struct ca *ca, const char *line)
{
	char field[64];

	line = take_field(line, field, sizeof(field)); /* line number in the file */
	line = take_field(line, field, sizeof(field)); /* kind */
	line = take_field(line, field, sizeof(field));
	ca->not_before = to_seconds(field);
	line = take_field(line, field, sizeof(field));
	ca->not_after = to_seconds(field);
	line = take_field(line, ca->sha256, sizeof(ca->sha256));
	line = take_field(line, ca->subject, sizeof(ca->subject));
	(void)take_field(line, ca->issuer, sizeof(ca->issuer));
	ca->readable = true;
}

static void inspect(const struct show *s, const struct config_node *node, struct ca *ca)
{
	const char *certificate = config_node_value(node, "certificate");

	*ca = (struct ca){ .name = node->value };
	if (!certificate)
		return;
	const struct inspection *i = inspector_find(s->daemon->inspector, certificate);
	if (i && i->result == 0)
		read_line(ca, i->text);
}

/* The CA that has issued this one, "N/A" if it is none of these. */
static const char *parent_of(const struct ca *ca, const struct ca *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (&all[i] != ca && all[i].readable && strcmp(all[i].subject, ca->issuer) == 0)
			return all[i].name;
	return "N/A";
}

static void format_date(int64_t when, char *out, size_t size)
{
	time_t t = (time_t)when;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(out, size, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		(void)snprintf(out, size, "unknown");
}

/* "CN=x" of "O=y, CN=x"; all of it if there is none. */
static const char *common_name(const char *name)
{
	const char *cn = strstr(name, "CN=");

	return cn ? cn : name;
}

static void add_row(struct table *table, const struct ca *ca, const struct ca *all, size_t n)
{
	char issued[32], expiry[32], issuer[256];

	if (!ca->readable) {
		table_add(table, ca->name);
		for (int i = 0; i < 6; i++)
			table_add(table, i == 4 ? "No" : "N/A");
		return;
	}
	format_date(ca->not_before, issued, sizeof(issued));
	format_date(ca->not_after, expiry, sizeof(expiry));
	const char *cn = common_name(ca->issuer);
	(void)snprintf(issuer, sizeof(issuer), "%.*s", (int)strcspn(cn, ","), cn);
	table_add(table, ca->name);
	table_add(table, ca->subject);
	table_add(table, issuer);
	table_add(table, issued);
	table_add(table, expiry);
	table_add(table, "No");
	table_add(table, parent_of(ca, all, n));
}

static void json_ca(const struct ca *ca, struct text *out)
{
	text_add(out, "{\"name\": ");
	json_string(out, ca->name);
	if (ca->readable) {
		text_add(out, ", \"subject\": ");
		json_string(out, ca->subject);
		text_add(out, ", \"issuer\": ");
		json_string(out, ca->issuer);
		text_addf(out, ", \"not-before\": %lld, \"not-after\": %lld, \"sha256\": ",
			  (long long)ca->not_before, (long long)ca->not_after);
		json_string(out, ca->sha256);
	}
	text_add(out, "}");
}

int show_pki_ca(const struct show *s, const char *name)
{
	static const char *const headers[] = { "Name",	 "Subject",	"Issuer CN", "Issued",
					       "Expiry", "Private Key", "Parent",    NULL };
	const struct config_node *pki = config_node_get(&s->daemon->system.running->root, "pki");
	_cleanup_free_ struct ca *cas = calloc(CAS_MAX, sizeof(*cas));
	_cleanup_table_ struct table table = { 0 };
	size_t n = 0;
	bool found = false;

	if (!cas)
		return -ENOMEM;
	for (size_t i = 0; pki && i < pki->n_children && n < CAS_MAX; i++)
		inspect(s, pki->children[i], &cas[n++]);
	table_init(&table, headers, NULL);
	text_add(s->out, s->json ? "[" : "");
	for (size_t i = 0; i < n; i++) {
		if (name && strcmp(cas[i].name, name) != 0)
			continue;
		if (s->json) {
			text_add(s->out, found ? ", " : "");
			json_ca(&cas[i], s->out);
		} else {
			add_row(&table, &cas[i], cas, n);
		}
		found = true;
	}
	text_add(s->out, s->json ? "]\n" : "");
	if (name && !found)
		return -ENOENT;
	if (s->json)
		return 0;
	text_add(s->out, "Certificate Authorities:\n");
	table_print(&table, s->out);
	return table.error;
}
