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
 * Writes the SSTP_DUPLEX_POST request. `host` is the server's name as the user gave it, `guid` 16 random
 * bytes for SSTPCORRELATIONID. Returns the length, or -ENOBUFS / -EINVAL (a host that does not belong into a
 * header).
 */
ssize_t http_write_request(char *out, size_t size, const char *host, const uint8_t guid[static 16]);

/* Reads a response head byte by byte within limits; keeps what is needed for messages, never the whole head.
 */
struct http_response {
	/* private */
	size_t total, line_len;
	unsigned lines, informational;
	int state;
	char line[512]; /* the start of the current line; more is counted and dropped */
	/* result */
	int status;	    /* 0 until the status line was read */
	char reason[64];    /* printable */
	char server[64];    /* "Server:" header, printable, or "" */
	char location[128]; /* of a redirect, printable */
	bool transfer_encoding;
};

void http_response_init(struct http_response *r);
/*
 * Takes bytes. Returns how many belong to the head: 0 < n ≤ len, and sets *ret_done when the head is complete
 * (what follows is the SSTP stream). -EBADMSG with `failure` set for anything that is not an acceptable
 * answer: no HTTP, limits passed, a status other than 200, too many 1xx, a redirect (reported, never
 * followed).
 */
ssize_t http_response_input(struct http_response *r, const uint8_t *data, size_t len, bool *ret_done,
			    struct failure *failure);

/* Server role: reads a request head; *ret_status is the answer it deserves (200, 400, 404, 501). */
struct http_request {
	size_t total, line_len;
	unsigned lines;
	int state;
	char line[512];
	int status;
	char host[256];
	char correlation_id[64];
};
void http_request_init(struct http_request *r);
ssize_t http_request_input(struct http_request *r, const uint8_t *data, size_t len, bool *ret_done);
/* Writes the server's answer head for a status. `date` is put in as it is ("Sun, 22 Nov 2026 08:36:12 GMT").
 */
ssize_t http_write_response(char *out, size_t size, int status, const char *date);
