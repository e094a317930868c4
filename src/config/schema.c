/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/base64.h"
#include "config/utf8.h"

/* The checks that a range or a list of words cannot express. */

static bool is_sstpc_name(const char *s)
{
	const char *digits = s + 5;

	return strncmp(s, "sstpc", 5) == 0 && *digits && digits[strspn(digits, "0123456789")] == 0 &&
	       strlen(s) < IFNAMSIZ;
}

static bool is_ca_name(const char *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.+";

	return *s && *s != '.' && *s != '+' && s[strspn(s, letters)] == 0;
}

static bool is_credential(const char *s)
{
	size_t len = strlen(s);

	return is_ascii(s) && len >= 1 && len <= 128;
}

static bool is_server(const char *s)
{
	return is_address(s) || is_host_name(s);
}

/*
 * VyOS refuses names that begin like a kind of network interface. It forgot to anchor its pattern, so that
 * "brown" is refused too; here the kind must be followed by its number.
 */
static bool is_vrf_name(const char *s)
{
	static const char *const kinds[] = { "bond",	"br",	"dum",	 "eth",	 "lan",	  "eno",
					     "ens",	"enp",	"enx",	 "gnv",	 "ipoe",  "l2tp",
					     "l2tpeth", "ppp",	"pppoe", "peth", "sstpc", "tun",
					     "vti",	"vtun", "vxlan", "wg",	 "wlan",  "wwan" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t len = strlen(kinds[i]);
		if (strncmp(s, kinds[i], len) == 0 && s[len] && s[len + strspn(s + len, "0123456789")] == 0)
			return false;
	}
	return ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z')) && strcmp(s, "lo") != 0 &&
	       is_interface_name(s);
}

static bool is_path(const char *s)
{
	return s[0] == '/' && s[1];
}

static bool is_pin(const char *s)
{
	struct config_pin pin;

	return config_parse_pin(s, &pin) == 0;
}

static bool is_certificate(const char *s)
{
	return *s && base64_decode(s, NULL, SIZE_MAX) >= 0;
}

/* PEM armour, line ends and blanks around a pasted certificate go: what is stored is one line of base64. */
static char *strip_armour(const char *value)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
	const char *from = value + strspn(value, " \t\r\n");
	size_t len;
	char *out;

	if (strncmp(from, begin, strlen(begin)) == 0)
		from += strlen(begin);
	const char *stop = strstr(from, end);
	if (stop && stop[strlen(end) + strspn(stop + strlen(end), " \t\r\n")] == 0)
		len = (size_t)(stop - from);
	else
		len = strlen(from);
	out = malloc(len + 1);
	if (!out)
		return NULL;
	size_t n = 0;
	for (size_t i = 0; i < len; i++)
		if (!strchr(" \t\r\n", from[i]))
			out[n++] = from[i];
	out[n] = 0;
	return out;
}

/* The table. Rows of one level stand in alphabetical order. */

#define MEMBER(m) \
	.offset = offsetof(struct config_interface, m), .size = sizeof(((struct config_interface *)NULL)->m)
#define VALUES(...)                             \
	.values = (const struct schema_value[]) \
	{                                       \
		__VA_ARGS__,                    \
		{                               \
			0                       \
		}                               \
	}
#define WORDS(...)                     \
	.words = (const char *const[]) \
	{                              \
		__VA_ARGS__, NULL      \
	}
#define CHILDREN(...)                       \
	.children = (const struct schema[]) \
	{                                   \
		__VA_ARGS__,                \
		{                           \
			0                   \
		}                           \
	}

