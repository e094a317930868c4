/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/macro.h"
#include "test.h"

/* What happened, in order, as letters. */
struct trace {
	struct loop *loop;
	char text[64];
	size_t len;
	struct probe *victim; /* removed by the next callback */
};

struct probe {
	struct trace *trace;
	char letter;
	struct loop_fd fd;
	struct loop_timer timer;
	usec_t again; /* set the timer anew from its callback, this much later */
	int again_count;
};

static void note(struct trace *t, char letter)
{
	if (t->len + 1 < sizeof(t->text))
		t->text[t->len++] = letter;
	if (t->victim) {
		loop_fd_remove(&t->victim->fd);
		loop_timer_clear(&t->victim->timer);
		t->victim = NULL;
	}
}

static void on_fd(void *ctx, uint32_t events)
{
	struct probe *p = ctx;
	char byte;

	if (events & EPOLLIN)
		(void)!read(p->fd.fd, &byte, 1);
	note(p->trace, p->letter);
}

static void on_timer(void *ctx)
{
	struct probe *p = ctx;

	note(p->trace, p->letter);
	if (p->again_count > 0) {
		p->again_count--;
		loop_timer_set(p->trace->loop, &p->timer, loop_now(p->trace->loop) + p->again);
	}
}

static struct probe probe(struct trace *t, char letter)
{
	return (struct probe){ .trace = t, .letter = letter };
}

static void arm(struct probe *p, usec_t deadline)
{
	p->timer.fn = on_timer;
	p->timer.ctx = p;
	loop_timer_set(p->trace->loop, &p->timer, deadline);
}

static int watch(struct probe *p, int fd, uint32_t events)
{
	p->fd.fn = on_fd;
	p->fd.ctx = p;
	return loop_fd_add(p->trace->loop, &p->fd, fd, events);
}

static void timers_run_by_deadline_then_by_order(void)
{
	struct loop l;
	check_int(loop_init(&l), 0);
	struct trace t = { .loop = &l };
	struct probe a = probe(&t, 'a'), b = probe(&t, 'b'), c = probe(&t, 'c'), d = probe(&t, 'd');
	usec_t base = loop_now(&l) + 5000;

	arm(&a, base + 2000);
	arm(&b, base);
	arm(&c, base + 2000);
	arm(&d, base + 1000);
	check_int(loop_timer_deadline(&d.timer), base + 1000);
	loop_timer_clear(&d.timer);
	check(!loop_timer_is_set(&d.timer));
	check(loop_timer_deadline(&d.timer) == USEC_NEVER);
	while (t.len < 3)
		check_int(loop_step(&l, USEC_PER_SEC), 0);
	check_str(t.text, "bac");
	check(loop_now(&l) >= base + 2000);
	loop_done(&l);
}

static void setting_a_timer_again_moves_it(void)
{
	struct loop l;
	check_int(loop_init(&l), 0);
	struct trace t = { .loop = &l };
	struct probe a = probe(&t, 'a'), b = probe(&t, 'b');

	arm(&a, loop_now(&l) + 1000);
	arm(&b, loop_now(&l) + 2000);
	loop_timer_set(&l, &a.timer, loop_now(&l) + 3000);
	while (t.len < 2)
		check_int(loop_step(&l, USEC_PER_SEC), 0);
	check_str(t.text, "ba");
	arm(&a, loop_now(&l));
	loop_timer_set(&l, &a.timer, USEC_NEVER);
	check_int(loop_step(&l, 0), 0);
	check_str(t.text, "ba");
	loop_done(&l);
}

/* A timer that always sets itself for "now" must not keep descriptors from their turn. */
static void a_greedy_timer_does_not_starve_descriptors(void)
{
	struct loop l;
	_cleanup_close_ int in = -1, out = -1;
	int fds[2];
	check_int(loop_init(&l), 0);
	check_int(pipe(fds), 0);
	in = fds[0];
	out = fds[1];
	struct trace t = { .loop = &l };
	struct probe timer = probe(&t, 't'), fd = probe(&t, 'f');

	timer.again_count = 3;
	arm(&timer, 0);
	check_int(watch(&fd, in, EPOLLIN), 0);
	check_int(write(out, "x", 1), 1);
	check_int(loop_step(&l, 0), 0);
	check_str(t.text, "ft");
	check_int(loop_step(&l, 0), 0);
	check_str(t.text, "ftt");
	loop_fd_remove(&fd.fd);
	loop_done(&l);
}

