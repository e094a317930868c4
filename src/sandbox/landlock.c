/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Landlock by raw system calls: neither libc nor Debian 12's kernel headers know all of it. The constants are
 * those of Documentation/userspace-api/landlock.rst.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/macro.h"
#include "sandbox/internal.h"

#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#define __NR_landlock_add_rule	     445
#define __NR_landlock_restrict_self  446
#endif

#define CREATE_RULESET_VERSION (1u << 0)
#define RULE_PATH_BENEATH      1

#define FS_READ_FILE (UINT64_C(1) << 2)
#define FS_READ_DIR  (UINT64_C(1) << 3)
/* Every right there is, by ABI. */
#define FS_ABI_1    ((UINT64_C(1) << 13) - 1)
#define FS_ABI_2    ((UINT64_C(1) << 14) - 1) /* + REFER */
#define FS_ABI_3    ((UINT64_C(1) << 15) - 1) /* + TRUNCATE */
#define FS_ABI_5    ((UINT64_C(1) << 16) - 1) /* + IOCTL_DEV */
#define SCOPE_ABI_6 UINT64_C(3)		      /* abstract unix sockets and signals of others */

struct ruleset {
	uint64_t handled_fs, handled_net, scoped;
};

struct path_rule {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

static int sys_create_ruleset(const struct ruleset *r, size_t size, uint32_t flags)
{
	long n = syscall(__NR_landlock_create_ruleset, r, size, flags);
	return n < 0 ? -errno : (int)n;
}

static uint64_t rights_of(int abi)
{
	return abi >= 5 ? FS_ABI_5 : abi >= 3 ? FS_ABI_3 : abi >= 2 ? FS_ABI_2 : FS_ABI_1;
}

/* A directory with all that is below it, or a file. */
static int allow_reading(int ruleset_fd, const char *path)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
	struct path_rule rule = { .allowed = FS_READ_FILE, .parent_fd = fd };
	struct stat st;

	if (fd < 0) /* what is not there, cannot be read */
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		rule.allowed |= FS_READ_DIR;
	return syscall(__NR_landlock_add_rule, ruleset_fd, RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
}

int landlock_abi(void)
{
	int abi = sys_create_ruleset(NULL, 0, CREATE_RULESET_VERSION);

	return abi == -ENOSYS || abi == -EOPNOTSUPP ? 0 : abi; /* not built in, or not enabled at boot */
}

int landlock_read_only(const char *const *paths)
{
	int abi = landlock_abi();

	if (abi <= 0)
		return abi;
	/* A kernel knows only its own, shorter structure; what it does not know stays zero and is not passed.
	 */
	struct ruleset r = { .handled_fs = rights_of(abi), .scoped = abi >= 6 ? SCOPE_ABI_6 : 0 };
	size_t size = abi >= 6 ? sizeof(r) : sizeof(r.handled_fs);
	_cleanup_close_ int fd = sys_create_ruleset(&r, size, 0);
	if (fd < 0)
		return fd;
	for (size_t i = 0; paths && paths[i]; i++) {
		int error = allow_reading(fd, paths[i]);
		if (error < 0)
			return error;
	}
	return syscall(__NR_landlock_restrict_self, fd, 0) < 0 ? -errno : abi;
}
