/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/http/http.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/macro.h"

#define METHOD		  "SSTP_DUPLEX_POST"
#define ENDLESS		  "18446744073709551615" /* 2^64 − 1: the body has no end, [MS-SSTP] 3.2.4.1 */
#define HOST_MAX	  255
#define INFORMATIONAL_MAX 5

/* --- writing --- */

static ssize_t written(int n, size_t size)
{
	return n < 0 || (size_t)n >= size ? -ENOBUFS : n;
}

/* A host name or address may stand in a header if it cannot end it or split its value. */
static bool is_header_host(const char *host, size_t len)
{
	if (len == 0 || len > HOST_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (host[i] <= ' ' || host[i] > '~' || strchr("/@\"<>\\", host[i]))
			return false;
	return true;
}

ssize_t http_write_request(char *out, size_t size, const char *host, const uint8_t guid[static 16])
{
	bool address6 = host[0] != '[' && strchr(host, ':');
	size_t len = address6 ? strcspn(host, "%") : strlen(host); /* a zone means something here alone */

	if (!is_header_host(host, len))
		return -EINVAL;
	return written(snprintf(out, size,
				METHOD
				" " HTTP_URI " HTTP/1.1\r\n"
				"Host: %s%.*s%s\r\n"
				"SSTPCORRELATIONID: "
				"{%02X%02X%02X%02X-%02X%02X-%02X%02X-%02X%02X-%02X%02X%02X%02X%02X%02X}\r\n"
				"Content-Length: " ENDLESS "\r\n"
				"\r\n",
				address6 ? "[" : "", (int)len, host, address6 ? "]" : "", guid[0], guid[1],
				guid[2], guid[3], guid[4], guid[5], guid[6], guid[7], guid[8], guid[9],
				guid[10], guid[11], guid[12], guid[13], guid[14], guid[15]),
		       size);
}

static const char *reason_of(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 501:
		return "Not Implemented";
	case 503:
		return "Service Unavailable";
	default:
		return "Error";
	}
}

ssize_t http_write_response(char *out, size_t size, int status, const char *date)
{
	bool ok = status == 200;

	return written(snprintf(out, size, "HTTP/1.1 %d %s\r\n%s%s%sContent-Length: %s\r\n%s\r\n", status,
				reason_of(status), date ? "Date: " : "", date ? date : "", date ? "\r\n" : "",
				ok ? ENDLESS : "0", ok ? "" : "Connection: close\r\n"),
		       size);
}

/* --- lines --- */

enum line { LINE_MORE, LINE_COMPLETE, LINE_REFUSED };

/* Takes a byte. On LINE_COMPLETE the line stands in `line` without its end, until the next byte is taken. */
static enum line head_byte(struct http_head *h, uint8_t byte)
{
	if (++h->total > HTTP_HEAD_MAX || byte == 0)
		return LINE_REFUSED;
	if (byte != '\n') {
		if (h->line_len < sizeof(h->line) - 1)
			h->line[h->line_len++] = (char)byte;
		return LINE_MORE;
	}
	while (h->line_len > 0 && h->line[h->line_len - 1] == '\r')
		h->line_len--;
	h->line[h->line_len] = 0;
	h->line_len = 0;
	return ++h->lines > HTTP_LINES_MAX ? LINE_REFUSED : LINE_COMPLETE;
}

/* The value of a header, if the line is of this name; NULL otherwise. */
static const char *header_value(const char *line, const char *name)
{
	size_t len = strlen(name);

	if (strncasecmp(line, name, len) != 0 || line[len] != ':')
		return NULL;
	line += len + 1;
	return line + strspn(line, " \t");
}

static void keep(char *out, size_t size, const char *value)
{
	size_t len = strlen(value);

	while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
		len--;
	printable(out, size, value, len);
}

/* --- response --- */

void http_response_init(struct http_response *r)
{
	*r = (struct http_response){};
}

