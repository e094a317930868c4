/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The readiness protocol of sd_notify(3), without the library. */
#pragma once

/*
 * Sends `state` ("READY=1", "STOPPING=1", "STATUS=…", several divided by newlines) to the socket named in
 * $NOTIFY_SOCKET. 0 also where there is none; negative errno where it cannot be told.
 */
int notify(const char *state);
