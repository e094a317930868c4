/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands behind '|'. */
#include "sstpctl/pipe.h"

#include <errno.h>

#include "base/macro.h"
#include "sstpctl/private.h"
#include "test.h"

/* The output of a command line's pipes for `input`, pushed in pieces of `step` bytes. */
static void check_pipes(const char *line, size_t step, const char *input, const char *head,
			const char *expected)
{
	_cleanup_pipe_ struct pipe p = { 0 };
	_cleanup_text_ struct text out = { 0 }, wrong = { 0 };
	size_t len, n = strlen(input);

	check_int(pipe_parse(&p, line, strlen(line), &len, &wrong), 0);
	check_mem(line, len, head, strlen(head));
	for (size_t i = 0; i < n; i += step)
		pipe_push(&p, input + i, MIN(step, n - i), &out);
	pipe_finish(&p, &out);
	check_str(text_str(&out), expected);
}

static void lines_pass_or_not(void)
{
	static const char input[] = "alpha 1\nbeta 2\ngamma 12\nlast";

	for (size_t step = 1; step < 12; step++) {
		check_pipes("show x", step, input, "show x", input);
		check_pipes("show x | match 1", step, input, "show x ", "alpha 1\ngamma 12\n");
		check_pipes("show x | no-match 1", step, input, "show x ", "beta 2\nlast\n");
		check_pipes("show x|match 'a$|2$'", step, input, "show x", "beta 2\ngamma 12\n");
		check_pipes("show x | mat 1 | no-ma ^g", step, input, "show x ", "alpha 1\n");
		check_pipes("show x | count", step, input, "show x ", "4\n");
		check_pipes("show x | match a | count | no-more", step, input, "show x ", "4\n");
		check_pipes("show x | match zzz | count", step, input, "show x ", "0\n");
	}
}

static void a_line_without_room_is_left_out(void)
{
	static const char input[] = "first\nlonger than that\n\nlast\n";
	_cleanup_pipe_ struct pipe p = { .line = { .max = 8 } };
	_cleanup_text_ struct text out = { 0 };

	p.stages[p.n++] = (struct pipe_stage){ .kind = PIPE_STRIP };
	pipe_push(&p, input, strlen(input), &out);
	pipe_push(&p, "end", 3, &out);
	pipe_finish(&p, &out);
	check_str(text_str(&out), "first\n");
	check_int(p.line.error, -E2BIG);

	/* … nor is there a byte before the first */
	_cleanup_pipe_ struct pipe none = { .line = { .error = -ENOMEM } };
	none.stages[none.n++] = (struct pipe_stage){ .kind = PIPE_STRIP };
	pipe_push(&none, "a\nb\n", 4, &out);
	check_str(text_str(&out), "first\n");
}

static void formats_and_paging_are_for_others(void)
{
	_cleanup_pipe_ struct pipe p = { 0 };
	_cleanup_text_ struct text wrong = { 0 };
	static const char line[] = "show configuration | json | match x | no-more";
	size_t head;

	check_int(pipe_parse(&p, line, strlen(line), &head, &wrong), 0);
	check_str(p.format, "json");
	check_int(p.paging, -1);
	check_int(p.n, 1);
}

static void nonsense_is_refused(void)
{
	static const char *const lines[] = { "show | json | strip-private",
					     "show |",
					     "show | foo",
					     "show | m",
					     "show | match",
					     "show | match a b",
					     "show | match '['",
					     "show | count x",
					     "show | match 'a",
					     "show | | count" };

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		_cleanup_pipe_ struct pipe p = { 0 };
		_cleanup_text_ struct text wrong = { 0 };
		size_t head;
		int r = pipe_parse(&p, lines[i], strlen(lines[i]), &head, &wrong);
		if (r == 0)
			printf("# %s\n", lines[i]);
		check_int(r, -EINVAL);
		check(wrong.len > 0);
	}
	_cleanup_pipe_ struct pipe p = { 0 };
	_cleanup_text_ struct text wrong = { 0 };
	static const char many[] = "s|count|count|count|count|count|count|count|count|count";
	size_t head;
	check_int(pipe_parse(&p, many, strlen(many), &head, &wrong), -EINVAL);
}

static void a_bar_in_quotes_is_no_pipe(void)
{
	check_pipes("set x 'a|b'", 3, "out\n", "set x 'a|b'", "out\n");
	check_pipes("set x a\\|b", 3, "out\n", "set x a\\|b", "out\n");
	check_pipes("set x 'open | match", 3, "out\n", "set x 'open | match", "out\n");
}

