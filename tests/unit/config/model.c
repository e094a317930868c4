/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The schema as a table, the typed view that is made from it, and what a change costs. */
#include "config/model.h"

#include <errno.h>

#include "config/check.h"
#include "config/edit.h"
#include "config/print.h"
#include "config/schema.h"
#include "test.h"

static void walk(const struct schema *parent, unsigned depth, unsigned *rows, const char **bad)
{
	const struct schema *before = NULL;

	for (const struct schema *s = parent->children; s && s->name; before = s++) {
		_cleanup_text_ struct text why = { 0 };
		_cleanup_free_ char *stored = NULL;
		(*rows)++;
		if (before && strcmp(before->name, s->name) >= 0)
			*bad = s->name; /* not sorted: find, print and diff rely on it */
		if (!s->help || !s->help[0] || depth >= SCHEMA_DEPTH_MAX)
			*bad = s->name;
		if (s->preset && schema_check_value(s, s->preset, &stored, &why) < 0)
			*bad = s->name;
		if (s->kind == SCHEMA_LEAF && !s->values)
			*bad = s->name;
		walk(s, depth + 1, rows, bad);
	}
}

static void the_table_is_sound(void)
{
	const char *bad = "";
	unsigned rows = 0;

	walk(&schema_root, 0, &rows, &bad);
	check_str(bad, "");
	check(rows >= 20);
}

static struct config_tree *tree_of(const char *commands)
{
	_cleanup_errors_ struct config_errors errors = { 0 };
	struct config_tree *tree = config_tree_new();

	if (config_parse(tree, commands, strlen(commands), &errors) < 0 || config_errors_count(&errors)) {
		_cleanup_text_ struct text out = { 0 };
		config_errors_print(&errors, "# ", &out);
		printf("%s", text_str(&out));
	}
	return tree;
}

static void defaults_are_those_of_the_design(void)
{
	_cleanup_tree_ struct config_tree *tree = tree_of("set interfaces sstpc sstpc0\n");
	_cleanup_config_interface_ struct config_interface c = { 0 };

	check_int(config_interface_load(tree, "sstpc0", &c), 0);
	check_str(c.name, "sstpc0");
	check_int(c.mtu, 1500);
	check_int(c.port, 443);
	check_int(c.distance, 210);
	check_int(c.auth, CONFIG_AUTH_MSCHAPV2 | CONFIG_AUTH_EAP);
	check(!c.disable && !c.no_default_route && !c.no_peer_dns && !c.disable_forwarding);
	check_int(c.adjust_mss, CONFIG_MSS_UNSET);
	check_int(c.source_validation, CONFIG_RPF_UNSET);
	check_str(c.server, "");
	check_str(c.vrf, "");
	check(!c.ca_pem && c.n_pins == 0 && c.password.len == 0);
	check_int(config_interface_load(tree, "sstpc1", &c), -ENOENT);
}

static const char full[] =
	"set pki ca one certificate MAEA\n"
	"set interfaces sstpc sstpc5 description 'd e'\n"
	"set interfaces sstpc sstpc5 disable\n"
	"set interfaces sstpc sstpc5 mtu 04087\n"
	"set interfaces sstpc sstpc5 vrf red\n"
	"set interfaces sstpc sstpc5 server 2001:db8::1\n"
	"set interfaces sstpc sstpc5 port 4443\n"
	"set interfaces sstpc sstpc5 authentication username 'CORP\\alice'\n"
	"set interfaces sstpc sstpc5 authentication password 'a'\\''b\"c'\n"
	"set interfaces sstpc sstpc5 authentication allow pap\n"
	"set interfaces sstpc sstpc5 authentication allow chap\n"
	"set interfaces sstpc sstpc5 ssl ca-certificate one\n"
	"set interfaces sstpc sstpc5 ssl pin sha256:T7So/LJOLL4r0lvXsclba3o6yO2dDgqcLwobLD1OX2A=\n"
	"set interfaces sstpc sstpc5 ssl pin "
	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
	"set interfaces sstpc sstpc5 ssl server-name vpn.example.com\n"
	"set interfaces sstpc sstpc5 no-default-route\n"
	"set interfaces sstpc sstpc5 default-route-distance 1\n"
	"set interfaces sstpc sstpc5 no-peer-dns\n"
	"set interfaces sstpc sstpc5 ip adjust-mss 1300\n"
	"set interfaces sstpc sstpc5 ip disable-forwarding\n"
	"set interfaces sstpc sstpc5 ip source-validation loose\n";

