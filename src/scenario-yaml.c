/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File to scenarios: the layers of a file, laid over each other for each variant. */
#include <errno.h>
#include <string.h>

#include "src/scenario-internal.h"
#include "src/suggest.h"

#define SETTINGS_MAX 2000 /* in one layer */
#define WORDS_MAX    256  /* of a command */

/* Keys that only some layers have; everything else at the top of a layer is a setting. */
enum layer_kind {
	LAYER_BASE,
	LAYER_VARIANT,
	LAYER_QUICK,
};
static const struct {
	const char *key;
	unsigned int layers; /* mask of 1 << enum layer_kind */
} special_keys[] = {
	{ "id", 1 << LAYER_BASE },
	{ "summary", 1 << LAYER_BASE },
	{ "variants", 1 << LAYER_BASE },
	{ "name", 1 << LAYER_BASE | 1 << LAYER_VARIANT },
	{ "quick", 1 << LAYER_BASE | 1 << LAYER_VARIANT },
	{ "timeline", 1 << LAYER_BASE | 1 << LAYER_VARIANT | 1 << LAYER_QUICK },
	{ "expect", 1 << LAYER_BASE | 1 << LAYER_VARIANT | 1 << LAYER_QUICK },
};

/* A setting of a layer with its flat key: those are applied in order, once duplicates are out. */
struct flat {
	char *key;
	const struct document_node *node;
};

struct flat_list {
	struct flat *items;
	size_t count;
};

static void flat_list_deinit(struct flat_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].key);
	free(list->items);
}

static int flat_add(struct flat_list *list, const char *key, const struct document_node *node,
		    struct error *err)
{
	struct flat *items = list->items;
	char *copy;

	if (list->count == SETTINGS_MAX)
		return document_error(node, err, "more than %d settings", SETTINGS_MAX);
	if ((list->count & (list->count - 1)) == 0)
		items = reallocarray(items, list->count ? list->count * 2 : 1, sizeof(*items));
	copy = strdup(key);
	if (items)
		list->items = items;
	if (!items || !copy) {
		free(copy);
		return error_errno(err, -ENOMEM, "settings");
	}
	list->items[list->count++] = (struct flat){ copy, node };
	return 0;
}

static int unknown_key(const struct document_node *node, enum layer_kind kind, const char *key,
		       struct error *err)
{
	static const char *const sections[] = { "client", "server", "router", "path", "horizon" };
	struct suggestion suggestion;
	char buffer[128];

	if (!strcmp(key, "nodes") || !strcmp(key, "hosts"))
		return document_error(node, err,
				      "there is no '%s': a scenario has three nodes, "
				      "client, server and router",
				      key);
	suggestion_init(&suggestion, key);
	for (size_t i = 0; i < ARRAY_SIZE(special_keys); i++)
		if (special_keys[i].layers & (1u << kind))
			suggestion_offer(&suggestion, special_keys[i].key);
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		suggestion_offer(&suggestion, sections[i]);
	return document_error(node, err, "unknown key '%s'%s", key,
			      suggestion_text(&suggestion, buffer, sizeof(buffer)));
}

/* Walks down from `node` to values. `key` holds the way so far. */
static int flatten(struct flat_list *list, char *key, size_t size, const struct document_node *node,
		   struct error *err)
{
	size_t n = strlen(key);
	int r;

