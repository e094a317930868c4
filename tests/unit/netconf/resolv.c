/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>

#include "netconf/dns/resolv.h"
#include "test.h"

static struct net_addr ip(const char *s)
{
	struct net_addr a = { .family = strchr(s, ':') ? AF_INET6 : AF_INET };

	(void)inet_pton(a.family, s, &a.in6);
	return a;
}

static void install(const char *text, const char *ifname, const char *server, bool created, struct text *out)
{
	struct net_addr dns = ip(server);

	resolv_install(text, ifname, &dns, 1, created, out);
}

static void ours_come_first_and_the_hosts_are_hidden(void)
{
	_cleanup_text_ struct text out = { 0 };
	struct net_addr dns[] = { ip("10.0.0.53"), ip("2001:db8::53") };

	resolv_install("# by hand\nnameserver 192.168.1.1\nsearch lan\noptions edns0\n", "sstpc0", dns, 2,
		       false, &out);
	check_str(text_str(&out),
		  "# sstpcd: begin sstpc0\nnameserver 10.0.0.53\nnameserver 2001:db8::53\n"
		  "# sstpcd: end sstpc0\n# by hand\n#sstpcd# nameserver 192.168.1.1\nsearch lan\n"
		  "options edns0\n");
	check(resolv_is_installed(text_str(&out), "sstpc0", dns, 2));
	check(!resolv_is_installed(text_str(&out), "sstpc0", dns, 1));
	check(!resolv_is_installed(text_str(&out), "sstpc", dns, 2));
	check(!resolv_is_installed(text_str(&out), "sstpc00", dns, 2));
}

/* Router advertisements may name the router itself; without its interface no libc can ask it. */
static void link_local_resolver_has_its_interface(void)
{
	_cleanup_text_ struct text out = { 0 }, without = { 0 };
	struct net_addr dns = ip("fe80::53");
	bool unlink_it;

	install("", "sstpc0", "fe80::53", false, &out);
	check_str(text_str(&out),
		  "# sstpcd: begin sstpc0\nnameserver fe80::53%sstpc0\n# sstpcd: end sstpc0\n");
	check(resolv_is_installed(text_str(&out), "sstpc0", &dns, 1));
	check(resolv_remove(text_str(&out), "sstpc0", &without, &unlink_it));
	check_str(text_str(&without), "");
}

static void removal_gives_the_original_back(void)
{
	static const char *const originals[] = {
		"",
		"\n",
		"nameserver 1.1.1.1",
		"nameserver 1.1.1.1\n",
		"nameserver\t1.1.1.1\nnameserver 2.2.2.2\nsearch a b\n\n",
		"; comment\n#nameserver 3.3.3.3\noptions rotate",
		" nameserver 9.9.9.9\n",
	};

	for (size_t i = 0; i < sizeof(originals) / sizeof(originals[0]); i++) {
		_cleanup_text_ struct text with = { 0 }, twice = { 0 }, without = { 0 };
		bool unlink_it;

		install(originals[i], "sstpc0", "10.0.0.53", false, &with);
		install(text_str(&with), "sstpc0", "10.0.0.54", false, &twice);
		check(resolv_remove(text_str(&twice), "sstpc0", &without, &unlink_it));
		check_str(text_str(&without), originals[i]);
		check(!unlink_it);
	}
}

static void two_tunnels_end_in_any_order(void)
{
	const char *original = "nameserver 192.168.1.1\nsearch lan\n";

	for (int first = 0; first < 2; first++) {
		_cleanup_text_ struct text one = { 0 }, two = { 0 }, left = { 0 }, none = { 0 };
		struct net_addr dns = ip("10.0.0.53");
		const char *names[] = { "sstpc0", "sstpc1" };
		bool unlink_it;

		install(original, "sstpc0", "10.0.0.53", false, &one);
		install(text_str(&one), "sstpc1", "10.1.0.53", false, &two);
		check(strstr(text_str(&two), "nameserver 10.1.0.53\n") <
		      strstr(text_str(&two), "nameserver 10.0.0.53\n"));
		check(resolv_is_installed(text_str(&two), "sstpc0", &dns, 1));
		check(resolv_remove(text_str(&two), names[first], &left, &unlink_it));
		check(strstr(text_str(&left), "#sstpcd# nameserver 192.168.1.1\n"));
		check(strstr(text_str(&left), first == 0 ? "10.1.0.53" : "10.0.0.53"));
		check(resolv_remove(text_str(&left), names[!first], &none, &unlink_it));
		check_str(text_str(&none), original);
	}
}

static void what_others_changed_meanwhile_stays(void)
{
	_cleanup_text_ struct text with = { 0 }, edited = { 0 }, without = { 0 }, same = { 0 };
	bool unlink_it;

	install("nameserver 192.168.1.1\n", "sstpc0", "10.0.0.53", false, &with);
	text_addf(&edited, "%soptions timeout:1\n", text_str(&with));
	check(resolv_remove(text_str(&edited), "sstpc0", &without, &unlink_it));
	check_str(text_str(&without), "nameserver 192.168.1.1\noptions timeout:1\n");
	/* Rewritten as a whole: nothing of ours is in it, nothing is taken away. */
	check(!resolv_remove("nameserver 8.8.8.8\n", "sstpc0", &same, &unlink_it));
	check_str(text_str(&same), "nameserver 8.8.8.8\n");
}

static void file_that_we_created_goes(void)
{
	_cleanup_text_ struct text with = { 0 }, again = { 0 }, without = { 0 };
	bool unlink_it;

	install("", "sstpc0", "10.0.0.53", true, &with);
	install(text_str(&with), "sstpc0", "10.0.0.54", false, &again);
	check(resolv_remove(text_str(&again), "sstpc0", &without, &unlink_it));
	check(unlink_it);
	check_int(without.len, 0);
}

