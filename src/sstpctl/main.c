/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cause.h"
#include "base/secret.h"
#include "config/words.h"
#include "sstpctl/client.h"
#include "sstpctl/shell.h"

static const char help[] =
	"Usage: sstpctl [OPTION]... [COMMAND [WORD]...]\n"
	"Configures, shows and connects SSTP interfaces.\n"
	"\n"
	"Without COMMAND: an interactive shell (TAB completes, ? helps), or commands from standard input.\n"
	"With COMMAND: that one, for example\n"
	"  sstpctl show interfaces sstpc sstpc0\n"
	"  sstpctl show configuration '|' json\n"
	"  sstpctl connect interface sstpc0\n"
	"  sstpctl configure < FILE      set, delete, commit, save ...: ends at the first error\n"
	"\n"
	"  --json            the answer as JSON (same as '|' json)\n"
	"  --socket=PATH     control socket of the daemon (" CLIENT_SOCKET_DEFAULT ")\n"
	"  --complete [WORD]...  print what the last WORD can become\n"
	"  --help, --version\n"
	"\n"
	"Exit code: 0 done, 1 refused or failed, 2 wrong option, otherwise the cause of a failed connection\n"
	"(see sstpcd(8)).\n";

struct options {
	const char *socket;
	bool json, complete;
	char **words; /* of the command */
	int n_words;
};

/* 0, or 1 + exit code. */
static int parse_options(struct options *o, int argc, char **argv)
{
	int i = 1;

	*o = (struct options){ .socket = CLIENT_SOCKET_DEFAULT };
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			(void)fputs(help, stdout);
			return 1;
		}
		if (strcmp(argv[i], "--version") == 0) {
			printf("sstpctl %s\n", SSTPCD_VERSION);
			return 1;
		}
		if (strcmp(argv[i], "--complete") == 0) {
			o->complete = true;
			i++;
			break;
		}
		if (strcmp(argv[i], "--json") == 0) {
			o->json = true;
		} else if (strncmp(argv[i], "--socket=", 9) == 0 && argv[i][9]) {
			o->socket = argv[i] + 9;
		} else if (strcmp(argv[i], "--socket") == 0 && i + 1 < argc && *argv[i + 1]) {
			o->socket = argv[++i];
		} else if (strncmp(argv[i], "--socket", 8) == 0 && strchr("=", argv[i][8])) {
			(void)fprintf(stderr,
				      "sstpctl: --socket: its value is missing; see sstpctl --help\n");
			return 1 + cause_exit_code(CAUSE_USAGE);
		} else {
			(void)fprintf(stderr, "sstpctl: wrong option: %s; see sstpctl --help\n", argv[i]);
			return 1 + cause_exit_code(CAUSE_USAGE);
		}
	}
	o->words = argv + i;
	o->n_words = argc - i;
	if (!o->complete && o->n_words > 0 &&
	    strcmp(o->words[o->n_words - 1], "--json") == 0) { /* where people put it, too */
		o->json = true;
		o->n_words--;
	}
	return 0;
}

static int lost_connection(void)
{
	(void)fprintf(stderr, "sstpctl: the connection to sstpcd was lost\n");
	return 1;
}

/* The words of the command line as one line; a lone '|' is a pipe. */
static void join_words(const struct options *o, struct text *line)
{
	for (int i = 0; i < o->n_words; i++) {
		text_add(line, i ? " " : "");
		if (strcmp(o->words[i], "|") == 0)
			text_add(line, "|");
		else if (*o->words[i] || !o->complete)
			words_quote(line, o->words[i], false);
	}
}

/* For the completion of a shell; its last word may be empty. */
static int print_completions(struct client *c, const struct options *o)
{
	_cleanup_completions_ struct completions found = { 0 };
	_cleanup_text_ struct text line = { 0 };
	size_t start;

	join_words(o, &line);
	if (client_complete(c, text_str(&line), line.len, &found, &start) < 0)
		return lost_connection();
	for (size_t i = 0; i < found.n; i++)
		puts(found.words[i]);
	return 0;
}

