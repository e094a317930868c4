/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of the control socket in both directions: every decoder takes anything, and stays in its buffer.
 */
#include <stdint.h>
#include <string.h>

#include "ipc/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Reads every byte that a decoder has handed out. */
static unsigned touch(const char *data, size_t len)
{
	unsigned sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += (unsigned char)data[i];
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct ipc_monitor monitor = control_monitor_of_daemon();
	struct ipc_message m = { 0 };
	char space[256], via[CONTROL_VIA_MAX], *args[CONTROL_ARGS_MAX + 1];
	struct control_file file;
	struct control_words words;
	static struct control_done done;
	enum control_text kind;
	const char *text;
	volatile unsigned sum = 0;
	size_t n;

	if (ipc_parse(data, len, &m) < 0)
		return 0;
	for (unsigned phase = CONTROL_PHASE_NEW; phase <= CONTROL_PHASE_WANTS_FILE; phase++)
		(void)ipc_permit(&monitor, &m, phase);
	if (control_decode_hello(&m, via) == 0)
		sum += touch(via, strlen(via));
	if (control_decode_line(&m, &text, &n) == 0)
		sum += touch(text, n);
	if (control_decode_file(&m, &file) == 0)
		sum += touch(file.data, file.len);
	if (control_decode_text(&m, &kind, &text, &n) == 0)
		sum += touch(text, n);
	if (control_decode_name(&m, space, sizeof(space)) == 0)
		sum += touch(space, strlen(space));
	if (control_decode_arguments(&m, space, sizeof(space), args) == 0)
		for (char **a = args; *a; a++)
			sum += touch(*a, strlen(*a));
	if (control_decode_done(&m, &done) == 0)
		sum += touch(done.level, strlen(done.level));
	if (control_decode_words(&m, &words) == 0)
		while (words.n-- > 0 && control_next_word(&m, space, sizeof(space)) == 0)
			sum += touch(space, strlen(space));
	(void)sum;
	return 0;
}
