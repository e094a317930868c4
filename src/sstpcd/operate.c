/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpcd/operate.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/secret.h"
#include "config/diff.h"
#include "config/opmode.h"
#include "config/print.h"

#define EXIT_INTERRUPTED 130 /* as a shell reports it */

static bool is_sstpc(const char *name)
{
	return strncmp(name, "sstpc", 5) == 0;
}

/* Why a command that needs one of our interfaces has nothing to do with `name`. */
static const char *why_not_ours(const char *name)
{
	return if_nametoindex(name) ? "is not one of sstpcd's" : "does not exist";
}

/* --- connect, disconnect, reset ---------------------------------------------------------------------------
 */

/* The tunnel that a command names; NULL with the reason told (in VyOS's words) and the request finished. */
static struct tunnel *find_tunnel(struct client *c, const char *name, const char *verb)
{
	struct tunnel *t = daemon_find(c->control->daemon, name);

	if (!is_sstpc(name))
		client_printf(c, CONTROL_MESSAGE, "Unknown interface %s, cannot %s. Aborting!\n", name, verb);
	else if (!t)
		client_printf(c, CONTROL_MESSAGE, "Interface %s does not exist!\n", name);
	else
		return t;
	client_finish(c, 1);
	return NULL;
}

static void begin_task(struct client *c, enum client_task task, const char *interface)
{
	c->task = task;
	c->told_stage = _STAGE_MAX;
	(void)snprintf(c->interface, sizeof(c->interface), "%s", interface);
}

static void end_task(struct client *c, int code)
{
	c->task = TASK_NONE;
	client_drop_line(c);
	client_finish(c, code);
}

static bool refuse_disabled(struct client *c, const struct tunnel *t, const char *verb)
{
	if (!t->config.disable)
		return false;
	client_printf(c, CONTROL_MESSAGE,
		      "Interface %s is disabled, cannot %s. Aborting!\n"
		      "'delete interfaces sstpc %s disable' and 'commit' enable it.\n",
		      t->config.name, verb, t->config.name);
	client_finish(c, 1);
	return true;
}

/* The stage that has begun, once. */
static void tell_stage(struct client *c, const struct tunnel *t)
{
	const struct tunnel_attempt *a = t->attempt;

	if (!a || a->stage == STAGE_SETUP || a->stage == c->told_stage)
		return;
	c->told_stage = a->stage;
	client_printf(c, CONTROL_STREAM, "  %-16s %s\n", stage_name(a->stage), a->stage_detail);
}

/* The session is up, but not all that it is for. */
static void tell_refused(struct client *c, const struct tunnel *t)
{
	const struct failure *f = kernel_refused(t);

	if (f)
		client_printf(c, CONTROL_MESSAGE, "Interface %s: warning: %s: %s (it is tried again)\n",
			      t->config.name, cause_summary(f->cause), f->detail);
}

static void tell_up(struct client *c, const struct tunnel *t)
{
	char local[INET_ADDRSTRLEN] = "";
	struct net_addr address = { .family = AF_INET, .in = t->local };

	if (t->local.s_addr)
		(void)net_addr_format(&address, local);
	client_printf(c, CONTROL_STREAM, "Interface %s: connected%s%s after %.2f s\n", t->config.name,
		      local[0] ? ", address " : "", local,
		      t->attempt ? (double)(t->state_since - t->attempt->started) / (double)USEC_PER_SEC
				 : 0.0);
	for (unsigned i = 0; i < NET_NOTICE_COUNT; i++)
		if (t->report.notices & 1u << i)
			client_printf(c, CONTROL_STREAM, "Interface %s: %s\n", t->config.name,
				      t->report.text[i]);
	tell_refused(c, t);
}