	if (node->kind == DOCUMENT_LIST && !strcmp(key + (n < 8 ? 0 : n - 8), ".command"))
		return flat_add(list, key, node, err);
	if (node->kind == DOCUMENT_LIST)
		return document_error(node, err, "'%s' takes one value, not a list", key);
	if (node->kind == DOCUMENT_SCALAR)
		return flat_add(list, key, node, err);
	if (!node->n_items)
		return document_error(node, err, "'%s' is empty", key);
	for (size_t i = 0; i < node->n_items; i++) {
		const struct document_node *item = node->items[i];

		if (n + strlen(item->key) + 2 > size)
			return document_error(item, err, "a key of more than %zu bytes", size - 1);
		sprintf(key + n, ".%s", item->key);
		r = flatten(list, key, size, item, err);
		key[n] = '\0';
		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_special(const char *key, enum layer_kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(special_keys); i++)
		if (!strcmp(special_keys[i].key, key))
			return special_keys[i].layers & (1u << kind);
	return false;
}

/* What may open a setting: a node, the path, a sysctl or an option of both ends. */
static bool opens_setting(const char *key)
{
	return node_from_name(key) >= 0 || !strcmp(key, "net") || !strcmp(key, "sysctl") ||
	       !strcmp(key, "path") || strchr(key, '.') || scenario_key_known(key);
}

static int compare_flats(const void *a, const void *b)
{
	const struct flat *const *x = a, *const *y = b;
	int r = strcmp((*x)->key, (*y)->key);

	return r ? r : (*x)->node->line - (*y)->node->line;
}

/* "client: {net.ipv4.x: 1}" and "client.net.ipv4.x: 2" are two ways to say the same. */
static int refuse_duplicates(const struct flat_list *list, struct error *err)
{
	_cleanup_(freep) const struct flat **sorted = calloc(list->count + 1, sizeof(*sorted));

	if (!sorted)
		return error_errno(err, -ENOMEM, "settings");
	for (size_t i = 0; i < list->count; i++)
		sorted[i] = &list->items[i];
	qsort(sorted, list->count, sizeof(*sorted), compare_flats);
	for (size_t i = 1; i < list->count; i++)
		if (!strcmp(sorted[i]->key, sorted[i - 1]->key))
			return document_error(sorted[i]->node, err,
					      "'%s' is set twice; the first is in line %d",
					      sorted[i]->key, sorted[i - 1]->node->line);
	return 0;
}

static int set_command(struct scenario *scenario, const char *key, const struct document_node *node,
		       struct error *err)
{
	_cleanup_(strings_freep) char **words = NULL;
	struct scenario_agent *agent;
	int endpoint = !strcmp(key, "client.command")	? NODE_CLIENT
		       : !strcmp(key, "server.command") ? NODE_SERVER
							: -1;

	if (endpoint < 0)
		return document_error(node, err, "only client and server run a command");
	if (!node->n_items || node->n_items > WORDS_MAX)
		return document_error(node, err, "a command has 1 to %d words", WORDS_MAX);
	words = calloc(node->n_items + 1, sizeof(*words));
	for (size_t i = 0; words && i < node->n_items; i++) {
		const struct document_node *item = node->items[i];

		if (item->kind != DOCUMENT_SCALAR || (i == 0 && !*item->text))
			return document_error(item, err,
					      "a command is a list of words: [PROGRAM, ARGUMENT, "
					      "...]");
		words[i] = strdup(item->text);
		if (!words[i])
			break;
	}
	if (!words || !words[node->n_items - 1])
		return error_errno(err, -ENOMEM, "command");
	agent = &scenario->agent[endpoint];
	strings_free(agent->command);
	agent->command = take_ptr(words);
	agent->command_line = node->line;
	agent->option[OPTION_WORKLOAD] = WORKLOAD_COMMAND;
	return 0;
}

static int apply_setting(struct scenario *scenario, const struct flat *flat, struct error *err)
{
	int r;

	if (flat->node->kind == DOCUMENT_LIST)
		return set_command(scenario, flat->key, flat->node, err);
	r = scenario_set(scenario, flat->key, flat->node->text, flat->node->line, err);
	if (r < 0) {
		error_prefix(err, r, "%s", flat->key);
		return document_prefix(flat->node, r, err);
	}
	return 0;
}

/* A workload and a command in one breath contradict each other. */
static int refuse_two_agents(const struct document_node *layer, struct error *err)
{
	for (int node = 0; node < _ENDPOINT_MAX; node++) {
		const struct document_node *map = document_get(layer, node_name(node));

		if (map && map->kind == DOCUMENT_MAP && document_get(map, "command") &&
		    document_get(map, "workload"))
			return document_error(document_get(map, "command"), err,
					      "the %s has both a workload and a command",
					      node_name(node));
	}
	return 0;
}

static int apply_settings(struct scenario *scenario, const struct document_node *layer,
			  enum layer_kind kind, struct error *err)
{
	_cleanup_(flat_list_deinit) struct flat_list list = { 0 };
	char key[512];
	int r;

