/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verb merge: puts several stores together into one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/cmd/cmd.h"
#include "src/store/merge.h"

struct options {
	const char *output; /* the value of --output; NULL: it is not given; not owned */
};

static const struct argument arguments[] = {
	{ "output", 'o', "DB", "the store to write, or to add to", TO_TEXT(options, output) },
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

static int cmd_merge(const struct command_line *line, void *userdata, struct error *err)
{
	const struct options *options = userdata;
	struct store_merge_counts counts = { 0 };
	size_t n = (size_t)line->n_operands;
	int rc;

	if (!n || !options->output)
		return error_input(
			err, "merge: which stores, and into which? deadpeer merge DB... -o DB");
	rc = store_merge((const char *const *)line->operands, n, options->output, &counts, err);
	if (rc >= 0)
		print_counts(&counts, n, options->output);
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
	.options_size = sizeof(struct options),
	.run = cmd_merge,
};
