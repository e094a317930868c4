/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a process gives up before it reads a stranger's bytes. Every step is one way; a step that fails must
 * end the process. Order in the worker:
 *
 *     sandbox_drop_privileges()      root → an own user, no capabilities, none to be had again
 *     (resolver child: sandbox_resolver(); then sockets are connected)
 *     sandbox_worker()               no new sockets, programs, processes; files only below `read_paths`
 *     (proxy, TLS handshake)
 *     sandbox_worker_established()   no files at all
 *
 * A forbidden system call kills the process (SIGSYS). Where a library tries something as a matter of course
 * and lives without it, the call returns an error instead; those are named at sandbox_worker().
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * Becomes `uid`:`gid` with no supplementary groups and no capabilities in any set (also bounding and
 * ambient), sets no_new_privs, clears the dumpable flag. Already unprivileged (not root): drops what there is
 * and keeps the ids if they are the wanted ones. 0, -EPERM, or another negative errno.
 *
 * Root that cannot become `uid` loses the capabilities all the same: SANDBOX_IDS_KEPT. So it is in a
 * container without CAP_SETUID and CAP_SETGID, and in a user namespace without that user. Such a process owns
 * the files of root, and is somebody to other processes of root. Therefore what follows is stricter for it:
 * without Landlock the next steps fail (-EOPNOTSUPP), and the resolver may read the files of a lookup only,
 * and reaches no unix socket. Without CAP_SETPCAP the bounding set stays.
 */
#define SANDBOX_IDS_KEPT 1
int sandbox_drop_privileges(uid_t uid, gid_t gid);

/* True if the kernel has Landlock, which root that stays root depends on. */
bool sandbox_has_landlock(void);

/* What a call achieved, for the log: a kernel without Landlock is no error, seccomp is then all there is. */
struct sandbox_result {
	int landlock_abi; /* 0 = the kernel has none */
};

/*
 * For the short-lived process that looks up the server's name through libc: it may read files, load modules,
 * make sockets and talk, but neither write or change files, run programs, make processes nor reach others:
 * those calls return EPERM or EACCES, so that a strange module of nsswitch.conf fails and not the lookup. It
 * gets 10 s of CPU time. 0 or negative errno.
 */
int sandbox_resolver(struct sandbox_result *ret);

struct sandbox_worker_config {
	/* Directories below which files may be read until sandbox_worker_established(); ends with NULL. NULL
	 * or empty: no file can be opened from now on. Those that do not exist are left out. */
	const char *const *read_paths;
	/* An open descriptor is a plain file to be written (a key log): 64 MiB at most. The same is given
	 * when stderr is a plain file. Otherwise no file may grow. */
	bool writes_files;
};

/*
 * Descriptors that are open go on working: read, pread, write, recv, sendmsg, epoll, close. It may choose its
 * own processors, SCHED_BATCH and SCHED_OTHER. Memory may be mapped, but not executable. Forbidden on pain of
 * death: ioctl, socket, connect, bind, accept, exec, fork and threads, ptrace, signals to others, prctl, and
 * everything else not named here. Answered with an error: opening a file outside `read_paths` (EACCES by
 * Landlock, where the kernel has it), opening one for writing (EACCES), isatty() (ENOTTY, so that stdio
 * works). Of socket options it may ask for SO_INCOMING_CPU and TCP_INFO, and set TCP_CORK and
 * TCP_NOTSENT_LOWAT. Limits: 64 descriptors, 512 MiB of address space, no core, no process. 0 or negative
 * errno.
 *
 * A process under a sanitizer keeps what that needs; `-Dsandbox_debug=true` names the forbidden call on
 * stderr and ends with status 159 instead of the signal.
 */
int sandbox_worker(const struct sandbox_worker_config *config, struct sandbox_result *ret);

/*
 * The second stage, where `read_paths` were given: opening or looking at any file is EACCES from now on. To
 * be called once. 0 or negative errno.
 */
int sandbox_worker_established(void);
