/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The layouts of the manual page: an interface, its counters, tables. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>

#include "sstpcd/links.h"
#include "sstpcd/show.h"
#include "sstpcd/table.h"
#include "test.h"

static struct net_addr address(const char *text)
{
	struct net_addr a = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };

	(void)inet_pton(a.family, text, &a.in6);
	return a;
}

/* The interface of the manual page. */
static struct link_info sample(void)
{
	struct link_info l = { .name = "sstpc10",
			       .flags = IFF_POINTOPOINT | IFF_MULTICAST | IFF_NOARP | IFF_UP | IFF_RUNNING |
					1u << 16,
			       .mtu = 1500,
			       .qdisc = "pfifo_fast",
			       .qlen = 3,
			       .type = ARPHRD_PPP };

	l.addresses[l.n_addresses++] = (struct link_address){ .local = address("192.0.2.5"),
							      .peer = address("192.0.2.254"),
							      .prefix_len = 32,
							      .flags = 0x80,
							      .label = "sstpc10",
							      .valid = UINT32_MAX,
							      .preferred = UINT32_MAX };
	l.addresses[l.n_addresses++] = (struct link_address){ .local = address("fe80::fd53:c7ff:fe8b:144f"),
							      .prefix_len = 64,
							      .flags = 0x80,
							      .scope = RT_SCOPE_LINK,
							      .valid = UINT32_MAX,
							      .preferred = UINT32_MAX };
	static const uint64_t counters[_LINK_COUNTERS] = { 215, 9, 0, 0, 0, 0, 539, 14, 0, 0, 0, 0 };
	memcpy(l.counters, counters, sizeof(counters));
	return l;
}

static void the_interface_of_the_manual_page(void)
{
	struct link_info l = sample();
	_cleanup_text_ struct text out = { 0 };

	link_print(&l, &out);
	text_add(&out, "\n");
	show_print_counters(l.counters, &out);
	check_str(text_str(&out), "sstpc10: <POINTOPOINT,MULTICAST,NOARP,UP,LOWER_UP> mtu 1500 qdisc "
				  "pfifo_fast state UNKNOWN group default qlen 3\n"
				  "    link/ppp\n"
				  "    inet 192.0.2.5 peer 192.0.2.254/32 scope global sstpc10\n"
				  "       valid_lft forever preferred_lft forever\n"
				  "    inet6 fe80::fd53:c7ff:fe8b:144f/64 scope link\n"
				  "       valid_lft forever preferred_lft forever\n"
				  "\n"
				  "    RX:  bytes  packets  errors  dropped  overrun       mcast\n"
				  "           215        9       0        0        0           0\n"
				  "    TX:  bytes  packets  errors  dropped  carrier  collisions\n"
				  "           539       14       0        0        0           0\n");
}

static void counters_widen_their_column(void)
{
	static const uint64_t counters[_LINK_COUNTERS] = {
		12345678901, 9, 0, 0, 0, 0, 1, 99999999, 0, 0, 0, 0
	};
	_cleanup_text_ struct text out = { 0 };

	show_print_counters(counters, &out);
	check_str(text_str(&out), "    RX:        bytes   packets  errors  dropped  overrun       mcast\n"
				  "         12345678901         9       0        0        0           0\n"
				  "    TX:        bytes   packets  errors  dropped  carrier  collisions\n"
				  "                   1  99999999       0        0        0           0\n");
}

static void a_down_and_enslaved_interface(void)
{
	struct link_info l = { .name = "sstpc0",
			       .flags = IFF_POINTOPOINT | IFF_NOARP | IFF_UP,
			       .mtu = 1400,
			       .type = ARPHRD_PPP,
			       .operstate = 2,
			       .master_name = "red",
			       .group = 7 };
	_cleanup_text_ struct text out = { 0 };

	link_print(&l, &out);
	check_str(text_str(&out),
		  "sstpc0: <NO-CARRIER,POINTOPOINT,NOARP,UP> mtu 1400 qdisc noqueue master red state DOWN "
		  "group 7\n    link/ppp\n");
	check_str(link_state(&l), "u/D");
	l.flags &= ~(uint32_t)IFF_UP;
	check_str(link_state(&l), "A/D");
	l = sample();
	check_str(link_state(&l), "u/u"); /* PPP does not know its state: unknown is up */
}

