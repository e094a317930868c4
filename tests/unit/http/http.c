/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/http/http.h"

#include <errno.h>

#include "test.h"
#include "vectors.h"

static const uint8_t guid[16] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
				  0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };

/* Feeds a response in pieces of `piece` bytes. Returns the bytes taken, or the error. */
static ssize_t feed(struct http_response *r, const uint8_t *data, size_t len, size_t piece, bool *ret_done,
		    struct failure *failure)
{
	size_t pos = 0;

	*ret_done = false;
	http_response_init(r);
	while (pos < len && !*ret_done) {
		ssize_t n = http_response_input(r, data + pos, MIN(piece, len - pos), ret_done, failure);
		if (n < 0)
			return n;
		pos += (size_t)n;
	}
	return (ssize_t)pos;
}

static ssize_t feed_text(struct http_response *r, const char *text, bool *ret_done, struct failure *failure)
{
	return feed(r, (const uint8_t *)text, strlen(text), SIZE_MAX, ret_done, failure);
}

/* --- request --- */

static void the_request_is_the_standard_one(void)
{
	char out[512];
	ssize_t n = http_write_request(out, sizeof(out), "vpn.example.test", guid);

	check(n > 0);
	check_mem(out, (size_t)n, vectors_http->request.data, vectors_http->request.len);
}

static void a_host_is_written_as_http_wants_it(void)
{
	static const struct {
		const char *host, *header;
	} rows[] = {
		{ "192.0.2.1", "\r\nHost: 192.0.2.1\r\n" },
		{ "2001:db8::1", "\r\nHost: [2001:db8::1]\r\n" },
		{ "[2001:db8::1]", "\r\nHost: [2001:db8::1]\r\n" },
		{ "fe80::1%eth0", "\r\nHost: [fe80::1]\r\n" },
	};
	char out[512];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		check(http_write_request(out, sizeof(out), rows[i].host, guid) > 0);
		check(strstr(out, rows[i].header));
	}
}

static void a_host_cannot_smuggle_headers(void)
{
	char out[1024], endless[300] = {};

	memset(endless, 'a', sizeof(endless) - 1);
	check_int(http_write_request(out, sizeof(out), "", guid), -EINVAL);
	check_int(http_write_request(out, sizeof(out), "a\r\nX: y", guid), -EINVAL);
	check_int(http_write_request(out, sizeof(out), "a b", guid), -EINVAL);
	check_int(http_write_request(out, sizeof(out), "a/b", guid), -EINVAL);
	check_int(http_write_request(out, sizeof(out), "\xc3\xa4.example", guid), -EINVAL);
	check_int(http_write_request(out, sizeof(out), "a\x7f", guid), -EINVAL);
	check_int(http_write_request(out, sizeof(out), endless, guid), -EINVAL);
	check_int(http_write_request(out, 100, "vpn.example.test", guid), -ENOBUFS);
}

/* --- response --- */

static void real_answers_are_accepted_however_they_are_cut(void)
{
	static const uint8_t stream[] = { 0x10, 0x01, 0x00, 0x08 };

	for (size_t i = 0; i < ARRAY_SIZE(vectors_http_accept); i++) {
		struct vector_bytes v = vectors_http_accept[i].value;
		uint8_t bytes[1024];

		check(v.len + sizeof(stream) <= sizeof(bytes));
		memcpy(bytes, v.data, v.len);
		memcpy(bytes + v.len, stream, sizeof(stream));
		for (size_t piece = 1; piece <= v.len + sizeof(stream); piece++) {
			struct failure failure = {};
			struct http_response r;
			bool done;

			/* What follows the head is left alone: it is the SSTP stream. */
			check_int(feed(&r, bytes, v.len + sizeof(stream), piece, &done, &failure), v.len);
			check(done);
			check_int(r.status, 200);
		}
	}
}

static void other_answers_are_refused_however_they_are_cut(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors_http_reject); i++) {
		struct vector_bytes v = vectors_http_reject[i].value;

		for (size_t piece = 1; piece <= v.len; piece++) {
			struct failure failure = {};
			struct http_response r;
			bool done;

			check_int(feed(&r, v.data, v.len, piece, &done, &failure), -EBADMSG);
			check(failure.cause == CAUSE_HTTP_NOT_SSTP || failure.cause == CAUSE_HTTP_REFUSED);
			check(failure.detail[0]);
		}
	}
}

