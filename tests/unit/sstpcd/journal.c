/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpcd/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

struct seen {
	unsigned n;
	uint64_t first, last;
	bool gap, wrong;
	char text[64], tag[16];
};

static void see(void *ctx, const struct journal_line *line)
{
	struct seen *s = ctx;
	char expected[2048];

	if (s->n++ == 0)
		s->first = line->number;
	else
		s->gap |= line->number != s->last + 1;
	s->last = line->number;
	(void)snprintf(s->text, sizeof(s->text), "%.60s", line->text);
	(void)snprintf(s->tag, sizeof(s->tag), "%s", line->tag);
	/* Lines of the wrap test say their number and are padded by it. */
	if (line->text[0] == '#') {
		(void)snprintf(expected, sizeof(expected), "#%llu %*d", (unsigned long long)line->number,
			       (int)(line->number % 900), 7);
		s->wrong |= strcmp(expected, line->text) != 0;
	}
}

static void lines_are_kept_with_tag_and_level(void)
{
	struct journal j;
	struct seen s = { .n = 0 }, followed = { .n = 0 };

	check_int(journal_init(&j), 0);
	j.follow = see;
	j.follow_ctx = &followed;
	journal_sink(&j, LOG_LEVEL_INFO, "sstpc0", "one");
	journal_sink(&j, LOG_LEVEL_INFO, NULL, "two\x1b[2J");
	journal_sink(&j, LOG_LEVEL_INFO, "sstpc1", "three");
	journal_each(&j, NULL, see, &s);
	check_int(s.n, 3);
	check_int(followed.n, 3);
	check_str(followed.text, "three");
	s = (struct seen){ .n = 0 };
	journal_each(&j, "sstpc0", see, &s);
	check_int(s.n, 1);
	check_str(s.text, "one");
	s = (struct seen){ .n = 0 };
	journal_each(&j, "", see, &s);
	check_str(s.text, "two.[2J");
	journal_done(&j);
}

/* Every line that is still there is whole, and only the oldest are missing. */
static void the_oldest_lines_make_room(void)
{
	struct journal j;
	char line[2048];

	check_int(journal_init(&j), 0);
	for (unsigned i = 0; i < 5000; i++) {
		struct seen s = { .n = 0 };
		(void)snprintf(line, sizeof(line), "#%u %*d", i, (int)(i % 900), 7);
		journal_sink(&j, LOG_LEVEL_INFO, "sstpc0", line);
		if (i % 37 != 0)
			continue;
		journal_each(&j, NULL, see, &s);
		check_int(s.last, i);
		check(!s.gap && !s.wrong);
		check(i < 300 ? s.first == 0 : s.n > 250);
	}
	struct seen s = { .n = 0 };
	journal_each(&j, NULL, see, &s);
	check(s.first > 4000);
	journal_done(&j);
}

static unsigned lines_of(const char *path, struct seen *s)
{
	struct journal j;

	*s = (struct seen){ .n = 0 };
	if (journal_init(&j) < 0 || journal_keep(&j, path) < 0)
		abort();
	journal_each(&j, NULL, see, s);
	journal_done(&j);
	return s->n;
}

static void write_at(const char *path, off_t at, const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || pwrite(fd, bytes, len, at) != (ssize_t)len)
		abort();
	(void)close(fd);
}

static void lines_outlive_the_program_in_a_file(void)
{
	char dir[] = "/tmp/journal.XXXXXX", path[64], other[64], line[1024];
	struct journal j;
	struct seen s;

	check(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/journal", dir);
	(void)snprintf(other, sizeof(other), "%s/link", dir);
	check_int(journal_init(&j), 0);
	journal_sink(&j, LOG_LEVEL_INFO, "", "before the file");
	check_int(journal_keep(&j, path), 0);
	journal_sink(&j, LOG_LEVEL_WARNING, "sstpc0", "one");
	/* No journal_done(): it was killed. */
	check_int(lines_of(path, &s), 2);
	check_str(s.text, "one");
	check_str(s.tag, "sstpc0");
	check_int(s.last, 1);
	for (unsigned i = 2; i < 3000; i++) {
		(void)snprintf(line, sizeof(line), "#%u %*d", i, (int)(i % 900), 7);
		journal_sink(&j, LOG_LEVEL_INFO, "sstpc0", line);
	}
	check(lines_of(path, &s) > 250);
	check(!s.gap && !s.wrong);
	check_int(s.last, 2999);
	journal_done(&j);

	check_int(symlink(path, other), 0);
	check_int(journal_init(&j), 0);
	check_int(journal_keep(&j, other), -ELOOP);
	check_int(chmod(path, 0666), 0); /* anybody may have written it */
	check_int(journal_keep(&j, path), -EPERM);
	journal_sink(&j, LOG_LEVEL_INFO, "", "stays in memory");
	journal_done(&j);
	check_int(chmod(path, 0600), 0);

	/* Where its structure is damaged it begins anew: never a byte outside of it, nor half a line. */
	for (unsigned at = 0; at < 46; at++) {
		check_int(unlink(path), 0);
		check_int(journal_init(&j), 0);
		check_int(journal_keep(&j, path), 0);
		journal_sink(&j, LOG_LEVEL_INFO, "sstpc0", "one");
		journal_done(&j);
		write_at(path, at, "\xff\xff", 2);
		unsigned n = lines_of(path, &s);
		check(n == 0 || (n == 1 && s.text[0] == 'o'));
	}
	(void)unlink(other);
	(void)unlink(path);
	(void)rmdir(dir);
}

/* Of a file that is read or written by nobody else somebody may still think that it is text. */
static void a_file_that_is_emptied_begins_anew(void)
{
	char dir[] = "/tmp/journal.XXXXXX", path[64];
	struct journal j;
	struct seen s = { .n = 0 };

	check(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/journal", dir);
	check_int(journal_init(&j), 0);
	check_int(journal_keep(&j, path), 0);
	journal_sink(&j, LOG_LEVEL_INFO, "sstpc0", "one");
	check_int(truncate(path, 0), 0);
	journal_each(&j, NULL, see, &s);
	check_int(s.n, 0);
	check_int(truncate(path, 5000), 0);
	journal_sink(&j, LOG_LEVEL_INFO, "sstpc0", "two");
	journal_each(&j, NULL, see, &s);
	check_int(s.n, 1);
	journal_done(&j);
	check_int(lines_of(path, &s), 1);
	check_str(s.text, "two");
	(void)unlink(path);
	(void)rmdir(dir);
}

int main(void)
{
	return run_tests((struct test[]){
		TEST(lines_are_kept_with_tag_and_level),
		TEST(the_oldest_lines_make_room),
		TEST(lines_outlive_the_program_in_a_file),
		TEST(a_file_that_is_emptied_begins_anew),
		{},
	});
}
