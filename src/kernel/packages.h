/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What Debian's package manager knows of the files of this machine. */

#include "src/util/error.h"

typedef int packages_func(const char *path, void *userdata, struct error *err);

/* Returns 1 if a package of that name is installed, 0 if not or if there is no dpkg. */
int packages_has(const char *name, struct error *err);

/* Finds the packages that the files belong to (`paths`: absolute; NULL ends them, as it does
 * `names`), those of the names and, over and over, those that they depend on; calls `func` for each
 * file and folder that one of them lists, and returns its first failure. Packages that only the
 * scripts of an installation need are left out. Where there is no dpkg, or it knows none of the
 * files, nothing is called. */
int packages_visit(char *const *paths, char *const *names, packages_func *func, void *userdata,
		   struct error *err);
