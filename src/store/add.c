/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adds a finished trial to the store: all its rows in one transaction. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/store/sql.h"
#include "src/store/store.h"

static const char *const inserts[] = {
	[INSERT_TRIAL] = "INSERT INTO trial VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
			 "?, ?)",
	[INSERT_PLACE] = "INSERT INTO place VALUES(?, ?, ?, ?)",
	[INSERT_SETTING] = "INSERT INTO setting VALUES(?, ?, ?, ?)",
	[INSERT_ENDPOINT] = "INSERT INTO endpoint VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[INSERT_FAILURE] = "INSERT INTO failure VALUES(?, ?, ?)",
	[INSERT_REASON] = "INSERT INTO reason VALUES(?, ?, ?)",
	[INSERT_RECORD] = "INSERT INTO record VALUES(?, ?)",
	[INSERT_FINISHED] = "INSERT INTO finished VALUES(?, ?, " STORE_NOW ")",
	[INSERT_PROBLEM] = "INSERT OR REPLACE INTO problem VALUES(?, ?, ?, " STORE_NOW ", ?)",
	[INSERT_TOOK] = "INSERT INTO took VALUES(?, ?)",
	[FORGET_PROBLEM] = "DELETE FROM problem WHERE trial = ?",
};
static_assert(ARRAY_SIZE(inserts) == _INSERT_MAX, "every insert has its SQL");

/* Runs one of the statements, which is prepared when it is first needed. */
static int insert(struct store *store, struct error *err, enum store_insert kind,
		  const struct store_value *values, size_t n)
{
	sqlite3_stmt **statement = &store->insert[kind];
	int rc = *statement ? 0 : store_prepare(store, inserts[kind], statement, err);

	return rc < 0 ? rc : store_run(store, err, *statement, values, n);
}

static int add_trial(struct store *store, const char *id, const struct store_trial *trial,
		     const struct record *record, struct error *err)
{
	char cell[IDENTITY_TEXT];

	return insert(
		store, err, INSERT_TRIAL,
		STORE_VALUES(sql_text(id), sql_text(identity_format(trial->identity.cell, cell)),
			     SQL_NUMBER(trial->position), sql_text(record->scenario),
			     sql_text(record->variant), sql_text(record->id),
			     sql_text(family_name(record->family)), sql_text(record->engine),
			     sql_text(trial->kernel), sql_text(record->kernel),
			     SQL_NUMBER(record->repeat), SQL_NUMBER(record->seed),
			     record->phase < 0 ? sql_text(NULL) : SQL_NUMBER(record->phase),
			     sql_text(verdict_name(record_verdict(record))),
			     sql_seconds(record->span_nsec), sql_seconds(record->lateness_nsec),
			     sql_text(record_clock_name(record->clock)), SQL_NUMBER(record->lost)));
}

static int add_places(struct store *store, const char *id, const struct store_trial *trial,
		      struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && trial->axes && trial->axes[i]; i++)
		rc = insert(store, err, INSERT_PLACE,
			    STORE_VALUES(sql_text(id), SQL_NUMBER(i + 1), sql_text(trial->axes[i]),
					 sql_text(trial->places[i])));
	return rc;
}

static int add_settings(struct store *store, const char *id, const struct record *record,
			struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < record->n_settings; i++) {
		const struct record_setting *s = &record->settings[i];

		rc = insert(store, err, INSERT_SETTING,
			    STORE_VALUES(sql_text(id), sql_text(s->key), sql_text(s->text),
					 s->is_number ? SQL_REAL(s->number) : sql_text(NULL)));
	}
	return rc;
}

static int add_endpoint(struct store *store, const char *id, const struct record *record,
			enum end_id end, struct error *err)
{
	const struct record_endpoint *e = &record->endpoint[end];

	return insert(
		store, err, INSERT_ENDPOINT,
		STORE_VALUES(sql_text(id), sql_text(e->name), sql_text(outcome_name(e->outcome)),
			     sql_text(errno_text(e->error)), sql_text(mechanism_name(e->mechanism)),
			     sql_seconds(e->kernel_nsec), sql_seconds(e->application_nsec),
			     sql_seconds(e->wire_nsec), sql_seconds(e->recovered_nsec),
			     sql_seconds(e->earliest_nsec), sql_seconds(e->latest_nsec),
			     SQL_NUMBER(e->n_retransmissions), SQL_NUMBER(e->n_resets)));
}

