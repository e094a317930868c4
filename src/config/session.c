/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "config/diff.h"
#include "config/edit.h"
#include "config/verbs.h"

void config_session_result_done(struct session_result *r)
{
	if (r->out.data)
		wipe(r->out.data, r->out.size); /* a configuration holds passwords */
	text_done(&r->out);
	free(r->file);
	*r = (struct session_result){ 0 };
}

int config_session_init(struct config_session *s, struct config_system *system, const char *user,
			const char *via)
{
	*s = (struct config_session){ .system = system,
				      .base_revision = system->revision,
				      .seen_revision = system->revision };
	s->candidate = config_tree_copy(system->running);
	if (!s->candidate)
		return -ENOMEM;
	s->base = config_tree_share(system->running);
	(void)snprintf(s->user, sizeof(s->user), "%s", user);
	(void)snprintf(s->via, sizeof(s->via), "%s", via);
	return 0;
}

void config_session_done(struct config_session *s)
{
	config_tree_free(s->base);
	config_tree_free(s->candidate);
	config_path_done(&s->level);
	*s = (struct config_session){ 0 };
}

bool config_session_is_modified(const struct config_session *s)
{
	return !config_node_equal(&s->candidate->root, &s->base->root);
}

void config_session_level(const struct config_session *s, struct text *out)
{
	text_add(out, s->level.n ? "edit " : "edit");
	config_path_print(&s->level, out);
}

void config_session_stand_on_running(struct config_session *s, struct config_tree *candidate)
{
	config_tree_free(s->candidate);
	s->candidate = candidate;
	config_tree_free(s->base);
	s->base = config_tree_share(s->system->running);
	s->base_revision = s->seen_revision = s->system->revision;
}

int config_session_join_running(struct config_session *s, bool force, struct config_errors *conflicts)
{
	_cleanup_tree_ struct config_tree *joined = NULL;
	int r = config_merge3(s->base, s->candidate, s->system->running, &joined, conflicts);

	if (r < 0)
		return r;
	bool conflict = config_errors_count(conflicts) > 0;
	if (!conflict || force)
		config_session_stand_on_running(s, TAKE_PTR(joined));
	return conflict ? -EBUSY : 0;
}

/* Before every command: see what others have done. */
static void follow_running(struct config_session *s, struct text *out)
{
	_cleanup_errors_ struct config_errors conflicts = { 0 };
	uint64_t revision = s->system->revision;

	if (s->seen_revision == revision)
		return;
	text_addf(out, "Active configuration has been changed by user '%s' via '%s'.\n", s->system->last.user,
		  s->system->last.via);
	if (config_session_join_running(s, false, &conflicts) == -EBUSY)
		text_add(out, "Please make sure you do not have conflicting changes. You can also discard\n"
			      "the current changes by issuing 'exit discard'.\n");
	s->seen_revision = revision;
}

/* Makes `tree` (taken over) the candidate. */
static enum session_status take_loaded(struct config_session *s, struct config_tree *tree, bool merge,
				       struct session_result *r)
{
	config_tree_free(s->candidate);
	s->candidate = tree;
	if (config_session_is_modified(s))
		text_addf(&r->out, "%s complete. Use 'commit' to make changes effective.\n",
			  merge ? "Merge" : "Load");
	else
		text_add(&r->out, "No configuration changes to commit.\n");
	return SESSION_OK;
}

void config_session_load(struct config_session *s, bool merge, const char *name, const char *data, size_t len,
			 struct session_result *r)
{
	static const char vyos[] = "// vyos-config-version:";
	_cleanup_errors_ struct config_errors errors = { 0 };
	_cleanup_tree_ struct config_tree *tree = config_tree_new();
	int error = tree ? config_parse(tree, data, len, &errors) : -ENOMEM;

	r->status = SESSION_FAILED;
	text_addf(&r->out, "Loading configuration from '%s'\n", name);
	if (config_errors_count(&errors) > 0) {
		config_errors_print(&errors, name, &r->out);
		if (memmem(data, len, vyos, strlen(vyos)))
			text_add(&r->out,
				 "Of a VyOS configuration only 'interfaces sstpc' and 'pki ca' belong here: "
				 "remove the rest\n");
		text_add(&r->out, "Failed to parse specified config file\n");
		return;
	}
	if (error == 0 && merge) {
		struct config_tree *joined = config_tree_copy(s->candidate);
		for (size_t i = 0; joined && error >= 0 && i < tree->root.n_children; i++)
			error = config_node_add_copy(joined, &joined->root, tree->root.children[i], NULL,
						     NULL);
		config_tree_free(tree);
		tree = joined;
	}
	if (error < 0 || !tree) {
		text_addf(&r->out, "Failed to load specified config file: %s\n",
			  error == -E2BIG ? "too large" : "out of memory");
		return;
	}
	r->status = take_loaded(s, TAKE_PTR(tree), merge, r);
}

