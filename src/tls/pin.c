/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "tls/tls.h"

#define PIN_PREFIX "sha256:"

static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* 43 characters and at most one '=': 32 bytes. The last character holds two bits that must be zero, so that
 * every pin has one spelling. */
static int base64_32(const char *s, uint8_t ret[static 32])
{
	uint32_t bits = 0;
	unsigned have = 0;
	uint8_t out[32];
	size_t n = 0;

	for (size_t i = 0; i < 43; i++) {
		const char *at = s[i] ? strchr(base64_alphabet, s[i]) : NULL;
		if (!at)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)(at - base64_alphabet);
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (uint8_t)(bits >> have);
		}
	}
	if ((bits & 3) != 0 || (s[43] != 0 && strcmp(s + 43, "=") != 0))
		return -EINVAL;
	memcpy(ret, out, sizeof(out));
	return 0;
}

int tls_pin_parse(const char *text, struct tls_pin *ret)
{
	if (strncmp(text, PIN_PREFIX, strlen(PIN_PREFIX)) != 0)
		return -EINVAL;
	text += strlen(PIN_PREFIX);
	if (strlen(text) == 64)
		return parse_hex(text, ret->sha256, sizeof(ret->sha256));
	return base64_32(text, ret->sha256);
}

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
