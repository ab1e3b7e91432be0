/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes a tree of libyaml's events. No other file uses libyaml. */
#include "src/text/yaml-reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <yaml.h>

#include "src/util/array.h"

struct anchor {
	char *name;			  /* without '&'; owned */
	const struct document_node *node; /* the tree's; NULL while its value is still being read */
};

struct reader {
	const char *file; /* the document's name, for errors */
	const char *text; /* the whole input, for the line of an encoding error */
	size_t size;	  /* of the text, bytes */
	yaml_parser_t parser;
	size_t n_nodes; /* keys and values so far */
	struct anchor anchors[DOCUMENT_MAX_ANCHORS];
	size_t n_anchors;
	struct error *err;
	bool list_item; /* the scalar being read stands in a list */
};

static inline void yaml_event_deletep(yaml_event_t *event)
{
	yaml_event_delete(event);
}

static int line_of(yaml_mark_t mark)
{
	return (int)mark.line + 1;
}

__attribute__((format(printf, 3, 4))) static int refuse(struct reader *reader, int line,
							const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	error_setv(reader->err, ERROR_INPUT, -EINVAL, format, ap);
	va_end(ap);
	return error_prefix(reader->err, -EINVAL, "%s:%d", reader->file, line);
}

static int out_of_memory(struct reader *reader)
{
	return error_errno(reader->err, -ENOMEM, "%s", reader->file);
}

/* Refuses what libyaml did not understand. The errors of its reader have an offset, the others a
 * mark. */
static int refuse_syntax(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	const char *hint = "", *context = parser->context ? parser->context : "";
	size_t at = parser->problem_mark.index;
	int line = line_of(parser->problem_mark);

	if (parser->error == YAML_MEMORY_ERROR)
		return out_of_memory(reader);
	if (parser->error == YAML_READER_ERROR) {
		line = 1;
		for (size_t i = 0; i < parser->problem_offset && i < reader->size; i++)
			line += reader->text[i] == '\n';
		if (strstr(parser->problem, "UTF-8"))
			hint = "; the file must be UTF-8";
	} else if (strstr(context, "tag")) {
		hint = "; quote a value that begins with '!'";
	} else if (at < reader->size && reader->text[at] == '\t') {
		hint = "; there is a tab, indent with spaces";
	} else if (at < reader->size && strchr("%@`", reader->text[at])) {
		hint = "; quote a value that begins with %, @ or `";
	}
	return refuse(reader, line, "not valid YAML: %s%s%s%s",
		      parser->problem ? parser->problem : "cannot be read", *context ? " " : "",
		      context, hint);
}

static int next(struct reader *reader, yaml_event_t *event)
{
	yaml_event_delete(event);
	if (yaml_parser_parse(&reader->parser, event))
		return 0;
	return refuse_syntax(reader);
}

static bool has_control_character(const char *text, size_t size, bool key)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (!key && (c == '\n' || c == '\t'))
			continue;
		if (c < ' ' || c == 0x7f)
			return true;
		/* These two bytes are U+0080..U+009F. */
		if (c == 0xc2 && i + 1 < size && (unsigned char)text[i + 1] < 0xa0)
			return true;
	}
	return false;
}

static int refuse_control_character(struct reader *reader, int line)
{
	return refuse(reader, line, "a line break or control character inside a value");
}

/* Line breaks and tabs make a text of a value, but in the items of a list: the words of a command
 * can be whole scripts. */
static enum document_kind kind_of(const struct reader *reader, const char *text)
{
	return !reader->list_item && strpbrk(text, "\n\t") ? DOCUMENT_TEXT : DOCUMENT_SCALAR;
}

static int copy_text(struct reader *reader, const yaml_event_t *event, bool key, char **ret_text)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t size = event->data.scalar.length;
	int line = line_of(event->start_mark);

	if (event->data.scalar.tag)
		return refuse(reader, line,
			      "YAML tags ('!...') are not used here; quote a value "
			      "that begins with '!'");
	size_t most = strpbrk(value, "\n\t") ? DOCUMENT_MAX_TEXT : DOCUMENT_MAX_STRING;

	if (has_control_character(value, size, key))
		return refuse_control_character(reader, line);
	if (size > most)
		return refuse(reader, line, "a value of more than %zu bytes", most);
	*ret_text = strndup(value, size);
	return *ret_text ? 0 : out_of_memory(reader);
}

/* Makes a node, and counts it: here the limits on a document's size and depth are kept. */
static int node_new(struct reader *reader, enum document_kind kind, int line, int depth,
		    struct document_node **ret_node)
{
	struct document_node *node;

