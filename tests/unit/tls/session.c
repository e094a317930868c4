/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes through a session once it stands, how it ends, and what strange servers lead to. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "pump.h"
#include "test.h"
#include "tls/internal.h"

#define NAME "vpn.example.com"

/* Made once by main(). */
static struct identity root, leaf;
static char *ca_pem;

static struct tls_policy policy(void)
{
	return (struct tls_policy){ .host = NAME, .ca_pem = ca_pem, .ca_pem_len = strlen(ca_pem) };
}

static void link_up(struct link *l, enum tls_version version)
{
	struct tls_policy p = policy();

	link_open(l, &p, &leaf, NULL, version, version);
	link_handshake(l);
}

/* --- bulk --- */

static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 31 + i / 251);
}

/* Moves `total` bytes from one end to the other in pieces of `piece`; 0 if they arrive unchanged. */
static int transfer(struct tls *from, struct tls *to, size_t total, size_t piece, bool more)
{
	static uint8_t out[70000], in[70000]; /* too large for the stack of a sanitizer */
	size_t sent = 0, got = 0;
	int idle = 0;

	while (got < total) {
		size_t want = MIN(MIN(piece, sizeof(out)), total - sent);
		bool moved = false;
		for (size_t i = 0; i < want; i++)
			out[i] = pattern(sent + i);
		ssize_t n = want > 0 ? tls_write(from, out, want, more && sent + want < total) : 0;
		if (n < 0 && n != -EAGAIN)
			return 1;
		if (n > 0) {
			memset(out, 0xee,
			       sizeof(out)); /* it was taken: what becomes of the buffer must not matter */
			sent += (size_t)n;
			moved = true;
		}
		if (wire_unsent(&from->wire) > QUEUE_TARGET)
			return 2;
		if (tls_wants_write(from) && (n == -EAGAIN || want == 0)) {
			int error = tls_flush(from);
			if (error < 0 && error != -EAGAIN)
				return 3;
		}
		while ((n = tls_read(to, in, sizeof(in))) > 0) {
			for (ssize_t i = 0; i < n; i++)
				if (in[i] != pattern(got + (size_t)i))
					return 4;
			got += (size_t)n;
			moved = true;
		}
		if (n != -EAGAIN)
			return 5;
		idle = moved ? 0 : idle + 1;
		if (idle > 10)
			return 6;
	}
	return 0;
}

static void bytes_arrive_in_order(void)
{
	static const size_t pieces[] = { 1, 1000, 1500, 16384, 16385, 65536, 70000 };
	static const enum tls_version versions[] = { TLS_1_2, TLS_1_3 };
	struct link l;

	for (size_t v = 0; v < ARRAY_SIZE(versions); v++) {
		link_up(&l, versions[v]);
		check_int(l.client_result, 0);
		check_int(l.server_result, 0);
		for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
			size_t total = pieces[i] == 1 ? 2000 : 1 << 20;
			check_int(transfer(l.client, l.server, total, pieces[i], i % 2), 0);
			check_int(transfer(l.server, l.client, total, pieces[i], i % 2 == 0), 0);
		}
		link_close(&l);
	}
}

