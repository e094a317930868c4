/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipc/control.h"

#include <errno.h>
#include <string.h>

#include "base/macro.h"

#define IN(phase) (1u << CONTROL_PHASE_##phase)

static const struct ipc_rule daemon_rules[] = {
	{ CONTROL_HELLO, "hello", IN(NEW), true, 0, 0, CONTROL_VIA_MAX + 2 },
	{ CONTROL_LINE, "line", IN(IDLE), false, 0, 0, CONTROL_LINE_MAX },
	{ CONTROL_COMPLETE, "complete", IN(IDLE), false, 0, 0, CONTROL_LINE_MAX },
	{ CONTROL_FILE, "file", IN(WANTS_FILE), false, 0, 0, CONTROL_CHUNK_MAX + 8 },
	{ CONTROL_INTERRUPT, "interrupt", IN(IDLE) | IN(BUSY) | IN(WANTS_FILE), false, 0, 0, 0 },
};

struct ipc_monitor control_monitor_of_daemon(void)
{
	return (struct ipc_monitor){ .rules = daemon_rules, .n_rules = ARRAY_SIZE(daemon_rules) };
}

int control_send_hello(int fd, const char *via)
{
	uint8_t buf[IPC_HEADER_LEN + CONTROL_VIA_MAX + 2];
	struct wire_writer w = ipc_begin(buf, sizeof(buf), CONTROL_HELLO);

	ipc_put_text(&w, via);
	return ipc_send(fd, &w, NULL, 0);
}

int control_decode_hello(const struct ipc_message *m, char ret_via[static CONTROL_VIA_MAX])
{
	struct wire_reader r = m->body;
	char via[CONTROL_VIA_MAX];

	ipc_get_text(&r, via, sizeof(via));
	if (wire_finish(&r) < 0)
		return -EBADMSG;
	memcpy(ret_via, via, sizeof(via));
	return 0;
}

int control_send_line(int fd, enum control_message type, const char *line, size_t len)
{
	uint8_t buf[IPC_HEADER_LEN + CONTROL_LINE_MAX];
	struct wire_writer w = ipc_begin(buf, sizeof(buf), (uint16_t)type);

	if (len > CONTROL_LINE_MAX)
		return -E2BIG;
	wire_put(&w, line, len);
	return ipc_send(fd, &w, NULL, 0);
}

int control_decode_line(const struct ipc_message *m, const char **ret_line, size_t *ret_len)
{
	struct wire_reader r = m->body;
	size_t len = wire_left(&r);
	const uint8_t *line = wire_bytes(&r, len);

	if (wire_finish(&r) < 0 || len > CONTROL_LINE_MAX)
		return -EBADMSG;
	*ret_line = len ? (const char *)line : "";
	*ret_len = len;
	return 0;
}

int control_send_file(int fd, const struct control_file *f)
{
	uint8_t buf[IPC_HEADER_LEN + CONTROL_CHUNK_MAX + 8];
	struct wire_writer w = ipc_begin(buf, sizeof(buf), CONTROL_FILE);

	if (f->len > CONTROL_CHUNK_MAX)
		return -E2BIG;
	wire_put_u8(&w, f->last);
	wire_put_u32(&w, (uint32_t)f->error);
	wire_put(&w, f->data, f->len);
	return ipc_send(fd, &w, NULL, 0);
}

int control_decode_file(const struct ipc_message *m, struct control_file *ret)
{
	struct wire_reader r = m->body;
	bool last = ipc_get_bool(&r);
	uint32_t error = wire_u32(&r);
	size_t len = wire_left(&r);
	const uint8_t *data = wire_bytes(&r, len);

	if (wire_finish(&r) < 0 || error > 4095 || (error && !last))
		return -EBADMSG;
	*ret = (struct control_file){
		.data = len ? (const char *)data : "", .len = len, .last = last, .error = (int)error
	};
	return 0;
}

int control_send_plain(int fd, enum control_message type)
{
	uint8_t buf[IPC_HEADER_LEN];
	struct wire_writer w = ipc_begin(buf, sizeof(buf), (uint16_t)type);

	return ipc_send(fd, &w, NULL, 0);
}

