/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verb kernels: lists and fetches kernels for the qemu engine. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/cmd/cmd.h"
#include "src/kernel/kernel.h"

static void print_json(const struct kernel *kernel)
{
	json_object *line = json_object_new_object();

	json_object_object_add(line, "kernel", json_object_new_string(kernel->release));
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
		if (strlen(list->kernels[i].release) > width)
			width = strlen(list->kernels[i].release);
	printf("%-*s  ORIGIN   IMAGE\n", (int)width, "KERNEL");
	for (size_t i = 0; i < list->count; i++)
		printf("%-*s  %-7s  %s%s\n", (int)width, list->kernels[i].release,
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

static int fetch(const char *name, struct error *err)
{
	struct kernel kernel;
	int rc = kernel_fetch(name, isatty(STDERR_FILENO), &kernel, err);

	if (rc < 0)
		return rc;
	puts(kernel.release);
	kernel_deinit(&kernel);
	return 0;
}

struct options {
	bool json;
};

static const struct argument arguments[] = {
	{ "json", 0, NULL, "list: print one JSON object a kernel", TO_FLAG(options, json) },
	{ 0 },
};

static int cmd_kernels(const struct command_line *line, void *userdata, struct error *err)
{
	const struct options *options = userdata;
	const char *word = line->n_operands ? line->operands[0] : "list";

	if (line->n_operands <= 1 && !strcmp(word, "list"))
		return list(options->json, err);
	if (line->n_operands == 2 && !strcmp(word, "fetch") && options->json)
		return error_input(err, "kernels: --json goes with list");
	if (line->n_operands == 2 && !strcmp(word, "fetch"))
		return fetch(line->operands[1], err);
	return error_input(err, "kernels: expected `list` or `fetch NAME`; see "
				"`deadpeer kernels --help`");
}

const struct verb verb_kernels = {
	.name = "kernels",
	.operands = "[list | fetch NAME]",
	.summary = "Show and fetch the kernels that the qemu engine can boot",
	.details =
		"list shows those at hand: fetched ones and those under /boot. fetch brings the\n"
		"newest of Debian's cloud kernels of a series (6.1, 6.12) into the user's cache\n"
		"with the machine's own package client, without root and without installing it.\n"
		"Any other kernel: run --engine qemu --kernel PATH/vmlinuz --modules DIR.",
	.arguments = arguments,
	.options_size = sizeof(struct options),
	.run = cmd_kernels,
};
