/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netconf/rtnl.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define REQUEST_SIZE	   1024
#define ANSWER_TIMEOUT_SEC 2
#define DUMP_MESSAGES_MAX  4000000 /* no routing table is longer; a stream that is, is not one */

int rtnl_open(struct rtnl *rtnl, int bus)
{
	struct timeval timeout = { .tv_sec = ANSWER_TIMEOUT_SEC };
	int on = 1;

	rtnl->seq = 0;
	rtnl->error[0] = 0;
	rtnl->socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!rtnl->socket)
		return -errno;
	int fd = mnl_socket_get_fd(rtnl->socket);
	/* Older kernels lack one or the other: then errors are terser, and dumps are filtered by us alone. */
	(void)mnl_socket_setsockopt(rtnl->socket, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)mnl_socket_setsockopt(rtnl->socket, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	if (mnl_socket_bind(rtnl->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int r = -errno;
		rtnl_close(rtnl);
		return r;
	}
	return 0;
}

void rtnl_close(struct rtnl *rtnl)
{
	if (rtnl->socket)
		(void)mnl_socket_close(rtnl->socket);
	rtnl->socket = NULL;
}

static int note_text(const struct nlattr *attr, void *ctx)
{
	const char **text = ctx;

	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
		*text = mnl_attr_get_str(attr);
	return MNL_CB_OK;
}

/* The error, and the kernel's own words if it gave any: they stand behind the copy of the request. */
static void note_error(struct rtnl *rtnl, const struct nlmsghdr *nlh, const struct nlmsgerr *err)
{
	const uint8_t *payload = mnl_nlmsg_get_payload(nlh);
	size_t len = mnl_nlmsg_get_payload_len(nlh), offset = sizeof(*err);
	const char *text = NULL;

	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		offset += NLMSG_ALIGN((size_t)err->msg.nlmsg_len) - sizeof(err->msg);
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS && len > offset)
		(void)mnl_attr_parse_payload(payload + offset, len - offset, note_text, &text);
	(void)snprintf(rtnl->error, sizeof(rtnl->error), "%s%s%s", strerror(-err->error), text ? ": " : "",
		       text ? text : "");
}

const struct nlmsghdr *rtnl_next_message(const uint8_t **data, size_t *len)
{
	const struct nlmsghdr *message = (const void *)*data;

	if (*len < sizeof(*message) || message->nlmsg_len < sizeof(*message) || message->nlmsg_len > *len)
		return NULL;
	size_t whole = MIN(NLMSG_ALIGN((size_t)message->nlmsg_len), *len);
	*data += whole;
	*len -= whole;
	return message;
}

/* One datagram. 1 = more is to come, 0 = complete, negative = the kernel's answer. */
static int take_answer(struct rtnl *rtnl, size_t len, rtnl_message_fn fn, void *ctx, bool *interrupted)
{
	const uint8_t *data = (const uint8_t *)rtnl->buffer;
	const struct nlmsghdr *nlh;

	while ((nlh = rtnl_next_message(&data, &len))) {
		if (nlh->nlmsg_seq != rtnl->seq)
			continue; /* the late answer to a request that was given up */
		*interrupted |= (nlh->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
		if (nlh->nlmsg_type == NLMSG_DONE) {
			/* A refused dump ends with its errno here. */
			int r = mnl_nlmsg_get_payload_len(nlh) >= sizeof(int)
					? *(int *)mnl_nlmsg_get_payload(nlh)
					: 0;
			return r < 0 ? r : 0;
		}
		if (nlh->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);

			if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*err))
				return -EBADMSG;
			if (err->error < 0)
				note_error(rtnl, nlh, err);
			return err->error;
		}
		if (nlh->nlmsg_type >= NLMSG_MIN_TYPE && fn)
			fn(ctx, nlh);
	}
	return 1;
}

