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

char *format_digits(char *end, uint64_t value, int digits)
{
	for (; value || digits > 0; value /= 10, digits--)
		*--end = (char)('0' + value % 10);
	return end;
}

char *format_hex(char *end, uint64_t value)
{
	do
		*--end = "0123456789abcdef"[value % 16];
	while (value /= 16);
	return end;
}
