/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debian's resolvconf and openresolv: one program name, two programs, the same two commands. */
#include "netconf/dns/resolvconf.h"

#include <stdio.h>
#include <string.h>

#include "base/macro.h"

#define RECORD_SIZE (IFNAMSIZ + 16)

/*
 * Debian's resolvconf sorts records by their names (/etc/resolvconf/interface-order): "tun*" stands before
 * every network card. openresolv sorts by metric.
 */
static void record_name(bool openresolv, const char *ifname, char *out, size_t size)
{
	(void)snprintf(out, size, openresolv ? "%s.sstpcd" : "tun.%s.sstpcd", ifname);
}

bool dns_resolvconf_command(bool openresolv, bool set, unsigned step, const struct dns_servers *dns,
			    struct dns_command *ret)
{
	const char **argv = ret->argv;
	unsigned n = 0;
	size_t len = 0;

	if (step > 0)
		return false;
	record_name(openresolv, dns->ifname, ret->words[0], sizeof(ret->words[0]));
	argv[n++] = "resolvconf";
	argv[n++] = set ? "-a" : "-d";
	argv[n++] = ret->words[0];
	if (openresolv && set) {
		argv[n++] = "-m";
		argv[n++] = "0";
	}
	for (size_t i = 0; set && i < dns->n; i++) {
		char addr[INET6_ADDRSTRLEN];

		len += (size_t)snprintf(ret->input + len, sizeof(ret->input) - len, "nameserver %s\n",
					net_addr_format(&dns->servers[i], addr));
	}
	ret->may_fail = !set;
	return true;
}

bool dns_resolvconf_is_installed(const struct dns_servers *dns)
{
	/* Debian's; openresolv's up to 3.13, and from 3.14. */
	static const char *const directories[] = { "interface", "interfaces", "keys" };
	char record[RECORD_SIZE], path[RECORD_SIZE + 32];

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		record_name(i > 0, dns->ifname, record, sizeof(record));
		(void)snprintf(path, sizeof(path), "/run/resolvconf/%s/%s", directories[i], record);
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}
