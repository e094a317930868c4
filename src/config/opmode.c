/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/opmode.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/*
 * A row per word: the path up to it, its help, and the command if the path is one. "<interface>" stands for
 * the name of one of ours, "<ca>" for a CA, "<text>" for anything; "…" takes all that follows. Sorted as
 * shown.
 */
struct op_row {
	const char *path, *help;
	enum op_command command;
};

/* The help is VyOS's where VyOS has the command. */
static const struct op_row rows[] = {
	{ "clear", "Clear system information", OP_NONE },
	{ "clear interfaces", "Clear interface information", OP_NONE },
	{ "clear interfaces counters", "Clear interface counters for all interfaces", OP_CLEAR_COUNTERS },
	{ "configure", "Enter configuration mode", OP_CONFIGURE },
	{ "connect", "Establish connection", OP_NONE },
	{ "connect interface", "Bring up a connection-oriented network interface", OP_NONE },
	{ "connect interface <interface>", "Interface to bring up", OP_CONNECT },
	{ "connect interface <interface> no-wait", "Do not wait until it is up", OP_CONNECT },
	{ "disconnect", "Take down a connection", OP_NONE },
	{ "disconnect interface", "Take down a connection-oriented network interface", OP_NONE },
	{ "disconnect interface <interface>", "Interface to take down", OP_DISCONNECT },
	{ "exit", "Exit from the current shell", OP_EXIT },
	{ "monitor", "Monitor system information", OP_NONE },
	{ "monitor log", "Monitor last lines of messages file", OP_NONE },
	{ "monitor log sstpc", "Monitor last lines of Secure Socket Tunneling Protocol client",
	  OP_MONITOR_LOG },
	{ "monitor log sstpc interface", "Monitor last lines of SSTP client log for specific interface",
	  OP_NONE },
	{ "monitor log sstpc interface <interface>", "Interface to monitor", OP_MONITOR_LOG },
	{ "monitor traffic", "Monitor traffic dumps", OP_NONE },
	{ "monitor traffic interface", "Monitor traffic dump from an interface", OP_NONE },
	{ "monitor traffic interface <interface>", "Interface to monitor", OP_MONITOR_TRAFFIC },
	{ "monitor traffic interface <interface> …", "", OP_MONITOR_TRAFFIC },
	{ "reset", "Reset a service", OP_NONE },
	{ "reset connection", "Bring connection-oriented network interface down and up", OP_NONE },
	{ "reset connection <interface>", "Interface to bring down and up", OP_RESET },
	{ "show", "Show system information", OP_NONE },
	{ "show configuration", "Show the active configuration", OP_SHOW_CONFIGURATION },
	{ "show configuration commands", "Show the active configuration as set commands",
	  OP_SHOW_CONFIGURATION_COMMANDS },
	{ "show configuration json", "Show the active configuration in JSON format",
	  OP_SHOW_CONFIGURATION_JSON },
	{ "show interfaces", "Show network interface information", OP_SHOW_INTERFACES },
	{ "show interfaces counters", "Show network interface counters", OP_SHOW_INTERFACES_COUNTERS },
	{ "show interfaces detail", "Show detailed information of all interfaces",
	  OP_SHOW_INTERFACES_DETAIL },
	{ "show interfaces sstpc", "Show SSTP client interface information", OP_SHOW_SSTPC },
	{ "show interfaces sstpc <interface>", "Show specified SSTP client interface information",
	  OP_SHOW_SSTPC_ONE },
	{ "show interfaces sstpc <interface> log", "Show specified SSTP client interface log", OP_SHOW_LOG },
	{ "show interfaces sstpc <interface> statistics", "Show specified SSTP client interface statistics",
	  OP_SHOW_SSTPC_STATISTICS },
	{ "show interfaces sstpc detail", "Show detailed SSTP client interface information",
	  OP_SHOW_SSTPC_DETAIL },
	{ "show interfaces summary", "Show summary information of all interfaces",
	  OP_SHOW_INTERFACES_SUMMARY },
	{ "show log", "Show contents of current log", OP_NONE },
	{ "show log sstpc", "Show log for Secure Socket Tunneling Protocol (SSTP) client", OP_SHOW_LOG },
	{ "show log sstpc interface", "Show SSTP client log on specific interface", OP_NONE },
	{ "show log sstpc interface <interface>", "Interface to show", OP_SHOW_LOG },
	{ "show pki", "Show PKI information", OP_NONE },
	{ "show pki ca", "Show x509 CA certificates", OP_SHOW_PKI_CA },
	{ "show pki ca <ca>", "Show x509 CA certificate by name", OP_SHOW_PKI_CA },
	{ "show system", "Show system information", OP_NONE },
	{ "show system commit", "Show commit revision log", OP_SHOW_COMMITS },
	{ "show system commit diff", "Show commit revision diff", OP_NONE },
	{ "show system commit diff <number>", "Number of the revision", OP_SHOW_COMMIT_DIFF },
	{ "show system commit file", "Show commit revision file", OP_NONE },
	{ "show system commit file <number>", "Number of the revision", OP_SHOW_COMMIT_FILE },
	{ "show version", "Show system version information", OP_SHOW_VERSION },
};

