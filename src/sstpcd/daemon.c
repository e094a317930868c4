/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpcd/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "io/notify.h"
#include "sstpcd/control.h"
#include "sstpcd/daemon-options.h"

/* A suspended machine must not keep an unconfirmed commit for longer: the loop's clock stands still then. */
#define CONFIRM_LOOK (10 * USEC_PER_SEC)

/* The interfaces of a tree */

static const struct config_node *interfaces_of(const struct config_tree *tree)
{
	return config_node_get(&tree->root, "interfaces");
}

/* The next interface from position *i on; NULL at the end. */
static const struct config_node *next_interface(const struct config_tree *tree, size_t *i)
{
	const struct config_node *node = interfaces_of(tree);

	while (node && *i < node->n_children) {
		const struct config_node *child = node->children[(*i)++];
		if (strcmp(child->schema->name, "sstpc") == 0)
			return child;
	}
	return NULL;
}

static bool has_interface(const struct config_tree *tree, const char *name)
{
	size_t i = 0;

	for (const struct config_node *other; (other = next_interface(tree, &i));)
		if (strcmp(other->value, name) == 0)
			return true;
	return false;
}

struct tunnel *daemon_find(const struct daemon *d, const char *name)
{
	struct tunnel *t = manager_find(&d->manager, name);

	return t && !daemon_is_leaving(t) ? t : NULL;
}

const char *daemon_run_dir(const struct daemon *d)
{
	return d->options.manager.run_dir ? d->options.manager.run_dir : NETCONF_RUN_DIR;
}

/* Tunnels that leave */

static bool has_left(const struct tunnel *t)
{
	return daemon_is_leaving(t) && !process_is_alive(&t->process);
}

/* Under another name it was this one, perhaps: there are servers that let a user in only once. */
static bool has_predecessor(const struct daemon *d, const struct tunnel *t)
{
	for (size_t i = 0; i < d->manager.n_tunnels; i++) {
		const struct tunnel *other = d->manager.tunnels[i];
		if (daemon_is_leaving(other) && strcmp(other->config.server, t->config.server) == 0 &&
		    other->config.port == t->config.port &&
		    strcmp(other->config.username, t->config.username) == 0)
			return true;
	}
	return false;
}

/* Connects the new ones whose predecessors have gone. */
static void start_unstarted(struct daemon *d)
{
	for (size_t i = 0; i < d->manager.n_tunnels; i++) {
		struct tunnel *t = d->manager.tunnels[i];
		if (!t->unstarted || has_predecessor(d, t))
			continue;
		t->unstarted = false;
		if (!daemon_is_leaving(t) && !t->held)
			tunnel_event(t, TUNNEL_EVENT_CONNECT);
	}
}

static void on_reap_timer(void *ctx)
{
	struct daemon *d = ctx;

	if (manager_remove_due(&d->manager, has_left))
		loop_timer_set(&d->manager.loop, &d->reap_timer, 0);
	start_unstarted(d);
	if (d->stopping && d->manager.n_tunnels == 0)
		loop_stop(&d->manager.loop, 0);
}

static void reap_soon(struct daemon *d)
{
	loop_timer_set(&d->manager.loop, &d->reap_timer, 0);
}

static void on_note(void *ctx, struct tunnel *t, enum tunnel_note note)
{
	struct daemon *d = ctx;

	if (note == TUNNEL_NOTE_CLOSED)
		reap_soon(d);
	if (d->note)
		d->note(d->note_ctx, t, note);
}

/* The effects of a commit */

static int64_t wall_seconds(void *ctx)
{
	(void)ctx;
	return (int64_t)time(NULL);
}

static void format_time(void *ctx, int64_t seconds, char *out, size_t size)
{
	(void)ctx;
	store_format_time(seconds, out, size);
}

static uint64_t steady_seconds(void *ctx)
{
	(void)ctx;
	return clock_boot() / USEC_PER_SEC;
}

struct name_offer {
	const char *prefix;
	struct completions *to;
};

