/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/summary-rates.h"

#include "src/report/rate.h"
#include "src/report/table.h"

/* The outcomes of one endpoint in all repeats of a trial. */
struct tally {
	const struct record *first;
	const char *end; /* its name */
	size_t count[_OUTCOME_MAX], total;
	bool many; /* the rates are of many connections, not of repeats */
};

static void add(struct tally *t, const struct record *record)
{
	const struct record_endpoint *e = record_end(record, t->end);

	if (!e || record_verdict(record) == VERDICT_INCONCLUSIVE)
		return;
	if (!e->population.connections) {
		t->count[e->outcome]++;
		t->total += e->outcome != OUTCOME_NONE;
		return;
	}
	t->many = true;
	t->total += e->population.connections;
	for (enum outcome o = OUTCOME_NONE + 1; o < _OUTCOME_MAX; o++)
		t->count[o] += e->population.outcome[o];
}

static bool is_mixed(const struct tally *t)
{
	size_t kinds = 0;

	for (enum outcome o = OUTCOME_NONE + 1; o < _OUTCOME_MAX; o++)
		kinds += t->count[o] > 0;
	return kinds > 1;
}

static void print_outcome(struct table *table, const struct tally *t, enum outcome o)
{
	struct rate rate = rate_of(t->count[o], t->total);
	char buffer[160];

	table_cell(table, TABLE_PLAIN, record_title(t->first, buffer, sizeof(buffer)));
	table_cell(table, TABLE_PLAIN, family_name(t->first->family));
	table_cell(table, TABLE_PLAIN, t->end);
	table_cell(table, TABLE_PLAIN, outcome_name(o));
	table_format(table, TABLE_PLAIN, "%zu of %zu", t->count[o], t->total);
	table_format(table, TABLE_PLAIN, "%.2f", rate.value * 100);
	table_format(table, TABLE_PLAIN, "%.2f..%.2f", rate.low * 100, rate.high * 100);
}

/* Adds the rows of a trial if `i` is the first of its records. Returns whether it added any. */
static bool tally_rows(struct table *table, struct record *const *records, size_t n, size_t i)
{
	const struct record *widest;
	bool any = false;

	for (size_t k = 0; k < i; k++)
		if (records[k] && record_same_trial(records[k], records[i]))
			return false;
	widest = record_widest(records, n, records[i]);
	for (enum end_id end = 0; end < widest->n_ends; end++) {
		struct tally t = { .first = records[i], .end = widest->endpoint[end].name };

		for (size_t k = i; k < n; k++)
			if (records[k] && record_same_trial(records[k], records[i]))
				add(&t, records[k]);
		for (enum outcome o = OUTCOME_NONE + 1; o < _OUTCOME_MAX; o++)
			if (t.count[o] && (t.many || is_mixed(&t))) {
				print_outcome(table, &t, o);
				any = true;
			}
	}
	return any;
}

void summary_print_rates(struct record *const *records, size_t n, FILE *out)
{
	static const char *const headers[] = { "SCENARIO", "FAMILY",  "ENDPOINT",      "OUTCOME",
					       ">COUNT",   ">RATE %", ">95 % INTERVAL" };
	struct table *table = table_new(ARRAY_SIZE(headers), headers);
	bool any = false;

	if (!table)
		return;
	for (size_t i = 0; i < n; i++)
		any |= records[i] && tally_rows(table, records, n, i);
	if (any) {
		fputc('\n', out);
		table_print(table, out);
	}
	table_free(table);
}
