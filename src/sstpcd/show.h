/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The output of the operational `show` commands, as text in VyOS's layouts and as JSON. */
#pragma once

#include "sstpcd/baseline.h"
#include "sstpcd/daemon.h"
#include "sstpcd/links.h"

struct show {
	const struct daemon *daemon;
	const struct baseline *baseline;
	bool json;
	struct text *out;
};

/* `only_ours`: show interfaces sstpc. The two layouts differ, as they do in VyOS. All return 0 or negative
 * errno. */
int show_interfaces(const struct show *s);
int show_summary(const struct show *s, bool only_ours);
int show_counters(const struct show *s);
int show_detail(const struct show *s, bool only_ours);
/* One interface of ours, with its session. -ENODEV if it is not configured. */
int show_interface(const struct show *s, const char *name);
int show_statistics(const struct show *s, const char *name);
/* The CAs of the running configuration; `name` NULL = all. -ENOENT. */
int show_pki_ca(const struct show *s, const char *name);
void show_version(const struct show *s);
/* One line of the log. */
void show_log_line(const struct journal_line *line, bool json, struct text *out);

/* How long something has lasted that began at `begin` of CLOCK_BOOTTIME, and since when by the wall clock as
 * it is now: a router without a clock of its own begins in the past, until NTP comes. */
struct show_age {
	uint64_t seconds;
	int64_t since;
};
struct show_age show_age(usec_t begin, usec_t now, usec_t wall);

/* Pieces of the layouts. The counters: two lines of names, two of numbers. */
void show_print_counters(const uint64_t counters[static _LINK_COUNTERS], struct text *out);
/* A row of the summary: more lines for further addresses and a long description. */
void show_summary_row(const struct link_info *l, struct text *out);
