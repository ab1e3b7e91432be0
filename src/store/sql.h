/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * SQL on a store: statements are prepared, run and read, and errors name the store's file. This
 * module does not know what a store contains; the other modules of this folder use it, and
 * reports that read a store row by row.
 */

#include "src/store/identity.h"
#include "src/store/sqlite.h"
#include "src/store/study.h"
#include "src/util/nsec.h"

enum store_insert {
	INSERT_TRIAL,
	INSERT_PLACE,
	INSERT_SETTING,
	INSERT_ENDPOINT,
	INSERT_FAILURE,
	INSERT_REASON,
	INSERT_RECORD,
	INSERT_FINISHED,
	INSERT_PROBLEM,
	INSERT_TOOK,
	FORGET_PROBLEM,
	_INSERT_MAX,
};

struct store {
	char *path;		     /* of its file; owned */
	int lock_fd;		     /* holds the lock; -1: the store is open for reading */
	bool has_took, has_qemu;     /* it has the tables of these names */
	bool fresh;		     /* the file was made by this open, and has no content yet */
	sqlite3 *db;		     /* owned; NULL until it is open */
	struct store_study study;    /* what the store is of; owned */
	char session[IDENTITY_TEXT]; /* identity of this process's session; "": none was begun */
	sqlite3_stmt *insert[_INSERT_MAX]; /* each is prepared when it is first needed; owned */
};

/* schema.c: the SQL that makes the tables of a new store. */
extern const char store_schema[];

/* schema.c: refuses a store whose tables or views are not those of that version of the schema, that
 * has a trigger, or whose content breaks the tables' rules, such as a NULL where none may be. A
 * store may come from anywhere, and the other modules rely on its tables. A user's own tables,
 * indexes and views are no obstacle. */
int store_check_schema(struct store *store, int version, struct error *err);
/* Sets has_took and has_qemu, and with `make` makes those tables where they are missing. Older
 * stores of the same schema have none, which is no obstacle to anything. */
int store_find_extras(struct store *store, bool make, struct error *err);
/* Make the tables and views of a store of schema 1 those of the newest: for this process only,
 * where the store is not to be changed, or in the file. */
int store_read_as_newest(struct store *store, struct error *err);
int store_upgrade(struct store *store, struct error *err);

/* Fills `err` from what SQLite says, with a remedy for a full disk; always returns negative. */
int store_error(const struct store *store, struct error *err);
int store_exec(struct store *store, const char *sql, struct error *err);
int store_prepare(struct store *store, const char *sql, sqlite3_stmt **ret_statement,
		  struct error *err);
/* Returns 1 when there is a row, and 0 after the last. */
int store_next(struct store *store, sqlite3_stmt *statement, struct error *err);

/* The value of a statement's parameter. */
struct store_value {
	enum {
		STORE_TEXT,
		STORE_NUMBER,
		STORE_REAL,
	} type;
	union {
		const char *text; /* TEXT, or NULL for SQL's NULL; it must live until the statement
				     has run; not owned */
		int64_t number;
		double real;
	};
};
static inline struct store_value sql_text(const char *text)
{
	return (struct store_value){ STORE_TEXT, .text = text };
}
#define SQL_NUMBER(value) ((struct store_value){ STORE_NUMBER, .number = (int64_t)(value) })
#define SQL_REAL(value)	  ((struct store_value){ STORE_REAL, .real = (value) })
/* Seconds with whole microseconds, as in the record's JSON. NSEC_NONE becomes NULL. */
static inline struct store_value sql_seconds(nsec_t time_nsec)
{
	return time_nsec == NSEC_NONE ? sql_text(NULL)
				      : SQL_REAL((double)nsec_to_usec(time_nsec) / 1e6);
}
/* Makes the last two arguments of the next two functions from a list of values. */
#define STORE_VALUES(...)                                                                          \
	(const struct store_value[]){ __VA_ARGS__ },                                               \
		sizeof((const struct store_value[]){ __VA_ARGS__ }) / sizeof(struct store_value)

/* Runs a statement that has no rows with the values of its parameters, and makes it ready for the
 * next time. */
int store_run(struct store *store, struct error *err, sqlite3_stmt *statement,
	      const struct store_value *values, size_t n);
/* Does the same with SQL that is run once. */
int store_run_once(struct store *store, struct error *err, const char *sql,
		   const struct store_value *values, size_t n);
/* The present time, in SQL. */
#define STORE_NOW "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"

/* *ret is the first column of the first row, or 0 where there is no row. */
int store_number(struct store *store, const char *sql, int64_t *ret, struct error *err);

static inline void statement_finalizep(sqlite3_stmt **statement)
{
	if (*statement)
		lib_sqlite3_finalize(*statement);
}

/* Sets a parameter of a statement that has rows. The text must live until the statement has run. */
static inline void store_bind_text(sqlite3_stmt *statement, int i, const char *text)
{
	lib_sqlite3_bind_text(statement, i, text, -1, SQLITE_STATIC); /* a NULL text becomes NULL */
}
/* Returns the text of a column, which is valid until the next row. NULL for SQL's NULL. */
static inline const char *store_text(sqlite3_stmt *statement, int column)
{
	return (const char *)lib_sqlite3_column_text(statement, column);
}
