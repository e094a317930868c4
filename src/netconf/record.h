/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record of one interface as a file: DIR/NAME, one fact per line, written anew and renamed. It tells the
 * next start what a crashed process had changed. Records of another network namespace are told apart by its
 * inode.
 */
#pragma once

#include "base/text.h"
#include "netconf/model.h"

#define RECORD_FILE_MAX 4096

struct record_owner {
	uint64_t netns; /* inode of /proc/self/ns/net */
	uint32_t ifindex;
};

/* That of this process; 0 if it cannot be told. */
uint64_t record_netns(void);

void record_format(const struct net_record *record, const struct record_owner *owner, struct text *out);
/* -EBADMSG for what record_format() does not write. */
int record_parse(const char *text, struct net_record *ret, struct record_owner *ret_owner);

int record_save(const char *dir, const char *ifname, const struct net_record *record,
		const struct record_owner *owner);
/* -ENOENT: nothing recorded. */
int record_load(const char *dir, const char *ifname, struct net_record *ret, struct record_owner *ret_owner);
int record_delete(const char *dir, const char *ifname);
/* Deletes `file` if it is a record that was being written when its process was killed, in this network
 * namespace, for an interface that is gone. */
void record_delete_half(const char *dir, const char *file, uint64_t netns);
