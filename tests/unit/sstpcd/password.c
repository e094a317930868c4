/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpcd/password.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/macro.h"
#include "test.h"

static char path[] = "/tmp/sstpcd-password.XXXXXX";

static int put(const void *data, size_t len)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0600);

	return fd >= 0 && write(fd, data, len) == (ssize_t)len ? 0 : -errno;
}

static void the_first_line_of_a_file_is_the_password(void)
{
	static const struct {
		const char *content, *password;
	} cases[] = {
		{ "secret\n", "secret" },
		{ "secret", "secret" },
		{ "secret\r\n", "secret" },
		{ "se cret \nsecond\n", "se cret " },
		{ "p\xc3\xa4ss\t\n", "p\xc3\xa4ss\t" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct secret s = { .len = 0 };
		struct failure f = { .cause = CAUSE_NONE };
		bool exposed = true;
		check_int(put(cases[i].content, strlen(cases[i].content)), 0);
		check_int(password_from_file(path, &s, &exposed, &f), 0);
		check_mem(s.data, s.len, cases[i].password, strlen(cases[i].password));
		check(!exposed);
	}
}

static void length_and_emptiness_are_judged(void)
{
	char long_line[SECRET_MAX + 2];
	struct secret s = { .len = 0 };
	struct failure f = { .cause = CAUSE_NONE };

	memset(long_line, 'x', sizeof(long_line));
	long_line[SECRET_MAX] = '\n';
	check_int(put(long_line, sizeof(long_line)), 0);
	check_int(password_from_file(path, &s, NULL, &f), 0);
	check_int(s.len, SECRET_MAX);
	long_line[SECRET_MAX] = 'x';
	check_int(put(long_line, sizeof(long_line)), 0);
	check_int(password_from_file(path, &s, NULL, &f), -E2BIG);
	check_int(f.cause, CAUSE_FILE_UNREADABLE);
	check(strstr(f.detail, "longer than 256 bytes") != NULL);
	f.cause = CAUSE_NONE;
	check_int(put("\nsecond\n", 8), 0);
	check_int(password_from_file(path, &s, NULL, &f), -ENODATA);
	check(strstr(f.detail, "empty") != NULL);
}

static void what_is_no_readable_file_is_refused_without_waiting(void)
{
	static const struct {
		const char *path, *says;
	} cases[] = {
		{ "/nonexistent/password", "/nonexistent/password: No such file" },
		{ "/", "Is a directory" },
		{ "/dev/zero", "not a regular file" },
	};
	char fifo[64];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct secret s = { .len = 0 };
		struct failure f = { .cause = CAUSE_NONE };
		check(password_from_file(cases[i].path, &s, NULL, &f) < 0);
		check_int(f.cause, CAUSE_FILE_UNREADABLE);
		check(strstr(f.detail, cases[i].says) != NULL);
	}
	struct secret s = { .len = 0 };
	struct failure f = { .cause = CAUSE_NONE };
	(void)snprintf(fifo, sizeof(fifo), "%s.fifo", path);
	check_int(mkfifo(fifo, 0600), 0);
	int r = password_from_file(fifo, &s, NULL, &f);
	(void)unlink(fifo);
	check_int(r, -EINVAL);
}

static void a_file_that_others_can_read_is_noticed(void)
{
	struct secret s = { .len = 0 };
	struct failure f = { .cause = CAUSE_NONE };
	bool exposed = false;

	check_int(put("secret\n", 7), 0);
	check_int(chmod(path, 0640), 0);
	check_int(password_from_file(path, &s, &exposed, &f), 0);
	check(exposed);
	check_int(chmod(path, 0600), 0);
}

static void a_pipe_may_deliver_in_pieces(void)
{
	struct secret s = { .len = 0 };
	struct failure f = { .cause = CAUSE_NONE };
	int fds[2];

	check_int(pipe(fds), 0);
	pid_t pid = fork();
	check(pid >= 0);
	if (pid == 0) {
		(void)!write(fds[1], "sec", 3);
		(void)usleep(20000);
		(void)!write(fds[1], "ret\n", 4);
		_exit(0);
	}
	(void)close_fd(fds[1]);
	check_int(password_from_fd(fds[0], &s, &f), 0);
	(void)close_fd(fds[0]);
	check_mem(s.data, s.len, "secret", 6);
	check_int(waitpid(pid, NULL, 0), pid);
	check(password_from_fd(-1, &s, &f) < 0);
}

/* A child with a terminal of its own asks; exit 10 + 0 for the right answer, 1 for cancelled, 2 else. */
static pid_t ask(int *ret_master)
{
	struct secret s = { .len = 0 };
	pid_t pid = forkpty(ret_master, NULL, NULL, NULL);

	if (pid != 0)
		return pid;
	int r = password_from_terminal("Password: ", &s);
	struct termios t;
	bool echo = tcgetattr(0, &t) == 0 && (t.c_lflag & ECHO);
	_exit(!echo							 ? 3
	      : r == -ECANCELED						 ? 11
	      : r == 0 && s.len == 6 && memcmp(s.data, "secret", 6) == 0 ? 10
									 : 2);
}

/* Reads from the terminal until `what` was seen. */
static bool expect(int master, const char *what, char *seen, size_t size)
{
	size_t len = 0;

	seen[0] = 0;
	while (!strstr(seen, what) && len + 1 < size) {
		ssize_t n = read(master, seen + len, size - 1 - len);
		if (n <= 0)
			return false;
		len += (size_t)n;
		seen[len] = 0;
	}
	return true;
}

static int exit_status(pid_t pid)
{
	int status = 0;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void the_terminal_is_asked_without_echo(void)
{
	char seen[256];
	int master;

	pid_t pid = ask(&master);
	check(pid > 0);
	check(expect(master, "Password: ", seen, sizeof(seen)));
	check_int(write(master, "secret\n", 7), 7);
	check(expect(master, "\n", seen, sizeof(seen)));
	check(strstr(seen, "secret") == NULL);
	check_int(exit_status(pid), 10);
	(void)close_fd(master);
}

static void the_question_can_be_refused(void)
{
	static const char *const refusals[] = { "\x03", "\x04" }; /* Ctrl-C, Ctrl-D */

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		char seen[256];
		int master;
		pid_t pid = ask(&master);
		check(pid > 0);
		check(expect(master, "Password: ", seen, sizeof(seen)));
		check_int(write(master, refusals[i], 1), 1);
		check_int(exit_status(pid), 11); /* and the echo is back */
		(void)close_fd(master);
	}
}

static void without_a_terminal_it_says_so(void)
{
	struct secret s = { .len = 0 };
	pid_t pid = fork();

	check(pid >= 0);
	if (pid == 0) {
		(void)setsid();
		_exit(password_from_terminal("Password: ", &s) == -ENXIO ? 0 : 1);
	}
	check_int(exit_status(pid), 0);
}

int main(void)
{
	int fd = mkstemp(path);
	if (fd < 0)
		return 1;
	(void)close_fd(fd);
	int r = run_tests((struct test[]){
		TEST(the_first_line_of_a_file_is_the_password),
		TEST(length_and_emptiness_are_judged),
		TEST(what_is_no_readable_file_is_refused_without_waiting),
		TEST(a_file_that_others_can_read_is_noticed),
		TEST(a_pipe_may_deliver_in_pieces),
		TEST(the_terminal_is_asked_without_echo),
		TEST(the_question_can_be_refused),
		TEST(without_a_terminal_it_says_so),
		{},
	});
	(void)unlink(path);
	return r;
}
