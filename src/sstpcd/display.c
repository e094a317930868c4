/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "sstpcd/facts.h"
#include "sstpcd/quick.h"

#define LABEL "  %-16s"

void display_break(struct display *d)
{
	if (d->line_open)
		printf("\n");
	d->line_open = false;
	(void)fflush(stdout);
}

void display_failure(struct display *d, const struct failure *failure, const char *where)
{
	char text[768];

	display_break(d);
	failure_format(failure, where, text, sizeof(text));
	(void)fprintf(stderr, "sstpcd quick: %s\n", text);
}

/* The stage has come to nothing. */
static void drop_stage(struct display *d)
{
	display_break(d);
	d->stage_open = false;
}

/* Completes the line of the stage that is over. */
static void end_stage(struct display *d, const struct tunnel *t, usec_t end)
{
	const struct tunnel_attempt *a = t->attempt;
	usec_t begin = a->stage_at[d->stage];

	if (!d->stage_open)
		return;
	if (!d->line_open)
		printf(LABEL, stage_name(d->stage));
	printf("%9.1f ms%s%s", (double)(end > begin ? end - begin : 0) / 1000, d->detail[0] ? "  " : "",
	       d->detail);
	d->line_open = true;
	drop_stage(d);
}

static void begin_stage(struct display *d, const struct tunnel *t)
{
	const struct tunnel_attempt *a = t->attempt;

	if (!d->stage_open || d->stage != a->stage)
		end_stage(d, t, a->stage_at[a->stage]);
	memcpy(d->detail, a->stage_detail, sizeof(d->detail));
	if (d->stage_open && d->stage == a->stage)
		return; /* only a better detail */
	d->stage = a->stage;
	d->stage_open = true;
	d->line_open = d->terminal;
	if (d->terminal)
		printf(LABEL, stage_name(d->stage));
	(void)fflush(stdout);
}

static void show_addresses(const struct tunnel *t)
{
	char text[256], mtu_why[96] = "";
	const char *why;

	facts_addresses(t, text, sizeof(text));
	printf(LABEL "%s\n", "address", text);
	uint16_t mtu = tunnel_mtu(t, &why);
	if (mtu != t->config.mtu)
		(void)snprintf(mtu_why, sizeof(mtu_why), " (%s; %u configured)", why,
			       (unsigned)t->config.mtu);
	printf(LABEL "%u%s\n", "MTU", (unsigned)mtu, mtu_why);
	facts_dns(t, text, sizeof(text));
	printf(LABEL "%s\n", "DNS", text);
	facts_default_route(t, text, sizeof(text));
	printf(LABEL "%s\n", "default route", text);
}

static void show_server(const struct tunnel *t)
{
	const struct tunnel_attempt *a = t->attempt;
	char text[320];

	printf(LABEL "%s port %u%s%s\n", "server", a->verified.server, (unsigned)a->verified.port,
	       a->verified.device[0] ? " through " : "", a->verified.device);
	printf(LABEL "%s, %s\n", "TLS", a->verified.tls_version, a->verified.cipher);
	facts_certificate(t, text, sizeof(text));
	printf(LABEL "%s\n", "certificate", text);
	facts_pin(a->verified.pin, text, sizeof(text));
	printf(LABEL "%s%s\n", "pin", text, a->verified.by_pin ? " (trusted by this pin)" : "");
	printf(LABEL "%s, crypto binding %s\n", "authentication", facts_auth(a->up.auth),
	       facts_hash(a->up.binding_hash));
	if (a->up.message[0])
		printf(LABEL "%s\n", "message", a->up.message);
}

static void show_up(struct display *d, const struct tunnel *t)
{
	const struct tunnel_attempt *a = t->attempt;
	usec_t up = t->state_since;

	end_stage(d, t, up);
	if (up == d->up)
		printf("%s: the server has given other addresses\n", t->tun.name);
	else
		printf("%s is up after %.1f ms\n", t->tun.name, (double)(up - a->started) / 1000);
	d->up = up;
	show_addresses(t);
	if (!d->was_up)
		show_server(t);
	if (!d->was_up && d->terminal)
		printf("Press Ctrl-C to disconnect.\n");
	d->was_up = true;
	(void)fflush(stdout);
}

static void show_state(struct display *d, const struct tunnel *t)
{
	char server[HOST_MAX + 16];

	switch (t->state) {
	case TUNNEL_DIALLING:
		tunnel_server_format(t, server, sizeof(server));
		drop_stage(d);
		printf("%s: connecting to %s as %s\n", t->tun.name, server, t->config.username);
		break;
	case TUNNEL_UP:
		show_up(d, t);
		break;
	case TUNNEL_WAITING:
		printf("%s: next attempt in %.1f s\n", t->tun.name,
		       (double)(tunnel_next_attempt(t) - t->state_since) / 1000000);
		break;
	case TUNNEL_STOPPING:
		if (t->next == TUNNEL_HELD) {
			drop_stage(d);
			printf("%s: disconnecting\n", t->tun.name);
		}
		break;
	case TUNNEL_DISABLED:
	case TUNNEL_HELD:
	case TUNNEL_NEGOTIATING:
	case _TUNNEL_STATE_MAX:
		break;
	}
	(void)fflush(stdout);
}

/* What the kernel's configuration gives to say, each once. */
static void show_notices(struct display *d, const struct tunnel *t)
{
	unsigned fresh = t->report.notices & ~d->notices;

	d->notices = t->report.notices;
	for (unsigned i = 0; i < NET_NOTICE_COUNT; i++)
		if (fresh & 1u << i) {
			display_break(d);
			printf("%s: %s\n", t->tun.name, t->report.text[i]);
		}
	(void)fflush(stdout);
}

/* The tunnel is of use without the server's resolvers, and a container often has a file that is read-only. */
static void show_resolvers(struct display *d, const struct tunnel *t)
{
	const struct failure *f = &t->report.resolvers;
	bool failed = f->cause != CAUSE_NONE;

	if (failed && !d->warned) {
		display_break(d);
		(void)fprintf(stderr, "sstpcd quick: warning: %s (%s); %s\n", cause_summary(f->cause),
			      f->detail, cause_remedy(f->cause));
	}
	d->warned = failed;
}

void display_note(struct display *d, const struct tunnel *t, enum tunnel_note note)
{
	char server[HOST_MAX + 16];

	switch (note) {
	case TUNNEL_NOTE_STAGE:
		begin_stage(d, t);
		break;
	case TUNNEL_NOTE_STATE:
		show_state(d, t);
		break;
	case TUNNEL_NOTE_KERNEL:
		show_notices(d, t);
		show_resolvers(d, t);
		break;
	case TUNNEL_NOTE_FAILURE:
		end_stage(d, t, loop_now(t->host->loop));
		tunnel_server_format(t, server, sizeof(server));
		display_failure(d, &t->failure, server);
		break;
	case TUNNEL_NOTE_VERIFIED:
	case TUNNEL_NOTE_STATS:
	case TUNNEL_NOTE_CLOSED:
		break;
	}
}
