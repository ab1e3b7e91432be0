/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables and views of a store. The SQL's comments go into the file, where sqlite3's .schema
 * shows them. */
#include <stdio.h>
#include <string.h>

#include "src/store/sql.h"

/* A store is held against this text, comments too: whoever changes it raises STORE_SCHEMA. */
#define TABLES(verdicts)                                                                           \
	"CREATE TABLE study( -- what the store is of: one row\n"                                   \
	"  name TEXT,                 -- NULL: of `run --db`, which has no study\n"                \
	"  file TEXT, text TEXT,      -- where the study was read, and the whole of it\n"          \
	"  engine TEXT NOT NULL,\n"                                                                \
	"  deadpeer TEXT NOT NULL,    -- the version that made the store\n"                        \
	"  seed INTEGER NOT NULL,\n"                                                               \
	"  quick INTEGER NOT NULL,    -- 1: with --quick\n"                                        \
	"  trials INTEGER NOT NULL,   -- in the whole study\n"                                     \
	"  shard INTEGER NOT NULL, shards INTEGER NOT NULL -- 1 of 1: all of it\n"                 \
	");\n"                                                                                     \
	"CREATE TABLE scenario( -- the files that the trials were made of\n"                       \
	"  scenario TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;\n"                        \
	"CREATE TABLE kernel( -- which release each name stood for\n"                              \
	"  kernel TEXT PRIMARY KEY, release TEXT NOT NULL) WITHOUT ROWID;\n"                       \
	"CREATE TABLE session( -- each run of the program that wrote here\n"                       \
	"  session TEXT PRIMARY KEY,\n"                                                            \
	"  started TEXT NOT NULL, ended TEXT, -- UTC; ended is NULL after a kill\n"                \
	"  command TEXT NOT NULL, deadpeer TEXT NOT NULL,\n"                                       \
	"  host TEXT NOT NULL, machine TEXT NOT NULL, release TEXT NOT NULL,\n"                    \
	"  processors INTEGER NOT NULL, memory_mib INTEGER NOT NULL,\n"                            \
	"  uid INTEGER NOT NULL) WITHOUT ROWID;\n"                                                 \
	"CREATE TABLE trial( -- a finished trial; what it is decides its key\n"                    \
	"  trial TEXT PRIMARY KEY,\n"                                                              \
	"  cell TEXT NOT NULL,        -- scenario and settings: the same for all its repeats\n"    \
	"  position INTEGER NOT NULL, -- in the study's order, from 1\n"                           \
	"  scenario TEXT NOT NULL, variant TEXT, scenario_id TEXT,\n"                              \
	"  family TEXT NOT NULL, engine TEXT NOT NULL,\n"                                          \
	"  kernel TEXT NOT NULL,      -- as it was asked for\n"                                    \
	"  release TEXT NOT NULL,     -- as it called itself\n"                                    \
	"  repeat INTEGER NOT NULL, seed INTEGER NOT NULL,\n"                                      \
	"  phase INTEGER,             -- of the timer wheel, in ticks; NULL: not pinned\n"         \
	"  verdict TEXT NOT NULL,     -- " verdicts "\n"                                           \
	"  span_s REAL, lateness_s REAL, clock TEXT, lost INTEGER NOT NULL\n"                      \
	") WITHOUT ROWID;\n"                                                                       \
	"CREATE TABLE place( -- where a trial stands on the study's axes\n"                        \
	"  trial TEXT NOT NULL REFERENCES trial, n INTEGER NOT NULL, -- the axes' order, from 1\n" \
	"  axis TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY(trial, n)) WITHOUT ROWID;\n"       \
	"CREATE TABLE setting( -- every setting of a trial\n"                                      \
	"  trial TEXT NOT NULL REFERENCES trial, key TEXT NOT NULL, text TEXT NOT NULL,\n"         \
	"  number REAL,               -- times in seconds, sizes in bytes; NULL: no number\n"      \
	"  PRIMARY KEY(trial, key)) WITHOUT ROWID;\n"                                              \
	"CREATE TABLE endpoint( -- what became of client and server\n"                             \
	"  trial TEXT NOT NULL REFERENCES trial, endpoint TEXT NOT NULL,\n"                        \
	"  outcome TEXT, errno TEXT, mechanism TEXT, -- NULL: it was not watched, or none\n"       \
	"  kernel_s REAL, application_s REAL, wire_s REAL, -- detection, on three clocks\n"        \
	"  recovered_s REAL,\n"                                                                    \
	"  earliest_s REAL, latest_s REAL,           -- predicted\n"                               \
	"  retransmissions INTEGER NOT NULL, resets INTEGER NOT NULL,\n"                           \
	"  PRIMARY KEY(trial, endpoint)) WITHOUT ROWID;\n"                                         \
	"CREATE TABLE failure( -- each expectation that did not hold\n"                            \
	"  trial TEXT NOT NULL REFERENCES trial, n INTEGER NOT NULL, text TEXT NOT NULL,\n"        \
	"  PRIMARY KEY(trial, n)) WITHOUT ROWID;\n"                                                \
	"CREATE TABLE record( -- the whole record, as of run --json\n"                             \
	"  trial TEXT PRIMARY KEY REFERENCES trial, json TEXT NOT NULL);\n"                        \
	"CREATE TABLE finished( -- when, and in which session\n"                                   \
	"  trial TEXT PRIMARY KEY REFERENCES trial, session TEXT NOT NULL REFERENCES session,\n"   \
	"  at TEXT NOT NULL) WITHOUT ROWID;\n"                                                     \
	"CREATE TABLE problem( -- trials that have no record, and why; --resume tries them "       \
	"again\n"                                                                                  \
	"  trial TEXT PRIMARY KEY, position INTEGER NOT NULL, session TEXT NOT NULL,\n"            \
	"  at TEXT NOT NULL, text TEXT NOT NULL) WITHOUT ROWID;\n"
