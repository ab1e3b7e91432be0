/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/util/library.h"

#include <dlfcn.h>
#include <errno.h>

int library_load(const char *file, const char *package, const struct library_function *functions,
		 size_t n, struct error *err)
{
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return error_set(err, ERROR_CAPABILITY, -ENOENT,
				 "%s not found: install Debian's package %s", file, package);
	for (size_t i = 0; i < n; i++) {
		void *function = dlsym(library, functions[i].name);

		if (!function)
			return error_set(err, ERROR_CAPABILITY, -ENOENT, "%s: no function %s", file,
					 functions[i].name);
		*(void **)functions[i].variable = function;
	}
	return 0;
}
