/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Re-exec in place. The state is a memfd of records, each a length u32 and fields as in ipc/message.h: one of
 * the daemon, one with the log (a record per line), then one per tunnel. A new program that knows another
 * RESUME_VERSION takes nothing over, and the tunnels are dialled again.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "sstpcd/control.h"
#include "sstpcd/daemon.h"

#define RESUME_VERSION	  8
#define RESUME_MAX	  (64u << 20)
#define RECORD_MAX	  8192
#define ARGS_MAX	  64
#define EXIT_STARTED_ANEW 75 /* of a command that waits: EX_TEMPFAIL of <sysexits.h> */
/* A worker whose daemon is gone ends its session within 3 s, usually at once. */
#define FAREWELL_LOOK_MS 50
#define FAREWELL_LOOKS	 100

void resume_prepare(struct daemon *d, char **argv)
{
	ssize_t n = readlink("/proc/self/exe", d->program, sizeof(d->program) - 1);

	d->program[MAX(n, 0)] = 0;
	d->argv = argv;
}

/* Saving */

static void put_failure(struct wire_writer *w, const struct failure *f)
{
	ipc_put_text(w, cause_name(f->cause));
	ipc_put_text(w, f->detail);
}

static void put_addr(struct wire_writer *w, const struct net_addr *a)
{
	wire_put_u8(w, a->family == AF_INET ? 4 : a->family == AF_INET6 ? 6 : 0);
	if (a->family == AF_INET)
		wire_put(w, &a->in, sizeof(a->in));
	else if (a->family == AF_INET6)
		wire_put(w, &a->in6, sizeof(a->in6));
}

static void put_attempt(struct wire_writer *w, const struct tunnel_attempt *a)
{
	wire_put_u64(w, a->started);
	wire_put_u8(w, (uint8_t)a->stage);
	for (size_t i = 0; i < _STAGE_MAX; i++)
		wire_put_u64(w, a->stage_at[i]);
	ipc_put_text(w, a->stage_detail);
	put_addr(w, &a->server);
	put_addr(w, &a->source);
	wire_put_u8(w, a->has_verified);
	if (a->has_verified)
		worker_put_verified(w, &a->verified);
	wire_put_u8(w, a->has_link);
	if (a->has_link)
		worker_put_link(w, &a->link);
	wire_put_u8(w, a->has_up);
	if (a->has_up)
		worker_put_up(w, &a->up);
	wire_put_u8(w, a->has_ipv6);
	wire_put(w, a->ipv6.local_id, sizeof(a->ipv6.local_id));
	wire_put(w, a->ipv6.peer_id, sizeof(a->ipv6.peer_id));
	worker_put_rdnss(w, &a->rdnss);
	wire_put_u32(w, a->log_lines);
}

static void put_tunnel(struct wire_writer *w, const struct tunnel *t)
{
	bool alive = process_is_alive(&t->process);

	ipc_put_text(w, t->config.name);
	wire_put_u32(w, (uint32_t)t->tun.fd);
	wire_put_u32(w, t->tun.offloads);
	wire_put_u8(w, (uint8_t)t->state);
	wire_put_u8(w, (uint8_t)t->next);
	wire_put_u8(w, t->held);
	wire_put_u64(w, t->state_since);
	wire_put_u64(w, t->state_since_boot);
	wire_put_u64(w, loop_timer_deadline(&t->timer));
	wire_put_u8(w, alive);
	if (alive) {
		wire_put_u32(w, (uint32_t)process_pid(&t->process));
		wire_put_u32(w, (uint32_t)t->process.fd);
		wire_put_u8(w, (uint8_t)t->process.phase);
		wire_put_u64(w, t->process.monitor.seen);
	}
	put_failure(w, &t->failure);
	wire_put_u8(w, (uint8_t)t->failure.stage);
	wire_put_u64(w, (uint64_t)t->failure_at);
	wire_put_u32(w, t->failures);
	wire_put_u32(w, t->refused);
	wire_put_u8(w, t->proven);
	wire_put_u8(w, t->eap_first);
	wire_put_u32(w, t->sessions);
	wire_put(w, &t->local, sizeof(t->local));
	wire_put(w, &t->peer, sizeof(t->peer));
	wire_put_u16(w, t->peer_mru);
	wire_put_u8(w, t->attempt != NULL);
	if (t->attempt)
		put_attempt(w, t->attempt);
}