int rtnl_request(struct rtnl *rtnl, struct nlmsghdr *request, rtnl_message_fn fn, void *ctx)
{
	bool interrupted = false;
	int r = 1;

	request->nlmsg_seq = ++rtnl->seq;
	request->nlmsg_flags = (uint16_t)(request->nlmsg_flags | NLM_F_REQUEST);
	/* NLM_F_DUMP shares its bits with NLM_F_REPLACE and NLM_F_EXCL. */
	if ((request->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		request->nlmsg_flags = (uint16_t)(request->nlmsg_flags | NLM_F_ACK);
	rtnl->error[0] = 0;
	if (mnl_socket_sendto(rtnl->socket, request, request->nlmsg_len) < 0) {
		r = -errno;
		(void)snprintf(rtnl->error, sizeof(rtnl->error), "%s", strerror(-r));
		return r;
	}
	for (unsigned n = 0; r > 0 && n < DUMP_MESSAGES_MAX; n++) {
		ssize_t len = mnl_socket_recvfrom(rtnl->socket, rtnl->buffer, sizeof(rtnl->buffer));

		if (len < 0 && errno == EINTR)
			continue;
		r = len < 0 ? (errno == EAGAIN ? -EIO : -errno)
			    : take_answer(rtnl, (size_t)len, fn, ctx, &interrupted);
	}
	if (r == 0 && interrupted)
		r = -EINTR;
	if (r < 0 && !rtnl->error[0])
		(void)snprintf(rtnl->error, sizeof(rtnl->error), "%s", strerror(-r));
	return r > 0 ? -EIO : r;
}

/* --- links ------------------------------------------------------------------------------------------------
 */

/* Attributes by type, each checked for the length that its reader relies on. */
struct attrs {
	const struct nlattr *of[IFLA_CARRIER + 1]; /* the highest type that is read anywhere here */
};

static int note_attr(const struct nlattr *attr, void *ctx)
{
	struct attrs *attrs = ctx;
	uint16_t type = mnl_attr_get_type(attr);

	if (type < ARRAY_SIZE(attrs->of))
		attrs->of[type] = attr;
	return MNL_CB_OK;
}

static uint32_t attr_u32(const struct attrs *attrs, uint16_t type)
{
	const struct nlattr *a = attrs->of[type];

	return a && mnl_attr_get_payload_len(a) >= sizeof(uint32_t) ? mnl_attr_get_u32(a) : 0;
}

static void attr_text(const struct attrs *attrs, uint16_t type, char *out, size_t size)
{
	const struct nlattr *a = attrs->of[type];
	size_t len = a ? MIN(mnl_attr_get_payload_len(a), size - 1) : 0;

	if (len > 0)
		memcpy(out, mnl_attr_get_payload(a), len);
	out[len] = 0;
}

static bool attr_addr(const struct attrs *attrs, uint16_t type, int family, struct net_addr *ret)
{
	const struct nlattr *a = attrs->of[type];
	size_t len = family == AF_INET ? sizeof(ret->in) : sizeof(ret->in6);

	if (!a || mnl_attr_get_payload_len(a) < len)
		return false;
	*ret = (struct net_addr){ .family = family };
	memcpy(&ret->in6, mnl_attr_get_payload(a), len);
	return true;
}

static void parse_linkinfo(const struct nlattr *nest, struct rtnl_link *ret)
{
	struct attrs info = { { NULL } }, data = { { NULL } };
	char kind[16];

	(void)mnl_attr_parse_nested(nest, note_attr, &info);
	attr_text(&info, IFLA_INFO_KIND, kind, sizeof(kind));
	if (strcmp(kind, "vrf") != 0)
		return;
	ret->is_vrf = true;
	if (info.of[IFLA_INFO_DATA])
		(void)mnl_attr_parse_nested(info.of[IFLA_INFO_DATA], note_attr, &data);
	ret->vrf_table = attr_u32(&data, IFLA_VRF_TABLE);
}

int rtnl_link_parse(const struct nlmsghdr *message, struct rtnl_link *ret)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(message);
	struct attrs attrs = { { NULL } };
	struct rtnl_link link = { 0 };

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*ifi) ||
	    mnl_attr_parse(message, sizeof(*ifi), note_attr, &attrs) < 0)
		return -EBADMSG;
	link.ifindex = (uint32_t)ifi->ifi_index;
	link.flags = ifi->ifi_flags;
	link.mtu = attr_u32(&attrs, IFLA_MTU);
	link.master = attr_u32(&attrs, IFLA_MASTER);
	link.group = attr_u32(&attrs, IFLA_GROUP);
	attr_text(&attrs, IFLA_IFNAME, link.name, sizeof(link.name));
	attr_text(&attrs, IFLA_IFALIAS, link.alias, sizeof(link.alias));
	const struct nlattr *carrier = attrs.of[IFLA_CARRIER];
	link.carrier = carrier && mnl_attr_get_payload_len(carrier) >= 1 && mnl_attr_get_u8(carrier) != 0;
	if (attrs.of[IFLA_LINKINFO])
		parse_linkinfo(attrs.of[IFLA_LINKINFO], &link);
	*ret = link;
	return 0;
}

