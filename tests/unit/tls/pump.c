/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pump.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define ROUNDS_MAX 1000

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	printf("Bail out! %s: %s\n", what, strerror(errno));
	ERR_print_errors_fp(stdout);
	exit(99);
}

void make_pair(int fds[static 2])
{
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0, "socketpair");
}

void link_open(struct link *l, const struct tls_policy *policy, const struct identity *id, X509 *const *chain,
	       enum tls_version min, enum tls_version max)
{
	X509 *certs[16] = { id->cert };
	struct failure f = { 0 };

	for (size_t i = 0; chain && chain[i]; i++)
		certs[i + 1] = chain[i];
	_cleanup_free_ char *cert_pem = pem_of_certs(certs);
	_cleanup_free_ char *key_pem = pem_of_key(id->key);
	struct tls_server_config config = {
		.cert_pem = cert_pem,
		.cert_pem_len = strlen(cert_pem),
		.key_pem = key_pem,
		.key_pem_len = strlen(key_pem),
		.min = min,
		.max = max,
	};

	*l = (struct link){ .client_result = -EAGAIN, .server_result = -EAGAIN };
	make_pair(l->fds);
	must(tls_server_new(&config, &l->config, &f) == 0, f.detail);
	must(tls_server_accept(l->config, l->fds[1], &l->server) == 0, "accept");
	if (tls_client_new(policy, l->fds[0], &l->client, &l->setup) < 0)
		l->client_result = -EINVAL;
}

void link_handshake(struct link *l)
{
	for (int i = 0; i < ROUNDS_MAX && (l->client_result == -EAGAIN || l->server_result == -EAGAIN); i++) {
		if (l->client_result == -EAGAIN)
			l->client_result = tls_handshake(l->client);
		if (l->client_result < 0 && l->client_result != -EAGAIN)
			(void)shutdown(l->fds[0], SHUT_WR);
		if (l->server_result == -EAGAIN)
			l->server_result = tls_handshake(l->server);
	}
}

void link_close(struct link *l)
{
	tls_free(l->client);
	tls_free(l->server);
	tls_server_free(l->config);
	close_fd(l->fds[0]);
	close_fd(l->fds[1]);
	*l = (struct link){ .fds = { -1, -1 } };
}

void raw_open(struct raw_server *r, int fd, const struct identity *id, int min, int max, const char *ciphers)
{
	r->ctx = SSL_CTX_new(TLS_server_method());
	must(r->ctx != NULL, "SSL_CTX");
	if (max && max < TLS1_2_VERSION)
		SSL_CTX_set_security_level(r->ctx, 0);
	must(SSL_CTX_set_min_proto_version(r->ctx, min) && SSL_CTX_set_max_proto_version(r->ctx, max),
	     "version");
	SSL_CTX_set_dh_auto(r->ctx, 1);
	if (ciphers)
		must(SSL_CTX_set_cipher_list(r->ctx, ciphers) == 1, "ciphers");
	if (id)
		must(SSL_CTX_use_certificate(r->ctx, id->cert) == 1 &&
			     SSL_CTX_use_PrivateKey(r->ctx, id->key) == 1,
		     "certificate");
	r->ssl = SSL_new(r->ctx);
	must(r->ssl && SSL_set_fd(r->ssl, fd) == 1, "SSL");
	SSL_set_accept_state(r->ssl);
}

void raw_close(struct raw_server *r)
{
	SSL_free(r->ssl);
	SSL_CTX_free(r->ctx);
	ERR_clear_error();
	*r = (struct raw_server){ 0 };
}

int raw_handshake(struct raw_server *r, struct tls *client, bool *ret_server_done)
{
	bool done = false, over = false;
	int result = -EAGAIN;

	for (int i = 0; i < ROUNDS_MAX && (result == -EAGAIN || !over); i++) {
		if (result == -EAGAIN)
			result = tls_handshake(client);
		if (!over) {
			int n = SSL_do_handshake(r->ssl);
			done = n == 1;
			over = done || SSL_get_error(r->ssl, n) != SSL_ERROR_WANT_READ;
		}
		if (result != -EAGAIN && result != 0)
			break;
	}
	ERR_clear_error();
	if (ret_server_done)
		*ret_server_done = done;
	return result;
}

void raw_link_open(struct raw_link *l, const struct tls_policy *policy, const struct identity *id,
		   int version, const char *suite)
{
	struct failure f = { 0 };

	*l = (struct raw_link){ .result = -EINVAL };
	make_pair(l->fds);
	raw_open(&l->raw, l->fds[1], id, version, version, NULL);
	must(!suite || (version == TLS1_3_VERSION ? SSL_set_ciphersuites(l->raw.ssl, suite)
						  : SSL_set_cipher_list(l->raw.ssl, suite)) == 1,
	     "cipher suite");
	if (tls_client_new(policy, l->fds[0], &l->client, &f) == 0)
		l->result = raw_handshake(&l->raw, l->client, NULL);
}

void raw_link_close(struct raw_link *l)
{
	tls_free(l->client);
	raw_close(&l->raw);
	close_fd(l->fds[0]);
	close_fd(l->fds[1]);
}
