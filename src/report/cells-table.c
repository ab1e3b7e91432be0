/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/cells-table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/report/markdown.h"
#include "src/report/table.h"
#include "src/scenario/outcome.h"
#include "src/util/array.h"
#include "src/util/utf8.h"

#define COLUMNS_MAX 40
#define BAR	    16 /* characters of the longest bar */
#define TEXT	    256

/* What some tables have and others do not. */
struct sheet {
	const struct cells_dimension *dimensions;
	size_t n_dimensions;
	bool spread;	/* some cells have several times: least, median and most */
	bool predicted; /* some have a predicted interval */
	bool derived;	/* some times are not the tracepoints' */
	bool bars;
	double low, high; /* of all times, for the bars; NAN: there is none */
};

static struct sheet sheet_of(const struct cells *cells, enum cells_format format,
			     const struct cell *list, size_t n)
{
	struct sheet s = { .bars = format != CELLS_TABLE, .low = NAN, .high = NAN };

	s.dimensions = cells_dimensions(cells, &s.n_dimensions);
	for (size_t i = 0; i < n; i++) {
		s.spread |= list[i].n_times > 1;
		s.predicted |= !isnan(list[i].earliest);
		s.derived |= list[i].derived;
		if (!list[i].n_times)
			continue;
		s.low = fmin(s.low, list[i].times[0]);
		s.high = fmax(s.high, list[i].times[list[i].n_times - 1]);
	}
	s.bars &= s.high > 0;
	return s;
}

static size_t put_headers(const struct sheet *s, const char *headers[static COLUMNS_MAX])
{
	static const char *const fixed[] = { "STUDY", "SCENARIO", "KERNEL", "FAMILY" };
	size_t n = 0;

	for (size_t i = 0; i < s->n_dimensions; i++)
		if (s->dimensions[i].state == CELLS_SHOWN)
			headers[n++] = i < ARRAY_SIZE(fixed) ? fixed[i] : s->dimensions[i].title;
	headers[n++] = "ENDPOINT";
	headers[n++] = "OUTCOME";
	headers[n++] = "ERRNO";
	headers[n++] = "MECHANISM";
	if (s->derived)
		headers[n++] = "CLOCK";
	if (s->spread) {
		headers[n++] = ">LEAST s";
		headers[n++] = ">MEDIAN s";
		headers[n++] = ">MOST s";
	} else {
		headers[n++] = ">DETECTED s";
	}
	if (s->predicted)
		headers[n++] = ">PREDICTED s";
	if (s->bars)
		headers[n++] = "LOG SCALE";
	headers[n++] = "VERDICT";
	return n;
}

static void put_time(struct table *table, double time)
{
	char buffer[32];

	table_cell(table, TABLE_PLAIN, table_seconds(time, buffer, sizeof(buffer)));
}

static void put_prediction(struct table *table, const struct cell *cell)
{
	char low[32], high[32];

	if (isnan(cell->earliest))
		table_cell(table, TABLE_PLAIN, "-");
	else
		table_format(table, TABLE_PLAIN, "%s..%s",
			     table_seconds(cell->earliest, low, sizeof(low)),
			     table_seconds(cell->latest, high, sizeof(high)));
}

/* Writes what the endings of a cell have, each with how often, if they differ: "timed-out 7,
 * undetected 1". */
static void put_words(struct table *table, const struct cell *cell,
		      const char *(*word)(const struct cells_ending *))
{
	char text[TEXT] = "";
	size_t n = 0;

	for (size_t i = 0; i < cell->n_endings; i++) {
		size_t count = 0;
		bool before = false;

		for (size_t k = 0; k < cell->n_endings; k++) {
			if (strcmp(word(&cell->endings[k]), word(&cell->endings[i])) != 0)
				continue;
			before |= k < i;
			count += cell->endings[k].count;
		}
		if (before || n >= sizeof(text))
			continue;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? ", " : "",
				      word(&cell->endings[i]));
		if (count < cell->passed + cell->failed && n < sizeof(text))
			n += (size_t)snprintf(text + n, sizeof(text) - n, " %zu", count);
	}
	table_cell(table, TABLE_PLAIN, n ? text : "-");
}

static const char *outcome_word(const struct cells_ending *e)
{
	return e->outcome ? e->outcome : "-";
}

static const char *errno_word(const struct cells_ending *e)
{
	return e->errno_name ? e->errno_name : "-";
}

static const char *mechanism_word(const struct cells_ending *e)
{
	return e->mechanism ? e->mechanism : "-";
}

static void put_bar(struct table *table, const struct sheet *s, const struct cell *cell)
{
	char bar[BAR + 1] = "";
	double low = fmax(s->low, 1e-6) / 2, span = log(fmax(s->high, 1e-6) / low);
	double time = cell_median(cell);

	if (!isnan(time)) {
		double part = log(fmax(time, low) / low) / span;
		size_t n = (size_t)lround(fmin(fmax(part, 0), 1) * BAR);

		memset(bar, '=', n ? n : 1);
	}
	table_cell(table, TABLE_PLAIN, bar);
}

static void put_verdict(struct table *table, const struct cell *cell)
{
	enum table_style style = cell->failed	      ? TABLE_BAD
				 : cell->inconclusive ? TABLE_OPEN
						      : TABLE_GOOD;
	char open[48] = "";

	if (cell->inconclusive)
		snprintf(open, sizeof(open), ", %zu inconclusive", cell->inconclusive);
	table_format(table, style, "%zu of %zu pass%s", cell->passed, cell_count(cell), open);
}

