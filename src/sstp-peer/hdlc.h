/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PPP in async HDLC-like framing, RFC 1662 §4: what pppd speaks on a terminal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HDLC_FRAME_MAX 4096

struct hdlc_decoder {
	uint8_t frame[HDLC_FRAME_MAX + 2];
	size_t len;
	bool escaped, overrun;
};

/*
 * Takes one byte. Returns the length of a complete frame, without its FCS, in `d->frame`; 0 while there is
 * none. Frames with a wrong FCS, too short or too long ones are dropped.
 */
size_t hdlc_input(struct hdlc_decoder *d, uint8_t byte);
/* Writes flag, escaped frame and FCS, flag. Returns the length; `out` needs 2 × len + 8 bytes. */
size_t hdlc_encode(const uint8_t *frame, size_t len, uint8_t *out);
