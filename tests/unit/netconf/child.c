/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The programs that do a part of the work, and the queue of changes of the resolver. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>

#include "base/clock.h"
#include "netconf/child.h"
#include "netconf/dns/queue.h"
#include "test.h"

static void input_and_status(void)
{
	char error[200] = "";

	check_int(child_run((const char *[]){ "grep", "-q", "needle", NULL }, "hay\nneedle\n", 5000, error,
			    sizeof(error)),
		  0);
	check_int(child_run((const char *[]){ "grep", "-q", "needle", NULL }, "hay\n", 5000, error,
			    sizeof(error)),
		  -EIO);
	check_str(error, "exit status 1");
	check_int(
		child_run((const char *[]){ "grep", "-q", "needle", NULL }, NULL, 5000, error, sizeof(error)),
		-EIO);
}

static void last_words_are_told(void)
{
	char error[200] = "";

	check_int(child_run((const char *[]){ "sh", "-c", "echo first >&2; echo last >&2; exit 3", NULL },
			    NULL, 5000, error, sizeof(error)),
		  -EIO);
	check_str(error, "exit status 3: first … last");
	check_int(child_run((const char *[]){ "no-such-program", NULL }, NULL, 5000, error, sizeof(error)),
		  -ENOENT);
	check_str(error, "no-such-program: No such file or directory");
}

/* True when the process is gone, or dead and only not yet taken note of. */
static bool is_dead(const char *pid)
{
	char path[64], text[256] = "";

	(void)snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	FILE *f = fopen(path, "re");
	if (!f)
		return true;
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = 0;
	(void)fclose(f);
	return strstr(text, ") Z ");
}

static void one_that_hangs_is_killed_with_its_children(void)
{
	char path[] = "/tmp/sstpcd-child-XXXXXX", script[100], pid[16] = "", error[200] = "";
	usec_t start = clock_now();

	int fd = mkstemp(path);
	check(fd >= 0);
	(void)snprintf(script, sizeof(script), "sleep 60 & echo -n $! >%s; wait", path);
	check_int(child_run((const char *[]){ "sh", "-c", script, NULL }, NULL, 500, error, sizeof(error)),
		  -ETIMEDOUT);
	check(clock_now() - start < 10 * USEC_PER_SEC);
	check_str(error, "sh did not end within 500 ms");
	check(read(fd, pid, sizeof(pid) - 1) > 0);
	while (!is_dead(pid) && clock_now() - start < 10 * USEC_PER_SEC)
		(void)poll(NULL, 0, 5);
	check(is_dead(pid));
	check_int(close(fd), 0);
	check_int(unlink(path), 0);
}

static void environment_is_ours(void)
{
	char error[200];

	check_int(setenv("SECRET", "1", 1), 0);
	check_int(
		child_run((const char *[]){ "sh", "-c", "test -z \"$SECRET\" && test \"$LC_ALL\" = C", NULL },
			  NULL, 5000, error, sizeof(error)),
		0);
}

