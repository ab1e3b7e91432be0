/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/summary.h"

#include <stdlib.h>
#include <string.h>

#include "src/report/summary-rates.h"
#include "src/report/table.h"
#include "src/util/array.h"

struct times {
	nsec_t *items_nsec; /* owned */
	size_t count;
};

/* The same trial, however often repeated, at one endpoint. */
struct group {
	const struct record *first; /* of its records; not owned */
	enum node_id node;
	struct times detected, gone;	   /* when it was detected, and when nothing was left */
	size_t count, passed;		   /* its records, and those of them that pass */
	bool mixed;			   /* the repeats ended differently */
	nsec_t earliest_nsec, latest_nsec; /* predicted for `detected`; NSEC_NONE */
	nsec_t gone_earliest_nsec, gone_latest_nsec; /* predicted for `gone`; NSEC_NONE */
};

static void add_time(struct times *times, nsec_t time_nsec)
{
	nsec_t *slot_nsec = NULL;

	if (time_nsec != NSEC_NONE)
		slot_nsec = array_append(&times->items_nsec, &times->count, sizeof(*slot_nsec));
	if (slot_nsec)
		*slot_nsec = time_nsec;
}

/* Widens the interval from *low to *high by another one. NSEC_NONE stands for no interval. */
static void add_interval(nsec_t *low_nsec, nsec_t *high_nsec, nsec_t earliest_nsec,
			 nsec_t latest_nsec)
{
	if (earliest_nsec == NSEC_NONE)
		return;
	if (*low_nsec == NSEC_NONE || earliest_nsec < *low_nsec)
		*low_nsec = earliest_nsec;
	if (*high_nsec == NSEC_NONE || latest_nsec > *high_nsec)
		*high_nsec = latest_nsec;
}

static void add(struct group *g, const struct record *record)
{
	const struct record_endpoint *e = &record->endpoint[g->node];
	const struct record_endpoint *first = &g->first->endpoint[g->node];

	g->count++;
	g->passed += record_passed(record);
	g->mixed |= e->outcome != first->outcome || e->mechanism != first->mechanism;
	add_time(&g->detected, record_detection(e));
	add_time(&g->gone, e->gone_nsec);
	if (record_detection(e) != NSEC_NONE)
		add_interval(&g->earliest_nsec, &g->latest_nsec, e->earliest_nsec, e->latest_nsec);
	add_interval(&g->gone_earliest_nsec, &g->gone_latest_nsec, e->gone_earliest_nsec,
		     e->gone_latest_nsec);
}

static int compare(const void *a, const void *b)
{
	nsec_t x_nsec = *(const nsec_t *)a, y_nsec = *(const nsec_t *)b;

	return (x_nsec > y_nsec) - (x_nsec < y_nsec);
}

/* Writes seconds with as many decimals as are worth reading. */
static const char *sec(nsec_t time_nsec, char *buffer, size_t size)
{
	if (time_nsec == NSEC_NONE)
		return "-";
	snprintf(buffer, size, nsec_to_sec(time_nsec) < 1 ? "%.6f" : "%.3f",
		 nsec_to_sec(time_nsec));
	return buffer;
}

static const char *range(nsec_t low_nsec, nsec_t high_nsec, char *buffer, size_t size)
{
	char from[32], to[32];

	if (low_nsec == NSEC_NONE)
		return "-";
	snprintf(buffer, size, "%s..%s", sec(low_nsec, from, sizeof(from)),
		 sec(high_nsec, to, sizeof(to)));
	return buffer;
}

static const char *or_dash(const char *text)
{
	return text ? text : "-";
}

/* Sorts times and writes them: "6.540", or for repeats "6.340 6.540 6.788": least, median, most. */
static const char *spread(struct times *times, char *buffer, size_t size)
{
	const nsec_t *sorted_nsec = times->items_nsec;
	size_t n = times->count;
	char low[32], middle[32], high[32];

	if (n <= 1)
		return sec(n ? sorted_nsec[0] : NSEC_NONE, buffer, size);
	qsort(times->items_nsec, n, sizeof(*sorted_nsec), compare);
	snprintf(buffer, size, "%s %s %s", sec(sorted_nsec[0], low, sizeof(low)),
		 sec(sorted_nsec[(n - 1) / 2] + (sorted_nsec[n / 2] - sorted_nsec[(n - 1) / 2]) / 2,
		     middle, sizeof(middle)),
		 sec(sorted_nsec[n - 1], high, sizeof(high)));
	return buffer;
}