/* clang-format off: a table reads better in its own layout */
static const struct schema authentication_children[] = {
	{ .name = "allow",
	  .kind = SCHEMA_LEAF,
	  .multi = true,
	  .cost = CONFIG_COST_REDIAL,
	  .help = "Authentication protocol that may be used",
	  .preset = "mschap-v2",
	  .constraint = "Authentication protocol must be pap, chap, eap or mschap-v2",
	  WORDS("pap", "chap", "eap", "mschap-v2"),
	  VALUES({ "pap", "Password in clear text inside the TLS connection" }, { "chap", "CHAP with MD5" },
		 { "eap", "Microsoft CHAP version 2 inside EAP only" },
		 { "mschap-v2", "Microsoft CHAP version 2, proves the server too" }),
	  .field = FIELD_AUTH,
	  MEMBER(auth) },
	{ .name = "password",
	  .kind = SCHEMA_LEAF,
	  .secret = true,
	  .cost = CONFIG_COST_REDIAL,
	  .help = "Password used for authentication",
	  .constraint = "Password is limited to ASCII characters only, with a total length of 128",
	  .check = is_credential,
	  VALUES({ "txt", "Password" }),
	  .field = FIELD_SECRET,
	  MEMBER(password) },
	{ .name = "password-file",
	  .kind = SCHEMA_LEAF,
	  .cost = CONFIG_COST_REDIAL,
	  .help = "File that holds the password, read at each dial",
	  .constraint = "Password file must be an absolute path",
	  .check = is_path,
	  VALUES({ "path", "Absolute path of the file" }),
	  .max_len = CONFIG_PATH_MAX - 1,
	  .field = FIELD_TEXT,
	  MEMBER(password_file) },
	{ .name = "username",
	  .kind = SCHEMA_LEAF,
	  .cost = CONFIG_COST_REDIAL,
	  .help = "Username used for authentication",
	  .constraint = "Username is limited to ASCII characters only, with a total length of 128",
	  .check = is_credential,
	  VALUES({ "txt", "Username" }),
	  .field = FIELD_TEXT,
	  MEMBER(username) },
	{ 0 }
};

static const struct schema ip_children[] = {
	{ .name = "adjust-mss",
	  .kind = SCHEMA_LEAF,
	  .cost = CONFIG_COST_LIVE,
	  .help = "Adjust TCP MSS value",
	  .min = 536,
	  .max = 65535,
	  WORDS("clamp-mss-to-pmtu"),
	  VALUES({ "clamp-mss-to-pmtu", "Automatically sets the MSS to the proper value" },
		 { "u32:536-65535", "TCP Maximum segment size in bytes" }),
	  .field = FIELD_MSS,
	  MEMBER(adjust_mss) },
	{ .name = "disable-forwarding",
	  .kind = SCHEMA_FLAG,
	  .cost = CONFIG_COST_LIVE,
	  .help = "Disable IP forwarding on this interface",
	  .field = FIELD_BOOL,
	  MEMBER(disable_forwarding) },
	{ .name = "source-validation",
	  .kind = SCHEMA_LEAF,
	  .cost = CONFIG_COST_LIVE,
	  .help = "Source validation by reversed path (RFC3704)",
	  WORDS("strict", "loose", "disable"),
	  VALUES({ "strict", "Enable Strict Reverse Path Forwarding as defined in RFC3704" },
		 { "loose", "Enable Loose Reverse Path Forwarding as defined in RFC3704" },
		 { "disable", "No source validation" }),
	  .field = FIELD_RPF,
	  MEMBER(source_validation) },
	{ 0 }
};

