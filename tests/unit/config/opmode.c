/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The grammar of operational mode: every command that the manual names, abbreviations, errors, completion. */
#include "config/opmode.h"

#include <errno.h>

#include "config/edit.h"
#include "test.h"

static void commands_are_understood(void)
{
	static const struct {
		const char *line;
		enum op_command command;
		const char *args; /* joined by commas */
	} cases[] = {
		{ "show interfaces", OP_SHOW_INTERFACES, "" },
		{ "sh int", OP_SHOW_INTERFACES, "" },
		{ "show interfaces sstpc", OP_SHOW_SSTPC, "" },
		{ "show interfaces sstpc detail", OP_SHOW_SSTPC_DETAIL, "" },
		{ "show interfaces sstpc det", OP_SHOW_SSTPC_DETAIL, "" },
		{ "show interfaces sstpc sstpc10", OP_SHOW_SSTPC_ONE, "sstpc10" },
		{ "show interfaces sstpc sstpc10 statistics", OP_SHOW_SSTPC_STATISTICS, "sstpc10" },
		{ "show interfaces sstpc sstpc10 log", OP_SHOW_LOG, "sstpc10" },
		{ "show interfaces counters", OP_SHOW_INTERFACES_COUNTERS, "" },
		{ "show interfaces detail", OP_SHOW_INTERFACES_DETAIL, "" },
		{ "show interfaces summary", OP_SHOW_INTERFACES_SUMMARY, "" },
		{ "connect interface sstpc0", OP_CONNECT, "sstpc0" },
		{ "conn int sstpc0 no", OP_CONNECT, "sstpc0" },
		{ "disconnect interface sstpc0", OP_DISCONNECT, "sstpc0" },
		{ "reset connection sstpc0", OP_RESET, "sstpc0" },
		{ "clear interfaces counters", OP_CLEAR_COUNTERS, "" },
		{ "show log sstpc", OP_SHOW_LOG, "" },
		{ "show log sstpc interface sstpc0", OP_SHOW_LOG, "sstpc0" },
		{ "monitor log sstpc", OP_MONITOR_LOG, "" },
		{ "monitor log sstpc interface sstpc0", OP_MONITOR_LOG, "sstpc0" },
		{ "monitor traffic interface sstpc0", OP_MONITOR_TRAFFIC, "sstpc0" },
		{ "mon tr int sstpc0 filter 'tcp port 80' num", OP_MONITOR_TRAFFIC,
		  "sstpc0,filter,tcp port 80,num" },
		{ "show configuration", OP_SHOW_CONFIGURATION, "" },
		{ "show configuration commands", OP_SHOW_CONFIGURATION_COMMANDS, "" },
		{ "show conf json", OP_SHOW_CONFIGURATION_JSON, "" },
		{ "show pki ca", OP_SHOW_PKI_CA, "" },
		{ "show pki ca one", OP_SHOW_PKI_CA, "one" },
		{ "show version", OP_SHOW_VERSION, "" },
		{ "show system commit", OP_SHOW_COMMITS, "" },
		{ "show system commit diff 3", OP_SHOW_COMMIT_DIFF, "3" },
		{ "configure", OP_CONFIGURE, "" },
		{ "conf", OP_CONFIGURE, "" },
		{ "exit", OP_EXIT, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_op_request_ struct op_request r = { 0 };
		_cleanup_text_ struct text out = { 0 }, args = { 0 };
		check_int(op_parse(&r, cases[i].line, strlen(cases[i].line), &out), 0);
		if (r.command != cases[i].command)
			printf("# %s\n", cases[i].line);
		check_int(r.command, cases[i].command);
		for (size_t j = 0; j < r.n_args; j++)
			text_addf(&args, "%s%s", j ? "," : "", r.args[j]);
		check_str(text_str(&args), cases[i].args);
		check_int(r.no_wait, strstr(cases[i].line, " no") != NULL);
		check(!r.format);
	}
}

static void formats_follow_a_pipe(void)
{
	_cleanup_op_request_ struct op_request r = { 0 };
	_cleanup_text_ struct text out = { 0 };

	check_int(op_parse(&r, "show interfaces|json", 20, &out), 0);
	check_str(r.format, "json");
}

static void what_is_wrong_is_said(void)
{
	static const struct {
		const char *line, *told;
		int result;
	} cases[] = {
		{ "", "", -ENODATA },
		{ "# only a comment", "", -ENODATA },
		{ "foo", "\n  Invalid command: [foo]\n\n", -EINVAL },
		{ "show", "\n  Incomplete command: show\n\n", -EINVAL },
		{ "show interfaces foo", "\n  Invalid command: show interfaces [foo]\n\n", -EINVAL },
		{ "connect interface", "\n  Incomplete command: connect interface\n\n", -EINVAL },
		{ "show version now", "\n  Invalid command: show version [now]\n\n", -EINVAL },
		{ "show interfaces sstpc sstpc0 foo",
		  "\n  Invalid command: show interfaces sstpc sstpc0 [foo]\n\n", -EINVAL },
		{ "show | match x", "\n  Incomplete command: show\n\n", -EINVAL },
		{ "show version | match x", "\n  Invalid command: | takes commands or json here\n\n",
		  -EINVAL },
		{ "show interfaces | commands",
		  "\n  Invalid command: | [commands] (the output of this command has no such form)\n\n",
		  -EINVAL },
		{ "show configuration commands | json",
		  "\n  Invalid command: | [json] (the output of this command has no such form)\n\n",
		  -EINVAL },
		{ "connect interface sstpc0 | json",
		  "\n  Invalid command: | [json] (the output of this command has no such form)\n\n",
		  -EINVAL },
		{ "c",
		  "\n  Ambiguous command: [c]\n\n  Possible completions:\n"
		  "  clear                 Clear system information\n"
		  "  configure             Enter configuration mode\n"
		  "  connect               Establish connection\n\n",
		  -EINVAL },
		{ "show 'open", "\n  Invalid command: quote is not closed\n\n", -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_op_request_ struct op_request r = { 0 };
		_cleanup_text_ struct text out = { 0 };
		check_int(op_parse(&r, cases[i].line, strlen(cases[i].line), &out), cases[i].result);
		check_str(text_str(&out), cases[i].told);
	}
	_cleanup_op_request_ struct op_request r = { 0 };
	_cleanup_text_ struct text out = { 0 };
	check_int(op_parse(&r, "show\0", 5, &out), -EINVAL);
	check_str(text_str(&out), "\n  Invalid command: NUL byte\n\n");
}

static void check_complete(const char *line, size_t start, const char *words)
{
	static const char config[] =
		"set interfaces sstpc sstpc0\nset interfaces sstpc sstpc10\nset pki ca one\n";
	_cleanup_tree_ struct config_tree *tree = config_tree_new();
	_cleanup_errors_ struct config_errors errors = { 0 };
	_cleanup_completions_ struct completions c = { 0 };
	_cleanup_text_ struct text joined = { 0 };
	size_t at;

	check_int(config_parse(tree, config, strlen(config), &errors), 0);
	op_complete(line, strlen(line), tree, &c, &at);
	for (size_t i = 0; i < c.n; i++)
		text_addf(&joined, "%s%s", i ? "," : "", c.words[i]);
	check_str(text_str(&joined), words);
	check_int(at, start);
}

static void tab_knows_what_is_next(void)
{
	check_complete("", 0, "clear,configure,connect,disconnect,exit,monitor,reset,show");
	check_complete("sh", 0, "show");
	check_complete("show ", 5, "configuration,interfaces,log,pki,system,version");
	check_complete("sh int ", 7, "counters,detail,sstpc,summary");
	check_complete("show interfaces sstpc ", 22, "sstpc0,sstpc10,detail");
	check_complete("show interfaces sstpc sstpc1", 22, "sstpc10");
	check_complete("show interfaces sstpc sstpc0 ", 29, "log,statistics");
	check_complete("connect interface ", 18, "sstpc0,sstpc10");
	check_complete("show pki ca ", 12, "one");
	check_complete("foo ", 4, "");
	check_complete("show version | ", 15, "");
	check_complete("monitor traffic interface ", 26, "sstpc0,sstpc10");
	check_complete("monitor traffic interface lo ", 29, "dump,filter,hexdump,numeric,save,verbose");
	check_complete("monitor traffic interface lo numeric v", 37, "verbose");
	check_complete("monitor traffic interface lo filter ", 36, "");
	check_complete("monitor traffic interface lo filter verbose num", 44, "numeric");
}

static void help_says_what_is_wrong(void)
{
	_cleanup_tree_ struct config_tree *tree = config_tree_new();
	_cleanup_completions_ struct completions wrong = { 0 }, ambiguous = { 0 };
	size_t at;

	op_complete("show foo ", 9, tree, &wrong, &at);
	check_str(text_str(&wrong.help), "  Invalid command: show [foo]\n");
	op_complete("con interface ", 14, tree, &ambiguous, &at);
	check_str(text_str(&ambiguous.help), "  Ambiguous command: [con]\n\n"
					     "  Possible completions:\n"
					     "  configure             Enter configuration mode\n"
					     "  connect               Establish connection\n");
}

int main(void)
{
	return run_tests((struct test[]){ TEST(commands_are_understood),
					  TEST(formats_follow_a_pipe),
					  TEST(what_is_wrong_is_said),
					  TEST(tab_knows_what_is_next),
					  TEST(help_says_what_is_wrong),
					  {} });
}
