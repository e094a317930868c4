/* SPDX-License-Identifier: GPL-2.0-or-later */
/* systemd-resolved keeps resolvers per link and forgets them when the link goes. */
#include "netconf/dns/resolved.h"

#include <stdio.h>

#define STATE_DIRECTORY "/run/systemd/resolve/netif"

bool dns_resolved_command(bool set, unsigned step, const struct dns_servers *dns, struct dns_command *ret)
{
	const char **argv = ret->argv;
	unsigned n = 0;

	argv[n++] = "resolvectl";
	if (!set) {
		if (step > 0)
			return false;
		argv[n++] = "revert";
		argv[n++] = dns->ifname;
		ret->may_fail = true; /* the link may be gone */
		return true;
	}
	switch (step) {
	case 0:
		argv[n++] = "dns";
		argv[n++] = dns->ifname;
		for (size_t i = 0; i < dns->n; i++)
			argv[n++] = net_addr_format(&dns->servers[i], ret->words[i]);
		return true;
	case 1:
		/* All names are asked here, as with a resolv.conf that names only these resolvers. */
		argv[n++] = "domain";
		argv[n++] = dns->ifname;
		argv[n++] = "~.";
		return true;
	case 2:
		argv[n++] = "default-route";
		argv[n++] = dns->ifname;
		argv[n++] = "yes";
		return true;
	default:
		return false;
	}
}

bool dns_resolved_is_installed(uint32_t ifindex)
{
	char path[64];

	(void)snprintf(path, sizeof(path), STATE_DIRECTORY "/%u", ifindex);
	return access(path, F_OK) == 0;
}