static void tell_failure(struct client *c, const struct tunnel *t)
{
	usec_t next = tunnel_next_attempt(t), now = clock_now();
	char where[HOST_MAX + 16], text[768];

	tunnel_server_format(t, where, sizeof(where));
	failure_format(&t->failure, where, text, sizeof(text));
	client_printf(c, CONTROL_MESSAGE, "Interface %s: %s\n", t->config.name, text);
	if (next != USEC_NEVER)
		client_printf(c, CONTROL_MESSAGE, "Interface %s: next attempt in %llu s\n", t->config.name,
			      (unsigned long long)(next > now ? (next - now + USEC_PER_SEC - 1) / USEC_PER_SEC
							      : 0));
}

/* Where does a client stand that waits for the connection? */
static void watch_connect(struct client *c, const struct tunnel *t)
{
	int code;

	switch (t->state) {
	case TUNNEL_DIALLING:
	case TUNNEL_NEGOTIATING:
		tell_stage(c, t);
		return;
	case TUNNEL_STOPPING:
		return;
	case TUNNEL_UP:
		tell_up(c, t);
		end_task(c, 0);
		return;
	case TUNNEL_WAITING:
		tell_failure(c, t);
		code = cause_exit_code(t->failure.cause);
		end_task(c, code ? code : 1);
		return;
	case TUNNEL_HELD:
	case TUNNEL_DISABLED:
		client_printf(c, CONTROL_MESSAGE, "Interface %s: %s\n", t->config.name,
			      t->state == TUNNEL_HELD ? "was disconnected in the meantime"
						      : "was disabled in the meantime");
		end_task(c, 1);
		return;
	case _TUNNEL_STATE_MAX:
		return;
	}
}

static void run_connect(struct client *c, const struct op_request *r)
{
	struct tunnel *t = find_tunnel(c, r->args[0], "connect");

	if (!t || refuse_disabled(c, t, "connect"))
		return;
	if (t->state == TUNNEL_UP) {
		client_printf(c, CONTROL_STREAM, "Interface %s: already connected!\n", r->args[0]);
		tell_refused(c, t);
		client_finish(c, 0);
		return;
	}
	bool dialling = t->state == TUNNEL_DIALLING || t->state == TUNNEL_NEGOTIATING;
	client_printf(c, CONTROL_STREAM,
		      dialling ? "Interface %s: connection is being established!\n"
			       : "Interface %s: connecting...\n",
		      r->args[0]);
	if (!dialling)
		tunnel_event(t, TUNNEL_EVENT_CONNECT);
	if (r->no_wait) {
		client_finish(c, 0);
		return;
	}
	begin_task(c, TASK_CONNECT, r->args[0]);
	watch_connect(c, t);
}

static void watch_disconnect(struct client *c, const struct tunnel *t)
{
	if (t->state != TUNNEL_STOPPING)
		end_task(c, 0);
}

static void run_disconnect(struct client *c, const struct op_request *r)
{
	struct tunnel *t = find_tunnel(c, r->args[0], "disconnect");

	if (!t)
		return;
	bool down = t->state == TUNNEL_DISABLED || t->state == TUNNEL_HELD;
	client_printf(c, CONTROL_STREAM,
		      down ? "Interface %s: connection is already down\n"
			   : "Interface %s: disconnecting...\n",
		      r->args[0]);
	tunnel_event(t, TUNNEL_EVENT_DISCONNECT); /* also where it is down: it stays so */
	begin_task(c, TASK_DISCONNECT, r->args[0]);
	watch_disconnect(c, t);
}

static void run_reset(struct client *c, const struct op_request *r)
{
	struct tunnel *t = find_tunnel(c, r->args[0], "connect");

	if (!t || refuse_disabled(c, t, "connect"))
		return;
	bool down = t->state == TUNNEL_HELD || t->state == TUNNEL_WAITING;
	client_printf(c, CONTROL_STREAM,
		      down ? "Interface %s: connection is already down\n"
			   : "Interface %s: disconnecting...\n",
		      r->args[0]);
	tunnel_event(t, TUNNEL_EVENT_DISCONNECT);
	client_printf(c, CONTROL_STREAM, "Interface %s: connecting...\n", r->args[0]);
	tunnel_event(t, TUNNEL_EVENT_CONNECT);
	begin_task(c, TASK_CONNECT, r->args[0]);
	watch_connect(c, t);
}

