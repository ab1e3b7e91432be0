/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "src/report/page-data.h"
#include "src/report/page-setting.h"
#include "src/util/array.h"

#define PROGRESS_EVERY 256 /* trials */

/* The statements of one store that run once for each trial. */
struct reader {
	struct page_data *data; /* not owned */
	struct store *store;	/* not owned */
	size_t number;		/* of the store */
	sqlite3_stmt *endpoints, *places, *settings, *record, *failures, *reasons; /* owned */
};

static void reader_deinit(struct reader *reader)
{
	statement_finalizep(&reader->endpoints);
	statement_finalizep(&reader->places);
	statement_finalizep(&reader->settings);
	statement_finalizep(&reader->record);
	statement_finalizep(&reader->failures);
	statement_finalizep(&reader->reasons);
}

static int no_memory(int rc, struct error *err)
{
	return rc < 0 ? error_errno(err, rc, "report") : 0;
}

int64_t page_number(int64_t number)
{
	int64_t most = INT64_C(1) << 53;

	return number >= -most && number <= most ? number : COLUMN_NULL;
}

int64_t page_time(sqlite3_stmt *s, int column)
{
	double usec = lib_sqlite3_column_double(s, column) * 1e6;

	return lib_sqlite3_column_type(s, column) != SQLITE_NULL && fabs(usec) < 0x1p53
		       ? llround(usec)
		       : COLUMN_NULL;
}

static int add_text(struct page_data *data, struct column *column, const char *text)
{
	int64_t number;
	int rc = texts_number(&data->texts, text, &number);

	return rc < 0 ? rc : column_add(column, number);
}

static int add_number(struct column *column, sqlite3_stmt *s, int i)
{
	return column_add(column, lib_sqlite3_column_type(s, i) == SQLITE_NULL
					  ? COLUMN_NULL
					  : page_number(lib_sqlite3_column_int64(s, i)));
}

/* Puts a text into the column of that name at the row `at`. Settings are told as --set takes them.
 */
static int add_named(struct page_data *data, struct page_named *named, const char *name, size_t at,
		     const char *text)
{
	_cleanup_(freep) char *setting = NULL;
	int64_t number;
	int rc = texts_number(&named->names, name ? name : "", &number);

	if (rc >= 0 && (size_t)number == named->n_columns &&
	    !array_append(&named->columns, &named->n_columns, sizeof(*named->columns)))
		rc = -ENOMEM;
	if (rc >= 0)
		rc = column_pad(&named->columns[number], at);
	if (rc >= 0 && named == &data->settings)
		text = setting = page_setting(name ? name : "", text ? text : "");
	if (rc >= 0 && named == &data->settings && !text)
		rc = -ENOMEM;
	/* A name comes twice in one row only in a store that deadpeer did not write. */
	if (rc >= 0 && named->columns[number].n == at)
		rc = add_text(data, &named->columns[number], text);
	return rc;
}

/* Reads names and texts of a trial into the columns of those names. */
static int read_named(struct reader *reader, sqlite3_stmt *s, struct page_named *named, size_t at,
		      const char *trial, struct error *err)
{
	int rc;

	store_bind_text(s, 1, trial);
	while ((rc = store_next(reader->store, s, err)) > 0) {
		rc = no_memory(
			add_named(reader->data, named, store_text(s, 0), at, store_text(s, 1)),
			err);
		if (rc < 0)
			break;
	}
	lib_sqlite3_reset(s);
	return rc;
}

/* Returns what happens in a trial, "netem both; heal netem both", from the list of faults that
 * stands in its record. NULL: nothing is told. The caller frees it. */
static char *events_of(const char *record)
{
	static const char key[] = "\"faults\":";
	const char *list = record ? strstr(record, key) : NULL;
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *faults = NULL, *text;
	char *events = NULL;
	size_t size;
	FILE *out = list && tokener ? open_memstream(&events, &size) : NULL;

	if (out)
		faults = json_tokener_parse_ex(tokener, list + strlen(key), -1);
	for (size_t i = 0;
	     json_object_is_type(faults, json_type_array) && i < json_object_array_length(faults);
	     i++)
		if (json_object_object_get_ex(json_object_array_get_idx(faults, i), "event", &text))
			fprintf(out, "%s%s", i ? "; " : "", json_object_get_string(text));
	json_object_put(faults);
	if (tokener)
		json_tokener_free(tokener);
	if (out)
		fclose(out);
	return events;
}

static int read_events(struct reader *reader, const char *trial, struct error *err)
{
	_cleanup_(freep) char *events = NULL;
	int rc;

	store_bind_text(reader->record, 1, trial);
	rc = store_next(reader->store, reader->record, err);
	if (rc > 0)
		events = events_of(store_text(reader->record, 0));
	if (rc >= 0)
		rc = no_memory(add_text(reader->data, &reader->data->events, events), err);
	lib_sqlite3_reset(reader->record);
	return rc;
}

