/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inspect.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
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

static void print(struct text *out, const struct tls_certificate *c)
{
	text_addf(out, "%u\t%s\t%" PRId64 "\t%" PRId64 "\t", c->line,
		  c->is_ca	   ? "ca"
		  : c->self_signed ? "self"
				   : "leaf",
		  c->not_before, c->not_after);
	for (size_t i = 0; i < sizeof(c->sha256); i++)
		text_addf(out, "%02x", c->sha256[i]);
	text_addf(out, "\t%s\t%s\n", c->subject, c->issuer);
}

/* Not by stdio, which tells only at the end, and not which, that a write has failed. */
static bool write_text(int fd, const struct text *text)
{
	return write_all(fd, text_str(text), text->len) == 0 && text->error == 0;
}

static int complain(const char *what, const char *why)
{
	_cleanup_text_ struct text text = { 0 };

	text_addf(&text, "%s%s\n", what, why);
	(void)write_text(STDERR_FILENO, &text);
	return 1;
}

int inspect_run(void)
{
	struct sandbox_worker_config config = { 0 };
	struct sandbox_result result;
	_cleanup_free_ struct tls_certificate *certificates = NULL;
	_cleanup_free_ uint8_t *pem = malloc(WORKER_CA_MAX + 1);
	_cleanup_text_ struct text out = { 0 };
	struct failure failure = { 0 };
	size_t count = 0;
	ssize_t len = pem ? read_all(pem, WORKER_CA_MAX + 1) : -ENOMEM;
	int r = len < 0 ? (int)len : worker_drop_privileges(&failure);

	if (failure.cause != CAUSE_NONE)
		return complain(failure.detail, "");
	if (r == 0)
		r = sandbox_worker(&config, &result);
	if (r < 0)
		return complain("reading the certificates: ", strerror(-r));
	r = tls_inspect(pem, (size_t)len, &certificates, &count, &failure);
	if (r == 0)
		r = tls_inspect_anchors(certificates, count, &failure);
	/* One or the other: both end up in one pipe. */
	for (size_t i = 0; r == 0 && i < count; i++)
		print(&out, &certificates[i]);
	if (!write_text(STDOUT_FILENO, &out))
		return complain("the list of certificates cannot be written", "");
	return r < 0 ? complain("", failure.detail[0] ? failure.detail : "out of memory") : 0;
}