static void add_record(struct text *out, const struct wire_writer *w)
{
	uint8_t len[4];
	struct wire_writer l = wire_writer(len, sizeof(len));

	if (w->error && !out->error)
		out->error = w->error;
	wire_put_u32(&l, (uint32_t)w->len);
	text_add_len(out, (const char *)len, sizeof(len));
	if (w->len > 0)
		text_add_len(out, (const char *)w->data, w->len);
}

static void add_tree(struct text *out, const struct config_tree *tree)
{
	_cleanup_text_ struct text file = { 0 };

	if (tree)
		config_file_print(tree, &file);
	struct wire_writer w = {
		.data = (uint8_t *)file.data, .size = file.len, .len = file.len, .error = file.error
	};
	add_record(out, &w);
	if (file.data)
		wipe(file.data, file.len);
}

static uint64_t confirm_seconds(const struct daemon *d)
{
	uint64_t deadline = config_system_deadline(&d->system);
	uint64_t now = d->system.effects->steady_seconds(d->system.ctx);

	return deadline == UINT64_MAX ? UINT64_MAX : deadline > now ? deadline - now : 0;
}

static void save(struct daemon *d, struct text *out)
{
	uint8_t buf[RECORD_MAX];
	struct wire_writer w = wire_writer(buf, sizeof(buf));

	wire_put_u32(&w, RESUME_VERSION);
	wire_put_u32(&w, (uint32_t)d->manager.n_tunnels);
	wire_put_u8(&w, d->system.unsaved);
	wire_put_u64(&w, confirm_seconds(d));
	wire_put_u32(&w, (uint32_t)d->lock_fd);
	add_record(out, &w);
	add_tree(out, d->system.running);
	add_tree(out, d->system.confirm_previous);
	for (size_t i = 0; i < d->manager.n_tunnels; i++) {
		w = wire_writer(buf, sizeof(buf));
		put_tunnel(&w, d->manager.tunnels[i]);
		add_record(out, &w);
	}
	wipe(buf, sizeof(buf));
}

static int write_state(struct daemon *d)
{
	_cleanup_text_ struct text state = { .max = RESUME_MAX };
	_cleanup_close_ int fd = memfd_create("state", 0);

	if (fd < 0)
		return -errno;
	save(d, &state);
	int r = state.error;
	if (r == 0)
		r = write_all(fd, text_str(&state), state.len);
	if (state.data)
		wipe(state.data, state.len);
	return r < 0 ? r : TAKE_FD(fd);
}

/* What the new program gets by number. */
static void set_inherited(const struct daemon *d, bool inherited)
{
	/* The lock goes when its file is closed anywhere in the process. */
	(void)fcntl(d->lock_fd, F_SETFD, inherited ? 0 : FD_CLOEXEC);
	for (size_t i = 0; i < d->manager.n_tunnels; i++) {
		const struct tunnel *t = d->manager.tunnels[i];
		(void)fcntl(t->tun.fd, F_SETFD, inherited ? 0 : FD_CLOEXEC);
		if (t->process.fd >= 0)
			(void)fcntl(t->process.fd, F_SETFD, inherited ? 0 : FD_CLOEXEC);
	}
}

int resume_exec(struct daemon *d)
{
	char *argv[ARGS_MAX + 3], number[16];
	struct failure failure = { .cause = CAUSE_NONE };
	size_t n = 0;

	/* The resolver's programs must not be left half way. */
	(void)netconf_flush(d->manager.netconf, &failure);
	_cleanup_close_ int fd = write_state(d);
	if (fd < 0)
		return fd;
	for (char **arg = d->argv; *arg && n < ARGS_MAX; arg++) {
		if (strcmp(*arg, "--resume") == 0 && arg[1])
			arg++;
		else
			argv[n++] = *arg;
	}
	(void)snprintf(number, sizeof(number), "%d", fd);
	argv[n++] = (char[]){ "--resume" };
	argv[n++] = number;
	argv[n] = NULL;
	set_inherited(d, true);
	log_notice(&d->manager.log, "restarting %s", d->program);
	control_end_tasks(d->control,
			  "sstpcd is restarting, which ends this command; what it has begun goes on",
			  EXIT_STARTED_ANEW);
	(void)execv(d->program, argv);
	int r = -errno;
	set_inherited(d, false);
	return r;
}

