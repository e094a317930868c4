/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every rule is tried by a process of its own: this program runs itself with the name of a trial. It exits 0
 * if the trial found what it wants, or dies of the forbidden call.
 */
#include <arpa/inet.h>
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/sockopt.h"
#include "sandbox/sandbox.h"
#include "test.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#define NOBODY 65534

/* What a trial works on; opened before it enters the sandbox. */
struct scene {
	int tun; /* -1 without root */
	int terminal;
	int pair[2]; /* connected sockets */
	int tcp;     /* a connected TCP socket on loopback */
	int file;    /* writable, empty */
	int epoll, timer;
	char dir[64]; /* may be read */
	char inside[96], outside[96];
};

struct trial {
	const char *name;
	enum {
		WORKER,
		NO_FILES,
		ESTABLISHED,
		RESOLVER,
		DROPPED,
		/* By root that cannot become anybody else. */
		KEPT,
		KEPT_WORKER,
		KEPT_RESOLVER,
	} where;
	enum { LIVES, DIES, ABORTS } end;
	int (*run)(struct scene *s); /* 0: as it should be */
};

extern char **environ;

/* 0 if `result` is a failure with `error`. */
static int fails(long result, int error)
{
	if (result >= 0)
		return 1;
	return errno == error ? 0 : 2;
}

/* --- forbidden in the worker --- */

static int try_socket(struct scene *s)
{
	(void)s;
	return socket(AF_INET, SOCK_DGRAM, 0);
}

static int try_connect(struct scene *s)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	return connect(s->tcp, (struct sockaddr *)&to, sizeof(to));
}

static int try_bind(struct scene *s)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	return bind(s->tcp, (struct sockaddr *)&to, sizeof(to));
}

static int try_tun_persist(struct scene *s)
{
	if (s->tun < 0) /* without root there is no TUN; the request is forbidden on any descriptor */
		s->tun = s->tcp;
	return ioctl(s->tun, TUNSETPERSIST, 1);
}

static int try_fionread(struct scene *s)
{
	int n;
	return ioctl(s->pair[0], FIONREAD, &n);
}

static int try_exec(struct scene *s)
{
	(void)s;
	return execve("/bin/true", (char *[]){ (char[]){ "true" }, NULL }, environ);
}

