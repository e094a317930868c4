/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a peer may send after a handshake, and what it hears when it sends anything else. */
#include <errno.h>
#include <stdlib.h>

#include "crafted.h"
#include "test.h"

enum what {
	END,
	RECORD,
	PLAIN,	  /* bytes as they are */
	AGAIN,	  /* all that came before, once more */
	LOST,	  /* an empty record that does not arrive */
	NEW_KEYS, /* the peer's, after its KeyUpdate */
};

struct piece {
	enum what what;
	uint8_t type;
	const char *bytes; /* NULL: 'x' */
	size_t len, padding;
	unsigned times; /* 0: once */
	int bend;	/* a bit of this byte of the record is wrong, from its end if negative; 0: none */
};

struct row {
	const char *title;
	bool server;	 /* it is us who are */
	size_t data;	 /* bytes that are delivered */
	int end;	 /* -EAGAIN: it goes on */
	const char *why; /* the failure's detail */
	int alert;	 /* the peer hears; 0: none */
	int refusals;	 /* and before that so many warnings, no_renegotiation */
	struct piece pieces[7];
};

#define DATA(n, ...)                                                                      \
	{                                                                                 \
		.what = RECORD, .type = SSL3_RT_APPLICATION_DATA, .len = (n), __VA_ARGS__ \
	}
#define BYTES(t, s, ...)                                                                     \
	{                                                                                    \
		.what = RECORD, .type = (t), .bytes = (s), .len = sizeof(s) - 1, __VA_ARGS__ \
	}
#define MESSAGE(s, ...) BYTES(SSL3_RT_HANDSHAKE, s, __VA_ARGS__)
#define ALERT(s, ...)	BYTES(SSL3_RT_ALERT, s, __VA_ARGS__)
#define OTHER(t, n, ...)                                             \
	{                                                            \
		.what = RECORD, .type = (t), .len = (n), __VA_ARGS__ \
	}
#define WIRE(s)                                                   \
	{                                                         \
		.what = PLAIN, .bytes = (s), .len = sizeof(s) - 1 \
	}
#define DO(w)               \
	{                   \
		.what = (w) \
	}
#define TICKET	     "\x04\x00\x00\x05ttttt"
#define EMPTY_TICKET "\x04\x00\x00\x00"
#define UPDATE	     "\x18\x00\x00\x01\x00"
#define HELLO	     "\x00\x00\x00\x00" /* HelloRequest */
#define CLIENT_HELLO "\x01\x00\x00\x05xxxxx"
#define MAX_INNER    (TLS_RECORD_MAX + 256u - 16u) /* of a record that is as long as one may be */
#define ROW(t, n, result, ...)                                           \
	{                                                                \
		.title = t, .data = n, result, .pieces = { __VA_ARGS__ } \
	}

#define OF_CLIENT(result)	   result, .server = true
#define GOES_ON			   .end = -EAGAIN
#define REFUSED(n)		   .end = -EAGAIN, .refusals = n
#define CLOSED			   .end = 0
#define FLOOD			   .end = -EPROTO, .why = "a flood of TLS messages without data"
#define FLOOD_AFTER(n)		   FLOOD, .refusals = n
#define SAID(s)			   .end = -EPROTO, .why = s
#define VIOLATION(s, text, number) .end = -EPROTO, .why = "TLS: " s ": " text, .alert = number
#define UNEXPECTED(s)		   VIOLATION(s, "unexpected_message (10)", 10)
#define BAD_MAC(s)		   VIOLATION(s, "bad_record_mac (20)", 20)
#define OVERFLOW		   VIOLATION("a record longer than allowed", "record_overflow (22)", 22)
#define ILLEGAL(s)		   VIOLATION(s, "illegal_parameter (47)", 47)
#define ODD_ALERT		   VIOLATION("an alert of odd length", "decode_error (50)", 50)
#define NO_TYPE			   UNEXPECTED("a record without a type")
#define NEW_TYPE		   UNEXPECTED("a record of unknown type")
#define IN_CLEAR		   UNEXPECTED("a record that is not encrypted")
#define TOO_SHORT		   BAD_MAC("a record shorter than an empty one")
#define FORGED			   BAD_MAC("a record that is not authentic")
#define NO_PLACE		   UNEXPECTED("a handshake message that has no place here")
#define WRONG_LENGTH		   VIOLATION("a handshake message of wrong length", "decode_error (50)", 50)
#define INTERRUPTED		   UNEXPECTED("a handshake message was interrupted")
#define SPANS			   UNEXPECTED("a record that spans a change of keys")