static void every_leaf_reaches_its_member(void)
{
	_cleanup_tree_ struct config_tree *tree = tree_of(full);
	_cleanup_config_interface_ struct config_interface c = { 0 }, copy = { 0 };

	check_int(config_interface_load(tree, "sstpc5", &c), 0);
	check_str(c.description, "d e");
	check(c.disable && c.no_default_route && c.no_peer_dns && c.disable_forwarding);
	check_int(c.mtu, 4087);
	check_str(c.vrf, "red");
	check_str(c.server, "2001:db8::1");
	check_int(c.port, 4443);
	check_str(c.username, "CORP\\alice");
	check_mem(c.password.data, c.password.len, "a'b\"c", 5);
	check_int(c.auth, CONFIG_AUTH_PAP | CONFIG_AUTH_CHAP);
	check_str(c.ca_name, "one");
	check_str(c.ca_pem, "-----BEGIN CERTIFICATE-----\nMAEA\n-----END CERTIFICATE-----\n");
	check_int(c.n_pins, 2);
	check_int(c.pins[0].sha256[2], 0x22);
	check_int(c.pins[1].sha256[0], 0x4f);
	check_str(c.server_name, "vpn.example.com");
	check_int(c.distance, 1);
	check_int(c.adjust_mss, 1300);
	check_int(c.source_validation, CONFIG_RPF_LOOSE);

	check_int(config_interface_copy(&copy, &c), 0);
	check(copy.ca_pem != c.ca_pem);
	check_int(config_interface_compare(&c, &copy), CONFIG_COST_NONE);
}

static const char pem_of_one[] = "-----BEGIN CERTIFICATE-----\nMAEA\n-----END CERTIFICATE-----\n",
		  pem_of_two[] = "-----BEGIN CERTIFICATE-----\nMAEB\n-----END CERTIFICATE-----\n";

static void only_the_named_ca_is_trusted(void)
{
	_cleanup_tree_ struct config_tree *tree = tree_of(
		"set pki ca a certificate MAEB\n"
		"set pki ca b certificate MAEA\n"
		"set pki ca c description none\n"
		"set interfaces sstpc sstpc0 ssl ca-certificate b\n");
	_cleanup_config_interface_ struct config_interface c = { 0 };

	check_int(config_interface_load(tree, "sstpc0", &c), 0);
	check_int(c.ca_anchors_len, sizeof(pem_of_one) - 1);
	check_mem(c.ca_pem, c.ca_anchors_len, pem_of_one, sizeof(pem_of_one) - 1);
	check_str(c.ca_pem + c.ca_anchors_len, pem_of_two);
}

/* However many others there are, the named one is handed on, and no more than there is room for. */
static void other_cas_have_a_limit(void)
{
	_cleanup_text_ struct text commands = { 0 };
	_cleanup_config_interface_ struct config_interface c = { 0 };

	for (int i = 0; i < 20; i++) {
		text_addf(&commands, "set pki ca a%d certificate ", i);
		for (int n = 0; n < CONFIG_CERTIFICATE_MAX / 4 - 1; n++)
			text_add(&commands, "MAEB");
		text_add(&commands, "\n");
	}
	text_add(&commands, "set pki ca z certificate MAEA\nset pki ca zz certificate MAEB\n"
			    "set interfaces sstpc sstpc0 ssl ca-certificate z\n");
	_cleanup_tree_ struct config_tree *tree = tree_of(text_str(&commands));
	check_int(config_interface_load(tree, "sstpc0", &c), 0);
	check_mem(c.ca_pem, c.ca_anchors_len, pem_of_one, sizeof(pem_of_one) - 1);
	size_t len = strlen(c.ca_pem);
	check(len <= CONFIG_CA_PEM_MAX && len > CONFIG_CA_PEM_MAX - 2 * CONFIG_CERTIFICATE_MAX);
	/* One that is too large does not keep a smaller one out. */
	check_str(c.ca_pem + len - (sizeof(pem_of_two) - 1), pem_of_two);
}

