/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lays one layer of a file (its top, a variant or a quick map) over a scenario. */
#include <errno.h>
#include <string.h>

#include "src/scenario/internal.h"
#include "src/text/suggest.h"
#include "src/util/array.h"

#define SETTINGS_MAX 2000 /* in one layer */

/* Keys that only some layers have; everything else at the top of a layer is a setting. */
static const struct {
	const char *key;
	unsigned int layers; /* mask of 1 << enum layer_kind */
} special_keys[] = {
	{ "id", 1 << LAYER_BASE },
	{ "summary", 1 << LAYER_BASE },
	{ "variants", 1 << LAYER_BASE },
	{ "hosts", 1 << LAYER_BASE },
	{ "name", 1 << LAYER_BASE | 1 << LAYER_VARIANT },
	{ "quick", 1 << LAYER_BASE | 1 << LAYER_VARIANT },
	{ "timeline", 1 << LAYER_BASE | 1 << LAYER_VARIANT | 1 << LAYER_QUICK },
	{ "expect", 1 << LAYER_BASE | 1 << LAYER_VARIANT | 1 << LAYER_QUICK },
};

/* A setting of a layer with its flat key. The settings are applied in order, once it is known that
 * none stands twice. */
struct flat {
	char *key;			  /* "client.net.ipv4.tcp_retries2"; owned */
	const struct document_node *node; /* its value; the document's */
};

struct flat_list {
	struct flat *items; /* owned */
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
	struct flat *flat;

	if (list->count == SETTINGS_MAX)
		return document_error(node, err, "more than %d settings", SETTINGS_MAX);
	flat = array_append(&list->items, &list->count, sizeof(*flat));
	if (flat)
		*flat = (struct flat){ strdup(key), node };
	return flat && flat->key ? 0 : error_errno(err, -ENOMEM, "settings");
}

static int unknown_key(const struct document_node *node, enum layer_kind kind, const char *key,
		       struct error *err)
{
	static const char *const sections[] = { "client", "server",  "router",
						"path",	  "horizon", "sample" };
	struct suggestion suggestion;
	char buffer[SUGGESTION_SIZE];

	if (!strcmp(key, "nodes"))
		return document_error(node, err,
				      "there is no 'nodes': client, server and router are always "
				      "there, and 'hosts' names more");
	if (!strcmp(key, "hosts"))
		return document_error(node, err,
				      "hosts are named at the top of the file; here each can have "
				      "other settings, as client and server can");
	suggestion_init(&suggestion, key);
	for (size_t i = 0; i < ARRAY_SIZE(special_keys); i++)
		if (special_keys[i].layers & (1u << kind))
			suggestion_offer(&suggestion, special_keys[i].key);
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		suggestion_offer(&suggestion, sections[i]);
	return document_error(node, err, "unknown key '%s'%s", key,
			      suggestion_text(&suggestion, buffer, sizeof(buffer)));
}

static bool is_of_host(const char *key, const char *name)
{
	size_t n = strlen(key), length = strlen(name);

	return n > length && key[n - length - 1] == '.' && !strcmp(key + n - length, name);
}

/* Whether the key's value says which programs of the user's run on a host. */
static bool is_command(const char *key)
{
	return is_of_host(key, "command") || is_of_host(key, "programs");
}

/* Adds each value below `node` to the list. `key` holds the keys that lead to `node`. */
static int flatten(struct flat_list *list, char *key, size_t size, const struct document_node *node,
		   struct error *err)
{
	size_t n = strlen(key);
	int rc;

	if (node->kind != DOCUMENT_SCALAR && is_command(key))
		return flat_add(list, key, node, err);
	if (node->kind == DOCUMENT_LIST)
		return document_error(node, err, "'%s' takes one value, not a list", key);
	if (node->kind == DOCUMENT_SCALAR)
		return flat_add(list, key, node, err);
	if (node->kind == DOCUMENT_TEXT)
		return document_error(node, err, "'%s' takes a value in one line", key);
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

bool scenario_layer_has(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(special_keys); i++)
		if (!strcmp(special_keys[i].key, key))
			return true;
	return false;
}