static void private_things_are_stripped(void)
{
	static const struct {
		const char *line, *stripped;
	} cases[] = {
		{ "set interfaces sstpc sstpc0 authentication password 'two words'",
		  "set interfaces sstpc sstpc0 authentication password xxxxxx" },
		{ "            password \"two words\"", "            password xxxxxx" },
		{ "+ username \"alice\"", "+ username xxxxxx" },
		{ "set interfaces sstpc sstpc0 server 'vpn.example.com'",
		  "set interfaces sstpc sstpc0 server xxxxx.tld" },
		{ "    Server          192.0.2.1:443 through c0", "    Server          xxxxx.tld" },
		{ "    server-name vpn.example.com", "    server-name xxxxx.tld" },
		{ "        certificate MIIB", "        certificate xxxxxx" },
		{ "    ca-certificate lab", "    ca-certificate lab" },
		{ "    pin AAAA", "    pin xxxxxx" },
		{ "    password {", "    password xxxxxx" },
		{ "password", "password" },
		{ "inet 192.0.2.5 peer 192.0.2.254/32", "inet xxx.xxx.2.5 peer xxx.xxx.2.254/32" },
		{ "inet6 fe80::fd53:c7ff:fe8b:144f/64", "inet6 xxxx:xxxx:144f/64" },
		{ "2001:db8:0:1:2:3:4:5 ::1 ::", "xxxx:xxxx:5 xxxx:xxxx:1 ::" },
		{ "::ffff:192.0.2.1 64:ff9b::192.0.2.1/128", "xxxx:xxxx:2.1 xxxx:xxxx:2.1/128" },
		{ "[::ffff:192.0.2.1]:443 1:2:3:4:5:6:192.0.2.1", "[xxxx:xxxx:2.1]:443 xxxx:xxxx:2.1" },
		{ "no answer from 192.0.2.1.", "no answer from xxx.xxx.2.1." },
		{ "link/ether 4e:98:ea:95:f3:16 brd", "link/ether xx:xx:xx:xx:xx:16 brd" },
		{ "Nov 23 10:46:56 sstpcd: 1.2.3 1.2.3.4.5 v1.2.3.4 1000.2.3.4",
		  "Nov 23 10:46:56 sstpcd: 1.2.3 1.2.3.4.5 v1.2.3.4 1000.2.3.4" },
		{ "(192.0.2.1) \"192.0.2.1\",192.0.2.1:443",
		  "(xxx.xxx.2.1) \"xxx.xxx.2.1\",xxx.xxx.2.1:443" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_text_ struct text out = { 0 };
		private_strip(cases[i].line, &out);
		check_str(text_str(&out), cases[i].stripped);
	}
	check_pipes("x | strip-private | match xx", 3, "a\npassword b\n", "x ", "password xxxxxx\n");
	check_pipes("x | match b | strip-p", 3, "a\npassword b\n", "x ", "password xxxxxx\n");
	check_pipes("x | strip-private | match b", 3, "a\npassword b\n", "x ", "");
}

static void what_comes_next_is_known(void)
{
	static const struct {
		const char *words[3];
		size_t n;
		enum pipe_next next;
	} cases[] = {
		{ { NULL }, 0, PIPE_NEXT_WORD },
		{ { "match" }, 1, PIPE_NEXT_PATTERN },
		{ { "no-ma" }, 1, PIPE_NEXT_PATTERN },
		{ { "match", "x" }, 2, PIPE_NEXT_END },
		{ { "match", "x", "y" }, 3, PIPE_NEXT_WRONG },
		{ { "count" }, 1, PIPE_NEXT_END },
		{ { "count", "x" }, 2, PIPE_NEXT_WRONG },
		{ { "m" }, 1, PIPE_NEXT_WRONG },
		{ { "foo" }, 1, PIPE_NEXT_WRONG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_int(pipe_next((char *const *)cases[i].words, cases[i].n), cases[i].next);
}

static void rows_are_counted_as_a_screen_shows_them(void)
{
	static const struct {
		const char *text;
		unsigned columns;
		size_t rows;
	} cases[] = {
		{ "", 80, 0 },	      { "\n", 80, 1 },	     { "a\nb\n", 80, 2 },     { "a\nb", 80, 2 },
		{ "12345\n", 5, 1 },  { "123456\n", 5, 2 },  { "1234567890a", 5, 3 }, { "äöü\n", 3, 1 },
		{ "\tabc\n", 10, 2 }, { "12345\n\n", 5, 2 }, { "123456\n", 0, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_int(pipe_screen_rows(cases[i].text, strlen(cases[i].text), cases[i].columns),
			  cases[i].rows);
}

int main(void)
{
	return run_tests((struct test[]){ TEST(lines_pass_or_not),
					  TEST(a_line_without_room_is_left_out),
					  TEST(formats_and_paging_are_for_others),
					  TEST(nonsense_is_refused),
					  TEST(a_bar_in_quotes_is_no_pipe),
					  TEST(private_things_are_stripped),
					  TEST(what_comes_next_is_known),
					  TEST(rows_are_counted_as_a_screen_shows_them),
					  {} });
}
