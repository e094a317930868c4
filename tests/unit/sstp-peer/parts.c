/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What sstp-peer does to packets: faults, framing for pppd, and reading along. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/parse.h"
#include "sstp-peer/fault.h"
#include "sstp-peer/hdlc.h"
#include "sstp-peer/snoop.h"
#include "sstp-peer/users.h"
#include "test.h"

static const uint8_t ack[] = { 0x10, 1, 0, 8, 0, 2, 0, 0 };
static const uint8_t lcp[] = { 0x10, 0, 0, 12, 0xff, 3, 0xc0, 0x21, 1, 1, 0, 4 };

static size_t filter(struct faults *f, const void *in, size_t len, uint8_t *out, struct fault_result *ret)
{
	return faults_filter(f, false, in, len, out, 1000, &random_system, ret);
}

static void faults_that_make_no_sense_are_refused(void)
{
	static const char *const bad[] = {
		"",	      "mute",	     "mute:tls",     "mute:lcp:1",    "drop:lcp",	"drop:lcp:0",
		"drop:lcp:x", "replace:ack", "replace:ack:", "replace:ack:1", "replace:ack:zz", "explode:lcp"
	};
	struct faults f = { .count = 0 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(faults_add(&f, bad[i]) < 0);
	check_int(f.count, 0);
	for (int i = 0; i < FAULTS_MAX; i++)
		check_int(faults_add(&f, "after:all:00"), 0);
	check_int(faults_add(&f, "mute:lcp"), -E2BIG);
	faults_done(&f);
}

static void faults_act_on_their_class_and_once(void)
{
	uint8_t both[sizeof(ack) + sizeof(lcp)], out[65536];
	struct faults f = { .count = 0 };
	struct fault_result result;

	memcpy(both, ack, sizeof(ack));
	memcpy(both + sizeof(ack), lcp, sizeof(lcp));
	check_int(faults_add(&f, "replace:ack:aabb"), 0);
	check_int(faults_add(&f, "after:lcp:cc"), 0);
	struct faults first = faults_for_connection(&f), second = faults_for_connection(&f);
	size_t n = filter(&first, both, sizeof(both), out, &result);
	check_int(n, 2 + sizeof(lcp) + 1);
	check_mem(out, 2, "\xaa\xbb", 2);
	check_mem(out + 2, sizeof(lcp), lcp, sizeof(lcp));
	check_int(out[n - 1], 0xcc);
	n = filter(&first, both, sizeof(both), out, &result); /* they have acted */
	check_mem(out, n, both, sizeof(both));
	n = filter(&second, both, sizeof(both), out, &result); /* of another connection */
	check_int(n, 2 + sizeof(lcp) + 1);
	faults_done(&f);
}

static void a_close_ends_the_output(void)
{
	uint8_t both[sizeof(ack) + sizeof(lcp)], out[65536];
	struct faults f = { .count = 0 };
	struct fault_result result;

	memcpy(both, lcp, sizeof(lcp));
	memcpy(both + sizeof(lcp), ack, sizeof(ack));
	check_int(faults_add(&f, "close:lcp"), 0);
	check_int(filter(&f, both, sizeof(both), out, &result), 0);
	check(result.close);
	faults_done(&f);

	check_int(faults_add(&f, "delay:ack:50"), 0);
	check_int(filter(&f, lcp, sizeof(lcp), out, &result), sizeof(lcp));
	check_int(result.hold_until, 0);
	check_int(filter(&f, ack, sizeof(ack), out, &result), sizeof(ack));
	check_int(result.hold_until, 1000 + 50 * USEC_PER_MSEC);
	check_int(faults_split(&f), SIZE_MAX);
	check_int(faults_add(&f, "split:all:3"), 0);
	check_int(faults_split(&f), 3);
	faults_done(&f);
}

static size_t decode(struct hdlc_decoder *d, const uint8_t *bytes, size_t len)
{
	size_t n = 0, frame = 0;

	for (size_t i = 0; i < len; i++)
		if ((n = hdlc_input(d, bytes[i])) > 0)
			frame = n;
	return frame;
}

static void hdlc_has_the_check_sum_of_x25(void)
{
	/* CRC-16/X-25: its check value over "123456789" is 906e. */
	static const uint8_t line[] = { 0x7e, '1', '2', '3', '4', '5', '6', '7', '8', '9', 0x6e, 0x90, 0x7e };
	struct hdlc_decoder d = { .len = 0 };
	uint8_t out[64];
	size_t n = hdlc_encode((const uint8_t *)"123456789", 9, out);

	check_mem(out, n, line, sizeof(line));
	check_int(decode(&d, line, sizeof(line)), 9);
	check_mem(d.frame, 9, "123456789", 9);
	out[3] ^= 1;
	check_int(decode(&d, out, n), 0);
	check_int(decode(&d, line, sizeof(line)), 9); /* and goes on */
}

static void hdlc_escapes_what_a_terminal_would_eat(void)
{
	uint8_t frame[256], out[2 * 256 + 8];
	struct hdlc_decoder d = { .len = 0 };

	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)i;
	size_t n = hdlc_encode(frame, sizeof(frame), out);
	for (size_t i = 1; i + 1 < n; i++)
		check(out[i] >= 0x20 && out[i] != 0x7e);
	check_int(decode(&d, out, n), sizeof(frame));
	check_mem(d.frame, sizeof(frame), frame, sizeof(frame));
	/* Escape and flag: the sender gives the frame up, RFC 1662 §4.3. */
	out[n - 1] = 0x7d;
	check_int(decode(&d, out, n), 0);
	check_int(hdlc_input(&d, 0x7e), 0);
}

