/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "resolve.h"
#include "sandbox/sandbox.h"

#define ROUTE_TIME (10 * USEC_PER_SEC) /* the daemon answers at once, or never */
#define TLS_TIME   (20 * USEC_PER_SEC)

/* TLS */

/* Only then files are opened after the sandbox was entered, and the second stage is there to be entered. */
static bool uses_system_store(const struct worker *w)
{
	return !w->config.ca_given && w->config.n_pins == 0;
}

static void on_handshake(void *ctx, uint32_t events)
{
	struct worker *w = ctx;
	struct tls_peer peer;
	int r = tls_handshake(w->tls);

	(void)events;
	if (r == -EAGAIN) {
		loop_fd_set(&w->socket_source, tls_wants_write(w->tls) ? EPOLLOUT : EPOLLIN);
		return;
	}
	if (r == 0)
		r = tls_peer(w->tls, &peer);
	if (r < 0) {
		if (tls_failure(w->tls)->cause != CAUSE_NONE)
			worker_fail(w, tls_failure(w->tls));
		else
			worker_fail_with(w, CAUSE_TLS_FAILED, "%s", strerror(-r));
		return;
	}
	r = uses_system_store(w) ? sandbox_worker_established() : 0;
	if (r == 0) {
		report_verified(w, &peer);
		if (w->phase == WORKER_PHASE_DIALLING)
			w->phase = WORKER_PHASE_VERIFIED;
		r = carry_start(w, &peer);
	}
	if (r < 0)
		worker_fail_with(w, CAUSE_INTERNAL, "starting the session: %s", strerror(-r));
}

static void on_tls_timeout(void *ctx)
{
	worker_fail_with(ctx, CAUSE_TLS_TIMEOUT, "waited %u s", (unsigned)(TLS_TIME / USEC_PER_SEC));
}

/* From here on the process can open nothing any more, and only now reads the first byte of a stranger. */
static int enter_sandbox(struct worker *w)
{
	struct sandbox_worker_config config = { .read_paths = uses_system_store(w) ? tls_system_paths()
										   : NULL,
						.writes_files = w->keylog >= 0 };
	struct sandbox_result result = { 0 };

	/* They have answered or were killed, but may not have ended yet; in the sandbox they could not be
	 * reaped any more. */
	resolver_end(&w->resolver);
	int r = sandbox_worker(&config, &result);

	if (r == 0 && result.landlock_abi == 0)
		report_line(w, LOG_LEVEL_DEBUG,
			    "this kernel has no Landlock; seccomp alone confines the tunnel process");
	return r;
}

/* Where the connection goes to: the first choice, then the one that has answered. */
static void report_target(struct worker *w, unsigned index)
{
	const struct connect_target *t = &w->connector.targets[index];
	char detail[128], text[ADDRESS_TEXT];

	address_format(&t->address, text);
	(void)snprintf(detail, sizeof(detail), "%s port %u through %s", text, w->config.port, t->device);
	report_stage(w, STAGE_CONNECT, detail);
}

static int start_tls(struct worker *w, struct failure *failure)
{
	const struct worker_config *c = &w->config;
	struct tls_policy policy = { .host = c->host,
				     .server_name = c->tls_name,
				     .sni = c->sni,
				     .min = TLS_1_2,
				     .ca_pem = w->ca,
				     .ca_pem_len = c->ca_anchors_len,
				     .other_pem = w->ca ? (const char *)w->ca + c->ca_anchors_len : NULL,
				     .other_pem_len = w->ca_len - c->ca_anchors_len,
				     .pin_count = c->n_pins,
				     .keylog_fd = w->keylog };

	for (size_t i = 0; i < c->n_pins; i++)
		memcpy(policy.pins[i].sha256, c->pins[i], sizeof(policy.pins[i].sha256));
	int r = tls_client_new(&policy, w->socket, &w->tls, failure);
	if (r < 0)
		return r;
	w->socket_source = (struct loop_fd){ .fn = on_handshake, .ctx = w };
	r = loop_fd_add(&w->loop, &w->socket_source, w->socket, EPOLLOUT);
	if (r < 0)
		return r;
	worker_enter(w, STEP_TLS, on_tls_timeout, TLS_TIME);
	report_stage(w, STAGE_TLS, c->tls_name);
	return 0;
}

/* Name, route, connection */

static void on_connected(void *ctx, int fd, unsigned index, const struct failure *failure)
{
	struct worker *w = ctx;
	struct failure why = { 0 };

	if (fd < 0) {
		worker_fail(w, failure);
		return;
	}
	w->socket = fd;
	w->reached = index;
	if (index > 0)
		report_target(w, index);
	int r = enter_sandbox(w);
	if (r < 0) {
		worker_fail_with(w, CAUSE_INTERNAL, "entering the sandbox: %s", strerror(-r));
		return;
	}
	r = start_tls(w, &why);
	if (r < 0) {
		failure_set(&why, CAUSE_INTERNAL, "preparing TLS: %s", strerror(-r));
		worker_fail(w, &why);
	}
}

void dial_through(struct worker *w, const struct worker_routes *routes)
{
	struct connector *c = &w->connector;
	char text[ADDRESS_TEXT];

	*c = (struct connector){ .loop = &w->loop, .done = on_connected, .ctx = w };
	for (unsigned i = 0; i < w->addresses.count; i++) {
		const char *device = routes ? routes->device[i] : w->config.bind_device;

		if (!device[0])
			continue; /* no route */
		struct connect_target *t = &c->targets[c->count++];
		t->address = w->addresses.list[i];
		(void)snprintf(t->device, sizeof(t->device), "%s", device);
	}
	if (c->count == 0) {
		address_format(&w->addresses.list[0], text);
		worker_fail_with(w, CAUSE_CONNECT_NO_ROUTE, "%s", text);
		return;
	}
	worker_enter(w, STEP_CONNECTING, NULL, 0);
	report_target(w, 0);
	connector_start(c);
}

static void on_route_timeout(void *ctx)
{
	worker_fail_with(ctx, CAUSE_INTERNAL, "the daemon does not say which device leads to the server");
}

static void find_routes(struct worker *w)
{
	if (w->config.bind_device[0]) {
		dial_through(w, NULL);
		return;
	}
	worker_enter(w, STEP_ROUTING, on_route_timeout, ROUTE_TIME);
	report_addresses(w);
}

static void on_resolved(void *ctx, const struct addresses *found, const struct failure *failure)
{
	struct worker *w = ctx;

	w->addresses = *found;
	if (found->count == 0)
		worker_fail(w, failure);
	else
		find_routes(w);
}

int dial_start(struct worker *w)
{
	report_stage(w, STAGE_RESOLVE, w->config.host);
	if (addresses_from_literal(w->config.host, w->config.port, &w->addresses) == 0) {
		find_routes(w);
		return 0;
	}
	worker_enter(w, STEP_RESOLVING, NULL, 0);
	w->resolver = (struct resolver){ .loop = &w->loop,
					 .host = w->config.host,
					 .port = w->config.port,
					 .done = on_resolved,
					 .ctx = w };
	return resolver_start(&w->resolver);
}
