/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guest/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "src/kernel/cache.h"
#include "src/util/cleanup.h"

static int open_in(const char *folder, const char *name, int flags)
{
	char path[4096];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) >= sizeof(path))
		return -1;
	return open(path, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* What a stamp holds: the identity of the memory file and the content of the device state. A write
 * to the memory file moves its times, so that its content need not be read again. Nobody waits
 * until a snapshot has reached the disk, so its name (prepare.c) makes it good until this machine's
 * next boot. Returns false if the device state cannot be read. */
static bool describe(const struct guest_snapshot *snapshot, char stamp[CACHE_KEY_SIZE])
{
	struct cache_key key;
	char buffer[65536];
	struct stat st;
	off_t at = 0;
	ssize_t n;

	cache_key_init(&key);
	if (fstat(snapshot->memory_fd, &st) < 0)
		return false;
	cache_key_add_stat(&key, &st);
	while ((n = pread(snapshot->device_fd, buffer, sizeof(buffer), at)) > 0) {
		cache_key_add(&key, buffer, (size_t)n);
		at += n;
	}
	cache_key_text(&key, stamp);
	return n == 0;
}

static bool is_whole(const struct guest_snapshot *snapshot, int stamp_fd)
{
	char have[CACHE_KEY_SIZE], want[CACHE_KEY_SIZE];

	return snapshot->memory_fd >= 0 && snapshot->device_fd >= 0 &&
	       read(stamp_fd, want, sizeof(want)) == sizeof(want) && describe(snapshot, have) &&
	       memcmp(have, want, sizeof(have)) == 0;
}

bool guest_snapshot_open(struct guest_snapshot *snapshot, const char *path)
{
	_cleanup_(fd_closep) int stamp_fd = -1;

	*snapshot = GUEST_SNAPSHOT_NONE;
	snapshot->hold_fd = cache_hold(path);
	stamp_fd = snapshot->hold_fd < 0 ? -1 : open_in(path, "stamp", O_RDWR);
	if (stamp_fd < 0) {
		guest_snapshot_close(snapshot);
		return false;
	}
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
	fd_close(snapshot->hold_fd);
	*snapshot = GUEST_SNAPSHOT_NONE;
}

int guest_snapshot_create(struct guest_snapshot *snapshot, const char *temporary,
			  unsigned long long memory_size, struct error *err)
{
	*snapshot = GUEST_SNAPSHOT_NONE;
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
	char stamp[CACHE_KEY_SIZE];

	if (!describe(snapshot, stamp))
		return cache_error(err, -errno, temporary);
	stamp_fd = open_in(temporary, "stamp", O_WRONLY | O_CREAT | O_EXCL);
	if (stamp_fd < 0 || write(stamp_fd, stamp, sizeof(stamp)) != sizeof(stamp))
		return cache_error(err, -errno, temporary);
	if (rename(temporary, path) < 0)
		return cache_error(err, -errno, path);
	return 0;
}
