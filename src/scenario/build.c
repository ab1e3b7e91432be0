/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes the scenarios of a file: for each variant its layers are laid over each other. */
#include <errno.h>
#include <string.h>

#include "src/scenario/internal.h"
#include "src/text/suggest.h"
#include "src/util/array.h"

static int read_head(struct scenario *scenario, const struct document *document, struct error *err)
{
	const struct document_node *root = document->root;
	int rc;

	scenario->file = strdup(document->file);
	scenario->explanation = strdup(document->comment);
	scenario->source = strdup(document->source);
	if (!scenario->file || !scenario->source || !scenario->explanation)
		return error_errno(err, -ENOMEM, "%s", document->file);
	rc = scenario_read_name(document_get(root, "id"), true, &scenario->id, err);
	if (rc == 0)
		rc = scenario_read_name(document_get(root, "name"), false, &scenario->name, err);
	if (rc == 0)
		rc = scenario_read_text(document_get(root, "summary"), SCENARIO_MAX_SUMMARY,
					&scenario->summary, err);
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

/* Reads `quick` of a layer, which is a map, or in a variant the word "skip". */
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

/* Where a file expects nothing, the client is watched. */
static void watch_client(struct scenario *scenario)
{
	for (enum end_id end = 0; end < scenario->n_ends; end++)
		if (scenario->expect[FAMILY_IPV4][end].present)
			return;
	for (int family = 0; family < _FAMILY_MAX; family++)
		scenario->expect[family][END_CLIENT].present = true;
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

/* Applies --set, --horizon and the like, which override every layer of the file. */
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
		for (enum end_id end = 0; end < scenario->n_ends; end++)
			scenario_expect_nothing(&scenario->expect[family][end]);
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
		rc = scenario_read_hosts(scenario, document->root, err);
	if (rc == 0)
		rc = scenario_apply_layer(scenario, document->root, LAYER_BASE, err);
	if (rc == 0 && variant)
		rc = scenario_apply_layer(scenario, variant, LAYER_VARIANT, err);
	if (rc == 0 && variant)
		rc = scenario_read_name(document_get(variant, "name"), false, &scenario->variant,
					err);
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

/* Builds the scenario that was asked for, after its other form, quick or real: a file is right only
 * if both are. */
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

/* Takes the scenario over, which is NULL for a variant that --quick leaves out. */
static int list_add(struct scenario_list *list, struct scenario **scenario, struct error *err)
{
	struct scenario **slot;

	if (!*scenario) {
		list->n_left_out++;
		return 0;
	}
	slot = array_append(&list->items, &list->count, sizeof(struct scenario *));
	if (!slot)
		return error_errno(err, -ENOMEM, "scenario");
	*slot = take_ptr(*scenario);
	return 0;
}

static int check_variants(const struct document_node *variants, struct error *err)
{
	int rc;

	rc = document_require(variants, DOCUMENT_LIST, "variants", err);
	if (rc < 0)
		return rc;
	if (!variants->n_items || variants->n_items > SCENARIO_MAX_VARIANTS)
		return document_error(variants, err, "there may be 1 to %d variants",
				      SCENARIO_MAX_VARIANTS);
	return 0;
}

/* Two variants of one name could not be told apart in any result. */
static int refuse_same_variant(const struct document_node *variants, size_t index,
			       struct error *err)
{
	const char *name = document_get(variants->items[index], "name")->text;

	for (size_t i = 0; i < index; i++) {
		const struct document_node *other = document_get(variants->items[i], "name");

		if (other && !strcmp(other->text, name))
			return document_error(variants->items[index], err,
					      "there are two variants '%s'; the first is in line "
					      "%d",
					      name, other->line);
	}
	return 0;
}

int scenario_pick_variants(const struct document *document, const char *name, size_t *ret_first,
			   size_t *ret_end, struct error *err)
{
	const struct document_node *variants = document_get(document->root, "variants");
	struct suggestion suggestion;
	char buffer[SUGGESTION_SIZE];

	*ret_first = 0;
	*ret_end = variants ? variants->n_items : 1;
	if (!name)
		return 0;
	suggestion_init(&suggestion, name);
	for (size_t i = 0; variants && i < variants->n_items; i++) {
		const struct document_node *variant = variants->items[i], *found = NULL;

		if (variant->kind == DOCUMENT_MAP)
			found = document_get(variant, "name");
		if (!found || found->kind != DOCUMENT_SCALAR)
			continue;
		if (!strcmp(found->text, name)) {
			*ret_first = i;
			*ret_end = i + 1;
			return 0;
		}
		suggestion_offer(&suggestion, found->text);
	}
	return error_input(err, "there is no variant '%s'%s", name,
			   variants ? suggestion_text(&suggestion, buffer, sizeof(buffer))
				    : ": the scenario has no variants");
}

/* Builds every variant, so that the file is checked as a whole, and keeps those that are picked. */
static int build_variants(const struct document *document, const struct scenario_request *request,
			  struct scenario_list *list, struct error *err)
{
	const struct document_node *variants = document_get(document->root, "variants");
	size_t first, end, n = variants ? variants->n_items : 1;
	int rc = variants ? check_variants(variants, err) : 0;

	if (rc < 0)
		return rc;
	rc = scenario_pick_variants(document, request->variant, &first, &end, err);
	if (rc < 0)
		return error_prefix(err, rc, "%s", request->what);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		_cleanup_(scenario_freep) struct scenario *scenario = NULL;

		rc = build_checked(document, variants ? variants->items[i] : NULL, request,
				   &scenario, err);
		if (rc == 0 && variants)
			rc = refuse_same_variant(variants, i, err);
		if (rc == 0 && i >= first && i < end)
			rc = list_add(list, &scenario, err);
	}
	return rc;
}

int scenario_build_all(const struct document *document, const struct scenario_request *request,
		       struct scenario_list *list, struct error *err)
{
	size_t before = list->count;
	int rc = build_variants(document, request, list, err);

	if (rc == 0 && list->count == before && request->variant)
		rc = error_input(err, "%s: the variant '%s' is left out by --quick", request->what,
				 request->variant);
	else if (rc == 0 && list->count == before)
		rc = error_input(err, "%s: every variant is left out by --quick", document->file);
	while (rc < 0 && list->count > before)
		scenario_free(list->items[--list->count]);
	if (!list->count)
		scenario_list_deinit(list);
	return rc;
}

int scenario_parse(const char *file, const char *text, size_t size,
		   const struct scenario_request *request, struct scenario_list *list,
		   struct error *err)
{
	_cleanup_(document_freep) struct document *document = NULL;
	int rc = document_parse(file, text, size, &document, err);

	return rc < 0 ? rc : scenario_build_all(document, request, list, err);
}

int scenario_load(const struct scenario_request *request, struct scenario_list *list,
		  struct error *err)
{
	_cleanup_(document_freep) struct document *document = NULL;
	_cleanup_(freep) char *path = NULL, *what = NULL;
	struct scenario_request picked = *request;
	int rc = 0;

	if (!request->variant)
		rc = scenario_split_variant(request->what, &what, &picked.variant);
	if (rc < 0)
		return error_errno(err, rc, "%s", request->what);
	rc = scenario_find(what ? what : request->what, &path, err);
	if (rc == 0)
		rc = document_read(path, &document, err);
	return rc < 0 ? rc : scenario_build_all(document, &picked, list, err);
}
