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
 */
int sandbox_drop_privileges(uid_t uid, gid_t gid);

/* What a call achieved, for the log: a kernel without Landlock is no error, seccomp is then all there is. */
struct sandbox_result {
	int landlock_abi; /* 0 = the kernel has none */
};

/*
 * For the short-lived process that looks up the server's name through libc: it may open files for reading,
 * make sockets and talk, but neither write files, run programs, make processes, nor look at others. It gets
 * 10 s of CPU time. 0 or negative errno.
 */
int sandbox_resolver(struct sandbox_result *ret);

struct sandbox_worker_config {
	/* Directories below which files may be read until sandbox_worker_established(); ends with NULL. NULL
	 * or empty: no file can be opened from now on. Those that do not exist are left out. */
	const char *const *read_paths;
};

/*
 * No ioctl, no socket, connect, bind, accept, exec, fork, clone, ptrace, kill, prctl: killed. Descriptors
 * that are open go on working: read, write, recv, send, epoll, timerfd, close; getsockopt and setsockopt only
 * for SO_ERROR, TCP_INFO, TCP_NODELAY, TCP_NOTSENT_LOWAT, TCP_QUICKACK and SO_RCVBUF/SO_SNDBUF. Memory may be
 * mapped but not executable. Outside `read_paths` open returns EACCES (Landlock), writing opens EACCES
 * (seccomp). No core dump, no new descriptors beyond 64, no file may grow. 0 or negative errno.
 */
int sandbox_worker(const struct sandbox_worker_config *config, struct sandbox_result *ret);

/* The second stage: opening or looking at any file is EACCES from now on. 0 or negative errno. */
int sandbox_worker_established(void);
