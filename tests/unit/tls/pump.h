/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two ends of a connection in one process, moved on in turn until nothing moves. */
#pragma once

#include <openssl/ssl.h>

#include "pki.h"
#include "tls/tls.h"

/* A non-blocking socketpair; ends the program on failure. */
void make_pair(int fds[static 2]);

/* Our client against our server with `id` and the chain behind it. */
struct link {
	int fds[2]; /* client's, server's */
	struct tls *client, *server;
	struct tls_server *config;
	int client_result, server_result; /* of tls_handshake() */
	struct failure setup;		  /* of tls_client_new() */
};

void link_open(struct link *l, const struct tls_policy *policy, const struct identity *id, X509 *const *chain,
	       enum tls_version min, enum tls_version max);
/* Goes on with both handshakes until both are final. */
void link_handshake(struct link *l);
void link_close(struct link *l);

/* A server straight from OpenSSL, without our code, for what ours would never do. */
struct raw_server {
	SSL_CTX *ctx;
	SSL *ssl;
};
void raw_open(struct raw_server *r, int fd, const struct identity *id, int min, int max, const char *ciphers);
void raw_close(struct raw_server *r);
/* Handshake of `client` against it; the results: as tls_handshake(), and whether the server was done. */
int raw_handshake(struct raw_server *r, struct tls *client, bool *ret_server_done);

/* Our client against it. */
struct raw_link {
	int fds[2]; /* client's, server's */
	struct raw_server raw;
	struct tls *client;
	int result; /* of the client's handshake */
};
/* `version` alone is spoken; `suite`: one of it, NULL for OpenSSL's choice. */
void raw_link_open(struct raw_link *l, const struct tls_policy *policy, const struct identity *id,
		   int version, const char *suite);
void raw_link_close(struct raw_link *l);
