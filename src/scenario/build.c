/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File to scenarios: the layers of a file, laid over each other for each variant. */
#include <errno.h>
#include <string.h>

#include "src/scenario/internal.h"
#include "src/text/suggest.h"
#include "src/util/array.h"

/* A short string of the file's top or of a variant. */
static int read_string(const struct document_node *map, const char *key, size_t maximum,
		       char **ret_string, struct error *err)
{
	const struct document_node *node = document_get(map, key);
	char *copy;
	int rc;

	if (!node)
		return 0;
	rc = document_require(node, DOCUMENT_SCALAR, key, err);
	if (rc < 0)
		return rc;
	if (!*node->text)
		return document_error(node, err, "'%s' is empty", key);
	if (strlen(node->text) > maximum)
		return document_error(node, err, "'%s' is longer than %zu bytes", key, maximum);
	copy = strdup(node->text);
	if (!copy)
		return error_errno(err, -ENOMEM, "%s", key);
	free(*ret_string);
	*ret_string = copy;
	return 0;
}

/* Names go into file names, tables and command lines. */
static int read_name(const struct document_node *map, const char *key, bool capitals,
		     char **ret_name, struct error *err)
{
	const struct document_node *node = document_get(map, key);
	int rc;

	rc = read_string(map, key, SCENARIO_MAX_NAME, ret_name, err);
	if (rc < 0 || !node)
		return rc;
	for (const char *p = node->text; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') ||
		      (capitals && *p >= 'A' && *p <= 'Z') ||
		      (p != node->text && (*p == '-' || *p == '.'))))
			return document_error(node, err,
					      "%s '%s': use %sa-z and 0-9, and after the first "
					      "'-' and '.'",
					      key, node->text, capitals ? "A-Z, " : "");
	return 0;
}

static int read_head(struct scenario *scenario, const struct document *document, struct error *err)
{
	const struct document_node *root = document->root;
	int rc;

	scenario->file = strdup(document->file);
	scenario->explanation = strdup(document->comment);
	scenario->source = strdup(document->source);
	if (!scenario->file || !scenario->source || !scenario->explanation)
		return error_errno(err, -ENOMEM, "%s", document->file);
	rc = read_name(root, "id", true, &scenario->id, err);
	if (rc == 0)
		rc = read_name(root, "name", false, &scenario->name, err);
	if (rc == 0)
		rc = read_string(root, "summary", SCENARIO_MAX_SUMMARY, &scenario->summary, err);
	if (rc < 0)
		return rc;
	if (!scenario->name)
		return document_error(root, err, "'name' is missing");
	if (!scenario->summary)
		return document_error(root, err,
				      "'summary' is missing: one line that says what "
				      "happens");
	return 0;
}

static int apply_set(struct scenario *scenario, const char *set, struct error *err)
{
	_cleanup_(freep) char *key = NULL;
	const char *equals = strchr(set, '=');
	int rc;

	if (!equals || equals == set)
		return error_input(err, "--set %s: write KEY=VALUE", set);
	key = strndup(set, (size_t)(equals - set));
	if (!key)
		return error_errno(err, -ENOMEM, "--set");
	rc = scenario_set(scenario, key, equals + 1, 0, err);
	return rc < 0 ? error_prefix(err, rc, "--set %s", set) : 0;
}

/* `quick` of a layer: a map, or for a variant the word "skip". */
static int read_quick(const struct document_node *layer, const struct document_node **ret_quick,
		      bool *ret_skip, struct error *err)
{
	const struct document_node *quick = layer ? document_get(layer, "quick") : NULL;

	*ret_quick = NULL;
	*ret_skip = false;
	if (!quick)
		return 0;
	if (layer->key == NULL && quick->kind == DOCUMENT_SCALAR && !strcmp(quick->text, "skip")) {
		*ret_skip = true;
		return 0;
	}
	*ret_quick = quick;
	return document_require(quick, DOCUMENT_MAP, "quick", err);
}

static int apply_quick(struct scenario *scenario, const struct document_node *base,
		       const struct document_node *variant, bool apply, bool *ret_skip,
		       struct error *err)
{
	const struct document_node *quick[2];
	bool skip[2] = { false, false };
	int rc;

