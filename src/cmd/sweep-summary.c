/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/cmd/sweep-summary.h"

#include <errno.h>
#include <string.h>

#include "src/report/table.h"
#include "src/store/sql.h"
#include "src/util/array.h"
#include "src/util/utf8.h"

#define MAX_ROWS 128
#define MAX_LINES                                                                                  \
	10 /* of the reasons of inconclusive trials, and of predictions that were wrong            \
	    */

/*
 * A row of the table is a group of trials that ended alike. At the first level the trials of a
 * group also have kernel, family and places on the axes in common; at the second level only the
 * places; at the third none of these. The first level that gives few enough rows is printed.
 */
#define TITLE	 "scenario || coalesce('/' || variant, '')"
#define ONE_LINE "replace(replace(text, char(10), ' '), char(27), '?')"
#define PLACES                                                                                     \
	"coalesce((SELECT group_concat(place, ' ') FROM (SELECT "                                  \
	"replace(axis, rtrim(axis, replace(axis, '.', '')), '') || '=' || value AS place "         \
	"FROM place WHERE place.trial = shown.trial ORDER BY n)), '-')"
#define ENDING                                                                                     \
	"endpoint, coalesce(outcome, '-') AS outcome, coalesce(errno, '-') AS errno, "             \
	"coalesce(mechanism, '-') AS mechanism"

/* An inconclusive trial has measured nothing, and stands there once. */
#define ALL                                                                                        \
	"(SELECT trial, position, scenario, variant, kernel, family, endpoint, outcome, errno, "   \
	"mechanism, detected_s, verdict FROM detections UNION ALL SELECT trial, position, "        \
	"scenario, variant, kernel, family, 'client', NULL, NULL, NULL, NULL, verdict FROM trial " \
	"WHERE verdict = 'inconclusive') AS shown"

#define INCONCLUSIVE                                                                               \
	"SELECT coalesce(" TITLE ", '-') || ' (' || coalesce(family, '-') || "                     \
	"'): inconclusive: ' || " ONE_LINE " FROM inconclusive ORDER BY position, trial"
#define OUTSIDE                                                                                    \
	"SELECT coalesce(" TITLE ", '-') || ' (' || coalesce(family, '-') || "                     \
	"'): outside the prediction: the ' || endpoint || ': ' || text FROM findings "             \
	"WHERE kind = 'prediction' ORDER BY position, trial"

static const char *const levels[] = {
	"SELECT " TITLE " AS title, " PLACES " AS places, kernel, family, " ENDING
	", detected_s, verdict, position FROM " ALL,
	"SELECT " TITLE " AS title, " PLACES " AS places, '*' AS kernel, '*' AS family, " ENDING
	", detected_s, verdict, position FROM " ALL,
	"SELECT " TITLE " AS title, '*' AS places, '*' AS kernel, '*' AS family, " ENDING
	", detected_s, verdict, position FROM " ALL,
};

#define KEYS "title, places, kernel, family, endpoint, outcome, errno, mechanism"
enum { N_KEYS = 8, COLUMN_DETECTED = N_KEYS, COLUMN_PASSED, COLUMN_OPEN };

struct group {
	char *keys[N_KEYS]; /* texts of the columns that its trials have in common; owned */
	double *times;	    /* times of detection in seconds, sorted; owned */
	size_t n_times, count, passed, inconclusive;
};

static void group_clear(struct group *group)
{
	for (int i = 0; i < N_KEYS; i++)
		free(group->keys[i]);
	free(group->times);
	*group = (struct group){ 0 };
}

static bool group_is(const struct group *group, sqlite3_stmt *row)
{
	for (int i = 0; i < N_KEYS; i++)
		if (!group->keys[i] || strcmp(group->keys[i], store_text(row, i)) != 0)
			return false;
	return true;
}

static void print_times(struct table *table, const struct group *group)
{
	const double *t = group->times;
	size_t n = group->n_times;

	if (!n)
		table_cell(table, TABLE_PLAIN, "-");
	else if (n == 1)
		table_format(table, TABLE_PLAIN, "%.3f", t[0]);
	else
		table_format(table, TABLE_PLAIN, "%.3f %.3f %.3f", t[0],
			     (t[(n - 1) / 2] + t[n / 2]) / 2, t[n - 1]);
}