/* Loading */

static struct wire_reader next_record(struct wire_reader *r)
{
	return wire_child(r, wire_u32(r));
}

static void get_failure(struct wire_reader *r, struct failure *f)
{
	char name[64];

	ipc_get_text(r, name, sizeof(name));
	ipc_get_text(r, f->detail, sizeof(f->detail));
	for (enum cause c = CAUSE_NONE; c < _CAUSE_MAX; c++)
		if (strcmp(cause_name(c), name) == 0)
			f->cause = c;
}

static void get_addr(struct wire_reader *r, struct net_addr *a)
{
	unsigned family = wire_u8(r);

	*a = (struct net_addr){ .family = family == 4 ? AF_INET : family == 6 ? AF_INET6 : AF_UNSPEC };
	if (family == 4)
		wire_copy(r, &a->in, sizeof(a->in));
	else if (family == 6)
		wire_copy(r, &a->in6, sizeof(a->in6));
}

static enum stage get_stage(struct wire_reader *r)
{
	unsigned stage = wire_u8(r);

	if (stage >= _STAGE_MAX)
		r->error = -EBADMSG;
	return r->error ? STAGE_SETUP : (enum stage)stage;
}

static enum tunnel_state get_state(struct wire_reader *r)
{
	unsigned state = wire_u8(r);

	if (state >= _TUNNEL_STATE_MAX)
		r->error = -EBADMSG;
	return r->error ? TUNNEL_HELD : (enum tunnel_state)state;
}

static int get_attempt(struct wire_reader *r, struct tunnel_attempt *a)
{
	a->started = wire_u64(r);
	a->stage = get_stage(r);
	for (size_t i = 0; i < _STAGE_MAX; i++)
		a->stage_at[i] = wire_u64(r);
	ipc_get_text(r, a->stage_detail, sizeof(a->stage_detail));
	get_addr(r, &a->server);
	get_addr(r, &a->source);
	a->has_verified = ipc_get_bool(r);
	if (a->has_verified && worker_get_verified(r, &a->verified) < 0)
		return -EBADMSG;
	a->has_link = ipc_get_bool(r);
	if (a->has_link && worker_get_link(r, &a->link) < 0)
		return -EBADMSG;
	a->has_up = ipc_get_bool(r);
	if (a->has_up && worker_get_up(r, &a->up) < 0)
		return -EBADMSG;
	a->has_ipv6 = ipc_get_bool(r);
	wire_copy(r, a->ipv6.local_id, sizeof(a->ipv6.local_id));
	wire_copy(r, a->ipv6.peer_id, sizeof(a->ipv6.peer_id));
	if (worker_get_rdnss(r, &a->rdnss) < 0)
		return -EBADMSG;
	a->log_lines = wire_u32(r);
	return r->error;
}

/* What a record says besides what goes into the tunnel itself. */
struct saved {
	char name[IFNAMSIZ];
	int tun_fd, socket;
	unsigned offloads;
	bool alive;
	pid_t pid;
	enum worker_phase phase;
	uint64_t seen;
	usec_t deadline;
};

static void get_head(struct wire_reader *r, struct saved *s)
{
	ipc_get_text(r, s->name, sizeof(s->name));
	s->tun_fd = (int)wire_u32(r);
	s->offloads = wire_u32(r);
}

static int get_tunnel(struct wire_reader *r, struct saved *s, struct tunnel *t)
{
	t->state = get_state(r);
	t->next = get_state(r);
	t->held = ipc_get_bool(r);
	t->state_since = wire_u64(r);
	t->state_since_boot = wire_u64(r);
	s->deadline = wire_u64(r);
	s->alive = ipc_get_bool(r);
	if (s->alive) {
		s->pid = (pid_t)wire_u32(r);
		s->socket = (int)wire_u32(r);
		unsigned phase = wire_u8(r);
		s->phase = phase <= WORKER_PHASE_ENDED ? (enum worker_phase)phase : WORKER_PHASE_ENDED;
		s->seen = wire_u64(r);
	}
	get_failure(r, &t->failure);
	t->failure.stage = get_stage(r);
	t->failure_at = (int64_t)wire_u64(r);
	t->failures = wire_u32(r);
	t->refused = wire_u32(r);
	t->proven = ipc_get_bool(r);
	t->eap_first = ipc_get_bool(r);
	t->sessions = wire_u32(r);
	wire_copy(r, &t->local, sizeof(t->local));
	wire_copy(r, &t->peer, sizeof(t->peer));
	t->peer_mru = wire_u16(r);
	if (ipc_get_bool(r)) {
		t->attempt = calloc(1, sizeof(*t->attempt));
		if (!t->attempt || get_attempt(r, t->attempt) < 0)
			return -EBADMSG;
	}
	return wire_finish(r);
}

