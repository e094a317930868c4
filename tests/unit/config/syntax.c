/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse∘print is the identity, in every syntax, for generated trees with nasty values; damage is contained.
 */
#include "config/edit.h"

#include <errno.h>
#include <stdlib.h>

#include "config/curly.h"
#include "config/diff.h"
#include "config/print.h"
#include "config/system.h"
#include "config/words.h"
#include "test.h"

#define ROUNDS 300

/* xorshift: the same trees in every run. */
static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static uint32_t below(uint32_t *state, uint32_t n)
{
	return next_random(state) % n;
}

/* Pieces that have a meaning somewhere, so that each must be quoted right. */
static void random_text(uint32_t *state, char *out, size_t size)
{
	static const char *const pieces[] = {
		" ", "'", "\"", "\\", "{",   "}",  ";",	 "/*", "*/", "//",  "#",    "|",  "a", "Z", "0",
		"ä", "€", "$x", "`",  "\\n", "\\", "''", "!",  "%s", "\\'", "\\\\", "--", "=", "~", "\\065"
	};
	size_t len = 0, n = 1 + below(state, 12);

	for (size_t i = 0; i < n; i++) {
		const char *piece = pieces[below(state, ARRAY_SIZE(pieces))];
		if (len + strlen(piece) >= size)
			break;
		memcpy(out + len, piece, strlen(piece));
		len += strlen(piece);
	}
	out[len] = 0;
}

/* A value that the row accepts. */
static void random_value(uint32_t *state, const struct schema *s, char *out, size_t size)
{
	static const char *const guesses[] = { "vpn.example.com",
					       "192.0.2.1",
					       "2001:db8::1",
					       "sstpc3",
					       "sstpc12",
					       "CA-1",
					       "red",
					       "/run/p",
					       "MAA=",
					       "AAAA",
					       "T7So/LJOLL4r0lvXsclba3o6yO2dDgqcLwobLD1OX2A=" };

	for (;;) {
		_cleanup_text_ struct text why = { 0 };
		_cleanup_free_ char *stored = NULL;
		size_t words = 0;
		while (s->words && s->words[words])
			words++;
		uint32_t way = below(state, 3);
		if (way == 0 && words)
			(void)snprintf(out, size, "%s", s->words[below(state, (uint32_t)words)]);
		else if (way == 1 && s->max)
			(void)snprintf(out, size, "%u", s->min + below(state, s->max - s->min + 1));
		else if (way == 1)
			(void)snprintf(out, size, "%s", guesses[below(state, ARRAY_SIZE(guesses))]);
		else
			random_text(state, out, size);
		if (schema_check_value(s, out, &stored, &why) == 0)
			return;
	}
}

static void random_children(uint32_t *state, struct config_tree *tree, struct config_node *parent)
{
	char value[256];

	for (const struct schema *s = parent->schema->children; s && s->name; s++) {
		uint32_t times = below(state, 3);
		if (!schema_has_value(s) && times)
			times = 1;
		for (uint32_t i = 0; i < times; i++) {
			struct config_node *node = NULL;
			if (schema_has_value(s))
				random_value(state, s, value, sizeof(value));
			if (config_node_add(tree, parent, s, schema_has_value(s) ? value : NULL, &node) < 0)
				abort();
			random_children(state, tree, node);
			if (below(state, 6) == 0) {
				random_text(state, value, sizeof(value));
				for (char *c = value; *c; c++) /* as `comment` would have it */
					*c = *c == '*' ? '-' : *c;
				char *from = value + strspn(value, " ");
				while (*from && from[strlen(from) - 1] == ' ')
					from[strlen(from) - 1] = 0;
				if (config_node_set_comment(tree, node, from) < 0)
					abort();
			}
		}
	}
}

static struct config_tree *random_tree(uint32_t *state)
{
	struct config_tree *tree = config_tree_new();

	random_children(state, tree, &tree->root);
	return tree;
}

static void show_errors(const struct config_errors *errors, const char *text)
{
	_cleanup_text_ struct text out = { 0 };

	config_errors_print(errors, "# text", &out);
	if (out.len)
		printf("%s# in:\n%s\n", text_str(&out), text);
}

