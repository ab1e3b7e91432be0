/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* How run and sweep tell their results to CI systems and tickets: --junit and --format. */

#include "src/cmd/arguments.h"
#include "src/record/results.h"

enum results_format {
	RESULTS_TABLE, /* for people at a terminal, which the verb prints itself */
	RESULTS_MARKDOWN,
};

struct results_output {
	const char *junit;	    /* the value of --junit; NULL: it is not given; not owned */
	enum results_format format; /* of --format */
};

int results_output_parse_format(const char *text, void *format, struct error *err);

#define OPTION_FORMAT(options, field)                                                              \
	BRACED("format", 0, "FORMAT", "the summary as table (default), or md: Markdown",           \
	       TO_OTHER(options, field.format, results_output_parse_format), "table md")
#define OPTION_JUNIT(options, field)                                                               \
	BRACED("junit", 0, "FILE", "write the results to FILE as JUnit's XML, for CI systems",     \
	       TO_TEXT(options, field.junit))
#define OPTION_RETRIES(options, field)                                                             \
	BRACED("retries", 0, "N", "try what is inconclusive in real time up to N times more",      \
	       TO_COUNT(options, field, 0, 100))

/* Refuses a file that could not be written, or is the store `db` (NULL: there is none), before
 * anything runs. */
int results_output_check(const struct results_output *output, const char *db, struct error *err);
/* Whether anybody wants the results. */
static inline bool results_output_wanted(const struct results_output *output)
{
	return output->junit || output->format == RESULTS_MARKDOWN;
}
/* Writes the file, and the summary if it is Markdown. `name` is that of the study. */
int results_output_write(const struct results_output *output, const struct results *results,
			 const char *name, struct error *err);
/* Says on standard error that what is inconclusive in virtual time is not tried again. */
void results_output_tell_vain(size_t inconclusive);
