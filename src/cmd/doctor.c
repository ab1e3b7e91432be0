/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verb doctor: tries what this machine can do, and prints what is missing. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "src/cmd/cmd.h"
#include "src/cmd/probe.h"
#include "src/report/table.h"
#include "src/testbed/privilege.h"
#include "src/util/cleanup.h"

struct options {
	bool json;
};

static const struct argument arguments[] = {
	{ "json", 0, NULL, "print one JSON object a check and nothing else",
	  TO_FLAG(options, json) },
	{ 0 },
};

#define PROBES_MAX 32

/* What was found: a result for each probe, in their order. */
struct examination {
	struct probe_result results[PROBES_MAX];
	int missing; /* how many required probes failed */
};

static void print_object(const char *check, bool ok, bool required, const char *detail,
			 const char *remedy)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "check", json_object_new_string(check));
	json_object_object_add(o, "ok", json_object_new_boolean(ok));
	json_object_object_add(o, "required", json_object_new_boolean(required));
	json_object_object_add(o, "detail", *detail ? json_object_new_string(detail) : NULL);
	json_object_object_add(o, "remedy", *remedy ? json_object_new_string(remedy) : NULL);
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
		     *result->remedy ? PROBE_REMEDY : "", result->remedy);
}

/* Names a cause once: a probe that failed for what another one before it did names that one. */
static void refer_to_cause(struct examination *e, size_t i)
{
	struct probe_result *result = &e->results[i];

	for (size_t k = 0; !result->ok && *result->detail && k < i; k++) {
		if (!e->results[k].tried || e->results[k].ok ||
		    strcmp(e->results[k].detail, result->detail) != 0)
			continue;
		snprintf(result->detail, sizeof(result->detail), "for the same reason as %s",
			 probes[k].name);
		result->remedy[0] = '\0';
		result->tried = false;
		return;
	}
}

static int examine(struct examination *e, struct error *err)
{
	static const struct probe_result not_tried = {
		.detail = "not tried without " PROBE_NETWORK_NAMESPACES
	};
	bool namespaces = true;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < PROBES_MAX && probes[i].name; i++) {
		e->results[i] = not_tried;
		if (namespaces || !probes[i].in_namespace)
			rc = probe_run(&probes[i], &e->results[i], err);
		if (!strcmp(probes[i].name, PROBE_NETWORK_NAMESPACES))
			namespaces = e->results[i].ok;
		e->missing += probes[i].required && !e->results[i].ok;
	}
	/* The last first, since a text that has been replaced is nobody's cause any more. */
	for (size_t i = PROBES_MAX; rc >= 0 && i--;)
		refer_to_cause(e, i);
	return rc;
}

static bool has(const struct examination *e, const char *name)
{
	for (size_t i = 0; probes[i].name; i++)
		if (!strcmp(probes[i].name, name))
			return e->results[i].ok;
	return false;
}

/* A list of words in a sentence: "a", "a and b", "a, b and c". */
struct listing {
	const char *words[PROBES_MAX];
	size_t count;
};

static void put_list(FILE *out, const struct listing *list)
{
	for (size_t i = 0; i < list->count; i++)
		fprintf(out, "%s%s",
			i == 0		       ? ""
			: i + 1 == list->count ? " and "
					       : ", ",
			list->words[i]);
}

/* The sentence on the host engine, without the full stop. */
static void put_host(FILE *out, const struct examination *e)
{
	struct listing lacks = { 0 }, limits = { 0 };

	for (size_t i = 0; probes[i].name; i++) {
		if (e->results[i].ok)
			continue;
		if (probes[i].required && e->results[i].tried)
			lacks.words[lacks.count++] = probes[i].name;
		if (probes[i].limits)
			limits.words[limits.count++] = probes[i].limits;
	}
	if (e->missing) {
		fputs("The host engine can run nothing here: it lacks ", out);
		put_list(out, &lacks);
		return;
	}
	fprintf(out, "The host engine can run everything%s", limits.count ? " but " : "");
	put_list(out, &limits);
	fprintf(out, " here, %s%s", privilege_is_root() ? "as root" : "rootless",
		has(e, PROBE_TRACEPOINTS)
			? ""
			: ", without tracepoints (packets and sock_diag stand for "
			  "them)");
}

static bool qemu_can_run(const struct examination *e)
{
	return has(e, PROBE_QEMU) && has(e, PROBE_KERNELS);
}

static void put_qemu(FILE *out, const struct examination *e)
{
	struct listing lacks = { 0 };

	for (size_t i = 0; probes[i].name; i++)
		if (!e->results[i].ok &&
		    (!strcmp(probes[i].name, PROBE_QEMU) || !strcmp(probes[i].name, PROBE_KERNELS)))
			lacks.words[lacks.count++] = probes[i].name;
	fputs(lacks.count ? "The qemu engine can run nothing here: it lacks "
			  : "The qemu engine can run everything here, on the kernels for guests",
	      out);
	put_list(out, &lacks);
}

/* Writes a sentence that one of the two functions above makes to a text, which the caller frees. */
static char *sentence(void (*put)(FILE *out, const struct examination *e),
		      const struct examination *e)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	put(out, e);
	return fclose(out) == 0 ? text : NULL;
}

static void print(const struct examination *e, struct table *table, bool json, const char *host,
		  const char *qemu)
{
	for (size_t i = 0; probes[i].name; i++) {
		const struct probe_result *result = &e->results[i];

		if (json)
			print_object(probes[i].name, result->ok, probes[i].required, result->detail,
				     result->remedy);
		else
			add_row(table, &probes[i], result);
	}
	if (json) {
		print_object("host engine", !e->missing, true, host, "");
		print_object("qemu engine", qemu_can_run(e), false, qemu, "");
		return;
	}
	table_print(table, stdout);
	printf("\n%s.\n%s.\n", host, qemu);
}

static int cmd_doctor(const struct command_line *line, void *userdata, struct error *err)
{
	static const char *const headers[] = { "STATUS", "WHAT", "DETAIL" };
	const struct options *options = userdata;
	_cleanup_(freep) char *host = NULL, *qemu = NULL;
	struct examination examination = { 0 };
	struct table *table;
	int rc;

	if (line->n_operands)
		return error_input(err, "doctor: takes no operand, got '%s'", line->operands[0]);
	rc = examine(&examination, err);
	if (rc < 0)
		return rc;
	host = sentence(put_host, &examination);
	qemu = sentence(put_qemu, &examination);
	table = table_new(ARRAY_SIZE(headers), headers);
	if (!table || !host || !qemu) {
		table_free(table);
		return error_errno(err, -ENOMEM, "doctor");
	}
	print(&examination, table, options->json, host, qemu);
	table_free(table);
	return examination.missing ? error_exit_status(ERROR_CAPABILITY) : 0;
}

const struct verb verb_doctor = {
	.name = "doctor",
	.operands = "",
	.summary = "Find out what this machine can do, and what would bring the rest",
	.details =
		"Each line is tried, as the present user. What would bring what is missing is "
		"said\nwith its cause. The last two lines say what each engine can run here. Exit\n"
		"status: 0 the host engine can run, 3 it cannot.",
	.arguments = arguments,
	.options_size = sizeof(struct options),
	.run = cmd_doctor,
};