static void a_removed_source_is_not_called_in_the_same_round(void)
{
	for (int first = 0; first < 2; first++) {
		struct loop l;
		int one[2], two[2];
		check_int(loop_init(&l), 0);
		check_int(pipe(one), 0);
		check_int(pipe(two), 0);
		struct trace t = { .loop = &l };
		struct probe a = probe(&t, 'a'), b = probe(&t, 'b');

		check_int(watch(&a, one[0], EPOLLIN), 0);
		check_int(watch(&b, two[0], EPOLLIN), 0);
		check_int(write(one[1], "x", 1), 1);
		check_int(write(two[1], "x", 1), 1);
		/* Whichever comes first removes the other, or itself. */
		t.victim = first ? &a : &b;
		check_int(loop_step(&l, USEC_PER_SEC), 0);
		check(t.len == 1 || (t.len == 2 && t.text[0] == (first ? 'a' : 'b')));
		check_int(loop_fd_is_added(first ? &a.fd : &b.fd), 0);
		loop_fd_remove(&a.fd);
		loop_fd_remove(&b.fd);
		loop_fd_remove(&b.fd); /* harmless */
		for (int i = 0; i < 2; i++) {
			(void)close_fd(one[i]);
			(void)close_fd(two[i]);
		}
		loop_done(&l);
	}
}

static void wanted_events_can_change_between_rounds(void)
{
	struct loop l;
	int fds[2];
	check_int(loop_init(&l), 0);
	check_int(pipe(fds), 0);
	struct trace t = { .loop = &l };
	struct probe w = probe(&t, 'w');

	check_int(watch(&w, fds[1], 0), 0);
	check_int(loop_step(&l, 0), 0);
	check_str(t.text, "");
	loop_fd_set(&w.fd, EPOLLOUT);
	loop_fd_set(&w.fd, 0);
	check_int(loop_step(&l, 0), 0);
	check_str(t.text, "");
	loop_fd_set(&w.fd, EPOLLOUT);
	check_int(loop_step(&l, 0), 0);
	check_str(t.text, "w");
	/* Removed while a change is pending. */
	loop_fd_set(&w.fd, 0);
	loop_fd_remove(&w.fd);
	check_int(loop_step(&l, 0), 0);
	check_str(t.text, "w");
	(void)close_fd(fds[0]);
	(void)close_fd(fds[1]);
	loop_done(&l);
}

static void a_plain_file_is_refused(void)
{
	struct loop l;
	check_int(loop_init(&l), 0);
	struct trace t = { .loop = &l };
	struct probe p = probe(&t, 'p');
	_cleanup_close_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	check(fd >= 0);
	check_int(watch(&p, fd, EPOLLIN), -EPERM);
	check(!loop_fd_is_added(&p.fd));
	loop_done(&l);
}

static void stop_ends_the_run_with_its_result(void)
{
	struct loop l;
	check_int(loop_init(&l), 0);
	struct trace t = { .loop = &l };
	struct probe a = probe(&t, 'a');

	arm(&a, 0);
	loop_stop(&l, 7);
	loop_stop(&l, 8);
	check_int(loop_run(&l), 7);
	check_str(t.text, "");
	loop_done(&l);
}

struct seen_signal {
	int number, value;
};

static void on_signal(void *ctx, const struct signalfd_siginfo *info)
{
	*(struct seen_signal *)ctx = (struct seen_signal){ (int)info->ssi_signo, info->ssi_int };
}

static void signals_come_through_the_loop(void)
{
	struct loop l;
	struct seen_signal seen = { 0, 0 };
	struct loop_signals s = { .fn = on_signal, .ctx = &seen };
	sigset_t set, mask;

	check_int(loop_init(&l), 0);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGUSR1);
	check_int(loop_signals_add(&l, &s, &set), 0);
	check_int(sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 42 }), 0);
	check_int(loop_step(&l, USEC_PER_SEC), 0);
	check_int(seen.number, SIGUSR1);
	check_int(seen.value, 42);
	loop_signals_remove(&s);
	(void)sigprocmask(SIG_BLOCK, NULL, &mask);
	check(!sigismember(&mask, SIGUSR1));
	loop_done(&l);
}

static void on_child(void *ctx, const siginfo_t *info)
{
	*(siginfo_t *)ctx = *info;
}

