/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/kernel/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>

#include "src/kernel/cache.h"
#include "src/util/cleanup.h"

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

static int add_content(struct cache_key *key, const char *path)
{
	_cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	static char buffer[1 << 16];
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		cache_key_add(key, buffer, (size_t)n);
	return n < 0 ? -errno : 0;
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
			rc = add_content(&key, entry->fts_path);
		}
	fts_close(tree);
	cache_key_text(&key, text);
	return rc;
}

static FILE *open_manifest(const char *folder, const char *mode)
{
	_cleanup_(freep) char *path = NULL;

	if (asprintf(&path, "%s/" MANIFEST, folder) < 0) {
		path = NULL;
		return NULL;
	}
	return fopen(path, mode);
}

int kernel_manifest_write(const char *folder, struct error *err)
{
	char text[CACHE_KEY_SIZE];
	FILE *file;
	int rc = describe(folder, text);

	if (rc < 0)
		return cache_error(err, rc, folder);
	file = open_manifest(folder, "we");
	if (!file)
		return cache_error(err, -errno, folder);
	if (fputs(text, file) < 0)
		rc = -errno;
	if (fclose(file) != 0 && rc == 0)
		rc = -errno;
	return rc < 0 ? cache_error(err, rc, folder) : 0;
}

bool kernel_manifest_check(const char *folder)
{
	_cleanup_(file_closep) FILE *file = open_manifest(folder, "re");
	char want[CACHE_KEY_SIZE] = "", have[CACHE_KEY_SIZE];

	return file && fgets(want, sizeof(want), file) && describe(folder, have) == 0 &&
	       strcmp(want, have) == 0;
}
