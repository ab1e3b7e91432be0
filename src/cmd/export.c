/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/cmd/cmd.h"
#include "src/store/export.h"

enum {
	ARGUMENT_FORMAT,
	ARGUMENT_OUTPUT,
};

static const struct argument arguments[] = {
	[ARGUMENT_FORMAT] = { "format", 'f', "FORMAT", "csv, jsonl or junit", "csv jsonl junit" },
	[ARGUMENT_OUTPUT] = { "output", 'o', "FILE", "write to FILE, not to standard output" },
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

/* To a file beside the one that is meant, whose place it takes when all is in it: what was there
 * stays where the export fails. */
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

/* A pipe or a device is written in place. */
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

static int cmd_export(const struct verb *verb, int argc, char **argv, struct error *err)
{
	struct arguments state = { .argc = argc, .argv = argv, .verb = verb };
	_cleanup_(store_closep) struct store *store = NULL;
	const char *format = NULL, *output = NULL;
	int rc, argument;

	while ((argument = arguments_next(&state, err)) >= 0)
		*(argument == ARGUMENT_FORMAT ? &format : &output) = state.value;
	if (argument == ARGUMENTS_ERROR)
		return -EINVAL;
	if (argument == ARGUMENTS_HELP)
		return 0;
	if (argc - state.first_operand != 1)
		return error_input(err, "export: one store at a time: deadpeer export DB --format "
					"csv|jsonl|junit");
	if (!format)
		return error_input(err, "export: in which format? --format csv, jsonl or junit");
	if (!export_from_name(format))
		return error_input(err, "--format: expected csv, jsonl or junit, got '%s'", format);
	rc = store_open(argv[state.first_operand], STORE_READ, NULL, &store, err);
	if (rc < 0)
		return rc;
	return output ? write_to(store, export_from_name(format), output, err)
		      : write_rows(store, export_from_name(format), stdout, "standard output", err);
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
