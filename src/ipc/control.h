/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol between sstpctl and sstpcd: a SOCK_SEQPACKET socket in the file system, ipc/message.h.
 *
 *     client                        daemon
 *     HELLO (where the user is) ──▶
 *                               ◀── DONE
 *     LINE                      ──▶
 *                               ◀── TEXT … (and READ_FILE or EXECUTE, where the client has to do a part)
 *     [FILE …]                  ──▶
 *     [INTERRUPT]               ──▶  ends what goes on until then: monitor, connect
 *                               ◀── TEXT …, DONE (exit code, mode, level)
 *     COMPLETE                  ──▶
 *                               ◀── WORDS …, TEXT (help), DONE
 *
 * One request at a time: a second one before DONE ends the connection, INTERRUPT excepted (which is ignored
 * where nothing goes on). The daemon holds the mode and, in configuration mode, the candidate, which are gone
 * with the connection. Files are read and written by the client, with its user's rights.
 *
 * Every message that holds words or text is bounded by IPC_MAX; long texts come in pieces, which are cut
 * anywhere.
 *
 * control_send_*() return what ipc_send() does, and -E2BIG for more than a message may hold.
 * control_decode_*() and control_next_word() return 0, or -EBADMSG where fields are missing, left over or out
 * of bounds: the other end is not to be trusted further.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/message.h"

#define CONTROL_SOCKET	  "control" /* in the run directory */
#define CONTROL_LINE_MAX  60000	    /* bytes of a line */
#define CONTROL_CHUNK_MAX 32768	    /* bytes of text or file in one message */
#define CONTROL_FILE_MAX  (16u << 20)
#define CONTROL_VIA_MAX	  64
#define CONTROL_LEVEL_MAX 1024
#define CONTROL_NAME_MAX  4096
#define CONTROL_ARGS_MAX  32

enum control_message {
	/* client → daemon */
	CONTROL_HELLO = 1,
	CONTROL_LINE,
	CONTROL_COMPLETE,
	CONTROL_FILE,
	CONTROL_INTERRUPT,
	/* daemon → client */
	CONTROL_TEXT = 32,
	CONTROL_WORDS,
	CONTROL_READ_FILE,
	CONTROL_WRITE_FILE,
	CONTROL_EXECUTE,
	CONTROL_DONE,
};

/* What the daemon's side is in, for its permission table. */
enum control_phase {
	CONTROL_PHASE_NEW,	  /* before HELLO */
	CONTROL_PHASE_IDLE,	  /* a request may come */
	CONTROL_PHASE_BUSY,	  /* one is being carried out */
	CONTROL_PHASE_WANTS_FILE, /* after READ_FILE */
};

struct ipc_monitor control_monitor_of_daemon(void);

enum control_mode {
	CONTROL_OPERATIONAL,
	CONTROL_CONFIGURE,
};

enum control_text {
	CONTROL_OUTPUT,	 /* what was asked for: pipes and the pager apply to it */
	CONTROL_STREAM,	 /* the same while it goes on: shown at once */
	CONTROL_MESSAGE, /* for the user's eyes, beside the output */
	CONTROL_CONTENT, /* of the file named by WRITE_FILE */
};

/* HELLO: the user's terminal or "cli"; for the records only. */
int control_send_hello(int fd, const char *via);
int control_decode_hello(const struct ipc_message *m, char ret_via[static CONTROL_VIA_MAX]);

/* LINE and COMPLETE. The line of a decoded message is in the message's buffer, and has no NUL. */
int control_send_line(int fd, enum control_message type, const char *line, size_t len);
int control_decode_line(const struct ipc_message *m, const char **ret_line, size_t *ret_len);

/* FILE: a piece of the file that was asked for. `error` ≠ 0: it cannot be read (the last message). */
struct control_file {
	const char *data; /* in the message's buffer */
	size_t len;
	bool last;
	int error; /* positive errno */
};
int control_send_file(int fd, const struct control_file *f);
int control_decode_file(const struct ipc_message *m, struct control_file *ret);

int control_send_plain(int fd, enum control_message type); /* INTERRUPT */

/* The daemon's messages are put into a writer, for it queues them. */
void control_put_text(struct wire_writer *w, enum control_text kind, const char *data, size_t len);
int control_decode_text(const struct ipc_message *m, enum control_text *ret_kind, const char **ret_data,
			size_t *ret_len);

/*
 * WORDS: what the word at `start` of the line can become; `file`: any file name, which the client completes.
 * As many words as fit are put; returns how many.
 */
size_t control_put_words(struct wire_writer *w, uint32_t start, bool file, char *const *words, size_t n);
/* Reads the head; then control_next_word() n times. */
struct control_words {
	uint32_t start;
	bool file;
	uint16_t n;
};
int control_decode_words(struct ipc_message *m, struct control_words *ret);
int control_next_word(struct ipc_message *m, char *out, size_t size);

/* READ_FILE and WRITE_FILE. */
void control_put_name(struct wire_writer *w, const char *name);
int control_decode_name(const struct ipc_message *m, char *out, size_t size);

/* EXECUTE: a program that the user's side runs in the daemon's place, with the user's rights and terminal. */
void control_put_arguments(struct wire_writer *w, const char *const *args);
/* The strings are in `space`. *ret_args ends with NULL. */
int control_decode_arguments(const struct ipc_message *m, char *space, size_t size,
			     char *ret_args[static CONTROL_ARGS_MAX + 1]);

/* DONE: the request is over. */
struct control_done {
	uint8_t code; /* exit code: 0 = done as asked */
	enum control_mode mode;
	bool leave;		       /* the user wants to go */
	bool modified;		       /* there are changes that were not committed */
	char level[CONTROL_LEVEL_MAX]; /* "edit interfaces sstpc sstpc0" */
};
void control_put_done(struct wire_writer *w, const struct control_done *d);
int control_decode_done(const struct ipc_message *m, struct control_done *ret);
