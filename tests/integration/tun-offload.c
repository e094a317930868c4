/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packet path against the kernel, in two network namespaces without names.
 *
 *   near: t0, a TUN with virtio headers and offloads       far: t1, a plain TUN, where the kernel checks
 * every checksum
 *
 * First both devices are in one namespace and it forwards: a joined write to t0 has to come out of t1 as the
 * packets it was made of. Then this program is the tunnel between two hosts, with tx and rx at the near end,
 * and sockets talk through it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/parse.h"
#include "io/tun.h"
#include "packets.h"
#include "test.h"

#define VNET	   10
#define BULK	   (32u << 20)
#define DATAGRAMS  20000u
#define DATAGRAM   1000u
#define PATIENCE   (20 * USEC_PER_SEC)
#define QUIET_MS   300 /* nothing more comes after that */
#define DEVICE_MTU "4087"

extern char **environ;

/* -- namespaces and devices -------------------------------------------------------------------- */

/* Runs a program with these words; its output is not wanted. True if it succeeds. */
static bool run(const char *const *words)
{
	pid_t pid;
	int status;

	if (posix_spawnp(&pid, words[0], NULL, NULL, (char *const *)(uintptr_t)words, environ) != 0)
		return false;
	return waitpid(pid, &status, 0) == pid && status == 0;
}
#define RUN(...) run((const char *const[]){ __VA_ARGS__, NULL })

static bool write_file(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* A new network namespace, which the process enters. Returns a descriptor of it, −1 on failure. */
static int new_namespace(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	(void)write_file("/proc/sys/net/ipv6/conf/default/accept_ra", "0");
	(void)write_file("/proc/sys/net/ipv6/conf/default/addr_gen_mode", "1");
	(void)write_file("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
	(void)write_file("/proc/sys/net/ipv4/conf/default/rp_filter", "0");
	(void)write_file("/proc/sys/net/ipv4/conf/all/rp_filter", "0");
	return RUN("ip", "link", "set", "lo", "up") ? open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC) : -1;
}

/* A device that is up, with addresses. */
static bool new_tun(const char *name, bool vnet_hdr, const char *four, const char *six, struct tun *ret)
{
	struct failure failure = { 0 };
	struct tun_options options = { .name = name, .no_vnet_hdr = !vnet_hdr, .offloads = TUN_OFFLOAD_ALL };

	return tun_create(&options, ret, &failure) >= 0 &&
	       RUN("ip", "link", "set", name, "up", "mtu", DEVICE_MTU, "txqueuelen", "2000") &&
	       tun_set_carrier(ret->fd, true) >= 0 && RUN("ip", "address", "add", four, "dev", name) &&
	       RUN("ip", "-6", "address", "add", six, "dev", name, "nodad");
}

/* -- forwarding: the kernel cuts what rx joined ------------------------------------------------ */

/* From 10.1.0.0/16 or fd01::/16 behind t0 to 10.2.0.0/16 or fd02::/16 behind t1. */
static void routable_flow(struct rng *rng, struct flow_spec *f, uint16_t mtu)
{
	do {
		flow_random(rng, f, mtu);
	} while (f->protocol != 6 && f->protocol != 17);
	f->extension_len = 0;
	f->ttl |= 2;
	memset(f->source, 0, sizeof(f->source));
	memset(f->destination, 0, sizeof(f->destination));
	if (f->version == 4) {
		memcpy(f->source, (const uint8_t[]){ 10, 1, 0, (uint8_t)(2 + rng_below(rng, 3)) }, 4);
		memcpy(f->destination, (const uint8_t[]){ 10, 2, 0, (uint8_t)(2 + rng_below(rng, 3)) }, 4);
	} else {
		f->source[0] = f->destination[0] = 0xfd;
		f->source[1] = 1;
		f->destination[1] = 2;
		f->source[15] = (uint8_t)(2 + rng_below(rng, 3));
		f->destination[15] = (uint8_t)(2 + rng_below(rng, 3));
	}
}

/* What a router makes of a packet. */
static void forwarded(const struct list *in, struct list *out)
{
	for (size_t i = 0; i < in->count; i++) {
		list_add(out, in->items[i].data, in->items[i].len);
		uint8_t *p = out->items[i].data;

		if (p[0] >> 4 == 6) {
			p[7]--;
			continue;
		}
		p[8]--;
		p[10] = p[11] = 0;
		uint16_t check = ref_checksum(p, (p[0] & 15u) * 4, 0);
		p[10] = (uint8_t)(check >> 8);
		p[11] = (uint8_t)check;
	}
}

/* Is it one of ours, and not router solicitation or multicast listener report? */
static bool is_ours(const uint8_t *p, size_t n)
{
	return (n >= 20 && p[0] >> 4 == 4 && p[16] == 10) || (n >= 40 && p[0] >> 4 == 6 && p[24] == 0xfd);
}

/* Reads until `count` packets are there, or nothing comes any more. */
static void read_packets(int fd, size_t count, struct list *out)
{
	uint8_t p[65536];

	while (out->count < count) {
		ssize_t n = read(fd, p, sizeof(p));

		if (n > 0 && is_ours(p, (size_t)n))
			list_add(out, p, (size_t)n);
		else if (n <= 0 && poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, QUIET_MS) <= 0)
			return;
	}
}