static void offer_name(void *ctx, const char *name)
{
	const struct name_offer *offer = ctx;

	completions_add(offer->to, offer->prefix, "", name, "", NULL);
}

static void offer_names(void *ctx, const char *kind, const char *prefix, struct completions *to)
{
	const struct daemon *d = ctx;
	struct name_offer offer = { .prefix = prefix, .to = to };

	if (strcmp(kind, "vrf") == 0)
		(void)netconf_list_vrfs(d->manager.netconf, offer_name, &offer);
}

static void check_vrf(const struct daemon *d, const struct config_node *interface,
		      const struct config_interface *c, struct config_errors *errors)
{
	int r = c->vrf[0] ? netconf_check_vrf(d->manager.netconf, c->vrf) : 0;
	char path[64];

	if (r == 0)
		return;
	(void)snprintf(path, sizeof(path), "interfaces sstpc %s", c->name);
	config_errors_add(
		errors, interface->line, interface->column, path,
		r == -ENOTSUP ? "\"%s\" is an interface, but no VRF!" : "VRF \"%s\" does not exist!", c->vrf);
}

/* A certificate that nobody had inspected beforehand is one of the archive, and was when it was committed. */
static void check_certificate(const struct daemon *d, const struct config_node *ca,
			      const struct config_tree *running, struct config_errors *errors)
{
	const char *certificate = inspect_new_certificate(ca, running);
	const struct inspection *i = certificate ? inspector_find(d->inspector, certificate) : NULL;
	char path[320];

	if (!i || i->result == 0)
		return;
	(void)snprintf(path, sizeof(path), "pki ca %s", ca->value);
	config_errors_add(errors, ca->line, ca->column, path, "CA certificate \"%s\" cannot be used: %s",
			  ca->value, i->text);
}

/* What the tree alone cannot tell. Only of what is new: an old VRF may be gone for a while. */
static void check(void *ctx, const struct config_tree *running, const struct config_tree *next,
		  struct config_errors *errors)
{
	const struct config_node *pki = config_node_get(&next->root, "pki");
	const struct daemon *d = ctx;
	size_t i = 0;

	for (const struct config_node *interface; (interface = next_interface(next, &i));) {
		_cleanup_config_interface_ struct config_interface c = { .port = 0 }, old = { .port = 0 };
		if (config_interface_load(next, interface->value, &c) < 0)
			continue;
		if (!running || config_interface_load(running, interface->value, &old) < 0)
			old = (struct config_interface){ .port = 0 };
		if (strcmp(c.vrf, old.vrf) != 0)
			check_vrf(d, interface, &c, errors);
	}
	for (size_t n = 0; pki && n < pki->n_children; n++)
		check_certificate(d, pki->children[n], running, errors);
}

/* A predecessor of the same name may still be leaving. */
static int add_tunnel(struct daemon *d, const struct config_interface *c, struct failure *failure)
{
	struct tunnel *t = manager_find(&d->manager, c->name);

	if (t)
		manager_remove(&d->manager, t);
	int r = manager_add(&d->manager, c, NULL, &t, failure);
	if (r == 0)
		t->fresh = true;
	return r;
}

static bool is_fresh(const struct tunnel *t)
{
	return t->fresh;
}

/* As every other error of a commit. */
static void print_failed(const char *interface, const char *message, struct text *out)
{
	_cleanup_errors_ struct config_errors errors = { 0 };
	char path[64];

	(void)snprintf(path, sizeof(path), "interfaces sstpc %s", interface);
	config_errors_add(&errors, 0, 0, path, "%s", message);
	config_errors_print_commit(&errors, out);
}

