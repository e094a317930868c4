/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The unit test harness: a test is a function without arguments, a program is a table of them, the output is
 * TAP.
 *
 *     static void reads_past_the_end_are_sticky(void) { ... check(r.error == -EBADMSG); }
 *     int main(void) { return run_tests((struct test[]){ TEST(reads_past_the_end_are_sticky), {} }); }
 *
 * A check that fails prints file, line and values, marks the test, and returns from the test function.
 */
#pragma once

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct test {
	const char *name;
	void (*run)(void);
};
#define TEST(f)                      \
	{                            \
		.name = #f, .run = f \
	}

/* The only mutable globals of the test programs: whether the running test has failed, and why it could not be
 * tried. */
static bool test_failed __attribute__((unused));
static const char *test_skipped __attribute__((unused));

#define check(expr)                                                         \
	do {                                                                \
		if (!(expr)) {                                              \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #expr); \
			test_failed = true;                                 \
			return;                                             \
		}                                                           \
	} while (0)

#define check_int(a, b)                                                                                     \
	do {                                                                                                \
		long long _a = (long long)(a), _b = (long long)(b);                                         \
		if (_a != _b) {                                                                             \
			printf("# %s:%d: %s is %lld (0x%llx), expected %lld\n", __FILE__, __LINE__, #a, _a, \
			       (unsigned long long)_a, _b);                                                 \
			test_failed = true;                                                                 \
			return;                                                                             \
		}                                                                                           \
	} while (0)

#define check_str(a, b)                                                                            \
	do {                                                                                       \
		const char *_a = (a), *_b = (b);                                                   \
		if (!_a || strcmp(_a, _b) != 0) {                                                  \
			printf("# %s:%d: %s is \"%s\", expected \"%s\"\n", __FILE__, __LINE__, #a, \
			       _a ? _a : "(null)", _b);                                            \
			test_failed = true;                                                        \
			return;                                                                    \
		}                                                                                  \
	} while (0)

#define check_mem(a, alen, b, blen)                                                   \
	do {                                                                          \
		const unsigned char *_a = (const void *)(a), *_b = (const void *)(b); \
		size_t _al = (alen), _bl = (blen);                                    \
		if (_al != _bl || memcmp(_a, _b, _bl) != 0) {                         \
			printf("# %s:%d: %s differs: ", __FILE__, __LINE__, #a);      \
			for (size_t _i = 0; _i < _al; _i++)                           \
				printf("%02x", _a[_i]);                               \
			printf(", expected ");                                        \
			for (size_t _i = 0; _i < _bl; _i++)                           \
				printf("%02x", _b[_i]);                               \
			printf("\n");                                                 \
			test_failed = true;                                           \
			return;                                                       \
		}                                                                     \
	} while (0)

/* Runs the table up to its empty row. Returns the exit status: 0 if all passed. */
static inline int run_tests(const struct test *tests)
{
	int failed = 0, n = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (; tests[n].run; n++) {
		test_failed = false;
		test_skipped = NULL;
		tests[n].run();
		printf("%s %d - %s%s%s\n", test_failed ? "not ok" : "ok", n + 1, tests[n].name,
		       test_skipped ? " # SKIP " : "", test_skipped ? test_skipped : "");
		failed += test_failed;
	}
	printf("1..%d\n", n);
	return failed ? 1 : 0;
}
