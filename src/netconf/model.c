/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netconf/model.h"

#include <arpa/inet.h>
#include <string.h>

bool net_addr_equal(const struct net_addr *a, const struct net_addr *b)
{
	if (a->family != b->family)
		return false;
	switch (a->family) {
	case AF_INET:
		return a->in.s_addr == b->in.s_addr;
	case AF_INET6:
		return memcmp(&a->in6, &b->in6, sizeof(a->in6)) == 0;
	default:
		return true;
	}
}

bool net_addr_needs_zone(const struct net_addr *addr)
{
	return addr->family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&addr->in6);
}

const char *net_addr_format(const struct net_addr *addr, char *out)
{
	const void *bytes = addr->family == AF_INET ? (const void *)&addr->in : &addr->in6;

	if ((addr->family != AF_INET && addr->family != AF_INET6) ||
	    !inet_ntop(addr->family, bytes, out, INET6_ADDRSTRLEN))
		strncpy(out, "none", INET6_ADDRSTRLEN);
	return out;
}

bool net_server_route_equal(const struct net_server_route *a, const struct net_server_route *b)
{
	if (a->dst.family == AF_UNSPEC && b->dst.family == AF_UNSPEC)
		return true;
	return net_addr_equal(&a->dst, &b->dst) && net_addr_equal(&a->via, &b->via) &&
	       a->ifindex == b->ifindex && a->metric == b->metric;
}

const char *net_dns_backend_name(enum net_dns_backend backend)
{
	switch (backend) {
	case NET_DNS_RESOLVED:
		return "systemd-resolved";
	case NET_DNS_RESOLVCONF:
		return "resolvconf";
	case NET_DNS_OPENRESOLV:
		return "openresolv";
	case NET_DNS_FILE:
		return "file";
	case NET_DNS_NONE:
	case _NET_DNS_BACKEND_MAX:
		break;
	}
	return "none";
}

bool net_record_is_empty(const struct net_record *record)
{
	for (size_t i = 0; i < _NET_SYSCTL_WRITTEN; i++)
		if (record->sysctl[i].held)
			return false;
	return record->local.s_addr == INADDR_ANY && IN6_IS_ADDR_UNSPECIFIED(&record->link_local) &&
	       record->server.dst.family == AF_UNSPEC && !record->nft && record->dns_backend == NET_DNS_NONE;
}
