/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection whose PPP is done by Debian's pppd: our HTTP and SSTP server, and a pppd on a pseudo-terminal
 * behind it. A judge of our client's PPP that nobody here wrote. The crypto binding stays strict: the
 * MS-CHAPv2 exchange that passes by, and the password of the users file, give the HLAK.
 */
#pragma once

#include "report.h"
#include "server.h"

struct relay;

struct relay_config {
	struct loop *loop;
	const struct server_options *options;
	struct report report;
	unsigned place;
	void (*ended)(void *ctx, struct relay *r, unsigned place); /* the callee frees */
	void *ctx;
};

/* Takes `fd` over, also on error. */
int relay_start(const struct relay_config *config, int fd, struct relay **ret);
void relay_stop(struct relay *r);
void relay_free(struct relay *r);