/* Sections of RFC 8446. */
static const struct row rows[] = {
	/* §5.4, padding */
	ROW("one zero", 10, GOES_ON, DATA(5, .padding = 1), DATA(5)),
	ROW("a hundred zeros", 10, GOES_ON, DATA(5, .padding = 100), DATA(5)),
	ROW("as many as fit", 6, GOES_ON, DATA(1, .padding = MAX_INNER - 2), DATA(5)),
	ROW("a full record and zeros", 16384 + 5, GOES_ON, DATA(16384, .padding = MAX_INNER - 16385),
	    DATA(5)),
	ROW("a padded ticket", 5, GOES_ON, MESSAGE(TICKET, .padding = 300), DATA(5)),
	ROW("nothing but a zero", 5, NO_TYPE, DATA(5), OTHER(0, 0)),
	ROW("nothing but zeros", 0, NO_TYPE, OTHER(0, 0, .padding = MAX_INNER - 1)),
	ROW("type 20", 0, NEW_TYPE, BYTES(20, "\x01")), /* change_cipher_spec */
	ROW("type 24", 0, NEW_TYPE, OTHER(24, 9)),	/* heartbeat */
	ROW("type 255", 0, NEW_TYPE, OTHER(255, 0)),

	/* §5.1, empty records */
	ROW("empty data", 5, GOES_ON, DATA(0), DATA(0, .padding = 50), DATA(5)),
	ROW("32 at a time", 2, GOES_ON, DATA(0, .times = 32), DATA(1), DATA(0, .times = 32), DATA(1)),
	ROW("33 at a time", 5, FLOOD, DATA(5), DATA(0, .times = 33), DATA(5)),
	ROW("an empty message", 0, UNEXPECTED("an empty handshake record"), OTHER(SSL3_RT_HANDSHAKE, 0)),
	ROW("an empty rest", 0, UNEXPECTED("an empty handshake record"), MESSAGE("\x04\x00\x00\x05t"),
	    OTHER(SSL3_RT_HANDSHAKE, 0, .padding = 9)),
	ROW("an empty alert", 0, UNEXPECTED("an empty alert record"), OTHER(SSL3_RT_ALERT, 0)),

	/* §5.1, §5.2, headers */
	ROW("a message in the clear", 0, IN_CLEAR, WIRE("\x16\x03\x03\x00\x05hello")),
	ROW("change_cipher_spec", 0, IN_CLEAR, WIRE("\x14\x03\x03\x00\x01\x01")),
	ROW("an alert in the clear", 5, IN_CLEAR, DATA(5), WIRE("\x15\x03\x03\x00\x02\x02\x28")),
	ROW("major version 2", 0, IN_CLEAR, WIRE("\x17\x02\x03\x00\x20")),
	ROW("major version 4", 0, IN_CLEAR, WIRE("\x17\x04\x03\x00\x20")),
	ROW("four bytes", 5, GOES_ON, DATA(5), WIRE("\x17\x03\x03\x40")),
	ROW("the greatest length", 5, GOES_ON, DATA(5), WIRE("\x17\x03\x03\x41\x00")),
	ROW("one more", 5, OVERFLOW, DATA(5), WIRE("\x17\x03\x03\x41\x01")),
	ROW("65535", 0, OVERFLOW, WIRE("\x17\x03\x03\xff\xff")),
	ROW("no length", 0, TOO_SHORT, WIRE("\x17\x03\x03\x00\x00")),
	ROW("a tag", 0, TOO_SHORT, WIRE("\x17\x03\x03\x00\x10tttttttttttttttt")),
	ROW("a tag and a byte", 0, FORGED, WIRE("\x17\x03\x03\x00\x11ttttttttttttttttt")),
	ROW("a byte too much", 16384, OVERFLOW, DATA(16384), DATA(16385)),
	ROW("as much as fits", 0, OVERFLOW, DATA(MAX_INNER - 1)),
	ROW("a long message", 0, OVERFLOW, OTHER(SSL3_RT_HANDSHAKE, 16385)),

	/* §5.2, authenticity */
	ROW("another version", 5, FORGED, DATA(5), DATA(5, .bend = 2)),
	ROW("it seems longer", 0, FORGED, DATA(5, .bend = 4), DATA(5)),
	ROW("it seems shorter", 0, FORGED, DATA(6, .bend = 4)),
	ROW("the first byte", 0, FORGED, DATA(5, .bend = 5)),
	ROW("the type", 0, FORGED, DATA(5, .bend = -17)),
	ROW("the tag", 0, FORGED, DATA(5, .bend = -16)),
	ROW("its last byte", 0, FORGED, DATA(5, .bend = -1)),
	ROW("twice the same", 5, FORGED, DATA(5), DO(AGAIN)),
	ROW("one is lost", 5, FORGED, DATA(5), DO(LOST), DATA(5)),

	/* §4.6.1, tickets */
	ROW("a ticket", 6, GOES_ON, DATA(1), MESSAGE(TICKET), DATA(5)),
	ROW("in three records", 5, GOES_ON, MESSAGE("\x04\x00"), MESSAGE("\x00\x05t"), MESSAGE("tttt"),
	    DATA(5)),
	ROW("three in a record", 5, GOES_ON, MESSAGE(TICKET TICKET UPDATE), DO(NEW_KEYS), DATA(5)),
	ROW("one and a half", 5, GOES_ON, MESSAGE(TICKET "\x04"), MESSAGE("\x00\x00\x05ttttt"), DATA(5)),
	ROW("an empty ticket", 5, GOES_ON, MESSAGE(EMPTY_TICKET), DATA(5)),
	ROW("a long ticket", 5, GOES_ON, MESSAGE("\x04\x00\xff\xff"),
	    OTHER(SSL3_RT_HANDSHAKE, 16384, .times = 3), OTHER(SSL3_RT_HANDSHAKE, 16383), DATA(5)),
	ROW("a longer ticket", 0, WRONG_LENGTH, MESSAGE("\x04\x01\x00\x00")),
	ROW("data in a ticket", 0, INTERRUPTED, MESSAGE("\x04\x00\x00\x05t"), DATA(5)),
	ROW("empty data in it", 0, INTERRUPTED, MESSAGE("\x04\x00\x00\x05t"), DATA(0)),
	ROW("the end in it", 0, INTERRUPTED, MESSAGE("\x04"), ALERT("\x01\x00")),
	ROW("32 tickets", 5, GOES_ON, MESSAGE(TICKET, .times = 32), DATA(5)),
	ROW("33 tickets", 0, FLOOD, MESSAGE(TICKET, .times = 33), DATA(5)),
	ROW("33 in three records", 0, FLOOD,
	    MESSAGE(EMPTY_TICKET EMPTY_TICKET EMPTY_TICKET EMPTY_TICKET EMPTY_TICKET EMPTY_TICKET EMPTY_TICKET
			    EMPTY_TICKET EMPTY_TICKET EMPTY_TICKET EMPTY_TICKET,
		    .times = 3),
	    DATA(5)),
	ROW("of a client", 5, OF_CLIENT(NO_PLACE), DATA(5), MESSAGE(TICKET)),

	/* §4.6.3, new keys */
	ROW("new keys", 6, GOES_ON, DATA(1), MESSAGE(UPDATE), DO(NEW_KEYS), DATA(5)),
	ROW("again", 5, GOES_ON, MESSAGE(UPDATE), DO(NEW_KEYS), MESSAGE(UPDATE), DO(NEW_KEYS), DATA(5)),
	ROW("a client's", 5, OF_CLIENT(GOES_ON), MESSAGE(UPDATE), DO(NEW_KEYS), DATA(5)),
	ROW("in two records", 5, GOES_ON, MESSAGE("\x18\x00\x00\x01"), MESSAGE("\x00"), DO(NEW_KEYS),
	    DATA(5)),
	ROW("the old keys", 0, FORGED, MESSAGE(UPDATE), DATA(5)),
	ROW("unannounced keys", 5, FORGED, DATA(5), DO(NEW_KEYS), DATA(5)),
	ROW("no kind", 0, WRONG_LENGTH, MESSAGE("\x18\x00\x00\x00")),
	ROW("two bytes", 0, WRONG_LENGTH, MESSAGE("\x18\x00\x00\x02\x00\x00")),
	ROW("kind 2", 0, ILLEGAL("a key update of unknown kind"), MESSAGE("\x18\x00\x00\x01\x02")),
	ROW("a byte behind it", 0, SPANS, MESSAGE(UPDATE "\x04"), DO(NEW_KEYS), DATA(5)),
	ROW("two in one record", 0, SPANS, MESSAGE(UPDATE UPDATE), DO(NEW_KEYS), DATA(5)),
	ROW("after 32 tickets", 0, FLOOD, MESSAGE(TICKET, .times = 32), MESSAGE(UPDATE), DO(NEW_KEYS),
	    DATA(5)),

	/* §4, other messages */
	ROW("HelloRequest", 0, NO_PLACE, MESSAGE("\x00\x00\x00\x00")),
	ROW("ServerHello", 0, NO_PLACE, MESSAGE("\x02\x00\x00\x05xxxxx")),
	ROW("CertificateRequest", 0, NO_PLACE, MESSAGE("\x0d\x00\x00\x05xxxxx")),
	ROW("Finished", 0, NO_PLACE, MESSAGE("\x14\x00\x00\x20")),

	/* §6, alerts */
	ROW("close_notify", 5, CLOSED, DATA(5), ALERT("\x01\x00")),
	ROW("as a fatal one", 0, CLOSED, ALERT("\x02\x00")),
	ROW("data after the end", 5, CLOSED, DATA(5), ALERT("\x01\x00"), DATA(5)),
	ROW("garbage after it", 5, CLOSED, DATA(5), ALERT("\x01\x00"), WIRE("garbage")),
	ROW("user_canceled", 0, CLOSED, ALERT("\x01\x5a"), ALERT("\x01\x00")),
	ROW("33 of them", 0, FLOOD, ALERT("\x01\x5a", .times = 33)),
	ROW("fatal", 5, SAID("the server sent the TLS alert handshake_failure (40)"), DATA(5),
	    ALERT("\x02\x28"), DATA(5)),
	ROW("as a warning", 0, SAID("the server sent the TLS alert internal_error (80)"), ALERT("\x01\x50")),
	ROW("unknown", 0, SAID("the server sent the TLS alert unknown (200)"), ALERT("\x02\xc8")),
	ROW("of a client", 0, OF_CLIENT(SAID("the client sent the TLS alert internal_error (80)")),
	    ALERT("\x02\x50")),
	ROW("one byte", 0, ODD_ALERT, ALERT("\x02")),
	ROW("three bytes", 0, ODD_ALERT, ALERT("\x02\x28\x28")),
};

