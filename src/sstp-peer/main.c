/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sstp-peer: an SSTP server for the demo, tests and benchmarks. Not for production: no user database, no
 * accounting. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/parse.h"
#include "proto/ppp/ppp.h"
#include "proto/sstp/sstp.h"
#include "pump/turns.h"
#include "report.h"
#include "server.h"

static const char help[] =
	"sstp-peer " SSTPCD_VERSION " - an SSTP server for tests, demonstrations and benchmarks\n"
	"\n"
	"Usage: sstp-peer --cert FILE --key FILE --users FILE [OPTION...]\n"
	"\n"
	"  --listen ADDR:PORT     where to listen (default 0.0.0.0:443)\n"
	"  --cert FILE            server certificate, PEM, leaf first\n"
	"  --key FILE             its private key, PEM\n"
	"  --users FILE           a user:password per line\n"
	"  --address ADDR         our address in every tunnel (default 10.9.0.1)\n"
	"  --pool FIRST-LAST      addresses for clients (default 10.9.0.2-10.9.0.200)\n"
	"  --dns A[,B]            DNS servers to hand out\n"
	"  --auth LIST            of mschapv2, eap, chap, pap (default mschapv2)\n"
	"  --hash LIST            binding hashes to offer: sha1, sha256 (default both)\n"
	"  --mtu N, --mru N       of the tunnel device; to ask for in LCP (default 1500)\n"
	"  --no-ipv6              refuse IPV6CP\n"
	"  --tls-max 1.2|1.3      newest TLS version (default 1.3)\n"
	"  --tun NAME             devices are called NAME0, NAME1, ... (default peer)\n"
	"  --tun-plain            no virtio header, no offloads\n"
	"  --hello SECONDS        SSTP hello interval (default 60)\n"
	"  --pppd OPTIONS         a pppd with these options behind each connection\n"
	"  --fault ACTION:CLASS[:ARGUMENT]   see src/sstp-peer/fault.h; may be repeated\n"
	"  --once                 end when the first connection has ended\n"
	"  --keylog FILE          append TLS secrets in NSS format\n"
	"  --log-json FILE        an event per line ('-' = standard output)\n"
	"  --quiet                no words on standard error\n"
	"\n"
	"SIGUSR1 gives every client other addresses in its running session: all of them, ours and those of\n"
	"the DNS servers are 256 further.\n";

struct arguments {
	struct host_port listen;
	const char *cert, *key, *users, *keylog, *json;
	enum tls_version tls_max;
	struct server_options server;
};

static int bad(const char *option, const char *value, const char *why)
{
	(void)fprintf(stderr, "sstp-peer: --%s %s: %s\n", option, value, why);
	return -EINVAL;
}

static int parse_address(const char *s, struct in_addr *ret)
{
	return inet_pton(AF_INET, s, ret) == 1 ? 0 : -EINVAL;
}

/* Calls `one` for each word of a comma-separated list. */
static int each_word(const char *list, int (*one)(struct server_options *o, unsigned index, const char *word),
		     struct server_options *o)
{
	_cleanup_free_ char *copy = strdup(list);
	char *rest = copy, *word;
	unsigned index = 0;

	if (!copy)
		return -ENOMEM;
	while ((word = strsep(&rest, ",")))
		if (one(o, index++, word) < 0)
			return -EINVAL;
	return 0;
}

static int add_auth(struct server_options *o, unsigned index, const char *word)
{
	unsigned bit = strcmp(word, "mschapv2") == 0 ? PPP_AUTH_MSCHAPV2
		       : strcmp(word, "eap") == 0    ? PPP_AUTH_EAP
		       : strcmp(word, "chap") == 0   ? PPP_AUTH_CHAP_MD5
		       : strcmp(word, "pap") == 0    ? PPP_AUTH_PAP
						     : 0;

	(void)index;
	o->auth |= bit;
	return bit ? 0 : -EINVAL;
}

