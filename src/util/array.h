/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Arrays that grow at their end, and NULL-terminated arrays of strings. */

#include <stddef.h>

#include "src/util/cleanup.h"

/* Grows `*array` by one zeroed element of `size` bytes and returns it, or NULL. */
void *array_append(void *array, size_t *count, size_t size);

/* Frees a NULL-terminated array and each string in it; returns NULL. */
char **strings_free(char **strings);
DEFINE_CLEANUP(char **, strings_free)
