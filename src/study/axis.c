/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a study's axes, and its other parts that consist of settings. */
#include <errno.h>
#include <string.h>

#include "src/scenario/internal.h"
#include "src/study/study.h"
#include "src/study/sysctl.h"
#include "src/util/array.h"

void study_changes_deinit(struct study_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++)
		free(changes->items[i].text);
	free(changes->items);
	*changes = (struct study_changes){ 0 };
}

void study_value_deinit(struct study_value *value)
{
	study_changes_deinit(&value->changes);
	free(value->name);
}

/* Tries a setting on an empty scenario, which shows whether it exists and takes the value. Settings
 * that do not fit together are found when the trials are made. */
static int try_setting(const char *key, const char *value, struct error *err)
{
	_cleanup_(scenario_freep) struct scenario *scratch = scenario_new();
	int rc;

	if (!scratch)
		return error_errno(err, -ENOMEM, "settings");
	rc = scenario_set(scratch, key, value, 0, err);
	return rc < 0 ? rc : study_check_sysctl(key, err);
}

static int add_change(struct study_changes *changes, const struct document_node *node,
		      const char *key, const char *value, struct error *err)
{
	struct study_change *change;
	size_t n_key = strlen(key);
	int rc = try_setting(key, value, err);

	if (rc < 0) {
		error_prefix(err, rc, "%s", key);
		return document_prefix(node, rc, err);
	}
	for (size_t i = 0; i < changes->count; i++)
		if (changes->items[i].n_key == n_key &&
		    !strncmp(changes->items[i].text, key, n_key))
			return document_error(node, err, "'%s' is set twice", key);
	change = array_append(&changes->items, &changes->count, sizeof(*change));
	if (!change)
		return error_errno(err, -ENOMEM, "settings");
	if (asprintf(&change->text, "%s=%s", key, value) < 0) {
		changes->count--;
		return error_errno(err, -ENOMEM, "settings");
	}
	change->n_key = n_key;
	return 0;
}

/* Adds all values below `node`, but for those of the key `skip`. `key` holds the keys on the way to
 * `node`, joined by dots. */
static int flatten(struct study_changes *changes, char *key, size_t size,
		   const struct document_node *node, const char *skip, struct error *err)
{
	size_t n = strlen(key);
	int rc = 0;

	if (node->kind == DOCUMENT_LIST)
		return document_error(node, err, "'%s' takes one value, not a list", key);
	if (node->kind == DOCUMENT_SCALAR)
		return add_change(changes, node, key, node->text, err);
	for (size_t i = 0; rc >= 0 && i < node->n_items; i++) {
		const struct document_node *item = node->items[i];

		if (skip && !strcmp(item->key, skip))
			continue;
		if (n + strlen(item->key) + 2 > size)
			return document_error(item, err, "a key of more than %zu bytes", size - 1);
		sprintf(key + n, "%s%s", n ? "." : "", item->key);
		rc = flatten(changes, key, size, item, NULL, err);
		key[n] = '\0';
	}
	return rc;
}

int study_read_changes(struct study_changes *changes, const struct document_node *map,
		       const char *skip, struct error *err)
{
	char key[256] = "";

	return flatten(changes, key, sizeof(key), map, skip, err);
}

/* Adds a value to an axis. Returns NULL after an error. */
static struct study_value *add_value(struct study_axis *axis, const struct document_node *node,
				     const char *name, struct error *err)
{
	struct study_value *value;

	for (size_t i = 0; i < axis->n_values; i++)
		if (!strcmp(axis->values[i].name, name)) {
			document_error(node, err, "'%s' stands twice on the axis '%s'", name,
				       axis->name);
			return NULL;
		}
	if (axis->n_values == STUDY_MAX_VALUES) {
		document_error(node, err, "more than %d values on the axis '%s'", STUDY_MAX_VALUES,
			       axis->name);
		return NULL;
	}
	value = array_append(&axis->values, &axis->n_values, sizeof(*value));
	if (value)
		*value = (struct study_value){ .name = strdup(name) };
	if (!value || !value->name) {
		error_errno(err, -ENOMEM, "axis");
		return NULL;
	}
	return value;
}