#define VIEWS(in_detections, in_findings)                                                          \
	"CREATE VIEW detections AS -- one row for each endpoint that has a result\n"               \
	"  SELECT trial, position, cell, scenario, variant, scenario_id, family, engine, "         \
	"kernel,\n"                                                                                \
	"    release, repeat, seed, phase, endpoint, outcome, errno, mechanism,\n"                 \
	"    coalesce(kernel_s, application_s) AS detected_s, kernel_s, application_s, wire_s,\n"  \
	"    earliest_s, latest_s, verdict, clock\n"                                               \
	"  FROM trial JOIN endpoint USING(trial) WHERE outcome IS NOT NULL" in_detections ";\n"    \
	"CREATE VIEW findings AS -- what is not as it should be, or as it was predicted\n"         \
	"  SELECT trial, position, 'prediction' AS kind, endpoint, scenario, variant, family, "    \
	"kernel,\n"                                                                                \
	"    printf('%s by %s after %.6f s, predicted %.6f to %.6f s', outcome, "                  \
	"coalesce(mechanism, '-'),\n"                                                              \
	"      detected_s, earliest_s, latest_s) AS text\n"                                        \
	"  FROM detections WHERE detected_s NOT BETWEEN earliest_s AND latest_s\n"                 \
	"  UNION ALL\n"                                                                            \
	"  SELECT trial, position, 'expectation', NULL, scenario, variant, family, kernel, text\n" \
	"  FROM trial JOIN failure USING(trial)" in_findings "\n"                                  \
	"  UNION ALL\n"                                                                            \
	"  SELECT trial, position, 'no record', NULL, NULL, NULL, NULL, NULL, text FROM "          \
	"problem;\n"
/* What schema 2 has beside that of schema 1. */
#define REASONS                                                                                    \
	"CREATE TABLE reason( -- why a trial is inconclusive\n"                                    \
	"  trial TEXT NOT NULL REFERENCES trial, n INTEGER NOT NULL, text TEXT NOT NULL,\n"        \
	"  PRIMARY KEY(trial, n)) WITHOUT ROWID;\n"                                                \
	"CREATE VIEW inconclusive AS -- what was not measured, which no other view has\n"          \
	"  SELECT trial, position, scenario, variant, family, kernel, text\n"                      \
	"  FROM trial JOIN reason USING(trial);\n"
#define VERDICTS_1 "pass or fail"
#define VERDICTS   "pass, fail or inconclusive"
#define VIEWS_1	   VIEWS("", "")
#define VIEWS_2	   VIEWS(" AND verdict <> 'inconclusive'", " WHERE verdict <> 'inconclusive'")

static const char schema_1[] = TABLES(VERDICTS_1) VIEWS_1;
const char store_schema[] = TABLES(VERDICTS) REASONS VIEWS_2;

/* In a store of schema 1 that is only read nothing is inconclusive. */
static const char pretend[] = "CREATE TEMP TABLE reason(trial TEXT, n INTEGER, text TEXT);"
			      "CREATE TEMP VIEW inconclusive AS SELECT trial, position, scenario, "
			      "variant, family, kernel, "
			      "text FROM trial JOIN reason USING(trial);";

/* A comment of a table is changed as SQLite's documentation of ALTER TABLE says it for changes that
 * do not touch the content. */
