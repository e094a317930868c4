/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpcd/show.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "config/print.h"
#include "config/store.h"
#include "sstpcd/facts.h"
#include "sstpcd/table.h"

static const char codes[] = "Codes: S - State, L - Link, u - Up, D - Down, A - Admin Down\n";

static const char *const counter_names[_LINK_COUNTERS] = {
	"rx-bytes", "rx-packets", "rx-errors", "rx-dropped", "rx-overrun", "rx-multicast",
	"tx-bytes", "tx-packets", "tx-errors", "tx-dropped", "tx-carrier", "tx-collisions",
};

/* --- counters ---------------------------------------------------------------------------------------------
 */

static void read_counters(const struct show *s, const struct link_info *l, uint64_t out[_LINK_COUNTERS])
{
	const struct baseline_link *b = baseline_find(s->baseline, l);

	for (size_t i = 0; i < _LINK_COUNTERS; i++)
		out[i] = l->counters[i] - (b ? MIN(b->counters[i], l->counters[i]) : 0);
}

/* Two lines of names and two of numbers, each column as wide as its widest cell. */
void show_print_counters(const uint64_t counters[static _LINK_COUNTERS], struct text *out)
{
	static const char *const names[2][6] = {
		{ "bytes", "packets", "errors", "dropped", "overrun", "mcast" },
		{ "bytes", "packets", "errors", "dropped", "carrier", "collisions" }
	};
	size_t half = _LINK_COUNTERS / 2;
	char cells[2][6][24];
	int widths[6] = { 0 };

	for (size_t d = 0; d < 2; d++)
		for (size_t c = 0; c < half; c++) {
			int n = snprintf(cells[d][c], sizeof(cells[d][c]), "%llu",
					 (unsigned long long)counters[d * half + c]);
			widths[c] = MAX(widths[c], MAX(n, (int)strlen(names[d][c])));
		}
	for (size_t d = 0; d < 2; d++) {
		text_add(out, d ? "    TX:" : "    RX:");
		for (size_t c = 0; c < half; c++)
			text_addf(out, "  %*s", widths[c], names[d][c]);
		text_add(out, "\n       ");
		for (size_t c = 0; c < half; c++)
			text_addf(out, "  %*s", widths[c], cells[d][c]);
		text_add(out, "\n");
	}
}

/* --- a tunnel ---------------------------------------------------------------------------------------------
 */

#define LABEL "    %-16s"

static void print_span(uint64_t seconds, struct text *out)
{
	if (seconds >= 86400)
		text_addf(out, "%llud ", (unsigned long long)(seconds / 86400));
	text_addf(out, "%02u:%02u:%02u", (unsigned)(seconds % 86400 / 3600), (unsigned)(seconds % 3600 / 60),
		  (unsigned)(seconds % 60));
}

static void print_time(int64_t when, struct text *out)
{
	char stamp[32] = "";

	store_format_time(when, stamp, sizeof(stamp));
	text_add(out, stamp);
}

struct show_age show_age(usec_t begin, usec_t now, usec_t wall)
{
	usec_t age = now > begin ? now - begin : 0;

	return (struct show_age){ .seconds = age / USEC_PER_SEC,
				  .since = (int64_t)((wall - MIN(wall, age)) / USEC_PER_SEC) };
}

static struct show_age state_age(const struct tunnel *t)
{
	return show_age(t->state_since_boot, clock_boot(), clock_wall());
}

static uint64_t seconds_until(const struct tunnel *t, usec_t when)
{
	usec_t now = clock_now();

	(void)t;
	return when > now ? (when - now + USEC_PER_SEC - 1) / USEC_PER_SEC : 0;
}

