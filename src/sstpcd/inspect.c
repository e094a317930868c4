/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpcd/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cause.h"
#include "base/clock.h"

#define INSPECT_TIME   (5 * USEC_PER_SEC)
#define INSPECT_OUTPUT (256u << 10)

static int make_input(const char *pem, size_t len)
{
	_cleanup_close_ int fd = memfd_create("pem", MFD_CLOEXEC);
	size_t done = 0;

	if (fd < 0)
		return -errno;
	while (done < len) {
		ssize_t n = write(fd, pem + done, len - done);
		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : TAKE_FD(fd);
}

/* Descriptors 0, 1 and 2 and nothing else. Output and errors share a pipe: only one of them is used. */
static int start(const char *program, int input, int output, pid_t *ret)
{
	char *const argv[] = { (char[]){ "sstpc-tunnel" }, (char[]){ "--inspect" }, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int r;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	r = posix_spawn_file_actions_init(&actions);
	if (r != 0)
		return -r;
	r = posix_spawnattr_init(&attr);
	if (r != 0) {
		(void)posix_spawn_file_actions_destroy(&actions);
		return -r;
	}
	if ((r = posix_spawn_file_actions_adddup2(&actions, input, 0)) == 0 &&
	    (r = posix_spawn_file_actions_adddup2(&actions, output, 1)) == 0 &&
	    (r = posix_spawn_file_actions_adddup2(&actions, output, 2)) == 0 &&
	    (r = posix_spawn_file_actions_addclosefrom_np(&actions, 3)) == 0 &&
	    (r = posix_spawnattr_setsigmask(&attr, &none)) == 0 &&
	    (r = posix_spawnattr_setsigdefault(&attr, &all)) == 0 &&
	    (r = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
							 POSIX_SPAWN_SETSIGDEF)) == 0)
		r = posix_spawn(ret, program, &actions, &attr, argv, environ);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* Reads to the end of the output. -ETIMEDOUT, -E2BIG. */
static int read_output(int fd, struct text *out)
{
	usec_t end = clock_now() + INSPECT_TIME;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char buf[4096];

	for (;;) {
		usec_t now = clock_now();
		if (now >= end || poll(&p, 1, (int)((end - now) / USEC_PER_MSEC) + 1) == 0)
			return -ETIMEDOUT;
		ssize_t n = read(fd, buf, sizeof(buf));
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return out->error;
		if (n > 0)
			text_add_len(out, buf, (size_t)n);
		if (out->error || out->len > INSPECT_OUTPUT)
			return -E2BIG;
	}
}

int inspect_pem(const char *program, const char *pem, size_t len, struct text *out)
{
	_cleanup_text_ struct text output = { .max = INSPECT_OUTPUT + 4096 };
	int fds[2], status = 0;
	pid_t pid;

	_cleanup_close_ int input = make_input(pem, len);
	if (input < 0)
		return input;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	_cleanup_close_ int reader = fds[0], writer = fds[1];
	int r = start(program, input, writer, &pid);
	if (r < 0)
		return r;
	writer = close_fd(writer);
	r = read_output(reader, &output);
	if (r < 0)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r < 0)
		return r;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		text_add_len(out, text_str(&output), output.len);
		return 0;
	}
	char line[256];
	size_t end = strcspn(text_str(&output), "\n");
	printable(line, sizeof(line), text_str(&output), end);
	text_add(out, line[0] ? line : "it cannot be read");
	return -EINVAL;
}
