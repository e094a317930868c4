/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plan in words: for logs, errors, people and tests. */
#include <linux/rtnetlink.h>
#include <stdio.h>

#include "netconf/plan.h"

static const char *const sysctl_names[_NET_SYSCTL_MAX] = {
	[NET_SYSCTL_IGNORE_LINKDOWN4] = "ipv4/ignore_routes_with_linkdown",
	[NET_SYSCTL_IGNORE_LINKDOWN6] = "ipv6/ignore_routes_with_linkdown",
	[NET_SYSCTL_FORWARDING] = "ipv4/forwarding",
	[NET_SYSCTL_RP_FILTER] = "ipv4/rp_filter",
	[NET_SYSCTL_PROMOTE] = "ipv4/promote_secondaries",
	[NET_SYSCTL_ACCEPT_RA] = "ipv6/accept_ra",
	[NET_SYSCTL_ACCEPT_RA_DEFRTR] = "ipv6/accept_ra_defrtr",
	[NET_SYSCTL_RA_DEFRTR_METRIC] = "ipv6/ra_defrtr_metric",
	[NET_SYSCTL_RA_RTR_PREF] = "ipv6/accept_ra_rtr_pref",
	[NET_SYSCTL_IPV6_MTU] = "ipv6/mtu",
	[NET_SYSCTL_DISABLE_IPV6] = "ipv6/disable_ipv6",
	[NET_SYSCTL_ALL_FORWARDING] = "ipv4/all/forwarding",
	[NET_SYSCTL_ALL_RP_FILTER] = "ipv4/all/rp_filter",
};

void net_nft_tag(const struct net_nft *nft, char out[static NET_NFT_TAG_MAX])
{
	const char *rpf = "";
	char mss[16] = "";

	switch (nft->mss) {
	case NET_MSS_NONE:
		break;
	case NET_MSS_VALUE:
		(void)snprintf(mss, sizeof(mss), "mss=%u", nft->mss_value);
		break;
	case NET_MSS_CLAMP:
		(void)snprintf(mss, sizeof(mss), "mss=clamp");
		break;
	}
	switch (nft->source_validation) {
	case NET_SV_STRICT:
		rpf = nft->in_vrf ? "rpf=strict-vrf" : "rpf=strict";
		break;
	case NET_SV_LOOSE:
		rpf = nft->in_vrf ? "rpf=loose-vrf" : "rpf=loose";
		break;
	case NET_SV_UNSET:
	case NET_SV_DISABLE:
		break;
	}
	(void)snprintf(out, NET_NFT_TAG_MAX, "%s%s%s", mss, mss[0] && rpf[0] ? " " : "", rpf);
}

static const char *route_type(uint8_t type)
{
	switch (type) {
	case RTN_BLACKHOLE:
		return "blackhole ";
	case RTN_UNREACHABLE:
		return "unreachable ";
	case RTN_PROHIBIT:
		return "prohibit ";
	case RTN_THROW:
		return "throw ";
	default:
		return "";
	}
}

void net_route_format(const struct net_route *r, char *out, size_t size)
{
	char dst[INET6_ADDRSTRLEN], via[INET6_ADDRSTRLEN], prefix[INET6_ADDRSTRLEN + 8],
		gateway[INET6_ADDRSTRLEN + 8];
	char device[IFNAMSIZ + 8], table[32];

	(void)snprintf(prefix, sizeof(prefix), "%s/%u", net_addr_format(&r->dst, dst), r->prefix_len);
	(void)snprintf(gateway, sizeof(gateway), " via %s", net_addr_format(&r->via, via));
	if (r->device[0])
		(void)snprintf(device, sizeof(device), " dev %s", r->device);
	else
		(void)snprintf(device, sizeof(device), " dev #%u", r->ifindex);
	(void)snprintf(table, sizeof(table), " table %u", r->table);
	(void)snprintf(out, size, "%s%s%s%s metric %u%s", route_type(r->type),
		       r->prefix_len == 0 ? "default" : prefix, r->via.family != AF_UNSPEC ? gateway : "",
		       r->ifindex ? device : "", r->metric, r->table != RT_TABLE_MAIN ? table : "");
}

static void format_addr(const char *verb, const struct net_op *op, char *out, size_t size)
{
	char addr[INET6_ADDRSTRLEN], peer[INET6_ADDRSTRLEN];

	net_addr_format(&op->addr, addr);
	net_addr_format(&op->peer, peer);
	if (net_addr_equal(&op->addr, &op->peer))
		(void)snprintf(out, size, "address %s %s/%u", verb, addr, op->prefix_len);
	else
		(void)snprintf(out, size, "address %s %s peer %s/%u", verb, addr, peer, op->prefix_len);
}

