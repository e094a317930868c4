/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: who may connect, what each client is doing, and what it is sent. Root and the members
 * of one group are let in. A client that floods is served one message per round of the loop; one that does
 * not read fills its own bounded queue, and is left when that is full or does not move.
 *
 *     control.c   clients: connecting, messages, queues
 *     operate.c   the operational commands
 *     show.c      their output
 *     links.c     the kernel's interfaces, as `show` wants them
 */
#pragma once

#include "sstpcd/daemon.h"

struct control;

/*
 * Makes the socket at options.socket (0660, group options.group) and serves it from the daemon's loop. Sets
 * the daemon's `note` and its journal's `follow`. 0 or negative errno with `failure`.
 */
int control_open(struct daemon *d, struct control **ret, struct failure *failure);
/* The inspector has settled: goes on with what has waited for it. */
void control_inspected(struct control *control);
/* Ends what goes on for a client (`connect`, `monitor`), and tells it why. */
void control_end_tasks(struct control *control, const char *why, int code);
/* Leaves all clients (their candidates are gone) and removes the socket. NULL is fine. */
void control_close(struct control *control);
