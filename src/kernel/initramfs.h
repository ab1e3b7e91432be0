/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The guest's first file system: a program as /init with the libraries it
 * links, and the kernel modules that trials need, as a cpio archive in the
 * user's cache.
 */

#include "src/kernel/closure.h"
#include "src/kernel/kernel.h"
#include "src/util/error.h"

/* The guest finds its modules there, named so that they sort in the order to insert them. */
#define INITRAMFS_MODULES "/modules"

/* Returns the path of the archive for `program` (a path) and `kernel` in *ret_path, which the
 * caller frees. It is made unless it is in the cache; *ret_hold_fd, which the caller closes, keeps
 * it there. `closure`: the user's programs, which has
 * the libraries of `program` as well (closure_add_libraries()); NULL: there are none. */
int initramfs_cached(const char *program, const struct kernel *kernel,
		     const struct closure *closure, char **ret_path, int *ret_hold_fd,
		     struct error *err);