/* HTTP/1.x SP 3DIGIT [SP reason]: RRAS sends an empty reason behind the blank, others leave both out. */
static bool read_status_line(struct http_response *r, const char *line)
{
	static const char version[] = "HTTP/1.";
	const char *p = line + strlen(version);
	int status = 0;

	if (strncmp(line, version, strlen(version)) != 0 || !isdigit((unsigned char)p[0]) || p[1] != ' ')
		return false;
	p += 2;
	for (int i = 0; i < 3; i++, p++) {
		if (!isdigit((unsigned char)*p))
			return false;
		status = status * 10 + (*p - '0');
	}
	if (status < 100 || (*p != 0 && *p != ' '))
		return false;
	r->status = status;
	keep(r->reason, sizeof(r->reason), *p ? p + 1 : p);
	return true;
}

static void read_response_header(struct http_response *r, const char *line)
{
	const char *value;

	if ((value = header_value(line, "Server")))
		keep(r->server, sizeof(r->server), value);
	else if ((value = header_value(line, "Location")))
		keep(r->location, sizeof(r->location), value);
	else if (header_value(line, "Transfer-Encoding"))
		r->transfer_encoding = true;
	else if ((value = header_value(line, "Content-Length")) && strlen(value) < sizeof(r->length))
		keep(r->length, sizeof(r->length), value);
}

/*
 * An answer that says: I do not know this method, ask elsewhere, or log in here (SSTP's login is PPP's).
 * Others may be an SSTP server's.
 */
static bool is_web_server(int status)
{
	return (status >= 300 && status < 400) || status == 400 || status == 401 || status == 405 ||
	       status == 407 || status == 501 || status == 505;
}

static void refuse_status(const struct http_response *r, struct failure *failure)
{
	bool redirect = r->status >= 300 && r->status < 400 && r->location[0];

	failure_set(failure, is_web_server(r->status) ? CAUSE_HTTP_NOT_SSTP : CAUSE_HTTP_REFUSED,
		    "HTTP status %d%s%s%s%s%s%s", r->status, r->reason[0] ? " " : "", r->reason,
		    redirect ? ", a redirect to " : "", redirect ? r->location : "",
		    r->server[0] ? ", from " : "", r->server);
}

/* The blank line has come. True if the answer is the one we want, or more of it is to come. */
static bool end_of_head(struct http_response *r, bool *ret_done, struct failure *failure)
{
	if (r->status >= 100 && r->status < 200 && r->status != 101) {
		if (++r->informational > INFORMATIONAL_MAX) {
			failure_set(failure, CAUSE_HTTP_NOT_SSTP, "more than %d interim answers (status %d)",
				    INFORMATIONAL_MAX, r->status);
			return false;
		}
		r->status = 0;
		return true;
	}
	if (r->status != 200) {
		refuse_status(r, failure);
		return false;
	}
	if (r->transfer_encoding) {
		failure_set(failure, CAUSE_HTTP_NOT_SSTP,
			    "HTTP status 200 with a web page (Transfer-Encoding)%s%s",
			    r->server[0] ? ", from " : "", r->server);
		return false;
	}
	*ret_done = true;
	return true;
}

/* Whether the first line so far can become a status line. */
static bool may_be_http(const struct http_response *r)
{
	static const char start[] = "HTTP/1.";

	return r->status != 0 || strncmp(r->head.line, start, MIN(r->head.line_len, strlen(start))) == 0;
}

static void refuse_bytes(struct failure *failure, const struct http_response *r, const uint8_t *data,
			 size_t len)
{
	char seen[40], text[40];
	size_t n = MIN(r->head.line_len, sizeof(seen)), more = MIN(len, sizeof(seen) - n);

	memcpy(seen, r->head.line, n);
	memcpy(seen + n, data, more);
	printable(text, sizeof(text), seen, n + more);
	failure_set(failure, CAUSE_HTTP_NOT_SSTP, "the answer is not HTTP/1.x: \"%s\"", text);
}

ssize_t http_response_input(struct http_response *r, const uint8_t *data, size_t len, bool *ret_done,
			    struct failure *failure)
{
	bool done = false;
	size_t n = 0;