/* "up since 2026-11-23 08:00:00 (00:12:33)", "waiting since …, next attempt in 8 s" */
static void print_state(const struct tunnel *t, struct text *out)
{
	usec_t next = tunnel_next_attempt(t);
	bool held = t->state == TUNNEL_HELD && t->held;
	struct show_age age = state_age(t);

	text_addf(out, LABEL "%s since ", "State",
		  held ? "disconnected on request" : tunnel_state_name(t->state));
	print_time(age.since, out);
	text_add(out, " (");
	print_span(age.seconds, out);
	text_add(out, ")");
	if (t->state == TUNNEL_WAITING && next != USEC_NEVER)
		text_addf(out, ", next attempt in %llu s", (unsigned long long)seconds_until(t, next));
	text_add(out, "\n");
	if (t->attempt && (t->state == TUNNEL_DIALLING || t->state == TUNNEL_NEGOTIATING))
		text_addf(out, LABEL "%s%s%s\n", "Stage", stage_name(t->attempt->stage),
			  t->attempt->stage_detail[0] ? ": " : "", t->attempt->stage_detail);
}

static void print_failure(const struct tunnel *t, struct text *out)
{
	char where[HOST_MAX + 16], text[768];

	if (t->failure.cause == CAUSE_NONE)
		return;
	tunnel_server_format(t, where, sizeof(where));
	failure_format(&t->failure, where, text, sizeof(text));
	text_addf(out, LABEL "%s (", "Last error", text);
	print_time(t->failure_at, out);
	text_add(out, ")\n");
}

static void print_server(const struct tunnel *t, struct text *out)
{
	const struct tunnel_attempt *a = t->attempt;
	char text[320];

	tunnel_server_format(t, text, sizeof(text));
	text_addf(out, LABEL "%s", "Server", text);
	if (!a || !a->has_verified || t->state != TUNNEL_UP) {
		text_add(out, "\n");
		return;
	}
	if (strcmp(a->verified.server, t->config.server) != 0) /* a name: what it stands for */
		text_addf(out, " (%s)", a->verified.server);
	text_addf(out, "%s%s\n", a->verified.device[0] ? " through " : "", a->verified.device);
	text_addf(out, LABEL "%s, %s\n", "TLS", a->verified.tls_version, a->verified.cipher);
	facts_certificate(t, text, sizeof(text));
	text_addf(out, LABEL "%s\n", "Certificate", text);
	facts_pin(a->verified.pin, text, sizeof(text));
	text_addf(out, LABEL "%s%s\n", "Pin", text, a->verified.by_pin ? " (trusted by this pin)" : "");
	if (a->has_up)
		text_addf(out, LABEL "%s, crypto binding %s\n", "Authentication", facts_auth(a->up.auth),
			  facts_hash(a->up.binding_hash));
}

static void print_session(const struct tunnel *t, struct text *out)
{
	char text[320];
	const char *why;

	text_add(out, "\n");
	print_state(t, out);
	print_failure(t, out);
	print_server(t, out);
	uint16_t mtu = tunnel_mtu(t, &why);
	text_addf(out, LABEL "%u", "MTU", (unsigned)mtu);
	if (mtu != t->config.mtu)
		text_addf(out, " in force (%s), %u configured", why, (unsigned)t->config.mtu);
	text_add(out, "\n");
	if (t->state == TUNNEL_UP) {
		facts_dns(t, text, sizeof(text));
		text_addf(out, LABEL "%s\n", "DNS", text);
		facts_default_route(t, text, sizeof(text));
		text_addf(out, LABEL "%s\n", "Default route", text);
	}
	for (unsigned i = 0; i < NET_NOTICE_COUNT; i++)
		if (t->report.notices & 1u << i)
			text_addf(out, LABEL "%s\n", "Note", t->report.text[i]);
	const struct failure *refused = kernel_refused(t);
	if (refused)
		text_addf(out, LABEL "%s: %s\n", "Refused", cause_summary(refused->cause), refused->detail);
	text_addf(out, LABEL "%u\n", "Sessions", t->sessions);
}

/* --- one interface ----------------------------------------------------------------------------------------
 */

static void print_detail(const struct show *s, const struct link_info *l)
{
	const struct tunnel *t = daemon_find(s->daemon, l->name);
	const struct baseline_link *b = baseline_find(s->baseline, l);
	uint64_t counters[_LINK_COUNTERS];

	link_print(l, s->out);
	if (b) {
		char stamp[64] = "";
		time_t when = (time_t)b->time;
		struct tm tm;
		if (localtime_r(&when, &tm))
			(void)strftime(stamp, sizeof(stamp), "%a %b %d %R:%S %Z %Y", &tm);
		text_addf(s->out, "    Last clear: %s\n", stamp);
	}
	if (l->alias[0])
		text_addf(s->out, "    Description: %s\n", l->alias);
	text_add(s->out, "\n");
	read_counters(s, l, counters);
	show_print_counters(counters, s->out);
	if (t)
		print_session(t, s->out);
}

