/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "tls/internal.h"

/* Sends the queue and `len` bytes behind it. Returns how many bytes of both left, or a negative errno. */
static ssize_t send_both(struct wire *w, const void *data, size_t len)
{
	struct iovec iov[2] = {
		{ .iov_base = w->queue ? w->queue + w->head : NULL, .iov_len = wire_unsent(w) },
		{ .iov_base = (void *)(uintptr_t)data, .iov_len = len },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n;

	if (wire_unsent(w) == 0) {
		msg.msg_iov = &iov[1];
		msg.msg_iovlen = 1;
	}
	do
		n = sendmsg(w->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	return n < 0 ? -errno : n;
}

/* Takes `n` sent bytes off the queue. */
static void queue_sent(struct wire *w, size_t n)
{
	w->head += n;
	if (w->head == w->len)
		w->head = w->len = 0;
}

int wire_give_up(struct wire *w, int error)
{
	w->write_error = error;
	queue_sent(w, wire_unsent(w));
	return error;
}

int wire_reserve_queue(struct wire *w, size_t len, uint8_t **ret)
{
	if (w->head > 0 && len > w->size - w->len) {
		memmove(w->queue, w->queue + w->head, wire_unsent(w));
		w->len -= w->head;
		w->head = 0;
	}
	if (len > w->size - w->len) {
		size_t size = MAX(w->len + len, (size_t)QUEUE_TARGET);
		uint8_t *queue = size <= QUEUE_MAX ? realloc(w->queue, size) : NULL;
		if (!queue)
			return size <= QUEUE_MAX ? -ENOMEM : -ENOBUFS;
		w->queue = queue;
		w->size = size;
	}
	*ret = w->queue + w->len;
	return 0;
}

static int queue_add(struct wire *w, const uint8_t *data, size_t len)
{
	uint8_t *place;
	int error = wire_reserve_queue(w, len, &place);

	if (error < 0)
		return error;
	memcpy(place, data, len);
	w->len += len;
	return 0;
}

int wire_flush(struct wire *w)
{
	if (w->write_error)
		return w->write_error;
	if (wire_unsent(w) == 0)
		return 0;
	ssize_t n = send_both(w, NULL, 0);
	if (n < 0)
		return wire_give_up(w, (int)n);
	queue_sent(w, (size_t)n);
	return wire_unsent(w) > 0 ? -EAGAIN : 0;
}

/* Takes all of it, always. */
static int bio_write(BIO *bio, const char *data, int len)
{
	struct wire *w = BIO_get_data(bio);
	size_t sent = 0, size = (size_t)MAX(len, 0);
	int error;

	BIO_clear_retry_flags(bio);
	if (w->write_error)
		return len;
	if (!w->more) {
		size_t waiting = wire_unsent(w);
		ssize_t n = send_both(w, data, size);
		if (n < 0) {
			(void)wire_give_up(w, (int)n);
			return len;
		}
		queue_sent(w, MIN((size_t)n, waiting));
		sent = (size_t)n > waiting ? (size_t)n - waiting : 0;
	}
	if (sent < size && (error = queue_add(w, (const uint8_t *)data + sent, size - sent)) < 0)
		(void)wire_give_up(w, error);
	return len;
}

static void note_first(struct wire *w, const uint8_t *data, size_t len)
{
	size_t keep = MIN(len, sizeof(w->first) - w->first_len);

	memcpy(w->first + w->first_len, data, keep);
	w->first_len += keep;
}

/*
 * One recv(2): what is asked for goes to its place, what came with it into the buffer. Returns the bytes put
 * at `out`, 0 at the end of the connection, or a negative errno.
 */
static ssize_t receive_ahead(struct wire *w, uint8_t *out, size_t size)
{
	struct iovec iov[2] = {
		{ .iov_base = out, .iov_len = size },
		{ .iov_base = w->ahead, .iov_len = READ_AHEAD },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n;

	do
		n = recvmsg(w->fd, &msg, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	w->drained = (size_t)n < size + READ_AHEAD;
	size_t here = MIN((size_t)n, size);
	w->ahead_at = 0;
	w->ahead_len = (size_t)n - here;
	note_first(w, out, here);
	note_first(w, w->ahead, w->ahead_len);
	return (ssize_t)here;
}

int wire_receive(struct wire *w)
{
	ssize_t n;

	if (w->read_error || w->eof)
		return w->read_error ? w->read_error : -ECONNRESET;
	w->ahead_len = wire_ahead(w);
	memmove(w->ahead, w->ahead + w->ahead_at, w->ahead_len);
	w->ahead_at = 0;
	size_t room = READ_AHEAD - w->ahead_len;
	do
		n = recv(w->fd, w->ahead + w->ahead_len, room, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		w->drained = true;
		return -EAGAIN;
	}
	if (n < 0)
		return w->read_error = -errno;
	w->eof = n == 0;
	w->drained = (size_t)n < room;
	w->ahead_len += (size_t)n;
	return w->eof ? -ECONNRESET : 0;
}

static int bio_read(BIO *bio, char *out, int len)
{
	struct wire *w = BIO_get_data(bio);
	size_t size = (size_t)MAX(len, 0), ahead = MIN(wire_ahead(w), size);

	BIO_clear_retry_flags(bio);
	if (ahead > 0) {
		memcpy(out, w->ahead + w->ahead_at, ahead);
		w->ahead_at += ahead;
		return (int)ahead;
	}
	if (w->read_error || w->eof)
		return w->read_error ? -1 : 0;
	ssize_t n = w->no_recv ? -EAGAIN : receive_ahead(w, (uint8_t *)out, size);
	if (n == -EAGAIN) {
		BIO_set_retry_read(bio);
		return -1;
	}
	if (n < 0) {
		w->read_error = (int)n;
		return -1;
	}
	w->eof = n == 0;
	return (int)n;
}

static long bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
	const struct wire *w = BIO_get_data(bio);

	(void)num;
	(void)ptr;
	switch (cmd) {
	case BIO_CTRL_EOF:
		return w->eof && wire_ahead(w) == 0;
	case BIO_CTRL_FLUSH: /* wire_flush() does it, once per flight */
	case BIO_CTRL_DUP:
		return 1;
	default: /* kTLS, datagram and other controls of OpenSSL: not this one */
		return 0;
	}
}

static int bio_create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

BIO_METHOD *wire_bio_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");

	if (m && BIO_meth_set_write(m, bio_write) && BIO_meth_set_read(m, bio_read) &&
	    BIO_meth_set_ctrl(m, bio_ctrl) && BIO_meth_set_create(m, bio_create))
		return m;
	BIO_meth_free(m);
	return NULL;
}
