/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verb doctor: tries what this machine can do, and prints what is missing. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "src/cmd/cmd.h"
#include "src/cmd/probe.h"
#include "src/report/table.h"
#include "src/util/cleanup.h"

struct options {
	bool json;
};

static const struct argument arguments[] = {
	{ "json", 0, NULL, "print one JSON object a check and nothing else",
	  TO_FLAG(options, json) },
	{ 0 },
};

static bool has_remedy(const struct probe *probe, const struct probe_result *result)
{
	return result->tried && !result->ok && probe->remedy;
}

static void print_json(const struct probe *probe, const struct probe_result *result)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "check", json_object_new_string(probe->name));
	json_object_object_add(o, "ok", json_object_new_boolean(result->ok));
	json_object_object_add(o, "required", json_object_new_boolean(probe->required));
	json_object_object_add(o, "detail",
			       *result->detail ? json_object_new_string(result->detail) : NULL);
	json_object_object_add(o, "remedy",
			       has_remedy(probe, result) ? json_object_new_string(probe->remedy)
							 : NULL);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static void add_row(struct table *table, const struct probe *probe,
		    const struct probe_result *result)
{
	table_cell(table,
		   result->ok	     ? TABLE_GOOD
		   : probe->required ? TABLE_BAD
				     : TABLE_DIM,
		   result->ok ? "ok" : "missing");
	table_cell(table, TABLE_PLAIN, probe->name);
	table_format(table, TABLE_PLAIN, "%s%s%s", result->detail,
		     has_remedy(probe, result) ? ". Remedy: " : "",
		     has_remedy(probe, result) ? probe->remedy : "");
}

/* Tries everything. Returns how many required probes failed, or a negative errno. */
static int examine(struct table *table, bool json, struct error *err)
{
	bool namespaces = true;
	int missing = 0, rc = 0;

	for (const struct probe *probe = probes; probe->name; probe++) {
		struct probe_result result = { .detail = "not tried without network namespaces" };

		if (namespaces || !probe->in_namespace)
			rc = probe_run(probe, &result, err);
		if (rc < 0)
			return rc;
		if (!strcmp(probe->name, PROBE_NETWORK_NAMESPACES))
			namespaces = result.ok;
		missing += probe->required && !result.ok;
		if (json)
			print_json(probe, &result);
		else
			add_row(table, probe, &result);
	}
	return missing;
}

static int cmd_doctor(const struct command_line *line, void *userdata, struct error *err)
{
	static const char *const headers[] = { "STATUS", "WHAT", "DETAIL" };
	const struct options *options = userdata;
	struct table *table;
	int missing;

	if (line->n_operands)
		return error_input(err, "doctor: takes no operand, got '%s'", line->operands[0]);
	table = table_new(ARRAY_SIZE(headers), headers);
	if (!table)
		return error_errno(err, -ENOMEM, "doctor");
	missing = examine(table, options->json, err);
	if (!options->json && missing >= 0) {
		table_print(table, stdout);
		printf("\n%s\n", missing ? "Something that every trial needs is missing: the host "
					   "engine cannot run here."
					 : "The host engine can run here.");
	}
	table_free(table);
	return missing > 0 ? error_exit_status(ERROR_CAPABILITY) : missing;
}

const struct verb verb_doctor = {
	.name = "doctor",
	.operands = "",
	.summary = "Find out what this machine can do, and what would bring the rest",
	.details = "Each line is tried, as the present user. Exit status: 0 the host engine can "
		   "run,\n3 it cannot.",
	.arguments = arguments,
	.options_size = sizeof(struct options),
	.run = cmd_doctor,
};
