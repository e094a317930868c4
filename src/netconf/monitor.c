/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netconf/monitor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/netconf.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "netconf/rtnl.h"

#define RECEIVE_BUFFER (256 * 1024)
#define READS_MAX      64 /* for one call: the caller's loop has other things to do, too */
#define DATAGRAM_SIZE  16384

/* Offsets into a message: struct nlmsghdr, then struct rtmsg. */
#define AT_TYPE	    4
#define AT_DST_LEN  (sizeof(struct nlmsghdr) + 1)
#define AT_PROTOCOL (sizeof(struct nlmsghdr) + 5)
/* A filter reads in network order, netlink writes in the host's. */
#define HOST16(value) ((uint32_t)htons((uint16_t)(value)))

static int attach(int fd, struct sock_filter *code, size_t n)
{
	struct sock_fprog program = { .len = (unsigned short)n, .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : 0;
}

/* Routes that are neither wide nor ours do not wake us up: there are hosts with a million of them. */
static int filter_routes(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT_TYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, HOST16(RTM_NEWROUTE), 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, HOST16(RTM_DELROUTE), 0, 4),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, AT_DST_LEN),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 1, 0, 2),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, AT_PROTOCOL),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NET_ROUTE_PROTOCOL, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	return attach(fd, code, ARRAY_SIZE(code));
}

/* Only deletions of rules, chains and tables; a datagram with several messages is judged by its first, and in
 * `flush ruleset` that is a deletion. */
static int filter_nft(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT_TYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, HOST16(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE), 3,
			 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, HOST16(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELCHAIN), 2,
			 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, HOST16(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELRULE), 1,
			 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};

	return attach(fd, code, ARRAY_SIZE(code));
}

static int open_socket(int bus, const int *groups, size_t n_groups, int (*filter)(int fd))
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int size = RECEIVE_BUFFER;
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, bus);

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	/* The filter first: nothing else is ever in the queue. */
	int r = filter(fd);
	if (r < 0)
		return r;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	for (size_t i = 0; i < n_groups; i++)
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i], sizeof(groups[i])) < 0)
			return -errno;
	return TAKE_FD(fd);
}

static int watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int net_monitor_open(struct net_monitor *ret)
{
	static const int rtnl_groups[] = { RTNLGRP_LINK,	 RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
					   RTNLGRP_IPV4_ROUTE,	 RTNLGRP_IPV6_ROUTE,  RTNLGRP_IPV4_NETCONF,
					   RTNLGRP_IPV6_NETCONF, RTNLGRP_IPV4_RULE,   RTNLGRP_IPV6_RULE };
	static const int nft_groups[] = { NFNLGRP_NFTABLES };
	struct net_monitor m = { .fd = -1, .rtnl = -1, .nft = -1 };

	m.fd = epoll_create1(EPOLL_CLOEXEC);
	int r = m.fd < 0 ? -errno : 0;
	if (r == 0) {
		m.rtnl = open_socket(NETLINK_ROUTE, rtnl_groups, ARRAY_SIZE(rtnl_groups), filter_routes);
		r = m.rtnl < 0 ? m.rtnl : watch(m.fd, m.rtnl);
	}
	if (r == 0) {
		/* A kernel without nftables has no rules that could be lost. */
		m.nft = open_socket(NETLINK_NETFILTER, nft_groups, ARRAY_SIZE(nft_groups), filter_nft);
		if (m.nft >= 0)
			r = watch(m.fd, m.nft);
		else
			m.nft = -1;
	}
	if (r < 0) {
		net_monitor_close(&m);
		return r;
	}
	*ret = m;
	return 0;
}

void net_monitor_close(struct net_monitor *m)
{
	m->rtnl = close_fd(m->rtnl);
	m->nft = close_fd(m->nft);
	m->fd = close_fd(m->fd);
}

/* --- messages to events ------------------------------------------------------------------------------------
 */

static bool link_event(const struct nlmsghdr *message, struct net_event *event)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(message);
	struct rtnl_link link;

	/* Ports of a bridge have messages of their own family. */
	if (rtnl_link_parse(message, &link) < 0 || ifi->ifi_family != AF_UNSPEC)
		return false;
	event->kind = message->nlmsg_type == RTM_DELLINK ? NET_EVENT_LINK_GONE : NET_EVENT_LINK;
	event->ifindex = link.ifindex;
	memcpy(event->name, link.name, sizeof(event->name));
	event->up = link.flags & IFF_UP && link.carrier;
	event->is_vrf = link.is_vrf;
	return true;
}