	rc = read_quick(base, &quick[0], &skip[0], err);
	if (rc == 0)
		rc = read_quick(variant, &quick[1], &skip[1], err);
	if (rc < 0)
		return rc;
	if (skip[0])
		return document_error(document_get(base, "quick"), err,
				      "'quick' must be a map; only a variant may be skipped");
	*ret_skip = skip[1] && apply;
	scenario->has_quick = quick[0] || quick[1];
	scenario->quick = scenario->has_quick && apply;
	for (int i = 0; rc == 0 && scenario->quick && i < 2; i++)
		if (quick[i])
			rc = scenario_apply_layer(scenario, quick[i], LAYER_QUICK, err);
	return rc;
}

/* A file that expects nothing still wants to know what becomes of the client. */
static void watch_client(struct scenario *scenario)
{
	for (int node = 0; node < _ENDPOINT_MAX; node++)
		if (scenario->expect[FAMILY_IPV4][node].present)
			return;
	for (int family = 0; family < _FAMILY_MAX; family++)
		scenario->expect[family][NODE_CLIENT].present = true;
}

static int keep_recipe(struct scenario *scenario, const struct scenario_request *request,
		       struct error *err)
{
	struct scenario_recipe *recipe = &scenario->recipe;

	recipe->quick = request->quick;
	recipe->measure_only = request->measure_only;
	recipe->horizon_nsec = request->horizon_nsec;
	recipe->set = calloc(1, sizeof(*recipe->set));
	for (size_t i = 0, n = 0; recipe->set && i < request->n_set; i++)
		if (strings_append(&recipe->set, &n, request->set[i]) < 0)
			return error_errno(err, -ENOMEM, "--set");
	return recipe->set ? 0 : error_errno(err, -ENOMEM, "--set");
}

/* What goes over every layer of the file. */
static int apply_request(struct scenario *scenario, const struct scenario_request *request,
			 struct error *err)
{
	int rc = keep_recipe(scenario, request, err);

	for (size_t i = 0; rc == 0 && i < request->n_set; i++)
		rc = apply_set(scenario, request->set[i], err);
	if (request->horizon_nsec) {
		scenario->horizon_nsec = request->horizon_nsec;
		scenario->horizon_line = 0;
	}
	watch_client(scenario);
	for (int family = 0; request->measure_only && family < _FAMILY_MAX; family++)
		for (int node = 0; node < _ENDPOINT_MAX; node++)
			scenario_expect_nothing(&scenario->expect[family][node]);
	return rc;
}

int scenario_build(const struct document *document, const struct document_node *variant,
		   const struct scenario_request *request, struct scenario **ret_scenario,
		   struct error *err)
{
	_cleanup_(scenario_freep) struct scenario *scenario = scenario_new();
	bool skip = false;
	int rc;

	if (!scenario)
		return error_errno(err, -ENOMEM, "%s", document->file);
	rc = read_head(scenario, document, err);
	if (rc == 0)
		rc = scenario_apply_layer(scenario, document->root, LAYER_BASE, err);
	if (rc == 0 && variant)
		rc = scenario_apply_layer(scenario, variant, LAYER_VARIANT, err);
	if (rc == 0 && variant)
		rc = read_name(variant, "name", false, &scenario->variant, err);
	if (rc == 0 && variant && !scenario->variant)
		rc = document_error(variant, err, "a variant needs a 'name'");
	if (rc == 0)
		rc = apply_quick(scenario, document->root, variant, request->quick, &skip, err);
	if (rc == 0)
		rc = apply_request(scenario, request, err);
	if (rc == 0 && !skip)
		rc = scenario_check(scenario, err);
	if (rc < 0)
		return rc;
	*ret_scenario = skip ? NULL : take_ptr(scenario);
	return 0;
}

/* The scenario that was asked for, once its other form, quick or real, is known to be right too:
 * a file is checked as a whole. */
static int build_checked(const struct document *document, const struct document_node *variant,
			 const struct scenario_request *request, struct scenario **ret_scenario,
			 struct error *err)
{
	const struct scenario_request other = { .quick = !request->quick };
	_cleanup_(scenario_freep) struct scenario *scenario = NULL;
	int rc;

	rc = scenario_build(document, variant, &other, &scenario, err);
	return rc < 0 ? rc : scenario_build(document, variant, request, ret_scenario, err);
}

/* Adds a scenario, which it takes over; NULL stands for a variant that --quick leaves out. */
static int list_add(struct scenario_list *list, struct scenario *scenario, struct error *err)
{
	struct scenario **slot;

	if (!scenario) {
		list->n_left_out++;
		return 0;
	}
	slot = array_append(&list->items, &list->count, sizeof(*slot));
	if (!slot) {
		scenario_free(scenario);
		return error_errno(err, -ENOMEM, "scenario");
	}
	*slot = scenario;
	return 0;
}

