/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verb list: the catalogue by its sections, which are the folders of scenarios. */
#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "src/cmd/cmd.h"
#include "src/cmd/selection.h"
#include "src/cmd/tell.h"
#include "src/model/estimate.h"
#include "src/report/table.h"
#include "src/scenario/scenario.h"
#include "src/study/study.h"
#include "src/util/array.h"

struct options {
	bool json;
};

static const struct argument arguments[] = {
	{ "json", 0, NULL, "print one JSON object a scenario and nothing else",
	  TO_FLAG(options, json) },
	{ 0 },
};

#define OTHERS "Others"

/* Finds the section that a file is in, which its folder names: "3-a-host-loses-power" is "A host
 * loses power". A file beside the folders is in no section, and its folder is "". The caller frees
 * `ret_folder` and `ret_title`. */
static int find_section(const char *path, char **ret_folder, char **ret_title)
{
	_cleanup_(strings_freep) char **directories = scenario_directories();
	_cleanup_(freep) char *folder = strndup(path, (size_t)(strrchr(path, '/') - path));
	const char *name = folder ? strrchr(folder, '/') : NULL;
	bool others = !name;

	for (char **directory = directories; directory && folder && *directory; directory++)
		others |= !strcmp(folder, *directory);
	name = others ? "" : name + 1;
	*ret_folder = strdup(name);
	name += strspn(name, "0123456789");
	*ret_title = strdup(others ? OTHERS : name + (*name == '-'));
	if (!*ret_folder || !*ret_title)
		return -ENOMEM;
	for (char *c = *ret_title; *c; c++)
		if (*c == '-')
			*c = ' ';
	**ret_title = (char)toupper(**ret_title);
	return 0;
}

/* The scenarios of one file, with its usual settings and with its quick ones. */
struct entry {
	struct scenario_list real, quick;
	char *folder; /* folder of its section, by which sections are ordered; "": none; owned */
	char *title;  /* title of its section; owned */
	size_t order; /* its place among all entries when they are ordered by id */
};

struct entries {
	struct entry *items;
	size_t count;
};

static int entry_load(struct entry *entry, const char *path, struct error *err)
{
	struct scenario_request request = { .what = path };
	int rc = scenario_load(&request, &entry->real, err);

	request.quick = true;
	return rc < 0 ? rc : scenario_load(&request, &entry->quick, err);
}

static void entries_deinit(struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		scenario_list_deinit(&entries->items[i].real);
		scenario_list_deinit(&entries->items[i].quick);
		free(entries->items[i].folder);
		free(entries->items[i].title);
	}
	free(entries->items);
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	int rc = !*x->folder != !*y->folder ? !*x->folder - !*y->folder
					    : strverscmp(x->folder, y->folder);

	if (rc)
		return rc;
	return x->order < y->order ? -1 : 1;
}

/* Prints an error for each file that is wrong, and loads the others. */
static int load_all(char **paths, struct entries *entries, struct error *err)
{
	size_t n = 0;
	int status = 0;

	while (paths[n])
		n++;
	entries->items = calloc(n + 1, sizeof(*entries->items));
	if (!entries->items)
		return error_errno(err, -ENOMEM, "list");
	for (size_t i = 0; i < n; i++) {
		struct entry *entry = &entries->items[entries->count];
		struct error wrong = { 0 };

		if (entry_load(entry, paths[i], &wrong) < 0) {
			scenario_list_deinit(&entry->real);
			scenario_list_deinit(&entry->quick);
			tell_warning(wrong.text, NULL);
			status = 2;
			continue;
		}
		entry->order = entries->count++;
		if (find_section(paths[i], &entry->folder, &entry->title) < 0)
			return error_errno(err, -ENOMEM, "list");
	}
	qsort(entries->items, entries->count, sizeof(*entries->items), compare_entries);
	return status;
}

static void add_row(struct table *table, const struct entry *entry)
{
	const struct scenario *s = entry->real.items[0];
	struct outlook real = selection_outlook(&entry->real, FAMILY_IPV4);
	struct outlook quick = selection_outlook(&entry->quick, FAMILY_IPV4);
	char text[192];

	table_cell(table, TABLE_PLAIN, s->id ? s->id : "-");
	if (entry->real.count > 1)
		table_format(table, TABLE_PLAIN, "%s (%zu variants)", s->name, entry->real.count);
	else
		table_cell(table, TABLE_PLAIN, s->name);
	estimate_format_needs(real.needs, text, sizeof(text));
	table_cell(table, TABLE_PLAIN, text);
	table_cell(table, TABLE_PLAIN, estimate_format_span(real.span_nsec, text, sizeof(text)));
	table_cell(table, TABLE_PLAIN, estimate_format_span(quick.span_nsec, text, sizeof(text)));
	table_cell(table, TABLE_PLAIN, estimate_format_span(real.virtual_nsec, text, sizeof(text)));
	table_cell(table, TABLE_PLAIN, s->summary ? s->summary : "");
}

