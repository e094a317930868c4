/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan(desired, observed, record) → operations: a pure function. No system calls, no clock, no memory.
 *
 * Some operations make the kernel drop other objects (enslaving and link down drop IPv6 and routes [V], an
 * MTU below 1280 deletes IPv6 [V]). The plan ends behind such an operation. So observe and plan anew until a
 * plan is empty: it comes to rest, for planning on the result of a whole plan gives an empty one.
 */
#pragma once

#include "netconf/model.h"

enum net_op_kind {
	NET_OP_SYSCTL,	 /* sysctl, value */
	NET_OP_ALIAS,	 /* text in net_desired.description, or "" in a teardown */
	NET_OP_MASTER,	 /* value = ifindex of the VRF, 0 = none */
	NET_OP_MTU,	 /* value */
	NET_OP_ADMIN,	 /* value = 0, 1 */
	NET_OP_CARRIER,	 /* value = 0, 1 */
	NET_OP_ADDR_ADD, /* addr, peer, prefix_len */
	NET_OP_ADDR_DEL,
	NET_OP_ROUTE_ADD, /* route; appended, never replacing */
	NET_OP_ROUTE_DEL,
	NET_OP_NFT_SET, /* nft: one transaction replaces our table */
	NET_OP_NFT_DELETE,
	NET_OP_DNS_SET,	  /* resolvers of the plan's record */
	NET_OP_DNS_CLEAR, /* from the backend in the record of before */
	_NET_OP_KIND_MAX,
};

/* What our nft table does. */
struct net_nft {
	enum net_mss mss;
	uint16_t mss_value;
	enum net_source_validation source_validation;
	bool in_vrf; /* the lookup of a source has to happen in the VRF's table */
};

struct net_op {
	enum net_op_kind kind;
	uint32_t value;
	enum net_sysctl sysctl;
	struct net_addr addr, peer;
	uint8_t prefix_len;
	struct net_route route;
	struct net_nft nft;
	bool to_server; /* the route beside the tunnel: where it is refused, the tunnel does without */
};

/* What a user should be told about the result; a set of bits. */
enum net_notice {
	NET_NOTICE_DEFAULT_NOT_ACTIVE = 1 << 0,	 /* another default route wins: net_plan.rival */
	NET_NOTICE_VRF_MISSING = 1 << 1,	 /* pending: the VRF does not exist (yet) */
	NET_NOTICE_MTU_NO_IPV6 = 1 << 2,	 /* the MTU is below 1280 */
	NET_NOTICE_IPV6_DISABLED = 1 << 3,	 /* disable_ipv6 = 1, or a kernel without IPv6 */
	NET_NOTICE_RP_FILTER_OVERRIDES = 1 << 4, /* conf.all.rp_filter is stricter than what was asked for */
	NET_NOTICE_DNS_IN_VRF = 1 << 5,		 /* resolvers in a VRF cannot serve the whole host */
	NET_NOTICE_IPV6_BYPASSES = 1 << 6, /* HALVES without IPv6 in the tunnel, but an IPv6 default route
					      beside it */
	NET_NOTICE_MISSING = 1 << 7,	   /* the device does not exist */
	NET_NOTICE_IPV6_DEFAULT_NOT_ACTIVE = 1 << 8, /* as the first, of IPv6: net_plan.rival6 */
	NET_NOTICE_SYSCTL_READ_ONLY = 1 << 9,	     /* values of IPv6 cannot be set */
	NET_NOTICE_SERVER_FILTERED = 1 << 10,	     /* the kernel refuses the route to the server */
};
#define NET_NOTICE_COUNT 11

#define NET_OPS_MAX (NET_OBSERVED_ADDRS_MAX + NET_OBSERVED_ROUTES_MAX + _NET_SYSCTL_WRITTEN + 32)

struct net_plan {
	struct net_op ops[NET_OPS_MAX];
	size_t n_ops;

	/* Write-ahead: save `claim` before the first operation, `record` after the last. */
	struct net_record claim, record;

	unsigned notices;	 /* enum net_notice */
	struct net_route rival;	 /* valid with NET_NOTICE_DEFAULT_NOT_ACTIVE */
	struct net_route rival6; /* … and NET_NOTICE_IPV6_DEFAULT_NOT_ACTIVE */
};

/* Parts of net_observed beside the link itself. */
enum net_need {
	NET_NEED_ADDRS = 1 << 0,
	NET_NEED_ROUTES = 1 << 1,
	NET_NEED_SYSCTL = 1 << 2,
	NET_NEED_NFT = 1 << 3,
	NET_NEED_DNS = 1 << 4,
};
/*
 * What the plan for this wish depends on: a set of enum net_need. The rest of `observed` may be left empty.
 * An interface that is disabled, or has no session yet, needs little, and there may be a thousand of them.
 */
unsigned net_plan_needs(const struct net_desired *desired, const struct net_record *record);

/* `desired` NULL: plan to nothing (teardown). */
void net_plan(const struct net_desired *desired, const struct net_observed *observed,
	      const struct net_record *record, struct net_plan *ret);

/*
 * One line for a person, for one bit of `notices`:
 *   "default route installed, not active: default via 192.0.2.1 dev eth0 metric 0 is preferred"
 */
void net_notice_format(enum net_notice notice, const struct net_plan *plan, const struct net_desired *desired,
		       const struct net_observed *observed, char *out, size_t size);
/* The comment of the table that does `nft`: "mss=1400 rpf=strict". "" if no table is needed. */
void net_nft_tag(const struct net_nft *nft, char out[static NET_NFT_TAG_MAX]);
/* "route add default dev sstpc0 metric 210 table 254": for logs, errors and tests. */
void net_op_format(const struct net_op *op, char *out, size_t size);
/* "default via 192.0.2.1 dev eth0 metric 0" */
void net_route_format(const struct net_route *route, char *out, size_t size);
