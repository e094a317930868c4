/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpcd/password.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* Reads the first line; what comes behind it is read and forgotten. `what` names the source. */
static int read_line(int fd, const char *what, struct secret *ret, struct failure *failure)
{
	char buf[SECRET_MAX + 2]; /* one more than allowed, and the newline */
	size_t len = 0;
	int r = 0;

	while (len < sizeof(buf)) {
		ssize_t n = read(fd, buf + len, sizeof(buf) - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			r = -errno;
			failure_set(failure, CAUSE_FILE_UNREADABLE, "%s: %s", what, strerror(-r));
		}
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	if (r == 0) {
		const char *end = memchr(buf, '\n', len);
		size_t line = end ? (size_t)(end - buf) : len;
		if (line > 0 && buf[line - 1] == '\r')
			line--;
		r = line == 0 ? -ENODATA : secret_set(ret, buf, line);
		if (r == -ENODATA)
			failure_set(failure, CAUSE_FILE_UNREADABLE, "%s: the password is empty", what);
		else if (r < 0)
			failure_set(failure, CAUSE_FILE_UNREADABLE,
				    "%s: the password is longer than %d bytes", what, SECRET_MAX);
	}
	wipe(buf, sizeof(buf));
	return r;
}

int password_from_file(const char *path, struct secret *ret, bool *ret_exposed, struct failure *failure)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int r = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (r < 0) {
		failure_set(failure, CAUSE_FILE_UNREADABLE, "password file %s: %s", path,
			    r == -EINVAL ? "not a regular file" : strerror(-r));
		return r;
	}
	r = read_line(fd, path, ret, failure);
	if (r == 0 && ret_exposed)
		*ret_exposed = (st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
	return r;
}

int password_from_fd(int fd, struct secret *ret, struct failure *failure)
{
	char what[40];

	(void)snprintf(what, sizeof(what), "password descriptor %d", fd);
	return read_line(fd, what, ret, failure);
}

/* Only to interrupt read(2). The signals may be blocked for a signalfd, which nobody reads during a question.
 */
static void on_interrupt(int number)
{
	(void)number;
}

static int read_secret(int tty, const sigset_t *waiting, struct secret *ret)
{
	struct pollfd p = { .fd = tty, .events = POLLIN };
	char buf[SECRET_MAX + 1];
	size_t len = 0;
	int r = -E2BIG;

	for (;;) {
		char c;
		ssize_t n = ppoll(&p, 1, NULL, waiting);
		if (n >= 0)
			n = read(tty, &c, 1);
		if (n < 0) {
			r = errno == EINTR ? -ECANCELED : -errno;
			break;
		}
		if (n == 0 || c == '\n' || c == '\r') {
			r = n == 0 && len == 0 ? -ECANCELED : len > SECRET_MAX ? -E2BIG : 0;
			break;
		}
		if (len < sizeof(buf))
			buf[len++] = c;
	}
	if (r == 0)
		r = secret_set(ret, buf, len);
	wipe(buf, sizeof(buf));
	return r;
}

int password_from_terminal(const char *prompt, struct secret *ret)
{
	static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	_cleanup_close_ int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	struct sigaction catch = { .sa_handler = on_interrupt }, before[ARRAY_SIZE(ending)];
	struct termios echo, quiet;
	sigset_t set, mask, waiting;

	if (tty < 0 || tcgetattr(tty, &echo) < 0)
		return -ENXIO;
	quiet = echo;
	quiet.c_lflag &= (tcflag_t) ~(ECHO | ECHOE | ECHOK);
	quiet.c_lflag |= ECHONL;
	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++) {
		(void)sigaction(ending[i], &catch, &before[i]);
		(void)sigaddset(&set, ending[i]);
	}
	(void)sigprocmask(SIG_BLOCK, &set, &mask);
	waiting = mask;
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
		(void)sigdelset(&waiting, ending[i]);
	int r = tcsetattr(tty, TCSAFLUSH, &quiet) < 0 ? -errno : 0;
	if (r == 0) {
		(void)!write(tty, prompt, strlen(prompt));
		r = read_secret(tty, &waiting, ret);
		if (r == -ECANCELED)
			(void)!write(tty, "\n", 1);
		(void)tcsetattr(tty, TCSAFLUSH, &echo);
	}
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
		(void)sigaction(ending[i], &before[i], NULL);
	return r;
}
