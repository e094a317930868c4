/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One message as the daemon gets it from a worker that an attacker has taken over. */
#include <stdlib.h>

#include "base/macro.h"
#include "ipc/worker.h"

static void require(bool fact)
{
	if (!fact)
		abort();
}

static void require_text(const char *s, size_t size)
{
	require(memchr(s, 0, size) != NULL);
	for (; *s; s++)
		require(*s >= 0x20 && *s < 0x7f);
}
#define REQUIRE_TEXT(array) require_text((array), sizeof(array))

static void decode(struct ipc_message *m)
{
	union {
		struct worker_stage stage;
		struct worker_addresses addresses;
		struct worker_verified verified;
		struct worker_link link;
		struct worker_up up;
		struct worker_ipv6 ipv6;
		struct worker_rdnss rdnss;
		struct worker_stats stats;
		struct worker_log log;
		struct failure failure;
	} v;

	switch ((enum worker_message)m->type) {
	case WORKER_STAGE:
		if (worker_decode_stage(m, &v.stage) == 0) {
			require((unsigned)v.stage.stage < _STAGE_MAX);
			REQUIRE_TEXT(v.stage.detail);
		}
		break;
	case WORKER_ROUTE_QUERY:
		if (worker_decode_route_query(m, &v.addresses) == 0)
			require(v.addresses.n > 0 && v.addresses.n <= WORKER_ADDRESSES_MAX);
		break;
	case WORKER_VERIFIED:
		if (worker_decode_verified(m, &v.verified) == 0) {
			REQUIRE_TEXT(v.verified.server);
			REQUIRE_TEXT(v.verified.device);
			REQUIRE_TEXT(v.verified.tls_version);
			REQUIRE_TEXT(v.verified.cipher);
			REQUIRE_TEXT(v.verified.certificate);
			REQUIRE_TEXT(v.verified.issuer);
		}
		break;
	case WORKER_LINK:
		(void)worker_decode_link(m, &v.link);
		break;
	case WORKER_UP:
		if (worker_decode_up(m, &v.up) == 0) {
			REQUIRE_TEXT(v.up.message);
			if (!worker_up_check(&v.up, 4))
				require(v.up.local.s_addr != 0 && v.up.local.s_addr != v.up.peer.s_addr &&
					v.up.auth == 4 && v.up.peer_mru >= WORKER_MTU_MIN);
		}
		break;
	case WORKER_IPV6_UP:
		if (worker_decode_ipv6_up(m, &v.ipv6) == 0)
			(void)worker_ipv6_check(&v.ipv6);
		break;
	case WORKER_RDNSS:
		if (worker_decode_rdnss(m, &v.rdnss) == 0)
			require(v.rdnss.n <= WORKER_RDNSS_MAX);
		break;
	case WORKER_STATS:
		(void)worker_decode_stats(m, &v.stats);
		break;
	case WORKER_LOG:
		if (worker_decode_log(m, &v.log) == 0)
			REQUIRE_TEXT(v.log.line);
		break;
	case WORKER_FAILED:
		if (worker_decode_failed(m, &v.failure) == 0) {
			require(v.failure.cause > CAUSE_NONE && v.failure.cause < _CAUSE_MAX);
			REQUIRE_TEXT(v.failure.detail);
		}
		break;
	case WORKER_IPV6_DOWN:
	case WORKER_CLOSED:
		(void)worker_decode_plain(m);
		break;
	case WORKER_START:
	case WORKER_ROUTE_REPLY:
	case WORKER_PASSWORD:
	case WORKER_STOP:
	case WORKER_SET_MTU:
	case WORKER_QUERY_STATS:
		abort(); /* the daemon's own words: its table must not let them in */
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct ipc_message m = { .n_fds = 0 };

	if (ipc_parse(data, len, &m) < 0)
		return 0;
	for (unsigned phase = 0; phase <= WORKER_PHASE_ENDED; phase++) {
		struct ipc_monitor monitor = worker_monitor_of_daemon();
		if (ipc_permit(&monitor, &m, phase) == 0)
			decode(&m);
	}
	return 0;
}
