/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lists of system calls. What is not on a list is refused. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/macro.h"
#include "sandbox/internal.h"

/* Seen from Linux 5.14 on, whatever the kernel headers are. */
#ifndef SECCOMP_SET_MODE_FILTER
#define SECCOMP_SET_MODE_FILTER 1
#endif

/* Descriptors that are open, memory, time, the end: what both processes live on. */
static const int steady[] = {
	SCMP_SYS(read),
	SCMP_SYS(readv), /* stdio of some libcs reads so */
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(recv),
	SCMP_SYS(sendmsg),
	SCMP_SYS(close),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait), /* epoll_wait() where the kernel has no such call, as on arm64 */
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_gettime64),
	SCMP_SYS(gettimeofday), /* this and time(): where the vDSO has no clock that it can read */
	SCMP_SYS(time),
	SCMP_SYS(getrandom),
	SCMP_SYS(futex), /* pthread_once() wakes, though there is nobody to be woken */
	SCMP_SYS(futex_time64),
	SCMP_SYS(sysinfo), /* glibc before 2.37: qsort() asks how much memory there is */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(getpid), /* OpenSSL asks whether it was forked; this and the next two: abort() */
	SCMP_SYS(gettid),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigreturn),
	SCMP_SYS(restart_syscall), /* by the kernel, after a process was stopped */
	SCMP_SYS(exit),		   /* where exit_group() came back */
	SCMP_SYS(exit_group),
};

/* Of open files; stdio asks before its first write. */
static const int open_files[] = {
	SCMP_SYS(fstat), SCMP_SYS(fstat64), SCMP_SYS(lseek), SCMP_SYS(_llseek), SCMP_SYS(pread64),
};

/* Looking at files by name, and reading directories. Opening them is a rule of its own. */
static const int file_reading[] = {
	SCMP_SYS(stat),	      SCMP_SYS(stat64),	    SCMP_SYS(lstat),	SCMP_SYS(lstat64),
	SCMP_SYS(newfstatat), SCMP_SYS(fstatat64),  SCMP_SYS(statx),	SCMP_SYS(access),
	SCMP_SYS(faccessat),  SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(getdents),   SCMP_SYS(getdents64),
};

static const int file_opening[] = { SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2) };

/* What libc and the modules of nsswitch.conf need for a lookup. */
static const int lookup[] = {
	SCMP_SYS(sendto),
	SCMP_SYS(send),
	SCMP_SYS(shutdown),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(ppoll_time64),
	SCMP_SYS(epoll_pwait2),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(timerfd_gettime),
	SCMP_SYS(timerfd_settime64),
	SCMP_SYS(timerfd_gettime64),
	SCMP_SYS(getrusage),
	SCMP_SYS(sched_yield),
	SCMP_SYS(connect),
	SCMP_SYS(bind),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(recvmmsg_time64),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(select),
	SCMP_SYS(_newselect),
	SCMP_SYS(pselect6),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(eventfd2),
	SCMP_SYS(pipe2),
	SCMP_SYS(dup),
	SCMP_SYS(fcntl),
	SCMP_SYS(fcntl64),
	SCMP_SYS(mmap),
	SCMP_SYS(mmap2),
	SCMP_SYS(mprotect),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getuid32),
	SCMP_SYS(geteuid32),
	SCMP_SYS(getgid32),
	SCMP_SYS(getegid32),
	SCMP_SYS(uname),
	SCMP_SYS(getcwd),
	SCMP_SYS(statfs),
	SCMP_SYS(fstatfs),
	SCMP_SYS(getrlimit),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_getres_time64),
	SCMP_SYS(set_robust_list),
};

/* A sanitizer's report: without these it dies before it has said anything. Answered with an error, except for
 * its stacks and the way it ends. */
static const int sanitizer_allowed[] = { SCMP_SYS(sigaltstack), SCMP_SYS(mprotect), SCMP_SYS(mmap),
					 SCMP_SYS(sched_yield) };
static const int sanitizer_refused[] = {
	SCMP_SYS(readlink),   SCMP_SYS(readlinkat), SCMP_SYS(access), SCMP_SYS(stat),
	SCMP_SYS(newfstatat), SCMP_SYS(pipe),	    SCMP_SYS(pipe2),  SCMP_SYS(rt_sigaction),
	SCMP_SYS(prlimit64),  SCMP_SYS(getrlimit),  SCMP_SYS(uname),  SCMP_SYS(sysinfo),
	SCMP_SYS(prctl),      SCMP_SYS(lseek),
};

/* What the pump asks and says of the connection; the rest was said before. */
static const struct {
	int call, level, name;
} options[] = {
	{ SCMP_SYS(getsockopt), IPPROTO_TCP, TCP_INFO },
	{ SCMP_SYS(getsockopt), SOL_SOCKET, SO_INCOMING_CPU },
	{ SCMP_SYS(setsockopt), IPPROTO_TCP, TCP_NOTSENT_LOWAT },
	{ SCMP_SYS(setsockopt), IPPROTO_TCP, TCP_CORK },
};

