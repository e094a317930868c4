/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "netconf/dns/watch.h"
#include "test.h"

static void make_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	check(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	check_int(close_fd(fd), -1);
}

/* A directory with `etc`, and `run`, where a link of `etc` leads. */
struct place {
	char dir[32], link[64], other[64], run[64], target[64], new[64];
};

static struct place make_place(void)
{
	struct place p = { .dir = "/tmp/sstpcd-watch-XXXXXX" };

	if (!mkdtemp(p.dir))
		abort();
	(void)snprintf(p.link, sizeof(p.link), "%s/resolv.conf", p.dir);
	(void)snprintf(p.other, sizeof(p.other), "%s/hosts", p.dir);
	(void)snprintf(p.run, sizeof(p.run), "%s/run", p.dir);
	(void)snprintf(p.target, sizeof(p.target), "%s/run/real.conf", p.dir);
	(void)snprintf(p.new, sizeof(p.new), "%s/run/new", p.dir);
	return p;
}

static void remove_place(const struct place *p)
{
	(void)unlink(p->target);
	(void)rmdir(p->run);
	(void)unlink(p->link);
	(void)unlink(p->other);
	check_int(rmdir(p->dir), 0);
}

static void a_change_is_told_and_that_of_others_is_not(void)
{
	struct place p = make_place();
	struct dns_watch w;

	make_file(p.link, "a");
	dns_watch_open(&w, p.link);
	check(!dns_watch_read(&w));
	make_file(p.other, "b");
	check(!dns_watch_read(&w));
	make_file(p.link, "b");
	check(dns_watch_read(&w));
	check(!dns_watch_read(&w));
	check_int(rename(p.other, p.link), 0);
	check(dns_watch_read(&w));
	make_file(p.link, "c"); /* the new one is watched, too */
	check(dns_watch_read(&w));
	check_int(unlink(p.link), 0);
	check(dns_watch_read(&w));
	dns_watch_close(&w);
	remove_place(&p);
}

/* As at a boot, when what writes the file has not started yet. */
static void a_link_to_nowhere_is_followed_later(void)
{
	struct place p = make_place();
	struct dns_watch w;

	check_int(symlink(p.target, p.link), 0);
	dns_watch_open(&w, p.link);
	check_int(mkdir(p.run, 0700), 0);
	make_file(p.target, "ours");
	dns_watch_follow(&w);
	(void)dns_watch_read(&w);
	make_file(p.new, "theirs");
	check(!dns_watch_read(&w));
	check_int(rename(p.new, p.target), 0);
	check(dns_watch_read(&w));
	dns_watch_close(&w);
	remove_place(&p);
}

int main(void)
{
	return run_tests((struct test[]){
		TEST(a_change_is_told_and_that_of_others_is_not),
		TEST(a_link_to_nowhere_is_followed_later),
		{},
	});
}
