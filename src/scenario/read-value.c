/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The values that several keys of `expect` have: words that name something, and ranges of numbers.
 */
#include <errno.h>
#include <string.h>

#include "src/scenario/internal.h"
#include "src/text/quantity.h"
#include "src/text/suggest.h"

int scenario_read_word(const char *word, const struct word_list *list, int *ret_value,
		       struct error *err)
{
	struct suggestion suggestion;
	char buffer[SUGGESTION_SIZE];

	if (list->none && !strcmp(word, "none")) {
		*ret_value = 0;
		return 0;
	}
	suggestion_init(&suggestion, word);
	for (int i = list->first; i < list->end; i++) {
		const char *name = list->names ? names_text(list->names, i) : errno_name(i);

		if (!name)
			continue;
		if (!strcmp(name, word)) {
			*ret_value = i;
			return 0;
		}
		suggestion_offer(&suggestion, name);
	}
	return error_input(err, "there is no %s '%s'%s", list->what, word,
			   suggestion_text(&suggestion, buffer, sizeof(buffer)));
}

static int read_count(const struct document_node *node, uint64_t *ret_count, struct error *err)
{
	int rc = document_require(node, DOCUMENT_SCALAR, node->key, err);

	if (rc < 0)
		return rc;
	rc = quantity_parse_bytes(node->text, 0, INT64_MAX, ret_count, err);
	if (rc < 0)
		error_prefix(err, rc, "%s", node->key);
	return rc < 0 ? document_prefix(node, rc, err) : 0;
}

/* "1MiB", or {at_least: 1KiB, at_most: 2KiB}. */
int scenario_read_range(struct expect_range *bytes, const struct document_node *node,
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
	*bytes = range;
	return 0;
}
