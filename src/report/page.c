/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/report/page.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "src/report/page-data.h"
#include "src/report/page-parts.h"
#include "src/util/utf8.h"

/* Records go along whole as long as the page is not larger; bytes. */
#define PAGE_SIZE (1900 * 1000)
/* What changes when the script would read other data wrongly. */
#define PAGE_FORMAT 1

static const char *const trial_names[] = {
	[TRIAL_STORE] = "store",       [TRIAL_POSITION] = "position", [TRIAL_CELL] = "cell",
	[TRIAL_SCENARIO] = "scenario", [TRIAL_VARIANT] = "variant",   [TRIAL_FAMILY] = "family",
	[TRIAL_ENGINE] = "engine",     [TRIAL_KERNEL] = "kernel",     [TRIAL_RELEASE] = "release",
	[TRIAL_REPEAT] = "repeat",     [TRIAL_SEED] = "seed",	      [TRIAL_PHASE] = "phase",
	[TRIAL_VERDICT] = "verdict",   [TRIAL_SPAN] = "span",	      [TRIAL_CLOCK] = "clock",
	[TRIAL_LOST] = "lost",
};
static_assert(ARRAY_SIZE(trial_names) == _TRIAL_COLUMN_MAX, "every column has a name");

static const char *const row_names[] = {
	[ROW_TRIAL] = "trial",
	[ROW_ENDPOINT] = "endpoint",
	[ROW_OUTCOME] = "outcome",
	[ROW_ERRNO] = "errno",
	[ROW_MECHANISM] = "mechanism",
	[ROW_KERNEL] = "kernel",
	[ROW_APPLICATION] = "application",
	[ROW_WIRE] = "wire",
	[ROW_RECOVERED] = "recovered",
	[ROW_EARLIEST] = "earliest",
	[ROW_LATEST] = "latest",
	[ROW_RETRANSMISSIONS] = "retransmissions",
	[ROW_RESETS] = "resets",
};
static_assert(ARRAY_SIZE(row_names) == _ROW_COLUMN_MAX, "every column has a name");

static void named_deinit(struct page_named *named)
{
	texts_deinit(&named->names);
	for (size_t i = 0; i < named->n_columns; i++)
		column_deinit(&named->columns[i]);
	free(named->columns);
}

static void notes_deinit(struct page_notes *notes)
{
	column_deinit(&notes->trial);
	column_deinit(&notes->place);
	column_deinit(&notes->text);
}

static void data_deinit(struct page_data *data)
{
	for (size_t i = 0; data->stores && i < data->n_stores; i++)
		store_close(data->stores[i]);
	free(data->stores);
	texts_deinit(&data->texts);
	texts_deinit(&data->cells);
	for (int i = 0; i < _TRIAL_COLUMN_MAX; i++)
		column_deinit(&data->trials[i]);
	for (int i = 0; i < _ROW_COLUMN_MAX; i++)
		column_deinit(&data->rows[i]);
	named_deinit(&data->places);
	named_deinit(&data->settings);
	column_deinit(&data->events);
	notes_deinit(&data->failures);
	notes_deinit(&data->reasons);
	notes_deinit(&data->problems);
	free(data->list);
}

static int read_stores(struct page_data *data, const char *const *paths, size_t n,
		       struct error *err)
{
	int rc = 0;

	data->stores = calloc(n + 1, sizeof(struct store *));
	if (!data->stores)
		return error_errno(err, -ENOMEM, "report");
	data->n_stores = n;
	for (size_t i = 0; rc >= 0 && i < n; i++) {
		rc = store_open(paths[i], STORE_READ, NULL, &data->stores[i], err);
		if (rc >= 0)
			rc = page_read_trials(data, i, err);
	}
	return rc;
}

static void put_columns(const char *const *names, const struct column *columns, int n, FILE *out)
{
	for (int i = 0; i < n; i++) {
		fprintf(out, ",\"%s\":", names[i]);
		column_put(&columns[i], out);
	}
}

/* Writes columns of the same length `rows`. */
static void put_named(const char *key, struct page_named *named, size_t rows, FILE *out)
{
	fprintf(out, "\"%s\":{\"names\":", key);
	texts_put(&named->names, out);
	fputs(",\"columns\":[", out);
	for (size_t i = 0; i < named->n_columns; i++) {
		if (i)
			putc(',', out);
		if (column_pad(&named->columns[i], rows) >= 0)
			column_put(&named->columns[i], out);
	}
	fputs("]}", out);
}

