/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/summary.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/report/findings.h"
#include "src/report/options-text.h"
#include "src/report/summary-rates.h"
#include "src/report/table.h"
#include "src/util/array.h"
#include "src/util/utf8.h"

struct times {
	nsec_t *items_nsec; /* owned */
	size_t count;
};

/* The same trial, however often repeated, at one endpoint. */
struct group {
	const struct record *first;  /* of its records; not owned */
	const struct record *shown;  /* the first that is conclusive; NULL: none is; not owned */
	const char *end;	     /* its name */
	struct times detected, gone; /* when it was detected, and when nothing was left */
	struct times recovered;	     /* when it worked again */
	size_t count[_VERDICT_MAX];  /* its records by verdict */
	bool mixed;		     /* the repeats ended differently */
	bool derived;		     /* some of its times are of packets and sock_diag */
	nsec_t earliest_nsec, latest_nsec;	     /* predicted for `detected`; NSEC_NONE */
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

/* Times and outcomes of an inconclusive trial are not those of the scenario. */
static void add(struct group *g, const struct record *record)
{
	const struct record_endpoint *e = record_end(record, g->end), *shown;
	enum verdict verdict = record_verdict(record);

	if (!e)
		return;
	g->count[verdict]++;
	if (verdict == VERDICT_INCONCLUSIVE)
		return;
	if (!g->shown)
		g->shown = record;
	shown = record_end(g->shown, g->end);
	g->derived |= record->clock != RECORD_CLOCK_TRACEPOINT;
	g->mixed |= e->outcome != shown->outcome || e->mechanism != shown->mechanism;
	add_time(&g->detected, record_detection(e));
	add_time(&g->gone, e->gone_nsec);
	add_time(&g->recovered, e->recovered_nsec);
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

static const char *sec(nsec_t time_nsec, char *buffer, size_t size)
{
	return table_seconds(time_nsec == NSEC_NONE ? NAN : nsec_to_sec(time_nsec), buffer, size);
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

/* A text may have what a stranger's program printed, and takes one line here. */
static void print_text(const char *text, FILE *out)
{
	for (size_t n = strlen(text); n; text++, n--) {
		unsigned char c = (unsigned char)*text;

		if (c == '\n' && n == 1)
			continue;
		if (c < ' ' || c == 0x7f)
			fprintf(out, c == '\n' ? "\\n" : "\\x%02x", c);
		else
			fputc(c, out);
	}
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

static void print_verdict(struct table *table, const struct group *g)
{
	static const struct {
		const char *text;
		enum table_style style;
	} words[] = {
		[VERDICT_PASS] = { "pass", TABLE_GOOD },
		[VERDICT_FAIL] = { "FAIL", TABLE_BAD },
		[VERDICT_INCONCLUSIVE] = { "inconclusive", TABLE_OPEN },
	};
	size_t inconclusive = g->count[VERDICT_INCONCLUSIVE], total = 0;
	enum verdict worst = VERDICT_PASS;
	char open[48] = "";

	for (enum verdict v = 0; v < _VERDICT_MAX; v++)
		total += g->count[v];
	if (g->count[VERDICT_FAIL])
		worst = VERDICT_FAIL;
	else if (inconclusive)
		worst = VERDICT_INCONCLUSIVE;
	if (inconclusive)
		snprintf(open, sizeof(open), ", %zu inconclusive", inconclusive);
	if (total > 1)
		table_format(table, words[worst].style, "%zu of %zu pass%s", g->count[VERDICT_PASS],
			     total, open);
	else
		table_cell(table, words[worst].style, words[worst].text);
}

/* The columns that only some tables have. */
struct columns {
	bool derived;	/* some times are not of the tracepoints' clock */
	bool gone;	/* something was left after an end was detected: until when */
	bool recovered; /* something worked again: since when */
};

static void print_row(struct table *table, struct group *g, struct columns columns)
{
	static const struct record_endpoint nothing = { .outcome = OUTCOME_NONE };
	const struct record_endpoint *e = g->shown ? record_end(g->shown, g->end) : &nothing;
	char buffer[160];

	table_cell(table, TABLE_PLAIN, record_title(g->first, buffer, sizeof(buffer)));
	table_cell(table, TABLE_PLAIN, family_name(g->first->family));
	table_cell(table, TABLE_PLAIN, g->end);
	table_cell(table, TABLE_PLAIN, g->mixed ? "(mixed)" : or_dash(outcome_name(e->outcome)));
	table_cell(table, TABLE_PLAIN, g->mixed ? "-" : or_dash(errno_text(e->error)));
	table_cell(table, TABLE_PLAIN, g->mixed ? "-" : or_dash(mechanism_name(e->mechanism)));
	if (columns.derived)
		table_cell(table, TABLE_PLAIN,
			   g->derived ? record_clock_name(RECORD_CLOCK_SOCK_DIAG) : "");
	table_cell(table, TABLE_PLAIN, spread(&g->detected, buffer, sizeof(buffer)));
	table_cell(table, TABLE_PLAIN,
		   range(g->earliest_nsec, g->latest_nsec, buffer, sizeof(buffer)));
	if (columns.recovered)
		table_cell(table, TABLE_PLAIN, spread(&g->recovered, buffer, sizeof(buffer)));
	if (columns.gone) {
		table_cell(table, TABLE_PLAIN, spread(&g->gone, buffer, sizeof(buffer)));
		table_cell(
			table, TABLE_PLAIN,
			range(g->gone_earliest_nsec, g->gone_latest_nsec, buffer, sizeof(buffer)));
	}
	print_verdict(table, g);
}

/* Whether a repeat of the trial, conclusive if any is, has a result at that end. */
static bool has_result(struct record *const *records, size_t n, const struct record *first,
		       const char *name)
{
	bool conclusive = false, any = false, open = false;

	for (size_t i = 0; i < n; i++) {
		const struct record_endpoint *e;
		bool has;

		if (!records[i] || !record_same_trial(records[i], first))
			continue;
		e = record_end(records[i], name);
		has = e && e->outcome != OUTCOME_NONE;
		if (record_verdict(records[i]) == VERDICT_INCONCLUSIVE) {
			open |= has;
		} else {
			conclusive = true;
			any |= has;
		}
	}
	return conclusive ? any : open;
}

/* Adds the rows of a trial, with all its records, if `i` is the first of them. */
static void group_rows(struct table *table, struct record *const *records, size_t n, size_t i,
		       struct columns columns)
{
	const struct record *widest;
	bool any = false;

	for (size_t k = 0; k < i; k++)
		if (records[k] && record_same_trial(records[k], records[i]))
			return;
	widest = record_widest(records, n, records[i]);
	for (enum end_id end = 0; end < widest->n_ends; end++) {
		struct group g = { .first = records[i],
				   .end = widest->endpoint[end].name,
				   .earliest_nsec = NSEC_NONE,
				   .latest_nsec = NSEC_NONE,
				   .gone_earliest_nsec = NSEC_NONE,
				   .gone_latest_nsec = NSEC_NONE };

		if (!has_result(records, n, records[i], g.end) && (any || end + 1 < widest->n_ends))
			continue;
		any = true;
		for (size_t k = i; k < n; k++)
			if (records[k] && record_same_trial(records[k], records[i]))
				add(&g, records[k]);
		print_row(table, &g, columns);
		free(g.detected.items_nsec);
		free(g.recovered.items_nsec);
		free(g.gone.items_nsec);
	}
}

static void print_lines(const struct record *record, const char *what, char *const *lines, size_t n,
			FILE *out)
{
	char title[160];

	for (size_t i = 0; i < n; i++) {
		fprintf(out, "%s (%s%s%.0u): %s", record_title(record, title, sizeof(title)),
			family_name(record->family), record->repeat ? ", repeat " : "",
			record->repeat, what);
		print_text(lines[i], out);
		fputc('\n', out);
	}
}

/* The expectations of an inconclusive trial mean nothing, so its reasons are told instead. */
static void print_reasons(struct record *const *records, size_t n, FILE *out)
{
	for (size_t i = 0; i < n; i++) {
		const struct record *r = records[i];

		if (!r)
			continue;
		if (record_verdict(r) == VERDICT_INCONCLUSIVE)
			print_lines(r, "inconclusive: ", r->doubts, r->n_doubts, out);
		else
			print_lines(r, "", r->failures, r->n_failures, out);
	}
}

static void print_left_out(struct record *const *records, size_t n, FILE *out)
{
	char title[160];

	for (size_t i = 0; i < n; i++)
		if (records[i] && records[i]->follow_left_out)
			fprintf(out,
				"%s (%s): %" PRIu32 " more connections were open; %d are followed "
				"at most\n",
				record_title(records[i], title, sizeof(title)),
				family_name(records[i]->family), records[i]->follow_left_out,
				TRIAL_CONNECTIONS_MAX);
}

static struct columns columns_of(struct record *const *records, size_t n)
{
	struct columns columns = { false, false, false };

	for (size_t i = 0; i < n; i++) {
		columns.derived |= records[i] && records[i]->clock != RECORD_CLOCK_TRACEPOINT;
		for (enum end_id end = 0; records[i] && end < records[i]->n_ends; end++) {
			const struct record_endpoint *e = &records[i]->endpoint[end];

			columns.gone |= e->gone_nsec != NSEC_NONE &&
					record_detection(e) != NSEC_NONE &&
					e->gone_nsec > record_detection(e) + NSEC_PER_SEC;
			columns.recovered |= e->recovered_by == RECOVERY_CONNECTION ||
					     (e->recovered_nsec != NSEC_NONE && e->command_output);
		}
	}
	return columns;
}

#define COLUMNS_MAX 13

/* The headers have to live as long as the table. */
static struct table *new_table(struct columns columns, const char *headers[static COLUMNS_MAX])
{
	static const char *const always[] = { "SCENARIO", "FAMILY", "ENDPOINT",
					      "OUTCOME",  "ERRNO",  "MECHANISM" };
	size_t n = ARRAY_SIZE(always);

	memcpy(headers, always, sizeof(always));
	if (columns.derived)
		headers[n++] = "CLOCK";
	headers[n++] = ">DETECTED s";
	headers[n++] = ">PREDICTED s";
	if (columns.recovered)
		headers[n++] = ">RECOVERED s";
	if (columns.gone) {
		headers[n++] = ">GONE s";
		headers[n++] = ">GONE PREDICTED s";
	}
	headers[n++] = "VERDICT";
	return table_new(n, headers);
}

void summary_print(struct record *const *records, size_t n, FILE *out)
{
	struct columns columns = columns_of(records, n);
	const char *headers[COLUMNS_MAX];
	struct table *table = new_table(columns, headers);
	bool any = false;

	if (!table)
		return;
	for (size_t i = 0; i < n; i++) {
		if (!records[i])
			continue;
		group_rows(table, records, n, i, columns);
		any = true;
	}
	if (any)
		table_print(table, out);
	table_free(table);
	options_print(records, n, out);
	print_left_out(records, n, out);
	summary_print_rates(records, n, out);
	print_reasons(records, n, out);
	findings_print(records, n, out);
}
