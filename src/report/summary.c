/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/summary.h"

#include <stdlib.h>
#include <string.h>

#include "src/report/summary-rates.h"
#include "src/report/table.h"
#include "src/util/array.h"

/* The same trial, however often repeated, at one endpoint. */
struct group {
	const struct record *first;
	enum node_id node;
	nsec_t *kernel_nsec,
		*gone_nsec; /* times of detection, and of nothing left, sorted; owned */
	size_t n_kernel, n_gone, count, passed;
	bool mixed; /* the repeats ended differently */
	nsec_t earliest_nsec, latest_nsec, gone_earliest_nsec, gone_latest_nsec;
};

static void add_time(nsec_t **times, size_t *count, nsec_t t)
{
	nsec_t *slot = t == NSEC_NONE ? NULL : array_append(times, count, sizeof(*slot));

	if (slot)
		*slot = t;
}

/* Widens the interval from *low to *high by another, which is none where it is NSEC_NONE. */
static void add_interval(nsec_t *low, nsec_t *high, nsec_t earliest, nsec_t latest)
{
	if (earliest == NSEC_NONE)
		return;
	if (*low == NSEC_NONE || earliest < *low)
		*low = earliest;
	if (*high == NSEC_NONE || latest > *high)
		*high = latest;
}

static void add(struct group *g, const struct record *record)
{
	const struct record_endpoint *e = &record->endpoint[g->node];
	const struct record_endpoint *first = &g->first->endpoint[g->node];

	g->count++;
	g->passed += record_passed(record);
	g->mixed |= e->outcome != first->outcome || e->mechanism != first->mechanism;
	add_time(&g->kernel_nsec, &g->n_kernel, record_detection(e));
	add_time(&g->gone_nsec, &g->n_gone, e->gone_nsec);
	if (record_detection(e) != NSEC_NONE)
		add_interval(&g->earliest_nsec, &g->latest_nsec, e->earliest_nsec, e->latest_nsec);
	add_interval(&g->gone_earliest_nsec, &g->gone_latest_nsec, e->gone_earliest_nsec,
		     e->gone_latest_nsec);
}

static int compare(const void *a, const void *b)
{
	nsec_t x = *(const nsec_t *)a, y = *(const nsec_t *)b;

	return (x > y) - (x < y);
}

/* Seconds with as many decimals as are worth reading. */
static const char *sec(nsec_t t, char *buffer, size_t size)
{
	if (t == NSEC_NONE)
		return "-";
	snprintf(buffer, size, nsec_to_sec(t) < 1 ? "%.6f" : "%.3f", nsec_to_sec(t));
	return buffer;
}

static const char *range(nsec_t a, nsec_t b, char *buffer, size_t size)
{
	char from[32], to[32];

	if (a == NSEC_NONE)
		return "-";
	snprintf(buffer, size, "%s..%s", sec(a, from, sizeof(from)), sec(b, to, sizeof(to)));
	return buffer;
}

static const char *or_dash(const char *text)
{
	return text ? text : "-";
}

static nsec_t median(const nsec_t *times, size_t n)
{
	return times[(n - 1) / 2] + (times[n / 2] - times[(n - 1) / 2]) / 2;
}

/* "6.540", or for repeats "6.340 6.540 6.788": least, median, most. */
static const char *spread(const nsec_t *times, size_t n, char *buffer, size_t size)
{
	char low[32], middle[32], high[32];

	if (n <= 1)
		return sec(n ? times[0] : NSEC_NONE, buffer, size);
	snprintf(buffer, size, "%s %s %s", sec(times[0], low, sizeof(low)),
		 sec(median(times, n), middle, sizeof(middle)),
		 sec(times[n - 1], high, sizeof(high)));
	return buffer;
}

static void print_row(struct table *table, const struct group *g, bool gone)
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
	table_cell(table, TABLE_PLAIN, spread(g->kernel_nsec, g->n_kernel, buffer, sizeof(buffer)));
	table_cell(table, TABLE_PLAIN,
		   range(g->earliest_nsec, g->latest_nsec, buffer, sizeof(buffer)));
	if (gone) {
		table_cell(table, TABLE_PLAIN,
			   spread(g->gone_nsec, g->n_gone, buffer, sizeof(buffer)));
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

/* Gathers the records of a trial at the first of them. */
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
		if (g.n_kernel)
			qsort(g.kernel_nsec, g.n_kernel, sizeof(*g.kernel_nsec), compare);
		if (g.n_gone)
			qsort(g.gone_nsec, g.n_gone, sizeof(*g.gone_nsec), compare);
		print_row(table, &g, gone);
		free(g.kernel_nsec);
		free(g.gone_nsec);
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

/* Whether something of a connection was left after its end in any record. Then a column says until
 * when. */
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
