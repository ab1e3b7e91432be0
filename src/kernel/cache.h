/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The user's cache: $XDG_CACHE_HOME/deadpeer, by default ~/.cache/deadpeer.
 * Whatever is in it can be made again. An entry is written under a temporary
 * name, under a lock of its own, and renamed into place when it is whole.
 */

#include <glob.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include <nettle/sha2.h>

#include "src/util/error.h"

/* "<cache>/<sub>", made if it is not there. To be freed. */
int cache_folder(const char *sub, char **ret_path, struct error *err);

/* Waits for the lock of what will be `path` ("<path>.lock"), and removes what others left there
 * unfinished; closing the descriptor, or dying, unlocks. */
int cache_lock(const char *path, int *ret_fd, struct error *err);

/* A name beside `path` that nobody else uses. To be freed; NULL without memory. */
char *cache_temporary(const char *path);

/* Removes a file or a folder with all that is in it; what is not there is no error. */
void cache_remove(const char *path);

/* Renames `temporary` to `path` and notes what it is like in "<path>.stamp". */
int cache_commit(const char *temporary, const char *path, struct error *err);

/* Whether `path` is still as it was committed, and that was since this machine's boot. A write to a
 * file moves its times; before a boot a file may not have reached the disk, because no one waited
 * for it. */
bool cache_is_whole(const char *path);

/* Finds what matches `pattern` in the folder of `path`, the newest first. The caller calls
 * globfree(). */
void cache_find(const char *path, const char *pattern, glob_t *ret_found);

/* Keeps the newest `count` of the files in the folder of `path` that end like it does (".cpio");
 * `path` itself stays. */
void cache_prune(const char *path, size_t count);

/* Like error_errno(); a full disk is told with its remedy. */
int cache_error(struct error *err, int rc, const char *path);

/* The disk space that a file or folder takes, bytes. */
unsigned long long cache_usage(const char *path);

#define CACHE_KEY_SIZE 33 /* 32 hexadecimal digits and the end */

/* What a cache entry was made from, hashed. */
struct cache_key {
	struct sha256_ctx context;
};

void cache_key_init(struct cache_key *key);
void cache_key_add(struct cache_key *key, const void *data, size_t size);
void cache_key_add_string(struct cache_key *key, const char *text);
/* Adds the identity of a file (device, inode, size, times), for which it need not be read. Its path
 * does not count. */
int cache_key_add_file(struct cache_key *key, const char *path, struct error *err);
void cache_key_add_stat(struct cache_key *key, const struct stat *st);
/* Adds the identity of this boot of the machine. */
void cache_key_add_boot(struct cache_key *key);
char *cache_key_text(struct cache_key *key, char text[CACHE_KEY_SIZE]);
