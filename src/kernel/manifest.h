/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Whether a fetched kernel's folder is as it was unpacked: "manifest" in it stands
 * for the names and the contents of all the others. What was copied in part, or has
 * decayed, is noticed before a guest lacks it. Takes a quarter of a second.
 */

#include <stdbool.h>

#include "src/util/error.h"

/* Goes last into a folder that is whole. */
int kernel_manifest_write(const char *folder, struct error *err);

bool kernel_manifest_check(const char *folder);