static int try_fork(struct scene *s)
{
	(void)s;
	return (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static void *idle(void *arg)
{
	return arg;
}

static int try_thread(struct scene *s)
{
	pthread_t thread;
	(void)s;
	return pthread_create(&thread, NULL, idle, NULL);
}

static int try_ptrace(struct scene *s)
{
	(void)s;
	return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static int try_kill(struct scene *s)
{
	(void)s;
	return kill(1, 0);
}

static int try_signal_itself(struct scene *s)
{
	(void)s;
	return raise(SIGTERM);
}

static int try_prctl(struct scene *s)
{
	(void)s;
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int try_setuid(struct scene *s)
{
	(void)s;
	return setuid(0);
}

static int try_unlink(struct scene *s)
{
	return unlink(s->inside);
}

static int try_bind_to_device(struct scene *s)
{
	return setsockopt(s->tcp, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2);
}

static int try_congestion(struct scene *s)
{
	return setsockopt(s->tcp, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
}

static int try_nodelay(struct scene *s)
{
	return sockopt_set_int(s->tcp, IPPROTO_TCP, TCP_NODELAY, 1);
}

static int try_status_flags(struct scene *s)
{
	return fcntl(s->tcp, F_SETFL, O_NONBLOCK);
}

static int try_sendto(struct scene *s)
{
	return (int)sendto(s->pair[0], "x", 1, MSG_NOSIGNAL, NULL, 0);
}

static int try_shutdown(struct scene *s)
{
	return shutdown(s->pair[0], SHUT_WR);
}

static int try_name(struct scene *s)
{
	struct sockaddr_in here;
	socklen_t len = sizeof(here);
	return getsockname(s->tcp, (struct sockaddr *)&here, &len);
}

static int try_poll(struct scene *s)
{
	struct pollfd p = { .fd = s->tcp, .events = POLLOUT };
	return poll(&p, 1, 0) < 0;
}

static int try_timer(struct scene *s)
{
	return timerfd_settime(s->timer, 0, &(struct itimerspec){ .it_value.tv_sec = 1 }, NULL);
}

static int try_map_code(struct scene *s)
{
	(void)s;
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

static int try_make_code(struct scene *s)
{
	void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	(void)s;
	return p == MAP_FAILED ? 3 : mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static int try_dup_fd(struct scene *s)
{
	return fcntl(s->tcp, F_DUPFD, 30);
}

static int try_seccomp(struct scene *s)
{
	(void)s;
	return (int)syscall(SYS_seccomp, 1, 0, NULL);
}

static int try_io_uring(struct scene *s)
{
	(void)s;
	return (int)syscall(SYS_io_uring_setup, 1, NULL);
}

static int try_to_place_others(struct scene *s)
{
	cpu_set_t all;

	(void)s;
	memset(&all, 0xff, sizeof(all));
	return sched_setaffinity(1, sizeof(all), &all);
}

static int try_realtime(struct scene *s)
{
	(void)s;
	return sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){ .sched_priority = 1 });
}

/* --- answered with an error --- */

static int open_outside(struct scene *s)
{
	return fails(open(s->outside, O_RDONLY), EACCES);
}

static int open_passwd(struct scene *s)
{
	(void)s;
	return fails(open("/etc/passwd", O_RDONLY), EACCES);
}

static int open_through_parent(struct scene *s)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/../outside", s->dir);
	return fails(open(path, O_RDONLY), EACCES);
}

static int open_to_write(struct scene *s)
{
	static const int flags[] = { O_WRONLY,		 O_RDWR,    O_RDONLY | O_TRUNC,
				     O_RDONLY | O_CREAT, O_ACCMODE, O_RDONLY | O_APPEND };

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (fails(open(s->inside, flags[i], 0600), EACCES))
			return 10 + (int)i;
	return fails(open(s->dir, O_TMPFILE | O_WRONLY, 0600), EACCES);
}

static int open_inside_refused(struct scene *s)
{
	return fails(open(s->inside, O_RDONLY), EACCES);
}

static int stat_refused(struct scene *s)
{
	struct stat st;
	return fails(stat(s->inside, &st), EACCES) || fails(access("/etc/passwd", F_OK), EACCES);
}

static int grow_file(struct scene *s)
{
	return fails(write(s->file, "x", 1), EFBIG);
}

/* --- works --- */

static int open_inside(struct scene *s)
{
	_cleanup_close_ int fd = open(s->inside, O_RDONLY | O_CLOEXEC);
	char c;

	return fd >= 0 && read(fd, &c, 1) == 1 && c == 'i' ? 0 : 1;
}

static int works_with_descriptors(struct scene *s)
{
	struct epoll_event e = { .events = EPOLLOUT };
	struct iovec iov = { .iov_base = (char[]){ "abc" }, .iov_len = 3 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	char buf[8];

	if (sendmsg(s->pair[0], &msg, 0) != 3 || recv(s->pair[1], buf, 8, MSG_DONTWAIT) != 3)
		return 1;
	if (sendmsg(s->pair[0], &msg, 0) != 3 || recvmsg(s->pair[1], &msg, 0) != 3)
		return 2;
	if (write(s->pair[0], "d", 1) != 1 || read(s->pair[1], buf, 1) != 1 || buf[0] != 'd')
		return 3;
	if (writev(s->pair[0], &iov, 1) != 3 || readv(s->pair[1], &iov, 1) != 3)
		return 4;
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->pair[0], &e) < 0 || epoll_wait(s->epoll, &e, 1, 5000) != 1)
		return 5;
	return close(s->pair[0]) < 0 ? 6 : 0;
}

/* It wants to know whether it writes to a terminal; it gets no answer from the kernel. */
static int works_with_stdio(struct scene *s)
{
	const int fds[] = { s->pair[0], s->terminal };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		FILE *f = fdopen(fds[i], "w");
		if (!f || fprintf(f, "%s\n", "text") != 5 || fflush(f) != 0)
			return 1;
	}
	if (isatty(s->terminal) || errno != ENOTTY)
		return 2;
	return 0;
}

static int works_with_memory(struct scene *s)
{
	char random[16];

	(void)s;
	for (size_t size = 1; size < (16u << 20); size *= 4) {
		_cleanup_free_ char *p = malloc(size);
		if (!p)
			return 1;
		memset(p, 1, size);
		char *q = realloc(p, 2 * size);
		if (!q)
			return 2;
		p = q;
	}
	return getrandom(random, sizeof(random), 0) == sizeof(random) ? 0 : 3;
}

static int memory_is_bounded(struct scene *s)
{
	(void)s;
	return mmap(NULL, 1u << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
		       ? 0
		       : 1;
}

static int works_with_tcp_options(struct scene *s)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	int value = 0;
	socklen_t value_len = sizeof(value);

	if (sockopt_get(s->tcp, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 || info.tcpi_state != TCP_ESTABLISHED)
		return 1;
	if (sockopt_set_int(s->tcp, IPPROTO_TCP, TCP_CORK, 1) < 0)
		return 2;
	if (sockopt_set_int(s->tcp, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 16384) < 0)
		return 3;
	if (sockopt_get(s->tcp, SOL_SOCKET, SO_INCOMING_CPU, &value, &value_len) < 0)
		return 4;
	return 0;
}

static int places_itself(struct scene *s)
{
	cpu_set_t set;
	char c;

	if (sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ 0 }) < 0 ||
	    sched_getscheduler(0) != SCHED_BATCH ||
	    sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){ 0 }) < 0)
		return 1;
	if (sched_getaffinity(0, sizeof(set), &set) < 0 || sched_setaffinity(0, sizeof(set), &set) < 0)
		return 2;
	if (sched_getcpu() < 0 || syscall(SYS_getcpu, NULL, NULL, NULL) < 0)
		return 3;
	return pread(s->file, &c, 1, 0) < 0 && errno != EBADF ? 4 : 0;
}

