/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A YAML file as a tree of maps, lists and scalars that know their line. It is
 * read event by event (libyaml), so that the limits below hold while reading:
 * a file that is too large, too deep or made of aliases of aliases costs nothing.
 * Duplicate keys, tags, control characters and second documents are refused.
 */

#include <stddef.h>

#include "src/util/cleanup.h"
#include "src/util/error.h"

#define DOCUMENT_MAX_SIZE    (8 << 20) /* bytes of the file; comments, mostly */
#define DOCUMENT_MAX_NODES   10000     /* keys and values, those that aliases repeat included */
#define DOCUMENT_MAX_DEPTH   32
#define DOCUMENT_MAX_STRING  4096 /* bytes of one key or value */
#define DOCUMENT_MAX_ANCHORS 64

enum document_kind {
	DOCUMENT_SCALAR,
	DOCUMENT_LIST,
	DOCUMENT_MAP,
};

struct document_node {
	enum document_kind kind;
	const char *file;	      /* the document's name, for errors; not owned */
	int line;		      /* where the value is, or in a map, its key; from 1 */
	char *key;		      /* in a map; owned */
	char *text;		      /* SCALAR: as written, without quotes; owned */
	struct document_node **items; /* LIST and MAP, in order; owned */
	size_t n_items;
};

struct document {
	char *file;    /* owned */
	char *source;  /* the whole text, terminated; owned */
	char *comment; /* the comment that opens the file, without "# " and SPDX lines; owned */
	struct document_node *root; /* a map; owned */
};

/* Reads a file; ERROR_INPUT when there is none. */
int document_read(const char *path, struct document **ret_document, struct error *err);
int document_parse(const char *file, const char *text, size_t size, struct document **ret_document,
		   struct error *err);
struct document *document_free(struct document *document);
DEFINE_CLEANUP(struct document *, document_free)

struct document_node *document_node_free(struct document_node *node);
DEFINE_CLEANUP(struct document_node *, document_node_free)
/* yaml.c: the tree of `text`, whose nodes refer to document->file. */
int document_read_yaml(const struct document *document, const char *text, size_t size,
		       struct document_node **ret_root, struct error *err);

/* The value of a key of a map, or NULL. */
const struct document_node *document_get(const struct document_node *map, const char *key);
/* "a map", "a list", "a single value" */
const char *document_kind_name(enum document_kind kind);

/* ERROR_INPUT "FILE:LINE: <formatted>". */
__attribute__((format(printf, 3, 4))) int document_error(const struct document_node *node,
							 struct error *err, const char *format,
							 ...);
/* Puts "FILE:LINE: " in front of an error that has none yet; returns `rc`. */
int document_prefix(const struct document_node *node, int rc, struct error *err);
/* Refuses a node of another kind: "'timeline' must be a list, not a map". `what` names it. */
int document_require(const struct document_node *node, enum document_kind kind, const char *what,
		     struct error *err);
