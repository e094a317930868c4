/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/ppp/auth.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void auth_init(struct auth *a, const struct ppp_config *config, const struct credentials *credentials,
	       struct frame_queue *queue)
{
	*a = (struct auth){
		.config = config, .credentials = credentials, .queue = queue, .deadline = USEC_NEVER
	};
}

void auth_reset(struct auth *a)
{
	struct auth fresh = {
		.config = a->config, .credentials = a->credentials, .queue = a->queue, .deadline = USEC_NEVER
	};

	wipe(a, sizeof(*a));
	*a = fresh;
}

void auth_start(struct auth *a, unsigned type, usec_t now)
{
	auth_reset(a);
	a->type = type;
	a->method = type == PPP_AUTH_PAP ? &auth_pap : type == PPP_AUTH_EAP ? &auth_eap : &auth_chap;
	a->status = AUTH_RUNNING;
	a->method->start(a, now);
}

void auth_network_began(struct auth *a)
{
	if (a->method && a->method->network_began)
		a->method->network_began(a);
}

void auth_credentials_known(struct auth *a)
{
	if (a->status == AUTH_RUNNING && a->sends == 0 && a->config->role == PPP_CLIENT)
		a->deadline = 0;
}

void auth_fail(struct auth *a, enum cause cause, const char *detail_format, ...)
{
	char detail[sizeof(a->failure.detail)];
	va_list ap;

	va_start(ap, detail_format);
	(void)vsnprintf(detail, sizeof(detail), detail_format, ap);
	va_end(ap);
	failure_set(&a->failure, cause, "%s", detail);
	a->status = AUTH_FAILED;
	a->deadline = USEC_NEVER;
}

void auth_succeed(struct auth *a)
{
	a->status = AUTH_SUCCEEDED;
	a->deadline = USEC_NEVER;
}

void auth_succeed_with_keys(struct auth *a)
{
	_Static_assert(sizeof(a->hlak) == sizeof(a->mschapv2.keys), "both keys, [MS-SSTP] 3.2.5.2.2");
	if (a->status != AUTH_SUCCEEDED)
		memcpy(a->hlak, a->mschapv2.keys, sizeof(a->hlak));
	auth_succeed(a);
}

void auth_sent(struct auth *a, usec_t now)
{
	a->sends++;
	a->deadline = a->sends < AUTH_SENDS_MAX ? now + AUTH_RESEND_TIME : USEC_NEVER;
}

bool auth_find_password(const struct auth *a, const char *user, struct secret *ret)
{
	const struct ppp_server_config *server = &a->config->server;

	*ret = (struct secret){ 0 };
	return server->password && server->password(server->password_ctx, user, ret) == 0;
}

bool auth_copy_user(char out[static PPP_USER_MAX], const uint8_t *name, size_t len)
{
	if (len >= PPP_USER_MAX || memchr(name, 0, len))
		return false;
	memcpy(out, name, len);
	out[len] = 0;
	return true;
}
