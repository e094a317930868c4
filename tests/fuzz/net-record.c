/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record of an interface, as a crash or a hand may have left it. What is read is written and read again
 * alike. */
#include <stdlib.h>
#include <string.h>

#include "netconf/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct net_record record, again;
	struct record_owner owner, owner_again;
	_cleanup_text_ struct text text = { 0 };
	_cleanup_free_ char *input = malloc(len + 1);

	if (!input)
		abort();
	memcpy(input, data, len);
	input[len] = 0;
	memset(&record, 0, sizeof(record));
	if (record_parse(input, &record, &owner) < 0)
		return 0;
	if (record.n_dns > NET_DNS_MAX)
		abort();
	record_format(&record, &owner, &text);
	if (record_parse(text_str(&text), &again, &owner_again) < 0 || owner.netns != owner_again.netns ||
	    owner.ifindex != owner_again.ifindex || again.n_dns != record.n_dns || again.nft != record.nft ||
	    again.dns_backend != record.dns_backend)
		abort();
	return 0;
}
