/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A CA file of a stranger: refused with a cause, or described in printable text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tls/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_printable(const char *s, size_t size)
{
	if (strnlen(s, size) == size)
		abort();
	for (; *s; s++)
		if (*s < 0x20 || *s > 0x7e)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct tls_certificate *list = NULL;
	struct failure f = { 0 };
	size_t count = 0;

	int result = tls_inspect(data, len, &list, &count, &f);
	check_printable(f.detail, sizeof(f.detail));
	if (result < 0) {
		if (list || (result != -ENOMEM && f.cause != CAUSE_CA_INVALID))
			abort();
		return 0;
	}
	if (count == 0 || count > TLS_INSPECT_MAX)
		abort();
	for (size_t i = 0; i < count; i++) {
		check_printable(list[i].subject, sizeof(list[i].subject));
		check_printable(list[i].issuer, sizeof(list[i].issuer));
		if (list[i].line == 0)
			abort();
	}
	(void)tls_inspect_anchors(list, count, &f);
	free(list);
	return 0;
}
