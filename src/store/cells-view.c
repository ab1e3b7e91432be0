/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The view `cells`, which has a column for each axis, and so is another in each store. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/store/sql.h"
#include "src/store/store.h"
#include "src/util/array.h"

/* An inconclusive trial counts at its first endpoint, and has no time. */
static const char rows[] =
	"endpoint, outcome, verdict, position, CASE WHEN verdict <> 'inconclusive' THEN "
	"coalesce(kernel_s, application_s) END AS s, earliest_s, latest_s\n"
	"    FROM trial JOIN endpoint AS e USING(trial) LEFT JOIN places USING(trial)\n"
	"    WHERE CASE verdict WHEN 'inconclusive' THEN endpoint = (SELECT min(endpoint) FROM "
	"endpoint AS f WHERE f.trial = e.trial)\n"
	"      ELSE outcome IS NOT NULL END),\n";
static const char sums[] =
	"endpoint, count(*) AS trials, sum(verdict = 'pass') AS passed, "
	"sum(verdict = 'fail') AS failed,\n"
	"    sum(verdict = 'inconclusive') AS inconclusive, "
	"group_concat(DISTINCT CASE WHEN verdict <> 'inconclusive' THEN outcome END) AS outcomes,\n"
	"    min(s) AS least_s, avg(CASE WHEN n IN ((m + 1) / 2, (m + 2) / 2) THEN s END) AS "
	"median_s, max(s) AS most_s,\n"
	"    min(earliest_s) AS earliest_s, max(latest_s) AS latest_s\n"
	"  FROM ordered GROUP BY scenario, variant, kernel, family, ";

/* Writes a name in quotes of that kind. */
static void put_quoted(FILE *out, const char *name, char quote)
{
	putc(quote, out);
	for (; *name; name++) {
		if (*name == quote)
			putc(quote, out);
		putc(*name, out);
	}
	putc(quote, out);
}

static void put_axes(FILE *out, char *const *axes)
{
	for (; axes && *axes; axes++) {
		put_quoted(out, *axes, '"');
		fputs(", ", out);
	}
}

static void put_view(FILE *out, char *const *axes)
{
	fputs("CREATE VIEW cells AS -- what came of each combination at each endpoint\n"
	      "  WITH places AS (SELECT trial",
	      out);
	for (char *const *axis = axes; axis && *axis; axis++) {
		fputs(",\n    max(CASE axis WHEN ", out);
		put_quoted(out, *axis, '\'');
		fputs(" THEN value END) AS ", out);
		put_quoted(out, *axis, '"');
	}
	fputs(" FROM place GROUP BY trial),\n"
	      "  results AS (SELECT scenario, variant, kernel, family, ",
	      out);
	put_axes(out, axes);
	fprintf(out,
		"%s  ordered AS (SELECT *, row_number() OVER (cell ORDER BY s IS NULL, s) AS n, "
		"count(s) OVER cell AS m\n"
		"    FROM results WINDOW cell AS (PARTITION BY scenario, variant, kernel, family, ",
		rows);
	put_axes(out, axes);
	fputs("endpoint))\n  SELECT scenario, variant, kernel, family, ", out);
	put_axes(out, axes);
	fputs(sums, out);
	put_axes(out, axes);
	fputs("endpoint ORDER BY min(position), endpoint;\n", out);
}

/* The axes of the trials that are there, in the study's order. */
static int read_axes(struct store *store, char ***ret_axes, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	_cleanup_(strings_freep) char **axes = NULL;
	size_t n = 0;
	int rc = store_prepare(store, "SELECT axis FROM place GROUP BY axis ORDER BY min(n), axis",
			       &s, err);

	while (rc >= 0 && (rc = store_next(store, s, err)) > 0)
		if (strings_append(&axes, &n, store_text(s, 0)) < 0)
			return error_errno(err, -ENOMEM, "store");
	if (rc >= 0)
		*ret_axes = take_ptr(axes);
	return rc;
}

int store_make_cells(struct store *store, char *const *axes, struct error *err)
{
	_cleanup_(strings_freep) char **known = NULL;
	_cleanup_(freep) char *sql = NULL;
	_cleanup_(file_closep) FILE *out = NULL;
	size_t size;
	int rc = axes ? 0 : read_axes(store, &known, err);

	if (rc < 0)
		return rc;
	out = open_memstream(&sql, &size);
	if (!out)
		return error_errno(err, -ENOMEM, "store");
	fputs("BEGIN IMMEDIATE; DROP VIEW IF EXISTS cells;\n", out);
	put_view(out, axes ? axes : known);
	fputs("COMMIT;", out);
	if (fflush(out) != 0)
		return error_errno(err, -ENOMEM, "store");
	rc = store_exec(store, sql, err);
	if (rc < 0)
		lib_sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}