struct link_answer {
	struct rtnl_link link;
	int result;
};

static void take_link(void *ctx, const struct nlmsghdr *message)
{
	struct link_answer *answer = ctx;

	if (message->nlmsg_type == RTM_NEWLINK)
		answer->result = rtnl_link_parse(message, &answer->link);
}

int rtnl_link_get(struct rtnl *rtnl, const char *name, uint32_t ifindex, struct rtnl_link *ret)
{
	char buffer[REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct link_answer answer = { .result = -ENODEV };

	nlh->nlmsg_type = RTM_GETLINK;
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = name ? 0 : (int)ifindex;
	if (name)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	int r = rtnl_request(rtnl, nlh, take_link, &answer);
	if (r == 0)
		r = answer.result;
	if (r == 0)
		*ret = answer.link;
	return r;
}

int rtnl_link_dump(struct rtnl *rtnl, rtnl_message_fn fn, void *ctx)
{
	char buffer[REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);

	nlh->nlmsg_type = RTM_GETLINK;
	nlh->nlmsg_flags = NLM_F_DUMP;
	(void)mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return rtnl_request(rtnl, nlh, fn, ctx);
}

static struct nlmsghdr *link_request(char *buffer, uint32_t ifindex, unsigned flags, unsigned change)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);

	nlh->nlmsg_type = RTM_NEWLINK;
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = (int)ifindex;
	ifi->ifi_flags = flags;
	ifi->ifi_change = change;
	return nlh;
}