static int aborts(struct scene *s)
{
	(void)s;
	abort();
}

static int writes_key_log(struct scene *s)
{
	return write(s->file, "CLIENT_RANDOM\n", 14) == 14 ? 0 : 1;
}

/* --- the resolver --- */

static int looks_up(struct scene *s)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;

	(void)s;
	int error = getaddrinfo("localhost", "443", &hints, &list);
	if (error)
		return 1;
	freeaddrinfo(list);
	return 0;
}

static int talks(struct scene *s)
{
	_cleanup_close_ int a = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	_cleanup_close_ int b = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(here);
	char buf[8];

	(void)s;
	if (a < 0 || b < 0 || bind(a, (struct sockaddr *)&here, len) < 0 ||
	    getsockname(a, (struct sockaddr *)&here, &len) < 0)
		return 1;
	if (connect(b, (struct sockaddr *)&here, len) < 0 || send(b, "q", 1, 0) != 1)
		return 2;
	return recv(a, buf, sizeof(buf), 0) == 1 ? 0 : 3;
}

static int resolver_reads(struct scene *s)
{
	_cleanup_close_ int fd = open("/etc/hosts", O_RDONLY | O_CLOEXEC);
	(void)s;
	return fd < 0;
}

static int resolver_cannot_write(struct scene *s)
{
	return open_to_write(s) || fails(unlink(s->inside), EPERM) || fails(mkdir("/tmp/x", 0700), EPERM) ||
	       fails(chmod(s->inside, 0777), EPERM);
}

static int resolver_cannot_run(struct scene *s)
{
	return fails(try_exec(s), EPERM) || fails(try_fork(s), EPERM);
}

/* Where sockets are made by socketcall(2) no filter sees of which family; the kernel refuses this one to
 * nobody. */
static bool sockets_are_filtered(void)
{
#ifdef SYS_socketcall
	return false;
#else
	return true;
#endif
}

static int resolver_cannot_reach_others(struct scene *s)
{
	return fails(kill(1, 0), EPERM) || fails(try_ptrace(s), EPERM) || fails(try_tun_persist(s), EPERM) ||
	       (sockets_are_filtered() && fails(socket(AF_PACKET, SOCK_RAW, 0), EPERM));
}

