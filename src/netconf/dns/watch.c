/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netconf/dns/watch.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/macro.h"

#define CHANGES (IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE)

/* A file is replaced in its directory. */
static void watch_directory(struct dns_watch *w, const char *path, char name[static NAME_MAX + 1])
{
	char directory[PATH_MAX], file[PATH_MAX];

	(void)snprintf(directory, sizeof(directory), "%s", path);
	(void)snprintf(file, sizeof(file), "%s", path);
	if (inotify_add_watch(w->fd, dirname(directory), CHANGES | IN_ONLYDIR) >= 0)
		(void)snprintf(name, NAME_MAX + 1, "%.*s", NAME_MAX, basename(file));
}

void dns_watch_follow(struct dns_watch *w)
{
	char real[PATH_MAX];

	if (w->fd < 0 || !realpath(w->path, real))
		return;
	if (strcmp(real, w->path) != 0)
		watch_directory(w, real, w->names[1]);
	/* One that is mounted by itself, as in a container, has its directory elsewhere. */
	(void)inotify_add_watch(w->fd, real, IN_CLOSE_WRITE);
}

void dns_watch_open(struct dns_watch *w, const char *resolv_conf)
{
	*w = (struct dns_watch){ .fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), .path = resolv_conf };
	if (w->fd < 0)
		return;
	watch_directory(w, resolv_conf, w->names[0]);
	dns_watch_follow(w);
}

void dns_watch_close(struct dns_watch *w)
{
	w->fd = close_fd(w->fd);
}

/* The file's own watch tells no name. */
static bool concerns(const struct dns_watch *w, const struct inotify_event *event)
{
	if (event->mask & IN_Q_OVERFLOW)
		return true;
	if (event->len == 0)
		return event->mask & IN_CLOSE_WRITE;
	return strcmp(event->name, w->names[0]) == 0 || strcmp(event->name, w->names[1]) == 0;
}

bool dns_watch_read(struct dns_watch *w)
{
	_Alignas(struct inotify_event) char buffer[4096];
	bool changed = false;
	ssize_t n;

	while ((n = read(w->fd, buffer, sizeof(buffer))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const void *)(buffer + at);

			changed |= concerns(w, event);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	if (changed)
		dns_watch_follow(w);
	return changed;
}