int rtnl_link_set_alias(struct rtnl *rtnl, uint32_t ifindex, const char *alias)
{
	char buffer[REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = link_request(buffer, ifindex, 0, 0);

	/* Without the NUL: the kernel counts it, and an empty attribute removes the alias. */
	mnl_attr_put(nlh, IFLA_IFALIAS, strlen(alias), alias);
	return rtnl_request(rtnl, nlh, NULL, NULL);
}

static int link_set_u32(struct rtnl *rtnl, uint32_t ifindex, uint16_t type, uint32_t value)
{
	char buffer[REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = link_request(buffer, ifindex, 0, 0);

	mnl_attr_put_u32(nlh, type, value);
	return rtnl_request(rtnl, nlh, NULL, NULL);
}

int rtnl_link_set_master(struct rtnl *rtnl, uint32_t ifindex, uint32_t master)
{
	return link_set_u32(rtnl, ifindex, IFLA_MASTER, master);
}

int rtnl_link_set_mtu(struct rtnl *rtnl, uint32_t ifindex, uint32_t mtu)
{
	return link_set_u32(rtnl, ifindex, IFLA_MTU, mtu);
}

int rtnl_link_set_ipv4(struct rtnl *rtnl, uint32_t ifindex, uint16_t index, uint32_t value)
{
	char buffer[REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = link_request(buffer, ifindex, 0, 0);
	struct nlattr *families = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	struct nlattr *ipv4 = mnl_attr_nest_start(nlh, AF_INET);
	struct nlattr *conf = mnl_attr_nest_start(nlh, IFLA_INET_CONF);

	mnl_attr_put_u32(nlh, index, value);
	mnl_attr_nest_end(nlh, conf);
	mnl_attr_nest_end(nlh, ipv4);
	mnl_attr_nest_end(nlh, families);
	return rtnl_request(rtnl, nlh, NULL, NULL);
}

int rtnl_link_set_up(struct rtnl *rtnl, uint32_t ifindex, bool up)
{
	char buffer[REQUEST_SIZE] __attribute__((aligned(8)));

	return rtnl_request(rtnl, link_request(buffer, ifindex, up ? IFF_UP : 0, IFF_UP), NULL, NULL);
}

int rtnl_link_set_carrier(struct rtnl *rtnl, uint32_t ifindex, bool on)
{
	char buffer[REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = link_request(buffer, ifindex, 0, 0);

	mnl_attr_put_u8(nlh, IFLA_CARRIER, on);
	return rtnl_request(rtnl, nlh, NULL, NULL);
}

int rtnl_link_set_group(struct rtnl *rtnl, uint32_t ifindex, uint32_t group)
{
	return link_set_u32(rtnl, ifindex, IFLA_GROUP, group);
}

int rtnl_link_delete(struct rtnl *rtnl, uint32_t ifindex)
{
	char buffer[REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = link_request(buffer, ifindex, 0, 0);

	nlh->nlmsg_type = RTM_DELLINK;
	return rtnl_request(rtnl, nlh, NULL, NULL);
}

int rtnl_link_delete_group(struct rtnl *rtnl, uint32_t group)
{
	char buffer[REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = link_request(buffer, 0, 0, 0);

	nlh->nlmsg_type = RTM_DELLINK;
	mnl_attr_put_u32(nlh, IFLA_GROUP, group);
	return rtnl_request(rtnl, nlh, NULL, NULL);
}

/* --- addresses --------------------------------------------------------------------------------------------
 */

int rtnl_addr_dump(struct rtnl *rtnl, uint32_t ifindex, rtnl_message_fn fn, void *ctx)
{
	char buffer[REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);

	nlh->nlmsg_type = RTM_GETADDR;
	nlh->nlmsg_flags = NLM_F_DUMP;
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	ifa->ifa_index = ifindex;
	return rtnl_request(rtnl, nlh, fn, ctx);
}

static void put_addr(struct nlmsghdr *nlh, uint16_t type, const struct net_addr *addr)
{
	if (addr->family == AF_INET)
		mnl_attr_put(nlh, type, sizeof(addr->in), &addr->in);
	else if (addr->family == AF_INET6)
		mnl_attr_put(nlh, type, sizeof(addr->in6), &addr->in6);
}

/* RFC 5549: an IPv4 route may have an IPv6 gateway. */
static void put_gateway(struct nlmsghdr *nlh, const struct net_route *route)
{
	char buffer[sizeof(struct rtvia) + sizeof(struct in6_addr)] __attribute__((aligned(4)));
	struct rtvia *via = (struct rtvia *)buffer;

	if (route->via.family == AF_INET6 && route->dst.family == AF_INET) {
		via->rtvia_family = AF_INET6;
		memcpy(via->rtvia_addr, &route->via.in6, sizeof(route->via.in6));
		mnl_attr_put(nlh, RTA_VIA, sizeof(buffer), buffer);
	} else {
		put_addr(nlh, RTA_GATEWAY, &route->via);
	}
}

int rtnl_addr_change(struct rtnl *rtnl, bool add, uint32_t ifindex, const struct net_addr *addr,
		     const struct net_addr *peer, uint8_t prefix_len)
{
	char buffer[REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);

	nlh->nlmsg_type = add ? RTM_NEWADDR : RTM_DELADDR;
	nlh->nlmsg_flags = add ? NLM_F_CREATE | NLM_F_EXCL : 0;
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	ifa->ifa_family = (uint8_t)addr->family;
	ifa->ifa_prefixlen = prefix_len;
	ifa->ifa_index = ifindex;
	bool link_local = addr->family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&addr->in6);
	ifa->ifa_scope = link_local ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	put_addr(nlh, IFA_LOCAL, addr);
	if (addr->family == AF_INET)
		put_addr(nlh, IFA_ADDRESS, peer);
	return rtnl_request(rtnl, nlh, NULL, NULL);
}

/* --- routes -----------------------------------------------------------------------------------------------
 */

static bool parse_hop_attrs(const struct attrs *attrs, int family, struct net_route *ret)
{
	if (!attr_addr(attrs, RTA_GATEWAY, family, &ret->via)) {
		/* RFC 5549: an IPv4 route may have an IPv6 gateway. */
		const struct nlattr *via = attrs->of[RTA_VIA];
		const struct rtvia *v = via ? mnl_attr_get_payload(via) : NULL;

		if (v && mnl_attr_get_payload_len(via) >= sizeof(*v) + sizeof(struct in6_addr) &&
		    v->rtvia_family == AF_INET6) {
			ret->via.family = AF_INET6;
			memcpy(&ret->via.in6, v->rtvia_addr, sizeof(ret->via.in6));
		}
	}
	return ret->via.family != AF_UNSPEC;
}

/* The hop `n` of several; false if there are not so many. */
static bool parse_nexthop(const struct nlattr *nest, int family, unsigned n, struct net_route *ret)
{
	const uint8_t *at = mnl_attr_get_payload(nest);
	size_t left = mnl_attr_get_payload_len(nest);

	for (;; n--) {
		const struct rtnexthop *hop = (const void *)at;
		struct attrs attrs = { { NULL } };

		if (left < sizeof(*hop) || hop->rtnh_len < sizeof(*hop) || hop->rtnh_len > left)
			return false;
		if (n == 0) {
			ret->ifindex = (uint32_t)hop->rtnh_ifindex;
			ret->dead = hop->rtnh_flags & RTNH_F_DEAD;
			ret->via = (struct net_addr){ .family = AF_UNSPEC };
			(void)mnl_attr_parse_payload(hop + 1, hop->rtnh_len - sizeof(*hop), note_attr,
						     &attrs);
			(void)parse_hop_attrs(&attrs, family, ret);
			return true;
		}
		size_t len = MIN((size_t)RTNH_ALIGN((int)hop->rtnh_len), left);
		at += len;
		left -= len;
	}
}

int rtnl_route_parse_hop(const struct nlmsghdr *message, unsigned n, struct net_route *ret)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(message);
	struct attrs attrs = { { NULL } };
	struct net_route route = { 0 };

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*rtm) ||
	    mnl_attr_parse(message, sizeof(*rtm), note_attr, &attrs) < 0)
		return -EBADMSG;
	route.dst.family = rtm->rtm_family;
	(void)attr_addr(&attrs, RTA_DST, rtm->rtm_family, &route.dst);
	route.prefix_len = rtm->rtm_dst_len;
	route.table = attrs.of[RTA_TABLE] ? attr_u32(&attrs, RTA_TABLE) : rtm->rtm_table;
	route.metric = attr_u32(&attrs, RTA_PRIORITY);
	route.protocol = rtm->rtm_protocol;
	route.type = rtm->rtm_type;
	route.ifindex = attr_u32(&attrs, RTA_OIF);
	route.dead = rtm->rtm_flags & RTNH_F_DEAD;
	(void)parse_hop_attrs(&attrs, rtm->rtm_family, &route);
	bool several = attrs.of[RTA_MULTIPATH] &&
		       parse_nexthop(attrs.of[RTA_MULTIPATH], rtm->rtm_family, n, &route);
	if (n > 0 && !several)
		return -ENOENT;
	*ret = route;
	return 0;
}

int rtnl_route_parse(const struct nlmsghdr *message, struct net_route *ret)
{
	struct net_route first, hop;
	int r = rtnl_route_parse_hop(message, 0, &first);

	if (r < 0)
		return r;
	hop = first;
	for (unsigned n = 1; hop.dead && rtnl_route_parse_hop(message, n, &hop) == 0; n++)
		;
	*ret = hop.dead ? first : hop;
	return 0;
}

int rtnl_route_dump(struct rtnl *rtnl, int family, uint32_t table, rtnl_message_fn fn, void *ctx)
{
	char buffer[REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);

	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_DUMP;
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = (uint8_t)family;
	if (table != RT_TABLE_UNSPEC)
		mnl_attr_put_u32(nlh, RTA_TABLE, table);
	int r = rtnl_request(rtnl, nlh, fn, ctx);
	return r == -ENOENT ? 0 : r; /* a table without routes does not exist */
}

/* What this host sends comes "from" lo, for the rules (ip-rule(8)). */
static bool is_from_elsewhere(const struct attrs *attrs, bool invert)
{
	const struct nlattr *iif = attrs->of[FRA_IIFNAME];
	bool lo = iif && mnl_attr_get_payload_len(iif) >= sizeof("lo") &&
		  memcmp(mnl_attr_get_payload(iif), "lo", sizeof("lo")) == 0;

	return iif && (!lo || invert);
}

/* A rule for all but what carries a mark ("not fwmark 51820") is one for all that nobody has marked. */
static bool is_selective(const struct fib_rule_hdr *rule, const struct attrs *attrs)
{
	static const uint16_t selectors[] = { FRA_OIFNAME,  FRA_TUN_ID,	     FRA_L3MDEV,     FRA_UID_RANGE,
					      FRA_IP_PROTO, FRA_SPORT_RANGE, FRA_DPORT_RANGE };
	bool mark = attr_u32(attrs, FRA_FWMARK) != 0, invert = rule->flags & FIB_RULE_INVERT;

	for (size_t i = 0; i < ARRAY_SIZE(selectors); i++)
		if (attrs->of[selectors[i]])
			return true;
	for (size_t type = FRA_DPORT_RANGE + 1; type < ARRAY_SIZE(attrs->of); type++)
		if (attrs->of[type]) /* of later kernels: DSCP, flow label, masks */
			return true;
	if (is_from_elsewhere(attrs, invert))
		return true;
	return rule->src_len || rule->dst_len || rule->tos || mark != invert;
}

int rtnl_rule_parse(const struct nlmsghdr *message, struct rtnl_rule *ret)
{
	const struct fib_rule_hdr *rule = mnl_nlmsg_get_payload(message);
	struct attrs attrs = { { NULL } };
	struct rtnl_rule r = { .suppress_len = -1 };

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*rule) ||
	    mnl_attr_parse(message, sizeof(*rule), note_attr, &attrs) < 0)
		return -EBADMSG;
	if (rule->action == FR_ACT_TO_TBL)
		r.table = attrs.of[FRA_TABLE] ? attr_u32(&attrs, FRA_TABLE) : rule->table;
	if (attrs.of[FRA_SUPPRESS_PREFIXLEN])
		r.suppress_len = (int)attr_u32(&attrs, FRA_SUPPRESS_PREFIXLEN);
	r.selective = is_selective(rule, &attrs);
	*ret = r;
	return 0;
}

