/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records after the handshake: OpenSSL, RFC 8448 and a sealer of our own say what is right. */
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/parse.h"
#include "crafted.h"
#include "pump.h"
#include "test.h"

#define NAME   "vpn.example.com"
#define ROOM   70000u /* of a large read */
#define TICKET "\x04\x00\x00\x05ttttt"
#define UPDATE "\x18\x00\x00\x01\x00"
#define HELLO  "\x00\x00\x00\x00" /* HelloRequest */

#define SUITE_13 TLS1_3_CK_AES_128_GCM_SHA256
#define SUITE_12 TLS1_CK_ECDHE_RSA_WITH_AES_128_GCM_SHA256
static const uint32_t versions[] = { SUITE_13, SUITE_12 };

/* Made once by main(). */
static struct identity root, leaf, rsa_leaf;
static char *ca_pem;

/* --- OpenSSL at the other end --- */

/* Our client with its server. An RSA certificate where the suite is not for another. */
static void meet(struct raw_link *l, int version, const char *suite)
{
	struct tls_policy p = { .host = NAME, .ca_pem = ca_pem, .ca_pem_len = strlen(ca_pem) };

	raw_link_open(l, &p, strstr(suite, "ECDSA") ? &leaf : &rsa_leaf, version, suite);
	check_int(l->result, 0);
	check_str(l->client->peer.version, version == TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2");
	check_str(l->client->peer.cipher, suite);
	check_str(l->client->peer.subject, "CN=server");
}

/* Its client with our server. */
struct client_link {
	struct link ours; /* without its client */
	SSL_CTX *ctx;
	SSL *ssl;
};

static void meet_as_server(struct client_link *l, const char *suite)
{
	struct tls_policy p = { .host = NAME };

	link_open(&l->ours, &p, strstr(suite, "ECDSA") ? &leaf : &rsa_leaf, NULL, TLS_1_2, TLS_1_2);
	tls_free(l->ours.client);
	l->ours.client = NULL;
	l->ctx = SSL_CTX_new(TLS_client_method());
	l->ssl = SSL_new(l->ctx);
	check_int(SSL_set_cipher_list(l->ssl, suite), 1);
	check_int(SSL_set_fd(l->ssl, l->ours.fds[0]), 1);
	SSL_set_connect_state(l->ssl);
	for (int i = 0; i < 10 && SSL_do_handshake(l->ssl) != 1; i++)
		l->ours.server_result = tls_handshake(l->ours.server);
	check_int(l->ours.server_result, 0);
	check(SSL_is_init_finished(l->ssl));
	check_str(SSL_get_version(l->ssl), "TLSv1.2");
	check_str(l->ours.server->peer.cipher, suite);
}

static void client_link_close(struct client_link *l)
{
	SSL_free(l->ssl);
	SSL_CTX_free(l->ctx);
	ERR_clear_error();
	link_close(&l->ours);
}

/* Each way; the first megabyte of each generation of keys is OpenSSL's on both sides, what follows may not
 * be. */
#define VOLUME (6u << 20)
#define TURNS  4000

/* It takes all that came. Bytes so far, or SIZE_MAX if they are wrong. */
static size_t theirs_take(SSL *theirs, size_t got)
{
	static uint8_t in[ROOM];
	size_t n;

	while (SSL_read_ex(theirs, in, sizeof(in), &n)) {
		if (!pattern_matches(in, got, n))
			return SIZE_MAX;
		got += n;
	}
	return SSL_get_error(theirs, 0) == SSL_ERROR_WANT_READ ? got : SIZE_MAX;
}

/* The same for us; with little room records are decrypted where they lie. */
static size_t ours_take(struct tls *ours, size_t got, size_t room)
{
	static uint8_t in[ROOM];
	ssize_t n;

	while ((n = tls_read(ours, in, room)) > 0) {
		if (!pattern_matches(in, got, (size_t)n))
			return SIZE_MAX;
		got += (size_t)n;
	}
	return n == -EAGAIN ? got : SIZE_MAX;
}

/* Much data each way, new keys between if the version has them, and a clean end. */
static void agree(struct tls *ours, SSL *theirs, size_t volume)
{
	static const size_t pieces[] = { 1,    15,   16,    17,	   31,	  255,	 256,  1000,
					 1350, 4096, 16383, 16384, 16385, 40000, 15999 };
	const struct {
		size_t at; /* once they have sent so much */
		int kind;
	} updates[] = {
		{ volume / 4, SSL_KEY_UPDATE_NOT_REQUESTED },
		{ volume / 2, SSL_KEY_UPDATE_REQUESTED },
		{ volume / 8 * 6, SSL_KEY_UPDATE_REQUESTED },
		{ volume / 8 * 6, SSL_KEY_UPDATE_NOT_REQUESTED },
	};
	static uint8_t out[40000];
	const size_t to_update = SSL_version(theirs) == TLS1_3_VERSION ? ARRAY_SIZE(updates) : 0;
	size_t up_sent = 0, up_got = 0, down_sent = 0, down_got = 0, done = 0;

	check(ours->records != NULL);
	check(ours->ssl == NULL && ours->ctx == NULL);
	for (unsigned turn = 0; up_got < volume || down_got < volume; turn++) {
		size_t piece = pieces[turn % ARRAY_SIZE(pieces)], n = MIN(piece, volume - up_sent);
		check(turn < TURNS);
		if (n > 0) {
			pattern_fill(out, up_sent, n);
			check_int(tls_write(ours, out, n, turn % 3 == 0), n);
			up_sent += n;
		}
		check_int(tls_flush(ours), 0);
		up_got = theirs_take(theirs, up_got);
		check_int(up_got, up_sent);

		if (done < to_update && down_sent >= updates[done].at)
			check_int(SSL_key_update(theirs, updates[done++].kind), 1);
		n = MIN(piece, volume - down_sent);
		if (n > 0) {
			pattern_fill(out, down_sent, n);
			check_int(SSL_write(theirs, out, (int)n), n);
			down_sent += n;
		}
		down_got = ours_take(ours, down_got, turn % 4 == 3 ? 1000 : ROOM);
		check_int(down_got, down_sent);
	}
	check_int(done, to_update);
	check_int(SSL_shutdown(theirs), 0);
	check_int(tls_read(ours, out, sizeof(out)), 0);
	check_int(tls_shutdown(ours), 0);
	check_int(SSL_shutdown(theirs), 1);
}

static void agree_as_client(int version, const char *suite, size_t volume)
{
	struct raw_link l;

	meet(&l, version, suite);
	agree(l.client, l.raw.ssl, volume);
	raw_link_close(&l);
}

static void agree_as_server(const char *suite)
{
	struct client_link l;

	meet_as_server(&l, suite);
	agree(l.ours.server, l.ssl, VOLUME);
	client_link_close(&l);
}

static void aes_128_agrees_with_openssl(void)
{
	agree_as_client(TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256", VOLUME);
	agree_as_client(TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256", VOLUME);
	agree_as_server("ECDHE-RSA-AES128-GCM-SHA256");
}

static void aes_256_agrees_with_openssl(void)
{
	agree_as_client(TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384", VOLUME);
	agree_as_client(TLS1_2_VERSION, "ECDHE-RSA-AES256-GCM-SHA384", VOLUME);
	agree_as_server("ECDHE-RSA-AES256-GCM-SHA384");
}

static void chacha20_agrees_with_openssl(void)
{
	agree_as_client(TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256", VOLUME);
	agree_as_client(TLS1_2_VERSION, "ECDHE-RSA-CHACHA20-POLY1305", VOLUME);
	agree_as_server("ECDHE-RSA-CHACHA20-POLY1305");
}

static void other_key_exchanges_make_no_difference(void)
{
	static const char *const suites[] = {
		"ECDHE-ECDSA-AES128-GCM-SHA256",
		"ECDHE-ECDSA-AES256-GCM-SHA384",
		"ECDHE-ECDSA-CHACHA20-POLY1305",
		"DHE-RSA-AES128-GCM-SHA256",
		"DHE-RSA-AES256-GCM-SHA384",
		"AES128-GCM-SHA256",
		"AES256-GCM-SHA384",
	};

	for (size_t i = 0; i < ARRAY_SIZE(suites); i++)
		agree_as_client(TLS1_2_VERSION, suites[i], 200000);
}

static void cbc_is_left_to_openssl(void)
{
	static const char *const suites[] = { "ECDHE-RSA-AES128-SHA256", "AES256-SHA" };
	struct raw_link l;
	char in[10];

	for (size_t i = 0; i < ARRAY_SIZE(suites); i++) {
		meet(&l, TLS1_2_VERSION, suites[i]);
		check(l.client->records == NULL && l.client->ssl != NULL);
		check_int(tls_write(l.client, "data", 4, false), 4);
		check_int(SSL_read(l.raw.ssl, in, sizeof(in)), 4);
		check_int(SSL_write(l.raw.ssl, "more", 4), 4);
		check_int(tls_read(l.client, in, sizeof(in)), 4);
		raw_link_close(&l);
	}
}

/* Those of the server that come with the end of the handshake, in one recv(2). */
static void records_behind_the_handshake_are_not_lost(void)
{
	struct tls_policy p = { .host = NAME, .ca_pem = ca_pem, .ca_pem_len = strlen(ca_pem) };
	struct failure f = { 0 };
	struct raw_server raw;
	struct tls *t = NULL;
	int fds[2];
	char in[20];

	make_pair(fds);
	raw_open(&raw, fds[1], &leaf, TLS1_2_VERSION, TLS1_2_VERSION, NULL);
	check_int(tls_client_new(&p, fds[0], &t, &f), 0);
	for (int i = 0; i < 10 && SSL_do_handshake(raw.ssl) != 1; i++)
		check_int(tls_handshake(t), -EAGAIN);
	check_int(SSL_write(raw.ssl, "early", 5), 5);
	check_int(SSL_write(raw.ssl, "birds", 5), 5);
	check_int(tls_handshake(t), 0);
	check(t->records != NULL);
	check_int(tls_read(t, in, sizeof(in)), 10);
	check_mem(in, 10, "earlybirds", 10);
	tls_free(t);
	raw_close(&raw);
	close_fd(fds[0]);
	close_fd(fds[1]);
}

/* --- renegotiation --- */

static void note_alert(const SSL *ssl, int where, int value)
{
	int *heard = SSL_get_app_data(ssl);

	if (where == SSL_CB_READ_ALERT)
		*heard = value;
}

#define REFUSAL (SSL3_AL_WARNING << 8 | SSL_AD_NO_RENEGOTIATION)

static void a_server_that_asks_for_it_is_refused(void)
{
	struct raw_link l;
	int heard = 0;
	char in[10];

	meet(&l, TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256");
	check(l.client->records != NULL);
	SSL_set_app_data(l.raw.ssl, &heard);
	SSL_set_info_callback(l.raw.ssl, note_alert);
	check_int(SSL_write(l.raw.ssl, "one", 3), 3);
	check_int(SSL_renegotiate(l.raw.ssl), 1);
	check_int(SSL_do_handshake(l.raw.ssl), 1); /* sends HelloRequest */
	check_int(SSL_write(l.raw.ssl, "two", 3), 3);
	check_int(tls_read(l.client, in, sizeof(in)), 6);
	check_mem(in, 6, "onetwo", 6);
	check_int(tls_write(l.client, "data", 4, false), 4);
	check_int(tls_failure(l.client)->cause, CAUSE_NONE);
	/* To OpenSSL that is reason enough to end the session. */
	check(SSL_read(l.raw.ssl, in, sizeof(in)) < 0);
	check_int(heard, REFUSAL);
	check_int(tls_read(l.client, in, sizeof(in)), -EPROTO);
	check_str(tls_failure(l.client)->detail, "the server sent the TLS alert handshake_failure (40)");
	raw_link_close(&l);
}

static void a_client_that_asks_for_it_is_refused(void)
{
	struct client_link l;
	int heard = 0;
	char in[10];

	meet_as_server(&l, "ECDHE-RSA-AES128-GCM-SHA256");
	SSL_set_app_data(l.ssl, &heard);
	SSL_set_info_callback(l.ssl, note_alert);
	check_int(SSL_write(l.ssl, "one", 3), 3);
	check_int(SSL_renegotiate(l.ssl), 1);
	check_int(SSL_do_handshake(l.ssl), -1); /* sends ClientHello */
	check_int(tls_read(l.ours.server, in, sizeof(in)), 3);
	check_int(tls_read(l.ours.server, in, sizeof(in)), -EAGAIN);
	check_int(tls_write(l.ours.server, "data", 4, false), 4);
	check_int(tls_failure(l.ours.server)->cause, CAUSE_NONE);
	check_int(SSL_do_handshake(l.ssl), -1);
	check_int(heard, REFUSAL);
	check_int(tls_read(l.ours.server, in, sizeof(in)), -EPROTO);
	check_str(tls_failure(l.ours.server)->detail, "the client sent the TLS alert handshake_failure (40)");
	client_link_close(&l);
}

/* --- a trace --- */

/* Simple 1-RTT Handshake, RFC 8448 §3: both application traffic secrets, and what was sent under them. */
static const char rfc8448_secrets[2][65] = {
	"9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5",
	"a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643",
};
static const char rfc8448_keys[2][57] = { /* key and IV */
					  "17422dda596ed5d9acd890e3c63f5051"
					  "5b78923dee08579033e523d9",
					  "9f02283b6c9c07efc26bb9f2ac92e356"
					  "cf782b88dd83549aadf1e984"
};
static const char rfc8448_client[] = /* data, close_notify */
	"1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b6297"
	"4e1f"
	"5a6292a2977014bd1e3deae63aeebb21694915e4"
	"1703030013c9872760655666b74d7ff1153efd6db6d0b0e3";
static const char rfc8448_server[] = /* a ticket, data, close_notify */
	"17030300de3a6b8f90414a97d6959c3487680de5134a2b240e6cffac116e95d41d6af8f6b580dcf3d11d63c758db289a0159"
	"4025"
	"2f55713e061dc13e078891a38efbcf5753ad8ef170ad3c7353d16d9da773b9ca7f2b9fa1b6c0d4a3d03f75e09c30ba1e6297"
	"2ac4"
	"6f75f7b981be63439b2999ce13064615139891d5e4c5b406f16e3fc181a77ca475840025db2f0a77f81b5ab05b94c0134675"
	"5f69"
	"232c86519d86cbeeac87aac347d143f9605d64f650db4d023e70e952ca49fe5137121c74bc2697687e248746d6df353005f3"
	"bce1"
	"8696129c8153556b3b6c6779b37bf15985684f"
	"17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb501a59a8fcc4"
	"9c4b"
	"f2e5f0a21c0047c2abf332540dd032e167c2955d"
	"1703030013b58fd67166ebf599d24720cfbe7efa7a8864a9";

static void the_trace_of_rfc_8448_is_read_and_written(void)
{
	struct traffic_secrets secrets = sealer_secrets(SUITE_13);
	const char *traces[2] = { rfc8448_client, rfc8448_server };
	uint8_t data[50], in[400], key[28];
	static struct crafted c;

	for (uint8_t i = 0; i < sizeof(data); i++)
		data[i] = i;
	for (int i = 0; i < 2; i++)
		check_int(parse_hex(rfc8448_secrets[i], secrets.secret[i], 32), 0);
	for (int server = 0; server < 2; server++) {
		crafted_open_with(&c, SUITE_13, server, &secrets);
		/* The judge is judged, too. */
		check_int(parse_hex(rfc8448_keys[server], key, sizeof(key)), 0);
		check_mem(c.from.key, 16, key, 16);
		check_mem(c.from.iv, 12, key + 16, 12);

		c.len = strlen(traces[!server]) / 2;
		check_int(parse_hex(traces[!server], c.stream, c.len), 0);
		check(crafted_deliver(&c));
		check_int(tls_read(c.t, in, sizeof(in)), sizeof(data));
		check_mem(in, sizeof(data), data, sizeof(data));
		check_int(tls_read(c.t, in, sizeof(in)), 0);
		if (!server) { /* our server has no ticket to begin with */
			uint8_t expected[72 + 24];
			check_int(parse_hex(rfc8448_client, expected, sizeof(expected)), 0);
			check_int(tls_write(c.t, data, sizeof(data), false), sizeof(data));
			check_int(tls_shutdown(c.t), 0);
			ssize_t n = recv(c.fds[1], in, sizeof(in), 0);
			check_mem(in, (size_t)MAX(n, 0), expected, sizeof(expected));
		}
		crafted_close(&c);
	}
}

/* --- keys of our own direction --- */

static void an_update_is_answered_before_what_follows(void)
{
	uint8_t type, content[100];
	static struct crafted c;

	crafted_open(&c, SUITE_13, false);
	for (int i = 0; i < 3; i++) {
		check_int(tls_write(c.t, "before", 6, true), 6);
		crafted_add(&c, SSL3_RT_HANDSHAKE, "\x18\x00\x00\x01\x01", 5);
		sealer_update(&c.to);
		check(crafted_deliver(&c));
		check_int(tls_read(c.t, content, sizeof(content)), -EAGAIN);
		check_int(tls_write(c.t, "after", 5, false), 5);

		check_int(crafted_hear(&c, &type, content, sizeof(content)), 6);
		check_int(type, SSL3_RT_APPLICATION_DATA);
		check_mem(content, 6, "before", 6);
		check_int(crafted_hear(&c, &type, content, sizeof(content)), 5);
		check_int(type, SSL3_RT_HANDSHAKE);
		check_mem(content, 5, "\x18\x00\x00\x01\x00", 5); /* asks for nothing */
		sealer_update(&c.from);
		check_int(crafted_hear(&c, &type, content, sizeof(content)), 5);
		check_mem(content, 5, "after", 5);
		check(crafted_hears_alert(&c, 0));
	}
	crafted_close(&c);
}

/* After our last word, what asks for an answer and what would earn an alert. */
static void check_silence(uint32_t suite)
{
	uint8_t type, content[100];
	static struct crafted c;

	crafted_open(&c, suite, false);
	check_int(tls_shutdown(c.t), 0);
	check_int(tls_shutdown(c.t), 0);
	check_int(tls_write(c.t, "late", 4, false), -EPIPE);
	if (suite == SUITE_13) {
		crafted_add(&c, SSL3_RT_HANDSHAKE, "\x18\x00\x00\x01\x01", 5);
		sealer_update(&c.to);
	} else {
		crafted_add(&c, SSL3_RT_HANDSHAKE, HELLO, 4);
	}
	crafted_add(&c, SSL3_RT_APPLICATION_DATA, "data", 4);
	crafted_add(&c, SSL3_RT_HANDSHAKE, NULL, 0);
	check(crafted_deliver(&c));
	check_int(tls_read(c.t, content, sizeof(content)), 4);
	check_int(tls_read(c.t, content, sizeof(content)), -EPROTO);
	check_int(crafted_hear(&c, &type, content, sizeof(content)), 2);
	check_int(type, SSL3_RT_ALERT);
	check_mem(content, 2, "\x01\x00", 2);
	check(crafted_hears_alert(&c, 0)); /* nothing comes after close_notify (§6.1) */
	crafted_close(&c);
}

static void goodbye_is_said_once(void)
{
	check_silence(SUITE_13);
	check_silence(SUITE_12);
}

/* --- how it comes --- */

static void records_arrive_in_any_pieces(void)
{
	static const size_t steps[] = { 1, 2, 5, 7, 21, 1000 };
	static uint8_t in[ROOM];
	static struct crafted c;

	for (size_t i = 0; i < 2 * ARRAY_SIZE(steps); i++) {
		const size_t each = steps[i / 2];
		const bool tls13 = versions[i % 2] == SUITE_13;
		size_t got = 0, len;
		ssize_t n = -EAGAIN;

		crafted_open(&c, versions[i % 2], false);
		crafted_add_pattern(&c, 0, 1);
		crafted_add_pattern(&c, 1, 100);
		crafted_add(&c, SSL3_RT_HANDSHAKE, tls13 ? TICKET : HELLO, tls13 ? sizeof(TICKET) - 1 : 4);
		crafted_add(&c, SSL3_RT_APPLICATION_DATA, NULL, 0);
		if (tls13) {
			crafted_add(&c, SSL3_RT_HANDSHAKE, UPDATE, sizeof(UPDATE) - 1);
			sealer_update(&c.to);
		}
		crafted_add_pattern(&c, 101, 3000);
		crafted_add(&c, SSL3_RT_ALERT, "\x01\x00", 2);
		len = c.len;
		for (size_t at = 0; at < len; at += each) {
			size_t step = MIN(each, len - at);
			check_int(n, -EAGAIN);
			check_int(send(c.fds[1], c.stream + at, step, 0), step);
			while ((n = tls_read(c.t, in, sizeof(in))) > 0) {
				check(pattern_matches(in, got, (size_t)n));
				got += (size_t)n;
			}
			check(!tls_pending(c.t));
		}
		check_int(n, 0);
		check_int(got, 3101);
		crafted_close(&c);
	}
}

static void what_has_no_room_is_kept(void)
{
	static const size_t rooms[] = { 1, 100, 5000, 16383, 16384, 16385, 16400 };
	static uint8_t in[ROOM];
	static struct crafted c;

	for (size_t i = 0; i < 2 * ARRAY_SIZE(rooms); i++) {
		const size_t room = rooms[i / 2];
		const bool tls13 = versions[i % 2] == SUITE_13;
		size_t got = 0;
		ssize_t n;

		crafted_open(&c, versions[i % 2], false);
		crafted_add_pattern(&c, 0, 16384);
		crafted_add_pattern(&c, 16384, 1);
		crafted_add(&c, SSL3_RT_HANDSHAKE, tls13 ? TICKET : HELLO, tls13 ? sizeof(TICKET) - 1 : 4);
		crafted_add_pattern(&c, 16385, 300);
		crafted_add(&c, SSL3_RT_APPLICATION_DATA, NULL, 0);
		crafted_add_pattern(&c, 16685, 5000);
		check(crafted_deliver(&c));
		in[room] = 0xee;
		while ((n = tls_read(c.t, in, room)) > 0) {
			check(n <= (ssize_t)room);
			check_int(in[room], 0xee);
			check(pattern_matches(in, got, (size_t)n));
			got += (size_t)n;
			if (got == (size_t)n) { /* more arrives while some waits */
				crafted_add_pattern(&c, 21685, 700);
				check(crafted_deliver(&c));
			}
			check(tls_pending(c.t) || got >= 21685);
			/* One recv(2) for one read: what came later waits for the next. */
			check(got <= 21685 || got - (size_t)n >= 21685);
		}
		check_int(n, -EAGAIN);
		check_int(got, 22385);
		check(!tls_pending(c.t));
		crafted_close(&c);
	}
}

/* The others on the loop get their turn. */
static void a_read_without_data_is_one_recv_as_well(void)
{
	static uint8_t ticket[4 + 65535] = { 4, 0, 0xff, 0xff };
	static struct crafted c;
	char in[10];

	crafted_open(&c, SUITE_13, false);
	for (int i = 0; i < 5; i++) {
		for (size_t at = 0; at < sizeof(ticket); at += TLS_RECORD_MAX)
			crafted_add(&c, SSL3_RT_HANDSHAKE, ticket + at,
				    MIN(sizeof(ticket) - at, (size_t)TLS_RECORD_MAX));
		check(crafted_deliver(&c));
	}
	crafted_add(&c, SSL3_RT_APPLICATION_DATA, "data", 4);
	check(crafted_deliver(&c));
	check_int(tls_read(c.t, in, sizeof(in)), -EAGAIN);
	check(!tls_drained(c.t));
	check_int(tls_read(c.t, in, sizeof(in)), 4);
	check_int(tls_read(c.t, in, sizeof(in)), -EAGAIN);
	check(tls_drained(c.t));
	crafted_close(&c);
}

static void a_record_cut_off_is_no_clean_end(void)
{
	static uint8_t in[ROOM];
	static struct crafted c;

	crafted_open(&c, SUITE_13, false);
	crafted_add_pattern(&c, 0, 10);
	crafted_add_pattern(&c, 10, 10);
	c.len -= 1;
	check(crafted_deliver(&c));
	check_int(shutdown(c.fds[1], SHUT_WR), 0);
	check_int(tls_read(c.t, in, sizeof(in)), 10);
	check_int(tls_read(c.t, in, sizeof(in)), -ECONNRESET);
	check_str(tls_failure(c.t)->detail, "the server closed it without close_notify");
	check_int(tls_read(c.t, in, sizeof(in)), -ECONNRESET);
	check(crafted_hears_alert(&c, 0));
	crafted_close(&c);
}

/* A megabyte later, where another cipher may have taken over. */
static void a_late_record_is_checked_as_well(void)
{
	static const uint32_t suites[] = {
		TLS1_3_CK_AES_128_GCM_SHA256,
		TLS1_3_CK_AES_256_GCM_SHA384,
		TLS1_3_CK_CHACHA20_POLY1305_SHA256,
		TLS1_CK_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		TLS1_CK_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		TLS1_CK_ECDHE_RSA_WITH_CHACHA20_POLY1305,
	};
	static const int bends[] = { 0, 2, 5, 700, -17, -16, -1 };
	static uint8_t in[ROOM];
	static struct crafted c;

	for (size_t i = 0; i < ARRAY_SIZE(suites) * ARRAY_SIZE(bends); i++) {
		const int bend = bends[i % ARRAY_SIZE(bends)];

		crafted_open(&c, suites[i / ARRAY_SIZE(bends)], false);
		for (size_t at = 0; at < (1u << 20) + 100000u; at += TLS_RECORD_MAX) {
			crafted_add_pattern(&c, at, TLS_RECORD_MAX);
			check(crafted_deliver(&c));
			check_int(tls_read(c.t, in, sizeof(in)), TLS_RECORD_MAX);
			check(pattern_matches(in, at, TLS_RECORD_MAX));
		}
		crafted_add_pattern(&c, 0, TLS_RECORD_MAX);
		c.stream[bend < 0 ? c.len - (size_t)-bend : (size_t)bend] ^= bend != 0;
		check(crafted_deliver(&c));
		if (bend)
			check_int(tls_read(c.t, in, sizeof(in)), -EPROTO);
		else
			check_int(tls_read(c.t, in, sizeof(in)), TLS_RECORD_MAX);
		check(crafted_hears_alert(&c, bend ? SSL_AD_BAD_RECORD_MAC : 0));
		crafted_close(&c);
	}
}

/* --- the queue below --- */

static void the_queue_is_bounded_and_given_up_once(void)
{
	struct wire w = { .fd = -1 };
	uint8_t *place = NULL;

	check_int(wire_reserve_queue(&w, 3000, &place), 0);
	pattern_fill(place, 0, 3000);
	w.len += 3000;
	w.head += 1000; /* as if they had been sent */
	check_int(w.size, QUEUE_TARGET);
	/* What was sent makes room for what comes. */
	check_int(wire_reserve_queue(&w, QUEUE_TARGET - 2000, &place), 0);
	check_int(w.size, QUEUE_TARGET);
	check_int(wire_unsent(&w), 2000);
	check(pattern_matches(w.queue + w.head, 1000, 2000));
	check(place == w.queue + w.len);
	w.len += QUEUE_TARGET - 2000;
	check_int(wire_reserve_queue(&w, QUEUE_MAX - QUEUE_TARGET, &place), 0);
	check(pattern_matches(w.queue, 1000, 2000));
	check_int(wire_reserve_queue(&w, QUEUE_MAX - QUEUE_TARGET + 1, &place), -ENOBUFS);
	check_int(wire_unsent(&w), QUEUE_TARGET);

	check_int(wire_give_up(&w, -ENOBUFS), -ENOBUFS);
	check_int(wire_unsent(&w), 0);
	check_int(wire_flush(&w), -ENOBUFS);
	free(w.queue);
}

int main(void)
{
	root = identity_new(&(struct identity_spec){ .cn = "Test Root", .ca = true });
	leaf = identity_new(&(struct identity_spec){ .cn = "server", .san = "DNS:" NAME, .issuer = &root });
	rsa_leaf = identity_new(&(struct identity_spec){
		.cn = "server", .san = "DNS:" NAME, .issuer = &root, .rsa_bits = 2048 });
	ca_pem = pem_of_certs((X509 *[]){ root.cert, NULL });
	int result = run_tests((struct test[]){ TEST(the_trace_of_rfc_8448_is_read_and_written),
						TEST(aes_128_agrees_with_openssl),
						TEST(aes_256_agrees_with_openssl),
						TEST(chacha20_agrees_with_openssl),
						TEST(other_key_exchanges_make_no_difference),
						TEST(cbc_is_left_to_openssl),
						TEST(records_behind_the_handshake_are_not_lost),
						TEST(a_server_that_asks_for_it_is_refused),
						TEST(a_client_that_asks_for_it_is_refused),
						TEST(an_update_is_answered_before_what_follows),
						TEST(goodbye_is_said_once),
						TEST(records_arrive_in_any_pieces),
						TEST(what_has_no_room_is_kept),
						TEST(a_read_without_data_is_one_recv_as_well),
						TEST(a_record_cut_off_is_no_clean_end),
						TEST(a_late_record_is_checked_as_well),
						TEST(the_queue_is_bounded_and_given_up_once),
						{} });
	free(ca_pem);
	identity_free(&leaf);
	identity_free(&rsa_leaf);
	identity_free(&root);
	return result;
}
