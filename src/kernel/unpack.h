/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Unpacks the kernel in a package: one of Debian's (an ar archive with a compressed tar in it),
 * one of RPM's (a compressed cpio behind a header), or a tar, without the tools of
 * any distribution.
 */

#include <stdbool.h>

#include "src/util/error.h"

#define UNPACK_RELEASE_SIZE 128 /* bytes */

/* Whether the file is a package, by how it begins. */
bool unpack_is_package(const char *path);

/* Puts the package's vmlinuz, its config and its modules (as "modules/") into `folder`, which
 * must exist. A kernel may come in several packages; `release` is the name of the folder
 * that the modules have in them, "" at the first. Fails if the package is cut short, or is of
 * another release. */
int unpack_package(const char *path, const char *folder, char release[UNPACK_RELEASE_SIZE],
		   struct error *err);

/* Fails if no vmlinuz has come out of the packages, of which `what` is the first. */
int unpack_check(const char *folder, const char *what, struct error *err);
