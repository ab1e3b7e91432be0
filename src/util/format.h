/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Texts in memory of their own, made as by printf(), and numbers, made quicker than by printf(). */

#include <stdarg.h>
#include <stdint.h>

#define FORMAT_DIGITS_SIZE 32 /* bytes: room for any number, and more */

/* Returns the text, which the caller frees, or NULL without memory. */
__attribute__((format(printf, 1, 2))) char *format_new(const char *format, ...);
char *format_newv(const char *format, va_list ap);

/* Writes `value` in decimal into the bytes that end before `end`, with zeros in front if it has
 * fewer digits than `digits`, and returns where it begins. printf() takes ten times as long, and a
 * record has hundreds of numbers. */
char *format_digits(char *end, uint64_t value, int digits);
/* The same in hexadecimal, without zeros in front. */
char *format_hex(char *end, uint64_t value);
