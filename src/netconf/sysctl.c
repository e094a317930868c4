/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netconf/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ip.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/parse.h"

#define PATH_SIZE 96

struct sysctl_row {
	const char *family, *file;
	bool all; /* the value for `all` instead of the interface's */
	const char *key;
	uint16_t ipv4_index;
};

static const struct sysctl_row rows[_NET_SYSCTL_MAX] = {
	[NET_SYSCTL_IGNORE_LINKDOWN4] = { "ipv4", "ignore_routes_with_linkdown", false, "ignore-linkdown4",
					  IPV4_DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN },
	[NET_SYSCTL_IGNORE_LINKDOWN6] = { "ipv6", "ignore_routes_with_linkdown", false, "ignore-linkdown6" },
	[NET_SYSCTL_FORWARDING] = { "ipv4", "forwarding", false, "forwarding", IPV4_DEVCONF_FORWARDING },
	[NET_SYSCTL_RP_FILTER] = { "ipv4", "rp_filter", false, "rp-filter", IPV4_DEVCONF_RP_FILTER },
	[NET_SYSCTL_PROMOTE] = { "ipv4", "promote_secondaries", false, "promote-secondaries",
				 IPV4_DEVCONF_PROMOTE_SECONDARIES },
	[NET_SYSCTL_ACCEPT_RA] = { "ipv6", "accept_ra", false, "accept-ra" },
	[NET_SYSCTL_ACCEPT_RA_DEFRTR] = { "ipv6", "accept_ra_defrtr", false, "accept-ra-defrtr" },
	[NET_SYSCTL_RA_DEFRTR_METRIC] = { "ipv6", "ra_defrtr_metric", false, "ra-defrtr-metric" },
	[NET_SYSCTL_RA_RTR_PREF] = { "ipv6", "accept_ra_rtr_pref", false, "accept-ra-rtr-pref" },
	[NET_SYSCTL_IPV6_MTU] = { "ipv6", "mtu", false, "mtu" },
	[NET_SYSCTL_DISABLE_IPV6] = { "ipv6", "disable_ipv6", false, "disable-ipv6" },
	[NET_SYSCTL_ALL_FORWARDING] = { "ipv4", "forwarding", true, "all-forwarding" },
	[NET_SYSCTL_ALL_RP_FILTER] = { "ipv4", "rp_filter", true, "all-rp-filter" },
};

const char *sysctl_key_name(enum net_sysctl key)
{
	return rows[key].key;
}

void sysctl_path(const char *ifname, enum net_sysctl key, char *out, size_t size)
{
	(void)snprintf(out, size, "%s/conf/%s/%s", rows[key].family, rows[key].all ? "all" : ifname,
		       rows[key].file);
}

static int open_value(const char *ifname, enum net_sysctl key, int flags)
{
	char name[PATH_SIZE], path[PATH_SIZE + 16];

	/* A name that is a path element would lead elsewhere. */
	if (!is_interface_name(ifname))
		return -EINVAL;
	sysctl_path(ifname, key, name, sizeof(name));
	(void)snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	int fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static struct net_sysctl_value read_value(const char *ifname, enum net_sysctl key)
{
	char text[16];
	uint32_t value;

	_cleanup_close_ int fd = open_value(ifname, key, O_RDONLY);
	if (fd < 0)
		return (struct net_sysctl_value){ .present = false };
	ssize_t n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return (struct net_sysctl_value){ .present = false };
	text[n] = 0;
	text[strcspn(text, "\n")] = 0;
	if (parse_u32(text, 0, UINT32_MAX, &value) < 0)
		return (struct net_sysctl_value){ .present = false }; /* a negative value: not one of ours */
	return (struct net_sysctl_value){ .present = true, .value = value };
}

void sysctl_read_all(const char *ifname, struct net_sysctl_value ret[static _NET_SYSCTL_MAX])
{
	for (enum net_sysctl key = 0; key < _NET_SYSCTL_MAX; key++)
		ret[key] = read_value(ifname, key);
}

bool sysctl_filters_strictly(const char *ifname)
{
	struct net_sysctl_value own = read_value(ifname, NET_SYSCTL_RP_FILTER),
				all = read_value(ifname, NET_SYSCTL_ALL_RP_FILTER);

	return MAX(own.present ? own.value : 0, all.present ? all.value : 0) == 1;
}

int sysctl_write_value(const char *ifname, enum net_sysctl key, uint32_t value)
{
	char text[16];

	_cleanup_close_ int fd = open_value(ifname, key, O_WRONLY);
	if (fd < 0)
		return fd;
	int n = snprintf(text, sizeof(text), "%u\n", value);
	/* Linux 6.1 answers 1 to a change of ipv6/ignore_routes_with_linkdown, whatever the length: it was
	 * taken. */
	return write(fd, text, (size_t)n) > 0 ? 0 : -errno;
}

uint16_t sysctl_ipv4_index(enum net_sysctl key)
{
	return rows[key].ipv4_index;
}

bool sysctl_is_read_only(void)
{
	struct statvfs fs;

	return statvfs("/proc/sys/net", &fs) == 0 && fs.f_flag & ST_RDONLY;
}
