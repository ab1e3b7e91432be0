/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verb report: shows what is in stores to people. */
#include <stdio.h>
#include <unistd.h>

#include "src/cmd/cmd.h"
#include "src/cmd/output.h"
#include "src/cmd/tell.h"
#include "src/report/page.h"
#include "src/util/nsec.h"

#define SILENT_NSEC (2 * NSEC_PER_SEC) /* progress is told after so long */

struct options {
	const char *output; /* the value of --output; NULL: it is not given; not owned */
};

static const struct argument arguments[] = {
	{ "output", 'o', "FILE", "the page to write; - is standard output",
	  TO_TEXT(options, output) },
	{ 0 },
};

/* What is written. */
struct job {
	const char *const *stores; /* paths; not owned */
	size_t n_stores;
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
	int rc = page_write(job->stores, job->n_stores, out, on_progress, job, err);

	tell_no_progress();
	return rc;
}

static int cmd_report(const struct command_line *line, void *userdata, struct error *err)
{
	const struct options *options = userdata;
	struct job job = { (const char *const *)line->operands, (size_t)line->n_operands,
			   nsec_now() };
	int rc = page_check(err);

	if (!job.n_stores || !options->output)
		return error_input(err, "report: of which stores, and into which file? deadpeer "
					"report DB... -o FILE.html");
	return rc < 0 ? rc
		      : output_write(options->output, job.stores, job.n_stores, write_page, &job,
				     err);
}

const struct verb verb_report = {
	.name = "report",
	.operands = "DB...",
	.summary = "Show what is in stores on a page for a browser",
	.details =
		"The page is one file of HTML that needs no network: the answer, pictures of all "
		"trials, and\ntables to sort and filter. Several stores stand side by side.",
	.arguments = arguments,
	.options_size = sizeof(struct options),
	.run = cmd_report,
};
