/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "sstpcd/quick.h"

static const char help[] =
	"Usage: sstpcd quick SERVER[:PORT] --user NAME [OPTION]...\n"
	"Connects to an SSTP server and keeps the tunnel up until Ctrl-C. Needs root.\n"
	"\n"
	"SERVER is a name, an IPv4 or an IPv6 address: vpn.example.com, 192.0.2.1:8443, [2001:db8::1]:443.\n"
	"The password is asked for, unless --password-file or --password-fd is given.\n"
	"\n"
	"Login:\n"
	"  -u, --user NAME          user name, as the server expects it (DOMAIN\\user, user@domain)\n"
	"      --password-file FILE the first line of FILE is the password\n"
	"      --password-fd N      the first line read from descriptor N is the password\n"
	"      --allow METHOD       also allow pap or chap, which protect the password badly (repeatable);\n"
	"                           MS-CHAPv2 is always allowed\n"
	"\n"
	"Server:\n"
	"  -p, --port PORT          TCP port (443)\n"
	"      --ca FILE            trust the CA certificates in this PEM file, not those of the system\n"
	"      --pin PIN            trust the server with this public key, and no other; names and CAs do "
	"not\n"
	"                           matter then (repeatable). The error about a refused certificate shows "
	"its pin\n"
	"      --server-name NAME   the name that the certificate must carry, if it is not SERVER\n"
	"\n"
	"Interface:\n"
	"  -i, --interface NAME     name of the interface (sstpc0)\n"
	"      --mtu BYTES          largest packet, 68 to 4087 (1500); the server may lower it\n"
	"      --no-default-route   do not send all traffic through the tunnel\n"
	"      --no-peer-dns        do not use the server's DNS resolvers\n"
	"\n"
	"Other:\n"
	"      --keylog FILE        append the TLS keys to FILE, to decrypt captures (for debugging)\n"
	"  -v, --verbose            log what happens\n"
	"      --run-dir DIR        where state is kept (/run/sstpcd)\n"
	"      --resolv-conf FILE   the resolver's file (/etc/resolv.conf)\n"
	"      --worker FILE        the program that carries the tunnel (sstpc-tunnel)\n"
	"      --plain-tun          no segmentation offload between the kernel and the tunnel\n"
	"  -h, --help               print this text\n"
	"\n"
	"If the first attempt fails, whatever the reason, the program ends. Once the tunnel was up, a lost\n"
	"session is dialled again: after 1 to 60 s, at once when the network changes, and more rarely\n"
	"where the server refuses the login or the certificate. At the end all changes are undone.\n"
	"\n"
	"Exit status: 0 ended by Ctrl-C or a signal; 130 the same before the tunnel was up;\n"
	"  2 wrong option, 3 not permitted, 4 no TUN device, 5 interface name in use, 6 and 9 a file,\n"
	"  7 the CA file, 8 the kernel refused, 10-15 name lookup and connection, 19-29 and "
	"44 TLS\n"
	"  and certificate, 30-39 HTTP and SSTP, 40-43 PPP link, 50-58 login, 60-62 addresses, 70-73 "
	"internal\n"
	"  errors and limits, 80-84 the connection was lost or ended by the server.\n";

enum {
	OPT_PASSWORD_FILE = 256,
	OPT_PASSWORD_FD,
	OPT_ALLOW,
	OPT_CA,
	OPT_PIN,
	OPT_SERVER_NAME,
	OPT_MTU,
	OPT_NO_DEFAULT_ROUTE,
	OPT_NO_PEER_DNS,
	OPT_KEYLOG,
	OPT_RUN_DIR,
	OPT_RESOLV_CONF,
	OPT_WORKER,
	OPT_PLAIN_TUN,
};

