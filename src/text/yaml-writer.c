/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/text/yaml-writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/util/array.h"

struct writer {
	FILE *out;
	const char *without;
	struct yaml_text *text;
	bool failed;
};

/* Scalars are as in JSON, but that YAML takes U+2028 and U+2029 for line breaks. */
static void write_scalar(struct writer *w, const char *text)
{
	fputc('"', w->out);
	for (const char *c = text; *c; c++) {
		if (!strncmp(c, "\xe2\x80\xa8", 3) || !strncmp(c, "\xe2\x80\xa9", 3)) {
			fputs(c[2] == '\xa8' ? "\\L" : "\\P", w->out);
			c += 2;
		} else if (*c == '\n' || *c == '\t') {
			fputs(*c == '\n' ? "\\n" : "\\t", w->out);
		} else {
			fprintf(w->out, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
		}
	}
	fputc('"', w->out);
}

/* Begins the line of a node. */
static void begin_line(struct writer *w, const struct document_node *node)
{
	int *line = array_append(&w->text->lines, &w->text->n_lines, sizeof(*line));

	w->failed |= !line;
	if (line)
		*line = node->line;
	fputc('\n', w->out);
}

static void write_node(struct writer *w, const struct document_node *node)
{
	bool map = node->kind == DOCUMENT_MAP, first = true;

	if (node->text) {
		write_scalar(w, node->text);
		return;
	}
	fputc(map ? '{' : '[', w->out);
	for (size_t i = 0; i < node->n_items; i++) {
		const struct document_node *item = node->items[i];

		if (map && !strcmp(item->key, w->without))
			continue;
		fputs(first ? "" : ",", w->out);
		first = false;
		begin_line(w, item);
		if (map) {
			write_scalar(w, item->key);
			fputs(": ", w->out);
		}
		write_node(w, item);
	}
	fputc(map ? '}' : ']', w->out);
}

int yaml_write(const struct document_node *node, const char *without, struct yaml_text *ret_text)
{
	struct writer w = { .without = without, .text = ret_text };
	int *first;
	size_t size;

	*ret_text = (struct yaml_text){ 0 };
	first = array_append(&ret_text->lines, &ret_text->n_lines, sizeof(*first));
	w.out = open_memstream(&ret_text->text, &size);
	if (first)
		*first = node->line;
	if (w.out)
		write_node(&w, node);
	if (first && w.out && fclose(w.out) == 0 && !w.failed)
		return 0;
	yaml_text_deinit(ret_text);
	return -ENOMEM;
}

void yaml_text_deinit(struct yaml_text *text)
{
	free(text->text);
	free(text->lines);
	*text = (struct yaml_text){ 0 };
}
