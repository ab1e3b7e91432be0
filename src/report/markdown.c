/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/markdown.h"

#include <string.h>

#include "src/util/nsec.h"
#include "src/util/utf8.h"

/* So many lines of each kind; a summary of GitHub's may have a mebibyte. */
#define ROWS_MAX 100
#define TEXT_MAX 500 /* bytes of a text */
/* What means something within a line, also in a cell of a table. */
#define MARKDOWN_SIGNS "\\`*_{}[]|~$!"
/* Parts two signs for GitHub, and is not shown. */
#define NOTHING "<!-- -->"

/* Writes a sign as it is. Markdown takes a sign behind a backslash for itself (CommonMark, 2.4).
 * GitHub makes links of "@name", "#1" and "http://...", whatever stands before them. */
static void put_sign(FILE *out, char c, char next)
{
	if (c == '<')
		fputs("&lt;", out);
	else if (c == '>')
		fputs("&gt;", out);
	else if (c == '&')
		fputs("&amp;", out);
	else if (c == '@' || c == '#' || (c == ':' && next == '/'))
		fprintf(out, "%c" NOTHING, c);
	else
		fprintf(out, "%s%c", strchr(MARKDOWN_SIGNS, c) ? "\\" : "", c);
}

/* Writes a text in one line: a line break would end the row of the table. */
void markdown_put(FILE *out, const char *text)
{
	_cleanup_(freep) char *plain = utf8_plain(text);
	size_t n = plain ? utf8_head(plain, TEXT_MAX) : 0;

	for (size_t i = 0; i < n; i++)
		put_sign(out, plain[i], plain[i + 1]);
	if (plain && plain[n])
		fputs("…", out);
}

/* Writes the lines of a case into one cell. */
static void put_lines(FILE *out, const char *lines)
{
	while (*lines) {
		size_t n = strcspn(lines, "\n");
		_cleanup_(freep) char *line = strndup(lines, n);

		if (line)
			markdown_put(out, line);
		lines += n;
		if (*lines && *++lines)
			fputs("<br>", out);
	}
}

static void put_row(FILE *out, const struct result_case *c, const struct result_suite *suite)
{
	fputs("| ", out);
	markdown_put(out, c->class);
	fputs(" | ", out);
	markdown_put(out, c->name);
	fputs(" | ", out);
	markdown_put(out, suite->kernel);
	fputs(" | ", out);
	put_lines(out, c->lines);
	fputs(" |\n", out);
}

static void put_cases(FILE *out, const struct results *results, enum result result,
		      const char *title, const char *column)
{
	_cleanup_(freep) const struct result_case **sorted = results_sorted(results);
	size_t count = results_count(results, result), rows = 0;

	if (!count || !sorted)
		return;
	fprintf(out, "\n### %s: %zu\n\n| scenario | case | kernel | %s |\n|---|---|---|---|\n",
		title, count, column);
	for (size_t i = 0; i < results->n_cases && rows < ROWS_MAX; i++)
		if (sorted[i]->result == result) {
			put_row(out, sorted[i], &results->suites[sorted[i]->suite]);
			rows++;
		}
	if (rows < count)
		fprintf(out, "\nAnd %zu more.\n", count - rows);
}

static void put_findings(FILE *out, const struct results *results)
{
	size_t n = results->n_findings;

	if (!n)
		return;
	fprintf(out, "\n### Outside of the prediction: %zu\n\n", n);
	for (size_t i = 0; i < n && i < ROWS_MAX; i++) {
		fputs("- ", out);
		markdown_put(out, results->findings[i]);
		putc('\n', out);
	}
	if (n > ROWS_MAX)
		fprintf(out, "- and %zu more\n", n - ROWS_MAX);
}

static void put_suites(FILE *out, const struct results *results)
{
	size_t rows = 0;

	if (!results->n_suites)
		return;
	fputs("\n<details><summary>All, by scenario and kernel</summary>\n\n"
	      "| suite | trials | pass | fail | inconclusive | not possible here | no record | "
	      "real time s |\n|---|---:|---:|---:|---:|---:|---:|---:|\n",
	      out);
	for (; rows < results->n_suites && rows < 5 * ROWS_MAX; rows++) {
		const struct result_suite *s = &results->suites[rows];

		fputs("| ", out);
		markdown_put(out, s->name);
		fprintf(out, " | %zu |", s->cases);
		for (enum result r = 0; r < _RESULT_MAX; r++)
			fprintf(out, " %zu |", s->count[r]);
		fprintf(out, " %.3f |\n", s->took_s);
	}
	if (rows < results->n_suites)
		fprintf(out, "\nAnd %zu more.\n", results->n_suites - rows);
	fputs("\n</details>\n", out);
}

void markdown_write(const struct results *results, const char *name, FILE *out)
{
	size_t failed = results_count(results, RESULT_FAIL);
	size_t open = results_count(results, RESULT_INCONCLUSIVE);
	size_t impossible = results_count(results, RESULT_IMPOSSIBLE);
	size_t errors = results_count(results, RESULT_ERROR);

	fputs("## deadpeer: ", out);
	markdown_put(out, name);
	fprintf(out,
		"\n\n%s\n\n| trials | pass | fail | inconclusive | not possible here | no record "
		"|\n"
		"|---:|---:|---:|---:|---:|---:|\n| %zu | %zu | %zu | %zu | %zu | %zu |\n",
		failed	     ? "**Some expectations did not hold.**"
		: errors     ? "**Some trials have no record.**"
		: open	     ? "Nothing failed, but some trials are inconclusive: what was to be "
			       "measured was not."
		: impossible ? "What could be done here held; some trials are not possible here."
			     : "Every expectation held.",
		results->n_cases, results_count(results, RESULT_PASS), failed, open, impossible,
		errors);
	put_cases(out, results, RESULT_FAIL, "Failed", "what did not hold");
	put_cases(out, results, RESULT_ERROR, "No record", "why");
	put_cases(out, results, RESULT_INCONCLUSIVE, "Inconclusive", "why");
	put_cases(out, results, RESULT_IMPOSSIBLE, "Not possible here", "what is missing");
	put_findings(out, results);
	put_suites(out, results);
}
