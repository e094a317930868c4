/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `clear interfaces counters`: what is subtracted from the kernel's counters from then on. It stands in a
 * file in the run directory, so that a restart and a re-exec of the daemon keep it and a reboot does not, as
 * the counters themselves. A device of another index is another device, and so is one of another network
 * namespace.
 */
#pragma once

#include "sstpcd/links.h"

#define BASELINE_FILE "counters" /* in the run directory */

struct baseline {
	struct baseline_link {
		uint32_t ifindex;
		int64_t time; /* seconds since 1970 */
		uint64_t counters[_LINK_COUNTERS];
	} * links;
	size_t n;
};

void baseline_done(struct baseline *b);
/* Takes the present counters. 0 or negative errno. */
int baseline_take(struct baseline *b, int64_t now);
/* What was cleared of this interface; NULL if nothing was. */
const struct baseline_link *baseline_find(const struct baseline *b, const struct link_info *l);

/* 0 or negative errno. A file that is damaged is an empty one; so is one that is missing, or that was written
 * in another network namespace. */
int baseline_save(const struct baseline *b, const char *run_dir);
int baseline_load(struct baseline *b, const char *run_dir);
