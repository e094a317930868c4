/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpctl/private.h"

#include <string.h>
#include <strings.h>

/* What follows these words is replaced up to the end of the line, for a value may have blanks in it. */
static const struct {
	const char *word, *instead;
} secrets[] = {
	{ "certificate", "xxxxxx" }, { "password", "xxxxxx" },	     { "pin", "xxxxxx" },
	{ "server", "xxxxx.tld" },   { "server-name", "xxxxx.tld" }, { "username", "xxxxxx" },
};

static const char *instead_of(const char *word, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++)
		if (strlen(secrets[i].word) == len && strncasecmp(secrets[i].word, word, len) == 0)
			return secrets[i].instead;
	return NULL;
}

/* The length of an IPv4 address at `s`, and where its last two numbers begin; 0: there is none. */
static size_t ipv4_length(const char *s, size_t *ret_end)
{
	size_t len = 0;

	for (int i = 0; i < 4; i++) {
		size_t digits = strspn(s + len, "0123456789");
		if (digits < 1 || digits > 3)
			return 0;
		if (i == 2)
			*ret_end = len;
		len += digits;
		if (i < 3 && s[len++] != '.')
			return 0;
	}
	return s[len] == '.' && s[len + 1] >= '0' && s[len + 1] <= '9' ? 0 : len;
}

/* The length of an IPv6 or Ethernet address at `s` (a time of day is neither), and where its end begins. */
static size_t colon_length(const char *s, size_t *ret_end, const char **ret_instead)
{
	size_t len = strspn(s, "0123456789abcdefABCDEF:"), colons = 0, last = 0;
	bool gap = false;

	for (size_t i = 0; i < len; i++) {
		if (s[i] != ':')
			continue;
		gap = gap || (i > 0 && s[i - 1] == ':');
		last = i + 1;
		colons++;
	}
	size_t v4_end = 0, v4 = ipv4_length(s + last, &v4_end);
	if (v4 > 0 && (gap || colons == 6)) { /* RFC 4291 §2.2: x:x:x:x:x:x:d.d.d.d */
		*ret_end = last + v4_end;
		*ret_instead = "xxxx:xxxx:";
		return last + v4;
	}
	*ret_end = last;
	*ret_instead = colons == 5 && len == 17 ? "xx:xx:xx:xx:xx:" : "xxxx:xxxx:";
	return (gap && len > 2) || colons == 7 || (colons == 5 && len == 17) ? len : 0;
}

/* Adds `len` bytes with their addresses shortened. */
static void strip_addresses(const char *s, size_t len, struct text *out)
{
	_cleanup_text_ struct text piece = { 0 };

	text_add_len(&piece, s, len);
	for (const char *p = text_str(&piece); *p;) {
		const char *instead = "xxx.xxx.";
		size_t end = 0, n = ipv4_length(p, &end);
		if (n == 0)
			n = colon_length(p, &end, &instead);
		if (n > 0) {
			text_add(out, instead);
			text_add_len(out, p + end, n - end);
			p += n;
			continue;
		}
		/* Past this word: an address does not begin in the middle of one. */
		n = strspn(p, "0123456789abcdefABCDEFghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ.:-_");
		n = n ? n : 1;
		text_add_len(out, p, n);
		p += n;
	}
}

void private_strip(const char *line, struct text *out)
{
	const char *p = line;

	while (*p) {
		size_t blanks = strspn(p, " \t+->"), len = strcspn(p + blanks, " \t");
		size_t next = blanks + len + strspn(p + blanks + len, " \t");
		const char *instead = p[next] ? instead_of(p + blanks, len) : NULL;
		if (instead) {
			text_add_len(out, p, next);
			text_add(out, instead);
			return;
		}
		strip_addresses(p, blanks + len, out);
		p += blanks + len;
	}
}
