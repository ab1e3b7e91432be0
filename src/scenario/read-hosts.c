/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hosts that a scenario names beside client and server. */
#include <errno.h>
#include <string.h>

#include "src/scenario/internal.h"

/* The router's link to a host is called "to-" and its name, and Linux takes 15 bytes (IFNAMSIZ). */
#define NAME_MAX_LENGTH 12

/* A host's name begins the keys of its settings, so that it must not be one of theirs. */
static bool is_taken(const char *name)
{
	static const char *const taken[] = { "net", "spare", "localhost", "family", "node" };

	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		if (!strcmp(name, taken[i]))
			return true;
	return scenario_key_known(name) || scenario_layer_has(name);
}

static int check_name(const struct document_node *node, struct error *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	static const char more[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	const char *name = node->key;
	size_t n = strlen(name);

	if (!n || n > NAME_MAX_LENGTH || !strchr(letters, name[0]) || strspn(name, more) != n ||
	    name[n - 1] == '-')
		return document_error(node, err,
				      "'%s' is not the name of a host: write lower-case letters, "
				      "digits and '-', %d at most",
				      name, NAME_MAX_LENGTH);
	if (is_taken(name))
		return document_error(node, err,
				      "a host cannot be called '%s', which means something else",
				      name);
	return 0;
}

static int add_host(struct scenario *scenario, const struct document_node *node, struct error *err)
{
	int rc = check_name(node, err);

	if (rc < 0)
		return rc;
	if (scenario->n_hosts == SCENARIO_HOSTS_MAX)
		return document_error(node, err, "more than %d hosts, client and server among them",
				      SCENARIO_HOSTS_MAX);
	scenario->host_name[scenario->n_hosts] = strdup(node->key);
	if (!scenario->host_name[scenario->n_hosts])
		return error_errno(err, -ENOMEM, "hosts");
	scenario->n_hosts++;
	return 0;
}

int scenario_read_hosts(struct scenario *scenario, const struct document_node *root,
			struct error *err)
{
	const struct document_node *map = document_get(root, "hosts");
	int rc;

	if (!map)
		return 0;
	rc = document_require(map, DOCUMENT_MAP, "hosts", err);
	for (size_t i = 0; rc == 0 && i < map->n_items; i++) {
		const struct document_node *item = map->items[i];
		int known = scenario_find_node(scenario, item->key, strlen(item->key));

		if (known == NODE_ROUTER)
			return document_error(item, err, "the router is not among the hosts");
		if (known < 0)
			rc = add_host(scenario, item, err);
	}
	return rc;
}
