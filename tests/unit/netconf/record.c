/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netconf/record.h"
#include "test.h"

static struct net_record full_record(void)
{
	struct net_record r = {
		.sysctl[NET_SYSCTL_FORWARDING] = { .held = true, .ours = 0, .old = 1, .base = 1 },
		.sysctl[NET_SYSCTL_RA_DEFRTR_METRIC] = { .held = true, .ours = 210, .old = 1024 },
		.server = { .dst = { .family = AF_INET },
			    .via = { .family = AF_INET },
			    .ifindex = 3,
			    .metric = 77 },
		.nft = true,
		.dns_backend = NET_DNS_OPENRESOLV,
		.dns = { { .family = AF_INET }, { .family = AF_INET6 } },
		.n_dns = 2
	};

	(void)inet_pton(AF_INET, "10.9.0.2", &r.local);
	(void)inet_pton(AF_INET, "10.9.0.1", &r.peer);
	(void)inet_pton(AF_INET6, "fe80::1234", &r.link_local);
	(void)inet_pton(AF_INET, "203.0.113.1", &r.server.dst.in);
	(void)inet_pton(AF_INET, "192.0.2.1", &r.server.via.in);
	(void)inet_pton(AF_INET, "10.9.0.53", &r.dns[0].in);
	(void)inet_pton(AF_INET6, "2001:db8::53", &r.dns[1].in6);
	return r;
}

static void parse_of_format_is_identity(void)
{
	struct net_record records[] = { full_record(), { .dns_backend = NET_DNS_NONE } };

	for (size_t i = 0; i < 2; i++) {
		struct record_owner owner = { .netns = 0x1234567890, .ifindex = 7 }, again_owner = { 0 };
		_cleanup_text_ struct text text = { 0 };
		struct net_record again;

		record_format(&records[i], &owner, &text);
		check_int(record_parse(text_str(&text), &again, &again_owner), 0);
		check_mem(&again, sizeof(again), &records[i], sizeof(again));
		check_int(again_owner.netns, owner.netns);
		check_int(again_owner.ifindex, 7);
	}
}

static void anything_else_is_refused(void)
{
	static const char *const bad[] = {
		"",
		"end\n",
		"sstpcd-net 2\nend\n",
		"sstpcd-net 1\n",      /* cut off */
		"sstpcd-net 1\nnft\n", /* cut off */
		"sstpcd-net 1\nnft yes\nend\n",
		"sstpcd-net 1\nfoo 1\nend\n",
		"sstpcd-net 1\nsysctl forwarding 0 1\nend\n",
		"sstpcd-net 1\nsysctl forwarding 0 1 x\nend\n",
		"sstpcd-net 1\nsysctl kernel.panic 0 1 1\nend\n",
		"sstpcd-net 1\naddress 10.0.0.1\nend\n",
		"sstpcd-net 1\nserver-route 203.0.113.1 192.0.2.1 3\nend\n",
		"sstpcd-net 1\nserver-route 203.0.113.1 192.0.2.1 0 7\nend\n",
		"sstpcd-net 1\nserver-route 203.0.113.1 gateway 3 7\nend\n",
		"sstpcd-net 1\nserver-route 2001:db8::1 none 3 7\nend\n",
		"sstpcd-net 1\naddress 10.0.0.1 fe80::1\nend\n",
		"sstpcd-net 1\nlink-local 10.0.0.1\nend\n",
		"sstpcd-net 1\ndns\nend\n",
		"sstpcd-net 1\ndns none 1.1.1.1\nend\n",
		"sstpcd-net 1\ndns file 1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 1.1.1.5\nend\n",
		"sstpcd-net 1\ndns file nonsense\nend\n",
		"sstpcd-net 1\nnetns 1\nend\n",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct net_record r = { .nft = true };
		struct record_owner owner = { .ifindex = 3 };

		if (record_parse(bad[i], &r, &owner) != -EBADMSG)
			printf("# accepted: %s\n", bad[i]);
		check_int(record_parse(bad[i], &r, &owner), -EBADMSG);
		check(r.nft && owner.ifindex == 3); /* untouched */
	}
}

static void file_is_private_and_replaced_as_a_whole(void)
{
	char dir[] = "/tmp/sstpcd-record-XXXXXX", path[64];
	struct record_owner owner = { .ifindex = 7 };
	struct net_record r = full_record(), again;
	struct stat st;

	check(mkdtemp(dir));
	check_int(record_load(dir, "sstpc0", &again, &owner), -ENOENT);
	check_int(record_save(dir, "sstpc0", &r, &owner), 0);
	r.nft = false;
	check_int(record_save(dir, "sstpc0", &r, &owner), 0);
	check_int(record_load(dir, "sstpc0", &again, &owner), 0);
	check(!again.nft);
	(void)snprintf(path, sizeof(path), "%s/sstpc0", dir);
	check_int(stat(path, &st), 0);
	check_int(st.st_mode & 0777, 0600);
	check_int(record_save(dir, "../sstpc0", &r, &owner), -EINVAL);
	check_int(record_delete(dir, "sstpc0"), 0);
	check_int(record_delete(dir, "sstpc0"), 0);
	check_int(rmdir(dir), 0); /* nothing else is in it */
	check_int(record_save(dir, "sstpc0", &r, &owner),
		  0); /* without it a later crash would not be undone */
	check_int(record_delete(dir, "sstpc0"), 0);
	check_int(rmdir(dir), 0);
}

static void halves_of_this_namespace_are_deleted(void)
{
	static const struct {
		const char *file;
		bool deleted;
	} cases[] = { { "sstpc-no.new:77", true }, { "sstpc-no.new:7", false }, { "sstpc-no.new:177", false },
		      { "sstpc-no.new:", false },  { "lo.new:77", false },	{ ".new:77", false },
		      { "sstpc-no", false } };
	char dir[] = "/tmp/sstpcd-record-XXXXXX", path[96];

	check(mkdtemp(dir));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, cases[i].file);
		FILE *f = fopen(path, "w");
		check(f && fclose(f) == 0);
		record_delete_half(dir, cases[i].file, 77);
		check_int(access(path, F_OK) < 0, cases[i].deleted);
		(void)unlink(path);
	}
	check_int(rmdir(dir), 0);
}

int main(void)
{
	return run_tests((struct test[]){
		TEST(parse_of_format_is_identity),
		TEST(anything_else_is_refused),
		TEST(file_is_private_and_replaced_as_a_whole),
		TEST(halves_of_this_namespace_are_deleted),
		{},
	});
}