/* Each is inspected: what is beyond would get in without. */
static void more_cas_than_are_inspected_are_refused(void)
{
	_cleanup_text_ struct text commands = { 0 };

	for (int i = 0; i <= CONFIG_CAS_MAX; i++) {
		_cleanup_errors_ struct config_errors errors = { 0 };
		text_addf(&commands, "set pki ca a%d certificate MAIFAA==\n", i);
		if (i < CONFIG_CAS_MAX - 1)
			continue;
		_cleanup_tree_ struct config_tree *tree = tree_of(text_str(&commands));
		config_check(NULL, tree, &errors);
		check_int(config_errors_count(&errors), i == CONFIG_CAS_MAX);
	}
}

/* The cost of one more command on top of `full`. */
static int cost_of(const char *command)
{
	_cleanup_tree_ struct config_tree *before = tree_of(full), *after = tree_of(full);
	_cleanup_config_interface_ struct config_interface a = { 0 }, b = { 0 };
	_cleanup_errors_ struct config_errors errors = { 0 };

	if (config_parse(after, command, strlen(command), &errors) < 0 || config_errors_count(&errors) ||
	    config_interface_load(before, "sstpc5", &a) < 0 || config_interface_load(after, "sstpc5", &b) < 0)
		return -1;
	return (int)config_interface_compare(&a, &b);
}

