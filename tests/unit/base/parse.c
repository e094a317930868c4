/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/parse.h"

#include <errno.h>

#include "test.h"

static void numbers(void)
{
	uint32_t v = 7;

	check_int(parse_u32("1500", 68, 4087, &v), 0);
	check_int(v, 1500);
	check_int(parse_u32("01400", 68, 4087, &v), 0);
	check_int(v, 1400);
	check_int(parse_u32("67", 68, 4087, &v), -ERANGE);
	check_int(parse_u32("99999999999999999999", 0, UINT32_MAX, &v), -ERANGE);
	check_int(parse_u32("4294967295", 0, UINT32_MAX, &v), 0);
	for (const char *const *s = (const char *const[]){ "", "-1", "+1", " 1", "1 ", "0x1", "1.0", NULL };
	     *s; s++)
		check_int(parse_u32(*s, 0, 100, &v), -EINVAL);
}

static void host_names(void)
{
	check(is_host_name("vpn.example.com"));
	check(is_host_name("a"));
	check(is_host_name("x-1.example."));
	check(is_host_name("1.example"));
	for (const char *const *s = (const char *const[]){ "", ".", "a..b", "-a", "a-", "a-.b", "1.2.3.4",
							   "1.2.3", "a_b", "a b", "256.1.1.1", ".a", NULL };
	     *s; s++)
		check(!is_host_name(*s));
	char label[66];
	memset(label, 'a', 63);
	label[63] = 0;
	check(is_host_name(label));
	label[63] = 'a';
	label[64] = 0;
	check(!is_host_name(label));
}

static void addresses(void)
{
	check(is_address("192.0.2.1"));
	check(is_address("2001:db8::1"));
	check(is_address("::ffff:192.0.2.1"));
	for (const char *const *s = (const char *const[]){ "", "vpn.example.com", "192.0.2", "192.0.2.1 ",
							   "[2001:db8::1]", "fe80::1%eth0", NULL };
	     *s; s++)
		check(!is_address(*s));
}

static void hosts_with_ports(void)
{
	struct host_port hp;

	check_int(parse_host_port("vpn.example.com", 443, &hp), 0);
	check_str(hp.host, "vpn.example.com");
	check_int(hp.port, 443);
	check(!hp.is_address);
	check_int(parse_host_port("vpn.example.com:4443", 443, &hp), 0);
	check_int(hp.port, 4443);
	check_int(parse_host_port("192.0.2.1:1", 443, &hp), 0);
	check(hp.is_address);
	check_int(hp.port, 1);
	check_int(parse_host_port("[2001:db8::1]:444", 443, &hp), 0);
	check_str(hp.host, "2001:db8::1");
	check_int(hp.port, 444);
	check_int(parse_host_port("2001:db8::1", 443, &hp), 0);
	check_int(hp.port, 443);
	check_int(parse_host_port("a:0", 443, &hp), -ERANGE);
	check_int(parse_host_port("a:65536", 443, &hp), -ERANGE);
	check_int(parse_host_port("a:", 443, &hp), -ERANGE);
	check_int(parse_host_port("[::1", 443, &hp), -EINVAL);
	check_int(parse_host_port("[a.b]:1", 443, &hp), -EINVAL);
	check_int(parse_host_port("[::1]x", 443, &hp), -EINVAL);
	check_int(parse_host_port("", 443, &hp), -EINVAL);
	check_int(parse_host_port(":443", 443, &hp), -EINVAL);
}

static void interface_names(void)
{
	check(is_interface_name("sstpc0"));
	check(is_interface_name("fifteen-letters"));
	check(!is_interface_name("sixteen-letters-"));
	check(!is_interface_name(""));
	check(!is_interface_name(".."));
	check(!is_interface_name("a/b"));
	check(!is_interface_name("a b"));
	check(!is_interface_name("all"));
	check(!is_interface_name("default"));
	check(is_interface_name("all0"));
}

int main(void)
{
	return run_tests((struct test[]){ TEST(numbers),
					  TEST(host_names),
					  TEST(addresses),
					  TEST(hosts_with_ports),
					  TEST(interface_names),
					  {} });
}
