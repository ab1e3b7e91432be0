/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verb report: shows what is in stores to people. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/cmd/cmd.h"
#include "src/cmd/output.h"
#include "src/cmd/tell.h"
#include "src/report/answer.h"
#include "src/report/page.h"
#include "src/util/nsec.h"

#define SILENT_NSEC (2 * NSEC_PER_SEC) /* progress is told after so long */

enum format {
	FORMAT_HTML,
	FORMAT_MARKDOWN,
	FORMAT_TEXT,
	FORMAT_SVG,
	_FORMAT_MAX,
};
static const char *const formats[] = { "html", "md", "txt", "svg" };

struct options {
	enum format format;
	const char *by;	    /* the value of --by; NULL: it is not given; not owned */
	const char *output; /* likewise of --output */
};

static int parse_format(const char *text, void *field, struct error *err)
{
	for (enum format f = 0; f < _FORMAT_MAX; f++)
		if (!strcmp(formats[f], text)) {
			*(enum format *)field = f;
			return 0;
		}
	return error_input(err, "--format: expected html, md, txt or svg, got '%s'", text);
}

static const struct argument arguments[] = {
	{ "by", 0, "AXIS,...", "md, txt, svg: a row for each value of these axes",
	  TO_TEXT(options, by) },
	{ "format", 'f', "FORMAT", "html (default): a page; md, txt: a table; svg: a picture",
	  TO_OTHER(options, format, parse_format), "html md txt svg" },
	{ "output", 'o', "FILE", "what to write; - is standard output", TO_TEXT(options, output) },
	{ 0 },
};

/* What is written. */
struct job {
	const struct options *options;
	const char *const *paths; /* of the stores; not owned */
	size_t n;
	nsec_t began_nsec;
};

static void on_progress(size_t done, size_t total, void *userdata)
{
	const struct job *job = userdata;
	char text[64];

	if (!isatty(STDERR_FILENO) || nsec_now() - job->began_nsec < SILENT_NSEC)
		return;
	snprintf(text, sizeof(text), "report: %zu of %zu trials read", done, total);
	tell_progress(text);
}

static int write_page(FILE *out, void *userdata, struct error *err)
{
	struct job *job = userdata;
	int rc = page_write(job->paths, job->n, out, on_progress, job, err);

	tell_no_progress();
	return rc;
}

static int write_answer(FILE *out, void *userdata, struct error *err)
{
	const struct job *job = userdata;
	const struct options *options = job->options;
	struct answer_spec spec = { .by = options->by,
				    .format = options->format == FORMAT_TEXT ? CELLS_TEXT
									     : CELLS_MARKDOWN };
	struct store **stores = calloc(job->n, sizeof(struct store *));
	int rc = stores ? 0 : error_errno(err, -ENOMEM, "report");

	for (size_t i = 0; rc >= 0 && i < job->n; i++)
		rc = store_open(job->paths[i], STORE_READ, NULL, &stores[i], err);
	if (rc >= 0)
		rc = options->format == FORMAT_SVG
			     ? answer_draw(stores, job->n, options->by, out, err)
			     : answer_print(stores, job->n, &spec, out, err);
	for (size_t i = 0; stores && i < job->n; i++)
		store_close(stores[i]);
	free(stores);
	return rc;
}

/* A store that is given twice would count twice. */
static int refuse_twice(const struct job *job, struct error *err)
{
	for (size_t i = 0; i < job->n; i++)
		for (size_t k = 0; k < i; k++)
			if (output_same_file(job->paths[i], job->paths[k]))
				return error_input(err, "report: %s and %s are the same store",
						   job->paths[k], job->paths[i]);
	return 0;
}

static int cmd_report(const struct command_line *line, void *userdata, struct error *err)
{
	const struct options *options = userdata;
	struct job job = { options, (const char *const *)line->operands, (size_t)line->n_operands,
			   nsec_now() };
	bool page = options->format == FORMAT_HTML;
	int rc;

	if (!job.n || (page && !options->output))
		return error_input(err, "report: of which stores, and into which file? deadpeer "
					"report DB... -o FILE.html, or --format md");
	if (page && options->by)
		return error_input(
			err, "report: --by is for --format md, txt and svg; the page has all axes");
	rc = refuse_twice(&job, err);
	if (rc >= 0 && page)
		rc = page_check(err);
	return rc < 0 ? rc
		      : output_write(options->output, job.paths, job.n,
				     page ? write_page : write_answer, &job, err);
}

const struct verb verb_report = {
	.name = "report",
	.operands = "DB...",
	.summary = "Show what is in stores: a page for a browser, a table or a picture",
	.details =
		"The page is one file of HTML that needs no network: the answer, pictures of all "
		"trials, and\ntables to sort and filter. Several stores stand side by side. md and "
		"txt are a table with\na row for each combination of the axes that made a "
		"difference, "
		"for a ticket or a terminal.",
	.arguments = arguments,
	.options_size = sizeof(struct options),
	.run = cmd_report,
};
