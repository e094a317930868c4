/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A datagram of NETLINK_ROUTE. The kernel is trusted; the reader does not lean on that. */
#include <stdlib.h>
#include <string.h>

#include "netconf/monitor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void look(void *ctx _unused_, const struct net_event *event)
{
	if (!memchr(event->name, 0, sizeof(event->name)) || event->kind > NET_EVENT_OVERRUN)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	/* Of its own, so that a read past the end is seen, and aligned as netlink's are. */
	_cleanup_free_ void *copy = aligned_alloc(8, (len + 8) & ~(size_t)7);

	if (!copy)
		abort();
	memcpy(copy, data, len);
	net_monitor_parse(copy, len, look, NULL);
	return 0;
}
