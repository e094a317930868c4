/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection to the daemon, and one command over it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config/complete.h"
#include "ipc/control.h"

#define CLIENT_SOCKET_DEFAULT "/run/sstpcd/" CONTROL_SOCKET

struct client {
	int fd;
	int signals; /* SIGINT while a command goes on, else -1 */
	const char *path;
	bool terminal;		  /* there is somebody to page for */
	bool streams;		  /* the present command's output comes while it runs */
	int output_error;	  /* errno of the first output that could not be written, 0 = none */
	struct control_done last; /* the answer to the last request: mode, level */
	uint8_t buf[IPC_MAX];
};

/* Connects and says hello. On failure the reason has been printed; returns the exit code, 0 if it worked. */
int client_open(struct client *c, const char *path);
void client_close(struct client *c);
/* Is there a daemon at all? */
bool client_may_connect(const char *path);

/*
 * Carries out one line, with its pipes: prints what comes, reads and writes files, runs programs, passes
 * Ctrl-C on. The exit code of the command, 130 if Ctrl-C cut
 * its output; -EPIPE if the daemon went away.
 */
int client_execute(struct client *c, const char *line, size_t len);

/* What the word at *ret_start can become: words and help are added to `to`. 0 or negative. */
int client_complete(struct client *c, const char *line, size_t len, struct completions *to,
		    size_t *ret_start);
