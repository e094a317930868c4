/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One message as the worker gets it. The daemon is trusted, its messages are still checked. */
#include <stdlib.h>

#include "base/macro.h"
#include "ipc/worker.h"

static void decode(struct ipc_message *m)
{
	struct worker_config config;
	struct worker_routes routes;
	struct secret password;
	uint16_t mtu;
	int tun, ca, keylog;

	switch ((enum worker_message)m->type) {
	case WORKER_START:
		if (worker_decode_start(m, &config, &tun, &ca, &keylog) == 0 &&
		    (config.n_pins > WORKER_PINS_MAX || config.mtu > WORKER_MTU_MAX || !config.host[0] ||
		     !memchr(config.user, 0, sizeof(config.user)) || tun != -1 || ca != -1 || keylog != -1))
			abort();
		break;
	case WORKER_ROUTE_REPLY:
		if (worker_decode_route_reply(m, &routes) == 0)
			for (size_t i = 0; i < routes.n; i++)
				if (!memchr(routes.device[i], 0, IFNAMSIZ))
					abort();
		break;
	case WORKER_PASSWORD:
		if (worker_decode_password(m, &password) == 0 && password.len > SECRET_MAX)
			abort();
		break;
	case WORKER_SET_MTU:
		if (worker_decode_set_mtu(m, &mtu) == 0 && (mtu < WORKER_MTU_MIN || mtu > WORKER_MTU_MAX))
			abort();
		break;
	case WORKER_STOP:
	case WORKER_QUERY_STATS:
		(void)worker_decode_plain(m);
		break;
	case WORKER_STAGE:
	case WORKER_ROUTE_QUERY:
	case WORKER_VERIFIED:
	case WORKER_LINK:
	case WORKER_UP:
	case WORKER_IPV6_UP:
	case WORKER_IPV6_DOWN:
	case WORKER_RDNSS:
	case WORKER_STATS:
	case WORKER_LOG:
	case WORKER_FAILED:
	case WORKER_CLOSED:
		abort(); /* the worker's own words: its table must not let them in */
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct ipc_message m = { .n_fds = 0 };

	if (ipc_parse(data, len, &m) < 0)
		return 0;
	for (unsigned phase = 0; phase <= WORKER_PHASE_ENDED; phase++)
		for (size_t n_fds = 0; n_fds <= IPC_FDS_MAX; n_fds++) {
			struct ipc_monitor monitor = worker_monitor_of_worker();
			m.n_fds = n_fds;
			for (size_t i = 0; i < n_fds; i++)
				m.fds[i] = -1;
			if (ipc_permit(&monitor, &m, phase) == 0)
				decode(&m);
		}
	return 0;
}
