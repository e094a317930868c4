/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any line splits into words that quoting gives back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	_cleanup_words_ struct words w = { 0 }, again = { 0 };
	_cleanup_text_ struct text line = { 0 };

	if (words_split(&w, (const char *)data, len) < 0)
		return 0;
	for (size_t i = 0; i < w.n; i++) {
		words_quote(&line, w.v[i], len % 2);
		text_add(&line, " ");
	}
	if (words_split(&again, text_str(&line), line.len) < 0 || again.n != w.n)
		abort();
	for (size_t i = 0; i < w.n; i++)
		if (strcmp(w.v[i], again.v[i]) != 0)
			abort();
	return 0;
}
