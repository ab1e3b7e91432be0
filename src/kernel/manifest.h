/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Tells whether a fetched kernel's folder is as it was unpacked: the file "manifest"
 * in it has a hash of the names and contents of all other files. So a folder that was
 * copied in part, or has decayed, is noticed before a guest is made from it. The
 * check takes a quarter of a second.
 */

#include <stdbool.h>

#include "src/util/error.h"

/* Writes the manifest into a folder that has all its other files. */
int kernel_manifest_write(const char *folder, struct error *err);

/* Returns whether the folder is as it was. */
bool kernel_manifest_check(const char *folder);