static void group_print(struct group *group, struct table *table)
{
	bool good = group->passed == group->count;
	bool bad = group->passed + group->inconclusive < group->count;
	char open[48] = "";

	if (!group->count)
		return;
	for (int i = 0; i < N_KEYS; i++)
		table_cell(table, TABLE_PLAIN, group->keys[i]);
	print_times(table, group);
	if (group->inconclusive)
		snprintf(open, sizeof(open), ", %zu inconclusive", group->inconclusive);
	table_format(table,
		     good  ? TABLE_GOOD
		     : bad ? TABLE_BAD
			   : TABLE_OPEN,
		     "%zu of %zu pass%s", group->passed, group->count, open);
	group_clear(group);
}

static int add_row(struct group *group, sqlite3_stmt *row, struct table *table)
{
	double *time;

	if (!group_is(group, row)) {
		group_print(group, table);
		for (int i = 0; i < N_KEYS; i++) {
			group->keys[i] = strdup(store_text(row, i));
			if (!group->keys[i])
				return -ENOMEM;
		}
	}
	group->count++;
	group->passed += lib_sqlite3_column_int64(row, COLUMN_PASSED) != 0;
	group->inconclusive += lib_sqlite3_column_int64(row, COLUMN_OPEN) != 0;
	if (lib_sqlite3_column_type(row, COLUMN_DETECTED) == SQLITE_NULL)
		return 0;
	time = array_append(&group->times, &group->n_times, sizeof(*time));
	if (!time)
		return -ENOMEM;
	*time = lib_sqlite3_column_double(row, COLUMN_DETECTED);
	return 0;
}

static int count_rows(struct store *store, const char *level, int64_t *ret, struct error *err)
{
	_cleanup_(freep) char *sql = NULL;

	if (asprintf(&sql, "SELECT count(*) FROM (SELECT DISTINCT " KEYS " FROM (%s))", level) < 0)
		return error_errno(err, -ENOMEM, "summary");
	return store_number(store, sql, ret, err);
}

static int fill(struct store *store, const char *level, struct table *table, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	_cleanup_(freep) char *sql = NULL;
	struct group group = { 0 };
	int rc;

	if (asprintf(&sql,
		     "SELECT " KEYS ", detected_s, verdict = 'pass', verdict = 'inconclusive', "
		     "min(position) OVER (PARTITION BY " KEYS ") AS first FROM (%s) "
		     "ORDER BY first, " KEYS ", detected_s",
		     level) < 0)
		return error_errno(err, -ENOMEM, "summary");
	rc = store_prepare(store, sql, &s, err);
	while (rc >= 0 && (rc = store_next(store, s, err)) > 0)
		if (add_row(&group, s, table) < 0)
			rc = error_errno(err, -ENOMEM, "summary");
	group_print(&group, table);
	group_clear(&group);
	return rc;
}

/* Names the first few lines that a query gives, and says how many more there are. */
static int print_lines(struct store *store, const char *sql, FILE *out, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	size_t n = 0;
	int rc = store_prepare(store, sql, &s, err);

	while (rc >= 0 && (rc = store_next(store, s, err)) > 0)
		if (n++ < MAX_LINES)
			fprintf(out, "%s\n", store_text(s, 0));
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

int sweep_summary_print(struct store *store, FILE *out, struct error *err)
{
	static const char *const headers[] = { "SCENARIO",    "SETTINGS", "KERNEL", "FAMILY",
					       "ENDPOINT",    "OUTCOME",  "ERRNO",  "MECHANISM",
					       ">DETECTED s", "VERDICT" };
	struct table *table = table_new(ARRAY_SIZE(headers), headers);
	int64_t rows = 0;
	size_t level = 0;
	int rc = table ? 0 : error_errno(err, -ENOMEM, "summary");

	if (rc >= 0)
		rc = count_rows(store, levels[level], &rows, err);
	while (rc >= 0 && rows > MAX_ROWS && level + 1 < ARRAY_SIZE(levels))
		rc = count_rows(store, levels[++level], &rows, err);
	if (rc >= 0)
		rc = fill(store, levels[level], table, err);
	if (rc >= 0 && rows)
		table_print(table, out);
	table_free(table);
	if (rc >= 0)
		rc = print_lines(store, INCONCLUSIVE, out, err);
	if (rc >= 0)
		rc = print_lines(store, OUTSIDE, out, err);
	return rc < 0 ? rc : print_findings(store, out, err);
}
