/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/cmd.h"
#include "src/export.h"

enum {
	ARGUMENT_FORMAT,
	ARGUMENT_OUTPUT,
};

static const struct argument arguments[] = {
	[ARGUMENT_FORMAT] = { "format", 'f', "FORMAT", "csv, jsonl or junit", "csv jsonl junit" },
	[ARGUMENT_OUTPUT] = { "output", 'o', "FILE", "write to FILE, not to standard output" },
	{ 0 },
};

static int write_to(struct store *store, export_func func, const char *path, struct error *err)
{
	_cleanup_(file_closep) FILE *file = path ? fopen(path, "we") : NULL;
	FILE *out = path ? file : stdout;
	int r;

	if (!out)
		return error_input(err, "%s: %s", path, strerror(errno));
	r = func(store, out, err);
	if (r >= 0 && (fflush(out) != 0 || ferror(out)))
		return error_set(err, ERROR_FAILED, -EIO, "%s: %s", path ? path : "standard output",
				 strerror(errno));
	return r < 0 ? r : 0;
}

static int cmd_export(const struct verb *verb, int argc, char **argv, struct error *err)
{
	struct arguments state = { .argc = argc, .argv = argv, .verb = verb };
	_cleanup_(store_closep) struct store *store = NULL;
	const char *format = NULL, *output = NULL;
	int r, argument;

	while ((argument = arguments_next(&state, err)) >= 0)
		*(argument == ARGUMENT_FORMAT ? &format : &output) = state.value;
	if (argument == ARGUMENTS_ERROR)
		return -EINVAL;
	if (argument == ARGUMENTS_HELP)
		return 0;
	if (argc - state.first_operand != 1)
		return error_input(err, "export: one store at a time: deadpeer export DB --format "
					"csv|jsonl|junit");
	if (!format || !export_from_name(format))
		return error_input(err, "export: --format csv, jsonl or junit");
	r = store_open(argv[state.first_operand], STORE_READ, NULL, &store, err);
	return r < 0 ? r : write_to(store, export_from_name(format), output, err);
}

const struct verb verb_export = {
	.name = "export",
	.operands = "DB",
	.summary = "Write what is in a store as CSV, JSON Lines or JUnit's XML",
	.details = "csv has one row a trial and endpoint, and one column a setting; jsonl the "
		   "records as\n`run --json` prints them; junit is for CI systems.",
	.arguments = arguments,
	.run = cmd_export,
};