static int add_lines(struct store *store, const char *id, enum store_insert kind,
		     char *const *lines, size_t n, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < n; i++)
		rc = insert(store, err, kind,
			    STORE_VALUES(sql_text(id), SQL_NUMBER(i + 1), sql_text(lines[i])));
	return rc;
}

/* Removes the rows of a trial that was inconclusive, in whose place another record comes. A trial
 * that is done has its rows still, and the insertion of others fails. */
static int forget_inconclusive(struct store *store, const char *id, struct error *err)
{
	static const char *const tables[] = { "took",	"place",  "setting",  "endpoint", "failure",
					      "reason", "record", "finished", "trial" };
	int rc = 0;

	for (size_t i = !store->has_took; rc >= 0 && i < ARRAY_SIZE(tables); i++) {
		char sql[160];

		snprintf(sql, sizeof(sql),
			 "DELETE FROM %s WHERE trial = ? AND trial IN (SELECT trial FROM trial "
			 "WHERE verdict = 'inconclusive')",
			 tables[i]);
		rc = store_run_once(store, err, sql, STORE_VALUES(sql_text(id)));
	}
	return rc;
}

static int add_rows(struct store *store, const struct store_trial *trial,
		    const struct record *record, struct error *err)
{
	_cleanup_(freep) char *json = record_to_json(record);
	char id[IDENTITY_TEXT];
	int rc;

	identity_format(trial->identity.trial, id);
	if (!json)
		return error_errno(err, -ENOMEM, "store");
	rc = forget_inconclusive(store, id, err);
	if (rc >= 0)
		rc = add_trial(store, id, trial, record, err);
	if (rc >= 0)
		rc = add_places(store, id, trial, err);
	if (rc >= 0)
		rc = add_settings(store, id, record, err);
	for (enum end_id n = 0; rc >= 0 && n < record->n_ends; n++)
		rc = add_endpoint(store, id, record, n, err);
	if (rc >= 0)
		rc = add_lines(store, id, INSERT_FAILURE, record->failures, record->n_failures,
			       err);
	if (rc >= 0)
		rc = add_lines(store, id, INSERT_REASON, record->doubts, record->n_doubts, err);
	if (rc >= 0)
		rc = insert(store, err, INSERT_RECORD, STORE_VALUES(sql_text(id), sql_text(json)));
	if (rc >= 0)
		rc = insert(store, err, INSERT_FINISHED,
			    STORE_VALUES(sql_text(id), sql_text(store->session)));
	if (rc >= 0 && store->has_took && record->took_nsec > 0)
		rc = insert(store, err, INSERT_TOOK,
			    STORE_VALUES(sql_text(id), sql_seconds(record->took_nsec)));
	return rc < 0 ? rc : insert(store, err, FORGET_PROBLEM, STORE_VALUES(sql_text(id)));
}

int store_add(struct store *store, const struct store_trial *trial, const struct record *record,
	      const struct error *problem, struct error *err)
{
	char id[IDENTITY_TEXT], text[sizeof(problem->text) + sizeof(STORE_IMPOSSIBLE)];
	int rc;

	if (!record) {
		snprintf(text, sizeof(text), "%s%s",
			 problem->kind == ERROR_CAPABILITY ? STORE_IMPOSSIBLE : "", problem->text);
		return insert(store, err, INSERT_PROBLEM,
			      STORE_VALUES(sql_text(identity_format(trial->identity.trial, id)),
					   SQL_NUMBER(trial->position), sql_text(store->session),
					   sql_text(text)));
	}
	rc = store_exec(store, "BEGIN IMMEDIATE", err);
	if (rc < 0)
		return rc;
	rc = add_rows(store, trial, record, err);
	if (rc >= 0)
		rc = store_exec(store, "COMMIT", err);
	if (rc < 0)
		lib_sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}