static const struct schema ssl_children[] = {
	{ .name = "ca-certificate",
	  .kind = SCHEMA_LEAF,
	  .cost = CONFIG_COST_REDIAL,
	  .help = "Certificate Authority in PKI configuration",
	  .constraint = "CA name may only contain letters, numbers, '_', '-', '.' and '+'",
	  .check = is_ca_name,
	  VALUES({ "txt", "Name of CA in PKI configuration" }),
	  .refers_to = "pki ca",
	  .field = FIELD_TEXT,
	  MEMBER(ca_name) },
	{ .name = "pin",
	  .kind = SCHEMA_LEAF,
	  .multi = true,
	  .cost = CONFIG_COST_REDIAL,
	  .help = "SHA-256 of a public key that the server may have",
	  .constraint = "Pin must be the SHA-256 of a public key, as 64 hexadecimal digits or in base64",
	  .check = is_pin,
	  VALUES({ "txt", "SHA-256 of the public key, as the connect error prints it" }),
	  .field = FIELD_PINS,
	  MEMBER(pins) },
	{ .name = "server-name",
	  .kind = SCHEMA_LEAF,
	  .cost = CONFIG_COST_REDIAL,
	  .help = "Name to ask for and to verify, where it is not the server's address",
	  .constraint = "Server name must be an IPv4 address, an IPv6 address or a host name",
	  .check = is_server,
	  VALUES({ "hostname", "Name in the server's certificate" }),
	  .field = FIELD_TEXT,
	  MEMBER(server_name) },
	{ 0 }
};

static const struct schema sstpc_children[] = {
	{ .name = "authentication",
	  .kind = SCHEMA_NODE,
	  .help = "Authentication settings",
	  .children = authentication_children },
	{ .name = "default-route-distance",
	  .kind = SCHEMA_LEAF,
	  .cost = CONFIG_COST_LIVE,
	  .help = "Distance for installed default route",
	  .preset = "210",
	  .min = 1,
	  .max = 255,
	  VALUES({ "u32:1-255", "Distance for the default route from DHCP server" }),
	  .field = FIELD_U8,
	  MEMBER(distance) },
	{ .name = "description",
	  .kind = SCHEMA_LEAF,
	  .cost = CONFIG_COST_LIVE,
	  .help = "Description",
	  .constraint = "Description too long (limit 255 characters)",
	  VALUES({ "txt", "Description" }),
	  .field = FIELD_TEXT,
	  MEMBER(description) },
	{ .name = "disable",
	  .kind = SCHEMA_FLAG,
	  .cost = CONFIG_COST_LIVE,
	  .help = "Administratively disable interface",
	  .field = FIELD_BOOL,
	  MEMBER(disable) },
	{ .name = "ip", .kind = SCHEMA_NODE, .help = "IPv4 routing parameters", .children = ip_children },
	{ .name = "mtu",
	  .kind = SCHEMA_LEAF,
	  .cost = CONFIG_COST_LIVE,
	  .help = "Maximum Transmission Unit (MTU)",
	  .preset = "1500",
	  .constraint = "MTU must be between 68 and 4087",
	  .min = CONFIG_MTU_MIN,
	  .max = CONFIG_MTU_MAX,
	  VALUES({ "u32:68-4087", "Maximum Transmission Unit in byte" }),
	  .field = FIELD_U16,
	  MEMBER(mtu) },
	{ .name = "no-default-route",
	  .kind = SCHEMA_FLAG,
	  .cost = CONFIG_COST_LIVE,
	  .help = "Do not install default route to system",
	  .field = FIELD_BOOL,
	  MEMBER(no_default_route) },
	{ .name = "no-peer-dns",
	  .kind = SCHEMA_FLAG,
	  .cost = CONFIG_COST_LIVE,
	  .help = "Do not use DNS servers provided by the peer",
	  .field = FIELD_BOOL,
	  MEMBER(no_peer_dns) },
	{ .name = "port",
	  .kind = SCHEMA_LEAF,
	  .cost = CONFIG_COST_REDIAL,
	  .help = "Port number used by connection",
	  .preset = "443",
	  .constraint = "Port number must be in range 1 to 65535",
	  .min = 1,
	  .max = 65535,
	  VALUES({ "u32:1-65535", "Numeric IP port" }),
	  .field = FIELD_U16,
	  MEMBER(port) },
	{ .name = "server",
	  .kind = SCHEMA_LEAF,
	  .cost = CONFIG_COST_REDIAL,
	  .help = "Remote server to connect to",
	  .constraint = "Server must be an IPv4 address, an IPv6 address or a host name",
	  .check = is_server,
	  VALUES({ "ipv4", "Server IPv4 address" }, { "ipv6", "Server IPv6 address" },
		 { "hostname", "Server hostname/FQDN" }),
	  .field = FIELD_TEXT,
	  MEMBER(server) },
	{ .name = "ssl",
	  .kind = SCHEMA_NODE,
	  .help = "Secure Sockets Layer (SSL) configuration",
	  .children = ssl_children },
	{ .name = "vrf",
	  .kind = SCHEMA_LEAF,
	  .cost = CONFIG_COST_LIVE,
	  .help = "VRF instance name",
	  .constraint = "VRF instance name must be 15 characters or less and can not\n"
			"be named as regular network interfaces.\n"
			"A name must starts from a letter.\n",
	  .check = is_vrf_name,
	  .system_names = "vrf",
	  VALUES({ "txt", "VRF instance name" }),
	  .field = FIELD_TEXT,
	  MEMBER(vrf) },
	{ 0 }
};

