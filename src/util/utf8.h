/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Bytes that a stranger wrote (what a command printed, a value of a store), as text that
 * is fit to be shown: on a terminal, as JSON, as XML. What is no UTF-8 becomes U+FFFD, one
 * for each maximal part of a character (Unicode 15, section 3.9), and so does U+0000, since
 * texts here end with it. Control characters include those of C1 (U+0080 to U+009F), which
 * terminals obey like ESC, and those that turn the direction of writing, by which a text can
 * look like another one.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define UTF8_REPLACEMENT 0xfffd

/* Takes the first character of `size` bytes, of which there is at least one. Returns how many bytes
 * it takes; the character is U+FFFD where they are no UTF-8. */
size_t utf8_decode(const char *bytes, size_t size, uint32_t *ret_character);

/* Returns the bytes as valid UTF-8, which the caller frees; NULL without memory. */
char *utf8_clean(const char *bytes, size_t size);

/* Returns the most bytes of `text`, at most `size`, that do not end within a character. */
size_t utf8_head(const char *text, size_t size);
/* Returns where the last `size` bytes of `text` begin, or a little later, so that they do not begin
 * within a character. */
const char *utf8_tail(const char *text, size_t size);

/* Writes a text for a reader: control characters as "\n", "\x1b" or "\u202e". */
void utf8_put_plain(FILE *out, const char *text);
/* Returns the same as a string, which the caller frees; NULL without memory. */
char *utf8_plain(const char *text);

/* Writes a text as what stands in a JSON string, without the quotes. */
void utf8_put_json(FILE *out, const char *text);
/* Writes a text as what stands in an attribute or an element of XML 1.0: what XML has no character
 * for becomes U+FFFD. */
void utf8_put_xml(FILE *out, const char *text);
