/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sstpcd/daemon.h"
#include "sstpcd/quick.h"

/* Descriptors 0–2 may be closed by whoever started us; nothing else may get their numbers. */
static void open_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

int main(int argc, char **argv)
{
	open_standard_fds();
	/* /etc/resolv.conf, made by us or by a program of the host that we run, and the way to the control
	 * socket are for everybody; what is not has a mode of its own. */
	(void)umask(022);
	/* Passwords are in our memory, and in that of the workers, which inherit this. */
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){ .rlim_cur = 0 });
	(void)signal(SIGPIPE, SIG_IGN);
	/* What says nothing to us is no reason to end without a clean-up. The daemon takes SIGUSR2. */
	(void)signal(SIGUSR1, SIG_IGN);
	(void)signal(SIGUSR2, SIG_IGN);
	if (argc >= 2 && strcmp(argv[1], "quick") == 0)
		return quick_main(argc - 1, argv + 1);
	return daemon_main(argc, argv);
}
