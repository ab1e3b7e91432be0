/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guest/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "src/kernel/cache.h"
#include "src/util/cleanup.h"

#define STAMP_MAGIC "deadpeer snapshot 1\n"
#define COUNT_MAX   16
#define USAGE_MAX   (3ull << 30) /* bytes */

/* A write to the memory file moves its times, so that its content need not be read again. Making a
 * snapshot does not wait until it has reached the disk, so it is good until this machine's next
 * boot. */
struct stamp {
	char magic[sizeof(STAMP_MAGIC)];
	char memory[CACHE_KEY_SIZE]; /* identity of the memory file */
	char device[CACHE_KEY_SIZE]; /* content of the device state */
};

static int open_in(const char *folder, const char *name, int flags)
{
	char path[4096];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) >= sizeof(path))
		return -1;
	return open(path, flags | O_CLOEXEC, 0600);
}

static bool describe(const struct guest_snapshot *snapshot, struct stamp *stamp)
{
	struct cache_key memory, device;
	char buffer[65536];
	struct stat st;
	off_t at = 0;
	ssize_t n;

	cache_key_init(&memory);
	cache_key_init(&device);
	if (fstat(snapshot->memory_fd, &st) < 0)
		return false;
	cache_key_add_stat(&memory, &st);
	while ((n = pread(snapshot->device_fd, buffer, sizeof(buffer), at)) > 0) {
		cache_key_add(&device, buffer, (size_t)n);
		at += n;
	}
	*stamp = (struct stamp){ .magic = STAMP_MAGIC };
	cache_key_text(&memory, stamp->memory);
	cache_key_text(&device, stamp->device);
	return n == 0;
}

static bool is_whole(const struct guest_snapshot *snapshot, int stamp_fd)
{
	struct stamp have, want;

	return snapshot->memory_fd >= 0 && snapshot->device_fd >= 0 &&
	       read(stamp_fd, &want, sizeof(want)) == sizeof(want) && describe(snapshot, &have) &&
	       memcmp(&have, &want, sizeof(have)) == 0;
}

bool guest_snapshot_open(struct guest_snapshot *snapshot, const char *path)
{
	_cleanup_(fd_closep) int stamp_fd = open_in(path, "stamp", O_RDWR);

	*snapshot = (struct guest_snapshot)GUEST_SNAPSHOT_NONE;
	if (stamp_fd < 0)
		return false;
	snapshot->memory_fd = open_in(path, "memory", O_RDWR);
	snapshot->device_fd = open_in(path, "device", O_RDONLY);
	if (is_whole(snapshot, stamp_fd)) {
		futimens(stamp_fd, NULL); /* marks the snapshot as used now */
		return true;
	}
	guest_snapshot_close(snapshot);
	cache_remove(path);
	return false;
}

void guest_snapshot_close(struct guest_snapshot *snapshot)
{
	fd_close(snapshot->memory_fd);
	fd_close(snapshot->device_fd);
	*snapshot = (struct guest_snapshot)GUEST_SNAPSHOT_NONE;
}

int guest_snapshot_create(struct guest_snapshot *snapshot, const char *temporary,
			  unsigned long long memory_size, struct error *err)
{
	*snapshot = (struct guest_snapshot)GUEST_SNAPSHOT_NONE;
	if (mkdir(temporary, 0700) < 0)
		return cache_error(err, -errno, temporary);
	snapshot->memory_fd = open_in(temporary, "memory", O_RDWR | O_CREAT | O_EXCL);
	snapshot->device_fd = open_in(temporary, "device", O_RDWR | O_CREAT | O_EXCL);
	if (snapshot->memory_fd < 0 || snapshot->device_fd < 0 ||
	    ftruncate(snapshot->memory_fd, (off_t)memory_size) < 0) {
		int rc = cache_error(err, -errno, temporary);

		guest_snapshot_close(snapshot);
		return rc;
	}
	return 0;
}

int guest_snapshot_commit(struct guest_snapshot *snapshot, const char *temporary, const char *path,
			  struct error *err)
{
	_cleanup_(fd_closep) int stamp_fd = -1;
	struct stamp stamp;

	if (!describe(snapshot, &stamp))
		return cache_error(err, -errno, temporary);
	stamp_fd = open_in(temporary, "stamp", O_WRONLY | O_CREAT | O_EXCL);
	if (stamp_fd < 0 || write(stamp_fd, &stamp, sizeof(stamp)) != sizeof(stamp))
		return cache_error(err, -errno, temporary);
	if (rename(temporary, path) < 0)
		return cache_error(err, -errno, path);
	return 0;
}

struct entry {
	char *path;
	struct timespec used;
};

static int newest_first(const void *a, const void *b)
{
	const struct timespec *x = &((const struct entry *)a)->used;
	const struct timespec *y = &((const struct entry *)b)->used;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? 1 : -1;
	return (x->tv_nsec < y->tv_nsec) - (x->tv_nsec > y->tv_nsec);
}

/* Whether this is an unfinished snapshot that no process can still be making, after an hour. */
static bool is_leftover(const char *path)
{
	const size_t n = strlen(path);
	struct stat st;

	return n > 4 && strcmp(path + n - 4, ".tmp") == 0 && stat(path, &st) == 0 &&
	       time(NULL) - st.st_mtime > 3600;
}

static size_t list(const char *folder, struct entry entries[], size_t max)
{
	DIR *dir = opendir(folder);
	struct dirent *found;
	size_t count = 0;

	while (dir && count < max && (found = readdir(dir))) {
		_cleanup_(freep) char *stamp = NULL, *path = NULL;
		struct stat st;

		if (asprintf(&path, "%s/%s", folder, found->d_name) < 0 ||
		    asprintf(&stamp, "%s/stamp", path) < 0)
			break;
		if (is_leftover(path))
			cache_remove(path);
		if (found->d_name[0] == '.' || stat(stamp, &st) < 0)
			continue;
		entries[count++] = (struct entry){ .path = take_ptr(path), .used = st.st_mtim };
	}
	if (dir)
		closedir(dir);
	return count;
}

void guest_snapshot_prune(const char *path)
{
	_cleanup_(freep) char *copy = strdup(path);
	struct entry entries[256];
	unsigned long long usage = 0;
	size_t count = copy ? list(dirname(copy), entries, ARRAY_SIZE(entries)) : 0;

	if (count)
		qsort(entries, count, sizeof(entries[0]), newest_first);
	for (size_t i = 0; i < count; i++) {
		usage += cache_usage(entries[i].path);
		if ((i >= COUNT_MAX || usage > USAGE_MAX) && strcmp(entries[i].path, path) != 0)
			cache_remove(entries[i].path);
		free(entries[i].path);
	}
}
