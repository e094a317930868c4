/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hdlc.h"

#define FLAG	 0x7e
#define ESCAPE	 0x7d
#define FCS_INIT 0xffff
#define FCS_GOOD 0xf0b8 /* RFC 1662 §C.2 */

static uint16_t fcs_add(uint16_t fcs, uint8_t byte)
{
	fcs ^= byte;
	for (int i = 0; i < 8; i++)
		fcs = (uint16_t)(fcs & 1 ? fcs >> 1 ^ 0x8408 : fcs >> 1);
	return fcs;
}

static size_t finish_frame(struct hdlc_decoder *d)
{
	uint16_t fcs = FCS_INIT;
	size_t len = d->len;
	bool usable = !d->overrun && !d->escaped && len > 2;

	for (size_t i = 0; usable && i < len; i++)
		fcs = fcs_add(fcs, d->frame[i]);
	d->len = 0;
	d->overrun = d->escaped = false;
	return usable && fcs == FCS_GOOD ? len - 2 : 0;
}

size_t hdlc_input(struct hdlc_decoder *d, uint8_t byte)
{
	if (byte == FLAG)
		return finish_frame(d);
	if (byte == ESCAPE) {
		d->escaped = true;
		return 0;
	}
	if (d->escaped)
		byte ^= 0x20;
	d->escaped = false;
	if (d->len == sizeof(d->frame)) {
		d->overrun = true;
		return 0;
	}
	d->frame[d->len++] = byte;
	return 0;
}

static size_t put(uint8_t *out, uint8_t byte)
{
	/* Everything below 0x20 as well: the default ACCM, which pppd expects until LCP has agreed on
	 * another. */
	if (byte != FLAG && byte != ESCAPE && byte >= 0x20) {
		out[0] = byte;
		return 1;
	}
	out[0] = ESCAPE;
	out[1] = byte ^ 0x20;
	return 2;
}

size_t hdlc_encode(const uint8_t *frame, size_t len, uint8_t *out)
{
	uint16_t fcs = FCS_INIT;
	size_t n = 0;

	out[n++] = FLAG;
	for (size_t i = 0; i < len; i++) {
		fcs = fcs_add(fcs, frame[i]);
		n += put(out + n, frame[i]);
	}
	fcs ^= 0xffff;
	n += put(out + n, (uint8_t)fcs);
	n += put(out + n, (uint8_t)(fcs >> 8));
	out[n++] = FLAG;
	return n;
}
