/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpcd/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cause.h"
#include "base/text.h"
#include "config/model.h"
#include "sstpcd/process.h"

#define INSPECT_TIME   (5 * USEC_PER_SEC)
#define INSPECT_OUTPUT 8192
/* What was no fault of the certificate is tried again so long after everything was settled: who has waited
 * for several gets to see them all. */
#define RETRY_TIME (5 * USEC_PER_SEC)
/* Two configurations of them, so that what is known is not forgotten before it is used. */
#define KNOWN_MAX (2 * CONFIG_CAS_MAX)

struct entry {
	struct entry *next;
	char *certificate;
	bool known;
	usec_t expires;
	struct inspection result;
};

struct inspector {
	struct loop *loop;
	const char *program;
	void (*settled)(void *ctx);
	void *ctx;
	struct entry *entries; /* the newest first */
	size_t n_entries;
	bool busy; /* until `settled` was called */
	/* The one that is being inspected: */
	struct entry *current; /* NULL = none */
	struct loop_child child;
	struct loop_fd output;
	struct loop_timer timer;
	int fd; /* -1 after the end of the output */
	struct text text;
	int result;   /* that the end of the program tells */
	char end[64]; /* how it ended, where that is no judgement */
};

static void start_next(struct inspector *i);

static void free_entry(struct entry *e)
{
	free(e->certificate);
	free(e->result.text);
	free(e);
}

static void close_output(struct inspector *i)
{
	loop_fd_remove(&i->output);
	i->fd = close_fd(i->fd);
}

/* --- one certificate --------------------------------------------------------------------------------------
 */

static void learn(struct inspector *i, int result)
{
	struct entry *e = TAKE_PTR(i->current);
	char line[256];

	loop_timer_clear(&i->timer);
	if (result == 0 && i->text.error)
		result = i->text.error;
	if (result == -EINVAL) {
		const char *why = text_str(&i->text);
		printable(line, sizeof(line), why, strcspn(why, "\n"));
		e->result.text = strdup(line[0] ? line : "it cannot be read");
	} else {
		(void)snprintf(line, sizeof(line), "its inspection: %s",
			       result == -EIO && i->end[0] ? i->end : strerror(-result));
		e->result.text = strdup(result == 0 ? text_str(&i->text) : line);
	}
	e->result.result = e->result.text ? result : -ENOMEM;
	e->known = true;
	e->expires = USEC_NEVER;
	text_done(&i->text);
	start_next(i);
}

/* Both have to come: the end of the program, and the end of what it says. */
static void learn_if_complete(struct inspector *i)
{
	if (i->current && i->child.pid == 0 && i->fd < 0)
		learn(i, i->result);
}

/* Status 1 says that the certificate is bad. Another one, or a signal (no memory, the sandbox), says nothing
 * of it. */
static void on_end(void *ctx, const siginfo_t *info)
{
	struct inspector *i = ctx;

	if (info->si_code == CLD_EXITED && info->si_status <= 1) {
		i->result = info->si_status == 0 ? 0 : -EINVAL;
	} else {
		process_end_format(info, i->end, sizeof(i->end));
		i->result = -EIO;
	}
	learn_if_complete(i);
}

static void give_up(struct inspector *i, int error)
{
	close_output(i);
	loop_child_end(&i->child);
	learn(i, error);
}

static void on_time(void *ctx)
{
	give_up(ctx, -ETIMEDOUT);
}

static void on_output(void *ctx, uint32_t events)
{
	struct inspector *i = ctx;
	char buf[4096];

	(void)events;
	ssize_t n = read(i->fd, buf, sizeof(buf));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0) {
		text_add_len(&i->text, buf, (size_t)n);
		if (i->text.error)
			give_up(i, i->text.error);
		return;
	}
	close_output(i);
	learn_if_complete(i);
}

/* Descriptors 0, 1 and 2 and nothing else. Output and errors share a pipe: only one of them is used. */
static int start(struct inspector *i, const char *certificate)
{
	_cleanup_text_ struct text pem = { 0 };
	int fds[2];
	pid_t pid;

	config_add_pem(certificate, &pem);
	if (pem.error)
		return pem.error;
	_cleanup_close_ int input = process_memory_file("pem", text_str(&pem), pem.len);
	if (input < 0)
		return input;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	_cleanup_close_ int reader = fds[0], writer = fds[1];
	/* Theirs may block. */
	if (fcntl(writer, F_SETFL, 0) < 0)
		return -errno;
	const struct process_fds theirs = { .in = input, .out = writer, .error = writer, .socket = -1 };
	int r = process_spawn(i->program, "--inspect", &theirs, &pid);
	if (r < 0)
		return r;
	r = loop_child_add(i->loop, &i->child, pid);
	if (r < 0) {
		process_reap(pid);
		return r;
	}
	r = loop_fd_add(i->loop, &i->output, reader, EPOLLIN);
	if (r < 0) {
		loop_child_end(&i->child);
		return r;
	}
	i->fd = TAKE_FD(reader);
	i->end[0] = 0;
	i->text = (struct text){ .max = INSPECT_OUTPUT };
	loop_timer_set(i->loop, &i->timer, clock_now() + INSPECT_TIME);
	return 0;
}

