/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel and the resolver should look like for ONE interface, what they do look like, and what we
 * have put there. Plain values without pointers: they can be copied, compared and made up by tests.
 *
 * Ownership is told by tags, never guessed: routes carry NET_ROUTE_PROTOCOL, nft rules live in a table of the
 * interface's own (net_nft_table_name()), sysctl values, addresses and resolver entries are in `net_record`.
 * Whatever carries no tag is foreign and is never changed or removed.
 */
#pragma once

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

#define NET_DESCRIPTION_MAX 255
#define NET_DNS_MAX	    4 /* resolvers taken from one peer: IPCP tells two, router advertisements more */
#define NET_ROUTE_PROTOCOL  115 /* rtm_protocol of every route of ours; no routing daemon uses it */
#define NET_METRIC_DEFAULT  210
#define NET_IPV6_MTU_MIN    1280 /* RFC 8200 §5: below it the kernel deletes all IPv6 of the interface */

struct net_addr {
	int family; /* AF_INET, AF_INET6; AF_UNSPEC = none */
	union {
		struct in_addr in;
		struct in6_addr in6;
	};
};

bool net_addr_equal(const struct net_addr *a, const struct net_addr *b);
/* A link-local address of IPv6 says nothing without the interface behind it: "fe80::1%sstpc0" (RFC 4007). */
bool net_addr_needs_zone(const struct net_addr *addr);
/* "192.0.2.1", "2001:db8::1", "none"; `out` has at least INET6_ADDRSTRLEN bytes. Returns `out`. */
const char *net_addr_format(const struct net_addr *addr, char *out);

enum net_default_route {
	NET_DEFAULT_NONE,   /* no-default-route */
	NET_DEFAULT_METRIC, /* 0.0.0.0/0 with `metric`; IPv6 by router advertisement with the same metric */
	NET_DEFAULT_HALVES, /* `quick`: 0.0.0.0/1 + 128.0.0.0/1, and ::/1 + 8000::/1 once a global IPv6
			       address is there: they win over every other default route without touching it
			     */
};

enum net_mss {
	NET_MSS_NONE,
	NET_MSS_VALUE, /* `mss_value` bytes in SYN and SYN-ACK that leave by the interface; lowers only */
	NET_MSS_CLAMP, /* the route's MTU − 40 (IPv6: − 60) */
};

enum net_source_validation {
	NET_SV_UNSET, /* the system's own setting */
	NET_SV_STRICT,
	NET_SV_LOOSE,
	NET_SV_DISABLE,
};

/*
 * A route to the server beside the tunnel. The outer connection needs none, it is bound to its device; but a
 * device with strict reverse path filtering (RFC 3704 §2.2) drops what comes from an address that the default
 * route leads to elsewhere.
 */
struct net_server_route {
	struct net_addr dst; /* IPv4, which alone has such a filter; AF_UNSPEC = no route */
	struct net_addr via; /* AF_UNSPEC = on the link */
	uint32_t ifindex;
	uint32_t metric;
};
bool net_server_route_equal(const struct net_server_route *a, const struct net_server_route *b);

/* All zero but the name is a valid wish: an existing device, admin down, with nothing on it. */
struct net_desired {
	char name[IFNAMSIZ];
	char description[NET_DESCRIPTION_MAX + 1]; /* ifalias; "" = none */
	bool admin_up;				   /* false for `disable` */
	uint32_t mtu;				   /* in force, bytes; 0 = leave as it is */
	char vrf[IFNAMSIZ];			   /* "" = none */

	/* Carrier: the session is up. Without it the IPv4 address and the routes stay but attract nothing;
	 * the link-local address and the resolvers go. */
	bool carrier;

	struct in_addr local, peer; /* local INADDR_ANY = no IPv4; peer INADDR_ANY = not told */
	struct in6_addr link_local; /* from the IPV6CP identifier (RFC 5072 §5); :: = no IPv6 */
	enum net_default_route default_route;
	uint32_t metric; /* the configured distance, 1–255 */
	struct net_server_route
		server; /* also before there is a carrier: the answer to a SYN is filtered, too */

	struct net_addr dns[NET_DNS_MAX]; /* resolvers the peer told */
	size_t n_dns;
	bool use_peer_dns; /* false for `no-peer-dns` */

	enum net_mss mss;
	uint16_t mss_value;
	bool disable_forwarding; /* false = the system's own value */
	enum net_source_validation source_validation;
};

