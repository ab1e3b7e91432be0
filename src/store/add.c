/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adds a finished trial to the store: all its rows in one transaction. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "src/store/sql.h"
#include "src/store/store.h"

#define NOW "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"

static const char *const inserts[] = {
	[INSERT_TRIAL] = "INSERT INTO trial VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
			 "?, ?)",
	[INSERT_PLACE] = "INSERT INTO place VALUES(?, ?, ?, ?)",
	[INSERT_SETTING] = "INSERT INTO setting VALUES(?, ?, ?, ?)",
	[INSERT_ENDPOINT] = "INSERT INTO endpoint VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[INSERT_FAILURE] = "INSERT INTO failure VALUES(?, ?, ?)",
	[INSERT_RECORD] = "INSERT INTO record VALUES(?, ?)",
	[INSERT_FINISHED] = "INSERT INTO finished VALUES(?, ?, " NOW ")",
	[INSERT_PROBLEM] = "INSERT OR REPLACE INTO problem VALUES(?, ?, ?, " NOW ", ?)",
	[FORGET_PROBLEM] = "DELETE FROM problem WHERE trial = ?",
};
static_assert(ARRAY_SIZE(inserts) == _INSERT_MAX, "every insert has its SQL");

static int prepare_inserts(struct store *store, struct error *err)
{
	int rc = 0;

	for (int i = 0; rc >= 0 && i < _INSERT_MAX && !store->insert[i]; i++)
		rc = store_prepare(store, inserts[i], &store->insert[i], err);
	return rc;
}

static int add_trial(struct store *store, const char *id, const struct store_trial *trial,
		     const struct record *record, struct error *err)
{
	sqlite3_stmt *s = store->insert[INSERT_TRIAL];
	char cell[IDENTITY_TEXT];

	store_bind_text(s, 1, id);
	store_bind_text(s, 2, identity_format(trial->identity.cell, cell));
	lib_sqlite3_bind_int64(s, 3, (int64_t)trial->position);
	store_bind_text(s, 4, record->scenario);
	store_bind_text(s, 5, record->variant);
	store_bind_text(s, 6, record->id);
	store_bind_text(s, 7, family_name(record->family));
	store_bind_text(s, 8, record->engine);
	store_bind_text(s, 9, trial->kernel);
	store_bind_text(s, 10, record->kernel);
	lib_sqlite3_bind_int64(s, 11, record->repeat);
	lib_sqlite3_bind_int64(s, 12, (int64_t)record->seed);
	if (record->phase < 0)
		lib_sqlite3_bind_null(s, 13);
	else
		lib_sqlite3_bind_int64(s, 13, record->phase);
	store_bind_text(s, 14, record_passed(record) ? "pass" : "fail");
	store_bind_seconds(s, 15, record->span_nsec);
	store_bind_seconds(s, 16, record->lateness_nsec);
	store_bind_text(s, 17, record_clock_name(record->clock));
	lib_sqlite3_bind_int64(s, 18, (int64_t)record->lost);
	return store_run(store, s, err);
}

static int add_places(struct store *store, const char *id, const struct store_trial *trial,
		      struct error *err)
{
	sqlite3_stmt *s = store->insert[INSERT_PLACE];
	int rc = 0;

	for (size_t i = 0; rc >= 0 && trial->axes && trial->axes[i]; i++) {
		store_bind_text(s, 1, id);
		lib_sqlite3_bind_int64(s, 2, (int64_t)i + 1);
		store_bind_text(s, 3, trial->axes[i]);
		store_bind_text(s, 4, trial->places[i]);
		rc = store_run(store, s, err);
	}
	return rc;
}

static int add_settings(struct store *store, const char *id, const struct record *record,
			struct error *err)
{
	sqlite3_stmt *s = store->insert[INSERT_SETTING];
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < record->n_settings; i++) {
		const struct record_setting *setting = &record->settings[i];

		store_bind_text(s, 1, id);
		store_bind_text(s, 2, setting->key);
		store_bind_text(s, 3, setting->text);
		if (setting->is_number)
			lib_sqlite3_bind_double(s, 4, setting->number);
		else
			lib_sqlite3_bind_null(s, 4);
		rc = store_run(store, s, err);
	}
	return rc;
}

