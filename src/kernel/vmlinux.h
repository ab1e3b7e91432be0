/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The kernel inside a bzImage. QEMU starts an uncompressed ELF kernel that has
 * a PVH note by itself, which saves the guest its own decompression.
 * Layout: Documentation/arch/x86/boot.rst in the kernel source.
 */

#include <stddef.h>

#include "src/util/error.h"

/* Reads the release that stands in the image at `path` ("6.1.0-56-cloud-amd64"). Fails with
 * ERROR_INPUT if the file is no kernel image. */
int vmlinux_release(const char *path, char *ret_release, size_t size, struct error *err);

/* Fails with ERROR_INPUT if this machine's QEMU cannot start the kernel image at `path`. */
int vmlinux_check(const char *path, struct error *err);

/* Returns the config that CONFIG_IKCONFIG has put into the kernel, which the caller frees; NULL:
 * there is none. */
char *vmlinux_config(const char *path);

/* Writes the ELF kernel inside the bzImage at `path` to `target`. Fails with -EOPNOTSUPP, without a
 * text, when there is none that can be started directly. */
int vmlinux_extract(const char *path, const char *target, struct error *err);

/* Takes the ELF kernel from the cache, as cache_get() does. *ret_path is its path, or `path` itself
 * when only that can be started, and then *ret_hold_fd stays as it is. */
int vmlinux_cached(const char *path, char **ret_path, int *ret_hold_fd, struct error *err);
