/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/record/expect-parts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

void expect_fail(struct check *c, const char *format, ...)
{
	_cleanup_(freep) char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	if (!text || record_fail(c->record, "%s: %s", c->who, text) < 0)
		c->failed = -ENOMEM;
}

void words_add(struct words *words, const char *separator, const char *format, ...)
{
	char *end = words->text + words->length;
	size_t room = sizeof(words->text) - words->length;
	va_list ap;
	int n = 0;

	if (room <= 1)
		return;
	if (words->length)
		n = snprintf(end, room, "%s", separator);
	if ((size_t)n < room) {
		va_start(ap, format);
		n += vsnprintf(end + n, room - (size_t)n, format, ap);
		va_end(ap);
	}
	words->length += (size_t)n < room ? (size_t)n : room - 1;
}
