/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/util/array.h"

#include <errno.h>
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

int array_copy(void *copy, const void *array, size_t count, size_t size)
{
	void **to = copy;
	size_t room = 1;

	*to = NULL;
	if (!count)
		return 0;
	while (room < count)
		room *= 2;
	*to = reallocarray(NULL, room, size);
	if (!*to)
		return -ENOMEM;
	memcpy(*to, array, count * size);
	return 0;
}

int strings_append(char ***strings, size_t *count, const char *text)
{
	char *copy = strdup(text);
	char **grown = copy ? reallocarray(*strings, *count + 2, sizeof(*grown)) : NULL;

	if (!grown) {
		free(copy);
		return -ENOMEM;
	}
	grown[(*count)++] = copy;
	grown[*count] = NULL;
	*strings = grown;
	return 0;
}

bool strings_have(char *const *strings, const char *text)
{
	for (; strings && *strings; strings++)
		if (!strcmp(*strings, text))
			return true;
	return false;
}

char **strings_free(char **strings)
{
	for (char **s = strings; s && *s; s++)
		free(*s);
	free(strings);
	return NULL;
}
