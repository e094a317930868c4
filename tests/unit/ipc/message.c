/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipc/message.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "test.h"

/* Only for the cleanup of a pair. */
struct pair {
	int fd[2];
};

static void pair_done(struct pair *p)
{
	(void)close_fd(p->fd[0]);
	(void)close_fd(p->fd[1]);
}
#define _cleanup_pair_ _cleanup_(pair_done)

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void a_message_arrives_as_it_was_sent(void)
{
	_cleanup_pair_ struct pair p = { { -1, -1 } };
	uint8_t out[64], in[IPC_MAX];
	struct ipc_message m;

	check_int(ipc_pair(p.fd), 0);
	check_int(ipc_receive(p.fd[1], in, sizeof(in), &m), -EAGAIN);
	struct wire_writer w = ipc_begin(out, sizeof(out), 4711);
	wire_put_u32(&w, 0xdeadbeef);
	ipc_put_text(&w, "hello");
	check_int(ipc_send(p.fd[0], &w, NULL, 0), 0);
	check_int(ipc_receive(p.fd[1], in, sizeof(in), &m), 1);
	check_int(m.type, 4711);
	check_int(m.n_fds, 0);
	check_int(wire_u32(&m.body), 0xdeadbeef);
	char text[6];
	ipc_get_text(&m.body, text, sizeof(text));
	check_str(text, "hello");
	check_int(wire_finish(&m.body), 0);
}

static void the_largest_message_passes_and_a_larger_one_cannot_be_made(void)
{
	_cleanup_pair_ struct pair p = { { -1, -1 } };
	_cleanup_free_ uint8_t *out = calloc(1, IPC_MAX + 8), *in = malloc(IPC_MAX);
	struct ipc_message m;

	check(out && in);
	check_int(ipc_pair(p.fd), 0);
	struct wire_writer w = ipc_begin(out, IPC_MAX + 8, 1);
	wire_put_zero(&w, IPC_MAX - IPC_HEADER_LEN);
	check_int(w.error, 0);
	check_int(ipc_send(p.fd[0], &w, NULL, 0), 0);
	check_int(ipc_receive(p.fd[1], in, IPC_MAX, &m), 1);
	check_int(wire_left(&m.body), IPC_MAX - IPC_HEADER_LEN);
	wire_put_u8(&w, 0);
	check_int(ipc_send(p.fd[0], &w, NULL, 0), -ENOBUFS);
	/* Sent past the library. */
	check(send(p.fd[0], out, IPC_MAX + 1, 0) == IPC_MAX + 1);
	check_int(ipc_receive(p.fd[1], in, IPC_MAX, &m), -EBADMSG);
}

static void descriptors_pass_and_close_on_exec_is_set(void)
{
	_cleanup_pair_ struct pair p = { { -1, -1 } };
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	uint8_t out[16], in[64];
	struct ipc_message m;
	struct stat a, b;

	check_int(ipc_pair(p.fd), 0);
	int before = open_fds();
	struct wire_writer w = ipc_begin(out, sizeof(out), 1);
	check_int(ipc_send(p.fd[0], &w, (int[]){ null, p.fd[0] }, 2), 0);
	check_int(ipc_receive(p.fd[1], in, sizeof(in), &m), 1);
	check_int(m.n_fds, 2);
	check_int(fcntl(m.fds[0], F_GETFD), FD_CLOEXEC);
	check_int(fstat(m.fds[0], &a) | fstat(null, &b), 0);
	check_int(a.st_rdev, b.st_rdev);
	int taken = TAKE_FD(m.fds[0]);
	ipc_message_done(&m);
	check_int(open_fds(), before + 1);
	(void)close_fd(taken);
	check_int(open_fds(), before);
}

/* Sends `n` descriptors past the library's own limit. */
static int send_raw(int fd, const void *data, size_t len, int passed, size_t n)
{
	union {
		char space[CMSG_SPACE(16 * sizeof(int))];
		struct cmsghdr align;
	} control = { .space = { 0 } };
	struct iovec iov = { (void *)(uintptr_t)data, len };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = n ? &control : NULL,
			      .msg_controllen = n ? CMSG_SPACE(n * sizeof(int)) : 0 };

	if (n > 0) {
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		for (size_t i = 0; i < n; i++)
			memcpy(CMSG_DATA(c) + i * sizeof(int), &passed, sizeof(int));
	}
	return (int)sendmsg(fd, &msg, 0);
}

