/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/cells.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/report/cells-internal.h"
#include "src/store/sql.h"
#include "src/util/array.h"

/* The dimensions that all stores have come first, and then the axes. */
enum { STUDY, SCENARIO, KERNEL, FAMILY, N_FIXED };

#define NOTHING "-" /* a trial's value on an axis that its study does not have */

/* A conclusive trial counts at each end that has a result. Where none has one it counts at the
 * first, as an inconclusive trial does, which has measured nothing. */
static const char all_rows[] =
	"SELECT trial, scenario || coalesce('/' || variant, ''), kernel, family, verdict, "
	"coalesce(clock, '') = 'sock_diag', endpoint, outcome, errno, mechanism, "
	"coalesce(kernel_s, application_s), earliest_s, latest_s "
	"FROM trial JOIN endpoint AS e USING(trial) WHERE (verdict <> 'inconclusive' AND outcome "
	"IS NOT "
	"NULL) OR (endpoint = (SELECT min(endpoint) FROM endpoint AS f WHERE f.trial = e.trial) "
	"AND "
	"(verdict = 'inconclusive' OR NOT EXISTS (SELECT 1 FROM endpoint AS o WHERE "
	"o.trial = e.trial AND o.outcome IS NOT NULL))) ORDER BY position, trial, endpoint";
enum {
	COLUMN_TRIAL,
	COLUMN_SCENARIO,
	COLUMN_KERNEL,
	COLUMN_FAMILY,
	COLUMN_VERDICT,
	COLUMN_DERIVED,
	COLUMN_ENDPOINT,
	COLUMN_OUTCOME,
	COLUMN_ERRNO,
	COLUMN_MECHANISM,
	COLUMN_TIME,
	COLUMN_EARLIEST,
	COLUMN_LATEST,
};
static const char all_places[] = "SELECT axis, value FROM place WHERE trial = ? ORDER BY n";

static void deinit_dimension(struct cells_dimension *d)
{
	free(d->name);
	free(d->title);
	strings_free(d->values);
}

struct cells *cells_free(struct cells *cells)
{
	if (!cells)
		return NULL;
	for (size_t i = 0; i < cells->n_dimensions; i++)
		deinit_dimension(&cells->dimensions[i]);
	for (size_t i = 0; i < cells->n_endings; i++) {
		free((char *)cells->endings[i].outcome);
		free((char *)cells->endings[i].errno_name);
		free((char *)cells->endings[i].mechanism);
	}
	free(cells->endings);
	strings_free(cells->endpoints);
	free(cells->rows);
	free(cells->study);
	free(cells);
	return NULL;
}

struct cells *cells_new(void)
{
	static const char *const names[N_FIXED] = { "study", "scenario", "kernel", "family" };
	struct cells *cells = calloc(1, sizeof(*cells));
	bool failed = !cells;

	for (size_t i = 0; !failed && i < N_FIXED; i++) {
		cells->dimensions[i].name = strdup(names[i]);
		failed = !cells->dimensions[i].name;
		cells->n_dimensions++;
	}
	return failed ? cells_free(cells) : cells;
}

/* The place of a text in a list, at whose end it is put if it is new; -ENOMEM. Rows that follow
 * each other mostly have the same, so that it is looked for from `hint` on. */
