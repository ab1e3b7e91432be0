/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verb export: writes what is in a store in another format. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/cmd/cmd.h"
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

static int write_rows(struct store *store, export_func func, FILE *out, const char *name,
		      struct error *err)
{
	int rc = func(store, out, err);

	if (rc < 0)
		return rc;
	if (ferror(out) || fflush(out) != 0)
		return error_set(err, ERROR_FAILED, -EIO, "%s: %s", name, strerror(errno));
	return 0;
}

/* Writes to a temporary file beside `path`, which takes its place once the export is complete. If
 * the export fails, the file that was at `path` before is still there. */
static int write_beside(struct store *store, export_func func, const char *path, struct error *err)
{
	_cleanup_(freep) char *temporary = NULL, *target = realpath(path, NULL);
	_cleanup_(file_closep) FILE *file = NULL;
	int rc;

	if (asprintf(&temporary, "%s.%d.tmp", target ? target : path, (int)getpid()) < 0) {
		temporary = NULL;
		return error_errno(err, -ENOMEM, "export");
	}
	file = fopen(temporary, "wxe");
	if (!file)
		return error_input(err, "%s: %s", path, strerror(errno));
	rc = write_rows(store, func, file, path, err);
	if (rc >= 0 && rename(temporary, target ? target : path) < 0)
		rc = error_input(err, "%s: %s", path, strerror(errno));
	if (rc < 0)
		unlink(temporary);
	return rc;
}

static bool is_same_file(const char *path, const struct stat *st)
{
	struct stat other;

	return stat(path, &other) == 0 && other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

/* Replaces a regular file as a whole. A pipe or a device cannot be replaced and is written
 * directly. */
static int write_to(struct store *store, export_func func, const char *path, struct error *err)
{
	_cleanup_(file_closep) FILE *file = NULL;
	struct stat st;
	int rc = stat(path, &st);

	if (rc == 0 && is_same_file(store_path(store), &st))
		return error_input(err, "%s: is the store itself; give --output another file",
				   path);
	if (rc < 0 || S_ISREG(st.st_mode))
		return write_beside(store, func, path, err);
	file = fopen(path, "we");
	if (!file)
		return error_input(err, "%s: %s", path, strerror(errno));
	return write_rows(store, func, file, path, err);
}

static int cmd_export(const struct command_line *line, void *userdata, struct error *err)
{
	_cleanup_(store_closep) struct store *store = NULL;
	const struct options *options = userdata;
	int rc;

	if (line->n_operands != 1)
		return error_input(err, "export: one store at a time: deadpeer export DB --format "
					"csv|jsonl|junit");
	if (!options->export)
		return error_input(err, "export: in which format? --format csv, jsonl or junit");
	rc = store_open(line->operands[0], STORE_READ, NULL, &store, err);
	if (rc < 0)
		return rc;
	return options->output ? write_to(store, options->export, options->output, err)
			       : write_rows(store, options->export, stdout, "standard output", err);
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
