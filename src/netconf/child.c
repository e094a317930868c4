/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netconf/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/macro.h"

static const char *const directories[] = { "/usr/sbin", "/usr/bin", "/sbin", "/bin" };
#define CHILD_PATH "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
#define PATH_SIZE  128

static bool find_program(const char *program, char *out, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		(void)snprintf(out, size, "%s/%s", directories[i], program);
		if (access(out, X_OK) == 0)
			return true;
	}
	return false;
}

bool child_program_exists(const char *program)
{
	char path[PATH_SIZE];

	return find_program(program, path, sizeof(path));
}

static int memory_file(const char *content)
{
	size_t len = content ? strlen(content) : 0;
	_cleanup_close_ int fd = memfd_create("sstpcd-child", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (len > 0 && pwrite(fd, content, len, 0) != (ssize_t)len)
		return -EIO;
	return TAKE_FD(fd);
}

/* Every signal as at login, in a process group of its own, so that a script is killed with what it runs. */
static int set_attributes(posix_spawnattr_t *attr)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	int r = posix_spawnattr_setflags(
		attr, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP));
	if (r == 0)
		r = posix_spawnattr_setsigmask(attr, &none);
	if (r == 0)
		r = posix_spawnattr_setsigdefault(attr, &all);
	if (r == 0)
		r = posix_spawnattr_setpgroup(attr, 0);
	return -r;
}

static int spawn(const char *path, const char *const argv[], int input, int error, pid_t *ret)
{
	char *env[] = { (char[]){ CHILD_PATH }, (char[]){ "LC_ALL=C" }, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;

	int r = posix_spawn_file_actions_init(&actions);
	if (r != 0)
		return -r;
	r = posix_spawnattr_init(&attr);
	if (r == 0) {
		r = -set_attributes(&attr);
		if (r == 0)
			r = posix_spawn_file_actions_adddup2(&actions, input, 0);
		if (r == 0)
			r = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
		if (r == 0)
			r = posix_spawn_file_actions_adddup2(&actions, error, 2);
		if (r == 0)
			r = posix_spawn(ret, path, &actions, &attr, (char *const *)argv, env);
		(void)posix_spawnattr_destroy(&attr);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return -r;
}

static void kill_and_reap(pid_t pid)
{
	(void)kill(-pid, SIGKILL);
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int child_start(const char *const argv[], const char *input, struct child *ret)
{
	struct child child = CHILD_NONE;
	char path[PATH_SIZE];

	if (!find_program(argv[0], path, sizeof(path)))
		return -ENOENT;
	_cleanup_close_ int in = memory_file(input);
	if (in < 0)
		return in;
	_cleanup_close_ int error = memory_file(NULL);
	if (error < 0)
		return error;
	pid_t pid;
	int r = spawn(path, argv, in, error, &pid);
	if (r < 0)
		return r;
	r = exit_watch_open(&child.watch, pid);
	if (r < 0) {
		kill_and_reap(pid);
		return r;
	}
	child.error_fd = TAKE_FD(error);
	*ret = child;
	return 0;
}

static void forget(struct child *child)
{
	exit_watch_close(&child->watch);
	child->error_fd = close_fd(child->error_fd);
}

/* The last line that it wrote: programs say what was wrong at the end. */
static void last_words(int fd, char *out, size_t size)
{
	char text[1024];
	off_t end = lseek(fd, 0, SEEK_END);
	off_t from = end > (off_t)sizeof(text) - 1 ? end - (off_t)sizeof(text) + 1 : 0;
	ssize_t n = end > 0 ? pread(fd, text, sizeof(text) - 1, from) : 0;

	text[MAX(n, 0)] = 0;
	while (n > 0 && text[n - 1] == '\n')
		text[--n] = 0;
	const char *line = strrchr(text, '\n');
	(void)snprintf(out, size, "%s", line ? line + 1 : text);
}

/* nft marks the place below its message: the first line is the one that tells. */
static void first_words(int fd, char *out, size_t size)
{
	ssize_t n = pread(fd, out, size - 1, 0);

	out[MAX(n, 0)] = 0;
	out[strcspn(out, "\n")] = 0;
}

int child_wait(struct child *child, int timeout_ms, char *error, size_t size)
{
	char first[160], last[160];
	siginfo_t info;

	if (exit_watch_wait(&child->watch, timeout_ms, &info) == 0)
		return 1;
	bool fine = info.si_code == CLD_EXITED && info.si_status == 0;
	if (!fine) {
		first_words(child->error_fd, first, sizeof(first));
		last_words(child->error_fd, last, sizeof(last));
		(void)snprintf(error, size, "%s %d%s%s%s%s",
			       info.si_code == CLD_EXITED ? "exit status" : "ended by signal", info.si_status,
			       first[0] ? ": " : "", first, strcmp(first, last) != 0 ? " … " : "",
			       strcmp(first, last) != 0 ? last : "");
	}
	forget(child);
	return fine ? 0 : -EIO;
}

void child_kill(struct child *child)
{
	if (child->watch.pid > 0)
		kill_and_reap(child->watch.pid);
	forget(child);
}

int child_run(const char *const argv[], const char *input, int timeout_ms, char *error, size_t size)
{
	struct child child = CHILD_NONE;

	int r = child_start(argv, input, &child);
	if (r < 0) {
		(void)snprintf(error, size, "%s: %s", argv[0], strerror(-r));
		return r;
	}
	r = child_wait(&child, timeout_ms, error, size);
	if (r <= 0)
		return r;
	child_kill(&child);
	(void)snprintf(error, size, "%s did not end within %d ms", argv[0], timeout_ms);
	return -ETIMEDOUT;
}