static int add_hash(struct server_options *o, unsigned index, const char *word)
{
	uint8_t bit = strcmp(word, "sha1") == 0	    ? SSTP_HASH_SHA1
		      : strcmp(word, "sha256") == 0 ? SSTP_HASH_SHA256
						    : 0;

	(void)index;
	o->hashes |= bit;
	return bit ? 0 : -EINVAL;
}

static int add_dns(struct server_options *o, unsigned index, const char *word)
{
	return index < ARRAY_SIZE(o->dns) ? parse_address(word, &o->dns[index]) : -EINVAL;
}

static int parse_pool(struct server_options *o, const char *s)
{
	_cleanup_free_ char *copy = strdup(s);
	char *dash = copy ? strchr(copy, '-') : NULL;

	if (!dash)
		return -EINVAL;
	*dash = 0;
	if (parse_address(copy, &o->pool_first) < 0 || parse_address(dash + 1, &o->pool_last) < 0 ||
	    ntohl(o->pool_last.s_addr) < ntohl(o->pool_first.s_addr))
		return -EINVAL;
	return 0;
}

enum option_code {
	OPTION_LISTEN = 256,
	OPTION_CERT,
	OPTION_KEY,
	OPTION_USERS,
	OPTION_ADDRESS,
	OPTION_POOL,
	OPTION_DNS,
	OPTION_AUTH,
	OPTION_HASH,
	OPTION_MTU,
	OPTION_MRU,
	OPTION_NO_IPV6,
	OPTION_TLS_MAX,
	OPTION_TUN,
	OPTION_TUN_PLAIN,
	OPTION_HELLO,
	OPTION_PPPD,
	OPTION_FAULT,
	OPTION_ONCE,
	OPTION_KEYLOG,
	OPTION_LOG_JSON,
	OPTION_QUIET,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option options[] = {
	{ "listen", required_argument, NULL, OPTION_LISTEN },
	{ "cert", required_argument, NULL, OPTION_CERT },
	{ "key", required_argument, NULL, OPTION_KEY },
	{ "users", required_argument, NULL, OPTION_USERS },
	{ "address", required_argument, NULL, OPTION_ADDRESS },
	{ "pool", required_argument, NULL, OPTION_POOL },
	{ "dns", required_argument, NULL, OPTION_DNS },
	{ "auth", required_argument, NULL, OPTION_AUTH },
	{ "hash", required_argument, NULL, OPTION_HASH },
	{ "mtu", required_argument, NULL, OPTION_MTU },
	{ "mru", required_argument, NULL, OPTION_MRU },
	{ "no-ipv6", no_argument, NULL, OPTION_NO_IPV6 },
	{ "tls-max", required_argument, NULL, OPTION_TLS_MAX },
	{ "tun", required_argument, NULL, OPTION_TUN },
	{ "tun-plain", no_argument, NULL, OPTION_TUN_PLAIN },
	{ "hello", required_argument, NULL, OPTION_HELLO },
	{ "pppd", required_argument, NULL, OPTION_PPPD },
	{ "fault", required_argument, NULL, OPTION_FAULT },
	{ "once", no_argument, NULL, OPTION_ONCE },
	{ "keylog", required_argument, NULL, OPTION_KEYLOG },
	{ "log-json", required_argument, NULL, OPTION_LOG_JSON },
	{ "quiet", no_argument, NULL, OPTION_QUIET },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ 0 },
};

static int take_u16(const char *s, uint32_t min, uint32_t max, uint16_t *ret)
{
	uint32_t v;
	int r = parse_u32(s, min, max, &v);

	if (r == 0)
		*ret = (uint16_t)v;
	return r;
}

