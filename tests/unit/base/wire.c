/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/wire.h"

#include "test.h"

static const uint8_t input[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static void reads_big_endian(void)
{
	struct wire_reader r = wire_reader(input, sizeof(input));

	check_int(wire_u8(&r), 1);
	check_int(wire_u16(&r), 0x0203);
	check_int(wire_u32(&r), 0x04050607);
	check_int(wire_left(&r), 2);
	check_int(wire_finish(&r), -EBADMSG);
	wire_skip(&r, 2);
	check_int(wire_finish(&r), 0);
}

static void a_read_past_the_end_is_sticky(void)
{
	struct wire_reader r = wire_reader(input, 3);
	uint8_t out[4] = { 9, 9, 9, 9 };

	check_int(wire_u32(&r), 0);
	check_int(r.error, -EBADMSG);
	check_int(wire_u8(&r), 0);
	check_int(wire_left(&r), 0);
	wire_copy(&r, out, sizeof(out));
	check_mem(out, 4, "\0\0\0\0", 4);
	check_int(wire_finish(&r), -EBADMSG);
}

static void a_huge_length_does_not_wrap(void)
{
	struct wire_reader r = wire_reader(input, sizeof(input));

	wire_skip(&r, 4);
	check(wire_bytes(&r, SIZE_MAX - 2) == NULL);
	check_int(r.error, -EBADMSG);
}

static void a_child_is_bounded_by_its_length(void)
{
	struct wire_reader r = wire_reader(input, sizeof(input));
	struct wire_reader child = wire_child(&r, 2);

	check_int(wire_u32(&child), 0);
	check_int(child.error, -EBADMSG);
	check_int(wire_u8(&r), 3);
	child = wire_child(&r, 7);
	check_int(child.error, -EBADMSG);
	check_int(r.error, -EBADMSG);
}

static void writes_and_patches(void)
{
	uint8_t out[8];
	struct wire_writer w = wire_writer(out, sizeof(out));

	wire_put_u16(&w, 0);
	wire_put_u32(&w, 0x01020304);
	wire_patch_u16(&w, 0, 0xabcd);
	check_int(w.error, 0);
	check_mem(out, w.len, "\xab\xcd\1\2\3\4", 6);
	wire_put_u32(&w, 1);
	check_int(w.error, -ENOBUFS);
	wire_put_u8(&w, 1);
	check_int(w.len, 6);
}

int main(void)
{
	return run_tests((struct test[]){ TEST(reads_big_endian),
					  TEST(a_read_past_the_end_is_sticky),
					  TEST(a_huge_length_does_not_wrap),
					  TEST(a_child_is_bounded_by_its_length),
					  TEST(writes_and_patches),
					  {} });
}
