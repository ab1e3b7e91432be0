/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Writes the file that --output names. A regular file is replaced as a whole, once all is written:
 * if that fails, the file that was there before is still there, and nothing else. */

#include <stdbool.h>
#include <stdio.h>

#include "src/util/error.h"

/* Writes to `out`. If that fails it stops, and the caller looks at ferror() and errno. */
typedef int (*output_func)(FILE *out, void *userdata, struct error *err);

/* Calls `func` with the file to write: standard output where `path` is NULL or "-". ERROR_INPUT if
 * the file cannot be made, or is `store`, which would be replaced. */
int output_write(const char *path, const char *const *stores, size_t n_stores, output_func func,
		 void *userdata, struct error *err);
/* Whether two paths lead to one file. A path that leads nowhere is no other's. */
bool output_same_file(const char *a, const char *b);
/* Refuses a path to which output_write() could not write, before the work whose result it gets.
 * `option` is the name of the option that has it, which takes no "-" for standard output. */
int output_check(const char *option, const char *path, struct error *err);
