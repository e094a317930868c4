/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpcd/links.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/tree.h"
#include "netconf/rtnl.h"

#define LINKS_MAX 8192

struct reader {
	struct links *links;
	const char *only;
	int error;
};

void links_done(struct links *l)
{
	free(l->items);
	*l = (struct links){ 0 };
}

static void copy_text(char *out, size_t size, const struct nlattr *a)
{
	size_t len = MIN((size_t)mnl_attr_get_payload_len(a), size - 1);

	memcpy(out, mnl_attr_get_payload(a), len);
	out[len] = 0;
}

/* "aa:bb:…" */
static void format_mac(char *out, size_t size, const struct nlattr *a)
{
	_cleanup_text_ struct text t = { 0 };
	const uint8_t *bytes = mnl_attr_get_payload(a);

	for (size_t i = 0; i < mnl_attr_get_payload_len(a); i++)
		text_addf(&t, "%s%02x", i ? ":" : "", bytes[i]);
	(void)snprintf(out, size, "%s", text_str(&t));
}

static void read_counters(struct link_info *l, const struct nlattr *a)
{
	struct rtnl_link_stats64 s = { 0 };

	memcpy(&s, mnl_attr_get_payload(a), MIN(sizeof(s), (size_t)mnl_attr_get_payload_len(a)));
	l->counters[LINK_RX_BYTES] = s.rx_bytes;
	l->counters[LINK_RX_PACKETS] = s.rx_packets;
	l->counters[LINK_RX_ERRORS] = s.rx_errors;
	l->counters[LINK_RX_DROPPED] = s.rx_dropped;
	l->counters[LINK_RX_OVERRUN] = s.rx_over_errors;
	l->counters[LINK_RX_MULTICAST] = s.multicast;
	l->counters[LINK_TX_BYTES] = s.tx_bytes;
	l->counters[LINK_TX_PACKETS] = s.tx_packets;
	l->counters[LINK_TX_ERRORS] = s.tx_errors;
	l->counters[LINK_TX_DROPPED] = s.tx_dropped;
	l->counters[LINK_TX_CARRIER] = s.tx_carrier_errors;
	l->counters[LINK_TX_COLLISIONS] = s.collisions;
}

static int on_linkinfo(const struct nlattr *a, void *ctx)
{
	struct link_info *l = ctx;

	if (mnl_attr_get_type(a) == IFLA_INFO_SLAVE_KIND)
		l->master_is_vrf = mnl_attr_get_payload_len(a) >= 3 &&
				   memcmp(mnl_attr_get_payload(a), "vrf", 3) == 0;
	return MNL_CB_OK;
}

static uint32_t number_of(const struct nlattr *a)
{
	return mnl_attr_get_payload_len(a) >= sizeof(uint32_t) ? mnl_attr_get_u32(a) : 0;
}

