/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpcd/facts.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const char *facts_auth(unsigned auth)
{
	switch (auth) {
	case CONFIG_AUTH_PAP:
		return "PAP";
	case CONFIG_AUTH_CHAP:
		return "CHAP-MD5";
	case CONFIG_AUTH_MSCHAPV2:
		return "MS-CHAPv2";
	case CONFIG_AUTH_EAP:
		return "EAP-MSCHAPv2";
	default:
		return "unknown";
	}
}

const char *facts_hash(unsigned hash)
{
	/* [MS-SSTP] 2.2.6 */
	return hash == 1 ? "SHA-1" : hash == 2 ? "SHA-256" : "none";
}

/* A limited text that is cut where it does not fit. */
static void add(char *out, size_t size, const char *separator, const char *s)
{
	size_t len = strlen(out);

	(void)snprintf(out + len, size - len, "%s%s", len > 0 ? separator : "", s);
}

void facts_addresses(const struct tunnel *t, char *out, size_t size)
{
	char text[INET6_ADDRSTRLEN];

	out[0] = 0;
	if (t->local.s_addr)
		add(out, size, "", inet_ntop(AF_INET, &t->local, text, sizeof(text)));
	if (t->local.s_addr && t->peer.s_addr)
		add(out, size, " peer ", inet_ntop(AF_INET, &t->peer, text, sizeof(text)));
	if (t->state == TUNNEL_UP && t->attempt->has_ipv6 &&
	    !(t->report.notices & (NET_NOTICE_MTU_NO_IPV6 | NET_NOTICE_IPV6_DISABLED))) {
		struct in6_addr a = { .s6_addr = { 0xfe, 0x80 } };
		memcpy(&a.s6_addr[8], t->attempt->ipv6.local_id, 8);
		add(out, size, ", ", inet_ntop(AF_INET6, &a, text, sizeof(text)));
	}
	if (!out[0])
		add(out, size, "", "none");
}

void facts_dns(const struct tunnel *t, char *out, size_t size)
{
	const struct tunnel_attempt *a = t->attempt;
	char text[INET6_ADDRSTRLEN], backend[64];

	out[0] = 0;
	for (size_t i = 0; a && a->has_up && i < ARRAY_SIZE(a->up.dns); i++)
		if (a->up.dns[i].s_addr)
			add(out, size, " ", inet_ntop(AF_INET, &a->up.dns[i], text, sizeof(text)));
	for (size_t i = 0; a && a->has_up && i < a->rdnss.n; i++)
		add(out, size, " ", inet_ntop(AF_INET6, &a->rdnss.address[i], text, sizeof(text)));
	if (!out[0]) {
		add(out, size, "", t->config.no_peer_dns ? "not wanted" : "none");
		return;
	}
	(void)snprintf(backend, sizeof(backend), "(%s)",
		       t->report.dns_backend == NET_DNS_NONE ? "not used"
							     : net_dns_backend_name(t->report.dns_backend));
	add(out, size, " ", backend);
}

static const char *default_route(bool wanted, bool installed, bool active)
{
	return !wanted	    ? "not wanted"
	       : !installed ? "not installed"
	       : active	    ? "through the tunnel"
			    : "installed, not active";
}

void facts_default_route(const struct tunnel *t, char *out, size_t size)
{
	const struct net_report *r = &t->report;

	out[0] = 0;
	add(out, size, "",
	    default_route(!t->config.no_default_route, r->default_installed, r->default_active));
	/* Most servers give none. */
	if (r->default6_installed)
		add(out, size, "; IPv6 ", default_route(true, true, r->default6_active));
}

void facts_certificate(const struct tunnel *t, char *out, size_t size)
{
	const struct worker_verified *v = &t->attempt->verified;
	time_t not_after = (time_t)v->not_after;
	char date[32] = "an unknown date";
	struct tm tm;

	if (gmtime_r(&not_after, &tm))
		(void)strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	(void)snprintf(out, size, "%s, issued by %s, valid until %s", v->certificate, v->issuer, date);
}

void facts_pin(const uint8_t pin[static 32], char *out, size_t size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char text[45];
	size_t n = 0;

	for (size_t i = 0; i < 32; i += 3) {
		uint32_t v = (uint32_t)pin[i] << 16 | (uint32_t)(i + 1 < 32 ? pin[i + 1] : 0) << 8 |
			     (i + 2 < 32 ? pin[i + 2] : 0u);
		for (unsigned shift = 18;; shift -= 6) {
			text[n++] = digits[v >> shift & 63];
			if (shift == 0)
				break;
		}
	}
	text[43] = '='; /* 32 bytes leave one byte of the last group empty */
	text[44] = 0;
	(void)snprintf(out, size, "sha256:%s", text);
}
