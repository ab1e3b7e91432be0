/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/kernel/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "src/util/cleanup.h"

/* The path of the cache. The folder above it need not exist. */
static int cache_root(char **ret_path, struct error *err)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	int n;

	if (xdg && *xdg == '/')
		n = asprintf(ret_path, "%s/deadpeer", xdg);
	else if (home && *home == '/')
		n = asprintf(ret_path, "%s/.cache/deadpeer", home);
	else
		return error_set(err, ERROR_CAPABILITY, -ENOENT,
				 "no folder for the cache: set HOME or XDG_CACHE_HOME");
	return n < 0 ? error_errno(err, -ENOMEM, "cache") : 0;
}

int cache_error(struct error *err, int rc, const char *path)
{
	if (rc == -ENOSPC || rc == -EDQUOT)
		return error_set(err, ERROR_CAPABILITY, rc,
				 "no space left for %s: free some, or set XDG_CACHE_HOME to a "
				 "folder that has more",
				 path);
	if (rc == -EACCES || rc == -EPERM || rc == -EROFS)
		return error_set(err, ERROR_CAPABILITY, rc,
				 "%s: %s; set XDG_CACHE_HOME to a folder you may write to", path,
				 strerror(-rc));
	return error_errno(err, rc, "%s", path);
}

static int make_folders(char *path, struct error *err)
{
	for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		/* An existing folder on a read-only disk says EROFS, not EEXIST. */
		if (mkdir(path, 0700) < 0 && errno != EEXIST && access(path, F_OK) < 0)
			return cache_error(err, -errno, path);
		if (!slash)
			return 0;
		*slash = '/';
	}
}

int cache_folder(const char *sub, char **ret_path, struct error *err)
{
	_cleanup_(freep) char *root = NULL, *path = NULL;
	int rc = cache_root(&root, err);

	if (rc < 0)
		return rc;
	if (asprintf(&path, "%s/%s", root, sub) < 0) {
		path = NULL;
		return error_errno(err, -ENOMEM, "cache");
	}
	rc = make_folders(path, err);
	if (rc < 0)
		return rc;
	*ret_path = take_ptr(path);
	return 0;
}

/* Removes what a process that was killed has left. This process holds the lock, so that no other
 * one is writing there. */
static void remove_leftovers(const char *path)
{
	_cleanup_(freep) char *pattern = NULL;
	glob_t found;

	if (asprintf(&pattern, "%s.*.tmp", path) < 0) {
		pattern = NULL;
		return;
	}
	if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		cache_remove(found.gl_pathv[i]);
	globfree(&found);
}

int cache_lock(const char *path, int *ret_fd, struct error *err)
{
	_cleanup_(freep) char *name = NULL;
	_cleanup_(fd_closep) int fd = -1;

	if (asprintf(&name, "%s.lock", path) < 0) {
		name = NULL;
		return error_errno(err, -ENOMEM, "cache");
	}
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return cache_error(err, -errno, name);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return error_errno(err, -errno, "lock %s", name);
	remove_leftovers(path);
	*ret_fd = take_fd(&fd);
	return 0;
}

char *cache_temporary(const char *path)
{
	static unsigned count;
	char *name;

	if (asprintf(&name, "%s.%d-%u.tmp", path, (int)getpid(), ++count) < 0)
		return NULL;
	return name;
}

static bool make_stamp(const char *path, char text[CACHE_KEY_SIZE])
{
	struct cache_key key;

	cache_key_init(&key);
	cache_key_add_boot(&key);
	if (cache_key_add_file(&key, path, NULL) < 0)
		return false;
	cache_key_text(&key, text);
	return true;
}

static int write_stamp(const char *stamp, const char *text, struct error *err)
{
	_cleanup_(freep) char *temporary = cache_temporary(stamp);
	FILE *file = temporary ? fopen(temporary, "we") : NULL;
	int rc = 0;

	if (!file)
		return cache_error(err, temporary ? -errno : -ENOMEM, stamp);
	if (fputs(text, file) < 0)
		rc = -errno;
	if (fclose(file) != 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && rename(temporary, stamp) < 0)
		rc = -errno;
	if (rc < 0)
		unlink(temporary);
	return rc < 0 ? cache_error(err, rc, stamp) : 0;
}

int cache_commit(const char *temporary, const char *path, struct error *err)
{
	_cleanup_(freep) char *stamp = NULL;
	char text[CACHE_KEY_SIZE];

	if (asprintf(&stamp, "%s.stamp", path) < 0) {
		stamp = NULL;
		return error_errno(err, -ENOMEM, "cache");
	}
	if (rename(temporary, path) < 0 || !make_stamp(path, text))
		return cache_error(err, -errno, path);
	return write_stamp(stamp, text, err);
}