static const struct schema ca_children[] = {
	{ .name = "certificate",
	  .kind = SCHEMA_LEAF,
	  .cost = CONFIG_COST_REDIAL,
	  .help = "CA certificate in PEM format",
	  .constraint = "Certificate is not base64-encoded\n"
			"Needed is one certificate: its base64 text, without the BEGIN and END lines",
	  .check = is_certificate,
	  .normalize = strip_armour,
	  VALUES({ "txt", "Base64 of the certificate, one line, without PEM armour" }),
	  .max_len = CONFIG_CERTIFICATE_MAX },
	{ .name = "description",
	  .kind = SCHEMA_LEAF,
	  .help = "Description",
	  .constraint = "Description too long (limit 255 characters)",
	  VALUES({ "txt", "Description" }) },
	{ 0 }
};

const struct schema schema_root = {
	.kind = SCHEMA_NODE,
	CHILDREN(
		{ .name = "interfaces",
		  .kind = SCHEMA_NODE,
		  .help = "Network interfaces",
		  CHILDREN({ .name = "sstpc",
			     .kind = SCHEMA_TAG,
			     .help = "Secure Socket Tunneling Protocol (SSTP) client Interface",
			     .constraint = "Secure Socket Tunneling Protocol interface must be named sstpcN",
			     .check = is_sstpc_name,
			     VALUES({ "sstpcN", "Secure Socket Tunneling Protocol interface name" }),
			     .children = sstpc_children }) },
		{ .name = "pki",
		  .kind = SCHEMA_NODE,
		  .help = "Public key infrastructure (PKI)",
		  CHILDREN({ .name = "ca",
			     .kind = SCHEMA_TAG,
			     .help = "Certificate Authority",
			     .constraint = "CA name may only contain letters, numbers, '_', '-', '.' and '+'",
			     .check = is_ca_name,
			     VALUES({ "txt", "Name of Certificate Authority" }),
			     .children = ca_children }) }),
};
/* clang-format on */