/* Makes what `next` has and we have not. On failure all is as it was. With `boot` a failure stops nothing. */
static int add_new(struct daemon *d, const struct config_tree *next, bool boot, struct text *out)
{
	size_t i = 0;

	for (const struct config_node *interface; (interface = next_interface(next, &i));) {
		_cleanup_config_interface_ struct config_interface c = { .port = 0 };
		const char *name = interface->value;
		struct failure failure = { .cause = CAUSE_NONE };
		char text[512];
		if (daemon_find(d, name))
			continue;
		int r = config_interface_load(next, name, &c);
		if (r < 0)
			failure_set(&failure, CAUSE_INTERNAL, "%s", strerror(-r));
		else
			r = add_tunnel(d, &c, &failure);
		if (r == 0)
			continue;
		failure_format(&failure, name, text, sizeof(text));
		if (boot) {
			log_error(&d->manager.log, "%s", text);
			continue;
		}
		print_failed(name, text, out);
		while (manager_remove_due(&d->manager, is_fresh))
			;
		return r;
	}
	return 0;
}

static void describe(const struct tunnel *t, struct text *out)
{
	/* Of the MTU config_warnings() has told already. */
	for (unsigned i = 0; i < NET_NOTICE_COUNT; i++)
		if (t->report.notices & ~(unsigned)NET_NOTICE_MTU_NO_IPV6 & 1u << i)
			text_addf(out, "%s: %s\n", t->tun.name, t->report.text[i]);
	if (t->report.n_failed > 0)
		text_addf(out, "%s: %s: %s\n", t->tun.name, cause_summary(t->report.failure.cause),
			  t->report.failure.detail);
	if (t->report.resolvers.cause != CAUSE_NONE)
		text_addf(out, "%s: %s: %s\n", t->tun.name, cause_summary(t->report.resolvers.cause),
			  t->report.resolvers.detail);
	if (t->held && t->state != TUNNEL_DISABLED)
		text_addf(out, "%s: stays disconnected, \"connect interface %s\" ends that\n", t->tun.name,
			  t->tun.name);
}

/* Hands a tunnel its new configuration. False if it could not be taken: no memory, or the kernel refused more
 * of it than of the one before. */
static bool follow(struct tunnel *t, const struct config_tree *next, struct text *out)
{
	_cleanup_config_interface_ struct config_interface c = { .port = 0 };
	unsigned refused_before = t->fresh ? 0 : t->report.n_failed;
	bool fresh = t->fresh;

	t->fresh = false;
	if (config_interface_load(next, t->config.name, &c) < 0)
		return true;
	bool changed = fresh || config_interface_compare(&t->config, &c) != CONFIG_COST_NONE;
	if (!fresh && tunnel_configure(t, &c) < 0) {
		log_error(&t->log, "out of memory: the old configuration stays");
		return false;
	}
	if (fresh)
		t->unstarted = !c.disable;
	if (changed && out)
		describe(t, out);
	return !changed || t->report.n_failed <= refused_before;
}

/* Hands every tunnel its configuration; false if one could not take it. What is not in `next` is left alone.
 */
static bool follow_all(struct daemon *d, const struct config_tree *next, struct text *out)
{
	bool taken = true;

	for (size_t i = d->manager.n_tunnels; i-- > 0;) {
		struct tunnel *t = d->manager.tunnels[i];
		if (!daemon_is_leaving(t) && has_interface(next, t->config.name))
			taken &= follow(t, next, out);
	}
	return taken;
}

/* Ends the tunnels that `tree` does not have. */
static void close_others(struct daemon *d, const struct config_tree *tree)
{
	for (size_t i = d->manager.n_tunnels; i-- > 0;) {
		struct tunnel *t = d->manager.tunnels[i];
		if (!daemon_is_leaving(t) && !has_interface(tree, t->config.name))
			tunnel_close(t);
	}
}

/* Sessions end and begin only when nothing can be refused any more. */
static void follow_up_all(struct daemon *d, bool wanted)
{
	for (size_t i = d->manager.n_tunnels; i-- > 0;)
		tunnel_follow_up(d->manager.tunnels[i], wanted);
}

