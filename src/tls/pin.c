/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "tls/tls.h"

#define PIN_PREFIX "sha256:"

static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void tls_pin_format(const struct tls_pin *pin, char out[static TLS_PIN_TEXT])
{
	const uint8_t *p = pin->sha256;
	char *o = out + strlen(PIN_PREFIX);

	memcpy(out, PIN_PREFIX, strlen(PIN_PREFIX));
	for (size_t i = 0; i < 32; i += 3) {
		uint32_t bits = (uint32_t)p[i] << 16 | (uint32_t)p[i + 1] << 8 | (i + 2 < 32 ? p[i + 2] : 0u);
		for (int shift = 18; shift >= 0; shift -= 6)
			*o++ = base64_alphabet[bits >> shift & 63];
	}
	o[-1] = '='; /* 32 bytes leave one character of padding */
	*o = 0;
}
