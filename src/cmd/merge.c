/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/cmd/cmd.h"
#include "src/store/merge.h"

enum {
	ARGUMENT_OUTPUT,
};

static const struct argument arguments[] = {
	[ARGUMENT_OUTPUT] = { "output", 'o', "DB", "the store to write, or to add to" },
	{ 0 },
};

static void print_counts(const struct store_merge_counts *counts, size_t n, const char *output)
{
	size_t missing = counts->expected > counts->trials ? counts->expected - counts->trials : 0;

	printf("%zu store%s, %zu trial%s in %s", n, n == 1 ? "" : "s", counts->trials,
	       counts->trials == 1 ? "" : "s", output);
	if (missing)
		printf("; %zu of the study's %zu are missing", missing, counts->expected);
	if (counts->problems)
		printf(", %zu of them could not be run", counts->problems);
	putchar('\n');
}

static int cmd_merge(const struct verb *verb, int argc, char **argv, struct error *err)
{
	struct arguments state = { .argc = argc, .argv = argv, .verb = verb };
	struct store_merge_counts counts = { 0 };
	const char *output = NULL;
	int rc, argument;
	size_t n;

	while ((argument = arguments_next(&state, err)) >= 0)
		output = state.value;
	if (argument == ARGUMENTS_ERROR)
		return -EINVAL;
	if (argument == ARGUMENTS_HELP)
		return 0;
	n = (size_t)(argc - state.first_operand);
	if (!n || !output)
		return error_input(
			err, "merge: which stores, and into which? deadpeer merge DB... -o DB");
	rc = store_merge((const char *const *)argv + state.first_operand, n, output, &counts, err);
	if (rc >= 0)
		print_counts(&counts, n, output);
	return rc < 0 ? rc : 0;
}

const struct verb verb_merge = {
	.name = "merge",
	.operands = "DB...",
	.summary = "Put the stores of a study's shards together",
	.details = "The order does not matter, and merging again what is there changes nothing. "
		   "Stores of\nother studies or versions are refused; so is a trial that ended "
		   "differently in two.",
	.arguments = arguments,
	.run = cmd_merge,
};
