/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cmd/results-output.h"

#include <stdio.h>
#include <string.h>

#include "src/cmd/output.h"
#include "src/record/junit.h"
#include "src/report/markdown.h"

int results_output_parse_format(const char *text, void *format, struct error *err)
{
	static const char *const names[] = { [RESULTS_TABLE] = "table", [RESULTS_MARKDOWN] = "md" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(text, names[i])) {
			*(enum results_format *)format = (enum results_format)i;
			return 0;
		}
	return error_input(err, "--format: expected table or md, got '%s'", text);
}

int results_output_check(const struct results_output *output, const char *db, struct error *err)
{
	if (!output->junit)
		return 0;
	if (db && (!strcmp(db, output->junit) || output_same_file(db, output->junit)))
		return error_input(err, "--junit %s: is the store; name another file",
				   output->junit);
	return output_check("junit", output->junit, err);
}

/* What is written, and under which name. */
struct named {
	const struct results *results;
	const char *name;
};

static int write_junit(FILE *out, void *userdata, struct error *err)
{
	const struct named *named = userdata;

	junit_write(named->results, named->name, out);
	return 0;
}

static int write_markdown(FILE *out, void *userdata, struct error *err)
{
	const struct named *named = userdata;

	markdown_write(named->results, named->name, out);
	return 0;
}

int results_output_write(const struct results_output *output, const struct results *results,
			 const char *name, struct error *err)
{
	struct named named = { results, name };
	int rc = 0;

	if (output->format == RESULTS_MARKDOWN)
		rc = output_write(NULL, NULL, 0, write_markdown, &named, err);
	if (rc >= 0 && output->junit)
		rc = output_write(output->junit, NULL, 0, write_junit, &named, err);
	return rc;
}

void results_output_tell_vain(size_t inconclusive)
{
	fprintf(stderr,
		"deadpeer: --retries: %zu trial%s inconclusive in virtual time, where another try "
		"is the same: not tried again\n",
		inconclusive, inconclusive == 1 ? " is" : "s are");
}