static int place_of(char ***list, size_t *count, const char *text, int hint)
{
	for (size_t i = 0; i < *count; i++) {
		size_t at = ((size_t)hint + i) % *count;

		if (!strcmp((*list)[at], text))
			return (int)at;
	}
	return strings_append(list, count, text) < 0 ? -ENOMEM : (int)*count - 1;
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static char *copy_of(const char *text, bool *failed)
{
	char *copy = text ? strdup(text) : NULL;

	*failed |= text && !copy;
	return copy;
}

static int ending_of(struct cells *cells, sqlite3_stmt *row)
{
	const char *outcome = store_text(row, COLUMN_OUTCOME);
	const char *error = store_text(row, COLUMN_ERRNO);
	const char *mechanism = store_text(row, COLUMN_MECHANISM);
	struct cells_ending *e;
	bool failed = false;

	for (size_t i = 0; i < cells->n_endings; i++) {
		e = &cells->endings[i];
		if (is_same(e->outcome, outcome) && is_same(e->errno_name, error) &&
		    is_same(e->mechanism, mechanism))
			return (int)i;
	}
	e = array_append(&cells->endings, &cells->n_endings, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->outcome = copy_of(outcome, &failed);
	e->errno_name = copy_of(error, &failed);
	e->mechanism = copy_of(mechanism, &failed);
	return failed ? -ENOMEM : (int)cells->n_endings - 1;
}

static double seconds_of(sqlite3_stmt *row, int column)
{
	return lib_sqlite3_column_type(row, column) == SQLITE_NULL
		       ? NAN
		       : lib_sqlite3_column_double(row, column);
}

static int set_value(struct cells *cells, const struct cells_row *before, struct cells_row *row,
		     size_t dimension, const char *text)
{
	struct cells_dimension *d = &cells->dimensions[dimension];
	int at = place_of(&d->values, &d->n_values, text ? text : NOTHING,
			  before ? before->values[dimension] : 0);

	row->values[dimension] = at;
	return at < 0 ? at : 0;
}

/* Finds an axis, or makes it; rows that are there already have no value on it. */
static int axis_of(struct cells *cells, const char *name, struct error *err)
{
	struct cells_dimension *d;
	size_t i;

	for (i = N_FIXED; i < cells->n_dimensions; i++)
		if (!strcmp(cells->dimensions[i].name, name))
			return (int)i;
	if (i == CELLS_DIMENSIONS_MAX)
		return error_input(err, "more than %d axes in these stores",
				   CELLS_DIMENSIONS_MAX - N_FIXED);
	d = &cells->dimensions[cells->n_dimensions++];
	d->is_axis = true;
	d->name = strdup(name);
	if (!d->name || (cells->n_rows && strings_append(&d->values, &d->n_values, NOTHING) < 0))
		return error_errno(err, -ENOMEM, "results");
	return (int)i;
}

int cells_add_axis(struct cells *cells, const char *name, struct error *err)
{
	int rc = axis_of(cells, name, err);

	return rc < 0 ? rc : 0;
}

static int read_places(struct cells *cells, struct store *store, sqlite3_stmt *places,
		       const char *trial, const struct cells_row *before, struct cells_row *row,
		       struct error *err)
{
	bool has[CELLS_DIMENSIONS_MAX] = { false };
	int rc;

	store_bind_text(places, 1, trial);
	while ((rc = store_next(store, places, err)) > 0) {
		int axis = axis_of(cells, store_text(places, 0), err);

		if (axis < 0)
			return axis;
		if (set_value(cells, before, row, (size_t)axis, store_text(places, 1)) < 0)
			return error_errno(err, -ENOMEM, "results");
		has[axis] = true;
	}
	lib_sqlite3_reset(places);
	for (size_t i = N_FIXED; rc >= 0 && i < cells->n_dimensions; i++)
		if (!has[i] && set_value(cells, before, row, i, NULL) < 0)
			return error_errno(err, -ENOMEM, "results");
	return rc;
}

static int read_row(struct cells *cells, const char *study, sqlite3_stmt *s, struct cells_row *row)
{
	const struct cells_row *before = cells->n_rows ? &cells->rows[cells->n_rows - 1] : NULL;
	int verdict = verdict_from_name(store_text(s, COLUMN_VERDICT));
	int rc = set_value(cells, before, row, STUDY, study);

	for (int i = 0; rc >= 0 && i < N_FIXED - SCENARIO; i++)
		rc = set_value(cells, before, row, (size_t)(SCENARIO + i),
			       store_text(s, COLUMN_SCENARIO + i));
	if (rc < 0)
		return rc;
	row->verdict = verdict < 0 ? VERDICT_FAIL : (enum verdict)verdict;
	row->derived = lib_sqlite3_column_int64(s, COLUMN_DERIVED) != 0;
	row->endpoint = place_of(&cells->endpoints, &cells->n_endpoints,
				 store_text(s, COLUMN_ENDPOINT), before ? before->endpoint : 0);
	row->ending = row->verdict == VERDICT_INCONCLUSIVE ? -1 : ending_of(cells, s);
	row->time = row->earliest = row->latest = NAN;
	if (row->verdict != VERDICT_INCONCLUSIVE) {
		row->time = seconds_of(s, COLUMN_TIME);
		row->earliest = seconds_of(s, COLUMN_EARLIEST);
		row->latest = seconds_of(s, COLUMN_LATEST);
	}
	return row->endpoint == -ENOMEM || row->ending == -ENOMEM ? -ENOMEM : 0;
}

int cells_read(struct cells *cells, struct store *store, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL, *places = NULL;
	const char *study = store_study(store)->name;
	int rc = store_prepare(store, all_rows, &s, err);

	if (rc >= 0)
		rc = store_prepare(store, all_places, &places, err);
	while (rc >= 0 && (rc = store_next(store, s, err)) > 0) {
		struct cells_row row = { 0 }, *slot;
		const struct cells_row *before =
			cells->n_rows ? &cells->rows[cells->n_rows - 1] : NULL;

		if (read_row(cells, study ? study : NOTHING, s, &row) < 0)
			return error_errno(err, -ENOMEM, "results");
		rc = read_places(cells, store, places, store_text(s, COLUMN_TRIAL), before, &row,
				 err);
		slot = rc < 0 ? NULL : array_append(&cells->rows, &cells->n_rows, sizeof(*slot));
		if (rc >= 0 && !slot)
			return error_errno(err, -ENOMEM, "results");
		if (slot)
			*slot = row;
	}
	return rc;
}

const struct cells_dimension *cells_dimensions(const struct cells *cells, size_t *ret_count)
{
	*ret_count = cells->n_dimensions;
	return cells->dimensions;
}