bool cache_is_whole(const char *path)
{
	_cleanup_(freep) char *stamp = NULL;
	_cleanup_(file_closep) FILE *file = NULL;
	char have[CACHE_KEY_SIZE] = "", want[CACHE_KEY_SIZE];

	if (asprintf(&stamp, "%s.stamp", path) < 0) {
		stamp = NULL;
		return false;
	}
	file = fopen(stamp, "re");
	return file && fgets(have, sizeof(have), file) && make_stamp(path, want) &&
	       strcmp(have, want) == 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	remove(path);
	return 0;
}

void cache_remove(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int newest_first(const void *a, const void *b)
{
	struct stat x = { 0 }, y = { 0 };

	stat(*(char *const *)a, &x);
	stat(*(char *const *)b, &y);
	if (x.st_mtim.tv_sec != y.st_mtim.tv_sec)
		return x.st_mtim.tv_sec < y.st_mtim.tv_sec ? 1 : -1;
	return (x.st_mtim.tv_nsec < y.st_mtim.tv_nsec) - (x.st_mtim.tv_nsec > y.st_mtim.tv_nsec);
}

void cache_find(const char *path, const char *pattern, glob_t *ret_found)
{
	_cleanup_(freep) char *beside = NULL;
	const char *slash = strrchr(path, '/');

	*ret_found = (glob_t){ 0 };
	if (asprintf(&beside, "%.*s/%s", (int)(slash - path), path, pattern) < 0) {
		beside = NULL;
		return;
	}
	if (glob(beside, GLOB_NOSORT, NULL, ret_found) == 0)
		qsort(ret_found->gl_pathv, ret_found->gl_pathc, sizeof(char *), newest_first);
}

static void remove_with_stamp(const char *path)
{
	_cleanup_(freep) char *stamp = NULL;

	unlink(path);
	if (asprintf(&stamp, "%s.stamp", path) >= 0)
		unlink(stamp);
	else
		stamp = NULL;
}

void cache_prune(const char *path, size_t count)
{
	char pattern[32];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "*%s", strrchr(path, '.'));
	cache_find(path, pattern, &found);
	for (size_t i = count; i < found.gl_pathc; i++)
		if (strcmp(found.gl_pathv[i], path) != 0)
			remove_with_stamp(found.gl_pathv[i]);
	globfree(&found);
}

static unsigned long long usage; /* of the walk under way: nftw() has no userdata */

static int add_usage(const char *path, const struct stat *st, int type, struct FTW *at)
{
	usage += (unsigned long long)st->st_blocks * 512;
	return 0;
}

unsigned long long cache_usage(const char *path)
{
	usage = 0;
	nftw(path, add_usage, 16, FTW_PHYS);
	return usage;
}

void cache_key_init(struct cache_key *key)
{
	sha256_init(&key->context);
}

void cache_key_add(struct cache_key *key, const void *data, size_t size)
{
	sha256_update(&key->context, size, data);
}

void cache_key_add_string(struct cache_key *key, const char *text)
{
	cache_key_add(key, text, strlen(text) + 1);
}

void cache_key_add_stat(struct cache_key *key, const struct stat *st)
{
	unsigned long long identity[] = {
		st->st_dev,
		st->st_ino,
		(unsigned long long)st->st_size,
		(unsigned long long)st->st_mtim.tv_sec,
		(unsigned long long)st->st_mtim.tv_nsec,
		(unsigned long long)st->st_ctim.tv_sec,
		(unsigned long long)st->st_ctim.tv_nsec,
	};

	cache_key_add(key, identity, sizeof(identity));
}

int cache_key_add_file(struct cache_key *key, const char *path, struct error *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return error_errno(err, -errno, "%s", path);
	cache_key_add_stat(key, &st);
	return 0;
}

void cache_key_add_boot(struct cache_key *key)
{
	_cleanup_(file_closep) FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	char id[64] = "";

	if (file && fgets(id, sizeof(id), file))
		cache_key_add_string(key, id);
}

char *cache_key_text(struct cache_key *key, char text[CACHE_KEY_SIZE])
{
	uint8_t digest[SHA256_DIGEST_SIZE];

	sha256_digest(&key->context, sizeof(digest), digest);
	for (size_t i = 0; i < (CACHE_KEY_SIZE - 1) / 2; i++)
		sprintf(text + 2 * i, "%02x", digest[i]);
	return text;
}
