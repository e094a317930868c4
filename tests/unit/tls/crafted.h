/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A session of ours with a peer that is nothing but secrets, and sends whatever a test makes up. */
#pragma once

#include <openssl/tls1.h>

#include "sealer.h"
#include "tls/internal.h"

#define CRAFTED_MAX (3u << 16)

struct crafted {
	int fds[2];		     /* ours, the peer's */
	struct tls *t;		     /* ours */
	struct sealer to, from;	     /* what the peer sends, and what it hears */
	uint8_t stream[CRAFTED_MAX]; /* on its way to us */
	size_t len;
};

/* `server`: it is us who are. */
void crafted_open(struct crafted *c, uint32_t suite, bool server);
void crafted_open_with(struct crafted *c, uint32_t suite, bool server, const struct traffic_secrets *secrets);
void crafted_close(struct crafted *c);

/* Adds a record to the stream; its content may be pattern() from `at` on. */
void crafted_add(struct crafted *c, uint8_t type, const void *content, size_t len);
void crafted_add_pattern(struct crafted *c, size_t at, size_t len);
/* Sends the stream. False: the socket has no room for it. */
bool crafted_deliver(struct crafted *c);
/* The next record that our side sent: length of its content, and its type. -EAGAIN: none; -EBADMSG. */
ssize_t crafted_hear(struct crafted *c, uint8_t *ret_type, uint8_t *out, size_t size);
/* True if our side sent this fatal alert and nothing else; 0: nothing at all. */
bool crafted_hears_alert(struct crafted *c, int alert);

/* Bytes that tell their place. */
void pattern_fill(uint8_t *out, size_t at, size_t len);
bool pattern_matches(const uint8_t *data, size_t at, size_t len);