static void summary_rows_wrap(void)
{
	struct link_info l = sample();
	_cleanup_text_ struct text out = { 0 };

	l.addresses[l.n_addresses++] = (struct link_address){
		.local = address("2001:db8:1111:2222:3333:4444:5555:6666"), .prefix_len = 128
	};
	(void)snprintf(l.alias, sizeof(l.alias), "This is an interface running on VyOS.");
	show_summary_row(&l, &out);
	check_str(text_str(&out),
		  "sstpc10          192.0.2.5/32                      u/u  This is an interface\n"
		  "                 2001:db8:1111:2222:3333:4444:5555:6666/128\n"
		  "                                                        running on VyOS.\n");
	struct link_info bare = { .name = "sstpc1", .operstate = 2 };
	out.len = 0;
	show_summary_row(&bare, &out);
	check_str(text_str(&out), "sstpc1           -                                 A/D\n");
	/* A description without blanks is cut between characters. */
	out.len = 0;
	(void)snprintf(bare.alias, sizeof(bare.alias), "%s", "ääääääääääääääääääääääääääääää");
	show_summary_row(&bare, &out);
	check(strstr(text_str(&out), "ä\n"));
	check(!strstr(text_str(&out), "\xc3\n"));
}

static void tables_are_as_wide_as_needed(void)
{
	static const char *const headers[] = { "Interface", "MTU", "Text", NULL };
	static const bool numeric[] = { false, true, false };
	_cleanup_table_ struct table t = { 0 };
	_cleanup_text_ struct text out = { 0 };

	table_init(&t, headers, numeric);
	for (const char *const *c =
		     (const char *const[]){ "lo", "65536", "", "a-long-interface", "68", "x\nüü", NULL };
	     *c; c++)
		table_add(&t, *c);
	table_print(&t, &out);
	check_str(text_str(&out), "Interface           MTU  Text\n"
				  "----------------  -----  ------\n"
				  "lo                65536\n"
				  "a-long-interface     68  x\n"
				  "                         üü\n");
}

static void the_kernel_is_read(void)
{
	_cleanup_links_ struct links links = { 0 }, none = { 0 };

	check_int(links_read(&links, "lo"), 0);
	check_int(links.n, 1);
	check_str(links.items[0].name, "lo");
	check_int(links.items[0].ifindex, 1);
	check(links.items[0].flags & IFF_LOOPBACK);
	check_int(links_read(&none, "no-such-link"), -ENODEV);
}

static void a_wall_clock_that_is_set_changes_no_age(void)
{
	const usec_t begin = 30 * USEC_PER_SEC + 600000, today = 1796084451 * USEC_PER_SEC + 100000;
	struct show_age age = show_age(begin, begin + 60 * USEC_PER_SEC, 65 * USEC_PER_SEC);

	check(age.seconds == 60 && age.since == 5);
	age = show_age(begin, begin + 70 * USEC_PER_SEC, today); /* NTP has come */
	check(age.seconds == 70 && age.since == 1796084381);
	for (usec_t later = 0; later < USEC_PER_SEC; later += 100000) /* it is always the same second */
		check(show_age(begin, begin + later, today + later).since == 1796084451);
	age = show_age(begin, begin - 1, today);
	check(age.seconds == 0 && age.since == 1796084451);
}

int main(void)
{
	return run_tests((struct test[]){ TEST(the_interface_of_the_manual_page),
					  TEST(counters_widen_their_column),
					  TEST(a_down_and_enslaved_interface),
					  TEST(summary_rows_wrap),
					  TEST(tables_are_as_wide_as_needed),
					  TEST(the_kernel_is_read),
					  TEST(a_wall_clock_that_is_set_changes_no_age),
					  {} });
}
