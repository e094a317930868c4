/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "data/csum.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "packets.h"
#include "test.h"

#define MAX_LEN 4200

/* Every length, at every alignment, of random, all-zero and all-one data, in each implementation. */
static void every_implementation_agrees_with_the_rfc(void)
{
	static uint8_t data[MAX_LEN + 64], out[MAX_LEN + 64];
	struct rng rng = { 1 };

	for (int pattern = 0; pattern < 3; pattern++) {
		memset(data, pattern == 1 ? 0 : 0xff, sizeof(data));
		if (pattern == 0)
			rng_bytes(&rng, data, sizeof(data));
		for (const struct csum_ops *const *ops = csum_implementations(); *ops; ops++)
			for (size_t len = 0; len <= MAX_LEN; len += len < 300 ? 1 : 1 + rng_below(&rng, 97)) {
				size_t from = rng_below(&rng, 32), to = rng_below(&rng, 32);
				uint16_t expected = ref_checksum(data + from, len, 0);

				check_int(ntohs(csum_finish((*ops)->sum(data + from, len))), expected);
				memset(out, 0x55, sizeof(out));
				check_int(ntohs(csum_finish((*ops)->copy(out + to, data + from, len))),
					  expected);
				check(memcmp(out + to, data + from, len) == 0);
				check(out[to + len] == 0x55 && (to == 0 || out[to - 1] == 0x55));
			}
	}
}

static void sums_of_pieces_add_up(void)
{
	static uint8_t data[65536];
	struct rng rng = { 2 };

	memset(data, 0xff, sizeof(data));
	for (int i = 0; i < 200; i++) {
		size_t cut = 2 * (size_t)rng_below(&rng, 32768);
		const struct csum_ops *best = csum_best();

		check_int(csum_finish(best->sum(data, cut) + best->sum(data + cut, sizeof(data) - cut)),
			  csum_finish(best->sum(data, sizeof(data))));
		check_int(ntohs(csum_finish(best->sum(data, cut + 1))), ref_checksum(data, cut + 1, 0));
		rng_bytes(&rng, data + cut, sizeof(data) - cut < 500 ? sizeof(data) - cut : 500);
	}
}

/* RFC 1071 §3. */
static void gives_the_example_of_rfc_1071(void)
{
	static const uint8_t data[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	check_int(ntohs(csum_fold(csum_short(data, sizeof(data)))), 0xddf2);
	check_int(ntohs(csum_finish(csum_best()->sum(data, sizeof(data)))), 0x220d);
}

static void an_update_equals_a_new_sum(void)
{
	struct rng rng = { 3 };
	uint8_t header[20];

	for (int i = 0; i < 20000; i++) {
		rng_bytes(&rng, header, sizeof(header));
		if (i % 3 == 0)
			memset(header + 2, i % 2 ? 0xff : 0, 18);
		uint16_t check = csum_finish(csum_short(header, sizeof(header))), before, after;

		memcpy(&before, header, 2);
		header[1] ^= (uint8_t)(1 + rng_below(&rng, 255));
		memcpy(&after, header, 2);
		check_int(csum_update(check, before, after), csum_finish(csum_short(header, sizeof(header))));
	}
}

/* Folding is arithmetic modulo 65535, where only a sum of nothing gives 0. */
static void folding_loses_no_carry(void)
{
	static const uint64_t sums[] = { 0,
					 1,
					 0xffff,
					 0x10000,
					 UINT32_MAX,
					 UINT64_C(0x1ffffffff),
					 UINT64_C(0xfffffffffffe),
					 UINT64_MAX,
					 UINT64_MAX - 1,
					 UINT64_C(0xffffffff00000000) };
	struct rng rng = { 4 };

	for (size_t i = 0; i < 10000; i++) {
		uint64_t sum = i < sizeof(sums) / sizeof(sums[0])
				       ? sums[i]
				       : (uint64_t)rng_next(&rng) << 32 | rng_next(&rng);

		check_int(csum_fold(sum), sum == 0 ? 0 : sum % 65535 == 0 ? 65535 : sum % 65535);
	}
}

static void udp_never_sends_zero(void)
{
	check_int(csum_finish_udp(0xffff), 0xffff);
	check_int(csum_finish(0xffff), 0);
	check_int(csum_finish_udp(0x1234), (uint16_t)~0x1234);
}

int main(void)
{
	return run_tests((struct test[]){ TEST(every_implementation_agrees_with_the_rfc),
					  TEST(sums_of_pieces_add_up),
					  TEST(gives_the_example_of_rfc_1071),
					  TEST(an_update_equals_a_new_sum),
					  TEST(folding_loses_no_carry),
					  TEST(udp_never_sends_zero),
					  {} });
}
