/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What is in the user's cache, how much of the disk it takes, and what goes when that is too much.
 *
 * An entry says when it was last used by the time of a file of its own, which each use touches, so
 * that this works on disks that do not keep times of access: a kernel's manifest, the stamp of an
 * image or a snapshot. What a process uses it holds (cache_hold()), and then nobody removes it.
 *
 * Who puts something into the cache sees to it that the whole takes no more than
 * CACHE_BYTES_DEFAULT: the snapshots and images that were not used for the longest time go. Kernels
 * stay, because the next trial could not bring them back; only a user removes them, and then after
 * everything else.
 */

#include "src/kernel/cache.h"
#include "src/util/nsec.h"

#define CACHE_BYTES_DEFAULT (4ull << 30)

enum cache_sort {
	CACHE_KERNEL,	 /* fetched */
	CACHE_IMAGE,	 /* of a kernel or a first file system, which QEMU boots */
	CACHE_SNAPSHOT,	 /* of a guest that is booted, or whose programs are ready */
	CACHE_LISTS,	 /* the package lists, and a package that is being fetched; always kept */
	CACHE_TEMPORARY, /* what a process is making now */
	_CACHE_SORT_MAX,
};

struct cache_entry {
	enum cache_sort sort;
	char *path; /* owned */
	unsigned long long bytes;
	nsec_t used_nsec; /* when it was last used, since 1970 */
	bool in_use;	  /* a process holds it */
};

/* The entries, the one first that was not used for the longest time. */
struct cache_list {
	struct cache_entry *entries; /* owned */
	size_t count;
	unsigned long long bytes; /* of all */
};

const char *cache_sort_name(enum cache_sort sort);
/* Returns the last part of the path. */
const char *cache_entry_name(const struct cache_entry *entry);

/* Removes what processes that were killed have left, and lists the rest. */
int cache_list_init(struct cache_list *list, struct error *err);
void cache_list_deinit(struct cache_list *list);

/* Removes an entry and returns 1; 0: it is in use, or always kept. */
int cache_entry_remove(const struct cache_entry *entry, struct error *err);

/* Removes snapshots and images until the cache takes CACHE_BYTES_DEFAULT at most, but not the one
 * at `except`. That it cannot is no error. */
void cache_bound(const char *except);

/* A kind of entry that is a single file. */
struct cache_kind {
	const char *folder; /* of the cache, such as "images" */
	const char *suffix; /* of the file's name, such as ".cpio" */
	/* Writes the file. */
	int (*make)(const char *target, const void *userdata, struct error *err);
};

/* Returns the path of the entry with this key in *ret_path, which the caller frees, and in
 * *ret_hold_fd what keeps it in the cache, which the caller closes; and marks it as used. If the
 * entry is not whole it is made, while other processes that want it wait. */
int cache_get(const struct cache_kind *kind, struct cache_key *key, const void *userdata,
	      char **ret_path, int *ret_hold_fd, struct error *err);
