/* SPDX-License-Identifier: GPL-2.0-or-later */
/* split(join(list)) = list, and every super-packet is cut as the slow implementation cuts it. */
#include "packets.h"
#include "test.h"

#include <stdlib.h>

static const uint16_t mtus[] = { 68, 69, 75, 128, 576, 1280, 1400, 1499, 1500, 4086, 4087 };
#define MTUS   (sizeof(mtus) / sizeof(mtus[0]))
#define ROUNDS 400

static struct tx *new_tx(uint16_t mtu, bool vnet_hdr)
{
	struct tx *tx = NULL;
	struct tx_config config = { .vnet_hdr = vnet_hdr, .mtu = mtu, .limit = 2u << 20, .hash_key = 42 };

	if (tx_new(&config, &tx) < 0)
		abort();
	return tx;
}

static struct rx *new_rx(bool vnet_hdr, bool udp)
{
	struct rx *rx = NULL;

	if (rx_new(&(struct rx_config){ .vnet_hdr = vnet_hdr, .udp = udp }, &rx) < 0)
		abort();
	return rx;
}

/* The smallest MTU for IPv6 packets of every kind that are generated is above 68. */
static uint16_t random_mtu(struct rng *rng)
{
	uint16_t mtu = mtus[rng_below(rng, MTUS)];

	return rng_one_in(rng, 4) ? (uint16_t)(68 + rng_below(rng, 4087 - 68 + 1)) : mtu;
}

static void joined_lists_are_cut_to_the_same_packets(void)
{
	struct rng rng = { 7 };
	struct rx *rx = new_rx(true, true);
	struct tx *tx = new_tx(4087, true);
	size_t packets = 0, writes = 0;

	for (int round = 0; round < ROUNDS; round++) {
		struct list in = { 0 }, expected = { 0 }, joined = { 0 }, slow = { 0 }, fast = { 0 };
		const char *why = NULL;

		random_packets(&rng, &in, 1 + rng_below(&rng, 200), random_mtu(&rng));
		ref_receivable(&in, &expected);
		run_join(rx, &in, &joined);
		for (size_t i = 0; i < joined.count; i++) {
			check(ref_kernel_accepts(joined.items[i].data, joined.items[i].len));
			check(ref_split(joined.items[i].data, joined.items[i].len, &slow));
		}
		(void)same_packets(&expected, &slow, ORDER_STRICT, &why);
		check_str(why ? why : "the same", "the same");

		check(run_split(tx, &joined, 1 + rng_below(&rng, 10), &fast));
		(void)same_packets(&expected, &fast, ORDER_QUEUE, &why);
		check_str(why ? why : "the same", "the same");
		packets += in.count;
		writes += joined.count;
		list_clear(&in);
		list_clear(&expected);
		list_clear(&joined);
		list_clear(&slow);
		list_clear(&fast);
	}
	printf("# %zu packets in %zu writes\n", packets, writes);
	check(packets > 2 * writes); /* otherwise this tests little */
	rx_free(rx);
	tx_free(tx);
}

/* However the stream is cut, and whatever was held meanwhile. */
static void lists_that_arrive_in_pieces_are_joined_to_the_same_packets(void)
{
	struct rng rng = { 11 };
	struct rx *rx = new_rx(true, true);

	for (int round = 0; round < ROUNDS; round++) {
		struct list in = { 0 }, expected = { 0 }, joined = { 0 }, cut = { 0 };
		const char *why = NULL;

		random_packets(&rng, &in, 1 + rng_below(&rng, 200), random_mtu(&rng));
		ref_receivable(&in, &expected);
		run_join_in_pieces(rx, &in, &rng, 1 + rng_below(&rng, 60), &joined);
		for (size_t i = 0; i < joined.count; i++) {
			check(ref_kernel_accepts(joined.items[i].data, joined.items[i].len));
			check(ref_split(joined.items[i].data, joined.items[i].len, &cut));
		}
		(void)same_packets(&expected, &cut, ORDER_STRICT, &why);
		check_str(why ? why : "the same", "the same");
		list_clear(&in);
		list_clear(&expected);
		list_clear(&joined);
		list_clear(&cut);
	}
	rx_free(rx);
}