static void the_kernel_cuts_joined_writes_to_the_same_packets(void)
{
	_cleanup_(rx_freep) struct rx *rx = NULL;
	_cleanup_close_ int ns = new_namespace();
	struct rng rng = { 4711 };
	struct tun near, far;
	size_t packets = 0, writes = 0;

	check(ns >= 0);
	check(new_tun("t0", true, "10.1.0.1/16", "fd01::1/16", &near));
	check(new_tun("t1", false, "10.2.0.1/16", "fd02::1/16", &far));
	check(write_file("/proc/sys/net/ipv4/ip_forward", "1"));
	check(write_file("/proc/sys/net/ipv6/conf/all/forwarding", "1"));
	check(rx_new(&(struct rx_config){ .vnet_hdr = true, .udp = near.offloads & TUN_OFFLOAD_USO }, &rx) ==
	      0);
	printf("# offloads 0x%x\n", near.offloads);

	for (int round = 0; round < 150; round++) {
		static const uint16_t mtus[] = { 100, 576, 1280, 1500, 4087 };
		struct list in = { 0 }, expected = { 0 }, got = { 0 };
		struct flow_spec flows[4];
		struct iovec iov[RX_IOV_MAX];
		const char *why = "";
		size_t n = 1 + rng_below(&rng, 4);
		int pieces;

		for (size_t i = 0; i < n; i++)
			routable_flow(&rng, &flows[i], mtus[rng_below(&rng, 5)]);
		random_flow_packets(&rng, flows, n, true, &in, 1 + rng_below(&rng, 150));
		for (size_t i = 0; i < in.count; i++)
			if (rng_one_in(&rng, 30)) /* wrong transport checksums pass as they are */
				in.items[i].data[in.items[i].len - 1] ^= 1;
		forwarded(&in, &expected);
		for (size_t i = 0; i < in.count; i++)
			check_int(rx_add(rx, in.items[i].data[0] >> 4 == 6 ? PPP_PROTO_IPV6 : PPP_PROTO_IPV4,
					 in.items[i].data, in.items[i].len),
				  0);
		while ((pieces = rx_next(rx, iov)) > 0) {
			if (writev(near.fd, iov, pieces) < 0)
				check_str(strerror(errno), "written");
		}
		read_packets(far.fd, expected.count, &got);
		(void)same_packets(&expected, &got, ORDER_STRICT, &why);
		check_str(why ? why : "the same", "the same");
		packets += in.count;
		list_clear(&in);
		list_clear(&expected);
		list_clear(&got);
	}
	writes = (size_t)rx_stats(rx)->writes;
	printf("# %zu packets in %zu writes\n", packets, writes);
	check(packets > 2 * writes);
	tun_close(&near);
	tun_close(&far);
}

/* -- a tunnel between two hosts ---------------------------------------------------------------- */

struct world {
	int near_ns, far_ns;
	struct tun near, far;
	struct tx *tx;
	struct rx *rx;
	size_t bad; /* packets on the way to the far end with wrong checksums, or longer than the MTU */
};

static void world_done(struct world *w)
{
	tun_close(&w->near);
	tun_close(&w->far);
	w->near_ns = close_fd(w->near_ns);
	w->far_ns = close_fd(w->far_ns);
	tx_free(w->tx);
	rx_free(w->rx);
}

