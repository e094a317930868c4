/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `sstpcd quick SERVER --user NAME`: one tunnel in the foreground, without configuration. */
#pragma once

#include <stdbool.h>

#include "base/cause.h"
#include "base/secret.h"
#include "config/model.h"
#include "sstpcd/manager.h"

struct quick_options {
	struct config_interface config;
	struct manager_options manager;
	const char *ca_file, *keylog_file;
	int password_fd; /* -1 = none */
	bool have_user, verbose, plain_tun;
};

/* The program. Returns the exit code. */
int quick_main(int argc, char **argv);

/* Reads arguments (argv[0] is "quick"). 1: go on; 0: help was printed; negative: `failure` is USAGE. */
int quick_parse(int argc, char **argv, struct quick_options *o, struct failure *failure);
void quick_options_done(struct quick_options *o);

/* What a user sees of a tunnel in the foreground. */
struct display {
	bool terminal;	  /* stages are shown while they last */
	bool stage_open;  /* the present stage has no end yet */
	bool line_open;	  /* its name stands on the terminal, without an end */
	enum stage stage; /* the present one */
	char detail[128]; /* of it */
	bool was_up;
	usec_t up;	  /* since when, as it was said last */
	unsigned notices; /* said already */
	bool warned;	  /* of the resolvers that cannot be changed */
};
void display_note(struct display *d, const struct tunnel *t, enum tunnel_note note);
/* Ends an open line, so that something else can be printed; the stage goes on. */
void display_break(struct display *d);
/* "sstpcd quick: STAGE WHERE: what (detail); remedy" on standard error. */
void display_failure(struct display *d, const struct failure *failure, const char *where);