/* One option. 0, 1 to end successfully at once, or negative errno (its message printed). */
static int take_option(struct arguments *a, int option, const char *name, const char *value)
{
	struct server_options *o = &a->server;
	int r = 0;

	switch ((enum option_code)option) {
	case OPTION_LISTEN:
		r = parse_host_port(value, 443, &a->listen);
		break;
	case OPTION_CERT:
		a->cert = value;
		break;
	case OPTION_KEY:
		a->key = value;
		break;
	case OPTION_USERS:
		a->users = value;
		break;
	case OPTION_ADDRESS:
		r = parse_address(value, &o->address);
		break;
	case OPTION_POOL:
		r = parse_pool(o, value);
		break;
	case OPTION_DNS:
		r = each_word(value, add_dns, o);
		break;
	case OPTION_AUTH:
		o->auth = 0;
		r = each_word(value, add_auth, o);
		break;
	case OPTION_HASH:
		o->hashes = 0;
		r = each_word(value, add_hash, o);
		break;
	case OPTION_MTU:
		r = take_u16(value, 68, PPP_IP_MAX, &o->mtu);
		break;
	case OPTION_MRU:
		r = take_u16(value, 128, PPP_IP_MAX, &o->mru);
		break;
	case OPTION_NO_IPV6:
		o->ipv6 = false;
		break;
	case OPTION_TLS_MAX:
		a->tls_max = strcmp(value, "1.2") == 0 ? TLS_1_2 : TLS_1_3;
		r = a->tls_max == TLS_1_2 || strcmp(value, "1.3") == 0 ? 0 : -EINVAL;
		break;
	case OPTION_TUN:
		o->tun = value;
		r = strlen(value) <= 8 && is_interface_name(value) ? 0 : -EINVAL;
		break;
	case OPTION_TUN_PLAIN:
		o->plain_tun = true;
		break;
	case OPTION_HELLO:
		r = parse_u32(value, 1, 3600, &o->hello);
		break;
	case OPTION_PPPD:
		o->pppd = value;
		break;
	case OPTION_FAULT:
		r = faults_add(&o->faults, value);
		break;
	case OPTION_ONCE:
		o->once = true;
		break;
	case OPTION_KEYLOG:
		a->keylog = value;
		break;
	case OPTION_LOG_JSON:
		a->json = value;
		break;
	case OPTION_QUIET:
		o->verbose = false;
		break;
	case OPTION_HELP:
		(void)fputs(help, stdout);
		return 1;
	case OPTION_VERSION:
		(void)puts("sstp-peer " SSTPCD_VERSION);
		return 1;
	}
	return r < 0 ? bad(name, value ? value : "", strerror(-r)) : 0;
}

static int take_arguments(struct arguments *a, int argc, char **argv)
{
	int option, index, r;

	while ((option = getopt_long(argc, argv, "", options, &index)) != -1) {
		if (option == '?')
			return -EINVAL; /* getopt has said why */
		r = take_option(a, option, options[index].name, optarg);
		if (r != 0)
			return r;
	}
	if (optind < argc)
		return bad("help", argv[optind], "unexpected argument");
	if (!a->cert || !a->key || !a->users) {
		(void)fputs("sstp-peer: --cert, --key and --users are needed; see --help\n", stderr);
		return -EINVAL;
	}
	return 0;
}

static int read_file(const char *path, char **ret, size_t *ret_len)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > 1 << 20)
		return -EFBIG;
	size_t size = (size_t)st.st_size;
	_cleanup_free_ char *data = malloc(size + 1);
	if (!data)
		return -ENOMEM;
	ssize_t n = read(fd, data, size);
	if (n != (ssize_t)size)
		return n < 0 ? -errno : -EIO;
	*ret = TAKE_PTR(data);
	*ret_len = size;
	return 0;
}

static int explain(const char *what, const char *path, int r)
{
	(void)fprintf(stderr, "sstp-peer: %s %s: %s\n", what, path, strerror(-r));
	return r;
}