static bool world_init(struct world *w)
{
	*w = (struct world){ .near_ns = -1, .far_ns = -1, .near = { .fd = -1 }, .far = { .fd = -1 } };
	w->near_ns = new_namespace();
	if (w->near_ns < 0 || !new_tun("t0", true, "10.7.0.1/24", "fd07::1/64", &w->near) ||
	    !RUN("ip", "link", "set", "t0", "mtu", "1500"))
		return false;
	w->far_ns = new_namespace();
	return w->far_ns >= 0 && new_tun("t1", false, "10.7.0.2/24", "fd07::2/64", &w->far) &&
	       RUN("ip", "link", "set", "t1", "mtu", "1500") &&
	       tx_new(&(struct tx_config){ .vnet_hdr = true, .mtu = 1500, .hash_key = 3 }, &w->tx) == 0 &&
	       rx_new(&(struct rx_config){ .vnet_hdr = true, .udp = w->near.offloads & TUN_OFFLOAD_USO },
		      &w->rx) == 0;
}

/* Near to far: tx, and each packet is checked and written singly. */
static void carry_out(struct world *w)
{
	uint8_t out[16384];
	size_t size, n;

	for (;;) {
		uint8_t *p = tx_reserve(w->tx, &size);
		ssize_t r = read(w->near.fd, p, size);

		if (r <= 0)
			break;
		(void)tx_commit(w->tx, (size_t)r, clock_now());
		while ((n = tx_fill(w->tx, out, sizeof(out), clock_now())) > 0)
			for (size_t at = 0; at < n;) {
				size_t len = out[at + 2] * 256u + out[at + 3];

				w->bad += len - 8 > 1500 || !ref_checksums_right(out + at + 8, len - 8);
				(void)!write(w->far.fd, out + at + 8, len - 8);
				at += len;
			}
	}
}

/* Far to near: up to a batch of packets is joined. */
static void carry_in(struct world *w)
{
	static uint8_t batch[200][2048];
	struct iovec iov[RX_IOV_MAX];
	size_t count = 0;
	ssize_t n;
	int pieces;

	while (count < ARRAY_SIZE(batch) && (n = read(w->far.fd, batch[count], sizeof(batch[0]))) > 0) {
		(void)rx_add(w->rx, batch[count][0] >> 4 == 6 ? PPP_PROTO_IPV6 : PPP_PROTO_IPV4, batch[count],
			     (size_t)n);
		count++;
	}
	while ((pieces = rx_next(w->rx, iov)) > 0)
		if (writev(w->near.fd, iov, pieces) < 0)
			w->bad++;
}

static int socket_in(int ns, int family, int type)
{
	return setns(ns, CLONE_NEWNET) < 0 ? -1 : socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static struct sockaddr_storage address(int family, int host, socklen_t *ret_len)
{
	struct sockaddr_storage a = { .ss_family = (sa_family_t)family };

	if (family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)&a;

		in->sin_port = htons(5000);
		in->sin_addr.s_addr = htonl(0x0a070000u + (uint32_t)host);
		*ret_len = sizeof(*in);
	} else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a;

		in6->sin6_port = htons(5000);
		in6->sin6_addr.s6_addr[0] = 0xfd;
		in6->sin6_addr.s6_addr[1] = 7;
		in6->sin6_addr.s6_addr[15] = (uint8_t)host;
		*ret_len = sizeof(*in6);
	}
	return a;
}

/* Byte `i` of what is sent. */
static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 2654435761u >> 13);
}

/* Moves what can be moved, and waits for more. */
static void carry(struct world *w, const int *sockets, size_t n)
{
	struct pollfd fds[4] = { { .fd = w->near.fd, .events = POLLIN },
				 { .fd = w->far.fd, .events = POLLIN } };

	carry_out(w);
	carry_in(w);
	for (size_t i = 0; i < n; i++)
		fds[2 + i] = (struct pollfd){ .fd = sockets[i], .events = i == 0 ? POLLOUT : POLLIN };
	(void)poll(fds, (nfds_t)(2 + n), 1);
}

