/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Arrays that grow at their end, and NULL-terminated arrays of strings. */

#include <stddef.h>

#include "src/util/cleanup.h"

/* `array` points to a pointer to the elements. Adds a zeroed element of `size` bytes at their end,
 * and returns it; NULL without memory. */
void *array_append(void *array, size_t *count, size_t size);

/* Frees a NULL-terminated array and each string in it; returns NULL. */
char **strings_free(char **strings);
DEFINE_CLEANUP(char **, strings_free)