/* The values of /proc/sys/net that we write or judge. Rows: sysctl.c. */
enum net_sysctl {
	NET_SYSCTL_IGNORE_LINKDOWN4,			/* ipv4/conf/X/ignore_routes_with_linkdown */
	NET_SYSCTL_FORWARDING,				/* ipv4/conf/X/forwarding */
	NET_SYSCTL_RP_FILTER,				/* ipv4/conf/X/rp_filter */
	NET_SYSCTL_PROMOTE,				/* ipv4/conf/X/promote_secondaries */
	_NET_SYSCTL_IPV6,				/* the rows above can be set by rtnetlink, too */
	NET_SYSCTL_IGNORE_LINKDOWN6 = _NET_SYSCTL_IPV6, /* ipv6/conf/X/ignore_routes_with_linkdown */
	NET_SYSCTL_ACCEPT_RA,				/* ipv6/conf/X/accept_ra */
	NET_SYSCTL_ACCEPT_RA_DEFRTR,			/* ipv6/conf/X/accept_ra_defrtr */
	NET_SYSCTL_RA_DEFRTR_METRIC,			/* ipv6/conf/X/ra_defrtr_metric; Linux 5.12 */
	NET_SYSCTL_RA_RTR_PREF,				/* ipv6/conf/X/accept_ra_rtr_pref */
	NET_SYSCTL_IPV6_MTU,				/* ipv6/conf/X/mtu; not held, only put right */
	_NET_SYSCTL_WRITTEN, /* the rows above are written by us, those below only read */
	NET_SYSCTL_DISABLE_IPV6 = _NET_SYSCTL_WRITTEN, /* ipv6/conf/X/disable_ipv6 */
	NET_SYSCTL_ALL_FORWARDING, /* ipv4/conf/all/forwarding, the same as ipv4/ip_forward */
	NET_SYSCTL_ALL_RP_FILTER,  /* ipv4/conf/all/rp_filter: the kernel applies max(all, X) */
	_NET_SYSCTL_MAX,
};

struct net_sysctl_value {
	bool present; /* false: this kernel or this interface has no such file */
	uint32_t value;
};

struct net_sysctl_record {
	bool held;
	uint32_t ours; /* what we wrote */
	uint32_t old;  /* what to give back */
	uint32_t base; /* forwarding: the value for `all` when `old` was noted. Writing it resets every
			  interface [V], so after a change of `all` the value to give back is the new one of
			  `all` */
};

enum net_dns_backend {
	NET_DNS_NONE,
	NET_DNS_RESOLVED,   /* systemd-resolved by resolvectl */
	NET_DNS_RESOLVCONF, /* Debian's resolvconf */
	NET_DNS_OPENRESOLV,
	NET_DNS_FILE, /* /etc/resolv.conf itself */
	_NET_DNS_BACKEND_MAX,
};
const char *net_dns_backend_name(enum net_dns_backend backend); /* "systemd-resolved", …; "none" */

/* What we have put on one interface; kept in RUN_DIR/net/NAME so that it survives a crash and a re-exec. */
struct net_record {
	struct net_sysctl_record sysctl[_NET_SYSCTL_WRITTEN];
	struct in_addr local, peer; /* the address we added; INADDR_ANY = none */
	struct in6_addr link_local; /* :: = none */
	struct net_server_route server;
	bool nft;			  /* our table exists, or may exist */
	enum net_dns_backend dns_backend; /* where our resolvers were put; NET_DNS_NONE = nowhere */
	struct net_addr dns[NET_DNS_MAX];
	size_t n_dns;
};
/* True if nothing of ours is recorded. */
bool net_record_is_empty(const struct net_record *record);

#define NET_NFT_TAG_MAX		64
#define NET_OBSERVED_ADDRS_MAX	64
#define NET_OBSERVED_ROUTES_MAX 64

struct net_observed_addr {
	int family;
	struct net_addr local, peer; /* peer = local where the kernel tells none */
	uint8_t prefix_len;
	bool dynamic; /* made by the kernel from a router advertisement */
};

struct net_route {
	struct net_addr dst; /* the zero address with prefix_len 0 for a default route */
	uint8_t prefix_len;
	uint32_t table;
	uint32_t metric;
	uint8_t protocol;
	uint8_t type; /* RTN_UNICAST, RTN_UNREACHABLE, … */
	uint32_t ifindex;
	struct net_addr via;   /* AF_UNSPEC = no gateway */
	char device[IFNAMSIZ]; /* of `ifindex`; "" = unknown */
	bool dead;	       /* RTNH_F_DEAD, or linkdown on a device that ignores such routes */
};

/* The state of the kernel as far as one interface is concerned. */
struct net_observed {
	bool exists;
	uint32_t ifindex;
	char description[NET_DESCRIPTION_MAX + 1];
	bool admin_up, carrier;
	uint32_t mtu;
	uint32_t master; /* ifindex; 0 = none */

	bool vrf_exists; /* the VRF that is wished for */
	uint32_t vrf_ifindex, vrf_table;
	uint32_t table; /* where the interface's routes belong at present: main, or its VRF's */

	struct net_observed_addr addrs[NET_OBSERVED_ADDRS_MAX];
	size_t n_addrs;
	/* Routes of ours on this interface, its router-advertised default routes, and every other route with
	 * the destination of a default route (or half) of ours. In the kernel's order of preference. */
	struct net_route routes[NET_OBSERVED_ROUTES_MAX];
	size_t n_routes;
	/* IPv4, IPv6: the default route (or half) of a table that rules have the kernel search before ours;
	 * of type RTN_UNSPEC if there is none, or we have none. */
	struct net_route by_rule[2];
	bool server_route_there;   /* that of the record */
	bool server_route_refused; /* by the kernel, a moment ago */

	struct net_sysctl_value sysctl[_NET_SYSCTL_MAX];
	bool sysctl_read_only; /* /proc/sys is, as in a container: those of IPv6 stay as they are */

	bool nft;		       /* our table exists */
	char nft_tag[NET_NFT_TAG_MAX]; /* its comment: what the table does, see net_nft_tag() */

	enum net_dns_backend dns_backend; /* the one that manages this host's resolver at present */
	bool dns_intact;		  /* what net_record says about resolvers is still in place */
};