static void print_row(struct table *table, struct group *g, bool gone)
{
	const struct record_endpoint *e = &g->first->endpoint[g->node];
	bool good = g->passed == g->count;
	char buffer[160];

	table_cell(table, TABLE_PLAIN, record_title(g->first, buffer, sizeof(buffer)));
	table_cell(table, TABLE_PLAIN, family_name(g->first->family));
	table_cell(table, TABLE_PLAIN, node_name(g->node));
	table_cell(table, TABLE_PLAIN, g->mixed ? "(mixed)" : or_dash(outcome_name(e->outcome)));
	table_cell(table, TABLE_PLAIN, g->mixed ? "-" : or_dash(errno_name(e->error)));
	table_cell(table, TABLE_PLAIN, g->mixed ? "-" : or_dash(mechanism_name(e->mechanism)));
	table_cell(table, TABLE_PLAIN, spread(&g->detected, buffer, sizeof(buffer)));
	table_cell(table, TABLE_PLAIN,
		   range(g->earliest_nsec, g->latest_nsec, buffer, sizeof(buffer)));
	if (gone) {
		table_cell(table, TABLE_PLAIN, spread(&g->gone, buffer, sizeof(buffer)));
		table_cell(
			table, TABLE_PLAIN,
			range(g->gone_earliest_nsec, g->gone_latest_nsec, buffer, sizeof(buffer)));
	}
	if (g->count > 1)
		table_format(table, good ? TABLE_GOOD : TABLE_BAD, "%zu of %zu pass", g->passed,
			     g->count);
	else
		table_cell(table, good ? TABLE_GOOD : TABLE_BAD, good ? "pass" : "FAIL");
}

static bool has_result(const struct record *record, enum node_id node)
{
	return record->endpoint[node].outcome != OUTCOME_NONE;
}

/* Adds the rows of a trial, with all its records, if `i` is the first of them. */
static void group_rows(struct table *table, struct record *const *records, size_t n, size_t i,
		       bool gone)
{
	bool any = false;

	for (size_t k = 0; k < i; k++)
		if (records[k] && record_same_trial(records[k], records[i]))
			return;
	for (enum node_id node = 0; node < _ENDPOINT_MAX; node++) {
		struct group g = { .first = records[i],
				   .node = node,
				   .earliest_nsec = NSEC_NONE,
				   .latest_nsec = NSEC_NONE,
				   .gone_earliest_nsec = NSEC_NONE,
				   .gone_latest_nsec = NSEC_NONE };

		if (!has_result(records[i], node) && (any || node + 1 < _ENDPOINT_MAX))
			continue;
		any = true;
		for (size_t k = i; k < n; k++)
			if (records[k] && record_same_trial(records[k], records[i]))
				add(&g, records[k]);
		print_row(table, &g, gone);
		free(g.detected.items_nsec);
		free(g.gone.items_nsec);
	}
}

static void print_failures(struct record *const *records, size_t n, FILE *out)
{
	for (size_t i = 0; i < n; i++) {
		char title[160];

		for (size_t f = 0; records[i] && f < records[i]->n_failures; f++)
			fprintf(out, "%s (%s%s%.0u): %s\n",
				record_title(records[i], title, sizeof(title)),
				family_name(records[i]->family),
				records[i]->repeat ? ", repeat " : "", records[i]->repeat,
				records[i]->failures[f]);
	}
}

/* Tells whether in any record something of a connection was left after its end. Then a column of
 * the table says until when. */
static bool outlived(struct record *const *records, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (enum node_id node = 0; records[i] && node < _ENDPOINT_MAX; node++) {
			const struct record_endpoint *e = &records[i]->endpoint[node];

			if (e->gone_nsec != NSEC_NONE && record_detection(e) != NSEC_NONE &&
			    e->gone_nsec > record_detection(e) + NSEC_PER_SEC)
				return true;
		}
	}
	return false;
}

static struct table *new_table(bool gone)
{
	static const char *const headers[] = { "SCENARIO",    "FAMILY",	      "ENDPOINT",
					       "OUTCOME",     "ERRNO",	      "MECHANISM",
					       ">DETECTED s", ">PREDICTED s", "VERDICT" };
	static const char *const with_gone[] = { "SCENARIO",	      "FAMILY",	      "ENDPOINT",
						 "OUTCOME",	      "ERRNO",	      "MECHANISM",
						 ">DETECTED s",	      ">PREDICTED s", ">GONE s",
						 ">GONE PREDICTED s", "VERDICT" };

	return gone ? table_new(ARRAY_SIZE(with_gone), with_gone)
		    : table_new(ARRAY_SIZE(headers), headers);
}

void summary_print(struct record *const *records, size_t n, FILE *out)
{
	bool any = false, gone = outlived(records, n);
	struct table *table = new_table(gone);

	if (!table)
		return;
	for (size_t i = 0; i < n; i++) {
		if (!records[i])
			continue;
		group_rows(table, records, n, i, gone);
		any = true;
	}
	if (any)
		table_print(table, out);
	table_free(table);
	summary_print_rates(records, n, out);
	print_failures(records, n, out);
}
