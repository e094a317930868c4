/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpcd/baseline.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "config/store.h"
#include "netconf/record.h"

#define HEAD_SIZE 8u				       /* the network namespace */
#define LINK_SIZE (4 + 8 + 8 * (size_t)_LINK_COUNTERS) /* of a device in the file */

void baseline_done(struct baseline *b)
{
	free(b->links);
	*b = (struct baseline){ 0 };
}

int baseline_take(struct baseline *b, int64_t now)
{
	_cleanup_links_ struct links links = { 0 };
	int r = links_read(&links, NULL);

	if (r < 0)
		return r;
	struct baseline_link *list = calloc(links.n ? links.n : 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < links.n; i++) {
		list[i].ifindex = links.items[i].ifindex;
		list[i].time = now;
		memcpy(list[i].counters, links.items[i].counters, sizeof(list[i].counters));
	}
	baseline_done(b);
	*b = (struct baseline){ .links = list, .n = links.n };
	return 0;
}

const struct baseline_link *baseline_find(const struct baseline *b, const struct link_info *l)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->links[i].ifindex == l->ifindex)
			return &b->links[i];
	return NULL;
}

int baseline_save(const struct baseline *b, const char *run_dir)
{
	size_t size = HEAD_SIZE + b->n * LINK_SIZE;
	_cleanup_free_ uint8_t *data = malloc(size);
	struct wire_writer w = wire_writer(data, size);
	char path[PATH_MAX];

	if (!data)
		return -ENOMEM;
	wire_put_u64(&w, record_netns());
	for (size_t i = 0; i < b->n; i++) {
		wire_put_u32(&w, b->links[i].ifindex);
		wire_put_u64(&w, (uint64_t)b->links[i].time);
		for (size_t c = 0; c < _LINK_COUNTERS; c++)
			wire_put_u64(&w, b->links[i].counters[c]);
	}
	(void)snprintf(path, sizeof(path), "%s/" BASELINE_FILE, run_dir);
	return store_write_file(path, (const char *)data, w.len);
}

int baseline_load(struct baseline *b, const char *run_dir)
{
	_cleanup_free_ char *data = NULL;
	size_t len = 0;
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/" BASELINE_FILE, run_dir);
	int r = store_read_file(path, &data, &len);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	struct baseline_link *list = calloc(len / LINK_SIZE + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	struct wire_reader reader = wire_reader(data, len % LINK_SIZE == HEAD_SIZE ? len : 0);
	baseline_done(b);
	*b = (struct baseline){ .links = list };
	if (wire_u64(&reader) != record_netns())
		return 0;
	for (; wire_left(&reader) > 0; b->n++) {
		struct baseline_link *l = &list[b->n];
		l->ifindex = wire_u32(&reader);
		l->time = (int64_t)wire_u64(&reader);
		for (size_t c = 0; c < _LINK_COUNTERS; c++)
			l->counters[c] = wire_u64(&reader);
	}
	return 0;
}
