/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/util/array.h"

#include <stdlib.h>
#include <string.h>

/* The room doubles whenever the count is a power of two, so that the size of the room need not be
 * stored. */
void *array_append(void *array, size_t *count, size_t size)
{
	void **a = array;
	char *slot;

	if ((*count & (*count - 1)) == 0) {
		void *grown = reallocarray(*a, *count ? *count * 2 : 1, size);

		if (!grown)
			return NULL;
		*a = grown;
	}
	slot = (char *)*a + (*count)++ * size;
	return memset(slot, 0, size);
}

char **strings_free(char **strings)
{
	for (char **s = strings; s && *s; s++)
		free(*s);
	free(strings);
	return NULL;
}
