/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debian's resolvconf and openresolv: one program name, two programs, the same two commands. */
#include "netconf/dns/resolvconf.h"

#include <stdio.h>

#include "base/macro.h"

#define RECORD_SIZE (IFNAMSIZ + 8)

/*
 * Both sort records by their names: Debian's resolvconf by /etc/resolvconf/interface-order, where "vpn*"
 * stands before every network card, openresolv by dynamic_order, where "vpn" stands before all that is not
 * named there. (openresolv's metrics only order what has one, behind all that has none.)
 */
static void record_name(const char *ifname, char *out, size_t size)
{
	(void)snprintf(out, size, "vpn.%s", ifname);
}

bool dns_resolvconf_command(bool set, unsigned step, const struct dns_servers *dns, struct dns_command *ret)
{
	size_t len = 0;

	if (step > 0)
		return false;
	record_name(dns->ifname, ret->words[0], sizeof(ret->words[0]));
	ret->argv[0] = "resolvconf";
	ret->argv[1] = set ? "-a" : "-d";
	ret->argv[2] = ret->words[0];
	for (size_t i = 0; set && i < dns->n; i++) {
		char addr[INET6_ADDRSTRLEN];

		len += (size_t)snprintf(ret->input + len, sizeof(ret->input) - len, "nameserver %s%s%s\n",
					net_addr_format(&dns->servers[i], addr),
					net_addr_needs_zone(&dns->servers[i]) ? "%" : "",
					net_addr_needs_zone(&dns->servers[i]) ? dns->ifname : "");
	}
	ret->may_fail = !set;
	return true;
}

bool dns_resolvconf_is_installed(const struct dns_servers *dns)
{
	/* Debian's; openresolv's up to 3.13, and from 3.14. */
	static const char *const directories[] = { "interface", "interfaces", "keys" };
	char record[RECORD_SIZE], path[RECORD_SIZE + 32];

	record_name(dns->ifname, record, sizeof(record));
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		(void)snprintf(path, sizeof(path), "/run/resolvconf/%s/%s", directories[i], record);
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}
