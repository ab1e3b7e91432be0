/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/store/export-junit.h"

#include <errno.h>
#include <string.h>

#include "src/record/junit.h"
#include "src/store/sql.h"

/* A store of `run --db` has several runs, which may have done the same. In the store of a study a
 * session is only a part of it. */
#define RUN                                                                                        \
	"(SELECT CASE WHEN run > 1 THEN run END FROM (SELECT session, row_number() OVER (ORDER "   \
	"BY started, session) AS run FROM session) JOIN finished USING(session) WHERE "            \
	"finished.trial = t.trial AND EXISTS (SELECT 1 FROM study WHERE name IS NULL))"
#define CASES(took)                                                                                \
	"SELECT t.trial, scenario, variant, (SELECT group_concat(axis || '=' || value, ', ') "     \
	"FROM (SELECT * FROM place WHERE place.trial = t.trial ORDER BY n)), kernel, release, "    \
	"engine, family, repeat, span_s, verdict, " RUN ", " took " FROM trial AS t "              \
	"ORDER BY position, t.trial"
enum {
	CASE_TRIAL,
	CASE_SCENARIO,
	CASE_VARIANT,
	CASE_PLACES,
	CASE_KERNEL,
	CASE_RELEASE,
	CASE_ENGINE,
	CASE_FAMILY,
	CASE_REPEAT,
	CASE_SPAN,
	CASE_VERDICT,
	CASE_RUN,
	CASE_TOOK,
};

static int no_memory(int rc, struct error *err)
{
	return rc < 0 ? error_errno(err, rc, "export") : 0;
}

/* Reads what is told of a trial, a line each. The caller frees *ret_text. */
static int read_lines(struct store *store, sqlite3_stmt *lines, const char *trial, char **ret_text,
		      struct error *err)
{
	size_t size;
	FILE *out = open_memstream(ret_text, &size);
	const char *before = "";
	int rc;

	if (!out)
		return error_errno(err, -ENOMEM, "export");
	store_bind_text(lines, 1, trial);
	while ((rc = store_next(store, lines, err)) > 0) {
		const char *text = store_text(lines, 0);

		fprintf(out, "%s%s", before, text ? text : "");
		before = "\n";
	}
	lib_sqlite3_reset(lines);
	if (fclose(out) != 0 && rc >= 0)
		rc = error_errno(err, -ENOMEM, "export");
	return rc;
}

static int add_case(struct store *store, sqlite3_stmt *s, sqlite3_stmt *failures,
		    sqlite3_stmt *reasons, struct results *results, struct error *err)
{
	struct result_source c = {
		.scenario = store_text(s, CASE_SCENARIO),
		.variant = store_text(s, CASE_VARIANT),
		.places = store_text(s, CASE_PLACES),
		.kernel = store_text(s, CASE_KERNEL),
		.release = store_text(s, CASE_RELEASE),
		.engine = store_text(s, CASE_ENGINE),
		.family = store_text(s, CASE_FAMILY),
		.repeat = store_text(s, CASE_REPEAT),
		.run = store_text(s, CASE_RUN),
		.trial = store_text(s, CASE_TRIAL),
		.span_s = lib_sqlite3_column_double(s, CASE_SPAN),
		.took_s = lib_sqlite3_column_double(s, CASE_TOOK),
		.result = RESULT_FAIL,
	};
	const char *verdict = store_text(s, CASE_VERDICT);
	_cleanup_(freep) char *lines = NULL;
	int rc = 0;

	if (verdict && !strcmp(verdict, "pass"))
		c.result = RESULT_PASS;
	else if (verdict && !strcmp(verdict, "inconclusive"))
		c.result = RESULT_INCONCLUSIVE;
	if (c.result != RESULT_PASS)
		rc = read_lines(store, c.result == RESULT_FAIL ? failures : reasons, c.trial,
				&lines, err);
	c.lines = lines;
	return rc < 0 ? rc : no_memory(results_add(results, &c), err);
}

static int add_cases(struct store *store, struct results *results, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *cases = NULL, *failures = NULL,
						    *reasons = NULL;
	int rc = store_prepare(store,
			       store->has_took ? CASES("(SELECT real_s FROM took WHERE took.trial "
						       "= t.trial)")
					       : CASES("0"),
			       &cases, err);

	if (rc >= 0)
		rc = store_prepare(store, "SELECT text FROM failure WHERE trial = ? ORDER BY n",
				   &failures, err);
	if (rc >= 0)
		rc = store_prepare(store, "SELECT text FROM reason WHERE trial = ? ORDER BY n",
				   &reasons, err);
	while (rc >= 0 && (rc = store_next(store, cases, err)) > 0)
		rc = add_case(store, cases, failures, reasons, results, err);
	return rc;
}

/* Adds the trials without a record. */
static int add_problems(struct store *store, struct results *results, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	int rc = store_prepare(store, "SELECT trial, text FROM problem ORDER BY position, trial",
			       &s, err);

	while (rc >= 0 && (rc = store_next(store, s, err)) > 0) {
		struct result_source c = { .trial = store_text(s, 0),
					   .lines = store_text(s, 1),
					   .result = RESULT_ERROR };

		if (c.lines && !strncmp(c.lines, STORE_IMPOSSIBLE, strlen(STORE_IMPOSSIBLE))) {
			c.lines += strlen(STORE_IMPOSSIBLE);
			c.result = RESULT_IMPOSSIBLE;
		}
		rc = no_memory(results_add(results, &c), err);
	}
	return rc;
}

/* Adds a line for each measurement that is outside of its prediction. */
static int add_findings(struct store *store, struct results *results, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	int rc = store_prepare(store,
			       "SELECT coalesce(scenario, '-') || coalesce('/' || variant, '') || "
			       "' (' || coalesce(family, '-') || ', ' || coalesce(kernel, '-') || "
			       "'): outside the prediction: the ' || endpoint || ': ' || text "
			       "FROM findings WHERE kind = 'prediction' ORDER BY position, trial",
			       &s, err);

	while (rc >= 0 && (rc = store_next(store, s, err)) > 0)
		rc = no_memory(results_add_finding(results, store_text(s, 0)), err);
	return rc;
}

int export_results(struct store *store, struct results *results, struct error *err)
{
	int rc = add_cases(store, results, err);

	if (rc >= 0)
		rc = add_problems(store, results, err);
	return rc < 0 ? rc : add_findings(store, results, err);
}

int export_junit(struct store *store, FILE *out, struct error *err)
{
	_cleanup_(results_freep) struct results *results = results_new();
	const char *name = store_study(store)->name;
	int rc =
		results ? export_results(store, results, err) : error_errno(err, -ENOMEM, "export");

	if (rc >= 0)
		junit_write(results, name ? name : "run", out);
	return rc;
}