/* Sections of RFC 5246. The suite: ECDHE-RSA-AES128-GCM-SHA256. */
static const struct row rows_of_1_2[] = {
	/* §6.2.1, content */
	ROW("full records", 2 * 16384 + 1, GOES_ON, DATA(16384, .times = 2), DATA(1)),
	ROW("empty data", 5, GOES_ON, DATA(0), DATA(5)),
	ROW("32 at a time", 2, GOES_ON, DATA(0, .times = 32), DATA(1), DATA(0, .times = 32), DATA(1)),
	ROW("33 at a time", 5, FLOOD, DATA(5), DATA(0, .times = 33), DATA(5)),
	ROW("an empty message", 0, UNEXPECTED("an empty handshake record"), OTHER(SSL3_RT_HANDSHAKE, 0)),
	ROW("an empty alert", 0, UNEXPECTED("an empty alert record"), OTHER(SSL3_RT_ALERT, 0)),
	ROW("change_cipher_spec", 5, NEW_TYPE, DATA(5), BYTES(20, "\x01")),
	ROW("type 24", 0, NEW_TYPE, OTHER(24, 9)), /* heartbeat */
	ROW("type 0", 0, NEW_TYPE, OTHER(0, 9)),
	ROW("type 255", 0, NEW_TYPE, OTHER(255, 0)),

	/* §6.2.3, headers and lengths */
	ROW("another protocol", 5, IN_CLEAR, DATA(5), WIRE("HTTP/1.1 400 Bad Request")),
	ROW("major version 2", 0, IN_CLEAR, WIRE("\x17\x02\x03\x00\x20")),
	ROW("major version 4", 0, IN_CLEAR, WIRE("\x17\x04\x03\x00\x20")),
	ROW("four bytes", 5, GOES_ON, DATA(5), WIRE("\x17\x03\x03\x40")),
	ROW("the greatest length", 5, GOES_ON, DATA(5), WIRE("\x17\x03\x03\x40\x18")),
	ROW("one more", 5, OVERFLOW, DATA(5), WIRE("\x17\x03\x03\x40\x19")),
	ROW("65535", 0, OVERFLOW, WIRE("\x17\x03\x03\xff\xff")),
	ROW("a byte too much", 16384, OVERFLOW, DATA(16384), DATA(16385)),
	ROW("no length", 0, TOO_SHORT, WIRE("\x17\x03\x03\x00\x00")),
	ROW("an alert in the clear", 5, TOO_SHORT, DATA(5), WIRE("\x15\x03\x03\x00\x02\x02\x28")),
	ROW("change_cipher_spec", 0, TOO_SHORT, WIRE("\x14\x03\x03\x00\x01\x01")),
	ROW("a nonce and half a tag", 0, TOO_SHORT, WIRE("\x17\x03\x03\x00\x17nnnnnnnnttttttttttttttt")),
	ROW("a nonce and a tag", 0, FORGED, WIRE("\x17\x03\x03\x00\x18nnnnnnnntttttttttttttttt")),

	/* §6.2.3.3, authenticity */
	ROW("another type", 5, FORGED, DATA(5), DATA(5, .bend = -34)),
	ROW("another version", 5, FORGED, DATA(5), DATA(5, .bend = 2)),
	ROW("it seems longer", 0, FORGED, DATA(6, .bend = 4), DATA(5)),
	ROW("it seems shorter", 0, FORGED, DATA(5, .bend = 4)),
	ROW("the nonce", 0, FORGED, DATA(5, .bend = 5)),
	ROW("its last byte", 0, FORGED, DATA(5, .bend = 12)),
	ROW("the first byte", 0, FORGED, DATA(5, .bend = 13)),
	ROW("the last byte", 0, FORGED, DATA(5, .bend = -17)),
	ROW("the tag", 0, FORGED, DATA(5, .bend = -16)),
	ROW("its last byte", 0, FORGED, DATA(5, .bend = -1)),
	ROW("an empty one's tag", 0, FORGED, DATA(0, .bend = -1)),
	ROW("twice the same", 5, FORGED, DATA(5), DO(AGAIN)),
	ROW("one is lost", 5, FORGED, DATA(5), DO(LOST), DATA(5)),

	/* §7.4.1.1, HelloRequest */
	ROW("HelloRequest", 6, REFUSED(1), DATA(1), MESSAGE(HELLO), DATA(5)),
	ROW("two in a record", 5, REFUSED(2), MESSAGE(HELLO HELLO), DATA(5)),
	ROW("in two records", 5, REFUSED(1), MESSAGE("\x00"), MESSAGE("\x00\x00\x00"), DATA(5)),
	ROW("data in it", 6, REFUSED(1), MESSAGE("\x00\x00"), DATA(1), MESSAGE("\x00\x00"), DATA(5)),
	ROW("empty data in it", 5, REFUSED(1), MESSAGE("\x00\x00"), DATA(0), MESSAGE("\x00\x00"), DATA(5)),
	ROW("the end in it", 0, CLOSED, MESSAGE("\x00"), ALERT("\x01\x00")),
	ROW("a byte in it", 0, WRONG_LENGTH, MESSAGE("\x00\x00\x00\x01x")),
	ROW("32 of them", 5, REFUSED(32), MESSAGE(HELLO, .times = 32), DATA(5)),
	ROW("33 of them", 0, FLOOD_AFTER(32), MESSAGE(HELLO, .times = 33), DATA(5)),
	ROW("of a client", 0, OF_CLIENT(NO_PLACE), MESSAGE(HELLO)),

	/* §7.4.1.2, ClientHello */
	ROW("ClientHello", 5, OF_CLIENT(REFUSED(1)), MESSAGE(CLIENT_HELLO), DATA(5)),
	ROW("two and a half", 5, OF_CLIENT(REFUSED(3)),
	    MESSAGE(CLIENT_HELLO CLIENT_HELLO "\x01\x00\x00\x05x"), DATA(4), MESSAGE("xxxx"), DATA(1)),
	ROW("a long one", 5, OF_CLIENT(REFUSED(1)), MESSAGE("\x01\x00\xff\xff"),
	    OTHER(SSL3_RT_HANDSHAKE, 16384, .times = 3), OTHER(SSL3_RT_HANDSHAKE, 16383), DATA(5)),
	ROW("a longer one", 0, OF_CLIENT(WRONG_LENGTH), MESSAGE("\x01\x01\x00\x00")),
	ROW("33 of them", 0, OF_CLIENT(FLOOD_AFTER(32)), MESSAGE(CLIENT_HELLO, .times = 33), DATA(5)),
	ROW("of a server", 0, NO_PLACE, MESSAGE(CLIENT_HELLO)),

	/* §7.4, other messages */
	ROW("a ticket", 0, NO_PLACE, MESSAGE(TICKET)),
	ROW("ServerHello", 0, NO_PLACE, MESSAGE("\x02\x00\x00\x05xxxxx")),
	ROW("Finished", 0, NO_PLACE, MESSAGE("\x14\x00\x00\x0cxxxxxxxxxxxx")),
	ROW("KeyUpdate", 0, NO_PLACE, MESSAGE(UPDATE)),

	/* §7.2, alerts */
	ROW("close_notify", 5, CLOSED, DATA(5), ALERT("\x01\x00"), DATA(5)),
	ROW("as a fatal one", 0, CLOSED, ALERT("\x02\x00")),
	ROW("warnings", 5, GOES_ON, ALERT("\x01\x5a"), ALERT("\x01\x64"), ALERT("\x01\x28"), DATA(5)),
	ROW("32 of them", 5, GOES_ON, ALERT("\x01\x5a", .times = 32), DATA(5)),
	ROW("33 of them", 0, FLOOD, ALERT("\x01\x5a", .times = 33)),
	ROW("fatal", 5, SAID("the server sent the TLS alert handshake_failure (40)"), DATA(5),
	    ALERT("\x02\x28"), DATA(5)),
	ROW("of no level", 0, SAID("the server sent the TLS alert user_canceled (90)"), ALERT("\x03\x5a")),
	ROW("of a client", 0, OF_CLIENT(SAID("the client sent the TLS alert internal_error (80)")),
	    ALERT("\x02\x50")),
	ROW("one byte", 0, ODD_ALERT, ALERT("\x02")),
	ROW("three bytes", 0, ODD_ALERT, ALERT("\x02\x28\x28")),
};

