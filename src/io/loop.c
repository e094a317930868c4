/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/macro.h"

#define CHILD_END_MS 1000
#define FAR	     USEC_PER_SEC /* from here on a deadline need not be kept to the millisecond */

int loop_init(struct loop *l)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0)
		return -errno;
	*l = (struct loop){ .epoll = fd, .now = clock_now() };
	return 0;
}

void loop_done(struct loop *l)
{
	while (l->first)
		loop_timer_clear(l->first);
	l->epoll = close_fd(l->epoll);
}

usec_t loop_now(const struct loop *l)
{
	return l->now;
}

void loop_refresh(struct loop *l)
{
	l->now = clock_now();
}

void loop_stop(struct loop *l, int result)
{
	if (l->stopped)
		return;
	l->stopped = true;
	l->result = result;
}

bool loop_stopped(const struct loop *l)
{
	return l->stopped;
}

/* Descriptors */

int loop_fd_add(struct loop *l, struct loop_fd *s, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = s };

	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		return -errno;
	s->loop = l;
	s->fd = fd;
	s->wanted = s->armed = events;
	s->dirty = false;
	s->next_dirty = NULL;
	return 0;
}

void loop_fd_set(struct loop_fd *s, uint32_t events)
{
	if (!s->loop)
		return;
	s->wanted = events;
	if (s->wanted != s->armed && !s->dirty) {
		s->dirty = true;
		s->next_dirty = s->loop->dirty;
		s->loop->dirty = s;
	}
}

void loop_fd_remove(struct loop_fd *s)
{
	struct loop *l = s->loop;

	if (!l)
		return;
	(void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, s->fd, NULL);
	for (int i = l->batch_pos; i < l->batch_len; i++)
		if (l->batch[i].data.ptr == s)
			l->batch[i].data.ptr = NULL;
	if (s->dirty)
		for (struct loop_fd **p = &l->dirty; *p; p = &(*p)->next_dirty)
			if (*p == s) {
				*p = s->next_dirty;
				break;
			}
	s->loop = NULL;
	s->dirty = false;
	s->next_dirty = NULL;
}

/* Many changes between two sleeps cost one epoll_ctl, and none where they cancel out. */
static int flush_dirty(struct loop *l)
{
	while (l->dirty) {
		struct loop_fd *s = l->dirty;
		struct epoll_event ev = { .events = s->wanted, .data.ptr = s };

		l->dirty = TAKE_PTR(s->next_dirty);
		s->dirty = false;
		if (s->wanted == s->armed)
			continue;
		if (epoll_ctl(l->epoll, EPOLL_CTL_MOD, s->fd, &ev) < 0)
			return -errno;
		s->armed = s->wanted;
	}
	return 0;
}

/* Timers: a list by deadline. Programs here have at most a few timers per tunnel, and most are set near the
 * end. */

void loop_timer_set(struct loop *l, struct loop_timer *t, usec_t deadline)
{
	loop_timer_clear(t);
	if (deadline == USEC_NEVER)
		return;
	deadline = MAX(deadline, l->now);

	struct loop_timer *after = l->last;
	while (after && after->deadline > deadline)
		after = after->prev;
	t->loop = l;
	t->deadline = deadline;
	t->prev = after;
	t->next = after ? after->next : l->first;
	if (t->next)
		t->next->prev = t;
	else
		l->last = t;
	if (after)
		after->next = t;
	else
		l->first = t;
}

void loop_timer_clear(struct loop_timer *t)
{
	struct loop *l = t->loop;

	if (!l)
		return;
	if (t->prev)
		t->prev->next = t->next;
	else
		l->first = t->next;
	if (t->next)
		t->next->prev = t->prev;
	else
		l->last = t->prev;
	t->prev = t->next = NULL;
	t->loop = NULL;
}

/* Timers that a callback sets for now wait for the next round, so that descriptors get their turn. */
static void run_timers(struct loop *l)
{
	usec_t now = l->now;
	struct loop_timer mark = { .fn = NULL };

	loop_timer_set(l, &mark, now);
	while (l->first != &mark && !l->stopped) {
		struct loop_timer *t = l->first;
		loop_timer_clear(t);
		t->fn(t->ctx);
	}
	loop_timer_clear(&mark);
}

/* Milliseconds for epoll_wait: rounded up, so that a timer is never too early. */
static int wait_ms(const struct loop *l, usec_t max_wait)
{
	usec_t wait = max_wait;

	if (l->first && l->first->deadline <= l->now)
		return 0;
	/* Not every machine has a clock without a system call: far deadlines may be late by what callbacks
	 * took. */
	usec_t now = l->first && l->first->deadline > l->now + FAR ? l->now : clock_now();
	if (l->first)
		wait = MIN(wait, l->first->deadline > now ? l->first->deadline - now : 0);
	if (wait == USEC_NEVER)
		return -1;
	return (int)MIN((wait + USEC_PER_MSEC - 1) / USEC_PER_MSEC, (usec_t)3600 * 1000);
}

