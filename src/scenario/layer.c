/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One layer of a file (its top, a variant, a quick map) laid over a scenario. */
#include <errno.h>
#include <string.h>

#include "src/scenario/internal.h"
#include "src/text/suggest.h"
#include "src/util/array.h"

#define SETTINGS_MAX 2000 /* in one layer */
#define WORDS_MAX    256  /* of a command */

/* Keys that only some layers have; everything else at the top of a layer is a setting. */
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
	static const char *const sections[] = { "client", "server",  "router",
						"path",	  "horizon", "sample" };
	struct suggestion suggestion;
	char buffer[SUGGESTION_SIZE];

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
	int rc;

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
		rc = flatten(list, key, size, item, err);
		key[n] = '\0';
		if (rc < 0)
			return rc;
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
	int rc = strcmp((*x)->key, (*y)->key);

	return rc ? rc : (*x)->node->line - (*y)->node->line;
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
	int rc;

	if (flat->node->kind == DOCUMENT_LIST)
		return set_command(scenario, flat->key, flat->node, err);
	rc = scenario_set(scenario, flat->key, flat->node->text, flat->node->line, err);
	if (rc < 0) {
		error_prefix(err, rc, "%s", flat->key);
		return document_prefix(flat->node, rc, err);
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
	int rc;

	for (size_t i = 0; i < layer->n_items; i++) {
		const struct document_node *item = layer->items[i];

		if (is_special(item->key, kind))
			continue;
		if (!opens_setting(item->key))
			return unknown_key(item, kind, item->key, err);
		if (snprintf(key, sizeof(key), "%s", item->key) >= (int)sizeof(key))
			return document_error(item, err, "a key of more than %zu bytes",
					      sizeof(key) - 1);
		rc = flatten(&list, key, sizeof(key), item, err);
		if (rc < 0)
			return rc;
	}
	rc = refuse_duplicates(&list, err);
	if (rc == 0)
		rc = refuse_two_agents(layer, err);
	for (size_t i = 0; rc == 0 && i < list.count; i++)
		rc = apply_setting(scenario, &list.items[i], err);
	return rc;
}

int scenario_apply_layer(struct scenario *scenario, const struct document_node *layer,
			 enum layer_kind kind, struct error *err)
{
	const struct document_node *node;
	int rc;

	rc = document_require(layer, DOCUMENT_MAP, layer->key ? layer->key : "variants", err);
	if (rc == 0)
		rc = apply_settings(scenario, layer, kind, err);
	node = rc == 0 ? document_get(layer, "timeline") : NULL;
	if (node)
		rc = scenario_read_timeline(scenario, node, err);
	node = rc == 0 ? document_get(layer, "expect") : NULL;
	if (node)
		rc = scenario_read_expect(scenario, node, err);
	return rc;
}
