/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One worker process as the daemon holds it: the child, its socket, and the order of what it may say
 * (ipc/worker.h). Decides nothing: what arrives and is permitted is handed on.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "io/loop.h"
#include "ipc/worker.h"

struct process {
	/* Set by the owner before process_start(). */
	struct loop *loop;
	void *ctx;
	/* A message that the table permits in `phase`. The owner moves `phase`, and may call process_kill().
	 */
	void (*message)(void *ctx, struct ipc_message *m);
	/* The worker broke the protocol: kill it. `what` is one clause. Nothing more is read from it. */
	void (*violation)(void *ctx, const char *what);
	/* The process has ended and was reaped; all that it had sent was handed on before. */
	void (*gone)(void *ctx, const siginfo_t *info);

	enum worker_phase phase;
	/* private */
	int fd; /* the daemon's end of the socket pair; -1 while not open */
	struct loop_fd source;
	struct loop_child child;
	struct ipc_monitor monitor;
};

/* Starts the program at `path`. 0, or negative errno: nothing was started. */
int process_start(struct process *p, const char *path);
/* Takes over a running child of this process after a re-exec. */
int process_adopt(struct process *p, pid_t pid, int fd, enum worker_phase phase, uint64_t seen);
/* Ends the child now, without callbacks: kills it and waits for it (bounded: a killed process ends at once).
 * Harmless where there is none. */
void process_end(struct process *p);

static inline bool process_is_alive(const struct process *p)
{
	return p->child.pid > 0;
}
static inline pid_t process_pid(const struct process *p)
{
	return p->child.pid;
}
/* SIGKILL. `gone` follows. */
void process_kill(struct process *p);

/* Descriptors of a new process. -1: /dev/null for `in` and `out`, ours for `error`, none for `socket`, which
 * becomes WORKER_FD. Nothing else is open in it. */
struct process_fds {
	int in, out, error, socket;
};
/* Starts the program at `path`, with `option` (may be NULL), and does not wait for it. 0 or negative errno.
 */
int process_spawn(const char *path, const char *option, const struct process_fds *fds, pid_t *ret);
/* Kills a child that nobody watches, and waits for it. */
void process_reap(pid_t pid);
/* A file in memory, to be read from its beginning, that nobody can change any more; or a negative errno. */
int process_memory_file(const char *name, const char *data, size_t len);

/* "exit status 1", "signal 9 (Killed)"; for logs and causes. */
void process_end_format(const siginfo_t *info, char *out, size_t size);
