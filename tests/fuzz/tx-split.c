/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Splitting: input is one read from the TUN, behind [MTU, 2 bytes]: a virtio header and a packet, both
 * hostile. What comes out must be whole SSTP data packets that are sound IP packets within the MTU, no byte
 * of payload more or less; and joining them must give packets that are cut to the same again.
 */
#include <stdlib.h>
#include <string.h>

#include "packets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct tx *new_tx(uint16_t mtu, bool vnet_hdr)
{
	struct tx *tx = NULL;

	if (tx_new(&(struct tx_config){ .vnet_hdr = vnet_hdr, .mtu = mtu, .limit = 256u << 10 }, &tx) < 0)
		abort();
	return tx;
}

static void split(const uint8_t *data, size_t len, uint16_t mtu, bool vnet_hdr, struct list *out)
{
	_cleanup_(tx_freep) struct tx *tx = new_tx(mtu, vnet_hdr);
	struct list read = { 0 }, sound = { 0 };
	size_t bytes = 0;

	list_add(&read, data, len);
	if (!run_split(tx, &read, 1, out))
		abort();
	ref_receivable(out, &sound);
	if (sound.count != out->count)
		abort();
	for (size_t i = 0; i < out->count; i++) {
		if (out->items[i].len != sound.items[i].len || out->items[i].len > mtu)
			abort();
		bytes += out->items[i].len;
	}
	const struct tx_stats *stats = tx_stats(tx);
	if (stats->packets != out->count || stats->bytes != bytes ||
	    (out->count == 0) != (stats->invalid + stats->too_big == 1) ||
	    stats->overlimit + stats->dropped > 0)
		abort();
	list_clear(&read);
	list_clear(&sound);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	_cleanup_(rx_freep) struct rx *rx = NULL;
	struct list cut = { 0 }, plain = { 0 }, writes = { 0 }, again = { 0 };
	const char *why;
	uint16_t mtu;

	if (len < 2)
		return 0;
	mtu = (uint16_t)(68 + ((unsigned)data[0] << 8 | data[1]) % (PPP_IP_MAX - 68 + 1));
	data += 2;
	len -= 2;
	if (len > 10 + 65536)
		len = 10 + 65536;
	/* A segment size of a few bytes gives tens of thousands of packets, which only costs time. */
	if (len > 8000 && data[4] < 64 && data[5] == 0)
		len = 8000;
	split(data, len, mtu, true, &cut);
	split(data, len, mtu, false, &plain);
	if (rx_new(&(struct rx_config){ .vnet_hdr = true, .udp = true }, &rx) < 0)
		abort();
	run_join(rx, &cut, &writes);
	for (size_t i = 0; i < writes.count; i++)
		if (!ref_kernel_accepts(writes.items[i].data, writes.items[i].len) ||
		    !ref_split(writes.items[i].data, writes.items[i].len, &again))
			abort();
	if (!same_packets(&cut, &again, ORDER_STRICT, &why))
		abort();
	list_clear(&cut);
	list_clear(&plain);
	list_clear(&writes);
	list_clear(&again);
	return 0;
}