/* --- JSON -------------------------------------------------------------------------------------------------
 */

static void json_member(struct text *out, const char *name, const char *value)
{
	text_addf(out, ", \"%s\": ", name);
	if (value)
		json_string(out, value);
	else
		text_add(out, "null");
}

static void json_number(struct text *out, const char *name, uint64_t value)
{
	text_addf(out, ", \"%s\": %llu", name, (unsigned long long)value);
}

static void json_flag(struct text *out, const char *name, bool value)
{
	text_addf(out, ", \"%s\": %s", name, value ? "true" : "false");
}

static void json_dns(const struct tunnel *t, struct text *out)
{
	const struct tunnel_attempt *a = t->attempt;
	enum net_dns_backend backend = t->report.dns_backend;
	char address[INET6_ADDRSTRLEN];
	const char *comma = "";

	text_add(out, ", \"dns\": [");
	for (size_t i = 0; i < ARRAY_SIZE(a->up.dns); i++) {
		if (!a->up.dns[i].s_addr || !inet_ntop(AF_INET, &a->up.dns[i], address, sizeof(address)))
			continue;
		text_addf(out, "%s\"%s\"", comma, address);
		comma = ", ";
	}
	for (size_t i = 0; i < a->rdnss.n; i++) {
		if (!inet_ntop(AF_INET6, &a->rdnss.address[i], address, sizeof(address)))
			continue;
		text_addf(out, "%s\"%s\"", comma, address);
		comma = ", ";
	}
	text_add(out, "]");
	json_member(out, "dns-installed-by", backend == NET_DNS_NONE ? NULL : net_dns_backend_name(backend));
}

static void json_session(const struct tunnel *t, struct text *out)
{
	const struct tunnel_attempt *a = t->attempt;
	char text[320];
	const char *why;
	usec_t next = tunnel_next_attempt(t);
	struct show_age age = state_age(t);

	text_add(out, ", \"session\": {\"state\": ");
	json_string(out, tunnel_state_name(t->state));
	text_addf(out, ", \"since\": %lld", (long long)age.since);
	json_flag(out, "held", t->held);
	tunnel_server_format(t, text, sizeof(text));
	json_member(out, "server", text);
	json_number(out, "mtu-configured", t->config.mtu);
	json_number(out, "mtu", tunnel_mtu(t, &why));
	json_number(out, "sessions", t->sessions);
	if (a && (t->state == TUNNEL_DIALLING || t->state == TUNNEL_NEGOTIATING))
		json_member(out, "stage", stage_name(a->stage));
	if (next != USEC_NEVER)
		json_number(out, "next-attempt-seconds", seconds_until(t, next));
	if (t->state == TUNNEL_UP && a && a->has_verified && a->has_up) {
		json_number(out, "uptime-seconds", age.seconds);
		json_member(out, "server-address", a->verified.server);
		json_member(out, "device", a->verified.device);
		json_member(out, "tls-version", a->verified.tls_version);
		json_member(out, "cipher", a->verified.cipher);
		json_member(out, "certificate", a->verified.certificate);
		json_member(out, "issuer", a->verified.issuer);
		text_addf(out, ", \"certificate-not-after\": %lld", (long long)a->verified.not_after);
		facts_pin(a->verified.pin, text, sizeof(text));
		json_member(out, "pin", text);
		json_member(out, "authentication", facts_auth(a->up.auth));
		json_member(out, "binding-hash", facts_hash(a->up.binding_hash));
		json_dns(t, out);
		json_flag(out, "default-route-installed", t->report.default_installed);
		json_flag(out, "default-route-active", t->report.default_active);
		json_flag(out, "ipv6-default-route-installed", t->report.default6_installed);
		json_flag(out, "ipv6-default-route-active", t->report.default6_active);
	}
	if (kernel_refused(t))
		json_member(out, "refused", kernel_refused(t)->detail);
	if (t->failure.cause != CAUSE_NONE) {
		text_add(out, ", \"last-error\": {\"cause\": ");
		json_string(out, cause_name(t->failure.cause));
		json_member(out, "stage", stage_name(failure_stage(&t->failure)));
		json_member(out, "summary", cause_summary(t->failure.cause));
		json_member(out, "detail", t->failure.detail);
		text_addf(out, ", \"time\": %lld}", (long long)t->failure_at);
	}
	text_add(out, "}");
}

