/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/store/export-junit.h"

#include <string.h>

#include "src/store/sql.h"

#define SUITES                                                                                     \
	"SELECT scenario || coalesce('/' || variant, '') AS suite, count(*), "                     \
	"sum(verdict <> 'pass'), sum(span_s), min(position) AS first FROM trial "                  \
	"GROUP BY suite ORDER BY first, suite"
#define CASES                                                                                      \
	"SELECT trial, (SELECT group_concat(axis || '=' || value, ', ') FROM (SELECT * FROM "      \
	"place WHERE place.trial = trial.trial ORDER BY n)), kernel, family, repeat, span_s, "     \
	"verdict FROM trial WHERE scenario || coalesce('/' || variant, '') = ? "                   \
	"ORDER BY position, trial"

/* Writes a text with XML's escapes. XML 1.0 allows no control characters but newline, tab and
 * carriage return, so that others become '?'. */
static void put_escaped(FILE *out, const char *text)
{
	for (; text && *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '&')
			fputs("&amp;", out);
		else if (c == '<')
			fputs("&lt;", out);
		else if (c == '>')
			fputs("&gt;", out);
		else if (c == '"')
			fputs("&quot;", out);
		else if ((c < ' ' && c != '\n' && c != '\t' && c != '\r') || c == 0x7f)
			putc('?', out);
		else
			putc(c, out);
	}
}

static void put_attribute(FILE *out, const char *name, const char *value)
{
	fprintf(out, " %s=\"", name);
	put_escaped(out, value);
	putc('"', out);
}

static int put_failures(struct store *store, sqlite3_stmt *failures, const char *trial, FILE *out,
			struct error *err)
{
	const char *end = "";
	int rc;

	store_bind_text(failures, 1, trial);
	while ((rc = store_next(store, failures, err)) > 0) {
		if (!*end) {
			fputs("      <failure", out);
			put_attribute(out, "message", store_text(failures, 0));
			putc('>', out);
			end = "</failure>\n";
		} else {
			putc('\n', out);
		}
		put_escaped(out, store_text(failures, 0));
	}
	fputs(end, out);
	lib_sqlite3_reset(failures);
	return rc;
}

static int put_case(struct store *store, sqlite3_stmt *s, sqlite3_stmt *failures, const char *suite,
		    FILE *out, struct error *err)
{
	const char *places = store_text(s, 1);
	int rc = 0;

	fputs("    <testcase", out);
	put_attribute(out, "classname", suite);
	fputs(" name=\"", out);
	if (places) {
		put_escaped(out, places);
		fputs(", ", out);
	}
	put_escaped(out, store_text(s, 2));
	fprintf(out, ", %s, repeat %s, trial %s\"", store_text(s, 3), store_text(s, 4),
		store_text(s, 0));
	fprintf(out, " time=\"%.6f\"", lib_sqlite3_column_double(s, 5));
	if (!strcmp(store_text(s, 6), "pass")) {
		fputs("/>\n", out);
		return 0;
	}
	fputs(">\n", out);
	rc = put_failures(store, failures, store_text(s, 0), out, err);
	fputs("    </testcase>\n", out);
	return rc;
}

static int put_suite(struct store *store, sqlite3_stmt *suite, sqlite3_stmt *cases,
		     sqlite3_stmt *failures, FILE *out, struct error *err)
{
	int rc;

	fputs("  <testsuite", out);
	put_attribute(out, "name", store_text(suite, 0));
	fprintf(out, " tests=\"%s\" failures=\"%s\" errors=\"0\" skipped=\"0\" time=\"%.6f\">\n",
		store_text(suite, 1), store_text(suite, 2), lib_sqlite3_column_double(suite, 3));
	store_bind_text(cases, 1, store_text(suite, 0));
	while ((rc = store_next(store, cases, err)) > 0) {
		rc = put_case(store, cases, failures, store_text(suite, 0), out, err);
		if (rc < 0 || ferror(out))
			break;
	}
	lib_sqlite3_reset(cases);
	fputs("  </testsuite>\n", out);
	return rc;
}

/* Writes the trials without a record, which JUnit calls errors. */
static int put_problems(struct store *store, FILE *out, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	bool any = false;
	int rc = store_prepare(store,
			       "SELECT trial, text, (SELECT count(*) FROM problem) FROM problem "
			       "ORDER BY position, trial",
			       &s, err);

	while (rc >= 0 && (rc = store_next(store, s, err)) > 0) {
		if (!any)
			fprintf(out,
				"  <testsuite name=\"no record\" tests=\"%s\" failures=\"0\" "
				"errors=\"%s\" skipped=\"0\" time=\"0\">\n",
				store_text(s, 2), store_text(s, 2));
		any = true;
		fprintf(out, "    <testcase classname=\"no record\" name=\"trial %s\">\n",
			store_text(s, 0));
		fputs("      <error", out);
		put_attribute(out, "message", store_text(s, 1));
		fputs("/>\n    </testcase>\n", out);
	}
	if (any)
		fputs("  </testsuite>\n", out);
	return rc;
}

static int put_head(struct store *store, FILE *out, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	int rc =
		store_prepare(store,
			      "SELECT count(*) + (SELECT count(*) FROM problem), "
			      "coalesce(sum(verdict <> 'pass'), 0), "
			      "(SELECT count(*) FROM problem), coalesce(sum(span_s), 0) FROM trial",
			      &s, err);

	if (rc >= 0)
		rc = store_next(store, s, err);
	if (rc < 0)
		return rc;
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", out);
	put_attribute(out, "name", store_study(store)->name ? store_study(store)->name : "run");
	fprintf(out, " tests=\"%s\" failures=\"%s\" errors=\"%s\" time=\"%.6f\">\n",
		store_text(s, 0), store_text(s, 1), store_text(s, 2),
		lib_sqlite3_column_double(s, 3));
	return 0;
}

int export_junit(struct store *store, FILE *out, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *suites = NULL, *cases = NULL, *failures = NULL;
	int rc = put_head(store, out, err);

	if (rc >= 0)
		rc = store_prepare(store, SUITES, &suites, err);
	if (rc >= 0)
		rc = store_prepare(store, CASES, &cases, err);
	if (rc >= 0)
		rc = store_prepare(store, "SELECT text FROM failure WHERE trial = ? ORDER BY n",
				   &failures, err);
	while (rc >= 0 && !ferror(out) && (rc = store_next(store, suites, err)) > 0)
		rc = put_suite(store, suites, cases, failures, out, err);
	if (rc >= 0 && !ferror(out))
		rc = put_problems(store, out, err);
	fputs("</testsuites>\n", out);
	return rc;
}
