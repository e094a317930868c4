/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pin that is taken is printed in its one spelling, and that is read as the same pin. */
#include <stdlib.h>
#include <string.h>

#include "tls/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = strndup((const char *)data, len);
	char again_text[TLS_PIN_TEXT];
	struct tls_pin pin, again;

	if (!text)
		abort();
	if (tls_pin_parse(text, &pin) == 0) {
		tls_pin_format(&pin, again_text);
		if (strlen(again_text) != TLS_PIN_TEXT - 1 || tls_pin_parse(again_text, &again) != 0 ||
		    memcmp(&pin, &again, sizeof(pin)) != 0)
			abort();
		/* Whoever wrote base64 wrote this spelling, with or without its padding. */
		if (strlen(text) < TLS_PIN_TEXT && strncmp(text, again_text, strlen(text)) != 0)
			abort();
	}
	free(text);
	return 0;
}