static size_t match_verb(const char *word, const struct verb **ret)
{
	const struct verb *found = NULL;
	size_t matches = 0;

	for (const struct verb *v = config_session_verbs; v->name; v++) {
		if (strcmp(v->name, word) == 0) {
			*ret = v;
			return 1;
		}
		if (strncmp(v->name, word, strlen(word)) == 0) {
			found = v;
			matches++;
		}
	}
	if (matches == 1)
		*ret = found;
	return matches;
}

static void offer_verbs(struct completions *c, const char *prefix)
{
	for (const struct verb *v = config_session_verbs; v->name; v++)
		completions_add(c, prefix, "", v->name, v->help, NULL);
}

/* "  Invalid command: [foo]", or "Ambiguous command: [c]" and what it could be. */
static void complain_verb(const char *word, size_t matches, struct text *out)
{
	_cleanup_completions_ struct completions c = { 0 };

	if (matches == 0) {
		text_addf(out, "\n  Invalid command: [%s]\n\n", word);
		return;
	}
	offer_verbs(&c, word);
	text_addf(out, "\n  Ambiguous command: [%s]\n\n  %s\n", word, text_str(&c.help));
}

/* The word behind the pipe: only those that the configuration itself must know; the client has done the
 * others. */
static bool take_pipe(struct command *c, const char *line, size_t len, bool pipes)
{
	_cleanup_words_ struct words stage = { 0 };

	if (!c->line->has_pipe)
		return true;
	size_t at = c->line->pipe + 1;
	if (pipes && words_split(&stage, line + at, len - at) == 0 && !stage.has_pipe && stage.n == 1) {
		for (const char *const *f = (const char *const[]){ "commands", "json", NULL }; *f; f++)
			if (strcmp(stage.v[0], *f) == 0)
				c->format = *f;
	}
	if (!c->format)
		text_add(
			c->out,
			pipes ? "\n  Invalid command: | takes commands or json here\n\n"
			      : "\n  Invalid command: [|] (a value with '|' in it must stand in quotes)\n\n");
	return c->format != NULL;
}

void config_session_execute(struct config_session *s, const char *line, size_t len, struct session_result *r)
{
	_cleanup_words_ struct words w = { 0 };
	const struct verb *verb = NULL;
	int error = words_split(&w, line, len);

	r->status = SESSION_FAILED;
	if (error < 0) {
		text_add(&r->out, error == -ENOMEM   ? "Out of memory\n"
				  : error == -EINVAL ? "\n  Invalid command: NUL byte\n\n"
						     : "\n  Invalid command: line too long\n\n");
		return;
	}
	if (w.open_quote) {
		text_addf(&r->out, "\n  Invalid command: quote %c is not closed\n\n", w.open_quote);
		return;
	}
	if (w.n == 0 && !w.has_pipe) {
		r->status = SESSION_OK;
		return;
	}
	size_t matches = w.n ? match_verb(w.v[0], &verb) : 0;
	if (!verb) {
		complain_verb(w.n ? w.v[0] : "|", matches, &r->out);
		return;
	}
	struct command c = { .s = s, .words = w.v + 1, .n = w.n - 1, .line = &w, .r = r, .out = &r->out };
	follow_running(s, &r->out);
	/* What `run` runs has pipes of its own. */
	if (strcmp(verb->name, "run") == 0 || take_pipe(&c, line, len, verb->pipes))
		r->status = verb->run(&c);
	if (r->out.error && r->status == SESSION_OK)
		r->status = SESSION_FAILED;
}

bool config_session_complete(struct config_session *s, const char *line, size_t len, struct completions *to,
			     size_t *ret_start)
{
	_cleanup_words_ struct words w = { 0 };
	_cleanup_session_result_ struct session_result r = { 0 };
	const struct verb *verb = NULL;

	*ret_start = len;
	if (words_split(&w, line, len) < 0)
		return false;
	bool partial = w.open_word && w.n;
	const char *prefix = partial ? w.v[w.n - 1] : "";
	size_t whole = w.n - partial; /* words that are complete */
	if (partial)
		*ret_start = w.start[w.n - 1];
	if (whole == 0) {
		offer_verbs(to, prefix);
		return false;
	}
	(void)match_verb(w.v[0], &verb);
	if (verb && strcmp(verb->name, "run") == 0) {
		*ret_start = w.n > 1 ? w.start[1] : len;
		return true;
	}
	follow_running(s, &r.out);
	struct command c = { .s = s, .words = w.v + 1, .n = whole - 1, .line = &w, .r = &r, .out = &r.out };
	if (verb && verb->complete && !w.has_pipe)
		verb->complete(&c, prefix, to);
	return false;
}