	while (n < len && !done) {
		switch (head_byte(&r->head, data[n++])) {
		case LINE_MORE:
			if (!may_be_http(r)) {
				refuse_bytes(failure, r, data + n, len - n);
				return -EBADMSG;
			}
			break;
		case LINE_REFUSED:
			failure_set(failure, CAUSE_HTTP_NOT_SSTP, "the HTTP head %s",
				    r->head.total > HTTP_HEAD_MAX    ? "is longer than 16 KiB"
				    : r->head.lines > HTTP_LINES_MAX ? "has more than 64 lines"
								     : "contains a NUL byte");
			return -EBADMSG;
		case LINE_COMPLETE:
			if (r->status == 0) {
				if (!read_status_line(r, r->head.line)) {
					char text[80];

					printable(text, sizeof(text), r->head.line, strlen(r->head.line));
					failure_set(failure, CAUSE_HTTP_NOT_SSTP,
						    "the HTTP status line is \"%s\"", text);
					return -EBADMSG;
				}
			} else if (r->head.line[0] == 0) {
				if (!end_of_head(r, &done, failure))
					return -EBADMSG;
			} else {
				read_response_header(r, r->head.line);
			}
			break;
		}
	}
	*ret_done = done;
	return (ssize_t)n;
}

void http_response_closed(const struct http_response *r, const char *how, struct failure *failure)
{
	if (r->status >= 200 && r->status != 200)
		refuse_status(r, failure);
	else
		failure_set(failure, CAUSE_HTTP_CLOSED, "%s%s", how,
			    r->head.total > 0 ? ", in the middle of the HTTP answer" : "");
}

bool http_response_was_page(const struct http_response *r, struct failure *failure)
{
	if (!r->length[0])
		return false;
	failure_set(failure, CAUSE_HTTP_NOT_SSTP, "HTTP status 200 with a page of %s bytes%s%s", r->length,
		    r->server[0] ? ", from " : "", r->server);
	return true;
}

/* --- request --- */

void http_request_init(struct http_request *r)
{
	*r = (struct http_request){};
}

/* The answer that a request line deserves. A query behind the URI is for others, [MS-SSTP] 3.2.4.1. */
static int judge_request_line(const char *line)
{
	static const char method[] = METHOD " ", uri[] = HTTP_URI;

	if (strncmp(line, method, strlen(method)) != 0)
		return strchr(line, ' ') ? 501 : 400;
	line += strlen(method);

	size_t path = strcspn(line, " ?"), target = strcspn(line, " ");
	if (strcmp(line + target, " HTTP/1.1") != 0)
		return 400;
	return path == strlen(uri) && strncmp(line, uri, path) == 0 ? 200 : 404;
}

static bool is_endless(const char *value)
{
	size_t len = strlen(ENDLESS);

	return strncmp(value, ENDLESS, len) == 0 && value[len + strspn(value + len, " \t")] == 0;
}

static void read_request_header(struct http_request *r, const char *line)
{
	const char *value;

	if ((value = header_value(line, "Host")))
		keep(r->host, sizeof(r->host), value);
	else if ((value = header_value(line, "SSTPCORRELATIONID")))
		keep(r->correlation_id, sizeof(r->correlation_id), value);
	else if ((value = header_value(line, "Content-Length")))
		r->have_length = is_endless(value);
}

size_t http_request_input(struct http_request *r, const uint8_t *data, size_t len, bool *ret_done)
{
	bool done = false;
	size_t n = 0;

	while (n < len && !done) {
		switch (head_byte(&r->head, data[n++])) {
		case LINE_MORE:
			break;
		case LINE_REFUSED:
			r->status = 400;
			done = true;
			break;
		case LINE_COMPLETE:
			if (r->head.lines == 1) {
				r->verdict = judge_request_line(r->head.line);
			} else if (r->head.line[0] == 0) {
				r->status = r->verdict == 200 && !r->have_length ? 400 : r->verdict;
				done = true;
			} else {
				read_request_header(r, r->head.line);
			}
			break;
		}
	}
	*ret_done = done;
	return n;
}
