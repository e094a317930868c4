/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The worker: one connection attempt and its session, told what to do and reporting through ipc/worker.h. */
#pragma once

#include "base/cause.h"

/* Root becomes the user sstpcd-worker, or nobody where there is none, or where that cannot be, stays root
 * without capabilities and under Landlock; whoever else it is loses what there is to lose. 0, or negative
 * errno with `failure`: NO_PRIVILEGE, INTERNAL. */
int worker_drop_privileges(struct failure *failure);
/* Runs to the end of the session. `ipc` is the socket to the daemon. Returns the exit status. */
int worker_run(int ipc);
