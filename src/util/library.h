/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Shared libraries that only some commands need, loaded when one does. */

#include <stddef.h>

#include "src/util/error.h"

struct library_function {
	const char *name;
	void *variable; /* a pointer to a function, to be set */
};

/* Loads `file` for good and finds every function. ERROR_CAPABILITY when the library or a function
 * is missing; `package` is Debian's that has it. Calling it again costs little. */
int library_load(const char *file, const char *package, const struct library_function *functions,
		 size_t n, struct error *err);