const struct op_traffic_option op_traffic_options[] = {
	{ "dump", "Dump packet contents as text", { "-A" }, NULL },
	{ "filter", "Show only packets that a pcap filter matches", { NULL }, "<text>" },
	{ "hexdump", "Dump packet contents in hexadecimal", { "-X" }, NULL },
	{ "numeric", "Do not resolve addresses and ports", { "-nn" }, NULL },
	{ "save", "Save packets to a file", { "-w" }, "<file>" },
	{ "verbose", "Show packets in detail", { "-vvv", "-ne" }, NULL },
	{ 0 },
};

const struct op_traffic_option *op_traffic_option(const char *word)
{
	const struct op_traffic_option *found = NULL;

	for (const struct op_traffic_option *o = op_traffic_options; o->name; o++) {
		if (strncmp(o->name, word, strlen(word)) != 0)
			continue;
		if (found)
			return NULL;
		found = o;
	}
	return found;
}

void op_request_done(struct op_request *r)
{
	words_done(&r->words);
	words_done(&r->stage);
	*r = (struct op_request){ 0 };
}

/* The last word of the row if it stands directly behind `path` (NULL: the beginning), else NULL. */
static const char *next_word(const struct op_row *row, const struct op_row *after)
{
	const char *word = row->path;

	if (after) {
		size_t len = strlen(after->path);
		if (strncmp(row->path, after->path, len) != 0 || row->path[len] != ' ')
			return NULL;
		word += len + 1;
	}
	return strchr(word, ' ') ? NULL : word;
}

static bool is_value(const char *word)
{
	return word[0] == '<' || strcmp(word, "…") == 0;
}

/*
 * The row for `word` behind `after`: the literal one, else the only literal one that begins so, else the one
 * that takes a value. NULL with the number of literal ones that begin so.
 */
static const struct op_row *match(const struct op_row *after, const char *word, size_t *ret_matches)
{
	const struct op_row *found = NULL, *value = NULL;
	size_t matches = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *candidate = next_word(&rows[i], after);
		if (!candidate)
			continue;
		if (is_value(candidate)) {
			value = &rows[i];
		} else if (strcmp(candidate, word) == 0) {
			return &rows[i];
		} else if (*word && strncmp(candidate, word, strlen(word)) == 0) {
			found = &rows[i];
			matches++;
		}
	}
	*ret_matches = matches;
	return matches == 1 ? found : matches == 0 ? value : NULL;
}

/* The literal words that can follow, with their help. */
static void offer_words(const struct op_row *after, const char *prefix, struct completions *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *word = next_word(&rows[i], after);
		if (word && !is_value(word))
			completions_add(c, prefix, "", word, rows[i].help, NULL);
	}
}

/* "show interfaces [foo]" */
static void add_place(const struct words *w, size_t at, struct text *out)
{
	for (size_t i = 0; i < at; i++)
		text_addf(out, "%s ", w->v[i]);
	text_addf(out, "[%s]\n", w->v[at]);
}

