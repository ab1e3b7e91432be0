/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Text in memory of its own, made as by printf(). */

#include <stdarg.h>

/* Returns the text, which the caller frees, or NULL without memory. */
__attribute__((format(printf, 1, 2))) char *format_new(const char *format, ...);
char *format_newv(const char *format, va_list ap);
