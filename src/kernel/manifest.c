/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/kernel/manifest.h"

#include <errno.h>
#include <fts.h>
#include <string.h>

#include "src/kernel/cache.h"
#include "src/util/cleanup.h"
#include "src/util/format.h"

#define MANIFEST "manifest"

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_file(const FTSENT *entry)
{
	return entry->fts_info == FTS_F &&
	       !(entry->fts_level == 1 && strcmp(entry->fts_name, MANIFEST) == 0);
}

static int describe(const char *folder, char text[CACHE_KEY_SIZE])
{
	char *const paths[] = { (char *)folder, NULL };
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	struct cache_key key;
	FTSENT *entry;
	int rc = 0;

	if (!tree)
		return -errno;
	cache_key_init(&key);
	while ((entry = fts_read(tree)))
		if (is_file(entry) && rc == 0) {
			cache_key_add_string(&key, entry->fts_path + strlen(folder));
			rc = cache_key_add_content(&key, entry->fts_path);
		}
	fts_close(tree);
	cache_key_text(&key, text);
	return rc;
}

int kernel_manifest_write(const char *folder, struct error *err)
{
	_cleanup_(freep) char *path = format_new("%s/" MANIFEST, folder);
	char text[CACHE_KEY_SIZE];
	int rc = path ? describe(folder, text) : -ENOMEM;

	return rc < 0 ? cache_error(err, rc, folder) : cache_write_text(path, text, err);
}

bool kernel_manifest_check(const char *folder)
{
	_cleanup_(freep) char *path = format_new("%s/" MANIFEST, folder);
	char text[CACHE_KEY_SIZE];

	return path && describe(folder, text) == 0 && cache_has_text(path, text);
}
