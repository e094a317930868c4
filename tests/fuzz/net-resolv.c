/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A resolv.conf: taking our resolvers out of it gives back what was there before they were put in. */
#include <stdlib.h>
#include <string.h>

#include "netconf/dns/resolv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool is_gone(void *ctx, const char *ifname)
{
	(void)ctx;
	return strcmp(ifname, "sstpc0") != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct net_addr dns = { .family = AF_INET, .in = { 0x3500000a } };
	_cleanup_text_ struct text with = { 0 }, again = { 0 }, without = { 0 }, any = { 0 };
	_cleanup_free_ char *text = malloc(len + 1);
	bool unlink_it;

	if (!text)
		abort();
	memcpy(text, data, len);
	text[len] = 0;
	(void)resolv_remove(text, "sstpc0", &any, &unlink_it);
	text_done(&any);
	if ((resolv_remove_gone(text, is_gone, NULL, &any, &unlink_it) == 0) !=
	    (strcmp(text_str(&any), text) == 0))
		abort();
	resolv_install(text, "sstpc0", &dns, 1, false, &with);
	if (!resolv_is_installed(text_str(&with), "sstpc0", &dns, 1))
		abort();
	resolv_install(text_str(&with), "sstpc0", &dns, 1, false, &again);
	/* A text that holds marks already is somebody's play with them. */
	if (strstr(text, "# sstpcd: ") || strstr(text, "#sstpcd# "))
		return 0;
	if (strcmp(text_str(&with), text_str(&again)) != 0)
		abort();
	if (!resolv_remove(text_str(&again), "sstpc0", &without, &unlink_it) || unlink_it ||
	    strcmp(text_str(&without), text) != 0)
		abort();
	return 0;
}
