/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pin that is taken is 32 bytes, and their 64 hex digits are read as the same pin. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = strndup((const char *)data, len);
	char hex[2 * CONFIG_PIN_LEN + 1];
	struct config_pin pin, again;

	if (!text)
		abort();
	if (config_parse_pin(text, &pin) == 0) {
		for (size_t i = 0; i < CONFIG_PIN_LEN; i++)
			(void)snprintf(hex + 2 * i, 3, "%02x", pin.sha256[i]);
		if (config_parse_pin(hex, &again) < 0 || memcmp(&pin, &again, sizeof(pin)) != 0)
			abort();
	}
	free(text);
	return 0;
}
