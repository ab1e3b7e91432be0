/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/kernel/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "src/util/array.h"
#include "src/util/cleanup.h"
#include "src/util/format.h"
#include "src/util/interrupt.h"

#define LOCK_PAUSE_USEC 20000
#define LOCK_SAY_USEC	500000 /* a wait that is longer is told */

/* Returns the path of a folder in the cache, which need not exist. */
static int folder_path(const char *sub, char **ret_path, struct error *err)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (xdg && *xdg == '/')
		*ret_path = format_new("%s/deadpeer/%s", xdg, sub);
	else if (home && *home == '/' && access(home, F_OK) == 0)
		*ret_path = format_new("%s/.cache/deadpeer/%s", home, sub);
	else if (home && *home == '/')
		/* The account of a service may have a home that is not there, and is not to be. */
		return error_set(err, ERROR_CAPABILITY, -ENOENT,
				 "no folder for the cache: HOME is %s, which does not exist; set "
				 "XDG_CACHE_HOME",
				 home);
	else
		return error_set(err, ERROR_CAPABILITY, -ENOENT,
				 "no folder for the cache: set HOME or XDG_CACHE_HOME");
	return *ret_path ? 0 : error_errno(err, -ENOMEM, "cache");
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
	if (rc == -ELOOP)
		return error_set(err, ERROR_CAPABILITY, rc,
				 "%s is a symbolic link, and the cache has none: remove it, or set "
				 "XDG_CACHE_HOME",
				 path);
	if (rc == -ENOTDIR)
		return error_set(err, ERROR_CAPABILITY, rc,
				 "%s: a part of it is no folder; set XDG_CACHE_HOME to one", path);
	return error_errno(err, rc, "%s", path);
}

/* Whoever can write there decides what is run, and what is removed from there. */
static int check_own(const char *path, struct error *err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return cache_error(err, -errno, path);
	if (S_ISLNK(st.st_mode))
		return cache_error(err, -ELOOP, path);
	if (!S_ISDIR(st.st_mode))
		return error_set(err, ERROR_CAPABILITY, -ENOTDIR,
				 "%s is in the cache's way, and no folder: remove it, or set "
				 "XDG_CACHE_HOME",
				 path);
	if (st.st_uid != geteuid())
		return error_set(err, ERROR_CAPABILITY, -EPERM,
				 "%s is the cache of user %u, and you are user %u: set "
				 "XDG_CACHE_HOME to a folder of your own",
				 path, (unsigned)st.st_uid, (unsigned)geteuid());
	return 0;
}

/* Makes what is missing of a path, whose first `own` bytes are the path of the cache. */
static int make_folders(char *path, size_t own, struct error *err)
{
	for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		int rc = 0;

		if (slash)
			*slash = '\0';
		/* An existing folder on a read-only disk says EROFS, not EEXIST. */
		if (mkdir(path, 0700) < 0 && errno != EEXIST && access(path, F_OK) < 0)
			return cache_error(err, -errno, path);
		if (strlen(path) >= own)
			rc = check_own(path, err);
		if (rc < 0 || !slash)
			return rc;
		*slash = '/';
	}
}

int cache_refuse_link(const char *path, struct error *err)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		return cache_error(err, -ELOOP, path);
	return 0;
}

int cache_folder(const char *sub, char **ret_path, struct error *err)
{
	_cleanup_(freep) char *path = NULL;
	int rc = folder_path(sub, &path, err);

	if (rc >= 0)
		rc = make_folders(path, strlen(path) - strlen(sub) - 1, err);
	if (rc < 0)
		return rc;
	*ret_path = take_ptr(path);
	return 0;
}

/* Whether the path still leads to the file that is open. */
static bool is_still(int fd, const char *path)
{
	struct stat open_st, st;

	return fstat(fd, &open_st) == 0 && lstat(path, &st) == 0 && open_st.st_dev == st.st_dev &&
	       open_st.st_ino == st.st_ino;
}

static char *lock_name(const char *path)
{
	return format_new("%s.lock", path);
}

