/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs every file of a corpus, and every prefix and some mutations of it, through a fuzz target; prints TAP.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Runs a copy of exact size, so that the sanitizer sees a read past the end. */
static void run_copy(const uint8_t *data, size_t len, size_t flip)
{
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		abort();
	memcpy(copy, data, len);
	if (flip < len)
		copy[flip] = (uint8_t)(copy[flip] ^ (1u << (flip % 8)));
	(void)LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static void run_file(const uint8_t *data, size_t len)
{
	size_t step = len / 256 + 1; /* at most some 256 cuts and flips per file */

	run_copy(data, len, len);
	for (size_t i = 0; i < len; i += step) {
		run_copy(data, i, i);
		run_copy(data, len, i);
	}
}

int main(void)
{
	static uint8_t data[INPUT_MAX];
	struct dirent **names;
	int n = scandir(CORPUS, &names, NULL, alphasort), count = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; i < n; i++) {
		char path[4096];
		FILE *f;

		(void)snprintf(path, sizeof(path), "%s/%s", CORPUS, names[i]->d_name);
		if (names[i]->d_name[0] != '.' && (f = fopen(path, "rb"))) {
			run_file(data, fread(data, 1, sizeof(data), f));
			(void)fclose(f);
			printf("ok %d - %s\n", ++count, names[i]->d_name);
		}
		free(names[i]);
	}
	free(n > 0 ? names : NULL);
	if (count == 0)
		printf("not ok %d - no corpus in %s\n", ++count, CORPUS);
	printf("1..%d\n", count);
	return n > 0 ? 0 : 1;
}
