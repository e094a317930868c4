/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netconf/dns/resolv.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"

#define BEGIN	"# sstpcd: begin "
#define END	"# sstpcd: end "
#define CREATED "# sstpcd: created\n"
#define HIDDEN	"#sstpcd# "

/* The next line with its newline; false at the end. */
static bool next_line(const char **text, const char **ret_line, size_t *ret_len)
{
	const char *newline = strchr(*text, '\n');

	*ret_line = *text;
	*ret_len = newline ? (size_t)(newline + 1 - *text) : strlen(*text);
	*text += *ret_len;
	return *ret_len > 0;
}

static bool starts_with(const char *line, size_t len, const char *prefix)
{
	return len >= strlen(prefix) && memcmp(line, prefix, strlen(prefix)) == 0;
}

/* True for "PREFIX NAME\n". */
static bool is_mark(const char *line, size_t len, const char *prefix, const char *ifname)
{
	size_t p = strlen(prefix), n = strlen(ifname);

	return starts_with(line, len, prefix) && len == p + n + 1 && memcmp(line + p, ifname, n) == 0 &&
	       line[len - 1] == '\n';
}

static bool is_nameserver(const char *line, size_t len)
{
	return starts_with(line, len, "nameserver ") || starts_with(line, len, "nameserver\t");
}

/* The block of `ifname`: its first byte, its length with both marks. A block without an end is none. */
static bool find_block(const char *text, const char *ifname, const char **ret, size_t *ret_len)
{
	const char *begin = NULL, *line;
	size_t len;

	while (next_line(&text, &line, &len)) {
		if (is_mark(line, len, BEGIN, ifname))
			begin = line;
		else if (begin && is_mark(line, len, END, ifname)) {
			*ret = begin;
			*ret_len = (size_t)(line + len - begin);
			return true;
		}
	}
	return false;
}

static void add_block(const char *ifname, const struct net_addr *dns, size_t n_dns, bool created,
		      struct text *out)
{
	char addr[INET6_ADDRSTRLEN];

	text_addf(out, BEGIN "%s\n", ifname);
	if (created)
		text_add(out, CREATED);
	for (size_t i = 0; i < n_dns; i++)
		text_addf(out, "nameserver %s%s%s\n", net_addr_format(&dns[i], addr),
			  net_addr_needs_zone(&dns[i]) ? "%" : "",
			  net_addr_needs_zone(&dns[i]) ? ifname : "");
	text_addf(out, END "%s\n", ifname);
}

/* Copies `text`, with the host's own resolvers hidden; blocks of other interfaces stay as they are. */
static void add_hidden(const char *text, struct text *out)
{
	bool in_block = false;
	const char *line;
	size_t len;

	while (next_line(&text, &line, &len)) {
		in_block |= starts_with(line, len, BEGIN);
		if (!in_block && is_nameserver(line, len))
			text_add(out, HIDDEN);
		text_add_len(out, line, len);
		if (starts_with(line, len, END))
			in_block = false;
	}
}

static void add_shown(const char *text, struct text *out)
{
	const char *line;
	size_t len;

	while (next_line(&text, &line, &len)) {
		size_t skip = starts_with(line, len, HIDDEN) ? strlen(HIDDEN) : 0;

		text_add_len(out, line + skip, len - skip);
	}
}