void net_op_format(const struct net_op *op, char *out, size_t size)
{
	char text[256];

	switch (op->kind) {
	case NET_OP_SYSCTL:
		(void)snprintf(out, size, "sysctl %s=%u", sysctl_names[op->sysctl], op->value);
		break;
	case NET_OP_ALIAS:
		(void)snprintf(out, size, "link alias");
		break;
	case NET_OP_MASTER:
		(void)snprintf(out, size, op->value ? "link master #%u" : "link nomaster", op->value);
		break;
	case NET_OP_MTU:
		(void)snprintf(out, size, "link mtu %u", op->value);
		break;
	case NET_OP_ADMIN:
		(void)snprintf(out, size, "link %s", op->value ? "up" : "down");
		break;
	case NET_OP_CARRIER:
		(void)snprintf(out, size, "link carrier %s", op->value ? "on" : "off");
		break;
	case NET_OP_ADDR_ADD:
		format_addr("add", op, out, size);
		break;
	case NET_OP_ADDR_DEL:
		format_addr("del", op, out, size);
		break;
	case NET_OP_ROUTE_ADD:
	case NET_OP_ROUTE_DEL:
		net_route_format(&op->route, text, sizeof(text));
		(void)snprintf(out, size, "route %s %s", op->kind == NET_OP_ROUTE_ADD ? "add" : "del", text);
		break;
	case NET_OP_NFT_SET:
		net_nft_tag(&op->nft, text);
		(void)snprintf(out, size, "nft %s", text);
		break;
	case NET_OP_NFT_DELETE:
		(void)snprintf(out, size, "nft delete");
		break;
	case NET_OP_DNS_SET:
		(void)snprintf(out, size, "resolvers set");
		break;
	case NET_OP_DNS_CLEAR:
		(void)snprintf(out, size, "resolvers clear");
		break;
	case _NET_OP_KIND_MAX:
		break;
	}
}

void net_notice_format(enum net_notice notice, const struct net_plan *plan, const struct net_desired *desired,
		       const struct net_observed *observed, char *out, size_t size)
{
	char route[192];

	switch (notice) {
	case NET_NOTICE_DEFAULT_NOT_ACTIVE:
		net_route_format(&plan->rival, route, sizeof(route));
		(void)snprintf(out, size, "default route installed, not active: %s is preferred", route);
		break;
	case NET_NOTICE_IPV6_DEFAULT_NOT_ACTIVE:
		net_route_format(&plan->rival6, route, sizeof(route));
		(void)snprintf(out, size, "IPv6 default route installed, not active: %s is preferred", route);
		break;
	case NET_NOTICE_SYSCTL_READ_ONLY:
		(void)snprintf(
			out, size,
			"/proc/sys is read-only, as in a container: router advertisements in the tunnel "
			"follow the system's own settings");
		break;
	case NET_NOTICE_VRF_MISSING:
		(void)snprintf(out, size, "VRF \"%s\" does not exist (yet): addresses and routes wait for it",
			       desired->vrf);
		break;
	case NET_NOTICE_MTU_NO_IPV6:
		(void)snprintf(out, size, "MTU %u is below %u: no IPv6",
			       desired->mtu ? desired->mtu : observed->mtu, NET_IPV6_MTU_MIN);
		break;
	case NET_NOTICE_IPV6_DISABLED:
		(void)snprintf(out, size, "IPv6 is disabled on this system (disable_ipv6)");
		break;
	case NET_NOTICE_RP_FILTER_OVERRIDES:
		(void)snprintf(
			out, size,
			"source validation is stricter than configured: net.ipv4.conf.all.rp_filter is %u",
			observed->sysctl[NET_SYSCTL_ALL_RP_FILTER].value);
		break;
	case NET_NOTICE_DNS_IN_VRF:
		(void)snprintf(
			out, size,
			"the peer's DNS servers are not installed: they are reachable in VRF \"%s\" only",
			desired->vrf);
		break;
	case NET_NOTICE_IPV6_BYPASSES:
		(void)snprintf(
			out, size,
			"IPv6 traffic does not use the tunnel: the server gave no IPv6, and this host has "
			"an IPv6 default route");
		break;
	case NET_NOTICE_SERVER_FILTERED:
		(void)snprintf(out, size,
			       "the kernel refuses a route to the server beside the tunnel, whose packets "
			       "are dropped where rp_filter is 1: set net.ipv4.conf.*.rp_filter to 2");
		break;
	case NET_NOTICE_MISSING:
		(void)snprintf(out, size, "interface %s does not exist", desired->name);
		break;
	}
}
