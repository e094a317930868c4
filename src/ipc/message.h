/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Framed messages between processes of this package over SOCK_SEQPACKET, with descriptor passing.
 *
 * One message is one record: version u8, reserved u8 (0), type u16, then fields in the notation of
 * base/wire.h (big-endian integers; a text is its length u16 and its bytes). The receiving side trusts
 * nothing: length, number of descriptors and order are checked by a table (struct ipc_rule) before a decoder
 * sees a byte, and decoders refuse bytes that are left over.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"

#define IPC_VERSION    1
#define IPC_HEADER_LEN 4
#define IPC_MAX	       65536 /* bytes of a whole message */
#define IPC_FDS_MAX    4

/* Both ends of a new connection, close-on-exec and non-blocking. 0 or negative errno. */
int ipc_pair(int ret_fds[static 2]);

/* Starts a message in `buf`; fields are added with wire_put_*(), then ipc_send(). */
struct wire_writer ipc_begin(void *buf, size_t size, uint16_t type);

/*
 * Sends what `w` holds as one message. The descriptors are duplicated into the message; the caller keeps
 * them. -EAGAIN where the socket is full (nothing was sent), -EPIPE or -ECONNRESET where nobody listens, the
 * error of `w` (-ENOBUFS) if the fields did not fit. Never raises SIGPIPE. One system call: sendmsg(2).
 */
int ipc_send(int fd, const struct wire_writer *w, const int *fds, size_t n_fds);

struct ipc_message {
	uint16_t type;
	struct wire_reader body; /* in the buffer that was given to ipc_receive() */
	int fds[IPC_FDS_MAX];	 /* owned by the message: ipc_message_done(), or taken with TAKE_FD() */
	size_t n_fds;
};

/* Closes the descriptors that were not taken (those that are not -1). */
void ipc_message_done(struct ipc_message *m);

/*
 * Receives one message into `buf` (IPC_MAX bytes suffice always). 1 and *ret filled, 0 at the end of the
 * connection, -EAGAIN if there is none now, -EBADMSG for a message that is none (too long, too short, foreign
 * version, too many descriptors: all closed), or another negative errno. Where the other end has ended with
 * something unread (ECONNRESET), what it sent before comes first. One system call: recvmsg(2).
 */
int ipc_receive(int fd, void *buf, size_t size, struct ipc_message *ret);

/* The frame check of ipc_receive() alone, for bytes that came another way: 0 or -EBADMSG. */
int ipc_parse(const void *data, size_t len, struct ipc_message *ret);

/* What one side may be told, and when: the permission table of a receiver. */
struct ipc_rule {
	uint16_t type;
	const char *name; /* for logs */
	uint32_t states;  /* bit n: acceptable in the receiver's state n (n < 32) */
	bool once;	  /* a second one is an error */
	uint8_t min_fds, max_fds;
	size_t max_len; /* of the fields */
};

struct ipc_monitor {
	const struct ipc_rule *rules;
	size_t n_rules;
	uint64_t seen; /* bit n: rules[n] has been used */
};

/*
 * Checks a received message against the table and records it. 0 if it may be handled now; -EBADMSG unknown
 * type, too long, or a wrong number of descriptors; -EPERM not in this state; -EALREADY a second one of its
 * kind. Anything but 0 means that the sender is broken or hostile: end it.
 */
int ipc_permit(struct ipc_monitor *m, const struct ipc_message *msg, unsigned state);
/* The name of a type, "unknown" for a foreign one. */
const char *ipc_type_name(const struct ipc_monitor *m, uint16_t type);

/* Fields that wire.h does not know. */

/* u16 length and bytes. -ENOBUFS (sticky) if longer than 65535 bytes. */
void ipc_put_text(struct wire_writer *w, const char *s);
/*
 * Reads a text of printable ASCII into `out` (NUL-terminated). The sticky error is set where it is longer
 * than size − 1 or holds another byte: what comes from another process goes to terminals and logs.
 */
void ipc_get_text(struct wire_reader *r, char *out, size_t size);
/* Reads a text of arbitrary bytes without NUL (user names are in whatever character set the server uses). */
void ipc_get_bytes_text(struct wire_reader *r, char *out, size_t size);
/* A u8 that must be 0 or 1. */
bool ipc_get_bool(struct wire_reader *r);