static int load_tls(const struct arguments *a, struct tls_server **ret)
{
	_cleanup_free_ char *cert = NULL, *key = NULL;
	struct tls_server_config config = { .max = a->tls_max, .keylog_fd = -1 };
	struct failure failure = { 0 };
	int r = read_file(a->cert, &cert, &config.cert_pem_len);

	if (r < 0)
		return explain("certificate", a->cert, r);
	r = read_file(a->key, &key, &config.key_pem_len);
	if (r < 0)
		return explain("key", a->key, r);
	config.cert_pem = cert;
	config.key_pem = key;
	if (a->keylog) {
		config.keylog_fd = open(a->keylog, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (config.keylog_fd < 0)
			return explain("key log", a->keylog, -errno);
	}
	r = tls_server_new(&config, ret, &failure);
	wipe(key, config.key_pem_len);
	if (r < 0)
		(void)fprintf(stderr, "sstp-peer: %s: %s\n", a->cert, failure.detail);
	return r;
}

static int open_listener(const struct host_port *where)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(where->port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(where->port) };
	bool v6 = strchr(where->host, ':') != NULL;
	const struct sockaddr *address = v6 ? (const void *)&in6 : (const void *)&in;

	if (inet_pton(v6 ? AF_INET6 : AF_INET, where->host,
		      v6 ? (void *)&in6.sin6_addr : (void *)&in.sin_addr) != 1)
		return -EINVAL;
	_cleanup_close_ int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
					0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) < 0 ||
	    bind(fd, address, v6 ? sizeof(in6) : sizeof(in)) < 0 || listen(fd, 256) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static void on_signal(void *ctx, const struct signalfd_siginfo *info)
{
	if (info->ssi_signo == SIGUSR1)
		server_renumber(ctx);
	else
		server_stop(ctx);
}

static int serve(const struct arguments *a, int listener)
{
	struct loop loop;
	struct loop_signals signals = { .fn = on_signal };
	struct server *server = NULL;
	sigset_t set;
	int r = loop_init(&loop);

	if (r < 0)
		return r;
	r = server_new(&loop, listener, &a->server, &server);
	if (r == 0) {
		(void)sigemptyset(&set);
		(void)sigaddset(&set, SIGINT);
		(void)sigaddset(&set, SIGTERM);
		(void)sigaddset(&set, SIGUSR1);
		signals.ctx = server;
		r = loop_signals_add(&loop, &signals, &set);
	}
	if (r == 0) {
		struct report ready = { .json = a->server.log, .verbose = a->server.verbose };
		report(&ready, "listening", "address", a->listen.host, NULL);
		r = loop_run(&loop);
	}
	loop_signals_remove(&signals);
	server_free(server);
	loop_done(&loop);
	return r;
}

int main(int argc, char **argv)
{
	struct arguments a = { .listen = { .host = "0.0.0.0", .port = 443 },
			       .tls_max = TLS_1_3,
			       .server = { .tun = "peer",
					   .auth = PPP_AUTH_MSCHAPV2,
					   .mtu = 1500,
					   .ipv6 = true,
					   .pppd_path = "/usr/sbin/pppd",
					   .verbose = true } };
	struct turns turns;
	unsigned line = 0;
	int listener;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)parse_address("10.9.0.1", &a.server.address);
	(void)parse_pool(&a.server, "10.9.0.2-10.9.0.200");
	int r = take_arguments(&a, argc, argv);
	if (r != 0)
		return r > 0 ? 0 : 2;
	r = users_load(a.users, &a.server.users, &line);
	if (r < 0) {
		(void)fprintf(stderr, "sstp-peer: users file %s:%u: %s\n", a.users, line, strerror(-r));
		return 1;
	}
	turns_init(&turns);
	a.server.turns = &turns;
	r = load_tls(&a, &a.server.tls);
	if (r == 0 && a.json) {
		a.server.log = strcmp(a.json, "-") == 0 ? stdout : fopen(a.json, "ae");
		r = a.server.log ? 0 : explain("log", a.json, -errno);
	}
	if (r == 0) {
		listener = r = open_listener(&a.listen);
		if (r < 0)
			(void)explain("listening on", a.listen.host, r);
		else
			r = serve(&a, listener);
	}
	turns_done(&turns);
	users_free(a.server.users);
	tls_server_free(a.server.tls);
	faults_done(&a.server.faults);
	return r < 0 ? 1 : 0;
}
