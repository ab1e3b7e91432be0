/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The user's cache: $XDG_CACHE_HOME/deadpeer, by default ~/.cache/deadpeer. What is in it, and
 * what has to go, is in src/kernel/cache-entries.h.
 * Everything in it can be made again. An entry is written under a temporary name
 * and renamed when it is whole, while its maker holds a lock for the entry.
 */

#include <glob.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include <nettle/sha2.h>

#include "src/util/error.h"

/* Returns "<cache>/<sub>" in *ret_path, which the caller frees. The folder is made if need be. A
 * cache that belongs to another user, or has a symbolic link for a folder, is refused. */
int cache_folder(const char *sub, char **ret_path, struct error *err);

/* Waits for the lock of what will be `path` ("<path>.lock"), and removes what other processes left
 * there unfinished. The lock is free again when the descriptor is closed or this process dies. A
 * wait of half a second is told on standard error.
 * Returns -EINTR with ERROR_INTERRUPTED if a blocked signal comes meanwhile. */
int cache_lock(const char *path, int *ret_fd, struct error *err);

/* Takes the lock if nobody holds it, and returns 1; otherwise 0. */
int cache_try_lock(const char *path, int *ret_fd, struct error *err);
/* Lets go of the lock, and removes its file. */
void cache_unlock(const char *path, int fd);

/* Returns a name beside `path` that nobody else uses, which the caller frees; NULL without memory.
 */
char *cache_temporary(const char *path);

/* Removes what processes that were killed left unfinished in the folder of `path`: each temporary
 * file for whose entry nobody holds the lock, and each lock that nobody holds. */
void cache_remove_leftovers(const char *path);

/* Removes a file, or a folder with all that is in it. It is no error if there is none. */
void cache_remove(const char *path);

/* Renames `temporary` to `path` and writes the identity of the file into "<path>.stamp". */
int cache_commit(const char *temporary, const char *path, struct error *err);

/* Returns whether `path` is still as it was committed since this machine's boot. A write to a file
 * moves its times, which are part of its identity. A file from before the boot may not have reached
 * the disk, because cache_commit() does not wait for that. */
bool cache_is_whole(const char *path);

/* Finds the files in the folder of `path` that match `pattern`, the newest first. The caller calls
 * globfree(). */
void cache_find(const char *path, const char *pattern, glob_t *ret_found);

/* Writes `text` into the file `path`, which has either the old content or the new at any time. */
int cache_write_text(const char *path, const char *text, struct error *err);
/* Returns whether the file has this text, which is as short as a key. */
bool cache_has_text(const char *path, const char *text);

/* Works as error_errno(), and names a remedy if the disk is full or may not be written. */
int cache_error(struct error *err, int rc, const char *path);

/* Returns the disk space that a file or folder takes, in bytes. */
unsigned long long cache_usage(const char *path);

/* Keeps other processes from removing an entry as long as the returned descriptor is open; -1: it
 * is not there. */
int cache_hold(const char *path);
/* The same until this process ends. Returns a negative errno if it cannot. */
int cache_hold_until_exit(const char *path);
/* Keeps other processes from holding an entry, so that it can be removed; -1: one holds it. */
int cache_hold_alone(const char *path);

/* Marks an entry as used now. `path` is the file whose time tells (cache-entries.c). */
void cache_touch(const char *path);

/* Refuses a symbolic link in the place of an entry. */
int cache_refuse_link(const char *path, struct error *err);

#define CACHE_KEY_SIZE 33 /* bytes: 32 hexadecimal digits and the end */

/* A hash of all that a cache entry is made from. */
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
/* Reads a file and adds its content. */
int cache_key_add_content(struct cache_key *key, const char *path);
/* Writes the first 32 digits of the hash. Returns `text`. */
char *cache_key_text(struct cache_key *key, char text[CACHE_KEY_SIZE]);
/* Writes as many digits as fit into `size` bytes, at most all 64. Returns `text`. */
char *cache_key_digits(struct cache_key *key, char *text, size_t size);