void operate_note(struct client *c, const struct tunnel *t, enum tunnel_note note)
{
	if ((c->task != TASK_CONNECT && c->task != TASK_DISCONNECT) ||
	    strcmp(c->interface, t->config.name) != 0)
		return;
	if (daemon_is_leaving(t)) {
		client_printf(c, CONTROL_MESSAGE, "Interface %s does not exist!\n", t->config.name);
		end_task(c, 1);
	} else if (c->task == TASK_DISCONNECT) {
		if (note == TUNNEL_NOTE_STATE)
			watch_disconnect(c, t);
	} else if (note == TUNNEL_NOTE_STATE || note == TUNNEL_NOTE_STAGE) {
		watch_connect(c, t);
	}
}

/* --- the log ----------------------------------------------------------------------------------------------
 */

#define MONITOR_LINES 10 /* of the past, before what comes */

struct log_output {
	bool json;
	size_t skip; /* so many lines first */
	struct text out;
};

static void count_log_line(void *ctx, const struct journal_line *line)
{
	size_t *n = ctx;

	(void)line;
	++*n;
}

static void add_log_line(void *ctx, const struct journal_line *line)
{
	struct log_output *o = ctx;

	if (o->skip > 0)
		o->skip--;
	else
		show_log_line(line, o->json, &o->out);
}

/* An interface that neither is nor was there has no log, rather than an empty one. */
static bool refuse_unknown_log(struct client *c, const char *interface)
{
	size_t n = 0;

	if (!interface || daemon_find(c->control->daemon, interface))
		return false;
	journal_each(&c->control->daemon->journal, interface, count_log_line, &n);
	if (n > 0)
		return false;
	client_printf(c, CONTROL_MESSAGE, "Interface %s %s!\n", interface, why_not_ours(interface));
	client_finish(c, 1);
	return true;
}

static void run_show_log(struct client *c, const struct op_request *r)
{
	const char *interface = r->n_args ? r->args[0] : NULL;
	struct log_output o = { .json = r->format != NULL };

	if (refuse_unknown_log(c, interface))
		return;
	journal_each(&c->control->daemon->journal, interface, add_log_line, &o);
	client_text(c, CONTROL_OUTPUT, text_str(&o.out), o.out.len);
	text_done(&o.out);
	client_finish(c, 0);
}

void operate_journal(struct client *c, const struct journal_line *line)
{
	_cleanup_text_ struct text out = { 0 };

	if (c->task != TASK_MONITOR || (c->interface[0] && strcmp(c->interface, line->tag) != 0))
		return;
	show_log_line(line, c->json, &out);
	client_text(c, CONTROL_STREAM, text_str(&out), out.len);
}

static void run_monitor_log(struct client *c, const struct op_request *r)
{
	struct journal *journal = &c->control->daemon->journal;
	const char *interface = r->n_args ? r->args[0] : NULL;
	struct log_output o = { .json = r->format != NULL };
	size_t n = 0;

	if (refuse_unknown_log(c, interface))
		return;
	journal_each(journal, interface, count_log_line, &n);
	o.skip = n - MIN(n, (size_t)MONITOR_LINES);
	journal_each(journal, interface, add_log_line, &o);
	client_text(c, CONTROL_STREAM, text_str(&o.out), o.out.len);
	text_done(&o.out);
	begin_task(c, TASK_MONITOR, interface ? interface : "");
	c->json = o.json;
}

/* --- monitor traffic --------------------------------------------------------------------------------------
 */

struct traffic {
	const char *args[CONTROL_ARGS_MAX + 1];
	size_t n;
};

static void add_argument(struct traffic *t, const char *arg)
{
	if (t->n < CONTROL_ARGS_MAX - 2)
		t->args[t->n++] = arg;
}

