/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/util/names.h"

#include <stddef.h>
#include <string.h>

const char *names_text(const struct names *names, int value)
{
	return value >= 0 && value < names->count ? names->texts[value] : NULL;
}

int names_find(const struct names *names, const char *text)
{
	for (int i = 0; i < names->count; i++)
		if (names->texts[i] && !strcmp(names->texts[i], text))
			return i;
	return -1;
}

const char *errno_name(int error)
{
	return error > 0 ? strerrorname_np(error) : NULL;
}

int errno_from_name(const char *text)
{
	for (int i = 1; i < ERRNO_MAX; i++)
		if (errno_name(i) && !strcmp(errno_name(i), text))
			return i;
	return 0;
}

const char *errno_text(int error)
{
	return error > 0 && !errno_name(error) ? "?" : errno_name(error);
}

int errno_from_text(const char *text)
{
	return strcmp(text, "?") != 0 ? errno_from_name(text) : ERRNO_MAX;
}