static void put_notes(const char *key, const struct page_notes *notes, FILE *out)
{
	fprintf(out, ",\"%s\":{\"n\":%zu,\"trial\":", key, notes->text.n);
	column_put(&notes->trial, out);
	if (notes->place.n) {
		fputs(",\"place\":", out);
		column_put(&notes->place, out);
	}
	fputs(",\"text\":", out);
	column_put(&notes->text, out);
	putc('}', out);
}

static void put_data(struct page_data *data, FILE *out)
{
	fprintf(out, ",\"trials\":{\"n\":%zu", data->n_list);
	put_columns(trial_names, data->trials, _TRIAL_COLUMN_MAX, out);
	putc(',', out);
	put_named("places", &data->places, data->n_list, out);
	fprintf(out, "},\"rows\":{\"n\":%zu", data->rows[ROW_TRIAL].n);
	put_columns(row_names, data->rows, _ROW_COLUMN_MAX, out);
	fprintf(out, "},\"cells\":{\"n\":%zu,", data->cells.n);
	put_named("settings", &data->settings, data->cells.n, out);
	fputs(",\"events\":", out);
	column_put(&data->events, out);
	putc('}', out);
	put_notes("failures", &data->failures, out);
	put_notes("reasons", &data->reasons, out);
	put_notes("problems", &data->problems, out);
	fputs(",\"texts\":", out);
	texts_put(&data->texts, out);
	putc(',', out);
}

/* Writes all as one object of JSON into a stream in memory. */
static int put_all(struct page_data *data, FILE *out, struct error *err)
{
	size_t size =
		strlen(page_before_title) + strlen(page_before_data) + strlen(page_after_data);
	long written;
	int rc;

	fprintf(out, "{\"format\":%d,", PAGE_FORMAT);
	rc = page_put_about(data, out, err);
	if (rc < 0)
		return rc;
	put_data(data, out);
	written = ftell(out);
	size += written > 0 ? (size_t)written : 0;
	rc = page_put_records(data, out, size < PAGE_SIZE ? PAGE_SIZE - size : 0, err);
	putc('}', out);
	return rc;
}

/* Writes JSON so that no text in it can end its block, or begin a comment. In JSON "<" can only be
 * in a text. */
static void put_inert(const char *json, FILE *out)
{
	for (; *json && !ferror(out); json++)
		if (*json == '<')
			fputs("\\u003c", out);
		else
			putc(*json, out);
}

static const char *title_of(const struct page_data *data)
{
	const struct store_study *study = data->n_stores == 1 ? store_study(data->stores[0]) : NULL;

	return study && study->name ? study->name : "trials";
}

static int write_page(struct page_data *data, FILE *out, struct error *err)
{
	_cleanup_(freep) char *json = NULL;
	size_t size;
	FILE *memory = open_memstream(&json, &size);
	int rc = memory ? put_all(data, memory, err) : 0;

	if (!memory || fclose(memory) != 0 || !json)
		return error_errno(err, -ENOMEM, "report");
	if (rc < 0)
		return rc;
	fputs(page_before_title, out);
	utf8_put_xml(out, title_of(data));
	fputs(page_before_data, out);
	put_inert(json, out);
	fputs(page_after_data, out);
	return 0;
}

int page_check(struct error *err)
{
	return *page_before_title
		       ? 0
		       : error_set(err, ERROR_CAPABILITY, -EOPNOTSUPP,
				   "report: this deadpeer was built without d3, which draws the "
				   "page's pictures; install Debian's package node-d3 and build it "
				   "again (meson setup --reconfigure build -Dd3=enabled)");
}

int page_write(const char *const *paths, size_t n, FILE *out, page_progress progress,
	       void *userdata, struct error *err)
{
	struct page_data data = { .progress = progress, .userdata = userdata };
	int rc = page_check(err);

	if (rc >= 0)
		rc = read_stores(&data, paths, n, err);
	if (rc >= 0)
		rc = write_page(&data, out, err);
	data_deinit(&data);
	return rc;
}
