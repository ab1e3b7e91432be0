/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the page knows of its stores. page-trials.c reads their trials into columns, page-records.c
 * chooses the records that go along whole, page-about.c tells where all of it is from, and page.c
 * writes it as one object of JSON.
 */

#include "src/report/page-column.h"
#include "src/report/page.h"
#include "src/store/sql.h"
#include "src/store/store.h"

enum trial_column {
	TRIAL_STORE,
	TRIAL_POSITION,
	TRIAL_CELL,
	TRIAL_SCENARIO,
	TRIAL_VARIANT,
	TRIAL_FAMILY,
	TRIAL_ENGINE,
	TRIAL_KERNEL,
	TRIAL_RELEASE,
	TRIAL_REPEAT,
	TRIAL_SEED,
	TRIAL_PHASE,
	TRIAL_VERDICT,
	TRIAL_SPAN,
	TRIAL_CLOCK,
	TRIAL_LOST,
	_TRIAL_COLUMN_MAX,
};

enum row_column {
	ROW_TRIAL,
	ROW_ENDPOINT,
	ROW_OUTCOME,
	ROW_ERRNO,
	ROW_MECHANISM,
	ROW_KERNEL,
	ROW_APPLICATION, /* this and the next four count from the time before, where there is one */
	ROW_WIRE,
	ROW_RECOVERED,
	ROW_EARLIEST,
	ROW_LATEST,
	ROW_RETRANSMISSIONS,
	ROW_RESETS,
	_ROW_COLUMN_MAX,
};

/* A list of texts that belong to trials: failures, reasons, problems. */
struct page_notes {
	struct column trial; /* the trial's number; of a problem the number of the store */
	struct column place; /* a problem's position in the study; else unused */
	struct column text;  /* number of the text */
};

/* Columns that have names, which come up while trials are read: axes, settings. */
struct page_named {
	struct texts names;
	struct column *columns; /* by number of the name; owned */
	size_t n_columns;
};

/* What decides whether the record of a trial goes along whole. */
struct page_trial {
	char id[IDENTITY_TEXT]; /* "": its store has something else there */
	size_t store;		/* number of its store */
	bool remarkable; /* it failed, was inconclusive, or came out otherwise than predicted */
	bool worst;	 /* of all trials of its cell and kernel it took longest */
};

struct page_data {
	struct store **stores; /* owned */
	size_t n_stores;

	struct texts texts; /* what the numbers in columns stand for */
	struct column trials[_TRIAL_COLUMN_MAX];
	struct page_named places; /* for each axis where a trial stands on it */
	struct column rows[_ROW_COLUMN_MAX];
	struct texts cells;	    /* identities of cells */
	struct page_named settings; /* for each key its text in a cell */
	struct column events;	    /* what happens in a cell's trials */
	struct page_notes failures, reasons, problems;

	struct page_trial *list; /* by number of the trial; owned */
	size_t n_list;
	page_progress progress; /* is told how far the work is; or NULL */
	void *userdata;		/* goes to `progress` */
};

/* Returns a number that a script can hold exactly; else COLUMN_NULL. */
int64_t page_number(int64_t number);
/* Returns the microseconds of a column that has seconds; COLUMN_NULL for NULL. */
int64_t page_time(sqlite3_stmt *statement, int column);

/* Read all trials of a store, and its problems. */
int page_read_trials(struct page_data *data, size_t number, struct error *err);
/* Writes "studies" and "stores": what was run, by which deadpeer, on which machine. */
int page_put_about(struct page_data *data, FILE *out, struct error *err);
/* Writes "records", up to about `budget` bytes: those of remarkable trials first, then the worst of
 * each cell, then others. */
int page_put_records(struct page_data *data, FILE *out, size_t budget, struct error *err);
