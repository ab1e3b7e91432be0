/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A cache of its own for each unit test of the kernels and of the cache. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/kernel/cache.h"

static char folder[64]; /* Each test makes a folder and removes it. */

static inline void cache_setup(void)
{
	snprintf(folder, sizeof(folder), "/tmp/deadpeer-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	setenv("XDG_CACHE_HOME", folder, 1);
}

static inline void cache_teardown(void)
{
	cache_remove(folder);
}

/* Returns the path of what is in the folder, which the next call overwrites. */
static inline char *in_folder(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static inline void put(const char *name, const void *data, size_t size)
{
	FILE *file = fopen(in_folder(name), "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(data, 1, size, file), size);
	fclose(file);
}