static int add_plain(struct study_axis *axis, const struct document_node *node, const char *text,
		     struct error *err)
{
	struct study_value *value = add_value(axis, node, text, err);

	return value ? add_change(&value->changes, node, axis->name, text, err) : -EINVAL;
}

static int add_bundle(struct study_axis *axis, const struct document_node *node, struct error *err)
{
	const struct document_node *name = document_get(node, "name");
	struct study_value *value;

	if (!name || name->kind != DOCUMENT_SCALAR || !*name->text)
		return document_error(node, err, "a bundle of settings needs a 'name'");
	value = add_value(axis, node, name->text, err);
	return value ? study_read_changes(&value->changes, node, "name", err) : -EINVAL;
}

static int read_list(struct study_axis *axis, const struct document_node *list, struct error *err)
{
	int rc = 0;

	if (!list->n_items)
		return document_error(list, err, "the axis '%s' is empty", axis->name);
	for (size_t i = 0; rc >= 0 && i < list->n_items; i++) {
		const struct document_node *item = list->items[i];

		if (item->kind == DOCUMENT_LIST)
			return document_error(item, err,
					      "an axis has values or bundles of settings, not "
					      "lists");
		if (item->kind != list->items[0]->kind)
			return document_error(item, err,
					      "an axis has values or bundles of settings, not "
					      "both");
		rc = item->kind == DOCUMENT_SCALAR ? add_plain(axis, item, item->text, err)
						   : add_bundle(axis, item, err);
	}
	return rc;
}

/* Refuses names that every trial has as a property: in an exclusion or a CSV file an axis of that
 * name cannot be told from the property. */
static int check_name(const struct document_node *node, struct error *err)
{
	static const char *const taken[] = { "scenario", "variant", "family",  "engine",
					     "kernel",	 "release", "repeat",  "seed",
					     "phase",	 "trial",   "endpoint" };

	if (!*node->key)
		return document_error(node, err, "an axis needs a name");
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		if (!strcmp(node->key, taken[i]))
			return document_error(node, err, "an axis needs another name than '%s'",
					      taken[i]);
	return 0;
}

static int read_axis(struct study_axis *axis, const struct document_node *node, struct error *err)
{
	_cleanup_(strings_freep) char **values = NULL;
	int rc = check_name(node, err);

	if (rc < 0)
		return rc;

	axis->line = node->line;
	axis->name = strdup(node->key);
	if (!axis->name)
		return error_errno(err, -ENOMEM, "axis");
	if (node->kind == DOCUMENT_LIST)
		return read_list(axis, node, err);
	if (node->kind == DOCUMENT_SCALAR)
		return document_error(node, err,
				      "the axis '%s' must be a list or a range; a single value "
				      "goes under 'set'",
				      node->key);
	rc = study_read_range(node, &values, err);
	for (char **value = values; rc >= 0 && *value; value++)
		rc = add_plain(axis, node, *value, err);
	return rc;
}

int study_read_axes(struct study *study, const struct document_node *map, struct error *err)
{
	int rc = document_require(map, DOCUMENT_MAP, "axes", err);

	if (rc < 0)
		return rc;
	study->axes_line = map->line;
	if (map->n_items > STUDY_MAX_AXES)
		return document_error(map, err, "more than %d axes", STUDY_MAX_AXES);
	study->axes = calloc(map->n_items + 1, sizeof(*study->axes));
	if (!study->axes)
		return error_errno(err, -ENOMEM, "axes");
	for (size_t i = 0; rc >= 0 && i < map->n_items; i++)
		rc = read_axis(&study->axes[study->n_axes++], map->items[i], err);
	return rc;
}