static json_object *span_json(nsec_t span_nsec)
{
	char text[32];

	if (span_nsec == NSEC_NONE)
		return NULL;
	snprintf(text, sizeof(text), "%.3f", nsec_to_sec(span_nsec));
	return json_object_new_double_s(nsec_to_sec(span_nsec), text);
}

static json_object *string_json(const char *text)
{
	return text ? json_object_new_string(text) : NULL;
}

static void print_json(const struct entry *entry)
{
	const struct scenario *s = entry->real.items[0];
	json_object *o = json_object_new_object(), *variants = json_object_new_array();
	struct outlook real = selection_outlook(&entry->real, FAMILY_IPV4);
	struct outlook quick = selection_outlook(&entry->quick, FAMILY_IPV4);
	json_object *list = json_object_new_array();
	char text[64];

	json_object_object_add(o, "id", string_json(s->id));
	json_object_object_add(o, "name", string_json(s->name));
	json_object_object_add(o, "section", string_json(entry->title));
	json_object_object_add(o, "summary", string_json(s->summary));
	json_object_object_add(o, "file", string_json(s->file));
	for (size_t i = 0; i < entry->real.count; i++)
		if (entry->real.items[i]->variant)
			json_object_array_add(variants, string_json(entry->real.items[i]->variant));
	json_object_object_add(o, "variants", variants);
	for (int i = 0; i < _NEED_MAX; i++)
		if (real.needs & (1u << i))
			json_object_array_add(list, string_json(estimate_format_needs(
							    1u << i, text, sizeof(text))));
	json_object_object_add(o, "needs", list);
	json_object_object_add(o, "real_s", span_json(real.span_nsec));
	json_object_object_add(o, "quick_s", span_json(quick.span_nsec));
	json_object_object_add(o, "virtual_s", span_json(real.virtual_nsec));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static int print_table(const struct entries *entries, struct error *err)
{
	static const char *const headers[] = { "ID",	 "SCENARIO", "NEEDS", ">HOST",
					       ">QUICK", ">QEMU",    "WHAT" };
	struct table *table = table_new(ARRAY_SIZE(headers), headers);

	if (!table)
		return error_errno(err, -ENOMEM, "list");
	for (size_t i = 0; i < entries->count; i++) {
		const struct entry *entry = &entries->items[i];

		if (!i || strcmp(entry[-1].title, entry->title))
			table_section(table, entry->title);
		add_row(table, entry);
	}
	table_print(table, stdout);
	table_free(table);
	return 0;
}

static void print_studies(void)
{
	_cleanup_(strings_freep) char **names = study_names();

	for (char **name = names; name && *name; name++)
		printf("%s%s",
		       name == names ? "\nStudies, for sweep; check says what each is: " : ", ",
		       *name);
	if (names)
		putchar('\n');
}

static int cmd_list(const struct command_line *line, void *userdata, struct error *err)
{
	_cleanup_(entries_deinit) struct entries entries = { 0 };
	_cleanup_(strings_freep) char **paths = NULL;
	const struct options *options = userdata;
	int rc, status;

	if (line->n_operands)
		return error_input(err,
				   "list: takes no operand, got '%s'; `deadpeer show %s` "
				   "tells of one scenario",
				   line->operands[0], line->operands[0]);
	rc = scenario_find_all(&paths, err);
	if (rc >= 0 && !*paths)
		return error_input(err, "list: no scenarios found; set DEADPEER_SCENARIOS to their "
					"directory");
	status = rc < 0 ? rc : load_all(paths, &entries, err);
	for (size_t i = 0; status >= 0 && options->json && i < entries.count; i++)
		print_json(&entries.items[i]);
	if (status < 0 || options->json)
		return status;
	rc = print_table(&entries, err);
	if (rc < 0)
		return rc;
	print_studies();
	return status;
}

const struct verb verb_list = {
	.name = "list",
	.operands = "",
	.summary = "List the scenarios: what each shows, needs, and how long it takes",
	.details =
		"HOST and QUICK are rough times on the host engine, without and with `run "
		"--quick`,\nand QEMU in virtual time; of a scenario with variants, of all of "
		"them. NEEDS names\nwhat the kernel or you must bring beyond network namespaces; "
		"`deadpeer doctor` says\nwhether this machine has it. Scenarios are looked for in "
		"$DEADPEER_SCENARIOS, the\nsource tree and the installed data directory.",
	.arguments = arguments,
	.options_size = sizeof(struct options),
	.run = cmd_list,
};
