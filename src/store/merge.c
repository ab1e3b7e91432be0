/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/store/merge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/store/qemu.h"
#include "src/store/sql.h"

#define MAX_NAMED 5 /* an error names at most so many conflicts */

/* The difference that the times of one trial may have in two stores, in seconds. In virtual time a
 * timer may fire a tick (4 ms at HZ=250) earlier or later, and is seen a moment later. In real time
 * two runs are never the same trial, so that only a copy is accepted. */
#define TICK "(CASE m.engine WHEN 'qemu' THEN 0.0045 ELSE 0 END)"
#define TIMES_DIFFER(column)                                                                       \
	"(a." column " IS NULL) <> (b." column " IS NULL) OR abs(a." column " - b." column         \
	") > " TICK

static const char conflicts[] =
	"SELECT m.trial, m.scenario || coalesce('/' || m.variant, ''), m.kernel, m.family, "
	"m.repeat, count(*) OVER () FROM main.trial AS m JOIN other.trial AS o USING(trial) WHERE "
	"m.cell <> o.cell OR m.phase IS NOT o.phase OR (m.verdict <> 'inconclusive' AND "
	"o.verdict <> 'inconclusive' AND (m.verdict <> o.verdict OR EXISTS ("
	"SELECT 1 FROM main.endpoint AS a JOIN other.endpoint AS b USING(trial, endpoint) "
	"WHERE a.trial = m.trial AND (a.outcome IS NOT b.outcome OR a.errno IS NOT b.errno OR "
	"a.mechanism IS NOT b.mechanism OR " TIMES_DIFFER("kernel_s") " OR " TIMES_DIFFER(
		"application_s") " OR " TIMES_DIFFER("wire_s") ")))) "
							       "ORDER BY m.position, m.trial";

static const char names_differ[] =
	"SELECT 'kernel', kernel, m.release || ' in one and ' || o.release FROM main.kernel AS m "
	"JOIN other.kernel AS o USING(kernel) WHERE m.release <> o.release UNION ALL "
	"SELECT 'scenario', scenario, 'one text in one and another' FROM main.scenario AS m "
	"JOIN other.scenario AS o USING(scenario) WHERE m.text <> o.text UNION ALL "
	"SELECT 'kernel', kernel, 'in one only' FROM (SELECT kernel FROM main.kernel UNION ALL "
	"SELECT kernel FROM other.kernel) WHERE EXISTS (SELECT 1 FROM main.trial) AND "
	"EXISTS (SELECT 1 FROM other.trial) AND "
	"EXISTS (SELECT 1 FROM main.study WHERE name IS NOT NULL) "
	"GROUP BY kernel HAVING count(*) = 1";

/* A trial that is inconclusive in one store gives way to what another store has measured. */
#define FORGET(table) "DELETE FROM main." table " WHERE trial IN temp.open;"
static const char give_way[] =
	"CREATE TEMP TABLE open AS SELECT m.trial FROM main.trial AS m JOIN other.trial AS o "
	"USING(trial) WHERE m.verdict = 'inconclusive' AND o.verdict <> 'inconclusive';" FORGET(
		"took") FORGET("place") FORGET("setting") FORGET("endpoint") FORGET("failure")
		FORGET("reason") FORGET("record") FORGET("finished")
			FORGET("trial") "DROP TABLE temp.open;";

/* The rows that refer to a trial are copied only if the trial itself is. */
static const char copy_reasons[] =
	"INSERT INTO main.reason SELECT * FROM other.reason WHERE trial IN (SELECT trial FROM "
	"main.trial WHERE verdict = 'inconclusive') AND trial NOT IN (SELECT trial FROM "
	"main.reason);";
static const char copy_took[] =
	"INSERT OR IGNORE INTO main.took SELECT * FROM other.took WHERE trial IN (SELECT trial "
	"FROM main.trial);";
static const char copy[] =
	"CREATE TEMP TABLE new AS SELECT trial FROM other.trial EXCEPT SELECT trial FROM "
	"main.trial;"
	"INSERT OR IGNORE INTO main.scenario SELECT * FROM other.scenario;"
	"INSERT OR IGNORE INTO main.kernel SELECT * FROM other.kernel;"
	"INSERT OR IGNORE INTO main.session SELECT * FROM other.session;"
	"INSERT INTO main.trial SELECT * FROM other.trial WHERE trial IN temp.new;"
	"INSERT INTO main.place SELECT * FROM other.place WHERE trial IN temp.new;"
	"INSERT INTO main.setting SELECT * FROM other.setting WHERE trial IN temp.new;"
	"INSERT INTO main.endpoint SELECT * FROM other.endpoint WHERE trial IN temp.new;"
	"INSERT INTO main.failure SELECT * FROM other.failure WHERE trial IN temp.new;"
	"INSERT INTO main.record SELECT * FROM other.record WHERE trial IN temp.new;"
	"INSERT INTO main.finished SELECT * FROM other.finished WHERE trial IN temp.new;"
	"INSERT OR IGNORE INTO main.problem SELECT * FROM other.problem;"
	"DELETE FROM main.problem WHERE trial IN (SELECT trial FROM main.trial);"
	"DROP TABLE temp.new;";

static int refuse_conflicts(struct store *store, const char *input, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	char names[512] = "";
	int64_t count = 0;
	int rc = store_prepare(store, conflicts, &s, err);

	for (int i = 0; rc >= 0 && (rc = store_next(store, s, err)) > 0 && i < MAX_NAMED; i++) {
		size_t n = strlen(names);

		count = lib_sqlite3_column_int64(s, 5);
		snprintf(names + n, sizeof(names) - n, "%s%s (%s, %s, repeat %s, trial %s)",
			 i ? ", " : "", store_text(s, 1), store_text(s, 2), store_text(s, 3),
			 store_text(s, 4), store_text(s, 0));
	}
	if (rc < 0 || !count)
		return rc;
	return error_input(err, "%s: %lld trial%s ended differently in another of the stores: %s%s",
			   input, (long long)count, count == 1 ? "" : "s", names,
			   count > MAX_NAMED ? ", ..." : "");
}

