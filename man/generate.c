/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * generate TEMPLATE: the manual page of the template, on standard output. A line `.\" @NAME@` is replaced by
 * what the program itself knows: its causes, configuration nodes and commands, so that the page cannot differ
 * from the program.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cause.h"
#include "config/opmode.h"
#include "config/schema.h"
#include "config/verbs.h"
#include "sstpctl/pipe.h"

#define COLUMNS 78 /* of a line of the source */

/* Text that no formatter takes for anything else. */
static void print_text(const char *s)
{
	for (const char *p = s; *p; p++) {
		if (*p == '\\')
			fputs("\\e", stdout);
		else if (p == s && (*p == '.' || *p == '\''))
			printf("\\&%c", *p);
		else
			putchar(*p);
	}
}

/* Text as an argument of a macro: no word of it is a macro itself. */
static void print_argument(const char *s)
{
	fputs("\"\\&", stdout);
	print_text(s);
	fputs("\"", stdout);
}

static void print_item(const char *macro, const char *s)
{
	printf(".It %s ", macro);
	print_argument(s);
	putchar('\n');
}

/* A clause as a sentence, from the beginning of a line. */
static void print_sentence(const char *s)
{
	char word[128] = ".";
	size_t column = 0;

	for (bool first = true; *s; first = false) {
		size_t len = strcspn(s, " ");
		(void)snprintf(word, sizeof(word), "%.*s", (int)len, s);
		s += len + strspn(s + len, " ");
		if (first && word[0] >= 'a' && word[0] <= 'z')
			word[0] = (char)(word[0] - 'a' + 'A');
		if (!first && column + 1 + len >= COLUMNS) {
			putchar('\n');
			column = 0;
		} else if (!first) {
			putchar(' ');
		}
		print_text(word);
		column += len + 1;
	}
	puts(strchr("?!", word[strlen(word) - 1]) ? "" : ".");
}

/* --- causes ------------------------------------------------------------------------------------------------
 */

static int by_exit_code(const void *a, const void *b)
{
	int x = cause_exit_code(*(const enum cause *)a), y = cause_exit_code(*(const enum cause *)b);

	return (x > y) - (x < y);
}

static void print_causes(void)
{
	enum cause causes[_CAUSE_MAX];

	for (unsigned i = 0; i < _CAUSE_MAX; i++)
		causes[i] = (enum cause)i;
	qsort(causes, _CAUSE_MAX, sizeof(causes[0]), by_exit_code);
	puts(".Bl -tag -width Ds -compact");
	for (unsigned i = 0; i < _CAUSE_MAX; i++) {
		if (cause_exit_code(causes[i]) == 0)
			continue;
		printf(".It %d Pq ", cause_exit_code(causes[i]));
		print_argument(cause_name(causes[i]));
		printf("\n");
		print_sentence(cause_summary(causes[i]));
		print_sentence(cause_remedy(causes[i]));
	}
	puts(".El");
}

/* --- configuration -----------------------------------------------------------------------------------------
 */

#define PATH_MAX_LEN 512

static void print_format(const char *format)
{
	_cleanup_text_ struct text shown = { 0 };

	schema_format_value(format, &shown);
	print_argument(text_str(&shown));
}

static void print_leaf(const struct schema *s, const char *path)
{
	static const char *const costs[] = {
		[CONFIG_COST_NONE] = "",
		[CONFIG_COST_LIVE] = "A change keeps the session.",
		[CONFIG_COST_REDIAL] = "A change ends the session and dials again.",
	};

	printf(".It Ic set %s Ic ", path);
	print_argument(s->name);
	if (s->kind == SCHEMA_LEAF) {
		printf(" Ar ");
		print_argument(s->name);
	}
	printf("\n");
	print_sentence(s->help);
	if (s->multi)
		puts("May be set several times.");
	if (s->preset)
		printf("Default:\n.Li %s .\n", s->preset);
	if (*costs[s->cost])
		puts(costs[s->cost]);
	if (!s->values)
		return;
	puts(".Bl -tag -width Ds -compact");
	for (const struct schema_value *v = s->values; v->format; v++) {
		printf(".It Cm ");
		print_format(v->format);
		printf("\n");
		print_sentence(v->help);
	}
	puts(".El");
}