static void a_refusal_says_what_came(void)
{
	static const struct {
		const char *answer;
		enum cause cause;
		const char *detail;
	} rows[] = {
		{ "HTTP/1.1 404 Not Found\r\nDate: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		  CAUSE_HTTP_REFUSED, "HTTP status 404 Not Found" },
		{ "HTTP/1.1 403 Forbidden\r\nKeep-Alive: timeout=15; max=19\r\n\r\n", CAUSE_HTTP_REFUSED,
		  "HTTP status 403 Forbidden" },
		{ "HTTP/1.1 503 Service Unavailable\r\nserver:  Microsoft-HTTPAPI/2.0  \r\n\r\n",
		  CAUSE_HTTP_REFUSED, "HTTP status 503 Service Unavailable, from Microsoft-HTTPAPI/2.0" },
		{ "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n",
		  CAUSE_HTTP_NOT_SSTP, "HTTP status 401 Unauthorized" },
		{ "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", CAUSE_HTTP_NOT_SSTP,
		  "HTTP status 407 Proxy Authentication Required" },
		{ "HTTP/1.1 405 Not Allowed\r\nServer: nginx\r\n\r\n", CAUSE_HTTP_NOT_SSTP,
		  "HTTP status 405 Not Allowed, from nginx" },
		{ "HTTP/1.1 301\r\nLOCATION: https://a.example/\r\nServer: x\r\n\r\n", CAUSE_HTTP_NOT_SSTP,
		  "HTTP status 301, a redirect to https://a.example/, from x" },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", CAUSE_HTTP_NOT_SSTP,
		  "HTTP status 200 with a web page (Transfer-Encoding)" },
		{ "HTTP/1.1 204 No Content\r\n\r\n", CAUSE_HTTP_REFUSED, "HTTP status 204 No Content" },
		{ "HTTP/1.1 101 Switching\r\n\r\n", CAUSE_HTTP_REFUSED, "HTTP status 101 Switching" },
		{ "SSH-2.0-OpenSSH_9.2\r\n", CAUSE_HTTP_NOT_SSTP,
		  "the answer is not HTTP/1.x: \"SSH-2.0-OpenSSH_9.2..\"" },
		{ "HTTP/1.1 20 OK\r\n\r\n", CAUSE_HTTP_NOT_SSTP,
		  "the HTTP status line is \"HTTP/1.1 20 OK\"" },
		{ "HTTP/1.1 500 \033[2J\r\n\r\n", CAUSE_HTTP_REFUSED, "HTTP status 500 .[2J" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct failure failure = {};
		struct http_response r;
		bool done;

		check_int(feed_text(&r, rows[i].answer, &done, &failure), -EBADMSG);
		check_int(failure.cause, rows[i].cause);
		check_str(failure.detail, rows[i].detail);
	}
}

static void interim_answers_are_skipped_five_times(void)
{
	static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n", final[] = "HTTP/1.1 200 OK\r\n\r\n";

	for (int count = 0; count <= 6; count++) {
		struct failure failure = {};
		struct http_response r;
		char text[512];
		size_t len = 0;
		bool done;

		for (int i = 0; i <= count; i++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s",
						i < count ? interim : final);
		if (count <= 5) {
			check_int(feed_text(&r, text, &done, &failure), strlen(text));
			check(done);
		} else {
			check_int(feed_text(&r, text, &done, &failure), -EBADMSG);
			check_int(failure.cause, CAUSE_HTTP_NOT_SSTP);
		}
	}
}

static void odd_heads_are_tolerated(void)
{
	static const char *const rows[] = {
		"HTTP/1.0 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\n\n",
		"HTTP/1.1 200 OK\r\r\n\r\r\n",
		"HTTP/1.1 200 OK\r\nno colon here\r\nX: \xff\x80\r\n folded: Transfer-Encoding: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -99999999999999999999999999\r\n\r\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct failure failure = {};
		struct http_response r;
		bool done;

		check_int(feed_text(&r, rows[i], &done, &failure), strlen(rows[i]));
		check(done);
	}
}

/* A head of `lines` lines besides the status line and the blank one. */
static size_t long_head(char *out, size_t lines, size_t line_len)
{
	static const char status[] = "HTTP/1.1 200 OK\r\n";
	size_t n = strlen(status);

	memcpy(out, status, n);
	for (size_t i = 0; i < lines; i++) {
		memset(out + n, 'x', line_len);
		n += line_len;
		out[n++] = '\n';
	}
	out[n++] = '\n';
	return n;
}

static void a_head_is_bounded_in_lines_and_bytes(void)
{
	static char head[2 * HTTP_HEAD_MAX];
	static const struct {
		size_t lines, line_len;
		bool fits;
	} rows[] = {
		{ HTTP_LINES_MAX - 2, 10, true },
		{ HTTP_LINES_MAX - 1, 10, false },
		{ 1, HTTP_HEAD_MAX - 17 - 2, true }, /* a long line is counted, not kept */
		{ 1, HTTP_HEAD_MAX - 17 - 1, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t len = long_head(head, rows[i].lines, rows[i].line_len);
		struct failure failure = {};
		struct http_response r;
		bool done;
		ssize_t n = feed(&r, (const uint8_t *)head, len, 1000, &done, &failure);

		check_int(n, rows[i].fits ? (ssize_t)len : -EBADMSG);
		check_int(done, rows[i].fits);
		check_int(failure.cause, rows[i].fits ? CAUSE_NONE : CAUSE_HTTP_NOT_SSTP);
	}
}

static void an_endless_line_ends_at_the_limit(void)
{
	struct failure failure = {};
	struct http_response r;
	size_t taken = 0;
	bool done;

	http_response_init(&r);
	check_int(http_response_input(&r, (const uint8_t *)"HTTP/1.1 200 ", 13, &done, &failure), 13);
	for (taken = 13; http_response_input(&r, (const uint8_t *)"x", 1, &done, &failure) == 1; taken++)
		check(taken <= HTTP_HEAD_MAX);
	check_int(taken, HTTP_HEAD_MAX);
	check_str(failure.detail, "the HTTP head is longer than 16 KiB");
}

/* --- server role --- */

static int judge(const char *text, struct http_request *r, size_t *ret_taken)
{
	bool done = false;
	size_t n = 0, len = strlen(text);

	http_request_init(r);
	while (n < len && !done)
		n += http_request_input(r, (const uint8_t *)text + n, 1, &done);
	*ret_taken = n;
	return done ? r->status : -1;
}

#define LENGTH "Content-Length: 18446744073709551615\r\n"

static void a_server_judges_requests(void)
{
	static const struct {
		const char *text;
		int status;
	} rows[] = {
		{ "SSTP_DUPLEX_POST " HTTP_URI " HTTP/1.1\r\n" LENGTH "\r\n", 200 },
		{ "SSTP_DUPLEX_POST " HTTP_URI "?tenantid=a HTTP/1.1\r\n" LENGTH "\r\n", 200 },
		{ "SSTP_DUPLEX_POST " HTTP_URI " HTTP/1.1\r\n\r\n", 400 },
		{ "SSTP_DUPLEX_POST " HTTP_URI " HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400 },
		{ "SSTP_DUPLEX_POST " HTTP_URI " HTTP/1.0\r\n" LENGTH "\r\n", 400 },
		{ "SSTP_DUPLEX_POST " HTTP_URI "\r\n" LENGTH "\r\n", 400 },
		{ "SSTP_DUPLEX_POST /sra_{BA195980/ HTTP/1.1\r\n" LENGTH "\r\n", 404 },
		{ "SSTP_DUPLEX_POST " HTTP_URI "x HTTP/1.1\r\n" LENGTH "\r\n", 404 },
		{ "SSTP_DUPLEX_POST / HTTP/1.1\r\n" LENGTH "\r\n", 404 },
		{ "GET / HTTP/1.1\r\n\r\n", 501 },
		{ "nonsense\r\n\r\n", 400 },
		{ "SSTP_DUPLEX_POST " HTTP_URI " HTTP/1.1\r\n" LENGTH, -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct http_request r;
		size_t taken;

		check_int(judge(rows[i].text, &r, &taken), rows[i].status);
		check_int(taken, strlen(rows[i].text));
	}
}

static void a_server_refuses_endless_heads(void)
{
	static const uint8_t nul[] = { 'G', 0 };
	struct http_request r;
	size_t taken = 0;
	bool done = false;

	http_request_init(&r);
	while (!done) {
		taken += http_request_input(&r, (const uint8_t *)"x", 1, &done);
		check(taken <= HTTP_HEAD_MAX + 1);
	}
	check_int(r.status, 400);
	http_request_init(&r);
	check_int(http_request_input(&r, nul, sizeof(nul), &done), 2);
	check(done);
	check_int(r.status, 400);
}

static void client_and_server_understand_each_other(void)
{
	char request[512], response[512];
	struct failure failure = {};
	struct http_request q;
	struct http_response a;
	bool done;

	ssize_t n = http_write_request(request, sizeof(request), "vpn.example.test", guid);
	check(n > 0);
	http_request_init(&q);
	check_int(http_request_input(&q, (const uint8_t *)request, (size_t)n, &done), n);
	check(done);
	check_int(q.status, 200);
	check_str(q.host, "vpn.example.test");
	check_str(q.correlation_id, "{01234567-89AB-CDEF-0123-456789ABCDEF}");

	for (int i = 0; i < 2; i++) {
		const char *date = i ? "Sun, 22 Nov 2026 08:36:12 GMT" : NULL;

		n = http_write_response(response, sizeof(response), 200, date);
		check(n > 0);
		check_int(!!strstr(response, "\r\nDate: Sun, 22 Nov 2026 08:36:12 GMT\r\n"), i);
		check_int(feed_text(&a, response, &done, &failure), n);
		check(done);
	}
	n = http_write_response(response, sizeof(response), 404, NULL);
	check(n > 0);
	check_int(feed_text(&a, response, &done, &failure), -EBADMSG);
	check_int(a.status, 404);
	check_str(a.reason, "Not Found");
	check_int(http_write_response(response, 20, 200, NULL), -ENOBUFS);
}

int main(void)
{
	return run_tests((struct test[]){ TEST(the_request_is_the_standard_one),
					  TEST(a_host_is_written_as_http_wants_it),
					  TEST(a_host_cannot_smuggle_headers),
					  TEST(real_answers_are_accepted_however_they_are_cut),
					  TEST(other_answers_are_refused_however_they_are_cut),
					  TEST(a_refusal_says_what_came),
					  TEST(interim_answers_are_skipped_five_times),
					  TEST(odd_heads_are_tolerated),
					  TEST(a_head_is_bounded_in_lines_and_bytes),
					  TEST(an_endless_line_ends_at_the_limit),
					  TEST(a_server_judges_requests),
					  TEST(a_server_refuses_endless_heads),
					  TEST(client_and_server_understand_each_other),
					  {} });
}
