/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/kernel/cache-entries.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/util/array.h"
#include "src/util/cleanup.h"
#include "src/util/format.h"

/* `mark` is behind the path of the file whose time says when an entry was last used. */
static const struct {
	const char *name, *folder, *mark;
} sorts[] = {
	[CACHE_KERNEL] = { "kernel", "kernels", "/manifest" },
	[CACHE_IMAGE] = { "image", "images", ".stamp" },
	[CACHE_SNAPSHOT] = { "snapshot", "snapshots", "/stamp" },
	[CACHE_LISTS] = { "lists", "apt", "" },
	[CACHE_TEMPORARY] = { "temporary", NULL, "" },
};
static_assert(ARRAY_SIZE(sorts) == _CACHE_SORT_MAX, "every sort has a name");

const char *cache_sort_name(enum cache_sort sort)
{
	return sorts[sort].name;
}

const char *cache_entry_name(const struct cache_entry *entry)
{
	return strrchr(entry->path, '/') + 1;
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), k = strlen(end);

	return n > k && strcmp(text + n - k, end) == 0;
}

static bool is_in_use(const char *path)
{
	int fd = cache_hold_alone(path);

	fd_close(fd);
	return fd < 0;
}

/* Takes over `path`. */
static int add(struct cache_list *list, enum cache_sort sort, char *path, struct error *err)
{
	_cleanup_(freep) char *mark = path ? format_new("%s%s", path, sorts[sort].mark) : NULL;
	struct cache_entry *entry =
		mark ? array_append(&list->entries, &list->count, sizeof(*entry)) : NULL;
	struct stat st;

	if (!entry) {
		free(path);
		return error_errno(err, -ENOMEM, "cache");
	}
	*entry = (struct cache_entry){ .sort = sort, .path = path, .bytes = cache_usage(path) };
	/* What has no mark is not whole, and as old as it is itself. */
	if (lstat(mark, &st) == 0 || lstat(path, &st) == 0)
		entry->used_nsec = nsec_from_timespec(&st.st_mtim);
	entry->in_use = sort == CACHE_TEMPORARY || (sort != CACHE_LISTS && is_in_use(path));
	list->bytes += entry->bytes;
	return 0;
}

/* A stamp belongs to its image. One without is what a process that was killed has left. */
static void remove_stray_stamp(const char *stamp)
{
	_cleanup_(freep) char *path = format_new("%.*s", (int)(strlen(stamp) - 6), stamp);
	int lock = -1;

	if (!path || access(path, F_OK) == 0 || cache_try_lock(path, &lock, NULL) <= 0)
		return;
	if (access(path, F_OK) < 0)
		unlink(stamp);
	cache_unlock(path, lock);
}

static int add_name(struct cache_list *list, enum cache_sort sort, const char *folder,
		    const char *name, struct error *err)
{
	_cleanup_(freep) char *path = format_new("%s/%s", folder, name);

	if (!path)
		return error_errno(err, -ENOMEM, "cache");
	if (name[0] == '.' || ends_with(name, ".lock"))
		return 0;
	if (ends_with(name, ".tmp"))
		return add(list, CACHE_TEMPORARY, take_ptr(path), err);
	if (ends_with(name, ".stamp")) {
		remove_stray_stamp(path);
		return 0;
	}
	if (cache_refuse_link(path, err) < 0)
		return -ELOOP;
	return add(list, sort, take_ptr(path), err);
}

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int add_folder(struct cache_list *list, enum cache_sort sort, struct error *err)
{
	_cleanup_(freep) char *folder = NULL, *inside = NULL;
	_cleanup_(closedirp) DIR *dir = NULL;
	struct dirent *found;
	int rc = cache_folder(sorts[sort].folder, &folder, err);

	if (rc < 0)
		return rc;
	inside = format_new("%s/%s", folder, sort == CACHE_LISTS ? "lists" : "");
	if (inside && sort == CACHE_LISTS)
		return access(inside, F_OK) < 0 ? 0 : add(list, sort, take_ptr(folder), err);
	dir = opendir(folder);
	if (!inside || !dir)
		return cache_error(err, inside ? -errno : -ENOMEM, folder);
	cache_remove_leftovers(inside);
	while (rc >= 0 && (found = readdir(dir)))
		rc = add_name(list, sort, folder, found->d_name, err);
	return rc;
}

static int oldest_first(const void *a, const void *b)
{
	const struct cache_entry *x = a, *y = b;

	return (x->used_nsec > y->used_nsec) - (x->used_nsec < y->used_nsec);
}

