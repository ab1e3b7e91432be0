/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/summary.h"

#include <stdlib.h>
#include <string.h>

#include "src/table.h"

/* The same trial, however often repeated, at one endpoint. */
struct group {
	const struct record *first;
	enum node_id node;
	nsec_t *kernel; /* detection times, sorted; those there are */
	size_t n_kernel, count, passed;
	bool mixed; /* repeats ended differently */
	nsec_t earliest, latest, application_difference;
};

static bool same_trial(const struct record *a, const struct record *b)
{
	char ta[160], tb[160];

	return a->family == b->family && !strcmp(a->engine, b->engine) &&
	       !strcmp(a->kernel, b->kernel) &&
	       !strcmp(record_title(a, ta, sizeof(ta)), record_title(b, tb, sizeof(tb)));
}

static nsec_t detection(const struct record_endpoint *e)
{
	return e->kernel_nsec != NSEC_NONE ? e->kernel_nsec : e->application_nsec;
}

static void add(struct group *g, const struct record *record)
{
	const struct record_endpoint *e = &record->endpoint[g->node];
	const struct record_endpoint *first = &g->first->endpoint[g->node];
	nsec_t *slot;

	g->count++;
	g->passed += record_passed(record);
	g->mixed |= e->outcome != first->outcome || e->mechanism != first->mechanism;
	if (detection(e) == NSEC_NONE)
		return;
	slot = record_append(&g->kernel, &g->n_kernel, sizeof(*slot));
	if (slot)
		*slot = detection(e);
	if (e->earliest_nsec == NSEC_NONE)
		return;
	if (g->earliest == NSEC_NONE || e->earliest_nsec < g->earliest)
		g->earliest = e->earliest_nsec;
	if (g->latest == NSEC_NONE || e->latest_nsec > g->latest)
		g->latest = e->latest_nsec;
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

/* "6.540", or for repeats "6.340 6.540 6.788": least, median, most. */
static const char *detected(const struct group *g, char *buffer, size_t size)
{
	char low[32], middle[32], high[32];

	if (g->n_kernel <= 1)
		return sec(g->n_kernel ? g->kernel[0] : NSEC_NONE, buffer, size);
	snprintf(buffer, size, "%s %s %s", sec(g->kernel[0], low, sizeof(low)),
		 sec(g->kernel[g->n_kernel / 2], middle, sizeof(middle)),
		 sec(g->kernel[g->n_kernel - 1], high, sizeof(high)));
	return buffer;
}

static void print_row(struct table *table, const struct group *g)
{
	const struct record_endpoint *e = &g->first->endpoint[g->node];
	bool good = g->passed == g->count;
	char buffer[160];

	table_cell(table, TABLE_PLAIN, record_title(g->first, buffer, sizeof(buffer)));
	table_cell(table, TABLE_PLAIN, family_name(g->first->family));
	table_cell(table, TABLE_PLAIN, node_name(g->node));
	table_cell(table, TABLE_PLAIN, g->mixed ? "(mixed)" : or_dash(outcome_name(e->outcome)));
	table_cell(table, TABLE_PLAIN, g->mixed ? "-" : or_dash(e->error));
	table_cell(table, TABLE_PLAIN, g->mixed ? "-" : or_dash(mechanism_name(e->mechanism)));
	table_cell(table, TABLE_PLAIN, detected(g, buffer, sizeof(buffer)));
	table_cell(table, TABLE_PLAIN, range(g->earliest, g->latest, buffer, sizeof(buffer)));
	if (g->count > 1)
		snprintf(buffer, sizeof(buffer), "%zu of %zu pass", g->passed, g->count);
	else
		snprintf(buffer, sizeof(buffer), "%s", good ? "pass" : "FAIL");
	table_cell(table, good ? TABLE_GOOD : TABLE_BAD, buffer);
}

static bool has_result(const struct record *record, enum node_id node)
{
	return record->endpoint[node].outcome != OUTCOME_NONE;
}

/* The group of the record's trial, gathered when its first record comes along. */
static void group_rows(struct table *table, struct record *const *records, size_t n, size_t i)
{
	bool any = false;

	for (size_t k = 0; k < i; k++)
		if (records[k] && same_trial(records[k], records[i]))
			return;
	for (enum node_id node = 0; node < _ENDPOINT_MAX; node++) {
		struct group g = { .first = records[i],
				   .node = node,
				   .earliest = NSEC_NONE,
				   .latest = NSEC_NONE };

		if (!has_result(records[i], node) && (any || node + 1 < _ENDPOINT_MAX))
			continue;
		any = true;
		for (size_t k = i; k < n; k++)
			if (records[k] && same_trial(records[k], records[i]))
				add(&g, records[k]);
		if (g.n_kernel)
			qsort(g.kernel, g.n_kernel, sizeof(*g.kernel), compare);
		print_row(table, &g);
		free(g.kernel);
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

void summary_print(struct record *const *records, size_t n, FILE *out)
{
	static const char *const headers[] = { "SCENARIO",   "FAMILY",	    "ENDPOINT",
					       "OUTCOME",    "ERRNO",	    "MECHANISM",
					       "DETECTED s", "PREDICTED s", "VERDICT" };
	static const bool right[ARRAY_SIZE(headers)] = { [6] = true, [7] = true };
	struct table *table = table_new(ARRAY_SIZE(headers), headers, right);
	bool any = false;

	if (!table)
		return;
	for (size_t i = 0; i < n; i++) {
		if (!records[i])
			continue;
		group_rows(table, records, n, i);
		any = true;
	}
	if (any)
		table_print(table, out);
	table_free(table);
	print_failures(records, n, out);
}