/* One word of the command, with the value behind it if it takes one. False with what is wrong in `out`. */
static bool add_traffic_option(struct traffic *t, const struct op_request *r, size_t *i,
			       const char **ret_filter, struct text *out)
{
	const struct op_traffic_option *o = op_traffic_option(r->args[*i]);

	if (!o) {
		text_addf(out, "Invalid option: %s\n", r->args[*i]);
		return false;
	}
	for (size_t n = 0; n < ARRAY_SIZE(o->argument) && o->argument[n]; n++)
		add_argument(t, o->argument[n]);
	if (!o->value)
		return true;
	if (++*i == r->n_args) {
		text_addf(out, "monitor traffic: missing argument for %s option\n", o->name);
		return false;
	}
	if (o->argument[0])
		add_argument(t, r->args[*i]);
	else
		*ret_filter = r->args[*i];
	return true;
}

/* The program runs on the user's side: capturing needs his rights, not ours. */
static void run_monitor_traffic(struct client *c, const struct op_request *r)
{
	struct traffic t = { .args = { "tcpdump", "-l" }, .n = 2 }; /* by lines: it may go through a pipe */
	_cleanup_text_ struct text wrong = { 0 };
	const char *filter = NULL;

	for (size_t i = 1; i < r->n_args; i++) {
		if (add_traffic_option(&t, r, &i, &filter, &wrong))
			continue;
		client_text(c, CONTROL_MESSAGE, text_str(&wrong), wrong.len);
		client_finish(c, 1);
		return;
	}
	add_argument(&t, "-i");
	add_argument(&t, r->args[0]);
	if (filter) {
		t.args[t.n++] = "--"; /* what follows is no option, whatever it looks like */
		t.args[t.n++] = filter;
	}
	client_execute_program(c, t.args);
	client_finish(c, 0);
}

/* --- show -------------------------------------------------------------------------------------------------
 */

static int show_configuration(struct client *c, const struct op_request *r, struct text *out)
{
	const struct config_node *root = &c->control->daemon->system.running->root;
	const char *format = r->format ? r->format : "";

	if (r->command == OP_SHOW_CONFIGURATION_COMMANDS || strcmp(format, "commands") == 0)
		config_print_commands(root, out);
	else if (r->command == OP_SHOW_CONFIGURATION_JSON || strcmp(format, "json") == 0)
		config_print_json(root, out);
	else
		config_print(root, CONFIG_FORM_FILE, true, out);
	return 0;
}

/* `show system commit diff N` (against the one before) and `file N`. */
static int show_revision(struct client *c, const struct op_request *r, struct text *out)
{
	struct config_system *system = &c->control->daemon->system;
	uint32_t number;

	if (parse_u32(r->args[0], 0, CONFIG_REVISIONS_MAX - 1, &number) < 0) {
		text_addf(out, "Invalid revision number %s\n", r->args[0]);
		return -EINVAL;
	}
	_cleanup_tree_ struct config_tree *tree = config_system_revision(system, number, out);
	if (!tree)
		return -EINVAL;
	if (r->command == OP_SHOW_COMMIT_FILE) {
		config_print(&tree->root, CONFIG_FORM_FILE, true, out);
		return 0;
	}
	_cleanup_tree_ struct config_tree *before = config_system_revision(system, number + 1, out);
	if (!before)
		return -EINVAL;
	config_diff_compare(&before->root, &tree->root, true, out);
	return 0;
}

static void json_commits(struct config_system *system, struct text *out)
{
	struct config_revision *list = calloc(CONFIG_REVISIONS_MAX, sizeof(*list));
	int n = list ? system->effects->revision_list(system->ctx, list, CONFIG_REVISIONS_MAX) : 0;

	text_add(out, "[");
	for (int i = 0; i < n; i++) {
		text_addf(out, "%s{\"revision\": %d, \"time\": %lld, \"user\": ", i ? ", " : "", i,
			  (long long)list[i].time);
		json_string(out, list[i].user);
		text_add(out, ", \"via\": ");
		json_string(out, list[i].via);
		text_add(out, ", \"comment\": ");
		json_string(out, list[i].comment);
		text_add(out, "}");
	}
	text_add(out, "]\n");
	free(list);
}

