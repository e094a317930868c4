/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "test.h"
#include "tls/tls.h"

/* SHA-256 of "": 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU= (RFC 6920 and everybody's test vector) */
#define HEX    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define BASE64 "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"

static void both_spellings_are_one_pin(void)
{
	struct tls_pin hex, base64, padded;

	check_int(tls_pin_parse("sha256:" HEX, &hex), 0);
	check_int(tls_pin_parse("sha256:" BASE64, &base64), 0);
	check_int(tls_pin_parse("sha256:" BASE64 "=", &padded), 0);
	check_int(hex.sha256[0], 0xe3);
	check_int(hex.sha256[31], 0x55);
	check_mem(base64.sha256, 32, hex.sha256, 32);
	check_mem(padded.sha256, 32, hex.sha256, 32);
}

static void prints_what_it_parses(void)
{
	struct tls_pin pin, again;
	char text[TLS_PIN_TEXT];

	check_int(tls_pin_parse("sha256:" HEX, &pin), 0);
	tls_pin_format(&pin, text);
	check_str(text, "sha256:" BASE64 "=");
	for (unsigned i = 0; i < 256; i++) {
		for (unsigned k = 0; k < 32; k++)
			pin.sha256[k] = (uint8_t)(i * 7 + k * 131);
		tls_pin_format(&pin, text);
		check_int(tls_pin_parse(text, &again), 0);
		check_mem(again.sha256, 32, pin.sha256, 32);
	}
}

static void refuses_everything_else(void)
{
	static const char *const bad[] = {
		"",
		"sha256:",
		"sha256",
		"SHA256:" HEX,
		"sha1:" HEX,
		HEX,
		BASE64,
		" sha256:" BASE64,
		"sha256: " BASE64,
		"sha256:" BASE64 " ",
		"sha256:" BASE64 "==",
		"sha256:" BASE64 "A",
		"sha256:" HEX "0",
		"sha256:" HEX "00",
		"sha256:g3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85",
		"sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF",   /* a character short */
		"sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV",  /* bits beyond the last byte */
		"sha256:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=", /* base64url */
		"sha256:47DEQpj8HBSa+/TImW+5JCe\nuQeRkm5NMpJWZG3hSuFU",
	};
	struct tls_pin pin = { .sha256 = { 1, 2, 3 } };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (tls_pin_parse(bad[i], &pin) != -EINVAL)
			printf("# accepted: %s\n", bad[i]);
		check_int(tls_pin_parse(bad[i], &pin), -EINVAL);
		check_int(pin.sha256[0], 1); /* untouched */
		check_int(pin.sha256[2], 3);
	}
}

int main(void)
{
	return run_tests((struct test[]){ TEST(both_spellings_are_one_pin),
					  TEST(prints_what_it_parses),
					  TEST(refuses_everything_else),
					  {} });
}
