/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * SQLite, which is loaded when it is first needed. It is not linked, because a guest carries
 * every library that this program links, and has no use for it.
 */

#include <sqlite3.h>

#include "src/util/error.h"

/* Loads SQLite. ERROR_CAPABILITY says that it is missing. This comes before any call of the
 * functions below, which are SQLite's own with "lib_" in front of their names. */
int sqlite_load(struct error *err);

#define SQLITE_FUNCTIONS(X)                                                                        \
	X(sqlite3_bind_double)                                                                     \
	X(sqlite3_bind_int64)                                                                      \
	X(sqlite3_bind_text)                                                                       \
	X(sqlite3_busy_timeout)                                                                    \
	X(sqlite3_close)                                                                           \
	X(sqlite3_column_count)                                                                    \
	X(sqlite3_column_double)                                                                   \
	X(sqlite3_column_int64)                                                                    \
	X(sqlite3_column_name)                                                                     \
	X(sqlite3_column_text)                                                                     \
	X(sqlite3_column_type)                                                                     \
	X(sqlite3_errmsg)                                                                          \
	X(sqlite3_exec)                                                                            \
	X(sqlite3_extended_errcode)                                                                \
	X(sqlite3_finalize)                                                                        \
	X(sqlite3_open_v2)                                                                         \
	X(sqlite3_prepare_v2)                                                                      \
	X(sqlite3_progress_handler)                                                                \
	X(sqlite3_reset)                                                                           \
	X(sqlite3_step)                                                                            \
	X(sqlite3_system_errno)

#define X(name) extern __typeof__(name) *lib_##name;
SQLITE_FUNCTIONS(X)
#undef X