static void add_piece(struct crafted *c, const struct piece *p)
{
	static uint8_t x[TLS_RECORD_MAX + 256];
	const void *content = p->bytes ? (const void *)p->bytes : x;
	size_t start = c->len;

	memset(x, 'x', sizeof(x));
	switch (p->what) {
	case END:
		return;
	case RECORD:
	case LOST:
		c->len += sealer_seal(&c->to, p->type, content, p->len, p->padding, c->stream + c->len);
		if (p->what == LOST)
			c->len = start;
		break;
	case PLAIN:
		memcpy(c->stream + c->len, content, p->len);
		c->len += p->len;
		break;
	case AGAIN:
		memcpy(c->stream + c->len, c->stream, c->len);
		c->len *= 2;
		break;
	case NEW_KEYS:
		sealer_update(&c->to);
		break;
	}
	if (p->bend)
		c->stream[p->bend < 0 ? c->len - (size_t)-p->bend : start + (size_t)p->bend] ^= 1;
}

/* Reads all that there is. Returns the count of bytes, all 'x', or SIZE_MAX; and what came instead of more.
 */
static size_t read_x(struct tls *t, ssize_t *ret_end)
{
	static uint8_t in[70000];
	size_t got = 0;

	while ((*ret_end = tls_read(t, in, sizeof(in))) > 0) {
		for (ssize_t i = 0; i < *ret_end; i++)
			if (in[i] != 'x')
				return SIZE_MAX;
		got += (size_t)*ret_end;
	}
	return got;
}

