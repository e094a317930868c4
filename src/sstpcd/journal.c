/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpcd/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

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

#define MAGIC "sstplog1"

/* The file is this, in the byte order of the machine: it is of no use elsewhere. */
struct journal_ring {
	char magic[8];
	uint64_t next_number;
	uint32_t first, len; /* bytes in use, from `first` on, in whole records that may wrap */
	char bytes[JOURNAL_SIZE];
};

int journal_init(struct journal *j)
{
	*j = (struct journal){ .ring = calloc(1, sizeof(*j->ring)), .fd = -1 };
	return j->ring ? 0 : -ENOMEM;
}

void journal_done(struct journal *j)
{
	if (!j->ring)
		return;
	if (j->fd >= 0)
		(void)munmap(j->ring, sizeof(*j->ring));
	else
		free(j->ring);
	(void)close_fd(j->fd);
	*j = (struct journal){ .ring = NULL, .fd = -1 };
}

static void ring_read(const struct journal_ring *ring, size_t at, void *out, size_t len)
{
	size_t start = at % JOURNAL_SIZE, head = MIN(len, JOURNAL_SIZE - start);

	memcpy(out, ring->bytes + start, head);
	memcpy((char *)out + head, ring->bytes, len - head);
}

static void ring_write(struct journal_ring *ring, size_t at, const void *data, size_t len)
{
	size_t start = at % JOURNAL_SIZE, head = MIN(len, JOURNAL_SIZE - start);

	memcpy(ring->bytes + start, data, head);
	memcpy(ring->bytes, (const char *)data + head, len - head);
}

static size_t record_size(const struct record *r)
{
	return sizeof(*r) + r->tag_size + r->text_size;
}

static void make_room(struct journal_ring *ring, size_t size)
{
	while (JOURNAL_SIZE - ring->len < size) {
		struct record oldest;
		ring_read(ring, ring->first, &oldest, sizeof(oldest));
		ring->first = (uint32_t)((ring->first + record_size(&oldest)) % JOURNAL_SIZE);
		ring->len -= (uint32_t)record_size(&oldest);
	}
}

/* `tag` and `text` are short enough, and printable. */
static void append(struct journal_ring *ring, struct record *r, const char *tag, const char *text)
{
	r->number = ring->next_number++;
	r->tag_size = (uint16_t)(strlen(tag) + 1);
	r->text_size = (uint16_t)(strlen(text) + 1);
	make_room(ring, record_size(r));
	size_t at = ring->first + ring->len;
	ring_write(ring, at, r, sizeof(*r));
	ring_write(ring, at + sizeof(*r), tag, r->tag_size);
	ring_write(ring, at + sizeof(*r) + r->tag_size, text, r->text_size);
	ring->len += (uint32_t)record_size(r);
}

static void begin_anew(struct journal_ring *ring)
{
	memset(ring, 0, offsetof(struct journal_ring, bytes));
	memcpy(ring->magic, MAGIC, sizeof(ring->magic));
}

/* Root may empty a log ("> journal"): it begins anew then. To touch the pages that are gone is the end, by
 * SIGBUS. */
static void ensure_pages(struct journal *j)
{
	struct stat st;

	if (j->fd < 0 || (fstat(j->fd, &st) == 0 && st.st_size >= (off_t)sizeof(*j->ring)))
		return;
	if (posix_fallocate(j->fd, 0, sizeof(*j->ring)) != 0)
		(void)mmap(j->ring, sizeof(*j->ring), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	begin_anew(j->ring);
}

void journal_sink(void *journal, enum log_level level, const char *tag, const char *line)
{
	struct journal *j = journal;
	char tag_text[TAG_MAX], text[TEXT_MAX];
	struct record r = { .time = (int64_t)time(NULL), .level = (uint8_t)level };

	printable(tag_text, sizeof(tag_text), tag ? tag : "", tag ? strlen(tag) : 0);
	printable(text, sizeof(text), line, strlen(line));
	ensure_pages(j);
	append(j->ring, &r, tag_text, text);
	if (j->follow)
		j->follow(j->follow_ctx, &(struct journal_line){ .number = r.number,
								 .time = r.time,
								 .level = level,
								 .tag = tag_text,
								 .text = text });
}

/* One record at `pos` of what is in use: false where it does not fit or was never one. */
static bool read_record(const struct journal_ring *ring, size_t pos, struct record *r,
			char tag[static TAG_MAX], char text[static TEXT_MAX])
{
	if (pos + sizeof(*r) > ring->len)
		return false;
	ring_read(ring, ring->first + pos, r, sizeof(*r));
	if (r->tag_size == 0 || r->tag_size > TAG_MAX || r->text_size == 0 || r->text_size > TEXT_MAX ||
	    pos + record_size(r) > ring->len)
		return false;
	ring_read(ring, ring->first + pos + sizeof(*r), tag, r->tag_size);
	ring_read(ring, ring->first + pos + sizeof(*r) + r->tag_size, text, r->text_size);
	return strnlen(tag, r->tag_size) + 1 == r->tag_size &&
	       strnlen(text, r->text_size) + 1 == r->text_size && r->level >= LOG_LEVEL_ERROR &&
	       r->level <= LOG_LEVEL_DEBUG;
}

/* A program that was killed while it wrote may leave a record of which a part is missing. */
static bool is_whole(const struct journal_ring *ring)
{
	char tag[TAG_MAX], text[TEXT_MAX];
	struct record r;
	size_t pos = 0;

	if (memcmp(ring->magic, MAGIC, sizeof(ring->magic)) != 0 || ring->first >= JOURNAL_SIZE ||
	    ring->len > JOURNAL_SIZE)
		return false;
	while (pos < ring->len && read_record(ring, pos, &r, tag, text))
		pos += record_size(&r);
	return pos == ring->len;
}

/* NULL with errno. Nobody else may write it, and its blocks are there: a full disk must not be met later. */
static struct journal_ring *map_file(const char *path, int *ret_fd)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	struct journal_ring *ring;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return NULL;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022) || st.st_nlink != 1) {
		errno = EPERM;
		return NULL;
	}
	errno = posix_fallocate(fd, 0, sizeof(*ring));
	if (errno != 0)
		return NULL;
	ring = mmap(NULL, sizeof(*ring), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ring == MAP_FAILED)
		return NULL;
	*ret_fd = TAKE_FD(fd);
	return ring;
}

int journal_keep(struct journal *j, const char *path)
{
	struct journal_ring *file = map_file(path, &j->fd), *memory = j->ring;
	char tag[TAG_MAX], text[TEXT_MAX];
	struct record r;

	if (!file)
		return -errno;
	if (!is_whole(file))
		begin_anew(file);
	for (size_t pos = 0; read_record(memory, pos, &r, tag, text);) {
		pos += record_size(&r);
		append(file, &r, tag, text);
	}
	free(memory);
	j->ring = file;
	return 0;
}

void journal_each(struct journal *j, const char *tag, void (*fn)(void *ctx, const struct journal_line *line),
		  void *ctx)
{
	char tag_text[TAG_MAX], text[TEXT_MAX];
	struct record r;

	ensure_pages(j);
	for (size_t pos = 0; read_record(j->ring, pos, &r, tag_text, text); pos += record_size(&r))
		if (!tag || strcmp(tag, tag_text) == 0)
			fn(ctx, &(struct journal_line){ .number = r.number,
							.time = r.time,
							.level = (enum log_level)r.level,
							.tag = tag_text,
							.text = text });
}
