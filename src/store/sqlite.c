/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/store/sqlite.h"

#include "src/util/cleanup.h"
#include "src/util/library.h"

#define X(name) __typeof__(name) *lib_##name;
SQLITE_FUNCTIONS(X)
#undef X

int sqlite_load(struct error *err)
{
	static const struct library_function functions[] = {
#define X(name) { #name, &lib_##name },
		SQLITE_FUNCTIONS(X)
#undef X
	};

	return library_load("libsqlite3.so.0", "libsqlite3-0", functions, ARRAY_SIZE(functions),
			    err);
}
