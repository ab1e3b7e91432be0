/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Kernels that the user brings: as a vmlinuz with its modules, or in packages. */

#include <stddef.h>

#include "src/kernel/kernel.h"
#include "src/kernel/lacks.h"

struct add_options {
	char *const *files; /* a vmlinuz, or packages that have one; not owned */
	size_t count;	    /* of files */
	const char
		*modules; /* a folder such as /lib/modules/RELEASE; NULL: as packages have them */
	const char *name; /* what it is to be called; NULL: its release */
};

/* Copies a kernel into the user's cache, where runs find it by its name. One of that name that was
 * added before is replaced. `tell` hears what it lacks; a kernel on which no trial could run is
 * refused. */
int kernel_add(const struct add_options *options, kernel_lacks_func tell, struct kernel *ret,
	       struct error *err);
