/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads what a study leaves out: combinations of places on its axes. */
#include <errno.h>
#include <string.h>

#include "src/scenario/internal.h"
#include "src/study/study.h"
#include "src/text/suggest.h"

static const char *const built_in[] = { "scenario", "family", "kernel" };

static const struct study_axis *find_axis(const struct study *study, const char *name)
{
	for (size_t i = 0; i < study->n_axes; i++)
		if (!strcmp(study->axes[i].name, name))
			return &study->axes[i];
	return NULL;
}

static int unknown_axis(const struct study *study, const struct document_node *node,
			struct error *err)
{
	struct suggestion suggestion;
	char buffer[SUGGESTION_SIZE];

	suggestion_init(&suggestion, node->key);
	for (size_t i = 0; i < study->n_axes; i++)
		suggestion_offer(&suggestion, study->axes[i].name);
	for (size_t i = 0; i < ARRAY_SIZE(built_in); i++)
		suggestion_offer(&suggestion, built_in[i]);
	return document_error(node, err, "there is no axis '%s'%s", node->key,
			      suggestion_text(&suggestion, buffer, sizeof(buffer)));
}

bool study_subject_is(const struct study_subject *subject, const char *word)
{
	const struct scenario *s = subject->sample;
	char title[2 * SCENARIO_MAX_NAME + 2];

	snprintf(title, sizeof(title), "%s/%s", s->name, s->variant ? s->variant : "");
	return !strcmp(s->name, word) || !strcmp(title, word) || (s->id && !strcmp(s->id, word));
}

/* Refuses a scenario that the study does not have: such a rule excludes nothing. */
static int check_scenario(const struct study *study, const struct document_node *node,
			  struct error *err)
{
	for (size_t i = 0; i < study->n_subjects; i++)
		if (study_subject_is(&study->subjects[i], node->text))
			return 0;
	return document_error(node, err, "exclude: the study has no scenario '%s'", node->text);
}

/* Refuses a value that the axis does not have, for the same reason. */
static int check_value(const struct study_axis *axis, const struct document_node *node,
		       struct error *err)
{
	struct suggestion suggestion;
	char buffer[SUGGESTION_SIZE];

	suggestion_init(&suggestion, node->text);
	for (size_t i = 0; axis && i < axis->n_values; i++) {
		if (!strcmp(axis->values[i].name, node->text))
			return 0;
		suggestion_offer(&suggestion, axis->values[i].name);
	}
	if (!axis)
		return 0;
	return document_error(node, err, "the axis '%s' has no '%s'%s", axis->name, node->text,
			      suggestion_text(&suggestion, buffer, sizeof(buffer)));
}

static int read_condition(const struct study *study, const struct document_node *node,
			  struct study_condition *condition, struct error *err)
{
	const struct document_node *const *items =
		node->kind == DOCUMENT_LIST ? (const struct document_node *const *)node->items
					    : &node;
	size_t n = node->kind == DOCUMENT_LIST ? node->n_items : 1;
	const struct study_axis *axis = find_axis(study, node->key);
	bool known = axis;

	for (size_t i = 0; i < ARRAY_SIZE(built_in); i++)
		known |= !strcmp(built_in[i], node->key);
	if (!known)
		return unknown_axis(study, node, err);
	condition->axis = strdup(node->key);
	condition->values = calloc(n + 1, sizeof(*condition->values));
	if (!condition->axis || !condition->values)
		return error_errno(err, -ENOMEM, "exclude");
	for (size_t i = 0; i < n; i++) {
		int rc = document_require(items[i], DOCUMENT_SCALAR, node->key, err);

		if (rc >= 0)
			rc = check_value(axis, items[i], err);
		if (rc >= 0 && !strcmp(node->key, "scenario"))
			rc = check_scenario(study, items[i], err);
		if (rc >= 0 && !strcmp(node->key, "family") && family_from_name(items[i]->text) < 0)
			rc = document_error(items[i], err, "a family is ipv4 or ipv6, not '%s'",
					    items[i]->text);
		if (rc < 0)
			return rc;
		condition->values[i] = strdup(items[i]->text);
		if (!condition->values[i])
			return error_errno(err, -ENOMEM, "exclude");
	}
	return 0;
}

static int read_exclusion(const struct study *study, const struct document_node *map,
			  struct study_exclusion *exclusion, struct error *err)
{
	int rc = document_require(map, DOCUMENT_MAP, "exclude", err);

	if (rc < 0)
		return rc;
	if (!map->n_items)
		return document_error(map, err, "an empty exclusion leaves out everything");
	exclusion->conditions = calloc(map->n_items, sizeof(*exclusion->conditions));
	if (!exclusion->conditions)
		return error_errno(err, -ENOMEM, "exclude");
	for (size_t i = 0; rc >= 0 && i < map->n_items; i++)
		rc = read_condition(study, map->items[i],
				    &exclusion->conditions[exclusion->count++], err);
	return rc;
}

int study_read_exclusions(struct study *study, const struct document_node *list, struct error *err)
{
	int rc = document_require(list, DOCUMENT_LIST, "exclude", err);

	if (rc < 0)
		return rc;
	study->exclude_line = list->line;
	study->exclusions = calloc(list->n_items + 1, sizeof(*study->exclusions));
	if (!study->exclusions)
		return error_errno(err, -ENOMEM, "exclude");
	for (size_t i = 0; rc >= 0 && i < list->n_items; i++)
		rc = read_exclusion(study, list->items[i],
				    &study->exclusions[study->n_exclusions++], err);
	return rc;
}
