/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/text/node.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct document_node *document_node_free(struct document_node *node)
{
	if (!node)
		return NULL;
	for (size_t i = 0; i < node->n_items; i++)
		document_node_free(node->items[i]);
	free(node->items);
	free(node->key);
	free(node->text);
	free(node);
	return NULL;
}

const struct document_node *document_get(const struct document_node *map, const char *key)
{
	for (size_t i = 0; i < map->n_items; i++)
		if (!strcmp(map->items[i]->key, key))
			return map->items[i];
	return NULL;
}

const char *document_kind_name(enum document_kind kind)
{
	static const char *const names[] = {
		[DOCUMENT_SCALAR] = "a single value",
		[DOCUMENT_TEXT] = "a text of several lines",
		[DOCUMENT_LIST] = "a list",
		[DOCUMENT_MAP] = "a map",
	};

	return names[kind];
}

int document_prefix(const struct document_node *node, int rc, struct error *err)
{
	return rc < 0 ? error_prefix(err, rc, "%s:%d", node->file, node->line) : rc;
}

int document_prefix_key(const struct document_node *node, int rc, struct error *err)
{
	return rc < 0 ? error_prefix(err, rc, "%s:%d: %s", node->file, node->line, node->key) : rc;
}

int document_error(const struct document_node *node, struct error *err, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	error_setv(err, ERROR_INPUT, -EINVAL, format, ap);
	va_end(ap);
	return document_prefix(node, -EINVAL, err);
}

int document_require(const struct document_node *node, enum document_kind kind, const char *what,
		     struct error *err)
{
	if (node->kind == kind)
		return 0;
	return document_error(node, err, "'%s' must be %s, not %s", what, document_kind_name(kind),
			      document_kind_name(node->kind));
}

int document_require_count(const struct document_node *node, const char *what, size_t count,
			   size_t maximum, struct error *err)
{
	if (count >= 1 && count <= maximum)
		return 0;
	return document_error(node, err, "'%s' has %s entries; it takes 1 to %zu", what,
			      count ? "too many" : "no", maximum);
}