static bool state_has_worker(enum tunnel_state state)
{
	return state == TUNNEL_DIALLING || state == TUNNEL_NEGOTIATING || state == TUNNEL_UP ||
	       state == TUNNEL_STOPPING;
}

/* Brings a tunnel to life with its worker; where that cannot be, it starts from the beginning. */
static void revive(struct daemon *d, struct tunnel *t, const struct saved *s)
{
	int r = s->alive ? process_adopt(&t->process, s->pid, s->socket, s->phase, s->seen) : 0;

	if (r < 0) { /* two workers of one device would steal each other's packets */
		log_warning(&t->log, "the worker cannot be taken over, it is ended: %s", strerror(-r));
		process_reap(s->pid);
		(void)close_fd(s->socket);
	}
	if (state_has_worker(t->state) && (!process_is_alive(&t->process) || !t->attempt)) {
		process_end(&t->process);
		t->state = t->config.disable ? TUNNEL_DISABLED : TUNNEL_HELD;
		if (!t->held)
			tunnel_event(t, TUNNEL_EVENT_CONNECT);
		return;
	}
	loop_timer_set(&d->manager.loop, &t->timer, s->deadline);
	kernel_remember_path(t);
	(void)kernel_reconcile(t);
	if (t->state == TUNNEL_HELD && !t->held) /* it was about to be connected */
		tunnel_event(t, TUNNEL_EVENT_CONNECT);
}

/*
 * Closes what a tunnel leaves that is not taken over, and ends its worker: nobody else would wait for it. The
 * device goes with its last descriptor.
 */
static void abandon(struct daemon *d, const struct saved *s)
{
	struct process worker = { .loop = &d->manager.loop, .fd = -1 };

	(void)close_fd(s->tun_fd);
	if (!s->alive)
		return;
	if (process_adopt(&worker, s->pid, s->socket, WORKER_PHASE_ENDED, s->seen) == 0) {
		process_end(&worker);
	} else {
		process_reap(s->pid);
		(void)close_fd(s->socket);
	}
}

/* A device that was deleted while nobody looked. */
static void make_anew(struct daemon *d, const struct config_interface *config, bool held)
{
	struct failure failure = { .cause = CAUSE_NONE };
	struct tunnel *t;

	if (manager_add(&d->manager, config, NULL, &t, &failure) < 0) {
		log_error(&d->manager.log, "%s: %s: %s", config->name, cause_summary(failure.cause),
			  failure.detail);
		return;
	}
	t->held = held;
	if (!config->disable && !held)
		tunnel_event(t, TUNNEL_EVENT_CONNECT);
}

/* Takes back what was done beside the device: rules, resolvers, settings. */
static void clean_up(struct daemon *d, const char *name)
{
	struct net_report report;

	if (netconf_remove(d->manager.netconf, 0, name, &report) < 0)
		log_error(&d->manager.log, "%s: %s: %s", name, cause_summary(report.failure.cause),
			  report.failure.detail);
}

