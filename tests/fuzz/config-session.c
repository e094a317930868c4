/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two people type lines at one system. A line that begins with '2' is the second's, with '?' asks for
 * completion, with
 * '!' lets 60 seconds pass. What runs always passes the checks, and prints and reads back.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/config/world.h"
#include "config/check.h"

#define LINES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void type_line(struct world *w, struct config_session *sessions, const char *line, size_t len)
{
	_cleanup_session_result_ struct session_result r = { 0 };
	struct config_session *s = &sessions[0];

	if (len && line[0] == '2') {
		s = &sessions[1];
		line++;
		len--;
	}
	if (len && line[0] == '!') {
		w->steady += 60;
		(void)config_system_tick(&w->system, &r.out);
	} else if (len && line[0] == '?') {
		_cleanup_completions_ struct completions c = { 0 };
		size_t start;
		(void)config_session_complete(s, line + 1, len - 1, &c, &start);
		if (start > len - 1)
			abort();
	} else {
		config_session_execute(s, line, len, &r);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct world w;
	struct config_session sessions[2];
	const char *text = (const char *)data;

	world_init(&w);
	if (config_session_init(&sessions[0], &w.system, "a", "cli") < 0 ||
	    config_session_init(&sessions[1], &w.system, "b", "cli") < 0)
		abort();
	for (int i = 0; i < LINES_MAX && len > 0; i++) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;
		type_line(&w, sessions, text, n);
		n += end != NULL;
		text += n;
		len -= n;
	}
	_cleanup_errors_ struct config_errors errors = { 0 };
	_cleanup_text_ struct text file = { 0 };
	config_check(NULL, w.system.running, &errors);
	config_file_print(w.system.running, &file);
	_cleanup_tree_ struct config_tree *again = config_file_parse(text_str(&file), file.len, &errors);
	if (config_errors_count(&errors) || !again ||
	    !config_node_equal(&again->root, &w.system.running->root))
		abort();
	config_session_done(&sessions[0]);
	config_session_done(&sessions[1]);
	world_done(&w);
	return 0;
}
