/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * YAML to a tree of nodes. It is read event by event (libyaml), so that these limits
 * hold while reading. Duplicate keys, tags, control characters and second documents are
 * refused.
 */

#include "src/text/node.h"

#define DOCUMENT_MAX_NODES   10000 /* keys and values, those that aliases repeat included */
#define DOCUMENT_MAX_DEPTH   32
#define DOCUMENT_MAX_STRING  4096  /* bytes of one key or value */
#define DOCUMENT_MAX_TEXT    65536 /* bytes of a value of several lines */
#define DOCUMENT_MAX_ANCHORS 64

/* The tree of `text`, whose nodes refer to the name `file`, which is not copied. */
int yaml_read(const char *file, const char *text, size_t size, struct document_node **ret_root,
	      struct error *err);
