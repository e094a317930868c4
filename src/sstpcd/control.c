/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpcd/control.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/secret.h"
#include "config/opmode.h"
#include "sstpcd/operate.h"

#define CLIENTS_MAX	  64
#define RETRY_TIME	  USEC_PER_SEC
#define CLIENTS_OF_ROOT	  16 /* of these, kept for root */
#define CLIENTS_OF_A_USER 16 /* who is not root */
#define GROUP_DEFAULT	  "sstpcd"
#define GROUP_ENTRY_MAX	  (4u << 20)
#define GROUPS_MAX	  65536

/* --- what a client is sent --------------------------------------------------------------------------------
 */

static void client_leave(struct client *c)
{
	if (c->gone)
		return;
	c->gone = true;
	loop_fd_remove(&c->source);
	loop_timer_clear(&c->stall);
	/* Freed later: somebody up the stack may still hold it. */
	loop_timer_set(&c->control->daemon->manager.loop, &c->control->reap, 0);
}

/* What the client may do now decides whether we listen to it. */
static void client_listen(struct client *c)
{
	/* Who has not taken the answer does not get the next one. */
	bool waits = c->phase == CONTROL_PHASE_IDLE && c->queue_len > 0;

	if (!c->gone)
		loop_fd_set(&c->source,
			    (waits ? 0u : (uint32_t)EPOLLIN) | (c->queue_len ? (uint32_t)EPOLLOUT : 0u));
}

static void on_stall(void *ctx)
{
	struct client *c = ctx;

	log_warning(&c->control->daemon->manager.log, "control: %s via %s is not reading: disconnected",
		    c->user, c->via);
	client_leave(c);
}

static void client_flush(struct client *c)
{
	bool moved = false;

	while (c->queue_len > 0) {
		uint32_t len;
		memcpy(&len, c->queue + c->queue_first, sizeof(len));
		struct wire_writer w = { .data = c->queue + c->queue_first + sizeof(len),
					 .size = len,
					 .len = len };
		int r = ipc_send(c->fd, &w, NULL, 0);
		if (r == -EAGAIN)
			break;
		if (r < 0) {
			client_leave(c);
			return;
		}
		wipe(w.data, len); /* a configuration holds passwords */
		c->queue_first += sizeof(len) + len;
		c->queue_len -= sizeof(len) + len;
		moved = true;
	}
	if (c->queue_len == 0) {
		c->queue_first = 0;
		loop_timer_clear(&c->stall);
	} else if (moved || !loop_timer_is_set(&c->stall)) {
		loop_timer_set(&c->control->daemon->manager.loop, &c->stall, clock_now() + CLIENT_STALL);
	}
	client_listen(c);
}

/* Room for `need` more bytes at the end of the queue. */
static bool queue_grow(struct client *c, size_t need)
{
	if (c->queue_first + c->queue_len + need <= c->queue_size)
		return true;
	if (c->queue_len + need > CLIENT_QUEUE_MAX)
		return false;
	size_t size = MAX(c->queue_len + need, c->queue_len * 2);
	uint8_t *queue = malloc(size);
	if (!queue)
		return false;
	if (c->queue_len > 0) {
		memcpy(queue, c->queue + c->queue_first, c->queue_len);
		wipe(c->queue + c->queue_first, c->queue_len);
	}
	free(c->queue);
	c->queue = queue;
	c->queue_first = 0;
	c->queue_size = size;
	return true;
}

/* Queues a message and sends what can be sent. */
static void client_send(struct client *c, const struct wire_writer *w)
{
	uint32_t len = (uint32_t)w->len;

	if (c->gone)
		return;
	if (w->error || !queue_grow(c, sizeof(len) + len)) {
		client_leave(c); /* an answer with holes would be worse than none */
		return;
	}
	uint8_t *to = c->queue + c->queue_first + c->queue_len;
	memcpy(to, &len, sizeof(len));
	memcpy(to + sizeof(len), w->data, len);
	c->queue_len += sizeof(len) + len;
	client_flush(c);
}

static void send_text(struct client *c, enum control_text kind, const char *data, size_t len)
{
	while (len > 0 && !c->gone) {
		size_t n = MIN(len, (size_t)CONTROL_CHUNK_MAX);
		struct wire_writer w = ipc_begin(c->control->buf, sizeof(c->control->buf), CONTROL_TEXT);
		control_put_text(&w, kind, data, n);
		client_send(c, &w);
		wipe(c->control->buf, w.len); /* a configuration holds passwords */
		data += n;
		len -= n;
	}
}

