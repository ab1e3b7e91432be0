/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/answer.h"

#include <errno.h>

#include "src/report/cells-picture.h"
#include "src/report/markdown.h"
#include "src/store/sql.h"
#include "src/util/utf8.h"

#define MAX_LINES 10 /* of the reasons of inconclusive trials, and of wrong predictions */

#define TITLE	 "scenario || coalesce('/' || variant, '')"
#define ONE_LINE "replace(replace(text, char(10), ' '), char(27), '?')"
#define INCONCLUSIVE                                                                               \
	"SELECT coalesce(" TITLE ", '-') || ' (' || coalesce(family, '-') || "                     \
	"'): inconclusive: ' || " ONE_LINE " FROM inconclusive ORDER BY position, trial"
#define OUTSIDE                                                                                    \
	"SELECT coalesce(" TITLE ", '-') || ' (' || coalesce(family, '-') || "                     \
	"'): outside the prediction: the ' || endpoint || ': ' || text FROM findings "             \
	"WHERE kind = 'prediction' ORDER BY position, trial"

static void put_line(const char *text, enum cells_format format, FILE *out)
{
	if (format == CELLS_MARKDOWN)
		fputs("- ", out);
	(format == CELLS_MARKDOWN ? markdown_put : utf8_put_plain)(out, text ? text : "");
	putc('\n', out);
}

/* Names the first few lines that a query gives, and says how many more there are. */
static int print_lines(struct store *store, const char *sql, enum cells_format format, FILE *out,
		       struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	size_t n = 0;
	int rc = store_prepare(store, sql, &s, err);

	while (rc >= 0 && (rc = store_next(store, s, err)) > 0)
		if (n++ < MAX_LINES)
			put_line(store_text(s, 0), format, out);
	if (n > MAX_LINES)
		fprintf(out, "and %zu more\n", n - MAX_LINES);
	return rc;
}

static int print_findings(struct store *store, FILE *out, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	int rc = store_prepare(store, "SELECT kind, count(*) FROM findings GROUP BY kind", &s, err);
	const char *before = "findings:";

	while (rc >= 0 && (rc = store_next(store, s, err)) > 0) {
		fprintf(out, "%s %lld of kind '", before,
			(long long)lib_sqlite3_column_int64(s, 1));
		utf8_put_plain(out, store_text(s, 0) ? store_text(s, 0) : "");
		putc('\'', out);
		before = ",";
	}
	if (*before == ',')
		fprintf(out, "; sqlite3 %s 'SELECT * FROM findings'\n", store_path(store));
	return rc;
}

static int read_all(struct store *const *stores, size_t n, const char *by, struct cells **ret,
		    struct error *err)
{
	_cleanup_(cells_freep) struct cells *cells = cells_new();
	int rc = cells ? 0 : error_errno(err, -ENOMEM, "results");

	for (size_t i = 0; rc >= 0 && i < n; i++)
		rc = cells_read(cells, stores[i], err);
	if (rc >= 0)
		rc = cells_choose(cells, by, err);
	if (rc >= 0)
		*ret = take_ptr(cells);
	return rc;
}

static int print_table(struct store *const *stores, size_t n, const struct answer_spec *spec,
		       FILE *out, struct error *err)
{
	_cleanup_(cells_freep) struct cells *cells = NULL;
	int rc = read_all(stores, n, spec->by, &cells, err);

	if (rc < 0)
		return rc;
	rc = cells_print(cells, spec->format, spec->max_rows, out);
	return rc < 0 ? error_errno(err, rc, "results") : 0;
}

int answer_draw(struct store *const *stores, size_t n, const char *by, FILE *out, struct error *err)
{
	_cleanup_(cells_freep) struct cells *cells = NULL;
	int rc = read_all(stores, n, by, &cells, err);

	if (rc < 0)
		return rc;
	rc = cells_draw(cells, out);
	return rc < 0 ? error_errno(err, rc, "results") : 0;
}

static void print_title(const struct store *store, FILE *out)
{
	const char *name = store_study(store)->name;

	fputs("## ", out);
	markdown_put(out, name ? name : store_path(store));
	fputs("\n\n", out);
}

int answer_print(struct store *const *stores, size_t n, const struct answer_spec *spec, FILE *out,
		 struct error *err)
{
	int rc;

	if (spec->format == CELLS_MARKDOWN)
		print_title(stores[0], out);
	rc = print_table(stores, n, spec, out, err);

	for (size_t i = 0; rc >= 0 && i < n; i++) {
		rc = print_lines(stores[i], INCONCLUSIVE, spec->format, out, err);
		if (rc >= 0)
			rc = print_lines(stores[i], OUTSIDE, spec->format, out, err);
		if (rc >= 0)
			rc = print_findings(stores[i], out, err);
	}
	return rc;
}
