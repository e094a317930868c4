/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control protocol: what is put comes out, and what is broken is refused. */
#include "ipc/control.h"

#include <errno.h>

#include "base/macro.h"
#include "test.h"

/* A message as the other side parses it. */
static int parsed(const struct wire_writer *w, struct ipc_message *ret)
{
	*ret = (struct ipc_message){ 0 };
	return w->error ? w->error : ipc_parse(w->data, w->len, ret);
}

static void done_survives(void)
{
	static uint8_t buf[IPC_MAX];
	struct control_done in = { .code = 13,
				   .mode = CONTROL_CONFIGURE,
				   .leave = true,
				   .modified = true,
				   .level = "edit pki ca \xc3\xa4" };
	struct control_done out = { 0 };
	struct ipc_message m;

	struct wire_writer w = ipc_begin(buf, sizeof(buf), CONTROL_DONE);
	control_put_done(&w, &in);
	check_int(parsed(&w, &m), 0);
	check_int(m.type, CONTROL_DONE);
	check_int(control_decode_done(&m, &out), 0);
	check_int(out.code, 13);
	check_int(out.mode, CONTROL_CONFIGURE);
	check(out.leave && out.modified);
	check_str(out.level, in.level);
	/* Every shorter message is refused, and so is a longer one, a foreign mode, and a flag that is none.
	 */
	for (size_t len = IPC_HEADER_LEN; len < w.len; len++) {
		check_int(ipc_parse(buf, len, &m), 0);
		check_int(control_decode_done(&m, &out), -EBADMSG);
	}
	check_int(ipc_parse(buf, w.len + 1, &m), 0);
	check_int(control_decode_done(&m, &out), -EBADMSG);
	buf[IPC_HEADER_LEN + 1] = 2;
	check_int(ipc_parse(buf, w.len, &m), 0);
	check_int(control_decode_done(&m, &out), -EBADMSG);
	buf[IPC_HEADER_LEN + 1] = 1;
	buf[IPC_HEADER_LEN + 2] = 7;
	check_int(ipc_parse(buf, w.len, &m), 0);
	check_int(control_decode_done(&m, &out), -EBADMSG);
	check_int(out.code, 13); /* untouched by all of these */
}

static void many_words_go_in_several_messages(void)
{
	static uint8_t buf[IPC_MAX];
	static char names[5000][16];
	static char *words[5000];
	size_t done = 0, read = 0, messages = 0;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		(void)snprintf(names[i], sizeof(names[i]), "sstpc%zu", i);
		words[i] = names[i];
	}
	while (done < ARRAY_SIZE(words)) {
		struct wire_writer w = ipc_begin(buf, sizeof(buf), CONTROL_WORDS);
		struct control_words head;
		struct ipc_message m;
		char word[16];
		done += control_put_words(&w, 21, false, words + done, ARRAY_SIZE(words) - done);
		check_int(parsed(&w, &m), 0);
		check_int(control_decode_words(&m, &head), 0);
		check_int(head.start, 21);
		for (uint16_t i = 0; i < head.n; i++) {
			check_int(control_next_word(&m, word, sizeof(word)), 0);
			check_str(word, words[read++]);
		}
		check_int(wire_finish(&m.body), 0);
		check(control_next_word(&m, word, sizeof(word)) < 0);
		messages++;
	}
	check_int(read, ARRAY_SIZE(words));
	check(messages > 1);
}

static void arguments_survive(void)
{
	static uint8_t buf[IPC_MAX];
	static const char *const in[] = { "tcpdump", "-i", "sstpc0", "--", "host 'a b'", NULL };
	char space[64], *out[CONTROL_ARGS_MAX + 1];
	struct ipc_message m;

	struct wire_writer w = ipc_begin(buf, sizeof(buf), CONTROL_EXECUTE);
	control_put_arguments(&w, in);
	check_int(parsed(&w, &m), 0);
	check_int(control_decode_arguments(&m, space, sizeof(space), out), 0);
	for (size_t i = 0; in[i]; i++)
		check_str(out[i], in[i]);
	check(!out[5]);
	for (size_t size = 1; size < 32; size++) { /* no room for all of them, nor a byte behind it */
		uint8_t *tight = malloc(size);
		check(tight != NULL);
		check_int(control_decode_arguments(&m, (char *)tight, size, out), -EBADMSG);
		free(tight);
	}
	check_int(control_decode_arguments(&m, space, 32, out), 0);
	buf[IPC_HEADER_LEN] = 0;
	check_int(ipc_parse(buf, w.len, &m), 0);
	check_int(control_decode_arguments(&m, space, sizeof(space), out), -EBADMSG);
}