bool resolv_remove(const char *text, const char *ifname, struct text *out, bool *ret_unlink)
{
	_cleanup_text_ struct text rest = { .max = RESOLV_CONF_MAX * 2 };
	const char *block;
	size_t len;
	bool created = false;

	*ret_unlink = false;
	if (!find_block(text, ifname, &block, &len)) {
		text_add(out, text);
		return false;
	}
	text_add_len(&rest, text, (size_t)(block - text));
	text_add(&rest, block + len);
	out->error = out->error ? out->error : rest.error;
	for (const char *p = block, *line; p < block + len;) {
		size_t n;

		if (!next_line(&p, &line, &n))
			break;
		created |= n == strlen(CREATED) && memcmp(line, CREATED, n) == 0;
	}
	if (strstr(text_str(&rest), BEGIN)) {
		/* Another tunnel still serves: the host's own resolvers stay hidden, and if we made the file,
		 * the other one inherits that. */
		const char *other = strstr(text_str(&rest), BEGIN);
		const char *after = strchr(other, '\n');

		size_t head = after ? (size_t)(after + 1 - text_str(&rest)) : rest.len;
		text_add_len(out, text_str(&rest), head);
		if (created)
			text_add(out, CREATED);
		text_add(out, text_str(&rest) + head);
	} else {
		add_shown(text_str(&rest), out);
		*ret_unlink = created && out->len == 0;
	}
	return true;
}

bool resolv_has(const char *text, const char *ifname)
{
	const char *block;
	size_t len;

	return find_block(text, ifname, &block, &len);
}

/* The name in "BEGIN NAME\n". */
static bool read_owner(const char *line, size_t len, char out[static IFNAMSIZ])
{
	size_t prefix = strlen(BEGIN);

	if (!starts_with(line, len, BEGIN) || len <= prefix || len > prefix + IFNAMSIZ)
		return false;
	(void)snprintf(out, IFNAMSIZ, "%.*s", (int)(len - prefix - 1), line + prefix);
	return is_mark(line, len, BEGIN, out) && is_interface_name(out);
}

/* The first block of somebody who is gone. */
static bool find_gone(const char *text, resolv_gone_fn *is_gone, void *ctx, char out[static IFNAMSIZ])
{
	size_t len, marks = 0;
	const char *line;

	while (marks < RESOLV_BLOCKS_MAX && next_line(&text, &line, &len)) {
		marks += starts_with(line, len, BEGIN);
		if (read_owner(line, len, out) && resolv_has(line, out) && is_gone(ctx, out))
			return true;
	}
	return false;
}

size_t resolv_remove_gone(const char *text, resolv_gone_fn *is_gone, void *ctx, struct text *out,
			  bool *ret_unlink)
{
	_cleanup_text_ struct text rest = { .max = RESOLV_CONF_MAX * 2 };
	char name[IFNAMSIZ];
	size_t n = 0;

	*ret_unlink = false;
	text_add(&rest, text);
	for (; n < RESOLV_BLOCKS_MAX && find_gone(text_str(&rest), is_gone, ctx, name); n++) {
		_cleanup_text_ struct text next = { .max = RESOLV_CONF_MAX * 2, .error = rest.error };

		(void)resolv_remove(text_str(&rest), name, &next, ret_unlink);
		text_done(&rest);
		rest = next;
		next = (struct text){ 0 };
	}
	text_add(out, text_str(&rest));
	out->error = out->error ? out->error : rest.error;
	return n;
}

void resolv_install(const char *text, const char *ifname, const struct net_addr *dns, size_t n_dns,
		    bool created, struct text *out)
{
	_cleanup_text_ struct text base = { .max = RESOLV_CONF_MAX * 2 };
	bool unlink_it;

	if (resolv_remove(text, ifname, &base, &unlink_it))
		created = unlink_it;
	add_block(ifname, dns, n_dns, created, out);
	add_hidden(text_str(&base), out);
	out->error = out->error ? out->error : base.error;
}

bool resolv_is_installed(const char *text, const char *ifname, const struct net_addr *dns, size_t n_dns)
{
	_cleanup_text_ struct text plain = { .max = 4096 }, created = { .max = 4096 };
	const char *block;
	size_t len;

	if (!find_block(text, ifname, &block, &len))
		return false;
	add_block(ifname, dns, n_dns, false, &plain);
	add_block(ifname, dns, n_dns, true, &created);
	return (len == plain.len && memcmp(block, text_str(&plain), len) == 0) ||
	       (len == created.len && memcmp(block, text_str(&created), len) == 0);
}
