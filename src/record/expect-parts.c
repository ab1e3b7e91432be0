/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/record/expect-parts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static void say(struct check *c, int (*add)(struct record *record, const char *format, ...),
		const char *format, va_list ap)
{
	_cleanup_(freep) char *text = NULL;

	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	if (!text || add(c->record, "%s: %s", c->who, text) < 0)
		c->failed = -ENOMEM;
}

void expect_fail(struct check *c, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(c, record_fail, format, ap);
	va_end(ap);
}

void expect_doubt(struct check *c, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(c, record_doubt, format, ap);
	va_end(ap);
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