static void requests_are_checked_by_phase(void)
{
	static const struct {
		uint16_t type;
		enum control_phase phase;
		int result;
	} cases[] = {
		{ CONTROL_LINE, CONTROL_PHASE_NEW, -EPERM },
		{ CONTROL_HELLO, CONTROL_PHASE_IDLE, -EPERM },
		{ CONTROL_LINE, CONTROL_PHASE_IDLE, 0 },
		{ CONTROL_LINE, CONTROL_PHASE_BUSY, -EPERM },
		{ CONTROL_COMPLETE, CONTROL_PHASE_BUSY, -EPERM },
		{ CONTROL_FILE, CONTROL_PHASE_IDLE, -EPERM },
		{ CONTROL_FILE, CONTROL_PHASE_WANTS_FILE, 0 },
		{ CONTROL_LINE, CONTROL_PHASE_WANTS_FILE, -EPERM },
		{ CONTROL_INTERRUPT, CONTROL_PHASE_BUSY, 0 },
		{ CONTROL_INTERRUPT, CONTROL_PHASE_NEW, -EPERM },
		{ CONTROL_DONE, CONTROL_PHASE_IDLE, -EBADMSG },
		{ 99, CONTROL_PHASE_IDLE, -EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ipc_monitor monitor = control_monitor_of_daemon();
		struct ipc_message m = { .type = cases[i].type };
		check_int(ipc_permit(&monitor, &m, cases[i].phase), cases[i].result);
	}
	struct ipc_monitor monitor = control_monitor_of_daemon();
	struct ipc_message hello = { .type = CONTROL_HELLO };
	check_int(ipc_permit(&monitor, &hello, CONTROL_PHASE_NEW), 0);
	check_int(ipc_permit(&monitor, &hello, CONTROL_PHASE_NEW), -EALREADY);
}

/* Over a real socket, as both programs use it. */
static void lines_files_and_texts_cross_a_socket(void)
{
	static uint8_t buf[IPC_MAX];
	static char longest[CONTROL_LINE_MAX + 1];
	int fds[2];
	struct ipc_message m;
	const char *data;
	char via[CONTROL_VIA_MAX];
	size_t len;

	memset(longest, 'x', sizeof(longest));
	check_int(ipc_pair(fds), 0);
	check_int(control_send_hello(fds[0], "pts/1"), 0);
	check_int(ipc_receive(fds[1], buf, sizeof(buf), &m), 1);
	check_int(control_decode_hello(&m, via), 0);
	check_str(via, "pts/1");

	check_int(control_send_line(fds[0], CONTROL_LINE, longest, CONTROL_LINE_MAX), 0);
	check_int(ipc_receive(fds[1], buf, sizeof(buf), &m), 1);
	check_int(control_decode_line(&m, &data, &len), 0);
	check_mem(data, len, longest, CONTROL_LINE_MAX);
	check_int(control_send_line(fds[0], CONTROL_LINE, longest, sizeof(longest)), -E2BIG);

	struct control_file piece, file = { .data = "abc", .len = 3, .last = true };
	check_int(control_send_file(fds[0], &file), 0);
	check_int(ipc_receive(fds[1], buf, sizeof(buf), &m), 1);
	check_int(control_decode_file(&m, &piece), 0);
	check_mem(piece.data, piece.len, "abc", 3);
	check(piece.last && piece.error == 0);
	/* An error that is not the end, and one that is no errno. */
	file = (struct control_file){ .data = "", .error = ENOENT };
	check_int(control_send_file(fds[0], &file), 0);
	check_int(ipc_receive(fds[1], buf, sizeof(buf), &m), 1);
	check_int(control_decode_file(&m, &piece), -EBADMSG);
	file = (struct control_file){ .data = "", .error = 5000, .last = true };
	check_int(control_send_file(fds[0], &file), 0);
	check_int(ipc_receive(fds[1], buf, sizeof(buf), &m), 1);
	check_int(control_decode_file(&m, &piece), -EBADMSG);

	enum control_text kind;
	struct wire_writer w = ipc_begin(buf, sizeof(buf), CONTROL_TEXT);
	control_put_text(&w, CONTROL_STREAM, "line\n", 5);
	check_int(ipc_send(fds[1], &w, NULL, 0), 0);
	check_int(ipc_receive(fds[0], buf, sizeof(buf), &m), 1);
	check_int(control_decode_text(&m, &kind, &data, &len), 0);
	check_int(kind, CONTROL_STREAM);
	check_mem(data, len, "line\n", 5);
	(void)close_fd(fds[0]);
	(void)close_fd(fds[1]);
}

int main(void)
{
	return run_tests((struct test[]){ TEST(done_survives),
					  TEST(many_words_go_in_several_messages),
					  TEST(arguments_survive),
					  TEST(requests_are_checked_by_phase),
					  TEST(lines_files_and_texts_cross_a_socket),
					  {} });
}