static void watch_children(void)
{
	struct loop l;
	siginfo_t info = { .si_pid = 0 };
	struct loop_child c = { .fn = on_child, .ctx = &info };
	int go[2];

	check_int(loop_init(&l), 0);
	check_int(pipe(go), 0);
	pid_t pid = fork();
	check(pid >= 0);
	if (pid == 0) {
		char byte;
		_exit(read(go[0], &byte, 1) == 1 ? 33 : 1);
	}
	check_int(loop_child_add(&l, &c, pid), 0);
	check_int(loop_step(&l, 0), 0);
	check_int(info.si_pid, 0);
	check_int(write(go[1], "x", 1), 1);
	while (c.pid)
		check_int(loop_step(&l, USEC_PER_SEC), 0);
	check_int(info.si_pid, pid);
	check_int(info.si_code, CLD_EXITED);
	check_int(info.si_status, 33);
	check_int(waitpid(pid, NULL, WNOHANG), -1);
	check_int(loop_child_kill(&c, SIGTERM), -ESRCH);

	pid = fork();
	check(pid >= 0);
	if (pid == 0) {
		(void)pause();
		_exit(1);
	}
	check_int(loop_child_add(&l, &c, pid), 0);
	check_int(loop_child_kill(&c, SIGKILL), 0);
	while (c.pid)
		check_int(loop_step(&l, USEC_PER_SEC), 0);
	check_int(info.si_code, CLD_KILLED);
	check_int(info.si_status, SIGKILL);
	check_int(loop_child_add(&l, &c, pid), -ESRCH);

	/* Ended at once, reaped, and not called back. */
	info.si_pid = 0;
	pid = fork();
	check(pid >= 0);
	if (pid == 0) {
		(void)pause();
		_exit(1);
	}
	check_int(loop_child_add(&l, &c, pid), 0);
	loop_child_end(&c);
	check_int(waitpid(pid, NULL, WNOHANG), -1);
	check_int(loop_step(&l, 0), 0);
	check_int(info.si_pid, 0);
	loop_child_end(&c); /* harmless */
	(void)close_fd(go[0]);
	(void)close_fd(go[1]);
	loop_done(&l);
}

static void children_are_reaped_and_reported(void)
{
	watch_children();
}

static void forbid_pidfd(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = { .len = ARRAY_SIZE(code), .filter = code };

	check_int(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	check_int(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
	check_int(pidfd_open(getpid(), 0), -1);
	check_int(errno, ENOSYS);
}

/* As on a kernel before 5.3, and under valgrind. In a process of its own, as the filter stays. */
static void children_are_watched_without_pidfd(void)
{
	int status = -1;

	pid_t pid = fork();
	check(pid >= 0);
	if (pid == 0) {
		forbid_pidfd();
		if (!test_failed)
			watch_children();
		_exit(test_failed);
	}
	check_int(waitpid(pid, &status, 0), pid);
	check_int(status, 0);
}

static void on_resume(void *ctx, usec_t asleep)
{
	*(usec_t *)ctx = asleep;
}

/* A machine that did not sleep does not resume; the offset that tells it is the test's to shift. */
static void only_a_grown_offset_of_the_clocks_is_a_resume(void)
{
	struct loop l;
	usec_t asleep = 0;
	struct loop_resume r = { .fn = on_resume, .ctx = &asleep };

	check_int(loop_init(&l), 0);
	check_int(loop_resume_add(&l, &r), 0);
	r.source.fn(r.source.ctx, EPOLLIN);
	check_int(asleep, 0);
	r.offset -= 90 * USEC_PER_SEC;
	r.source.fn(r.source.ctx, EPOLLIN);
	check(asleep >= 89 * USEC_PER_SEC && asleep < 95 * USEC_PER_SEC);
	asleep = 0;
	r.source.fn(r.source.ctx, EPOLLIN);
	check_int(asleep, 0);
	loop_resume_remove(&r);
	loop_done(&l);
}

int main(void)
{
	return run_tests((struct test[]){
		TEST(timers_run_by_deadline_then_by_order),
		TEST(setting_a_timer_again_moves_it),
		TEST(a_greedy_timer_does_not_starve_descriptors),
		TEST(a_removed_source_is_not_called_in_the_same_round),
		TEST(wanted_events_can_change_between_rounds),
		TEST(a_plain_file_is_refused),
		TEST(stop_ends_the_run_with_its_result),
		TEST(signals_come_through_the_loop),
		TEST(children_are_reaped_and_reported),
		TEST(children_are_watched_without_pidfd),
		TEST(only_a_grown_offset_of_the_clocks_is_a_resume),
		{},
	});
}
