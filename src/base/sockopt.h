/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Socket options for a process behind a seccomp filter that allows only some of them: getsockopt(2) and
 * setsockopt(2) as system calls of their own. On i386 and s390x libc goes through socketcall(2), whose
 * arguments lie in memory, where no filter sees which option is meant. Arguments are long, because the filter
 * compares all 64 bits of them.
 */
#pragma once

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As getsockopt(2). */
static inline int sockopt_get(int fd, int level, int option, void *value, socklen_t *len)
{
	return (int)syscall(SYS_getsockopt, (long)fd, (long)level, (long)option, value, len);
}

/* As setsockopt(2), of an int. */
static inline int sockopt_set_int(int fd, int level, int option, int value)
{
	return (int)syscall(SYS_setsockopt, (long)fd, (long)level, (long)option, &value, sizeof(value));
}
