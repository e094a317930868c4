/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpcd/journal.h"

#include <stdio.h>

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

int main(void)
{
	return run_tests((struct test[]){
		TEST(lines_are_kept_with_tag_and_level),
		TEST(the_oldest_lines_make_room),
		{},
	});
}
