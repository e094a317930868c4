/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tls-stream and tls-echo share: a TLS 1.3 connection as a plain OpenSSL program makes it, without any
 * of our own code in the path, since these two are what the tunnel is compared with. Blocking sockets,
 * read-ahead, and TCP_NODELAY, with which a TLS stream is a tenth faster; without TLS there is none, as with
 * iperf3. The server's certificate is made at its start and nobody checks it: only for measurements.
 */
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct options {
	bool server;
	const char *address; /* numeric, IPv4 or IPv6 */
	const char *port;
	const char *cipher;	/* a TLS 1.3 suite */
	const char *congestion; /* of TCP; NULL: the system's */
	bool plain;		/* no TLS at all */
	bool download;		/* tls-stream: the server sends */
	uint32_t seconds;	/* tls-stream: how long the sender sends */
	uint32_t omit;		/* tls-stream: so long the receiver does not count yet */
	uint32_t count, size;	/* tls-echo: messages and their bytes */
	uint32_t pause_us;	/* tls-echo: between an answer and the next message */
};

/* "serve|connect ADDRESS PORT [--NAME VALUE]…". Ends the program with status 2 and a text where it is wrong.
 */
struct options parse_options(int argc, char **argv);

struct connection {
	int fd;
	SSL_CTX *ctx;
	SSL *ssl; /* NULL with --plain */
};

/* Accepts one connection, or makes it, with the handshake done. Ends the program with status 1 on failure. */
struct connection connection_open(const struct options *o);
void connection_close(struct connection *c);

/* One record or less; returns the bytes, 0 at the end, ends the program on failure. */
size_t connection_read(const struct connection *c, void *buf, size_t size);
/* All of it. */
void connection_write(const struct connection *c, const void *data, size_t len);
/* Says that nothing more will come. */
void connection_finish(const struct connection *c);

const char *connection_cipher(const struct connection *c);

/* CPU time of this process so far, user and system. */
double cpu_seconds(void);
