/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hosts that a scenario names beside client and server. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/scenario/internal.h"

/* The router's link to a host is called "to-" and its name, and Linux takes 15 bytes (IFNAMSIZ). */
#define NAME_MAX_LENGTH 12

const char *scenario_node_name(const struct scenario *scenario, enum node_id node)
{
	return node < SCENARIO_HOSTS_MAX && scenario->host_name[node] ? scenario->host_name[node]
								      : node_name(node);
}

int scenario_find_node(const struct scenario *scenario, const char *name, size_t length)
{
	for (enum node_id n = 0; n < _NODE_MAX; n++) {
		const char *known = scenario_node_name(scenario, n);

		if (known && strlen(known) == length && !strncmp(known, name, length))
			return (int)n;
	}
	return -1;
}

char *scenario_end_name(const struct scenario *scenario, enum end_id end, char *buffer, size_t size)
{
	const char *connection = scenario->connections[end_connection(end)].name;
	const char *host = scenario_node_name(scenario, scenario_end_node(scenario, end));

	snprintf(buffer, size, "%s%s%s", connection ? connection : "", connection ? "." : "", host);
	return buffer;
}

int scenario_find_end(const struct scenario *scenario, const char *name)
{
	char known[SCENARIO_END_NAME_SIZE];

	for (enum end_id end = 0; end < scenario->n_ends; end++)
		if (!strcmp(scenario_end_name(scenario, end, known, sizeof(known)), name))
			return (int)end;
	return -1;
}

/* A host's name begins the keys of its settings, so that it must not be one of theirs. */
static bool is_taken(const char *name)
{
	static const char *const taken[] = { "net", "spare", "localhost" };

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

int scenario_read_hosts(struct scenario *scenario, const struct document_node *map,
			struct error *err)
{
	int rc = document_require(map, DOCUMENT_MAP, "hosts", err);

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
