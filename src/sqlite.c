/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/sqlite.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>

#include "src/util/cleanup.h"

#define LIBRARY "libsqlite3.so.0"

#define X(name) __typeof__(name) *lib_##name;
SQLITE_FUNCTIONS(X)
#undef X

static const struct {
	const char *name;
	void *variable; /* a pointer to a function */
} functions[] = {
#define X(name) { #name, &lib_##name },
	SQLITE_FUNCTIONS(X)
#undef X
};

int sqlite_load(struct error *err)
{
	static bool loaded;
	void *library = loaded ? NULL : dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (loaded)
		return 0;
	if (!library)
		return error_set(err, ERROR_CAPABILITY, -ENOENT,
				 "%s not found: install Debian's package libsqlite3-0", LIBRARY);
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		void *function = dlsym(library, functions[i].name);

		if (!function)
			return error_set(err, ERROR_CAPABILITY, -ENOENT, "%s: no function %s",
					 LIBRARY, functions[i].name);
		*(void **)functions[i].variable = function;
	}
	loaded = true;
	return 0;
}
