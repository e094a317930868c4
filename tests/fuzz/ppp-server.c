/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PPP server against any client: a byte of choices, then a script (ppp-engine.h). */
#include <errno.h>

#include "ppp-engine.h"

static int password(void *ctx, const char *user, struct secret *ret)
{
	(void)ctx;
	(void)secret_set(ret, "s3cret", 6);
	return strcmp(user, "alice") == 0 ? 0 : -ENOENT;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct wire_reader r = wire_reader(data, len);
	uint8_t choice = wire_u8(&r);
	struct ppp_config config = {
		.role = PPP_SERVER,
		.auth = choice_auth(choice),
		.mru = choice & 8 ? 4000 : 0,
		.ipv4 = !(choice & 16),
		.ipv6 = !(choice & 32) || (choice & 16),
		.server = { .address = { htonl(0x0a000001) },
			    .peer_address = { htonl(0x0a000007) },
			    .dns = { { choice & 64 ? htonl(0x09090909) : 0 } },
			    .name = "srv",
			    .password = password },
	};

	(void)machine_run(&config, &r);
	return 0;
}