/* Walks the words; the row of the last one, or NULL with the reason in `out`. Values go to `r`. */
static const struct op_row *walk(struct op_request *r, struct text *out)
{
	const struct op_row *row = NULL;
	const struct words *w = &r->words;

	for (size_t i = 0; i < w->n; i++) {
		size_t matches;
		bool rest = row && strcmp(row->path + strlen(row->path) - strlen("…"), "…") == 0;
		const struct op_row *next = rest ? row : match(row, w->v[i], &matches);
		if (!next) {
			_cleanup_completions_ struct completions c = { .operational = true };
			text_add(out, matches ? "  Ambiguous command: " : "  Invalid command: ");
			add_place(w, i, out);
			if (matches) {
				offer_words(row, w->v[i], &c);
				text_addf(out, "\n  %s", text_str(&c.help));
			}
			return NULL;
		}
		const char *word = strrchr(next->path, ' ');
		if (word && is_value(word + 1)) {
			if (r->n_args == OP_ARGS_MAX) {
				text_add(out, "  Invalid command: too many words\n");
				return NULL;
			}
			r->args[r->n_args++] = w->v[i];
		}
		row = next;
	}
	return row;
}

/* Has the output of the command this form? */
static bool has_format(enum op_command command, const char *format)
{
	bool commands = strcmp(format, "commands") == 0;

	switch (command) {
	case OP_SHOW_CONFIGURATION:
		return true;
	case OP_SHOW_CONFIGURATION_COMMANDS:
		return commands;
	case OP_MONITOR_LOG:
	case OP_SHOW_COMMITS:
	case OP_SHOW_CONFIGURATION_JSON:
	case OP_SHOW_INTERFACES:
	case OP_SHOW_INTERFACES_COUNTERS:
	case OP_SHOW_INTERFACES_DETAIL:
	case OP_SHOW_INTERFACES_SUMMARY:
	case OP_SHOW_LOG:
	case OP_SHOW_PKI_CA:
	case OP_SHOW_SSTPC:
	case OP_SHOW_SSTPC_DETAIL:
	case OP_SHOW_SSTPC_ONE:
	case OP_SHOW_SSTPC_STATISTICS:
	case OP_SHOW_VERSION:
		return !commands;
	case OP_NONE:
	case OP_CLEAR_COUNTERS:
	case OP_CONFIGURE:
	case OP_CONNECT:
	case OP_DISCONNECT:
	case OP_EXIT:
	case OP_MONITOR_TRAFFIC:
	case OP_RESET:
	case OP_SHOW_COMMIT_DIFF:
	case OP_SHOW_COMMIT_FILE:
		break;
	}
	return false;
}

static int take_pipe(struct op_request *r, const char *line, size_t len, struct text *out)
{
	size_t at = r->words.pipe + 1;

	if (!r->words.has_pipe)
		return 0;
	int error = words_split(&r->stage, line + at, len - at);
	if (error == -ENOMEM)
		return error;
	if (error == 0 && r->stage.n == 1 && !r->stage.has_pipe &&
	    (strcmp(r->stage.v[0], "json") == 0 || strcmp(r->stage.v[0], "commands") == 0)) {
		r->format = r->stage.v[0];
		if (has_format(r->command, r->format))
			return 0;
		text_addf(out,
			  "\n  Invalid command: | [%s] (the output of this command has no such form)\n\n",
			  r->format);
		return -EINVAL;
	}
	text_add(out, "\n  Invalid command: | takes commands or json here\n\n");
	return -EINVAL;
}

int op_parse(struct op_request *r, const char *line, size_t len, struct text *out)
{
	_cleanup_text_ struct text wrong = { 0 };
	const struct op_row *row;

	*r = (struct op_request){ 0 };
	int error = words_split(&r->words, line, len);
	if (error == -ENOMEM)
		return error;
	if (error < 0 || r->words.open_quote) {
		text_add(out, error == -EINVAL ? "\n  Invalid command: NUL byte\n\n"
			      : error < 0      ? "\n  Invalid command: line too long\n\n"
					       : "\n  Invalid command: quote is not closed\n\n");
		return -EINVAL;
	}
	if (r->words.n == 0 && !r->words.has_pipe)
		return -ENODATA;
	row = walk(r, &wrong);
	if (!row) {
		text_addf(out, "\n%s\n", text_str(&wrong));
		return -EINVAL;
	}
	if (row->command == OP_NONE) {
		text_add(out, "\n  Incomplete command:");
		for (size_t i = 0; i < r->words.n; i++)
			text_addf(out, " %s", r->words.v[i]);
		text_add(out, "\n\n");
		return -EINVAL;
	}
	r->command = row->command;
	r->no_wait = row->command == OP_CONNECT && strstr(row->path, " no-wait");
	return take_pipe(r, line, len, out);
}

