/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The TUN device. Not persistent: it lives as long as its last descriptor. Looks as a PPP interface does:
 * link/ppp, <POINTOPOINT,MULTICAST,NOARP>.
 */
#pragma once

#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/macro.h"

/* Younger than the oldest kernel headers that we build with. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

/* What the kernel may hand us and we may hand the kernel, as in TUNSETOFFLOAD. */
enum tun_offload {
	TUN_OFFLOAD_CSUM = 1 << 0,
	TUN_OFFLOAD_TSO4 = 1 << 1,
	TUN_OFFLOAD_TSO6 = 1 << 2,
	TUN_OFFLOAD_USO = 1 << 3, /* IPv4 and IPv6; Linux 6.2 */
};
#define TUN_OFFLOAD_ALL (TUN_OFFLOAD_CSUM | TUN_OFFLOAD_TSO4 | TUN_OFFLOAD_TSO6 | TUN_OFFLOAD_USO)

/* A set of these as TUNSETOFFLOAD spells it: TUN_F_*. */
static inline uint32_t tun_offload_flags(unsigned offloads)
{
	return (offloads & TUN_OFFLOAD_CSUM ? (uint32_t)TUN_F_CSUM : 0) |
	       (offloads & TUN_OFFLOAD_TSO4 ? (uint32_t)TUN_F_TSO4 : 0) |
	       (offloads & TUN_OFFLOAD_TSO6 ? (uint32_t)TUN_F_TSO6 : 0) |
	       (offloads & TUN_OFFLOAD_USO ? (uint32_t)(TUN_F_USO4 | TUN_F_USO6) : 0);
}

/*
 * Packets that the device holds until they are read. The default of 500 is 4 ms of a stream of small packets:
 * the reader, which shares its processor with others, loses packets at 120,000 a second; with these at
 * 200,000. What waits in it while the kernel has enough to send (pump.c) is in nobody's way: TCP sees its own
 * packets wait (TSQ), and they are read before they are sent.
 */
#define TUN_RING 2000

/* Every packet on a descriptor with vnet_hdr starts with this header, native byte order. */
#define TUN_VNET_HDR_SIZE sizeof(struct virtio_net_hdr)

struct tun {
	int fd; /* non-blocking, close-on-exec */
	char name[IFNAMSIZ];
	uint32_t ifindex;
	bool vnet_hdr;	   /* false: packets without any header, no offload */
	unsigned offloads; /* enum tun_offload */
};

struct tun_options {
	const char *name;  /* "sstpc0" */
	bool no_vnet_hdr;  /* plain packets (tests, old kernels) */
	unsigned offloads; /* wanted; what the kernel lacks is left out */
	const char *path;  /* NULL = /dev/net/tun */
};

/*
 * Creates the device, without carrier and admin down. On failure nothing is left, and `failure` tells:
 * NO_TUN (the device node is missing or unusable), NO_PRIVILEGE, NAME_IN_USE, KERNEL_CONFIG. Negative errno.
 */
int tun_create(const struct tun_options *options, struct tun *ret, struct failure *failure);
/* Adopts an open descriptor of ours (after a re-exec): reads name and kind from it, and sets the offloads
 * again, which the kernel does not tell. -EINVAL if it is no TUN. */
int tun_adopt(int fd, unsigned offloads, struct tun *ret);
/* False when somebody has deleted the device: the descriptor leads nowhere then. */
bool tun_is_attached(const struct tun *tun);
/* Closes the descriptor; the device goes with the last one. */
void tun_close(struct tun *tun);

/* TUNSETCARRIER. Negative errno. */
int tun_set_carrier(int fd, bool on);
/* Reads and drops what is queued (at most `limit` packets): what an outage left is stale [V]. Call it before
 * the carrier goes on. Returns the number of packets. */
unsigned tun_drain(int fd, unsigned limit);
