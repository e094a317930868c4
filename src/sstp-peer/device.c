/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "device.h"

#include <errno.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/macro.h"

static int set(int fd, unsigned long request, struct ifreq *ifr)
{
	return ioctl(fd, request, ifr) < 0 ? -errno : 0;
}

static int set_address(int fd, unsigned long request, struct ifreq *ifr, struct in_addr address)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = address };

	memcpy(&ifr->ifr_addr, &in, sizeof(in));
	return set(fd, request, ifr);
}

int device_configure(const char *name, struct in_addr local, struct in_addr peer, uint16_t mtu)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { 0 };
	int r;

	if (fd < 0)
		return -errno;
	(void)snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	ifr.ifr_mtu = mtu;
	r = set(fd, SIOCSIFMTU, &ifr);
	if (r == 0)
		r = set_address(fd, SIOCSIFADDR, &ifr, local);
	if (r == 0)
		r = set_address(fd, SIOCSIFDSTADDR, &ifr, peer);
	if (r == 0)
		r = set_address(fd, SIOCSIFNETMASK, &ifr, (struct in_addr){ .s_addr = INADDR_BROADCAST });
	if (r == 0)
		r = set(fd, SIOCGIFFLAGS, &ifr);
	if (r < 0)
		return r;
	ifr.ifr_flags = (short)(ifr.ifr_flags | IFF_UP);
	return set(fd, SIOCSIFFLAGS, &ifr);
}

int device_add_link_local(uint32_t ifindex, const uint8_t id[static 8])
{
	_cleanup_close_ int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct in6_ifreq ifr = { .ifr6_prefixlen = 64, .ifr6_ifindex = (int)ifindex };

	if (fd < 0)
		return -errno;
	ifr.ifr6_addr.s6_addr[0] = 0xfe;
	ifr.ifr6_addr.s6_addr[1] = 0x80;
	memcpy(&ifr.ifr6_addr.s6_addr[8], id, 8);
	return ioctl(fd, SIOCSIFADDR, &ifr) < 0 && errno != EEXIST ? -errno : 0;
}