void client_text(struct client *c, enum control_text kind, const char *data, size_t len)
{
	char note[64];

	/* A stream has no end: who is too slow for it loses lines, and is told how many. */
	if (kind == CONTROL_STREAM && c->queue_len > CLIENT_STREAM_MAX) {
		c->lost++;
		return;
	}
	if (c->lost > 0 && kind == CONTROL_STREAM) {
		int n = snprintf(note, sizeof(note), "(%u lines lost)\n", c->lost);
		c->lost = 0;
		send_text(c, kind, note, (size_t)n);
	}
	send_text(c, kind, data, len);
}

void client_printf(struct client *c, enum control_text kind, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, format);
	int n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0) {
		text = NULL;
		return;
	}
	client_text(c, kind, text, (size_t)n);
}

void client_execute_program(struct client *c, const char *const *args)
{
	struct wire_writer w = ipc_begin(c->control->buf, sizeof(c->control->buf), CONTROL_EXECUTE);

	control_put_arguments(&w, args);
	client_send(c, &w);
}

static void send_name(struct client *c, enum control_message type, const char *name)
{
	struct wire_writer w = ipc_begin(c->control->buf, sizeof(c->control->buf), (uint16_t)type);

	control_put_name(&w, name);
	client_send(c, &w);
}

void client_finish(struct client *c, int code)
{
	struct control_done done = { .code = (uint8_t)CLAMP(code, 0, 255), .leave = c->leave };
	struct wire_writer w;

	if (c->session) {
		_cleanup_text_ struct text level = { 0 };
		config_session_level(c->session, &level);
		done.mode = CONTROL_CONFIGURE;
		done.modified = config_session_is_modified(c->session);
		(void)snprintf(done.level, sizeof(done.level), "%s", text_str(&level));
	}
	c->phase = CONTROL_PHASE_IDLE;
	w = ipc_begin(c->control->buf, sizeof(c->control->buf), CONTROL_DONE);
	control_put_done(&w, &done);
	client_send(c, &w);
}

/* --- what a client asks for -------------------------------------------------------------------------------
 */

void client_drop_line(struct client *c)
{
	if (c->line)
		wipe(c->line, c->line_len);
	free(TAKE_PTR(c->line));
}

bool client_awaits_inspection(struct client *c, const struct config_tree *tree,
			      const struct config_tree *running, const char *line, size_t len,
			      void (*resume)(struct client *c, const char *line, size_t len))
{
	int known = inspector_prepare(c->control->daemon->inspector, tree, running);

	if (known > 0)
		return false;
	client_drop_line(c);
	c->line = known == 0 ? malloc(len + 1) : NULL;
	if (!c->line) {
		client_printf(c, CONTROL_MESSAGE, "Out of memory\n");
		client_finish(c, 1);
		return true;
	}
	memcpy(c->line, line, len);
	c->line[len] = 0;
	c->line_len = len;
	c->resume = resume;
	c->task = TASK_INSPECT;
	return true;
}

void control_inspected(struct control *control)
{
	for (struct client *c = control->clients; c; c = c->next) {
		if (c->gone || c->task != TASK_INSPECT)
			continue;
		char *line = TAKE_PTR(c->line);
		size_t len = c->line_len;
		c->task = TASK_NONE;
		c->resume(c, line, len);
		wipe(line, len);
		free(line);
		client_listen(c);
	}
}

static void leave_session(struct client *c)
{
	if (c->session) {
		config_session_done(c->session);
		free(c->session);
		c->session = NULL;
	}
}

static void drop_file(struct client *c)
{
	if (c->file.data)
		wipe(c->file.data, c->file.size);
	text_done(&c->file);
	free(c->file_name);
	c->file_name = NULL;
}

static void configure(struct client *c, const char *line, size_t len)
{
	_cleanup_session_result_ struct session_result r = { 0 };
	const struct config_system *system = &c->control->daemon->system;
	const char *text;

	/* Here, and not at the commit: what changes the candidate need not wait. */
	if (client_awaits_inspection(c, c->session->candidate, system->running, line, len, configure))
		return;
	config_session_execute(c->session, line, len, &r);
	daemon_confirm_changed(c->control->daemon);
	text = text_str(&r.out);
	switch (r.status) {
	case SESSION_OK:
		client_text(c, CONTROL_OUTPUT, text, r.out.len);
		client_finish(c, 0);
		break;
	case SESSION_FAILED:
		client_text(c, CONTROL_MESSAGE, text, r.out.len);
		client_finish(c, 1);
		break;
	case SESSION_EXIT:
		client_text(c, CONTROL_MESSAGE, text, r.out.len);
		leave_session(c);
		client_finish(c, 0);
		break;
	case SESSION_RUN:
		client_text(c, CONTROL_MESSAGE, text, r.out.len);
		operate(c, line + r.run_at, len - r.run_at);
		break;
	case SESSION_READ_FILE:
		client_text(c, CONTROL_MESSAGE, text, r.out.len);
		drop_file(c);
		c->file.max = CONTROL_FILE_MAX;
		c->file_name = TAKE_PTR(r.file);
		c->file_merge = r.merge;
		c->phase = CONTROL_PHASE_WANTS_FILE;
		send_name(c, CONTROL_READ_FILE, c->file_name);
		break;
	case SESSION_WRITE_FILE:
		send_name(c, CONTROL_WRITE_FILE, r.file);
		client_text(c, CONTROL_CONTENT, text, r.out.len);
		client_finish(c, 0);
		break;
	}
}