static void too_many_descriptors_are_refused_and_closed(void)
{
	static const uint8_t header[] = { IPC_VERSION, 0, 0, 1 };

	for (size_t n = IPC_FDS_MAX; n <= 16; n++) {
		_cleanup_pair_ struct pair p = { { -1, -1 } };
		uint8_t in[64];
		struct ipc_message m;
		check_int(ipc_pair(p.fd), 0);
		int before = open_fds();
		check_int(send_raw(p.fd[0], header, sizeof(header), p.fd[0], n), sizeof(header));
		if (n == IPC_FDS_MAX) {
			check_int(ipc_receive(p.fd[1], in, sizeof(in), &m), 1);
			ipc_message_done(&m);
		} else {
			check_int(ipc_receive(p.fd[1], in, sizeof(in), &m), -EBADMSG);
		}
		check_int(open_fds(), before);
	}
}

static void what_is_no_message_is_refused_and_its_descriptors_closed(void)
{
	static const struct {
		uint8_t data[8];
		size_t len;
	} bad[] = {
		{ { IPC_VERSION, 0, 0 }, 3 },	     /* short */
		{ { IPC_VERSION }, 1 },		     /* shorter */
		{ { IPC_VERSION + 1, 0, 0, 1 }, 4 }, /* a version of tomorrow */
		{ { 0, 0, 0, 1 }, 4 },
		{ { IPC_VERSION, 1, 0, 1 }, 4 }, /* reserved */
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_pair_ struct pair p = { { -1, -1 } };
		uint8_t in[64];
		struct ipc_message m = { .n_fds = 99 };
		check_int(ipc_pair(p.fd), 0);
		int before = open_fds();
		check_int(send_raw(p.fd[0], bad[i].data, bad[i].len, p.fd[0], 2), bad[i].len);
		check_int(ipc_receive(p.fd[1], in, sizeof(in), &m), -EBADMSG);
		check_int(m.n_fds, 99);
		check_int(open_fds(), before);
	}
}

/* One end says a last word and goes, with or without having read what it was sent. */
static void last_word(struct pair *p, bool listens)
{
	uint8_t out[16], in[64];
	struct ipc_message m;

	check_int(ipc_pair(p->fd), 0);
	struct wire_writer w = ipc_begin(out, sizeof(out), 1);
	check_int(ipc_send(p->fd[0], &w, NULL, 0), 0);
	if (!listens)
		check_int(ipc_send(p->fd[1], &w, NULL, 0), 0);
	p->fd[0] = close_fd(p->fd[0]);
	check_int(ipc_receive(p->fd[1], in, sizeof(in), &m), 1); /* what was sent before arrives */
	check_int(ipc_receive(p->fd[1], in, sizeof(in), &m), 0);
	check_int(ipc_send(p->fd[1], &w, NULL, 0), -EPIPE); /* and no SIGPIPE */
}

static void the_end_of_the_connection_is_told(void)
{
	_cleanup_pair_ struct pair p = { { -1, -1 } };

	last_word(&p, true);
}

static void the_last_word_of_who_did_not_listen_arrives(void)
{
	_cleanup_pair_ struct pair p = { { -1, -1 } };

	last_word(&p, false);
}

static void a_full_socket_is_told_and_nothing_is_sent_in_part(void)
{
	_cleanup_pair_ struct pair p = { { -1, -1 } };
	uint8_t out[4096], in[4096];
	struct ipc_message m;
	int sent = 0, received = 0, r;

	check_int(ipc_pair(p.fd), 0);
	struct wire_writer w = ipc_begin(out, sizeof(out), 1);
	wire_put_zero(&w, 4000);
	while ((r = ipc_send(p.fd[0], &w, NULL, 0)) == 0)
		sent++;
	check_int(r, -EAGAIN);
	check(sent >= 16);
	while ((r = ipc_receive(p.fd[1], in, sizeof(in), &m)) == 1) {
		check_int(wire_left(&m.body), 4000);
		received++;
	}
	check_int(received, sent);
}