/* As much of it as can be had: at the start, and where there is nothing to go back to. */
static void take_what_goes(struct daemon *d, const struct config_tree *next, struct text *out)
{
	(void)add_new(d, next, true, out);
	(void)follow_all(d, next, out);
	follow_up_all(d, true);
	close_others(d, next);
	start_unstarted(d);
}

/*
 * All or nothing: what is new is made, what stays is changed, and only when the kernel has taken all of it,
 * what is not wanted any more goes. Otherwise everything follows the old tree again.
 */
static int apply(void *ctx, const struct config_tree *running, const struct config_tree *next,
		 struct text *out)
{
	struct daemon *d = ctx;

	if (!running) {
		take_what_goes(d, next, out);
		return 0;
	}
	int r = add_new(d, next, false, out);
	if (r < 0)
		return r;
	if (follow_all(d, next, out)) {
		follow_up_all(d, true);
		close_others(d, next);
		start_unstarted(d);
		return 0;
	}
	(void)follow_all(d, running, NULL);
	follow_up_all(d, false);
	close_others(d, running);
	text_add(out, "Nothing was changed: correct what was refused, and commit again.\n");
	return -EIO;
}

static void committed(void *ctx, const struct config_revision *revision)
{
	struct daemon *d = ctx;

	log_notice(&d->manager.log, "configuration committed by %s via %s%s%s", revision->user, revision->via,
		   revision->comment[0] ? ": " : "", revision->comment);
}

static const char *saved_name(void *ctx)
{
	return ((struct daemon *)ctx)->store.file;
}

static int save(void *ctx, const char *data, size_t len)
{
	return store_save(&((struct daemon *)ctx)->store, data, len);
}

static int load(void *ctx, char **ret_data, size_t *ret_len)
{
	return store_load(&((struct daemon *)ctx)->store, ret_data, ret_len);
}

static const char *archive_name(void *ctx)
{
	return ((struct daemon *)ctx)->store.state;
}

static int revision_add(void *ctx, const struct config_revision *revision, const char *data, size_t len)
{
	return store_revision_add(&((struct daemon *)ctx)->store, revision, data, len);
}

static int revision_list(void *ctx, struct config_revision *list, size_t max)
{
	return store_revision_list(&((struct daemon *)ctx)->store, list, max);
}

static int revision_load(void *ctx, unsigned number, char **ret_data, size_t *ret_len)
{
	return store_revision_load(&((struct daemon *)ctx)->store, number, ret_data, ret_len);
}

static int confirm_store(void *ctx, int64_t wall_deadline, const char *data, size_t len)
{
	return store_confirm(&((struct daemon *)ctx)->store, wall_deadline, data, len);
}

static const struct config_effects effects = {
	.wall_seconds = wall_seconds,
	.format_time = format_time,
	.steady_seconds = steady_seconds,
	.check = check,
	.offer_names = offer_names,
	.apply = apply,
	.committed = committed,
	.saved_name = saved_name,
	.save = save,
	.load = load,
	.archive_name = archive_name,
	.revision_add = revision_add,
	.revision_list = revision_list,
	.revision_load = revision_load,
	.confirm_store = confirm_store,
};

