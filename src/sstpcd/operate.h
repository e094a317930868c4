/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One client of the control socket, and the operational commands; between control.c and operate.c. */
#pragma once

#include <sys/types.h>

#include "config/session.h"
#include "ipc/control.h"
#include "sstpcd/control.h"
#include "sstpcd/show.h"

#define CLIENT_QUEUE_MAX  (48u << 20)	      /* bytes that wait for a client: more than the largest answer */
#define CLIENT_STREAM_MAX (256u << 10)	      /* a stream loses lines from here on */
#define CLIENT_STALL	  (60 * USEC_PER_SEC) /* without taking anything: left */

/* What goes on after a command was begun. */
enum client_task {
	TASK_NONE,
	TASK_CONNECT, /* until the tunnel is up or has failed */
	TASK_DISCONNECT,
	TASK_MONITOR, /* the log */
	TASK_INSPECT, /* until certificates are known: then the line is carried out */
};

struct client {
	struct control *control;
	struct client *next;
	int fd;
	struct loop_fd source;
	struct loop_timer stall;
	struct ipc_monitor monitor;
	enum control_phase phase;
	uid_t uid;
	char user[CONFIG_WHO_MAX], via[CONTROL_VIA_MAX];
	bool gone; /* to be freed when nothing uses it */

	/* What waits to be sent: records of a u32 length and a message. */
	uint8_t *queue;
	size_t queue_first, queue_len, queue_size;
	unsigned lost; /* lines of the stream */

	struct config_session *session; /* configuration mode; NULL in operational mode */
	bool leave;

	enum client_task task;
	char interface[IFNAMSIZ]; /* of the task; "" = all */
	enum stage told_stage;	  /* TASK_CONNECT: the last that was shown */
	bool json;		  /* TASK_MONITOR */

	/* TASK_INSPECT: what is to be carried out, and by what. */
	char *line;
	size_t line_len;
	void (*resume)(struct client *c, const char *line, size_t len);

	/* A file that the user's side reads. */
	struct text file;
	char *file_name;
	bool file_merge;
};

struct control {
	struct daemon *daemon;
	int fd;
	struct loop_fd source;
	struct loop_timer reap;
	struct loop_timer retry; /* of accept(2), when there was no descriptor for a connection */
	gid_t group;
	bool has_group;
	char path[108]; /* of the socket; struct sockaddr_un has as much */
	struct client *clients;
	size_t n_clients;
	struct baseline baseline;
	uint8_t buf[IPC_MAX]; /* for one message, in or out */
};

/* Queues text for the client. */
void client_text(struct client *c, enum control_text kind, const char *data, size_t len);
void client_printf(struct client *c, enum control_text kind, const char *format, ...) _printf_(3, 4);
/* Has the user's side run a program. */
void client_execute_program(struct client *c, const char *const *args);
/* The request is over. */
void client_finish(struct client *c, int code);

/*
 * True if CAs of `tree` that `running` (may be NULL) does not have are not known yet: then `resume` is called
 * with the line when they are, and ends the request. Without memory for that the request has ended.
 */
bool client_awaits_inspection(struct client *c, const struct config_tree *tree,
			      const struct config_tree *running, const char *line, size_t len,
			      void (*resume)(struct client *c, const char *line, size_t len));

/* Forgets the line that waits; it may hold a password. */
void client_drop_line(struct client *c);

/* Carries out an operational command. Ends with client_finish(), at once or later. */
void operate(struct client *c, const char *line, size_t len);
/* What has happened to a tunnel while the client waits for it. */
void operate_note(struct client *c, const struct tunnel *t, enum tunnel_note note);
void operate_journal(struct client *c, const struct journal_line *line);
/* Ends what goes on for the client, if anything does, with this message. */
void operate_end(struct client *c, const char *why, int code);
/* Ctrl-C. */
void operate_interrupt(struct client *c);