/* --- privileges --- */

static int privileges_are_gone(struct scene *s)
{
	(void)s;
	if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0)
		return 1;
	return fails(open("/proc/1/environ", O_RDONLY), EACCES);
}

static int drops_only_once(struct scene *s)
{
	(void)s;
	/* Already there: fine. Back or elsewhere: never. */
	if (sandbox_drop_privileges(NOBODY, NOBODY) != 0)
		return 1;
	return sandbox_drop_privileges(1, 1) == -EPERM ? 0 : 2;
}

/* --- root that stays root --- */

/* What it would get by running a program. */
static int regains_nothing(struct scene *s)
{
	static const char command[] = "grep -q '^CapEff:.*0000000000000000$' /proc/self/status";
	int status = -1;

	(void)s;
	if (geteuid() != 0)
		return 1;
	pid_t pid = fork();
	if (pid == 0) {
		(void)execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(99);
	}
	return waitpid(pid, &status, 0) == pid ? status : 2;
}

/* What is root's and nobody else's: secrets, and the sockets by which root is obeyed. */
static int resolver_sees_only_the_public(struct scene *s)
{
	int pair[2];

	return fails(open(s->outside, O_RDONLY), EACCES) || fails(open("/etc/shadow", O_RDONLY), EACCES) ||
	       fails(open("/proc/1/environ", O_RDONLY), EACCES) ||
	       fails(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), EPERM) ||
	       (sockets_are_filtered() && fails(socket(AF_UNIX, SOCK_STREAM, 0), EPERM));
}

static int worker_sees_only_the_public(struct scene *s)
{
	return open_inside(s) || fails(open("/etc/shadow", O_RDONLY), EACCES) || open_to_write(s);
}

/* Waits for its end, so that the test can look at it from outside. */
static int waits(struct scene *s)
{
	char c;

	(void)s;
	if (write(STDOUT_FILENO, "!", 1) != 1)
		return 1;
	return read(STDIN_FILENO, &c, 1) == 0 ? 0 : 2;
}

static const struct trial trials[] = {
	{ "socket", WORKER, DIES, try_socket },
	{ "connect", WORKER, DIES, try_connect },
	{ "bind", WORKER, DIES, try_bind },
	{ "ioctl-tunsetpersist", WORKER, DIES, try_tun_persist },
	{ "ioctl-fionread", WORKER, DIES, try_fionread },
	{ "execve", WORKER, DIES, try_exec },
	{ "fork", WORKER, DIES, try_fork },
	{ "thread", WORKER, DIES, try_thread },
	{ "ptrace", WORKER, DIES, try_ptrace },
	{ "kill-other", WORKER, DIES, try_kill },
	{ "signal-itself", WORKER, DIES, try_signal_itself },
	{ "setuid", WORKER, DIES, try_setuid },
	{ "unlink", WORKER, DIES, try_unlink },
	{ "bind-to-device", WORKER, DIES, try_bind_to_device },
	{ "congestion-control", WORKER, DIES, try_congestion },
	{ "nodelay", WORKER, DIES, try_nodelay },
	{ "status-flags", WORKER, DIES, try_status_flags },
	{ "sendto", WORKER, DIES, try_sendto },
	{ "shutdown", WORKER, DIES, try_shutdown },
	{ "getsockname", WORKER, DIES, try_name },
	{ "poll", WORKER, DIES, try_poll },
	{ "timer", WORKER, DIES, try_timer },
	{ "dup", WORKER, DIES, try_dup_fd },
	{ "io_uring", WORKER, DIES, try_io_uring },
	{ "place-others", ESTABLISHED, DIES, try_to_place_others },
	{ "realtime", ESTABLISHED, DIES, try_realtime },
	{ "seccomp-established", ESTABLISHED, DIES, try_seccomp },
	{ "seccomp-no-files", NO_FILES, DIES, try_seccomp },
	{ "socket-established", ESTABLISHED, DIES, try_socket },
	{ "ioctl-established", ESTABLISHED, DIES, try_tun_persist },
	{ "abort", WORKER, ABORTS, aborts },
	{ "open-outside", WORKER, LIVES, open_outside },
	{ "open-passwd", WORKER, LIVES, open_passwd },
	{ "open-through-parent", WORKER, LIVES, open_through_parent },
	{ "open-to-write", WORKER, LIVES, open_to_write },
	{ "open-established", ESTABLISHED, LIVES, open_inside_refused },
	{ "stat-established", ESTABLISHED, LIVES, stat_refused },
	{ "open-no-files", NO_FILES, LIVES, open_inside_refused },
	{ "stat-no-files", NO_FILES, LIVES, stat_refused },
	{ "stdio", WORKER, LIVES, works_with_stdio },
	{ "stdio-no-files", NO_FILES, LIVES, works_with_stdio },
	{ "stdio-established", ESTABLISHED, LIVES, works_with_stdio },
	{ "grow-file", WORKER, LIVES, grow_file },
	{ "open-inside", WORKER, LIVES, open_inside },
	{ "descriptors", WORKER, LIVES, works_with_descriptors },
	{ "descriptors-established", ESTABLISHED, LIVES, works_with_descriptors },
	{ "descriptors-no-files", NO_FILES, LIVES, works_with_descriptors },
	{ "memory", ESTABLISHED, LIVES, works_with_memory },
	{ "tcp-options", ESTABLISHED, LIVES, works_with_tcp_options },
	{ "places-itself", ESTABLISHED, LIVES, places_itself },
	{ "places-itself-no-files", NO_FILES, LIVES, places_itself },
	{ "resolver-looks-up", RESOLVER, LIVES, looks_up },
	{ "resolver-talks", RESOLVER, LIVES, talks },
	{ "resolver-reads", RESOLVER, LIVES, resolver_reads },
	{ "resolver-cannot-write", RESOLVER, LIVES, resolver_cannot_write },
	{ "resolver-cannot-run", RESOLVER, LIVES, resolver_cannot_run },
	{ "resolver-cannot-reach-others", RESOLVER, LIVES, resolver_cannot_reach_others },
	{},
};