static void log_lines(const struct daemon *d, enum log_level level, const struct text *lines)
{
	for (const char *line = text_str(lines); *line;) {
		size_t len = strcspn(line, "\n");
		log_line(&d->manager.log, level, "%.*s", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

void daemon_confirm_changed(struct daemon *d)
{
	uint64_t deadline = config_system_deadline(&d->system), now = steady_seconds(d);

	if (deadline == UINT64_MAX)
		loop_timer_clear(&d->confirm_timer);
	else
		loop_timer_set(&d->manager.loop, &d->confirm_timer,
			       clock_now() + (deadline > now
						      ? MIN((deadline - now) * USEC_PER_SEC, CONFIRM_LOOK)
						      : 0));
}

static void on_confirm_timer(void *ctx)
{
	struct daemon *d = ctx;
	_cleanup_text_ struct text out = { 0 };

	if (config_system_tick(&d->system, &out)) {
		log_warning(&d->manager.log, "the commit was not confirmed: it is taken back");
		log_lines(d, LOG_LEVEL_NOTICE, &out);
	}
	daemon_confirm_changed(d);
}

static int commit_reload(struct daemon *d, struct config_tree **tree, struct text *out)
{
	_cleanup_errors_ struct config_errors errors = { 0 };

	config_system_check(&d->system, *tree, &errors);
	if (config_errors_count(&errors) > 0) { /* with their lines, which a commit does not tell */
		config_errors_print(&errors, saved_name(d), out);
		return -EINVAL;
	}
	if (config_system_deadline(&d->system) != UINT64_MAX) {
		/* It would be taken back with the other one, long after whoever asked for it has looked. */
		text_add(out, "a commit waits for its confirmation: 'confirm' it, or wait until it is taken "
			      "back\n");
		return -EBUSY;
	}
	return config_system_commit(&d->system, tree, "root", "reload", "", 0, out);
}

/* Signals */

static void begin_stop(struct daemon *d)
{
	if (d->stopping) {
		for (size_t i = 0; i < d->manager.n_tunnels; i++)
			tunnel_hurry(d->manager.tunnels[i]);
		return;
	}
	d->stopping = true;
	log_notice(&d->manager.log, "stopping");
	control_end_tasks(d->control, "sstpcd ends", 1);
	(void)notify("STOPPING=1");
	for (size_t i = 0; i < d->manager.n_tunnels; i++)
		tunnel_close(d->manager.tunnels[i]);
	reap_soon(d);
}

/* Commits what was read, once it is inspected: the file may be another one by then. */
static void go_on_reloading(struct daemon *d, struct text *out)
{
	int r = d->reload ? inspector_prepare(d->inspector, d->reload, d->system.running) : -EINVAL;

	if (r == 0) {
		log_lines(d, LOG_LEVEL_NOTICE, out);
		return;
	}
	_cleanup_tree_ struct config_tree *tree = TAKE_PTR(d->reload);
	(void)notify("RELOADING=1");
	if (r > 0)
		r = commit_reload(d, &tree, out);
	else if (r == -ENOMEM)
		text_add(out, "out of memory\n");
	log_lines(d, r < 0 ? LOG_LEVEL_ERROR : LOG_LEVEL_NOTICE, out);
	log_notice(&d->manager.log, r < 0 ? "the saved configuration cannot be used, the running one stays"
					  : "the saved configuration runs");
	daemon_confirm_changed(d);
	(void)notify("READY=1");
}

static void reload_by_signal(struct daemon *d)
{
	_cleanup_text_ struct text out = { 0 };

	config_tree_free(d->reload);
	d->reload = config_system_saved(&d->system, &out);
	go_on_reloading(d, &out);
}

static void on_inspected(void *ctx)
{
	_cleanup_text_ struct text out = { 0 };
	struct daemon *d = ctx;

	if (d->reload && !d->stopping)
		go_on_reloading(d, &out);
	if (d->control)
		control_inspected(d->control);
	if (d->reexec_waits)
		loop_timer_set(&d->manager.loop, &d->reexec_timer, 0);
}

static void on_signal(void *ctx, const struct signalfd_siginfo *info)
{
	struct daemon *d = ctx;

	switch (info->ssi_signo) {
	case SIGHUP:
		if (!d->stopping)
			reload_by_signal(d);
		break;
	case SIGUSR2:
		if (!d->stopping)
			loop_timer_set(&d->manager.loop, &d->reexec_timer, 0);
		break;
	default:
		begin_stop(d);
		break;
	}
}

static void on_reexec_timer(void *ctx)
{
	struct daemon *d = ctx;

	/* The next program would not know its child. */
	d->reexec_waits = inspector_is_busy(d->inspector);
	if (d->reexec_waits)
		return;
	(void)notify("RELOADING=1");
	int r = resume_exec(d);
	log_error(&d->manager.log, "cannot restart %s: %s", d->program, strerror(-r));
	(void)notify("READY=1");
}

static int watch_signals(struct daemon *d)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR2 };
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		(void)sigaddset(&set, numbers[i]);
	d->signals = (struct loop_signals){ .fn = on_signal, .ctx = d };
	return loop_signals_add(&d->manager.loop, &d->signals, &set);
}

/* Start and end */

static void pid_path(const struct daemon *d, char out[static PATH_MAX])
{
	(void)snprintf(out, PATH_MAX, "%s/pid", daemon_run_dir(d));
}

/* For whoever wants to send a signal. */
static void write_pid(const struct daemon *d, const struct logger *log)
{
	char path[PATH_MAX], text[32];
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	pid_path(d, path);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0 || ftruncate(fd, 0) < 0 || write(fd, text, (size_t)n) != n)
		log_warning(log, "%s: %s", path, strerror(errno));
}

