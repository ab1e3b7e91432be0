/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A tree of maps, lists and scalars that know their line, and errors that name it. */

#include <stddef.h>

#include "src/util/cleanup.h"
#include "src/util/error.h"

enum document_kind {
	DOCUMENT_SCALAR, /* in one line, unless it is an item of a list */
	DOCUMENT_TEXT,	 /* a scalar of several lines, or with a tab */
	DOCUMENT_LIST,
	DOCUMENT_MAP,
};

struct document_node {
	enum document_kind kind;
	const char *file;	      /* the document's name, for errors; not owned */
	int line;		      /* of the value, or in a map of its key; from 1 */
	char *key;		      /* in a map; owned */
	char *text;		      /* SCALAR and TEXT: as written, without quotes; owned */
	struct document_node **items; /* LIST and MAP, in order; owned */
	size_t n_items;
};

struct document_node *document_node_free(struct document_node *node);
DEFINE_CLEANUP(struct document_node *, document_node_free)

/* The value of a key of a map, or NULL. */
const struct document_node *document_get(const struct document_node *map, const char *key);
/* "a map", "a list", "a single value" */
const char *document_kind_name(enum document_kind kind);

/* Sets ERROR_INPUT with "FILE:LINE: <formatted>". */
__attribute__((format(printf, 3, 4))) int document_error(const struct document_node *node,
							 struct error *err, const char *format,
							 ...);
/* If `rc` is an error, puts "FILE:LINE: " in front of its text, which has no position yet. Returns
 * `rc`. */
int document_prefix(const struct document_node *node, int rc, struct error *err);
/* The same with "FILE:LINE: KEY: ", where the node is a value in a map. */
int document_prefix_key(const struct document_node *node, int rc, struct error *err);
/* Refuses a node of another kind: "'timeline' must be a list, not a map". `what` names it. */
int document_require(const struct document_node *node, enum document_kind kind, const char *what,
		     struct error *err);
/* Refuses a count of entries that is not from 1 to `maximum`; `what` names the node. */
int document_require_count(const struct document_node *node, const char *what, size_t count,
			   size_t maximum, struct error *err);