/* Makes the lock's file if need be. Returns -1 with errno set if that fails. */
static int open_lock(const char *name)
{
	return open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* Removes what a process that was killed has left of one entry. This process holds the lock, so
 * that no other one is writing there. */
static void remove_leftovers(const char *path)
{
	_cleanup_(freep) char *pattern = format_new("%s.*.tmp", path);
	glob_t found;

	if (!pattern || glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		cache_remove(found.gl_pathv[i]);
	globfree(&found);
}

/* A lock's file may be removed by who holds the lock. Who waited for it then holds the lock of a
 * file that is gone, and tries again. */
int cache_try_lock(const char *path, int *ret_fd, struct error *err)
{
	_cleanup_(freep) char *name = lock_name(path);

	for (;;) {
		_cleanup_(fd_closep) int fd = name ? open_lock(name) : -1;

		if (fd < 0)
			return cache_error(err, name ? -errno : -ENOMEM, name ? name : path);
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			return errno == EWOULDBLOCK || errno == EINTR
				       ? 0
				       : error_errno(err, -errno, "lock %s", path);
		if (!is_still(fd, name))
			continue;
		remove_leftovers(path);
		*ret_fd = take_fd(&fd);
		return 1;
	}
}

int cache_lock(const char *path, int *ret_fd, struct error *err)
{
	unsigned waited_usec = 0;
	int rc;

	while ((rc = cache_try_lock(path, ret_fd, err)) == 0) {
		if (interrupt_pending())
			return interrupt_error(err);
		usleep(LOCK_PAUSE_USEC);
		waited_usec += LOCK_PAUSE_USEC;
		if (waited_usec == LOCK_SAY_USEC)
			fprintf(stderr, "waiting for another deadpeer, which is making %s\n", path);
	}
	return rc < 0 ? rc : 0;
}

void cache_unlock(const char *path, int fd)
{
	_cleanup_(freep) char *name = lock_name(path);

	if (name && fd >= 0 && is_still(fd, name))
		unlink(name);
	fd_close(fd);
}

/* Returns the length of ENTRY in the path of "ENTRY.PROCESS-COUNT.tmp", "ENTRY.lock", or either of
 * an entry's stamp; 0: it is no such file. */
static size_t entry_size(const char *path)
{
	static const char stamp[] = ".stamp";
	const char *name = strrchr(path, '/') + 1, *end = strrchr(name, '.');
	size_t n;

	if (strcmp(end, ".tmp") == 0)
		end = memrchr(name, '.', (size_t)(end - name));
	if (!end || end == name)
		return 0;
	n = (size_t)(end - path);
	if (n > strlen(stamp) && memcmp(path + n - strlen(stamp), stamp, strlen(stamp)) == 0)
		n -= strlen(stamp);
	return n;
}

static void remove_unlocked(const char *path, const char *pattern)
{
	glob_t found;

	cache_find(path, pattern, &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *name = found.gl_pathv[i];
		_cleanup_(freep) char *entry = format_new("%.*s", (int)entry_size(name), name);
		int fd = -1;

		/* Taking the lock removes the entry's temporary files. */
		if (entry && *entry && cache_try_lock(entry, &fd, NULL) > 0)
			cache_unlock(entry, fd);
	}
	globfree(&found);
}

void cache_remove_leftovers(const char *path)
{
	remove_unlocked(path, "*.tmp");
	remove_unlocked(path, "*.lock");
}

char *cache_temporary(const char *path)
{
	static unsigned count;

	return format_new("%s.%d-%u.tmp", path, (int)getpid(), ++count);
}

int cache_write_text(const char *path, const char *text, struct error *err)
{
	_cleanup_(freep) char *temporary = cache_temporary(path);
	FILE *file = temporary ? fopen(temporary, "wxe") : NULL;
	int rc = 0;

	if (!file)
		return cache_error(err, temporary ? -errno : -ENOMEM, path);
	if (fputs(text, file) < 0)
		rc = -errno;
	if (fclose(file) != 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && rename(temporary, path) < 0)
		rc = -errno;
	if (rc < 0)
		unlink(temporary);
	return rc < 0 ? cache_error(err, rc, path) : 0;
}

bool cache_has_text(const char *path, const char *text)
{
	_cleanup_(file_closep) FILE *file = fopen(path, "re");
	char have[CACHE_KEY_SIZE] = "";

	return file && fgets(have, sizeof(have), file) && strcmp(have, text) == 0;
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

int cache_commit(const char *temporary, const char *path, struct error *err)
{
	_cleanup_(freep) char *stamp = format_new("%s.stamp", path);
	char text[CACHE_KEY_SIZE];

	if (!stamp)
		return error_errno(err, -ENOMEM, "cache");
	if (rename(temporary, path) < 0 || !make_stamp(path, text))
		return cache_error(err, -errno, path);
	return cache_write_text(stamp, text, err);
}

bool cache_is_whole(const char *path)
{
	_cleanup_(freep) char *stamp = format_new("%s.stamp", path);
	char text[CACHE_KEY_SIZE];

	return stamp && make_stamp(path, text) && cache_has_text(stamp, text);
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
	_cleanup_(freep) char *beside =
		format_new("%.*s/%s", (int)(strrchr(path, '/') - path), path, pattern);

	*ret_found = (glob_t){ 0 };
	if (beside && glob(beside, GLOB_NOSORT, NULL, ret_found) == 0)
		qsort(ret_found->gl_pathv, ret_found->gl_pathc, sizeof(char *), newest_first);
}

static int hold(const char *path, int how)
{
	_cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int rc = -1;

	while (fd >= 0 && (rc = flock(fd, how)) < 0 && errno == EINTR)
		;
	return rc == 0 && is_still(fd, path) ? take_fd(&fd) : -1;
}

/* Who holds it alone does so for a moment only. */
int cache_hold(const char *path)
{
	return hold(path, LOCK_SH);
}

int cache_hold_alone(const char *path)
{
	return hold(path, LOCK_EX | LOCK_NB);
}

int cache_hold_until_exit(const char *path)
{
	static char **held;
	static size_t count;

	if (held && strings_have(held, path))
		return 0;
	if (cache_hold(path) < 0)
		return -ENOENT;
	return strings_append(&held, &count, path);
}

void cache_touch(const char *path)
{
	utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW);
}

static unsigned long long usage; /* bytes found so far; nftw() passes no userdata */

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

int cache_key_add_content(struct cache_key *key, const char *path)
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

char *cache_key_digits(struct cache_key *key, char *text, size_t size)
{
	uint8_t digest[SHA256_DIGEST_SIZE];

	sha256_digest(&key->context, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest) && 2 * i + 2 < size; i++)
		sprintf(text + 2 * i, "%02x", digest[i]);
	return text;
}

char *cache_key_text(struct cache_key *key, char text[CACHE_KEY_SIZE])
{
	return cache_key_digits(key, text, CACHE_KEY_SIZE);
}
