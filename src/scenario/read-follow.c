/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `follow`, where it is a list: which connections are followed, each with a name. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/scenario/internal.h"

#define NUMBER_MAX 10000

static int read_host(const struct scenario *scenario, const struct document_node *item,
		     const char *key, enum node_id *ret_host, struct error *err)
{
	const struct document_node *node = document_get(item, key);
	int rc, host;

	if (!node)
		return document_error(item, err, "a connection to follow needs '%s'", key);
	rc = document_require(node, DOCUMENT_SCALAR, key, err);
	if (rc < 0)
		return rc;
	host = scenario_find_node(scenario, node->text, strlen(node->text));
	if (host < 0 || host == NODE_ROUTER)
		return document_error(node, err, "follow: there is no host '%s'", node->text);
	*ret_host = (enum node_id)host;
	return 0;
}

/* Reads a whole number from 1; `*ret_number` stays where the item has no such key. */
static int read_number(const struct document_node *item, const char *key, uint64_t maximum,
		       const char *wrong, uint64_t *ret_number, struct error *err)
{
	const struct document_node *node = document_get(item, key);
	char *end;
	int rc;

	if (!node)
		return 0;
	rc = document_require(node, DOCUMENT_SCALAR, key, err);
	if (rc < 0)
		return rc;
	*ret_number = strtoull(node->text, &end, 10);
	if (node->text[0] < '0' || node->text[0] > '9' || *end || !*ret_number ||
	    *ret_number > maximum)
		return document_error(node, err, wrong, node->text);
	return 0;
}

static int read_place(const struct document_node *item, struct scenario_connection *c,
		      struct error *err)
{
	const struct document_node *node = document_get(item, "number");
	uint64_t number = 1;
	int rc;

	if (node && node->kind == DOCUMENT_SCALAR && !strcmp(node->text, "last")) {
		c->number = SCENARIO_FOLLOW_LAST;
		return 0;
	}
	if (node && node->kind == DOCUMENT_SCALAR && !strcmp(node->text, "all")) {
		c->number = SCENARIO_FOLLOW_ALL;
		return 0;
	}
	if (!node || node->kind != DOCUMENT_SCALAR || strcmp(node->text, "first") != 0) {
		rc = read_number(item, "number", NUMBER_MAX,
				 "follow: number: '%s' is none of first, last, all and a number "
				 "from 1",
				 &number, err);
		if (rc < 0)
			return rc;
	}
	c->number = (uint32_t)number;
	return 0;
}

static int read_late(const struct document_node *item, struct scenario_connection *c,
		     struct error *err)
{
	const struct document_node *node = document_get(item, "late");
	int rc;

	if (!node)
		return 0;
	rc = document_require(node, DOCUMENT_SCALAR, "late", err);
	if (rc < 0)
		return rc;
	c->late = !strcmp(node->text, "true");
	if (!c->late && strcmp(node->text, "false") != 0)
		return document_error(node, err, "follow: late: '%s' is neither true nor false",
				      node->text);
	if (c->late && c->number == SCENARIO_FOLLOW_ALL)
		return document_error(node, err,
				      "follow: late: all are those that are open at the first "
				      "event, so none of them can be late");
	return 0;
}

static int read_name(const struct scenario *scenario, const struct document_node *item,
		     struct scenario_connection *c, struct error *err)
{
	const struct document_node *node = document_get(item, "name");
	int rc;

	if (!node)
		return document_error(item, err, "a connection to follow needs 'name'");
	rc = scenario_read_name(node, false, &c->name, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < scenario->n_ends / 2; i++)
		if (&scenario->connections[i] != c &&
		    !strcmp(scenario->connections[i].name, c->name))
			return document_error(node, err,
					      "follow: '%s' is the connection of line %d already",
					      c->name, scenario->connections[i].line);
	return 0;
}

static int read_connection(struct scenario *scenario, const struct document_node *item,
			   struct error *err)
{
	static const char *const keys[] = { "name", "from", "to", "port", "number", "late" };
	struct scenario_connection *c = &scenario->connections[scenario->n_ends / 2];
	int rc;

	rc = document_require(item, DOCUMENT_MAP, "a connection to follow", err);
	if (rc == 0)
		rc = grammar_refuse_unknown(item, keys, ARRAY_SIZE(keys), "follow has no key", err);
	if (rc < 0)
		return rc;
	c->line = item->line;
	rc = read_name(scenario, item, c, err);
	if (rc == 0)
		rc = read_host(scenario, item, "from", &c->from, err);
	if (rc == 0)
		rc = read_host(scenario, item, "to", &c->to, err);
	if (rc == 0 && c->from == c->to)
		return document_error(item, err,
				      "follow: '%s' would stay on its host, and what goes over the "
				      "loopback is never followed",
				      c->name);
	if (rc == 0)
		rc = read_number(item, "port", UINT16_MAX,
				 "follow: port: '%s' is no number from 1 to 65535", &c->port, err);
	if (rc == 0)
		rc = read_place(item, c, err);
	if (rc == 0)
		rc = read_late(item, c, err);
	if (rc == 0)
		scenario->n_ends += 2;
	return rc;
}

/* Whether a name is "pool-2" where "pool" is that of all connections. */
static bool is_ranked(const char *name, const char *all)
{
	size_t n = strlen(all);

	return !strncmp(name, all, n) && name[n] == '-' && name[n + 1] &&
	       strspn(name + n + 1, "0123456789") == strlen(name + n + 1);
}

static int check_ranked(const struct scenario *s, const struct document_node *list,
			struct error *err)
{
	for (size_t i = 0; i < list->n_items; i++)
		for (size_t k = 0; k < list->n_items; k++)
			if (s->connections[i].number == SCENARIO_FOLLOW_ALL &&
			    is_ranked(s->connections[k].name, s->connections[i].name))
				return document_error(list->items[k], err,
						      "follow: '%s' is what one of all '%s' is "
						      "called",
						      s->connections[k].name,
						      s->connections[i].name);
	return 0;
}

int scenario_read_follow(struct scenario *scenario, const struct document_node *list,
			 struct error *err)
{
	int rc = document_require_count(list, "follow", list->n_items, SCENARIO_CONNECTIONS_MAX,
					err);

	if (rc < 0)
		return rc;
	for (enum end_id end = 0; end < scenario->n_ends; end++)
		for (int family = 0; family < _FAMILY_MAX; family++)
			scenario_expect_nothing(&scenario->expect[family][end]);
	scenario->n_ends = 0;
	for (size_t i = 0; rc == 0 && i < list->n_items; i++)
		rc = read_connection(scenario, list->items[i], err);
	if (rc == 0)
		rc = check_ranked(scenario, list, err);
	if (rc == 0 && scenario->connections[0].late)
		return document_error(
			list->items[0], err,
			"follow: the first connection is there before the first event; "
			"another may be late");
	return rc;
}