/* A connected pair of TCP sockets over the tunnel; the first is in `from`. */
static bool tcp_pair(struct world *w, int family, int from, int to, int to_host, int ret[2])
{
	_cleanup_close_ int listener = socket_in(to, family, SOCK_STREAM);
	socklen_t len;
	struct sockaddr_storage a = address(family, to_host, &len);
	usec_t end = clock_now() + PATIENCE;

	if (listener < 0 || bind(listener, (struct sockaddr *)&a, len) < 0 || listen(listener, 1) < 0)
		return false;
	ret[0] = socket_in(from, family, SOCK_STREAM);
	ret[1] = -1;
	if (connect(ret[0], (struct sockaddr *)&a, len) < 0 && errno != EINPROGRESS)
		return false;
	while (ret[1] < 0 && clock_now() < end) {
		carry(w, &listener, 0);
		ret[1] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	}
	return ret[1] >= 0;
}

/* Sends BULK bytes from one end to the other; true if they come, and come right. */
static bool transfer(struct world *w, int family, bool up)
{
	int s[2] = { -1, -1 };
	size_t sent = 0, received = 0;
	usec_t end = clock_now() + PATIENCE;
	static uint8_t out[1 << 16], in[1 << 16];
	bool right = up ? tcp_pair(w, family, w->near_ns, w->far_ns, 2, s)
			: tcp_pair(w, family, w->far_ns, w->near_ns, 1, s);

	while (right && received < BULK && clock_now() < end) {
		for (size_t i = 0; i < sizeof(out); i++)
			out[i] = pattern(sent + i);
		ssize_t n = send(s[0], out, MIN(sizeof(out), BULK - sent), MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		carry(w, s, 2);
		while ((n = recv(s[1], in, sizeof(in), 0)) > 0) {
			for (ssize_t i = 0; i < n; i++)
				right = right && in[i] == pattern(received + (size_t)i);
			received += (size_t)n;
		}
	}
	s[0] = close_fd(s[0]);
	s[1] = close_fd(s[1]);
	for (int i = 0; i < 100; i++)
		carry(w, NULL, 0);
	if (received < BULK)
		printf("# %zu of %u bytes came\n", received, BULK);
	return right && received == BULK;
}

/* A counter of /proc/net/snmp of the namespace; -1 if it cannot be read. */
static int64_t counter(int ns, const char *table, const char *name)
{
	char names[2048], values[2048], *n, *v, *np = NULL, *vp = NULL;
	uint32_t value;
	int64_t result = -1;

	if (setns(ns, CLONE_NEWNET) < 0)
		return -1;
	FILE *f = fopen("/proc/thread-self/net/snmp", "re");
	if (!f)
		return -1;
	while (fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f)) {
		if (strncmp(names, table, strlen(table)) != 0)
			continue;
		n = strtok_r(names, " \n", &np);
		v = strtok_r(values, " \n", &vp);
		for (; n && v; n = strtok_r(NULL, " \n", &np), v = strtok_r(NULL, " \n", &vp))
			if (strcmp(n, name) == 0 && parse_u32(v, 0, UINT32_MAX, &value) == 0)
				result = value;
	}
	(void)fclose(f);
	return result;
}

static void tcp_flows_through_with_right_checksums(void)
{
	_cleanup_(world_done) struct world w;

	check(world_init(&w));
	for (int i = 0; i < 4; i++) {
		int family = i < 2 ? AF_INET : AF_INET6;
		struct tx_stats tx = *tx_stats(w.tx);
		struct rx_stats rx = *rx_stats(w.rx);

		check(transfer(&w, family, i % 2 == 0));
		uint64_t packets = tx_stats(w.tx)->packets - tx.packets,
			 reads = tx_stats(w.tx)->reads - tx.reads,
			 came = rx_stats(w.rx)->packets - rx.packets,
			 writes = rx_stats(w.rx)->writes - rx.writes;
		printf("# IPv%c %s: %" PRIu64 " packets of %" PRIu64 " reads out, %" PRIu64
		       " packets in %" PRIu64 " writes in\n",
		       i < 2 ? '4' : '6', i % 2 ? "down" : "up", packets, reads, came, writes);
		if (i % 2 == 0)
			check(packets > 4 * reads); /* TSO is in use */
		else
			check(came > 4 * writes); /* joining is in use */
	}
	check_int(w.bad, 0);
	check_int(tx_stats(w.tx)->invalid + tx_stats(w.tx)->too_big + tx_stats(w.tx)->overlimit, 0);
	check_int(rx_stats(w.rx)->dropped, 0);
	check_int(counter(w.near_ns, "Tcp:", "InCsumErrors"), 0);
	check_int(counter(w.far_ns, "Tcp:", "InCsumErrors"), 0);
	check_int(counter(w.near_ns, "Ip:", "InHdrErrors"), 0);
	check_int(counter(w.far_ns, "Ip:", "InHdrErrors"), 0);
}