static void take_file(struct client *c, const struct ipc_message *m)
{
	_cleanup_session_result_ struct session_result r = { 0 };
	struct control_file piece;

	if (control_decode_file(m, &piece) < 0 || !c->session) {
		client_leave(c);
		return;
	}
	text_add_len(&c->file, piece.data, piece.len);
	if (!piece.last)
		return;
	if (piece.error || c->file.error) {
		client_printf(c, CONTROL_MESSAGE,
			      piece.error == ENOENT ? "No such file '%s'\n" : "Failed to open '%s': %s\n",
			      c->file_name, strerror(piece.error ? piece.error : -c->file.error));
		client_finish(c, 1);
	} else {
		config_session_load(c->session, c->file_merge, c->file_name, text_str(&c->file), c->file.len,
				    &r);
		client_text(c, r.status == SESSION_OK ? CONTROL_OUTPUT : CONTROL_MESSAGE, text_str(&r.out),
			    r.out.len);
		client_finish(c, r.status != SESSION_OK);
	}
	drop_file(c);
}

static void complete(struct client *c, const char *line, size_t len)
{
	_cleanup_completions_ struct completions found = { 0 };
	size_t start = 0, inner = 0, done = 0;
	bool operational = !c->session;

	if (c->session)
		operational = config_session_complete(c->session, line, len, &found, &start);
	if (operational) {
		op_complete(line + start, len - start, c->control->daemon->system.running, &found, &inner);
		start += inner;
	}
	do {
		struct wire_writer w = ipc_begin(c->control->buf, sizeof(c->control->buf), CONTROL_WORDS);
		done += control_put_words(&w, (uint32_t)start, found.file, found.words + done,
					  found.n - done);
		client_send(c, &w);
	} while (done < found.n && !c->gone);
	client_text(c, CONTROL_OUTPUT, text_str(&found.help), found.help.len);
	client_finish(c, 0);
}

static void take_message(struct client *c, const struct ipc_message *m)
{
	_cleanup_free_ char *line = NULL;
	const char *data;
	size_t len;

	switch (m->type) {
	case CONTROL_HELLO:
		if (control_decode_hello(m, c->via) < 0)
			client_leave(c);
		else
			client_finish(c, 0);
		return;
	case CONTROL_INTERRUPT:
		operate_interrupt(c);
		return;
	case CONTROL_FILE:
		take_file(c, m);
		return;
	default:
		break;
	}
	/* The message stands in the buffer that answers are made in. */
	if (control_decode_line(m, &data, &len) < 0 || !(line = malloc(len + 1))) {
		client_leave(c);
		return;
	}
	memcpy(line, data, len);
	line[len] = 0;
	c->phase = CONTROL_PHASE_BUSY;
	if (m->type == CONTROL_COMPLETE)
		complete(c, line, len);
	else if (c->session)
		configure(c, line, len);
	else
		operate(c, line, len);
	wipe(line, len);
}