/* True if `text` is read without error as a tree that equals `tree`. */
static bool reads_as(const char *text, const struct config_tree *tree)
{
	_cleanup_tree_ struct config_tree *again = config_tree_new();
	_cleanup_errors_ struct config_errors errors = { 0 };
	int r = config_parse(again, text, strlen(text), &errors);

	show_errors(&errors, text);
	return r == 0 && config_errors_count(&errors) == 0 && config_node_equal(&again->root, &tree->root);
}

static void what_is_printed_is_read_back(void)
{
	uint32_t state = 1;

	for (int i = 0; i < ROUNDS; i++) {
		_cleanup_tree_ struct config_tree *tree = random_tree(&state);
		_cleanup_text_ struct text file = { 0 }, show = { 0 }, commands = { 0 }, again = { 0 };

		config_file_print(tree, &file);
		check(reads_as(text_str(&file), tree));
		config_print(&tree->root, CONFIG_FORM_SHOW, false, &show);
		check(reads_as(text_str(&show), tree));
		config_print_commands(&tree->root, &commands);
		check(reads_as(text_str(&commands), tree));

		/* And byte for byte. */
		_cleanup_errors_ struct config_errors errors = { 0 };
		_cleanup_tree_ struct config_tree *read = config_file_parse(file.data, file.len, &errors);
		check(read);
		config_file_print(read, &again);
		check_str(text_str(&again), text_str(&file));
	}
}

static void a_comparison_leads_from_one_to_the_other(void)
{
	uint32_t state = 7;

	for (int i = 0; i < ROUNDS; i++) {
		_cleanup_tree_ struct config_tree *a = random_tree(&state), *b = random_tree(&state);
		_cleanup_text_ struct text commands = { 0 }, none = { 0 };
		_cleanup_errors_ struct config_errors errors = { 0 };

		config_diff_commands(&a->root, &b->root, &commands);
		_cleanup_tree_ struct config_tree *walked = config_tree_copy(a);
		check_int(config_parse(walked, text_str(&commands), commands.len, &errors), 0);
		show_errors(&errors, text_str(&commands));
		check_int(config_errors_count(&errors), 0);
		check(config_node_equal(&walked->root, &b->root));

		config_diff_compare(&b->root, &walked->root, false, &none);
		config_diff_commands(&b->root, &walked->root, &none);
		check_str(text_str(&none), "");
	}
}

static void joining_keeps_both_changes(void)
{
	uint32_t state = 99;

	for (int i = 0; i < ROUNDS; i++) {
		_cleanup_tree_ struct config_tree *base = random_tree(&state), *other = random_tree(&state);
		_cleanup_tree_ struct config_tree *joined = NULL, *same = NULL;
		_cleanup_errors_ struct config_errors conflicts = { 0 };

		/* Only one side has changed: that is the result, without conflict. */
		check_int(config_merge3(base, base, other, &joined, &conflicts), 0);
		check(config_node_equal(&joined->root, &other->root));
		check_int(config_merge3(base, other, base, &same, &conflicts), 0);
		check(config_node_equal(&same->root, &other->root));
		check_int(config_errors_count(&conflicts), 0);
	}
}

static void words_survive_quoting(void)
{
	uint32_t state = 5;

	for (int i = 0; i < 2000; i++) {
		_cleanup_text_ struct text line = { 0 };
		_cleanup_words_ struct words w = { 0 };
		char word[64];

		random_text(&state, word, sizeof(word));
		text_add(&line, "set ");
		words_quote(&line, word, i % 2);
		text_add(&line, " end");
		check_int(words_split(&w, text_str(&line), line.len), 0);
		check_int(w.n, 3);
		check_str(w.v[1], word);
	}
}