int rtnl_rule_dump(struct rtnl *rtnl, int family, rtnl_message_fn fn, void *ctx)
{
	char buffer[REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);

	nlh->nlmsg_type = RTM_GETRULE;
	nlh->nlmsg_flags = NLM_F_DUMP;
	struct fib_rule_hdr *rule = mnl_nlmsg_put_extra_header(nlh, sizeof(*rule));
	rule->family = (uint8_t)family;
	return rtnl_request(rtnl, nlh, fn, ctx);
}

int rtnl_route_change(struct rtnl *rtnl, bool add, const struct net_route *route)
{
	char buffer[REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);

	nlh->nlmsg_type = add ? RTM_NEWROUTE : RTM_DELROUTE;
	nlh->nlmsg_flags = add ? NLM_F_CREATE | NLM_F_APPEND : 0;
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = (uint8_t)route->dst.family;
	rtm->rtm_dst_len = route->prefix_len;
	rtm->rtm_table = RT_TABLE_UNSPEC;
	rtm->rtm_protocol = route->protocol;
	rtm->rtm_type = RTN_UNICAST;
	rtm->rtm_scope = route->dst.family == AF_INET && route->via.family == AF_UNSPEC ? RT_SCOPE_LINK
											: RT_SCOPE_UNIVERSE;
	if (route->prefix_len > 0)
		put_addr(nlh, RTA_DST, &route->dst);
	mnl_attr_put_u32(nlh, RTA_TABLE, route->table);
	mnl_attr_put_u32(nlh, RTA_PRIORITY, route->metric);
	mnl_attr_put_u32(nlh, RTA_OIF, route->ifindex);
	/* A gateway that only the device leads to is one of the kernel's own routes already, as with /32
	 * addresses. */
	if (add && route->via.family != AF_UNSPEC)
		rtm->rtm_flags = RTNH_F_ONLINK;
	put_gateway(nlh, route);
	return rtnl_request(rtnl, nlh, NULL, NULL);
}