static void changes_cost_what_the_design_says(void)
{
	static const struct {
		const char *command;
		enum config_cost cost;
	} cases[] = {
		{ "set interfaces sstpc sstpc5 mtu 4087",
		  CONFIG_COST_NONE }, /* written otherwise, the same */
		{ "set pki ca one description x", CONFIG_COST_NONE },
		{ "set pki ca one certificate MAEB", CONFIG_COST_REDIAL },
		{ "set pki ca two certificate MAEB", CONFIG_COST_LIVE },
		{ "comment interfaces sstpc sstpc5 x", CONFIG_COST_NONE },
		{ "set interfaces sstpc sstpc6 mtu 1400", CONFIG_COST_NONE },
		{ "set interfaces sstpc sstpc5 description x", CONFIG_COST_LIVE },
		{ "delete interfaces sstpc sstpc5 disable", CONFIG_COST_LIVE },
		{ "set interfaces sstpc sstpc5 mtu 1400", CONFIG_COST_LIVE },
		{ "delete interfaces sstpc sstpc5 vrf", CONFIG_COST_LIVE },
		{ "delete interfaces sstpc sstpc5 no-default-route", CONFIG_COST_LIVE },
		{ "set interfaces sstpc sstpc5 default-route-distance 2", CONFIG_COST_LIVE },
		{ "delete interfaces sstpc sstpc5 no-peer-dns", CONFIG_COST_LIVE },
		{ "delete interfaces sstpc sstpc5 ip", CONFIG_COST_LIVE },
		{ "set interfaces sstpc sstpc5 ip adjust-mss clamp-mss-to-pmtu", CONFIG_COST_LIVE },
		{ "set interfaces sstpc sstpc5 ip source-validation strict", CONFIG_COST_LIVE },
		{ "set interfaces sstpc sstpc5 ssl pin AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		  CONFIG_COST_REDIAL },
		{ "set interfaces sstpc sstpc5 server 2001:db8::2", CONFIG_COST_REDIAL },
		{ "delete interfaces sstpc sstpc5 port", CONFIG_COST_REDIAL },
		{ "set interfaces sstpc sstpc5 authentication username x", CONFIG_COST_REDIAL },
		{ "set interfaces sstpc sstpc5 authentication password x", CONFIG_COST_REDIAL },
		{ "set interfaces sstpc sstpc5 authentication allow mschap-v2", CONFIG_COST_REDIAL },
		{ "set interfaces sstpc sstpc5 authentication password-file /x", CONFIG_COST_REDIAL },
		{ "delete interfaces sstpc sstpc5 ssl pin", CONFIG_COST_REDIAL },
		{ "delete interfaces sstpc sstpc5 ssl server-name", CONFIG_COST_REDIAL },
		{ "delete interfaces sstpc sstpc5 ssl ca-certificate", CONFIG_COST_REDIAL },
		{ "set pki ca one certificate MAIAAA==", CONFIG_COST_REDIAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int cost = cost_of(cases[i].command);
		if (cost != (int)cases[i].cost)
			printf("# %s\n", cases[i].command);
		check_int(cost, cases[i].cost);
	}
}

static void pins_as_people_write_them(void)
{
	static const char hex[] = "4fb4a8fcb24e2cbe2bd25bd7b1c95b6b7a3ac8ed9d0e0a9c2f0a1b2c3d4e5f60";
	static const char *const same[] = { hex, "T7So/LJOLL4r0lvXsclba3o6yO2dDgqcLwobLD1OX2A=",
					    "sha256:T7So/LJOLL4r0lvXsclba3o6yO2dDgqcLwobLD1OX2A=",
					    "sha256//T7So/LJOLL4r0lvXsclba3o6yO2dDgqcLwobLD1OX2A=",
					    "4F:B4:A8:FC:B2:4E:2C:BE:2B:D2:5B:D7:B1:C9:5B:6B:7A:3A:C8:ED:9D:"
					    "0E:0A:9C:2F:0A:1B:2C:3D:4E:5F:60" };
	static const char *const wrong[] = {
		"",
		"sha256:",
		"00",
		"T7So/LJOLL4r0lvXsclba3o6yO2dDgqcLwobLD1OX2B=",
		"T7So/LJOLL4r0lvXsclba3o6yO2dDgqcLwobLD1OX2A",
		"4fb4a8fcb24e2cbe2bd25bd7b1c95b6b7a3ac8ed9d0e0a9c2f0a1b2c3d4e5f6g",
		"4fb4a8fcb24e2cbe2bd25bd7b1c95b6b7a3ac8ed9d0e0a9c2f0a1b2c3d4e5f6000"
	};
	struct config_pin first, pin;

	check_int(config_parse_pin(hex, &first), 0);
	check_int(first.sha256[31], 0x60);
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		memset(&pin, 0, sizeof(pin));
		check_int(config_parse_pin(same[i], &pin), 0);
		check_mem(pin.sha256, sizeof(pin.sha256), first.sha256, sizeof(first.sha256));
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		check_int(config_parse_pin(wrong[i], &pin), -EINVAL);
}

/* What a value must be, at the edges that the transcripts do not show. */
static void values_at_their_edges(void)
{
	const struct schema *sstpc = schema_child(schema_child(&schema_root, "interfaces"), "sstpc");
	static const struct {
		const char *leaf, *value;
		int result;
	} cases[] = {
		{ "mtu", "68", 0 },
		{ "mtu", "4087", 0 },
		{ "mtu", "4088", -EINVAL },
		{ "mtu", "", -EINVAL },
		{ "mtu", "1 ", -EINVAL },
		{ "port", "65535", 0 },
		{ "port", "1", 0 },
		{ "server", "a", 0 },
		{ "server", "::1", 0 },
		{ "server", "1.2.3.4", 0 },
		{ "server", "1.2.3.4.5", -EINVAL },
		{ "server", "[::1]", -EINVAL },
		{ "server", "", -EINVAL },
		{ "vrf", "default", -EINVAL } /* a name that no device can have */,
		{ "vrf", "lo", -EINVAL },
		{ "vrf", "tun0", -EINVAL },
		{ "vrf", "tunnel", 0 },
		{ "vrf", "a/b", -EINVAL },
		{ "description", "", 0 },
		{ "description", "Straße – ü", 0 },
		{ "description", "\x1b[31m", -EINVAL },
		{ "description", "\xc2\x9b", -EINVAL },
		{ "description", "\xff", -EINVAL },
		{ "description", "a\nb", -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_text_ struct text why = { 0 };
		_cleanup_free_ char *stored = NULL;
		int r = schema_check_value(schema_child(sstpc, cases[i].leaf), cases[i].value, &stored, &why);
		if (r != cases[i].result)
			printf("# %s '%s'\n", cases[i].leaf, cases[i].value);
		check_int(r, cases[i].result);
		check((r == 0) == (why.len == 0));
	}

	char text[257];
	_cleanup_text_ struct text why = { 0 };
	_cleanup_free_ char *stored = NULL;
	memset(text, 'x', sizeof(text));
	text[255] = 0;
	check_int(schema_check_value(schema_child(sstpc, "description"), text, &stored, &why), 0);
	memset(text, 'x', sizeof(text));
	text[256] = 0;
	check_int(schema_check_value(schema_child(sstpc, "description"), text, &stored, &why), -EINVAL);
	check_str(text_str(&why), "Description too long (limit 255 characters)\n");
	for (size_t i = 0; i < 256; i += 2)
		memcpy(text + i, "ü", 2);
	why.len = 0;
	check_int(schema_check_value(schema_child(sstpc, "description"), text, &stored, &why), -EINVAL);
	check_str(text_str(&why), "Description too long (limit 255 characters)\n"
				  "Bytes of UTF-8 are counted: these are 256, the limit is 255\n");
}

static void a_pasted_certificate_becomes_one_line(void)
{
	const struct schema *ca = schema_child(schema_child(&schema_root, "pki"), "ca");
	const struct schema *certificate = schema_child(ca, "certificate");
	static const char *const same[] = {
		"MAEA", "-----BEGIN CERTIFICATE-----\nMA\nEA\n-----END CERTIFICATE-----\n",
		"-----BEGIN CERTIFICATE----- MAEA -----END CERTIFICATE-----", " MA\r\nEA "
	};
	static const char *const wrong[] = {
		"",
		"MAE",
		"MAEA MAE",
		"-----BEGIN CERTIFICATE-----",
		"-----BEGIN CERTIFICATE-----MAEA-----END CERTIFICATE-----MAEA",
		"-----BEGIN RSA PRIVATE KEY-----MAEA-----END RSA PRIVATE KEY-----"
	};

	for (size_t i = 0; i < ARRAY_SIZE(same) + ARRAY_SIZE(wrong); i++) {
		_cleanup_text_ struct text why = { 0 };
		_cleanup_free_ char *stored = NULL;
		bool good = i < ARRAY_SIZE(same);
		int r = schema_check_value(certificate, good ? same[i] : wrong[i - ARRAY_SIZE(same)], &stored,
					   &why);
		check_int(r, good ? 0 : -EINVAL);
		if (good)
			check_str(stored, "MAEA");
	}
}

int main(void)
{
	return run_tests((struct test[]){ TEST(the_table_is_sound),
					  TEST(defaults_are_those_of_the_design),
					  TEST(every_leaf_reaches_its_member),
					  TEST(only_the_named_ca_is_trusted),
					  TEST(other_cas_have_a_limit),
					  TEST(more_cas_than_are_inspected_are_refused),
					  TEST(changes_cost_what_the_design_says),
					  TEST(pins_as_people_write_them),
					  TEST(values_at_their_edges),
					  TEST(a_pasted_certificate_becomes_one_line),
					  {} });
}
