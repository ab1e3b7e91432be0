/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Unpacks the kernel in a Debian package (an ar archive with a compressed tar
 * in it), without dpkg.
 */

#include "src/util/error.h"

/* Puts the package's vmlinuz, its config and its modules (as "modules/") into `folder`, which
 * must exist. Fails if the package is cut short or has no kernel. */
int deb_unpack_kernel(const char *path, const char *folder, struct error *err);