static void signals_are_as_at_login(void)
{
	char error[200];
	sigset_t all, old;

	sigfillset(&all);
	check_int(sigprocmask(SIG_BLOCK, &all, &old), 0);
	int r = child_run((const char *[]){ "sh", "-c", "kill -TERM $$; exit 0", NULL }, NULL, 5000, error,
			  sizeof(error));
	check_int(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	check_int(r, -EIO);
	check_str(error, "ended by signal 15");
}

/* --- the queue --------------------------------------------------------------------------------------------
 */

static struct dns_servers servers(const char *ifname)
{
	struct dns_servers dns = { .n = 1,
				   .servers = { { .family = AF_INET, .in = { htonl(0x0a000035) } } } };

	(void)snprintf(dns.ifname, sizeof(dns.ifname), "%s", ifname);
	return dns;
}

static bool file_contains(const char *path, const char *needle)
{
	char text[512] = "";
	FILE *f = fopen(path, "re");

	if (!f)
		return false;
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = 0;
	(void)fclose(f);
	return strstr(text, needle);
}

static void make_file(char *path)
{
	int fd = mkstemp(path);

	check(fd >= 0);
	check_int(close(fd), 0);
}

static void newest_wish_wins(void)
{
	char path[] = "/tmp/sstpcd-resolv-XXXXXX", lock[] = "/tmp/sstpcd-lock-XXXXXX";
	struct dns_servers dns = servers("sstpc0");
	struct dns_queue *q;
	struct dns_result result;

	make_file(path);
	make_file(lock);
	check_int(dns_queue_new(path, lock, 1000, &q), 0);
	check_int(dns_queue_deadline(q), USEC_NEVER);
	check_int(dns_queue_set(q, NET_DNS_FILE, &dns), 0);
	check(dns_queue_is_busy(q, "sstpc0") && !dns_queue_is_busy(q, "sstpc1"));
	check_int(dns_queue_deadline(q), 0);
	check_int(dns_queue_clear(q, NET_DNS_FILE, "sstpc0"), 0);
	check_int(dns_queue_process(q, 0, &result), 1);
	check_str(result.ifname, "sstpc0");
	check(!result.set && !file_contains(path, "nameserver"));
	check_int(dns_queue_process(q, 0, &result), 0);

	check_int(dns_queue_clear(q, NET_DNS_FILE, "sstpc0"), 0);
	check_int(dns_queue_set(q, NET_DNS_FILE, &dns), 0);
	check_int(dns_queue_process(q, 0, &result), 1);
	check(result.set && file_contains(path, "nameserver 10.0.0.53\n"));
	dns_queue_free(q);
	check_int(unlink(path), 0);
	check_int(unlink(lock), 0);
}

/* Everybody may read resolv.conf, so everybody may lock it. */
static void a_strangers_lock_stops_nothing(void)
{
	char path[] = "/tmp/sstpcd-resolv-XXXXXX", lock[] = "/tmp/sstpcd-lock-XXXXXX";
	struct dns_servers dns = servers("sstpc0");
	struct dns_queue *q;
	struct dns_result result;

	make_file(path);
	make_file(lock);
	int stranger = open(path, O_RDONLY | O_CLOEXEC);
	check_int(flock(stranger, LOCK_SH), 0);
	check_int(dns_queue_new(path, lock, 1000, &q), 0);
	check_int(dns_queue_set(q, NET_DNS_FILE, &dns), 0);
	check_int(dns_queue_process(q, 0, &result), 1);
	check(result.set && file_contains(path, "nameserver 10.0.0.53\n"));
	check_int(dns_queue_clear(q, NET_DNS_FILE, "sstpc0"), 0);
	check_int(dns_queue_process(q, 0, &result), 1);
	check(!file_contains(path, "nameserver"));
	dns_queue_free(q);
	check_int(close(stranger), 0);
	check_int(unlink(path), 0);
	check_int(unlink(lock), 0);
}

static void unwritable_file_is_a_named_failure(void)
{
	struct dns_servers dns = servers("sstpc0");
	struct dns_queue *q;
	struct dns_result result;

	check_int(dns_queue_new("/proc/version", "/dev/null", 1000, &q), 0);
	check_int(dns_queue_set(q, NET_DNS_FILE, &dns), 0);
	check_int(dns_queue_process(q, 0, &result), 1);
	check_int(result.failure.cause, CAUSE_RESOLVERS);
	check(strstr(result.failure.detail, "setting resolvers of sstpc0 by /proc/version: "));
	dns_queue_free(q);
}

int main(void)
{
	return run_tests((struct test[]){
		TEST(input_and_status),
		TEST(last_words_are_told),
		TEST(one_that_hangs_is_killed_with_its_children),
		TEST(environment_is_ours),
		TEST(signals_are_as_at_login),
		TEST(newest_wish_wins),
		TEST(a_strangers_lock_stops_nothing),
		TEST(unwritable_file_is_a_named_failure),
		{},
	});
}
