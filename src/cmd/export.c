/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verb export: writes what is in a store in another format. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

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

/* What write_rows() needs. */
struct request {
	struct store *store;
	export_func func;
};

static int write_rows(FILE *out, void *userdata, struct error *err)
{
	const struct request *request = userdata;

	return request->func(request->store, out, err);
}

static bool is_same_file(const char *path, const struct stat *st)
{
	struct stat other;

	return stat(path, &other) == 0 && other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

static int refuse_store(const struct store *store, const char *path, struct error *err)
{
	struct stat st;

	if (stat(path, &st) == 0 && is_same_file(store_path(store), &st))
		return error_input(err, "%s: is the store itself; give --output another file",
				   path);
	return 0;
}

static int cmd_export(const struct command_line *line, void *userdata, struct error *err)
{
	_cleanup_(store_closep) struct store *store = NULL;
	const struct options *options = userdata;
	struct request request;
	int rc;

	if (line->n_operands != 1)
		return error_input(err, "export: one store at a time: deadpeer export DB --format "
					"csv|jsonl|junit");
	if (!options->export)
		return error_input(err, "export: in which format? --format csv, jsonl or junit");
	rc = store_open(line->operands[0], STORE_READ, NULL, &store, err);
	if (rc < 0)
		return rc;
	request = (struct request){ store, options->export };
	if (!options->output)
		return output_write_to(stdout, "standard output", write_rows, &request, err);
	rc = refuse_store(store, options->output, err);
	return rc < 0 ? rc : output_write(options->output, write_rows, &request, err);
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
