/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adds rows up to cells. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/report/cells-internal.h"
#include "src/util/array.h"

struct order {
	const struct cells *cells;
	const bool *shown;
	size_t last; /* the dimension that is compared last */
};

static int compare_values(const struct order *order, size_t dimension, const struct cells_row *a,
			  const struct cells_row *b)
{
	if (!order->shown[dimension])
		return 0;
	return (a->values[dimension] > b->values[dimension]) -
	       (a->values[dimension] < b->values[dimension]);
}

/* Compares what two rows have in common if they are of one cell. */
static int compare_places(const struct order *order, const struct cells_row *a,
			  const struct cells_row *b)
{
	int diff = 0;

	for (size_t i = 0; !diff && i < order->cells->n_dimensions; i++)
		if (i != order->last)
			diff = compare_values(order, i, a, b);
	if (!diff)
		diff = (a->endpoint > b->endpoint) - (a->endpoint < b->endpoint);
	return diff ? diff : compare_values(order, order->last, a, b);
}

static int compare_rows(const void *a, const void *b, void *order)
{
	const struct cells_row *x = *(const struct cells_row *const *)a;
	const struct cells_row *y = *(const struct cells_row *const *)b;
	int diff = compare_places(order, x, y);

	return diff ? diff : (x > y) - (x < y);
}

static int compare_times(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int compare_endings(const void *a, const void *b)
{
	const struct cells_ending *x = a, *y = b;

	return (x->count < y->count) - (x->count > y->count);
}

static int begin_cell(const struct cells *cells, const bool *shown, const struct cells_row *row,
		      struct cell *cell)
{
	const char **values = calloc(cells->n_dimensions, sizeof(*values));

	if (!values)
		return -ENOMEM;
	for (size_t i = 0; i < cells->n_dimensions; i++)
		values[i] = shown[i] ? cells->dimensions[i].values[row->values[i]] : NULL;
	cell->values = values;
	cell->endpoint = cells->endpoints[row->endpoint];
	cell->earliest = cell->latest = NAN;
	return 0;
}

static int add_ending(const struct cells *cells, struct cell *cell, int ending)
{
	const struct cells_ending *known = &cells->endings[ending];
	struct cells_ending *e;

	for (size_t i = 0; i < cell->n_endings; i++) {
		e = &cell->endings[i];
		if (e->outcome == known->outcome && e->errno_name == known->errno_name &&
		    e->mechanism == known->mechanism) {
			e->count++;
			return 0;
		}
	}
	e = array_append(&cell->endings, &cell->n_endings, sizeof(*e));
	if (!e)
		return -ENOMEM;
	*e = *known;
	e->count = 1;
	return 0;
}

static int add_row(const struct cells *cells, struct cell *cell, const struct cells_row *row)
{
	double *time;

	cell->passed += row->verdict == VERDICT_PASS;
	cell->failed += row->verdict == VERDICT_FAIL;
	cell->inconclusive += row->verdict == VERDICT_INCONCLUSIVE;
	if (row->ending >= 0 && add_ending(cells, cell, row->ending) < 0)
		return -ENOMEM;
	if (isnan(row->time))
		return 0;
	cell->derived |= row->derived;
	cell->earliest = fmin(cell->earliest, row->earliest); /* which ignores NAN */
	cell->latest = fmax(cell->latest, row->latest);
	time = array_append(&cell->times, &cell->n_times, sizeof(*time));
	if (!time)
		return -ENOMEM;
	*time = row->time;
	return 0;
}

static void sort_cell(struct cell *cell)
{
	if (cell->n_times)
		qsort(cell->times, cell->n_times, sizeof(*cell->times), compare_times);
	if (cell->n_endings)
		qsort(cell->endings, cell->n_endings, sizeof(*cell->endings), compare_endings);
}

void cells_list_free(struct cell *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free((void *)list[i].values);
		free(list[i].endings);
		free(list[i].times);
	}
	free(list);
}

static int sum(const struct order *order, const struct cells_row *const *sorted, struct cell **list,
	       size_t *count)
{
	for (size_t i = 0; i < order->cells->n_rows; i++) {
		struct cell *cell = *count ? &(*list)[*count - 1] : NULL;

		if (!i || compare_places(order, sorted[i - 1], sorted[i]) != 0) {
			if (cell)
				sort_cell(cell);
			cell = array_append(list, count, sizeof(*cell));
			if (!cell || begin_cell(order->cells, order->shown, sorted[i], cell) < 0)
				return -ENOMEM;
		}
		if (add_row(order->cells, cell, sorted[i]) < 0)
			return -ENOMEM;
	}
	if (*count)
		sort_cell(&(*list)[*count - 1]);
	return 0;
}

int cells_sum_by(const struct cells *cells, const cells_mask shown, size_t last,
		 struct cell **ret_list, size_t *ret_count)
{
	_cleanup_(freep) const struct cells_row **sorted =
		calloc(cells->n_rows + 1, sizeof(*sorted));
	struct order order = { cells, shown, last };
	struct cell *list = NULL;
	size_t count = 0;

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < cells->n_rows; i++)
		sorted[i] = &cells->rows[i];
	qsort_r(sorted, cells->n_rows, sizeof(*sorted), compare_rows, &order);
	if (sum(&order, sorted, &list, &count) < 0) {
		cells_list_free(list, count);
		return -ENOMEM;
	}
	*ret_list = list;
	*ret_count = count;
	return 0;
}

int cells_sum(const struct cells *cells, struct cell **ret_list, size_t *ret_count)
{
	cells_mask shown = { false };

	for (size_t i = 0; i < cells->n_dimensions; i++)
		shown[i] = cells->dimensions[i].state == CELLS_SHOWN;
	return cells_sum_by(cells, shown, cells->n_dimensions - 1, ret_list, ret_count);
}

double cell_median(const struct cell *cell)
{
	size_t n = cell->n_times;

	return n ? (cell->times[(n - 1) / 2] + cell->times[n / 2]) / 2 : NAN;
}