/* --- all of them ------------------------------------------------------------------------------------------
 */

/* Not the certificate's fault. */
static bool is_passing(const struct entry *e)
{
	return e->result.result != 0 && e->result.result != -EINVAL;
}

static void on_settled(void *ctx)
{
	struct inspector *i = ctx;

	i->busy = false;
	for (struct entry *e = i->entries; e; e = e->next)
		if (e->known && is_passing(e) && e->expires == USEC_NEVER)
			e->expires = clock_now() + RETRY_TIME;
	i->settled(i->ctx);
}

static struct entry *first_unknown(const struct inspector *i)
{
	for (struct entry *e = i->entries; e; e = e->next)
		if (!e->known)
			return e;
	return NULL;
}

static void start_next(struct inspector *i)
{
	i->busy = true;
	i->current = first_unknown(i);
	if (!i->current) {
		i->timer.fn = on_settled; /* from the loop, as those that wait may ask for more */
		loop_timer_set(i->loop, &i->timer, 0);
		return;
	}
	i->timer.fn = on_time;
	int r = start(i, i->current->certificate);
	if (r < 0)
		learn(i, r);
}

/* Makes room for another: the oldest one that is known goes. */
static void forget_oldest(struct inspector *i)
{
	struct entry **oldest = NULL;

	for (struct entry **at = &i->entries; *at; at = &(*at)->next)
		if ((*at)->known)
			oldest = at;
	if (!oldest)
		return;
	struct entry *e = *oldest;
	*oldest = e->next;
	i->n_entries--;
	free_entry(e);
}

static struct entry *find(const struct inspector *i, const char *certificate)
{
	for (struct entry *e = i->entries; e; e = e->next)
		if (strcmp(e->certificate, certificate) == 0)
			return e;
	return NULL;
}

static bool is_current(const struct entry *e)
{
	return e->known && clock_now() < e->expires;
}

/* 1 if the certificate is known, 0 if it will be, or -ENOMEM. */
static int ask(struct inspector *i, const char *certificate)
{
	struct entry *e = find(i, certificate);

	if (e && is_current(e))
		return 1;
	if (e) {
		if (e->known) {
			free(TAKE_PTR(e->result.text));
			e->known = false;
		}
		return 0;
	}
	e = calloc(1, sizeof(*e));
	if (!e || !(e->certificate = strdup(certificate))) {
		free(e);
		return -ENOMEM;
	}
	if (i->n_entries >= KNOWN_MAX)
		forget_oldest(i);
	e->next = i->entries;
	i->entries = e;
	i->n_entries++;
	return 0;
}

const char *inspect_new_certificate(const struct config_node *ca, const struct config_tree *running)
{
	const struct config_node *pki = running ? config_node_get(&running->root, "pki") : NULL;
	const struct config_node *old = pki ? config_node_find(pki, ca->schema, ca->value) : NULL;
	const char *is = config_node_value(ca, "certificate"), *was = config_node_value(old, "certificate");

	return is && (!was || strcmp(is, was) != 0) ? is : NULL;
}

int inspector_prepare(struct inspector *i, const struct config_tree *tree, const struct config_tree *running)
{
	const struct config_node *pki = config_node_get(&tree->root, "pki");
	int known = 1;

	for (size_t n = 0; pki && known >= 0 && n < pki->n_children; n++) {
		const char *certificate = inspect_new_certificate(pki->children[n], running);
		if (certificate)
			known = MIN(known, ask(i, certificate));
	}
	if (known <= 0 && !i->current)
		start_next(i);
	return known;
}

bool inspector_is_busy(const struct inspector *i)
{
	return i->busy;
}

const struct inspection *inspector_find(const struct inspector *i, const char *certificate)
{
	const struct entry *e = find(i, certificate);

	return e && e->known ? &e->result : NULL;
}

int inspector_new(struct loop *loop, const char *program, void (*settled)(void *ctx), void *ctx,
		  struct inspector **ret)
{
	struct inspector *i = calloc(1, sizeof(*i));

	if (!i)
		return -ENOMEM;
	*i = (struct inspector){ .loop = loop,
				 .program = program,
				 .settled = settled,
				 .ctx = ctx,
				 .fd = -1,
				 .child = { .fn = on_end, .ctx = i },
				 .output = { .fn = on_output, .ctx = i },
				 .timer = { .fn = on_time, .ctx = i } };
	*ret = i;
	return 0;
}

void inspector_free(struct inspector *i)
{
	if (!i)
		return;
	close_output(i);
	loop_child_end(&i->child);
	loop_timer_clear(&i->timer);
	text_done(&i->text);
	while (i->entries) {
		struct entry *e = i->entries;
		i->entries = e->next;
		free_entry(e);
	}
	free(i);
}