/* A sanitizer needs what these forbid. */
static const struct trial unsanitized[] = {
	{ "prctl", WORKER, DIES, try_prctl },
	{ "map-code", WORKER, DIES, try_map_code },
	{ "make-code", WORKER, DIES, try_make_code },
	{ "memory-is-bounded", WORKER, LIVES, memory_is_bounded },
	{},
};

/* Looked at from outside, or only with root. */
static const struct trial special[] = {
	{ "key-log", WORKER, LIVES, writes_key_log },
	{ "waits", ESTABLISHED, LIVES, waits },
	{ "waits-as-nobody", ESTABLISHED, LIVES, waits },
	{ "waits-dropped", DROPPED, LIVES, waits },
	{ "privileges", DROPPED, LIVES, privileges_are_gone },
	{ "drops-only-once", DROPPED, LIVES, drops_only_once },
	{},
};

/* Asked there, because valgrind runs this program, but not its children, and knows no Landlock. */
static int has_landlock(struct scene *s)
{
	(void)s;
	return !sandbox_has_landlock();
}

static const struct trial kept[] = {
	{ "kept-waits", KEPT, LIVES, waits },
	{ "kept-regains-nothing", KEPT, LIVES, regains_nothing },
	{ "kept-has-landlock", KEPT, LIVES, has_landlock },
	{ "kept-worker-reads", KEPT_WORKER, LIVES, worker_sees_only_the_public },
	{ "kept-worker-kills", KEPT_WORKER, DIES, try_kill },
	{ "kept-resolver-looks-up", KEPT_RESOLVER, LIVES, looks_up },
	{ "kept-resolver-talks", KEPT_RESOLVER, LIVES, talks },
	{ "kept-resolver-reads", KEPT_RESOLVER, LIVES, resolver_reads },
	{ "kept-resolver-sees-only-the-public", KEPT_RESOLVER, LIVES, resolver_sees_only_the_public },
	{ "kept-resolver-cannot-write", KEPT_RESOLVER, LIVES, resolver_cannot_write },
	{ "kept-resolver-cannot-run", KEPT_RESOLVER, LIVES, resolver_cannot_run },
	{ "kept-resolver-cannot-reach-others", KEPT_RESOLVER, LIVES, resolver_cannot_reach_others },
	{},
};

