/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verb kernels: lists, fetches and adds kernels for the qemu engine. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/cmd/cmd.h"
#include "src/cmd/options.h"
#include "src/kernel/add.h"
#include "src/kernel/fetch.h"
#include "src/kernel/kernel.h"
#include "src/report/table.h"
#include "src/util/cleanup.h"

static void print_json(const struct kernel *kernel)
{
	json_object *line = json_object_new_object();

	json_object_object_add(line, "kernel", json_object_new_string(kernel->name));
	json_object_object_add(line, "release", json_object_new_string(kernel->release));
	json_object_object_add(line, "origin",
			       json_object_new_string(kernel_origin_name(kernel->origin)));
	json_object_object_add(line, "image", json_object_new_string(kernel->image));
	json_object_object_add(line, "modules",
			       kernel->modules ? json_object_new_string(kernel->modules) : NULL);
	puts(json_object_to_json_string_ext(line, JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(line);
}

static void print_table(const struct kernel_list *list)
{
	size_t width = strlen("KERNEL");

	for (size_t i = 0; i < list->count; i++)
		if (strlen(list->kernels[i].name) > width)
			width = strlen(list->kernels[i].name);
	printf("%-*s  ORIGIN   IMAGE\n", (int)width, "KERNEL");
	for (size_t i = 0; i < list->count; i++)
		printf("%-*s  %-7s  %s%s\n", (int)width, list->kernels[i].name,
		       kernel_origin_name(list->kernels[i].origin), list->kernels[i].image,
		       list->kernels[i].modules ? "" : " (no modules)");
}

static int list(bool json, struct error *err)
{
	struct kernel_list kernels;
	int rc = kernel_list_init(&kernels, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; json && i < kernels.count; i++)
		print_json(&kernels.kernels[i]);
	if (!json && kernels.count)
		print_table(&kernels);
	if (!kernels.count)
		fprintf(stderr, "no kernel at hand; `deadpeer kernels fetch 6.1` brings one\n");
	kernel_list_deinit(&kernels);
	return 0;
}

struct options {
	bool json;
	const char *modules, *name; /* of a kernel to add */
	struct fetch_options fetch;
};

static int parse_flavour(const char *text, void *field, struct error *err)
{
	int found = kernel_flavour_from_name(text);

	if (found < 0)
		return error_input(err, "--flavour: expected cloud, plain or rt, got '%s'", text);
	*(enum kernel_flavour *)field = (enum kernel_flavour)found;
	return 0;
}

static int fetch(const char *name, const struct options *options, struct error *err)
{
	struct kernel kernel;
	int rc = kernel_fetch(name, &options->fetch, &kernel, err);

	if (rc < 0)
		return rc;
	puts(kernel.release);
	kernel_deinit(&kernel);
	return 0;
}

static void print_candidate(const struct candidate *candidate, const char *series)
{
	json_object *line = json_object_new_object();
	struct json_object *missing =
		candidate->missing ? json_object_new_string(candidate->missing) : NULL;

	json_object_object_add(line, "series", json_object_new_string(series));
	json_object_object_add(line, "suite", json_object_new_string(candidate->suite->name));
	json_object_object_add(line, "version",
			       json_object_new_string(candidate->parts[0]->version));
	json_object_object_add(line, "size",
			       json_object_new_int64((int64_t)candidate_size(candidate)));
	json_object_object_add(line, "kernel", json_object_new_string(candidate->release));
	json_object_object_add(line, "missing", missing);
	puts(json_object_to_json_string_ext(line, JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(line);
}

static void tabulate(struct table *table, const struct candidate *candidate, const char *series)
{
	table_cell(table, TABLE_PLAIN, series);
	table_cell(table, TABLE_PLAIN, candidate->suite->name);
	table_cell(table, TABLE_PLAIN, candidate->parts[0]->version);
	if (candidate->missing)
		table_cell(table, TABLE_DIM, "modules gone");
	else
		table_format(table, TABLE_PLAIN, "%llu MB", candidate_size(candidate) / 1000000);
	table_cell(table, TABLE_PLAIN, candidate->release);
}

/* Whether a newer kernel of the same series and suite, or a whole one, stands for this one. */
static bool is_outdone(const struct candidate_list *list, size_t i)
{
	const struct candidate *candidate = &list->candidates[i];
	char series[SERIES_SIZE], other[SERIES_SIZE];

	kernel_series(candidate->release, series);
	for (size_t j = 0; j < list->count; j++) {
		const struct candidate *by = &list->candidates[j];

		if (j != i && by->suite == candidate->suite && by->flavour == candidate->flavour &&
		    (j < i ? !by->missing || candidate->missing
			   : !by->missing && candidate->missing) &&
		    strcmp(kernel_series(by->release, other), series) == 0)
			return true;
	}
	return false;
}

static int available(const char *name, const struct options *options, struct error *err)
{
	static const char *const headers[] = { "SERIES", "SUITE", "VERSION", ">SIZE", "KERNEL" };
	struct table *table = options->json ? NULL : table_new(ARRAY_SIZE(headers), headers);
	struct archive_kernels archive = { 0 };
	int rc = options->json || table ? archive_kernels_init(&archive, &options->fetch, err)
					: error_errno(err, -ENOMEM, "table");

	for (size_t i = 0; rc >= 0 && i < archive.list.count; i++) {
		const struct candidate *candidate = &archive.list.candidates[i];
		char series[SERIES_SIZE];

		if (candidate->flavour != options->fetch.flavour || is_outdone(&archive.list, i) ||
		    (name && !kernel_name_matches(name, candidate->release)))
			continue;
		kernel_series(candidate->release, series);
		if (table)
			tabulate(table, candidate, series);
		else
			print_candidate(candidate, series);
	}
	if (rc >= 0 && table)
		table_print(table, stdout);
	for (size_t i = 0; rc >= 0 && i < archive.suites.count; i++)
		if (table ? archive.suites.suites[i].absent != NULL
			  : archive.suites.suites[i].failed)
			fprintf(stderr, "left out: %s\n", archive.suites.suites[i].absent);
	table_free(table);
	archive_kernels_deinit(&archive);
	return rc;
}

static void tell_lack(const struct kernel *kernel, const char *text)
{
	fprintf(stderr, "%s lacks %s\n", kernel->name, text);
}

static int add(const struct command_line *line, const struct options *options, struct error *err)
{
	const struct add_options wanted = {
		.files = line->operands + 1,
		.count = (size_t)line->n_operands - 1,
		.modules = options->modules,
		.name = options->name,
	};
	struct kernel kernel;
	int rc = kernel_add(&wanted, tell_lack, &kernel, err);

	if (rc < 0)
		return rc;
	puts(kernel.name);
	kernel_deinit(&kernel);
	return 0;
}

static const struct argument arguments[] = {
	{ "flavour", 0, "FLAVOUR", "of Debian's kernels: cloud (default), plain or rt",
	  TO_OTHER(options, fetch.flavour, parse_flavour), "cloud plain rt" },
	{ "json", 0, NULL, "list, available: print one JSON object a kernel",
	  TO_FLAG(options, json) },
	{ "keyring", 0, "FILE", "verify with these keys, not those of debian-archive-keyring",
	  TO_TEXT(options, fetch.keyring) },
	{ "mirror", 0, "URL", "fetch from this mirror of Debian's, not from the machine's",
	  TO_TEXT(options, fetch.mirror) },
	{ "modules", 0, "DIR", "add: the modules of the kernel, such as /lib/modules/RELEASE",
	  TO_TEXT(options, modules) },
	{ "name", 0, "NAME", "add: what to call the kernel; by default its release",
	  TO_TEXT(options, name) },
	{ "refresh", 0, NULL, "ask the archive anew, though it was asked today",
	  TO_FLAG(options, fetch.refresh) },
	{ "suite", 0, "SUITE", "only from this suite: trixie-backports, bullseye-security, sid",
	  TO_TEXT(options, fetch.suite) },
	{ 0 },
};

static int cmd_kernels(const struct command_line *line, void *userdata, struct error *err)
{
	struct options *options = userdata;
	const char *word = line->n_operands ? line->operands[0] : "list";
	const char *name = line->n_operands > 1 ? line->operands[1] : NULL;

	options->fetch.progress = isatty(STDERR_FILENO);
	if (strcmp(word, "add") != 0 && (options->modules || options->name))
		return error_input(err, "kernels: --modules and --name go with add");
	if (!strcmp(word, "add") && options->json)
		return error_input(err, "kernels: --json goes with list and available");
	if (line->n_operands >= 2 && !strcmp(word, "add"))
		return add(line, options, err);
	if (line->n_operands <= 1 && !strcmp(word, "list"))
		return list(options->json, err);
	if (line->n_operands <= 2 && !strcmp(word, "available"))
		return available(name, options, err);
	if (line->n_operands <= 2 && !strcmp(word, "fetch") && options->json)
		return error_input(err, "kernels: --json goes with list and available");
	if (line->n_operands <= 2 && !strcmp(word, "fetch"))
		return fetch(name, options, err);
	return error_input(err, "kernels: expected `list`, `available`, `fetch [NAME]` or "
				"`add FILE...`; see `deadpeer kernels --help`");
}

const struct verb verb_kernels = {
	.name = "kernels",
	.operands = "[list | available [NAME] | fetch [NAME] | add FILE...]",
	.summary = "Show, fetch and add the kernels that the qemu engine can boot",
	.details = "list shows those at hand: fetched ones and those under /boot. available shows "
		   "what\n"
		   "Debian's archive has. fetch brings the newest kernel of a series (6.1), or of "
		   "all,\n"
		   "into the user's cache, without root and without installing it, whatever "
		   "release of\n"
		   "Debian this machine runs; apt downloads and verifies it.",
	.arguments = arguments,
	.options_size = sizeof(struct options),
	.run = cmd_kernels,
};