/* Finds the number of a trial's cell. The first trial of a cell tells its settings and events. */
static int read_cell(struct reader *reader, const char *cell, const char *trial, struct error *err)
{
	struct page_data *data = reader->data;
	size_t before = data->cells.n;
	int64_t number;
	int rc = no_memory(texts_number(&data->cells, cell, &number), err);

	if (rc >= 0)
		rc = no_memory(column_add(&data->trials[TRIAL_CELL], number), err);
	if (rc >= 0 && data->cells.n > before) {
		rc = read_named(reader, reader->settings, &data->settings, before, trial, err);
		if (rc >= 0)
			rc = read_events(reader, trial, err);
	}
	return rc;
}

static int read_notes(struct reader *reader, sqlite3_stmt *s, struct page_notes *notes,
		      const char *trial, struct error *err)
{
	struct page_data *data = reader->data;
	int rc;

	store_bind_text(s, 1, trial);
	while ((rc = store_next(reader->store, s, err)) > 0) {
		data->list[data->n_list - 1].remarkable = true;
		rc = column_add(&notes->trial, (int64_t)data->n_list - 1);
		if (rc >= 0)
			rc = add_text(data, &notes->text, store_text(s, 0));
		if (no_memory(rc, err) < 0)
			break;
	}
	lib_sqlite3_reset(s);
	return rc;
}

/* Adds the times of an endpoint: the first that there is as it is, the others as differences to it.
 */
static int add_times(struct page_data *data, sqlite3_stmt *s, int first)
{
	int64_t base = COLUMN_NULL;
	int rc = 0;

	for (int i = ROW_KERNEL; rc >= 0 && i <= ROW_LATEST; i++) {
		int64_t time = page_time(s, first + i - ROW_KERNEL);

		rc = column_add(&data->rows[i],
				time == COLUMN_NULL || base == COLUMN_NULL ? time : time - base);
		if (base == COLUMN_NULL)
			base = time;
	}
	return rc;
}

static int add_endpoint(struct page_data *data, sqlite3_stmt *s)
{
	int rc = column_add(&data->rows[ROW_TRIAL], (int64_t)data->n_list - 1);

	for (int i = ROW_ENDPOINT; rc >= 0 && i <= ROW_MECHANISM; i++)
		rc = add_text(data, &data->rows[i], store_text(s, i - ROW_ENDPOINT));
	if (rc >= 0)
		rc = add_times(data, s, ROW_KERNEL - ROW_ENDPOINT);
	for (int i = ROW_RETRANSMISSIONS; rc >= 0 && i <= ROW_RESETS; i++)
		rc = add_number(&data->rows[i], s, i - ROW_ENDPOINT);
	return rc;
}

/* Tells whether a prediction did not hold, as the view `findings` of a store does. */
static bool is_surprise(sqlite3_stmt *s)
{
	int64_t kernel = page_time(s, 4), application = page_time(s, 5);
	int64_t detected = kernel == COLUMN_NULL ? application : kernel;
	int64_t earliest = page_time(s, 8), latest = page_time(s, 9);

	return detected != COLUMN_NULL && ((earliest != COLUMN_NULL && detected < earliest) ||
					   (latest != COLUMN_NULL && detected > latest));
}

/* Reads a row for each endpoint that was watched. A trial without any has its first one's. */
static int read_endpoints(struct reader *reader, const char *trial, struct error *err)
{
	struct page_data *data = reader->data;
	sqlite3_stmt *s = reader->endpoints;
	bool any = false;
	int rc;

	store_bind_text(s, 1, trial);
	while ((rc = store_next(reader->store, s, err)) > 0) {
		bool watched = lib_sqlite3_column_type(s, 1) != SQLITE_NULL;

		if (!watched && any) /* those that were watched come first */
			break;
		any = true;
		data->list[data->n_list - 1].remarkable |= is_surprise(s);
		rc = no_memory(add_endpoint(data, s), err);
		if (rc < 0 || !watched)
			break;
	}
	lib_sqlite3_reset(s);
	return rc;
}

