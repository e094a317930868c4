/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers for descriptors; close_fd() is in base/macro.h, with its cleanup. */
#pragma once

#include <stddef.h>

/* Writes all `len` bytes to a blocking descriptor, in as many calls of write(2) as that takes. 0 or negative
 * errno; then a part may have been written. */
int write_all(int fd, const void *data, size_t len);