static int run_show(struct client *c, const struct op_request *r, struct text *out)
{
	struct daemon *d = c->control->daemon;
	struct show s = { .daemon = d,
			  .baseline = &c->control->baseline,
			  .out = out,
			  .json = r->format && strcmp(r->format, "json") == 0 };

	switch (r->command) {
	case OP_SHOW_INTERFACES:
		return show_interfaces(&s);
	case OP_SHOW_INTERFACES_COUNTERS:
		return show_counters(&s);
	case OP_SHOW_INTERFACES_DETAIL:
		return show_detail(&s, false);
	case OP_SHOW_INTERFACES_SUMMARY:
		return show_summary(&s, false);
	case OP_SHOW_SSTPC:
		return show_summary(&s, true);
	case OP_SHOW_SSTPC_DETAIL:
		return show_detail(&s, true);
	case OP_SHOW_SSTPC_ONE:
		return show_interface(&s, r->args[0]);
	case OP_SHOW_SSTPC_STATISTICS:
		return show_statistics(&s, r->args[0]);
	case OP_SHOW_PKI_CA:
		return show_pki_ca(&s, r->n_args ? r->args[0] : NULL);
	case OP_SHOW_CONFIGURATION:
	case OP_SHOW_CONFIGURATION_COMMANDS:
	case OP_SHOW_CONFIGURATION_JSON:
		return show_configuration(c, r, out);
	case OP_SHOW_COMMITS:
		if (s.json)
			json_commits(&d->system, out);
		else
			config_system_show_commits(&d->system, out);
		return 0;
	case OP_SHOW_COMMIT_DIFF:
	case OP_SHOW_COMMIT_FILE:
		return show_revision(c, r, out);
	case OP_SHOW_VERSION:
		show_version(&s);
		return 0;
	case OP_NONE:
	case OP_CLEAR_COUNTERS:
	case OP_CONFIGURE:
	case OP_CONNECT:
	case OP_DISCONNECT:
	case OP_EXIT:
	case OP_MONITOR_LOG:
	case OP_MONITOR_TRAFFIC:
	case OP_RESET:
	case OP_SHOW_LOG:
		break;
	}
	return -ENOSYS;
}

static void finish_show(struct client *c, const struct op_request *r)
{
	_cleanup_text_ struct text out = { 0 };
	int result = run_show(c, r, &out);

	if (result == 0)
		result = out.error;
	const char *name = r->args[0] ? r->args[0] : "";
	if (result == -ENODEV)
		text_addf(&out, "Interface %s %s!\n", name, why_not_ours(name));
	else if (result == -ENOENT)
		text_addf(&out, "CA \"%s\" does not exist!\n", name);
	else if (result < 0 && out.len == 0)
		text_addf(&out, "Cannot show that: %s\n", strerror(-result));
	client_text(c, result < 0 ? CONTROL_MESSAGE : CONTROL_OUTPUT, text_str(&out), out.len);
	if (out.data)
		wipe(out.data, out.size);
	client_finish(c, result < 0);
}

/* --- all of them ------------------------------------------------------------------------------------------
 */

static void run_clear_counters(struct client *c)
{
	struct daemon *d = c->control->daemon;
	int r = baseline_take(&c->control->baseline, (int64_t)time(NULL));

	if (r < 0)
		client_printf(c, CONTROL_MESSAGE, "Cannot read the counters: %s\n", strerror(-r));
	else if ((r = baseline_save(&c->control->baseline, daemon_run_dir(d))) < 0)
		client_printf(c, CONTROL_MESSAGE,
			      "The counters are cleared until sstpcd ends: %s/" BASELINE_FILE ": %s\n",
			      daemon_run_dir(d), strerror(-r));
	client_finish(c, r < 0);
}

