/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The values that several keys have: short texts, names, times, and ranges of numbers. */
#include <errno.h>
#include <string.h>

#include "src/scenario/internal.h"
#include "src/text/quantity.h"

int scenario_read_text(const struct document_node *node, size_t maximum, char **ret_text,
		       struct error *err)
{
	char *copy;
	int rc = node ? document_require(node, DOCUMENT_SCALAR, node->key, err) : 0;

	if (rc < 0 || !node)
		return rc;
	if (!*node->text)
		return document_error(node, err, "'%s' is empty", node->key);
	if (strlen(node->text) > maximum)
		return document_error(node, err, "'%s' is longer than %zu bytes", node->key,
				      maximum);
	copy = strdup(node->text);
	if (!copy)
		return error_errno(err, -ENOMEM, "%s", node->key);
	free(*ret_text);
	*ret_text = copy;
	return 0;
}

/* Names go into file names, tables and command lines. */
int scenario_read_name(const struct document_node *node, bool capitals, char **ret_name,
		       struct error *err)
{
	int rc = scenario_read_text(node, SCENARIO_MAX_NAME, ret_name, err);

	if (rc < 0 || !node)
		return rc;
	for (const char *p = node->text; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') ||
		      (capitals && *p >= 'A' && *p <= 'Z') ||
		      (p != node->text && (*p == '-' || *p == '.'))))
			return document_error(node, err,
					      "%s '%s': use %sa-z and 0-9, and after the first "
					      "'-' and '.'",
					      node->key, node->text, capitals ? "A-Z, " : "");
	return 0;
}

int scenario_read_time(void *time, const struct document_node *node, const struct grammar_key *key,
		       struct error *err)
{
	int rc = document_require(node, DOCUMENT_SCALAR, node->key, err);

	return rc < 0 ? rc
		      : document_prefix_key(node, quantity_parse_time(node->text, time, err), err);
}

static int read_count(const struct document_node *node, uint64_t *ret_count, struct error *err)
{
	int rc = document_require(node, DOCUMENT_SCALAR, node->key, err);

	if (rc == 0)
		rc = document_prefix_key(
			node, quantity_parse_bytes(node->text, 0, INT64_MAX, ret_count, err), err);
	return rc;
}

int scenario_read_range(void *to, const struct document_node *node, const struct grammar_key *key,
			struct error *err)
{
	struct expect_range range = { .present = true, .most = UINT64_MAX };
	int rc = 0;

	if (node->kind != DOCUMENT_MAP) {
		rc = read_count(node, &range.least, err);
		range.most = range.least;
	}
	for (size_t i = 0; rc == 0 && node->kind == DOCUMENT_MAP && i < node->n_items; i++) {
		const struct document_node *item = node->items[i];

		if (!strcmp(item->key, "at_least"))
			rc = read_count(item, &range.least, err);
		else if (!strcmp(item->key, "at_most"))
			rc = read_count(item, &range.most, err);
		else
			rc = document_error(item, err,
					    "'%s' is a number, or {at_least: N, at_most: N}, "
					    "no '%s'",
					    node->key, item->key);
	}
	if (rc < 0)
		return rc;
	if (range.least > range.most)
		return document_error(node, err, "'%s': at_least is more than at_most", node->key);
	*(struct expect_range *)to = range;
	return 0;
}