static void print_nodes(const struct schema *s, const char *path)
{
	for (const struct schema *child = s->children; child && child->name; child++) {
		char below[PATH_MAX_LEN];
		if (!schema_is_inner(child)) {
			print_leaf(child, path);
			continue;
		}
		(void)snprintf(below, sizeof(below), "%s%sIc \"\\&%s\"%s", path, *path ? " " : "",
			       child->name,
			       child->kind != SCHEMA_TAG	   ? ""
			       : strcmp(child->name, "sstpc") == 0 ? " Ar interface"
								   : " Ar name");
		print_nodes(child, below);
	}
}

static void print_configuration(void)
{
	puts(".Bl -tag -width Ds");
	print_nodes(&schema_root, "");
	puts(".El");
}

/*
 * For a program that wants to try every leaf: a line each, KIND COST PATH, with '*' for the names of tags.
 */
static void list_leaves(const struct schema *s, const char *path)
{
	static const char *const costs[] = {
		[CONFIG_COST_NONE] = "none",
		[CONFIG_COST_LIVE] = "live",
		[CONFIG_COST_REDIAL] = "redial",
	};

	for (const struct schema *child = s->children; child && child->name; child++) {
		char below[PATH_MAX_LEN];
		(void)snprintf(below, sizeof(below), "%s%s%s%s", path, *path ? " " : "", child->name,
			       child->kind == SCHEMA_TAG ? " *" : "");
		if (schema_is_inner(child))
			list_leaves(child, below);
		else
			printf("%s %s %s\n",
			       child->kind == SCHEMA_FLAG ? "flag"
			       : child->multi		  ? "multi"
							  : "leaf",
			       costs[child->cost], below);
	}
}

static void print_leaves(void)
{
	list_leaves(&schema_root, "");
}

/* --- commands ----------------------------------------------------------------------------------------------
 */

static void print_operational_row(void *ctx, const char *path, const char *help)
{
	(void)ctx;
	print_item("Ic", path);
	if (*help)
		print_sentence(help);
	if (strcmp(path, "monitor traffic interface <interface>") != 0)
		return;
	puts("Runs\n.Xr tcpdump 8 .\nOptions, in any order:");
	puts(".Bl -tag -width Ds -compact");
	for (const struct op_traffic_option *o = op_traffic_options; o->name; o++) {
		printf(".It Cm %s", o->name);
		if (o->value) {
			printf(" ");
			print_argument(o->value);
		}
		printf("\n");
		print_sentence(o->help);
	}
	puts(".El");
}

static void print_operational(void)
{
	puts(".Bl -tag -width Ds -compact");
	op_each_command(print_operational_row, NULL);
	puts(".El");
}

static void print_verbs(void)
{
	puts(".Bl -tag -width \"commit-confirm\" -compact");
	for (const struct verb *v = config_session_verbs; v->name; v++) {
		print_item("Ic", v->name);
		print_sentence(v->help);
	}
	puts(".El");
}

static void print_pipes(void)
{
	puts(".Bl -tag -width \"strip-private\" -compact");
	for (const struct pipe_help *p = pipe_words; p->name; p++) {
		print_item("Cm", p->name);
		print_sentence(p->help);
	}
	puts(".El");
}

static const struct {
	const char *line;
	void (*print)(void);
} parts[] = {
	/* clang-format off */
	{ ".\\\" @causes@\n", print_causes },
	{ ".\\\" @configuration@\n", print_configuration },
	{ ".\\\" @leaves@\n", print_leaves },
	{ ".\\\" @operational@\n", print_operational },
	{ ".\\\" @verbs@\n", print_verbs },
	{ ".\\\" @pipes@\n", print_pipes },
	/* clang-format on */
};

static void print_line(const char *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (strcmp(line, parts[i].line) == 0) {
			parts[i].print();
			return;
		}
	fputs(line, stdout);
}

int main(int argc, char **argv)
{
	char line[1024];
	FILE *f = argc == 2 ? fopen(argv[1], "re") : NULL;

	if (!f) {
		(void)fprintf(stderr, "generate: cannot read the template\n");
		return 1;
	}
	while (fgets(line, sizeof(line), f))
		print_line(line);
	(void)fclose(f);
	return fflush(stdout) == 0 ? 0 : 1;
}
