/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/util/format.h"

#include <stdio.h>

char *format_newv(const char *format, va_list ap)
{
	char *text;

	return vasprintf(&text, format, ap) < 0 ? NULL : text;
}

char *format_new(const char *format, ...)
{
	char *text;
	va_list ap;

	va_start(ap, format);
	text = format_newv(format, ap);
	va_end(ap);
	return text;
}