static const struct option long_options[] = {
	{ "user", required_argument, NULL, 'u' },
	{ "port", required_argument, NULL, 'p' },
	{ "interface", required_argument, NULL, 'i' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "password-file", required_argument, NULL, OPT_PASSWORD_FILE },
	{ "password-fd", required_argument, NULL, OPT_PASSWORD_FD },
	{ "allow", required_argument, NULL, OPT_ALLOW },
	{ "ca", required_argument, NULL, OPT_CA },
	{ "pin", required_argument, NULL, OPT_PIN },
	{ "server-name", required_argument, NULL, OPT_SERVER_NAME },
	{ "mtu", required_argument, NULL, OPT_MTU },
	{ "no-default-route", no_argument, NULL, OPT_NO_DEFAULT_ROUTE },
	{ "no-peer-dns", no_argument, NULL, OPT_NO_PEER_DNS },
	{ "keylog", required_argument, NULL, OPT_KEYLOG },
	{ "run-dir", required_argument, NULL, OPT_RUN_DIR },
	{ "resolv-conf", required_argument, NULL, OPT_RESOLV_CONF },
	{ "worker", required_argument, NULL, OPT_WORKER },
	{ "plain-tun", no_argument, NULL, OPT_PLAIN_TUN },
	{ 0 },
};

#define usage(failure, ...) (failure_set(failure, CAUSE_USAGE, __VA_ARGS__), -EINVAL)

/* Copies a value that must fit. */
static int copy(char *out, size_t size, const char *value, const char *option, struct failure *failure)
{
	size_t len = strlen(value);

	if (len == 0)
		return usage(failure, "--%s is empty", option);
	if (len >= size)
		return usage(failure, "--%s is longer than %zu bytes", option, size - 1);
	memcpy(out, value, len + 1);
	return 0;
}

static int number(const char *value, uint32_t min, uint32_t max, const char *option, uint32_t *ret,
		  struct failure *failure)
{
	if (parse_u32(value, min, max, ret) < 0)
		return usage(failure, "--%s %s: not a number from %u to %u", option, value, min, max);
	return 0;
}

static int set_server_name(struct config_interface *c, const char *value, struct failure *failure)
{
	struct host_port hp;

	/* Brackets and ports are for what is connected to, not for what is verified. */
	if (parse_host_port(value, 1, &hp) < 0 || strcmp(hp.host, value) != 0)
		return usage(failure, "--server-name %s: neither a host name nor an address", value);
	return copy(c->server_name, sizeof(c->server_name), value, "server-name", failure);
}

static int set_interface(struct config_interface *c, const char *value, struct failure *failure)
{
	if (!is_interface_name(value))
		return usage(failure,
			     "--interface %s: not an interface name (1 to 15 characters, not \"all\" or "
			     "\"default\")",
			     value);
	return copy(c->name, sizeof(c->name), value, "interface", failure);
}

static int add_pin(struct config_interface *c, const char *value, struct failure *failure)
{
	if (c->n_pins >= CONFIG_PINS_MAX)
		return usage(failure, "--pin: more than %d pins", CONFIG_PINS_MAX);
	if (config_parse_pin(value, &c->pins[c->n_pins]) < 0)
		return usage(failure,
			     "--pin %s: not a pin (sha256: and 44 characters of base64, or 64 hex digits)",
			     value);
	c->n_pins++;
	return 0;
}

static int allow(struct config_interface *c, const char *value, struct failure *failure)
{
	unsigned auth;

	if (config_parse_auth(value, &auth) < 0)
		return usage(failure, "--allow %s: not pap or chap", value);
	c->auth |= auth;
	return 0;
}

