/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon: the running configuration, a tunnel for each of its interfaces, and what operators see of them.
 *
 *     daemon.c    start, stop, signals, the effects of a commit
 *     resume.c    re-exec in place: the same process, children and descriptors, a new program
 *     journal.h   the last log lines, for `show log` and `monitor log`
 *     control.h   the control socket (sstpctl)
 */
#pragma once

#include <stdbool.h>

#include "config/store.h"
#include "config/system.h"
#include "sstpcd/inspect.h"
#include "sstpcd/journal.h"
#include "sstpcd/manager.h"

struct control;

struct daemon_options {
	struct manager_options manager;
	const char *config_file; /* saved configuration */
	const char *state_dir;	 /* archive, commit-confirm */
	const char *socket;	 /* of the control socket */
	const char *group;	 /* whose members may use it, besides root; NULL = "sstpcd" if it exists */
	bool verbose;
	int resume_fd; /* the state of a former program, -1 = a fresh start */
};

struct daemon {
	struct manager manager;
	struct config_system system;
	struct store store;
	struct journal journal;
	struct daemon_options options;
	/* Set by the control socket: called for every note of a tunnel; may be NULL. */
	void (*note)(void *ctx, struct tunnel *t, enum tunnel_note note);
	void *note_ctx;
	/* private */
	struct loop_signals signals;
	struct loop_timer confirm_timer; /* of an unconfirmed commit */
	struct loop_timer reap_timer;	 /* removes tunnels that have closed */
	struct loop_timer reexec_timer;	 /* a re-exec, outside of everything else */
	char program[4096];		 /* what a re-exec starts: where this one was started from */
	char **argv;
	struct control *control;
	struct inspector *inspector;
	int lock_fd;
	bool stopping;
	struct config_tree *reload; /* the saved configuration, while it is being inspected */
	bool reexec_waits;	    /* for the inspector */
};

/* `sstpcd [OPTION]…`. Returns the exit code. */
int daemon_main(int argc, char **argv);

/* The tunnel of an interface of the running configuration; NULL if there is none. */
struct tunnel *daemon_find(const struct daemon *d, const char *name);
const char *daemon_run_dir(const struct daemon *d);
/* True for a tunnel whose interface was taken out of the configuration and that only waits for its end. */
static inline bool daemon_is_leaving(const struct tunnel *t)
{
	return t->closing;
}
/* Call after anything that may have started or ended commit-confirm: config_system_commit(), _confirm(). */
void daemon_confirm_changed(struct daemon *d);

/* config_system_init() with the daemon's effects; `running` is taken over. */
void daemon_follow(struct daemon *d, struct config_tree *running);

/* resume.c */

/* Remembers what a re-exec needs; call before the program's file can be replaced. */
void resume_prepare(struct daemon *d, char **argv);
/*
 * Replaces this program by the present one at the same path: the process, its children and the descriptors
 * of devices and workers stay, so sessions go on. Returns only on failure: negative errno, nothing changed.
 */
int resume_exec(struct daemon *d);
/* 0 if resume_load() can read the state, otherwise negative errno. */
int resume_check(int fd);
/*
 * For a state that cannot be read: closes everything inherited, the lock too, so that devices and workers
 * go, and waits for the workers. Call before anything else is opened or started.
 */
void resume_discard(void);
/*
 * The new program's part: adopts devices, workers and the running configuration from the memfd. A worker
 * that has died meanwhile is replaced as always. 0, or negative errno where the state cannot be read: then
 * nothing was adopted.
 */
int resume_load(struct daemon *d, int fd);