static int refuse_names(struct store *store, const char *input, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	int rc = store_prepare(store, names_differ, &s, err);

	if (rc >= 0)
		rc = store_next(store, s, err);
	if (rc <= 0)
		return rc;
	return error_input(err, "%s: the %s '%s' is %s of the stores", input, store_text(s, 0),
			   store_text(s, 1), store_text(s, 2));
}

static int copy_attached(struct store *store, const char *input, struct error *err)
{
	int64_t reasons = 0, took = 0;
	int rc = store_exec(store, "BEGIN IMMEDIATE", err);

	if (rc >= 0)
		rc = refuse_names(store, input, err);
	if (rc >= 0)
		rc = store_refuse_qemu(store, input, err);
	if (rc >= 0)
		rc = refuse_conflicts(store, input, err);
	if (rc >= 0)
		rc = store_exec(store, give_way, err);
	if (rc >= 0)
		rc = store_exec(store, copy, err);
	if (rc >= 0) /* a store of schema 1 has no reasons */
		rc = store_number(store,
				  "SELECT count(*) FROM other.sqlite_schema WHERE name = 'reason'",
				  &reasons, err);
	if (rc >= 0 && reasons)
		rc = store_exec(store, copy_reasons, err);
	if (rc >= 0) /* a store of a version before 0.5.0 has no such table, or a user's own */
		rc = store_number(store,
				  "SELECT count(*) FROM other.sqlite_schema AS o JOIN "
				  "main.sqlite_schema AS m USING(name, sql) WHERE name = 'took'",
				  &took, err);
	if (rc >= 0 && took)
		rc = store_exec(store, copy_took, err);
	if (rc >= 0)
		rc = store_copy_qemu(store, err);
	return rc < 0 ? rc : store_exec(store, "COMMIT", err);
}

static int add_input(struct store *store, const char *input, struct error *err)
{
	int rc = store_run_once(store, err, "ATTACH ? AS other", STORE_VALUES(sql_text(input)));

	if (rc < 0)
		return error_prefix(err, rc, "%s", input);
	rc = copy_attached(store, input, err);
	if (rc < 0)
		return rc;
	return store_exec(store, "DETACH other", err);
}

/* Opens an input once to see whether it is a store, and of the same study as the first. */
static int check_input(const char *input, const char *first_name, struct store_study *first,
		       struct error *err)
{
	_cleanup_(store_closep) struct store *store = NULL;
	const struct store_study *study;
	const char *how;
	int rc = store_open(input, STORE_READ, NULL, &store, err);

	if (rc < 0)
		return rc;
	study = store_study(store);
	if (first->engine) {
		how = store_study_differs(study, first);
		return how ? error_input(err, "%s: holds %s than %s", input, how, first_name) : 0;
	}
	rc = store_study_copy(first, study, err);
	first->shard = first->shards = 1;
	return rc;
}

static int build(const char *path, const struct store_study *study, const char *const *inputs,
		 size_t n, struct store_merge_counts *counts, struct error *err)
{
	_cleanup_(store_closep) struct store *store = NULL;
	int64_t trials = 0, problems = 0;
	int rc = store_open(path, STORE_CREATE, study, &store, err);

	for (size_t i = 0; rc >= 0 && i < n; i++)
		rc = add_input(store, inputs[i], err);
	if (rc >= 0)
		rc = store_make_cells(store, NULL, err);
	if (rc >= 0)
		rc = store_number(store, "SELECT count(*) FROM trial", &trials, err);
	if (rc >= 0)
		rc = store_number(store, "SELECT count(*) FROM problem", &problems, err);
	*counts = (struct store_merge_counts){ .trials = (size_t)trials,
					       .problems = (size_t)problems,
					       .expected = study->trials };
	return rc;
}

/* Refuses an output that another process is writing. */
static int check_output(const char *output, struct error *err)
{
	_cleanup_(store_closep) struct store *store = NULL;

	return store_open(output, STORE_WRITE, NULL, &store, err);
}

/* The output is written beside the file of that name, which it replaces at the end. A symbolic link
 * stays and leads to the new file. */
int store_merge(const char *const *inputs, size_t n_inputs, const char *output_path,
		struct store_merge_counts *ret_counts, struct error *err)
{
	_cleanup_(freep) char *target = realpath(output_path, NULL);
	const char *output = target ? target : output_path;
	_cleanup_(freep) const char **all = calloc(n_inputs + 1, sizeof(*all));
	_cleanup_(freep) char *temporary = NULL;
	struct store_study study = { 0 };
	size_t n = 0;
	int rc = 0;

	if (!all || asprintf(&temporary, "%s.%d.tmp", output, (int)getpid()) < 0) {
		temporary = NULL;
		return error_errno(err, -ENOMEM, "merge");
	}
	if (access(output, F_OK) == 0) {
		rc = check_output(output, err);
		all[n++] = output;
	}
	for (size_t i = 0; i < n_inputs; i++)
		all[n++] = inputs[i];
	for (size_t i = 0; rc >= 0 && i < n; i++)
		rc = check_input(all[i], all[0], &study, err);
	if (rc >= 0)
		rc = build(temporary, &study, all, n, ret_counts, err);
	if (rc >= 0 && rename(temporary, output) < 0)
		rc = error_set(err, ERROR_FAILED, -errno, "%s: %s", output, strerror(errno));
	if (rc < 0)
		unlink(temporary);
	store_study_deinit(&study);
	return rc;
}
