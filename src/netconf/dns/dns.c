/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netconf/dns/dns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "netconf/dns/resolvconf.h"
#include "netconf/dns/resolved.h"

/* Where the path leads in the end, or "". */
static const char *real_path(const char *path, char out[static PATH_MAX])
{
	if (!realpath(path, out))
		out[0] = 0;
	return out;
}

/* resolved's stub listens on 127.0.0.53; a resolv.conf that was copied instead of linked names it, too. */
static bool names_resolved_stub(const char *resolv_conf)
{
	char text[4096];
	_cleanup_close_ int fd = open(resolv_conf, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	text[MAX(n, 0)] = 0;
	return strstr(text, "\nnameserver 127.0.0.53\n") || strncmp(text, "nameserver 127.0.0.53\n", 22) == 0;
}

enum net_dns_backend dns_probe(const char *resolv_conf)
{
	char target[PATH_MAX], program[PATH_MAX];

	real_path(resolv_conf, target);
	bool resolved = strncmp(target, "/run/systemd/resolve/", 21) == 0 || names_resolved_stub(resolv_conf);
	if (resolved && child_program_exists("resolvectl"))
		return NET_DNS_RESOLVED;

	real_path("/sbin/resolvconf", program);
	if (!program[0] || strcmp(strrchr(program, '/'), "/resolvectl") == 0)
		return NET_DNS_FILE;
	if (access("/lib/resolvconf/list-records", X_OK) == 0)
		return strncmp(target, "/run/resolvconf/", 16) == 0 ? NET_DNS_RESOLVCONF : NET_DNS_FILE;
	return NET_DNS_OPENRESOLV;
}

bool dns_is_installed(enum net_dns_backend backend, const char *resolv_conf, uint32_t ifindex,
		      const struct dns_servers *dns)
{
	switch (backend) {
	case NET_DNS_RESOLVED:
		return dns_resolved_is_installed(ifindex);
	case NET_DNS_RESOLVCONF:
	case NET_DNS_OPENRESOLV:
		return dns_resolvconf_is_installed(dns);
	case NET_DNS_FILE:
		return dns_file_is_installed(resolv_conf, dns);
	case NET_DNS_NONE:
	case _NET_DNS_BACKEND_MAX:
		break;
	}
	return false;
}

bool dns_command(enum net_dns_backend backend, bool set, unsigned step, const struct dns_servers *dns,
		 struct dns_command *ret)
{
	*ret = (struct dns_command){ .may_fail = false };
	switch (backend) {
	case NET_DNS_RESOLVED:
		return dns_resolved_command(set, step, dns, ret);
	case NET_DNS_RESOLVCONF:
	case NET_DNS_OPENRESOLV:
		return dns_resolvconf_command(set, step, dns, ret);
	case NET_DNS_FILE:
	case NET_DNS_NONE:
	case _NET_DNS_BACKEND_MAX:
		break;
	}
	return false;
}
