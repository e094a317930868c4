/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's network interfaces with all that `show` tells of them, read by rtnetlink at each question. */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "netconf/model.h"

#define LINK_ADDRESSES_MAX 32

/* Counters in the order of the table. */
enum link_counter {
	LINK_RX_BYTES,
	LINK_RX_PACKETS,
	LINK_RX_ERRORS,
	LINK_RX_DROPPED,
	LINK_RX_OVERRUN,
	LINK_RX_MULTICAST,
	LINK_TX_BYTES,
	LINK_TX_PACKETS,
	LINK_TX_ERRORS,
	LINK_TX_DROPPED,
	LINK_TX_CARRIER,
	LINK_TX_COLLISIONS,
	_LINK_COUNTERS,
};

struct link_address {
	struct net_addr local, peer, broadcast; /* AF_UNSPEC where there is none */
	uint8_t prefix_len, scope;
	uint32_t flags;
	char label[IFNAMSIZ];
	uint32_t valid, preferred; /* seconds; UINT32_MAX for ever */
};

struct link_info {
	uint32_t ifindex, flags, mtu, qlen, group, master;
	uint16_t type; /* ARPHRD_* */
	uint8_t operstate;
	char name[IFNAMSIZ], master_name[IFNAMSIZ], qdisc[IFNAMSIZ], alias[256], mac[64], broadcast[64];
	bool master_is_vrf;
	uint64_t counters[_LINK_COUNTERS];
	struct link_address addresses[LINK_ADDRESSES_MAX];
	size_t n_addresses;
};

struct links {
	struct link_info *items; /* sorted by name, as people count */
	size_t n, size;
};

/* Reads all, or (name ≠ NULL) one interface. 0, -ENODEV, or another negative errno. */
int links_read(struct links *ret, const char *name);
void links_done(struct links *l);
#define _cleanup_links_ _cleanup_(links_done)

/* As `ip addr show` prints it, without the index in front. */
void link_print(const struct link_info *l, struct text *out);
/* "192.0.2.5/32"; with a peer the prefix is the peer's. */
void link_address_print(const struct link_address *a, struct text *out);
/* "u/u", "A/D": admin state and link as VyOS counts them. */
const char *link_state(const struct link_info *l);