static void on_client(void *ctx, uint32_t events)
{
	struct client *c = ctx;
	struct ipc_message m = { 0 };

	if (events & EPOLLOUT)
		client_flush(c);
	if (c->gone || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	int r = ipc_receive(c->fd, c->control->buf, sizeof(c->control->buf), &m);
	if (r == -EAGAIN)
		return;
	if (r == 1 && ipc_permit(&c->monitor, &m, c->phase) == 0)
		take_message(c, &m);
	else
		client_leave(c); /* it has gone, or makes no sense */
	ipc_message_done(&m);
	wipe(c->control->buf, sizeof(c->control->buf)); /* "set … password" */
	client_listen(c);
}

/* --- who may connect --------------------------------------------------------------------------------------
 */

static bool is_in_group(const struct control *control, int fd, const struct ucred *peer)
{
	_cleanup_free_ gid_t *groups = NULL;
	socklen_t size = 0;

	if (!control->has_group)
		return false;
	if (peer->gid == control->group)
		return true;
	/* The supplementary groups of the peer at the time when it connected. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE ||
	    size > GROUPS_MAX * sizeof(gid_t))
		return false;
	groups = malloc(size);
	if (!groups || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return false;
	for (size_t i = 0; i < size / sizeof(gid_t); i++)
		if (groups[i] == control->group)
			return true;
	return false;
}

static void name_user(struct client *c)
{
	struct passwd user, *found = NULL;
	char space[2048];

	if (getpwuid_r(c->uid, &user, space, sizeof(space), &found) == 0 && found)
		(void)snprintf(c->user, sizeof(c->user), "%s", found->pw_name);
	else
		(void)snprintf(c->user, sizeof(c->user), "uid%u", (unsigned)c->uid);
}

static bool has_room(const struct control *control, uid_t uid)
{
	size_t own = 0;

	for (const struct client *c = control->clients; c; c = c->next)
		own += c->uid == uid && !c->gone;
	if (uid == 0)
		return control->n_clients < CLIENTS_MAX;
	return control->n_clients < CLIENTS_MAX - CLIENTS_OF_ROOT && own < CLIENTS_OF_A_USER;
}

/* Tells why not, as far as the socket takes it, before it is closed. */
static void refuse(struct control *control, int fd, const char *why)
{
	struct wire_writer w = ipc_begin(control->buf, sizeof(control->buf), CONTROL_TEXT);

	control_put_text(&w, CONTROL_MESSAGE, why, strlen(why));
	(void)ipc_send(fd, &w, NULL, 0);
}

static void add_client(struct control *control, int fd)
{
	_cleanup_close_ int owned = fd;
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return;
	if (peer.uid != 0 && peer.uid != geteuid() && !is_in_group(control, fd, &peer)) {
		refuse(control, fd, "sstpctl: not permitted: be root or a member of the group sstpcd\n");
		return;
	}
	if (!has_room(control, peer.uid)) {
		refuse(control, fd, "sstpctl: too many connections to sstpcd: end some of them\n");
		return;
	}
	struct client *c = calloc(1, sizeof(*c));
	if (!c)
		return;
	c->control = control;
	c->uid = peer.uid;
	c->monitor = control_monitor_of_daemon();
	c->source = (struct loop_fd){ .fn = on_client, .ctx = c };
	c->stall = (struct loop_timer){ .fn = on_stall, .ctx = c };
	name_user(c);
	if (loop_fd_add(&control->daemon->manager.loop, &c->source, fd, EPOLLIN) < 0) {
		free(c);
		return;
	}
	c->fd = TAKE_FD(owned);
	c->next = control->clients;
	control->clients = c;
	control->n_clients++;
}

static void on_connection(void *ctx, uint32_t events)
{
	struct control *control = ctx;

	(void)events;
	int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0) {
		add_client(control, fd);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		/* The connection stays in the queue, and the socket readable: look again later. */
		loop_fd_set(&control->source, 0);
		loop_timer_set(&control->daemon->manager.loop, &control->retry, clock_now() + RETRY_TIME);
	}
}

static void on_retry(void *ctx)
{
	struct control *control = ctx;

	loop_fd_set(&control->source, EPOLLIN);
}

static void free_client(struct client *c)
{
	loop_fd_remove(&c->source);
	loop_timer_clear(&c->stall);
	leave_session(c);
	drop_file(c);
	client_drop_line(c);
	if (c->queue_len > 0)
		wipe(c->queue + c->queue_first, c->queue_len);
	free(c->queue);
	(void)close_fd(c->fd);
	free(c);
}

static void on_reap(void *ctx)
{
	struct control *control = ctx;

	for (struct client **at = &control->clients; *at;) {
		struct client *c = *at;
		if (!c->gone) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		control->n_clients--;
		free_client(c);
	}
}

/* --- the daemon's side ------------------------------------------------------------------------------------
 */

static void on_note(void *ctx, struct tunnel *t, enum tunnel_note note)
{
	struct control *control = ctx;

	for (struct client *c = control->clients; c; c = c->next)
		if (!c->gone)
			operate_note(c, t, note);
}

static void on_journal(void *ctx, const struct journal_line *line)
{
	struct control *control = ctx;

	for (struct client *c = control->clients; c; c = c->next)
		if (!c->gone)
			operate_journal(c, line);
}

/* A group's entry lists its members: it may be long. */
static void find_group(struct control *control, const char *name)
{
	struct group group, *found = NULL;
	int r = ERANGE;

	for (size_t size = 4096; r == ERANGE && size <= GROUP_ENTRY_MAX; size *= 4) {
		_cleanup_free_ char *space = malloc(size);
		r = space ? getgrnam_r(name ? name : GROUP_DEFAULT, &group, space, size, &found) : ENOMEM;
		if (r == 0 && found)
			control->group = found->gr_gid;
	}
	control->has_group = r == 0 && found;
	if (control->has_group)
		return;
	if (r != 0 || name)
		log_warning(&control->daemon->manager.log, "control: group %s: %s: only root may connect",
			    name ? name : GROUP_DEFAULT, r != 0 ? strerror(r) : "there is none");
}

/* The socket that was asked for, or RUN-DIR/control. */
static int choose_path(struct control *control)
{
	const struct daemon_options *o = &control->daemon->options;
	int n = o->socket ? snprintf(control->path, sizeof(control->path), "%s", o->socket)
			  : snprintf(control->path, sizeof(control->path), "%s/%s",
				     daemon_run_dir(control->daemon), CONTROL_SOCKET);

	return n < 0 || (size_t)n >= sizeof(control->path) ? -ENAMETOOLONG : 0;
}

static int listen_at(struct control *control)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = control->path;
	struct stat st;
	int r = 0;

	memcpy(address.sun_path, path, strlen(path) + 1);
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* Of a former daemon: there is a lock against a living one. Anything but a socket is somebody else's.
	 */
	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return -EEXIST;
	(void)unlink(path);
	mode_t before = umask(0177);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		r = -errno;
	(void)umask(before);
	if (r == 0 && control->has_group && chown(path, (uid_t)-1, control->group) < 0) {
		/* In a container without CAP_CHOWN, or a user namespace without that group. Root is served.
		 */
		if (errno != EPERM && errno != EINVAL)
			r = -errno;
		else
			log_warning(
				&control->daemon->manager.log,
				"control socket %s: it cannot be given to group %u (CAP_CHOWN is missing, or "
				"the user namespace has no such group): only root may connect",
				path, (unsigned)control->group);
		control->has_group = false;
	}
	if (r == 0 && control->has_group && chmod(path, 0660) < 0)
		r = -errno;
	if (r == 0 && listen(fd, 16) < 0)
		r = -errno;
	if (r < 0)
		return r;
	control->fd = TAKE_FD(fd);
	return 0;
}