/* Adds rules; the first error sticks. */
struct filter {
	scmp_filter_ctx ctx;
	int error;
};

static void add(struct filter *f, uint32_t action, int call, unsigned count, const struct scmp_arg_cmp *args)
{
	int error = seccomp_rule_add_array(f->ctx, action, call, count, args);

	/* -EDOM: the architecture has no such call. -EEXIST: two lists name it. */
	if (error < 0 && error != -EDOM && error != -EEXIST && f->error == 0)
		f->error = error;
}

static void add_all(struct filter *f, uint32_t action, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add(f, action, calls[i], 0, NULL);
}
#define ADD_ALL(f, action, list) add_all(f, action, list, ARRAY_SIZE(list))

#define ARGS(...) \
	ARRAY_SIZE(((struct scmp_arg_cmp[]){ __VA_ARGS__ })), ((struct scmp_arg_cmp[]){ __VA_ARGS__ })

/* Opening for reading is allowed, anything else answered with EACCES. openat2 hides its flags in memory. */
static void add_read_only_open(struct filter *f)
{
	const scmp_datum_t writing = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);
	const int calls[] = { SCMP_SYS(open), SCMP_SYS(openat) };

	for (unsigned i = 0; i < ARRAY_SIZE(calls); i++) {
		unsigned flags = i + 1;
		add(f, SCMP_ACT_ALLOW, calls[i],
		    ARGS(SCMP_CMP(flags, SCMP_CMP_MASKED_EQ, writing, O_RDONLY)));
		for (unsigned bit = 0; bit < 32; bit++)
			if (writing & (UINT64_C(1) << bit))
				add(f, SCMP_ACT_ERRNO(EACCES), calls[i],
				    ARGS(SCMP_CMP(flags, SCMP_CMP_MASKED_EQ, UINT64_C(1) << bit,
						  UINT64_C(1) << bit)));
	}
	add(f, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat2), 0, NULL);
}

static void add_memory(struct filter *f)
{
	const int calls[] = { SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect) };

	if (SANITIZED)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		add(f, SCMP_ACT_ALLOW, calls[i], ARGS(SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)));
}

static void add_socket_options(struct filter *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		add(f, SCMP_ACT_ALLOW, options[i].call,
		    ARGS(SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)options[i].level),
			 SCMP_A2(SCMP_CMP_EQ, (scmp_datum_t)options[i].name)));
}

/* Refused, not killed: stdio looks at its descriptors through newfstatat(), and lives without an answer. */
static void add_no_files(struct filter *f)
{
	ADD_ALL(f, SCMP_ACT_ERRNO(EACCES), file_opening);
	ADD_ALL(f, SCMP_ACT_ERRNO(EACCES), file_reading);
}

static void add_worker(struct filter *f, bool files)
{
	/* fdopen() asks the one; the other is O_CLOEXEC of libcs that ask the kernel twice. */
	const int fcntls[] = { F_GETFL, F_SETFD };

	ADD_ALL(f, SCMP_ACT_ALLOW, steady);
	ADD_ALL(f, SCMP_ACT_ALLOW, open_files);
	/* isatty() of stdio: answered here, the kernel never sees an ioctl. */
	add(f, SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), ARGS(SCMP_A1(SCMP_CMP_EQ, TCGETS)));
	add_memory(f);
	add_socket_options(f);
	for (size_t i = 0; i < ARRAY_SIZE(fcntls); i++) {
		add(f, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), ARGS(SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)fcntls[i])));
		add(f, SCMP_ACT_ALLOW, SCMP_SYS(fcntl64),
		    ARGS(SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)fcntls[i])));
	}
	/* Its own turns, and its place, see pump/turns.h. */
	add(f, SCMP_ACT_ALLOW, SCMP_SYS(sched_getscheduler), ARGS(SCMP_A0(SCMP_CMP_EQ, 0)));
	add(f, SCMP_ACT_ALLOW, SCMP_SYS(sched_setscheduler),
	    ARGS(SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A1(SCMP_CMP_EQ, SCHED_BATCH)));
	add(f, SCMP_ACT_ALLOW, SCMP_SYS(sched_setscheduler),
	    ARGS(SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A1(SCMP_CMP_EQ, SCHED_OTHER)));
	add(f, SCMP_ACT_ALLOW, SCMP_SYS(sched_getaffinity), ARGS(SCMP_A0(SCMP_CMP_EQ, 0)));
	add(f, SCMP_ACT_ALLOW, SCMP_SYS(sched_setaffinity), ARGS(SCMP_A0(SCMP_CMP_EQ, 0)));
	add(f, SCMP_ACT_ALLOW, SCMP_SYS(getcpu), ARGS(SCMP_A2(SCMP_CMP_EQ, 0)));
	/* abort(): so that it is seen as what it is. */
	add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill),
	    ARGS(SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()), SCMP_A2(SCMP_CMP_EQ, SIGABRT)));
	if (files) {
		ADD_ALL(f, SCMP_ACT_ALLOW, file_reading);
		add_read_only_open(f);
		/* For sandbox_worker_established(). A further filter can only forbid more. */
		add(f, SCMP_ACT_ALLOW, SCMP_SYS(seccomp),
		    ARGS(SCMP_A0(SCMP_CMP_EQ, SECCOMP_SET_MODE_FILTER)));
	} else {
		add_no_files(f);
	}
	if (SANITIZED) {
		ADD_ALL(f, SCMP_ACT_ALLOW, sanitizer_allowed);
		ADD_ALL(f, SCMP_ACT_ERRNO(EPERM), sanitizer_refused);
	}
}