static int run_words(struct client *c, const struct options *o)
{
	_cleanup_text_ struct text line = { 0 };

	join_words(o, &line);
	if (o->json)
		text_add(&line, " | json");
	int code = client_execute(c, text_str(&line), line.len);
	return code < 0 ? lost_connection() : code;
}

/* Commands from a file or pipe, until the first that fails. */
static int run_script(struct client *c)
{
	_cleanup_text_ struct text line = { 0 };
	_cleanup_free_ char *read = NULL;
	size_t size = 0;
	unsigned number = 0, first = 0;
	int code = 0;
	ssize_t n;

	while (code == 0 && !c->last.leave && (n = getline(&read, &size, stdin)) >= 0) {
		_cleanup_words_ struct words w = { 0 };
		number++;
		first = line.len ? first : number;
		text_add_len(&line, read, (size_t)n);
		int r = words_split(&w, text_str(&line), line.len);
		if (r == 0 && w.open_quote && line.len < CONTROL_LINE_MAX)
			continue; /* the value goes on in the next line */
		while (line.len > 0 && line.data[line.len - 1] == '\n')
			line.data[--line.len] = 0;
		if (r < 0 || w.n > 0 || w.has_pipe) {
			code = client_execute(c, text_str(&line), line.len);
			if (code > 0)
				(void)fprintf(stderr, "sstpctl: line %u: %s: failed\n", first,
					      r == 0 && w.n ? w.v[0] : "command");
		}
		wipe(line.data, line.size);
		line.len = 0;
	}
	if (read)
		wipe(read, size);
	if (code < 0)
		return lost_connection();
	if (code == 0 && line.len > 0) {
		(void)fprintf(stderr, "sstpctl: line %u: the quote is not closed\n", first);
		code = 1;
	}
	if (code == 0 && c->last.modified && !c->last.leave) {
		(void)fprintf(stderr, "sstpctl: line %u: end of input, but the changes were not committed\n",
			      number);
		code = 1;
	}
	return code;
}

/*
 * The editor and the pager take text as characters of the locale, and lose or spell out those that it does
 * not have: in "C", as after sudo and ssh, a password would lose its umlauts without a word.
 */
static void speak_utf8(void)
{
	(void)setlocale(LC_CTYPE, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		(void)setlocale(LC_CTYPE, "C.UTF-8");
	(void)setenv("LESSCHARSET", "utf-8", 0);
}

/*
 * The socket to the daemon must not become standard output where that is closed. What stands in its place
 * cannot be written, and standard input not read, just as if it were closed.
 */
static void hold_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* A script that reads our output must not take half of it, or none, for the whole. */
static int end_output(const struct client *c, int code)
{
	bool failed = ferror(stdout);
	int error = c->output_error;

	if (fclose(stdout) != 0) {
		failed = true;
		error = error ? error : errno;
	}
	if (!failed || error == EPIPE) /* who closed the pipe knows */
		return code;
	(void)fprintf(stderr, "sstpctl: the output cannot be written: %s\n", strerror(error ? error : EIO));
	return code ? code : 1;
}

static int run(struct client *c, const struct options *o)
{
	int code = client_open(c, o->socket);

	if (code != 0)
		return code;
	if (o->complete) {
		code = print_completions(c, o);
		client_close(c);
		return code;
	}
	if (o->n_words > 0)
		code = run_words(c, o);
	/* Nothing was asked for, or `configure`, which leads into another mode. */
	bool goes_on = code == 0 && (o->n_words == 0 || c->last.mode == CONTROL_CONFIGURE);
	if (goes_on)
		code = c->terminal ? shell_run(c) : run_script(c);
	client_close(c);
	return code;
}

int main(int argc, char **argv)
{
	static struct client client;
	struct options options;

	hold_descriptors();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL); /* it may be inherited as ignored; programs are waited for */
	int code = parse_options(&options, argc, argv);
	if (code != 0)
		return end_output(&client, code - 1);
	speak_utf8();
	return end_output(&client, run(&client, &options));
}
