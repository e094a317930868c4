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
#include "sstpcd/journal.h"
#include "sstpcd/manager.h"

struct daemon_options {
	struct manager_options manager;
	const char *config_file; /* saved configuration */
	const char *state_dir;	 /* archive, commit-confirm */
	const char *socket;	 /* of the control socket */
	const char *group;	 /* whose members may use it, besides root; NULL = "sstpcd" if it exists */
	bool verbose;
	int resume_fd; /* the state of a former program, -1 = a fresh start */
};

struct control; /* control.h */

struct daemon {
	struct manager manager;
	struct config_system system;
	struct store store;
	struct journal journal;
	struct control *control; /* NULL while there is none */
	struct daemon_options options;
	/* private */
	struct loop_signals signals;
	struct loop_timer confirm_timer; /* of an unconfirmed commit */
	struct loop_timer reap_timer;	 /* removes tunnels that have closed */
	char program[4096];		 /* what a re-exec starts: where this one was started from */
	char **argv;
	bool stopping, want_reexec;
};

/* `sstpcd [OPTION]…`. Returns the exit code. */
int daemon_main(int argc, char **argv);

/* The tunnel of an interface of the running configuration; NULL if there is none. */
struct tunnel *daemon_find(const struct daemon *d, const char *name);
/* True for a tunnel whose interface was taken out of the configuration and that only waits for its end. */
static inline bool daemon_is_leaving(const struct tunnel *t)
{
	return t->closing;
}
/* Call after anything that may have started or ended commit-confirm: config_system_commit(), _confirm(). */
void daemon_confirm_changed(struct daemon *d);
/* Loads the saved configuration and commits it (SIGHUP). 0 or -EINVAL with the reason in `out`. */
int daemon_reload(struct daemon *d, struct text *out);

/* resume.c */

/* Writes the state of all tunnels and of the configuration to a new memfd and takes FD_CLOEXEC from what it
 * names. Returns the memfd, or a negative errno. */
int resume_save(struct daemon *d);
/*
 * Takes the state over: adopts devices, workers and the running configuration. What cannot be adopted (its
 * worker has died meanwhile) is dialled again. 0, or a negative errno: then nothing was adopted.
 */
int resume_load(struct daemon *d, int fd);
