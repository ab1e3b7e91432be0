/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/store/qemu.h"

#include <errno.h>
#include <string.h>

#include "src/store/sql.h"
#include "src/util/cleanup.h"

/* The length of "7.2" in "7.2.22". */
static size_t release_size(const char *version)
{
	const char *dot = strchr(version, '.');

	return dot ? (size_t)(dot - version) + 1 + strcspn(dot + 1, ".") : strlen(version);
}

static bool same_release(const char *a, const char *b)
{
	size_t n = release_size(a);

	return n == release_size(b) && memcmp(a, b, n) == 0;
}

int store_other_qemu(struct store *store, const char *version, char **ret_other, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	int rc = store_prepare(store, "SELECT DISTINCT version FROM main.qemu", &s, err);

	if (rc < 0)
		return rc;
	while ((rc = store_next(store, s, err)) > 0) {
		if (same_release(store_text(s, 0), version))
			continue;
		*ret_other = strdup(store_text(s, 0));
		return *ret_other ? 1 : error_errno(err, -ENOMEM, "store");
	}
	return rc;
}

/* A store that an older version wrote has no such table, or a user's own. */
static int has_both(struct store *store, struct error *err)
{
	int64_t both = 0;
	int rc = store_number(store,
			      "SELECT count(*) FROM other.sqlite_schema AS o JOIN "
			      "main.sqlite_schema AS m USING(name, sql) WHERE name = 'qemu'",
			      &both, err);

	return rc < 0 ? rc : both > 0;
}

int store_refuse_qemu(struct store *store, const char *input, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	_cleanup_(freep) char *other = NULL;
	int rc = has_both(store, err);

	if (rc <= 0)
		return rc;
	rc = store_prepare(store, "SELECT DISTINCT version FROM other.qemu", &s, err);
	while (rc >= 0 && (rc = store_next(store, s, err)) > 0) {
		rc = store_other_qemu(store, store_text(s, 0), &other, err);
		if (rc > 0)
			return error_input(
				err,
				"%s: QEMU %s ran its trials, and QEMU %s those of another of the "
				"stores, and their times may differ: sweep one of them again with "
				"the other's QEMU, or report both side by side",
				input, store_text(s, 0), other);
	}
	return rc;
}

int store_copy_qemu(struct store *store, struct error *err)
{
	int rc = has_both(store, err);

	if (rc <= 0)
		return rc;
	return store_exec(store, "INSERT OR IGNORE INTO main.qemu SELECT * FROM other.qemu", err);
}