static bool hears_refusal(struct crafted *c)
{
	uint8_t type = 0, content[100];

	return crafted_hear(c, &type, content, sizeof(content)) == 2 && type == SSL3_RT_ALERT &&
	       content[0] == SSL3_AL_WARNING && content[1] == SSL_AD_NO_RENEGOTIATION;
}

static void check_row(uint32_t suite, const struct row *row)
{
	static struct crafted c;
	ssize_t end;

	crafted_open(&c, suite, row->server);
	for (size_t i = 0; row->pieces[i].what != END; i++)
		for (unsigned k = 0; k < MAX(row->pieces[i].times, 1u); k++)
			add_piece(&c, &row->pieces[i]);
	check(crafted_deliver(&c));
	check_int(read_x(c.t, &end), row->data);
	check_int(end, row->end);
	check_int(tls_failure(c.t)->cause, row->why ? CAUSE_CONNECTION_LOST : CAUSE_NONE);
	check_str(tls_failure(c.t)->detail, row->why ? row->why : "");
	check(!tls_pending(c.t));
	check_int(read_x(c.t, &end), 0); /* and so it stays */
	check_int(end, row->end);
	for (int i = 0; i < row->refusals; i++)
		check(hears_refusal(&c));
	check(crafted_hears_alert(&c, row->alert));
	if (row->end == -EPROTO) {
		check_int(tls_write(c.t, "x", 1, false), -EPROTO);
		check_int(tls_shutdown(c.t), 0);
		check(crafted_hears_alert(&c, 0));
	}
	crafted_close(&c);
}

static void check_rows(uint32_t suite, const struct row *table, size_t count)
{
	for (size_t i = 0; i < count && !test_failed; i++) {
		check_row(suite, &table[i]);
		if (test_failed)
			printf("# in the row \"%s\"\n", table[i].title);
	}
}

static void every_record_has_its_reaction(void)
{
	check_rows(TLS1_3_CK_AES_128_GCM_SHA256, rows, ARRAY_SIZE(rows));
}

static void every_record_of_tls_1_2_has_its_reaction(void)
{
	check_rows(TLS1_CK_ECDHE_RSA_WITH_AES_128_GCM_SHA256, rows_of_1_2, ARRAY_SIZE(rows_of_1_2));
}

int main(void)
{
	return run_tests((struct test[]){
		TEST(every_record_has_its_reaction), TEST(every_record_of_tls_1_2_has_its_reaction), {} });
}