/* --- the child --- */

static int connected_tcp(void)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(here);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(listener, (struct sockaddr *)&here, len) < 0 || listen(listener, 1) < 0 ||
	    getsockname(listener, (struct sockaddr *)&here, &len) < 0 ||
	    connect(fd, (struct sockaddr *)&here, len) < 0)
		return -1;
	return fd;
}

static int make_file(const char *path, const char *content)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return fd < 0 || write(fd, content, strlen(content)) < 0 ? -1 : 0;
}

static int set_scene(struct scene *s, const char *base)
{
	struct ifreq request = { .ifr_flags = IFF_TUN };
	char path[96];

	s->tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (s->tun >= 0 && ioctl(s->tun, TUNSETIFF, &request) < 0)
		s->tun = close_fd(s->tun);
	(void)snprintf(s->dir, sizeof(s->dir), "%s/in", base);
	(void)snprintf(s->inside, sizeof(s->inside), "%s/in/file", base);
	(void)snprintf(s->outside, sizeof(s->outside), "%s/outside", base);
	(void)snprintf(path, sizeof(path), "%s/log", base);
	if (mkdir(s->dir, 0755) < 0 || make_file(s->inside, "i") < 0 || make_file(s->outside, "o") < 0)
		return -1;
	s->file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	s->tcp = connected_tcp();
	s->terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	return s->file < 0 || s->tcp < 0 || s->terminal < 0 || s->epoll < 0 || s->timer < 0 ||
			       socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s->pair) < 0
		       ? -1
		       : 0;
}

/* What is to be given up must be there before. */
static int make_worse(const struct trial *t)
{
	static const gid_t groups[] = { 4, 24 };

	if (geteuid() != 0)
		return 0;
	if (t->where == DROPPED)
		return setgroups(ARRAY_SIZE(groups), groups);
	if (t->where == KEPT || t->where == KEPT_WORKER || t->where == KEPT_RESOLVER) {
		(void)capng_get_caps_process();
		(void)capng_updatev(CAPNG_DROP, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE,
				    CAP_SETUID, CAP_SETGID, -1);
		return capng_apply(CAPNG_SELECT_CAPS);
	}
	if (strcmp(t->name, "waits-as-nobody") == 0)
		return setresuid(NOBODY, NOBODY, NOBODY) || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	/* Root is refused more, and by a kernel without Landlock everything. */
	return setresuid(NOBODY, NOBODY, NOBODY);
}

static int enter(const struct trial *t, const struct scene *s)
{
	const char *const paths[] = { s->dir, "/no/such/directory", NULL };
	struct sandbox_worker_config config = { .read_paths = paths,
						.writes_files = strcmp(t->name, "key-log") == 0 };
	struct sandbox_result result;
	int error;

	switch (t->where) {
	case NO_FILES:
		config.read_paths = NULL;
		return sandbox_worker(&config, &result);
	case WORKER:
		return sandbox_worker(&config, &result);
	case ESTABLISHED:
		error = sandbox_worker(&config, &result);
		return error ? error : sandbox_worker_established();
	case RESOLVER:
		return sandbox_resolver(&result);
	case DROPPED:
		return sandbox_drop_privileges(NOBODY, NOBODY);
	case KEPT:
	case KEPT_WORKER:
	case KEPT_RESOLVER:
		if (sandbox_drop_privileges(NOBODY, NOBODY) != SANDBOX_IDS_KEPT)
			return -EPERM;
		return t->where == KEPT		 ? 0
		       : t->where == KEPT_WORKER ? sandbox_worker(&config, &result)
						 : sandbox_resolver(&result);
	}
	return -EINVAL;
}

static int run_trial(const char *name, const char *base)
{
	struct scene s = { 0 };
	const struct trial *const lists[] = { trials, unsanitized, special, kept };

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (const struct trial *t = lists[i]; t->name; t++)
			if (strcmp(t->name, name) == 0) {
				if (set_scene(&s, base) < 0)
					return 90;
				int error = make_worse(t);
				if (error == 0)
					error = enter(t, &s);
				if (error < 0)
					(void)!write(2, "cannot enter\n", 13);
				return error < 0 ? 91 : t->run(&s);
			}
	return 92;
}

