/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/store/export-junit.h"

#include <math.h>
#include <string.h>

#include "src/store/sql.h"
#include "src/util/array.h"
#include "src/util/utf8.h"

#define SUITES                                                                                     \
	"SELECT scenario || coalesce('/' || variant, '') AS suite, count(*), "                     \
	"sum(verdict = 'fail'), sum(span_s), min(position) AS first, "                             \
	"sum(verdict = 'inconclusive') FROM trial "                                                \
	"GROUP BY suite ORDER BY first, suite"
#define CASES                                                                                      \
	"SELECT trial, (SELECT group_concat(axis || '=' || value, ', ') FROM (SELECT * FROM "      \
	"place WHERE place.trial = trial.trial ORDER BY n)), kernel, family, repeat, span_s, "     \
	"verdict FROM trial WHERE scenario || coalesce('/' || variant, '') = ? "                   \
	"ORDER BY position, trial"

/* The statements that read what is told of a trial that did not pass; not owned. */
struct lines {
	sqlite3_stmt *failures, *reasons;
};

/* Every value of a store is a stranger's, also one that this program would write as a number. */
static void put_escaped(FILE *out, const char *text)
{
	utf8_put_xml(out, text ? text : "");
}

static void put_attribute(FILE *out, const char *name, const char *value)
{
	fprintf(out, " %s=\"", name);
	put_escaped(out, value);
	putc('"', out);
}

static void put_seconds(FILE *out, sqlite3_stmt *s, int column)
{
	double span_s = lib_sqlite3_column_double(s, column);

	fprintf(out, " time=\"%.6f\"", isfinite(span_s) ? span_s : 0);
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

/* JUnit has no word for a trial that measured nothing. A skipped test is neither passed nor failed
 * there either. */
static int put_reasons(struct store *store, sqlite3_stmt *reasons, const char *trial, FILE *out,
		       struct error *err)
{
	const char *before = "";
	int rc;

	fputs("      <skipped message=\"", out);
	store_bind_text(reasons, 1, trial);
	while ((rc = store_next(store, reasons, err)) > 0) {
		fputs(before, out);
		put_escaped(out, store_text(reasons, 0));
		before = "; ";
	}
	fputs("\"/>\n", out);
	lib_sqlite3_reset(reasons);
	return rc;
}

static int put_case(struct store *store, sqlite3_stmt *s, const struct lines *lines,
		    const char *suite, FILE *out, struct error *err)
{
	static const struct {
		const char *before;
		int column;
	} rest[] = { { ", ", 3 }, { ", repeat ", 4 }, { ", trial ", 0 } };
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
	for (size_t i = 0; i < ARRAY_SIZE(rest); i++) {
		fputs(rest[i].before, out);
		put_escaped(out, store_text(s, rest[i].column));
	}
	putc('"', out);
	put_seconds(out, s, 5);
	if (store_text(s, 6) && !strcmp(store_text(s, 6), "pass")) {
		fputs("/>\n", out);
		return 0;
	}
	fputs(">\n", out);
	if (store_text(s, 6) && !strcmp(store_text(s, 6), "inconclusive"))
		rc = put_reasons(store, lines->reasons, store_text(s, 0), out, err);
	else
		rc = put_failures(store, lines->failures, store_text(s, 0), out, err);
	fputs("    </testcase>\n", out);
	return rc;
}

static int put_suite(struct store *store, sqlite3_stmt *suite, sqlite3_stmt *cases,
		     const struct lines *lines, FILE *out, struct error *err)
{
	int rc;

	fputs("  <testsuite", out);
	put_attribute(out, "name", store_text(suite, 0));
	put_attribute(out, "tests", store_text(suite, 1));
	put_attribute(out, "failures", store_text(suite, 2));
	fputs(" errors=\"0\"", out);
	put_attribute(out, "skipped", store_text(suite, 5));
	put_seconds(out, suite, 3);
	fputs(">\n", out);
	store_bind_text(cases, 1, store_text(suite, 0));
	while ((rc = store_next(store, cases, err)) > 0) {
		rc = put_case(store, cases, lines, store_text(suite, 0), out, err);
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
		if (!any) {
			fputs("  <testsuite name=\"no record\"", out);
			put_attribute(out, "tests", store_text(s, 2));
			put_attribute(out, "errors", store_text(s, 2));
			fputs(" failures=\"0\" skipped=\"0\" time=\"0\">\n", out);
		}
		any = true;
		fputs("    <testcase classname=\"no record\" name=\"trial ", out);
		put_escaped(out, store_text(s, 0));
		fputs("\">\n      <error", out);
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
	int rc = store_prepare(store,
			       "SELECT count(*) + (SELECT count(*) FROM problem), "
			       "coalesce(sum(verdict = 'fail'), 0), "
			       "(SELECT count(*) FROM problem), coalesce(sum(span_s), 0), "
			       "coalesce(sum(verdict = 'inconclusive'), 0) FROM trial",
			       &s, err);

	if (rc >= 0)
		rc = store_next(store, s, err);
	if (rc < 0)
		return rc;
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", out);
	put_attribute(out, "name", store_study(store)->name ? store_study(store)->name : "run");
	put_attribute(out, "tests", store_text(s, 0));
	put_attribute(out, "failures", store_text(s, 1));
	put_attribute(out, "errors", store_text(s, 2));
	put_attribute(out, "skipped", store_text(s, 4));
	put_seconds(out, s, 3);
	fputs(">\n", out);
	return 0;
}

int export_junit(struct store *store, FILE *out, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *suites = NULL, *cases = NULL;
	_cleanup_(statement_finalizep) sqlite3_stmt *failures = NULL, *reasons = NULL;
	struct lines lines;
	int rc = put_head(store, out, err);

	if (rc >= 0)
		rc = store_prepare(store, SUITES, &suites, err);
	if (rc >= 0)
		rc = store_prepare(store, CASES, &cases, err);
	if (rc >= 0)
		rc = store_prepare(store, "SELECT text FROM failure WHERE trial = ? ORDER BY n",
				   &failures, err);
	if (rc >= 0)
		rc = store_prepare(store, "SELECT text FROM reason WHERE trial = ? ORDER BY n",
				   &reasons, err);
	lines = (struct lines){ failures, reasons };
	while (rc >= 0 && !ferror(out) && (rc = store_next(store, suites, err)) > 0)
		rc = put_suite(store, suites, cases, &lines, out, err);
	if (rc >= 0 && !ferror(out))
		rc = put_problems(store, out, err);
	fputs("</testsuites>\n", out);
	return rc;
}
