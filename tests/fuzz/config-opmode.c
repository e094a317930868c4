/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any line as an operational command, and as the beginning of one. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/edit.h"
#include "config/opmode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char config[] = "set interfaces sstpc sstpc0\nset pki ca one\n";
	_cleanup_op_request_ struct op_request r = { 0 };
	_cleanup_tree_ struct config_tree *tree = config_tree_new();
	_cleanup_errors_ struct config_errors errors = { 0 };
	_cleanup_completions_ struct completions c = { 0 };
	_cleanup_text_ struct text out = { 0 };
	size_t start;

	(void)config_parse(tree, config, strlen(config), &errors);
	int error = op_parse(&r, (const char *)data, len, &out);
	if (error == 0 && (r.command == OP_NONE || r.n_args > OP_ARGS_MAX || r.args[r.n_args]))
		abort();
	if (error < 0 && error != -ENODATA && out.len == 0)
		abort(); /* a refusal says why */
	op_complete((const char *)data, len, tree, &c, &start);
	if (start > len)
		abort();
	return 0;
}