	if (++reader->n_nodes > DOCUMENT_MAX_NODES)
		return refuse(reader, line,
			      "more than %d YAML nodes; a scenario has three nodes "
			      "(client, server, router) and at most 1000 events",
			      DOCUMENT_MAX_NODES);
	if (depth > DOCUMENT_MAX_DEPTH)
		return refuse(reader, line, "nested deeper than %d levels", DOCUMENT_MAX_DEPTH);
	node = calloc(1, sizeof(*node));
	if (!node)
		return out_of_memory(reader);
	node->kind = kind;
	node->file = reader->file;
	node->line = line;
	*ret_node = node;
	return 0;
}

/* Takes `item` over, also when it fails. */
static int node_append(struct reader *reader, struct document_node *node,
		       struct document_node *item)
{
	struct document_node **slot = array_append(&node->items, &node->n_items, sizeof(*slot));

	if (!slot) {
		document_node_free(item);
		return out_of_memory(reader);
	}
	*slot = item;
	return 0;
}

/* Copies a node with all that is below it. `line` is the alias's, for an error of a limit that the
 * copy passes. */
static int node_copy(struct reader *reader, const struct document_node *from, int line, int depth,
		     struct document_node **ret_node)
{
	_cleanup_(document_node_freep) struct document_node *node = NULL;
	int rc;

	rc = node_new(reader, from->kind, line, depth, &node);
	if (rc < 0)
		return rc;
	node->line = from->line;
	if ((from->text && !(node->text = strdup(from->text))) ||
	    (from->key && !(node->key = strdup(from->key))))
		return out_of_memory(reader);
	for (size_t i = 0; i < from->n_items; i++) {
		struct document_node *item = NULL;

		rc = node_copy(reader, from->items[i], line, depth + 1, &item);
		if (rc == 0)
			rc = node_append(reader, node, item);
		if (rc < 0)
			return rc;
	}
	*ret_node = take_ptr(node);
	return 0;
}

/* Replaces an alias by a copy of the node that it stands for, which counts like any other. Its text
 * must be one that may stand in this place, which may not be a list's. */
static int read_alias(struct reader *reader, const yaml_event_t *event, int depth,
		      struct document_node **ret_node)
{
	const char *name = (const char *)event->data.alias.anchor;
	int rc, line = line_of(event->start_mark);

	for (size_t i = reader->n_anchors; i-- > 0;) {
		if (strcmp(reader->anchors[i].name, name))
			continue;
		if (!reader->anchors[i].node)
			return refuse(reader, line, "alias '*%s' is part of what it stands for",
				      name);
		rc = node_copy(reader, reader->anchors[i].node, line, depth, ret_node);
		if (rc < 0)
			return rc;
		if ((*ret_node)->text)
			(*ret_node)->kind = kind_of(reader, (*ret_node)->text);
		free((*ret_node)->key);
		(*ret_node)->key = NULL;
		(*ret_node)->line = line;
		return 0;
	}
	return refuse(reader, line, "alias '*%s' stands for nothing: there is no '&%s' before it",
		      name, name);
}

static int add_anchor(struct reader *reader, const yaml_char_t *name, int line,
		      struct anchor **ret_anchor)
{
	struct anchor *anchor = &reader->anchors[reader->n_anchors];

	if (reader->n_anchors == DOCUMENT_MAX_ANCHORS)
		return refuse(reader, line, "more than %d anchors ('&...')", DOCUMENT_MAX_ANCHORS);
	anchor->name = strdup((const char *)name);
	if (!anchor->name)
		return out_of_memory(reader);
	reader->n_anchors++;
	*ret_anchor = anchor;
	return 0;
}

static int read_node(struct reader *reader, yaml_event_t *event, int depth,
		     struct document_node **ret_node);

static int read_item(struct reader *reader, yaml_event_t *event, int depth,
		     struct document_node *list)
{
	struct document_node *item = NULL;
	int rc;

	reader->list_item = event->type == YAML_SCALAR_EVENT || event->type == YAML_ALIAS_EVENT;
	rc = read_node(reader, event, depth, &item);
	reader->list_item = false;
	return rc < 0 ? rc : node_append(reader, list, item);
}

static int read_entry(struct reader *reader, yaml_event_t *event, int depth,
		      struct document_node *map)
{
	_cleanup_(freep) char *key = NULL;
	const struct document_node *before;
	struct document_node *item = NULL;
	int rc, line = line_of(event->start_mark);