/* --- the parent --- */

struct child {
	pid_t pid;
	int in, out; /* its stdin and stdout */
	char base[48];
};

static void remove_tree(const char *base)
{
	static const char *const names[] = { "in/file", "in", "outside", "log", "" };
	char path[96];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", base, names[i]);
		(void)(remove(path));
	}
}

static bool start(struct child *c, const char *name)
{
	posix_spawn_file_actions_t actions;
	char self[256] = "";
	int in[2], out[2];

	(void)snprintf(c->base, sizeof(c->base), "/tmp/test-sandbox-XXXXXX");
	if (!mkdtemp(c->base) || chmod(c->base, 0755) < 0 || pipe2(in, O_CLOEXEC) < 0 ||
	    pipe2(out, O_CLOEXEC) < 0)
		return false;
	/* Not /proc/self/exe itself: under valgrind that is valgrind. */
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return false;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	/* A pipe, as the daemon's: a plain file would change the limit of file sizes. */
	posix_spawn_file_actions_adddup2(&actions, out[1], 2);
	char *argv[] = { (char[]){ "test-sandbox" }, (char *)(uintptr_t)name, c->base, NULL };
	int error = posix_spawn(&c->pid, self, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(out[1]);
	c->in = in[1];
	c->out = out[0];
	return error == 0;
}

static int finish(struct child *c)
{
	char buf[256];
	int status = -1;
	ssize_t n;

	close(c->in);
	while ((n = read(c->out, buf, sizeof(buf) - 1)) > 0) {
		buf[n] = 0;
		if (strcmp(buf, "!") != 0)
			printf("# child: %s\n", buf);
	}
	close(c->out);
	waitpid(c->pid, &status, 0);
	remove_tree(c->base);
	return status;
}

static bool ends_as_wanted(const struct trial *t)
{
	struct child c;
	bool good = false;

	if (!start(&c, t->name)) {
		printf("# cannot start %s\n", t->name);
		return false;
	}
	int status = finish(&c);
	switch (t->end) {
	case LIVES:
		good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
		break;
	case DIES: /* by the kernel, or by the handler of a debug build */
		good = (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) ||
		       (WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGSYS);
		break;
	case ABORTS:
		good = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
		break;
	}
	if (!good)
		printf("# %s: status 0x%x\n", t->name, (unsigned)status);
	return good;
}

static void every_rule_holds(void)
{
	unsigned bad = 0;

	for (const struct trial *t = trials; t->name; t++)
		bad += !ends_as_wanted(t);
	for (const struct trial *t = unsanitized; t->name && !SANITIZED; t++)
		bad += !ends_as_wanted(t);
	check_int(bad, 0);
}

static void a_key_log_can_be_written(void)
{
	check(ends_as_wanted(&special[0]));
}

/* The value of a line of /proc/PID/status. */
static bool status_line(pid_t pid, const char *key, char *out, size_t size)
{
	char path[64], line[256];

	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	FILE *f = fopen(path, "re");
	bool found = false;
	while (f && !found && fgets(line, sizeof(line), f)) {
		size_t n = strlen(key);
		if (strncmp(line, key, n) != 0 || line[n] != ':')
			continue;
		char *v = line + n + 1 + strspn(line + n + 1, " \t");
		v[strcspn(v, "\n")] = 0;
		(void)snprintf(out, size, "%s", v);
		found = true;
	}
	if (f)
		(void)fclose(f);
	return found;
}

#define check_status(pid, key, wanted)                                \
	do {                                                          \
		char _value[128];                                     \
		check(status_line(pid, key, _value, sizeof(_value))); \
		check_str(_value, wanted);                            \
	} while (0)

/* True for a line of /proc/PID/limits with `value` as both limits. */
static bool is_limited(pid_t pid, const char *what, unsigned value)
{
	char path[64], line[256], wanted[96];
	bool found = false;

	(void)snprintf(path, sizeof(path), "/proc/%d/limits", pid);
	int n = snprintf(wanted, sizeof(wanted), "%-25s %-20u %-20u ", what, value, value);
	FILE *f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f))
		found = strncmp(line, wanted, (size_t)n) == 0;
	if (f)
		(void)fclose(f);
	return found;
}