static int load_tunnel(struct daemon *d, struct wire_reader record)
{
	_cleanup_config_interface_ struct config_interface config = { .port = 0 };
	struct saved s = { .tun_fd = -1, .socket = -1 };
	struct tunnel *t;
	struct tun tun;

	get_head(&record, &s);
	if (record.error)
		return record.error;
	int r = config_interface_load(d->system.running, s.name, &config);
	bool wanted = r == 0;
	if (r == 0)
		r = tun_adopt(s.tun_fd, s.offloads, &tun);
	if (r == 0) {
		(void)fcntl(s.tun_fd, F_SETFD, FD_CLOEXEC);
		r = manager_adopt(&d->manager, &config, &tun, &t);
	}
	if (r < 0) { /* it was leaving, or its device is gone */
		struct tunnel scratch = { .attempt = NULL };
		(void)get_tunnel(&record, &s, &scratch);
		free(scratch.attempt);
		abandon(d, &s);
		if (wanted)
			make_anew(d, &config, scratch.held);
		else
			clean_up(d, s.name);
		return 0;
	}
	r = get_tunnel(&record, &s, t);
	if (r == 0 && s.alive)
		(void)fcntl(s.socket, F_SETFD, FD_CLOEXEC);
	if (r < 0) {
		log_error(&t->log, "its state cannot be read, it is dialled again");
		s.tun_fd = -1;
		abandon(d, &s);
		s.alive = false;
		t->state = TUNNEL_UP;
	}
	revive(d, t, &s);
	return 0;
}

static struct config_tree *load_tree(struct wire_reader *all)
{
	_cleanup_errors_ struct config_errors errors = { 0 };
	struct wire_reader record = next_record(all);
	size_t len = wire_left(&record);

	if (all->error || len == 0)
		return NULL;
	return config_file_parse((const char *)record.data, len, &errors);
}

/* What the state says of the daemon itself. */
struct saved_daemon {
	uint32_t n_tunnels;
	bool unsaved;
	uint64_t confirm;
	int lock_fd;
};

static int get_daemon(struct wire_reader *all, struct saved_daemon *s)
{
	struct wire_reader head = next_record(all);
	uint32_t version = wire_u32(&head);

	s->n_tunnels = wire_u32(&head);
	s->unsaved = ipc_get_bool(&head);
	s->confirm = wire_u64(&head);
	s->lock_fd = (int)wire_u32(&head);
	return wire_finish(&head) < 0 || version != RESUME_VERSION ? -EPROTO : 0;
}

static int check(struct daemon *d, struct wire_reader *all)
{
	struct saved_daemon s;

	(void)d;
	int r = get_daemon(all, &s);
	if (r < 0)
		return r;
	struct config_tree *running = load_tree(all);
	r = running && !all->error ? 0 : -EBADMSG;
	config_tree_free(running);
	return r;
}

static int load(struct daemon *d, struct wire_reader *all)
{
	struct saved_daemon s;

	int r = get_daemon(all, &s);
	if (r < 0)
		return r;
	if (fcntl(s.lock_fd, F_SETFD, FD_CLOEXEC) == 0)
		d->lock_fd = s.lock_fd;
	struct config_tree *running = load_tree(all);
	struct config_tree *previous = load_tree(all);
	if (!running || all->error) {
		config_tree_free(running);
		config_tree_free(previous);
		return -EBADMSG;
	}
	daemon_follow(d, running);
	d->system.unsaved = s.unsaved;
	if (previous && s.confirm != UINT64_MAX)
		config_system_resume_confirm(&d->system, previous, s.confirm);
	else
		config_tree_free(previous);
	for (uint32_t i = 0; i < s.n_tunnels; i++)
		if (load_tunnel(d, next_record(all)) < 0)
			log_error(&d->manager.log, "the state of a tunnel is damaged");
	daemon_confirm_changed(d);
	return 0;
}

static int with_state(int fd, int (*use)(struct daemon *d, struct wire_reader *all), struct daemon *d)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > (off_t)RESUME_MAX)
		return -EINVAL;
	size_t len = (size_t)st.st_size;
	void *data = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	struct wire_reader all = wire_reader(data, len);
	int r = use(d, &all);
	(void)munmap(data, len);
	return r;
}

int resume_check(int fd)
{
	return with_state(fd, check, NULL);
}

void resume_discard(void)
{
	(void)close_range(STDERR_FILENO + 1, ~0u, 0);
	/* At the end of their sockets the workers end their sessions. All children are those of before. */
	for (int looks = 0; looks < FAREWELL_LOOKS;) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);
		if (pid < 0)
			break;
		if (pid == 0) {
			(void)poll(NULL, 0, FAREWELL_LOOK_MS);
			looks++;
		}
	}
}

int resume_load(struct daemon *d, int fd)
{
	_cleanup_close_ _unused_ int closing = fd;

	return with_state(fd, load, d);
}