static void add_resolver(struct filter *f, bool unix_sockets)
{
	const int families[] = { AF_INET, AF_INET6, AF_NETLINK, AF_UNIX };
	const unsigned long ioctls[] = { FIONREAD, FIONBIO, TCGETS };

	ADD_ALL(f, SCMP_ACT_ALLOW, steady);
	ADD_ALL(f, SCMP_ACT_ALLOW, open_files);
	ADD_ALL(f, SCMP_ACT_ALLOW, file_reading);
	ADD_ALL(f, SCMP_ACT_ALLOW, lookup);
	add_read_only_open(f);
	/* One of a pair of datagram sockets can be connected to any other of the host. */
	if (unix_sockets)
		add(f, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 0, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(families) - !unix_sockets; i++)
		add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket),
		    ARGS(SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i])));
	for (size_t i = 0; i < ARRAY_SIZE(ioctls); i++)
		add(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), ARGS(SCMP_A1(SCMP_CMP_EQ, ioctls[i])));
}

static void add_established(struct filter *f)
{
	add_no_files(f);
	add(f, SCMP_ACT_KILL_PROCESS, SCMP_SYS(seccomp), 0, NULL);
}

#ifdef SANDBOX_DEBUG
/* Says which call it was before the process ends; the shipped programs are killed by the kernel. */
static void on_sigsys(int number, siginfo_t *info, void *context)
{
	static const char text[] = "sandbox: forbidden system call ";
	char line[64], digits[12];
	size_t n = 0, len = sizeof(text) - 1;

	(void)number;
	(void)context;
	memcpy(line, text, len);
	for (unsigned v = (unsigned)info->si_syscall; n == 0 || v > 0; v /= 10)
		digits[n++] = (char)('0' + v % 10);
	while (n > 0)
		line[len++] = digits[--n];
	line[len++] = '\n';
	(void)!write(STDERR_FILENO, line, len);
	_exit(128 + SIGSYS);
}

static int install_handler(void)
{
	struct sigaction action = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

	return sigaction(SIGSYS, &action, NULL) < 0 ? -errno : 0;
}
#define FORBIDDEN SCMP_ACT_TRAP
#else
static int install_handler(void)
{
	return 0;
}
#define FORBIDDEN SCMP_ACT_KILL_PROCESS
#endif

static uint32_t default_action(enum filter_role role)
{
	switch (role) {
	case FILTER_RESOLVER:
	case FILTER_RESOLVER_ROOT: /* strange modules of nsswitch.conf must fail, not the lookup */
		return SCMP_ACT_ERRNO(EPERM);
	case FILTER_WORKER:
	case FILTER_WORKER_NOFILE:
		return FORBIDDEN;
	case FILTER_ESTABLISHED:
		return SCMP_ACT_ALLOW;
	}
	return SCMP_ACT_KILL_PROCESS;
}

int filter_load(enum filter_role role)
{
	struct filter f = { .ctx = seccomp_init(default_action(role)) };

	if (!f.ctx)
		return -ENOMEM;
	switch (role) {
	case FILTER_RESOLVER:
	case FILTER_RESOLVER_ROOT:
		add_resolver(&f, role == FILTER_RESOLVER);
		break;
	case FILTER_WORKER:
	case FILTER_WORKER_NOFILE:
		add_worker(&f, role == FILTER_WORKER);
		f.error = f.error ? f.error : install_handler();
		break;
	case FILTER_ESTABLISHED:
		add_established(&f);
		break;
	}
	if (f.error == 0)
		f.error = seccomp_attr_set(f.ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* no_new_privs is set already, and prctl() may be gone by now. */
	if (f.error == 0)
		f.error = seccomp_attr_set(f.ctx, SCMP_FLTATR_CTL_NNP, 0);
	/* No code of strangers runs here: no need for the slow mode that old kernels tie to filters. */
	if (f.error == 0)
		f.error = seccomp_attr_set(f.ctx, SCMP_FLTATR_CTL_SSB, 1);
	if (f.error == 0)
		f.error = seccomp_load(f.ctx);
	seccomp_release(f.ctx);
	return f.error;
}
