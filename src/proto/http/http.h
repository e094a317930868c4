/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The HTTP exchange in front of an SSTP call, [MS-SSTP] 3.2.4.1: one request, one bounded response. Both
 * roles. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cause.h"

#define HTTP_HEAD_MAX  16384
#define HTTP_LINES_MAX 64
#define HTTP_URI       "/sra_{BA195980-CD49-458b-9E23-C84EE0ADCD75}/"

/*
 * Writes the SSTP_DUPLEX_POST request. `host` is the server's name or address as the user gave it, without
 * port (an IPv6 address is put into brackets, without its zone); `guid` 16 random bytes for
 * SSTPCORRELATIONID. Returns the length, or -ENOBUFS / -EINVAL (a host that does not belong into a header).
 */
ssize_t http_write_request(char *out, size_t size, const char *host, const uint8_t guid[static 16]);

/* The lines of a head as they come in, byte by byte and within limits; private to the two readers below. */
struct http_head {
	size_t total, line_len;
	unsigned lines;
	char line[512]; /* the start of the current line; more is counted and dropped */
};

/* Reads a response head; keeps what is needed for messages, never the whole head. */
struct http_response {
	/* private */
	struct http_head head;
	unsigned informational;
	/* result */
	int status;	    /* 0 until the status line was read */
	char reason[64];    /* printable */
	char server[64];    /* "Server:" header, printable, or "" */
	char location[128]; /* of a redirect, printable */
	bool transfer_encoding;
	char length[12]; /* "Content-Length:" of a page; "" for that of a stream, or none */
};

void http_response_init(struct http_response *r);
/*
 * Takes bytes. Returns how many belong to the head: 0 < n ≤ len, and sets *ret_done when the head is complete
 * (what follows is the SSTP stream). -EBADMSG with `failure` set for anything that is not an acceptable
 * answer: no HTTP, limits passed, a status other than 200, too many 1xx, a redirect (reported, never
 * followed). What is not HTTP is refused at its first wrong byte.
 */
ssize_t http_response_input(struct http_response *r, const uint8_t *data, size_t len, bool *ret_done,
			    struct failure *failure);

/*
 * The connection has ended before the head was complete; `how` in words. A status that had come already is
 * told: a refusal may be cut off.
 */
void http_response_closed(const struct http_response *r, const char *how, struct failure *failure);

/*
 * Whether the answer 200 announced a page instead of a stream ([MS-SSTP] 3.2.4.1: a length of 2^64 - 1), with
 * `failure` set then. That alone refuses nobody; it explains a connection that ends right behind it.
 */
bool http_response_was_page(const struct http_response *r, struct failure *failure);

/* Server role: reads a request head; `status` is the answer it deserves (200, 400, 404, 501). */
struct http_request {
	/* private */
	struct http_head head;
	int verdict; /* on the request line */
	bool have_length;
	/* result; all printable */
	int status; /* 0 until the head is complete */
	char host[256];
	char correlation_id[64];
};

void http_request_init(struct http_request *r);
/*
 * As http_response_input(). A head that passes the limits is complete with status 400; never fails otherwise:
 * the caller writes the answer, and closes unless it is 200.
 */
size_t http_request_input(struct http_request *r, const uint8_t *data, size_t len, bool *ret_done);
/*
 * Writes the server's answer head for a status. `date` is put in as it is ("Sun, 22 Nov 2026 08:36:12 GMT");
 * NULL leaves the header out. Returns the length or -ENOBUFS.
 */
ssize_t http_write_response(char *out, size_t size, int status, const char *date);
