/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The kernel inside a bzImage. QEMU starts an uncompressed ELF kernel that has
 * a PVH note by itself, which saves the guest its own decompression.
 * Layout: Documentation/arch/x86/boot.rst in the kernel source.
 */

#include <stddef.h>

#include "src/util/error.h"

/* The release that the image at `path` says it is ("6.1.0-56-cloud-amd64"). A file that is no
 * kernel image is ERROR_INPUT. */
int vmlinux_release(const char *path, char *ret_release, size_t size, struct error *err);

/* Writes the ELF kernel inside the bzImage at `path` to `target`. -EOPNOTSUPP, without a text,
 * when there is none that can be started directly. */
int vmlinux_extract(const char *path, const char *target, struct error *err);

/* The same from the cache. *ret_path, to be freed, is the ELF kernel, or `path` itself where
 * only that can be started. */
int vmlinux_cached(const char *path, char **ret_path, struct error *err);
