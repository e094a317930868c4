/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inspect.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipc/worker.h"
#include "sandbox/sandbox.h"
#include "tls/tls.h"
#include "worker.h"

static ssize_t read_all(uint8_t *data, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size && (n = read(STDIN_FILENO, data + len, size - len)) != 0) {
		if (n < 0)
			return -errno;
		len += (size_t)n;
	}
	return len == size ? -EFBIG : (ssize_t)len;
}

static void print(const struct tls_certificate *c)
{
	(void)printf("%u\t%s\t%" PRId64 "\t%" PRId64 "\t", c->line,
		     c->is_ca	      ? "ca"
		     : c->self_signed ? "self"
				      : "leaf",
		     c->not_before, c->not_after);
	for (size_t i = 0; i < sizeof(c->sha256); i++)
		(void)printf("%02x", c->sha256[i]);
	(void)printf("\t%s\t%s\n", c->subject, c->issuer);
}

int inspect_run(void)
{
	struct sandbox_worker_config config = { 0 };
	struct sandbox_result result;
	_cleanup_free_ struct tls_certificate *certificates = NULL;
	_cleanup_free_ uint8_t *pem = malloc(WORKER_CA_MAX + 1);
	struct failure failure = { 0 };
	size_t count = 0;
	ssize_t len = pem ? read_all(pem, WORKER_CA_MAX + 1) : -ENOMEM;
	int r = len < 0 ? (int)len : worker_drop_privileges();

	if (r == 0)
		r = sandbox_worker(&config, &result);

	if (r < 0) {
		(void)fprintf(stderr, "reading the certificates: %s\n", strerror(-r));
		return 1;
	}
	r = tls_inspect(pem, (size_t)len, &certificates, &count, &failure);
	if (r == 0)
		r = tls_inspect_anchors(certificates, count, &failure);
	for (size_t i = 0; i < count; i++)
		print(&certificates[i]);
	if (fflush(stdout) != 0 || r < 0) {
		(void)fprintf(stderr, "%s\n", failure.detail[0] ? failure.detail : "out of memory");
		return 1;
	}
	return 0;
}
