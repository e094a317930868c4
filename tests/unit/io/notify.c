/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/macro.h"
#include "test.h"

/* A manager's socket under `name`; '@' stands for the abstract name space. */
static int listen_at(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(a.sun_path, name, strlen(name));
	if (name[0] == '@')
		a.sun_path[0] = 0;
	if (bind(fd, (struct sockaddr *)&a,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))) < 0)
		return -errno;
	return fd;
}

static void the_manager_is_told(void)
{
	char file[64], abstract[64], text[64];

	(void)snprintf(file, sizeof(file), "/tmp/sstpcd-notify.%d", (int)getpid());
	(void)snprintf(abstract, sizeof(abstract), "@sstpcd-notify.%d", (int)getpid());
	const char *const names[] = { file, abstract };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_close_ int fd = listen_at(names[i]);
		check(fd >= 0);
		check_int(setenv("NOTIFY_SOCKET", names[i], 1), 0);
		check_int(notify("READY=1\nSTATUS=up"), 0);
		ssize_t n = recv(fd, text, sizeof(text), 0);
		check_mem(text, (size_t)n, "READY=1\nSTATUS=up", 17);
	}
	(void)unlink(file);
}

static void without_a_manager_nothing_happens(void)
{
	check_int(unsetenv("NOTIFY_SOCKET"), 0);
	check_int(notify("READY=1"), 0);
	check_int(setenv("NOTIFY_SOCKET", "", 1), 0);
	check_int(notify("READY=1"), 0);
}

static void a_bad_or_dead_socket_is_an_error(void)
{
	char path[300];

	check_int(setenv("NOTIFY_SOCKET", "relative", 1), 0);
	check_int(notify("READY=1"), -EINVAL);
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = 0;
	check_int(setenv("NOTIFY_SOCKET", path, 1), 0);
	check_int(notify("READY=1"), -EINVAL);
	check_int(setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1), 0);
	check_int(notify("READY=1"), -ENOENT);
}

int main(void)
{
	return run_tests((struct test[]){
		TEST(the_manager_is_told),
		TEST(without_a_manager_nothing_happens),
		TEST(a_bad_or_dead_socket_is_an_error),
		{},
	});
}