static void super_packets_are_cut_like_the_reference(void)
{
	struct rng rng = { 8 };
	size_t packets = 0;

	for (int round = 0; round < ROUNDS; round++) {
		uint16_t mtu = random_mtu(&rng);
		struct tx *tx = new_tx(mtu, true);
		struct list reads = { 0 }, slow = { 0 }, fast = { 0 };
		const char *why = NULL;

		for (int i = 0; i < 6; i++)
			random_read(&rng, &reads, mtu);
		for (size_t i = 0; i < reads.count; i++)
			check(ref_split(reads.items[i].data, reads.items[i].len, &slow));
		check(run_split(tx, &reads, 1 + rng_below(&rng, 6), &fast));
		check_int(tx_stats(tx)->invalid, 0);
		check_int(tx_stats(tx)->packets, fast.count);
		(void)same_packets(&slow, &fast, ORDER_QUEUE, &why);
		check_str(why ? why : "the same", "the same");
		packets += fast.count;
		list_clear(&reads);
		list_clear(&slow);
		list_clear(&fast);
		tx_free(tx);
	}
	printf("# %zu packets\n", packets);
}

/* The other way round: what was cut is joined again, and that is cut again. */
static void cut_packets_survive_joining(void)
{
	struct rng rng = { 9 };
	struct rx *rx = new_rx(true, true);

	for (int round = 0; round < ROUNDS / 4; round++) {
		uint16_t mtu = random_mtu(&rng);
		struct tx *tx = new_tx(mtu, true);
		struct list reads = { 0 }, cut = { 0 }, joined = { 0 }, again = { 0 };
		const char *why = NULL;

		random_read(&rng, &reads, mtu);
		check(run_split(tx, &reads, 1, &cut));
		run_join(rx, &cut, &joined);
		for (size_t i = 0; i < joined.count; i++)
			check(ref_kernel_accepts(joined.items[i].data, joined.items[i].len));
		check(run_split(tx, &joined, 1, &again));
		(void)same_packets(&cut, &again, ORDER_QUEUE, &why);
		check_str(why ? why : "the same", "the same");
		list_clear(&reads);
		list_clear(&cut);
		list_clear(&joined);
		list_clear(&again);
		tx_free(tx);
	}
	rx_free(rx);
}

static void a_plain_tun_gets_every_packet_as_it_came(void)
{
	struct rng rng = { 10 };
	struct rx *rx = new_rx(false, false);
	struct tx *tx = new_tx(4087, false);

	for (int round = 0; round < ROUNDS / 4; round++) {
		struct list in = { 0 }, expected = { 0 }, written = { 0 }, out = { 0 };
		const char *why = NULL;

		random_packets(&rng, &in, 1 + rng_below(&rng, 100), random_mtu(&rng));
		ref_receivable(&in, &expected);
		run_join(rx, &in, &written);
		check_int(written.count, expected.count);
		for (size_t i = 0; i < expected.count; i++)
			check_mem(written.items[i].data, written.items[i].len, expected.items[i].data,
				  expected.items[i].len);
		check(run_split(tx, &in, 1 + rng_below(&rng, 50), &out));
		(void)same_packets(&expected, &out, ORDER_QUEUE, &why);
		check_str(why ? why : "the same", "the same");
		list_clear(&in);
		list_clear(&expected);
		list_clear(&written);
		list_clear(&out);
	}
	rx_free(rx);
	tx_free(tx);
}

int main(void)
{
	return run_tests((struct test[]){ TEST(joined_lists_are_cut_to_the_same_packets),
					  TEST(lists_that_arrive_in_pieces_are_joined_to_the_same_packets),
					  TEST(super_packets_are_cut_like_the_reference),
					  TEST(cut_packets_survive_joining),
					  TEST(a_plain_tun_gets_every_packet_as_it_came),
					  {} });
}