static int add_trial(struct reader *reader, sqlite3_stmt *s, struct error *err)
{
	struct page_data *data = reader->data;
	struct column *columns = data->trials;
	struct page_trial *trial = array_append(&data->list, &data->n_list, sizeof(*trial));
	const char *id = store_text(s, 0);
	int rc = trial ? column_add(&columns[TRIAL_STORE], (int64_t)reader->number) : -ENOMEM;

	if (rc < 0)
		return no_memory(rc, err);
	trial->store = reader->number;
	if (id && strlen(id) < sizeof(trial->id))
		strcpy(trial->id, id);
	rc = add_number(&columns[TRIAL_POSITION], s, 1);
	for (int i = TRIAL_SCENARIO; rc >= 0 && i <= TRIAL_RELEASE; i++)
		rc = add_text(data, &columns[i], store_text(s, i));
	if (rc >= 0)
		rc = add_number(&columns[TRIAL_REPEAT], s, TRIAL_REPEAT);
	if (rc >= 0) /* a seed has 64 bits, which a script's numbers have not */
		rc = add_text(data, &columns[TRIAL_SEED], store_text(s, TRIAL_SEED));
	if (rc >= 0)
		rc = add_number(&columns[TRIAL_PHASE], s, TRIAL_PHASE);
	if (rc >= 0)
		rc = add_text(data, &columns[TRIAL_VERDICT], store_text(s, TRIAL_VERDICT));
	if (rc >= 0)
		rc = column_add(&columns[TRIAL_SPAN], page_time(s, TRIAL_SPAN));
	if (rc >= 0)
		rc = add_text(data, &columns[TRIAL_CLOCK], store_text(s, TRIAL_CLOCK));
	if (rc >= 0)
		rc = add_number(&columns[TRIAL_LOST], s, TRIAL_LOST);
	return no_memory(rc, err);
}

static int read_trial(struct reader *reader, sqlite3_stmt *s, struct error *err)
{
	struct page_data *data = reader->data;
	const char *id = store_text(s, 0);
	int rc = add_trial(reader, s, err);

	if (rc >= 0)
		rc = read_cell(reader, store_text(s, TRIAL_CELL), id, err);
	if (rc >= 0)
		rc = read_named(reader, reader->places, &data->places, data->n_list - 1, id, err);
	if (rc >= 0)
		rc = read_endpoints(reader, id, err);
	if (rc >= 0)
		rc = read_notes(reader, reader->failures, &data->failures, id, err);
	if (rc >= 0)
		rc = read_notes(reader, reader->reasons, &data->reasons, id, err);
	return rc;
}

static int read_problems(struct reader *reader, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	struct page_notes *problems = &reader->data->problems;
	int rc = store_prepare(reader->store,
			       "SELECT position, text FROM problem ORDER BY position, trial", &s,
			       err);

	while (rc >= 0 && (rc = store_next(reader->store, s, err)) > 0) {
		rc = column_add(&problems->trial, (int64_t)reader->number);
		if (rc >= 0)
			rc = add_number(&problems->place, s, 0);
		if (rc >= 0)
			rc = add_text(reader->data, &problems->text, store_text(s, 1));
		rc = no_memory(rc, err);
	}
	return rc;
}

/* The first column stands for TRIAL_STORE, which is no column of the table. */
#define TRIALS                                                                                     \
	"SELECT trial, position, cell, scenario, variant, family, engine, kernel, release, "       \
	"repeat, seed, phase, verdict, span_s, clock, lost FROM trial ORDER BY position, trial"
#define ENDPOINTS                                                                                  \
	"SELECT endpoint, outcome, errno, mechanism, kernel_s, application_s, wire_s, "            \
	"recovered_s, earliest_s, latest_s, retransmissions, resets FROM endpoint "                \
	"WHERE trial = ? ORDER BY outcome IS NULL, endpoint"

static int prepare(struct reader *reader, struct error *err)
{
	const struct {
		sqlite3_stmt **statement;
		const char *sql;
	} all[] = {
		{ &reader->endpoints, ENDPOINTS },
		{ &reader->places, "SELECT axis, value FROM place WHERE trial = ? ORDER BY n" },
		{ &reader->settings, "SELECT key, text FROM setting WHERE trial = ? ORDER BY key" },
		{ &reader->record, "SELECT json FROM record WHERE trial = ?" },
		{ &reader->failures, "SELECT text FROM failure WHERE trial = ? ORDER BY n" },
		{ &reader->reasons, "SELECT text FROM reason WHERE trial = ? ORDER BY n" },
	};
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(all); i++)
		rc = store_prepare(reader->store, all[i].sql, all[i].statement, err);
	return rc;
}

static int read_all(struct reader *reader, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	struct page_data *data = reader->data;
	int64_t total;
	int rc = store_number(reader->store, "SELECT count(*) FROM trial", &total, err);

	if (rc >= 0)
		rc = prepare(reader, err);
	if (rc >= 0)
		rc = store_prepare(reader->store, TRIALS, &s, err);
	for (size_t i = 0; rc >= 0 && (rc = store_next(reader->store, s, err)) > 0; i++) {
		rc = read_trial(reader, s, err);
		if (data->progress && i % PROGRESS_EVERY == 0)
			data->progress(i, (size_t)total, data->userdata);
	}
	return rc < 0 ? rc : read_problems(reader, err);
}

int page_read_trials(struct page_data *data, size_t number, struct error *err)
{
	struct reader reader = { .data = data, .store = data->stores[number], .number = number };
	int rc = read_all(&reader, err);

	reader_deinit(&reader);
	return rc;
}