int cache_list_init(struct cache_list *list, struct error *err)
{
	int rc = 0;

	*list = (struct cache_list){ 0 };
	for (enum cache_sort sort = 0; sort < CACHE_TEMPORARY && rc >= 0; sort++)
		rc = add_folder(list, sort, err);
	if (rc < 0)
		cache_list_deinit(list);
	else if (list->count)
		qsort(list->entries, list->count, sizeof(*list->entries), oldest_first);
	return rc;
}

void cache_list_deinit(struct cache_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->entries[i].path);
	free(list->entries);
	*list = (struct cache_list){ 0 };
}

/* A folder first gets another name, so that nobody finds half of it. */
static int remove_held(const struct cache_entry *entry, struct error *err)
{
	_cleanup_(freep) char *temporary = cache_temporary(entry->path);
	_cleanup_(freep) char *stamp = format_new("%s.stamp", entry->path);

	if (!temporary || !stamp)
		return error_errno(err, -ENOMEM, "cache");
	if (rename(entry->path, temporary) < 0)
		return cache_error(err, -errno, entry->path);
	unlink(stamp);
	cache_remove(temporary);
	return 1;
}

int cache_entry_remove(const struct cache_entry *entry, struct error *err)
{
	_cleanup_(fd_closep) int alone = -1;
	int lock = -1, rc;

	if (entry->sort == CACHE_LISTS || entry->sort == CACHE_TEMPORARY)
		return 0;
	rc = cache_try_lock(entry->path, &lock, err);
	if (rc <= 0)
		return rc;
	alone = cache_hold_alone(entry->path);
	rc = alone < 0 ? 0 : remove_held(entry, err);
	cache_unlock(entry->path, lock);
	return rc;
}

void cache_bound(const char *except)
{
	struct cache_list list;

	if (cache_list_init(&list, NULL) < 0)
		return;
	for (size_t i = 0; i < list.count && list.bytes > CACHE_BYTES_DEFAULT; i++) {
		const struct cache_entry *entry = &list.entries[i];

		if (entry->sort != CACHE_KERNEL && (!except || strcmp(entry->path, except) != 0) &&
		    cache_entry_remove(entry, NULL) > 0)
			list.bytes -= entry->bytes;
	}
	cache_list_deinit(&list);
}

static int make(const struct cache_kind *kind, const char *path, const void *userdata,
		struct error *err)
{
	_cleanup_(freep) char *temporary = cache_temporary(path);
	int rc;

	if (!temporary)
		return error_errno(err, -ENOMEM, "%s", path);
	rc = kind->make(temporary, userdata, err);
	if (rc >= 0)
		rc = cache_commit(temporary, path, err);
	if (rc < 0)
		unlink(temporary);
	else
		cache_bound(path);
	return rc;
}

/* Whoever removes an entry takes its lock first, so that it is there when it is held. */
static int make_under_lock(const struct cache_kind *kind, const char *path, const void *userdata,
			   int *ret_hold_fd, struct error *err)
{
	int lock = -1;
	int rc = cache_lock(path, &lock, err);

	if (rc < 0)
		return rc;
	if (!cache_is_whole(path))
		rc = make(kind, path, userdata, err);
	if (rc >= 0)
		*ret_hold_fd = cache_hold(path);
	cache_unlock(path, lock);
	return rc;
}

int cache_get(const struct cache_kind *kind, struct cache_key *key, const void *userdata,
	      char **ret_path, int *ret_hold_fd, struct error *err)
{
	_cleanup_(freep) char *folder = NULL, *path = NULL, *mark = NULL;
	_cleanup_(fd_closep) int held = -1;
	char text[CACHE_KEY_SIZE];
	int rc = cache_folder(kind->folder, &folder, err);

	if (rc < 0)
		return rc;
	path = format_new("%s/%s%s", folder, cache_key_text(key, text), kind->suffix);
	mark = path ? format_new("%s%s", path, sorts[CACHE_IMAGE].mark) : NULL;
	if (!mark)
		return error_errno(err, -ENOMEM, "%s", folder);
	rc = cache_refuse_link(path, err);
	if (rc < 0)
		return rc;
	held = cache_hold(path);
	if (held < 0 || !cache_is_whole(path)) {
		held = fd_close(held);
		rc = make_under_lock(kind, path, userdata, &held, err);
	}
	if (rc < 0)
		return rc;
	cache_touch(mark);
	*ret_path = take_ptr(path);
	*ret_hold_fd = take_fd(&held);
	return 0;
}
