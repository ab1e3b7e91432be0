/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verb export: writes what is in a store in another format. */
#include <stdio.h>

#include "src/cmd/cmd.h"
#include "src/cmd/output.h"
#include "src/store/export.h"

struct options {
	export_func export; /* writes the format of --format; NULL: it is not given */
	const char *output; /* the value of --output; NULL: it is not given; not owned */
};

static int parse_format(const char *text, void *field, struct error *err)
{
	export_func export = export_from_name(text);

	*(export_func *)field = export;
	return export ? 0
		      : error_input(err, "--format: expected csv, jsonl or junit, got '%s'", text);
}

static const struct argument arguments[] = {
	{ "format", 'f', "FORMAT", "csv, jsonl or junit", TO_OTHER(options, export, parse_format),
	  "csv jsonl junit" },
	{ "output", 'o', "FILE", "write to FILE, not to standard output",
	  TO_TEXT(options, output) },
	{ 0 },
};

/* What is exported, and how. */
struct job {
	struct store *store; /* not owned */
	export_func export;
};

static int write_rows(FILE *out, void *userdata, struct error *err)
{
	const struct job *job = userdata;

	return job->export(job->store, out, err);
}

static int cmd_export(const struct command_line *line, void *userdata, struct error *err)
{
	_cleanup_(store_closep) struct store *store = NULL;
	const struct options *options = userdata;
	struct job job = { .export = options->export };
	int rc;

	if (line->n_operands != 1)
		return error_input(err, "export: one store at a time: deadpeer export DB --format "
					"csv|jsonl|junit");
	if (!options->export)
		return error_input(err, "export: in which format? --format csv, jsonl or junit");
	rc = store_open(line->operands[0], STORE_READ, NULL, &store, err);
	if (rc < 0)
		return rc;
	job.store = store;
	return output_write(options->output, (const char *const *)line->operands, 1, write_rows,
			    &job, err);
}

const struct verb verb_export = {
	.name = "export",
	.operands = "DB",
	.summary = "Write what is in a store as CSV, JSON Lines or JUnit's XML",
	.details = "csv has one row a trial and endpoint, and one column a setting; jsonl the "
		   "records as\n`run --json` prints them; junit is for CI systems.",
	.arguments = arguments,
	.options_size = sizeof(struct options),
	.run = cmd_export,
};