static void run_configure(struct client *c)
{
	_cleanup_text_ struct text damage = { 0 };

	if (c->session) {
		client_printf(c, CONTROL_MESSAGE,
			      "\n  Invalid command: [configure] (in configuration mode already)\n\n");
		client_finish(c, 1);
		return;
	}
	c->session = calloc(1, sizeof(*c->session));
	if (!c->session ||
	    config_session_init(c->session, &c->control->daemon->system, c->user, c->via) < 0) {
		free(c->session);
		c->session = NULL;
		client_printf(c, CONTROL_MESSAGE, "Out of memory\n");
		client_finish(c, 1);
		return;
	}
	c->session->unprivileged = c->uid != 0 && c->uid != geteuid();
	store_warn_damaged(&c->control->daemon->store, &damage);
	client_text(c, CONTROL_MESSAGE, text_str(&damage), damage.len);
	client_finish(c, 0);
}

void operate(struct client *c, const char *line, size_t len)
{
	_cleanup_op_request_ struct op_request r = { 0 };
	_cleanup_text_ struct text wrong = { 0 };
	int error = op_parse(&r, line, len, &wrong);

	if (error < 0) {
		client_text(c, CONTROL_MESSAGE, text_str(&wrong), wrong.len);
		client_finish(c, error != -ENODATA);
		return;
	}
	switch (r.command) {
	case OP_CLEAR_COUNTERS:
		run_clear_counters(c);
		break;
	case OP_CONFIGURE:
		run_configure(c);
		break;
	case OP_CONNECT:
		run_connect(c, &r);
		break;
	case OP_DISCONNECT:
		run_disconnect(c, &r);
		break;
	case OP_RESET:
		run_reset(c, &r);
		break;
	case OP_EXIT:
		c->leave = !c->session;
		client_finish(c, 0);
		break;
	case OP_MONITOR_LOG:
		run_monitor_log(c, &r);
		break;
	case OP_MONITOR_TRAFFIC:
		run_monitor_traffic(c, &r);
		break;
	case OP_SHOW_LOG:
		run_show_log(c, &r);
		break;
	case OP_SHOW_PKI_CA:
		if (!client_awaits_inspection(c, c->control->daemon->system.running, NULL, line, len,
					      operate))
			finish_show(c, &r);
		break;
	case OP_NONE:
	case OP_SHOW_COMMITS:
	case OP_SHOW_COMMIT_DIFF:
	case OP_SHOW_COMMIT_FILE:
	case OP_SHOW_CONFIGURATION:
	case OP_SHOW_CONFIGURATION_COMMANDS:
	case OP_SHOW_CONFIGURATION_JSON:
	case OP_SHOW_INTERFACES:
	case OP_SHOW_INTERFACES_COUNTERS:
	case OP_SHOW_INTERFACES_DETAIL:
	case OP_SHOW_INTERFACES_SUMMARY:
	case OP_SHOW_SSTPC:
	case OP_SHOW_SSTPC_DETAIL:
	case OP_SHOW_SSTPC_ONE:
	case OP_SHOW_SSTPC_STATISTICS:
	case OP_SHOW_VERSION:
		finish_show(c, &r);
		break;
	}
}

void operate_end(struct client *c, const char *why, int code)
{
	if (c->task == TASK_NONE)
		return;
	client_printf(c, CONTROL_MESSAGE, "%s\n", why);
	end_task(c, code);
}

void operate_interrupt(struct client *c)
{
	if (c->task == TASK_CONNECT)
		client_printf(c, CONTROL_MESSAGE, "Interface %s: goes on connecting in the background\n",
			      c->interface);
	if (c->task != TASK_NONE)
		end_task(c, c->task == TASK_MONITOR ? 0 : EXIT_INTERRUPTED);
}
