/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/study/study.h"

#include <errno.h>
#include <string.h>

#include "src/scenario/internal.h"
#include "src/text/grammar.h"
#include "src/text/quantity.h"
#include "src/text/suggest.h"
#include "src/util/array.h"

struct study *study_free(struct study *study)
{
	if (!study)
		return NULL;
	for (size_t i = 0; i < study->n_axes; i++) {
		for (size_t k = 0; k < study->axes[i].n_values; k++)
			study_value_deinit(&study->axes[i].values[k]);
		free(study->axes[i].values);
		free(study->axes[i].name);
	}
	for (size_t i = 0; i < study->n_exclusions; i++) {
		for (size_t k = 0; k < study->exclusions[i].count; k++) {
			free(study->exclusions[i].conditions[k].axis);
			strings_free(study->exclusions[i].conditions[k].values);
		}
		free(study->exclusions[i].conditions);
	}
	for (size_t i = 0; i < study->n_sources; i++)
		scenario_source_free(study->sources[i]);
	for (size_t i = 0; i < study->n_subjects; i++)
		scenario_free(study->subjects[i].sample);
	study_changes_deinit(&study->fixed);
	strings_free(study->kernels);
	free(study->axes);
	free(study->exclusions);
	free(study->sources);
	free(study->subjects);
	free(study->explanation);
	free(study->summary);
	free(study->name);
	free(study->text);
	free(study->file);
	free(study);
	return NULL;
}

static int read_name(struct study *study, const struct document_node *node, struct error *err)
{
	return scenario_read_name(node, false, &study->name, err);
}

static int read_summary(struct study *study, const struct document_node *node, struct error *err)
{
	return scenario_read_text(node, SCENARIO_MAX_SUMMARY, &study->summary, err);
}

/* Splits the name of a scenario as `run` does: "path-loss/prohibit". The path of a file is relative
 * to the study's. */
static int split_subject(const struct study *study, const char *text, char **ret_what,
			 const char **ret_variant)
{
	_cleanup_(freep) char *what = NULL;
	const char *folder = strrchr(study->file, '/');
	int rc = scenario_split_variant(text, &what, ret_variant);

	if (rc < 0)
		return rc;
	if (scenario_is_file(what) && what[0] != '/' && folder)
		return asprintf(ret_what, "%.*s/%s", (int)(folder - study->file), study->file,
				what);
	*ret_what = take_ptr(what);
	return 0;
}

static int add_subject(struct study *study, const struct scenario_source *source, size_t variant,
		       const struct document_node *node, struct error *err)
{
	const struct scenario_request plain = { 0 };
	struct study_subject *subject;

	for (size_t i = 0; i < study->n_subjects; i++)
		if (study->subjects[i].source == source && study->subjects[i].variant == variant)
			return document_error(node, err, "'%s' is there already, by line %d",
					      node->text, study->subjects[i].line);
	subject = array_append(&study->subjects, &study->n_subjects, sizeof(*subject));
	if (!subject)
		return error_errno(err, -ENOMEM, "scenarios");
	*subject = (struct study_subject){ source, variant, node->line, NULL };
	return scenario_source_make(source, variant, &plain, &subject->sample, err);
}

static int add_variants(struct study *study, const struct scenario_source *source,
			const char *wanted, const struct document_node *node, struct error *err)
{
	size_t first, end;
	int rc = scenario_source_pick(source, wanted, &first, &end, err);

	if (rc < 0)
		return document_prefix(node, rc, err);
	for (size_t i = first; rc >= 0 && i < end; i++)
		rc = add_subject(study, source, i, node, err);
	return rc;
}

/* Loads a source, or finds it among those that are loaded. A file of which several variants are
 * named is kept once. */
static int open_source(struct study *study, const char *what, const struct document_node *node,
		       const struct scenario_source **ret_source, struct error *err)
{
	_cleanup_(scenario_source_freep) struct scenario_source *source = NULL;
	struct scenario_source **place;
	int rc = scenario_source_load(what, &source, err);

	if (rc < 0)
		return document_prefix(node, rc, err);
	for (size_t i = 0; i < study->n_sources; i++)
		if (!strcmp(scenario_source_file(study->sources[i]),
			    scenario_source_file(source))) {
			*ret_source = study->sources[i];
			return 0;
		}
	place = array_append(&study->sources, &study->n_sources, sizeof(struct scenario_source *));
	if (!place)
		return error_errno(err, -ENOMEM, "scenarios");
	*ret_source = *place = take_ptr(source);
	return 0;
}

/* Whether the word "all" stands where there could be a list. */
static bool is_all(const struct document_node *node)
{
	return node->kind == DOCUMENT_SCALAR && !strcmp(node->text, STUDY_ALL);
}

