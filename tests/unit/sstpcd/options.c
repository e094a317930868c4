/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "sstpcd/facts.h"
#include "sstpcd/quick.h"
#include "test.h"

#define ARGS_MAX 32

/* Parses the words of `line`; they stay valid until the next call. */
static int parse(const char *line, struct quick_options *o, struct failure *failure)
{
	static char words[1024];
	char *argv[ARGS_MAX + 1] = { (char[]){ "quick" } }, *save = NULL;
	int argc = 1;

	*failure = (struct failure){ .cause = CAUSE_NONE };
	(void)snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok_r(words, " ", &save); w && argc < ARGS_MAX; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	return quick_parse(argc, argv, o, failure);
}

static void the_shortest_line_has_good_defaults(void)
{
	struct quick_options o;
	struct failure f;

	check_int(parse("vpn.example.com --user alice", &o, &f), 1);
	check_str(o.config.name, "sstpc0");
	check_str(o.config.server, "vpn.example.com");
	check_int(o.config.port, 443);
	check_int(o.config.mtu, 1500);
	check_int(o.config.auth, CONFIG_AUTH_MSCHAPV2 | CONFIG_AUTH_EAP);
	check(!o.config.no_default_route && !o.config.no_peer_dns && !o.verbose && o.password_fd == -1);
	quick_options_done(&o);
}

static void every_option_reaches_its_place(void)
{
	struct quick_options o;
	struct failure f;

	check_int(parse("--mtu 1400 -u DOM\\alice [2001:db8::1]:8443 -i vpn0 --ca /ca --server-name "
			"sstp.example "
			"--no-default-route --no-peer-dns --allow pap --allow chap --password-fd 7 --keylog "
			"/k -v "
			"--pin sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
			&o, &f),
		  1);
	check_str(o.config.server, "2001:db8::1");
	check_int(o.config.port, 8443);
	check_str(o.config.username, "DOM\\alice");
	check_str(o.config.name, "vpn0");
	check_int(o.config.mtu, 1400);
	check_str(o.ca_file, "/ca");
	check_str(o.keylog_file, "/k");
	check_str(o.config.server_name, "sstp.example");
	check(o.config.no_default_route && o.config.no_peer_dns && o.verbose);
	check_int(o.config.auth, CONFIG_AUTH_MSCHAPV2 | CONFIG_AUTH_EAP | CONFIG_AUTH_PAP | CONFIG_AUTH_CHAP);
	check_int(o.password_fd, 7);
	check_int(o.config.n_pins, 1);
	quick_options_done(&o);
	check_int(parse("192.0.2.1 -u a -p 4443 --password-file /p", &o, &f), 1);
	check_int(o.config.port, 4443);
	check_str(o.config.password_file, "/p");
	quick_options_done(&o);
	check_int(parse("192.0.2.1:99 -u a --port 99", &o, &f), 1);
	quick_options_done(&o);
}

static void what_is_wrong_is_said(void)
{
	static const struct {
		const char *line, *says;
	} bad[] = {
		{ "-u alice", "no server" },
		{ "vpn.example.com", "--user is missing" },
		{ "a.example b.example -u alice", "b.example: there is a server already" },
		{ "vpn_.example -u alice", "vpn_.example: neither" },
		{ "1.2.3.999 -u alice", "1.2.3.999: neither" },
		{ "b\303\274cher.example -u alice", "neither a host name nor an address (write an "
						    "international name in its ASCII form, xn--NAME)" },
		{ "https://vpn.example/ -u alice", "https://vpn.example/: a URL; the server is a host name" },
		{ "vpn.example:0 -u alice", "port" },
		{ "vpn.example:65536 -u alice", "port" },
		{ "vpn.example:x -u alice", "port" },
		{ "[::1 -u alice", "neither" },
		{ "vpn.example:1 -p 2 -u alice", "two different ports" },
		{ "vpn.example -u alice --port 0", "--port 0: not a number from 1 to 65535" },
		{ "vpn.example -u alice --mtu 67", "--mtu 67: not a number from 68 to 4087" },
		{ "vpn.example -u alice --mtu 4088", "from 68 to 4087" },
		{ "vpn.example -u alice --mtu 1e3", "from 68 to 4087" },
		{ "vpn.example -u alice --interface a/b", "--interface a/b: not an interface name" },
		{ "vpn.example -u alice --interface abcdefghijklmnop", "not an interface name" },
		{ "vpn.example -u alice --allow mschap", "--allow mschap: not pap or chap" },
		{ "vpn.example -u alice --pin abc", "--pin abc: not a pin" },
		{ "vpn.example -u alice --server-name a:1", "--server-name a:1" },
		{ "vpn.example -u alice --server-name [::1]", "--server-name [::1]" },
		{ "vpn.example -u alice --frobnicate", "unknown option --frobnicate" },
		{ "vpn.example -u alice -x", "unknown option -x" },
		{ "vpn.example -u", "-u needs a value" },
		{ "vpn.example -u alice --mtu", "--mtu needs a value" },
		{ "vpn.example -u alice --password-fd -1", "--password-fd -1" },
		{ "vpn.example -u alice --password-fd 3 --password-file /p", "only one of them" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct quick_options o;
		struct failure f;
		char text[512];
		check_int(parse(bad[i].line, &o, &f), -EINVAL);
		quick_options_done(&o);
		failure_format(&f, NULL, text, sizeof(text));
		if (!strstr(text, bad[i].says))
			printf("# %s: %s\n", bad[i].line, text);
		check(strstr(text, bad[i].says) != NULL);
		check(strstr(text, "setup: wrong option or value") == text);
		check_int(cause_exit_code(f.cause), 2);
	}
}

static void an_overlong_user_name_is_refused(void)
{
	char user[CONFIG_USERNAME_MAX + 2],
		*argv[] = { (char[]){ "quick" }, (char[]){ "a.example" }, (char[]){ "-u" }, user, NULL };
	struct quick_options o;
	struct failure f = { .cause = CAUSE_NONE };

	memset(user, 'u', sizeof(user) - 1);
	user[sizeof(user) - 1] = 0;
	check_int(quick_parse(4, argv, &o, &f), -EINVAL);
	quick_options_done(&o);
	user[sizeof(user) - 2] = 0;
	f.cause = CAUSE_NONE;
	check_int(quick_parse(4, argv, &o, &f), 1);
	quick_options_done(&o);
}

static void facts_are_put_into_words(void)
{
	char text[128];
	uint8_t pin[32];

	/* The pin that is printed is one that can be typed. */
	for (size_t i = 0; i < sizeof(pin); i++)
		pin[i] = (uint8_t)(i * 37 + 5);
	facts_pin(pin, text, sizeof(text));
	struct config_pin back;
	check_int(config_parse_pin(text, &back), 0);
	check_mem(back.sha256, 32, pin, 32);
	check_str(facts_auth(CONFIG_AUTH_MSCHAPV2), "MS-CHAPv2");
	check_str(facts_hash(2), "SHA-256");
}

int main(void)
{
	return run_tests((struct test[]){
		TEST(the_shortest_line_has_good_defaults),
		TEST(every_option_reaches_its_place),
		TEST(what_is_wrong_is_said),
		TEST(an_overlong_user_name_is_refused),
		TEST(facts_are_put_into_words),
		{},
	});
}