static void words_as_typed(void)
{
	static const struct {
		const char *line, *words;
		bool pipe;
		char quote;
	} cases[] = {
		{ "set a b", "set,a,b", false, 0 },
		{ "  set\ta  ", "set,a", false, 0 },
		{ "'a b'c\"d e\"", "a bcd e", false, 0 },
		{ "CORP\\alice", "CORP\\alice", false, 0 },
		{ "a\\ b \\'c\\' \\\\", "a b,'c',\\", false, 0 },
		{ "'it'\\''s'", "it's", false, 0 },
		{ "\"a\\\"b\\\\c\\d\"", "a\"b\\c\\d", false, 0 },
		{ "show | match x", "show", true, 0 },
		{ "show|match", "show", true, 0 },
		{ "'a|b' a\\|b", "a|b,a|b", false, 0 },
		{ "set a#b # rest", "set,a#b", false, 0 },
		{ "set ''", "set,", false, 0 },
		{ "set 'open", "set,open", false, '\'' },
		{ "", "", false, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_words_ struct words w = { 0 };
		_cleanup_text_ struct text joined = { 0 };

		check_int(words_split(&w, cases[i].line, strlen(cases[i].line)), 0);
		for (size_t j = 0; j < w.n; j++)
			text_addf(&joined, "%s%s", j ? "," : "", w.v[j]);
		check_str(text_str(&joined), cases[i].words);
		check_int(w.has_pipe, cases[i].pipe);
		check_int(w.open_quote, cases[i].quote);
	}
	struct words w;
	check_int(words_split(&w, "a\0b", 3), -EINVAL);
	char many[2 * WORDS_MAX + 8];
	memset(many, 0, sizeof(many));
	for (size_t i = 0; i < 2 * (WORDS_MAX + 1); i += 2)
		memcpy(many + i, "a ", 2);
	check_int(words_split(&w, many, strlen(many)), -E2BIG);
}

/* What is read from a text: its printed form, and its errors. */
static void check_read_bytes(const char *text, size_t len, const char *expected, const char *expected_errors)
{
	_cleanup_tree_ struct config_tree *tree = config_tree_new();
	_cleanup_errors_ struct config_errors errors = { 0 };
	_cleanup_text_ struct text printed = { 0 }, told = { 0 };

	check_int(config_parse(tree, text, len, &errors), 0);
	config_print(&tree->root, CONFIG_FORM_SHOW, false, &printed);
	config_errors_print(&errors, "f", &told);
	check_str(text_str(&told), expected_errors);
	check_str(text_str(&printed), expected);
}

static void check_read(const char *text, const char *expected, const char *expected_errors)
{
	check_read_bytes(text, strlen(text), expected, expected_errors);
}

static void curly_as_people_write_it(void)
{
	check_read("", "", "");
	check_read("interfaces { sstpc sstpc0 { server 'vpn.example.com'; disable } }",
		   "interfaces {\n    sstpc sstpc0 {\n        disable\n        server vpn.example.com\n    "
		   "}\n}\n",
		   "");
	check_read("// c\n/* first */\n/* last */ interfaces {\n\n sstpc sstpc0 { }\n sstpc sstpc0 {\n "
		   "disable // x\n } }",
		   "/* last */\ninterfaces {\n    sstpc sstpc0 {\n        disable\n    }\n}\n", "");
	check_read("interfaces { sstpc sstpc0 { description \"a\\\"b\\\\c\\'d\\065\" } }",
		   "interfaces {\n    sstpc sstpc0 {\n        description \"a\\\"b\\\\c'dA\"\n    }\n}\n",
		   "");
	check_read("interfaces { sstpc sstpc0 { authentication { password x//y } } }",
		   "interfaces {\n    sstpc sstpc0 {\n        authentication {\n            password x//y\n  "
		   "      }\n"
		   "    }\n}\n",
		   "");
}

static void damage_is_contained_and_located(void)
{
	static const char good[] = "interfaces {\n    sstpc sstpc0 {\n        server a\n    }\n}\n";

	check_read("interfaces {\n sstpc sstpc0 { server a\n }\n sstpc sstpc1 {\n  server b\n  mtu 9\n } }",
		   good,
		   "f:6:7: [interfaces sstpc sstpc1] \"mtu\": Number is not in any of allowed ranges; "
		   "MTU must be between 68 and 4087\n");
	check_read("interfaces {\n sstpc sstpc0 { server a\n }\n sstpc sstpc1 {\n  ssl {\n   foo {\n a b {\n "
		   "} }\n  }\n }\n}",
		   good, "f:6:4: [interfaces sstpc sstpc1 ssl] \"foo\" is not valid here\n");
	check_read("system {\n host-name x\n}\ninterfaces {\n sstpc sstpc0 { server a\n }\n}", good,
		   "f:1:1: \"system\" is not valid here\n");
	check_read("interfaces {\n sstpc sstpc0 {\n server a\n }\n sstpc sstpc1 {\n server b\n", good,
		   "f:7:1: [interfaces sstpc sstpc1] \"}\" is missing\n");
	check_read("interfaces {\n sstpc sstpc0 {\n server a\n }\n}\n}\n", good,
		   "f:6:1: \"}\" without \"{\"\n");
	check_read(
		"interfaces {\n sstpc sstpc0 {\n server a\n }\n sstpc sstpc1 {\n description \"open\n }\n}",
		good,
		"f:6:14: [interfaces sstpc sstpc1] \"description\" requires a value, found string is not "
		"closed\n");
	check_read(
		"interfaces {\n sstpc sstpc0 {\n server a\n }\n sstpc sstpc1 {\n server b\n server c\n }\n}",
		good,
		"f:7:9: [interfaces sstpc sstpc1] Node \"sstpc sstpc1\" has two children named \"server\"\n");
	check_read("interfaces {\n sstpc sstpc0 {\n server a\n }\n sstpc eth0 {\n server b\n }\n}", good,
		   "f:5:8: [interfaces] \"sstpc\": Secure Socket Tunneling Protocol interface must be named "
		   "sstpcN\n");
	check_read("interfaces {\n sstpc sstpc0 {\n server a\n }\n sstpc sstpc1 {\n server\n }\n /* never",
		   good,
		   "f:6:8: [interfaces sstpc sstpc1] \"server\" requires a value, found end of line\n"
		   "f:8:2: [interfaces] comment is not closed\n"
		   "f:8:10: [interfaces] \"}\" is missing\n");
	check_read("interfaces {\n sstpc sstpc0 {\n server a extra\n }\n}", "interfaces {\n}\n",
		   "f:3:11: [interfaces sstpc sstpc0] unexpected word after \"server\"\n");
	check_read(
		"set interfaces sstpc sstpc0 server a\nset interfaces sstpc sstpc1 mtu x\n\nfoo\n", good,
		"f:2:1: 'x' is not a valid number; MTU must be between 68 and 4087; Value validation failed\n"
		"f:4:1: expected set, delete or comment\n");
	check_read("# comment\n\n  set interfaces sstpc sstpc0 server a # why\n", good, "");
}

/* A name with an error in it stays out: what is whole of it could be a default route nobody wanted, or no
 * pin. */
static void half_an_interface_is_none(void)
{
	static const char good[] = "interfaces {\n    sstpc sstpc0 {\n        server a\n    }\n}\n";
	static const char *const blocks[] = {
		"sstpc sstpc1 {\n server b\n no-default-route\n mtu 9\n }\n",
		"sstpc sstpc1 {\n server b\n no-default-route\n server c\n }\n",
		"sstpc sstpc1 {\n server b\n no-default-route\n ssl { pin x\n }\n }\n",
		"sstpc sstpc1 junk {\n server b\n }\n",
	};
	static const char plain[] = "sstpc sstpc1 {\n description x\n }\n";

	for (size_t i = 0; i < 3 * ARRAY_SIZE(blocks); i++) {
		_cleanup_tree_ struct config_tree *tree = config_tree_new();
		_cleanup_errors_ struct config_errors errors = { 0 };
		_cleanup_text_ struct text printed = { 0 };
		const char *bad = blocks[i / 3];
		char text[512];
		int n = snprintf(text, sizeof(text),
				 "interfaces {\n sstpc sstpc0 {\n server a\n }\n %s%s%s}\n",
				 i % 3 == 0 ? plain : "", bad, i % 3 != 0 ? plain : "");
		if (i % 3 == 2) /* in another block of interfaces */
			n += snprintf(text + n, sizeof(text) - (size_t)n, "interfaces {\n %s}\n", plain);
		check_int(config_parse(tree, text, (size_t)n, &errors), 0);
		check_int(config_errors_count(&errors), 1);
		config_print(&tree->root, CONFIG_FORM_SHOW, false, &printed);
		check_str(text_str(&printed), good);
	}
	check_read("set interfaces sstpc sstpc0 server a\nset interfaces sstpc sstpc1 server b\n"
		   "set interfaces sstpc sstpc1 no-default-rout e\nset inter sst sstpc1 mtu 1400\n",
		   good,
		   "f:3:1: Configuration path: interfaces sstpc sstpc1 no-default-route [e] is not valid\n");
	check_read("set interfaces sstpc sstpc0 server a\nset interfaces sstpc sstpc1 server b\n"
		   "set interfaces sstpc sstpc1 description 'open\n",
		   good, "f:3:1: quote is not closed\n");
	check_read("set interfaces sstpc sstpc0 server a\nset pki ca x description b\nset pki ca x foo\n"
		   "set pki ca x description c\nset pki ca y description b\n",
		   "interfaces {\n    sstpc sstpc0 {\n        server a\n    }\n}\n"
		   "pki {\n    ca y {\n        description b\n    }\n}\n",
		   "f:3:1: Configuration path: pki ca x [foo] is not valid\n");
}

static void files_of_other_systems_are_read(void)
{
	static const char good[] = "interfaces {\n    sstpc sstpc0 {\n        server a\n    }\n}\n";

	check_read("interfaces {\r\n\tsstpc sstpc0 {\r\n\t\tserver \"a\"\r\n\t}\r\n}\r\n", good, "");
	check_read("\xef\xbb\xbfinterfaces { sstpc sstpc0 { server a } }", good, "");
	check_read("\xef\xbb\xbfset interfaces sstpc sstpc0 server a\r\n", good, "");
	check_read("set\tinterfaces\tsstpc\tsstpc0\tserver\ta\r\n\r\n", good, "");
	check_read("interfaces { sstpc sstpc0 { server a; }; };", good, "");
	check_read("\xff\xfei\0", "", "f:1:1: \"..i\" is not valid here\n"); /* UTF-16, up to its NUL */
}

/* However deep, however long: one error, and no stack, memory or time lost over it. */
static void monsters_are_one_error(void)
{
	static const struct {
		const char *head, *piece, *tail, *errors;
	} cases[] = {
		{ "interfaces { sstpc sstpc0 { server a } }\n", "foo {", "",
		  "f:2:1: \"foo\" is not valid here\n" },
		{ "interfaces { sstpc sstpc0 { server a } }\n", "x", "", "f:2:1: word is too long\n" },
		{ "interfaces { sstpc sstpc0 { server a } sstpc sstpc1 { description \"", "x", "\" } }",
		  "f:1:67: [interfaces sstpc sstpc1] \"description\" requires a value, found word is too "
		  "long\n" },
		{ "set interfaces sstpc sstpc0 server a\nset interfaces sstpc sstpc1 description ", "x", "",
		  "f:2:1: the line is too long\n" },
		{ "set interfaces sstpc sstpc0 server a\nset ", "x ", "", "f:2:1: the line is too long\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_text_ struct text text = { 0 };
		text_add(&text, cases[i].head);
		for (int n = 0; n < 300000; n++)
			text_add(&text, cases[i].piece);
		text_add(&text, cases[i].tail);
		check_read(text_str(&text), "interfaces {\n    sstpc sstpc0 {\n        server a\n    }\n}\n",
			   cases[i].errors);
	}
}

static void a_file_of_zeros_is_one_error(void)
{
	_cleanup_tree_ struct config_tree *tree = config_tree_new();
	_cleanup_errors_ struct config_errors errors = { 0 };
	static const char zeros[4096];

	check_int(config_parse(tree, zeros, sizeof(zeros), &errors), 0);
	check_int(config_errors_count(&errors), 1);
	check_str(errors.items[0].message, "NUL byte: the file is damaged");
}

/* A string of C would end there: a password, a comment, a name must not be read as half of what it was. */
static void a_nul_is_damage_wherever_it_stands(void)
{
	static const char good[] = "interfaces {\n    sstpc sstpc0 {\n        server a\n    }\n}\n";
	static const struct {
		const char *damaged; /* with ~ for the NUL */
		unsigned column;
	} cases[] = {
		{ "~", 3 },
		{ "description ~", 15 },
		{ "description ab~cd", 17 },
		{ "description \"ab~cd\"", 18 },
		{ "description 'ab~cd'", 18 },
		{ "/* ab~cd */", 8 },
		{ "// ab~cd", 8 },
		{ "mtu 1400 // ab~cd", 17 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[256], errors[64];
		int n = snprintf(text, sizeof(text),
				 "interfaces {\n sstpc sstpc0 { server a\n }\n sstpc sstpc1 {\n  %s\n } }",
				 cases[i].damaged);
		*(char *)memchr(text, '~', (size_t)n) = 0;
		(void)snprintf(errors, sizeof(errors), "f:5:%u: NUL byte: the file is damaged\n",
			       cases[i].column);
		check_read_bytes(text, (size_t)n, good, errors);
	}
}

static void limits_hold(void)
{
	_cleanup_tree_ struct config_tree *tree = config_tree_new();
	_cleanup_errors_ struct config_errors errors = { 0 };
	_cleanup_text_ struct text deep = { 0 }, long_value = { 0 };

	for (int i = 0; i < 100000; i++)
		text_add(&deep, "a {");
	check_int(config_parse(tree, text_str(&deep), deep.len, &errors), 0);
	check(config_errors_count(&errors) > 0);
	config_errors_done(&errors);

	text_add(&long_value, "pki { ca x { certificate ");
	for (int i = 0; i < 70000; i++)
		text_add(&long_value, "A");
	text_add(&long_value, "\n} }");
	check_int(config_parse(tree, text_str(&long_value), long_value.len, &errors), 0);
	check_int(config_errors_count(&errors), 1);
	check_str(errors.items[0].message, "\"certificate\" requires a value, found word is too long");
	check_int(tree->nodes, 1); /* pki */
	config_errors_done(&errors);
	check_int(config_parse(tree, "", CONFIG_TEXT_MAX + 1, &errors), -E2BIG);
}

static void names_sort_as_people_count(void)
{
	check(natural_compare("sstpc2", "sstpc10") < 0);
	check(natural_compare("sstpc10", "sstpc2") > 0);
	check(natural_compare("a", "b") < 0);
	check(natural_compare("a1", "a") > 0);
	check(natural_compare("1", "01") != 0);
	check(natural_compare("x99999999999999999999", "x100000000000000000000") < 0);
	check_int(natural_compare("sstpc7", "sstpc7"), 0);
}

static void secrets_are_masked_and_nothing_else(void)
{
	_cleanup_tree_ struct config_tree *tree = config_tree_new();
	_cleanup_errors_ struct config_errors errors = { 0 };
	_cleanup_text_ struct text out = { 0 };
	static const char text[] = "interfaces { sstpc sstpc0 { authentication {\n password-file /run/x\n"
				   "password hunter2\n username password\n} } }";

	check_int(config_parse(tree, text, strlen(text), &errors), 0);
	config_print(&tree->root, CONFIG_FORM_FILE, true, &out);
	check_str(text_str(&out), "interfaces {\n    sstpc sstpc0 {\n        authentication {\n"
				  "            password \"****************\"\n"
				  "            password-file \"/run/x\"\n            username \"password\"\n"
				  "        }\n    }\n}\n");

	_cleanup_tree_ struct config_tree *changed = config_tree_copy(tree), *empty = config_tree_new();
	static const char change[] = "set interfaces sstpc sstpc0 authentication password hunter3\n";
	check_int(config_parse(changed, change, strlen(change), &errors), 0);
	out.len = 0;
	config_diff_compare(&tree->root, &changed->root, true, &out);
	check_str(text_str(&out),
		  "[interfaces sstpc sstpc0 authentication]\n- password \"****************\"\n"
		  "+ password \"****************\"\n");
	out.len = 0;
	config_diff_compare(&empty->root, &changed->root, true, &out);
	check(!strstr(text_str(&out), "hunter") && strstr(text_str(&out), "password \"*"));
	out.len = 0;
	config_diff_compare(&empty->root, &changed->root, false, &out);
	check(strstr(text_str(&out), "password \"hunter3\""));
}

int main(void)
{
	return run_tests((struct test[]){ TEST(what_is_printed_is_read_back),
					  TEST(a_comparison_leads_from_one_to_the_other),
					  TEST(joining_keeps_both_changes),
					  TEST(words_survive_quoting),
					  TEST(words_as_typed),
					  TEST(curly_as_people_write_it),
					  TEST(damage_is_contained_and_located),
					  TEST(half_an_interface_is_none),
					  TEST(files_of_other_systems_are_read),
					  TEST(monsters_are_one_error),
					  TEST(a_file_of_zeros_is_one_error),
					  TEST(a_nul_is_damage_wherever_it_stands),
					  TEST(limits_hold),
					  TEST(names_sort_as_people_count),
					  TEST(secrets_are_masked_and_nothing_else),
					  {} });
}
