/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sstpc-tunnel: started by sstpcd, not by hand. See docs/privsep.md. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "inspect.h"
#include "ipc/worker.h"
#include "worker.h"

int main(int argc, char **argv)
{
	int type;
	socklen_t len = sizeof(type);

	if (argc == 2 && strcmp(argv[1], "--inspect") == 0)
		return inspect_run();
	if (argc != 1 || getsockopt(WORKER_FD, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
	    type != SOCK_SEQPACKET) {
		(void)fprintf(stderr, "sstpc-tunnel is started by sstpcd; run \"sstpcd quick SERVER --user "
				      "NAME\" to connect\n");
		return 2;
	}
	return worker_run(WORKER_FD);
}
