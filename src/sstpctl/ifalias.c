/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sstpcd-ifalias: IF-MIB::ifAlias for Net-SNMP's agent, which does not read the kernel's interface aliases
 * itself. In snmpd.conf:
 *
 *     pass_persist -p 100 .1.3.6.1.2.1.31.1.1.1.18 /usr/libexec/sstpcd/sstpcd-ifalias
 *
 * The protocol is that of snmpd.conf(5): PING, get, getnext and set on standard input, a line each. Reads
 * sysfs only, so it needs no rights; the descriptions of our interfaces are their aliases.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "config/utf8.h"

#define COLUMN	  ".1.3.6.1.2.1.31.1.1.1.18"
#define NET_DIR	  "/sys/class/net"
#define LINE_SIZE 1024

/* The first line of /sys/class/net/NAME/FILE; "" if there is none. */
static void read_attribute(const char *name, const char *file, char *out, size_t size)
{
	char path[512];

	out[0] = 0;
	(void)snprintf(path, sizeof(path), "%s/%s/%s", NET_DIR, name, file);
	FILE *f = fopen(path, "re");
	if (!f)
		return;
	if (!fgets(out, (int)size, f))
		out[0] = 0;
	(void)fclose(f);
	out[strcspn(out, "\n")] = 0;
}

/*
 * The interface with this index, or (next) the one with the smallest index above it. Its index, 0 if there is
 * none; its name in `name`.
 */
static uint32_t find_interface(uint32_t index, bool next, char *name, size_t size)
{
	DIR *dir = opendir(NET_DIR);
	uint32_t best = 0, found;

	for (const struct dirent *entry; dir && (entry = readdir(dir));) {
		char text[32];
		if (entry->d_name[0] == '.')
			continue;
		read_attribute(entry->d_name, "ifindex", text, sizeof(text));
		if (parse_u32(text, 1, INT32_MAX, &found) < 0)
			continue;
		if (next ? found > index && (!best || found < best) : found == index) {
			best = found;
			(void)snprintf(name, size, "%s", entry->d_name);
		}
	}
	if (dir)
		(void)closedir(dir);
	return best;
}

/* Where an OID stands to the column: −1 before it, 0 at it or in it (*ret_index: the first number behind), 1
 * after it. */
static int place_of(const char *oid, uint32_t *ret_index)
{
	const char *column = COLUMN;

	*ret_index = 0;
	while (*column == '.') {
		uint32_t want, is;
		char part[16];
		size_t len = strcspn(++column, ".");
		(void)snprintf(part, sizeof(part), "%.*s", (int)len, column);
		(void)parse_u32(part, 0, UINT32_MAX, &want);
		column += len;
		if (*oid != '.')
			return -1; /* a part of the column's own path */
		len = strcspn(++oid, ".");
		(void)snprintf(part, sizeof(part), "%.*s", (int)len, oid);
		if (parse_u32(part, 0, UINT32_MAX, &is) < 0)
			return 1;
		oid += len;
		if (is != want)
			return is < want ? -1 : 1;
	}
	if (*oid == '.') {
		char part[16];
		(void)snprintf(part, sizeof(part), "%.*s", (int)strcspn(oid + 1, "."), oid + 1);
		if (parse_u32(part, 0, INT32_MAX, ret_index) < 0)
			*ret_index = INT32_MAX;
	}
	return 0;
}

/* Exactly COLUMN.INDEX? */
static bool is_instance(const char *oid)
{
	size_t len = strlen(COLUMN);

	return strncmp(oid, COLUMN ".", len + 1) == 0 && oid[len + 1] && !strchr(oid + len + 1, '.');
}

static void answer(const char *oid, bool next)
{
	char name[256], alias[512];
	uint32_t index = 0, found = 0;
	int place = place_of(oid, &index);

	if (next && place <= 0)
		found = find_interface(place < 0 ? 0 : index, true, name, sizeof(name));
	else if (!next && place == 0 && is_instance(oid))
		found = find_interface(index, false, name, sizeof(name));
	if (!found) {
		printf("NONE\n");
		return;
	}
	read_attribute(name, "ifalias", alias, sizeof(alias));
	for (size_t i = 0, step; alias[i]; i += step) {
		step = printable_length(alias + i);
		if (step == 0) { /* nothing that could be taken for another line */
			alias[i] = '.';
			step = 1;
		}
	}
	printf("%s.%u\nstring\n%s\n", COLUMN, found, alias);
}

static bool read_line(char *line)
{
	if (!fgets(line, LINE_SIZE, stdin))
		return false;
	line[strcspn(line, "\r\n")] = 0;
	return true;
}

int main(void)
{
	char line[LINE_SIZE], argument[LINE_SIZE], value[LINE_SIZE];

	while (read_line(line)) {
		if (strcmp(line, "PING") == 0)
			printf("PONG\n");
		else if ((strcmp(line, "get") == 0 || strcmp(line, "getnext") == 0) && read_line(argument))
			answer(argument, line[3] == 'n');
		else if (strcmp(line, "set") == 0 && read_line(argument) && read_line(value))
			printf("not-writable\n");
		else
			printf("NONE\n");
		(void)fflush(stdout);
	}
	return 0;
}
