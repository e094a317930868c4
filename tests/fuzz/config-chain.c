/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that are found in a certificate lie within it. */
#include <stdint.h>
#include <stdlib.h>

#include "config/chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct chain_names n;

	if (chain_read_names(data, len, &n) < 0)
		return 0;
	if (n.issuer < data || n.issuer_len > len - (size_t)(n.issuer - data) || n.subject < n.issuer ||
	    n.subject_len > len - (size_t)(n.subject - data))
		abort();
	return 0;
}
