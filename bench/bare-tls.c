/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bare-tls.h"

#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/parse.h"

/* Four full records: one recv(2) brings several. */
#define READ_BUFFER 66000

static _Noreturn void fail(const char *what)
{
	(void)fprintf(stderr, "%s: %s\n", what, errno ? strerror(errno) : "TLS error");
	ERR_print_errors_fp(stderr);
	exit(1);
}

static _Noreturn void usage(const char *program)
{
	(void)fprintf(stderr,
		      "usage: %s serve|connect ADDRESS PORT [--cipher SUITE] [--congestion NAME] [--plain]\n"
		      "       tls-stream: [--seconds N] [--omit N] [--download]\n"
		      "       tls-echo:   [--count N] [--size BYTES] [--pause MICROSECONDS]\n",
		      program);
	exit(2);
}

struct options parse_options(int argc, char **argv)
{
	static const struct option names[] = {
		{ "cipher", required_argument, NULL, 'c' }, { "congestion", required_argument, NULL, 'g' },
		{ "plain", no_argument, NULL, 'p' },	    { "seconds", required_argument, NULL, 's' },
		{ "omit", required_argument, NULL, 'o' },   { "download", no_argument, NULL, 'd' },
		{ "count", required_argument, NULL, 'n' },  { "size", required_argument, NULL, 'b' },
		{ "pause", required_argument, NULL, 'w' },  { NULL, 0, NULL, 0 },
	};
	struct options o = { .cipher = "TLS_AES_128_GCM_SHA256", .seconds = 5, .count = 10000, .size = 64 };
	int c, bad = 0;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
		switch (c) {
		case 'c':
			o.cipher = optarg;
			break;
		case 'g':
			o.congestion = optarg;
			break;
		case 'p':
			o.plain = true;
			break;
		case 'd':
			o.download = true;
			break;
		case 's':
			bad |= parse_u32(optarg, 1, 3600, &o.seconds);
			break;
		case 'o':
			bad |= parse_u32(optarg, 0, 3600, &o.omit);
			break;
		case 'n':
			bad |= parse_u32(optarg, 1, 10000000, &o.count);
			break;
		case 'b':
			bad |= parse_u32(optarg, 1, 16384, &o.size);
			break;
		case 'w':
			bad |= parse_u32(optarg, 0, 10000000, &o.pause_us);
			break;
		default:
			usage(argv[0]);
		}
	if (bad || argc - optind != 3)
		usage(argv[0]);
	o.server = strcmp(argv[optind], "serve") == 0;
	if (!o.server && strcmp(argv[optind], "connect") != 0)
		usage(argv[0]);
	o.address = argv[optind + 1];
	o.port = argv[optind + 2];
	return o;
}

static void set_socket(int fd, const struct options *o)
{
	int one = 1;

	if ((!o->plain && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0) ||
	    (o->congestion && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, o->congestion,
					 (socklen_t)strlen(o->congestion)) < 0))
		fail("socket options");
}

static int open_socket(const struct options *o)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV },
			*a;
	int one = 1;

	if (getaddrinfo(o->address, o->port, &hints, &a) != 0)
		fail("address");
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		fail("socket");
	/* Before the handshake: an accepted socket inherits it. */
	set_socket(fd, o);
	if (!o->server) {
		if (connect(fd, a->ai_addr, a->ai_addrlen) < 0)
			fail("connect");
	} else {
		int listener = fd;
		if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
		    bind(listener, a->ai_addr, a->ai_addrlen) < 0 || listen(listener, 1) < 0)
			fail("listen");
		/* A script waits for this line instead of sleeping. */
		(void)fprintf(stderr, "listening\n");
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			fail("accept");
		(void)close(listener);
	}
	freeaddrinfo(a);
	return fd;
}

static void make_identity(SSL_CTX *ctx)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();

	if (!key || !x || !X509_set_version(x, X509_VERSION_3) ||
	    !X509_gmtime_adj(X509_getm_notBefore(x), 0) || !X509_gmtime_adj(X509_getm_notAfter(x), 86400) ||
	    !X509_set_pubkey(x, key) || X509_sign(x, key, EVP_sha256()) == 0 ||
	    !SSL_CTX_use_certificate(ctx, x) || !SSL_CTX_use_PrivateKey(ctx, key))
		fail("certificate");
	X509_free(x);
	EVP_PKEY_free(key);
}

struct connection connection_open(const struct options *o)
{
	struct connection c = { .fd = open_socket(o) };

	if (o->plain)
		return c;
	errno = 0;
	c.ctx = SSL_CTX_new(o->server ? TLS_server_method() : TLS_client_method());
	if (!c.ctx || !SSL_CTX_set_min_proto_version(c.ctx, TLS1_3_VERSION) ||
	    !SSL_CTX_set_ciphersuites(c.ctx, o->cipher))
		fail(o->cipher);
	SSL_CTX_set_read_ahead(c.ctx, 1);
	SSL_CTX_set_default_read_buffer_len(c.ctx, READ_BUFFER);
	if (o->server)
		make_identity(c.ctx);
	c.ssl = SSL_new(c.ctx);
	if (!c.ssl || !SSL_set_fd(c.ssl, c.fd) || (o->server ? SSL_accept(c.ssl) : SSL_connect(c.ssl)) != 1)
		fail("handshake");
	return c;
}

void connection_close(struct connection *c)
{
	SSL_free(c->ssl);
	SSL_CTX_free(c->ctx);
	(void)close(c->fd);
}

size_t connection_read(const struct connection *c, void *buf, size_t size)
{
	size_t n = 0;

	if (!c->ssl) {
		ssize_t got = recv(c->fd, buf, size, 0);
		if (got < 0)
			fail("recv");
		return (size_t)got;
	}
	errno = 0;
	if (SSL_read_ex(c->ssl, buf, size, &n) != 1 && SSL_get_error(c->ssl, 0) != SSL_ERROR_ZERO_RETURN)
		fail("read");
	return n;
}

void connection_write(const struct connection *c, const void *data, size_t len)
{
	size_t done = 0, n;

	errno = 0;
	if (c->ssl && SSL_write_ex(c->ssl, data, len, &n) != 1)
		fail("write");
	while (!c->ssl && done < len) {
		ssize_t sent = send(c->fd, (const char *)data + done, len - done, MSG_NOSIGNAL);
		if (sent < 0)
			fail("send");
		done += (size_t)sent;
	}
}

void connection_finish(const struct connection *c)
{
	if (c->ssl)
		(void)SSL_shutdown(c->ssl);
	else
		(void)shutdown(c->fd, SHUT_WR);
}

const char *connection_cipher(const struct connection *c)
{
	return c->ssl ? SSL_get_cipher_name(c->ssl) : "none";
}

double cpu_seconds(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}