static void json_link(const struct show *s, const struct link_info *l)
{
	const struct tunnel *t = daemon_find(s->daemon, l->name);
	uint64_t counters[_LINK_COUNTERS];

	text_add(s->out, "{\"name\": ");
	json_string(s->out, l->name);
	json_number(s->out, "ifindex", l->ifindex);
	json_member(s->out, "state", link_state(l));
	json_number(s->out, "mtu", l->mtu);
	json_member(s->out, "mac", l->mac[0] ? l->mac : NULL);
	json_member(s->out, "vrf", l->master_is_vrf ? l->master_name : NULL);
	json_member(s->out, "description", l->alias);
	text_add(s->out, ", \"addresses\": [");
	for (size_t i = 0; i < l->n_addresses; i++) {
		_cleanup_text_ struct text address = { 0 };
		link_address_print(&l->addresses[i], &address);
		text_add(s->out, i ? ", " : "");
		json_string(s->out, text_str(&address));
	}
	text_add(s->out, "], \"counters\": {");
	read_counters(s, l, counters);
	for (size_t i = 0; i < _LINK_COUNTERS; i++)
		text_addf(s->out, "%s\"%s\": %llu", i ? ", " : "", counter_names[i],
			  (unsigned long long)counters[i]);
	text_add(s->out, "}");
	if (t)
		json_session(t, s->out);
	text_add(s->out, "}");
}

/* --- the commands -----------------------------------------------------------------------------------------
 */

static bool is_ours(const struct show *s, const struct link_info *l)
{
	return daemon_find(s->daemon, l->name) != NULL;
}

static int json_links(const struct show *s, const struct links *links)
{
	text_add(s->out, "[");
	for (size_t i = 0; i < links->n; i++) {
		text_add(s->out, i ? ", " : "");
		json_link(s, &links->items[i]);
	}
	text_add(s->out, "]\n");
	return 0;
}

/* Shows all interfaces, or ours: as JSON, or by `print`. */
static int show_links(const struct show *s, bool only_ours,
		      int (*print)(const struct show *s, const struct links *links))
{
	_cleanup_links_ struct links links = { 0 };
	int r = links_read(&links, NULL);
	size_t n = 0;

	if (r < 0)
		return r;
	for (size_t i = 0; only_ours && i < links.n; i++)
		if (is_ours(s, &links.items[i]))
			links.items[n++] = links.items[i];
	if (only_ours)
		links.n = n;
	return s->json ? json_links(s, &links) : print(s, &links);
}

/* The addresses that people care about: not fe80::. */
static bool is_shown(const struct link_address *a)
{
	return !(a->local.family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&a->local.in6));
}

static void address_cell(const struct link_info *l, struct text *out)
{
	for (size_t i = 0; i < l->n_addresses; i++)
		if (is_shown(&l->addresses[i])) {
			text_add(out, out->len ? "\n" : "");
			link_address_print(&l->addresses[i], out);
		}
	if (out->len == 0)
		text_add(out, "-");
}

