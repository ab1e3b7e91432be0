/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The guest's first file system: a program as /init with the libraries it
 * links, and the kernel modules that trials need, as a cpio archive in the
 * user's cache.
 */

#include "src/kernel/kernel.h"
#include "src/util/error.h"

/* Where the guest finds its modules, named so that they sort in the order to insert them. */
#define INITRAMFS_MODULES "/modules"

/* Makes the archive for `program` (its path) and `kernel`, unless it is in the cache.
 * *ret_path is to be freed. */
int initramfs_cached(const char *program, const struct kernel *kernel, char **ret_path,
		     struct error *err);

/* Writes it to `target`. */
int initramfs_write(const char *program, const struct kernel *kernel, const char *target,
		    struct error *err);