static const char upgrade[] =
	"BEGIN IMMEDIATE; PRAGMA writable_schema = ON;"
	"UPDATE sqlite_schema SET sql = replace(sql, '-- " VERDICTS_1 "', '-- " VERDICTS "') "
	"WHERE type = 'table' AND name = 'trial';"
	"PRAGMA writable_schema = OFF;"
	"DROP VIEW findings; DROP VIEW detections;" REASONS VIEWS_2
	"PRAGMA user_version = 2; COMMIT;";

/* Finds an object of the database, and returns whether it has this SQL. */
static int has_object(struct store *store, const char *name, const char *sql, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	int rc = store_prepare(store, "SELECT 1 FROM main.sqlite_schema WHERE name = ? AND sql = ?",
			       &s, err);

	if (rc < 0)
		return rc;
	store_bind_text(s, 1, name);
	store_bind_text(s, 2, sql);
	return store_next(store, s, err);
}

/* Compares the store with an empty one that is made in memory. */
static int compare(struct store *store, struct store *empty, const char *schema, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	int rc = store_exec(empty, schema, err);

	if (rc >= 0)
		rc = store_prepare(empty,
				   "SELECT type, name, sql FROM sqlite_schema WHERE sql NOT NULL",
				   &s, err);
	if (rc < 0)
		return rc;
	while ((rc = store_next(empty, s, err)) > 0) {
		rc = has_object(store, store_text(s, 1), store_text(s, 2), err);
		if (rc < 0)
			return rc;
		if (rc == 0)
			return error_input(err, "%s: its %s '%s' is not as deadpeer makes it",
					   store->path, store_text(s, 0), store_text(s, 1));
	}
	return rc;
}

static int refuse_trigger(struct store *store, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	int rc = store_prepare(store, "SELECT name FROM sqlite_schema WHERE type = 'trigger'", &s,
			       err);

	if (rc >= 0)
		rc = store_next(store, s, err);
	return rc > 0 ? error_input(err, "%s: has a trigger, '%s', which deadpeer does not make",
				    store->path, store_text(s, 0))
		      : rc;
}

/* SQLite's own check finds damaged pages, and rows that break NOT NULL. */
static int check_content(struct store *store, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	int rc = store_prepare(store, "PRAGMA main.quick_check(1)", &s, err);

	if (rc >= 0)
		rc = store_next(store, s, err);
	if (rc > 0 && strcmp(store_text(s, 0), "ok") != 0)
		return error_input(err, "%s: is damaged (%s): use a copy, or begin another --db",
				   store->path, store_text(s, 0));
	return rc;
}

/* A user's own table of that name stays what it is. */
static int find_extra(struct store *store, const char *name, const char *sql, bool make,
		      bool *ret_has, struct error *err)
{
	char count[96];
	int64_t others = 0;
	int rc = has_object(store, name, sql, err);

	if (rc == 0 && make) {
		snprintf(count, sizeof(count),
			 "SELECT count(*) FROM main.sqlite_schema WHERE name = '%s'", name);
		rc = store_number(store, count, &others, err);
		if (rc >= 0 && !others)
			rc = store_exec(store, sql, err);
		rc = rc < 0 ? rc : !others;
	}
	*ret_has = rc > 0;
	return rc < 0 ? rc : 0;
}

int store_find_extras(struct store *store, bool make, struct error *err)
{
	static const char took[] =
		"CREATE TABLE took( -- how long each trial took, of which nothing else depends\n"
		"  trial TEXT PRIMARY KEY REFERENCES trial,\n"
		"  real_s REAL NOT NULL -- in a guest of several: since the one before it was "
		"over\n"
		") WITHOUT ROWID";
	static const char qemu[] =
		"CREATE TABLE qemu( -- which QEMU ran the trials of a session in virtual time\n"
		"  session TEXT PRIMARY KEY REFERENCES session, version TEXT NOT NULL\n"
		") WITHOUT ROWID";
	int rc = find_extra(store, "took", took, make, &store->has_took, err);

	return rc < 0 ? rc : find_extra(store, "qemu", qemu, make, &store->has_qemu, err);
}

int store_check_schema(struct store *store, int version, struct error *err)
{
	struct store empty = { .path = store->path, .lock_fd = -1 };
	int rc = lib_sqlite3_open_v2(":memory:", &empty.db,
				     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);

	rc = rc == SQLITE_OK ? compare(store, &empty, version == 1 ? schema_1 : store_schema, err)
			     : store_error(&empty, err);
	if (rc >= 0)
		rc = refuse_trigger(store, err);
	if (rc >= 0)
		rc = check_content(store, err);
	lib_sqlite3_close(empty.db);
	return rc < 0 ? rc : 0;
}

int store_read_as_newest(struct store *store, struct error *err)
{
	return store_exec(store, pretend, err);
}

int store_upgrade(struct store *store, struct error *err)
{
	int rc = store_exec(store, upgrade, err);

	if (rc < 0)
		lib_sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}