static void seen_from_outside_it_is_confined(void)
{
	struct child c;
	char ready;

	check(start(&c, "waits"));
	check_int(read(c.out, &ready, 1), 1);
	check_int(ready, '!');
	check_status(c.pid, "Seccomp", "2");
	check_status(c.pid, "Seccomp_filters", "2");
	check_status(c.pid, "NoNewPrivs", "1");
	check(is_limited(c.pid, "Max core file size", 0));
	check(is_limited(c.pid, "Max processes", 0));
	check(is_limited(c.pid, "Max file size", 0));
	check(is_limited(c.pid, "Max open files", 64));
#if !SANITIZED
	check(is_limited(c.pid, "Max address space", 512 << 20));
#endif
	check_int(finish(&c), 0);
}

static void nobody_can_look_into_it(void)
{
	struct child c;
	struct stat st;
	char path[64], ready;

	check(start(&c, "waits-as-nobody"));
	check_int(read(c.out, &ready, 1), 1);
	/* Not dumpable: what it has in /proc belongs to root, whoever it is. A sanitizer looks into itself.
	 */
	uid_t own = geteuid() ? geteuid() : NOBODY;
	(void)snprintf(path, sizeof(path), "/proc/%d/environ", c.pid);
	check_int(stat(path, &st), 0);
	check_int(st.st_uid, SANITIZED ? own : 0);
	check_int(finish(&c), 0);
}

static void check_has_no_capabilities(pid_t pid)
{
	static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" };

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		check_status(pid, sets[i], "0000000000000000");
	check_status(pid, "NoNewPrivs", "1");
}

static void privileges_are_dropped_for_good(void)
{
	struct child c;
	char ready;

	if (geteuid() != 0) {
		/* Nothing to give up, and no way to become somebody else. */
		check_int(sandbox_drop_privileges(NOBODY, NOBODY), -EPERM);
		return;
	}
	check(ends_as_wanted(&special[4]));
	check(ends_as_wanted(&special[5]));
	check(start(&c, "waits-dropped"));
	check_int(read(c.out, &ready, 1), 1);
	check_status(c.pid, "Uid", "65534\t65534\t65534\t65534");
	check_status(c.pid, "Gid", "65534\t65534\t65534\t65534");
	check_status(c.pid, "Groups", "");
	check_has_no_capabilities(c.pid);
	check_int(finish(&c), 0);
}

/* In a container without CAP_SETUID, or in a user namespace with one user. */
static void root_that_stays_root_has_nothing(void)
{
	unsigned bad = 0;
	struct child c;
	char ready;

	if (geteuid() != 0) {
		test_skipped = "needs root";
		return;
	}
	check(start(&c, "kept-waits"));
	check_int(read(c.out, &ready, 1), 1);
	check_status(c.pid, "Uid", "0\t0\t0\t0");
	check_has_no_capabilities(c.pid);
	check_int(finish(&c), 0);
	check(ends_as_wanted(&kept[1]));
	if (!ends_as_wanted(&kept[2])) {
		/* Then it does not get far. */
		struct trial refused = kept[3];
		check(!ends_as_wanted(&refused));
		test_skipped = "the rest needs Landlock";
		return;
	}
	for (const struct trial *t = &kept[3]; t->name; t++)
		bad += !ends_as_wanted(t);
	check_int(bad, 0);
}

int main(int argc, char **argv)
{
	if (argc == 3)
		return run_trial(argv[1], argv[2]);
	return run_tests((struct test[]){ TEST(every_rule_holds),
					  TEST(a_key_log_can_be_written),
					  TEST(seen_from_outside_it_is_confined),
					  TEST(nobody_can_look_into_it),
					  TEST(privileges_are_dropped_for_good),
					  TEST(root_that_stays_root_has_nothing),
					  {} });
}