void control_put_text(struct wire_writer *w, enum control_text kind, const char *data, size_t len)
{
	wire_put_u8(w, (uint8_t)kind);
	wire_put(w, data, len);
}

int control_decode_text(const struct ipc_message *m, enum control_text *ret_kind, const char **ret_data,
			size_t *ret_len)
{
	struct wire_reader r = m->body;
	uint8_t kind = wire_u8(&r);
	size_t len = wire_left(&r);
	const uint8_t *data = wire_bytes(&r, len);

	if (wire_finish(&r) < 0 || kind > CONTROL_CONTENT)
		return -EBADMSG;
	*ret_kind = (enum control_text)kind;
	*ret_data = len ? (const char *)data : "";
	*ret_len = len;
	return 0;
}

size_t control_put_words(struct wire_writer *w, uint32_t start, bool file, char *const *words, size_t n)
{
	size_t fits = 0, bytes = 0;

	while (fits < n && fits < UINT16_MAX && bytes + 2 + strlen(words[fits]) <= CONTROL_CHUNK_MAX)
		bytes += 2 + strlen(words[fits++]);
	wire_put_u32(w, start);
	wire_put_u8(w, file);
	wire_put_u16(w, (uint16_t)fits);
	for (size_t i = 0; i < fits; i++)
		ipc_put_text(w, words[i]);
	return fits;
}

int control_decode_words(struct ipc_message *m, struct control_words *ret)
{
	struct control_words words;

	words.start = wire_u32(&m->body);
	words.file = ipc_get_bool(&m->body);
	words.n = wire_u16(&m->body);
	if (m->body.error)
		return m->body.error;
	*ret = words;
	return 0;
}

int control_next_word(struct ipc_message *m, char *out, size_t size)
{
	ipc_get_bytes_text(&m->body, out, size);
	return m->body.error;
}

void control_put_name(struct wire_writer *w, const char *name)
{
	ipc_put_text(w, name);
}

int control_decode_name(const struct ipc_message *m, char *out, size_t size)
{
	struct wire_reader r = m->body;

	ipc_get_bytes_text(&r, out, size);
	return wire_finish(&r);
}

void control_put_arguments(struct wire_writer *w, const char *const *args)
{
	uint8_t n = 0;

	while (args[n] && n < CONTROL_ARGS_MAX)
		n++;
	wire_put_u8(w, n);
	for (uint8_t i = 0; i < n; i++)
		ipc_put_text(w, args[i]);
}

int control_decode_arguments(const struct ipc_message *m, char *space, size_t size,
			     char *ret_args[static CONTROL_ARGS_MAX + 1])
{
	struct wire_reader r = m->body;
	uint8_t n = wire_u8(&r);

	if (r.error || n == 0 || n > CONTROL_ARGS_MAX)
		return -EBADMSG;
	for (uint8_t i = 0; i < n; i++) {
		ipc_get_bytes_text(&r, space, size);
		if (r.error)
			return r.error;
		ret_args[i] = space;
		size_t used = strlen(space) + 1;
		space += used;
		size -= used;
	}
	ret_args[n] = NULL;
	return wire_finish(&r);
}

void control_put_done(struct wire_writer *w, const struct control_done *d)
{
	wire_put_u8(w, d->code);
	wire_put_u8(w, (uint8_t)d->mode);
	wire_put_u8(w, d->leave);
	wire_put_u8(w, d->modified);
	ipc_put_text(w, d->level);
}

int control_decode_done(const struct ipc_message *m, struct control_done *ret)
{
	struct wire_reader r = m->body;
	struct control_done d = { .code = wire_u8(&r) };
	uint8_t mode = wire_u8(&r);

	d.leave = ipc_get_bool(&r);
	d.modified = ipc_get_bool(&r);
	ipc_get_bytes_text(&r, d.level, sizeof(d.level));
	if (wire_finish(&r) < 0 || mode > CONTROL_CONFIGURE)
		return -EBADMSG;
	d.mode = (enum control_mode)mode;
	*ret = d;
	return 0;
}
