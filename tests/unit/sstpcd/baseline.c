/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sstpcd/baseline.h"

#include <stdlib.h>
#include <unistd.h>

#include "config/store.h"
#include "test.h"

static void what_was_cleared_is_for_one_network_namespace(void)
{
	char dir[] = "/tmp/sstpcd-baseline-XXXXXX", path[64], *data = NULL;
	struct baseline_link links[] = { { .ifindex = 7, .time = 8, .counters = { 9 } }, { .ifindex = 10 } };
	struct baseline saved = { .links = links, .n = 2 }, b = { 0 };
	size_t len = 0;

	check(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/" BASELINE_FILE, dir);
	check_int(baseline_load(&b, dir), 0);
	check_int(b.n, 0);
	check_int(baseline_save(&saved, dir), 0);
	check_int(baseline_load(&b, dir), 0);
	check_mem(b.links, b.n * sizeof(links[0]), links, sizeof(links));

	/* The same indexes of another one; then a file that is cut off. */
	check_int(store_read_file(path, &data, &len), 0);
	for (int i = 0; i < 2; i++) {
		data[0] ^= 1;
		check_int(store_write_file(path, data, len - (size_t)i), 0);
		check_int(baseline_load(&b, dir), 0);
		check_int(b.n, 0);
	}
	check_int(store_write_file(path, data, len), 0);
	check_int(baseline_load(&b, dir), 0);
	check_int(b.n, 2);
	free(data);
	baseline_done(&b);
	check_int(unlink(path), 0);
	check_int(rmdir(dir), 0);
}

int main(void)
{
	return run_tests((struct test[]){ TEST(what_was_cleared_is_for_one_network_namespace), {} });
}
