/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watches the authentication between a client and a pppd, to know the HLAK that the client must use for the
 * crypto binding ([MS-SSTP] 3.2.5.2.2): pppd keeps the keys to itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "users.h"

struct snoop {
	struct users *users;
	uint8_t challenge[16], peer_challenge[16], nt_response[24];
	char user[256];
	bool challenged, answered;
};

/* A PPP frame (FF 03 protocol …) from the client. */
void snoop_from_client(struct snoop *s, const uint8_t *frame, size_t len);
/* One from pppd. True when it says that the client is authenticated; `hlak` is then set. */
bool snoop_from_pppd(struct snoop *s, const uint8_t *frame, size_t len, uint8_t hlak[static 32]);