static int add_endpoint(struct store *store, const char *id, const struct record *record,
			enum node_id node, struct error *err)
{
	const struct record_endpoint *e = &record->endpoint[node];
	sqlite3_stmt *s = store->insert[INSERT_ENDPOINT];

	store_bind_text(s, 1, id);
	store_bind_text(s, 2, node_name(node));
	store_bind_text(s, 3, outcome_name(e->outcome));
	store_bind_text(s, 4, errno_name(e->error));
	store_bind_text(s, 5, mechanism_name(e->mechanism));
	store_bind_seconds(s, 6, e->kernel_nsec);
	store_bind_seconds(s, 7, e->application_nsec);
	store_bind_seconds(s, 8, e->wire_nsec);
	store_bind_seconds(s, 9, e->recovered_nsec);
	store_bind_seconds(s, 10, e->earliest_nsec);
	store_bind_seconds(s, 11, e->latest_nsec);
	lib_sqlite3_bind_int64(s, 12, (int64_t)e->n_retransmissions);
	lib_sqlite3_bind_int64(s, 13, (int64_t)e->n_resets);
	return store_run(store, s, err);
}

static int add_failures(struct store *store, const char *id, const struct record *record,
			struct error *err)
{
	sqlite3_stmt *s = store->insert[INSERT_FAILURE];
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < record->n_failures; i++) {
		store_bind_text(s, 1, id);
		lib_sqlite3_bind_int64(s, 2, (int64_t)i + 1);
		store_bind_text(s, 3, record->failures[i]);
		rc = store_run(store, s, err);
	}
	return rc;
}

/* Inserts a row of one or two texts. */
static int add_pair(struct store *store, enum store_insert insert, const char *id, const char *text,
		    struct error *err)
{
	store_bind_text(store->insert[insert], 1, id);
	if (text)
		store_bind_text(store->insert[insert], 2, text);
	return store_run(store, store->insert[insert], err);
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
	rc = add_trial(store, id, trial, record, err);
	if (rc >= 0)
		rc = add_places(store, id, trial, err);
	if (rc >= 0)
		rc = add_settings(store, id, record, err);
	for (enum node_id n = 0; rc >= 0 && n < _ENDPOINT_MAX; n++)
		rc = add_endpoint(store, id, record, n, err);
	if (rc >= 0)
		rc = add_failures(store, id, record, err);
	if (rc >= 0)
		rc = add_pair(store, INSERT_RECORD, id, json, err);
	if (rc >= 0)
		rc = add_pair(store, INSERT_FINISHED, id, store->session, err);
	return rc < 0 ? rc : add_pair(store, FORGET_PROBLEM, id, NULL, err);
}

/* Commits what went well, and undoes what did not. */
static int end_transaction(struct store *store, int rc, struct error *err)
{
	if (rc >= 0)
		rc = store_exec(store, "COMMIT", err);
	if (rc < 0)
		lib_sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

static int add_problem(struct store *store, const struct store_trial *trial, const char *text,
		       struct error *err)
{
	sqlite3_stmt *s = store->insert[INSERT_PROBLEM];
	char id[IDENTITY_TEXT];

	store_bind_text(s, 1, identity_format(trial->identity.trial, id));
	lib_sqlite3_bind_int64(s, 2, (int64_t)trial->position);
	store_bind_text(s, 3, store->session);
	store_bind_text(s, 4, text);
	return store_run(store, s, err);
}

int store_add(struct store *store, const struct store_trial *trial, const struct record *record,
	      const struct error *problem, struct error *err)
{
	int rc = prepare_inserts(store, err);

	if (rc >= 0 && !record)
		return add_problem(store, trial, problem->text, err);
	if (rc >= 0)
		rc = store_exec(store, "BEGIN IMMEDIATE", err);
	return rc < 0 ? rc : end_transaction(store, add_rows(store, trial, record, err), err);
}
