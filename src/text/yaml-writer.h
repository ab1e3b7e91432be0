/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Writes a tree as YAML that yaml-reader.h reads back: the same tree, but for lines and comments.
 */

#include "src/text/node.h"

struct yaml_text {
	char *text; /* owned */
	int *lines; /* of the node that begins on each line of the text, from line 1; owned */
	size_t n_lines;
};

/* Leaves out each entry of a map whose key is `without`. -ENOMEM is the only failure. */
int yaml_write(const struct document_node *node, const char *without, struct yaml_text *ret_text);
void yaml_text_deinit(struct yaml_text *text);
