/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/parse.h"
#include "test.h"
#include "tls/tls.h"

/* SHA-256 of "": 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU= (RFC 6920 and everybody's test vector) */
#define HEX    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define BASE64 "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

static void prints_base64(void)
{
	struct tls_pin pin;
	char text[TLS_PIN_TEXT];

	check_int(parse_hex(HEX, pin.sha256, sizeof(pin.sha256)), 0);
	tls_pin_format(&pin, text);
	check_str(text, "sha256:" BASE64);
}

int main(void)
{
	return run_tests((struct test[]){ TEST(prints_base64), {} });
}
