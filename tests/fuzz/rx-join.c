/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Joining: input is a list of packets, each behind [flags][length, 2 bytes]; bit 0 of flags sets right
 * checksums first, because no fuzzer finds them. Whatever comes in, the kernel must take every write and cut
 * it to the same packets.
 */
#include <stdlib.h>
#include <string.h>

#include "packets.h"

#define PACKETS_MAX 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void read_packets(const uint8_t *data, size_t len, struct list *out)
{
	struct list one = { 0 };

	while (len >= 3 && out->count < PACKETS_MAX) {
		unsigned flags = data[0];
		size_t n = (size_t)data[1] << 8 | data[2];

		data += 3;
		len -= 3;
		if (n > len)
			n = len;
		list_add(out, data, n);
		struct blob *p = &out->items[out->count - 1];
		ref_receivable(&(struct list){ p, 1, 1 }, &one);
		if (flags & 1 && one.count == 1)
			ref_set_checksums(p->data, p->len);
		list_clear(&one);
		data += n;
		len -= n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	_cleanup_(rx_freep) struct rx *rx = NULL;
	_cleanup_(tx_freep) struct tx *tx = NULL;
	struct list packets = { 0 }, expected = { 0 }, writes = { 0 }, slow = { 0 }, fast = { 0 };
	const char *why;

	if (rx_new(&(struct rx_config){ .vnet_hdr = true, .udp = true }, &rx) < 0 ||
	    tx_new(&(struct tx_config){ .vnet_hdr = true, .mtu = PPP_IP_MAX, .limit = 256u << 10 }, &tx) < 0)
		abort();
	read_packets(data, len, &packets);
	ref_receivable(&packets, &expected);
	run_join(rx, &packets, &writes);
	for (size_t i = 0; i < writes.count; i++)
		if (!ref_kernel_accepts(writes.items[i].data, writes.items[i].len) ||
		    !ref_split(writes.items[i].data, writes.items[i].len, &slow))
			abort();
	if (!same_packets(&expected, &slow, ORDER_STRICT, &why))
		abort();
	if (!run_split(tx, &writes, 2, &fast) || !same_packets(&expected, &fast, ORDER_QUEUE, &why))
		abort();
	list_clear(&writes);
	list_clear(&slow);
	run_join_in_pieces(rx, &packets, &(struct rng){ len }, 4, &writes);
	for (size_t i = 0; i < writes.count; i++)
		if (!ref_split(writes.items[i].data, writes.items[i].len, &slow))
			abort();
	if (!same_packets(&expected, &slow, ORDER_STRICT, &why))
		abort();
	list_clear(&packets);
	list_clear(&expected);
	list_clear(&writes);
	list_clear(&slow);
	list_clear(&fast);
	return 0;
}