static bool is_special(const char *key, enum layer_kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(special_keys); i++)
		if (!strcmp(special_keys[i].key, key))
			return special_keys[i].layers & (1u << kind);
	return false;
}

/* Whether a setting may begin with the key: a node, the path, a sysctl or an option of both ends.
 */
static bool opens_setting(const struct scenario *scenario, const char *key)
{
	return scenario_find_node(scenario, key, strlen(key)) >= 0 || !strcmp(key, "net") ||
	       !strcmp(key, "sysctl") || !strcmp(key, "path") || strchr(key, '.') ||
	       scenario_key_known(key);
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
	int host = scenario_find_node(scenario, key, strcspn(key, "."));
	int rc;

	if (host < 0 || host == NODE_ROUTER)
		return document_error(node, err, "a command runs on a host, which is not the %s",
				      host < 0 ? "path" : "router");
	rc = scenario_read_programs(node, is_of_host(key, "programs"), &scenario->agent[host], err);
	if (rc == 0)
		scenario->agent[host].option[OPTION_WORKLOAD] = WORKLOAD_COMMAND;
	return rc;
}

static int apply_setting(struct scenario *scenario, const struct flat *flat, struct error *err)
{
	const struct document_node *node = flat->node;
	int rc;

	if (is_command(flat->key) && node->kind != DOCUMENT_SCALAR)
		return set_command(scenario, flat->key, node, err);
	rc = scenario_set(scenario, flat->key, node->text, node->line, err);
	return rc < 0 ? error_prefix(err, rc, "%s:%d: %s", node->file, node->line, flat->key) : 0;
}

/* Refuses a layer that gives one end both a workload and a command. */
static int refuse_two_agents(const struct document_node *layer, struct error *err)
{
	static const char *const keys[] = { "workload", "command", "programs" };

	for (size_t i = 0; i < layer->n_items; i++) {
		const struct document_node *map = layer->items[i];

		const struct document_node *first = NULL;

		for (size_t k = 0; map->kind == DOCUMENT_MAP && k < ARRAY_SIZE(keys); k++) {
			const struct document_node *node = document_get(map, keys[k]);

			if (node && first)
				return document_error(node, err, "the %s has both a %s and a %s",
						      map->key, first->key,
						      strcmp(node->key, "programs") != 0
							      ? node->key
							      : "list of programs");
			first = node ? node : first;
		}
	}
	return 0;
}

/* Adds the settings of the hosts that have a name. A host may have none. */
static int flatten_hosts(struct flat_list *list, const struct document_node *hosts,
			 struct error *err)
{
	char key[512];
	int rc = refuse_two_agents(hosts, err);

	for (size_t i = 0; rc == 0 && i < hosts->n_items; i++) {
		const struct document_node *host = hosts->items[i];

		rc = document_require(host, DOCUMENT_MAP, host->key, err);
		snprintf(key, sizeof(key), "%s", host->key);
		if (rc == 0 && host->n_items)
			rc = flatten(list, key, sizeof(key), host, err);
	}
	return rc;
}

static int apply_settings(struct scenario *scenario, const struct document_node *layer,
			  enum layer_kind kind, struct error *err)
{
	_cleanup_(flat_list_deinit) struct flat_list list = { 0 };
	const struct document_node *hosts = document_get(layer, "hosts");
	char key[512];
	int rc = 0;

	if (hosts && kind == LAYER_BASE)
		rc = flatten_hosts(&list, hosts, err);
	for (size_t i = 0; rc == 0 && i < layer->n_items; i++) {
		const struct document_node *item = layer->items[i];

		if (is_special(item->key, kind))
			continue;
		if (!strcmp(item->key, "follow") && item->kind == DOCUMENT_LIST &&
		    kind == LAYER_BASE) {
			rc = scenario_read_follow(scenario, item, err);
			continue;
		}
		if (!opens_setting(scenario, item->key))
			return unknown_key(item, kind, item->key, err);
		if (snprintf(key, sizeof(key), "%s", item->key) >= (int)sizeof(key))
			return document_error(item, err, "a key of more than %zu bytes",
					      sizeof(key) - 1);
		rc = flatten(&list, key, sizeof(key), item, err);
	}
	if (rc == 0)
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