/* Adds every scenario that `run --all` runs: programs of others need not be installed. */
static int read_catalogue(struct study *study, const struct document_node *node, struct error *err)
{
	_cleanup_(strings_freep) char **paths = NULL;
	int rc = scenario_find_all(&paths, err);

	for (char **path = paths; rc >= 0 && *path; path++) {
		const struct scenario_source *source = NULL;
		size_t before = study->n_subjects;

		rc = open_source(study, *path, node, &source, err);
		if (rc >= 0)
			rc = add_variants(study, source, NULL, node, err);
		while (rc >= 0 && study->n_subjects > before &&
		       scenario_has_programs(study->subjects[study->n_subjects - 1].sample))
			scenario_free(study->subjects[--study->n_subjects].sample);
	}
	return rc;
}

static int read_scenarios(struct study *study, const struct document_node *list, struct error *err)
{
	int rc;

	if (is_all(list))
		return read_catalogue(study, list, err);
	rc = document_require(list, DOCUMENT_LIST, "scenarios", err);
	if (rc >= 0 && !list->n_items)
		return document_error(list, err, "'scenarios' is empty");
	for (size_t i = 0; rc >= 0 && i < list->n_items; i++) {
		const struct document_node *item = list->items[i];
		_cleanup_(freep) char *what = NULL;
		const struct scenario_source *source = NULL;
		const char *variant = NULL;

		rc = document_require(item, DOCUMENT_SCALAR, "scenarios", err);
		if (rc >= 0 && split_subject(study, item->text, &what, &variant) < 0)
			return error_errno(err, -ENOMEM, "scenarios");
		if (rc >= 0)
			rc = open_source(study, what, item, &source, err);
		if (rc >= 0)
			rc = add_variants(study, source, variant, item, err);
	}
	return rc;
}

static int read_set(struct study *study, const struct document_node *map, struct error *err)
{
	int rc = document_require(map, DOCUMENT_MAP, "set", err);

	return rc < 0 ? rc : study_read_changes(&study->fixed, map, NULL, err);
}

/* Reads one of two words; *ret is the index of the word. */
static int read_word(const struct document_node *node, const char *const words[2], int *ret,
		     struct error *err)
{
	int rc = document_require(node, DOCUMENT_SCALAR, node->key, err);

	if (rc < 0)
		return rc;
	for (int i = 0; i < 2; i++)
		if (!strcmp(node->text, words[i])) {
			*ret = i;
			return 0;
		}
	return document_error(node, err, "'%s' is %s or %s, not '%s'", node->key, words[0],
			      words[1], node->text);
}

static int read_combine(struct study *study, const struct document_node *node, struct error *err)
{
	static const char *const words[] = { "product", "paired" };
	int paired = 0, rc = read_word(node, words, &paired, err);

	study->paired = paired;
	return rc;
}

static int read_expect(struct study *study, const struct document_node *node, struct error *err)
{
	static const char *const words[] = { "scenario", "nothing" };
	int nothing = 0, rc = read_word(node, words, &nothing, err);

	study->measure_only = nothing;
	return rc;
}

static int read_engine(struct study *study, const struct document_node *node, struct error *err)
{
	const char *const words[] = { engines[0]->name, engines[1]->name };
	int which = 0, rc = read_word(node, words, &which, err);

	study->engine = rc < 0 ? NULL : engines[which];
	return rc;
}

static int read_families(struct study *study, const struct document_node *list, struct error *err)
{
	int rc = document_require(list, DOCUMENT_LIST, "families", err);

	if (rc >= 0 && !list->n_items)
		return document_error(list, err, "'families' is empty");
	for (size_t i = 0; rc >= 0 && i < list->n_items; i++) {
		const struct document_node *item = list->items[i];
		int family;

		rc = document_require(item, DOCUMENT_SCALAR, "families", err);
		if (rc < 0)
			return rc;
		family = family_from_name(item->text);
		if (family < 0)
			return document_error(item, err, "a family is ipv4 or ipv6, not '%s'",
					      item->text);
		for (size_t k = 0; k < study->n_families; k++)
			if (study->families[k] == (enum family)family)
				return document_error(item, err, "'%s' stands twice", item->text);
		study->families[study->n_families++] = (enum family)family;
	}
	return rc;
}

static int read_kernels(struct study *study, const struct document_node *list, struct error *err)
{
	int rc;

	if (is_all(list))
		return strings_append(&study->kernels, &study->n_kernels, STUDY_ALL) < 0
			       ? error_errno(err, -ENOMEM, "kernels")
			       : 0;
	rc = document_require(list, DOCUMENT_LIST, "kernels", err);
	if (rc >= 0 && (!list->n_items || list->n_items > 64))
		return document_error(list, err, "'kernels' has 1 to 64 names");
	for (size_t i = 0; rc >= 0 && i < list->n_items; i++) {
		const struct document_node *item = list->items[i];

		rc = document_require(item, DOCUMENT_SCALAR, "kernels", err);
		if (rc < 0)
			return rc;
		if (strings_have(study->kernels, item->text))
			return document_error(item, err, "'%s' stands twice", item->text);
		if (!*item->text)
			return document_error(item, err, "a kernel without a name");
		if (strings_append(&study->kernels, &study->n_kernels, item->text) < 0)
			return error_errno(err, -ENOMEM, "kernels");
	}
	return rc;
}