/* Numbered datagrams, up with UDP_SEGMENT, 20 to a call. Returns how many came, in order and right. */
static size_t datagrams(struct world *w, int family, bool up)
{
	_cleanup_close_ int from = socket_in(up ? w->near_ns : w->far_ns, family, SOCK_DGRAM),
			    to = socket_in(up ? w->far_ns : w->near_ns, family, SOCK_DGRAM);
	socklen_t len;
	struct sockaddr_storage a = address(family, up ? 2 : 1, &len);
	int size = up ? (int)DATAGRAM : 0, room = 8 << 20;
	static uint8_t out[20 * DATAGRAM], in[2 * DATAGRAM];
	size_t per_call = up ? 20 : 1, sent = 0, came = 0;
	usec_t end = clock_now() + PATIENCE, last = clock_now();

	(void)setsockopt(to, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (bind(to, (struct sockaddr *)&a, len) < 0 || connect(from, (struct sockaddr *)&a, len) < 0 ||
	    setsockopt(from, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)) < 0)
		return 0;
	while (came < DATAGRAMS && clock_now() < end && clock_now() < last + USEC_PER_SEC) {
		ssize_t n;

		for (int i = 0; i < 20 && sent < DATAGRAMS && sent < came + 500; i++) {
			for (size_t k = 0; k < per_call; k++) {
				memset(out + k * DATAGRAM, pattern(sent + k), DATAGRAM);
				uint32_t number = (uint32_t)(sent + k);
				memcpy(out + k * DATAGRAM, &number, sizeof(number));
			}
			if (send(from, out, per_call * DATAGRAM, 0) > 0)
				sent += per_call;
		}
		carry(w, &to, 0);
		while ((n = recv(to, in, sizeof(in), 0)) > 0) {
			uint32_t number;

			memcpy(&number, in, sizeof(number));
			if (n != DATAGRAM || number != came || in[DATAGRAM - 1] != pattern(number))
				return came;
			came++;
			last = clock_now();
		}
	}
	return came;
}

static void udp_flows_through_with_right_checksums(void)
{
	_cleanup_(world_done) struct world w;

	check(world_init(&w));
	if (!(w.near.offloads & TUN_OFFLOAD_USO))
		printf("# this kernel has no USO for TUN\n");
	for (int i = 0; i < 4; i++) {
		struct tx_stats tx = *tx_stats(w.tx);
		struct rx_stats rx = *rx_stats(w.rx);

		check_int(datagrams(&w, i < 2 ? AF_INET : AF_INET6, i % 2 == 0), DATAGRAMS);
		uint64_t packets = tx_stats(w.tx)->packets - tx.packets,
			 reads = tx_stats(w.tx)->reads - tx.reads,
			 came = rx_stats(w.rx)->packets - rx.packets,
			 writes = rx_stats(w.rx)->writes - rx.writes;
		printf("# IPv%c %s: %" PRIu64 " packets of %" PRIu64 " reads out, %" PRIu64
		       " packets in %" PRIu64 " writes in\n",
		       i < 2 ? '4' : '6', i % 2 ? "down" : "up", packets, reads, came, writes);
		if (w.near.offloads & TUN_OFFLOAD_USO)
			check(i % 2 ? came > 4 * writes : packets > 4 * reads);
	}
	check_int(w.bad, 0);
	check_int(tx_stats(w.tx)->invalid + tx_stats(w.tx)->too_big + tx_stats(w.tx)->overlimit, 0);
	check_int(counter(w.near_ns, "Udp:", "InCsumErrors"), 0);
	check_int(counter(w.far_ns, "Udp:", "InCsumErrors"), 0);
}

int main(void)
{
	return run_tests((struct test[]){ TEST(the_kernel_cuts_joined_writes_to_the_same_packets),
					  TEST(tcp_flows_through_with_right_checksums),
					  TEST(udp_flows_through_with_right_checksums),
					  {} });
}
