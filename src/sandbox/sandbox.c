/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sandbox/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "sandbox/internal.h"

#define WORKER_FILES   64
#define WORKER_MEMORY  (512u << 20)
#define WORKER_LOG_MAX (64u << 20)
#define RESOLVER_CPU_S 10

#if SANITIZED
/* The leak checker stops all threads through a clone that ptraces them: impossible in here. */
static bool entered;
int __lsan_is_turned_off(void);
__attribute__((visibility("default"))) int __lsan_is_turned_off(void)
{
	return entered;
}
static void note_entered(void)
{
	entered = true;
}
#else
static void note_entered(void)
{
}
#endif

/* False where the user namespace has no such user or group, which only a try tells. Any other error is none
 * that one could live with: the change itself will have it, too. */
static bool are_mapped(uid_t uid, gid_t gid)
{
	const gid_t own_gid = getegid();
	const uid_t own_uid = geteuid();
	bool unmapped = setresgid((gid_t)-1, gid, (gid_t)-1) < 0 && errno == EINVAL;

	(void)!setresgid((gid_t)-1, own_gid, (gid_t)-1);
	unmapped |= setresuid((uid_t)-1, uid, (uid_t)-1) < 0 && errno == EINVAL;
	(void)!setresuid((uid_t)-1, own_uid, (uid_t)-1);
	return !unmapped;
}

/* Not without CAP_SETUID and CAP_SETGID, as in a hardened container. */
static bool can_become(uid_t uid, gid_t gid)
{
	return capng_have_capability(CAPNG_EFFECTIVE, CAP_SETUID) &&
	       capng_have_capability(CAPNG_EFFECTIVE, CAP_SETGID) && are_mapped(uid, gid);
}

/* The bounding set matters to programs that are executed, which no_new_privs keeps from gaining anything: so
 * where it cannot be emptied, without CAP_SETPCAP, nothing is lost. */
static int drop_capabilities(bool bounding)
{
	capng_clear(CAPNG_SELECT_ALL);
	return (bounding && capng_apply(CAPNG_SELECT_BOUNDS) < 0) || capng_apply(CAPNG_SELECT_CAPS) < 0
		       ? -EPERM
		       : 0;
}

static int become(uid_t uid, gid_t gid, bool bounding)
{
	unsigned flags = CAPNG_DROP_SUPP_GRP | (bounding ? CAPNG_CLEAR_BOUNDING : 0u);

	capng_clear(CAPNG_SELECT_ALL);
	return capng_change_id((int)uid, (int)gid, (capng_flags_t)flags) < 0 ? -EPERM : 0;
}

int sandbox_drop_privileges(uid_t uid, gid_t gid)
{
	bool root = geteuid() == 0, kept = false;
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;
	int r;

	if (!root && (getuid() != uid || getgid() != gid))
		return -EPERM;
	if (capng_get_caps_process() < 0)
		return -EPERM;
	bool bounding = root && capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	if (root && !can_become(uid, gid)) {
		kept = true;
		uid = getuid();
		gid = getgid();
	}
	r = root && !kept ? become(uid, gid, bounding) : drop_capabilities(bounding);
	if (r < 0)
		return r;
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, SANITIZED, 0, 0, 0) < 0)
		return -errno;

	/* Believed only when seen. */
	if (getresuid(&ruid, &euid, &suid) < 0 || getresgid(&rgid, &egid, &sgid) < 0)
		return -errno;
	if (ruid != uid || euid != uid || suid != uid || rgid != gid || egid != gid || sgid != gid)
		return -EPERM;
	if (capng_get_caps_process() < 0 || capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE)
		return -EPERM;
	if (uid != 0 && setuid(0) == 0)
		return -EPERM;
	return kept ? SANDBOX_IDS_KEPT : 0;
}

bool sandbox_has_landlock(void)
{
	return landlock_abi() > 0;
}

static int limit(int what, rlim_t value)
{
	struct rlimit now;

	if (getrlimit((__rlimit_resource_t)what, &now) < 0)
		return -errno;
	/* Limits only ever shrink. */
	rlim_t max = now.rlim_max == RLIM_INFINITY ? value : MIN(value, now.rlim_max);
	struct rlimit wanted = { .rlim_cur = max, .rlim_max = max };
	return setrlimit((__rlimit_resource_t)what, &wanted) < 0 ? -errno : 0;
}

/* A log or key log that is a plain file may grow a little; otherwise no file may. */
static rlim_t file_size_limit(const struct sandbox_worker_config *config)
{
	struct stat st;
	bool log_file = fstat(STDERR_FILENO, &st) == 0 && S_ISREG(st.st_mode);

	return log_file || config->writes_files ? WORKER_LOG_MAX : 0;
}

static int limit_all(rlim_t files, rlim_t file_size)
{
	int error = limit(RLIMIT_CORE, 0);

	/* At the limit of a file write() shall say so, instead of ending the process. */
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		return -errno;
	if (error == 0)
		error = limit(RLIMIT_NPROC, 0);
	if (error == 0)
		error = limit(RLIMIT_FSIZE, file_size);
	if (error == 0)
		error = limit(RLIMIT_NOFILE, files);
	return error;
}

static int enter(const char *const *read_paths, enum filter_role role, struct sandbox_result *ret)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, SANITIZED, 0, 0, 0) < 0)
		return -errno;
	int abi = landlock_read_only(read_paths);
	if (abi < 0)
		return abi;
	if (abi == 0 && geteuid() == 0) /* see sandbox.h */
		return -EOPNOTSUPP;
	int error = filter_load(role);
	if (error < 0)
		return error;
	note_entered();
	if (ret)
		*ret = (struct sandbox_result){ .landlock_abi = abi };
	return 0;
}

int sandbox_resolver(struct sandbox_result *ret)
{
	static const char *const everything[] = { "/", NULL };
	/* What libc needs for a lookup, of what everybody may read. */
	static const char *const few[] = { "/etc/resolv.conf",
					   "/etc/hosts",
					   "/etc/nsswitch.conf",
					   "/etc/host.conf",
					   "/etc/gai.conf",
					   "/etc/services",
					   "/etc/localtime",
					   "/etc/ld.so.cache",
					   "/lib",
					   "/lib64",
					   "/usr/lib",
					   "/usr/lib64",
					   "/usr/local/lib",
					   NULL };
	bool root = geteuid() == 0;

	int error = limit(RLIMIT_CPU, RESOLVER_CPU_S);
	if (error == 0)
		error = limit_all(WORKER_FILES, 0);
	return error < 0 ? error
			 : enter(root ? few : everything, root ? FILTER_RESOLVER_ROOT : FILTER_RESOLVER, ret);
}

int sandbox_worker(const struct sandbox_worker_config *config, struct sandbox_result *ret)
{
	bool files = config->read_paths && config->read_paths[0];

	int error = limit_all(WORKER_FILES, file_size_limit(config));
	/* A sanitizer maps terabytes that it never touches. */
	if (error == 0 && !SANITIZED)
		error = limit(RLIMIT_AS, WORKER_MEMORY);
	return error < 0 ? error
			 : enter(config->read_paths, files ? FILTER_WORKER : FILTER_WORKER_NOFILE, ret);
}

int sandbox_worker_established(void)
{
	return filter_load(FILTER_ESTABLISHED);
}
