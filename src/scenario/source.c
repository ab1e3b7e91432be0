/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that is read once, and of which a study or a guest makes scenarios many times. */
#include <errno.h>

#include "src/scenario/internal.h"

struct scenario_source {
	struct document *document;	      /* owned */
	const struct document_node *variants; /* in the document; NULL: the file has none */
};

/* Takes `document` over. */
static int source_new(struct document **document, struct scenario_source **ret_source,
		      struct error *err)
{
	struct scenario_source *source = calloc(1, sizeof(*source));

	if (!source)
		return error_errno(err, -ENOMEM, "%s", (*document)->file);
	source->variants = document_get((*document)->root, "variants");
	source->document = take_ptr(*document);
	*ret_source = source;
	return 0;
}

int scenario_source_load(const char *what, struct scenario_source **ret_source, struct error *err)
{
	const struct scenario_request real = { 0 };
	_cleanup_(document_freep) struct document *document = NULL;
	_cleanup_(freep) char *path = NULL;
	struct scenario_list checked = { 0 };
	int rc = scenario_find(what, &path, err);

	if (rc >= 0)
		rc = document_read(path, &document, err);
	if (rc >= 0)
		rc = scenario_build_all(document, &real, &checked, err);
	scenario_list_deinit(&checked);
	return rc < 0 ? rc : source_new(&document, ret_source, err);
}

int scenario_source_parse(const char *file, const char *text, size_t size,
			  struct scenario_source **ret_source, struct error *err)
{
	_cleanup_(document_freep) struct document *document = NULL;
	int rc = document_parse(file, text, size, &document, err);

	return rc < 0 ? rc : source_new(&document, ret_source, err);
}

struct scenario_source *scenario_source_free(struct scenario_source *source)
{
	if (source)
		document_free(source->document);
	free(source);
	return NULL;
}

const char *scenario_source_file(const struct scenario_source *source)
{
	return source->document->file;
}

const char *scenario_source_text(const struct scenario_source *source)
{
	return source->document->source;
}

size_t scenario_source_count(const struct scenario_source *source)
{
	return source->variants ? source->variants->n_items : 1;
}

const char *scenario_source_variant(const struct scenario_source *source, size_t variant)
{
	const struct document_node *name;

	if (!source->variants)
		return NULL;
	name = document_get(source->variants->items[variant], "name");
	return name ? name->text : NULL;
}

int scenario_source_pick(const struct scenario_source *source, const char *name, size_t *ret_first,
			 size_t *ret_end, struct error *err)
{
	return scenario_pick_variants(source->document, name, ret_first, ret_end, err);
}

int scenario_source_make(const struct scenario_source *source, size_t variant,
			 const struct scenario_request *request, struct scenario **ret_scenario,
			 struct error *err)
{
	const struct document_node *node =
		source->variants ? source->variants->items[variant] : NULL;

	return scenario_build(source->document, node, request, ret_scenario, err);
}
