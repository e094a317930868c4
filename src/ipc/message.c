/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipc/message.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include "base/macro.h"

int ipc_pair(int ret_fds[static 2])
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return -errno;
	ret_fds[0] = fds[0];
	ret_fds[1] = fds[1];
	return 0;
}

struct wire_writer ipc_begin(void *buf, size_t size, uint16_t type)
{
	struct wire_writer w = wire_writer(buf, MIN(size, (size_t)IPC_MAX));

	wire_put_u8(&w, IPC_VERSION);
	wire_put_u8(&w, 0);
	wire_put_u16(&w, type);
	return w;
}

int ipc_send(int fd, const struct wire_writer *w, const int *fds, size_t n_fds)
{
	union {
		char space[CMSG_SPACE(sizeof(int[IPC_FDS_MAX]))];
		struct cmsghdr align;
	} control = { .space = { 0 } };
	struct iovec iov = { .iov_base = w->data, .iov_len = w->len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (w->error)
		return w->error;
	if (n_fds > IPC_FDS_MAX)
		return -E2BIG;
	if (n_fds > 0) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	for (;;) {
		if (sendmsg(fd, &msg, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
}

void ipc_message_done(struct ipc_message *m)
{
	for (size_t i = 0; i < m->n_fds; i++)
		m->fds[i] = close_fd(m->fds[i]);
	m->n_fds = 0;
}

int ipc_parse(const void *data, size_t len, struct ipc_message *ret)
{
	struct wire_reader r = wire_reader(data, len);
	uint8_t version = wire_u8(&r), reserved = wire_u8(&r);
	uint16_t type = wire_u16(&r);

	if (r.error || version != IPC_VERSION || reserved != 0)
		return -EBADMSG;
	ret->type = type;
	ret->body = wire_reader(r.data + r.pos, wire_left(&r));
	return 0;
}

/* Takes descriptors out of the control data, also those that there is no place for: they must be closed. */
static bool collect_fds(struct msghdr *msg, struct ipc_message *m)
{
	bool fine = !(msg->msg_flags & MSG_CTRUNC);

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
			fine = false;
			continue;
		}
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (m->n_fds < IPC_FDS_MAX) {
				m->fds[m->n_fds++] = fd;
			} else {
				(void)close_fd(fd);
				fine = false;
			}
		}
	}
	return fine;
}

int ipc_receive(int fd, void *buf, size_t size, struct ipc_message *ret)
{
	/* One more than allowed, so that too many are seen; the kernel closes what is beyond that. */
	union {
		char space[CMSG_SPACE(sizeof(int[IPC_FDS_MAX + 1]))];
		struct cmsghdr align;
	} control = { .space = { 0 } };
	struct iovec iov = { .iov_base = buf, .iov_len = MIN(size, (size_t)IPC_MAX) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	_cleanup_(ipc_message_done) struct ipc_message m = { .n_fds = 0 };
	ssize_t n;

	/* Who ends with something unread resets the connection. The kernel says so once, and before what the
	 * other end had to say. */
	do
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0)
		return -errno;
	bool fine = collect_fds(&msg, &m) && !(msg.msg_flags & MSG_TRUNC);
	if (n == 0 && m.n_fds == 0)
		return 0;
	if (!fine || ipc_parse(buf, (size_t)n, &m) < 0)
		return -EBADMSG;
	*ret = m;
	m.n_fds = 0;
	return 1;
}

static const struct ipc_rule *find_rule(const struct ipc_monitor *m, uint16_t type)
{
	for (size_t i = 0; i < m->n_rules; i++)
		if (m->rules[i].type == type)
			return &m->rules[i];
	return NULL;
}

int ipc_permit(struct ipc_monitor *m, const struct ipc_message *msg, unsigned state)
{
	const struct ipc_rule *rule = find_rule(m, msg->type);

	if (!rule || wire_left(&msg->body) > rule->max_len || msg->n_fds < rule->min_fds ||
	    msg->n_fds > rule->max_fds)
		return -EBADMSG;
	if (state >= 32 || !(rule->states & 1u << state))
		return -EPERM;
	uint64_t bit = UINT64_C(1) << (rule - m->rules);
	if (rule->once && (m->seen & bit))
		return -EALREADY;
	m->seen |= bit;
	return 0;
}

const char *ipc_type_name(const struct ipc_monitor *m, uint16_t type)
{
	const struct ipc_rule *rule = find_rule(m, type);

	return rule ? rule->name : "unknown";
}

void ipc_put_text(struct wire_writer *w, const char *s)
{
	size_t len = strlen(s);

	if (len > UINT16_MAX) {
		w->error = w->error ? w->error : -ENOBUFS;
		return;
	}
	wire_put_u16(w, (uint16_t)len);
	wire_put(w, s, len);
}

static void get_text(struct wire_reader *r, char *out, size_t size, bool printable_only)
{
	size_t len = wire_u16(r);
	const uint8_t *p = len < size ? wire_bytes(r, len) : NULL;

	if (size > 0)
		out[0] = 0;
	for (size_t i = 0; p && i < len; i++)
		if (p[i] == 0 || (printable_only && (p[i] < 0x20 || p[i] >= 0x7f)))
			p = NULL;
	if (!p) {
		r->error = r->error ? r->error : -EBADMSG;
		return;
	}
	memcpy(out, p, len);
	out[len] = 0;
}

void ipc_get_text(struct wire_reader *r, char *out, size_t size)
{
	get_text(r, out, size, true);
}

void ipc_get_bytes_text(struct wire_reader *r, char *out, size_t size)
{
	get_text(r, out, size, false);
}

bool ipc_get_bool(struct wire_reader *r)
{
	uint8_t v = wire_u8(r);

	if (v > 1)
		r->error = r->error ? r->error : -EBADMSG;
	return v == 1;
}
