/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/store/export.h"

#include <errno.h>
#include <string.h>

#include "src/store/export-junit.h"
#include "src/store/sql.h"
#include "src/util/array.h"
#include "src/util/utf8.h"

/* The settings stand between the columns of the trial and those of the endpoint. */
#define TRIAL_COLUMNS                                                                              \
	"trial, position, scenario, variant, scenario_id, family, engine, kernel, release, "       \
	"repeat, seed, phase"
#define ENDPOINT_COLUMNS                                                                           \
	"endpoint, outcome, errno, mechanism, kernel_s, application_s, wire_s, recovered_s, "      \
	"earliest_s, latest_s, retransmissions, resets, verdict, span_s, lateness_s, clock, lost"
enum { N_TRIAL_COLUMNS = 12 };

/* Columns that only some trials fill: settings, and axes that are not settings themselves. Which
 * keys there are, and which have numbers, is asked once. */
#define KEYS                                                                                       \
	"DROP TABLE IF EXISTS temp.setting_key; "                                                  \
	"CREATE TEMP TABLE setting_key(key TEXT PRIMARY KEY, numeric) WITHOUT ROWID; "             \
	"INSERT INTO setting_key SELECT key, max(number IS NOT NULL) FROM setting GROUP BY key"
#define EXTRA_COLUMNS                                                                              \
	"SELECT key AS name FROM setting_key UNION SELECT DISTINCT axis FROM place ORDER BY name"
/* A setting that has its default is not among a trial's settings where that is nothing (no delay,
 * no loss). On an axis it is a value like any other. */
#define EXTRA_VALUES                                                                               \
	"SELECT key AS name, CASE WHEN number IS NULL THEN text "                                  \
	"WHEN number = CAST(number AS INTEGER) THEN CAST(number AS INTEGER) ELSE number END "      \
	"FROM setting WHERE trial = ?1 UNION ALL "                                                 \
	"SELECT axis, CASE (SELECT numeric FROM setting_key WHERE key = axis) WHEN 1 THEN 0 "      \
	"ELSE value END FROM place WHERE trial = ?1 AND "                                          \
	"axis NOT IN (SELECT key FROM setting WHERE trial = ?1) ORDER BY name"

/* Quotes a cell as RFC 4180 says. */
static void put_cell(FILE *out, const char *value, bool first)
{
	_cleanup_(freep) char *text = value ? utf8_clean(value, strlen(value)) : NULL;
	const char *rest = text;

	if (!first)
		putc(',', out);
	if (!text || !*text)
		return;
	if (!text[strcspn(text, ",\"\r\n")]) {
		fputs(text, out);
		return;
	}
	putc('"', out);
	for (; *rest; rest++) {
		if (*rest == '"')
			putc('"', out);
		putc(*rest, out);
	}
	putc('"', out);
}

static int read_names(struct store *store, char ***ret_names, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	_cleanup_(strings_freep) char **names = NULL;
	size_t n = 0;
	int rc = store_prepare(store, EXTRA_COLUMNS, &s, err);

	while (rc >= 0 && (rc = store_next(store, s, err)) > 0)
		if (strings_append(&names, &n, store_text(s, 0)) < 0)
			return error_errno(err, -ENOMEM, "export");
	if (rc >= 0)
		*ret_names = take_ptr(names);
	return rc;
}

static void put_header(FILE *out, sqlite3_stmt *rows, char **names)
{
	int n = lib_sqlite3_column_count(rows);

	for (int i = 0; i < n; i++) {
		if (i == N_TRIAL_COLUMNS)
			for (char **name = names; name && *name; name++)
				put_cell(out, *name, false);
		put_cell(out, lib_sqlite3_column_name(rows, i), i == 0);
	}
	putc('\n', out);
}

/* Fills the extra columns of a row. `names` and the trial's own values are both sorted by name. */
static int put_extra(struct store *store, sqlite3_stmt *values, const char *trial, char **names,
		     FILE *out, struct error *err)
{
	int rc;

	store_bind_text(values, 1, trial);
	rc = store_next(store, values, err);
	for (char **name = names; rc >= 0 && name && *name; name++) {
		if (rc == 0 || strcmp(store_text(values, 0), *name) != 0) {
			put_cell(out, NULL, false);
			continue;
		}
		put_cell(out, store_text(values, 1), false);
		rc = store_next(store, values, err);
	}
	lib_sqlite3_reset(values);
	return rc;
}

static int put_row(struct store *store, sqlite3_stmt *row, sqlite3_stmt *values, char **names,
		   FILE *out, struct error *err)
{
	int n = lib_sqlite3_column_count(row), rc = 0;

	for (int i = 0; rc >= 0 && i < n; i++) {
		if (i == N_TRIAL_COLUMNS)
			rc = put_extra(store, values, store_text(row, 0), names, out, err);
		put_cell(out, store_text(row, i), i == 0);
	}
	putc('\n', out);
	return rc;
}

#define CSV(more)                                                                                  \
	"SELECT " TRIAL_COLUMNS ", " ENDPOINT_COLUMNS more                                         \
	" FROM trial JOIN endpoint AS e USING(trial) LEFT JOIN finished USING(trial) WHERE "       \
	"outcome IS NOT NULL OR (endpoint = 'client' AND NOT EXISTS (SELECT 1 FROM endpoint AS o " \
	"WHERE o.trial = e.trial AND o.outcome IS NOT NULL)) ORDER BY position, trial, endpoint"

/* Writes one row for each endpoint that was watched. A trial without any has the client's row. */
static int export_csv(struct store *store, FILE *out, struct error *err)
{
	/* A store of `run --db` has several runs, which may have the same trials; to the store of a
	 * study it makes no difference in which session a trial was finished. */
	const char *sql = store_study(store)->name ? CSV("") : CSV(", session");
	_cleanup_(statement_finalizep) sqlite3_stmt *rows = NULL, *values = NULL;
	_cleanup_(strings_freep) char **names = NULL;
	int rc = store_exec(store, KEYS, err);

	if (rc >= 0)
		rc = read_names(store, &names, err);
	if (rc >= 0)
		rc = store_prepare(store, sql, &rows, err);
	if (rc >= 0)
		rc = store_prepare(store, EXTRA_VALUES, &values, err);
	if (rc >= 0)
		put_header(out, rows, names);
	while (rc >= 0 && !ferror(out) && (rc = store_next(store, rows, err)) > 0)
		rc = put_row(store, rows, values, names, out, err);
	return rc;
}

/* JSON that this program wrote has no line breaks, nor bytes that are no UTF-8. */
static void put_line(FILE *out, const char *json)
{
	_cleanup_(freep) char *line = json ? utf8_clean(json, strlen(json)) : NULL;

	for (char *p = line; p && *p; p++)
		putc(*p == '\n' || *p == '\r' ? ' ' : *p, out);
	putc('\n', out);
}

static int export_jsonl(struct store *store, FILE *out, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	int rc = store_prepare(store,
			       "SELECT json FROM trial JOIN record USING(trial) "
			       "ORDER BY position, trial",
			       &s, err);

	while (rc >= 0 && !ferror(out) && (rc = store_next(store, s, err)) > 0)
		put_line(out, store_text(s, 0));
	return rc;
}

static const struct {
	const char *name;
	export_func export;
} formats[] = { { "csv", export_csv }, { "jsonl", export_jsonl }, { "junit", export_junit } };

export_func export_from_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (!strcmp(formats[i].name, name))
			return formats[i].export;
	return NULL;
}
