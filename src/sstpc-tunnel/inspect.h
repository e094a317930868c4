/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `sstpc-tunnel --inspect`: certificates are parsed in the worker's sandbox, never in the daemon. */
#pragma once

/*
 * Reads a PEM file from standard input and writes what it holds to standard output, a line a certificate,
 * fields separated by tabs:
 *
 *     line  ca|self|leaf  not_before  not_after  sha256  subject  issuer
 *
 * Times are seconds since 1970, sha256 is that of the DER in hex. Exit status 0; or 1 with one line on
 * standard error.
 */
int inspect_run(void);