static int print_interfaces(const struct show *s, const struct links *links)
{
	static const char *const headers[] = { "Interface", "IP Address", "MAC",	 "VRF",
					       "MTU",	    "S/L",	  "Description", NULL };
	static const bool numeric[] = { false, false, false, false, true, false, false };
	_cleanup_table_ struct table table = { 0 };

	table_init(&table, headers, numeric);
	for (size_t i = 0; i < links->n; i++) {
		const struct link_info *l = &links->items[i];
		_cleanup_text_ struct text addresses = { 0 };
		char mtu[16];
		address_cell(l, &addresses);
		(void)snprintf(mtu, sizeof(mtu), "%u", l->mtu);
		table_add(&table, l->name);
		table_add(&table, text_str(&addresses));
		table_add(&table, l->mac[0] ? l->mac : "n/a");
		table_add(&table, l->master_is_vrf ? l->master_name : "default");
		table_add(&table, mtu);
		table_add(&table, link_state(l));
		table_add(&table, l->alias);
	}
	if (table.error)
		return table.error;
	text_add(s->out, codes);
	table_print(&table, s->out);
	return 0;
}

int show_interfaces(const struct show *s)
{
	return show_links(s, false, print_interfaces);
}

#define SUMMARY_FORMAT "%-16s %-33s %-4s %s\n"

/* One row, and one more for each further address or piece of the description. */
void show_summary_row(const struct link_info *l, struct text *out)
{
	_cleanup_text_ struct text addresses = { 0 };
	const char *description = l->alias;
	bool first = true;

	address_cell(l, &addresses);
	for (const char *a = text_str(&addresses); *a || *description || first; first = false) {
		char address[INET6_ADDRSTRLEN + 8];
		size_t len = strcspn(a, "\n"), part = strlen(description);
		(void)snprintf(address, sizeof(address), "%.*s", (int)len, a);
		a += len + (a[len] == '\n');
		if (part > 25) { /* what is left of 80 columns */
			part = 25;
			while (part > 1 && description[part] != ' ')
				part--;
			part = part > 1 ? part : 25;
			while (part < strlen(description) &&
			       ((unsigned char)description[part] & 0xc0) == 0x80)
				part++;
		}
		if (strlen(address) >= 33) { /* a line of its own */
			text_addf(out, "%-16s %s\n", first ? l->name : "", address);
			text_addf(out, "%-16s %-33s %-4s %.*s\n", "", "", first ? link_state(l) : "",
				  (int)part, description);
		} else {
			text_addf(out, "%-16s %-33s %-4s %.*s\n", first ? l->name : "", address,
				  first ? link_state(l) : "", (int)part, description);
		}
		while (out->len > 1 && out->data[out->len - 2] == ' ') { /* blanks at the end of a line */
			out->data[--out->len] = 0;
			out->data[out->len - 1] = '\n';
		}
		description += part;
		description += strspn(description, " ");
	}
}

static int print_summary(const struct show *s, const struct links *links)
{
	text_add(s->out, codes);
	text_addf(s->out, SUMMARY_FORMAT, "Interface", "IP Address", "S/L", "Description");
	text_addf(s->out, SUMMARY_FORMAT, "---------", "----------", "---", "-----------");
	for (size_t i = 0; i < links->n; i++)
		show_summary_row(&links->items[i], s->out);
	return 0;
}

int show_summary(const struct show *s, bool only_ours)
{
	return show_links(s, only_ours, print_summary);
}

static int print_counters(const struct show *s, const struct links *links)
{
	static const char *const headers[] = { "Interface", "Rx Packets", "Rx Bytes",	"Tx Packets",
					       "Tx Bytes",  "Rx Dropped", "Tx Dropped", "Rx Errors",
					       "Tx Errors", NULL };
	static const bool numeric[] = { false, true, true, true, true, true, true, true, true };
	static const enum link_counter columns[] = { LINK_RX_PACKETS, LINK_RX_BYTES,   LINK_TX_PACKETS,
						     LINK_TX_BYTES,   LINK_RX_DROPPED, LINK_TX_DROPPED,
						     LINK_RX_ERRORS,  LINK_TX_ERRORS };
	_cleanup_table_ struct table table = { 0 };

	table_init(&table, headers, numeric);
	for (size_t i = 0; i < links->n; i++) {
		const struct link_info *l = &links->items[i];
		uint64_t counters[_LINK_COUNTERS];
		if (link_state(l)[2] != 'u')
			continue;
		read_counters(s, l, counters);
		table_add(&table, l->name);
		for (size_t c = 0; c < ARRAY_SIZE(columns); c++) {
			char cell[24];
			(void)snprintf(cell, sizeof(cell), "%llu", (unsigned long long)counters[columns[c]]);
			table_add(&table, cell);
		}
	}
	if (table.error)
		return table.error;
	table_print(&table, s->out);
	return 0;
}