int control_open(struct daemon *d, struct control **ret, struct failure *failure)
{
	struct control *control = calloc(1, sizeof(*control));
	int r = control ? 0 : -ENOMEM;

	if (control) {
		control->daemon = d;
		control->fd = -1;
		control->source = (struct loop_fd){ .fn = on_connection, .ctx = control };
		control->reap = (struct loop_timer){ .fn = on_reap, .ctx = control };
		control->retry = (struct loop_timer){ .fn = on_retry, .ctx = control };
		find_group(control, d->options.group);
		r = baseline_load(&control->baseline, daemon_run_dir(d));
		if (r < 0)
			log_warning(&d->manager.log, "%s/" BASELINE_FILE ": %s: the counters are not cleared",
				    daemon_run_dir(d), strerror(-r));
		r = choose_path(control);
		if (r == 0)
			r = listen_at(control);
	}
	if (r == 0)
		r = loop_fd_add(&d->manager.loop, &control->source, control->fd, EPOLLIN);
	if (r < 0) {
		failure_set(failure, r == -EEXIST ? CAUSE_FILE_IN_THE_WAY : CAUSE_FILE_UNWRITABLE,
			    "control socket %s: %s", control ? control->path : "",
			    r == -EEXIST ? "is not a socket" : strerror(-r));
		control_close(control);
		return r;
	}
	d->note = on_note;
	d->note_ctx = control;
	d->journal.follow = on_journal;
	d->journal.follow_ctx = control;
	*ret = control;
	return 0;
}

void control_end_tasks(struct control *control, const char *why, int code)
{
	for (struct client *c = control->clients; c; c = c->next)
		if (!c->gone)
			operate_end(c, why, code);
}

void control_close(struct control *control)
{
	if (!control)
		return;
	control->daemon->note = NULL;
	control->daemon->journal.follow = NULL;
	loop_fd_remove(&control->source);
	loop_timer_clear(&control->reap);
	loop_timer_clear(&control->retry);
	while (control->clients) {
		struct client *c = control->clients;
		control->clients = c->next;
		free_client(c);
	}
	if (control->fd >= 0)
		(void)unlink(control->path);
	control->fd = close_fd(control->fd);
	baseline_done(&control->baseline);
	free(control);
}
