/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Whether a fetched kernel's folder is as it was unpacked: "manifest" in it stands
 * for the names and the contents of all the others. A folder that was copied in part,
 * or has decayed, is noticed before a guest is made from it. The check takes a quarter
 * of a second.
 */

#include <stdbool.h>

#include "src/util/error.h"

/* Writes the manifest into a folder that is whole; it has to be the last file. */
int kernel_manifest_write(const char *folder, struct error *err);

bool kernel_manifest_check(const char *folder);