/*
 * One daemon per run directory. The lock is the process's: it survives a re-exec with the descriptor. Its
 * file is for us alone, because whoever can read a file can lock it.
 */
static int take_lock(struct daemon *d, struct failure *failure)
{
	const char *dir = daemon_run_dir(d);
	char path[4096];

	if (mkdir(dir, 0755) < 0 && errno != EEXIST) {
		int r = -errno;
		failure_set(failure, r == -EACCES ? CAUSE_NO_PRIVILEGE : CAUSE_FILE_UNWRITABLE,
			    "the run directory %s: %s; --run-dir chooses another", dir, strerror(-r));
		return r;
	}
	(void)snprintf(path, sizeof(path), "%s/lock", dir);
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		int r = -errno;
		failure_set(failure,
			    r == -EACCES ? CAUSE_NO_PRIVILEGE : cause_unless_limit(CAUSE_FILE_UNWRITABLE, r),
			    "%s: %s", path, strerror(-r));
		return r;
	}
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	if (fcntl(fd, F_SETLK, &lock) < 0) {
		failure_set(failure, CAUSE_ALREADY_RUNS, "%s is locked", path);
		return -EBUSY;
	}
	d->lock_fd = TAKE_FD(fd);
	return 0;
}

static int claim_run_dir(struct daemon *d, const struct logger *log, struct failure *failure)
{
	int r = take_lock(d, failure);

	if (r == 0)
		write_pid(d, log);
	return r;
}

/* What a daemon said that was restarted or has crashed is what one wants to read. */
static void keep_journal(struct daemon *d, const struct logger *log)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/journal", daemon_run_dir(d));
	int r = journal_keep(&d->journal, path);
	if (r < 0)
		log_warning(log, "%s: %s: the log will end with this process", path, strerror(-r));
}

/* A descriptor for each device and up to two for each worker. */
static void raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

void daemon_follow(struct daemon *d, struct config_tree *running)
{
	config_system_init(&d->system, &effects, d, running);
}

static int boot(struct daemon *d, struct failure *failure)
{
	_cleanup_text_ struct text report = { 0 };
	bool rolled_back = false;

	struct config_tree *tree = store_boot(&d->store, &rolled_back, &report);
	if (!tree) {
		failure_set(failure, CAUSE_INTERNAL, "out of memory");
		return -ENOMEM;
	}
	log_lines(d, LOG_LEVEL_ERROR, &report);
	take_what_goes(d, tree, NULL);
	d->manager.patience = 0;
	daemon_follow(d, tree);
	if (rolled_back)
		(void)store_confirm(&d->store, 0, NULL, 0);
	return 0;
}