static bool addr_event(const struct nlmsghdr *message, struct net_event *event)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(message);

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*ifa))
		return false;
	event->kind = NET_EVENT_ADDR;
	event->ifindex = ifa->ifa_index;
	return true;
}

static bool route_event(const struct nlmsghdr *message, struct net_event *event)
{
	struct net_route route;

	if (rtnl_route_parse(message, &route) < 0)
		return false;
	event->ifindex = route.ifindex;
	if (route.protocol == NET_ROUTE_PROTOCOL && message->nlmsg_type == RTM_DELROUTE) {
		event->kind = NET_EVENT_ROUTE_GONE;
		return true;
	}
	event->kind = NET_EVENT_DEFAULT_ROUTE;
	return route.prefix_len <= 1;
}

static int note_ifindex(const struct nlattr *attr, void *ctx)
{
	if (mnl_attr_get_type(attr) == NETCONFA_IFINDEX && mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
		*(int32_t *)ctx = (int32_t)mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static bool netconf_event(const struct nlmsghdr *message, struct net_event *event)
{
	int32_t ifindex = 0;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(struct netconfmsg) ||
	    mnl_attr_parse(message, sizeof(struct netconfmsg), note_ifindex, &ifindex) < 0)
		return false;
	event->kind = NET_EVENT_FORWARDING;
	event->ifindex = ifindex > 0 ? (uint32_t)ifindex : 0; /* `all` and `default` are negative */
	return true;
}

static bool to_event(const struct nlmsghdr *message, struct net_event *event)
{
	*event = (struct net_event){ 0 };
	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return link_event(message, event);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return addr_event(message, event);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return route_event(message, event);
	case RTM_NEWRULE: /* which decides between default routes */
	case RTM_DELRULE:
		event->kind = NET_EVENT_DEFAULT_ROUTE;
		return true;
	case RTM_NEWNETCONF:
	case RTM_DELNETCONF:
		return netconf_event(message, event);
	default:
		return false;
	}
}

void net_monitor_parse(const void *data, size_t len, net_event_fn fn, void *ctx)
{
	const uint8_t *bytes = data;
	const struct nlmsghdr *message;
	struct net_event event;

	while ((message = rtnl_next_message(&bytes, &len)))
		if (to_event(message, &event))
			fn(ctx, &event);
}

/* --- reading
 * ------------------------------------------------------------------------------------------------ */

/* Passes an event on unless it says what the last one said. */
struct reader {
	net_event_fn fn;
	void *ctx;
	struct net_event last;
	bool any;
};

static void tell(void *ctx, const struct net_event *event)
{
	struct reader *reader = ctx;

	if (reader->any && memcmp(&reader->last, event, sizeof(*event)) == 0)
		return;
	reader->last = *event;
	reader->any = true;
	reader->fn(reader->ctx, event);
}

/* One datagram: 1, 0 if there is none, negative errno. */
static int receive(int fd, char *buffer, size_t size, struct reader *reader, size_t *ret_len)
{
	struct sockaddr_nl from = { 0 };
	socklen_t from_len = sizeof(from);

	ssize_t n = recvfrom(fd, buffer, size, MSG_TRUNC, (struct sockaddr *)&from, &from_len);
	if (n < 0 && errno == ENOBUFS) {
		tell(reader, &(struct net_event){ .kind = NET_EVENT_OVERRUN });
		*ret_len = 0;
		return 1;
	}
	if (n < 0)
		return errno == EAGAIN ? 0 : errno == EINTR ? 1 : -errno;
	/* Only the kernel has the port 0. */
	*ret_len = from.nl_pid == 0 ? MIN((size_t)n, size) : 0;
	if ((size_t)n > size)
		tell(reader, &(struct net_event){ .kind = NET_EVENT_OVERRUN });
	return 1;
}

int net_monitor_read(struct net_monitor *m, net_event_fn fn, void *ctx)
{
	char buffer[DATAGRAM_SIZE] __attribute__((aligned(8)));
	struct reader reader = { .fn = fn, .ctx = ctx };
	size_t len = 0;
	int r = 1;

	for (unsigned i = 0; r > 0 && i < READS_MAX; i++, len = 0) {
		r = receive(m->rtnl, buffer, sizeof(buffer), &reader, &len);
		if (r > 0)
			net_monitor_parse(buffer, len, tell, &reader);
	}
	if (r < 0)
		return r;
	r = m->nft >= 0;
	for (unsigned i = 0; r > 0 && i < READS_MAX; i++, len = 0) {
		r = receive(m->nft, buffer, sizeof(buffer), &reader, &len);
		if (r > 0 && len > 0)
			tell(&reader, &(struct net_event){ .kind = NET_EVENT_NFT_GONE });
	}
	return MIN(r, 0);
}
