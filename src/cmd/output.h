/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Files that a verb writes as a whole: a reader finds the old one or the new one, and an error
 * leaves the old one. */

#include <stdio.h>

#include "src/util/error.h"

/* Writes the content to `out`; the caller looks at ferror(). */
typedef int (*output_func)(FILE *out, void *userdata, struct error *err);

/* Writes a file beside `path`, which takes its place when it is complete. A pipe or a device, which
 * cannot be replaced, is written directly. */
int output_write(const char *path, output_func func, void *userdata, struct error *err);
/* Writes to standard output, or another file that is open; `name` is for errors. */
int output_write_to(FILE *out, const char *name, output_func func, void *userdata,
		    struct error *err);
/* Refuses a path to which output_write() could not write, before the work whose result it gets.
 * `option` is the name of the option that has it, which takes no "-" for standard output. */
int output_check(const char *option, const char *path, struct error *err);
