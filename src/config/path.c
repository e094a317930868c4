/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "config/complete.h"

static void step_done(struct config_step *step)
{
	if (step->value) {
		wipe(step->value, strlen(step->value));
		free(step->value);
	}
}

static void path_cut(struct config_path *path, size_t n)
{
	while (path->n > n)
		step_done(&path->steps[--path->n]);
}

void config_path_done(struct config_path *path)
{
	path_cut(path, 0);
}

int config_path_copy(struct config_path *to, const struct config_path *from)
{
	struct config_path copy = { 0 };

	for (size_t i = 0; i < from->n; i++) {
		copy.steps[i] = from->steps[i];
		copy.n = i + 1;
		if (!from->steps[i].value)
			continue;
		copy.steps[i].value = strdup(from->steps[i].value);
		if (!copy.steps[i].value) {
			config_path_done(&copy);
			return -ENOMEM;
		}
	}
	*to = copy;
	return 0;
}

const struct schema *config_path_schema(const struct config_path *path)
{
	return path->n ? path->steps[path->n - 1].schema : &schema_root;
}

bool config_path_lacks_value(const struct config_path *path)
{
	return path->n && schema_has_value(config_path_schema(path)) && !path->steps[path->n - 1].value;
}

void config_path_print(const struct config_path *path, struct text *out)
{
	for (size_t i = 0; i < path->n; i++) {
		text_addf(out, "%s%s", i ? " " : "", path->steps[i].schema->name);
		if (path->steps[i].value)
			text_addf(out, " %s", path->steps[i].value);
	}
}

/* "Configuration path: interfaces sstpc sstpc0 [foo] is not valid" */
static void complain(const struct config_path *path, const char *word, const char *what, struct text *why)
{
	text_add(why, "Configuration path: ");
	config_path_print(path, why);
	text_addf(why, "%s[%s] %s\n", path->n ? " " : "", word, what);
}

static int append_value(struct config_path *path, const char *word, bool check, struct text *why)
{
	struct config_step *step = &path->steps[path->n - 1];
	int r;

	if (!check) {
		step->value = step->schema->normalize ? step->schema->normalize(word) : strdup(word);
		return step->value ? 0 : -ENOMEM;
	}
	r = schema_check_value(step->schema, word, &step->value, why);
	if (r == -EINVAL)
		text_add(why, "Value validation failed\n");
	return r;
}

static int append_word(struct config_path *path, const char *word, bool check, struct text *why)
{
	const struct schema *at = config_path_schema(path), *child;
	size_t matches;

	if (config_path_lacks_value(path))
		return append_value(path, word, check, why);
	if (!schema_is_inner(at)) {
		complain(path, word, "is not valid", why);
		return -EINVAL;
	}
	child = schema_match(at, word, &matches);
	if (!child) {
		complain(path, word, matches ? "is ambiguous" : "is not valid", why);
		if (matches) {
			text_add(why, "\n");
			complete_names(at, word, why);
		}
		return -EINVAL;
	}
	path->steps[path->n++] = (struct config_step){ .schema = child };
	return 0;
}

int config_path_append(struct config_path *path, char *const *words, size_t n, bool check, struct text *why)
{
	size_t before = path->n;

	for (size_t i = 0; i < n; i++) {
		int r = append_word(path, words[i], check, why);
		if (r < 0) {
			path_cut(path, before);
			return r;
		}
	}
	return 0;
}

struct config_node *config_path_find(const struct config_path *path, struct config_tree *tree)
{
	struct config_node *node = &tree->root;

	for (size_t i = 0; node && i < path->n; i++)
		node = config_node_find(node, path->steps[i].schema, path->steps[i].value);
	return node;
}

int config_path_make(const struct config_path *path, struct config_tree *tree, struct config_node **ret)
{
	struct config_node *node = &tree->root;
	int changed = 0;

	for (size_t i = 0; i < path->n; i++) {
		int r = config_node_add(tree, node, path->steps[i].schema, path->steps[i].value, &node);
		if (r < 0)
			return r;
		changed |= r;
	}
	if (ret)
		*ret = node;
	return changed;
}