static void file_that_we_created_stays_when_others_write_to_it(void)
{
	_cleanup_text_ struct text with = { 0 }, without = { 0 };
	bool unlink_it;

	install("", "sstpc0", "10.0.0.53", true, &with);
	text_add(&with, "search lan\n");
	check(resolv_remove(text_str(&with), "sstpc0", &without, &unlink_it));
	check(!unlink_it);
	check_str(text_str(&without), "search lan\n");
}

static void created_is_inherited_by_the_other_tunnel(void)
{
	_cleanup_text_ struct text one = { 0 }, two = { 0 }, left = { 0 }, none = { 0 };
	struct net_addr dns = ip("10.1.0.53");
	bool unlink_it;

	install("", "sstpc0", "10.0.0.53", true, &one);
	install(text_str(&one), "sstpc1", "10.1.0.53", false, &two);
	check(resolv_remove(text_str(&two), "sstpc0", &left, &unlink_it));
	check(!unlink_it);
	check(resolv_is_installed(text_str(&left), "sstpc1", &dns, 1));
	check(resolv_remove(text_str(&left), "sstpc1", &none, &unlink_it));
	check(unlink_it);
}

static void block_without_an_end_is_not_ours(void)
{
	_cleanup_text_ struct text out = { 0 };
	bool unlink_it;

	check(!resolv_remove("# sstpcd: begin sstpc0\nnameserver 1.1.1.1\n", "sstpc0", &out, &unlink_it));
	check_str(text_str(&out), "# sstpcd: begin sstpc0\nnameserver 1.1.1.1\n");
}

/* resolv_gone_fn: everybody but the one in `ctx`. */
static bool is_other(void *ctx, const char *ifname)
{
	return strcmp(ifname, ctx) != 0;
}

static void blocks_of_the_gone_go_and_the_living_stays(void)
{
	const char *original = "nameserver 192.168.1.1\nsearch lan\n";
	char living[] = "sstpc1", nobody[] = "";
	_cleanup_text_ struct text one = { 0 }, two = { 0 }, three = { 0 }, left = { 0 }, none = { 0 };
	struct net_addr dns = ip("10.1.0.53");
	bool unlink_it;

	install(original, "sstpc0", "10.0.0.53", false, &one);
	install(text_str(&one), "sstpc1", "10.1.0.53", false, &two);
	install(text_str(&two), "sstpc2", "10.2.0.53", false, &three);
	check_int(resolv_remove_gone(text_str(&three), is_other, living, &left, &unlink_it), 2);
	check(!unlink_it);
	check(resolv_is_installed(text_str(&left), "sstpc1", &dns, 1));
	check(!resolv_has(text_str(&left), "sstpc0") && !resolv_has(text_str(&left), "sstpc2"));
	check(strstr(text_str(&left), "\n#sstpcd# nameserver 192.168.1.1\n"));
	check_int(resolv_remove_gone(text_str(&left), is_other, nobody, &none, &unlink_it), 1);
	check_str(text_str(&none), original);
}

static void file_that_the_gone_created_goes(void)
{
	char nobody[] = "";
	_cleanup_text_ struct text with = { 0 }, without = { 0 };
	bool unlink_it;

	install("", "sstpc0", "10.0.0.53", true, &with);
	check_int(resolv_remove_gone(text_str(&with), is_other, nobody, &without, &unlink_it), 1);
	check(unlink_it);
	check_int(without.len, 0);
}

static void marks_of_others_are_no_blocks_of_the_gone(void)
{
	static const char *const texts[] = {
		"# sstpcd: begin sstpc0\nnameserver 1.1.1.1\n",
		"# sstpcd: begin \n# sstpcd: end \n",
		"# sstpcd: begin ..\n# sstpcd: end ..\n",
		"# sstpcd: begin sixteen-letters-\n# sstpcd: end sixteen-letters-\n",
		"# sstpcd: begin sstpc0 \n# sstpcd: end sstpc0 \n",
		"# sstpcd: begin",
		"# sstpcd: begin s",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		_cleanup_text_ struct text out = { 0 };
		char nobody[] = "";
		bool unlink_it;

		check_int(resolv_remove_gone(texts[i], is_other, nobody, &out, &unlink_it), 0);
		check_str(text_str(&out), texts[i]);
	}
}

/* A file of 250 KiB of nothing but marks must not keep the start waiting. */
static void marks_are_counted(void)
{
	char nobody[] = "";
	_cleanup_text_ struct text marks = { 0 }, out = { 0 };
	bool unlink_it;

	for (size_t i = 0; i < 10000; i++)
		text_add(&marks, "# sstpcd: begin sstpc0\n");
	text_add(&marks, "# sstpcd: begin x\n# sstpcd: end x\n");
	check_int(resolv_remove_gone(text_str(&marks), is_other, nobody, &out, &unlink_it), 0);
	check_str(text_str(&out), text_str(&marks));
}

int main(void)
{
	return run_tests((struct test[]){
		TEST(ours_come_first_and_the_hosts_are_hidden),
		TEST(link_local_resolver_has_its_interface),
		TEST(removal_gives_the_original_back),
		TEST(two_tunnels_end_in_any_order),
		TEST(what_others_changed_meanwhile_stays),
		TEST(file_that_we_created_goes),
		TEST(file_that_we_created_stays_when_others_write_to_it),
		TEST(created_is_inherited_by_the_other_tunnel),
		TEST(block_without_an_end_is_not_ours),
		TEST(blocks_of_the_gone_go_and_the_living_stays),
		TEST(file_that_the_gone_created_goes),
		TEST(marks_of_others_are_no_blocks_of_the_gone),
		TEST(marks_are_counted),
		{},
	});
}
