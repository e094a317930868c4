/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* Younger than the oldest kernel headers that we build with. */
#ifndef IFF_NO_CARRIER
#define IFF_NO_CARRIER 0x0040
#endif

#define TUN_PATH "/dev/net/tun"

/* Sets as much of `wanted` as the kernel takes: it refuses a set with an unknown bit as a whole. Segmentation
 * without checksum offload is refused, too. Returns what is set. */
static unsigned set_offloads(int fd, unsigned wanted)
{
	const unsigned fallbacks[] = { wanted, wanted & ~(unsigned)TUN_OFFLOAD_USO,
				       wanted & (unsigned)TUN_OFFLOAD_CSUM };

	for (size_t i = 0; i < ARRAY_SIZE(fallbacks); i++)
		if (ioctl(fd, TUNSETOFFLOAD, (unsigned long)tun_offload_flags(fallbacks[i])) == 0)
			return fallbacks[i];
	return 0;
}

static int open_failed(const char *path, struct failure *failure)
{
	int error = errno;
	char why[80] = "";
	struct stat node;

	/* Root that may not open the node is in a container whose device policy forbids it. */
	bool privilege = (error == EACCES || error == EPERM) && geteuid() != 0;
	/* Where no udev set it up it is root's alone, and CAP_NET_ADMIN does not help. */
	if (privilege && stat(path, &node) == 0 && !(node.st_mode & S_IWOTH))
		(void)snprintf(why, sizeof(why),
			       " (its mode is %o; chmod 666 opens it to users with CAP_NET_ADMIN)",
			       node.st_mode & 07777U);
	failure_set(failure, privilege ? CAUSE_NO_PRIVILEGE : cause_unless_limit(CAUSE_NO_TUN, -error),
		    "open %s: %s%s", path, strerror(error), why);
	return -error;
}

static int create_failed(const char *path, const char *name, struct failure *failure)
{
	int error = errno;

	switch (error) {
	case EPERM:
	case EACCES:
		failure_set(failure, CAUSE_NO_PRIVILEGE, "create interface %s: %s", name, strerror(error));
		break;
	case EBUSY:
	case EEXIST:
		failure_set(failure, CAUSE_NAME_IN_USE, "%s exists already", name);
		break;
	case ENOTTY:
	case EBADFD:
		failure_set(failure, CAUSE_NO_TUN, "%s is not the TUN device", path);
		break;
	default:
		failure_set(failure, CAUSE_KERNEL_CONFIG, "create interface %s: %s", name, strerror(error));
		break;
	}
	return -error;
}

/* The kernel's own number of packets does as well: no reason to fail. */
static void set_ring(const char *name)
{
	struct ifreq ifr = { .ifr_qlen = TUN_RING };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(ifr.ifr_name, name, sizeof(ifr.ifr_name));
	if (fd >= 0)
		(void)ioctl(fd, SIOCSIFTXQLEN, &ifr);
}

int tun_create(const struct tun_options *options, struct tun *ret, struct failure *failure)
{
	const char *path = options->path ? options->path : TUN_PATH;
	struct ifreq ifr = { .ifr_flags = (short)(IFF_TUN | IFF_NO_PI | IFF_NO_CARRIER) };
	int hdr_size = TUN_VNET_HDR_SIZE;
	unsigned features = 0;
	struct tun tun = { .fd = -1 };

	if (strlen(options->name) >= sizeof(ifr.ifr_name)) {
		failure_set(failure, CAUSE_USAGE, "interface name \"%s\" is longer than %zu characters",
			    options->name, sizeof(ifr.ifr_name) - 1);
		return -ENAMETOOLONG;
	}
	_cleanup_close_ int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return open_failed(path, failure);

	if (ioctl(fd, TUNGETFEATURES, &features) == 0 && features & IFF_VNET_HDR && !options->no_vnet_hdr) {
		ifr.ifr_flags = (short)(ifr.ifr_flags | IFF_VNET_HDR);
		tun.vnet_hdr = true;
	}
	/* Never attach to a device that somebody else made persistent. */
	ifr.ifr_flags = (short)(ifr.ifr_flags | (short)IFF_TUN_EXCL);
	memcpy(ifr.ifr_name, options->name, strlen(options->name) + 1);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		return create_failed(path, options->name, failure);

	/* Kernels before 6.0 do not know IFF_NO_CARRIER. */
	(void)tun_set_carrier(fd, false);
	if (ioctl(fd, TUNSETLINK, (unsigned long)ARPHRD_PPP) < 0)
		return create_failed(path, options->name, failure);
	if (tun.vnet_hdr) {
		if (ioctl(fd, TUNSETVNETHDRSZ, &hdr_size) < 0)
			return create_failed(path, options->name, failure);
		tun.offloads = set_offloads(fd, options->offloads);
	}
	memcpy(tun.name, ifr.ifr_name, sizeof(tun.name));
	tun.ifindex = if_nametoindex(tun.name);
	if (tun.ifindex == 0)
		return create_failed(path, options->name, failure);
	set_ring(tun.name);
	tun.fd = TAKE_FD(fd);
	*ret = tun;
	return 0;
}

int tun_adopt(int fd, unsigned offloads, struct tun *ret)
{
	struct ifreq ifr = { 0 };
	struct tun tun = { .fd = fd };

	if (ioctl(fd, TUNGETIFF, &ifr) < 0 || !(ifr.ifr_flags & IFF_TUN))
		return -EINVAL;
	memcpy(tun.name, ifr.ifr_name, sizeof(tun.name));
	tun.ifindex = if_nametoindex(tun.name);
	if (tun.ifindex == 0)
		return -ENODEV;
	tun.vnet_hdr = ifr.ifr_flags & IFF_VNET_HDR;
	if (tun.vnet_hdr)
		tun.offloads = set_offloads(fd, offloads);
	*ret = tun;
	return 0;
}

bool tun_is_attached(const struct tun *tun)
{
	struct ifreq ifr = { 0 };

	return ioctl(tun->fd, TUNGETIFF, &ifr) == 0;
}

void tun_close(struct tun *tun)
{
	tun->fd = close_fd(tun->fd);
}

int tun_set_carrier(int fd, bool on)
{
	int carrier = on;

	return ioctl(fd, TUNSETCARRIER, &carrier) < 0 ? -errno : 0;
}

unsigned tun_drain(int fd, unsigned limit)
{
	uint8_t first[64]; /* the kernel drops what does not fit */
	unsigned n = 0;

	while (n < limit && read(fd, first, sizeof(first)) > 0)
		n++;
	return n;
}