static int check_variants(const struct document_node *variants, struct error *err)
{
	int rc;

	rc = document_require(variants, DOCUMENT_LIST, "variants", err);
	if (rc == 0 && (!variants->n_items || variants->n_items > SCENARIO_MAX_VARIANTS))
		return document_error(variants, err, "there may be 1 to %d variants",
				      SCENARIO_MAX_VARIANTS);
	return rc;
}

/* Refuses a variant with the name of an earlier one: no result could tell the two apart. */
static int refuse_same_variant(const struct document_node *variants, size_t index,
			       struct error *err)
{
	const char *name = document_get(variants->items[index], "name")->text;

	for (size_t i = 0; i < index; i++) {
		const struct document_node *other = document_get(variants->items[i], "name");

		if (!strcmp(other->text, name))
			return document_error(variants->items[index], err,
					      "there are two variants '%s'; the first is in line "
					      "%d",
					      name, other->line);
	}
	return 0;
}

int scenario_build_all(const struct document *document, const struct scenario_request *request,
		       struct scenario_list *list, struct error *err)
{
	const struct document_node *variants = document_get(document->root, "variants");
	struct scenario *scenario;
	int rc;

	if (!variants) {
		rc = build_checked(document, NULL, request, &scenario, err);
		return rc < 0 ? rc : list_add(list, scenario, err);
	}
	rc = check_variants(variants, err);
	for (size_t i = 0; rc == 0 && i < variants->n_items; i++) {
		rc = build_checked(document, variants->items[i], request, &scenario, err);
		if (rc == 0)
			rc = list_add(list, scenario, err);
		if (rc == 0)
			rc = refuse_same_variant(variants, i, err);
	}
	if (rc == 0 && !list->count)
		return error_input(err, "%s: every variant is left out by --quick", document->file);
	return rc;
}

static int load(const struct document *document, const struct scenario_request *request,
		struct scenario_list *list, struct error *err)
{
	struct scenario_list more = { 0 };
	int rc = scenario_build_all(document, request, &more, err);

	for (size_t i = 0; rc == 0 && i < more.count; i++)
		rc = list_add(list, take_ptr(more.items[i]), err);
	if (rc == 0)
		list->n_left_out += more.n_left_out;
	scenario_list_deinit(&more);
	return rc;
}

int scenario_parse(const char *file, const char *text, size_t size,
		   const struct scenario_request *request, struct scenario_list *list,
		   struct error *err)
{
	_cleanup_(document_freep) struct document *document = NULL;
	int rc;

	rc = document_parse(file, text, size, &document, err);
	return rc < 0 ? rc : load(document, request, list, err);
}

/* Of what was loaded from `first` on only the variant of that name is kept. */
static int keep_variant(const struct document *document, const struct scenario_request *request,
			const char *variant, struct scenario_list *list, size_t first,
			struct error *err)
{
	const struct document_node *variants = document_get(document->root, "variants");
	struct suggestion suggestion;
	char buffer[SUGGESTION_SIZE];
	size_t kept = first;
	bool known = false;

	for (size_t i = first; i < list->count; i++) {
		struct scenario *s = list->items[i];

		if (s->variant && !strcmp(s->variant, variant))
			list->items[kept++] = s;
		else
			scenario_free(s);
	}
	list->count = kept;
	if (kept > first)
		return 0;
	suggestion_init(&suggestion, variant);
	for (size_t i = 0; variants && i < variants->n_items; i++) {
		const char *name = document_get(variants->items[i], "name")->text;

		known |= !strcmp(name, variant);
		suggestion_offer(&suggestion, name);
	}
	if (known)
		return error_input(err, "%s: is left out by --quick", request->what);
	return error_input(err, "%s: there is no variant '%s'%s", request->what, variant,
			   suggestion_text(&suggestion, buffer, sizeof(buffer)));
}

int scenario_load(const struct scenario_request *request, struct scenario_list *list,
		  struct error *err)
{
	_cleanup_(document_freep) struct document *document = NULL;
	_cleanup_(freep) char *path = NULL, *what = NULL;
	size_t first = list->count;
	const char *variant;
	int rc;

	rc = scenario_split_variant(request->what, &what, &variant);
	if (rc < 0)
		return error_errno(err, rc, "%s", request->what);
	rc = scenario_find(what, &path, err);
	if (rc == 0)
		rc = document_read(path, &document, err);
	if (rc == 0)
		rc = load(document, request, list, err);
	return rc < 0 || !variant ? rc : keep_variant(document, request, variant, list, first, err);
}
