/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/kernel/archives.h"

#include "src/util/cleanup.h"
#include "src/util/library.h"

#define X(name) __typeof__(name) *lib_##name;
ARCHIVE_FUNCTIONS(X)
#undef X

int archives_load(struct error *err)
{
	static const struct library_function functions[] = {
#define X(name) { #name, &lib_##name },
		ARCHIVE_FUNCTIONS(X)
#undef X
	};

	return library_load("libarchive.so.13", "libarchive13", functions, ARRAY_SIZE(functions),
			    err);
}
