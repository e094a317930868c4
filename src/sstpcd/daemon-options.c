/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpcd/daemon-options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "config/check.h"

static const char help[] =
	"Usage: sstpcd [OPTION]...\n"
	"       sstpcd quick SERVER --user NAME [OPTION]...   one tunnel in the foreground, see sstpcd quick "
	"--help\n"
	"       sstpcd --check [--config FILE]                check a configuration file\n"
	"Keeps the SSTP tunnels of the configuration up. Operated with sstpctl.\n"
	"\n"
	"  -c, --config FILE       saved configuration (" STORE_FILE_DEFAULT ")\n"
	"      --state-dir DIR     revisions of the configuration (" STORE_STATE_DEFAULT ")\n"
	"      --run-dir DIR       what was changed in the kernel, control socket, pid (" NETCONF_RUN_DIR
	")\n"
	"      --socket PATH       control socket (RUN-DIR/control)\n"
	"      --group NAME        its members may use the control socket, besides root (sstpcd)\n"
	"      --resolv-conf FILE  the resolver's file (/etc/resolv.conf)\n"
	"      --worker FILE       the program that carries a tunnel (sstpc-tunnel)\n"
	"      --check             say what is wrong with the configuration file, and end\n"
	"  -v, --verbose           log more\n"
	"  -h, --help              print this text\n"
	"  -V, --version           print the version\n"
	"\n"
	"Signals: SIGTERM, SIGINT and SIGQUIT disconnect all tunnels and end; SIGHUP reloads the "
	"configuration\n"
	"file; SIGUSR2 restarts from the program file, after an upgrade: the tunnels stay up.\n"
	"\n"
	"Exit status: 0 ended by a signal, 2 wrong option, 3 not permitted, 6 and 9 a file,\n"
	"17 another sstpcd is already running, 18 --check found errors, 70 internal error.\n";

enum {
	OPT_STATE_DIR = 256,
	OPT_RUN_DIR,
	OPT_SOCKET,
	OPT_GROUP,
	OPT_RESOLV_CONF,
	OPT_WORKER,
	OPT_CHECK,
	OPT_RESUME, /* of a re-exec, not for people */
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "state-dir", required_argument, NULL, OPT_STATE_DIR },
	{ "run-dir", required_argument, NULL, OPT_RUN_DIR },
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "group", required_argument, NULL, OPT_GROUP },
	{ "resolv-conf", required_argument, NULL, OPT_RESOLV_CONF },
	{ "worker", required_argument, NULL, OPT_WORKER },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "resume", required_argument, NULL, OPT_RESUME },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

#define usage(failure, ...) (failure_set(failure, CAUSE_USAGE, __VA_ARGS__), -EINVAL)

static int check_file(const struct daemon_options *o, struct failure *failure)
{
	struct store store = { .file = o->config_file, .state = o->state_dir };
	_cleanup_errors_ struct config_errors errors = { 0 };
	_cleanup_text_ struct text out = { 0 };
	_cleanup_free_ char *data = NULL;
	size_t len;

	int r = store_load(&store, &data, &len);
	if (r < 0) {
		failure_set(failure, CAUSE_FILE_UNREADABLE, "%s: %s", o->config_file, strerror(-r));
		return r;
	}
	_cleanup_tree_ struct config_tree *tree = config_file_parse(data, len, &errors);
	if (tree)
		config_check(NULL, tree, &errors);
	if (tree && config_errors_count(&errors) == 0)
		return 0;
	config_errors_print(&errors, o->config_file, &out);
	(void)fputs(text_str(&out), stderr);
	failure_set(failure, CAUSE_CONFIG_INVALID, "%s has %zu error%s", o->config_file,
		    config_errors_count(&errors), config_errors_count(&errors) == 1 ? "" : "s");
	return -EINVAL;
}

/* 1: go on, 0: done. */
static int take_option(struct daemon_options *o, int option, const char *value, bool *check,
		       struct failure *failure)
{
	uint32_t n;

	switch (option) {
	case 'c':
		o->config_file = value;
		return 1;
	case OPT_STATE_DIR:
		o->state_dir = value;
		return 1;
	case OPT_RUN_DIR:
		o->manager.run_dir = value;
		return 1;
	case OPT_SOCKET:
		o->socket = value;
		return 1;
	case OPT_GROUP:
		o->group = value;
		return 1;
	case OPT_RESOLV_CONF:
		o->manager.resolv_conf = value;
		return 1;
	case OPT_WORKER:
		o->manager.worker_path = value;
		return 1;
	case OPT_CHECK:
		*check = true;
		return 1;
	case OPT_RESUME:
		if (parse_u32(value, 3, 1u << 20, &n) < 0)
			return usage(failure, "--resume %s: not a descriptor", value);
		o->resume_fd = (int)n;
		return 1;
	case 'v':
		o->verbose = true;
		return 1;
	case 'h':
		(void)fputs(help, stdout);
		return 0;
	case 'V':
		(void)puts("sstpcd " SSTPCD_VERSION);
		return 0;
	default:
		return -EINVAL;
	}
}

int daemon_options_parse(int argc, char **argv, struct daemon_options *o, struct failure *failure)
{
	bool check = false;
	int option;

	*o = (struct daemon_options){ .config_file = STORE_FILE_DEFAULT,
				      .state_dir = STORE_STATE_DEFAULT,
				      .resume_fd = -1 };
	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":c:vhV", long_options, NULL)) != -1) {
		if (option == ':')
			return usage(failure, "%s needs a value", argv[optind - 1]);
		if (option == '?')
			return usage(failure, "unknown option %s", argv[optind - 1]);
		int r = take_option(o, option, optarg, &check, failure);
		if (r <= 0)
			return r;
	}
	if (optind < argc)
		return usage(failure, "unknown command %s", argv[optind]);
	return check ? check_file(o, failure) : 1;
}
