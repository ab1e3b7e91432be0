/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole records of a page. Ten thousand of them do not fit; where one is missing the page has
 * the command that makes it again, and the one that reads it from the store. */
#include <string.h>

#include "src/report/page-data.h"
#include "src/util/utf8.h"

/* Where a record has this many bytes left at most, no record is likely to fit. */
#define TOO_LITTLE 1024

/* Returns how long a trial's endpoint took, as a number to compare: what was never detected took
 * longest. */
static int64_t time_of(const struct page_data *data, size_t row)
{
	int64_t time = data->rows[ROW_KERNEL].values[row];

	if (time == COLUMN_NULL)
		time = data->rows[ROW_APPLICATION].values[row];
	return time == COLUMN_NULL ? INT64_MAX : time;
}

/* Marks the trial that took longest among those of the same cell on the same kernel. */
static int mark_worst(struct page_data *data, struct error *err)
{
	struct texts groups = { 0 };
	struct column best = { 0 }; /* by number of the group: number of a row */
	int rc = 0;

	for (size_t row = 0; rc >= 0 && row < data->rows[ROW_TRIAL].n; row++) {
		int64_t trial = data->rows[ROW_TRIAL].values[row], group;
		char name[64];

		snprintf(name, sizeof(name), "%lld/%lld/%lld",
			 (long long)data->trials[TRIAL_CELL].values[trial],
			 (long long)data->trials[TRIAL_RELEASE].values[trial],
			 (long long)data->rows[ROW_ENDPOINT].values[row]);
		rc = texts_number(&groups, name, &group);
		if (rc >= 0 && (size_t)group == best.n)
			rc = column_add(&best, (int64_t)row);
		if (rc >= 0 && time_of(data, row) > time_of(data, (size_t)best.values[group]))
			best.values[group] = (int64_t)row;
	}
	for (size_t i = 0; i < best.n; i++)
		data->list[data->rows[ROW_TRIAL].values[best.values[i]]].worst = true;
	texts_deinit(&groups);
	column_deinit(&best);
	return rc < 0 ? error_errno(err, rc, "report") : 0;
}

/* Counts the bytes that a record takes in the page. */
static size_t cost(const char *json)
{
	size_t n = strlen("\"12345\":\"\",");

	for (; *json; json++)
		n += *json == '<' ? strlen("\\u003c") : *json == '"' || *json == '\\' ? 2u : 1u;
	return n;
}

static void put_record(const char *json, size_t number, bool first, FILE *out)
{
	fprintf(out, "%s\"%zu\":\"", first ? "" : ",", number);
	utf8_put_json(out, json);
	putc('"', out);
}

/* What has been written. */
struct records {
	size_t left; /* bytes */
	bool any;
	bool skipped; /* some did not fit */
};

/* Writes the record of a trial if it fits into what is left. */
static int put_trial(struct page_data *data, size_t number, struct records *records, FILE *out,
		     struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	struct store *store = data->stores[data->list[number].store];
	const char *json = NULL;
	int rc = store_prepare(store, "SELECT json FROM record WHERE trial = ?", &s, err);

	if (rc < 0)
		return rc;
	store_bind_text(s, 1, data->list[number].id);
	rc = store_next(store, s, err);
	if (rc > 0)
		json = store_text(s, 0);
	if (json && cost(json) <= records->left) {
		records->left -= cost(json);
		put_record(json, number, !records->any, out);
		records->any = true;
	} else if (json) {
		records->skipped = true;
	}
	return rc;
}

static int rank(const struct page_trial *trial)
{
	return trial->remarkable ? 0 : trial->worst ? 1 : 2;
}

int page_put_records(struct page_data *data, FILE *out, size_t budget, struct error *err)
{
	struct records records = { .left = budget };
	int rc = mark_worst(data, err);

	fputs("\"records\":{", out);
	/* Where one did not fit, a smaller one of a lower rank is not put in its place. */
	for (int turn = 0; turn <= 2 && !records.skipped; turn++)
		for (size_t i = 0; rc >= 0 && i < data->n_list && records.left > TOO_LITTLE; i++)
			if (rank(&data->list[i]) == turn)
				rc = put_trial(data, i, &records, out, err);
	putc('}', out);
	return rc < 0 ? rc : 0;
}