	if (event->type != YAML_SCALAR_EVENT)
		return refuse(reader, line, "a key must be a single word");
	rc = copy_text(reader, event, true, &key);
	if (rc < 0)
		return rc;
	before = document_get(map, key);
	if (before)
		return refuse(reader, line, "'%s' stands here twice; the first is in line %d", key,
			      before->line);
	reader->n_nodes++;
	rc = next(reader, event);
	if (rc == 0)
		rc = read_node(reader, event, depth, &item);
	if (rc < 0)
		return rc;
	item->key = take_ptr(key);
	item->line = line;
	return node_append(reader, map, item);
}

/* Reads what a list or a map contains, up to the event that ends it. */
static int read_items(struct reader *reader, yaml_event_t *event, int depth,
		      struct document_node *node)
{
	for (;;) {
		int rc = next(reader, event);

		if (rc < 0 || event->type == YAML_SEQUENCE_END_EVENT ||
		    event->type == YAML_MAPPING_END_EVENT)
			return rc;
		if (node->kind == DOCUMENT_LIST)
			rc = read_item(reader, event, depth + 1, node);
		else
			rc = read_entry(reader, event, depth + 1, node);
		if (rc < 0)
			return rc;
	}
}

/* Reads the value that begins with `event`; the stack is bounded by DOCUMENT_MAX_DEPTH. */
static int read_node(struct reader *reader, yaml_event_t *event, int depth,
		     struct document_node **ret_node)
{
	_cleanup_(document_node_freep) struct document_node *node = NULL;
	const yaml_char_t *name, *tag = NULL;
	struct anchor *anchor = NULL;
	enum document_kind kind;
	int rc, line = line_of(event->start_mark);

	switch ((int)event->type) {
	case YAML_ALIAS_EVENT:
		return read_alias(reader, event, depth, ret_node);
	case YAML_SCALAR_EVENT:
		kind = DOCUMENT_SCALAR;
		name = event->data.scalar.anchor;
		break;
	case YAML_SEQUENCE_START_EVENT:
		kind = DOCUMENT_LIST;
		name = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		kind = DOCUMENT_MAP;
		name = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
		break;
	default:
		return refuse(reader, line, "a value is missing");
	}
	if (tag)
		return refuse(reader, line, "YAML tags ('!...') are not used here");
	rc = node_new(reader, kind, line, depth, &node);
	if (rc == 0 && name)
		rc = add_anchor(reader, name, line, &anchor);
	if (rc == 0 && kind == DOCUMENT_SCALAR)
		rc = copy_text(reader, event, false, &node->text);
	else if (rc == 0)
		rc = read_items(reader, event, depth, node);
	if (rc < 0)
		return rc;
	if (node->text)
		node->kind = kind_of(reader, node->text);
	if (anchor)
		anchor->node = node;
	*ret_node = take_ptr(node);
	return 0;
}

static int read_stream(struct reader *reader, struct document_node **ret_root)
{
	_cleanup_(yaml_event_deletep) yaml_event_t event = { 0 };
	_cleanup_(document_node_freep) struct document_node *root = NULL;
	int rc;

	do
		rc = next(reader, &event);
	while (rc == 0 &&
	       (event.type == YAML_STREAM_START_EVENT || event.type == YAML_DOCUMENT_START_EVENT));
	if (rc == 0 && event.type == YAML_STREAM_END_EVENT)
		return refuse(reader, 1, "the file is empty");
	if (rc == 0)
		rc = read_node(reader, &event, 1, &root);
	if (rc == 0 && root->kind != DOCUMENT_MAP)
		return refuse(reader, root->line, "a scenario is a map ('name: ...'), not %s",
			      document_kind_name(root->kind));
	while (rc == 0 && event.type != YAML_STREAM_END_EVENT) {
		rc = next(reader, &event);
		if (rc == 0 && event.type == YAML_DOCUMENT_START_EVENT)
			return refuse(reader, line_of(event.start_mark),
				      "a second YAML document; one file is one scenario");
	}
	if (rc < 0)
		return rc;
	*ret_root = take_ptr(root);
	return 0;
}

int yaml_read(const char *file, const char *text, size_t size, struct document_node **ret_root,
	      struct error *err)
{
	struct reader reader = { .file = file, .text = text, .size = size, .err = err };
	int rc;

	/* libyaml stumbles over a byte order mark in front of a key. */
	if (size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		size -= 3;
		reader.text = text;
		reader.size = size;
	}
	if (!yaml_parser_initialize(&reader.parser))
		return out_of_memory(&reader);
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, size);
	rc = read_stream(&reader, ret_root);
	yaml_parser_delete(&reader.parser);
	for (size_t i = 0; i < reader.n_anchors; i++)
		free(reader.anchors[i].name);
	return rc;
}