int loop_step(struct loop *l, usec_t max_wait)
{
	int r = flush_dirty(l);

	if (r < 0)
		return r;
	int n = epoll_wait(l->epoll, l->batch, LOOP_BATCH, wait_ms(l, max_wait));
	if (n < 0 && errno != EINTR)
		return -errno;
	l->now = clock_now();
	l->batch_len = MAX(n, 0);
	for (l->batch_pos = 0; l->batch_pos < l->batch_len && !l->stopped;) {
		const struct epoll_event *ev = &l->batch[l->batch_pos++];
		struct loop_fd *s = ev->data.ptr;
		if (s)
			s->fn(s->ctx, ev->events);
	}
	l->batch_len = l->batch_pos = 0;
	if (!l->stopped)
		run_timers(l);
	return 0;
}

int loop_run(struct loop *l)
{
	while (!l->stopped) {
		int r = loop_step(l, USEC_NEVER);
		if (r < 0)
			return r;
	}
	return l->result;
}

/* Signals */

static void on_signal(void *ctx, uint32_t events)
{
	struct loop_signals *s = ctx;
	struct signalfd_siginfo info;

	(void)events;
	if (read(s->source.fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		s->fn(s->ctx, &info);
}

int loop_signals_add(struct loop *l, struct loop_signals *s, const sigset_t *set)
{
	_cleanup_close_ int fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	s->source.fn = on_signal;
	s->source.ctx = s;
	int r = loop_fd_add(l, &s->source, fd, EPOLLIN);
	if (r < 0)
		return r;
	if (sigprocmask(SIG_BLOCK, set, &s->before) < 0) {
		r = -errno;
		loop_fd_remove(&s->source);
		return r;
	}
	(void)TAKE_FD(fd);
	return 0;
}

void loop_signals_remove(struct loop_signals *s)
{
	if (!loop_fd_is_added(&s->source))
		return;
	loop_fd_remove(&s->source);
	s->source.fd = close_fd(s->source.fd);
	(void)sigprocmask(SIG_SETMASK, &s->before, NULL);
}

/* Children */

static void on_child(void *ctx, uint32_t events)
{
	struct loop_child *c = ctx;
	siginfo_t info;

	(void)events;
	if (exit_watch_look(&c->watch, &info) == 0)
		return; /* not yet */
	loop_child_remove(c);
	c->fn(c->ctx, &info);
}

int loop_child_add(struct loop *l, struct loop_child *c, pid_t pid)
{
	int r = exit_watch_open(&c->watch, pid);

	if (r < 0)
		return r;
	c->source.fn = on_child;
	c->source.ctx = c;
	r = loop_fd_add(l, &c->source, c->watch.fd, EPOLLIN);
	if (r < 0) {
		exit_watch_close(&c->watch);
		return r;
	}
	c->pid = pid;
	return 0;
}

void loop_child_remove(struct loop_child *c)
{
	if (!loop_fd_is_added(&c->source))
		return;
	loop_fd_remove(&c->source);
	exit_watch_close(&c->watch);
	c->pid = 0;
}

int loop_child_kill(const struct loop_child *c, int signal)
{
	return exit_watch_kill(&c->watch, signal);
}

void loop_child_end(struct loop_child *c)
{
	siginfo_t info;

	if (loop_child_kill(c, SIGKILL) == 0)
		(void)exit_watch_wait(&c->watch, CHILD_END_MS, &info);
	loop_child_remove(c);
}

/* Resume from suspend */

static usec_t time_asleep(void)
{
	struct timespec boot, mono;

	(void)clock_gettime(CLOCK_MONOTONIC, &mono);
	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	return ((usec_t)boot.tv_sec - (usec_t)mono.tv_sec) * USEC_PER_SEC + (usec_t)boot.tv_nsec / 1000 -
	       (usec_t)mono.tv_nsec / 1000;
}

/* A timer of the wall clock far away, cancelled by the kernel on every jump of it, also that of a resume. */
static int arm_resume(int fd)
{
	struct itimerspec never = { .it_value.tv_sec = 9000000000 }; /* the year 2255 */

	return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) < 0 ? -errno
												  : 0;
}

static void on_clock_jump(void *ctx, uint32_t events)
{
	struct loop_resume *r = ctx;
	uint64_t expirations;

	(void)events;
	(void)!read(r->source.fd, &expirations, sizeof(expirations));
	(void)arm_resume(r->source.fd);

	usec_t offset = time_asleep(), asleep = offset - r->offset;
	r->offset = offset;
	if (asleep >= USEC_PER_SEC && asleep < USEC_NEVER / 2)
		r->fn(r->ctx, asleep);
}

int loop_resume_add(struct loop *l, struct loop_resume *r)
{
	_cleanup_close_ int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	int err = arm_resume(fd);
	if (err < 0)
		return err;
	r->source.fn = on_clock_jump;
	r->source.ctx = r;
	err = loop_fd_add(l, &r->source, fd, EPOLLIN);
	if (err < 0)
		return err;
	r->offset = time_asleep();
	(void)TAKE_FD(fd);
	return 0;
}

void loop_resume_remove(struct loop_resume *r)
{
	if (!loop_fd_is_added(&r->source))
		return;
	loop_fd_remove(&r->source);
	r->source.fd = close_fd(r->source.fd);
}