static void put_cell(struct table *table, const struct sheet *s, const struct cell *cell)
{
	size_t n = cell->n_times;

	for (size_t i = 0; i < s->n_dimensions; i++)
		if (s->dimensions[i].state == CELLS_SHOWN)
			table_cell(table, TABLE_PLAIN, cell->values[i]);
	table_cell(table, TABLE_PLAIN, cell->endpoint);
	put_words(table, cell, outcome_word);
	put_words(table, cell, errno_word);
	put_words(table, cell, mechanism_word);
	if (s->derived)
		table_cell(table, TABLE_PLAIN, cell->derived ? "sock_diag" : "");
	if (s->spread) {
		put_time(table, n ? cell->times[0] : NAN);
		put_time(table, cell_median(cell));
		put_time(table, n ? cell->times[n - 1] : NAN);
	} else {
		put_time(table, cell_median(cell));
	}
	if (s->predicted)
		put_prediction(table, cell);
	if (s->bars)
		put_bar(table, s, cell);
	put_verdict(table, cell);
}

/* The worst time of a cell: to be undetected is worse than any. */
static double worst(const struct cell *cell)
{
	for (size_t i = 0; i < cell->n_endings; i++)
		if (cell->endings[i].outcome &&
		    !strcmp(cell->endings[i].outcome, outcome_name(OUTCOME_UNDETECTED)))
			return INFINITY;
	return cell->n_times ? cell->times[cell->n_times - 1] : -1;
}

static int compare_numbers(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x < y) - (x > y);
}

/* The worst time from which a cell is among the `max` worst; -INFINITY: all are; NAN: no memory. */
static double threshold(const struct cell *list, size_t n, size_t max)
{
	_cleanup_(freep) double *all = NULL;

	if (!max || n <= max)
		return -INFINITY;
	all = calloc(n, sizeof(*all));
	if (!all)
		return NAN;
	for (size_t i = 0; i < n; i++)
		all[i] = list[i].failed ? INFINITY : worst(&list[i]);
	qsort(all, n, sizeof(*all), compare_numbers);
	return all[max - 1];
}

typedef void put_func(FILE *out, const char *text);

static void print_values(const struct cells_dimension *d, put_func *put, FILE *out)
{
	put(out, d->name);
	if (d->state == CELLS_CONSTANT) {
		putc(' ', out);
		put(out, d->values[0]);
		return;
	}
	fputs(" (", out);
	for (size_t i = 0; i < d->n_values && i < 6; i++) {
		fputs(i ? ", " : "", out);
		put(out, d->values[i]);
	}
	fputs(d->n_values > 6 ? ", ...)" : ")", out);
}

/* Names the dimensions that are not shown, each with what there is of it. */
static void print_state(const struct sheet *s, enum cells_state state, const char *what,
			put_func *put, FILE *out)
{
	bool any = false;

	for (size_t i = 0; i < s->n_dimensions; i++) {
		const struct cells_dimension *d = &s->dimensions[i];

		if (d->state != state || !d->n_values ||
		    (d->n_values == 1 && !strcmp(d->values[0], "-")))
			continue;
		fputs(any ? ", " : what, out);
		print_values(d, put, out);
		any = true;
	}
	if (any)
		putc('\n', out);
}

static void print_states(const struct sheet *s, enum cells_format format, FILE *out)
{
	put_func *put = format == CELLS_MARKDOWN ? markdown_put : utf8_put_plain;
	const char *item = format == CELLS_MARKDOWN ? "- " : "";

	static const struct {
		enum cells_state state;
		const char *what;
	} lines[] = {
		{ CELLS_CONSTANT, "The same in all: " },
		{ CELLS_NO_MATTER,
		  "No difference (alike in how they ended, and in time within an eighth): " },
		{ CELLS_SUMMED, "Over all values of: " },
	};

	if (format == CELLS_MARKDOWN)
		putc('\n', out);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char what[128];

		snprintf(what, sizeof(what), "%s%s", item, lines[i].what);
		print_state(s, lines[i].state, what, put, out);
	}
}

int cells_print(const struct cells *cells, enum cells_format format, size_t max_rows, FILE *out)
{
	const char *headers[COLUMNS_MAX];
	struct cell *list = NULL;
	size_t n = 0, printed = 0;
	int rc = cells_sum(cells, &list, &n);
	struct sheet s = sheet_of(cells, format, list, n);
	struct table *table = rc < 0 ? NULL : table_new(put_headers(&s, headers), headers);
	double least = threshold(list, n, max_rows);

	if (!table || isnan(least)) {
		cells_list_free(list, n);
		table_free(table);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n && (!max_rows || printed < max_rows); i++) {
		if ((list[i].failed ? INFINITY : worst(&list[i])) < least)
			continue;
		put_cell(table, &s, &list[i]);
		printed++;
	}
	if (n && format == CELLS_MARKDOWN)
		table_print_markdown(table, out);
	else if (n)
		table_print(table, out);
	if (n > printed)
		fprintf(out,
			"These are the worst %zu of %zu rows; --by AXIS,... chooses what they are "
			"of.\n",
			printed, n);
	print_states(&s, format, out);
	table_free(table);
	cells_list_free(list, n);
	return 0;
}