/* One option; `option` is what getopt_long() has returned. */
static int take_option(struct quick_options *o, int option, const char *value, struct failure *failure)
{
	struct config_interface *c = &o->config;
	uint32_t n = 0;
	int r = 0;

	switch (option) {
	case 'u':
		o->have_user = true;
		return copy(c->username, sizeof(c->username), value, "user", failure);
	case 'p':
		r = number(value, 1, 65535, "port", &n, failure);
		c->port = (uint16_t)n;
		return r;
	case 'i':
		return set_interface(c, value, failure);
	case OPT_MTU:
		r = number(value, CONFIG_MTU_MIN, CONFIG_MTU_MAX, "mtu", &n, failure);
		c->mtu = (uint16_t)n;
		return r;
	case OPT_PASSWORD_FILE:
		return copy(c->password_file, sizeof(c->password_file), value, "password-file", failure);
	case OPT_PASSWORD_FD:
		r = number(value, 0, 1023, "password-fd", &n, failure);
		o->password_fd = (int)n;
		return r;
	case OPT_ALLOW:
		return allow(c, value, failure);
	case OPT_CA:
		o->ca_file = value;
		return 0;
	case OPT_PIN:
		return add_pin(c, value, failure);
	case OPT_SERVER_NAME:
		return set_server_name(c, value, failure);
	case OPT_NO_DEFAULT_ROUTE:
		c->no_default_route = true;
		return 0;
	case OPT_NO_PEER_DNS:
		c->no_peer_dns = true;
		return 0;
	case OPT_KEYLOG:
		o->keylog_file = value;
		return 0;
	case OPT_RUN_DIR:
		o->manager.run_dir = value;
		return 0;
	case OPT_RESOLV_CONF:
		o->manager.resolv_conf = value;
		return 0;
	case OPT_WORKER:
		o->manager.worker_path = value;
		return 0;
	case OPT_PLAIN_TUN:
		o->plain_tun = true;
		return 0;
	case 'v':
		o->verbose = true;
		return 0;
	default:
		return -EINVAL;
	}
}

static int set_server(struct quick_options *o, const char *server, bool port_given, struct failure *failure)
{
	struct config_interface *c = &o->config;
	struct host_port hp;

	if (strstr(server, "://"))
		return usage(failure, "%s: a URL; the server is a host name or an address", server);
	int r = parse_host_port(server, 0, &hp);
	if (r == -ERANGE)
		return usage(failure, "%s: the port is not a number from 1 to 65535", server);
	if (r < 0)
		return usage(failure, "%s: neither a host name nor an address%s", server,
			     is_ascii(server) ? ""
					      : " (write an international name in its ASCII form, xn--NAME)");
	if (hp.port != 0 && port_given && hp.port != c->port)
		return usage(failure, "%s and --port %u: two different ports", server, (unsigned)c->port);
	if (hp.port != 0)
		c->port = hp.port;
	memcpy(c->server, hp.host, sizeof(c->server));
	return 0;
}

static int check_together(const struct quick_options *o, struct failure *failure)
{
	if (!o->have_user)
		return usage(failure, "--user is missing");
	if (o->config.password_file[0] && o->password_fd >= 0)
		return usage(failure, "--password-file and --password-fd: only one of them");
	return 0;
}

int quick_parse(int argc, char **argv, struct quick_options *o, struct failure *failure)
{
	bool port_given = false;
	int option, r;

	*o = (struct quick_options){ .password_fd = -1 };
	config_interface_init(&o->config, "sstpc0");
	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":u:p:i:vh", long_options, NULL)) != -1) {
		if (option == 'h') {
			(void)fputs(help, stdout);
			return 0;
		}
		if (option == ':')
			return usage(failure, "%s needs a value", argv[optind - 1]);
		if (option == '?')
			return usage(failure, "unknown option %s", argv[optind - 1]);
		port_given |= option == 'p';
		r = take_option(o, option, optarg, failure);
		if (r < 0)
			return r;
	}
	if (optind == argc)
		return usage(failure, "no server is given");
	if (optind + 1 < argc)
		return usage(failure, "%s: there is a server already", argv[optind + 1]);
	r = set_server(o, argv[optind], port_given, failure);
	return r < 0 ? r : check_together(o, failure) < 0 ? -EINVAL : 1;
}

void quick_options_done(struct quick_options *o)
{
	config_interface_done(&o->config);
}