static int read_repeats(struct study *study, const struct document_node *node, struct error *err)
{
	uint64_t repeats = 0;
	int rc = document_require(node, DOCUMENT_SCALAR, "repeats", err);

	if (rc < 0)
		return rc;
	rc = quantity_parse_count(node->text, 1, STUDY_MAX_REPEATS, &repeats, err);
	if (rc < 0) {
		error_prefix(err, rc, "repeats");
		return document_prefix(node, rc, err);
	}
	study->repeats = (unsigned int)repeats;
	return 0;
}

static int read_horizon(struct study *study, const struct document_node *node, struct error *err)
{
	int rc = document_require(node, DOCUMENT_SCALAR, "horizon", err);

	if (rc < 0)
		return rc;
	rc = quantity_parse_time(node->text, &study->horizon_nsec, err);
	if (rc >= 0 && study->horizon_nsec <= 0)
		rc = error_input(err, "leaves no time to notice anything");
	if (rc < 0) {
		error_prefix(err, rc, "horizon");
		return document_prefix(node, rc, err);
	}
	return 0;
}

/* Keys are read in this order, not in the file's, because exclusions refer to axes. */
static const struct {
	const char *key;
	int (*read)(struct study *study, const struct document_node *node, struct error *err);
	bool required;
} keys[] = {
	{ "name", read_name, true },
	{ "summary", read_summary, true },
	{ "scenarios", read_scenarios, true },
	{ "set", read_set, false },
	{ "axes", study_read_axes, false },
	{ "combine", read_combine, false },
	{ "exclude", study_read_exclusions, false },
	{ "families", read_families, false },
	{ "kernels", read_kernels, false },
	{ "repeats", read_repeats, false },
	{ "horizon", read_horizon, false },
	{ "engine", read_engine, false },
	{ "expect", read_expect, false },
};

static int check_pairs(const struct study *study, struct error *err)
{
	for (size_t i = 1; study->paired && i < study->n_axes; i++)
		if (study->axes[i].n_values != study->axes[0].n_values)
			return error_input(err,
					   "%s:%d: paired axes are equally long: '%s' has %zu "
					   "values, '%s' has %zu",
					   study->file, study->axes[i].line, study->axes[0].name,
					   study->axes[0].n_values, study->axes[i].name,
					   study->axes[i].n_values);
	return 0;
}

static int read_study(struct study *study, const struct document_node *root, struct error *err)
{
	const char *words[ARRAY_SIZE(keys)];
	int rc;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		words[i] = keys[i].key;
	rc = grammar_refuse_unknown(root, words, ARRAY_SIZE(words), "unknown key", err);
	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(keys); i++) {
		const struct document_node *node = document_get(root, keys[i].key);

		if (!node && keys[i].required)
			return document_error(root, err, "'%s' is missing", keys[i].key);
		if (node)
			rc = keys[i].read(study, node, err);
	}
	if (rc >= 0 && !study->n_families)
		study->families[study->n_families++] = FAMILY_IPV4;
	return rc < 0 ? rc : check_pairs(study, err);
}

static int from_document(const struct document *document, struct study **ret_study,
			 struct error *err)
{
	_cleanup_(study_freep) struct study *study = calloc(1, sizeof(*study));
	int rc;

	if (!study)
		return error_errno(err, -ENOMEM, "%s", document->file);
	study->repeats = 1;
	study->file = strdup(document->file);
	study->text = strdup(document->source);
	study->explanation = strdup(document->comment);
	if (!study->file || !study->text || !study->explanation)
		return error_errno(err, -ENOMEM, "%s", document->file);
	rc = read_study(study, document->root, err);
	if (rc >= 0)
		*ret_study = take_ptr(study);
	return rc;
}

int study_parse(const char *file, const char *text, size_t size, struct study **ret_study,
		struct error *err)
{
	_cleanup_(document_freep) struct document *document = NULL;
	int rc = document_parse(file, text, size, &document, err);

	return rc < 0 ? rc : from_document(document, ret_study, err);
}

int study_load(const char *what, struct study **ret_study, struct error *err)
{
	_cleanup_(document_freep) struct document *document = NULL;
	_cleanup_(freep) char *path = NULL;
	int rc = study_find(what, &path, err);

	if (rc >= 0)
		rc = document_read(path, &document, err);
	return rc < 0 ? rc : from_document(document, ret_study, err);
}
