/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tells when somebody changes resolv.conf: DHCP clients write it anew, and then our resolvers are no longer
 * in it.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

struct dns_watch {
	int fd;		  /* readable when something may have changed; -1: there is no inotify */
	const char *path; /* borrowed */
	char names[2][NAME_MAX + 1];
};

/* The path as it is, and the file that it leads to; neither has to exist. Without inotify nothing is told. */
void dns_watch_open(struct dns_watch *w, const char *resolv_conf);
/* Where the path is a link: looks again at where it leads. Done by dns_watch_read() after a change of the
 * link itself; for whoever may have made the file, or what leads to it. */
void dns_watch_follow(struct dns_watch *w);
void dns_watch_close(struct dns_watch *w);
/* Reads what has happened; true if the file may be another one, or have another content. */
bool dns_watch_read(struct dns_watch *w);