	for (size_t i = 0; i < layer->n_items; i++) {
		const struct document_node *item = layer->items[i];

		if (is_special(item->key, kind))
			continue;
		if (!opens_setting(item->key))
			return unknown_key(item, kind, item->key, err);
		if (snprintf(key, sizeof(key), "%s", item->key) >= (int)sizeof(key))
			return document_error(item, err, "a key of more than %zu bytes",
					      sizeof(key) - 1);
		r = flatten(&list, key, sizeof(key), item, err);
		if (r < 0)
			return r;
	}
	r = refuse_duplicates(&list, err);
	if (r == 0)
		r = refuse_two_agents(layer, err);
	for (size_t i = 0; r == 0 && i < list.count; i++)
		r = apply_setting(scenario, &list.items[i], err);
	return r;
}

static int apply_layer(struct scenario *scenario, const struct document_node *layer,
		       enum layer_kind kind, struct error *err)
{
	const struct document_node *node;
	int r;

	r = document_require(layer, DOCUMENT_MAP, layer->key ? layer->key : "variants", err);
	if (r == 0)
		r = apply_settings(scenario, layer, kind, err);
	node = r == 0 ? document_get(layer, "timeline") : NULL;
	if (node)
		r = scenario_read_timeline(scenario, node, err);
	node = r == 0 ? document_get(layer, "expect") : NULL;
	if (node)
		r = scenario_read_expect(scenario, node, err);
	return r;
}

/* A short string of the file's top or of a variant. */
static int read_string(const struct document_node *map, const char *key, size_t maximum,
		       char **ret_string, struct error *err)
{
	const struct document_node *node = document_get(map, key);
	char *copy;
	int r;

	if (!node)
		return 0;
	r = document_require(node, DOCUMENT_SCALAR, key, err);
	if (r < 0)
		return r;
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
	int r;

	r = read_string(map, key, SCENARIO_MAX_NAME, ret_name, err);
	if (r < 0 || !node)
		return r;
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
	int r;

	scenario->file = strdup(document->file);
	scenario->explanation = strdup(document->comment);
	if (!scenario->file || !scenario->explanation)
		return error_errno(err, -ENOMEM, "%s", document->file);
	r = read_name(root, "id", true, &scenario->id, err);
	if (r == 0)
		r = read_name(root, "name", false, &scenario->name, err);
	if (r == 0)
		r = read_string(root, "summary", SCENARIO_MAX_SUMMARY, &scenario->summary, err);
	if (r < 0)
		return r;
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
	int r;

	if (!equals || equals == set)
		return error_input(err, "--set %s: write KEY=VALUE", set);
	key = strndup(set, (size_t)(equals - set));
	if (!key)
		return error_errno(err, -ENOMEM, "--set");
	r = scenario_set(scenario, key, equals + 1, 0, err);
	return r < 0 ? error_prefix(err, r, "--set %s", set) : 0;
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
	bool skip[2];
	int r;

	r = read_quick(base, &quick[0], &skip[0], err);
	if (r == 0)
		r = read_quick(variant, &quick[1], &skip[1], err);
	if (r < 0)
		return r;
	if (skip[0])
		return document_error(document_get(base, "quick"), err,
				      "'quick' must be a map; only a variant may be skipped");
	*ret_skip = skip[1] && apply;
	scenario->has_quick = quick[0] || quick[1];
	scenario->quick = scenario->has_quick && apply;
	for (int i = 0; r == 0 && scenario->quick && i < 2; i++)
		if (quick[i])
			r = apply_layer(scenario, quick[i], LAYER_QUICK, err);
	return r;
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

static int build(const struct document *document, const struct document_node *variant,
		 const struct scenario_request *request, struct scenario **ret_scenario,
		 struct error *err)
{
	_cleanup_(scenario_freep) struct scenario *scenario = scenario_new();
	bool skip = false;
	int r;

	if (!scenario)
		return error_errno(err, -ENOMEM, "%s", document->file);
	r = read_head(scenario, document, err);
	if (r == 0)
		r = apply_layer(scenario, document->root, LAYER_BASE, err);
	if (r == 0 && variant)
		r = apply_layer(scenario, variant, LAYER_VARIANT, err);
	if (r == 0 && variant)
		r = read_name(variant, "name", false, &scenario->variant, err);
	if (r == 0 && variant && !scenario->variant)
		r = document_error(variant, err, "a variant needs a 'name'");
	if (r == 0)
		r = apply_quick(scenario, document->root, variant, request->quick, &skip, err);
	for (size_t i = 0; r == 0 && i < request->n_set; i++)
		r = apply_set(scenario, request->set[i], err);
	if (r < 0)
		return r;
	if (request->horizon_nsec) {
		scenario->horizon_nsec = request->horizon_nsec;
		scenario->horizon_line = 0;
	}
	watch_client(scenario);
	r = scenario_check(scenario, err);
	if (r < 0)
		return r;
	*ret_scenario = skip ? NULL : take_ptr(scenario);
	return 0;
}

static int list_add(struct scenario_list *list, struct scenario *scenario, struct error *err)
{
	struct scenario **items;

	if (!scenario)
		return 0;
	items = reallocarray(list->items, list->count + 1, sizeof(*items));
	if (!items) {
		scenario_free(scenario);
		return error_errno(err, -ENOMEM, "scenario");
	}
	list->items = items;
	list->items[list->count++] = scenario;
	return 0;
}

static int check_variants(const struct document_node *variants, struct error *err)
{
	int r;

	r = document_require(variants, DOCUMENT_LIST, "variants", err);
	if (r < 0)
		return r;
	if (!variants->n_items || variants->n_items > SCENARIO_MAX_VARIANTS)
		return document_error(variants, err, "there may be 1 to %d variants",
				      SCENARIO_MAX_VARIANTS);
	return 0;
}

/* Two variants of one name could not be told apart in any result. */
static int refuse_same_variant(const struct document_node *variants, const char *name, size_t index,
			       struct error *err)
{
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

static int build_all(const struct document *document, const struct scenario_request *request,
		     struct scenario_list *list, struct error *err)
{
	const struct document_node *variants = document_get(document->root, "variants");
	struct scenario *scenario;
	int r;

	if (!variants) {
		r = build(document, NULL, request, &scenario, err);
		return r < 0 ? r : list_add(list, scenario, err);
	}
	r = check_variants(variants, err);
	for (size_t i = 0; r == 0 && i < variants->n_items; i++) {
		const struct document_node *name;

		r = build(document, variants->items[i], request, &scenario, err);
		if (r < 0)
			return r;
		name = document_get(variants->items[i], "name");
		r = refuse_same_variant(variants, name->text, i, err);
		if (r < 0)
			scenario_free(scenario);
		else
			r = list_add(list, scenario, err);
	}
	if (r == 0 && !list->count)
		return error_input(err, "%s: every variant is left out by --quick", document->file);
	return r;
}

static int load(const struct document *document, const struct scenario_request *request,
		struct scenario_list *list, struct error *err)
{
	struct scenario_list more = { 0 };
	struct scenario **items;
	int r;

	r = build_all(document, request, &more, err);
	if (r < 0) {
		scenario_list_deinit(&more);
		return r;
	}
	items = reallocarray(list->items, list->count + more.count, sizeof(*items));
	if (!items) {
		scenario_list_deinit(&more);
		return error_errno(err, -ENOMEM, "%s", document->file);
	}
	memcpy(items + list->count, more.items, more.count * sizeof(*items));
	list->items = items;
	list->count += more.count;
	free(more.items);
	return 0;
}

int scenario_parse(const char *file, const char *text, size_t size,
		   const struct scenario_request *request, struct scenario_list *list,
		   struct error *err)
{
	_cleanup_(document_freep) struct document *document = NULL;
	int r;

	r = document_parse(file, text, size, &document, err);
	return r < 0 ? r : load(document, request, list, err);
}

int scenario_load(const struct scenario_request *request, struct scenario_list *list,
		  struct error *err)
{
	_cleanup_(document_freep) struct document *document = NULL;
	_cleanup_(freep) char *path = NULL;
	int r;

	r = scenario_find(request->what, &path, err);
	if (r == 0)
		r = document_read(path, &document, err);
	return r < 0 ? r : load(document, request, list, err);
}
