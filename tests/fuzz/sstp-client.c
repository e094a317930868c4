/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SSTP client against a scripted peer, upper layer and clock. */
#include "sstp-call.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	script_run(SSTP_CLIENT, data, len);
	return 0;
}