static int on_link_attribute(const struct nlattr *a, void *ctx)
{
	struct link_info *l = ctx;

	switch (mnl_attr_get_type(a)) {
	case IFLA_IFNAME:
		copy_text(l->name, sizeof(l->name), a);
		break;
	case IFLA_QDISC:
		copy_text(l->qdisc, sizeof(l->qdisc), a);
		break;
	case IFLA_IFALIAS:
		copy_text(l->alias, sizeof(l->alias), a);
		break;
	case IFLA_ADDRESS:
		format_mac(l->mac, sizeof(l->mac), a);
		break;
	case IFLA_BROADCAST:
		format_mac(l->broadcast, sizeof(l->broadcast), a);
		break;
	case IFLA_MTU:
		l->mtu = number_of(a);
		break;
	case IFLA_TXQLEN:
		l->qlen = number_of(a);
		break;
	case IFLA_GROUP:
		l->group = number_of(a);
		break;
	case IFLA_MASTER:
		l->master = number_of(a);
		break;
	case IFLA_OPERSTATE:
		if (mnl_attr_get_payload_len(a) >= 1)
			l->operstate = mnl_attr_get_u8(a);
		break;
	case IFLA_STATS64:
		read_counters(l, a);
		break;
	case IFLA_LINKINFO:
		(void)mnl_attr_parse_nested(a, on_linkinfo, l);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static struct link_info *add_link(struct reader *r)
{
	struct links *l = r->links;

	if (l->n == l->size) {
		size_t size = l->size ? l->size * 2 : 16;
		struct link_info *items = l->n < LINKS_MAX ? reallocarray(l->items, size, sizeof(*items))
							   : NULL;
		if (!items) {
			r->error = -ENOMEM;
			return NULL;
		}
		l->items = items;
		l->size = size;
	}
	l->items[l->n] = (struct link_info){ 0 };
	return &l->items[l->n];
}

static void on_link(void *ctx, const struct nlmsghdr *message)
{
	struct reader *r = ctx;
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);

	if (message->nlmsg_type != RTM_NEWLINK)
		return;
	struct link_info *l = add_link(r);
	if (!l)
		return;
	l->ifindex = (uint32_t)info->ifi_index;
	l->flags = info->ifi_flags;
	l->type = info->ifi_type;
	(void)mnl_attr_parse(message, sizeof(*info), on_link_attribute, l);
	if (!r->only || strcmp(l->name, r->only) == 0)
		r->links->n++;
}

static void read_address(struct net_addr *out, int family, const struct nlattr *a)
{
	size_t len = family == AF_INET ? sizeof(out->in) : sizeof(out->in6);

	if (mnl_attr_get_payload_len(a) != len)
		return;
	out->family = family;
	memcpy(&out->in6, mnl_attr_get_payload(a), len); /* a union: either one begins here */
}

static struct link_info *find_index(struct links *links, uint32_t ifindex)
{
	for (size_t i = 0; i < links->n; i++)
		if (links->items[i].ifindex == ifindex)
			return &links->items[i];
	return NULL;
}

/* An address being read: which of LOCAL and ADDRESS is ours is known at its end. */
struct address_reader {
	struct link_address *to;
	int family;
	struct net_addr local, address;
};

static int on_address_attribute(const struct nlattr *a, void *ctx)
{
	struct address_reader *r = ctx;
	struct ifa_cacheinfo cache = { .ifa_valid = UINT32_MAX, .ifa_prefered = UINT32_MAX };

	switch (mnl_attr_get_type(a)) {
	case IFA_LOCAL:
		read_address(&r->local, r->family, a);
		break;
	case IFA_ADDRESS:
		read_address(&r->address, r->family, a);
		break;
	case IFA_BROADCAST:
		read_address(&r->to->broadcast, r->family, a);
		break;
	case IFA_LABEL:
		copy_text(r->to->label, sizeof(r->to->label), a);
		break;
	case IFA_FLAGS:
		r->to->flags = number_of(a);
		break;
	case IFA_CACHEINFO:
		memcpy(&cache, mnl_attr_get_payload(a),
		       MIN(sizeof(cache), (size_t)mnl_attr_get_payload_len(a)));
		r->to->valid = cache.ifa_valid;
		r->to->preferred = cache.ifa_prefered;
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static void on_address(void *ctx, const struct nlmsghdr *message)
{
	struct reader *r = ctx;
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);

	if (message->nlmsg_type != RTM_NEWADDR ||
	    (info->ifa_family != AF_INET && info->ifa_family != AF_INET6))
		return;
	struct link_info *l = find_index(r->links, info->ifa_index);
	if (!l || l->n_addresses == LINK_ADDRESSES_MAX)
		return;
	struct address_reader a = { .to = &l->addresses[l->n_addresses++], .family = info->ifa_family };
	*a.to = (struct link_address){ .prefix_len = info->ifa_prefixlen,
				       .scope = info->ifa_scope,
				       .flags = info->ifa_flags,
				       .valid = UINT32_MAX,
				       .preferred = UINT32_MAX };
	(void)mnl_attr_parse(message, sizeof(*info), on_address_attribute, &a);
	/* With a peer, LOCAL is ours and ADDRESS the peer's; otherwise ADDRESS alone is told (IPv6), or both
	 * alike. */
	a.to->local = a.local.family ? a.local : a.address;
	if (a.local.family && a.address.family && !net_addr_equal(&a.local, &a.address))
		a.to->peer = a.address;
}

static int by_name(const void *a, const void *b)
{
	return natural_compare(((const struct link_info *)a)->name, ((const struct link_info *)b)->name);
}

static int dump(struct rtnl *rtnl, uint16_t type, size_t head, rtnl_message_fn fn, struct reader *r)
{
	char buffer[256];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	(void)memset(mnl_nlmsg_put_extra_header(request, head), 0, head);
	int result = rtnl_request(rtnl, request, fn, r);
	return result < 0 ? result : r->error;
}

int links_read(struct links *ret, const char *name)
{
	_cleanup_links_ struct links links = { 0 };
	struct reader r = { .links = &links, .only = name };
	struct rtnl *rtnl = calloc(1, sizeof(*rtnl)); /* 32 KiB of buffer */
	int result = rtnl ? rtnl_open(rtnl, NETLINK_ROUTE) : -ENOMEM;

	if (result == 0) {
		result = dump(rtnl, RTM_GETLINK, sizeof(struct ifinfomsg), on_link, &r);
		if (result == 0)
			result = dump(rtnl, RTM_GETADDR, sizeof(struct ifaddrmsg), on_address, &r);
		rtnl_close(rtnl);
	}
	free(rtnl);
	if (result < 0)
		return result;
	if (name && links.n == 0)
		return -ENODEV;
	for (size_t i = 0; i < links.n; i++)
		if (links.items[i].master)
			(void)if_indextoname(links.items[i].master, links.items[i].master_name);
	if (links.n > 0)
		qsort(links.items, links.n, sizeof(*links.items), by_name);
	*ret = links;
	links = (struct links){ 0 };
	return 0;
}

/* --- text -------------------------------------------------------------------------------------------------
 */

static void print_flags(uint32_t flags, struct text *out)
{
	/* In the order in which `ip` prints them. */
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = { { IFF_LOOPBACK, "LOOPBACK" },
		      { IFF_BROADCAST, "BROADCAST" },
		      { IFF_POINTOPOINT, "POINTOPOINT" },
		      { IFF_MULTICAST, "MULTICAST" },
		      { IFF_NOARP, "NOARP" },
		      { IFF_ALLMULTI, "ALLMULTI" },
		      { IFF_PROMISC, "PROMISC" },
		      { IFF_MASTER, "MASTER" },
		      { IFF_SLAVE, "SLAVE" },
		      { IFF_DEBUG, "DEBUG" },
		      { IFF_DYNAMIC, "DYNAMIC" },
		      { IFF_AUTOMEDIA, "AUTOMEDIA" },
		      { IFF_PORTSEL, "PORTSEL" },
		      { IFF_NOTRAILERS, "NOTRAILERS" },
		      { IFF_UP, "UP" },
		      { 1u << 16, "LOWER_UP" },
		      { 1u << 17, "DORMANT" },
		      { 1u << 18, "ECHO" } };
	const char *comma = "";

	text_add(out, "<");
	if ((flags & IFF_UP) && !(flags & IFF_RUNNING)) {
		text_add(out, "NO-CARRIER");
		comma = ",";
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & names[i].bit) {
			text_addf(out, "%s%s", comma, names[i].name);
			comma = ",";
		}
	text_add(out, ">");
}

static const char *type_name(uint16_t type)
{
	switch (type) {
	case ARPHRD_ETHER:
		return "ether";
	case ARPHRD_LOOPBACK:
		return "loopback";
	case ARPHRD_PPP:
		return "ppp";
	case ARPHRD_NONE:
		return "none";
	case ARPHRD_TUNNEL:
		return "ipip";
	case ARPHRD_TUNNEL6:
		return "tunnel6";
	case ARPHRD_SIT:
		return "sit";
	case ARPHRD_IPGRE:
		return "gre";
	case ARPHRD_IP6GRE:
		return "gre6";
	case ARPHRD_INFINIBAND:
		return "infiniband";
	default:
		return NULL;
	}
}

static const char *operstate_name(uint8_t state)
{
	static const char *const names[] = { "UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN",
					     "TESTING", "DORMANT",    "UP" };

	return state < ARRAY_SIZE(names) ? names[state] : "UNKNOWN";
}

static void print_scope(uint8_t scope, struct text *out)
{
	switch (scope) {
	case RT_SCOPE_UNIVERSE:
		text_add(out, "global");
		break;
	case RT_SCOPE_SITE:
		text_add(out, "site");
		break;
	case RT_SCOPE_LINK:
		text_add(out, "link");
		break;
	case RT_SCOPE_HOST:
		text_add(out, "host");
		break;
	default:
		text_addf(out, "%u", scope);
	}
}

static void print_lifetime(const char *name, uint32_t seconds, struct text *out)
{
	if (seconds == UINT32_MAX)
		text_addf(out, "%s forever", name);
	else
		text_addf(out, "%s %usec", name, seconds);
}

void link_address_print(const struct link_address *a, struct text *out)
{
	char local[INET6_ADDRSTRLEN];

	text_addf(out, "%s/%u", net_addr_format(&a->local, local), a->prefix_len);
}

static void print_address(const struct link_address *a, struct text *out)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} flags[] = { { IFA_F_DEPRECATED, "deprecated" },     { IFA_F_TENTATIVE, "tentative" },
		      { IFA_F_DADFAILED, "dadfailed" },	      { IFA_F_TEMPORARY, "temporary" },
		      { IFA_F_MANAGETEMPADDR, "mngtmpaddr" }, { IFA_F_NOPREFIXROUTE, "noprefixroute" } };
	char text[INET6_ADDRSTRLEN];

	text_addf(out, "    inet%s %s", a->local.family == AF_INET6 ? "6" : "",
		  net_addr_format(&a->local, text));
	if (a->peer.family)
		text_addf(out, " peer %s", net_addr_format(&a->peer, text));
	text_addf(out, "/%u", a->prefix_len);
	if (a->broadcast.family)
		text_addf(out, " brd %s", net_addr_format(&a->broadcast, text));
	text_add(out, " scope ");
	print_scope(a->scope, out);
	if ((a->flags & IFA_F_SECONDARY) && a->local.family == AF_INET)
		text_add(out, " secondary");
	if (!(a->flags & IFA_F_PERMANENT))
		text_add(out, " dynamic");
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (a->flags & flags[i].bit)
			text_addf(out, " %s", flags[i].name);
	if (a->label[0])
		text_addf(out, " %s", a->label);
	text_add(out, "\n       ");
	print_lifetime("valid_lft", a->valid, out);
	print_lifetime(" preferred_lft", a->preferred, out);
	text_add(out, "\n");
}

