/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration file of a stranger, in either syntax: no crash, and what was accepted prints and reads
 * back. */
#include <stdlib.h>
#include <string.h>

#include "config/check.h"
#include "config/edit.h"
#include "config/print.h"
#include "config/system.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	_cleanup_tree_ struct config_tree *tree = config_tree_new(), *again = NULL;
	_cleanup_errors_ struct config_errors errors = { 0 }, none = { 0 };
	_cleanup_text_ struct text file = { 0 }, commands = { 0 };

	if (config_parse(tree, (const char *)data, len, &errors) < 0)
		return 0;
	config_file_print(tree, &file);
	again = config_file_parse(text_str(&file), file.len, &none);
	if (!again || !config_node_equal(&tree->root, &again->root))
		abort();
	config_print_commands(&tree->root, &commands);
	config_check(NULL, tree, &none);
	return 0;
}
