/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PPP client against any server: a byte of choices, then a script (ppp-engine.h). */
#include "ppp-engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct wire_reader r = wire_reader(data, len);
	uint8_t choice = wire_u8(&r);
	struct ppp_config config = { .role = PPP_CLIENT,
				     .auth = choice_auth(choice),
				     .mru = choice & 8 ? 4000 : 0,
				     .ipv4 = !(choice & 16),
				     .ipv6 = !(choice & 32) || (choice & 16),
				     .want_dns = true,
				     .want_nbns = choice & 64 };
	const struct machine *m = machine_run(&config, &r);

	/* Nobody who does not know the password can make the proof. */
	if (!(config.auth & ~(PPP_AUTH_MSCHAPV2 | PPP_AUTH_EAP)))
		REQUIRE(!m->authenticated);
	return 0;
}
