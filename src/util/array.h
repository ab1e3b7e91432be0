/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Arrays that grow at their end, and NULL-terminated arrays of strings. */

#include <stdbool.h>
#include <stddef.h>

#include "src/util/cleanup.h"

/* `array` points to a pointer to the elements. Adds a zeroed element of `size` bytes at their end,
 * and returns it; NULL without memory. */
void *array_append(void *array, size_t *count, size_t size);
/* Makes `*copy`, a pointer to the elements too, a copy of an array that array_append() has made,
 * which can grow like it; NULL for one without elements. -ENOMEM is the only failure. */
int array_copy(void *copy, const void *array, size_t count, size_t size);

/* Appends a copy of `text` to a NULL-terminated array of `*count` strings, or to NULL, which is
 * none; -ENOMEM is the only failure. */
int strings_append(char ***strings, size_t *count, const char *text);
/* Whether a NULL-terminated array, or NULL, has that string. */
bool strings_have(char *const *strings, const char *text);
/* Frees a NULL-terminated array and each string in it; returns NULL. */
char **strings_free(char **strings);
DEFINE_CLEANUP(char **, strings_free)
