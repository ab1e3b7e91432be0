/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/util/utf8.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "src/util/cleanup.h"

/* How many bytes a character has that begins with `lead`; 0 for a byte that begins none. */
static size_t length_of(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/* Whether `byte` may be the second one behind `lead`: no longer form than needed, no surrogate, and
 * nothing above U+10FFFF (Unicode 15, table 3-7). */
static bool may_follow(unsigned char lead, unsigned char byte)
{
	unsigned char least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	unsigned char most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;

	return byte >= least && byte <= most;
}

size_t utf8_decode(const char *bytes, size_t size, uint32_t *ret_character)
{
	const unsigned char *p = (const unsigned char *)bytes;
	size_t length = length_of(p[0]), i;
	uint32_t character = length < 2 ? p[0] : p[0] & (0x7fu >> length);

	*ret_character = UTF8_REPLACEMENT;
	if (!length)
		return 1;
	for (i = 1; i < length && i < size; i++) {
		if (i == 1 ? !may_follow(p[0], p[1]) : (p[i] & 0xc0) != 0x80)
			return i;
		character = character << 6 | (p[i] & 0x3f);
	}
	if (i == length && character)
		*ret_character = character;
	return i;
}

static void put_character(FILE *out, uint32_t c)
{
	static const unsigned char leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	int length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (length == 1) {
		putc((int)c, out);
		return;
	}
	putc((int)(leads[length] | c >> 6 * (length - 1)), out);
	for (int i = length - 2; i >= 0; i--)
		putc((int)(0x80 | (c >> 6 * i & 0x3f)), out);
}

/* Writes one character in the way of one kind of text. */
typedef void (*put_func)(FILE *out, uint32_t character);

/* How many bytes stand at the beginning that are written as they are in any way. */
static size_t count_plain(const char *bytes, size_t size)
{
	size_t n = 0;

	while (n < size && bytes[n] >= ' ' && bytes[n] <= '~' && bytes[n] != '"' &&
	       bytes[n] != '\\' && bytes[n] != '&' && bytes[n] != '<' && bytes[n] != '>')
		n++;
	return n;
}

static void put_all(FILE *out, const char *bytes, size_t size, put_func put)
{
	for (size_t i = 0; i < size;) {
		size_t plain = count_plain(bytes + i, size - i);
		uint32_t character;

		fwrite(bytes + i, 1, plain, out);
		i += plain;
		if (i == size)
			break;
		i += utf8_decode(bytes + i, size - i, &character);
		put(out, character);
	}
}

static char *to_string(const char *bytes, size_t size, put_func put)
{
	_cleanup_(freep) char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return NULL;
	put_all(out, bytes, size, put);
	return fclose(out) == 0 ? take_ptr(text) : NULL;
}

char *utf8_clean(const char *bytes, size_t size)
{
	return to_string(bytes, size, put_character);
}

static bool continues(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

size_t utf8_head(const char *text, size_t size)
{
	size_t n = strnlen(text, size + 1), back;

	if (n <= size)
		return n;
	for (back = 0; back < 3 && back < size && continues(text[size - back]); back++)
		;
	return continues(text[size - back]) ? size : size - back;
}

const char *utf8_tail(const char *text, size_t size)
{
	size_t n = strlen(text);

	if (n <= size)
		return text;
	text += n - size;
	for (int i = 0; i < 3 && continues(*text); i++)
		text++;
	return text;
}

/* Whether a character moves a terminal's cursor, changes its state, or shows a text in another
 * order than it is written in. */
static bool moves_terminal(uint32_t c)
{
	return c < ' ' || (c >= 0x80 && c < 0xa0) || c == 0x61c || (c >= 0x200e && c <= 0x200f) ||
	       (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static bool is_control(uint32_t c)
{
	return moves_terminal(c) || c == 0x7f || c == 0x2028 || c == 0x2029;
}

static void put_plain(FILE *out, uint32_t c)
{
	if (c == '\n' || c == '\r' || c == '\t')
		fprintf(out, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
	else if (is_control(c))
		fprintf(out, c < 0x80 ? "\\x%02" PRIx32 : "\\u%04" PRIx32, c);
	else
		put_character(out, c);
}

void utf8_put_plain(FILE *out, const char *text)
{
	put_all(out, text, strlen(text), put_plain);
}

char *utf8_plain(const char *text)
{
	return to_string(text, strlen(text), put_plain);
}

static void put_json(FILE *out, uint32_t c)
{
	static const char named[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
	const char *found = c < 0x80 ? strchr(named, (int)c) : NULL;

	if (found)
		fprintf(out, "\\%c", names[found - named]);
	else if (moves_terminal(c))
		fprintf(out, "\\u%04" PRIx32, c);
	else
		put_character(out, c);
}

void utf8_put_json(FILE *out, const char *text)
{
	put_all(out, text, strlen(text), put_json);
}

static bool is_xml(uint32_t c)
{
	return c >= ' ' ? c < 0xfffe || c > 0xffff : c == '\n' || c == '\r' || c == '\t';
}

/* A line break or a tab that is not written as a number would be read back as a space from an
 * attribute. */
static void put_xml(FILE *out, uint32_t c)
{
	if (!is_xml(c))
		put_character(out, UTF8_REPLACEMENT);
	else if (c == '&' || c == '<' || c == '>')
		fprintf(out, "&%s;", c == '&' ? "amp" : c == '<' ? "lt" : "gt");
	else if (c == '"')
		fputs("&quot;", out);
	else if (is_control(c))
		fprintf(out, "&#%" PRIu32 ";", c);
	else
		put_character(out, c);
}

void utf8_put_xml(FILE *out, const char *text)
{
	put_all(out, text, strlen(text), put_xml);
}
