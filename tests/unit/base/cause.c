/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cause.h"

#include "test.h"

static void every_cause_has_a_text_and_a_code_of_its_own(void)
{
	for (int i = 1; i < _CAUSE_MAX; i++) {
		enum cause c = (enum cause)i;
		check(cause_name(c)[0] && cause_summary(c)[0]);
		check(cause_class(c) == CAUSE_NORMAL || (cause_remedy(c)[0] && cause_exit_code(c) > 1));
		check(cause_exit_code(c) < 126); /* above: reserved by shells */
		for (int j = 1; j < i; j++) {
			check(strcmp(cause_name(c), cause_name((enum cause)j)) != 0);
			check(cause_exit_code(c) == 0 ||
			      cause_exit_code(c) != cause_exit_code((enum cause)j));
		}
	}
}

static void the_first_failure_counts(void)
{
	struct failure f = { 0 };
	char text[512];

	failure_set(&f, CAUSE_AUTH_FAILED, "E=%d\n\033[2J", 691);
	failure_set(&f, CAUSE_CONNECTION_LOST, "later");
	check_int(f.cause, CAUSE_AUTH_FAILED);
	check_str(f.detail, "E=691..[2J");
	failure_format(&f, "vpn:443", text, sizeof(text));
	check_str(text, "authentication vpn:443: user name or password is wrong (E=691..[2J); check both; "
			"the account "
			"may also be locked");
}

static void what_can_come_at_any_moment_tells_when_it_came(void)
{
	struct failure f = { .cause = CAUSE_NONE, .stage = STAGE_LCP };
	char text[200];

	failure_set(&f, CAUSE_CONNECTION_LOST, "reset by the other side");
	check_int(failure_stage(&f), STAGE_LCP);
	failure_format(&f, NULL, text, sizeof(text));
	check_str(text,
		  "LCP: the connection to the server was lost (reset by the other side); the network path or "
		  "the server went away");
	f.stage = STAGE_SETUP; /* unknown */
	check_int(failure_stage(&f), STAGE_UP);
	f = (struct failure){ .cause = CAUSE_AUTH_FAILED, .stage = STAGE_IPCP };
	check_int(failure_stage(&f), STAGE_AUTH); /* says itself where it belongs */
}

int main(void)
{
	return run_tests((struct test[]){ TEST(every_cause_has_a_text_and_a_code_of_its_own),
					  TEST(the_first_failure_counts),
					  TEST(what_can_come_at_any_moment_tells_when_it_came),
					  {} });
}