const struct schema *schema_child(const struct schema *parent, const char *name)
{
	for (const struct schema *s = parent->children; s && s->name; s++)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

const struct schema *schema_match(const struct schema *parent, const char *word, size_t *ret_matches)
{
	const struct schema *found = schema_child(parent, word);
	size_t matches = found ? 1 : 0;

	if (!found && *word)
		for (const struct schema *s = parent->children; s && s->name; s++)
			if (strncmp(s->name, word, strlen(word)) == 0) {
				found = s;
				matches++;
			}
	*ret_matches = matches;
	return matches == 1 ? found : NULL;
}

/* What may stand in a value at all: printable ASCII and UTF-8, so that no value can play with a terminal. */
static int check_characters(const char *value, struct text *why)
{
	for (const char *p = value; *p;) {
		size_t len = printable_length(p);
		if (len == 0) {
			text_add(why, *p == '\n' ? "Cannot use the newline character in a value string\n"
				      : *p > 0	 ? "Cannot use control characters in a value string\n"
						 : "Cannot use bytes that are not UTF-8 in a value string\n");
			return -EINVAL;
		}
		p += len;
	}
	return 0;
}

static bool check_words(const struct schema *s, const char *value)
{
	for (const char *const *w = s->words; w && *w; w++)
		if (strcmp(*w, value) == 0)
			return true;
	return false;
}

/* What VyOS's validator says, and the three blank lines behind it. */
static void complain_number(const char *value, struct text *why)
{
	const char *digits = value + (*value == '-');
	size_t whole = strspn(digits, "0123456789"), fraction = 0;

	if (whole && digits[whole] == '.')
		fraction = strspn(digits + whole + 1, "0123456789");
	if (whole && digits[whole] == 0)
		text_add(why, "Number is not in any of allowed ranges");
	else if (fraction && digits[whole + 1 + fraction] == 0)
		text_addf(why, "'%s' is not a valid integer number", value);
	else
		text_addf(why, "'%s' is not a valid number", value);
	text_add(why, "\n\n\n\n");
}

/* Where VyOS has no words of its own for a row: its general ones, and what it does not say. */
static void complain_generally(const struct schema *s, struct text *why)
{
	const char *between = "Allowed: ";

	text_add(why, "Invalid value\n");
	for (const struct schema_value *v = s->values; v && v->format; v++) {
		text_addf(why, "%s%s", between, v->format + (strncmp(v->format, "u32:", 4) == 0 ? 4 : 0));
		between = ", ";
	}
	text_add(why, "\n");
}

static int check_value(const struct schema *s, const char *value, struct text *why)
{
	size_t len = strlen(value), max = s->max_len ? s->max_len : 255;
	bool constrained = s->words || s->max || s->check, good = !constrained;
	uint32_t number;
	int r;

	if (s->kind == SCHEMA_TAG && (len == 0 || strpbrk(value, " \t\n"))) {
		text_add(why, len == 0 ? "Tag node value name must not be empty\n"
				       : "Tag node value name must not contain whitespace\n");
		return -EINVAL;
	}
	r = check_characters(value, why);
	if (r < 0)
		return r;
	good = good || check_words(s, value) || (s->check && s->check(value));
	if (!good && s->max) {
		r = parse_u32(value, s->min, s->max, &number);
		good = r == 0;
		if (r < 0)
			complain_number(value, why);
	}
	if (good && len <= max)
		return 0;
	if (!s->constraint)
		complain_generally(s, why);
	else
		text_addf(why, "%s%s", s->constraint,
			  s->constraint[strlen(s->constraint) - 1] == '\n' ? "" : "\n");
	if (good && !is_ascii(value)) /* fewer characters than VyOS's words name */
		text_addf(why, "Bytes of UTF-8 are counted: these are %zu, the limit is %zu\n", len, max);
	return -EINVAL;
}

int schema_check_value(const struct schema *s, const char *value, char **ret, struct text *why)
{
	char *stored = s->normalize ? s->normalize(value) : strdup(value);

	if (!stored)
		return -ENOMEM;
	int r = check_value(s, stored, why);
	if (r < 0) {
		free(stored);
		return r;
	}
	*ret = stored;
	return 0;
}

void schema_format_value(const char *format, struct text *out)
{
	if (strcmp(format, "txt") == 0)
		text_add(out, "<text>");
	else if (strncmp(format, "u32:", 4) == 0)
		text_addf(out, "<%s>", format + 4);
	else if (strcmp(format, "ipv4") == 0)
		text_add(out, "<x.x.x.x>");
	else if (strcmp(format, "ipv6") == 0)
		text_add(out, "<h:h:h:h:h:h:h:h>");
	else if (strcmp(format, "hostname") == 0 || strcmp(format, "path") == 0)
		text_addf(out, "<%s>", format);
	else
		text_add(out, format);
}