void op_each_command(void (*fn)(void *ctx, const char *path, const char *help), void *ctx)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		/* What is a value says less than the words before it, where these are no command. */
		bool value = strchr(rows[i].path, '<') && is_value(strrchr(rows[i].path, ' ') + 1);
		const char *help = value && rows[i - 1].command == OP_NONE ? rows[i - 1].help : rows[i].help;
		if (rows[i].command != OP_NONE && !strstr(rows[i].path, "…"))
			fn(ctx, rows[i].path, help);
	}
}

/* The names that can stand for a value: of the tags at `interfaces sstpc` or `pki ca`. */
static void offer_names(const struct config_tree *running, const char *parent, const char *prefix,
			struct completions *c)
{
	const struct config_node *node = config_node_get(&running->root, parent);

	for (size_t i = 0; node && i < node->n_children; i++)
		completions_add(c, prefix, "", node->children[i]->value, "", NULL);
}

/* What follows the interface in `monitor traffic`: options, each once, and their values. */
static void offer_traffic(const struct op_request *r, const char *prefix, struct completions *c)
{
	bool used[ARRAY_SIZE(op_traffic_options)] = { 0 };

	for (size_t i = 1; i < r->n_args; i++) {
		const struct op_traffic_option *o = op_traffic_option(r->args[i]);
		if (!o)
			continue;
		used[o - op_traffic_options] = true;
		if (o->value && ++i == r->n_args) {
			completions_add_help(c, "", o->value, o->help, NULL);
			c->file = strcmp(o->name, "save") == 0;
			return;
		}
	}
	completions_add_enter(c, prefix);
	for (const struct op_traffic_option *o = op_traffic_options; o->name; o++)
		if (!used[o - op_traffic_options])
			completions_add(c, prefix, "", o->name, o->help, NULL);
}

/* Everything that can stand behind the words of `r`, which are `row`. */
static void offer_next(const struct op_request *r, const struct op_row *row,
		       const struct config_tree *running, const char *prefix, struct completions *c)
{
	if (row && row->command == OP_MONITOR_TRAFFIC) {
		offer_traffic(r, prefix, c);
		return;
	}
	if (row && row->command != OP_NONE)
		completions_add_enter(c, prefix);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *word = next_word(&rows[i], row);
		if (!word)
			continue;
		if (!is_value(word)) {
			completions_add(c, prefix, "", word, rows[i].help, NULL);
			continue;
		}
		completions_add_help(c, "", word, rows[i].help, NULL);
		if (strcmp(word, "<interface>") == 0)
			offer_names(running, "interfaces", prefix, c);
		else if (strcmp(word, "<ca>") == 0)
			offer_names(running, "pki", prefix, c);
	}
}

void op_complete(const char *line, size_t len, const struct config_tree *running, struct completions *c,
		 size_t *ret_start)
{
	_cleanup_op_request_ struct op_request r = { 0 };
	_cleanup_text_ struct text wrong = { 0 };
	const struct op_row *row = NULL;

	c->operational = true;
	*ret_start = len;
	if (words_split(&r.words, line, len) < 0 || r.words.has_pipe)
		return;
	bool partial = r.words.open_word && r.words.n;
	const char *prefix = partial ? r.words.v[r.words.n - 1] : "";
	if (partial)
		*ret_start = r.words.start[--r.words.n];
	if (r.words.n > 0)
		row = walk(&r, &wrong);
	if (r.words.n == 0 || row)
		offer_next(&r, row, running, prefix, c);
	else
		text_add(&c->help, text_str(&wrong));
	r.words.n += partial; /* words_done() wipes all of them */
}