static const struct ipc_rule rules[] = {
	{ 1, "start", 1u << 0, true, 1, 2, 8 },
	{ 2, "data", 1u << 1 | 1u << 2, false, 0, 0, 4 },
};

static int permit(struct ipc_monitor *m, uint16_t type, unsigned state, size_t len, size_t n_fds)
{
	static const uint8_t zero[16];
	struct ipc_message msg = { .type = type, .body = wire_reader(zero, len), .n_fds = n_fds };

	return ipc_permit(m, &msg, state);
}

static void the_table_decides_what_may_pass(void)
{
	struct ipc_monitor m = { .rules = rules, .n_rules = ARRAY_SIZE(rules) };

	check_int(permit(&m, 3, 0, 0, 0), -EBADMSG); /* unknown */
	check_int(permit(&m, 2, 0, 0, 0), -EPERM);   /* too early */
	check_int(permit(&m, 1, 0, 9, 1), -EBADMSG); /* too long */
	check_int(permit(&m, 1, 0, 8, 0), -EBADMSG); /* a descriptor is missing */
	check_int(permit(&m, 1, 0, 8, 3), -EBADMSG); /* one too many */
	check_int(permit(&m, 1, 0, 8, 2), 0);
	check_int(permit(&m, 1, 0, 8, 1), -EALREADY); /* only once */
	check_int(permit(&m, 1, 1, 8, 1), -EPERM);
	check_int(permit(&m, 2, 1, 4, 0), 0);
	check_int(permit(&m, 2, 2, 4, 0), 0);
	check_int(permit(&m, 2, 3, 4, 0), -EPERM);
	check_int(permit(&m, 2, 40, 4, 0), -EPERM);
	check_str(ipc_type_name(&m, 2), "data");
	check_str(ipc_type_name(&m, 9), "unknown");
}

static void texts_must_fit_and_be_printable(void)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool printable_fine, bytes_fine;
	} cases[] = {
		{ "\0\0", 2, true, true },	 { "\0\3abc", 5, true, true },
		{ "\0\4abcd", 6, false, false },				     /* does not fit */
		{ "\0\3ab", 4, false, false },					     /* cut off */
		{ "\0\2a\n", 4, false, true },					     /* a control character */
		{ "\0\2a\x7f", 4, false, true }, { "\0\2\xc3\xa4", 4, false, true }, /* not ASCII */
		{ "\0\2a\0", 4, false, false },	 { "\0", 1, false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char out[4] = "xyz";
		struct wire_reader r = wire_reader(cases[i].bytes, cases[i].len);
		ipc_get_text(&r, out, sizeof(out));
		check_int(wire_finish(&r) == 0, cases[i].printable_fine);
		check(cases[i].printable_fine || out[0] == 0);
		r = wire_reader(cases[i].bytes, cases[i].len);
		ipc_get_bytes_text(&r, out, sizeof(out));
		check_int(wire_finish(&r) == 0, cases[i].bytes_fine);
	}
	struct wire_reader r = wire_reader("\2", 1);
	check(!ipc_get_bool(&r));
	check_int(r.error, -EBADMSG);
}

int main(void)
{
	return run_tests((struct test[]){
		TEST(a_message_arrives_as_it_was_sent),
		TEST(the_largest_message_passes_and_a_larger_one_cannot_be_made),
		TEST(descriptors_pass_and_close_on_exec_is_set),
		TEST(too_many_descriptors_are_refused_and_closed),
		TEST(what_is_no_message_is_refused_and_its_descriptors_closed),
		TEST(the_end_of_the_connection_is_told),
		TEST(the_last_word_of_who_did_not_listen_arrives),
		TEST(a_full_socket_is_told_and_nothing_is_sent_in_part),
		TEST(the_table_decides_what_may_pass),
		TEST(texts_must_fit_and_be_printable),
		{},
	});
}