static int start(struct daemon *d, const struct logger *log, struct failure *failure)
{
	raise_limits();
	int r = journal_init(&d->journal);
	if (r < 0) {
		failure_set(failure, CAUSE_INTERNAL, "out of memory");
		return r;
	}
	struct logger both = *log;
	both.sink = journal_sink;
	both.sink_ctx = &d->journal;
	r = d->options.resume_fd >= 0 ? resume_check(d->options.resume_fd) : 0;
	if (r < 0) {
		log_error(&both,
			  "the former program's state cannot be taken over, its tunnels are redialled: %s",
			  strerror(-r));
		resume_discard();
		d->options.resume_fd = -1;
		r = 0;
	}
	/* Before anything of another daemon could be taken for leftovers. A re-exec has the lock already. */
	if (d->options.resume_fd < 0)
		r = claim_run_dir(d, &both, failure);
	if (r == 0)
		keep_journal(d, &both);
	if (r == 0)
		r = manager_init(&d->manager, &d->options.manager, &both, failure);
	if (r < 0)
		return r;
	d->manager.host.observe = on_note;
	d->manager.host.observe_ctx = d;
	d->store = (struct store){ .file = d->options.config_file, .state = d->options.state_dir };
	d->confirm_timer = (struct loop_timer){ .fn = on_confirm_timer, .ctx = d };
	d->reap_timer = (struct loop_timer){ .fn = on_reap_timer, .ctx = d };
	d->reexec_timer = (struct loop_timer){ .fn = on_reexec_timer, .ctx = d };
	r = inspector_new(&d->manager.loop, d->manager.worker_path, on_inspected, d, &d->inspector);
	if (r == 0)
		r = watch_signals(d);
	if (r < 0) {
		failure_set(failure, cause_unless_limit(CAUSE_INTERNAL, r), "starting: %s", strerror(-r));
		return r;
	}
	if (d->options.resume_fd >= 0) {
		int loaded = resume_load(d, d->options.resume_fd);
		if (d->lock_fd < 0 && (r = claim_run_dir(d, &both, failure)) < 0)
			return r;
		if (loaded == 0)
			return control_open(d, &d->control, failure);
		log_error(&d->manager.log, "the former program's state cannot be taken over: %s",
			  strerror(-loaded));
	}
	r = boot(d, failure);
	return r < 0 ? r : control_open(d, &d->control, failure);
}

/* Another process may have the number by the time that somebody sends it a signal. Ours as long as the lock
 * is. */
static void delete_pid(const struct daemon *d)
{
	char path[PATH_MAX];

	pid_path(d, path);
	if (d->lock_fd >= 0)
		(void)unlink(path);
}

static void finish(struct daemon *d)
{
	loop_timer_clear(&d->confirm_timer);
	loop_timer_clear(&d->reap_timer);
	loop_timer_clear(&d->reexec_timer);
	if (d->manager.host.loop) {
		control_close(d->control);
		inspector_free(d->inspector);
		loop_signals_remove(&d->signals);
		manager_done(&d->manager);
	}
	if (d->system.effects)
		config_system_done(&d->system);
	config_tree_free(d->reload);
	journal_done(&d->journal);
	delete_pid(d);
	d->lock_fd = close_fd(d->lock_fd);
}

int daemon_main(int argc, char **argv)
{
	struct failure failure = { .cause = CAUSE_NONE };
	struct daemon d = { .lock_fd = -1 };
	char text[768];

	resume_prepare(&d, argv);

	int r = daemon_options_parse(argc, argv, &d.options, &failure);
	if (r == 0)
		return 0;
	struct logger log = { .max = d.options.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO,
			      .fd = STDERR_FILENO };
	if (r > 0)
		r = start(&d, &log, &failure);
	if (r >= 0) {
		log_notice(&d.manager.log, "ready, %zu interface%s", d.manager.n_tunnels,
			   d.manager.n_tunnels == 1 ? "" : "s");
		(void)notify("READY=1");
		r = manager_run(&d.manager);
		if (r < 0)
			failure_set(&failure, CAUSE_INTERNAL, "event loop: %s", strerror(-r));
	}
	finish(&d);
	if (failure.cause == CAUSE_NONE)
		return 0;
	failure_format(&failure, NULL, text, sizeof(text));
	log_error(&log, "%s", text);
	return cause_exit_code(failure.cause);
}
