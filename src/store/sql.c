/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/store/sql.h"

#include <errno.h>
#include <string.h>

#include "src/util/interrupt.h"

/* SQLite does not say why a COMMIT could not write, but errno still does. */
int store_error(const struct store *store, struct error *err)
{
	int known = errno, primary = lib_sqlite3_extended_errcode(store->db) & 0xff;
	int system = lib_sqlite3_system_errno(store->db);

	if (!system)
		system = known;

	if (primary == SQLITE_INTERRUPT)
		return interrupt_error(err);
	if (primary == SQLITE_FULL ||
	    (primary == SQLITE_IOERR && (system == ENOSPC || system == EDQUOT || system == EFBIG)))
		return error_set(err, ERROR_CAPABILITY, -ENOSPC,
				 "%s: no space left on the disk; free some", store->path);
	if (primary == SQLITE_NOTADB)
		return error_input(err, "%s: is no store of deadpeer's", store->path);
	if (primary == SQLITE_CORRUPT)
		return error_input(
			err,
			"%s: is damaged (%s): use a copy, or begin another --db; sqlite3 "
			"%s .recover shows what can still be read",
			store->path, lib_sqlite3_errmsg(store->db), store->path);
	if (primary == SQLITE_IOERR && system)
		return error_set(err, ERROR_FAILED, -EIO, "%s: %s: %s", store->path,
				 lib_sqlite3_errmsg(store->db), strerror(system));
	return error_set(err, ERROR_FAILED, -EIO, "%s: %s", store->path,
			 lib_sqlite3_errmsg(store->db));
}

int store_exec(struct store *store, const char *sql, struct error *err)
{
	errno = 0;
	return lib_sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK
		       ? 0
		       : store_error(store, err);
}

int store_prepare(struct store *store, const char *sql, sqlite3_stmt **ret_statement,
		  struct error *err)
{
	return lib_sqlite3_prepare_v2(store->db, sql, -1, ret_statement, NULL) == SQLITE_OK
		       ? 0
		       : store_error(store, err);
}

int store_next(struct store *store, sqlite3_stmt *statement, struct error *err)
{
	errno = 0;
	switch (lib_sqlite3_step(statement)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return store_error(store, err);
	}
}

int store_run(struct store *store, struct error *err, sqlite3_stmt *statement,
	      const struct store_value *values, size_t n)
{
	int rc;

	for (size_t i = 0; i < n; i++) {
		int place = (int)i + 1;

		switch (values[i].type) {
		case STORE_TEXT:
			store_bind_text(statement, place, values[i].text);
			break;
		case STORE_NUMBER:
			lib_sqlite3_bind_int64(statement, place, values[i].number);
			break;
		case STORE_REAL:
			lib_sqlite3_bind_double(statement, place, values[i].real);
			break;
		}
	}
	rc = store_next(store, statement, err);
	lib_sqlite3_reset(statement);
	return rc < 0 ? rc : 0;
}

int store_run_once(struct store *store, struct error *err, const char *sql,
		   const struct store_value *values, size_t n)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *statement = NULL;
	int rc = store_prepare(store, sql, &statement, err);

	return rc < 0 ? rc : store_run(store, err, statement, values, n);
}

int store_number(struct store *store, const char *sql, int64_t *ret, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *statement = NULL;
	int rc = store_prepare(store, sql, &statement, err);

	if (rc >= 0)
		rc = store_next(store, statement, err);
	if (rc >= 0)
		*ret = rc ? lib_sqlite3_column_int64(statement, 0) : 0;
	return rc < 0 ? rc : 0;
}
