/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpcd/journal.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/cause.h"

#define TAG_MAX	 16
#define TEXT_MAX 1024

/* In the ring: this, then the bytes of tag and text with their NULs. */
struct record {
	uint64_t number;
	int64_t time;
	uint16_t tag_size, text_size;
	uint8_t level;
};

int journal_init(struct journal *j)
{
	*j = (struct journal){ .ring = malloc(JOURNAL_SIZE) };
	return j->ring ? 0 : -ENOMEM;
}

void journal_done(struct journal *j)
{
	free(j->ring);
	*j = (struct journal){ .ring = NULL };
}

static void ring_read(const struct journal *j, size_t at, void *out, size_t len)
{
	size_t start = at % JOURNAL_SIZE, head = MIN(len, JOURNAL_SIZE - start);

	memcpy(out, j->ring + start, head);
	memcpy((char *)out + head, j->ring, len - head);
}

static void ring_write(struct journal *j, size_t at, const void *data, size_t len)
{
	size_t start = at % JOURNAL_SIZE, head = MIN(len, JOURNAL_SIZE - start);

	memcpy(j->ring + start, data, head);
	memcpy(j->ring, (const char *)data + head, len - head);
}

static size_t record_size(const struct record *r)
{
	return sizeof(*r) + r->tag_size + r->text_size;
}

static void make_room(struct journal *j, size_t size)
{
	while (JOURNAL_SIZE - j->len < size) {
		struct record oldest;
		ring_read(j, j->first, &oldest, sizeof(oldest));
		j->first = (j->first + record_size(&oldest)) % JOURNAL_SIZE;
		j->len -= record_size(&oldest);
	}
}

void journal_add(struct journal *j, int64_t when, enum log_level level, const char *tag, const char *line)
{
	char tag_text[TAG_MAX], text[TEXT_MAX];

	printable(tag_text, sizeof(tag_text), tag ? tag : "", tag ? strlen(tag) : 0);
	printable(text, sizeof(text), line, strlen(line));
	struct record r = { .number = j->next_number++,
			    .time = when,
			    .tag_size = (uint16_t)(strlen(tag_text) + 1),
			    .text_size = (uint16_t)(strlen(text) + 1),
			    .level = (uint8_t)level };
	make_room(j, record_size(&r));
	size_t at = j->first + j->len;
	ring_write(j, at, &r, sizeof(r));
	ring_write(j, at + sizeof(r), tag_text, r.tag_size);
	ring_write(j, at + sizeof(r) + r.tag_size, text, r.text_size);
	j->len += record_size(&r);
	if (j->follow)
		j->follow(j->follow_ctx, &(struct journal_line){ .number = r.number,
								 .time = r.time,
								 .level = level,
								 .tag = tag_text,
								 .text = text });
}

void journal_sink(void *journal, enum log_level level, const char *tag, const char *line)
{
	journal_add(journal, (int64_t)time(NULL), level, tag, line);
}

void journal_each(struct journal *j, const char *tag, void (*fn)(void *ctx, const struct journal_line *line),
		  void *ctx)
{
	char tag_text[TAG_MAX], text[TEXT_MAX];
	struct record r;

	for (size_t pos = 0; pos < j->len; pos += record_size(&r)) {
		ring_read(j, j->first + pos, &r, sizeof(r));
		ring_read(j, j->first + pos + sizeof(r), tag_text, r.tag_size);
		ring_read(j, j->first + pos + sizeof(r) + r.tag_size, text, r.text_size);
		if (!tag || strcmp(tag, tag_text) == 0)
			fn(ctx, &(struct journal_line){ .number = r.number,
							.time = r.time,
							.level = (enum log_level)r.level,
							.tag = tag_text,
							.text = text });
	}
}
