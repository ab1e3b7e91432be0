/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions, which are runs of the program that write a store; what the store's names stand for;
 * which trials are done. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "src/store/qemu.h"
#include "src/store/sql.h"
#include "src/store/store.h"
#include "src/util/array.h"
#include "src/util/processors.h"

/* Adds a name with what it stands for. ERROR_INPUT where the name stands for something else. */
static int add_name(struct store *store, const char *table, const char *column, const char *what,
		    const char *name, const char *value, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *select = NULL;
	char sql[160];
	int rc;

	snprintf(sql, sizeof(sql), "INSERT OR IGNORE INTO %s VALUES(?, ?)", table);
	rc = store_run_once(store, err, sql, STORE_VALUES(sql_text(name), sql_text(value)));
	snprintf(sql, sizeof(sql), "SELECT %s FROM %s WHERE %s = ?", column, table, table);
	if (rc >= 0)
		rc = store_prepare(store, sql, &select, err);
	if (rc < 0)
		return rc;
	store_bind_text(select, 1, name);
	rc = store_next(store, select, err);
	if (rc > 0 && strcmp(store_text(select, 0), value) != 0)
		return error_input(err, "%s: its %s '%s' %s%s", store->path, table, name, what,
				   !strcmp(table, "kernel") ? store_text(select, 0) : "");
	return rc < 0 ? rc : 0;
}

int store_add_scenario(struct store *store, const char *file, const char *text, struct error *err)
{
	const char *slash = strrchr(file, '/');

	return add_name(store, "scenario", "text", "has another text than the file has now",
			slash ? slash + 1 : file, text, err);
}

int store_add_kernel(struct store *store, const char *name, const char *release, struct error *err)
{
	int rc = add_name(store, "kernel", "release", "is ", name, release, err);

	return rc == -EINVAL ? error_set(err, ERROR_INPUT, rc, "%s; here it is %s",
					 err ? err->text : "", release)
			     : rc;
}

int store_has_other_kernels(struct store *store, char *const *names, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	int64_t trials = 0;
	size_t known = 0, wanted = 0;
	int rc = store_number(store, "SELECT count(*) FROM trial", &trials, err);

	if (rc >= 0)
		rc = store_prepare(store, "SELECT kernel FROM kernel", &s, err);
	while (names[wanted])
		wanted++;
	while (rc >= 0 && (rc = store_next(store, s, err)) > 0) {
		if (!strings_have(names, store_text(s, 0)))
			return 1;
		known++;
	}
	return rc < 0 ? rc : trials > 0 && known < wanted;
}

static void draw_session(struct store *store)
{
	uint64_t id = (uint64_t)nsec_now();

	if (getrandom(&id, sizeof(id), 0) < 0)
		id ^= (uint64_t)getpid() << 32;
	identity_format(id, store->session);
}

static int refuse_other_qemu(struct store *store, const char *version, struct error *err)
{
	_cleanup_(freep) char *other = NULL;
	int rc = store_other_qemu(store, version, &other, err);

	if (rc > 0)
		return error_input(
			err,
			"%s: QEMU %s ran its trials, and here is QEMU %s, whose times may "
			"differ: use another --db, or a QEMU of that release",
			store->path, other, version);
	return rc;
}

int store_begin_session(struct store *store, const char *command, const char *qemu,
			struct error *err)
{
	char host[256] = "";
	struct utsname name;
	struct sysinfo info;
	int rc = 0;

	if (!store->has_qemu)
		qemu = NULL;
	if (qemu)
		rc = refuse_other_qemu(store, qemu, err);
	if (rc < 0)
		return rc;
	uname(&name);
	sysinfo(&info);
	gethostname(host, sizeof(host) - 1);
	draw_session(store);
	rc = store_run_once(store, err,
			    "INSERT INTO session VALUES(?, " STORE_NOW
			    ", NULL, ?, ?, ?, ?, ?, ?, ?, ?)",
			    STORE_VALUES(sql_text(store->session), sql_text(command),
					 sql_text(store->study.deadpeer), sql_text(host),
					 sql_text(name.machine), sql_text(name.release),
					 SQL_NUMBER(processors_online()),
					 SQL_NUMBER((uint64_t)info.totalram * info.mem_unit >> 20),
					 SQL_NUMBER(geteuid())));
	if (rc < 0 || !qemu)
		return rc;
	return store_run_once(store, err, "INSERT INTO qemu VALUES(?, ?)",
			      STORE_VALUES(sql_text(store->session), sql_text(qemu)));
}

static int compare_ids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

void store_sort_ids(uint64_t *ids, size_t count)
{
	if (count)
		qsort(ids, count, sizeof(*ids), compare_ids);
}

int store_done(struct store *store, uint64_t **ret_ids, size_t *ret_count, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	_cleanup_(freep) uint64_t *ids = NULL;
	size_t n = 0;
	int rc = store_prepare(store, "SELECT trial FROM trial WHERE verdict <> 'inconclusive'", &s,
			       err);

	while (rc >= 0 && (rc = store_next(store, s, err)) > 0) {
		uint64_t *id = array_append(&ids, &n, sizeof(*id));

		if (!id)
			return error_errno(err, -ENOMEM, "store");
		*id = strtoull(store_text(s, 0), NULL, 16);
	}
	if (rc < 0)
		return rc;
	store_sort_ids(ids, n);
	*ret_ids = take_ptr(ids);
	*ret_count = n;
	return 0;
}

bool store_is_done(const uint64_t *ids, size_t count, uint64_t id)
{
	return count && bsearch(&id, ids, count, sizeof(*ids), compare_ids);
}

int store_has(struct store *store, uint64_t trial, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	char id[IDENTITY_TEXT];
	int rc = store_prepare(store, "SELECT 1 FROM trial WHERE trial = ?", &s, err);

	if (rc < 0)
		return rc;
	store_bind_text(s, 1, identity_format(trial, id));
	return store_next(store, s, err);
}

int store_failed(struct store *store, size_t *ret_count, struct error *err)
{
	int64_t count = 0;
	int rc = store_number(store, "SELECT count(*) FROM trial WHERE verdict = 'fail'", &count,
			      err);

	*ret_count = (size_t)count;
	return rc;
}

int store_last_position(struct store *store, size_t *ret_position, struct error *err)
{
	int64_t position = 0;
	int rc =
		store_number(store, "SELECT coalesce(max(position), 0) FROM trial", &position, err);

	*ret_position = (size_t)position;
	return rc;
}