void link_print(const struct link_info *l, struct text *out)
{
	text_addf(out, "%s: ", l->name);
	print_flags(l->flags, out);
	text_addf(out, " mtu %u qdisc %s", l->mtu, l->qdisc[0] ? l->qdisc : "noqueue");
	if (l->master_name[0])
		text_addf(out, " master %s", l->master_name);
	text_addf(out, " state %s", operstate_name(l->operstate));
	if (l->group)
		text_addf(out, " group %u", l->group);
	else
		text_add(out, " group default");
	if (l->qlen)
		text_addf(out, " qlen %u", l->qlen);
	const char *type = type_name(l->type);
	if (type)
		text_addf(out, "\n    link/%s", type);
	else
		text_addf(out, "\n    link/[%u]", l->type);
	if (l->mac[0])
		text_addf(out, " %s", l->mac);
	if (l->mac[0] && l->broadcast[0])
		text_addf(out, " %s %s", l->flags & IFF_POINTOPOINT ? "peer" : "brd", l->broadcast);
	text_add(out, "\n");
	for (size_t i = 0; i < l->n_addresses; i++)
		print_address(&l->addresses[i], out);
}

const char *link_state(const struct link_info *l)
{
	/* PPP devices may never know their state: unknown counts as up. */
	bool admin = l->flags & IFF_UP, link = l->operstate == 6 || l->operstate == 0;

	return admin ? (link ? "u/u" : "u/D") : link ? "A/u" : "A/D";
}
