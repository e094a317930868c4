/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "netconf/nft.h"
#include "test.h"

static void table_names_are_reversible(void)
{
	static const struct {
		const char *ifname, *table;
	} cases[] = { { "sstpc0", "sstpcd_sstpc0" },
		      { "vpn-a.b_c", "sstpcd_vpn-a.b_c" },
		      { "a@b", "sstpcd_a/40b" },
		      { "\"*$'\\#;{}~!^[]=", "sstpcd_/22/2a/24/27/5c/23/3b/7b/7d/7e/21/5e/5b/5d/3d" } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char table[NFT_TABLE_MAX], back[IFNAMSIZ] = "";

		nft_table_name(cases[i].ifname, table);
		check_str(table, cases[i].table);
		check_int(nft_table_interface(table, back), 0);
		check_str(back, cases[i].ifname);
	}
}

static void foreign_tables_are_not_ours(void)
{
	static const char *const tables[] = { "filter",
					      "sstpcd",
					      "sstpcd_",
					      "sstpcd_/4",
					      "sstpcd_/zz",
					      "sstpcd_/2f",
					      "sstpcd_0123456789abcdef",
					      "sstpcd_.." };

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		char ifname[IFNAMSIZ] = "same";

		check_int(nft_table_interface(tables[i], ifname), -EINVAL);
		check_str(ifname, "same");
	}
}

static void ruleset_replaces_the_table(void)
{
	struct net_nft nft = { .mss = NET_MSS_VALUE, .mss_value = 1300, .source_validation = NET_SV_STRICT };
	_cleanup_text_ struct text out = { 0 };

	check_int(nft_ruleset("sstpc0", &nft, &out), 0);
	check_str(text_str(&out),
		  "add table inet sstpcd_sstpc0\n"
		  "delete table inet sstpcd_sstpc0\n"
		  "table inet sstpcd_sstpc0 {\n"
		  "\tcomment \"mss=1300 rpf=strict\"\n"
		  "\tchain adjust_mss {\n"
		  "\t\ttype filter hook postrouting priority -150; policy accept;\n"
		  "\t\toifname \"sstpc0\" tcp flags & (syn|rst) == syn tcp option maxseg size > 1300 tcp "
		  "option maxseg "
		  "size set 1300\n"
		  "\t}\n"
		  "\tchain source_validation {\n"
		  "\t\ttype filter hook prerouting priority -300; policy accept;\n"
		  "\t\tiifname \"sstpc0\" meta nfproto ipv4 fib saddr . iif oif missing counter drop\n"
		  "\t}\n"
		  "}\n");
}

static void only_what_is_asked_for(void)
{
	struct net_nft clamp = { .mss = NET_MSS_CLAMP }, loose = { .source_validation = NET_SV_LOOSE };
	struct net_nft vrf = { .source_validation = NET_SV_LOOSE, .in_vrf = true };
	_cleanup_text_ struct text a = { 0 }, b = { 0 }, c = { 0 };

	check_int(nft_ruleset("sstpc0", &clamp, &a), 0);
	check(strstr(text_str(&a), "tcp option maxseg size set rt mtu") && !strstr(text_str(&a), "fib"));
	check_int(nft_ruleset("sstpc0", &loose, &b), 0);
	check(strstr(text_str(&b),
		     "iifname \"sstpc0\" meta nfproto ipv4 fib saddr oif missing counter drop"));
	check(!strstr(text_str(&b), "maxseg"));
	/* In a VRF the lookup without `iif` would happen in the main table. */
	check_int(nft_ruleset("sstpc0", &vrf, &c), 0);
	const char *local = strstr(text_str(&c), "hook input priority"),
		   *forwarded = strstr(text_str(&c), "hook forward priority");
	static const char rule[] =
		"meta sdifname \"sstpc0\" meta nfproto ipv4 fib saddr . iif oif missing counter drop";
	check(local && strstr(local, rule) && forwarded && strstr(forwarded, rule));
	/* The kernel refuses `sdifname` there. */
	check(!strstr(text_str(&c), "hook prerouting"));
}

static void names_that_nft_cannot_quote_are_refused(void)
{
	static const char *const names[] = { "a\"b", "a*", "a\\b", "$a", "", "a b", "0123456789abcdef" };
	struct net_nft nft = { .mss = NET_MSS_CLAMP };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		_cleanup_text_ struct text out = { 0 };

		check_int(nft_ruleset(names[i], &nft, &out), -EINVAL);
		check_int(out.len, 0);
	}
}

int main(void)
{
	return run_tests((struct test[]){
		TEST(table_names_are_reversible),
		TEST(foreign_tables_are_not_ours),
		TEST(ruleset_replaces_the_table),
		TEST(only_what_is_asked_for),
		TEST(names_that_nft_cannot_quote_are_refused),
		{},
	});
}