static struct users *users_of(const char *text, int *ret_result, unsigned *ret_line)
{
	char path[] = "/tmp/usersXXXXXX";
	int fd = mkstemp(path);
	struct users *users = NULL;

	*ret_result = fd < 0 || write(fd, text, strlen(text)) < 0 ? -EIO : users_load(path, &users, ret_line);
	(void)close_fd(fd);
	(void)unlink(path);
	return users;
}

static void users_are_read_line_by_line(void)
{
	struct secret s = { .len = 0 };
	unsigned line;
	int r;
	struct users *users = users_of("# comment\nUser:clientPass\n\nbob:a:b c", &r, &line);

	check_int(r, 0);
	check_int(users_password(users, "bob", &s), 0);
	check_mem(s.data, s.len, "a:b c", 5);
	check_int(users_password(users, "eve", &s), -ENOENT);
	users_free(users);
	check(users_of("a:b\nnonsense\n", &r, &line) == NULL);
	check_int(r, -EINVAL);
	check_int(line, 2);
	secret_wipe(&s);
}

/* The exchange of RFC 2759 §9.2, whose keys are in RFC 3079 §3.5.3. */
static void the_keys_of_a_login_are_read_along(void)
{
	uint8_t challenge[4 + 4 + 1 + 16] = { 0xff, 3, 0xc2, 0x23, 1, 1, 0, 21, 16 };
	uint8_t answer[4 + 4 + 1 + 49 + 4] = { 0xff, 3, 0xc2, 0x23, 2, 1, 0, 58, 49 };
	uint8_t success[] = { 0xff, 3, 0xc2, 0x23, 3, 1, 0, 4 }, send[16], hlak[32];
	uint8_t pap[] = { 0xff, 3, 0xc0, 0x23, 2, 1, 0, 5, 0 };
	static const uint8_t zero[32];
	unsigned line;
	int r;
	struct users *users = users_of("User:clientPass\n", &r, &line);
	struct snoop s = { .users = users };

	check_int(r, 0);
	check_int(parse_hex("5B5D7C7D7B3F2F3E3C2C602132262628", challenge + 9, 16), 0);
	check_int(parse_hex("21402324255E262A28295F2B3A337C7E", answer + 9, 16), 0);
	check_int(parse_hex("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF", answer + 9 + 24, 24), 0);
	memcpy(answer + 9 + 49, "User", 4);
	check_int(parse_hex("8B7CDC149B993A1BA118CB153F56DCCB", send, 16), 0);
	check(!snoop_from_pppd(&s, challenge, sizeof(challenge), hlak));
	snoop_from_client(&s, answer, sizeof(answer));
	check(snoop_from_pppd(&s, success, sizeof(success), hlak));
	check(memcmp(hlak, send, 16) == 0 || memcmp(hlak + 16, send, 16) == 0);
	check(snoop_from_pppd(&s, pap, sizeof(pap), hlak));
	check_mem(hlak, 32, zero, 32);
	check(!snoop_from_pppd(&s, success, 3, hlak));
	users_free(users);
}

int main(void)
{
	return run_tests((struct test[]){ TEST(faults_that_make_no_sense_are_refused),
					  TEST(faults_act_on_their_class_and_once),
					  TEST(a_close_ends_the_output),
					  TEST(hdlc_has_the_check_sum_of_x25),
					  TEST(hdlc_escapes_what_a_terminal_would_eat),
					  TEST(users_are_read_line_by_line),
					  TEST(the_keys_of_a_login_are_read_along),
					  {} });
}