static void small_socket_buffers_only_slow_it_down(void)
{
	int size = 1; /* the kernel's minimum */
	struct link l;

	link_up(&l, TLS_1_3);
	for (int i = 0; i < 2; i++) {
		check_int(setsockopt(l.fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
		check_int(setsockopt(l.fds[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	}
	check_int(transfer(l.client, l.server, 1 << 19, 30000, true), 0);
	check_int(transfer(l.server, l.client, 1 << 19, 1500, false), 0);
	link_close(&l);
}

static void records_wait_for_more_and_leave_together(void)
{
	char data[1000] = "x", in[8000];
	int waiting = -1;
	struct link l;

	link_up(&l, TLS_1_3);
	for (int i = 0; i < 3; i++)
		check_int(tls_write(l.client, data, sizeof(data), true), sizeof(data));
	check_int(ioctl(l.fds[1], FIONREAD, &waiting), 0);
	check_int(waiting, 0);
	check(tls_wants_write(l.client));
	check(wire_unsent(&l.client->wire) > 3 * sizeof(data));
	check_int(tls_write(l.client, data, 10, false), 10);
	check_int(wire_unsent(&l.client->wire), 0);
	/* One recv(2) brings all four. */
	check_int(tls_read(l.server, in, sizeof(in)), 3 * sizeof(data) + 10);
	check_int(tls_read(l.server, in, sizeof(in)), -EAGAIN);

	check_int(tls_write(l.client, data, 5, true), 5);
	check_int(tls_read(l.server, in, sizeof(in)), -EAGAIN);
	check_int(tls_flush(l.client), 0);
	check_int(tls_read(l.server, in, sizeof(in)), 5);
	link_close(&l);
}

/* The others on the loop get their turn: a read stops after one recv(2), however much waits in the socket. */
static void one_read_is_one_recv(void)
{
	static uint8_t data[20 * TLS_RECORD_MAX], in[sizeof(data)];
	const int room = 2 * sizeof(data);
	ssize_t first, n;
	struct link l;

	link_up(&l, TLS_1_3);
	check_int(setsockopt(l.fds[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
	for (size_t sent = 0; sent < sizeof(data); sent += (size_t)n) {
		n = tls_write(l.client, data + sent, sizeof(data) - sent, false);
		check(n > 0);
	}
	check_int(wire_unsent(&l.client->wire), 0);
	first = tls_read(l.server, in, sizeof(in));
	check(first >= 15 * (ssize_t)TLS_RECORD_MAX); /* many records at once */
	check(first <= 16 * (ssize_t)TLS_RECORD_MAX);
	while ((n = tls_read(l.server, in, sizeof(in))) > 0)
		first += n;
	check_int(n, -EAGAIN);
	check_int(first, sizeof(data));
	link_close(&l);
}

static void a_full_queue_takes_nothing(void)
{
	static uint8_t data[TLS_RECORD_MAX], in[1 << 16];
	ssize_t n, taken = 0, got = 0;
	struct link l;

	link_up(&l, TLS_1_3);
	while ((n = tls_write(l.client, data, sizeof(data), false)) > 0)
		taken += n;
	check_int(n, -EAGAIN);
	check(tls_wants_write(l.client));
	check_int(tls_flush(l.client), -EAGAIN);
	check_int(tls_write(l.client, data, 1, false), -EAGAIN);
	while ((n = tls_read(l.server, in, sizeof(in))) > 0 || tls_wants_write(l.client)) {
		got += MAX(n, 0);
		n = tls_flush(l.client);
		check(n == 0 || n == -EAGAIN);
	}
	check_int(got, taken);
	check_int(wire_unsent(&l.client->wire), 0);
	check_int(tls_write(l.client, data, 1, false), 1);
	link_close(&l);
}

static void pending_says_whether_to_sleep(void)
{
	char data[100] = "x", in[200];
	struct link l;

	link_up(&l, TLS_1_3);
	check(!tls_pending(l.server) || tls_read(l.server, in, sizeof(in)) == -EAGAIN);
	check(!tls_pending(l.server));
	for (int i = 0; i < 5; i++)
		check_int(tls_write(l.client, data, sizeof(data), true), sizeof(data));
	check_int(tls_flush(l.client), 0);
	check_int(tls_read(l.server, in, 100), 100); /* one of five records, none begun */
	check(tls_pending(l.server));
	check_int(tls_read(l.server, in, 150), 150); /* one and a half of four records; the socket is empty */
	check(tls_pending(l.server));
	check_int(tls_read(l.server, in, sizeof(in)), 200);
	check(tls_pending(l.server));
	check_int(tls_read(l.server, in, 50), 50);
	check_int(tls_read(l.server, in, sizeof(in)), -EAGAIN);
	check(!tls_pending(l.server));
	link_close(&l);
}

/* --- ends --- */

static void a_clean_end_comes_after_the_data(void)
{
	char in[100];
	struct link l;

	link_up(&l, TLS_1_3);
	check_int(tls_write(l.client, "last", 4, true), 4);
	check_int(tls_shutdown(l.client), 0);
	check_int(tls_read(l.server, in, sizeof(in)), 4);
	check(tls_pending(l.server)); /* the end: the socket will never say so */
	check_int(tls_read(l.server, in, sizeof(in)), 0);
	check(!tls_pending(l.server));
	check_int(tls_read(l.server, in, sizeof(in)), 0); /* and stays so */
	check_int(tls_failure(l.server)->cause, CAUSE_NONE);
	/* The other direction is still open. */
	check_int(tls_write(l.server, "bye", 3, false), 3);
	check_int(tls_read(l.client, in, sizeof(in)), 3);
	link_close(&l);
}

static void nothing_follows_a_goodbye(void)
{
	static const enum tls_version versions[] = { TLS_1_2, TLS_1_3 };
	char in[100];
	struct link l;

	for (size_t v = 0; v < ARRAY_SIZE(versions); v++) {
		link_up(&l, versions[v]);
		check_int(tls_shutdown(l.client), 0);
		check(tls_write(l.client, "late", 4, false) < 0);
		check_int(tls_shutdown(l.client), 0); /* said once */
		check_int(tls_read(l.server, in, sizeof(in)), 0);
		int waiting = -1;
		check_int(ioctl(l.fds[1], FIONREAD, &waiting), 0);
		check_int(waiting, 0);
		link_close(&l);
	}
}

static void a_cut_connection_is_no_clean_end(void)
{
	char in[100];
	struct link l;

	link_up(&l, TLS_1_3);
	check_int(tls_write(l.server, "data", 4, false), 4);
	l.fds[1] = close_fd(l.fds[1]);
	check_int(tls_read(l.client, in, sizeof(in)), 4);
	check_int(tls_read(l.client, in, sizeof(in)), -ECONNRESET);
	check_int(tls_failure(l.client)->cause, CAUSE_CONNECTION_LOST);
	check_str(tls_failure(l.client)->detail, "the server closed it without close_notify");
	check_int(tls_read(l.client, in, sizeof(in)), -ECONNRESET);
	check_int(tls_write(l.client, "x", 1, false), -ECONNRESET);
	link_close(&l);
}

static void what_the_peer_said_is_read_after_a_failed_write(void)
{
	char in[100];
	struct link l;

	link_up(&l, TLS_1_3);
	check_int(tls_write(l.server, "why", 3, false), 3);
	check_int(tls_shutdown(l.server), 0);
	l.fds[1] = close_fd(l.fds[1]);
	check_int(tls_write(l.client, "x", 1, false), -EPIPE);
	check_int(tls_flush(l.client), -EPIPE);
	check_int(wire_unsent(&l.client->wire), 0);
	check_int(tls_read(l.client, in, sizeof(in)), 3);
	check_int(tls_read(l.client, in, sizeof(in)), 0);
	link_close(&l);
}

static void a_flipped_bit_ends_both_sides(void)
{
	static const enum tls_version versions[] = { TLS_1_2, TLS_1_3 };
	uint8_t wire[2000];
	char in[100];
	struct link l;

	for (size_t v = 0; v < ARRAY_SIZE(versions); v++) {
		link_up(&l, versions[v]);
		/* Between the ends: what the client sent is taken out of the server's socket and put back
		 * bent. */
		check_int(tls_write(l.client, "payload", 7, false), 7);
		ssize_t n = recv(l.fds[1], wire, sizeof(wire), 0);
		check(n > 20);
		wire[n - 1] ^= 1;
		check_int(send(l.fds[0], wire, (size_t)n, 0), n);
		check_int(tls_read(l.server, in, sizeof(in)), -EPROTO);
		check_int(tls_failure(l.server)->cause, CAUSE_CONNECTION_LOST);
		check_int(tls_read(l.client, in, sizeof(in)), -EPROTO);
		check_str(tls_failure(l.client)->detail, "the server sent the TLS alert bad_record_mac (20)");
		link_close(&l);
	}
}

static void data_before_an_error_is_delivered_first(void)
{
	char in[100];
	struct link l;

	link_up(&l, TLS_1_3);
	check_int(tls_write(l.server, "good", 4, false), 4);
	check_int(send(l.fds[1], "\x17\x03\x03\x00\x14garbage-garbage-garb", 25, 0), 25);
	check_int(tls_read(l.client, in, sizeof(in)), 4);
	check(tls_pending(l.client));
	check_int(tls_read(l.client, in, sizeof(in)), -EPROTO);
	check(!tls_pending(l.client));
	link_close(&l);
}

/* --- what is agreed on --- */

static void versions_follow_the_policy(void)
{
	static const struct {
		enum tls_version client_min, client_max, server_min, server_max;
		const char *version; /* NULL: none in common */
		const char *server_says;
	} rows[] = {
		{ TLS_ANY, TLS_ANY, TLS_ANY, TLS_ANY, "TLSv1.3", NULL },
		{ TLS_ANY, TLS_ANY, TLS_1_2, TLS_1_2, "TLSv1.2", NULL },
		{ TLS_ANY, TLS_1_2, TLS_ANY, TLS_ANY, "TLSv1.2", NULL },
		{ TLS_1_3, TLS_ANY, TLS_ANY, TLS_ANY, "TLSv1.3", NULL },
		{ TLS_1_3, TLS_ANY, TLS_1_2, TLS_1_2, NULL, "unsupported protocol" },
		{ TLS_ANY, TLS_1_2, TLS_1_3, TLS_ANY, NULL, "unsupported protocol" },
	};
	struct tls_peer peer;
	struct link l;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tls_policy p = policy();
		p.min = rows[i].client_min;
		p.max = rows[i].client_max;
		link_open(&l, &p, &leaf, NULL, rows[i].server_min, rows[i].server_max);
		check_int(tls_peer(l.client, &peer), -ENOTCONN);
		link_handshake(&l);
		if (rows[i].version) {
			check_int(tls_peer(l.client, &peer), 0);
			check_str(peer.version, rows[i].version);
		} else {
			check_int(l.client_result, -EPROTO);
			check_int(tls_failure(l.client)->cause, CAUSE_TLS_VERSION);
			check_str(tls_failure(l.client)->detail, "alert protocol_version (70)");
			check_str(tls_failure(l.server)->detail, rows[i].server_says);
		}
		link_close(&l);
	}
}

static void hardware_decides_on_the_cipher(void)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	bool aes = false;
	char line[8192];
	struct tls_peer peer;
	struct link l;

	while (f && fgets(line, sizeof(line), f))
		aes |= (strncmp(line, "flags", 5) == 0 || strncmp(line, "Features", 8) == 0) &&
		       strstr(line, " aes");
	if (f)
		(void)fclose(f);
	link_up(&l, TLS_1_3);
	check_int(tls_peer(l.client, &peer), 0);
	check_str(peer.cipher, aes ? "TLS_AES_128_GCM_SHA256" : "TLS_CHACHA20_POLY1305_SHA256");
	link_close(&l);
	link_up(&l, TLS_1_2);
	check_int(tls_peer(l.client, &peer), 0);
	check_str(peer.cipher, aes ? "ECDHE-ECDSA-AES128-GCM-SHA256" : "ECDHE-ECDSA-CHACHA20-POLY1305");
	link_close(&l);
}

static void the_peer_is_described(void)
{
	unsigned char *der = NULL, *spki = NULL, hash[32];
	struct tls_peer peer;
	struct link l;

	link_up(&l, TLS_ANY);
	check_int(tls_peer(l.client, &peer), 0);
	check_str(peer.subject, "CN=t\\C3\\A4st");
	check_str(peer.issuer, "CN=Test Root");
	check_str(peer.names, "vpn.example.com, *.example.org, 192.0.2.1, 2001:db8::1");
	check(peer.not_after - peer.not_before == 2 * 86400);
	int len = i2d_X509(leaf.cert, &der);
	EVP_Digest(der, (size_t)len, hash, NULL, EVP_sha256(), NULL);
	check_mem(peer.sha256, 32, hash, 32);
	EVP_Digest(der, (size_t)len, hash, NULL, EVP_sha1(), NULL);
	check_mem(peer.sha1, 20, hash, 20);
	len = i2d_PUBKEY(leaf.key, &spki);
	EVP_Digest(spki, (size_t)len, hash, NULL, EVP_sha256(), NULL);
	check_mem(peer.pin.sha256, 32, hash, 32);
	OPENSSL_free(der);
	OPENSSL_free(spki);

	check_int(tls_peer(l.server, &peer), 0);
	check_str(peer.version, "TLSv1.3");
	check_str(peer.subject, "");
	link_close(&l);
}

static void sni_follows_the_policy(void)
{
	static const struct {
		const char *host, *server_name, *sni, *sent; /* sent: "" for none */
	} rows[] = {
		{ NAME, NULL, NULL, NAME },
		{ NAME ".", NULL, NULL, NAME },
		{ "192.0.2.1", NULL, NULL, "" },
		{ "2001:db8::1", NULL, NULL, "" },
		{ "192.0.2.1", NAME, NULL, NAME },
		{ "front.example", NAME, NULL, NAME },
		{ NAME, NULL, "", "" },
		{ NAME, NULL, "other.example", "other.example" },
		{ "192.0.2.1", NULL, NAME, NAME },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tls_policy p = policy();
		struct failure f = { 0 };
		struct raw_server raw;
		struct tls *t = NULL;
		int fds[2];

		p.host = rows[i].host;
		p.server_name = rows[i].server_name;
		p.sni = rows[i].sni;
		make_pair(fds);
		raw_open(&raw, fds[1], &leaf, TLS1_2_VERSION, 0, NULL);
		check_int(tls_client_new(&p, fds[0], &t, &f), 0);
		check_int(raw_handshake(&raw, t, NULL), 0);
		const char *sent = SSL_get_servername(raw.ssl, TLSEXT_NAMETYPE_host_name);
		check_str(sent ? sent : "", rows[i].sent);
		/* Nor is anything offered that we would not keep. */
		check(!SSL_session_reused(raw.ssl));
		tls_free(t);
		raw_close(&raw);
		close_fd(fds[0]);
		close_fd(fds[1]);
	}
}

static void the_key_log_is_written(void)
{
	static const struct {
		enum tls_version version;
		const char *labels[4];
	} rows[] = {
		{ TLS_1_2, { "CLIENT_RANDOM " } },
		{ TLS_1_3,
		  { "CLIENT_HANDSHAKE_TRAFFIC_SECRET ", "SERVER_HANDSHAKE_TRAFFIC_SECRET ",
		    "CLIENT_TRAFFIC_SECRET_0 ", "SERVER_TRAFFIC_SECRET_0 " } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_close_ int fd = memfd_create("keylog", MFD_CLOEXEC);
		struct tls_policy p = policy();
		char text[4096];
		struct link l;

		p.keylog_fd = fd;
		link_open(&l, &p, &leaf, NULL, rows[i].version, rows[i].version);
		link_handshake(&l);
		check_int(l.client_result, 0);
		link_close(&l);
		ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
		check(n > 0);
		text[n] = 0;
		check_int(text[n - 1], '\n');
		for (size_t k = 0; k < ARRAY_SIZE(rows[i].labels) && rows[i].labels[k]; k++)
			check(strstr(text, rows[i].labels[k]) != NULL);
	}
}

/* --- peers that make trouble after the handshake --- */

static void meet(struct raw_link *l, int version)
{
	struct tls_policy p = policy();

	raw_link_open(l, &p, &leaf, version, NULL);
}

static void key_updates_are_answered_but_no_flood(void)
{
	char in[100];
	struct raw_link l;
	int end = -EAGAIN;

	meet(&l, TLS1_3_VERSION);
	check_int(l.result, 0);
	check_int(SSL_key_update(l.raw.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
	check_int(SSL_write(l.raw.ssl, "x", 1), 1);
	check_int(tls_read(l.client, in, sizeof(in)), 1);
	check_int(tls_write(l.client, "yz", 2, false), 2);
	check_int(SSL_read(l.raw.ssl, in, sizeof(in)), 2);

	for (int i = 0; i < 100 && end == -EAGAIN; i++) {
		check_int(SSL_key_update(l.raw.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		if (SSL_do_handshake(l.raw.ssl) != 1)
			break;
		end = (int)tls_read(l.client, in, sizeof(in));
	}
	check_int(end, -EPROTO);
	check_str(tls_failure(l.client)->detail, "a flood of TLS messages without data");
	raw_link_close(&l);
}

/* Answers to a peer that never reads are bounded, however it hides its demands among data. */
static void demands_without_reading_end_the_session(void)
{
	size_t most = 0;
	char in[100];
	struct raw_link l;
	ssize_t n = 1;

	meet(&l, TLS1_3_VERSION);
	check_int(l.result, 0);
	/* As who polls does it: what has been drained is not read again before something comes. */
	for (int i = 0; i < 30000 && (n > 0 || n == -EAGAIN); i++) {
		check_int(SSL_key_update(l.raw.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		check_int(SSL_write(l.raw.ssl, "x", 1), 1);
		do {
			n = tls_read(l.client, in, sizeof(in));
			most = MAX(most, wire_unsent(&l.client->wire));
		} while (n > 0 && !tls_drained(l.client));
	}
	check(most > QUEUE_TARGET); /* it did pile up */
	check(most <= QUEUE_MAX);
	check_int(n, -EPROTO);
	check_str(tls_failure(l.client)->detail, "the server sends requests but does not read the answers");
	check_int(wire_unsent(&l.client->wire), 0);
	raw_link_close(&l);
}

static void renegotiation_is_refused_and_the_session_goes_on(void)
{
	char in[100];
	struct raw_link l;

	meet(&l, TLS1_2_VERSION);
	check_int(l.result, 0);
	check_int(SSL_renegotiate(l.raw.ssl), 1);
	(void)SSL_do_handshake(l.raw.ssl);
	check_int(tls_read(l.client, in, sizeof(in)), -EAGAIN);
	check_int(tls_write(l.client, "data", 4, false), 4);
	/* The server sees our refusal, not a new handshake; what it makes of that is its own affair. */
	(void)SSL_read(l.raw.ssl, in, sizeof(in));
	check_int(tls_failure(l.client)->cause, CAUSE_NONE);
	raw_link_close(&l);
}

/* --- servers that are none --- */

enum then { STAYS, CLOSES, RESETS };

/* The client's verdict on a server that sends `data` whatever it hears, and what it does then. */
static struct failure verdict_on(const void *data, size_t len, enum then then)
{
	struct tls_policy p = policy();
	struct failure f = { 0 };
	struct tls *t = NULL;
	int fds[2], result;

	make_pair(fds);
	if (tls_client_new(&p, fds[0], &t, &f) == 0) {
		result = tls_handshake(t);
		if (result == -EAGAIN && len > 0)
			(void)!write(fds[1], data, len);
		if (then == CLOSES)
			(void)shutdown(fds[1], SHUT_WR);
		else if (then == RESETS) /* it has not read our ClientHello */
			fds[1] = close_fd(fds[1]);
		result = tls_handshake(t);
		f = *tls_failure(t);
		/* Final is final. */
		if (f.cause != CAUSE_NONE && (result == 0 || result == -EAGAIN || tls_handshake(t) != result))
			f.cause = CAUSE_INTERNAL;
	}
	tls_free(t);
	close_fd(fds[0]);
	close_fd(fds[1]);
	return f;
}

static void strange_servers_get_a_name(void)
{
#define BYTES(s) s, sizeof(s) - 1
	static const struct {
		const char *data;
		size_t len;
		enum then then;
		enum cause cause;
		const char *detail;
	} rows[] = {
		{ BYTES("HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n"), CLOSES, CAUSE_TLS_NOT_TLS,
		  "it answered \"HTTP/1.1 400 Bad Request\"" },
		{ BYTES("SSH-2.0-OpenSSH_9.2\r\n"), STAYS, CAUSE_TLS_NOT_TLS,
		  "it answered \"SSH-2.0-OpenSSH_9.2\"" },
		{ BYTES("\x00\x01\x02\x03\x04\x05\x06\x07"), CLOSES, CAUSE_TLS_NOT_TLS,
		  "it answered \"........\"" },
		{ BYTES("\x1b[31mevil\x07\x07\x07\x07"), CLOSES, CAUSE_TLS_NOT_TLS,
		  "it answered \".[31mevil....\"" },
		{ BYTES("\x16\x02\x01\x00\x05xxxxx"), STAYS, CAUSE_TLS_NOT_TLS, "" },
		{ BYTES(""), CLOSES, CAUSE_TLS_FAILED, "the server closed the connection without an answer" },
		{ BYTES("\x16\x03\x03\x00\x40\x02"), CLOSES, CAUSE_TLS_FAILED,
		  "the server closed the connection during the handshake" },
		{ BYTES(""), RESETS, CAUSE_TLS_FAILED, "the server reset the connection without an answer" },
		{ BYTES("\x16\x03\x03\x00\x40\x02"), RESETS, CAUSE_TLS_FAILED,
		  "the server reset the connection during the handshake" },
		{ BYTES("\x15\x03\x03\x00\x02\x02\x28"), CLOSES, CAUSE_TLS_ALERT,
		  "alert handshake_failure (40)" },
		{ BYTES("\x15\x03\x03\x00\x02\x02\x70"), CLOSES, CAUSE_TLS_ALERT,
		  "alert unrecognized_name (112)" },
		{ BYTES("\x15\x03\x03\x00\x02\x02\x46"), STAYS, CAUSE_TLS_VERSION,
		  "alert protocol_version (70)" },
		{ BYTES("\x15\x03\x01\x00\x02\x02\x47"), CLOSES, CAUSE_TLS_VERSION,
		  "alert insufficient_security (71)" },
		{ BYTES("\x15\x03\x03\x00\x02\x02\xc8"), CLOSES, CAUSE_TLS_ALERT, "alert unknown (200)" },
		/* ServerHello: TLS 1.0, a random, no session, AES128-SHA, no compression */
		{ BYTES("\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01"
			"rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr\x00\x00\x2f\x00"),
		  STAYS, CAUSE_TLS_VERSION, "the server chose TLS 1.0" },
		/* A record that announces more than a record may hold. */
		{ BYTES("\x16\x03\x03\xff\xff\x02\x00\x00\x00"), STAYS, CAUSE_TLS_FAILED, "" },
		{ BYTES("\x17\x03\x03\x00\x05hello"), STAYS, CAUSE_TLS_FAILED, "" },
		{ BYTES("\x16\x03\x03\x00\x05\x02\xff\xff\xff\x00"), STAYS, CAUSE_TLS_FAILED, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct failure f = verdict_on(rows[i].data, rows[i].len, rows[i].then);
		if (f.cause != rows[i].cause || !strstr(f.detail, rows[i].detail))
			printf("# row %zu: %s (%s)\n", i, cause_name(f.cause), f.detail);
		check_int(f.cause, rows[i].cause);
		check(strstr(f.detail, rows[i].detail) != NULL);
	}
}

static void an_unfinished_answer_is_waited_for(void)
{
	struct failure f = verdict_on("\x16\x03\x03\x00\x40\x02", 6, STAYS);

	check_int(f.cause, CAUSE_NONE);
	f = verdict_on("", 0, STAYS);
	check_int(f.cause, CAUSE_NONE);
}

static void old_servers_are_too_old(void)
{
	static const int versions[] = { TLS1_VERSION, TLS1_1_VERSION };

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		struct raw_link l;
		meet(&l, versions[i]);
		check_int(l.result, -EPROTO);
		check_int(tls_failure(l.client)->cause, CAUSE_TLS_VERSION);
		raw_link_close(&l);
	}
}

static void anonymous_servers_are_refused(void)
{
	struct tls_policy p = policy();
	struct failure f = { 0 };
	struct raw_server raw;
	struct tls *t = NULL;
	int fds[2];

	make_pair(fds);
	raw_open(&raw, fds[1], NULL, TLS1_2_VERSION, TLS1_2_VERSION, "ADH:AECDH:@SECLEVEL=0");
	check_int(tls_client_new(&p, fds[0], &t, &f), 0);
	check_int(raw_handshake(&raw, t, NULL), -EPROTO);
	check_int(tls_failure(t)->cause, CAUSE_TLS_ALERT);
	check(strstr(cause_remedy(CAUSE_TLS_ALERT), "certificate") != NULL); /* RouterOS goes without */
	tls_free(t);
	raw_close(&raw);
	close_fd(fds[0]);
	close_fd(fds[1]);
}

static void a_huge_chain_is_refused(void)
{
	struct identity fat = identity_new(
		&(struct identity_spec){ .cn = "fat", .ca = true, .padding = 60000, .issuer = &root });
	struct tls_policy p = policy();
	struct failure f = { 0 };
	int fds[2];

	for (int copies = 1; copies <= 2; copies++) {
		struct raw_server raw;
		struct tls *t = NULL;
		make_pair(fds);
		raw_open(&raw, fds[1], &leaf, TLS1_2_VERSION, 0, NULL);
		for (int i = 0; i < copies; i++)
			check_int(SSL_add1_chain_cert(raw.ssl, fat.cert), 1);
		check_int(tls_client_new(&p, fds[0], &t, &f), 0);
		int result = raw_handshake(&raw, t, NULL);
		/* 60 kB are borne, 120 kB are not. */
		check_int(result, copies == 1 ? 0 : -EPROTO);
		if (copies == 2) {
			check_int(tls_failure(t)->cause, CAUSE_TLS_FAILED);
			check_str(tls_failure(t)->detail, "the server sent a message longer than 100 KiB");
		}
		tls_free(t);
		raw_close(&raw);
		close_fd(fds[0]);
		close_fd(fds[1]);
	}
	identity_free(&fat);
}

static void a_client_that_is_none_is_told_apart(void)
{
	struct link l;
	struct tls_policy p = policy();

	link_open(&l, &p, &leaf, NULL, TLS_ANY, TLS_ANY);
	check_int(send(l.fds[0], "GET / HTTP/1.0\r\n\r\n", 18, 0), 18);
	check_int(tls_handshake(l.server), -EPROTO);
	check_int(tls_failure(l.server)->cause, CAUSE_TLS_NOT_TLS);
	check_str(tls_failure(l.server)->detail, "it answered \"GET / HTTP/1.0\"");
	link_close(&l);
}

static void a_server_needs_its_own_key(void)
{
	_cleanup_free_ char *cert = pem_of_certs((X509 *[]){ leaf.cert, NULL });
	_cleanup_free_ char *key = pem_of_key(root.key);
	struct tls_server_config config = { .cert_pem = cert, .cert_pem_len = strlen(cert) };
	struct tls_server *s = NULL;
	struct failure f = { 0 };

	check_int(tls_server_new(&config, &s, &f), -EINVAL);
	check_str(f.detail, "the server's private key cannot be read");
	config.key_pem = key;
	config.key_pem_len = strlen(key);
	f = (struct failure){ 0 };
	check_int(tls_server_new(&config, &s, &f), -EINVAL);
	check_str(f.detail, "the server's private key does not belong to its certificate");
	config.cert_pem = "none";
	config.cert_pem_len = 4;
	f = (struct failure){ 0 };
	check_int(tls_server_new(&config, &s, &f), -EINVAL);
	check(s == NULL);
}

int main(void)
{
	root = identity_new(&(struct identity_spec){ .cn = "Test Root", .ca = true });
	leaf = identity_new(&(struct identity_spec){
		.cn = "t\xc3\xa4st",
		.san = "DNS:" NAME ",email:x@example.com,DNS:*.example.org,IP:192.0.2.1,IP:2001:db8::1",
		.issuer = &root });
	ca_pem = pem_of_certs((X509 *[]){ root.cert, NULL });
	int result = run_tests((struct test[]){ TEST(bytes_arrive_in_order),
						TEST(small_socket_buffers_only_slow_it_down),
						TEST(records_wait_for_more_and_leave_together),
						TEST(one_read_is_one_recv),
						TEST(a_full_queue_takes_nothing),
						TEST(pending_says_whether_to_sleep),
						TEST(a_clean_end_comes_after_the_data),
						TEST(nothing_follows_a_goodbye),
						TEST(a_cut_connection_is_no_clean_end),
						TEST(what_the_peer_said_is_read_after_a_failed_write),
						TEST(a_flipped_bit_ends_both_sides),
						TEST(data_before_an_error_is_delivered_first),
						TEST(versions_follow_the_policy),
						TEST(hardware_decides_on_the_cipher),
						TEST(the_peer_is_described),
						TEST(sni_follows_the_policy),
						TEST(the_key_log_is_written),
						TEST(key_updates_are_answered_but_no_flood),
						TEST(demands_without_reading_end_the_session),
						TEST(renegotiation_is_refused_and_the_session_goes_on),
						TEST(strange_servers_get_a_name),
						TEST(an_unfinished_answer_is_waited_for),
						TEST(old_servers_are_too_old),
						TEST(anonymous_servers_are_refused),
						TEST(a_huge_chain_is_refused),
						TEST(a_client_that_is_none_is_told_apart),
						TEST(a_server_needs_its_own_key),
						{} });
	free(ca_pem);
	identity_free(&leaf);
	identity_free(&root);
	return result;
}
