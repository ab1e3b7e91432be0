/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the trials of a page are from: each store with its study, kernels, scenarios and sessions.
 */
#include <string.h>

#include "src/report/page-data.h"
#include "src/text/document.h"
#include "src/util/utf8.h"

static void put_text(const char *text, FILE *out)
{
	if (!text) {
		fputs("null", out);
		return;
	}
	putc('"', out);
	utf8_put_json(out, text);
	putc('"', out);
}

/* Writes what a study or a scenario says of itself in one line; null if it cannot be read, because
 * the text of a store may be anything. */
static void put_summary(const char *text, FILE *out)
{
	_cleanup_(document_freep) struct document *document = NULL;
	const struct document_node *summary = NULL;

	if (text && document_parse("", text, strlen(text), &document, NULL) >= 0)
		summary = document_get(document->root, "summary");
	put_text(summary ? summary->text : NULL, out);
}

/* Writes a row as an object that has each column as text. A column `text` is YAML, whose summary is
 * written too. */
static void put_row(sqlite3_stmt *s, FILE *out)
{
	int n = lib_sqlite3_column_count(s);

	for (int i = 0; i < n; i++) {
		const char *name = lib_sqlite3_column_name(s, i);

		fprintf(out, "%s\"%s\":", i ? "," : "{", name);
		put_text(store_text(s, i), out);
		if (!strcmp(name, "text")) {
			fputs(",\"summary\":", out);
			put_summary(store_text(s, i), out);
		}
	}
	putc('}', out);
}

static int put_rows(struct store *store, const char *key, const char *sql, FILE *out,
		    struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	int rc = store_prepare(store, sql, &s, err);

	fprintf(out, ",\"%s\":[", key);
	for (bool first = true; rc >= 0 && (rc = store_next(store, s, err)) > 0; first = false) {
		if (!first)
			putc(',', out);
		put_row(s, out);
	}
	putc(']', out);
	return rc;
}

static int put_store(struct store *store, FILE *out, struct error *err)
{
	static const struct {
		const char *key, *sql;
	} parts[] = {
		{ "study", "SELECT name, file, text, engine, deadpeer, seed, quick, trials, shard, "
			   "shards FROM study" },
		{ "kernels", "SELECT kernel, release FROM kernel ORDER BY kernel" },
		{ "scenarios", "SELECT scenario, text FROM scenario ORDER BY scenario" },
		{ "sessions", "SELECT started, ended, command, deadpeer, host, machine, release, "
			      "processors, memory_mib FROM session ORDER BY started, session" },
	};
	const char *path = store_path(store), *slash = strrchr(path, '/');
	int rc = 0;

	fputs("{\"file\":", out);
	put_text(slash ? slash + 1 : path, out);
	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(parts); i++)
		rc = put_rows(store, parts[i].key, parts[i].sql, out, err);
	if (!store->has_qemu) /* an older store */
		fputs(",\"emulators\":[]", out);
	else if (rc >= 0)
		rc = put_rows(store, "emulators",
			      "SELECT DISTINCT version FROM qemu ORDER BY version", out, err);
	putc('}', out);
	return rc;
}

int page_put_about(struct page_data *data, FILE *out, struct error *err)
{
	int rc = 0;

	fputs("\"stores\":[", out);
	for (size_t i = 0; rc >= 0 && i < data->n_stores; i++) {
		if (i)
			putc(',', out);
		rc = put_store(data->stores[i], out, err);
	}
	putc(']', out);
	return rc;
}
