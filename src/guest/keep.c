/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/guest/keep.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/kernel/cache-entries.h"
#include "src/util/cleanup.h"

/* Copies what a sparse file has, and leaves its holes. */
static int copy_data(int from, int to, off_t size)
{
	off_t at = 0, end;

	while ((at = lseek(from, at, SEEK_DATA)) >= 0 && at < size) {
		end = lseek(from, at, SEEK_HOLE);
		for (off_t out = at; at < end;) {
			ssize_t n = copy_file_range(from, &at, to, &out, (size_t)(end - at), 0);

			if (n <= 0)
				return n < 0 ? -errno : -EIO;
		}
	}
	return at < 0 && errno != ENXIO ? -errno : 0; /* ENXIO: only a hole is left */
}

bool guest_keep_begin(struct guest_keep *keep, const struct guest_snapshot *base)
{
	struct error ignored = { 0 };
	struct stat st;
	int rc;

	if (!keep->path || fstat(base->memory_fd, &st) < 0 ||
	    cache_try_lock(keep->path, &keep->lock, &ignored) <= 0)
		return false;
	if (access(keep->path, F_OK) == 0) { /* another process has made it meanwhile */
		guest_keep_drop(keep);
		return false;
	}
	keep->temporary = cache_temporary(keep->path);
	rc = keep->temporary ? guest_snapshot_create(&keep->snapshot, keep->temporary,
						     (unsigned long long)st.st_size, &ignored)
			     : -ENOMEM;
	if (rc >= 0)
		rc = copy_data(base->memory_fd, keep->snapshot.memory_fd, st.st_size);
	if (rc < 0)
		guest_keep_drop(keep);
	return rc >= 0;
}

bool guest_keep_active(const struct guest_keep *keep)
{
	return keep->temporary;
}

bool guest_keep_commit(struct guest_keep *keep)
{
	struct error ignored = { 0 };
	int rc = guest_snapshot_commit(&keep->snapshot, keep->temporary, keep->path, &ignored);

	if (rc >= 0)
		cache_bound(keep->path);
	guest_keep_drop(keep);
	return rc >= 0;
}

void guest_keep_drop(struct guest_keep *keep)
{
	if (keep->temporary)
		cache_remove(keep->temporary);
	free(keep->temporary);
	keep->temporary = NULL;
	guest_snapshot_close(&keep->snapshot);
	fd_close(keep->lock);
	keep->lock = -1;
}

void guest_keep_deinit(struct guest_keep *keep)
{
	guest_keep_drop(keep);
	free(keep->path);
	keep->path = NULL;
}