int show_counters(const struct show *s)
{
	return show_links(s, false, print_counters);
}

static int print_details(const struct show *s, const struct links *links)
{
	for (size_t i = 0; i < links->n; i++) {
		text_add(s->out, i ? "\n" : "");
		print_detail(s, &links->items[i]);
	}
	return 0;
}

int show_detail(const struct show *s, bool only_ours)
{
	return show_links(s, only_ours, print_details);
}

int show_interface(const struct show *s, const char *name)
{
	_cleanup_links_ struct links links = { 0 };
	int r = daemon_find(s->daemon, name) ? links_read(&links, name) : -ENODEV;

	if (r < 0)
		return r;
	if (s->json) {
		json_link(s, &links.items[0]);
		text_add(s->out, "\n");
		return 0;
	}
	print_detail(s, &links.items[0]);
	return 0;
}

int show_statistics(const struct show *s, const char *name)
{
	_cleanup_links_ struct links links = { 0 };
	uint64_t c[_LINK_COUNTERS];
	int r = daemon_find(s->daemon, name) ? links_read(&links, name) : -ENODEV;

	if (r < 0)
		return r;
	read_counters(s, &links.items[0], c);
	if (s->json) {
		text_add(s->out, "{");
		for (size_t i = 0; i < _LINK_COUNTERS; i++)
			text_addf(s->out, "%s\"%s\": %llu", i ? ", " : "", counter_names[i],
				  (unsigned long long)c[i]);
		text_add(s->out, "}\n");
		return 0;
	}
	/* As pppstats prints it. There is no VJ compression in SSTP: its columns are zero. */
	text_addf(s->out, "%8.8s %6.6s %6.6s %6.6s %6.6s  | %8.8s %6.6s %6.6s %6.6s %6.6s\n", "IN", "PACK",
		  "VJCOMP", "VJUNC", "VJERR", "OUT", "PACK", "VJCOMP", "VJUNC", "NON-VJ");
	text_addf(s->out, "%8llu %6llu %6u %6u %6u  | %8llu %6llu %6u %6u %6llu\n",
		  (unsigned long long)c[LINK_RX_BYTES], (unsigned long long)c[LINK_RX_PACKETS], 0u, 0u, 0u,
		  (unsigned long long)c[LINK_TX_BYTES], (unsigned long long)c[LINK_TX_PACKETS], 0u, 0u,
		  (unsigned long long)c[LINK_TX_PACKETS]);
	return 0;
}

void show_version(const struct show *s)
{
	struct utsname u;

	if (uname(&u) < 0)
		memset(&u, 0, sizeof(u));
	if (s->json) {
		text_add(s->out, "{\"version\": ");
		json_string(s->out, SSTPCD_VERSION);
		json_member(s->out, "kernel", u.release);
		json_member(s->out, "machine", u.machine);
		json_member(s->out, "host", u.nodename);
		text_add(s->out, "}\n");
		return;
	}
	text_addf(s->out, "Version:          sstpcd %s\n", SSTPCD_VERSION);
	text_addf(s->out, "Kernel:           %s %s %s\n", u.sysname, u.release, u.machine);
	text_addf(s->out, "Host:             %s\n", u.nodename);
}

void show_log_line(const struct journal_line *line, bool json, struct text *out)
{
	char stamp[32] = "";
	time_t when = (time_t)line->time;
	struct tm tm;

	if (json) {
		text_addf(out, "{\"time\": %lld, \"level\": %d", (long long)line->time, (int)line->level);
		json_member(out, "interface", line->tag);
		json_member(out, "message", line->text);
		text_add(out, "}\n");
		return;
	}
	if (localtime_r(&when, &tm))
		(void)strftime(stamp, sizeof(stamp), "%b %d %H:%M:%S", &tm);
	text_addf(out, "%s sstpcd: %s%s%s\n", stamp, line->tag, line->tag[0] ? ": " : "", line->text);
}
