/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A YAML file as a tree of maps, lists and scalars that know their line, with its
 * source and the comment that opens it. src/text/yaml-reader.h says what is refused.
 */

#include <stddef.h>

#include "src/text/node.h"

#define DOCUMENT_MAX_SIZE (8 << 20) /* bytes of the file; comments, mostly */

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
